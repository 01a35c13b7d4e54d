//! Building and taking apart data: tuples, vectors, maps, structs, ranges, indexing.

use qz_base::{Name, Span, TextRange};
use qz_hir::AdtKind;
use qz_hir::body::*;
use qz_types::ty::common;
use qz_types::{TraitRef, Ty, TyKind};

use super::{Expect, Infer};
use crate::diagnostics as words;
use crate::facts::*;
use crate::traits::Obligation;

impl Infer<'_, '_> {
    pub(super) fn tuple(&mut self, elems: &[ExprId], expect: Expect) -> Ty {
        let hints = match expect {
            Expect::Hint(hint) => match *self.shallow(hint).kind() {
                TyKind::Tuple(parts) if parts.len() == elems.len() => parts,
                _ => &[],
            },
            _ => &[],
        };
        let mut types = Vec::new();
        for (n, &elem) in elems.iter().enumerate() {
            match hints.get(n) {
                Some(&hint) => {
                    self.check(elem, hint);
                    types.push(hint);
                }
                None => {
                    let ty = self.value(elem, Expect::Any);
                    types.push(ty);
                }
            }
        }
        Ty::tuple(&types)
    }

    pub(super) fn tuple_index(&mut self, id: ExprId, base: ExprId, index: u32, range: TextRange) -> Ty {
        let ty = self.expr(base, Expect::Any);
        let ty = self.known(ty).peel_ref();
        let ty = self.known(ty);
        let ty = self.open_refined(base, ty);
        match *ty.kind() {
            TyKind::Tuple(parts) => match parts.get(index as usize) {
                Some(&part) => {
                    self.st.types.callees.insert(id, Callee::Field { variant: 0, index });
                    return part;
                }
                None => {
                    let span = Span::new(self.body.file, range);
                    self.report(words::tuple_index(span, index, parts.len()));
                }
            },
            TyKind::Error => {}
            _ => {
                let span = Span::new(self.body.file, range);
                let shown = self.show(ty);
                self.report(words::not_a_tuple(span, &shown));
            }
        }
        self.error()
    }

    /// The element type that an expected collection gives.
    fn elem_hint(&self, expect: Expect, role: &str) -> Option<qz_types::Tys> {
        match expect {
            Expect::Hint(hint) => self.as_lang(hint, role),
            _ => None,
        }
    }

    pub(super) fn vec(&mut self, elems: &[Arg], expect: Expect) -> Ty {
        let elem = match self.elem_hint(expect, "Vec") {
            Some(args) => args[0],
            None => self.fresh(),
        };
        self.elements(elems, elem);
        self.lang_adt("Vec", &[elem])
    }

    pub(super) fn set(&mut self, id: ExprId, elems: &[Arg], expect: Expect) -> Ty {
        let elem = match self.elem_hint(expect, "Set") {
            Some(args) => args[0],
            None => self.fresh(),
        };
        self.elements(elems, elem);
        self.require_key(id, elem);
        self.lang_adt("Set", &[elem])
    }

    fn elements(&mut self, elems: &[Arg], elem: Ty) {
        for arg in elems {
            match arg.kind {
                ArgKind::Spread => {
                    let wanted = self.lang_adt("Vec", &[elem]);
                    self.check(arg.value, wanted);
                }
                ArgKind::Named(name, range) => {
                    let span = Span::new(self.body.file, range);
                    self.report(words::unknown_arg_name(span, name, &[]));
                    self.check(arg.value, elem);
                }
                ArgKind::Positional | ArgKind::Block => self.check_element(arg.value, elem),
            }
        }
    }

    /// The first element fixes an open element type by its value, not by a coercion.
    fn check_element(&mut self, value: ExprId, elem: Ty) {
        let hint = self.member_hint(value, elem);
        let found = self.value(value, Expect::Hint(hint));
        self.coerce_value(value, found, elem);
    }

    fn coerce_value(&mut self, value: ExprId, found: Ty, expected: Ty) {
        let keep = self.st.types.coercions.get(value).cloned();
        self.coerce(value, found, expected);
        // What makes another value of it reads the borrow as well.
        let is_made = matches!(
            self.st.types.coercions.get(value),
            Some(
                Coercion::Member { .. }
                    | Coercion::Widen { .. }
                    | Coercion::Dyn { .. }
                    | Coercion::Refine { .. }
                    | Coercion::Unrefine { .. }
            )
        );
        if let Some(keep) = keep
            && !is_made
        {
            self.st.types.coercions.insert(value, keep);
        }
    }

