//! Closing a group: what is still open is settled, becomes a parameter of the signatures, or is an error;
//! then every recorded type is made final.

use std::sync::Arc;

use qz_base::{FxHashMap, Name};
use qz_hir::Generics;
use qz_hir::body::{Expr, ExprId, LocalId, LocalKind};
use qz_hir::defs::{GenericParam, Predicate};
use qz_types::ty::common;
use qz_types::{FnId, Fold, InferTable, Ty, TyFlags, TyKind, VarKind};

use super::methods::{Asked, Pending};
use super::{ExprOrPat, Infer, Inferred};
use crate::checker::{CheckedFn, Checker, FnScheme, MemberBound, Session};
use crate::diagnostics as words;
use crate::exhaustive;
use crate::facts::*;
use crate::needs::Notes;
use crate::traits::{Goal, Obligation};

/// Generalises the bodies of a finished group and makes their facts final.
pub(crate) fn finish_group(
    ck: &Checker<'_>,
    session: &mut Session,
    mut group: Vec<Inferred>,
) -> Vec<(FnId, CheckedFn, Notes)> {
    settle_group(ck, session, &mut group);
    if group.iter().any(|it| it.st.failed) {
        group.iter_mut().for_each(|it| it.st.group_failed = true);
    }
    let open = open_vars(ck, session, &group);
    let members = take_members(session, &mut group, &open);
    let bounds = take_bounds(session, &mut group, &open);
    let mut done = Vec::new();
    for inferred in group {
        let id = inferred.function;
        let (checked, notes) = finish_one(ck, session, inferred, &open, &members, &bounds);
        done.push((id, checked, notes));
    }
    done
}

/// Solves across the group until nothing moves.
fn settle_group(ck: &Checker<'_>, session: &mut Session, group: &mut [Inferred]) {
    // One body may tell another's variables; two rounds reach through any chain that literals end.
    for _ in 0..2 {
        for inferred in group.iter_mut() {
            with_cx(ck, session, inferred, |cx| {
                cx.solve(false);
                cx.settle_literals();
                cx.solve(true);
            });
        }
    }
    for inferred in group.iter_mut() {
        with_cx(ck, session, inferred, |cx| {
            if cx.settle_endless() {
                cx.solve(true);
            }
        });
    }
}

/// Runs `f` with the working state of a body that has been walked.
fn with_cx<R>(
    ck: &Checker<'_>,
    session: &mut Session,
    inferred: &mut Inferred,
    f: impl FnOnce(&mut Infer<'_, '_>) -> R,
) -> R {
    let mut cx = Infer {
        ck,
        s: session,
        function: inferred.function,
        module: inferred.module,
        body: inferred.body.clone(),
        ret: inferred.ret,
        preds: std::mem::take(&mut inferred.preds),
        st: std::mem::take(&mut inferred.st),
    };
    let result = f(&mut cx);
    (inferred.preds, inferred.st) = (cx.preds, cx.st);
    result
}

/// Variables left in the signatures of the group, in order: they become type parameters.
fn open_vars(ck: &Checker<'_>, session: &Session, group: &[Inferred]) -> Vec<u32> {
    let mut vars = Vec::new();
    for inferred in group {
        let sig = ck.defs.fn_sig(inferred.function);
        if sig.ret.is_some() && sig.params.iter().all(|p| p.ty.is_some()) {
            continue;
        }
        for &ty in inferred.params.iter().chain([&inferred.ret]) {
            collect_vars(&session.table, ty, &mut vars);
        }
    }
    // What is asked of a parameter may give more unknowns: `x.size` of an unknown `x`.
    let mut grew = true;
    while grew {
        let before = vars.len();
        for pending in group.iter().flat_map(|it| &it.st.pending) {
            let mut of_receiver = Vec::new();
            collect_vars(&session.table, pending.receiver, &mut of_receiver);
            if of_receiver.iter().all(|var| vars.contains(var)) {
                for &ty in pending.args.iter().chain([&pending.ret]) {
                    collect_vars(&session.table, ty, &mut vars);
                }
            }
        }
        for obligation in group.iter().flat_map(|it| &it.st.obligations) {
            let Goal::Trait { ty, bound } = &obligation.goal else { continue };
            let mut of_receiver = Vec::new();
            collect_vars(&session.table, *ty, &mut of_receiver);
            if !of_receiver.is_empty() && of_receiver.iter().all(|var| vars.contains(var)) {
                for &ty in bound.args.iter().chain(obligation.assoc.iter().map(|(_, ty)| ty)) {
                    collect_vars(&session.table, ty, &mut vars);
                }
            }
        }
        grew = vars.len() > before;
    }
    vars
}

