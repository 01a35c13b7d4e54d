//! Arithmetic: what cannot fail, and what panics when it does.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, InstructionData, Opcode, Value, types};
use qz_codegen::num_ty;
use qz_mir::layout::Layout;
use qz_mir::{BinOp, Operand};
use qz_rt_abi::registry::{ArithError, arith_code, rt};
use qz_types::{FloatTy, Ty, TyKind};

use crate::function::{FnCx, unreachable_code};
use crate::value::Val;

/// What an operation works on.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Class {
    Signed,
    Unsigned,
    Float(FloatTy),
}

fn class_of(ty: Ty) -> Class {
    match ty.kind() {
        TyKind::Int(int) if int.signed() => Class::Signed,
        TyKind::Float(float) => Class::Float(*float),
        _ => Class::Unsigned,
    }
}

impl FnCx<'_, '_, '_> {
    fn operands(&mut self, a: &Operand, b: &Operand) -> (Ty, Value, Value) {
        let ty = self.operand_ty(a);
        let a = self.scalar(a);
        let b = self.scalar(b);
        (ty, a, b)
    }

    pub(crate) fn binary(&mut self, op: BinOp, a: &Operand, b: &Operand) -> Val {
        let (ty, a, b) = self.operands(a, b);
        Val::one(self.plain_binary(op, ty, a, b))
    }

    fn plain_binary(&mut self, op: BinOp, ty: Ty, a: Value, b: Value) -> Value {
        match class_of(ty) {
            Class::Float(float) => self.float_binary(op, float, a, b),
            class => self.int_binary(op, class == Class::Signed, a, b),
        }
    }

    fn int_binary(&mut self, op: BinOp, signed: bool, a: Value, b: Value) -> Value {
        if let Some(cc) = int_cc(op, signed) {
            return self.b.ins().icmp(cc, a, b);
        }
        if op == BinOp::Sub
            && let Some(constant) = self.integer_of(b)
        {
            // An addition gives its result in any register, a subtraction in that of its first operand.
            let opposite = self.int(self.b.func.dfg.value_type(a), constant.wrapping_neg());
            return self.b.ins().iadd(a, opposite);
        }
        let ins = self.b.ins();
        match (op, signed) {
            (BinOp::Add, _) => ins.iadd(a, b),
            (BinOp::Sub, _) => ins.isub(a, b),
            (BinOp::Mul, _) => ins.imul(a, b),
            (BinOp::Div, true) => ins.sdiv(a, b),
            (BinOp::Div, false) => ins.udiv(a, b),
            (BinOp::Rem, true) => ins.srem(a, b),
            (BinOp::Rem, false) => ins.urem(a, b),
            (BinOp::BitAnd, _) => ins.band(a, b),
            (BinOp::BitOr, _) => ins.bor(a, b),
            (BinOp::BitXor, _) => ins.bxor(a, b),
            (BinOp::Shl, _) => ins.ishl(a, b),
            (BinOp::Shr, true) => ins.sshr(a, b),
            (BinOp::Shr, false) => ins.ushr(a, b),
            (BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge, _) => {
                unreachable!("comparisons were taken above")
            }
        }
    }

    /// The bits of a value that is an integer's constant, of at most 64.
    fn integer_of(&self, value: Value) -> Option<i64> {
        let InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } =
            self.b.func.dfg.insts[self.b.func.dfg.value_def(value).inst()?]
        else {
            return None;
        };
        Some(imm.bits())
    }

    fn float_binary(&mut self, op: BinOp, float: FloatTy, a: Value, b: Value) -> Value {
        let cc = match op {
            BinOp::Eq => FloatCC::Equal,
            BinOp::Ne => FloatCC::NotEqual,
            BinOp::Lt => FloatCC::LessThan,
            BinOp::Le => FloatCC::LessThanOrEqual,
            BinOp::Gt => FloatCC::GreaterThan,
            BinOp::Ge => FloatCC::GreaterThanOrEqual,
            BinOp::Add => return self.b.ins().fadd(a, b),
            BinOp::Sub => return self.b.ins().fsub(a, b),
            BinOp::Mul => return self.b.ins().fmul(a, b),
            BinOp::Div => return self.b.ins().fdiv(a, b),
            BinOp::Rem => {
                let f = if float == FloatTy::F32 { rt::f32_rem } else { rt::f64_rem };
                return self.runtime(f, &[a, b]).expect("gives the remainder");
            }
            other @ (BinOp::BitAnd | BinOp::BitOr | BinOp::BitXor | BinOp::Shl | BinOp::Shr) => {
                unreachable!("{other:?} is not for floats")
            }
        };
        self.b.ins().fcmp(cc, a, b)
    }

    /// Arithmetic that panics on overflow, division by zero, or a bad shift count.
    pub(crate) fn checked(&mut self, op: BinOp, a: &Operand, b: &Operand) -> Val {
        let (ty, a, b) = self.operands(a, b);
        let class = class_of(ty);
        if let Class::Float(_) = class {
            return Val::one(self.plain_binary(op, ty, a, b));
        }
        let signed = class == Class::Signed;
        let result = match op {
            BinOp::Add | BinOp::Sub | BinOp::Mul => {
                let (result, overflow) = self.with_overflow(op, signed, a, b);
                let error = match op {
                    BinOp::Add => ArithError::Add,
                    BinOp::Sub => ArithError::Sub,
                    _ => ArithError::Mul,
                };
                self.panic_if(overflow, error, ty, a, b);
                result
            }
            BinOp::Div | BinOp::Rem => self.checked_division(op, ty, signed, a, b),
            BinOp::Shl | BinOp::Shr => {
                let bits = self.b.func.dfg.value_type(b).bits();
                let bad = self.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, b, bits as i64);
                let error = if op == BinOp::Shl { ArithError::Shl } else { ArithError::Shr };
                self.panic_if(bad, error, ty, a, b);
                self.int_binary(op, signed, a, b)
            }
            _ => self.int_binary(op, signed, a, b),
        };
        Val::one(result)
    }

    fn with_overflow(&mut self, op: BinOp, signed: bool, a: Value, b: Value) -> (Value, Value) {
        let ins = self.b.ins();
        match (op, signed) {
            (BinOp::Add, true) => ins.sadd_overflow(a, b),
            (BinOp::Add, false) => ins.uadd_overflow(a, b),
            (BinOp::Sub, true) => ins.ssub_overflow(a, b),
            (BinOp::Sub, false) => ins.usub_overflow(a, b),
            (BinOp::Mul, true) => ins.smul_overflow(a, b),
            (BinOp::Mul, false) => ins.umul_overflow(a, b),
            (other, _) => unreachable!("{other:?} has no overflow"),
        }
    }

    fn checked_division(&mut self, op: BinOp, ty: Ty, signed: bool, a: Value, b: Value) -> Value {
        let error = if op == BinOp::Div { ArithError::DivZero } else { ArithError::RemZero };
        let zero = self.b.ins().icmp_imm_s(IntCC::Equal, b, 0);
        self.panic_if(zero, error, ty, a, b);
        if !signed {
            return self.int_binary(op, false, a, b);
        }
        let minus_one = self.b.ins().icmp_imm_s(IntCC::Equal, b, -1);
        if op == BinOp::Rem {
            // Any remainder by -1 is 0, as it is by 1, but MIN % -1 traps on some machines.
            let one = self.int(self.b.func.dfg.value_type(b), 1);
            let divisor = self.b.ins().select(minus_one, one, b);
            return self.b.ins().srem(a, divisor);
        }
        let bits = self.b.func.dfg.value_type(a).bits();
        let min = self.int(self.b.func.dfg.value_type(a), i64::MIN >> (64 - bits));
        let is_min = self.b.ins().icmp(IntCC::Equal, a, min);
        let overflow = self.b.ins().band(minus_one, is_min);
        self.panic_if(overflow, ArithError::Div, ty, a, b);
        self.b.ins().sdiv(a, b)
    }

    fn panic_if(&mut self, cond: Value, error: ArithError, ty: Ty, a: Value, b: Value) {
        self.if_rare(cond, |cx| cx.panic_arith(error, ty, a, b));
    }

    fn panic_arith(&mut self, error: ArithError, ty: Ty, a: Value, b: Value) {
        let a = self.extended(ty, a);
        let b = self.extended(ty, b);
        let what = self.int(types::I32, arith_code(error, num_ty(ty)) as i64);
        self.runtime(rt::panic_arith, &[what, a, b]);
        self.b.ins().trap(unreachable_code());
    }

    /// An integer as 64 bits, after its own sign.
    pub(crate) fn extended(&mut self, ty: Ty, value: Value) -> Value {
        if self.b.func.dfg.value_type(value) == types::I64 {
            return value;
        }
        match class_of(ty) {
            Class::Signed => self.b.ins().sextend(types::I64, value),
            _ => self.b.ins().uextend(types::I64, value),
        }
    }

    /// The wrapped result and whether it wrapped, as a tuple.
    pub(crate) fn overflowing(&mut self, op: BinOp, a: &Operand, b: &Operand, dest: &Layout) -> Val {
        let (ty, a, b) = self.operands(a, b);
        let (result, overflow) = self.with_overflow(op, class_of(ty) == Class::Signed, a, b);
        self.fields_into(dest, dest.fields(), &[Val::one(result), Val::one(overflow)])
    }
}

fn int_cc(op: BinOp, signed: bool) -> Option<IntCC> {
    Some(match (op, signed) {
        (BinOp::Eq, _) => IntCC::Equal,
        (BinOp::Ne, _) => IntCC::NotEqual,
        (BinOp::Lt, true) => IntCC::SignedLessThan,
        (BinOp::Le, true) => IntCC::SignedLessThanOrEqual,
        (BinOp::Gt, true) => IntCC::SignedGreaterThan,
        (BinOp::Ge, true) => IntCC::SignedGreaterThanOrEqual,
        (BinOp::Lt, false) => IntCC::UnsignedLessThan,
        (BinOp::Le, false) => IntCC::UnsignedLessThanOrEqual,
        (BinOp::Gt, false) => IntCC::UnsignedGreaterThan,
        (BinOp::Ge, false) => IntCC::UnsignedGreaterThanOrEqual,
        _ => return None,
    })
}
