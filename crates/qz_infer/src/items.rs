//! Declarations that are not bodies: impls against their traits, `@value` types, `main`, and signatures
//! looked at for their own problems.

use qz_base::{FxHashMap, Name, Span};
use qz_hir::defs::{ImplOrigin, Predicate, SelfKind};
use qz_hir::{AdtKind, Container, FnKind, ImplId, ModuleId, TyHead, Whose};
use qz_types::subst::subst_trait_ref;
use qz_types::{AdtId, AssocTy, FnId, InferTable, TraitRef, Ty, TyKind, subst};

use crate::checker::Checker;
use crate::diagnostics as words;
use crate::diagnostics::linear as linear_words;
use crate::traits::{TraitCx, Truth};

impl Checker<'_> {
    /// Checks every declaration and body of a module. Problems go to `Defs::report`.
    pub fn check_modules(&self, modules: &[ModuleId]) {
        let wanted = self.is_one_of(modules);
        self.check_adts(&wanted);
        self.check_signatures(&wanted);
        self.check_foreign(&wanted);
        for id in self.defs.impls.ids() {
            if wanted(self.defs.impls[id].module) {
                self.check_impl(id);
            }
        }
        let effects = self.has_effects();
        for (id, def) in self.defs.fns.iter() {
            if wanted(def.module) && def.has_body {
                self.check_fn(id);
                self.check_refinements(id);
                if !self.defs.fn_sig(id).opaques.is_empty() {
                    self.check_hidden_result(id);
                }
                if self.is_program_main(id) {
                    self.check_main(id);
                }
                if self.forgets && !effects {
                    self.forget(id);
                }
            } else if wanted(def.module) && self.is_abstract(id) {
                let sig = self.defs.fn_sig(id);
                if sig.params.iter().any(|it| it.has_default) {
                    self.check_fn(id);
                }
            }
        }
        for (id, def) in self.defs.statics.iter() {
            if wanted(def.module) {
                self.check_static(id);
            }
        }
        self.check_needs(&wanted);
    }

    /// Checks what the functions of these modules perform, if the program has effects that need handlers. That depends on the
    /// bodies of all functions that they call. Problems go to `Defs::report`.
    pub fn check_effects_of(&self, modules: &[ModuleId]) {
        if self.has_effects() {
            self.check_effects(&self.is_one_of(modules));
        }
    }

    fn is_one_of(&self, modules: &[ModuleId]) -> impl Fn(ModuleId) -> bool + use<> {
        let mut wanted = vec![false; self.defs.modules.len()];
        modules.iter().for_each(|module| wanted[module.index()] = true);
        move |module: ModuleId| wanted[module.index()]
    }

    fn check_adts(&self, wanted: &dyn Fn(ModuleId) -> bool) {
        for (id, def) in self.defs.adts.iter() {
            if !wanted(def.module) {
                continue;
            }
            self.defs.adt_fields(id);
            if matches!(def.kind, AdtKind::Value | AdtKind::Newtype) && self.holds_itself(id) {
                self.defs.report(words::recursive_value(
                    self.defs.adt_span(id),
                    def.name,
                    def.kind == AdtKind::Newtype,
                ));
            }
            self.check_member_names(id);
            self.check_linear_type(id);
        }
        for (id, alias) in self.defs.aliases.iter() {
            if wanted(alias.module) {
                self.defs.check_alias(id);
            }
        }
        for (id, def) in self.defs.traits.iter() {
            if wanted(def.module) {
                self.defs.trait_supers(id);
                self.defs.assoc_bounds(id);
            }
        }
    }

    fn check_signatures(&self, wanted: &dyn Fn(ModuleId) -> bool) {
        for (id, def) in self.defs.fns.iter() {
            if wanted(def.module) {
                self.defs.fn_sig(id);
            }
        }
    }

    /// Whether a value of the type lies inside itself. Enums box themselves and references are no part.
    fn holds_itself(&self, id: AdtId) -> bool {
        let mut seen = Vec::new();
        let mut work = vec![self.defs.adt_identity(id)];
        let mut first = true;
        while let Some(ty) = work.pop() {
            match *ty.kind() {
                TyKind::Tuple(parts) => work.extend(parts),
                TyKind::Adt(adt, args) => {
                    if adt == id && !first {
                        return true;
                    }
                    first = false;
                    let kind = self.defs.adts[adt].kind;
                    if kind == AdtKind::Struct || seen.contains(&ty) || seen.len() > 64 {
                        continue;
                    }
                    seen.push(ty);
                    let fields = self.defs.adt_fields(adt);
                    work.extend(
                        fields.variants.iter().flat_map(|it| &it.fields).map(|it| subst(it.ty, args)),
                    );
                }
                _ => {}
            }
        }
        false
    }

    /// A field and a method of one name clash.
    fn check_member_names(&self, id: AdtId) {
        if self.defs.adts[id].kind == AdtKind::Enum {
            return;
        }
        let fields = self.defs.adt_fields(id);
        let Some(only) = fields.variants.first() else { return };
        for field in &only.fields {
            for &method in self.defs.inherent_methods(TyHead::Adt(id), field.name) {
                let def = &self.defs.fns[method];
                if def.self_param.is_some() && def.arity == (0, Some(0)) {
                    let at = Span::new(self.defs.file_of(self.defs.adts[id].module), field.range);
                    self.defs.report(words::field_method_clash(self.defs.fn_span(method), field.name, at));
                }
            }
        }
    }

    fn check_main(&self, id: FnId) {
        let def = &self.defs.fns[id];
        let span = self.defs.fn_span(id);
        let sig = self.defs.fn_sig(id);
        if def.arity != (0, Some(0)) {
            self.defs.report(words::main_form(span, "cannot have parameters: the arguments are in `args()`"));
        } else if !sig.generics.is_empty() {
            self.defs.report(words::main_form(span, "cannot have type parameters"));
        } else if let Some(ret) = sig.ret {
            let is_result = ret.as_adt().is_some_and(|(adt, _)| self.defs.lang.adt("Result") == Some(adt));
            let c = qz_types::ty::common();
            if ret != c.int && !ret.is_unit() && !is_result && !ret.is_never() && !ret.is_error() {
                let shown = ret.display(self.defs).to_string();
                self.defs.report(words::main_form(span, &format!("cannot give a `{shown}`")));
            }
        }
    }

    /// Module variables are seen by every task: only handles that are safe to share may be kept there.
    fn check_static(&self, id: qz_types::StaticId) {
        let def = &self.defs.statics[id];
        let ty = match self.defs.static_ty(id) {
            Some(ty) => ty,
            None => self.scheme(def.init).ret,
        };
        let is_object =
            ty.as_adt().is_some_and(|(adt, _)| self.defs.adts[adt].kind == qz_hir::AdtKind::Struct);
        let is_handle = is_object && self.is_share(ty);
        let fits = match def.whose {
            Whose::All => is_handle,
            Whose::Task => true,
            // Another task of the thread would be at work with the object that one took with it to another thread.
            Whose::Thread => self.is_share(ty),
        };
        if !fits && !ty.is_error() {
            let span = Span::new(self.defs.file_of(def.module), def.name_range);
            let shown = ty.display(self.defs).to_string();
            self.defs.report(words::module_var(span, def.name, &shown, def.whose));
        }
    }

    // ---------------------------------------------------------------------------------------------- impls

    /// Methods of one name in one body differ in how many arguments they take.
    fn check_method_overloads(&self, methods: &[FnId]) {
        for (n, &method) in methods.iter().enumerate() {
            let def = &self.defs.fns[method];
            let clash = methods[..n].iter().find(|&&other| {
                let other = &self.defs.fns[other];
                let (a, b) = (def.arity, other.arity);
                other.name == def.name
                    && other.self_param.is_some() == def.self_param.is_some()
                    && a.0 <= b.1.unwrap_or(u32::MAX)
                    && b.0 <= a.1.unwrap_or(u32::MAX)
            });
            if let Some(&other) = clash {
                let (again, first) = (self.defs.fn_span(method), self.defs.fn_span(other));
                self.defs.report(words::method_twice(again, def.name, first));
            }
        }
    }

    fn check_impl(&self, id: ImplId) {
        let def = &self.defs.impls[id];
        self.check_method_overloads(&def.methods);
        let header = self.defs.impl_header(id);
        if def.origin != ImplOrigin::Impl || header.self_ty.is_error() {
            return;
        }
        let Some(bound) = header.trait_ref else { return };
        if def.is_negative {
            return;
        }
        self.check_drop(id, bound);
        self.check_handle(id, bound);
        // What stands in the wrong package is likely to be there already, and not to be read any further.
        if !self.check_orphan(id, bound) {
            return;
        }
        self.check_overlap(id, bound);
        self.check_members(id, bound);
        self.check_supers(id, bound);
        self.check_assoc_bounds(id, bound);
        self.check_eq_and_hash(id, bound);
    }

    pub(crate) fn impl_span(&self, id: ImplId) -> Span {
        let def = &self.defs.impls[id];
        let end = (def.range.start + 4).min(def.range.end);
        Span::new(self.defs.file_of(def.module), qz_base::TextRange::new(def.range.start, end))
    }

    /// A `drop` belongs to an object: values without one are copied freely.
    fn check_drop(&self, id: ImplId, bound: TraitRef) {
        let header = self.defs.impl_header(id);
        let is_object =
            header.self_ty.as_adt().is_some_and(|(adt, _)| self.defs.adts[adt].kind == AdtKind::Struct);
        if self.defs.traits[bound.trait_id].lang.map(Name::as_str) == Some("Drop") && !is_object {
            self.defs.report(words::drop_of_value(self.impl_span(id)));
        }
    }

    /// That tasks share an object as it is, is a promise about counts and locks that only the library can keep.
    fn check_handle(&self, id: ImplId, bound: TraitRef) {
        let is_share = self.defs.lang.trait_("Share") == Some(bound.trait_id);
        if is_share && !self.defs.modules[self.defs.impls[id].module].is_std {
            let ty = self.defs.impl_header(id).self_ty.display(self.defs).to_string();
            self.defs.report(words::not_a_handle(self.impl_span(id), &ty));
        }
    }

    /// An impl stands with its trait or its type. Whether it does.
    fn check_orphan(&self, id: ImplId, bound: TraitRef) -> bool {
        let def = &self.defs.impls[id];
        let is_std = |module: ModuleId| self.defs.modules[module].is_std;
        if is_std(def.module) || !is_std(self.defs.traits[bound.trait_id].module) {
            return true;
        }
        let header = self.defs.impl_header(id);
        let is_local = |ty: Ty| {
            let mut local = false;
            ty.walk(&mut |part| {
                if let Some((adt, _)) = part.as_adt() {
                    local |= !is_std(self.defs.adts[adt].module);
                }
            });
            local
        };
        let is_at_home = is_local(header.self_ty) || bound.args.iter().any(|&it| is_local(it));
        if !is_at_home {
            let shown = header.self_ty.display(self.defs).to_string();
            let trait_ = (self.defs.traits[bound.trait_id].name, self.defs.trait_span(bound.trait_id));
            let type_ = header.self_ty.as_adt().map(|(adt, _)| self.defs.adt_span(adt));
            self.defs.report(words::orphan(self.impl_span(id), trait_, &shown, type_));
        }
        is_at_home
    }

    fn check_overlap(&self, id: ImplId, bound: TraitRef) {
        let header = self.defs.impl_header(id);
        for other in self.defs.impls_for(bound.trait_id, TyHead::of(header.self_ty)) {
            if other == id || self.defs.impls[other].is_negative {
                continue;
            }
            let other_header = self.defs.impl_header(other);
            // One for any type and one for some: the library has both for some traits, and the second goes before.
            let mixed = TyHead::of(header.self_ty) != TyHead::of(other_header.self_ty);
            let skipped = if mixed {
                self.is_library_impl(id) || self.is_library_impl(other)
            } else {
                // Of several for any type in the library, the bounds tell.
                let is_told = TyHead::of(header.self_ty) == Some(TyHead::Any) && self.is_library_impl(id);
                other.raw() > id.raw() || is_told
            };
            if skipped {
                continue;
            }
            let mut table = InferTable::new();
            let fresh = |table: &mut InferTable, n: usize| -> Vec<Ty> {
                (0..n).map(|_| table.fresh(qz_types::VarKind::Any)).collect()
            };
            let (a, b) =
                (fresh(&mut table, header.generics.len()), fresh(&mut table, other_header.generics.len()));
            let other_bound = other_header.trait_ref.expect("impls of a trait have one");
            let same = table.unify(subst(header.self_ty, &a), subst(other_header.self_ty, &b)).is_ok()
                && table
                    .unify_lists(
                        qz_types::subst::subst_list(bound.args, &a),
                        qz_types::subst::subst_list(other_bound.args, &b),
                    )
                    .is_ok();
            let mut cx = TraitCx { ck: self, table: &mut table, preds: &[] };
            let mut asks = other_header.generics.preds.iter();
            let fits = |it: &Predicate| cx.might_hold(subst(it.ty, &b), subst_trait_ref(it.trait_ref, &b));
            if same && (!mixed || asks.all(fits)) {
                let shown = header.self_ty.display(self.defs).to_string();
                let name = self.defs.traits[bound.trait_id].name;
                self.defs.report(words::overlap(self.impl_span(id), name, &shown, self.impl_span(other)));
            }
        }
    }

    fn is_library_impl(&self, id: ImplId) -> bool {
        self.defs.modules[self.defs.impls[id].module].is_std
    }

    fn check_members(&self, id: ImplId, bound: TraitRef) {
        let def = &self.defs.impls[id];
        let header = self.defs.impl_header(id);
        let it = &self.defs.traits[bound.trait_id];
        let has = |name: Name| def.methods.iter().any(|&m| self.defs.fns[m].name == name);
        let missing: Vec<Name> = it
            .methods
            .iter()
            .filter(|&&m| !self.defs.fns[m].has_body && !has(self.defs.fns[m].name))
            .map(|&m| self.defs.fns[m].name)
            .collect();
        // An empty impl is good for a type whose own methods fit.
        if !missing.is_empty() && !self.own_methods_fill(header.self_ty, bound, &missing) {
            let declared = self.defs.trait_span(bound.trait_id);
            self.defs.report(words::missing_methods(self.impl_span(id), it.name, &missing, declared));
        }
        let missing: Vec<Name> = it
            .assoc
            .iter()
            .map(|assoc| assoc.0)
            .filter(|&name| !header.assoc.iter().any(|it| it.0 == name))
            .collect();
        if !missing.is_empty() {
            self.defs.report(words::missing_assoc(self.impl_span(id), it.name, &missing));
        }
        for &method in &def.methods {
            let name = self.defs.fns[method].name;
            match it.methods.iter().find(|&&m| self.defs.fns[m].name == name) {
                // A signature may name what is missing.
                Some(_) if !missing.is_empty() => {}
                Some(&wanted) => self.check_method(id, bound, wanted, method),
                None => {
                    self.defs.report(words::not_in_trait(self.defs.fn_span(method), it.name, name));
                }
            }
        }
    }

    fn own_methods_fill(&self, ty: Ty, bound: TraitRef, missing: &[Name]) -> bool {
        let mut table = InferTable::new();
        let mut cx = TraitCx { ck: self, table: &mut table, preds: &[] };
        let methods = &self.defs.traits[bound.trait_id].methods;
        missing.iter().all(|&name| {
            let wanted = methods.iter().find(|&&m| self.defs.fns[m].name == name);
            wanted.is_some_and(|&wanted| cx.own_method(ty, bound, wanted).is_some())
        })
    }

    /// A method of an impl must have the trait's signature. Types it leaves out are the trait's.
    fn check_method(&self, id: ImplId, bound: TraitRef, wanted: FnId, found: FnId) {
        let header = self.defs.impl_header(id);
        let (wanted_def, found_def) = (&self.defs.fns[wanted], &self.defs.fns[found]);
        let (wanted_sig, found_sig) = (self.defs.fn_sig(wanted), self.defs.fn_sig(found));
        let mut args = vec![header.self_ty];
        args.extend(bound.args);
        let outer = header.generics.len() as u32;
        let own = wanted_sig.generics.len() - args.len();
        for n in 0..own {
            let name = found_sig.generics.params.get(outer as usize + n).map_or(Name::new("T"), |it| it.name);
            args.push(Ty::param(outer + n as u32, name));
        }
        let same_shape = wanted_def.self_param == found_def.self_param
            && wanted_sig.params.len() == found_sig.params.len()
            && found_sig.generics.len() == outer as usize + own
            // Who calls the trait's method does not know of more to see to.
            && (wanted_def.attrs.is_unsafe || !found_def.attrs.is_unsafe);
        let fits = |wanted: Option<Ty>, found: Option<Ty>| match (wanted, found) {
            (Some(wanted), Some(found)) => {
                let wanted = self.normalize_in(&header.generics.preds, subst(wanted, &args));
                let found = self.normalize_in(&header.generics.preds, found);
                wanted == found || wanted.is_error() || found.is_error()
            }
            _ => true,
        };
        let same = same_shape
            && wanted_sig.params.iter().zip(&found_sig.params).all(|(w, f)| fits(w.ty, f.ty))
            && match found_sig.ret.or_else(|| self.known_ret(found)) {
                Some(ret) if !wanted_sig.opaques.is_empty() => {
                    self.result_fits(&header.generics.preds, wanted, ret, &args)
                }
                ret => fits(wanted_sig.ret, ret),
            };
        if !same {
            let wanted_words = self.signature_words(wanted, &args);
            let found_words = self.signature_words(found, &found_sig.generics.identity());
            self.defs.report(words::method_signature(
                self.defs.fn_span(found),
                found_def.name,
                &wanted_words,
                &found_words,
                self.defs.fn_span(wanted),
            ));
            return;
        }
        let (before, wanted_before) = (outer as usize, wanted_sig.generics.len() - own);
        for n in 0..own {
            let wants = self.takes_linear(&wanted_sig.generics, wanted_before + n);
            if wants && !self.takes_linear(&found_sig.generics, before + n) {
                let param = &found_sig.generics.params[before + n];
                let span = Span::new(self.defs.file_of(found_def.module), param.range);
                self.defs.report(linear_words::bound_missing(span, param.name, self.defs.fn_span(wanted)));
            }
        }
        // Who calls through the trait could not know of them.
        let file = self.defs.file_of(found_def.module);
        for param in found_sig.params.iter().filter(|it| it.has_default) {
            let span = Span::new(file, param.range);
            self.defs.report(words::default_of_impl(span, param.name, self.defs.fn_span(wanted)));
        }
    }

    fn known_ret(&self, id: FnId) -> Option<Ty> {
        self.defs.fns[id].has_body.then(|| self.scheme(id).ret)
    }

    fn normalize_in(&self, preds: &[qz_hir::defs::Predicate], ty: Ty) -> Ty {
        let mut table = InferTable::new();
        self.normalize_with(&mut table, preds, ty)
    }

    /// `(self, Int): Bool`.
    fn signature_words(&self, id: FnId, args: &[Ty]) -> String {
        let sig = self.defs.fn_sig(id);
        let show = |ty: Ty| subst(ty, args).display(self.defs).to_string();
        let params: Vec<String> = sig
            .params
            .iter()
            .map(|p| match (p.name == qz_base::name::known::SELF_VALUE, p.ty) {
                (true, _) => match self.defs.fns[id].self_param {
                    Some(SelfKind::Ref) => "&self".to_owned(),
                    Some(SelfKind::RefMut) => "&mut self".to_owned(),
                    _ => "self".to_owned(),
                },
                (false, Some(ty)) => show(ty),
                (false, None) => "_".to_owned(),
            })
            .collect();
        let ret = sig.ret.or_else(|| self.known_ret(id)).map_or("_".to_owned(), show);
        let start = if self.defs.fns[id].attrs.is_unsafe { "unsafe " } else { "" };
        format!("{start}({}): {ret}", params.join(", "))
    }

    fn check_supers(&self, id: ImplId, bound: TraitRef) {
        let header = self.defs.impl_header(id);
        let mut args = vec![header.self_ty];
        args.extend(bound.args);
        for it in self.defs.trait_supers(bound.trait_id).iter() {
            let wanted = it.subst(&args);
            let mut table = InferTable::new();
            let mut cx = TraitCx { ck: self, table: &mut table, preds: &header.generics.preds };
            if cx.holds(header.self_ty, wanted.trait_ref, &mut Vec::new()) == Truth::No {
                let ty = header.self_ty.display(self.defs).to_string();
                let name = self.defs.traits[bound.trait_id].name;
                let wanted = self.defs.traits[wanted.trait_ref.trait_id].name.to_string();
                self.defs.report(words::supertrait(self.impl_span(id), &ty, name, &wanted));
            } else {
                self.check_told_types(id, bound, header.self_ty, &wanted);
            }
        }
    }

    /// `trait Ring: Add<Self, Output = Self>`: the type's `Add` must have that `Output`.
    fn check_told_types(&self, id: ImplId, bound: TraitRef, ty: Ty, wanted: &Predicate) {
        let header = self.defs.impl_header(id);
        let mut args = vec![ty];
        args.extend(wanted.trait_ref.args);
        for &(name, want) in &wanted.assoc {
            let assoc = AssocTy { trait_id: wanted.trait_ref.trait_id, args: Ty::list(&args), name };
            let preds = &header.generics.preds;
            let found = self.normalize_in(preds, Ty::new(TyKind::Assoc(assoc)));
            let want = self.normalize_in(preds, want);
            if InferTable::new().unify(found, want).is_err() {
                let [found, want] = [found, want].map(|it| it.display(self.defs).to_string());
                let of = self.defs.traits[wanted.trait_ref.trait_id].name;
                let name = (self.defs.traits[bound.trait_id].name, of, name);
                self.defs.report(words::supertrait_type(self.impl_span(id), name, &want, &found));
            }
        }
    }

    /// The types of an impl must have what the trait asks of them.
    fn check_assoc_bounds(&self, id: ImplId, bound: TraitRef) {
        let header = self.defs.impl_header(id);
        let mut args = vec![header.self_ty];
        args.extend(bound.args);
        for (name, wanted) in self.defs.assoc_bounds(bound.trait_id).iter() {
            let Some(&(_, ty)) = header.assoc.iter().find(|it| it.0 == *name) else { continue };
            let mut wanted = wanted.subst(&args);
            let known = wanted.trait_ref.args.iter().map(|&it| self.normalize_in(&header.generics.preds, it));
            wanted.trait_ref.args = Ty::list(&known.collect::<Vec<_>>());
            let mut table = InferTable::new();
            let mut cx = TraitCx { ck: self, table: &mut table, preds: &header.generics.preds };
            if cx.holds(ty, wanted.trait_ref, &mut Vec::new()) == Truth::No {
                let ty = ty.display(self.defs).to_string();
                let wanted = self.defs.traits[wanted.trait_ref.trait_id].name;
                self.defs.report(words::assoc_bound(self.impl_span(id), *name, &ty, wanted));
            } else {
                self.check_told_types(id, bound, ty, &wanted);
            }
        }
    }

    /// Overriding only one of `==` and `hash` breaks maps.
    fn check_eq_and_hash(&self, id: ImplId, bound: TraitRef) {
        let header = self.defs.impl_header(id);
        let (Some(eq), Some(hash)) = (self.defs.lang.trait_("Eq"), self.defs.lang.trait_("Hash")) else {
            return;
        };
        let (other, has, lacks) = match bound.trait_id {
            it if it == eq => (hash, "==", "hash"),
            it if it == hash => (eq, "hash", "=="),
            _ => return,
        };
        // A type that could not be hashed anyway may define `==` alone.
        let Some((adt, _)) = header.self_ty.as_adt() else { return };
        let mut by_type: FxHashMap<AdtId, ()> = FxHashMap::default();
        for &it in self.defs.impls_of(other) {
            if let Some((adt, _)) = self.defs.impl_header(it).self_ty.as_adt() {
                by_type.insert(adt, ());
            }
        }
        let negative = self.defs.impls_of(other).iter().any(|&it| self.defs.impls[it].is_negative);
        if !by_type.contains_key(&adt) && !negative && !self.defs.modules[self.defs.impls[id].module].is_std {
            self.defs.report(words::eq_without_hash(self.impl_span(id), has, lacks));
        }
    }

    /// Whether a function can be used as a program's start.
    pub fn find_main(&self, module: ModuleId) -> Option<FnId> {
        self.defs
            .fns
            .iter()
            .find(|(_, def)| {
                def.module == module
                    && def.container == Container::Module
                    && def.name == qz_base::name::known::MAIN
                    && def.kind == FnKind::Normal
            })
            .map(|(id, _)| id)
    }
}
