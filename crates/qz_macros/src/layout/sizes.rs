//! What may stand where a size or count is asked for? Numbers, constants, earlier fields and parts of theirs, joined by `+`, `-`
//! and `*`: enough for real formats, and computed so that no input can make it fail.

use qz_base::FxHashSet;
use qz_base::name::without_marks;
use qz_syntax::SyntaxKind::IntNumber;
use qz_syntax::ast::{self, AstNode, BinaryOp};
use qz_syntax::literals::int_value;

use super::write::Writer;

/// The number, if a size is one.
pub(super) fn constant(size: ast::Expr<'_>) -> Option<u128> {
    let ast::Expr::LiteralExpr(it) = size else { return None };
    int_value(it.syntax().token(IntNumber)?.text())?.ok()
}

/// What is wrong with a size: the part, and why.
pub(super) fn problem<'t>(size: ast::Expr<'t>, fields: &FxHashSet<&str>) -> Option<(ast::Expr<'t>, String)> {
    match size {
        ast::Expr::LiteralExpr(it) if it.syntax().token(IntNumber).is_some() => match constant(size) {
            Some(value) if value < 1 << 48 => None,
            _ => Some((size, "no input is so large".into())),
        },
        ast::Expr::ParenExpr(it) => it.expr().and_then(|it| problem(it, fields)),
        ast::Expr::BinaryExpr(it) if joins(it.op()).is_some() => {
            [it.lhs(), it.rhs()].into_iter().flatten().find_map(|it| problem(it, fields))
        }
        ast::Expr::PathExpr(_) => {
            let name = &*without_marks(size.syntax().text());
            let known = fields.contains(name) || is_constant(name);
            (!known).then(|| (size, format!("there is no field `{name}` before this one")))
        }
        ast::Expr::FieldExpr(it) if !it.is_safe() => match it.receiver() {
            Some(ast::Expr::SelfExpr(_)) => {
                Some((size, "`self` does not exist while it is decoded; a field is named alone here".into()))
            }
            receiver => receiver.and_then(|it| problem(it, fields)),
        },
        ast::Expr::MissingExpr(_) => None,
        _ => Some((
            size,
            "a size is a number, a constant or an earlier field, or these joined by `+`, `-` and `*`".into(),
        )),
    }
}

fn joins(op: Option<BinaryOp>) -> Option<&'static str> {
    match op? {
        BinaryOp::Add => Some("saturating_add"),
        BinaryOp::Sub => Some("saturating_sub"),
        BinaryOp::Mul => Some("saturating_mul"),
        _ => None,
    }
}

/// `N`, `LIMIT`, `limits::N`
fn is_constant(name: &str) -> bool {
    name.rsplit("::")
        .next()
        .is_some_and(|it| it.chars().all(|c| c.is_uppercase() || c.is_numeric() || c == '_'))
}

/// Whether a name in a size is a field's, and no constant's.
pub(super) fn is_field(name: &str) -> bool {
    !is_constant(name)
}

/// Writes a size as an `Int`; `field` says what stands for a field.
pub(super) fn write(size: ast::Expr<'_>, field: &dyn Fn(&str) -> Option<String>, w: &mut Writer<'_>) {
    match size {
        ast::Expr::ParenExpr(it) => {
            if let Some(inner) = it.expr() {
                write(inner, field, w);
            }
        }
        ast::Expr::BinaryExpr(it) => {
            let (Some(lhs), Some(rhs), Some(method)) = (it.lhs(), it.rhs(), joins(it.op())) else { return };
            w.put("(");
            write(lhs, field, w);
            w.put(&format!(").{method}("));
            write(rhs, field, w);
            w.put(")");
        }
        ast::Expr::LiteralExpr(it) => {
            w.put("(");
            w.copy(it.syntax().range());
            w.put(" as ~Int)");
        }
        _ => {
            w.put("((");
            leaf(size, field, w);
            w.put(" try_as ~Int) ?? 0x7fff_ffff_ffff_ffff)");
        }
    }
}

/// A constant, a field, or a part of one.
fn leaf(size: ast::Expr<'_>, field: &dyn Fn(&str) -> Option<String>, w: &mut Writer<'_>) {
    match size {
        ast::Expr::FieldExpr(it) => {
            if let (Some(receiver), Some(name)) = (it.receiver(), it.name()) {
                leaf(receiver, field, w);
                w.put(".");
                w.copy(name.range());
            }
        }
        _ => match field(&without_marks(size.syntax().text())) {
            Some(text) => w.put(&text),
            None => w.copy(size.syntax().range()),
        },
    }
}
