//! What does `packed struct(u32) Name` become? A newtype of its word, a method for each field, and a value struct with the fields
//! taken apart, `NameFields`, through which the checker reads literals, `.with` and patterns.

use qz_base::name::{PACKED_APART, PACKED_TOGETHER, without_marks};
use qz_base::{FxHashMap, TextRange};
use qz_diag::{Code, Diagnostic};
use qz_syntax::SyntaxKind::{Error, MissingExpr, MissingType};
use qz_syntax::ast::{self, AstNode};
use qz_syntax::{SyntaxNode, SyntaxToken};

use super::write::Writer;
use super::{Layout, declare, place, read, shown};
use crate::code::Parsed;

pub(super) struct Packed<'t> {
    name: SyntaxToken<'t>,
    is_private: bool,
    bits: u32,
    little: bool,
    fields: Vec<Field<'t>>,
    /// Methods and the like that stand in the body.
    items: Vec<SyntaxNode<'t>>,
}

struct Field<'t> {
    name: SyntaxToken<'t>,
    kind: Kind,
    /// The lowest bit.
    at: u32,
    width: u32,
    default: Option<SyntaxNode<'t>>,
}

#[derive(Copy, Clone)]
enum Kind {
    Bool,
    Unsigned,
    Signed,
}

/// Methods of every packed struct, whose names no field can have.
const METHODS: &[&str] = &["fields", "self"];

pub(super) fn read<'t>(
    source: &'t Parsed,
    it: ast::PackedStructDef<'t>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Packed<'t>> {
    let name = it.name()?;
    let before = problems.len();
    read::refuse_attrs(source, it.attrs().next(), "a packed struct", problems);
    let word = word(source, name, it.repr(), problems);
    let mut seen: FxHashMap<&str, TextRange> = FxHashMap::default();
    let mut fields = Vec::new();
    let mut used = 0;
    for field in it.fields() {
        let Some(name) = field.name() else { continue };
        check_name(source, name, &mut seen, problems);
        if let Some(attr) = field.attrs().next() {
            read::refuse_attrs(source, Some(attr), "a field of a packed struct", problems);
        }
        if let Some((kind, width)) = field_type(source, field, problems) {
            fields.push(Field {
                name,
                kind,
                at: used,
                width,
                default: field.default().map(|it| it.syntax()),
            });
            used += width;
        }
    }
    let (bits, little) = word?;
    if problems.len() == before && used != bits {
        problems.push(wrong_sum(source, name, used, bits));
    }
    let broken = it
        .fields()
        .any(|it| it.syntax().descendants().any(|it| matches!(it.kind(), MissingExpr | MissingType)))
        || it.syntax().children().any(|it| it.kind() == Error);
    let items = it.items().map(|it| it.syntax()).collect();
    let fine = problems.len() == before && !broken;
    fine.then(|| Packed { name, is_private: it.is_private(), bits, little, fields, items })
}

/// The word that a packed struct is, and its order of bytes.
fn word(
    source: &Parsed,
    name: SyntaxToken<'_>,
    repr: Option<ast::TypeExpr<'_>>,
    problems: &mut Vec<Diagnostic>,
) -> Option<(u32, bool)> {
    let help = "for example `packed struct(u32)`";
    let Some(repr) = repr else {
        let message = format!("the packed struct `{}` does not say what it is packed into", name.text());
        problems.push(Diagnostic::new(Code::BINARY_FORM, place(source, name.range()), message).help(help));
        return None;
    };
    let text = without_marks(repr.syntax().text()).to_lowercase();
    match read::number(&text) {
        Ok(Layout::Int { bits, signed: false, little }) if matches!(bits, 8 | 16 | 32 | 64) => {
            Some((bits, little))
        }
        _ => {
            let message = format!(
                "a packed struct is a `u8`, `u16`, `u32` or `u64`, not `{}`",
                shown(repr.syntax().text())
            );
            problems.push(
                Diagnostic::new(Code::BINARY_WIDTH, place(source, repr.syntax().range()), message).help(help),
            );
            None
        }
    }
}

fn check_name<'t>(
    source: &Parsed,
    name: SyntaxToken<'t>,
    seen: &mut FxHashMap<&'t str, TextRange>,
    problems: &mut Vec<Diagnostic>,
) {
    let (text, span) = (name.text(), place(source, name.range()));
    if METHODS.contains(&text) || declare::METHODS.contains(&text) {
        let message = format!("a field of a packed struct cannot be called `{text}`");
        problems.push(Diagnostic::new(Code::BINARY_FORM, span, message));
    } else if let Some(&first) = seen.get(text) {
        let message = format!("the packed struct has two fields `{text}`");
        problems
            .push(Diagnostic::new(Code::BINARY_FORM, span, message).at(place(source, first), "here first"));
    }
    seen.entry(text).or_insert(name.range());
}

