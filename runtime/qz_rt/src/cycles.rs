//! The collector of circles: objects that refer to each other, and that nobody else refers to.
//!
//! After Bacon and Rajan ("Concurrent Cycle Collection in Reference Counted Systems", 2001), each task for itself. What
//! may be left in a circle lost a reference and has others: such objects are *logged* (`cycles_log`), once, which a bit
//! beside their type index says. When there are enough of them, the objects below them are visited, and the references
//! met are set against counts: those that have more, and all below them, are in use; the others are not, and end.
//!
//! They end in three stages, a part at a time. Each has a great many counts meanwhile, so that nothing ends it twice.
//! First every `drop` that somebody wrote runs, while all objects are there. What is in use again afterwards lives on.
//! The others are taken apart, and only then their memory is given back.
//!
//! Generated code visits the parts of objects by what it has for values that cross (`qz_opt::glue::cross`); while
//! [`Cycles::is_tracing`], the functions that it tells of objects only note them here. `std/cycles.qz` has the loop.

use std::collections::HashMap;

use qz_rt_abi::Fiber;
use qz_rt_abi::object::{CONDEMNED, END_WATCHED, FIRST_ADDRESS, Header, LOGGED, MAY_CYCLE, TYPE_INDEX, TypeInfo};

use crate::context::state;
use crate::memory::{defer_destroy, release_block};
use crate::weak;

/// So many objects are logged before the first search.
const FEW: usize = 4096;
/// So many objects are handed to destroy functions at a time.
const BATCH: usize = 64;
/// So many objects end in one part of the work.
const PART: usize = 1024;
/// What an object's count is more by, while it ends.
const PINS: i32 = 1 << 29;

/// What a task knows of circles.
#[derive(Default)]
pub(crate) struct Cycles {
    /// A generator's fiber: the objects are those of the task that walks through it.
    pub(crate) is_off: bool,
    log: Vec<*mut u8>,
    /// How many logged objects are enough.
    enough: usize,
    /// The work is being done; nothing that it calls begins it again.
    busy: bool,
    /// Nothing is put off.
    all: bool,
    /// Objects that may still end in this part of the work.
    left: usize,
    stage: Stage,
    graph: Graph,
    tracing: Option<u32>,
    doomed: Vec<*mut u8>,
    /// How many of them the stage is done with.
    done: usize,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Idle,
    /// Objects below those that are logged are visited.
    Search,
    /// Runs what somebody wrote.
    Drop,
    /// The doomed objects are visited again, for what is in use after all.
    SearchAgain,
    TakeApart,
    Free,
}

/// What a search has met.
#[derive(Default)]
struct Graph {
    nodes: Vec<Node>,
    indexes: HashMap<usize, u32, foldhash::fast::FixedState>,
    edges: Vec<u32>,
    /// How many nodes were visited.
    visited: usize,
}

struct Node {
    object: *mut u8,
    /// References met.
    met: i32,
    /// Where its edges begin.
    edges: u32,
    in_use: bool,
}

impl Graph {
    fn node(&mut self, object: *mut u8) -> u32 {
        *self.indexes.entry(object as usize).or_insert_with(|| {
            self.nodes.push(Node { object, met: 0, edges: 0, in_use: false });
            self.nodes.len() as u32 - 1
        })
    }

