//! Memory: lists of free blocks per size class in the worker, in front of mimalloc; large blocks are mappings
//! of their own ([`crate::large`]).
//!
//! Generated code takes from and gives to the lists itself; it comes here when a list is empty, and always
//! if the program was compiled to count objects.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI32, Ordering, fence};

use qz_rt_abi::classes::{CLASS_SIZES, class_of};
use qz_rt_abi::object::{Header, IMMORTAL, LOGGED, MET, TYPE_INDEX};
use qz_rt_abi::{Fiber, Worker};
use qz_sched::alone::SharedNumber;

use crate::balance::blocks_of_others;
use crate::context::{state, worker_state};
use crate::large::{Large, is_large, unmap};

#[cfg(not(feature = "plain-malloc"))]
static SYSTEM: mimalloc::MiMalloc = mimalloc::MiMalloc;
#[cfg(feature = "plain-malloc")]
static SYSTEM: System = System;

/// Whether nothing stands in front of the allocator.
const PLAIN: bool = cfg!(feature = "plain-malloc");

/// The size class of a block, if it has one.
#[inline]
fn block_class(size: usize, align: usize) -> Option<usize> {
    if align <= 8 && !PLAIN { class_of(size) } else { None }
}

/// What is asked of the allocator for a block: strings write whole words, as size classes allow.
fn padded(size: usize) -> usize {
    if PLAIN { size.next_multiple_of(8) } else { size }
}

/// Whether a block is a mapping of its own.
fn is_mapping(size: usize, align: usize) -> bool {
    !PLAIN && is_large(size, align)
}

/// Memory taken for small blocks; given back as a whole when the worker ends.
#[derive(Default)]
pub(crate) struct Chunks {
    taken: Vec<(*mut u8, usize)>,
    total: usize,
    /// The part of the last chunk that is not yet cut into blocks.
    rest: (usize, usize),
}

const FIRST_CHUNK: usize = 16 * 1024;
const USUAL_CHUNK: usize = 1 << 20;
/// Programs that hold so much take larger chunks, which are mappings of their own and ask for large pages. For
/// small programs a large page would be most of their memory.
const LARGE_FROM: usize = 8 << 20;
const LARGE_CHUNK: usize = 4 << 20;
const BLOCK_ALIGN: usize = 16;
/// Bytes cut into blocks of one class at a time.
const REFILL_BYTES: usize = 2048;

impl Chunks {
    fn cut(&mut self, bytes: usize, large: &mut Large) -> *mut u8 {
        if self.rest.1 - self.rest.0 < bytes {
            let (chunk, size) = self.chunk(large);
            self.taken.push((chunk, size));
            self.total += size;
            self.rest = (chunk as usize, chunk as usize + size);
        }
        let at = self.rest.0;
        self.rest.0 += bytes;
        let (chunk, _) = *self.taken.last().expect("a chunk was taken");
        // SAFETY: `at` lies in the last chunk taken.
        unsafe { chunk.add(at - chunk as usize) }
    }

    /// The next chunk and its size.
    fn chunk(&self, large: &mut Large) -> (*mut u8, usize) {
        if self.total < LARGE_FROM {
            let size = (FIRST_CHUNK << self.taken.len().min(8)).min(USUAL_CHUNK);
            return (chunk_alloc(size), size);
        }
        let chunk = large.alloc(LARGE_CHUNK);
        if chunk.is_null() { out_of_memory(LARGE_CHUNK) } else { (chunk, LARGE_CHUNK) }
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        for &(chunk, size) in &self.taken {
            if size == LARGE_CHUNK {
                // SAFETY: a mapping that `chunk` made; all who used its blocks are gone.
                unsafe { unmap(chunk, size) };
                continue;
            }
            // SAFETY: made by `chunk_alloc` with this size.
            unsafe { chunk_free(chunk, size) };
        }
    }
}

/// Memory for a chunk of less than [`LARGE_CHUNK`]. The first ones are the C library's, whose heap is there anyway:
/// mimalloc takes 150 KB before it gives its first block, much of what a small program has.
fn chunk_alloc(size: usize) -> *mut u8 {
    if size >= USUAL_CHUNK {
        return system_alloc(size, BLOCK_ALIGN);
    }
    // SAFETY: chunks are not empty.
    let chunk = unsafe { System.alloc(Layout::from_size_align_unchecked(size, BLOCK_ALIGN)) };
    if chunk.is_null() { out_of_memory(size) } else { chunk }
}

/// # Safety
/// The chunk was made by [`chunk_alloc`] with this size, and nobody uses its blocks any more.
unsafe fn chunk_free(chunk: *mut u8, size: usize) {
    // SAFETY: by the caller's promise.
    unsafe {
        let layout = Layout::from_size_align_unchecked(size, BLOCK_ALIGN);
        if size >= USUAL_CHUNK { SYSTEM.dealloc(chunk, layout) } else { System.dealloc(chunk, layout) }
    }
}

