//! What may be declared, and where? Entries of a file, attributes and modifiers, imports, constants, aliases.

use super::{
    binary, blocks, effects, exprs, foreign, functions, later, postfix, stmts, strings, type_items, types,
};
use crate::SyntaxKind::{self, *};
use crate::lexer::flags;
use crate::parser::{Parser, stop};
use crate::problems::{SyntaxProblemKind, Wanted};
use crate::tree::Checkpoint;
use qz_base::TextRange;

/// What a declaration stands in.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Level {
    File,
    Struct,
    Enum,
    Trait,
    /// `impl`, `extend`
    Impl,
    Effect,
    Actor,
    Handler,
    /// `extern "C" … end`
    Extern,
    /// A function's body: reported already.
    Body,
}

impl Level {
    /// A `def` may have no body here.
    pub(super) fn has_abstract_defs(self) -> bool {
        matches!(self, Level::Trait | Level::Effect | Level::Extern)
    }
}

// ----------------------------------------------------------------------------------------------- file level

/// `entry := item | ';'`; anything else is reported and kept.
pub(super) fn file_entry(p: &mut Parser<'_>) {
    let kind = p.kind;
    p.entry = p.pos;
    match kind {
        Semicolon => p.bump(),
        RParen | RBracket | RBrace => {
            p.problem(SyntaxProblemKind::StrayBracket { bracket: kind });
            p.skip_one();
        }
        EndKw if p.foreign_blocks > 0 => {
            p.foreign_blocks -= 1;
            p.skip_one();
        }
        EndKw => {
            p.blocks_mismatch = true;
            if !p.stray_run {
                p.problem(SyntaxProblemKind::StrayEnd);
            }
            p.skip_one();
        }
        _ if p.stop_bit() & stop::STRING != 0 => p.skip_one(),
        _ if at_static_assert(p) => {
            p.stray_run = false;
            let from = p.start_item();
            static_assert(p, from);
            blocks::end_of_line(p);
        }
        _ if at_item(p) || functions::at_member_without_def(p, Level::File) => {
            p.stray_run = false;
            item(p, Level::File);
            blocks::end_of_line(p);
        }
        _ if at_macro_call(p) => {
            p.stray_run = false;
            item_macro(p);
            blocks::end_of_line(p);
        }
        _ if foreign::item(p) => p.stray_run = false,
        _ => stray_statement(p),
    }
}

/// A call of a macro where declarations stand.
fn item_macro(p: &mut Parser<'_>) {
    let reported = p.problem_count();
    super::operands::operand(p);
    if p.last_kind() != MacroCallExpr && p.problem_count() == reported {
        p.problem_at(p.prev_range, SyntaxProblemKind::StatementAtTopLevel);
    }
}

/// A statement at module level: one report for a run of them.
fn stray_statement(p: &mut Parser<'_>) {
    if !exprs::at_start(p) && p.kind != DeferKw {
        p.expected(Wanted::Item);
        return blocks::skip_entry(p);
    }
    // In a run of them only the first says anything: what opened the run explains the rest.
    let start = p.range();
    let reported = p.problem_count();
    let again = std::mem::replace(&mut p.stray_run, true);
    p.lost += u32::from(again);
    stmts::stmt(p);
    if p.problem_count() == reported {
        let range = TextRange::new(start.start, p.prev_range.end.max(start.end));
        p.problem_at(range, SyntaxProblemKind::StatementAtTopLevel);
    }
    blocks::end_of_line(p);
    p.lost -= u32::from(again);
}

// ------------------------------------------------------------------------------------------ what is an item

/// Whether a declaration starts at the current token, where declarations stand.
pub(super) fn at_item(p: &Parser<'_>) -> bool {
    match p.kind {
        DefKw | StructKw | EnumKw | TraitKw | ImplKw | ImportKw | ConstKw | VarKw => true,
        At => p.nth(1).is_word(),
        _ => at_soft_item(p),
    }
}

/// The same inside of a function, where it is an error, and where fewer words can mean it.
pub(super) fn at_item_in_body(p: &Parser<'_>) -> bool {
    match p.kind {
        DefKw | StructKw | EnumKw | TraitKw | ImplKw | ImportKw | ConstKw => true,
        _ => at_soft_item(p),
    }
}

