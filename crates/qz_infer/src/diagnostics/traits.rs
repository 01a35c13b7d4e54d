//! Bounds, impls, declarations.

use qz_base::{Name, Span};
use qz_diag::{Code, Diagnostic};
use qz_hir::Whose;

use super::list;

/// A bound that does not hold.
pub(crate) struct UnmetFacts {
    pub(crate) ty: String,
    pub(crate) bound: String,
    /// The trait's role in the language, if it has one.
    pub(crate) role: Option<Name>,
    /// The part of the type that is to blame.
    pub(crate) part: Option<String>,
    pub(crate) is_fn: bool,
    pub(crate) asked_by: Option<(Name, Span)>,
    pub(crate) is_key: bool,
    /// Fields that a record must not have.
    pub(crate) lacks: Option<Vec<Name>>,
    /// Of a `dyn` with the trait: what generic code may ask for and a `dyn` has not, and why.
    pub(crate) dyn_lacks: Option<(Name, &'static str)>,
}

pub(crate) fn unmet_bound(span: Span, facts: &UnmetFacts) -> Diagnostic {
    let ty = &facts.ty;
    if let Some(names) = &facts.lacks {
        return may_have_fields(span, ty, names);
    }
    let (code, message) = match (facts.role.map(Name::as_str), facts.is_key) {
        (Some("Hash" | "Eq"), true) => {
            (Code::NOT_HASHABLE, format!("`{ty}` cannot be a key: it cannot be hashed"))
        }
        (Some("Show"), _) => (Code::NO_SHOW, format!("`{ty}` cannot be shown")),
        (Some("Eq"), _) => (Code::CANNOT_COMPARE, format!("values of `{ty}` cannot be compared with `==`")),
        (Some("Ord"), _) => (Code::CANNOT_COMPARE, format!("values of `{ty}` have no order")),
        (Some("Walk"), _) => {
            let item = facts.bound.trim_start_matches("Walk");
            let message = format!("`{ty}` is neither an `Iterator{item}` nor an `Iterable{item}`");
            (Code::UNSATISFIED, message)
        }
        _ => (Code::UNSATISFIED, format!("`{ty}` does not have `{}`", facts.bound)),
    };
    let mut problem = Diagnostic::new(code, span, message);
    if let Some(part) = &facts.part {
        let why = if facts.is_fn { ", which is a function" } else { "" };
        problem = problem.note(format!("because of its part `{part}`{why}"));
    }
    if let Some((name, why)) = facts.dyn_lacks {
        problem = problem
            .note(format!("generic code may ask for `{name}`, which {why} and so is not known of a `dyn`"));
    }
    if let Some((name, declared)) = facts.asked_by {
        if facts.role.is_some_and(|it| it.as_str() == "Walk") {
            return problem.at(declared, format!("`for` walks it in `{name}`"));
        }
        problem = problem.at(declared, format!("`{name}` asks for `{}`", facts.bound));
    }
    problem
}

/// What is left open of a record has a field that is known beside it, or may have one.
fn may_have_fields(span: Span, ty: &str, names: &[Name]) -> Diagnostic {
    let names = list(names);
    if ty.starts_with('{') {
        let message = format!("`{ty}` cannot be the rest of a record that has {names}");
        return Diagnostic::new(Code::RECORD_REST, span, message);
    }
    Diagnostic::new(Code::RECORD_REST, span, format!("`{ty}` may have {names} again, of another type"))
        .note("a pattern can only part a record's fields from others of other names")
        .help(format!("a parameter of the type `{{ x: Int, ...{ty} }}` says that `{ty}` has no `x`"))
}

pub(crate) fn unmet_projection(span: Span, base: &str, name: Name, wanted: &str) -> Diagnostic {
    Diagnostic::new(Code::MISMATCH, span, format!("`{name}` of `{base}` is not `{wanted}`"))
}

/// `ways`: impls that could be meant.
pub(crate) fn ambiguous_bound(span: Span, ty: &str, bound: &str, ways: &[Span]) -> Diagnostic {
    let message = format!("it is not clear how `{ty}` should have `{bound}`");
    let mut problem = Diagnostic::new(Code::CANNOT_INFER, span, message);
    for (n, way) in ways.iter().enumerate() {
        problem = problem.at(*way, if n == 0 { "this could be meant" } else { "this, too" });
    }
    problem.help("write the types that are left open")
}

pub(crate) fn missing_methods(span: Span, trait_name: Name, missing: &[Name], declared: Span) -> Diagnostic {
    Diagnostic::new(Code::MISSING_METHOD, span, format!("{} of `{trait_name}` is missing", list(missing)))
        .at(declared, "the trait is declared here")
}

pub(crate) fn missing_assoc(span: Span, trait_name: Name, missing: &[Name]) -> Diagnostic {
    Diagnostic::new(
        Code::MISSING_ASSOC,
        span,
        format!("the type {} of `{trait_name}` is missing", list(missing)),
    )
    .help(format!("add `type {} = …`", missing[0]))
}

pub(crate) fn not_in_trait(span: Span, trait_name: Name, name: Name) -> Diagnostic {
    Diagnostic::new(Code::NOT_IN_TRAIT, span, format!("the trait `{trait_name}` has no `{name}`"))
}

pub(crate) fn method_signature(
    span: Span,
    name: Name,
    wanted: &str,
    found: &str,
    declared: Span,
) -> Diagnostic {
    Diagnostic::new(Code::METHOD_SIGNATURE, span, format!("`{name}` should be `{wanted}` but is `{found}`"))
        .at(declared, "declared by the trait here")
}

pub(crate) fn default_of_impl(span: Span, param: Name, declared: Span) -> Diagnostic {
    Diagnostic::new(Code::METHOD_SIGNATURE, span, format!("an impl cannot give `{param}` a default of its own"))
        .at(declared, "declared by the trait here")
        .note("a call through the trait does not know which impl it will be; the trait's defaults are for all of them")
        .help("write the default in the trait, or leave it out")
}

pub(crate) fn overlap(span: Span, trait_name: Name, ty: &str, other: Span) -> Diagnostic {
    Diagnostic::new(Code::OVERLAP, span, format!("`{trait_name}` for `{ty}` overlaps with another impl"))
        .at(other, "the other one")
}

pub(crate) fn not_a_handle(span: Span, ty: &str) -> Diagnostic {
    Diagnostic::new(Code::NOT_A_HANDLE, span, format!("`Share` for `{ty}` cannot be said, only be so"))
        .note("tasks would change its fields at the same time; only types of the library are made for that")
        .help("a `@value` struct of types that have `Share` has it by itself; what is to be changed goes behind a `Mutex`")
}

/// `trait_`: its name and place; `type_`: the place of the outermost type, if that is declared anywhere.
pub(crate) fn orphan(span: Span, trait_: (Name, Span), ty: &str, type_: Option<Span>) -> Diagnostic {
    let (trait_name, declared) = trait_;
    let problem = Diagnostic::new(
        Code::ORPHAN,
        span,
        format!("an impl of `{trait_name}` for `{ty}` must stand in the package of one of them"),
    )
    .at(declared, "the trait is declared here");
    let problem = match type_ {
        Some(place) => problem.at(place, "the type is declared here"),
        None => problem,
    };
    problem.help("wrap the type in a `newtype` of your own")
}

pub(crate) fn eq_without_hash(span: Span, has: &str, lacks: &str) -> Diagnostic {
    Diagnostic::new(Code::EQ_WITHOUT_HASH, span, format!("`{has}` is overridden but `{lacks}` is not"))
        .note("equal values must have equal hashes, so the two belong together")
}

pub(crate) fn supertrait(span: Span, ty: &str, trait_name: Name, wanted: &str) -> Diagnostic {
    Diagnostic::new(Code::SUPERTRAIT, span, format!("`{trait_name}` for `{ty}` needs `{wanted}` too"))
}

/// `names`: the trait, its supertrait and the type of that.
pub(crate) fn supertrait_type(span: Span, names: (Name, Name, Name), want: &str, found: &str) -> Diagnostic {
    let (of, super_, name) = names;
    let message =
        format!("`{of}` asks for `{super_}` with `{name} = {want}`, but here `{name}` is `{found}`");
    Diagnostic::new(Code::SUPERTRAIT, span, message)
}

pub(crate) fn assoc_bound(span: Span, name: Name, ty: &str, wanted: Name) -> Diagnostic {
    Diagnostic::new(
        Code::SUPERTRAIT,
        span,
        format!("the type `{name}` must have `{wanted}`, which `{ty}` has not"),
    )
}

/// `is_newtype`: also of a refined type.
pub(crate) fn recursive_value(span: Span, name: Name, is_newtype: bool) -> Diagnostic {
    if is_newtype {
        let message = format!("`{name}` is made of a type that contains `{name}`");
        return Diagnostic::new(Code::RECURSIVE_VALUE, span, message)
            .help("a `struct` or an `enum` can refer to its own kind");
    }
    Diagnostic::new(Code::RECURSIVE_VALUE, span, format!("the `@value` type `{name}` contains itself"))
        .help("leave `@value` out: a plain struct is shared by reference and can refer to its own kind")
}

pub(crate) fn field_method_clash(span: Span, name: Name, field: Span) -> Diagnostic {
    Diagnostic::new(Code::FIELD_METHOD_CLASH, span, format!("a field and a method are both called `{name}`"))
        .at(field, "the field")
}

pub(crate) fn module_var(span: Span, name: Name, ty: &str, whose: Whose) -> Diagnostic {
    let problem = format!("the module variable `{name}` has the type `{ty}`, which is not safe to share");
    let problem = Diagnostic::new(Code::MODULE_VAR, span, problem);
    match whose {
        Whose::Thread => problem.help("tasks move between threads: with `@task_local` each task has its own value"),
        _ => problem.help(
            "keep it in a `Mutex` or an `Atomic`, give each task its own with `@task_local`, or let `main` make it and \
             pass it on",
        ),
    }
}

pub(crate) fn main_form(span: Span, why: &str) -> Diagnostic {
    Diagnostic::new(Code::MAIN, span, format!("`main` {why}"))
        .note("it takes no parameters, and gives nothing, an `Int` status, or a `Result`")
}

pub(crate) fn dyn_unsafe(span: Span, trait_name: Name, method: Name, why: &str) -> Diagnostic {
    Diagnostic::new(
        Code::DYN_SAFE,
        span,
        format!("`{method}` cannot be called on `dyn {trait_name}`: it {why}"),
    )
    .help(format!("take a type parameter instead: `<T: {trait_name}>`"))
}

pub(crate) fn drop_of_value(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::DROP_OF_VALUE,
        span,
        "only a struct can have a `drop`: a value is copied, and no copy is the last",
    )
    .help("hold the resource in a struct, which is shared by reference and dropped once")
}

pub(crate) fn method_twice(again: Span, name: Name, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::OVERLOADS,
        again,
        format!("another method `{name}` accepts the same number of arguments"),
    )
    .at(first, "the other one")
}
