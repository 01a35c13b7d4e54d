//! What does a macro's body give? A small evaluator over the body's tree: names, texts, numbers, lists, conditions, loops,
//! lambdas, quotes, and calls of other macros as functions.

use std::rc::Rc;

use qz_base::{Name, TextRange};
use qz_syntax::ast::{self, AstNode, BinaryOp, UnaryOp};
use qz_syntax::literals::{Literal, StringValue};
use qz_syntax::{SyntaxKind, SyntaxNode};

use crate::code::{ExpansionId, Parsed};
use crate::expand::Expander;
use crate::scope::{Found, Macro};
use crate::value::{Lambda, Shape, Tree, Value, Var};
use crate::words;

/// Why evaluation does not go on where it is.
pub(crate) enum Leave {
    Return(Value),
    Break,
    Next,
    /// It was reported.
    Failed,
}

pub(crate) type Result<T> = std::result::Result<T, Leave>;

/// Calls of macros as functions may nest so deep.
const MAX_CALLS: u32 = 100;
/// A text or list may grow so long.
pub(crate) const MAX_LENGTH: usize = 1 << 20;

/// One run of a macro's body.
pub(crate) struct Run<'e, 'a> {
    pub(crate) ex: &'e mut Expander<'a>,
    pub(crate) mac: Rc<Macro>,
    pub(crate) source: Rc<Parsed>,
    pub(crate) id: ExpansionId,
    pub(crate) vars: Vec<Var>,
    /// The indentation of the call's line.
    pub(crate) indent: usize,
    pub(crate) depth: u32,
}

impl Run<'_, '_> {
    pub(crate) fn body(&mut self) -> Result<Value> {
        let source = self.source.clone();
        let node = source.node(self.mac.node);
        let Some(body) = ast::MacroDef::cast(node).and_then(|it| it.body()) else { return Ok(Value::Nil) };
        match self.block(body.syntax()) {
            Err(Leave::Return(value)) => Ok(value),
            Err(Leave::Break | Leave::Next) => {
                self.fail(body.syntax().range(), "`break` and `next` belong into a loop")
            }
            other => other,
        }
    }

    /// Reports and leaves. The place is one of the macro's body.
    pub(crate) fn fail<T>(&mut self, range: TextRange, message: impl Into<String>) -> Result<T> {
        let (place, _) = self.source.place(range);
        let problem = words::failed(&self.ex.trace, self.id, message.into()).at(place, "here");
        self.ex.problems.push(problem);
        Err(Leave::Failed)
    }

    fn not_here<T>(&mut self, node: SyntaxNode<'_>, what: &str) -> Result<T> {
        self.fail(
            node.range(),
            format!("{what} cannot be used in a macro's body, which runs while the program is compiled"),
        )
    }

    fn step(&mut self, range: TextRange) -> Result<()> {
        self.ex.steps += 1;
        if self.ex.steps > crate::expand::MAX_STEPS {
            return match std::mem::replace(&mut self.ex.too_long, true) {
                true => Err(Leave::Failed),
                false => self.fail(range, "macros of this program take too long to run"),
            };
        }
        Ok(())
    }

    pub(crate) fn block(&mut self, block: SyntaxNode<'_>) -> Result<Value> {
        let mark = self.vars.len();
        let mut last = Value::Nil;
        for node in block.children() {
            last = match self.stmt(node) {
                Ok(value) => value,
                Err(leave) => {
                    self.vars.truncate(mark);
                    return Err(leave);
                }
            };
        }
        self.vars.truncate(mark);
        Ok(last)
    }

