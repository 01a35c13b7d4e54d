//! What do people write who come from other languages? Each habit is recognised where it does not fit the grammar,
//! reported with the word that is right here, and read as what was meant, so that nothing else is reported.

use super::items::{self, Level};
use super::{blocks, control, exprs, operands, patterns, stmts};
use crate::SyntaxKind::*;
use crate::lexer::flags;
use crate::parser::{Parser, stop};
use crate::problems::{ForeignWord, SyntaxProblemKind};
use crate::tree::Checkpoint;
use qz_base::TextRange;

// ------------------------------------------------------------------------------------------- in expressions

/// `condition ? a : b`, at the `?`.
pub(super) fn ternary(p: &mut Parser<'_>, from: Checkpoint) {
    p.problem(SyntaxProblemKind::Ternary);
    p.bump();
    exprs::required(p);
    ternary_tail(p);
    p.finish(from, MissingExpr);
}

fn ternary_tail(p: &mut Parser<'_>) {
    if p.at(Symbol) {
        p.bump();
    } else if p.eat(Colon) {
        exprs::required(p);
    }
}

/// `ready? a : b`: the lexer has joined the name and the `?`. Takes the first argument in any case.
pub(super) fn ternary_after_query(p: &mut Parser<'_>, callee: TextRange) -> bool {
    if !p.text_of(callee).ends_with('?') {
        return false;
    }
    if p.nth(1) == Colon || !matches!(p.kind, StrStart) {
        let question = TextRange::new(callee.end - 1, callee.end);
        let reported = p.problem_count();
        exprs::expr(p);
        if matches!(p.kind, Colon) && p.problem_count() == reported {
            p.problem_at(question, SyntaxProblemKind::Ternary);
            ternary_tail(p);
            return true;
        }
    }
    false
}

/// Tokens that look infix here and are not: `x++`, `x ||= y`.
pub(super) fn not_infix(p: &Parser<'_>) -> bool {
    match p.kind {
        Plus | Minus => at_increment(p),
        PipePipe | AmpAmp => p.nth(1) == Eq && !p.ahead(1).has(flags::SPACE_BEFORE),
        _ => false,
    }
}

pub(super) fn at_increment(p: &Parser<'_>) -> bool {
    let second = p.ahead(1);
    if second.kind != p.kind || second.has(flags::SPACE_BEFORE) {
        return false;
    }
    let third = p.ahead(2);
    third.has(flags::NEWLINE_BEFORE)
        || matches!(third.kind, Eof | EndKw | RBrace | Semicolon | IfKw | UnlessKw)
}

/// `===` and `!==`, at their first token. True if both tokens were taken.
pub(super) fn strict_equality(p: &mut Parser<'_>) -> bool {
    let next = p.ahead(1);
    if !matches!(p.kind, EqEq | BangEq) || next.kind != Eq || next.has(flags::SPACE_BEFORE) {
        return false;
    }
    let range = TextRange::new(p.range().start, next.start + 1);
    p.problem_at(range, SyntaxProblemKind::StrictEq);
    p.bump();
    p.skip_one();
    true
}

/// An operator where an operand must be: the start of a `//` comment, or a missing operand.
pub(super) fn operand(p: &mut Parser<'_>) {
    let second_slash = p.at(Slash) && p.prev == Slash && !p.spaced();
    let first_slash = p.at(Slash) && p.nth(1) == Slash && !p.ahead(1).has(flags::SPACE_BEFORE);
    if !second_slash && !first_slash {
        return operands::missing(p);
    }
    let from = p.start();
    let start = if second_slash { p.prev_range.start } else { p.range().start };
    let end = p.range().end + u32::from(first_slash);
    p.problem_at(TextRange::new(start, end), SyntaxProblemKind::ForeignComment);
    p.bump();
    while !p.on_new_line() && !p.at(Eof) {
        p.bump();
    }
    p.finish(from, MissingExpr);
}

/// `null`, at any name: taken as `nil`. True if it was.
pub(super) fn null(p: &mut Parser<'_>) -> bool {
    let is_null = p.at(Ident) && p.range().len() == 4 && p.current_text() == "null";
    if is_null {
        let from = p.start();
        p.problem(SyntaxProblemKind::ForeignNull);
        p.bump_as(NilKw);
        p.finish(from, LiteralExpr);
    }
    is_null
}

