//! What stands in a queue: a fiber that goes on, or a task that begins and has no fiber yet.

use crate::fiber::Fiber;
use crate::task::Task;

/// One word: an address, its lowest bit set for tasks.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Runnable(usize);

pub(crate) enum Work {
    Fiber(*mut Fiber),
    Task(*mut Task),
}

// SAFETY: what is ready is run by one thread, the one that takes it out of a queue.
unsafe impl Send for Runnable {}

const TASK: usize = 1;

impl Runnable {
    pub(crate) fn fiber(fiber: *mut Fiber) -> Runnable {
        Runnable(fiber as usize)
    }

    pub(crate) fn task(task: *mut Task) -> Runnable {
        Runnable(task as usize | TASK)
    }

    pub(crate) fn work(self) -> Work {
        match self.0 & TASK {
            0 => Work::Fiber(self.0 as *mut Fiber),
            _ => Work::Task((self.0 & !TASK) as *mut Task),
        }
    }

    pub(crate) fn bits(self) -> usize {
        self.0
    }

    /// Of what [`Runnable::bits`] gave; 0 stands for nothing.
    pub(crate) fn from_bits(bits: usize) -> Option<Runnable> {
        (bits != 0).then_some(Runnable(bits))
    }
}
