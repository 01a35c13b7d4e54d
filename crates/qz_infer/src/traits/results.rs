//! Results that are known by their bounds alone: `def items(self): impl Iterator<Int>`. Outside of the function nobody
//! knows more; when generics are instantiated, the type is what the body gives. In a trait, each impl has a type of its
//! own there.

use qz_base::Name;
use qz_hir::Container;
use qz_hir::defs::Predicate;
use qz_types::subst::Fold;
use qz_types::ty::common;
use qz_types::{AssocTy, FnId, InferTable, TraitRef, Ty, TyFlags, TyKind, Tys, VarKind, subst};

use super::select::MethodTarget;
use super::{TraitCx, Truth};
use crate::checker::Checker;
use crate::diagnostics as words;

/// So many hidden types are in each other before they are taken for endless.
pub(super) const DEEPEST: usize = 64;

impl Checker<'_> {
    /// What hidden type `n` in the result of a function stands for.
    pub(crate) fn revealed(&self, owner: FnId, n: u32, args: Tys) -> Ty {
        if let Container::Trait(trait_id) = self.defs.fns[owner].container {
            let count = self.defs.trait_generics(trait_id).len();
            let method = self.defs.traits[trait_id].methods.iter().position(|&it| it == owner);
            let method = method.expect("a trait's function is among its methods") as u32;
            let (of_trait, own) = args.split_at(count);
            let target = self.resolve_method(trait_id, method, Ty::list(of_trait), Ty::list(own));
            if let MethodTarget::Fn(function, fn_args) = target
                && function != owner
            {
                let given = subst(self.scheme(function).ret, fn_args);
                let mut table = InferTable::new();
                let mut cx = TraitCx { ck: self, table: &mut table, preds: &[] };
                // An impl whose result has another form has been reported.
                return cx.hidden_in(owner, given, args).map_or(common().error, |hidden| hidden[n as usize]);
            }
        }
        subst(self.check_fn(owner).hidden[n as usize], args)
    }

    /// Whether the type that an impl's method gives meets the bounds of the trait's hidden one. `args` are those of the
    /// trait's method in the impl.
    pub(crate) fn result_fits(&self, preds: &[Predicate], wanted: FnId, found: Ty, args: &[Ty]) -> bool {
        let mut table = InferTable::new();
        let found = self.normalize_with(&mut table, preds, found);
        TraitCx { ck: self, table: &mut table, preds }.meets_result(wanted, found, args) == Truth::Yes
    }

    /// Reports a function whose hidden result would be made of itself. Types of impls that parameters stand for are not
    /// known here.
    pub(crate) fn check_hidden_result(&self, id: FnId) {
        let hidden = &self.check_fn(id).hidden;
        let mut path = Vec::new();
        if hidden.iter().any(|&ty| ty.has(TyFlags::OPAQUE) && self.is_endless(ty, id, &mut path)) {
            self.defs.report(words::endless_result(self.defs.fn_span(id), self.defs.fns[id].name));
        }
    }

    /// The same where an impl made it so that parameters stand for: nobody gets such a value.
    pub(crate) fn endless(&self, owner: FnId) -> Ty {
        self.defs.report(words::endless_result(self.defs.fn_span(owner), self.defs.fns[owner].name));
        common().never
    }

    /// Whether a hidden type is a trait's, and nothing says yet whose impl is meant.
    pub(super) fn is_left_to_impls(&self, owner: FnId, args: Tys) -> bool {
        matches!(self.defs.fns[owner].container, Container::Trait(_))
            && matches!(
                args[0].kind(),
                TyKind::Param(_) | TyKind::Assoc(_) | TyKind::Opaque(..) | TyKind::Dyn(_)
            )
    }

    /// Whether revealing the type comes to the hidden type of `start` again, or never ends.
    fn is_endless(&self, ty: Ty, start: FnId, path: &mut Vec<Ty>) -> bool {
        let mut parts = Vec::new();
        ty.walk(&mut |part| parts.extend(matches!(part.kind(), TyKind::Opaque(..)).then_some(part)));
        parts.into_iter().any(|part| {
            let TyKind::Opaque(owner, n, args) = *part.kind() else { return false };
            if owner == start || path.len() >= DEEPEST {
                return true;
            }
            if self.is_left_to_impls(owner, args) {
                return false;
            }
            if path.contains(&part) {
                // A circle of others, who hear of it.
                return false;
            }
            path.push(part);
            let endless = self.is_endless(self.revealed(owner, n, args), start, path);
            path.pop();
            endless
        })
    }
}

