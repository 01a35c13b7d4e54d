//! Which types are linear, and which code takes values of such types.
//!
//! A type parameter stands for types whose values may be copied and dropped, unless it has the bound `Linear`: then its
//! values are used once, whatever it becomes, and it may become a linear type.

use qz_base::{Name, Span};
use qz_hir::defs::{Generics, Predicate};
use qz_hir::{AdtKind, TyHead};
use qz_types::{AdtId, FnId, InferTable, TraitId, TraitRef, Ty, TyFlags, TyKind, Tys, subst};

use crate::checker::Checker;
use crate::diagnostics::linear as words;
use crate::traits::{MethodTarget, Selection, TraitCx};

/// Answers where certain bounds are in scope.
#[derive(Copy, Clone)]
pub(crate) struct LinearCx<'a, 'd> {
    ck: &'a Checker<'d>,
    preds: &'a [Predicate],
}

impl<'d> Checker<'d> {
    pub(crate) fn linear<'a>(&'a self, preds: &'a [Predicate]) -> LinearCx<'a, 'd> {
        LinearCx { ck: self, preds }
    }

    /// Reports a type that breaks the promise of linear ones.
    pub(crate) fn check_linear_type(&self, id: AdtId) {
        let generics = self.defs.adt_generics(id);
        let cx = self.linear(&generics.preds);
        if !cx.is_possible() {
            return;
        }
        let def = &self.defs.adts[id];
        let at = |range| Span::new(self.defs.file_of(def.module), range);
        if def.is_linear {
            let drops = self.defs.lang.trait_("Drop");
            let drops = drops.and_then(|it| self.defs.impls_for(it, Some(TyHead::Adt(id))).next());
            if let Some(drops) = drops {
                let (range, declared) = (self.defs.impls[drops].range, self.defs.adt_span(id));
                self.defs.report(words::with_drop(at(range), def.name, declared));
            }
            return;
        }
        if cx.is(self.defs.adt_identity(id)) {
            return;
        }
        let fields = self.defs.adt_fields(id);
        let all = fields.variants.iter().flat_map(|it| &it.fields);
        for field in all.filter(|it| cx.mentions(it.ty)) {
            self.defs.report(words::field(at(field.range), def.name, def.kind == AdtKind::Struct));
        }
    }

    /// The trait that lets a type parameter stand for linear types.
    pub(crate) fn is_linear_bound(&self, bound: TraitRef) -> bool {
        self.defs.lang.trait_("Linear") == Some(bound.trait_id)
    }

    /// The first of a function's type arguments, or of a value of its own bounds, that it would have to use once without having
    /// said so; `Self` first for the method of a trait.
    pub(crate) fn unfit_linear(&self, function: FnId, args: Tys, cx: LinearCx<'_, '_>) -> Option<Ty> {
        let sig = self.defs.fn_sig(function);
        if let Some(n) =
            (0..args.len()).find(|&n| cx.mentions(args[n]) && !self.takes_linear(&sig.generics, n))
        {
            return Some(args[n]);
        }
        // What is used through a bound may be an impl for any type.
        let mut bounds = sig.generics.preds.iter().map(|it| it.subst(args));
        bounds.find_map(|it| self.unfit_impl(it.ty, it.trait_ref, cx))
    }

    /// Whether a type parameter may become a linear type.
    pub(crate) fn takes_linear(&self, generics: &Generics, n: usize) -> bool {
        let param = generics.params.get(n);
        param.is_some_and(|it| self.linear(&generics.preds).is(Ty::param(n as u32, it.name)))
    }

    fn unfit_impl(&self, ty: Ty, bound: TraitRef, cx: LinearCx<'_, '_>) -> Option<Ty> {
        if self.is_linear_bound(bound) || bound.args.iter().chain([&ty]).any(|ty| ty.has(open_flags())) {
            return None;
        }
        let (id, args) = match self.select(ty, bound)? {
            Selection::Impl(id, args) => (id, args),
            Selection::Joined => return bound.args.iter().chain([&ty]).copied().find(|&it| cx.mentions(it)),
            _ => return None,
        };
        let header = self.defs.impl_header(id);
        let unfit =
            (0..args.len()).find(|&n| cx.mentions(args[n]) && !self.takes_linear(&header.generics, n));
        let assoc = header.assoc.iter().map(|&(name, ty)| (name, subst(ty, args)));
        let mut unfit_assoc =
            assoc.filter(|&(name, ty)| cx.mentions(ty) && !self.gives_linear(bound.trait_id, name));
        unfit.map(|n| args[n]).or_else(|| unfit_assoc.next().map(|it| it.1))
    }

    /// Whether an associated type may be linear.
    fn gives_linear(&self, trait_id: TraitId, name: Name) -> bool {
        let bounds = self.defs.assoc_bounds(trait_id);
        bounds.iter().any(|it| it.0 == name && self.is_linear_bound(it.1.trait_ref))
    }

    /// The same for the method of a trait. `args` starts with `Self`.
    pub(crate) fn unfit_linear_method(
        &self,
        (bound, method): (TraitRef, u32),
        args: Tys,
        own_args: Tys,
        cx: LinearCx<'_, '_>,
    ) -> Option<Ty> {
        let all: Vec<Ty> = args.iter().chain(own_args).copied().collect();
        if !all.iter().any(|&ty| cx.mentions(ty)) {
            return None;
        }
        if !all.iter().any(|ty| ty.has(open_flags())) && !matches!(args[0].kind(), TyKind::Dyn(_)) {
            return match self.resolve_method(bound.trait_id, method, args, own_args) {
                MethodTarget::Fn(function, args) => self.unfit_linear(function, args, cx),
                MethodTarget::Joined => args.iter().copied().find(|&it| cx.mentions(it)),
                _ => None,
            };
        }
        let required = self.defs.traits[bound.trait_id].methods[method as usize];
        if self.defs.fns[required].has_body || matches!(args[0].kind(), TyKind::Dyn(_)) {
            return self.unfit_linear(required, Ty::list(&all), cx);
        }
        // The impl that it will be knows the types of its trait.
        let generics = &self.defs.fn_sig(required).generics;
        (args.len()..all.len())
            .find(|&n| cx.mentions(all[n]) && !self.takes_linear(generics, n))
            .map(|n| all[n])
    }
}

