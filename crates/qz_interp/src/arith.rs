//! Arithmetic on integers as mathematics has them, cut to their width afterwards, and on floats.

use qz_mir::layout::{Layout, Scalar};
use qz_mir::{BinOp, Operand};
use qz_rt::panic::{arith_message, cast_message};
use qz_rt_abi::registry::{ArithError, arith_code, cast_code};
use qz_types::{FloatTy, IntTy, Ty, TyKind};

use crate::machine::{Machine, Step};
use crate::memory::Addr;
use crate::values::scalar_of;

/// The integer type whose range values of a type have.
fn int_like(ty: Ty) -> IntTy {
    match ty.kind() {
        TyKind::Int(int) => *int,
        TyKind::Bool => IntTy::U8,
        TyKind::Char => IntTy::U32,
        _ => IntTy::U64,
    }
}

/// What bits mean as a value of an integer-like type.
pub(crate) fn to_i128(ty: Ty, bits: u64) -> i128 {
    match int_like(ty) {
        IntTy::I8 => bits as i8 as i128,
        IntTy::I16 => bits as i16 as i128,
        IntTy::I32 => bits as i32 as i128,
        IntTy::I64 => bits as i64 as i128,
        IntTy::U8 => bits as u8 as i128,
        IntTy::U16 => bits as u16 as i128,
        IntTy::U32 => bits as u32 as i128,
        IntTy::U64 => bits as i128,
    }
}

/// The low bits of an integer.
pub(crate) fn from_i128(bits: u32, value: i128) -> u64 {
    let word = value as u64;
    if bits == 64 { word } else { word & ((1 << bits) - 1) }
}

fn float_of(ty: Ty) -> Option<FloatTy> {
    match ty.kind() {
        TyKind::Float(float) => Some(*float),
        _ => None,
    }
}

fn to_f64(float: FloatTy, bits: u64) -> f64 {
    match float {
        FloatTy::F32 => f32::from_bits(bits as u32) as f64,
        FloatTy::F64 => f64::from_bits(bits),
    }
}

fn bits_of(float: FloatTy, value: f64) -> u64 {
    match float {
        FloatTy::F32 => (value as f32).to_bits() as u64,
        FloatTy::F64 => value.to_bits(),
    }
}

impl Machine<'_> {
    pub(crate) fn binary(&mut self, op: BinOp, a: &Operand, b: &Operand, to: Addr) {
        let ty = self.operand_ty(a);
        let (a, b) = (self.scalar(a), self.scalar(b));
        let scalar = if op.is_comparison() { Scalar::I8 } else { scalar_of(&self.layouts.of(ty)) };
        let bits = match float_of(ty) {
            Some(FloatTy::F32) => float_binary_32(op, f32::from_bits(a as u32), f32::from_bits(b as u32)),
            Some(FloatTy::F64) => float_binary_64(op, f64::from_bits(a), f64::from_bits(b)),
            None => int_binary(op, ty, a, b),
        };
        to.write(scalar, bits);
    }

    pub(crate) fn checked(&mut self, op: BinOp, a: &Operand, b: &Operand, to: Addr) -> Step {
        let ty = self.operand_ty(a);
        if float_of(ty).is_none() {
            let (x, y) = (self.scalar(a), self.scalar(b));
            if let Some(error) = failure(op, ty, x, y) {
                let code = arith_code(error, qz_codegen::num_ty(ty));
                let (x, y) = (to_i128(ty, x) as u64, to_i128(ty, y) as u64);
                return self.panic(arith_message(code, x, y), false);
            }
        }
        self.binary(op, a, b, to);
        Ok(())
    }

    pub(crate) fn overflowing(&mut self, op: BinOp, a: &Operand, b: &Operand, dest: &Layout, to: Addr) {
        let ty = self.operand_ty(a);
        let (x, y) = (self.scalar(a), self.scalar(b));
        let fields = dest.fields();
        let overflow = failure(op, ty, x, y).is_some();
        to.plus(fields.offsets[1]).write(Scalar::I8, overflow as u64);
        self.binary(op, a, b, to.plus(fields.offsets[0]));
    }
}

/// What the exact result would be, for operations that can overflow.
fn exact(op: BinOp, a: i128, b: i128) -> Option<(i128, ArithError)> {
    match op {
        BinOp::Add => Some((a + b, ArithError::Add)),
        BinOp::Sub => Some((a - b, ArithError::Sub)),
        // Two 64-bit numbers may need 128 bits without a sign; then it is too large anyway.
        BinOp::Mul => Some((a.saturating_mul(b), ArithError::Mul)),
        BinOp::Div if b != 0 => Some((a / b, ArithError::Div)),
        _ => None,
    }
}

