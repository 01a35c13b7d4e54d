//! Names of functions, constants and variants used as values.

use qz_base::{Name, Span};
use qz_hir::AdtKind;
use qz_hir::body::*;
use qz_hir::scope::{Def, Lookup};
use qz_types::{AdtId, FnId, Row, StaticId, Ty, TyKind, Tys, subst};

use super::{Expect, Infer};
use crate::diagnostics as words;
use crate::facts::*;

impl Infer<'_, '_> {
    /// A function's bare name as a value. Overloads are told apart by the expected type's arity.
    pub(super) fn fn_value(&mut self, id: ExprId, candidates: &[FnId], type_args: Tys, expect: Expect) -> Ty {
        let span = self.span(id);
        let wanted = match expect {
            Expect::Hint(hint) => self.shallow(hint).as_fn().map(|f| f.params.len() as u32),
            _ => None,
        };
        let fitting: Vec<FnId> = match candidates {
            [only] => vec![*only],
            many => {
                let takes = |f: &FnId| {
                    let (min, max) = self.ck.defs.fns[*f].arity;
                    wanted.is_some_and(|n| min <= n && max.is_none_or(|max| n <= max))
                };
                many.iter().copied().filter(takes).collect()
            }
        };
        let [function] = fitting[..] else {
            let name = self.ck.defs.fns[candidates[0]].name;
            self.report(words::overload_value(span, name));
            return self.error();
        };
        let callee = self.instantiate(id, function, type_args, span);
        Ty::func(&callee.params, callee.ret, Row::EMPTY)
    }

    pub(super) fn const_value(&mut self, id: ExprId, constant: FnId) -> Ty {
        let span = self.span(id);
        self.instantiate(id, constant, &[], span).ret
    }

    pub(super) fn static_value(&mut self, id: ExprId, var: StaticId) -> Ty {
        match self.ck.defs.static_ty(var) {
            Some(ty) => ty,
            None => {
                let init = self.ck.defs.statics[var].init;
                let span = self.span(id);
                self.instantiate(id, init, &[], span).ret
            }
        }
    }

    /// The type of an enum with unknown arguments, or those of the expected type.
    pub(super) fn adt_for(&mut self, adt: AdtId, written: Tys, expect: Expect) -> (Ty, Vec<Ty>) {
        let holes = Ty::adt(adt, written);
        let ty = if written.is_empty() {
            let generics = self.ck.defs.adt_generics(adt);
            let args: Vec<Ty> = (0..generics.len()).map(|_| self.fresh()).collect();
            Ty::adt(adt, &args)
        } else {
            self.fill_holes(holes)
        };
        if let Some((_, args)) = ty.as_adt() {
            let generics = self.ck.defs.adt_generics(adt);
            let noted = self.st.rows.len();
            self.note_rows(&generics, args);
            let def = &self.ck.defs.adts[adt];
            let declared = Span::new(self.ck.defs.file_of(def.module), def.name_range);
            for n in noted..self.st.rows.len() {
                self.require_effects(self.st.rows[n], declared);
            }
        }
        if let Expect::Hint(hint) = expect {
            let hint = self.shallow(hint);
            if hint.as_adt().is_some_and(|(it, _)| it == adt) {
                // Only a hint: a mismatch is reported by whoever expects it.
                let at = self.s.table.snapshot();
                match self.s.table.unify(ty, hint) {
                    Ok(()) => self.s.table.commit(at),
                    Err(_) => self.s.table.rollback(at),
                }
            }
        }
        let args = ty.as_adt().map(|(_, args)| args.to_vec()).unwrap_or_default();
        (ty, args)
    }

    /// Types of a variant's fields for given type arguments.
    pub(super) fn variant_fields(&mut self, adt: AdtId, variant: u32, args: &[Ty]) -> Vec<(Name, Ty)> {
        let fields = self.ck.defs.adt_fields(adt);
        let Some(variant) = fields.variants.get(variant as usize) else { return Vec::new() };
        let types: Vec<(Name, Ty)> =
            variant.fields.iter().map(|field| (field.name, subst(field.ty, args))).collect();
        types.into_iter().map(|(name, ty)| (name, self.normalize(ty))).collect()
    }

    /// A variant without its arguments: a value if it has none, else a function.
    pub(super) fn variant_value(
        &mut self,
        id: ExprId,
        adt: AdtId,
        variant: u32,
        type_args: Tys,
        expect: Expect,
    ) -> Ty {
        self.st.types.callees.insert(id, Callee::Variant { adt, variant });
        let is_function = !self.ck.defs.adt_fields(adt).variants[variant as usize].fields.is_empty();
        let (ty, args) = self.adt_for(adt, type_args, if is_function { Expect::Any } else { expect });
        if !is_function {
            return ty;
        }
        let params: Vec<Ty> =
            self.variant_fields(adt, variant, &args).into_iter().map(|(_, ty)| ty).collect();
        Ty::func(&params, ty, Row::EMPTY)
    }

