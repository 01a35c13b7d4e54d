//! The row of one body: what its expressions perform, and what the functions perform that it makes (latent effects).

use std::sync::Arc;

use qz_base::FxHashMap;
use qz_hir::TyHead;
use qz_hir::body::*;
use qz_types::{FnId, Label, TraitId, Ty, TyKind, Tys, subst};

use super::{Eff, Effects, Origin, Rows, subst_label};
use crate::checker::{CheckedFn, Checker};
use crate::facts::*;

/// A function value that is kept where its effects are not written.
pub(super) struct Escape {
    pub(super) effects: Effects,
    pub(super) what: &'static str,
}

/// What a body performs. Function values that are kept somewhere go to `escapes`.
pub(super) fn row(ck: &Checker<'_>, rows: &Rows, id: FnId, escapes: Option<&mut Vec<Escape>>) -> Effects {
    let checked = ck.check_fn(id);
    let mut unused = Vec::new();
    let mut walk = Walk {
        ck,
        rows,
        checked: checked.clone(),
        found: Effects::default(),
        latent: FxHashMap::default(),
        escapes: escapes.unwrap_or(&mut unused),
    };
    for (index, param) in checked.body.params.iter().enumerate() {
        let is_fn = checked.types.locals.get(param.local).is_some_and(|ty| ty.as_fn().is_some());
        if is_fn {
            let origin = Origin { span: checked.body.locals[param.local].span, callee: None };
            let mut effects = Effects::default();
            effects.add(Eff::Param { index: index as u32, minus: Vec::new() }, origin);
            let sig = ck.defs.fn_sig(id);
            for &label in sig.params.get(index).into_iter().flat_map(|it| &it.can) {
                effects.add(Eff::Label(label), origin);
            }
            walk.latent.insert(param.local, effects);
        }
        if let Some(default) = param.default {
            walk.expr(default);
        }
    }
    let given = walk.latent(checked.body.root);
    walk.give(id, given);
    walk.found
}

struct Walk<'a, 'd> {
    ck: &'a Checker<'d>,
    rows: &'a Rows,
    checked: Arc<CheckedFn>,
    /// Performed so far by the function or lambda at hand.
    found: Effects,
    /// What names perform that stand for functions or handlers.
    latent: FxHashMap<LocalId, Effects>,
    escapes: &'a mut Vec<Escape>,
}

impl Walk<'_, '_> {
    fn origin(&self, id: ExprId, callee: Option<FnId>) -> Origin {
        Origin { span: self.checked.body.expr_span(id), callee }
    }

