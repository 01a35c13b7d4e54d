//! What a native program tells the runtime about itself: constant data in its object file, handed to
//! `qz_start`.

use crate::fiber::Fiber;
use crate::object::{STR_SIZE, TypeInfo};
use crate::registry::{RtDef, TABLE};

#[repr(C)]
pub struct Program {
    /// [`ABI`], as the compiler knows it.
    pub abi: u64,
    /// The whole program: gets a fiber, on whose stack it runs, and memory for the status; 1 if a panic left it.
    pub run: unsafe extern "C" fn(*mut Fiber, *mut i64) -> i32,
    pub types: *const TypeInfo,
    pub places: *const Place,
    pub place_count: u64,
    /// Names of functions and files, which [`Place`] points into.
    pub texts: *const u8,
    /// [`RETURNS_STATUS`], [`COUNTS_OBJECTS`].
    pub flags: u64,
    /// Code that panics find their way through by a table of call sites, and how long it is; null where functions
    /// carry panics by a flag.
    pub code: *const u8,
    pub code_len: u64,
    /// In ascending order of their return offsets.
    pub sites: *const CallSite,
    pub site_count: u64,
}

// SAFETY: the pointers lead to constant data and code.
unsafe impl Sync for Program {}
// SAFETY: as above.
unsafe impl Send for Program {}

/// What a program's code takes for granted of its runtime: its functions and their signatures, the sizes of what
/// both look into. Another compiler's runtime has another number, and refuses to start the program.
pub const ABI: u64 = {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let sizes = [
        size_of::<Fiber>(),
        size_of::<TypeInfo>(),
        size_of::<Program>(),
        size_of::<Place>(),
        size_of::<CallSite>(),
        STR_SIZE as usize,
    ];
    let mut i = 0;
    while i < sizes.len() {
        hash = mixed(hash, sizes[i] as u64);
        i += 1;
    }
    let mut f = 0;
    while f < TABLE.len() {
        hash = with_function(hash, &TABLE[f]);
        f += 1;
    }
    hash
};

/// A return address in generated code and what is known about its call.
#[repr(C)]
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct CallSite {
    /// Offset of the return address from the start of the region.
    pub return_offset: u32,
    /// Offset of the cleanup block, or [`NO_HANDLER`].
    pub handler: u32,
    /// Distance from the frame pointer down to the stack pointer.
    pub frame_offset: u32,
    /// Index into the region's source locations; its meaning is the resolver's.
    pub location: u32,
}

pub const NO_HANDLER: u32 = u32::MAX;

const fn with_function(mut hash: u64, def: &RtDef) -> u64 {
    let name = def.name.as_bytes();
    let mut i = 0;
    while i < name.len() {
        hash = mixed(hash, name[i] as u64);
        i += 1;
    }
    let mut param = 0;
    while param < def.sig.params.len() {
        hash = mixed(hash, 256 + def.sig.params[param] as u64);
        param += 1;
    }
    let ret = match def.sig.ret {
        Some(ret) => 512 + ret as u64,
        None => 768,
    };
    mixed(hash, ret)
}

/// FNV-1a, a word at a time.
const fn mixed(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(0x0100_0000_01b3)
}

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
