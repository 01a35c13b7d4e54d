//! How are effects and their handlers written?

use super::items::Level;
use super::{blocks, functions, items, later, types};
use crate::SyntaxKind::*;
use crate::parser::{Parser, stop};
use crate::problems::Wanted;
use crate::tree::Checkpoint;

/// `'effect' name generics? (operations 'end' | '=' effects)`
pub(super) fn effect(p: &mut Parser<'_>, from: Checkpoint) {
    let opener = p.open_block();
    p.bump();
    p.name(Wanted::Name);
    functions::generics(p);
    if p.eat_on_line(Eq) {
        p.forget_block();
        types::effects(p);
        return p.finish(from, EffectDef);
    }
    later::members(p, Level::Effect);
    p.close_block(opener);
    p.finish(from, EffectDef);
}

/// `'handler' type (def | 'return' params block 'end')* 'end'`
pub(super) fn handler(p: &mut Parser<'_>) {
    let from = p.start();
    let opener = p.open_block();
    p.bump();
    types::primary(p);
    blocks::end_of_line(p);
    let saved = p.cx;
    p.cx.lines = true;
    p.cx.stops |= stop::END;
    while !p.at_stop() {
        let before = p.pos;
        if p.at(ReturnKw) {
            handler_return(p);
        } else if !p.eat(Semicolon) {
            items::item(p, Level::Handler);
        }
        blocks::end_of_line(p);
        if p.pos == before {
            p.skip_one();
        }
    }
    p.cx = saved;
    p.close_block(opener);
    p.finish(from, HandlerExpr);
}

/// `'return' params (block 'end' | '=' expr)`
fn handler_return(p: &mut Parser<'_>) {
    let from = p.start();
    let opener = p.open_block();
    p.bump();
    if p.at(LParen) {
        functions::params(p);
    }
    if p.eat_on_line(Eq) {
        p.forget_block();
        functions::value(p);
    } else {
        blocks::block(p, stop::END);
        p.close_block(opener);
    }
    p.finish(from, HandlerReturn);
}
