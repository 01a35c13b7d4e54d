//! Which tokens has a text? Each kind of token and each ruling about where one ends.

use crate::{SyntaxKind, lex};
use expect_test::{Expect, expect};

/// Significant tokens, one line: kind and text, joined.
fn check(text: &str, expect: &Expect) {
    let lexed = lex(text);
    let mut out = String::new();
    for (index, token) in lexed.tokens.iter().enumerate() {
        if !matches!(token.kind, SyntaxKind::Whitespace | SyntaxKind::Eof) {
            out.push_str(&format!("{:?} {:?}\n", token.kind, lexed.range(index).text(text)));
        }
    }
    expect.assert_eq(&out);
}

#[test]
fn comments_and_lines() {
    check(
        "a # c\n## d\n##! m\n### r\r\nb",
        &expect![[r####"
        Ident "a"
        Comment "# c"
        Newline "\n"
        DocComment "## d"
        Newline "\n"
        ModuleDoc "##! m"
        Newline "\n"
        Comment "### r"
        Newline "\n"
        Ident "b"
    "####]],
    );
    check(
        "\u{feff}a\t b",
        &expect![[r#"
        Ident "a"
        Ident "b"
    "#]],
    );
}

#[test]
fn names_and_question_marks() {
    check(
        "empty? x?.y x??z None? end? x.end? _a ünï Größe ?",
        &expect![[r#"
        Ident "empty?"
        Ident "x"
        QuestionDot "?."
        Ident "y"
        Ident "x"
        QuestionQuestion "??"
        Ident "z"
        Ident "None"
        Question "?"
        EndKw "end"
        Question "?"
        Ident "x"
        Dot "."
        Ident "end?"
        Ident "_a"
        Ident "ünï"
        Ident "Größe"
        Question "?"
    "#]],
    );
    check(
        "from step def nil? r rx",
        &expect![[r#"
        FromKw "from"
        StepKw "step"
        DefKw "def"
        Ident "nil?"
        Ident "r"
        Ident "rx"
    "#]],
    );
}

#[test]
fn numbers() {
    check(
        "1_000 0xFF_f 0o17 0b10 1.5 1e-9 2.5E+3 1..2 1.x t.0.1 1.5.2",
        &expect![[r#"
        IntNumber "1_000"
        IntNumber "0xFF_f"
        IntNumber "0o17"
        IntNumber "0b10"
        FloatNumber "1.5"
        FloatNumber "1e-9"
        FloatNumber "2.5E+3"
        IntNumber "1"
        DotDot ".."
        IntNumber "2"
        IntNumber "1"
        Dot "."
        Ident "x"
        Ident "t"
        Dot "."
        IntNumber "0"
        Dot "."
        IntNumber "1"
        FloatNumber "1.5"
        Dot "."
        IntNumber "2"
    "#]],
    );
}

#[test]
fn symbols_and_colons() {
    check(
        ":a x:b x :c f(:d) [:e,:f] a::b (x):y [x]:z {k: :v} :end? 1:2",
        &expect![[r#"
        Symbol ":a"
        Ident "x"
        Colon ":"
        Ident "b"
        Ident "x"
        Symbol ":c"
        Ident "f"
        LParen "("
        Symbol ":d"
        RParen ")"
        LBracket "["
        Symbol ":e"
        Comma ","
        Symbol ":f"
        RBracket "]"
        Ident "a"
        ColonColon "::"
        Ident "b"
        LParen "("
        Ident "x"
        RParen ")"
        Colon ":"
        Ident "y"
        LBracket "["
        Ident "x"
        RBracket "]"
        Colon ":"
        Ident "z"
        LBrace "{"
        Ident "k"
        Colon ":"
        Symbol ":v"
        RBrace "}"
        Symbol ":end?"
        IntNumber "1"
        Colon ":"
        IntNumber "2"
    "#]],
    );
}

#[test]
fn strings() {
    check(
        r##""a\"#{b}#c#" "" """x"y""" r"\" r#"a"b"# ~r"\"" '\'' 'x'"##,
        &expect![[r##"
        StrStart "\""
        StrText "a\\\""
        InterpStart "#{"
        Ident "b"
        InterpEnd "}"
        StrText "#c#"
        StrEnd "\""
        StrStart "\""
        StrEnd "\""
        StrStart "\"\"\""
        StrText "x\"y"
        StrEnd "\"\"\""
        RawString "r\"\\\""
        RawString "r#\"a\"b\"#"
        Regex "~r\"\\\"\""
        Char "'\\''"
        Char "'x'"
    "##]],
    );
    check(
        r##""#{ { "a" => "#{1}" } }""##,
        &expect![[r##"
        StrStart "\""
        InterpStart "#{"
        LBrace "{"
        StrStart "\""
        StrText "a"
        StrEnd "\""
        FatArrow "=>"
        StrStart "\""
        InterpStart "#{"
        IntNumber "1"
        InterpEnd "}"
        StrEnd "\""
        RBrace "}"
        InterpEnd "}"
        StrEnd "\""
    "##]],
    );
    check(
        "\"a\n\"b\"",
        &expect![[r#"
        StrStart "\""
        StrText "a"
        Newline "\n"
        StrStart "\""
        StrText "b"
        StrEnd "\""
    "#]],
    );
    check(
        "\"a #{b\nc",
        &expect![[r##"
        StrStart "\""
        StrText "a "
        InterpStart "#{"
        Ident "b"
        Newline "\n"
        Ident "c"
    "##]],
    );
    check(
        "\"a #{f(\nb)} c\"",
        &expect![[r##"
        StrStart "\""
        StrText "a "
        InterpStart "#{"
        Ident "f"
        LParen "("
        Newline "\n"
        Ident "b"
        RParen ")"
        InterpEnd "}"
        StrText " c"
        StrEnd "\""
    "##]],
    );
    check(
        "\"\"\"a #{b\nc\"\"\"",
        &expect![[r##"
        StrStart "\"\"\""
        StrText "a "
        InterpStart "#{"
        Ident "b"
        Newline "\n"
        StrText "c"
        StrEnd "\"\"\""
    "##]],
    );
}

#[test]
fn heredocs() {
    check(
        "f(<<~A, <<~B)\n  x #{y}\n  A\nz\nB\nw",
        &expect![[r##"
        Ident "f"
        LParen "("
        HeredocStart "<<~A"
        Comma ","
        HeredocStart "<<~B"
        RParen ")"
        Newline "\n"
        StrText "  x "
        InterpStart "#{"
        Ident "y"
        InterpEnd "}"
        StrText "\n"
        HeredocEnd "  A"
        Newline "\n"
        StrText "z\n"
        HeredocEnd "B"
        Newline "\n"
        Ident "w"
    "##]],
    );
    check(
        "x <<~A",
        &expect![[r#"
        Ident "x"
        LtLt "<<"
        Tilde "~"
        Ident "A"
    "#]],
    );
    check(
        "x << <<~A\r\n t\r\n A\r\ny",
        &expect![[r#"
        Ident "x"
        LtLt "<<"
        HeredocStart "<<~A"
        Newline "\n"
        StrText " t\r\n"
        HeredocEnd " A"
        Newline "\n"
        Ident "y"
    "#]],
    );
    check(
        "x = <<~A\n",
        &expect![[r#"
        Ident "x"
        Eq "="
        HeredocStart "<<~A"
        Newline "\n"
    "#]],
    );
    check(
        "return <<~A\nA",
        &expect![[r#"
        ReturnKw "return"
        HeredocStart "<<~A"
        Newline "\n"
        HeredocEnd "A"
    "#]],
    );
}

#[test]
fn operators() {
    check(
        "a&+b&-c&*d&e&&f|g||h|>i**j*k",
        &expect![[r#"
        Ident "a"
        AmpPlus "&+"
        Ident "b"
        AmpMinus "&-"
        Ident "c"
        AmpStar "&*"
        Ident "d"
        Amp "&"
        Ident "e"
        AmpAmp "&&"
        Ident "f"
        Pipe "|"
        Ident "g"
        PipePipe "||"
        Ident "h"
        PipeGt "|>"
        Ident "i"
        StarStar "**"
        Ident "j"
        Star "*"
        Ident "k"
    "#]],
    );
    check(
        "<<= >>= ??= ..= ... .. <= >= == != => -> += -= *= /= %= &= |= ^= :: ?. @ $",
        &expect![[r#"
        LtLtEq "<<="
        GtGtEq ">>="
        QuestionQuestionEq "??="
        DotDotEq "..="
        DotDotDot "..."
        DotDot ".."
        LtEq "<="
        GtEq ">="
        EqEq "=="
        BangEq "!="
        FatArrow "=>"
        Arrow "->"
        PlusEq "+="
        MinusEq "-="
        StarEq "*="
        SlashEq "/="
        PercentEq "%="
        AmpEq "&="
        PipeEq "|="
        CaretEq "^="
        ColonColon "::"
        QuestionDot "?."
        At "@"
        Dollar "$"
    "#]],
    );
}

#[test]
fn what_starts_nothing() {
    check(
        "\0 € \u{200b}\\ `",
        &expect![[r#"
        Unknown "\0"
        Unknown "€"
        Unknown "\u{200b}\\"
        Unknown "`"
    "#]],
    );
}
