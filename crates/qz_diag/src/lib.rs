//! What the compiler says to a person: a [`Diagnostic`] is one problem with its code, place, words and
//! perhaps a fix. The stages make facts; the words are put together in each stage's `diagnostics`
//! modules; this crate only holds, orders and draws them.

pub mod codes;
pub mod render;

use qz_base::Span;

pub use codes::Code;
pub use render::{Sources, render_human, render_json};

#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// One problem, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    /// One line, lower case, without a final period, readable without the snippet.
    pub message: String,
    pub span: Span,
    /// Words at the primary place, if it needs any.
    pub label: Option<String>,
    /// Other places that matter, such as a declaration.
    pub labels: Vec<(Span, String)>,
    /// Full sentences below the snippet.
    pub notes: Vec<String>,
    /// What to do next.
    pub help: Vec<String>,
    pub suggestion: Option<Suggestion>,
}

/// An edit that mends the problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    pub span: Span,
    pub replacement: String,
    pub words: String,
}

impl Diagnostic {
    /// # Panics
    /// In debug builds, if the message breaks the house form.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        let message = message.into();
        debug_assert!(!message.contains('\n') && !message.ends_with('.'), "house form: {message:?}");
        Diagnostic {
            code,
            severity: code.severity(),
            message,
            span,
            label: None,
            labels: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            suggestion: None,
        }
    }

    pub fn label(mut self, words: impl Into<String>) -> Diagnostic {
        self.label = Some(words.into());
        self
    }

    pub fn at(mut self, span: Span, words: impl Into<String>) -> Diagnostic {
        self.labels.push((span, words.into()));
        self
    }

    pub fn note(mut self, words: impl Into<String>) -> Diagnostic {
        self.notes.push(words.into());
        self
    }

    pub fn help(mut self, words: impl Into<String>) -> Diagnostic {
        self.help.push(words.into());
        self
    }

    pub fn suggest(
        mut self,
        span: Span,
        replacement: impl Into<String>,
        words: impl Into<String>,
    ) -> Diagnostic {
        self.suggestion = Some(Suggestion { span, replacement: replacement.into(), words: words.into() });
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Puts diagnostics into the order of their places and leaves out repetitions: what is said of a place is said once, also
/// if there are several reasons.
pub fn sort_and_dedup(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| {
        (a.span.file, a.span.range.start, a.span.range.end, a.code, &a.message).cmp(&(
            b.span.file,
            b.span.range.start,
            b.span.range.end,
            b.code,
            &b.message,
        ))
    });
    let told = |it: &Diagnostic| (it.span, it.code, it.severity);
    diagnostics.dedup_by(|next, kept| told(next) == told(kept) && next.message == kept.message);
}

/// The closest of `candidates` to a misspelt `name`, if one is close enough to be meant
/// (Damerau–Levenshtein distance at most a third of the length). A name of one or two letters is another's
/// neighbour too easily: there only the case may differ.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = name.chars().count() / 3;
    candidates
        .into_iter()
        .filter(|candidate| !candidate.is_empty() && *candidate != name)
        .filter_map(|candidate| {
            let same_but_case = candidate.eq_ignore_ascii_case(name);
            let distance = if same_but_case { 0 } else { edit_distance(name, candidate, limit)? };
            Some((distance, candidate))
        })
        .min_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)))
        .map(|(_, candidate)| candidate)
}

/// Optimal string alignment distance, or `None` above `limit`.
fn edit_distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (above[j] + 1).min(row[j - 1] + 1).min(above[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    Some(above[b.len()]).filter(|&distance| distance <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_close() {
        assert_eq!(did_you_mean("lenght", ["length", "left"]), Some("length"));
        assert_eq!(did_you_mean("szie", ["size", "sum"]), Some("size"));
        assert_eq!(did_you_mean("n", ["In", "m", "no"]), None);
        assert_eq!(did_you_mean("IN", ["In", "on"]), Some("In"));
        assert_eq!(did_you_mean("pus", ["puts", "p"]), Some("puts"));
        assert_eq!(did_you_mean("frobnicate", ["size"]), None);
    }
}