fn collect_vars(table: &InferTable, ty: Ty, vars: &mut Vec<u32>) {
    table.resolve(ty).walk(&mut |part| {
        if let TyKind::Infer(var) = part.kind()
            && table.var_kind(part) == Some(VarKind::Any)
            && !vars.contains(&var.index)
        {
            vars.push(var.index);
        }
    });
}

/// Calls that wait for a parameter of the group become its member bounds.
fn take_members(session: &Session, group: &mut [Inferred], open: &[u32]) -> Vec<Pending> {
    let mut members = Vec::new();
    for inferred in group.iter_mut() {
        let pending = std::mem::take(&mut inferred.st.pending);
        for it in pending {
            let receiver = session.table.shallow(it.receiver);
            // A record that may get fields is as unknown as its rest.
            let unknown = match receiver.kind() {
                TyKind::OpenRecord(_, rest) => *rest,
                _ => receiver,
            };
            match unknown.kind() {
                TyKind::Infer(var) if open.contains(&var.index) => members.push(it),
                _ => inferred.st.pending.push(it),
            }
        }
    }
    members
}

/// Obligations on parameters of the group become its bounds.
fn take_bounds(session: &Session, group: &mut [Inferred], open: &[u32]) -> Vec<Obligation> {
    let mut bounds: Vec<Obligation> = Vec::new();
    for inferred in group.iter_mut() {
        let obligations = std::mem::take(&mut inferred.st.obligations);
        for it in obligations {
            let is_bound = match &it.goal {
                Goal::Trait { ty, .. } => matches!(
                    session.table.shallow(*ty).kind(),
                    TyKind::Infer(var) if open.contains(&var.index)
                ),
                Goal::Projection { .. } => false,
            };
            if is_bound { bounds.push(it) } else { inferred.st.obligations.push(it) }
        }
    }
    bounds
}

/// Variables of the group as one function's parameters.
struct Close<'a> {
    table: &'a InferTable,
    params: FxHashMap<u32, Ty>,
    /// What an unknown that is no parameter becomes.
    leftover: Ty,
    /// The first such unknown met.
    missed: Option<u32>,
}

impl Fold for Close<'_> {
    fn fold_ty(&mut self, ty: Ty) -> Ty {
        if !ty.has(TyFlags::INFER) {
            return ty;
        }
        let known = self.table.shallow(ty);
        match known.kind() {
            TyKind::Infer(var) => match self.params.get(&var.index) {
                Some(&param) => param,
                None => {
                    self.missed.get_or_insert(var.index);
                    self.leftover
                }
            },
            _ => self.fold_parts(known),
        }
    }
}

