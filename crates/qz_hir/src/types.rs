//! Written types and headers to interned types, when first asked for.
//!
//! Type parameters are numbered from the outside: a trait's `Self` is 0, then the container's, then the
//! function's own, then one for each `impl Trait` among the parameters.

pub(crate) mod actors;
pub(crate) mod effects;
mod identity;
pub(crate) mod numbers;
mod paths;
mod records;
mod refined;
mod signatures;
pub(crate) mod unions;

use std::sync::Arc;

use qz_base::{FileId, Name, Span, TextRange};
use qz_syntax::SyntaxNode;
use qz_syntax::ast::{self, AstNode};
use qz_types::{
    AdtId, AssocTy, FloatTy, FnId, IntTy, Mutability, Row, StaticId, TraitId, TraitRef, Ty, TyFlags, TyKind,
    subst,
};

use self::effects::row_names;
use crate::defs::*;
use crate::diagnostics as words;
pub use identity::Paths;

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
    opaques: Vec<Vec<Predicate>>,
    allow_holes: bool,
    /// The parameter or result that the type at hand is part of.
    around: Position,
    /// The type that comes next may be an effect.
    takes_effect: bool,
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
            around: Position::Part,
            takes_effect: false,
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
                FnKind::FieldDefault(adt, _) | FnKind::Refined(adt, _) => {
                    ((*self.adt_generics(adt)).clone(), None, None)
                }
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
        if let Some(part) = def.actor.filter(|it| !matches!(it, ActorFn::Handler(_))) {
            return cx.actor_sig(id, part, node.node());
        }
        if let FnKind::Refined(adt, part) = def.kind {
            return cx.refined_sig(adt, part);
        }
        match ast::FnDef::cast(node.node()) {
            Some(syntax) => {
                let mut sig = cx.fn_sig(id, syntax);
                if def.is_init() {
                    sig.ret.get_or_insert(qz_types::ty::common().unit);
                }
                self.fill_from_trait(def, &mut sig);
                if def.operation.is_some() {
                    self.complete_operation(id, syntax, &mut sig);
                }
                sig
            }
            None => cx.initialiser_sig(def, node.node()),
        }
    }

    /// A method of an `impl` has the types that its trait asks for, where it does not write its own.
    fn fill_from_trait(&self, def: &FnDef, sig: &mut FnSig) {
        let Container::Impl(id) = def.container else { return };
        let is_open = sig.ret.is_none() || sig.params.iter().any(|param| param.ty.is_none());
        let header = self.impl_header(id);
        let (Some(bound), true) = (header.trait_ref, is_open) else { return };
        let same = |&&method: &&FnId| {
            let it = &self.fns[method];
            it.name == def.name && it.self_param == def.self_param && it.arity == def.arity
        };
        let Some(&method) = self.traits[bound.trait_id].methods.iter().find(same) else { return };
        let wanted = self.fn_sig(method);
        let args: Vec<Ty> = [header.self_ty].into_iter().chain(bound.args.iter().copied()).collect();
        let has_own_params = wanted.generics.len() > args.len() || sig.generics.len() > header.generics.len();
        if has_own_params || wanted.params.len() != sig.params.len() {
            return;
        }
        let fill = |open: &mut Option<Ty>, wanted: Option<Ty>| {
            if open.is_none() && wanted.is_some_and(|ty| !ty.has(TyFlags::OPAQUE)) {
                *open = wanted.map(|ty| subst(ty, &args));
            }
        };
        for (param, wanted) in sig.params.iter_mut().zip(&wanted.params) {
            fill(&mut param.ty, wanted.ty);
        }
        fill(&mut sig.ret, wanted.ret);
    }

    /// Where a function's result type is written.
    pub fn ret_span(&self, id: FnId) -> Option<Span> {
        let def = &self.fns[id];
        let node = self.node(def.module, def.nodes[0]);
        let range = ast::FnDef::cast(node.node())?.ret()?.syntax().range();
        Some(Span::new(self.file_of(def.module), range))
    }

    pub fn adt_generics(&self, id: AdtId) -> Arc<Generics> {
        let def = &self.adts[id];
        if let Some(generics) = def.generics.get() {
            return generics.clone();
        }
        if let Some(members) = def.union_of {
            let generics = self.union_generics(members, def.name_range);
            return def.generics.get_or_init(|| Arc::new(generics)).clone();
        }
        let node = self.node(def.module, def.node);
        let params = node.node().children().find_map(ast::GenericParams::cast);
        let clause = node.node().children().find_map(ast::WhereClause::cast);
        let mut cx = self.type_cx(def.module, Generics::default(), None);
        cx.generic_params(params, clause, &row_names([node.node()]));
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
        if def.union_of.is_some() {
            let fields = Self::union_fields(&generics, def.name_range);
            return def.fields.get_or_init(|| Arc::new(fields)).clone();
        }
        let self_ty = self.adt_identity(id);
        let mut cx = self.type_cx(def.module, (*generics).clone(), Some(self_ty));
        let node = self.node(def.module, def.node);
        let fields = match (def.actor, def.effect) {
            (Some(side), _) => cx.actor_fields(side, node.node()),
            (None, Some(effect)) => self.clause_fields(effect),
            (None, None) => cx.adt_fields(def.kind, node.node()),
        };
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
        cx.generic_params(syntax.generics(), syntax.where_clause(), &row_names([syntax.syntax()]));
        def.generics.get_or_init(|| Arc::new(cx.generics)).clone()
    }

    /// Traits that every implementer must have too, in terms of the trait's own parameters.
    pub fn trait_supers(&self, id: TraitId) -> Arc<Vec<Predicate>> {
        let def = &self.traits[id];
        if let Some(supers) = def.supers.get() {
            return supers.clone();
        }
        let node = self.node(def.module, def.node);
        let syntax = ast::TraitDef::cast(node.node()).expect("a trait's node");
        let generics = self.trait_generics(id);
        let self_ty = Ty::param(0, qz_base::name::known::SELF_TYPE);
        let mut cx = self.type_cx(def.module, (*generics).clone(), Some(self_ty));
        let supers = cx.bounds(self_ty, syntax.supertraits());
        def.supers.get_or_init(|| Arc::new(supers)).clone()
    }

    /// What a trait asks of its associated types, in terms of the trait's own parameters.
    pub fn assoc_bounds(&self, id: TraitId) -> Arc<Vec<(Name, Predicate)>> {
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
                let args = Ty::list(&generics.identity());
                let ty = Ty::new(TyKind::Assoc(AssocTy { trait_id: id, args, name }));
                bounds.extend(cx.bounds(ty, alias.bounds()).into_iter().map(|it| (name, it)));
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
                cx.generic_params(syntax.generics(), syntax.where_clause(), &row_names([syntax.syntax()]));
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
            let declared = Span::new(self.file_of(def.module), def.name_range);
            self.report(words::cyclic_alias(span, def.name, declared));
            return (Arc::default(), qz_types::ty::common().error);
        }
        let node = self.node(def.module, def.node);
        let mut cx = self.type_cx(def.module, Generics::default(), None);
        let target = match ast::EffectDef::cast(node.node()) {
            Some(syntax) => {
                cx.generic_params(syntax.generics(), None, &[]);
                syntax.row().map_or(cx.error(), |row| cx.row_arg(row))
            }
            None => {
                let syntax = ast::TypeAlias::cast(node.node()).expect("an alias' node");
                let rows = row_names(syntax.ty().map(|it| it.syntax()));
                cx.generic_params(syntax.generics(), None, &rows);
                cx.ty_or_error(syntax.ty(), Position::Part)
            }
        };
        def.in_progress.set(false);
        def.target.get_or_init(|| (Arc::new(cx.generics), target)).clone()
    }

    /// What `type Both = A & B` stands for: bounds of `Self`, its first parameter.
    pub(crate) fn alias_traits(&self, id: AliasId, span: Span) -> Option<Arc<Generics>> {
        let def = &self.aliases[id];
        if let Some(traits) = def.traits.get() {
            return traits.clone();
        }
        let node = self.node(def.module, def.node);
        let syntax = ast::TypeAlias::cast(node.node());
        let Some((syntax, ast::TypeExpr::IntersectionType(traits))) =
            syntax.and_then(|it| Some((it, it.ty()?)))
        else {
            return def.traits.get_or_init(|| None).clone();
        };
        if def.in_progress.replace(true) {
            let declared = Span::new(self.file_of(def.module), def.name_range);
            self.report(words::cyclic_alias(span, def.name, declared));
            return Some(Arc::default());
        }
        let me = GenericParam { name: qz_base::name::known::SELF_TYPE, range: def.name_range, default: None };
        let self_ty = Ty::param(0, me.name);
        let generics = Generics { params: vec![me], preds: Vec::new(), outer: 0 };
        let mut cx = self.type_cx(def.module, generics, Some(self_ty));
        cx.generic_params(syntax.generics(), None, &[]);
        cx.add_bound(self_ty, ast::TypeExpr::IntersectionType(traits));
        def.in_progress.set(false);
        def.traits.get_or_init(|| Some(Arc::new(cx.generics))).clone()
    }

    /// Lowers an alias for its problems alone.
    pub fn check_alias(&self, id: AliasId) {
        let def = &self.aliases[id];
        let span = Span::new(self.file_of(def.module), def.name_range);
        if self.alias_traits(id, span).is_none() {
            self.alias_target(id, span);
        }
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
        if !matches!(position, Position::Param | Position::Result) {
            return self.ty_at(ty, position);
        }
        let outer = std::mem::replace(&mut self.around, position);
        let lowered = self.ty_at(ty, position);
        self.around = outer;
        lowered
    }

    fn ty_at(&mut self, ty: ast::TypeExpr<'_>, position: Position) -> Ty {
        let span = self.span(ty.syntax().range());
        let c = qz_types::ty::common();
        match ty {
            ast::TypeExpr::MissingType(_) | ast::TypeExpr::MacroType(_) => c.error,
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
            ast::TypeExpr::UnionType(it) => self.union_type(it),
            ast::TypeExpr::IntersectionType(it) => {
                let mut bounds = Vec::new();
                self.bound(c.error, ast::TypeExpr::IntersectionType(it), &mut bounds);
                if bounds.len() == it.members().count() {
                    self.defs.report(words::traits_as_type(span, it.syntax().text()));
                }
                c.error
            }
            ast::TypeExpr::RecordType(it) => self.record_type(it, position),
            ast::TypeExpr::EffectSumType(it) => {
                let text = it.syntax().text();
                let of_traits = matches!(
                    it.effects().next(),
                    Some(ast::TypeExpr::ImplType(_) | ast::TypeExpr::DynType(_))
                );
                self.defs.report(match of_traits {
                    true => words::traits_added(span, text),
                    false => words::effects_as_type(span, text),
                });
                c.error
            }
        }
    }

    fn fn_type(&mut self, it: ast::FnType<'_>) -> Ty {
        // Who would choose an `impl Trait` there, the function or who calls it?
        let around = std::mem::replace(&mut self.around, Position::Part);
        let params: Vec<Ty> =
            it.params().into_iter().flat_map(|it| it.types()).map(|it| self.ty(it, Position::Part)).collect();
        let ret = match it.ret() {
            Some(ret) => self.ty(ret, Position::Part),
            None => qz_types::ty::common().unit,
        };
        let row = it.can().map_or(Row::EMPTY, |can| self.row(can));
        self.around = around;
        Ty::func(&params, ret, row)
    }

    fn dyn_type(&mut self, it: ast::DynType<'_>) -> Ty {
        let mut bounds = Vec::new();
        if let Some(bound) = it.bound() {
            self.bound(self.error(), bound, &mut bounds);
        }
        let mut traits: Vec<TraitRef> = Vec::new();
        for bound in bounds.iter().map(|it| it.trait_ref) {
            if !traits.contains(&bound) {
                traits.push(bound);
            }
        }
        if traits.is_empty() { self.error() } else { Ty::new(TyKind::Dyn(Ty::trait_refs(&traits))) }
    }

    /// In a parameter: a type parameter without a name. In a result: a type known by its bounds alone. The same in parts
    /// of these.
    fn impl_type(&mut self, it: ast::ImplType<'_>, position: Position) -> Ty {
        let around = std::mem::replace(&mut self.around, Position::Part);
        let ty = self.impl_type_of(it, if position == Position::Part { around } else { position });
        self.around = around;
        ty
    }

    fn impl_type_of(&mut self, it: ast::ImplType<'_>, position: Position) -> Ty {
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
                let index = self.opaques.len() as u32;
                let args = Ty::list(&self.generics.identity());
                let ty = Ty::new(TyKind::Opaque(owner, index, args));
                let mut bounds = Vec::new();
                self.bound(ty, bound, &mut bounds);
                self.opaques.push(bounds);
                ty
            }
            _ => {
                self.defs.report(words::not_yet(span, "`impl Trait` outside parameters and results"));
                self.error()
            }
        }
    }
}
