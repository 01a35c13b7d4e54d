//! What stands in brackets as a value? Tuples, vectors, maps, records, struct literals, comprehensions.

use super::{exprs, list, patterns, types};
use crate::SyntaxKind::*;
use crate::lexer::flags;
use crate::parser::Parser;
use crate::problems::{SyntaxProblemKind, Wanted};
use crate::tree::Checkpoint;

/// `'(' ')' | '(' expr ')' | '(' (element ',')+ element? ')'`
pub(super) fn paren(p: &mut Parser<'_>) {
    let from = p.start();
    let mut kind = TupleExpr;
    let mut counted = false;
    list(p, RParen, |p| {
        let spread = p.at(Star);
        element(p);
        type_outside_lambda(p);
        // Only a single element, without a comma, is in parentheses for grouping.
        let first = !std::mem::replace(&mut counted, true);
        kind = if first && !spread && !p.at(Comma) { ParenExpr } else { TupleExpr };
    });
    p.finish(from, kind);
}

/// `*e` or an expression.
fn element(p: &mut Parser<'_>) {
    let from = p.start();
    if p.at(Star) {
        p.bump();
        exprs::required(p);
        p.finish(from, SpreadArg);
    } else {
        exprs::expr(p);
    }
}

/// `(a: Int)` is no value: only the parameters of a lambda have types.
fn type_outside_lambda(p: &mut Parser<'_>) {
    if p.at(Colon) {
        p.problem(SyntaxProblemKind::TypeOutsideLambda);
        let from = p.start();
        p.bump();
        types::type_expr(p);
        p.finish(from, Error);
    }
}

/// `'[' elements ']' | '[' expr ';' expr ']' | '[' expr clause+ ']'`
pub(super) fn vec(p: &mut Parser<'_>) {
    let from = p.start();
    let mut kind = VecExpr;
    let mut first = true;
    list(p, RBracket, |p| {
        element(p);
        if std::mem::replace(&mut first, false) {
            if p.at(Semicolon) {
                p.bump();
                exprs::required(p);
                kind = RepeatExpr;
            } else if p.at(ForKw) {
                clauses(p);
                kind = VecCompExpr;
            }
        }
    });
    p.finish(from, kind);
}

/// `clause := 'for' pattern (',' pattern)? 'in' expr | 'if' expr`
fn clauses(p: &mut Parser<'_>) {
    while matches!(p.kind, ForKw | IfKw) {
        let from = p.start();
        if p.at(IfKw) {
            p.bump();
            exprs::required(p);
            p.finish(from, CompIf);
        } else {
            p.bump();
            for_head(p);
            p.finish(from, CompFor);
        }
    }
}

/// `pattern (',' pattern)? 'in' expr`
pub(super) fn for_head(p: &mut Parser<'_>) {
    if p.line_ended() {
        p.expected(Wanted::Pattern);
        p.empty(MissingPat);
        return p.empty(MissingExpr);
    }
    patterns::binding(p);
    while p.eat(Comma) {
        patterns::binding(p);
    }
    if p.expect(InKw) {
        exprs::required(p);
    } else {
        p.empty(MissingExpr);
    }
}

/// A brace in operand position: `{}`, a record, a map or a map comprehension.
pub(super) fn brace(p: &mut Parser<'_>) {
    let from = p.start();
    let next = p.nth(1);
    if super::lambdas::brace_has_params(p) {
        p.problem(SyntaxProblemKind::BraceLambda);
        p.skip_construct();
        return p.finish(from, MissingExpr);
    }
    if next == DotDotDot || next.is_word() && p.nth(2) == Colon {
        field_inits(p);
        return p.finish(from, RecordExpr);
    }
    let mut kind = MapExpr;
    let mut first = true;
    list(p, RBrace, |p| {
        let entry = p.start();
        map_entry(p);
        if std::mem::replace(&mut first, false) && p.at(ForKw) {
            clauses(p);
            kind = MapCompExpr;
        } else {
            p.finish(entry, MapEntry);
        }
    });
    p.finish(from, kind);
}

/// `expr '=>' expr`
fn map_entry(p: &mut Parser<'_>) {
    exprs::expr(p);
    if p.at(Colon) {
        p.problem(SyntaxProblemKind::MapColon);
        p.bump();
        return exprs::required(p);
    }
    if p.eat(FatArrow) {
        exprs::required(p);
    } else {
        if !p.line_reported() {
            p.expected(Wanted::Token(FatArrow));
        }
        p.empty(MissingExpr);
    }
}

/// `'{' (field (',' field)* ','?)? '}'` of records, struct literals and `.with`
pub(super) fn field_inits(p: &mut Parser<'_>) {
    list(p, RBrace, |p| {
        let from = p.start();
        if p.at(DotDotDot) {
            p.bump();
            exprs::required(p);
            return p.finish(from, RecordSpread);
        }
        field_init(p, from);
    });
}

/// `word (':' expr)?`
fn field_init(p: &mut Parser<'_>, from: Checkpoint) {
    if !p.kind.is_word() {
        return p.expected(Wanted::Name);
    }
    let alone = p.kind.is_hard_keyword() && p.nth(1) != Colon;
    if alone {
        p.problem(SyntaxProblemKind::KeywordAsName { keyword: p.kind });
    }
    p.bump_as(Ident);
    if p.at(Eq) {
        p.problem(SyntaxProblemKind::NamedArgEq);
    }
    if matches!(p.kind, Colon | Eq) {
        p.bump();
        exprs::required(p);
    }
    p.finish(from, FieldInit);
}

/// A brace behind a type's path is a struct literal, unless its inside cannot be one.
pub(super) fn at_struct_literal(p: &Parser<'_>) -> bool {
    let inside = p.ahead(1);
    match inside.kind {
        RBrace | DotDotDot => true,
        // Unfinished: the brace is the last thing on its line and has no partner.
        _ if inside.has(flags::NEWLINE_BEFORE) && !p.token().has(flags::CLOSED) => true,
        kind if kind.is_word() => {
            matches!(p.nth(2), Colon | Comma | RBrace) || !inside.has(flags::NEWLINE_BEFORE) && p.nth(2) == Eq
        }
        _ => false,
    }
}

/// `path '{' fields '}'`
pub(super) fn struct_literal(p: &mut Parser<'_>, from: Checkpoint) {
    field_inits(p);
    p.finish(from, StructExpr);
}
