//! What a lock lends to a block stays behind the lock: neither it nor an object in it is stored elsewhere or given back.
//! The same goes for an arena that is made for a block, and what it holds.
//!
//! What is followed is names, fields, elements and what is made of them, wherever in the block they stand. What other
//! functions do with a value is not; what they keep is copied when the block ends.

use qz_base::{FxHashMap, FxHashSet, Name};
use qz_hir::AdtKind;
use qz_hir::body::{Arg, Body, Expr, ExprId, LambdaId, LocalId, PatId, Stmt};
use qz_types::{Ty, TyKind};

use super::Infer;
use super::handed::{Lambdas, known_lambdas};
use crate::diagnostics as words;
use crate::facts::{Callee, Coercion, ParamSource};
use crate::traits::{Marker, MethodTarget};

impl Infer<'_, '_> {
    /// For a body that has no errors, with its final types.
    pub(super) fn check_lent(&mut self) {
        let body = self.body.clone();
        let lends = |cx: &Self, id: ExprId| match cx.st.types.callees.get(id) {
            Some(Callee::Fn(it)) if cx.ck.defs.fns[it.function].attrs.lends => Some(it.function),
            _ => None,
        };
        let calls: Vec<_> = body.exprs.ids().filter_map(|id| Some((id, lends(self, id)?))).collect();
        if calls.is_empty() {
            return;
        }
        let known = known_lambdas(&body);
        let unused = self.unused_values();
        for (call, function) in calls {
            let (Expr::Call { args, .. } | Expr::Method { args, .. }) = &body.exprs[call] else { continue };
            let sig = self.ck.defs.fn_sig(function);
            let is_arena = self.ck.defs.lang.func("arena_with") == Some(function);
            let lender = if is_arena { words::Lender::Arena } else { words::Lender::Lock };
            let Some(plan) = self.st.types.plans.get(call).cloned() else { continue };
            for (param, source) in sig.params.iter().zip(&plan.params) {
                if let ParamSource::Arg(n) = source
                    && let Some(TyKind::Fn(written)) = param.ty.map(|ty| ty.kind())
                    && let Some(lambda) = lambda_of(&body, args[*n as usize].value, &known)
                {
                    let gives_back = unused.contains(&call) || written.params.first() == Some(&written.ret);
                    self.check_lent_to(&body, lambda, gives_back, lender);
                }
            }
        }
    }

    /// Expressions whose values nobody uses.
    fn unused_values(&self) -> FxHashSet<ExprId> {
        let body = &self.body;
        let discarded = |id: &ExprId| self.st.types.coercions.get(*id) == Some(&Coercion::Discard);
        let mut work: Vec<ExprId> = body.exprs.ids().filter(discarded).collect();
        for expr in body.exprs.values() {
            let Expr::Block { stmts, .. } = expr else { continue };
            work.extend(stmts.iter().filter_map(|it| match it {
                Stmt::Expr(it) | Stmt::Defer(it) => Some(*it),
                Stmt::Bind { .. } => None,
            }));
        }
        let mut all = FxHashSet::default();
        while let Some(id) = work.pop() {
            all.insert(id);
            match &body.exprs[id] {
                Expr::Block { tail, .. } => work.extend(tail),
                Expr::If { then, else_, .. } => work.extend(else_.iter().chain([then])),
                Expr::Match { arms, .. } => work.extend(arms.iter().map(|it| it.body)),
                _ => {}
            }
        }
        all
    }

