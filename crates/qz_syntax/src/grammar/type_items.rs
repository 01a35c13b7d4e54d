//! How are types declared? Structs, enums, traits, impls and their members.

use super::functions::{bounds, generics, where_clause};
use super::items::{self, Level};
use super::{blocks, exprs, list, types};
use crate::SyntaxKind::{self, *};
use crate::lexer::flags;
use crate::parser::{Parser, stop};
use crate::problems::{SyntaxProblemKind, Wanted};
use crate::tree::Checkpoint;
use qz_base::TextRange;

/// `'struct' name generics? where? body`
pub(super) fn struct_def(p: &mut Parser<'_>, from: Checkpoint) {
    named_type(p, Level::Struct);
    p.finish(from, StructDef);
}

/// `'enum' name generics? where? body`
pub(super) fn enum_def(p: &mut Parser<'_>, from: Checkpoint) {
    named_type(p, Level::Enum);
    p.finish(from, EnumDef);
}

/// `'actor' name generics? where? body`
pub(super) fn actor_def(p: &mut Parser<'_>, from: Checkpoint) {
    named_type(p, Level::Actor);
    p.finish(from, ActorDef);
}

/// `'trait' name generics? (':' bounds)? where? body`
pub(super) fn trait_def(p: &mut Parser<'_>, from: Checkpoint) {
    named_type(p, Level::Trait);
    p.finish(from, TraitDef);
}

/// `keyword name generics? (':' bounds)? where? body`
pub(super) fn named_type(p: &mut Parser<'_>, level: Level) {
    let opener = p.open_block();
    p.bump();
    p.name(Wanted::Name);
    generics(p);
    if level == Level::Trait && p.at(Colon) && !p.line_ended() {
        p.bump();
        bounds(p);
    }
    where_clause(p);
    body(p, opener, level);
}

/// `'impl' generics? '!'? type ('for' type)? where? body`
pub(super) fn impl_def(p: &mut Parser<'_>, from: Checkpoint) {
    let opener = p.open_block();
    p.bump();
    generics(p);
    if p.at(Bang) && !p.line_ended() {
        p.bump();
    }
    types::type_expr(p);
    if p.at(ForKw) && !p.line_ended() {
        p.bump();
        types::type_expr(p);
    }
    where_clause(p);
    body(p, opener, Level::Impl);
    p.finish(from, ImplDef);
}

/// `'extend' generics? type where? body`
pub(super) fn extend_def(p: &mut Parser<'_>, from: Checkpoint) {
    let opener = p.open_block();
    p.bump();
    generics(p);
    types::type_expr(p);
    where_clause(p);
    body(p, opener, Level::Impl);
    p.finish(from, ExtendDef);
}

/// `'extern' string (attribute* modifier* 'def' header)* 'end'`, behind the string
pub(super) fn extern_block(p: &mut Parser<'_>, from: Checkpoint, opener: Option<(SyntaxKind, TextRange)>) {
    let opener = opener.unwrap_or_else(|| p.open_block());
    body(p, opener, Level::Extern);
    p.finish(from, ExternBlock);
}

// --------------------------------------------------------------------------------------------------- bodies

/// `(member separator)* 'end'`
pub(super) fn body(p: &mut Parser<'_>, opener: (SyntaxKind, TextRange), level: Level) {
    let brace = p.at(LBrace) && !p.on_new_line();
    if brace {
        p.problem(SyntaxProblemKind::BraceBody);
        p.bump();
    } else if !p.on_new_line() && !matches!(p.kind, Semicolon | EndKw | Eof) {
        if !p.line_reported() {
            p.expected(Wanted::EndOfLine);
        }
        blocks::skip_line(p);
    }
    let saved = p.cx;
    p.cx.lines = true;
    p.cx.no_do = false;
    p.cx.stops |= if brace { stop::BRACE } else { stop::END };
    members(p, level);
    p.cx = saved;
    if brace && p.at(RBrace) {
        p.bump();
        p.forget_block();
    } else {
        p.close_block(opener);
    }
}

