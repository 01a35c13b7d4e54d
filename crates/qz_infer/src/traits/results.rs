//! Results that are known by their bounds alone: `def items(self): impl Iterator<Int>`. Outside of the function nobody
//! knows more; when generics are instantiated, the type is what the body gives. In a trait, each impl has a type of its
//! own there.

use qz_hir::Container;
use qz_hir::defs::Predicate;
use qz_types::ty::common;
use qz_types::{FnId, InferTable, Ty, TyFlags, TyKind, Tys, subst};

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
                // A hidden type is the whole result.
                return subst(self.scheme(function).ret, fn_args);
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

    /// Whether revealing the type comes to the hidden type of `start` again, or never ends.
    fn is_endless(&self, ty: Ty, start: FnId, path: &mut Vec<Ty>) -> bool {
        let mut parts = Vec::new();
        ty.walk(&mut |part| parts.extend(matches!(part.kind(), TyKind::Opaque(..)).then_some(part)));
        parts.into_iter().any(|part| {
            let TyKind::Opaque(owner, n, args) = *part.kind() else { return false };
            let of_trait = matches!(self.defs.fns[owner].container, Container::Trait(_));
            if owner == start || path.len() >= DEEPEST {
                return true;
            }
            if of_trait && matches!(args[0].kind(), TyKind::Param(_) | TyKind::Assoc(_) | TyKind::Dyn(_)) {
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

impl TraitCx<'_, '_> {
    /// Whether a type meets the bounds of what a trait's method hides.
    pub(crate) fn meets_result(&mut self, method: FnId, found: Ty, args: &[Ty]) -> Truth {
        let sig = self.ck.defs.fn_sig(method);
        let bounds = sig.opaques.iter().flatten();
        bounds.fold(Truth::Yes, |truth, bound| {
            truth.and(|| self.holds(found, bound.subst(args).trait_ref, &mut Vec::new()))
        })
    }
}
