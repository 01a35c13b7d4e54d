//! Weak references: objects that know another one without keeping it.
//!
//! A weak reference is an object of its own ([`Cell`]). Those to one object form a list, whose head a table finds by the
//! object's address. So objects have no room for weak references, and types that nobody refers to weakly know nothing
//! of them: only the destroy functions of the others ask the table (`qz_opt::glue::weak`).
//!
//! The table is the process's, in parts with a lock each, since an object with weak references may move to another task,
//! or be known to several. A lock of the target's part is held to change its list, and to look at a target that other
//! threads may be about to destroy.

use std::collections::HashMap;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard};

use qz_rt_abi::Fiber;
use qz_rt_abi::object::Header;

use crate::context::state;
use crate::memory::{count, retain_shared, share};

/// `Weak<T>` of the library.
#[repr(C)]
pub(crate) struct Cell {
    header: Header,
    /// Null for one that refers to nothing any more: it is in no list, and nobody but its owners reaches it. So this is
    /// the last word to change when the target dies, and an owner looks at it before anything else.
    target: AtomicPtr<u8>,
    /// The next one that refers to the same object.
    next: *mut Cell,
}

/// What a cell refers to. It may refer to nothing a moment later, unless the lock of the target's part is held.
///
/// # Safety
/// The cell is live.
unsafe fn target_of(cell: *const Cell) -> *mut u8 {
    // SAFETY: by the caller's promise.
    unsafe { (*cell).target.load(Ordering::Acquire) }
}

/// The cell refers to nothing any more. An owner that sees this may free it at once.
///
/// # Safety
/// The cell is in no list from now on. It was in one until now, whose lock is held.
unsafe fn leave(cell: *mut Cell) {
    // SAFETY: by the caller's promise; the last access is the one that others see.
    unsafe {
        (*cell).next = ptr::null_mut();
        (*cell).target.store(ptr::null_mut(), Ordering::Release);
    }
}

type Heads = HashMap<usize, usize, foldhash::fast::FixedState>;

const PARTS: usize = 64;
static TABLE: [Mutex<Heads>; PARTS] =
    [const { Mutex::new(Heads::with_hasher(foldhash::fast::FixedState::with_seed(0))) }; PARTS];

/// Whether there ever was a weak reference.
static IN_USE: AtomicBool = AtomicBool::new(false);

fn part_of(target: *mut u8) -> MutexGuard<'static, Heads> {
    let part = (target as usize >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as usize) >> 58;
    TABLE[part].lock().unwrap_or_else(|poison| poison.into_inner())
}

/// Puts a cell that refers to nothing into the list of an object.
///
/// # Safety
/// Both are live, and nobody else knows the cell.
unsafe fn link(cell: *mut Cell, target: *mut u8) {
    IN_USE.store(true, Ordering::Relaxed);
    let mut part = part_of(target);
    let head = part.insert(target as usize, cell as usize);
    // SAFETY: by the caller's promise.
    unsafe {
        (*cell).next = head.unwrap_or(0) as *mut Cell;
        (*cell).target.store(target, Ordering::Release);
    }
}

/// Takes a cell out of the list it is in, if any.
///
/// # Safety
/// The cell is live.
unsafe fn unlink(cell: *mut Cell) {
    // SAFETY: by the caller's promise; lists hold live cells and change under the lock of their part. A cell whose
    // target changes meanwhile is one whose target died, and is in no list then.
    unsafe {
        let target = target_of(cell);
        if target.is_null() {
            return;
        }
        let mut part = part_of(target);
        if target_of(cell) != target {
            return;
        }
        let Some(&head) = part.get(&(target as usize)) else { return };
        let mut at = head as *mut Cell;
        if at == cell {
            match (*cell).next.is_null() {
                true => part.remove(&(target as usize)),
                false => part.insert(target as usize, (*cell).next as usize),
            };
        } else {
            while (*at).next != cell {
                at = (*at).next;
            }
            (*at).next = (*cell).next;
        }
        leave(cell);
    }
}

/// An object ends: weak references to it find nothing from now on.
///
/// # Safety
/// The object is live, and its last count is the caller's.
pub(crate) unsafe fn die(target: *mut u8) {
    if !IN_USE.load(Ordering::Relaxed) {
        return;
    }
    let mut part = part_of(target);
    let mut at = part.remove(&(target as usize)).unwrap_or(0) as *mut Cell;
    while !at.is_null() {
        // SAFETY: lists hold live cells, and the lock of the part is held.
        unsafe {
            let next = (*at).next;
            leave(at);
            at = next;
        }
    }
}

/// Whether there may be weak references. Who has the only count of an object knows of those to it: who made one had
/// a count, too, and said this before giving it up.
pub(crate) fn are_in_use() -> bool {
    IN_USE.load(Ordering::Relaxed)
}

/// Whether a weak reference leads to an object.
pub(crate) fn is_target(target: *mut u8) -> bool {
    IN_USE.load(Ordering::Relaxed) && part_of(target).contains_key(&(target as usize))
}

/// The cells that refer to an object. They stay what they are as long as no other task knows the object.
pub(crate) fn cells_of(target: *mut u8) -> Vec<*mut Cell> {
    let mut cells = Vec::new();
    if !IN_USE.load(Ordering::Relaxed) {
        return cells;
    }
    let part = part_of(target);
    let mut at = part.get(&(target as usize)).copied().unwrap_or(0) as *mut Cell;
    while !at.is_null() {
        cells.push(at);
        // SAFETY: as in `die`.
        at = unsafe { (*at).next };
    }
    cells
}

