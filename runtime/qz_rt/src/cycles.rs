//! The collector of circles: objects that refer to each other, and that nobody else refers to.
//!
//! After Bacon and Rajan ("Concurrent Cycle Collection in Reference Counted Systems", 2001), each task for itself, and a
//! part at a time. What may be left in a circle lost a reference and has others: such objects are *logged*
//! (`cycles_log`), once, which a bit beside their type index says. When there are enough of them, the objects below them
//! are visited, and the references met are set against counts: those that have more, and all below them, are in use.
//!
//! The program runs between the parts, so the others need a second look. From the time an object is met, each reference
//! that is given up logs it anew, and each that is moved out of an object marks it ([`CHANGED`]; see
//! `qz_opt::cycles::log_moves`). One that has the count that it had then, and is neither logged nor marked, lost no
//! reference that was met; so all its references were where they were met when the last object had been visited, and
//! none was anywhere else. If that is true of a set of objects whose references all come from the set, nobody could
//! reach them then, and so nobody can later, but by a weak reference.
//!
//! A container with many elements is visited a part at a time, too ([`Cycles::visit_part`]), from the first element to the
//! last. In between its elements may move, without a word about each. Those that move to an earlier place are missed at
//! worst, and what has a reference that was not met is in use. What makes elements move to later ones, where they would
//! be met twice, or to other memory, marks the container; so what it refers to is in use as well, however often it was met.
//!
//! They end in stages. Each has a great many counts meanwhile, so that nothing ends it twice. First every `drop` that
//! somebody wrote runs, while all objects are there. What is in use again afterwards lives on, as a second
//! search of the same kind finds. The others are taken apart, and only then their memory is given back.
//!
//! Generated code visits the parts of objects by what it has for values that cross (`qz_opt::glue::cross`); while
//! [`Cycles::is_tracing`], the functions that it tells of objects only note them here. `std/cycles.qz` has the loop.

use qz_rt_abi::Fiber;
use qz_rt_abi::object::{
    CHANGED, CONDEMNED, END_WATCHED, FIRST_ADDRESS, Header, LOGGED, MAY_CYCLE, MET, TYPE_INDEX, TypeInfo,
};

use crate::context::state;
use crate::graph::{Chunked, Graph};
use crate::memory::{count, defer_destroy, release_block};
use crate::weak;

/// So many objects are logged before the first search.
const FEW: usize = 4096;
/// So many objects are handed to destroy functions at a time.
const BATCH: usize = 64;
/// So many objects and references are looked at in one part of the work.
const PART: usize = 1024;
/// So many objects are made between two parts.
const PATIENCE: u32 = 16;
/// What an object's count is more by, while it ends.
const PINS: i32 = 1 << 29;

/// What a task knows of circles.
#[derive(Default)]
pub(crate) struct Cycles {
    /// A generator's fiber: the objects are those of the task that walks through it.
    pub(crate) is_off: bool,
    log: Chunked<*mut u8>,
    /// How many logged objects are enough.
    enough: usize,
    /// Objects made since the last part of the work.
    made: u32,
    /// The work is being done; nothing that it calls begins it again.
    busy: bool,
    /// Nothing is put off.
    all: bool,
    /// Objects and references that may still be looked at in this part.
    left: usize,
    stage: Stage,
    /// What is being visited.
    visit: Visit,
    /// Where a search begins.
    roots: Chunked<*mut u8>,
    graph: Graph,
    /// An earlier one, whose memory is given back.
    old: Option<Graph>,
    tracing: bool,
    /// Those without a reference from outside that have weak references.
    weakly: Vec<u32>,
    doomed: Chunked<*mut u8>,
    /// Those of the graph that will be.
    kept: Chunked<*mut u8>,
    /// How many of them, or of the graph, the stage is done with.
    done: usize,
    watched: bool,
    /// Something ended since the last search, so another one may find more.
    found: bool,
}

