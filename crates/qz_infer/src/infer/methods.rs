//! `x.name` and `x.name(args)`: the order in which a member is looked for.
//!
//! Field (only without parentheses), inherent method, method of a trait in scope, free function. The first
//! rank that has a candidate decides; two candidates of one rank are an error. If the receiver's type is
//! not known yet, the call waits; what is still unknown when the function is done becomes a member bound of
//! its signature.

use qz_base::{Name, Span, TextRange};
use qz_hir::body::*;
use qz_hir::defs::AdtKind;
use qz_hir::scope::{Def, Lookup};
use qz_hir::{Container, TyHead};
use qz_types::{FnId, Mutability, TraitId, TraitRef, Ty, TyKind, Tys, subst};

use super::args::{Inputs, ParamInfo};
use super::{Expect, Infer, Slot};
use crate::checker::MemberBound;
use crate::diagnostics as words;
use crate::facts::*;
use crate::traits::Obligation;

/// A member access or method call as written.
#[derive(Copy, Clone)]
pub(super) struct MethodCall<'a> {
    pub(super) expr: ExprId,
    pub(super) receiver: ExprId,
    pub(super) name: Name,
    pub(super) name_range: TextRange,
    pub(super) type_args: Tys,
    pub(super) args: &'a [Arg],
    pub(super) has_parens: bool,
}

/// A member asked of a type that is not known yet.
pub(crate) struct Pending {
    pub(super) what: Asked,
    pub(super) receiver: Ty,
    pub(super) name: Name,
    pub(super) args: Vec<Ty>,
    pub(super) maybe_field: bool,
    pub(super) ret: Ty,
    pub(super) module: qz_hir::ModuleId,
    pub(super) span: Span,
    /// The body in which the asking stands.
    pub(super) body_owner: FnId,
}

/// Who asks.
pub(crate) enum Asked {
    /// A call in this body.
    Call { expr: ExprId, receiver: ExprId, args: Vec<Arg>, type_args: Tys },
    /// A member bound of a function that is called here; the evidence goes to the slot.
    Bound { slot: Slot, function: FnId },
}

/// Where a member was found.
pub(super) enum Found {
    Field {
        variant: u32,
        index: u32,
        ty: Ty,
    },
    /// An inherent method or free function.
    Fn {
        function: FnId,
    },
    Trait {
        bound: TraitRef,
        method: u32,
    },
}

/// What looking for a member came to.
pub(super) enum Search {
    Found(Found),
    /// Functions of one rank, with what tells them apart: their traits or their paths.
    Ambiguous(Vec<(Name, FnId)>),
    /// The name exists but takes other numbers of arguments.
    WrongCount(FnId),
    Private(Span),
    None,
}

impl Infer<'_, '_> {
    pub(super) fn method_call(&mut self, call: MethodCall<'_>, expect: Expect) -> Ty {
        let named = match self.body.exprs[call.receiver] {
            Expr::TypeRecv { ty } => Some(ty),
            // A newtype's name is its constructor, which has no members.
            Expr::Newtype { adt, type_args } => Some(Ty::adt(adt, type_args)),
            _ => None,
        };
        if let Some(ty) = named {
            let ty = self.fill_holes(ty);
            self.st.types.exprs.insert(call.receiver, ty);
            return self.assoc_call(call, ty, expect);
        }
        let receiver = self.expr(call.receiver, Expect::Any);
        let known = self.known(receiver);
        let bare = self.known(known.peel_ref());
        match bare.kind() {
            TyKind::Error => return self.failed_call(call.args),
            TyKind::Never => {
                self.failed_call(call.args);
                return qz_types::ty::common().never;
            }
            _ if bare.may_get_fields() => return self.pend_call(call, bare),
            _ => {}
        }
        if !call.has_parens {
            if let Some(ty) = self.opened_field(&call) {
                return ty;
            }
            // `e.x?` with a field `x`: the field, for `question_member`.
            if let Some(field) = call.name.as_str().strip_suffix('?')
                && let Some(Search::Found(found)) = self.find_field(bare, Name::new(field), self.module)
            {
                return self.use_member(call, known, bare, found, expect);
            }
        }
        let arity = call.args.len() as u32;
        match self.find_member(bare, call.name, arity, !call.has_parens, self.module) {
            Search::Found(found) if !self.is_refined(bare) || !self.is_free(&found) => {
                self.use_member(call, known, bare, found, expect)
            }
            other if self.is_refined(bare) => self.base_member(call, known, bare, other, expect),
            other => self.no_member(call, bare, other),
        }
    }

