//! Conversions between types.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type, Value, types};
use qz_codegen::num_ty;
use qz_mir::{CastKind, Operand};
use qz_rt_abi::registry::{cast_code, rt};
use qz_types::{FloatTy, IntTy, Ty, TyKind};

use crate::function::{FnCx, unreachable_code};
use crate::value::{Val, clif_ty, int_ty};

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

impl FnCx<'_, '_, '_> {
    pub(crate) fn cast(&mut self, kind: CastKind, operand: &Operand, to: Ty) -> Val {
        let from = self.operand_ty(operand);
        let value = self.operand(operand).1;
        let to = self.program.layouts.resolve(to);
        match kind {
            CastKind::Pointer => value,
            CastKind::Bits => Val::one(self.same_bits(value.single(), to)),
            CastKind::Wrapping => Val::one(self.convert(from, to, value.single())),
            CastKind::Checked => {
                self.check_cast(from, to, value.single());
                Val::one(self.convert(from, to, value.single()))
            }
        }
    }

    fn ty_of(&self, ty: Ty) -> Type {
        let layout = self.program.layouts.of(ty);
        let slots = layout.slots.as_ref().expect("numbers have one slot");
        clif_ty(slots[0].scalar)
    }

    fn same_bits(&mut self, value: Value, to: Ty) -> Value {
        let to = self.ty_of(to);
        let from = self.b.func.dfg.value_type(value);
        if from == to { value } else { self.b.ins().bitcast(to, MemFlagsData::new(), value) }
    }

    /// Keeps the low bits; floats saturate.
    fn convert(&mut self, from: Ty, to: Ty, value: Value) -> Value {
        let target = self.ty_of(to);
        match (num(from), num(to)) {
            (Num::Int(..) | Num::Char, Num::Int(bits, _)) => self.resize(from, value, bits),
            (Num::Int(..) | Num::Char, Num::Char) => self.resize(from, value, 32),
            (Num::Int(_, true), Num::Float(_)) => {
                let wide = self.extended(from, value);
                self.b.ins().fcvt_from_sint(target, wide)
            }
            (Num::Int(..) | Num::Char, Num::Float(_)) => {
                let wide = self.extended(from, value);
                self.b.ins().fcvt_from_uint(target, wide)
            }
            (Num::Float(FloatTy::F32), Num::Float(FloatTy::F64)) => self.b.ins().fpromote(target, value),
            (Num::Float(FloatTy::F64), Num::Float(FloatTy::F32)) => self.b.ins().fdemote(target, value),
            (Num::Float(_), Num::Float(_)) => value,
            (Num::Float(_), Num::Char) => self.b.ins().fcvt_to_uint_sat(target, value),
            (Num::Float(_), Num::Int(bits, signed)) => self.float_to_int(value, bits, signed),
        }
    }

    fn resize(&mut self, from: Ty, value: Value, bits: u32) -> Value {
        let target = int_ty(bits);
        match self.b.func.dfg.value_type(value).bits().cmp(&bits) {
            std::cmp::Ordering::Less => match from.kind() {
                TyKind::Int(int) if int.signed() => self.b.ins().sextend(target, value),
                _ => self.b.ins().uextend(target, value),
            },
            std::cmp::Ordering::Equal => value,
            std::cmp::Ordering::Greater => self.b.ins().ireduce(target, value),
        }
    }

    /// Saturating; NaN is 0.
    fn float_to_int(&mut self, value: Value, bits: u32, signed: bool) -> Value {
        // Machines convert to 32 and 64 bits; narrower targets are saturated by hand.
        let wide = if bits == 64 { types::I64 } else { types::I32 };
        let result = if signed {
            self.b.ins().fcvt_to_sint_sat(wide, value)
        } else {
            self.b.ins().fcvt_to_uint_sat(wide, value)
        };
        if bits >= 32 {
            return result;
        }
        let target = int_ty(bits);
        let clamped = if signed {
            let (low, high) = (self.int(wide, -1 << (bits - 1)), self.int(wide, (1 << (bits - 1)) - 1));
            let raised = self.b.ins().smax(result, low);
            self.b.ins().smin(raised, high)
        } else {
            let high = self.int(wide, (1 << bits) - 1);
            self.b.ins().umin(result, high)
        };
        self.b.ins().ireduce(target, clamped)
    }

    /// Panics unless the value has an equal one in the other type. Floats are first cut to whole numbers.
    fn check_cast(&mut self, from: Ty, to: Ty, value: Value) {
        let bad = match (num(from), num(to)) {
            (Num::Int(..) | Num::Char, Num::Int(..)) => self.int_misfit(from, to, value),
            (Num::Int(..), Num::Char) => Some(self.char_misfit(from, value)),
            (Num::Float(float), Num::Int(bits, signed)) => {
                Some(self.float_misfit(float, value, bits, signed))
            }
            (Num::Float(float), Num::Char) => Some(self.float_misfit(float, value, 32, false)),
            (Num::Char, Num::Char) | (_, Num::Float(_)) => None,
        };
        let Some(bad) = bad else { return };
        let what = cast_code(num_ty(from), num_ty(to));
        self.if_rare(bad, |cx| {
            let bits = match num(from) {
                Num::Float(FloatTy::F64) => cx.b.ins().bitcast(types::I64, MemFlagsData::new(), value),
                Num::Float(FloatTy::F32) => {
                    let bits = cx.b.ins().bitcast(types::I32, MemFlagsData::new(), value);
                    cx.b.ins().uextend(types::I64, bits)
                }
                _ => cx.extended(from, value),
            };
            let what = cx.int(types::I32, what as i64);
            cx.runtime(rt::panic_cast, &[what, bits]);
            cx.b.ins().trap(unreachable_code());
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
        let below = (from_min < to_min).then(|| {
            let min = self.int(types::I64, to_min as i64);
            self.b.ins().icmp(IntCC::SignedLessThan, wide, min)
        });
        let above = (from_max > to_max).then(|| {
            let max = self.int(types::I64, to_max as i64);
            let cc = if signed { IntCC::SignedGreaterThan } else { IntCC::UnsignedGreaterThan };
            self.b.ins().icmp(cc, wide, max)
        });
        match (below, above) {
            (Some(below), Some(above)) => Some(self.b.ins().bor(below, above)),
            (one, other) => one.or(other),
        }
    }

    /// Not a Unicode scalar value: above U+10FFFF, or a surrogate.
    fn char_misfit(&mut self, from: Ty, value: Value) -> Value {
        let wide = self.extended(from, value);
        let last = self.int(types::I64, 0x10_ffff);
        let above = self.b.ins().icmp(IntCC::UnsignedGreaterThan, wide, last);
        let relative = self.b.ins().iadd_imm_s(wide, -0xd800);
        let count = self.int(types::I64, 0x800);
        let surrogate = self.b.ins().icmp(IntCC::UnsignedLessThan, relative, count);
        self.b.ins().bor(above, surrogate)
    }

    /// Outside the range after truncation, or NaN.
    fn float_misfit(&mut self, float: FloatTy, value: Value, bits: u32, signed: bool) -> Value {
        let whole = self.b.ins().trunc(value);
        let (low, high) = match signed {
            true => (-(2f64.powi(bits as i32 - 1)), 2f64.powi(bits as i32 - 1)),
            false => (0.0, 2f64.powi(bits as i32)),
        };
        let constant = |cx: &mut Self, x: f64| match float {
            FloatTy::F32 => cx.b.ins().f32const(x as f32),
            FloatTy::F64 => cx.b.ins().f64const(x),
        };
        let (low, high) = (constant(self, low), constant(self, high));
        let enough = self.b.ins().fcmp(FloatCC::GreaterThanOrEqual, whole, low);
        let less = self.b.ins().fcmp(FloatCC::LessThan, whole, high);
        let fits = self.b.ins().band(enough, less);
        self.b.ins().icmp_imm_u(IntCC::Equal, fits, 0)
    }
}
