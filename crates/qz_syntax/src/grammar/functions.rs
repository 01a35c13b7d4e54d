//! How is a function declared? Header, parameters, generics, rows, clauses, and which form of body follows.

use super::items::{self, Level};
use super::{blocks, exprs, lambdas, list, patterns, types};
use crate::SyntaxKind::*;
use crate::lexer::flags;
use crate::parser::{Parser, stop};
use crate::problems::{SyntaxProblemKind, Wanted};
use crate::tree::Checkpoint;
use qz_base::TextRange;

/// `'def' word generics? params? (':' type)? can? where? (block 'end' | '=' expr)?`
pub(super) fn def(p: &mut Parser<'_>, from: Checkpoint, level: Level, is_extern: bool) {
    let mut opener = p.open_block();
    if p.at(DefKw) {
        p.bump();
        def_name(p);
    } else {
        p.expected(Wanted::Token(DefKw));
        opener.0 = DefKw;
        p.bump_as(Ident);
    }
    generics(p);
    if p.at(LParen) && !p.on_new_line() {
        params(p);
    }
    result_type(p);
    can_clause(p);
    where_clause(p);
    body(p, opener, level, is_extern);
    p.finish(from, FnDef);
}

/// `name(…` where a declaration stands: only `def` can be missing.
pub(super) fn at_member_without_def(p: &Parser<'_>, level: Level) -> bool {
    let next = p.ahead(1);
    if !p.at(Ident) || next.kind != LParen || next.has(flags::SPACE_BEFORE) {
        return false;
    }
    match level {
        Level::File => next.has(flags::BEFORE_EQ),
        Level::Enum => !p.at_upper(),
        _ => level != Level::Body,
    }
}

/// Any word; `self.` before it is Ruby's.
fn def_name(p: &mut Parser<'_>) {
    if p.at(SelfKw) && p.nth(1) == Dot {
        let range = TextRange::new(p.range().start, p.ahead(1).start + 1);
        p.problem_at(range, SyntaxProblemKind::DefOnSelf);
        let skipped = p.start();
        p.bump();
        p.bump();
        p.finish(skipped, Error);
    }
    p.word(Wanted::Name);
}

/// `':' type`; the arrow of other languages is reported.
fn result_type(p: &mut Parser<'_>) {
    if p.line_ended() {
        return;
    }
    if p.at(Arrow) {
        p.problem(SyntaxProblemKind::ArrowReturn);
        p.bump_as(Colon);
        types::type_expr(p);
    } else if p.at(Colon) {
        p.bump();
        types::annotated(p);
    }
}

/// `block 'end' | '=' expr`, or nothing where a definition may be abstract
fn body(p: &mut Parser<'_>, opener: (crate::SyntaxKind, TextRange), level: Level, is_extern: bool) {
    if p.at(Eq) && !p.on_new_line() {
        p.forget_block();
        p.bump();
        return value(p);
    }
    if p.at(LBrace) && !p.on_new_line() {
        p.problem(SyntaxProblemKind::BraceBody);
        p.forget_block();
        blocks::brace_body(p);
        return;
    }
    let may_be_abstract = level.has_abstract_defs() || is_extern;
    if may_be_abstract && at_next_declaration(p, level) {
        return p.forget_block();
    }
    if !p.on_new_line() && !p.at(Semicolon) && !p.at_stop() {
        if !p.line_reported() {
            p.expected(Wanted::EndOfLine);
        }
        blocks::skip_line(p);
    }
    let labels = std::mem::take(&mut p.labels);
    let (from, before) = (p.start(), p.pos);
    blocks::block(p, stop::END);
    if p.pos == before && !p.at(EndKw) {
        // There is no body: its value is not to be judged.
        p.finish(from, MissingExpr);
    }
    p.labels = labels;
    p.close_block(opener);
}

/// The value of the short form. It is an expression: an assignment is reported.
pub(super) fn value(p: &mut Parser<'_>) {
    exprs::required(p);
    let assigns = p.at(Eq) || crate::ast::BinaryOp::from_assign_kind(p.kind).is_some();
    if assigns && !p.line_ended() {
        p.problem(SyntaxProblemKind::StatementAsValue);
        let from = p.start();
        p.bump();
        exprs::required(p);
        p.finish(from, Error);
    }
}

