//! The words for problems with declarations and names.

use crate::types::numbers::Unfit as VariantUnfit;
use crate::types::unions::Unfit;
use qz_base::{Name, Span};
use qz_diag::{Code, Diagnostic, did_you_mean};

pub(crate) fn not_yet(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::NOT_YET, span, format!("not available yet: {what}"))
}

/// `Red = 1` in an enum.
pub(crate) fn variant_number(unfit: VariantUnfit) -> Diagnostic {
    let (span, text) = match unfit {
        VariantUnfit::Form(span) => (span, "this is no number that a variant can have".to_owned()),
        VariantUnfit::Constant(span, name) => {
            (span, format!("`{name}` is no constant of numbers and operators"))
        }
        VariantUnfit::Range(span, int) => {
            (span, format!("the number of a variant must be one of `{}`", int.name()))
        }
    };
    let problem = Diagnostic::new(Code::VARIANT_NUMBER, span, text);
    match unfit {
        VariantUnfit::Form(_) => problem
            .help("write a number, or numbers and constants with operators between them: `BASE + 1 << 4`"),
        VariantUnfit::Constant(..) => problem.help(
            "a constant that a variant's number names is made of numbers, operators and other such constants",
        ),
        VariantUnfit::Range(..) => problem,
    }
}

pub(crate) fn number_of_values(span: Span, variant: Name) -> Diagnostic {
    let text = format!("`{variant}` has values, so that a number does not tell what it is");
    Diagnostic::new(Code::VARIANT_NUMBER, span, text)
        .note("where one variant of an enum has a number, all have one, and none has values")
        .help("say it in a method: `def code(self): Int` with a `match self`")
}

pub(crate) fn number_twice(span: Span, number: i64, variant: Name, other: Name, at: Span) -> Diagnostic {
    let text = format!("`{variant}` has the number {number}, which is `{other}`'s");
    Diagnostic::new(Code::VARIANT_NUMBER, span, text).at(at, "here first")
}

pub(crate) fn not_an_effect(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(Code::NOT_AN_EFFECT, span, format!("`{name}` is not an effect"))
        .help("an effect is declared by `effect Name … end`")
}

pub(crate) fn effects_as_type(span: Span, text: &str) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_TYPE, span, format!("`{text}` are effects, not a type"))
        .help("effects stand behind `can`, and for a type parameter that is used there")
}

/// `impl Eq + Ord`.
pub(crate) fn traits_added(span: Span, text: &str) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_TYPE, span, "traits behind `impl` and `dyn` are joined by `&`")
        .help(format!("write `{}`", text.replace(" + ", " & ").replace('+', "&")))
}

pub(crate) fn several_effects(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(Code::NOT_AN_EFFECT, span, format!("`{name}` is a name for several effects"))
        .help("each effect has handlers of its own: `with log, ask do … end`")
}

pub(crate) fn row_unbound(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::NOT_AN_EFFECT, span, format!("`{name}` may be no effect"))
        .help(format!("write `{name}: AnyEffects` where it is declared"))
}

pub(crate) fn effect_as_type(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_TYPE, span, format!("`{name}` is an effect, not a type"))
        .help(format!("its handlers have the type `Handler<{name}>`"))
}

pub(crate) fn no_operation(span: Span, effect: Name, name: Name, declared: Span) -> Diagnostic {
    Diagnostic::new(Code::HANDLER_CLAUSES, span, format!("`{effect}` has no operation `{name}`"))
        .at(declared, "declared here")
}

pub(crate) fn missing_clauses(span: Span, effect: Name, names: &[Name], first: Span) -> Diagnostic {
    let list: Vec<String> = names.iter().map(|it| format!("`{it}`")).collect();
    let problem = format!("this handler of `{effect}` has no clause for {}", list.join(", "));
    Diagnostic::new(Code::HANDLER_CLAUSES, span, problem)
        .at(first, "an operation of the effect")
        .help(format!("add `def {}(…) … end` to the handler", names[0]))
}

pub(crate) fn clause_params(span: Span, name: Name, wanted: u32, found: u32, declared: Span) -> Diagnostic {
    let problem = format!("`{name}` takes {wanted} arguments, and this clause takes {found}");
    Diagnostic::new(Code::HANDLER_CLAUSES, span, problem).at(declared, "the operation")
}

