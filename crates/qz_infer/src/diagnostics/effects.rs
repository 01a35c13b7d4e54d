//! The words for problems with effects.

use qz_base::{Name, Span};
use qz_diag::{Code, Diagnostic};

use crate::effects::{Unshared, Why};

pub(crate) fn unhandled(
    span: Span,
    effect: &str,
    place: &str,
    path: &[String],
    operation: Span,
) -> Diagnostic {
    let problem = format!("nothing handles `{effect}` in {place}");
    let mut problem = Diagnostic::new(Code::UNHANDLED_EFFECT, span, problem);
    if operation != span {
        problem = problem.at(operation, "performed here");
    }
    if path.len() > 2 {
        problem = problem.note(format!("by way of {}", path.join(" → ")));
    }
    match effect.strip_prefix("Throws") {
        Some(error) => problem.help(format!("stop it with `catch{error} do … end`")),
        None => problem.help("put a handler around it: `with handler do … end`".to_owned()),
    }
}

/// A clause that neither resumes nor gives anything.
pub(crate) fn never_resumed(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::NEVER_RESUMED,
        span,
        "this clause never resumes, so the body of the `with` ends here",
    )
    .help("end it in `resume(…)`; if the end is meant, write `return`, or let the operation give `Never`")
}

pub(crate) fn not_allowed(
    span: Span,
    function: Name,
    effect: &str,
    can: Span,
    path: &[String],
) -> Diagnostic {
    let problem = format!("`{function}` performs `{effect}`, which its `can` does not allow");
    let mut problem = Diagnostic::new(Code::EFFECT_ROW, span, problem).at(can, "what it may perform");
    if path.len() > 2 {
        problem = problem.note(format!("by way of {}", path.join(" → ")));
    }
    problem.help(format!("add `+ {effect}`, or handle it here"))
}

pub(crate) fn escapes(span: Span, effect: &str, what: &str) -> Diagnostic {
    let kind = if what.ends_with("`dyn`") { "value with a method" } else { "function" };
    let problem = format!("a {kind} that performs `{effect}` is {what}, and its type does not say so");
    let problem = Diagnostic::new(Code::EFFECT_ESCAPES, span, problem);
    if what.ends_with("`dyn`") {
        return problem.help(format!("write `can {effect}` at the trait's method"));
    }
    problem.help(format!("write the function's type with `can {effect}`, or handle the effect inside of it"))
}

pub(crate) fn unserved(span: Span, effect: &str, by: Unshared) -> Diagnostic {
    let why = match by.why {
        Why::Answers => "the handler around it does more than to `resume` at once",
        Why::Variable => "the handler around it captures a `var`",
        Why::Object => "the handler around it captures an object that can be changed",
        Why::Catch => "a `catch` stops only what its own task throws",
    };
    let problem = format!("another task performs `{effect}` here, and {why}");
    let problem = Diagnostic::new(Code::UNSHARED_HANDLER, span, problem);
    if by.why == Why::Catch {
        return problem
            .at(by.handler, "the `catch`")
            .help("put the `catch` into the task, and await its `Result`");
    }
    problem
        .at(by.handler, "the handler")
        .note("a handler serves other tasks if all its clauses end in `resume(…)` and it captures nothing that can be changed")
        .help("handle the effect in the task, or keep what tasks share in an `Atomic` or a `Mutex`")
}

pub(crate) fn not_a_handler(span: Span, ty: &str) -> Diagnostic {
    Diagnostic::new(Code::NOT_A_HANDLER, span, format!("`with` needs a handler, not a value of type `{ty}`"))
        .help("a handler is made by `handler Effect … end`")
}
