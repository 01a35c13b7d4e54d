//! Types that do not fit, and types nobody can tell.

use qz_base::{Name, Span};
use qz_diag::{Code, Diagnostic};
use qz_hir::Defs;
use qz_types::{Ty, TyKind};

use super::a;

/// Two types that should be equal.
pub(crate) struct MismatchFacts {
    pub(crate) found: Ty,
    pub(crate) expected: Ty,
    pub(crate) found_words: String,
    pub(crate) expected_words: String,
}

pub(crate) fn mismatch(span: Span, defs: &Defs, facts: &MismatchFacts) -> Diagnostic {
    let problem = Diagnostic::new(
        Code::MISMATCH,
        span,
        format!("expected {}, found {}", a(&facts.expected_words), a(&facts.found_words)),
    );
    if facts.found_words == facts.expected_words && facts.found_words.contains("impl ") {
        return problem.note("each function hides a type of its own, in a trait each impl does");
    }
    let option = defs.lang.adt("Option");
    let inside = |ty: Ty| ty.as_adt().filter(|it| Some(it.0) == option).map(|it| it.1[0]);
    if inside(facts.expected) == Some(facts.found) {
        return problem.help("wrap the value: `Some(…)`");
    }
    if inside(facts.found) == Some(facts.expected) {
        return problem.help("an Option may be `nil`: use `?? default`, `!` to insist, or `match`");
    }
    let is = |ty: Ty, name: &str| ty.as_adt().is_some_and(|it| Some(it.0) == defs.lang.adt(name));
    if is(facts.expected, "Set") && is(facts.found, "Map") {
        return problem.help(format!("`{{}}` is a map; an empty set is `{}.new()`", facts.expected_words));
    }
    if facts.found.is_numeric() && facts.expected.is_numeric() {
        return problem
            .help(format!("numbers are not converted by themselves: write `… as {}`", facts.expected_words));
    }
    match (facts.expected.kind(), facts.found.kind()) {
        (TyKind::Str, _) if !facts.found.is_unit() => {
            problem.help("to make text of it: `x.show` or `\"#{x}\"`")
        }
        (TyKind::Bool, _) if !facts.found.is_unit() => {
            problem.help("only a `Bool` is a condition: compare it, for example with `!= 0` or `is Some`")
        }
        (TyKind::Ref(..), TyKind::Ref(..)) => problem,
        (TyKind::Ref(..), _) => problem.help("the parameter borrows: put `&` or `&mut` before the argument"),
        (TyKind::Fn(wanted), TyKind::Fn(f)) if f.ret.is_never() && f.params == wanted.params => {
            problem.help("put a function around it that calls it: `-> f()`")
        }
        _ => problem,
    }
}

/// A function whose result is known by its bounds, and is made of itself.
pub(crate) fn endless_result(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(
        Code::INFINITE_TYPE,
        span,
        format!("the type that `{name}` gives would be made of itself"),
    )
    .help("write the type of the result, or `dyn` instead of `impl`")
}

pub(crate) fn infinite_type(span: Span, expected: &str, found: &str) -> Diagnostic {
    Diagnostic::new(
        Code::INFINITE_TYPE,
        span,
        format!("the type `{expected}` would have to contain itself, through `{found}`"),
    )
}

pub(crate) fn cannot_infer(span: Span) -> Diagnostic {
    Diagnostic::new(Code::CANNOT_INFER, span, "the type of this cannot be inferred")
        .help("write it at the name it is bound to: `x: T = …`, or give type arguments: `f<T>(…)`")
}

pub(crate) fn cannot_infer_name(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::CANNOT_INFER, span, format!("the type of `{name}` cannot be inferred"))
        .help(format!("write it: `{name}: T = …`"))
}

pub(crate) fn type_as_value(span: Span, ty: &str) -> Diagnostic {
    Diagnostic::new(Code::NOT_A_VALUE, span, format!("the type `{ty}` is not a value"))
        .help(format!("make one with `{ty} {{ … }}` or `{ty}.new(…)`"))
}

pub(crate) fn if_without_else(span: Span, expected: &str) -> Diagnostic {
    Diagnostic::new(Code::MISMATCH, span, format!("this `if` should give {} but has no `else`", a(expected)))
        .help("without `else` there is no value when the condition is false")
}

pub(crate) fn literal_range(
    span: Span,
    value: u128,
    negative: bool,
    ty: &str,
    min: i128,
    max: i128,
) -> Diagnostic {
    let sign = if negative { "-" } else { "" };
    Diagnostic::new(Code::LITERAL_RANGE, span, format!("{sign}{value} does not fit `{ty}`"))
        .note(format!("`{ty}` holds {min} to {max}"))
}