    fn is_free(&self, found: &Found) -> bool {
        matches!(found, Found::Fn { function } if self.ck.defs.fns[*function].container == Container::Module)
    }

    /// What a refined type does not have may be a member of its base, which goes before a free function.
    fn base_member(
        &mut self,
        call: MethodCall<'_>,
        known: Ty,
        refined: Ty,
        why: Search,
        expect: Expect,
    ) -> Ty {
        let base = self.ck.defs.base_ty(refined);
        let of_base =
            self.find_member(base, call.name, call.args.len() as u32, !call.has_parens, self.module);
        match (of_base, why) {
            (Search::Found(found), Search::Found(free)) if self.is_free(&found) => {
                self.use_member(call, known, refined, free, expect)
            }
            (Search::Found(found), _) => {
                self.open_refined(call.receiver, refined);
                self.use_member(call, base, base, found, expect)
            }
            (_, Search::Found(free)) => self.use_member(call, known, refined, free, expect),
            (_, why) => self.no_member(call, refined, why),
        }
    }

    /// A field of the variant that a test opened.
    fn opened_field(&mut self, call: &MethodCall<'_>) -> Option<Ty> {
        let Expr::Local { local } = self.expr_node(call.receiver) else { return None };
        let ty = self.shallow(self.st.types.exprs[call.receiver]);
        let (adt, args) = ty.peel_ref().as_adt()?;
        let variant = self.opened_variant(local, adt)?;
        let fields = self.variant_fields(adt, variant, args);
        let name = call.name.as_str();
        let index = fields.iter().position(|it| it.0.as_str() == name.strip_suffix('?').unwrap_or(name))?;
        self.st.types.callees.insert(call.expr, Callee::Field { variant, index: index as u32 });
        Some(fields[index].1)
    }

    /// Looks a member up on a type whose shape is known.
    pub(super) fn find_member(
        &mut self,
        ty: Ty,
        name: Name,
        arity: u32,
        maybe_field: bool,
        module: qz_hir::ModuleId,
    ) -> Search {
        if maybe_field && let Some(found) = self.find_field(ty, name, module) {
            return found;
        }
        let inherent = self.find_inherent(ty, name, arity, true, module);
        if !matches!(inherent, Search::None) {
            return inherent;
        }
        let of_trait = self.find_trait_method(ty, name, arity, module);
        if !matches!(of_trait, Search::None) {
            return of_trait;
        }
        self.find_free(name, arity, module)
    }

    fn find_field(&mut self, ty: Ty, name: Name, module: qz_hir::ModuleId) -> Option<Search> {
        if let Some(fields) = ty.known_fields().filter(|_| !ty.may_get_fields()) {
            let index = fields.iter().position(|it| it.0 == name)?;
            return Some(Search::Found(Found::Field {
                variant: 0,
                index: index as u32,
                ty: fields[index].1,
            }));
        }
        let (adt, args) = ty.as_adt()?;
        let def = &self.ck.defs.adts[adt];
        if def.kind == AdtKind::Enum {
            return None;
        }
        let fields = self.ck.defs.adt_fields(adt);
        let variant = fields.variants.first()?;
        let index = variant.fields.iter().position(|it| it.name == name)?;
        let field = &variant.fields[index];
        if field.is_private && !self.ck.defs.sees_private(module, def.module) {
            return Some(Search::Private(Span::new(self.ck.defs.file_of(def.module), field.range)));
        }
        let field_ty = self.normalize(subst(field.ty, args));
        Some(Search::Found(Found::Field { variant: 0, index: index as u32, ty: field_ty }))
    }

