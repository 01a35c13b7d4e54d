//! Calls of functions, constructors and function values; instantiation.

use qz_base::Span;
use qz_hir::body::*;
use qz_types::ty::common;
use qz_types::{AdtId, FnId, Row, Ty, TyKind, Tys, subst};

use super::args::{Inputs, ParamInfo};
use super::{Expect, Infer, Slot};
use crate::checker::{FnScheme, SeenFn};
use crate::diagnostics as words;
use crate::facts::*;
use crate::traits::Obligation;

/// A function with fresh types for its parameters.
pub(super) struct Instance {
    pub(super) params: Vec<Ty>,
    pub(super) ret: Ty,
    pub(super) type_args: Vec<Ty>,
}

impl Infer<'_, '_> {
    pub(super) fn call(&mut self, id: ExprId, callee: ExprId, args: &[Arg], expect: Expect) -> Ty {
        match self.expr_node(callee) {
            Expr::Fns { candidates, type_args } => {
                let Some(function) = self.pick_overload(id, &candidates, args, 0) else {
                    return self.failed_call(args);
                };
                self.call_fn(id, function, type_args, Inputs::plain(args), expect)
            }
            Expr::Variant { adt, variant, type_args } => {
                self.call_variant(id, callee, adt, variant, type_args, args, expect)
            }
            Expr::Newtype { adt, type_args } => self.call_newtype(id, callee, adt, type_args, args),
            Expr::BareVariant { name } => {
                let expected = match expect {
                    Expect::Hint(hint) => Some(hint),
                    _ => None,
                };
                let span = self.span(callee);
                match self.find_bare_variant(span, name, expected) {
                    Some((adt, variant)) => self.call_variant(id, callee, adt, variant, &[], args, expect),
                    None => self.failed_call(args),
                }
            }
            Expr::TypeRecv { ty } => {
                if let Some((adt, variant)) = self.variant_named_as_type(ty, expect) {
                    return self.call_variant(id, callee, adt, variant, &[], args, expect);
                }
                let span = self.span(callee);
                let ty = self.fill_holes(ty);
                let shown = self.show(ty);
                let problem = words::call_type(span, &shown);
                let is_adt = ty.as_adt().is_some();
                let problem =
                    if is_adt { self.how_made(problem, ty) } else { words::convert(problem, &shown) };
                self.report(problem);
                self.failed_call(args)
            }
            _ => self.call_value(id, callee, args, expect),
        }
    }

    /// After a reported problem: arguments are still looked at for their own.
    pub(super) fn failed_call(&mut self, args: &[Arg]) -> Ty {
        for arg in args {
            self.expr(arg.value, Expect::Any);
        }
        self.error()
    }

    /// The overload that takes this many arguments.
    pub(super) fn pick_overload(
        &mut self,
        id: ExprId,
        candidates: &[FnId],
        args: &[Arg],
        receiver: u32,
    ) -> Option<FnId> {
        if let [only] = candidates {
            return Some(*only);
        }
        let has_spread = args.iter().any(|arg| arg.kind == ArgKind::Spread);
        let given = args.len() as u32 + receiver;
        let accepts = |f: FnId| {
            let (min, max) = self.ck.defs.fns[f].arity;
            let fits = min <= given && max.is_none_or(|max| given <= max);
            if has_spread { max.is_none_or(|max| max + 1 >= given) } else { fits }
        };
        let fitting: Vec<FnId> = candidates.iter().copied().filter(|&f| accepts(f)).collect();
        if let [only] = fitting[..] {
            return Some(only);
        }
        let span = self.span(id);
        let name = self.ck.defs.fns[candidates[0]].name;
        let arities: Vec<(u32, Option<u32>)> =
            candidates.iter().map(|&f| self.ck.defs.fns[f].arity).collect();
        self.report(words::no_overload(span, name, given, &arities));
        None
    }

    /// Fresh types for a function's parameters; its bounds become obligations. The fact is recorded at
    /// `id`.
    pub(super) fn instantiate(&mut self, id: ExprId, function: FnId, written: Tys, span: Span) -> Instance {
        let slot = Slot { expr: id, path: Vec::new() };
        self.st.types.callees.insert(id, Callee::Fn(CalleeFn::plain(function)));
        self.instantiate_into(slot, function, written, None, span)
    }

    pub(super) fn instantiate_into(
        &mut self,
        slot: Slot,
        function: FnId,
        written: Tys,
        outer: Option<&[Ty]>,
        span: Span,
    ) -> Instance {
        match self.scheme(function) {
            SeenFn::Known(scheme) => self.instantiate_scheme(slot, function, &scheme, written, outer, span),
            SeenFn::Open { params, ret } => {
                if !self.shares_generics(function) {
                    let defs = self.ck.defs;
                    self.report(words::recursive_generic(
                        span,
                        defs.fns[function].name,
                        defs.fn_span(function),
                    ));
                    let params = params.iter().map(|_| self.error()).collect();
                    return Instance { params, ret: self.error(), type_args: Vec::new() };
                }
                self.st.open_calls.push((slot, function));
                Instance { params, ret, type_args: Vec::new() }
            }
        }
    }

