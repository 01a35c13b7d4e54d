//! Problems as the cache keeps them: places are in numbered files, which a reader maps to its own.

use qz_base::{FileId, Span, TextRange};
use qz_diag::{Code, Diagnostic, Severity, Suggestion};
use serde::{Deserialize, Serialize};

/// A place: the number of the file, start and end.
type Place = (u32, u32, u32);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stored {
    code: u16,
    is_error: bool,
    message: String,
    place: Place,
    label: Option<String>,
    labels: Vec<(Place, String)>,
    notes: Vec<String>,
    help: Vec<String>,
    suggestion: Option<(Place, String, String)>,
}

/// The problem, unless it speaks of a file that has no number.
pub(crate) fn store(problem: &Diagnostic, number: &dyn Fn(FileId) -> Option<u32>) -> Option<Stored> {
    let place = |span: Span| Some((number(span.file)?, span.range.start, span.range.end));
    let labels = problem.labels.iter().map(|(span, words)| Some((place(*span)?, words.clone())));
    let suggestion = match &problem.suggestion {
        Some(it) => Some((place(it.span)?, it.replacement.clone(), it.words.clone())),
        None => None,
    };
    Some(Stored {
        code: problem.code.0,
        is_error: problem.severity == Severity::Error,
        message: problem.message.clone(),
        place: place(problem.span)?,
        label: problem.label.clone(),
        labels: labels.collect::<Option<_>>()?,
        notes: problem.notes.clone(),
        help: problem.help.clone(),
        suggestion,
    })
}

/// The problem again, with a reader's files. `file` says which one a number means, and how long its text is: places beyond it are no places.
pub(crate) fn restore(it: Stored, file: &dyn Fn(u32) -> Option<(FileId, u32)>) -> Option<Diagnostic> {
    let span = |(number, start, end): Place| {
        let (file, size) = file(number)?;
        (start <= end && end <= size).then(|| Span::new(file, TextRange::new(start, end)))
    };
    let labels = it.labels.into_iter().map(|(place, words)| Some((span(place)?, words)));
    let suggestion = match it.suggestion {
        Some((place, replacement, words)) => Some(Suggestion { span: span(place)?, replacement, words }),
        None => None,
    };
    Some(Diagnostic {
        code: Code(it.code),
        severity: if it.is_error { Severity::Error } else { Severity::Warning },
        message: it.message,
        span: span(it.place)?,
        label: it.label,
        labels: labels.collect::<Option<_>>()?,
        notes: it.notes,
        help: it.help,
        suggestion,
    })
}