    /// Keys must have `==` and `hash`.
    fn require_key(&mut self, at: ExprId, key: Ty) {
        let span = self.span(at);
        if let Some(trait_id) = self.ck.defs.lang.trait_("Hash") {
            let mut obligation = Obligation::trait_(key, TraitRef { trait_id, args: &[] }, span);
            obligation.is_key = true;
            self.st.obligations.push(obligation);
        }
    }

    pub(super) fn repeat(&mut self, id: ExprId, elem: ExprId, count: ExprId, expect: Expect) -> Ty {
        let ty = match self.elem_hint(expect, "Vec") {
            Some(args) => args[0],
            None => self.fresh(),
        };
        self.check_element(elem, ty);
        self.check(count, common().int);
        self.require(id, ty, "Clone");
        self.lang_adt("Vec", &[ty])
    }

    pub(super) fn map(&mut self, id: ExprId, entries: &[(ExprId, ExprId)], expect: Expect) -> Ty {
        let (key, value) = match self.elem_hint(expect, "Map") {
            Some(args) => (args[0], args[1]),
            None => (self.fresh(), self.fresh()),
        };
        for &(k, v) in entries {
            self.check_element(k, key);
            self.check_element(v, value);
        }
        self.require_key(id, key);
        self.lang_adt("Map", &[key, value])
    }

    pub(super) fn comprehension(
        &mut self,
        id: ExprId,
        kind: Comprehension,
        acc: LocalId,
        body: ExprId,
        expect: Expect,
    ) -> Ty {
        let ty = match kind {
            Comprehension::Vec => {
                let elem = match self.elem_hint(expect, "Vec") {
                    Some(args) => args[0],
                    None => self.fresh(),
                };
                self.lang_adt("Vec", &[elem])
            }
            Comprehension::Map => {
                let (key, value) = match self.elem_hint(expect, "Map") {
                    Some(args) => (args[0], args[1]),
                    None => (self.fresh(), self.fresh()),
                };
                self.require_key(id, key);
                self.lang_adt("Map", &[key, value])
            }
        };
        self.st.types.locals.insert(acc, ty);
        self.expr(body, Expect::Discard);
        ty
    }

    pub(super) fn collect(&mut self, acc: LocalId, key: Option<ExprId>, value: ExprId) -> Ty {
        let ty = self.shallow(self.st.types.locals[acc]);
        if let Some((_, args)) = ty.as_adt() {
            let args = args.to_vec();
            match (key, &args[..]) {
                (Some(key), &[k, v]) => {
                    self.check_element(key, k);
                    self.check_element(value, v);
                }
                (None, &[elem]) => self.check_element(value, elem),
                _ => {}
            }
        }
        common().unit
    }

    pub(super) fn range(
        &mut self,
        id: ExprId,
        start: Option<ExprId>,
        end: Option<ExprId>,
        step: Option<ExprId>,
        expect: Expect,
    ) -> Ty {
        let hint = match expect {
            Expect::Hint(hint) => self.as_lang(hint, "Range").map(|args| args[0]),
            _ => None,
        };
        let elem = match hint {
            Some(elem) => elem,
            None => self.fresh(),
        };
        let _ = id;
        for part in [start, end].into_iter().flatten() {
            self.check_element(part, elem);
        }
        if let Some(step) = step {
            let is_char = matches!(self.shallow(elem).kind(), TyKind::Char);
            let step_ty = if is_char { common().int } else { elem };
            self.check_element(step, step_ty);
        }
        self.lang_adt("Range", &[elem])
    }

    // ------------------------------------------------------------------------------------------ indexing

    /// `base[index]` through the trait `Index`.
    pub(super) fn index(&mut self, id: ExprId, base: ExprId, index: ExprId) -> Ty {
        let ty = self.opened(base, Expect::Any);
        let ty = self.known(ty);
        if ty.is_error() {
            self.expr(index, Expect::Any);
            return self.error();
        }
        if let TyKind::Tuple(_) = ty.kind() {
            let span = self.span(index);
            self.report(words::index_tuple(span));
            return self.error();
        }
        let key = self.index_key(ty, index);
        self.index_with(id, ty, key, "Index", "op_index")
    }

    /// The type of an index: open-ended ranges and integers are for sequences, the rest is the key's.
    fn index_key(&mut self, ty: Ty, index: ExprId) -> Ty {
        let key_hint = match self.as_lang(ty, "Map") {
            Some(args) => Some(args[0]),
            None if matches!(self.expr_node(index), Expr::Range { .. }) => {
                Some(self.lang_adt("Range", &[common().int]))
            }
            None => self.only_index(ty),
        };
        match key_hint {
            Some(hint) => {
                self.check(index, hint);
                hint
            }
            None => {
                let key = self.value(index, Expect::Any);
                self.known(key)
            }
        }
    }

