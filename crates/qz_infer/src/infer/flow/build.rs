//! From a body to its graph of events, in the order of evaluation.

use std::sync::Arc;

use qz_base::{FxHashSet, Span};
use qz_hir::body::{Arg, Body, Expr, ExprId, LambdaId, Literal, LocalId, LoopId, Pat, PatId, Stmt};
use qz_hir::defs::Predicate;
use qz_hir::{AdtKind, Container, Defs, FnKind};
use qz_types::{FnId, Mutability, TraitId, TraitRef, Ty, TyKind};

use super::{Block, Event, Graph, Holder, Place, Root, Step};
use crate::diagnostics::borrows as borrow_words;
use crate::diagnostics::linear as words;
use crate::facts::{Callee, Coercion};
use crate::infer::Infer;
use crate::linear::LinearCx;
use crate::traits::Derived;

/// A loop under way.
struct Turns {
    loop_: LoopId,
    next: usize,
    left: usize,
    /// How many scopes were open around it.
    depth: usize,
}

/// Names and deferred statements that end together.
#[derive(Default)]
struct Scope {
    locals: Vec<LocalId>,
    deferred: Vec<ExprId>,
}

struct Builder<'a, 'c, 'd> {
    cx: &'a mut Infer<'c, 'd>,
    body: Arc<Body>,
    graph: Graph,
    at: usize,
    scopes: Vec<Scope>,
    loops: Vec<Turns>,
    calls: u32,
    lambdas: Vec<LambdaId>,
    /// Names whose values somebody else will use.
    lent: &'a mut FxHashSet<LocalId>,
    /// Patterns that look at such a value.
    lent_pats: FxHashSet<PatId>,
    told: FxHashSet<Span>,
}

impl<'d> Infer<'_, 'd> {
    /// Borrows and linear values of a body that has no errors, with its final types.
    pub(in crate::infer) fn check_flow(&mut self) {
        if !self.needs_flow() {
            return;
        }
        let body = self.body.clone();
        let params: Vec<LocalId> = body.params.iter().map(|it| it.local).collect();
        let mut lent: FxHashSet<LocalId> = FxHashSet::default();
        if self.is_look(body.owner) {
            lent.extend(&params);
        }
        let mut waiting = vec![(params, body.root, None)];
        while let Some((params, root, lambda)) = waiting.pop() {
            let (graph, lambdas) = self.graph_of(&body, &params, root, lambda, &mut lent);
            for lambda in lambdas {
                let it = &body.lambdas[lambda];
                waiting.push((it.params.clone(), it.body, Some(lambda)));
            }
            self.check_borrows(&graph);
            self.check_linear(&graph);
        }
    }

    /// Whether anything is borrowed or linear.
    fn needs_flow(&mut self) -> bool {
        let body = self.body.clone();
        let lends = |(id, expr): (ExprId, &Expr)| {
            matches!(expr, Expr::Borrow { .. })
                || matches!(self.st.types.coercions.get(id), Some(Coercion::AutoRef { .. }))
        };
        if body.exprs.iter().any(lends) {
            return true;
        }
        // Any call may be of code that takes no linear types.
        if self.ck.defs.has_linear && !self.ck.defs.modules[self.module].is_std {
            return true;
        }
        let linear = self.linear();
        if !linear.is_possible() {
            return body.locals.ids().any(|it| self.borrows(it));
        }
        let (locals, exprs) = (&self.st.types.locals, &self.st.types.exprs);
        body.locals.ids().any(|it| self.borrows(it) || locals.get(it).is_some_and(|&ty| linear.is(ty)))
            || body.exprs.ids().any(|it| exprs.get(it).is_some_and(|&ty| linear.mentions(ty)))
    }

    fn linear(&self) -> LinearCx<'_, 'd> {
        self.ck.linear(&self.preds)
    }

    /// Whether the function does not own its arguments, whatever way it takes them: `show`, `==`, the order, `drop`.
    fn is_look(&self, function: FnId) -> bool {
        let trait_id = match self.ck.defs.fns[function].container {
            Container::Impl(id) => self.ck.defs.impl_header(id).trait_ref.map(|it| it.trait_id),
            Container::Trait(id) => Some(id),
            _ => None,
        };
        trait_id
            .is_some_and(|it| looks_only(self.ck.defs, it) || self.ck.defs.lang.trait_("Drop") == Some(it))
    }

    fn borrows(&self, local: LocalId) -> bool {
        self.st.types.locals.get(local).is_some_and(|ty| matches!(ty.kind(), TyKind::Ref(..)))
    }

    fn graph_of(
        &mut self,
        body: &Arc<Body>,
        params: &[LocalId],
        root: ExprId,
        lambda: Option<LambdaId>,
        lent: &mut FxHashSet<LocalId>,
    ) -> (Graph, Vec<LambdaId>) {
        let mut builder = Builder {
            cx: self,
            body: body.clone(),
            graph: Graph { blocks: vec![Block::default()], refused: Vec::new() },
            at: 0,
            scopes: vec![Scope::default()],
            loops: Vec::new(),
            calls: 0,
            lambdas: Vec::new(),
            lent,
            lent_pats: FxHashSet::default(),
            told: FxHashSet::default(),
        };
        params.iter().for_each(|&local| builder.bind_local(local));
        let kind = &builder.cx.ck.defs.fns[body.owner].kind;
        if lambda.is_none() && matches!(kind, FnKind::Const | FnKind::StaticInit(_)) && builder.linear(root) {
            builder.refuse(body.expr_span(root), words::Misplaced::Everywhere);
        }
        if lambda.is_none() && builder.hides_result(root) {
            builder.refuse(body.expr_span(root), words::Misplaced::Hidden);
        }
        if lambda.is_none() {
            body.params.iter().filter_map(|it| it.default).for_each(|it| builder.value(it));
        }
        builder.value(root);
        let end = body.expr_span(root);
        builder.leave(0, Span::new(end.file, qz_base::TextRange::empty(end.range.end)));
        (builder.graph, builder.lambdas)
    }
}

