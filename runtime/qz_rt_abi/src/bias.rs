//! How compiled code takes a lock and gives it back without a call, while one thread runs all fibers; `qz_sched::bias`
//! says why it may. What it finds otherwise it leaves to the runtime.

/// The byte of what [`crate::Fiber::bias`] leads to that is 1 while one thread runs all fibers.
pub const IS_ALONE: usize = 0;
/// The byte of it that is 1 while that thread changes a word.
pub const IS_BUSY: usize = 1;

/// Where a lock has its word, a `u32`.
pub const LOCK_WORD: usize = 0;
/// Nobody has the lock or waits for it.
pub const LOCK_FREE: u32 = 0;
/// Somebody has it and nobody waits.
pub const LOCK_TAKEN: u32 = 1;