    fn check_lent_to(&mut self, body: &Body, lambda: LambdaId, gives_back: bool, lender: words::Lender) {
        let Some(&lent) = body.lambdas[lambda].params.first() else { return };
        let root = body.lambdas[lambda].body;
        let mut walk = Lent {
            cx: self,
            body,
            lambda,
            lent: FxHashSet::default(),
            replaced: FxHashSet::default(),
            shared: FxHashMap::default(),
            kept: Vec::new(),
            grew: false,
        };
        walk.lend(lent);
        while std::mem::take(&mut walk.grew) {
            walk.kept.clear();
            let replaced = walk.replaced.len();
            walk.walk(root);
            if walk.replaced.len() > replaced {
                // Names for what was in those fields are no names for what is lent.
                walk.lent.clear();
                walk.lend(lent);
            }
        }
        if !gives_back && !walk.lent.is_empty() {
            walk.leaves(root);
        }
        let kept = std::mem::take(&mut walk.kept);
        for (value, into) in kept {
            let name = match body.exprs[value] {
                Expr::Local { local } => Some(body.locals[local].name),
                _ => None,
            };
            let into = match into {
                Kept::Given => words::KeptBy::Caller,
                Kept::By(local) => words::KeptBy::Name(body.locals[local].name),
                Kept::ByModule => words::KeptBy::Module,
            };
            let (span, from) = (self.span(value), &body.locals[lent]);
            self.report(words::lent_escapes(span, lender, name, into, (from.name, from.span)));
        }
    }
}

fn lambda_of(body: &Body, value: ExprId, known: &Lambdas) -> Option<LambdaId> {
    match body.exprs[value] {
        Expr::Lambda { lambda } => Some(lambda),
        Expr::Local { local } => known.of(local),
        _ => None,
    }
}

struct Lent<'a, 'c, 'd> {
    cx: &'a mut Infer<'c, 'd>,
    body: &'a Body,
    lambda: LambdaId,
    /// Names for what is lent, for objects in it, and for what holds one.
    lent: FxHashSet<LocalId>,
    /// Fields of lent objects that get other values: what was in one may leave.
    replaced: FxHashSet<Name>,
    /// Whether nobody can change values of a type.
    shared: FxHashMap<Ty, bool>,
    kept: Vec<(ExprId, Kept)>,
    grew: bool,
}

