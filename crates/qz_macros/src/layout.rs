//! What do `type P = binary { … }` and `packed struct` mean? Each becomes ordinary declarations in text, whose pieces count as
//! written where the field they stand for was.
//!
//! * [`read`]: the declaration as a [`Binary`], or what is wrong with it; [`sizes`] says what a count may be;
//! * [`declare`]: the struct, its methods and its equality; [`decode`], [`encode`]: the two halves of its `Binary`;
//! * [`packed`]: the same for packed structs;
//! * [`write`]: text with places, in which a name of the library (`~name`) is hygienic.
//!
//! What runs is in `std/binary.qz`.

mod declare;
mod decode;
mod encode;
mod packed;
mod read;
mod sizes;
mod write;

use qz_base::{Span, TextRange};
use qz_diag::Diagnostic;
use qz_syntax::SyntaxKind::{BinaryDef, PackedStructDef, SourceFile};
use qz_syntax::ast::{self, AstNode};
use qz_syntax::{SyntaxNode, SyntaxToken};

use crate::code::{Code, ExpansionId, Parsed};

/// The name of the only field in what is left of a declaration with a problem.
const FAILED: &str = "failed\u{F8FF}";

/// A `type P = binary { … }` without problems.
struct Binary<'t> {
    name: SyntaxToken<'t>,
    is_private: bool,
    members: Vec<Member<'t>>,
}

enum Member<'t> {
    Field(Field<'t>),
    Choice(Choice<'t>),
}

struct Field<'t> {
    name: SyntaxToken<'t>,
    layout: Layout<'t>,
    /// Of a computed field.
    value: Option<SyntaxNode<'t>>,
    /// It stands in an arm.
    in_arm: bool,
}

/// `match tag … end`.
struct Choice<'t> {
    tag: SyntaxToken<'t>,
    arms: Vec<Arm<'t>>,
    has_default: bool,
    range: TextRange,
}

struct Arm<'t> {
    pat: SyntaxNode<'t>,
    members: Vec<Member<'t>>,
}

/// What a field's bits mean.
enum Layout<'t> {
    Bool,
    Int {
        bits: u32,
        signed: bool,
        little: bool,
    },
    Float {
        bits: u32,
        little: bool,
    },
    /// All bytes that are left.
    Rest,
    Bytes(ast::Expr<'t>),
    /// Text that a zero byte ends.
    CString,
    /// Text behind its size.
    PString {
        bits: u32,
        little: bool,
    },
    /// Of a type that says itself how.
    Part(SyntaxNode<'t>),
    /// Without a count: up to the end.
    Array(Box<Layout<'t>>, Option<ast::Expr<'t>>),
}

/// Whether a node is a declaration of this kind that is still to be expanded, or a file with one.
pub(crate) fn has_layouts(node: SyntaxNode<'_>) -> bool {
    match node.kind() {
        SourceFile => node.children().any(is_layout),
        _ => is_layout(node),
    }
}

pub(crate) fn is_layout(node: SyntaxNode<'_>) -> bool {
    matches!(node.kind(), BinaryDef | PackedStructDef)
        && !node
            .children()
            .any(|it| it.token(qz_syntax::SyntaxKind::Ident).is_some_and(|name| name.text() == FAILED))
}

/// The declarations that a layout stands for. With a problem, only its name is left.
pub(crate) fn expand(
    source: &Parsed,
    node: SyntaxNode<'_>,
    id: ExpansionId,
    problems: &mut Vec<Diagnostic>,
) -> Code {
    let mut writer = write::Writer::new(source, id, node.range());
    if let Some(it) = ast::BinaryDef::cast(node) {
        if let Some(binary) = read::binary(source, it, problems) {
            declare::binary(&binary, &mut writer);
            return writer.finish();
        }
    } else if let Some(it) = ast::PackedStructDef::cast(node)
        && let Some(packed) = packed::read(source, it, problems)
    {
        packed::declare(&packed, &mut writer);
        return writer.finish();
    }
    if let Some(name) = name_of(node) {
        writer.put("type ");
        writer.copy(name.range());
        writer.put(&format!(" = binary {{ {FAILED}: u8 }}\n"));
    }
    writer.finish()
}

fn name_of(node: SyntaxNode<'_>) -> Option<SyntaxToken<'_>> {
    node.token(qz_syntax::SyntaxKind::Ident)
}

/// What the user wrote, as one short line.
fn shown(text: &str) -> String {
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = words.char_indices().nth(40) {
        words.truncate(at);
        words.push('…');
    }
    words
}

fn place(source: &Parsed, range: TextRange) -> Span {
    source.place(range).0
}
