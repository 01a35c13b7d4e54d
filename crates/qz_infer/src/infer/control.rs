//! Branches, matches, loops, and leaving them.

use qz_hir::body::*;
use qz_types::ty::common;
use qz_types::{TraitRef, Ty, TyKind, VarKind};

use super::{Expect, Infer};
use crate::diagnostics as words;
use crate::facts::*;

/// The type that branches agree on.
struct Join {
    ty: Option<Ty>,
    discard: bool,
    /// Those that have this type.
    branches: Vec<ExprId>,
    /// See [`Infer::decides_result`].
    decides: bool,
}

impl Infer<'_, '_> {
    fn join_for(&mut self, expect: Expect) -> Join {
        let discard = match expect {
            Expect::Discard => true,
            Expect::Hint(hint) => self.shallow(hint).is_unit(),
            Expect::Any => false,
        };
        // A `dyn` or union converts each branch for itself.
        let ty = match expect {
            Expect::Hint(hint) if self.converts(hint) => Some(hint),
            _ => None,
        };
        Join { ty, discard, branches: Vec::new(), decides: self.decides_result(expect) }
    }

    /// Whether values of other types become values of this one.
    pub(super) fn converts(&self, ty: Ty) -> bool {
        let ty = self.shallow(ty);
        matches!(ty.kind(), TyKind::Dyn(_)) || self.is_refined(ty) || self.ck.defs.union_members(ty).is_some()
    }

    fn branch(&mut self, join: &mut Join, branch: ExprId, expect: Expect) {
        if join.discard {
            self.expr(branch, Expect::Discard);
            return;
        }
        let expected = match expect {
            Expect::Hint(hint) => Some(self.shallow(hint)).filter(|it| !it.is_infer()),
            _ => None,
        };
        match join.ty {
            // Nobody asked for a refined type: a plain value beside one is not checked behind the user's back.
            Some(ty) if expected.is_none() && self.is_refined(ty) => {
                let found = self.value(branch, expect);
                if !self.shallow(found).is_never() {
                    self.unify(branch, found, ty);
                }
            }
            Some(ty) if join.decides => {
                let found = self.value(branch, Expect::Hint(ty));
                let (found, ty) = (self.shallow(found), self.shallow(ty));
                let is_open = |ty: Ty| self.s.table.var_kind(ty) == Some(VarKind::Any);
                if self.is_own_result(found) {
                    // A call of the function that is being looked at: the other branches tell what it gives.
                } else if self.is_own_result(ty) {
                    join.ty = Some(found);
                } else if !found.is_never()
                    && !is_open(found)
                    && !is_open(ty)
                    && found.is_unit() != ty.is_unit()
                {
                    join.discard = true;
                    for it in join.branches.drain(..).chain([branch]) {
                        self.st.types.coercions.insert(it, Coercion::Discard);
                    }
                } else {
                    self.coerce(branch, found, ty);
                }
            }
            Some(ty) => self.check(branch, ty),
            None => {
                let ty = self.value(branch, expect);
                join.ty = match expected {
                    _ if self.shallow(ty).is_never() => None,
                    Some(expected) if self.is_refined(ty) => {
                        self.coerce(branch, ty, expected);
                        Some(expected)
                    }
                    _ => Some(ty),
                };
            }
        }
        join.branches.push(branch);
    }

    /// Whether branches are the end of a function or lambda whose result nobody wrote: where one of them has no value,
    /// there is none.
    fn decides_result(&self, expect: Expect) -> bool {
        let Expect::Hint(hint) = expect else { return false };
        let hint = self.shallow(hint);
        let is_hint = |ty: Ty| self.shallow(ty) == hint;
        hint.is_infer() && (is_hint(self.ret) || self.st.lambda_rets.values().any(|&it| is_hint(it)))
    }

    /// Whether the type is what the function gives, and nothing has said yet what that is.
    fn is_own_result(&self, ty: Ty) -> bool {
        let ty = self.shallow(ty);
        ty.is_infer() && ty == self.shallow(self.ret)
    }

    fn joined(&self, join: &Join, all_diverge: bool) -> Ty {
        match join.ty {
            _ if all_diverge => common().never,
            _ if join.discard => common().unit,
            Some(ty) => ty,
            None => common().never,
        }
    }

    pub(super) fn diverges(&self, expr: ExprId) -> bool {
        self.st.types.exprs.get(expr).is_some_and(|&ty| self.shallow(ty).is_never())
    }

