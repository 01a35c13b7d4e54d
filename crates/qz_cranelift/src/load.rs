//! From compiled functions to memory that can be run: placing code and data in one mapping, resolving
//! references between them, and telling the unwinder where calls stand.
//!
//! Code comes first, then one jump per runtime function in use, so that every call is a short one; data
//! follows on pages of its own. All references are relative to the place they stand at.

use std::io;

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{self, ExternalName, LibCall, UserExternalName};
use cranelift_codegen::{CompiledCode, FinalizedMachExceptionHandler, FinalizedRelocTarget};
use qz_base::{FxHashMap, FxHashSet};
use qz_rt::unwind::{CallSite, NO_HANDLER, Region, Resolver};
use qz_rt_abi::RtFn;

/// What code and data can refer to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// A function of this image, by its number.
    Function(u32),
    /// A blob of data of this image.
    Data(DataId),
    Runtime(RtFn),
    /// A function outside, by its address; numbered by [`Image::outside`].
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

    fn from_name(name: &UserExternalName) -> Symbol {
        match name.namespace {
            FUNCTION => Symbol::Function(name.index),
            DATA => Symbol::Data(DataId(name.index)),
            RUNTIME => Symbol::Runtime(RtFn(name.index as u16)),
            _ => Symbol::Outside(name.index),
        }
    }
}

#[derive(Copy, Clone)]
struct Fixup {
    /// Where in the text or in the blob.
    at: u32,
    kind: Reloc,
    target: Target,
    addend: i64,
}

#[derive(Copy, Clone)]
enum Target {
    Symbol(Symbol),
    /// An offset in the text.
    Text(u32),
}

struct Blob {
    offset: u32,
    /// Words that hold the address of a symbol.
    pointers: Vec<(u32, Symbol)>,
}

/// Code and data being collected.
#[derive(Default)]
pub struct Image {
    text: Vec<u8>,
    data: Vec<u8>,
    blobs: Vec<Blob>,
    fixups: Vec<Fixup>,
    sites: Vec<CallSite>,
    /// Offset of each function, by number.
    functions: Vec<Option<u32>>,
    outside: Vec<*const u8>,
    variadic: FxHashSet<Symbol>,
    jumps: FxHashMap<Symbol, u32>,
}

const CODE_ALIGN: usize = 16;

impl Image {
    /// Makes a function outside known.
    pub fn outside(&mut self, address: *const u8) -> Symbol {
        let index = self.outside.iter().position(|&known| known == address).unwrap_or_else(|| {
            self.outside.push(address);
            self.outside.len() - 1
        });
        Symbol::Outside(index as u32)
    }

    /// As [`Image::outside`], for a function that takes any number of arguments: on x86-64 it wants to know
    /// how many vector registers are in use.
    pub fn outside_variadic(&mut self, address: *const u8) -> Symbol {
        let symbol = self.outside(address);
        self.variadic.insert(symbol);
        symbol
    }

    /// Adds a blob of data; `pointers` are words in it that hold addresses.
    pub fn add_data(&mut self, bytes: &[u8], align: usize, pointers: Vec<(u32, Symbol)>) -> DataId {
        self.data.resize(self.data.len().next_multiple_of(align.max(1)), 0);
        let offset = self.data.len() as u32;
        self.data.extend_from_slice(bytes);
        self.blobs.push(Blob { offset, pointers });
        DataId(self.blobs.len() as u32 - 1)
    }

    /// Adds a compiled function; its instructions carry source locations.
    pub fn add_function(&mut self, number: u32, code: &CompiledCode, func: &ir::Function) {
        self.text.resize(self.text.len().next_multiple_of(CODE_ALIGN), 0xcc);
        let start = self.text.len() as u32;
        self.text.extend_from_slice(code.code_buffer());
        if self.functions.len() <= number as usize {
            self.functions.resize(number as usize + 1, None);
        }
        self.functions[number as usize] = Some(start);
        for reloc in code.buffer.relocs() {
            let target = match &reloc.target {
                FinalizedRelocTarget::ExternalName(name) => Target::Symbol(self.symbol(name, func)),
                FinalizedRelocTarget::Func(offset) => Target::Text(start + offset),
            };
            self.fixups.push(Fixup {
                at: start + reloc.offset,
                kind: reloc.kind,
                target,
                addend: reloc.addend,
            });
        }
        self.add_sites(start, code);
    }

    fn symbol(&mut self, name: &ExternalName, func: &ir::Function) -> Symbol {
        match name {
            ExternalName::User(reference) => Symbol::from_name(&func.params.user_named_funcs()[*reference]),
            ExternalName::LibCall(call) => self.outside(libcall_address(*call)),
            other => unreachable!("no such name is made here: {other:?}"),
        }
    }

