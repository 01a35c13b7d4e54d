//! How do operators bind? Precedence climbing over the table of the language, loosest to tightest; prefix operators;
//! conversions, ranges and tests, which look like operators.

use super::{foreign, patterns, postfix, types};
use crate::SyntaxKind::{self, *};
use crate::lexer::flags;
use crate::parser::Parser;
use crate::problems::{SyntaxProblemKind, Wanted};
use crate::tree::Checkpoint;

/// Binding strengths; a larger number binds tighter.
mod prec {
    pub(super) const PIPE: u8 = 1;
    pub(super) const DEFAULT: u8 = 2;
    pub(super) const OR: u8 = 3;
    pub(super) const AND: u8 = 4;
    pub(super) const COMPARE: u8 = 6;
    pub(super) const RANGE: u8 = 7;
    pub(super) const BIT_OR: u8 = 8;
    pub(super) const BIT_XOR: u8 = 9;
    pub(super) const BIT_AND: u8 = 10;
    pub(super) const SHIFT: u8 = 11;
    pub(super) const ADD: u8 = 12;
    pub(super) const MUL: u8 = 13;
    pub(super) const CAST: u8 = 14;
}

fn infix(kind: SyntaxKind) -> Option<u8> {
    Some(match kind {
        PipeGt => prec::PIPE,
        QuestionQuestion => prec::DEFAULT,
        OrKw | PipePipe => prec::OR,
        AndKw | AmpAmp => prec::AND,
        IsKw | EqEq | BangEq | Lt | LtEq | Gt | GtEq | InKw => prec::COMPARE,
        DotDot | DotDotEq => prec::RANGE,
        Pipe => prec::BIT_OR,
        Caret => prec::BIT_XOR,
        Amp => prec::BIT_AND,
        LtLt | GtGt => prec::SHIFT,
        Plus | Minus | AmpPlus | AmpMinus => prec::ADD,
        Star | Slash | Percent | AmpStar => prec::MUL,
        AsKw | WrappingAsKw | TryAsKw => prec::CAST,
        _ => return None,
    })
}

/// Whether a token stands between two operands.
pub(super) fn is_infix(kind: SyntaxKind) -> bool {
    infix(kind).is_some() || kind == StarStar
}

/// `expr := binary`
pub(super) fn expr(p: &mut Parser<'_>) {
    let from = p.start();
    binary(p, 0);
    if p.at(Question) && !p.line_ended() {
        foreign::ternary(p, from);
    }
}

/// An expression that must be there, after `=` or an operator; it may stand on the next line.
pub(super) fn required(p: &mut Parser<'_>) {
    required_at(p, 0);
}

fn required_at(p: &mut Parser<'_>, min: u8) {
    if next_line_is_another_statement(p) {
        p.expected(Wanted::Expr);
        p.empty(MissingExpr);
    } else if min == 0 {
        expr(p);
    } else {
        binary(p, min);
    }
}

/// The operand is missing rather than on the next line, if that line is an assignment or a declaration.
pub(super) fn next_line_is_another_statement(p: &Parser<'_>) -> bool {
    p.on_new_line()
        && (p.at_item_line()
            || matches!(p.kind, VarKw | DeferKw | ConstKw)
            || p.kind.is_name() && matches!(p.nth(1), Eq | PlusEq | MinusEq | Colon)
            || p.cx.lines && p.token().has(flags::ARM))
}

/// Whether an expression can start with the current token.
pub(super) fn at_start(p: &Parser<'_>) -> bool {
    p.kind.is_name()
        || matches!(
            p.kind,
            IntNumber | FloatNumber | Char | Symbol | RawString | Regex | StrStart | HeredocStart
        )
        || matches!(p.kind, LParen | LBracket | LBrace | Minus | Tilde | Bang | Amp | Arrow | Dollar | At)
        || matches!(p.kind, IfKw | UnlessKw | WhileKw | UntilKw | ForKw | LoopKw | MatchKw | DoKw)
        || matches!(p.kind, ReturnKw | BreakKw | NextKw | NotKw | AwaitKw | GoKw | TryKw)
        || matches!(p.kind, TrueKw | FalseKw | NilKw | SelfKw)
        || p.at(Underscore) && p.nth(1) == Arrow
        || p.cx.open_range && matches!(p.kind, DotDot | DotDotEq)
}

/// `binary := unary (infix binary)*` with operators of at least the strength `min`.
fn binary(p: &mut Parser<'_>, min: u8) {
    let from = p.start();
    if !p.enter() {
        p.skip_construct();
        return p.finish(from, MissingExpr);
    }
    let open_range = std::mem::replace(&mut p.cx.open_range, false);
    if open_range && matches!(p.kind, DotDot | DotDotEq) {
        range(p, from, true);
    } else {
        unary(p);
    }
    operators(p, from, min, open_range);
    p.leave();
}

fn operators(p: &mut Parser<'_>, from: Checkpoint, min: u8, open_range: bool) {
    let mut compared = false;
    loop {
        if p.line_ended() && !p.at(PipeGt) {
            break;
        }
        let Some(strength) = infix(p.kind) else { break };
        if strength < min || foreign::not_infix(p) {
            break;
        }
        // Only the pattern of `is` leaves a tighter operator behind.
        if compared && strength > prec::COMPARE {
            patterns::alternatives_of_is(p);
            break;
        }
        match strength {
            prec::RANGE => range(p, from, open_range),
            prec::CAST => cast(p, from),
            prec::COMPARE => {
                if compared {
                    p.problem(SyntaxProblemKind::ChainedComparison);
                }
                compared = true;
                comparison(p, from);
            }
            _ => infix_operation(p, from, strength),
        }
    }
}

