//! Is a declaration of a binary type one that can be laid out? Widths, order, tags, sizes and computed fields are judged here, on
//! what the user wrote; types of parts and expressions are judged by the checker.

use qz_base::name::without_marks;
use qz_base::{FxHashMap, FxHashSet, TextRange};
use qz_diag::{Code, Diagnostic, did_you_mean};
use qz_syntax::SyntaxKind::*;
use qz_syntax::ast::{self, AstNode};
use qz_syntax::{SyntaxNode, SyntaxToken};

use super::{Arm, Binary, Choice, Field, Layout, Member, declare, encode, place, shown, sizes};
use crate::code::Parsed;

pub(super) fn binary<'t>(
    source: &'t Parsed,
    it: ast::BinaryDef<'t>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Binary<'t>> {
    let name = it.name()?;
    let before = problems.len();
    let mut reader = Reader {
        source,
        problems,
        owner: name.text(),
        seen: Seen::default(),
        bit: 0,
        open: None,
        in_arm: false,
    };
    reader.header(name, it.generics().map(|it| it.syntax()), it.attrs().next());
    let members = reader.members(it.members());
    reader.ends_on_byte(name.range(), "the type");
    let broken = it
        .syntax()
        .descendants()
        .any(|it| matches!(it.kind(), Error | MissingExpr | MissingType | MissingPat));
    if it.members().next().is_none() && !broken {
        reader.say(Code::BINARY_FORM, name.range(), format!("`{}` has no fields", name.text()));
    }
    reader.computed();
    reader.not_in_itself(it.syntax(), name);
    let fine = problems.len() == before && !broken;
    fine.then(|| Binary { name, is_private: it.is_private(), members })
}

struct Reader<'a, 't> {
    source: &'t Parsed,
    problems: &'a mut Vec<Diagnostic>,
    owner: &'t str,
    seen: Seen<'t>,
    /// How many bits of a byte are used already.
    bit: u32,
    /// The field that takes all that is left.
    open: Option<&'t str>,
    in_arm: bool,
}

/// Fields so far.
#[derive(Default)]
struct Seen<'t> {
    names: FxHashMap<&'t str, TextRange>,
    /// What later sizes may name: numbers and parts.
    sizes: FxHashSet<&'t str>,
    /// What a `match` may ask about.
    tags: FxHashSet<&'t str>,
    computed: Vec<(SyntaxToken<'t>, SyntaxNode<'t>)>,
}

