//! Heap objects: taking memory and giving it back, reference structs, closures, `dyn` boxes.
//!
//! The free list of the size class is used in place; the runtime is called when it is empty, and always if
//! objects are counted.

use std::mem::offset_of;

use qz_mir::layout::Fields;
use qz_mir::{Callee, ClosureTarget, InstanceId, Operand, TypeEntryKind, VtableId};
use qz_rt_abi::classes::class_of;
use qz_rt_abi::object::{CLOSURE_CODE, DYN_PAYLOAD, DYN_VTABLE};
use qz_rt_abi::registry::rt;
use qz_rt_abi::{Fiber, Worker};
use qz_types::Ty;

use crate::function::FnCx;
use crate::ir::{LlTy, Value, Written};
use crate::memory::{Addr, RARELY};
use crate::value::Val;

impl FnCx<'_, '_> {
    fn free_list(&mut self, class: usize) -> Addr {
        let worker = self.fiber_field(offset_of!(Fiber, worker), LlTy::Ptr);
        Addr::runtime(worker, offset_of!(Worker, free) + 8 * class)
    }

    /// A new object with its header written, in the block that a token stands for if there is one.
    pub(crate) fn new_object(&mut self, kind: &TypeEntryKind) -> Value {
        if let Some(token) = self.token.take() {
            return self.new_object_in(token, kind);
        }
        let index = self.program.types.index(kind);
        let entry = self.program.types.entry(index);
        let class = if entry.align <= 8 { class_of(entry.size as usize) } else { None };
        let Some(class) = class.filter(|_| !self.program.options.count_objects) else {
            return self.new_object_slowly(index);
        };
        let list = self.free_list(class);
        let head = self.load(LlTy::Ptr, list);
        let empty = self.icmp_imm("eq", head, 0);
        self.either(
            empty,
            RARELY,
            |cx| cx.new_object_slowly(index),
            |cx| {
                let next = cx.load(LlTy::Ptr, Addr::new(head));
                cx.store(next, list);
                cx.store(Value::int(LlTy::I32, 1), Addr::header(head));
                cx.store(Value::int(LlTy::I32, index as i64), Addr::header(head).plus(4));
                head
            },
        )
    }

    fn new_object_slowly(&mut self, index: u32) -> Value {
        let index = Value::int(LlTy::I32, index as i64);
        self.runtime(rt::new_object, &[index]).expect("gives the object")
    }

    /// Gives an object's memory back. `kind` is `None` where only the object itself knows.
    pub(crate) fn free_object(&mut self, object: Value, kind: Option<&TypeEntryKind>) {
        let entry = kind.map(|kind| self.program.types.entry(self.program.types.index(kind)));
        let class = entry.filter(|entry| entry.align <= 8).and_then(|entry| class_of(entry.size as usize));
        let may_cycle =
            matches!(kind, Some(TypeEntryKind::Ty(ty)) if self.program.module.cyclic.contains(ty));
        let class = class.filter(|_| !may_cycle);
        let Some(class) = class.filter(|_| !self.program.options.count_objects) else {
            self.runtime(rt::free_object, &[object]);
            return;
        };
        let list = self.free_list(class);
        let head = self.load(LlTy::Ptr, list);
        self.store(head, Addr::new(object));
        self.store(object, list);
    }

    /// The kind of object behind values of a type, where the type tells.
    pub(crate) fn object_kind(&self, ty: Ty) -> Option<TypeEntryKind> {
        let layouts = self.program.layouts;
        let ty = layouts.resolve(ty);
        let known = layouts.is_reference_struct(ty) || layouts.of(ty).is_boxed();
        known.then_some(TypeEntryKind::Ty(ty))
    }

    pub(crate) fn store_fields(&mut self, object: Value, fields: &Fields, values: &[Val]) {
        for ((ty, offset), value) in fields.iter().zip(values) {
            let layout = self.program.layouts.of(ty);
            self.store_value(&layout, value, Addr::object(object).plus(offset));
        }
    }

    pub(crate) fn new_struct(&mut self, ty: Ty, operands: &[Operand]) -> Val {
        let ty = self.program.layouts.resolve(ty);
        let layout = self.program.layouts.object(ty);
        let values: Vec<Val> = operands.iter().map(|operand| self.operand(operand).1).collect();
        let values = self.whole_last_word(&layout.fields, values);
        let object = self.new_object(&TypeEntryKind::Ty(ty));
        self.store_fields(object, &layout.fields, &values);
        Val::one(object)
    }

    /// A constant at the end of a new object gets all of its word, if that is its alone. LLVM would write the zeros
    /// before it and the byte in pieces that overlap, and who reads one of them soon waits until both reached the cache.
    fn whole_last_word(&mut self, fields: &Fields, mut values: Vec<Val>) -> Vec<Val> {
        let Some(&last) = fields.offsets.iter().max() else { return values };
        let mut in_last_word =
            fields.offsets.iter().zip(&mut values).filter(|(offset, _)| **offset >= last & !7);
        let (Some((offset, Val::Parts(parts))), None) = (in_last_word.next(), in_last_word.next()) else {
            return values;
        };
        if let [part] = &mut parts[..]
            && offset.is_multiple_of(8)
            && part.ty.bits() < 64
            && matches!(part.it, Written::Int(_))
        {
            *part = self.resized(*part, LlTy::I64);
        }
        values
    }

    pub(crate) fn new_closure(&mut self, target: &ClosureTarget, captures: &[Operand]) -> Val {
        let instance = match target {
            ClosureTarget::Instance(id) => *id,
            ClosureTarget::Fn(Callee::Instance(id)) => *id,
            other => unreachable!("{other:?} is an instance by now"),
        };
        if let Some(code) = self.program.function_for_c(instance) {
            return Val::one(code);
        }
        if captures.is_empty() {
            return Val::one(self.program.static_closure(instance));
        }
        let tys: Vec<Ty> = captures.iter().map(|operand| self.operand_ty(operand)).collect();
        let layout = self.program.layouts.closure(&self.captures_of(instance).unwrap_or(tys));
        let values: Vec<Val> = captures.iter().map(|operand| self.operand(operand).1).collect();
        let object = self.new_object(&TypeEntryKind::Closure(instance));
        let code = self.program.function_symbol(instance);
        self.store(code, Addr::object(object).plus(CLOSURE_CODE));
        self.store_fields(object, &layout.fields, &values);
        Val::one(object)
    }

    fn captures_of(&self, instance: InstanceId) -> Option<Vec<Ty>> {
        self.program.module.instances[instance].body.as_ref().map(|body| body.captures.clone())
    }

    pub(crate) fn make_dyn(&mut self, value: &Operand, from: Ty, vtable: Option<VtableId>) -> Val {
        let vtable = vtable.expect("instantiation made the table of methods");
        let (layout, value) = self.operand(value);
        let from = self.program.layouts.resolve(from);
        let object = self.new_object(&TypeEntryKind::DynBox(from));
        let table = self.program.vtable(vtable);
        self.store(table, Addr::object(object).plus(DYN_VTABLE));
        self.store_value(&layout, &value, Addr::object(object).plus(DYN_PAYLOAD));
        Val::one(object)
    }
}
