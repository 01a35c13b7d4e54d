//! Operators, indexing, iteration, Option and Result forms.

use qz_base::Span;
use qz_diag::{Code, Diagnostic};

pub(crate) fn no_operator(span: Span, op: &str, left: &str, right: Option<&str>) -> Diagnostic {
    let message = match right {
        Some(right) => format!("`{op}` is not defined for `{left}` and `{right}`"),
        None => format!("`{op}` is not defined for `{left}`"),
    };
    let problem = Diagnostic::new(Code::NO_OPERATOR, span, message);
    match (op, left, right) {
        ("+", "String", Some(_)) | ("+", _, Some("String")) => {
            problem.help("to put a value into text, write `\"… #{value}\"`")
        }
        _ => problem,
    }
}

pub(crate) fn mixed_numbers(span: Span, op: &str, left: &str, right: &str, rhs: Span) -> Diagnostic {
    Diagnostic::new(
        Code::MIXED_NUMBERS,
        span,
        format!("`{op}` needs numbers of one type, found `{left}` and `{right}`"),
    )
    .at(rhs, format!("this is {}", super::a(right)))
    .help(format!("convert one side: `… as {left}`"))
}

pub(crate) fn operand_unknown(span: Span, op: &str, ty: &str) -> Diagnostic {
    let _ = ty;
    Diagnostic::new(Code::CANNOT_INFER, span, format!("the type of this operand of `{op}` is not known"))
        .help("write the parameter's type")
}

pub(crate) fn not_unwrappable(span: Span, op: &str, ty: &str) -> Diagnostic {
    if ty == "_" {
        return operand_unknown(span, op, ty);
    }
    let wanted = if op == "?." { "an Option" } else { "an Option or a Result" };
    let problem =
        Diagnostic::new(Code::NOT_PROPAGATE, span, format!("`{op}` needs {wanted}, found {}", super::a(ty)));
    match op {
        "?." if ty.starts_with("Result<") => problem
            .help("to hand the error on and go on with the value, write `(e?).name`, or bind `x = e?` first"),
        _ => problem,
    }
}

pub(crate) fn cannot_propagate(span: Span, what: &str, ret: &str) -> Diagnostic {
    let problem = Diagnostic::new(
        Code::NOT_PROPAGATE,
        span,
        format!("this can leave with {} but the function gives {}", super::a(what), super::a(ret)),
    );
    match what {
        "Option" => problem.help("turn it into a Result with `.ok_or(error)`, or supply a default with `??`"),
        _ => problem.help("handle the error with `match`, or supply a default with `??`"),
    }
}

pub(crate) fn not_indexable(span: Span, ty: &str, key: &str, to_write: bool) -> Diagnostic {
    let what = if to_write { "assigned to by index" } else { "indexed" };
    Diagnostic::new(Code::NOT_INDEXABLE, span, format!("`{ty}` cannot be {what} with {}", super::a(key)))
}

pub(crate) fn index_tuple(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NOT_INDEXABLE, span, "a tuple is not indexed with `[]`")
        .help("write `t.0`, `t.1`, …")
}

pub(crate) fn not_iterable(span: Span, ty: &str) -> Diagnostic {
    let problem = Diagnostic::new(Code::NOT_ITERABLE, span, format!("`for` cannot walk {}", super::a(ty)));
    match ty {
        "Int" => problem.help("to count, write `for i in 0..n`"),
        "String" => problem.help("its characters are `s.chars`"),
        _ => problem
            .note("a type can be walked if it has `next(self): T?`, or `iter(self)` that gives such a type"),
    }
}
