//! Refined types: `type Port = Int where it > 0 and it < 65536` is a newtype whose values fit a predicate. Three functions
//! are made for each:
//!
//! ```text
//! def holds(it: Int): Bool = it > 0 and it < 65536
//! def new(it: Int): Port   = if holds(it) then Port(it) else (a panic that tells the predicate) end
//! def try(it: Int): Port?  = if holds(it) then Some(Port(it)) else nil end
//! ```
//!
//! Its type parameters have no bounds, so a predicate cannot look at their values, which may change.
//!
//! Only here does `Port(it)` mean the bare value; anywhere else it is `Port.new(it)`.

use qz_base::{Span, TextRange};
use qz_types::ty::common;
use qz_types::{AdtId, FnId, Ty, subst};

use crate::defs::*;

/// Which of the functions of a refined type.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Whether a value of the base type fits. Not to be called by name.
    Holds,
    New,
    Try,
}

#[derive(Copy, Clone, Debug)]
pub struct Refinement {
    pub holds: FnId,
    pub new: FnId,
    /// Where the predicate stands.
    pub predicate: TextRange,
}

impl Defs {
    pub fn refinement(&self, adt: AdtId) -> Option<Refinement> {
        self.refinements.get(&adt).copied()
    }

    pub fn has_refinements(&self) -> bool {
        !self.refinements.is_empty()
    }

    /// The refined type that this is, and what it refines.
    pub fn refined_ty(&self, ty: Ty) -> Option<(Refinement, Ty)> {
        if !self.has_refinements() {
            return None;
        }
        let (adt, args) = ty.as_adt()?;
        Some((self.refinement(adt)?, subst(self.adt_fields(adt).variants[0].fields[0].ty, args)))
    }

    /// A type without its predicates.
    pub fn base_ty(&self, mut ty: Ty) -> Ty {
        // Types that refine themselves are reported, and end here.
        for _ in 0..64 {
            match self.refined_ty(ty) {
                Some((_, base)) => ty = base,
                None => return ty,
            }
        }
        common().error
    }

    pub fn predicate_span(&self, adt: AdtId) -> Option<Span> {
        let range = self.refinement(adt)?.predicate;
        Some(Span::new(self.file_of(self.adts[adt].module), range))
    }
}
