//! Which impl makes a bound true: written impls, bounds in scope, methods that happen to fit, and the
//! operations every type has by its structure.
//!
//! The order: bounds of a type parameter, `dyn` or hidden type; written impls; for other traits the type's
//! own methods, if they have exactly the required signatures; and for the structural traits the parts of the
//! type. The same code answers during inference, where types may be half known, and for concrete types
//! during instantiation ([`TraitCx::select`]).

mod fits;
mod markers;
pub(crate) mod results;
mod select;

use qz_base::{Name, Span};
use qz_hir::defs::Predicate;
use qz_hir::{Defs, ImplId, TyHead};
use qz_types::{AssocTy, FnId, Fold, InferTable, TraitId, TraitRef, Ty, TyFlags, TyKind, subst};

use crate::checker::Checker;

pub(crate) use fits::{Asked, Marker};
pub use select::{MethodTarget, Selection};

/// Something that must hold, and why.
#[derive(Clone, Debug)]
pub struct Obligation {
    pub(crate) goal: Goal,
    pub(crate) assoc: Vec<(Name, Ty)>,
    pub(crate) span: Span,
    /// The function whose signature asks.
    pub(crate) asked_by: Option<FnId>,
    /// Asked because the type is a key of a map or set.
    pub(crate) is_key: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Goal {
    Trait { ty: Ty, bound: TraitRef },
    Projection { assoc: AssocTy, var: Ty },
}

pub(crate) enum Outcome {
    /// True if these are too.
    Holds(Vec<Goal>),
    /// Too little is known yet. `progress`: something was learnt all the same.
    Open {
        progress: bool,
    },
    Fails,
}

impl Obligation {
    pub(crate) fn trait_(ty: Ty, bound: TraitRef, span: Span) -> Obligation {
        Obligation { goal: Goal::Trait { ty, bound }, assoc: Vec::new(), span, asked_by: None, is_key: false }
    }

    pub(crate) fn projection(assoc: AssocTy, var: Ty, span: Span) -> Obligation {
        let goal = Goal::Projection { assoc, var };
        Obligation { goal, assoc: Vec::new(), span, asked_by: None, is_key: false }
    }

    /// What an obligation comes down to keeps its place and reason.
    pub(crate) fn nested(&self, goal: Goal) -> Obligation {
        Obligation { goal, assoc: Vec::new(), ..self.clone() }
    }
}

/// Operations derived from a type's structure.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Hash)]
pub enum Derived {
    Eq,
    Ord,
    Hash,
    Show,
    Clone,
}

qz_types::keep!(units Derived: Eq Ord Hash Show Clone);

impl Derived {
    /// The structural trait with this id, if it is one.
    pub fn of(defs: &Defs, id: TraitId) -> Option<Derived> {
        Some(match defs.traits[id].lang?.as_str() {
            "Eq" => Derived::Eq,
            "Ord" => Derived::Ord,
            "Hash" => Derived::Hash,
            "Show" => Derived::Show,
            "Clone" => Derived::Clone,
            _ => return None,
        })
    }
}

/// Answers with what is known in one place: the variables and the bounds in scope.
pub struct TraitCx<'a, 'd> {
    pub ck: &'a Checker<'d>,
    pub table: &'a mut InferTable,
    pub preds: &'a [Predicate],
}

/// Yes, no, or not known yet.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Truth {
    Yes,
    No,
    Open,
}

impl Truth {
    fn and(self, other: impl FnOnce() -> Truth) -> Truth {
        match self {
            Truth::No => Truth::No,
            Truth::Yes => other(),
            Truth::Open => match other() {
                Truth::No => Truth::No,
                _ => Truth::Open,
            },
        }
    }
}

/// A bound, and what it says of associated types.
type Told = (TraitRef, Vec<(Name, Ty)>);

