//! Structs, tuples, variants and patterns.

use qz_base::{Name, Span};
use qz_diag::{Code, Diagnostic};

use super::{a, count, list, suggest};

pub(crate) fn unknown_variant(span: Span, adt: Name, name: Name, variants: &[Name]) -> Diagnostic {
    suggest(
        Diagnostic::new(Code::UNKNOWN_VARIANT, span, format!("`{adt}` has no variant `{name}`")),
        name,
        variants,
    )
}

pub(crate) fn ambiguous_variant(span: Span, name: Name, enums: &[Name]) -> Diagnostic {
    Diagnostic::new(Code::AMBIGUOUS_NAME, span, format!("`{name}` is a variant of {}", list(enums)))
        .help(format!("write which one: `{}::{name}`", enums[0]))
}

pub(crate) fn variant_after_dot(span: Span, adt: Name, name: Name) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_VARIANT, span, "a variant stands after `::`")
        .help(format!("write `{adt}::{name}`"))
}

pub(crate) fn no_field(span: Span, adt: Name, name: Name, fields: &[Name]) -> Diagnostic {
    suggest(Diagnostic::new(Code::NO_FIELD, span, format!("`{adt}` has no field `{name}`")), name, fields)
}

pub(crate) fn field_twice(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::FIELD_TWICE, span, format!("the field `{name}` is given twice"))
}

pub(crate) fn fields_missing(span: Span, adt: Name, missing: &[Name], declared: Span) -> Diagnostic {
    let (what, verb) = if missing.len() == 1 { ("the field", "has") } else { ("the fields", "have") };
    Diagnostic::new(Code::FIELD_MISSING, span, format!("{what} {} of `{adt}` {verb} no value", list(missing)))
        .at(declared, "declared here")
}

pub(crate) fn not_a_struct(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::MISMATCH, span, format!("`{name}` is not a struct"))
        .help(format!("an enum's value is written `{name}::Variant(…)`, a newtype's `{name}(…)`"))
}

pub(crate) fn with_needs_struct(span: Span, ty: &str) -> Diagnostic {
    Diagnostic::new(Code::MISMATCH, span, format!("`.with` copies structs, this is {}", super::a(ty)))
}

pub(crate) fn tuple_index(span: Span, index: u32, len: usize) -> Diagnostic {
    Diagnostic::new(Code::TUPLE_INDEX, span, format!("the tuple has no element {index}, it has {len}"))
}

pub(crate) fn not_a_tuple(span: Span, ty: &str) -> Diagnostic {
    Diagnostic::new(Code::TUPLE_INDEX, span, format!("{} is not a tuple", super::a(ty)))
}

pub(crate) fn assign_tuple(span: Span) -> Diagnostic {
    Diagnostic::new(Code::CANNOT_ASSIGN, span, "a tuple's element cannot be assigned")
        .help("tuples are immutable: build a new one, or use a struct")
}

/// Tasks that read the variable meanwhile would see half of it.
pub(crate) fn assign_module_var(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::CANNOT_ASSIGN, span, format!("the module variable `{name}` is seen by all tasks"))
        .help("change what is in it: `store` of an `Atomic`, `set` of a `Mutex`")
}

pub(crate) fn borrow_thread_local(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(
        Code::CANNOT_ASSIGN,
        span,
        format!("the module variable `{name}` cannot be lent: the task may move to another thread"),
    )
    .help("assign it as a whole")
}

pub(crate) fn assign_method(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::CANNOT_ASSIGN, span, format!("`{name}` is a method, not a field"))
}

pub(crate) fn assign_immutable_field(span: Span, adt: Name) -> Diagnostic {
    Diagnostic::new(Code::CANNOT_ASSIGN, span, format!("a value of `{adt}` is immutable"))
}

pub(crate) fn pattern_type(span: Span, found: &str, expected: &str) -> Diagnostic {
    Diagnostic::new(
        Code::PATTERN_TYPE,
        span,
        format!("this pattern is for {}, but the value is {}", super::a(found), super::a(expected)),
    )
}

pub(crate) fn pattern_args(span: Span, name: Name, expected: usize, found: usize) -> Diagnostic {
    Diagnostic::new(
        Code::PATTERN_ARITY,
        span,
        format!("`{name}` holds {}, the pattern has {found}", count(expected, "value")),
    )
}

pub(crate) fn tuple_pattern(span: Span, expected: usize, found: usize) -> Diagnostic {
    let problem = Diagnostic::new(
        Code::PATTERN_ARITY,
        span,
        format!("the tuple has {}, the pattern {found}", count(expected, "element")),
    );
    if found < expected { problem.help("`..` stands for the elements left out") } else { problem }
}