/// The visit of an object: all at once, but for a container with many elements.
#[derive(Default)]
struct Visit {
    object: *mut u8,
    /// So many of its elements were visited.
    elements: usize,
    /// There are more.
    goes_on: bool,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Idle,
    /// Objects below those that were logged are visited.
    Search,
    /// What somebody outside refers to is in use, and what is below that.
    Split,
    /// What is not must be as it was.
    Check,
    /// Each object is in use from now on, or doomed.
    Doom,
    /// Runs what somebody wrote.
    Drop,
    /// The doomed objects are visited again, for what is in use after all.
    SearchAgain,
    TakeApart,
    Free,
}

/// # Safety
/// The object is live, and no other thread knows it.
unsafe fn header<'a>(object: *mut u8) -> &'a mut Header {
    // SAFETY: by the caller's promise.
    unsafe { &mut *object.cast() }
}

/// # Safety
/// The fiber and the object are live.
unsafe fn info<'a>(fiber: *mut Fiber, object: *mut u8) -> &'a TypeInfo {
    // SAFETY: by the caller's promise; the index is one of the table's.
    unsafe { &*(*fiber).types.add((header(object).type_index & TYPE_INDEX) as usize) }
}

impl Cycles {
    pub(crate) fn is_tracing(&self) -> bool {
        self.tracing
    }

    /// Notes a reference from the object that is being visited.
    ///
    /// # Safety
    /// The fiber is live, and so is the object, or a small number stands in its place.
    pub(crate) unsafe fn meet(&mut self, fiber: *mut Fiber, object: *mut u8) {
        // SAFETY: by the caller's promise.
        unsafe {
            if (object as u64) < FIRST_ADDRESS
                || count(object) <= 0
                || info(fiber, object).name_len & MAY_CYCLE == 0
            {
                return;
            }
            if self.stage == Stage::Search {
                self.enter(object);
            }
        }
        self.left = self.left.saturating_sub(1);
        self.graph.refer(object);
    }

    /// An object becomes part of the search: from now on it is known if it loses a reference.
    ///
    /// # Safety
    /// The object is live.
    unsafe fn enter(&mut self, object: *mut u8) {
        // SAFETY: by the caller's promise.
        unsafe {
            let header = header(object);
            if header.type_index & MET == 0 {
                header.type_index |= MET;
                let moved = self.graph.add(object, count_without_pins(header));
                self.left = self.left.saturating_sub(moved);
            }
        }
    }

    /// Doomed objects become part of the search for those that are in use after all. Nobody logs them, so the bit that
    /// says it is free to tell of references given up ([`cycles_log`]).
    ///
    /// # Safety
    /// They are live.
    unsafe fn enter_doomed(&mut self) {
        while self.left > 0 && self.graph.len() < self.doomed.len() {
            let object = *self.doomed.get(self.graph.len());
            self.left -= 1;
            // SAFETY: by the caller's promise.
            unsafe {
                header(object).type_index &= !LOGGED;
                self.enter(object);
            }
        }
    }

    /// Begins a search with what is logged.
    fn search(&mut self) {
        self.roots = std::mem::take(&mut self.log);
        self.graph = Graph::default();
        self.done = 0;
        self.stage = if self.roots.len() == 0 { Stage::Idle } else { Stage::Search };
    }

    /// The next object to visit, of those met or of those that were logged.
    ///
    /// # Safety
    /// The fiber is live and its own.
    unsafe fn next(&mut self, fiber: *mut Fiber) -> Option<*mut u8> {
        if self.stage == Stage::SearchAgain {
            // SAFETY: doomed objects are live.
            unsafe { self.enter_doomed() };
            if self.left == 0 {
                return None;
            }
        }
        // All of these first: one that is logged when it is met was logged since.
        while let Some(object) = self.roots.pop() {
            self.left = self.left.saturating_sub(1);
            // SAFETY: what is logged has its memory until it is taken from the log. One that several tasks know by now
            // was unlogged, unless a generator shared it; then it is in no circle.
            unsafe {
                match count(object) {
                    0 => release_block(fiber, object),
                    count => {
                        header(object).type_index &= !LOGGED;
                        if count > 0 {
                            self.enter(object);
                        }
                    }
                }
            }
            if self.left == 0 {
                return None;
            }
        }
        if !std::mem::take(&mut self.visit.goes_on) {
            self.visit = Visit { object: self.graph.next()?, ..Visit::default() };
        }
        Some(self.visit.object)
    }

