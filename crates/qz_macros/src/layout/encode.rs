//! How is a value written? `write_to`: the fields in order, computed ones by their expressions.

use qz_base::name::without_marks;
use qz_base::{FxHashMap, FxHashSet, TextRange};
use qz_syntax::SyntaxNode;
use qz_syntax::ast::{self, AstNode};

use super::declare::type_of;
use super::write::Writer;
use super::{Binary, Choice, Field, Layout, Member, decode, sizes};

struct Encoder<'a, 't> {
    owner: &'t str,
    /// Computed fields by name.
    computed: FxHashMap<&'t str, &'a Field<'t>>,
    /// Those whose value is known here.
    known: FxHashSet<&'t str>,
}

pub(super) fn write_to(it: &Binary<'_>, w: &mut Writer<'_>) {
    w.at(it.name.range());
    w.put("  def write_to(self, ~out: ~BitWriter): ~Void\n");
    let mut computed = FxHashMap::default();
    decode::fields(&it.members, &mut |field| {
        if field.value.is_some() {
            computed.insert(field.name.text(), field);
        }
    });
    let mut encoder = Encoder { owner: it.name.text(), computed, known: FxHashSet::default() };
    encoder.members(&it.members, "    ", w);
    w.put("    ()\n  end\n");
}

/// The computed fields that an expression reads through `self`, and where.
pub(super) fn uses<'t>(value: SyntaxNode<'t>) -> Vec<(TextRange, &'t str)> {
    let fields = value.descendants().filter_map(ast::FieldExpr::cast);
    let of_self = fields.filter(|it| matches!(it.receiver(), Some(ast::Expr::SelfExpr(_))));
    of_self.filter_map(|it| Some((it.syntax().range(), it.name()?.text()))).collect()
}