    fn stmt(&mut self, node: SyntaxNode<'_>) -> Result<Value> {
        self.step(node.range())?;
        if let Some(item) = ast::Item::cast(node) {
            return self.not_here(item.syntax(), "a declaration outside of a quote");
        }
        match ast::Stmt::cast(node) {
            Some(ast::Stmt::Expr(expr)) => self.expr(expr),
            Some(ast::Stmt::AssignStmt(it)) => self.assign(it),
            Some(ast::Stmt::VarStmt(it)) => {
                let value = self.maybe(it.value(), node)?;
                let name = it.pat().map_or("", |pat| pat.syntax().text());
                self.vars.push(Var { name: Name::new(name), value, mutable: true });
                Ok(Value::Nil)
            }
            Some(ast::Stmt::TypedBindStmt(it)) => {
                let value = self.maybe(it.value(), node)?;
                let name = it.name().map_or("", |it| it.text());
                self.vars.push(Var { name: Name::new(name), value, mutable: false });
                Ok(Value::Nil)
            }
            Some(ast::Stmt::CompoundAssignStmt(it)) => self.compound(it),
            Some(ast::Stmt::GuardStmt(it)) => {
                let condition = self.condition(it.condition(), node)?;
                match it.stmt() {
                    Some(inner) if condition != it.is_unless() => self.stmt(inner.syntax()),
                    _ => Ok(Value::Nil),
                }
            }
            Some(_) => self.not_here(node, "this statement"),
            None => Ok(Value::Nil),
        }
    }

    fn assign(&mut self, it: ast::AssignStmt<'_>) -> Result<Value> {
        let value = self.maybe(it.value(), it.syntax())?;
        match it.place() {
            Some(ast::Expr::PathExpr(path)) => self.set(path.syntax(), value),
            _ => self.not_here(it.syntax(), "an assignment to anything but a name"),
        }
    }

    fn set(&mut self, place: SyntaxNode<'_>, value: Value) -> Result<Value> {
        let name = Name::new(place.text());
        match self.vars.iter_mut().rev().find(|it| it.name == name) {
            Some(var) if var.mutable => var.value = value,
            Some(_) => {
                return self
                    .fail(place.range(), format!("`{name}` cannot be assigned to again: it is no `var`"));
            }
            None => self.vars.push(Var { name, value, mutable: false }),
        }
        Ok(Value::Nil)
    }

    fn compound(&mut self, it: ast::CompoundAssignStmt<'_>) -> Result<Value> {
        let node = it.syntax();
        let old = self.maybe(it.place(), node)?;
        let new = self.maybe(it.value(), node)?;
        let operators = [
            (SyntaxKind::PlusEq, BinaryOp::Add),
            (SyntaxKind::MinusEq, BinaryOp::Sub),
            (SyntaxKind::StarEq, BinaryOp::Mul),
        ];
        let op = operators.iter().find(|(kind, _)| node.token(*kind).is_some());
        let Some(&(_, op)) = op else { return self.not_here(node, "this assignment") };
        let value = self.binary_values(op, old, new, node)?;
        match it.place() {
            Some(place) => self.set(place.syntax(), value),
            None => Ok(Value::Nil),
        }
    }

    fn maybe(&mut self, expr: Option<ast::Expr<'_>>, around: SyntaxNode<'_>) -> Result<Value> {
        match expr {
            Some(expr) => self.expr(expr),
            None => self.fail(around.range(), "an expression is missing here"),
        }
    }

    fn condition(&mut self, expr: Option<ast::Expr<'_>>, around: SyntaxNode<'_>) -> Result<bool> {
        match self.maybe(expr, around)? {
            Value::Bool(value) => Ok(value),
            other => {
                let range = expr.map_or(around.range(), |it| it.syntax().range());
                self.fail(range, format!("a condition is a Bool, and this is {}", other.what()))
            }
        }
    }

    pub(crate) fn expr(&mut self, expr: ast::Expr<'_>) -> Result<Value> {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.expr_inner(expr))
    }