/// `@name` or `@name(…)` and then a declaration: in a quote it may be one, or `@c("…")`.
pub(super) fn at_attributed_item(p: &Parser<'_>) -> bool {
    p.at(At) && p.nth(1).is_word() && !p.text_from(p.ahead(1).start).starts_with("c(")
}

/// `$name(`: a macro that makes declarations.
fn at_macro_call(p: &Parser<'_>) -> bool {
    p.at(Dollar) && p.nth(1).is_word()
}

/// A contextual keyword that starts a declaration, by what follows it on the line.
fn at_soft_item(p: &Parser<'_>) -> bool {
    if !p.kind.is_name() || p.at(Ident) {
        return false;
    }
    let next = p.ahead(1);
    if next.has(flags::NEWLINE_BEFORE) {
        return false;
    }
    match p.kind {
        PrivateKw | PubKw => next.kind != Ident && next.kind.is_word() && is_declaration_word(next.kind),
        UnsafeKw => matches!(next.kind, DefKw | TraitKw | ImplKw | ExternKw),
        ExternKw => matches!(next.kind, StrStart | DefKw),
        LinearKw | PackedKw => next.kind == StructKw,
        TypeKw | NewtypeKw => next.kind.is_name() && next.has(flags::SPACE_BEFORE),
        EffectKw | ActorKw => next.has(flags::UPPER),
        ExtendKw => {
            next.kind == Lt || next.has(flags::UPPER) || next.kind == LParen && next.has(flags::SPACE_BEFORE)
        }
        MacroKw => next.kind.is_name() && (p.nth(2) == LParen || p.ahead(2).has(flags::NEWLINE_BEFORE)),
        _ => false,
    }
}

/// `static_assert(`
fn at_static_assert(p: &Parser<'_>) -> bool {
    p.at(Ident) && p.nth(1) == LParen && p.current_text() == "static_assert"
}

/// `'static_assert' arguments`
fn static_assert(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    postfix::arg_list(p);
    p.finish(from, StaticAssert);
}

fn is_declaration_word(kind: SyntaxKind) -> bool {
    matches!(kind, DefKw | StructKw | EnumKw | TraitKw | ImplKw | ImportKw | ConstKw | VarKw)
        || matches!(kind, UnsafeKw | ExternKw | LinearKw | PackedKw | TypeKw | NewtypeKw)
        || matches!(kind, EffectKw | ActorKw | ExtendKw | MacroKw | PrivateKw | PubKw)
}

/// `item := attribute* modifier* declaration`; in a type's body also its fields and variants.
pub(super) fn item(p: &mut Parser<'_>, level: Level) {
    let from = p.start_item();
    p.entry = p.pos;
    if !p.enter() {
        p.skip_construct();
        return p.finish(from, Error);
    }
    attrs(p);
    let modifiers = modifiers(p, level);
    declaration(p, from, level, modifiers);
    p.leave();
}

fn declaration(p: &mut Parser<'_>, from: Checkpoint, level: Level, modifiers: Modifiers) {
    foreign::def_word(p);
    match p.kind {
        _ if modifiers.block.is_some() => type_items::extern_block(p, from, modifiers.block),
        _ if functions::at_member_without_def(p, level) => {
            functions::def(p, from, level, modifiers.is_extern)
        }
        _ if type_items::at_member(p, level) => type_items::member(p, from, level),
        Dollar if !p.prev_was_attr && !modifiers.any && at_macro_call(p) => item_macro(p),
        DefKw => functions::def(p, from, level, modifiers.is_extern),
        StructKw => type_items::struct_def(p, from),
        EnumKw => type_items::enum_def(p, from),
        TraitKw => type_items::trait_def(p, from),
        ImplKw => type_items::impl_def(p, from),
        ImportKw => import(p, from),
        Ident if level == Level::File && at_static_assert(p) => static_assert(p, from),
        ConstKw => constant(p, from, level),
        VarKw if level == Level::Struct => {
            p.problem(SyntaxProblemKind::MisplacedModifier { keyword: VarKw });
            p.skip_one();
            declaration(p, from, level, modifiers);
        }
        VarKw => variable(p, from),
        LinearKw if p.nth(1) == StructKw => {
            p.bump();
            type_items::struct_def(p, from);
        }
        PackedKw if p.nth(1) == StructKw => binary::packed_struct(p, from),
        ExtendKw => type_items::extend_def(p, from),
        TypeKw => alias(p, from, level),
        NewtypeKw => newtype(p, from),
        EffectKw => effects::effect(p, from),
        ActorKw => type_items::actor_def(p, from),
        MacroKw => later::macro_def(p, from),
        _ => no_declaration(p, from, level, modifiers),
    }
}

