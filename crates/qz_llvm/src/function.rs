//! One MIR body to one function: parameters, locals, blocks, terminators.

use std::sync::Arc;

use qz_base::FxHashMap;
use qz_codegen::{FnAbi, PassMode, RetMode};
use qz_mir::layout::{Layout, ObjectLayout, Shape, Slot};
use qz_mir::visit::{PlaceRef, Use, each_place};
use qz_mir::{
    Block, BlockId, Body, InlineHint, Instance, InstanceId, Local, Operand, Place, Proj, SourceInfo,
    StmtKind, TermKind,
};
use qz_rt_abi::Fiber;
use qz_rt_abi::registry::rt;
use qz_types::TyKind;
use smallvec::SmallVec;

use crate::ir::{Label, LlTy, Value, Var, Writer};
use crate::memory::{Addr, IS_BOOL, MOSTLY, NONNULL, RARELY};
use crate::place::Home;
use crate::program::ProgramCx;
use crate::returns::{Exit, ret_ty};
use crate::reuse::Token;
use crate::unwind::Ways;
use crate::value::Val;

/// The state of translating one body.
pub(crate) struct FnCx<'a, 'm> {
    pub(crate) program: &'a mut ProgramCx<'m>,
    pub(crate) w: Writer,
    pub(crate) id: InstanceId,
    pub(crate) body: &'a Body,
    pub(crate) abi: &'a FnAbi,
    /// Whether the function returns the flag of `unwind.rs`.
    pub(crate) flagged: bool,
    pub(crate) homes: Vec<Home>,
    local_layouts: Vec<Arc<Layout>>,
    pub(crate) blocks: Vec<Label>,
    /// Whether the block at hand runs while a panic is under way.
    pub(crate) in_cleanup: bool,
    /// Where panics of the block at hand go.
    pub(crate) unwind: Option<BlockId>,
    pub(crate) ways: Ways,
    /// [`Body::is_large`].
    pub(crate) is_large: bool,
    /// Whether calls stay calls.
    pub(crate) apart: bool,
    /// Where several values leave through.
    pub(crate) exit: Option<Exit>,
    /// Bytes made of bits.
    pub(crate) bits: FxHashMap<Value, Value>,
    closure: Option<ObjectLayout>,
    /// In a destroy function: how deep it was called, see `destroy.rs`.
    pub(crate) drop_depth: Option<Value>,
    /// In functions of the library: what the caller had noted, see `waits.rs`.
    pub(crate) callers_place: Option<Value>,
    /// For the object that is made next.
    pub(crate) token: Option<Token>,
    source: SourceInfo,
}

/// What loads may say about a value of this layout.
pub(crate) fn fact_of(layout: &Layout) -> &'static str {
    match (&layout.shape, layout.ty.kind()) {
        (Shape::Object, _) => NONNULL,
        (Shape::Scalar(_), TyKind::Bool) => IS_BOOL,
        _ => "",
    }
}

impl<'a, 'm> FnCx<'a, 'm> {
    /// The definition of an instance, behind its linkage.
    pub(crate) fn translate(
        program: &'a mut ProgramCx<'m>,
        id: InstanceId,
        instance: &'a Instance,
        body: &'a Body,
    ) -> String {
        let abi = program.abi(id);
        let mut w = Writer::default();
        let start = w.label();
        let blocks = body.blocks.ids().map(|_| w.label()).collect();
        let local_layouts = body.locals.values().map(|local| program.layouts.of(local.ty)).collect();
        program.locations.start_body();
        let subprogram = program.debug.as_mut().map(|debug| debug.start_body(body));
        let flagged = program.is_flagged(id);
        let entry = &body.blocks[Body::ENTRY];
        let source = entry.stmts.first().map_or(entry.term.source, |stmt| stmt.source);
        let mut cx = FnCx {
            program,
            w,
            id,
            body,
            abi: &abi,
            flagged,
            homes: Vec::new(),
            local_layouts,
            blocks,
            in_cleanup: false,
            token: None,
            unwind: None,
            ways: Ways::default(),
            is_large: body.is_large(),
            apart: false,
            exit: None,
            bits: FxHashMap::default(),
            closure: None,
            drop_depth: None,
            callers_place: None,
            source,
        };
        cx.w.begin(start);
        cx.make_homes();
        cx.prepare_ways();
        // What stands nowhere is the prologue, which debuggers skip.
        let params = cx.parameters();
        cx.mark_place();
        cx.declare_variables();
        cx.prologue(id, instance);
        cx.all_blocks();
        cx.finish_ways();
        let (ret, hint) = (ret_ty(&abi, flagged), hint_of(body));
        let text = cx.w.finish();
        let known = subprogram.map_or(String::new(), |node| format!(" !dbg {node}"));
        format!("fastcc {ret} @{}({params}) #0{hint}{known} {{\n{text}}}\n\n", instance.symbol)
    }

