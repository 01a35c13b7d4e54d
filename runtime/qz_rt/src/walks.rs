//! Walks over objects that may lead back to where they came from: `show` stops at an object being shown,
//! `clone` copies each object of a graph once.

use std::collections::{HashMap, HashSet};

use qz_rt_abi::Fiber;
use qz_rt_abi::object::Header;

use crate::context::state;
use crate::memory::{count, defer_destroy, release_shared, retain_shared};
use crate::weak::{self, Cell};

type Addresses<V> = HashMap<usize, V, foldhash::fast::FixedState>;

/// The walks of a fiber.
#[derive(Default)]
pub(crate) struct Walks {
    shown: Vec<usize>,
    shown_set: HashSet<usize, foldhash::fast::FixedState>,
    /// A part that is about to be copied. Only compared.
    part: usize,
    /// Copies under way; a `clone` written by hand begins one inside of another.
    copies: Vec<CopyWalk>,
}

#[derive(Default)]
struct CopyWalk {
    /// Whether an object may be met twice.
    remembers: bool,
    copies: Addresses<*mut u8>,
    /// Copies of weak references, by what they refer to until that is copied.
    weak: Addresses<Vec<*mut Cell>>,
    /// Objects and copies, of which a count is held, so that no other gets their address: a `clone` written by hand
    /// may let go of either.
    kept: Vec<*mut u8>,
    /// How many objects on the stack are being copied.
    depth: u32,
    /// Panics on their way when the walk began. With more it was given up, and its objects go.
    panics: usize,
}

impl Walks {
    /// A weak reference to `target` was copied: it is to refer to the copy of that, if there is or will be one.
    ///
    /// # Safety
    /// Both are live.
    pub(crate) unsafe fn note_weak(&mut self, cell: *mut Cell, target: *mut u8) {
        let Some(walk) = self.copies.last_mut().filter(|walk| walk.remembers) else { return };
        // SAFETY: by the caller's promise; the walk holds counts of the copies that it knows.
        unsafe {
            match walk.copies.get(&(target as usize)) {
                Some(&copy) => weak::redirect(cell, target, copy),
                None => {
                    retain(cell.cast());
                    walk.kept.push(cell.cast());
                    walk.weak.entry(target as usize).or_default().push(cell);
                }
            }
        }
    }
}

pub(crate) unsafe fn show_enter(fiber: *mut Fiber, object: *mut u8) -> u8 {
    // SAFETY: generated code passes a live fiber.
    let walks = unsafe { &mut state(fiber).walks };
    let is_new = walks.shown_set.insert(object as usize);
    if is_new {
        walks.shown.push(object as usize);
    }
    is_new as u8
}

pub(crate) unsafe fn show_leave(fiber: *mut Fiber) {
    // SAFETY: generated code passes a live fiber.
    let walks = unsafe { &mut state(fiber).walks };
    if let Some(object) = walks.shown.pop() {
        walks.shown_set.remove(&object);
    }
}

pub(crate) unsafe fn copy_part(fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: generated code passes a live fiber.
    unsafe { state(fiber).walks.part = object as usize };
}

pub(crate) unsafe fn copy_look(fiber: *mut Fiber, object: *mut u8) -> i64 {
    const ROOT: i64 = 0;
    const KNOWN: i64 = 1;
    const NEW: i64 = 2;
    const NEW_UNNOTED: i64 = 3;
    // SAFETY: generated code passes a live fiber.
    let state = unsafe { state(fiber) };
    let is_part = std::mem::take(&mut state.walks.part) == object as usize;
    match state.walks.copies.last() {
        Some(walk) if is_part && walk.panics == state.panics.len() => match walk.remembers {
            false => NEW_UNNOTED,
            true if walk.copies.contains_key(&(object as usize)) => KNOWN,
            true => NEW,
        },
        _ => ROOT,
    }
}

pub(crate) unsafe fn copy_of(fiber: *mut Fiber, object: *mut u8) -> *mut u8 {
    // SAFETY: generated code passes a live fiber, and objects whose copy is known, which is alive because of
    // the count that the walk holds.
    unsafe {
        let walk = state(fiber).walks.copies.last().expect("`copy_look` found it");
        let copy = walk.copies[&(object as usize)];
        retain(copy);
        copy
    }
}

pub(crate) unsafe fn copy_begin(fiber: *mut Fiber, is_root: u8, remembers: u8) {
    // SAFETY: generated code passes a live fiber.
    let state = unsafe { state(fiber) };
    if is_root != 0 {
        let panics = state.panics.len();
        state.walks.copies.push(CopyWalk { remembers: remembers != 0, panics, ..CopyWalk::default() });
    }
    if let Some(walk) = state.walks.copies.last_mut() {
        walk.depth += 1;
    }
}

pub(crate) unsafe fn copy_note(fiber: *mut Fiber, object: *mut u8, copy: *mut u8) {
    // SAFETY: generated code passes a live fiber and live objects.
    unsafe {
        let Some(walk) = state(fiber).walks.copies.last_mut() else { return };
        if walk.remembers && walk.copies.insert(object as usize, copy).is_none() {
            retain(object);
            retain(copy);
            walk.kept.extend([object, copy]);
            for cell in walk.weak.remove(&(object as usize)).into_iter().flatten() {
                weak::redirect(cell, object, copy);
            }
        }
    }
}

pub(crate) unsafe fn copy_end(fiber: *mut Fiber) {
    // SAFETY: generated code passes a live fiber; a walk holds a count of what it keeps.
    unsafe {
        let walks = &mut state(fiber).walks;
        let Some(walk) = walks.copies.last_mut() else { return };
        walk.depth -= 1;
        if walk.depth == 0 {
            let kept = walks.copies.pop().map(|walk| walk.kept);
            kept.into_iter().flatten().for_each(|object| release(fiber, object));
        }
    }
}

/// # Safety
/// The object is live.
unsafe fn retain(object: *mut u8) {
    // SAFETY: the caller's; immortal objects have negative counts and keep them.
    unsafe {
        let header = object.cast::<Header>();
        match count(object) {
            count if count > 0 => (*header).count = count + 1,
            _ => retain_shared(std::ptr::null_mut(), object),
        }
    }
}

/// Gives up a count. If it was the last one, the object goes with the next that is destroyed.
///
/// # Safety
/// The object is live, and the count is the caller's to give up.
unsafe fn release(fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: the caller's.
    unsafe {
        let header = object.cast::<Header>();
        match count(object) {
            1 => defer_destroy(fiber, object),
            count if count > 1 => (*header).count = count - 1,
            _ if release_shared(fiber, object) != 0 => defer_destroy(fiber, object),
            _ => {}
        }
    }
}
