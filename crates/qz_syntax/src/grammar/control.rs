//! How do `if`, `match`, loops, jumps and `select` read?

use super::blocks::{self, BodyForm, block, body_after_head, finish_body};
use super::{collections, exprs, patterns, stmts};
use crate::SyntaxKind::*;
use crate::lexer::flags;
use crate::parser::{Parser, stop};
use crate::problems::{SyntaxProblemKind, Wanted};
use crate::tree::Checkpoint;
use qz_base::TextRange;

// ------------------------------------------------------------------------------------------------------- if

/// `('if' | 'unless') expr body ('elsif' expr body)* ('else' block)? 'end'`
pub(super) fn if_expr(p: &mut Parser<'_>) {
    let from = p.start();
    let kind = if p.at(IfKw) { IfExpr } else { UnlessExpr };
    let opener = p.open_block();
    p.bump();
    head(p);
    let mut form = body_after_head(p, stop::END | stop::ELSE);
    let mut has_else = false;
    while at_branch(p) {
        if has_else {
            p.problem(SyntaxProblemKind::RepeatedElse);
        }
        form = if at_elsif(p) { elsif(p) } else { else_clause(p, &mut has_else) };
    }
    finish_body(p, form, opener);
    p.finish(from, kind);
}

/// The condition or subject behind a keyword; it must be on the line.
fn head(p: &mut Parser<'_>) {
    if p.line_ended() {
        p.expected(Wanted::Expr);
        p.empty(MissingExpr);
    } else {
        let outer = std::mem::replace(&mut p.cx.head, true);
        blocks::condition(p);
        p.cx.head = outer;
    }
}

fn at_branch(p: &Parser<'_>) -> bool {
    matches!(p.kind, ElseKw | ElsifKw) || at_foreign_elsif(p)
}

/// `elif` or `elseif` and a condition, at the start of a line.
pub(super) fn at_foreign_elsif(p: &Parser<'_>) -> bool {
    let is_word = p.at(Ident) && p.on_new_line() && matches!(p.current_text(), "elif" | "elseif");
    is_word && {
        let next = p.ahead(1);
        let starts_condition =
            next.kind.is_name() || matches!(next.kind, LParen | NotKw | Bang | IntNumber | SelfKw);
        starts_condition && next.has(flags::SPACE_BEFORE) && !next.has(flags::NEWLINE_BEFORE)
    }
}

fn at_elsif(p: &Parser<'_>) -> bool {
    p.at(ElsifKw) || at_foreign_elsif(p)
}

/// `'elsif' expr body`
fn elsif(p: &mut Parser<'_>) -> BodyForm {
    let from = p.start();
    if !p.at(ElsifKw) {
        p.problem(SyntaxProblemKind::ElseIf);
    }
    p.bump_as(ElsifKw);
    head(p);
    let form = body_after_head(p, stop::END | stop::ELSE);
    p.finish(from, ElsifClause);
    form
}

/// `'else' block`; `else if` with its condition alone on the line is meant as `elsif`.
fn else_clause(p: &mut Parser<'_>, has_else: &mut bool) -> BodyForm {
    let from = p.start();
    let else_range = p.range();
    p.bump();
    if p.at(LBrace) && !p.on_new_line() {
        *has_else = true;
        p.problem(SyntaxProblemKind::BraceBody);
        let form = blocks::brace_body(p);
        p.finish(from, ElseClause);
        return form;
    }
    if p.at(IfKw) && !p.on_new_line() {
        return else_if(p, from, else_range, has_else);
    }
    *has_else = true;
    block(p, stop::END | stop::ELSE);
    p.finish(from, ElseClause);
    BodyForm::End
}

/// Behind `else`, at an `if` on the same line.
fn else_if(p: &mut Parser<'_>, from: Checkpoint, else_range: TextRange, has_else: &mut bool) -> BodyForm {
    let body = p.start();
    let if_range = p.range();
    let opener = p.open_block();
    p.bump();
    head(p);
    if p.at(ThenKw) && !p.on_new_line() {
        // `else if c then a else b end`: an `if` of its own, with its own `end`.
        *has_else = true;
        if_tail(p, opener);
        p.finish(body, IfExpr);
        p.finish(body, Block);
        p.finish(from, ElseClause);
        return BodyForm::End;
    }
    p.forget_block();
    let range = TextRange::new(else_range.start, if_range.end);
    p.problem_at(range, SyntaxProblemKind::ElseIf);
    let form = body_after_head(p, stop::END | stop::ELSE);
    p.finish(from, ElsifClause);
    form
}