    fn expr_inner(&mut self, expr: ast::Expr<'_>) -> Result<Value> {
        let node = expr.syntax();
        self.step(node.range())?;
        match expr {
            ast::Expr::LiteralExpr(it) => self.literal(it),
            ast::Expr::StringExpr(it) => self.string(it),
            ast::Expr::PathExpr(it) => self.path(it),
            ast::Expr::ParenExpr(it) => self.maybe(it.expr(), node),
            ast::Expr::QuoteExpr(_) => self.quote(node),
            ast::Expr::VecExpr(it) => {
                let mut values = Vec::new();
                for arg in it.elems() {
                    self.arg_into(arg, &mut values)?;
                }
                Ok(Value::list(values))
            }
            ast::Expr::VecCompExpr(it) => self.comprehension(it),
            ast::Expr::UnaryExpr(it) => {
                let value = self.maybe(it.operand(), node)?;
                match (it.op(), value) {
                    (Some(UnaryOp::Not), Value::Bool(value)) => Ok(Value::Bool(!value)),
                    (Some(UnaryOp::Neg), Value::Int(value)) => Ok(Value::Int(value.wrapping_neg())),
                    (_, value) => {
                        self.fail(node.range(), format!("this operator does not take {}", value.what()))
                    }
                }
            }
            ast::Expr::BinaryExpr(it) => self.binary(it),
            ast::Expr::IfExpr(it) => {
                self.if_chain(it.condition(), it.body(), it.elsifs(), it.else_clause(), false, node)
            }
            ast::Expr::UnlessExpr(it) => {
                self.if_chain(it.condition(), it.body(), it.elsifs(), it.else_clause(), true, node)
            }
            ast::Expr::ForExpr(it) => self.for_loop(it),
            ast::Expr::WhileExpr(it) => {
                while self.condition(it.condition(), node)? {
                    if let Some(body) = it.body()
                        && self.turn(body.syntax())?
                    {
                        break;
                    }
                }
                Ok(Value::Nil)
            }
            ast::Expr::ReturnExpr(it) => {
                let value = it.value().map_or(Ok(Value::Nil), |it| self.expr(it))?;
                Err(Leave::Return(value))
            }
            ast::Expr::BreakExpr(_) => Err(Leave::Break),
            ast::Expr::NextExpr(_) => Err(Leave::Next),
            ast::Expr::MatchExpr(it) => self.match_expr(it),
            ast::Expr::CallExpr(it) => self.call(it),
            ast::Expr::MethodCallExpr(it) => {
                let receiver = self.maybe(it.receiver(), node)?;
                let mut args = Vec::new();
                for arg in it.args().into_iter().flat_map(|list| list.args()) {
                    self.arg_into(arg, &mut args)?;
                }
                if let Some(block) = it.block() {
                    args.push(self.lambda(block.syntax())?);
                }
                let name = it.name().map_or("", |it| it.text());
                self.method(receiver, name, args, node.range())
            }
            ast::Expr::FieldExpr(it) => {
                let receiver = self.maybe(it.receiver(), node)?;
                let name = it.name().map_or("", |it| it.text());
                self.method(receiver, name, Vec::new(), node.range())
            }
            ast::Expr::IndexExpr(it) => {
                let base = self.maybe(it.base(), node)?;
                let index = node.children().filter_map(ast::Expr::cast).nth(1).or_else(|| {
                    let list = node.children().filter_map(ast::ArgList::cast).next()?;
                    list.args().find_map(|arg| match arg {
                        ast::Arg::Expr(expr) => Some(expr),
                        _ => None,
                    })
                });
                let index = self.maybe(index, node)?;
                self.index(base, index, node.range())
            }
            ast::Expr::LambdaExpr(_) | ast::Expr::DoBlock(_) => self.lambda(node),
            ast::Expr::MacroCallExpr(_) => {
                self.fail(node.range(), "a macro is called without `$` here; `$name(…)` belongs into a quote")
            }
            ast::Expr::MissingExpr(_) => Err(Leave::Failed),
            _ => self.not_here(node, "this expression"),
        }
    }

