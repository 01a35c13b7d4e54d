//! What goes to another task.

use qz_base::{Name, Span};
use qz_diag::{Code, Diagnostic};

/// What was to go.
#[derive(Copy, Clone)]
pub(crate) enum Crosses {
    Name(Name),
    Value,
    /// A task's result.
    Result,
}

pub(crate) enum NotSend {
    Function,
    Dyn,
    Pointer,
    /// An impl says that it does not.
    SaysSo,
}

pub(crate) struct NotSendFacts {
    pub(crate) what: Crosses,
    pub(crate) ty: String,
    /// The part of the type that is to blame.
    pub(crate) part: Option<String>,
    pub(crate) why: NotSend,
}

pub(crate) fn not_send(span: Span, facts: &NotSendFacts) -> Diagnostic {
    let ty = &facts.ty;
    let message = match facts.what {
        Crosses::Name(name) => format!("`{name}` cannot go to another task"),
        Crosses::Value => format!("a `{ty}` cannot go to another task"),
        Crosses::Result => "the result of this task cannot go to who awaits it".into(),
    };
    let part = facts.part.as_ref().unwrap_or(ty);
    let why = match facts.why {
        NotSend::Function => "is a function: nothing tells what it has captured",
        NotSend::Dyn => "hides its type: write `& Send` behind it",
        NotSend::Pointer => "is a raw pointer",
        NotSend::SaysSo => "stays in its task",
    };
    let of = if facts.part.is_some() { format!("`{part}`, a part of `{ty}`,") } else { format!("`{ty}`") };
    Diagnostic::new(Code::NOT_SEND, span, message).note(format!("{of} {why}"))
}

pub(crate) fn used_after_crossing(span: Span, name: Name, went: Span) -> Diagnostic {
    let again = span == went;
    let message = match again {
        true => format!("`{name}` went to another task in an earlier turn of the loop"),
        false => format!("`{name}` went to another task"),
    };
    let problem = Diagnostic::new(Code::USED_AFTER_CROSSING, span, message);
    let problem = if again { problem } else { problem.at(went, "it went here") };
    problem.help(format!("send a copy: `{name}.clone()`"))
}

pub(crate) fn captured_var(span: Span, name: Name, crossing: Span) -> Diagnostic {
    Diagnostic::new(Code::CAPTURED_VAR, span, format!("the `var` `{name}` cannot be used in another task"))
        .at(crossing, "this goes to another task")
        .help(format!("copy it to a fresh name before, or use an `Atomic` or a `Mutex` in place of `{name}`"))
}
