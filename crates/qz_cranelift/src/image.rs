//! Compiled functions and data being collected, with the references between them, before somebody places them:
//! in memory ([`load`](crate::load)) or in an object file ([`object`](crate::object)).
//!
//! All code is one text, in which a function stands at an offset. References say where they stand and what they
//! mean; data refers to code and to other data by whole words.

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{self, LibCall, UserExternalName, UserExternalNameRef};
use qz_base::FxHashMap;
use qz_rt_abi::RtFn;
use qz_rt_abi::native::{CallSite, NO_HANDLER};

use crate::made::{CALLS, KINDS, Made, To};

/// What code and data can refer to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// A function of this image, by its number.
    Function(u32),
    /// A blob of data of this image.
    Data(DataId),
    Runtime(RtFn),
    /// A function outside; numbered by [`Image::outside`].
    Outside(u32),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct DataId(pub u32);

const FUNCTION: u32 = 0;
const DATA: u32 = 1;
const RUNTIME: u32 = 2;
const OUTSIDE: u32 = 3;

impl Symbol {
    /// How the symbol is written inside a CLIF function.
    pub fn name(self) -> UserExternalName {
        let (namespace, index) = match self {
            Symbol::Function(index) => (FUNCTION, index),
            Symbol::Data(DataId(index)) => (DATA, index),
            Symbol::Runtime(f) => (RUNTIME, f.0 as u32),
            Symbol::Outside(index) => (OUTSIDE, index),
        };
        UserExternalName { namespace, index }
    }

    pub(crate) fn from_name(name: &UserExternalName) -> Symbol {
        match name.namespace {
            FUNCTION => Symbol::Function(name.index),
            DATA => Symbol::Data(DataId(name.index)),
            RUNTIME => Symbol::Runtime(RtFn(name.index as u16)),
            _ => Symbol::Outside(name.index),
        }
    }
}

/// A function that somebody else has: a C library, mostly.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outside {
    /// What linkers call it.
    pub name: String,
    /// It takes any number of arguments: on x86-64 it wants to know how many vector registers are in use.
    pub variadic: bool,
    /// Set for what the instruction set lacks.
    pub(crate) libcall: Option<LibCall>,
}

#[derive(Copy, Clone, Debug)]
pub(crate) struct Fixup {
    /// Where in the text.
    pub(crate) at: u32,
    pub(crate) kind: Reloc,
    pub(crate) target: Target,
    pub(crate) addend: i64,
}

#[derive(Copy, Clone, Debug)]
pub(crate) enum Target {
    Symbol(Symbol),
    /// An offset in the text.
    Text(u32),
}

pub(crate) struct Blob {
    pub(crate) offset: u32,
    /// Words that hold the address of a symbol.
    pub(crate) pointers: Vec<(u32, Symbol)>,
}

/// Where a function stands in the text.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    pub start: u32,
    pub end: u32,
}

/// Code and data being collected.
#[derive(Default)]
pub struct Image {
    pub(crate) text: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) blobs: Vec<Blob>,
    pub(crate) fixups: Vec<Fixup>,
    pub(crate) sites: Vec<CallSite>,
    /// By number.
    pub(crate) functions: Vec<Option<Extent>>,
    pub(crate) outside: Vec<Outside>,
    pub(crate) known_outside: FxHashMap<Outside, u32>,
}

pub(crate) const CODE_ALIGN: usize = 16;

/// Appends code at the next good place; where that is.
pub(crate) fn append_code(text: &mut Vec<u8>, code: &[u8]) -> u32 {
    text.resize(text.len().next_multiple_of(CODE_ALIGN), 0xcc);
    let start = text.len() as u32;
    text.extend_from_slice(code);
    start
}

impl Image {
    /// Makes a function outside known.
    pub fn outside(&mut self, name: &str, variadic: bool) -> Symbol {
        self.add_outside(Outside { name: name.to_owned(), variadic, libcall: None })
    }

    fn add_outside(&mut self, outside: Outside) -> Symbol {
        let next = self.outside.len() as u32;
        let index = *self.known_outside.entry(outside.clone()).or_insert(next);
        if index == next {
            self.outside.push(outside);
        }
        Symbol::Outside(index)
    }

