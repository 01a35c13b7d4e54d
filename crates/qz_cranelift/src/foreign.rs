//! Calls of C by its convention, and code that C can call.
//!
//! A function for C has two parts around the Quartz function. The outer one is what C calls: it writes its arguments
//! to its frame and asks the runtime to run the inner one there, which finds or makes a fiber. The inner one sets
//! the fiber's register, calls the Quartz function, and ends the program if a panic comes out.

use cranelift_codegen::ir::{
    self, AbiParam, ArgumentPurpose, BlockCall, ExceptionTableData, ExceptionTableItem, ExtFuncData,
    ExternalName, InstBuilder, MemFlagsData, Signature, StackSlotData, StackSlotKind, Value, types,
};
use cranelift_codegen::{Context, isa::CallConv};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use qz_codegen::c_abi::{CAbi, CArch, CFrame, CParam, CPass, CRet, CSource, Extend, Pieces, padded_size};
use qz_codegen::{FnAbi, PassMode, RetMode};
use qz_mir::layout::{Layout, Scalar, Slot};
use qz_mir::{Call, ForC, Instance, InstanceId, Module};
use qz_types::Ty;
use smallvec::SmallVec;

use crate::CompileError;
use crate::function::{FnCx, quartz_signature};
use crate::image::Symbol;
use crate::program::ProgramCx;
use crate::value::{Addr, Val, clif_ty};

type Values = SmallVec<[Value; 4]>;

/// The runtime's functions for this.
const RUN: &str = "qz_foreign_run";
const PANICKED: &str = "qz_foreign_panicked";

/// Where those are in the runtime that is part of the compiler.
pub(crate) fn address_in_process(name: &str) -> Option<*const u8> {
    match name {
        RUN => Some(qz_rt::foreign::run as *const u8),
        PANICKED => Some(qz_rt::foreign::panicked as *const u8),
        _ => qz_rt::foreign::find_symbol(name),
    }
}

/// What linkers know the function of such a number by, and whether other files may.
pub(crate) fn symbol_around(module: &Module, number: u32) -> Option<(String, bool)> {
    let at = number.checked_sub(module.first_around())?;
    let mut all = module.instances.values().filter_map(|it| Some((it, it.for_c.as_ref()?)));
    let (instance, for_c) = all.nth(at as usize / 2)?;
    Some(match (at.is_multiple_of(2), for_c.symbol) {
        (true, Some(symbol)) => (symbol.as_str().to_owned(), true),
        (true, None) => (format!("{}.outer", instance.symbol), false),
        (false, _) => (format!("{}.inner", instance.symbol), false),
    })
}

/// The numbers of the functions around a function for C.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Around {
    pub(crate) outer: u32,
    inner: u32,
}

fn scalar_param(scalar: Scalar, extend: Extend) -> AbiParam {
    let param = AbiParam::new(clif_ty(scalar));
    match extend {
        Extend::None => param,
        Extend::Sign => param.sext(),
        Extend::Zero => param.uext(),
    }
}

/// The signature in C's convention.
fn c_signature(abi: &CAbi, convention: CallConv) -> Signature {
    let mut signature = Signature::new(convention);
    match &abi.ret.1 {
        CRet::Ignore => {}
        CRet::Scalar(scalar, extend) => signature.returns.push(scalar_param(*scalar, *extend)),
        CRet::Pieces(slots) => {
            signature.returns.extend(slots.iter().map(|slot| AbiParam::new(clif_ty(slot.scalar))));
        }
        CRet::Address => {
            signature.params.push(AbiParam::special(types::I64, ArgumentPurpose::StructReturn));
        }
    }
    for param in &abi.params {
        match &param.pass {
            CPass::Ignore => {}
            CPass::Scalar(scalar, extend) => signature.params.push(scalar_param(*scalar, *extend)),
            CPass::Pieces(Pieces { used_up, slots }) => {
                if let Some((scalar, count)) = used_up {
                    let unused = std::iter::repeat_n(AbiParam::new(clif_ty(*scalar)), *count as usize);
                    signature.params.extend(unused);
                }
                signature.params.extend(slots.iter().map(|slot| AbiParam::new(clif_ty(slot.scalar))));
            }
            CPass::Stack { size, .. } => {
                let purpose = ArgumentPurpose::StructArgument(*size);
                signature.params.push(AbiParam::special(types::I64, purpose));
            }
            CPass::Address => signature.params.push(AbiParam::new(types::I64)),
        }
    }
    signature
}

// ---------------------------------------------------------------------------------------------- calls of C

