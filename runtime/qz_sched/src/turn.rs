//! A fiber and the wait that ends when its turn comes, where one at a time waits.

use crate::fiber::Fiber;
use crate::thread::Thread;
use crate::wait::{Generation, Outcome};

#[derive(Copy, Clone, Debug)]
pub(crate) struct Turn(*mut Fiber, Generation);

// SAFETY: a turn is ended by claiming its wait, from any thread.
unsafe impl Send for Turn {}

impl Turn {
    pub(crate) fn new(fiber: *mut Fiber, generation: Generation) -> Turn {
        Turn(fiber, generation)
    }

    /// Ends the wait, unless somebody else does.
    ///
    /// # Safety
    /// The fiber waits, or its wait was ended and it takes this turn back before it goes; the thread is the caller's.
    pub(crate) unsafe fn begin(self, thread: &Thread, outcome: Outcome) {
        // SAFETY: by the caller's promise.
        unsafe {
            if (*self.0).cell.claim(self.1) && (*self.0).cell.complete(outcome) {
                thread.resume(self.0);
            }
        }
    }
}
