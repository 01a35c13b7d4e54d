//! Locks that suspend fibers, not threads.

use qz_rt_abi::bias::{LOCK_FREE, LOCK_TAKEN, LOCK_WORD};

use crate::alone::{SharedNumber, SharedWord};
use crate::block::{Terms, Wait};
use crate::fiber::{Fiber, Reason};
use crate::queue::{Queue, Woken, complete};
use crate::sync::{AtomicU32, Lock, Ordering};
use crate::thread::Thread;
use crate::wait::Outcome;

/// Permits that are taken and given back, in the order in which they are asked for.
#[derive(Debug)]
pub struct Semaphore {
    inner: Lock<Permits>,
}

const MOST_PERMITS: u64 = i64::MAX as u64;

#[derive(Debug)]
struct Permits {
    free: u64,
    waiters: Queue,
}

impl Semaphore {
    pub fn new(permits: u64) -> Semaphore {
        Semaphore { inner: Lock::new(Permits { free: permits, waiters: Queue::default() }) }
    }

    /// Takes permits if they are there and nobody asked before.
    pub fn try_acquire(&self, amount: u64) -> bool {
        self.inner.with(|inner| {
            let fits = inner.waiters.is_empty() && inner.free >= amount;
            if fits {
                inner.free -= amount;
            }
            fits
        })
    }

    /// Takes permits, once they are there.
    ///
    /// # Safety
    /// The fiber runs on this thread.
    pub unsafe fn acquire(&self, fiber: *mut Fiber, amount: u64, terms: Terms) -> Outcome {
        // SAFETY: passed on; the node leaves the queue before this returns.
        unsafe {
            let wait = Wait::begin(fiber);
            let mut node = wait.asking(amount);
            let node = &raw mut node;
            let taken = self.inner.with(|inner| {
                let fits = inner.waiters.is_empty() && inner.free >= amount;
                match fits {
                    true => inner.free -= amount,
                    false => inner.waiters.push(node),
                }
                fits
            });
            if taken {
                return Outcome::Done(0);
            }
            let outcome = wait.finish(Reason::Lock, terms);
            if !matches!(outcome, Outcome::Done(_)) {
                self.inner.with(|inner| inner.waiters.remove(node));
                // Others may have waited for this one only.
                self.release(fiber, 0);
            }
            outcome
        }
    }

    /// Gives permits back, or adds to them, as many as an `Int` can tell.
    ///
    /// # Safety
    /// The fiber runs on this thread.
    pub unsafe fn release(&self, fiber: *mut Fiber, amount: u64) {
        self.inner.with(|inner| inner.free = inner.free.saturating_add(amount).min(MOST_PERMITS));
        while let Some(woken) = self.inner.with(Permits::grant) {
            if let Some(woken) = woken {
                // SAFETY: by the caller's promise.
                unsafe { Thread::of(fiber).resume(Fiber::of_cell(woken.0)) };
            }
        }
    }

    pub fn free(&self) -> u64 {
        self.inner.with(|inner| inner.free)
    }
}

impl Permits {
    /// Gives the first who waits what it asked for, if there is enough.
    fn grant(&mut self) -> Option<Option<Woken>> {
        let free = self.free;
        let node = self.waiters.claim_if(|node| node.amount <= free)?;
        // SAFETY: claimed just now.
        unsafe {
            self.free -= (*node).amount;
            Some(complete(node, Outcome::Done(0)))
        }
    }
}

const FREE: u32 = LOCK_FREE;
const TAKEN: u32 = LOCK_TAKEN;
/// Somebody waits in the queue, or has left it as the holder.
const WAITED_FOR: u32 = 2;

/// A lock that one fiber holds. Whoever comes while it is free takes it; one that was passed over once gets it
/// handed over the next time.
#[derive(Debug)]
#[repr(C)]
pub struct Mutex {
    /// Compiled code changes it from `FREE` to `TAKEN` and back, too, in place.
    state: AtomicU32,
    waiters: Lock<Queue>,
}

const _: () = assert!(std::mem::offset_of!(Mutex, state) == LOCK_WORD);

/// What a waiter is told.
const TRY_AGAIN: u16 = 0;
const HANDED_OVER: u16 = 1;

/// Looks before a fiber is parked, where the holder may run on another thread.
const LOOKS: u32 = 7;

impl Default for Mutex {
    fn default() -> Mutex {
        Mutex { state: AtomicU32::new(FREE), waiters: Lock::new(Queue::default()) }
    }
}

