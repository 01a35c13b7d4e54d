//! Rebuilding types: parameters replaced by arguments, variables by what they stand for.

use crate::row::Row;
use crate::ty::{AssocTy, FnTy, TraitRef, Ty, TyFlags, TyKind, Tys};

/// A bottom-up rewriting of types. `fold_ty` decides for one type; [`Fold::fold_parts`] descends.
pub trait Fold {
    fn fold_ty(&mut self, ty: Ty) -> Ty;

    fn fold_list(&mut self, list: Tys) -> Tys {
        let mut changed = false;
        let folded: Vec<Ty> = list
            .iter()
            .map(|&ty| {
                let new = self.fold_ty(ty);
                changed |= new != ty;
                new
            })
            .collect();
        if changed { Ty::list(&folded) } else { list }
    }

    fn fold_trait_ref(&mut self, it: TraitRef) -> TraitRef {
        TraitRef { trait_id: it.trait_id, args: self.fold_list(it.args) }
    }

    fn fold_row(&mut self, row: Row) -> Row {
        if row.is_empty() {
            return row;
        }
        let fold = |part: Ty| self.fold_ty(part);
        let parts: Vec<Ty> = row.parts().map(fold).collect();
        if row.parts().eq(parts.iter().copied()) { row } else { Row::of(parts) }
    }

    /// The same type with its direct parts folded.
    fn fold_parts(&mut self, ty: Ty) -> Ty {
        match *ty.kind() {
            TyKind::Error
            | TyKind::Never
            | TyKind::Bool
            | TyKind::Char
            | TyKind::Str
            | TyKind::Int(_)
            | TyKind::Float(_)
            | TyKind::Param(_)
            | TyKind::Infer(_) => ty,
            TyKind::Tuple(parts) => Ty::new(TyKind::Tuple(self.fold_list(parts))),
            TyKind::Adt(id, args) => Ty::new(TyKind::Adt(id, self.fold_list(args))),
            TyKind::Fn(f) => Ty::new(TyKind::Fn(FnTy {
                params: self.fold_list(f.params),
                ret: self.fold_ty(f.ret),
                row: self.fold_row(f.row),
            })),
            TyKind::Ref(m, to) => Ty::new(TyKind::Ref(m, self.fold_ty(to))),
            TyKind::Ptr(to) => Ty::new(TyKind::Ptr(self.fold_ty(to))),
            TyKind::Dyn(traits) => {
                let folded: Vec<TraitRef> = traits.iter().map(|&t| self.fold_trait_ref(t)).collect();
                Ty::new(TyKind::Dyn(Ty::trait_refs(&folded)))
            }
            TyKind::Assoc(a) => Ty::new(TyKind::Assoc(AssocTy {
                trait_id: a.trait_id,
                args: self.fold_list(a.args),
                name: a.name,
            })),
            TyKind::Opaque(f, n, args) => Ty::new(TyKind::Opaque(f, n, self.fold_list(args))),
            TyKind::Record(fields) => {
                let folded: Vec<_> = fields.iter().map(|&(name, ty)| (name, self.fold_ty(ty))).collect();
                Ty::record(&folded)
            }
            TyKind::OpenRecord(fields, rest) => {
                let folded: Vec<_> = fields.iter().map(|&(name, ty)| (name, self.fold_ty(ty))).collect();
                Ty::open_record(&folded, self.fold_ty(rest))
            }
        }
    }
}

struct Subst<'a>(&'a [Ty]);

impl Fold for Subst<'_> {
    fn fold_ty(&mut self, ty: Ty) -> Ty {
        if !ty.has(TyFlags::PARAM) {
            return ty;
        }
        match ty.kind() {
            TyKind::Param(param) => self.0.get(param.index as usize).copied().unwrap_or(ty),
            _ => self.fold_parts(ty),
        }
    }
}

/// `ty` with parameter `i` replaced by `args[i]`; parameters beyond the list stay.
pub fn subst(ty: Ty, args: &[Ty]) -> Ty {
    Subst(args).fold_ty(ty)
}

/// [`subst`] for a list.
pub fn subst_list(list: Tys, args: &[Ty]) -> Tys {
    Subst(args).fold_list(list)
}

/// [`subst`] for a trait reference.
pub fn subst_trait_ref(it: TraitRef, args: &[Ty]) -> TraitRef {
    Subst(args).fold_trait_ref(it)
}

impl Ty {
    /// What a function of this type may perform, as far as that is written.
    pub fn row(self) -> Row {
        self.as_fn().map_or(Row::EMPTY, |it| it.row)
    }

    /// The type as code has it: what functions perform is the checker's matter.
    pub fn without_rows(self) -> Ty {
        struct Erase;
        impl Fold for Erase {
            fn fold_ty(&mut self, ty: Ty) -> Ty {
                if ty.has(TyFlags::ROW) { self.fold_parts(ty) } else { ty }
            }

            fn fold_row(&mut self, _: Row) -> Row {
                Row::EMPTY
            }
        }
        Erase.fold_ty(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::common;
    use qz_base::Name;

    #[test]
    fn rows_go_from_all_parts() {
        let c = common();
        let label = Ty::adt(crate::AdtId::from_raw(0), &[c.int]);
        let open = Ty::func(&[c.int], c.str, Row::of([label]));
        let nested = Ty::tuple(&[Ty::func(&[open], open, Row::EMPTY), c.int]);
        let plain = Ty::func(&[c.int], c.str, Row::EMPTY);
        assert!(nested.has(TyFlags::ROW));
        assert_eq!(nested.without_rows(), Ty::tuple(&[Ty::func(&[plain], plain, Row::EMPTY), c.int]));
        assert!(!nested.without_rows().has(TyFlags::ROW));
    }

    #[test]
    fn parameters_are_replaced_everywhere() {
        let c = common();
        let t = Ty::param(0, Name::new("T"));
        let f = Ty::func(&[t, Ty::tuple(&[t])], t, Row::EMPTY);
        assert_eq!(subst(f, &[c.int]), Ty::func(&[c.int, Ty::tuple(&[c.int])], c.int, Row::EMPTY));
    }
}
