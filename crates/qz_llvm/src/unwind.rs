//! Panics in this engine: a flag that every function which may panic returns beside its result.
//!
//! A runtime function that starts a panic gets the number of the place and returns like any other; the code
//! behind it goes to the cleanup of the block at hand, or returns with the flag set. After a call of a function
//! that may panic the flag is tested. On the way out each function notes the place of its call, so a backtrace
//! costs nothing while nothing panics, and LLVM sees ordinary control flow.
//!
//! A panic that comes out of clean-up is attached to the one that the clean-up ran for. For that a function
//! with cleanups remembers how many panics there were when it first came to one (`%panics`); when it is left,
//! those above are attached. See `qz_rt::native`.

use qz_base::FxHashMap;
use qz_codegen::{FnAbi, RetMode};
use qz_mir::BlockId;
use qz_rt_abi::RtFn;

use crate::function::FnCx;
use crate::ir::{Label, LlTy, Value};
use crate::memory::{Addr, RARELY};

/// Where a panic goes inside a function.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Cleanup(BlockId),
    /// Out of the function.
    Leave,
}

/// Code on the way to a target, made when first needed.
#[derive(Debug)]
struct Landing {
    target: Target,
    /// For panics that come out of calls: notes the place, then goes to `arrive`.
    notes: Label,
    /// Blocks that end in such a call, and its place.
    calls: Vec<(Label, u32)>,
    /// For panics that were noted.
    arrive: Label,
    arrived: bool,
}

/// The ways of panics through one function.
#[derive(Default)]
pub(crate) struct Ways {
    landings: Vec<Landing>,
    by_target: FxHashMap<Target, usize>,
    /// How many panics there were at the first cleanup, in functions that have cleanups.
    panics: Option<Value>,
    /// A block that is never reached.
    never: Option<Label>,
}

/// What a function gives back, with the flag if it has one.
pub(crate) fn ret_ty(abi: &FnAbi, flagged: bool) -> String {
    let mut tys: Vec<&str> = Vec::new();
    let names: Vec<String>;
    if let RetMode::Direct(slots) = &abi.ret.1 {
        names = slots.iter().map(|slot| LlTy::of(slot.scalar).to_string()).collect();
        tys.extend(names.iter().map(String::as_str));
    }
    if flagged {
        tys.push("i1");
    }
    match tys.as_slice() {
        [] => "void".into(),
        [one] => (*one).to_owned(),
        many => format!("{{ {} }}", many.join(", ")),
    }
}

impl FnCx<'_, '_> {
    /// Where a panic of the block at hand goes.
    fn target(&self) -> Target {
        self.unwind.map_or(Target::Leave, Target::Cleanup)
    }

    fn landing(&mut self, target: Target) -> &mut Landing {
        let index = match self.ways.by_target.get(&target) {
            Some(&known) => known,
            None => {
                let (notes, arrive) = (self.w.label(), self.w.label());
                let landing = Landing { target, notes, calls: Vec::new(), arrive, arrived: false };
                self.ways.landings.push(landing);
                self.ways.by_target.insert(target, self.ways.landings.len() - 1);
                self.ways.landings.len() - 1
            }
        };
        &mut self.ways.landings[index]
    }

    fn arrive(&mut self, target: Target) -> Label {
        let landing = self.landing(target);
        landing.arrived = true;
        landing.arrive
    }

    /// Goes on if the flag is clear.
    pub(crate) fn unless_panicked(&mut self, flag: Value) {
        let (target, here, place, next) = (self.target(), self.w.here(), self.place(), self.w.label());
        let landing = self.landing(target);
        landing.calls.push((here, place));
        let notes = landing.notes;
        self.w.end(format_args!("br i1 {flag}, label %{notes}, label %{next}{RARELY}"));
        self.w.begin_behind(next);
    }

    /// Starts a panic by a function of the runtime; ends the block.
    pub(crate) fn raise(&mut self, f: RtFn, args: &[Value]) {
        let place = self.place();
        let def = f.def();
        let name = format!("qz_native_{}", def.name);
        let tys = args.iter().map(|arg| format!(", {}", arg.ty)).collect::<String>();
        self.program.declare(&name, format!("declare void @{name}(ptr{tys}, i32) #1"));
        let args = args.iter().map(|arg| format!(", {} {arg}", arg.ty)).collect::<String>();
        self.w.line(format_args!("call void @{name}(ptr %fiber{args}, i32 {place}) #1"));
        let target = self.target();
        let arrive = self.arrive(target);
        self.w.end(format_args!("br label %{arrive}"));
    }