    fn only_index(&mut self, ty: Ty) -> Option<Ty> {
        let is_sequence = matches!(ty.kind(), TyKind::Str)
            || ["Vec", "Bytes", "Slice"].iter().any(|role| self.as_lang(ty, role).is_some());
        is_sequence.then(|| common().int)
    }

    fn index_with(&mut self, id: ExprId, ty: Ty, key: Ty, role: &str, method: &str) -> Ty {
        let Some(trait_id) = self.ck.defs.lang.trait_(role) else { return self.error() };
        let output = self.fresh();
        let bound = TraitRef { trait_id, args: Ty::list(&[key, output]) };
        if !ty.is_infer() && !self.traits().might_hold(ty, bound) {
            let span = self.span(id);
            let (shown, key) = (self.show(ty), self.show(key));
            self.report(words::not_indexable(span, &shown, &key, role == "IndexSet"));
            return self.error();
        }
        let methods = &self.ck.defs.traits[trait_id].methods;
        let at = methods.iter().position(|&it| self.ck.defs.fns[it].name.as_str() == method);
        self.instantiate_trait_method(id, ty, bound, at.unwrap_or(0) as u32, &[]);
        self.solve(false);
        self.shallow(output)
    }

    /// An element that is written: the collection must have `op_index_set`; a field of one must be shared.
    pub(super) fn index_place(&mut self, place: ExprId, base: ExprId) {
        let Some(&ty) = self.st.types.exprs.get(base) else { return };
        let ty = self.shallow(ty).peel_ref();
        let ty = self.shallow(ty);
        if ty.is_error() {
            return;
        }
        let Some(Callee::Method { args, .. }) = self.st.types.callees.get(place).cloned() else { return };
        let Some(trait_id) = self.ck.defs.lang.trait_("IndexSet") else { return };
        let bound = TraitRef { trait_id, args: Ty::list(&args[1..]) };
        if !ty.is_infer() && !self.traits().might_hold(ty, bound) {
            let span = self.span(place);
            let (shown, key) = (self.show(ty), self.show(args[1]));
            self.report(words::not_indexable(span, &shown, &key, true));
            return;
        }
        let span = self.span(place);
        self.st.obligations.push(Obligation::trait_(ty, bound, span));
    }

    // ------------------------------------------------------------------------------------------- structs

    /// The type and variant a struct literal or pattern names.
    pub(super) fn struct_path(
        &mut self,
        path: StructPath,
        span: Span,
        expect: Expect,
    ) -> Option<(Ty, qz_types::AdtId, u32, Vec<Ty>)> {
        let (adt, variant, written) = match path {
            StructPath::Adt(adt, args) => match self.variant_expected_as_type(Ty::adt(adt, args), expect) {
                Some((adt, variant)) => (adt, variant, &[] as &[Ty]),
                None => (adt, 0, args),
            },
            StructPath::Variant(adt, variant, args) => (adt, variant, args),
            StructPath::Bare(name) => {
                let expected = match expect {
                    Expect::Hint(hint) => Some(hint),
                    _ => None,
                };
                let (adt, variant) = self.find_bare_variant(span, name, expected)?;
                (adt, variant, &[] as &[Ty])
            }
            StructPath::BareOrAdt(name, adt, args) => match expect {
                Expect::Hint(hint) => match self.variant_of(hint, name) {
                    Some((adt, variant)) => (adt, variant, &[] as &[Ty]),
                    None => (adt, 0, args),
                },
                _ => (adt, 0, args),
            },
            StructPath::Error => return None,
        };
        let (ty, args) = self.adt_for(adt, written, expect);
        Some((ty, adt, variant, args))
    }

    pub(super) fn struct_literal(
        &mut self,
        id: ExprId,
        path: StructPath,
        fields: &[FieldInit],
        spread: Option<ExprId>,
        expect: Expect,
    ) -> Ty {
        let span = self.span(id);
        let Some((ty, adt, variant, args)) = self.struct_path(path, span, expect) else {
            self.infer_field_values(fields, spread);
            return self.error();
        };
        if let Some(packed) = self.ck.defs.packed(adt) {
            return self.packed_literal(id, ty, packed, fields, spread);
        }
        let def = &self.ck.defs.adts[adt];
        if matches!(path, StructPath::Adt(..)) && matches!(def.kind, AdtKind::Enum | AdtKind::Newtype) {
            self.report(words::not_a_struct(span, def.name));
            self.infer_field_values(fields, spread);
            return self.error();
        }
        self.st.types.callees.insert(id, Callee::Variant { adt, variant });
        self.check_fields(adt, variant, &args, fields);
        if let Some(spread) = spread {
            self.check(spread, ty);
            return ty;
        }
        self.missing_fields(span, adt, variant, fields);
        ty
    }

