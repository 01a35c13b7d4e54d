//! Which declarations does a binary type become? A struct with a field for each of its own, `encode`, `decode` and their kin, and
//! its `Binary`. Computed fields follow from the others, so they take no part in `==` and `hash`.

use qz_syntax::SyntaxKind;

use super::write::Writer;
use super::{Binary, Field, Layout, decode, encode};

/// Methods of every binary type, whose names no field can have.
pub(super) const METHODS: &[&str] = &["decode", "decode_exact", "decode_at", "encode"];

pub(super) fn binary(it: &Binary<'_>, w: &mut Writer<'_>) {
    let name = it.name.text();
    w.put(if it.is_private { "private struct " } else { "struct " });
    w.copy(it.name.range());
    w.put("\n");
    decode::fields(&it.members, &mut |field| declare_field(field, w));
    w.at(it.name.range());
    methods(name, w);
    w.put("end\n\n");
    w.put(&format!("impl ~Binary for {name}\n  def zero(): {name} = {name} {{ "));
    decode::fields(&it.members, &mut |field| {
        w.copy(field.name.range());
        w.put(": ");
        zero_of(&field.layout, w);
        w.put(", ");
    });
    w.put("}\n");
    decode::read_from(it, w);
    encode::write_to(it, w);
    w.put("end\n");
    equality(it, w);
}

/// `encode`, `decode` and their kin.
pub(super) fn methods(name: &str, w: &mut Writer<'_>) {
    w.put(&format!(
        "  def decode(~bytes: ~Bytes): ~Result<{name}, ~ParseError> = ~decode_start<{name}>(~bytes)
  def decode_exact(~bytes: ~Bytes): ~Result<{name}, ~ParseError> = ~decode_whole<{name}>(~bytes, \"{name}\")
  def decode_at(~bytes: ~Bytes, ~offset: ~Int): ~Result<({name}, ~Int), ~ParseError> = ~decode_from<{name}>(~bytes, ~offset)
  def encode(self): ~Bytes = ~encode_whole(self)
"
    ));
}

/// A field of the struct. What need not be given has a default: computed fields, those of arms, and `_padding`.
fn declare_field(field: &Field<'_>, w: &mut Writer<'_>) {
    w.at(field.name.range());
    w.put("  ");
    w.copy(field.name.range());
    w.put(": ");
    type_of(&field.layout, w);
    if field.value.is_some() || field.in_arm || field.name.text().starts_with('_') {
        w.put(" = ");
        zero_of(&field.layout, w);
    }
    w.put("\n");
}

fn equality(it: &Binary<'_>, w: &mut Writer<'_>) {
    let mut own = Vec::new();
    let mut all = 0;
    decode::fields(&it.members, &mut |field| {
        all += 1;
        if field.value.is_none() {
            own.push(field);
        }
    });
    if own.len() == all {
        return;
    }
    let name = it.name.text();
    w.put(&format!("\nimpl ~Eq for {name}\n  def op_eq(self, ~other: {name}): ~Bool = true"));
    for field in &own {
        let name = field.name.text();
        w.put(&format!(" and self.{name} == ~other.{name}"));
    }
    // Equal values have equal hashes also when parts are left out that may have none.
    let hashed =
        own.iter().filter(|it| matches!(it.layout, Layout::Int { .. } | Layout::Bool | Layout::CString));
    w.put(&format!("\nend\n\nimpl ~Hash for {name}\n  def hash(self): ~Int = "));
    let mut depth = 0;
    for field in hashed {
        w.put(&format!("(self.{}, ", field.name.text()));
        depth += 1;
    }
    w.put(&format!("0{}\nend\n", ").hash".repeat(depth)));
}

/// The local that holds a field while it is read.
pub(super) fn local(name: &str) -> String {
    if SyntaxKind::is_hard_keyword_text(name) || name.starts_with('_') {
        format!("~{name}")
    } else {
        name.to_owned()
    }
}

/// Writes the type of a field.
pub(super) fn type_of(layout: &Layout<'_>, w: &mut Writer<'_>) {
    match layout {
        Layout::Bool => w.put("~Bool"),
        Layout::Int { bits, signed, .. } => w.put(int_type(*bits, *signed)),
        Layout::Float { bits: 32, .. } => w.put("~F32"),
        Layout::Float { .. } => w.put("~F64"),
        Layout::Rest | Layout::Bytes(_) => w.put("~Bytes"),
        Layout::CString | Layout::PString { .. } => w.put("~String"),
        Layout::Part(ty) => w.copy(ty.range()),
        Layout::Array(elem, _) => {
            w.put("~Vec<");
            type_of(elem, w);
            w.put(">");
        }
    }
}

/// The smallest integer that holds so many bits.
pub(super) fn int_type(bits: u32, signed: bool) -> &'static str {
    match (bits, signed) {
        (..=8, false) => "~U8",
        (..=16, false) => "~U16",
        (..=32, false) => "~U32",
        (_, false) => "~U64",
        (..=8, true) => "~I8",
        (..=16, true) => "~I16",
        (..=32, true) => "~I32",
        (_, true) => "~Int",
    }
}

/// Writes what an inactive field holds.
pub(super) fn zero_of(layout: &Layout<'_>, w: &mut Writer<'_>) {
    match layout {
        Layout::Bool => w.put("false"),
        Layout::Int { .. } => w.put("0"),
        Layout::Float { .. } => w.put("0.0"),
        Layout::Rest | Layout::Bytes(_) => w.put("~Bytes.new()"),
        Layout::CString | Layout::PString { .. } => w.put("\"\""),
        Layout::Part(ty) => {
            w.at(ty.range());
            w.put("~zero_part<");
            w.copy(ty.range());
            w.put(">()");
        }
        Layout::Array(..) => w.put("[]"),
    }
}
