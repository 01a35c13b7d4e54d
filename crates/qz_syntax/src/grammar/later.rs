//! How are macros and their quotes read? A quote is parsed with the ordinary grammar but reports nothing, so that only its
//! end matters.

use super::items::Level;
use super::{blocks, functions, items};
use crate::SyntaxKind::*;
use crate::lexer::flags;
use crate::parser::{Parser, stop};
use crate::problems::Wanted;
use crate::tree::Checkpoint;

/// Parses without reporting; the caller's own closing token is not part of it.
fn quietly(p: &mut Parser<'_>, inside: impl FnOnce(&mut Parser<'_>)) {
    let (mismatch, last) = (p.blocks_mismatch, p.last_reported());
    p.muted += 1;
    inside(p);
    p.muted -= 1;
    p.blocks_mismatch = mismatch;
    p.restore_reported(last);
}

/// Declarations up to the `end` of what holds them.
pub(super) fn members(p: &mut Parser<'_>, level: Level) {
    blocks::end_of_line(p);
    let saved = p.cx;
    p.cx.lines = true;
    p.cx.stops |= stop::END;
    while !p.at_stop() && (!p.outdented() || !p.at_item_line()) {
        let before = p.pos;
        if !p.eat(Semicolon) {
            items::item(p, level);
            blocks::end_of_line(p);
        }
        if p.pos == before {
            p.skip_one();
        }
    }
    p.cx = saved;
}

/// `'macro' name params block 'end'`
pub(super) fn macro_def(p: &mut Parser<'_>, from: Checkpoint) {
    let opener = p.open_block();
    p.bump();
    p.name(Wanted::Name);
    if p.at(LParen) && !p.on_new_line() {
        functions::params(p);
    } else {
        p.expected(Wanted::Token(LParen));
    }
    blocks::skip_line(p);
    let quotes = std::mem::take(&mut p.quotes);
    p.macros += 1;
    blocks::block(p, stop::END);
    p.macros -= 1;
    p.quotes = quotes;
    p.close_block(opener);
    p.finish(from, MacroDef);
}

pub(super) fn at_quote(p: &Parser<'_>) -> bool {
    p.macros > 0 && p.nth(1) == DoKw && !p.ahead(1).has(flags::NEWLINE_BEFORE) && p.current_text() == "quote"
}

/// `'quote' 'do' block 'end'`. What has holes cannot be judged yet: the inside reports nothing.
pub(super) fn quote(p: &mut Parser<'_>) {
    let from = p.start();
    p.bump_as(Ident);
    let opener = p.open_block();
    p.bump();
    p.quotes += 1;
    quietly(p, |p| blocks::block(p, stop::END));
    p.quotes -= 1;
    p.close_block(opener);
    p.finish(from, QuoteExpr);
}
