//! The fiber: one thread of execution. Its address is the first argument of every Quartz function and of
//! every runtime function, so whatever generated code needs in a hurry stands here, at fixed offsets.
//!
//! State of the worker (the system thread that runs the fiber at the moment) is behind [`Fiber::worker`]
//! and must be read again after any call that may suspend.

use crate::classes::CLASS_COUNT;
use crate::object::TypeInfo;

#[repr(C)]
pub struct Fiber {
    /// A function that is not a leaf panics with "stack overflow" when the stack pointer is below.
    pub stack_limit: usize,
    pub worker: *mut Worker,
    /// The program's type table, indexed by [`crate::Header::type_index`].
    pub types: *const TypeInfo,
    /// How many destroy functions are on the stack; see [`MAX_DROP_DEPTH`].
    pub drop_depth: u32,
    /// How many objects wait to be destroyed; see [`MAX_DROP_DEPTH`].
    pub deferred_count: u32,
    /// Set by a runtime function that wants its caller to unwind; its stub looks at it on the way out.
    pub raise: u32,
    /// How many panics are on their way and not yet taken.
    pub panicking: u32,
    /// One more than the number of the program's place that it came to last which may wait, or 0: noted by code that has
    /// no table of its calls.
    pub waits_at: u32,
    /// What the unwinder found, read by the stub that goes there.
    pub resume: Resume,
    /// Everything else the runtime knows about the fiber.
    pub state: *mut (),
    /// This process's secret for hashing; see [`HASH_WORD_KEYS`].
    pub hash_keys: [u64; 3],
    /// Whether words that threads share may be changed by a load and a store now; see [`crate::bias`].
    pub bias: *const (),
}

/// The hash of a word is `fold(word ^ hash_keys[0], hash_keys[1])`, where `fold` multiplies to twice the width
/// and puts both halves together by exclusive or. Engines make it in place.
pub const HASH_WORD_KEYS: [usize; 2] =
    [std::mem::offset_of!(Fiber, hash_keys), std::mem::offset_of!(Fiber, hash_keys) + 8];

/// Where execution goes on after a panic: a cleanup block and the frame it belongs to.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default)]
pub struct Resume {
    pub pc: usize,
    pub sp: usize,
    pub fp: usize,
}

/// What belongs to the system thread.
#[repr(C)]
pub struct Worker {
    /// Heads of the lists of free blocks, one per size class; a free block's first word is the next one.
    pub free: [*mut u8; CLASS_COUNT],
    /// The fiber that runs, or null.
    pub current: *mut Fiber,
    /// The scheduler's thread.
    pub thread: *mut (),
    /// Objects allocated minus objects freed, kept only where the program was compiled to count.
    pub live_objects: i64,
    /// Everything else the runtime knows about the worker.
    pub state: *mut (),
}

/// A destroy function that finds [`Fiber::drop_depth`] at this value does not run: it hands its object to
/// the runtime (`defer_destroy`) and returns. The outermost one (depth 0) then destroys what was handed
/// over (`next_deferred`) until nothing is left. So a list of a million nodes needs a bounded stack.
pub const MAX_DROP_DEPTH: u32 = 256;

/// Bytes of stack that stay below [`Fiber::stack_limit`] for clean-up and for runtime functions.
pub const STACK_RESERVE: usize = 64 * 1024;
