//! What a body leaves for [`crate::needs`]: which of the types and functions that its callers choose go to other tasks,
//! and whom it calls that may hand them on.

use qz_base::{FxHashMap, FxHashSet, Span};
use qz_hir::body::{Body, Expr, ExprId, LambdaId, LocalId, Pat, Stmt};
use qz_types::{Ty, TyKind};

use super::Infer;
use super::crossings::use_in;
use crate::diagnostics as words;
use crate::facts::{Callee, CalleeFn, Evidence, ForPlan, ParamSource};
use crate::needs::{CallNote, Capture, Given, Need, Notes, What};
use crate::traits::{Goal, Marker, Obligation};

impl Infer<'_, '_> {
    /// Whether a bound that does not hold is one that callers are asked to meet.
    pub(super) fn left_to_callers(&mut self, obligation: &Obligation) -> bool {
        let Goal::Trait { ty, bound } = obligation.goal else { return false };
        let Some(marker) = self.ck.marker_of(bound.trait_id) else { return false };
        let ty = self.resolve(ty);
        // What a function has captured is not told by its type.
        if marker == Marker::Send && matches!(ty.kind(), TyKind::Fn(_)) {
            return true;
        }
        let mut open = Vec::new();
        let fits = self.traits().unfit_part(ty, marker, &mut open).is_none();
        if fits {
            self.st.left_open.push((ty, marker, obligation.span));
        }
        fits
    }

    /// A value of this type goes to another task, or several may know it.
    pub(super) fn needs_type(&mut self, asked: Vec<(Ty, Marker)>, span: Span) {
        for (ty, marker) in asked {
            self.need(What::Type(ty, marker), span);
        }
    }

    pub(super) fn need(&mut self, what: What, span: Span) {
        if self.st.needs.iter().all(|it| it.what != what) {
            self.st.needs.push(Need::here(what, span));
        }
    }

    /// For a body that has no errors, with its final types.
    pub(super) fn noted(&mut self) -> Notes {
        for (ty, marker, span) in std::mem::take(&mut self.st.left_open) {
            let mut open = Vec::new();
            if let Some(part) = self.traits().unfit_part(ty, marker, &mut open) {
                let facts = self.not_send_facts(words::Crosses::Value, ty, part);
                self.report(words::not_send(span, &facts));
            }
            self.needs_type(open, span);
        }
        let known = known_lambdas(&self.body);
        let mut calls = Vec::new();
        let body = self.body.clone();
        for id in body.exprs.ids() {
            let span = self.span(id);
            if let Some(Callee::Fn(callee)) = self.st.types.callees.get(id) {
                let callee = callee.clone();
                let given = self.given_to(id, &callee, &known);
                self.note_call(&callee, span, given, &mut calls);
            }
            if let Some(ForPlan::Iterator { iter, next, .. }) = self.st.types.loops.get(id) {
                for it in iter.clone().into_iter().chain([next.clone()]) {
                    if let Callee::Fn(callee) = it {
                        self.note_call(&callee, span, None, &mut calls);
                    }
                }
            }
        }
        let used_again = std::mem::take(&mut self.st.used_again);
        Notes { needs: std::mem::take(&mut self.st.needs), calls, used_again }
    }

    /// A function is called, with these functions among its arguments, or it may be: what it is given is not known then.
    fn note_call(
        &self,
        callee: &CalleeFn,
        span: Span,
        given: Option<Vec<(u32, Vec<Given>)>>,
        calls: &mut Vec<CallNote>,
    ) {
        let def = &self.ck.defs.fns[callee.function];
        let is_std = self.ck.defs.modules[def.module].is_std;
        let may_need = match given {
            // The library's functions write what they ask of types, and what crosses is looked at where it does.
            Some(_) if is_std => def.attrs.shares,
            None if is_std => def.crosses(),
            Some(ref given) if callee.type_args.is_empty() => !given.is_empty(),
            _ => !callee.type_args.is_empty(),
        };
        let given = given.unwrap_or_default();
        if def.has_body && may_need {
            calls.push(CallNote { function: callee.function, type_args: callee.type_args, span, given });
        }
        for evidence in &callee.evidence {
            if let Evidence::Fn(inner) = evidence {
                self.note_call(inner, span, None, calls);
            }
        }
    }