    fn add_sites(&mut self, start: u32, code: &CompiledCode) {
        let locations = code.buffer.get_srclocs_sorted();
        for site in code.buffer.call_sites() {
            let handler = site.exception_handlers.iter().find_map(|handler| match handler {
                FinalizedMachExceptionHandler::Default(offset) => Some(start + offset),
                _ => None,
            });
            let call = site.ret_addr - 1;
            let at = locations.partition_point(|range| range.start <= call);
            let range = at.checked_sub(1).map(|i| &locations[i]).filter(|range| call < range.end);
            self.sites.push(CallSite {
                return_offset: start + site.ret_addr,
                handler: handler.unwrap_or(NO_HANDLER),
                frame_offset: site.frame_offset.unwrap_or(0),
                location: range.map_or(u32::MAX, |range| range.loc.bits()),
            });
        }
    }

    /// Adds a jump for a function outside, unless there is one.
    fn jump(&mut self, symbol: Symbol) -> u32 {
        if let Some(&offset) = self.jumps.get(&symbol) {
            return offset;
        }
        let address = match symbol {
            Symbol::Runtime(f) => qz_rt::address(f),
            Symbol::Outside(index) => self.outside[index as usize],
            Symbol::Function(_) | Symbol::Data(_) => unreachable!("only functions outside need a jump"),
        };
        self.text.resize(self.text.len().next_multiple_of(CODE_ALIGN), 0xcc);
        let offset = self.text.len() as u32;
        if cfg!(target_arch = "x86_64") {
            if self.variadic.contains(&symbol) {
                // mov al, 8, and six bytes of nothing
                self.text.extend_from_slice(&[0xb0, 8, 0x66, 0x0f, 0x1f, 0x44, 0, 0]);
            }
            // jmp [rip + 2], padded so that the address is aligned
            self.text.extend_from_slice(&[0xff, 0x25, 2, 0, 0, 0, 0x0f, 0x0b]);
        } else {
            // ldr x16, #8; br x16
            self.text.extend_from_slice(&[0x50, 0, 0, 0x58, 0, 2, 0x1f, 0xd6]);
        }
        self.text.extend_from_slice(&(address as usize as u64).to_le_bytes());
        self.jumps.insert(symbol, offset);
        offset
    }

    /// Where a target will stand, from the start of the mapping; data starts at `data_start`.
    fn offset_of(&mut self, target: Target, data_start: usize) -> usize {
        match target {
            Target::Text(offset) => offset as usize,
            Target::Symbol(Symbol::Function(number)) => self.functions[number as usize]
                .expect("every function that is referred to was added")
                as usize,
            Target::Symbol(Symbol::Data(DataId(index))) => {
                data_start + self.blobs[index as usize].offset as usize
            }
            Target::Symbol(outside) => self.jump(outside) as usize,
        }
    }

    /// Places everything in memory.
    pub fn load(mut self, resolver: Box<dyn Resolver>) -> io::Result<Loaded> {
        let code_end = self.text.len() as u32;
        let fixups = std::mem::take(&mut self.fixups);
        for fixup in &fixups {
            if let Target::Symbol(symbol @ (Symbol::Runtime(_) | Symbol::Outside(_))) = fixup.target {
                self.jump(symbol);
            }
        }
        let pointers: Vec<(u32, Symbol)> = self
            .blobs
            .iter()
            .flat_map(|blob| blob.pointers.iter().map(|&(at, symbol)| (blob.offset + at, symbol)))
            .collect();
        for &(_, symbol) in &pointers {
            if matches!(symbol, Symbol::Runtime(_) | Symbol::Outside(_)) {
                self.jump(symbol);
            }
        }
        let data_start = self.text.len().next_multiple_of(PAGE);
        let mut mapping = Mapping::new(data_start + self.data.len())?;
        let base = mapping.start();
        let bytes = mapping.bytes();
        bytes[..self.text.len()].copy_from_slice(&self.text);
        bytes[data_start..][..self.data.len()].copy_from_slice(&self.data);
        for fixup in fixups {
            let to = self.offset_of(fixup.target, data_start);
            apply(bytes, base, &fixup, to);
        }
        for (at, symbol) in pointers {
            let to = self.offset_of(Target::Symbol(symbol), data_start);
            let word = (base + to) as u64;
            bytes[data_start + at as usize..][..8].copy_from_slice(&word.to_le_bytes());
        }
        mapping.make_executable(data_start)?;
        self.sites.sort_by_key(|site| site.return_offset);
        qz_rt::unwind::register(Region { start: base, len: data_start, sites: self.sites, resolver });
        let blobs = self.blobs.iter().map(|blob| data_start + blob.offset as usize).collect();
        Ok(Loaded { mapping, functions: self.functions, code_end, blobs })
    }
}