    /// Methods in impls and extensions of the type itself. `with_self` tells methods from functions that
    /// belong to the type.
    pub(super) fn find_inherent(
        &mut self,
        ty: Ty,
        name: Name,
        arity: u32,
        with_self: bool,
        module: qz_hir::ModuleId,
    ) -> Search {
        let Some(head) = TyHead::of(ty) else { return Search::None };
        let defs = self.ck.defs;
        let mut fitting = Vec::new();
        let mut other_count = None;
        for &method in defs.inherent_methods(head, name) {
            let def = &defs.fns[method];
            if def.self_param.is_some() != with_self || !self.applies_to(method, ty) {
                continue;
            }
            if def.is_private && !defs.sees_private(module, def.module) {
                continue;
            }
            let (min, max) = def.arity;
            if min <= arity && max.is_none_or(|max| arity <= max) {
                fitting.push(method);
            } else {
                other_count = Some(method);
            }
        }
        match (&fitting[..], other_count) {
            ([only], _) => Search::Found(Found::Fn { function: *only }),
            ([], Some(other)) => Search::WrongCount(other),
            ([], None) => Search::None,
            (many, _) => Search::Ambiguous(many.iter().map(|&it| (defs.fn_path(it), it)).collect()),
        }
    }

    /// Whether the impl a method stands in is for this type.
    fn applies_to(&mut self, method: FnId, ty: Ty) -> bool {
        let qz_hir::Container::Impl(id) = self.ck.defs.fns[method].container else { return false };
        let header = self.ck.defs.impl_header(id);
        if header.generics.is_empty() && header.self_ty == ty {
            return true;
        }
        let args: Vec<Ty> = header.generics.params.iter().map(|_| self.fresh()).collect();
        let at = self.s.table.snapshot();
        let fits = self.s.table.unify(subst(header.self_ty, &args), ty).is_ok();
        self.s.table.rollback(at);
        fits
    }

    /// Methods of this name of the traits that the module sees, and of those known of the type.
    fn trait_candidates(&mut self, ty: Ty, name: Name, module: qz_hir::ModuleId) -> Vec<(TraitId, u32)> {
        let defs = self.ck.defs;
        let mut found = defs.visible_trait_methods(module, name);
        let ty = self.shallow(ty);
        for bound in self.traits().known_bounds(ty) {
            let methods = &defs.traits[bound.trait_id].methods;
            let named = methods.iter().position(|&it| defs.fns[it].name == name);
            let candidate = named.map(|at| (bound.trait_id, at as u32));
            found.extend(candidate.filter(|it| !found.contains(it)));
        }
        found
    }

    pub(super) fn find_trait_method(
        &mut self,
        ty: Ty,
        name: Name,
        arity: u32,
        module: qz_hir::ModuleId,
    ) -> Search {
        let defs = self.ck.defs;
        let mut found: Vec<(TraitRef, u32)> = Vec::new();
        let mut other_count = None;
        for (trait_id, method) in self.trait_candidates(ty, name, module) {
            let def = &defs.fns[defs.traits[trait_id].methods[method as usize]];
            if def.self_param.is_none() {
                continue;
            }
            let bounds = self.traits().bounds_of(ty, trait_id);
            let bounds = if bounds.len() == 1 {
                bounds
            } else {
                // Of several with one trait, `T: From<Int> + From<String>`, arguments and result tell which is meant.
                let args: Vec<Ty> = (1..defs.trait_generics(trait_id).len()).map(|_| self.fresh()).collect();
                let bound = TraitRef { trait_id, args: Ty::list(&args) };
                if self.traits().might_hold(ty, bound) { vec![bound] } else { continue }
            };
            let (min, max) = def.arity;
            if min <= arity && max.is_none_or(|max| arity <= max) {
                found.extend(bounds.into_iter().map(|bound| (bound, method)));
            } else {
                other_count = Some(defs.traits[trait_id].methods[method as usize]);
            }
        }
        match (&found[..], other_count) {
            ([(bound, method)], _) => Search::Found(Found::Trait { bound: *bound, method: *method }),
            ([], Some(other)) => Search::WrongCount(other),
            ([], None) => Search::None,
            (many, _) => {
                let of_trait = |(it, method): &(TraitRef, u32)| {
                    let def = &defs.traits[it.trait_id];
                    (def.name, def.methods[*method as usize])
                };
                Search::Ambiguous(many.iter().map(of_trait).collect())
            }
        }
    }

    /// A free function that takes the receiver as its first argument.
    fn find_free(&mut self, name: Name, arity: u32, module: qz_hir::ModuleId) -> Search {
        let Lookup::Found(Def::Fns(candidates)) = self.ck.defs.lookup(module, name) else {
            return Search::None;
        };
        let arity = arity + 1;
        let fits = |f: &&FnId| {
            let (min, max) = self.ck.defs.fns[**f].arity;
            min <= arity && max.is_none_or(|max| arity <= max)
        };
        // A function that takes another number of arguments was not meant: it only shares the name.
        match candidates.iter().find(fits) {
            Some(&function) => Search::Found(Found::Fn { function }),
            None => Search::None,
        }
    }