    /// A function value that is the function's own: its type must say what it can.
    fn give(&mut self, id: FnId, given: Effects) {
        let sig = self.ck.defs.fn_sig(id);
        let is_fn = self.ck.scheme(id).ret.as_fn().is_some();
        if is_fn {
            let kept = given.without(&sig.ret_can);
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
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.latent_inner(id))
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
                return self.fields(*path, fields);
            }
            Expr::Assign { place, value } => {
                let later = self.latent(*value);
                match body.exprs[*place] {
                    Expr::Local { local } => self.latent.entry(local).or_default().extend(later),
                    _ => {
                        self.expr(*place);
                        self.keep(later);
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
                for elem in elems {
                    let later = self.latent(elem.value);
                    self.keep(later);
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

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Expr(it) | Stmt::Defer(it) => self.expr(*it),
            Stmt::Bind { pat, value, .. } => {
                let later = self.latent(*value);
                match self.checked.body.pats[*pat] {
                    Pat::Bind { local, .. } => {
                        self.latent.entry(local).or_default().extend(later);
                    }
                    _ => self.found.extend(later),
                }
            }
        }
    }

    /// A function is stored where nothing says what it can.
    fn keep(&mut self, later: Effects) {
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
            let written = self.written_of_trait(bound.trait_id, &[from]);
            let kept = effects.without(&written);
            self.escapes.push(Escape { effects: kept.clone(), what: "put behind a `dyn`" });
            self.found.extend(kept);
        }
    }

    fn written_of_trait(&self, trait_id: TraitId, args: &[Ty]) -> Vec<Label> {
        let defs = self.ck.defs;
        let methods = defs.traits[trait_id].methods.iter();
        let sigs = methods.filter_map(|&it| Some(defs.fn_sig(it).can.as_ref()?.labels.clone()));
        sigs.flatten()
            .map(|label| if label.args.is_empty() { label } else { subst_label(label, args) })
            .collect()
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
            Some(Callee::Variant { .. } | Callee::Newtype { .. }) => {
                for arg in args {
                    let later = self.latent(arg.value);
                    self.keep(later);
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
            Some(Callee::Field { variant, index }) => {
                self.expr(receiver);
                self.field(id, receiver, variant, index)
            }
            fact => {
                fact.iter().for_each(|it| self.charge(id, it));
                self.expr(receiver);
                args.iter().for_each(|arg| self.expr(arg.value));
                Effects::default()
            }
        }
    }

    /// What a function in a field can, as its type says.
    fn field(&mut self, id: ExprId, receiver: ExprId, variant: u32, index: u32) -> Effects {
        let mut later = Effects::default();
        let ty = self.checked.types.exprs.get(receiver).copied();
        let ty = ty.map(|ty| if let TyKind::Ref(_, inner) = ty.kind() { *inner } else { ty });
        let Some((adt, args)) = ty.and_then(Ty::as_adt) else { return later };
        let fields = self.ck.defs.adt_fields(adt);
        let field = fields.variants.get(variant as usize).and_then(|it| it.fields.get(index as usize));
        for &label in field.into_iter().flat_map(|it| &it.can) {
            later.add(Eff::Label(subst_label(label, args)), self.origin(id, None));
        }
        later
    }

    fn fields(&mut self, path: StructPath, fields: &[FieldInit]) -> Effects {
        let mut later = Effects::default();
        let StructPath::Adt(adt, _) = path else {
            for field in fields {
                let value = self.latent(field.value);
                self.keep(value);
            }
            return later;
        };
        let declared = self.ck.defs.adt_fields(adt);
        let is_effect = self.ck.defs.adts[adt].effect.is_some();
        for field in fields {
            let value = self.latent(field.value);
            // A handler's clauses run when they are asked: like a function's, their effects come later.
            if is_effect {
                later.extend(value);
                continue;
            }
            let known = declared.variants[0].fields.iter().find(|it| it.name == field.name);
            let written: Vec<Label> = known.map(|it| it.can.clone()).unwrap_or_default();
            let covers = |label: &Label| written.iter().any(|it| it.effect == label.effect);
            let kept =
                value.0.into_iter().filter(|(eff, _)| !matches!(eff, Eff::Label(label) if covers(label)));
            self.keep(Effects(kept.collect()));
        }
        later
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
            later.into_iter().for_each(|it| self.found.extend(it.without(&[handled])));
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
                Eff::Label(_) => self.found.add(eff, origin),
                Eff::Param { index, minus } => {
                    let given = by_param.get(index as usize).cloned().unwrap_or_default();
                    self.found.extend(given.without(&minus));
                }
            }
        }
        self.handed_over(function, by_param);
        let sig = defs.fn_sig(function);
        let mut given = Effects::default();
        for &label in &sig.ret_can {
            given.add(Eff::Label(subst_label(label, callee.type_args)), self.origin(id, Some(function)));
        }
        given
    }

    /// Handlers, and functions in parameters of any type, may be called wherever they come to.
    fn handed_over(&mut self, function: FnId, by_param: Vec<Effects>) {
        let scheme = self.ck.scheme(function);
        for (effects, ty) in by_param.into_iter().zip(&scheme.params) {
            if ty.as_fn().is_none() {
                self.found.extend(effects);
            }
        }
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
        Some(Label { effect: defs.adts[clauses].effect?, args })
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
            let own = defs.adt_generics(defs.effects[effect].clauses).identity();
            row.add(Eff::Label(in_terms(Label { effect, args: Ty::list(&own) })), origin);
            return row;
        }
        if let Some(can) = &sig.can {
            can.labels.iter().for_each(|&label| row.add(Eff::Label(in_terms(label)), origin));
        }
        match self.rows.get(function) {
            Some(known) => {
                for (eff, _) in &known.0 {
                    match eff {
                        Eff::Label(_) if sig.can.is_some() => {}
                        Eff::Label(label) => row.add(Eff::Label(in_terms(*label)), origin),
                        Eff::Param { index, minus } => {
                            let minus = minus.iter().map(|&it| in_terms(it)).collect();
                            row.add(Eff::Param { index: *index, minus }, origin);
                        }
                    }
                }
            }
            // Of the library: it calls what it is given.
            None => {
                self.meet(function);
                for (index, param) in sig.params.iter().enumerate() {
                    let minus = param.can.iter().map(|&it| in_terms(it)).collect();
                    row.add(Eff::Param { index: index as u32, minus }, origin);
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
            for &method in &defs.impls[block].methods {
                for (label, _) in self.rows.get(method).into_iter().flat_map(Effects::labels) {
                    all.add(Eff::Label(label), self.origin(id, Some(method)));
                }
            }
        }
        all
    }

    fn trait_method(&mut self, id: ExprId, trait_id: TraitId, method: u32, args: Tys) -> Effects {
        let defs = self.ck.defs;
        let Some(&function) = defs.traits[trait_id].methods.get(method as usize) else {
            return Effects::default();
        };
        let mut row = Effects::default();
        let origin = self.origin(id, Some(function));
        let sig = defs.fn_sig(function);
        for &label in sig.can.iter().flat_map(|it| &it.labels) {
            row.add(Eff::Label(subst_label(label, args)), origin);
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
