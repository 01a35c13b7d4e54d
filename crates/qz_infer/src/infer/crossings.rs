//! What goes to another task: can it, and is its name used afterwards?
//!
//! A walk in the order of evaluation knows at each point which names have gone. Branches that meet again have lost what
//! one of them has; a loop is walked twice, so that what is gone at its end is gone at its start.

use std::sync::Arc;

use qz_base::{Name, Span};
use qz_hir::body::{Arg, Body, Expr, ExprId, LambdaId, LocalId, LocalKind, LoopId, Pat, PatId, Stmt};
use qz_types::{FnId, Ty, TyKind};

use super::Infer;
use super::handed::{Lambdas, known_lambdas};
use crate::diagnostics as words;
use crate::facts::{Callee, ParamSource};
use crate::needs::{Capture, Given, UsedAgain, What};
use crate::traits::Marker;

/// What is known at a point.
#[derive(Clone, Default)]
struct Point {
    /// Names that have gone, and where.
    gone: Vec<(LocalId, Span)>,
    /// Names of lambdas that were given to a function, which parameter they are there, and where: they have gone if it
    /// hands that to a task.
    given: Vec<(LocalId, FnId, u32, Span)>,
    /// Control does not get here.
    dead: bool,
}

impl Point {
    fn went(&self, local: LocalId) -> Option<Span> {
        self.gone.iter().find(|it| it.0 == local).map(|it| it.1)
    }

    fn comes_back(&mut self, local: LocalId) {
        self.gone.retain(|it| it.0 != local);
        self.given.retain(|it| it.0 != local);
    }

    /// Control comes from there, too.
    fn meet(&mut self, other: &Point) {
        if other.dead {
            return;
        }
        if self.dead {
            *self = other.clone();
            return;
        }
        for &(local, span) in &other.gone {
            if self.went(local).is_none() {
                self.gone.push((local, span));
            }
        }
        let new = other.given.iter().filter(|it| !self.given.contains(it));
        let new: Vec<_> = new.copied().collect();
        self.given.extend(new);
    }
}

/// A loop under way: what is known where it is left, and where its next turn begins.
struct Turns {
    loop_: LoopId,
    left: Point,
    next: Point,
}

struct Walk<'a, 'c, 'd> {
    cx: &'a mut Infer<'c, 'd>,
    body: Arc<Body>,
    lambda: Option<LambdaId>,
    now: Point,
    loops: Vec<Turns>,
    /// Hidden names for what is evaluated before a task starts, and the names they stand for.
    stand_for: Vec<(LocalId, LocalId, Span)>,
    /// Names that a `defer` uses: it may run after anything.
    deferred: Vec<LocalId>,
    told: Vec<LocalId>,
    told_vars: Vec<Name>,
    /// Names of lambdas.
    lambdas: Lambdas,
    refused: Vec<ExprId>,
}

const DEAD: Point = Point { gone: Vec::new(), given: Vec::new(), dead: true };

impl Infer<'_, '_> {
    /// For a body that has no errors, with its final types.
    pub(super) fn check_crossings(&mut self) {
        let body = self.body.clone();
        let lambdas = known_lambdas(&body);
        if lambdas.is_empty() && !body.exprs.ids().any(|id| self.crossing_callee(id).is_some()) {
            return;
        }
        let root = body.root;
        let deferred = deferred(&body);
        let mut walk = Walk {
            cx: self,
            body,
            lambda: None,
            now: Point::default(),
            loops: Vec::new(),
            stand_for: Vec::new(),
            deferred,
            told: Vec::new(),
            told_vars: Vec::new(),
            lambdas,
            refused: Vec::new(),
        };
        walk.expr(root);
    }

    /// The function of a call that hands its arguments to another task.
    pub(super) fn crossing_callee(&self, call: ExprId) -> Option<FnId> {
        match self.st.types.callees.get(call)? {
            Callee::Fn(it) => self.ck.defs.fns[it.function].crosses().then_some(it.function),
            _ => None,
        }
    }
}