    /// Types and checks a call whose member is known.
    fn use_member(
        &mut self,
        call: MethodCall<'_>,
        receiver: Ty,
        bare: Ty,
        found: Found,
        expect: Expect,
    ) -> Ty {
        match found {
            Found::Field { variant, index, ty } => {
                self.st.types.callees.insert(call.expr, Callee::Field { variant, index });
                ty
            }
            Found::Fn { function } => {
                let span = self.span(call.expr);
                let instance = self.instantiate(call.expr, function, call.type_args, span);
                let params = self.param_infos(function, &instance.params);
                self.call_method(call, function, receiver, bare, params, instance.ret, expect)
            }
            Found::Trait { bound, method } => {
                let (function, params, ret) =
                    self.instantiate_trait_method(call.expr, bare, bound, method, call.type_args);
                let params = self.param_infos(function, &params);
                self.call_method(call, function, receiver, bare, params, ret, expect)
            }
        }
    }

    /// Fresh types for a trait's method on `ty`; records the callee at `expr`.
    pub(super) fn instantiate_trait_method(
        &mut self,
        expr: ExprId,
        ty: Ty,
        bound: TraitRef,
        method: u32,
        written: Tys,
    ) -> (FnId, Vec<Ty>, Ty) {
        let span = self.span(expr);
        let (function, fact, params, ret) = self.trait_method_types(span, ty, bound, method, written);
        self.st.types.callees.insert(expr, fact);
        (function, params, ret)
    }

    pub(super) fn trait_method_types(
        &mut self,
        span: Span,
        ty: Ty,
        bound: TraitRef,
        method: u32,
        written: Tys,
    ) -> (FnId, Callee, Vec<Ty>, Ty) {
        let defs = self.ck.defs;
        let function = defs.traits[bound.trait_id].methods[method as usize];
        let known = match ty.kind() {
            TyKind::Dyn(_) => self.traits().bounds_of(ty, bound.trait_id).len(),
            _ => 0,
        };
        let through_table = known > 0;
        match self.ck.dyn_obstacle(function).filter(|_| through_table) {
            Some(why) => {
                let (trait_name, name) = (defs.traits[bound.trait_id].name, defs.fns[function].name);
                self.report(words::dyn_unsafe(span, trait_name, name, why));
            }
            // What a `dyn` value carries needs no proof.
            None if known == 1 => {}
            None => self.st.obligations.push(Obligation::trait_(ty, bound, span)),
        }
        let mut args = vec![ty];
        args.extend(bound.args);
        let trait_args = Ty::list(&args);
        let sig = defs.fn_sig(function);
        let own_count = sig.generics.len() - args.len();
        if !written.is_empty() && written.len() != own_count {
            self.report(words::type_arg_count(span, defs.fns[function].name, own_count, written.len()));
        }
        let mut own = Vec::new();
        for n in 0..own_count {
            own.push(match written.get(n) {
                Some(&ty) => self.fill_holes(ty),
                None => self.fresh(),
            });
        }
        args.extend(&own);
        self.note_rows(&sig.generics, &args);
        // The trait's own bound on `Self` comes first and is the obligation above.
        for pred in sig.generics.preds.iter().skip(1) {
            let pred_ty = self.normalize(subst(pred.ty, &args));
            let pred_bound = qz_types::subst::subst_trait_ref(pred.trait_ref, &args);
            let mut obligation = Obligation::trait_(pred_ty, pred_bound, span);
            obligation.assoc = pred.assoc.iter().map(|&(name, ty)| (name, subst(ty, &args))).collect();
            obligation.asked_by = Some(function);
            self.st.obligations.push(obligation);
        }
        // A default method may leave types out: its body tells them.
        let (params, ret) = match self.scheme(function) {
            crate::checker::SeenFn::Known(scheme) => (scheme.params.clone(), scheme.ret),
            crate::checker::SeenFn::Open { params, ret } => (params, ret),
        };
        let params = params.into_iter().map(|ty| self.normalize(subst(ty, &args))).collect();
        let ret = self.normalize(subst(ret, &args));
        let fact =
            Callee::Method { trait_id: bound.trait_id, method, args: trait_args, own_args: Ty::list(&own) };
        (function, fact, params, ret)
    }