    /// Whether written type parameters mean the same in a function of the group at hand as in this one: inside
    /// a group recursion is monomorphic.
    fn shares_generics(&self, function: FnId) -> bool {
        let defs = self.ck.defs;
        let generics = &defs.fn_sig(function).generics;
        let same_impl = defs.fns[function].container == defs.fns[self.function].container;
        function == self.function
            || generics.is_empty()
            || same_impl && generics.outer as usize == generics.len()
    }

    fn instantiate_scheme(
        &mut self,
        slot: Slot,
        function: FnId,
        scheme: &FnScheme,
        written: Tys,
        outer: Option<&[Ty]>,
        span: Span,
    ) -> Instance {
        let generics = &scheme.generics;
        let mut args: Vec<Ty> = outer.map(<[Ty]>::to_vec).unwrap_or_default();
        let first_own = (generics.outer as usize).max(args.len());
        while args.len() < first_own {
            args.push(self.fresh());
        }
        let own = generics.len().saturating_sub(first_own);
        let inferred_from = self.ck.defs.fn_sig(function).generics.len().saturating_sub(first_own);
        if !written.is_empty() && written.len() != inferred_from {
            let name = self.ck.defs.fns[function].name;
            self.report(words::type_arg_count(span, name, inferred_from, written.len()));
        }
        for n in 0..own {
            let arg = match written.get(n) {
                Some(&ty) => self.fill_holes(ty),
                None => self.fresh(),
            };
            args.push(arg);
        }
        self.note_rows(generics, &args);
        let type_args = Ty::list(&args);
        self.set_callee(
            &slot,
            CalleeFn { function, type_args, evidence: vec![Evidence::Error; scheme.members.len()] },
        );
        // Any type has `Linear`: what it is asked for is how its values are used.
        for pred in generics.preds.iter().filter(|it| !self.ck.is_linear_bound(it.trait_ref)) {
            let ty = subst(pred.ty, &args);
            let ty = self.normalize(ty);
            let bound = qz_types::subst::subst_trait_ref(pred.trait_ref, &args);
            let mut obligation = Obligation::trait_(ty, bound, span);
            obligation.assoc = pred.assoc.iter().map(|&(name, ty)| (name, subst(ty, &args))).collect();
            obligation.asked_by = Some(function);
            self.st.obligations.push(obligation);
        }
        for (n, member) in scheme.members.iter().enumerate() {
            self.pending_member(&slot, n as u32, member, &args, function, span);
        }
        let params: Vec<Ty> = scheme.params.iter().map(|&ty| subst(ty, &args)).collect();
        let params = params.into_iter().map(|ty| self.normalize(ty)).collect();
        let ret = self.normalize(subst(scheme.ret, &args));
        Instance { params, ret, type_args: args }
    }

    /// The fact a slot leads to.
    fn set_callee(&mut self, slot: &Slot, callee: CalleeFn) {
        if slot.path.is_empty() {
            self.st.types.callees.insert(slot.expr, Callee::Fn(callee));
        } else {
            self.set_evidence(slot, Evidence::Fn(callee));
        }
    }

    pub(super) fn set_evidence(&mut self, slot: &Slot, evidence: Evidence) {
        if let Some(target) = evidence_slot(&mut self.st.types, slot) {
            *target = evidence;
        }
    }

    /// A call of a known function: types, arguments, result.
    pub(super) fn call_fn(
        &mut self,
        id: ExprId,
        function: FnId,
        written: Tys,
        inputs: Inputs<'_>,
        expect: Expect,
    ) -> Ty {
        let span = self.span(id);
        let instance = self.instantiate(id, function, written, span);
        self.hint_result(instance.ret, expect);
        let params = self.param_infos(function, &instance.params);
        self.arguments(id, Some(function), &params, inputs);
        self.result(instance.ret)
    }

    /// What is expected of the result may fix type arguments before the arguments are looked at.
    pub(super) fn hint_result(&mut self, ret: Ty, expect: Expect) {
        self.st.wanted = None;
        let Expect::Hint(hint) = expect else { return };
        let (ret, hint) = (self.shallow(ret), self.shallow(hint));
        if ret.is_infer() && !self.converts(hint) {
            self.st.wanted = Some((ret, hint));
        }
        // A bare variable says nothing, and a `dyn`, union or number is decided by the value.
        let useful = !ret.is_infer()
            && !hint.is_infer()
            && !self.converts(hint)
            && !matches!(hint.kind(), TyKind::Ref(..));
        if useful {
            let at = self.s.table.snapshot();
            match self.s.table.unify(ret, hint) {
                Ok(()) => self.s.table.commit(at),
                Err(_) => self.s.table.rollback(at),
            }
        }
    }

