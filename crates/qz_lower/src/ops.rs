//! Operators, and the forms that look inside Options and Results.

use qz_hir::body::{BinaryOp, Expr, ExprId, LocalId, UnaryOp};
use qz_infer::Callee;
use qz_mir::{
    AggregateKind, BinOp, BlockId, Callee as MirCallee, Local, Operand, Place, Proj, Rvalue, TermKind, UnOp,
};
use qz_types::ty::common;
use qz_types::{Ty, TyKind};

use crate::body::{Cx, int_ty};

fn machine_op(op: BinaryOp) -> BinOp {
    match op {
        BinaryOp::Add | BinaryOp::WrapAdd => BinOp::Add,
        BinaryOp::Sub | BinaryOp::WrapSub => BinOp::Sub,
        BinaryOp::Mul | BinaryOp::WrapMul => BinOp::Mul,
        BinaryOp::Div => BinOp::Div,
        BinaryOp::Rem => BinOp::Rem,
        BinaryOp::BitAnd => BinOp::BitAnd,
        BinaryOp::BitOr => BinOp::BitOr,
        BinaryOp::BitXor => BinOp::BitXor,
        BinaryOp::Shl => BinOp::Shl,
        BinaryOp::Shr => BinOp::Shr,
        BinaryOp::Eq => BinOp::Eq,
        BinaryOp::Ne => BinOp::Ne,
        BinaryOp::Lt => BinOp::Lt,
        BinaryOp::Le => BinOp::Le,
        BinaryOp::Gt => BinOp::Gt,
        BinaryOp::Ge => BinOp::Ge,
        BinaryOp::Pow | BinaryOp::In => unreachable!("these are methods"),
    }
}

/// Which integer operations can fail.
fn is_checked(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::Rem
            | BinaryOp::Shl
            | BinaryOp::Shr
    )
}

