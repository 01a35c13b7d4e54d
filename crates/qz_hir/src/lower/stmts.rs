//! Blocks and statements: what binds, what assigns, what is deferred.

use qz_base::{Name, TextRange};
use qz_syntax::ast::{self, AstNode};
use qz_types::TyKind;

use super::{Cx, Frame};
use crate::body::*;
use crate::diagnostics as words;
use crate::scope::{Def, Lookup};

impl Cx<'_> {
    /// A block in a scope of its own; its value is that of its last statement, if that is an expression.
    pub(super) fn block(&mut self, block: ast::Block<'_>) -> ExprId {
        self.scoped(|cx| cx.block_unscoped(block))
    }

    pub(super) fn maybe_block(&mut self, block: Option<ast::Block<'_>>, range: TextRange) -> ExprId {
        match block {
            Some(block) => self.block(block),
            None => self.missing(range),
        }
    }

    pub(super) fn block_unscoped(&mut self, block: ast::Block<'_>) -> ExprId {
        let range = block.syntax().range();
        let mut stmts = Vec::new();
        let mut tail = None;
        for stmt in block.stmts() {
            if let Some(value) = tail.take() {
                stmts.push(Stmt::Expr(value));
            }
            let last = match stmt {
                ast::Stmt::DestructureStmt(it) => {
                    let mut parts = self.destructure(it);
                    let last = parts.pop();
                    stmts.append(&mut parts);
                    last
                }
                other => Some(self.stmt(other)),
            };
            match last {
                Some(Stmt::Expr(value)) => tail = Some(value),
                other => stmts.extend(other),
            }
        }
        match (stmts.is_empty(), tail) {
            (true, Some(only)) => only,
            _ => self.expr(Expr::Block { stmts: stmts.into(), tail }, range),
        }
    }

    pub(super) fn stmt(&mut self, stmt: ast::Stmt<'_>) -> Stmt {
        let range = stmt.syntax().range();
        match stmt {
            ast::Stmt::VarStmt(it) => self.var_stmt(it),
            ast::Stmt::TypedBindStmt(it) => self.typed_bind(it),
            ast::Stmt::AssignStmt(it) => self.assign(it),
            ast::Stmt::CompoundAssignStmt(it) => Stmt::Expr(self.compound_assign(it)),
            ast::Stmt::DestructureStmt(it) => {
                let mut parts = self.destructure(it);
                match parts.len() {
                    1 => parts.remove(0),
                    _ => Stmt::Expr(self.expr(Expr::Block { stmts: parts.into(), tail: None }, range)),
                }
            }
            ast::Stmt::DeferStmt(it) => {
                self.frames.push(Frame::Defer);
                let deferred = match it.stmt() {
                    // Several statements; a function that nobody calls would defer nothing.
                    Some(ast::Stmt::Expr(ast::Expr::DoBlock(it)))
                        if it.params().is_none() && !it.has_arrow() =>
                    {
                        self.maybe_block(it.body(), range)
                    }
                    Some(stmt) => self.stmt_as_expr(stmt),
                    None => self.missing(range),
                };
                self.frames.pop();
                Stmt::Defer(deferred)
            }
            ast::Stmt::GuardStmt(it) => Stmt::Expr(self.guard(it)),
            ast::Stmt::Expr(it) => Stmt::Expr(self.scoped(|cx| cx.expr_of(it))),
        }
    }

    /// A statement where an expression is needed: the body of a lambda, a deferred assignment.
    pub(super) fn stmt_as_expr(&mut self, stmt: ast::Stmt<'_>) -> ExprId {
        let range = stmt.syntax().range();
        match self.scoped(|cx| cx.stmt(stmt)) {
            Stmt::Expr(value) => value,
            other => self.expr(Expr::Block { stmts: [other].into(), tail: None }, range),
        }
    }

    /// `stmt if cond`: a name bound there would end with the guard.
    fn guard(&mut self, it: ast::GuardStmt<'_>) -> ExprId {
        let range = it.syntax().range();
        self.scoped(|cx| {
            let cond = cx.maybe_expr(it.condition(), range);
            let cond = if it.is_unless() { cx.not(cond) } else { cond };
            let then = match it.stmt() {
                Some(stmt) => cx.guarded(stmt, range),
                None => cx.missing(range),
            };
            // The guarded statement's value is not the guard's.
            let then = cx.discard(then);
            cx.expr(Expr::If { cond, then, else_: None }, range)
        })
    }

    fn guarded(&mut self, stmt: ast::Stmt<'_>, range: TextRange) -> ExprId {
        let stmt = match self.stmt(stmt) {
            Stmt::Expr(value) => return value,
            other => other,
        };
        let mut names = Vec::new();
        if let Stmt::Bind { pat, .. } = stmt {
            self.collect_pat_locals(pat, &mut names);
        }
        if let Some(&local) = names.first() {
            let (name, span) = (self.locals[local].name, self.locals[local].span);
            self.report(words::branch_binding(span, name, span));
            self.locals[local].read = true;
            return self.missing(range);
        }
        self.expr(Expr::Block { stmts: [stmt].into(), tail: None }, range)
    }

    /// An expression for its effect only.
    pub(super) fn discard(&mut self, value: ExprId) -> ExprId {
        let range = self.source.exprs[value];
        let diverges = matches!(
            self.exprs[value],
            Expr::Return { .. } | Expr::Break { .. } | Expr::Next { .. } | Expr::Missing
        );
        if diverges {
            return value;
        }
        self.expr(Expr::Block { stmts: [Stmt::Expr(value)].into(), tail: None }, range)
    }

    fn var_stmt(&mut self, it: ast::VarStmt<'_>) -> Stmt {
        let range = it.syntax().range();
        let ty = it.ty().map(|ty| self.types.local_type(ty));
        let value = self.scoped(|cx| cx.maybe_expr(it.value(), range));
        let pat = match it.pat() {
            Some(pat) => self.var_pattern(pat),
            None => self.pat(Pat::Missing, range),
        };
        self.note_borrow(pat, value);
        Stmt::Bind { pat, ty, value }
    }

    fn typed_bind(&mut self, it: ast::TypedBindStmt<'_>) -> Stmt {
        let range = it.syntax().range();
        let ty = it.ty().map(|ty| self.types.local_type(ty));
        let value = self.scoped(|cx| cx.maybe_expr(it.value(), range));
        let pat = match it.name() {
            Some(name) => self.bind_new(Name::new(name.text()), name.range(), false),
            None => self.pat(Pat::Missing, range),
        };
        if ty.is_some_and(|ty| matches!(ty.kind(), TyKind::Ref(..))) {
            self.note_borrow(pat, value);
        }
        Stmt::Bind { pat, ty, value }
    }

    /// A name for `&mut place`, or for a name of one: assigning it writes what it borrows.
    fn note_borrow(&mut self, pat: PatId, value: ExprId) {
        let writes = match self.exprs[value] {
            Expr::Borrow { mutable, .. } => mutable,
            Expr::Local { local } => self.locals[local].writes_through,
            _ => false,
        };
        if let (true, Pat::Bind { local, .. }) = (writes, &self.pats[pat]) {
            let local = *local;
            self.locals[local].writes_through = true;
        }
    }

    /// A pattern that binds one new name.
    pub(super) fn bind_new(&mut self, name: Name, range: TextRange, mutable: bool) -> PatId {
        let local = self.declare(name, range, mutable, LocalKind::Binding);
        self.pat(Pat::Bind { local, sub: None }, range)
    }

    /// `place = value`. A bare name that nothing visible has is bound, anything else is assigned.
    fn assign(&mut self, it: ast::AssignStmt<'_>) -> Stmt {
        let range = it.syntax().range();
        let Some(place) = it.place() else { return Stmt::Expr(self.missing(range)) };
        if let Some(name) = bare_name(place) {
            let text = Name::new(name.text());
            if !self.is_visible_var(text) {
                let value = self.scoped(|cx| cx.maybe_expr(it.value(), range));
                let pat = self.bind_new(text, name.range(), false);
                self.note_borrow(pat, value);
                return Stmt::Bind { pat, ty: None, value };
            }
        }
        let place = self.place(place);
        let value = self.scoped(|cx| cx.maybe_expr(it.value(), range));
        Stmt::Expr(self.expr(Expr::Assign { place, value }, range))
    }

    /// Whether a bare name on the left means something that is there: a local or a module variable.
    fn is_visible_var(&self, name: Name) -> bool {
        self.find_local(name).is_some()
            || self.is_state(name)
            || matches!(self.defs.lookup(self.module, name), Lookup::Found(Def::Static(_) | Def::Const(_)))
    }

    fn compound_assign(&mut self, it: ast::CompoundAssignStmt<'_>) -> ExprId {
        let range = it.syntax().range();
        let place = match it.place() {
            Some(place) => self.place(place),
            None => self.missing(range),
        };
        let value = self.scoped(|cx| cx.maybe_expr(it.value(), range));
        match it.op() {
            Some(ast::BinaryOp::Default) => self.expr(Expr::AssignIfNone { place, value }, range),
            Some(op) => match super::exprs::plain_op(op) {
                Some(op) => self.expr(Expr::CompoundAssign { op, place, value }, range),
                None => self.missing(range),
            },
            None => self.missing(range),
        }
    }

    /// What stands left of an assignment: a variable that may change, a field, an element.
    pub(super) fn place(&mut self, place: ast::Expr<'_>) -> ExprId {
        let range = place.syntax().range();
        let span = self.span(range);
        if let Some(name) = bare_name(place) {
            let text = Name::new(name.text());
            if let Some(local) = self.find_local(text) {
                return self.assigned_local(local, range);
            }
            if let Some(field) = self.state_field(text, range) {
                return field;
            }
            return match self.defs.lookup(self.module, text) {
                Lookup::Found(Def::Static(var)) => self.expr(Expr::Static { var }, range),
                Lookup::Found(Def::Const(_)) => {
                    self.report(words::assign_const(span, text));
                    self.missing(range)
                }
                _ => self.expr_of(place),
            };
        }
        match place {
            ast::Expr::FieldExpr(_) | ast::Expr::IndexExpr(_) | ast::Expr::TupleIndexExpr(_) => {
                self.expr_of(place)
            }
            ast::Expr::PathExpr(_) => {
                let lowered = self.expr_of(place);
                if !matches!(self.exprs[lowered], Expr::Static { .. } | Expr::Missing) {
                    self.report(words::cannot_assign(span));
                }
                lowered
            }
            ast::Expr::ParenExpr(it) if it.expr().is_some() => self.place(it.expr().expect("just seen")),
            // The parser has said that anything else is no place.
            _ => self.missing(range),
        }
    }

    pub(super) fn assigned_local(&mut self, local: LocalId, range: TextRange) -> ExprId {
        if !self.locals[local].mutable && !self.locals[local].writes_through {
            let span = self.span(range);
            let it = &self.locals[local];
            let is_param = it.kind != LocalKind::Binding;
            self.report(words::immutable(span, it.name, it.span, is_param));
            self.locals[local].read = true;
        }
        // What is written there is read by its owner.
        self.locals[local].read |= self.locals[local].writes_through;
        self.note_capture(local);
        self.expr(Expr::Local { local }, range)
    }

    /// `(a, p.x) = e`: all values first; then each name follows the rule for `x = e`, and places are assigned in order.
    /// Where there are new names, the statements stand in the block around, for so do these.
    fn destructure(&mut self, it: ast::DestructureStmt<'_>) -> Vec<Stmt> {
        let range = it.syntax().range();
        let ty = it.ty().map(|ty| self.types.local_type(ty));
        let value = self.scoped(|cx| cx.maybe_expr(it.value(), range));
        let Some(pat) = it.pat() else { return vec![Stmt::Expr(value)] };
        let (pat, assigned) = self.assigning_pattern(pat);
        let mut bound = Vec::new();
        self.collect_pat_locals(pat, &mut bound);
        let only_assigns = !assigned.is_empty() && bound.len() == assigned.len();
        let mut stmts = vec![Stmt::Bind { pat, ty, value }];
        for (hidden, place) in assigned {
            let value = self.use_local(hidden, range);
            stmts.push(Stmt::Expr(self.expr(Expr::Assign { place, value }, range)));
        }
        if only_assigns {
            let block = Expr::Block { stmts: stmts.into(), tail: None };
            return vec![Stmt::Expr(self.expr(block, range))];
        }
        stmts
    }

    pub(super) fn collect_pat_locals(&self, pat: PatId, out: &mut Vec<LocalId>) {
        if let Pat::Bind { local, .. } = self.pats[pat] {
            out.push(local);
        }
        self.pats[pat].each_child(&mut |child| self.collect_pat_locals(child, out));
    }
}

/// The name, if the expression is nothing but a name.
pub(super) fn bare_name(expr: ast::Expr<'_>) -> Option<qz_syntax::SyntaxToken<'_>> {
    match expr {
        ast::Expr::PathExpr(path) => path.single_name(),
        _ => None,
    }
}
