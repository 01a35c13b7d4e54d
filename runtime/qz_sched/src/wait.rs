//! One wait of one fiber: who ends it, and who puts the fiber back into a queue.
//!
//! A fiber that waits is known to several who may end its wait at the same moment: channels, a clock, a
//! cancellation. The first to [`WaitCell::claim`] it does what has to be done (hand a value over, say) and then
//! [`WaitCell::complete`]s it. Meanwhile the fiber may still be on its way out of its stack; it is resumed by
//! whichever of the two, the completer and the thread that left the stack ([`WaitCell::park`]), comes second.

use crate::alone::{SharedNumber, SharedWord};
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// Set by the thread that has left the fiber's stack.
const PARKED: u64 = 1;
/// Set by whoever ends the wait, when all is done.
const DONE: u64 = 2;
/// Set by whoever will end the wait.
const CLAIMED: u64 = 4;
const GENERATION: u64 = 8;

/// The wait of a fiber, used for one after the other.
#[derive(Debug)]
pub struct WaitCell {
    word: AtomicU64,
    outcome: AtomicU32,
}

/// Names one wait among all of a fiber's.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Generation(u64);

impl Generation {
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// Of what [`Generation::bits`] gave; 0 stands for none.
    pub(crate) fn from_bits(bits: u64) -> Option<Generation> {
        (bits != 0).then_some(Generation(bits))
    }
}

/// How a wait ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What was waited for came. In a wait for several things: which one.
    Done(u16),
    /// What was waited for is closed and will not come.
    Closed(u16),
    TimedOut,
    Cancelled,
    /// Nobody is left who could end the wait.
    Deadlock,
}

impl Outcome {
    fn bits(self) -> u32 {
        match self {
            Outcome::Done(case) => case as u32,
            Outcome::Closed(case) => 1 << 16 | case as u32,
            Outcome::TimedOut => 2 << 16,
            Outcome::Cancelled => 3 << 16,
            Outcome::Deadlock => 4 << 16,
        }
    }

    fn from_bits(bits: u32) -> Outcome {
        let case = bits as u16;
        match bits >> 16 {
            0 => Outcome::Done(case),
            1 => Outcome::Closed(case),
            2 => Outcome::TimedOut,
            3 => Outcome::Cancelled,
            _ => Outcome::Deadlock,
        }
    }
}

impl Default for WaitCell {
    fn default() -> WaitCell {
        WaitCell { word: AtomicU64::new(0), outcome: AtomicU32::new(0) }
    }
}

impl WaitCell {
    /// Begins a wait. For the fiber itself.
    pub fn begin(&self) -> Generation {
        let before = self.word.load(Ordering::Relaxed);
        let generation = (before & !(GENERATION - 1)).wrapping_add(GENERATION);
        self.word.store(generation, Ordering::Release);
        Generation(generation)
    }

    /// Whether the caller is the one who ends this wait. It must complete it soon.
    pub fn claim(&self, generation: Generation) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & !PARKED == generation.0 {
            match self.word.replace(word, word | CLAIMED, (Ordering::Acquire, Ordering::Relaxed)) {
                Ok(()) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Ends a wait that the caller claimed. True if the fiber has left its stack: the caller resumes it.
    pub fn complete(&self, outcome: Outcome) -> bool {
        self.outcome.store(outcome.bits(), Ordering::Relaxed);
        self.word.with_bits(DONE, Ordering::AcqRel) & PARKED != 0
    }

    /// The fiber has left its stack. True if the wait is over already: the caller resumes it.
    pub fn park(&self) -> bool {
        self.word.with_bits(PARKED, Ordering::AcqRel) & DONE != 0
    }

    /// The wait under way. For those who know that the fiber is parked.
    pub(crate) fn current(&self) -> Generation {
        Generation(self.word.load(Ordering::Acquire) & !(GENERATION - 1))
    }

    /// How the wait ended. For the fiber itself, after it was resumed.
    pub fn outcome(&self) -> Outcome {
        Outcome::from_bits(self.outcome.load(Ordering::Relaxed))
    }
}
