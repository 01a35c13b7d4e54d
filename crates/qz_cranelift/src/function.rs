//! One MIR body to one CLIF function: locals, blocks, terminators.

use std::sync::Arc;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, AbiParam, BlockArg, ExtFuncData, ExternalName, FuncRef, GlobalValue, GlobalValueData, InstBuilder,
    Signature, SourceLoc, TrapCode, Type, Value, types,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, Switch};
use qz_base::FxHashMap;
use qz_codegen::{FnAbi, PassMode, RetMode};
use qz_mir::layout::{Layout, ObjectLayout};
use qz_mir::visit::{Use, each_place};
use qz_mir::{
    Block, BlockId, Body, Callee, Instance, InstanceId, Local, Place, Proj, Rvalue, SourceInfo, StmtKind,
    TermKind,
};
use qz_rt_abi::Fiber;
use qz_rt_abi::registry::rt;
use smallvec::SmallVec;

use crate::dwarf::Variable;
use crate::image::Symbol;
use crate::memory::{Region, Regions};
use crate::place::Home;
use crate::program::ProgramCx;
use crate::reuse::Token;
use crate::value::{Addr, Val, clif_ty};

/// The state of translating one body.
pub(crate) struct FnCx<'a, 'b, 'm> {
    pub(crate) program: &'a mut ProgramCx<'m>,
    pub(crate) b: FunctionBuilder<'b>,
    pub(crate) id: InstanceId,
    pub(crate) body: &'a Body,
    /// Where the result goes if it is returned in memory.
    ret_pointer: Option<Value>,
    pub(crate) homes: Vec<Home>,
    local_layouts: Vec<Arc<Layout>>,
    blocks: Vec<ir::Block>,
    /// By block: whether it is rarely run.
    cold: Vec<bool>,
    /// Whether the block at hand runs while a panic is under way.
    pub(crate) in_cleanup: bool,
    /// Where panics of the block at hand go.
    pub(crate) unwind: Option<ir::Block>,
    imports: FxHashMap<Symbol, FuncRef>,
    globals: FxHashMap<Symbol, GlobalValue>,
    closure: Option<ObjectLayout>,
    /// In a destroy function: how deep it was called, see `destroy.rs`.
    pub(crate) drop_depth: Option<Value>,
    /// For the object that is made next.
    pub(crate) token: Option<Token>,
    /// Where panics that leave a destroy function pass.
    pub(crate) drop_handler: Option<ir::Block>,
    abi: &'a FnAbi,
    pub(crate) regions: Regions,
}

/// The address of code or data, in a function that is made by hand.
pub(crate) fn address_of(b: &mut FunctionBuilder<'_>, symbol: Symbol) -> Value {
    let name = ExternalName::user(b.func.declare_imported_user_function(symbol.name()));
    let data = GlobalValueData::Symbol { name, offset: 0.into(), colocated: true, tls: false };
    let global = b.create_global_value(data);
    b.ins().symbol_value(types::I64, global)
}

/// The trap behind code that is never reached.
pub(crate) fn unreachable_code() -> TrapCode {
    TrapCode::unwrap_user(1)
}

