//! Memory for stacks. Those of tasks are cut from large mappings and used again and again; those of programs and
//! threads have mappings of their own.
//!
//! Below each stack lie pages that cannot be touched. Where the kernel marks them inside a mapping
//! (`MADV_GUARD_INSTALL`, since 6.13) there may be any number; else only as many as it has room for mappings.

use std::io;
use std::ptr;
use std::sync::Mutex;

/// Bytes of a task's stack, its guard and its header included.
pub const TASK_STACK: usize = 256 << 10;
const SLAB: usize = 64 << 20;
/// How many places there are for the tops of stacks, and the bytes between them: within a page, with room left for what
/// a task that waits has on its stack.
const COLOURS: usize = 10;
const COLOUR: usize = 256;
/// What must not be touched below a stack: more than what a function may take without looking.
const GUARD: usize = 16 << 10;
const MADV_GUARD_INSTALL: i32 = 102;
/// Guards that need mappings of their own, at most.
const SPLIT_GUARDS: usize = 8 << 10;

/// A stack: the addresses between which it lies.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    base: usize,
    len: usize,
}

impl Stack {
    /// The lowest address that may be used.
    pub fn lowest(&self) -> usize {
        self.base + GUARD
    }

    /// Where it begins: not at the same distance from the end of its memory for all, since processors keep only a few
    /// lines of memory whose addresses end alike.
    pub fn top(&self) -> usize {
        self.base + self.len - self.base / TASK_STACK % COLOURS * COLOUR
    }

    /// Whether the address lies in the guard.
    pub fn guards(&self, address: usize) -> bool {
        (self.base..self.base + GUARD).contains(&address)
    }

    /// Reserves a stack of its own; memory is taken page by page as it is used.
    pub fn map(size: usize) -> io::Result<Stack> {
        let len = len_for(size);
        let stack = Stack { base: map(len)?, len };
        protect(stack.base)?;
        Ok(stack)
    }

    /// Gives back what [`Stack::map`] made.
    ///
    /// # Safety
    /// Nobody runs on it any more.
    pub unsafe fn unmap(self) {
        // SAFETY: the mapping is whole and unused.
        unsafe { libc::munmap(self.base as *mut libc::c_void, self.len) };
    }
}

/// The memory for a stack with room for so many bytes.
fn len_for(size: usize) -> usize {
    (size + COLOURS * COLOUR).next_multiple_of(GUARD) + GUARD
}

fn map(len: usize) -> io::Result<usize> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh anonymous mapping touches nothing that exists.
    let base = unsafe { libc::mmap(ptr::null_mut(), len, protection, flags, -1, 0) };
    if base == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(base as usize) }
}

/// Makes the guard at the start of a stack.
fn protect(base: usize) -> io::Result<()> {
    let guard = base as *mut libc::c_void;
    // SAFETY: the pages belong to a stack that nobody uses yet.
    let made = unsafe {
        libc::madvise(guard, GUARD, MADV_GUARD_INSTALL) == 0
            || libc::mprotect(guard, GUARD, libc::PROT_NONE) == 0
    };
    if made { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Stacks of tasks. The memory is never given back as a whole, so what lies in a stack's header may be looked at
/// from anywhere at any time.
#[derive(Debug)]
struct Slabs {
    starts: Vec<usize>,
    /// Stacks of the last slab that were never used.
    fresh: usize,
    free: Vec<usize>,
    /// Whether guards split mappings, and how many were made so.
    split: Option<usize>,
}

static SLABS: Mutex<Slabs> =
    Mutex::new(Slabs { starts: Vec::new(), fresh: 0, free: Vec::new(), split: None });

fn slabs() -> std::sync::MutexGuard<'static, Slabs> {
    SLABS.lock().unwrap_or_else(|poison| poison.into_inner())
}

impl Slabs {
    fn take(&mut self) -> io::Result<usize> {
        if let Some(base) = self.free.pop() {
            return Ok(base);
        }
        if self.fresh == 0 {
            // Stacks that share a page of the page table cost less.
            const ALIGN: usize = 2 << 20;
            let start = map(SLAB + ALIGN)?.next_multiple_of(ALIGN);
            self.starts.push(start);
            self.fresh = SLAB / TASK_STACK;
            // A header of a stack is small, and so is most of what tasks use.
            // SAFETY: the mapping is ours.
            unsafe { libc::madvise(start as *mut libc::c_void, SLAB, libc::MADV_NOHUGEPAGE) };
        }
        self.fresh -= 1;
        let start = *self.starts.last().expect("a slab was made");
        let base = start + self.fresh * TASK_STACK;
        self.guard(base);
        Ok(base)
    }

    /// A stack without a guard still has the limit that functions look at.
    fn guard(&mut self, base: usize) {
        let guard = base as *mut libc::c_void;
        // SAFETY: the pages belong to a stack that nobody uses yet.
        unsafe {
            if self.split.is_none() && libc::madvise(guard, GUARD, MADV_GUARD_INSTALL) == 0 {
                return;
            }
            let split = self.split.get_or_insert(0);
            if *split < SPLIT_GUARDS && libc::mprotect(guard, GUARD, libc::PROT_NONE) == 0 {
                *split += 1;
            }
        }
    }
}

/// Stacks at hand for one thread.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    free: Vec<usize>,
}