    /// The functions among the arguments of a call of which something is known.
    fn given_to(&self, id: ExprId, callee: &CalleeFn, known: &Lambdas) -> Option<Vec<(u32, Vec<Given>)>> {
        let (Expr::Call { args, .. } | Expr::Method { args, .. }) = &self.body.exprs[id] else { return None };
        let def = &self.ck.defs.fns[callee.function];
        // What crosses at once was looked at where it does.
        if def.crosses() && !def.attrs.shares {
            return Some(Vec::new());
        }
        let plan = self.st.types.plans.get(id)?;
        let mut all = Vec::new();
        for (n, source) in plan.params.iter().enumerate() {
            let ParamSource::Arg(arg) = source else { continue };
            let mut given = Vec::new();
            self.given(args[*arg as usize].value, known, &mut given);
            if !given.is_empty() {
                all.push((n as u32, given));
            }
        }
        Some(all)
    }

    /// What is known of a function value: what it captured, where that may matter.
    fn given(&self, value: ExprId, known: &Lambdas, out: &mut Vec<Given>) {
        match &self.body.exprs[value] {
            Expr::Lambda { lambda } => self.captured_by(*lambda, known, out),
            Expr::Local { local } => self.given_by_name(*local, known, out),
            _ => {}
        }
    }

    pub(super) fn given_by_name(&self, local: LocalId, known: &Lambdas, out: &mut Vec<Given>) {
        if let Some(&lambda) = known.0.get(&local) {
            return self.captured_by(lambda, known, out);
        }
        let is_function = self.st.types.locals.get(local).is_some_and(|ty| ty.peel_ref().as_fn().is_some());
        let param = self.body.params.iter().position(|it| it.local == local);
        if let Some(index) = param.filter(|_| is_function) {
            out.push(Given::Param(index as u32));
        }
    }

    fn captured_by(&self, lambda: LambdaId, known: &Lambdas, out: &mut Vec<Given>) {
        let body = &self.body;
        for (lambda, local) in known.captures(body, lambda) {
            let decl = &body.locals[local];
            let ty = self.st.types.locals[local].peel_ref();
            if ty.as_fn().is_some() && !decl.shared {
                self.given_by_name(local, known, out);
                continue;
            }
            let span = use_in(body, body.lambdas[lambda].body, local).unwrap_or(decl.span);
            out.push(Given::Captured(Capture { name: decl.name, ty, is_var: decl.shared, span }));
        }
    }
}

/// Names that stand for one lambda.
#[derive(Default)]
pub(super) struct Lambdas(FxHashMap<LocalId, LambdaId>);

impl Lambdas {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn of(&self, local: LocalId) -> Option<LambdaId> {
        self.0.get(&local).copied()
    }

    /// What a lambda captured, and behind the names of lambdas among that what those did: each once, and by which.
    pub(super) fn captures(&self, body: &Body, lambda: LambdaId) -> Vec<(LambdaId, LocalId)> {
        let (mut found, mut seen) = (Vec::new(), FxHashSet::default());
        let mut open = vec![lambda];
        while let Some(lambda) = open.pop() {
            for &local in &body.lambdas[lambda].captures {
                if !seen.insert(local) {
                    continue;
                }
                match self.of(local).filter(|_| !body.locals[local].shared) {
                    Some(inner) => open.push(inner),
                    None => found.push((lambda, local)),
                }
            }
        }
        found
    }
}

pub(super) fn known_lambdas(body: &Body) -> Lambdas {
    let mut known = FxHashMap::default();
    for expr in body.exprs.values() {
        let Expr::Block { stmts, .. } = expr else { continue };
        for stmt in stmts {
            if let Stmt::Bind { pat, value, .. } = stmt
                && let Pat::Bind { local, .. } = body.pats[*pat]
                && let Expr::Lambda { lambda } = body.exprs[*value]
                && !body.locals[local].mutable
            {
                known.insert(local, lambda);
            }
        }
    }
    Lambdas(known)
}
