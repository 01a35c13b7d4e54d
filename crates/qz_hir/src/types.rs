//! Written types and headers to interned types, when first asked for.
//!
//! Type parameters are numbered from the outside: a trait's `Self` is 0, then the container's, then the
//! function's own, then one for each `impl Trait` among the parameters.

use std::sync::Arc;

use qz_base::{FileId, Name, Span, TextRange};
use qz_syntax::ast::{self, AstNode};
use qz_syntax::{SyntaxNode, SyntaxToken};
use qz_types::{
    AdtId, AssocTy, FloatTy, FnId, IntTy, Mutability, Row, StaticId, TraitId, TraitRef, Ty, TyKind, subst,
};

use crate::defs::*;
use crate::diagnostics as words;
use crate::scope::{Def, Lookup};

/// Stands for a type argument that inference must find (`_`, or left out in an expression).
pub fn hole() -> Ty {
    Ty::infer(u32::MAX)
}

/// The type a builtin name stands for.
fn primitive(name: &str) -> Option<Ty> {
    let c = qz_types::ty::common();
    Some(match name {
        "Int" | "I64" => c.int,
        "I8" => Ty::new(TyKind::Int(IntTy::I8)),
        "I16" => Ty::new(TyKind::Int(IntTy::I16)),
        "I32" => Ty::new(TyKind::Int(IntTy::I32)),
        "U8" => c.u8,
        "U16" => Ty::new(TyKind::Int(IntTy::U16)),
        "U32" => c.u32,
        "U64" => c.u64,
        "F64" | "Float" => c.f64,
        "F32" => Ty::new(TyKind::Float(FloatTy::F32)),
        "Bool" => c.bool,
        "Char" => c.char,
        "String" => c.str,
        "Void" => c.unit,
        "Never" => c.never,
        _ => return None,
    })
}

/// Where borrows, holes and `impl Trait` may stand in a written type.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Position {
    /// The type of a parameter: `&T` and `impl Trait` are good.
    Param,
    /// A result: `impl Trait` is good.
    Result,
    /// The type of a local name: `&T` and `_` are good.
    Local,
    /// Anywhere else.
    Part,
}

/// Lowers the written types of one declaration or body.
pub struct TypeCx<'a> {
    pub defs: &'a Defs,
    pub module: ModuleId,
    pub file: FileId,
    pub self_ty: Option<Ty>,
    /// The trait or impl's trait at hand, so that `Self::Item` is known.
    self_trait: Option<TraitRef>,
    /// Parameters in scope.
    pub generics: Generics,
    /// `impl Trait`s found in the result: function and their bounds.
    opaque_owner: Option<FnId>,
    opaques: Vec<Vec<TraitRef>>,
    allow_holes: bool,
}

/// The node of a declaration, with its file.
#[derive(Clone)]
pub struct NodeRef {
    parsed: ParsedFile,
    index: u32,
}

impl NodeRef {
    pub fn node(&self) -> SyntaxNode<'_> {
        let root = self.parsed.tree.root(&self.parsed.text);
        root.at_index(self.index).expect("declarations remember nodes of their own tree")
    }
}

impl Defs {
    /// A node of a module's tree.
    pub fn node(&self, module: ModuleId, index: u32) -> NodeRef {
        NodeRef { parsed: self.files[&self.file_of(module)].clone(), index }
    }

