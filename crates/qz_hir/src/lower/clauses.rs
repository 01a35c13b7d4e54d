//! What a clause of a handler does with `resume`: go on at once as the last thing on every way, perhaps or later, or
//! never. Told by the text of the clause, and by which functions are written to give `Never`.

use qz_base::TextRange;
use qz_syntax::ast::{self, AstNode};
use qz_syntax::{SyntaxKind, SyntaxNode};

/// What a clause does with the rest of the body.
pub(super) enum Resumes {
    /// Each way through it ends in `resume(e)`, or in a panic or error: it is a function that gives `e`.
    AtOnce,
    /// In some other way; the calls that are the last thing it does start at these places.
    Somehow(Vec<TextRange>),
    Never,
}

pub(super) fn resumes(
    clause: SyntaxNode<'_>,
    body: Option<ast::Block<'_>>,
    value: Option<ast::Expr<'_>>,
    ends: &dyn Fn(ast::CallExpr<'_>) -> bool,
) -> Resumes {
    let uses = uses(clause);
    let mut ways = Ways { last: Vec::new(), others: 0, ends };
    match (body, value) {
        (Some(block), _) => ways.block(block),
        (None, Some(value)) => ways.value(value),
        (None, None) => {}
    }
    ways.returns(clause);
    let defers = clause.descendants().any(|it| it.kind() == SyntaxKind::DeferStmt);
    match (ways.others == 0, ways.last.len() == uses, defers) {
        (true, true, false) => Resumes::AtOnce,
        _ if uses == 0 => Resumes::Never,
        (_, _, false) => Resumes::Somehow(ways.last),
        (_, _, true) => Resumes::Somehow(Vec::new()),
    }
}

/// How often a clause names `resume`, in lambdas too, but not in the clauses of handlers inside.
fn uses(node: SyntaxNode<'_>) -> usize {
    let here = ast::PathExpr::cast(node).is_some_and(is_resume);
    let inside: usize = node.children().filter(|it| it.kind() != SyntaxKind::HandlerExpr).map(uses).sum();
    inside + usize::from(here)
}

pub(super) fn is_resume(path: ast::PathExpr<'_>) -> bool {
    path.single_name().is_some_and(|name| name.text() == "resume")
}

/// The ways out of a clause.
struct Ways<'f> {
    /// Calls of `resume` that are the last thing on their way.
    last: Vec<TextRange>,
    /// Ways that end otherwise.
    others: usize,
    /// Whether a call does not come back.
    ends: &'f dyn Fn(ast::CallExpr<'_>) -> bool,
}

impl Ways<'_> {
    fn block(&mut self, block: ast::Block<'_>) {
        match block.stmts().last() {
            Some(ast::Stmt::Expr(value)) => self.value(value),
            _ => self.others += 1,
        }
    }

    fn maybe_block(&mut self, block: Option<ast::Block<'_>>) {
        match block {
            Some(block) => self.block(block),
            None => self.others += 1,
        }
    }

    fn value(&mut self, value: ast::Expr<'_>) {
        match value {
            ast::Expr::CallExpr(call) if calls_resume(call) => self.last.push(call.syntax().range()),
            ast::Expr::CallExpr(call) if (self.ends)(call) => {}
            ast::Expr::ThrowExpr(_) => {}
            // Found with the others of its kind.
            ast::Expr::ReturnExpr(_) => {}
            ast::Expr::ParenExpr(it) => match it.expr() {
                Some(inner) => self.value(inner),
                None => self.others += 1,
            },
            ast::Expr::IfExpr(it) => {
                self.maybe_block(it.body());
                it.elsifs().for_each(|it| self.maybe_block(it.body()));
                self.maybe_block(it.else_clause().and_then(|it| it.body()));
            }
            ast::Expr::UnlessExpr(it) => {
                self.maybe_block(it.body());
                it.elsifs().for_each(|it| self.maybe_block(it.body()));
                self.maybe_block(it.else_clause().and_then(|it| it.body()));
            }
            ast::Expr::MatchExpr(it) => it.arms().for_each(|arm| self.maybe_block(arm.body())),
            _ => self.others += 1,
        }
    }

    /// `return resume(e)` anywhere but in a function inside.
    fn returns(&mut self, node: SyntaxNode<'_>) {
        for child in node.children() {
            let is_function = matches!(
                child.kind(),
                SyntaxKind::LambdaExpr
                    | SyntaxKind::DoBlock
                    | SyntaxKind::BraceBlock
                    | SyntaxKind::HandlerExpr
                    | SyntaxKind::WithExpr
                    | SyntaxKind::CatchExpr
            );
            if is_function {
                continue;
            }
            match ast::ReturnExpr::cast(child).map(|it| it.value()) {
                Some(Some(value)) => self.value(value),
                Some(None) => self.others += 1,
                None => self.returns(child),
            }
        }
    }
}

fn calls_resume(call: ast::CallExpr<'_>) -> bool {
    matches!(call.callee(), Some(ast::Expr::PathExpr(path)) if is_resume(path))
}
