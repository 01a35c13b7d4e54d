//! What a fiber waits on, as the runtime calls it: each either happens at once or parks the fiber until it does,
//! the time is over, or the fiber is cancelled.

use std::mem::MaybeUninit;

use crate::channel::{Channel, Side, Step};
use crate::fiber::{Fiber, Reason};
use crate::queue::{Node, Woken};
use crate::select::{Case, Chosen, Select};
use crate::task::Task;
use crate::thread::Thread;
use crate::timer::NEVER;
use crate::wait::{Generation, Outcome};

/// How long and how firmly a fiber waits.
#[derive(Copy, Clone, Debug)]
pub struct Terms {
    /// In nanoseconds of the scheduler's clock, or [`NEVER`].
    pub deadline: u64,
    /// Whether a cancellation ends the wait.
    pub interruptible: bool,
}

impl Terms {
    pub const FOREVER: Terms = Terms { deadline: NEVER, interruptible: true };
}

/// The wait of a fiber that entered a queue and is not parked yet.
pub(crate) struct Wait {
    fiber: *mut Fiber,
    generation: Generation,
}

impl Wait {
    /// # Safety
    /// The fiber is the one that runs on this thread.
    pub(crate) unsafe fn begin(fiber: *mut Fiber) -> Wait {
        // SAFETY: by the caller's promise.
        Wait { fiber, generation: unsafe { (*fiber).cell.begin() } }
    }

    /// The wait that the fiber has begun last.
    ///
    /// # Safety
    /// As for `begin`; it is not parked yet.
    unsafe fn begun(fiber: *mut Fiber) -> Wait {
        // SAFETY: by the caller's promise.
        Wait { fiber, generation: unsafe { (*fiber).cell.current() } }
    }

    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    pub(crate) fn node(&self, slot: *mut u8, case: u16) -> Node {
        // SAFETY: the fiber runs.
        Node::new(unsafe { &raw const (*self.fiber).cell }, self.generation, slot, case)
    }

    pub(crate) fn asking(&self, amount: u64) -> Node {
        // SAFETY: the fiber runs.
        Node::asking(unsafe { &raw const (*self.fiber).cell }, self.generation, amount)
    }

    /// Parks the fiber until the wait is over.
    ///
    /// # Safety
    /// Somebody can end it, or the terms do.
    pub(crate) unsafe fn finish(self, reason: Reason, terms: Terms) -> Outcome {
        let Wait { fiber, generation } = self;
        // SAFETY: the fiber runs here until it is parked, and again afterwards.
        unsafe {
            if terms.deadline != NEVER {
                (*fiber).scheduler().add_timer(fiber, generation, terms.deadline);
            }
            if terms.interruptible {
                (*fiber).interrupts.admit(&(*fiber).cell, generation);
            }
            (*fiber).set_reason(reason);
            Thread::of(fiber).park(fiber);
            (*fiber).set_reason(Reason::Nothing);
            if terms.deadline != NEVER {
                (*fiber).scheduler().remove_timer(fiber);
            }
            let outcome = (*fiber).cell.outcome();
            if outcome == Outcome::Cancelled {
                (*fiber).interrupts.note_end();
            }
            outcome
        }
    }
}

/// Whether the fiber is to end now, where it would wait.
///
/// # Safety
/// The fiber runs on this thread.
unsafe fn is_cancelled(fiber: *mut Fiber, terms: Terms) -> bool {
    // SAFETY: by the caller's promise.
    terms.interruptible && unsafe { (*fiber).interrupts.ends_here() }
}

/// Resumes who waited for what just happened.
///
/// # Safety
/// The fiber runs on this thread.
unsafe fn wake(fiber: *mut Fiber, woken: Option<Woken>) {
    if let Some(woken) = woken {
        // SAFETY: by the caller's promise.
        unsafe { Thread::of(fiber).resume(Fiber::of_cell(woken.0)) };
    }
}

/// Sends or receives. `Done` and `Closed` say what came of it; the value was moved only if it is done.
///
/// # Safety
/// The fiber runs on this thread; the rest as for [`Channel::attempt`].
pub unsafe fn transfer(
    fiber: *mut Fiber,
    channel: &Channel,
    side: Side,
    value: *mut u8,
    terms: Terms,
) -> Outcome {
    // SAFETY: passed on; the node leaves the queue before this returns.
    unsafe {
        if is_cancelled(fiber, terms) {
            return Outcome::Cancelled;
        }
        let mut node = MaybeUninit::uninit();
        let begin_wait = || node.write(Wait::begin(fiber).node(value, 0)) as *mut Node;
        match channel.attempt_or_enter(side, value, begin_wait) {
            Step::Done(woken) => {
                wake(fiber, woken);
                return Outcome::Done(0);
            }
            Step::Closed => return Outcome::Closed(0),
            Step::Later => {}
        }
        let reason = if side == Side::Send { Reason::Send } else { Reason::Receive };
        let outcome = Wait::begun(fiber).finish(reason, terms);
        if !matches!(outcome, Outcome::Done(_) | Outcome::Closed(_)) {
            channel.leave(side, node.as_mut_ptr());
        }
        outcome
    }
}

