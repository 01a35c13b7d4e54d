//! The programs.

use super::check;

const PRINT: &str = "
enum Option<T> { None, Some(T) }
fn print_int(n_1: Int) -> () {
  let s_2: String
  bb0:
    s_2 = call rt int_to_str(n_1)
    _0 = call print(s_2)
    return
}
fn print(s_1: String) -> () {
  let _2: Int
  bb0:
    _2 = call rt out_line(s_1)
    return
}
";

#[track_caller]
fn check_with_prelude(text: &str, expected: &str) {
    check(&format!("{PRINT}{text}"), expected);
}

#[test]
fn strings_are_released_after_their_last_use() {
    check_with_prelude(
        r#"
fn main() -> () {
  let a_1: String
  let b_2: String
  let _3: ()
  bb0:
    a_1 = call rt int_to_str(42)
    b_2 = call rt str_concat2(a_1, "!")
    _3 = call print(b_2)
    _3 = call print(a_1)
    b_2 = a_1
    _3 = call print(b_2)
    return
}"#,
        "42!\n42\n42\n",
    );
}

#[test]
fn generic_functions_are_made_per_type() {
    check_with_prelude(
        r#"
fn id<T>(x_1: T) -> T {
  bb0:
    _0 = x_1
    return
}
fn pair<T>(x_1: T) -> (T, T) {
  let y_2: T
  bb0:
    y_2 = call id<T>(x_1)
    _0 = tuple (T, T) (x_1, y_2)
    return
}
fn main() -> Int {
  let s_1: String
  let p_2: (String, String)
  let n_3: Int
  let _4: ()
  bb0:
    s_1 = call rt int_to_str(7)
    p_2 = call pair<String>(s_1)
    _4 = call print(p_2.1)
    n_3 = call id<Int>(3)
    _0 = n_3
    return
}"#,
        "7\nstatus 3\n",
    );
}

#[test]
fn statuses_outside_a_byte_are_panics() {
    check(
        "fn main() -> Int {
  bb0:
    _0 = 256
    return
}",
        "panic: exit status 256 is not in 0..255\nstatus 101\n",
    );
}

const LIST: &str = "
ref Node { Int, Option<Node> }
fn cons(n_1: Int, next_2: Option<Node>) -> Option<Node> {
  let node_3: Node
  bb0:
    node_3 = new Node (n_1, next_2)
    _0 = variant 1 Option<Node> (node_3)
    return
}
fn sum(list_1: Option<Node>) -> Int {
  let _2: Int
  let node_3: Node
  let rest_4: Int
  bb0:
    _2 = discr list_1
    switch _2 [0: bb1, 1: bb2]
  bb1:
    _0 = 0
    return
  bb2:
    node_3 = list_1.v1.0
    rest_4 = call sum(node_3.*.1)
    _0 = add! node_3.*.0, rest_4
    return
}
fn sum_loop(list_1: Option<Node>) -> Int {
  let _2: Int
  let node_3: Node
  let at_4: Option<Node>
  bb0:
    at_4 = list_1
    _0 = 0
    goto bb1
  bb1:
    _2 = discr at_4
    switch _2 [0: bb2, 1: bb3]
  bb2:
    return
  bb3:
    node_3 = at_4.v1.0
    _0 = add! _0, node_3.*.0
    at_4 = node_3.*.1
    goto bb1
}
fn count(n_1: Int) -> Option<Node> {
  let i_2: Int
  let _3: Bool
  bb0:
    i_2 = 0
    _0 = variant 0 Option<Node> ()
    goto bb1
  bb1:
    _3 = lt i_2, n_1
    branch _3, bb2, bb3
  bb2:
    i_2 = add! i_2, 1
    _0 = call cons(i_2, _0)
    goto bb1
  bb3:
    return
}
";

