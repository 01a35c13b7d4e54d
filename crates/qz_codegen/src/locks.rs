//! Which functions of locks are made in place while one thread runs all fibers; see [`qz_rt_abi::bias`].

use qz_rt_abi::RtFn;
use qz_rt_abi::bias::{LOCK_FREE, LOCK_TAKEN};
use qz_rt_abi::registry::rt;

/// A change of a lock's word. If the word is not `from`, or there may be other threads, the function itself is called.
#[derive(Copy, Clone, Debug)]
pub struct LockChange {
    pub from: u32,
    pub to: u32,
}

impl LockChange {
    /// What a function does to the lock that is its argument. If it gives something back, that is 1 for a change.
    pub fn of(f: RtFn) -> Option<LockChange> {
        match f {
            rt::mutex_try_lock => Some(LockChange { from: LOCK_FREE, to: LOCK_TAKEN }),
            rt::mutex_unlock => Some(LockChange { from: LOCK_TAKEN, to: LOCK_FREE }),
            _ => None,
        }
    }
}
