//! Operations that are a few instructions.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Type, Value, types};
use qz_mir::layout::Layout;
use qz_mir::{Intrinsic, Operand, Scalar};
use qz_rt_abi::object::{STR_BYTES, STR_CHARS, STR_LEN};
use qz_types::{Ty, TyKind};

use crate::function::FnCx;
use crate::value::{Addr, Val, clif_ty, int_ty};

impl FnCx<'_, '_, '_> {
    pub(crate) fn intrinsic(&mut self, which: Intrinsic, operands: &[Operand], ty: Ty, dest: &Layout) -> Val {
        match which {
            Intrinsic::LeadsBack
            | Intrinsic::MayRepeat
            | Intrinsic::IsObject
            | Intrinsic::IsOrdinal
            | Intrinsic::IsWatched
            | Intrinsic::IsShared
            | Intrinsic::TypeKey => {
                unreachable!("answered with the instance")
            }
            Intrinsic::SizeOf | Intrinsic::AlignOf | Intrinsic::NeedsRelease => self.about_type(which, ty),
            Intrinsic::Uninit | Intrinsic::Forget => self.compose(dest, &[]),
            Intrinsic::PtrAdd
            | Intrinsic::PtrDiff
            | Intrinsic::PtrEq
            | Intrinsic::PtrCopy
            | Intrinsic::PtrFill
            | Intrinsic::ReadVolatile
            | Intrinsic::WriteVolatile
            | Intrinsic::PtrCompare => self.on_pointers(which, operands, dest),
            Intrinsic::CountOnes
            | Intrinsic::LeadingZeros
            | Intrinsic::TrailingZeros
            | Intrinsic::ByteSwap
            | Intrinsic::RotateLeft
            | Intrinsic::MulHigh => self.on_bits(which, operands, dest),
            Intrinsic::Sqrt
            | Intrinsic::Floor
            | Intrinsic::Ceil
            | Intrinsic::Trunc
            | Intrinsic::RoundEven
            | Intrinsic::FloatAbs
            | Intrinsic::CopySign => Val::one(self.on_floats(which, operands)),
            Intrinsic::StrPtr
            | Intrinsic::StrLen
            | Intrinsic::StrChars
            | Intrinsic::SameObject
            | Intrinsic::IsUnique => Val::one(self.on_objects(which, operands)),
            Intrinsic::TakeBlock => self.operand(&operands[0]).1,
            Intrinsic::GiveBlock => {
                self.give_block(&operands[0]);
                Val::Parts(Default::default())
            }
        }
    }

    fn about_type(&mut self, which: Intrinsic, ty: Ty) -> Val {
        let layout = self.program.layouts.of(ty);
        Val::one(match which {
            Intrinsic::SizeOf => self.int(types::I64, layout.size as i64),
            Intrinsic::AlignOf => self.int(types::I64, layout.align as i64),
            _ => self.int(types::I8, layout.needs_release as i64),
        })
    }

    fn element_size(&self, operand: &Operand) -> u32 {
        match *self.program.layouts.resolve(self.operand_ty(operand)).kind() {
            TyKind::Ptr(of) => self.program.layouts.of(of).size,
            _ => 1,
        }
    }

    fn on_pointers(&mut self, which: Intrinsic, operands: &[Operand], dest: &Layout) -> Val {
        let size = self.element_size(&operands[0]);
        let values: Vec<Value> = operands.iter().map(|operand| self.scalar(operand)).collect();
        match which {
            Intrinsic::PtrAdd => Val::one(self.element(values[0], values[1], size)),
            Intrinsic::PtrDiff => {
                let bytes = self.b.ins().isub(values[0], values[1]);
                Val::one(match size {
                    0 | 1 => bytes,
                    size if size.is_power_of_two() => {
                        self.b.ins().sshr_imm_u(bytes, size.trailing_zeros() as i64)
                    }
                    size => {
                        let size = self.int(types::I64, size as i64);
                        self.b.ins().sdiv(bytes, size)
                    }
                })
            }
            Intrinsic::PtrEq => Val::one(self.b.ins().icmp(IntCC::Equal, values[0], values[1])),
            Intrinsic::PtrCopy => {
                let bytes = self.scaled(values[2], size);
                self.libc_call("memmove", &[values[0], values[1], bytes], true);
                Val::unit()
            }
            Intrinsic::ReadVolatile => Val::one(
                self.read_volatile(clif_ty(dest.slots.as_deref().expect("one word")[0].scalar), values[0]),
            ),
            Intrinsic::WriteVolatile => {
                self.write_volatile(values[1], values[0]);
                Val::unit()
            }
            Intrinsic::PtrFill => {
                let bytes = self.scaled(values[2], size);
                let byte = match self.b.func.dfg.value_type(values[1]) {
                    types::I32 => values[1],
                    ty if ty.bits() < 32 => self.b.ins().uextend(types::I32, values[1]),
                    _ => self.b.ins().ireduce(types::I32, values[1]),
                };
                self.libc_call("memset", &[values[0], byte, bytes], true);
                Val::unit()
            }
            _ => {
                let result = self.libc_call("memcmp", &values, true);
                let result = result.expect("compares");
                // C's `int` comes back in the low half.
                let low = self.b.ins().ireduce(types::I32, result);
                Val::one(self.sized(low, dest, true))
            }
        }
    }

    fn scaled(&mut self, count: Value, size: u32) -> Value {
        match size {
            1 => count,
            size => self.b.ins().imul_imm_s(count, size as i64),
        }
    }

    /// An integer as wide as the destination.
    fn sized(&mut self, value: Value, dest: &Layout, signed: bool) -> Value {
        let target: Type = int_ty(dest.size * 8);
        match self.b.func.dfg.value_type(value).bits().cmp(&target.bits()) {
            std::cmp::Ordering::Less if signed => self.b.ins().sextend(target, value),
            std::cmp::Ordering::Less => self.b.ins().uextend(target, value),
            std::cmp::Ordering::Equal => value,
            std::cmp::Ordering::Greater => self.b.ins().ireduce(target, value),
        }
    }

    fn on_bits(&mut self, which: Intrinsic, operands: &[Operand], dest: &Layout) -> Val {
        let ty = self.operand_ty(&operands[0]);
        let value = self.scalar(&operands[0]);
        let bits = self.b.func.dfg.value_type(value).bits();
        let result = match which {
            Intrinsic::CountOnes => self.b.ins().popcnt(value),
            Intrinsic::LeadingZeros => self.b.ins().clz(value),
            Intrinsic::TrailingZeros => self.b.ins().ctz(value),
            Intrinsic::ByteSwap if bits == 8 => value,
            Intrinsic::ByteSwap => self.b.ins().bswap(value),
            Intrinsic::RotateLeft => {
                let by = self.scalar(&operands[1]);
                self.b.ins().rotl(value, by)
            }
            _ => {
                let other = self.scalar(&operands[1]);
                self.mul_high(ty, value, other, bits)
            }
        };
        Val::one(self.sized(result, dest, false))
    }

    fn mul_high(&mut self, ty: Ty, a: Value, b: Value, bits: u32) -> Value {
        let signed = matches!(ty.kind(), TyKind::Int(int) if int.signed());
        if bits == 64 {
            return if signed { self.b.ins().smulhi(a, b) } else { self.b.ins().umulhi(a, b) };
        }
        let (a, b) = (self.extended(ty, a), self.extended(ty, b));
        let product = self.b.ins().imul(a, b);
        let high = self.b.ins().sshr_imm_u(product, bits as i64);
        self.b.ins().ireduce(int_ty(bits), high)
    }

    fn on_floats(&mut self, which: Intrinsic, operands: &[Operand]) -> Value {
        let value = self.scalar(&operands[0]);
        match which {
            Intrinsic::Sqrt => self.b.ins().sqrt(value),
            Intrinsic::Floor => self.b.ins().floor(value),
            Intrinsic::Ceil => self.b.ins().ceil(value),
            Intrinsic::Trunc => self.b.ins().trunc(value),
            Intrinsic::RoundEven => self.b.ins().nearest(value),
            Intrinsic::FloatAbs => self.b.ins().fabs(value),
            _ => {
                let sign = self.scalar(&operands[1]);
                self.b.ins().fcopysign(value, sign)
            }
        }
    }

    fn on_objects(&mut self, which: Intrinsic, operands: &[Operand]) -> Value {
        let object = self.scalar(&operands[0]);
        let at = Addr::object(object);
        match which {
            Intrinsic::StrPtr => self.load_scalar(Scalar::Ptr, at.plus(STR_BYTES)),
            Intrinsic::StrLen | Intrinsic::StrChars => {
                let at = at.plus(if which == Intrinsic::StrLen { STR_LEN } else { STR_CHARS });
                let size = self.load_scalar(Scalar::I32, at);
                self.b.ins().uextend(types::I64, size)
            }
            Intrinsic::SameObject => {
                let other = self.scalar(&operands[1]);
                self.b.ins().icmp(IntCC::Equal, object, other)
            }
            _ => {
                let count = self.load_scalar(Scalar::I32, Addr::header(object));
                self.b.ins().icmp_imm_s(IntCC::Equal, count, 1)
            }
        }
    }
}