/// Neither a declaration nor a member: at least one token goes into an `Error`.
fn no_declaration(p: &mut Parser<'_>, from: Checkpoint, level: Level, modifiers: Modifiers) {
    let dangling = modifiers.any || p.prev_was_attr;
    if dangling && !p.just_reported() {
        p.problem_at(p.prev_range, SyntaxProblemKind::DanglingAttr);
    } else if level == Level::File {
        p.expected(Wanted::Item);
    } else {
        p.expected(Wanted::TypeMember);
    }
    if !dangling || !(p.on_new_line() || p.at_stop()) {
        skip_statement(p);
    }
    p.finish(from, Error);
}

/// What should be a member may be the inside of a function whose `def` is missing: blocks in it have `end`s.
fn skip_statement(p: &mut Parser<'_>) {
    let before = p.pos;
    p.lost += 1;
    if exprs::at_start(p) || p.at(DeferKw) {
        stmts::stmt(p);
    }
    p.lost -= 1;
    if p.pos == before {
        blocks::skip_piece(p);
    }
    blocks::skip_line(p);
}

// ---------------------------------------------------------------------------------- attributes and modifiers

/// `attribute := '@' word arguments?`
pub(super) fn attrs(p: &mut Parser<'_>) {
    p.prev_was_attr = false;
    while p.at(At) {
        let from = p.start();
        p.bump();
        p.word(Wanted::Name);
        if p.at(LParen) && !p.spaced() {
            p.attr_args = true;
            postfix::arg_list(p);
            p.attr_args = false;
        }
        p.finish(from, Attr);
        p.prev_was_attr = true;
    }
}

/// Which modifiers stood before a declaration.
#[derive(Copy, Clone, Default)]
pub(super) struct Modifiers {
    any: bool,
    is_extern: bool,
    /// The `extern` of a block of declarations.
    block: Option<(SyntaxKind, TextRange)>,
}

/// `modifier := 'private' | 'pub' | 'unsafe' | 'extern' string 'variadic'?`
fn modifiers(p: &mut Parser<'_>, level: Level) -> Modifiers {
    let mut found = Modifiers::default();
    loop {
        let next = p.ahead(1);
        let applies = next.kind.is_word() && !next.has(flags::NEWLINE_BEFORE);
        match p.kind {
            PrivateKw if applies => {
                if matches!(level, Level::Effect | Level::Handler) {
                    p.problem(SyntaxProblemKind::MisplacedModifier { keyword: PrivateKw });
                }
                p.bump();
            }
            PubKw if applies => {
                if next.kind != ImportKw {
                    p.problem(SyntaxProblemKind::NeedlessPub);
                }
                p.bump();
            }
            UnsafeKw if applies => p.bump(),
            ConstKw if next.kind == DefKw => p.bump(),
            ExternKw if applies || next.kind == StrStart => {
                found.block = at_extern_block(p, level).then(|| p.open_block());
                extern_abi(p);
                found.is_extern = true;
                if found.block.is_some() {
                    return found;
                }
            }
            _ => return found,
        }
        found.any = true;
    }
}

/// Whether nothing stands behind the string of an `extern`.
fn at_extern_block(p: &Parser<'_>, level: Level) -> bool {
    if level != Level::File || p.nth(1) != StrStart || p.ahead(1).has(flags::NEWLINE_BEFORE) {
        return false;
    }
    let end = if p.nth(2) == StrEnd { 3 } else { 4 };
    p.nth(end - 1) == StrEnd && p.ahead(end).has(flags::NEWLINE_BEFORE)
}

/// `'extern' string 'variadic'?`
fn extern_abi(p: &mut Parser<'_>) {
    let from = p.start();
    p.bump();
    if p.at(StrStart) {
        strings::string(p);
    } else {
        p.expected(Wanted::AbiString);
    }
    if p.at(VariadicKw) && p.nth(1) == DefKw {
        p.bump();
    }
    p.finish(from, ExternAbi);
}