    /// Of so many elements of the container that is being visited, those before this one are looked at now.
    fn visit_part(&mut self, elements: usize) -> usize {
        // Each is a reference, and may be the first one to its object. One at least, so that there is an end to it.
        let to = self.visit.elements.saturating_add((self.left / 2).max(1));
        if to >= elements {
            return elements;
        }
        (self.visit.elements, self.visit.goes_on) = (to, true);
        self.left = 0;
        to
    }

    /// Goes on as far as this part goes.
    ///
    /// # Safety
    /// As for [`Cycles::next`].
    unsafe fn go_on(&mut self, fiber: *mut Fiber) {
        while self.left > 0 {
            match self.stage {
                Stage::Search | Stage::SearchAgain if self.is_searching() => return,
                Stage::Search | Stage::SearchAgain => (self.stage, self.done) = (Stage::Split, 0),
                Stage::Split => self.split(),
                // SAFETY: by the caller's promise.
                Stage::Check => unsafe { self.check() },
                // SAFETY: by the caller's promise.
                Stage::Doom => unsafe { self.doom(fiber) },
                Stage::Idle | Stage::Drop | Stage::TakeApart | Stage::Free => return,
            }
        }
    }

    fn is_searching(&self) -> bool {
        let waits = match self.stage {
            Stage::Search => self.roots.len() > 0,
            _ => self.graph.len() < self.doomed.len(),
        };
        waits || self.visit.goes_on || self.graph.has_next()
    }

    fn split(&mut self) {
        let is_over = self.graph.spread(&mut self.left);
        if is_over && self.done == self.graph.len() {
            (self.stage, self.done) = (Stage::Check, 0);
        } else if is_over {
            self.graph.start_at(self.done);
            self.done += 1;
            self.left = self.left.saturating_sub(1);
        }
    }

    /// An object that is not as it was, is in use.
    ///
    /// # Safety
    /// As for [`Cycles::next`].
    unsafe fn check(&mut self) {
        if !self.graph.spread(&mut self.left) {
            return;
        }
        if self.done == self.graph.len() {
            let weakly = std::mem::take(&mut self.weakly);
            // SAFETY: objects in the graph have their memory.
            let has_changed = |at| unsafe { has_changed(&self.graph, at) };
            let changed = |&at: &u32| self.graph.is_loose(at as usize) && has_changed(at as usize);
            let changed: Vec<u32> = weakly.iter().copied().filter(changed).collect();
            if changed.is_empty() {
                for at in weakly.into_iter().filter(|&at| self.graph.is_loose(at as usize)) {
                    // SAFETY: nobody else refers to it.
                    unsafe { weak::die(self.graph.object(at as usize)) };
                }
                (self.stage, self.done) = (Stage::Doom, 0);
                return;
            }
            changed.iter().for_each(|&at| self.graph.set_in_use(at as usize));
            self.weakly = weakly;
            return;
        }
        let at = self.done;
        self.done += 1;
        self.left = self.left.saturating_sub(1);
        if !self.graph.is_loose(at) {
            return;
        }
        // SAFETY: objects in the graph have their memory.
        unsafe {
            if has_changed(&self.graph, at) {
                self.graph.set_in_use(at);
            } else if weak::is_target(self.graph.object(at)) {
                self.weakly.push(at as u32);
            }
        }
    }

