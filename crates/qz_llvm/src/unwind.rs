//! Panics in this engine: a flag that every function which may panic returns beside its result.
//!
//! A runtime function that starts a panic gets the number of the place and returns like any other; the code
//! behind it goes to the cleanup of the block at hand, or returns with the flag set. After a call of a function
//! that may panic the flag is tested. On the way out each function notes the place of its call, so a backtrace
//! costs nothing while nothing panics, and LLVM sees ordinary control flow.
//!
//! A panic that comes out of clean-up is attached to the one that the clean-up ran for. For that a function
//! with cleanups remembers how many panics there were when it first came to one (`%panics`); when it is left,
//! those above are attached. See `qz_rt::native`. Where nothing is caught, which way a panic comes tells whether it
//! is the first one, so nobody asks.

use indexmap::IndexMap;
use qz_base::FxHashMap;
use qz_mir::{Block, BlockId, Callee, StmtKind};
use qz_rt_abi::RtFn;
use qz_rt_abi::registry::rt;
use rustc_hash::FxBuildHasher;

use crate::function::FnCx;
use crate::ir::{Label, LlTy, Value, Var};
use crate::memory::RARELY;

/// Where a panic goes inside a function.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Cleanup(BlockId),
    /// Out of the function.
    Leave,
}

/// How a panic goes inside a function: where to, and whether it comes out of clean-up.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
struct Way {
    target: Target,
    from_cleanup: bool,
}

/// Code on the way to a target, made when first needed.
#[derive(Debug)]
struct Landing {
    way: Way,
    /// For panics that come out of calls: notes the place.
    notes: Label,
    /// Blocks that end in such a call, and its place.
    calls: Vec<(Label, u32)>,
    /// For panics that were noted.
    arrive: Label,
    arrived: bool,
}

/// A call that starts panics: where it stands, and which blocks come to it with which arguments.
struct Start {
    label: Label,
    calls: Vec<(Label, Vec<Value>)>,
}

/// The ways of panics through one function.
#[derive(Default)]
pub(crate) struct Ways {
    starts: IndexMap<(RtFn, Way), Start, FxBuildHasher>,
    landings: Vec<Landing>,
    by_way: FxHashMap<Way, usize>,
    /// How many panics there were at the first cleanup, in functions that have cleanups.
    panics: Option<Var>,
    /// Whether the function goes on after a panic, so that more may come.
    catches: bool,
    /// A block that is never reached.
    never: Option<Label>,
}

/// Whether a block takes panics that came to it, see `attempt` in `qz_lower`.
fn catches(block: &Block) -> bool {
    block.stmts.iter().any(
        |stmt| matches!(&stmt.kind, StmtKind::Call(call) if matches!(call.callee, Callee::Runtime(rt::take_panic))),
    )
}

impl FnCx<'_, '_> {
    /// How a panic of the block at hand goes.
    fn way(&self) -> Way {
        let target = self.unwind.map_or(Target::Leave, Target::Cleanup);
        Way { target, from_cleanup: self.in_cleanup }
    }

    fn landing(&mut self, way: Way) -> &mut Landing {
        let index = match self.ways.by_way.get(&way) {
            Some(&known) => known,
            None => {
                let (notes, arrive) = (self.w.label(), self.w.label());
                let landing = Landing { way, notes, calls: Vec::new(), arrive, arrived: false };
                self.ways.landings.push(landing);
                self.ways.by_way.insert(way, self.ways.landings.len() - 1);
                self.ways.landings.len() - 1
            }
        };
        &mut self.ways.landings[index]
    }

    fn arrive(&mut self, way: Way) -> Label {
        let landing = self.landing(way);
        landing.arrived = true;
        landing.arrive
    }

    /// Goes on if the flag is clear.
    pub(crate) fn unless_panicked(&mut self, flag: Value) {
        let (way, here, place, next) = (self.way(), self.w.here(), self.place(), self.w.label());
        let landing = self.landing(way);
        landing.calls.push((here, place));
        let notes = landing.notes;
        self.w.end(format_args!("br i1 {flag}, label %{notes}, label %{next}{RARELY}"));
        self.w.begin_behind(next);
    }

    /// Starts a panic by a function of the runtime; ends the block. Panics of one kind that go the same way share a call:
    /// there are many, and they are nothing but text to read for LLVM, which also takes a function for large that has many
    /// calls.
    pub(crate) fn raise(&mut self, f: RtFn, args: &[Value]) {
        let (way, here, place) = (self.way(), self.w.here(), self.place());
        let start = match self.ways.starts.get_mut(&(f, way)) {
            Some(known) => known,
            None => {
                let start = Start { label: self.w.label(), calls: Vec::new() };
                self.ways.starts.entry((f, way)).or_insert(start)
            }
        };
        start.calls.push((here, args.iter().copied().chain([Value::int(LlTy::I32, place as i64)]).collect()));
        let label = start.label;
        self.w.end(format_args!("br label %{label}"));
    }

    /// Writes the call that starts panics of a kind.
    fn start(&mut self, f: RtFn, way: Way, start: &Start) {
        self.w.begin(start.label);
        let name = format!("qz_native_{}", f.def().name);
        let args: Vec<Value> = (0..start.calls[0].1.len()).map(|i| self.met(&start.calls, i)).collect();
        let tys = args.iter().map(|arg| format!(", {}", arg.ty)).collect::<String>();
        self.program.declare(&name, format!("declare void @{name}(ptr{tys}) #1"));
        let args = args.iter().map(|arg| format!(", {} {arg}", arg.ty)).collect::<String>();
        self.w.line(format_args!("call void @{name}(ptr %fiber{args}) #1"));
        let arrive = self.arrive(way);
        self.w.end(format_args!("br label %{arrive}"));
    }

