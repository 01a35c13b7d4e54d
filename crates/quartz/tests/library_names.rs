//! One operation has one name on every type of the library, read from the compiler's own declarations.

use qz_driver::Root;

/// What other libraries call it, and what it is called here.
const SYNONYMS: &[(&str, &str)] = &[
    ("length", "size"),
    ("len", "size"),
    ("count_of", "size"),
    ("is_empty", "empty?"),
    ("is_empty?", "empty?"),
    ("append", "push"),
    ("add", "push"),
    ("push_back", "push"),
    ("enqueue", "push"),
    ("pop_back", "pop"),
    ("dequeue", "pop"),
    ("remove", "delete"),
    ("remove_at", "delete"),
    ("erase", "delete"),
    ("at", "get"),
    ("fetch", "get"),
    ("lookup", "get"),
    ("has_key?", "has"),
    ("has_key", "has"),
    ("key?", "has"),
    ("contains_key", "has"),
    ("includes?", "contains"),
    ("include?", "contains"),
    ("includes", "contains"),
    ("contains?", "contains"),
    ("member?", "contains"),
    ("for_each", "each"),
    ("each_pair", "each"),
    ("collect", "map"),
    ("select", "filter"),
    ("find_all", "filter"),
    ("fold", "reduce"),
    ("inject", "reduce"),
    ("detect", "find"),
    ("any", "any?"),
    ("all", "all?"),
    ("some?", "any?"),
    ("every?", "all?"),
    ("sum_of", "sum"),
    ("minimum", "min"),
    ("maximum", "max"),
    ("order", "sort"),
    ("reverse!", "reverse"),
    ("uniq", "unique"),
    ("distinct", "unique"),
    ("each_slice", "chunks"),
    ("each_cons", "windows"),
    ("concat_with", "join"),
    ("flat", "flatten"),
    ("merge", "merged"),
    ("to_s", "show"),
    ("to_str", "show"),
    ("dup", "clone"),
    ("copy_of_self", "clone"),
    ("downcase", "lower"),
    ("to_lower", "lower"),
    ("upcase", "upper"),
    ("to_upper", "upper"),
    ("strip", "trim"),
    ("index", "index_of"),
    ("start_with?", "starts_with?"),
    ("end_with?", "ends_with?"),
];

/// Another operation that rightly has such a name: module, name, and why it is another one.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("std::vec", "remove", "by value, the first equal one; `delete` is by position"),
    ("std::set", "add", "tells whether the element was new; pushing promises an end"),
    ("std::barrier", "add", "raises a count; pushing is of elements"),
    ("std::string_builder", "append", "a text; `push` is one character"),
    ("std::bytes", "append", "other bytes; `push` is one byte"),
    ("std::file", "append", "writes to the end of a file by its name"),
    ("std::env", "remove", "a variable of the environment, no element"),
    ("std::queue", "pop_back", "the other end; `pop` takes from the front"),
    ("std::env", "all", "every variable; `all?` asks a question"),
    ("std::option", "some?", "whether there is a value; `any?` asks of elements"),
];

/// Types that hold something, and what each of them must answer to.
const COLLECTIONS: &[(&str, &[&str])] = &[
    (
        "std::vec",
        &[
            "size",
            "empty?",
            "get",
            "push",
            "pop",
            "delete",
            "each",
            "map",
            "filter",
            "reduce",
            "find",
            "any?",
            "all?",
            "none?",
            "sum",
            "min",
            "max",
            "sort",
            "sorted",
            "sort_by",
            "sorted_by",
            "reverse",
            "reversed",
            "unique",
            "flatten",
            "zip",
            "enumerate",
            "partition",
            "group_by",
            "take",
            "drop",
            "chunks",
            "windows",
            "join",
            "contains",
        ],
    ),
    (
        "std::map",
        &[
            "size",
            "empty?",
            "get",
            "has",
            "delete",
            "each",
            "map",
            "filter",
            "reduce",
            "find",
            "any?",
            "all?",
            "none?",
            "keys",
            "values",
            "partition",
            "sorted",
        ],
    ),
    ("std::set", &["size", "empty?", "has", "contains", "delete", "pop", "filter", "partition"]),
    (
        "std::string",
        &["size", "empty?", "get", "contains", "each", "filter", "split", "reversed", "take", "drop"],
    ),
    ("std::sorted_map", &["size", "empty?", "get", "has", "delete", "keys", "values"]),
    ("std::queue", &["size", "empty?", "push", "pop"]),
    ("std::stack", &["size", "empty?", "push", "pop"]),
    ("std::priority_queue", &["size", "empty?", "push", "pop"]),
    ("std::string_builder", &["size", "empty?", "push"]),
    ("std::bytes", &["size", "empty?", "get", "push"]),
    ("std::range", &["size", "empty?", "contains", "take", "reversed"]),
    (
        "std::iter",
        &["map", "filter", "take", "drop", "reduce", "find", "any?", "all?", "none?", "zip", "enumerate"],
    ),
];

/// Every public function and method of the library: module and name.
fn declared() -> Vec<(String, String)> {
    let loaded = qz_driver::load(Root::Std, &Default::default(), None)
        .unwrap_or_else(|_| panic!("the library is in the binary"));
    let program = qz_driver::collect(loaded);
    let defs = &program.defs;
    let of = |def: &qz_hir::FnDef| (defs.modules[def.module].path.to_string(), def.name.to_string());
    // Without the compiler's own modules, whose functions nobody calls by name.
    let internal = ["std::intrinsics", "std::rt"];
    let all = defs.fns.iter().map(|(_, def)| def).filter(|def| !def.is_private).map(of);
    all.filter(|(module, _)| !internal.contains(&module.as_str())).collect()
}

#[test]
fn nothing_has_a_second_name() {
    let mut wrong: Vec<String> = Vec::new();
    for (module, name) in declared() {
        let Some((_, right)) = SYNONYMS.iter().find(|(other, _)| *other == name) else { continue };
        if !DIFFERENT.iter().any(|(at, it, _)| *at == module && *it == name) {
            wrong.push(format!("`{name}` in {module} is called `{right}` everywhere else"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn exceptions_exist() {
    let all = declared();
    for (module, name, _) in DIFFERENT {
        assert!(all.iter().any(|it| it.0 == *module && it.1 == *name), "{module} has no `{name}` any more");
    }
}

#[test]
fn collections_answer_to_the_verbs() {
    let all = declared();
    let mut wrong: Vec<String> = Vec::new();
    for (module, verbs) in COLLECTIONS {
        for verb in *verbs {
            if !all.iter().any(|it| it.0 == *module && it.1 == *verb) {
                wrong.push(format!("{module} has no `{verb}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
