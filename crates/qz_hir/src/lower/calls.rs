//! Calls, blocks and lambdas.

use qz_base::{Name, TextRange};
use qz_syntax::ast::{self, AstNode};
use qz_types::Ty;

use super::names::Callee;
use super::{Cx, Frame};
use crate::body::*;
use crate::diagnostics as words;
use crate::scope::{Def, Lookup};

impl Cx<'_> {
    pub(super) fn args<'t>(&mut self, args: impl Iterator<Item = ast::Arg<'t>>) -> Box<[Arg]> {
        let mut lowered = Vec::new();
        for arg in args {
            let range = arg.syntax().range();
            lowered.push(match arg {
                ast::Arg::Expr(expr) => Arg { kind: ArgKind::Positional, value: self.expr_of(expr) },
                ast::Arg::SpreadArg(it) => {
                    Arg { kind: ArgKind::Spread, value: self.maybe_expr(it.expr(), range) }
                }
                ast::Arg::NamedArg(it) => {
                    let value = self.maybe_expr(it.value(), range);
                    match it.name() {
                        Some(name) => {
                            Arg { kind: ArgKind::Named(Name::new(name.text()), name.range()), value }
                        }
                        None => Arg { kind: ArgKind::Positional, value },
                    }
                }
            });
        }
        lowered.into()
    }

    pub(super) fn call_args(
        &mut self,
        first: Option<ExprId>,
        args: Option<ast::ArgList<'_>>,
        block: Option<ast::TrailingBlock<'_>>,
    ) -> Box<[Arg]> {
        let mut lowered: Vec<Arg> =
            first.into_iter().map(|value| Arg { kind: ArgKind::Positional, value }).collect();
        lowered.extend(self.args(args.into_iter().flat_map(|list| list.args())));
        if let Some(block) = block {
            let value = self.trailing_block(block);
            lowered.push(Arg { kind: ArgKind::Block, value });
        }
        lowered.into()
    }

    pub(super) fn trailing_block(&mut self, block: ast::TrailingBlock<'_>) -> ExprId {
        match block {
            ast::TrailingBlock::DoBlock(it) => self.do_block(it),
            ast::TrailingBlock::BraceBlock(it) => self.brace_block(it),
        }
    }

    pub(super) fn call(&mut self, it: ast::CallExpr<'_>) -> ExprId {
        self.call_with(it, None)
    }

    /// A call; `piped` goes before the written arguments and has been evaluated.
    fn call_with(&mut self, it: ast::CallExpr<'_>, piped: Option<ExprId>) -> ExprId {
        let range = it.syntax().range();
        if let Some(included) = self.include(it) {
            return included;
        }
        if let Some(resumed) = self.resume_call(it, piped) {
            return resumed;
        }
        let callee = match it.callee() {
            Some(ast::Expr::PathExpr(path)) => self.callee_path(path),
            Some(other) => Callee::Expr(self.expr_of(other)),
            None => Callee::Expr(self.missing(range)),
        };
        let args = self.call_args(piped, it.args(), it.block());
        match callee {
            Callee::Expr(callee) => self.expr(Expr::Call { callee, args }, range),
            Callee::Assoc { receiver, name, name_range, type_args } => self
                .expr(Expr::Method { receiver, name, name_range, type_args, args, has_parens: true }, range),
        }
    }

    /// `include_str("path")` and `include_bytes("path")`: the driver has read the file.
    fn include(&mut self, it: ast::CallExpr<'_>) -> Option<ExprId> {
        let Some(ast::Expr::PathExpr(path)) = it.callee() else { return None };
        let word = path.single_name()?;
        let name = Name::new(word.text()).plain();
        let of_user = || {
            self.find_local(Name::new(word.text())).is_some()
                || self.defs.lookup(self.module, Name::new(word.text())) != Lookup::Missing
        };
        if !crate::INCLUDES.contains(&name.as_str()) || of_user() {
            return None;
        }
        let range = it.syntax().range();
        let span = self.span(range);
        let args = it.args().map_or(0, |list| list.args().count());
        let found = self.defs.expansions.included.get(&(self.file, range.start));
        let Some(found) = found.filter(|_| args == 1 && it.block().is_none()) else {
            self.report(words::include_path(span, name.as_str()));
            return Some(self.missing(range));
        };
        let text = match found {
            Ok(bytes) if name.as_str() == "include_bytes" => {
                Ok(bytes.iter().map(|it| format!("{it:02x}")).collect())
            }
            Ok(bytes) => {
                std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| "it is not UTF-8".to_owned())
            }
            Err(reason) => Err(reason.clone()),
        };
        let text: String = match text {
            Ok(text) => text,
            Err(reason) => {
                self.report(words::include_failed(span, &reason));
                return Some(self.missing(range));
            }
        };
        let value = Literal::Str(std::sync::Arc::from(text));
        let text = self.expr(Expr::Lit { value }, range);
        if name.as_str() == "include_str" {
            return Some(text);
        }
        let Some(adt) = self.defs.lang.adt("Bytes") else { return Some(self.missing(range)) };
        let receiver = self.expr(Expr::TypeRecv { ty: qz_types::Ty::adt(adt, &[]) }, range);
        let args = [Arg { kind: ArgKind::Positional, value: text }].into();
        let name = Name::new("from_hex");
        let made = Expr::Method { receiver, name, name_range: range, type_args: &[], args, has_parens: true };
        let operand = self.expr(made, range);
        Some(self.expr(Expr::Unwrap { operand }, range))
    }

    /// `it "adds" do … end` calls a function `it`, also inside a block whose parameter is `it`.
    pub(super) fn callee_path(&mut self, path: ast::PathExpr<'_>) -> Callee {
        let is_it = path.single_name().is_some_and(|name| name.text() == "it");
        let implicit = self
            .find_local(qz_base::name::known::IT)
            .is_some_and(|local| self.locals[local].kind == LocalKind::Hidden);
        if is_it
            && implicit
            && let Lookup::Found(Def::Fns(fns)) = self.defs.lookup(self.module, qz_base::name::known::IT)
        {
            let range = path.syntax().range();
            return Callee::Expr(self.expr(Expr::Fns { candidates: fns.into(), type_args: &[] }, range));
        }
        self.path_callee(path)
    }

    /// What stands before a dot: there, a newtype's name is the type, not what makes one.
    fn receiver(&mut self, it: Option<ast::Expr<'_>>, range: TextRange) -> ExprId {
        let receiver = self.maybe_expr(it, range);
        if let Expr::Newtype { adt, type_args } = self.exprs[receiver] {
            self.exprs[receiver] = Expr::TypeRecv { ty: Ty::adt(adt, type_args) };
        }
        receiver
    }

    pub(super) fn method_call(&mut self, it: ast::MethodCallExpr<'_>) -> ExprId {
        self.method_call_with(it, None)
    }

    fn method_call_with(&mut self, it: ast::MethodCallExpr<'_>, piped: Option<ExprId>) -> ExprId {
        let range = it.syntax().range();
        let receiver = self.receiver(it.receiver(), range);
        let (Some(name), safe) = (it.name(), it.is_safe()) else { return self.missing(range) };
        let (text, name_range) = (Name::new(name.text()), name.range());
        let type_args = self.written_type_args(it.type_args());
        let finish = |cx: &mut Self, receiver: ExprId| {
            let args = cx.call_args(piped, it.args(), it.block());
            cx.expr(
                Expr::Method { receiver, name: text, name_range, type_args, args, has_parens: true },
                range,
            )
        };
        if safe { self.safe_navigation(receiver, range, finish) } else { finish(self, receiver) }
    }

    pub(super) fn field(&mut self, it: ast::FieldExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let receiver = self.receiver(it.receiver(), range);
        let Some(name) = it.name() else { return self.missing(range) };
        let (name, name_range) = (Name::new(name.text()), name.range());
        let type_args = self.written_type_args(it.type_args());
        let finish = |cx: &mut Self, receiver: ExprId| {
            let args = [].into();
            let member = cx
                .expr(Expr::Method { receiver, name, name_range, type_args, args, has_parens: false }, range);
            if !name.as_str().ends_with('?') {
                return member;
            }
            let lambda = cx.left_by_return().ok();
            cx.expr(Expr::QuestionMember { member, lambda }, range)
        };
        if it.is_safe() { self.safe_navigation(receiver, range, finish) } else { finish(self, receiver) }
    }

    pub(super) fn written_type_args(&mut self, args: Option<ast::TypeArgs<'_>>) -> qz_types::Tys {
        let args: Vec<_> =
            args.into_iter().flat_map(|it| it.args()).map(|it| self.types.local_type(it)).collect();
        qz_types::Ty::list(&args)
    }

    /// `a |> f(b)` is `f(a, b)`.
    pub(super) fn pipe(
        &mut self,
        lhs: ast::Expr<'_>,
        rhs: Option<ast::Expr<'_>>,
        range: TextRange,
    ) -> ExprId {
        let piped = self.expr_of(lhs);
        match rhs {
            Some(ast::Expr::CallExpr(call)) => self.call_with(call, Some(piped)),
            Some(ast::Expr::MethodCallExpr(call)) => self.method_call_with(call, Some(piped)),
            Some(ast::Expr::FieldExpr(field)) if !field.is_safe() => {
                let callee = self.receiver(field.receiver(), range);
                let Some(name) = field.name() else { return self.missing(range) };
                let arg = Arg { kind: ArgKind::Positional, value: piped };
                self.expr(
                    Expr::Method {
                        receiver: callee,
                        name: Name::new(name.text()),
                        name_range: name.range(),
                        type_args: &[],
                        args: [arg].into(),
                        has_parens: true,
                    },
                    range,
                )
            }
            Some(ast::Expr::PathExpr(path)) => {
                let arg = Arg { kind: ArgKind::Positional, value: piped };
                match self.callee_path(path) {
                    Callee::Expr(callee) => self.expr(Expr::Call { callee, args: [arg].into() }, range),
                    Callee::Assoc { receiver, name, name_range, type_args } => {
                        let args = [arg].into();
                        self.expr(
                            Expr::Method { receiver, name, name_range, type_args, args, has_parens: true },
                            range,
                        )
                    }
                }
            }
            Some(other) => {
                let callee = self.expr_of(other);
                let arg = Arg { kind: ArgKind::Positional, value: piped };
                self.expr(Expr::Call { callee, args: [arg].into() }, range)
            }
            None => self.missing(range),
        }
    }

    /// Lowers a lambda's parameters and body in a new frame. `body` is run with the parameters in scope.
    pub(super) fn lambda_with(
        &mut self,
        range: TextRange,
        params: impl FnOnce(&mut Self, &mut Vec<Stmt>) -> (Vec<LocalId>, Vec<Option<qz_types::Ty>>),
        body: impl FnOnce(&mut Self) -> ExprId,
    ) -> (LambdaId, ExprId) {
        let parent = self.bodies.last().copied();
        // The body is known only at the end; a lambda's id is needed inside it.
        let hole = self.expr(Expr::Block { stmts: [].into(), tail: None }, range);
        let lambda = self.lambdas.alloc(Lambda {
            params: Vec::new(),
            param_types: Vec::new(),
            body: hole,
            parent,
            captures: Vec::new(),
            params_optional: false,
        });
        self.bodies.push(lambda);
        self.frames.push(Frame::Lambda(lambda));
        let mark = self.open_scope();
        let mut prologue = Vec::new();
        let (locals, types) = params(self, &mut prologue);
        let body = body(self);
        let body = if prologue.is_empty() {
            body
        } else {
            self.expr(Expr::Block { stmts: prologue.into(), tail: Some(body) }, range)
        };
        self.close_scope(mark);
        self.frames.pop();
        self.bodies.pop();
        let it = &mut self.lambdas[lambda];
        (it.params, it.param_types, it.body) = (locals, types, body);
        let expr = self.expr(Expr::Lambda { lambda }, range);
        (lambda, expr)
    }

    fn lambda_params(
        &mut self,
        params: Option<ast::LambdaParams<'_>>,
        prologue: &mut Vec<Stmt>,
    ) -> (Vec<LocalId>, Vec<Option<qz_types::Ty>>) {
        let (mut locals, mut types) = (Vec::new(), Vec::new());
        for param in params.into_iter().flat_map(|it| it.params()) {
            types.push(param.ty().map(|ty| self.types.local_type(ty)));
            locals.push(self.param(param, prologue));
        }
        (locals, types)
    }

    pub(super) fn lambda(&mut self, it: ast::LambdaExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let (_, expr) = self.lambda_with(
            range,
            |cx, prologue| cx.lambda_params(it.params(), prologue),
            |cx| match it.body() {
                Some(body) => cx.stmt_as_expr(body),
                None => cx.missing(range),
            },
        );
        expr
    }

    pub(super) fn do_block(&mut self, it: ast::DoBlock<'_>) -> ExprId {
        let range = it.syntax().range();
        let (lambda, expr) = self.lambda_with(
            range,
            |cx, prologue| cx.lambda_params(it.params(), prologue),
            |cx| cx.maybe_block(it.body(), range),
        );
        self.lambdas[lambda].params_optional = self.lambdas[lambda].params.is_empty();
        expr
    }

    /// `{ it > 2 }`: has the parameter `it` if that is used.
    fn brace_block(&mut self, it: ast::BraceBlock<'_>) -> ExprId {
        let range = it.syntax().range();
        // Written parameters were reported; the body means them.
        if it.params().is_some() {
            let (_, expr) = self.lambda_with(
                range,
                |cx, prologue| cx.lambda_params(it.params(), prologue),
                |cx| cx.maybe_block(it.body(), range),
            );
            return expr;
        }
        let mut implicit = None;
        let (lambda, expr) = self.lambda_with(
            range,
            |cx, _| {
                let local = cx.declare(qz_base::name::known::IT, range, false, LocalKind::Hidden);
                implicit = Some(local);
                (vec![local], vec![None])
            },
            |cx| cx.maybe_block(it.body(), range),
        );
        let used = implicit.is_some_and(|local| self.locals[local].read);
        if !used {
            let it = &mut self.lambdas[lambda];
            it.params.clear();
            it.param_types.clear();
            it.params_optional = true;
        }
        expr
    }
}
