//! What `A | B` means: which types may be members, and the order that all ways to write one union have in common.

use qz_base::{Name, Span, TextRange};
use qz_syntax::ast::{self, AstNode};
use qz_types::{DefNames, Ty, TyFlags, TyKind, Tys};

use super::{Paths, Position, TypeCx};
use crate::defs::*;
use crate::diagnostics as words;

/// So many members a union can have: one byte tells them apart.
pub(crate) const MOST_MEMBERS: u32 = 256;

/// Why a type cannot be a member of a union.
pub(crate) enum Unfit {
    Parameter,
    Never,
    Borrow,
    Hole,
}

impl TypeCx<'_> {
    /// The members of members are members; they stand in an order of their own.
    pub(super) fn union_type(&mut self, it: ast::UnionType<'_>) -> Ty {
        let mut members: Vec<Ty> = Vec::new();
        let mut places: Vec<Span> = Vec::new();
        for written in it.members() {
            let span = self.span(written.syntax().range());
            let ty = self.ty(written, Position::Part);
            let parts = self.defs.union_members(ty).unwrap_or(&[]);
            let parts = if parts.is_empty() { vec![ty] } else { parts.to_vec() };
            for part in parts {
                if !self.takes_member(&members, &places, part, span) {
                    return self.error();
                }
                members.push(part);
                places.push(span);
            }
        }
        let span = self.span(it.syntax().range());
        if members.len() > MOST_MEMBERS as usize {
            self.defs.report(words::union_too_large(span, members.len(), MOST_MEMBERS));
            return self.error();
        }
        self.defs.union_of(members).unwrap_or(self.error())
    }

    /// Whether a type can stand beside the members so far, which were written at these places; says why not.
    fn takes_member(&self, members: &[Ty], places: &[Span], member: Ty, span: Span) -> bool {
        let unfit = match *member.kind() {
            TyKind::Error => return false,
            TyKind::Param(_) | TyKind::Assoc(_) | TyKind::Opaque(..) => Some(Unfit::Parameter),
            TyKind::Infer(_) => Some(Unfit::Hole),
            TyKind::Never => Some(Unfit::Never),
            TyKind::Ref(..) => Some(Unfit::Borrow),
            _ => None,
        };
        if let Some(unfit) = unfit {
            let shown = member.display(self.defs).to_string();
            self.defs.report(words::union_member(span, &shown, &unfit));
            return false;
        }
        let open = TyFlags::PARAM.union(TyFlags::INFER).union(TyFlags::ASSOC).union(TyFlags::OPAQUE);
        // What a parameter becomes must not decide which member a value is, nor the order.
        let same = |&it: &Ty| {
            it == member
                || ((it.has(open) || member.has(open))
                    && TyHead::of(it).is_some()
                    && TyHead::of(it) == TyHead::of(member))
        };
        match members.iter().position(same) {
            Some(n) => {
                let (a, b) =
                    (members[n].display(self.defs).to_string(), member.display(self.defs).to_string());
                self.defs.report(words::union_overlap(span, &a, &b, places[n]));
                false
            }
            None => true,
        }
    }
}

impl Defs {
    /// The members of a union, if the type is one.
    pub fn union_members(&self, ty: Ty) -> Option<Tys> {
        let (id, members) = ty.as_adt()?;
        self.is_union(id).then_some(members)
    }

    /// The union of distinct types, which may be in any order.
    pub fn union_of(&self, mut members: Vec<Ty>) -> Option<Ty> {
        let id = *self.lang.unions.get(members.len().checked_sub(2)?)?;
        members.sort_by_cached_key(|&ty| self.member_order(ty));
        Some(Ty::adt(id, &members))
    }

    /// The parameters of a union's enum: its members.
    pub(super) fn union_generics(&self, members: u32, range: TextRange) -> Generics {
        let param = |n: u32| GenericParam { name: Name::new(&format!("M{}", n + 1)), range, default: None };
        Generics { params: (0..members).map(param).collect(), preds: Vec::new(), outer: 0 }
    }

    /// A variant for each member.
    pub(super) fn union_fields(generics: &Generics, range: TextRange) -> AdtFields {
        let variant = |(n, ty): (usize, Ty)| {
            let field = Field { name: Name::new("0"), range, ty, is_private: false, default: None };
            let name = Name::new(&format!("Member{}", n + 1));
            Variant { name, range, fields: vec![field], named: false, number: None }
        };
        AdtFields { variants: generics.identity().into_iter().enumerate().map(variant).collect() }
    }

    /// The outermost type first: two members that have parameters inside differ there.
    fn member_order(&self, ty: Ty) -> (u32, String, String) {
        let (rank, name) = match *ty.kind() {
            TyKind::Adt(id, _) => (1, self.adt_path(id).to_string()),
            TyKind::Tuple(parts) => (2, format!("{:04}", parts.len())),
            TyKind::Fn(f) => (3, format!("{:04}", f.params.len())),
            TyKind::Ptr(_) => (4, String::new()),
            TyKind::Record(_) | TyKind::OpenRecord(..) => (5, String::new()),
            TyKind::Dyn(traits) => {
                let def = &self.traits[traits[0].trait_id];
                (6, format!("{}::{}", self.modules[def.module].path, def.name))
            }
            _ => (0, String::new()),
        };
        let open = ty.has(TyFlags::PARAM.union(TyFlags::INFER).union(TyFlags::ASSOC).union(TyFlags::OPAQUE));
        (rank, name, if open { String::new() } else { ty.display(&Paths(self)).to_string() })
    }
}
