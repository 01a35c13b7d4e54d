//! From collected code and data to memory that can be run: placing both in one mapping, resolving references
//! between them, and telling the unwinder where calls stand.
//!
//! Code comes first, then one jump per function outside in use, so that every call is a short one; data
//! follows on pages of its own. All references are relative to the place they stand at.

use std::io;

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::LibCall;
use qz_base::FxHashMap;
use qz_rt::unwind::{Region, Resolver};

use crate::image::{DataId, Fixup, Image, Outside, Symbol, Target, append_code};

/// The addresses of functions outside, by their numbers.
pub struct Found(Vec<*const u8>);

impl Image {
    /// Looks up every function outside; those that nobody has are the error.
    pub fn find_outside(&self, find: &dyn Fn(&str) -> Option<*const u8>) -> Result<Found, Vec<String>> {
        let address = |outside: &Outside| match outside.libcall {
            Some(call) => Some(libcall_address(call)),
            None => find(&outside.name),
        };
        let addresses: Vec<Option<*const u8>> = self.outside.iter().map(address).collect();
        let missing = self.outside.iter().zip(&addresses).filter(|(_, found)| found.is_none());
        let missing: Vec<String> = missing.map(|(outside, _)| outside.name.clone()).collect();
        if missing.is_empty() { Ok(Found(addresses.into_iter().flatten().collect())) } else { Err(missing) }
    }

    /// Places everything in memory.
    pub fn load(self, found: &Found, resolver: Box<dyn Resolver>) -> io::Result<Loaded> {
        Placing { image: self, found, jumps: FxHashMap::default() }.load(resolver)
    }
}

/// An image on its way into memory.
struct Placing<'a> {
    image: Image,
    found: &'a Found,
    jumps: FxHashMap<Symbol, u32>,
}

impl Placing<'_> {
    /// Adds a jump for a function outside, unless there is one.
    fn jump(&mut self, symbol: Symbol) -> u32 {
        if let Some(&offset) = self.jumps.get(&symbol) {
            return offset;
        }
        let (address, variadic) = match symbol {
            Symbol::Runtime(f) => (qz_rt::address(f), false),
            Symbol::Outside(index) => {
                (self.found.0[index as usize], self.image.outside[index as usize].variadic)
            }
            Symbol::Function(_) | Symbol::Data(_) => unreachable!("only functions outside need a jump"),
        };
        let mut code = Vec::new();
        if cfg!(target_arch = "x86_64") {
            if variadic {
                // mov al, 8, and six bytes of nothing
                code.extend_from_slice(&[0xb0, 8, 0x66, 0x0f, 0x1f, 0x44, 0, 0]);
            }
            // jmp [rip + 2], padded so that the address is aligned
            code.extend_from_slice(&[0xff, 0x25, 2, 0, 0, 0, 0x0f, 0x0b]);
        } else {
            // ldr x16, #8; br x16
            code.extend_from_slice(&[0x50, 0, 0, 0x58, 0, 2, 0x1f, 0xd6]);
        }
        code.extend_from_slice(&(address as usize as u64).to_le_bytes());
        let offset = append_code(&mut self.image.text, &code);
        self.jumps.insert(symbol, offset);
        offset
    }

    /// Where a target will stand, from the start of the mapping; data starts at `data_start`.
    fn offset_of(&mut self, target: Target, data_start: usize) -> usize {
        match target {
            Target::Text(offset) => offset as usize,
            Target::Symbol(Symbol::Function(number)) => self.image.extent(number).start as usize,
            Target::Symbol(Symbol::Data(DataId(index))) => {
                data_start + self.image.blobs[index as usize].offset as usize
            }
            Target::Symbol(outside) => self.jump(outside) as usize,
        }
    }

    fn load(mut self, resolver: Box<dyn Resolver>) -> io::Result<Loaded> {
        let code_end = self.image.text.len() as u32;
        let fixups = std::mem::take(&mut self.image.fixups);
        let pointers: Vec<(u32, Symbol)> = self.image.pointers().collect();
        let in_code = fixups.iter().filter_map(|fixup| match fixup.target {
            Target::Symbol(symbol) => Some(symbol),
            Target::Text(_) => None,
        });
        for symbol in in_code.chain(pointers.iter().map(|&(_, symbol)| symbol)) {
            if matches!(symbol, Symbol::Runtime(_) | Symbol::Outside(_)) {
                self.jump(symbol);
            }
        }
        let data_start = self.image.text.len().next_multiple_of(PAGE);
        let mut mapping = Mapping::new(data_start + self.image.data.len())?;
        let base = mapping.start();
        let bytes = mapping.bytes();
        bytes[..self.image.text.len()].copy_from_slice(&self.image.text);
        bytes[data_start..][..self.image.data.len()].copy_from_slice(&self.image.data);
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
        let mut image = self.image;
        image.sites.sort_by_key(|site| site.return_offset);
        let region = Region { start: base, len: data_start, sites: image.sites.into(), resolver };
        qz_rt::unwind::register(region);
        let blobs = image.blobs.iter().map(|blob| data_start + blob.offset as usize).collect();
        let functions = image.functions.iter().map(|extent| extent.map(|it| it.start)).collect();
        Ok(Loaded { mapping, functions, code_end, blobs })
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
