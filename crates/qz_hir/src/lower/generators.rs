//! Functions with `yield`: calling one gives a generator, which runs the body as values are asked for.
//!
//! ```text
//! def up(n: Int): Iterator<Int>        def up(n: Int): Generator<Int>
//!   yield n                       is     generator(y -> { y.emit(n); … })
//!   …
//! ```

use qz_base::TextRange;
use qz_syntax::SyntaxKind;
use qz_syntax::ast::{self, AstNode};
use qz_types::FnId;

use super::Cx;
use crate::body::*;
use crate::defs::Defs;
use crate::diagnostics as words;

/// The lambda that a generator's body became, and what takes its values.
pub(super) struct Generator {
    lambda: LambdaId,
    yielder: LocalId,
}

impl Defs {
    /// Whether a function gives values by `yield`. One in a block means that, too, though it cannot stand there.
    pub(crate) fn has_yield(&self, function: FnId) -> bool {
        let def = &self.fns[function];
        def.nodes.iter().any(|&node| {
            let node = self.node(def.module, node);
            // Nearly all functions are answered by their text.
            node.node().text().contains("yield")
                && node.node().descendants().any(|it| it.kind() == SyntaxKind::YieldExpr)
        })
    }
}

impl Cx<'_> {
    /// What a function's body gives: its value, or a generator that runs it.
    pub(super) fn fn_root(
        &mut self,
        owner: FnId,
        range: TextRange,
        body: impl FnOnce(&mut Self) -> ExprId,
    ) -> ExprId {
        if !self.defs.has_yield(owner) {
            return body(self);
        }
        let params = |cx: &mut Self, _: &mut Vec<Stmt>| {
            let yielder = cx.hidden(range, false);
            let lambda = *cx.bodies.last().expect("a lambda is being lowered");
            cx.generator = Some(Generator { lambda, yielder });
            (vec![yielder], vec![None])
        };
        let (_, lambda) = self.lambda_with(range, params, body);
        self.lang_call("generator", vec![lambda], range)
    }

    /// Whether this lambda is a generator's body.
    pub(super) fn is_generator(&self, lambda: LambdaId) -> bool {
        self.generator.as_ref().is_some_and(|it| it.lambda == lambda)
    }

    pub(super) fn yield_expr(&mut self, it: ast::YieldExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let value = self.maybe_expr(it.value(), range);
        let span = self.span(range);
        let inner = self.bodies.last().copied();
        let yielder = self.generator.as_ref().filter(|it| inner == Some(it.lambda)).map(|it| it.yielder);
        let problem = match yielder {
            Some(_) if self.left_by_return().is_err() => words::yield_in_defer(span),
            Some(yielder) => {
                let yielder = self.use_local(yielder, range);
                return self.method(yielder, "emit", vec![value], range);
            }
            None if inner.is_some() => words::yield_in_block(span),
            None => words::yield_outside(span),
        };
        self.report(problem);
        self.missing(range)
    }
}