// ---------------------------------------------------------------------------------------------- small items

/// `'import' path ('as' name)? | 'import' name ('as' name)? (',' …)* 'from' path | 'import' '*' 'from' path`
fn import(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    if p.line_ended() {
        p.expected(Wanted::ImportPath);
        return p.finish(from, ImportDef);
    }
    if p.at(Star) {
        p.bump();
        p.expect(FromKw);
        import_path(p);
    } else if at_import_names(p) {
        import_names(p);
        p.expect(FromKw);
        import_path(p);
    } else {
        import_path(p);
        if p.at(AsKw) && !p.line_ended() {
            p.bump();
            p.name(Wanted::Name);
        }
    }
    p.finish(from, ImportDef);
}

fn at_import_names(p: &Parser<'_>) -> bool {
    match p.ahead(1) {
        next if next.has(flags::NEWLINE_BEFORE) => false,
        next if next.kind == AsKw => matches!(p.nth(3), Comma | FromKw),
        next => matches!(next.kind, Comma | FromKw),
    }
}

/// `word ('as' name)? (',' …)*`
fn import_names(p: &mut Parser<'_>) {
    loop {
        let name = p.start();
        if !p.kind.is_word() || p.at_item_line() {
            p.expected(Wanted::Name);
            break;
        }
        p.bump_as(Ident);
        if p.at(AsKw) {
            p.bump();
            p.name(Wanted::Name);
        }
        p.finish(name, ImportName);
        if !p.eat(Comma) {
            break;
        }
    }
}

/// `word ('/' word)*`
fn import_path(p: &mut Parser<'_>) {
    let from = p.start();
    if !p.word(Wanted::ImportPath) {
        return blocks::skip_line(p);
    }
    while !p.line_ended() && matches!(p.kind, Slash | ColonColon | Dot) {
        if !p.at(Slash) {
            p.expected(Wanted::Token(Slash));
        }
        p.bump_as(Slash);
        if !p.word(Wanted::ImportPath) {
            break;
        }
    }
    p.finish(from, ImportPath);
}

/// `(':' type)?`
fn annotation(p: &mut Parser<'_>) {
    if p.at(Colon) && !p.line_ended() && !stmts::at_walrus(p) {
        p.bump();
        types::annotated(p);
    }
}

/// `'=' expr`
fn initial_value(p: &mut Parser<'_>) {
    if stmts::at_walrus(p) {
        p.problem(SyntaxProblemKind::Walrus);
        p.bump();
    }
    if p.expect(Eq) {
        exprs::required(p);
    } else {
        p.empty(MissingExpr);
    }
}

/// `'const' name (':' type)? '=' expr`; in a trait the value may be missing
fn constant(p: &mut Parser<'_>, from: Checkpoint, level: Level) {
    p.bump();
    p.name(Wanted::Name);
    annotation(p);
    let declared_only = level == Level::Trait && (p.on_new_line() || !p.at(Eq));
    if !declared_only {
        initial_value(p);
    }
    p.finish(from, ConstDef);
}

/// `'var' name (':' type)? '=' expr` at module level
fn variable(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    p.name(Wanted::Name);
    annotation(p);
    initial_value(p);
    p.finish(from, VarDef);
}

/// `'type' name generics? (':' bounds)? ('=' type ('where' expr)?)?`
fn alias(p: &mut Parser<'_>, from: Checkpoint, level: Level) {
    p.bump();
    p.name(Wanted::Name);
    functions::generics(p);
    if p.at(Colon) && !p.line_ended() {
        p.bump();
        functions::bounds(p);
    }
    let declared_only = level == Level::Trait && (p.on_new_line() || !p.at(Eq));
    if !declared_only && p.expect(Eq) {
        if p.at(BinaryKw) && p.nth(1) == LBrace {
            return binary::binary(p, from);
        }
        types::annotated(p);
        if level == Level::File && p.at(WhereKw) {
            p.bump();
            exprs::required(p);
        }
    }
    p.finish(from, TypeAlias);
}

/// `'newtype' name generics? '=' type`
fn newtype(p: &mut Parser<'_>, from: Checkpoint) {
    p.bump();
    p.name(Wanted::Name);
    functions::generics(p);
    if p.expect(Eq) {
        types::annotated(p);
    }
    p.finish(from, NewtypeDef);
}