impl Builder<'_, '_, '_> {
    fn event(&mut self, event: Event) {
        let at = self.at;
        self.graph.blocks[at].events.push(event);
    }

    fn new_block(&mut self) -> usize {
        self.graph.blocks.push(Block::default());
        self.graph.blocks.len() - 1
    }

    fn goto(&mut self, to: usize) {
        let at = self.at;
        self.graph.blocks[at].next.push(to);
    }

    /// What follows is never reached.
    fn dead(&mut self) {
        self.at = self.new_block();
    }

    fn ty(&self, id: ExprId) -> Option<Ty> {
        self.cx.st.types.exprs.get(id).copied()
    }

    fn span(&self, id: ExprId) -> Span {
        self.body.expr_span(id)
    }

    fn linear(&self, id: ExprId) -> bool {
        self.ty(id).is_some_and(|ty| self.cx.linear().is(ty))
    }

    /// Whether an `impl Trait` of the function's result stands for a linear type without saying so.
    fn hides_result(&self, root: ExprId) -> bool {
        let sig = self.cx.ck.defs.fn_sig(self.body.owner);
        let mut bounds = sig.opaques.iter();
        let says = |bound: &Predicate| self.cx.ck.is_linear_bound(bound.trait_ref);
        let linear = self.cx.linear();
        bounds.any(|all| !all.iter().any(says)) && self.ty(root).is_some_and(|ty| linear.mentions(ty))
    }

    fn refuse(&mut self, span: Span, why: words::Misplaced) {
        if self.told.insert(span) {
            self.cx.report(words::misplaced(span, why));
        }
    }

    fn lost(&mut self, span: Span, ty: Option<Ty>) {
        if self.told.insert(span) {
            let ty = ty.map_or_else(String::new, |ty| self.cx.show(ty));
            self.cx.report(words::thrown_away(span, &ty));
        }
    }

    // ---- values

    /// Evaluates an expression whose value goes on.
    fn value(&mut self, id: ExprId) {
        let body = self.body.clone();
        self.look_at_type(id);
        match &body.exprs[id] {
            Expr::Local { .. } | Expr::Static { .. } => self.read(id, true),
            Expr::TupleIndex { .. } | Expr::Index { .. } => self.read(id, true),
            Expr::Method { receiver, args, .. } => match self.cx.st.types.callees.get(id) {
                Some(Callee::Field { .. }) => self.read(id, true),
                _ => self.call(id, None, Some(*receiver), args),
            },
            Expr::Call { callee, args } => self.call(id, Some(*callee), None, args),
            Expr::Borrow { mutable, operand } => {
                if self.told.insert(self.span(id)) {
                    self.cx.report(borrow_words::not_named(self.span(id), *mutable));
                }
                self.place(*operand);
            }
            Expr::Assign { place, value } => self.assign(*place, *value),
            Expr::CompoundAssign { place, value, .. } => {
                let to = self.place(*place);
                self.value(*value);
                self.write(to, self.span(*place));
            }
            Expr::AssignIfNone { place, value } => {
                let to = self.place(*place);
                self.optional(|it| {
                    it.value(*value);
                    it.write(to, it.span(*place));
                });
            }
            Expr::Lambda { lambda } => self.lambda(*lambda),
            Expr::Block { stmts, tail } => self.block(stmts, *tail, self.span(id)),
            Expr::If { cond, then, else_ } => {
                self.value(*cond);
                self.ways(&[Some(*then), *else_]);
            }
            Expr::And { lhs, rhs } | Expr::Or { lhs, rhs } | Expr::Coalesce { lhs, rhs } => {
                self.value(*lhs);
                self.optional(|it| it.value(*rhs));
            }
            Expr::SafeNav { base, inner, rest } => {
                if self.linear(*base) {
                    self.refuse(self.span(*base), words::Misplaced::Navigated);
                }
                self.value(*base);
                let (inner, rest) = (*inner, *rest);
                self.optional(|it| {
                    it.event(Event::Bind { local: inner });
                    it.value(rest);
                });
            }
            Expr::Match { subject, arms, .. } => {
                let pats: Vec<PatId> = arms.iter().map(|it| it.pat).collect();
                self.subject(*subject, &pats);
                let arms: Vec<_> = arms.iter().map(|arm| (arm.pat, arm.guard, arm.body)).collect();
                self.arms(&arms);
            }
            Expr::Is { value, pat } => {
                self.subject(*value, &[*pat]);
                match self.linear(*value) && !self.is_lent(*value) {
                    true => self.refuse(self.span(*value), words::Misplaced::Tested),
                    false => self.binds(*pat),
                }
            }
            Expr::While { cond, body: turn, loop_ } => self.turns(*loop_, &[], Some(*cond), *turn, true),
            Expr::Loop { body: turn, loop_ } => self.turns(*loop_, &[], None, *turn, false),
            Expr::For { pats, iter, body: turn, loop_ } => {
                self.value(*iter);
                self.turns(*loop_, pats, None, *turn, true);
            }
            Expr::Break { loop_, value } => {
                value.iter().for_each(|&it| self.value(it));
                self.jump(*loop_, |it| it.left, self.span(id));
            }
            Expr::Next { loop_ } => self.jump(*loop_, |it| it.next, self.span(id)),
            Expr::Return { value, .. } => {
                value.iter().for_each(|&it| self.value(it));
                self.leave(0, self.span(id));
                self.dead();
            }
            Expr::Propagate { operand, .. } => {
                self.value(*operand);
                self.may_leave(self.span(id));
            }
            Expr::QuestionMember { member, .. } => {
                self.value(*member);
                self.may_leave(self.span(id));
            }
            Expr::Binary { op, lhs, rhs } => {
                let looks = op.compares() || !self.linear(*lhs);
                self.look_at_callee(id);
                for side in [*lhs, *rhs] {
                    if looks { self.observe(side) } else { self.value(side) }
                }
            }
            Expr::Debug { operand, .. } => self.read(*operand, false),
            Expr::Interp { .. } => body.exprs[id].each_child(&mut |child| self.observe(child)),
            other => other.each_child(&mut |child| self.value(child)),
        }
        if self.ty(id).is_some_and(Ty::is_never) {
            self.dead();
        }
    }

    /// Linear values stay where they can be followed.
    fn look_at_type(&mut self, id: ExprId) {
        let Some(ty) = self.ty(id) else { return };
        if self.cx.linear().hides(ty) {
            self.refuse(self.span(id), words::Misplaced::Held(self.cx.show(ty)));
        }
        if let Some(Coercion::Dyn { from, .. }) = self.cx.st.types.coercions.get(id)
            && self.cx.linear().is(*from)
        {
            self.refuse(self.span(id), words::Misplaced::Dyn);
        }
        if !matches!(self.body.exprs[id], Expr::Call { .. } | Expr::Method { .. } | Expr::Binary { .. }) {
            self.look_at_callee(id);
        }
    }

    /// A value that is looked at and stays where it is.
    fn observe(&mut self, id: ExprId) {
        if self.is_place(id) {
            self.read(id, false);
        } else {
            self.value(id);
            if self.linear(id) {
                self.lost(self.span(id), self.ty(id));
            }
        }
    }

    fn is_place(&self, id: ExprId) -> bool {
        match &self.body.exprs[id] {
            Expr::Local { .. } | Expr::Static { .. } | Expr::TupleIndex { .. } | Expr::Index { .. } => true,
            Expr::Method { .. } => matches!(self.cx.st.types.callees.get(id), Some(Callee::Field { .. })),
            _ => false,
        }
    }

    /// Reads a place; with `goes`, a linear value goes on from there.
    fn read(&mut self, id: ExprId, goes: bool) {
        let span = self.span(id);
        let Some(place) = self.place(id) else { return };
        if goes && self.is_lent(id) {
            return self.refuse(span, words::Misplaced::Lent);
        }
        if !goes || !self.linear(id) {
            return self.event(Event::Read { place, span });
        }
        match place.owner().filter(|_| place.path.is_empty()) {
            Some(local) => self.event(Event::Move { local, span }),
            None => {
                self.refuse(span, words::Misplaced::Part);
                self.graph.refused.extend(place.owner());
            }
        }
    }

    /// Whether the value of an expression is a linear one that somebody else will use.
    fn is_lent(&self, id: ExprId) -> bool {
        match (&self.body.exprs[id], self.ty(id).map(|ty| *ty.kind())) {
            (_, Some(TyKind::Ref(_, inner))) => self.cx.linear().is(inner),
            (Expr::Local { local }, _) => self.lent.contains(local) && self.linear(id),
            _ => false,
        }
    }

    /// What a pattern takes apart. Something that is lent may be looked at, if no linear part of it gets a name.
    fn subject(&mut self, id: ExprId, pats: &[PatId]) {
        if !self.is_lent(id) {
            return self.value(id);
        }
        match self.is_place(id) {
            true => self.read(id, false),
            false => self.value(id),
        }
        let mut names = Vec::new();
        pats.iter().for_each(|&pat| self.body.pat_locals(pat, &mut names));
        self.lent.extend(names);
        self.lent_pats.extend(pats);
    }

    /// Evaluates the parts of a place; nothing if it is in a value that nobody else knows.
    fn place(&mut self, id: ExprId) -> Option<Place> {
        let body = self.body.clone();
        let is_field = matches!(self.cx.st.types.callees.get(id), Some(Callee::Field { .. }));
        match &body.exprs[id] {
            Expr::Local { local } => Some(Place::local(*local)),
            Expr::Static { var } => Some(Place { root: Root::Static(*var), path: Vec::new() }),
            Expr::Method { receiver, .. } if is_field => self.field(id, *receiver),
            Expr::TupleIndex { base, .. } if is_field => self.field(id, *base),
            Expr::Index { base, index } => {
                let object = self.object(*base);
                self.value(*index);
                let number = match &body.exprs[*index] {
                    Expr::Lit { value: Literal::Int { value, negative } } => {
                        i128::try_from(*value).ok().map(|it| if *negative { -it } else { it })
                    }
                    _ => None,
                };
                object.map(|it| it.then(Step::Element(number)))
            }
            Expr::Borrow { operand, .. } => self.place(*operand),
            _ => {
                self.value(id);
                None
            }
        }
    }

    fn field(&mut self, id: ExprId, base: ExprId) -> Option<Place> {
        let Some(Callee::Field { index, .. }) = self.cx.st.types.callees.get(id) else { return None };
        let index = *index;
        let ty = self.ty(base).map(Ty::peel_ref);
        let kind = ty.and_then(|ty| ty.as_adt()).map(|(adt, _)| self.cx.ck.defs.adts[adt].kind);
        let place = if kind == Some(AdtKind::Struct) { self.object(base) } else { self.place(base) };
        if !self.is_place(base) && self.linear(base) {
            self.lost(self.span(base), self.ty(base));
        }
        place.map(|it| it.then(Step::Field(index)))
    }

    /// The object that a place refers to.
    fn object(&mut self, base: ExprId) -> Option<Place> {
        let place = self.place(base)?;
        self.event(Event::Read { place: place.clone(), span: self.span(base) });
        Some(place.then(Step::Through))
    }

    fn assign(&mut self, place: ExprId, value: ExprId) {
        let to = match self.body.exprs[place] {
            Expr::Local { local } => {
                self.value(value);
                // What cannot be assigned has been reported, and keeps what it has.
                self.is_assignable(local).then(|| Place::local(local))
            }
            _ => {
                let to = self.place(place);
                self.value(value);
                to
            }
        };
        if to.as_ref().is_some_and(|it| !it.path.is_empty()) && self.linear(place) {
            self.refuse(self.span(place), words::Misplaced::Part);
        }
        self.write(to, self.span(place));
    }

    fn is_assignable(&self, local: LocalId) -> bool {
        let ty = self.cx.st.types.locals.get(local);
        self.body.locals[local].mutable || ty.is_some_and(|ty| matches!(ty.kind(), TyKind::Ref(..)))
    }

    fn write(&mut self, place: Option<Place>, span: Span) {
        if let Some(place) = place {
            self.event(Event::Write { place, span });
        }
    }

    // ---- calls

    fn call(&mut self, id: ExprId, callee: Option<ExprId>, receiver: Option<ExprId>, args: &[Arg]) {
        if let Some(callee) = callee
            && matches!(self.cx.st.types.callees.get(id), Some(Callee::Value))
        {
            self.value(callee);
        }
        let call = self.calls;
        self.calls += 1;
        self.look_at_callee(id);
        if self.only_looks(id) {
            receiver.into_iter().chain(args.iter().map(|it| it.value)).for_each(|it| self.observe(it));
            return;
        }
        self.event(Event::Open { call });
        let lends = receiver.into_iter().fold(false, |lends, it| lends | self.argument(it, call));
        // What a variant or a newtype is made of is kept.
        if let Some(Callee::Variant { .. } | Callee::Newtype { .. }) = self.cx.st.types.callees.get(id) {
            args.iter().for_each(|arg| self.value(arg.value));
            return;
        }
        let lends = args.iter().fold(lends, |lends, arg| lends | self.argument(arg.value, call));
        if lends {
            self.event(Event::Call { call });
        }
        if self.cx.crossing_callee(id).is_some() {
            args.iter().for_each(|arg| self.goes(arg.value));
        }
    }

    /// An argument that goes to another task takes the values of names with it.
    fn goes(&mut self, arg: ExprId) {
        let body = self.body.clone();
        let locals = match &body.exprs[arg] {
            Expr::Local { local } => std::slice::from_ref(local),
            Expr::Lambda { lambda } => &body.lambdas[*lambda].captures,
            _ => return,
        };
        for &local in locals {
            let Some(&ty) = self.cx.st.types.locals.get(local) else { continue };
            if !matches!(ty.kind(), TyKind::Ref(..))
                && !self.cx.traits().has_marker(ty, crate::traits::Marker::Share)
            {
                self.event(Event::Go { place: Place::local(local), span: self.span(arg) });
            }
        }
    }

    /// Code for any type may copy or drop its values.
    fn look_at_callee(&mut self, id: ExprId) {
        let linear = self.cx.linear();
        if !linear.is_possible() {
            return;
        }
        let unfit = match self.cx.st.types.callees.get(id) {
            Some(Callee::Fn(it)) => self.cx.ck.unfit_linear(it.function, it.type_args, linear),
            Some(&Callee::Method { trait_id, method, args, own_args }) if !self.only_looks(id) => {
                let bound = TraitRef { trait_id, args: &args[1..] };
                self.cx.ck.unfit_linear_method((bound, method), args, own_args, linear)
            }
            _ => return,
        };
        if let Some(ty) = unfit {
            self.refuse(self.span(id), words::Misplaced::Generic(self.cx.show(ty)));
        }
    }

    /// Whether a call is of `show`, `==` and the like of a linear value.
    fn only_looks(&self, id: ExprId) -> bool {
        let Some(Callee::Method { trait_id, args, .. }) = self.cx.st.types.callees.get(id) else {
            return false;
        };
        looks_only(self.cx.ck.defs, *trait_id) && self.cx.linear().mentions(args[0])
    }

    /// Whether the argument is lent.
    fn argument(&mut self, id: ExprId, call: u32) -> bool {
        let span = self.span(id);
        let lent = match (self.cx.st.types.coercions.get(id), &self.body.exprs[id]) {
            (Some(Coercion::AutoRef { mutable }), _) => Some((*mutable, id)),
            (None, Expr::Borrow { mutable, operand }) => Some((*mutable, *operand)),
            (None, Expr::Local { .. }) => match self.ty(id).map(|ty| ty.kind()) {
                Some(TyKind::Ref(mutability, _)) => Some((*mutability == Mutability::Mut, id)),
                _ => None,
            },
            _ => None,
        };
        let Some((mutable, operand)) = lent else {
            // A parameter that takes a value gets what is lent.
            self.value(match self.body.exprs[id] {
                Expr::Borrow { operand, .. } => operand,
                _ => id,
            });
            return false;
        };
        match self.place(operand) {
            Some(place) => self.event(Event::Borrow { place, mutable, holder: Holder::Call(call), span }),
            None if self.linear(operand) => self.lost(span, self.ty(operand)),
            None => {}
        }
        true
    }

    fn lambda(&mut self, lambda: LambdaId) {
        let body = self.body.clone();
        if !self.lambdas.contains(&lambda) {
            self.lambdas.push(lambda);
        }
        let it = &body.lambdas[lambda];
        let mut uses = Uses { body: &body, first: Vec::new(), assigned: Vec::new() };
        uses.collect(it.body);
        for &local in &it.captures {
            let find = |all: &[(LocalId, Span)]| all.iter().find(|it| it.0 == local).map(|it| it.1);
            let Some(span) = find(&uses.first) else { continue };
            let is_linear = self.cx.st.types.locals.get(local).is_some_and(|&ty| self.cx.linear().is(ty));
            if is_linear && !self.lent.contains(&local) {
                self.refuse(span, words::Misplaced::Captured(body.locals[local].span));
                self.graph.refused.push(local);
            }
            self.event(Event::Read { place: Place::local(local), span });
            if let Some(span) = find(&uses.assigned) {
                self.event(Event::Write { place: Place::local(local), span });
            }
        }
    }

    // ---- control

    fn ways(&mut self, ways: &[Option<ExprId>]) {
        let (before, after) = (self.at, self.new_block());
        for way in ways {
            self.at = before;
            let start = self.new_block();
            self.goto(start);
            self.at = start;
            way.iter().for_each(|&it| self.value(it));
            self.goto(after);
        }
        self.at = after;
    }

    /// Something that may not happen.
    fn optional(&mut self, then: impl FnOnce(&mut Self)) {
        let (some, after) = (self.new_block(), self.new_block());
        self.goto(some);
        self.goto(after);
        self.at = some;
        then(self);
        self.goto(after);
        self.at = after;
    }

    fn arms(&mut self, arms: &[(PatId, Option<ExprId>, ExprId)]) {
        let after = self.new_block();
        for &(pat, guard, value) in arms {
            let (here, otherwise) = (self.new_block(), self.new_block());
            self.goto(here);
            self.goto(otherwise);
            self.at = here;
            self.scopes.push(Scope::default());
            self.binds(pat);
            if let Some(guard) = guard {
                self.value(guard);
                self.goto(otherwise);
                let goes = self.new_block();
                self.goto(goes);
                self.at = goes;
            }
            self.value(value);
            self.close(self.span(value));
            self.goto(after);
            self.at = otherwise;
        }
        // One of the arms is taken.
        self.at = after;
    }

    fn turns(&mut self, loop_: LoopId, pats: &[PatId], cond: Option<ExprId>, turn: ExprId, ends: bool) {
        let (next, left) = (self.new_block(), self.new_block());
        self.goto(next);
        self.at = next;
        cond.iter().for_each(|&it| self.value(it));
        if ends {
            self.goto(left);
        }
        let start = self.new_block();
        self.goto(start);
        self.at = start;
        self.loops.push(Turns { loop_, next, left, depth: self.scopes.len() });
        self.scopes.push(Scope::default());
        pats.iter().for_each(|&pat| self.binds(pat));
        self.value(turn);
        self.close(self.span(turn));
        self.loops.pop();
        self.goto(next);
        self.at = left;
    }

    fn jump(&mut self, loop_: LoopId, to: fn(&Turns) -> usize, span: Span) {
        if let Some(turns) = self.loops.iter().rev().find(|it| it.loop_ == loop_) {
            let (to, depth) = (to(turns), turns.depth);
            self.leave(depth, span);
            self.goto(to);
        }
        self.dead();
    }

    fn may_leave(&mut self, span: Span) {
        let stays = self.new_block();
        self.goto(stays);
        let leaves = self.new_block();
        self.goto(leaves);
        self.at = leaves;
        self.leave(0, span);
        self.at = stays;
    }

    /// Everything from this scope on ends; the scopes stay open for what stands behind.
    fn leave(&mut self, depth: usize, span: Span) {
        for n in (depth..self.scopes.len()).rev() {
            // What a deferred statement does to leave is no way out of the function.
            let deferred = std::mem::take(&mut self.scopes[n].deferred);
            deferred.iter().rev().for_each(|&it| self.statement(it));
            let locals = std::mem::take(&mut self.scopes[n].locals);
            locals.iter().rev().for_each(|&local| self.event(Event::End { local, span }));
            self.scopes[n] = Scope { locals, deferred };
        }
    }

    fn close(&mut self, span: Span) {
        let end = Span::new(span.file, qz_base::TextRange::empty(span.range.end));
        self.leave(self.scopes.len() - 1, end);
        self.scopes.pop();
    }

    fn block(&mut self, stmts: &[Stmt], tail: Option<ExprId>, span: Span) {
        self.scopes.push(Scope::default());
        for stmt in stmts {
            match stmt {
                Stmt::Expr(expr) => self.statement(*expr),
                Stmt::Bind { pat, value, .. } => self.bind(*pat, *value),
                Stmt::Defer(expr) => self.scopes.last_mut().expect("pushed above").deferred.push(*expr),
            }
        }
        if let Some(tail) = tail {
            match self.cx.st.types.coercions.get(tail) {
                Some(Coercion::Discard) => self.statement(tail),
                _ => self.value(tail),
            }
        }
        self.close(span);
    }

    /// An expression whose value nobody gets.
    fn statement(&mut self, id: ExprId) {
        let assigns = matches!(
            self.body.exprs[id],
            Expr::Assign { .. } | Expr::CompoundAssign { .. } | Expr::AssignIfNone { .. }
        );
        self.value(id);
        if !assigns && self.linear(id) {
            self.lost(self.span(id), self.ty(id));
        }
    }

    // ---- names

    fn bind(&mut self, pat: PatId, value: ExprId) {
        let named = match self.body.pats[pat] {
            Pat::Bind { local, sub: None } => Some(local),
            _ => None,
        };
        let span = self.span(value);
        let lends = match (&self.body.exprs[value], self.ty(value).map(|ty| ty.kind())) {
            (Expr::Borrow { mutable, operand }, _) => Some((*mutable, *operand)),
            (Expr::Local { .. }, Some(TyKind::Ref(mutability, _))) => {
                Some((*mutability == Mutability::Mut, value))
            }
            _ => None,
        };
        let is_read = matches!(self.cx.st.types.coercions.get(value), Some(Coercion::Deref));
        match (named, lends) {
            (Some(local), Some((mutable, operand))) if !is_read => {
                let place = self.place(operand);
                self.event(Event::Bind { local });
                if let Some(place) = place {
                    self.event(Event::Borrow { place, mutable, holder: Holder::Local(local), span });
                }
            }
            _ => {
                self.subject(value, &[pat]);
                self.binds(pat);
            }
        }
    }

    fn bind_local(&mut self, local: LocalId) {
        self.event(Event::Bind { local });
        if self.lent.contains(&local) {
            return;
        }
        if self.cx.st.types.locals.get(local).is_some_and(|&ty| self.cx.linear().is(ty)) {
            self.scopes.last_mut().expect("a scope is open").locals.push(local);
        }
    }

    /// The names of a pattern, and what it leaves out.
    fn binds(&mut self, pat: PatId) {
        let body = self.body.clone();
        if self.lent_pats.contains(&pat) {
            let mut names = Vec::new();
            body.pat_locals(pat, &mut names);
            return names.into_iter().for_each(|local| self.bind_local(local));
        }
        let ty = self.cx.st.types.pats.get(pat).copied();
        let is_linear = ty.is_some_and(|ty| self.cx.linear().is(ty));
        match &body.pats[pat] {
            Pat::Bind { local, sub } => {
                self.bind_local(*local);
                if is_linear && sub.is_some() {
                    return self.refuse(body.pat_span(pat), words::Misplaced::Twice);
                }
            }
            Pat::Wild if is_linear => return self.lost(body.pat_span(pat), ty),
            Pat::Struct { fields, has_rest: true, .. } if is_linear => {
                self.left_out(pat, fields.iter().map(|it| it.pat).collect());
            }
            Pat::Variant { args, gap, .. } if is_linear && gap.0.is_some() => {
                self.left_out(pat, args.iter().map(|it| it.pat).collect());
            }
            Pat::Tuple { elems, gap } if is_linear && gap.0.is_some() => self.left_out(pat, elems.to_vec()),
            Pat::Or { alts } => {
                // The same names in each.
                return alts.first().into_iter().for_each(|&it| self.binds(it));
            }
            _ => {}
        }
        body.pats[pat].each_child(&mut |child| self.binds(child));
    }

    /// `..` in a pattern must not stand for linear values.
    fn left_out(&mut self, pat: PatId, given: Vec<PatId>) {
        let Some(ty) = self.cx.st.types.pats.get(pat).copied() else { return };
        let parts = match *ty.kind() {
            TyKind::Tuple(parts) => parts.to_vec(),
            TyKind::Adt(id, args) => self.cx.traits().fields_of(id, args),
            _ => return,
        };
        let count = |it: &[Ty]| it.iter().filter(|&&ty| self.cx.linear().is(ty)).count();
        let given: Vec<Ty> = given.iter().filter_map(|&it| self.cx.st.types.pats.get(it).copied()).collect();
        if count(&given) < count(&parts) {
            self.refuse(self.body.pat_span(pat), words::Misplaced::LeftOut);
        }
    }
}

