//! Heap objects. Every object starts with a [`Header`]; what follows depends on its kind:
//!
//! | kind | after the header |
//! |---|---|
//! | reference struct | fields |
//! | cell of a boxed enum | `tag: u32`, payload |
//! | closure | code pointer, captures |
//! | `dyn` box | vtable pointer, payload at [`DYN_PAYLOAD`] |
//! | string | see [`StrObject`] |

#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct Header {
    /// How many references there are; a new object has 1. Negative: shared between threads (counted
    /// atomically) or [`IMMORTAL`].
    pub count: i32,
    /// Index into the program's type table.
    pub type_index: u32,
}

/// In [`Header::type_index`]: the object's task has it in mind as one that may be left in a circle.
pub const LOGGED: u32 = 1 << 31;
/// In [`Header::type_index`]: the object was left in a circle, and is being ended.
pub const CONDEMNED: u32 = 1 << 30;
/// In [`Header::type_index`]: a search for circles has met the object.
pub const MET: u32 = 1 << 29;
/// In [`Header::type_index`]: since a search met the object, a reference to it was moved out of another one, or given
/// up by a generator.
pub const CHANGED: u32 = 1 << 28;
/// What is left of [`Header::type_index`] is an index. Only types that may be in circles have more.
pub const TYPE_INDEX: u32 = CHANGED - 1;

/// The count of objects that are never freed: literals and constants. Counting past `i32::MAX` ends here.
pub const IMMORTAL: i32 = i32::MIN;

pub const HEADER_SIZE: u32 = 8;
/// The type index, behind the count.
pub const HEADER_TYPE: u32 = 4;
/// Where a closure object keeps the address of its code.
pub const CLOSURE_CODE: u32 = 8;
/// Where a closure object's captures begin.
pub const CLOSURE_CAPTURES: u32 = 16;
/// Where a `dyn` box keeps the address of its table of methods.
pub const DYN_VTABLE: u32 = 8;
/// Where a `dyn` box keeps its value.
pub const DYN_PAYLOAD: u32 = 16;
/// Where a cell of a boxed enum keeps its variant's index, a `u32`.
pub const CELL_TAG: u32 = 8;
/// Where the payload of a boxed enum's cell begins, before alignment.
pub const CELL_PAYLOAD: u32 = 12;

/// No object lies below this address, so smaller values of a pointer mean something else (`None`, ...).
pub const FIRST_ADDRESS: u64 = 4096;

/// The type index of strings.
pub const TYPE_STR: u32 = 0;
/// The type index of the first entry of a program's own type table.
pub const FIRST_TYPE: u32 = 1;

/// An immutable UTF-8 text.
///
/// `bytes` points right behind this struct (bytes stored inline), into static memory, or into another
/// string, which then stands in the word behind this struct and is kept alive.
#[repr(C)]
#[derive(Debug)]
pub struct StrObject {
    pub header: Header,
    pub bytes: *const u8,
    pub byte_len: u32,
    /// Number of Unicode scalar values. Equal to `byte_len` exactly if the text is ASCII.
    pub char_count: u32,
}

pub const STR_BYTES: u32 = 8;
pub const STR_LEN: u32 = 16;
pub const STR_CHARS: u32 = 20;
pub const STR_SIZE: u32 = 24;
/// The most bytes of a string: sizes are half a word each, since most texts are not longer than what is in front of them.
pub const MOST_BYTES: usize = u32::MAX as usize;

// SAFETY: a string is never written to after it was made, but for its count, which is negative (atomic or
// never written) wherever two threads see it.
unsafe impl Sync for StrObject {}
// SAFETY: as above.
unsafe impl Send for StrObject {}

/// An entry of the run-time type table.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct TypeInfo {
    /// Bytes of the whole object.
    pub size: u32,
    pub align: u32,
    /// Runs when the last count of an object goes: `fn(fiber, object)` in Quartz's own convention.
    pub destroy: *const u8,
    /// Readable name, UTF-8.
    pub name: *const u8,
    /// Bytes of it, and above them [`MAY_CYCLE`] and [`END_WATCHED`].
    pub name_len: usize,
}

/// In [`TypeInfo::name_len`]: objects of the type may be in circles.
pub const MAY_CYCLE: usize = 1 << 62;
/// In [`TypeInfo::name_len`]: somebody wrote a `drop` for such objects.
pub const END_WATCHED: usize = 1 << 61;
/// What is left of [`TypeInfo::name_len`].
pub const NAME_LEN: usize = END_WATCHED - 1;

// SAFETY: the pointers lead to code and text that stay as they are while the program is loaded.
unsafe impl Sync for TypeInfo {}
// SAFETY: as above.
unsafe impl Send for TypeInfo {}

const _: () = assert!(size_of::<StrObject>() == STR_SIZE as usize);
const _: () = assert!(size_of::<Header>() == HEADER_SIZE as usize);
