//! Selection for concrete types: which function a trait's method is. Used when generics are instantiated;
//! the checker has made sure that there is an answer.

use qz_base::FxHashMap;
use qz_hir::ImplId;
use qz_types::{AssocTy, FnId, Fold, InferTable, TraitId, TraitRef, Ty, TyFlags, TyKind, Tys};

use super::results::DEEPEST;
use super::{Derived, Outcome, TraitCx, replace_assoc};
use crate::checker::Checker;

/// What makes a trait hold for a concrete type.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    Impl(ImplId, Tys),
    /// The type's own methods fit.
    Own,
    /// By the structure of the type.
    Derived(Derived),
    /// `+` of two tuples.
    Joined,
    /// The value is a `dyn` that carries the trait.
    Dyn,
}

/// The function behind a trait's method.
#[derive(Clone, Debug, PartialEq)]
pub enum MethodTarget {
    Fn(FnId, Tys),
    /// Made from the type's structure.
    Derived(Derived),
    /// `+` of two tuples.
    Joined,
    /// `inspect` of a refined type or a union, which is that of the value inside.
    InsideInspect,
    /// Through the table of a `dyn` value.
    Dyn,
}

impl Checker<'_> {
    /// Selects for a type without parameters or variables.
    pub fn select(&self, ty: Ty, bound: TraitRef) -> Option<Selection> {
        let mut table = InferTable::new();
        let mut cx = TraitCx { ck: self, table: &mut table, preds: &[] };
        if let TyKind::Dyn(_) = ty.kind()
            && !cx.bounds_of(ty, bound.trait_id).is_empty()
        {
            return Some(Selection::Dyn);
        }
        if let Some(&id) = cx.matching_impls(ty, bound).first() {
            let header = self.defs.impl_header(id);
            let args = cx.fresh_args(header.generics.len());
            cx.unify_header(id, &args, ty, bound);
            // Parameters that only occur in bounds are fixed by them.
            let goals = cx.impl_goals(&header.generics.preds, &args);
            cx.settle(goals);
            let args: Vec<Ty> = args.iter().map(|&arg| self.normalize(table.resolve(arg))).collect();
            return Some(Selection::Impl(id, Ty::list(&args)));
        }
        if cx.own_methods(ty, bound) == super::Truth::Yes {
            return Some(Selection::Own);
        }
        if cx.joined(ty, bound).is_ok() {
            return Some(Selection::Joined);
        }
        Derived::of(self.defs, bound.trait_id).map(Selection::Derived)
    }

    /// Whether a bound is true for a type without parameters or variables.
    pub fn holds(&self, ty: Ty, bound: TraitRef) -> bool {
        let mut table = InferTable::new();
        let mut cx = TraitCx { ck: self, table: &mut table, preds: &[] };
        cx.holds(ty, bound, &mut Vec::new()) == super::Truth::Yes
    }

    /// Whether several tasks may know values of the type at once.
    pub(crate) fn is_share(&self, ty: Ty) -> bool {
        let share = self.defs.lang.trait_("Share");
        share.is_some_and(|trait_id| self.holds(ty, TraitRef { trait_id, args: &[] }))
    }

    /// Why a trait's method cannot be called through a `dyn` value, if it cannot.
    pub fn dyn_obstacle(&self, method: FnId) -> Option<&'static str> {
        let def = &self.defs.fns[method];
        let sig = self.defs.fn_sig(method);
        let qz_hir::Container::Trait(trait_id) = def.container else { return None };
        let mentions_self = |ty: Ty| {
            let mut found = false;
            ty.walk(&mut |part| found |= matches!(part.kind(), TyKind::Param(it) if it.index == 0));
            found
        };
        if def.self_param.is_none() {
            return Some("takes no `self`");
        }
        if sig.generics.len() > self.defs.trait_generics(trait_id).len() {
            return Some("has type parameters of its own");
        }
        if !sig.opaques.is_empty() {
            return Some("hides the type of its result");
        }
        let others = sig.params.iter().skip(1).filter_map(|it| it.ty).chain(sig.ret);
        others.into_iter().any(mentions_self).then_some("mentions `Self` besides its receiver")
    }

    /// The traits a `dyn` type carries, supertraits included, in a fixed order.
    pub fn dyn_bounds(&self, ty: Ty) -> Vec<TraitRef> {
        let mut table = InferTable::new();
        TraitCx { ck: self, table: &mut table, preds: &[] }.known_bounds(ty)
    }

    /// The function for method `method` of the trait. `args` starts with `Self`.
    pub fn resolve_method(&self, trait_id: TraitId, method: u32, args: Tys, own_args: Tys) -> MethodTarget {
        let ty = args[0];
        let bound = TraitRef { trait_id, args: Ty::list(&args[1..]) };
        let required = self.defs.traits[trait_id].methods[method as usize];
        let default = || {
            let all: Vec<Ty> = args.iter().chain(own_args).copied().collect();
            MethodTarget::Fn(required, Ty::list(&all))
        };
        let has_default = self.defs.fns[required].has_body;
        let own = || {
            let mut table = InferTable::new();
            let mut cx = TraitCx { ck: self, table: &mut table, preds: &[] };
            match cx.own_method(ty, bound, required) {
                Some((function, impl_args)) => {
                    let all: Vec<Ty> = impl_args
                        .iter()
                        .map(|&it| table.resolve(it))
                        .chain(own_args.iter().copied())
                        .collect();
                    MethodTarget::Fn(function, Ty::list(&all))
                }
                None => default(),
            }
        };
        match self.select(ty, bound) {
            Some(Selection::Dyn) => MethodTarget::Dyn,
            Some(Selection::Impl(id, impl_args)) => {
                let name = self.defs.fns[required].name;
                let written =
                    self.defs.impls[id].methods.iter().copied().find(|&it| self.defs.fns[it].name == name);
                match written {
                    Some(function) => {
                        let all: Vec<Ty> = impl_args.iter().chain(own_args).copied().collect();
                        MethodTarget::Fn(function, Ty::list(&all))
                    }
                    // An empty impl stands for the type's own methods.
                    None if !has_default => own(),
                    None => default(),
                }
            }
            Some(Selection::Own) => own(),
            Some(Selection::Joined) => MethodTarget::Joined,
            // A refined value stands in others as its base does, a value of a union as the member it is.
            Some(Selection::Derived(Derived::Show)) if has_default && self.shows_inside(ty) => {
                MethodTarget::InsideInspect
            }
            // Of a structural trait, what has a default in terms of the rest keeps it.
            Some(Selection::Derived(_)) if has_default && !is_core(self.defs.fns[required].name.as_str()) => {
                default()
            }
            Some(Selection::Derived(derived)) => MethodTarget::Derived(derived),
            None => default(),
        }
    }

    /// Whether a value shows as the value inside of it.
    fn shows_inside(&self, ty: Ty) -> bool {
        self.defs.refined_ty(ty).is_some() || self.defs.union_members(ty).is_some()
    }

    /// A type without parameters as code has it: associated and hidden types are resolved, rows are left out.
    pub fn normalize(&self, ty: Ty) -> Ty {
        let ty = ty.without_rows();
        if !ty.has(TyFlags::UNSETTLED) {
            return ty;
        }
        let revealed = Reveal { ck: self, seen: FxHashMap::default(), open: Vec::new() }.fold_ty(ty);
        let mut table = InferTable::new();
        let resolved = self.normalize_with(&mut table, &[], revealed);
        if resolved == ty || !resolved.has(TyFlags::OPAQUE.union(TyFlags::ROW)) {
            resolved
        } else {
            self.normalize(resolved)
        }
    }

    /// Resolves associated types as far as bounds and impls tell.
    pub(crate) fn normalize_with(
        &self,
        table: &mut InferTable,
        preds: &[qz_hir::defs::Predicate],
        ty: Ty,
    ) -> Ty {
        if !ty.has(TyFlags::ASSOC) {
            return ty;
        }
        let mut jobs: Vec<(AssocTy, Ty)> = Vec::new();
        let replaced = replace_assoc(ty, &mut |assoc| {
            let var = table.fresh(qz_types::VarKind::Any);
            jobs.push((assoc, var));
            var
        });
        let mut cx = TraitCx { ck: self, table, preds };
        let goals = jobs.into_iter().map(|(assoc, var)| super::Goal::Projection { assoc, var }).collect();
        cx.settle(goals);
        table.resolve(replaced)
    }
}