    pub fn type_cx(&self, module: ModuleId, generics: Generics, self_ty: Option<Ty>) -> TypeCx<'_> {
        TypeCx {
            defs: self,
            module,
            file: self.file_of(module),
            self_ty,
            self_trait: None,
            generics,
            opaque_owner: None,
            opaques: Vec::new(),
            allow_holes: false,
        }
    }

    /// What types mean inside a function: its generics and `Self`.
    pub fn body_type_cx(&self, id: FnId) -> TypeCx<'_> {
        let def = &self.fns[id];
        let sig = self.fn_sig(id);
        let (_, self_ty, self_trait) = self.container_cx(def);
        let mut cx = self.type_cx(def.module, (*sig.generics).clone(), self_ty);
        cx.self_trait = self_trait;
        cx.allow_holes = true;
        cx
    }

    fn container_cx(&self, def: &FnDef) -> (Generics, Option<Ty>, Option<TraitRef>) {
        match def.container {
            Container::Module => match def.kind {
                FnKind::FieldDefault(adt, _) => ((*self.adt_generics(adt)).clone(), None, None),
                _ => (Generics::default(), None, None),
            },
            Container::Impl(id) => {
                let header = self.impl_header(id);
                ((*header.generics).clone(), Some(header.self_ty), header.trait_ref)
            }
            Container::Trait(id) => {
                let generics = self.trait_generics(id);
                let identity = generics.identity();
                let trait_ref = TraitRef { trait_id: id, args: Ty::list(&identity[1..]) };
                let mut generics = (*generics).clone();
                let span = self.trait_span(id);
                let me = Predicate { ty: identity[0], trait_ref, assoc: Vec::new(), span };
                generics.preds.insert(0, me);
                (generics, Some(identity[0]), Some(trait_ref))
            }
        }
    }

    /// A function's signature as written.
    pub fn fn_sig(&self, id: FnId) -> Arc<FnSig> {
        if let Some(sig) = self.fns[id].sig.get() {
            return sig.clone();
        }
        let sig = Arc::new(self.lower_fn_sig(id));
        self.fns[id].sig.get_or_init(|| sig).clone()
    }

    fn lower_fn_sig(&self, id: FnId) -> FnSig {
        let def = &self.fns[id];
        let (mut generics, self_ty, self_trait) = self.container_cx(def);
        generics.outer = generics.params.len() as u32;
        let node = self.node(def.module, def.nodes[0]);
        let mut cx = self.type_cx(def.module, generics, self_ty);
        cx.self_trait = self_trait;
        match ast::FnDef::cast(node.node()) {
            Some(syntax) => cx.fn_sig(id, syntax),
            None => cx.initialiser_sig(def, node.node()),
        }
    }

    pub fn adt_generics(&self, id: AdtId) -> Arc<Generics> {
        let def = &self.adts[id];
        if let Some(generics) = def.generics.get() {
            return generics.clone();
        }
        let node = self.node(def.module, def.node);
        let params = node.node().children().find_map(ast::GenericParams::cast);
        let clause = node.node().children().find_map(ast::WhereClause::cast);
        let mut cx = self.type_cx(def.module, Generics::default(), None);
        cx.generic_params(params, clause);
        def.generics.get_or_init(|| Arc::new(cx.generics)).clone()
    }

    /// The type with its own parameters as arguments.
    pub fn adt_identity(&self, id: AdtId) -> Ty {
        Ty::adt(id, &self.adt_generics(id).identity())
    }

    pub fn adt_fields(&self, id: AdtId) -> Arc<AdtFields> {
        let def = &self.adts[id];
        if let Some(fields) = def.fields.get() {
            return fields.clone();
        }
        let generics = self.adt_generics(id);
        let self_ty = self.adt_identity(id);
        let mut cx = self.type_cx(def.module, (*generics).clone(), Some(self_ty));
        let node = self.node(def.module, def.node);
        let fields = cx.adt_fields(def.kind, node.node());
        def.fields.get_or_init(|| Arc::new(fields)).clone()
    }

    pub fn trait_generics(&self, id: TraitId) -> Arc<Generics> {
        let def = &self.traits[id];
        if let Some(generics) = def.generics.get() {
            return generics.clone();
        }
        let node = self.node(def.module, def.node);
        let syntax = ast::TraitDef::cast(node.node()).expect("a trait's node");
        let me = GenericParam { name: qz_base::name::known::SELF_TYPE, range: def.name_range, default: None };
        let generics = Generics { params: vec![me], preds: Vec::new(), outer: 0 };
        let self_ty = Ty::param(0, qz_base::name::known::SELF_TYPE);
        let mut cx = self.type_cx(def.module, generics, Some(self_ty));
        cx.generic_params(syntax.generics(), syntax.where_clause());
        def.generics.get_or_init(|| Arc::new(cx.generics)).clone()
    }

    /// Traits that every implementer must have too, in terms of the trait's own parameters.
    pub fn trait_supers(&self, id: TraitId) -> Arc<Vec<TraitRef>> {
        let def = &self.traits[id];
        if let Some(supers) = def.supers.get() {
            return supers.clone();
        }
        let node = self.node(def.module, def.node);
        let syntax = ast::TraitDef::cast(node.node()).expect("a trait's node");
        let generics = self.trait_generics(id);
        let self_ty = Ty::param(0, qz_base::name::known::SELF_TYPE);
        let mut cx = self.type_cx(def.module, (*generics).clone(), Some(self_ty));
        let supers = cx.bounds(syntax.supertraits()).into_iter().map(|(it, _)| it).collect();
        def.supers.get_or_init(|| Arc::new(supers)).clone()
    }

    /// What a trait asks of its associated types, in terms of the trait's own parameters.
    pub fn assoc_bounds(&self, id: TraitId) -> Arc<Vec<(Name, TraitRef)>> {
        let def = &self.traits[id];
        if let Some(bounds) = def.assoc_bounds.get() {
            return bounds.clone();
        }
        let node = self.node(def.module, def.node);
        let syntax = ast::TraitDef::cast(node.node()).expect("a trait's node");
        let generics = self.trait_generics(id);
        let self_ty = Ty::param(0, qz_base::name::known::SELF_TYPE);
        let mut cx = self.type_cx(def.module, (*generics).clone(), Some(self_ty));
        let mut bounds = Vec::new();
        for item in syntax.items() {
            if let ast::Item::TypeAlias(alias) = item
                && let Some(name) = alias.name()
            {
                let name = Name::new(name.text());
                bounds.extend(cx.bounds(alias.bounds()).into_iter().map(|(it, _)| (name, it)));
            }
        }
        def.assoc_bounds.get_or_init(|| Arc::new(bounds)).clone()
    }

    /// What a block of methods is for.
    pub fn impl_header(&self, id: ImplId) -> Arc<ImplHeader> {
        let def = &self.impls[id];
        if let Some(header) = def.header.get() {
            return header.clone();
        }
        let node = self.node(def.module, def.node);
        let header = match def.origin {
            ImplOrigin::Body(adt) => ImplHeader {
                generics: self.adt_generics(adt),
                self_ty: self.adt_identity(adt),
                trait_ref: None,
                assoc: Vec::new(),
            },
            ImplOrigin::Extend => {
                let syntax = ast::ExtendDef::cast(node.node()).expect("an extend block's node");
                let mut cx = self.type_cx(def.module, Generics::default(), None);
                cx.generic_params(syntax.generics(), syntax.where_clause());
                let self_ty = cx.ty_or_error(syntax.ty(), Position::Part);
                ImplHeader { generics: Arc::new(cx.generics), self_ty, trait_ref: None, assoc: Vec::new() }
            }
            ImplOrigin::Impl => {
                let syntax = ast::ImplDef::cast(node.node()).expect("an impl's node");
                self.type_cx(def.module, Generics::default(), None).impl_header(syntax)
            }
        };
        def.header.get_or_init(|| Arc::new(header)).clone()
    }

    fn alias_target(&self, id: AliasId, span: Span) -> (Arc<Generics>, Ty) {
        let def = &self.aliases[id];
        if let Some(target) = def.target.get() {
            return target.clone();
        }
        if def.in_progress.replace(true) {
            self.report(words::cyclic_alias(span, def.name));
            return (Arc::default(), qz_types::ty::common().error);
        }
        let node = self.node(def.module, def.node);
        let syntax = ast::TypeAlias::cast(node.node()).expect("an alias' node");
        let mut cx = self.type_cx(def.module, Generics::default(), None);
        cx.generic_params(syntax.generics(), None);
        let target = cx.ty_or_error(syntax.ty(), Position::Part);
        def.in_progress.set(false);
        def.target.get_or_init(|| (Arc::new(cx.generics), target)).clone()
    }

    /// Lowers an alias for its problems alone.
    pub fn check_alias(&self, id: AliasId) {
        let def = &self.aliases[id];
        let span = Span::new(self.file_of(def.module), def.name_range);
        self.alias_target(id, span);
    }

    /// The written type of a module variable.
    pub fn static_ty(&self, id: StaticId) -> Option<Ty> {
        let def = &self.statics[id];
        *def.ty.get_or_init(|| self.fn_sig(def.init).ret)
    }

    /// The default function of a field, found again by its place.
    fn field_default(&self, adt: Option<AdtId>, index: u32) -> Option<FnId> {
        let adt = adt?;
        self.field_defaults.get(&(adt, index)).copied()
    }
}

