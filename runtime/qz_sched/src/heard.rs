//! Fibers that go on because the system said that their descriptors are ready.
//!
//! Such a fiber is often over in a few microseconds: it reads, answers and waits again. To wake another thread for it
//! costs as much as to run it, and takes a processor from whoever sends what is answered. So each thread keeps what it
//! heard of for itself while that is soon over and the thread has times without work, and nobody else listens
//! meanwhile. Where fibers run for longer, or a thread has more to do than it can, what it heard of is shared as all
//! else. As network cards do that tell of many packets at once, and more so while they come fast.

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_deque::Worker as Deque;

use crate::runnable::Runnable;
use crate::sched::{Scheduler, Slot};

/// What takes longer for each fiber is worth another thread.
const SHORT: u64 = 20_000;
/// Whoever has found work all this time has more than it can do.
const BUSY: Duration = Duration::from_millis(1);
/// The last batch's part in what is known of them.
const WEIGHT: u64 = 8;

/// What a thread heard of and has not run, and how long such work takes it.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) fibers: Deque<Runnable>,
    /// How many were heard of since there were none, and when.
    count: Cell<u64>,
    since: Cell<u64>,
    /// Nanoseconds for each, in the middle of those before.
    usual: Cell<u64>,
}

impl Heard {
    pub(crate) fn new(fibers: Deque<Runnable>) -> Heard {
        Heard { fibers, count: Cell::new(0), since: Cell::new(0), usual: Cell::new(2 * SHORT) }
    }

    pub(crate) fn give(&mut self, other: Deque<Runnable>) -> Deque<Runnable> {
        std::mem::replace(&mut self.fibers, other)
    }

    /// The system has said all it had to say.
    pub(crate) fn note(&self, count: u64, scheduler: &Scheduler) {
        if count > 0 && self.count.replace(self.count.get() + count) == 0 {
            self.since.set(scheduler.now());
        }
    }

    /// How many were heard of since all that was heard of had run.
    pub(crate) fn count(&self) -> u64 {
        self.count.get()
    }

    /// Before the thread listens again or sleeps: learns how long it took, if all that was heard of has run.
    pub(crate) fn learn(&self, scheduler: &Scheduler) {
        if self.count.get() == 0 || !self.fibers.is_empty() {
            return;
        }
        let each = scheduler.now().saturating_sub(self.since.get()) / self.count.replace(0);
        self.usual.set(weighed(self.usual.get(), each));
        let is_short = self.usual.get() < SHORT;
        if scheduler.hears_briefly.load(Ordering::Relaxed) != is_short {
            scheduler.hears_briefly.store(is_short, Ordering::Relaxed);
        }
    }
}

/// What is usual with one time more. A batch that the system interrupted says little.
fn weighed(usual: u64, each: u64) -> u64 {
    (usual * (WEIGHT - 1) + each.min(2 * SHORT)) / WEIGHT
}

impl Scheduler {
    /// Whether what descriptors make ready is best left to the thread that heard of it.
    pub(crate) fn hears_briefly(&self) -> bool {
        self.hears_briefly.load(Ordering::Relaxed)
    }

    /// The thread begins to look for work, after a time without any.
    pub(crate) fn note_awake(&self, slot: &Slot) {
        if self.seed.is_none() {
            slot.busy_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// How long it has found something to do.
    pub(crate) fn busy_for(&self, slot: &Slot) -> Duration {
        Duration::from_nanos(self.now().saturating_sub(slot.busy_since.load(Ordering::Relaxed)))
    }

    /// Whether a thread has more to do than it can.
    pub(crate) fn is_overworked(&self, slot: &Slot) -> bool {
        slot.is_stuck.load(Ordering::Relaxed) || self.busy_for(slot) >= BUSY
    }

    /// Whether others may run what the slot's thread heard of.
    pub(crate) fn shares_heard(&self, slot: &Slot) -> bool {
        let has_any = slot.stealers.get().is_some_and(|it| !it.heard.is_empty());
        has_any && (!self.hears_briefly() || self.is_overworked(slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_time_now_and_then_changes_nothing_and_long_times_do() {
        let mut usual = Heard::new(Deque::new_fifo()).usual.get();
        assert!(usual >= SHORT, "nothing is known at first");
        (0..30).for_each(|_| usual = weighed(usual, 3_000));
        assert!(usual < SHORT);
        for n in 0..100 {
            usual = weighed(usual, if n % 8 == 0 { 5_000_000 } else { 3_000 });
            assert!(usual < SHORT, "after {n}");
        }
        (0..8).for_each(|_| usual = weighed(usual, 100_000));
        assert!(usual >= SHORT);
    }
}
