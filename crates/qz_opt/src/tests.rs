//! What each pass does to small programs, as text.

use expect_test::{Expect, expect};
use qz_mir::print::print_body;
use qz_mir::text::TextProgram;
use qz_mir::{InstanceKey, Module};

use crate::{OptError, OptLevel, Options, SourceNames, build_module};

const PRELUDE: &str = "
enum Option<T> { None, Some(T) }
enum Tree { Leaf, Node(Tree, Int, Tree) }
ref Cell { String }
fn use_text(s_1: String) -> () noinline {
  let _2: Int
  bb0:
    _2 = call rt out_line(s_1)
    return
}
";

fn build(text: &str, level: OptLevel) -> (TextProgram, Result<Module, OptError>) {
    let program = TextProgram::read(&format!("{PRELUDE}{text}")).expect("the program is well formed");
    let main = program.function_id("main").expect("there is a `main`");
    let options = Options { level, verify: true, ..Options::default() };
    let module = build_module(&program, Some(main), &options, &mut |_, _| {});
    (program, module)
}

/// The final text of one function.
#[track_caller]
fn check(text: &str, level: OptLevel, function: &str, expected: Expect) {
    let (program, module) = build(text, level);
    let module = module.expect("the program can be built");
    let id = program.function_id(function).expect("the function is there");
    let is_it = |key: &InstanceKey| matches!(key, InstanceKey::Body(body, ..) if body.function == id);
    let instance = module.instances.values().find(|it| is_it(&it.key)).expect("the instance is there");
    let body = instance.body.as_ref().expect("has a body");
    expected.assert_eq(&print_body(body, &SourceNames(&program)).replace(&instance.symbol, "self"));
}