fn system_alloc(size: usize, align: usize) -> *mut u8 {
    let Ok(layout) = Layout::from_size_align(padded(size.max(1)), align) else { out_of_memory(size) };
    // SAFETY: the size is not zero.
    let block = unsafe { SYSTEM.alloc(layout) };
    if block.is_null() {
        out_of_memory(size);
    }
    block
}

fn out_of_memory(size: usize) -> ! {
    crate::panic::abort_now(&format!("out of memory: no block of {size} bytes"))
}

/// Cuts new blocks for a class and gives the first; the others go to the list.
#[cold]
unsafe fn refill(fiber: *mut Fiber, class: usize) -> *mut u8 {
    let size = CLASS_SIZES[class] as usize;
    let count = (REFILL_BYTES / size).max(2);
    // SAFETY: the fiber is live; the blocks are cut from memory of our own, `count` times `size` bytes. A block in a list
    // that others left holds the address of the next one.
    unsafe {
        if let Some(left) = blocks_of_others(fiber, class) {
            (*(*fiber).worker).free[class] = left.cast::<*mut u8>().read();
            return left;
        }
        let state = worker_state(fiber);
        let first = state.chunks.cut(count * size, &mut state.large);
        let worker: *mut Worker = (*fiber).worker;
        let mut next = (*worker).free[class];
        for i in (1..count).rev() {
            let block = first.add(i * size);
            block.cast::<*mut u8>().write(next);
            next = block;
        }
        (*worker).free[class] = next;
        first
    }
}

/// A block for `size` bytes, aligned to 8 or, if asked for more, to `align`.
#[inline]
pub(crate) unsafe fn take_block(fiber: *mut Fiber, size: usize, align: usize) -> *mut u8 {
    let class = block_class(size, align);
    let Some(class) = class else {
        // SAFETY: the fiber is live.
        return unsafe { take_big_block(fiber, size, align) };
    };
    // SAFETY: the fiber is live; a block in the list holds the address of the next one.
    unsafe {
        let worker = (*fiber).worker;
        let head = (*worker).free[class];
        if head.is_null() {
            return refill(fiber, class);
        }
        (*worker).free[class] = head.cast::<*mut u8>().read();
        head
    }
}

#[inline(never)]
unsafe fn take_big_block(fiber: *mut Fiber, size: usize, align: usize) -> *mut u8 {
    if !is_mapping(size, align) {
        return system_alloc(size, align);
    }
    // SAFETY: the fiber is live.
    let block = unsafe { worker_state(fiber) }.large.alloc(size);
    if block.is_null() { out_of_memory(size) } else { block }
}

/// Gives back a block that [`take_block`] made with the same size and alignment.
#[inline]
pub(crate) unsafe fn give_block(fiber: *mut Fiber, block: *mut u8, size: usize, align: usize) {
    let class = block_class(size, align);
    // SAFETY: the fiber is live; the block is the caller's to give.
    unsafe {
        let Some(class) = class else {
            if is_mapping(size, align) {
                return worker_state(fiber).large.free(block, size);
            }
            return SYSTEM.dealloc(block, Layout::from_size_align_unchecked(size.max(1), align));
        };
        let worker = (*fiber).worker;
        block.cast::<*mut u8>().write((*worker).free[class]);
        (*worker).free[class] = block;
    }
}

/// Whether objects are counted.
#[inline]
pub(crate) unsafe fn counts_objects(fiber: *mut Fiber) -> bool {
    // SAFETY: the fiber is live.
    unsafe { worker_state(fiber) }.live.is_some()
}

/// A block of the list for its size, or null if there is none: [`take_block`] knows more, but calls what needs
/// registers. Aligned to 8.
#[inline]
pub(crate) unsafe fn block_at_hand(fiber: *mut Fiber, size: usize) -> *mut u8 {
    // SAFETY: the fiber is live; a block in the list holds the address of the next one.
    unsafe {
        let worker: *mut Worker = (*fiber).worker;
        let Some(head) = block_class(size, 8).and_then(|class| (*worker).free.get_mut(class)) else {
            return std::ptr::null_mut();
        };
        let block = *head;
        if !block.is_null() {
            *head = block.cast::<*mut u8>().read();
        }
        block
    }
}

