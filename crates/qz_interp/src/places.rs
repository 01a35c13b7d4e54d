//! Places: every one has an address.

use std::sync::Arc;

use qz_mir::layout::{Layout, PlaceTy};
use qz_mir::{Operand, Place, Proj, Scalar};
use qz_types::Ty;

use crate::machine::Machine;
use crate::memory::Addr;

impl Machine<'_> {
    /// The address of a place of the running function, and the layout of what is there.
    pub(crate) fn place(&self, place: &Place) -> (Addr, Arc<Layout>) {
        self.place_in(self.frames.len() - 1, place)
    }

    /// As [`Machine::place`], for a frame further down.
    pub(crate) fn place_in(&self, frame: usize, place: &Place) -> (Addr, Arc<Layout>) {
        let frame = &self.frames[frame];
        let mut at = frame.local(place.local);
        let layout = &frame.code.layouts[place.local.index()];
        if place.proj.is_empty() {
            return (at, layout.clone());
        }
        let mut ty = PlaceTy::Value(layout.ty);
        let captures = &frame.code.body.captures;
        for &proj in &place.proj {
            let next = self.layouts.project(ty, proj, captures);
            at = match proj {
                Proj::Deref => at.follow(),
                Proj::Field(i) => at.plus(self.field_offset(ty, i)),
                Proj::Variant(_) if self.layouts.of(ty.value()).is_boxed() => at.follow(),
                Proj::Variant(_) => at,
                Proj::Index(index) => {
                    let index = frame.local(index).read(Scalar::I64) as i64;
                    at.follow().element(index, self.layouts.of(next.value()).size)
                }
                Proj::Capture(i) => {
                    at.follow().plus(self.layouts.closure(captures).fields.offsets[i as usize])
                }
            };
            ty = next;
        }
        (at, self.layouts.of(ty.value()))
    }

    fn field_offset(&self, ty: PlaceTy, i: u32) -> u32 {
        match ty {
            PlaceTy::Object(ty) => self.layouts.object(ty).fields.offsets[i as usize],
            PlaceTy::Value(ty) => self.layouts.of(ty).fields().offsets[i as usize],
            PlaceTy::Variant(ty, v) => self.layouts.of(ty).as_enum().variants[v as usize].offsets[i as usize],
        }
    }

    pub(crate) fn operand_ty(&self, operand: &Operand) -> Ty {
        match operand {
            Operand::Copy(place) | Operand::Move(place) => self.place(place).1.ty,
            Operand::Const(value) => qz_codegen::const_ty(value),
        }
    }
}
