//! How are types written? A type never goes on in the next line by itself.

use super::{functions, list, operands};
use crate::SyntaxKind::{self, *};
use crate::lexer::flags;
use crate::parser::Parser;
use crate::problems::{SyntaxProblemKind, Wanted};
use crate::tree::Checkpoint;

/// `type := intersection ('|' intersection)*`
pub(super) fn type_expr(p: &mut Parser<'_>) {
    let from = p.start();
    if !p.enter() {
        p.skip_construct();
        return p.finish(from, MissingType);
    }
    joined(p, Pipe, UnionType, intersection);
    p.leave();
}

/// `primary ('&' primary)*`
pub(super) fn intersection(p: &mut Parser<'_>) {
    joined(p, Amp, IntersectionType, primary);
}

/// `part (separator part)*`
fn joined(p: &mut Parser<'_>, separator: SyntaxKind, kind: SyntaxKind, part: fn(&mut Parser<'_>)) {
    let from = p.start();
    part(p);
    if !p.at(separator) || p.line_ended() {
        return;
    }
    while p.at(separator) && !p.line_ended() {
        p.bump();
        part(p);
    }
    p.finish(from, kind);
}

/// A type behind `:` or `=`. An arrow behind it was meant as a function type.
pub(super) fn annotated(p: &mut Parser<'_>) {
    type_expr(p);
    if p.at(Arrow) && !p.line_ended() {
        p.problem(SyntaxProblemKind::ArrowType);
        let from = p.start();
        p.bump();
        type_expr(p);
        p.finish(from, Error);
    }
}

/// `primary := atom '?'*`, the question marks adjacent
pub(super) fn primary(p: &mut Parser<'_>) {
    let from = p.start();
    if p.line_ended() {
        p.expected(Wanted::Type);
        return p.empty(MissingType);
    }
    atom(p, from);
    loop {
        match p.kind {
            Question if !p.spaced() => p.bump(),
            QuestionQuestion if !p.spaced() => p.bump_first(Question, Question),
            _ => break,
        }
        p.finish(from, OptionType);
    }
}

fn atom(p: &mut Parser<'_>, from: Checkpoint) {
    let prefixed = {
        let next = p.ahead(1);
        next.has(flags::SPACE_BEFORE) && !next.has(flags::NEWLINE_BEFORE) && starts_type(next.kind)
    };
    match p.kind {
        LParen => paren(p, from),
        LBrace => record(p, from),
        LBracket => array(p, from),
        Bang => single(p, from, NeverType),
        BangEq => {
            p.bump_first(Bang, Eq);
            p.finish(from, NeverType);
        }
        Amp => reference(p, from),
        Underscore => single(p, from, InferType),
        ImplKw => bound(p, from, ImplType),
        DynKw if prefixed => bound(p, from, DynType),
        Dollar if p.nth(1).is_word() => operands::macro_path(p, from, MacroType, argument),
        kind if kind.is_name() => path(p, from),
        _ => {
            p.expected(Wanted::Type);
            p.empty(MissingType);
        }
    }
}

fn starts_type(kind: SyntaxKind) -> bool {
    kind.is_name() || matches!(kind, LParen | LBrace | Amp | ImplKw)
}

fn single(p: &mut Parser<'_>, from: Checkpoint, kind: SyntaxKind) {
    p.bump();
    p.finish(from, kind);
}

/// `('dyn' | 'impl') atom ('&' atom)*`
fn bound(p: &mut Parser<'_>, from: Checkpoint, kind: SyntaxKind) {
    p.bump();
    if p.enter() {
        intersection(p);
        p.leave();
    } else {
        let skipped = p.start();
        p.skip_construct();
        p.finish(skipped, MissingType);
    }
    p.finish(from, kind);
}

/// `'&' 'mut'? primary`
fn reference(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    if p.at(MutKw) && (p.nth(1).is_name() || matches!(p.nth(1), LParen | LBrace | DynKw | Amp)) {
        p.bump();
    }
    if p.enter() {
        primary(p);
        p.leave();
    } else {
        let skipped = p.start();
        p.skip_construct();
        p.finish(skipped, MissingType);
    }
    p.finish(from, RefType);
}

/// `'(' ')' | '(' type ')' | '(' (type ',')+ type? ')'`
fn paren(p: &mut Parser<'_>, from: Checkpoint) {
    let mut kind = TupleType;
    let mut counted = false;
    list(p, RParen, |p| {
        type_expr(p);
        let first = !std::mem::replace(&mut counted, true);
        kind = if first && !p.at(Comma) { ParenType } else { TupleType };
    });
    p.finish(from, kind);
}

