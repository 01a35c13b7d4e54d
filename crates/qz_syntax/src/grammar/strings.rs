//! How do strings and heredocs become nodes? Text tokens and interpolations between their delimiters.

use super::exprs;
use crate::SyntaxKind::*;
use crate::lexer::flags;
use crate::parser::{Cx, Parser, stop};
use crate::problems::Wanted;

/// `string := StrStart (StrText | interp)* StrEnd`. Without its end the lexer has reported it.
pub(super) fn string(p: &mut Parser<'_>) {
    let from = p.start();
    p.bump();
    while !p.on_new_line() {
        match p.kind {
            StrText => p.bump(),
            InterpStart => interp(p),
            StrEnd => {
                p.bump();
                break;
            }
            _ => break,
        }
    }
    p.finish(from, StringExpr);
}

/// `interp := '#{' expr '}'`
fn interp(p: &mut Parser<'_>) {
    let from = p.start();
    let saved = p.cx;
    p.cx = Cx::fresh(stop::ALWAYS);
    // The lexer has reported an interpolation that is never closed; what is in it hardly makes sense.
    let closed = p.token().has(flags::CLOSED);
    p.lost += u32::from(!closed);
    p.bump();
    exprs::required(p);
    if !p.at(InterpEnd) && !p.on_new_line() && !p.at_stop() {
        if !p.line_reported() {
            p.expected(Wanted::Token(InterpEnd));
        }
        super::blocks::skip_line(p);
    }
    if p.at(InterpEnd) {
        p.bump();
    } else {
        p.silence();
    }
    p.finish(from, Interp);
    p.lost -= u32::from(!closed);
    p.cx = saved;
}

/// `heredoc := '<<~NAME'`; its body is parsed where it stands.
pub(super) fn heredoc(p: &mut Parser<'_>) {
    let from = p.start();
    p.bump();
    p.finish(from, HeredocExpr);
}

/// `heredoc-body := (StrText | interp)* HeredocEnd`, up to the token `end`.
pub(crate) fn heredoc_body(p: &mut Parser<'_>, end: usize) {
    let from = p.start();
    while p.pos < end {
        match p.kind {
            InterpStart => interp(p),
            Eof => break,
            _ => p.bump(),
        }
    }
    p.finish(from, HeredocBody);
}
