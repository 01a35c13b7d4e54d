//! Patterns against the type they take apart.

use qz_base::{Name, Span};
use qz_hir::AdtKind;
use qz_hir::body::*;
use qz_types::ty::common;
use qz_types::{Ty, TyKind, VarKind};

use super::{Expect, ExprOrPat, Infer};
use crate::diagnostics as words;
use crate::facts::*;

impl Infer<'_, '_> {
    /// Checks a pattern and gives its names their types.
    pub(super) fn pattern(&mut self, id: PatId, ty: Ty) {
        let ty = self.shallow(ty);
        let body = self.body.clone();
        let Some(ty) = self.pattern_subject(id, ty) else {
            let error = self.error();
            self.st.types.pats.insert(id, error);
            body.pats[id].each_child(&mut |part| self.pattern(part, error));
            return;
        };
        self.st.types.pats.insert(id, ty);
        match &body.pats[id] {
            Pat::Missing => self.st.failed = true,
            Pat::Wild => {}
            Pat::Bind { local, sub } => {
                match self.st.types.locals.get(*local).copied() {
                    // Another alternative of an or-pattern bound it.
                    Some(known) => {
                        let span = body.pat_span(id);
                        self.unify_at(span, ty, known);
                    }
                    None => {
                        self.st.types.locals.insert(*local, ty);
                    }
                }
                if let Some(sub) = sub {
                    self.pattern(*sub, ty);
                }
            }
            Pat::Lit { value } => self.literal_pattern(id, value, ty),
            Pat::Regex { groups, .. } => {
                self.pattern_type(id, common().str, ty);
                for group in groups {
                    let text = common().str;
                    let text = if group.optional { self.option_of(text) } else { text };
                    self.pattern(group.pat, text);
                }
            }
            Pat::Nil => {
                let inner = self.fresh();
                let option = self.option_of(inner);
                self.pattern_type(id, option, ty);
            }
            Pat::Const { constant } => {
                if let Some(scheme) = self.known_scheme(*constant) {
                    self.pattern_type(id, scheme.ret, ty);
                }
            }
            Pat::Range { start, end, inclusive } => {
                for part in [start, end].into_iter().flatten() {
                    self.pattern(*part, ty);
                }
                let known = self.known(ty);
                if !matches!(known.kind(), TyKind::Int(_) | TyKind::Float(_) | TyKind::Char | TyKind::Error) {
                    let span = body.pat_span(id);
                    let shown = self.show(known);
                    self.report(words::range_pattern(span, &shown));
                } else if self.is_empty_range(*start, *end, *inclusive) {
                    self.report(words::empty_range(body.pat_span(id)));
                }
            }
            // A newtype's name alone is a test for the member.
            Pat::Variant {
                path: StructPath::Adt(adt, _) | StructPath::BareOrAdt(_, adt, _),
                has_args: false,
                ..
            } if self.st.types.pat_members.contains(id) && ty.as_adt().is_some_and(|it| it.0 == *adt) => {}
            Pat::Variant { path, args, has_args, gap } => {
                self.variant_pattern(id, *path, has_args.then_some((args, *gap)), ty);
            }
            Pat::Struct { path, fields, has_rest } => self.struct_pattern(id, *path, fields, *has_rest, ty),
            Pat::Record { fields, rest } => self.record_pattern(id, fields, *rest, ty),
            Pat::Tuple { elems, gap } => self.tuple_pattern(id, elems, *gap, ty),
            Pat::Vec { prefix, rest, suffix } => self.vec_pattern(id, prefix, *rest, suffix, ty),
            Pat::Or { alts } => alts.iter().for_each(|&alt| self.pattern(alt, ty)),
            Pat::Type { name: Some(name), .. } if self.variant_of(ty, *name).is_some() => {
                self.variant_pattern(id, StructPath::Bare(*name), None, ty);
            }
            Pat::Type { ty: wanted, sub, .. } => {
                let wanted = self.fill_holes(*wanted);
                self.pattern_type(id, wanted, ty);
                if let Some(sub) = sub {
                    self.pattern(*sub, ty);
                }
            }
        }
    }

