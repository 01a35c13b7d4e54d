//! `go`, `spawn` and `await`: calls of the library's functions for tasks.
//!
//! `go f(a, b)` evaluates `a` and `b` where it stands and calls `f` in the task:
//!
//! ```text
//! { t1 = a; t2 = b; task_go(() -> f(t1, t2)) }
//! ```
//!
//! Anything else behind `go` is evaluated in the task as a whole. `go(name: n, stack: s) e` calls `go_with` instead.

use qz_base::{Name, TextRange};
use qz_syntax::SyntaxToken;
use qz_syntax::ast::{self, AstNode};
use qz_types::{FnId, Tys};

use super::Cx;
use super::names::Callee;
use crate::body::*;

use crate::diagnostics as words;

/// A part of the call behind `go`.
enum Part<'t> {
    /// Evaluated before the task starts.
    Early(LocalId, TextRange),
    /// Means the same at any time.
    Fixed(ExprId),
    /// The same, to be lowered where the call is: its type tells the types of a lambda's parameters.
    Written(ast::Expr<'t>),
    Block(ast::TrailingBlock<'t>),
}

struct PartArg<'t> {
    kind: ArgKind,
    value: Part<'t>,
}

/// What the call behind `go` calls.
enum Head<'t> {
    Callee(Part<'t>),
    Method { receiver: Part<'t>, name: Name, name_range: TextRange, type_args: Tys, has_parens: bool },
}

impl Cx<'_> {
    /// A call of the library's function with this role.
    pub(super) fn lang_call(&mut self, role: &str, args: Vec<ExprId>, range: TextRange) -> ExprId {
        let Some(function) = self.defs.lang.func(role) else { return self.later(range, "tasks") };
        let args = args.into_iter().map(|value| Arg { kind: ArgKind::Positional, value }).collect();
        self.fn_call(function, args, range)
    }

    fn fn_call(&mut self, function: FnId, args: Box<[Arg]>, range: TextRange) -> ExprId {
        let callee = self.expr(Expr::Fns { candidates: [function].into(), type_args: &[] }, range);
        self.expr(Expr::Call { callee, args }, range)
    }

    pub(super) fn await_expr(&mut self, it: ast::AwaitExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let task = self.maybe_expr(it.operand(), range);
        self.lang_call("task_await", vec![task], range)
    }

    pub(super) fn go_expr(&mut self, it: ast::GoExpr<'_>) -> ExprId {
        let options = it.options().map(|options| self.args(options.args()));
        let role = if options.is_some() { "task_go_with" } else { "task_go" };
        self.start_task(role, options.unwrap_or_default(), it.operand(), it.syntax().range())
    }

    pub(super) fn spawn_expr(&mut self, it: ast::SpawnExpr<'_>) -> ExprId {
        self.start_task("task_spawn", [].into(), it.operand(), it.syntax().range())
    }

    fn start_task(
        &mut self,
        role: &str,
        options: Box<[Arg]>,
        operand: Option<ast::Expr<'_>>,
        range: TextRange,
    ) -> ExprId {
        let Some(operand) = operand else { return self.missing(range) };
        let operand = without_parens(operand);
        let mut early = Vec::new();
        let task = operand.syntax().range();
        let body = match operand {
            ast::Expr::DoBlock(it) if it.params().is_none() => self.do_block(it),
            ast::Expr::LambdaExpr(it) if it.params().is_none_or(|it| it.params().count() == 0) => {
                self.lambda(it)
            }
            other => match self.task_call(other, &mut early) {
                Some((head, args)) => self.task_body(task, |cx| cx.call_of_parts(head, args, task)),
                None => self.task_body(task, |cx| cx.value_expr(other)),
            },
        };
        let Some(function) = self.defs.lang.func(role) else { return self.later(range, "tasks") };
        let mut args = options.into_vec();
        args.push(Arg { kind: ArgKind::Block, value: body });
        let started = self.fn_call(function, args.into(), range);
        if early.is_empty() {
            return started;
        }
        self.expr(Expr::Block { stmts: early.into(), tail: Some(started) }, range)
    }

    fn task_body(&mut self, range: TextRange, body: impl FnOnce(&mut Self) -> ExprId) -> ExprId {
        let (_, lambda) = self.lambda_with(range, |_, _| (Vec::new(), Vec::new()), body);
        lambda
    }

    /// The parts of a call; `None` if this is no call. What is to be evaluated at once goes into `early`.
    fn task_call<'t>(
        &mut self,
        call: ast::Expr<'t>,
        early: &mut Vec<Stmt>,
    ) -> Option<(Head<'t>, Vec<PartArg<'t>>)> {
        match call {
            ast::Expr::CallExpr(it) => {
                let head = self.callee_part(it.callee()?, early);
                Some((head, self.part_args(it.args(), it.block(), early)))
            }
            ast::Expr::MethodCallExpr(it) if !it.is_safe() => {
                let head = self.method_part(it.receiver()?, it.name()?, it.type_args(), true, early);
                Some((head, self.part_args(it.args(), it.block(), early)))
            }
            ast::Expr::FieldExpr(it) if !it.is_safe() && !it.name()?.text().ends_with('?') => {
                let head = self.method_part(it.receiver()?, it.name()?, it.type_args(), false, early);
                Some((head, Vec::new()))
            }
            _ => None,
        }
    }

    fn callee_part<'t>(&mut self, callee: ast::Expr<'t>, early: &mut Vec<Stmt>) -> Head<'t> {
        let ast::Expr::PathExpr(path) = callee else { return Head::Callee(self.part(callee, early)) };
        match self.callee_path(path) {
            Callee::Expr(callee) => Head::Callee(self.settle(callee, early)),
            Callee::Assoc { receiver, name, name_range, type_args } => {
                let receiver = self.settle(receiver, early);
                Head::Method { receiver, name, name_range, type_args, has_parens: true }
            }
        }
    }

    fn method_part<'t>(
        &mut self,
        receiver: ast::Expr<'t>,
        name: SyntaxToken<'t>,
        type_args: Option<ast::TypeArgs<'t>>,
        has_parens: bool,
        early: &mut Vec<Stmt>,
    ) -> Head<'t> {
        let receiver = self.part(receiver, early);
        let type_args = self.written_type_args(type_args);
        let (name, name_range) = (Name::new(name.text()), name.range());
        Head::Method { receiver, name, name_range, type_args, has_parens }
    }

    fn part_args<'t>(
        &mut self,
        args: Option<ast::ArgList<'t>>,
        block: Option<ast::TrailingBlock<'t>>,
        early: &mut Vec<Stmt>,
    ) -> Vec<PartArg<'t>> {
        let mut parts = Vec::new();
        for arg in args.into_iter().flat_map(|list| list.args()) {
            let (kind, value) = match arg {
                ast::Arg::Expr(expr) => (ArgKind::Positional, Some(expr)),
                ast::Arg::SpreadArg(it) => (ArgKind::Spread, it.expr()),
                ast::Arg::NamedArg(it) => {
                    let named = it.name().map(|name| ArgKind::Named(Name::new(name.text()), name.range()));
                    (named.unwrap_or(ArgKind::Positional), it.value())
                }
            };
            let value = match value {
                Some(value) => self.part(value, early),
                None => Part::Fixed(self.missing(arg.syntax().range())),
            };
            parts.push(PartArg { kind, value });
        }
        parts.extend(block.map(|block| PartArg { kind: ArgKind::Block, value: Part::Block(block) }));
        parts
    }

    fn part<'t>(&mut self, expr: ast::Expr<'t>, early: &mut Vec<Stmt>) -> Part<'t> {
        match expr {
            ast::Expr::LambdaExpr(_) | ast::Expr::DoBlock(_) => Part::Written(expr),
            ast::Expr::BorrowExpr(it) if it.is_mut() => {
                let span = self.span(it.syntax().range());
                self.report(words::borrow_for_task(span));
                Part::Fixed(self.missing(it.syntax().range()))
            }
            _ => {
                let value = self.expr_of(expr);
                self.settle(value, early)
            }
        }
    }

    /// Puts a value into a name of its own, unless it means the same at any time.
    fn settle<'t>(&mut self, value: ExprId, early: &mut Vec<Stmt>) -> Part<'t> {
        let is_fixed = matches!(
            self.exprs[value],
            Expr::Missing
                | Expr::Lit { .. }
                | Expr::Nil
                | Expr::Fns { .. }
                | Expr::Const { .. }
                | Expr::Variant { .. }
                | Expr::Newtype { .. }
                | Expr::BareVariant { .. }
                | Expr::TypeRecv { .. }
        );
        if is_fixed {
            return Part::Fixed(value);
        }
        let range = self.source.exprs[value];
        Part::Early(self.keep(value, early), range)
    }

    fn part_value(&mut self, part: Part<'_>) -> ExprId {
        match part {
            Part::Early(local, range) => self.use_local(local, range),
            Part::Fixed(value) => value,
            Part::Written(expr) => self.expr_of(expr),
            Part::Block(block) => self.trailing_block(block),
        }
    }

    fn call_of_parts(&mut self, head: Head<'_>, args: Vec<PartArg<'_>>, range: TextRange) -> ExprId {
        match head {
            Head::Callee(callee) => {
                let callee = self.part_value(callee);
                let args = self.values_of(args);
                self.expr(Expr::Call { callee, args }, range)
            }
            Head::Method { receiver, name, name_range, type_args, has_parens } => {
                let receiver = self.part_value(receiver);
                let args = self.values_of(args);
                self.expr(Expr::Method { receiver, name, name_range, type_args, args, has_parens }, range)
            }
        }
    }

    fn values_of(&mut self, args: Vec<PartArg<'_>>) -> Box<[Arg]> {
        args.into_iter().map(|it| Arg { kind: it.kind, value: self.part_value(it.value) }).collect()
    }
}

fn without_parens(mut expr: ast::Expr<'_>) -> ast::Expr<'_> {
    while let ast::Expr::ParenExpr(it) = expr
        && let Some(inner) = it.expr()
    {
        expr = inner;
    }
    expr
}