/// Lets those of the cells end whose target is none of these.
///
/// # Safety
/// The cells are live, and no other task knows them.
pub(crate) unsafe fn keep_within(cells: &[*mut Cell], is_within: impl Fn(*mut u8) -> bool) {
    for &cell in cells {
        // SAFETY: by the caller's promise.
        unsafe {
            if !target_of(cell).is_null() && !is_within(target_of(cell)) {
                unlink(cell);
            }
        }
    }
}

/// Refers a cell to the copy of its target.
///
/// # Safety
/// All are live.
pub(crate) unsafe fn redirect(cell: *mut Cell, from: *mut u8, to: *mut u8) {
    // SAFETY: by the caller's promise.
    unsafe {
        if target_of(cell) == from {
            unlink(cell);
            link(cell, to);
        }
    }
}

// ---- runtime functions

pub(crate) unsafe fn weak_refer(_fiber: *mut Fiber, cell: *mut u8, target: *mut u8) {
    // SAFETY: generated code passes live objects, the first of them a new `Weak`.
    unsafe { link(cell.cast(), target) }
}

pub(crate) unsafe fn weak_forget(_fiber: *mut Fiber, cell: *mut u8) {
    // SAFETY: generated code passes a live `Weak`.
    unsafe { unlink(cell.cast()) }
}

pub(crate) unsafe fn weak_target(fiber: *mut Fiber, cell: *mut u8) -> *mut u8 {
    // SAFETY: generated code passes a live `Weak` whose target only this task knows.
    unsafe {
        let target = target_of(cell.cast());
        if !target.is_null() {
            let header = target.cast::<Header>();
            match count(target) {
                count if count > 0 => (*header).count = count + 1,
                _ => retain_shared(fiber, target),
            }
        }
        target
    }
}

pub(crate) unsafe fn weak_target_shared(fiber: *mut Fiber, cell: *mut u8) -> *mut u8 {
    // SAFETY: generated code passes a live `Weak`. While the lock is held, its target's memory is not given back: the
    // thread that took the last count asks for the lock first (`release_shared`).
    unsafe {
        let cell = cell.cast::<Cell>();
        let target = target_of(cell);
        if target.is_null() {
            return target;
        }
        let _part = part_of(target);
        if target_of(cell) != target {
            return ptr::null_mut();
        }
        let header = target.cast::<Header>();
        if count(target) > 0 {
            (*header).count += 1;
            return target;
        }
        let count = AtomicI32::from_ptr(&raw mut (*header).count);
        let more = |count| if count < 0 { Some(count - 1) } else { None };
        if count.load(Ordering::Relaxed) < i32::MIN / 2 {
            retain_shared(fiber, target);
            return target;
        }
        match count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => target,
            Err(_) => ptr::null_mut(),
        }
    }
}

pub(crate) unsafe fn weak_alive(_fiber: *mut Fiber, cell: *mut u8) -> u8 {
    // SAFETY: generated code passes a live `Weak`.
    unsafe { !target_of(cell.cast()).is_null() as u8 }
}

pub(crate) unsafe fn weak_same(_fiber: *mut Fiber, a: *mut u8, b: *mut u8) -> u8 {
    // SAFETY: generated code passes live `Weak`s.
    unsafe {
        let target = |cell: *mut u8| target_of(cell.cast());
        (target(a) == target(b)) as u8
    }
}

pub(crate) unsafe fn weak_copied(fiber: *mut Fiber, from: *mut u8, to: *mut u8) {
    // SAFETY: generated code passes live `Weak`s, the second a new one. Another task may end the target meanwhile:
    // then its list is gone under the lock.
    unsafe {
        let (from, to) = (from.cast::<Cell>(), to.cast::<Cell>());
        let target = target_of(from);
        if target.is_null() {
            return;
        }
        {
            let mut part = part_of(target);
            if target_of(from) != target {
                return;
            }
            let head = part.insert(target as usize, to as usize);
            (*to).next = head.unwrap_or(0) as *mut Cell;
            (*to).target.store(target, Ordering::Release);
        }
        state(fiber).walks.note_weak(to, target);
    }
}

pub(crate) unsafe fn weak_end(_fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: destroy functions pass their object.
    unsafe { die(object) }
}

pub(crate) unsafe fn cross_weak(fiber: *mut Fiber, cell: *mut u8) {
    // SAFETY: generated code passes a live `Weak`.
    unsafe {
        if !state(fiber).cycles.is_tracing() {
            state(fiber).crossing.meet_weak(cell.cast());
        }
    }
}

pub(crate) unsafe fn cross_weak_shared(fiber: *mut Fiber, cell: *mut u8) {
    // SAFETY: generated code passes a live `Weak` to an object that several tasks may know.
    unsafe {
        if state(fiber).cycles.is_tracing() {
            return;
        }
        share(fiber, cell);
        let target = target_of(cell.cast());
        if !target.is_null() {
            let _part = part_of(target);
            if target_of(cell.cast()) == target {
                share(fiber, target);
            }
        }
    }
}

pub(crate) unsafe fn cross_target(fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: generated code passes a live object.
    unsafe {
        if !crate::crossing::noted_by_collector(fiber, object) {
            state(fiber).crossing.meet_target(object);
        }
    }
}
