//! Which value does a literal's text have? Numbers, characters, escapes and the indentation of multi-line strings.
//!
//! The lexer has reported what is malformed; here a malformed part is simply left out or gives `None`.

use crate::ast::{HeredocExpr, Interp, LiteralExpr, LiteralKind, StringExpr, StringPart};
use crate::problems::SyntaxProblemKind;
use crate::tree::SyntaxToken;

/// An escape in a string or character.
pub(crate) struct Escape {
    /// How many bytes it takes, at least one.
    pub(crate) len: usize,
    pub(crate) value: Result<char, SyntaxProblemKind>,
}

/// The escape at the start of a text that starts with a backslash.
pub(crate) fn escape_at(text: &str) -> Escape {
    let mut chars = text.chars();
    chars.next();
    let simple = |value| Escape { len: 2, value: Ok(value) };
    match chars.next() {
        Some('n') => simple('\n'),
        Some('t') => simple('\t'),
        Some('r') => simple('\r'),
        Some('0') => simple('\0'),
        Some('e') => simple('\x1b'),
        Some(c @ ('\\' | '"' | '\'' | '#')) => simple(c),
        Some('x') => hex_escape(text),
        Some('u') => unicode_escape(text),
        Some('\n') | None => Escape { len: 1, value: Err(SyntaxProblemKind::BadEscape) },
        Some(c) => Escape { len: 1 + c.len_utf8(), value: Err(SyntaxProblemKind::BadEscape) },
    }
}

/// `\x41`: two digits, up to `\x7f`.
fn hex_escape(text: &str) -> Escape {
    let digits = text[2..].bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
    let value = match u32::from_str_radix(&text[2..2 + digits], 16) {
        Ok(code) if digits == 2 && code < 0x80 => {
            char::from_u32(code).ok_or(SyntaxProblemKind::BadUnicodeEscape)
        }
        _ => Err(SyntaxProblemKind::BadUnicodeEscape),
    };
    Escape { len: 2 + digits, value }
}

/// `\u{1F600}`: one to six digits.
fn unicode_escape(text: &str) -> Escape {
    let bad = |len| Escape { len, value: Err(SyntaxProblemKind::BadUnicodeEscape) };
    let Some(rest) = text[2..].strip_prefix('{') else { return bad(2) };
    let digits = rest.bytes().take_while(|b| b.is_ascii_hexdigit()).count();
    if !rest[digits..].starts_with('}') {
        return bad(3 + digits);
    }
    let len = 4 + digits;
    let code = if digits <= 6 { u32::from_str_radix(&rest[..digits], 16).ok() } else { None };
    match code.and_then(char::from_u32) {
        Some(value) => Escape { len, value: Ok(value) },
        None => bad(len),
    }
}

/// Text with its escapes replaced.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = escape_at(&rest[at..]);
        out.extend(escape.value.ok());
        rest = &rest[at + escape.len..];
    }
    out.push_str(rest);
    out
}

/// An integer literal did not fit 128 bits.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct IntOverflow;

/// The value of `42`, `1_000`, `0xff`, `0o17`, `0b1010`. `None` if it is malformed.
pub fn int_value(text: &str) -> Option<Result<u128, IntOverflow>> {
    let (digits, base) = match text.as_bytes() {
        [b'0', b'x', ..] => (&text[2..], 16),
        [b'0', b'o', ..] => (&text[2..], 8),
        [b'0', b'b', ..] => (&text[2..], 2),
        _ => (text, 10),
    };
    let mut value: Option<u128> = Some(0);
    let mut any = false;
    for c in digits.chars().filter(|&c| c != '_') {
        let digit = c.to_digit(base)?;
        any = true;
        value = value.and_then(|v| v.checked_mul(base.into())).and_then(|v| v.checked_add(digit.into()));
    }
    any.then_some(value.ok_or(IntOverflow))
}

/// The value of `1.5`, `1e-9`. `None` if it is malformed; beyond the range it is infinite.
pub fn float_value(text: &str) -> Option<f64> {
    text.replace('_', "").parse().ok()
}