/// Stacks a thread keeps; half of them go to the others when there are more.
const KEPT: usize = 128;

impl Cache {
    /// A stack with room for so many bytes.
    pub(crate) fn take(&mut self, size: usize) -> io::Result<Stack> {
        if size > TASK_STACK - GUARD - COLOURS * COLOUR {
            return take_large(size);
        }
        if self.free.is_empty() {
            let mut slabs = slabs();
            let taken = slabs.free.len().min(KEPT / 2);
            let from = slabs.free.len() - taken;
            self.free.extend(slabs.free.drain(from..));
            if self.free.is_empty() {
                self.free.push(slabs.take()?);
            }
        }
        let base = self.free.pop().expect("there is one now");
        Ok(Stack { base, len: TASK_STACK })
    }

    pub(crate) fn give(&mut self, stack: Stack) {
        if stack.len > TASK_STACK {
            return give_large(stack);
        }
        self.free.push(stack.base);
        if self.free.len() > KEPT {
            self.trim(KEPT / 2);
        }
    }

    /// Gives all but so many to the others.
    #[cold]
    fn trim(&mut self, keep: usize) {
        let mut slabs = slabs();
        let many = slabs.free.len() > KEPT;
        for base in self.free.drain(keep..) {
            if many {
                // What deep calls used is the system's again; the header stays.
                // SAFETY: nobody runs on the stack.
                unsafe {
                    let from = base + GUARD;
                    let len = TASK_STACK - GUARD - HOT;
                    libc::madvise(from as *mut libc::c_void, len, libc::MADV_DONTNEED);
                }
            }
            slabs.free.push(base);
        }
    }
}

/// The upper part of a stack, which every task uses.
const HOT: usize = 8 << 10;

impl Drop for Cache {
    fn drop(&mut self) {
        self.trim(0);
    }
}

/// Stacks of tasks that asked for more than the usual, and whether they are free. Never given back, as above; there is
/// one size for each power of two, so that they are used again.
static LARGE: Mutex<Vec<(Stack, bool)>> = Mutex::new(Vec::new());

fn large() -> std::sync::MutexGuard<'static, Vec<(Stack, bool)>> {
    LARGE.lock().unwrap_or_else(|poison| poison.into_inner())
}

#[cold]
fn take_large(size: usize) -> io::Result<Stack> {
    let size = size.checked_next_power_of_two().ok_or(io::ErrorKind::OutOfMemory)?;
    let mut large = large();
    if let Some((stack, free)) = large.iter_mut().find(|(stack, free)| *free && stack.len == len_for(size)) {
        *free = false;
        return Ok(*stack);
    }
    let stack = Stack::map(size)?;
    large.push((stack, false));
    Ok(stack)
}

#[cold]
fn give_large(stack: Stack) {
    // SAFETY: nobody runs on the stack; its header stays.
    unsafe {
        let len = stack.top() - HOT - stack.lowest();
        libc::madvise(stack.lowest() as *mut libc::c_void, len, libc::MADV_DONTNEED);
    }
    large().iter_mut().filter(|(it, _)| *it == stack).for_each(|(_, free)| *free = true);
}

/// Calls `f` with each task's stack that was ever used.
pub(crate) fn each_task_stack(mut f: impl FnMut(Stack)) {
    let larger: Vec<Stack> = large().iter().map(|&(stack, _)| stack).collect();
    larger.into_iter().for_each(&mut f);
    let (starts, fresh) = {
        let slabs = slabs();
        (slabs.starts.clone(), slabs.fresh)
    };
    for (index, &start) in starts.iter().enumerate() {
        let unused = if index + 1 == starts.len() { fresh } else { 0 };
        let used = unused..SLAB / TASK_STACK;
        used.for_each(|n| f(Stack { base: start + n * TASK_STACK, len: TASK_STACK }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each is as large as was asked for, and the next task that asks for as much gets the same one again.
    #[test]
    #[cfg_attr(miri, ignore = "it maps memory with guards")]
    fn a_stack_is_large_enough_and_used_again() {
        let mut cache = Cache::default();
        let most_usual = TASK_STACK - GUARD - COLOURS * COLOUR;
        for size in [1, most_usual, most_usual + 1, TASK_STACK, 1 << 20, (1 << 20) + 1] {
            let first = cache.take(size).expect("there is memory");
            assert!(first.top() - first.lowest() >= size, "{size}");
            assert!(first.top().is_multiple_of(64), "{size}");
            cache.give(first);
            let second = cache.take(size).expect("there is memory");
            assert_eq!(first, second, "{size}");
        }
    }

    /// The tops of stacks that lie side by side are at other distances from the end of a page.
    #[test]
    #[cfg_attr(miri, ignore = "it maps memory with guards")]
    fn tops_lie_apart() {
        let mut cache = Cache::default();
        let stacks: Vec<Stack> = (0..2 * COLOURS).map(|_| cache.take(1).expect("there is memory")).collect();
        let mut places: Vec<usize> = stacks.iter().map(|it| it.top() % 4096).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), COLOURS);
    }
}