/// Adds a bound; what it says of associated types joins what is known of the same bound.
fn learn(all: &mut Vec<Told>, bound: TraitRef, assoc: &[(Name, Ty)]) {
    let known = match all.iter_mut().find(|it| it.0 == bound) {
        Some(known) => &mut known.1,
        None => {
            all.push((bound, assoc.to_vec()));
            return;
        }
    };
    let new = assoc.iter().filter(|it| known.iter().all(|old| old.0 != it.0)).copied();
    let new: Vec<_> = new.collect();
    known.extend(new);
}

/// Replaces every associated type by what `f` gives for it.
pub(crate) fn replace_assoc(ty: Ty, f: &mut dyn FnMut(AssocTy) -> Ty) -> Ty {
    struct Replace<'a>(&'a mut dyn FnMut(AssocTy) -> Ty);
    impl Fold for Replace<'_> {
        fn fold_ty(&mut self, ty: Ty) -> Ty {
            if !ty.has(TyFlags::ASSOC) {
                return ty;
            }
            match self.fold_parts(ty).kind() {
                TyKind::Assoc(assoc) => (self.0)(*assoc),
                other => Ty::new(*other),
            }
        }
    }
    Replace(f).fold_ty(ty)
}

impl TraitCx<'_, '_> {
    fn fresh(&mut self) -> Ty {
        self.table.fresh(qz_types::VarKind::Any)
    }

    fn fresh_args(&mut self, n: usize) -> Vec<Ty> {
        (0..n).map(|_| self.fresh()).collect()
    }

    pub(crate) fn solve(&mut self, obligation: &Obligation) -> Outcome {
        match &obligation.goal {
            Goal::Trait { ty, bound } => self.solve_trait(*ty, *bound, &obligation.assoc),
            Goal::Projection { assoc, var } => self.solve_projection(assoc, *var),
        }
    }

    fn solve_trait(&mut self, ty: Ty, bound: TraitRef, assoc: &[(Name, Ty)]) -> Outcome {
        let ty = self.table.shallow(ty);
        let ty = self.table.shallow(ty.peel_ref());
        if ty.is_error() || ty.is_never() {
            return Outcome::Holds(Vec::new());
        }
        if ty.is_infer() {
            return Outcome::Open { progress: false };
        }
        match self.by_bounds(ty, bound) {
            Truth::Yes => return Outcome::Holds(self.assoc_goals(ty, bound, assoc)),
            Truth::Open => return Outcome::Open { progress: false },
            Truth::No => {}
        }
        if let Some(found) = self.of_open_record(ty, bound) {
            return found;
        }
        match self.matching_impls(ty, bound)[..] {
            [only] => {
                let Some(goals) = self.use_impl(only, ty, bound) else {
                    return Outcome::Open { progress: false };
                };
                let mut nested = self.assoc_goals(ty, bound, assoc);
                nested.extend(goals);
                return Outcome::Holds(nested);
            }
            [] => {}
            _ => return Outcome::Open { progress: false },
        }
        match self.without_impl(ty, bound, &mut Vec::new()) {
            Truth::Yes => Outcome::Holds(self.assoc_goals(ty, bound, assoc)),
            Truth::Open => Outcome::Open { progress: false },
            Truth::No => Outcome::Fails,
        }
    }

    /// That associated types are the wanted ones, in which others may stand: `Key = A::Key`.
    fn assoc_goals(&mut self, ty: Ty, bound: TraitRef, wanted: &[(Name, Ty)]) -> Vec<Goal> {
        let mut args = vec![ty];
        args.extend(bound.args);
        let args = Ty::list(&args);
        let mut goals = Vec::new();
        for &(name, want) in wanted {
            let var = replace_assoc(want, &mut |assoc| {
                let var = self.table.fresh(qz_types::VarKind::Any);
                goals.push(Goal::Projection { assoc, var });
                var
            });
            goals.push(Goal::Projection { assoc: AssocTy { trait_id: bound.trait_id, args, name }, var });
        }
        goals
    }