impl Cx<'_, '_, '_> {
    pub(crate) fn unary(&mut self, id: ExprId, op: UnaryOp, operand: ExprId) -> Operand {
        let ty = self.value_ty(operand);
        if op == UnaryOp::Not
            && matches!(self.body.exprs[operand], Expr::And { .. } | Expr::Or { .. } | Expr::Is { .. })
        {
            return self.condition_value(id);
        }
        let value = self.value(operand);
        self.at(id);
        match (self.callee_of(id).clone(), op, ty.kind()) {
            (Callee::Primitive, UnaryOp::Neg, TyKind::Int(int)) => {
                let zero = Operand::Const(qz_mir::Const::Int(0, *int));
                self.machine_binary(BinaryOp::Sub, ty, zero, value)
            }
            (Callee::Primitive, UnaryOp::Neg, _) => {
                Operand::local(self.b.eval(ty, Rvalue::Unary(UnOp::Neg, value)))
            }
            (Callee::Primitive, ..) => Operand::local(self.b.eval(ty, Rvalue::Unary(UnOp::Not, value))),
            (callee, ..) => {
                let target = self.mir_callee(&callee);
                let ret = self.ty(id);
                let dest = self.b.temp(ret);
                self.b.call(dest, target, [value]);
                Operand::local(dest)
            }
        }
    }

    pub(crate) fn binary(&mut self, id: ExprId, op: BinaryOp, lhs: ExprId, rhs: ExprId) -> Operand {
        let left = self.value(lhs);
        let right = self.value(rhs);
        let (left_ty, right_ty) = (self.value_ty(lhs), self.value_ty(rhs));
        self.at(id);
        self.binary_op(id, op, left, left_ty, right, right_ty)
    }

    /// The operation that the checker recorded at `id`.
    pub(crate) fn binary_op(
        &mut self,
        id: ExprId,
        op: BinaryOp,
        left: Operand,
        left_ty: Ty,
        right: Operand,
        right_ty: Ty,
    ) -> Operand {
        if left_ty.is_never() || right_ty.is_never() {
            return self.dead(self.ty(id));
        }
        match self.callee_of(id).clone() {
            Callee::Primitive => self.machine_binary(op, left_ty, left, right),
            callee => {
                let target = self.mir_callee(&callee);
                let compound = matches!(self.body.exprs[id], Expr::CompoundAssign { .. });
                let ret = if compound { left_ty } else { self.ty(id) };
                let dest = self.b.temp(ret);
                // `x in xs` is asked of the collection.
                let args = if op == BinaryOp::In { [right, left] } else { [left, right] };
                self.b.call(dest, target, args);
                Operand::local(dest)
            }
        }
    }

    pub(crate) fn machine_binary(&mut self, op: BinaryOp, ty: Ty, left: Operand, right: Operand) -> Operand {
        let machine = machine_op(op);
        let result = if machine.is_comparison() { common().bool } else { ty };
        let wraps = self.wraps && matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul);
        let value = if ty.is_integer() && is_checked(op) && !wraps {
            Rvalue::Checked(machine, left, right)
        } else {
            Rvalue::Binary(machine, left, right)
        };
        Operand::local(self.b.eval(result, value))
    }

    // -------------------------------------------------------------------------------- Option and Result

    pub(crate) fn some_index(&self) -> u32 {
        self.lw.variant_index(self.lw.lang_adt("Option"), "Some")
    }

    pub(crate) fn none_index(&self) -> u32 {
        self.lw.variant_index(self.lw.lang_adt("Option"), "None")
    }

    pub(crate) fn none(&mut self, ty: Ty) -> Operand {
        let value = Rvalue::Aggregate(AggregateKind::Variant(ty, self.none_index()), Vec::new());
        Operand::local(self.b.eval(ty, value))
    }

    /// Ends two ways that meet: in one block there is nothing, `dest` has what the other found.
    pub(crate) fn or_none(&mut self, nothing: BlockId, dest: Local, ty: Ty, after: BlockId) -> Operand {
        self.b.switch_to(nothing);
        let none = self.none(ty);
        self.b.assign_local(dest, Rvalue::Use(none));
        self.b.goto(after);
        self.b.switch_to(after);
        Operand::local(dest)
    }

    pub(crate) fn some(&mut self, ty: Ty, value: Operand) -> Operand {
        let value = Rvalue::Aggregate(AggregateKind::Variant(ty, self.some_index()), vec![value]);
        Operand::local(self.b.eval(ty, value))
    }

    /// Whether the value in a place is its type's good variant: `Some` or `Ok`.
    pub(crate) fn is_some(&mut self, place: Place, ty: Ty) -> Operand {
        let good = self.good_index(ty);
        let variant = self.b.eval(int_ty(), Rvalue::Discriminant(place));
        let test = Rvalue::Binary(BinOp::Eq, Operand::local(variant), Operand::int(good as i64));
        Operand::local(self.b.eval(common().bool, test))
    }

    fn is_option(&self, ty: Ty) -> bool {
        ty.as_adt().is_some_and(|(id, _)| id == self.lw.lang_adt("Option"))
    }

    fn good_index(&self, ty: Ty) -> u32 {
        if self.is_option(ty) {
            self.some_index()
        } else {
            self.lw.variant_index(self.lw.lang_adt("Result"), "Ok")
        }
    }

    /// What is inside the good variant.
    pub(crate) fn payload(&mut self, place: &Place, variant: u32, ty: Ty) -> Operand {
        let place = place.then(Proj::Variant(variant)).field(0);
        self.read(place, ty)
    }

    /// An Option or Result to look into: its place, and blocks for both cases; the good one is open.
    fn open_good(&mut self, operand: ExprId) -> (Place, Ty, qz_mir::BlockId) {
        let ty = self.value_ty(operand);
        let value = self.value(operand);
        let subject = Place::local(self.fix(value, ty));
        let (good, bad) = (self.b.new_block(), self.b.new_block());
        let test = self.is_some(subject.clone(), ty);
        self.b.branch(test, good, bad);
        self.b.switch_to(good);
        (subject, ty, bad)
    }

    pub(crate) fn unwrap(&mut self, id: ExprId, operand: ExprId) -> Operand {
        let (subject, ty, bad) = self.open_good(operand);
        let result = self.ty(id);
        let after = self.b.new_block();
        let value = self.payload(&subject, self.good_index(ty), result);
        self.b.goto(after);
        self.b.switch_to(bad);
        self.at(id);
        if self.is_option(ty) {
            self.lang_call("unwrap_none", &[], vec![], common().never);
        } else {
            let error_ty = ty.as_adt().expect("a Result").1[1];
            let err = self.lw.variant_index(self.lw.lang_adt("Result"), "Err");
            let error = self.payload(&subject, err, error_ty);
            self.lang_call("unwrap_err", &[error_ty], vec![error], common().never);
        }
        self.b.switch_to(after);
        value
    }

    /// `e?`: leaves the function or lambda with what is not good.
    pub(crate) fn propagate(&mut self, id: ExprId, operand: ExprId) -> Operand {
        let (subject, ty, bad) = self.open_good(operand);
        let result = self.ty(id);
        let after = self.b.new_block();
        let value = self.payload(&subject, self.good_index(ty), result);
        self.b.goto(after);
        self.b.switch_to(bad);
        let ret = self.b.locals[qz_mir::Body::RETURN].ty;
        if self.is_option(ty) {
            let none = self.none(ret);
            self.b.assign_local(qz_mir::Body::RETURN, Rvalue::Use(none));
        } else {
            let error_ty = ty.as_adt().expect("a Result").1[1];
            let err = self.lw.variant_index(self.lw.lang_adt("Result"), "Err");
            let mut error = self.payload(&subject, err, error_ty);
            if let Some(callee @ Callee::Method { args, .. }) = self.types().callees.get(id).cloned() {
                let target = self.mir_callee(&callee);
                let dest = self.b.temp(args[0]);
                self.b.call(dest, target, [error]);
                error = Operand::local(dest);
            }
            let value = Rvalue::Aggregate(AggregateKind::Variant(ret, err), vec![error]);
            self.b.assign_local(qz_mir::Body::RETURN, value);
        }
        self.leave();
        self.b.switch_to(after);
        value
    }

    /// `a ?? b`.
    pub(crate) fn coalesce(&mut self, id: ExprId, lhs: ExprId, rhs: ExprId) -> Operand {
        let result = self.ty(id);
        let dest = self.b.temp(result);
        let (subject, ty, bad) = self.open_good(lhs);
        let after = self.b.new_block();
        if result == ty {
            self.b.assign_local(dest, Rvalue::Use(Operand::Copy(subject.clone())));
        } else {
            let value = self.payload(&subject, self.good_index(ty), result);
            self.b.assign_local(dest, Rvalue::Use(value));
        }
        self.b.goto(after);
        self.b.switch_to(bad);
        self.store(rhs, dest, result);
        self.b.goto(after);
        self.b.switch_to(after);
        if result.is_unit() { self.unit() } else { Operand::local(dest) }
    }

    /// `a?.b`.
    pub(crate) fn safe_nav(&mut self, id: ExprId, base: ExprId, inner: LocalId, rest: ExprId) -> Operand {
        let result = self.ty(id);
        let dest = self.b.temp(result);
        let (subject, _, bad) = self.open_good(base);
        let after = self.b.new_block();
        let inside = self.payload(&subject, self.some_index(), self.local_ty(inner));
        self.open_scope();
        self.bind_local(inner, inside);
        let rest_ty = self.value_ty(rest);
        let value = self.value(rest);
        let value = if rest_ty == result { value } else { self.some(result, value) };
        self.b.assign_local(dest, Rvalue::Use(value));
        self.close_scope();
        self.b.goto(after);
        self.or_none(bad, dest, result, after)
    }

    /// Calls `op_eq` of a type on two values.
    pub(crate) fn equal(&mut self, ty: Ty, left: Operand, right: Operand) -> Operand {
        if ty.is_numeric() || matches!(ty.kind(), TyKind::Bool | TyKind::Char) {
            return Operand::local(self.b.eval(common().bool, Rvalue::Binary(BinOp::Eq, left, right)));
        }
        if ty == common().str {
            return self.runtime("str_eq", vec![left, right], common().bool);
        }
        let callee: MirCallee = self.lw.method_of("Eq", "op_eq", ty);
        let dest = self.b.temp(common().bool);
        self.b.call(dest, callee, [left, right]);
        Operand::local(dest)
    }

    /// Ends the open block with a panic.
    pub(crate) fn panic(&mut self, message: &str) {
        let message = self.str(message);
        self.runtime("panic", vec![message], common().unit);
        self.b.end(TermKind::Unreachable);
    }
}