pub(crate) fn return_clause_params(span: Span) -> Diagnostic {
    Diagnostic::new(Code::HANDLER_CLAUSES, span, "a `return` clause takes one parameter, the body's value")
}

pub(crate) fn resume_args(span: Span) -> Diagnostic {
    Diagnostic::new(Code::RESUME_PLACE, span, "`resume` takes one value: what the operation gives")
}

pub(crate) fn resume_outside(span: Span) -> Diagnostic {
    Diagnostic::new(Code::RESUME_PLACE, span, "`resume` outside a clause of a handler")
        .help("it goes on behind an operation, in `handler Effect  def operation(…) … end  end`")
}

pub(crate) fn operation_self(span: Span) -> Diagnostic {
    Diagnostic::new(Code::OPERATION_FORM, span, "an operation has no `self`")
        .help("handlers close over what they need; leave `self` out")
}

pub(crate) fn borrow_for_task(span: Span) -> Diagnostic {
    Diagnostic::new(Code::TASK_BORROW, span, "an exclusive borrow cannot go into a task")
        .help("give the task the value and use what it gives back")
}

pub(crate) fn mailbox_form(span: Span, policies: &[&str]) -> Diagnostic {
    let policies: Vec<String> = policies.iter().map(|it| format!("`{it}`")).collect();
    Diagnostic::new(Code::ACTOR, span, "a mailbox has a capacity and perhaps a policy")
        .help(format!("write `@mailbox(64)` or `@mailbox(64, policy)`; policies are {}", policies.join(", ")))
}

pub(crate) fn state_type_needed(span: Span, name: &str) -> Diagnostic {
    type_needed(span, "the state of an actor").help(format!("write `var {name}: T = …`"))
}

pub(crate) fn state_unset(span: Span, name: &str, init: Span) -> Diagnostic {
    Diagnostic::new(Code::ACTOR, span, format!("`{name}` has no value when `init` starts"))
        .at(init, "runs on the state that is there")
        .help(format!("give it a value: `var {name}: T = …`"))
}

const SELECT_ARMS: &str = "an arm is `v = recv(channel) =>`, `r = send(channel, value) =>`, `after(milliseconds) =>` or `default =>`";

pub(crate) fn select_arm(span: Span) -> Diagnostic {
    Diagnostic::new(Code::SELECT_ARM, span, "`select` cannot wait for this").help(SELECT_ARMS)
}

pub(crate) fn select_arm_args(span: Span, word: &str, takes: &str) -> Diagnostic {
    Diagnostic::new(Code::SELECT_ARM, span, format!("`{word}` takes {takes}")).help(SELECT_ARMS)
}

pub(crate) fn select_arm_value(span: Span, word: &str) -> Diagnostic {
    Diagnostic::new(Code::SELECT_ARM, span, format!("`{word}` gives no value to name"))
        .help(format!("write `{word}` without a name before it"))
}

pub(crate) fn select_empty(span: Span) -> Diagnostic {
    Diagnostic::new(Code::SELECT_ARMS, span, "this `select` has nothing to wait for").help(SELECT_ARMS)
}

pub(crate) fn select_twice(again: Span, first: Span, word: &str) -> Diagnostic {
    Diagnostic::new(Code::SELECT_ARMS, again, format!("a second `{word}` in one `select`"))
        .at(first, "the first one")
}

pub(crate) fn select_never_after(after: Span, default: Span) -> Diagnostic {
    Diagnostic::new(
        Code::SELECT_ARMS,
        after,
        "this `after` never comes: a `select` with `default` does not wait",
    )
    .at(default, "chosen at once if no other arm is ready")
}

pub(crate) fn select_send_unused(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UNUSED_RESULT, span, "nobody learns whether the channel was closed")
        .help("name the result: `r = send(…) =>`, or `_ = send(…) =>`")
}

pub(crate) fn yield_in_block(span: Span) -> Diagnostic {
    Diagnostic::new(Code::YIELD_PLACE, span, "`yield` cannot stand in a block or lambda")
        .help("use a `for` loop in place of the block; a task sends what it finds to a channel")
}

pub(crate) fn yield_in_defer(span: Span) -> Diagnostic {
    Diagnostic::new(Code::YIELD_PLACE, span, "`yield` cannot stand in a `defer`")
        .note("it runs when nobody asks for values any more")
}

pub(crate) fn yield_outside(span: Span) -> Diagnostic {
    Diagnostic::new(Code::YIELD_PLACE, span, "`yield` outside a function")
}

