//! The types of an effect's parts: its operations, and the functions that a handler has for them.

use qz_base::{Name, Span};
use qz_syntax::ast;
use qz_types::ty::common;
use qz_types::{EffectId, FnId, Row, Ty};

use crate::defs::*;
use crate::diagnostics as words;

impl Defs {
    /// An operation's types are all written: there is no body to learn them from.
    pub(super) fn complete_operation(&self, id: FnId, syntax: ast::FnDef<'_>, sig: &mut FnSig) {
        let def = &self.fns[id];
        let file = self.file_of(def.module);
        for param in sig.params.iter_mut().filter(|it| it.ty.is_none()) {
            self.report(words::type_needed(Span::new(file, param.range), "a parameter of an operation"));
            param.ty = Some(common().error);
        }
        sig.ret.get_or_insert(common().unit);
        if let Some(own) = syntax.generics() {
            use qz_syntax::ast::AstNode;
            let span = Span::new(file, own.syntax().range());
            self.report(words::not_yet(span, "type parameters of an operation's own"));
        }
    }

    /// What a handler's clauses are kept in: a function for each operation.
    pub(super) fn clause_fields(&self, effect: EffectId) -> AdtFields {
        let def = &self.effects[effect];
        let clauses = &self.adts[def.clauses];
        let fields = def.operations.iter().map(|&id| self.clause_field(id)).collect();
        let variant = Variant { name: clauses.name, range: clauses.name_range, fields, named: true };
        AdtFields { variants: vec![variant] }
    }

    fn clause_field(&self, operation: FnId) -> Field {
        let def = &self.fns[operation];
        let sig = self.fn_sig(operation);
        let params: Vec<Ty> = sig.params.iter().map(|it| it.ty.unwrap_or(common().error)).collect();
        let ty = Ty::func(&params, sig.ret.unwrap_or(common().unit), Row::EMPTY);
        Field { name: clause_name(def.name), range: def.name_range, ty, is_private: false, default: None }
    }
}

/// The field that holds what a handler does for an operation; no program can name it.
pub(crate) fn clause_name(operation: Name) -> Name {
    Name::new(&format!("({operation})"))
}
