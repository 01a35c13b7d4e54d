//! From trees to declarations: one pass over each module's items, then imports are tied to modules.
//!
//! Only headers are read, and only as far as names go; types and bodies wait until asked for.

pub(crate) mod actors;
mod attributes;
mod effects;
pub(crate) mod foreign;
mod imports;
mod refined;

use std::cell::{Cell, OnceCell};

use qz_base::{FileId, Name, Span, TextRange};
use qz_syntax::ast::{self, AstNode};
use qz_syntax::{SyntaxKind, SyntaxNode, SyntaxToken};
use qz_types::{AdtId, FnId, IntTy, TraitId};

use crate::defs::*;
use crate::diagnostics as words;
use crate::scope::{Def, Entry};
use crate::types::unions::MOST_MEMBERS;
use attributes::{Attrs, Place};
use foreign::Surroundings;

/// A module whose imports the driver has already looked up.
#[derive(Clone)]
pub struct ModuleInput {
    /// `geo::shapes`.
    pub path: Name,
    pub file: FileId,
    pub parsed: ParsedFile,
    pub is_std: bool,
    /// For each import, in source order, the module it names.
    pub imports: Vec<ImportTarget>,
}

/// What an import path was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportTarget {
    Module(FileId),
    /// Reported by the driver.
    Failed,
}

/// An import as written: what the driver must find.
pub struct ImportRequest {
    pub segments: Vec<Name>,
    pub range: TextRange,
}

/// The imports of a file, in source order.
pub fn import_requests(parsed: &ParsedFile) -> Vec<ImportRequest> {
    let root = parsed.tree.root(&parsed.text);
    let Some(file) = ast::SourceFile::cast(root) else { return Vec::new() };
    file.items()
        .filter_map(|item| match item {
            ast::Item::ImportDef(import) => Some(import),
            _ => None,
        })
        .map(|import| match import.path() {
            Some(path) => ImportRequest {
                segments: path.segments().map(|s| Name::new(s.text())).collect(),
                range: path.syntax().range(),
            },
            None => ImportRequest { segments: Vec::new(), range: import.syntax().range() },
        })
        .collect()
}

/// Collects all modules. `prelude` is the file whose exports are visible everywhere.
pub fn collect(inputs: Vec<ModuleInput>, prelude: Option<FileId>) -> Defs {
    collect_expanded(inputs, prelude, Expansions::default())
}

/// The same for modules in which macros were expanded.
pub fn collect_expanded(inputs: Vec<ModuleInput>, prelude: Option<FileId>, expansions: Expansions) -> Defs {
    collect_more(Defs::default(), inputs, prelude, expansions)
}

/// Collects modules besides those that were collected before, which do not know of them.
pub fn collect_more(
    mut defs: Defs,
    inputs: Vec<ModuleInput>,
    prelude: Option<FileId>,
    expansions: Expansions,
) -> Defs {
    defs.expansions = expansions;
    let known = Known { traits: defs.traits.len(), impls: defs.impls.len() };
    let mut imports = Vec::new();
    for input in inputs {
        let module = defs.modules.alloc(Module {
            path: input.path,
            file: input.file,
            scope: Default::default(),
            is_std: input.is_std,
            links: Vec::new(),
            macros: Default::default(),
        });
        defs.files.insert(input.file, input.parsed);
        defs.by_file.insert(input.file, module);
        imports.push((module, input.imports));
        if prelude == Some(input.file) {
            defs.prelude = Some(module);
        }
    }
    for &(module, _) in &imports {
        Collector { defs: &mut defs, module, file: FileId(0) }.collect_module();
    }
    let mut named = Vec::new();
    for (module, targets) in imports {
        Collector { defs: &mut defs, module, file: FileId(0) }.tie_imports(&targets, &mut named);
    }
    imports::settle(&mut defs, &named);
    index_methods(&mut defs, known);
    defs.check_exports();
    // Users know both kinds of handlers by one name.
    if let (Some(plain), Some(answering)) = (defs.lang.adt("Handler"), defs.lang.adt("AnswerHandler")) {
        defs.adts[answering].name = defs.adts[plain].name;
    }
    defs
}

/// How much was collected before.
struct Known {
    traits: usize,
    impls: usize,
}

struct Collector<'a> {
    defs: &'a mut Defs,
    module: ModuleId,
    file: FileId,
}

