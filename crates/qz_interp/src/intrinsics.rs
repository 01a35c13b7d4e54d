//! Operations that compiled engines translate to a few instructions.

use qz_mir::layout::{Layout, Scalar};
use qz_mir::{Intrinsic, Operand};
use qz_rt_abi::object::{STR_BYTES, STR_CHARS, STR_LEN};
use qz_types::{FloatTy, Ty, TyKind};

use crate::arith::{from_i128, to_i128};
use crate::machine::Machine;
use crate::memory::Addr;
use crate::values::scalar_of;

impl Machine<'_> {
    pub(crate) fn intrinsic(
        &mut self,
        which: Intrinsic,
        operands: &[Operand],
        ty: Ty,
        dest: &Layout,
        to: Addr,
    ) {
        let bits = match which {
            Intrinsic::SizeOf => self.layouts.of(ty).size as u64,
            Intrinsic::AlignOf => self.layouts.of(ty).align as u64,
            Intrinsic::LeadsBack
            | Intrinsic::MayRepeat
            | Intrinsic::IsObject
            | Intrinsic::IsOrdinal
            | Intrinsic::IsWatched
            | Intrinsic::IsShared
            | Intrinsic::TypeKey => {
                unreachable!("answered with the instance")
            }
            Intrinsic::NeedsRelease => self.layouts.of(ty).needs_release as u64,
            Intrinsic::Uninit | Intrinsic::Forget => return to.fill(0, dest.size as u64),
            Intrinsic::PtrCopy | Intrinsic::PtrFill => return self.write_elements(which, operands),
            Intrinsic::ReadVolatile => self.pointer(&operands[0]).read(scalar_of(dest)),
            Intrinsic::WriteVolatile => {
                let layout = self.layouts.of(self.operand_ty(&operands[1]));
                let value = self.scalar(&operands[1]);
                return self.pointer(&operands[0]).write(scalar_of(&layout), value);
            }
            Intrinsic::PtrAdd | Intrinsic::PtrDiff | Intrinsic::PtrEq | Intrinsic::PtrCompare => {
                self.on_pointers(which, operands)
            }
            Intrinsic::CountOnes
            | Intrinsic::LeadingZeros
            | Intrinsic::TrailingZeros
            | Intrinsic::ByteSwap
            | Intrinsic::RotateLeft
            | Intrinsic::MulHigh => self.on_bits(which, operands),
            Intrinsic::Sqrt
            | Intrinsic::Floor
            | Intrinsic::Ceil
            | Intrinsic::Trunc
            | Intrinsic::RoundEven
            | Intrinsic::FloatAbs
            | Intrinsic::CopySign => self.on_floats(which, operands),
            Intrinsic::StrPtr
            | Intrinsic::StrLen
            | Intrinsic::StrChars
            | Intrinsic::SameObject
            | Intrinsic::IsUnique => self.on_objects(which, operands),
            Intrinsic::TakeBlock => self.scalar(&operands[0]),
            Intrinsic::GiveBlock => {
                let block = self.pointer(&operands[0]);
                if block.word() != 0 {
                    self.free_object(block);
                }
                return;
            }
        };
        to.write(scalar_of(dest), bits);
    }

    fn element_size(&self, operand: &Operand) -> u32 {
        match *self.operand_ty(operand).kind() {
            TyKind::Ptr(of) => self.layouts.of(of).size,
            _ => 1,
        }
    }

    fn pointer(&mut self, operand: &Operand) -> Addr {
        Addr::from_word(self.scalar(operand))
    }

    fn write_elements(&mut self, which: Intrinsic, operands: &[Operand]) {
        let size = self.element_size(&operands[0]) as u64;
        let to = self.pointer(&operands[0]);
        let bytes = self.scalar(&operands[2]) * size;
        match which {
            Intrinsic::PtrCopy => {
                let from = self.pointer(&operands[1]);
                to.copy_from(from, bytes);
            }
            _ => {
                let byte = self.scalar(&operands[1]) as u8;
                to.fill(byte, bytes);
            }
        }
    }

    fn on_pointers(&mut self, which: Intrinsic, operands: &[Operand]) -> u64 {
        let size = self.element_size(&operands[0]);
        let (a, b) = (self.pointer(&operands[0]), self.scalar(&operands[1]));
        match which {
            Intrinsic::PtrAdd => a.element(b as i64, size).word(),
            Intrinsic::PtrDiff => (a.word().wrapping_sub(b) as i64 / size.max(1) as i64) as u64,
            Intrinsic::PtrEq => (a.word() == b) as u64,
            _ => {
                let n = self.scalar(&operands[2]);
                let order = a.bytes(n).cmp(Addr::from_word(b).bytes(n));
                order as i64 as u64
            }
        }
    }

    fn on_bits(&mut self, which: Intrinsic, operands: &[Operand]) -> u64 {
        let ty = self.operand_ty(&operands[0]);
        let width = scalar_of(&self.layouts.of(ty)).size() * 8;
        let value = from_i128(width, self.scalar(&operands[0]) as i128);
        match which {
            Intrinsic::CountOnes => value.count_ones() as u64,
            Intrinsic::LeadingZeros => (value.leading_zeros() - (64 - width)) as u64,
            Intrinsic::TrailingZeros => value.trailing_zeros().min(width) as u64,
            Intrinsic::ByteSwap => value.swap_bytes() >> (64 - width),
            Intrinsic::RotateLeft => {
                let by = self.scalar(&operands[1]) as u32 % width;
                let wide = (value as u128) << by;
                from_i128(width, (wide | wide >> width) as i128)
            }
            _ => {
                let (a, b) = (to_i128(ty, value), self.integer(&operands[1]));
                // The product of two unsigned 64-bit numbers does not fit i128, but its bits do.
                let product = a.wrapping_mul(b);
                let signed = matches!(ty.kind(), TyKind::Int(int) if int.signed());
                let high = if signed { product >> width } else { (product as u128 >> width) as i128 };
                from_i128(width, high)
            }
        }
    }

    fn on_floats(&mut self, which: Intrinsic, operands: &[Operand]) -> u64 {
        let single = matches!(self.operand_ty(&operands[0]).kind(), TyKind::Float(FloatTy::F32));
        let bits = self.scalar(&operands[0]);
        let sign = operands.get(1).map(|sign| self.scalar(sign));
        if single {
            let x = f32::from_bits(bits as u32);
            let result = match which {
                Intrinsic::Sqrt => x.sqrt(),
                Intrinsic::Floor => x.floor(),
                Intrinsic::Ceil => x.ceil(),
                Intrinsic::Trunc => x.trunc(),
                Intrinsic::RoundEven => x.round_ties_even(),
                Intrinsic::FloatAbs => x.abs(),
                _ => x.copysign(f32::from_bits(sign.unwrap_or(0) as u32)),
            };
            return result.to_bits() as u64;
        }
        let x = f64::from_bits(bits);
        let result = match which {
            Intrinsic::Sqrt => x.sqrt(),
            Intrinsic::Floor => x.floor(),
            Intrinsic::Ceil => x.ceil(),
            Intrinsic::Trunc => x.trunc(),
            Intrinsic::RoundEven => x.round_ties_even(),
            Intrinsic::FloatAbs => x.abs(),
            _ => x.copysign(f64::from_bits(sign.unwrap_or(0))),
        };
        result.to_bits()
    }

    fn on_objects(&mut self, which: Intrinsic, operands: &[Operand]) -> u64 {
        let object = self.pointer(&operands[0]);
        match which {
            Intrinsic::StrPtr => object.plus(STR_BYTES).read(Scalar::Ptr),
            Intrinsic::StrLen => object.plus(STR_LEN).read(Scalar::I32),
            Intrinsic::StrChars => object.plus(STR_CHARS).read(Scalar::I32),
            Intrinsic::SameObject => (object.word() == self.scalar(&operands[1])) as u64,
            _ => (object.read(Scalar::I32) == 1) as u64,
        }
    }
}
