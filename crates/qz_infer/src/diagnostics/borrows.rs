//! Borrows that get into each other's way.

use qz_base::{Name, Span};
use qz_diag::{Code, Diagnostic};

/// A place that is lent, and what is done to it meanwhile.
pub(crate) struct BorrowFacts {
    pub(crate) name: String,
    /// The name that has the borrow; none for an argument.
    pub(crate) holder: Option<Name>,
    /// Where it is used again.
    pub(crate) span: Span,
    /// Where it was lent.
    pub(crate) lent: Span,
    pub(crate) mutable: bool,
}

impl BorrowFacts {
    fn diagnostic(&self, code: Code, message: String) -> Diagnostic {
        let how = if self.mutable { "lent to be changed" } else { "lent to be read" };
        let label = match self.holder {
            Some(holder) => format!("{how}, until the last use of `{holder}`"),
            None => format!("{how}, for the whole call"),
        };
        let problem = Diagnostic::new(code, self.span, message);
        if self.lent == self.span {
            problem.note(format!("it is {label}"))
        } else {
            problem.at(self.lent, label)
        }
    }

    fn earlier(&self, problem: Diagnostic) -> Diagnostic {
        match self.holder {
            Some(holder) => {
                problem.help(format!("do this before `{holder}` is borrowed, or after its last use"))
            }
            None => problem
                .help(format!("copy the value to a name before the call, if `{}` is only read", self.name)),
        }
    }
}

pub(crate) fn second_borrow(facts: &BorrowFacts) -> Diagnostic {
    let message = format!("`{}` is lent to be changed twice at a time", facts.name);
    let problem = facts.diagnostic(Code::SECOND_BORROW, message);
    match facts.holder {
        Some(_) => facts.earlier(problem),
        None => problem.help(
            "one call can change a place through one borrow only: make two calls, or use another variable",
        ),
    }
}

/// `shared`: the second borrow is the one that reads.
pub(crate) fn shared_and_exclusive(facts: &BorrowFacts, shared: bool) -> Diagnostic {
    let message = match shared {
        true => format!("`{}` is lent to be read while it is lent to be changed", facts.name),
        false => format!("`{}` is lent to be changed while it is lent to be read", facts.name),
    };
    facts.earlier(facts.diagnostic(Code::SHARED_AND_EXCLUSIVE, message))
}

pub(crate) fn read_while_changed(facts: &BorrowFacts) -> Diagnostic {
    let message = format!("`{}` is read while it is lent to be changed", facts.name);
    let problem = facts.diagnostic(Code::SHARED_AND_EXCLUSIVE, message);
    match facts.holder {
        Some(holder) => {
            problem.help(format!("read `{holder}`, or `{}` after the last use of `{holder}`", facts.name))
        }
        None => problem,
    }
}

pub(crate) fn changed_while_lent(facts: &BorrowFacts) -> Diagnostic {
    let message = format!("`{}` is changed while it is lent", facts.name);
    let problem = facts.diagnostic(Code::MUTATED_BORROWED, message);
    match facts.holder {
        Some(holder) if facts.mutable => problem.help(format!(
            "change it through `{holder}`, or after its last use; with its type, `{holder}: …`, the name gets a copy"
        )),
        _ => facts.earlier(problem),
    }
}

pub(crate) fn gone_while_lent(facts: &BorrowFacts) -> Diagnostic {
    let message = format!("`{}` goes to another task while it is lent", facts.name);
    facts.earlier(facts.diagnostic(Code::MUTATED_BORROWED, message))
}

/// A borrow that neither gets a name nor is an argument.
pub(crate) fn not_named(span: Span, mutable: bool) -> Diagnostic {
    let sign = if mutable { "&mut" } else { "&" };
    Diagnostic::new(
        Code::BORROW_ESCAPES,
        span,
        "a borrow stands for an argument or gets a name, nothing else",
    )
    .help(format!("leave the `{sign}` out to use the value, or name the borrow first: `r = {sign} …`"))
}