    #[allow(clippy::too_many_arguments, reason = "a call and what was found for it")]
    fn call_method(
        &mut self,
        call: MethodCall<'_>,
        function: FnId,
        receiver: Ty,
        bare: Ty,
        params: Vec<ParamInfo>,
        ret: Ty,
        expect: Expect,
    ) -> Ty {
        if let Some(first) = params.first() {
            self.pass_receiver(call.receiver, receiver, bare, first.ty);
        }
        self.hint_result(ret, expect);
        self.arguments(call.expr, Some(function), &params, Inputs::method(call.args));
        self.result(ret)
    }

    /// The receiver as the first argument: borrowed or read as the parameter wants it.
    fn pass_receiver(&mut self, expr: ExprId, receiver: Ty, bare: Ty, param: Ty) {
        let param = self.shallow(param);
        match (param.kind(), receiver.kind()) {
            (TyKind::Ref(wanted, inner), TyKind::Ref(has, _)) => {
                if *wanted == Mutability::Mut && *has == Mutability::Shared {
                    let span = self.span(expr);
                    self.report(words::mut_through_shared(span));
                }
                self.unify(expr, bare, *inner);
            }
            (TyKind::Ref(wanted, inner), _) => {
                let mutable = *wanted == Mutability::Mut;
                if mutable {
                    self.require_mutable_place(expr, expr);
                    self.changed_place(expr);
                }
                self.unify(expr, bare, *inner);
                self.st.types.coercions.insert(expr, Coercion::AutoRef { mutable });
            }
            (_, TyKind::Ref(..)) => {
                self.st.types.coercions.insert(expr, Coercion::Deref);
                self.coerce_receiver(expr, bare, param);
            }
            _ => self.coerce_receiver(expr, bare, param),
        }
    }

    fn coerce_receiver(&mut self, expr: ExprId, bare: Ty, param: Ty) {
        let keep = self.st.types.coercions.get(expr).cloned();
        self.coerce(expr, bare, param);
        if let Some(keep) = keep {
            self.st.types.coercions.insert(expr, keep);
        }
    }

    /// `Type.name(args)`: a function of the type, or a method named by its type (`Point.norm(p)`).
    fn assoc_call(&mut self, call: MethodCall<'_>, ty: Ty, expect: Expect) -> Ty {
        if ty.is_error() {
            return self.failed_call(call.args);
        }
        let arity = call.args.len() as u32;
        // `.new` on an enum's variant name and the like come here too: variants first.
        if let Some((adt, args)) = ty.as_adt()
            && self.ck.defs.adts[adt].kind == AdtKind::Enum
            && self.has_variant(ty, call.name)
        {
            let _ = args;
            let span = Span::new(self.body.file, call.name_range);
            self.report(words::variant_after_dot(span, self.ck.defs.adts[adt].name, call.name));
            return self.failed_call(call.args);
        }
        let found = match self.find_inherent(ty, call.name, arity, false, self.module) {
            Search::None | Search::WrongCount(_) if arity > 0 => {
                match self.find_inherent(ty, call.name, arity - 1, true, self.module) {
                    found @ Search::Found(_) => found,
                    _ => self.find_inherent(ty, call.name, arity, false, self.module),
                }
            }
            other => other,
        };
        match found {
            Search::Found(Found::Fn { function }) => {
                let span = self.span(call.expr);
                let instance = self.instantiate(call.expr, function, call.type_args, span);
                self.unify_self(call.expr, function, &instance.type_args, ty);
                self.finish_assoc(call, function, instance.params, instance.ret, expect)
            }
            Search::None => match self.find_trait_static(ty, call.name) {
                Some((bound, method)) => {
                    let (function, params, ret) =
                        self.instantiate_trait_method(call.expr, ty, bound, method, call.type_args);
                    self.finish_assoc(call, function, params, ret, expect)
                }
                None => self.no_member(call, ty, Search::None),
            },
            other => self.no_member(call, ty, other),
        }
    }

