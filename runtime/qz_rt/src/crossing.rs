//! What a value takes along to another task: is everything that can be changed reached from the value alone?
//!
//! A walk meets the objects of a graph. Those that nobody changes are shared from then on; so many of them need no
//! second look. For those that can be changed, references met are set against counts: if all counts are accounted for
//! in the end, nobody outside of the graph knows an object in it. An object with one count is met once, so only others
//! are remembered. Weak references are references like others: those from outside keep a graph from moving, and those
//! to the outside end. Generated code visits the parts of the objects that [`cross_next`] gives (`qz_opt::glue::cross`).

use std::collections::{HashMap, HashSet};

use qz_rt_abi::Fiber;
use qz_rt_abi::object::{FIRST_ADDRESS, Header, LOGGED, MET, StrObject, TYPE_INDEX};

use crate::context::state;
use crate::memory::{count, share};
use crate::strings;
use crate::weak::{self, Cell};

/// The walk of a fiber. No other code runs in between.
#[derive(Default)]
pub(crate) struct Crossing {
    /// Objects whose parts are still to be visited.
    waiting: Vec<*mut u8>,
    /// Objects with several counts, and how many of these are not met yet.
    met: HashMap<usize, i32, foldhash::fast::FixedState>,
    /// Weak references.
    weak: Vec<*mut Cell>,
    /// Objects of the types that are referred to weakly.
    targets: HashSet<usize, foldhash::fast::FixedState>,
    /// Objects of which the task's collector of circles knows.
    logged: Vec<*mut u8>,
    /// An object was met that other tasks know, or that must not leave its own.
    known_elsewhere: bool,
}

enum Met {
    First,
    Again,
}

impl Crossing {
    fn meet(&mut self, object: *mut u8, count: i32) -> Met {
        if count == 1 {
            return Met::First;
        }
        self.known_elsewhere |= count < 0;
        match self.met.get_mut(&(object as usize)) {
            Some(left) => {
                *left -= 1;
                Met::Again
            }
            None => {
                self.met.insert(object as usize, count - 1);
                Met::First
            }
        }
    }
}

impl Crossing {
    /// # Safety
    /// The cell is live.
    pub(crate) unsafe fn meet_weak(&mut self, cell: *mut Cell) {
        // SAFETY: by the caller's promise.
        if let Met::First = self.meet(cell.cast(), unsafe { count(cell.cast()) }) {
            self.weak.push(cell);
        }
    }

    /// # Safety
    /// The object is live, or a small number stands in its place.
    pub(crate) unsafe fn meet_target(&mut self, object: *mut u8) {
        if (object as u64) < FIRST_ADDRESS {
            return;
        }
        // SAFETY: by the caller's promise.
        if let Met::First = self.meet(object, unsafe { count(object) }) {
            self.targets.insert(object as usize);
            self.waiting.push(object);
            // SAFETY: by the caller's promise.
            unsafe { self.note_logged(object) };
        }
    }

    /// # Safety
    /// The object is live.
    unsafe fn note_logged(&mut self, object: *mut u8) {
        // SAFETY: by the caller's promise.
        if unsafe { (*object.cast::<Header>()).type_index } & (LOGGED | MET) != 0 {
            self.logged.push(object);
        }
    }

    /// Whether every object met so far had one count, and nothing else is to be told of any.
    fn remembers_nothing(&self) -> bool {
        self.met.is_empty() && self.weak.is_empty() && self.targets.is_empty() && self.logged.is_empty()
    }

    /// Whether all weak references to what was met were met, too.
    fn knows_all_weak(&self) -> bool {
        let met: HashSet<*mut Cell> = self.weak.iter().copied().collect();
        self.targets.iter().all(|&target| weak::cells_of(target as *mut u8).iter().all(|it| met.contains(it)))
    }
}

/// Whether it is the collector of circles that visits the parts of an object, and has noted this one.
///
/// # Safety
/// The fiber is live, and so is the object, or a small number stands in its place.
pub(crate) unsafe fn noted_by_collector(fiber: *mut Fiber, object: *mut u8) -> bool {
    // SAFETY: by the caller's promise.
    unsafe {
        let cycles = &mut state(fiber).cycles;
        if !cycles.is_tracing() {
            return false;
        }
        cycles.meet(fiber, object);
        true
    }
}

pub(crate) unsafe fn cross_begin(fiber: *mut Fiber) {
    // SAFETY: generated code passes a live fiber.
    let walk = unsafe { &mut state(fiber).crossing };
    // A panic may have kept an earlier one from ending.
    walk.waiting.clear();
    walk.known_elsewhere = false;
    if walk.remembers_nothing() {
        return;
    }
    walk.met.clear();
    walk.weak.clear();
    walk.targets.clear();
    walk.logged.clear();
}