    fn literal(&mut self, it: ast::LiteralExpr<'_>) -> Result<Value> {
        match it.value() {
            Some(Literal::Int(Ok(value))) => match i64::try_from(value) {
                Ok(value) => Ok(Value::Int(value)),
                Err(_) => self.fail(it.syntax().range(), "the number is too large"),
            },
            Some(Literal::String(text)) => Ok(Value::text(&*text)),
            Some(Literal::Bool(value)) => Ok(Value::Bool(value)),
            Some(Literal::Nil) => Ok(Value::Nil),
            Some(Literal::Char(value)) => Ok(Value::text(value.to_string())),
            _ => self.not_here(it.syntax(), "this literal"),
        }
    }

    fn string(&mut self, it: ast::StringExpr<'_>) -> Result<Value> {
        let mut text = String::new();
        for part in it.value() {
            match part {
                StringValue::Text(piece) => text.push_str(&piece),
                StringValue::Interp(interp) => {
                    let value = self.maybe(interp.expr(), it.syntax())?;
                    text.push_str(&value.shown());
                }
            }
            self.check_length(text.len(), it.syntax().range())?;
        }
        Ok(Value::text(text))
    }

    pub(crate) fn check_length(&mut self, length: usize, range: TextRange) -> Result<()> {
        if length > MAX_LENGTH {
            return self.fail(range, "what the macro computes grows beyond a million parts");
        }
        Ok(())
    }

    fn path(&mut self, it: ast::PathExpr<'_>) -> Result<Value> {
        let name = Name::new(it.syntax().text());
        if let Some(var) = self.vars.iter().rev().find(|var| var.name == name) {
            return Ok(var.value.clone());
        }
        let mut near: Vec<&str> = self.vars.iter().map(|it| it.name.as_str()).collect();
        near.sort_unstable();
        let help = qz_diag::did_you_mean(name.as_str(), near).map(|it| format!("; did you mean `{it}`?"));
        let help = help.unwrap_or_default();
        self.fail(it.syntax().range(), format!("the macro knows no `{name}`{help}"))
    }

    fn binary(&mut self, it: ast::BinaryExpr<'_>) -> Result<Value> {
        let node = it.syntax();
        let Some(op) = it.op() else { return self.not_here(node, "this operator") };
        let left = self.maybe(it.lhs(), node)?;
        match (op, &left) {
            (BinaryOp::And, Value::Bool(false)) | (BinaryOp::Or, Value::Bool(true)) => return Ok(left),
            (BinaryOp::Default, Value::Nil) => return self.maybe(it.rhs(), node),
            (BinaryOp::Default, _) => return Ok(left),
            _ => {}
        }
        let right = self.maybe(it.rhs(), node)?;
        self.binary_values(op, left, right, node)
    }

