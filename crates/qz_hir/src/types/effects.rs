//! The types of an effect's parts: its operations, and the functions that a handler has for them.

use qz_base::{Name, Span};
use qz_syntax::ast::{self, AstNode};
use qz_types::ty::common;
use qz_types::{EffectId, FnId, Label, Row, Ty};

use super::{Position, TypeCx};

use crate::defs::*;
use crate::diagnostics as words;

impl Defs {
    /// Where a function's row is written.
    pub fn can_span(&self, id: FnId) -> Option<Span> {
        let range = self.fn_sig(id).can.as_ref()?.range;
        Some(Span::new(self.file_of(self.fns[id].module), range))
    }

    /// Whether a module throws, or speaks of what is thrown.
    pub fn names_throws(&self, module: ModuleId) -> bool {
        let parsed = &self.files[&self.file_of(module)];
        let throws = || {
            let root = parsed.tree.root(&parsed.text);
            root.descendants().any(|it| it.kind() == qz_syntax::SyntaxKind::ThrowExpr)
        };
        // Nearly all modules are answered by their text.
        parsed.text.contains("Throws") || parsed.text.contains("throw") && throws()
    }

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

impl TypeCx<'_> {
    /// The effect that a handler names, its arguments perhaps left out.
    pub fn handled_effect(&mut self, ty: ast::TypeExpr<'_>) -> Ty {
        self.takes_effect = true;
        let lowered = self.ty(ty, Position::Part);
        self.takes_effect = false;
        lowered
    }

    /// `can A + B<T>`.
    pub(super) fn labels(&mut self, can: ast::CanClause<'_>) -> Vec<Label> {
        can.effects().filter_map(|it| self.label(it)).collect()
    }

    fn label(&mut self, written: ast::TypeExpr<'_>) -> Option<Label> {
        self.takes_effect = true;
        let ty = self.ty(written, Position::Part);
        self.takes_effect = false;
        let span = self.span(written.syntax().range());
        match ty.as_adt().and_then(|(adt, args)| Some((self.defs.adts[adt].effect?, args))) {
            Some((effect, args)) => Some(Label { effect, args }),
            None if ty.is_error() => None,
            None if matches!(ty.kind(), qz_types::TyKind::Param(_)) => {
                let problem = words::not_yet(span, "a name for a row of effects");
                let help = "leave it out: what a function given as an argument performs reaches the caller";
                self.defs.report(problem.help(help));
                None
            }
            None => {
                self.defs.report(words::not_an_effect(span, written.syntax().text()));
                None
            }
        }
    }
}

/// The field that holds what a handler does for an operation; no program can name it.
pub(crate) fn clause_name(operation: Name) -> Name {
    Name::new(&format!("({operation})"))
}
