//! Operands and values, written to where they are wanted.

use qz_mir::layout::{Fields, Layout, Scalar, Shape};
use qz_mir::{
    AggregateKind, Callee, CastKind, ClosureTarget, Const, Operand, Place, Rvalue, TypeEntryKind, UnOp,
    VtableId,
};
use qz_rt_abi::object::{CLOSURE_CODE, DYN_PAYLOAD, DYN_VTABLE};
use qz_types::{Ty, TyKind};
use smallvec::SmallVec;

use crate::arith::{from_i128, to_i128};
use crate::data::code_word;
use crate::machine::{Machine, Step};
use crate::memory::Addr;

/// A value that is complete before it is stored: the place may be one of its operands.
pub(crate) struct Scratch(SmallVec<[u64; 16]>);

impl Scratch {
    pub(crate) fn new(layout: &Layout) -> Scratch {
        Scratch(SmallVec::from_elem(0, layout.size as usize / 8 + 1))
    }

    pub(crate) fn at(&mut self) -> Addr {
        Addr::of(&mut self.0)
    }
}

/// The scalar that a value of one machine value is.
pub(crate) fn scalar_of(layout: &Layout) -> Scalar {
    match layout.slots.as_deref() {
        Some([slot]) => slot.scalar,
        other => unreachable!("{:?} is one machine value, not {other:?}", layout.ty),
    }
}