/// Whether the methods of a trait look at values and leave them where they are.
fn looks_only(defs: &Defs, trait_id: TraitId) -> bool {
    matches!(Derived::of(defs, trait_id), Some(Derived::Eq | Derived::Ord | Derived::Hash | Derived::Show))
}

/// What a lambda does with names: where each is used and assigned, first.
struct Uses<'a> {
    body: &'a Body,
    first: Vec<(LocalId, Span)>,
    assigned: Vec<(LocalId, Span)>,
}

impl Uses<'_> {
    fn collect(&mut self, id: ExprId) {
        let span = self.body.expr_span(id);
        match &self.body.exprs[id] {
            Expr::Local { local } => {
                if self.first.iter().all(|it| it.0 != *local) {
                    self.first.push((*local, span));
                }
                return;
            }
            Expr::Lambda { lambda } => return self.collect(self.body.lambdas[*lambda].body),
            Expr::Assign { place, .. }
            | Expr::CompoundAssign { place, .. }
            | Expr::AssignIfNone { place, .. } => {
                self.assigns(*place, span);
            }
            Expr::Borrow { mutable: true, operand } => self.assigns(*operand, span),
            _ => {}
        }
        self.body.exprs[id].each_child(&mut |child| self.collect(child));
    }

    fn assigns(&mut self, place: ExprId, span: Span) {
        if let Expr::Local { local } = self.body.exprs[place]
            && self.assigned.iter().all(|it| it.0 != local)
        {
            self.assigned.push((local, span));
        }
    }
}
