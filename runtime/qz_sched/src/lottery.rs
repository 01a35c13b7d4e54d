//! The order of events under a seed: whatever could happen next is drawn by lot, the same for the same seed.

use crate::runnable::Runnable;

#[derive(Debug)]
pub(crate) struct Lottery {
    state: u64,
    ready: Vec<Runnable>,
}

impl Lottery {
    pub(crate) fn new(seed: u64) -> Lottery {
        Lottery { state: seed ^ 0x9e37_79b9_7f4a_7c15, ready: Vec::new() }
    }

    pub(crate) fn add(&mut self, what: Runnable) {
        self.ready.push(what);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    pub(crate) fn draw(&mut self) -> Option<Runnable> {
        if self.ready.is_empty() {
            return None;
        }
        let index = self.number() % self.ready.len() as u64;
        Some(self.ready.swap_remove(index as usize))
    }

    /// The next number of the sequence (SplitMix64).
    pub(crate) fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