/// From the head's end to the `end`.
fn if_tail(p: &mut Parser<'_>, opener: (crate::SyntaxKind, TextRange)) {
    let mut form = body_after_head(p, stop::END | stop::ELSE);
    let mut has_else = false;
    while at_branch(p) {
        form = if at_elsif(p) { elsif(p) } else { else_clause(p, &mut has_else) };
    }
    finish_body(p, form, opener);
}

/// `if x = 1`: an assignment is no condition. What was read from `from` on is none either, then.
pub(super) fn no_assignment(p: &mut Parser<'_>, from: Checkpoint) {
    if p.at(Eq) && !p.line_ended() {
        p.problem(SyntaxProblemKind::AssignInCondition);
        p.bump();
        exprs::required(p);
        p.finish(from, MissingExpr);
    }
}

// ---------------------------------------------------------------------------------------------------- loops

/// `(name ':')? ('while' | 'until' | 'for' | 'loop') head block 'end'`
pub(super) fn loop_expr(p: &mut Parser<'_>) {
    let from = p.start();
    loop_after_label(p, from);
}

/// `name ':' loop`
pub(super) fn labelled_loop(p: &mut Parser<'_>) {
    let from = p.start();
    p.labels.push(p.current_text());
    p.bump_as(Ident);
    p.bump();
    p.finish(from, Label);
    loop_after_label(p, from);
    p.labels.pop();
}

fn loop_after_label(p: &mut Parser<'_>, from: Checkpoint) {
    let keyword = p.kind;
    let opener = p.open_block();
    p.bump();
    let saved = p.cx;
    p.cx.loop_head = true;
    p.cx.head = true;
    let kind = match keyword {
        WhileKw => WhileExpr,
        UntilKw => UntilExpr,
        ForKw => ForExpr,
        _ => LoopExpr,
    };
    match keyword {
        ForKw => collections::for_head(p),
        LoopKw => {}
        _ => head(p),
    }
    p.cx = saved;
    if p.at(DoKw) && !p.on_new_line() {
        if keyword != LoopKw {
            p.problem(SyntaxProblemKind::LoopDo { keyword });
        }
        let from = p.start();
        p.bump();
        if keyword != LoopKw {
            p.finish(from, Error);
        }
    }
    let form = body_of_loop(p, keyword);
    finish_body(p, form, opener);
    p.finish(from, kind);
}

fn body_of_loop(p: &mut Parser<'_>, keyword: crate::SyntaxKind) -> BodyForm {
    let starts_at_once = keyword == LoopKw || p.prev == DoKw;
    if starts_at_once && !p.at(LBrace) {
        block(p, stop::END);
        return BodyForm::End;
    }
    body_after_head(p, stop::END)
}

// ---------------------------------------------------------------------------------------------------- jumps

/// `'return' expr? | ('break' | 'next') label? expr?`
pub(super) fn jump(p: &mut Parser<'_>) {
    let from = p.start();
    let kind = match p.kind {
        ReturnKw => ReturnExpr,
        BreakKw => BreakExpr,
        _ => NextExpr,
    };
    p.bump();
    if kind != ReturnExpr && p.kind.is_name() && !p.on_new_line() && is_label(p) {
        let label = p.start();
        p.bump_as(Ident);
        p.finish(label, LabelRef);
    }
    // A guard directly behind the word leaves it without a value.
    let is_guard = matches!(p.kind, IfKw | UnlessKw) && !has_then(p);
    let has_value = !p.on_new_line() && !is_guard && exprs::at_start(p);
    if has_value {
        exprs::expr(p);
    }
    p.finish(from, kind);
}

/// Whether the `if` at hand goes on with a `then` of its own on the line: `return if c then a else b end` has a
/// value.
fn has_then(p: &Parser<'_>) -> bool {
    let mut index = p.index_after(p.pos);
    let mut depth = 0u32;
    loop {
        let token = p.token_at(index);
        match token.kind {
            _ if token.has(flags::NEWLINE_BEFORE) => return false,
            LParen | LBracket | LBrace | StrStart => depth += 1,
            RParen | RBracket | RBrace | StrEnd if depth > 0 => depth -= 1,
            ThenKw if depth == 0 => return true,
            Eof | Semicolon | IfKw | UnlessKw if depth == 0 => return false,
            Eof => return false,
            _ => {}
        }
        index = p.index_after(index);
    }
}

