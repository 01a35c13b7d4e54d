//! `select`: a call of the library for each arm, then a `match` over the arm that is ready.
//!
//! ```text
//! select                      { s = Select.new(2)
//!   v = recv(a) => …            c0 = a; a0 = s.recv(c0)
//!   send(b, x) => …      is     c1 = b; a1 = s.send(c1, x)
//!   after(10) => …              s.after(10)
//! end                           match { n = s.wait(); s.had(c0); s.had(c1); n }
//!                                 0 => { v = s.taken(a0); … }
//!                                 1 => …
//!                                 _ => … } }
//! ```
//!
//! The arms count no channels, which would cost more than all the rest: `had` is what keeps them until then.

use qz_base::{Name, TextRange};
use qz_syntax::ast::{self, AstNode};
use qz_types::Ty;

use super::Cx;
use crate::body::*;
use crate::diagnostics as words;

#[derive(Copy, Clone, PartialEq, Eq)]
enum ArmWord {
    Recv,
    Send,
    After,
    Default,
}

impl ArmWord {
    fn of(text: &str) -> Option<ArmWord> {
        Some(match text {
            "recv" => ArmWord::Recv,
            "send" => ArmWord::Send,
            "after" => ArmWord::After,
            "default" => ArmWord::Default,
            _ => return None,
        })
    }

    fn text(self) -> &'static str {
        match self {
            ArmWord::Recv => "recv",
            ArmWord::Send => "send",
            ArmWord::After => "after",
            ArmWord::Default => "default",
        }
    }

    /// What stands in the brackets.
    fn takes(self) -> &'static str {
        match self {
            ArmWord::Recv => "a channel",
            ArmWord::Send => "a channel and a value",
            ArmWord::After => "a number of milliseconds",
            ArmWord::Default => "nothing",
        }
    }

    fn arity(self) -> usize {
        match self {
            ArmWord::Recv | ArmWord::After => 1,
            ArmWord::Send => 2,
            ArmWord::Default => 0,
        }
    }

    /// Whether the arm has a result that a name can be bound to.
    fn has_result(self) -> bool {
        matches!(self, ArmWord::Recv | ArmWord::Send)
    }
}

/// An arm's head, understood.
struct Head<'t> {
    word: ArmWord,
    args: Vec<ast::Expr<'t>>,
    range: TextRange,
}

/// An arm whose channel, value or time was evaluated.
struct Waiting<'t> {
    arm: ast::SelectArm<'t>,
    result: ArmResult,
}

/// Where an arm's result comes from.
#[derive(Copy, Clone)]
enum ArmResult {
    /// At the place in this local.
    Taken(LocalId),
    /// Told by the arm in this local.
    Sent(LocalId),
    None,
}

