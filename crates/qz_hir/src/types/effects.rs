//! The types of an effect's parts: its operations, and the functions that a handler has for them.

use qz_base::{Name, Span, TextRange};
use qz_syntax::SyntaxNode;
use qz_syntax::ast::{self, AstNode};
use qz_types::ty::common;
use qz_types::{EffectId, FnId, Row, TraitRef, Ty, TyKind};

use super::{Position, TypeCx, hole};

use crate::defs::*;
use crate::diagnostics as words;
use crate::scope::{Def, Lookup};

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
        let variant =
            Variant { name: clauses.name, range: clauses.name_range, fields, named: true, number: None };
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
    pub(super) fn row(&mut self, can: ast::CanClause<'_>) -> Row {
        Row::of(can.effects().map(|it| self.row_arg(it)).collect::<Vec<_>>())
    }

    /// What is written for a row: an effect, a sum of some, a name for one, a type parameter, `()`.
    pub(super) fn row_arg(&mut self, written: ast::TypeExpr<'_>) -> Ty {
        match written {
            ast::TypeExpr::EffectSumType(sum) => {
                let parts: Vec<Ty> = sum.effects().map(|it| self.row_arg(it)).collect();
                return Row::of(parts).as_arg();
            }
            ast::TypeExpr::TupleType(it) if it.elems().next().is_none() => return common().unit,
            ast::TypeExpr::InferType(_) if self.allow_holes => return hole(),
            _ => {}
        }
        let ty = self.handled_effect(written);
        let span = self.span(written.syntax().range());
        match *ty.kind() {
            TyKind::Error => ty,
            TyKind::Param(param) if !self.is_row(&self.generics, ty) => {
                self.defs.report(words::row_unbound(span, param.name));
                self.error()
            }
            TyKind::Param(_) => ty,
            _ if ty.is_unit() || self.has_effects(ty) => ty,
            _ => {
                self.defs.report(words::not_an_effect(span, written.syntax().text()));
                self.error()
            }
        }
    }

    /// Whether it is an effect, or a name for several.
    pub(super) fn has_effects(&self, ty: Ty) -> bool {
        match *ty.kind() {
            TyKind::Adt(adt, _) => self.defs.adts[adt].effect.is_some(),
            TyKind::Tuple(parts) => parts.iter().any(|&part| self.has_effects(part)),
            _ => false,
        }
    }

    /// Type arguments, of which those for rows are effects. The first is for the parameter `from`.
    pub(super) fn args_for(
        &mut self,
        written: Option<ast::TypeArgs<'_>>,
        generics: &Generics,
        from: usize,
    ) -> Vec<Ty> {
        let written = written.into_iter().flat_map(|it| it.args()).zip(from..);
        let mut args = Vec::new();
        for (arg, n) in written {
            let param = generics.params.get(n).map(|it| Ty::param(n as u32, it.name));
            args.push(match param {
                Some(param) if self.is_row(generics, param) => self.row_arg(arg),
                _ => self.ty(arg, Position::Part),
            });
        }
        args
    }

    /// Whether a type parameter stands for a row.
    fn is_row(&self, generics: &Generics, param: Ty) -> bool {
        let any = self.defs.lang.trait_("AnyEffects");
        generics.preds.iter().any(|it| it.ty == param && Some(it.trait_ref.trait_id) == any)
    }

    /// Whether `AnyEffects` is among the bounds of a parameter.
    pub(super) fn asks_for_row(&self, bounds: Option<ast::BoundList<'_>>) -> bool {
        bounds.into_iter().flat_map(|it| it.bounds()).any(|bound| {
            let ast::TypeExpr::PathType(path) = bound else { return false };
            let segments: Vec<_> = path.segments().collect();
            let any = self.defs.lang.trait_("AnyEffects");
            matches!(self.try_resolve_path(&segments), Some(Lookup::Found(Def::Trait(id))) if any == Some(id))
        })
    }

    pub(super) fn add_row(&mut self, ty: Ty, range: TextRange) {
        let Some(trait_id) = self.defs.lang.trait_("AnyEffects") else { return };
        let (trait_ref, span) = (TraitRef { trait_id, args: &[] }, self.span(range));
        self.generics.preds.push(Predicate { ty, trait_ref, assoc: Vec::new(), span });
    }
}

/// Names that stand behind a `can`: a type parameter of such a name is a row.
pub(super) fn row_names<'t>(within: impl IntoIterator<Item = SyntaxNode<'t>>) -> Vec<Name> {
    let mut names = Vec::new();
    for node in within {
        // Nearly all declarations are answered by their text.
        if !node.text().contains("can ") {
            continue;
        }
        let clauses = [node].into_iter().chain(node.descendants()).filter_map(ast::CanClause::cast);
        for effect in clauses.flat_map(|it| it.effects()) {
            if let ast::TypeExpr::PathType(path) = effect
                && let [only] = path.segments().collect::<Vec<_>>()[..]
            {
                names.push(Name::new(only.name.text()));
            }
        }
    }
    names
}

/// The field that holds what a handler does for an operation; no program can name it.
pub(crate) fn clause_name(operation: Name) -> Name {
    Name::new(&format!("({operation})"))
}