/// The names used by statements that run at the end of a block.
fn deferred(body: &Body) -> Vec<LocalId> {
    fn collect(body: &Body, id: ExprId, out: &mut Vec<LocalId>) {
        match &body.exprs[id] {
            Expr::Local { local } => out.push(*local),
            Expr::Lambda { lambda } => out.extend(&body.lambdas[*lambda].captures),
            other => other.each_child(&mut |child| collect(body, child, out)),
        }
    }
    let mut out = Vec::new();
    for expr in body.exprs.values() {
        let Expr::Block { stmts, .. } = expr else { continue };
        for stmt in stmts {
            if let Stmt::Defer(expr) = stmt {
                collect(body, *expr, &mut out);
            }
        }
    }
    out
}

impl Walk<'_, '_, '_> {
    fn expr(&mut self, id: ExprId) {
        let body = self.body.clone();
        match &body.exprs[id] {
            Expr::Local { local } => self.used(*local, body.expr_span(id)),
            Expr::Lambda { lambda } => self.lambda(*lambda),
            Expr::Assign { place, value } => self.assign(*place, *value),
            Expr::Block { stmts, tail } => self.block(stmts, *tail),
            Expr::If { cond, then, else_ } => {
                self.expr(*cond);
                self.branches([Some(*then), *else_]);
            }
            Expr::Match { subject, arms, .. } => {
                self.expr(*subject);
                let arms: Vec<_> = arms.iter().map(|arm| (arm.pat, arm.guard, arm.body)).collect();
                self.arms(&arms);
            }
            Expr::And { lhs, rhs } | Expr::Or { lhs, rhs } | Expr::Coalesce { lhs, rhs } => {
                self.expr(*lhs);
                self.branches([Some(*rhs), None]);
            }
            Expr::AssignIfNone { place, value } => {
                self.expr(*place);
                self.branches([Some(*value), None]);
            }
            Expr::SafeNav { base, rest, .. } => {
                self.expr(*base);
                self.branches([Some(*rest), None]);
            }
            Expr::Is { value, pat } => {
                self.expr(*value);
                self.binds(*pat);
            }
            Expr::While { cond, body: turn, loop_ } => self.turns(*loop_, &[], Some(*cond), *turn, true),
            Expr::Loop { body: turn, loop_ } => self.turns(*loop_, &[], None, *turn, false),
            Expr::For { pats, iter, body: turn, loop_ } => {
                self.expr(*iter);
                self.turns(*loop_, pats, None, *turn, true);
            }
            Expr::Break { loop_, value } => {
                value.iter().for_each(|&it| self.expr(it));
                self.jump(*loop_, |turns| &mut turns.left);
            }
            Expr::Next { loop_ } => self.jump(*loop_, |turns| &mut turns.next),
            Expr::Return { value, .. } => {
                value.iter().for_each(|&it| self.expr(it));
                self.now = DEAD;
            }
            other => other.each_child(&mut |child| self.expr(child)),
        }
        match &body.exprs[id] {
            Expr::Call { args, .. } | Expr::Method { args, .. } => self.crossing(id, args),
            _ => {}
        }
        if self.cx.st.types.exprs.get(id).is_some_and(|ty| ty.is_never()) {
            self.now = DEAD;
        }
    }

    // ---- control

    fn branches(&mut self, ways: [Option<ExprId>; 2]) {
        let before = self.now.clone();
        let mut after = DEAD;
        for way in ways {
            self.now = before.clone();
            way.into_iter().for_each(|it| self.expr(it));
            after.meet(&self.now);
        }
        self.now = after;
    }

    fn arms(&mut self, arms: &[(PatId, Option<ExprId>, ExprId)]) {
        let mut before = self.now.clone();
        let mut after = DEAD;
        for &(pat, guard, value) in arms {
            self.now = before.clone();
            self.binds(pat);
            if let Some(guard) = guard {
                self.expr(guard);
                before.meet(&self.now);
            }
            self.expr(value);
            after.meet(&self.now);
        }
        self.now = after;
    }

    /// A loop. `ends`: it may end before a turn.
    fn turns(&mut self, loop_: LoopId, pats: &[PatId], cond: Option<ExprId>, turn: ExprId, ends: bool) {
        let mut start = self.now.clone();
        let mut left = DEAD;
        for _ in 0..2 {
            self.now = start.clone();
            cond.iter().for_each(|&it| self.expr(it));
            left = if ends { self.now.clone() } else { DEAD };
            pats.iter().for_each(|&pat| self.binds(pat));
            self.loops.push(Turns { loop_, left: DEAD, next: DEAD });
            self.expr(turn);
            let turns = self.loops.pop().expect("pushed above");
            left.meet(&turns.left);
            start.meet(&self.now);
            start.meet(&turns.next);
        }
        if ends {
            left.meet(&start);
        }
        self.now = left;
    }

    fn jump(&mut self, loop_: LoopId, to: fn(&mut Turns) -> &mut Point) {
        let now = std::mem::replace(&mut self.now, DEAD);
        if let Some(turns) = self.loops.iter_mut().rev().find(|it| it.loop_ == loop_) {
            to(turns).meet(&now);
        }
    }

    fn block(&mut self, stmts: &[Stmt], tail: Option<ExprId>) {
        let mut at_end = Vec::new();
        for stmt in stmts {
            match stmt {
                Stmt::Expr(expr) => self.expr(*expr),
                Stmt::Bind { pat, value, .. } => {
                    self.expr(*value);
                    self.binds(*pat);
                    self.note_stand_in(*pat, *value);
                }
                Stmt::Defer(expr) => at_end.push(*expr),
            }
        }
        tail.into_iter().for_each(|it| self.expr(it));
        let dead = self.now.dead;
        at_end.into_iter().rev().for_each(|it| self.expr(it));
        self.now.dead |= dead;
    }

    // ---- names

    fn binds(&mut self, pat: PatId) {
        let mut locals = Vec::new();
        self.body.pat_locals(pat, &mut locals);
        locals.into_iter().for_each(|local| self.now.comes_back(local));
    }

    fn note_stand_in(&mut self, pat: PatId, value: ExprId) {
        if let Pat::Bind { local, .. } = self.body.pats[pat]
            && self.body.locals[local].kind == LocalKind::Hidden
            && let Expr::Local { local: named } = self.body.exprs[value]
        {
            self.stand_for.push((local, named, self.body.expr_span(value)));
        }
    }

    fn assign(&mut self, place: ExprId, value: ExprId) {
        if let Expr::Local { local } = self.body.exprs[place] {
            self.expr(value);
            self.now.comes_back(local);
        } else {
            self.expr(place);
            self.expr(value);
        }
    }

    fn used(&mut self, local: LocalId, span: Span) {
        self.used_again(local, span);
        let Some(went) = self.now.went(local).filter(|_| !self.now.dead) else { return };
        if !self.told.contains(&local) {
            self.told.push(local);
            let name = self.body.locals[local].name;
            let is_function = self.cx.st.types.locals[local].peel_ref().as_fn().is_some();
            self.cx.report(words::used_after_crossing(span, name, went, is_function));
        }
    }

    /// Whether that is wrong, the needs of the functions tell that the name was given to.
    fn used_again(&mut self, local: LocalId, span: Span) {
        if self.now.dead {
            return;
        }
        let name = self.body.locals[local].name;
        for &(_, function, param, went) in self.now.given.iter().filter(|it| it.0 == local) {
            let used = UsedAgain { name, span, function, param, went };
            if !self.cx.st.used_again.contains(&used) {
                self.cx.st.used_again.push(used);
            }
        }
    }

    /// A lambda's name is given to a function of the program: two tasks cannot know what it captured.
    fn given_on(&mut self, call: ExprId, args: &[Arg]) {
        let Some(Callee::Fn(callee)) = self.cx.st.types.callees.get(call) else { return };
        let function = callee.function;
        let Some(plan) = self.cx.st.types.plans.get(call).filter(|_| !self.now.dead) else { return };
        for (param, source) in plan.params.clone().into_iter().enumerate() {
            if let ParamSource::Arg(n) = source
                && let Expr::Local { local } = self.body.exprs[args[n as usize].value]
                && self.body.locals[local].lambda == self.lambda
                && let Some(lambda) = self.lambdas.of(local)
                && self.can_be_changed(lambda)
            {
                let span = self.body.expr_span(args[n as usize].value);
                let given = (local, function, param as u32, span);
                if !self.now.given.contains(&given) {
                    self.now.given.push(given);
                }
            }
        }
    }

    /// Whether a lambda captured something that is.
    fn can_be_changed(&mut self, lambda: LambdaId) -> bool {
        let body = self.body.clone();
        body.lambdas[lambda].captures.iter().any(|&local| {
            let ty = self.cx.st.types.locals[local].peel_ref();
            ty.as_fn().is_none() && self.cx.traits().unfit_part(ty, Marker::Share, &mut Vec::new()).is_some()
        })
    }

    /// Whether it is the name of a lambda that captured nothing but what several tasks may know.
    fn is_shared_function(&mut self, local: LocalId) -> bool {
        let Some(lambda) = self.lambdas.of(local) else { return false };
        self.lambdas.captures(&self.body, lambda).into_iter().all(|(_, captured)| {
            let ty = self.cx.st.types.locals[captured];
            !self.body.locals[captured].shared && self.cx.traits().has_marker(ty, Marker::Share)
        })
    }

    fn lambda(&mut self, lambda: LambdaId) {
        let body = self.body.clone();
        for &local in &body.lambdas[lambda].captures {
            if self.now.went(local).is_some() {
                let at = use_in(&body, body.lambdas[lambda].body, local);
                self.used(local, at.unwrap_or(body.locals[local].span));
            }
        }
        let outer = std::mem::take(&mut self.now);
        let loops = std::mem::take(&mut self.loops);
        let within = self.lambda.replace(lambda);
        self.expr(body.lambdas[lambda].body);
        (self.now, self.loops, self.lambda) = (outer, loops, within);
    }

    // ---- crossing

    fn crossing(&mut self, call: ExprId, args: &[Arg]) {
        let Some(function) = self.cx.crossing_callee(call) else { return self.given_on(call, args) };
        let span = self.body.expr_span(call);
        self.result_crosses(call, function, span);
        let params = self.cx.st.types.plans[call].params.clone();
        for source in params {
            if let ParamSource::Arg(n) = source {
                self.argument(call, args[n as usize].value, span);
            }
        }
    }

    /// What a task gives goes back to who awaits it.
    fn result_crosses(&mut self, call: ExprId, function: FnId, span: Span) {
        let starts = self.cx.ck.defs.fns[function].attrs.lang.is_none_or(|it| it.as_str() != "task_await");
        let ty = self.cx.st.types.exprs[call];
        if let Some(&[result]) = self.cx.as_lang(ty, "Task").filter(|_| starts) {
            self.refuse(call, result, span, words::Crosses::Result);
        }
    }

    fn argument(&mut self, call: ExprId, arg: ExprId, span: Span) {
        match self.body.exprs[arg] {
            Expr::Lambda { lambda } => {
                for local in self.body.lambdas[lambda].captures.clone() {
                    self.captured(arg, local, lambda, span);
                }
            }
            Expr::Local { local } => {
                let at = self.body.expr_span(arg);
                let name = self.body.locals[local].name;
                if !self.refuse(arg, self.cx.st.types.locals[local], at, words::Crosses::Name(name)) {
                    self.function_goes(local, at);
                    self.goes(call, local, at);
                }
            }
            _ => {
                let ty = self.cx.st.types.exprs[arg];
                self.refuse(arg, ty, self.body.expr_span(arg), words::Crosses::Value);
            }
        }
    }

    fn captured(&mut self, lambda_expr: ExprId, local: LocalId, lambda: LambdaId, span: Span) {
        let body = self.body.clone();
        let decl = &body.locals[local];
        let at = use_in(&body, body.lambdas[lambda].body, local).unwrap_or(span);
        if decl.shared {
            if !self.told.contains(&local) {
                self.told.push(local);
                self.cx.report(words::captured_var(at, decl.name, span));
            }
            return;
        }
        let (name, ty) = (decl.name, self.cx.st.types.locals[local]);
        let (name, at) = match self.stand_for.iter().find(|it| it.0 == local) {
            Some(&(_, named, at)) => (body.locals[named].name, at),
            None => (name, at),
        };
        if !self.refuse(lambda_expr, ty, at, words::Crosses::Name(name)) {
            self.function_goes(local, at);
            self.goes(lambda_expr, local, at);
        }
    }

    /// If the name is a function's: what is known of it goes, too.
    fn function_goes(&mut self, local: LocalId, span: Span) {
        let local = self.stand_for.iter().find(|it| it.0 == local).map_or(local, |it| it.1);
        let mut given = Vec::new();
        self.cx.given_by_name(local, &self.lambdas, &mut given);
        for it in given {
            match it {
                Given::Param(index) => self.cx.need(What::Function(index, Marker::Send), span),
                Given::Captured(it) if it.is_var => {
                    if !self.told_vars.contains(&it.name) {
                        self.told_vars.push(it.name);
                        self.cx.report(words::captured_var(it.span, it.name, span));
                    }
                }
                Given::Captured(it) => self.capture_goes(&it, span),
            }
        }
    }

    fn capture_goes(&mut self, it: &Capture, span: Span) {
        let mut open = Vec::new();
        match self.cx.traits().unfit_part(it.ty, Marker::Send, &mut open) {
            None => self.cx.needs_type(open, span),
            Some(part) => {
                let facts = self.cx.not_send_facts(words::Crosses::Name(it.name), it.ty, part);
                self.cx
                    .report(words::not_send(it.span, &facts).at(span, "the function that uses it goes here"));
            }
        }
    }

    /// The name is not to be used any more, unless several tasks may know its value.
    fn goes(&mut self, at: ExprId, local: LocalId, span: Span) {
        let ty = self.cx.st.types.locals[local];
        let decl = &self.body.locals[local];
        // What a lambda has captured stays with it, for the next time that it is called.
        if decl.lambda != self.lambda || decl.shared || matches!(ty.kind(), TyKind::Ref(..)) {
            return;
        }
        if self.cx.traits().has_marker(ty, Marker::Share) {
            return;
        }
        let named = self.stand_for.iter().find(|it| it.0 == local).map(|it| (it.1, it.2));
        if self.is_shared_function(named.map_or(local, |it| it.0)) {
            return;
        }
        self.end(at, local, span);
        if let Some((named, span)) = named {
            self.goes(at, named, span);
        }
    }

    fn end(&mut self, at: ExprId, local: LocalId, span: Span) {
        if self.now.dead {
            return;
        }
        if self.now.went(local).is_none() {
            self.now.gone.push((local, span));
        }
        if self.deferred.contains(&local) {
            return;
        }
        let ends = &mut self.cx.st.types.ends;
        match ends.get_mut(at) {
            Some(known) if known.contains(&local) => {}
            Some(known) => known.push(local),
            None => {
                ends.insert(at, vec![local]);
            }
        }
    }

    /// Reports a value that cannot go to another task.
    fn refuse(&mut self, at: ExprId, ty: Ty, span: Span, what: words::Crosses) -> bool {
        // A function value is looked at when it goes: what it captured is not told by its type.
        let ty = ty.peel_ref();
        if matches!(ty.kind(), TyKind::Fn(_)) || self.refused.contains(&at) {
            return false;
        }
        let mut open = Vec::new();
        let Some(part) = self.cx.traits().unfit_part(ty, Marker::Send, &mut open) else {
            self.cx.needs_type(open, span);
            return false;
        };
        self.refused.push(at);
        let facts = self.cx.not_send_facts(what, ty, part);
        self.cx.report(words::not_send(span, &facts));
        true
    }
}

/// Where a name is used inside an expression, first.
pub(super) fn use_in(body: &Body, id: ExprId, local: LocalId) -> Option<Span> {
    match &body.exprs[id] {
        Expr::Local { local: used } if *used == local => Some(body.expr_span(id)),
        Expr::Lambda { lambda } => use_in(body, body.lambdas[*lambda].body, local),
        other => {
            let mut found = None;
            other.each_child(&mut |child| found = found.or_else(|| use_in(body, child, local)));
            found
        }
    }
}

impl Infer<'_, '_> {
    pub(super) fn not_send_facts(&self, what: words::Crosses, ty: Ty, part: Ty) -> words::NotSendFacts {
        let part_shown = (part != ty).then(|| self.show(part));
        words::NotSendFacts { what, ty: self.show(ty), part: part_shown, why: words::NotSend::of(part) }
    }
}