    pub(super) fn if_(
        &mut self,
        id: ExprId,
        cond: ExprId,
        then: ExprId,
        else_: Option<ExprId>,
        expect: Expect,
    ) -> Ty {
        self.check(cond, common().bool);
        let mut join = self.join_for(expect);
        if else_.is_none() {
            join.discard = true;
        }
        self.where_known(cond, true, |cx| cx.branch(&mut join, then, expect));
        match else_ {
            Some(else_) => {
                self.where_known(cond, false, |cx| cx.branch(&mut join, else_, expect));
                let all = self.diverges(then) && self.diverges(else_);
                self.joined(&join, all)
            }
            None => {
                if let Expect::Hint(hint) = expect {
                    let hint = self.shallow(hint);
                    if !hint.is_unit() && !hint.is_infer() && !hint.is_error() && !self.diverges(then) {
                        let span = self.span(id);
                        let shown = self.show(hint);
                        self.report(words::if_without_else(span, &shown));
                        return self.error();
                    }
                }
                common().unit
            }
        }
    }

    pub(super) fn match_(&mut self, id: ExprId, subject: ExprId, arms: &[Arm], expect: Expect) -> Ty {
        let ty = self.value(subject, Expect::Any);
        let ty = self.known(ty);
        let ty = self.opened_subject(subject, ty, arms.iter().map(|arm| arm.pat));
        let mut join = self.join_for(expect);
        let mut all_diverge = true;
        let outer = self.st.told.len();
        for arm in arms {
            self.pattern(arm.pat, ty);
            let mark = self.st.told.len();
            let matched = self.facts_of_test(subject, arm.pat, true);
            self.assume(matched);
            match arm.guard {
                Some(guard) => {
                    self.check(guard, common().bool);
                    self.where_known(guard, true, |cx| cx.branch(&mut join, arm.body, expect));
                }
                None => self.branch(&mut join, arm.body, expect),
            }
            self.leave(mark);
            if arm.guard.is_none() {
                let others = self.facts_of_test(subject, arm.pat, false);
                self.assume(others);
            }
            all_diverge &= self.diverges(arm.body);
        }
        self.leave(outer);
        if arms.is_empty() {
            // The parser has told.
            self.st.failed = true;
            return self.error();
        }
        self.st.matches.push(super::exhaustive_job::Job::Match { expr: id });
        self.joined(&join, all_diverge)
    }

    pub(super) fn while_(&mut self, cond: ExprId, body: ExprId) -> Ty {
        self.enter_loop(&[cond, body]);
        self.check(cond, common().bool);
        self.where_known(cond, true, |cx| {
            cx.expr(body, Expect::Discard);
        });
        common().unit
    }

    pub(super) fn loop_(&mut self, body: ExprId, loop_: LoopId, expect: Expect) -> Ty {
        let value = match expect {
            Expect::Hint(hint) => hint,
            _ => self.fresh(),
        };
        self.st.loop_values.insert(loop_, (value, false));
        self.enter_loop(&[body]);
        self.expr(body, Expect::Discard);
        let (value, broke) = self.st.loop_values[&loop_];
        if broke { value } else { common().never }
    }

    pub(super) fn break_(&mut self, id: ExprId, loop_: LoopId, value: Option<ExprId>) -> Ty {
        let Some((ty, _)) = self.st.loop_values.get(&loop_).copied() else {
            if let Some(value) = value {
                self.expr(value, Expect::Any);
            }
            return common().never;
        };
        self.st.loop_values.insert(loop_, (ty, true));
        match value {
            Some(value) => self.check(value, ty),
            None => {
                let unit = common().unit;
                // Without a value the loop is worth nothing; where one is wanted, this is the place to say so.
                self.unify(id, unit, ty);
            }
        }
        common().never
    }

    pub(super) fn return_(&mut self, id: ExprId, lambda: Option<LambdaId>, value: Option<ExprId>) -> Ty {
        let ret = match lambda {
            None => self.ret,
            Some(lambda) => self.st.lambda_rets[&lambda],
        };
        match value {
            Some(value) => {
                if self.shallow(ret).is_unit() {
                    let ty = self.value(value, Expect::Hint(ret));
                    if !self.shallow(ty).is_never() {
                        self.coerce(value, ty, ret);
                    }
                } else {
                    self.check(value, ret);
                }
            }
            None => {
                self.unify(id, common().unit, ret);
            }
        }
        common().never
    }

    /// `for`: what is walked, and how.
    pub(super) fn for_(&mut self, id: ExprId, pats: &[PatId], iter: ExprId, body: ExprId) -> Ty {
        let ty = self.opened(iter, Expect::Any);
        let ty = self.known(ty);
        let item = self.iteration(id, iter, ty);
        match *pats {
            [only] => self.for_pattern(only, item),
            [first, second] => {
                let (key, value) = self.taken_in_two(id, ty, item);
                self.for_pattern(first, key);
                self.for_pattern(second, value);
            }
            _ => {
                for &pat in pats {
                    let error = self.error();
                    self.pattern(pat, error);
                }
            }
        }
        self.enter_loop(&[body]);
        self.expr(body, Expect::Discard);
        self.end_of_statement();
        common().unit
    }

