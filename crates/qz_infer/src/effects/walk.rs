//! The row of one body: what its expressions perform, and what the functions perform that it makes (latent effects).

use std::sync::Arc;

use qz_base::{FxHashMap, Name};
use qz_hir::body::*;
use qz_hir::{ImplId, TyHead};
use qz_types::{FnId, InferTable, Label, Row, TraitId, Ty, TyFlags, TyKind, Tys, VarKind, subst};

use super::solve::Rows;
use super::{Eff, Effects, Handled, Origin, Unserved, Unshared, Why, subst_label, subst_row};
use crate::checker::{CheckedFn, Checker};
use crate::facts::*;
use crate::traits::{Marker, TraitCx};

/// A function value that is kept where its effects are not written.
pub(super) struct Escape {
    pub(super) effects: Effects,
    pub(super) what: &'static str,
}

/// What a body performs, and what is wrong there.
pub(super) struct Found {
    pub(super) effects: Effects,
    /// Function values that are kept somewhere.
    pub(super) escapes: Vec<Escape>,
    pub(super) unserved: Vec<Unserved>,
}

pub(super) fn row(ck: &Checker<'_>, rows: &Rows, id: FnId) -> Found {
    let checked = ck.check_fn(id);
    let mut walk = Walk {
        ck,
        rows,
        checked: checked.clone(),
        found: Effects::default(),
        latent: FxHashMap::default(),
        kept: FxHashMap::default(),
        escapes: Vec::new(),
        unserved: Vec::new(),
        own: checked.scheme.params.iter().map(|ty| ty.row()).collect(),
    };
    for (index, param) in checked.body.params.iter().enumerate() {
        let ty = checked.types.locals.get(param.local).copied().filter(|ty| ty.as_fn().is_some());
        if let Some(ty) = ty {
            let origin = Origin { span: checked.body.locals[param.local].span, callee: None };
            let mut effects = Effects::default();
            effects.add(Eff::Param { index: index as u32, minus: Vec::new(), tasked: false }, origin);
            effects.add_row(ty.row(), origin);
            walk.latent.insert(param.local, effects);
        }
        if let Some(default) = param.default {
            walk.expr(default);
        }
    }
    let given = walk.latent(checked.body.root);
    walk.give(id, given);
    Found { effects: walk.found, escapes: walk.escapes, unserved: walk.unserved }
}

struct Walk<'a, 'd> {
    ck: &'a Checker<'d>,
    rows: &'a Rows,
    checked: Arc<CheckedFn>,
    /// Performed so far by the function or lambda at hand.
    found: Effects,
    /// What names perform that stand for functions or handlers.
    latent: FxHashMap<LocalId, Effects>,
    /// Names of handlers that captured what tasks cannot share.
    kept: FxHashMap<LocalId, Why>,
    escapes: Vec<Escape>,
    unserved: Vec<Unserved>,
    /// The rows of the function's parameters.
    own: Vec<Row>,
}

impl Walk<'_, '_> {
    fn origin(&self, id: ExprId, callee: Option<FnId>) -> Origin {
        Origin { span: self.checked.body.expr_span(id), callee }
    }

    /// A function value that is the function's own: its type must say what it can.
    fn give(&mut self, id: FnId, given: Effects) {
        let ret = self.ck.scheme(id).ret;
        if ret.as_fn().is_some() {
            let kept = given.without(ret.row(), &self.own);
            self.escapes.push(Escape { effects: kept.clone(), what: "given back" });
            self.found.extend(kept);
        } else {
            self.found.extend(given);
        }
    }

    /// What an expression performs; what its value may perform later counts as performed.
    fn expr(&mut self, id: ExprId) {
        let later = self.latent(id);
        self.found.extend(later);
    }