impl<'a, 'b, 'm> FnCx<'a, 'b, 'm> {
    /// Translates a body into the function that the builder is for.
    pub(crate) fn translate(
        program: &'a mut ProgramCx<'m>,
        mut b: FunctionBuilder<'b>,
        (id, instance): (InstanceId, &'a Instance),
        body: &'a Body,
        abi: &'a FnAbi,
    ) {
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        b.seal_block(entry);
        let blocks = body.blocks.ids().map(|_| b.create_block()).collect();
        let local_layouts = body.locals.values().map(|local| program.layouts.of(local.ty)).collect();
        program.locations.start_body();
        let mut cx = FnCx {
            program,
            b,
            id,
            body,
            regions: Default::default(),
            ret_pointer: None,
            homes: Vec::new(),
            local_layouts,
            blocks,
            cold: cold_blocks(body),
            in_cleanup: false,
            token: None,
            unwind: None,
            imports: FxHashMap::default(),
            globals: FxHashMap::default(),
            closure: None,
            drop_depth: None,
            drop_handler: None,
            abi,
        };
        cx.make_homes();
        cx.prologue(entry, instance);
        cx.all_blocks();
        let config = cx.program.isa.frontend_config();
        cx.b.finalize(config);
    }

    pub(crate) fn layout_of(&self, local: Local) -> Arc<Layout> {
        self.local_layouts[local.index()].clone()
    }

    /// The closure object of the body at hand.
    pub(crate) fn closure_layout(&mut self) -> &ObjectLayout {
        let (layouts, body) = (self.program.layouts, self.body);
        self.closure.get_or_insert_with(|| layouts.closure(&body.captures))
    }

    fn make_homes(&mut self) {
        let in_memory = addressed_locals(self.body);
        self.program.variables.clear();
        for local in self.body.locals.ids() {
            let layout = self.layout_of(local);
            if self.program.options.debug && !layout.is_zero_sized() && self.body.locals[local].name.is_some()
            {
                let home = self.visible_home(local, &layout);
                self.homes.push(home);
                continue;
            }
            let home = match &layout.slots {
                Some(slots) if !in_memory[local.index()] => {
                    Home::Variables(slots.iter().map(|s| self.b.declare_var(clif_ty(s.scalar))).collect())
                }
                _ => {
                    let at = self.temp(&layout);
                    Home::Memory(at)
                }
            };
            self.homes.push(home);
        }
    }

    /// A place in the frame that a debugger can read, for a local that the user named.
    fn visible_home(&mut self, local: Local, layout: &Layout) -> Home {
        let slot = self.new_stack_slot(layout);
        let decl = &self.body.locals[local];
        let is_parameter = (1..=self.body.param_count).contains(&local.raw());
        let name = decl.name.expect("asked before");
        self.program.variables.push(Variable::new(name, decl.ty, decl.span, is_parameter, slot));
        Home::Memory(Addr::new(self.b.ins().stack_addr(types::I64, slot, 0)))
    }

    /// Puts parameters where they live, checks the stack, goes to the first block.
    fn prologue(&mut self, entry: ir::Block, instance: &Instance) {
        let abi = self.abi;
        let mut values: SmallVec<[Value; 8]> = SmallVec::from_slice(self.b.block_params(entry));
        values.reverse();
        let mut next = || values.pop().expect("the signature was made from the same convention");
        if abi.ret.1 == RetMode::Indirect {
            self.ret_pointer = Some(next());
        }
        for (local, (layout, mode)) in self.body.params().zip(&abi.params) {
            match mode {
                PassMode::Ignore => {}
                PassMode::Direct(slots) => {
                    let value = Val::Parts(slots.iter().map(|_| next()).collect());
                    self.write_local(local, &value);
                }
                PassMode::Indirect => {
                    let at = Addr::new(next());
                    let is_visible = self.program.options.debug && self.body.locals[local].name.is_some();
                    if let Home::Memory(home) = &mut self.homes[local.index()]
                        && !is_visible
                    {
                        *home = at;
                    } else {
                        let value = self.load(layout, at);
                        self.write_local(local, &value);
                    }
                }
            }
        }
        // What does not panic neither recurses nor runs deep, and destroy functions nest only so deep: they
        // get by with the reserve.
        if self.program.is_destroy(&instance.key) && makes_calls(self.body) {
            self.enter_destroy();
        } else if instance.may_panic && makes_calls(self.body) {
            self.check_stack(instance);
        }
        let first = self.blocks[Body::ENTRY.index()];
        self.b.ins().jump(first, &[]);
    }

    fn check_stack(&mut self, instance: &Instance) {
        let entry = &self.body.blocks[Body::ENTRY];
        let source = entry.stmts.first().map_or(entry.term.source, |stmt| stmt.source);
        self.set_location(source);
        let sp = self.b.ins().get_stack_pointer(types::I64);
        let limit = self.fiber_field(std::mem::offset_of!(Fiber, stack_limit), types::I64);
        let below = self.b.ins().icmp(IntCC::UnsignedLessThan, sp, limit);
        let owns = |(param, layout): (&qz_mir::Param, &Arc<Layout>)| {
            param.ownership == qz_mir::Ownership::Owned && layout.needs_release
        };
        let owns_params = instance.params.iter().zip(&self.local_layouts[1..]).any(owns);
        self.if_rare(below, |cx| {
            // Parameters that were given away are released by the entry's cleanup.
            cx.unwind = owns_params.then(|| cx.handler(Body::ENTRY)).flatten();
            cx.runtime(rt::panic_stack, &[]);
            cx.b.ins().trap(unreachable_code());
        });
    }

    /// The fiber that the code runs on: in a register of its own, the same in every Quartz function.
    pub(crate) fn fiber(&mut self) -> Value {
        self.b.ins().get_pinned_reg(types::I64)
    }

    pub(crate) fn fiber_field(&mut self, offset: usize, ty: Type) -> Value {
        let fiber = self.fiber();
        self.load_from(Region::Runtime, ty, fiber, offset as i32)
    }

    pub(crate) fn set_fiber_field(&mut self, offset: usize, value: Value) {
        let fiber = self.fiber();
        self.store_to(Region::Runtime, value, fiber, offset as i32);
    }

    pub(crate) fn set_location(&mut self, source: SourceInfo) {
        let location = self.program.locations.intern(self.body, source);
        self.b.set_srcloc(SourceLoc::new(location));
    }

    /// Translates blocks in an order in which most predecessors come first, and closes each as soon as all
    /// have come.
    fn all_blocks(&mut self) {
        let body = self.body;
        let order = reverse_postorder(body);
        let mut waiting = vec![0u32; body.blocks.len()];
        waiting[Body::ENTRY.index()] = 1;
        for &id in &order {
            each_target(&body.blocks[id], &mut |to| waiting[to.index()] += 1);
        }
        let mut arrived = |cx: &mut Self, to: BlockId| {
            waiting[to.index()] -= 1;
            if waiting[to.index()] == 0 {
                cx.b.seal_block(cx.blocks[to.index()]);
            }
        };
        arrived(self, Body::ENTRY);
        for id in order {
            self.block(id);
            each_target(&body.blocks[id], &mut |to| arrived(self, to));
        }
        self.finish_depth_handler();
        self.b.seal_all_blocks();
    }

    fn block(&mut self, id: BlockId) {
        let body = self.body;
        let block = &body.blocks[id];
        let clif = self.blocks[id.index()];
        if self.cold[id.index()] {
            self.b.set_cold_block(clif);
        }
        self.b.switch_to_block(clif);
        self.unwind = self.handler(id);
        self.in_cleanup = block.cleanup;
        for stmt in &block.stmts {
            if !matches!(stmt.kind, StmtKind::Nop | StmtKind::EndScope(_)) {
                self.set_location(stmt.source);
                self.statement(&stmt.kind);
            }
        }
        self.set_location(block.term.source);
        self.terminator(&block.term.kind);
    }

    /// Where panics of a block go, if something is done there.
    fn handler(&self, id: BlockId) -> Option<ir::Block> {
        let unwind = self.body.blocks[id].unwind.filter(|&to| !is_only_resume(&self.body.blocks[to]));
        unwind.map(|to| self.blocks[to.index()])
    }

    fn terminator(&mut self, term: &TermKind) {
        match term {
            TermKind::Goto(to) => {
                self.b.ins().jump(self.blocks[to.index()], &[]);
            }
            TermKind::Branch { cond, then, else_, likely } => {
                let cond = self.operand(cond).1.single();
                let (then, else_) = (self.blocks[then.index()], self.blocks[else_.index()]);
                match likely {
                    Some(true) => self.b.set_cold_block(else_),
                    Some(false) => self.b.set_cold_block(then),
                    None => {}
                }
                self.b.ins().brif(cond, then, &[], else_, &[]);
            }
            TermKind::Switch { value, cases, otherwise } => self.switch(value, cases, *otherwise),
            TermKind::Return => self.return_(),
            TermKind::Unreachable => {
                self.b.ins().trap(unreachable_code());
            }
            TermKind::Resume => {
                self.leave_destroy(false);
                self.unwind = None;
                self.runtime(rt::resume, &[]);
                self.b.ins().trap(unreachable_code());
            }
        }
    }

    fn switch(&mut self, value: &qz_mir::Operand, cases: &[(i128, BlockId)], otherwise: Option<BlockId>) {
        let value = self.operand(value).1.single();
        let ty = self.b.func.dfg.value_type(value);
        let mask = (1u128 << ty.bits()) - 1;
        let (listed, default) = match (otherwise, cases.split_last()) {
            (Some(default), _) => (cases, default),
            (None, Some((last, rest))) => (rest, last.1),
            (None, None) => {
                self.b.ins().trap(unreachable_code());
                return;
            }
        };
        let default = self.blocks[default.index()];
        if let [(case, to)] = listed {
            let equal = self.b.ins().icmp_imm_s(IntCC::Equal, value, *case as i64);
            self.b.ins().brif(equal, self.blocks[to.index()], &[], default, &[]);
            return;
        }
        let mut switch = Switch::new();
        for &(case, to) in listed {
            switch.set_entry(case as u128 & mask, self.blocks[to.index()]);
        }
        switch.emit(&mut self.b, value, default);
    }

    fn return_(&mut self) {
        self.leave_destroy(true);
        let abi = self.abi;
        let value = match &abi.ret.1 {
            RetMode::Ignore => SmallVec::new(),
            RetMode::Direct(_) => match self.read_local(Body::RETURN) {
                Val::Parts(parts) => parts,
                Val::Memory(_) => unreachable!("returned in registers"),
            },
            RetMode::Indirect => {
                let value = self.read_local(Body::RETURN);
                let to = Addr::new(self.ret_pointer.expect("passed when the result goes to memory"));
                let layout = abi.ret.0.clone();
                self.store(&layout, &value, to);
                SmallVec::new()
            }
        };
        self.b.ins().return_(&value);
    }

    // ---- references to what is outside the function

    pub(crate) fn c_signature(&self, params: &[Type], ret: Option<Type>) -> Signature {
        let mut signature = Signature::new(self.program.isa.default_call_conv());
        let param = |&ty: &Type| if ty.bits() < 32 { AbiParam::new(ty).uext() } else { AbiParam::new(ty) };
        signature.params = params.iter().map(param).collect();
        signature.returns = ret.iter().map(param).collect();
        signature
    }

    /// The function behind a symbol; a symbol has one signature.
    pub(crate) fn import(&mut self, symbol: Symbol, signature: Signature) -> FuncRef {
        if let Some(&known) = self.imports.get(&symbol) {
            return known;
        }
        let signature = self.b.func.import_signature(signature);
        let name = ExternalName::user(self.b.func.declare_imported_user_function(symbol.name()));
        let data = ExtFuncData { name, signature, colocated: true, patchable: false };
        let function = self.b.func.import_function(data);
        self.imports.insert(symbol, function);
        function
    }

    /// The address of code or data.
    pub(crate) fn symbol_address(&mut self, symbol: Symbol) -> Value {
        let global = match self.globals.get(&symbol) {
            Some(&known) => known,
            None => {
                let name = ExternalName::user(self.b.func.declare_imported_user_function(symbol.name()));
                let data = GlobalValueData::Symbol { name, offset: 0.into(), colocated: true, tls: false };
                let global = self.b.create_global_value(data);
                self.globals.insert(symbol, global);
                global
            }
        };
        self.b.ins().symbol_value(types::I64, global)
    }

    /// Continues in a fresh block with these parameters.
    pub(crate) fn fresh_block(&mut self, params: &[Type]) -> ir::Block {
        let block = self.b.create_block();
        params.iter().for_each(|&ty| {
            self.b.append_block_param(block, ty);
        });
        block
    }

    /// Goes to a block and continues there; nobody else jumps to it later.
    pub(crate) fn continue_in(&mut self, block: ir::Block) {
        self.b.switch_to_block(block);
        self.b.seal_block(block);
    }

    /// Branches: to a cold block if `cond`, which is left open; the builder stands in the other one.
    pub(crate) fn branch_cold(&mut self, cond: Value) -> ir::Block {
        let (cold, next) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(cond, cold, &[], next, &[]);
        self.b.set_cold_block(cold);
        self.b.seal_block(cold);
        self.continue_in(next);
        cold
    }

    /// Runs `rare` in a cold block if `cond`; that block must end. The builder stands in the other one.
    pub(crate) fn if_rare(&mut self, cond: Value, rare: impl FnOnce(&mut Self)) {
        let (cold, next) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(cond, cold, &[], next, &[]);
        self.b.set_cold_block(cold);
        self.continue_in(cold);
        rare(self);
        self.continue_in(next);
    }

    pub(crate) fn jump(&mut self, to: ir::Block, args: &[Value]) {
        let args: SmallVec<[BlockArg; 4]> = args.iter().map(|&arg| BlockArg::Value(arg)).collect();
        self.b.ins().jump(to, &args);
    }

    pub(crate) fn quartz_signature(&self, abi: &FnAbi) -> Signature {
        quartz_signature(abi)
    }
}

/// The signature of a Quartz function.
pub(crate) fn quartz_signature(abi: &FnAbi) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    match &abi.ret.1 {
        RetMode::Ignore => {}
        RetMode::Direct(slots) => {
            signature.returns = slots.iter().map(|slot| AbiParam::new(clif_ty(slot.scalar))).collect();
        }
        RetMode::Indirect => signature.params.push(AbiParam::new(types::I64)),
    }
    for (_, mode) in &abi.params {
        match mode {
            PassMode::Ignore => {}
            PassMode::Direct(slots) => {
                signature.params.extend(slots.iter().map(|slot| AbiParam::new(clif_ty(slot.scalar))));
            }
            PassMode::Indirect => signature.params.push(AbiParam::new(types::I64)),
        }
    }
    signature
}