/// Why an operation fails, if it does.
fn failure(op: BinOp, ty: Ty, a: u64, b: u64) -> Option<ArithError> {
    let int = int_like(ty);
    let (a, b) = (to_i128(ty, a), to_i128(ty, b));
    match op {
        BinOp::Div if b == 0 => return Some(ArithError::DivZero),
        BinOp::Rem if b == 0 => return Some(ArithError::RemZero),
        BinOp::Shl | BinOp::Shr if !(0..int.bits() as i128).contains(&b) => {
            return Some(if op == BinOp::Shl { ArithError::Shl } else { ArithError::Shr });
        }
        _ => {}
    }
    let (result, error) = exact(op, a, b)?;
    (!(int.min_value()..=int.max_value()).contains(&result)).then_some(error)
}

fn int_binary(op: BinOp, ty: Ty, x: u64, y: u64) -> u64 {
    let (a, b) = (to_i128(ty, x), to_i128(ty, y));
    let bits = int_like(ty).bits();
    let count = y as u32 % bits;
    let result = match op {
        BinOp::Add | BinOp::Sub | BinOp::Div => exact(op, a, b).map_or(0, |(result, _)| result),
        BinOp::Mul => a.wrapping_mul(b),
        BinOp::Rem => a.checked_rem(b).unwrap_or(0),
        BinOp::BitAnd => a & b,
        BinOp::BitOr => a | b,
        BinOp::BitXor => a ^ b,
        BinOp::Shl => a << count,
        BinOp::Shr => a >> count,
        BinOp::Eq => (a == b) as i128,
        BinOp::Ne => (a != b) as i128,
        BinOp::Lt => (a < b) as i128,
        BinOp::Le => (a <= b) as i128,
        BinOp::Gt => (a > b) as i128,
        BinOp::Ge => (a >= b) as i128,
    };
    from_i128(bits, result)
}

macro_rules! float_binary {
    ($name:ident, $float:ty) => {
        fn $name(op: BinOp, a: $float, b: $float) -> u64 {
            let result = match op {
                BinOp::Add => a + b,
                BinOp::Sub => a - b,
                BinOp::Mul => a * b,
                BinOp::Div => a / b,
                BinOp::Rem => a % b,
                BinOp::Eq => return (a == b) as u64,
                BinOp::Ne => return (a != b) as u64,
                BinOp::Lt => return (a < b) as u64,
                BinOp::Le => return (a <= b) as u64,
                BinOp::Gt => return (a > b) as u64,
                BinOp::Ge => return (a >= b) as u64,
                BinOp::BitAnd | BinOp::BitOr | BinOp::BitXor | BinOp::Shl | BinOp::Shr => {
                    unreachable!("{op:?} is not for floats")
                }
            };
            result.to_bits() as u64
        }
    };
}

float_binary!(float_binary_32, f32);
float_binary!(float_binary_64, f64);

/// A number as another type: low bits, or for floats to integers the nearest in range.
pub(crate) fn convert(from: Ty, to: Ty, bits: u64) -> u64 {
    match (float_of(from), float_of(to)) {
        (Some(a), Some(b)) if a == b => bits,
        (Some(a), Some(b)) => bits_of(b, to_f64(a, bits)),
        (None, Some(FloatTy::F32)) => (to_i128(from, bits) as f32).to_bits() as u64,
        (None, Some(FloatTy::F64)) => (to_i128(from, bits) as f64).to_bits(),
        (Some(a), None) => {
            let int = int_like(to);
            let whole = to_f64(a, bits) as i128;
            from_i128(int.bits(), whole.clamp(int.min_value(), int.max_value()))
        }
        (None, None) => from_i128(int_like(to).bits(), to_i128(from, bits)),
    }
}

/// The message if a checked conversion fails.
pub(crate) fn cast_misfit(from: Ty, to: Ty, bits: u64) -> Option<String> {
    if float_of(to).is_some() {
        return None;
    }
    let range = match to.kind() {
        TyKind::Char => 0..=0x10_ffff,
        TyKind::Bool => 0..=1,
        _ => int_like(to).min_value()..=int_like(to).max_value(),
    };
    let (value, is_number) = match float_of(from) {
        Some(float) => {
            let value = to_f64(float, bits);
            // Beyond 2^127 the conversion saturates, which is out of every range.
            (value as i128, !value.is_nan())
        }
        None => (to_i128(from, bits), true),
    };
    let surrogate = matches!(to.kind(), TyKind::Char) && (0xd800..0xe000).contains(&value);
    if is_number && range.contains(&value) && !surrogate {
        return None;
    }
    let shown = if float_of(from).is_some() { bits } else { value as u64 };
    Some(cast_message(cast_code(qz_codegen::num_ty(from), qz_codegen::num_ty(to)), shown))
}