fn finish_one(
    ck: &Checker<'_>,
    session: &mut Session,
    mut inferred: Inferred,
    open: &[u32],
    members: &[Pending],
    bounds: &[Obligation],
) -> (CheckedFn, Notes) {
    let sig = ck.defs.fn_sig(inferred.function);
    let written = sig.generics.len() as u32;
    let is_written = sig.ret.is_some() && sig.params.iter().all(|p| p.ty.is_some());
    with_cx(ck, session, &mut inferred, |cx| {
        cx.settle_rows(if is_written { &[] } else { open });
        cx.report_open();
    });
    // What is unknown because of an error is one too, for callers as well.
    let failed = inferred.st.failed || inferred.st.group_failed;
    let open: &[u32] = if is_written || failed { &[] } else { open };
    let members = if failed { &[] } else { members };
    let bounds = if failed { &[] } else { bounds };
    patch_open_calls(ck, &mut inferred, open, members.len());
    record_members(&mut inferred, members);
    let names = param_names(&sig.generics, open.len());
    let params: FxHashMap<u32, Ty> = open
        .iter()
        .zip(&names)
        .enumerate()
        .map(|(n, (&var, &name))| (var, Ty::param(written + n as u32, name)))
        .collect();
    let c = common();
    let mut close = Close {
        table: &session.table,
        params,
        leftover: if failed { c.error } else { c.unit },
        missed: None,
    };
    let scheme = {
        let mut generics = (*sig.generics).clone();
        generics.params.extend(names.iter().map(|&name| GenericParam {
            name,
            range: ck.defs.fns[inferred.function].name_range,
            default: None,
        }));
        if !is_written {
            add_bounds(&mut generics, &mut close, bounds);
        }
        let params = inferred.params.iter().map(|&ty| close.fold_ty(ty)).collect();
        let ret = close.fold_ty(inferred.ret);
        let members = match is_written {
            true => Vec::new(),
            false => close_members(&mut close, members),
        };
        Arc::new(FnScheme { generics: Arc::new(generics), members, params, ret })
    };
    let mut types = std::mem::take(&mut inferred.st.types);
    let (unknown_locals, unknown_exprs) = close_types(&mut close, &mut types);
    (inferred.st.unknown_locals, inferred.st.unknown_exprs) = (unknown_locals, unknown_exprs);
    let hidden = inferred.st.hidden.iter().map(|&ty| close.fold_ty(ty)).collect();
    types.has_errors = inferred.st.failed;
    let preds = scheme.generics.preds.clone();
    let mut notes = Notes::default();
    for (ty, ..) in &mut inferred.st.left_open {
        *ty = close.fold_ty(*ty);
    }
    with_cx(ck, session, &mut inferred, |cx| {
        cx.preds = preds;
        std::mem::swap(&mut cx.st.types, &mut types);
        cx.check_literals();
        cx.check_casts();
        if !cx.st.failed {
            cx.report_unknown_types();
        }
        if !cx.st.failed {
            cx.check_matches();
        }
        if !cx.st.failed {
            cx.check_foreign_calls();
        }
        if !cx.st.failed {
            cx.check_crossings();
        }
        if !cx.st.failed {
            cx.check_lent();
        }
        if !cx.st.failed {
            notes = cx.noted();
        }
        if !cx.st.failed {
            cx.check_flow();
        }
        if !cx.st.failed {
            cx.lint();
        }
        std::mem::swap(&mut cx.st.types, &mut types);
    });
    types.has_errors = inferred.st.failed;
    (CheckedFn { scheme, body: inferred.body, types, hidden }, notes)
}

/// Names for inferred parameters that no written one has: `T`, `U`, …
fn param_names(written: &Generics, count: usize) -> Vec<Name> {
    let taken = |name: Name| written.params.iter().any(|it| it.name == name);
    let letters = ["T", "U", "V", "W", "X", "Y", "Z"].into_iter().map(str::to_owned);
    letters
        .chain((1..).map(|n| format!("T{n}")))
        .map(|text| Name::new(&text))
        .filter(|&name| !taken(name))
        .take(count)
        .collect()
}

fn add_bounds(generics: &mut Generics, close: &mut Close<'_>, bounds: &[Obligation]) {
    for it in bounds {
        let Goal::Trait { ty, bound } = &it.goal else { continue };
        let pred = Predicate {
            ty: close.fold_ty(*ty),
            trait_ref: close.fold_trait_ref(*bound),
            assoc: it.assoc.iter().map(|&(name, ty)| (name, close.fold_ty(ty))).collect(),
            span: it.span,
        };
        if !generics.preds.iter().any(|p| p.ty == pred.ty && p.trait_ref == pred.trait_ref) {
            generics.preds.push(pred);
        }
    }
}

