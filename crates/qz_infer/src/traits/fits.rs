//! What keeps a type from having `Send` or `Share`: the part to blame, or the types that are not known here.

use qz_base::FxHashSet;
use qz_hir::{AdtKind, TyHead};
use qz_types::{AdtId, TraitId, TraitRef, Ty, TyKind, Tys};

use super::markers::plain_parts;
use super::{Goal, TraitCx, Truth};
use crate::checker::Checker;

/// What tasks ask of a type.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Hash)]
pub(crate) enum Marker {
    /// Its values may go to another task.
    Send,
    /// Several tasks may know a value at once.
    Share,
}

/// A type, and what is asked of it.
pub(crate) type Asked = (Ty, Marker);

impl Marker {
    pub(crate) const fn role(self) -> &'static str {
        match self {
            Marker::Send => "Send",
            Marker::Share => "Share",
        }
    }
}

impl Checker<'_> {
    /// The marker that a trait is, if it is one.
    pub(crate) fn marker_of(&self, trait_id: TraitId) -> Option<Marker> {
        let lang = &self.defs.lang;
        [Marker::Send, Marker::Share].into_iter().find(|it| lang.trait_(it.role()) == Some(trait_id))
    }
}

impl TraitCx<'_, '_> {
    /// Whether a type has the marker, for all that is known here.
    pub(crate) fn has_marker(&mut self, ty: Ty, marker: Marker) -> bool {
        let Some(trait_id) = self.ck.defs.lang.trait_(marker.role()) else { return true };
        self.holds(ty, TraitRef { trait_id, args: &[] }, &mut Vec::new()) == Truth::Yes
    }

    /// The innermost part of a type that keeps it from having the marker. What is asked of types that are not known
    /// here, such as type parameters, goes to `open`.
    pub(crate) fn unfit_part(&mut self, ty: Ty, marker: Marker, open: &mut Vec<Asked>) -> Option<Ty> {
        let (mut work, mut seen) = (vec![(ty, marker)], FxHashSet::default());
        while let Some((ty, marker)) = work.pop() {
            if !seen.insert((ty, marker)) || self.has_marker(ty, marker) {
                continue;
            }
            let parts = match *ty.kind() {
                TyKind::Param(_) | TyKind::Assoc(_) | TyKind::Opaque(..) => {
                    if !open.contains(&(ty, marker)) {
                        open.push((ty, marker));
                    }
                    continue;
                }
                TyKind::Adt(id, args) => self.asked_of_parts(ty, id, args, marker),
                _ => plain_parts(ty).map(|parts| parts.into_iter().map(|it| (it, marker)).collect()),
            };
            let Some(parts) = parts else { return Some(ty) };
            work.extend(parts.into_iter().rev());
        }
        None
    }

    /// What must hold for a declared type to have the marker; `None` if nothing helps.
    fn asked_of_parts(&mut self, ty: Ty, id: AdtId, args: Tys, marker: Marker) -> Option<Vec<Asked>> {
        if let Some(asked) = self.asked_by_impl(ty, marker) {
            return asked;
        }
        match marker {
            Marker::Share if self.ck.defs.adts[id].kind == AdtKind::Struct => None,
            Marker::Send if let Some(Some(asked)) = self.asked_by_impl(ty, Marker::Share) => Some(asked),
            _ => Some(self.fields_of(id, args).into_iter().map(|it| (it, marker)).collect()),
        }
    }

    /// What an impl of the marker asks, if there is one; `None` inside if it says that the type does not have it, or asks
    /// for something else that does not hold.
    fn asked_by_impl(&mut self, ty: Ty, marker: Marker) -> Option<Option<Vec<Asked>>> {
        let defs = self.ck.defs;
        let bound = TraitRef { trait_id: defs.lang.trait_(marker.role())?, args: &[] };
        let first = defs.impls_for(bound.trait_id, TyHead::of(ty)).next()?;
        if defs.impls[first].is_negative {
            return Some(None);
        }
        let [only] = self.matching_impls(ty, bound)[..] else { return None };
        let goals = self.use_impl(only, ty, bound)?;
        let mut asked = Vec::new();
        for goal in goals {
            let Goal::Trait { ty, bound } = goal else { continue };
            let ty = self.table.resolve(ty);
            match self.ck.marker_of(bound.trait_id) {
                Some(marker) => asked.push((ty, marker)),
                None if self.holds(ty, bound, &mut Vec::new()) == Truth::Yes => {}
                None => return Some(None),
            }
        }
        Some(Some(asked))
    }
}
