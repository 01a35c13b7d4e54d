//! Where does a body end, and what happens behind a statement that does not end with its line?

use super::{control, exprs, lambdas, stmts, strings};
use crate::SyntaxKind::*;
use crate::parser::{Cx, Parser, ends_operand, stop};
use crate::problems::{SyntaxProblemKind, Wanted};

/// `block := (stmt separator)*` up to one of the stops (which stays). Always leaves a `Block`.
pub(super) fn block(p: &mut Parser<'_>, own: u16) {
    let saved = p.cx;
    p.cx = Cx::fresh(saved.stops | own);
    let mut from = None;
    // Arms without their `match`: only the first is reported, and they leave an `end` behind.
    let mut arms = false;
    loop {
        let foreign_branch = p.cx.stops & stop::ELSE != 0 && control::at_foreign_elsif(p);
        let ends = p.at_stop() && !p.at_surplus_end();
        if arms && p.at(EndKw) && !ends {
            p.skip_one();
            arms = false;
            continue;
        }
        if ends || foreign_branch || at_outdented_item(p) {
            break;
        }
        let start = *from.get_or_insert_with(|| p.start());
        debug_assert!(start.0 < u32::MAX);
        let before = p.pos;
        if !p.eat(Semicolon) {
            let arm = control::at_stray_arm(p);
            if arm {
                control::stray_arm(p, arms);
            } else {
                line(p);
            }
            arms |= arm;
        }
        debug_assert!(p.pos > before, "every turn consumes a token");
        if p.pos == before {
            p.skip_one();
        }
    }
    match from {
        Some(from) => p.finish(from, Block),
        None => p.empty(Block),
    }
    p.cx = saved;
}

/// A block of exactly one statement, for the short form of an arm.
pub(super) fn one_statement(p: &mut Parser<'_>) {
    let saved = p.cx;
    p.cx = Cx::fresh(saved.stops);
    let from = p.start();
    stmts::stmt(p);
    p.finish(from, Block);
    p.cx = saved;
}

/// With the indentation as witness: a declaration that cannot belong to the block it seems to stand in.
fn at_outdented_item(p: &Parser<'_>) -> bool {
    let starts_item =
        matches!(p.kind, DefKw | StructKw | EnumKw | TraitKw | ImplKw | ImportKw | ConstKw | At)
            || matches!(p.kind, PrivateKw | PubKw | ExternKw | TypeKw | NewtypeKw | ExtendKw);
    starts_item && p.outdented()
}

/// A statement and the check that its line ends behind it; or a closing token that closes nothing.
fn line(p: &mut Parser<'_>) {
    match p.kind {
        RParen | RBracket | RBrace => {
            p.problem(SyntaxProblemKind::StrayBracket { bracket: p.kind });
            return p.skip_one();
        }
        EndKw => {
            p.problem(SyntaxProblemKind::StrayEnd);
            return p.skip_one();
        }
        ElseKw | ElsifKw => {
            p.expected(Wanted::Expr);
            return p.skip_one();
        }
        _ => {}
    }
    let before = p.pos;
    stmts::stmt(p);
    if p.pos == before {
        skip_entry(p);
    } else {
        end_of_line(p);
    }
}

/// A line that starts with nothing usable, reported by the caller.
pub(super) fn skip_entry(p: &mut Parser<'_>) {
    let from = p.start();
    skip_piece(p);
    p.finish(from, Error);
    skip_line(p);
}

/// A statement ends with its line, with `;`, or where the block ends.
pub(super) fn end_of_line(p: &mut Parser<'_>) {
    if p.on_new_line() || p.at(Semicolon) || p.at_stop() {
        return;
    }
    if !p.line_reported() {
        match p.kind {
            bracket @ (RParen | RBracket | RBrace) => p.problem(SyntaxProblemKind::StrayBracket { bracket }),
            _ => p.expected(Wanted::EndOfLine),
        }
    }
    skip_line(p);
}

/// The rest of the line into an `Error` node; blocks begun on it are parsed, so that their `end`s match.
pub(super) fn skip_line(p: &mut Parser<'_>) {
    if p.on_new_line() || p.at(Semicolon) || p.at_stop() {
        return;
    }
    let from = p.start();
    while !p.on_new_line() && !p.at(Semicolon) && !p.at_stop() {
        skip_piece(p);
    }
    p.finish(from, Error);
}

/// One token, bracket, string or block: what skipping must not tear apart.
pub(super) fn skip_piece(p: &mut Parser<'_>) {
    match p.kind {
        Eof => {}
        LParen | LBracket | LBrace => p.skip_bracketed(),
        StrStart => strings::string(p),
        DoKw => lambdas::do_block(p),
        MatchKw | WhileKw | UntilKw | LoopKw => exprs::expr(p),
        IfKw | UnlessKw if !ends_operand(p.prev) => exprs::expr(p),
        _ => p.bump(),
    }
}

/// The head of an `if` or loop is over: `then`, `;` or a line break follows. A `{` is a body in braces.
pub(super) fn body_after_head(p: &mut Parser<'_>, own: u16) -> BodyForm {
    if p.at(LBrace) && !p.on_new_line() {
        p.problem(SyntaxProblemKind::BraceBody);
        return brace_body(p);
    }
    if !p.eat(ThenKw) && !p.on_new_line() && !p.at(Semicolon) && !p.at_stop() {
        if !p.line_reported() {
            p.expected(Wanted::Either(ThenKw, Newline));
        }
        skip_line(p);
    }
    block(p, own);
    BodyForm::End
}

/// What closes a body.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum BodyForm {
    /// `end`, still to come.
    End,
    /// `}`, already taken.
    Brace,
}

/// `{ … }` where a body up to `end` belongs; reported by the caller.
pub(super) fn brace_body(p: &mut Parser<'_>) -> BodyForm {
    let opener = super::open_bracket(p, RBrace);
    block(p, stop::BRACE);
    super::close_bracket(p, RBrace, opener);
    BodyForm::Brace
}

/// The `end` of a construct whose body may have been in braces.
pub(super) fn finish_body(
    p: &mut Parser<'_>,
    form: BodyForm,
    opener: (crate::SyntaxKind, qz_base::TextRange),
) {
    match form {
        BodyForm::End => p.close_block(opener),
        BodyForm::Brace => p.forget_block(),
    }
}

/// `condition := expr`; an assignment in its place is reported.
pub(super) fn condition(p: &mut Parser<'_>) {
    let from = p.start();
    exprs::expr(p);
    control::no_assignment(p, from);
}
