//! How are layouts of bits and bytes written? `packed struct` and `type P = binary { … }`.

use super::items::Level;
use super::{blocks, close_bracket, exprs, later, open_bracket, patterns, types};
use crate::SyntaxKind::*;
use crate::parser::{Parser, stop};
use crate::problems::{SyntaxProblemKind, Wanted};
use crate::tree::Checkpoint;

/// `'packed' 'struct' ('(' type ')')? name members 'end'`
pub(super) fn packed_struct(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    let opener = p.open_block();
    p.bump();
    if p.at(LParen) && !p.on_new_line() {
        let bracket = open_bracket(p, RParen);
        types::type_expr(p);
        close_bracket(p, RParen, bracket);
    }
    p.name(Wanted::Name);
    later::members(p, Level::Struct);
    p.close_block(opener);
    p.finish(from, PackedStructDef);
}

/// `'binary' '{' members '}'` behind `type name =`
pub(super) fn binary(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    braced(p);
    p.finish(from, BinaryDef);
}

/// `'{' (member (',' | newline)?)* '}'`
fn braced(p: &mut Parser<'_>) {
    let bracket = open_bracket(p, RBrace);
    p.cx.lines = true;
    while !p.at_stop() {
        let before = p.pos;
        if !p.eat(Comma) && !p.eat(Semicolon) {
            member(p);
            if !p.at(Comma) {
                blocks::end_of_line(p);
            }
        }
        if p.pos == before {
            p.skip_one();
        }
    }
    close_bracket(p, RBrace, bracket);
}

/// `name ':' (layout | choice) ('=' expr)?`, or a choice alone
fn member(p: &mut Parser<'_>) {
    if !p.enter() {
        return p.skip_construct();
    }
    if p.at(MatchKw) && p.nth(1) != Colon {
        choice(p);
    } else if p.kind.is_word() {
        field(p);
    } else if !p.line_reported() {
        p.expected(Wanted::Name);
    }
    p.leave();
}

fn field(p: &mut Parser<'_>) {
    let from = p.start();
    p.bump_as(Ident);
    if !p.expect(Colon) {
        return p.finish(from, BinaryField);
    }
    if p.at(MatchKw) && !p.line_ended() {
        choice(p);
    } else {
        layout(p);
    }
    if p.at(Eq) && !p.line_ended() {
        p.bump();
        exprs::required(p);
    }
    p.finish(from, BinaryField);
}

/// `name ('(' expr ')')?` or `'[' layout (';' expr)? ']'`
fn layout(p: &mut Parser<'_>) {
    let from = p.start();
    if !p.enter() {
        return p.skip_construct();
    }
    if p.at(LBracket) && !p.line_ended() {
        let bracket = open_bracket(p, RBracket);
        layout(p);
        if p.eat(Semicolon) {
            exprs::required(p);
        }
        close_bracket(p, RBracket, bracket);
        p.finish(from, BinaryArray);
    } else {
        types::primary(p);
        if p.at(LParen) && !p.line_ended() {
            let bracket = open_bracket(p, RParen);
            exprs::required(p);
            close_bracket(p, RParen, bracket);
        }
        p.finish(from, BinaryWord);
    }
    p.leave();
}

/// `'match' name arms 'end'`
fn choice(p: &mut Parser<'_>) {
    let from = p.start();
    let (keyword, reported) = (p.range(), p.problem_count());
    let opener = p.open_block();
    p.bump();
    if p.kind.is_word() && !p.line_ended() {
        p.bump_as(Ident);
    } else {
        p.expected(Wanted::Name);
    }
    blocks::end_of_line(p);
    let saved = p.cx;
    p.cx.lines = true;
    p.cx.stops |= stop::END;
    let mut count = 0;
    while !p.at_stop() {
        let before = p.pos;
        if !p.eat(Semicolon) && !p.eat(Comma) {
            arm(p);
            count += 1;
            blocks::end_of_line(p);
        }
        if p.pos == before {
            p.skip_one();
        }
    }
    p.cx = saved;
    if count == 0 && p.problem_count() == reported {
        p.problem_at(keyword, SyntaxProblemKind::EmptyMatch);
    }
    p.close_block(opener);
    p.finish(from, BinaryMatch);
}

/// `pattern '=>' name? '{' members '}'`
fn arm(p: &mut Parser<'_>) {
    let from = p.start();
    patterns::typed(p);
    if p.expect(FatArrow) {
        if p.kind.is_word() && p.nth(1) == LBrace && !p.line_ended() {
            p.bump_as(Ident);
        }
        if p.at(LBrace) && !p.line_ended() {
            braced(p);
        } else {
            p.expected(Wanted::Token(LBrace));
        }
    }
    p.finish(from, BinaryArm);
}