    fn binary_values(
        &mut self,
        op: BinaryOp,
        left: Value,
        right: Value,
        node: SyntaxNode<'_>,
    ) -> Result<Value> {
        use Value::{Bool, Int};
        let number = |value: Option<i64>| value.map(Int);
        let result = match (op, &left, &right) {
            (BinaryOp::Eq, a, b) => Some(Bool(a.same(b))),
            (BinaryOp::Ne, a, b) => Some(Bool(!a.same(b))),
            (BinaryOp::And | BinaryOp::Or, Bool(_), Bool(b)) => Some(Bool(*b)),
            (BinaryOp::Add, Int(a), Int(b)) => number(a.checked_add(*b)),
            (BinaryOp::Sub, Int(a), Int(b)) => number(a.checked_sub(*b)),
            (BinaryOp::Mul, Int(a), Int(b)) => number(a.checked_mul(*b)),
            (BinaryOp::Div, Int(a), Int(b)) => number(a.checked_div(*b)),
            (BinaryOp::Rem, Int(a), Int(b)) => number(a.checked_rem(*b)),
            (BinaryOp::Lt, Int(a), Int(b)) => Some(Bool(a < b)),
            (BinaryOp::Le, Int(a), Int(b)) => Some(Bool(a <= b)),
            (BinaryOp::Gt, Int(a), Int(b)) => Some(Bool(a > b)),
            (BinaryOp::Ge, Int(a), Int(b)) => Some(Bool(a >= b)),
            (BinaryOp::Add, Value::List(a), Value::List(b)) => {
                self.check_length(a.borrow().len() + b.borrow().len(), node.range())?;
                let all = a.borrow().iter().chain(b.borrow().iter()).cloned().collect();
                Some(Value::list(all))
            }
            (BinaryOp::Add, Value::Text(_) | Value::Tree(_), Value::Text(_) | Value::Tree(_)) => {
                let text = left.shown() + &right.shown();
                self.check_length(text.len(), node.range())?;
                Some(Value::text(text))
            }
            _ => None,
        };
        match result {
            Some(value) => Ok(value),
            None => {
                let message = format!("this operator does not take {} and {}", left.what(), right.what());
                self.fail(node.range(), message)
            }
        }
    }