fn infix_operation(p: &mut Parser<'_>, from: Checkpoint, strength: u8) {
    match p.kind {
        AmpAmp => p.problem(SyntaxProblemKind::ForeignAnd),
        PipePipe => p.problem(SyntaxProblemKind::ForeignOr),
        _ => {}
    }
    p.bump();
    // `a ?? b ?? c` is `a ?? (b ?? c)`: only the last may be no Option.
    let right = if strength == prec::DEFAULT { strength } else { strength + 1 };
    required_at(p, right);
    p.finish(from, BinaryExpr);
}

/// `operand op operand`, `operand 'is' pattern`. They do not chain.
fn comparison(p: &mut Parser<'_>, from: Checkpoint) {
    if p.at(IsKw) {
        p.bump();
        patterns::without_or(p);
        return p.finish(from, IsExpr);
    }
    if !foreign::strict_equality(p) {
        p.bump();
    }
    required_at(p, prec::RANGE);
    p.finish(from, BinaryExpr);
}

/// `start? ('..' | '..=') end? ('step' operand)?`; the start is parsed already.
fn range(p: &mut Parser<'_>, from: Checkpoint, may_be_open: bool) {
    let operator = p.range();
    p.bump();
    if at_start(p) && !p.line_ended() {
        binary(p, prec::BIT_OR);
    } else if !may_be_open {
        p.problem_at(operator, SyntaxProblemKind::OpenRange);
    }
    if p.at(StepKw) && !p.line_ended() {
        let step = p.start();
        p.bump();
        required_at(p, prec::BIT_OR);
        p.finish(step, RangeStep);
    }
    p.finish(from, RangeExpr);
}

/// `operand ('as' | 'wrapping_as' | 'try_as') primary-type`
fn cast(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    types::primary(p);
    p.finish(from, CastExpr);
}

/// `unary := ('-' | '~' | 'not' | '&' 'mut'? | 'try' | 'await' | 'go' | 'spawn') unary | power`
fn unary(p: &mut Parser<'_>) {
    let from = p.start();
    match p.kind {
        Minus | Tilde => prefix(p, from, UnaryExpr),
        Bang => {
            p.problem(SyntaxProblemKind::ForeignNot);
            prefix(p, from, UnaryExpr);
        }
        NotKw if p.attr_args && p.nth(1) == LParen => {
            // `@cfg(not(os: "linux"))`: here it is a word like `any`.
            p.bump_as(Ident);
            p.finish(from, PathExpr);
            postfix::arg_list(p);
            p.finish(from, CallExpr);
        }
        NotKw => {
            p.bump();
            required_at(p, prec::COMPARE);
            p.finish(from, UnaryExpr);
        }
        Amp => borrow(p, from),
        TryKw => prefix(p, from, TryExpr),
        AwaitKw => prefix(p, from, AwaitExpr),
        GoKw => go(p, from),
        SpawnKw if at_contextual_prefix(p) => prefix(p, from, SpawnExpr),
        _ => power(p, from),
    }
}

fn prefix(p: &mut Parser<'_>, from: Checkpoint, kind: SyntaxKind) {
    p.bump();
    prefix_operand(p);
    p.finish(from, kind);
}

fn prefix_operand(p: &mut Parser<'_>) {
    if p.enter() {
        unary(p);
        p.leave();
    } else {
        let from = p.start();
        p.skip_construct();
        p.finish(from, MissingExpr);
    }
}

/// `'&' 'mut'? unary`
fn borrow(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    if p.at(MutKw) && p.ahead(1).has(flags::SPACE_BEFORE) {
        p.bump();
    }
    prefix_operand(p);
    p.finish(from, BorrowExpr);
}

/// `'go' ('(' name ':' expr … ')')? unary`
fn go(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    if p.at(LParen) && !p.spaced() && p.nth(1).is_word() && p.nth(2) == Colon {
        postfix::arg_list(p);
    }
    prefix_operand(p);
    p.finish(from, GoExpr);
}

/// A contextual keyword is a prefix if an operand follows on the line after a space: `spawn f(x)`, `yield x`.
pub(super) fn at_contextual_prefix(p: &Parser<'_>) -> bool {
    let next = p.ahead(1);
    if next.has(flags::NEWLINE_BEFORE) || !next.has(flags::SPACE_BEFORE) {
        return false;
    }
    let tight_after = !p.ahead(2).has(flags::SPACE_BEFORE);
    match next.kind {
        LParen | LBracket | StrStart | RawString | Regex | HeredocStart | IntNumber | FloatNumber | Char
        | Symbol => true,
        TrueKw | FalseKw | NilKw | SelfKw | DoKw | Arrow | IfKw | MatchKw | NotKw | AwaitKw | TryKw
        | GoKw => true,
        Minus | Amp | Tilde | Dollar => tight_after,
        ThenKw | StepKw | WrappingAsKw | TryAsKw => false,
        kind => kind.is_name(),
    }
}

/// `power := postfix ('**' unary)?`
fn power(p: &mut Parser<'_>, from: Checkpoint) {
    postfix::postfix(p);
    if p.at(StarStar) && !p.line_ended() {
        p.bump();
        prefix_operand(p);
        p.finish(from, BinaryExpr);
    }
}
