//! The type of a place, projection by projection.

use qz_types::{Ty, TyKind};

use super::Layouts;
use crate::body::{Body, Place, Proj};

/// What a place, or a part of the way to it, leads to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PlaceTy {
    /// A value of this type.
    Value(Ty),
    /// The object behind a reference struct of this type.
    Object(Ty),
    /// The payload of one variant of this enum.
    Variant(Ty, u32),
}

impl PlaceTy {
    /// # Panics
    /// If the place is an object or a payload as a whole: those are not values.
    pub fn value(self) -> Ty {
        match self {
            PlaceTy::Value(ty) => ty,
            other => unreachable!("{other:?} is not a value"),
        }
    }
}

impl Layouts<'_> {
    /// One step further. `captures` are those of the body at hand.
    ///
    /// # Panics
    /// If the projection does not fit; the verifier finds that first.
    pub fn project(&self, from: PlaceTy, proj: Proj, captures: &[Ty]) -> PlaceTy {
        match (from, proj) {
            (PlaceTy::Value(ty), Proj::Deref) => match *self.resolve(ty).kind() {
                TyKind::Ref(_, to) | TyKind::Ptr(to) => PlaceTy::Value(self.resolve(to)),
                _ => PlaceTy::Object(ty),
            },
            (PlaceTy::Object(ty), Proj::Field(i)) => PlaceTy::Value(self.object(ty).fields.tys[i as usize]),
            (PlaceTy::Value(ty), Proj::Field(i)) => PlaceTy::Value(self.of(ty).fields().tys[i as usize]),
            (PlaceTy::Value(ty), Proj::Variant(v)) => PlaceTy::Variant(ty, v),
            (PlaceTy::Variant(ty, v), Proj::Field(i)) => {
                PlaceTy::Value(self.of(ty).as_enum().variants[v as usize].tys[i as usize])
            }
            (PlaceTy::Value(ty), Proj::Index(_)) => match *self.resolve(ty).kind() {
                TyKind::Ptr(to) => PlaceTy::Value(self.resolve(to)),
                _ => unreachable!("only a pointer has elements, not {ty:?}"),
            },
            (PlaceTy::Value(_), Proj::Capture(i)) => PlaceTy::Value(self.resolve(captures[i as usize])),
            (from, proj) => unreachable!("no {proj:?} in {from:?}"),
        }
    }

    /// The type of the value in a place.
    pub fn place_ty(&self, body: &Body, place: &Place) -> Ty {
        let start = PlaceTy::Value(self.resolve(body.locals[place.local].ty));
        place.proj.iter().fold(start, |at, &proj| self.project(at, proj, &body.captures)).value()
    }
}
