//! The numbers of an enum's variants: `Red = 1`.

use qz_base::{FxHashMap, Name, Span};
use qz_syntax::ast::{self, AstNode, BinaryOp, UnaryOp};
use qz_syntax::literals::Literal;
use qz_types::{AdtId, FnId, IntTy, Ty, TyKind};

use super::TypeCx;
use crate::defs::{AdtKind, Defs, ModuleId, Variant};
use crate::diagnostics as words;
use crate::scope::{Def, Lookup};

/// Why an expression is no number.
pub(crate) enum Unfit {
    /// It is made of more than numbers and operators.
    Form(Span),
    /// It names something that is no constant, or one that is made of more.
    Constant(Span, Name),
    /// It is beyond the numbers of this type.
    Range(Span, IntTy),
}

impl Defs {
    /// The numbers of an enum's variants, if they have some.
    pub fn variant_numbers(&self, ty: Ty) -> Option<Vec<i64>> {
        let (id, _) = ty.as_adt()?;
        self.has_numbers(id).then(|| self.adt_fields(id).variants.iter().map_while(|it| it.number).collect())
    }

    /// The type of the numbers that values of an enum are in memory, and those numbers: of enums with `@repr`.
    pub fn repr_numbers(&self, ty: Ty) -> Option<(IntTy, Vec<i64>)> {
        let int = ty.as_adt().and_then(|(id, _)| self.adts[id].repr_int)?;
        Some((int, self.variant_numbers(ty)?))
    }

    fn has_numbers(&self, id: AdtId) -> bool {
        let variants = || self.adt_fields(id);
        self.adts[id].kind == AdtKind::Enum
            && variants().variants.first().is_some_and(|it| it.number.is_some())
    }
}

impl TypeCx<'_> {
    /// Gives all variants numbers if one has a number: those that are not written go on from the one before.
    pub(super) fn number_variants(&mut self, syntax: ast::EnumDef<'_>, variants: &mut [Variant]) {
        let repr = self.self_ty.and_then(Ty::as_adt).and_then(|(id, _)| self.defs.adts[id].repr_int);
        if repr.is_none() && syntax.variants().all(|it| it.discriminant().is_none()) {
            return;
        }
        let of = repr.unwrap_or(IntTy::I64);
        let numbers = Numbers { defs: self.defs, module: self.module, int: IntTy::I64, open: &[] };
        let mut next = Some(0);
        let mut seen: FxHashMap<i64, (Name, Span)> = FxHashMap::default();
        let written = syntax.variants().filter(|it| it.name().is_some());
        for (variant, written) in variants.iter_mut().zip(written) {
            let place = written.discriminant().map_or(variant.range, |it| it.syntax().range());
            let span = self.span(place);
            let value = match written.discriminant() {
                Some(value) => numbers.number(value).map(|it| it as i64),
                None => next.ok_or(Unfit::Range(span, of)),
            };
            let fits = |&it: &i64| (of.min_value()..=of.max_value()).contains(&it.into());
            let value = value.and_then(|it| Some(it).filter(fits).ok_or(Unfit::Range(span, of)));
            if !variant.fields.is_empty() {
                self.defs.report(words::number_of_values(span, variant.name));
            }
            variant.number = Some(0);
            let value = match value {
                Ok(value) => value,
                Err(unfit) => {
                    self.defs.report(words::variant_number(unfit));
                    continue;
                }
            };
            if let Some((other, at)) = seen.insert(value, (variant.name, span)) {
                self.defs.report(words::number_twice(span, value, variant.name, other, at));
            }
            variant.number = Some(value);
            next = value.checked_add(1);
        }
    }
}

/// Reads numbers off expressions: those of one type, in one module.
struct Numbers<'a> {
    defs: &'a Defs,
    module: ModuleId,
    int: IntTy,
    /// Constants that are being read.
    open: &'a [FnId],
}

