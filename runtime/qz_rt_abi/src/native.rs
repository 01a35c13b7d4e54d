//! What a native program tells the runtime about itself: constant data in its object file, handed to
//! `qz_start`.

use crate::fiber::Fiber;
use crate::object::TypeInfo;

#[repr(C)]
pub struct Program {
    /// The whole program: gets a fiber, on whose stack it runs, and memory for the status; 1 if a panic left it.
    pub run: unsafe extern "C" fn(*mut Fiber, *mut i64) -> i32,
    pub types: *const TypeInfo,
    pub places: *const Place,
    pub place_count: u64,
    /// Names of functions and files, which [`Place`] points into.
    pub texts: *const u8,
    /// [`RETURNS_STATUS`], [`COUNTS_OBJECTS`].
    pub flags: u64,
}

// SAFETY: the pointers lead to constant data and code.
unsafe impl Sync for Program {}
// SAFETY: as above.
unsafe impl Send for Program {}

/// `main` returns the exit status.
pub const RETURNS_STATUS: u64 = 1;
/// The program was compiled to count objects and reports those that are left over.
pub const COUNTS_OBJECTS: u64 = 2;

/// A place in the source, known to generated code by its number.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct Place {
    /// Full path of the function: offset and length in the texts.
    pub function: u32,
    pub function_len: u32,
    pub file: u32,
    pub file_len: u32,
    /// Both count from 1.
    pub line: u32,
    pub column: u32,
    /// The call that inlining replaced, or [`NO_PARENT`].
    pub parent: u32,
    /// [`TRACK_CALLER`], [`HIDDEN`].
    pub flags: u32,
}

pub const NO_PARENT: u32 = u32::MAX;
/// A panic here is reported at the caller's place.
pub const TRACK_CALLER: u32 = 1;
/// Made by the compiler: it stands nowhere, and nobody wants to read of it.
pub const HIDDEN: u32 = 2;