impl FnCx<'_, '_, '_> {
    pub(crate) fn call_foreign(&mut self, call: &Call, instance: &Instance) {
        let foreign = instance.foreign.as_ref().expect("asked before");
        let (code, operands) = match foreign.is_by_address() {
            true => (self.scalar(&call.args[0]), &call.args[1..]),
            false => {
                let symbol = self.program.foreign(foreign);
                (self.symbol_address(symbol), &call.args[..])
            }
        };
        let tys: Vec<Ty> = operands.iter().map(|arg| self.operand_ty(arg)).collect();
        let abi = CAbi::new(self.program.layouts, CArch::HOST, tys, instance.ret);
        let mut args = Values::new();
        let result = match &abi.ret.1 {
            CRet::Pieces(_) | CRet::Address => Some(self.padded_temp(&abi.ret.0)),
            CRet::Ignore | CRet::Scalar(..) => None,
        };
        if abi.ret.1 == CRet::Address {
            args.extend(result.map(|at| at.base));
        }
        for (arg, param) in operands.iter().zip(&abi.params) {
            let value = self.operand(arg).1;
            self.c_argument(param, &value, &mut args);
        }
        let signature = c_signature(&abi, self.program.isa.default_call_conv());
        // A variadic function is called with other signatures elsewhere, so the call is by address.
        let results = self.call_address(code, signature, &args, false);
        let value = match (&abi.ret.1, result) {
            (CRet::Scalar(..), _) => Val::Parts(results),
            (CRet::Pieces(slots), Some(at)) => {
                for (slot, value) in slots.iter().zip(results) {
                    self.store_scalar(value, at.plus(slot.offset));
                }
                self.load(&abi.ret.0, at)
            }
            (CRet::Address, Some(at)) => self.load(&abi.ret.0, at),
            _ => return,
        };
        self.write_local(call.dest, &value);
    }

    /// Memory for a value of which whole words are read.
    fn padded_temp(&mut self, layout: &Layout) -> Addr {
        let align = layout.align.max(8).trailing_zeros() as u8;
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, padded_size(layout), align);
        let slot = self.b.create_sized_stack_slot(slot);
        Addr::new(self.b.ins().stack_addr(types::I64, slot, 0))
    }

    fn c_argument(&mut self, param: &CParam, value: &Val, args: &mut Values) {
        match (&param.pass, param.source) {
            (CPass::Ignore, _) => {}
            (_, CSource::Object(offset)) => {
                let object = value.single();
                args.push(self.b.ins().iadd_imm_s(object, offset as i64));
            }
            (_, CSource::Held(offset)) => {
                let at = Addr::object(value.single()).plus(offset);
                args.push(self.load_scalar(Scalar::Ptr, at));
            }
            (CPass::Scalar(..), CSource::Value) => args.push(value.single()),
            (CPass::Pieces(Pieces { used_up, slots }), CSource::Value) => {
                if let Some((scalar, count)) = used_up {
                    let nothing = self.zero(*scalar);
                    args.extend(std::iter::repeat_n(nothing, *count as usize));
                }
                let temp = self.padded_temp(&param.layout);
                self.store(&param.layout, value, temp);
                for slot in slots {
                    args.push(self.load_scalar(slot.scalar, temp.plus(slot.offset)));
                }
            }
            (CPass::Stack { .. } | CPass::Address, CSource::Value) => {
                let temp = self.padded_temp(&param.layout);
                self.store(&param.layout, value, temp);
                args.push(temp.base);
            }
        }
    }
}

// ---------------------------------------------------------------------------------------- functions for C

/// Writes and reads the frame between the two parts.
struct Frame<'a, 'b> {
    b: &'a mut FunctionBuilder<'b>,
    base: Value,
}

impl Frame<'_, '_> {
    fn store(&mut self, value: Value, offset: u32) {
        self.b.ins().store(MemFlagsData::trusted(), value, self.base, offset as i32);
    }

    fn load(&mut self, scalar: Scalar, offset: u32) -> Value {
        self.b.ins().load(clif_ty(scalar), MemFlagsData::trusted(), self.base, offset as i32)
    }

    fn address(&mut self, offset: u32) -> Value {
        self.b.ins().iadd_imm_s(self.base, offset as i64)
    }

    /// Copies whole words from an address.
    fn copy_in(&mut self, from: Value, size: u32, offset: u32) {
        for word in (0..size).step_by(8) {
            let flags = MemFlagsData::trusted();
            let value = self.b.ins().load(types::I64, flags, from, word as i32);
            self.store(value, offset + word);
        }
    }
}

