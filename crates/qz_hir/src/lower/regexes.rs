//! Regexes, `~r"…"`: checked now, made when the program first uses them.

use std::sync::Arc;

use qz_base::{Name, TextRange};
use qz_syntax::literals::regex_value;
use regex_syntax::hir::{Hir, HirKind};

use super::Cx;
use crate::body::*;
use crate::diagnostics as words;

/// A group with a name.
pub(super) struct Group {
    pub(super) name: Name,
    pub(super) number: u32,
    /// It need not be part of a match.
    pub(super) optional: bool,
}

impl Cx<'_> {
    pub(super) fn regex(&mut self, written: &str, range: TextRange) -> ExprId {
        let pattern = regex_value(written);
        let made = self.defs.lang.func("regex_made");
        let Some(made) = made.filter(|_| self.parsed_regex(written, range).is_some()) else {
            return self.missing(range);
        };
        let value = self.expr(Expr::Lit { value: Literal::Str(Arc::from(pattern)) }, range);
        let callee = self.expr(Expr::Fns { candidates: [made].into(), type_args: &[] }, range);
        let args = [Arg { kind: ArgKind::Positional, value }].into();
        self.expr(Expr::Call { callee, args }, range)
    }

    /// The groups with names of a regex; nothing if it is none, which is reported.
    pub(super) fn parsed_regex(&mut self, written: &str, range: TextRange) -> Option<Vec<Group>> {
        let pattern = regex_value(written);
        match regex_syntax::parse(&pattern) {
            Ok(_) if regex::Regex::new(&pattern).is_err() => {
                self.report(words::no_regex(self.span(range), "it would take more than 10 MiB"));
                None
            }
            Ok(hir) => {
                let mut groups = Vec::new();
                collect(&hir, false, &mut groups);
                Some(groups)
            }
            Err(error) => {
                let (message, start, end) = match &error {
                    regex_syntax::Error::Parse(it) => {
                        (it.kind().to_string(), it.span().start.offset, it.span().end.offset)
                    }
                    regex_syntax::Error::Translate(it) => {
                        (it.kind().to_string(), it.span().start.offset, it.span().end.offset)
                    }
                    other => (other.to_string(), 0, pattern.len()),
                };
                let at = |offset: usize| range.start + written_offset(written, offset) as u32;
                let span = self.span(TextRange { start: at(start), end: at(end.max(start)) });
                self.report(words::no_regex(span, &message));
                None
            }
        }
    }
}

/// The names that groups of a regex have which is none, so that who uses them is not told that they are unknown.
pub(super) fn names_in_broken(written: &str) -> Vec<Group> {
    let behind = written.split("(?").skip(1).filter_map(|it| it.trim_start_matches('P').strip_prefix('<'));
    let names = behind.filter_map(|it| it.split_once('>')).map(|it| it.0);
    let is_name = |it: &&str| !it.is_empty() && it.chars().all(|c| c.is_alphanumeric() || c == '_');
    names.filter(is_name).map(|it| Group { name: Name::new(it), number: 0, optional: false }).collect()
}

/// Where in the literal a byte of the regex stands: `\"` is one there.
fn written_offset(written: &str, offset: usize) -> usize {
    const OPENING: usize = "~r\"".len();
    let inside = written.get(OPENING..).unwrap_or_default();
    let mut left = offset;
    let mut chars = inside.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if left == 0 {
            return OPENING + at;
        }
        let is_pair = c == '\\' && chars.peek().is_some_and(|it| it.1 == '"');
        let width = if is_pair { chars.next().map_or(1, |it| it.1.len_utf8()) } else { c.len_utf8() };
        left = left.saturating_sub(width);
    }
    written.len()
}

fn collect(hir: &Hir, optional: bool, groups: &mut Vec<Group>) {
    match hir.kind() {
        HirKind::Capture(it) => {
            if let Some(name) = &it.name {
                groups.push(Group { name: Name::new(name), number: it.index, optional });
            }
            collect(&it.sub, optional, groups);
        }
        HirKind::Repetition(it) => collect(&it.sub, optional || it.min == 0, groups),
        HirKind::Concat(parts) => parts.iter().for_each(|it| collect(it, optional, groups)),
        HirKind::Alternation(parts) => parts.iter().for_each(|it| collect(it, true, groups)),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
    }
}
