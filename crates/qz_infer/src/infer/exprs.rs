//! The table of contents of expression inference, and constructs of a few lines.

use qz_hir::Whose;
use qz_hir::body::*;
use qz_types::ty::common;
use qz_types::{Mutability, Ty, TyKind, VarKind};

use super::{Expect, ExprOrPat, Infer};
use crate::diagnostics as words;

impl Infer<'_, '_> {
    /// The type of an expression, recorded.
    pub(super) fn expr(&mut self, id: ExprId, expect: Expect) -> Ty {
        let ty = stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || self.expr_inner(id, expect));
        self.st.types.exprs.insert(id, ty);
        ty
    }

    fn expr_inner(&mut self, id: ExprId, expect: Expect) -> Ty {
        let body = self.body.clone();
        match &body.exprs[id] {
            Expr::Missing => self.error(),
            Expr::Lit { value } => self.literal(id, value, expect),
            Expr::Nil => self.nil(expect),
            Expr::Local { local } => {
                let ty = self.local(*local);
                self.narrowed(id, *local, ty)
            }
            Expr::Fns { candidates, type_args } => self.fn_value(id, candidates, type_args, expect),
            Expr::Const { constant } => self.const_value(id, *constant),
            Expr::Static { var } => self.static_value(id, *var),
            Expr::Variant { adt, variant, type_args } => {
                self.variant_value(id, *adt, *variant, type_args, expect)
            }
            Expr::Newtype { adt, type_args } => self.newtype_value(id, *adt, type_args),
            Expr::BareVariant { name } => self.bare_variant_value(id, *name, expect),
            Expr::TypeRecv { ty } => self.type_as_value(id, *ty, expect),
            Expr::Call { callee, args } => self.call(id, *callee, args, expect),
            Expr::Method { receiver, name, name_range, type_args, args, has_parens } => {
                let call = super::methods::MethodCall {
                    expr: id,
                    receiver: *receiver,
                    name: *name,
                    name_range: *name_range,
                    type_args,
                    args,
                    has_parens: *has_parens,
                };
                self.method_call(call, expect)
            }
            Expr::TupleIndex { base, index, index_range } => {
                self.tuple_index(id, *base, *index, *index_range)
            }
            Expr::Index { base, index } => self.index(id, *base, *index),
            Expr::Unary { op, operand } => self.unary(id, *op, *operand, expect),
            Expr::Binary { op, lhs, rhs } => self.binary(id, *op, *lhs, *rhs, expect),
            Expr::And { lhs, rhs } => self.and(*lhs, *rhs),
            Expr::Or { lhs, rhs } => self.or(*lhs, *rhs),
            Expr::Is { value, pat } => self.is_test(*value, *pat),
            Expr::Cast { value, ty, kind } => self.cast(id, *value, *ty, *kind),
            Expr::Assign { place, value } => self.assign(*place, *value),
            Expr::CompoundAssign { op, place, value } => self.compound_assign(id, *op, *place, *value),
            Expr::AssignIfNone { place, value } => self.assign_if_none(*place, *value),
            Expr::Block { stmts, tail } => self.block(stmts, *tail, expect),
            Expr::If { cond, then, else_ } => self.if_(id, *cond, *then, *else_, expect),
            Expr::Match { subject, arms, .. } => self.match_(id, *subject, arms, expect),
            Expr::While { cond, body, .. } => self.while_(*cond, *body),
            Expr::Loop { body, loop_ } => self.loop_(*body, *loop_, expect),
            Expr::For { pats, iter, body, .. } => self.for_(id, pats, *iter, *body),
            Expr::Break { loop_, value } => self.break_(id, *loop_, *value),
            Expr::Next { .. } => common().never,
            Expr::Return { lambda, value } => self.return_(id, *lambda, *value),
            Expr::Lambda { lambda } => self.lambda(*lambda, expect),
            Expr::Tuple { elems } => self.tuple(elems, expect),
            Expr::Record { parts } => self.record(parts, expect),
            Expr::Vec { elems } => self.vec(elems, expect),
            Expr::Repeat { elem, count } => self.repeat(id, *elem, *count, expect),
            Expr::Map { entries } => self.map(id, entries, expect),
            Expr::Set { elems } => self.set(id, elems, expect),
            Expr::Comprehension { kind, acc, body } => self.comprehension(id, *kind, *acc, *body, expect),
            Expr::Collect { acc, key, value } => self.collect(*acc, *key, *value),
            Expr::Struct { path, fields, spread } => self.struct_literal(id, *path, fields, *spread, expect),
            Expr::Update { base, fields } => self.update(id, *base, fields),
            Expr::Range { start, end, step, .. } => self.range(id, *start, *end, *step, expect),
            Expr::Interp { parts } => self.interp(parts),
            Expr::Propagate { operand, lambda, .. } => self.propagate(id, *operand, *lambda),
            Expr::QuestionMember { member, lambda } => self.question_member(id, *member, *lambda, expect),
            Expr::Unwrap { operand } => self.unwrap(*operand, expect),
            Expr::Coalesce { lhs, rhs } => self.coalesce(*lhs, *rhs, expect),
            Expr::SafeNav { base, inner, rest } => self.safe_nav(*base, *inner, *rest),
            Expr::Assert { cond, message, .. } => self.assert(*cond, *message),
            Expr::Debug { operand, .. } => {
                let ty = self.value(*operand, expect);
                self.require_show(*operand, ty);
                ty
            }
            Expr::Borrow { mutable, operand } => self.borrow(id, *mutable, *operand, expect),
        }
    }

    fn literal(&mut self, id: ExprId, value: &Literal, expect: Expect) -> Ty {
        let c = common();
        match value {
            Literal::Int { value, negative } => {
                self.st.literal_values.push((ExprOrPat::Expr(id), *value, *negative));
                self.number(expect, VarKind::Int)
            }
            Literal::Float(_) => self.number(expect, VarKind::Float),
            Literal::Str(_) => c.str,
            Literal::Char(_) => c.char,
            Literal::Bool(_) => c.bool,
            Literal::Unit => c.unit,
        }
    }

    /// A number takes its type from what is expected, if that is a number.
    fn number(&mut self, expect: Expect, kind: VarKind) -> Ty {
        if let Expect::Hint(hint) = expect {
            let hint = self.shallow(hint);
            let fits = match hint.kind() {
                TyKind::Int(_) => kind == VarKind::Int,
                TyKind::Float(_) => true,
                _ => false,
            };
            if fits {
                return hint;
            }
        }
        self.literal_var(kind)
    }

    fn nil(&mut self, expect: Expect) -> Ty {
        if let Expect::Hint(hint) = expect {
            let hint = self.shallow(hint);
            if self.as_lang(hint, "Option").is_some() {
                return hint;
            }
        }
        // Where it is thrown away, nobody needs to know of what.
        let inner = if matches!(expect, Expect::Discard) { common().unit } else { self.fresh() };
        self.option_of(inner)
    }

    pub(super) fn local(&mut self, local: LocalId) -> Ty {
        match self.st.types.locals.get(local) {
            Some(&ty) => ty,
            None => {
                // Bound by a pattern that failed to check: that was reported.
                let ty = self.fresh();
                self.st.types.locals.insert(local, ty);
                ty
            }
        }
    }

    fn type_as_value(&mut self, id: ExprId, ty: Ty, expect: Expect) -> Ty {
        if let Some((adt, variant)) = self.variant_named_as_type(ty, expect) {
            return self.variant_value(id, adt, variant, &[], expect);
        }
        let span = self.span(id);
        let shown = self.fill_holes(ty);
        let shown = self.show(shown);
        self.report(words::type_as_value(span, &shown));
        self.error()
    }

    pub(super) fn block(&mut self, stmts: &[Stmt], tail: Option<ExprId>, expect: Expect) -> Ty {
        let mut diverges = false;
        let mark = self.st.told.len();
        for stmt in stmts {
            diverges |= self.stmt(stmt);
            self.assume_after(stmt);
        }
        let ty = tail.map_or(common().unit, |tail| self.expr(tail, expect));
        self.leave(mark);
        if diverges { common().never } else { ty }
    }

    /// Whether the statement does not end.
    fn stmt(&mut self, stmt: &Stmt) -> bool {
        let diverges = match stmt {
            Stmt::Expr(expr) => {
                let ty = self.expr(*expr, Expect::Discard);
                self.shallow(ty).is_never()
            }
            Stmt::Defer(expr) => {
                self.expr(*expr, Expect::Discard);
                false
            }
            Stmt::Bind { pat, ty, value } => self.bind(*pat, *ty, *value),
        };
        self.end_of_statement();
        diverges
    }

    fn bind(&mut self, pat: PatId, written: Option<Ty>, value: ExprId) -> bool {
        let ty = match written {
            Some(ty) => {
                let ty = self.fill_holes(ty);
                self.check(value, ty);
                ty
            }
            None => {
                let ty = self.expr(value, Expect::Any);
                match self.body.pats[pat] {
                    Pat::Tuple { .. } | Pat::Record { .. } | Pat::Struct { .. } | Pat::Vec { .. } => {
                        self.opened_subject(value, ty, [pat].into_iter())
                    }
                    _ => ty,
                }
            }
        };
        let known = self.shallow(ty);
        let diverges = known.is_never();
        // A name never has the type `Never`: nothing after the binding runs.
        let ty = if diverges { self.fresh() } else { ty };
        self.pattern(pat, ty);
        self.st.matches.push(super::exhaustive_job::Job::Irrefutable { pat });
        diverges
    }

    fn interp(&mut self, parts: &[InterpPart]) -> Ty {
        for part in parts {
            if let InterpPart::Value(value) = part {
                let ty = self.value(*value, Expect::Any);
                self.require_show(*value, ty);
            }
        }
        common().str
    }

    /// The value must have `show`.
    pub(super) fn require_show(&mut self, expr: ExprId, ty: Ty) {
        self.require(expr, ty, "Show");
    }

    /// The type must have the trait of this role.
    pub(super) fn require(&mut self, expr: ExprId, ty: Ty, role: &str) {
        if let Some(trait_id) = self.ck.defs.lang.trait_(role) {
            let span = self.span(expr);
            let bound = qz_types::TraitRef { trait_id, args: &[] };
            self.st.obligations.push(crate::traits::Obligation::trait_(ty, bound, span));
        }
    }

    fn assert(&mut self, cond: ExprId, message: Option<ExprId>) -> Ty {
        // The operands of a comparison are shown when it fails.
        self.check(cond, common().bool);
        if let Expr::Binary { op, lhs, rhs } = self.expr_node(cond)
            && matches!(
                op,
                BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge
            )
        {
            for operand in [lhs, rhs] {
                if let Some(&ty) = self.st.types.exprs.get(operand) {
                    self.require_show(operand, ty.peel_ref());
                }
            }
        }
        if let Some(message) = message {
            self.check(message, common().str);
        }
        common().unit
    }

    /// `&x`, `&mut x`: the operand must be a place that can be borrowed so.
    fn borrow(&mut self, id: ExprId, mutable: bool, operand: ExprId, expect: Expect) -> Ty {
        let hint = match expect {
            Expect::Hint(hint) => match *self.shallow(hint).kind() {
                TyKind::Ref(_, inner) => Expect::Hint(inner),
                _ => Expect::Any,
            },
            other => other,
        };
        let ty = self.value(operand, hint);
        if mutable {
            self.require_mutable_place(id, operand);
            self.changed_place(operand);
        }
        Ty::reference(if mutable { Mutability::Mut } else { Mutability::Shared }, ty)
    }

    /// A `&mut` needs a `var`, a field, an element or another `&mut`.
    pub(super) fn require_mutable_place(&mut self, at: ExprId, place: ExprId) {
        let span = self.span(at);
        match self.expr_node(place) {
            // A narrowed name is the value inside of the union.
            Expr::Local { .. } if self.st.types.callees.contains(place) => {
                self.report(words::mut_borrow_value(span));
            }
            Expr::Local { local } => {
                let it = &self.body.locals[local];
                let ty = self.st.types.locals.get(local).map(|&ty| self.shallow(ty));
                let is_mut_ref = ty.is_some_and(|ty| matches!(ty.kind(), TyKind::Ref(Mutability::Mut, _)));
                if !it.mutable && !is_mut_ref {
                    let (name, bound) = (it.name, it.span);
                    self.report(words::mut_borrow_immutable(span, name, bound));
                }
            }
            Expr::Method { has_parens: false, receiver, .. } => self.require_assignable_through(at, receiver),
            Expr::TupleIndex { base, .. } => self.require_mutable_place(at, base),
            Expr::Static { var } => {
                let def = &self.ck.defs.statics[var];
                let name = def.name;
                match def.whose {
                    Whose::All => self.report(words::assign_module_var(span, name)),
                    // A field is assigned at once, which lends nothing.
                    Whose::Thread if at == place || matches!(self.expr_node(at), Expr::Borrow { .. }) => {
                        self.report(words::borrow_thread_local(span, name));
                    }
                    Whose::Thread | Whose::Task => {}
                }
            }
            Expr::Index { .. } | Expr::Missing => {}
            _ => self.report(words::mut_borrow_value(span)),
        }
    }

    /// A field can be written if its object is shared by reference, or if the value it is part of can be.
    pub(super) fn require_assignable_through(&mut self, at: ExprId, receiver: ExprId) {
        let Some(&ty) = self.st.types.exprs.get(receiver) else { return };
        let ty = self.shallow(ty).peel_ref();
        let is_reference = match self.shallow(ty).as_adt() {
            Some((adt, _)) => self.ck.defs.adts[adt].kind == qz_hir::AdtKind::Struct,
            None => self.shallow(ty).known_fields().is_none(),
        };
        if !is_reference {
            self.require_mutable_place(at, receiver);
        }
    }
}
