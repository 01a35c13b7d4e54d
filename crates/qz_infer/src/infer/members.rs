//! A member that is not there: what may have been meant?

use qz_base::{Name, Span};
use qz_diag::Diagnostic;
use qz_hir::body::*;
use qz_hir::defs::AdtKind;
use qz_hir::{Container, TyHead};
use qz_types::{AdtId, FnId, TraitId, Ty};

use super::Infer;
use super::methods::{MethodCall, Search};
use crate::diagnostics as words;

impl Infer<'_, '_> {
    pub(super) fn no_member(&mut self, call: MethodCall<'_>, ty: Ty, search: Search) -> Ty {
        if self.has_error(ty) {
            return self.failed_call(call.args);
        }
        let span = Span::new(self.body.file, call.name_range);
        let defs = self.ck.defs;
        let problem = match search {
            Search::Ambiguous(found) => {
                let is_of_trait =
                    |&(_, id): &(Name, FnId)| matches!(defs.fns[id].container, Container::Trait(_));
                let of_traits = found.iter().all(is_of_trait);
                let places: Vec<(Name, Span)> =
                    found.iter().map(|&(name, id)| (name, defs.fn_span(id))).collect();
                words::ambiguous_method(span, call.name, &places, of_traits)
            }
            Search::WrongCount(function) => {
                let (min, max) = defs.fns[function].arity;
                let facts = words::CountFacts {
                    min: min as usize,
                    max: max.map(|it| it as usize),
                    found: call.args.len(),
                    missing: None,
                    name: Some(call.name),
                    declared: Some(defs.fn_span(function)),
                };
                words::arg_count(self.span(call.expr), &facts)
            }
            Search::Private(declared) => words::private_field(span, call.name, declared),
            Search::None | Search::Found(_) if call.has_parens && self.has_field(ty, call.name) => {
                words::call_field(span, call.name)
            }
            Search::None | Search::Found(_) => self.unknown_member(call, ty, span),
        };
        self.report(problem);
        self.failed_call(call.args)
    }

    /// Whether a call is how `with … do` installs a handler.
    fn is_with(&self, name: Name, span: Span) -> bool {
        let text = &self.ck.defs.files[&span.file].text;
        let written = text.get(span.range.start as usize..span.range.end as usize);
        name.as_str() == "run" && written.is_some_and(|it| it.starts_with("with"))
    }

    fn unknown_member(&mut self, call: MethodCall<'_>, ty: Ty, span: Span) -> Diagnostic {
        let shown = self.show(ty);
        if self.is_with(call.name, span) {
            return words::effects::not_a_handler(self.span(call.receiver), &shown);
        }
        let problem = words::no_member(span, call.name, &shown, call.has_parens);
        let on_type = matches!(self.body.exprs[call.receiver], Expr::TypeRecv { .. } | Expr::Newtype { .. });
        if on_type && call.name.as_str() == "new" {
            return self.how_made(problem, ty);
        }
        if let Some(asked) = call.name.as_str().strip_suffix('?')
            && !on_type
            && self.has_method(ty, Name::new(asked), true)
        {
            let name_only = call.has_parens.then_some(asked);
            return words::propagated_call(problem, asked, name_only.is_none());
        }
        for here in words::names_here(call.name.as_str()) {
            if *here != call.name.as_str() && self.has_method(ty, Name::new(here), !on_type) {
                return words::called_here(problem, here);
            }
        }
        let members = self.member_names(ty, !on_type);
        words::similar_member(problem, call.name, &members)
    }

    /// Says how to come by a value of the type, where it was tried in another way.
    pub(super) fn how_made(&mut self, problem: Diagnostic, ty: Ty) -> Diagnostic {
        if self.has_method(ty, Name::new("new"), false) {
            return words::made_by(problem, &[format!("{}.new(…)", self.show(ty))]);
        }
        match self.written_value(ty) {
            Some(written) => words::built_by(problem, &written),
            None => words::made_by(problem, &self.makers(ty)),
        }
    }

    /// Functions beside the type that give a value of it.
    fn makers(&self, ty: Ty) -> Vec<String> {
        let defs = self.ck.defs;
        let Some((adt, _)) = ty.as_adt() else { return Vec::new() };
        let def = &defs.adts[adt];
        let is_it = |ty: Ty| ty.as_adt().is_some_and(|it| it.0 == adt);
        let inner = |ty: Ty| self.as_lang(ty, "Option").or_else(|| self.as_lang(ty, "Result"));
        let makes = |id: FnId| {
            let ret = defs.fn_sig(id).ret;
            ret.is_some_and(|ret| is_it(ret) || inner(ret).is_some_and(|args| is_it(args[0])))
        };
        let beside = defs.fns.iter().filter(|(_, it)| it.module == def.module && it.self_param.is_none());
        let seen = beside
            .filter(|(_, it)| !it.is_private || defs.sees_private(self.module, def.module))
            .filter(|(_, it)| it.attrs.lang.is_none() && !it.attrs.is_unsafe);
        let calls = seen.filter(|(id, _)| makes(*id)).filter_map(|(_, it)| match it.container {
            Container::Module => Some(format!("{}(…)", it.name)),
            Container::Impl(id) => {
                is_it(defs.impl_header(id).self_ty).then(|| format!("{}.{}(…)", def.name, it.name))
            }
            Container::Trait(_) => None,
        });
        calls.take(3).collect()
    }

