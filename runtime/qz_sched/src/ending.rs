//! How programs end, and how a scheduler is shut down: the tasks that are left end first.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::fiber::{Fiber, Reason};
use crate::sched::{Scheduler, State};
use crate::thread::Thread;
use crate::wait::Outcome;

/// So many looks of the monitor, 0.3 seconds, are waited for tasks that do not come to a wait when the program is over.
const PATIENCE: u32 = 150;

/// What becomes of the tasks that are left.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Drain {
    /// What is ready runs until it waits, and what waits is cancelled.
    FinishReady,
    /// All are cancelled.
    Cancel,
    /// The same, but those that compute, or call C, and do not come to a wait for some time are left, unless they are at
    /// their clean-up. They go on as long as the process does.
    OrLeave,
}

/// What is known of a program's end.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    /// The program is over, and who waits for its tasks may leave them.
    begins: AtomicBool,
    /// So many looks in a row saw that all tasks that are left compute.
    looks: AtomicU32,
    leaves: AtomicBool,
}

impl Ending {
    fn leaves(&self) -> bool {
        self.leaves.load(Ordering::SeqCst)
    }
}

impl Scheduler {
    /// Cancels what waits, and waits until no other task is left. For the fiber at work. False if tasks are left.
    ///
    /// # Safety
    /// The fiber is the one that runs here.
    pub unsafe fn drain(&self, fiber: *mut Fiber, how: Drain) -> bool {
        self.set_state(State::Draining);
        self.ending.begins.store(how == Drain::OrLeave, Ordering::SeqCst);
        // SAFETY: by the caller's promise.
        let own = unsafe { (*fiber).has_task() } as usize;
        while how == Drain::FinishReady
            && self.live_tasks() > own
            && (self.has_any_work() || self.has_inboxes() || self.idle.at_work() > 1)
        {
            // SAFETY: as above.
            unsafe { Thread::of(fiber).yield_now(fiber) };
        }
        self.cancels.store(true, Ordering::SeqCst);
        while self.live_tasks() > own && !self.ending.leaves() {
            // SAFETY: as above.
            unsafe {
                self.cancel_all(Thread::of(fiber), fiber);
                self.wait_for_others(fiber, own);
            }
        }
        self.cancels.store(false, Ordering::SeqCst);
        self.ending.begins.store(false, Ordering::SeqCst);
        self.live_tasks() <= own
    }

    /// The monitor saw that so many threads have run the same fiber for a while.
    pub(crate) fn look_at_end(&self, computing: usize) {
        if !self.ending.begins.load(Ordering::SeqCst) {
            return;
        }
        if computing < self.live_tasks() || self.live_tasks() == 0 {
            return self.ending.looks.store(0, Ordering::Relaxed);
        }
        let looks = self.ending.looks.fetch_add(1, Ordering::Relaxed);
        if looks < PATIENCE || self.ending.leaves() {
            return;
        }
        if self.any_ends() {
            return self.ending.looks.store(0, Ordering::Relaxed);
        }
        self.ending.leaves.store(true, Ordering::SeqCst);
        self.end_drain(|fiber| self.make_ready_from_outside(fiber));
    }

    /// Whether a task that was told to end is at its clean-up.
    fn any_ends(&self) -> bool {
        let mut any = false;
        self.each_fiber(|fiber| any |= fiber.has_task() && fiber.interrupts.ends());
        any
    }

    unsafe fn wait_for_others(&self, fiber: *mut Fiber, own: usize) {
        // SAFETY: by the caller's promise the fiber runs here.
        unsafe {
            while self.live_tasks() > own && !self.ending.leaves() {
                let before = self.live_tasks();
                (*fiber).cell.begin();
                self.drained.store(fiber, Ordering::SeqCst);
                if (self.live_tasks() != before || self.ending.leaves())
                    && !self.drained.swap(std::ptr::null_mut(), Ordering::AcqRel).is_null()
                {
                    continue;
                }
                (*fiber).set_reason(Reason::Others);
                Thread::of(fiber).park(fiber);
                if (*fiber).cell.outcome() == Outcome::Deadlock {
                    (self.hooks.abort)("panic: tasks that are to end are blocked in their clean-up");
                }
            }
        }
    }

    pub(crate) fn wake_drainer(&self, thread: &Thread) {
        if !self.drained.load(Ordering::SeqCst).is_null() {
            self.end_drain(|fiber| thread.resume(fiber));
        }
    }

    fn end_drain(&self, resume: impl FnOnce(*mut Fiber)) {
        let waiting = self.drained.swap(std::ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: who waits here stays until it is resumed.
        if let Some(fiber) = unsafe { waiting.as_ref() }
            && let Some(woken) = fiber.end_any_wait(Outcome::Done(0))
        {
            resume(Fiber::of_cell(woken.0));
        }
    }
}
