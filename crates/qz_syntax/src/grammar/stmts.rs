//! What is a statement? Bindings, assignments, `defer`, guards; everything else is an expression.

use super::{blocks, exprs, foreign, items, patterns, types};
use crate::SyntaxKind::*;
use crate::lexer::flags;
use crate::parser::Parser;
use crate::problems::{SyntaxProblemKind, Wanted};
use crate::tree::Checkpoint;

/// `stmt := simple (('if' | 'unless') expr)?`
pub(super) fn stmt(p: &mut Parser<'_>) {
    let from = p.start();
    p.entry = p.pos;
    if !p.enter() {
        p.skip_construct();
        return p.finish(from, MissingExpr);
    }
    simple(p, from);
    guard(p, from);
    p.leave();
}

/// A guard applies to the whole statement before it.
fn guard(p: &mut Parser<'_>, from: Checkpoint) {
    if matches!(p.kind, IfKw | UnlessKw) && !p.on_new_line() {
        p.bump();
        blocks::condition(p);
        p.finish(from, GuardStmt);
    }
}

fn simple(p: &mut Parser<'_>, from: Checkpoint) {
    let kind = p.kind;
    match kind {
        VarKw => var(p, from),
        DeferKw => defer(p, from),
        LBrace => statement_brace(p, from),
        _ if items::at_item_in_body(p) => item_in_body(p),
        At if p.quotes > 0 && items::at_attributed_item(p) => item_in_body(p),
        _ if foreign::statement(p, from) => {}
        _ if foreign::at_bare_tuple(p) => foreign::bare_tuple(p, from),
        _ => plain(p, from),
    }
}

/// A binding, an assignment or an expression.
pub(super) fn plain(p: &mut Parser<'_>, from: Checkpoint) {
    match p.kind {
        LParen | LBracket if p.token().has(flags::BEFORE_EQ | flags::BEFORE_COLON) => destructure(p, from),
        Underscore if p.nth(1) == Eq => destructure(p, from),
        kind if kind.is_name() && p.nth(1) == Colon => typed_or_label(p, from),
        _ if (p.at_upper() || p.nth(1) == ColonColon) && at_struct_destructure(p) => destructure(p, from),
        _ => expr_or_assign(p, from),
    }
}

/// `'var' pattern (':' type)? '=' expr`
fn var(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    patterns::binding(p);
    var_tail(p, from);
}

/// `(':' type)? '=' expr`
pub(super) fn var_tail(p: &mut Parser<'_>, from: Checkpoint) {
    annotation(p);
    let has_value = !p.line_ended() && matches!(p.kind, Eq | Colon);
    if has_value {
        assigned_value(p);
    } else {
        if !p.line_reported() {
            p.problem_at(p.prev_range, SyntaxProblemKind::VarWithoutValue);
        }
        p.empty(MissingExpr);
    }
    p.finish(from, VarStmt);
}

fn annotation(p: &mut Parser<'_>) {
    if p.at(Colon) && !p.line_ended() && !at_walrus(p) {
        p.bump();
        types::annotated(p);
    }
}

/// `'defer' simple`; a guard behind it is the `defer`'s.
fn defer(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    let inner = p.start();
    if p.line_ended() || p.at_stop() {
        p.expected(Wanted::Expr);
        p.empty(MissingExpr);
    } else if p.enter() {
        simple(p, inner);
        p.leave();
    } else {
        p.skip_construct();
        p.finish(inner, MissingExpr);
    }
    p.finish(from, DeferStmt);
}

/// `pattern (':' type)? '=' expr`, where the pattern is in brackets or a struct's, and may have places for names.
fn destructure(p: &mut Parser<'_>, from: Checkpoint) {
    p.cx.places = true;
    patterns::binding(p);
    p.cx.places = false;
    annotation(p);
    assigned_value(p);
    p.finish(from, DestructureStmt);
}