    /// # Safety
    /// As for [`Cycles::next`].
    unsafe fn doom(&mut self, fiber: *mut Fiber) {
        if self.done == self.graph.len() {
            return self.begin_end();
        }
        let (at, again) = (self.done, self.roots_are_doomed());
        let object = self.graph.object(at);
        self.done += 1;
        self.left = self.left.saturating_sub(1);
        // SAFETY: objects in the graph have their memory. Those to end are reached by nobody else.
        unsafe {
            let header = header(object);
            header.type_index &= !(MET | CHANGED);
            if again {
                header.type_index |= LOGGED;
                if self.graph.is_loose(at) {
                    self.kept.push(object);
                } else {
                    header.count -= PINS;
                    header.type_index &= !CONDEMNED;
                    self.log.push(object);
                }
                return;
            }
            if self.graph.is_loose(at) {
                self.kept.push(object);
                header.count += PINS;
                header.type_index |= LOGGED | CONDEMNED;
                self.watched |= info(fiber, object).name_len & END_WATCHED != 0;
            } else if header.count == 0 && header.type_index & LOGGED == 0 {
                release_block(fiber, object);
            }
        }
    }

    /// Whether the graph is that of doomed objects, whose `drop`s have run.
    fn roots_are_doomed(&self) -> bool {
        self.doomed.len() > 0
    }

    fn begin_end(&mut self) {
        let again = self.roots_are_doomed();
        let graph = self.old.insert(std::mem::take(&mut self.graph));
        if !again {
            // A search is worth as many references given up as it visits objects that stay.
            self.enough = FEW.max(graph.in_use() / 2);
        }
        self.doomed = std::mem::take(&mut self.kept);
        self.found |= self.doomed.len() > 0;
        self.done = 0;
        self.stage = match (self.doomed.len(), self.watched && !again) {
            (0, _) => Stage::Idle,
            (_, true) => Stage::Drop,
            (_, false) => Stage::TakeApart,
        };
        self.watched = false;
    }

    fn search_again(&mut self) {
        self.graph = Graph::default();
        self.stage = Stage::SearchAgain;
    }

    /// Forgets an object that other tasks are about to know. A search that met it is given up.
    ///
    /// # Safety
    /// The fiber is live and its own.
    pub(crate) unsafe fn unlog(&mut self, fiber: *mut Fiber, object: *mut u8) {
        self.log.remove_last(object);
        self.roots.remove_last(object);
        // SAFETY: what is logged has its memory.
        unsafe {
            if header(object).type_index & MET != 0 {
                self.let_go(fiber);
                self.log.remove_last(object);
            }
            header(object).type_index &= !LOGGED;
        }
    }

    /// Knows no object that somebody refers to, when this is over, but those that are logged.
    ///
    /// # Safety
    /// The fiber is live and its own.
    unsafe fn let_go(&mut self, fiber: *mut Fiber) {
        if self.roots_are_doomed() {
            return;
        }
        if matches!(self.stage, Stage::Search | Stage::Split | Stage::Check) {
            self.give_up();
        }
        while self.stage == Stage::Doom {
            // SAFETY: by the caller's promise.
            unsafe { self.doom(fiber) };
        }
    }

    /// What was met is logged again.
    fn give_up(&mut self) {
        for at in 0..self.graph.len() {
            let object = self.graph.object(at);
            // SAFETY: objects in the graph have their memory.
            unsafe {
                let header = header(object);
                header.type_index &= !(MET | CHANGED);
                if header.type_index & LOGGED == 0 {
                    header.type_index |= LOGGED;
                    self.log.push(object);
                }
            }
        }
        while let Some(object) = self.roots.pop() {
            self.log.push(object);
        }
        self.graph = Graph::default();
        self.visit = Visit::default();
        self.weakly.clear();
        self.stage = Stage::Idle;
    }

    /// The fiber ends: objects that live on are those of others.
    ///
    /// # Safety
    /// The fiber is live.
    pub(crate) unsafe fn end(&mut self, fiber: *mut Fiber) {
        // SAFETY: by the caller's promise.
        unsafe { self.let_go(fiber) };
        while let Some(object) = self.log.pop() {
            // SAFETY: as in `next`.
            unsafe {
                header(object).type_index &= !LOGGED;
                if header(object).count == 0 {
                    release_block(fiber, object);
                }
            }
        }
        if self.holds_nothing() {
            (self.is_off, self.busy, self.all, self.tracing, self.watched, self.found) = Default::default();
            (self.enough, self.made, self.left, self.done) = Default::default();
            self.visit = Visit::default();
        } else {
            *self = Cycles::default();
        }
    }