    /// Whether the bound could be met, for all that is known. Nothing is learnt.
    pub(crate) fn might_hold(&mut self, ty: Ty, bound: TraitRef) -> bool {
        let at = self.table.snapshot();
        let truth = self.holds(ty, bound, &mut Vec::new());
        self.table.rollback(at);
        truth != Truth::No
    }

    /// Whether the bound holds for a type, with everything it comes down to.
    pub(crate) fn holds(&mut self, ty: Ty, bound: TraitRef, seen: &mut Vec<(Ty, TraitId)>) -> Truth {
        let ty = self.table.shallow(ty);
        let ty = self.table.shallow(ty.peel_ref());
        if ty.is_error() || ty.is_never() {
            return Truth::Yes;
        }
        if ty.is_infer() {
            return Truth::Open;
        }
        // A type that holds itself is fine if everything else in it is (coinduction).
        let resolved = self.table.resolve(ty);
        if bound.args.is_empty() {
            if seen.contains(&(resolved, bound.trait_id)) {
                return Truth::Yes;
            }
            seen.push((resolved, bound.trait_id));
        }
        let by_bounds = self.by_bounds(ty, bound);
        if by_bounds != Truth::No {
            return by_bounds;
        }
        match self.matching_impls(ty, bound)[..] {
            [only] => {
                let Some(goals) = self.use_impl(only, ty, bound) else { return Truth::Open };
                let mut truth = Truth::Yes;
                for goal in goals {
                    if let Goal::Trait { ty, bound } = goal {
                        truth = truth.and(|| self.holds(ty, bound, seen));
                    }
                }
                truth
            }
            [] => self.without_impl(ty, bound, seen),
            _ => Truth::Open,
        }
    }

    /// Bounds known of a type without looking at impls: of a parameter, a `dyn`, a hidden type.
    pub(crate) fn known_bounds(&mut self, ty: Ty) -> Vec<TraitRef> {
        self.told(ty).into_iter().map(|it| it.0).collect()
    }

    /// Known bounds, supertraits included, with what they say of associated types.
    fn told(&self, ty: Ty) -> Vec<Told> {
        let defs = self.ck.defs;
        let mut all: Vec<Told> = Vec::new();
        for pred in self.preds.iter().filter(|it| it.ty == ty) {
            learn(&mut all, pred.trait_ref, &pred.assoc);
        }
        match *ty.kind() {
            TyKind::Dyn(traits) => traits.iter().for_each(|&it| learn(&mut all, it, &[])),
            TyKind::Opaque(owner, n, args) => {
                for pred in &defs.fn_sig(owner).opaques[n as usize] {
                    let pred = pred.subst(args);
                    learn(&mut all, pred.trait_ref, &pred.assoc);
                }
            }
            TyKind::Assoc(assoc) => {
                let of = defs.assoc_bounds(assoc.trait_id);
                for (_, pred) in of.iter().filter(|it| it.0 == assoc.name) {
                    let pred = pred.subst(assoc.args);
                    learn(&mut all, pred.trait_ref, &pred.assoc);
                }
            }
            _ => {}
        }
        let mut at = 0;
        while at < all.len() {
            let bound = all[at].0;
            at += 1;
            let mut args = vec![ty];
            args.extend(bound.args);
            for pred in defs.trait_supers(bound.trait_id).iter() {
                let pred = pred.subst(&args);
                learn(&mut all, pred.trait_ref, &pred.assoc);
            }
        }
        all
    }

    /// What the bounds of a type say of one of its associated types.
    fn told_assoc(&mut self, ty: Ty, bound: TraitRef, name: Name) -> Option<Ty> {
        let told = self.told(ty).into_iter().filter(|it| it.0.trait_id == bound.trait_id);
        let mut fitting = told.filter(|it| {
            let at = self.table.snapshot();
            let fits = self.table.unify_lists(it.0.args, bound.args).is_ok();
            self.table.rollback(at);
            fits
        });
        let only = fitting.next().filter(|_| fitting.next().is_none())?;
        only.1.iter().find(|it| it.0 == name).map(|it| it.1)
    }