#[test]
fn lists_are_built_and_walked() {
    check_with_prelude(
        &format!(
            "{LIST}
fn main() -> () {{
  let list_1: Option<Node>
  let _2: Int
  let _3: ()
  bb0:
    list_1 = call count(100)
    _2 = call sum(list_1)
    _3 = call print_int(_2)
    list_1.v1.0.*.1 = variant 0 Option<Node> ()
    _2 = call sum_loop(list_1)
    _3 = call print_int(_2)
    list_1 = call count(300000)
    _2 = call sum_loop(list_1)
    _3 = call print_int(_2)
    return
}}"
        ),
        "5050\n100\n45000150000\n",
    );
}

#[test]
fn panics_release_what_every_frame_owns() {
    check_with_prelude(
        &format!(
            r#"{LIST}
fn fail(n_1: Int, list_2: Option<Node>) -> String {{
  let text_3: String
  let _4: Bool
  let more_5: Option<Node>
  let _6: ()
  bb0:
    text_3 = call rt int_to_str(n_1)
    _4 = eq n_1, 0
    branch _4, bb1, bb2
  bb1:
    _6 = call rt panic(text_3)
    unreachable
  bb2:
    more_5 = call cons(n_1, list_2)
    n_1 = sub! n_1, 1
    _0 = call fail(n_1, more_5)
    _0 = call rt str_concat2(_0, text_3)
    return
}}
fn main() -> () {{
  let list_1: Option<Node>
  let text_2: String
  let message_3: String
  let _4: ()
  bb0:
    list_1 = call count(3)
    goto bb1
  bb1 unwind bb2:
    text_2 = call fail(5, list_1)
    _4 = call print(text_2)
    return
  bb2 cleanup:
    message_3 = call rt take_panic()
    goto bb3
  bb3:
    _4 = call print(message_3)
    text_2 = call fail(5, list_1)
    return
}}"#
        ),
        "0\npanic: 0\nstatus 101\n",
    );
}

#[test]
fn drops_run_at_the_end_of_scopes_in_order() {
    check_with_prelude(
        r#"
ref Noisy { String }
drop Noisy = noisy_drop
fn noisy_drop(it_1: Noisy) -> () {
  bb0:
    _0 = call print(it_1.*.0)
    return
}
ref Holder { Noisy, Noisy }
drop Holder = holder_drop
fn holder_drop(it_1: Holder) -> () {
  bb0:
    _0 = call print("holder")
    return
}
fn noisy(n_1: Int) -> Noisy {
  let s_2: String
  bb0:
    s_2 = call rt int_to_str(n_1)
    _0 = new Noisy (s_2)
    return
}
fn main() -> () {
  let a_1: Noisy
  let b_2: Noisy
  let h_3: Holder
  let c_4: Noisy
  let _5: ()
  bb0:
    a_1 = call noisy(1)
    b_2 = call noisy(2)
    h_3 = new Holder (b_2, a_1)
    c_4 = call noisy(3)
    c_4 = call noisy(4)
    _5 = call print("body")
    end c_4
    end h_3
    _5 = call print("between")
    end b_2
    end a_1
    _5 = call print("end")
    return
}"#,
        "3\nbody\n4\nholder\nbetween\n2\n1\nend\n",
    );
}

#[test]
fn a_drop_that_panics_leaves_nothing_behind() {
    check_with_prelude(
        r#"
ref Bad { String, String }
drop Bad = bad_drop
fn bad_drop(it_1: Bad) -> () {
  let s_2: String
  bb0:
    s_2 = call rt str_concat2("dropping ", it_1.*.0)
    _0 = call rt panic(s_2)
    unreachable
}
ref Outer { Bad, String, Bad }
fn bad(n_1: Int) -> Bad {
  let s_2: String
  let t_3: String
  bb0:
    s_2 = call rt int_to_str(n_1)
    t_3 = call rt int_to_str(n_1)
    _0 = new Bad (s_2, t_3)
    return
}
fn main() -> () {
  let a_1: Bad
  let b_2: Bad
  let o_3: Outer
  let s_4: String
  let _5: ()
  bb0:
    s_4 = call rt int_to_str(9)
    a_1 = call bad(1)
    b_2 = call bad(2)
    o_3 = new Outer (a_1, s_4, b_2)
    end b_2
    end a_1
    _5 = call print(s_4)
    end o_3
    return
}"#,
        "9\npanic: dropping 1\nstatus 101\n",
    );
}

