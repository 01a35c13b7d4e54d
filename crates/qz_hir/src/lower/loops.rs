//! Loops, comprehensions, and the ways out: `break`, `next`, `return`, `?`.

use qz_base::{Name, TextRange};
use qz_syntax::ast::{self, AstNode};

use super::{Cx, Frame};
use crate::body::*;
use crate::diagnostics as words;

impl Cx<'_> {
    fn enter_loop(&mut self, label: Option<ast::Label<'_>>, has_value: bool) -> LoopId {
        let label = label.and_then(|it| it.name()).map(|it| Name::new(it.text()));
        let id = self.loops.alloc(Loop { label, has_value });
        self.frames.push(Frame::Loop(id));
        id
    }

    pub(super) fn while_loop(
        &mut self,
        label: Option<ast::Label<'_>>,
        condition: Option<ast::Expr<'_>>,
        body: Option<ast::Block<'_>>,
        negated: bool,
        range: TextRange,
    ) -> ExprId {
        let mark = self.open_scope();
        let cond = if negated {
            let cond = self.scoped(|cx| cx.maybe_expr(condition, range));
            self.not(cond)
        } else {
            self.maybe_expr(condition, range)
        };
        let loop_ = self.enter_loop(label, false);
        let body = self.maybe_block(body, range);
        self.frames.pop();
        self.close_scope(mark);
        self.expr(Expr::While { cond, body, loop_ }, range)
    }

    pub(super) fn endless_loop(&mut self, it: ast::LoopExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let loop_ = self.enter_loop(it.label(), true);
        let body = self.maybe_block(it.body(), range);
        self.frames.pop();
        self.expr(Expr::Loop { body, loop_ }, range)
    }

    pub(super) fn for_loop(&mut self, it: ast::ForExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let iter = self.scoped(|cx| cx.maybe_expr(it.iter(), range));
        let mark = self.open_scope();
        let pats = self.for_names(it.pats());
        let loop_ = self.enter_loop(it.label(), false);
        let body = self.maybe_block(it.body(), range);
        self.frames.pop();
        self.close_scope(mark);
        self.expr(Expr::For { pats, iter, body, loop_ }, range)
    }

    /// One name for the element, or two: index or key, and element.
    fn for_names<'t>(&mut self, written: impl Iterator<Item = ast::Pat<'t>>) -> Box<[PatId]> {
        let mut pats = Vec::new();
        for pat in written {
            if pats.len() == 2 {
                let span = self.span(pat.syntax().range());
                self.report(words::third_name(span));
            }
            pats.push(self.new_pattern(pat));
        }
        pats.into()
    }

    pub(super) fn vec_comprehension(&mut self, it: ast::VecCompExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let acc = self.hidden(range, false);
        let clauses: Vec<_> = it.clauses().collect();
        let body = self.comprehension(&clauses, range, &mut |cx| {
            let value = cx.maybe_expr(it.elem(), range);
            cx.expr(Expr::Collect { acc, key: None, value }, range)
        });
        self.expr(Expr::Comprehension { kind: Comprehension::Vec, acc, body }, range)
    }

    pub(super) fn map_comprehension(&mut self, it: ast::MapCompExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let acc = self.hidden(range, false);
        let clauses: Vec<_> = it.clauses().collect();
        let body = self.comprehension(&clauses, range, &mut |cx| {
            let key = Some(cx.maybe_expr(it.key(), range));
            let value = cx.maybe_expr(it.value(), range);
            cx.expr(Expr::Collect { acc, key, value }, range)
        });
        self.expr(Expr::Comprehension { kind: Comprehension::Map, acc, body }, range)
    }

    /// `for x in xs if c for y in ys`: loops and conditions around the innermost step.
    fn comprehension(
        &mut self,
        clauses: &[ast::CompClause<'_>],
        range: TextRange,
        innermost: &mut dyn FnMut(&mut Self) -> ExprId,
    ) -> ExprId {
        let Some((first, rest)) = clauses.split_first() else { return innermost(self) };
        match first {
            ast::CompClause::CompFor(it) => {
                let iter = self.scoped(|cx| cx.maybe_expr(it.iter(), range));
                let mark = self.open_scope();
                let pats = self.for_names(it.pats());
                let loop_ = self.enter_loop(None, false);
                let body = self.comprehension(rest, range, innermost);
                self.frames.pop();
                self.close_scope(mark);
                self.expr(Expr::For { pats, iter, body, loop_ }, range)
            }
            ast::CompClause::CompIf(it) => self.scoped(|cx| {
                let cond = cx.maybe_expr(it.condition(), range);
                let then = cx.comprehension(rest, range, innermost);
                cx.expr(Expr::If { cond, then, else_: None }, range)
            }),
        }
    }

    /// The loop that `break` or `next` means; reports if there is none.
    fn target_loop(
        &mut self,
        label: Option<ast::LabelRef<'_>>,
        word: &str,
        range: TextRange,
    ) -> Option<LoopId> {
        let label = label.and_then(|it| it.name());
        let wanted = label.map(|it| Name::new(it.text()));
        let mut known = Vec::new();
        for frame in self.frames.iter().rev() {
            match frame {
                Frame::Loop(id) => {
                    let name = self.loops[*id].label;
                    if wanted.is_none() || name == wanted {
                        return Some(*id);
                    }
                    known.extend(name);
                }
                Frame::Lambda(_) => break,
                Frame::Defer => {
                    let span = self.span(range);
                    self.report(words::leaves_defer(span, word));
                    return None;
                }
            }
        }
        match (label, wanted) {
            (Some(token), Some(name)) => {
                let span = self.span(token.range());
                self.report(words::label_unknown(span, name, &known));
            }
            // A keyword as a name was reported where it was bound.
            _ if self.find_local(Name::new(word)).is_some() => {}
            _ => {
                let span = self.span(range);
                let in_block = self.bodies.last().is_some_and(|&it| !self.is_generator(it));
                self.report(if in_block && word == "break" {
                    words::break_in_block(span)
                } else {
                    words::outside_loop(span, word)
                });
            }
        }
        None
    }

    pub(super) fn break_expr(&mut self, it: ast::BreakExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let value = it.value().map(|it| self.expr_of(it));
        let Some(loop_) = self.target_loop(it.label(), "break", range) else { return self.missing(range) };
        if value.is_some() && !self.loops[loop_].has_value {
            let span = self.span(range);
            self.report(words::break_value(span));
        }
        self.expr(Expr::Break { loop_, value }, range)
    }

    /// In a loop the next turn; directly in a lambda or block, its value.
    pub(super) fn next_expr(&mut self, it: ast::NextExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let value = it.value().map(|it| self.expr_of(it));
        if it.label().is_none()
            && let Some(&Frame::Lambda(lambda)) = self.frames.last()
            && !self.is_generator(lambda)
        {
            return self.expr(Expr::Return { lambda: Some(lambda), value }, range);
        }
        match self.target_loop(it.label(), "next", range) {
            Some(loop_) => {
                if let Some(value) = value {
                    let span = self.span(self.source.exprs[value]);
                    self.report(words::break_value(span));
                }
                self.expr(Expr::Next { loop_ }, range)
            }
            None => self.missing(range),
        }
    }

    /// The lambda that `return` and `?` leave; `Err` inside a `defer`.
    fn return_target(&mut self, word: &str, range: TextRange) -> Result<Option<LambdaId>, ()> {
        let target = self.left_by_return();
        if target.is_err() {
            let span = self.span(range);
            self.report(words::leaves_defer(span, word));
        }
        target
    }

    /// The lambda around, if any; `Err` inside a `defer`.
    pub(super) fn left_by_return(&self) -> Result<Option<LambdaId>, ()> {
        for frame in self.frames.iter().rev() {
            match frame {
                Frame::Loop(_) => {}
                Frame::Lambda(lambda) => return Ok(Some(*lambda)),
                Frame::Defer => return Err(()),
            }
        }
        Ok(None)
    }

    pub(super) fn return_expr(&mut self, it: ast::ReturnExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let value = it.value().map(|it| self.expr_of(it));
        let value = self.answer_of_return(value);
        match self.return_target("return", range) {
            Ok(Some(lambda)) if value.is_some() && self.is_generator(lambda) => {
                let span = self.span(range);
                self.report(words::return_from_generator(span));
                self.missing(range)
            }
            Ok(lambda) => self.expr(Expr::Return { lambda, value }, range),
            Err(()) => self.missing(range),
        }
    }

    pub(super) fn propagate(&mut self, operand: ExprId, keyword: bool, range: TextRange) -> ExprId {
        match self.return_target(if keyword { "try" } else { "?" }, range) {
            Ok(Some(lambda)) if self.is_generator(lambda) => {
                let span = self.span(range);
                self.report(words::propagate_from_generator(span));
                self.missing(range)
            }
            Ok(lambda) => self.expr(Expr::Propagate { operand, lambda, keyword }, range),
            Err(()) => self.missing(range),
        }
    }
}