    /// How a value of the type is written out: `Point { x: …, y: … }`, `Shape::Circle(…)`, `Id(…)`.
    fn written_value(&self, ty: Ty) -> Option<String> {
        let (adt, _) = ty.as_adt()?;
        let def = &self.ck.defs.adts[adt];
        match def.kind {
            AdtKind::Struct | AdtKind::Value => self.written_struct(adt),
            AdtKind::Newtype => Some(format!("{}(…)", def.name)),
            AdtKind::Enum => {
                let fields = self.ck.defs.adt_fields(adt);
                let first = fields.variants.first()?;
                let values = if first.fields.is_empty() { "" } else { "(…)" };
                Some(format!("{}::{}{values}", def.name, first.name))
            }
        }
    }

    /// `None` if the module at hand must not name the fields.
    fn written_struct(&self, adt: AdtId) -> Option<String> {
        let defs = self.ck.defs;
        let (def, fields) = (&defs.adts[adt], defs.adt_fields(adt));
        let fields = &fields.variants.first()?.fields;
        if fields.iter().any(|it| it.is_private) && !defs.sees_private(self.module, def.module) {
            return None;
        }
        let needed: Vec<String> =
            fields.iter().filter(|it| it.default.is_none()).map(|it| format!("{}: …", it.name)).collect();
        Some(match &needed[..] {
            [] => format!("{} {{}}", def.name),
            _ => format!("{} {{ {} }}", def.name, needed.join(", ")),
        })
    }

    fn has_field(&self, ty: Ty, name: Name) -> bool {
        ty.as_adt().is_some_and(|(adt, _)| {
            self.ck.defs.adts[adt].kind != AdtKind::Enum
                && self.ck.defs.adt_fields(adt).variants[0].fields.iter().any(|it| it.name == name)
        })
    }

    /// Whether the type has a method of this name, of its own or of a trait; without `self` only of its own.
    fn has_method(&mut self, ty: Ty, name: Name, with_self: bool) -> bool {
        let at = self.s.table.snapshot();
        let inherent = self.find_inherent(ty, name, 0, with_self, self.module);
        let found = !matches!(inherent, Search::None | Search::Private(_))
            || with_self && !matches!(self.find_trait_method(ty, name, 0, self.module), Search::None);
        self.s.table.rollback(at);
        found
    }

    /// Names of what a value of the type has, or without `self` the type itself, for suggestions.
    fn member_names(&mut self, ty: Ty, with_self: bool) -> Vec<Name> {
        let mut names = Vec::new();
        if let Some((adt, _)) = ty.as_adt()
            && with_self
            && self.ck.defs.adts[adt].kind != AdtKind::Enum
        {
            names.extend(self.ck.defs.adt_fields(adt).variants[0].fields.iter().map(|it| it.name));
        }
        if let Some(head) = TyHead::of(ty) {
            let defs = self.ck.defs;
            let fits = |name: &Name| {
                let methods = defs.inherent_methods(head, *name);
                methods.iter().any(|&it| defs.fns[it].self_param.is_some() == with_self)
            };
            names.extend(defs.inherent_names(head).into_iter().filter(fits));
            let has_impl = |id: &TraitId| {
                defs.impls_for(*id, Some(head))
                    .any(|it| TyHead::of(defs.impl_header(it).self_ty) == Some(head))
            };
            let traits: Vec<TraitId> = defs.traits.ids().filter(has_impl).collect();
            names.extend(traits.into_iter().flat_map(|it| self.trait_method_names(it, with_self)));
        }
        let bounds = self.traits().known_bounds(ty);
        names.extend(bounds.iter().flat_map(|it| self.trait_method_names(it.trait_id, with_self)));
        names
    }

    fn trait_method_names(&self, id: TraitId, with_self: bool) -> Vec<Name> {
        let methods = self.ck.defs.traits[id].methods.iter().map(|&it| &self.ck.defs.fns[it]);
        methods.filter(|it| it.self_param.is_some() == with_self).map(|it| it.name).collect()
    }
}