    /// The pattern is for values of `found`; what is matched has type `expected`.
    fn pattern_type(&mut self, id: PatId, found: Ty, expected: Ty) -> bool {
        if self.s.table.unify(found, expected).is_ok() {
            return true;
        }
        if !self.has_error(found) && !self.has_error(expected) {
            let span = self.body.pat_span(id);
            let (found, expected) = (self.show(found), self.show(expected));
            self.report(words::pattern_type(span, &found, &expected));
        }
        self.st.failed = true;
        false
    }

    fn literal_pattern(&mut self, id: PatId, value: &Literal, ty: Ty) {
        let c = common();
        let found = match value {
            Literal::Int { value, negative } => {
                self.st.literal_values.push((ExprOrPat::Pat(id), *value, *negative));
                if ty.is_numeric() { ty } else { self.literal_var(VarKind::Int) }
            }
            Literal::Float(_) => {
                if ty.is_float() {
                    ty
                } else {
                    self.literal_var(VarKind::Float)
                }
            }
            Literal::Str(_) => c.str,
            Literal::Char(_) => c.char,
            Literal::Bool(_) => c.bool,
            Literal::Unit => c.unit,
        };
        self.pattern_type(id, found, ty);
    }

    fn sub_patterns_without_type<'p>(&mut self, pats: impl Iterator<Item = &'p PatId>) {
        for &pat in pats {
            let error = self.error();
            self.pattern(pat, error);
        }
    }

    /// Whether nothing lies between the ends of a range pattern.
    fn is_empty_range(&self, start: Option<PatId>, end: Option<PatId>, inclusive: bool) -> bool {
        let literal = |pat: Option<PatId>| match &self.body.pats[pat?] {
            Pat::Lit { value } => Some(value.clone()),
            _ => None,
        };
        let order = match (literal(start), literal(end)) {
            (Some(Literal::Int { value: a, negative: x }), Some(Literal::Int { value: b, negative: y })) => {
                // Ends beyond all types are told as such.
                let signed =
                    |n: u128, negative: bool| i128::try_from(n).ok().map(|n| if negative { -n } else { n });
                signed(a, x).zip(signed(b, y)).map(|(a, b)| a.cmp(&b))
            }
            (Some(Literal::Float(a)), Some(Literal::Float(b))) => a.partial_cmp(&b),
            (Some(Literal::Char(a)), Some(Literal::Char(b))) => a.partial_cmp(&b),
            _ => None,
        };
        order.is_some_and(|order| order.is_gt() || (order.is_eq() && !inclusive))
    }

    fn variant_pattern(&mut self, id: PatId, path: StructPath, form: Option<(&[PatArg], Gap)>, ty: Ty) {
        let args = form.map_or(&[][..], |it| it.0);
        let span = self.body.pat_span(id);
        let known = self.known(ty);
        let Some((found, adt, variant, type_args)) = self.struct_path(path, span, Expect::Hint(known)) else {
            self.sub_patterns_without_type(args.iter().map(|it| &it.pat));
            return;
        };
        if !self.pattern_type(id, found, known) {
            self.sub_patterns_without_type(args.iter().map(|it| &it.pat));
            return;
        }
        let def = &self.ck.defs.adts[adt];
        let target = match def.kind {
            AdtKind::Enum => PatTarget::Variant { adt, variant },
            _ => PatTarget::Struct { adt },
        };
        self.st.types.pat_targets.insert(id, target);
        if matches!(def.kind, AdtKind::Struct | AdtKind::Value) {
            self.report(words::struct_pattern_braces(span, def.name));
            self.sub_patterns_without_type(args.iter().map(|it| &it.pat));
            return;
        }
        let fields = self.variant_fields(adt, variant, &type_args);
        // `e is Circle` tests the variant alone.
        let Some((args, gap)) = form else {
            let in_test = self.st.tested == Some(id);
            if !fields.is_empty() && !in_test {
                let name = self.ck.defs.adt_fields(adt).variants[variant as usize].name;
                self.report(words::pattern_args(span, name, fields.len(), 0));
            }
            return;
        };
        if !gap.fits(args.len(), fields.len()) {
            let name = self.ck.defs.adt_fields(adt).variants[variant as usize].name;
            self.report(words::pattern_args(span, name, fields.len(), args.len()));
        }
        for (n, arg) in args.iter().enumerate() {
            let at = match arg.name {
                Some(name) => fields.iter().position(|it| it.0 == name),
                None => Some(gap.place(n, args.len(), fields.len())),
            };
            match at.and_then(|at| fields.get(at)) {
                Some(&(_, field)) => self.pattern(arg.pat, field),
                None => {
                    if let Some(name) = arg.name {
                        let names: Vec<Name> = fields.iter().map(|it| it.0).collect();
                        self.report(words::no_field(span, self.ck.defs.adts[adt].name, name, &names));
                    }
                    self.sub_patterns_without_type([arg.pat].iter());
                }
            }
        }
    }

    fn struct_pattern(&mut self, id: PatId, path: StructPath, fields: &[FieldPat], has_rest: bool, ty: Ty) {
        let span = self.body.pat_span(id);
        let known = self.known(ty);
        let resolved = self.struct_path(path, span, Expect::Hint(known));
        let Some((found, adt, variant, type_args)) = resolved else {
            self.sub_patterns_without_type(fields.iter().map(|it| &it.pat));
            return;
        };
        if !self.pattern_type(id, found, known) {
            self.sub_patterns_without_type(fields.iter().map(|it| &it.pat));
            return;
        }
        let def = &self.ck.defs.adts[adt];
        let packed = self.ck.defs.packed(adt).map(|it| it.fields);
        let target = match packed {
            Some(fields) => PatTarget::Packed { fields },
            None if def.kind == AdtKind::Enum => PatTarget::Variant { adt, variant },
            None => PatTarget::Struct { adt },
        };
        self.st.types.pat_targets.insert(id, target);
        let adt = packed.unwrap_or(adt);
        let declared = self.variant_fields(adt, variant, &type_args);
        let info = self.ck.defs.adt_fields(adt);
        for field in fields {
            let field_span = Span::new(self.body.file, field.name_range);
            match declared.iter().position(|it| it.0 == field.name) {
                Some(at) => {
                    let it = &info.variants[variant as usize].fields[at];
                    if it.is_private && !self.ck.defs.sees_private(self.module, def.module) {
                        let at = Span::new(self.ck.defs.file_of(def.module), it.range);
                        self.report(words::private_field(field_span, field.name, at));
                    }
                    self.pattern(field.pat, declared[at].1);
                }
                None => {
                    let names: Vec<Name> = declared.iter().map(|it| it.0).collect();
                    self.report(words::no_field(field_span, def.name, field.name, &names));
                    self.sub_patterns_without_type([field.pat].iter());
                }
            }
        }
        if !has_rest {
            let missing: Vec<Name> =
                declared.iter().map(|it| it.0).filter(|&it| !fields.iter().any(|f| f.name == it)).collect();
            if !missing.is_empty() {
                self.report(words::pattern_fields_missing(span, &missing));
            }
        }
    }

    fn tuple_pattern(&mut self, id: PatId, elems: &[PatId], gap: Gap, ty: Ty) {
        let known = self.known(ty);
        let problem = match *known.kind() {
            TyKind::Tuple(parts) if !gap.fits(elems.len(), parts.len()) => {
                Some(words::tuple_pattern(self.body.pat_span(id), parts.len(), elems.len()))
            }
            TyKind::Infer(_) if gap.0.is_some() => Some(words::tuple_unknown(self.body.pat_span(id))),
            _ => None,
        };
        if let Some(problem) = problem {
            self.report(problem);
            self.sub_patterns_without_type(elems.iter());
            return;
        }
        let parts: Vec<Ty> = match *known.kind() {
            TyKind::Tuple(parts) => parts.to_vec(),
            _ => elems.iter().map(|_| self.fresh()).collect(),
        };
        if self.pattern_type(id, Ty::tuple(&parts), known) {
            for (n, &elem) in elems.iter().enumerate() {
                self.pattern(elem, parts[gap.place(n, elems.len(), parts.len())]);
            }
        } else {
            self.sub_patterns_without_type(elems.iter());
        }
    }

    fn vec_pattern(
        &mut self,
        id: PatId,
        prefix: &[PatId],
        rest: Option<Option<PatId>>,
        suffix: &[PatId],
        ty: Ty,
    ) {
        let elem = self.fresh();
        let vec = self.lang_adt("Vec", &[elem]);
        let known = self.known(ty);
        if !self.pattern_type(id, vec, known) {
            self.sub_patterns_without_type(prefix.iter().chain(suffix));
            return;
        }
        for &pat in prefix.iter().chain(suffix) {
            self.pattern(pat, elem);
        }
        if let Some(Some(rest)) = rest {
            self.pattern(rest, vec);
        }
    }
}
