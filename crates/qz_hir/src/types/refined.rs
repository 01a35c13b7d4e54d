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

    fn never_changes(&self, ty: Ty) -> bool {
        match ty.kind() {
            TyKind::Int(_) | TyKind::Float(_) | TyKind::Char | TyKind::Bool | TyKind::Str => true,
            TyKind::Tuple(parts) => !parts.is_empty() && parts.iter().all(|&it| self.never_changes(it)),
            TyKind::Adt(adt, _) => {
                let lang = &self.defs.lang;
                let is_text = ["Bytes", "Symbol"].iter().any(|role| lang.adt(role) == Some(*adt));
                is_text || self.defs.refinement(*adt).is_some()
            }
            _ => false,
        }
    }

    pub(super) fn refined_sig(self, adt: AdtId, part: Part) -> FnSig {
        let base = self.defs.adt_fields(adt).variants[0].fields[0].ty;
        let refined = Ty::adt(adt, &[]);
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
        FnSig {
            generics: Arc::new(self.generics),
            params: vec![param],
            ret: Some(ret),
            can: None,
            opaques: Vec::new(),
        }
    }
}