fn field_type(
    source: &Parsed,
    field: ast::FieldDef<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<(Kind, u32)> {
    let ty = field.ty()?.syntax();
    if matches!(ty.kind(), MissingType) {
        return None;
    }
    let text = &*without_marks(ty.text());
    let (code, message) = match (text, read::number(text)) {
        ("bool", _) => return Some((Kind::Bool, 1)),
        (text, Ok(Layout::Int { bits, signed, .. })) if !text.ends_with("le") && !text.ends_with("be") => {
            return Some((if signed { Kind::Signed } else { Kind::Unsigned }, bits));
        }
        (text, Ok(Layout::Int { .. })) => (
            Code::BINARY_LAYOUT,
            format!("bits within a word have no order of bytes, so `{text}` cannot stand here"),
        ),
        (_, Err((Code::BINARY_WIDTH, message))) => (Code::BINARY_WIDTH, message),
        (text, _) => (Code::BINARY_LAYOUT, format!("`{}` is no number of bits", shown(text))),
    };
    let problem = Diagnostic::new(code, place(source, ty.range()), message);
    problems.push(problem.help("fields of a packed struct are `u1` to `u64`, `i2` to `i64` and `bool`"));
    None
}

fn wrong_sum(source: &Parsed, name: SyntaxToken<'_>, used: u32, bits: u32) -> Diagnostic {
    let message = format!("the fields of `{}` take {used} bits, and it is packed into {bits}", name.text());
    let problem = Diagnostic::new(Code::BINARY_WIDTH, place(source, name.range()), message);
    if used < bits {
        problem.help(format!("name what is left: `_reserved: u{}`", bits - used))
    } else {
        problem
    }
}

pub(super) fn declare(it: &Packed<'_>, w: &mut Writer<'_>) {
    let name = it.name.text();
    let private = if it.is_private { "private " } else { "" };
    let word = declare::int_type(it.bits, false);
    w.put(&format!("{private}newtype "));
    w.copy(it.name.range());
    w.put(&format!(" = {word}\n\n@value\n{private}struct {name}Fields\n"));
    for field in &it.fields {
        declare_field(field, w);
    }
    w.at(it.name.range());
    w.put(&format!("end\n\nimpl {name}\n"));
    for field in &it.fields {
        getter(field, word, w);
    }
    w.at(it.name.range());
    w.put(&format!("  def fields(self): {name}Fields = {name}Fields {{ "));
    for field in &it.fields {
        w.put(&format!("{0}: self.{0}, ", field.name.text()));
    }
    w.put(&format!("}}\n  def {PACKED_APART}(self): {name}Fields = self.fields\n"));
    w.put(&format!("  def {PACKED_TOGETHER}(~fields: {name}Fields): {name} = {name}(("));
    for (n, field) in it.fields.iter().enumerate() {
        w.at(field.name.range());
        w.put(if n > 0 { " | " } else { "" });
        in_place(field, name, w);
    }
    w.at(it.name.range());
    w.put(&format!(") as {word})\n"));
    declare::methods(name, w);
    for item in &it.items {
        w.put("  ");
        w.copy(item.range());
        w.put("\n");
    }
    w.put("end\n\n");
    traits(it, word, w);
}

fn declare_field(field: &Field<'_>, w: &mut Writer<'_>) {
    w.at(field.name.range());
    w.put("  ");
    w.copy(field.name.range());
    w.put(&format!(": {}", field.type_name()));
    if let Some(default) = field.default {
        w.put(" = ");
        w.copy(default.range());
    } else if field.name.text().starts_with('_') {
        w.put(if matches!(field.kind, Kind::Bool) { " = false" } else { " = 0" });
    }
    w.put("\n");
}

impl Field<'_> {
    fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Bool => "~Bool",
            Kind::Unsigned => declare::int_type(self.width, false),
            Kind::Signed => declare::int_type(self.width, true),
        }
    }
}

fn getter(field: &Field<'_>, word: &str, w: &mut Writer<'_>) {
    let (ty, at, width) = (field.type_name(), field.at, field.width);
    w.at(field.name.range());
    w.put("  def ");
    w.copy(field.name.range());
    w.put(&format!("(self): {ty} = "));
    let word = format!("self as {word} as ~U64");
    match field.kind {
        Kind::Bool => w.put(&format!("~packed_bits({word}, {at}, 1) != 0\n")),
        Kind::Unsigned => w.put(&format!("~packed_bits({word}, {at}, {width}) as {ty}\n")),
        Kind::Signed => w.put(&format!("~packed_signed({word}, {at}, {width}) as {ty}\n")),
    }
}

/// A field's value, in its place of the word.
fn in_place(field: &Field<'_>, owner: &str, w: &mut Writer<'_>) {
    let name = field.name.text();
    let (function, ty) = match field.kind {
        Kind::Signed => ("packed_signed_place", "Int"),
        _ => ("packed_place", "U64"),
    };
    let what = format!("\"{owner}.{name}\"");
    w.put(&format!("~{function}(~fields.{name} as ~{ty}, {}, {}, {what})", field.at, field.width));
}

fn traits(it: &Packed<'_>, word: &str, w: &mut Writer<'_>) {
    let (name, bits) = (it.name.text(), it.bits);
    w.put(&format!("impl ~Show for {name}\n  def show(self): ~String = \"{name} {{ "));
    for (n, field) in it.fields.iter().enumerate() {
        let comma = if n > 0 { ", " } else { "" };
        w.put(&format!("{comma}{0}: #{{self.{0}}}", field.name.text()));
    }
    let order = if it.little { "bits_le" } else { "bits" };
    w.put(&format!(
        " }}\"
end

impl ~Binary for {name}
  def zero(): {name} = {name}(0)
  def read_from(~input: ~BitReader): ~Result<{name}, ~ParseError> = ~Ok({name}(~input.{order}({bits}, \"{name}\")? as {word}))
  def write_to(self, ~out: ~BitWriter): ~Void = ~out.{order}(self as {word} as ~U64, {bits}, \"{name}\")
end
"
    ));
}