    /// Most tasks never come to look for circles.
    fn holds_nothing(&self) -> bool {
        let objects = self.log.len() + self.roots.len() + self.doomed.len() + self.kept.len();
        objects == 0
            && self.stage == Stage::Idle
            && self.graph.holds_nothing()
            && self.old.is_none()
            && self.weakly.capacity() == 0
    }
}

/// The references that a program knows of.
fn count_without_pins(header: &Header) -> i32 {
    header.count - if header.type_index & CONDEMNED != 0 { PINS } else { 0 }
}

/// Whether an object of the graph was referred to by more or others since it was met.
///
/// # Safety
/// It has its memory.
unsafe fn has_changed(graph: &Graph, at: usize) -> bool {
    // SAFETY: by the caller's promise.
    let header = unsafe { header(graph.object(at)) };
    count_without_pins(header) != graph.count(at) || header.type_index & (LOGGED | CHANGED) != 0
}

/// Whether the memory of an object that has ended is the collector's to give back, because it has it in mind.
///
/// # Safety
/// The object is live, and its parts were released.
pub(crate) unsafe fn keeps_memory(object: *mut u8) -> bool {
    // SAFETY: by the caller's promise.
    let header = unsafe { header(object) };
    if header.type_index & CONDEMNED != 0 {
        return true;
    }
    let known = header.type_index & (LOGGED | MET) != 0;
    if known {
        header.count = 0;
    }
    known
}

// ---- runtime functions

pub(crate) unsafe fn cycles_log(fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: generated code passes a live fiber and a live object.
    unsafe {
        let cycles = &mut state(fiber).cycles;
        if cycles.tracing {
            // What visits parts takes counts and gives them up, and changes nothing.
            return;
        }
        if header(object).type_index & CONDEMNED != 0 {
            // That it lost a reference is all that matters.
            header(object).type_index |= LOGGED;
        } else if !cycles.is_off {
            header(object).type_index |= LOGGED;
            cycles.log.push(object);
        } else if header(object).type_index & MET != 0 {
            // The search is that of the task that walks through the generator.
            header(object).type_index |= CHANGED;
        }
    }
}

pub(crate) unsafe fn cycles_moved(_fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: generated code passes a live object, or a small number in its place.
    unsafe {
        if object as u64 >= FIRST_ADDRESS && header(object).type_index & MET != 0 {
            header(object).type_index |= CHANGED;
        }
    }
}

pub(crate) unsafe fn cycles_from(fiber: *mut Fiber) -> i64 {
    // SAFETY: generated code passes a live fiber.
    let cycles = unsafe { &mut state(fiber).cycles };
    if cycles.tracing { cycles.visit.elements as i64 } else { 0 }
}

pub(crate) unsafe fn cycles_to(fiber: *mut Fiber, elements: i64) -> i64 {
    // SAFETY: as above.
    let cycles = unsafe { &mut state(fiber).cycles };
    if cycles.tracing { cycles.visit_part(elements as usize) as i64 } else { elements }
}

pub(crate) unsafe fn cycles_due(fiber: *mut Fiber) -> u8 {
    // SAFETY: generated code passes a live fiber.
    unsafe {
        let cycles = &mut state(fiber).cycles;
        cycles.made += 1;
        if cycles.made < PATIENCE {
            return 0;
        }
        cycles.made = 0;
        let waits =
            cycles.log.len() >= cycles.enough.max(FEW) || cycles.stage != Stage::Idle || cycles.old.is_some();
        (waits && !cycles.busy && (*fiber).drop_depth == 0 && (*fiber).panicking == 0) as u8
    }
}