impl Machine<'_> {
    /// The bits of an operand of one machine value.
    pub(crate) fn scalar(&mut self, operand: &Operand) -> u64 {
        match operand {
            Operand::Copy(place) | Operand::Move(place) => {
                let (at, layout) = self.place(place);
                at.read(scalar_of(&layout))
            }
            Operand::Const(value) => self.const_bits(value),
        }
    }

    fn const_bits(&mut self, value: &Const) -> u64 {
        match value {
            Const::Unit | Const::Null(_) => 0,
            Const::Bool(b) => *b as u64,
            Const::Int(n, int) => from_i128(int.bits(), *n),
            Const::F32(bits) => *bits as u64,
            Const::F64(bits) => *bits,
            Const::Char(c) => *c as u64,
            Const::Str(text) => self.shared.data.borrow_mut().string(text).word(),
            Const::Static(data, ty) => {
                let layout = self.layouts.of(*ty);
                self.shared.blob(*data).read(scalar_of(&layout))
            }
            Const::Item(..) => unreachable!("constants are evaluated by now"),
        }
    }

    /// Writes an operand of a frame's function somewhere.
    pub(crate) fn operand_into(&mut self, frame: usize, operand: &Operand, to: Addr) {
        match operand {
            Operand::Copy(place) | Operand::Move(place) => {
                let (from, layout) = self.place_in(frame, place);
                to.copy_from(from, layout.size as u64);
            }
            Operand::Const(Const::Static(data, ty)) => {
                let layout = self.layouts.of(*ty);
                let from = self.shared.blob(*data);
                to.copy_from(from, layout.size as u64);
            }
            Operand::Const(value) => {
                let layout = self.layouts.of(qz_codegen::const_ty(value));
                if !layout.is_zero_sized() {
                    let bits = self.const_bits(value);
                    to.write(scalar_of(&layout), bits);
                }
            }
        }
    }

    fn here(&self) -> usize {
        self.frames.len() - 1
    }

    pub(crate) fn assign(&mut self, place: &Place, value: &Rvalue) -> Step {
        let (at, layout) = self.place(place);
        let mut scratch = Scratch::new(&layout);
        self.rvalue(value, &layout, scratch.at())?;
        at.copy_from(scratch.at(), layout.size as u64);
        Ok(())
    }

    fn rvalue(&mut self, value: &Rvalue, dest: &Layout, to: Addr) -> Step {
        match value {
            Rvalue::Use(operand) => self.operand_into(self.here(), operand, to),
            Rvalue::Unary(op, operand) => self.unary(*op, operand, to),
            Rvalue::Binary(op, a, b) => self.binary(*op, a, b, to),
            Rvalue::Checked(op, a, b) => self.checked(*op, a, b, to)?,
            Rvalue::Overflowing(op, a, b) => self.overflowing(*op, a, b, dest, to),
            Rvalue::Cast(kind, operand, ty) => self.cast(*kind, operand, *ty, to)?,
            Rvalue::Discriminant(place) => {
                let (at, layout) = self.place(place);
                to.write(Scalar::I64, crate::enums::discriminant(&layout, at) as u64);
            }
            Rvalue::Aggregate(kind, operands) => self.aggregate(kind, operands, to),
            Rvalue::New(ty, operands) => {
                let ty = self.layouts.resolve(*ty);
                let fields = self.layouts.object(ty).fields.clone();
                let object = self.new_object(&TypeEntryKind::Ty(ty));
                self.store_fields(object, &fields, operands);
                to.write(Scalar::Ptr, object.word());
            }
            Rvalue::Closure(target, captures) => self.closure(target, captures, to),
            Rvalue::MakeDyn { value, from, vtable, .. } => self.make_dyn(value, *from, *vtable, to),
            Rvalue::Ref(_, place) => to.write(Scalar::Ptr, self.place(place).0.word()),
            Rvalue::StaticRef(id) => {
                let at = self.shared.data.borrow_mut().static_var(self.module, self.layouts, *id);
                to.write(Scalar::Ptr, at.word());
            }
            Rvalue::Intrinsic(which, operands, ty) => self.intrinsic(*which, operands, *ty, dest, to),
            Rvalue::Reuse(token, value) => {
                self.token = Addr::from_word(self.scalar(token));
                self.rvalue(value, dest, to)?;
            }
        }
        Ok(())
    }

    fn unary(&mut self, op: UnOp, operand: &Operand, to: Addr) {
        let ty = self.operand_ty(operand);
        let bits = self.scalar(operand);
        let scalar = scalar_of(&self.layouts.of(ty));
        let result = match (op, ty.kind()) {
            (UnOp::Neg, TyKind::Float(_)) => bits ^ 1 << (scalar.size() * 8 - 1),
            (UnOp::Neg, _) => bits.wrapping_neg(),
            (UnOp::Not, TyKind::Bool) => bits ^ 1,
            (UnOp::Not, _) => !bits,
        };
        to.write(scalar, result);
    }

    fn cast(&mut self, kind: CastKind, operand: &Operand, target: Ty, to: Addr) -> Step {
        let from = self.operand_ty(operand);
        let target = self.layouts.resolve(target);
        let bits = self.scalar(operand);
        let scalar = scalar_of(&self.layouts.of(target));
        if kind == CastKind::Checked
            && let Some(message) = crate::arith::cast_misfit(from, target, bits)
        {
            return self.panic(message, false);
        }
        let result = match kind {
            CastKind::Bits | CastKind::Pointer => bits,
            CastKind::Checked | CastKind::Wrapping => crate::arith::convert(from, target, bits),
        };
        to.write(scalar, result);
        Ok(())
    }

    fn aggregate(&mut self, kind: &AggregateKind, operands: &[Operand], to: Addr) {
        let layout = self.layouts.of(kind.ty());
        match (kind, &layout.shape) {
            (AggregateKind::Variant(_, variant), _) => self.variant(&layout, *variant, operands, to),
            (_, Shape::Product(fields)) => self.store_fields(to, fields, operands),
            (_, other) => unreachable!("no aggregate is {other:?}"),
        }
    }

    pub(crate) fn store_fields(&mut self, base: Addr, fields: &Fields, operands: &[Operand]) {
        let here = self.here();
        for (operand, &offset) in operands.iter().zip(&fields.offsets) {
            self.operand_into(here, operand, base.plus(offset));
        }
    }

    fn closure(&mut self, target: &ClosureTarget, captures: &[Operand], to: Addr) {
        let id = match target {
            ClosureTarget::Instance(id) | ClosureTarget::Fn(Callee::Instance(id)) => *id,
            other => unreachable!("{other:?} is an instance by now"),
        };
        if self.module.instances[id].for_c.is_some() {
            // No address: only the runtime is given it, which hands it back.
            return to.write(Scalar::Ptr, code_word(id));
        }
        if captures.is_empty() {
            let object = self.shared.data.borrow_mut().closure(id);
            return to.write(Scalar::Ptr, object.word());
        }
        let body = self.module.instances[id].body.as_ref().expect("a closure has a body");
        let layout = self.layouts.closure(&body.captures);
        let object = self.new_object(&TypeEntryKind::Closure(id));
        object.plus(CLOSURE_CODE).write(Scalar::Ptr, code_word(id));
        self.store_fields(object, &layout.fields, captures);
        to.write(Scalar::Ptr, object.word());
    }

    fn make_dyn(&mut self, value: &Operand, from: Ty, vtable: Option<VtableId>, to: Addr) {
        let vtable = vtable.expect("instantiation made the table of methods");
        let object = self.new_object(&TypeEntryKind::DynBox(self.layouts.resolve(from)));
        let table = self.shared.data.borrow_mut().vtable(self.module, vtable);
        object.plus(DYN_VTABLE).write(Scalar::Ptr, table.word());
        self.operand_into(self.here(), value, object.plus(DYN_PAYLOAD));
        to.write(Scalar::Ptr, object.word());
    }

    /// An integer operand as it is meant.
    pub(crate) fn integer(&mut self, operand: &Operand) -> i128 {
        let ty = self.operand_ty(operand);
        to_i128(ty, self.scalar(operand))
    }
}