    /// Splits what was met into objects that somebody outside refers to, directly or not, and the others.
    fn split(&mut self, pins: i32) -> (Vec<*mut u8>, Vec<*mut u8>) {
        let mut work: Vec<u32> = Vec::new();
        for (i, node) in self.nodes.iter_mut().enumerate() {
            // SAFETY: objects in the graph are live.
            node.in_use = unsafe { (*node.object.cast::<Header>()).count } - pins != node.met;
            if node.in_use {
                work.push(i as u32);
            }
        }
        while let Some(i) = work.pop() {
            let end = self.nodes.get(i as usize + 1).map_or(self.edges.len(), |next| next.edges as usize);
            for &to in &self.edges[self.nodes[i as usize].edges as usize..end] {
                if !std::mem::replace(&mut self.nodes[to as usize].in_use, true) {
                    work.push(to);
                }
            }
        }
        let of = |in_use| self.nodes.iter().filter(move |it| it.in_use == in_use).map(|it| it.object).collect();
        (of(true), of(false))
    }
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
        self.tracing.is_some()
    }

    /// Notes a reference from the object that is being visited.
    ///
    /// # Safety
    /// The fiber is live, and so is the object, or a small number stands in its place.
    pub(crate) unsafe fn meet(&mut self, fiber: *mut Fiber, object: *mut u8) {
        // SAFETY: by the caller's promise.
        unsafe {
            if (object as u64) < FIRST_ADDRESS
                || header(object).count <= 0
                || info(fiber, object).name_len & MAY_CYCLE == 0
            {
                return;
            }
        }
        if self.stage == Stage::SearchAgain && !self.graph.indexes.contains_key(&(object as usize)) {
            return;
        }
        let node = self.graph.node(object);
        self.graph.nodes[node as usize].met += 1;
        self.graph.edges.push(node);
    }

    /// Begins a search with what is logged.
    ///
    /// # Safety
    /// The fiber is live and its own.
    unsafe fn search(&mut self, fiber: *mut Fiber) {
        self.graph = Graph::default();
        for object in std::mem::take(&mut self.log) {
            // SAFETY: what is logged has its memory until it is taken from the log. One that several tasks know by now
            // was unlogged, unless a generator shared it; then it is in no circle.
            unsafe {
                header(object).type_index &= !LOGGED;
                match header(object).count {
                    0 => release_block(fiber, object),
                    1.. => drop(self.graph.node(object)),
                    _ => {}
                }
            }
        }
        self.stage = if self.graph.nodes.is_empty() { Stage::Idle } else { Stage::Search };
    }

    /// The search has met everything: dooms what nobody refers to.
    ///
    /// # Safety
    /// As for [`Cycles::search`].
    unsafe fn doom(&mut self, fiber: *mut Fiber) {
        let (in_use, doomed) = self.graph.split(0);
        self.graph = Graph::default();
        // A search is worth as many references given up as it visits objects that stay.
        self.enough = FEW.max(in_use.len() / 2);
        let mut watched = false;
        for &object in &doomed {
            // SAFETY: nobody else refers to them.
            unsafe {
                weak::die(object);
                header(object).count += PINS;
                header(object).type_index |= LOGGED | CONDEMNED;
                watched |= info(fiber, object).name_len & END_WATCHED != 0;
            }
        }
        self.done = 0;
        self.stage = match (doomed.is_empty(), watched) {
            (true, _) => Stage::Idle,
            (false, true) => Stage::Drop,
            (false, false) => Stage::TakeApart,
        };
        self.doomed = doomed;
    }

    /// Every `drop` has run: what is in use again lives on.
    fn spare(&mut self) {
        let (in_use, doomed) = self.graph.split(PINS);
        self.graph = Graph::default();
        for object in in_use {
            // SAFETY: it is live, and this task's.
            unsafe {
                header(object).count -= PINS;
                header(object).type_index &= !(LOGGED | CONDEMNED);
            }
        }
        (self.doomed, self.done) = (doomed, 0);
        self.stage = if self.doomed.is_empty() { Stage::Idle } else { Stage::TakeApart };
    }

    fn search_again(&mut self) {
        self.graph = Graph::default();
        for &object in &self.doomed {
            self.graph.node(object);
        }
        self.stage = Stage::SearchAgain;
    }

    /// Forgets an object that other tasks are about to know.
    pub(crate) fn unlog(&mut self, object: *mut u8) {
        if let Some(at) = self.log.iter().rposition(|&it| it == object) {
            self.log.swap_remove(at);
            // SAFETY: what is logged has its memory.
            unsafe { header(object).type_index &= !LOGGED };
        }
    }

    /// The fiber ends: objects that live on are those of others.
    ///
    /// # Safety
    /// The fiber is live.
    pub(crate) unsafe fn end(&mut self, fiber: *mut Fiber) {
        for object in std::mem::take(&mut self.log) {
            // SAFETY: as in `search`.
            unsafe {
                header(object).type_index &= !LOGGED;
                if header(object).count == 0 {
                    release_block(fiber, object);
                }
            }
        }
        *self = Cycles::default();
    }
}