/// A cleanup that does nothing is as good as none.
fn is_only_resume(block: &Block) -> bool {
    matches!(block.term.kind, TermKind::Resume)
        && block.stmts.iter().all(|stmt| matches!(stmt.kind, StmtKind::Nop | StmtKind::EndScope(_)))
}

/// Cleanups, and blocks that only lead to a panic. They stand behind all others, so that registers are shared
/// out as if they did not exist.
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

/// Every block that control may go to from here, the cleanup once.
fn each_target(block: &Block, f: &mut dyn FnMut(BlockId)) {
    block.term.kind.successors().into_iter().for_each(&mut *f);
    block.unwind.into_iter().for_each(f);
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

fn targets(body: &Body, id: BlockId) -> SmallVec<[BlockId; 4]> {
    let mut targets = SmallVec::new();
    each_target(&body.blocks[id], &mut |to| targets.push(to));
    targets
}

/// The locals whose own memory somebody takes the address of.
fn addressed_locals(body: &Body) -> Vec<bool> {
    let mut addressed = vec![false; body.locals.len()];
    let own = |place: &Place| {
        !place.proj.iter().any(|proj| matches!(proj, Proj::Deref | Proj::Index(_) | Proj::Capture(_)))
    };
    for block in body.blocks.values() {
        for stmt in &block.stmts {
            each_place(&stmt.kind, &mut |place, how| {
                if how == Use::Address
                    && let qz_mir::visit::PlaceRef::Place(place) = place
                    && own(place)
                {
                    addressed[place.local.index()] = true;
                }
            });
        }
    }
    addressed
}

/// Whether the body may call Quartz code, so that the stack can grow without bound.
fn makes_calls(body: &Body) -> bool {
    let calls = |kind: &StmtKind| match kind {
        StmtKind::Call(call) => !matches!(call.callee, Callee::Runtime(_)),
        StmtKind::Release(_) => true,
        StmtKind::Assign(_, Rvalue::Closure(..)) | StmtKind::Init(_, Rvalue::Closure(..)) => false,
        _ => false,
    };
    body.blocks.values().any(|block| block.stmts.iter().any(|stmt| calls(&stmt.kind)))
}