impl TypeCx<'_> {
    fn span(&self, range: TextRange) -> Span {
        Span::new(self.file, range)
    }

    fn error(&self) -> Ty {
        qz_types::ty::common().error
    }

    fn fn_sig(mut self, id: FnId, syntax: ast::FnDef<'_>) -> FnSig {
        self.opaque_owner = Some(id);
        self.generic_params(syntax.generics(), syntax.where_clause());
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
            Some(ret) => Some(self.ty(ret, Position::Result)),
            None if many_clauses => self.clause_ret(id),
            None if !def.has_body => Some(qz_types::ty::common().unit),
            None => None,
        };
        if let Some(can) = syntax.can() {
            let span = self.span(can.syntax().range());
            self.defs.report(words::not_yet(span, "effect rows"));
        }
        FnSig { generics: Arc::new(self.generics), params, ret, row: Row::EMPTY, opaques: self.opaques }
    }

    fn sig_param(&mut self, param: ast::Param<'_>) -> SigParam {
        let range = param.syntax().range();
        let name = match param.pat() {
            Some(ast::Pat::NamePat(pat)) => pat.name().map(|it| Name::new(it.text())),
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
    fn clause_param(&mut self, id: FnId, position: usize, into: &mut SigParam) {
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

    fn clause_ret(&mut self, id: FnId) -> Option<Ty> {
        let def = &self.defs.fns[id];
        def.nodes.iter().find_map(|&node| {
            let node = self.defs.node(def.module, node);
            let ret = ast::FnDef::cast(node.node())?.ret()?;
            Some(self.ty(ret, Position::Result))
        })
    }

    fn initialiser_sig(mut self, def: &FnDef, node: SyntaxNode<'_>) -> FnSig {
        let written = match def.kind {
            FnKind::Const => ast::ConstDef::cast(node).and_then(|it| it.ty()),
            FnKind::StaticInit(_) => ast::VarDef::cast(node).and_then(|it| it.ty()),
            _ => ast::FieldDef::cast(node).and_then(|it| it.ty()),
        };
        let ret = written.map(|ty| self.ty(ty, Position::Part));
        FnSig {
            generics: Arc::new(self.generics),
            params: Vec::new(),
            ret,
            row: Row::EMPTY,
            opaques: Vec::new(),
        }
    }

    fn impl_header(mut self, syntax: ast::ImplDef<'_>) -> ImplHeader {
        self.generic_params(syntax.generics(), syntax.where_clause());
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

    /// Adds written parameters, then their bounds.
    fn generic_params(
        &mut self,
        params: Option<ast::GenericParams<'_>>,
        clause: Option<ast::WhereClause<'_>>,
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

    fn add_bounds(&mut self, ty: Ty, bounds: Option<ast::BoundList<'_>>) {
        for bound in bounds.into_iter().flat_map(|it| it.bounds()) {
            self.add_bound(ty, bound);
        }
    }

    fn add_bound(&mut self, ty: Ty, bound: ast::TypeExpr<'_>) {
        if let ast::TypeExpr::IntersectionType(many) = bound {
            many.members().for_each(|it| self.add_bound(ty, it));
            return;
        }
        let span = self.span(bound.syntax().range());
        if let Some((trait_ref, assoc)) = self.trait_ref(bound) {
            self.generics.preds.push(Predicate { ty, trait_ref, assoc, span });
        }
    }

    fn bounds(&mut self, bounds: Option<ast::BoundList<'_>>) -> Vec<(TraitRef, Vec<(Name, Ty)>)> {
        bounds.into_iter().flat_map(|it| it.bounds()).filter_map(|it| self.trait_ref(it)).collect()
    }

    /// A trait with its arguments, and `Item = T` among them.
    fn trait_ref(&mut self, ty: ast::TypeExpr<'_>) -> Option<(TraitRef, Vec<(Name, Ty)>)> {
        let span = self.span(ty.syntax().range());
        let path = match ty {
            ast::TypeExpr::PathType(path) => path,
            // The parser has said so.
            ast::TypeExpr::MissingType(_) => return None,
            _ => {
                self.defs.report(words::unknown_trait(span, ty.syntax().text()));
                return None;
            }
        };
        let segments: Vec<_> = path.segments().collect();
        let trait_id = match self.resolve_path(&segments)? {
            Def::Trait(id) => id,
            Def::NotYet => return None,
            _ => {
                self.defs.report(words::unknown_trait(span, ty.syntax().text()));
                return None;
            }
        };
        let written = segments.last().and_then(|it| it.type_args);
        let generics = self.defs.trait_generics(trait_id);
        let mut args: Vec<Ty> =
            written.into_iter().flat_map(|it| it.args()).map(|it| self.ty(it, Position::Part)).collect();
        let wanted = generics.params.len() - 1;
        let mut with_self = vec![self.self_ty.unwrap_or(self.error())];
        with_self.append(&mut args);
        while with_self.len() < generics.params.len() {
            match generics.params[with_self.len()].default {
                Some(default) => with_self.push(subst(default, &with_self)),
                None => break,
            }
        }
        if with_self.len() != generics.params.len() {
            let name = self.defs.traits[trait_id].name;
            self.defs.report(words::type_arg_count(span, name, wanted, with_self.len() - 1));
            with_self.resize(generics.params.len(), self.error());
        }
        let assoc = written
            .into_iter()
            .flat_map(|it| it.named())
            .filter_map(|it| Some((Name::new(it.name()?.text()), self.ty_or_error(it.ty(), Position::Part))))
            .collect();
        Some((TraitRef { trait_id, args: Ty::list(&with_self[1..]) }, assoc))
    }

    fn adt_fields(&mut self, kind: AdtKind, node: SyntaxNode<'_>) -> AdtFields {
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
                AdtFields { variants: vec![Variant { name, range, fields, named: true }] }
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
                    if let Some(value) = variant.discriminant() {
                        let span = self.span(value.syntax().range());
                        self.defs.report(words::not_yet(span, "written discriminants"));
                    }
                    let fields: Vec<Field> = variant
                        .payload()
                        .into_iter()
                        .flat_map(|it| it.fields())
                        .enumerate()
                        .map(|(n, field)| self.payload_field(n, field))
                        .collect();
                    let named = variant.payload().is_some_and(|it| it.fields().any(|f| f.name().is_some()));
                    variants.push(Variant { name: text, range, fields, named });
                }
                AdtFields { variants }
            }
            AdtKind::Newtype => {
                let Some(syntax) = ast::NewtypeDef::cast(node) else { return AdtFields::default() };
                let ty = self.ty_or_error(syntax.ty(), Position::Part);
                let name = Name::new(syntax.name().map_or("", |it| it.text()));
                let range = syntax.name().map(|it| it.range()).unwrap_or_default();
                let field = Field { name: Name::new("0"), range, ty, is_private: false, default: None };
                AdtFields { variants: vec![Variant { name, range, fields: vec![field], named: false }] }
            }
        }
    }

    fn payload_field(&mut self, n: usize, field: ast::PayloadField<'_>) -> Field {
        let name = field.name().map_or_else(|| Name::new(&n.to_string()), |it| Name::new(it.text()));
        let ty = self.ty_or_error(field.ty(), Position::Part);
        Field { name, range: field.syntax().range(), ty, is_private: false, default: None }
    }

    /// A type written in a body: `_` and missing arguments are holes.
    pub fn local_type(&mut self, ty: ast::TypeExpr<'_>) -> Ty {
        self.ty(ty, Position::Local)
    }

    fn ty_or_error(&mut self, ty: Option<ast::TypeExpr<'_>>, position: Position) -> Ty {
        match ty {
            Some(ty) => self.ty(ty, position),
            None => self.error(),
        }
    }

    fn ty(&mut self, ty: ast::TypeExpr<'_>, position: Position) -> Ty {
        let span = self.span(ty.syntax().range());
        let c = qz_types::ty::common();
        match ty {
            ast::TypeExpr::MissingType(_) => c.error,
            ast::TypeExpr::PathType(path) => self.path_type(path),
            ast::TypeExpr::OptionType(it) => {
                let inner = self.ty_or_error(it.inner(), Position::Part);
                self.defs.lang.adt("Option").map_or(c.error, |id| Ty::adt(id, &[inner]))
            }
            ast::TypeExpr::TupleType(it) => {
                let parts: Vec<Ty> = it.elems().map(|it| self.ty(it, Position::Part)).collect();
                Ty::tuple(&parts)
            }
            ast::TypeExpr::ParenType(it) => self.ty_or_error(it.inner(), position),
            ast::TypeExpr::FnType(it) => self.fn_type(it),
            ast::TypeExpr::DynType(it) => self.dyn_type(it),
            ast::TypeExpr::ImplType(it) => self.impl_type(it, position),
            ast::TypeExpr::RefType(it) => {
                if !matches!(position, Position::Param | Position::Local) {
                    self.defs.report(words::borrow_position(span));
                    return c.error;
                }
                let inner = self.ty_or_error(it.inner(), Position::Part);
                let mutability = if it.is_mut() { Mutability::Mut } else { Mutability::Shared };
                Ty::reference(mutability, inner)
            }
            ast::TypeExpr::NeverType(_) => c.never,
            ast::TypeExpr::InferType(_) if self.allow_holes => hole(),
            ast::TypeExpr::InferType(_) => {
                self.defs.report(words::infer_in_signature(span));
                c.error
            }
            ast::TypeExpr::UnionType(_) => {
                self.defs.report(words::not_yet(span, "union types"));
                c.error
            }
            ast::TypeExpr::IntersectionType(_) => {
                self.defs.report(words::not_yet(span, "intersection types outside `dyn` and bounds"));
                c.error
            }
            ast::TypeExpr::RecordType(_) => {
                self.defs.report(words::not_yet(span, "record types"));
                c.error
            }
        }
    }

    fn fn_type(&mut self, it: ast::FnType<'_>) -> Ty {
        let params: Vec<Ty> =
            it.params().into_iter().flat_map(|it| it.types()).map(|it| self.ty(it, Position::Part)).collect();
        let ret = match it.ret() {
            Some(ret) => self.ty(ret, Position::Part),
            None => qz_types::ty::common().unit,
        };
        if let Some(can) = it.can() {
            let span = self.span(can.syntax().range());
            self.defs.report(words::not_yet(span, "effect rows"));
        }
        Ty::func(&params, ret, Row::EMPTY)
    }

    fn dyn_type(&mut self, it: ast::DynType<'_>) -> Ty {
        let bounds: Vec<ast::TypeExpr<'_>> = match it.bound() {
            Some(ast::TypeExpr::IntersectionType(many)) => many.members().collect(),
            Some(one) => vec![one],
            None => return self.error(),
        };
        let traits: Vec<TraitRef> = bounds.into_iter().filter_map(|it| Some(self.trait_ref(it)?.0)).collect();
        if traits.is_empty() { self.error() } else { Ty::new(TyKind::Dyn(Ty::trait_refs(&traits))) }
    }

    /// In a parameter: a type parameter without a name. In a result: a type known by its bounds alone.
    fn impl_type(&mut self, it: ast::ImplType<'_>, position: Position) -> Ty {
        let span = self.span(it.syntax().range());
        let Some(bound) = it.bound() else { return self.error() };
        match (position, self.opaque_owner) {
            (Position::Param, Some(_)) => {
                let index = self.generics.params.len() as u32;
                let name = Name::new(&format!("impl {}", bound.syntax().text()));
                self.generics.params.push(GenericParam { name, range: it.syntax().range(), default: None });
                let ty = Ty::param(index, name);
                self.add_bound(ty, bound);
                ty
            }
            (Position::Result, Some(owner)) => {
                let bounds = match bound {
                    ast::TypeExpr::IntersectionType(many) => {
                        many.members().filter_map(|it| Some(self.trait_ref(it)?.0)).collect()
                    }
                    one => self.trait_ref(one).into_iter().map(|(it, _)| it).collect(),
                };
                self.opaques.push(bounds);
                let index = self.opaques.len() as u32 - 1;
                let args = Ty::list(&self.generics.identity());
                Ty::new(TyKind::Opaque(owner, index, args))
            }
            _ => {
                self.defs.report(words::not_yet(span, "`impl Trait` outside parameters and results"));
                self.error()
            }
        }
    }

    fn path_type(&mut self, path: ast::PathType<'_>) -> Ty {
        let segments: Vec<_> = path.segments().collect();
        self.path_to_type(&segments, path.syntax().range())
    }

    /// A path that should name a type.
    pub fn path_to_type(&mut self, segments: &[ast::PathSegment<'_>], range: TextRange) -> Ty {
        let Some(first) = segments.first() else { return self.error() };
        if let Some(base) = self.type_param(Name::new(first.name.text())) {
            return match segments {
                [_] => base,
                [_, assoc] => self.assoc_type(base, assoc.name),
                _ => self.error(),
            };
        }
        let last = segments.last().expect("not empty");
        match self.try_resolve_path(segments) {
            Some(Lookup::Found(def)) => self.def_to_type(def, last, range),
            Some(Lookup::Missing) | None if segments.len() == 1 => self.builtin_type(last, range),
            other => {
                self.path_problem(segments, other);
                self.error()
            }
        }
    }

    fn type_param(&self, name: Name) -> Option<Ty> {
        if name == qz_base::name::known::SELF_TYPE {
            return self.self_ty;
        }
        let at = self.generics.params.iter().rposition(|it| it.name == name)?;
        Some(Ty::param(at as u32, name))
    }

    /// Whether a bare name means a builtin type or a type parameter.
    pub fn is_type_name(&self, name: Name) -> bool {
        self.type_param(name).is_some() || name.as_str() == "Ptr" || primitive(name.as_str()).is_some()
    }

    /// The type a bare name means by itself: a builtin or a type parameter.
    pub fn named_type(&self, name: Name) -> Option<Ty> {
        let ptr = || (name.as_str() == "Ptr").then(|| Ty::ptr(hole()));
        self.type_param(name).or_else(|| primitive(name.as_str())).or_else(ptr)
    }

    /// What an alias stands for, its arguments left to inference.
    pub fn alias_with_holes(&mut self, alias: AliasId, range: TextRange) -> Ty {
        let (generics, target) = self.defs.alias_target(alias, self.span(range));
        subst(target, &vec![hole(); generics.len()])
    }

    /// A path in an expression that should name a type; left-out arguments are holes.
    pub fn path_to_type_with_holes(&mut self, segments: &[ast::PathSegment<'_>], range: TextRange) -> Ty {
        debug_assert!(self.allow_holes);
        self.path_to_type(segments, range)
    }

    fn builtin_type(&mut self, segment: &ast::PathSegment<'_>, range: TextRange) -> Ty {
        let span = self.span(segment.name.range());
        let name = segment.name.text();
        if name == "Ptr" {
            let args = self.type_args(segment);
            return match args[..] {
                [to] => Ty::ptr(to),
                [] if self.allow_holes => Ty::ptr(hole()),
                _ => {
                    let span = self.span(range);
                    self.defs.report(words::type_arg_count(span, Name::new("Ptr"), 1, args.len()));
                    self.error()
                }
            };
        }
        if let Some(ty) = primitive(name) {
            if segment.type_args.is_some() {
                self.defs.report(words::type_arg_count(
                    span,
                    Name::new(name),
                    0,
                    self.type_args(segment).len(),
                ));
            }
            return ty;
        }
        if name == "Self" {
            self.defs.report(words::self_type_outside(span));
        } else {
            let visible = self.type_names();
            self.defs.report(words::unknown_type(span, Name::new(name), &visible));
        }
        self.error()
    }

    fn type_names(&self) -> Vec<Name> {
        let mut names = self.defs.visible_names(self.module);
        names.extend(self.generics.params.iter().map(|it| it.name));
        const BUILTIN: &[&str] = &[
            "Int", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64", "F32", "F64", "Float", "Bool",
            "Char", "String", "Void", "Never", "Ptr",
        ];
        names.extend(BUILTIN.iter().map(|it| Name::new(it)));
        names
    }

    fn type_args(&mut self, segment: &ast::PathSegment<'_>) -> Vec<Ty> {
        segment.type_args.into_iter().flat_map(|it| it.args()).map(|it| self.ty(it, Position::Part)).collect()
    }

    /// A declaration as a type, with the arguments of the path's last segment.
    fn def_to_type(&mut self, def: Def, segment: &ast::PathSegment<'_>, range: TextRange) -> Ty {
        let span = self.span(range);
        let args = self.type_args(segment);
        match def {
            Def::Adt(id) => {
                let generics = self.defs.adt_generics(id);
                let args = self.fit_args(self.defs.adts[id].name, &generics, args, span);
                Ty::adt(id, &args)
            }
            Def::Alias(id) => {
                let (generics, target) = self.defs.alias_target(id, span);
                let args = self.fit_args(self.defs.aliases[id].name, &generics, args, span);
                subst(target, &args)
            }
            Def::Trait(id) => {
                self.defs.report(words::trait_as_type(span, self.defs.traits[id].name));
                self.error()
            }
            Def::NotYet => self.error(),
            Def::Import(..) => unreachable!("imports are settled when modules are collected"),
            Def::Fns(_) | Def::Const(_) | Def::Static(_) => {
                let visible = self.type_names();
                self.defs.report(words::unknown_type(span, Name::new(segment.name.text()), &visible));
                self.error()
            }
        }
    }

    fn fit_args(&mut self, name: Name, generics: &Generics, mut args: Vec<Ty>, span: Span) -> Vec<Ty> {
        let wanted = generics.params.len();
        if args.is_empty() && self.allow_holes {
            return vec![hole(); wanted];
        }
        while args.len() < wanted
            && let Some(default) = generics.params[args.len()].default
        {
            args.push(subst(default, &args));
        }
        if args.len() != wanted {
            self.defs.report(words::type_arg_count(span, name, wanted, args.len()));
            args.resize(wanted, self.error());
        }
        args
    }

    /// `T::Item`: from the bounds on `T`, `Self`'s trait, or the one trait that has such a type.
    fn assoc_type(&mut self, base: Ty, name: SyntaxToken<'_>) -> Ty {
        let wanted = Name::new(name.text());
        let has = |id: TraitId| self.defs.traits[id].assoc.iter().any(|&(it, _)| it == wanted);
        let mut found = None;
        let mine = self.self_trait.filter(|_| Some(base) == self.self_ty);
        let bounds = self.generics.preds.iter().filter(|p| p.ty == base).map(|p| p.trait_ref).chain(mine);
        for bound in bounds {
            found = found.or_else(|| self.with_supers(base, bound).into_iter().find(|it| has(it.trait_id)));
        }
        let found = found.or_else(|| {
            let mut all = self.defs.traits.ids().filter(|&id| has(id));
            let only = all.next().filter(|_| all.next().is_none())?;
            let generics = self.defs.trait_generics(only);
            (generics.len() == 1).then_some(TraitRef { trait_id: only, args: &[] })
        });
        let Some(bound) = found else {
            self.defs.report(words::no_assoc(self.span(name.range()), wanted));
            return self.error();
        };
        let mut args = vec![base];
        args.extend(bound.args);
        Ty::new(TyKind::Assoc(AssocTy { trait_id: bound.trait_id, args: Ty::list(&args), name: wanted }))
    }

    fn with_supers(&self, base: Ty, bound: TraitRef) -> Vec<TraitRef> {
        let mut all = vec![bound];
        let mut at = 0;
        while at < all.len() {
            let it = all[at];
            at += 1;
            let mut args = vec![base];
            args.extend(it.args);
            for super_ in self.defs.trait_supers(it.trait_id).iter() {
                let super_ = qz_types::subst::subst_trait_ref(*super_, &args);
                if !all.contains(&super_) {
                    all.push(super_);
                }
            }
        }
        all
    }

    /// The declaration a path names; problems are reported.
    fn resolve_path(&mut self, segments: &[ast::PathSegment<'_>]) -> Option<Def> {
        match self.try_resolve_path(segments) {
            Some(Lookup::Found(def)) => Some(def),
            other => {
                self.path_problem(segments, other);
                None
            }
        }
    }

    fn try_resolve_path(&self, segments: &[ast::PathSegment<'_>]) -> Option<Lookup> {
        let names: Vec<Name> = segments.iter().map(|it| Name::new(it.name.text())).collect();
        self.defs.resolve_segments(self.module, &names)
    }

    /// Reports a path whose beginning is no type and not a module that shows such an item; whether it did.
    pub fn reports_prefix(&mut self, segments: &[ast::PathSegment<'_>]) -> bool {
        // `module::Type::Variant`: the type is what may not be shown.
        let segments = if segments.len() == 3 { &segments[..2] } else { segments };
        let found = self.try_resolve_path(segments);
        let is_problem = match &found {
            Some(Lookup::Private(_) | Lookup::Ambiguous(_)) => true,
            None => !Name::new(segments[0].name.text()).is_upper(),
            _ => false,
        };
        if is_problem {
            self.path_problem(segments, found);
        }
        is_problem
    }

    fn path_problem(&mut self, segments: &[ast::PathSegment<'_>], found: Option<Lookup>) {
        let last = segments.last().expect("not empty");
        let (name, span) = (Name::new(last.name.text()), self.span(last.name.range()));
        let problem = match found {
            None => {
                let first = segments[0].name;
                words::unknown_module(self.span(first.range()), Name::new(first.text()))
            }
            Some(Lookup::Private(module)) => words::private_item(span, name, self.defs.modules[module].path),
            Some(Lookup::Ambiguous(modules)) => {
                let modules: Vec<Name> = modules.iter().map(|&it| self.defs.modules[it].path).collect();
                words::ambiguous(span, name, &modules)
            }
            _ => words::unknown_type(span, name, &self.type_names()),
        };
        self.defs.report(problem);
    }
}

impl Defs {
    /// Looks a path of plain names up: module names, then an item. `None` if a module on the way is unknown.
    pub fn resolve_segments(&self, module: ModuleId, names: &[Name]) -> Option<Lookup> {
        match names {
            [] => None,
            [name] => Some(self.lookup(module, *name)),
            [first, rest @ ..] => {
                let target = *self.modules[module].scope.modules.get(first)?;
                let [name] = rest else { return None };
                Some(self.lookup_export(target, *name))
            }
        }
    }
}
