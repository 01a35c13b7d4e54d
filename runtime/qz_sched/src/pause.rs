//! Pauses of whoever listens to descriptors.
//!
//! A thread that has answered all it heard of and falls asleep is woken by the next word. Waking it takes the sender, if
//! that is on the same machine, as long as a few answers take. While words come fast the thread pauses instead: nobody
//! has to wake it, and some words gather meanwhile. Network cards do the same with their interrupts.
//!
//! It is for the better only if others go on during the pause. If they wait for answers instead, few words come; then the
//! next chances are let pass, twice as many each time.

use std::cell::Cell;
use std::time::Duration;

/// The system adds some twenty microseconds.
pub(crate) const PAUSE: Duration = Duration::from_micros(50);
/// Whoever has worked for less sleeps: words come slowly.
const WORKED: Duration = Duration::from_micros(60);
/// So many words in a pause say that others went on.
const MANY: u64 = 17;
/// Chances that are let pass, at most.
const MOST: u32 = 512;

/// What a thread knows of its pauses.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    /// Chances to let pass before the next pause.
    passes: Cell<u32>,
    /// How many those were after the last pause.
    in_vain: Cell<u32>,
}

impl Pauses {
    /// Whether it is time for a pause after so long a time of work. [`Pauses::learn`] is told what came of it.
    pub(crate) fn has_chance(&self, worked: Duration) -> bool {
        let left = self.passes.get();
        if worked >= WORKED {
            self.passes.set(left.saturating_sub(1));
        }
        worked >= WORKED && left == 0
    }

    /// So many words came in a pause.
    pub(crate) fn learn(&self, words: u64) {
        let in_vain = if words >= MANY { 0 } else { (2 * self.in_vain.get() + 1).min(MOST) };
        self.in_vain.set(in_vain);
        self.passes.set(in_vain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_works_little_sleeps() {
        let pauses = Pauses::default();
        assert!(!pauses.has_chance(WORKED / 2));
        assert!(pauses.has_chance(WORKED));
    }

    #[test]
    fn pauses_in_vain_become_rare_and_one_that_pays_brings_them_back() {
        let pauses = Pauses::default();
        let mut made = 0;
        for _ in 0..10_000 {
            if pauses.has_chance(WORKED) {
                made += 1;
                pauses.learn(MANY - 1);
            }
        }
        assert!(made < 30, "{made}");
        while !pauses.has_chance(WORKED) {}
        pauses.learn(MANY);
        assert!(pauses.has_chance(WORKED));
    }
}
