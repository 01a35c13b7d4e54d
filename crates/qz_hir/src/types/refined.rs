//! What can be refined, and the signatures of the functions of refined types. See [`crate::refined`].

use std::sync::Arc;

use qz_base::{Name, Span, TextRange};
use qz_syntax::ast::{self, AstNode};
use qz_types::ty::common;
use qz_types::{AdtId, Ty, TyKind};

use super::{Position, TypeCx};
use crate::defs::*;
use crate::diagnostics as words;
use crate::refined::Part;

impl TypeCx<'_> {
    /// What is refined: a type whose values never change, so that a predicate that held once holds for ever.
    pub(super) fn refined_base(&mut self, it: ast::TypeAlias<'_>) -> Ty {
        let ty = self.ty_or_error(it.ty(), Position::Part);
        if self.never_changes(ty) || ty.is_error() {
            return ty;
        }
        let range = it.ty().map_or(it.syntax().range(), |it| it.syntax().range());
        let shown = ty.display(self.defs).to_string();
        self.defs.report(words::refined_base(Span::new(self.file, range), &shown));
        common().error
    }

    /// What a type parameter stands for may change, which no predicate can tell: see [`crate::refined`].
    fn never_changes(&self, ty: Ty) -> bool {
        !matches!(ty.kind(), TyKind::Param(_)) && self.is_fixed(ty, &mut Vec::new())
    }

    fn is_fixed(&self, ty: Ty, seen: &mut Vec<AdtId>) -> bool {
        match *ty.kind() {
            TyKind::Int(_) | TyKind::Float(_) | TyKind::Char | TyKind::Bool | TyKind::Str => true,
            TyKind::Param(_) => true,
            TyKind::Tuple(parts) => !parts.is_empty() && parts.iter().all(|&it| self.is_fixed(it, seen)),
            TyKind::Record(fields) => fields.iter().all(|it| self.is_fixed(it.1, seen)),
            TyKind::Adt(adt, args) => {
                let is_text = ["Bytes", "Symbol"].iter().any(|role| self.defs.lang.adt(role) == Some(adt));
                is_text || (args.iter().all(|&it| self.is_fixed(it, seen)) && self.has_fixed_parts(adt, seen))
            }
            _ => false,
        }
    }

    /// The same for the fields of a type whose type arguments do not change.
    fn has_fixed_parts(&self, adt: AdtId, seen: &mut Vec<AdtId>) -> bool {
        let def = &self.defs.adts[adt];
        if self.defs.refinement(adt).is_some() || seen.contains(&adt) {
            return true;
        }
        if matches!(def.kind, AdtKind::Struct) || def.is_linear || def.union_of.is_some() {
            return false;
        }
        seen.push(adt);
        let variants = &self.defs.adt_fields(adt).variants;
        variants.iter().flat_map(|it| &it.fields).all(|field| self.is_fixed(field.ty, seen))
    }

    pub(super) fn refined_sig(self, adt: AdtId, part: Part) -> FnSig {
        let base = self.defs.adt_fields(adt).variants[0].fields[0].ty;
        let refined = self.defs.adt_identity(adt);
        let ret = match part {
            Part::Holds => common().bool,
            Part::New => refined,
            Part::Try => self.defs.lang.adt("Option").map_or(common().error, |it| Ty::adt(it, &[refined])),
        };
        let param = SigParam {
            name: Name::new("it"),
            range: TextRange::default(),
            ty: Some(base),
            has_default: false,
            is_rest: false,
        };
        let mut generics = self.generics;
        if part == Part::Holds {
            // It is called by the others with type arguments.
            generics.outer = 0;
        }
        FnSig {
            generics: Arc::new(generics),
            params: vec![param],
            ret: Some(ret),
            can: None,
            opaques: Vec::new(),
        }
    }
}
