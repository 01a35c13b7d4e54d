//! Which sequences of tokens are Quartz? One function for each production, files by language concept. Each leaves
//! exactly one node (or says otherwise) and never fails: what is missing becomes a `Missing…` node, what cannot be
//! used an `Error` node.
//!
//! Reading order: [`items`], [`stmts`], [`exprs`], then [`postfix`] and [`operands`].

mod binary;
mod blocks;
mod collections;
mod control;
mod effects;
mod exprs;
mod foreign;
mod functions;
mod items;
mod lambdas;
mod later;
pub(crate) mod operands;
mod patterns;
mod postfix;
mod stmts;
mod strings;
mod type_items;
mod type_lists;
mod types;

use crate::SyntaxKind::{self, *};
use crate::lexer::flags;
use crate::parser::{Parser, stop};
use crate::problems::{SyntaxProblemKind, Wanted};
use qz_base::TextRange;

pub(crate) use strings::heredoc_body;

/// `file := (item | separator)*`
pub(crate) fn source_file(p: &mut Parser<'_>) {
    let from = p.root();
    while !p.at(Eof) {
        let before = p.pos;
        items::file_entry(p);
        debug_assert!(p.pos > before, "every turn consumes a token");
        if p.pos == before {
            p.skip_one();
        }
    }
    p.finish_root(from);
}

/// `open (item (',' item)* ','?)? close`. Line breaks mean nothing inside, unless the bracket has no partner.
fn list(p: &mut Parser<'_>, close: SyntaxKind, mut item: impl FnMut(&mut Parser<'_>)) {
    let mut opener = open_bracket(p, close);
    while !p.at(close) && (at_named(p) || !at_list_end(p) || opener.closed && at_keyword_alone(p, close)) {
        if !opener.closed && cannot_belong(p, close) {
            break;
        }
        let before = p.pos;
        item(p);
        if p.at(close) {
            break;
        }
        if !p.eat(Comma) && !recover_in_list(p, close, &mut opener, before) {
            break;
        }
        debug_assert!(p.pos > before, "every turn consumes a token");
    }
    close_bracket(p, close, opener);
}

/// What `close_bracket` needs to know.
struct OpenBracket {
    kind: SyntaxKind,
    range: TextRange,
    closed: bool,
    /// A problem with its inside was reported.
    reported: bool,
    cx: crate::parser::Cx,
}

fn open_bracket(p: &mut Parser<'_>, close: SyntaxKind) -> OpenBracket {
    let opener = OpenBracket {
        kind: p.kind,
        range: p.range(),
        closed: p.token().has(flags::CLOSED),
        reported: false,
        cx: p.cx,
    };
    p.cx.lines = !opener.closed;
    p.cx.no_do = false;
    p.cx.loop_head = false;
    p.cx.head = false;
    p.cx.open_range = false;
    if opener.closed {
        // A line inside with `=>` is an entry of a map, not an arm of the `match` around.
        p.cx.stops &= !stop::ARM;
    }
    p.cx.stops |= match close {
        RParen => stop::PAREN,
        RBracket => stop::BRACKET,
        _ => stop::BRACE,
    };
    p.bump();
    opener
}

fn close_bracket(p: &mut Parser<'_>, close: SyntaxKind, opener: OpenBracket) {
    if !p.at(close) && opener.closed {
        skip_to_close(p, close);
    }
    p.cx = opener.cx;
    if p.eat(close) {
        return;
    }
    if !p.just_reported() && !opener.reported {
        let before = if p.at(Eof) { TextRange::empty(p.prev_range.end) } else { p.range() };
        p.problem_at(opener.range, SyntaxProblemKind::UnclosedBracket { bracket: opener.kind, before });
    }
}

/// Junk before a closing bracket that is known to come: the rest of its line at most.
fn skip_to_close(p: &mut Parser<'_>, close: SyntaxKind) {
    if at_list_end(p) || p.on_new_line() {
        return;
    }
    p.expected(Wanted::Token(close));
    let from = p.start();
    while !p.at(close) && !at_list_end(p) && !p.on_new_line() {
        blocks::skip_piece(p);
    }
    p.finish(from, Error);
}

/// Without a partner a bracket ends before the next statement, and before the `=>` of an arm.
fn cannot_belong(p: &Parser<'_>, close: SyntaxKind) -> bool {
    exprs::next_line_is_another_statement(p) || p.at(FatArrow) && close != RBrace
}

/// `(start, end)`: a keyword in the place of a whole element was meant as a name.
fn at_keyword_alone(p: &Parser<'_>, close: SyntaxKind) -> bool {
    p.kind.is_hard_keyword() && !p.on_new_line() && (p.nth(1) == Comma || p.nth(1) == close)
}

/// `end: 1` is an element, whatever `end` is elsewhere.
fn at_named(p: &Parser<'_>) -> bool {
    p.kind.is_hard_keyword() && p.nth(1) == Colon
}

/// Nothing in brackets goes on past these.
fn at_list_end(p: &Parser<'_>) -> bool {
    p.at_stop() || p.at_item_line()
}

/// After an element that is followed by neither `,` nor the closing bracket. False if the list cannot go on.
fn recover_in_list(p: &mut Parser<'_>, close: SyntaxKind, opener: &mut OpenBracket, before: usize) -> bool {
    let gives_up = at_list_end(p) || (!opener.closed && (p.on_new_line() || cannot_belong(p, close)));
    if gives_up {
        return false;
    }
    if !p.line_reported() || p.on_new_line() {
        p.expected(Wanted::Either(Comma, close));
        opener.reported = true;
    }
    let next_element = p.on_new_line() && exprs::at_start(p) && p.pos > before;
    if next_element {
        return true;
    }
    let from = p.start();
    while !p.at(close) && !p.at(Comma) && !at_list_end(p) && (opener.closed || !p.on_new_line()) {
        blocks::skip_piece(p);
    }
    p.finish(from, Error);
    p.eat(Comma) || p.at(close)
}