/// What follows an abstract definition's header.
fn at_next_declaration(p: &Parser<'_>, level: Level) -> bool {
    if p.token().has(flags::DOC_BEFORE) || p.at(Eof) {
        return true;
    }
    let next = if p.at(Semicolon) { p.nth(1) } else { p.kind };
    match next {
        EndKw => level != Level::File,
        DefKw | ConstKw | At => true,
        _ if p.at(Semicolon) => false,
        _ if level == Level::File => items::at_item(p),
        PrivateKw | TypeKw | ExternKw | UnsafeKw => items::at_item(p),
        _ => false,
    }
}

// ----------------------------------------------------------------------------------------------- parameters

/// `'(' (param (',' param)* ','?)? ')'`
pub(super) fn params(p: &mut Parser<'_>) {
    let from = p.start();
    list(p, RParen, param);
    p.finish(from, ParamList);
}

/// `param := self | '...' | attribute* marks pattern (':' type)? ('=' expr)?`
fn param(p: &mut Parser<'_>) {
    let from = p.start();
    if at_self(p) {
        return self_param(p, from);
    }
    if p.at(DotDotDot) {
        return p.bump();
    }
    items::attrs(p);
    lambdas::param_marks(p);
    patterns::binding(p);
    if p.at(Colon) {
        p.bump();
        types::annotated(p);
    }
    if p.at(Eq) {
        p.bump();
        exprs::required(p);
    }
    p.finish(from, Param);
}

fn at_self(p: &Parser<'_>) -> bool {
    p.at(SelfKw) || p.at(Amp) && (p.nth(1) == SelfKw || p.nth(1) == MutKw && p.nth(2) == SelfKw)
}

/// `('&' 'mut'?)? 'self'`
fn self_param(p: &mut Parser<'_>, from: Checkpoint) {
    if p.eat(Amp) {
        p.eat(MutKw);
    }
    p.bump();
    p.finish(from, SelfParam);
}

// ------------------------------------------------------------------------------------- generics and clauses

/// `('<' generic (',' generic)* '>')?`
pub(super) fn generics(p: &mut Parser<'_>) {
    if !p.at(Lt) || p.on_new_line() {
        return;
    }
    let from = p.start();
    types::angle_list(p, |p| {
        let param = p.start();
        if !p.kind.is_name() {
            return p.expected(Wanted::Name);
        }
        p.bump_as(Ident);
        if p.at(Lt) {
            types::type_args(p);
        }
        if p.eat(Colon) {
            bounds(p);
        }
        if p.eat(Eq) {
            types::type_expr(p);
        }
        p.finish(param, GenericParam);
    });
    p.finish(from, GenericParams);
}

/// `intersection ('+' intersection)*`
pub(super) fn bounds(p: &mut Parser<'_>) {
    let from = p.start();
    types::intersection(p);
    while p.at(Plus) && !p.line_ended() {
        p.bump();
        types::intersection(p);
    }
    p.finish(from, BoundList);
}

/// `('can' type ('+' type)*)?`
pub(super) fn can_clause(p: &mut Parser<'_>) {
    if !p.at(CanKw) || p.line_ended() || !p.nth(1).is_name() {
        return;
    }
    let from = p.start();
    p.bump();
    types::primary(p);
    while p.at(Plus) && !p.line_ended() {
        p.bump();
        types::primary(p);
    }
    p.finish(from, CanClause);
}

/// `('where' type ':' bounds (',' …)*)?`, on the line of the head or the next one.
pub(super) fn where_clause(p: &mut Parser<'_>) {
    let next = p.ahead(1);
    let on_own_line = next.has(flags::UPPER)
        && !next.has(flags::NEWLINE_BEFORE)
        && matches!(p.nth(2), Colon | ColonColon | Lt);
    if !p.at(WhereKw) || (p.line_ended() && !on_own_line) {
        return;
    }
    let from = p.start();
    p.bump();
    loop {
        let pred = p.start();
        types::primary(p);
        if p.expect(Colon) {
            bounds(p);
        }
        p.finish(pred, WherePred);
        if p.line_ended() || !p.eat(Comma) {
            break;
        }
    }
    p.finish(from, WhereClause);
}
