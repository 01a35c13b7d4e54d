//! C: types it has no form for, calls that are not safe.

use qz_base::{Name, Span};
use qz_diag::{Code, Diagnostic};

pub(crate) fn no_c_type(span: Span, shown: &str, inner: Option<&str>, help: Option<&str>) -> Diagnostic {
    let problem = Diagnostic::new(Code::C_TYPE, span, format!("`{shown}` has no form in C"));
    let problem = match inner {
        Some(inner) => problem.note(format!("it holds `{inner}`")),
        None => problem,
    };
    match help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

pub(crate) fn repr_c_place(span: Span) -> Diagnostic {
    Diagnostic::new(Code::ATTRIBUTE_PLACE, span, "`@repr(C)` belongs to a struct or an enum")
}

pub(crate) fn repr_int_place(span: Span) -> Diagnostic {
    Diagnostic::new(Code::ATTRIBUTE_PLACE, span, "`@repr` of a number's type belongs to an enum")
        .help("for C, a struct has `@repr(C)`; `packed struct(u32)` puts its fields into one number")
}

/// An enum that cannot be a number in memory.
pub(crate) fn repr_enum(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::C_TYPE, span, format!("`{name}` cannot be a number in memory"))
        .note("such an enum has variants, and no type parameters")
}

pub(crate) fn empty_c_struct(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::C_TYPE, span, format!("C has no struct without fields, as `{name}` is one"))
        .help("something that C keeps to itself is a `newtype` of `CPtr`")
}

pub(crate) fn foreign_param_type(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(
        Code::NEEDS_SIGNATURE,
        span,
        format!("the type of `{name}` must be written: C tells none"),
    )
}

/// Why a call asks for `unsafe`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum UnsafeCall {
    Foreign,
    Declared,
    Library,
}

pub(crate) fn unsafe_call(span: Span, name: Name, why: UnsafeCall, declared: Span) -> Diagnostic {
    let (what, note) = match why {
        UnsafeCall::Foreign => ("is a C function", "nobody checks what C does with its arguments"),
        UnsafeCall::Declared => ("is declared `unsafe`", "its documentation says what a caller must see to"),
        UnsafeCall::Library => ("works on raw memory", "it belongs to the library's own code"),
    };
    Diagnostic::new(Code::UNSAFE_CALL, span, format!("`{name}` {what}: a call of it is not safe"))
        .at(declared, "declared here")
        .note(note)
        .help("write `unsafe do … end` around it, in a function that makes sure of what is needed")
}

pub(crate) fn no_c_function(span: Span, captured: Option<Name>) -> Diagnostic {
    match captured {
        Some(name) => {
            Diagnostic::new(Code::C_FUNCTION, span, format!("a C function cannot capture `{name}`")).help(
                "C passes a pointer of yours along: put what is needed into a `CBox`, and give its `ptr`",
            )
        }
        None => Diagnostic::new(Code::C_FUNCTION, span, "`c_fn` takes a function by its name, or a lambda")
            .note("C's pointer leads to code alone, so which code it is must be known here"),
    }
}

pub(crate) fn c_function_type(span: Span, shown: &str, inner: Option<&str>) -> Diagnostic {
    let problem = Diagnostic::new(Code::C_TYPE, span, format!("C cannot call a `{shown}`"));
    match inner {
        Some(inner) => problem.note(format!("`{inner}` has no form in C")),
        None => problem,
    }
}
