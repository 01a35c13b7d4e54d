//! What does an expression start with? Literals, names, brackets, and every construct with a keyword of its own.

use super::{
    blocks, collections, control, effects, exprs, foreign, lambdas, later, list, postfix, strings,
    type_lists, types,
};
use crate::SyntaxKind::{self, *};
use crate::lexer::flags;
use crate::parser::Parser;
use crate::problems::{SyntaxProblemKind, Wanted};
use crate::tree::Checkpoint;

/// What the parser must know about an operand to read what follows it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// A name or path of a value: it may be called with `do`, or without parentheses.
    Name,
    /// A path whose last name starts with a capital letter: a brace makes it a struct literal.
    TypePath,
    Other,
}

/// `operand := literal | path | bracketed | construct`
pub(super) fn operand(p: &mut Parser<'_>) -> Shape {
    match p.kind {
        IntNumber | FloatNumber | Char | Symbol | RawString | Regex | TrueKw | FalseKw | NilKw => literal(p),
        StrStart => strings::string(p),
        HeredocStart => strings::heredoc(p),
        SelfKw => single(p, SelfExpr),
        LParen if p.token().has(flags::LAMBDA) => lambdas::lambda(p),
        LParen => collections::paren(p),
        LBracket => collections::vec(p),
        LBrace => collections::brace(p),
        Arrow => lambdas::lambda(p),
        DoKw => lambdas::do_block(p),
        IfKw | UnlessKw => control::if_expr(p),
        MatchKw => control::match_expr(p),
        WhileKw | UntilKw | ForKw | LoopKw => control::loop_expr(p),
        // A call of a function with this name; a label never stands in parentheses.
        NextKw if at_call_of_next(p) => return path(p),
        ReturnKw | BreakKw | NextKw => control::jump(p),
        Dollar => macro_call(p),
        At => at_call(p),
        Dot if p.nth(1) == IntNumber => leading_dot(p),
        Slash | AmpAmp | PipePipe | Plus | Star => foreign::operand(p),
        kind if kind.is_name() || kind == Underscore => return name_operand(p),
        _ => missing(p),
    }
    Shape::Other
}

fn at_call_of_next(p: &Parser<'_>) -> bool {
    let next = p.ahead(1);
    next.kind == LParen && !next.has(flags::SPACE_BEFORE) && !next.has(flags::NEWLINE_BEFORE)
}

pub(super) fn missing(p: &mut Parser<'_>) {
    if p.on_new_line() && p.entry == p.pos && exprs::is_infix(p.kind) {
        return operator_first(p);
    }
    // `f(start, end)`: in brackets on its own, a keyword was meant as a name.
    let alone = matches!(p.nth(1), Comma | RParen | RBracket);
    if alone && !p.cx.lines && !p.on_new_line() && p.kind.is_hard_keyword() {
        p.problem(SyntaxProblemKind::KeywordAsName { keyword: p.kind });
        return single(p, MissingExpr);
    }
    p.expected(Wanted::Expr);
    p.empty(MissingExpr);
}

/// `and b` on a line of its own, after `a`.
fn operator_first(p: &mut Parser<'_>) {
    let from = p.start();
    p.problem(SyntaxProblemKind::OperatorFirst { operator: p.kind });
    let operand_follows = !matches!(p.kind, IsKw | AsKw | WrappingAsKw | TryAsKw);
    p.bump();
    if operand_follows && !p.line_ended() && exprs::at_start(p) {
        exprs::expr(p);
    } else if !operand_follows {
        blocks::skip_line(p);
    }
    p.finish(from, MissingExpr);
}

fn single(p: &mut Parser<'_>, kind: SyntaxKind) {
    let from = p.start();
    p.bump();
    p.finish(from, kind);
}

pub(super) fn literal(p: &mut Parser<'_>) {
    single(p, LiteralExpr);
}

/// `.5`
fn leading_dot(p: &mut Parser<'_>) {
    let from = p.start();
    p.problem(SyntaxProblemKind::LeadingDot);
    p.bump();
    p.bump();
    p.finish(from, MissingExpr);
}

/// A name: a lambda's parameter, a construct with a contextual keyword, or a path.
fn name_operand(p: &mut Parser<'_>) -> Shape {
    let next = p.ahead(1);
    if next.kind == Arrow && !next.has(flags::NEWLINE_BEFORE) {
        lambdas::lambda(p);
        return Shape::Other;
    }
    if next.kind == Colon && matches!(p.nth(2), ForKw | WhileKw | UntilKw | LoopKw) {
        control::labelled_loop(p);
        return Shape::Other;
    }
    if later::at_quote(p) {
        later::quote(p);
        return Shape::Other;
    }
    if p.at(Underscore) {
        p.expected(Wanted::Expr);
        single(p, MissingExpr);
        return Shape::Other;
    }
    if !p.at(Ident) && contextual(p) {
        return Shape::Other;
    }
    path(p)
}