    pub(crate) fn layout_of(&self, local: Local) -> Arc<Layout> {
        self.local_layouts[local.index()].clone()
    }

    /// The closure object of the body at hand.
    pub(crate) fn closure_layout(&mut self) -> &ObjectLayout {
        let (layouts, body) = (self.program.layouts, self.body);
        self.closure.get_or_insert_with(|| layouts.closure(&body.captures))
    }

    pub(crate) fn source(&self) -> SourceInfo {
        self.source
    }

    /// The number of the place at hand, for panics.
    pub(crate) fn place(&mut self) -> u32 {
        self.program.locations.intern(self.body, self.source)
    }

    // ---- locals

    /// What a local is called in the text.
    fn name_of(&self, local: Local) -> String {
        if local == Body::RETURN {
            return "%return".into();
        }
        let Some(name) = self.body.locals[local].name else { return format!("%_{}", local.raw()) };
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let readable: String = name.as_str().chars().map(plain).collect();
        format!("%{readable}.{}", local.raw())
    }

    /// Whether a debugger wants to find the local in one piece.
    fn is_visible(&self, local: Local, layout: &Layout) -> bool {
        self.program.options.names_in_memory
            && self.body.locals[local].name.is_some()
            && !layout.is_zero_sized()
    }

    fn make_homes(&mut self) {
        let in_memory = addressed_locals(self.body);
        for local in self.body.locals.ids() {
            let layout = self.layout_of(local);
            let name = self.name_of(local);
            let home = match &layout.slots {
                Some(slots) if !in_memory[local.index()] && !self.is_visible(local, &layout) => {
                    let slot = |(i, slot): (usize, &Slot)| self.local_slot(&layout, &name, i, slot);
                    Home::Slots(slots.iter().enumerate().map(slot).collect())
                }
                _ => {
                    let ty = format!("[{} x i8]", layout.size);
                    Home::Memory(Addr::new(self.w.slot(&name, &ty, layout.align.max(8))))
                }
            };
            self.homes.push(home);
        }
    }

    fn local_slot(&mut self, layout: &Layout, name: &str, index: usize, slot: &Slot) -> Var {
        let name = if index == 0 { name.to_owned() } else { format!("{name}.{index}") };
        // What is filled piece by piece must never be partly undefined.
        let in_pieces = matches!(layout.shape, Shape::Product(_) | Shape::Enum(_));
        self.w.var(&name, LlTy::of(slot.scalar), slot.scalar.size(), in_pieces)
    }