pub(crate) fn return_from_generator(span: Span) -> Diagnostic {
    Diagnostic::new(Code::GENERATOR, span, "a function with `yield` returns no other value")
        .help("`yield` the value, or end the sequence by `return` alone")
}

pub(crate) fn propagate_from_generator(span: Span) -> Diagnostic {
    Diagnostic::new(Code::GENERATOR, span, "a function with `yield` has no result to leave with")
        .help("handle the error with `match`, or yield the `Result` itself")
}

pub(crate) fn generator_result(span: Span) -> Diagnostic {
    Diagnostic::new(Code::GENERATOR, span, "a function with `yield` gives an `Iterator`")
        .help("write `Iterator<T>` with the type of the values, or leave the result out")
}

pub(crate) fn unknown_attribute(span: Span, name: &str) -> Diagnostic {
    const KNOWN: &[&str] = &[
        "value",
        "repr",
        "cfg",
        "derive",
        "deprecated",
        "must_use",
        "test_only",
        "inline",
        "track_caller",
        "overflow",
        "link",
        "link_name",
        "task_local",
        "thread_local",
    ];
    let problem = Diagnostic::new(Code::UNKNOWN_ATTRIBUTE, span, format!("unknown attribute `@{name}`"));
    suggest(problem, name, KNOWN.iter().copied())
}

pub(crate) fn inline_takes(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_ATTRIBUTE, span, "`@inline` stands alone, or says `never` or `always`")
}

pub(crate) fn include_path(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(Code::INCLUDE, span, format!("`{name}` takes one path, as a literal"))
        .note("the file is read while the program is compiled, and looked for beside the source text")
}

pub(crate) fn include_failed(span: Span, reason: &str) -> Diagnostic {
    Diagnostic::new(Code::INCLUDE, span, format!("the file cannot be included: {reason}"))
        .note("the path begins at the folder of the source text")
}

pub(crate) fn repr_takes(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_ATTRIBUTE, span, "`@repr` says neither `C` nor the type of a number")
        .help("write `@repr(C)`; for an enum also `@repr(u8)`, or another of `u8` to `i64`")
}

pub(crate) fn overflow_takes(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_ATTRIBUTE, span, "`@overflow` says neither `wrap` nor `check`")
        .help("write `@overflow(wrap)` for results that keep their low bits")
}

pub(crate) fn suggest<'a>(
    problem: Diagnostic,
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    match did_you_mean(name, candidates) {
        Some(near) => {
            let span = problem.span;
            let range = if problem.span.range.len() as usize > name.len() + 1 {
                return problem.help(format!("did you mean `{near}`?"));
            } else {
                span
            };
            problem.suggest(range, near, format!("did you mean `{near}`?"))
        }
        None => problem,
    }
}

fn suggest_names(problem: Diagnostic, name: Name, candidates: &[Name]) -> Diagnostic {
    suggest(problem, name.as_str(), candidates.iter().map(|it| it.as_str()))
}

pub(crate) fn duplicate(again: Span, name: Name, first: Span) -> Diagnostic {
    Diagnostic::new(Code::DUPLICATE, again, format!("`{name}` is declared twice"))
        .at(first, "first declared here")
}

pub(crate) fn import_clashes(again: Span, name: Name, first: Span) -> Diagnostic {
    Diagnostic::new(Code::DUPLICATE, again, format!("`{name}` already means something else here"))
        .at(first, "declared here")
        .help(format!("import it under another name: `import {name} as …`"))
}

pub(crate) fn overloads_overlap(again: Span, name: Name, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::OVERLOADS,
        again,
        format!("another function `{name}` accepts the same number of arguments"),
    )
    .at(first, "the other one")
    .note("functions of one name must differ in how many arguments they take")
}

/// `self` behind other parameters.
pub(crate) fn self_not_first(span: Span) -> Diagnostic {
    Diagnostic::new(Code::BAD_RECEIVER, span, "`self` is the first parameter of its method")
}

pub(crate) fn self_outside(span: Span) -> Diagnostic {
    Diagnostic::new(Code::SELF_OUTSIDE, span, "`self` can only be a parameter of a method")
        .help("put the function into `impl T … end` or into the body of its type")
}

pub(crate) fn self_value_outside(span: Span) -> Diagnostic {
    Diagnostic::new(Code::SELF_OUTSIDE, span, "`self` is only known in a method that takes `self`")
}

