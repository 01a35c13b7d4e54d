//! Operations that are a few instructions.

use qz_mir::layout::Layout;
use qz_mir::{Intrinsic, Operand};
use qz_rt_abi::object::{STR_BYTES, STR_CHARS, STR_LEN};
use qz_types::{Ty, TyKind};

use crate::function::FnCx;
use crate::ir::{LlTy, Value};
use crate::memory::{Addr, NONNULL};
use crate::value::Val;

impl FnCx<'_, '_> {
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
            Intrinsic::SizeOf => Value::int(LlTy::I64, layout.size as i64),
            Intrinsic::AlignOf => Value::int(LlTy::I64, layout.align as i64),
            _ => Value::int(LlTy::I8, layout.needs_release as i64),
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
            Intrinsic::PtrAdd => Val::one(self.element_at(values[0], values[1], size)),
            Intrinsic::PtrDiff => {
                let (a, b) = (self.as_int(values[0]), self.as_int(values[1]));
                let bytes = self.op("sub", a, b);
                Val::one(match size {
                    0 | 1 => bytes,
                    size => self.w.set(LlTy::I64, format_args!("sdiv exact i64 {bytes}, {size}")),
                })
            }
            Intrinsic::PtrEq => {
                let bit = self.icmp("eq", values[0], values[1]);
                Val::one(self.byte_of(bit))
            }
            Intrinsic::PtrCopy => {
                let bytes = self.scaled(values[2], size);
                let (to, from) = (values[0], values[1]);
                self.w.line(format_args!(
                    "call void @llvm.memmove.p0.p0.i64(ptr {to}, ptr {from}, i64 {bytes}, i1 false)"
                ));
                Val::unit()
            }
            Intrinsic::ReadVolatile => {
                let (ty, at) = (LlTy::of(dest.slots.as_deref().expect("one word")[0].scalar), values[0]);
                Val::one(self.w.set(ty, format_args!("load volatile {ty}, ptr {at}")))
            }
            Intrinsic::WriteVolatile => {
                let (at, value) = (values[0], values[1]);
                self.w.line(format_args!("store volatile {} {value}, ptr {at}", value.ty));
                Val::unit()
            }
            Intrinsic::PtrFill => {
                let bytes = self.scaled(values[2], size);
                let byte = self.resized(values[1], LlTy::I8);
                let to = values[0];
                self.w.line(format_args!(
                    "call void @llvm.memset.p0.i64(ptr {to}, i8 {byte}, i64 {bytes}, i1 false)"
                ));
                Val::unit()
            }
            _ => {
                let (a, b, n) = (values[0], values[1], values[2]);
                let order = self.memcmp(a, b, n);
                Val::one(self.resized_as(order, LlTy::int(dest.size * 8), true))
            }
        }
    }

    fn scaled(&mut self, count: Value, size: u32) -> Value {
        match size {
            1 => count,
            size => self.op_imm("mul", count, size as i64),
        }
    }

    fn on_bits(&mut self, which: Intrinsic, operands: &[Operand], dest: &Layout) -> Val {
        let ty = self.operand_ty(&operands[0]);
        let value = self.scalar(&operands[0]);
        let defined_at_zero = Value::int(LlTy::I1, 0);
        let result = match which {
            Intrinsic::CountOnes => self.llvm("ctpop", &[value]),
            Intrinsic::LeadingZeros => self.llvm("ctlz", &[value, defined_at_zero]),
            Intrinsic::TrailingZeros => self.llvm("cttz", &[value, defined_at_zero]),
            Intrinsic::ByteSwap if value.ty == LlTy::I8 => value,
            Intrinsic::ByteSwap => self.llvm("bswap", &[value]),
            Intrinsic::RotateLeft => {
                let by = self.scalar(&operands[1]);
                let by = self.resized(by, value.ty);
                self.llvm("fshl", &[value, value, by])
            }
            _ => {
                let other = self.scalar(&operands[1]);
                self.mul_high(ty, value, other)
            }
        };
        Val::one(self.resized(result, LlTy::int(dest.size * 8)))
    }

    fn mul_high(&mut self, ty: Ty, a: Value, b: Value) -> Value {
        let signed = matches!(ty.kind(), TyKind::Int(int) if int.signed());
        let wide = LlTy::int(a.ty.bits() * 2);
        let (x, y) = (self.resized_as(a, wide, signed), self.resized_as(b, wide, signed));
        let product = self.op("mul", x, y);
        let high = self.op_imm("lshr", product, a.ty.bits() as i64);
        self.resized(high, a.ty)
    }

    fn on_floats(&mut self, which: Intrinsic, operands: &[Operand]) -> Value {
        let value = self.scalar(&operands[0]);
        match which {
            Intrinsic::Sqrt => self.llvm("sqrt", &[value]),
            Intrinsic::Floor => self.llvm("floor", &[value]),
            Intrinsic::Ceil => self.llvm("ceil", &[value]),
            Intrinsic::Trunc => self.llvm("trunc", &[value]),
            // By the current mode, which is to the nearest, ties to even, and never changed.
            Intrinsic::RoundEven => self.llvm("rint", &[value]),
            Intrinsic::FloatAbs => self.llvm("fabs", &[value]),
            _ => {
                let sign = self.scalar(&operands[1]);
                self.llvm("copysign", &[value, sign])
            }
        }
    }

    fn on_objects(&mut self, which: Intrinsic, operands: &[Operand]) -> Value {
        let object = self.scalar(&operands[0]);
        let at = Addr::object(object);
        match which {
            Intrinsic::StrPtr => self.load_with(LlTy::Ptr, at.plus(STR_BYTES), NONNULL),
            Intrinsic::StrLen | Intrinsic::StrChars => {
                let at = at.plus(if which == Intrinsic::StrLen { STR_LEN } else { STR_CHARS });
                let size = self.load(LlTy::I32, at);
                self.resized_as(size, LlTy::I64, false)
            }
            Intrinsic::SameObject => {
                let other = self.scalar(&operands[1]);
                let bit = self.icmp("eq", object, other);
                self.byte_of(bit)
            }
            _ => {
                let count = self.load(LlTy::I32, Addr::header(object));
                let bit = self.icmp_imm("eq", count, 1);
                self.byte_of(bit)
            }
        }
    }
}
