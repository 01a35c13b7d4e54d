//! Names for places inside of objects: `r = &mut p.x`.
//!
//! A borrow of a local variable is its address. What is inside of an object has none that could be kept, so a name for it
//! is the place itself, with its object and keys evaluated once: each use reads or stores there, and a call gets a copy
//! that goes back afterwards.

use qz_hir::body::{Expr, ExprId, LocalId};
use qz_mir::{Callee as MirCallee, Operand, Place, Rvalue};
use qz_types::{Mutability, Ty, TyKind};

use crate::body::Cx;
use crate::places::{LPlace, WriteBack};

/// What a name stands for.
#[derive(Clone)]
pub(crate) struct Alias {
    place: LPlace,
    /// Reads the element, where it is one.
    getter: Option<MirCallee>,
    ty: Ty,
}

impl Cx<'_, '_, '_> {
    /// The place that a name is to stand for, if a borrow of it has no address.
    pub(crate) fn alias_of(&mut self, value: ExprId) -> Option<Alias> {
        if self.types().coercions.contains(value) {
            return None;
        }
        match self.body.exprs[value] {
            Expr::Local { local } => self.aliases.get(&local).cloned(),
            Expr::Borrow { operand, .. } if self.is_place(operand) => {
                if let Expr::Local { local } = self.body.exprs[operand]
                    && let Some(known) = self.aliases.get(&local)
                {
                    return Some(known.clone());
                }
                if matches!(self.ty(operand).kind(), TyKind::Ref(..)) {
                    return None;
                }
                let place = self.place(operand);
                if place.is_direct() {
                    return None;
                }
                let ty = self.value_ty(operand);
                let getter = place.is_element().then(|| self.element_getter(operand));
                let place = self.keep_parts(place);
                Some(Alias { place, getter, ty })
            }
            _ => None,
        }
    }

    /// The place that a name stands for, as it is now.
    pub(crate) fn alias_place(&mut self, local: LocalId) -> Option<LPlace> {
        let Alias { place, getter, .. } = self.aliases.get(&local)?.clone();
        Some(match getter {
            Some(getter) => self.read_element(place, getter),
            None => place,
        })
    }

    /// A borrow of a copy of what a name stands for.
    pub(crate) fn alias_copy(
        &mut self,
        local: LocalId,
        mutable: bool,
        write_backs: Option<&mut Vec<WriteBack>>,
    ) -> Option<Operand> {
        let place = self.alias_place(local)?;
        let ty = self.aliases[&local].ty;
        let copy = self.b.eval(ty, Rvalue::Use(Operand::Copy(place.place.clone())));
        if let Some(write_backs) = write_backs.filter(|_| mutable) {
            write_backs.push(WriteBack { from: copy, to: place });
        }
        let mutability = if mutable { Mutability::Mut } else { Mutability::Shared };
        let reference = Ty::reference(mutability, ty);
        Some(Operand::local(self.b.eval(reference, Rvalue::Ref(mutability, Place::local(copy)))))
    }

    /// An argument that is such a name, or a borrow of it.
    pub(crate) fn alias_argument(
        &mut self,
        expr: ExprId,
        write_backs: &mut Vec<WriteBack>,
    ) -> Option<Operand> {
        if self.types().coercions.contains(expr) {
            return None;
        }
        let (local, mutable) = match self.body.exprs[expr] {
            Expr::Local { local } => (local, matches!(self.ty(expr).kind(), TyKind::Ref(Mutability::Mut, _))),
            Expr::Borrow { mutable, operand } => match self.body.exprs[operand] {
                Expr::Local { local } => (local, mutable),
                _ => return None,
            },
            _ => return None,
        };
        self.alias_copy(local, mutable, Some(write_backs))
    }
}
