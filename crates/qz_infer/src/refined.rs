//! Refined types, after bodies have types: which predicates can be asked, and do constants fit?
//!
//! A predicate is asked at any conversion, by code and by the checker, so it must give the same answer each time and
//! change nothing: it is made of `it`, constants, operators, and methods of the library.

use std::sync::Arc;

use qz_base::Span;
use qz_hir::body::*;
use qz_hir::refined::Part;
use qz_hir::{FnKind, TyHead};
use qz_types::{AdtId, FnId, Ty, TyKind};

use crate::checker::{CheckedFn, Checker};
use crate::diagnostics as words;
use crate::facts::*;

/// A value that is known before the program runs.
#[derive(Clone, Debug, PartialEq)]
enum Known {
    Int(i128),
    Float(f64),
    Str(Arc<str>),
    Char(char),
    Bool(bool),
    Tuple(Vec<Known>),
}

impl Checker<'_> {
    pub(crate) fn check_refinements(&self, id: FnId) {
        if !self.defs.has_refinements() {
            return;
        }
        let checked = self.check_fn(id);
        if checked.types.has_errors {
            return;
        }
        match self.defs.fns[id].kind {
            FnKind::Refined(_, Part::Holds) => self.check_predicate(&checked),
            FnKind::Refined(..) => {}
            _ => self.check_constants(&checked),
        }
    }

    // --------------------------------------------------------------------------------------------- predicates

    fn check_predicate(&self, checked: &CheckedFn) {
        let mut open = vec![checked.body.root];
        while let Some(expr) = open.pop() {
            if let Some(what) = self.not_in_predicate(checked, expr) {
                self.defs.report(words::predicate_form(checked.body.expr_span(expr), what));
                return;
            }
            checked.body.exprs[expr].each_child(&mut |child| open.push(child));
        }
    }

    /// What makes an expression unfit for a predicate.
    fn not_in_predicate(&self, checked: &CheckedFn, expr: ExprId) -> Option<&'static str> {
        match &checked.body.exprs[expr] {
            Expr::Lit { .. } | Expr::Nil | Expr::Local { .. } | Expr::Const { .. } | Expr::Unary { .. } => {
                None
            }
            Expr::And { .. } | Expr::Or { .. } | Expr::Is { .. } | Expr::If { .. } | Expr::Cast { .. } => {
                None
            }
            Expr::Tuple { .. } | Expr::TupleIndex { .. } | Expr::Range { .. } | Expr::Index { .. } => None,
            // `it.empty?`.
            Expr::QuestionMember { .. } => None,
            Expr::Block { stmts, .. } if stmts.is_empty() => None,
            Expr::Block { .. } => Some("a statement"),
            Expr::Binary { .. } | Expr::Method { .. } => {
                let is_own = match checked.types.callees.get(expr) {
                    Some(Callee::Fn(it)) => !self.is_of_library(it.function),
                    Some(Callee::Method { trait_id, args, .. }) => {
                        !self.defs.modules[self.defs.traits[*trait_id].module].is_std
                            || args.first().is_some_and(|&it| self.has_own_impls(it))
                    }
                    Some(Callee::Member(_) | Callee::Value) => true,
                    _ => false,
                };
                is_own.then_some("a method of your own")
            }
            Expr::Call { .. } => Some("a call of a function"),
            Expr::Lambda { .. } => Some("a block"),
            Expr::Static { .. } => Some("a variable"),
            Expr::Match { .. } => Some("a `match`"),
            _ => Some("this"),
        }
    }

    fn is_of_library(&self, function: FnId) -> bool {
        self.defs.modules[self.defs.fns[function].module].is_std
    }

    /// Types of the program may have operators of their own.
    fn has_own_impls(&self, ty: Ty) -> bool {
        let is_own = |ty: Ty| match TyHead::of(ty) {
            Some(TyHead::Adt(adt)) => {
                !self.defs.modules[self.defs.adts[adt].module].is_std && self.defs.refinement(adt).is_none()
            }
            // Who asks it of a type parameter asks it of any type.
            _ => matches!(ty.kind(), TyKind::Param(_)),
        };
        let mut found = false;
        ty.walk(&mut |part| found |= is_own(part));
        found
    }

    // ---------------------------------------------------------------------------------------------- constants

    fn check_constants(&self, checked: &CheckedFn) {
        for (expr, coercion) in checked.types.coercions.iter() {
            let last = match coercion {
                Coercion::Member { before: Some(before), .. } => before,
                _ => coercion,
            };
            if let Coercion::Refine { checks, .. } = last {
                self.check_constant(checked, expr, checks);
            }
        }
        for (expr, callee) in checked.types.callees.iter() {
            if let Callee::Fn(it) = callee
                && matches!(self.defs.fns[it.function].kind, FnKind::Refined(_, Part::New))
                && let Expr::Call { args, .. } | Expr::Method { args, .. } = &checked.body.exprs[expr]
                && let [arg] = &args[..]
            {
                self.check_constant(checked, arg.value, &[it.function]);
            }
        }
    }

    fn check_constant(&self, checked: &CheckedFn, expr: ExprId, checks: &[FnId]) {
        let Some(value) = self.known(checked, expr, None) else { return };
        for &check in checks {
            let FnKind::Refined(adt, _) = self.defs.fns[check].kind else { return };
            if self.is_fit(adt, &value) == Some(false) {
                return self.refuse(adt, checked.body.expr_span(expr));
            }
        }
    }

    /// Whether a value passes the checks whatever happens: it is a constant.
    pub fn is_proved(&self, checked: &CheckedFn, expr: ExprId, checks: &[FnId]) -> bool {
        let Some(value) = self.known(checked, expr, None) else { return false };
        checks.iter().all(|&check| match self.defs.fns[check].kind {
            FnKind::Refined(adt, _) => self.is_fit(adt, &value) == Some(true),
            _ => false,
        })
    }

    fn refuse(&self, adt: AdtId, value: Span) {
        let Some(predicate) = self.defs.predicate_span(adt) else { return };
        let text = |span: Span| {
            let text = &self.defs.files[&span.file].text;
            text.get(span.range.start as usize..span.range.end as usize)
                .unwrap_or_default()
                .trim()
                .to_string()
        };
        let name = self.defs.adts[adt].name;
        self.defs.report(words::value_refused(value, &text(value), name, predicate, &text(predicate)));
    }

    /// Whether a known value fits; `None` if only the running program can tell.
    fn is_fit(&self, adt: AdtId, value: &Known) -> Option<bool> {
        let checked = self.check_fn(self.defs.refinement(adt)?.holds);
        if checked.types.has_errors {
            return None;
        }
        match self.known(&checked, checked.body.root, Some(value))? {
            Known::Bool(it) => Some(it),
            _ => None,
        }
    }

    fn known(&self, checked: &CheckedFn, expr: ExprId, it: Option<&Known>) -> Option<Known> {
        stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || self.known_inner(checked, expr, it))
    }

    fn known_inner(&self, checked: &CheckedFn, expr: ExprId, it: Option<&Known>) -> Option<Known> {
        let of = |expr: ExprId| self.known(checked, expr, it);
        let bool_of = |expr: ExprId| match of(expr)? {
            Known::Bool(it) => Some(it),
            _ => None,
        };
        match &checked.body.exprs[expr] {
            Expr::Lit { value } => literal(value),
            Expr::Local { .. } => it.cloned(),
            Expr::Const { constant } => {
                let constant = self.check_fn(*constant);
                if constant.types.has_errors {
                    return None;
                }
                self.known(&constant, constant.body.root, None)
            }
            Expr::Unary { op, operand } => match (op, of(*operand)?) {
                (UnaryOp::Not, Known::Bool(it)) => Some(Known::Bool(!it)),
                (UnaryOp::Neg, Known::Int(it)) => in_range(checked, expr, it.checked_neg()?),
                (UnaryOp::Neg, Known::Float(it)) => Some(Known::Float(-it)),
                _ => None,
            },
            Expr::And { lhs, rhs } => Some(Known::Bool(bool_of(*lhs)? && bool_of(*rhs)?)),
            Expr::Or { lhs, rhs } => Some(Known::Bool(bool_of(*lhs)? || bool_of(*rhs)?)),
            Expr::If { cond, then, else_: Some(else_) } => of(if bool_of(*cond)? { *then } else { *else_ }),
            Expr::Block { stmts, tail: Some(tail) } if stmts.is_empty() => of(*tail),
            Expr::QuestionMember { member, .. } => of(*member),
            Expr::Tuple { elems } => {
                Some(Known::Tuple(elems.iter().map(|&it| of(it)).collect::<Option<_>>()?))
            }
            Expr::TupleIndex { base, index, .. } => match of(*base)? {
                Known::Tuple(parts) => parts.into_iter().nth(*index as usize),
                _ => None,
            },
            Expr::Binary { op: BinaryOp::In, lhs, rhs } => {
                let Expr::Range { start, end, step: None, inclusive } = checked.body.exprs[*rhs] else {
                    return None;
                };
                let value = of(*lhs)?;
                let above = start.map_or(Some(true), |it| Some(compared(BinaryOp::Ge, &value, &of(it)?)?));
                let op = if inclusive { BinaryOp::Le } else { BinaryOp::Lt };
                let below = end.map_or(Some(true), |it| Some(compared(op, &value, &of(it)?)?));
                Some(Known::Bool(above? && below?))
            }
            Expr::Binary { op, lhs, rhs } => {
                let (left, right) = (of(*lhs)?, of(*rhs)?);
                match compared(*op, &left, &right) {
                    Some(it) => Some(Known::Bool(it)),
                    None => computed(checked, expr, *op, left, right),
                }
            }
            Expr::Method { receiver, name, args, .. } if args.is_empty() => {
                let is_library = match checked.types.callees.get(expr) {
                    Some(Callee::Fn(it)) => self.is_of_library(it.function),
                    _ => false,
                };
                match (of(*receiver)?, name.as_str()) {
                    (Known::Str(text), "size") if is_library => {
                        Some(Known::Int(text.chars().count() as i128))
                    }
                    (Known::Str(text), "byte_size") if is_library => Some(Known::Int(text.len() as i128)),
                    (Known::Str(text), "empty?") if is_library => Some(Known::Bool(text.is_empty())),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn literal(value: &Literal) -> Option<Known> {
    Some(match value {
        Literal::Int { value, negative } => {
            let value = i128::try_from(*value).ok()?;
            Known::Int(if *negative { -value } else { value })
        }
        Literal::Float(it) => Known::Float(*it),
        Literal::Str(it) => Known::Str(it.clone()),
        Literal::Char(it) => Known::Char(*it),
        Literal::Bool(it) => Known::Bool(*it),
        Literal::Unit => return None,
    })
}

/// Overflow is for the running program to tell.
fn in_range(checked: &CheckedFn, expr: ExprId, value: i128) -> Option<Known> {
    let ty = checked.types.exprs.get(expr)?;
    let TyKind::Int(int) = ty.kind() else { return None };
    (int.min_value()..=int.max_value()).contains(&value).then_some(Known::Int(value))
}

fn compared(op: BinaryOp, left: &Known, right: &Known) -> Option<bool> {
    let order = match (left, right) {
        (Known::Int(a), Known::Int(b)) => a.partial_cmp(b),
        (Known::Float(a), Known::Float(b)) => a.partial_cmp(b),
        (Known::Str(a), Known::Str(b)) => a.partial_cmp(b),
        (Known::Char(a), Known::Char(b)) => a.partial_cmp(b),
        (Known::Bool(a), Known::Bool(b)) => a.partial_cmp(b),
        _ => return None,
    };
    match op {
        BinaryOp::Eq => Some(left == right),
        BinaryOp::Ne => Some(left != right),
        BinaryOp::Lt => Some(order.is_some_and(|it| it.is_lt())),
        BinaryOp::Le => Some(order.is_some_and(|it| it.is_le())),
        BinaryOp::Gt => Some(order.is_some_and(|it| it.is_gt())),
        BinaryOp::Ge => Some(order.is_some_and(|it| it.is_ge())),
        _ => None,
    }
}

fn computed(checked: &CheckedFn, expr: ExprId, op: BinaryOp, left: Known, right: Known) -> Option<Known> {
    let (Known::Int(a), Known::Int(b)) = (left, right) else { return None };
    let value = match op {
        BinaryOp::Add => a.checked_add(b)?,
        BinaryOp::Sub => a.checked_sub(b)?,
        BinaryOp::Mul => a.checked_mul(b)?,
        BinaryOp::Div => a.checked_div(b)?,
        BinaryOp::Rem => a.checked_rem(b)?,
        BinaryOp::BitAnd => a & b,
        BinaryOp::BitOr => a | b,
        BinaryOp::BitXor => a ^ b,
        _ => return None,
    };
    in_range(checked, expr, value)
}