pub(crate) fn no_body(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(Code::NO_BODY, span, format!("`{name}` has no body"))
        .help("write `= expression` or a body that ends with `end`; an empty one is `= ()`")
}

pub(crate) fn unknown_abi(span: Span, abi: &str) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_NAME, span, format!("unknown calling convention {abi:?}"))
        .help("`extern \"C\"` is the one there is")
}

pub(crate) fn not_in_extern_block(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NOT_IN_TRAIT, span, "only functions without a body can stand in an `extern` block")
}

/// An `extern "C"` function cannot … this.
pub(crate) fn foreign_form(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::C_FORM, span, format!("an `extern \"C\"` function cannot {what}"))
}

pub(crate) fn bad_symbol(span: Span, symbol: &str, problem: &str) -> Diagnostic {
    Diagnostic::new(Code::C_SYMBOL, span, format!("the symbol `{symbol}` {problem}"))
        .help("`@link_name(\"…\")` gives a function another symbol than its name")
}

pub(crate) fn exported_twice(again: Span, symbol: Name, first: Span) -> Diagnostic {
    Diagnostic::new(Code::C_SYMBOL, again, format!("two functions for C have the symbol `{symbol}`"))
        .at(first, "the first one")
        .help("`@link_name(\"…\")` gives a function another symbol than its name")
}

pub(crate) fn bad_link(span: Span, library: &str) -> Diagnostic {
    let words = match library {
        "" => "`@link` needs the name of a library".to_owned(),
        library => format!("`{library}` cannot be the name of a library"),
    };
    let problem = Diagnostic::new(Code::C_SYMBOL, span, words);
    problem.help(
        "write what stands behind `-l`, as in `@link(\"z\")`, or a path, as in `@link(\"./libmine.so\")`",
    )
}

pub(crate) fn attribute_place(span: Span, name: &str, place: &str) -> Diagnostic {
    Diagnostic::new(Code::ATTRIBUTE_PLACE, span, format!("`@{name}` belongs to {place}"))
}

pub(crate) fn attribute_twice(span: Span, name: &str, first: Span) -> Diagnostic {
    Diagnostic::new(Code::ATTRIBUTE_PLACE, span, format!("`@{name}` stands here twice"))
        .at(first, "the first one")
}

pub(crate) fn attribute_says(span: Span, name: &str, takes_text: bool) -> Diagnostic {
    let message = match takes_text {
        true => format!("`@{name}` stands alone, or says one text"),
        false => format!("`@{name}` stands alone"),
    };
    Diagnostic::new(Code::UNKNOWN_ATTRIBUTE, span, message)
}

pub(crate) fn not_a_member(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NOT_IN_TRAIT, span, "only methods and associated types can stand here")
}

pub(crate) fn private_item(span: Span, name: Name, module: Name) -> Diagnostic {
    Diagnostic::new(Code::PRIVATE_ITEM, span, format!("`{name}` is private to module `{module}`"))
}

pub(crate) fn not_in_module(span: Span, name: Name, module: Name, exports: &[Name]) -> Diagnostic {
    let problem = Diagnostic::new(Code::UNKNOWN_NAME, span, format!("module `{module}` has no `{name}`"));
    suggest_names(problem, name, exports)
}

pub(crate) fn unknown_name(span: Span, name: Name, visible: &[Name]) -> Diagnostic {
    let problem = Diagnostic::new(Code::UNKNOWN_NAME, span, format!("unknown name `{name}`"));
    suggest_names(problem, name, visible)
}

pub(crate) fn branch_binding(span: Span, name: Name, bound: Span) -> Diagnostic {
    Diagnostic::new(Code::BRANCH_BINDING, span, format!("`{name}` is bound in a branch and ends with it"))
        .at(bound, "bound here")
        .help(format!("bind it before: `var {name} = …`, or use the branch as a value: `{name} = if …`"))
}

pub(crate) fn unknown_type(span: Span, name: Name, visible: &[Name]) -> Diagnostic {
    let problem = Diagnostic::new(Code::UNKNOWN_TYPE, span, format!("unknown type `{name}`"));
    let types: Vec<Name> = visible.iter().copied().filter(|it| it.is_upper()).collect();
    suggest_names(problem, name, &types)
}