/// The same without waiting: [`Outcome::TimedOut`] if it cannot be done now.
///
/// # Safety
/// As for [`transfer`].
pub unsafe fn try_transfer(fiber: *mut Fiber, channel: &Channel, side: Side, value: *mut u8) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        match channel.attempt(side, value) {
            Step::Done(woken) => {
                wake(fiber, woken);
                Outcome::Done(0)
            }
            Step::Closed => Outcome::Closed(0),
            Step::Later => Outcome::TimedOut,
        }
    }
}

/// Closes a channel; false if it was closed.
///
/// # Safety
/// The fiber runs on this thread.
pub unsafe fn close(fiber: *mut Fiber, channel: &Channel) -> bool {
    // SAFETY: passed on.
    channel.close(|woken| unsafe { wake(fiber, Some(woken)) })
}

/// Waits for the first of several channels. Without `wait` it only tries.
///
/// # Safety
/// As for [`transfer`], for each case.
pub unsafe fn select(fiber: *mut Fiber, cases: &[Case], terms: Option<Terms>) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        if terms.is_some_and(|terms| is_cancelled(fiber, terms)) {
            return Outcome::Cancelled;
        }
        let start = Thread::of(fiber).lot(cases.len());
        let mut select = Select::new(cases);
        let wait = terms.map(|terms| (Wait::begin(fiber), terms));
        let entering = wait.as_ref().map(|(wait, _)| (&raw const (*fiber).cell, wait.generation));
        if let Chosen::Case(outcome, woken) = select.attempt(start, entering) {
            wake(fiber, woken);
            return outcome;
        }
        let Some((wait, terms)) = wait else { return Outcome::TimedOut };
        let outcome = wait.finish(Reason::Select, terms);
        select.leave();
        outcome
    }
}

/// Waits for the end of a task.
///
/// # Safety
/// The fiber runs on this thread.
pub unsafe fn join(fiber: *mut Fiber, task: &Task, terms: Terms) -> Outcome {
    // SAFETY: passed on; the node leaves the queue before this returns.
    unsafe {
        if task.is_done() {
            return Outcome::Done(0);
        }
        if is_cancelled(fiber, terms) {
            return Outcome::Cancelled;
        }
        let wait = Wait::begin(fiber);
        let mut node = wait.node(std::ptr::null_mut(), 0);
        let node = &raw mut node;
        if !task.enter(node) {
            return Outcome::Done(0);
        }
        let outcome = wait.finish(Reason::Task, terms);
        if !matches!(outcome, Outcome::Done(_)) {
            task.leave(node);
        }
        outcome
    }
}

/// Ends a task that nobody runs, and gives a count of it up.
///
/// # Safety
/// The fiber runs on this thread; [`Task::promise`] made the task, and the count is the caller's.
pub unsafe fn finish(fiber: *mut Fiber, task: *mut Task) {
    // SAFETY: passed on.
    unsafe {
        (*task).ends(|woken| wake(fiber, Some(woken)));
        Task::release(task);
    }
}

/// Waits for the time.
///
/// # Safety
/// The fiber runs on this thread.
pub unsafe fn sleep(fiber: *mut Fiber, terms: Terms) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        if is_cancelled(fiber, terms) {
            return Outcome::Cancelled;
        }
        Wait::begin(fiber).finish(Reason::Sleep, terms)
    }
}

/// Lets others go first.
///
/// # Safety
/// The fiber runs on this thread.
pub unsafe fn yield_now(fiber: *mut Fiber) {
    // SAFETY: passed on.
    unsafe { Thread::of(fiber).yield_now(fiber) }
}

/// A fiber is to leave what it is at, until it has settled that.
///
/// # Safety
/// The fiber runs on this thread; the other one does not end meanwhile.
pub unsafe fn interrupt(fiber: *mut Fiber, other: &Fiber) {
    // SAFETY: passed on.
    unsafe { wake(fiber, other.interrupt()) }
}

/// Cancels a task: it ends at its wait, if it waits, or at its next one.
///
/// # Safety
/// The fiber runs on this thread.
pub unsafe fn cancel(fiber: *mut Fiber, task: &Task) {
    // SAFETY: passed on.
    unsafe { wake(fiber, task.cancel()) }
}
