//! Atomics and the lock of short sections. The model checker's stand in for the real ones in its builds.

#[cfg(not(loom))]
use crate::alone::SharedWord;
#[cfg(loom)]
pub(crate) use loom::cell::UnsafeCell;
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
#[cfg(loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};
#[cfg(loom)]
pub(crate) use loom::thread::yield_now;
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
#[cfg(not(loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};
#[cfg(not(loom))]
pub(crate) use std::thread::yield_now;

/// Stands between a `SeqCst` store and a `SeqCst` load of something else, which their order keeps apart already. The
/// model checker takes such accesses for weaker ones, but knows fences.
#[inline]
pub(crate) fn store_comes_first() {
    #[cfg(loom)]
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// As the model checker's: a cell that is reached through closures.
#[cfg(not(loom))]
#[derive(Debug, Default)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell(std::cell::UnsafeCell::new(value))
    }

    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// A lock for sections of a few instructions, which never suspend, allocate rarely and call nobody's code.
#[derive(Debug)]
pub(crate) struct Lock<T> {
    flag: Flag,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached by one at a time.
unsafe impl<T: Send> Sync for Lock<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Lock<T> {
        Lock { flag: Flag::new(), value: UnsafeCell::new(value) }
    }

    /// Runs `f` with the value, which nobody else reaches meanwhile.
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        self.take();
        // SAFETY: this thread took the lock.
        let result = self.value.with_mut(|value| f(unsafe { &mut *value }));
        self.give();
        result
    }

    #[inline]
    pub(crate) fn take(&self) {
        self.flag.take();
    }

    /// # Safety
    /// The caller took the lock, or is alone ([`alone::enter`]), and no reference that it made before is in use.
    pub(crate) unsafe fn with_taken<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: by the caller's promise.
        self.value.with_mut(|value| f(unsafe { &mut *value }))
    }

    #[inline]
    pub(crate) fn give(&self) {
        self.flag.give();
    }
}

/// Whether somebody is inside.
#[cfg(not(loom))]
#[derive(Debug)]
struct Flag(AtomicBool);

/// Turns before the holder is thought to be without a processor.
#[cfg(not(loom))]
const SPINS: u32 = 64;

#[cfg(not(loom))]
impl Flag {
    fn new() -> Flag {
        Flag(AtomicBool::new(false))
    }

    #[inline]
    fn take(&self) {
        if self.0.replace(false, true, (Ordering::Acquire, Ordering::Relaxed)).is_err() {
            self.take_slowly();
        }
    }

    #[inline]
    fn give(&self) {
        self.0.store(false, Ordering::Release);
    }

    #[cold]
    fn take_slowly(&self) {
        let mut turns = 0;
        loop {
            turns += 1;
            if turns < SPINS {
                std::hint::spin_loop()
            } else {
                std::thread::yield_now()
            }
            if !self.0.load(Ordering::Relaxed)
                && self.0.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                return;
            }
        }
    }
}

/// The same without turning: the model checker would try each number of turns.
#[cfg(loom)]
#[derive(Debug)]
struct Flag {
    mutex: loom::sync::Mutex<()>,
    taken: std::cell::UnsafeCell<Option<loom::sync::MutexGuard<'static, ()>>>,
}

#[cfg(loom)]
impl Flag {
    fn new() -> Flag {
        Flag { mutex: loom::sync::Mutex::new(()), taken: std::cell::UnsafeCell::new(None) }
    }

    fn take(&self) {
        let guard = self.mutex.lock().unwrap();
        // SAFETY: who has the mutex has the place for the guard, which is gone before the mutex is.
        unsafe {
            *self.taken.get() = Some(std::mem::transmute::<_, loom::sync::MutexGuard<'static, ()>>(guard))
        };
    }

    fn give(&self) {
        // SAFETY: as above.
        let guard = unsafe { (*self.taken.get()).take() };
        drop(guard);
    }
}
