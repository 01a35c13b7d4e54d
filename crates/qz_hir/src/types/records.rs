//! What `{ x: Int }` means: a type told by the names and types of its fields, in any order.

use qz_base::Name;
use qz_syntax::ast::{self, AstNode};
use qz_types::Ty;

use super::{Position, TypeCx};
use crate::diagnostics as words;

impl TypeCx<'_> {
    pub(super) fn record_type(&mut self, it: ast::RecordType<'_>, _: Position) -> Ty {
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
        if let Some(rest) = it.rest() {
            let span = self.span(rest.syntax().range());
            self.defs.report(words::not_yet(span, "a rest of a record type"));
            return self.error();
        }
        Ty::record(&fields)
    }
}