    /// Known bounds of a type with one trait.
    pub(crate) fn bounds_of(&mut self, ty: Ty, trait_id: TraitId) -> Vec<TraitRef> {
        let ty = self.table.shallow(ty);
        self.known_bounds(ty).into_iter().filter(|it| it.trait_id == trait_id).collect()
    }

    fn by_bounds(&mut self, ty: Ty, bound: TraitRef) -> Truth {
        // Generic code may call any method: a `dyn` value must carry them all.
        let methods = &self.ck.defs.traits[bound.trait_id].methods;
        if matches!(ty.kind(), TyKind::Dyn(_)) && methods.iter().any(|&it| self.ck.dyn_obstacle(it).is_some())
        {
            return Truth::No;
        }
        let candidates = self.bounds_of(ty, bound.trait_id);
        let mut fitting = Vec::new();
        for candidate in candidates {
            let at = self.table.snapshot();
            if self.table.unify_lists(candidate.args, bound.args).is_ok() {
                fitting.push(candidate);
            }
            self.table.rollback(at);
        }
        match fitting[..] {
            [] => Truth::No,
            [only] => {
                self.table.unify_lists(only.args, bound.args).expect("just tried");
                Truth::Yes
            }
            _ => Truth::Open,
        }
    }

    /// Impls whose head fits; more than one only while types are open.
    pub(crate) fn matching_impls(&mut self, ty: Ty, bound: TraitRef) -> Vec<ImplId> {
        let defs = self.ck.defs;
        let head = TyHead::of(ty);
        let mut fitting = Vec::new();
        for id in defs.impls_for(bound.trait_id, head) {
            let header = defs.impl_header(id);
            if defs.impls[id].is_negative {
                continue;
            }
            let at = self.table.snapshot();
            let args = self.fresh_args(header.generics.len());
            if self.unify_header(id, &args, ty, bound) {
                fitting.push(id);
            }
            self.table.rollback(at);
        }
        // A concrete impl goes before `impl<T> Trait for T`.
        if fitting.len() > 1 {
            let is_blanket = |id: &ImplId| TyHead::of(defs.impl_header(*id).self_ty) == Some(TyHead::Any);
            if fitting.iter().any(|id| !is_blanket(id)) {
                fitting.retain(|id| !is_blanket(id));
            } else {
                // The library has several for any type of which their bounds tell; the first goes before.
                fitting.retain(|&id| self.bounds_might_hold(id, ty, bound));
                fitting.truncate(1);
            }
        }
        fitting
    }

    /// Whether what an impl asks for could be met, for all that is known. Nothing is learnt.
    fn bounds_might_hold(&mut self, id: ImplId, ty: Ty, bound: TraitRef) -> bool {
        let at = self.table.snapshot();
        let goals = self.use_impl(id, ty, bound).unwrap_or_default();
        let might_hold = goals.iter().all(|goal| match goal {
            Goal::Trait { ty, bound } => self.holds(*ty, *bound, &mut Vec::new()) != Truth::No,
            Goal::Projection { .. } => true,
        });
        self.table.rollback(at);
        might_hold
    }

    fn unify_header(&mut self, id: ImplId, args: &[Ty], ty: Ty, bound: TraitRef) -> bool {
        let header = self.ck.defs.impl_header(id);
        let Some(trait_ref) = header.trait_ref else { return false };
        let self_ty = subst(header.self_ty, args);
        let trait_args = qz_types::subst::subst_list(trait_ref.args, args);
        self.table.unify(self_ty, ty).is_ok() && self.table.unify_lists(trait_args, bound.args).is_ok()
    }

    /// Commits to an impl: its parameters are fixed, its bounds are what remains.
    fn use_impl(&mut self, id: ImplId, ty: Ty, bound: TraitRef) -> Option<Vec<Goal>> {
        let header = self.ck.defs.impl_header(id);
        let args = self.fresh_args(header.generics.len());
        if !self.unify_header(id, &args, ty, bound) {
            return None;
        }
        Some(self.impl_goals(&header.generics.preds, &args))
    }