impl Cx<'_> {
    pub(super) fn select(&mut self, it: ast::SelectExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let Some(select) = self.defs.lang.adt("Select") else { return self.later(range, "`select`") };
        let heads: Vec<_> = it.arms().map(|arm| (arm, self.arm_head(arm))).collect();
        self.check_arms(&heads, range);
        let (mut stmts, ty) = (Vec::new(), Ty::adt(select, &[]));
        let receiver = self.expr(Expr::TypeRecv { ty }, range);
        let on_channels =
            heads.iter().filter(|(_, head)| head.as_ref().is_some_and(|it| it.word.has_result()));
        let room = Literal::Int { value: on_channels.count() as u128, negative: false };
        let room = self.expr(Expr::Lit { value: room }, range);
        let made = self.method(receiver, "new", vec![room], range);
        let waiter = self.keep(made, &mut stmts);
        let (mut waiting, mut channels) = (Vec::new(), Vec::new());
        for (arm, head) in heads {
            let register = |head| self.register(waiter, head, &mut stmts, &mut channels);
            waiting.push(Waiting { arm, result: head.map_or(ArmResult::None, register) });
        }
        let subject = self.wait(waiter, &channels, range);
        let last = waiting.len().saturating_sub(1);
        let arms: Box<[Arm]> = waiting
            .into_iter()
            .enumerate()
            .map(|(n, it)| self.select_arm(waiter, n, n == last, it))
            .collect();
        if arms.is_empty() {
            return self.missing(range);
        }
        let tail = Some(self.expr(Expr::Match { subject, arms, from: MatchFrom::Match }, range));
        self.expr(Expr::Block { stmts: stmts.into(), tail }, range)
    }

    /// Waits, and gives the number of the arm that is ready.
    fn wait(&mut self, waiter: LocalId, channels: &[LocalId], range: TextRange) -> ExprId {
        let mut stmts = Vec::new();
        let receiver = self.use_local(waiter, range);
        let number = self.method(receiver, "wait", Vec::new(), range);
        let number = self.keep(number, &mut stmts);
        for &channel in channels {
            let (receiver, channel) = (self.use_local(waiter, range), self.use_local(channel, range));
            stmts.push(Stmt::Expr(self.method(receiver, "had", vec![channel], range)));
        }
        let tail = Some(self.use_local(number, range));
        self.expr(Expr::Block { stmts: stmts.into(), tail }, range)
    }

    /// `x.name(args)`, made up.
    pub(super) fn method(
        &mut self,
        receiver: ExprId,
        name: &str,
        args: Vec<ExprId>,
        range: TextRange,
    ) -> ExprId {
        let args = args.into_iter().map(|value| Arg { kind: ArgKind::Positional, value }).collect();
        let name = Name::new(name);
        self.expr(
            Expr::Method { receiver, name, name_range: range, type_args: &[], args, has_parens: true },
            range,
        )
    }

    fn arm_head<'t>(&mut self, arm: ast::SelectArm<'t>) -> Option<Head<'t>> {
        let op = arm.op()?;
        let range = op.syntax().range();
        if matches!(op, ast::Expr::MissingExpr(_)) {
            return None;
        }
        let Some((word, args)) = read_head(op) else {
            let span = self.span(range);
            self.report(words::select_arm(span));
            return None;
        };
        if args.len() != word.arity() {
            let span = self.span(range);
            self.report(words::select_arm_args(span, word.text(), word.takes()));
            return None;
        }
        if let Some(pat) = arm.pat()
            && !word.has_result()
        {
            let span = self.span(pat.syntax().range());
            self.report(words::select_arm_value(span, word.text()));
        }
        if word == ArmWord::Send && arm.pat().is_none() {
            let span = self.span(range);
            self.report(words::select_send_unused(span));
        }
        Some(Head { word, args, range })
    }

    /// Arms that can never be chosen.
    fn check_arms(&mut self, heads: &[(ast::SelectArm<'_>, Option<Head<'_>>)], range: TextRange) {
        if heads.is_empty() {
            let span = self.span(range);
            return self.report(words::select_empty(span));
        }
        let of = |word: ArmWord| {
            heads.iter().filter_map(|(_, head)| head.as_ref()).filter(move |head| head.word == word)
        };
        for word in [ArmWord::After, ArmWord::Default] {
            let mut found = of(word);
            if let (Some(first), Some(second)) = (found.next(), found.next()) {
                let (first, second) = (self.span(first.range), self.span(second.range));
                self.report(words::select_twice(second, first, word.text()));
            }
        }
        if let (Some(after), Some(default)) = (of(ArmWord::After).next(), of(ArmWord::Default).next()) {
            let (after, default) = (self.span(after.range), self.span(default.range));
            self.report(words::select_never_after(after, default));
        }
    }

    /// Evaluates an arm's channel, value or time and tells the library of it.
    fn register(
        &mut self,
        waiter: LocalId,
        head: Head<'_>,
        stmts: &mut Vec<Stmt>,
        channels: &mut Vec<LocalId>,
    ) -> ArmResult {
        let ranges: Vec<TextRange> = head.args.iter().map(|arg| arg.syntax().range()).collect();
        let mut args: Vec<ExprId> = head.args.into_iter().map(|arg| self.value_expr(arg)).collect();
        if head.word.has_result() {
            let channel = self.keep(args[0], stmts);
            channels.push(channel);
            args[0] = self.use_local(channel, ranges[0]);
        }
        let receiver = self.use_local(waiter, head.range);
        let call = self.method(receiver, head.word.text(), args, head.range);
        match head.word {
            ArmWord::Recv => return ArmResult::Taken(self.keep(call, stmts)),
            ArmWord::Send => return ArmResult::Sent(self.keep(call, stmts)),
            ArmWord::After | ArmWord::Default => stmts.push(Stmt::Expr(call)),
        }
        ArmResult::None
    }

    fn select_arm(&mut self, waiter: LocalId, n: usize, is_last: bool, it: Waiting<'_>) -> Arm {
        let range = it.arm.syntax().range();
        let number = Literal::Int { value: n as u128, negative: false };
        let pat = if is_last { Pat::Wild } else { Pat::Lit { value: number } };
        let pat = self.pat(pat, range);
        let body = self.scoped(|cx| {
            let first = match (it.arm.pat(), it.result) {
                (Some(written), result) => {
                    let value = cx.arm_result(waiter, result, written.syntax().range());
                    Stmt::Bind { pat: cx.new_pattern(written), ty: None, value }
                }
                // Nobody asked for what was received: it is dropped.
                (None, result @ ArmResult::Taken(_)) => {
                    Stmt::Expr(cx.arm_result(waiter, result, TextRange::empty(range.start)))
                }
                (None, _) => return cx.maybe_block(it.arm.body(), range),
            };
            let body = cx.maybe_block(it.arm.body(), range);
            cx.expr(Expr::Block { stmts: [first].into(), tail: Some(body) }, range)
        });
        Arm { pat, guard: None, body }
    }

    /// In a range where nobody wrote an expression.
    fn arm_result(&mut self, waiter: LocalId, result: ArmResult, range: TextRange) -> ExprId {
        let (receiver, name, args) = match result {
            ArmResult::Taken(place) => {
                // The place is that of the arm that happened, and is asked once.
                self.unsafe_ranges.push(range);
                (waiter, "taken", vec![self.use_local(place, range)])
            }
            ArmResult::Sent(arm) => (arm, "result", Vec::new()),
            ArmResult::None => return self.missing(range),
        };
        let receiver = self.use_local(receiver, range);
        self.method(receiver, name, args, range)
    }
}