pub(crate) fn tuple_unknown(span: Span) -> Diagnostic {
    Diagnostic::new(Code::CANNOT_INFER, span, "how many elements this tuple has is not known")
        .help("write its type, or a `_` for each element instead of `..`")
}

pub(crate) fn pattern_fields_missing(span: Span, missing: &[Name]) -> Diagnostic {
    Diagnostic::new(Code::FIELD_MISSING, span, format!("the pattern leaves out {}", list(missing)))
        .help("name them, or end the pattern with `..`")
}

pub(crate) fn struct_pattern_braces(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::PATTERN_TYPE, span, format!("`{name}` is a struct: its pattern has braces"))
        .help(format!("write `{name} {{ field, .. }}`"))
}

pub(crate) fn empty_range(span: Span) -> Diagnostic {
    Diagnostic::new(Code::EMPTY_RANGE, span, "nothing lies in this range")
        .help("the smaller end stands first")
}

pub(crate) fn range_pattern(span: Span, ty: &str) -> Diagnostic {
    Diagnostic::new(
        Code::PATTERN_TYPE,
        span,
        format!("a range pattern is for numbers and characters, not {}", super::a(ty)),
    )
}

pub(crate) fn not_exhaustive(span: Span, witnesses: &[String], clauses: bool) -> Diagnostic {
    let quoted: Vec<String> = witnesses.iter().map(|it| format!("`{it}`")).collect();
    let what = if clauses { "the clauses do" } else { "this `match` does" };
    Diagnostic::new(Code::NOT_EXHAUSTIVE, span, format!("{what} not cover {}", quoted.join(", ")))
        .help("add an arm for it, or `_ => …` for the rest")
}

pub(crate) fn dead_arm(span: Span) -> Diagnostic {
    Diagnostic::new(Code::DEAD_ARM, span, "this can never match: what it covers is covered before")
}

pub(crate) fn refutable(span: Span, witness: &str) -> Diagnostic {
    Diagnostic::new(Code::REFUTABLE, span, format!("this pattern does not cover `{witness}`"))
        .help("use `match`, or test with `if x is …`")
}

/// A value that more than one member of a union can be.
pub(crate) fn union_unclear(span: Span, found: &str, union: &str) -> Diagnostic {
    Diagnostic::new(Code::UNION_MEMBER, span, format!("which member of `{union}` this is cannot be told"))
        .label(format!("this is {}", a(found)))
        .help("bind it to a name with the member's type first: `x: T = …`")
}

/// A pattern that is for no member of a union, or for several.
pub(crate) fn union_pattern(span: Span, union: &str, is_clear: bool) -> Diagnostic {
    let problem = match is_clear {
        true => format!("no member of `{union}` has this pattern"),
        false => format!("several members of `{union}` have this pattern"),
    };
    Diagnostic::new(Code::UNION_MEMBER, span, problem).help("a type pattern tells a member: `name: Type =>`")
}

/// `Some(x): A | B`.
pub(crate) fn union_pattern_name(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UNION_MEMBER, span, "a type pattern for several types only gives a name")
        .help("write `name: A | B`, or one pattern for each type")
}

/// `...x` in a record, where `x` is none.
pub(crate) fn record_spread(span: Span, found: &str) -> Diagnostic {
    Diagnostic::new(Code::SPREAD, span, format!("only a record can be spread here, and this is {}", a(found)))
        .help("a struct is copied with changes by `p.with { x: 3 }`")
}

/// Nobody knows which of the fields before it the others would replace.
pub(crate) fn rest_over_others(span: Span) -> Diagnostic {
    let text = "a record with a rest cannot be spread over another one";
    Diagnostic::new(Code::RECORD_REST, span, text)
        .note("its rest may have fields of the same names, of any types")
        .help("spread it first; what is spread or written behind it goes before")
}

pub(crate) fn rest_in_pattern(span: Span) -> Diagnostic {
    Diagnostic::new(Code::RECORD_REST, span, "a pattern cannot name all fields of a record with a rest")
        .help("end it with `..`, or with a name for the others: `{ x, .. }`, `{ x, ...others }`")
}

pub(crate) fn record_pattern(span: Span, found: &str) -> Diagnostic {
    let problem =
        Diagnostic::new(Code::PATTERN_TYPE, span, format!("a record pattern cannot match {}", a(found)));
    match found {
        "_" => problem.help("write the type of what is matched, or name all fields and leave out the `..`"),
        _ => problem.help("the pattern of a struct starts with its name: `Point { x, .. }`"),
    }
}