    fn impl_goals(&mut self, preds: &[Predicate], args: &[Ty]) -> Vec<Goal> {
        let mut goals = Vec::new();
        for pred in preds {
            let ty = subst(pred.ty, args);
            let bound = qz_types::subst::subst_trait_ref(pred.trait_ref, args);
            goals.push(Goal::Trait { ty, bound });
            let wanted: Vec<(Name, Ty)> =
                pred.assoc.iter().map(|&(name, want)| (name, subst(want, args))).collect();
            goals.extend(self.assoc_goals(ty, bound, &wanted));
        }
        goals
    }

    /// If exactly one impl fits, what it says of the open arguments is learnt.
    pub(crate) fn only_impl(&mut self, ty: Ty, bound: TraitRef) -> bool {
        let ty = self.table.shallow(ty);
        if self.by_bounds(ty, bound) == Truth::Yes {
            return true;
        }
        match self.matching_impls(ty, bound)[..] {
            [only] => self.use_impl(only, ty, bound).is_some(),
            _ => false,
        }
    }

    /// No impl is written: the type's own methods, or its structure.
    fn without_impl(&mut self, ty: Ty, bound: TraitRef, seen: &mut Vec<(Ty, TraitId)>) -> Truth {
        let defs = self.ck.defs;
        let head = TyHead::of(ty);
        let negative = defs
            .impls_for(bound.trait_id, head)
            .any(|id| defs.impls[id].is_negative && TyHead::of(defs.impl_header(id).self_ty) == head);
        if negative {
            return Truth::No;
        }
        if defs.traits[bound.trait_id].methods.is_empty() {
            return self.marker(ty, bound, seen);
        }
        match self.own_methods(ty, bound) {
            Truth::No => {}
            found => return found,
        }
        match Derived::of(defs, bound.trait_id) {
            Some(derived) => self.structural(derived, ty, bound, seen),
            None => self.joined(ty, bound).map_or_else(|truth| truth, |_| Truth::Yes),
        }
    }

    /// `+` of tuples gives the tuple of all their elements. Why it is not that, otherwise, or not yet.
    pub(crate) fn joined(&mut self, ty: Ty, bound: TraitRef) -> Result<Ty, Truth> {
        let TyKind::Tuple(left @ [_, ..]) = *ty.kind() else { return Err(Truth::No) };
        if self.ck.defs.lang.trait_("Add") != Some(bound.trait_id) {
            return Err(Truth::No);
        }
        match *self.table.shallow(bound.args[0]).kind() {
            TyKind::Tuple(right @ [_, ..]) => Ok(Ty::tuple(&[left, right].concat())),
            TyKind::Infer(_) | TyKind::Error => Err(Truth::Open),
            _ => Err(Truth::No),
        }
    }

    /// Auto-satisfaction: the inherent methods have exactly the required signatures.
    fn own_methods(&mut self, ty: Ty, bound: TraitRef) -> Truth {
        let defs = self.ck.defs;
        let def = &defs.traits[bound.trait_id];
        let required: Vec<FnId> = def.methods.iter().copied().filter(|&it| !defs.fns[it].has_body).collect();
        if required.is_empty() || !def.assoc.is_empty() {
            return Truth::No;
        }
        let at = self.table.snapshot();
        let all = required.iter().all(|&it| self.own_method(ty, bound, it).is_some());
        if all {
            self.table.commit(at);
            Truth::Yes
        } else {
            self.table.rollback(at);
            Truth::No
        }
    }