/// Constructs that start with a contextual keyword. False if it is an ordinary name here.
fn contextual(p: &mut Parser<'_>) -> bool {
    let next = p.ahead(1);
    let on_line = !next.has(flags::NEWLINE_BEFORE);
    match p.kind {
        YieldKw | ThrowKw
            if exprs::at_contextual_prefix(p) || p.at(YieldKw) && next.kind == LParen && on_line =>
        {
            let kind = if p.at(YieldKw) { YieldExpr } else { ThrowExpr };
            let from = p.start();
            p.bump();
            exprs::required(p);
            p.finish(from, kind);
        }
        WithKw if exprs::at_contextual_prefix(p) && next.kind != DoKw => postfix::with_handlers(p),
        CatchKw if on_line && (next.kind == DoKw || next.kind == Lt && postfix::next_is_adjacent(p)) => {
            catch(p)
        }
        UnsafeKw if on_line && next.kind == DoKw => {
            let from = p.start();
            p.bump();
            postfix::do_body(p);
            p.finish(from, UnsafeExpr);
        }
        SelectKw if !on_line && (next.has(flags::ARM) || next.kind == EndKw) => control::select(p),
        HandlerKw if on_line && next.has(flags::UPPER) => effects::handler(p),
        _ => return false,
    }
    true
}

/// `'catch' type-args? 'do' block 'end'`
fn catch(p: &mut Parser<'_>) {
    let from = p.start();
    p.bump();
    if p.at(Lt) {
        types::type_args(p);
    }
    postfix::do_body(p);
    p.finish(from, CatchExpr);
}

/// `path := name type-args? ('::' word type-args?)*`
fn path(p: &mut Parser<'_>) -> Shape {
    let from = p.start();
    if foreign::null(p) {
        return Shape::Other;
    }
    let mut upper = p.at_upper();
    p.bump_as(Ident);
    loop {
        if type_lists::at_type_args(p) {
            types::type_args(p);
        }
        if !p.at(ColonColon) || p.line_ended() {
            break;
        }
        p.bump();
        upper = p.at_upper();
        if !p.word(Wanted::Name) {
            break;
        }
    }
    p.finish(from, PathExpr);
    if upper { Shape::TypePath } else { Shape::Name }
}

/// `'$' (name '::')? name arguments block?`, and in quotes `${expr}`
fn macro_call(p: &mut Parser<'_>) {
    let from = p.start();
    if p.quotes == 0 && p.nth(1) == LBrace && !p.ahead(1).has(flags::SPACE_BEFORE) {
        p.problem(SyntaxProblemKind::PlaceholderOutside);
    }
    p.bump();
    if p.at(LBrace) && !p.spaced() {
        return hole(p, from);
    }
    if p.spaced() || !p.kind.is_word() {
        p.expected(Wanted::Name);
        return p.finish(from, MacroVarExpr);
    }
    p.bump_as(Ident);
    while p.at(ColonColon) && !p.spaced() {
        p.bump();
        p.word(Wanted::Name);
    }
    if !p.at(LParen) || p.spaced() {
        p.expected(Wanted::Token(LParen));
        return p.finish(from, MacroVarExpr);
    }
    postfix::arg_list(p);
    if p.at(DoKw) && !p.on_new_line() && !p.cx.no_do && !p.cx.loop_head {
        lambdas::do_block(p);
    }
    p.finish(from, MacroCallExpr);
}

/// `${expr}` where a name stands in a quote.
pub(crate) fn name_hole(p: &mut Parser<'_>) -> bool {
    let there = p.quotes > 0
        && p.at(Dollar)
        && p.nth(1) == LBrace
        && !p.ahead(1).has(flags::SPACE_BEFORE)
        && !p.line_ended();
    if there {
        let from = p.start();
        p.bump();
        hole(p, from);
    }
    there
}

/// `'{' expr '}'` behind a `$`.
fn hole(p: &mut Parser<'_>, from: Checkpoint) {
    let opener = super::open_bracket(p, RBrace);
    exprs::required(p);
    super::close_bracket(p, RBrace, opener);
    p.finish(from, MacroVarExpr);
}

/// `'$' (name '::')? name '(' items ')'` where a pattern or a type stands.
pub(super) fn macro_path(
    p: &mut Parser<'_>,
    from: Checkpoint,
    kind: SyntaxKind,
    item: impl FnMut(&mut Parser<'_>),
) {
    p.bump();
    p.bump_as(Ident);
    while p.at(ColonColon) && !p.spaced() {
        p.bump();
        p.word(Wanted::Name);
    }
    if p.at(LParen) && !p.spaced() {
        let args = p.start();
        list(p, RParen, item);
        p.finish(args, ArgList);
    } else {
        p.expected(Wanted::Token(LParen));
    }
    p.finish(from, kind);
}

/// `'@' name arguments`
fn at_call(p: &mut Parser<'_>) {
    let from = p.start();
    p.bump();
    p.word(Wanted::Name);
    if p.at(LParen) && !p.spaced() {
        postfix::arg_list(p);
    }
    p.finish(from, AtCallExpr);
}