/// `Path::To { … } =`, `Id(n) =`: the bracket's partner is followed by `=`.
fn at_struct_destructure(p: &Parser<'_>) -> bool {
    let mut index = p.index_after(p.pos);
    while p.token_at(index).kind == ColonColon {
        index = p.index_after(p.index_after(index));
    }
    let token = p.token_at(index);
    match token.kind {
        LBrace => token.has(flags::BEFORE_EQ) && !token.has(flags::NEWLINE_BEFORE),
        LParen => token.has(flags::BEFORE_EQ) && !token.has(flags::SPACE_BEFORE),
        _ => false,
    }
}

/// A brace that starts a statement: a pattern, a map or a record. There are no blocks in braces without a call.
fn statement_brace(p: &mut Parser<'_>, from: Checkpoint) {
    if p.token().has(flags::BEFORE_EQ) {
        return destructure(p, from);
    }
    if brace_has_entries(p) {
        return expr_or_assign(p, from);
    }
    p.problem(SyntaxProblemKind::StatementBrace);
    p.skip_bracketed();
    p.finish(from, MissingExpr);
}

/// `{}`, `{ name: …`, `{ ...rest`, or `{ key => …` with the arrow on the key's line.
fn brace_has_entries(p: &Parser<'_>) -> bool {
    /// Keys are short; a bound keeps the look ahead from being done again and again in nested braces.
    const LONGEST_KEY: usize = 64;
    if matches!(p.nth(1), RBrace | DotDotDot) || p.nth(1).is_word() && p.nth(2) == Colon {
        return true;
    }
    let (mut index, mut depth) = (p.index_after(p.pos), 0usize);
    for n in 0..LONGEST_KEY {
        let token = p.token_at(index);
        match token.kind {
            _ if depth == 0 && n > 0 && token.has(flags::NEWLINE_BEFORE) => return false,
            FatArrow if depth == 0 => return true,
            LParen | LBracket | LBrace | InterpStart => depth += 1,
            Comma | RParen | RBracket | RBrace | InterpEnd | Eof if depth == 0 => return false,
            RParen | RBracket | RBrace | InterpEnd => depth -= 1,
            Eof => return false,
            _ => {}
        }
        index = p.index_after(index);
    }
    false
}

fn item_in_body(p: &mut Parser<'_>) {
    if p.quotes > 0 {
        return items::item(p, items::Level::File);
    }
    p.problem(SyntaxProblemKind::ItemInBody { keyword: p.kind });
    p.blocks_mismatch = true;
    items::item(p, items::Level::Body);
}

/// In a quote, whether what follows a name and `:` is the value of a field, as a literal will have it, and no type.
fn starts_value(p: &Parser<'_>, at: usize) -> bool {
    let (first, second) = (p.ahead(at), p.ahead(at + 1));
    let adjacent = !second.has(flags::SPACE_BEFORE);
    match first.kind {
        Ident if first.has(flags::UPPER) => second.kind == Dot || second.kind == LParen && adjacent,
        // Nothing behind a name: whether it is a type makes no difference.
        Ident if second.kind == Eq || second.kind == Lt && adjacent => false,
        Ident => !second.has(flags::NEWLINE_BEFORE),
        Dollar => second.kind == LBrace,
        IntNumber | FloatNumber | Char | Symbol | RawString | StrStart | TrueKw | FalseKw | NilKw
        | SelfKw | LBracket | Minus | NotKw | IfKw | MatchKw | TryKw => true,
        _ => false,
    }
}

