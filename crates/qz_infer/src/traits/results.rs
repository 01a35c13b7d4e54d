//! Results of trait methods that are known by their bounds alone: `def items(self): impl Iterator<Int>` in a trait. Each
//! impl has a type of its own there; who knows the impl knows the type when generics are instantiated.

use qz_hir::{Container, FnDef};
use qz_types::{FnId, Ty, TyFlags, TyKind, Tys, subst};

use super::select::MethodTarget;
use super::{TraitCx, Truth};
use crate::checker::Checker;

impl Checker<'_> {
    /// What hidden type `n` in the result of a function stands for. `args` have no parameters.
    pub(crate) fn revealed(&self, owner: FnId, n: u32, args: Tys) -> Ty {
        if let Container::Trait(trait_id) = self.defs.fns[owner].container {
            let count = self.defs.trait_generics(trait_id).len();
            let methods = &self.defs.traits[trait_id].methods;
            let method = methods.iter().position(|&it| it == owner).expect("a method of its trait") as u32;
            let (of_trait, own) = args.split_at(count);
            let target = self.resolve_method(trait_id, method, Ty::list(of_trait), Ty::list(own));
            if let MethodTarget::Fn(function, fn_args) = target
                && function != owner
            {
                let wanted = self.defs.fn_sig(owner).ret.expect("a hidden type is written");
                let found = self.scheme(function).ret;
                let parts = hidden_parts(wanted, found, owner).expect("checked with the impl");
                let part = parts.iter().find(|it| it.0 == n).expect("each hidden type stands in the result").1;
                return subst(part, fn_args);
            }
        }
        subst(self.check_fn(owner).hidden[n as usize], args)
    }

    /// Whether the result of an impl's method is what the trait's method says, with types that meet the bounds where that
    /// hides one. `args` are those of the trait's method in the impl.
    pub(crate) fn result_fits(&self, preds: &[qz_hir::defs::Predicate], wanted: FnId, found: Ty, args: &[Ty]) -> bool {
        let sig = self.defs.fn_sig(wanted);
        let Some(ret) = sig.ret else { return true };
        let normalized = |ty: Ty| {
            let mut table = qz_types::InferTable::new();
            self.normalize_with(&mut table, preds, ty)
        };
        let found = normalized(found);
        let Some(parts) = hidden_parts(normalized(subst(ret, args)), found, wanted) else { return false };
        parts.into_iter().all(|(n, part)| {
            let bounds = &sig.opaques[n as usize];
            bounds.iter().all(|bound| {
                let mut table = qz_types::InferTable::new();
                let mut cx = TraitCx { ck: self, table: &mut table, preds };
                cx.holds(part, bound.subst(args).trait_ref, &mut Vec::new()) == Truth::Yes
            })
        })
    }

    /// Whether a trait's method hides types of its result.
    pub(crate) fn hides_result(&self, def: &FnDef, method: FnId) -> bool {
        matches!(def.container, Container::Trait(_)) && !self.defs.fn_sig(method).opaques.is_empty()
    }
}

/// What stands in a type where another one, otherwise the same, has hidden types of this owner; nothing if they differ.
fn hidden_parts(wanted: Ty, found: Ty, owner: FnId) -> Option<Vec<(u32, Ty)>> {
    let mut parts = Vec::new();
    collect(wanted, found, owner, &mut parts).then_some(parts)
}

fn collect(wanted: Ty, found: Ty, owner: FnId, out: &mut Vec<(u32, Ty)>) -> bool {
    if wanted.is_error() || found.is_error() || !wanted.has(TyFlags::OPAQUE) {
        return wanted == found || wanted.is_error() || found.is_error();
    }
    let mut all = |wanted: Tys, found: Tys| {
        wanted.len() == found.len() && wanted.iter().zip(found).all(|(&w, &f)| collect(w, f, owner, out))
    };
    match (*wanted.kind(), *found.kind()) {
        (TyKind::Opaque(of, n, _), _) if of == owner => {
            out.push((n, found));
            true
        }
        (TyKind::Adt(a, wanted), TyKind::Adt(b, found)) => a == b && all(wanted, found),
        (TyKind::Tuple(wanted), TyKind::Tuple(found)) => all(wanted, found),
        (TyKind::Fn(wanted), TyKind::Fn(found)) => {
            all(wanted.params, found.params) && collect(wanted.ret, found.ret, owner, out)
        }
        _ => wanted == found,
    }
}