/// Variables in place of what a function hides in its result.
pub(crate) struct Holes<'a> {
    pub(crate) owner: FnId,
    pub(crate) vars: &'a [Ty],
}

impl Fold for Holes<'_> {
    fn fold_ty(&mut self, ty: Ty) -> Ty {
        match *ty.kind() {
            TyKind::Opaque(owner, n, _) if owner == self.owner => self.vars[n as usize],
            _ if ty.has(TyFlags::OPAQUE) => self.fold_parts(ty),
            _ => ty,
        }
    }
}

impl TraitCx<'_, '_> {
    /// Whether a type has the form of what a trait's method gives, and what stands in it where the method hides types
    /// meets their bounds.
    pub(crate) fn meets_result(&mut self, method: FnId, found: Ty, args: &[Ty]) -> Truth {
        let Some(hidden) = self.hidden_in(method, found, args) else { return Truth::No };
        let sig = self.ck.defs.fn_sig(method);
        let bounds =
            sig.opaques.iter().zip(hidden).flat_map(|(bounds, ty)| bounds.iter().map(move |it| (it, ty)));
        bounds.fold(Truth::Yes, |truth, (bound, ty)| {
            let bound = bound.subst(args);
            let of_bound = bound.trait_ref.args.iter();
            let of_bound = of_bound.map(|&it| self.ck.normalize_with(self.table, self.preds, it));
            let trait_ref = TraitRef { args: Ty::list(&of_bound.collect::<Vec<_>>()), ..bound.trait_ref };
            truth
                .and(|| self.holds(ty, trait_ref, &mut Vec::new()))
                .and(|| self.has_assoc(ty, trait_ref, &bound.assoc))
        })
    }

    /// Whether the associated types of a type are those that a bound asks for.
    fn has_assoc(&mut self, ty: Ty, bound: TraitRef, wanted: &[(Name, Ty)]) -> Truth {
        let mut args = vec![ty];
        args.extend(bound.args);
        let args = Ty::list(&args);
        let equal = |cx: &mut Self, (name, want): (Name, Ty)| {
            let found = Ty::new(TyKind::Assoc(AssocTy { trait_id: bound.trait_id, args, name }));
            let found = cx.ck.normalize_with(cx.table, cx.preds, found);
            let want = cx.ck.normalize_with(cx.table, cx.preds, want);
            cx.table.unify(found, want).is_ok()
        };
        if wanted.iter().all(|&it| equal(self, it)) { Truth::Yes } else { Truth::No }
    }

    /// What stands in a result for each of the types that a trait's method hides in its own; `None` if the result has
    /// another form. `args` are those of the trait's method.
    fn hidden_in(&mut self, method: FnId, found: Ty, args: &[Ty]) -> Option<Vec<Ty>> {
        let sig = self.ck.defs.fn_sig(method);
        let wanted = sig.ret?;
        if let TyKind::Opaque(owner, ..) = *wanted.kind()
            && owner == method
        {
            return Some(vec![found]);
        }
        let vars: Vec<Ty> = sig.opaques.iter().map(|_| self.table.fresh(VarKind::Any)).collect();
        let form = Holes { owner: method, vars: &vars }.fold_ty(subst(wanted, args));
        let form = self.ck.normalize_with(self.table, self.preds, form);
        let found = self.ck.normalize_with(self.table, self.preds, found);
        self.table.unify(form, found).ok()?;
        Some(vars.into_iter().map(|it| self.table.resolve(it)).collect())
    }
}