/// The word of an arm's head and what stands in its brackets: `recv(ch)`, `ch.recv()`, `default`.
fn read_head(op: ast::Expr<'_>) -> Option<(ArmWord, Vec<ast::Expr<'_>>)> {
    match op {
        ast::Expr::PathExpr(path) => {
            let word = ArmWord::of(path.single_name()?.text())?;
            Some((word, Vec::new()))
        }
        ast::Expr::CallExpr(call) => {
            let Some(ast::Expr::PathExpr(path)) = call.callee() else { return None };
            let word = ArmWord::of(path.single_name()?.text()).filter(|it| *it != ArmWord::Default)?;
            Some((word, plain_args(call.args())?))
        }
        ast::Expr::MethodCallExpr(call) if !call.is_safe() => {
            let word = ArmWord::of(call.name()?.text()).filter(|it| it.has_result())?;
            let mut args = vec![call.receiver()?];
            args.extend(plain_args(call.args())?);
            Some((word, args))
        }
        ast::Expr::FieldExpr(field) if !field.is_safe() => {
            let word = ArmWord::of(field.name()?.text()).filter(|it| it.has_result())?;
            Some((word, vec![field.receiver()?]))
        }
        _ => None,
    }
}

fn plain_args(args: Option<ast::ArgList<'_>>) -> Option<Vec<ast::Expr<'_>>> {
    let plain = |arg| match arg {
        ast::Arg::Expr(expr) => Some(expr),
        ast::Arg::NamedArg(_) | ast::Arg::SpreadArg(_) => None,
    };
    args.into_iter().flat_map(|list| list.args()).map(plain).collect()
}
