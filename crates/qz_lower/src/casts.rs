//! `as`, `wrapping_as`, `try_as`.

use qz_hir::body::{CastKind, ExprId};
use qz_mir::{BinOp, CastKind as MirCast, Const, Operand, Place, Rvalue};
use qz_types::ty::common;
use qz_types::{FloatTy, IntTy, Ty, TyKind};

use crate::body::Cx;

impl Cx<'_, '_, '_> {
    pub(crate) fn cast(&mut self, id: ExprId, value: ExprId, kind: CastKind) -> Operand {
        let from = self.value_ty(value);
        let operand = self.value(value);
        self.at(id);
        let result = self.ty(id);
        match kind {
            CastKind::Checked => self.convert(operand, from, result, MirCast::Checked),
            CastKind::Wrapping => self.convert(operand, from, result, MirCast::Wrapping),
            CastKind::Try => {
                let to = result.as_adt().expect("`try_as` gives an Option").1[0];
                self.try_convert(operand, from, to, result)
            }
        }
    }

    pub(crate) fn convert(&mut self, value: Operand, from: Ty, to: Ty, kind: MirCast) -> Operand {
        let u32 = common().u32;
        match (from.kind(), to.kind()) {
            _ if from == to || from.is_never() => value,
            (TyKind::Bool, TyKind::Int(int)) => self.bool_to_int(value, *int, to),
            (TyKind::Char, TyKind::Int(_)) => {
                let code = self.b.eval(u32, Rvalue::Cast(MirCast::Bits, value, u32));
                self.convert(Operand::local(code), u32, to, kind)
            }
            (TyKind::Int(_), TyKind::Char) => {
                let int = common().int;
                let wide = self.convert(value, from, int, MirCast::Checked);
                self.lang_call("char_from_code", &[], vec![wide], common().char)
            }
            (TyKind::Ptr(_), TyKind::Ptr(_)) => {
                Operand::local(self.b.eval(to, Rvalue::Cast(MirCast::Pointer, value, to)))
            }
            // A word becomes a packed struct.
            (TyKind::Int(_), TyKind::Adt(..)) => self.construct(to, 0, vec![value]),
            (TyKind::Adt(..), _) => {
                let newtype = self.fix(value, from);
                self.read(Place::local(newtype).field(0), to)
            }
            _ => Operand::local(self.b.eval(to, Rvalue::Cast(kind, value, to))),
        }
    }

    fn bool_to_int(&mut self, value: Operand, int: IntTy, to: Ty) -> Operand {
        let dest = self.b.temp(to);
        let (yes, no, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.branch(value, yes, no);
        for (block, number) in [(yes, 1), (no, 0)] {
            self.b.switch_to(block);
            self.b.assign_local(dest, Rvalue::Use(Operand::Const(Const::Int(number, int))));
            self.b.goto(after);
        }
        self.b.switch_to(after);
        Operand::local(dest)
    }

    /// The conversion if it keeps the value, else `None`.
    fn try_convert(&mut self, value: Operand, from: Ty, to: Ty, result: Ty) -> Operand {
        let value = Operand::local(self.fix(value, from));
        let fits = self.fits(value.clone(), from, to);
        let dest = self.b.temp(result);
        let (yes, no, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.branch(fits, yes, no);
        self.b.switch_to(yes);
        let converted = self.convert(value, from, to, MirCast::Wrapping);
        let some = self.some(result, converted);
        self.b.assign_local(dest, Rvalue::Use(some));
        self.b.goto(after);
        self.b.switch_to(no);
        let none = self.none(result);
        self.b.assign_local(dest, Rvalue::Use(none));
        self.b.goto(after);
        self.b.switch_to(after);
        Operand::local(dest)
    }

    /// Whether a conversion keeps the value.
    fn fits(&mut self, value: Operand, from: Ty, to: Ty) -> Operand {
        let bool = common().bool;
        match (from.kind(), to.kind()) {
            (TyKind::Int(_), TyKind::Int(_)) => {
                // Back again gives the same value, with the same sign.
                let there = self.b.eval(to, Rvalue::Cast(MirCast::Wrapping, value.clone(), to));
                let back = self.b.eval(from, Rvalue::Cast(MirCast::Wrapping, Operand::local(there), from));
                let same = self.b.eval(bool, Rvalue::Binary(BinOp::Eq, Operand::local(back), value.clone()));
                let negative = |cx: &mut Self, value: Operand, ty: Ty| match ty.kind() {
                    TyKind::Int(int) if int.signed() => {
                        let zero = Operand::Const(Const::Int(0, *int));
                        Operand::local(cx.b.eval(bool, Rvalue::Binary(BinOp::Lt, value, zero)))
                    }
                    _ => Operand::Const(Const::Bool(false)),
                };
                let sign = negative(self, value, from);
                let new_sign = negative(self, Operand::local(there), to);
                let same_sign = self.b.eval(bool, Rvalue::Binary(BinOp::Eq, sign, new_sign));
                let both = Rvalue::Binary(BinOp::BitAnd, Operand::local(same), Operand::local(same_sign));
                Operand::local(self.b.eval(bool, both))
            }
            (TyKind::Float(float), TyKind::Int(int)) => {
                // Truncation must land inside: both limits are exact powers of two.
                let limit = |value: f64| match float {
                    FloatTy::F64 => Operand::Const(Const::F64(value.to_bits())),
                    FloatTy::F32 => Operand::Const(Const::F32((value as f32).to_bits())),
                };
                let above = limit(2f64.powi(int.bits() as i32 - i32::from(int.signed())));
                let low = if int.signed() { -(2f64.powi(int.bits() as i32 - 1)) } else { 0.0 };
                // `low - 1` is exact for narrow types; for 64 bits the limit itself is the last good value.
                let exact = int.bits() < 53;
                let (op, below) = if exact { (BinOp::Gt, limit(low - 1.0)) } else { (BinOp::Ge, limit(low)) };
                let under = self.b.eval(bool, Rvalue::Binary(BinOp::Lt, value.clone(), above));
                let over = self.b.eval(bool, Rvalue::Binary(op, value, below));
                let both = Rvalue::Binary(BinOp::BitAnd, Operand::local(under), Operand::local(over));
                Operand::local(self.b.eval(bool, both))
            }
            (TyKind::Int(_), TyKind::Char) => {
                let int = common().int;
                let wide = self.convert(value, from, int, MirCast::Wrapping);
                self.lang_call("is_char_code", &[], vec![wide], bool)
            }
            _ => Operand::Const(Const::Bool(true)),
        }
    }
}
