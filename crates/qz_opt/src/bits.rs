//! Sets of small numbers, such as the locals of one body.

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    pub(crate) fn new(len: usize) -> Bits {
        Bits { words: vec![0; len.div_ceil(64)] }
    }

    pub(crate) fn full(len: usize) -> Bits {
        let mut bits = Bits { words: vec![u64::MAX; len.div_ceil(64)] };
        if let Some(last) = bits.words.last_mut()
            && !len.is_multiple_of(64)
        {
            *last = (1 << (len % 64)) - 1;
        }
        bits
    }

    pub(crate) fn has(&self, bit: usize) -> bool {
        self.words[bit / 64] >> (bit % 64) & 1 != 0
    }

    pub(crate) fn insert(&mut self, bit: usize) {
        self.words[bit / 64] |= 1 << (bit % 64);
    }

    pub(crate) fn remove(&mut self, bit: usize) {
        self.words[bit / 64] &= !(1 << (bit % 64));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Whether anything was added.
    pub(crate) fn union(&mut self, other: &Bits) -> bool {
        self.combine(other, |a, b| a | b)
    }

    /// Whether anything was taken away.
    pub(crate) fn intersect(&mut self, other: &Bits) -> bool {
        self.combine(other, |a, b| a & b)
    }

    pub(crate) fn subtract(&mut self, other: &Bits) -> bool {
        self.combine(other, |a, b| a & !b)
    }

    fn combine(&mut self, other: &Bits, f: impl Fn(u64, u64) -> u64) -> bool {
        let mut changed = false;
        for (a, &b) in self.words.iter_mut().zip(&other.words) {
            let new = f(*a, b);
            changed |= new != *a;
            *a = new;
        }
        changed
    }

    pub(crate) fn minus(&self, other: &Bits) -> Bits {
        let mut result = self.clone();
        result.subtract(other);
        result
    }

    pub(crate) fn and(&self, other: &Bits) -> Bits {
        let mut result = self.clone();
        result.intersect(other);
        result
    }

    /// The numbers in the set, rising.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(i, &word)| {
            let next = |rest: &u64| Some(rest & (rest - 1)).filter(|&rest| rest != 0);
            std::iter::successors(Some(word).filter(|&word| word != 0), next)
                .map(move |rest| i * 64 + rest.trailing_zeros() as usize)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_behave() {
        let mut a = Bits::new(130);
        [3, 64, 129].into_iter().for_each(|bit| a.insert(bit));
        assert_eq!(a.iter().collect::<Vec<_>>(), [3, 64, 129]);
        let mut b = Bits::full(130);
        b.remove(64);
        assert_eq!(a.and(&b).iter().collect::<Vec<_>>(), [3, 129]);
        assert_eq!(a.minus(&b).iter().collect::<Vec<_>>(), [64]);
        assert_eq!(Bits::full(130).iter().count(), 130);
    }
}