    /// The inherent method that stands for a required one, and its impl's arguments.
    pub(crate) fn own_method(&mut self, ty: Ty, bound: TraitRef, required: FnId) -> Option<(FnId, Vec<Ty>)> {
        let defs = self.ck.defs;
        let head = TyHead::of(ty)?;
        let wanted = &defs.fns[required];
        for &method in defs.inherent_methods(head, wanted.name) {
            let def = &defs.fns[method];
            let qz_hir::Container::Impl(id) = def.container else { continue };
            let is_extension = defs.impls[id].origin == qz_hir::defs::ImplOrigin::Extend;
            let asks_more = def.attrs.is_unsafe && !wanted.attrs.is_unsafe;
            let differs = def.self_param != wanted.self_param || def.arity != wanted.arity;
            if is_extension || differs || asks_more {
                continue;
            }
            if let Some(args) = self.same_signature(ty, bound, required, method, id) {
                return Some((method, args));
            }
        }
        None
    }

    fn same_signature(
        &mut self,
        ty: Ty,
        bound: TraitRef,
        required: FnId,
        method: FnId,
        id: ImplId,
    ) -> Option<Vec<Ty>> {
        let defs = self.ck.defs;
        let header = defs.impl_header(id);
        let args = self.fresh_args(header.generics.len());
        self.table.unify(subst(header.self_ty, &args), ty).ok()?;
        let (wanted, found) = (defs.fn_sig(required), self.ck.scheme(method));
        let own = wanted.generics.len() - 1 - bound.args.len();
        if found.generics.len() != args.len() + own {
            return None;
        }
        let mut wanted_args = vec![ty];
        wanted_args.extend(bound.args);
        let mut found_args = args.clone();
        for n in 0..own {
            // The method's own parameters stand for themselves.
            let name = Name::new(&format!("{}'", wanted.generics.params[wanted_args.len()].name));
            let rigid = Ty::param(1_000_000 + n as u32, name);
            wanted_args.push(rigid);
            found_args.push(rigid);
        }
        let pairs = wanted.params.iter().zip(&found.params);
        for (wanted, &found) in pairs {
            let wanted = subst(wanted.ty?, &wanted_args);
            self.table.unify(wanted, subst(found, &found_args)).ok()?;
        }
        let ret = subst(found.ret, &found_args);
        if wanted.opaques.is_empty() {
            self.table.unify(subst(wanted.ret?, &wanted_args), ret).ok()?;
        } else if self.meets_result(required, ret, &wanted_args) == Truth::No {
            return None;
        }
        Some(args)
    }

    /// `==`, `hash`, order, `show`, `clone` hold if they hold for every part.
    fn structural(
        &mut self,
        derived: Derived,
        ty: Ty,
        bound: TraitRef,
        seen: &mut Vec<(Ty, TraitId)>,
    ) -> Truth {
        let Some(parts) = self.parts(derived, ty) else { return Truth::No };
        let mut truth = Truth::Yes;
        for part in parts {
            truth = truth.and(|| self.holds(part, bound, seen));
        }
        truth
    }

    /// Types of everything a value directly holds; `None` if the operation is not derived for the type.
    fn parts(&mut self, derived: Derived, ty: Ty) -> Option<Vec<Ty>> {
        match *ty.kind() {
            TyKind::Tuple(parts) => Some(parts.to_vec()),
            TyKind::Record(_) | TyKind::OpenRecord(..) if derived == Derived::Ord => None,
            TyKind::Record(fields) => Some(fields.iter().map(|it| it.1).collect()),
            TyKind::OpenRecord(fields, rest) => Some(fields.iter().map(|it| it.1).chain([rest]).collect()),
            TyKind::Adt(id, args) => {
                let is_union = self.ck.defs.union_members(ty).is_some();
                if is_union && derived == Derived::Ord {
                    return None;
                }
                // Types of the library say what they have.
                if !is_union
                    && self.ck.defs.adts[id]
                        .lang
                        .is_some_and(|it| !matches!(it.as_str(), "Option" | "Result" | "Ordering" | "Symbol"))
                {
                    return None;
                }
                if derived == Derived::Clone && self.ck.defs.adts[id].is_linear {
                    return None;
                }
                let fields = self.ck.defs.adt_fields(id);
                let types = fields.variants.iter().flat_map(|it| &it.fields).map(|it| subst(it.ty, args));
                Some(types.map(|ty| self.ck.normalize_with(self.table, self.preds, ty)).collect())
            }
            TyKind::Fn(_) if matches!(derived, Derived::Clone | Derived::Show) => Some(Vec::new()),
            TyKind::Dyn(_) if derived == Derived::Clone => Some(Vec::new()),
            _ => None,
        }
    }

