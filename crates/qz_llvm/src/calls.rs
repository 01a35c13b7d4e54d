//! Calls: of instances, closures, `dyn` methods, the runtime. Foreign functions are in `foreign`.

use qz_codegen::atomics::Atomic;
use qz_codegen::locks::LockChange;
use qz_codegen::{FnAbi, PassMode, RetMode};
use qz_mir::layout::{Layout, Scalar};
use qz_mir::{Call, Callee, InstanceId, Operand};
use qz_rt_abi::fiber::HASH_WORD_KEYS;
use qz_rt_abi::object::{CLOSURE_CODE, DYN_VTABLE};
use qz_rt_abi::registry::{RtScalar, rt};
use qz_rt_abi::{Fiber, RtFn};
use qz_types::Ty;
use smallvec::SmallVec;

use crate::function::FnCx;
use crate::ir::{LlTy, Value};
use crate::memory::Addr;
use crate::place::Home;
use crate::returns::ret_ty;
use crate::value::{Parts, Val};

type Values = SmallVec<[Value; 4]>;

/// What becomes of a callee's flag.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Flag {
    /// The callee returns none.
    None,
    /// It is never set.
    Clear,
    Tested,
}

impl FnCx<'_, '_> {
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

    fn flag_of(&self, id: InstanceId) -> Flag {
        match (self.program.is_flagged(id), self.program.module.instances[id].may_panic) {
            (false, _) => Flag::None,
            (true, false) => Flag::Clear,
            (true, true) => Flag::Tested,
        }
    }

    fn call_direct(&mut self, call: &Call, id: InstanceId) {
        let abi = self.program.abi(id);
        let (args, result) = self.arguments(call, &abi, None);
        let callee = self.program.function_symbol(id);
        if self.program.waits.may_wait(id) {
            self.note_wait();
        }
        let results = self.call_code(callee, &abi, &args, self.flag_of(id));
        self.take_result(call, &abi, results, result);
    }

    fn call_closure(&mut self, call: &Call, closure: &Operand) {
        let ty = self.operand_ty(closure);
        let object = self.scalar(closure);
        let abi = self.abi_of_call(call, Some(ty));
        let (args, result) = self.arguments(call, &abi, Some(object));
        let code = self.load(LlTy::Ptr, Addr::object(object).plus(CLOSURE_CODE));
        let results = self.call_code(code, &abi, &args, Flag::Tested);
        self.take_result(call, &abi, results, result);
    }

    fn call_dyn(&mut self, call: &Call, slot: u32) {
        let object = self.scalar(&call.args[0]);
        let abi = self.abi_of_call(call, None);
        let (args, result) = self.arguments(call, &abi, None);
        let table = self.load(LlTy::Ptr, Addr::object(object).plus(DYN_VTABLE));
        let code = self.load(LlTy::Ptr, Addr::object(table).plus(slot * 8));
        let results = self.call_code(code, &abi, &args, Flag::Tested);
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
        self.store_value(layout, &value, temp);
        temp.base
    }

    fn take_result(&mut self, call: &Call, abi: &FnAbi, results: Parts, memory: Option<Addr>) {
        let value = match memory {
            Some(at) => self.load_value(&abi.ret.0, at),
            None => Val::Parts(results),
        };
        if abi.ret.1 != RetMode::Ignore {
            self.write_local(call.dest, &value);
        }
    }

    /// Calls a Quartz function that gives nothing back.
    pub(crate) fn call_instance(&mut self, id: InstanceId, args: &[Value]) {
        let abi = self.program.abi(id);
        let callee = self.program.function_symbol(id);
        self.call_code(callee, &abi, args, self.flag_of(id));
    }

    /// The same where another copy of that function's code is not wanted.
    pub(crate) fn call_instance_apart(&mut self, id: InstanceId, args: &[Value]) {
        let before = std::mem::replace(&mut self.apart, true);
        self.call_instance(id, args);
        self.apart = before;
    }

    /// Calls the code of a function `fn(object)` that may panic.
    pub(crate) fn call_destroy(&mut self, code: Value, object: Value) {
        let flag = self.w.set(LlTy::I1, format_args!("call fastcc i1 {code}(ptr %fiber, ptr {object}) #0"));
        self.unless_panicked(flag);
    }

