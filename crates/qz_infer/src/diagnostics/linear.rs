//! Linear values that are lost, used twice, or put where nobody can count.

use qz_base::{Name, Span};
use qz_diag::{Code, Diagnostic};

pub(crate) fn used_again(span: Span, name: Name, gone: Span) -> Diagnostic {
    let problem =
        Diagnostic::new(Code::LINEAR_AGAIN, span, format!("`{name}` is linear and was used already"));
    if span == gone {
        return problem.note("it was used here in an earlier turn of the loop");
    }
    problem
        .at(gone, "it went on from here")
        .help("lend it where it is only looked at: `&` before the argument, `&self` in a method")
}

/// A name ends with its value; `gone` is where the value went on some other way.
pub(crate) fn not_used(bound: Span, name: Name, gone: Option<Span>, end: Span) -> Diagnostic {
    let message = match gone {
        Some(_) => format!("`{name}` is linear and is not used on every way"),
        None => format!("`{name}` is linear and is never used"),
    };
    let problem = Diagnostic::new(Code::LINEAR_LOST, bound, message).at(end, "it is lost here");
    let problem = match gone {
        Some(gone) => problem.at(gone, "only this way uses it"),
        None => problem,
    };
    problem.help("hand it on, return it, or take it apart: `Type { field } = value`")
}

pub(crate) fn overwritten(span: Span, name: Name, bound: Span) -> Diagnostic {
    Diagnostic::new(
        Code::LINEAR_LOST,
        span,
        format!("`{name}` is linear and still has a value, which this loses"),
    )
    .at(bound, "bound here")
    .help("use the old value first")
}

pub(crate) fn thrown_away(span: Span, ty: &str) -> Diagnostic {
    Diagnostic::new(Code::LINEAR_LOST, span, format!("this `{ty}` is linear and is thrown away"))
        .help("give it a name and use it")
}

/// A field of a type that is not linear itself.
pub(crate) fn field(span: Span, owner: Name, is_struct: bool) -> Diagnostic {
    let problem = Diagnostic::new(
        Code::LINEAR_PLACE,
        span,
        format!("`{owner}` is not linear, so it cannot hold a linear value"),
    );
    match is_struct {
        true => problem.help(format!("make it one, too: `linear struct {owner}`")),
        false => problem.help("`Option`, `Result`, tuples and linear structs hold linear values"),
    }
}

/// A linear struct with a `drop`.
pub(crate) fn with_drop(span: Span, owner: Name, declared: Span) -> Diagnostic {
    Diagnostic::new(Code::LINEAR_PLACE, span, format!("`{owner}` is linear, so nothing drops its values"))
        .at(declared, "linear here")
        .help("write a method that takes `self` apart, and call it where the value ends")
}

/// The trait says that a method takes linear types, the impl does not.
pub(crate) fn bound_missing(span: Span, param: Name, declared: Span) -> Diagnostic {
    let problem = format!("`{param}` may be a linear type, as the trait says");
    Diagnostic::new(Code::LINEAR_PLACE, span, problem)
        .at(declared, "declared by the trait here")
        .help(format!("give it the bound, too: `<{param}: Linear>`"))
}

/// Why nobody can tell whether a linear value is used once.
pub(crate) enum Misplaced {
    /// A lambda may run more than once, or never.
    Captured(Span),
    /// A part leaves the rest behind.
    Part,
    /// `?.`
    Navigated,
    /// `is`
    Tested,
    /// `whole @ Some(part)`
    Twice,
    /// `..` in a pattern.
    LeftOut,
    Dyn,
    /// In a constant or a module variable.
    Everywhere,
    /// As an `impl Trait`.
    Hidden,
    /// Out of a borrow.
    Lent,
    /// Of a type parameter.
    Generic(String),
    /// In a value of this type.
    Held(String),
}

pub(crate) fn misplaced(span: Span, why: Misplaced) -> Diagnostic {
    let bound = if let Misplaced::Captured(bound) = why { Some(bound) } else { None };
    let (message, help) = match why {
        Misplaced::Captured(_) => (
            "a lambda cannot have a linear value: it may run more than once, or never".to_owned(),
            "hand it to the lambda as an argument",
        ),
        Misplaced::Part => (
            "a linear part cannot leave its whole by name".to_owned(),
            "take the whole apart: `Type { field } = value`",
        ),
        Misplaced::Navigated => ("`?.` would lose a linear value".to_owned(), "use `match`"),
        Misplaced::Tested => {
            ("`is` would lose a linear value where it does not fit".to_owned(), "use `match`")
        }
        Misplaced::Twice => (
            "a linear value cannot have a name besides those of its parts".to_owned(),
            "name either the whole or the parts",
        ),
        Misplaced::LeftOut => ("`..` would lose a linear part".to_owned(), "name the part"),
        Misplaced::Dyn => (
            "a linear value cannot become `dyn`: nobody could tell that it is linear".to_owned(),
            "keep its type",
        ),
        Misplaced::Everywhere => {
            ("a linear value cannot be there for everybody".to_owned(), "make it in `main`, and hand it on")
        }
        Misplaced::Hidden => (
            "an `impl Trait` would hide that this is linear".to_owned(),
            "say so, `impl Trait & Linear`, or name the type",
        ),
        Misplaced::Lent => (
            "a linear value that is lent cannot go on: whoever lent it will use it".to_owned(),
            "take it by value: without `&`",
        ),
        Misplaced::Generic(ty) => (
            format!("`{ty}` is linear, and this code may copy or drop values of its type parameter"),
            "a parameter with the bound `Linear`, as in `<T: Linear>`, takes linear types; `match`, `?` and `!` take linear values \
             out of `Option`, `Result` and tuples",
        ),
        Misplaced::Held(ty) => (
            format!("a `{ty}` cannot hold linear values: it may lose them"),
            "`Option`, `Result`, tuples and linear structs hold linear values",
        ),
    };
    let problem = Diagnostic::new(Code::LINEAR_PLACE, span, message).help(help);
    match bound {
        Some(place) => problem.at(place, "bound outside of the lambda"),
        None => problem,
    }
}
