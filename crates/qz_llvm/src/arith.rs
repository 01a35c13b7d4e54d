//! Arithmetic: what cannot fail, and what panics when it does.

use qz_codegen::num_ty;
use qz_mir::layout::Layout;
use qz_mir::{BinOp, Operand};
use qz_rt_abi::registry::{ArithError, arith_code, rt};
use qz_types::{Ty, TyKind};

use crate::function::FnCx;
use crate::ir::{LlTy, Value};
use crate::value::Val;

/// What an operation works on.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Class {
    Signed,
    Unsigned,
    Float,
}

fn class_of(ty: Ty) -> Class {
    match ty.kind() {
        TyKind::Int(int) if int.signed() => Class::Signed,
        TyKind::Float(_) => Class::Float,
        _ => Class::Unsigned,
    }
}

impl FnCx<'_, '_> {
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
            Class::Float => self.float_binary(op, a, b),
            class => {
                // LLVM leaves a shift by too much undefined; here it counts modulo the width.
                let b = match op {
                    BinOp::Shl | BinOp::Shr => self.op_imm("and", b, a.ty.bits() as i64 - 1),
                    _ => b,
                };
                self.int_binary(op, class == Class::Signed, a, b)
            }
        }
    }

    fn int_binary(&mut self, op: BinOp, signed: bool, a: Value, b: Value) -> Value {
        if let Some(how) = int_comparison(op, signed) {
            let bit = self.icmp(how, a, b);
            return self.byte_of(bit);
        }
        let name = match (op, signed) {
            (BinOp::Add, _) => "add",
            (BinOp::Sub, _) => "sub",
            (BinOp::Mul, _) => "mul",
            (BinOp::Div, true) => "sdiv",
            (BinOp::Div, false) => "udiv",
            (BinOp::Rem, true) => "srem",
            (BinOp::Rem, false) => "urem",
            (BinOp::BitAnd, _) => "and",
            (BinOp::BitOr, _) => "or",
            (BinOp::BitXor, _) => "xor",
            (BinOp::Shl, _) => "shl",
            (BinOp::Shr, true) => "ashr",
            (BinOp::Shr, false) => "lshr",
            (BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge, _) => {
                unreachable!("comparisons were taken above")
            }
        };
        self.op(name, a, b)
    }

    fn float_binary(&mut self, op: BinOp, a: Value, b: Value) -> Value {
        let how = match op {
            BinOp::Eq => "oeq",
            BinOp::Ne => "une",
            BinOp::Lt => "olt",
            BinOp::Le => "ole",
            BinOp::Gt => "ogt",
            BinOp::Ge => "oge",
            BinOp::Add => return self.op("fadd", a, b),
            BinOp::Sub => return self.op("fsub", a, b),
            BinOp::Mul => return self.op("fmul", a, b),
            BinOp::Div => return self.op("fdiv", a, b),
            BinOp::Rem => return self.op("frem", a, b),
            other @ (BinOp::BitAnd | BinOp::BitOr | BinOp::BitXor | BinOp::Shl | BinOp::Shr) => {
                unreachable!("{other:?} is not for floats")
            }
        };
        let bit = self.fcmp(how, a, b);
        self.byte_of(bit)
    }

    /// A comparison of floats: one bit.
    pub(crate) fn fcmp(&mut self, how: &str, a: Value, b: Value) -> Value {
        self.w.set(LlTy::I1, format_args!("fcmp {how} {} {a}, {b}", a.ty))
    }

    /// Arithmetic that panics on overflow, division by zero, or a bad shift count.
    pub(crate) fn checked(&mut self, op: BinOp, a: &Operand, b: &Operand) -> Val {
        let (ty, a, b) = self.operands(a, b);
        let class = class_of(ty);
        if class == Class::Float {
            return Val::one(self.float_binary(op, a, b));
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
                let bad = self.icmp_imm("uge", b, a.ty.bits() as i64);
                let error = if op == BinOp::Shl { ArithError::Shl } else { ArithError::Shr };
                self.panic_if(bad, error, ty, a, b);
                self.int_binary(op, signed, a, b)
            }
            _ => self.int_binary(op, signed, a, b),
        };
        Val::one(result)
    }

    /// The wrapped result, and one bit that tells whether it wrapped.
    fn with_overflow(&mut self, op: BinOp, signed: bool, a: Value, b: Value) -> (Value, Value) {
        let sign = if signed { 's' } else { 'u' };
        let name = match op {
            BinOp::Add => "add",
            BinOp::Sub => "sub",
            BinOp::Mul => "mul",
            other => unreachable!("{other:?} has no overflow"),
        };
        let ty = a.ty;
        let function = format!("llvm.{sign}{name}.with.overflow.{ty}");
        self.program.declare(&function, format!("declare {{ {ty}, i1 }} @{function}({ty}, {ty})"));
        let n = self.w.next_number();
        self.w.line(format_args!("%r{n} = call {{ {ty}, i1 }} @{function}({ty} {a}, {ty} {b})"));
        let result = self.w.set(ty, format_args!("extractvalue {{ {ty}, i1 }} %r{n}, 0"));
        let overflow = self.w.set(LlTy::I1, format_args!("extractvalue {{ {ty}, i1 }} %r{n}, 1"));
        (result, overflow)
    }

    fn checked_division(&mut self, op: BinOp, ty: Ty, signed: bool, a: Value, b: Value) -> Value {
        let error = if op == BinOp::Div { ArithError::DivZero } else { ArithError::RemZero };
        let zero = self.icmp_imm("eq", b, 0);
        self.panic_if(zero, error, ty, a, b);
        if !signed {
            return self.int_binary(op, false, a, b);
        }
        let minus_one = self.icmp_imm("eq", b, -1);
        if op == BinOp::Rem {
            // Any remainder by -1 is 0, as it is by 1, but MIN % -1 is undefined.
            let divisor = self.select(minus_one, Value::int(b.ty, 1), b);
            return self.op("srem", a, divisor);
        }
        let is_min = self.icmp_imm("eq", a, i64::MIN >> (64 - a.ty.bits()));
        let overflow = self.op("and", minus_one, is_min);
        self.panic_if(overflow, ArithError::Div, ty, a, b);
        self.op("sdiv", a, b)
    }

    fn panic_if(&mut self, cond: Value, error: ArithError, ty: Ty, a: Value, b: Value) {
        let what = arith_code(error, num_ty(ty));
        self.if_rare(cond, |cx| {
            let a = cx.extended(ty, a);
            let b = cx.extended(ty, b);
            cx.raise(rt::panic_arith, &[Value::int(LlTy::I32, what as i64), a, b]);
        });
    }

    /// An integer as 64 bits, after its own sign.
    pub(crate) fn extended(&mut self, ty: Ty, value: Value) -> Value {
        self.resized_as(value, LlTy::I64, class_of(ty) == Class::Signed)
    }

    /// The wrapped result and whether it wrapped, as a tuple.
    pub(crate) fn overflowing(&mut self, op: BinOp, a: &Operand, b: &Operand, dest: &Layout) -> Val {
        let (ty, a, b) = self.operands(a, b);
        let (result, overflow) = self.with_overflow(op, class_of(ty) == Class::Signed, a, b);
        let overflow = self.byte_of(overflow);
        self.fields_into(dest, dest.fields(), &[Val::one(result), Val::one(overflow)])
    }
}

fn int_comparison(op: BinOp, signed: bool) -> Option<&'static str> {
    Some(match (op, signed) {
        (BinOp::Eq, _) => "eq",
        (BinOp::Ne, _) => "ne",
        (BinOp::Lt, true) => "slt",
        (BinOp::Le, true) => "sle",
        (BinOp::Gt, true) => "sgt",
        (BinOp::Ge, true) => "sge",
        (BinOp::Lt, false) => "ult",
        (BinOp::Le, false) => "ule",
        (BinOp::Gt, false) => "ugt",
        (BinOp::Ge, false) => "uge",
        _ => return None,
    })
}
