//! Fibers that wait for a time: a heap by deadline, in which each fiber knows its place, so that one whose wait
//! ended otherwise is taken out at once.

use crate::fiber::Fiber;
use crate::wait::Generation;

/// A fiber's wait and when it ends at the latest, in nanoseconds of the scheduler's clock.
#[derive(Copy, Clone, Debug)]
struct Entry {
    deadline: u64,
    /// Of two with one deadline, who came first goes first.
    order: u64,
    fiber: *mut Fiber,
    generation: Generation,
}

#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: Vec<Entry>,
    order: u64,
}

// SAFETY: entries are reached under the lock that protects the heap; a fiber stays while it is in.
unsafe impl Send for Timers {}

/// The deadline of a wait that has none.
pub const NEVER: u64 = u64::MAX;

impl Timers {
    pub(crate) fn next(&self) -> u64 {
        self.heap.first().map_or(NEVER, |entry| entry.deadline)
    }

    pub(crate) fn add(&mut self, fiber: *mut Fiber, generation: Generation, deadline: u64) {
        self.order += 1;
        self.heap.push(Entry { deadline, order: self.order, fiber, generation });
        self.rise(self.heap.len() - 1);
    }

    /// Takes the fiber out, if it is in.
    pub(crate) fn remove(&mut self, fiber: *mut Fiber) {
        // SAFETY: the fiber is the caller's own, hence live.
        let place = unsafe { (*fiber).timer.get() };
        if place > 0 {
            self.take(place - 1);
        }
    }

    /// The next whose time has come; it is out then.
    pub(crate) fn due(&mut self, now: u64) -> Option<(*mut Fiber, Generation)> {
        let first = *self.heap.first().filter(|entry| entry.deadline <= now)?;
        self.take(0);
        Some((first.fiber, first.generation))
    }

    fn take(&mut self, index: usize) {
        let entry = self.heap.swap_remove(index);
        // SAFETY: fibers in the heap are live.
        unsafe { (*entry.fiber).timer.set(0) };
        if index < self.heap.len() {
            self.note(index);
            self.rise(index);
            self.sink(index);
        }
    }

    fn key(&self, index: usize) -> (u64, u64) {
        (self.heap[index].deadline, self.heap[index].order)
    }

    fn note(&self, index: usize) {
        // SAFETY: fibers in the heap are live.
        unsafe { (*self.heap[index].fiber).timer.set(index + 1) };
    }

    fn rise(&mut self, mut index: usize) {
        while index > 0 && self.key(index) < self.key((index - 1) / 2) {
            self.heap.swap(index, (index - 1) / 2);
            self.note(index);
            index = (index - 1) / 2;
        }
        self.note(index);
    }

    fn sink(&mut self, mut index: usize) {
        loop {
            let children = [2 * index + 1, 2 * index + 2].into_iter().filter(|&it| it < self.heap.len());
            let Some(least) = children.min_by_key(|&it| self.key(it)) else { break };
            if self.key(index) <= self.key(least) {
                break;
            }
            self.heap.swap(index, least);
            self.note(index);
            index = least;
        }
        self.note(index);
    }
}