    /// Puts parameters where they live; gives their list.
    fn parameters(&mut self) -> String {
        let abi = self.abi;
        let mut list = vec![self.program.fiber_param()];
        if abi.ret.1 == RetMode::Indirect {
            list.push(format!("{} %result", memory_param(&abi.ret.0)));
        }
        for (local, (layout, mode)) in self.body.params().zip(&abi.params) {
            let name = self.name_of(local);
            match mode {
                PassMode::Ignore => {}
                PassMode::Direct(slots) => {
                    let facts = self.program.param_facts(layout);
                    let mut parts = SmallVec::new();
                    for (i, slot) in slots.iter().enumerate() {
                        let value = Value::named(LlTy::of(slot.scalar), &format!("{name}.in{i}"));
                        list.push(format!("{} {facts} {value}", value.ty));
                        parts.push(value);
                    }
                    self.write_local(local, &Val::Parts(parts));
                }
                PassMode::Indirect => {
                    let address = Value::named(LlTy::Ptr, &format!("{name}.in"));
                    list.push(format!("{} {address}", memory_param(layout)));
                    let at = Addr::new(address);
                    if let Home::Memory(home) = &mut self.homes[local.index()] {
                        *home = at;
                    } else {
                        let value = self.load_value(layout, at);
                        self.write_local(local, &value);
                    }
                }
            }
        }
        list.join(", ")
    }

    /// Checks the stack, goes to the first block.
    fn prologue(&mut self, id: InstanceId, instance: &Instance) {
        // Only what may come back to itself can run deep; a chain of other functions gets by with the reserve.
        if self.program.recursion.is_recursive(id) {
            if self.program.is_destroy(&instance.key) {
                self.enter_destroy();
            } else if instance.may_panic {
                self.check_stack(instance);
            }
        }
        self.keep_callers_place();
        let first = self.blocks[Body::ENTRY.index()];
        self.w.end(format_args!("br label %{first}"));
    }

    fn check_stack(&mut self, instance: &Instance) {
        let sp = self.program.stack_pointer();
        let sp = self.w.set(LlTy::I64, format_args!("{sp}"));
        let limit = self.fiber_field(std::mem::offset_of!(Fiber, stack_limit), LlTy::I64);
        let below = self.icmp("ult", sp, limit);
        let owns = |(param, layout): (&qz_mir::Param, &Arc<Layout>)| {
            param.ownership == qz_mir::Ownership::Owned && layout.needs_release
        };
        let owns_params = instance.params.iter().zip(&self.local_layouts[1..]).any(owns);
        self.if_rare(below, |cx| {
            // Parameters that were given away are released by the entry's cleanup.
            cx.unwind = owns_params.then(|| cx.handler(Body::ENTRY)).flatten();
            cx.raise(rt::panic_stack, &[]);
        });
    }

    pub(crate) fn fiber_field(&mut self, offset: usize, ty: LlTy) -> Value {
        let fiber = Value::named(LlTy::Ptr, "%fiber");
        self.load(ty, Addr::runtime(fiber, offset))
    }

    pub(crate) fn set_fiber_field(&mut self, offset: usize, value: Value) {
        let fiber = Value::named(LlTy::Ptr, "%fiber");
        self.store(value, Addr::runtime(fiber, offset));
    }

    // ---- blocks

    fn all_blocks(&mut self) {
        let (cold, only) = (cold_blocks(self.body), only_predecessors(self.body));
        let mut before = None;
        for id in reverse_postorder(self.body) {
            let is_cold = cold[id.index()];
            if is_cold {
                self.w.enter_cold();
            }
            match only[id.index()] == Some(before) {
                true => self.w.begin_behind(self.blocks[id.index()]),
                false => self.w.begin(self.blocks[id.index()]),
            }
            self.block(id);
            if is_cold {
                self.w.leave_cold();
            }
            before = Some(id);
        }
    }

    fn block(&mut self, id: BlockId) {
        let body = self.body;
        let block = &body.blocks[id];
        self.unwind = self.handler(id);
        self.in_cleanup = block.cleanup;
        for stmt in &block.stmts {
            self.source = stmt.source;
            self.mark_place();
            self.statement(&stmt.kind);
            if !self.w.is_open() {
                return;
            }
        }
        self.source = block.term.source;
        self.mark_place();
        self.terminator(&block.term.kind);
    }

    /// Where panics of a block go, if something is done there.
    pub(crate) fn handler(&self, id: BlockId) -> Option<BlockId> {
        self.body.blocks[id].unwind.filter(|&to| !is_only_resume(&self.body.blocks[to]))
    }

