//! Two words by which one thread changes all others without a barrier for as long as it is alone: it says that it is
//! busy before it looks whether it still is alone, and who ends that forbids it before looking whether it is busy.
//!
//! A barrier between would cost as much as what is saved; so the one who ends it makes the other processors pass one.
//! Compiled code enters and leaves in place, too ([`qz_rt_abi::bias`]).

use crate::barrier;
use crate::sync::{AtomicBool, Ordering, yield_now};

// Reached from elsewhere by the models of `qz_models`.
#[allow(unreachable_pub)]
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Bias {
    is_alone: AtomicBool,
    is_busy: AtomicBool,
}

#[cfg(not(loom))]
const _: () = {
    assert!(std::mem::offset_of!(Bias, is_alone) == qz_rt_abi::bias::IS_ALONE);
    assert!(std::mem::offset_of!(Bias, is_busy) == qz_rt_abi::bias::IS_BUSY);
};

/// The thread at work is alone and stays so for as long as it has this. Whether it was so before this, too, is kept.
#[must_use]
pub(crate) struct Inside<'a>(&'a Bias, bool);

impl Bias {
    /// Nobody is alone.
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Bias {
        Bias { is_alone: AtomicBool::new(false), is_busy: AtomicBool::new(false) }
    }

    #[cfg(loom)]
    pub fn new() -> Bias {
        Bias { is_alone: AtomicBool::new(false), is_busy: AtomicBool::new(false) }
    }

    /// A hint that may be late.
    #[inline(always)]
    pub(crate) fn is_given(&self) -> bool {
        self.is_alone.load(Ordering::Relaxed)
    }

    /// One thread is alone from now on. Only by that thread, or before it does anything.
    pub(crate) fn give(&self) {
        self.is_alone.store(true, Ordering::Release);
    }

    /// Nobody is alone when this returns, and everybody sees what the one who was has done.
    pub(crate) fn end(&self) {
        if !self.is_alone.swap(false, Ordering::SeqCst) {
            return;
        }
        barrier::all_pass();
        while self.is_busy.load(Ordering::Acquire) {
            yield_now();
        }
    }

    /// Nobody is alone, nor does anybody take itself for alone who is in the midst of a change.
    pub(crate) fn forget(&self) {
        self.is_alone.store(false, Ordering::Release);
    }

    /// For the thread that may be alone. Within another one, what it is for begins and ends inside of that one.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Option<Inside<'_>> {
        let before = self.is_busy.load(Ordering::Relaxed);
        self.is_busy.store(true, Ordering::Relaxed);
        barrier::for_the_compiler();
        let inside = Inside(self, before);
        self.is_alone.load(Ordering::Acquire).then_some(inside)
    }
}

impl Drop for Inside<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.is_busy.store(self.1, Ordering::Release);
    }
}
