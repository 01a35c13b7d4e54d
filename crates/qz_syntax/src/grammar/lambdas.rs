//! How is a function written as a value? Arrows, `do` blocks and brace blocks.

use super::{blocks, list, patterns, stmts, types};
use crate::SyntaxKind::*;
use crate::lexer::flags;
use crate::parser::{Parser, stop};
use crate::problems::{SyntaxProblemKind, Wanted};

/// `lambda := (name | '(' params ')')? '->' (expr | assignment)`
pub(super) fn lambda(p: &mut Parser<'_>) {
    let from = p.start();
    if !p.at(Arrow) {
        let params = p.start();
        if p.at(LParen) {
            list(p, RParen, |p| param(p, true));
        } else {
            param(p, false);
        }
        p.finish(params, LambdaParams);
    }
    if !p.eat(Arrow) {
        p.expected(Wanted::Token(Arrow));
    }
    stmts::lambda_body(p);
    p.finish(from, LambdaExpr);
}

/// `param := '*'? '&'? 'mut'? pattern (':' type)?`
fn param(p: &mut Parser<'_>, typed: bool) {
    let from = p.start();
    param_marks(p);
    patterns::binding(p);
    if typed && p.at(Colon) {
        p.bump();
        types::type_expr(p);
    }
    p.finish(from, Param);
}

/// `'*'? ('&' 'mut'?)?`
pub(super) fn param_marks(p: &mut Parser<'_>) {
    p.eat(Star);
    if p.eat(Amp) && p.at(MutKw) && p.nth(1).is_word() {
        p.bump();
    }
}

/// `'do' (params? '->')? block 'end'`
pub(super) fn do_block(p: &mut Parser<'_>) {
    let from = p.start();
    if !p.enter() {
        p.skip_construct();
        return p.finish(from, DoBlock);
    }
    let has_params = do_has_params(p);
    let opener = p.open_block();
    p.bump();
    if p.at(Pipe) && !p.on_new_line() {
        pipes(p);
    } else if has_params {
        params_up_to_arrow(p);
    }
    blocks::block(p, stop::END);
    p.close_block(opener);
    p.finish(from, DoBlock);
    p.leave();
}

/// `params? '->'`
fn params_up_to_arrow(p: &mut Parser<'_>) {
    if !p.at(Arrow) {
        let params = p.start();
        param(p, true);
        while p.eat(Comma) {
            param(p, true);
        }
        p.finish(params, LambdaParams);
    }
    p.expect(Arrow);
}

/// After `do`: parameters, if on this line `->` follows outside of brackets and only what can stand in a list of
/// parameters is before it. The scan never passes another `do`, so all scans together are linear.
pub(super) fn do_has_params(p: &Parser<'_>) -> bool {
    let mut index = p.pos;
    let mut depth = 0;
    loop {
        index = p.index_after(index);
        let token = p.token_at(index);
        if token.has(flags::NEWLINE_BEFORE) {
            return false;
        }
        match token.kind {
            Arrow => return depth == 0,
            LParen | LBracket | LBrace => depth += 1,
            RParen | RBracket | RBrace if depth > 0 => depth -= 1,
            Comma | Colon | ColonColon | DotDot | DotDotDot | Star | Amp | Question | Lt | Gt | GtGt
            | Underscore | Pipe => {}
            kind if kind.is_name() => {}
            _ => return false,
        }
    }
}

/// Ruby's `|x, y|`: reported and read.
fn pipes(p: &mut Parser<'_>) {
    p.problem(SyntaxProblemKind::BlockPipes);
    let from = p.start();
    p.bump();
    while !p.at(Pipe) && !p.on_new_line() && !p.at_stop() {
        let before = p.pos;
        if p.kind.is_word() || matches!(p.kind, LParen | Underscore | Star | Amp) {
            let from = p.start();
            param_marks(p);
            patterns::binding(p);
            if p.eat(Colon) {
                types::primary(p);
            }
            p.finish(from, Param);
        } else if !p.eat(Comma) {
            p.skip_one();
        }
        debug_assert!(p.pos > before);
    }
    if !p.on_new_line() {
        p.eat(Pipe);
    }
    p.finish(from, LambdaParams);
}

/// `'{' block '}'` after a call
pub(super) fn brace_block(p: &mut Parser<'_>) {
    let from = p.start();
    if !p.enter() {
        p.skip_construct();
        return p.finish(from, BraceBlock);
    }
    let has_params = brace_has_params(p);
    let opener = super::open_bracket(p, RBrace);
    if p.at(Pipe) {
        pipes(p);
    } else if has_params {
        p.problem(SyntaxProblemKind::BraceParams);
        params_up_to_arrow(p);
    }
    blocks::block(p, stop::BRACE);
    super::close_bracket(p, RBrace, opener);
    p.finish(from, BraceBlock);
    p.leave();
}

/// `{ x -> …`, `{ x, y -> …` and `{ (x, y) -> …`: parameters, which a brace block has not.
pub(super) fn brace_has_params(p: &Parser<'_>) -> bool {
    let is_param = |n: usize| p.nth(n).is_name() || p.nth(n) == Underscore;
    let mut n = 1;
    while is_param(n) && p.nth(n + 1) == Comma && n < 16 {
        n += 2;
    }
    let arrow = is_param(n) && p.nth(n + 1) == Arrow && !p.ahead(n + 1).has(flags::NEWLINE_BEFORE);
    let first = p.ahead(1);
    arrow || first.kind == LParen && first.has(flags::LAMBDA) && !first.has(flags::NEWLINE_BEFORE)
}
