//! From collected code and data to memory that can be run: placing both in one mapping, resolving references
//! between them, and telling the unwinder where calls stand.
//!
//! Code comes first, then one jump per function outside in use, so that every call is a short one; data
//! follows on pages of its own. All references are relative to the place they stand at.

use std::io;

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::LibCall;
use qz_rt::unwind::{CallSite, Region, Resolver};
use qz_rt_abi::RtFn;

use crate::CompileError;
use crate::image::{CODE_ALIGN, DataId, Extent, Fixup, Image, Outside, Symbol, Target};

/// Where functions outside are found.
pub type Find<'a> = &'a dyn Fn(&str) -> Option<*const u8>;

/// Code and data that are about to be placed, in pieces with the offsets at which they stand.
pub(crate) struct Pieces<'a> {
    pub(crate) text: Vec<(usize, &'a [u8])>,
    pub(crate) data: Vec<(usize, &'a [u8])>,
    /// Where in the data each blob starts.
    pub(crate) blobs: Vec<u32>,
    /// Where each function stands, by number.
    pub(crate) functions: Vec<Option<u32>>,
    pub(crate) sites: Vec<CallSite>,
    pub(crate) outside: Vec<&'a Outside>,
}

impl Image {
    /// Places everything in memory. Fails if a function outside cannot be found, or there is no memory.
    pub fn load(&self, find: Find<'_>, resolver: Box<dyn Resolver>) -> Result<Loaded, CompileError> {
        let start = |it: &Option<Extent>| it.map(|extent| extent.start);
        let pieces = Pieces {
            text: vec![(0, &self.text)],
            data: vec![(0, &self.data)],
            blobs: self.blobs.iter().map(|it| it.offset).collect(),
            functions: self.functions.iter().map(start).collect(),
            sites: self.sites.clone(),
            outside: self.outside.iter().collect(),
        };
        pieces.load(self.fixups.iter().copied(), self.pointers(), find, resolver)
    }
}

/// Where one piece after the others would start.
fn end(pieces: &[(usize, &[u8])]) -> usize {
    pieces.iter().map(|(start, bytes)| start + bytes.len()).max().unwrap_or_default()
}

impl Pieces<'_> {
    /// Places everything in memory; `pointers` are words of the data that hold addresses.
    pub(crate) fn load(
        mut self,
        fixups: impl Iterator<Item = Fixup>,
        pointers: impl Iterator<Item = (u32, Symbol)>,
        find: Find<'_>,
        resolver: Box<dyn Resolver>,
    ) -> Result<Loaded, CompileError> {
        let outside = self.find_outside(find)?;
        let code_end = end(&self.text);
        let jumps = code_end.next_multiple_of(JUMP);
        let data_start = (jumps + JUMP * (RtFn::COUNT + outside.len())).next_multiple_of(PAGE);
        let mut mapping = Mapping::new(data_start + end(&self.data)).map_err(CompileError::Memory)?;
        let base = mapping.start();
        let bytes = mapping.bytes();
        self.text.iter().for_each(|&(at, piece)| bytes[at..][..piece.len()].copy_from_slice(piece));
        self.data
            .iter()
            .for_each(|&(at, piece)| bytes[data_start + at..][..piece.len()].copy_from_slice(piece));
        let runtime = RtFn::all().map(|it| (qz_rt::address(it), false));
        let targets = runtime.chain(outside.into_iter().zip(&self.outside).map(|(at, it)| (at, it.variadic)));
        targets.zip(bytes[jumps..].chunks_exact_mut(JUMP)).for_each(|(to, slot)| write_jump(slot, to));
        let places = Places { pieces: &self, jumps, data_start };
        for fixup in fixups {
            apply(bytes, base, &fixup, places.of(fixup.target));
        }
        for (at, symbol) in pointers {
            let word = (base + places.of(Target::Symbol(symbol))) as u64;
            bytes[data_start + at as usize..][..8].copy_from_slice(&word.to_le_bytes());
        }
        mapping.make_executable(data_start).map_err(CompileError::Memory)?;
        self.sites.sort_by_key(|site| site.return_offset);
        let region = Region { start: base, len: data_start, sites: self.sites.into(), resolver };
        qz_rt::unwind::register(region);
        let (functions, blobs) = (self.functions, self.blobs);
        Ok(Loaded { mapping, functions, code_end: code_end as u32, blobs, data_start })
    }

    /// The addresses of functions outside, by number.
    fn find_outside(&self, find: Find<'_>) -> Result<Vec<*const u8>, CompileError> {
        let address = |it: &&Outside| match it.libcall {
            Some(call) => Ok(libcall_address(call)),
            None => find(&it.name).ok_or_else(|| CompileError::MissingSymbol(it.name.clone())),
        };
        self.outside.iter().map(address).collect()
    }
}

/// A jump for each function of the runtime, then one for each other function outside, stand behind the code.
const JUMP: usize = 2 * CODE_ALIGN;

fn write_jump(slot: &mut [u8], (to, variadic): (*const u8, bool)) {
    let code: &[u8] = match (cfg!(target_arch = "x86_64"), variadic) {
        // mov al, 8, and six bytes of nothing; jmp [rip + 2], padded so that the address is aligned
        (true, true) => &[0xb0, 8, 0x66, 0x0f, 0x1f, 0x44, 0, 0, 0xff, 0x25, 2, 0, 0, 0, 0x0f, 0x0b],
        (true, false) => &[0xff, 0x25, 2, 0, 0, 0, 0x0f, 0x0b],
        // ldr x16, #8; br x16
        (false, _) => &[0x50, 0, 0, 0x58, 0, 2, 0x1f, 0xd6],
    };
    slot[..code.len()].copy_from_slice(code);
    slot[code.len()..][..8].copy_from_slice(&(to as usize as u64).to_le_bytes());
}

/// Where things are going to stand, from the start of the mapping.
struct Places<'a> {
    pieces: &'a Pieces<'a>,
    jumps: usize,
    data_start: usize,
}

impl Places<'_> {
    fn of(&self, target: Target) -> usize {
        match target {
            Target::Text(offset) => offset as usize,
            Target::Symbol(Symbol::Function(number)) => {
                let start = self.pieces.functions[number as usize];
                start.expect("every function that is referred to was added") as usize
            }
            Target::Symbol(Symbol::Data(DataId(index))) => {
                self.data_start + self.pieces.blobs[index as usize] as usize
            }
            Target::Symbol(Symbol::Runtime(f)) => self.jumps + JUMP * f.0 as usize,
            Target::Symbol(Symbol::Outside(index)) => self.jumps + JUMP * (RtFn::COUNT + index as usize),
        }
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
    extern "C" fn fma_f32(x: f32, y: f32, z: f32) -> f32 {
        x.mul_add(y, z)
    }
    extern "C" fn fma_f64(x: f64, y: f64, z: f64) -> f64 {
        x.mul_add(y, z)
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
        LibCall::FmaF32 => fma_f32 as *const u8,
        LibCall::FmaF64 => fma_f64 as *const u8,
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
    /// Where each blob starts, in the data.
    blobs: Vec<u32>,
    data_start: usize,
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
        (self.mapping.start() + self.data_start + self.blobs[id.0 as usize] as usize) as *mut u8
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        qz_rt::unwind::unregister(self.mapping.start());
        // SAFETY: the mapping is ours; running code in it after this is excluded by the borrow of `self`.
        unsafe { libc::munmap(self.mapping.start.cast(), self.mapping.len) };
    }
}