    fn finish_assoc(
        &mut self,
        call: MethodCall<'_>,
        function: FnId,
        params: Vec<Ty>,
        ret: Ty,
        expect: Expect,
    ) -> Ty {
        if !call.has_parens && !params.is_empty() {
            // `Type.name` without parentheses is the function itself.
            return Ty::func(&params, ret, qz_types::Row::EMPTY);
        }
        self.hint_result(ret, expect);
        let params = self.param_infos(function, &params);
        self.arguments(call.expr, Some(function), &params, Inputs::plain(call.args));
        self.result(ret)
    }

    /// Ties the type written before the dot to the impl's own type.
    fn unify_self(&mut self, expr: ExprId, function: FnId, type_args: &[Ty], ty: Ty) {
        if let qz_hir::Container::Impl(id) = self.ck.defs.fns[function].container {
            let header = self.ck.defs.impl_header(id);
            let self_ty = subst(header.self_ty, type_args);
            self.unify(expr, self_ty, ty);
        }
    }

    /// A function of a trait without `self`, called on a type.
    fn find_trait_static(&mut self, ty: Ty, name: Name) -> Option<(TraitRef, u32)> {
        let defs = self.ck.defs;
        for (trait_id, method) in self.trait_candidates(ty, name, self.module) {
            let def = &defs.fns[defs.traits[trait_id].methods[method as usize]];
            if def.self_param.is_some() {
                continue;
            }
            if let [bound] = self.traits().bounds_of(ty, trait_id)[..] {
                return Some((bound, method));
            }
            let args: Vec<Ty> = (1..defs.trait_generics(trait_id).len()).map(|_| self.fresh()).collect();
            let bound = TraitRef { trait_id, args: Ty::list(&args) };
            if self.traits().might_hold(ty, bound) {
                return Some((bound, method));
            }
        }
        None
    }

    // ------------------------------------------------------------------------------- unknown receivers

    /// The receiver's type is open: look at the arguments and wait.
    fn pend_call(&mut self, call: MethodCall<'_>, receiver: Ty) -> Ty {
        let args: Vec<Ty> = call
            .args
            .iter()
            .map(|arg| {
                let ty = self.value(arg.value, Expect::Any);
                // A waiting call cannot tell a literal its type.
                self.settle(ty);
                ty
            })
            .collect();
        let known = receiver.known_fields().filter(|_| !call.has_parens);
        let ret = match known.and_then(|fields| fields.iter().find(|it| it.0 == call.name)) {
            Some(&(_, ty)) => ty,
            None => self.fresh(),
        };
        let span = Span::new(self.body.file, call.name_range);
        self.st.pending.push(Pending {
            what: Asked::Call {
                expr: call.expr,
                receiver: call.receiver,
                args: call.args.to_vec(),
                type_args: call.type_args,
            },
            receiver,
            name: call.name,
            args,
            maybe_field: !call.has_parens,
            ret,
            module: self.module,
            span,
            body_owner: self.function,
        });
        ret
    }

    /// A called function asks a member of a type it is given.
    pub(super) fn pending_member(
        &mut self,
        slot: &Slot,
        n: u32,
        member: &MemberBound,
        args: &[Ty],
        function: FnId,
        span: Span,
    ) {
        let mut path = slot.path.clone();
        path.push(n);
        let slot = Slot { expr: slot.expr, path };
        let pending = Pending {
            what: Asked::Bound { slot, function },
            receiver: subst(member.receiver, args),
            name: member.name,
            args: member.args.iter().map(|&ty| subst(ty, args)).collect(),
            maybe_field: member.maybe_field,
            ret: subst(member.ret, args),
            module: member.module,
            span,
            body_owner: self.function,
        };
        self.st.pending.push(pending);
    }

    /// Tries everything that waits for a receiver; whether anything was settled.
    pub(super) fn try_pending(&mut self) -> bool {
        let mut progress = false;
        let mut at = 0;
        while at < self.st.pending.len() {
            let receiver = self.shallow(self.st.pending[at].receiver);
            if receiver.may_get_fields() {
                at += 1;
                continue;
            }
            let pending = self.st.pending.remove(at);
            self.settle_pending(pending, receiver);
            progress = true;
        }
        progress
    }

