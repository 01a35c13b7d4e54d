//! Calls of C, with their final types: they stand in `unsafe`, what goes to `...` has a form in C, and what
//! becomes a C function is one.

use qz_base::Name;
use qz_hir::FnKind;
use qz_hir::body::{Expr, ExprId};
use qz_types::{FnId, Ty, Tys};

use super::Infer;
use crate::diagnostics as words;
use crate::diagnostics::UnsafeCall;
use crate::facts::{Callee, CalleeFn, Evidence, ParamSource};
use crate::foreign::CPlace;

impl Infer<'_, '_> {
    /// Looks through a body that has no errors.
    pub(super) fn check_foreign_calls(&mut self) {
        let mut calls: Vec<(ExprId, CalleeFn)> = Vec::new();
        for (id, callee) in self.st.types.callees.iter() {
            self.each_called(callee, &mut |called| calls.push((id, called)));
        }
        let is_safe_place =
            self.ck.defs.modules[self.module].is_std || self.ck.defs.fns[self.function].attrs.is_unsafe;
        for (id, called) in calls {
            let def = &self.ck.defs.fns[called.function];
            if !is_safe_place && let Some(why) = self.why_unsafe(called.function) {
                self.check_unsafe(id, called.function, why);
            }
            if let FnKind::ExternC { variadic: true } = def.kind {
                self.check_variadic(id, called.function);
            }
            match def.attrs.lang.map(Name::as_str) {
                Some("c_fn") => self.check_c_fn(id),
                Some("c_call_method") => self.check_c_call(id, called.type_args),
                _ => {}
            }
        }
    }

    /// The functions that a call leads to: its own, and those that a structural function will call.
    fn each_called(&self, callee: &Callee, f: &mut dyn FnMut(CalleeFn)) {
        match callee {
            Callee::Fn(it) => each_fn(it, f),
            Callee::Method { trait_id, method, .. } => {
                let methods = &self.ck.defs.traits[*trait_id].methods;
                methods.get(*method as usize).into_iter().for_each(|&it| f(CalleeFn::plain(it)));
            }
            _ => {}
        }
    }

    fn why_unsafe(&self, function: FnId) -> Option<UnsafeCall> {
        let def = &self.ck.defs.fns[function];
        match def.kind {
            _ if def.attrs.is_unsafe => Some(UnsafeCall::Declared),
            FnKind::ExternC { .. } => Some(UnsafeCall::Foreign),
            FnKind::Intrinsic | FnKind::Runtime if def.attrs.lang.is_none() => Some(UnsafeCall::Library),
            _ => None,
        }
    }

    fn check_unsafe(&mut self, id: ExprId, function: FnId, why: UnsafeCall) {
        let span = self.span(id);
        let inside =
            |outer: &qz_base::TextRange| outer.start <= span.range.start && span.range.end <= outer.end;
        if !self.body.unsafe_ranges.iter().any(inside) {
            let name = self.ck.defs.fns[function].name;
            self.report(words::unsafe_call(span, name, why, self.ck.defs.fn_span(function)));
        }
    }

    /// What goes to `...` travels as a value.
    fn check_variadic(&mut self, id: ExprId, function: FnId) {
        let body = self.body.clone();
        let (Expr::Call { args, .. } | Expr::Method { args, .. }) = &body.exprs[id] else { return };
        let fixed = self.ck.defs.fn_sig(function).params.len();
        let Some(plan) = self.st.types.plans.get(id).cloned() else { return };
        for source in plan.params.iter().skip(fixed) {
            let ParamSource::Arg(n) = source else { continue };
            let value = args[*n as usize].value;
            let Some(&ty) = self.st.types.exprs.get(value) else { continue };
            if let Err(culprit) = self.ck.c_type(ty, CPlace::Param) {
                let (shown, span) = (self.show(ty), self.span(value));
                let inner = (culprit != ty).then(|| self.show(culprit));
                let place = if inner.is_none() { CPlace::Param } else { CPlace::Field };
                let help = self.ck.c_type_help(culprit, place);
                self.report(words::no_c_type(span, &shown, inner.as_deref(), help.as_deref()));
            }
        }
    }

    /// What a C pointer is called with travels to C.
    fn check_c_call(&mut self, id: ExprId, types: Tys) {
        let fits = |ty: Ty| ty.is_unit() || ty.is_never() || self.ck.c_type(ty, CPlace::Value).is_ok();
        if let Some(&ty) = types.iter().find(|&&ty| !fits(ty)) {
            let (span, shown) = (self.span(id), self.show(ty));
            let help = self.ck.c_type_help(ty, CPlace::Value);
            self.report(words::no_c_type(span, &shown, None, help.as_deref()));
        }
    }

    /// The argument of `c_fn` is code that needs nothing else.
    fn check_c_fn(&mut self, id: ExprId) {
        let body = self.body.clone();
        let Expr::Call { args, .. } = &body.exprs[id] else {
            let span = self.span(id);
            return self.report(words::no_c_function(span, None));
        };
        let Some(arg) = args.first() else { return };
        let span = self.span(arg.value);
        match &body.exprs[arg.value] {
            Expr::Lambda { lambda } => {
                if let Some(&local) = body.lambdas[*lambda].captures.first() {
                    return self.report(words::no_c_function(span, Some(body.locals[local].name)));
                }
            }
            _ if matches!(self.st.types.callees.get(arg.value), Some(Callee::Fn(_))) => {}
            _ => return self.report(words::no_c_function(span, None)),
        }
        let ty: Option<Ty> = self.st.types.exprs.get(arg.value).copied();
        if let Some(ty) = ty
            && let Err(culprit) = self.ck.c_function(ty)
        {
            let inner = (culprit != ty).then(|| self.show(culprit));
            let shown = self.show(ty);
            self.report(words::c_function_type(span, &shown, inner.as_deref()));
        }
    }
}

/// A function and those that meet its member bounds.
fn each_fn(callee: &CalleeFn, f: &mut dyn FnMut(CalleeFn)) {
    f(CalleeFn { evidence: Vec::new(), ..callee.clone() });
    for evidence in &callee.evidence {
        if let Evidence::Fn(inner) = evidence {
            each_fn(inner, f);
        }
    }
}
