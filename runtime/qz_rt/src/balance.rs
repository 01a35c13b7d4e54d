//! Free blocks that gather where they are not needed: a task makes objects on one thread, another lets go of them on
//! another thread, and so the free lists of the second would grow for ever while the first takes fresh memory.
//!
//! A thread that has taken much fresh memory for a size class says so. The next thread that comes by the runtime and has
//! free blocks of that class leaves all of them here, as one list; the first takes that list when its own is empty. Both
//! are a few instructions whatever the length, and generated code knows nothing of it.

use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

use qz_rt_abi::Fiber;
use qz_rt_abi::classes::CLASS_COUNT;

use crate::context::{core, shared, worker_state};

/// Fresh memory is taken so often for a class before others are asked for what they have.
const PATIENCE: u8 = 8;

const _: () = assert!(CLASS_COUNT <= 32, "a bit for each class");

/// What a program's threads leave for each other.
#[derive(Default)]
pub(crate) struct Balance {
    /// The classes of which a thread asked for blocks, a bit each.
    wanted: AtomicU32,
    /// The classes of which there are lists, a bit each.
    left: AtomicU32,
    lists: Mutex<Lists>,
}

/// Lists of free blocks by class, each by its first block.
#[derive(Default)]
struct Lists(Vec<(usize, *mut u8)>);

// SAFETY: the blocks are nobody's until they are taken.
unsafe impl Send for Lists {}

/// What a worker has taken and asked for.
#[derive(Default)]
pub(crate) struct Taken {
    /// How often it took fresh memory for each class since it asked others.
    times: [u8; CLASS_COUNT],
    /// The classes of which it asked for blocks and has got none, a bit each.
    asked: u32,
}

impl Balance {
    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// A list of blocks that another thread left.
    fn take(&self, class: usize) -> Option<*mut u8> {
        let bit = 1 << class;
        if self.left.load(Ordering::Relaxed) & bit == 0 {
            return None;
        }
        let mut lists = self.lists();
        let at = lists.0.iter().position(|&(of, _)| of == class)?;
        let (_, list) = lists.0.swap_remove(at);
        if !lists.0.iter().any(|&(of, _)| of == class) {
            self.left.fetch_and(!bit, Ordering::Relaxed);
        }
        Some(list)
    }

    fn leave(&self, class: usize, list: *mut u8) {
        let mut lists = self.lists();
        lists.0.push((class, list));
        self.left.fetch_or(1 << class, Ordering::Relaxed);
        self.wanted.fetch_and(!(1 << class), Ordering::Relaxed);
    }
}

/// A list of blocks of others for a worker whose own list of the class is empty; or a note that it takes fresh memory.
///
/// # Safety
/// The fiber is live and runs here.
#[cold]
pub(crate) unsafe fn blocks_of_others(fiber: *mut Fiber, class: usize) -> Option<*mut u8> {
    // SAFETY: by the caller's promise; a worker without a thread belongs to a fiber outside of a scheduler.
    unsafe {
        if (*(*fiber).worker).thread.is_null() {
            return None;
        }
        let balance = &shared(core(fiber).scheduler()).balance;
        let taken = &mut worker_state(fiber).taken;
        if let Some(list) = balance.take(class) {
            taken.times[class] = 0;
            taken.asked &= !(1 << class);
            return Some(list);
        }
        taken.times[class] += 1;
        if taken.times[class] == PATIENCE {
            taken.times[class] = 0;
            taken.asked |= 1 << class;
            balance.wanted.fetch_or(1 << class, Ordering::Relaxed);
        }
        None
    }
}

/// Leaves what others asked for, if they did. Where a task enters the runtime to hand over or take what others made.
///
/// # Safety
/// The fiber is one of a scheduler's and runs here.
#[inline]
pub(crate) unsafe fn pass_by(fiber: *mut Fiber) {
    // SAFETY: passed on.
    unsafe {
        let balance = &shared(core(fiber).scheduler()).balance;
        let wanted = balance.wanted.load(Ordering::Relaxed);
        if wanted != 0 {
            leave_wanted(fiber, balance, wanted);
        }
    }
}

#[cold]
unsafe fn leave_wanted(fiber: *mut Fiber, balance: &Balance, wanted: u32) {
    // SAFETY: the worker is the caller's thread's own.
    let (free, asked) = unsafe { (&mut (*(*fiber).worker).free, worker_state(fiber).taken.asked) };
    // A program of one thread asks, and nobody answers: that must cost next to nothing.
    let mut rest = wanted & !asked;
    while rest != 0 {
        let class = rest.trailing_zeros() as usize;
        rest &= rest - 1;
        let Some(list) = free.get_mut(class) else { return };
        let more_than_one = |list: *mut u8| {
            // SAFETY: a block in the list holds the address of the next one.
            !list.is_null() && unsafe { !list.cast::<*mut u8>().read().is_null() }
        };
        if more_than_one(*list) {
            balance.leave(class, std::mem::replace(list, ptr::null_mut()));
        }
    }
}
