//! Kinds of memory that never overlap, told to LLVM as type-based alias information, so that it may keep what
//! it read from one kind over a store to another.
//!
//! Every byte is accessed as one kind for as long as it holds a value. Memory changes kind when an object is
//! made or freed; the accesses around that which are not calls of the runtime (the links of free lists) have no
//! kind, which keeps all others on their side of them.

use std::borrow::Cow;
use std::fmt::Write;

use crate::Sanitizer;
use crate::function::FnCx;
use crate::ir::{LlTy, Value};

/// What lies at an address.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// May be anything: locals in memory, what a `&` leads to, module variables, links of free lists.
    Any,
    /// Count and type index of a heap object.
    Header,
    /// Everything behind the header of a heap object.
    Object,
    /// Elements behind a `Ptr<T>`, such as those of a `Vec`.
    Element,
    /// The fiber, the worker, the type table.
    Runtime,
}

impl Region {
    /// The metadata that accesses carry; [`metadata`] defines it.
    fn tag(self) -> &'static str {
        match self {
            Region::Any => "",
            Region::Header => ", !tbaa !2",
            Region::Object => ", !tbaa !4",
            Region::Element => ", !tbaa !6",
            Region::Runtime => ", !tbaa !8",
        }
    }
}

/// So many words behind the header of an object have a kind each: blocks of objects begin where others did, so words
/// at different distances from the start never overlap, whatever the objects are.
const WORDS: u32 = 12;
/// The first number of their metadata.
const FIRST_WORD: u32 = 14;
/// The first number that is free for others.
pub(crate) const FIRST_FREE: u32 = FIRST_WORD + 2 * WORDS;

/// The number of the metadata for an access to a word of an object, if it has a kind of its own.
fn word_of(offset: u32, size: u32) -> Option<u32> {
    let word = (offset / 8).checked_sub(1)?;
    (word < WORDS && offset % 8 + size <= 8).then_some(FIRST_WORD + 2 * word)
}

/// For branches to what is rarely run.
pub(crate) const RARELY: &str = ", !prof !9";
/// For branches that are nearly always taken.
pub(crate) const MOSTLY: &str = ", !prof !10";
/// For a byte that holds a `Bool`.
pub(crate) const IS_BOOL: &str = ", !range !11";
/// For a pointer that is not null.
pub(crate) const NONNULL: &str = ", !nonnull !12";

/// The module's metadata, the same for every program.
pub(crate) fn metadata() -> String {
    let mut text = METADATA.to_owned();
    for word in 0..WORDS {
        let number = FIRST_WORD + 2 * word;
        let at = 8 * (word + 1);
        let _ = writeln!(text, "!{number} = !{{!\"object at {at}\", !3, i64 0}}");
        let _ = writeln!(text, "!{} = !{{!{number}, !{number}, i64 0}}", number + 1);
    }
    text
}

const METADATA: &str = "\
!0 = !{!\"quartz memory\"}
!1 = !{!\"header\", !0, i64 0}
!2 = !{!1, !1, i64 0}
!3 = !{!\"object\", !0, i64 0}
!4 = !{!3, !3, i64 0}
!5 = !{!\"element\", !0, i64 0}
!6 = !{!5, !5, i64 0}
!7 = !{!\"runtime\", !0, i64 0}
!8 = !{!7, !7, i64 0}
!9 = !{!\"branch_weights\", i32 1, i32 4000}
!10 = !{!\"branch_weights\", i32 4000, i32 1}
!11 = !{i8 0, i8 2}
!12 = !{}
";

/// An address and what lies there.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Addr {
    pub(crate) base: Value,
    pub(crate) offset: u32,
    pub(crate) region: Region,
}

impl Addr {
    /// Memory of any kind.
    pub(crate) fn new(base: Value) -> Addr {
        Addr { base, offset: 0, region: Region::Any }
    }

    /// A heap object, for its fields.
    pub(crate) fn object(base: Value) -> Addr {
        Addr { base, offset: 0, region: Region::Object }
    }

    /// A heap object, for its count and its type index.
    pub(crate) fn header(base: Value) -> Addr {
        Addr { base, offset: 0, region: Region::Header }
    }

    /// An element behind a `Ptr<T>`.
    pub(crate) fn element(base: Value) -> Addr {
        Addr { base, offset: 0, region: Region::Element }
    }

    /// The fiber, the worker, the type table.
    pub(crate) fn runtime(base: Value, offset: usize) -> Addr {
        Addr { base, offset: offset as u32, region: Region::Runtime }
    }

    pub(crate) fn plus(self, offset: u32) -> Addr {
        Addr { offset: self.offset + offset, ..self }
    }

    /// Whether it is the count of an object. Whoever looks whether others share the object does so while they may be
    /// changing the count, by atomic operations; no change of theirs changes the answer.
    fn is_count(self) -> bool {
        self.region == Region::Header && self.offset == 0
    }

    /// The metadata of an access to a value of this type.
    fn tag(self, ty: LlTy) -> Cow<'static, str> {
        match (self.region, word_of(self.offset, ty.bits().div_ceil(8))) {
            (Region::Object, Some(number)) => format!(", !tbaa !{}", number + 1).into(),
            (region, _) => region.tag().into(),
        }
    }
}

impl FnCx<'_, '_> {
    /// The address as one pointer.
    pub(crate) fn address(&mut self, at: Addr) -> Value {
        match at.offset {
            0 => at.base,
            offset => self
                .w
                .set(LlTy::Ptr, format_args!("getelementptr inbounds i8, ptr {}, i64 {offset}", at.base)),
        }
    }

    pub(crate) fn load(&mut self, ty: LlTy, at: Addr) -> Value {
        self.load_with(ty, at, "")
    }

    /// Reads with a fact about what is read.
    pub(crate) fn load_with(&mut self, ty: LlTy, at: Addr, fact: &str) -> Value {
        let pointer = self.address(at);
        if at.is_count() && self.program.options.sanitize == Some(Sanitizer::Thread) {
            return self.w.set(ty, format_args!("load atomic {ty}, ptr {pointer} monotonic, align 4"));
        }
        self.w.set(ty, format_args!("load {ty}, ptr {pointer}{}{fact}", at.tag(ty)))
    }

    pub(crate) fn store(&mut self, value: Value, at: Addr) {
        let pointer = self.address(at);
        self.w.line(format_args!("store {} {value}, ptr {pointer}{}", value.ty, at.tag(value.ty)));
    }

    /// The address of element `index` of elements of `size` bytes.
    pub(crate) fn element_at(&mut self, base: Value, index: Value, size: u32) -> Value {
        let inbounds = "getelementptr inbounds";
        match size {
            0 => base,
            1 => self.w.set(LlTy::Ptr, format_args!("{inbounds} i8, ptr {base}, i64 {index}")),
            _ => self.w.set(LlTy::Ptr, format_args!("{inbounds} [{size} x i8], ptr {base}, i64 {index}")),
        }
    }
}