    pub(super) fn newtype_value(&mut self, id: ExprId, adt: AdtId, type_args: Tys) -> Ty {
        if let Some(check) = self.refined_constructor(adt) {
            return self.fn_value(id, &[check], &[], Expect::Any);
        }
        self.st.types.callees.insert(id, Callee::Newtype { adt });
        let (ty, args) = self.adt_for(adt, type_args, Expect::Any);
        let params: Vec<Ty> = self.variant_fields(adt, 0, &args).into_iter().map(|(_, ty)| ty).collect();
        Ty::func(&params, ty, Row::EMPTY)
    }

    /// A type's name where a value stands: no value itself, but maybe a variant of that name is meant.
    pub(super) fn variant_named_as_type(&mut self, ty: Ty, expect: Expect) -> Option<(AdtId, u32)> {
        if let Some(found) = self.variant_expected_as_type(ty, expect) {
            return Some(found);
        }
        match self.ck.defs.variants_in_scope(self.module, self.type_name(ty))[..] {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The variant of the expected enum that has the name of another type.
    pub(super) fn variant_expected_as_type(&mut self, ty: Ty, expect: Expect) -> Option<(AdtId, u32)> {
        let Expect::Hint(hint) = expect else { return None };
        let found = self.variant_of(hint, self.type_name(ty))?;
        (ty.as_adt().map(|(adt, _)| adt) != Some(found.0)).then_some(found)
    }

    fn type_name(&self, ty: Ty) -> Name {
        match ty.as_adt() {
            Some((adt, _)) => self.ck.defs.adts[adt].name,
            None => Name::new(&self.show(ty)),
        }
    }

    /// The variant of this name, if the type is known to be an enum that has one.
    pub(super) fn variant_of(&mut self, ty: Ty, name: Name) -> Option<(AdtId, u32)> {
        let ty = self.shallow(ty).peel_ref();
        let TyKind::Adt(adt, _) = *self.shallow(ty).kind() else { return None };
        if self.ck.defs.adts[adt].kind != AdtKind::Enum {
            return None;
        }
        let fields = self.ck.defs.adt_fields(adt);
        fields.variants.iter().position(|it| it.name == name).map(|at| (adt, at as u32))
    }

    /// The enum a bare variant belongs to: the expected type's, else the only one in scope.
    pub(super) fn find_bare_variant(
        &mut self,
        span: qz_base::Span,
        name: Name,
        expected: Option<Ty>,
    ) -> Option<(AdtId, u32)> {
        if let Some(found) = expected.and_then(|ty| self.variant_of(ty, name)) {
            return Some(found);
        }
        let of_expected = expected.and_then(|ty| match self.shallow(ty).peel_ref().as_adt() {
            Some((adt, _)) if self.ck.defs.adts[adt].kind == AdtKind::Enum => Some(adt),
            _ => None,
        });
        match self.ck.defs.variants_in_scope(self.module, name)[..] {
            [one] => Some(one),
            [] => {
                let is_trait = matches!(self.ck.defs.lookup(self.module, name), Lookup::Found(Def::Trait(_)));
                let problem = match of_expected {
                    _ if is_trait => words::trait_as_value(span, name),
                    Some(adt) => {
                        let fields = self.ck.defs.adt_fields(adt);
                        let variants: Vec<Name> = fields.variants.iter().map(|it| it.name).collect();
                        words::unknown_variant(span, self.ck.defs.adts[adt].name, name, &variants)
                    }
                    None => {
                        let visible = self.ck.defs.visible_names(self.module);
                        words::unknown_name(span, name, &visible)
                    }
                };
                self.report(problem);
                None
            }
            ref many => {
                let enums: Vec<Name> = many.iter().map(|&(adt, _)| self.ck.defs.adts[adt].name).collect();
                self.report(words::ambiguous_variant(span, name, &enums));
                None
            }
        }
    }

    pub(super) fn bare_variant_value(&mut self, id: ExprId, name: Name, expect: Expect) -> Ty {
        let span = self.span(id);
        let expected = match expect {
            Expect::Hint(hint) => Some(match self.shallow(hint).as_fn() {
                Some(f) => f.ret,
                None => hint,
            }),
            _ => None,
        };
        match self.find_bare_variant(span, name, expected) {
            Some((adt, variant)) => self.variant_value(id, adt, variant, &[], expect),
            None => self.error(),
        }
    }
}