impl ProgramCx<'_> {
    /// The functions around a function for C.
    pub(crate) fn around(&self, id: InstanceId) -> Around {
        let outer = self.module.around(id);
        Around { outer, inner: outer + 1 }
    }

    /// Compiles what stands around each function for C.
    pub(crate) fn compile_for_c(
        &mut self,
        cx: &mut Context,
        builder_cx: &mut FunctionBuilderContext,
        text: &mut String,
    ) -> Result<(), CompileError> {
        for (id, instance) in self.module.instances.iter() {
            let Some(for_c) = &instance.for_c else { continue };
            let params = instance.params.iter().map(|param| param.ty);
            let c_abi = CAbi::new(self.layouts, CArch::HOST, params, instance.ret);
            let (frame, around) = (c_abi.frame(), self.around(id));
            cx.clear();
            self.outer(&c_abi, &frame, around, FunctionBuilder::new(&mut cx.func, builder_cx));
            self.finish(around.outer, cx, &format!("{}.outer", instance.symbol), text)?;
            cx.clear();
            self.inner(id, for_c, &frame, FunctionBuilder::new(&mut cx.func, builder_cx));
            self.finish(around.inner, cx, &format!("{}.inner", instance.symbol), text)?;
        }
        Ok(())
    }

    /// What C calls: `run(inner, frame, null)` with the arguments in the frame.
    fn outer(&mut self, abi: &CAbi, frame: &CFrame, around: Around, mut b: FunctionBuilder<'_>) {
        let convention = self.isa.default_call_conv();
        b.func.signature = c_signature(abi, convention);
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let params = b.block_params(entry).to_vec();
        let slot = b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, frame.size, 4));
        let base = b.ins().stack_addr(types::I64, slot, 0);
        let inner = address_of(&mut b, Symbol::Function(around.inner));
        let mut memory = Frame { b: &mut b, base };
        let mut rest = params.iter().copied();
        let result = (abi.ret.1 == CRet::Address).then(|| rest.next()).flatten();
        for (param, &offset) in abi.params.iter().zip(&frame.params) {
            arrive(&mut memory, param, offset, &mut rest);
        }
        let run = self.image.outside(RUN, false);
        let mut signature = Signature::new(convention);
        signature.params = vec![AbiParam::new(types::I64); 3];
        let program = match self.description {
            Some(program) => address_of(&mut b, Symbol::Data(program)),
            None => b.ins().iconst(types::I64, 0),
        };
        call_symbol(&mut b, run, signature, &[inner, base, program]);
        let mut memory = Frame { b: &mut b, base };
        let results: Values = match &abi.ret.1 {
            CRet::Ignore => Values::new(),
            CRet::Scalar(scalar, _) => std::iter::once(memory.load(*scalar, 0)).collect(),
            CRet::Pieces(slots) => slots.iter().map(|slot| memory.load(slot.scalar, slot.offset)).collect(),
            CRet::Address => {
                let to = result.expect("the caller passes where the result goes");
                leave_at(&mut memory, to, abi.ret.0.size);
                Values::new()
            }
        };
        b.ins().return_(&results);
        b.seal_all_blocks();
        b.finalize(self.isa.frontend_config());
    }

    /// What the runtime calls: `fn(fiber, frame)`, in C's convention. Nothing unwinds beyond it.
    fn inner(&mut self, id: InstanceId, for_c: &ForC, frame: &CFrame, mut b: FunctionBuilder<'_>) {
        let convention = self.isa.default_call_conv();
        b.func.signature = Signature::new(convention);
        b.func.signature.params = vec![AbiParam::new(types::I64); 2];
        let (entry, next, caught) = (b.create_block(), b.create_block(), b.create_block());
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let params = b.block_params(entry).to_vec();
        let (fiber, base) = (params[0], params[1]);
        let abi = self.abi(id);
        let args = arguments(&mut Frame { b: &mut b, base }, &abi, frame);
        let slots: &[Slot] = match &abi.ret.1 {
            RetMode::Direct(slots) => slots,
            RetMode::Ignore | RetMode::Indirect => &[],
        };
        let results: Values =
            slots.iter().map(|slot| b.append_block_param(next, clif_ty(slot.scalar))).collect();
        let function = import(&mut b, Symbol::Function(id.raw()), quartz_signature(&abi));
        let signature = b.func.dfg.ext_funcs[function].signature;
        let pool = &mut b.func.dfg.value_lists;
        let returned: SmallVec<[_; 4]> = (0..slots.len() as u32).map(ir::BlockArg::TryCallRet).collect();
        let normal = BlockCall::new(next, returned, pool);
        let handler = ExceptionTableItem::Default(BlockCall::new(caught, [], pool));
        let table = ExceptionTableData::new(signature, normal, [handler]);
        let table = b.func.dfg.exception_tables.push(table);
        // C code expects to find its register as it was.
        let callers = b.ins().get_pinned_reg(types::I64);
        b.ins().set_pinned_reg(fiber);
        b.ins().try_call(function, &args, table);
        b.switch_to_block(next);
        let mut memory = Frame { b: &mut b, base };
        for (slot, value) in slots.iter().zip(results) {
            memory.store(value, slot.offset);
        }
        b.ins().set_pinned_reg(callers);
        b.ins().return_(&[]);
        b.switch_to_block(caught);
        self.end_by_panic(&mut b, for_c);
        b.seal_all_blocks();
        b.finalize(self.isa.frontend_config());
    }

    /// A panic came to the border.
    fn end_by_panic(&mut self, b: &mut FunctionBuilder<'_>, for_c: &ForC) {
        let name = self.image.add_data(for_c.name.as_bytes(), 1, Vec::new());
        let fiber = b.ins().get_pinned_reg(types::I64);
        let text = address_of(b, Symbol::Data(name));
        let len = b.ins().iconst(types::I64, for_c.name.len() as i64);
        let mut signature = Signature::new(self.isa.default_call_conv());
        signature.params = vec![AbiParam::new(types::I64); 3];
        let end = self.image.outside(PANICKED, false);
        call_symbol(b, end, signature, &[fiber, text, len]);
        b.ins().trap(crate::function::unreachable_code());
    }
}

