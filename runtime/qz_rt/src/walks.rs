//! Walks over objects that may lead back to where they came from: `show` stops at an object being shown,
//! `clone` copies each object of a graph once.

use std::collections::{HashMap, HashSet};

use qz_rt_abi::Fiber;
use qz_rt_abi::object::Header;

use crate::context::state;
use crate::memory::defer_destroy;

type Addresses<V> = HashMap<usize, V, foldhash::fast::FixedState>;

/// The walks of a fiber.
#[derive(Default)]
pub(crate) struct Walks {
    shown: Vec<usize>,
    shown_set: HashSet<usize, foldhash::fast::FixedState>,
    copies: Addresses<*mut u8>,
    /// How many objects on the stack are being copied.
    copying: u32,
    /// Panics on their way when the copy began. With more, it was given up, and its objects go.
    panics: usize,
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

pub(crate) unsafe fn copy_known(fiber: *mut Fiber, object: *mut u8) -> u8 {
    // SAFETY: generated code passes a live fiber.
    let state = unsafe { state(fiber) };
    let walks = &state.walks;
    (walks.copying > 0 && walks.panics == state.panics.len() && walks.copies.contains_key(&(object as usize)))
        as u8
}

pub(crate) unsafe fn copy_of(fiber: *mut Fiber, object: *mut u8) -> *mut u8 {
    // SAFETY: generated code passes a live fiber, and objects whose copy is known, which is alive because of
    // the count that the note holds.
    unsafe {
        let copy = state(fiber).walks.copies[&(object as usize)];
        retain(copy);
        copy
    }
}

pub(crate) unsafe fn copy_begin(fiber: *mut Fiber, wanted: u8) -> u8 {
    // SAFETY: generated code passes a live fiber.
    let state = unsafe { state(fiber) };
    let walks = &mut state.walks;
    if walks.copying == 0 {
        if wanted == 0 {
            return 0;
        }
        walks.panics = state.panics.len();
    } else if walks.panics != state.panics.len() {
        return 0;
    }
    walks.copying += 1;
    1
}

/// Both objects are kept alive as long as the note stands, so that no other gets their address: a `clone`
/// written by hand may let go of either.
pub(crate) unsafe fn copy_note(fiber: *mut Fiber, object: *mut u8, copy: *mut u8) {
    // SAFETY: generated code passes a live fiber and live objects.
    unsafe {
        if state(fiber).walks.copies.insert(object as usize, copy).is_none() {
            retain(object);
            retain(copy);
        }
    }
}

pub(crate) unsafe fn copy_end(fiber: *mut Fiber) {
    // SAFETY: generated code passes a live fiber; every note holds a count of both objects.
    unsafe {
        let walks = &mut state(fiber).walks;
        walks.copying -= 1;
        if walks.copying > 0 {
            return;
        }
        for (object, copy) in std::mem::take(&mut walks.copies) {
            release(fiber, object as *mut u8);
            release(fiber, copy);
        }
    }
}

/// # Safety
/// The object is live.
unsafe fn retain(object: *mut u8) {
    // SAFETY: the caller's; immortal objects have negative counts and keep them.
    unsafe {
        let header = object.cast::<Header>();
        if (*header).count > 0 {
            (*header).count += 1;
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
        match (*header).count {
            1 => defer_destroy(fiber, object),
            count if count > 1 => (*header).count = count - 1,
            _ => {}
        }
    }
}
