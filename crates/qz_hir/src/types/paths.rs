//! What a path in a type means: parameters, builtins, declarations, associated types; and what to say of one that
//! means nothing.

use qz_base::{Name, Span, TextRange};
use qz_syntax::SyntaxToken;
use qz_syntax::ast::{self, AstNode};
use qz_types::{AssocTy, TraitId, TraitRef, Ty, TyKind, subst};

use super::{Position, TypeCx, hole, primitive};
use crate::defs::*;
use crate::diagnostics as words;
use crate::scope::{Def, Lookup};

impl TypeCx<'_> {
    pub(super) fn path_type(&mut self, path: ast::PathType<'_>) -> Ty {
        let segments: Vec<_> = path.segments().collect();
        let takes_effect = std::mem::take(&mut self.takes_effect);
        let ty = self.path_to_type(&segments, path.syntax().range());
        if !takes_effect && self.has_effects(ty) {
            let span = self.span(path.syntax().range());
            let name = segments.last().map_or("", |it| it.name.text());
            self.defs.report(words::effect_as_type(span, Name::new(name)));
            return self.error();
        }
        ty
    }

    /// A path that should name a type.
    pub fn path_to_type(&mut self, segments: &[ast::PathSegment<'_>], range: TextRange) -> Ty {
        let Some(first) = segments.first() else { return self.error() };
        if let Some(base) = self.type_param(Name::new(first.name.text())) {
            return match segments {
                [only] => {
                    if let Some(args) = only.type_args {
                        let span = self.span(args.syntax().range());
                        self.defs.report(words::higher_order(span, Name::new(only.name.text())));
                    }
                    base
                }
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

    pub(super) fn type_param(&self, name: Name) -> Option<Ty> {
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
        if self.is_name_of_traits(alias, self.span(range)) {
            return self.error();
        }
        let (generics, target) = self.defs.alias_target(alias, self.span(range));
        subst(target, &vec![hole(); generics.len()])
    }

    /// Says of a name for several traits that it is no type.
    fn is_name_of_traits(&self, alias: AliasId, span: Span) -> bool {
        let is_it = self.defs.alias_traits(alias, span).is_some();
        if is_it {
            self.defs.report(words::traits_as_type(span, self.defs.aliases[alias].name.as_str()));
        }
        is_it
    }

    /// A path in an expression that should name a type; left-out arguments are holes.
    pub fn path_to_type_with_holes(&mut self, segments: &[ast::PathSegment<'_>], range: TextRange) -> Ty {
        debug_assert!(self.allow_holes);
        self.path_to_type(segments, range)
    }

    pub(super) fn builtin_type(&mut self, segment: &ast::PathSegment<'_>, range: TextRange) -> Ty {
        let span = self.span(segment.name.range());
        let name = &*qz_base::name::without_marks(segment.name.text());
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

    pub(super) fn type_names(&self) -> Vec<Name> {
        let mut names = self.defs.visible_names(self.module);
        names.extend(self.generics.params.iter().map(|it| it.name));
        const BUILTIN: &[&str] = &[
            "Int", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64", "F32", "F64", "Float", "Bool",
            "Char", "String", "Void", "Never", "Ptr",
        ];
        names.extend(BUILTIN.iter().map(|it| Name::new(it)));
        names
    }

    pub(super) fn type_args(&mut self, segment: &ast::PathSegment<'_>) -> Vec<Ty> {
        segment.type_args.into_iter().flat_map(|it| it.args()).map(|it| self.ty(it, Position::Part)).collect()
    }

    /// The arguments of `Handler`, of which the first is an effect.
    fn handler_args(&mut self, segment: &ast::PathSegment<'_>) -> Vec<Ty> {
        let mut args = Vec::new();
        for written in segment.type_args.into_iter().flat_map(|it| it.args()) {
            let is_effect = args.is_empty();
            self.takes_effect = is_effect;
            let ty = self.ty(written, Position::Part);
            self.takes_effect = false;
            let fits = match ty.as_adt() {
                Some((adt, _)) => self.defs.adts[adt].effect.is_some(),
                None => matches!(ty.kind(), TyKind::Param(_) | TyKind::Infer(_) | TyKind::Error),
            };
            if is_effect && !fits {
                let span = self.span(written.syntax().range());
                self.defs.report(words::not_an_effect(span, written.syntax().text()));
            }
            args.push(ty);
        }
        args
    }

    /// A declaration as a type, with the arguments of the path's last segment.
    pub(super) fn def_to_type(&mut self, def: Def, segment: &ast::PathSegment<'_>, range: TextRange) -> Ty {
        let span = self.span(range);
        let mut alias = (std::sync::Arc::default(), self.error());
        let args = match def {
            Def::Adt(id) if self.defs.lang.adt("Handler") == Some(id) => self.handler_args(segment),
            Def::Adt(id) => self.args_for(segment.type_args, &self.defs.adt_generics(id), 0),
            Def::Alias(id) if self.is_name_of_traits(id, span) => return self.error(),
            Def::Alias(id) => {
                alias = self.defs.alias_target(id, span);
                self.args_for(segment.type_args, &alias.0, 0)
            }
            _ => self.type_args(segment),
        };
        match def {
            Def::Adt(id) => {
                let id = self.handler_type(id, args.len());
                let generics = self.defs.adt_generics(id);
                let args = self.fit_args(self.defs.adts[id].name, &generics, args, span);
                Ty::adt(id, &args)
            }
            Def::Alias(id) => {
                let (generics, target) = alias;
                // Of an alias that means itself, parameters are not known either.
                if target == self.error() {
                    return target;
                }
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

    /// `Handler<E, A, R>` is the type of handlers that make an answer of a body's value.
    fn handler_type(&self, id: qz_types::AdtId, args: usize) -> qz_types::AdtId {
        let is_handler = self.defs.lang.adt("Handler") == Some(id);
        self.defs.lang.adt("AnswerHandler").filter(|_| is_handler && args == 3).unwrap_or(id)
    }

    pub(super) fn fit_args(
        &mut self,
        name: Name,
        generics: &Generics,
        mut args: Vec<Ty>,
        span: Span,
    ) -> Vec<Ty> {
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
        self.fit_rests(generics, &mut args, span);
        args
    }

    /// `T::Item`: from the bounds on `T`, `Self`'s trait, or the one trait that has such a type.
    pub(super) fn assoc_type(&mut self, base: Ty, name: SyntaxToken<'_>) -> Ty {
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

    pub(super) fn with_supers(&self, base: Ty, bound: TraitRef) -> Vec<TraitRef> {
        let mut all = vec![bound];
        let mut at = 0;
        while at < all.len() {
            let it = all[at];
            at += 1;
            let mut args = vec![base];
            args.extend(it.args);
            for super_ in self.defs.trait_supers(it.trait_id).iter() {
                let super_ = qz_types::subst::subst_trait_ref(super_.trait_ref, &args);
                if !all.contains(&super_) {
                    all.push(super_);
                }
            }
        }
        all
    }

    /// The declaration a path names; problems are reported.
    pub(super) fn resolve_path(&mut self, segments: &[ast::PathSegment<'_>]) -> Option<Def> {
        match self.try_resolve_path(segments) {
            Some(Lookup::Found(def)) => Some(def),
            other => {
                self.path_problem(segments, other);
                None
            }
        }
    }

    pub(super) fn try_resolve_path(&self, segments: &[ast::PathSegment<'_>]) -> Option<Lookup> {
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

    pub(super) fn path_problem(&mut self, segments: &[ast::PathSegment<'_>], found: Option<Lookup>) {
        let last = segments.last().expect("not empty");
        let (name, span) = (Name::new(last.name.text()), self.span(last.name.range()));
        let problem = match found {
            None => {
                let first = segments[0].name;
                let module = Name::new(first.text());
                if self.defs.lookup(self.module, module) == Lookup::Found(Def::NotYet) {
                    // Its import has failed.
                    return;
                }
                words::unknown_module(self.span(first.range()), module)
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
                let (module, first) = self.home(module, *first);
                let target = *self.modules[module].scope.modules.get(&first)?;
                let [name] = rest else { return None };
                Some(self.lookup_export(target, *name))
            }
        }
    }
}
