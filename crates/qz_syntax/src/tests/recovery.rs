//! Does one mistake stay one mistake? Missing and surplus `end`s, brackets, halves of declarations: whatever follows is
//! parsed as if nothing had happened.

use super::{check_body_problems, check_problems, parsed};
use expect_test::expect;

use crate::ast::{AstNode, Item, SourceFile};

/// The names of the functions at module level that were understood.
fn functions(text: &str) -> Vec<&str> {
    let parse = parsed(text);
    let file = SourceFile::cast(parse.tree.root(text)).expect("a file");
    let names = file.items().filter_map(|item| match item {
        Item::FnDef(def) => Some(def.name()?.range().text(text)),
        _ => None,
    });
    names.collect()
}

#[test]
fn a_missing_end_is_reported_at_the_block_that_lacks_it() {
    check_problems(
        "def f\n  if a\n    1\n\ndef g\n  2\nend\n",
        &expect![[r#"
        2:3 "if" QZ0121 this `if` has no `end`
            5:1 `end` was expected before this
    "#]],
    );
    check_problems(
        "def f\n  if a\n    1\n  x\nend\n\ndef g\n  2\nend\n",
        &expect![[r#"
        2:3 "if" QZ0121 this `if` has no `end`
            5:1 `end` was expected before this
    "#]],
    );
    check_problems(
        "def f\n  if a\n    1\nend\n\ndef g\n  2\nend\n\ndef h = 1\n",
        &expect![[r#"
        2:3 "if" QZ0121 this `if` has no `end`
            4:1 `end` was expected before this
    "#]],
    );
    check_problems(
        "def f\n  xs.each do x ->\n    x\nend\n\ndef g = 2\n",
        &expect![[r#"
        2:11 "do" QZ0121 this `do` has no `end`
            4:1 `end` was expected before this
    "#]],
    );
    check_problems(
        "def f\n  match a\n    1 => 2\nend\n\ndef g = 2\n",
        &expect![[r#"
        2:3 "match" QZ0121 this `match` has no `end`
            4:1 `end` was expected before this
    "#]],
    );
    check_problems(
        "def f\n  1\n\ndef g\n  2\nend\n",
        &expect![[r#"
        1:1 "def" QZ0121 this `def` has no `end`
            4:1 `end` was expected before this
    "#]],
    );
    check_problems(
        "def f\n  1\n",
        &expect![[r#"
        1:1 "def" QZ0121 this `def` has no `end`
            2:4 `end` was expected before this
    "#]],
    );
    check_problems(
        "struct A\n  x: Int\n\n  def f(self)\n    1\n\n  def g(self) = 2\nend\n\ndef h = 3\n",
        &expect![[r#"
        4:3 "def" QZ0121 this `def` has no `end`
            7:3 `end` was expected before this
    "#]],
    );
    check_problems(
        "struct A\n  x: Int\n\ndef h\n  3\nend\n\nstruct B\n  y: Int\nend\n",
        &expect![[r#"
        1:1 "struct" QZ0121 this `struct` has no `end`
            4:1 `end` was expected before this
    "#]],
    );
    check_problems(
        "impl A\n  def f(self)\n    while a\n      b\n  end\n\n  def g(self) = 2\nend\n",
        &expect![[r#"
        3:5 "while" QZ0121 this `while` has no `end`
            5:3 `end` was expected before this
    "#]],
    );
    check_problems(
        "def f\n  for x in xs\n    if a\n      b\n  end\n  c\nend\n\ndef g = 1\n",
        &expect![[r#"
        3:5 "if" QZ0121 this `if` has no `end`
            5:3 `end` was expected before this
    "#]],
    );
    check_problems(
        "actor A\n  def f\n    if a\nend\n\ndef g\n  1\nend\n",
        &expect![[r#"
        3:5 "if" QZ0121 this `if` has no `end`
            4:1 `end` was expected before this
    "#]],
    );
}

#[test]
fn code_after_a_missing_end_is_understood() {
    assert_eq!(functions("def f\n  if a\n    1\n\ndef g\n  2\nend\ndef h = 1\n"), ["f", "g", "h"]);
    assert_eq!(functions("def f\n  1\n\ndef g\n  2\nend\n"), ["f", "g"]);
    assert_eq!(functions("struct A\n  x: Int\n\ndef h\n  3\nend\n\nstruct B\n  y: Int\nend\n"), ["h"]);
    assert_eq!(functions("def f(a, b\n  1\nend\ndef g = 1\n"), ["f", "g"]);
    assert_eq!(functions("def f(x: Vec<Int)\n  1\nend\ndef g = 1\n"), ["f", "g"]);
    assert_eq!(functions("def f\n  x = [1, 2\nend\ndef g = 1\n"), ["f", "g"]);
    assert_eq!(functions("def f\n  x = { \"a\" => 1\nend\ndef g = 1\n"), ["f", "g"]);
    assert_eq!(functions("def f\n  xs.map { it + 1\nend\ndef g = 1\n"), ["f", "g"]);
    assert_eq!(functions("def\ndef g = 1\n"), ["g"]);
    assert_eq!(functions("def f(\ndef g = 1\n"), ["f", "g"]);
    assert_eq!(functions("def f(x) =\ndef g = 1\n"), ["f", "g"]);
    assert_eq!(functions("def f: \ndef g = 1\n"), ["f", "g"]);
}

#[test]
fn a_surplus_end() {
    check_problems(
        "def f\n  1\n  end\nend\n\ndef g = )\n",
        &expect![[r#"
        3:3 "end" QZ0123 this `end` closes nothing
        6:9 ")" QZ0120 expected an expression, found `)`
    "#]],
    );
    check_problems(
        "def f\n  if a\n    1\n  end\n  end\n  2\nend\n\ndef g = 2\n",
        &expect![[r#"
        5:3 "end" QZ0123 this `end` closes nothing
    "#]],
    );
}

#[test]
fn unusual_indentation_is_no_problem() {
    let text = "def f\nif a\n1\nend\n  end\n    def g\n  match x\n1 =>\n2\n_ => 3\n      end\nend\nstruct A\nx: Int\ndef m(self)\nx\nend\nend\n";
    check_problems(text, &expect![[r#""#]]);
}

#[test]
fn errors_before_and_after_are_both_seen() {
    check_problems(
        "def f\n  x = = 1\n  y = (2\n  z = 3 4\nend\n\nstruct P\n  x Int\n  y: Int\nend\n\ndef g(a b)\n  a +\nend\n\ndef h = )\n",
        &expect![[r#"
            2:7 "=" QZ0120 expected an expression, found `=`
            3:9 "" QZ0120 expected `,` or `)`, found the end of the line
            4:5 "=" QZ0120 expected `,` or `)`, found `=`
            8:5 "Int" QZ0120 expected `:`, found a name
            12:9 "b" QZ0120 expected `,` or `)`, found a name
            13:6 "" QZ0120 expected an expression, found the end of the line
            16:9 ")" QZ0120 expected an expression, found `)`
        "#]],
    );
}

#[test]
fn unclosed_brackets() {
    check_body_problems(
        "x = f(1,\ny = 2\nif a\n1\nend",
        &expect![[r#"
        1:6 "(" QZ0122 this `(` is never closed
            2:1 `)` was expected before this
    "#]],
    );
    check_body_problems(
        "x = f(1,\n  2\nz = 3",
        &expect![[r#"
        1:6 "(" QZ0122 this `(` is never closed
            3:1 `)` was expected before this
    "#]],
    );
    check_body_problems(
        "x = [1, 2\ny = 2",
        &expect![[r#"
        1:5 "[" QZ0122 this `[` is never closed
            2:1 `]` was expected before this
    "#]],
    );
    check_body_problems(
        "x = { \"a\" => 1\ny = 2",
        &expect![[r#"
        1:5 "{" QZ0122 this `{` is never closed
            2:1 `}` was expected before this
    "#]],
    );
    check_body_problems(
        "x = P { a: 1\ny = 2",
        &expect![[r#"
        1:7 "{" QZ0122 this `{` is never closed
            2:1 `}` was expected before this
    "#]],
    );
    check_body_problems(
        "xs.map { it + 1\ny = 2",
        &expect![[r#"
        1:8 "{" QZ0122 this `{` is never closed
            3:1 `}` was expected before this
    "#]],
    );
    check_body_problems(
        "f(xs.each do x ->\n  x\n)\ny = 2",
        &expect![[r#"
        1:11 "do" QZ0121 this `do` has no `end`
            3:1 `end` was expected before this
    "#]],
    );
    check_body_problems(
        "x = a[1\ny = b[2]",
        &expect![[r#"
        1:6 "[" QZ0122 this `[` is never closed
            2:1 `]` was expected before this
    "#]],
    );
    check_body_problems(
        "x: Vec<Int = 3\ny = 2",
        &expect![[r#"
        1:14 "3" QZ0120 expected a type, found a number
    "#]],
    );
    check_body_problems(
        "if f(a\n  1\nend\ny = 2",
        &expect![[r#"
        1:5 "(" QZ0122 this `(` is never closed
            2:3 `)` was expected before this
    "#]],
    );
    check_body_problems(
        "x = f(a, (b, c)\ny = [d)]",
        &expect![[r#"
        1:16 "" QZ0120 expected `,` or `)`, found the end of the line
        2:3 "=" QZ0185 a named value is written `name: value`
        2:5 "[" QZ0122 this `[` is never closed
            2:7 `]` was expected before this
    "#]],
    );
}

#[test]
fn broken_arms() {
    check_body_problems(
        "match x\n  Some( => 1\n  None => 2\n  => 3\n  4 =>\n  5 6 => 7\nend\ny = +",
        &expect![[r#"
        2:7 "(" QZ0122 this `(` is never closed
            2:9 `)` was expected before this
        4:3 "=>" QZ0120 expected a pattern, found `=>`
        6:5 "6" QZ0120 expected `=>`, found a number
        8:5 "+" QZ0120 expected an expression, found `+`
    "#]],
    );
    check_body_problems(
        "match x\n  1 => \n  2 => )\n  3\n  4 => 5\nend",
        &expect![[r#"
            3:8 ")" QZ0120 expected an expression, found `)`
            4:3 "3" QZ0128 an arm that starts on its `=>` line holds one statement
        "#]],
    );
    check_body_problems(
        "if a\n  match x\n    1 => 2\nelse\n  3\nend",
        &expect![[r#"
        2:3 "match" QZ0121 this `match` has no `end`
            4:1 `end` was expected before this
    "#]],
    );
    check_body_problems(
        "match x 1 => 2 end\ny = 1",
        &expect![[r#"
            1:7 "x 1" QZ0168 a call needs parentheses around its arguments
        "#]],
    );
    check_body_problems(
        "match\n  1 => 2\nend",
        &expect![[r#"
        1:6 "" QZ0120 expected an expression, found the end of the line
    "#]],
    );
}

#[test]
fn unfinished_code_as_it_is_typed() {
    check_body_problems(
        "x = foo.\nbar()\ny.map(\nz",
        &expect![[r#"
        1:9 "" QZ0120 expected the name of a field or method, found the end of the line
        3:6 "(" QZ0122 this `(` is never closed
            5:1 `)` was expected before this
    "#]],
    );
    check_body_problems(
        "if x.\n  1\nend",
        &expect![[r#"
        1:6 "" QZ0120 expected the name of a field or method, found the end of the line
    "#]],
    );
    check_body_problems(
        "for\n1\nend",
        &expect![[r#"
        1:4 "" QZ0120 expected a pattern, found the end of the line
    "#]],
    );
    check_body_problems(
        "while\n1\nend",
        &expect![[r#"
        1:6 "" QZ0120 expected an expression, found the end of the line
    "#]],
    );
    check_body_problems(
        "x = if",
        &expect![[r#"
        1:1 "def" QZ0121 this `def` has no `end`
            2:4 `end` was expected before this
        1:7 "" QZ0120 expected an expression, found the end of the line
    "#]],
    );
    check_body_problems(
        "x = match",
        &expect![[r#"
        1:1 "def" QZ0121 this `def` has no `end`
            2:4 `end` was expected before this
        1:10 "" QZ0120 expected an expression, found the end of the line
    "#]],
    );
    check_body_problems(
        "return (",
        &expect![[r#"
        1:8 "(" QZ0122 this `(` is never closed
            2:1 `)` was expected before this
    "#]],
    );
    check_body_problems(
        "x = Point {",
        &expect![[r#"
        1:11 "{" QZ0122 this `{` is never closed
            2:1 `}` was expected before this
    "#]],
    );
    check_body_problems(
        "x = a::",
        &expect![[r#"
        1:8 "" QZ0120 expected a name, found the end of the line
    "#]],
    );
    check_body_problems(
        "xs.each do",
        &expect![[r#"
        1:1 "def" QZ0121 this `def` has no `end`
            2:4 `end` was expected before this
    "#]],
    );
    check_body_problems(
        "xs.each do x",
        &expect![[r#"
        1:1 "def" QZ0121 this `def` has no `end`
            2:4 `end` was expected before this
    "#]],
    );
    check_body_problems(
        "xs.each do x ->",
        &expect![[r#"
        1:1 "def" QZ0121 this `def` has no `end`
            2:4 `end` was expected before this
    "#]],
    );
    check_body_problems(
        "x ->",
        &expect![[r#"
        1:5 "" QZ0120 expected an expression, found the end of the line
    "#]],
    );
    check_body_problems(
        "\"#{",
        &expect![[r##"
        1:2 "#{" QZ0103 this interpolation has no closing `}` on its line
    "##]],
    );
    check_problems(
        "import std/",
        &expect![[r#"
        1:12 "" QZ0120 expected the path of a module, found the end of the file
    "#]],
    );
    check_problems(
        "impl Show for",
        &expect![[r#"
        1:14 "" QZ0120 expected a type, found the end of the file
    "#]],
    );
    check_problems(
        "enum E",
        &expect![[r#"
        1:1 "enum" QZ0121 this `enum` has no `end`
            1:7 `end` was expected before this
    "#]],
    );
    check_problems(
        "@",
        &expect![[r#"
        1:2 "" QZ0120 expected a name, found the end of the file
    "#]],
    );
    check_problems(
        "private",
        &expect![[r#"
        1:1 "private" QZ0125 a statement cannot stand outside of a function
    "#]],
    );
    check_problems(
        "def f(x: ",
        &expect![[r#"
        1:9 "" QZ0120 expected a type, found the end of the file
    "#]],
    );
}

#[test]
fn a_missing_keyword_costs_one_report() {
    check_problems(
        "struct A\n  x: Int\n  area(self)\n    if a\n      1\n    end\n  end\n  y: Int\nend\ndef g = 1\n",
        &expect![[r#"
            3:3 "area" QZ0120 expected `def`, found a name
        "#]],
    );
    check_problems(
        "impl A\n  private area(self): Int = 1\nend\nf(x) = 2\n",
        &expect![[r#"
        2:11 "area" QZ0120 expected `def`, found a name
        4:1 "f" QZ0120 expected `def`, found a name
    "#]],
    );
    check_problems(
        "def f\n  x\n    1 => 2\n    _ => 3\n  end\n  y = 1\nend\ndef g = 1\n",
        &expect![[r#"
        3:5 "1" QZ0144 an arm cannot stand outside of a `match`
    "#]],
    );
    check_problems(
        "  x: Int\n  y: Int\nend\ndef g = 1\n",
        &expect![[r#"
        1:9 "" QZ0120 expected `=`, found the end of the line
    "#]],
    );
    check_problems(
        "impl A\n  x = 1\n  while x\n    y\n  end\n  def f = 1\nend\n",
        &expect![[r#"
        2:3 "x" QZ0120 expected a member of this type, found a name
    "#]],
    );
    check_body_problems(
        "match x\n  A if b\n    c = 1\n    for d in e\n      f\n    end\n  B => 2\nend",
        &expect![[r#"
            2:9 "" QZ0120 expected `=>`, found the end of the line
        "#]],
    );
    check_body_problems(
        "match x\n  A => y != \n  B => 2\nend",
        &expect![[r#"
        2:12 "" QZ0120 expected an expression, found the end of the line
    "#]],
    );
    check_body_problems(
        "x = \"a #{f(\"b #{c}\")\ny = 1",
        &expect![[r##"
        1:8 "#{" QZ0103 this interpolation has no closing `}` on its line
    "##]],
    );
    check_body_problems(
        "if x is A | B\n  1\nend",
        &expect![[r#"
        1:11 "|" QZ0145 alternatives behind `is` stand in parentheses
    "#]],
    );
}