impl<'t> Encoder<'_, 't> {
    fn members(&mut self, members: &[Member<'t>], indent: &str, w: &mut Writer<'_>) {
        for member in members {
            match member {
                Member::Field(field) => self.field(field, indent, w),
                Member::Choice(it) => self.choice(it, indent, w),
            }
        }
    }

    fn field(&mut self, field: &Field<'t>, indent: &str, w: &mut Writer<'_>) {
        let name = field.name.text();
        self.compute(name, indent, w);
        self.sizes(&field.layout, indent, w);
        w.at(field.name.range());
        w.put(indent);
        let value = self.value_of(name);
        self.write(&field.layout, &value, &format!("{}.{name}", self.owner), indent, 0, w);
        w.put("\n");
    }

    /// What stands for a field: a computed one is a local by now.
    fn value_of(&self, name: &str) -> String {
        if self.computed.contains_key(name) { format!("~{name}_now") } else { format!("self.{name}") }
    }

    /// Makes the local of a computed field, after those that it reads. That they form no cycle was checked.
    fn compute(&mut self, name: &'t str, indent: &str, w: &mut Writer<'_>) {
        let Some(&field) = self.computed.get(name) else { return };
        let Some(value) = field.value.filter(|_| self.known.insert(name)) else { return };
        let mut replaced = Vec::new();
        for (range, used) in uses(value) {
            if self.computed.contains_key(used) {
                self.compute(used, indent, w);
                replaced.push((range, self.value_of(used)));
            }
        }
        w.at(field.name.range());
        w.put(&format!("{indent}~{name}_now: "));
        type_of(&field.layout, w);
        w.put(" = (");
        w.copy_with(value, &replaced);
        w.put(")");
        if matches!(field.layout, Layout::Int { .. } | Layout::Float { .. }) {
            w.put(" as ");
            type_of(&field.layout, w);
        }
        w.put("\n");
    }

    /// Makes the locals that sizes in a layout read.
    fn sizes(&mut self, layout: &Layout<'t>, indent: &str, w: &mut Writer<'_>) {
        let size = match layout {
            Layout::Bytes(size) => Some(*size),
            Layout::Array(elem, size) => {
                self.sizes(elem, indent, w);
                *size
            }
            _ => None,
        };
        for path in size.into_iter().flat_map(|it| it.syntax().descendants()) {
            if path.kind() == qz_syntax::SyntaxKind::PathExpr {
                let name = self.computed.get_key_value(&*without_marks(path.text())).map(|it| *it.0);
                name.into_iter().for_each(|name| self.compute(name, indent, w));
            }
        }
    }

    fn choice(&mut self, it: &Choice<'t>, indent: &str, w: &mut Writer<'_>) {
        self.compute(it.tag.text(), indent, w);
        w.at(it.range);
        w.put(&format!("{indent}match {}\n", self.value_of(it.tag.text())));
        let inner = format!("{indent}    ");
        for arm in &it.arms {
            w.at(arm.pat.range());
            w.put(&format!("{indent}  "));
            w.copy(arm.pat.range());
            w.put(" =>\n");
            let known = self.known.clone();
            self.members(&arm.members, &inner, w);
            self.known = known;
            w.put(&format!("{inner}()\n"));
        }
        w.at(it.range);
        if !it.has_default {
            w.put(&format!("{indent}  _ => ()\n"));
        }
        w.put(&format!("{indent}end\n"));
    }

    /// A statement that writes one value.
    fn write(
        &self,
        layout: &Layout<'t>,
        value: &str,
        what: &str,
        indent: &str,
        depth: u32,
        w: &mut Writer<'_>,
    ) {
        match layout {
            Layout::Bool => w.put(&format!("~out.flag({value})")),
            Layout::Int { bits, signed: false, little } => {
                w.put(&format!("~out.{}({value} as ~U64, {bits}, \"{what}\")", writer(*little)));
            }
            Layout::Int { bits, little, .. } => {
                let method = if *little { "signed_le" } else { "signed" };
                w.put(&format!("~out.{method}({value} as ~Int, {bits}, \"{what}\")"));
            }
            Layout::Float { bits: 32, little } => {
                w.put(&format!("~out.{}(~bits_of_f32({value}), 32, \"{what}\")", writer(*little)));
            }
            Layout::Float { little, .. } => {
                w.put(&format!("~out.{}({value}.to_bits, 64, \"{what}\")", writer(*little)));
            }
            Layout::Rest => w.put(&format!("~out.bytes({value})")),
            Layout::Bytes(size) => {
                self.expect(*size, value, "bytes", what, w);
                w.put(&format!("\n{indent}~out.bytes({value})"));
            }
            Layout::CString => w.put(&format!("~out.cstring({value}, \"{what}\")")),
            Layout::PString { bits, little } => {
                w.put(&format!("~out.{}({value}.byte_size as ~U64, {bits}, \"{what}\")\n", writer(*little)));
                w.put(&format!("{indent}~out.text({value})"));
            }
            Layout::Part(ty) => {
                w.at(ty.range());
                w.put(&format!("~write_part({value}, ~out)"));
            }
            Layout::Array(elem, size) => {
                if let Some(size) = size {
                    self.expect(*size, value, "elements", what, w);
                    w.put(&format!("\n{indent}"));
                }
                let item = format!("~item{depth}");
                let inner = format!("{indent}  ");
                w.put(&format!("for {item} in {value}\n{inner}"));
                self.write(elem, &item, what, &inner, depth + 1, w);
                w.put(&format!("\n{indent}end"));
            }
        }
    }

    /// A panic if the number of parts is not what the layout says.
    fn expect(&self, size: ast::Expr<'_>, value: &str, parts: &str, what: &str, w: &mut Writer<'_>) {
        w.put(&format!("~out.expect({value}.size, "));
        let field = |name: &str| sizes::is_field(name).then(|| self.value_of(name));
        sizes::write(size, &field, w);
        w.put(&format!(", \"{parts}\", \"{what}\")"));
    }
}

fn writer(little: bool) -> &'static str {
    if little { "bits_le" } else { "bits" }
}
