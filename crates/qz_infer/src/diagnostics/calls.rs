//! Calls and members.

use qz_base::{Name, Span};
use qz_diag::{Code, Diagnostic};

use super::{count, list, suggest};

/// How many arguments a call should have and has.
pub(crate) struct CountFacts {
    pub(crate) min: usize,
    pub(crate) max: Option<usize>,
    pub(crate) found: usize,
    /// A parameter that got no argument.
    pub(crate) missing: Option<Name>,
    pub(crate) name: Option<Name>,
    pub(crate) declared: Option<Span>,
}

pub(crate) fn arg_count(span: Span, facts: &CountFacts) -> Diagnostic {
    let expected = match (facts.min, facts.max) {
        (min, Some(max)) if min == max => count(min, "argument"),
        (min, Some(max)) => format!("{min} to {max} arguments"),
        (min, None) => format!("at least {}", count(min, "argument")),
    };
    let in_range = facts.min <= facts.found && facts.max.is_none_or(|max| facts.found <= max);
    let mut problem = match facts.missing {
        Some(missing) if in_range => {
            Diagnostic::new(Code::ARG_MISSING, span, format!("no argument for the parameter `{missing}`"))
        }
        missing => {
            let problem =
                Diagnostic::new(Code::ARG_COUNT, span, format!("expected {expected}, found {}", facts.found));
            match missing {
                Some(missing) => problem.label(format!("`{missing}` is missing")),
                None => problem,
            }
        }
    };
    if let (Some(declared), Some(name)) = (facts.declared, facts.name) {
        problem = problem.at(declared, format!("`{name}` is declared here"));
    }
    problem
}

pub(crate) fn no_overload(span: Span, name: Name, given: u32, arities: &[(u32, Option<u32>)]) -> Diagnostic {
    let known: Vec<String> = arities
        .iter()
        .map(|&(min, max)| match max {
            Some(max) if max == min => min.to_string(),
            Some(max) => format!("{min} to {max}"),
            None => format!("{min} or more"),
        })
        .collect();
    Diagnostic::new(Code::ARG_COUNT, span, format!("no `{name}` takes {}", count(given as usize, "argument")))
        .note(format!("there are versions with {} arguments", known.join(", ")))
}

pub(crate) fn arg_twice(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::ARG_TWICE, span, format!("`{name}` is given twice"))
}

pub(crate) fn unknown_arg_name(span: Span, name: Name, names: &[Name]) -> Diagnostic {
    suggest(Diagnostic::new(Code::ARG_NAME, span, format!("no parameter is called `{name}`")), name, names)
}

pub(crate) fn cannot_spread(span: Span, ty: &str) -> Diagnostic {
    Diagnostic::new(Code::SPREAD, span, format!("{} cannot be spread here", super::a(ty)))
        .note("a spread is a `Vec` for a `*rest` parameter, or a tuple whose parts fill parameters")
}

pub(crate) fn not_callable(span: Span, ty: &str) -> Diagnostic {
    Diagnostic::new(Code::NOT_CALLABLE, span, format!("{} cannot be called", super::a(ty)))
}

pub(crate) fn call_type(span: Span, ty: &str) -> Diagnostic {
    Diagnostic::new(Code::NOT_CALLABLE, span, format!("the type `{ty}` cannot be called"))
}

pub(crate) fn convert(problem: Diagnostic, ty: &str) -> Diagnostic {
    problem.help(format!("to convert a number, write `x as {ty}`"))
}

pub(crate) fn call_field(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::NO_METHOD, span, format!("`{name}` is a field, not a method"))
        .help(format!("to call the function it holds, write `(x.{name})(…)`"))
}

pub(crate) fn no_member(span: Span, name: Name, ty: &str, is_call: bool) -> Diagnostic {
    let (code, what) =
        if is_call { (Code::NO_METHOD, "method") } else { (Code::NO_FIELD, "field or method") };
    Diagnostic::new(code, span, format!("`{ty}` has no {what} `{name}`"))
}

pub(crate) fn similar_member(problem: Diagnostic, name: Name, members: &[Name]) -> Diagnostic {
    suggest(problem, name, members)
}

/// A name from another language.
pub(crate) fn called_here(problem: Diagnostic, here: &str) -> Diagnostic {
    let at = problem.span;
    problem.suggest(at, here, format!("Quartz calls it `{here}`"))
}

