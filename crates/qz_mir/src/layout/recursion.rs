//! Which enums contain themselves by value and therefore are boxed.
//!
//! `enum Tree  Leaf  Node(Tree?, Tree?) end` contains itself through `Option`; it is `Tree` that is boxed, not
//! `Option<Tree>`: only an enum whose own declaration leads back to it can be. Every cycle of declarations
//! has such a member, so every type has a finite size.

use qz_base::FxHashSet;
use qz_types::{AdtId, Ty, TyKind};

use super::Layouts;
use crate::program::{AdtDef, AdtKind};

/// Beyond so many types inside one by value, it is taken to contain itself (its arguments grow for ever).
const MAX_PARTS: usize = 4096;

impl Layouts<'_> {
    pub(super) fn is_recursive(&self, ty: Ty) -> bool {
        let TyKind::Adt(id, _) = *ty.kind() else { return false };
        self.declaration_mentions_itself(id) && self.contains_itself(ty)
    }

    /// Whether the declaration leads back to itself through what it and others write down.
    fn declaration_mentions_itself(&self, id: AdtId) -> bool {
        let mut seen = FxHashSet::default();
        let mut work = vec![id];
        while let Some(next) = work.pop() {
            let def = self.defs.adt_def(next);
            let mut found = Vec::new();
            each_field_ty(&def, &mut |ty| self.mentions(ty, &mut found));
            for mention in found {
                if mention == id {
                    return true;
                }
                if seen.insert(mention) {
                    work.push(mention);
                }
            }
        }
        false
    }

    /// The declarations that a written type stores by value, or might store by value in a type argument.
    fn mentions(&self, ty: Ty, found: &mut Vec<AdtId>) {
        match *ty.kind() {
            TyKind::Tuple(parts) => parts.iter().for_each(|&part| self.mentions(part, found)),
            TyKind::Record(fields) | TyKind::OpenRecord(fields, _) => {
                fields.iter().for_each(|&(_, part)| self.mentions(part, found));
            }
            TyKind::Adt(id, args) if !matches!(self.defs.adt_def(id).kind, AdtKind::Reference(_)) => {
                found.push(id);
                args.iter().for_each(|&part| self.mentions(part, found));
            }
            _ => {}
        }
    }

    fn contains_itself(&self, ty: Ty) -> bool {
        let mut seen = FxHashSet::default();
        let mut work = self.parts(ty);
        while let Some(part) = work.pop() {
            if part == ty || seen.len() > MAX_PARTS {
                return true;
            }
            if seen.insert(part) {
                work.extend(self.parts(part));
            }
        }
        false
    }

    /// The types stored directly inside, by value.
    fn parts(&self, ty: Ty) -> Vec<Ty> {
        match *ty.kind() {
            TyKind::Tuple(parts) => parts.to_vec(),
            TyKind::Record(fields) => fields.iter().map(|&(_, part)| part).collect(),
            TyKind::Adt(id, args) => match &self.defs.adt_def(id).kind {
                AdtKind::Reference(_) => Vec::new(),
                AdtKind::Value(fields) => self.field_tys(fields, args),
                AdtKind::Enum(variants) => self.variant_tys(variants, args).concat(),
            },
            _ => Vec::new(),
        }
    }
}

fn each_field_ty(def: &AdtDef, f: &mut dyn FnMut(Ty)) {
    match &def.kind {
        AdtKind::Reference(_) => {}
        AdtKind::Value(fields) => fields.iter().for_each(|field| f(field.ty)),
        AdtKind::Enum(variants) => {
            variants.iter().flat_map(|variant| &variant.fields).for_each(|field| f(field.ty));
        }
    }
}