    /// Adds a blob of data; `pointers` are words in it that hold addresses.
    pub fn add_data(&mut self, bytes: &[u8], align: usize, pointers: Vec<(u32, Symbol)>) -> DataId {
        self.data.resize(self.data.len().next_multiple_of(align.max(1)), 0);
        let offset = self.data.len() as u32;
        self.data.extend_from_slice(bytes);
        self.blobs.push(Blob { offset, pointers });
        DataId(self.blobs.len() as u32 - 1)
    }

    /// Adds a function's code. Names are those of `func`, of which it was made. Gives where it stands.
    pub fn add_function(&mut self, number: u32, made: &Made, func: &ir::Function) -> Extent {
        let start = append_code(&mut self.text, &made.code);
        let extent = Extent { start, end: self.text.len() as u32 };
        if self.functions.len() <= number as usize {
            self.functions.resize(number as usize + 1, None);
        }
        self.functions[number as usize] = Some(extent);
        for it in &made.references {
            let target = match it.to {
                To::Name(name) => Target::Symbol(symbol(name, func)),
                To::Call(call) => Target::Symbol(self.call(CALLS[call as usize])),
                To::Code(offset) => Target::Text(start + offset),
            };
            let kind = KINDS[it.kind as usize];
            self.fixups.push(Fixup { at: start + it.at, kind, target, addend: it.addend });
        }
        let first = func.params.base_srcloc().bits();
        self.sites.extend(made.sites.iter().map(|site| CallSite {
            return_offset: start + site.return_offset,
            handler: if site.handler == NO_HANDLER { NO_HANDLER } else { start + site.handler },
            frame_offset: site.frame_offset,
            location: site.place.map_or(u32::MAX, |place| first.wrapping_add(place)),
        }));
        extent
    }

    /// A function for what the instruction set lacks.
    fn call(&mut self, call: LibCall) -> Symbol {
        let name = libcall_name(call).to_owned();
        self.add_outside(Outside { name, variadic: false, libcall: Some(call) })
    }

    /// Where each function stands, by number.
    pub(crate) fn extent(&self, number: u32) -> Extent {
        self.functions[number as usize].expect("every function that is referred to was added")
    }

    /// The function that the text starts with.
    pub(crate) fn first_function(&self) -> u32 {
        let first = self.functions.iter().position(|it| it.is_some_and(|extent| extent.start == 0));
        first.expect("the text starts with a function") as u32
    }

    pub(crate) fn text_len(&self) -> u64 {
        self.text.len() as u64
    }

    /// Every word of the data that holds an address: its offset, and whose.
    pub(crate) fn pointers(&self) -> impl Iterator<Item = (u32, Symbol)> + '_ {
        let of = |blob: &'_ Blob| {
            let from = blob.offset;
            blob.pointers.iter().map(move |&(at, symbol)| (from + at, symbol)).collect::<Vec<_>>()
        };
        self.blobs.iter().flat_map(of)
    }
}

/// What a name in a function's list stands for.
fn symbol(name: u32, func: &ir::Function) -> Symbol {
    Symbol::from_name(&func.params.user_named_funcs()[UserExternalNameRef::from_u32(name)])
}

/// What the C library calls it.
fn libcall_name(call: LibCall) -> &'static str {
    match call {
        LibCall::CeilF32 => "ceilf",
        LibCall::CeilF64 => "ceil",
        LibCall::FloorF32 => "floorf",
        LibCall::FloorF64 => "floor",
        LibCall::TruncF32 => "truncf",
        LibCall::TruncF64 => "trunc",
        LibCall::NearestF32 => "rintf",
        LibCall::NearestF64 => "rint",
        LibCall::FmaF32 => "fmaf",
        LibCall::FmaF64 => "fma",
        LibCall::Memcpy => "memcpy",
        LibCall::Memset => "memset",
        LibCall::Memmove => "memmove",
        LibCall::Memcmp => "memcmp",
        other => unreachable!("{other:?} is not used by code made here"),
    }
}