impl Numbers<'_> {
    fn number(&self, value: ast::Expr<'_>) -> Result<i128, Unfit> {
        let wide = self.wide_number(value)?;
        let fits = (self.int.min_value()..=self.int.max_value()).contains(&wide);
        if fits { Ok(wide) } else { Err(Unfit::Range(self.span(value), self.int)) }
    }

    fn span(&self, value: ast::Expr<'_>) -> Span {
        Span::new(self.defs.file_of(self.module), value.syntax().range())
    }

    fn wide_number(&self, value: ast::Expr<'_>) -> Result<i128, Unfit> {
        let (form, range) = (|| Unfit::Form(self.span(value)), || Unfit::Range(self.span(value), self.int));
        let part = |part: Option<ast::Expr<'_>>| part.ok_or_else(form).and_then(|it| self.number(it));
        match value {
            ast::Expr::LiteralExpr(it) => match it.value() {
                Some(Literal::Int(number)) => {
                    number.ok().and_then(|it| i128::try_from(it).ok()).ok_or_else(range)
                }
                _ => Err(form()),
            },
            ast::Expr::PathExpr(it) => self.constant(it, value),
            ast::Expr::ParenExpr(it) => self.wide_number(it.expr().ok_or_else(form)?),
            ast::Expr::UnaryExpr(it) => {
                // `-9223372036854775808` is in range as a whole.
                let operand = self.wide_number(it.operand().ok_or_else(form)?)?;
                match it.op() {
                    Some(UnaryOp::Neg) => Ok(-operand),
                    Some(UnaryOp::BitNot) if self.int.min_value() == 0 => Ok(self.int.max_value() - operand),
                    Some(UnaryOp::BitNot) => Ok(!operand),
                    _ => Err(form()),
                }
            }
            ast::Expr::BinaryExpr(it) => {
                let (a, b) = (part(it.lhs())?, part(it.rhs())?);
                match it.op() {
                    Some(BinaryOp::Add) => Ok(a + b),
                    Some(BinaryOp::Sub) => Ok(a - b),
                    Some(BinaryOp::Mul) => Ok(a * b),
                    Some(BinaryOp::BitOr) => Ok(a | b),
                    Some(BinaryOp::BitXor) => Ok(a ^ b),
                    Some(BinaryOp::BitAnd) => Ok(a & b),
                    Some(BinaryOp::Shl) if (0..64).contains(&b) => Ok(a << b),
                    Some(BinaryOp::Shr) if (0..64).contains(&b) => Ok(a >> b),
                    Some(BinaryOp::Shl | BinaryOp::Shr) => Err(range()),
                    _ => Err(form()),
                }
            }
            _ => Err(form()),
        }
    }

    /// The number of a constant that is made of such expressions itself.
    fn constant(&self, path: ast::PathExpr<'_>, value: ast::Expr<'_>) -> Result<i128, Unfit> {
        let names: Vec<Name> = path.segments().map(|it| Name::new(it.name.text())).collect();
        let unfit = || Unfit::Constant(self.span(value), names.last().map_or(Name::new(""), |it| it.plain()));
        let found = self.defs.resolve_segments(self.module, &names);
        let Some(Lookup::Found(Def::Const(constant))) = found else { return Err(unfit()) };
        if self.open.contains(&constant) {
            return Err(unfit());
        }
        let int = match self.defs.fn_sig(constant).ret.map(|ty| *ty.kind()) {
            None => IntTy::I64,
            Some(TyKind::Int(int)) => int,
            Some(_) => return Err(unfit()),
        };
        let def = &self.defs.fns[constant];
        let node = self.defs.node(def.module, def.nodes[0]);
        let written = ast::ConstDef::cast(node.node()).and_then(|it| it.value());
        let open: Vec<FnId> = self.open.iter().copied().chain([constant]).collect();
        let inner = Numbers { defs: self.defs, module: def.module, int, open: &open };
        written.ok_or(()).and_then(|it| inner.number(it).map_err(|_| ())).map_err(|()| unfit())
    }
}
