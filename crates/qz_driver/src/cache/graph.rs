//! Which modules can see what of which others? Modules that import each other in a circle are one group; groups stand in
//! an order in which each comes after those that it can see.

use qz_base::{FileId, FxHashMap};
use qz_cache::Key;

use super::written::Written;

/// A user's module, before anything is known of what it means.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) file: FileId,
    pub(crate) path: String,
    /// Its text.
    pub(crate) content: Key,
    pub(crate) written: Written,
    /// The user's modules that it imports.
    pub(crate) imports: Vec<FileId>,
}

/// Modules that see each other.
pub(crate) struct Group {
    /// Indexes of nodes, in order.
    pub(crate) members: Vec<usize>,
    /// Earlier groups that are seen from here, in order.
    pub(crate) sees: Vec<usize>,
}

/// The groups of a program, those that see nobody first.
pub(crate) fn groups(nodes: &[Node]) -> Vec<Group> {
    let by_file: FxHashMap<FileId, usize> = nodes.iter().enumerate().map(|(n, it)| (it.file, n)).collect();
    // What gives methods to others' types is seen without an import.
    let everywhere: Vec<usize> = (0..nodes.len()).filter(|&n| nodes[n].written.reaches_out).collect();
    let edges = |n: usize| -> Vec<usize> {
        let imports = nodes[n].imports.iter().filter_map(|file| by_file.get(file).copied());
        let mut all: Vec<usize> = imports.chain(everywhere.iter().copied()).filter(|&it| it != n).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let edges: Vec<Vec<usize>> = (0..nodes.len()).map(edges).collect();
    let mut groups = qz_base::graph::components(&edges, |it| it);
    let mut group_of = vec![0; nodes.len()];
    for (at, members) in groups.iter_mut().enumerate() {
        members.sort_unstable();
        members.iter().for_each(|&it| group_of[it] = at);
    }
    let sees = |(at, members): (usize, &Vec<usize>)| {
        let seen = members.iter().flat_map(|&n| &edges[n]).map(|&to| group_of[to]);
        let mut sees: Vec<usize> = seen.filter(|&it| it != at).collect();
        sees.sort_unstable();
        sees.dedup();
        sees
    };
    let sees: Vec<Vec<usize>> = groups.iter().enumerate().map(sees).collect();
    groups.into_iter().zip(sees).map(|(members, sees)| Group { members, sees }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(imports: &[&[u32]], reaching: &[usize]) -> Vec<(Vec<usize>, Vec<usize>)> {
        let node = |(n, imports): (usize, &&[u32])| Node {
            file: FileId(n as u32),
            path: n.to_string(),
            content: Key::of_content(b""),
            written: Written {
                interface: Key::of_content(b""),
                lasting: Key::of_content(b""),
                impls: None,
                reaches_out: reaching.contains(&n),
                has_macros: false,
                functions: Vec::new(),
                private: Vec::new(),
                words: Vec::new(),
                renames: false,
            },
            imports: imports.iter().map(|&it| FileId(it)).collect(),
        };
        let nodes: Vec<Node> = imports.iter().enumerate().map(node).collect();
        groups(&nodes).into_iter().map(|it| (it.members, it.sees)).collect()
    }

    #[test]
    fn what_is_seen_comes_first() {
        let groups = program(&[&[1, 2], &[2], &[]], &[]);
        assert_eq!(groups, [(vec![2], vec![]), (vec![1], vec![0]), (vec![0], vec![0, 1])]);
    }

    #[test]
    fn circles_are_one_group() {
        let groups = program(&[&[1], &[2], &[1, 3], &[]], &[]);
        assert_eq!(groups, [(vec![3], vec![]), (vec![1, 2], vec![0]), (vec![0], vec![1])]);
    }

    #[test]
    fn methods_for_others_types_are_seen_everywhere() {
        let groups = program(&[&[1], &[], &[1]], &[2]);
        assert_eq!(groups, [(vec![1, 2], vec![]), (vec![0], vec![0])]);
    }

    #[test]
    fn long_chains_need_no_stack() {
        let imports: Vec<Vec<u32>> =
            (1..=100_000).map(|n| if n < 100_000 { vec![n] } else { vec![] }).collect();
        let imports: Vec<&[u32]> = imports.iter().map(Vec::as_slice).collect();
        assert_eq!(program(&imports, &[]).len(), 100_000);
    }
}