#[test]
fn closures_and_function_values_work() {
    check_with_prelude(
        r#"
fn twice(f_1: Fn(Int): String, n_2: Int) -> String {
  let a_3: String
  let b_4: String
  bb0:
    a_3 = call (f_1)(n_2)
    n_2 = add! n_2, 1
    b_4 = call (f_1)(n_2)
    _0 = call rt str_concat2(a_3, b_4)
    return
}
fn show(n_1: Int) -> String {
  bb0:
    _0 = call rt int_to_str(n_1)
    return
}
lambda main 0 fn main(this_1: Fn(Int): String, n_2: Int) -> String {
  captures String
  let s_3: String
  bb0:
    s_3 = call show(n_2)
    _0 = call rt str_concat2(this_1.c0, s_3)
    return
}
fn main() -> () {
  let s_1: String
  let f_2: Fn(Int): String
  let r_3: String
  let _4: ()
  bb0:
    s_1 = call rt int_to_str(5)
    f_2 = closure lambda main.lambda0 (s_1)
    r_3 = call twice(f_2, 1)
    _4 = call print(r_3)
    f_2 = closure of show ()
    r_3 = call twice(f_2, 8)
    _4 = call print(r_3)
    return
}"#,
        "5152\n89\n",
    );
}

#[test]
fn dyn_values_call_their_methods() {
    check_with_prelude(
        r#"
trait Shape 2
ref Named { String, Int }
value Plain { String }
impl Shape<Named> { named_name, named_size }
impl Shape<Plain> { plain_name, plain_size }
fn named_name(it_1: Named) -> String {
  bb0:
    _0 = it_1.*.0
    return
}
fn named_size(it_1: Named, by_2: Int) -> Int {
  bb0:
    _0 = mul! it_1.*.1, by_2
    return
}
fn plain_name(it_1: Plain) -> String {
  bb0:
    _0 = it_1.0
    return
}
fn plain_size(it_1: Plain, by_2: Int) -> Int {
  bb0:
    _0 = by_2
    return
}
fn show(it_1: dyn Shape) -> () {
  let s_2: String
  let n_3: Int
  bb0:
    s_2 = call dyn Shape.0 slot 0(it_1)
    _0 = call print(s_2)
    n_3 = call dyn Shape.1 slot 1(it_1, 2)
    _0 = call print_int(n_3)
    return
}
fn main() -> () {
  let s_1: String
  let named_2: Named
  let plain_3: Plain
  let d_4: dyn Shape
  let _5: ()
  bb0:
    s_1 = call rt int_to_str(77)
    named_2 = new Named (s_1, 4)
    d_4 = dyn named_2 from Named to dyn Shape
    _5 = call show(d_4)
    plain_3 = value Plain (s_1)
    d_4 = dyn plain_3 from Plain to dyn Shape
    _5 = call show(d_4)
    return
}"#,
        "77\n8\n77\n2\n",
    );
}