/// Puts a block back into the list for its size; whether there is one.
#[inline]
pub(crate) unsafe fn put_at_hand(fiber: *mut Fiber, block: *mut u8, size: usize) -> bool {
    // SAFETY: the fiber is live; the block is the caller's to give.
    unsafe {
        let worker: *mut Worker = (*fiber).worker;
        let Some(head) = block_class(size, 8).and_then(|class| (*worker).free.get_mut(class)) else {
            return false;
        };
        block.cast::<*mut u8>().write(*head);
        *head = block;
        true
    }
}

/// Notes that an object was made (+1) or freed (-1).
pub(crate) unsafe fn count_object(fiber: *mut Fiber, type_index: u32, change: i64) {
    // SAFETY: the fiber is live.
    let worker = unsafe { worker_state(fiber) };
    let Some(live) = &mut worker.live else { return };
    let index = type_index as usize;
    if live.len() <= index {
        live.resize(index + 1, 0);
    }
    live[index] += change;
    // SAFETY: as above.
    unsafe { (*(*fiber).worker).live_objects += change };
}

unsafe fn count_block(fiber: *mut Fiber, change: i64) {
    // SAFETY: the fiber is live.
    let worker = unsafe { worker_state(fiber) };
    if worker.live.is_some() {
        worker.live_blocks += change;
    }
}

// ---- runtime functions

pub(crate) unsafe fn alloc(fiber: *mut Fiber, size: u64, align: u64) -> *mut u8 {
    // SAFETY: generated code passes a live fiber.
    unsafe {
        if align <= 8 && !counts_objects(fiber) {
            let block = block_at_hand(fiber, size as usize);
            if !block.is_null() {
                return block;
            }
        }
        alloc_anywhere(fiber, size as usize, align as usize)
    }
}

#[inline(never)]
unsafe fn alloc_anywhere(fiber: *mut Fiber, size: usize, align: usize) -> *mut u8 {
    // SAFETY: as above.
    unsafe {
        count_block(fiber, 1);
        take_block(fiber, size, align)
    }
}

pub(crate) unsafe fn realloc(
    fiber: *mut Fiber,
    block: *mut u8,
    old_size: u64,
    new_size: u64,
    align: u64,
) -> *mut u8 {
    let (old, new, align) = (old_size as usize, new_size as usize, align as usize);
    if block.is_null() {
        // SAFETY: as in `alloc`.
        return unsafe { alloc(fiber, new_size, align as u64) };
    }
    let class = |size| block_class(size, align);
    // SAFETY: the block is live, was made with `old` and `align`, and is the caller's.
    unsafe {
        match (class(old), class(new)) {
            (Some(a), Some(b)) if a == b => block,
            (None, None) if is_mapping(old, align) && is_mapping(new, align) => {
                let moved = worker_state(fiber).large.realloc(block, old, new);
                if moved.is_null() { out_of_memory(new) } else { moved }
            }
            (None, None) if !is_mapping(old, align) && !is_mapping(new, align) => {
                let layout = Layout::from_size_align_unchecked(old.max(1), align);
                let moved = SYSTEM.realloc(block, layout, padded(new.max(1)));
                if moved.is_null() { out_of_memory(new) } else { moved }
            }
            _ => {
                let moved = take_block(fiber, new, align);
                std::ptr::copy_nonoverlapping(block, moved, old.min(new));
                give_block(fiber, block, old, align);
                moved
            }
        }
    }
}

pub(crate) unsafe fn free(fiber: *mut Fiber, block: *mut u8, size: u64, align: u64) {
    if block.is_null() {
        return;
    }
    // SAFETY: the block was made by `alloc` with this size and alignment.
    unsafe {
        let is_usual = align <= 8 && !counts_objects(fiber);
        if !(is_usual && put_at_hand(fiber, block, size as usize)) {
            free_any(fiber, block, size as usize, align as usize);
        }
    }
}

#[inline(never)]
unsafe fn free_any(fiber: *mut Fiber, block: *mut u8, size: usize, align: usize) {
    // SAFETY: as above.
    unsafe {
        count_block(fiber, -1);
        give_block(fiber, block, size, align);
    }
}

pub(crate) unsafe fn new_object(fiber: *mut Fiber, type_index: u32) -> *mut u8 {
    // SAFETY: the index is one of the type table's.
    unsafe {
        let info = &*(*fiber).types.add(type_index as usize);
        count_object(fiber, type_index, 1);
        let object = take_block(fiber, info.size as usize, info.align as usize);
        object.cast::<Header>().write(Header { count: 1, type_index });
        object
    }
}

pub(crate) unsafe fn free_object(fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: the object is live, its count gone, and its type index the table's.
    unsafe {
        let word = (*object.cast::<Header>()).type_index;
        // No more than an index: no collector of circles has it in mind.
        if word <= TYPE_INDEX && !counts_objects(fiber) {
            let info = &*(*fiber).types.add(word as usize);
            if info.align <= 8 && put_at_hand(fiber, object, info.size as usize) {
                return;
            }
        }
        free_any_object(fiber, object);
    }
}

