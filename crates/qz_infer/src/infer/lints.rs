//! What is allowed but hardly meant: results that nobody looks at, tasks that nobody waits for, code that is never
//! reached.

use qz_hir::body::{Body, Expr, ExprId, Stmt};

use super::Infer;
use crate::diagnostics as words;
use crate::facts::Coercion;

impl Infer<'_, '_> {
    /// Looks through a body that has no errors, with its final types.
    pub(super) fn lint(&mut self) {
        let body = self.body.clone();
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
        if self.starts_task(expr) {
            self.report(words::bare_go(self.span(expr)));
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