fn apply(bytes: &mut [u8], base: usize, fixup: &Fixup, to: usize) {
    let at = fixup.at as usize;
    let distance = to as i64 + fixup.addend - at as i64;
    match fixup.kind {
        Reloc::X86PCRel4 | Reloc::X86CallPCRel4 | Reloc::X86CallPLTRel4 => {
            let distance = i32::try_from(distance).expect("the image is smaller than 2 GiB");
            bytes[at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        Reloc::Abs8 => {
            let word = (base as i64 + to as i64 + fixup.addend) as u64;
            bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
        Reloc::Arm64Call => {
            let word = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
            let word = word & 0xfc00_0000 | (distance >> 2) as u32 & 0x03ff_ffff;
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        Reloc::Aarch64AdrPrelPgHi21 => {
            let to = base as i64 + to as i64 + fixup.addend;
            let pages = (to >> 12) - ((base as i64 + at as i64) >> 12);
            let word = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
            let word = word | ((pages & 3) as u32) << 29 | ((pages >> 2 & 0x7ffff) as u32) << 5;
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        Reloc::Aarch64AddAbsLo12Nc => {
            let low = (base as i64 + to as i64 + fixup.addend) & 0xfff;
            let word = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
            bytes[at..at + 4].copy_from_slice(&(word | (low as u32) << 10).to_le_bytes());
        }
        other => unreachable!("a reference of kind {other:?} is not made for the machines supported"),
    }
}

fn libcall_address(call: LibCall) -> *const u8 {
    extern "C" fn ceil_f32(x: f32) -> f32 {
        x.ceil()
    }
    extern "C" fn ceil_f64(x: f64) -> f64 {
        x.ceil()
    }
    extern "C" fn floor_f32(x: f32) -> f32 {
        x.floor()
    }
    extern "C" fn floor_f64(x: f64) -> f64 {
        x.floor()
    }
    extern "C" fn trunc_f32(x: f32) -> f32 {
        x.trunc()
    }
    extern "C" fn trunc_f64(x: f64) -> f64 {
        x.trunc()
    }
    extern "C" fn nearest_f32(x: f32) -> f32 {
        x.round_ties_even()
    }
    extern "C" fn nearest_f64(x: f64) -> f64 {
        x.round_ties_even()
    }
    match call {
        LibCall::CeilF32 => ceil_f32 as *const u8,
        LibCall::CeilF64 => ceil_f64 as *const u8,
        LibCall::FloorF32 => floor_f32 as *const u8,
        LibCall::FloorF64 => floor_f64 as *const u8,
        LibCall::TruncF32 => trunc_f32 as *const u8,
        LibCall::TruncF64 => trunc_f64 as *const u8,
        LibCall::NearestF32 => nearest_f32 as *const u8,
        LibCall::NearestF64 => nearest_f64 as *const u8,
        LibCall::Memcpy => libc::memcpy as *const u8,
        LibCall::Memset => libc::memset as *const u8,
        LibCall::Memmove => libc::memmove as *const u8,
        LibCall::Memcmp => libc::memcmp as *const u8,
        other => unreachable!("{other:?} is not used by code made here"),
    }
}

const PAGE: usize = 4096;

/// Pages of our own.
struct Mapping {
    start: *mut u8,
    len: usize,
}

impl Mapping {
    fn new(len: usize) -> io::Result<Mapping> {
        let len = len.next_multiple_of(PAGE).max(PAGE);
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh anonymous mapping touches nothing that exists.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), len, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Mapping { start: start.cast(), len })
    }

    fn start(&self) -> usize {
        self.start as usize
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the pages are ours, mapped readable and writable, and borrowed with `self`.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }

    /// Makes the first `len` bytes (whole pages) code.
    fn make_executable(&mut self, len: usize) -> io::Result<()> {
        // SAFETY: pages of this mapping; nobody holds a reference into them.
        let result = unsafe { libc::mprotect(self.start.cast(), len, libc::PROT_READ | libc::PROT_EXEC) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// Code and data in memory, until dropped.
pub struct Loaded {
    mapping: Mapping,
    functions: Vec<Option<u32>>,
    /// Where the last function ends.
    code_end: u32,
    blobs: Vec<usize>,
}

impl Loaded {
    /// The address of a function that was added.
    pub fn function(&self, number: u32) -> *const u8 {
        let offset = self.functions[number as usize].expect("a function that was added");
        (self.mapping.start() + offset as usize) as *const u8
    }

    /// Start and size of each function that was added, by number.
    pub fn code(&self) -> Vec<(u32, usize, usize)> {
        let listed = self.functions.iter().enumerate();
        let mut starts: Vec<(u32, u32)> =
            listed.filter_map(|(n, at)| Some((at.as_ref().copied()?, n as u32))).collect();
        starts.sort_unstable();
        let ends = starts.iter().skip(1).map(|it| it.0).chain([self.code_end]);
        let one = |(&(at, number), end): (&(u32, u32), u32)| {
            (number, self.mapping.start() + at as usize, (end - at) as usize)
        };
        starts.iter().zip(ends).map(one).collect()
    }

    /// The address of a blob.
    pub fn data(&self, id: DataId) -> *mut u8 {
        (self.mapping.start() + self.blobs[id.0 as usize]) as *mut u8
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        qz_rt::unwind::unregister(self.mapping.start());
        // SAFETY: the mapping is ours; running code in it after this is excluded by the borrow of `self`.
        unsafe { libc::munmap(self.mapping.start.cast(), self.mapping.len) };
    }
}