fn close_members(close: &mut Close<'_>, members: &[Pending]) -> Vec<MemberBound> {
    members
        .iter()
        .map(|it| MemberBound {
            receiver: close.fold_ty(it.receiver),
            name: it.name,
            args: it.args.iter().map(|&ty| close.fold_ty(ty)).collect(),
            maybe_field: it.maybe_field,
            ret: close.fold_ty(it.ret),
            module: it.module,
            span: it.span,
        })
        .collect()
}

/// Calls inside the group: the callee's parameters are the group's own.
fn patch_open_calls(ck: &Checker<'_>, inferred: &mut Inferred, open: &[u32], members: usize) {
    for (slot, callee) in std::mem::take(&mut inferred.st.open_calls) {
        let sig = ck.defs.fn_sig(callee);
        // Only what shares its written parameters is called so.
        let mut args: Vec<Ty> = sig.generics.identity();
        args.extend(open.iter().map(|&var| Ty::infer(var)));
        let evidence = (0..members as u32).map(Evidence::Member).collect();
        let fact = CalleeFn { function: callee, type_args: Ty::list(&args), evidence };
        if slot.path.is_empty() {
            inferred.st.types.callees.insert(slot.expr, Callee::Fn(fact));
        } else if let Some(target) = super::calls::evidence_slot(&mut inferred.st.types, &slot) {
            *target = Evidence::Fn(fact);
        }
    }
}

/// Waiting calls that became member bounds are calls of those.
fn record_members(inferred: &mut Inferred, members: &[Pending]) {
    for (n, it) in members.iter().enumerate() {
        let n = n as u32;
        match &it.what {
            Asked::Call { expr, args, .. } => {
                // Only the body that asked has the expression.
                if it.body_owner != inferred.function {
                    continue;
                }
                inferred.st.types.callees.insert(*expr, Callee::Member(n));
                let mut params = vec![ParamSource::Receiver];
                params.extend((0..args.len() as u32).map(ParamSource::Arg));
                inferred.st.types.plans.insert(*expr, CallPlan { params });
            }
            Asked::Bound { slot, .. } => {
                if it.body_owner == inferred.function
                    && let Some(target) = super::calls::evidence_slot(&mut inferred.st.types, slot)
                {
                    *target = Evidence::Member(n);
                }
            }
        }
    }
}

/// Makes all types final; gives the names and expressions whose type nothing decided.
/// Gives the names and expressions whose types have unknowns, names with one of those.
fn close_types(close: &mut Close<'_>, types: &mut BodyTypes) -> (Vec<(LocalId, u32)>, Vec<ExprId>) {
    let (mut locals, mut exprs) = (Vec::new(), Vec::new());
    for (id, ty) in types.exprs.iter_mut() {
        close.missed = None;
        *ty = close.fold_ty(*ty);
        if close.missed.is_some() {
            exprs.push(id);
        }
    }
    types.pats.values_mut().for_each(|ty| *ty = close.fold_ty(*ty));
    for (id, ty) in types.locals.iter_mut() {
        close.missed = None;
        *ty = close.fold_ty(*ty);
        locals.extend(close.missed.map(|unknown| (id, unknown)));
    }
    types.callees.values_mut().for_each(|callee| close_callee(close, callee));
    types.coercions.values_mut().for_each(|it| close_coercion(close, it));
    types.loops.values_mut().for_each(|it| {
        if let ForPlan::Iterator { iter, iter_ty, next, item, by_pair: _ } = it {
            iter.iter_mut().for_each(|callee| close_callee(close, callee));
            close_callee(close, next);
            *iter_ty = close.fold_ty(*iter_ty);
            *item = close.fold_ty(*item);
        }
    });
    (locals, exprs)
}

fn close_callee(close: &mut Close<'_>, callee: &mut Callee) {
    match callee {
        Callee::Fn(it) => close_fn(close, it),
        Callee::Method { args, own_args, .. } => {
            *args = close.fold_list(args);
            *own_args = close.fold_list(own_args);
        }
        Callee::Member(_)
        | Callee::Field { .. }
        | Callee::SomeMembers
        | Callee::Value
        | Callee::Variant { .. }
        | Callee::Newtype { .. }
        | Callee::Primitive => {}
    }
}