pub(crate) fn literal_inexact(span: Span, value: u128, ty: &str) -> Diagnostic {
    Diagnostic::new(Code::LITERAL_RANGE, span, format!("{value} cannot be held exactly by `{ty}`"))
        .help("write it with a point if rounding is meant")
}

pub(crate) fn cannot_cast(span: Span, from: &str, to: &str) -> Diagnostic {
    Diagnostic::new(Code::CANNOT_CAST, span, format!("`{from}` cannot be converted to `{to}` with `as`"))
        .note("`as` converts between numbers, `Char` and integers, `Bool` to integers, enums whose variants have numbers and integers, and opens newtypes")
}

pub(crate) fn unknown_name(span: Span, name: Name, visible: &[Name]) -> Diagnostic {
    super::suggest(Diagnostic::new(Code::UNKNOWN_NAME, span, format!("unknown name `{name}`")), name, visible)
}

pub(crate) fn mut_borrow_immutable(span: Span, name: Name, bound: Span) -> Diagnostic {
    Diagnostic::new(
        Code::MUT_BORROW,
        span,
        format!("`{name}` is immutable, so it cannot be changed through this"),
    )
    .at(bound, "bound here without `var`")
    .help(format!("bind it with `var {name} = …`"))
}

pub(crate) fn mut_borrow_value(span: Span) -> Diagnostic {
    Diagnostic::new(Code::MUT_BORROW, span, "only a variable, a field or an element can be changed in place")
        .help("bind the value to a `var` first")
}

pub(crate) fn mut_through_shared(span: Span) -> Diagnostic {
    Diagnostic::new(Code::MUT_BORROW, span, "this is a shared borrow, which cannot be changed through")
}

/// An exclusive borrow used inside a lambda.
pub(crate) fn captured_borrow(used: Span, declared: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::BORROW_ESCAPES, used, format!("a lambda cannot keep the borrow `{name}`"))
        .at(declared, "borrowed here, to be changed")
        .help(format!(
            "use a `for` loop, or change a variable of your own and assign it to `{name}` afterwards"
        ))
}

/// A `Result` that no one looks at.
pub(crate) fn thrown_away(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UNUSED_RESULT, span, "this result is thrown away, and an error with it")
        .help("pass it on with `?`, take it apart with `match`, or write `_ = …` if it does not matter")
}

/// The result of what says that it matters.
pub(crate) fn must_use(span: Span, name: Name, why: Name) -> Diagnostic {
    let problem = Diagnostic::new(
        Code::UNUSED_RESULT,
        span,
        format!("the result of `{name}` is thrown away, and it must be used"),
    );
    let problem = if why.as_str().is_empty() { problem } else { problem.note(why.to_string()) };
    problem.help("use it, or write `_ = …` if it does not matter")
}

pub(crate) fn deprecated(span: Span, name: Name, instead: Name, declared: Span) -> Diagnostic {
    let problem = Diagnostic::new(Code::DEPRECATED, span, format!("`{name}` is deprecated"))
        .at(declared, "declared here");
    if instead.as_str().is_empty() { problem } else { problem.help(instead.to_string()) }
}

pub(crate) fn test_only(span: Span, name: Name, declared: Span) -> Diagnostic {
    Diagnostic::new(Code::TEST_ONLY, span, format!("`{name}` is for tests only"))
        .at(declared, "marked `@test_only` here")
        .help("use it in a specification, or in what is `@test_only` itself")
}

/// A task that nobody knows.
pub(crate) fn bare_go(span: Span) -> Diagnostic {
    Diagnostic::new(Code::BARE_GO, span, "nobody waits for this task, and it ends with the program")
        .help("keep the task and `await` it, start it in a `scope`, or write `_ = …` if that is meant")
}

/// `ends` never gives control back to what follows.
pub(crate) fn unreachable_code(span: Span, ends: Span) -> Diagnostic {
    Diagnostic::new(Code::UNREACHABLE, span, "this is never reached").at(ends, "the block is left here")
}

pub(crate) fn predicate_form(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::REFINEMENT, span, format!("{what} cannot stand in a predicate"))
        .help("a predicate is asked at any time: it is made of `it`, constants, operators, and methods of the library")
}

pub(crate) fn value_refused(value: Span, shown: &str, name: Name, predicate: Span, text: &str) -> Diagnostic {
    Diagnostic::new(Code::REFINED_VALUE, value, format!("`{shown}` is no `{name}`"))
        .at(predicate, format!("`{text}` does not hold for it"))
}
