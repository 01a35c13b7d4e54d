//! `as`, `wrapping_as`, `try_as`.

use qz_hir::body::{CastKind, ExprId};
use qz_mir::{BinOp, BlockId, CastKind as MirCast, Const, Operand, Place, Rvalue, TermKind};
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
            (TyKind::Int(int), TyKind::Adt(..)) if let Some(numbers) = self.lw.defs().variant_numbers(to) => {
                self.variant_of(value, (from, *int), to, &numbers)
            }
            (TyKind::Adt(..), TyKind::Int(_)) if let Some(numbers) = self.lw.defs().variant_numbers(from) => {
                if let Some((int, _)) = self.lw.defs().repr_numbers(from) {
                    let (enum_, int) = (self.fix(value, from), Ty::new(TyKind::Int(int)));
                    let number = self.read(Place::local(enum_).field(0), int);
                    return self.convert(number, int, to, kind);
                }
                let number = self.number_of(value, from, &numbers);
                self.convert(number, common().int, to, kind)
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

    /// The number of an enum's value.
    fn number_of(&mut self, value: Operand, ty: Ty, numbers: &[i64]) -> Operand {
        let value = self.fix(value, ty);
        let index = self.b.eval(common().int, Rvalue::Discriminant(Place::local(value)));
        let first = numbers[0];
        if (0..).zip(numbers).all(|(n, &number)| first.checked_add(n) == Some(number)) {
            let number = Rvalue::Binary(BinOp::Add, Operand::local(index), Operand::int(first));
            return if first == 0 {
                Operand::local(index)
            } else {
                Operand::local(self.b.eval(common().int, number))
            };
        }
        let dest = self.b.temp(common().int);
        let cases: Vec<(i128, BlockId)> =
            (0..numbers.len()).map(|n| (n as i128, self.b.new_block())).collect();
        let after = self.b.new_block();
        self.b.end(TermKind::Switch { value: Operand::local(index), cases: cases.clone(), otherwise: None });
        for (&number, (_, block)) in numbers.iter().zip(cases) {
            self.b.switch_to(block);
            self.b.assign_local(dest, Rvalue::Use(Operand::int(number)));
            self.b.goto(after);
        }
        self.b.switch_to(after);
        Operand::local(dest)
    }

    /// The value of an enum with this number, or a panic.
    fn variant_of(&mut self, value: Operand, (from, int): (Ty, IntTy), to: Ty, numbers: &[i64]) -> Operand {
        let value = Operand::local(self.fix(value, from));
        let dest = self.b.temp(to);
        let (otherwise, after) = self.by_number(&value, int, numbers, |cx, variant| {
            let variant = cx.construct(to, variant, Vec::new());
            cx.b.assign_local(dest, Rvalue::Use(variant));
        });
        self.b.switch_to(otherwise);
        let (adt, _) = to.as_adt().expect("an enum");
        let name = self.str(self.lw.defs().adts[adt].name.as_str());
        self.lang_call("no_variant", &[from], vec![value, name], common().never);
        self.b.switch_to(after);
        Operand::local(dest)
    }

    /// A way for each variant, which all go on in the second block; the first is for numbers of none.
    fn by_number(
        &mut self,
        value: &Operand,
        int: IntTy,
        numbers: &[i64],
        mut arrived: impl FnMut(&mut Self, u32),
    ) -> (BlockId, BlockId) {
        let (otherwise, after) = (self.b.new_block(), self.b.new_block());
        let mut cases: Vec<(i128, u32, BlockId)> = Vec::new();
        for (variant, &number) in (0..).zip(numbers) {
            if (int.min_value()..=int.max_value()).contains(&i128::from(number)) {
                cases.push((number.into(), variant, self.b.new_block()));
            }
        }
        let targets = cases.iter().map(|&(number, _, block)| (number, block)).collect();
        self.b.end(TermKind::Switch { value: value.clone(), cases: targets, otherwise: Some(otherwise) });
        for (_, variant, block) in cases {
            self.b.switch_to(block);
            arrived(self, variant);
            self.b.goto(after);
        }
        (otherwise, after)
    }

    /// The conversion if it keeps the value, else `None`.
    fn try_convert(&mut self, value: Operand, from: Ty, to: Ty, result: Ty) -> Operand {
        let value = Operand::local(self.fix(value, from));
        if let (TyKind::Int(int), Some(numbers)) = (from.kind(), self.lw.defs().variant_numbers(to)) {
            return self.try_variant_of(value, *int, (to, result), &numbers);
        }
        let fits = self.fits(value.clone(), from, to);
        let dest = self.b.temp(result);
        let (yes, no, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.branch(fits, yes, no);
        self.b.switch_to(yes);
        let converted = self.convert(value, from, to, MirCast::Wrapping);
        let some = self.some(result, converted);
        self.b.assign_local(dest, Rvalue::Use(some));
        self.b.goto(after);
        self.or_none(no, dest, result, after)
    }

    fn try_variant_of(
        &mut self,
        value: Operand,
        int: IntTy,
        (to, result): (Ty, Ty),
        numbers: &[i64],
    ) -> Operand {
        let dest = self.b.temp(result);
        let (otherwise, after) = self.by_number(&value, int, numbers, |cx, variant| {
            let variant = cx.construct(to, variant, Vec::new());
            let some = cx.some(result, variant);
            cx.b.assign_local(dest, Rvalue::Use(some));
        });
        self.or_none(otherwise, dest, result, after)
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
            (TyKind::Adt(..), TyKind::Int(_)) if let Some(numbers) = self.lw.defs().variant_numbers(from) => {
                let number = self.number_of(value, from, &numbers);
                let number = Operand::local(self.fix(number, common().int));
                self.fits(number, common().int, to)
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
