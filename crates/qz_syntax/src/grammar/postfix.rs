//! What may follow an operand? Calls, members, indexes, `?`, `!`, and the blocks of calls.
//!
//! `(` and `[` belong to the operand only without a space; `{` and `do` only on its line.

use super::operands::{Shape, operand};
use super::{blocks, collections, exprs, foreign, lambdas, type_lists, types};
use crate::SyntaxKind::*;
use crate::lexer::flags;
use crate::parser::Parser;
use crate::problems::{SyntaxProblemKind, Wanted};
use crate::tree::Checkpoint;
use qz_base::TextRange;

/// `postfix := operand (call | member | index | '?' | '!')*`
pub(super) fn postfix(p: &mut Parser<'_>) {
    let from = p.start();
    let mut shape = operand(p);
    loop {
        if matches!(p.kind, Dot | QuestionDot) {
            member(p, from);
        } else if p.on_new_line() {
            break;
        } else {
            match p.kind {
                LParen if !p.spaced() => call(p, from),
                LBracket if !p.spaced() => index(p, from),
                Question if !p.spaced() => {
                    p.bump();
                    p.finish(from, PropagateExpr);
                }
                Bang if !p.spaced() => {
                    p.bump();
                    p.finish(from, UnwrapExpr);
                }
                DoKw if shape == Shape::Name && do_is_ours(p) => {
                    lambdas::do_block(p);
                    p.finish(from, CallExpr);
                }
                LBrace if shape == Shape::TypePath && collections::at_struct_literal(p) => {
                    collections::struct_literal(p, from);
                }
                LBrace if shape == Shape::Name && !p.cx.head => {
                    p.problem(SyntaxProblemKind::BlockAfterName);
                    lambdas::brace_block(p);
                    p.finish(from, CallExpr);
                }
                _ if shape == Shape::Name && at_command_argument(p) => command_call(p, from),
                _ => break,
            }
        }
        shape = Shape::Other;
    }
}

/// `postfix '(' arguments ')' block?`
fn call(p: &mut Parser<'_>, from: Checkpoint) {
    arg_list(p);
    trailing_block(p);
    p.finish(from, CallExpr);
}

/// `postfix ('.' | '?.') (word type-args? arguments? block? | digits | 'with' '{' … '}')`
fn member(p: &mut Parser<'_>, from: Checkpoint) {
    let plain = p.at(Dot);
    p.bump();
    if p.at(IntNumber) && !p.on_new_line() {
        p.bump();
        return p.finish(from, TupleIndexExpr);
    }
    let is_with = p.current_text() == "with";
    if p.on_new_line() {
        p.expected(Wanted::Member);
        return p.finish(from, FieldExpr);
    }
    if !p.word(Wanted::Member) {
        return p.finish(from, FieldExpr);
    }
    if plain && is_with && p.at(LBrace) && !p.on_new_line() {
        collections::field_inits(p);
        return p.finish(from, UpdateExpr);
    }
    if type_lists::at_type_args(p) {
        types::type_args(p);
    }
    let has_args = p.at(LParen) && !p.spaced();
    if has_args {
        arg_list(p);
    }
    let has_block = trailing_block(p);
    p.finish(from, if has_args || has_block { MethodCallExpr } else { FieldExpr });
}

/// `block := 'do' … 'end' | '{' … '}'`, on the line of the call.
fn trailing_block(p: &mut Parser<'_>) -> bool {
    if p.on_new_line() {
        return false;
    }
    match p.kind {
        DoKw if do_is_ours(p) => lambdas::do_block(p),
        LBrace => lambdas::brace_block(p),
        _ => return false,
    }
    true
}

/// `do` goes to the call it follows, unless it belongs to a call without parentheses, a `with`, or (by mistake) a
/// loop around.
fn do_is_ours(p: &Parser<'_>) -> bool {
    if p.cx.loop_head {
        return lambdas::do_has_params(p);
    }
    !p.cx.no_do
}

/// `postfix '[' (expr (',' expr)*)? ']'`
fn index(p: &mut Parser<'_>, from: Checkpoint) {
    super::list(p, RBracket, |p| {
        p.cx.open_range = true;
        argument(p);
        p.cx.open_range = false;
    });
    p.finish(from, IndexExpr);
}

