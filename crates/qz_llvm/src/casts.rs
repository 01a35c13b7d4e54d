//! Conversions between types.

use qz_codegen::num_ty;
use qz_mir::{CastKind, Operand};
use qz_rt_abi::registry::{cast_code, rt};
use qz_types::{FloatTy, IntTy, Ty, TyKind};

use crate::function::FnCx;
use crate::ir::{LlTy, Value, Written};
use crate::value::Val;

/// A numeric type as far as conversions care.
#[derive(Copy, Clone)]
enum Num {
    /// Bits, and whether signed.
    Int(u32, bool),
    Float(FloatTy),
    Char,
}

fn num(ty: Ty) -> Num {
    match ty.kind() {
        TyKind::Int(int) => Num::Int(int.bits(), int.signed()),
        TyKind::Float(float) => Num::Float(*float),
        TyKind::Char => Num::Char,
        TyKind::Bool => Num::Int(8, false),
        _ => Num::Int(64, false),
    }
}

impl FnCx<'_, '_> {
    pub(crate) fn cast(&mut self, kind: CastKind, operand: &Operand, to: Ty) -> Val {
        let from = self.operand_ty(operand);
        let value = self.operand(operand).1;
        let to = self.program.layouts.resolve(to);
        match kind {
            CastKind::Pointer => value,
            CastKind::Bits => Val::one(self.same_bits(value.single(), to)),
            CastKind::Wrapping => Val::one(self.convert(from, to, value.single(), false)),
            CastKind::Checked => {
                self.check_cast(from, to, value.single());
                Val::one(self.convert(from, to, value.single(), true))
            }
        }
    }

    fn ty_of(&self, ty: Ty) -> LlTy {
        let layout = self.program.layouts.of(ty);
        let slots = layout.slots.as_ref().expect("numbers have one slot");
        LlTy::of(slots[0].scalar)
    }

    fn same_bits(&mut self, value: Value, to: Ty) -> Value {
        let to = self.ty_of(to);
        match (value.ty, to) {
            (from, to) if from == to => value,
            (LlTy::Ptr, _) => self.convert_by("ptrtoint", value, to),
            (_, LlTy::Ptr) => self.convert_by("inttoptr", value, to),
            _ => self.convert_by("bitcast", value, to),
        }
    }

    /// Keeps the low bits; floats saturate, unless they are `known` to fit.
    fn convert(&mut self, from: Ty, to: Ty, value: Value, known: bool) -> Value {
        let target = self.ty_of(to);
        match (num(from), num(to)) {
            (Num::Int(_, signed), Num::Int(..) | Num::Char) => self.resized_as(value, target, signed),
            (Num::Char, Num::Int(..) | Num::Char) => self.resized(value, target),
            (Num::Int(_, true), Num::Float(_)) => self.convert_by("sitofp", value, target),
            (Num::Int(..) | Num::Char, Num::Float(_)) => self.convert_by("uitofp", value, target),
            (Num::Float(FloatTy::F32), Num::Float(FloatTy::F64)) => self.convert_by("fpext", value, target),
            (Num::Float(FloatTy::F64), Num::Float(FloatTy::F32)) => self.convert_by("fptrunc", value, target),
            (Num::Float(_), Num::Float(_)) => value,
            (Num::Float(_), Num::Char) => self.float_to_int(value, target, false, known),
            (Num::Float(_), Num::Int(_, signed)) => self.float_to_int(value, target, signed, known),
        }
    }

    /// Truncates. Saturates, and NaN is 0, unless the value is known to fit.
    fn float_to_int(&mut self, value: Value, to: LlTy, signed: bool, known: bool) -> Value {
        let name = if signed { "fptosi" } else { "fptoui" };
        if known {
            return self.convert_by(name, value, to);
        }
        let function = format!("llvm.{name}.sat.{to}.{}", value.ty.suffix());
        self.llvm_to(to, &function, &[value])
    }

    /// Panics unless the value has an equal one in the other type. Floats are first cut to whole numbers.
    fn check_cast(&mut self, from: Ty, to: Ty, value: Value) {
        let bad = match (num(from), num(to)) {
            (Num::Int(..) | Num::Char, Num::Int(..)) => self.int_misfit(from, to, value),
            (Num::Int(..), Num::Char) => Some(self.char_misfit(from, value)),
            (Num::Float(_), Num::Int(bits, signed)) => Some(self.float_misfit(value, bits, signed)),
            (Num::Float(_), Num::Char) => Some(self.float_misfit(value, 32, false)),
            (Num::Char, Num::Char) | (_, Num::Float(_)) => None,
        };
        let Some(bad) = bad else { return };
        let what = cast_code(num_ty(from), num_ty(to));
        self.if_rare(bad, |cx| {
            let bits = match num(from) {
                Num::Float(_) => {
                    let bits = cx.as_int(value);
                    cx.resized(bits, LlTy::I64)
                }
                _ => cx.extended(from, value),
            };
            cx.raise(rt::panic_cast, &[Value::int(LlTy::I32, what as i64), bits]);
        });
    }

    fn int_misfit(&mut self, from: Ty, to: Ty, value: Value) -> Option<Value> {
        let range = |ty: Ty| match *ty.kind() {
            TyKind::Int(int) => (int.min_value(), int.max_value()),
            TyKind::Bool => (0, 1),
            TyKind::Char => (0, 0x10_ffff),
            _ => (0, IntTy::U64.max_value()),
        };
        let ((from_min, from_max), (to_min, to_max)) = (range(from), range(to));
        let wide = self.extended(from, value);
        let signed = from_min < 0;
        let below = (from_min < to_min).then(|| self.icmp_imm("slt", wide, to_min as i64));
        let above = (from_max > to_max)
            .then(|| self.icmp_imm(if signed { "sgt" } else { "ugt" }, wide, to_max as i64));
        match (below, above) {
            (Some(below), Some(above)) => Some(self.op("or", below, above)),
            (one, other) => one.or(other),
        }
    }

    /// Not a Unicode scalar value: above U+10FFFF, or a surrogate.
    fn char_misfit(&mut self, from: Ty, value: Value) -> Value {
        let wide = self.extended(from, value);
        let above = self.icmp_imm("ugt", wide, 0x10_ffff);
        let relative = self.op_imm("add", wide, -0xd800);
        let surrogate = self.icmp_imm("ult", relative, 0x800);
        self.op("or", above, surrogate)
    }

    /// Outside the range after truncation, or NaN.
    fn float_misfit(&mut self, value: Value, bits: u32, signed: bool) -> Value {
        let whole = self.llvm("trunc", &[value]);
        let (low, high) = match signed {
            true => (-(2f64.powi(bits as i32 - 1)), 2f64.powi(bits as i32 - 1)),
            false => (0.0, 2f64.powi(bits as i32)),
        };
        let constant = |x: f64| match value.ty {
            LlTy::F32 => Value { ty: LlTy::F32, it: Written::F32((x as f32).to_bits()) },
            ty => Value { ty, it: Written::F64(x.to_bits()) },
        };
        let enough = self.fcmp("oge", whole, constant(low));
        let less = self.fcmp("olt", whole, constant(high));
        let fits = self.op("and", enough, less);
        self.op_imm("xor", fits, 1)
    }
}
