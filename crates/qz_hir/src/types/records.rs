//! What `{ x: Int }` means: a type told by the names and types of its fields, in any order.

use qz_base::Name;
use qz_syntax::ast::{self, AstNode};
use qz_types::Ty;

use super::{Position, TypeCx};
use crate::defs::GenericParam;
use crate::diagnostics as words;

impl TypeCx<'_> {
    pub(super) fn record_type(&mut self, it: ast::RecordType<'_>, position: Position) -> Ty {
        let mut fields: Vec<(Name, Ty)> = Vec::new();
        for field in it.fields() {
            let Some(name) = field.name() else { continue };
            let (text, span) = (Name::new(name.text()), self.span(name.range()));
            let ty = self.ty_or_error(field.ty(), Position::Part);
            if fields.iter().any(|it| it.0 == text) {
                self.defs.report(words::field_type_twice(span, text));
                return self.error();
            }
            fields.push((text, ty));
        }
        match it.rest() {
            Some(rest) => self.open_record(rest, fields, position),
            None => Ty::record(&fields),
        }
    }

    /// `{ x: Int, ...rest }`: a parameter for the whole record, of which these fields are asked. The same fields with the
    /// same rest are the same record.
    fn open_record(&mut self, rest: ast::RowVar<'_>, mut fields: Vec<(Name, Ty)>, position: Position) -> Ty {
        let span = self.span(rest.syntax().range());
        fields.sort_by(|a, b| a.0.cmp_text(b.0));
        let name = rest.name().map(|it| Name::new(it.text()));
        let known = name.and_then(|name| self.type_param(name));
        if let Some(known) = known {
            let of_known = self.record_fields.iter().filter(|it| it.0 == known);
            let before: Vec<(Name, Ty)> = of_known.map(|it| (it.1, it.2)).collect();
            if before == fields && !fields.is_empty() {
                return known;
            }
            self.defs.report(words::rest_of_others(span));
            return self.error();
        }
        if position != Position::Param || self.opaque_owner.is_none() || fields.is_empty() {
            self.defs.report(words::rest_position(span));
            return self.error();
        }
        let index = self.generics.params.len() as u32;
        let name = name.unwrap_or(Name::new("..."));
        self.generics.params.push(GenericParam { name, range: rest.syntax().range(), default: None });
        let ty = Ty::param(index, name);
        self.record_fields.extend(fields.into_iter().map(|(name, of)| (ty, name, of)));
        ty
    }
}
