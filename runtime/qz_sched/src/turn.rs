//! A fiber and the wait that ends when its turn comes.

use crate::fiber::Fiber;
use crate::sched::Order;
use crate::thread::Thread;
use crate::wait::{Generation, Outcome};

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn(*mut Fiber, Generation);

// SAFETY: a turn is ended by claiming its wait, from any thread.
unsafe impl Send for Turn {}

impl Turn {
    pub(crate) fn new(fiber: *mut Fiber, generation: Generation) -> Turn {
        Turn(fiber, generation)
    }

    /// Whether the caller is the one who ends the wait, by [`Turn::end`], soon.
    ///
    /// # Safety
    /// As for [`Turn::begin`].
    pub(crate) unsafe fn claim(self) -> bool {
        // SAFETY: by the caller's promise.
        unsafe { (*self.0).cell.claim(self.1) }
    }

    /// Ends a wait that the caller claimed.
    ///
    /// # Safety
    /// It did.
    pub(crate) unsafe fn end(self, thread: &Thread, outcome: Outcome, order: Order) {
        // SAFETY: the fiber does not go on before this.
        unsafe {
            if (*self.0).cell.complete(outcome) {
                thread.resume_in(self.0, order);
            }
        }
    }

    /// Ends the wait, unless somebody else does.
    ///
    /// # Safety
    /// The fiber waits, or its wait was ended and it takes this turn back before it goes; the thread is the caller's.
    pub(crate) unsafe fn begin(self, thread: &Thread, outcome: Outcome) {
        // SAFETY: by the caller's promise.
        unsafe {
            if self.claim() {
                self.end(thread, outcome, Order::Next);
            }
        }
    }
}