// --------------------------------------------------------------------------------------------- in statements

/// `||=` and `&&=`, up to their value.
pub(super) fn or_assign(p: &mut Parser<'_>) {
    let range = TextRange::new(p.range().start, p.ahead(1).start + 1);
    p.problem_at(range, SyntaxProblemKind::ForeignOrAssign);
    p.bump_as(QuestionQuestionEq);
    p.skip_one();
}

/// `++` and `--` behind a statement's expression.
pub(super) fn increment(p: &mut Parser<'_>) {
    let range = TextRange::new(p.range().start, p.ahead(1).start + 1);
    p.problem_at(range, SyntaxProblemKind::Increment { plus: p.at(Plus) });
    let from = p.start();
    p.bump();
    p.bump();
    p.finish(from, Error);
}

/// A statement that starts with a word of another language. False if it does not.
pub(super) fn statement(p: &mut Parser<'_>, from: Checkpoint) -> bool {
    if !matches!(p.kind, Ident | MutKw) {
        return false;
    }
    let next = p.ahead(1);
    let on_line = !next.has(flags::NEWLINE_BEFORE);
    let before_name = on_line && next.kind.is_name();
    match p.current_text() {
        "let" | "val" | "auto" | "mut" if before_name || on_line && at_pattern(next) => {
            let_statement(p, from)
        }
        "fn" | "func" | "fun" | "function" if before_name && matches!(p.nth(2), LParen | Lt) => {
            items::item(p, Level::Body);
        }
        "continue" if at_lone_word(p) => {
            p.problem(SyntaxProblemKind::ForeignContinue);
            p.bump_as(NextKw);
            p.finish(from, NextExpr);
        }
        "switch" | "case"
            if before_name || on_line && next.kind == LParen && next.has(flags::SPACE_BEFORE) =>
        {
            switch(p);
        }
        "begin" if !on_line => begin(p, from),
        _ => return false,
    }
    true
}

fn at_pattern(next: crate::lexer::Token) -> bool {
    matches!(next.kind, LParen | LBracket) && next.has(flags::BEFORE_EQ)
}

fn at_lone_word(p: &Parser<'_>) -> bool {
    let next = p.ahead(1);
    next.has(flags::NEWLINE_BEFORE) || matches!(next.kind, IfKw | UnlessKw | Semicolon | EndKw | Eof)
}

/// `let x = e`, `let mut x: T = e`, `val x = e`
fn let_statement(p: &mut Parser<'_>, from: Checkpoint) {
    let start = p.range();
    let mutable = p.at(MutKw) || p.nth(1) == MutKw && p.nth(2).is_name();
    let words = p.start();
    p.bump();
    if p.at(MutKw) && mutable {
        p.bump();
    }
    let range = TextRange::new(start.start, p.prev_range.end);
    p.problem_at(range, SyntaxProblemKind::ForeignLet { mutable });
    p.finish(words, Error);
    if mutable {
        patterns::binding(p);
        stmts::var_tail(p, from);
    } else {
        stmts::plain(p, from);
    }
}

/// `case x … end`, `switch x … end`: read like a `match`, without further reports.
fn switch(p: &mut Parser<'_>) {
    p.problem(SyntaxProblemKind::ForeignWord { advice: ForeignWord::Switch });
    p.muted += 1;
    control::match_expr(p);
    p.muted -= 1;
}

/// `begin … end`, without further reports.
fn begin(p: &mut Parser<'_>, from: Checkpoint) {
    p.problem(SyntaxProblemKind::ForeignWord { advice: ForeignWord::Begin });
    p.muted += 1;
    let opener = p.open_block();
    p.bump();
    blocks::block(p, stop::END);
    p.close_block(opener);
    p.muted -= 1;
    p.finish(from, MissingExpr);
}