    /// Leaves the function with the panic at hand; ends the block.
    pub(crate) fn leave(&mut self) {
        let arrive = self.arrive(Target::Leave);
        self.w.end(format_args!("br label %{arrive}"));
    }

    /// Makes the memory that functions with cleanups need.
    pub(crate) fn prepare_ways(&mut self) {
        let body = self.body;
        if body.blocks.ids().any(|id| self.handler(id).is_some()) {
            let slot = self.w.slot("%panics", "i32", 4);
            self.w.preset(Value::int(LlTy::I32, 0), slot);
            self.ways.panics = Some(slot);
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
        for landing in std::mem::take(&mut self.ways.landings) {
            let Landing { target, notes, calls, arrive, arrived } = landing;
            if !calls.is_empty() {
                self.note_place(notes, &calls);
                self.w.end(format_args!("br label %{arrive}"));
            }
            if arrived || !calls.is_empty() {
                self.w.begin(arrive);
                match target {
                    Target::Cleanup(block) => self.enter_cleanup(block),
                    Target::Leave => self.leave_now(),
                }
            }
        }
        self.w.leave_cold();
    }

    fn note_place(&mut self, notes: Label, calls: &[(Label, u32)]) {
        self.w.begin(notes);
        let place = match calls {
            [(_, place)] => Value::int(LlTy::I32, *place as i64),
            calls => {
                let from: Vec<String> =
                    calls.iter().map(|(block, place)| format!("[ {place}, %{block} ]")).collect();
                self.w.set(LlTy::I32, format_args!("phi i32 {}", from.join(", ")))
            }
        };
        self.program.declare("qz_native_frame", "declare void @qz_native_frame(ptr, i32) #1".into());
        self.w.line(format_args!("call void @qz_native_frame(ptr %fiber, i32 {place}) #1"));
    }

    fn enter_cleanup(&mut self, block: BlockId) {
        let panics = self.ways.panics.expect("made where there are cleanups");
        self.program.declare("qz_native_enter", "declare i32 @qz_native_enter(ptr, i32) #1".into());
        let known = self.load(LlTy::I32, Addr::new(panics));
        let now =
            self.w.set(LlTy::I32, format_args!("call i32 @qz_native_enter(ptr %fiber, i32 {known}) #1"));
        self.store(now, Addr::new(panics));
        let to = self.blocks[block.index()];
        self.w.end(format_args!("br label %{to}"));
    }

    fn leave_now(&mut self) {
        self.put_depth_back();
        if let Some(panics) = self.ways.panics {
            self.program.declare("qz_native_leave", "declare void @qz_native_leave(ptr, i32) #1".into());
            let known = self.load(LlTy::I32, Addr::new(panics));
            self.w.line(format_args!("call void @qz_native_leave(ptr %fiber, i32 {known}) #1"));
        }
        if !self.flagged {
            // The analysis says that nothing in here panics: this is a mistake of ours, told at once.
            self.program.declare("qz_native_lost", "declare void @qz_native_lost(ptr) #1".into());
            self.w.line(format_args!("call void @qz_native_lost(ptr %fiber) #1"));
            return self.w.end(format_args!("unreachable"));
        }
        match ret_ty(self.abi, true).as_str() {
            "i1" => self.w.end(format_args!("ret i1 true")),
            many => {
                let RetMode::Direct(slots) = &self.abi.ret.1 else { unreachable!("more than the flag") };
                let nothing: Vec<String> =
                    slots.iter().map(|slot| format!("{} undef", LlTy::of(slot.scalar))).collect();
                self.w.end(format_args!("ret {many} {{ {}, i1 true }}", nothing.join(", ")));
            }
        }
    }

    /// Returns these values, and that nothing went wrong.
    pub(crate) fn return_values(&mut self, values: &[Value]) {
        let ty = ret_ty(self.abi, self.flagged);
        let fine = Value::int(LlTy::I1, 0);
        let all: Vec<Value> = values.iter().copied().chain(self.flagged.then_some(fine)).collect();
        match all.as_slice() {
            [] => self.w.end(format_args!("ret void")),
            [one] => self.w.end(format_args!("ret {} {one}", one.ty)),
            many => {
                let mut whole = "undef".to_owned();
                for (i, value) in many.iter().enumerate() {
                    let n = self.w.next_number();
                    self.w.line(format_args!("%r{n} = insertvalue {ty} {whole}, {} {value}, {i}", value.ty));
                    whole = format!("%r{n}");
                }
                self.w.end(format_args!("ret {ty} {whole}"));
            }
        }
    }
}
