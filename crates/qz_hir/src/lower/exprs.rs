//! Expressions: the table of contents, and the constructs that need few words.

use std::sync::Arc;

use qz_base::{Name, TextRange};
use qz_syntax::ast::{self, AstNode};
use qz_syntax::literals::{self, StringValue};

use super::Cx;
use crate::body::*;
use crate::diagnostics as words;

/// Operators that stay operators; the others are control flow or calls.
pub(super) fn plain_op(op: ast::BinaryOp) -> Option<BinaryOp> {
    Some(match op {
        ast::BinaryOp::Eq => BinaryOp::Eq,
        ast::BinaryOp::Ne => BinaryOp::Ne,
        ast::BinaryOp::Lt => BinaryOp::Lt,
        ast::BinaryOp::Le => BinaryOp::Le,
        ast::BinaryOp::Gt => BinaryOp::Gt,
        ast::BinaryOp::Ge => BinaryOp::Ge,
        ast::BinaryOp::In => BinaryOp::In,
        ast::BinaryOp::BitOr => BinaryOp::BitOr,
        ast::BinaryOp::BitXor => BinaryOp::BitXor,
        ast::BinaryOp::BitAnd => BinaryOp::BitAnd,
        ast::BinaryOp::Shl => BinaryOp::Shl,
        ast::BinaryOp::Shr => BinaryOp::Shr,
        ast::BinaryOp::Add => BinaryOp::Add,
        ast::BinaryOp::Sub => BinaryOp::Sub,
        ast::BinaryOp::WrapAdd => BinaryOp::WrapAdd,
        ast::BinaryOp::WrapSub => BinaryOp::WrapSub,
        ast::BinaryOp::Mul => BinaryOp::Mul,
        ast::BinaryOp::Div => BinaryOp::Div,
        ast::BinaryOp::Rem => BinaryOp::Rem,
        ast::BinaryOp::WrapMul => BinaryOp::WrapMul,
        ast::BinaryOp::Pow => BinaryOp::Pow,
        ast::BinaryOp::Pipe | ast::BinaryOp::Default | ast::BinaryOp::Or | ast::BinaryOp::And => return None,
    })
}

