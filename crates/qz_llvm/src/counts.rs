//! Reference counts: adding one, giving one up, destroying.
//!
//! A count is added and taken in place. Negative counts (shared or immortal) go to the runtime. A value that
//! is not one counted word is taken apart.

use std::mem::offset_of;

use qz_mir::InstanceId;
use qz_mir::layout::{EnumLayout, Fields, Layout, Shape, Tag};
use qz_rt_abi::Fiber;
use qz_rt_abi::object::{HEADER_TYPE, IMMORTAL, MET, TYPE_INDEX, TypeInfo};
use qz_rt_abi::registry::rt;
use qz_types::TyKind;

use crate::function::FnCx;
use crate::ir::{Label, LlTy, Value};
use crate::memory::{Addr, RARELY};
use crate::value::Val;

#[derive(Copy, Clone, PartialEq, Eq)]
enum Change {
    Retain,
    Release,
}

impl FnCx<'_, '_> {
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
        for variant in variants {
            let is = self.icmp_imm("eq", index, variant as i64);
            self.if_so(is, |cx| cx.change_fields(layout, &it.variants[variant], value, change));
        }
    }

    fn call_glue(&mut self, glue: InstanceId, layout: &Layout, value: &Val) {
        let abi = self.program.abi(glue);
        let mut args = Vec::new();
        match (value, &abi.params[0].1) {
            (Val::Parts(parts), qz_codegen::PassMode::Direct(_)) => args.extend(parts.iter().copied()),
            (value, _) => {
                let temp = self.temp(layout);
                self.store_value(layout, value, temp);
                args.push(temp.base);
            }
        }
        self.call_instance(glue, &args);
    }

    fn change_word(&mut self, layout: &Layout, word: Value, change: Change) {
        if layout.shape == Shape::Object {
            return self.change_object(layout, word, change);
        }
        let is_object = self.is_address(word);
        self.if_so(is_object, |cx| cx.change_object(layout, word, change));
    }

    fn change_object(&mut self, layout: &Layout, object: Value, change: Change) {
        let is_string = matches!(self.program.layouts.counted_object(layout).kind(), TyKind::Str);
        match change {
            Change::Retain => self.retain_object(object),
            Change::Release if self.in_cleanup => self.release_by_call(layout, object),
            Change::Release if is_string => self.release_string(object),
            Change::Release => self.release_object(layout, object),
        }
    }

    /// The function that releases such a word, if there is one and this is not its own code.
    fn release_glue(&self, layout: &Layout) -> Option<InstanceId> {
        let ty = self.program.layouts.counted_object(layout);
        self.program.types.glue(ty).release.filter(|&glue| glue != self.id)
    }

    /// For what runs rarely.
    fn release_by_call(&mut self, layout: &Layout, object: Value) {
        match self.release_glue(layout) {
            Some(glue) => self.call_instance(glue, &[object]),
            None => self.release_object(layout, object),
        }
    }

    fn retain_object(&mut self, object: Value) {
        let count = self.load(LlTy::I32, Addr::header(object));
        let (local, shared, done) = (self.w.label(), self.w.label(), self.w.label());
        let special = self.icmp_imm("slt", count, 0);
        self.w.end(format_args!("br i1 {special}, label %{shared}, label %{local}{RARELY}"));
        self.w.enter_aside();
        self.w.begin_behind(local);
        let more = self.op_imm("add", count, 1);
        self.store(more, Addr::header(object));
        self.w.end(format_args!("br label %{done}"));
        self.w.enter_cold();
        self.w.begin_behind(shared);
        self.unless_immortal(count, done);
        self.runtime(rt::retain_shared, &[object]);
        self.w.end(format_args!("br label %{done}"));
        self.w.leave_cold();
        self.w.leave_aside();
        self.w.begin_behind(done);
    }

    /// The last count of a string, and one that others see, is the runtime's.
    fn release_string(&mut self, object: Value) {
        self.release_one_of_several(object, false, |cx, count, done| {
            cx.unless_immortal(count, done);
            cx.runtime(rt::str_release, &[object]);
        });
    }

    /// Gives up a count in place if there are others in this fiber, and leaves everything else to `other`, which gets
    /// the count and where to go on.
    fn release_one_of_several(
        &mut self,
        object: Value,
        logs: bool,
        other: impl FnOnce(&mut Self, Value, Label),
    ) {
        let count = self.load(LlTy::I32, Addr::header(object));
        let (several, rest, done) = (self.w.label(), self.w.label(), self.w.label());
        let is_local = self.icmp_imm("sgt", count, 1);
        self.w.end(format_args!("br i1 {is_local}, label %{several}, label %{rest}"));
        self.w.enter_aside();
        self.w.begin_behind(several);
        let fewer = self.op_imm("add", count, -1);
        self.store(fewer, Addr::header(object));
        if logs {
            self.log(object);
        }
        self.w.end(format_args!("br label %{done}"));
        self.w.begin_behind(rest);
        other(self, count, done);
        self.w.end(format_args!("br label %{done}"));
        self.w.leave_aside();
        self.w.begin_behind(done);
    }

    /// The last count destroys in place, but in large functions.
    fn release_object(&mut self, layout: &Layout, object: Value) {
        let logs = self.program.module.cyclic.contains(&self.program.layouts.counted_object(layout));
        if let Some(glue) = self.release_glue(layout).filter(|_| self.is_large) {
            return self.release_one_of_several(object, logs, |cx, _, _| {
                cx.call_instance_apart(glue, &[object]);
            });
        }
        let count = self.load(LlTy::I32, Addr::header(object));
        let (last, not_last) = (self.w.label(), self.w.label());
        let (local, shared, done) = (self.w.label(), self.w.label(), self.w.label());
        let is_last = self.icmp_imm("eq", count, 1);
        self.w.end(format_args!("br i1 {is_last}, label %{last}, label %{not_last}"));
        self.w.enter_aside();
        self.w.begin_behind(not_last);
        let special = self.icmp_imm("slt", count, 0);
        self.w.end(format_args!("br i1 {special}, label %{shared}, label %{local}{RARELY}"));
        self.w.begin_behind(local);
        let fewer = self.op_imm("add", count, -1);
        self.store(fewer, Addr::header(object));
        if logs {
            self.log(object);
        }
        self.w.end(format_args!("br label %{done}"));
        self.w.enter_cold();
        self.w.begin_behind(shared);
        self.unless_immortal(count, done);
        match self.release_glue(layout) {
            Some(glue) => {
                self.call_instance(glue, &[object]);
                self.w.end(format_args!("br label %{done}"));
            }
            None => {
                let was_last =
                    self.runtime(rt::release_shared, &[object]).expect("tells whether it was the last");
                let was_last = self.bit_of(was_last);
                self.w.end(format_args!("br i1 {was_last}, label %{last}, label %{done}"));
            }
        }
        self.w.leave_cold();
        self.w.begin_behind(last);
        self.destroy(layout, object);
        self.w.end(format_args!("br label %{done}"));
        self.w.leave_aside();
        self.w.begin_behind(done);
    }

    /// Tells the runtime of an object that may be left in a circle, unless it has it in mind already.
    fn log(&mut self, object: Value) {
        let index = self.load(LlTy::I32, Addr::header(object).plus(HEADER_TYPE));
        let news = self.icmp_imm("sge", index, 0);
        self.if_rare(news, |cx| {
            cx.runtime(rt::cycles_log, &[object]);
        });
    }

    /// Tells the runtime of an object that a search has met, a reference to which moves out of another one.
    pub(crate) fn mark_moved(&mut self, word: Value) {
        let is_object = self.is_address(word);
        self.if_so(is_object, |cx| {
            let index = cx.load(LlTy::I32, Addr::header(word).plus(HEADER_TYPE));
            let met = cx.op_imm("and", index, MET as i64);
            let is_met = cx.icmp_imm("ne", met, 0);
            cx.if_rare(is_met, |cx| {
                cx.runtime(rt::cycles_moved, &[word]);
            });
        });
    }

    /// Goes to `done` if the count is that of a literal or a constant, which LLVM often knows.
    fn unless_immortal(&mut self, count: Value, done: Label) {
        let next = self.w.label();
        let immortal = self.icmp_imm("eq", count, IMMORTAL as i64);
        self.w.end(format_args!("br i1 {immortal}, label %{done}, label %{next}"));
        self.w.begin_behind(next);
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
        let index = self.load(LlTy::I32, Addr::header(object).plus(4));
        let index = match self.program.module.has_circles {
            false => index,
            true => self.op_imm("and", index, TYPE_INDEX as i64),
        };
        let index = self.resized(index, LlTy::I64);
        let table = self.fiber_field(offset_of!(Fiber, types), LlTy::Ptr);
        let entry = self.element_at(table, index, size_of::<TypeInfo>() as u32);
        let code = self.load(LlTy::Ptr, Addr::runtime(entry, offset_of!(TypeInfo, destroy)));
        self.call_destroy(code, object);
    }
}