/// The memory of an object that has ended, if the collector has it in mind: whether it is the collector's to give back.
///
/// # Safety
/// The fiber and the object are live, and the object's parts were released.
pub(crate) unsafe fn keeps_memory(object: *mut u8) -> bool {
    // SAFETY: by the caller's promise.
    let header = unsafe { header(object) };
    if header.type_index & CONDEMNED != 0 {
        return true;
    }
    let logged = header.type_index & LOGGED != 0;
    if logged {
        header.count = 0;
    }
    logged
}

// ---- runtime functions

pub(crate) unsafe fn cycles_log(fiber: *mut Fiber, object: *mut u8) {
    // SAFETY: generated code passes a live fiber and a live object.
    unsafe {
        let cycles = &mut state(fiber).cycles;
        if !cycles.is_off {
            header(object).type_index |= LOGGED;
            cycles.log.push(object);
        }
    }
}

pub(crate) unsafe fn cycles_due(fiber: *mut Fiber) -> u8 {
    // SAFETY: generated code passes a live fiber.
    unsafe {
        let cycles = &state(fiber).cycles;
        let waits = cycles.log.len() >= cycles.enough.max(FEW) || cycles.stage != Stage::Idle;
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
        if cycles.stage == Stage::Idle {
            cycles.search(fiber);
        }
    }
}

pub(crate) unsafe fn cycles_next(fiber: *mut Fiber) -> *mut u8 {
    // SAFETY: as above.
    let cycles = unsafe { &mut state(fiber).cycles };
    let graph = &mut cycles.graph;
    let at = graph.visited;
    if !matches!(cycles.stage, Stage::Search | Stage::SearchAgain) || at == graph.nodes.len() {
        cycles.tracing = None;
        return std::ptr::null_mut();
    }
    cycles.tracing = Some(at as u32);
    graph.visited += 1;
    graph.nodes[at].edges = graph.edges.len() as u32;
    graph.nodes[at].object
}

pub(crate) unsafe fn cycles_found(fiber: *mut Fiber) -> u8 {
    // SAFETY: as above.
    unsafe {
        let cycles = &mut state(fiber).cycles;
        match cycles.stage {
            Stage::Search => cycles.doom(fiber),
            Stage::SearchAgain => cycles.spare(),
            _ => {}
        }
        if cycles.stage == Stage::Idle && cycles.all && cycles.busy && !cycles.log.is_empty() {
            cycles.search(fiber);
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
        let from = cycles.done;
        let to = (from + BATCH.min(cycles.left)).min(cycles.doomed.len());
        cycles.left -= to - from;
        cycles.done = to;
        let batch: Vec<*mut u8> = cycles.doomed[from..to].to_vec();
        let is_over = from == cycles.doomed.len();
        match cycles.stage {
            Stage::Drop if is_over => cycles.search_again(),
            Stage::TakeApart if is_over => (cycles.stage, cycles.done) = (Stage::Free, 0),
            Stage::Free if is_over => {
                (cycles.doomed, cycles.done) = (Vec::new(), 0);
                cycles.stage = Stage::Idle;
            }
            Stage::Drop => {
                let watched = batch.into_iter().filter(|&it| info(fiber, it).name_len & END_WATCHED != 0);
                watched.for_each(|object| defer_destroy(fiber, object));
            }
            Stage::TakeApart => batch.into_iter().for_each(|object| defer_destroy(fiber, object)),
            Stage::Free => batch.into_iter().for_each(|object| release_block(fiber, object)),
            Stage::Idle | Stage::Search | Stage::SearchAgain => return 0,
        }
        let cycles = &state(fiber).cycles;
        (cycles.left > 0 && !matches!(cycles.stage, Stage::Idle | Stage::SearchAgain)) as u8
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