/// A name behind `break` or `next` is a label if a loop around has it, or if a value follows it.
fn is_label(p: &Parser<'_>) -> bool {
    let next = p.ahead(1);
    let alone =
        next.has(flags::NEWLINE_BEFORE) || matches!(next.kind, IfKw | UnlessKw | Semicolon | EndKw | Eof);
    let followed_by_value = next.has(flags::SPACE_BEFORE)
        && !next.has(flags::NEWLINE_BEFORE)
        && (next.kind.is_name() || matches!(next.kind, IntNumber | FloatNumber | StrStart | Char | Symbol));
    let known = p.labels.iter().rev().take(64).any(|label| *label == p.current_text());
    if followed_by_value { known || next.kind != StepKw } else { known && alone }
}

// -------------------------------------------------------------------------------------------- match, select

/// `'match' expr arm* 'end'`
pub(super) fn match_expr(p: &mut Parser<'_>) {
    let from = p.start();
    let keyword = p.range();
    let opener = p.open_block();
    let reported = p.problem_count();
    p.bump();
    head(p);
    let brace = arms_begin(p);
    let mut count = 0;
    arms(p, brace, |p| {
        count += 1;
        match_arm(p);
    });
    if count == 0 && p.problem_count() == reported {
        p.problem_at(keyword, SyntaxProblemKind::EmptyMatch);
    }
    arms_end(p, brace, opener);
    p.finish(from, MatchExpr);
}

/// Arms start on a line of their own. Gives the brace that some languages put around them.
fn arms_begin(p: &mut Parser<'_>) -> bool {
    if p.at(LBrace) && !p.on_new_line() {
        p.problem(SyntaxProblemKind::BraceBody);
        p.bump();
        return true;
    }
    if !p.on_new_line() && !p.at(Semicolon) && !p.at_stop() {
        if !p.line_reported() {
            p.expected(Wanted::EndOfLine);
        }
        blocks::skip_line(p);
    }
    false
}

fn arms_end(p: &mut Parser<'_>, brace: bool, opener: (crate::SyntaxKind, TextRange)) {
    if brace && p.at(RBrace) {
        p.bump();
        p.forget_block();
    } else {
        p.close_block(opener);
    }
}

/// Arms up to the end of the construct, and whatever stands between them.
fn arms(p: &mut Parser<'_>, brace: bool, mut arm: impl FnMut(&mut Parser<'_>)) {
    let saved = p.cx;
    p.cx.lines = true;
    p.cx.no_do = false;
    p.cx.loop_head = false;
    p.cx.head = false;
    p.cx.open_range = false;
    p.cx.stops |= if brace { stop::BRACE } else { stop::END };
    let mut first = true;
    loop {
        let before = p.pos;
        // An arm of ours and one of a `match` around look alike: the innermost takes it.
        let ends = p.at_stop() && p.stop_bit() != stop::ARM && !at_match_else(p);
        if ends || p.at_item_line() {
            break;
        }
        if p.at(Semicolon) || p.at(Comma) && brace {
            p.bump();
        } else if !first && at_second_statement(p) && !p.at(Ident) {
            stmts::rest_of_arm(p, stop::END | stop::ARM);
        } else {
            arm(p);
        }
        first = false;
        if p.pos == before {
            p.skip_one();
        }
    }
    p.cx = saved;
}

/// A line that holds `=>` and starts like a pattern.
pub(super) fn at_stray_arm(p: &Parser<'_>) -> bool {
    let starts_pattern = p.kind.is_name()
        || p.at(Dollar)
        || matches!(
            p.kind,
            IntNumber | FloatNumber | Char | Symbol | StrStart | Regex | RawString | Underscore
        )
        || matches!(p.kind, LParen | LBracket | LBrace | Minus | DotDot | DotDotEq | FatArrow)
        || matches!(p.kind, TrueKw | FalseKw | NilKw);
    starts_pattern && p.token().has(flags::ARM) && p.on_new_line() && p.nth(1) != Eq
}

/// An arm in a block: its `match` is missing, or the `match` around has ended too early. Reported once in a block.
pub(super) fn stray_arm(p: &mut Parser<'_>, reported: bool) {
    let from = p.start();
    if !reported {
        p.problem(SyntaxProblemKind::StrayArm);
    }
    p.blocks_mismatch = true;
    let before = p.pos;
    p.lost += 1;
    match_arm(p);
    p.lost -= 1;
    if p.pos == before {
        blocks::skip_piece(p);
        blocks::skip_line(p);
    }
    p.finish(from, Error);
}