/// `'{' (word ':' type (',' …)*)? ('...' name?)? '}'`
fn record(p: &mut Parser<'_>, from: Checkpoint) {
    list(p, RBrace, |p| {
        let field = p.start();
        if p.at(DotDotDot) {
            p.bump();
            if p.kind.is_name() {
                p.bump_as(Ident);
            }
            return p.finish(field, RowVar);
        }
        if !p.word(Wanted::Name) {
            return;
        }
        if p.expect(Colon) {
            type_expr(p);
        } else {
            p.empty(MissingType);
        }
        p.finish(field, RecordTypeField);
    });
    p.finish(from, RecordType);
}

/// `[T]`, `[T; n]` of other languages.
fn array(p: &mut Parser<'_>, from: Checkpoint) {
    p.problem(SyntaxProblemKind::ArrayType);
    p.skip_bracketed();
    p.finish(from, MissingType);
}

/// `path := word type-args? ('::' word type-args?)*`, or `'Fn' '(' types ')' (':' type)? ('can' row)?`
fn path(p: &mut Parser<'_>, from: Checkpoint) {
    if p.nth(1) == LParen && !p.ahead(1).has(flags::SPACE_BEFORE) && p.current_text() == "Fn" {
        return function(p, from);
    }
    p.bump_as(Ident);
    loop {
        if p.at(Lt) && !p.spaced() {
            type_args(p);
        } else if p.at(LBracket) && !p.spaced() {
            p.problem(SyntaxProblemKind::TypeBrackets);
            let skipped = p.start();
            p.skip_bracketed();
            p.finish(skipped, Error);
        }
        if !p.at(ColonColon) || p.line_ended() {
            break;
        }
        p.bump();
        if !p.word(Wanted::Name) {
            break;
        }
    }
    p.finish(from, PathType);
}

fn function(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump_as(Ident);
    let params = p.start();
    list(p, RParen, type_expr);
    p.finish(params, FnTypeParams);
    if p.at(Colon) && !p.line_ended() {
        p.bump();
        type_expr(p);
    }
    functions::can_clause(p);
    p.finish(from, FnType);
}

/// An argument of a macro that stands for a type: `type | name ':' type`
fn argument(p: &mut Parser<'_>) {
    if !p.kind.is_name() || p.nth(1) != Colon {
        return type_expr(p);
    }
    let from = p.start();
    p.bump_as(Ident);
    p.bump();
    type_expr(p);
    p.finish(from, NamedTypeArg);
}

/// `type ('+' type)*`: what may be a row of effects.
pub(super) fn effects(p: &mut Parser<'_>) {
    joined(p, Plus, EffectSumType, type_expr);
}

/// `'<' (effects | name '=' type) (',' …)* ','? '>'`
pub(super) fn type_args(p: &mut Parser<'_>) {
    let from = p.start();
    angle_list(p, |p| {
        let named = p.kind.is_name() && matches!(p.nth(1), Eq);
        if !named {
            return effects(p);
        }
        let arg = p.start();
        p.bump_as(Ident);
        p.bump();
        type_expr(p);
        p.finish(arg, NamedTypeArg);
    });
    p.finish(from, TypeArgs);
}

/// `'<' item (',' item)* ','? '>'`; the `>` may be the first byte of `>>`, `>=`, `>>=`.
pub(super) fn angle_list(p: &mut Parser<'_>, mut item: impl FnMut(&mut Parser<'_>)) {
    let opener = p.range();
    p.bump();
    while !at_gt(p) {
        let before = p.pos;
        item(p);
        if !p.at(Comma) {
            break;
        }
        p.bump();
        debug_assert!(p.pos > before);
    }
    match p.kind {
        Gt => p.bump(),
        GtGt => p.bump_first(Gt, Gt),
        GtEq => p.bump_first(Gt, Eq),
        GtGtEq => p.bump_first(Gt, GtEq),
        _ if p.just_reported() => {}
        _ => {
            let before = p.range();
            p.problem_at(opener, SyntaxProblemKind::UnclosedBracket { bracket: Lt, before });
        }
    }
}

fn at_gt(p: &Parser<'_>) -> bool {
    matches!(p.kind, Gt | GtGt | GtEq | GtGtEq)
}