pub(crate) fn unknown_trait(span: Span, name: &str) -> Diagnostic {
    // Where the text is damaged, a type may reach over lines.
    let name = name.lines().next().unwrap_or_default();
    Diagnostic::new(Code::UNKNOWN_TRAIT, span, format!("`{name}` is not a trait"))
}

/// A type parameter that would stand for a type with parameters.
pub(crate) fn higher_order(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(
        Code::NOT_YET,
        span,
        format!("`{name}` is a parameter for whole types: it takes no types itself"),
    )
    .note("there are no type parameters for types with parameters, such as `Vec` without its element")
    .help("let a trait say what is asked of the type, with an associated type for what is inside")
}

/// `A & B`, or a name for that.
pub(crate) fn traits_as_type(span: Span, traits: &str) -> Diagnostic {
    let message = match traits.contains('&') {
        true => format!("`{traits}` are traits, not a type"),
        false => format!("`{traits}` is a name for traits, not a type"),
    };
    Diagnostic::new(Code::UNKNOWN_TYPE, span, message).help(format!(
        "write `impl {traits}` for some type that has them, or `dyn {traits}` for any at run time"
    ))
}

/// Where one trait is wanted.
pub(crate) fn name_of_traits(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_TRAIT, span, format!("`{name}` is a name for several traits"))
        .help("write an impl for each of them")
}

pub(crate) fn trait_as_type(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_TYPE, span, format!("`{name}` is a trait, not a type"))
        .help(format!("write `impl {name}` for some type that has it, or `dyn {name}` for any at run time"))
}

pub(crate) fn unknown_module(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_MODULE, span, format!("no module or type `{name}` is known here"))
        .help(format!("`import …/{name}` makes a module known"))
}

pub(crate) fn ambiguous(span: Span, name: Name, modules: &[Name]) -> Diagnostic {
    let list: Vec<String> = modules.iter().map(|it| format!("`{it}`")).collect();
    Diagnostic::new(Code::AMBIGUOUS_NAME, span, format!("`{name}` comes from {}", list.join(" and "))).help(
        format!("import the one you mean: `import {name} from {}`", modules[0].as_str().replace("::", "/")),
    )
}

pub(crate) fn type_arg_count(span: Span, name: Name, expected: usize, found: usize) -> Diagnostic {
    Diagnostic::new(
        Code::TYPE_ARG_COUNT,
        span,
        format!("`{name}` takes {}, found {found}", count(expected, "type argument")),
    )
}

pub(crate) fn count(n: usize, what: &str) -> String {
    match n {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{n} {what}s"),
    }
}

pub(crate) fn cyclic_alias(span: Span, name: Name, declared: Span) -> Diagnostic {
    Diagnostic::new(Code::CYCLIC_ALIAS, span, format!("the alias `{name}` means itself"))
        .at(declared, format!("`{name}` is declared here"))
        .help("a type that holds values of its own kind has a name: a `struct` or an `enum`")
}

pub(crate) fn type_needed(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::NEEDS_SIGNATURE, span, format!("{what} needs a written type"))
}

pub(crate) fn infer_in_signature(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NEEDS_SIGNATURE, span, "`_` cannot stand in a declaration's type")
        .help("leave the whole type out to have it inferred, or write it")
}

pub(crate) fn field_type_twice(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::FIELD_TWICE, span, format!("the field `{name}` is there twice"))
}

pub(crate) fn assoc_const_type(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(
        Code::NEEDS_SIGNATURE,
        span,
        format!("the constant `{name}` of a trait needs a written type"),
    )
    .help(format!("write `const {name}: T`"))
}

pub(crate) fn rest_position(span: Span) -> Diagnostic {
    Diagnostic::new(Code::RECORD_REST, span, "nothing says what the rest of this record is")
        .note("a function's parameter of the type `{ x: Int, ...rest }` brings `rest` along, and so does `<R: AnyRecord>`")
}

pub(crate) fn rest_no_record(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::RECORD_REST, span, format!("`{name}` must be a record here")).help(
        "it stands for the fields of a record that are left open: `{ x: Int }`, or `{}` if there are none",
    )
}

pub(crate) fn rest_unbound(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::RECORD_REST, span, format!("`{name}` may be no record"))
        .help(format!("write `{name}: AnyRecord` where it is declared"))
}