impl Mutex {
    /// For the model of what compiled code does.
    #[cfg(loom)]
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.state
    }

    #[inline]
    pub fn try_lock(&self) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        state & TAKEN == 0
            && self.state.replace(state, state | TAKEN, (Ordering::Acquire, Ordering::Relaxed)).is_ok()
    }

    /// Takes the lock, once it is free.
    ///
    /// # Safety
    /// The fiber runs on this thread.
    #[inline]
    pub unsafe fn lock(&self, fiber: *mut Fiber, terms: Terms) -> Outcome {
        if self.try_lock() {
            return Outcome::Done(0);
        }
        // SAFETY: passed on.
        unsafe { self.lock_slowly(fiber, terms) }
    }

    #[cold]
    unsafe fn lock_slowly(&self, fiber: *mut Fiber, terms: Terms) -> Outcome {
        // SAFETY: by the caller's promise.
        let is_hindered =
            unsafe { (*fiber).scheduler().runs_alone() || Thread::of(fiber).patience.is_hindered() };
        if !is_hindered && self.spin() {
            return Outcome::Done(0);
        }
        let mut passed_over = 0;
        loop {
            // SAFETY: the fiber runs here; the node leaves the queue before it goes.
            unsafe {
                let wait = Wait::begin(fiber);
                let mut node = wait.asking(passed_over);
                let node = &raw mut node;
                let taken = self.waiters.with(|waiters| {
                    let before = self.state.with_bits(TAKEN | WAITED_FOR, Ordering::Acquire);
                    if before & TAKEN == 0 {
                        self.note_waiters(waiters);
                        return true;
                    }
                    waiters.push(node);
                    false
                });
                if taken {
                    return Outcome::Done(0);
                }
                match wait.finish(Reason::Lock, terms) {
                    Outcome::Done(HANDED_OVER) => return Outcome::Done(0),
                    Outcome::Done(_) => {}
                    other => {
                        self.waiters.with(|waiters| waiters.remove(node));
                        return other;
                    }
                }
            }
            if self.try_lock() {
                return Outcome::Done(0);
            }
            passed_over = 1;
        }
    }

    /// Looks again and again whether the lock is free, and takes it. Whoever looks takes the word's line of memory from
    /// the holder's processor, so looks are ever more rare. Behind others who wait there is nothing to look for.
    fn spin(&self) -> bool {
        for look in 0..LOOKS {
            for _ in 0..1 << look {
                std::hint::spin_loop();
            }
            if self.state.load(Ordering::Relaxed) & WAITED_FOR != 0 {
                return false;
            }
            if self.try_lock() {
                return true;
            }
        }
        false
    }

    /// Whether somebody waits is known under the queue's lock.
    fn note_waiters(&self, waiters: &Queue) {
        if waiters.is_empty() {
            self.state.without_bits(WAITED_FOR, Ordering::Relaxed);
        }
    }

    /// Gives the lock back.
    ///
    /// # Safety
    /// The fiber runs on this thread; the lock is the caller's.
    #[inline]
    pub unsafe fn unlock(&self, fiber: *mut Fiber) {
        if self.state.replace(TAKEN, FREE, (Ordering::Release, Ordering::Relaxed)).is_err() {
            // SAFETY: passed on.
            unsafe { self.unlock_slowly(fiber) };
        }
    }

    #[cold]
    unsafe fn unlock_slowly(&self, fiber: *mut Fiber) {
        let woken = self.waiters.with(|waiters| {
            let next = waiters.claim();
            // SAFETY: claimed just now.
            unsafe {
                if let Some(node) = next
                    && (*node).amount > 0
                {
                    // It may take a while until the new holder runs, so nobody should spin: the mark stays.
                    return complete(node, Outcome::Done(HANDED_OVER));
                }
                self.note_waiters(waiters);
                let Some(node) = next else {
                    self.state.without_bits(TAKEN, Ordering::Release);
                    return None;
                };
                self.state.without_bits(TAKEN, Ordering::Release);
                complete(node, Outcome::Done(TRY_AGAIN))
            }
        });
        if let Some(woken) = woken {
            // SAFETY: by the caller's promise.
            unsafe { Thread::of(fiber).resume(Fiber::of_cell(woken.0)) };
        }
    }
}

/// Fibers that wait to be told of something.
#[derive(Debug)]
pub struct Condition {
    waiters: Lock<Queue>,
}

impl Default for Condition {
    fn default() -> Condition {
        Condition { waiters: Lock::new(Queue::default()) }
    }
}

impl Condition {
    /// Gives the lock back, waits to be told, and takes the lock again, whatever the wait came to.
    ///
    /// # Safety
    /// The fiber runs on this thread; the lock is the caller's.
    pub unsafe fn wait(&self, fiber: *mut Fiber, mutex: &Mutex, terms: Terms) -> Outcome {
        // SAFETY: passed on; the node leaves the queue before this returns.
        unsafe {
            let wait = Wait::begin(fiber);
            let mut node = wait.asking(0);
            let node = &raw mut node;
            self.waiters.with(|waiters| waiters.push(node));
            mutex.unlock(fiber);
            let outcome = wait.finish(Reason::Lock, terms);
            self.waiters.with(|waiters| waiters.remove(node));
            mutex.lock(fiber, Terms { interruptible: false, ..Terms::FOREVER });
            outcome
        }
    }

    /// Tells the first who waits, or all; how many there were.
    ///
    /// # Safety
    /// The fiber runs on this thread.
    pub unsafe fn notify(&self, fiber: *mut Fiber, all: bool) -> u64 {
        let mut count = 0;
        loop {
            let told = self.waiters.with(|waiters| {
                let node = waiters.claim()?;
                // SAFETY: claimed just now.
                Some(unsafe { complete(node, Outcome::Done(0)) })
            });
            let Some(woken) = told else { return count };
            count += 1;
            if let Some(woken) = woken {
                // SAFETY: by the caller's promise.
                unsafe { Thread::of(fiber).resume(Fiber::of_cell(woken.0)) };
            }
            if !all {
                return count;
            }
        }
    }
}
