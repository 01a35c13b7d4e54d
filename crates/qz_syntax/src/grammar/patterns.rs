//! What may stand where a value is taken apart? Arms, `is`, bindings, parameters.

use super::{list, operands, postfix, stmts, strings, types};
use crate::SyntaxKind::{self, *};
use crate::lexer::flags;
use crate::parser::Parser;
use crate::problems::{SyntaxProblemKind, Wanted};
use crate::tree::Checkpoint;

/// A pattern in which `name: Type` tests the type: an arm's.
pub(super) fn typed(p: &mut Parser<'_>) {
    pattern(p, true);
}

/// A pattern behind which `:` gives a type: a parameter's, a binding's, a loop's.
pub(super) fn binding(p: &mut Parser<'_>) {
    if p.kind.is_hard_keyword() && !matches!(p.kind, TrueKw | FalseKw | NilKw | InKw) {
        return keyword(p);
    }
    single(p, false);
}

/// A keyword where a name must stand: reported and read as the name.
fn keyword(p: &mut Parser<'_>) {
    let from = p.start();
    p.problem(SyntaxProblemKind::KeywordAsName { keyword: p.kind });
    p.bump_as(Ident);
    p.finish(from, NamePat);
}

/// Whether a keyword can only be meant as a name here: it is all there is between brackets, commas, `=>` and `|`.
fn keyword_alone(p: &Parser<'_>) -> bool {
    let closed = matches!(p.nth(1), Comma | RParen | RBracket | RBrace | FatArrow | Pipe);
    p.kind.is_hard_keyword() && closed && !p.ahead(1).has(flags::NEWLINE_BEFORE)
}

/// The pattern of `is`: without a `|` at the top.
pub(super) fn without_or(p: &mut Parser<'_>) {
    single(p, false);
}

/// `e is A | B`: alternatives need parentheses, for `|` is an operator there.
pub(super) fn alternatives_of_is(p: &mut Parser<'_>) {
    if !p.at(Pipe) {
        return;
    }
    p.problem(SyntaxProblemKind::OrAfterIs);
    let from = p.start();
    while p.at(Pipe) && !p.line_ended() {
        p.bump();
        single(p, false);
    }
    p.finish(from, Error);
}

/// `pattern := single ('|' single)* ('as' name)?`
fn pattern(p: &mut Parser<'_>, typed: bool) {
    let from = p.start();
    single(p, typed);
    let mut alternatives = false;
    while matches!(p.kind, Pipe | PipePipe) && !p.line_ended() {
        if p.at(PipePipe) {
            p.problem(SyntaxProblemKind::ForeignOr);
        }
        p.bump();
        single(p, typed);
        alternatives = true;
    }
    if alternatives {
        p.finish(from, OrPat);
    }
    if p.at(AsKw) && !p.line_ended() {
        p.bump();
        p.name(Wanted::Name);
        p.finish(from, AsPat);
    }
}

/// `single := primary (('..' | '..=') primary?)? | ('..' | '..=') primary`
fn single(p: &mut Parser<'_>, typed: bool) {
    let from = p.start();
    if !p.enter() {
        p.skip_construct();
        return p.finish(from, MissingPat);
    }
    if matches!(p.kind, DotDot | DotDotEq) {
        range(p, from);
    } else {
        primary(p, from, typed);
        if matches!(p.kind, DotDot | DotDotEq) && !p.line_ended() {
            range(p, from);
        }
    }
    p.leave();
}

fn range(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    let bound = matches!(p.kind, IntNumber | FloatNumber | Char | Minus | StrStart) || p.at_upper();
    if bound && !p.line_ended() {
        let end = p.start();
        primary(p, end, false);
    }
    p.finish(from, RangePat);
}

fn primary(p: &mut Parser<'_>, from: Checkpoint, typed: bool) {
    match p.kind {
        _ if p.cx.places && at_place(p) => place(p, from),
        IntNumber | FloatNumber | Char | Symbol | RawString | TrueKw | FalseKw | NilKw => {
            operands::literal(p);
            p.finish(from, LiteralPat);
        }
        Minus => negative(p, from),
        // `$Variant(x)` in a quote.
        Dollar if p.quotes > 0 && p.nth(1).is_word() => {
            p.bump();
            name_or_path(p, from, typed);
        }
        Dollar if p.nth(1).is_word() => operands::macro_path(p, from, MacroPat, |p| argument(p, typed)),
        StrStart => {
            strings::string(p);
            p.finish(from, LiteralPat);
        }
        Regex => {
            p.bump();
            p.finish(from, RegexPat);
        }
        LParen => paren(p, from, typed),
        LBracket => {
            list(p, RBracket, |p| {
                if !left_out(p, RBracket) {
                    pattern(p, typed);
                }
            });
            p.finish(from, VecPat);
        }
        LBrace => {
            fields(p, typed);
            p.finish(from, RecordPat);
        }
        Star => rest(p, from),
        Underscore => {
            p.bump();
            p.finish(from, WildcardPat);
            type_test(p, from, typed);
        }
        kind if kind.is_name() => name_or_path(p, from, typed),
        _ if keyword_alone(p) => keyword(p),
        _ => {
            p.expected(Wanted::Pattern);
            p.empty(MissingPat);
        }
    }
}

/// A name behind which a field or an index follows.
fn at_place(p: &Parser<'_>) -> bool {
    let next = p.ahead(1);
    (p.kind.is_name() || p.at(SelfKw))
        && match next.kind {
            Dot => true,
            LBracket => !next.has(flags::SPACE_BEFORE | flags::NEWLINE_BEFORE),
            _ => false,
        }
}

