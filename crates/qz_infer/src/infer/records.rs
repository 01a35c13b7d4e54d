//! Records: values told by the names of their fields alone.

use qz_base::{Name, Span};
use qz_hir::body::*;
use qz_types::{Ty, TyKind};

use super::methods::{Found, MethodCall, Search};
use super::{Expect, Infer};
use crate::diagnostics as words;
use crate::facts::*;

impl Infer<'_, '_> {
    /// `{ x: 1, ...r }`: written fields win over those of spreads, later spreads over earlier ones.
    pub(super) fn record(&mut self, parts: &[RecordPart], expect: Expect) -> Ty {
        let hints = match expect {
            Expect::Hint(hint) => match *self.shallow(hint).kind() {
                TyKind::Record(fields) => fields,
                _ => &[],
            },
            _ => &[],
        };
        let (mut written, mut spread): (Vec<(Name, Ty)>, Vec<(Name, Ty)>) = (Vec::new(), Vec::new());
        let mut failed = false;
        for part in parts {
            let Some(name) = part.name else {
                match self.spread_fields(part) {
                    Some(fields) => fields.iter().for_each(|&field| set(&mut spread, field)),
                    None => failed = true,
                }
                continue;
            };
            let span = Span::new(self.body.file, part.range);
            if written.iter().any(|it| it.0 == name) {
                self.report(words::field_twice(span, name));
            }
            let ty = match hints.iter().find(|it| it.0 == name) {
                Some(&(_, hint)) => {
                    self.check(part.value, hint);
                    hint
                }
                None => self.value(part.value, Expect::Any),
            };
            set(&mut written, (name, ty));
        }
        if failed {
            return self.error();
        }
        written.into_iter().for_each(|field| set(&mut spread, field));
        Ty::record(&spread)
    }

    fn spread_fields(&mut self, part: &RecordPart) -> Option<&'static [(Name, Ty)]> {
        let ty = self.value(part.value, Expect::Any);
        let ty = self.known(ty);
        if let TyKind::Record(fields) = *ty.kind() {
            return Some(fields);
        }
        if !self.has_error(ty) {
            let (span, shown) = (self.span(part.value), self.show(ty));
            self.report(words::record_spread(span, &shown));
        }
        self.st.failed = true;
        None
    }

    /// `r.with { x: 3 }`: fields keep their types.
    pub(super) fn update_record(
        &mut self,
        ty: Ty,
        declared: &'static [(Name, Ty)],
        fields: &[FieldInit],
    ) -> Ty {
        let mut seen: Vec<Name> = Vec::new();
        for field in fields {
            let span = Span::new(self.body.file, field.name_range);
            if seen.contains(&field.name) {
                self.report(words::field_twice(span, field.name));
            }
            seen.push(field.name);
            match declared.iter().find(|it| it.0 == field.name) {
                Some(&(_, wanted)) => self.check(field.value, wanted),
                None => {
                    self.no_record_field(span, ty, field.name, declared);
                    self.expr(field.value, Expect::Any);
                }
            }
        }
        ty
    }

    /// A field that a function asks of the record it is given.
    pub(super) fn find_record_field(&mut self, ty: Ty, name: Name) -> Search {
        let found = match *ty.kind() {
            TyKind::Record(fields) => fields
                .iter()
                .position(|it| it.0 == name)
                .map(|at| Search::Found(Found::Field { variant: 0, index: at as u32, ty: fields[at].1 })),
            _ => self.open_record_field(ty, name),
        };
        found.unwrap_or(Search::None)
    }

    /// A field of a parameter that stands for a record with a rest.
    pub(super) fn open_record_field(&mut self, ty: Ty, name: Name) -> Option<Search> {
        let sig = self.ck.defs.fn_sig(self.function);
        let n = sig.record_fields.iter().position(|it| it.0 == ty && it.1 == name)?;
        let ty = self.normalize(sig.record_fields[n].2);
        Some(Search::Found(Found::Member { n: n as u32, ty }))
    }

    pub(super) fn use_record_member(&mut self, call: &MethodCall<'_>, n: u32, ty: Ty) -> Ty {
        self.st.types.callees.insert(call.expr, Callee::Member(n));
        let plan = CallPlan { params: vec![ParamSource::Receiver] };
        self.st.types.plans.insert(call.expr, plan);
        ty
    }

    fn no_record_field(&mut self, span: Span, ty: Ty, name: Name, declared: &[(Name, Ty)]) {
        let names: Vec<Name> = declared.iter().map(|it| it.0).collect();
        let shown = Name::new(&self.show(ty));
        self.report(words::no_field(span, shown, name, &names));
    }

    pub(super) fn record_pattern(&mut self, id: PatId, fields: &[FieldPat], has_rest: bool, ty: Ty) {
        let known = self.known(ty);
        let span = self.body.pat_span(id);
        let declared: Vec<(Name, Ty)> = match *known.kind() {
            TyKind::Record(fields) => fields.to_vec(),
            // What is not known yet has just these fields.
            TyKind::Infer(_) if !has_rest => {
                let fresh: Vec<(Name, Ty)> = fields.iter().map(|it| (it.name, self.fresh())).collect();
                self.s.table.unify(known, Ty::record(&fresh)).ok();
                fresh
            }
            _ => {
                if !self.has_error(known) {
                    let shown = self.show(known);
                    self.report(words::record_pattern(span, &shown));
                }
                self.st.failed = true;
                Vec::new()
            }
        };
        let mut seen: Vec<Name> = Vec::new();
        for field in fields {
            let field_span = Span::new(self.body.file, field.name_range);
            if seen.contains(&field.name) {
                self.report(words::field_twice(field_span, field.name));
            }
            seen.push(field.name);
            match declared.iter().find(|it| it.0 == field.name) {
                Some(&(_, ty)) => self.pattern(field.pat, ty),
                None => {
                    if !declared.is_empty() {
                        self.no_record_field(field_span, known, field.name, &declared);
                    }
                    let error = self.error();
                    self.pattern(field.pat, error);
                }
            }
        }
        let missing: Vec<Name> = declared.iter().map(|it| it.0).filter(|it| !seen.contains(it)).collect();
        if !has_rest && !missing.is_empty() {
            self.report(words::pattern_fields_missing(span, &missing));
        }
    }
}

/// Puts a field in, in the place of one with its name.
fn set(fields: &mut Vec<(Name, Ty)>, field: (Name, Ty)) {
    fields.retain(|it| it.0 != field.0);
    fields.push(field);
}