#[test]
fn the_last_use_moves_and_others_add_a_count() {
    check(
        "
fn main() -> () {
  let s_1: String
  let a_2: (String, String)
  let c_3: Cell
  bb0:
    s_1 = call rt int_to_str(1)
    a_2 = tuple (String, String) (s_1, s_1)
    c_3 = new Cell (s_1)
    return
}",
        OptLevel::None,
        "main",
        expect![[r#"
            fn main() -> () {
              let s_1: String
              let a_2: (String, String)
              let c_3: Cell
              bb0:
                s_1 = call rt int_to_str(1)
                retain s_1
                retain s_1
                a_2 = tuple (String, String) (s_1, s_1)
                release a_2
                c_3 = new Cell (move s_1)
                release c_3
                return
            }
        "#]],
    );
}

#[test]
fn values_that_die_on_one_way_are_released_there() {
    check(
        "
fn main() -> () {
  let s_1: String
  let c_2: Bool
  let _3: ()
  bb0:
    s_1 = call rt int_to_str(1)
    c_2 = call rt panicking()
    branch c_2, bb1, bb2
  bb1:
    _3 = call use_text(s_1)
    goto bb2
  bb2:
    return
}",
        OptLevel::None,
        "main",
        expect![[r#"
            fn main() -> () {
              let s_1: String
              let c_2: Bool
              let _3: ()
              bb0:
                s_1 = call rt int_to_str(1)
                c_2 = call rt panicking()
                branch c_2, bb1, bb3
              bb1:
                _3 = call @inst2(s_1)
                release s_1
                goto bb2
              bb2:
                return
              bb3:
                release s_1
                goto bb2
            }
        "#]],
    );
}

#[test]
fn panics_release_what_is_owned_and_share_their_cleanup() {
    check(
        "
fn main() -> () {
  let a_1: String
  let b_2: String
  let _3: ()
  bb0:
    a_1 = call rt int_to_str(1)
    _3 = call rt panic(a_1)
    b_2 = call rt int_to_str(2)
    _3 = call rt panic(b_2)
    _3 = call rt panic(a_1)
    return
}",
        OptLevel::None,
        "main",
        expect![[r#"
            fn main() -> () {
              let a_1: String
              let b_2: String
              let _3: ()
              bb0 unwind bb2:
                a_1 = call rt int_to_str(1)
                _3 = call rt panic(a_1)
                b_2 = call rt int_to_str(2)
                goto bb4
              bb1 cleanup:
                resume
              bb2 cleanup:
                release a_1
                goto bb1
              bb3 cleanup:
                release b_2
                goto bb2
              bb4 unwind bb3:
                _3 = call rt panic(b_2)
                release b_2
                goto bb5
              bb5 unwind bb2:
                _3 = call rt panic(a_1)
                release a_1
                return
            }
        "#]],
    );
}

#[test]
fn parts_of_a_borrowed_tree_need_no_counts() {
    check(
        "
fn sum(t_1: Tree) -> Int {
  let _2: Int
  let l_3: Tree
  let r_4: Tree
  let a_5: Int
  let b_6: Int
  bb0:
    _2 = discr t_1
    switch _2 [0: bb1, 1: bb2]
  bb1:
    _0 = 0
    return
  bb2:
    l_3 = t_1.v1.0
    r_4 = t_1.v1.2
    a_5 = call sum(l_3)
    b_6 = call sum(r_4)
    _0 = add! a_5, b_6
    return
}
fn main() -> Int {
  let t_1: Tree
  bb0:
    t_1 = variant 0 Tree ()
    _0 = call sum(t_1)
    return
}",
        OptLevel::None,
        "sum",
        expect![[r#"
            fn sum(t_1: Tree borrowed) -> Int {
              let _2: Int
              let l_3: Tree borrowed
              let r_4: Tree borrowed
              let a_5: Int
              let b_6: Int
              bb0:
                _2 = discr t_1
                switch _2 [0: bb1, 1: bb2]
              bb1:
                _0 = 0
                return
              bb2:
                l_3 = t_1.v1.0
                r_4 = t_1.v1.2
                a_5 = call @inst2(l_3)
                b_6 = call @inst2(r_4)
                _0 = add! a_5, b_6
                return
            }
        "#]],
    );
}

#[test]
fn what_is_taken_apart_gives_its_block_to_what_is_made() {
    check(
        "
fn next(t_1: Tree) -> Tree noinline {
  let _2: Int
  let l_3: Tree
  let n_4: Int
  let r_5: Tree
  let _6: Int
  bb0:
    _2 = discr t_1
    switch _2 [0: bb1, 1: bb2]
  bb1:
    _0 = t_1
    return
  bb2:
    l_3 = t_1.v1.0
    n_4 = t_1.v1.1
    r_5 = t_1.v1.2
    _6 = add! n_4, 1
    _0 = variant 1 Tree (l_3, _6, r_5)
    return
}
fn main() -> Int {
  let _1: Tree
  let _2: Tree
  let _3: Tree
  bb0:
    _1 = variant 0 Tree ()
    _2 = variant 1 Tree (_1, 1, _1)
    _3 = call next(_2)
    _0 = discr _3
    return
}",
        OptLevel::Speed,
        "next",
        expect![[r#"
            fn next(t_1: Tree) -> Tree noinline {
              let _2: Int
              let l_3: Tree
              let n_4: Int
              let r_5: Tree
              let _6: Int
              let _7: Ptr<Tree>
              let _8: ()
              let _9: Bool
              bb0 unwind bb4:
                _2 = discr t_1
                switch _2 [0: bb1, 1: bb2]
              bb1:
                _0 = move t_1
                return
              bb2:
                l_3 = t_1.v1.0
                n_4 = t_1.v1.1
                r_5 = t_1.v1.2
                _9 = IsUnique(t_1): Bool
                branch _9, bb7, bb8
              bb3 cleanup:
                resume
              bb4 cleanup:
                release t_1
                goto bb3
              bb5 unwind bb6:
                _6 = add! n_4, 1
                _0 = reuse move _7 for variant 1 Tree (move l_3, _6, move r_5)
                return
              bb6 cleanup:
                _8 = GiveBlock(move _7): ()
                release r_5
                release l_3
                goto bb3
              bb7:
                l_3 = move t_1.v1.0
                r_5 = move t_1.v1.2
                _7 = TakeBlock(move t_1): Ptr<Tree>
                goto bb5
              bb8:
                retain l_3
                retain r_5
                release t_1
                _7 = null(Ptr<Tree>)
                goto bb5
            }
        "#]],
    );
}

#[test]
fn what_is_read_from_an_object_gets_a_count() {
    check(
        r#"
fn main() -> () {
  let c_1: Cell
  let s_2: String
  let _3: ()
  bb0:
    c_1 = new Cell ("a")
    s_2 = c_1.*.0
    c_1.*.0 = "b"
    _3 = call use_text(s_2)
    _3 = call use_text(c_1.*.0)
    return
}"#,
        OptLevel::None,
        "main",
        expect![[r#"
            fn main() -> () {
              let c_1: Cell
              let s_2: String
              let _3: ()
              let _4: String
              let _5: String
              bb0:
                c_1 = new Cell ("a")
                s_2 = c_1.*.0
                retain s_2
                _5 = move c_1.*.0
                c_1.*.0 = "b"
                release _5
                _3 = call @inst3(s_2)
                release s_2
                _4 = c_1.*.0
                retain _4
                release c_1
                _3 = call @inst3(_4)
                release _4
                return
            }
        "#]],
    );
}

#[test]
fn kept_parameters_are_given_away() {
    check(
        "
fn make(s_1: String) -> Cell noinline {
  bb0:
    _0 = new Cell (s_1)
    return
}
fn main() -> () {
  let s_1: String
  let c_2: Cell
  bb0:
    s_1 = call rt int_to_str(1)
    c_2 = call make(s_1)
    return
}",
        OptLevel::Speed,
        "make",
        expect![[r#"
            fn make(s_1: String) -> Cell noinline {
              bb0:
                _0 = new Cell (move s_1)
                return
            }
        "#]],
    );
}

/// The whole of `main` ends up in the entry, lambda and `apply` with it; no closure is made.
#[test]
fn known_function_values_become_straight_code() {
    let (program, module) = build(
        "
fn apply(f_1: Fn(Int): Int, n_2: Int) -> Int {
  bb0:
    _0 = call (f_1)(n_2)
    return
}
lambda main 0 fn main(this_1: Fn(Int): Int, n_2: Int) -> Int {
  captures Int
  bb0:
    _0 = add n_2, this_1.c0
    return
}
fn main() -> Int {
  let k_1: Int
  let f_2: Fn(Int): Int
  bb0:
    k_1 = call rt arg_count()
    f_2 = closure lambda main.lambda0 (k_1)
    _0 = call apply(f_2, 40)
    return
}",
        OptLevel::Speed,
    );
    let module = module.expect("the program can be built");
    assert_eq!(module.instances.len(), 1, "only the entry is left");
    assert!(module.types.is_empty(), "no closure object is made");
    let body = module.instances.values().next().and_then(|it| it.body.as_ref()).expect("has a body");
    let text = print_body(body, &SourceNames(&program));
    assert!(text.contains("add 40, k_"), "{text}");
}

#[test]
fn what_is_known_of_types_decides_branches() {
    check(
        "
fn count<T>(x_1: T) -> Int noinline {
  let n_2: Bool
  let s_3: Int
  bb0:
    n_2 = NeedsRelease(): T
    branch n_2, bb1, bb2
  bb1:
    _0 = 1
    return
  bb2:
    s_3 = SizeOf(): T
    _0 = s_3
    return
}
fn main() -> Int {
  bb0:
    _0 = call count<Int>(5)
    return
}",
        OptLevel::Speed,
        "count",
        expect![[r#"
            fn count(x_1: Int) -> Int noinline {
              bb0:
                _0 = 8
                return
            }
        "#]],
    );
}

#[test]
fn growing_type_arguments_are_an_error() {
    let (_, module) = build(
        "
fn grow<T>(x_1: T) -> () {
  let p_2: (T, Int)
  bb0:
    p_2 = tuple (T, Int) (x_1, 1)
    _0 = call grow<(T, Int)>(p_2)
    return
}
fn main() -> () {
  bb0:
    _0 = call grow<Int>(1)
    return
}",
        OptLevel::Speed,
    );
    match module {
        Err(OptError::TooDeep { chain }) => {
            let names: Vec<&str> = chain.iter().map(|it| it.1.as_str()).collect();
            assert_eq!(names[..3], ["main", "grow<Int>", "grow<(Int, Int)>"]);
        }
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn the_same_program_gets_the_same_symbols() {
    let text = "
fn id<T>(x_1: T) -> T noinline {
  bb0:
    _0 = x_1
    return
}
fn main() -> Int {
  let s_1: String
  bb0:
    s_1 = call id<String>(\"a\")
    _0 = call id<Int>(1)
    return
}";
    let symbols = || -> Vec<String> {
        let (_, module) = build(text, OptLevel::Speed);
        module.expect("the program can be built").instances.values().map(|it| it.symbol.clone()).collect()
    };
    let first = symbols();
    assert_eq!(first, symbols());
    assert_eq!(first.len(), 3);
}

/// Every stage of every test program here is text that reads back to itself.
#[test]
fn text_reads_back_to_itself() {
    let text = "
fn main() -> Int {
  let o_1: Option<String>
  let _2: Int
  let p_3: Ptr<String>
  let c_4: F64
  bb0:
    o_1 = variant 1 Option<String> (\"a\\n\\\"b\\\"\")
    _2 = discr o_1
    p_3 = null(Ptr<String>)
    c_4 = F64(1.5)
    switch _2 [0: bb1, else: bb2]
  bb1 unwind bb3:
    _0 = add! _2, 1
    return
  bb2:
    _0 = cast wrapping U8(7) to Int
    init p_3[_2] = o_1.v1.0
    return
  bb3 cleanup:
    end o_1
    resume
}
";
    let program = TextProgram::read(&format!("{PRELUDE}{text}")).expect("the program is well formed");
    use qz_mir::Source;
    let id = program.function_id("main").expect("there is a `main`");
    let body = program.body(qz_mir::BodyKey::main(id));
    assert_eq!(print_body(&body, &SourceNames(&program)).trim(), text.trim());
}

#[test]
fn tokens_read_back_to_themselves() {
    let text = "fn main() -> () {
  let _1: Tree
  let _2: Ptr<Tree>
  let _3: Tree
  let _4: ()
  bb0:
    _1 = variant 0 Tree ()
    _2 = TakeBlock(move _1): Ptr<Tree>
    _3 = reuse move _2 for variant 1 Tree (_1, 1, _1)
    _4 = GiveBlock(move _2): ()
    return
}
";
    let program = TextProgram::read(&format!("{PRELUDE}{text}")).expect("the program is well formed");
    let main = program.function_id("main").expect("there is a `main`");
    let body = qz_mir::Source::body(&program, qz_mir::BodyKey::main(main));
    assert_eq!(print_body(&body, &SourceNames(&program)), text);
}
