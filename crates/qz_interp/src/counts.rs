//! Objects and their counts.

use qz_mir::layout::{EnumLayout, Fields, Layout, Scalar, Shape};
use qz_mir::{Circle, InstanceId, Local, TypeEntryKind};
use qz_rt_abi::object::{FIRST_ADDRESS, FIRST_TYPE, HEADER_TYPE, LOGGED, TYPE_INDEX, TYPE_STR};
use qz_rt_abi::registry::rt;

use crate::enums::discriminant;
use crate::machine::{Machine, Step};
use crate::memory::Addr;

impl Machine<'_> {
    /// A new object, in the block of the reuse token at hand if it is of the same type.
    pub(crate) fn new_object(&mut self, kind: &TypeEntryKind) -> Addr {
        let index = self.shared.types.index(kind);
        let token = std::mem::replace(&mut self.token, Addr::from_word(0));
        if token.word() != 0 {
            if token.plus(HEADER_TYPE).read(Scalar::I32) as u32 == index {
                return token;
            }
            self.free_object(token);
        }
        Addr::from_word(self.runtime(rt::new_object, &[index as u64]))
    }

    /// Gives an object's memory back.
    pub(crate) fn free_object(&mut self, object: Addr) {
        self.runtime(rt::free_object, &[object.word()]);
    }

    pub(crate) fn defer(&mut self, object: Addr) {
        self.runtime(rt::defer_destroy, &[object.word()]);
    }

    /// Adds a count to everything counted in the value at an address.
    pub(crate) fn retain(&mut self, layout: &Layout, at: Addr) {
        for object in self.objects(layout, at) {
            let count = object.read(Scalar::I32) as i32;
            if count >= 0 {
                object.write(Scalar::I32, count.wrapping_add(1) as u32 as u64);
            } else {
                self.runtime(rt::retain_shared, &[object.word()]);
            }
        }
    }

    /// Takes a count from everything counted in the value at an address. Objects that go are destroyed by
    /// functions that run next, the first of them on top.
    pub(crate) fn release(&mut self, layout: &Layout, at: Addr) -> Step {
        if let Some(glue) = self.glue_in_turn(layout) {
            let frame = self.push(glue, Addr::from_word(0))?;
            frame.local(Local::from_raw(1)).copy_from(at, layout.size as u64);
            return Ok(());
        }
        let mut last = Vec::new();
        for object in self.objects(layout, at) {
            match object.read(Scalar::I32) as i32 {
                1 => last.push(object),
                count if count > 1 => {
                    object.write(Scalar::I32, count as u64 - 1);
                    self.log(object);
                }
                _ if self.runtime(rt::release_shared, &[object.word()]) != 0 => last.push(object),
                _ => {}
            }
        }
        for &object in last.iter().rev() {
            self.destroy(object)?;
        }
        Ok(())
    }

    /// The function that releases the parts of such a value in turn, if a panic may come between them.
    fn glue_in_turn(&self, layout: &Layout) -> Option<InstanceId> {
        if layout.is_counted_word() {
            return None;
        }
        let glue = self.shared.types.glue(layout.ty).release?;
        (self.module.instances[glue].may_panic && self.top().code.id != glue).then_some(glue)
    }

    /// Tells the runtime of an object that may be left in a circle, unless it has it in mind already.
    fn log(&mut self, object: Addr) {
        let index = object.plus(HEADER_TYPE).read(Scalar::I32) as u32;
        if index & LOGGED != 0 || !self.module.has_circles || index & TYPE_INDEX == TYPE_STR {
            return;
        }
        if self.module.types[(index & TYPE_INDEX) as usize - FIRST_TYPE as usize].circle != Circle::Never {
            self.runtime(rt::cycles_log, &[object.word()]);
        }
    }

    fn destroy(&mut self, object: Addr) -> Step {
        let index = object.plus(HEADER_TYPE).read(Scalar::I32) as u32 & TYPE_INDEX;
        if index == TYPE_STR {
            self.runtime(rt::str_free, &[object.word()]);
            return Ok(());
        }
        let id: InstanceId = self.module.types[(index - FIRST_TYPE) as usize].destroy;
        // Nothing is returned, so any address will do.
        let frame = self.push(id, object)?;
        frame.local(Local::from_raw(1)).write(Scalar::Ptr, object.word());
        Ok(())
    }

    /// The outermost destroy function has returned: destroys what others handed over.
    pub(crate) fn destroy_deferred(&mut self) -> Step {
        match self.runtime(rt::next_deferred, &[]) {
            0 => Ok(()),
            object => self.destroy(Addr::from_word(object)),
        }
    }

    /// The objects that a value counts, in order.
    fn objects(&self, layout: &Layout, at: Addr) -> Vec<Addr> {
        let mut found = Vec::new();
        self.collect(layout, at, &mut found);
        found
    }

    fn collect(&self, layout: &Layout, at: Addr, found: &mut Vec<Addr>) {
        if !layout.needs_release {
            return;
        }
        if layout.is_counted_word() {
            let word = at.read(Scalar::Ptr);
            if word >= FIRST_ADDRESS {
                found.push(Addr::from_word(word));
            }
            return;
        }
        match &layout.shape {
            Shape::Product(fields) => self.collect_fields(fields, at, found),
            Shape::Enum(EnumLayout { variants, .. }) => {
                self.collect_fields(&variants[discriminant(layout, at) as usize], at, found);
            }
            other => unreachable!("{other:?} is one counted word or holds none"),
        }
    }

    fn collect_fields(&self, fields: &Fields, at: Addr, found: &mut Vec<Addr>) {
        for (ty, offset) in fields.iter() {
            self.collect(&self.layouts.of(ty), at.plus(offset), found);
        }
    }
}