/// `...rest` in the pattern of a struct or variant.
pub(crate) fn rest_of_struct(span: Span) -> Diagnostic {
    Diagnostic::new(Code::RECORD_REST, span, "`...` collects the fields of records only")
        .note("a struct without some of its fields is a value of no type")
        .help("`..` stands for the fields left out; name those that are needed, or the whole: `pattern as whole`")
}

pub(crate) fn union_too_large(span: Span, found: usize, most: u32) -> Diagnostic {
    Diagnostic::new(Code::UNION, span, format!("a union of {found} types; it can have {most}"))
        .help("an `enum` can have as many variants as it needs")
}

pub(crate) fn union_member(span: Span, member: &str, unfit: &Unfit) -> Diagnostic {
    let (why, help) = match unfit {
        Unfit::Parameter => (
            format!("`{member}` may turn out to be any type, also another member"),
            "a parameter may stand inside of a member: `Vec<T> | String`; or use an `enum`",
        ),
        Unfit::Never => ("there are no values of type `Never`".to_owned(), "leave `Never` out"),
        Unfit::Borrow => {
            ("a union keeps its value, so it cannot be a borrow".to_owned(), "leave the `&` out")
        }
        Unfit::Hole => ("`_` cannot be a member of a union".to_owned(), "write the member's type"),
    };
    Diagnostic::new(Code::UNION, span, why).help(help)
}

pub(crate) fn union_overlap(span: Span, a: &str, b: &str, other: Span) -> Diagnostic {
    let problem = match a == b {
        true => format!("`{a}` is twice in this union"),
        false => format!("`{a}` and `{b}` may be the same type"),
    };
    let of_other = if a == b { "it is here, too".to_owned() } else { format!("`{a}` is here") };
    Diagnostic::new(Code::UNION, span, problem)
        .at(other, of_other)
        .help("a value tells its member by its type alone; an `enum` gives names to what has one type")
}

pub(crate) fn self_type_outside(span: Span) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_TYPE, span, "`Self` is only known inside `trait`, `impl`, and type bodies")
}

pub(crate) fn no_assoc(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_TYPE, span, format!("no bound here has an associated type `{name}`"))
}

pub(crate) fn no_assoc_of(span: Span, of: Name, name: Name) -> Diagnostic {
    Diagnostic::new(Code::UNKNOWN_TYPE, span, format!("`{of}` has no associated type `{name}`"))
}

pub(crate) fn borrow_position(span: Span) -> Diagnostic {
    Diagnostic::new(Code::BORROW_ESCAPES, span, "a borrow can only be a parameter or a local name")
        .help("structs, `Vec`, `Map` and `Set` are shared by reference already: leave the `&` out")
}

pub(crate) fn not_a_value(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::NOT_A_VALUE, span, format!("{what} is not a value"))
}

pub(crate) fn immutable(span: Span, name: Name, bound: Span, is_param: bool) -> Diagnostic {
    let words = if is_param { "a parameter, so it cannot be assigned" } else { "bound here without `var`" };
    let problem = Diagnostic::new(Code::IMMUTABLE, span, format!("`{name}` is immutable")).at(bound, words);
    if is_param {
        problem.help(format!("copy it first: `var {name} = {name}`"))
    } else {
        let at = qz_base::TextRange::empty(bound.range.start);
        problem.suggest(Span::new(bound.file, at), "var ", "make it mutable where it is bound")
    }
}

pub(crate) fn cannot_assign(span: Span) -> Diagnostic {
    Diagnostic::new(Code::CANNOT_ASSIGN, span, "this cannot be assigned to")
        .help("a variable, a field or an element can")
}

pub(crate) fn assign_const(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::IMMUTABLE, span, format!("`{name}` is a constant"))
}

pub(crate) fn label_unknown(span: Span, name: Name, known: &[Name]) -> Diagnostic {
    let problem = Diagnostic::new(Code::LABEL_UNKNOWN, span, format!("no loop around is labelled `{name}`"));
    suggest_names(problem, name, known)
}

pub(crate) fn outside_loop(span: Span, word: &str) -> Diagnostic {
    Diagnostic::new(Code::OUTSIDE_LOOP, span, format!("`{word}` outside a loop"))
}

pub(crate) fn break_in_block(span: Span) -> Diagnostic {
    Diagnostic::new(Code::OUTSIDE_LOOP, span, "`break` cannot leave a block or lambda")
        .help("use a `for` loop, which `break` can leave; `next` ends the block's current call")
}