/// `p.x`, `xs[0]`: what is assigned instead of bound.
fn place(p: &mut Parser<'_>, from: Checkpoint) {
    p.cx.places = false;
    postfix::postfix(p);
    stmts::check_place(p);
    p.cx.places = true;
    p.finish(from, PlacePat);
}

/// `'-' number`
fn negative(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    if matches!(p.kind, IntNumber | FloatNumber) && !p.line_ended() {
        operands::literal(p);
    } else {
        p.expected(Wanted::Pattern);
        p.empty(MissingExpr);
    }
    p.finish(from, LiteralPat);
}

/// `'(' ')' | '(' pattern ')' | '(' (pattern ',')+ pattern? ')'`
fn paren(p: &mut Parser<'_>, from: Checkpoint, typed: bool) {
    let mut kind = TuplePat;
    let mut counted = false;
    list(p, RParen, |p| {
        let rest = p.at(Star) || left_out(p, RParen);
        if !rest || p.at(Star) {
            pattern(p, typed);
        }
        let first = !std::mem::replace(&mut counted, true);
        kind = if first && !rest && !p.at(Comma) { ParenPat } else { TuplePat };
    });
    p.finish(from, kind);
}

/// `..` among patterns in brackets: what has no pattern. Other than a range, it has no ends.
fn left_out(p: &mut Parser<'_>, close: SyntaxKind) -> bool {
    let alone = p.at(DotDot) && (p.nth(1) == Comma || p.nth(1) == close);
    if alone {
        let from = p.start();
        p.bump();
        p.finish(from, RestPat);
    }
    alone
}

/// `'*' name?`
fn rest(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    if p.kind.is_name() || p.at(Underscore) || keyword_alone(p) {
        let inner = p.start();
        primary(p, inner, false);
    }
    p.finish(from, RestPat);
}

/// A small name binds; a path, or a name with a capital letter, is looked up.
fn name_or_path(p: &mut Parser<'_>, from: Checkpoint, typed: bool) {
    let next = p.ahead(1);
    let called = next.kind == LParen && !next.has(flags::SPACE_BEFORE);
    if !p.at_upper() && next.kind != ColonColon && !called {
        p.bump_as(Ident);
        p.finish(from, NamePat);
        return type_test(p, from, typed);
    }
    path(p);
    if p.at(LParen) && !p.spaced() {
        list(p, RParen, |p| {
            if !left_out(p, RParen) {
                argument(p, typed);
            }
        });
        p.finish(from, VariantPat);
    } else if p.at(LBrace) && !p.on_new_line() {
        fields(p, typed);
        p.finish(from, StructPat);
    }
}

/// `name type-args? ('::' name type-args?)*`
fn path(p: &mut Parser<'_>) {
    let from = p.start();
    p.bump_as(Ident);
    loop {
        if p.at(Lt) && !p.spaced() {
            types::type_args(p);
        }
        if !p.at(ColonColon) {
            break;
        }
        p.bump();
        if !p.word(Wanted::Name) {
            break;
        }
    }
    p.finish(from, PathPat);
}

/// `name ':' type` in an arm tests a member of a union.
fn type_test(p: &mut Parser<'_>, from: Checkpoint, typed: bool) {
    if typed && p.at(Colon) && !p.line_ended() {
        p.bump();
        types::type_expr(p);
        p.finish(from, TypePat);
    }
}

/// Whether the path behind `name ':'` has a `(` or `{` behind it.
fn parts_follow(p: &Parser<'_>) -> bool {
    let mut index = p.index_after(p.index_after(p.index_after(p.pos)));
    while p.token_at(index).kind == ColonColon {
        index = p.index_after(p.index_after(index));
    }
    let token = p.token_at(index);
    match token.kind {
        LParen => !token.has(flags::SPACE_BEFORE),
        LBrace => !token.has(flags::NEWLINE_BEFORE),
        _ => false,
    }
}

/// `pattern | name ':' pattern`. A capital letter behind the colon means a type test (`Some(n: Int)`), unless it
/// starts a pattern with parts (`Line(from: Point { x, .. })`).
fn argument(p: &mut Parser<'_>, typed: bool) {
    let is_type = p.ahead(2).has(flags::UPPER) && !parts_follow(p);
    let names_field = p.kind.is_word() && p.nth(1) == Colon && !is_type;
    if !names_field {
        return pattern(p, true);
    }
    let from = p.start();
    p.bump_as(Ident);
    p.bump();
    pattern(p, typed);
    p.finish(from, NamedPat);
}

/// `'{' (field (',' field)* (',' rest)?)? '}'`, `field := word (':' pattern)?`, `rest := '..' | '...' name`, the latter
/// of a record; of a struct it is told later.
fn fields(p: &mut Parser<'_>, typed: bool) {
    list(p, RBrace, |p| {
        if p.at(DotDot) {
            return p.bump();
        }
        if p.at(DotDotDot) && (p.nth(1).is_name() || p.nth(1) == Underscore) {
            let from = p.start();
            p.bump();
            let name = p.start();
            primary(p, name, false);
            return p.finish(from, RestPat);
        }
        if p.at(DotDotDot) {
            p.expected(Wanted::Token(DotDot));
            return p.bump_as(DotDot);
        }
        if !p.kind.is_word() {
            return p.expected(Wanted::Name);
        }
        let from = p.start();
        if p.kind.is_hard_keyword() && p.nth(1) != Colon {
            p.problem(SyntaxProblemKind::KeywordAsName { keyword: p.kind });
        }
        p.bump_as(Ident);
        if p.eat(Colon) {
            pattern(p, typed);
        }
        p.finish(from, FieldPat);
    });
}