    fn if_chain<'t>(
        &mut self,
        condition: Option<ast::Expr<'t>>,
        body: Option<ast::Block<'t>>,
        elsifs: impl Iterator<Item = ast::ElsifClause<'t>>,
        else_clause: Option<ast::ElseClause<'t>>,
        negated: bool,
        node: SyntaxNode<'t>,
    ) -> Result<Value> {
        if self.condition(condition, node)? != negated {
            return body.map_or(Ok(Value::Nil), |it| self.block(it.syntax()));
        }
        for clause in elsifs {
            if self.condition(clause.condition(), node)? {
                return clause.body().map_or(Ok(Value::Nil), |it| self.block(it.syntax()));
            }
        }
        match else_clause.and_then(|it| it.body()) {
            Some(body) => self.block(body.syntax()),
            None => Ok(Value::Nil),
        }
    }

    /// Arms with literals, names of kinds, alternatives and `_`.
    fn match_expr(&mut self, it: ast::MatchExpr<'_>) -> Result<Value> {
        let subject = self.maybe(it.subject(), it.syntax())?;
        for arm in it.arms() {
            let mark = self.vars.len();
            let fits = match arm.pat() {
                Some(pat) => self.fits(pat, &subject)?,
                None => false,
            };
            let chosen = fits
                && match arm.guard() {
                    Some(guard) => self.condition(guard.condition(), arm.syntax())?,
                    None => true,
                };
            if chosen {
                let value = arm.body().map_or(Ok(Value::Nil), |it| self.block(it.syntax()));
                self.vars.truncate(mark);
                return value;
            }
            self.vars.truncate(mark);
        }
        let message = format!(
            "no arm fits {}",
            subject.shown().chars().take(60).collect::<String>().replace('\n', " ")
        );
        self.fail(it.syntax().range(), message)
    }

    fn fits(&mut self, pat: ast::Pat<'_>, subject: &Value) -> Result<bool> {
        match pat {
            ast::Pat::WildcardPat(_) => Ok(true),
            ast::Pat::NamePat(it) => {
                let name = Name::new(it.syntax().text());
                self.vars.push(Var { name, value: subject.clone(), mutable: false });
                Ok(true)
            }
            ast::Pat::LiteralPat(it) => match it.literal() {
                Some(literal) if !it.is_negative() => Ok(self.expr(literal)?.same(subject)),
                _ => self.not_here(it.syntax(), "this pattern"),
            },
            ast::Pat::OrPat(it) => {
                for alt in it.alts() {
                    if self.fits(alt, subject)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            ast::Pat::ParenPat(it) => it.pat().map_or(Ok(false), |it| self.fits(it, subject)),
            other => self.not_here(other.syntax(), "this pattern"),
        }
    }

    /// The elements that a loop goes through.
    fn elements(&mut self, value: Value, range: TextRange) -> Result<Vec<Value>> {
        match value {
            Value::List(values) => Ok(values.borrow().clone()),
            other => self.fail(range, format!("a loop goes through a list, and this is {}", other.what())),
        }
    }

    fn iterated(&mut self, iter: Option<ast::Expr<'_>>, around: SyntaxNode<'_>) -> Result<Vec<Value>> {
        if let Some(ast::Expr::RangeExpr(it)) = iter {
            let (start, end) = (self.maybe(it.start(), around)?, self.maybe(it.end(), around)?);
            let (Value::Int(start), Value::Int(end)) = (start, end) else {
                return self.fail(it.syntax().range(), "a range goes from an Int to an Int");
            };
            let end = if it.is_inclusive() { end.saturating_add(1) } else { end };
            let length = usize::try_from(end.saturating_sub(start)).unwrap_or(0);
            self.check_length(length, it.syntax().range())?;
            return Ok((start..end).map(Value::Int).collect());
        }
        let range = iter.map_or(around.range(), |it| it.syntax().range());
        let value = self.maybe(iter, around)?;
        self.elements(value, range)
    }

    fn bind_element(&mut self, names: &[Name], index: usize, value: Value) {
        let mut bind = |name: Name, value: Value| self.vars.push(Var { name, value, mutable: false });
        match names {
            [one] => bind(*one, value),
            [first, second, ..] => {
                bind(*first, Value::Int(index as i64));
                bind(*second, value);
            }
            [] => {}
        }
    }

    fn for_loop(&mut self, it: ast::ForExpr<'_>) -> Result<Value> {
        let values = self.iterated(it.iter(), it.syntax())?;
        let names: Vec<Name> = it.pats().map(|it| Name::new(it.syntax().text())).collect();
        for (index, value) in values.into_iter().enumerate() {
            let mark = self.vars.len();
            self.bind_element(&names, index, value);
            let left = match it.body() {
                Some(body) => self.turn(body.syntax()),
                None => Ok(false),
            };
            self.vars.truncate(mark);
            if left? {
                break;
            }
        }
        Ok(Value::Nil)
    }

    /// A turn of a loop; whether it was the last.
    fn turn(&mut self, body: SyntaxNode<'_>) -> Result<bool> {
        match self.block(body) {
            Ok(_) | Err(Leave::Next) => Ok(false),
            Err(Leave::Break) => Ok(true),
            Err(other) => Err(other),
        }
    }

    fn comprehension(&mut self, it: ast::VecCompExpr<'_>) -> Result<Value> {
        let clauses: Vec<ast::CompClause<'_>> = it.clauses().collect();
        let mut found = Vec::new();
        self.clauses(it, &clauses, &mut found)?;
        Ok(Value::list(found))
    }

    fn clauses(
        &mut self,
        it: ast::VecCompExpr<'_>,
        clauses: &[ast::CompClause<'_>],
        found: &mut Vec<Value>,
    ) -> Result<()> {
        match clauses.split_first() {
            None => {
                found.push(self.maybe(it.elem(), it.syntax())?);
                self.check_length(found.len(), it.syntax().range())
            }
            Some((ast::CompClause::CompIf(clause), rest)) => {
                if self.condition(clause.condition(), it.syntax())? {
                    self.clauses(it, rest, found)
                } else {
                    Ok(())
                }
            }
            Some((ast::CompClause::CompFor(clause), rest)) => {
                let values = self.iterated(clause.iter(), it.syntax())?;
                let names: Vec<Name> = clause.pats().map(|it| Name::new(it.syntax().text())).collect();
                for (index, value) in values.into_iter().enumerate() {
                    let mark = self.vars.len();
                    self.bind_element(&names, index, value);
                    let result = self.clauses(it, rest, found);
                    self.vars.truncate(mark);
                    result?;
                }
                Ok(())
            }
        }
    }

    fn lambda(&mut self, node: SyntaxNode<'_>) -> Result<Value> {
        let params = node.children().find_map(ast::LambdaParams::cast);
        let mut params: Vec<Name> = params
            .into_iter()
            .flat_map(|it| it.params())
            .filter_map(|it| it.pat())
            .map(|it| Name::new(it.syntax().text()))
            .collect();
        if params.is_empty() && node.kind() == SyntaxKind::BraceBlock {
            params.push(qz_base::name::known::IT);
        }
        let Some(body) = node.children().filter(|it| it.kind() != SyntaxKind::LambdaParams).last() else {
            return Ok(Value::Nil);
        };
        Ok(Value::Lambda(Rc::new(Lambda { params, body: body.index(), vars: self.vars.clone() })))
    }

    /// Calls a lambda with as many of the values as it takes.
    pub(crate) fn apply(&mut self, lambda: &Rc<Lambda>, args: &[Value]) -> Result<Value> {
        let source = self.source.clone();
        let node = source.node(lambda.body);
        let saved = std::mem::replace(&mut self.vars, lambda.vars.clone());
        for (&name, value) in lambda.params.iter().zip(args) {
            self.vars.push(Var { name, value: value.clone(), mutable: false });
        }
        let result = if node.kind() == SyntaxKind::Block { self.block(node) } else { self.stmt(node) };
        self.vars = saved;
        match result {
            Err(Leave::Return(value)) => Ok(value),
            Err(Leave::Next) => Ok(Value::Nil),
            other => other,
        }
    }

    fn arg_into(&mut self, arg: ast::Arg<'_>, into: &mut Vec<Value>) -> Result<()> {
        match arg {
            ast::Arg::Expr(expr) => into.push(self.expr(expr)?),
            ast::Arg::SpreadArg(it) => {
                let value = self.maybe(it.expr(), it.syntax())?;
                into.extend(self.elements(value, it.syntax().range())?);
            }
            ast::Arg::NamedArg(it) => return self.not_here(it.syntax(), "a named argument"),
        }
        Ok(())
    }

    /// A function of the compiler, a lambda, or another macro called as a function.
    fn call(&mut self, it: ast::CallExpr<'_>) -> Result<Value> {
        let node = it.syntax();
        let mut args = Vec::new();
        for arg in it.args().into_iter().flat_map(|list| list.args()) {
            self.arg_into(arg, &mut args)?;
        }
        if let Some(block) = it.block() {
            args.push(self.lambda(block.syntax())?);
        }
        let Some(callee) = it.callee() else { return Ok(Value::Nil) };
        let text = callee.syntax().text();
        let local = self.vars.iter().rev().find(|var| var.name.as_str() == text).map(|it| it.value.clone());
        match local {
            Some(Value::Lambda(lambda)) => return self.apply(&lambda, &args),
            Some(other) => {
                return self
                    .fail(node.range(), format!("`{text}` is {}, and cannot be called", other.what()));
            }
            None => {}
        }
        match (text, &args[..]) {
            ("ident", [name]) => {
                let name = name.shown();
                self.name_tree(&name, node.range())
            }
            ("fresh", []) => self.fresh("fresh", node.range()),
            ("fresh", [name]) => {
                let name = name.shown();
                self.fresh(&name, node.range())
            }
            ("error", [message]) => {
                let message = message.shown();
                self.told(&message, None)
            }
            ("error", [message, Value::Tree(tree)]) => {
                let message = message.shown();
                self.told(&message, Some(tree.clone()))
            }
            ("code", [text]) => {
                let (place, _) = self.source.place(node.range());
                let mut code = crate::code::Code::default();
                code.push_made(&text.shown(), place, self.id);
                Ok(Value::Tree(Tree::made(code, Shape::Quote)))
            }
            ("ident" | "fresh" | "error" | "code", _) => {
                self.fail(node.range(), format!("`{text}` takes other arguments"))
            }
            _ => self.call_macro(text, args, node.range()),
        }
    }

    fn call_macro(&mut self, name: &str, args: Vec<Value>, range: TextRange) -> Result<Value> {
        let path: Vec<Name> = name.split("::").map(Name::new).collect();
        let Found::Macro(callee) = self.ex.scopes.find(self.mac.module, &path) else {
            let message = format!("the macro knows no function `{name}`");
            return self.fail(
                range,
                message + "; a macro's body calls macros and lambdas, and `ident`, `fresh`, `code`, `error`",
            );
        };
        if self.depth >= MAX_CALLS {
            return self.fail(range, "macros call each other too deep");
        }
        let Some(vars) = self.bind_values(&callee, args) else {
            let message = format!("`{name}` takes {}", words::taken(&callee));
            return self.fail(range, message);
        };
        let source = callee.source.clone();
        let (id, indent, depth) = (self.id, self.indent, self.depth + 1);
        let mut inner = Run { ex: &mut *self.ex, mac: callee, source, id, vars, indent, depth };
        stacker::maybe_grow(128 << 10, 1 << 20, || inner.body())
    }

    fn bind_values(&mut self, callee: &Rc<Macro>, args: Vec<Value>) -> Option<Vec<Var>> {
        let mut vars = Vec::new();
        let mut args = args.into_iter();
        for param in &callee.params {
            let value = if param.is_rest { Value::list(args.by_ref().collect()) } else { args.next()? };
            vars.push(Var { name: param.name, value, mutable: false });
        }
        if args.next().is_some() { None } else { Some(vars) }
    }

    /// A name as the caller would write it.
    pub(crate) fn name_tree(&mut self, name: &str, range: TextRange) -> Result<Value> {
        let (place, _) = self.source.place(range);
        let mut code = crate::code::Code::default();
        code.push_made(name, place, self.id);
        let tree = Tree::made(code, Shape::Name);
        if name.is_empty() || !tree.is_name() {
            return self.fail(range, format!("`{}` is no name", name.replace('\n', " ")));
        }
        Ok(Value::Tree(tree))
    }

    fn fresh(&mut self, name: &str, range: TextRange) -> Result<Value> {
        self.name_tree(name, range)?;
        let same = self.ex.trace.0[self.id as usize].clone();
        let number = self.ex.trace.0.len();
        self.ex.trace.0.push(same);
        self.name_tree(&format!("{name}{}{number}", qz_base::name::MARK), range)
    }

    /// An error of the macro's own.
    fn told<T>(&mut self, message: &str, tree: Option<Tree>) -> Result<T> {
        let line = message.lines().next().unwrap_or("").trim_end_matches('.').to_owned();
        let mut problem = words::failed(&self.ex.trace, self.id, line);
        if let Some(tree) = tree {
            let code = tree.code();
            let (place, by) = crate::code::place(&code.origins, TextRange::new(0, code.text.len() as u32));
            if by == crate::NOBODY {
                problem.span = place;
            } else {
                problem = problem.at(place, "this is meant");
            }
        }
        self.ex.problems.push(problem);
        Err(Leave::Failed)
    }

    fn index(&mut self, base: Value, index: Value, range: TextRange) -> Result<Value> {
        match (&base, &index) {
            (Value::List(values), Value::Int(index)) => {
                let values = values.borrow();
                let length = values.len() as i64;
                let at = if *index < 0 { index + length } else { *index };
                match usize::try_from(at).ok().and_then(|at| values.get(at)) {
                    Some(value) => Ok(value.clone()),
                    None => {
                        drop(values);
                        self.fail(range, format!("the index {index} is outside of a list of {length}"))
                    }
                }
            }
            _ => self.fail(range, format!("{} has no elements to index", base.what())),
        }
    }
}