#[test]
fn handlers_find_what_they_use() {
    check_with_prelude(
        r#"
ref Noisy { Int }
drop Noisy = noisy_drop
fn noisy_drop(it_1: Noisy) -> () {
  bb0:
    _0 = call print_int(it_1.*.0)
    return
}
fn risky(n_1: Int) -> String {
  let _2: Int
  bb0:
    _2 = div! 10, n_1
    _0 = call rt int_to_str(_2)
    return
}
fn work(n_1: Int) -> String {
  let log_2: String
  let before_3: Noisy
  let inside_4: Noisy
  let s_5: String
  let t_6: String
  let _7: ()
  bb0:
    log_2 = call rt int_to_str(1000)
    before_3 = new Noisy (1)
    goto bb1
  bb1 unwind bb3:
    inside_4 = new Noisy (2)
    s_5 = call risky(5)
    t_6 = call risky(n_1)
    _0 = call rt str_concat2(s_5, t_6)
    end inside_4
    goto bb2
  bb2:
    _7 = call print(log_2)
    end before_3
    return
  bb3 cleanup:
    _7 = call print(log_2)
    resume
}
fn main() -> () {
  let s_1: String
  let _2: ()
  bb0:
    s_1 = call work(2)
    _2 = call print(s_1)
    s_1 = call work(0)
    _2 = call print(s_1)
    return
}"#,
        "2\n1000\n1\n25\n2\n1000\n1\npanic: division by zero\nstatus 101\n",
    );
}

#[test]
fn conditional_temporaries_are_released_once() {
    check_with_prelude(
        r#"
ref Noisy { Int }
drop Noisy = noisy_drop
fn noisy_drop(it_1: Noisy) -> () {
  bb0:
    _0 = call print_int(it_1.*.0)
    return
}
fn maybe(c_1: Bool) -> Int {
  let t_2: Noisy
  let s_3: String
  bb0:
    _0 = 0
    branch c_1, bb1, bb2
  bb1:
    t_2 = new Noisy (7)
    s_3 = call rt int_to_str(5)
    _0 = t_2.*.0
    goto bb2
  bb2:
    _0 = add! _0, 1
    end t_2
    return
}
fn main() -> () {
  let n_1: Int
  let _2: ()
  bb0:
    n_1 = call maybe(true)
    _2 = call print_int(n_1)
    n_1 = call maybe(false)
    _2 = call print_int(n_1)
    return
}"#,
        "7\n8\n1\n",
    );
}

#[test]
fn fields_are_replaced_and_old_values_go() {
    check_with_prelude(
        r#"
ref Box { String, (String, Option<String>) }
fn main() -> () {
  let s_1: String
  let b_2: Box
  let t_3: String
  let p_4: (String, Option<String>)
  let o_5: Option<String>
  let r_6: &mut String
  let _7: ()
  bb0:
    s_1 = call rt int_to_str(1)
    o_5 = variant 1 Option<String> (s_1)
    p_4 = tuple (String, Option<String>) (s_1, o_5)
    b_2 = new Box (s_1, p_4)
    t_3 = call rt int_to_str(2)
    b_2.*.0 = t_3
    b_2.*.1.0 = b_2.*.0
    b_2.*.1.1 = variant 0 Option<String> ()
    p_4 = b_2.*.1
    p_4.0 = call_result_3
    _7 = call print(p_4.0)
    _7 = call print(b_2.*.1.0)
    r_6 = &mut p_4.0
    _7 = call set(r_6)
    _7 = call print(p_4.0)
    return
}
fn set(r_1: &mut String) -> () {
  let s_2: String
  bb0:
    s_2 = call rt str_concat2(r_1.*, "!")
    r_1.* = s_2
    return
}"#
        .replace("call_result_3", "s_1")
        .as_str(),
        "1\n2\n1!\n",
    );
}

#[test]
fn an_overflowing_stack_leaves_nothing_behind() {
    check_with_prelude(
        &format!(
            "{LIST}
fn deeper(list_1: Option<Node>, n_2: Int) -> Option<Node> {{
  let longer_3: Option<Node>
  bb0:
    longer_3 = call cons(n_2, list_1)
    n_2 = add! n_2, 1
    _0 = call deeper(longer_3, n_2)
    _0 = call cons(n_2, _0)
    return
}}
fn main() -> () {{
  let list_1: Option<Node>
  bb0:
    list_1 = variant 0 Option<Node> ()
    list_1 = call deeper(list_1, 0)
    return
}}"
        ),
        "panic: stack overflow\nstatus 101\n",
    );
}