#[inline(never)]
unsafe fn free_any_object(fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: as above.
    unsafe {
        let type_index = (*object.cast::<Header>()).type_index & TYPE_INDEX;
        count_object(fiber, type_index, -1);
        if !crate::cycles::keeps_memory(object) {
            release_block(fiber, object);
        }
    }
}

/// Gives the memory of an object back that is not counted as one any more.
///
/// # Safety
/// The fiber is live; the object is nobody's.
pub(crate) unsafe fn release_block(fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: by the caller's promise; the type index is one of the table's.
    unsafe {
        let type_index = (*object.cast::<Header>()).type_index & TYPE_INDEX;
        let info = &*(*fiber).types.add(type_index as usize);
        give_block(fiber, object, info.size as usize, info.align as usize);
    }
}

/// The count of an object, for whoever does not know whether others share it: they may be changing the count meanwhile,
/// but none of their changes makes a negative one positive while the caller has a reference.
///
/// # Safety
/// The object is live.
#[inline(always)]
pub(crate) unsafe fn count(object: *const u8) -> i32 {
    // SAFETY: by the caller's promise.
    unsafe { shared_count(object.cast_mut()).load(Ordering::Relaxed) }
}

/// The count of an object that is shared between threads, as they see it: the number of references, negated.
unsafe fn shared_count<'a>(object: *mut u8) -> &'a AtomicI32 {
    // SAFETY: the object is live; while it is shared, its count is reached in this way only.
    unsafe { AtomicI32::from_ptr(&raw mut (*object.cast::<Header>()).count) }
}

/// Counts below this one are never changed: the object is immortal, or was referred to so often that it is now.
const MORTAL: i32 = IMMORTAL / 2;

pub(crate) unsafe fn sole(_fiber: *mut Fiber, place: *mut u8) -> u8 {
    // SAFETY: the place holds a live object; others may let go of it meanwhile.
    unsafe { matches!(shared_count(place.cast::<*mut u8>().read()).load(Ordering::Acquire), 1 | -1) as u8 }
}

/// Whether an object is never freed.
///
/// # Safety
/// The object is live.
pub(crate) unsafe fn is_immortal(object: *mut u8) -> bool {
    // SAFETY: by the caller's promise; another thread may change the count meanwhile, but not to or from this.
    unsafe { shared_count(object).load(Ordering::Relaxed) < MORTAL }
}

pub(crate) unsafe fn retain_shared(_fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: the object is live.
    let count = unsafe { shared_count(object) };
    if count.load(Ordering::Relaxed) >= MORTAL {
        count.minus(1, Ordering::Relaxed);
    }
}

pub(crate) unsafe fn release_shared(_fiber: *mut Fiber, object: *mut u8) -> u8 {
    // SAFETY: the object is live.
    let count = unsafe { shared_count(object) };
    let now = count.load(Ordering::Acquire);
    if now < MORTAL {
        return 0;
    }
    // If the only count is the caller's, nobody can add one but a weak reference; without any it is not counted down.
    if now != -1 || crate::weak::are_in_use() {
        if count.plus(1, Ordering::Release) != -1 {
            return 0;
        }
        match cfg!(qz_tsan) {
            // The thread sanitizer knows no fences.
            true => _ = count.load(Ordering::Acquire),
            false => fence(Ordering::Acquire),
        }
        // While the count is 0, a weak reference of another thread's adds none.
        // SAFETY: as above, and the last count is the caller's.
        unsafe { crate::weak::die(object) };
    }
    // Whoever destroys it is the only one who knows it.
    count.store(1, Ordering::Relaxed);
    1
}

/// From now on other threads may refer to the object, too. For the only thread that does until now.
pub(crate) unsafe fn share(fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: the object is live, and no other thread knows it unless its count says so.
    unsafe {
        let header = object.cast::<Header>();
        if count(object) > 0 && !state(fiber).cycles.is_tracing() {
            if (*header).type_index & (LOGGED | MET) != 0 {
                state(fiber).cycles.unlog(fiber, object);
            }
            (*header).count = -(*header).count;
        }
    }
}

pub(crate) unsafe fn defer_destroy(fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: the fiber is live.
    unsafe {
        state(fiber).deferred.push(object);
        (*fiber).deferred_count += 1;
    }
}

pub(crate) unsafe fn next_deferred(fiber: *mut Fiber) -> *mut u8 {
    // SAFETY: the fiber is live.
    unsafe {
        match state(fiber).deferred.pop() {
            Some(object) => {
                (*fiber).deferred_count -= 1;
                object
            }
            None => std::ptr::null_mut(),
        }
    }
}