/// `e.first?` where `first` is a method.
pub(crate) fn propagated_call(problem: Diagnostic, method: &str, offers: bool) -> Diagnostic {
    let words = format!("to hand `nil` or an error on, write `{method}()?`");
    let at = problem.span;
    if offers { problem.suggest(at, format!("{method}()?"), words) } else { problem.help(words) }
}

/// `Type.new()` where there is none.
pub(crate) fn built_by(problem: Diagnostic, written: &str) -> Diagnostic {
    problem.help(format!("a value is written out: `{written}`"))
}

/// Calls of functions that make a value.
pub(crate) fn made_by(problem: Diagnostic, calls: &[String]) -> Diagnostic {
    let calls: Vec<String> = calls.iter().map(|it| format!("`{it}`")).collect();
    match &calls[..] {
        [] => problem,
        [one] => problem.help(format!("a value is made by {one}")),
        [first @ .., last] => problem.help(format!("a value is made by {} or {last}", first.join(", "))),
    }
}

/// Several methods of one rank: each is shown. A bound is what picks one of several traits.
pub(crate) fn ambiguous_method(
    span: Span,
    name: Name,
    places: &[(Name, Span)],
    of_traits: bool,
) -> Diagnostic {
    let mut names: Vec<Name> = places.iter().map(|it| it.0).collect();
    names.dedup();
    let message = match names[..] {
        [of] => format!("there are {} `{of}`", places.len()),
        _ => format!("`{name}` could be any of {}", list(&names)),
    };
    let mut problem = Diagnostic::new(Code::AMBIGUOUS_CALL, span, message);
    for (of, at) in places {
        problem = problem.at(*at, format!("that of `{of}`"));
    }
    match places.first() {
        Some((first, _)) if of_traits => problem
            .help(format!("a function with a bound says which: `def of_one<T: {first}>(x: T) = x.{name}()`")),
        _ => problem.help("give one of them another name"),
    }
}

pub(crate) fn private_field(span: Span, name: Name, declared: Span) -> Diagnostic {
    Diagnostic::new(Code::PRIVATE_FIELD, span, format!("`{name}` is private")).at(declared, "declared here")
}

/// A function asks for a member by how it calls it, and a type has one with more parameters: defaults are not filled in.
pub(crate) fn bound_arity(
    span: Span,
    name: Name,
    ty: &str,
    (takes, given): (usize, usize),
    (function, declared): (Name, Span),
) -> Diagnostic {
    let message = format!(
        "`{function}` calls `{name}` with {}, and that of `{ty}` takes {takes}",
        count(given, "argument")
    );
    Diagnostic::new(Code::ARG_COUNT, span, &message)
        .at(declared, "asked in this function")
        .note("defaults are filled in where the type is known")
        .help(format!("write the type of the parameter in `{function}`"))
}

pub(crate) fn bound_member(span: Span, name: Name, ty: &str, function: Name, declared: Span) -> Diagnostic {
    Diagnostic::new(Code::UNSATISFIED, span, format!("`{ty}` has no `{name}`, which `{function}` asks of it"))
        .at(declared, "asked in this function")
}

pub(crate) fn receiver_unknown(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::CANNOT_INFER, span, format!("the type that `{name}` is asked of is not known"))
        .help("write the type of the parameter or name it comes from")
}

pub(crate) fn overload_value(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::OVERLOAD_VALUE, span, format!("`{name}` has several versions")).help(
        "as a value it needs a place that says how many arguments it takes, or a lambda around the call",
    )
}

pub(crate) fn type_arg_count(span: Span, name: Name, expected: usize, found: usize) -> Diagnostic {
    Diagnostic::new(
        Code::TYPE_ARG_COUNT,
        span,
        format!("`{name}` takes {}, found {found}", count(expected, "type argument")),
    )
}

pub(crate) fn trait_as_value(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::NOT_A_VALUE, span, format!("the trait `{name}` is not a value"))
}

pub(crate) fn leaves_defer(span: Span) -> Diagnostic {
    Diagnostic::new(Code::LEAVES_DEFER, span, "`?` cannot leave a `defer`")
}

/// A call inside a group of functions that call each other, of one with type parameters of its own.
pub(crate) fn recursive_generic(span: Span, name: Name, declared: Span) -> Diagnostic {
    Diagnostic::new(
        Code::NEEDS_SIGNATURE,
        span,
        format!("the result type of `{name}` must be written: it has type parameters, and is called here on the way to itself"),
    )
    .at(declared, "write `: Type` behind its parameters")
}