/// `'(' (argument (',' argument)* ','?)? ')'`
pub(super) fn arg_list(p: &mut Parser<'_>) {
    let from = p.start();
    let mut named = false;
    super::list(p, RParen, |p| {
        let start = p.range();
        let is_named = argument(p);
        if named && !is_named && !p.attr_args && !p.just_reported() {
            let range = TextRange::new(start.start, p.prev_range.end.max(start.start));
            p.problem_at(range, SyntaxProblemKind::PositionalAfterNamed);
        }
        named |= is_named;
    });
    p.finish(from, ArgList);
}

/// `argument := word ':' expr | '*' expr | expr`. Tells whether it was named.
pub(super) fn argument(p: &mut Parser<'_>) -> bool {
    let from = p.start();
    match p.kind {
        Star => {
            p.bump();
            exprs::required(p);
            p.finish(from, SpreadArg);
        }
        DotDotDot => {
            p.problem(SyntaxProblemKind::ForeignSpread);
            p.bump();
            exprs::required(p);
            p.finish(from, SpreadArg);
        }
        kind if kind.is_word() && matches!(p.nth(1), Colon | Eq) => {
            p.bump_as(Ident);
            if p.at(Eq) {
                p.problem(SyntaxProblemKind::NamedArgEq);
            }
            p.bump();
            exprs::required(p);
            p.finish(from, NamedArg);
            return true;
        }
        _ => exprs::expr(p),
    }
    false
}

// ------------------------------------------------------------------------------- calls without parentheses

/// A name or a literal other than `[ ( { -` after a space, on the line: the first argument of `name arg do … end`.
fn at_command_argument(p: &Parser<'_>) -> bool {
    // The arguments of such a call are none themselves: they could not take its `do`.
    if !p.spaced() || p.cx.no_do {
        return false;
    }
    match p.kind {
        IntNumber | FloatNumber | Char | Symbol | RawString | Regex | StrStart | HeredocStart => true,
        TrueKw | FalseKw | NilKw | SelfKw => true,
        // These are operators here, or belong to the construct around.
        ThenKw | StepKw | WrappingAsKw | TryAsKw => false,
        kind => kind.is_name(),
    }
}

/// `path argument (',' argument)* 'do' … 'end'`. Without the `do` the parentheses are missing.
fn command_call(p: &mut Parser<'_>, from: Checkpoint) {
    let callee = p.prev_range;
    let args = p.start();
    let saved = p.cx;
    p.cx.no_do = true;
    p.cx.loop_head = false;
    p.cx.head = false;
    let first = p.pos;
    if foreign::ternary_after_query(p, callee) {
        p.cx = saved;
        return p.finish(from, MissingExpr);
    }
    if p.pos == first {
        argument(p);
    }
    while p.at(Comma) && p.cx.lines {
        p.bump();
        argument(p);
    }
    p.finish(args, ArgList);
    let end = p.prev_range.end;
    p.cx = saved;
    if p.at(DoKw) && !p.on_new_line() && !p.cx.no_do {
        lambdas::do_block(p);
    } else if !p.line_reported() {
        let range = TextRange::new(callee.start, end.max(callee.end));
        p.problem_at(range, SyntaxProblemKind::CallWithoutParens);
    }
    p.finish(from, CallExpr);
}

/// `'with' expr (',' expr)* 'do' block 'end'`: the `do` belongs to `with`.
pub(super) fn with_handlers(p: &mut Parser<'_>) {
    let from = p.start();
    p.bump();
    let saved = p.cx;
    p.cx.no_do = true;
    p.cx.loop_head = false;
    p.cx.head = false;
    exprs::required(p);
    while p.eat(Comma) {
        exprs::required(p);
    }
    p.cx = saved;
    do_body(p);
    p.finish(from, WithExpr);
}

/// `'do' block 'end'` where no parameters can stand.
pub(super) fn do_body(p: &mut Parser<'_>) {
    if !p.at(DoKw) || p.on_new_line() {
        p.expected(Wanted::Token(DoKw));
        if !p.on_new_line() {
            return p.empty(Block);
        }
    }
    let opener = p.open_block();
    p.eat(DoKw);
    blocks::block(p, crate::parser::stop::END);
    p.close_block(opener);
}

/// Whether the next token is on this line, directly behind the current one.
pub(super) fn next_is_adjacent(p: &Parser<'_>) -> bool {
    !p.ahead(1).has(flags::SPACE_BEFORE)
}