fn close_fn(close: &mut Close<'_>, callee: &mut CalleeFn) {
    callee.type_args = close.fold_list(callee.type_args);
    for evidence in &mut callee.evidence {
        match evidence {
            Evidence::Fn(inner) => close_fn(close, inner),
            Evidence::Method { args, own_args, .. } => {
                *args = close.fold_list(args);
                *own_args = close.fold_list(own_args);
            }
            Evidence::Field { ty, .. } => *ty = close.fold_ty(*ty),
            Evidence::Member(_) | Evidence::Error => {}
        }
    }
}

impl Infer<'_, '_> {
    /// What is neither settled nor a parameter.
    fn report_open(&mut self) {
        for pending in std::mem::take(&mut self.st.pending) {
            if !self.follows_from_failure() {
                self.report(words::receiver_unknown(pending.span, pending.name));
            }
        }
        for obligation in std::mem::take(&mut self.st.obligations) {
            let Goal::Trait { ty, bound } = &obligation.goal else { continue };
            if self.shallow(*ty).is_infer() {
                // The unknown type itself is reported where it stands.
                continue;
            }
            let (ty, bound) = (self.resolve(*ty), *bound);
            let ways = self.traits().matching_impls(ty, bound);
            let is_open = ty.has(TyFlags::INFER)
                || self.s.table.resolve_list(bound.args).iter().any(|arg| arg.has(TyFlags::INFER));
            // Two impls for one type overlap, which is told where they stand.
            self.st.failed |= !is_open && ways.len() > 1;
            if !self.follows_from_failure() {
                let places: Vec<_> = ways.iter().take(2).map(|&it| self.ck.impl_span(it)).collect();
                let places = if places.len() > 1 { &places[..] } else { &[] };
                let (ty, bound) = (self.show(ty), self.show_bound(bound));
                self.report(words::ambiguous_bound(obligation.span, &ty, &bound, places));
            }
        }
    }

    /// Whether what is unknown may be so because of an error that was reported; then it is one too.
    fn follows_from_failure(&mut self) -> bool {
        self.st.failed |= self.st.group_failed;
        self.st.failed
    }

    /// Types that nothing decides, each told once, at the first name or expression that has it.
    fn report_unknown_types(&mut self) {
        let any = !self.st.unknown_locals.is_empty() || !self.st.unknown_exprs.is_empty();
        if any && self.follows_from_failure() {
            return;
        }
        let body = self.body.clone();
        let mut told = Vec::new();
        for (id, unknown) in std::mem::take(&mut self.st.unknown_locals) {
            let local = &body.locals[id];
            if local.kind != LocalKind::Hidden && !told.contains(&unknown) {
                told.push(unknown);
                self.report(words::cannot_infer_name(local.span, local.name));
            }
        }
        if !told.is_empty() {
            return;
        }
        if let Some(&expr) = self.st.unknown_exprs.first() {
            let span = self.span(expr);
            self.report(words::cannot_infer(span));
        }
    }

    /// Number literals against the types they got.
    fn check_literals(&mut self) {
        for (at, value, negative) in std::mem::take(&mut self.st.literal_values) {
            let (ty, span) = match at {
                ExprOrPat::Expr(expr) => (self.st.types.exprs.get(expr).copied(), self.span(expr)),
                ExprOrPat::Pat(pat) => (self.st.types.pats.get(pat).copied(), self.body.pat_span(pat)),
            };
            let Some(ty) = ty else { continue };
            match ty.kind() {
                TyKind::Int(int) => {
                    let fits = if negative {
                        value <= int.min_value().unsigned_abs()
                    } else {
                        value <= int.max_value() as u128
                    };
                    if !fits {
                        self.report(words::literal_range(
                            span,
                            value,
                            negative,
                            int.name(),
                            int.min_value(),
                            int.max_value(),
                        ));
                    }
                }
                TyKind::Float(float) => {
                    let exact = if *float == qz_types::FloatTy::F64 { 1u128 << 53 } else { 1u128 << 24 };
                    if value > exact && !is_exact(value, *float) {
                        self.report(words::literal_inexact(span, value, float.name()));
                    }
                }
                _ => {}
            }
        }
    }