    /// The instruction itself, and what is done about the flag. Gives the machine results.
    fn call_code(&mut self, code: Value, abi: &FnAbi, args: &[Value], flag: Flag) -> Parts {
        let flagged = flag != Flag::None;
        let ty = ret_ty(abi, flagged);
        let list: String = args.iter().map(|arg| format!(", {} {arg}", arg.ty)).collect();
        let slots: &[_] = match &abi.ret.1 {
            RetMode::Direct(slots) => slots,
            RetMode::Ignore | RetMode::Indirect => &[],
        };
        // What runs rarely is not worth another copy.
        let how = if self.apart || self.w.is_cold() { "#5" } else { "#0" };
        let mut results = Parts::new();
        let bit = match (slots, flagged) {
            ([], false) => {
                self.w.line(format_args!("call fastcc {ty} {code}(ptr %fiber{list}) {how}"));
                None
            }
            ([], true) => {
                Some(self.w.set(LlTy::I1, format_args!("call fastcc {ty} {code}(ptr %fiber{list}) {how}")))
            }
            ([slot], false) => {
                let ty = LlTy::of(slot.scalar);
                results.push(self.w.set(ty, format_args!("call fastcc {ty} {code}(ptr %fiber{list}) {how}")));
                None
            }
            (slots, _) => {
                let n = self.w.next_number();
                self.w.line(format_args!("%r{n} = call fastcc {ty} {code}(ptr %fiber{list}) {how}"));
                for (i, slot) in slots.iter().enumerate() {
                    let of = LlTy::of(slot.scalar);
                    results.push(self.w.set(of, format_args!("extractvalue {ty} %r{n}, {i}")));
                }
                let last = slots.len();
                (flag == Flag::Tested)
                    .then(|| self.w.set(LlTy::I1, format_args!("extractvalue {ty} %r{n}, {last}")))
            }
        };
        if let Some(bit) = bit.filter(|_| flag == Flag::Tested) {
            self.unless_panicked(bit);
        }
        results
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
        check_runtime_call(f, &args);
        if let Some((atomic, values)) = Atomic::of(f, |at| args.get(at)?.known()) {
            let values: SmallVec<[Value; 3]> = values.iter().map(|&at| args[at]).collect();
            if let Some(result) = self.atomic(&atomic, &values) {
                self.write_local(call.dest, &Val::one(result));
            }
            return;
        }
        if f.def().may_panic {
            self.raise(f, &args);
            return;
        }
        if f.def().may_block {
            self.note_wait();
        }
        let result = match (f, args.as_slice()) {
            (rt::panic_depth, []) => Some(self.panic_depth()),
            (f, &[lock]) if let Some(change) = LockChange::of(f) => self.change_lock(change, f, lock),
            (rt::str_eq, &[a, b]) => Some(self.strings_equal(a, b)),
            (rt::hash_word, &[word]) => Some(self.hash_word(word)),
            (rt::cycles_moved, &[word]) => {
                self.mark_moved(word);
                None
            }
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
        let depth = self.fiber_field(std::mem::offset_of!(Fiber, panicking), LlTy::I32);
        self.resized(depth, LlTy::I64)
    }

    fn hash_word(&mut self, word: Value) -> Value {
        let [first, second] = HASH_WORD_KEYS.map(|offset| self.fiber_field(offset, LlTy::I64));
        let mixed = self.op("xor", word, first);
        let wide = LlTy::int(128);
        let (x, y) = (self.resized(mixed, wide), self.resized(second, wide));
        let product = self.op("mul", x, y);
        let high = self.op_imm("lshr", product, 64);
        let (low, high) = (self.resized(product, LlTy::I64), self.resized(high, LlTy::I64));
        self.op("xor", low, high)
    }

    /// Calls a runtime function that does not panic.
    pub(crate) fn runtime(&mut self, f: RtFn, args: &[Value]) -> Option<Value> {
        let def = f.def();
        let ret = def.sig.ret.map(rt_ty);
        let shown = ret.map_or("void".into(), |ty| ty.to_string());
        self.program.declare_runtime(f);
        let list: String = args.iter().map(|arg| format!(", {} {arg}", arg.ty)).collect();
        let symbol = def.symbol;
        match ret {
            Some(ty) => Some(self.w.set(ty, format_args!("call {shown} @{symbol}(ptr %fiber{list})"))),
            None => {
                self.w.line(format_args!("call {shown} @{symbol}(ptr %fiber{list})"));
                None
            }
        }
    }
}

/// A declaration in the standard library that differs from the registry is told here, not by a crash.
fn check_runtime_call(f: RtFn, args: &[Value]) {
    let def = f.def();
    let given = args.iter().map(|arg| arg.ty);
    let fits = given.eq(def.sig.params.iter().map(|&scalar| rt_ty(scalar)));
    assert!(
        fits,
        "`{}` is called with other machine types than the registry's {:?}",
        def.name, def.sig.params
    );
}

pub(crate) fn rt_ty(scalar: RtScalar) -> LlTy {
    LlTy::of(match scalar {
        RtScalar::I8 => Scalar::I8,
        RtScalar::I32 => Scalar::I32,
        RtScalar::I64 => Scalar::I64,
        RtScalar::Ptr => Scalar::Ptr,
        RtScalar::F32 => Scalar::F32,
        RtScalar::F64 => Scalar::F64,
    })
}
