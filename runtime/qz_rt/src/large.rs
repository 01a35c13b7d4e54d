//! Large blocks: mappings of their own, so that a vector or a text that grows is moved by the kernel's page
//! tables instead of being copied. A few that were given back are kept for the next one who asks.

use std::io;

use libc::{MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, PROT_READ, PROT_WRITE};

/// Blocks of so many bytes and more are mappings. Smaller ones that grow leave a row of others behind that each are too
/// small for the next.
pub(crate) const LARGE: usize = 1 << 20;
/// Bytes kept in blocks that nobody uses.
const KEPT: usize = 64 << 20;
const KEPT_BLOCKS: usize = 8;
const PAGE: usize = 4096;

/// Whether a block of this size and alignment is a mapping of its own.
pub(crate) fn is_large(size: usize, align: usize) -> bool {
    size >= LARGE && align <= PAGE
}

fn length(size: usize) -> Option<usize> {
    size.checked_next_multiple_of(PAGE)
}

/// Blocks given back and kept.
#[derive(Default)]
pub(crate) struct Large {
    kept: Vec<(*mut u8, usize)>,
}

impl Large {
    /// A block, or null if there is no memory.
    pub(crate) fn alloc(&mut self, size: usize) -> *mut u8 {
        let Some(length) = length(size) else { return std::ptr::null_mut() };
        // The smallest that is large enough. What is cut off is given back: who grows a text after the other would
        // hold many otherwise.
        let fits = self.kept.iter().enumerate().filter(|(_, it)| it.1 >= length);
        if let Some((index, _)) = fits.min_by_key(|(_, it)| it.1) {
            let (block, kept) = self.kept.swap_remove(index);
            if kept > length {
                // SAFETY: the end of a mapping that nobody uses.
                unsafe { libc::munmap(block.add(length).cast(), kept - length) };
            }
            return block;
        }
        // SAFETY: a fresh anonymous mapping touches nothing that exists.
        let block = unsafe {
            let protection = PROT_READ | PROT_WRITE;
            libc::mmap(std::ptr::null_mut(), length, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        };
        if block == MAP_FAILED {
            return std::ptr::null_mut();
        }
        // Memory that is reached in no order, as a map's, waits for addresses otherwise. A wish, so it cannot fail.
        // SAFETY: the mapping is ours.
        #[cfg(target_os = "linux")]
        unsafe {
            libc::madvise(block, length, libc::MADV_HUGEPAGE)
        };
        block.cast()
    }

    /// Gives a block back.
    ///
    /// # Safety
    /// `alloc` or `realloc` made it for this size, and nobody uses it any more.
    pub(crate) unsafe fn free(&mut self, block: *mut u8, size: usize) {
        let Some(length) = length(size) else { return };
        let kept: usize = self.kept.iter().map(|it| it.1).sum();
        if self.kept.len() < KEPT_BLOCKS && kept + length <= KEPT {
            self.kept.push((block, length));
            return;
        }
        // SAFETY: the mapping is the caller's to give.
        unsafe { libc::munmap(block.cast(), length) };
    }

    /// A block of another size, also large, with the old one's bytes; null if there is no memory.
    ///
    /// # Safety
    /// As for [`Large::free`].
    pub(crate) unsafe fn realloc(&mut self, block: *mut u8, old: usize, new: usize) -> *mut u8 {
        let (Some(from), Some(to)) = (length(old), length(new)) else { return std::ptr::null_mut() };
        if from == to {
            return block;
        }
        // SAFETY: the mapping is the caller's; the kernel moves it as a whole or leaves it.
        let moved = unsafe { remap(block, from, to) };
        moved.unwrap_or(std::ptr::null_mut())
    }
}

#[cfg(target_os = "linux")]
unsafe fn remap(block: *mut u8, from: usize, to: usize) -> io::Result<*mut u8> {
    // SAFETY: promised by the caller.
    let moved = unsafe { libc::mremap(block.cast(), from, to, libc::MREMAP_MAYMOVE) };
    if moved == MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(moved.cast()) }
}

#[cfg(not(target_os = "linux"))]
unsafe fn remap(block: *mut u8, from: usize, to: usize) -> io::Result<*mut u8> {
    // SAFETY: a fresh mapping, and the old one, which is the caller's; they do not overlap.
    unsafe {
        let protection = PROT_READ | PROT_WRITE;
        let moved = libc::mmap(std::ptr::null_mut(), to, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if moved == MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        std::ptr::copy_nonoverlapping(block, moved.cast(), from.min(to));
        libc::munmap(block.cast(), from);
        Ok(moved.cast())
    }
}

/// Gives a block to the system at once.
///
/// # Safety
/// [`Large::alloc`] made it for this size, and nobody uses it any more.
pub(crate) unsafe fn unmap(block: *mut u8, size: usize) {
    if let Some(length) = length(size) {
        // SAFETY: the mapping is the caller's to give.
        unsafe { libc::munmap(block.cast(), length) };
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        for &(block, length) in &self.kept {
            // SAFETY: kept mappings are nobody's.
            unsafe { libc::munmap(block.cast(), length) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_keeps_its_bytes_when_it_grows_and_shrinks_and_is_used_again() {
        let mut large = Large::default();
        let block = large.alloc(LARGE);
        // SAFETY: the bytes touched lie in the block, which is given back at the end.
        unsafe {
            block.write(7);
            block.add(LARGE - 1).write(9);
            let block = large.realloc(block, LARGE, 5 * LARGE + 1);
            assert_eq!((block.read(), block.add(LARGE - 1).read()), (7, 9));
            block.add(5 * LARGE).write(1);
            let block = large.realloc(block, 5 * LARGE + 1, LARGE);
            assert_eq!((block.read(), block.add(LARGE - 1).read()), (7, 9));
            large.free(block, LARGE);
            let again = large.alloc(LARGE);
            assert_eq!(again, block);
            large.free(again, LARGE);
        }
    }

    #[test]
    fn sizes_that_cannot_be_give_null() {
        assert!(Large::default().alloc(usize::MAX).is_null());
        assert!(Large::default().alloc(usize::MAX / 2).is_null());
    }
}