/// `else` instead of `_ =>`, unless an `if` around waits for it.
fn at_match_else(p: &Parser<'_>) -> bool {
    p.at(ElseKw) && (p.nth(1) == FatArrow || p.cx.stops & stop::ELSE == 0)
}

/// `pattern ('if' expr)? '=>' body`
fn match_arm(p: &mut Parser<'_>) {
    let from = p.start();
    p.entry = p.pos;
    foreign_arm_words(p);
    if p.at(ElseKw) {
        p.problem(SyntaxProblemKind::MatchElse);
        let pat = p.start();
        p.bump_as(Underscore);
        p.finish(pat, WildcardPat);
        if p.on_new_line() {
            block(p, stop::END | stop::ARM);
            return p.finish(from, MatchArm);
        }
    } else {
        patterns::typed(p);
    }
    if p.at(IfKw) && !p.on_new_line() {
        let guard = p.start();
        p.bump();
        blocks::condition(p);
        p.finish(guard, MatchGuard);
    }
    arm_arrow_and_body(p);
    p.finish(from, MatchArm);
}

/// `case`, `when` and `|` before a pattern.
fn foreign_arm_words(p: &mut Parser<'_>) {
    let word = p.at(Ident)
        && matches!(p.current_text(), "when" | "case")
        && !matches!(p.nth(1), FatArrow | Colon | Pipe | IfKw | AsKw | Arrow);
    if word || p.at(Pipe) {
        p.problem(SyntaxProblemKind::MatchCase { pipe: p.at(Pipe) });
        p.skip_one();
    }
}

/// `'=>' (stmt | newline block)`
fn arm_arrow_and_body(p: &mut Parser<'_>) {
    if p.at(Arrow) && !p.on_new_line() {
        p.problem(SyntaxProblemKind::ThinArrowArm);
        p.bump_as(FatArrow);
    } else if p.at(FatArrow) {
        p.bump();
    } else {
        if !p.line_reported() {
            p.expected(Wanted::Token(FatArrow));
        }
        blocks::skip_line(p);
        // The lines that follow may be the body all the same.
        if at_second_statement(p) {
            block(p, stop::END | stop::ARM);
        } else {
            p.empty(Block);
        }
        return;
    }
    if p.on_new_line() {
        return block(p, stop::END | stop::ARM);
    }
    if p.at_stop() && p.stop_bit() != stop::ARM {
        p.expected(Wanted::Expr);
        return p.empty(Block);
    }
    one_line_arm(p);
}

/// One statement; more of them are reported and kept.
fn one_line_arm(p: &mut Parser<'_>) {
    let from = p.start();
    blocks::one_statement(p);
    let ended =
        p.on_new_line() || p.at_stop() || p.at(Semicolon) || p.at(Comma) && p.cx.stops & stop::BRACE != 0;
    if !ended {
        blocks::end_of_line(p);
    }
    // Lines behind an arm that belongs to no `match` are the block's.
    if ended && p.on_new_line() && p.lost == 0 && at_second_statement(p) {
        stmts::rest_of_arm(p, stop::END | stop::ARM);
        p.finish(from, Block);
    }
}

/// A line between arms that holds no `=>`: it was meant to belong to the arm before.
fn at_second_statement(p: &Parser<'_>) -> bool {
    let next = p.ahead(1);
    let thin_arrow = next.kind == Arrow || next.kind == LParen && next.has(flags::LAMBDA);
    let starts = exprs::at_start(p) || matches!(p.kind, VarKw | DeferKw);
    starts
        && p.on_new_line()
        && !p.token().has(flags::ARM)
        && !p.at_stop()
        && !p.at_item_line()
        && !thin_arrow
}

/// `'select' arm* 'end'`
pub(super) fn select(p: &mut Parser<'_>) {
    let from = p.start();
    let opener = p.open_block();
    p.bump();
    arms(p, false, select_arm);
    p.close_block(opener);
    p.finish(from, SelectExpr);
}

/// `(name '=')? expr '=>' body`
fn select_arm(p: &mut Parser<'_>) {
    let from = p.start();
    p.entry = p.pos;
    if (p.kind.is_name() || p.at(Underscore)) && p.nth(1) == Eq {
        patterns::binding(p);
        p.bump();
    }
    exprs::expr(p);
    arm_arrow_and_body(p);
    p.finish(from, SelectArm);
}