    fn terminator(&mut self, term: &TermKind) {
        match term {
            TermKind::Goto(to) => {
                let to = self.blocks[to.index()];
                self.w.end(format_args!("br label %{to}"));
            }
            TermKind::Branch { cond, then, else_, likely } => {
                let cond = self.condition(cond);
                let (then, else_) = (self.blocks[then.index()], self.blocks[else_.index()]);
                let weights = match likely {
                    Some(true) => MOSTLY,
                    Some(false) => RARELY,
                    None => "",
                };
                self.w.end(format_args!("br i1 {cond}, label %{then}, label %{else_}{weights}"));
            }
            TermKind::Switch { value, cases, otherwise } => self.switch(value, cases, *otherwise),
            TermKind::Return => self.return_(),
            TermKind::Unreachable => self.w.end(format_args!("unreachable")),
            TermKind::Resume => self.leave(),
        }
    }

    fn condition(&mut self, cond: &Operand) -> Value {
        let cond = self.scalar(cond);
        self.bit_of(cond)
    }

    fn switch(&mut self, value: &Operand, cases: &[(i128, BlockId)], otherwise: Option<BlockId>) {
        let value = self.scalar(value);
        let default = match otherwise {
            Some(block) => self.blocks[block.index()],
            None => self.never_reached(),
        };
        let cases: String = cases
            .iter()
            .map(|(case, to)| format!(" {} {case}, label %{}", value.ty, self.blocks[to.index()]))
            .collect();
        self.w.end(format_args!("switch {} {value}, label %{default} [{cases} ]", value.ty));
    }

    fn return_(&mut self) {
        self.leave_destroy();
        let abi = self.abi;
        let values = match &abi.ret.1 {
            RetMode::Ignore => SmallVec::new(),
            RetMode::Direct(_) => match self.read_local(Body::RETURN) {
                Val::Parts(parts) => parts,
                Val::Memory(_) => unreachable!("returned in registers"),
            },
            RetMode::Indirect => {
                let value = self.read_local(Body::RETURN);
                let layout = abi.ret.0.clone();
                self.store_value(&layout, &value, Addr::new(Value::named(LlTy::Ptr, "%result")));
                SmallVec::new()
            }
        };
        self.return_values(&values);
    }

    // ---- control flow inside statements

    /// Runs `rare` in a block of its own, far from here, if `cond`. If that does not end elsewhere, it comes
    /// back.
    pub(crate) fn if_rare(&mut self, cond: Value, rare: impl FnOnce(&mut Self)) {
        let (cold, next) = (self.w.label(), self.w.label());
        self.w.end(format_args!("br i1 {cond}, label %{cold}, label %{next}{RARELY}"));
        self.w.enter_cold();
        self.w.enter_aside();
        self.w.begin_behind(cold);
        rare(self);
        if self.w.is_open() {
            self.w.end(format_args!("br label %{next}"));
        }
        self.w.leave_aside();
        self.w.leave_cold();
        self.w.begin_behind(next);
    }

    /// Runs `then` if `cond`.
    pub(crate) fn if_so(&mut self, cond: Value, then: impl FnOnce(&mut Self)) {
        let (this, next) = (self.w.label(), self.w.label());
        self.w.end(format_args!("br i1 {cond}, label %{this}, label %{next}"));
        self.w.enter_aside();
        self.w.begin_behind(this);
        then(self);
        if self.w.is_open() {
            self.w.end(format_args!("br label %{next}"));
        }
        self.w.leave_aside();
        self.w.begin_behind(next);
    }

    /// The value of `then` or of `else_`, whichever runs.
    pub(crate) fn either(
        &mut self,
        cond: Value,
        weights: &str,
        then: impl FnOnce(&mut Self) -> Value,
        else_: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let (first, second, next) = (self.w.label(), self.w.label(), self.w.label());
        self.w.end(format_args!("br i1 {cond}, label %{first}, label %{second}{weights}"));
        self.w.enter_aside();
        self.w.begin_behind(first);
        let a = then(self);
        let from_a = self.w.here();
        self.w.end(format_args!("br label %{next}"));
        self.w.begin_behind(second);
        let b = else_(self);
        let from_b = self.w.here();
        self.w.end(format_args!("br label %{next}"));
        self.w.leave_aside();
        self.w.begin_behind(next);
        self.w.set(a.ty, format_args!("phi {} [ {a}, %{from_a} ], [ {b}, %{from_b} ]", a.ty))
    }
}

