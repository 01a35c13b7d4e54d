//! What goes to another task.

use qz_base::{Name, Span};
use qz_diag::{Code, Diagnostic};
use qz_types::{Ty, TyKind};

use super::a;

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

impl NotSend {
    /// Why the innermost part of a type stays.
    pub(crate) fn of(part: Ty) -> NotSend {
        match part.kind() {
            TyKind::Fn(_) => NotSend::Function,
            TyKind::Dyn(_) => NotSend::Dyn,
            TyKind::Ptr(_) => NotSend::Pointer,
            _ => NotSend::SaysSo,
        }
    }
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
        Crosses::Name(name) if !name.as_str().is_empty() => format!("`{name}` cannot go to another task"),
        Crosses::Name(_) | Crosses::Value => format!("{} cannot go to another task", super::a(ty)),
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

pub(crate) fn used_after_crossing(span: Span, name: Name, went: Span, is_function: bool) -> Diagnostic {
    let again = span == went;
    let message = match again {
        true => format!("`{name}` went to another task in an earlier turn of the loop"),
        false => format!("`{name}` went to another task"),
    };
    let problem = Diagnostic::new(Code::USED_AFTER_CROSSING, span, message);
    let problem = if again { problem } else { problem.at(went, "it went here") };
    match is_function {
        true => problem.help("write another function for the task: what this one captured went with it"),
        false => problem.help(format!("send a copy: `{name}.clone()`")),
    }
}

pub(crate) fn captured_var(span: Span, name: Name, crossing: Span) -> Diagnostic {
    Diagnostic::new(Code::CAPTURED_VAR, span, format!("the `var` `{name}` cannot be used in another task"))
        .at(crossing, "this goes to another task")
        .help(format!("copy it to a fresh name before, or use an `Atomic` or a `Mutex` in place of `{name}`"))
}

/// How a value comes to where tasks meet: the functions on the way, and the place.
pub(crate) struct Way {
    /// The functions that are called, the outermost first.
    pub(crate) names: Vec<Name>,
    /// Where the last of them hands it over, unless that is where it is given.
    pub(crate) end: Option<Span>,
}

impl Way {
    fn tell(&self, problem: Diagnostic, label: &str) -> Diagnostic {
        let problem = match self.end {
            Some(end) => problem.at(end, label),
            None => problem,
        };
        if self.names.len() < 2 {
            return problem;
        }
        let names: Vec<&str> = self.names.iter().map(|it| it.as_str()).collect();
        problem.note(format!("by way of {}", names.join(" → ")))
    }
}

/// A function that is called hands a value of this type, or what a function captured, to another task.
pub(crate) fn handed_on(span: Span, facts: &NotSendFacts, way: &Way) -> Diagnostic {
    let problem = way.tell(not_send(span, facts), "it goes to another task here");
    problem.help("make the value in the task that uses it, or hand over what it is made of")
}

/// A function that several tasks call captured something of this type.
pub(crate) fn unshared_capture(
    span: Span,
    name: Name,
    facts: &NotSendFacts,
    call: Span,
    way: &Way,
) -> Diagnostic {
    let ty = &facts.ty;
    let of = facts.part.as_ref().map_or(format!("`{ty}`"), |part| format!("`{part}`, a part of `{ty}`,"));
    let why = match facts.why {
        NotSend::Function => "is a function: nothing tells what it has captured",
        NotSend::Dyn => "hides its type: write `& Share` behind it",
        NotSend::Pointer => "is a raw pointer",
        NotSend::SaysSo => "can be changed",
    };
    let problem = format!("several tasks would know `{name}`");
    let problem = Diagnostic::new(Code::UNSHARED_CAPTURE, span, problem)
        .at(call, "this function is called by several tasks at once");
    way.tell(problem, "the tasks begin here")
        .note(format!("{of} {why}"))
        .help(format!("keep it in a `Mutex` or an `Atomic`, or capture only what is needed of `{name}`, if that cannot be changed"))
}

/// A type of which `Share` is asked by way of other functions.
pub(crate) fn not_share(span: Span, facts: &NotSendFacts, way: &Way) -> Diagnostic {
    let ty = &facts.ty;
    let problem =
        Diagnostic::new(Code::UNSHARED_CAPTURE, span, format!("several tasks would know {}", a(ty)));
    way.tell(problem, "a function that several tasks call captures it here")
        .note(format!("`{}` can be changed", facts.part.as_ref().unwrap_or(ty)))
        .help("keep it in a `Mutex` or an `Atomic`")
}

pub(crate) fn captured_var_on_the_way(span: Span, name: Name, call: Span, way: &Way) -> Diagnostic {
    way.tell(captured_var(span, name, call), "the task begins here")
}

/// Callers by the trait cannot know what the body of an impl asks.
pub(crate) fn unwritten_need(span: Span, ty: &str, marker: &str, place: Unwritten) -> Diagnostic {
    let problem = match marker {
        "Share" => format!("several tasks would know {} here, which not every type allows", a(ty)),
        _ => format!("{} goes to another task here, which not every type allows", a(ty)),
    };
    let problem = Diagnostic::new(Code::NOT_SEND, span, problem);
    match place {
        Unwritten::Impl => problem.note("who calls this by its trait sees the bounds alone").help(format!(
            "write `{ty}: {marker}` where the type parameters of the impl or of the method are"
        )),
        Unwritten::Trait => problem
            .note("who calls this by its trait sees the bounds alone")
            .help(format!("write the trait with `{marker}` behind its name, or the bound at the method")),
        Unwritten::Library => problem.help(format!("write the bound `{ty}: {marker}`")),
    }
}

pub(crate) fn unsaid_need(span: Span) -> Diagnostic {
    let problem = "a function that was given goes to another task here, and nothing says so";
    Diagnostic::new(Code::NOT_SEND, span, problem)
        .help("write `@crosses` or `@shares` at the library's function")
}

/// Where a bound has to be written.
#[derive(Copy, Clone)]
pub(crate) enum Unwritten {
    Impl,
    Trait,
    Library,
}

/// Who keeps what a lock has lent.
#[derive(Copy, Clone)]
pub(crate) enum KeptBy {
    /// It is the block's result.
    Caller,
    Name(Name),
    Module,
}

/// Who lends something to a block.
#[derive(Copy, Clone)]
pub(crate) enum Lender {
    Lock,
    /// An arena that ends with the block.
    Arena,
}

/// `name`: the value's, if it has one. `lent`: what the block calls what is lent to it, and where.
pub(crate) fn lent_escapes(
    span: Span,
    lender: Lender,
    name: Option<Name>,
    by: KeptBy,
    lent: (Name, Span),
) -> Diagnostic {
    let (whole, part) = match lender {
        Lender::Lock => ("which a lock guards", "a part of what a lock guards"),
        Lender::Arena => ("which ends with the block", "what ends with the arena of the block"),
    };
    let what = match name {
        Some(name) if name == lent.0 => format!("`{name}`, {whole},"),
        Some(name) => format!("`{name}`, {part},"),
        None => part.into(),
    };
    let problem = match by {
        KeptBy::Caller => format!("{what} cannot be the block's result"),
        KeptBy::Name(keeper) => format!("{what} cannot be kept in `{keeper}`"),
        KeptBy::Module => format!("{what} cannot be kept in a variable of the module"),
    };
    let problem = Diagnostic::new(Code::LENT_ESCAPES, span, problem).at(lent.1, "it is lent to this block");
    match lender {
        Lender::Lock => {
            let copy = name.map_or("….clone()".to_owned(), |name| format!("{name}.clone()"));
            problem.note("others change it when the block is over").help(format!("keep a copy: `{copy}`"))
        }
        Lender::Arena => {
            problem.help(format!("read the value out, as in `{}[…]`, or use `Arena.new()`", lent.0))
        }
    }
}