fn members(p: &mut Parser<'_>, level: Level) {
    let indented = p.line_indent() > p.block_indent();
    let mut comma_reported = false;
    let mut stray_run = false;
    loop {
        let named_like_stop = at_member(p, level);
        let ends = p.at_stop() && !named_like_stop && !p.at_surplus_end();
        if ends || indented && p.outdented() {
            break;
        }
        let before = p.pos;
        if p.at(Semicolon) {
            p.bump();
        } else if p.at(EndKw) && !named_like_stop {
            if !stray_run {
                p.problem(SyntaxProblemKind::StrayEnd);
            }
            p.skip_one();
        } else if p.at(Comma) {
            if !std::mem::replace(&mut comma_reported, true) {
                p.expected(Wanted::EndOfLine);
            }
            p.skip_one();
        } else {
            stray_run = member_line(p, level, stray_run);
        }
        debug_assert!(p.pos > before, "every turn consumes a token");
        if p.pos == before {
            p.skip_one();
        }
    }
}

/// A member and its line's end. Among lines that are no members only the first is reported; tells whether this was
/// one of them.
fn member_line(p: &mut Parser<'_>, level: Level, stray_run: bool) -> bool {
    let module_level =
        matches!(p.kind, StructKw | EnumKw | TraitKw | ImplKw | ImportKw) && !at_member(p, level);
    if module_level {
        p.problem(SyntaxProblemKind::ItemInBody { keyword: p.kind });
        p.blocks_mismatch = true;
    }
    if matches!(p.kind, RParen | RBracket | RBrace) {
        p.problem(SyntaxProblemKind::StrayBracket { bracket: p.kind });
        p.skip_one();
        return stray_run;
    }
    let quiet = stray_run && !items::at_item(p) && !starts_field(p);
    p.lost += u32::from(quiet);
    items::item(p, level);
    let stray = p.last_kind() == Error;
    if !p.at(Comma) {
        blocks::end_of_line(p);
    }
    p.lost -= u32::from(quiet);
    stray || quiet
}

/// `name ':'`
fn starts_field(p: &Parser<'_>) -> bool {
    p.kind.is_word() && p.nth(1) == Colon
}

/// A field's or variant's name: any word where it cannot start a declaration.
pub(super) fn at_member(p: &Parser<'_>, level: Level) -> bool {
    let next = p.ahead(1);
    let on_line = !next.has(flags::NEWLINE_BEFORE);
    match level {
        Level::Struct | Level::Actor => {
            p.kind.is_word() && next.kind == Colon && on_line || p.kind.is_name() && !items::at_item(p)
        }
        Level::Enum => p.kind.is_name() && !items::at_item(p),
        _ => false,
    }
}

/// A field or a variant, behind its attributes and modifiers.
pub(super) fn member(p: &mut Parser<'_>, from: Checkpoint, level: Level) {
    if level == Level::Enum { variant(p, from) } else { field(p, from) }
}

/// `word ':' type ('=' expr)?`
fn field(p: &mut Parser<'_>, from: Checkpoint) {
    super::foreign::field_word(p);
    p.bump_as(Ident);
    if p.expect(Colon) {
        types::annotated(p);
    } else {
        p.empty(MissingType);
    }
    if p.at(Eq) && !p.line_ended() {
        p.bump();
        exprs::required(p);
    }
    p.finish(from, FieldDef);
}

/// `name ('(' payload (',' payload)* ')')? ('=' expr)?`
fn variant(p: &mut Parser<'_>, from: Checkpoint) {
    if p.current_text() == "case" && p.nth(1).is_name() && !p.ahead(1).has(flags::NEWLINE_BEFORE) {
        p.problem(SyntaxProblemKind::MatchCase { pipe: false });
        p.skip_one();
    }
    p.bump_as(Ident);
    if p.at(LParen) && !p.on_new_line() {
        let payload = p.start();
        list(p, RParen, payload_field);
        p.finish(payload, Payload);
    }
    if p.at(Eq) && !p.line_ended() {
        p.bump();
        exprs::required(p);
    }
    p.finish(from, VariantDef);
}

/// `(word ':')? type`
fn payload_field(p: &mut Parser<'_>) {
    let from = p.start();
    if p.kind.is_word() && p.nth(1) == Colon {
        p.bump_as(Ident);
        p.bump();
    }
    types::type_expr(p);
    p.finish(from, PayloadField);
}