impl TraitCx<'_, '_> {
    /// Solves goals as far as they go; what stays open is left.
    fn settle(&mut self, goals: Vec<super::Goal>) {
        let span = qz_base::Span::new(qz_base::FileId(0), qz_base::TextRange::default());
        let mut open: Vec<super::Goal> = goals;
        loop {
            let mut progress = false;
            for goal in std::mem::take(&mut open) {
                let obligation = super::Obligation {
                    goal: goal.clone(),
                    assoc: Vec::new(),
                    span,
                    asked_by: None,
                    is_key: false,
                };
                match self.solve(&obligation) {
                    Outcome::Holds(nested) => {
                        progress = true;
                        open.extend(nested);
                    }
                    Outcome::Open { .. } => open.push(goal),
                    Outcome::Fails => {}
                }
            }
            if !progress || open.is_empty() {
                return;
            }
        }
    }
}

/// Methods of structural traits that are made from the parts, even where the trait has a default.
fn is_core(name: &str) -> bool {
    matches!(name, "op_eq" | "cmp" | "hash" | "show" | "clone")
}

/// Replaces hidden types by what their function's body says they are.
struct Reveal<'a, 'd> {
    ck: &'a Checker<'d>,
    seen: FxHashMap<Ty, Ty>,
    /// Hidden types that are being looked into.
    open: Vec<Ty>,
}

impl Fold for Reveal<'_, '_> {
    fn fold_ty(&mut self, ty: Ty) -> Ty {
        if !ty.has(TyFlags::OPAQUE) {
            return ty;
        }
        if let Some(&known) = self.seen.get(&ty) {
            return known;
        }
        let folded = self.fold_parts(ty);
        let revealed = match *folded.kind() {
            // Which impl it is depends on a parameter: generic code knows the bounds alone.
            TyKind::Opaque(owner, _, args) if self.ck.is_left_to_impls(owner, args) => folded,
            TyKind::Opaque(owner, n, args) => {
                if self.open.contains(&folded) || self.open.len() >= DEEPEST {
                    return self.ck.endless(owner);
                }
                self.open.push(folded);
                let revealed = self.fold_ty(self.ck.revealed(owner, n, args));
                self.open.pop();
                revealed
            }
            _ => folded,
        };
        self.seen.insert(ty, revealed);
        revealed
    }
}