/// The value of `'a'`, `'\n'`. `None` if it is malformed.
pub fn char_value(text: &str) -> Option<char> {
    let inside = text.strip_prefix('\'')?.strip_suffix('\'')?;
    if inside.starts_with('\\') {
        let escape = escape_at(inside);
        return (escape.len == inside.len()).then_some(escape.value.ok()?);
    }
    let mut chars = inside.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// The text of `r"…"` or `r#"…"#`.
pub fn raw_string_value(text: &str) -> &str {
    let text = text.strip_prefix('r').unwrap_or(text);
    let hashes = text.bytes().take_while(|&b| b == b'#').count();
    let inside = text[hashes..].strip_prefix('"').unwrap_or("");
    let closer = format!("\"{}", &text[..hashes]);
    inside.strip_suffix(closer.as_str()).unwrap_or(inside)
}

/// The pattern in `~r"…"`, with `\"` for a quote and every other backslash left to the regex.
pub fn regex_value(text: &str) -> String {
    let inside = text.strip_prefix("~r\"").unwrap_or(text);
    inside.strip_suffix('"').unwrap_or(inside).replace("\\\"", "\"")
}

/// The name of `:name`.
pub fn symbol_value(text: &str) -> &str {
    text.strip_prefix(':').unwrap_or(text)
}

/// The value of a literal of one token.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal<'t> {
    /// An integer.
    Int(Result<u128, IntOverflow>),
    /// A float.
    Float(f64),
    /// A character.
    Char(char),
    /// A symbol's name.
    Symbol(&'t str),
    /// A raw string's text.
    String(&'t str),
    /// A regex's pattern.
    Regex(String),
    /// `true` or `false`.
    Bool(bool),
    /// `nil`.
    Nil,
}

impl<'t> LiteralExpr<'t> {
    /// What the literal stands for; `None` if it is malformed.
    pub fn value(self) -> Option<Literal<'t>> {
        let text = self.token()?.text();
        Some(match self.kind()? {
            LiteralKind::Int => Literal::Int(int_value(text)?),
            LiteralKind::Float => Literal::Float(float_value(text)?),
            LiteralKind::Char => Literal::Char(char_value(text)?),
            LiteralKind::Symbol => Literal::Symbol(symbol_value(text)),
            LiteralKind::RawString => Literal::String(raw_string_value(text)),
            LiteralKind::Regex => Literal::Regex(regex_value(text)),
            LiteralKind::True => Literal::Bool(true),
            LiteralKind::False => Literal::Bool(false),
            LiteralKind::Nil => Literal::Nil,
        })
    }
}

/// A piece of a string with its escapes and indentation gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StringValue<'t> {
    /// Text.
    Text(String),
    /// `#{e}`.
    Interp(Interp<'t>),
}

impl<'t> StringExpr<'t> {
    /// The pieces of the string. A `"""` string loses a line break after its opener, the last line if only the
    /// closer stands there, and the indentation of that line from every line.
    pub fn value(self) -> Vec<StringValue<'t>> {
        let parts: Vec<StringPart<'t>> = self.parts().collect();
        if !self.is_multiline() {
            return parts.iter().map(|part| value_of(*part, |token| unescape(token.text()))).collect();
        }
        let indent = match parts.last() {
            Some(StringPart::Text(token)) => last_line_indent(token.text()),
            _ => None,
        };
        multiline(&parts, indent.unwrap_or(""), true)
    }
}

impl<'t> HeredocExpr<'t> {
    /// The pieces of the body, each line without the closing line's indentation.
    pub fn value(self) -> Vec<StringValue<'t>> {
        let Some(body) = self.body() else { return Vec::new() };
        let parts: Vec<StringPart<'t>> = body.parts().collect();
        let indent = body.end().map_or("", |end| leading_blank(end.text()));
        multiline(&parts, indent, false)
    }
}

fn value_of<'t>(part: StringPart<'t>, text: impl FnOnce(SyntaxToken<'t>) -> String) -> StringValue<'t> {
    match part {
        StringPart::Text(token) => StringValue::Text(text(token)),
        StringPart::Interp(interp) => StringValue::Interp(interp),
    }
}

fn leading_blank(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The indentation of the last line, if nothing else is on it.
fn last_line_indent(text: &str) -> Option<&str> {
    let (_, last) = text.rsplit_once('\n')?;
    (leading_blank(last).len() == last.len()).then_some(last)
}

/// `trimmed`: the first line break and the last, blank line are the delimiters', not the text's.
fn multiline<'t>(parts: &[StringPart<'t>], indent: &str, trimmed: bool) -> Vec<StringValue<'t>> {
    let last = parts.len().saturating_sub(1);
    let text = |index: usize, token: SyntaxToken<'t>| {
        let mut text = token.text();
        if trimmed && index == last && last_line_indent(text).is_some() {
            text = &text[..text.rfind('\n').unwrap_or(0)];
            text = text.strip_suffix('\r').unwrap_or(text);
            if index == 0 && text.is_empty() {
                return String::new();
            }
        }
        // A part that follows an interpolation starts inside a line.
        let mut at_line_start = index == 0;
        if trimmed && index == 0 {
            let opener_break = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n'));
            at_line_start = opener_break.is_some();
            text = opener_break.unwrap_or(text);
        }
        unescape(&strip_indent(text, indent, at_line_start))
    };
    let values = parts.iter().enumerate().map(|(index, part)| value_of(*part, |token| text(index, token)));
    values.filter(|value| *value != StringValue::Text(String::new())).collect()
}

fn strip_indent(text: &str, indent: &str, at_line_start: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if number == 0 && !at_line_start {
            out.push_str(line);
            continue;
        }
        let shared = line.bytes().zip(indent.bytes()).take_while(|(a, b)| a == b).count();
        out.push_str(&line[shared..]);
    }
    out
}