fn open_flags() -> TyFlags {
    TyFlags::PARAM.union(TyFlags::ASSOC).union(TyFlags::OPAQUE).union(TyFlags::INFER)
}

impl LinearCx<'_, '_> {
    /// Whether anything can be linear here.
    pub(crate) fn is_possible(self) -> bool {
        self.ck.defs.has_linear || self.preds.iter().any(|it| self.is_bound(it.ty))
    }

    fn is_bound(self, ty: Ty) -> bool {
        let mut table = InferTable::new();
        let mut cx = TraitCx { ck: self.ck, table: &mut table, preds: self.preds };
        cx.known_bounds(ty).into_iter().any(|it| self.ck.is_linear_bound(it))
    }

    /// Whether values of the type must be used once.
    pub(crate) fn is(self, ty: Ty) -> bool {
        match *ty.kind() {
            TyKind::Adt(id, args) => {
                let def = &self.ck.defs.adts[id];
                def.is_linear || (def.kind == AdtKind::Enum && args.iter().any(|&it| self.is(it)))
            }
            TyKind::Tuple(parts) => parts.iter().any(|&it| self.is(it)),
            TyKind::Param(_) | TyKind::Assoc(_) | TyKind::Opaque(..) => self.is_bound(ty),
            _ => false,
        }
    }

    /// Whether a linear type is a part of the type, wherever.
    pub(crate) fn mentions(self, ty: Ty) -> bool {
        self.is(ty)
            || match *ty.kind() {
                TyKind::Adt(_, args) | TyKind::Tuple(args) => args.iter().any(|&it| self.mentions(it)),
                TyKind::Ref(_, to) => self.mentions(to),
                TyKind::Record(fields) | TyKind::OpenRecord(fields, _) => {
                    fields.iter().any(|it| self.mentions(it.1))
                }
                _ => false,
            }
    }

    /// Whether values of the type would hold linear ones without being linear.
    pub(crate) fn hides(self, ty: Ty) -> bool {
        !self.is(ty) && !matches!(ty.kind(), TyKind::Ref(..)) && self.mentions(ty)
    }
}