    /// The innermost part of a type that lacks a structural operation, for messages.
    pub(crate) fn missing_part(&mut self, ty: Ty, bound: TraitRef) -> Option<Ty> {
        let derived = Derived::of(self.ck.defs, bound.trait_id)?;
        let whole = self.table.shallow(ty);
        self.parts(derived, whole)?;
        let mut seen = vec![whole];
        let mut ahead = vec![whole];
        while let Some(ty) = ahead.pop().filter(|_| seen.len() < 64) {
            let mut parts = self.parts(derived, ty).unwrap_or_default();
            if let Some((_, args)) = ty.as_adt() {
                parts.extend(args);
            }
            parts.retain(|&part| {
                let at = self.table.snapshot();
                let truth = self.holds(part, bound, &mut Vec::new());
                self.table.rollback(at);
                truth == Truth::No
            });
            if parts.is_empty() {
                return Some(ty);
            }
            // A type that leads back to itself is not to blame: another part of what it is in must be.
            for part in parts.into_iter().rev().map(|it| self.table.shallow(it)) {
                if !seen.contains(&part) {
                    seen.push(part);
                    ahead.push(part);
                }
            }
        }
        Some(whole)
    }

    fn solve_projection(&mut self, assoc: &AssocTy, var: Ty) -> Outcome {
        let ty = self.table.shallow(assoc.args[0]);
        let ty = self.table.shallow(ty.peel_ref());
        if ty.is_error() {
            self.table.unify(var, ty).ok();
            return Outcome::Holds(Vec::new());
        }
        if ty.is_infer() {
            return Outcome::Open { progress: false };
        }
        let bound = TraitRef { trait_id: assoc.trait_id, args: Ty::list(&assoc.args[1..]) };
        if let Some(told) = self.told_assoc(ty, bound, assoc.name) {
            return self.equal(var, told, Vec::new());
        }
        if !self.bounds_of(ty, assoc.trait_id).is_empty() {
            // Known by its bound only: it stands for itself.
            let mut args = vec![ty];
            args.extend(self.table.resolve_list(bound.args));
            let rigid = Ty::new(TyKind::Assoc(AssocTy { args: Ty::list(&args), ..*assoc }));
            return self.equal(var, rigid, Vec::new());
        }
        match self.matching_impls(ty, bound)[..] {
            [only] => {
                let header = self.ck.defs.impl_header(only);
                let args = self.fresh_args(header.generics.len());
                if !self.unify_header(only, &args, ty, bound) {
                    return Outcome::Open { progress: false };
                }
                let Some(&(_, value)) = header.assoc.iter().find(|it| it.0 == assoc.name) else {
                    return Outcome::Fails;
                };
                let value = subst(value, &args);
                let mut nested = Vec::new();
                let value = replace_assoc(value, &mut |inner| {
                    let var = self.table.fresh(qz_types::VarKind::Any);
                    nested.push(Goal::Projection { assoc: inner, var });
                    var
                });
                self.equal(var, value, nested)
            }
            [] => match self.joined(ty, bound) {
                Ok(all) => self.equal(var, all, Vec::new()),
                Err(Truth::Open) => Outcome::Open { progress: false },
                Err(_) => Outcome::Fails,
            },
            _ => Outcome::Open { progress: false },
        }
    }

    fn equal(&mut self, a: Ty, b: Ty, nested: Vec<Goal>) -> Outcome {
        match self.table.unify(a, b) {
            Ok(()) => Outcome::Holds(nested),
            Err(_) => Outcome::Fails,
        }
    }
}
