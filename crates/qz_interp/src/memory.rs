//! Raw memory. MIR that was checked and instantiated names only memory that is there; this module is where
//! that is relied on.

use qz_mir::Scalar;

/// An address of program memory.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addr(pub(crate) *mut u8);

impl Addr {
    /// The start of a buffer of the interpreter's own.
    pub(crate) fn of(words: &mut [u64]) -> Addr {
        Addr(words.as_mut_ptr().cast())
    }

    pub(crate) fn from_word(word: u64) -> Addr {
        Addr(std::ptr::with_exposed_provenance_mut(word as usize))
    }

    pub(crate) fn word(self) -> u64 {
        self.0.expose_provenance() as u64
    }

    pub(crate) fn plus(self, offset: u32) -> Addr {
        Addr(self.0.wrapping_add(offset as usize))
    }

    /// `index` elements of `size` bytes further.
    pub(crate) fn element(self, index: i64, size: u32) -> Addr {
        Addr(self.0.wrapping_offset(index.wrapping_mul(size as i64) as isize))
    }

    /// The bits of a scalar, zero-extended.
    pub(crate) fn read(self, scalar: Scalar) -> u64 {
        // SAFETY: the program's own memory, as the module's documentation says.
        unsafe {
            match scalar.size() {
                1 => self.0.read() as u64,
                2 => self.0.cast::<u16>().read_unaligned() as u64,
                4 => self.0.cast::<u32>().read_unaligned() as u64,
                _ => self.0.cast::<u64>().read_unaligned(),
            }
        }
    }

    /// Stores the low bits.
    pub(crate) fn write(self, scalar: Scalar, bits: u64) {
        // SAFETY: the program's own memory, as the module's documentation says.
        unsafe {
            match scalar.size() {
                1 => self.0.write(bits as u8),
                2 => self.0.cast::<u16>().write_unaligned(bits as u16),
                4 => self.0.cast::<u32>().write_unaligned(bits as u32),
                _ => self.0.cast::<u64>().write_unaligned(bits),
            }
        }
    }

    /// The address that stands here.
    pub(crate) fn follow(self) -> Addr {
        Addr::from_word(self.read(Scalar::Ptr))
    }

    /// Copies bytes from elsewhere; the places may overlap.
    pub(crate) fn copy_from(self, from: Addr, size: u64) {
        if size > 0 {
            // SAFETY: the program's own memory, as the module's documentation says.
            unsafe { std::ptr::copy(from.0, self.0, size as usize) }
        }
    }

    pub(crate) fn fill(self, byte: u8, size: u64) {
        if size > 0 {
            // SAFETY: the program's own memory, as the module's documentation says.
            unsafe { self.0.write_bytes(byte, size as usize) }
        }
    }

    /// The bytes here.
    pub(crate) fn bytes<'a>(self, size: u64) -> &'a [u8] {
        if size == 0 {
            return &[];
        }
        // SAFETY: the program's own memory; the slice is not kept beyond the operation at hand.
        unsafe { std::slice::from_raw_parts(self.0, size as usize) }
    }
}

/// Memory for frames, taken and given back from the top.
pub(crate) struct FrameStack {
    words: Box<[u64]>,
    used: usize,
}

impl FrameStack {
    pub(crate) fn new(bytes: usize) -> FrameStack {
        FrameStack { words: vec![0; bytes / 8].into_boxed_slice(), used: 0 }
    }

    /// Whether a frame of so many bytes leaves this much room above it.
    pub(crate) fn fits(&self, bytes: u32, reserve: usize) -> bool {
        self.words.len() - self.used > (bytes as usize + reserve) / 8
    }

    /// Room for a frame, zeroed; `None` when the stack is full.
    pub(crate) fn push(&mut self, bytes: u32) -> Option<Addr> {
        let words = bytes as usize / 8 + 1;
        let frame = self.words.get_mut(self.used..self.used + words)?;
        frame.fill(0);
        self.used += words;
        Some(Addr(frame.as_mut_ptr().cast()))
    }

    pub(crate) fn pop(&mut self, bytes: u32) {
        self.used -= bytes as usize / 8 + 1;
    }
}
