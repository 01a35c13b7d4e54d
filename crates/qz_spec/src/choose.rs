//! Which tests of a file are run, and in which order?

use crate::worker::Listed;

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Only tests with this in their full name.
    pub filter: Option<String>,
    /// Only tests with one of these tags; none with one that is written `~tag`.
    pub tags: Vec<String>,
    pub seed: u64,
}

impl Choice {
    fn wants(&self, test: &Listed) -> bool {
        let name = test.path.join(" ");
        let named = self.filter.as_ref().is_none_or(|part| name.contains(part.as_str()));
        let (without, with): (Vec<&String>, Vec<&String>) =
            self.tags.iter().partition(|it| it.starts_with('~'));
        let has = |tag: &str| test.tags.iter().any(|it| it == tag);
        let tagged = with.is_empty() || with.iter().any(|it| has(it));
        named && tagged && !without.iter().any(|it| has(&it[1..]))
    }

    /// The numbers of the tests to run. Tests of one group stay together.
    pub(crate) fn order(&self, tests: &[Listed]) -> Vec<usize> {
        let is_focused = tests.iter().any(|it| it.focused);
        let chosen: Vec<usize> = (0..tests.len())
            .filter(|&n| (!is_focused || tests[n].focused) && self.wants(&tests[n]))
            .collect();
        let mut random = Random(self.seed);
        shuffled(tests, &chosen, 0, &mut random)
    }
}

/// The tests of one group in another order, with the groups in it as wholes.
fn shuffled(tests: &[Listed], chosen: &[usize], depth: usize, random: &mut Random) -> Vec<usize> {
    let mut parts: Vec<(Option<&str>, Vec<usize>)> = Vec::new();
    for &n in chosen {
        let group = tests[n].groups.get(depth).map(String::as_str);
        match parts.iter_mut().find(|part| group.is_some() && part.0 == group) {
            Some(part) => part.1.push(n),
            None => parts.push((group, vec![n])),
        }
    }
    for last in (1..parts.len()).rev() {
        parts.swap(last, random.below(last + 1));
    }
    let inner = |(group, part): (Option<&str>, Vec<usize>), random: &mut Random| match group {
        Some(_) => shuffled(tests, &part, depth + 1, random),
        None => part,
    };
    parts.into_iter().flat_map(|part| inner(part, random)).collect()
}

/// Chance that is the same for the same seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % n as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str, groups: &[&str]) -> Listed {
        let groups = groups.iter().map(|it| (*it).to_owned()).collect();
        Listed { path: vec![name.to_owned()], groups, ..Listed::default() }
    }

    #[test]
    fn groups_stay_together() {
        let tests: Vec<Listed> = ["a", "a", "b", "b", "b"].iter().map(|group| test("x", &[group])).collect();
        for seed in 0..20 {
            let order = Choice { seed, ..Choice::default() }.order(&tests);
            let groups: Vec<&str> = order.iter().map(|&n| tests[n].groups[0].as_str()).collect();
            assert!(groups == ["a", "a", "b", "b", "b"] || groups == ["b", "b", "b", "a", "a"], "{groups:?}");
        }
    }

    #[test]
    fn a_seed_gives_one_order_and_another_seed_another() {
        let tests: Vec<Listed> = (0..8).map(|_| test("x", &[])).collect();
        let order = |seed| Choice { seed, ..Choice::default() }.order(&tests);
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn tags_take_and_leave_out() {
        let tagged = |tags: &[&str]| Listed {
            tags: tags.iter().map(|it| (*it).to_owned()).collect(),
            ..Listed::default()
        };
        let tests = [tagged(&["slow"]), tagged(&["slow", "net"]), tagged(&[])];
        let chosen = |tags: &[&str]| {
            let tags = tags.iter().map(|it| (*it).to_owned()).collect();
            let mut order = Choice { tags, ..Choice::default() }.order(&tests);
            order.sort_unstable();
            order
        };
        assert_eq!(chosen(&["slow"]), [0, 1]);
        assert_eq!(chosen(&["slow", "~net"]), [0]);
        assert_eq!(chosen(&["~slow"]), [2]);
    }
}