    fn check_casts(&mut self) {
        for id in std::mem::take(&mut self.st.casts) {
            let Expr::Cast { value, kind, .. } = self.expr_node(id) else { continue };
            let (Some(&from), Some(&to)) = (self.st.types.exprs.get(value), self.st.types.exprs.get(id))
            else {
                continue;
            };
            let to = match kind {
                qz_hir::body::CastKind::Try => to.as_adt().map_or(to, |(_, args)| args[0]),
                _ => to,
            };
            let from = from.peel_ref();
            // There is no nearest variant.
            let wraps =
                kind == qz_hir::body::CastKind::Wrapping && self.ck.defs.variant_numbers(to).is_some();
            let fits = from.has(TyFlags::ERROR) || to.has(TyFlags::ERROR) || self.castable(from, to);
            if fits && (!wraps || from == to) {
                continue;
            }
            let span = self.span(id);
            let (from, to) = (from.display(self.ck.defs).to_string(), to.display(self.ck.defs).to_string());
            self.report(words::cannot_cast(span, &from, &to));
        }
    }

    /// Numbers into numbers, `Char` and integers, `Bool` to integers, newtypes to what they hold, enums and their numbers.
    fn castable(&self, from: Ty, to: Ty) -> bool {
        if from == to || from.is_numeric() && to.is_numeric() || from.is_never() {
            return true;
        }
        match (from.kind(), to.kind()) {
            (TyKind::Char, TyKind::Int(_))
            | (TyKind::Int(_), TyKind::Char)
            | (TyKind::Bool, TyKind::Int(_)) => true,
            (TyKind::Int(_), TyKind::Adt(id, _)) if self.ck.defs.packed(*id).is_some() => {
                self.ck.defs.adt_fields(*id).variants[0].fields[0].ty == from
            }
            (TyKind::Int(_), TyKind::Adt(..)) => self.ck.defs.variant_numbers(to).is_some(),
            (TyKind::Adt(..), TyKind::Int(_)) if self.ck.defs.variant_numbers(from).is_some() => true,
            (TyKind::Ptr(_), TyKind::Ptr(_)) => self.ck.defs.modules[self.module].is_std,
            (TyKind::Adt(id, args), _) if self.ck.defs.adts[*id].kind == qz_hir::AdtKind::Newtype => {
                let fields = self.ck.defs.adt_fields(*id);
                let inner = qz_types::subst(fields.variants[0].fields[0].ty, args);
                inner == to
            }
            _ => false,
        }
    }

    fn check_matches(&mut self) {
        for job in std::mem::take(&mut self.st.matches) {
            let problems = exhaustive::check(self.ck, &self.body, &self.st.types, self.module, &job);
            for problem in problems {
                self.report(problem);
            }
        }
    }
}

fn is_exact(value: u128, float: qz_types::FloatTy) -> bool {
    match float {
        qz_types::FloatTy::F64 => (value as f64) as u128 == value && value < 1u128 << 127,
        qz_types::FloatTy::F32 => (value as f32) as u128 == value && value < 1u128 << 127,
    }
}

fn close_coercion(close: &mut Close<'_>, it: &mut Coercion) {
    match it {
        Coercion::Member { to, before, variant: _ } => {
            *to = close.fold_ty(*to);
            before.iter_mut().for_each(|it| close_coercion(close, it));
        }
        Coercion::Dyn { from, to } | Coercion::Widen { from, to } | Coercion::Unrefine { from, to } => {
            *from = close.fold_ty(*from);
            *to = close.fold_ty(*to);
        }
        Coercion::Refine { to, checks: _ } => *to = close.fold_ty(*to),
        Coercion::AutoRef { .. } | Coercion::Deref | Coercion::Discard => {}
    }
}