impl<'t> Reader<'_, 't> {
    fn say(&mut self, code: Code, range: TextRange, message: String) -> &mut Diagnostic {
        self.problems.push(Diagnostic::new(code, place(self.source, range), message));
        self.problems.last_mut().expect("just pushed")
    }

    fn say_with(&mut self, code: Code, range: TextRange, message: String, help: impl Into<String>) {
        let problem = Diagnostic::new(code, place(self.source, range), message).help(help.into());
        self.problems.push(problem);
    }

    fn header(
        &mut self,
        name: SyntaxToken<'t>,
        generics: Option<SyntaxNode<'t>>,
        attr: Option<ast::Attr<'t>>,
    ) {
        if let Some(generics) = generics {
            let message = format!("the binary type `{}` cannot have type parameters", name.text());
            self.say(Code::BINARY_FORM, generics.range(), message);
        }
        refuse_attrs(self.source, attr, "a binary type", self.problems);
    }

    fn members(&mut self, members: impl Iterator<Item = ast::BinaryMember<'t>>) -> Vec<Member<'t>> {
        let mut out = Vec::new();
        for member in members {
            match member {
                ast::BinaryMember::BinaryField(it) => out.extend(self.field(it).map(Member::Field)),
                ast::BinaryMember::BinaryMatch(it) => out.extend(self.choice(it).map(Member::Choice)),
            }
        }
        out
    }

    /// Nothing stands behind what takes all that is left.
    fn not_behind_open(&mut self, range: TextRange, what: &str) {
        if let Some(open) = self.open.take() {
            let message = format!("{what} cannot stand behind `{open}`, which takes all that is left");
            self.say_with(
                Code::BINARY_ORDER,
                range,
                message,
                format!("give `{open}` a size, or let it be the last"),
            );
        }
    }

    fn field(&mut self, it: ast::BinaryField<'t>) -> Option<Field<'t>> {
        let name = it.name()?;
        self.not_behind_open(name.range(), &format!("`{}`", name.text()));
        self.declare(name);
        if let Some(choice) = it.choice() {
            let message =
                format!("a `match` among fields has no name, and this one is called `{}`", name.text());
            let help = "leave the name out: fields of arms are fields of the type";
            self.say_with(Code::BINARY_MATCH, choice.syntax().range(), message, help);
            return None;
        }
        let layout = self.layout(it.layout()?, name.text())?;
        if let Some(value) = it.value() {
            self.seen.computed.push((name, value.syntax()));
        }
        if matches!(layout, Layout::Int { .. }) {
            self.seen.tags.insert(name.text());
        }
        if matches!(layout, Layout::Int { .. } | Layout::Part(_)) {
            self.seen.sizes.insert(name.text());
        }
        Some(Field { name, layout, value: it.value().map(|it| it.syntax()), in_arm: self.in_arm })
    }

    fn declare(&mut self, name: SyntaxToken<'t>) {
        let (text, range) = (name.text(), name.range());
        if declare::METHODS.contains(&text) || text == "self" {
            let message = format!("a field of a binary type cannot be called `{text}`");
            self.say(Code::BINARY_FORM, range, message);
        } else if let Some(&first) = self.seen.names.get(text) {
            let first = place(self.source, first);
            let message = format!("`{}` has two fields `{text}`", self.owner);
            let problem = Diagnostic::new(Code::BINARY_FORM, place(self.source, range), message)
                .at(first, "here first");
            self.problems.push(problem.note("fields of all arms are fields of the type"));
        }
        self.seen.names.entry(text).or_insert(range);
    }

    // -------------------------------------------------------------------------------------------- layouts

    fn layout(&mut self, it: ast::BinaryType<'t>, field: &'t str) -> Option<Layout<'t>> {
        match it {
            ast::BinaryType::BinaryWord(it) => self.word(it, field),
            ast::BinaryType::BinaryArray(it) => self.array(it, field),
        }
    }

    fn word(&mut self, it: ast::BinaryWord<'t>, field: &'t str) -> Option<Layout<'t>> {
        let ty = it.name()?.syntax();
        if ty.kind() == MissingType {
            return None;
        }
        let (word, size) = (&*without_marks(ty.text()), it.size());
        let is_part = ty.kind() == PathType && word.rsplit("::").next()?.starts_with(char::is_uppercase);
        let layout = match (word, size) {
            ("bytes", None) => Layout::Rest,
            ("bytes", Some(size)) => Layout::Bytes(self.size(size)?),
            ("cstring", None) => Layout::CString,
            ("pstring", Some(size)) => self.pstring(size)?,
            ("pstring", None) => {
                let help = "for example `pstring(u8)`";
                self.say_with(
                    Code::BINARY_LAYOUT,
                    ty.range(),
                    "`pstring` needs the layout of its size".into(),
                    help,
                );
                return None;
            }
            ("bool", None) => Layout::Bool,
            (_, None) if is_part => Layout::Part(ty),
            (word, None) if ty.kind() == PathType => self.number(word, ty)?,
            (_, size) => {
                let range = size.map_or(ty.range(), |it| it.syntax().range());
                let message = match size {
                    Some(_) => format!("`{}` takes no size", shown(word)),
                    None => format!("`{}` is no layout", shown(word)),
                };
                self.say(Code::BINARY_LAYOUT, range, message);
                return None;
            }
        };
        self.advance(&layout, ty.range(), field);
        Some(layout)
    }

    fn number(&mut self, word: &str, ty: SyntaxNode<'t>) -> Option<Layout<'t>> {
        match number(word) {
            Ok(layout) => Some(layout),
            Err((code, message)) => {
                let problem = Diagnostic::new(code, place(self.source, ty.range()), message);
                self.problems.push(match did_you_mean(word, WORDS.iter().copied()) {
                    Some(near) if code == Code::BINARY_LAYOUT => problem.help(format!("did you mean `{near}`?")),
                    _ if code == Code::BINARY_LAYOUT => problem.help(
                        "layouts are `u1` to `u64`, `i2` to `i64`, `f32`, `f64`, `bool`, `bytes`, `cstring`, `pstring(u8)`, `[…]` and types",
                    ),
                    _ => problem,
                });
                None
            }
        }
    }

    fn pstring(&mut self, size: ast::Expr<'t>) -> Option<Layout<'t>> {
        if let Ok(Layout::Int { bits, signed: false, little }) = number(&without_marks(size.syntax().text()))
            && bits % 8 == 0
        {
            return Some(Layout::PString { bits, little });
        }
        let message = "the size of a `pstring` is an unsigned number of whole bytes".into();
        self.say_with(Code::BINARY_LAYOUT, size.syntax().range(), message, "for example `pstring(u16be)`");
        None
    }

    fn size(&mut self, size: ast::Expr<'t>) -> Option<ast::Expr<'t>> {
        let Some((part, why)) = sizes::problem(size, &self.seen.sizes) else { return Some(size) };
        let name = &*without_marks(part.syntax().text());
        if self.seen.names.contains_key(name) && !self.seen.sizes.contains(name) {
            let message = format!("`{name}` is no number, so it cannot be a size");
            self.say(Code::BINARY_ORDER, part.syntax().range(), message);
        } else {
            self.say(Code::BINARY_ORDER, part.syntax().range(), why);
        }
        None
    }

    fn array(&mut self, it: ast::BinaryArray<'t>, field: &'t str) -> Option<Layout<'t>> {
        let before = self.bit;
        let elem = self.layout(it.elem()?, field)?;
        if let Some(open) = self.open.take() {
            let message = format!("an element of `{open}` cannot take all that is left");
            self.say(Code::BINARY_ORDER, it.syntax().range(), message);
            return None;
        }
        let size = match it.size() {
            Some(size) => Some(self.size(size)?),
            None => None,
        };
        let bits = width(&elem);
        let whole = bits.is_none_or(|bits| bits % 8 == 0);
        match size.and_then(sizes::constant) {
            Some(count) => self.bit = (before + bits.unwrap_or(0) % 8 * (count % 8) as u32) % 8,
            None if !whole || before != 0 => {
                let message = format!(
                    "elements of `{field}` start anywhere in a byte, and how many there are is not known"
                );
                let help = "only elements of whole bytes can be counted by a field";
                self.say_with(Code::BINARY_WIDTH, it.syntax().range(), message, help);
            }
            None => {}
        }
        if size.is_none() {
            self.open = Some(field);
        }
        Some(Layout::Array(Box::new(elem), size))
    }

    /// What a layout does to the place in the byte.
    fn advance(&mut self, layout: &Layout<'t>, range: TextRange, field: &'t str) {
        let starts_anywhere = matches!(layout, Layout::Bool | Layout::Int { little: false, .. });
        if !starts_anywhere && self.bit != 0 {
            self.misplaced(range, &format!("`{field}`"));
            self.bit = 0;
        }
        self.bit = (self.bit + width(layout).unwrap_or(0)) % 8;
        if matches!(layout, Layout::Rest) {
            self.open = Some(field);
        }
    }

    fn misplaced(&mut self, range: TextRange, what: &str) {
        let (used, left) = (self.bit, 8 - self.bit);
        let message = format!("{what} starts {used} bit{} into a byte", if used == 1 { "" } else { "s" });
        self.say_with(
            Code::BINARY_WIDTH,
            range,
            message,
            format!("fill the byte before it: `_padding: u{left}`"),
        );
    }

    fn ends_on_byte(&mut self, range: TextRange, what: &str) {
        if self.bit != 0 {
            let (used, left) = (self.bit, 8 - self.bit);
            let message = format!("{what} ends {used} bit{} into a byte", if used == 1 { "" } else { "s" });
            self.say_with(Code::BINARY_WIDTH, range, message, format!("fill the byte: `_padding: u{left}`"));
        }
    }

    // -------------------------------------------------------------------------------------------- choices

    fn choice(&mut self, it: ast::BinaryMatch<'t>) -> Option<Choice<'t>> {
        let tag = it.tag()?;
        self.not_behind_open(tag.range(), "a `match`");
        if !self.seen.tags.contains(tag.text()) {
            let message = match self.seen.names.contains_key(tag.text()) {
                true => format!("`{}` is no integer field, so no `match` can ask about it", tag.text()),
                false => format!("there is no field `{}` before this `match`", tag.text()),
            };
            self.say(Code::BINARY_MATCH, tag.range(), message);
        }
        if self.bit != 0 {
            self.misplaced(tag.range(), "this `match`");
            self.bit = 0;
        }
        let mut arms: Vec<Arm<'t>> = Vec::new();
        let (mut has_default, mut open) = (false, None);
        for arm in it.arms() {
            let pat = arm.pat()?.syntax();
            self.pattern(pat);
            if let Some(variant) = arm.variant() {
                let message =
                    format!("an arm has fields and no name; `{}` cannot stand here", variant.text());
                self.say(Code::BINARY_MATCH, variant.range(), message);
            }
            has_default |= pat.kind() == WildcardPat;
            let outer = std::mem::replace(&mut self.in_arm, true);
            let seen = (self.seen.sizes.clone(), self.seen.tags.clone());
            let members = self.members(arm.members());
            self.ends_on_byte(pat.range(), "this arm");
            (self.seen.sizes, self.seen.tags) = seen;
            (self.bit, self.in_arm) = (0, outer);
            open = open.or(self.open.take());
            arms.push(Arm { pat, members });
        }
        self.open = open;
        Some(Choice { tag, arms, has_default, range: tag.range() })
    }

    /// Numbers, ranges of them, constants, `_`.
    fn pattern(&mut self, pat: SyntaxNode<'t>) {
        match pat.kind() {
            WildcardPat | LiteralPat | RangePat | PathPat | MissingPat => {}
            OrPat | ParenPat => pat.children().for_each(|it| self.pattern(it)),
            NamePat if pat.text().chars().all(|c| c.is_uppercase() || c.is_numeric() || c == '_') => {}
            _ => {
                let message = "an arm is for numbers: `1`, `2 | 3`, `4..=7`, a constant or `_`".into();
                self.say(Code::BINARY_MATCH, pat.range(), message);
            }
        }
    }

    /// A type whose every value holds another one has no values.
    fn not_in_itself(&mut self, node: SyntaxNode<'t>, name: SyntaxToken<'t>) {
        let mut queue: Vec<SyntaxToken<'t>> = parts(node).collect();
        if queue.is_empty() {
            return;
        }
        let types = self.source.root().children().filter_map(ast::BinaryDef::cast);
        let types: FxHashMap<&str, SyntaxNode<'_>> =
            types.filter_map(|it| Some((it.name()?.text(), it.syntax()))).collect();
        let mut seen: FxHashSet<&str> = FxHashSet::default();
        while let Some(part) = queue.pop() {
            if part.text() == name.text() {
                let message = format!("every `{0}` would hold another `{0}`", name.text());
                self.say_with(
                    Code::BINARY_FORM,
                    name.range(),
                    message,
                    "an array may be empty: `[…; count]`",
                );
                return;
            }
            if seen.insert(part.text()) {
                queue.extend(types.get(part.text()).into_iter().flat_map(|it| parts(*it)));
            }
        }
    }

    // -------------------------------------------------------------------------------------------- computed

    /// Computed fields may read each other, but not in a circle.
    fn computed(&mut self) {
        let computed = std::mem::take(&mut self.seen.computed);
        let reads: FxHashMap<&str, Vec<&str>> = computed
            .iter()
            .map(|(name, value)| (name.text(), encode::uses(*value).into_iter().map(|it| it.1).collect()))
            .collect();
        for (name, value) in &computed {
            if let Some(way) = circle(name.text(), &reads) {
                let message = match way.len() {
                    1 => format!("`{}` is computed from itself", name.text()),
                    _ => format!("`{}` is computed from itself: {}", name.text(), way.join(" → ")),
                };
                self.say(Code::BINARY_COMPUTED, value.range(), message);
                return;
            }
        }
    }
}

/// The types of which a binary type always holds a value: those of fields that are no arrays.
fn parts<'t>(node: SyntaxNode<'t>) -> impl Iterator<Item = SyntaxToken<'t>> {
    let fields = node.descendants().filter(|it| it.kind() == BinaryField);
    let words = fields.filter_map(|it| it.children().find(|it| it.kind() == BinaryWord));
    let types = words.filter_map(|it| it.children().find(|it| it.kind() == PathType));
    types.filter_map(|it| it.token(Ident)).filter(|it| it.text().starts_with(char::is_uppercase))
}

