//! Inference of one body: the state, and what all constructs share. Constructs are in the submodules.

mod args;
mod calls;
mod control;
mod crossings;
mod data;
mod effects;
mod exprs;
mod finish;
mod flow;
mod foreign;
mod handed;
mod lambdas;
mod lent;
mod lints;
mod members;
mod methods;
mod names;
mod narrowing;
mod ops;
mod patterns;
mod records;
mod refined;
mod solve;
mod unions;

use std::sync::Arc;

use qz_base::{FxHashMap, Span};
use qz_diag::Diagnostic;
use qz_hir::ModuleId;
use qz_hir::body::{Body, Expr, ExprId, LambdaId, LocalId, LoopId, PatId};
use qz_hir::defs::Predicate;
use qz_types::ty::common;
use qz_types::{FnId, Fold, Ty, TyFlags, TyKind, UnifyError, VarKind};

use crate::checker::{Checker, FnScheme, Session};
use crate::diagnostics as words;
use crate::facts::*;
use crate::needs::{Need, UsedAgain};
use crate::traits::{Marker, Obligation, TraitCx};

pub(crate) use finish::finish_group;

/// What the surroundings want of an expression.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Expect {
    /// Nothing is known.
    Any,
    /// Most likely this type; the caller checks.
    Hint(Ty),
    /// The value is thrown away.
    Discard,
}

/// Working state of one body.
pub(crate) struct Infer<'c, 'd> {
    ck: &'c Checker<'d>,
    s: &'c mut Session,
    function: FnId,
    module: ModuleId,
    body: Arc<Body>,
    ret: Ty,
    preds: Vec<Predicate>,
    st: State,
}

/// What outlives the walk over the body, until the group is closed.
#[derive(Default)]
pub(crate) struct State {
    types: BodyTypes,
    obligations: Vec<Obligation>,
    pending: Vec<methods::Pending>,
    /// `Send` and `Share`, as far as bounds ask for them of what is not known here.
    left_open: Vec<(Ty, Marker, Span)>,
    /// What is asked of the function's callers, since it goes to another task here.
    needs: Vec<Need>,
    used_again: Vec<UsedAgain>,
    /// Calls of functions whose group is still open.
    open_calls: Vec<(Slot, FnId)>,
    /// Number literals whose type is not settled.
    literals: Vec<Ty>,
    /// Number literals and their values, checked against their types at the end.
    literal_values: Vec<(ExprOrPat, u128, bool)>,
    /// Matches and bindings to be checked for missing and dead patterns.
    matches: Vec<exhaustive_job::Job>,
    casts: Vec<ExprId>,
    lambda_rets: FxHashMap<LambdaId, Ty>,
    /// The function (`None`) and the lambdas that a `return` without a value leaves.
    bare_returns: Vec<Option<LambdaId>>,
    loop_values: FxHashMap<LoopId, (Ty, bool)>,
    /// What tests have told of names, where the walk is.
    told: Vec<narrowing::Told>,
    /// The value of the `is` at hand.
    asked: Option<ExprId>,
    /// The pattern of the `is` at hand: a variant's name alone tests for it.
    tested: Option<PatId>,
    /// The effects that are handled or allowed where the walk is, the innermost last.
    handled: Vec<qz_types::Label>,
    /// The result of the call at hand and what is expected of it, where the one is not known.
    wanted: Option<(Ty, Ty)>,
    /// Variables for rows of effects; those that nothing decides are empty.
    rows: Vec<Ty>,
    /// What the `impl Trait`s of the result turn out to be.
    hidden: Vec<Ty>,
    /// Names and expressions whose type nothing decided.
    unknown_locals: Vec<(LocalId, u32)>,
    unknown_exprs: Vec<ExprId>,
    failed: bool,
    /// Another function of the group failed: what is unknown here may follow from that, and is not told.
    group_failed: bool,
}

/// A pattern check that waits for types.
pub(crate) mod exhaustive_job {
    use qz_hir::body::{ExprId, PatId};

    pub(crate) enum Job {
        Match {
            expr: ExprId,
        },
        /// A pattern that must not fail.
        Irrefutable {
            pat: PatId,
        },
    }
}