impl Cx<'_> {
    pub(super) fn maybe_expr(&mut self, expr: Option<ast::Expr<'_>>, range: TextRange) -> ExprId {
        match expr {
            Some(expr) => self.expr_of(expr),
            None => self.missing(range),
        }
    }

    /// An expression whose pattern bindings (`x is Some(v)`) end with it.
    pub(super) fn value_expr(&mut self, expr: ast::Expr<'_>) -> ExprId {
        self.scoped(|cx| cx.expr_of(expr))
    }

    /// An expression. Names bound by `is` inside stay in the scope that is open.
    pub(super) fn expr_of(&mut self, expr: ast::Expr<'_>) -> ExprId {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.expr_inner(expr))
    }

    fn expr_inner(&mut self, expr: ast::Expr<'_>) -> ExprId {
        let range = expr.syntax().range();
        match expr {
            ast::Expr::MissingExpr(_) => self.missing(range),
            ast::Expr::LiteralExpr(it) => self.literal_expr(it),
            ast::Expr::StringExpr(it) => {
                let value = self.string(it.value(), range);
                // Nobody knows what a string was to be that has no end.
                if it.is_closed() { value } else { self.missing(range) }
            }
            ast::Expr::HeredocExpr(it) => self.string(it.value(), range),
            ast::Expr::PathExpr(it) => self.path(it),
            ast::Expr::SelfExpr(_) => self.self_expr(range),
            ast::Expr::ParenExpr(it) => self.maybe_expr(it.expr(), range),
            ast::Expr::TupleExpr(it) => self.tuple(it),
            ast::Expr::VecExpr(it) => {
                let elems = self.args(it.elems());
                self.expr(Expr::Vec { elems }, range)
            }
            ast::Expr::RepeatExpr(it) => {
                let elem = self.maybe_expr(it.elem(), range);
                let count = self.maybe_expr(it.count(), range);
                self.expr(Expr::Repeat { elem, count }, range)
            }
            ast::Expr::VecCompExpr(it) => self.vec_comprehension(it),
            ast::Expr::MapCompExpr(it) => self.map_comprehension(it),
            ast::Expr::MapExpr(it) => self.map_literal(it),
            ast::Expr::RecordExpr(it) => self.record(it),
            ast::Expr::StructExpr(it) => self.struct_literal(it),
            ast::Expr::UpdateExpr(it) => self.update(it),
            ast::Expr::UnaryExpr(it) => self.unary(it),
            ast::Expr::BorrowExpr(it) => {
                let operand = self.maybe_expr(it.operand(), range);
                self.expr(Expr::Borrow { mutable: it.is_mut(), operand }, range)
            }
            ast::Expr::TryExpr(it) => {
                let operand = self.maybe_expr(it.operand(), range);
                self.propagate(operand, true, range)
            }
            ast::Expr::AwaitExpr(it) => self.await_expr(it),
            ast::Expr::GoExpr(it) => self.go_expr(it),
            ast::Expr::SpawnExpr(it) => self.spawn_expr(it),
            ast::Expr::BinaryExpr(it) => self.binary(it),
            ast::Expr::RangeExpr(it) => self.range_expr(it),
            ast::Expr::IsExpr(it) => {
                let value = self.maybe_expr(it.expr(), range);
                let pat = match it.pat() {
                    Some(pat) => self.new_pattern(pat),
                    None => self.pat(Pat::Missing, range),
                };
                self.expr(Expr::Is { value, pat }, range)
            }
            ast::Expr::CastExpr(it) => self.cast(it),
            ast::Expr::CallExpr(it) => self.call(it),
            ast::Expr::MethodCallExpr(it) => self.method_call(it),
            ast::Expr::FieldExpr(it) => self.field(it),
            ast::Expr::TupleIndexExpr(it) => self.tuple_index(it),
            ast::Expr::DoBlock(it) => self.do_block(it),
            ast::Expr::LambdaExpr(it) => self.lambda(it),
            ast::Expr::IndexExpr(it) => self.index(it),
            ast::Expr::PropagateExpr(it) => {
                let operand = self.maybe_expr(it.operand(), range);
                self.propagate(operand, false, range)
            }
            ast::Expr::UnwrapExpr(it) => {
                let operand = self.maybe_expr(it.operand(), range);
                self.expr(Expr::Unwrap { operand }, range)
            }
            ast::Expr::MacroCallExpr(it) => self.macro_call(it),
            // Only macros hold them, which are gone.
            ast::Expr::MacroVarExpr(_) | ast::Expr::QuoteExpr(_) => self.missing(range),
            ast::Expr::AtCallExpr(_) => self.later(range, "inline assembly"),
            ast::Expr::IfExpr(it) => self.if_chain(
                it.condition(),
                it.body(),
                it.elsifs().collect(),
                it.else_clause(),
                false,
                range,
            ),
            ast::Expr::UnlessExpr(it) => {
                self.if_chain(it.condition(), it.body(), it.elsifs().collect(), it.else_clause(), true, range)
            }
            ast::Expr::MatchExpr(it) => self.match_expr(it),
            ast::Expr::WhileExpr(it) => self.while_loop(it.label(), it.condition(), it.body(), false, range),
            ast::Expr::UntilExpr(it) => self.while_loop(it.label(), it.condition(), it.body(), true, range),
            ast::Expr::ForExpr(it) => self.for_loop(it),
            ast::Expr::LoopExpr(it) => self.endless_loop(it),
            ast::Expr::ReturnExpr(it) => self.return_expr(it),
            ast::Expr::BreakExpr(it) => self.break_expr(it),
            ast::Expr::NextExpr(it) => self.next_expr(it),
            ast::Expr::YieldExpr(it) => self.yield_expr(it),
            ast::Expr::ThrowExpr(it) => {
                let error = self.maybe_expr(it.value(), range);
                self.lang_call("thrown", vec![error], range)
            }
            ast::Expr::CatchExpr(it) => self.catch(it),
            ast::Expr::WithExpr(it) => self.with_handlers(it),
            ast::Expr::HandlerExpr(it) => self.handler(it),
            ast::Expr::SelectExpr(it) => self.select(it),
            ast::Expr::UnsafeExpr(it) => {
                self.unsafe_ranges.push(range);
                self.maybe_block(it.body(), range)
            }
        }
    }

    /// A construct of a later version: one error for all of it.
    pub(super) fn later(&mut self, range: TextRange, what: &str) -> ExprId {
        let span = self.span(range);
        self.report(words::not_yet(span, what));
        self.missing(range)
    }

    pub(super) fn not(&mut self, operand: ExprId) -> ExprId {
        let range = self.source.exprs[operand];
        self.expr(Expr::Unary { op: UnaryOp::Not, operand }, range)
    }

    fn literal_expr(&mut self, it: ast::LiteralExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        match it.value() {
            Some(literals::Literal::Nil) => self.expr(Expr::Nil, range),
            Some(literals::Literal::Symbol(name)) => self.symbol(name, range),
            Some(literals::Literal::Regex(_)) => self.regex(it.syntax().text(), range),
            Some(value) => match self.literal(value, false, range) {
                Some(value) => self.expr(Expr::Lit { value }, range),
                None => self.missing(range),
            },
            None => self.missing(range),
        }
    }

    /// `:name` is the library's newtype around the name.
    fn symbol(&mut self, name: &str, range: TextRange) -> ExprId {
        let value = self.expr(Expr::Lit { value: Literal::Str(name.into()) }, range);
        let Some(adt) = self.defs.lang.adt("Symbol") else { return self.missing(range) };
        let callee = self.expr(Expr::Newtype { adt, type_args: &[] }, range);
        let args = [Arg { kind: ArgKind::Positional, value }].into();
        self.expr(Expr::Call { callee, args }, range)
    }

    pub(super) fn literal(
        &mut self,
        value: literals::Literal<'_>,
        negative: bool,
        range: TextRange,
    ) -> Option<Literal> {
        let span = self.span(range);
        Some(match value {
            literals::Literal::Int(Ok(value)) => Literal::Int { value, negative },
            literals::Literal::Int(Err(_)) => {
                self.report(words::literal_range(span));
                return None;
            }
            literals::Literal::Float(value) => Literal::Float(if negative { -value } else { value }),
            literals::Literal::Char(value) => Literal::Char(value),
            literals::Literal::String(text) => Literal::Str(Arc::from(text)),
            literals::Literal::Bool(value) => Literal::Bool(value),
            // A symbol stands around its name; who asks knows that.
            literals::Literal::Symbol(name) => Literal::Str(name.into()),
            // No values of their own: who asks knows that.
            literals::Literal::Regex(_) | literals::Literal::Nil => return None,
        })
    }

    fn string(&mut self, parts: Vec<StringValue<'_>>, range: TextRange) -> ExprId {
        let mut lowered = Vec::new();
        for part in parts {
            match part {
                StringValue::Text(text) => lowered.push(InterpPart::Text(text.into())),
                StringValue::Interp(it) => {
                    let value = match it.expr() {
                        Some(expr) => self.value_expr(expr),
                        None => self.missing(it.syntax().range()),
                    };
                    lowered.push(InterpPart::Value(value));
                }
            }
        }
        match &lowered[..] {
            [] => self.expr(Expr::Lit { value: Literal::Str("".into()) }, range),
            [InterpPart::Text(text)] => {
                let value = Literal::Str(text.clone());
                self.expr(Expr::Lit { value }, range)
            }
            _ => self.expr(Expr::Interp { parts: lowered.into() }, range),
        }
    }

    pub(super) fn self_expr(&mut self, range: TextRange) -> ExprId {
        match self.find_local(qz_base::name::known::SELF_VALUE) {
            Some(local) => self.use_local(local, range),
            None => {
                let span = self.span(range);
                self.report(words::self_value_outside(span));
                self.missing(range)
            }
        }
    }

    fn tuple(&mut self, it: ast::TupleExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let mut elems = Vec::new();
        for elem in it.elems() {
            elems.push(match elem {
                ast::Arg::Expr(expr) => self.expr_of(expr),
                other => self.later(other.syntax().range(), "names and spreads in tuples"),
            });
        }
        if elems.is_empty() {
            return self.expr(Expr::Lit { value: Literal::Unit }, range);
        }
        self.expr(Expr::Tuple { elems: elems.into() }, range)
    }

    fn map_literal(&mut self, it: ast::MapExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let mut entries = Vec::new();
        for entry in it.entries() {
            let key = self.maybe_expr(entry.key(), range);
            let value = self.maybe_expr(entry.value(), range);
            entries.push((key, value));
        }
        self.expr(Expr::Map { entries: entries.into() }, range)
    }

    fn field_inits<'t>(&mut self, fields: impl Iterator<Item = ast::FieldInit<'t>>) -> Box<[FieldInit]> {
        let mut inits = Vec::new();
        for field in fields {
            let Some(name) = field.name() else { continue };
            let (text, name_range) = (Name::new(name.text()), name.range());
            let value = match field.value() {
                Some(value) => self.expr_of(value),
                None => self.name_expr(text, name_range),
            };
            inits.push(FieldInit { name: text, name_range, value });
        }
        inits.into()
    }

    fn record(&mut self, it: ast::RecordExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let mut parts = Vec::new();
        for node in it.syntax().children() {
            let range = node.range();
            if let Some(field) = ast::FieldInit::cast(node) {
                for it in self.field_inits([field].into_iter()) {
                    parts.push(RecordPart { name: Some(it.name), range: it.name_range, value: it.value });
                }
            } else if let Some(spread) = ast::RecordSpread::cast(node) {
                let value = self.maybe_expr(spread.expr(), range);
                parts.push(RecordPart { name: None, range, value });
            }
        }
        self.expr(Expr::Record { parts: parts.into() }, range)
    }

    fn struct_literal(&mut self, it: ast::StructExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let segments: Vec<_> = it.path().into_iter().flat_map(|path| path.segments()).collect();
        let path_range = it.path().map_or(range, |path| path.syntax().range());
        let mut path = match self.pattern_path(&segments, path_range) {
            StructPath::BareOrAdt(_, adt, args) => StructPath::Adt(adt, args),
            path => path,
        };
        if let StructPath::Bare(name) = path
            && self.defs.variants_in_scope(self.module, name).is_empty()
        {
            // Not even a variant of some enum: then it was meant to be a type.
            if self.types.path_to_type(&segments, path_range).is_error() {
                path = StructPath::Error;
            }
        }
        let fields = self.field_inits(it.fields());
        let spread = it.spreads().next().and_then(|spread| spread.expr()).map(|expr| self.expr_of(expr));
        self.expr(Expr::Struct { path, fields, spread }, range)
    }

    fn update(&mut self, it: ast::UpdateExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let base = self.maybe_expr(it.base(), range);
        let fields = self.field_inits(it.fields());
        self.expr(Expr::Update { base, fields }, range)
    }

    fn unary(&mut self, it: ast::UnaryExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let Some(operand) = it.operand() else { return self.missing(range) };
        if it.op() == Some(ast::UnaryOp::Neg)
            && let ast::Expr::LiteralExpr(literal) = operand
            && let Some(value @ (literals::Literal::Int(_) | literals::Literal::Float(_))) = literal.value()
        {
            return match self.literal(value, true, range) {
                Some(value) => self.expr(Expr::Lit { value }, range),
                None => self.missing(range),
            };
        }
        let op = match it.op() {
            Some(ast::UnaryOp::Neg) => UnaryOp::Neg,
            Some(ast::UnaryOp::BitNot) => UnaryOp::BitNot,
            Some(ast::UnaryOp::Not) => UnaryOp::Not,
            None => return self.missing(range),
        };
        let operand = if op == UnaryOp::Not { self.value_expr(operand) } else { self.expr_of(operand) };
        self.expr(Expr::Unary { op, operand }, range)
    }

    fn binary(&mut self, it: ast::BinaryExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let (Some(lhs), Some(op)) = (it.lhs(), it.op()) else { return self.missing(range) };
        match op {
            ast::BinaryOp::Pipe => self.pipe(lhs, it.rhs(), range),
            ast::BinaryOp::And => {
                let lhs = self.expr_of(lhs);
                let rhs = self.maybe_expr(it.rhs(), range);
                self.expr(Expr::And { lhs, rhs }, range)
            }
            ast::BinaryOp::Or => {
                let lhs = self.value_expr(lhs);
                let rhs = self.scoped(|cx| cx.maybe_expr(it.rhs(), range));
                self.expr(Expr::Or { lhs, rhs }, range)
            }
            ast::BinaryOp::Default => {
                let lhs = self.value_expr(lhs);
                let rhs = self.scoped(|cx| cx.maybe_expr(it.rhs(), range));
                self.expr(Expr::Coalesce { lhs, rhs }, range)
            }
            _ => {
                let lhs = self.expr_of(lhs);
                let rhs = self.maybe_expr(it.rhs(), range);
                match plain_op(op) {
                    Some(op) => self.expr(Expr::Binary { op, lhs, rhs }, range),
                    None => self.missing(range),
                }
            }
        }
    }

    fn range_expr(&mut self, it: ast::RangeExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let start = it.start().map(|it| self.expr_of(it));
        let end = it.end().map(|it| self.expr_of(it));
        let step = it.step().and_then(|it| it.expr()).map(|it| self.expr_of(it));
        self.expr(Expr::Range { start, end, step, inclusive: it.is_inclusive() }, range)
    }

    fn cast(&mut self, it: ast::CastExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let value = self.maybe_expr(it.expr(), range);
        let Some(ty) = it.ty() else { return self.missing(range) };
        let ty = self.types.local_type(ty);
        let kind = match it.kind() {
            ast::CastKind::Checked => CastKind::Checked,
            ast::CastKind::Wrapping => CastKind::Wrapping,
            ast::CastKind::Try => CastKind::Try,
        };
        self.expr(Expr::Cast { value, ty, kind }, range)
    }

    fn index(&mut self, it: ast::IndexExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        if let Some(ast::Expr::PathExpr(path)) = it.base()
            && let Some(name) = path.single_name()
            && name.text() == "Set"
            && self.find_local(Name::new("Set")).is_none()
        {
            let elems = self.args(it.indices());
            return self.expr(Expr::Set { elems }, range);
        }
        let base = self.maybe_expr(it.base(), range);
        let indices: Vec<ast::Arg<'_>> = it.indices().collect();
        let index = match indices[..] {
            [ast::Arg::Expr(index)] => self.expr_of(index),
            [] => self.missing(range),
            _ => {
                let span = self.span(range);
                self.report(words::one_index(span));
                self.missing(range)
            }
        };
        self.expr(Expr::Index { base, index }, range)
    }

    fn tuple_index(&mut self, it: ast::TupleIndexExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let base = self.maybe_expr(it.base(), range);
        let Some(index) = it.index() else { return self.missing(range) };
        let number = index.text().replace('_', "").parse().unwrap_or(u32::MAX);
        let index_range = index.range();
        if it.is_safe() {
            return self.safe_navigation(base, range, |cx, base| {
                cx.expr(Expr::TupleIndex { base, index: number, index_range }, range)
            });
        }
        self.expr(Expr::TupleIndex { base, index: number, index_range }, range)
    }

    /// `a?.b`: what follows is applied to what is inside `a`.
    pub(super) fn safe_navigation(
        &mut self,
        base: ExprId,
        range: TextRange,
        rest: impl FnOnce(&mut Self, ExprId) -> ExprId,
    ) -> ExprId {
        let inner = self.hidden(range, false);
        let base_range = self.source.exprs[base];
        let value = self.use_local(inner, base_range);
        let rest = rest(self, value);
        self.expr(Expr::SafeNav { base, inner, rest }, range)
    }

    fn macro_call(&mut self, it: ast::MacroCallExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let span = self.span(range);
        let Some(name) = it.name() else { return self.missing(range) };
        let args: Vec<ast::Expr<'_>> = it
            .args()
            .into_iter()
            .flat_map(|list| list.args())
            .filter_map(|arg| match arg {
                ast::Arg::Expr(expr) => Some(expr),
                _ => None,
            })
            .collect();
        match (name.text(), &args[..]) {
            ("unwrap", &[operand]) => {
                let operand = self.expr_of(operand);
                self.expr(Expr::Unwrap { operand }, range)
            }
            ("try", &[operand]) => {
                let operand = self.expr_of(operand);
                self.propagate(operand, true, range)
            }
            ("assert", &[cond]) => self.assert(cond, None, range),
            ("assert", &[cond, message]) => self.assert(cond, Some(message), range),
            ("debug", &[operand]) => {
                let text = self.text_of(operand.syntax());
                let operand = self.expr_of(operand);
                self.expr(Expr::Debug { operand, text }, range)
            }
            ("unwrap" | "try" | "debug", _) => {
                self.report(words::macro_args(span, name.text(), "one argument"));
                self.missing(range)
            }
            ("assert", _) => {
                self.report(words::macro_args(span, "assert", "a condition and perhaps a message"));
                self.missing(range)
            }
            // Every other call was expanded, or it was reported why not.
            _ => self.missing(range),
        }
    }

    fn assert(&mut self, cond: ast::Expr<'_>, message: Option<ast::Expr<'_>>, range: TextRange) -> ExprId {
        let text = self.text_of(cond.syntax());
        let cond = self.value_expr(cond);
        let message = message.map(|it| self.value_expr(it));
        self.expr(Expr::Assert { cond, message, text }, range)
    }

    /// `if c … elsif d … else … end`. Names that a condition's `is` binds reach its branch only.
    fn if_chain(
        &mut self,
        condition: Option<ast::Expr<'_>>,
        body: Option<ast::Block<'_>>,
        elsifs: Vec<ast::ElsifClause<'_>>,
        else_clause: Option<ast::ElseClause<'_>>,
        negated: bool,
        range: TextRange,
    ) -> ExprId {
        let mut branches = vec![self.branch(condition, body, negated, range)];
        for clause in elsifs {
            branches.push(self.branch(clause.condition(), clause.body(), false, clause.syntax().range()));
        }
        let mut else_ = else_clause.map(|it| self.maybe_block(it.body(), it.syntax().range()));
        for (cond, then) in branches.into_iter().rev() {
            else_ = Some(self.expr(Expr::If { cond, then, else_ }, range));
        }
        else_.expect("there is at least one branch")
    }

    fn branch(
        &mut self,
        condition: Option<ast::Expr<'_>>,
        body: Option<ast::Block<'_>>,
        negated: bool,
        range: TextRange,
    ) -> (ExprId, ExprId) {
        self.scoped(|cx| {
            let cond = if negated {
                let cond = cx.scoped(|cx| cx.maybe_expr(condition, range));
                cx.not(cond)
            } else {
                cx.maybe_expr(condition, range)
            };
            (cond, cx.maybe_block(body, range))
        })
    }

    fn match_expr(&mut self, it: ast::MatchExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let subject = self.scoped(|cx| cx.maybe_expr(it.subject(), range));
        let mut arms = Vec::new();
        for arm in it.arms() {
            arms.push(self.scoped(|cx| {
                let range = arm.syntax().range();
                let pat = match arm.pat() {
                    Some(pat) => cx.new_pattern(pat),
                    None => cx.pat(Pat::Missing, range),
                };
                let guard = arm.guard().map(|it| cx.maybe_expr(it.condition(), range));
                let body = cx.maybe_block(arm.body(), range);
                Arm { pat, guard, body }
            }));
        }
        self.expr(Expr::Match { subject, arms: arms.into(), from: MatchFrom::Match }, range)
    }
}