pub(crate) fn break_value(span: Span) -> Diagnostic {
    Diagnostic::new(Code::OUTSIDE_LOOP, span, "only `break` out of `loop` can carry a value")
}

pub(crate) fn leaves_defer(span: Span, word: &str) -> Diagnostic {
    Diagnostic::new(Code::LEAVES_DEFER, span, format!("`{word}` cannot leave a `defer`"))
}

pub(crate) fn bound_twice(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::BOUND_TWICE, span, format!("`{name}` is bound twice in one pattern"))
}

pub(crate) fn or_bindings(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::OR_BINDINGS, span, format!("`{name}` is not bound by every alternative"))
}

pub(crate) fn unknown_variant(span: Span, adt: Name, name: Name, variants: &[Name]) -> Diagnostic {
    let problem = Diagnostic::new(Code::UNKNOWN_VARIANT, span, format!("`{adt}` has no variant `{name}`"));
    suggest_names(problem, name, variants)
}

pub(crate) fn macro_args(span: Span, name: &str, expected: &str) -> Diagnostic {
    Diagnostic::new(Code::ARG_COUNT, span, format!("`${name}` takes {expected}"))
}

pub(crate) fn unused_name(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::UNUSED_NAME, span, format!("`{name}` is never read"))
        .help(format!("if it is meant to be unused, call it `_{name}`"))
}

/// `message`: what the parser of regexes says.
pub(crate) fn no_regex(span: Span, message: &str) -> Diagnostic {
    let first = message.lines().next().unwrap_or_default();
    Diagnostic::new(Code::NOT_A_REGEX, span, format!("this is no regex: {first}"))
}

pub(crate) fn literal_range(span: Span) -> Diagnostic {
    Diagnostic::new(Code::LITERAL_RANGE, span, "this number is larger than any integer type holds")
}

pub(crate) fn clauses_defaults(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::CLAUSES,
        span,
        "a function with several clauses cannot have default or rest parameters",
    )
}

pub(crate) fn third_name(span: Span) -> Diagnostic {
    Diagnostic::new(Code::PATTERN_ARITY, span, "a `for` binds one or two names")
        .help("the parts of an element come apart in parentheses: `for (a, b, c) in …`")
}

pub(crate) fn second_gap(span: Span) -> Diagnostic {
    Diagnostic::new(Code::PATTERN_ARITY, span, "a pattern can have one `..`")
}

pub(crate) fn rest_outside_vec(span: Span) -> Diagnostic {
    Diagnostic::new(Code::PATTERN_ARITY, span, "only a vector's pattern collects what is left")
        .help("`..` stands for the values of a tuple or variant that have no pattern")
}

pub(crate) fn second_rest(span: Span) -> Diagnostic {
    Diagnostic::new(Code::PATTERN_ARITY, span, "a vector pattern can have one `*rest`")
}

pub(crate) fn interp_in_pattern(span: Span) -> Diagnostic {
    Diagnostic::new(Code::PATTERN_TYPE, span, "a string pattern cannot hold an interpolation")
        .help("match on a name and compare in a guard: `s if s == \"…\" =>`")
}

pub(crate) fn module_value(span: Span, name: Name) -> Diagnostic {
    Diagnostic::new(Code::NOT_A_VALUE, span, format!("`{name}` is a module, not a value"))
        .help(format!("write `{name}::…` for what is in it"))
}

pub(crate) fn one_index(span: Span) -> Diagnostic {
    Diagnostic::new(Code::ARG_COUNT, span, "an index is one value")
        .help("for a nested value write `v[i][j]`; a tuple index is `v[(i, j)]`")
}

pub(crate) fn refined_bound(span: Span) -> Diagnostic {
    Diagnostic::new(Code::REFINEMENT, span, "a refined type's parameter has no bounds")
        .note("values of the parameter's type may change, so the predicate does not look at them")
        .help("leave the bound out, or refine a type that is known: `type Port = Int where it > 0`")
}

pub(crate) fn refined_base(span: Span, base: &str) -> Diagnostic {
    Diagnostic::new(Code::REFINEMENT, span, format!("`{base}` cannot be refined: its values may change, or may be of any type"))
        .help("a predicate that held once must hold for ever: numbers, `Bool`, `Char`, `String`, `Bytes`, `Symbol`, refined types, and tuples, records, enums and `@value` structs of these or of type parameters can be refined")
}