/// Whether nobody outside knows what can be changed.
pub(crate) unsafe fn cross_end(fiber: *mut Fiber) -> u8 {
    // SAFETY: as above.
    let state = unsafe { state(fiber) };
    let walk = &mut state.crossing;
    if walk.remembers_nothing() {
        return !walk.known_elsewhere as u8;
    }
    // What a generator sends may be in mind of the task that walks through it.
    let known_elsewhere = walk.known_elsewhere || (state.cycles.is_off && !walk.logged.is_empty());
    let is_isolated = !known_elsewhere && walk.met.values().all(|&left| left == 0) && walk.knows_all_weak();
    if is_isolated {
        // SAFETY: they were met, so they are live, and only the value that goes knows them.
        unsafe { weak::keep_within(&walk.weak, |target| walk.targets.contains(&(target as usize))) };
        // SAFETY: the fiber is live, and so are the objects.
        walk.logged.drain(..).for_each(|object| unsafe { state.cycles.unlog(fiber, object) });
    }
    walk.met.clear();
    is_isolated as u8
}

pub(crate) unsafe fn cross_next(fiber: *mut Fiber) -> *mut u8 {
    // SAFETY: as above.
    unsafe { state(fiber).crossing.waiting.pop().unwrap_or_default() }
}

pub(crate) unsafe fn cross_text(fiber: *mut Fiber, text: *mut StrObject) {
    // SAFETY: generated code passes a live fiber and a live string, or `None` in a string's place.
    unsafe {
        if state(fiber).cycles.is_tracing() {
            return;
        }
        let mut at = text;
        while at as u64 >= FIRST_ADDRESS && count(at.cast()) > 0 {
            share(fiber, at.cast());
            match strings::owner(at) {
                Some(owner) => at = owner,
                None => return,
            }
        }
    }
}

pub(crate) unsafe fn cross_cell(fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: generated code passes a live fiber and a live object, or a small number in its place.
    unsafe {
        if noted_by_collector(fiber, object) {
            return;
        }
        if object as u64 >= FIRST_ADDRESS && count(object) > 0 {
            share(fiber, object);
            state(fiber).crossing.waiting.push(object);
        }
    }
}

pub(crate) unsafe fn cross_object(fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: as above.
    unsafe {
        if noted_by_collector(fiber, object) || (object as u64) < FIRST_ADDRESS {
            return;
        }
        let walk = &mut state(fiber).crossing;
        if let Met::First = walk.meet(object, count(object)) {
            walk.waiting.push(object);
            walk.note_logged(object);
        }
    }
}

pub(crate) unsafe fn cross_never(fiber: *mut Fiber) {
    // SAFETY: as above.
    unsafe { state(fiber).crossing.known_elsewhere = true };
}

pub(crate) unsafe fn cross_function(fiber: *mut Fiber, object: *mut u8) -> i64 {
    const UNCHANGING: i64 = 0;
    const VISIT: i64 = 1;
    const VISITED: i64 = 2;
    // SAFETY: as above.
    unsafe {
        if noted_by_collector(fiber, object) {
            return VISITED;
        }
        if (object as u64) < FIRST_ADDRESS || count(object) < 0 {
            return UNCHANGING;
        }
        match state(fiber).crossing.meet(object, count(object)) {
            Met::First => {
                state(fiber).crossing.note_logged(object);
                VISIT
            }
            Met::Again => VISITED,
        }
    }
}

pub(crate) unsafe fn cross_settle(fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: as above.
    unsafe {
        let met = &mut state(fiber).crossing.met;
        if !met.is_empty() {
            met.remove(&(object as usize));
        }
        share(fiber, object);
    }
}

/// The type of an object that one reference leads to, and of which no collector of circles knows; 0 for one that is
/// shared already, -1 for others.
pub(crate) unsafe fn lone_type(_fiber: *mut Fiber, object: *mut u8) -> i64 {
    // SAFETY: generated code passes a live object, or a small number in its place.
    unsafe {
        if (object as u64) < FIRST_ADDRESS || count(object) < 0 {
            return 0;
        }
        let index = (*object.cast::<Header>()).type_index;
        if count(object) == 1 && index & (LOGGED | MET) == 0 { i64::from(index & TYPE_INDEX) } else { -1 }
    }
}

pub(crate) unsafe fn object_type(_fiber: *mut Fiber, object: *mut u8) -> i64 {
    // SAFETY: generated code passes a live object.
    unsafe { i64::from((*object.cast::<Header>()).type_index & TYPE_INDEX) }
}