    /// A literal of a packed struct builds its fields, which are then put together.
    fn packed_literal(
        &mut self,
        id: ExprId,
        ty: Ty,
        packed: qz_hir::Packed,
        fields: &[FieldInit],
        spread: Option<ExprId>,
    ) -> Ty {
        self.st.types.callees.insert(id, Callee::Variant { adt: packed.fields, variant: 0 });
        self.check_fields(packed.fields, 0, &[], fields);
        match spread {
            Some(spread) => self.check(spread, ty),
            None => self.missing_fields(self.span(id), packed.fields, 0, fields),
        };
        ty
    }

    fn infer_field_values(&mut self, fields: &[FieldInit], spread: Option<ExprId>) {
        for value in fields.iter().map(|it| it.value).chain(spread) {
            self.expr(value, Expect::Any);
        }
    }

    /// Written fields against the declaration.
    fn check_fields(&mut self, adt: qz_types::AdtId, variant: u32, args: &[Ty], fields: &[FieldInit]) {
        let declared = self.variant_fields(adt, variant, args);
        let info = self.ck.defs.adt_fields(adt);
        let def = &self.ck.defs.adts[adt];
        let mut seen: Vec<Name> = Vec::new();
        for field in fields {
            let span = Span::new(self.body.file, field.name_range);
            let Some(at) = declared.iter().position(|it| it.0 == field.name) else {
                let names: Vec<Name> = declared.iter().map(|it| it.0).collect();
                self.report(words::no_field(span, def.name, field.name, &names));
                self.expr(field.value, Expect::Any);
                continue;
            };
            if seen.contains(&field.name) {
                self.report(words::field_twice(span, field.name));
            }
            seen.push(field.name);
            let it = &info.variants[variant as usize].fields[at];
            if it.is_private && !self.ck.defs.sees_private(self.module, def.module) {
                let declared = Span::new(self.ck.defs.file_of(def.module), it.range);
                self.report(words::private_field(span, field.name, declared));
            }
            self.check(field.value, declared[at].1);
        }
    }

    fn missing_fields(&mut self, span: Span, adt: qz_types::AdtId, variant: u32, fields: &[FieldInit]) {
        let info = self.ck.defs.adt_fields(adt);
        let missing: Vec<Name> = info.variants[variant as usize]
            .fields
            .iter()
            .filter(|it| it.default.is_none() && !fields.iter().any(|f| f.name == it.name))
            .map(|it| it.name)
            .collect();
        if !missing.is_empty() {
            let name = self.ck.defs.adts[adt].name;
            let declared = self.ck.defs.adt_span(adt);
            self.report(words::fields_missing(span, name, &missing, declared));
        }
    }

    /// `p.with { x: 3 }`: a shallow copy with some fields replaced.
    pub(super) fn update(&mut self, id: ExprId, base: ExprId, fields: &[FieldInit]) -> Ty {
        let ty = self.value(base, Expect::Any);
        let ty = self.known(ty);
        let span = self.span(id);
        if ty.may_get_fields() {
            return self.update_unknown(ty, fields, self.span(base));
        }
        match *ty.kind() {
            TyKind::Adt(adt, args)
                if matches!(self.ck.defs.adts[adt].kind, AdtKind::Struct | AdtKind::Value) =>
            {
                self.st.types.callees.insert(id, Callee::Variant { adt, variant: 0 });
                self.check_fields(adt, 0, args, fields);
                ty
            }
            TyKind::Adt(adt, _) if let Some(packed) = self.ck.defs.packed(adt) => {
                self.st.types.callees.insert(id, Callee::Variant { adt: packed.fields, variant: 0 });
                self.check_fields(packed.fields, 0, &[], fields);
                ty
            }
            TyKind::Record(declared) | TyKind::OpenRecord(declared, _) => {
                self.update_record(ty, declared, fields)
            }
            TyKind::Error => {
                self.infer_field_values(fields, None);
                self.error()
            }
            _ => {
                let shown = self.show(ty);
                self.report(words::with_needs_struct(span, &shown));
                self.infer_field_values(fields, None);
                self.error()
            }
        }
    }
}
