//! What the thread sanitizer has to be told, in builds that it watches (`cargo xtask sanitize thread`).

use std::ffi::{c_char, c_int, c_uint, c_void};

unsafe extern "C" {
    fn __tsan_get_current_fiber() -> *mut c_void;
    fn __tsan_create_fiber(flags: c_uint) -> *mut c_void;
    fn __tsan_destroy_fiber(fiber: *mut c_void);
    fn __tsan_switch_to_fiber(fiber: *mut c_void, flags: c_uint);
    fn __real___tsan_atomic64_fetch_sub(at: *mut u64, value: u64, order: c_int) -> u64;
}

/// A stack: one that was made, or a thread's own. Whatever runs on one is in order for the sanitizer.
///
/// So is what comes before a switch on one and after it on the other: both are the same thread's, which hands words that
/// are not atomic from one to the other.
#[derive(Copy, Clone, Debug)]
#[repr(transparent)]
pub(crate) struct Watched(*mut c_void);

impl Watched {
    pub(crate) const NONE: Watched = Watched(std::ptr::null_mut());

    pub(crate) fn new() -> Watched {
        // SAFETY: a request for memory.
        Watched(unsafe { __tsan_create_fiber(0) })
    }

    #[inline(always)]
    pub(crate) fn current() -> Watched {
        // SAFETY: a question.
        Watched(unsafe { __tsan_get_current_fiber() })
    }

    /// # Safety
    /// The thread is about to switch to this stack, with nothing in between that is watched.
    #[inline(always)]
    pub(crate) unsafe fn goes_on(self) {
        // SAFETY: by the caller's promise.
        unsafe { __tsan_switch_to_fiber(self.0, 0) }
    }

    /// # Safety
    /// Another one goes on, and nobody comes back to this.
    #[inline(always)]
    pub(crate) unsafe fn ends(self) {
        // SAFETY: by the caller's promise.
        unsafe { __tsan_destroy_fiber(self.0) }
    }
}

/// How the sanitizer calls orders.
const RELEASE: c_int = 3;
const ACQUIRE_RELEASE: c_int = 4;

/// The linker puts this in the place of the sanitizer's own (`--wrap`).
///
/// `std::sync::Arc` counts down with a release, and who took the last count passes a fence, which the sanitizer does not
/// know: it would take the end of every `Arc` for a race. (The library has other code for sanitizers, which one that is
/// there already lacks.) So whoever counts down by a release acquires as well here.
///
/// # Safety
/// As for a subtraction from an atomic word.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap___tsan_atomic64_fetch_sub(at: *mut u64, value: u64, order: c_int) -> u64 {
    let order = if order == RELEASE { ACQUIRE_RELEASE } else { order };
    // SAFETY: passed on.
    unsafe { __real___tsan_atomic64_fetch_sub(at, value, order) }
}

/// What the sanitizer is not to tell, a line each. It asks for this when it begins.
///
/// The queues of `crossbeam-deque` read and write their slots by volatile accesses where others may write: whoever read a
/// slot finds out afterwards whether it was still the one that it looked for, and forgets it otherwise. What is in a slot
/// comes to another thread through the queue's atomic ends, which the sanitizer knows. Nothing else accesses a
/// `Runnable` so.
#[unsafe(no_mangle)]
extern "C" fn __tsan_default_suppressions() -> *const c_char {
    const SLOTS: &std::ffi::CStr =
        c"race_top:_volatile<core::mem::maybe_uninit::MaybeUninit<qz_sched::runnable::Runnable>>";
    SLOTS.as_ptr()
}
