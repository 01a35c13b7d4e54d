//! Statements and values: a table of contents for the modules that translate each kind.

use std::sync::Arc;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use qz_mir::layout::{Fields, Layout};
use qz_mir::{AggregateKind, Operand, Place, Rvalue, StmtKind, UnOp};
use qz_types::{Ty, TyKind};

use crate::function::FnCx;
use crate::image::Symbol;
use crate::value::Val;

impl FnCx<'_, '_, '_> {
    pub(crate) fn statement(&mut self, kind: &StmtKind) {
        match kind {
            StmtKind::Assign(place, value) | StmtKind::Init(place, value) => self.assign(place, value),
            StmtKind::Call(call) => self.call(call),
            StmtKind::Retain(place) => {
                let (layout, value) = self.read(place);
                self.retain(&layout, &value);
            }
            StmtKind::Release(place) => {
                let (layout, value) = self.read(place);
                self.release(&layout, &value);
            }
            StmtKind::EndScope(_) | StmtKind::Nop => {}
        }
    }

    fn assign(&mut self, place: &Place, value: &Rvalue) {
        if let Some(local) = place.as_local() {
            let layout = self.layout_of(local);
            let value = self.rvalue(value, &layout);
            self.write_local(local, &value);
            return;
        }
        let ty = self.program.layouts.place_ty(self.body, place);
        let layout = self.program.layouts.of(ty);
        let value = self.rvalue(value, &layout);
        let (spot, _) = self.spot(place);
        self.write_spot(&layout, spot, &value);
    }

    /// Computes a value for a place of this layout.
    fn rvalue(&mut self, value: &Rvalue, dest: &Layout) -> Val {
        match value {
            Rvalue::Use(operand) => self.operand(operand).1,
            Rvalue::Unary(op, operand) => self.unary(*op, operand),
            Rvalue::Binary(op, a, b) => self.binary(*op, a, b),
            Rvalue::Checked(op, a, b) => self.checked(*op, a, b),
            Rvalue::Overflowing(op, a, b) => self.overflowing(*op, a, b, dest),
            Rvalue::Cast(kind, operand, to) => self.cast(*kind, operand, *to),
            Rvalue::Discriminant(place) => Val::one(self.discriminant(place)),
            Rvalue::Aggregate(kind, operands) => self.aggregate(kind, operands),
            Rvalue::New(ty, operands) => self.new_struct(*ty, operands),
            Rvalue::Closure(target, captures) => self.new_closure(target, captures),
            Rvalue::MakeDyn { value, from, vtable, .. } => self.make_dyn(value, *from, *vtable),
            Rvalue::Ref(_, place) => Val::one(self.address_of(place)),
            Rvalue::StaticRef(id) => {
                let data = self.program.static_storage(*id);
                Val::one(self.symbol_address(Symbol::Data(data)))
            }
            Rvalue::Intrinsic(which, operands, ty) => self.intrinsic(*which, operands, *ty, dest),
            Rvalue::Reuse(token, value) => {
                self.token = Some(self.read_token(token));
                self.rvalue(value, dest)
            }
        }
    }

    /// An operand's value and its layout.
    pub(crate) fn operand(&mut self, operand: &Operand) -> (Arc<Layout>, Val) {
        match operand {
            Operand::Copy(place) | Operand::Move(place) => self.read(place),
            Operand::Const(value) => self.constant(value),
        }
    }

    /// The value of an operand of one machine value.
    pub(crate) fn scalar(&mut self, operand: &Operand) -> Value {
        self.operand(operand).1.single()
    }

    pub(crate) fn operand_ty(&self, operand: &Operand) -> Ty {
        match operand {
            Operand::Copy(place) | Operand::Move(place) => self.program.layouts.place_ty(self.body, place),
            Operand::Const(value) => qz_codegen::const_ty(value),
        }
    }

    fn unary(&mut self, op: UnOp, operand: &Operand) -> Val {
        let ty = self.operand_ty(operand);
        let value = self.scalar(operand);
        let result = match (op, ty.kind()) {
            (UnOp::Neg, TyKind::Float(_)) => self.b.ins().fneg(value),
            (UnOp::Neg, _) => self.b.ins().ineg(value),
            (UnOp::Not, TyKind::Bool) => self.b.ins().bxor_imm_u(value, 1),
            (UnOp::Not, _) => self.b.ins().bnot(value),
        };
        Val::one(result)
    }

    fn aggregate(&mut self, kind: &AggregateKind, operands: &[Operand]) -> Val {
        let layout = self.program.layouts.of(kind.ty());
        match kind {
            AggregateKind::Tuple(_) | AggregateKind::Value(_) => {
                let values: Vec<Val> = operands.iter().map(|operand| self.operand(operand).1).collect();
                self.fields_into(&layout, layout.fields(), &values)
            }
            AggregateKind::Extend(..) => unreachable!("an instance has whole records"),
            AggregateKind::Variant(_, variant) => {
                let values: Vec<Val> = operands.iter().map(|operand| self.operand(operand).1).collect();
                self.variant(&layout, *variant, &values)
            }
        }
    }

    /// A value of `layout` whose parts are these fields.
    pub(crate) fn fields_into(&mut self, layout: &Layout, fields: &Fields, values: &[Val]) -> Val {
        let layouts: Vec<Arc<Layout>> = fields.tys.iter().map(|&ty| self.program.layouts.of(ty)).collect();
        let parts: Vec<(u32, &Layout, Val)> = layouts
            .iter()
            .zip(&fields.offsets)
            .zip(values)
            .map(|((layout, &offset), value)| (offset, &**layout, value.clone()))
            .collect();
        self.compose(layout, &parts)
    }

    /// Whether a word is the address of an object rather than a small number.
    pub(crate) fn is_address(&mut self, word: Value) -> Value {
        let first = self.int(types::I64, qz_rt_abi::object::FIRST_ADDRESS as i64);
        self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, word, first)
    }
}
