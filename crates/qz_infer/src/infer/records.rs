//! Records: values told by the names of their fields alone.

use qz_base::{Name, Span};
use qz_hir::body::*;
use qz_types::ty::common;
use qz_types::{TraitRef, Ty, TyKind};

use super::{Expect, Infer};
use crate::diagnostics as words;
use crate::traits::Obligation;

impl Infer<'_, '_> {
    /// `{ x: 1, ...r }`: written fields win over those of spreads, later spreads over earlier ones.
    pub(super) fn record(&mut self, parts: &[RecordPart], expect: Expect) -> Ty {
        let hints = match expect {
            Expect::Hint(hint) => self.shallow(hint).known_fields().unwrap_or(&[]),
            _ => &[],
        };
        let (mut written, mut spread): (Vec<(Name, Ty)>, Vec<(Name, Ty)>) = (Vec::new(), Vec::new());
        let mut rest = None;
        let mut failed = false;
        for part in parts {
            let Some(name) = part.name else {
                match self.spread_fields(part) {
                    Some((_, Some(_))) if rest.is_some() || !spread.is_empty() => {
                        self.report(words::rest_over_others(self.span(part.value)));
                        failed = true;
                    }
                    Some((fields, others)) => {
                        fields.iter().for_each(|&field| set(&mut spread, field));
                        rest = rest.or(others);
                    }
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
            self.st.failed = true;
            return self.error();
        }
        written.into_iter().for_each(|field| set(&mut spread, field));
        match rest {
            Some(rest) => Ty::open_record(&spread, rest),
            None => Ty::record(&spread),
        }
    }

    /// The fields known of what is spread, and its rest.
    fn spread_fields(&mut self, part: &RecordPart) -> Option<(&'static [(Name, Ty)], Option<Ty>)> {
        let ty = self.value(part.value, Expect::Any);
        let ty = self.known(ty);
        match *ty.kind() {
            TyKind::Record(fields) => return Some((fields, None)),
            TyKind::OpenRecord(fields, rest) => return Some((fields, Some(rest))),
            TyKind::Param(_) if self.is_record_param(ty) => return Some((&[], Some(ty))),
            TyKind::Infer(_) => {
                self.require(part.value, ty, "AnyRecord");
                return Some((&[], Some(ty)));
            }
            _ => {}
        }
        if !self.has_error(ty) {
            let (span, shown) = (self.span(part.value), self.show(ty));
            self.report(words::record_spread(span, &shown));
        }
        self.st.failed = true;
        None
    }

    /// Whether a type parameter stands for records only.
    fn is_record_param(&mut self, ty: Ty) -> bool {
        let Some(trait_id) = self.ck.defs.lang.trait_("AnyRecord") else { return false };
        self.traits().known_bounds(ty).iter().any(|it| it.trait_id == trait_id)
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

    /// What is not known yet is a record that has at least these fields.
    pub(super) fn update_unknown(&mut self, ty: Ty, fields: &[FieldInit], span: Span) -> Ty {
        let mut wanted: Vec<(Name, Ty)> = Vec::new();
        for field in fields {
            let of = self.fresh();
            set(&mut wanted, (field.name, of));
        }
        let record = Ty::open_record(&wanted, self.any_record(span));
        self.unify_at(span, record, ty);
        let ty = self.known(ty);
        match ty.known_fields() {
            Some(declared) => self.update_record(ty, declared, fields),
            None => ty,
        }
    }

    fn no_record_field(&mut self, span: Span, ty: Ty, name: Name, declared: &[(Name, Ty)]) {
        let names: Vec<Name> = declared.iter().map(|it| it.0).collect();
        let shown = Name::new(&self.show(ty));
        self.report(words::no_field(span, shown, name, &names));
    }

    pub(super) fn record_pattern(&mut self, id: PatId, fields: &[FieldPat], rest: RecordRest, ty: Ty) {
        let has_rest = rest.is_open();
        let span = self.body.pat_span(id);
        let mut known = self.known(ty);
        if known.may_get_fields() {
            self.record_of_pattern(known, fields, has_rest, span);
            known = self.known(known);
        }
        let mut others = None;
        let declared: Vec<(Name, Ty)> = match *known.kind() {
            TyKind::Record(fields) => fields.to_vec(),
            TyKind::OpenRecord(fields, of) => {
                if !has_rest {
                    self.report(words::rest_in_pattern(span));
                    self.st.failed = true;
                }
                others = Some(of);
                fields.to_vec()
            }
            TyKind::Param(_) if has_rest && self.is_record_param(known) => {
                others = Some(known);
                Vec::new()
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
        if let Some(pat) = rest.kept() {
            let (left, named): (Vec<_>, Vec<_>) =
                declared.into_iter().partition(|it| missing.contains(&it.0));
            let ty = match others {
                Some(others) => {
                    self.lacks(others, &named, self.body.pat_span(pat));
                    Ty::open_record(&left, others)
                }
                None if self.st.failed && known.known_fields().is_none() => self.error(),
                None => Ty::record(&left),
            };
            self.pattern(pat, ty);
        }
    }

    /// What is open of a record has none of these fields: otherwise nobody knew what type such a field has in it.
    fn lacks(&mut self, rest: Ty, fields: &[(Name, Ty)], span: Span) {
        let Some(trait_id) = self.ck.defs.lang.trait_("Lacks") else { return };
        for &(name, _) in fields {
            let bound = TraitRef { trait_id, args: Ty::list(&[Ty::record(&[(name, common().unit)])]) };
            self.st.obligations.push(Obligation::trait_(rest, bound, span));
        }
    }

    /// What is not known yet has the fields of the pattern: just these, or others as well.
    fn record_of_pattern(&mut self, ty: Ty, fields: &[FieldPat], has_rest: bool, span: Span) {
        let mut fresh: Vec<(Name, Ty)> = Vec::new();
        for field in fields {
            let of = self.fresh();
            set(&mut fresh, (field.name, of));
        }
        let wanted = match has_rest {
            true => Ty::open_record(&fresh, self.any_record(span)),
            false => Ty::record(&fresh),
        };
        self.unify_at(span, wanted, ty);
    }

    /// A record of which nothing is known.
    fn any_record(&mut self, span: Span) -> Ty {
        let rest = self.fresh();
        if let Some(trait_id) = self.ck.defs.lang.trait_("AnyRecord") {
            let bound = TraitRef { trait_id, args: &[] };
            self.st.obligations.push(Obligation::trait_(rest, bound, span));
        }
        rest
    }
}

/// Puts a field in, in the place of one with its name.
fn set(fields: &mut Vec<(Name, Ty)>, field: (Name, Ty)) {
    fields.retain(|it| it.0 != field.0);
    fields.push(field);
}
