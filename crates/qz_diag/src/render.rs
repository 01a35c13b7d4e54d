//! Diagnostics as text for a terminal, in rustc's layout, and as JSON lines for tools.

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use qz_base::{FileId, LineIndex};
use serde_json::json;

use crate::{Diagnostic, Severity};

/// Where the texts and paths of files come from.
pub trait Sources {
    /// The path as the user knows it.
    fn path(&self, file: FileId) -> &str;
    fn text(&self, file: FileId) -> &str;
}

/// Draws a diagnostic with its snippet.
pub fn render_human(diagnostic: &Diagnostic, sources: &dyn Sources, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let code = diagnostic.code.to_string();
    let title = level.primary_title(&diagnostic.message).id(&code);
    let mut group = Group::with_title(title);
    for snippet in snippets(diagnostic, sources) {
        group = group.element(snippet);
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(note));
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help));
    }
    let mut groups = vec![group];
    if let Some(fix) = &diagnostic.suggestion {
        let range = fix.span.range.start as usize..fix.span.range.end as usize;
        let snippet = Snippet::source(sources.text(fix.span.file))
            .path(sources.path(fix.span.file))
            .patch(Patch::new(range, &fix.replacement));
        groups.push(Level::HELP.secondary_title(&fix.words).element(snippet));
    }
    let mut text = renderer.render(&groups).to_string();
    text.push('\n');
    text
}

fn snippets<'a>(
    diagnostic: &'a Diagnostic,
    sources: &'a dyn Sources,
) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let mut files = vec![diagnostic.span.file];
    for (span, _) in &diagnostic.labels {
        if !files.contains(&span.file) {
            files.push(span.file);
        }
    }
    let range = |span: qz_base::Span| {
        let len = sources.text(span.file).len();
        (span.range.start as usize).min(len)..(span.range.end as usize).min(len)
    };
    files
        .into_iter()
        .map(|file| {
            let mut snippet = Snippet::source(sources.text(file)).path(sources.path(file)).fold(true);
            if file == diagnostic.span.file {
                let words = diagnostic.label.as_deref();
                snippet =
                    snippet.annotation(AnnotationKind::Primary.span(range(diagnostic.span)).label(words));
            }
            for (span, words) in diagnostic.labels.iter().filter(|(span, _)| span.file == file) {
                snippet = snippet
                    .annotation(AnnotationKind::Context.span(range(*span)).label(Some(words.as_str())));
            }
            snippet
        })
        .collect()
}

/// One JSON object on one line.
pub fn render_json(diagnostic: &Diagnostic, sources: &dyn Sources) -> String {
    let place = |span: qz_base::Span| {
        let text = sources.text(span.file);
        let index = LineIndex::new(text);
        let (start, end) = (index.line_col(text, span.range.start), index.line_col(text, span.range.end));
        json!({
            "file": sources.path(span.file),
            "line": start.line + 1, "column": start.col + 1,
            "end_line": end.line + 1, "end_column": end.col + 1,
        })
    };
    let labels: Vec<_> = diagnostic
        .labels
        .iter()
        .map(|(span, words)| json!({ "place": place(*span), "message": words }))
        .collect();
    let fix = diagnostic
        .suggestion
        .as_ref()
        .map(|fix| json!({ "place": place(fix.span), "replacement": fix.replacement, "message": fix.words }));
    json!({
        "code": diagnostic.code.to_string(),
        "severity": match diagnostic.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "message": diagnostic.message,
        "place": place(diagnostic.span),
        "label": diagnostic.label,
        "labels": labels,
        "notes": diagnostic.notes,
        "help": diagnostic.help,
        "suggestion": fix,
    })
    .to_string()
}
