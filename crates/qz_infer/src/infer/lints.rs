//! What is allowed but hardly meant: results that nobody looks at, tasks that nobody waits for, code that is never
//! reached.

use qz_base::Name;
use qz_hir::body::{Body, Expr, ExprId, Stmt};

use super::Infer;
use crate::diagnostics as words;
use crate::facts::{Callee, Coercion};

impl Infer<'_, '_> {
    /// Looks through a body that has no errors, with its final types.
    pub(super) fn lint(&mut self) {
        let body = self.body.clone();
        self.declared_uses(&body);
        self.never_resumed(&body);
        for (_, expr) in body.exprs.iter() {
            let (stmts, tail) = match expr {
                Expr::Block { stmts, tail } => (stmts, tail),
                Expr::If { then: inner, else_: None, .. }
                | Expr::While { body: inner, .. }
                | Expr::Loop { body: inner, .. }
                | Expr::For { body: inner, .. } => {
                    self.thrown_away(last_of(&body, *inner));
                    continue;
                }
                _ => continue,
            };
            for stmt in stmts {
                if let Stmt::Expr(expr) = stmt {
                    self.thrown_away(*expr);
                }
            }
            if let Some(tail) = *tail
                && matches!(self.st.types.coercions.get(tail), Some(Coercion::Discard))
            {
                self.thrown_away(tail);
            }
            self.unreachable(stmts, *tail);
        }
    }

    /// A `Result` that is a statement's value: its error goes unseen.
    fn thrown_away(&mut self, expr: ExprId) {
        let result = self.ck.defs.lang.adt("Result");
        let ty = self.st.types.exprs.get(expr).and_then(|ty| ty.as_adt());
        if ty.is_some_and(|(adt, _)| Some(adt) == result) {
            self.report(words::thrown_away(self.span(expr)));
        }
        let called = self.st.types.callees.get(last_of(&self.body, expr)).or(self.st.types.callees.get(expr));
        let function = match called {
            Some(Callee::Fn(called)) => Some(called.function),
            _ => None,
        };
        let defs = self.ck.defs;
        let of_fn =
            function.and_then(|it| defs.fns[it].attrs.for_users.must_use.map(|why| (defs.fns[it].name, why)));
        let of_ty =
            ty.and_then(|(it, _)| defs.adts[it].for_users.must_use.map(|why| (defs.adts[it].name, why)));
        if let Some((name, why)) = of_fn.or(of_ty)
            && !ty.is_some_and(|(adt, _)| Some(adt) == result)
        {
            self.report(words::must_use(self.span(expr), name, why));
        }
        if self.starts_task(expr) {
            self.report(words::bare_go(self.span(expr)));
        }
    }

    /// Uses of what is deprecated, or for tests only.
    fn declared_uses(&mut self, body: &Body) {
        let defs = self.ck.defs;
        let own = &defs.fns[body.owner].attrs.for_users;
        // A newtype's name and the call of it are one use.
        let mut told = Vec::new();
        for (id, expr) in body.exprs.iter() {
            let (name, attrs, declared) = match (self.st.types.callees.get(id), expr) {
                (Some(Callee::Fn(called)), _) => {
                    let def = &defs.fns[called.function];
                    (def.name, &def.attrs.for_users, defs.fn_span(called.function))
                }
                (Some(Callee::Newtype { adt } | Callee::Variant { adt, .. }), _) => {
                    (defs.adts[*adt].name, &defs.adts[*adt].for_users, defs.adt_span(*adt))
                }
                (_, Expr::Const { constant }) => {
                    let def = &defs.fns[*constant];
                    (def.name, &def.attrs.for_users, defs.fn_span(*constant))
                }
                (_, Expr::Struct { .. }) => match self.st.types.exprs.get(id).and_then(|ty| ty.as_adt()) {
                    Some((adt, _)) => (defs.adts[adt].name, &defs.adts[adt].for_users, defs.adt_span(adt)),
                    None => continue,
                },
                _ => continue,
            };
            let start = (name, self.span(id).range.start);
            if (attrs.deprecated.is_none() && !attrs.test_only) || told.contains(&start) {
                continue;
            }
            told.push(start);
            if let Some(instead) = attrs.deprecated.filter(|_| own.deprecated.is_none()) {
                self.report(words::deprecated(self.span(id), name, instead, declared));
            }
            if attrs.test_only && !own.test_only && !defs.expansions.in_tests {
                self.report(words::test_only(self.span(id), name, declared));
            }
        }
    }

    /// Clauses that end the body of the `with` and have nothing to give for it: most likely `resume` was forgotten.
    /// `return` says that the end is meant, and so does an operation that gives `Never`.
    fn never_resumed(&mut self, body: &Body) {
        let defs = self.ck.defs;
        if defs.effects.is_empty() {
            return;
        }
        let abandon = Name::new("abandon");
        for (id, expr) in body.exprs.iter() {
            let Expr::Method { name, args, .. } = expr else { continue };
            if *name != abandon {
                continue;
            }
            let Some(Callee::Fn(called)) = self.st.types.callees.get(id) else { continue };
            let is_ours = defs.modules[defs.fns[called.function].module].is_std;
            let (&[answer, gives], true) = (called.type_args, is_ours) else { continue };
            let Some(&Expr::Lambda { lambda }) = args.first().map(|it| &body.exprs[it.value]) else {
                continue;
            };
            let returns =
                |it: &Expr| matches!(it, Expr::Return { lambda: Some(from), .. } if *from == lambda);
            let ends = self.st.types.exprs.get(body.lambdas[lambda].body).is_some_and(|ty| ty.is_never());
            if answer.is_unit() && !gives.is_never() && !ends && !body.exprs.iter().any(|(_, it)| returns(it))
            {
                self.report(words::effects::never_resumed(self.span(id)));
            }
        }
    }

    /// Whether this is a `go`, or a `spawn`.
    fn starts_task(&self, expr: ExprId) -> bool {
        let Expr::Call { callee, .. } = &self.body.exprs[last_of(&self.body, expr)] else { return false };
        let Expr::Fns { candidates, .. } = &self.body.exprs[*callee] else { return false };
        let lang = &self.ck.defs.lang;
        let starters = ["task_go", "task_spawn", "task_go_with"].map(|role| lang.func(role));
        candidates.iter().any(|&function| starters.contains(&Some(function)))
    }

    /// The first line behind one that does not end.
    fn unreachable(&mut self, stmts: &[Stmt], tail: Option<ExprId>) {
        let value = |stmt: &Stmt| match *stmt {
            Stmt::Expr(expr) | Stmt::Bind { value: expr, .. } => Some(expr),
            Stmt::Defer(_) => None,
        };
        let never = |&expr: &ExprId| self.st.types.exprs.get(expr).is_some_and(|ty| ty.is_never());
        let Some(at) = stmts.iter().position(|stmt| value(stmt).as_ref().is_some_and(never)) else { return };
        let next = match stmts.get(at + 1) {
            Some(Stmt::Defer(expr)) => Some(*expr),
            Some(stmt) => value(stmt),
            None => tail,
        };
        let (Some(ends), Some(next)) = (value(&stmts[at]), next) else { return };
        let (ends, next) = (self.span(ends), self.span(next));
        if next.range.start >= ends.range.end {
            self.report(words::unreachable_code(next, ends));
        }
    }
}

/// The expression whose value a block has.
fn last_of(body: &Body, expr: ExprId) -> ExprId {
    match &body.exprs[expr] {
        Expr::Block { tail: Some(tail), .. } => last_of(body, *tail),
        _ => expr,
    }
}
