//! What is said when a macro cannot be expanded, and how a problem inside of an expansion is told: at the call, with the
//! quote and the calls between.

use qz_base::Span;
use qz_diag::{Code, Diagnostic, did_you_mean};

use crate::code::{ExpansionId, NOBODY, Origin, Trace, place};
use crate::scope::Macro;

/// So many calls are told one by one.
const TOLD: usize = 4;

/// An error in the run of a macro.
pub(crate) fn failed(trace: &Trace, id: ExpansionId, message: String) -> Diagnostic {
    let mut line = message.replace('\n', " ");
    line.truncate(line.trim_end_matches('.').len());
    let span = trace.outermost(id).map_or(Span::new(qz_base::FileId(0), Default::default()), |it| it.call);
    with_trace(Diagnostic::new(Code::MACRO_FAILED, span, line), trace, id)
}

pub(crate) fn limit(trace: &Trace, id: ExpansionId, message: String) -> Diagnostic {
    let span = trace.outermost(id).map_or(Span::new(qz_base::FileId(0), Default::default()), |it| it.call);
    with_trace(Diagnostic::new(Code::MACRO_LIMIT, span, message), trace, id)
}

/// Says through which calls an expansion came to be.
fn with_trace(problem: Diagnostic, trace: &Trace, id: ExpansionId) -> Diagnostic {
    let chain: Vec<_> = trace.outwards(id).collect();
    let Some((outermost, inner)) = chain.split_last() else { return problem };
    let mut problem = problem;
    for it in inner.iter().rev().take(TOLD) {
        let words = format!("which calls `${}`", it.name);
        if !problem.labels.iter().any(|(span, _)| *span == it.call) {
            problem = problem.at(it.call, words);
        }
    }
    if inner.len() > TOLD {
        let last: Vec<String> = chain.iter().take(TOLD).rev().map(|it| format!("`${}`", it.name)).collect();
        problem = problem.note(format!(
            "{} expansions inside each other, at last {}",
            chain.len(),
            last.join(" → ")
        ));
    }
    problem.note(format!("in the expansion of `${}`", outermost.name))
}

pub(crate) fn unknown(span: Span, name: &str, known: &[qz_base::Name]) -> Diagnostic {
    let builtin = ["unwrap", "try", "assert", "debug"];
    let problem = Diagnostic::new(Code::UNKNOWN_MACRO, span, format!("unknown macro `${name}`"));
    match did_you_mean(name, known.iter().map(|it| it.as_str()).chain(builtin)) {
        Some(near) => problem.help(format!("did you mean `${near}`?")),
        None => problem.note("macros are declared by `macro name(…)`, and imported like functions"),
    }
}

/// A macro of the language where a pattern or a type stands.
pub(crate) fn stands_for_a_value(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(
        Code::UNKNOWN_MACRO,
        span,
        format!("`${name}` stands for a value, not for a pattern or a type"),
    )
}

pub(crate) fn private(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_MACRO, span, format!("the macro `${name}` is private to its module"))
}

pub(crate) fn ambiguous(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_MACRO, span, format!("several wildcard imports bring a macro `${name}`"))
        .help("import the one that is meant by name")
}

/// What a macro takes, in words.
pub(crate) fn taken(found: &Macro) -> String {
    let needed = found.params.iter().filter(|it| !it.is_rest && it.default.is_none()).count();
    let more = found.params.iter().any(|it| it.is_rest);
    let most = found.params.len();
    let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
    match () {
        () if more => format!("at least {needed} {}", plural(needed)),
        () if most == needed => format!("{needed} {}", plural(needed)),
        () => format!("{needed} to {most} arguments"),
    }
}

/// Tells a problem of an expanded text where somebody can mend it.
pub fn explain(
    problem: Diagnostic,
    trace: &Trace,
    origins: &dyn Fn(Span) -> Option<std::sync::Arc<[Origin]>>,
) -> Diagnostic {
    let mut told = problem;
    let labels = std::mem::take(&mut told.labels);
    if let Some(table) = origins(told.span) {
        let (at, by) = place(&table, told.span.range);
        told.span = at;
        if by != NOBODY {
            if let Some(outermost) = trace.outermost(by) {
                told.span = outermost.call;
                told = told.at(at, "written in this macro");
            }
            told.label = None;
            told = with_trace(told, trace, by);
        }
    }
    for (span, words) in labels {
        let span = origins(span).map_or(span, |table| place(&table, span.range).0);
        if span != told.span {
            told = told.at(span, words);
        }
    }
    if let Some(fix) = told.suggestion.take() {
        match origins(fix.span).map(|table| place(&table, fix.span.range)) {
            None => told.suggestion = Some(fix),
            Some((span, NOBODY)) => told.suggestion = Some(qz_diag::Suggestion { span, ..fix }),
            Some(_) => told = told.help(fix.words),
        }
    }
    told
}