    /// An argument where several calls became one.
    fn met(&mut self, calls: &[(Label, Vec<Value>)], arg: usize) -> Value {
        let first = calls[0].1[arg];
        if calls.iter().all(|(_, args)| args[arg] == first) {
            return first;
        }
        let arriving: Vec<String> =
            calls.iter().map(|(from, args)| format!("[ {}, %{from} ]", args[arg])).collect();
        self.w.set(first.ty, format_args!("phi {} {}", first.ty, arriving.join(", ")))
    }

    /// Leaves the function with the panic at hand; ends the block.
    pub(crate) fn leave(&mut self) {
        let arrive = self.arrive(Way { target: Target::Leave, from_cleanup: self.in_cleanup });
        self.w.end(format_args!("br label %{arrive}"));
    }

    /// Makes the memory that functions with cleanups need.
    pub(crate) fn prepare_ways(&mut self) {
        let body = self.body;
        if body.blocks.ids().any(|id| self.handler(id).is_some()) {
            self.ways.panics = Some(self.w.var("%panics", LlTy::I32, 4, true));
            self.ways.catches = body.blocks.values().any(catches);
        }
    }

    /// A block that is never reached.
    pub(crate) fn never_reached(&mut self) -> Label {
        let known = self.ways.never.unwrap_or_else(|| self.w.label());
        self.ways.never = Some(known);
        known
    }

    /// Writes the ways that were asked for.
    pub(crate) fn finish_ways(&mut self) {
        self.hide_place();
        self.w.enter_cold();
        if let Some(never) = self.ways.never {
            self.w.begin(never);
            self.w.end(format_args!("unreachable"));
        }
        for ((f, way), start) in std::mem::take(&mut self.ways.starts) {
            self.start(f, way, &start);
        }
        for landing in std::mem::take(&mut self.ways.landings) {
            let Landing { way, notes, calls, arrive, arrived } = landing;
            if !calls.is_empty() {
                let place = self.place_of(notes, &calls);
                self.land(way, Some(place));
            }
            if arrived {
                self.w.begin(arrive);
                self.land(way, None);
            }
        }
        self.w.leave_cold();
        self.finish_exit();
    }

    /// Begins the block where these calls come to; gives the place of the one that did.
    fn place_of(&mut self, notes: Label, calls: &[(Label, u32)]) -> Value {
        self.w.begin(notes);
        match calls {
            [(_, place)] => Value::int(LlTy::I32, *place as i64),
            calls => {
                let from: Vec<String> =
                    calls.iter().map(|(block, place)| format!("[ {place}, %{block} ]")).collect();
                self.w.set(LlTy::I32, format_args!("phi i32 {}", from.join(", ")))
            }
        }
    }

    /// Goes on with a panic, whose place is to be noted if it is given.
    fn land(&mut self, way: Way, place: Option<Value>) {
        let Target::Cleanup(block) = way.target else {
            if let Some(place) = place {
                self.note(place);
            }
            return self.leave_now(way.from_cleanup);
        };
        if way.from_cleanup && !self.ways.catches {
            if let Some(place) = place {
                self.note(place);
            }
        } else {
            self.enter_cleanup(place);
        }
        let to = self.blocks[block.index()];
        self.w.end(format_args!("br label %{to}"));
    }

    fn note(&mut self, place: Value) {
        self.program.declare("qz_native_frame", "declare void @qz_native_frame(ptr, i32) #1".into());
        self.w.line(format_args!("call void @qz_native_frame(ptr %fiber, i32 {place}) #1"));
    }

    /// Remembers how many panics there are, if that is not known yet.
    fn enter_cleanup(&mut self, place: Option<Value>) {
        let panics = self.ways.panics.expect("made where there are cleanups");
        let known = match self.ways.catches {
            true => self.w.get(panics, LlTy::I32),
            false => Value::int(LlTy::I32, 0),
        };
        let now = match place {
            Some(place) => {
                self.program
                    .declare("qz_native_land", "declare i32 @qz_native_land(ptr, i32, i32) #1".into());
                let call = format_args!("call i32 @qz_native_land(ptr %fiber, i32 {known}, i32 {place}) #1");
                self.w.set(LlTy::I32, call)
            }
            None => {
                self.program.declare("qz_native_enter", "declare i32 @qz_native_enter(ptr, i32) #1".into());
                let call = format_args!("call i32 @qz_native_enter(ptr %fiber, i32 {known}) #1");
                self.w.set(LlTy::I32, call)
            }
        };
        self.w.put(now, panics);
    }

    fn leave_now(&mut self, from_cleanup: bool) {
        self.put_depth_back();
        if let Some(panics) = self.ways.panics.filter(|_| from_cleanup || self.ways.catches) {
            self.program.declare("qz_native_leave", "declare void @qz_native_leave(ptr, i32) #1".into());
            let known = self.w.get(panics, LlTy::I32);
            self.w.line(format_args!("call void @qz_native_leave(ptr %fiber, i32 {known}) #1"));
        }
        if !self.flagged {
            // The analysis says that nothing in here panics: this is a mistake of ours, told at once.
            self.program.declare("qz_native_lost", "declare void @qz_native_lost(ptr) #1".into());
            self.w.line(format_args!("call void @qz_native_lost(ptr %fiber) #1"));
            return self.w.end(format_args!("unreachable"));
        }
        self.return_flag();
    }
}