#[derive(Copy, Clone)]
pub(crate) enum ExprOrPat {
    Expr(ExprId),
    Pat(PatId),
}

/// Where a [`CalleeFn`] stands: in a call's fact, or inside its evidence.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    expr: ExprId,
    path: Vec<u32>,
}

/// A body that has been walked; its group may still be open.
pub(crate) struct Inferred {
    pub(crate) function: FnId,
    pub(crate) params: Vec<Ty>,
    pub(crate) ret: Ty,
    pub(crate) low: usize,
    body: Arc<Body>,
    module: ModuleId,
    preds: Vec<Predicate>,
    st: State,
}

/// Walks a body. Parameters and result have the given types.
pub(crate) fn infer_body(
    ck: &Checker<'_>,
    session: &mut Session,
    function: FnId,
    params: Vec<Ty>,
    ret: Ty,
) -> Inferred {
    let body = Arc::new(qz_hir::lower::lower_body(ck.defs, function));
    let sig = ck.defs.fn_sig(function);
    let module = ck.defs.fns[function].module;
    let preds = sig.generics.preds.clone();
    // Inside, `T::Output` is what the bounds say it is.
    let mut known = |ty| ck.normalize_with(&mut session.table, &preds, ty);
    let params: Vec<Ty> = params.into_iter().map(&mut known).collect();
    let ret = known(ret);
    let mut cx = Infer { ck, s: session, function, module, body, ret, preds, st: State::default() };
    cx.ret = cx.open_hidden(ret, &sig.opaques);
    let hidden_ret = cx.ret;
    cx.st.handled = sig.can.as_ref().map(|can| can.row.labels.to_vec()).unwrap_or_default();
    cx.st.bare_returns = bare_returns(&cx.body);
    cx.params(&params);
    let root = cx.body.root;
    if ck.is_abstract(function) {
        // All there is to be run are the defaults of its parameters.
        cx.st.types.exprs.insert(root, common().never);
    } else if sig.ret.is_none() && ck.is_program_main(function) {
        cx.main_value(root, ret);
    } else {
        cx.body_value(None, root, hidden_ret);
    }
    cx.end_of_statement();
    let Infer { body, preds, st, .. } = cx;
    Inferred { function, params, ret, low: usize::MAX, body, module, preds, st }
}

fn bare_returns(body: &Body) -> Vec<Option<LambdaId>> {
    let left = |expr: &Expr| match expr {
        Expr::Return { lambda, value: None } => Some(*lambda),
        _ => None,
    };
    body.exprs.values().filter_map(left).collect()
}

impl<'c, 'd> Infer<'c, 'd> {
    fn params(&mut self, params: &[Ty]) {
        let body = self.body.clone();
        for (param, &ty) in body.params.iter().zip(params) {
            self.st.types.locals.insert(param.local, ty);
            if let Some(default) = param.default {
                self.check(default, ty);
            }
        }
    }

    /// Inside its own function an `impl Trait` result is a type to be found that meets the bounds.
    fn open_hidden(&mut self, ret: Ty, bounds: &[Vec<qz_hir::defs::Predicate>]) -> Ty {
        if bounds.is_empty() {
            return ret;
        }
        let span = self.ck.defs.fn_span(self.function);
        for bounds in bounds {
            let var = self.fresh();
            self.st.hidden.push(var);
            for bound in bounds {
                let obligation = Obligation::trait_(var, bound.trait_ref, span);
                self.st.obligations.push(Obligation { assoc: bound.assoc.clone(), ..obligation });
            }
        }
        let hidden = self.st.hidden.clone();
        crate::traits::results::Holes { owner: self.function, vars: &hidden }.fold_ty(ret)
    }

    /// The value of a function or lambda body. A `Void` result takes any value and drops it; a `return` without a value
    /// makes a result `Void` that nobody wrote.
    fn body_value(&mut self, lambda: Option<LambdaId>, root: ExprId, ret: Ty) {
        if self.shallow(ret).is_infer() && self.st.bare_returns.contains(&lambda) {
            self.unify(root, common().unit, ret);
        }
        let known = self.shallow(ret);
        if known.is_unit() {
            let ty = self.expr(root, Expect::Discard);
            if !ty.is_never() && !self.shallow(ty).is_unit() {
                self.st.types.coercions.insert(root, Coercion::Discard);
            }
        } else {
            self.check(root, ret);
        }
    }