/// Puts one of C's arguments into the frame.
fn arrive(memory: &mut Frame<'_, '_>, param: &CParam, offset: u32, rest: &mut impl Iterator<Item = Value>) {
    let mut next = || rest.next().expect("the signature has it");
    match &param.pass {
        CPass::Ignore => {}
        CPass::Scalar(..) => memory.store(next(), offset),
        CPass::Pieces(Pieces { used_up, slots }) => {
            for _ in 0..used_up.map_or(0, |it| it.1) {
                next();
            }
            for slot in slots {
                memory.store(next(), offset + slot.offset);
            }
        }
        CPass::Stack { size, .. } => memory.copy_in(next(), *size, offset),
        CPass::Address => {
            // Not padded: what C has there may end at the end of a page.
            let from = next();
            copy_exactly(memory, from, 0, param.layout.size, |memory, value, at| {
                memory.store(value, offset + at)
            });
        }
    }
}

/// Stores the result where C wants it.
fn leave_at(memory: &mut Frame<'_, '_>, to: Value, size: u32) {
    let from = memory.base;
    copy_exactly(memory, from, 0, size, |memory, value, at| {
        memory.b.ins().store(MemFlagsData::trusted(), value, to, at as i32);
    });
}

fn copy_exactly<'b>(
    memory: &mut Frame<'_, 'b>,
    from: Value,
    start: u32,
    size: u32,
    mut store: impl FnMut(&mut Frame<'_, 'b>, Value, u32),
) {
    let mut at = start;
    while at < size {
        let step = 1 << (size - at).ilog2().min(3);
        let ty = clif_ty(Scalar::int_of_size(step));
        let value = memory.b.ins().load(ty, MemFlagsData::trusted(), from, at as i32);
        store(memory, value, at);
        at += step;
    }
}

/// The arguments of the Quartz function, from the frame.
fn arguments(memory: &mut Frame<'_, '_>, abi: &FnAbi, frame: &CFrame) -> Values {
    let mut args = Values::new();
    if abi.ret.1 == RetMode::Indirect {
        args.push(memory.base);
    }
    for ((_, mode), &offset) in abi.params.iter().zip(&frame.params) {
        match mode {
            PassMode::Ignore => {}
            PassMode::Direct(slots) => {
                args.extend(slots.iter().map(|slot| memory.load(slot.scalar, offset + slot.offset)));
            }
            PassMode::Indirect => args.push(memory.address(offset)),
        }
    }
    args
}

fn import(b: &mut FunctionBuilder<'_>, symbol: Symbol, signature: Signature) -> ir::FuncRef {
    let signature = b.func.import_signature(signature);
    let name = ExternalName::user(b.func.declare_imported_user_function(symbol.name()));
    b.func.import_function(ExtFuncData { name, signature, colocated: true, patchable: false })
}

fn call_symbol(b: &mut FunctionBuilder<'_>, symbol: Symbol, signature: Signature, args: &[Value]) {
    let function = import(b, symbol, signature);
    b.ins().call(function, args);
}

fn address_of(b: &mut FunctionBuilder<'_>, symbol: Symbol) -> Value {
    let name = ExternalName::user(b.func.declare_imported_user_function(symbol.name()));
    let data = ir::GlobalValueData::Symbol { name, offset: 0.into(), colocated: true, tls: false };
    let global = b.create_global_value(data);
    b.ins().symbol_value(types::I64, global)
}