impl Lent<'_, '_, '_> {
    // ---- what is lent

    fn lend(&mut self, local: LocalId) {
        let Some(&ty) = self.cx.st.types.locals.get(local) else { return };
        if !self.is_shared(ty) && self.lent.insert(local) {
            self.grew = true;
        }
    }

    fn lend_all(&mut self, pat: PatId) {
        let mut locals = Vec::new();
        self.body.pat_locals(pat, &mut locals);
        locals.into_iter().for_each(|it| self.lend(it));
    }

    fn is_shared(&mut self, ty: Ty) -> bool {
        if let Some(&known) = self.shared.get(&ty) {
            return known;
        }
        // What is known of a type parameter's values is too little to refuse anything.
        let shared = self.cx.traits().unfit_part(ty.peel_ref(), Marker::Share, &mut Vec::new()).is_none();
        self.shared.insert(ty, shared);
        shared
    }

    /// Whether an expression's value is lent, is an object in what is, or was made of one here.
    fn is_lent(&mut self, id: ExprId) -> bool {
        let Some(&ty) = self.cx.st.types.exprs.get(id) else { return false };
        if self.is_shared(ty) {
            return false;
        }
        let body = self.body;
        match &body.exprs[id] {
            Expr::Local { local } => self.lent.contains(local),
            Expr::Method { receiver, name, .. } => match self.cx.st.types.callees.get(id) {
                Some(Callee::Field { .. }) => !self.replaced.contains(name) && self.is_lent(*receiver),
                Some(Callee::Fn(it)) if self.cx.ck.defs.fns[it.function].attrs.part => {
                    !self.is_new_of_shared(ty) && self.is_lent(*receiver)
                }
                _ => false,
            },
            Expr::Index { base, index } => {
                !matches!(body.exprs[*index], Expr::Range { .. }) && self.is_lent(*base)
            }
            Expr::Call { args, .. } => match self.cx.st.types.callees.get(id) {
                Some(Callee::Variant { .. } | Callee::Newtype { .. }) => self.any_arg(args),
                _ => false,
            },
            Expr::TupleIndex { base: inside, .. }
            | Expr::Unwrap { operand: inside }
            | Expr::Propagate { operand: inside, .. }
            | Expr::Debug { operand: inside, .. }
            | Expr::Borrow { operand: inside, .. } => self.is_lent(*inside),
            Expr::Coalesce { lhs, rhs } => self.is_lent(*lhs) || self.is_lent(*rhs),
            Expr::Block { tail, .. } => tail.is_some_and(|it| self.is_lent(it)),
            Expr::If { then, else_, .. } => self.is_lent(*then) || else_.is_some_and(|it| self.is_lent(it)),
            Expr::Match { arms, .. } => arms.iter().any(|it| self.is_lent(it.body)),
            Expr::SafeNav { rest, .. } => self.is_lent(*rest),
            Expr::Comprehension { acc, .. } => self.lent.contains(acc),
            Expr::Lambda { lambda } => {
                body.lambdas[*lambda].captures.iter().any(|local| self.lent.contains(local))
            }
            Expr::Tuple { .. }
            | Expr::Vec { .. }
            | Expr::Repeat { .. }
            | Expr::Map { .. }
            | Expr::Set { .. }
            | Expr::Struct { .. }
            | Expr::Record { .. }
            | Expr::Update { .. } => {
                let mut any = false;
                body.exprs[id].each_child(&mut |part| any = any || self.is_lent(part));
                any
            }
            _ => false,
        }
    }

    /// Whether it is a collection whose elements nobody can change: a new one has no part in what its elements were in.
    fn is_new_of_shared(&mut self, ty: Ty) -> bool {
        let Some((adt, args)) = ty.as_adt() else { return false };
        self.cx.ck.defs.adts[adt].kind == AdtKind::Struct && args.iter().all(|&arg| self.is_shared(arg))
    }

    fn any_arg(&mut self, args: &[Arg]) -> bool {
        args.iter().any(|it| self.is_lent(it.value))
    }

    // ---- where it goes

    fn walk(&mut self, id: ExprId) {
        let body = self.body;
        match &body.exprs[id] {
            Expr::Block { stmts, .. } => stmts.iter().for_each(|it| self.stmt(it)),
            Expr::Match { subject, arms, .. } if self.is_lent(*subject) => {
                arms.iter().for_each(|it| self.lend_all(it.pat));
            }
            Expr::Is { value, pat } if self.is_lent(*value) => self.lend_all(*pat),
            Expr::For { pats, iter, .. } if self.is_lent(*iter) => {
                pats.iter().for_each(|&it| self.lend_all(it));
            }
            Expr::SafeNav { base, inner, .. } if self.is_lent(*base) => self.lend(*inner),
            Expr::Collect { acc, value, .. } if self.is_lent(*value) => self.lend(*acc),
            Expr::Assign { place, value } | Expr::AssignIfNone { place, value } => {
                self.assigned(*place, *value)
            }
            Expr::Method { receiver, args, .. } if self.keeps(id) => {
                args.iter().for_each(|it| self.stored(*receiver, it.value));
            }
            Expr::Method { receiver, args, .. } if self.is_lent(*receiver) => self.visited(id, args),
            Expr::Binary { lhs, rhs, .. } if self.keeps(id) => self.stored(*lhs, *rhs),
            Expr::Return { lambda: Some(of), value: Some(value) } if *of == self.lambda => {
                self.leaves(*value);
            }
            Expr::Lambda { lambda } => self.walk(body.lambdas[*lambda].body),
            _ => {}
        }
        body.exprs[id].each_child(&mut |child| self.walk(child));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        if let Stmt::Bind { pat, value, .. } = stmt
            && self.is_lent(*value)
        {
            self.lend_all(*pat);
        }
    }

    /// A method without a result calls functions with what is in its receiver.
    fn visited(&mut self, call: ExprId, args: &[Arg]) {
        if !self.cx.st.types.exprs.get(call).is_some_and(|ty| ty.is_unit()) {
            return;
        }
        for arg in args {
            if let Expr::Lambda { lambda } = self.body.exprs[arg.value] {
                self.body.lambdas[lambda].params.iter().for_each(|&it| self.lend(it));
            }
        }
    }

    /// Whether a call makes its arguments parts of its receiver.
    fn keeps(&self, call: ExprId) -> bool {
        match self.cx.st.types.callees.get(call) {
            Some(Callee::Fn(it)) => self.cx.ck.defs.fns[it.function].attrs.keeps,
            Some(&Callee::Method { trait_id, method, args, own_args }) if args[0].as_adt().is_some() => {
                match self.cx.ck.resolve_method(trait_id, method, args, own_args) {
                    MethodTarget::Fn(function, _) => self.cx.ck.defs.fns[function].attrs.keeps,
                    _ => false,
                }
            }
            _ => false,
        }
    }

    fn assigned(&mut self, place: ExprId, value: ExprId) {
        if let Expr::Method { receiver, name, .. } = &self.body.exprs[place]
            && self.is_lent(*receiver)
            && self.replaced.insert(*name)
        {
            self.grew = true;
        }
        self.stored(place, value);
    }

    /// A value becomes a part of a place, or of the object there.
    fn stored(&mut self, place: ExprId, value: ExprId) {
        if !self.is_lent(value) || self.is_lent(place) {
            return;
        }
        match self.root(place) {
            Some(Root::Local(local)) if self.is_inside(local) => self.lend(local),
            Some(Root::Local(local)) => self.keep(value, Kept::By(local)),
            Some(Root::Module) => self.keep(value, Kept::ByModule),
            None => {}
        }
    }

    /// A value is the block's result.
    fn leaves(&mut self, value: ExprId) {
        let discarded = self.cx.st.types.coercions.get(value) == Some(&Coercion::Discard);
        if !discarded && self.is_lent(value) {
            self.keep(value, Kept::Given);
        }
    }

    fn keep(&mut self, value: ExprId, how: Kept) {
        let culprit = self.culprit(value);
        self.kept.push((culprit, how));
    }

    /// The part of an expression that makes it lent.
    fn culprit(&mut self, id: ExprId) -> ExprId {
        let body = self.body;
        let looks_inside = matches!(
            body.exprs[id],
            Expr::Block { .. }
                | Expr::If { .. }
                | Expr::Match { .. }
                | Expr::Tuple { .. }
                | Expr::Vec { .. }
                | Expr::Map { .. }
                | Expr::Set { .. }
                | Expr::Struct { .. }
                | Expr::Record { .. }
                | Expr::Call { .. }
        );
        if !looks_inside {
            return id;
        }
        let mut last = None;
        body.exprs[id].each_child(&mut |child| last = if self.is_lent(child) { Some(child) } else { last });
        last.map_or(id, |it| self.culprit(it))
    }

    fn root(&self, place: ExprId) -> Option<Root> {
        match &self.body.exprs[place] {
            Expr::Local { local } => Some(Root::Local(*local)),
            Expr::Static { .. } => Some(Root::Module),
            Expr::Method { receiver, .. } => match self.cx.st.types.callees.get(place) {
                Some(Callee::Field { .. }) => self.root(*receiver),
                _ => None,
            },
            Expr::Index { base, .. } | Expr::TupleIndex { base, .. } => self.root(*base),
            Expr::Unwrap { operand } => self.root(*operand),
            _ => None,
        }
    }

    /// Whether a name is one of the block, or of a lambda in it.
    fn is_inside(&self, local: LocalId) -> bool {
        let mut at = self.body.locals[local].lambda;
        while let Some(lambda) = at {
            if lambda == self.lambda {
                return true;
            }
            at = self.body.lambdas[lambda].parent;
        }
        false
    }
}

/// Where what is lent goes.
#[derive(Copy, Clone)]
enum Kept {
    Given,
    By(LocalId),
    ByModule,
}

/// Where a place begins.
enum Root {
    Local(LocalId),
    /// A variable of the module.
    Module,
}