    fn settle_pending(&mut self, pending: Pending, receiver: Ty) {
        let bare = self.shallow(receiver.peel_ref());
        if bare.is_error() {
            let error = self.error();
            self.s.table.unify(pending.ret, error).ok();
            return;
        }
        let arity = pending.args.len() as u32;
        let search = self.find_member(bare, pending.name, arity, pending.maybe_field, pending.module);
        match (pending.what, search) {
            (Asked::Call { expr, receiver, args, type_args }, Search::Found(found)) => {
                let call = MethodCall {
                    expr,
                    receiver,
                    name: pending.name,
                    name_range: pending.span.range,
                    type_args,
                    args: &args,
                    has_parens: !pending.maybe_field,
                };
                let ret = self.use_pending(call, bare, found, &pending.args);
                self.unify(expr, ret, pending.ret);
            }
            (Asked::Call { expr, receiver, args, type_args }, other) => {
                let call = MethodCall {
                    expr,
                    receiver,
                    name: pending.name,
                    name_range: pending.span.range,
                    type_args,
                    args: &[],
                    has_parens: !pending.maybe_field,
                };
                let _ = args;
                let error = self.no_member(call, bare, other);
                self.s.table.unify(pending.ret, error).ok();
            }
            (Asked::Bound { slot, function }, Search::Found(found)) => {
                let found = self.meet_bound(slot, bare, found, &pending.args, pending.ret, pending.span);
                if let Some(takes) = found.filter(|takes| *takes != pending.args.len()) {
                    let shown = self.show(bare);
                    let given = pending.args.len();
                    let by = (self.ck.defs.fn_path(function), self.ck.defs.fn_span(function));
                    self.report(words::bound_arity(pending.span, pending.name, &shown, (takes, given), by));
                }
            }
            (Asked::Bound { function, .. }, _) => {
                let (shown, path) = (self.show(bare), self.ck.defs.fn_path(function));
                self.report(words::bound_member(
                    pending.span,
                    pending.name,
                    &shown,
                    path,
                    self.ck.defs.fn_span(function),
                ));
                let error = self.error();
                self.s.table.unify(pending.ret, error).ok();
            }
        }
    }

    fn use_pending(&mut self, call: MethodCall<'_>, bare: Ty, found: Found, types: &[Ty]) -> Ty {
        let (function, params, ret) = match found {
            Found::Field { variant, index, ty } => {
                self.st.types.callees.insert(call.expr, Callee::Field { variant, index });
                return ty;
            }
            Found::Fn { function } => {
                let span = self.span(call.expr);
                let instance = self.instantiate(call.expr, function, call.type_args, span);
                (function, instance.params, instance.ret)
            }
            Found::Trait { bound, method } => {
                self.instantiate_trait_method(call.expr, bare, bound, method, call.type_args)
            }
        };
        let params = self.param_infos(function, &params);
        if let Some(first) = params.first() {
            let receiver = self.shallow(self.st.types.exprs[call.receiver]);
            self.pass_receiver(call.receiver, receiver, bare, first.ty);
        }
        let inputs = Inputs { args: call.args, has_receiver: true, typed: Some(types) };
        self.arguments(call.expr, Some(function), &params, inputs);
        ret
    }

    /// Evidence for a member bound of a called function. Gives how many arguments it takes, if it is a function.
    fn meet_bound(
        &mut self,
        slot: Slot,
        bare: Ty,
        found: Found,
        args: &[Ty],
        ret: Ty,
        span: Span,
    ) -> Option<usize> {
        let (params, found_ret) = match found {
            Found::Field { index, ty, .. } => {
                self.set_evidence(&slot, Evidence::Field { ty: bare, index });
                self.unify_at(span, ty, ret);
                return None;
            }
            Found::Fn { function } => {
                let instance = self.instantiate_into(slot, function, &[], None, span);
                (instance.params, instance.ret)
            }
            Found::Trait { bound, method } => {
                let (_, fact, params, ret) = self.trait_method_types(span, bare, bound, method, &[]);
                if let Callee::Method { trait_id, method, args, own_args } = fact {
                    self.set_evidence(&slot, Evidence::Method { trait_id, method, args, own_args });
                }
                (params, ret)
            }
        };
        // A bound's evidence is called with values only.
        if let Some(&first) = params.first() {
            self.unify_at(span, bare, first.peel_ref());
        }
        for (&param, &arg) in params.iter().skip(1).zip(args) {
            self.unify_at(span, arg, param);
        }
        self.unify_at(span, found_ret, ret);
        Some(params.len().saturating_sub(1))
    }
}
