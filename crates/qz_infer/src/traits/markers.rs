//! `Send` and `Share`: decided by the parts of a type, unless an impl says so, or that it is not so.
//!
//! Several tasks may know a value at once if nothing in it can be changed. A value may go to another task if that holds
//! for it, or if its parts may go.

use qz_base::Name;
use qz_hir::AdtKind;
use qz_hir::defs::ActorSide;
use qz_types::{AdtId, TraitId, TraitRef, Ty, TyKind, Tys, subst};

use super::{Goal, Outcome, TraitCx, Truth};

impl TraitCx<'_, '_> {
    pub(super) fn marker(&mut self, ty: Ty, bound: TraitRef, seen: &mut Vec<(Ty, TraitId)>) -> Truth {
        let parts = match self.ck.defs.traits[bound.trait_id].lang.map(Name::as_str) {
            // Values of any type may be used once.
            Some("Sized" | "Linear") => return Truth::Yes,
            Some("AnyRecord") => return if ty.known_fields().is_some() { Truth::Yes } else { Truth::No },
            Some("AnyEffects") => match *ty.kind() {
                TyKind::Adt(id, _) if self.ck.defs.adts[id].effect.is_some() => Some(Vec::new()),
                TyKind::Tuple(parts) => Some(parts.to_vec()),
                _ => None,
            },
            Some("Lacks") => return self.lacks(ty, bound, seen),
            Some("Object") => {
                return if self.is_reference_struct(ty) { Truth::Yes } else { Truth::No };
            }
            Some("Share") => self.shared_parts(ty),
            Some("Send") => {
                if self.is_shared(ty, seen) {
                    return Truth::Yes;
                }
                self.sent_parts(ty)
            }
            _ => return Truth::No,
        };
        let Some(parts) = parts else { return Truth::No };
        let mut truth = Truth::Yes;
        for part in parts {
            truth = truth.and(|| self.holds(part, bound, seen));
        }
        truth
    }

    /// Whether a record has none of the fields of another.
    fn lacks(&mut self, ty: Ty, bound: TraitRef, seen: &mut Vec<(Ty, TraitId)>) -> Truth {
        let fields = match *ty.kind() {
            TyKind::Record(fields) | TyKind::OpenRecord(fields, _) => fields,
            TyKind::Param(_) | TyKind::Assoc(_) | TyKind::Opaque(..) => return Truth::No,
            // It is no record, and that is asked as well.
            _ => return Truth::Yes,
        };
        match self.table.shallow(bound.args[0]).known_fields() {
            Some(names) if names.iter().any(|it| fields.iter().any(|field| field.0 == it.0)) => Truth::No,
            Some(_) => match *ty.kind() {
                TyKind::OpenRecord(_, rest) => self.holds(rest, bound, seen),
                _ => Truth::Yes,
            },
            None => Truth::No,
        }
    }

    /// What is asked of records comes down to what is open of them.
    pub(super) fn of_open_record(&mut self, ty: Ty, bound: TraitRef) -> Option<Outcome> {
        let TyKind::OpenRecord(fields, rest) = *ty.kind() else { return None };
        let open = match self.ck.defs.traits[bound.trait_id].lang.map(Name::as_str) {
            Some("AnyRecord") => true,
            Some("Lacks") => self.lacks(Ty::record(fields), bound, &mut Vec::new()) == Truth::Yes,
            _ => false,
        };
        open.then(|| Outcome::Holds(vec![Goal::Trait { ty: rest, bound }]))
    }

    fn is_reference_struct(&self, ty: Ty) -> bool {
        ty.as_adt().is_some_and(|(id, _)| self.ck.defs.adts[id].kind == AdtKind::Struct)
    }

    /// Asked on the way to `Send`, which a type that holds itself may be on already.
    fn is_shared(&mut self, ty: Ty, seen: &mut Vec<(Ty, TraitId)>) -> bool {
        let Some(trait_id) = self.ck.defs.lang.trait_("Share") else { return false };
        let before = seen.len();
        let is_shared = self.holds(ty, TraitRef { trait_id, args: &[] }, seen) == Truth::Yes;
        if !is_shared {
            // What was met on a way that fails is not known to hold.
            seen.truncate(before);
        }
        is_shared
    }

    /// The types that must be `Share` for a type to be; `None` if it cannot be.
    fn shared_parts(&mut self, ty: Ty) -> Option<Vec<Ty>> {
        match *ty.kind() {
            TyKind::Adt(id, args) => match (self.ck.defs.adts[id].kind, self.ck.defs.adts[id].actor) {
                (_, Some(ActorSide::Reference(_))) => Some(Vec::new()),
                (AdtKind::Struct, _) => None,
                _ => Some(self.fields_of(id, args)),
            },
            _ => plain_parts(ty),
        }
    }

    fn sent_parts(&mut self, ty: Ty) -> Option<Vec<Ty>> {
        match *ty.kind() {
            TyKind::Adt(id, args) => Some(self.fields_of(id, args)),
            _ => plain_parts(ty),
        }
    }

    pub(crate) fn fields_of(&mut self, id: AdtId, args: Tys) -> Vec<Ty> {
        let fields = self.ck.defs.adt_fields(id);
        let types = fields.variants.iter().flat_map(|it| &it.fields).map(|it| subst(it.ty, args));
        types.map(|ty| self.ck.normalize_with(self.table, self.preds, ty)).collect()
    }
}

/// The parts of types that nobody declared.
pub(super) fn plain_parts(ty: Ty) -> Option<Vec<Ty>> {
    match *ty.kind() {
        TyKind::Tuple(parts) => Some(parts.to_vec()),
        TyKind::Record(fields) => Some(fields.iter().map(|it| it.1).collect()),
        TyKind::OpenRecord(fields, rest) => Some(fields.iter().map(|it| it.1).chain([rest]).collect()),
        TyKind::Bool | TyKind::Char | TyKind::Str | TyKind::Int(_) | TyKind::Float(_) => Some(Vec::new()),
        _ => None,
    }
}