    /// `main` without a written result throws its last value away; a `?` in it makes it a `Result`.
    fn main_value(&mut self, root: ExprId, ret: Ty) {
        let leaves = |expr: &Expr| matches!(expr, Expr::Propagate { lambda: None, .. });
        let wanted = if self.body.exprs.values().any(leaves) {
            let error = self.fresh();
            self.lang_adt("Result", &[common().unit, error])
        } else {
            common().unit
        };
        self.unify(root, wanted, ret);
        self.expr(root, Expect::Discard);
        self.st.types.coercions.insert(root, Coercion::Discard);
    }

    // ---------------------------------------------------------------------------------- shared helpers

    fn fresh(&mut self) -> Ty {
        self.s.table.fresh(VarKind::Any)
    }

    fn shallow(&self, ty: Ty) -> Ty {
        self.s.table.shallow(ty)
    }

    fn resolve(&self, ty: Ty) -> Ty {
        self.s.table.resolve(ty)
    }

    fn span(&self, expr: ExprId) -> Span {
        self.body.expr_span(expr)
    }

    fn report(&mut self, problem: Diagnostic) {
        if problem.is_error() {
            self.st.failed = true;
        }
        self.ck.defs.report(problem);
    }

    /// A type in words.
    fn show(&self, ty: Ty) -> String {
        /// An open literal is shown as what it would become.
        struct Defaults<'a>(&'a qz_types::InferTable);
        impl Fold for Defaults<'_> {
            fn fold_ty(&mut self, ty: Ty) -> Ty {
                match self.0.var_kind(ty) {
                    Some(VarKind::Int) => common().int,
                    Some(VarKind::Float) => common().f64,
                    _ if ty.has(TyFlags::INFER) && !ty.is_infer() => self.fold_parts(ty),
                    _ => ty,
                }
            }
        }
        let resolved = self.resolve(ty);
        Defaults(&self.s.table).fold_ty(resolved).display(self.ck.defs).to_string()
    }

    fn has_error(&self, ty: Ty) -> bool {
        self.resolve(ty).has(TyFlags::ERROR)
    }

    fn traits(&mut self) -> TraitCx<'_, 'd> {
        TraitCx { ck: self.ck, table: &mut self.s.table, preds: &self.preds }
    }

    /// Every hole of a written type becomes a variable.
    fn fill_holes(&mut self, ty: Ty) -> Ty {
        struct Fill<'a>(&'a mut qz_types::InferTable);
        impl Fold for Fill<'_> {
            fn fold_ty(&mut self, ty: Ty) -> Ty {
                match ty.kind() {
                    TyKind::Infer(var) if var.index == u32::MAX => self.0.fresh(VarKind::Any),
                    _ if ty.has(TyFlags::INFER) => self.fold_parts(ty),
                    _ => ty,
                }
            }
        }
        let filled = Fill(&mut self.s.table).fold_ty(ty);
        self.normalize(filled)
    }

    /// Replaces associated types by what they are, or by variables that will be.
    fn normalize(&mut self, ty: Ty) -> Ty {
        if !ty.has(TyFlags::ASSOC) {
            return ty;
        }
        let span = Span::new(self.body.file, qz_base::TextRange::default());
        let mut found = Vec::new();
        let ty = crate::traits::replace_assoc(ty, &mut |assoc| {
            let var = self.s.table.fresh(VarKind::Any);
            found.push((assoc, var));
            var
        });
        for (assoc, var) in found {
            self.st.obligations.push(Obligation::projection(assoc, var, span));
        }
        self.solve(false);
        ty
    }

    /// Makes two types equal, or reports `expr`.
    fn unify(&mut self, expr: ExprId, found: Ty, expected: Ty) -> bool {
        let span = self.span(expr);
        self.unify_at(span, found, expected)
    }

    fn unify_at(&mut self, span: Span, found: Ty, expected: Ty) -> bool {
        match self.s.table.unify(found, expected) {
            Ok(()) => true,
            Err(why) => {
                if !self.has_error(found) && !self.has_error(expected) {
                    let (found_words, expected_words) = (self.show(found), self.show(expected));
                    let problem = match why {
                        UnifyError::Infinite => words::infinite_type(span, &expected_words, &found_words),
                        UnifyError::Mismatch => {
                            let facts = words::MismatchFacts {
                                found: self.resolve(found),
                                expected: self.resolve(expected),
                                found_words,
                                expected_words,
                            };
                            words::mismatch(span, self.ck.defs, &facts)
                        }
                    };
                    self.report(problem);
                }
                self.st.failed = true;
                false
            }
        }
    }

    /// Infers `expr` and makes its value fit `expected`.
    fn check(&mut self, expr: ExprId, expected: Ty) {
        let hint = self.member_hint(expr, expected);
        let found = self.expr(expr, Expect::Hint(hint));
        self.coerce(expr, found, expected);
    }

    /// The conversions of a coercion site: `Never`, reading a borrow, into `dyn`, into a union; else equality.
    fn coerce(&mut self, expr: ExprId, found: Ty, expected: Ty) {
        let (mut from, to) = (self.shallow(found), self.shallow(expected));
        if from.is_never() {
            return;
        }
        if self.ck.defs.union_members(to).is_some() {
            return self.coerce_union(expr, from, to);
        }
        if matches!(to.kind(), TyKind::Dyn(_)) {
            // A `dyn` cannot tell a literal its type.
            self.settle(from);
            from = self.shallow(from);
        }
        if !matches!(to.kind(), TyKind::Ref(..)) && self.coerce_refined(expr, from, to) {
            return;
        }
        match (from.kind(), to.kind()) {
            (TyKind::Ref(..), TyKind::Ref(..)) => {
                self.unify(expr, from, to);
            }
            // Whether the row allows what the function performs is seen when all types are known.
            (TyKind::Fn(f), TyKind::Fn(wanted)) => {
                self.learn_row(f.row, wanted.row);
                let endless = matches!(self.body.exprs[expr], Expr::Fns { .. })
                    && self.shallow(f.ret).is_never()
                    && self.shallow(wanted.ret).is_unit();
                let fits = Ty::func(f.params, if endless { wanted.ret } else { f.ret }, wanted.row);
                self.unify(expr, fits, to);
                if endless {
                    self.st.types.exprs.insert(expr, fits);
                }
            }
            (TyKind::Ref(_, inner), _) => {
                self.st.types.coercions.insert(expr, Coercion::Deref);
                self.unify(expr, *inner, to);
            }
            (TyKind::Dyn(_), TyKind::Dyn(bounds)) if self.is_upcast(from, to, bounds) => {
                self.upcast(expr, from, to, bounds);
            }
            (TyKind::Dyn(_), TyKind::Dyn(_)) | (TyKind::Infer(_) | TyKind::Error, TyKind::Dyn(_)) => {
                self.unify(expr, from, to);
            }
            (_, TyKind::Dyn(bounds)) => self.coerce_dyn(expr, from, to, bounds),
            _ => {
                self.unify(expr, from, to);
            }
        }
    }

    /// Whether a `dyn` has all traits of another one, among its own and their supertraits.
    fn is_upcast(&mut self, from: Ty, to: Ty, bounds: &[qz_types::TraitRef]) -> bool {
        let (from, to) = (self.resolve(from), self.resolve(to));
        from != to
            && bounds.iter().all(|it| !self.traits().bounds_of(from, it.trait_id).is_empty())
            && !matches!((from.kind(), to.kind()), (TyKind::Dyn(a), TyKind::Dyn(b))
                if a.iter().map(|it| it.trait_id).eq(b.iter().map(|it| it.trait_id)))
    }

    /// What a `dyn` has is known, whatever else generic code might ask of its traits.
    fn upcast(&mut self, expr: ExprId, from: Ty, to: Ty, bounds: &'static [qz_types::TraitRef]) {
        let known: Vec<_> = bounds.iter().map(|it| self.traits().bounds_of(from, it.trait_id)).collect();
        let fits = bounds.iter().zip(&known).all(|(wanted, known)| match known[..] {
            [only] => self.s.table.unify_lists(only.args, wanted.args).is_ok(),
            _ => false,
        });
        match fits {
            true => drop(self.st.types.coercions.insert(expr, Coercion::Dyn { from, to })),
            false => self.coerce_dyn(expr, from, to, bounds),
        }
    }

    fn coerce_dyn(&mut self, expr: ExprId, from: Ty, to: Ty, bounds: &'static [qz_types::TraitRef]) {
        let span = self.span(expr);
        for &bound in bounds {
            self.st.obligations.push(Obligation::trait_(from, bound, span));
        }
        self.st.types.coercions.insert(expr, Coercion::Dyn { from, to });
    }

    /// The type of an expression used as a plain value: a borrow is read.
    fn value(&mut self, expr: ExprId, expect: Expect) -> Ty {
        let ty = self.expr(expr, expect);
        let ty = self.shallow(ty);
        match ty.kind() {
            TyKind::Ref(_, inner) => {
                self.st.types.coercions.insert(expr, Coercion::Deref);
                self.shallow(*inner)
            }
            _ => ty,
        }
    }

    fn error(&mut self) -> Ty {
        self.st.failed = true;
        common().error
    }

    /// The `Option` type around `inner`.
    fn option_of(&self, inner: Ty) -> Ty {
        self.lang_adt("Option", &[inner])
    }

    fn lang_adt(&self, role: &str, args: &[Ty]) -> Ty {
        match self.ck.defs.lang.adt(role) {
            Some(id) => Ty::adt(id, args),
            None => common().error,
        }
    }

    /// The arguments of a type, if it is the one with this role.
    fn as_lang(&self, ty: Ty, role: &str) -> Option<qz_types::Tys> {
        let (id, args) = self.shallow(ty).as_adt()?;
        (self.ck.defs.lang.adt(role) == Some(id)).then_some(args)
    }

    fn scheme(&mut self, id: FnId) -> crate::checker::SeenFn {
        self.ck.see(self.s, id)
    }

    /// Literals of a finished statement take their default type; bounds that became clear are met.
    fn end_of_statement(&mut self) {
        if self.st.literals.is_empty() && self.st.obligations.is_empty() && self.st.pending.is_empty() {
            return;
        }
        self.solve(false);
        self.settle_literals();
        self.solve(false);
    }

    fn settle_literals(&mut self) {
        for ty in std::mem::take(&mut self.st.literals) {
            self.settle(ty);
        }
    }

    /// Gives a literal's variable its default type if it has none yet.
    fn settle(&mut self, ty: Ty) {
        let default = match self.s.table.var_kind(ty) {
            Some(VarKind::Int) => common().int,
            Some(VarKind::Float) => common().f64,
            _ => return,
        };
        self.s.table.unify(ty, default).expect("a literal can have its default type");
    }

    /// Records a variable from a literal, to be settled with its statement.
    fn literal_var(&mut self, kind: VarKind) -> Ty {
        let var = self.s.table.fresh(kind);
        self.st.literals.push(var);
        var
    }

    /// The known shape of a type, settling literals and trying what is pending if it is still open.
    fn known(&mut self, ty: Ty) -> Ty {
        let known = self.shallow(ty);
        match self.s.table.var_kind(known) {
            None => known,
            Some(VarKind::Any) => {
                self.solve(false);
                self.shallow(known)
            }
            Some(_) => {
                self.settle(known);
                self.shallow(known)
            }
        }
    }

    fn expr_node(&self, expr: ExprId) -> Expr {
        self.body.exprs[expr].clone()
    }

    fn known_scheme(&mut self, id: FnId) -> Option<Arc<FnScheme>> {
        match self.scheme(id) {
            crate::checker::SeenFn::Known(scheme) => Some(scheme),
            crate::checker::SeenFn::Open { .. } => None,
        }
    }
}