/// `name ':' type '=' expr`, `name ':'` before a loop, in a quote also `name ':' expr`.
fn typed_or_label(p: &mut Parser<'_>, from: Checkpoint) {
    let after = p.ahead(2);
    if matches!(after.kind, ForKw | WhileKw | UntilKw | LoopKw) && !after.has(flags::NEWLINE_BEFORE) {
        return exprs::expr(p);
    }
    if p.quotes > 0 && !after.has(flags::NEWLINE_BEFORE) && starts_value(p, 2) {
        p.bump_as(Ident);
        p.bump();
        exprs::expr(p);
        return p.finish(from, FieldInit);
    }
    let walrus = after.kind == Eq && !after.has(flags::SPACE_BEFORE);
    if walrus {
        return expr_or_assign(p, from);
    }
    p.bump_as(Ident);
    p.bump();
    if p.line_ended() {
        p.expected(Wanted::Type);
        p.empty(MissingType);
    } else {
        types::annotated(p);
    }
    if p.at(Eq) && !p.line_ended() {
        assigned_value(p);
    } else {
        if !p.line_reported() {
            p.expected(Wanted::Token(Eq));
        }
        p.empty(MissingExpr);
    }
    p.finish(from, TypedBindStmt);
}

/// `expr`, `place '=' expr`, `place '+=' expr`
pub(super) fn expr_or_assign(p: &mut Parser<'_>, from: Checkpoint) {
    exprs::expr(p);
    assign_tail(p, from);
}

/// What makes the expression before it an assignment's place.
pub(super) fn assign_tail(p: &mut Parser<'_>, from: Checkpoint) {
    if p.line_ended() {
        return;
    }
    match p.kind {
        Eq => {
            check_place(p);
            assigned_value(p);
            p.finish(from, AssignStmt);
        }
        Colon if at_walrus(p) => {
            assigned_value(p);
            p.finish(from, AssignStmt);
        }
        kind if crate::ast::BinaryOp::from_assign_kind(kind).is_some() => {
            check_place(p);
            p.bump();
            value(p);
            p.finish(from, CompoundAssignStmt);
        }
        Plus | Minus if foreign::at_increment(p) => foreign::increment(p),
        PipePipe | AmpAmp if p.nth(1) == Eq => {
            foreign::or_assign(p);
            value(p);
            p.finish(from, CompoundAssignStmt);
        }
        _ => {}
    }
}

pub(super) fn at_walrus(p: &Parser<'_>) -> bool {
    p.at(Colon) && p.nth(1) == Eq && !p.ahead(1).has(flags::SPACE_BEFORE)
}

/// `'=' expr`; `:=` is reported and taken for it.
fn assigned_value(p: &mut Parser<'_>) {
    equals(p);
    value(p);
}

pub(super) fn equals(p: &mut Parser<'_>) {
    if at_walrus(p) {
        let range = p.range();
        p.problem_at(qz_base::TextRange::new(range.start, p.ahead(1).start + 1), SyntaxProblemKind::Walrus);
        p.bump();
    }
    p.expect(Eq);
}

/// The right side of an assignment; it may stand on the next line. `a = b = c` is none: assignment has no value.
pub(super) fn value(p: &mut Parser<'_>) {
    let from = p.start();
    exprs::required(p);
    if !p.at(Eq) || p.line_ended() {
        return;
    }
    p.problem(SyntaxProblemKind::ChainedAssign);
    while p.at(Eq) && !p.line_ended() {
        p.bump();
        exprs::required(p);
    }
    p.finish(from, MissingExpr);
}

pub(super) fn check_place(p: &mut Parser<'_>) {
    let kind = p.last_kind();
    let is_place = matches!(
        kind,
        PathExpr | FieldExpr | IndexExpr | TupleIndexExpr | MissingExpr | MacroVarExpr | SelfExpr
    );
    if !is_place && !p.line_reported() {
        p.problem(SyntaxProblemKind::PlaceExpected);
    }
}

/// The statement of a lambda's body: an expression or one assignment.
pub(super) fn lambda_body(p: &mut Parser<'_>) {
    let from = p.start();
    exprs::required(p);
    assign_tail(p, from);
}

/// Statements up to the stop, where one was expected: see [`blocks::one_statement`].
pub(super) fn rest_of_arm(p: &mut Parser<'_>, own: u16) {
    p.problem(SyntaxProblemKind::SecondStatementInArm);
    blocks::block(p, own);
}