/// Whether a call of a macro is left among declarations: it could not be expanded.
fn is_unexpanded(node: SyntaxNode<'_>) -> bool {
    use SyntaxKind::{ActorDef, EnumDef, ExtendDef, ImplDef, SourceFile, StructDef, TraitDef};
    matches!(node.kind(), SourceFile | StructDef | EnumDef | TraitDef | ImplDef | ExtendDef | ActorDef)
        && node.children().any(|it| it.kind() == SyntaxKind::MacroCallExpr)
}

impl Collector<'_> {
    fn span(&self, range: TextRange) -> Span {
        Span::new(self.file, range)
    }

    fn is_std(&self) -> bool {
        self.defs.modules[self.module].is_std
    }

    fn collect_module(&mut self) {
        self.file = self.defs.modules[self.module].file;
        let parsed = self.defs.files[&self.file].clone();
        let root = parsed.tree.root(&parsed.text);
        let Some(file) = ast::SourceFile::cast(root) else { return };
        let items: Vec<ast::Item<'_>> = file.items().collect();
        self.defs.lacks_declarations |=
            is_unexpanded(root) || items.iter().any(|it| is_unexpanded(it.syntax()));
        self.collect_items(&items);
    }

    fn collect_items(&mut self, items: &[ast::Item<'_>]) {
        let mut at = 0;
        while at < items.len() {
            let item = items[at];
            at += 1;
            match item {
                ast::Item::FnDef(first) => {
                    let clauses = clause_group(first, &items[at..]);
                    at += clauses.len() - 1;
                    if let Some(id) = self.function(&clauses, Container::Module, Surroundings::default()) {
                        self.declare_fn(id);
                    }
                }
                other => self.item(other),
            }
        }
    }

    fn item(&mut self, item: ast::Item<'_>) {
        match item {
            ast::Item::ImportDef(_) | ast::Item::FnDef(_) => {}
            ast::Item::StructDef(it) => self.struct_def(it),
            ast::Item::EnumDef(it) => self.enum_def(it),
            ast::Item::TraitDef(it) => self.trait_def(it),
            ast::Item::ImplDef(it) => {
                self.attrs(Place::Other, it.attrs());
                let members: Vec<_> = it.items().collect();
                self.impl_block(it.syntax(), ImplOrigin::Impl, it.is_negative(), &members);
            }
            ast::Item::ExtendDef(it) => {
                self.attrs(Place::Other, it.attrs());
                let members: Vec<_> = it.items().collect();
                self.impl_block(it.syntax(), ImplOrigin::Extend, false, &members);
            }
            ast::Item::TypeAlias(it) => self.alias_def(it),
            ast::Item::NewtypeDef(it) => {
                let attrs = self.attrs(Place::Newtype, it.attrs());
                let Some(name) = it.name() else { return };
                let lang = attrs.function.lang;
                let id = self.adt(name, it.syntax(), AdtKind::Newtype, it.is_private(), attrs, lang);
                self.declare(name, Def::Adt(id), it.is_private());
            }
            ast::Item::ConstDef(it) => self.const_def(it),
            ast::Item::VarDef(it) => self.static_def(it),
            ast::Item::EffectDef(it) => self.effect_def(it),
            ast::Item::ActorDef(it) => self.actor_def(it),
            ast::Item::MacroDef(it) => {
                let name = it.name().filter(|_| !it.is_private());
                self.defs.modules[self.module].macros.extend(name.map(|it| Name::new(it.text())));
            }
            // Those that mean something are structs by now; what is wrong with this one was said.
            ast::Item::PackedStructDef(it) => self.reported(it.name(), it.is_private()),
            ast::Item::ExternBlock(it) => self.extern_block(it),
            ast::Item::StaticAssert(it) => {
                let name = Name::new("static_assert");
                self.initialiser(name, it.syntax().range(), it.syntax(), FnKind::Const, true);
            }
            ast::Item::BinaryDef(it) => self.reported(it.name(), it.is_private()),
        }
    }

    /// A declaration that came to nothing: its name says nothing more when used.
    fn reported(&mut self, name: Option<SyntaxToken<'_>>, private: bool) {
        if let Some(name) = name {
            self.declare(name, Def::NotYet, private);
        }
    }

    fn declare(&mut self, name: SyntaxToken<'_>, def: Def, is_private: bool) {
        let entry = Entry { def, range: name.range(), is_private, is_plain_import: false };
        self.add_entry(Name::new(name.text()), entry);
    }

    fn add_entry(&mut self, name: Name, entry: Entry) {
        let scope = &mut self.defs.modules[self.module].scope;
        match scope.entries.get_mut(&name) {
            None => {
                scope.entries.insert(name, entry);
            }
            Some(earlier) => {
                // Overloads by arity share an entry.
                if let (Def::Fns(known), Def::Fns(new)) = (&mut earlier.def, &entry.def) {
                    known.extend(new);
                    return;
                }
                let first = Span::new(self.file, earlier.range);
                let again = self.span(entry.range);
                self.defs.report(words::duplicate(again, name, first));
            }
        }
    }

    fn declare_fn(&mut self, id: FnId) {
        let def = &self.defs.fns[id];
        let (name, range, is_private) = (def.name, def.name_range, def.is_private);
        self.check_overload(id);
        self.add_entry(name, Entry { def: Def::Fns(vec![id]), range, is_private, is_plain_import: false });
    }

    /// Functions of one name must differ in how many arguments they take.
    fn check_overload(&mut self, id: FnId) {
        let def = &self.defs.fns[id];
        let scope = &self.defs.modules[self.module].scope;
        let Some(Entry { def: Def::Fns(others), .. }) = scope.entries.get(&def.name) else { return };
        let clash =
            others.iter().copied().find(|&other| arities_overlap(self.defs.fns[other].arity, def.arity));
        if let Some(other) = clash {
            let problem = words::overloads_overlap(self.defs.fn_span(id), def.name, self.defs.fn_span(other));
            self.defs.report(problem);
        }
    }

    fn function(
        &mut self,
        clauses: &[ast::FnDef<'_>],
        container: Container,
        surroundings: Surroundings<'_>,
    ) -> Option<FnId> {
        let first = clauses[0];
        let name = first.name()?;
        let mut attrs = self.all_attrs(Place::Function, first.attrs());
        self.refuse_whose(&attrs);
        let kind = self.fn_kind(first, surroundings);
        let kind = self.foreign_function(first, kind, container, &mut attrs, surroundings);
        attrs.function.is_unsafe = first.is_unsafe();
        attrs.function.is_const = first.is_const();
        let params = first.params();
        let self_param =
            params.and_then(|list| list.self_param()).map(|it| match (it.is_ref(), it.is_mut()) {
                (true, true) => SelfKind::RefMut,
                (true, false) => SelfKind::Ref,
                (false, _) => SelfKind::Value,
            });
        if let (Container::Module, Some(it)) = (container, params.and_then(|list| list.self_param())) {
            let span = self.span(it.syntax().range());
            self.defs.report(words::self_outside(span));
        } else if let Some(list) = params
            && let (Some(this), Some(first)) = (list.self_param(), list.params().next())
            && first.syntax().range().start < this.syntax().range().start
        {
            let span = self.span(this.syntax().range());
            self.defs.report(words::self_not_first(span));
        }
        let has_body = first.body().is_some() || first.value().is_some();
        let may_be_bodiless =
            kind != FnKind::Normal || matches!(container, Container::Trait(_)) || self.is_effect(container);
        if !has_body && !may_be_bodiless {
            let span = self.span(name.range());
            self.defs.report(words::no_body(span, name.text()));
        }
        let def = FnDef {
            name: Name::new(name.text()),
            name_range: name.range(),
            module: self.module,
            container,
            nodes: clauses.iter().map(|clause| clause.syntax().index()).collect(),
            kind,
            is_private: first.is_private() || surroundings.block.is_some_and(|it| it.is_private()),
            attrs: attrs.function,
            self_param,
            arity: arity_of(params),
            has_body,
            actor: None,
            operation: None,
            sig: OnceCell::new(),
        };
        let lang = def.attrs.lang;
        let id = self.defs.fns.push(def);
        if let Some(lang) = lang {
            self.defs.lang.fns.insert(lang.as_str(), id);
        }
        Some(id)
    }

    /// A function without parameters that holds an initialiser.
    fn initialiser(
        &mut self,
        name: Name,
        range: TextRange,
        node: SyntaxNode<'_>,
        kind: FnKind,
        private: bool,
    ) -> FnId {
        self.defs.fns.push(FnDef {
            name,
            name_range: range,
            module: self.module,
            container: Container::Module,
            nodes: vec![node.index()],
            kind,
            is_private: private,
            attrs: FnAttrs::default(),
            self_param: None,
            arity: (0, Some(0)),
            has_body: true,
            actor: None,
            operation: None,
            sig: OnceCell::new(),
        })
    }

    fn adt(
        &mut self,
        name: SyntaxToken<'_>,
        node: SyntaxNode<'_>,
        kind: AdtKind,
        is_private: bool,
        attrs: Attrs,
        lang: Option<Name>,
    ) -> AdtId {
        let id = self.defs.adts.push(AdtDef {
            name: Name::new(name.text()),
            name_range: name.range(),
            module: self.module,
            node: node.index(),
            kind,
            is_private,
            repr_c: attrs.repr_c,
            repr_int: attrs.repr_int.or((attrs.repr_c && kind == AdtKind::Enum).then_some(IntTy::I32)),
            silent_drop: attrs.silent_drop,
            for_users: attrs.function.for_users,
            is_linear: false,
            lang,
            actor: None,
            effect: None,
            union_of: None,
            generics: OnceCell::new(),
            fields: OnceCell::new(),
        });
        if let Some(lang) = lang {
            self.defs.lang.adts.insert(lang.as_str(), id);
        }
        id
    }

    fn struct_def(&mut self, it: ast::StructDef<'_>) {
        let attrs = self.attrs(Place::Struct, it.attrs());
        let Some(name) = it.name() else { return };
        let kind = if attrs.value { AdtKind::Value } else { AdtKind::Struct };
        let lang = attrs.function.lang;
        let id = self.adt(name, it.syntax(), kind, it.is_private(), attrs, lang);
        self.defs.adts[id].is_linear = it.is_linear();
        self.defs.has_linear |= it.is_linear();
        self.declare(name, Def::Adt(id), it.is_private());
        for (index, field) in it.fields().enumerate() {
            self.attrs(Place::Other, field.attrs());
            if let (Some(name), Some(_)) = (field.name(), field.default()) {
                let kind = FnKind::FieldDefault(id, index as u32);
                let init =
                    self.initialiser(Name::new(name.text()), name.range(), field.syntax(), kind, false);
                self.defs.field_defaults.insert((id, index as u32), init);
            }
        }
        let members: Vec<_> = it.items().collect();
        self.impl_block(it.syntax(), ImplOrigin::Body(id), false, &members);
    }

    fn enum_def(&mut self, it: ast::EnumDef<'_>) {
        let attrs = self.attrs(Place::Enum, it.attrs());
        for variant in it.variants() {
            self.attrs(Place::Other, variant.attrs());
        }
        let Some(name) = it.name() else { return };
        let lang = attrs.function.lang;
        if lang.is_some_and(|it| it.as_str() == "Union") {
            return self.unions(name, it.syntax());
        }
        let id = self.adt(name, it.syntax(), AdtKind::Enum, it.is_private(), attrs, lang);
        self.declare(name, Def::Adt(id), it.is_private());
        let members: Vec<_> = it.items().collect();
        self.impl_block(it.syntax(), ImplOrigin::Body(id), false, &members);
    }

    /// One enum for each number of members, whose parameters and variants are made when they are asked for.
    fn unions(&mut self, name: SyntaxToken<'_>, node: SyntaxNode<'_>) {
        for members in 2..=MOST_MEMBERS {
            let id = self.adt(name, node, AdtKind::Enum, false, Attrs::default(), None);
            let def = &mut self.defs.adts[id];
            def.name = Name::new(&format!("{}{members}", name.text()));
            def.union_of = Some(members);
            self.defs.lang.unions.push(id);
        }
    }

    fn trait_def(&mut self, it: ast::TraitDef<'_>) {
        let attrs = self.attrs(Place::Other, it.attrs());
        let Some(name) = it.name() else { return };
        let lang = attrs.function.lang;
        let id = self.defs.traits.push(TraitDef {
            name: Name::new(name.text()),
            name_range: name.range(),
            module: self.module,
            node: it.syntax().index(),
            is_private: it.is_private(),
            lang,
            methods: Vec::new(),
            assoc: Vec::new(),
            generics: OnceCell::new(),
            supers: OnceCell::new(),
            assoc_bounds: OnceCell::new(),
        });
        if let Some(lang) = lang {
            self.defs.lang.traits.insert(lang.as_str(), id);
        }
        self.declare(name, Def::Trait(id), it.is_private());
        let members: Vec<_> = it.items().collect();
        self.trait_members(id, &members);
    }

    fn trait_members(&mut self, id: TraitId, members: &[ast::Item<'_>]) {
        for &member in members {
            match member {
                ast::Item::FnDef(def) => {
                    if let Some(method) = self.function(&[def], Container::Trait(id), Surroundings::default())
                    {
                        self.defs.traits[id].methods.push(method);
                    }
                }
                ast::Item::TypeAlias(alias) => {
                    if let Some(name) = alias.name() {
                        self.defs.traits[id].assoc.push((Name::new(name.text()), name.range()));
                    }
                }
                ast::Item::ConstDef(it) => {
                    if let Some(constant) = self.assoc_const(it, Container::Trait(id)) {
                        self.defs.traits[id].methods.push(constant);
                    }
                }
                other => {
                    let span = self.span(other.syntax().range());
                    self.defs.report(words::not_a_member(span));
                }
            }
        }
    }

    fn impl_block(
        &mut self,
        node: SyntaxNode<'_>,
        origin: ImplOrigin,
        is_negative: bool,
        members: &[ast::Item<'_>],
    ) {
        if members.is_empty() && matches!(origin, ImplOrigin::Body(_)) {
            return;
        }
        let id = self.new_impl(node, origin, is_negative);
        self.methods(id, members);
    }

    fn new_impl(&mut self, node: SyntaxNode<'_>, origin: ImplOrigin, is_negative: bool) -> ImplId {
        self.defs.impls.alloc(ImplDef {
            module: self.module,
            node: node.index(),
            range: node.range(),
            origin,
            is_negative,
            methods: Vec::new(),
            header: OnceCell::new(),
        })
    }

    fn methods(&mut self, id: ImplId, members: &[ast::Item<'_>]) {
        let mut at = 0;
        while at < members.len() {
            let member = members[at];
            at += 1;
            match member {
                ast::Item::FnDef(first) => {
                    let clauses = clause_group(first, &members[at..]);
                    at += clauses.len() - 1;
                    if let Some(method) =
                        self.function(&clauses, Container::Impl(id), Surroundings::default())
                    {
                        self.defs.impls[id].methods.push(method);
                    }
                }
                ast::Item::TypeAlias(_) => {}
                ast::Item::ConstDef(it) => {
                    if let Some(constant) = self.assoc_const(it, Container::Impl(id)) {
                        self.defs.impls[id].methods.push(constant);
                    }
                }
                other => {
                    let span = self.span(other.syntax().range());
                    self.defs.report(words::not_a_member(span));
                }
            }
        }
    }

    /// A constant of a type or trait is a function without arguments that belongs to the type. A trait may leave the value
    /// to its impls.
    fn assoc_const(&mut self, it: ast::ConstDef<'_>, container: Container) -> Option<FnId> {
        let attrs = self.attrs(Place::Constant, it.attrs());
        let name = it.name()?;
        let (text, range) = (Name::new(name.text()), name.range());
        let id = self.initialiser(text, range, it.syntax(), FnKind::AssocConst, it.is_private());
        let def = &mut self.defs.fns[id];
        def.container = container;
        def.has_body = it.value().is_some();
        def.attrs.for_users = attrs.function.for_users;
        let (is_open, span) = (it.ty().is_none(), self.span(range));
        if is_open && matches!(container, Container::Trait(_)) {
            self.defs.report(words::assoc_const_type(span, text));
        }
        Some(id)
    }

    fn alias_def(&mut self, it: ast::TypeAlias<'_>) {
        self.attrs(Place::Other, it.attrs());
        let Some(name) = it.name() else { return };
        if it.predicate().is_some() {
            return self.refined_def(it, name);
        }
        self.new_alias(name, it.syntax(), it.is_private());
    }

    fn new_alias(&mut self, name: SyntaxToken<'_>, node: SyntaxNode<'_>, is_private: bool) {
        let id = self.defs.aliases.alloc(AliasDef {
            name: Name::new(name.text()),
            name_range: name.range(),
            module: self.module,
            node: node.index(),
            is_private,
            target: OnceCell::new(),
            traits: OnceCell::new(),
            in_progress: Cell::new(false),
        });
        self.declare(name, Def::Alias(id), is_private);
    }

    fn const_def(&mut self, it: ast::ConstDef<'_>) {
        let attrs = self.attrs(Place::Constant, it.attrs());
        let Some(name) = it.name() else { return };
        let id = self.initialiser(
            Name::new(name.text()),
            name.range(),
            it.syntax(),
            FnKind::Const,
            it.is_private(),
        );
        self.defs.fns[id].attrs.for_users = attrs.function.for_users;
        self.declare(name, Def::Const(id), it.is_private());
    }

    fn static_def(&mut self, it: ast::VarDef<'_>) {
        let mut attrs = self.all_attrs(Place::Variable, it.attrs());
        self.refuse_links(&mut attrs);
        self.refuse_link_name(&attrs);
        let Some(name) = it.name() else { return };
        let id = self.defs.statics.next_id();
        let text = Name::new(name.text());
        let init = self.initialiser(text, name.range(), it.syntax(), FnKind::StaticInit(id), it.is_private());
        self.defs.statics.push(StaticDef {
            name: text,
            name_range: name.range(),
            module: self.module,
            node: it.syntax().index(),
            is_private: it.is_private(),
            whose: attrs.whose.map_or(Whose::All, |(whose, _)| whose),
            init,
            ty: OnceCell::new(),
        });
        self.declare(name, Def::Static(id), it.is_private());
    }
}

/// The first definition and those right after it that are further clauses of it: same name, same number
/// of parameters, and a pattern among the parameters of one of them.
fn clause_group<'t>(first: ast::FnDef<'t>, rest: &[ast::Item<'t>]) -> Vec<ast::FnDef<'t>> {
    let mut clauses = vec![first];
    let name = first.name().map(|it| it.text());
    for item in rest {
        match item {
            ast::Item::FnDef(next)
                if name.is_some()
                    && next.name().map(|it| it.text()) == name
                    && param_count(*next) == param_count(first)
                    && (has_patterns(*next) || clauses.iter().any(|clause| has_patterns(*clause))) =>
            {
                clauses.push(*next);
            }
            _ => break,
        }
    }
    clauses
}

fn param_count(def: ast::FnDef<'_>) -> usize {
    def.params().map_or(0, |list| list.params().count())
}

/// Whether a parameter is more than a name.
pub(crate) fn has_patterns(def: ast::FnDef<'_>) -> bool {
    def.params().is_some_and(|list| {
        list.params().any(|param| {
            !matches!(
                param.pat(),
                None | Some(ast::Pat::NamePat(_) | ast::Pat::WildcardPat(_) | ast::Pat::MissingPat(_))
            )
        })
    })
}

fn arity_of(params: Option<ast::ParamList<'_>>) -> (u32, Option<u32>) {
    let Some(list) = params else { return (0, Some(0)) };
    let (mut min, mut max) = (0, Some(0));
    for param in list.params() {
        if param.is_rest() {
            max = None;
            continue;
        }
        if param.default().is_none() {
            min += 1;
        }
        max = max.map(|max| max + 1);
    }
    if list.is_variadic() {
        max = None;
    }
    (min, max)
}

fn arities_overlap(a: (u32, Option<u32>), b: (u32, Option<u32>)) -> bool {
    a.0 <= b.1.unwrap_or(u32::MAX) && b.0 <= a.1.unwrap_or(u32::MAX)
}

/// Files methods under the heads of their types. Needs all modules and imports.
fn index_methods(defs: &mut Defs, known: Known) {
    for id in defs.traits.ids().skip(known.traits) {
        if !defs.modules[defs.traits[id].module].is_std {
            continue;
        }
        for (n, &method) in defs.traits[id].methods.iter().enumerate() {
            let name = defs.fns[method].name;
            defs.trait_methods.entry(name).or_default().push((id, n as u32));
        }
    }
    let impls: Vec<ImplId> = defs.impls.ids().skip(known.impls).collect();
    for id in impls {
        let header = defs.impl_header(id);
        if let Some(trait_ref) = header.trait_ref {
            defs.trait_impls.entry(trait_ref.trait_id).or_default().push(id);
            if let Some(head) = TyHead::of(header.self_ty) {
                defs.impls_by_head.entry((trait_ref.trait_id, head)).or_default().push(id);
            }
            continue;
        }
        let Some(head) = TyHead::of(header.self_ty) else { continue };
        for &method in &defs.impls[id].methods {
            let name = defs.fns[method].name;
            defs.inherent.entry((head, name)).or_default().push(method);
        }
    }
}
