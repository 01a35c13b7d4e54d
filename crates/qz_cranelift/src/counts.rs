//! Reference counts: adding one, giving one up, destroying.
//!
//! A count is added and taken in place. Negative counts (shared or immortal) go to the runtime. A value that
//! is not one counted word is taken apart.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, Value, types};
use cranelift_codegen::isa::CallConv;
use qz_mir::layout::{EnumLayout, Fields, Layout, Shape, Tag};
use qz_mir::{InstanceId, Scalar};
use qz_rt_abi::Fiber;
use qz_rt_abi::object::{HEADER_TYPE, TYPE_INDEX, TypeInfo};
use qz_rt_abi::registry::rt;
use qz_types::TyKind;

use crate::function::FnCx;
use crate::image::Symbol;
use crate::memory::Region;
use crate::value::{Addr, Val};

#[derive(Copy, Clone, PartialEq, Eq)]
enum Change {
    Retain,
    Release,
}

impl FnCx<'_, '_, '_> {
    /// Adds a count to everything counted in a value.
    pub(crate) fn retain(&mut self, layout: &Layout, value: &Val) {
        self.change(layout, value, Change::Retain);
    }

    /// Takes a count from everything counted in a value.
    pub(crate) fn release(&mut self, layout: &Layout, value: &Val) {
        self.change(layout, value, Change::Release);
    }

    fn change(&mut self, layout: &Layout, value: &Val, change: Change) {
        if !layout.needs_release {
            return;
        }
        if layout.is_counted_word() {
            return self.change_word(layout, value.single(), change);
        }
        let glue = self.program.types.glue(layout.ty);
        let glue = if change == Change::Retain { glue.retain } else { glue.release };
        if let Some(glue) = glue.filter(|&glue| glue != self.id) {
            return self.call_glue(glue, layout, value);
        }
        match &layout.shape {
            Shape::Product(fields) => self.change_fields(layout, fields, value, change),
            Shape::Enum(it) => self.change_enum(layout, it, value, change),
            other => unreachable!("{other:?} is one counted word or holds none"),
        }
    }

    fn change_fields(&mut self, layout: &Layout, fields: &Fields, value: &Val, change: Change) {
        for (ty, offset) in fields.iter() {
            let field = self.program.layouts.of(ty);
            if field.needs_release {
                let value = self.part(layout, value, offset, &field);
                self.change(&field, &value, change);
            }
        }
    }

    /// An unboxed enum, variant by variant in place.
    fn change_enum(&mut self, layout: &Layout, it: &EnumLayout, value: &Val, change: Change) {
        let counted =
            |fields: &Fields| fields.tys.iter().any(|&ty| self.program.layouts.of(ty).needs_release);
        let variants: Vec<usize> = (0..it.variants.len()).filter(|&i| counted(&it.variants[i])).collect();
        if it.tag == Tag::Single {
            return self.change_fields(layout, &it.variants[0], value, change);
        }
        let index = self.discriminant_of(layout, value);
        let done = self.b.create_block();
        for variant in variants {
            let (this, next) = (self.fresh_block(&[]), self.fresh_block(&[]));
            let is = self.b.ins().icmp_imm_u(IntCC::Equal, index, variant as i64);
            self.b.ins().brif(is, this, &[], next, &[]);
            self.continue_in(this);
            self.change_fields(layout, &it.variants[variant], value, change);
            self.b.ins().jump(done, &[]);
            self.continue_in(next);
        }
        self.b.ins().jump(done, &[]);
        self.continue_in(done);
    }

    fn call_glue(&mut self, glue: InstanceId, layout: &Layout, value: &Val) {
        let abi = self.program.abi(glue);
        let mut args = Vec::new();
        match (value, &abi.params[0].1) {
            (Val::Parts(parts), qz_codegen::PassMode::Direct(_)) => args.extend(parts),
            (value, _) => {
                let temp = self.temp(layout);
                self.store(layout, value, temp);
                args.push(temp.base);
            }
        }
        self.call_instance(glue, &args);
    }

    fn change_word(&mut self, layout: &Layout, word: Value, change: Change) {
        let done = self.b.create_block();
        if layout.shape != Shape::Object {
            let object = self.fresh_block(&[]);
            let is_object = self.is_address(word);
            self.b.ins().brif(is_object, object, &[], done, &[]);
            self.continue_in(object);
        }
        if change == Change::Release
            && let Some(glue) = self.release_glue(layout)
        {
            self.call_instance(glue, &[word]);
            self.b.ins().jump(done, &[]);
            return self.continue_in(done);
        }
        let count = self.load_scalar(Scalar::I32, Addr::header(word));
        match change {
            Change::Retain => {
                let special = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, count, 0);
                let slow = self.branch_cold(special);
                let more = self.b.ins().iadd_imm_s(count, 1);
                self.store_scalar(more, Addr::header(word));
                self.b.ins().jump(done, &[]);
                self.b.switch_to_block(slow);
                self.runtime(rt::retain_shared, &[word]);
                self.b.ins().jump(done, &[]);
            }
            Change::Release => self.release_object(layout, word, count, done),
        }
        self.continue_in(done);
    }

    /// The function that releases such a word, for cleanups, if there is one and this is not its own code.
    /// Elsewhere the count is given up in place.
    fn release_glue(&self, layout: &Layout) -> Option<InstanceId> {
        if !self.in_cleanup {
            return None;
        }
        let ty = self.program.layouts.counted_object(layout);
        self.program.types.glue(ty).release.filter(|&glue| glue != self.id)
    }

    fn release_object(
        &mut self,
        layout: &Layout,
        object: Value,
        count: Value,
        done: cranelift_codegen::ir::Block,
    ) {
        let (last, more) = (self.b.create_block(), self.fresh_block(&[]));
        let is_last = self.b.ins().icmp_imm_s(IntCC::Equal, count, 1);
        self.b.ins().brif(is_last, last, &[], more, &[]);
        self.continue_in(more);
        let special = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, count, 0);
        let slow = self.branch_cold(special);
        let fewer = self.b.ins().iadd_imm_s(count, -1);
        self.store_scalar(fewer, Addr::header(object));
        if self.program.module.cyclic.contains(&self.program.layouts.counted_object(layout)) {
            self.log(object);
        }
        self.b.ins().jump(done, &[]);
        self.b.switch_to_block(slow);
        let was_last = self.runtime(rt::release_shared, &[object]).expect("tells whether it was the last");
        self.b.ins().brif(was_last, last, &[], done, &[]);
        self.continue_in(last);
        self.destroy(layout, object);
        self.b.ins().jump(done, &[]);
    }

    /// Tells the runtime of an object that may be left in a circle, unless it has it in mind already.
    fn log(&mut self, object: Value) {
        let index = self.load_scalar(Scalar::I32, Addr::header(object).plus(HEADER_TYPE));
        let news = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThanOrEqual, index, 0);
        let (rare, done) = (self.branch_cold(news), self.b.create_block());
        self.b.ins().jump(done, &[]);
        self.b.switch_to_block(rare);
        self.runtime(rt::cycles_log, &[object]);
        self.b.ins().jump(done, &[]);
        self.continue_in(done);
    }

    /// Destroys an object whose last count went.
    fn destroy(&mut self, layout: &Layout, object: Value) {
        let ty = self.program.layouts.counted_object(layout);
        if matches!(ty.kind(), TyKind::Str) {
            self.runtime(rt::str_free, &[object]);
            return;
        }
        match self.program.types.glue(ty).destroy {
            Some(glue) => self.call_instance(glue, &[object]),
            None => self.destroy_by_table(object),
        }
    }

    /// Calls the destroy function that the object's type index leads to.
    pub(crate) fn destroy_by_table(&mut self, object: Value) {
        let index = self.load_scalar(Scalar::I32, Addr::header(object).plus(4));
        let index = match self.program.module.has_circles {
            false => index,
            true => self.b.ins().band_imm_u(index, TYPE_INDEX as i64),
        };
        let index = self.b.ins().uextend(types::I64, index);
        let table = self.fiber_field(std::mem::offset_of!(Fiber, types), types::I64);
        let entry = self.element(table, index, size_of::<TypeInfo>() as u32);
        let offset = std::mem::offset_of!(TypeInfo, destroy) as i32;
        let code = self.load_from(Region::Runtime, types::I64, entry, offset);
        let mut signature = Signature::new(CallConv::Tail);
        signature.params = vec![AbiParam::new(types::I64)];
        self.call_address(code, signature, &[object], true);
    }

    /// Calls an instance that gives nothing back.
    fn call_instance(&mut self, id: InstanceId, args: &[Value]) {
        let abi = self.program.abi(id);
        let signature = self.quartz_signature(&abi);
        let function = self.import(Symbol::Function(id.raw()), signature);
        self.call_function(function, args, self.program.module.instances[id].may_panic);
    }
}
