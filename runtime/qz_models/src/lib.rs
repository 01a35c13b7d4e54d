//! Do the scheduler's protocols hold whatever the order in which threads get on? The model checker `loom` runs each
//! model in every order that the memory model permits, within bounds.
//!
//! The files are those of `qz_sched` itself, with the checker's atomics in place of the processor's. A fiber is one of
//! the checker's threads here: where a fiber would leave its stack, the thread waits to be resumed.

#[path = "../../qz_sched/src/alone.rs"]
pub mod alone;
#[path = "../../qz_sched/src/barrier.rs"]
mod barrier;
#[path = "../../qz_sched/src/bias.rs"]
pub mod bias;
#[path = "../../qz_sched/src/channel.rs"]
pub mod channel;
#[path = "../../qz_sched/src/interrupt.rs"]
pub mod interrupt;
#[path = "../../qz_sched/src/locks.rs"]
pub mod locks;
#[path = "../../qz_sched/src/queue.rs"]
pub mod queue;
#[path = "../../qz_sched/src/rest.rs"]
pub mod rest;
#[path = "../../qz_sched/src/select.rs"]
pub mod select;
#[path = "../../qz_sched/src/sync.rs"]
pub mod sync;
#[path = "../../qz_sched/src/wait.rs"]
pub mod wait;

pub mod house;
pub mod locked;

pub use stand_ins::{block, fiber, thread};

use std::mem::MaybeUninit;

use loom::sync::Notify;
use loom::sync::atomic::{AtomicBool, Ordering};

use channel::{Channel, Side, Step};
use interrupt::Interrupts;
use queue::{Node, Woken};
use select::{Case, Chosen, Select};
use wait::{Generation, Outcome, WaitCell};

mod stand_ins;

/// What the protocols know of a fiber.
#[repr(C)]
pub struct Fiber {
    /// First, so that its address is the fiber's.
    cell: WaitCell,
    interrupts: Interrupts,
    /// It was resumed and has not gone on.
    resumed: AtomicBool,
    told: Notify,
}

// SAFETY: all parts are for several threads.
unsafe impl Sync for Fiber {}
// SAFETY: as above.
unsafe impl Send for Fiber {}

impl Fiber {
    /// One that stays: who resumes it may look at it after it went on, as at the fibers of the runtime, whose memory is
    /// used again for fibers only.
    pub fn new() -> &'static Fiber {
        let (resumed, told) = (AtomicBool::new(false), Notify::new());
        Box::leak(Box::new(Fiber { cell: WaitCell::default(), interrupts: Interrupts::new(), resumed, told }))
    }
}

/// Resumes the fiber of an ended wait.
pub fn resume(woken: Option<Woken>) {
    let Some(woken) = woken else { return };
    // SAFETY: the cell is the first part of a fiber, which waits to be resumed.
    let fiber = unsafe { &*woken.0.cast::<Fiber>() };
    assert!(!fiber.resumed.swap(true, Ordering::AcqRel), "resumed twice");
    fiber.told.notify();
}

impl Fiber {
    /// As `block::Wait::finish`: the fiber leaves its stack, and goes on when its wait is over.
    fn finish(&self, generation: Generation) -> Outcome {
        self.interrupts.admit(&self.cell, generation);
        self.park()
    }

    fn park(&self) -> Outcome {
        if !self.cell.park() {
            while !self.resumed.swap(false, Ordering::AcqRel) {
                self.told.wait();
            }
        }
        self.cell.outcome()
    }

    /// As `block::transfer`.
    pub fn transfer(&self, channel: &Channel, side: Side, value: &mut u64) -> Outcome {
        let mut node = MaybeUninit::<Node>::uninit();
        let value = (&raw mut *value).cast();
        let begin_wait = || node.write(Node::new(&self.cell, self.cell.begin(), value, 0)) as *mut Node;
        // SAFETY: the value has the channel's size; the node stays until it is out of the queue.
        match unsafe { channel.attempt_or_enter(side, value, begin_wait) } {
            Step::Done(woken) => {
                resume(woken);
                return Outcome::Done(0);
            }
            Step::Closed => return Outcome::Closed(0),
            Step::Later => {}
        }
        let outcome = self.finish(self.cell.current());
        if !matches!(outcome, Outcome::Done(_) | Outcome::Closed(_)) {
            // SAFETY: the node was entered there.
            unsafe { channel.leave(side, node.as_mut_ptr()) };
        }
        outcome
    }

    /// As `block::select`.
    pub fn select(&self, cases: &[Case]) -> Outcome {
        // SAFETY: the models' channels live longer.
        let mut select = unsafe { Select::new(cases) };
        let generation = self.cell.begin();
        match select.attempt(0, Some((&self.cell, generation))) {
            Chosen::Case(outcome, woken) => {
                resume(woken);
                return outcome;
            }
            Chosen::None => {}
        }
        let outcome = self.finish(generation);
        select.leave();
        outcome
    }

    /// As `block::cancel`.
    pub fn cancel(&self) {
        let is_over = self.interrupts.cancel(&self.cell);
        resume(is_over.then_some(Woken(&self.cell)));
    }

    /// As the clock does at a deadline.
    pub fn time_out(&self, generation: Generation) {
        let is_over = self.cell.claim(generation) && self.cell.complete(Outcome::TimedOut);
        resume(is_over.then_some(Woken(&self.cell)));
    }

    /// A wait for nothing but the clock: what comes of it.
    pub fn sleep(&self, begun: impl FnOnce(Generation)) -> Outcome {
        let generation = self.cell.begin();
        begun(generation);
        self.finish(generation)
    }
}

/// Tries to send or receive without waiting.
pub fn attempt(channel: &Channel, side: Side, value: &mut u64) -> bool {
    // SAFETY: the value has the channel's size.
    match unsafe { channel.attempt(side, (&raw mut *value).cast()) } {
        Step::Done(woken) => {
            resume(woken);
            true
        }
        Step::Closed | Step::Later => false,
    }
}

/// Closes the channel and resumes who waited.
pub fn close(channel: &Channel) -> bool {
    channel.close(|woken| resume(Some(woken)))
}