    /// What two names of a loop stand for: key and value of a `Keyed` sequence, else index and element.
    fn taken_in_two(&mut self, id: ExprId, ty: Ty, item: Ty) -> (Ty, Ty) {
        let keyed = self.ck.defs.lang.trait_("Keyed").is_some_and(|trait_id| {
            let bound = TraitRef { trait_id, args: &[] };
            self.traits().holds(ty, bound, &mut Vec::new()) == crate::traits::Truth::Yes
        });
        match (*self.shallow(item).kind(), self.st.types.loops.get_mut(id)) {
            (TyKind::Tuple(&[key, value]), Some(ForPlan::Iterator { by_pair, .. })) if keyed => {
                *by_pair = true;
                (key, value)
            }
            _ => (common().int, item),
        }
    }

    fn for_pattern(&mut self, pat: PatId, ty: Ty) {
        self.pattern(pat, ty);
        self.st.matches.push(super::exhaustive_job::Job::Irrefutable { pat });
    }

    /// The type of the elements, and the plan recorded at `id`.
    fn iteration(&mut self, id: ExprId, iter: ExprId, ty: Ty) -> Ty {
        if ty.is_error() {
            return self.error();
        }
        if let Some(args) = self.as_lang(ty, "Range") {
            self.settle(args[0]);
            if self.shallow(args[0]).is_integer() {
                self.st.types.loops.insert(id, ForPlan::Range);
                return args[0];
            }
        }
        if let Some(args) = self.as_lang(ty, "Vec") {
            self.st.types.loops.insert(id, ForPlan::Vec);
            return args[0];
        }
        let span = self.span(iter);
        if self.known(ty).is_infer() {
            return self.iterate_unknown(id, span, ty);
        }
        if let Some(item) = self.iterate_by(id, span, ty, false) {
            return item;
        }
        if let Some(item) = self.iterate_by(id, span, ty, true) {
            return item;
        }
        let shown = self.show(ty);
        self.report(words::not_iterable(span, &shown));
        self.error()
    }

    /// A sequence whose type is not known (yet) must be something that can be walked, with an unknown iterator: that is what
    /// a parameter without a written type comes to.
    fn iterate_unknown(&mut self, id: ExprId, span: qz_base::Span, ty: Ty) -> Ty {
        let lang = &self.ck.defs.lang;
        let (Some(walk), Some(iterator)) = (lang.trait_("Walk"), lang.trait_("Iterator")) else {
            return self.error();
        };
        let (item, iter_ty) = (self.fresh(), self.fresh());
        let bound = TraitRef { trait_id: walk, args: Ty::list(&[item]) };
        let mut asked = crate::traits::Obligation::trait_(ty, bound, span);
        asked.assoc.push((qz_base::Name::new("Iter"), iter_ty));
        self.st.obligations.push(asked);
        let bound = TraitRef { trait_id: iterator, args: Ty::list(&[item]) };
        self.st.obligations.push(crate::traits::Obligation::trait_(iter_ty, bound, span));
        let method =
            |trait_id, ty| Callee::Method { trait_id, method: 0, args: Ty::list(&[ty, item]), own_args: &[] };
        let plan = ForPlan::Iterator {
            iter: Some(method(walk, ty)),
            iter_ty,
            next: method(iterator, iter_ty),
            item,
            by_pair: false,
        };
        self.st.types.loops.insert(id, plan);
        item
    }

    /// Through `Iterator` directly, or through `Iterable`'s `iter`.
    fn iterate_by(&mut self, id: ExprId, span: qz_base::Span, ty: Ty, through_iter: bool) -> Option<Ty> {
        let defs = self.ck.defs;
        let iterator = defs.lang.trait_("Iterator")?;
        let item = self.fresh();
        let (iter_callee, iter_ty) = if through_iter {
            let iterable = defs.lang.trait_("Iterable")?;
            let bound = TraitRef { trait_id: iterable, args: Ty::list(&[item]) };
            if !self.traits().might_hold(ty, bound) {
                return None;
            }
            let (_, fact, _, ret) = self.trait_method_types(span, ty, bound, 0, &[]);
            self.solve(false);
            (Some(fact), self.shallow(ret))
        } else {
            (None, ty)
        };
        let bound = TraitRef { trait_id: iterator, args: Ty::list(&[item]) };
        if !iter_ty.is_infer() && !self.traits().might_hold(iter_ty, bound) {
            return None;
        }
        let (_, next, ..) = self.trait_method_types(span, iter_ty, bound, 0, &[]);
        self.solve(false);
        let plan = ForPlan::Iterator { iter: iter_callee, iter_ty, next, item, by_pair: false };
        self.st.types.loops.insert(id, plan);
        Some(self.shallow(item))
    }
}