/// The way from a computed field back to it.
fn circle<'t>(start: &'t str, reads: &FxHashMap<&'t str, Vec<&'t str>>) -> Option<Vec<&'t str>> {
    let mut from: FxHashMap<&str, &str> = FxHashMap::default();
    let mut queue = vec![start];
    let mut at = 0;
    while at < queue.len() {
        let here = queue[at];
        at += 1;
        for &next in reads.get(here).into_iter().flatten() {
            if next == start {
                let mut way = vec![start];
                way.extend(std::iter::successors((here != start).then_some(here), |it| {
                    from.get(it).copied()
                }));
                if way.len() > 1 {
                    way.push(start);
                    way.reverse();
                    way.dedup();
                }
                return Some(way);
            }
            if !from.contains_key(next) {
                from.insert(next, here);
                queue.push(next);
            }
        }
    }
    None
}

const WORDS: &[&str] = &[
    "u8", "u16", "u32", "u64", "u16be", "u32be", "u64be", "u16le", "u32le", "u64le", "i8", "i16", "i32",
    "i64", "i16be", "i32be", "i64be", "i16le", "i32le", "i64le", "f32", "f64", "f32be", "f64be", "f32le",
    "f64le", "bool", "bytes", "cstring", "pstring",
];

/// The number that a word lays out: `u13be`.
pub(super) fn number<'t>(word: &str) -> Result<Layout<'t>, (Code, String)> {
    let unknown = || Err((Code::BINARY_LAYOUT, format!("`{word}` is no layout")));
    let digits = word.get(1..).unwrap_or_default();
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, order) = digits.split_at(end);
    let little = order == "le";
    let kind = word.chars().next().unwrap_or(' ');
    if !matches!(kind, 'u' | 'i' | 'f') || !matches!(order, "" | "be" | "le") || digits.is_empty() {
        return unknown();
    }
    let bits: u32 = digits.parse().unwrap_or(u32::MAX);
    let least = if kind == 'i' { 2 } else { 1 };
    match kind {
        'f' if matches!(bits, 32 | 64) => Ok(Layout::Float { bits, little }),
        'f' => Err((Code::BINARY_WIDTH, format!("`{word}` is no float: they have 32 or 64 bits"))),
        _ if digits.starts_with('0') || bits < least || bits > 64 => {
            Err((Code::BINARY_WIDTH, format!("`{word}` is no number: they have {least} to 64 bits")))
        }
        _ if little && bits % 8 != 0 => Err((
            Code::BINARY_WIDTH,
            format!("`{word}` does not fill bytes, and only whole bytes have a little-endian order"),
        )),
        _ => Ok(Layout::Int { bits, signed: kind == 'i', little }),
    }
}

/// The bits of a layout, if they are always as many. What takes whole bytes has no place in one.
fn width(layout: &Layout<'_>) -> Option<u32> {
    match layout {
        Layout::Bool => Some(1),
        Layout::Int { bits, .. } | Layout::Float { bits, .. } => Some(*bits),
        Layout::Array(elem, Some(size)) => {
            Some((u128::from(width(elem)?) % 8 * (sizes::constant(*size)? % 8)) as u32 % 8)
        }
        _ => None,
    }
}

/// Attributes other than those that did their work before.
pub(super) fn refuse_attrs(
    source: &Parsed,
    attr: Option<ast::Attr<'_>>,
    what: &str,
    problems: &mut Vec<Diagnostic>,
) {
    let Some(attr) = attr.filter(|it| it.name().is_some_and(|name| name.text() != "cfg")) else { return };
    let name = attr.name().map_or("", |it| it.text());
    let message = format!("`@{name}` cannot stand before {what}");
    problems.push(Diagnostic::new(Code::ATTRIBUTE_PLACE, place(source, attr.syntax().range()), message));
}