/// Memory of the caller that nobody else looks at.
fn memory_param(layout: &Layout) -> String {
    format!("ptr noalias noundef nonnull align 8 dereferenceable({})", layout.size.max(1))
}

fn hint_of(body: &Body) -> &'static str {
    match body.attrs.inline {
        InlineHint::Auto => "",
        InlineHint::Always => " inlinehint",
        InlineHint::Never => " noinline",
        InlineHint::Rare => " noinline cold",
    }
}

/// A cleanup that does nothing is as good as none.
fn is_only_resume(block: &Block) -> bool {
    matches!(block.term.kind, TermKind::Resume)
        && block.stmts.iter().all(|stmt| matches!(stmt.kind, StmtKind::Nop | StmtKind::EndScope(_)))
}

/// Cleanups, and blocks that only lead to a panic.
fn cold_blocks(body: &Body) -> Vec<bool> {
    let mut cold: Vec<bool> = body.blocks.values().map(|block| block.cleanup).collect();
    // Successors first, so that one round is enough but for loops.
    for &id in reverse_postorder(body).iter().rev() {
        let term = &body.blocks[id].term.kind;
        let to = term.successors();
        cold[id.index()] |=
            matches!(term, TermKind::Unreachable) || (!to.is_empty() && to.iter().all(|to| cold[to.index()]));
    }
    cold[Body::ENTRY.index()] = false;
    cold
}

fn reverse_postorder(body: &Body) -> Vec<BlockId> {
    let mut order = Vec::with_capacity(body.blocks.len());
    let mut seen = vec![false; body.blocks.len()];
    seen[Body::ENTRY.index()] = true;
    let mut work = vec![(Body::ENTRY, targets(body, Body::ENTRY))];
    while let Some((id, rest)) = work.last_mut() {
        match rest.pop() {
            Some(next) if !std::mem::replace(&mut seen[next.index()], true) => {
                work.push((next, targets(body, next)));
            }
            Some(_) => {}
            None => {
                order.push(*id);
                work.pop();
            }
        }
    }
    order.reverse();
    order
}

/// Where the only way to a block comes from, if there is one and it is no panic's: a block, or the function's start.
fn only_predecessors(body: &Body) -> Vec<Option<Option<BlockId>>> {
    let mut ways = vec![0; body.blocks.len()];
    let mut only = vec![None; body.blocks.len()];
    let mut note = |to: BlockId, from: Option<BlockId>| {
        ways[to.index()] += 1;
        only[to.index()] = Some(from).filter(|_| ways[to.index()] == 1);
    };
    note(Body::ENTRY, None);
    for (id, block) in body.blocks.iter() {
        block.term.kind.successors().into_iter().for_each(|to| note(to, Some(id)));
        if let Some(pad) = block.unwind {
            note(pad, None);
            note(pad, None);
        }
    }
    only
}

/// Every block that control may go to from here.
fn targets(body: &Body, id: BlockId) -> SmallVec<[BlockId; 4]> {
    let block = &body.blocks[id];
    let mut targets = block.term.kind.successors();
    targets.extend(block.unwind);
    targets
}

/// The locals whose own memory somebody takes the address of.
fn addressed_locals(body: &Body) -> Vec<bool> {
    let mut addressed = vec![false; body.locals.len()];
    let own = |place: &Place| {
        !place.proj.iter().any(|proj| matches!(proj, Proj::Deref | Proj::Index(_) | Proj::Capture(_)))
    };
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        each_place(&stmt.kind, &mut |place, how| {
            if how == Use::Address
                && let PlaceRef::Place(place) = place
                && own(place)
            {
                addressed[place.local.index()] = true;
            }
        });
    }
    addressed
}
