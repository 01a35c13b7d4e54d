//! A number behind a lock, which compiled code takes and gives back.

use loom::cell::UnsafeCell;
use loom::sync::atomic::Ordering;
use qz_rt_abi::bias::{LOCK_FREE, LOCK_TAKEN};

use crate::Fiber;
use crate::bias::Bias;
use crate::block::Terms;
use crate::locks::Mutex;
use crate::wait::Outcome;

pub struct Locked {
    bias: Bias,
    /// One at a time comes, so that nobody is here before the bias has ended.
    coming: loom::sync::Mutex<()>,
    mutex: Mutex,
    number: UnsafeCell<u64>,
}

// SAFETY: the number is reached with the lock only, which is what the checker sees to.
unsafe impl Sync for Locked {}
// SAFETY: as above.
unsafe impl Send for Locked {}

impl Locked {
    /// For one thread alone, until another one has [come](Locked::come), or for several.
    pub fn new(one_is_alone: bool) -> Locked {
        let (bias, coming) = (Bias::new(), loom::sync::Mutex::new(()));
        let locked = Locked { bias, coming, mutex: Mutex::default(), number: UnsafeCell::new(0) };
        if one_is_alone {
            locked.bias.give();
        }
        locked
    }

    /// A second thread, before it does anything else. As `alone::Presence`.
    pub fn come(&self) {
        let _one = self.coming.lock().unwrap();
        self.bias.end();
    }

    /// The caller is alone again: the others have left their fibers and sleep.
    pub fn stay(&self) {
        self.bias.give();
    }

    /// Waits until somebody waits for the lock, which the caller has.
    pub fn until_waited_for(&self) {
        while self.mutex.word().load(Ordering::Relaxed) == LOCK_TAKEN {
            loom::thread::yield_now();
        }
    }

    /// The steps that the code generators write down (`change_lock`).
    fn change_in_place(&self, from: u32, to: u32) -> bool {
        if !self.bias.is_given() {
            return false;
        }
        let Some(_inside) = self.bias.enter() else { return false };
        let word = self.mutex.word();
        let fits = word.load(Ordering::Relaxed) == from;
        if fits {
            word.store(to, Ordering::Relaxed);
        }
        fits
    }

    pub fn try_lock(&self) -> bool {
        self.change_in_place(LOCK_FREE, LOCK_TAKEN) || self.mutex.try_lock()
    }

    pub fn lock(&self, fiber: &'static Fiber) -> Outcome {
        if self.try_lock() {
            return Outcome::Done(0);
        }
        // SAFETY: the fiber is the caller's.
        unsafe { self.mutex.lock((&raw const *fiber).cast_mut(), Terms::FOREVER) }
    }

    pub fn unlock(&self, fiber: &'static Fiber) {
        if !self.change_in_place(LOCK_TAKEN, LOCK_FREE) {
            // SAFETY: the fiber is the caller's, and so is the lock.
            unsafe { self.mutex.unlock((&raw const *fiber).cast_mut()) }
        }
    }

    /// Adds one with the lock; what there is then.
    pub fn add(&self, fiber: &'static Fiber) -> u64 {
        assert_eq!(self.lock(fiber), Outcome::Done(0));
        let sum = self.add_with_lock();
        self.unlock(fiber);
        sum
    }

    pub fn add_with_lock(&self) -> u64 {
        self.number.with_mut(|number| {
            // SAFETY: the checker reports two who are here.
            unsafe {
                *number += 1;
                *number
            }
        })
    }
}
