//! Calls: of instances, closures, `dyn` methods, the runtime. Foreign functions are in `foreign`.
//!
//! A call that may panic inside a block with a cleanup ends its CLIF block with two ways out.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    BlockArg, BlockCall, ExceptionTable, ExceptionTableData, ExceptionTableItem, FuncRef, InstBuilder,
    SigRef, Signature, Value, types,
};
use qz_codegen::atomics::Atomic;
use qz_codegen::locks::LockChange;
use qz_codegen::{FnAbi, PassMode, RetMode};
use qz_mir::layout::Layout;
use qz_mir::{Call, Callee, InstanceId, Operand};
use qz_rt_abi::fiber::HASH_WORD_KEYS;
use qz_rt_abi::object::{CLOSURE_CODE, DYN_VTABLE, STR_LEN};
use qz_rt_abi::registry::{RtScalar, rt};
use qz_rt_abi::{Fiber, RtFn};
use qz_types::Ty;
use smallvec::SmallVec;

use crate::function::FnCx;
use crate::image::Symbol;
use crate::memory::Region;
use crate::place::Home;
use crate::value::{Addr, Val};

type Values = SmallVec<[Value; 4]>;

impl FnCx<'_, '_, '_> {
    pub(crate) fn call(&mut self, call: &Call) {
        match &call.callee {
            Callee::Instance(id) => match &self.program.module.instances[*id] {
                instance if instance.foreign.is_some() => self.call_foreign(call, instance),
                _ => self.call_direct(call, *id),
            },
            Callee::Value(closure) => self.call_closure(call, closure),
            Callee::Dyn { slot, .. } => self.call_dyn(call, *slot),
            Callee::Runtime(f) => self.call_runtime(call, *f),
            other @ (Callee::Fn(..) | Callee::Method { .. } | Callee::Member(_)) => {
                unreachable!("{other:?} is an instance by now")
            }
        }
    }

    fn call_direct(&mut self, call: &Call, id: InstanceId) {
        let abi = self.program.abi(id);
        let (args, result) = self.arguments(call, &abi, None);
        let signature = self.quartz_signature(&abi);
        let function = self.import(Symbol::Function(id.raw()), signature);
        let may_panic = self.program.module.instances[id].may_panic;
        let results = self.call_function(function, &args, may_panic);
        self.take_result(call, &abi, results, result);
    }

    fn call_closure(&mut self, call: &Call, closure: &Operand) {
        let ty = self.operand_ty(closure);
        let object = self.scalar(closure);
        let abi = self.abi_of_call(call, Some(ty));
        let (args, result) = self.arguments(call, &abi, Some(object));
        let code = self.load_from(Region::Object, types::I64, object, CLOSURE_CODE as i32);
        let results = self.call_address(code, self.quartz_signature(&abi), &args, true);
        self.take_result(call, &abi, results, result);
    }

    fn call_dyn(&mut self, call: &Call, slot: u32) {
        let object = self.scalar(&call.args[0]);
        let abi = self.abi_of_call(call, None);
        let (args, result) = self.arguments(call, &abi, None);
        let table = self.load_from(Region::Object, types::I64, object, DYN_VTABLE as i32);
        let code = self.load_from(Region::Object, types::I64, table, slot as i32 * 8);
        let results = self.call_address(code, self.quartz_signature(&abi), &args, true);
        self.take_result(call, &abi, results, result);
    }

    /// The convention of a call whose callee is not known, from the types at hand.
    fn abi_of_call(&self, call: &Call, first: Option<Ty>) -> FnAbi {
        let args = call.args.iter().map(|arg| self.operand_ty(arg));
        FnAbi::new(self.program.layouts, first.into_iter().chain(args), self.body.locals[call.dest].ty)
    }

    /// The machine arguments, and where the result will be if it is returned in memory.
    fn arguments(&mut self, call: &Call, abi: &FnAbi, closure: Option<Value>) -> (Values, Option<Addr>) {
        let mut args: Values = SmallVec::new();
        let result = (abi.ret.1 == RetMode::Indirect).then(|| self.temp(&abi.ret.0));
        args.extend(result.map(|at| at.base));
        args.extend(closure);
        let modes = &abi.params[closure.iter().len()..];
        for (arg, (layout, mode)) in call.args.iter().zip(modes) {
            match mode {
                PassMode::Ignore => {}
                PassMode::Direct(_) => match self.operand(arg).1 {
                    Val::Parts(parts) => args.extend(parts),
                    Val::Memory(_) => unreachable!("passed in registers"),
                },
                PassMode::Indirect => {
                    let address = self.indirect_argument(arg, layout);
                    args.push(address);
                }
            }
        }
        (args, result)
    }

    /// The address of a copy of the argument that the callee may change: the argument's own memory if it is
    /// given away.
    fn indirect_argument(&mut self, arg: &Operand, layout: &Layout) -> Value {
        if let Operand::Move(place) = arg
            && let Some(local) = place.as_local()
            && let Home::Memory(at) = self.homes[local.index()]
        {
            return self.address(at);
        }
        let value = self.operand(arg).1;
        let temp = self.temp(layout);
        self.store(layout, &value, temp);
        temp.base
    }

    fn take_result(&mut self, call: &Call, abi: &FnAbi, results: Values, memory: Option<Addr>) {
        let value = match memory {
            Some(at) => self.load(&abi.ret.0, at),
            None => Val::Parts(results),
        };
        if abi.ret.1 != RetMode::Ignore {
            self.write_local(call.dest, &value);
        }
    }

    // ---- the instruction itself

    /// Where a panic of the statement at hand goes inside this function.
    fn panic_target(&mut self) -> Option<cranelift_codegen::ir::Block> {
        self.unwind.or_else(|| self.depth_handler())
    }

    fn exception_table(
        &mut self,
        signature: SigRef,
    ) -> Option<(ExceptionTable, cranelift_codegen::ir::Block)> {
        let handler = self.panic_target()?;
        let returns: SmallVec<[_; 4]> =
            self.b.func.dfg.signatures[signature].returns.iter().map(|ret| ret.value_type).collect();
        let next = self.fresh_block(&returns);
        let args: SmallVec<[BlockArg; 4]> = (0..returns.len() as u32).map(BlockArg::TryCallRet).collect();
        let pool = &mut self.b.func.dfg.value_lists;
        let normal = BlockCall::new(next, args, pool);
        let caught = BlockCall::new(handler, [], pool);
        let table = ExceptionTableData::new(signature, normal, [ExceptionTableItem::Default(caught)]);
        Some((self.b.func.dfg.exception_tables.push(table), next))
    }

    /// Emits a call of a known function.
    pub(crate) fn call_function(&mut self, function: FuncRef, args: &[Value], may_panic: bool) -> Values {
        let signature = self.b.func.dfg.ext_funcs[function].signature;
        match may_panic.then(|| self.exception_table(signature)).flatten() {
            Some((table, next)) => {
                self.b.ins().try_call(function, args, table);
                self.continue_in(next);
                SmallVec::from_slice(self.b.block_params(next))
            }
            None => {
                let call = self.b.ins().call(function, args);
                SmallVec::from_slice(self.b.inst_results(call))
            }
        }
    }

    /// Emits a call of the code at an address.
    pub(crate) fn call_address(
        &mut self,
        code: Value,
        signature: Signature,
        args: &[Value],
        may_panic: bool,
    ) -> Values {
        let signature = self.b.func.import_signature(signature);
        match may_panic.then(|| self.exception_table(signature)).flatten() {
            Some((table, next)) => {
                self.b.ins().try_call_indirect(code, args, table);
                self.continue_in(next);
                SmallVec::from_slice(self.b.block_params(next))
            }
            None => {
                let call = self.b.ins().call_indirect(signature, code, args);
                SmallVec::from_slice(self.b.inst_results(call))
            }
        }
    }

    // ---- the runtime

    fn call_runtime(&mut self, call: &Call, f: RtFn) {
        if f == rt::free_object {
            let kind = self.object_kind(self.operand_ty(&call.args[0]));
            let object = self.scalar(&call.args[0]);
            return self.free_object(object, kind.as_ref());
        }
        let mut args = Values::new();
        for arg in &call.args {
            match self.operand(arg).1 {
                Val::Parts(parts) => args.extend(parts),
                Val::Memory(_) => unreachable!("runtime functions take scalars"),
            }
        }
        self.check_runtime_call(f, &args);
        if let Some((atomic, values)) = Atomic::of(f, |at| self.known_number(*args.get(at)?)) {
            let values: SmallVec<[Value; 3]> = values.iter().map(|&at| args[at]).collect();
            if let Some(result) = self.atomic(&atomic, &values) {
                self.write_local(call.dest, &Val::one(result));
            }
            return;
        }
        let result = match (f, args.as_slice()) {
            (rt::panic_depth, []) => Some(self.panic_depth()),
            (f, &[lock]) if let Some(change) = LockChange::of(f) => self.change_lock(change, f, lock),
            (rt::str_eq, &[a, b]) => Some(self.strings_equal(a, b)),
            (rt::hash_word, &[word]) => Some(self.hash_word(word)),
            (f, args) => self.runtime(f, args),
        };
        let wanted = self.layout_of(call.dest);
        if let Some(result) = result
            && !wanted.is_zero_sized()
        {
            self.write_local(call.dest, &Val::one(result));
        }
    }

    /// How many panics are on their way.
    fn panic_depth(&mut self) -> Value {
        let depth = self.fiber_field(std::mem::offset_of!(Fiber, panicking), types::I32);
        self.b.ins().uextend(types::I64, depth)
    }

    fn hash_word(&mut self, word: Value) -> Value {
        let [first, second] = HASH_WORD_KEYS.map(|offset| self.fiber_field(offset, types::I64));
        let mixed = self.b.ins().bxor(word, first);
        let (low, high) = (self.b.ins().imul(mixed, second), self.b.ins().umulhi(mixed, second));
        self.b.ins().bxor(low, high)
    }

    /// Strings of different sizes are told apart without a call.
    fn strings_equal(&mut self, a: Value, b: Value) -> Value {
        let [size, other] = [a, b].map(|s| self.load_from(Region::Object, types::I32, s, STR_LEN as i32));
        let same_size = self.b.ins().icmp(IntCC::Equal, size, other);
        let (compare, done) = (self.fresh_block(&[]), self.fresh_block(&[types::I8]));
        let no = self.b.ins().iconst(types::I8, 0);
        self.b.ins().brif(same_size, compare, &[], done, &[no.into()]);
        self.continue_in(compare);
        let equal = self.runtime(rt::str_eq, &[a, b]).expect("a result");
        self.b.ins().jump(done, &[equal.into()]);
        self.continue_in(done);
        self.b.block_params(done)[0]
    }

    /// A declaration in the standard library that differs from the registry is told here, not by a crash.
    fn check_runtime_call(&self, f: RtFn, args: &[Value]) {
        let def = f.def();
        let given = args.iter().map(|&arg| self.b.func.dfg.value_type(arg));
        let fits = given.eq(def.sig.params.iter().map(|&scalar| rt_ty(scalar)));
        assert!(
            fits,
            "`{}` is called with other machine types than the registry's {:?}",
            def.name, def.sig.params
        );
    }

    /// Calls a runtime function.
    pub(crate) fn runtime(&mut self, f: RtFn, args: &[Value]) -> Option<Value> {
        let def = f.def();
        let params: SmallVec<[_; 6]> =
            std::iter::once(types::I64).chain(def.sig.params.iter().map(|&scalar| rt_ty(scalar))).collect();
        let mut signature = self.c_signature(&params, def.sig.ret.map(rt_ty));
        if def.may_panic {
            // The stub takes arguments as C does and is left like a Quartz function.
            signature.call_conv = cranelift_codegen::isa::CallConv::Tail;
        }
        let function = self.import(Symbol::Runtime(f), signature);
        let args: Values = std::iter::once(self.fiber()).chain(args.iter().copied()).collect();
        self.call_function(function, &args, def.may_panic).first().copied()
    }
}

fn rt_ty(scalar: RtScalar) -> cranelift_codegen::ir::Type {
    match scalar {
        RtScalar::I8 => types::I8,
        RtScalar::I32 => types::I32,
        RtScalar::I64 | RtScalar::Ptr => types::I64,
        RtScalar::F32 => types::F32,
        RtScalar::F64 => types::F64,
    }
}