pub(crate) unsafe fn cycles_begin(fiber: *mut Fiber, all: u8) {
    // SAFETY: as above.
    unsafe {
        let cycles = &mut state(fiber).cycles;
        if cycles.is_off {
            return;
        }
        cycles.busy = true;
        cycles.all = all != 0;
        cycles.left = if cycles.all { usize::MAX } else { PART };
        if !cycles.all && cycles.old.is_some() {
            cycles.old.take_if(|old| !old.shrink());
            cycles.left /= 2;
        }
        // What was begun earlier is not all.
        cycles.found = cycles.all && cycles.stage != Stage::Idle;
        let waits = cycles.all || cycles.log.len() >= cycles.enough.max(FEW);
        if waits && cycles.stage == Stage::Idle {
            cycles.search();
        }
    }
}

pub(crate) unsafe fn cycles_next(fiber: *mut Fiber) -> *mut u8 {
    // SAFETY: as above.
    unsafe {
        let cycles = &mut state(fiber).cycles;
        cycles.tracing = false;
        if !matches!(cycles.stage, Stage::Search | Stage::SearchAgain) || cycles.left == 0 {
            return std::ptr::null_mut();
        }
        cycles.left -= 1;
        // What ended since it was met has no parts.
        let next = loop {
            match cycles.next(fiber) {
                Some(object) if header(object).count == 0 => {}
                other => break other,
            }
        };
        cycles.tracing = next.is_some();
        next.unwrap_or_default()
    }
}

pub(crate) unsafe fn cycles_found(fiber: *mut Fiber) -> u8 {
    // SAFETY: as above.
    unsafe {
        let cycles = &mut state(fiber).cycles;
        cycles.go_on(fiber);
        if cycles.stage == Stage::Idle && cycles.all && cycles.busy && std::mem::take(&mut cycles.found) {
            cycles.search();
        }
        let goes_on = cycles.stage != Stage::Idle && cycles.left > 0;
        cycles.busy &= goes_on;
        goes_on as u8
    }
}

pub(crate) unsafe fn cycles_release(fiber: *mut Fiber, _sweep: *mut u8) -> u8 {
    // SAFETY: as above. Doomed objects have their memory until the last stage.
    unsafe {
        if (*fiber).deferred_count > 0 {
            return 1;
        }
        let cycles = &mut state(fiber).cycles;
        if !matches!(cycles.stage, Stage::Drop | Stage::TakeApart | Stage::Free) {
            return 0;
        }
        let from = cycles.done;
        let to = (from + BATCH.min(cycles.left)).min(cycles.doomed.len());
        cycles.left -= to - from;
        cycles.done = to;
        let is_over = from == cycles.doomed.len();
        let batch: Vec<*mut u8> = (from..to).map(|at| *cycles.doomed.get(at)).collect();
        match cycles.stage {
            Stage::Drop if is_over => cycles.search_again(),
            Stage::TakeApart if is_over => (cycles.stage, cycles.done) = (Stage::Free, 0),
            _ if is_over => (cycles.doomed, cycles.done, cycles.stage) = (Chunked::default(), 0, Stage::Idle),
            Stage::Drop => {
                let watched = batch.into_iter().filter(|&it| info(fiber, it).name_len & END_WATCHED != 0);
                watched.for_each(|object| defer_destroy(fiber, object));
            }
            Stage::TakeApart => batch.into_iter().for_each(|object| defer_destroy(fiber, object)),
            _ => batch.into_iter().for_each(|object| release_block(fiber, object)),
        }
        let cycles = &state(fiber).cycles;
        let waits = matches!(cycles.stage, Stage::Drop | Stage::TakeApart | Stage::Free);
        ((cycles.left > 0 && waits) || (*fiber).deferred_count > 0) as u8
    }
}

pub(crate) unsafe fn cycles_stage(fiber: *mut Fiber, object: *mut u8) -> i64 {
    const USUAL: i64 = 0;
    const DROP_ONLY: i64 = 1;
    const TAKE_APART: i64 = 2;
    // SAFETY: generated code passes a live fiber and a live object.
    unsafe {
        if header(object).type_index & CONDEMNED == 0 {
            return USUAL;
        }
        if state(fiber).cycles.stage == Stage::Drop { DROP_ONLY } else { TAKE_APART }
    }
}
