//! The numbers of an enum's variants: `Red = 1`.

use qz_base::{FxHashMap, Name, Span};
use qz_syntax::ast::{self, AstNode, BinaryOp, UnaryOp};
use qz_syntax::literals::Literal;
use qz_types::{AdtId, Ty};

use super::TypeCx;
use crate::defs::{AdtKind, Defs, Variant};
use crate::diagnostics as words;

/// Why an expression is no number.
pub(crate) enum Unfit {
    /// It is made of more than numbers and operators.
    Form(Span),
    /// It is beyond the numbers of `Int`.
    Range(Span),
}

impl Defs {
    /// The numbers of an enum's variants, if they have some.
    pub fn variant_numbers(&self, ty: Ty) -> Option<Vec<i64>> {
        let (id, _) = ty.as_adt()?;
        self.has_numbers(id).then(|| self.adt_fields(id).variants.iter().map_while(|it| it.number).collect())
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
        if syntax.variants().all(|it| it.discriminant().is_none()) {
            return;
        }
        let mut next = Some(0);
        let mut seen: FxHashMap<i64, (Name, Span)> = FxHashMap::default();
        let written = syntax.variants().filter(|it| it.name().is_some());
        for (variant, written) in variants.iter_mut().zip(written) {
            let place = written.discriminant().map_or(variant.range, |it| it.syntax().range());
            let span = self.span(place);
            let value = match written.discriminant() {
                Some(value) => self.number(value),
                None => next.ok_or(Unfit::Range(span)),
            };
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

    fn number(&self, value: ast::Expr<'_>) -> Result<i64, Unfit> {
        let wide = self.wide_number(value)?;
        i64::try_from(wide).map_err(|_| Unfit::Range(self.span(value.syntax().range())))
    }

    fn wide_number(&self, value: ast::Expr<'_>) -> Result<i128, Unfit> {
        let span = self.span(value.syntax().range());
        let (form, range) = (|| Unfit::Form(span), || Unfit::Range(span));
        let part = |part: Option<ast::Expr<'_>>| part.ok_or_else(form).and_then(|it| self.number(it));
        match value {
            ast::Expr::LiteralExpr(it) => match it.value() {
                Some(Literal::Int(number)) => {
                    number.ok().and_then(|it| i128::try_from(it).ok()).ok_or_else(range)
                }
                _ => Err(form()),
            },
            ast::Expr::ParenExpr(it) => self.wide_number(it.expr().ok_or_else(form)?),
            ast::Expr::UnaryExpr(it) => {
                // `-9223372036854775808` is in range as a whole.
                let operand = self.wide_number(it.operand().ok_or_else(form)?)?;
                match it.op() {
                    Some(UnaryOp::Neg) => Ok(-operand),
                    Some(UnaryOp::BitNot) => Ok(!operand),
                    _ => Err(form()),
                }
            }
            ast::Expr::BinaryExpr(it) => {
                let (a, b) = (i128::from(part(it.lhs())?), i128::from(part(it.rhs())?));
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
}