/// `a, b = …`: several places before a `=`, without parentheses around them.
pub(super) fn at_bare_tuple(p: &Parser<'_>) -> bool {
    let (mut index, mut depth, mut commas) = (p.pos, 0, 0);
    if !p.kind.is_name() {
        return false;
    }
    loop {
        let token = p.token_at(index);
        match token.kind {
            _ if index != p.pos && token.has(flags::NEWLINE_BEFORE) => return false,
            Comma if depth == 0 => commas += 1,
            Eq => return commas > 0,
            LBracket => depth += 1,
            RBracket if depth > 0 => depth -= 1,
            Underscore | Dot | IntNumber | Plus | Minus | Comma => {}
            kind if kind.is_name() => {}
            _ => return false,
        }
        index = p.index_after(index);
    }
}

pub(super) fn bare_tuple(p: &mut Parser<'_>, from: Checkpoint) {
    let names = p.start();
    let start = p.range().start;
    p.cx.places = true;
    patterns::binding(p);
    while p.eat(Comma) {
        patterns::binding(p);
    }
    p.cx.places = false;
    p.problem_at(TextRange::new(start, p.prev_range.end), SyntaxProblemKind::BareTuple);
    p.finish(names, TuplePat);
    stmts::equals(p);
    let values = p.start();
    stmts::value(p);
    if p.at(Comma) {
        while p.eat(Comma) {
            stmts::value(p);
        }
        p.finish(values, TupleExpr);
    }
    p.finish(from, DestructureStmt);
}

// -------------------------------------------------------------------------------------------- in declarations

/// `fn`, `func`, `fun`, `function` before a name: becomes `def`.
pub(super) fn def_word(p: &mut Parser<'_>) {
    if at_def_word(p) {
        p.problem(SyntaxProblemKind::ForeignDef);
        p.replace_kind(DefKw);
    }
}

pub(super) fn at_def_word(p: &Parser<'_>) -> bool {
    p.at(Ident)
        && matches!(p.current_text(), "fn" | "func" | "fun" | "function")
        && p.nth(1).is_name()
        && !p.ahead(1).has(flags::NEWLINE_BEFORE)
        && p.nth(2) != Colon
}

/// `let`, `val` and `var` before a field's name.
pub(super) fn field_word(p: &mut Parser<'_>) {
    let next = p.ahead(1);
    let before_name = next.kind.is_name() && !next.has(flags::NEWLINE_BEFORE);
    if before_name && p.at(Ident) && matches!(p.current_text(), "let" | "val") {
        p.problem(SyntaxProblemKind::ForeignLet { mutable: false });
        p.skip_one();
    }
}

/// A declaration of another language at module level. False if it is none.
pub(super) fn item(p: &mut Parser<'_>) -> bool {
    if at_def_word(p) {
        items::item(p, Level::File);
        blocks::end_of_line(p);
        return true;
    }
    if p.at(FromKw) && p.nth(1).is_name() && !p.ahead(1).has(flags::NEWLINE_BEFORE) {
        p.problem(SyntaxProblemKind::PythonImport);
        blocks::skip_entry(p);
        return true;
    }
    let next = p.ahead(1);
    if !p.at(Ident) || next.has(flags::NEWLINE_BEFORE) || !(next.kind.is_word() || next.kind == StrStart) {
        return false;
    }
    let advice = match p.current_text() {
        "class" | "record" | "data" => ForeignWord::Class,
        "interface" | "protocol" => ForeignWord::Interface,
        "module" | "namespace" | "package" => ForeignWord::Module,
        "use" | "using" | "require" | "include" => ForeignWord::Use,
        "public" | "export" => ForeignWord::Public,
        _ => return false,
    };
    p.problem(SyntaxProblemKind::ForeignWord { advice });
    match advice {
        ForeignWord::Class => as_declaration(p, StructKw),
        ForeignWord::Interface => as_declaration(p, TraitKw),
        ForeignWord::Public => p.skip_one(),
        ForeignWord::Module => {
            p.foreign_blocks += 1;
            blocks::skip_entry(p);
        }
        _ => blocks::skip_entry(p),
    }
    true
}

fn as_declaration(p: &mut Parser<'_>, keyword: crate::SyntaxKind) {
    p.replace_kind(keyword);
    items::item(p, Level::File);
    blocks::end_of_line(p);
}
