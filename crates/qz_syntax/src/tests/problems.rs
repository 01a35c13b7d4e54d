//! Does each mistake get its own, single report? Every kind of problem, and habits from other languages.

use super::{check_body_problems, check_problems};
use expect_test::expect;

#[test]
fn tokens() {
    check_body_problems(
        "x = 3 € 4",
        &expect![[r#"
        1:7 "€" QZ0100 the character `€` starts nothing
    "#]],
    );
    check_body_problems(
        "x = 1\u{a0}+ 2",
        &expect![[r#"
        1:6 "\u{a0}" QZ0100 the invisible character U+00A0 cannot stand here
    "#]],
    );
    check_body_problems(
        "x = \0",
        &expect![[r#"
        1:5 "\0" QZ0100 the invisible character U+0000 cannot stand here
    "#]],
    );
    check_body_problems(
        "x = `ls`",
        &expect![[r#"
        1:5 "`" QZ0100 a backtick starts nothing
        1:8 "`" QZ0100 a backtick starts nothing
    "#]],
    );
    check_body_problems(
        "x = \"abc\ny = 1 +",
        &expect![[r#"
        1:5 "\"abc" QZ0101 this string has no closing quote
        2:8 "" QZ0120 expected an expression, found the end of the line
    "#]],
    );
    check_body_problems(
        "x = \"abc #{y\nz = \"d\"",
        &expect![[r##"
        1:10 "#{" QZ0103 this interpolation has no closing `}` on its line
    "##]],
    );
    check_body_problems(
        "x = f(\"a\", \"b)\ny = )",
        &expect![[r#"
        1:12 "\"b)" QZ0101 this string has no closing quote
        2:5 ")" QZ0120 expected an expression, found `)`
    "#]],
    );
    check_body_problems(
        "x = \"a #{f(\"b} c\"\ny = 1",
        &expect![[r##"
        1:8 "#{" QZ0103 this interpolation has no closing `}` on its line
    "##]],
    );
    check_body_problems(
        "x = \"\"\"a\n b",
        &expect![[r#"
        1:5 "\"\"\"" QZ0101 this `"""` string has no closing quote
    "#]],
    );
    check_body_problems(
        "x = r\"abc\ny = ~r\"a\\\"",
        &expect![[r#"
        1:5 "r\"abc" QZ0101 this raw string has no closing quote
        2:5 "~r\"a\\\"" QZ0101 this regex has no closing quote
    "#]],
    );
    check_body_problems(
        "x = r#\"abc\"\n",
        &expect![[r#"
        1:5 "r#\"" QZ0101 this raw string has no closing quote
    "#]],
    );
    check_body_problems(
        "x = <<~SQL\n  select\n",
        &expect![[r#"
        1:5 "<<~SQL" QZ0102 this heredoc has no closing line
    "#]],
    );
    check_body_problems(
        "x = \"#{<<~SQL}\"\ny = 1",
        &expect![[r#"
        1:8 "<<~SQL" QZ0104 a heredoc cannot be opened inside an interpolation
    "#]],
    );
    check_body_problems(
        r#"x = "\q \u{110000} \u{} \x9f \xg" + '\z'"#,
        &expect![[r#"
        1:6 "\\q" QZ0105 unknown escape
        1:9 "\\u{110000}" QZ0106 this escape names no character
        1:20 "\\u{}" QZ0106 this escape names no character
        1:25 "\\x9f" QZ0106 this escape names no character
        1:30 "\\x" QZ0106 this escape names no character
        1:38 "\\z" QZ0105 unknown escape
    "#]],
    );
    check_body_problems(
        "x = ''\ny = 'ab'\nz = 'it\nw = don't",
        &expect![[r#"
        1:5 "''" QZ0107 a character literal needs a character
        2:5 "'ab'" QZ0108 a character literal holds one character
        3:5 "'it" QZ0109 this character literal has no closing quote
        4:8 "'t" QZ0109 this character literal has no closing quote
    "#]],
    );
    check_body_problems(
        "x = 0x + 0b12 + 0o8 + 12ab + 1_ + 1e + 0xfg + 1_000_",
        &expect![[r#"
        1:5 "0x" QZ0110 digits are missing in this number
        1:13 "2" QZ0111 this is no digit of a number to base 2
        1:19 "8" QZ0111 this is no digit of a number to base 8
        1:25 "ab" QZ0112 a number cannot be followed directly by letters
        1:31 "_" QZ0113 a number cannot end in `_`
        1:36 "e" QZ0110 digits are missing in this number
        1:43 "g" QZ0111 this is no digit of a number to base 16
        1:52 "_" QZ0113 a number cannot end in `_`
    "#]],
    );
    check_body_problems(
        "x = .5",
        &expect![[r#"
        1:5 "." QZ0114 a float needs a digit before its point
    "#]],
    );
}

#[test]
fn something_else_expected() {
    check_body_problems(
        "x = ",
        &expect![[r#"
        1:4 "" QZ0120 expected an expression, found the end of the line
    "#]],
    );
    check_body_problems(
        "x = \ny = 3",
        &expect![[r#"
        1:4 "" QZ0120 expected an expression, found the end of the line
    "#]],
    );
    check_body_problems(
        "x = 1 +\ny = 3",
        &expect![[r#"
        1:8 "" QZ0120 expected an expression, found the end of the line
    "#]],
    );
    check_body_problems(
        "f(1, , 2)",
        &expect![[r#"
        1:6 "," QZ0120 expected an expression, found `,`
    "#]],
    );
    check_body_problems(
        "f(1 2)",
        &expect![[r#"
        1:5 "2" QZ0120 expected `,` or `)`, found a number
    "#]],
    );
    check_body_problems(
        "[1 2, 3]",
        &expect![[r#"
        1:4 "2" QZ0120 expected `,` or `]`, found a number
    "#]],
    );
    check_body_problems(
        "x = [\n1\n2\n]",
        &expect![[r#"
        2:2 "" QZ0120 expected `,` or `]`, found the end of the line
    "#]],
    );
    check_body_problems(
        "x = * 3",
        &expect![[r#"
        1:5 "*" QZ0120 expected an expression, found `*`
    "#]],
    );
    check_body_problems(
        "x.\ny = 3",
        &expect![[r#"
        1:3 "" QZ0120 expected the name of a field or method, found the end of the line
    "#]],
    );
    check_body_problems(
        "x.\nend_of(3)",
        &expect![[r#"
        1:3 "" QZ0120 expected the name of a field or method, found the end of the line
    "#]],
    );
    check_body_problems(
        "x..",
        &expect![[r#"
        1:2 ".." QZ0134 a range without an end can only stand in `[]`
    "#]],
    );
    check_body_problems(
        "x = 1 2",
        &expect![[r#"
        1:7 "2" QZ0120 expected the end of the line, found a number
    "#]],
    );
    check_body_problems(
        "x: = 3",
        &expect![[r#"
        1:4 "=" QZ0120 expected a type, found `=`
    "#]],
    );
    check_body_problems(
        "x: Int",
        &expect![[r#"
        1:7 "" QZ0120 expected `=`, found the end of the line
    "#]],
    );
    check_body_problems(
        "var x",
        &expect![[r#"
        1:5 "x" QZ0131 a variable needs a value
    "#]],
    );
    check_body_problems(
        "var x: Int",
        &expect![[r#"
        1:8 "Int" QZ0131 a variable needs a value
    "#]],
    );
    check_body_problems(
        "for in xs\nend",
        &expect![[r#"
        1:5 "in" QZ0120 expected a pattern, found `in`
    "#]],
    );
    check_body_problems(
        "for x of xs\nend",
        &expect![[r#"
        1:7 "of" QZ0120 expected `in`, found a name
    "#]],
    );
    check_body_problems(
        "for x\nend",
        &expect![[r#"
        1:6 "" QZ0120 expected `in`, found the end of the line
    "#]],
    );
    check_body_problems(
        "if\n1\nend",
        &expect![[r#"
        1:3 "" QZ0120 expected an expression, found the end of the line
    "#]],
    );
    check_body_problems(
        "x as 3",
        &expect![[r#"
        1:6 "3" QZ0120 expected a type, found a number
    "#]],
    );
    check_body_problems(
        "x is",
        &expect![[r#"
        1:5 "" QZ0120 expected a pattern, found the end of the line
    "#]],
    );
    check_body_problems(
        "_ + 1",
        &expect![[r#"
        1:1 "_" QZ0120 expected an expression, found `_`
    "#]],
    );
    check_body_problems(
        "m = { \"a\" => , \"b\" 2 }",
        &expect![[r#"
        1:14 "," QZ0120 expected an expression, found `,`
    "#]],
    );
    check_body_problems(
        "with h()\n1\nend",
        &expect![[r#"
        1:9 "" QZ0120 expected `do`, found the end of the line
    "#]],
    );
    check_body_problems(
        "defer",
        &expect![[r#"
        1:6 "" QZ0120 expected an expression, found the end of the line
    "#]],
    );
    check_body_problems(
        "=> 3",
        &expect![[r#"
            1:1 "=>" QZ0144 an arm cannot stand outside of a `match`
        "#]],
    );
    check_body_problems(
        "x = \"a#{}\"",
        &expect![[r#"
        1:9 "}" QZ0120 expected an expression, found `}`
    "#]],
    );
    check_body_problems(
        "x = \"a#{b c}\"",
        &expect![[r#"
        1:9 "b c" QZ0168 a call needs parentheses around its arguments
    "#]],
    );
    check_body_problems(
        "$",
        &expect![[r#"
        1:2 "" QZ0120 expected a name, found the end of the line
    "#]],
    );
    check_body_problems(
        "x = f(1).3.4.",
        &expect![[r#"
        1:14 "" QZ0120 expected the name of a field or method, found the end of the line
    "#]],
    );
}

#[test]
fn structure() {
    check_body_problems(
        "f(1, 2\ng(3)\nh = (4",
        &expect![[r#"
        1:2 "(" QZ0122 this `(` is never closed
            2:1 `)` was expected before this
        3:5 "(" QZ0122 this `(` is never closed
            4:1 `)` was expected before this
    "#]],
    );
    check_body_problems(
        "x = (1 + 2]\ny = 3",
        &expect![[r#"
        1:11 "]" QZ0120 expected `,` or `)`, found `]`
    "#]],
    );
    check_body_problems(
        "x = 1)\ny = ]",
        &expect![[r#"
        1:6 ")" QZ0124 this `)` closes nothing
        2:5 "]" QZ0120 expected an expression, found `]`
    "#]],
    );
    check_problems(
        "end\ndef f = 1\nx = 3\ny = 4\ndef g = 2\nputs(1)\n",
        &expect![[r#"
        1:1 "end" QZ0123 this `end` closes nothing
        3:1 "x = 3" QZ0125 a statement cannot stand outside of a function
        6:1 "puts(1)" QZ0125 a statement cannot stand outside of a function
    "#]],
    );
    check_problems(
        "def f\n  def g(x) = 3\n  struct P\n    x: Int\n  end\n  1\nend\n",
        &expect![[r#"
        2:3 "def" QZ0126 `def` cannot stand inside another body
        3:3 "struct" QZ0126 `struct` cannot stand inside another body
    "#]],
    );
    check_body_problems(
        "{ puts(1) }",
        &expect![[r#"
        1:1 "{" QZ0130 a statement cannot start with `{`
    "#]],
    );
    check_problems(
        "@inline\n",
        &expect![[r#"
        1:2 "inline" QZ0132 nothing follows that this could apply to
    "#]],
    );
    check_problems(
        "@inline\nx = 3\n",
        &expect![[r#"
        1:2 "inline" QZ0132 nothing follows that this could apply to
        2:1 "x = 3" QZ0125 a statement cannot stand outside of a function
    "#]],
    );
    check_problems(
        "struct P\n  private\n  x: Int\n  @a\nend\n",
        &expect![[r#"
        2:10 "" QZ0120 expected `:`, found the end of the line
        4:4 "a" QZ0132 nothing follows that this could apply to
    "#]],
    );
    check_body_problems(
        "x = (a: Int, b: Int)",
        &expect![[r#"
        1:7 ":" QZ0133 a value in parentheses has no type annotation
        1:15 ":" QZ0133 a value in parentheses has no type annotation
    "#]],
    );
    check_body_problems(
        "x = 1..\ny = f(1.., 2)",
        &expect![[r#"
        1:6 ".." QZ0134 a range without an end can only stand in `[]`
        2:8 ".." QZ0134 a range without an end can only stand in `[]`
    "#]],
    );
    check_body_problems(
        "if a\n1\nelse\n2\nelse\n3\nend",
        &expect![[r#"
        5:1 "else" QZ0136 `else` must be the last branch, and there can be one only
    "#]],
    );
    check_body_problems(
        "f(a: 1, 2)",
        &expect![[r#"
        1:9 "2" QZ0137 a positional argument cannot follow a named one
    "#]],
    );
    check_body_problems(
        "f(1) = 2\n3 = x\n(a, b) += 1\n-x = 3",
        &expect![[r#"
        1:6 "=" QZ0139 this cannot be assigned to
        2:3 "=" QZ0139 this cannot be assigned to
        3:8 "+=" QZ0139 this cannot be assigned to
        4:4 "=" QZ0139 this cannot be assigned to
    "#]],
    );
    check_body_problems(
        "match x\nend",
        &expect![[r#"
        1:1 "match" QZ0143 this `match` has no arms
    "#]],
    );
    check_problems(
        "def f(end: Int, if, def = 3, &self) = 1\n",
        &expect![[r#"
        1:7 "end" QZ0129 `end` is a keyword and cannot be a name here
        1:17 "if" QZ0129 `if` is a keyword and cannot be a name here
        1:21 "def" QZ0129 `def` is a keyword and cannot be a name here
    "#]],
    );
    check_body_problems(
        "var end = 3\nfor if in xs\nend",
        &expect![[r#"
        1:5 "end" QZ0129 `end` is a keyword and cannot be a name here
        2:5 "if" QZ0129 `if` is a keyword and cannot be a name here
    "#]],
    );
    check_body_problems(
        "match x\n  1 => a\n    b\n  2 => c\nend",
        &expect![[r#"
        3:5 "b" QZ0128 an arm that starts on its `=>` line holds one statement
    "#]],
    );
    check_problems(
        "def set(self, v) = self.v = v\n",
        &expect![[r#"
        1:27 "=" QZ0142 an assignment has no value
    "#]],
    );
    check_problems(
        "def f g\n  1\nend\n",
        &expect![[r#"
        1:7 "g" QZ0120 expected the end of the line, found a name
    "#]],
    );
    check_problems(
        "def\n  1\nend\ndef 3\n  1\nend\n",
        &expect![[r#"
        1:4 "" QZ0120 expected a name, found the end of the line
        4:5 "3" QZ0120 expected a name, found a number
    "#]],
    );
    check_problems(
        "import\nimport a.b::c\nimport a/\nimport * a\nimport f, g a\nimport 3\n",
        &expect![[r#"
        1:7 "" QZ0120 expected the path of a module, found the end of the line
        2:9 "." QZ0120 expected `/`, found `.`
        2:11 "::" QZ0120 expected `/`, found `::`
        3:10 "" QZ0120 expected the path of a module, found the end of the line
        4:10 "a" QZ0120 expected `from`, found a name
        5:13 "a" QZ0120 expected `from`, found a name
        6:8 "3" QZ0120 expected the path of a module, found a number
    "#]],
    );
    check_problems(
        "struct P\n  x Int\n  3\n  y: Int, z: Int,\n  w: Int\nend\nenum E\n  A,\n  B(Int\n  C\nend\n",
        &expect![[r#"
        2:5 "Int" QZ0120 expected `:`, found a name
        3:3 "3" QZ0120 expected a member of this type, found a number
        4:9 "," QZ0120 expected the end of the line, found `,`
        8:4 "," QZ0120 expected the end of the line, found `,`
        9:4 "(" QZ0122 this `(` is never closed
            10:3 `)` was expected before this
    "#]],
    );
    check_problems(
        "trait T\n  x: Int\n  def f(self)\nend\nimpl T for\nend\n",
        &expect![[r#"
        2:3 "x" QZ0120 expected a member of this type, found a name
        5:11 "" QZ0120 expected a type, found the end of the line
    "#]],
    );
    check_problems(
        "type A\ntype B = \nnewtype C Int\nconst D\nvar e\nconst = 3\n",
        &expect![[r#"
        1:7 "" QZ0120 expected `=`, found the end of the line
        2:9 "" QZ0120 expected a type, found the end of the line
        3:11 "Int" QZ0120 expected `=`, found a name
        4:8 "" QZ0120 expected `=`, found the end of the line
        5:6 "" QZ0120 expected `=`, found the end of the line
        6:7 "=" QZ0120 expected a name, found `=`
    "#]],
    );
    check_problems(
        "extern def f(x: CInt)\nextern \"C\" def g\n",
        &expect![[r#"
        1:8 "def" QZ0120 expected a calling convention such as `"C"`, found `def`
    "#]],
    );
    check_problems(
        "garbage )( here\ndef f = 1\n",
        &expect![[r#"
        1:1 "garbage" QZ0125 a statement cannot stand outside of a function
    "#]],
    );
}

#[test]
fn habits_in_expressions() {
    check_body_problems(
        "x = a && b || !c",
        &expect![[r#"
        1:7 "&&" QZ0150 `&&` is written `and`
        1:12 "||" QZ0151 `||` is written `or`
        1:15 "!" QZ0152 `!x` is written `not x`
    "#]],
    );
    check_body_problems(
        "x = a ? b : c",
        &expect![[r#"
        1:7 "?" QZ0153 `a ? b : c` is written `if a then b else c end`
    "#]],
    );
    check_body_problems(
        "x = a > 3 ? \"b\" : :c",
        &expect![[r#"
        1:11 "?" QZ0153 `a ? b : c` is written `if a then b else c end`
    "#]],
    );
    check_body_problems(
        "x = ready? ? 1 : 2",
        &expect![[r#"
        1:12 "?" QZ0153 `a ? b : c` is written `if a then b else c end`
    "#]],
    );
    check_body_problems(
        "x = ready? 1 : 2",
        &expect![[r#"
        1:10 "?" QZ0153 `a ? b : c` is written `if a then b else c end`
    "#]],
    );
    check_body_problems(
        "x = a? b : c",
        &expect![[r#"
        1:6 "?" QZ0153 `a ? b : c` is written `if a then b else c end`
    "#]],
    );
    check_body_problems(
        "x = null",
        &expect![[r#"
        1:5 "null" QZ0157 `null` is written `nil`
    "#]],
    );
    check_body_problems(
        "x = a < b < c",
        &expect![[r#"
        1:11 "<" QZ0161 comparisons do not chain
    "#]],
    );
    check_body_problems(
        "x = a === b and c !== d",
        &expect![[r#"
        1:7 "===" QZ0171 equality is written `==` or `!=`
        1:19 "!==" QZ0171 equality is written `==` or `!=`
    "#]],
    );
    check_body_problems(
        "f(...xs)",
        &expect![[r#"
        1:3 "..." QZ0179 values are spread with `*`
    "#]],
    );
    check_body_problems(
        "f(a = 1)",
        &expect![[r#"
        1:5 "=" QZ0185 a named value is written `name: value`
    "#]],
    );
    check_body_problems(
        "x = P { a = 1 }",
        &expect![[r#"
        1:11 "=" QZ0185 a named value is written `name: value`
    "#]],
    );
    check_body_problems(
        "x = { \"a\": 1, \"b\": 2 }",
        &expect![[r#"
        1:10 ":" QZ0176 a map pairs its keys and values with `=>`
        1:18 ":" QZ0176 a map pairs its keys and values with `=>`
    "#]],
    );
    check_body_problems(
        "xs.each do |x, y|\n x\nend\nxs.map { |x| x }",
        &expect![[r#"
        1:12 "|" QZ0167 parameters of a block stand before `->`, not between `|`
        4:10 "|" QZ0167 parameters of a block stand before `->`, not between `|`
    "#]],
    );
    check_body_problems(
        "loop_of { 1 }\nif x {\n1\n}",
        &expect![[r#"
        1:9 "{" QZ0186 a block in braces needs a call before it
        2:6 "{" QZ0165 a body has no braces: it ends with `end`
    "#]],
    );
    check_body_problems(
        "xs.map { x -> x + 1 }",
        &expect![[r#"
        1:10 "x" QZ0184 a brace block has no parameters but `it`
    "#]],
    );
    check_body_problems(
        "puts \"hi\"\nputs x, y\nfoo bar baz",
        &expect![[r#"
        1:1 "puts \"hi\"" QZ0168 a call needs parentheses around its arguments
        2:1 "puts x, y" QZ0168 a call needs parentheses around its arguments
        3:1 "foo bar" QZ0168 a call needs parentheses around its arguments
    "#]],
    );
    check_body_problems(
        "x = 3 // comment\n// let's go \"\ny = 1",
        &expect![[r#"
        1:7 "//" QZ0172 a comment starts with `#`
        2:1 "//" QZ0172 a comment starts with `#`
        2:7 "'s" QZ0109 this character literal has no closing quote
        2:13 "\"" QZ0101 this string has no closing quote
    "#]],
    );
}

#[test]
fn habits_in_statements() {
    check_body_problems(
        "let x = 3\nlet mut y: Int = 4\nval z = 5\nlet (a, b) = c",
        &expect![[r#"
        1:1 "let" QZ0154 a name is bound without a keyword: `x = e`
        2:1 "let mut" QZ0154 a variable is declared with `var`
        3:1 "val" QZ0154 a name is bound without a keyword: `x = e`
        4:1 "let" QZ0154 a name is bound without a keyword: `x = e`
    "#]],
    );
    check_body_problems(
        "x++\ny--\nz++ if a",
        &expect![[r#"
        1:2 "++" QZ0159 `x++` is written `x += 1`
        2:2 "--" QZ0159 `x--` is written `x -= 1`
        3:2 "++" QZ0159 `x++` is written `x += 1`
    "#]],
    );
    check_body_problems(
        "x := 3\nvar y := 4",
        &expect![[r#"
        1:3 ":=" QZ0164 `:=` is written `=`
        2:7 ":=" QZ0164 `:=` is written `=`
    "#]],
    );
    check_body_problems(
        "x ||= 3",
        &expect![[r#"
        1:3 "||=" QZ0169 a default is assigned with `??=`
    "#]],
    );
    check_body_problems(
        "a = b = c = 3",
        &expect![[r#"
        1:7 "=" QZ0163 an assignment has no value, so it cannot be assigned
    "#]],
    );
    check_body_problems(
        "a, b = b, a\na, v[i + 1], p.x = three()\nf a, b\nx, _ = pair if c\na, b\n[a, b] = f(a, b = 1)",
        &expect![[r#"
            1:1 "a, b" QZ0188 several names are assigned in parentheses
            2:1 "a, v[i + 1], p.x" QZ0188 several names are assigned in parentheses
            3:1 "f a, b" QZ0168 a call needs parentheses around its arguments
            4:1 "x, _" QZ0188 several names are assigned in parentheses
            5:2 "," QZ0120 expected the end of the line, found `,`
            6:17 "=" QZ0185 a named value is written `name: value`
        "#]],
    );
    check_body_problems(
        "if x = 3\n1\nend\nwhile y = f()\nend\nreturn if z = 1",
        &expect![[r#"
        1:6 "=" QZ0162 a condition cannot assign
        4:9 "=" QZ0162 a condition cannot assign
        6:13 "=" QZ0162 a condition cannot assign
    "#]],
    );
    check_body_problems(
        "if a\n1\nelse if b\n2\nelif c\n3\nelseif d\n4\nelse\n5\nend",
        &expect![[r#"
        3:1 "else if" QZ0156 `else if` is written `elsif`
        5:1 "elif" QZ0156 `else if` is written `elsif`
        7:1 "elseif" QZ0156 `else if` is written `elsif`
    "#]],
    );
    check_body_problems(
        "while a do\n1\nend\nfor x in xs do\n2\nend\nuntil f(a) do\n3\nend",
        &expect![[r#"
        1:9 "do" QZ0160 the head of `while` takes no `do`
        4:13 "do" QZ0160 the head of `for` takes no `do`
        7:12 "do" QZ0160 the head of `until` takes no `do`
    "#]],
    );
    check_body_problems(
        "if a {\n1\n} else if b {\n2\n} else {\n3\n}\nwhile a > 3 {\n4\n}\nx = 1",
        &expect![[r#"
        1:6 "{" QZ0165 a body has no braces: it ends with `end`
        3:3 "else if" QZ0156 `else if` is written `elsif`
        5:8 "{" QZ0165 a body has no braces: it ends with `end`
        8:13 "{" QZ0165 a body has no braces: it ends with `end`
    "#]],
    );
    check_body_problems(
        "for x in xs {\n continue if x\n}\nloop {\n1\n}",
        &expect![[r#"
        1:13 "{" QZ0165 a body has no braces: it ends with `end`
        2:2 "continue" QZ0166 `continue` is written `next`
        4:6 "{" QZ0165 a body has no braces: it ends with `end`
    "#]],
    );
    check_body_problems(
        "match x {\n1 => 2,\n_ => 3,\n}\ny = 1",
        &expect![[r#"
        1:9 "{" QZ0165 a body has no braces: it ends with `end`
    "#]],
    );
    check_body_problems(
        "match x\n  1 -> 2\n  Some(y) -> 3\n  else => 4\nend",
        &expect![[r#"
        2:5 "->" QZ0175 an arm is written with `=>`
        3:11 "->" QZ0175 an arm is written with `=>`
        4:3 "else" QZ0182 `else` in a `match` is written `_ =>`
    "#]],
    );
    check_body_problems(
        "match x\n  | 1 => 2\n  when 3 => 4\n  else\n    5\nend",
        &expect![[r#"
        2:3 "|" QZ0180 an arm starts with its pattern, without `|`
        3:3 "when" QZ0180 an arm or variant has no keyword before it
        4:3 "else" QZ0182 `else` in a `match` is written `_ =>`
    "#]],
    );
    check_body_problems(
        "case x\nwhen 1 then 2\nelse 3\nend\ny = )",
        &expect![[r#"
        1:1 "case" QZ0170 cases are told apart with `match`
        5:5 ")" QZ0120 expected an expression, found `)`
    "#]],
    );
    check_body_problems(
        "begin\n f()\nrescue e\n g()\nend\ny = )",
        &expect![[r#"
        1:1 "begin" QZ0170 there is no `begin` and no `rescue`
        6:5 ")" QZ0120 expected an expression, found `)`
    "#]],
    );
    check_body_problems(
        "fn helper(x)\n  x\nend",
        &expect![[r#"
        1:1 "fn" QZ0155 functions are declared with `def`
    "#]],
    );
}

#[test]
fn habits_in_declarations() {
    check_problems(
        "fn f(x: Int) -> Int\n  x\nend\nfunction g(a)\n  a\nend\n",
        &expect![[r#"
        1:1 "fn" QZ0155 functions are declared with `def`
        1:14 "->" QZ0158 the return type follows `:`, not `->`
        4:1 "function" QZ0155 functions are declared with `def`
    "#]],
    );
    check_problems(
        "def f(x: Int) -> Int {\n  x\n}\ndef g() {\n  1\n}\ndef h = 1\n",
        &expect![[r#"
        1:15 "->" QZ0158 the return type follows `:`, not `->`
        1:22 "{" QZ0165 a body has no braces: it ends with `end`
        4:9 "{" QZ0165 a body has no braces: it ends with `end`
    "#]],
    );
    check_problems(
        "struct P {\n  x: Int,\n  y: Int\n}\nenum E { A, B }\ndef h = 1\n",
        &expect![[r#"
        1:10 "{" QZ0165 a body has no braces: it ends with `end`
        2:9 "," QZ0120 expected the end of the line, found `,`
        5:8 "{" QZ0165 a body has no braces: it ends with `end`
        5:11 "," QZ0120 expected the end of the line, found `,`
    "#]],
    );
    check_problems(
        "class A\n  def f = 1\nend\ninterface B\n  def f(self): Int\nend\n",
        &expect![[r#"
        1:1 "class" QZ0170 types are declared with `struct` or `enum`
        4:1 "interface" QZ0170 interfaces are declared with `trait`
    "#]],
    );
    check_problems(
        "module A\n  def f = 1\n  def g = 2\nend\ndef h = )\n",
        &expect![[r#"
        1:1 "module" QZ0170 a file is a module, without a keyword
        5:9 ")" QZ0120 expected an expression, found `)`
    "#]],
    );
    check_problems(
        "use a::b\nrequire \"x\"\nfrom a import b\npublic def f = 1\npub def g = 2\n",
        &expect![[r#"
        1:1 "use" QZ0170 modules are imported with `import`
        2:1 "require" QZ0170 modules are imported with `import`
        3:1 "from" QZ0177 the names come first: `import f, g from a/b`
        4:1 "public" QZ0170 declarations are public unless they are `private`
        5:1 "pub" QZ0178 declarations are public already
    "#]],
    );
    check_problems(
        "struct P\n  def self.make = 1\n  let x: Int\n  var y: Int\nend\n",
        &expect![[r#"
        2:7 "self." QZ0174 a function without a `self` parameter already belongs to the type
        3:3 "let" QZ0154 a name is bound without a keyword: `x = e`
        4:3 "var" QZ0135 `var` cannot stand here
    "#]],
    );
    check_problems(
        "def f(a: [Int], b: Vec[Int], c: (Int) -> Int): Int = 1\n",
        &expect![[r#"
        1:10 "[" QZ0173 the type of a vector is written `Vec<T>`
        1:23 "[" QZ0181 type arguments stand in `<>`
        1:39 "->" QZ0183 a function type is written `Fn(A): B`
    "#]],
    );
    check_problems(
        "enum E\n  case A\n  case B(Int)\nend\n",
        &expect![[r#"
        2:3 "case" QZ0180 an arm or variant has no keyword before it
        3:3 "case" QZ0180 an arm or variant has no keyword before it
    "#]],
    );
}

#[test]
fn nesting() {
    let deep = format!("x = {}1{}\ny = )", "(".repeat(300), ")".repeat(300));
    check_body_problems(
        &deep,
        &expect![[r#"
        1:259 "(" QZ0127 this is nested too deep
        2:5 ")" QZ0120 expected an expression, found `)`
    "#]],
    );
}

#[test]
fn macros_without_parameters() {
    check_problems(
        "macro foo\n  1\nend\ndef f\nend\n",
        &expect![[r#"
        1:10 "" QZ0120 expected `(`, found the end of the line
    "#]],
    );
    check_problems(
        "@inline\nmacro foo = 1\ndef f\nend\n",
        &expect![[r#"
        2:1 "macro" QZ0121 this `macro` has no `end`
            3:1 `end` was expected before this
        2:11 "=" QZ0120 expected `(`, found `=`
    "#]],
    );
    check_problems(
        "@inline\nmacro",
        &expect![[r#"
        2:6 "" QZ0120 expected a name, found the end of the file
    "#]],
    );
}
