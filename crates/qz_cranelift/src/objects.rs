//! Heap objects: taking memory and giving it back, reference structs, closures, `dyn` boxes.
//!
//! The free list of the size class is used in place; the runtime is called when it is empty, and always if
//! objects are counted.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use qz_mir::layout::Fields;
use qz_mir::{Callee, ClosureTarget, InstanceId, Operand, TypeEntryKind, VtableId};
use qz_rt_abi::classes::class_of;
use qz_rt_abi::object::{CLOSURE_CODE, DYN_PAYLOAD, DYN_VTABLE};
use qz_rt_abi::registry::rt;
use qz_rt_abi::{Fiber, Worker};
use qz_types::Ty;

use crate::function::FnCx;
use crate::image::Symbol;
use crate::memory::Region;
use crate::value::{Addr, Val};

impl FnCx<'_, '_, '_> {
    fn free_list(&mut self, class: usize) -> (Value, i32) {
        let worker = self.fiber_field(std::mem::offset_of!(Fiber, worker), types::I64);
        (worker, (std::mem::offset_of!(Worker, free) + 8 * class) as i32)
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
        let (worker, list) = self.free_list(class);
        let head = self.load_from(Region::Runtime, types::I64, worker, list);
        let done = self.fresh_block(&[types::I64]);
        let empty = self.b.ins().icmp_imm_s(IntCC::Equal, head, 0);
        let slow = self.branch_cold(empty);
        let next = self.load_from(Region::Link, types::I64, head, 0);
        self.store_to(Region::Runtime, next, worker, list);
        let header = self.int(types::I64, 1 | (index as i64) << 32);
        self.store_to(Region::Header, header, head, 0);
        self.jump(done, &[head]);
        self.b.switch_to_block(slow);
        let object = self.new_object_slowly(index);
        self.jump(done, &[object]);
        self.continue_in(done);
        self.b.block_params(done)[0]
    }

    fn new_object_slowly(&mut self, index: u32) -> Value {
        let index = self.int(types::I32, index as i64);
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
        let (worker, list) = self.free_list(class);
        let head = self.load_from(Region::Runtime, types::I64, worker, list);
        self.store_to(Region::Link, head, object, 0);
        self.store_to(Region::Runtime, object, worker, list);
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
            self.store(&layout, value, Addr::object(object).plus(offset));
        }
    }

    pub(crate) fn new_struct(&mut self, ty: Ty, operands: &[Operand]) -> Val {
        let ty = self.program.layouts.resolve(ty);
        let layout = self.program.layouts.object(ty);
        let values: Vec<Val> = operands.iter().map(|operand| self.operand(operand).1).collect();
        let object = self.new_object(&TypeEntryKind::Ty(ty));
        self.store_fields(object, &layout.fields, &values);
        Val::one(object)
    }

    pub(crate) fn new_closure(&mut self, target: &ClosureTarget, captures: &[Operand]) -> Val {
        let instance = match target {
            ClosureTarget::Instance(id) => *id,
            ClosureTarget::Fn(Callee::Instance(id)) => *id,
            other => unreachable!("{other:?} is an instance by now"),
        };
        if self.program.module.instances[instance].for_c.is_some() {
            let code = self.program.around(instance).outer;
            return Val::one(self.symbol_address(Symbol::Function(code)));
        }
        if captures.is_empty() {
            let object = self.program.static_closure(instance);
            return Val::one(self.symbol_address(Symbol::Data(object)));
        }
        let tys: Vec<Ty> = captures.iter().map(|operand| self.operand_ty(operand)).collect();
        let layout = self.program.layouts.closure(&self.captures_of(instance).unwrap_or(tys));
        let values: Vec<Val> = captures.iter().map(|operand| self.operand(operand).1).collect();
        let object = self.new_object(&TypeEntryKind::Closure(instance));
        let code = self.symbol_address(Symbol::Function(instance.raw()));
        self.store_scalar(code, Addr::object(object).plus(CLOSURE_CODE));
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
        let table = self.symbol_address(Symbol::Data(table));
        self.store_scalar(table, Addr::object(object).plus(DYN_VTABLE));
        self.store(&layout, &value, Addr::object(object).plus(DYN_PAYLOAD));
        Val::one(object)
    }
}