    pub(super) fn result(&mut self, ret: Ty) -> Ty {
        self.shallow(ret)
    }

    /// Parameters with names, for planning.
    pub(super) fn param_infos(&self, function: FnId, types: &[Ty]) -> Vec<ParamInfo> {
        let sig = self.ck.defs.fn_sig(function);
        sig.params
            .iter()
            .zip(types)
            .map(|(param, &ty)| ParamInfo {
                name: Some(param.name),
                ty,
                has_default: param.has_default,
                is_rest: param.is_rest,
            })
            .collect()
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a constructor call")]
    fn call_variant(
        &mut self,
        id: ExprId,
        callee: ExprId,
        adt: AdtId,
        variant: u32,
        type_args: Tys,
        args: &[Arg],
        expect: Expect,
    ) -> Ty {
        let (ty, adt_args) = self.adt_for(adt, type_args, expect);
        let fields = self.variant_fields(adt, variant, &adt_args);
        let params: Vec<ParamInfo> = fields
            .iter()
            .map(|&(name, ty)| ParamInfo { name: Some(name), ty, has_default: false, is_rest: false })
            .collect();
        let fact = Callee::Variant { adt, variant };
        self.st.types.callees.insert(id, fact.clone());
        self.st.types.callees.insert(callee, fact);
        let types: Vec<Ty> = params.iter().map(|it| it.ty).collect();
        self.st.types.exprs.insert(callee, Ty::func(&types, ty, Row::EMPTY));
        self.arguments(id, None, &params, Inputs::plain(args));
        ty
    }

    fn call_newtype(&mut self, id: ExprId, callee: ExprId, adt: AdtId, type_args: Tys, args: &[Arg]) -> Ty {
        if let Some(check) = self.refined_constructor(adt) {
            return self.call_fn(id, check, &[], Inputs::plain(args), Expect::Any);
        }
        let (ty, adt_args) = self.adt_for(adt, type_args, Expect::Any);
        let fields = self.variant_fields(adt, 0, &adt_args);
        let params: Vec<ParamInfo> = fields
            .iter()
            .map(|&(_, ty)| ParamInfo { name: None, ty, has_default: false, is_rest: false })
            .collect();
        self.st.types.callees.insert(id, Callee::Newtype { adt });
        self.st.types.callees.insert(callee, Callee::Newtype { adt });
        let types: Vec<Ty> = params.iter().map(|it| it.ty).collect();
        self.st.types.exprs.insert(callee, Ty::func(&types, ty, Row::EMPTY));
        self.arguments(id, None, &params, Inputs::plain(args));
        ty
    }

    /// A call of whatever value the callee expression has.
    fn call_value(&mut self, id: ExprId, callee: ExprId, args: &[Arg], expect: Expect) -> Ty {
        let ty = self.value(callee, Expect::Any);
        let ty = self.known(ty);
        self.st.types.callees.insert(id, Callee::Value);
        match *ty.kind() {
            TyKind::Fn(f) => {
                self.hint_result(f.ret, expect);
                let params: Vec<ParamInfo> = f
                    .params
                    .iter()
                    .map(|&ty| ParamInfo { name: None, ty, has_default: false, is_rest: false })
                    .collect();
                self.arguments(id, None, &params, Inputs::plain(args));
                self.result(f.ret)
            }
            TyKind::Infer(_) => {
                // An unknown callee is a function of what it is given.
                let types: Vec<Ty> = args.iter().map(|arg| self.value(arg.value, Expect::Any)).collect();
                let ret = self.fresh();
                let sources = (0..args.len() as u32).map(ParamSource::Arg).collect();
                self.st.types.plans.insert(id, CallPlan { params: sources });
                self.unify(callee, ty, Ty::func(&types, ret, Row::EMPTY));
                ret
            }
            TyKind::Error => self.failed_call(args),
            TyKind::Never => {
                self.failed_call(args);
                common().never
            }
            _ => {
                let span = self.span(callee);
                let shown = self.show(ty);
                self.report(words::not_callable(span, &shown));
                self.failed_call(args)
            }
        }
    }
}

/// The evidence a slot leads to.
pub(super) fn evidence_slot<'t>(types: &'t mut BodyTypes, slot: &Slot) -> Option<&'t mut Evidence> {
    let (first, rest) = slot.path.split_first()?;
    let Some(Callee::Fn(callee)) = types.callees.get_mut(slot.expr) else { return None };
    let mut at = callee.evidence.get_mut(*first as usize)?;
    for &step in rest {
        let Evidence::Fn(inner) = at else { return None };
        at = inner.evidence.get_mut(step as usize)?;
    }
    Some(at)
}
