//! What declarations say in types: signatures, bounds, headers of impls, fields.

use std::sync::Arc;

use qz_base::{Name, Span};
use qz_syntax::ast::{self, AstNode};
use qz_syntax::{SyntaxKind, SyntaxNode};
use qz_types::{FnId, Mutability, TraitRef, Ty, TyKind, subst};

use super::effects::row_names;
use super::{Position, TypeCx};
use crate::defs::*;
use crate::diagnostics as words;
use crate::scope::{Def, Lookup};

impl TypeCx<'_> {
    pub(super) fn fn_sig(mut self, id: FnId, syntax: ast::FnDef<'_>) -> FnSig {
        self.opaque_owner = Some(id);
        let header = syntax.syntax().children().filter(|it| !matches!(it.kind(), SyntaxKind::Block));
        self.generic_params(syntax.generics(), syntax.where_clause(), &row_names(header));
        let mut params = Vec::new();
        let def = &self.defs.fns[id];
        if let Some(kind) = def.self_param
            && let Some(self_ty) = self.self_ty
        {
            let range =
                syntax.params().and_then(|l| l.self_param()).map(|p| p.syntax().range()).unwrap_or_default();
            let ty = match kind {
                SelfKind::Value => self_ty,
                SelfKind::Ref => Ty::reference(Mutability::Shared, self_ty),
                SelfKind::RefMut => Ty::reference(Mutability::Mut, self_ty),
            };
            let name = qz_base::name::known::SELF_VALUE;
            params.push(SigParam { name, range, ty: Some(ty), has_default: false, is_rest: false });
        }
        let many_clauses = def.nodes.len() > 1;
        for param in syntax.params().into_iter().flat_map(|list| list.params()) {
            let mut lowered = self.sig_param(param);
            if many_clauses {
                self.clause_param(id, params.len(), &mut lowered);
            }
            params.push(lowered);
        }
        let ret = match syntax.ret() {
            Some(ret) => Some(self.fn_result(id, ret)),
            None if many_clauses => self.clause_ret(id),
            None if !def.has_body || def.attrs.export.is_some() => Some(qz_types::ty::common().unit),
            None => None,
        };
        self.rests_lack(&params);
        let can = syntax.can().map(|it| Can { row: self.row(it), range: it.syntax().range() });
        FnSig { generics: Arc::new(self.generics), params, ret, can, opaques: self.opaques }
    }

    pub(super) fn sig_param(&mut self, param: ast::Param<'_>) -> SigParam {
        let range = param.syntax().range();
        let name = match param.pat() {
            Some(ast::Pat::NamePat(pat)) => pat.name().map(|it| Name::new(it.text()).plain()),
            _ => None,
        };
        let mut ty = param.ty().map(|ty| self.ty(ty, Position::Param));
        if param.is_ref() {
            let mutability = if param.is_mut() { Mutability::Mut } else { Mutability::Shared };
            ty = ty.map(|ty| Ty::reference(mutability, ty));
        }
        if param.is_rest() {
            ty = ty.map(|ty| match self.defs.lang.adt("Vec") {
                Some(vec) => Ty::adt(vec, &[ty]),
                None => self.error(),
            });
        }
        SigParam {
            name: name.unwrap_or(qz_base::name::known::UNDERSCORE),
            range,
            ty,
            has_default: param.default().is_some(),
            is_rest: param.is_rest(),
        }
    }

    /// A parameter of a function with clauses takes its name and type from the first clause that writes them.
    pub(super) fn clause_param(&mut self, id: FnId, position: usize, into: &mut SigParam) {
        let def = &self.defs.fns[id];
        let position = position - usize::from(def.self_param.is_some());
        for &node in &def.nodes {
            let node = self.defs.node(def.module, node);
            let Some(clause) = ast::FnDef::cast(node.node()) else { continue };
            let Some(param) = clause.params().and_then(|list| list.params().nth(position)) else { continue };
            let other = self.sig_param(param);
            if into.ty.is_none() {
                into.ty = other.ty;
            }
            if into.name == qz_base::name::known::UNDERSCORE {
                into.name = other.name;
            }
        }
    }

    pub(super) fn clause_ret(&mut self, id: FnId) -> Option<Ty> {
        let def = &self.defs.fns[id];
        def.nodes.iter().find_map(|&node| {
            let node = self.defs.node(def.module, node);
            let ret = ast::FnDef::cast(node.node())?.ret()?;
            Some(self.fn_result(id, ret))
        })
    }

    /// A written result. `Iterator<T>` of a function with `yield` is the library's generator.
    fn fn_result(&mut self, id: FnId, ret: ast::TypeExpr<'_>) -> Ty {
        let generator = self.defs.lang.adt("Generator").filter(|_| self.defs.has_yield(id));
        let Some(generator) = generator else { return self.ty(ret, Position::Result) };
        if self.is_iterator(ret) {
            return self.trait_ref(ret).map_or(self.error(), |(bound, _)| Ty::adt(generator, bound.args));
        }
        let ty = self.ty(ret, Position::Result);
        let fits = match ty.kind() {
            TyKind::Adt(adt, _) => *adt == generator,
            kind => matches!(kind, TyKind::Opaque(..) | TyKind::Dyn(_) | TyKind::Error),
        };
        if !fits {
            self.defs.report(words::generator_result(self.span(ret.syntax().range())));
            return self.error();
        }
        ty
    }

    /// Whether a written type names the trait `Iterator`.
    fn is_iterator(&self, ty: ast::TypeExpr<'_>) -> bool {
        let ast::TypeExpr::PathType(path) = ty else { return false };
        let segments: Vec<_> = path.segments().collect();
        let iterator = self.defs.lang.trait_("Iterator");
        match self.try_resolve_path(&segments) {
            Some(Lookup::Found(Def::Trait(id))) => iterator == Some(id),
            _ => false,
        }
    }

    pub(super) fn initialiser_sig(mut self, def: &FnDef, node: SyntaxNode<'_>) -> FnSig {
        let written = match def.kind {
            FnKind::Const | FnKind::AssocConst => ast::ConstDef::cast(node).and_then(|it| it.ty()),
            FnKind::StaticInit(_) => ast::VarDef::cast(node).and_then(|it| it.ty()),
            _ => (ast::FieldDef::cast(node).and_then(|it| it.ty()))
                .or_else(|| ast::VarDef::cast(node).and_then(|it| it.ty())),
        };
        let ret = written.map(|ty| self.ty(ty, Position::Part));
        FnSig { generics: Arc::new(self.generics), params: Vec::new(), ret, can: None, opaques: Vec::new() }
    }

    pub(super) fn impl_header(mut self, syntax: ast::ImplDef<'_>) -> ImplHeader {
        self.generic_params(syntax.generics(), syntax.where_clause(), &row_names([syntax.syntax()]));
        let self_ty = self.ty_or_error(syntax.self_type(), Position::Part);
        self.self_ty = Some(self_ty);
        let trait_ref = syntax.implemented_trait().and_then(|it| Some(self.trait_ref(it)?.0));
        self.self_trait = trait_ref;
        let mut assoc = Vec::new();
        for item in syntax.items() {
            if let ast::Item::TypeAlias(alias) = item
                && let Some(name) = alias.name()
            {
                let ty = self.ty_or_error(alias.ty(), Position::Part);
                assoc.push((Name::new(name.text()), ty));
            }
        }
        ImplHeader { generics: Arc::new(self.generics), self_ty, trait_ref, assoc }
    }

    /// Adds written parameters, then their bounds. Those of `rows` are rows of effects.
    pub(super) fn generic_params(
        &mut self,
        params: Option<ast::GenericParams<'_>>,
        clause: Option<ast::WhereClause<'_>>,
        rows: &[Name],
    ) {
        let params: Vec<_> = params.into_iter().flat_map(|it| it.params()).collect();
        let first = self.generics.params.len();
        for param in &params {
            let Some(name) = param.name() else { continue };
            let (name, range) = (Name::new(name.text()), name.range());
            if let Some(earlier) = self.generics.params[first..].iter().find(|it| it.name == name) {
                self.defs.report(words::duplicate(self.span(range), name, self.span(earlier.range)));
            }
            self.generics.params.push(GenericParam { name, range, default: None });
            // Bounds of others may speak of it.
            if rows.contains(&name) || self.asks_for_row(param.bounds()) {
                self.add_row(Ty::param(self.generics.params.len() as u32 - 1, name), range);
            }
            if let Some(of_types) = param.of_types() {
                self.defs.report(words::higher_order(self.span(of_types.syntax().range()), name));
            }
        }
        for (at, param) in (first..).zip(params.iter().filter(|it| it.name().is_some())) {
            let ty = Ty::param(at as u32, self.generics.params[at].name);
            self.add_bounds(ty, param.bounds());
            if let Some(default) = param.default() {
                self.generics.params[at].default = Some(self.ty(default, Position::Part));
            }
        }
        for pred in clause.into_iter().flat_map(|it| it.preds()) {
            let ty = self.ty_or_error(pred.ty(), Position::Part);
            self.add_bounds(ty, pred.bounds());
        }
    }

    /// What is known of a parameter once its bounds are read; a bound may build on those before it.
    pub(super) fn add_bounds(&mut self, ty: Ty, bounds: Option<ast::BoundList<'_>>) {
        for bound in bounds.into_iter().flat_map(|it| it.bounds()) {
            self.add_bound(ty, bound);
        }
    }

    pub(super) fn add_bound(&mut self, ty: Ty, bound: ast::TypeExpr<'_>) {
        let mut preds = Vec::new();
        self.bound(ty, bound, &mut preds);
        self.generics.preds.append(&mut preds);
    }

    pub(super) fn bounds(&mut self, ty: Ty, bounds: Option<ast::BoundList<'_>>) -> Vec<Predicate> {
        let mut preds = Vec::new();
        for bound in bounds.into_iter().flat_map(|it| it.bounds()) {
            self.bound(ty, bound, &mut preds);
        }
        preds
    }

    pub(super) fn bound(&mut self, ty: Ty, bound: ast::TypeExpr<'_>, into: &mut Vec<Predicate>) {
        if let ast::TypeExpr::IntersectionType(many) = bound {
            many.members().for_each(|it| self.bound(ty, it, into));
            return;
        }
        let span = self.span(bound.syntax().range());
        if let Some(named) = self.named_traits(bound) {
            into.extend(named.into_iter().map(|it| Predicate { ty, span, ..it }));
        } else if let Some((trait_ref, assoc)) = self.trait_ref(bound) {
            into.push(Predicate { ty, trait_ref, assoc, span });
        }
    }

    /// The traits for which an alias is a name.
    fn named_traits(&mut self, bound: ast::TypeExpr<'_>) -> Option<Vec<Predicate>> {
        let span = self.span(bound.syntax().range());
        let ast::TypeExpr::PathType(path) = bound else { return None };
        let segments: Vec<_> = path.segments().collect();
        let Some(Lookup::Found(Def::Alias(id))) = self.try_resolve_path(&segments) else { return None };
        let generics = self.defs.alias_traits(id, span)?;
        if generics.params.is_empty() {
            return Some(Vec::new());
        }
        let written = segments.last().and_then(|it| it.type_args);
        let args = self.args_for(written, &generics, 1);
        let args = self.args_with_self(self.defs.aliases[id].name, &generics, args, span);
        Some(generics.preds.iter().map(|it| it.subst(&args)).collect())
    }

    /// The arguments of something whose first parameter is `Self`, those that have a default filled in.
    fn args_with_self(&self, name: Name, generics: &Generics, mut args: Vec<Ty>, span: Span) -> Vec<Ty> {
        let mut with_self = vec![self.self_ty.unwrap_or(self.error())];
        with_self.append(&mut args);
        while with_self.len() < generics.params.len() {
            match generics.params[with_self.len()].default {
                Some(default) => with_self.push(subst(default, &with_self)),
                None => break,
            }
        }
        if with_self.len() != generics.params.len() {
            let wanted = generics.params.len() - 1;
            self.defs.report(words::type_arg_count(span, name, wanted, with_self.len() - 1));
            with_self.resize(generics.params.len(), self.error());
        }
        with_self
    }

    /// A trait with its arguments, and `Item = T` among them.
    pub(super) fn trait_ref(&mut self, ty: ast::TypeExpr<'_>) -> Option<(TraitRef, Vec<(Name, Ty)>)> {
        let span = self.span(ty.syntax().range());
        let path = match ty {
            ast::TypeExpr::PathType(path) => path,
            // The parser has said so.
            ast::TypeExpr::MissingType(_) | ast::TypeExpr::MacroType(_) => return None,
            _ => {
                self.defs.report(words::unknown_trait(span, ty.syntax().text()));
                return None;
            }
        };
        let segments: Vec<_> = path.segments().collect();
        let trait_id = match self.resolve_path(&segments)? {
            Def::Trait(id) => id,
            Def::NotYet => return None,
            Def::Alias(id) if self.defs.alias_traits(id, span).is_some() => {
                self.defs.report(words::name_of_traits(span, ty.syntax().text()));
                return None;
            }
            _ => {
                self.defs.report(words::unknown_trait(span, ty.syntax().text()));
                return None;
            }
        };
        let written = segments.last().and_then(|it| it.type_args);
        let generics = self.defs.trait_generics(trait_id);
        let args = self.args_for(written, &generics, 1);
        let with_self = self.args_with_self(self.defs.traits[trait_id].name, &generics, args, span);
        let mut assoc = Vec::new();
        for named in written.into_iter().flat_map(|it| it.named()) {
            let Some(token) = named.name() else { continue };
            let (name, ty) = (Name::new(token.text()), self.ty_or_error(named.ty(), Position::Part));
            let def = &self.defs.traits[trait_id];
            if def.assoc.iter().any(|it| it.0 == name) {
                assoc.push((name, ty));
            } else {
                self.defs.report(words::no_assoc_of(self.span(token.range()), def.name, name));
            }
        }
        Some((TraitRef { trait_id, args: Ty::list(&with_self[1..]) }, assoc))
    }

    pub(super) fn adt_fields(&mut self, kind: AdtKind, node: SyntaxNode<'_>) -> AdtFields {
        match kind {
            AdtKind::Struct | AdtKind::Value => {
                let Some(syntax) = ast::StructDef::cast(node) else { return AdtFields::default() };
                let adt = self.self_ty.and_then(Ty::as_adt).map(|(id, _)| id);
                let mut fields: Vec<Field> = Vec::new();
                for (index, field) in syntax.fields().enumerate() {
                    let Some(name) = field.name() else { continue };
                    let ty = match field.ty() {
                        Some(ty) => self.ty(ty, Position::Part),
                        None => {
                            self.defs.report(words::type_needed(self.span(name.range()), "a field"));
                            self.error()
                        }
                    };
                    let default = field.default().and_then(|_| self.defs.field_default(adt, index as u32));
                    let (text, range) = (Name::new(name.text()), name.range());
                    if let Some(earlier) = fields.iter().find(|it| it.name == text) {
                        self.defs.report(words::duplicate(self.span(range), text, self.span(earlier.range)));
                    }
                    fields.push(Field { name: text, range, ty, is_private: field.is_private(), default });
                }
                let name = Name::new(syntax.name().map_or("", |it| it.text()));
                let range = syntax.name().map(|it| it.range()).unwrap_or_default();
                AdtFields { variants: vec![Variant { name, range, fields, named: true, number: None }] }
            }
            AdtKind::Enum => {
                let Some(syntax) = ast::EnumDef::cast(node) else { return AdtFields::default() };
                let mut variants: Vec<Variant> = Vec::new();
                for variant in syntax.variants() {
                    let Some(name) = variant.name() else { continue };
                    let (text, range) = (Name::new(name.text()), name.range());
                    if let Some(earlier) = variants.iter().find(|it| it.name == text) {
                        self.defs.report(words::duplicate(self.span(range), text, self.span(earlier.range)));
                    }
                    let fields: Vec<Field> = variant
                        .payload()
                        .into_iter()
                        .flat_map(|it| it.fields())
                        .enumerate()
                        .map(|(n, field)| self.payload_field(n, field))
                        .collect();
                    let named = variant.payload().is_some_and(|it| it.fields().any(|f| f.name().is_some()));
                    variants.push(Variant { name: text, range, fields, named, number: None });
                }
                self.number_variants(syntax, &mut variants);
                AdtFields { variants }
            }
            AdtKind::Newtype => {
                let (ty, name) = match (ast::NewtypeDef::cast(node), ast::TypeAlias::cast(node)) {
                    (Some(it), _) => (self.ty_or_error(it.ty(), Position::Part), it.name()),
                    (_, Some(it)) => (self.refined_base(it), it.name()),
                    _ => return AdtFields::default(),
                };
                let range = name.map(|it| it.range()).unwrap_or_default();
                let name = Name::new(name.map_or("", |it| it.text()));
                let field = Field { name: Name::new("0"), range, ty, is_private: false, default: None };
                AdtFields {
                    variants: vec![Variant { name, range, fields: vec![field], named: false, number: None }],
                }
            }
        }
    }

    pub(super) fn payload_field(&mut self, n: usize, field: ast::PayloadField<'_>) -> Field {
        let name = field.name().map_or_else(|| Name::new(&n.to_string()), |it| Name::new(it.text()));
        let ty = self.ty_or_error(field.ty(), Position::Part);
        Field { name, range: field.syntax().range(), ty, is_private: false, default: None }
    }
}