    /// Counts what an expression performs, and gives what its value performs when it is called.
    fn latent(&mut self, id: ExprId) -> Effects {
        let mut later = stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.latent_inner(id));
        // What makes a function is looked into; of any other, the type tells.
        if !matches!(self.checked.body.exprs[id], Expr::Lambda { .. } | Expr::Fns { .. }) {
            later.add_row(self.row_of_type(id), self.origin(id, None));
        }
        later
    }

    fn row_of_type(&self, id: ExprId) -> Row {
        self.checked.types.exprs.get(id).map_or(Row::EMPTY, |ty| ty.row())
    }

    fn latent_inner(&mut self, id: ExprId) -> Effects {
        let body = self.checked.body.clone();
        self.coercion(id);
        match &body.exprs[id] {
            Expr::Lambda { lambda } => {
                let outer = std::mem::take(&mut self.found);
                self.expr(body.lambdas[*lambda].body);
                return std::mem::replace(&mut self.found, outer);
            }
            // Initialisers are told for themselves.
            Expr::Static { .. } | Expr::Const { .. } => return Effects::default(),
            Expr::Fns { .. } => return self.named_function(id),
            Expr::Local { local } => return self.latent.get(local).cloned().unwrap_or_default(),
            Expr::Block { stmts, tail } => {
                for stmt in stmts {
                    self.stmt(stmt);
                }
                return tail.map(|tail| self.latent(tail)).unwrap_or_default();
            }
            Expr::If { cond, then, else_ } => {
                self.expr(*cond);
                let mut later = self.latent(*then);
                later.extend(else_.map(|it| self.latent(it)).unwrap_or_default());
                return later;
            }
            Expr::Match { subject, arms, .. } => {
                self.expr(*subject);
                let mut later = Effects::default();
                for arm in arms {
                    arm.guard.into_iter().for_each(|it| self.expr(it));
                    later.extend(self.latent(arm.body));
                }
                return later;
            }
            Expr::Call { callee, args } => return self.call(id, *callee, args),
            Expr::Method { receiver, args, .. } => return self.method(id, *receiver, args),
            Expr::Struct { path, fields, spread } => {
                spread.into_iter().for_each(|it| self.expr(*it));
                return self.fields(id, *path, fields);
            }
            Expr::Assign { place, value } => {
                let later = self.latent(*value);
                match body.exprs[*place] {
                    Expr::Local { local } => self.latent.entry(local).or_default().extend(later),
                    _ => {
                        let row = self.row_of_type(*place);
                        // What is there is not called.
                        self.latent(*place);
                        self.keep(later, row);
                    }
                }
                return Effects::default();
            }
            Expr::Return { lambda, value } => {
                if let Some(value) = value {
                    let later = self.latent(*value);
                    match lambda {
                        Some(_) => self.found.extend(later),
                        None => self.give(body.owner, later),
                    }
                }
                return Effects::default();
            }
            Expr::Vec { elems } | Expr::Set { elems } => {
                let row = self.row_of_element(id);
                for elem in elems {
                    let later = self.latent(elem.value);
                    self.keep(later, row);
                }
                return Effects::default();
            }
            Expr::Map { entries } => {
                let row = self.row_of_element(id);
                for &(key, value) in entries {
                    self.expr(key);
                    let later = self.latent(value);
                    self.keep(later, row);
                }
                return Effects::default();
            }
            Expr::Tuple { elems } => {
                let parts = match self.checked.types.exprs.get(id).map(|ty| ty.kind()) {
                    Some(TyKind::Tuple(parts)) => *parts,
                    _ => &[],
                };
                for (n, &elem) in elems.iter().enumerate() {
                    let later = self.latent(elem);
                    self.found
                        .extend(later.without(parts.get(n).map_or(Row::EMPTY, |part| part.row()), &self.own));
                }
                return Effects::default();
            }
            Expr::For { .. } => self.for_plan(id),
            _ => {}
        }
        self.fact(id);
        body.exprs[id].each_child(&mut |child| self.expr(child));
        Effects::default()
    }

    /// The row of what a collection holds.
    fn row_of_element(&self, id: ExprId) -> Row {
        let ty = self.checked.types.exprs.get(id).copied();
        ty.and_then(|ty| ty.as_adt()?.1.last()).map_or(Row::EMPTY, |elem| elem.row())
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Expr(it) | Stmt::Defer(it) => self.expr(*it),
            Stmt::Bind { pat, value, .. } => {
                let later = self.latent(*value);
                match self.checked.body.pats[*pat] {
                    Pat::Bind { local, .. } => {
                        if let Some(why) = self.keeps(*value) {
                            self.kept.insert(local, why);
                        }
                        self.latent.entry(local).or_default().extend(later);
                    }
                    _ => self.found.extend(later),
                }
            }
        }
    }

    /// A function is stored where a type says what it can.
    fn keep(&mut self, later: Effects, row: Row) {
        let later = later.without(row, &self.own);
        self.escapes.push(Escape { effects: later.clone(), what: "kept" });
        self.found.extend(later);
    }

    fn named_function(&mut self, id: ExprId) -> Effects {
        match self.checked.types.callees.get(id).cloned() {
            Some(Callee::Fn(callee)) => self.row_of(id, &callee),
            _ => Effects::default(),
        }
    }

    /// An operator, a name of a trait's function.
    fn fact(&mut self, id: ExprId) {
        match self.checked.types.callees.get(id).cloned() {
            Some(fact) => self.charge(id, &fact),
            None => {}
        }
    }

    fn charge(&mut self, id: ExprId, fact: &Callee) {
        let effects = match fact {
            Callee::Fn(callee) => self.row_of(id, callee),
            Callee::Method { trait_id, method, args, .. } => self.trait_method(id, *trait_id, *method, args),
            _ => return,
        };
        self.found.extend(effects);
    }

    fn for_plan(&mut self, id: ExprId) {
        if let Some(ForPlan::Iterator { iter, next, .. }) = self.checked.types.loops.get(id).cloned() {
            iter.iter().for_each(|it| self.charge(id, it));
            self.charge(id, &next);
        }
    }

    /// Behind a `dyn`, only what the trait's methods have written can be performed.
    fn coercion(&mut self, id: ExprId) {
        let Some(Coercion::Dyn { from, to }) = self.checked.types.coercions.get(id).cloned() else { return };
        let TyKind::Dyn(bounds) = to.kind() else { return };
        for bound in bounds.iter() {
            let effects = self.impl_of(id, bound.trait_id, from);
            let args: Vec<Ty> = [from].into_iter().chain(bound.args.iter().copied()).collect();
            let written = self.written_of_trait(bound.trait_id, &args);
            let kept = effects.without(written, &self.own);
            self.escapes.push(Escape { effects: kept.clone(), what: "put behind a `dyn`" });
            self.found.extend(kept);
        }
    }

    fn written_of_trait(&self, trait_id: TraitId, args: &[Ty]) -> Row {
        let defs = self.ck.defs;
        let methods = defs.traits[trait_id].methods.iter();
        let rows = methods.filter_map(|&it| Some(subst_row(defs.fn_sig(it).can.as_ref()?.row, args)));
        Row::of(rows.flat_map(Row::parts).collect::<Vec<_>>())
    }

    // ---- calls

    fn call(&mut self, id: ExprId, callee: ExprId, args: &[Arg]) -> Effects {
        match self.checked.types.callees.get(id).cloned() {
            Some(Callee::Fn(known)) => {
                if !matches!(self.checked.body.exprs[callee], Expr::Fns { .. }) {
                    self.expr(callee);
                }
                self.known_call(id, &known, None, args)
            }
            Some(Callee::Value) => {
                let later = self.latent(callee);
                self.found.extend(later);
                args.iter().for_each(|arg| self.expr(arg.value));
                Effects::default()
            }
            Some(fact @ (Callee::Variant { .. } | Callee::Newtype { .. })) => {
                let declared = self.payload(id, &fact);
                for (n, arg) in args.iter().enumerate() {
                    let later = self.latent(arg.value);
                    self.keep(later, declared.get(n).map_or(Row::EMPTY, |ty| ty.row()));
                }
                Effects::default()
            }
            fact => {
                fact.iter().for_each(|it| self.charge(id, it));
                args.iter().for_each(|arg| self.expr(arg.value));
                Effects::default()
            }
        }
    }

    fn method(&mut self, id: ExprId, receiver: ExprId, args: &[Arg]) -> Effects {
        match self.checked.types.callees.get(id).cloned() {
            Some(Callee::Fn(known)) => self.known_call(id, &known, Some(receiver), args),
            fact => {
                fact.iter().for_each(|it| self.charge(id, it));
                self.expr(receiver);
                let rows = fact.map(|it| self.rows_of_args(id, &it, args.len())).unwrap_or_default();
                for (n, arg) in args.iter().enumerate() {
                    let later = self.latent(arg.value);
                    match rows.get(n) {
                        Some(&(row, true)) => self.keep(later, row),
                        Some(&(row, false)) => self.found.extend(later.without(row, &self.own)),
                        None => self.found.extend(later),
                    }
                }
                Effects::default()
            }
        }
    }

    /// What functions that are arguments of a trait's method may perform there, as the trait says, and whether they may
    /// be kept.
    fn rows_of_args(&self, id: ExprId, fact: &Callee, count: usize) -> Vec<(Row, bool)> {
        let mut rows = vec![(Row::EMPTY, false); count];
        let Callee::Method { trait_id, method, args, own_args } = fact else { return rows };
        let defs = self.ck.defs;
        let Some(&function) = defs.traits[*trait_id].methods.get(*method as usize) else { return rows };
        let types = [*args, *own_args].concat();
        let sources = self.checked.types.plans.get(id).map(|it| it.params.clone()).unwrap_or_default();
        let sig = defs.fn_sig(function);
        let declared = || sig.params.iter().filter_map(|it| it.ty).chain(sig.ret);
        for (at, param) in sig.params.iter().enumerate() {
            let arg = match sources.get(at) {
                Some(ParamSource::Arg(n)) => *n as usize,
                None if sources.is_empty() && at > 0 => at - 1,
                _ => continue,
            };
            if let (Some(row), Some(ty)) = (rows.get_mut(arg), param.ty) {
                *row = (subst(ty, &types).row(), may_be_kept(ty.row(), declared()));
            }
        }
        rows
    }

    /// The parts of a value that is made here, with their types.
    fn fields(&mut self, id: ExprId, path: StructPath, fields: &[FieldInit]) -> Effects {
        let mut later = Effects::default();
        let declared = self.declared(id, path);
        // A handler's clauses run when they are asked: like a function's, their effects come later.
        let is_effect = matches!(path, StructPath::Adt(adt, _) if self.ck.defs.adts[adt].effect.is_some());
        for field in fields {
            let value = self.latent(field.value);
            if is_effect {
                later.extend(value);
                continue;
            }
            let ty = declared.iter().find(|(name, _)| *name == field.name).map(|it| it.1);
            self.keep(value, ty.map_or(Row::EMPTY, Ty::row));
        }
        later
    }

    /// The names and types of what a struct or variant is made of that is written with names.
    fn declared(&self, id: ExprId, path: StructPath) -> Vec<(Name, Ty)> {
        let ty = self.checked.types.exprs.get(id).copied();
        let Some((adt, args)) = ty.and_then(Ty::as_adt) else { return Vec::new() };
        let all = self.ck.defs.adt_fields(adt);
        let variant = match path {
            StructPath::Variant(_, variant, _) => all.variants.get(variant as usize),
            StructPath::Bare(name) => all.variants.iter().find(|it| it.name == name),
            _ => all.variants.first(),
        };
        let fields = variant.into_iter().flat_map(|it| &it.fields);
        fields.map(|it| (it.name, subst(it.ty, args))).collect()
    }

    /// The types of what a variant or newtype is made of.
    fn payload(&self, id: ExprId, made: &Callee) -> Vec<Ty> {
        let ty = self.checked.types.exprs.get(id).copied();
        let Some((adt, args)) = ty.and_then(Ty::as_adt) else { return Vec::new() };
        let variant = if let Callee::Variant { variant, .. } = made { *variant } else { 0 };
        let all = self.ck.defs.adt_fields(adt);
        let fields = all.variants.get(variant as usize).into_iter().flat_map(|it| &it.fields);
        fields.map(|it| subst(it.ty, args)).collect()
    }

    fn known_call(
        &mut self,
        id: ExprId,
        callee: &CalleeFn,
        receiver: Option<ExprId>,
        args: &[Arg],
    ) -> Effects {
        let defs = self.ck.defs;
        let function = callee.function;
        let has_self = defs.fns[function].self_param.is_some();
        let of_receiver = receiver.map(|it| self.latent(it)).unwrap_or_default();
        let later: Vec<Effects> = args.iter().map(|arg| self.latent(arg.value)).collect();
        let is = |role: &str| defs.lang.func(role) == Some(function);
        if is("handler_going_on") || is("handler_answering") {
            let mut all = Effects::default();
            later.into_iter().for_each(|it| all.extend(it));
            return all;
        }
        if let Some(handled) = self.handled_by_run(function, receiver) {
            self.found.extend(of_receiver);
            let handled = Handled { label: handled, unshared: self.unshared(receiver) };
            for it in later {
                let left = it.under(std::slice::from_ref(&handled), &mut self.unserved);
                self.found.extend(left);
            }
            return Effects::default();
        }
        let row = self.row_of(id, callee);
        let plan = self.checked.types.plans.get(id).cloned().unwrap_or_default();
        let sources: Vec<ParamSource> = match plan.params.is_empty() {
            false => plan.params,
            true => (0..args.len() as u32).map(ParamSource::Arg).collect(),
        };
        let mut by_param: Vec<Effects> = vec![Effects::default(); sources.len()];
        for (at, source) in sources.iter().enumerate() {
            by_param[at] = match source {
                ParamSource::Receiver => of_receiver.clone(),
                ParamSource::Arg(n) => later.get(*n as usize).cloned().unwrap_or_default(),
                ParamSource::Rest(parts) => {
                    let mut all = Effects::default();
                    for part in parts {
                        let (RestPart::One(n) | RestPart::Spread(n)) = part;
                        all.extend(later.get(*n as usize).cloned().unwrap_or_default());
                    }
                    all
                }
                ParamSource::Default | ParamSource::SpreadElem(..) => Effects::default(),
            };
        }
        if has_self && !sources.contains(&ParamSource::Receiver) {
            self.found.extend(of_receiver);
        }
        for (eff, origin) in row.0 {
            match eff {
                Eff::Label(_) | Eff::Tasked(_) | Eff::Open { .. } => self.found.add(eff, origin),
                Eff::Param { index, minus, tasked } => {
                    let given = by_param.get(index as usize).cloned().unwrap_or_default();
                    let given = if tasked { given.in_task() } else { given };
                    let left = given.under(&minus, &mut self.unserved);
                    self.found.extend(left);
                }
            }
        }
        self.handed_over(callee, by_param)
    }

    /// Handlers, and functions in parameters of any type, may be called wherever they come to, unless the type that
    /// the parameter has here says what they perform. A function of an open row may be kept where that row is named.
    /// Gives what the result may perform when it is called.
    fn handed_over(&mut self, callee: &CalleeFn, by_param: Vec<Effects>) -> Effects {
        let scheme = self.ck.scheme(callee.function);
        let declared = || scheme.params.iter().copied().chain([scheme.ret]);
        let given_back = scheme.ret.row().open();
        let mut later = Effects::default();
        for (effects, &ty) in by_param.into_iter().zip(&scheme.params) {
            let row = subst(ty, callee.type_args).row();
            if ty.as_fn().is_none() {
                self.found.extend(effects.without(row, &self.own));
            } else if may_be_kept(ty.row(), declared()) {
                self.keep(effects, row);
            } else if ty.row().open().iter().any(|it| given_back.contains(it)) {
                later.extend(effects);
            }
        }
        later
    }

    /// Why other tasks cannot ask the handler of a `with`, as far as that can be seen.
    fn unshared(&self, handler: Option<ExprId>) -> Option<Unshared> {
        let handler = handler?;
        let span = self.checked.body.expr_span(handler);
        let ty = self.checked.types.exprs.get(handler)?.peel_ref();
        let answers = ty.as_adt().is_some_and(|(adt, _)| self.ck.defs.lang.adt("AnswerHandler") == Some(adt));
        match answers {
            true => Some(Unshared { handler: span, why: Why::Answers }),
            false => self.keeps(handler).map(|why| Unshared { handler: span, why }),
        }
    }

    /// What a clause of a handler captures that tasks cannot share, if this function makes it.
    fn keeps(&self, handler: ExprId) -> Option<Why> {
        let body = &self.checked.body;
        if let Expr::Local { local } = body.exprs[handler] {
            return self.kept.get(&local).copied();
        }
        let Some(Callee::Fn(made_by)) = self.checked.types.callees.get(handler) else { return None };
        let Expr::Call { args, .. } = &body.exprs[handler] else { return None };
        if self.ck.defs.lang.func("handler_going_on") != Some(made_by.function) {
            return None;
        }
        let mut kept = None;
        let mut open: Vec<ExprId> = args.iter().map(|arg| arg.value).collect();
        while let Some(expr) = open.pop() {
            match &body.exprs[expr] {
                Expr::Lambda { lambda } => {
                    let captures = &body.lambdas[*lambda].captures;
                    if captures.iter().any(|&it| body.locals[it].mutable) {
                        return Some(Why::Variable);
                    }
                    if captures.iter().any(|&it| self.can_be_changed(it)) {
                        kept = Some(Why::Object);
                    }
                }
                other => other.each_child(&mut |child| open.push(child)),
            }
        }
        kept
    }

    /// Whether the type of a name says so. What a function captured it does not tell.
    fn can_be_changed(&self, local: LocalId) -> bool {
        let Some(ty) = self.checked.types.locals.get(local).map(|ty| ty.peel_ref()) else { return false };
        let mut table = InferTable::new();
        let preds = &self.checked.scheme.generics.preds;
        let mut traits = TraitCx { ck: self.ck, table: &mut table, preds };
        ty.as_fn().is_none() && traits.unfit_part(ty, Marker::Share, &mut Vec::new()).is_some()
    }

    /// `h.run(body)`: what `h` handles.
    fn handled_by_run(&self, function: FnId, receiver: Option<ExprId>) -> Option<Label> {
        let defs = self.ck.defs;
        let ty = self.checked.types.exprs.get(receiver?).copied()?;
        let (adt, args) = ty.as_adt()?;
        let is_handler = [defs.lang.adt("Handler"), defs.lang.adt("AnswerHandler")].contains(&Some(adt));
        if !is_handler || defs.fns[function].name.as_str() != "run" {
            return None;
        }
        let (clauses, args) = args.first()?.as_adt()?;
        defs.adts[clauses].effect?;
        Some(Label { effect: clauses, args })
    }

    /// What a call of a function performs, parameters by their place.
    fn row_of(&mut self, id: ExprId, callee: &CalleeFn) -> Effects {
        let defs = self.ck.defs;
        let (function, args) = (callee.function, callee.type_args);
        let origin = self.origin(id, Some(function));
        let mut row = Effects::default();
        let sig = defs.fn_sig(function);
        let in_terms = |label: Label| if args.is_empty() { label } else { subst_label(label, args) };
        if let Some(effect) = defs.fns[function].operation {
            let effect = defs.effects[effect].clauses;
            let own = defs.adt_generics(effect).identity();
            row.add(Eff::Label(in_terms(Label { effect, args: Ty::list(&own) })), origin);
            return row;
        }
        if let Some(can) = &sig.can {
            row.add_row(subst_row(can.row, args), origin);
        }
        match self.rows.get(function) {
            Some(known) => {
                for (eff, _) in &known.0 {
                    match eff {
                        Eff::Label(_) | Eff::Open { .. } if sig.can.is_some() => {}
                        Eff::Label(label) => row.add(Eff::Label(in_terms(*label)), origin),
                        Eff::Tasked(label) => row.add(Eff::Tasked(in_terms(*label)), origin),
                        Eff::Param { index, minus, tasked } => {
                            let instance = |it: &Handled| Handled { label: in_terms(it.label), ..it.clone() };
                            let minus = minus.iter().map(instance).collect();
                            row.add(Eff::Param { index: *index, minus, tasked: *tasked }, origin);
                        }
                        Eff::Open { row: open, minus, tasked } => {
                            let instance = |it: &Handled| Handled { label: in_terms(it.label), ..it.clone() };
                            let minus: Vec<Handled> = minus.iter().map(instance).collect();
                            let mut of_arg = Effects::default();
                            of_arg.add_row(Row::of([subst(*open, args)]), origin);
                            let of_arg = if *tasked { of_arg.in_task() } else { of_arg };
                            row.extend(of_arg.under(&minus, &mut self.unserved));
                        }
                    }
                }
            }
            // Of the library: it calls the functions it is given.
            None => {
                self.meet(function);
                let is_fn = |ty: Option<Ty>| ty.is_none_or(|ty| ty.as_fn().is_some());
                for (index, param) in sig.params.iter().enumerate().filter(|it| is_fn(it.1.ty)) {
                    let is_catch = defs.lang.func("catch") == Some(function);
                    let unshared = is_catch.then_some(Unshared { handler: origin.span, why: Why::Catch });
                    let handled = |&it: &Label| Handled { label: in_terms(it), unshared };
                    let minus = param.ty.map_or(Row::EMPTY, Ty::row).labels.iter().map(handled).collect();
                    let tasked = defs.fns[function].crosses() || defs.fns[function].attrs.shares;
                    row.add(Eff::Param { index: index as u32, minus, tasked }, origin);
                }
            }
        }
        self.bounds(id, callee, &mut row);
        row
    }

    /// A function of the library is called. What handlers are made of is taken by its word.
    fn meet(&self, function: FnId) {
        let defs = self.ck.defs;
        let def = &defs.fns[function];
        let module = &defs.modules[def.module];
        let is_walked = def.has_body && matches!(def.kind, qz_hir::FnKind::Normal);
        if is_walked && module.path.as_str() != "std::effect" {
            self.rows.met.borrow_mut().push(function);
        }
    }

    /// What the methods perform by which a call's types meet its bounds.
    fn bounds(&mut self, id: ExprId, callee: &CalleeFn, row: &mut Effects) {
        for evidence in &callee.evidence {
            match evidence {
                Evidence::Fn(inner) => {
                    let effects = self.row_of(id, inner);
                    effects.labels().for_each(|(label, origin)| row.add(Eff::Label(label), origin));
                    let open = effects.open().map(|(row, _)| row);
                    row.add_row(Row::of(open.collect::<Vec<_>>()), self.origin(id, None));
                }
                Evidence::Method { trait_id, method, args, .. } => {
                    row.extend(self.trait_method(id, *trait_id, *method, args));
                }
                Evidence::Field { .. } | Evidence::Member(_) | Evidence::Error => {}
            }
        }
        let scheme = self.ck.scheme(callee.function);
        for pred in &scheme.generics.preds {
            if callee.type_args.is_empty() {
                break;
            }
            let ty = subst(pred.ty, callee.type_args);
            row.extend(self.impl_of(id, pred.trait_ref.trait_id, ty));
        }
    }

    /// What the methods of a type's own impl of a trait perform.
    fn impl_of(&mut self, id: ExprId, trait_id: TraitId, ty: Ty) -> Effects {
        let defs = self.ck.defs;
        let mut all = Effects::default();
        let Some(head) = TyHead::of(ty).filter(|it| *it != TyHead::Any) else { return all };
        for block in defs.impls_for(trait_id, Some(head)) {
            let Some(args) = self.impl_args(block, ty) else { continue };
            for &method in &defs.impls[block].methods {
                let Some(row) = self.rows.get(method) else { continue };
                let origin = self.origin(id, Some(method));
                for (label, _) in row.labels() {
                    all.add(Eff::Label(subst_label(label, &args)), origin);
                }
                // A row of the method's own is that of what it is given.
                let of_type =
                    |row: &Ty| matches!(row.kind(), TyKind::Param(it) if (it.index as usize) < args.len());
                let open = row.open().map(|(row, _)| row).filter(of_type).map(|row| subst(row, &args));
                all.add_row(Row::of(open.collect::<Vec<_>>()), origin);
            }
        }
        all
    }

    /// The arguments by which an impl is one for this type.
    fn impl_args(&self, block: ImplId, ty: Ty) -> Option<Vec<Ty>> {
        let header = self.ck.defs.impl_header(block);
        let mut table = InferTable::new();
        let vars: Vec<Ty> = header.generics.params.iter().map(|_| table.fresh(VarKind::Any)).collect();
        table.unify(subst(header.self_ty, &vars), ty).ok()?;
        // What the type does not tell stays as it is in the impl.
        let identity = header.generics.identity();
        let known = |(&var, own): (&Ty, Ty)| match table.resolve(var) {
            open if open.has(TyFlags::INFER) => own,
            known => known,
        };
        Some(vars.iter().zip(identity).map(known).collect())
    }

    fn trait_method(&mut self, id: ExprId, trait_id: TraitId, method: u32, args: Tys) -> Effects {
        let defs = self.ck.defs;
        let Some(&function) = defs.traits[trait_id].methods.get(method as usize) else {
            return Effects::default();
        };
        let mut row = Effects::default();
        let origin = self.origin(id, Some(function));
        let sig = defs.fn_sig(function);
        if let Some(can) = &sig.can {
            row.add_row(subst_row(can.row, args), origin);
        }
        if let Some(&ty) = args.first() {
            let name = defs.fns[function].name;
            let of_impl = self.impl_of(id, trait_id, ty);
            let same = |it: &Origin| it.callee.is_some_and(|it| defs.fns[it].name == name);
            of_impl.0.into_iter().filter(|(_, it)| same(it)).for_each(|(eff, at)| row.add(eff, at));
        }
        row
    }
}

/// Whether an open row is named by more than rows of parameters and of the result: what performs it may be kept there.
fn may_be_kept(row: Row, declared: impl Iterator<Item = Ty>) -> bool {
    let open = row.open();
    let mut named = false;
    let mut look = |ty: Ty| ty.walk(&mut |part| named |= open.contains(&part));
    for ty in declared.filter(|_| !open.is_empty()) {
        match ty.as_fn() {
            Some(f) => f.params.iter().copied().chain([f.ret]).for_each(&mut look),
            None => look(ty),
        }
    }
    named
}
