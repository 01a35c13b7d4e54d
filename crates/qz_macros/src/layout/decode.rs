//! How is a value read? `read_from`: a local for each field, in order, and then the struct.

use qz_base::FxHashSet;

use super::declare::{local, type_of, zero_of};
use super::write::Writer;
use super::{Binary, Choice, Field, Layout, Member, sizes};

pub(super) fn read_from(it: &Binary<'_>, w: &mut Writer<'_>) {
    let name = it.name.text();
    w.at(it.name.range());
    w.put(&format!("  def read_from(~input: ~BitReader): ~Result<{name}, ~ParseError>\n"));
    declare_inactive(&it.members, false, w);
    let mut tags = FxHashSet::default();
    tags_of(&it.members, &mut tags);
    Decoder { owner: name, tags }.members(&it.members, "    ", w);
    w.at(it.name.range());
    w.put(&format!("    ~Ok({name} {{ "));
    fields(&it.members, &mut |field| {
        w.copy(field.name.range());
        w.put(&format!(": {}, ", local(field.name.text())));
    });
    w.put("})\n  end\n");
}

/// All fields, in order.
pub(super) fn fields<'a, 't>(members: &'a [Member<'t>], visit: &mut dyn FnMut(&'a Field<'t>)) {
    for member in members {
        match member {
            Member::Field(field) => visit(field),
            Member::Choice(choice) => choice.arms.iter().for_each(|arm| fields(&arm.members, visit)),
        }
    }
}

/// Fields of arms hold zero until their arm is read.
fn declare_inactive(members: &[Member<'_>], in_arm: bool, w: &mut Writer<'_>) {
    for member in members {
        match member {
            Member::Field(field) if in_arm => {
                w.at(field.name.range());
                w.put(&format!("    var {}: ", local(field.name.text())));
                type_of(&field.layout, w);
                w.put(" = ");
                zero_of(&field.layout, w);
                w.put("\n");
            }
            Member::Field(_) => {}
            Member::Choice(choice) => {
                choice.arms.iter().for_each(|arm| declare_inactive(&arm.members, true, w))
            }
        }
    }
}

/// The tags that may have no arm.
fn tags_of<'t>(members: &[Member<'t>], tags: &mut FxHashSet<&'t str>) {
    for member in members {
        if let Member::Choice(it) = member {
            if !it.has_default {
                tags.insert(it.tag.text());
            }
            it.arms.iter().for_each(|arm| tags_of(&arm.members, tags));
        }
    }
}

struct Decoder<'t> {
    owner: &'t str,
    /// Fields whose offset an error may tell later.
    tags: FxHashSet<&'t str>,
}

impl<'t> Decoder<'t> {
    fn members(&self, members: &[Member<'t>], indent: &str, w: &mut Writer<'_>) {
        for member in members {
            match member {
                Member::Field(field) => self.field(field, indent, w),
                Member::Choice(it) => self.choice(it, indent, w),
            }
        }
    }

    fn field(&self, field: &Field<'t>, indent: &str, w: &mut Writer<'_>) {
        w.at(field.name.range());
        let name = field.name.text();
        if self.tags.contains(name) {
            w.put(&format!("{indent}~{name}_at = ~input.offset\n"));
        }
        w.put(&format!("{indent}{} = ", local(name)));
        value(&field.layout, &format!("{}.{name}", self.owner), w);
        w.put("\n");
    }

    fn choice(&self, it: &Choice<'t>, indent: &str, w: &mut Writer<'_>) {
        let tag = it.tag.text();
        w.at(it.tag.range());
        w.put(&format!("{indent}match {}\n", local(tag)));
        let inner = format!("{indent}    ");
        for arm in &it.arms {
            w.at(arm.pat.range());
            w.put(&format!("{indent}  "));
            w.copy(arm.pat.range());
            w.put(" =>\n");
            self.members(&arm.members, &inner, w);
            w.put(&format!("{inner}()\n"));
        }
        w.at(it.tag.range());
        if !it.has_default {
            let value = format!("({} try_as ~Int) ?? 0x7fff_ffff_ffff_ffff", local(tag));
            w.put(&format!(
                "{indent}  _ => return ~Err(~no_arm(\"{}.{tag}\", ~{tag}_at, {value}))\n",
                self.owner
            ));
        }
        w.put(&format!("{indent}end\n"));
    }
}

/// An expression that reads one value, with `?` in it.
fn value(layout: &Layout<'_>, what: &str, w: &mut Writer<'_>) {
    match layout {
        Layout::Bool => w.put(&format!("~input.flag(\"{what}\")?")),
        Layout::Int { bits, signed, little } => {
            let method = reader(*signed, *little);
            w.put(&format!("(~input.{method}({bits}, \"{what}\")? as "));
            type_of(layout, w);
            w.put(")");
        }
        Layout::Float { bits: 32, little } => {
            w.put(&format!("~f32_of_bits(~input.{}(32, \"{what}\")?)", reader(false, *little)));
        }
        Layout::Float { little, .. } => {
            w.put(&format!("~F64.from_bits(~input.{}(64, \"{what}\")?)", reader(false, *little)));
        }
        Layout::Rest => w.put("~input.rest()"),
        Layout::Bytes(size) => {
            w.put("~input.take(");
            count(*size, w);
            w.put(&format!(", \"{what}\")?"));
        }
        Layout::CString => w.put(&format!("~input.cstring(\"{what}\")?")),
        Layout::PString { bits, little } => {
            let size = format!("(~input.{}({bits}, \"{what}\")? try_as ~Int) ?? -1", reader(false, *little));
            w.put(&format!("~input.text({size}, \"{what}\")?"));
        }
        Layout::Part(ty) => {
            w.at(ty.range());
            w.put("~read_part<");
            w.copy(ty.range());
            w.put(">(~input)?");
        }
        Layout::Array(elem, size) => {
            match size {
                Some(size) => {
                    w.put("~input.many(");
                    count(*size, w);
                    w.put(", ");
                }
                None => w.put("~input.rest_of("),
            }
            w.put(&format!("\"{what}\", -> ~Ok("));
            value(elem, what, w);
            w.put("))?");
        }
    }
}

fn count(size: qz_syntax::ast::Expr<'_>, w: &mut Writer<'_>) {
    sizes::write(size, &|name| sizes::is_field(name).then(|| local(name)), w);
}

fn reader(signed: bool, little: bool) -> &'static str {
    match (signed, little) {
        (false, false) => "bits",
        (false, true) => "bits_le",
        (true, false) => "signed",
        (true, true) => "signed_le",
    }
}
