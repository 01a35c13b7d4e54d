//! Refined types in bodies: a value of the base type is checked where a refined one is expected, and a refined value is one
//! of the base type wherever that is what is asked for.

use qz_hir::body::*;
use qz_hir::refined::Part;
use qz_hir::{AdtKind, FnKind};
use qz_types::{AdtId, FnId, Ty};

use super::{Expect, Infer};
use crate::facts::*;

impl Infer<'_, '_> {
    pub(super) fn is_refined(&self, ty: Ty) -> bool {
        self.ck.defs.refined_ty(self.shallow(ty)).is_some()
    }

    /// The value as one of the base type, for what looks into it.
    pub(super) fn opened(&mut self, expr: ExprId, expect: Expect) -> Ty {
        let ty = self.value(expr, expect);
        self.open_refined(expr, ty)
    }

    /// The same for a value whose type is asked for.
    pub(super) fn known_opened(&mut self, expr: ExprId, ty: Ty) -> Ty {
        let ty = self.known(ty);
        self.open_refined(expr, ty)
    }

    pub(super) fn open_refined(&mut self, expr: ExprId, ty: Ty) -> Ty {
        let ty = self.shallow(ty);
        if !self.is_refined(ty) {
            return ty;
        }
        let base = self.ck.defs.base_ty(ty);
        self.st.types.coercions.insert(expr, Coercion::Unrefine { from: ty, to: base });
        base
    }

    /// A coercion site where either side is refined. `false`: nothing of that kind, types have to be equal.
    pub(super) fn coerce_refined(&mut self, expr: ExprId, from: Ty, to: Ty) -> bool {
        let from = self.resolve(from.peel_ref());
        let defs = self.ck.defs;
        let is_open = self.s.table.var_kind(from) == Some(qz_types::VarKind::Any);
        if from == to || is_open || from.is_error() || to.is_error() {
            return false;
        }
        if let Some((checks, base)) = self.checks_between(from, to) {
            // What is open in a literal or in type arguments is as the base type says.
            self.unify(expr, from, base);
            self.st.types.coercions.insert(expr, Coercion::Refine { checks, to });
            return true;
        }
        // Up to a type that it refines.
        let mut base = from;
        while let Some((_, next)) = defs.refined_ty(base) {
            base = next;
            if self.may_equal(base, to) {
                self.unify(expr, base, to);
                self.st.types.coercions.insert(expr, Coercion::Unrefine { from, to });
                return true;
            }
        }
        false
    }

    /// Whether a value of one type becomes one of the other by checks, or without its refinement.
    pub(super) fn is_refined_by(&mut self, from: Ty, to: Ty) -> bool {
        let from = self.resolve(from);
        let defs = self.ck.defs;
        let mut bases = std::iter::successors(defs.refined_ty(from), |it| defs.refined_ty(it.1));
        from != to && (self.checks_between(from, to).is_some() || bases.any(|it| self.may_equal(it.1, to)))
    }

    /// The checks on the way from a type to one that refines it, in order, and the type that the first one takes.
    fn checks_between(&mut self, from: Ty, to: Ty) -> Option<(Vec<FnId>, Ty)> {
        let (mut checks, mut at) = (Vec::new(), to);
        let literal = self.s.table.var_kind(from);
        while let Some((refinement, base)) = self.ck.defs.refined_ty(at) {
            checks.push(refinement.new);
            at = base;
            let fits = match literal {
                Some(_) => at.is_numeric(),
                None => self.may_equal(at, from),
            };
            if fits {
                checks.reverse();
                return Some((checks, if literal.is_some() { self.ck.defs.base_ty(to) } else { at }));
            }
        }
        None
    }

    /// Whether types are the same for all that is known. Nothing is learnt.
    fn may_equal(&mut self, a: Ty, b: Ty) -> bool {
        let at = self.s.table.snapshot();
        let fits = self.s.table.unify(a, b).is_ok();
        self.s.table.rollback(at);
        fits
    }

    /// What `Port(x)` means: in the functions that check, the bare value; elsewhere, one of them.
    pub(super) fn refined_constructor(&self, adt: AdtId) -> Option<FnId> {
        let is_own = match self.ck.defs.fns[self.function].kind {
            FnKind::Refined(own, part) => own == adt && part != Part::Holds,
            _ => false,
        };
        self.ck.defs.refinement(adt).filter(|_| !is_own).map(|it| it.new)
    }

    /// A match looks at the value of the base type, unless an arm takes the refined type apart.
    pub(super) fn opened_subject(&mut self, value: ExprId, ty: Ty, pats: impl Iterator<Item = PatId>) -> Ty {
        let is_newtype = |adt: AdtId| self.ck.defs.adts[adt].kind == AdtKind::Newtype;
        let names_type = |path: &StructPath| match path {
            StructPath::Adt(adt, _) | StructPath::BareOrAdt(_, adt, _) => is_newtype(*adt),
            _ => false,
        };
        let mut open: Vec<PatId> = pats.collect();
        while let Some(pat) = open.pop() {
            match &self.body.pats[pat] {
                Pat::Variant { path, .. } if names_type(path) => return ty,
                Pat::Type { .. } => return ty,
                Pat::Or { alts } => open.extend(alts),
                Pat::Bind { sub, .. } => open.extend(*sub),
                _ => {}
            }
        }
        self.open_refined(value, ty)
    }
}
