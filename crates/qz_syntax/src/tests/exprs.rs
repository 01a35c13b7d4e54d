//! Which tree has an expression? Precedence, calls, blocks, collections, and each ruling about them.

use super::check_tree;
use expect_test::expect;

#[test]
fn precedence() {
    check_tree(
        "a |> f ?? b or c and not d == e",
        &expect![[r#"
        BinaryExpr
          PathExpr "a"
          "|>"
          BinaryExpr
            PathExpr "f"
            "??"
            BinaryExpr
              PathExpr "b"
              "or"
              BinaryExpr
                PathExpr "c"
                "and"
                UnaryExpr
                  "not"
                  BinaryExpr
                    PathExpr "d"
                    "=="
                    PathExpr "e"
    "#]],
    );
    check_tree(
        "a | b ^ c & d << e + f * g as T",
        &expect![[r#"
        BinaryExpr
          PathExpr "a"
          "|"
          BinaryExpr
            PathExpr "b"
            "^"
            BinaryExpr
              PathExpr "c"
              "&"
              BinaryExpr
                PathExpr "d"
                "<<"
                BinaryExpr
                  PathExpr "e"
                  "+"
                  BinaryExpr
                    PathExpr "f"
                    "*"
                    CastExpr
                      PathExpr "g"
                      "as"
                      PathType "T"
    "#]],
    );
    check_tree(
        "-x ** 2",
        &expect![[r#"
        UnaryExpr
          "-"
          BinaryExpr
            PathExpr "x"
            "**"
            LiteralExpr "2"
    "#]],
    );
    check_tree(
        "2 ** -x ** y",
        &expect![[r#"
        BinaryExpr
          LiteralExpr "2"
          "**"
          UnaryExpr
            "-"
            BinaryExpr
              PathExpr "x"
              "**"
              PathExpr "y"
    "#]],
    );
    check_tree(
        "await t as Int",
        &expect![[r#"
        CastExpr
          AwaitExpr
            "await"
            PathExpr "t"
          "as"
          PathType "Int"
    "#]],
    );
    check_tree(
        "await t!",
        &expect![[r#"
        AwaitExpr
          "await"
          UnwrapExpr
            PathExpr "t"
            "!"
    "#]],
    );
    check_tree(
        "try f(x).y",
        &expect![[r#"
        TryExpr
          "try"
          FieldExpr
            CallExpr
              PathExpr "f"
              ArgList
                "("
                PathExpr "x"
                ")"
            "."
            "y"
    "#]],
    );
    check_tree(
        "not a is B",
        &expect![[r#"
        UnaryExpr
          "not"
          IsExpr
            PathExpr "a"
            "is"
            PathPat "B"
    "#]],
    );
    check_tree(
        "a is B and c is Some(v) or d",
        &expect![[r#"
        BinaryExpr
          BinaryExpr
            IsExpr
              PathExpr "a"
              "is"
              PathPat "B"
            "and"
            IsExpr
              PathExpr "c"
              "is"
              VariantPat
                PathPat "Some"
                "("
                NamePat "v"
                ")"
          "or"
          PathExpr "d"
    "#]],
    );
    check_tree(
        "1..n + 1 step 2 * k",
        &expect![[r#"
        RangeExpr
          LiteralExpr "1"
          ".."
          BinaryExpr
            PathExpr "n"
            "+"
            LiteralExpr "1"
          RangeStep
            "step"
            BinaryExpr
              LiteralExpr "2"
              "*"
              PathExpr "k"
    "#]],
    );
    check_tree(
        "a ?? b ?? c",
        &expect![[r#"
        BinaryExpr
          PathExpr "a"
          "??"
          BinaryExpr
            PathExpr "b"
            "??"
            PathExpr "c"
    "#]],
    );
    check_tree(
        "a - b - c",
        &expect![[r#"
        BinaryExpr
          BinaryExpr
            PathExpr "a"
            "-"
            PathExpr "b"
          "-"
          PathExpr "c"
    "#]],
    );
    check_tree(
        "x in 1..9",
        &expect![[r#"
        BinaryExpr
          PathExpr "x"
          "in"
          RangeExpr
            LiteralExpr "1"
            ".."
            LiteralExpr "9"
    "#]],
    );
    check_tree(
        "a &+ b &* c &- d",
        &expect![[r#"
        BinaryExpr
          BinaryExpr
            PathExpr "a"
            "&+"
            BinaryExpr
              PathExpr "b"
              "&*"
              PathExpr "c"
          "&-"
          PathExpr "d"
    "#]],
    );
    check_tree(
        "- - ~x",
        &expect![[r#"
        UnaryExpr
          "-"
          UnaryExpr
            "-"
            UnaryExpr
              "~"
              PathExpr "x"
    "#]],
    );
    check_tree(
        "&mut a.b",
        &expect![[r#"
        BorrowExpr
          "&"
          "mut"
          FieldExpr
            PathExpr "a"
            "."
            "b"
    "#]],
    );
    check_tree(
        "&x",
        &expect![[r#"
        BorrowExpr
          "&"
          PathExpr "x"
    "#]],
    );
    check_tree(
        "go f(x)\nspawn g(y)",
        &expect![[r#"
        GoExpr
          "go"
          CallExpr
            PathExpr "f"
            ArgList
              "("
              PathExpr "x"
              ")"
        SpawnExpr
          "spawn"
          CallExpr
            PathExpr "g"
            ArgList
              "("
              PathExpr "y"
              ")"
    "#]],
    );
    check_tree(
        "x as T?\ny try_as (A, B)\nz wrapping_as a::B<C>",
        &expect![[r#"
        CastExpr
          PathExpr "x"
          "as"
          OptionType
            PathType "T"
            "?"
        CastExpr
          PathExpr "y"
          "try_as"
          TupleType
            "("
            PathType "A"
            ","
            PathType "B"
            ")"
        CastExpr
          PathExpr "z"
          "wrapping_as"
          PathType
            "a"
            "::"
            "B"
            TypeArgs
              "<"
              PathType "C"
              ">"
    "#]],
    );
}

#[test]
fn names_and_question_marks() {
    check_tree(
        "v.empty?().show",
        &expect![[r#"
        FieldExpr
          MethodCallExpr
            PathExpr "v"
            "."
            "empty?"
            ArgList
              "("
              ")"
          "."
          "show"
    "#]],
    );
    check_tree(
        "v.empty?.show",
        &expect![[r#"
        FieldExpr
          FieldExpr
            PathExpr "v"
            "."
            "empty"
          "?."
          "show"
    "#]],
    );
    check_tree(
        "x?.y?.z",
        &expect![[r#"
        FieldExpr
          FieldExpr
            PathExpr "x"
            "?."
            "y"
          "?."
          "z"
    "#]],
    );
    check_tree(
        "x?",
        &expect![[r#"
        PathExpr "x?"
    "#]],
    );
    check_tree(
        "x??y",
        &expect![[r#"
        BinaryExpr
          PathExpr "x"
          "??"
          PathExpr "y"
    "#]],
    );
    check_tree(
        "x ?? y",
        &expect![[r#"
        BinaryExpr
          PathExpr "x"
          "??"
          PathExpr "y"
    "#]],
    );
    check_tree(
        "None?",
        &expect![[r#"
        PropagateExpr
          PathExpr "None"
          "?"
    "#]],
    );
    check_tree(
        "f(x)?",
        &expect![[r#"
        PropagateExpr
          CallExpr
            PathExpr "f"
            ArgList
              "("
              PathExpr "x"
              ")"
          "?"
    "#]],
    );
    check_tree(
        "a != b\na! == b",
        &expect![[r#"
        BinaryExpr
          PathExpr "a"
          "!="
          PathExpr "b"
        BinaryExpr
          UnwrapExpr
            PathExpr "a"
            "!"
          "=="
          PathExpr "b"
    "#]],
    );
    check_tree(
        "x.nil?",
        &expect![[r#"
        FieldExpr
          PathExpr "x"
          "."
          "nil?"
    "#]],
    );
    check_tree(
        "foo do -> 1 end?",
        &expect![[r#"
        PropagateExpr
          CallExpr
            PathExpr "foo"
            DoBlock
              "do"
              "->"
              Block
                LiteralExpr "1"
              "end"
          "?"
    "#]],
    );
    check_tree(
        "t.0.1\n1..2\n1.show\n1.5.floor",
        &expect![[r#"
        TupleIndexExpr
          TupleIndexExpr
            PathExpr "t"
            "."
            "0"
          "."
          "1"
        RangeExpr
          LiteralExpr "1"
          ".."
          LiteralExpr "2"
        FieldExpr
          LiteralExpr "1"
          "."
          "show"
        FieldExpr
          LiteralExpr "1.5"
          "."
          "floor"
    "#]],
    );
    check_tree(
        "x.end.if.def(1).match",
        &expect![[r#"
        FieldExpr
          MethodCallExpr
            FieldExpr
              FieldExpr
                PathExpr "x"
                "."
                "end"
              "."
              "if"
            "."
            "def"
            ArgList
              "("
              LiteralExpr "1"
              ")"
          "."
          "match"
    "#]],
    );
}

#[test]
fn calls() {
    check_tree(
        "f(1, a: 2, end: 3)",
        &expect![[r#"
        CallExpr
          PathExpr "f"
          ArgList
            "("
            LiteralExpr "1"
            ","
            NamedArg
              "a"
              ":"
              LiteralExpr "2"
            ","
            NamedArg
              "end"
              ":"
              LiteralExpr "3"
            ")"
    "#]],
    );
    check_tree(
        "f(*xs, if: 1,)",
        &expect![[r#"
        CallExpr
          PathExpr "f"
          ArgList
            "("
            SpreadArg
              "*"
              PathExpr "xs"
            ","
            NamedArg
              "if"
              ":"
              LiteralExpr "1"
            ","
            ")"
    "#]],
    );
    check_tree(
        "f()(1)[2]!?",
        &expect![[r#"
        PropagateExpr
          UnwrapExpr
            IndexExpr
              CallExpr
                CallExpr
                  PathExpr "f"
                  ArgList
                    "("
                    ")"
                ArgList
                  "("
                  LiteralExpr "1"
                  ")"
              "["
              LiteralExpr "2"
              "]"
            "!"
          "?"
    "#]],
    );
    check_tree(
        "(x.f)(a)",
        &expect![[r#"
        CallExpr
          ParenExpr
            "("
            FieldExpr
              PathExpr "x"
              "."
              "f"
            ")"
          ArgList
            "("
            PathExpr "a"
            ")"
    "#]],
    );
    check_tree(
        "f<Int>(x)",
        &expect![[r#"
        CallExpr
          PathExpr
            "f"
            TypeArgs
              "<"
              PathType "Int"
              ">"
          ArgList
            "("
            PathExpr "x"
            ")"
    "#]],
    );
    check_tree(
        "Vec<Int>.new()\nVec<Vec<Int>>::new()\na::b<T>::c(1)",
        &expect![[r#"
        MethodCallExpr
          PathExpr
            "Vec"
            TypeArgs
              "<"
              PathType "Int"
              ">"
          "."
          "new"
          ArgList
            "("
            ")"
        CallExpr
          PathExpr
            "Vec"
            TypeArgs
              "<"
              PathType
                "Vec"
                TypeArgs
                  "<"
                  PathType "Int"
                  ">"
              ">"
            "::"
            "new"
          ArgList
            "("
            ")"
        CallExpr
          PathExpr
            "a"
            "::"
            "b"
            TypeArgs
              "<"
              PathType "T"
              ">"
            "::"
            "c"
          ArgList
            "("
            LiteralExpr "1"
            ")"
    "#]],
    );
    check_tree(
        "f(a<b, c>(d))",
        &expect![[r#"
        CallExpr
          PathExpr "f"
          ArgList
            "("
            CallExpr
              PathExpr
                "a"
                TypeArgs
                  "<"
                  PathType "b"
                  ","
                  PathType "c"
                  ">"
              ArgList
                "("
                PathExpr "d"
                ")"
            ")"
    "#]],
    );
    check_tree(
        "f(a < b, c > d)",
        &expect![[r#"
        CallExpr
          PathExpr "f"
          ArgList
            "("
            BinaryExpr
              PathExpr "a"
              "<"
              PathExpr "b"
            ","
            BinaryExpr
              PathExpr "c"
              ">"
              PathExpr "d"
            ")"
    "#]],
    );
    check_tree(
        "a<b and c>(d)",
        &expect![[r#"
        BinaryExpr
          BinaryExpr
            PathExpr "a"
            "<"
            PathExpr "b"
          "and"
          BinaryExpr
            PathExpr "c"
            ">"
            ParenExpr
              "("
              PathExpr "d"
              ")"
    "#]],
    );
    check_tree(
        "Pair<Int, A | B> { a: 1 }",
        &expect![[r#"
        StructExpr
          PathExpr
            "Pair"
            TypeArgs
              "<"
              PathType "Int"
              ","
              UnionType
                PathType "A"
                "|"
                PathType "B"
              ">"
          "{"
          FieldInit
            "a"
            ":"
            LiteralExpr "1"
          "}"
    "#]],
    );
    check_tree(
        "x<y>>z",
        &expect![[r#"
        BinaryExpr
          PathExpr "x"
          "<"
          BinaryExpr
            PathExpr "y"
            ">>"
            PathExpr "z"
    "#]],
    );
    check_tree(
        "m.get<Fn(A, (B, C)?): D, { x: Int, ...r }>(k)",
        &expect![[r#"
        MethodCallExpr
          PathExpr "m"
          "."
          "get"
          TypeArgs
            "<"
            FnType
              "Fn"
              FnTypeParams
                "("
                PathType "A"
                ","
                OptionType
                  TupleType
                    "("
                    PathType "B"
                    ","
                    PathType "C"
                    ")"
                  "?"
                ")"
              ":"
              PathType "D"
            ","
            RecordType
              "{"
              RecordTypeField
                "x"
                ":"
                PathType "Int"
              ","
              RowVar
                "..."
                "r"
              "}"
            ">"
          ArgList
            "("
            PathExpr "k"
            ")"
    "#]],
    );
    check_tree(
        "x.f(1).g { it }.h do y -> y end",
        &expect![[r#"
        MethodCallExpr
          MethodCallExpr
            MethodCallExpr
              PathExpr "x"
              "."
              "f"
              ArgList
                "("
                LiteralExpr "1"
                ")"
            "."
            "g"
            BraceBlock
              "{"
              Block
                PathExpr "it"
              "}"
          "."
          "h"
          DoBlock
            "do"
            LambdaParams
              Param
                NamePat "y"
            "->"
            Block
              PathExpr "y"
            "end"
    "#]],
    );
    check_tree(
        "f() {}",
        &expect![[r#"
        CallExpr
          PathExpr "f"
          ArgList
            "("
            ")"
          BraceBlock
            "{"
            Block
            "}"
    "#]],
    );
    check_tree(
        "x.each {}\nf(1) { it > 2 }",
        &expect![[r#"
        MethodCallExpr
          PathExpr "x"
          "."
          "each"
          BraceBlock
            "{"
            Block
            "}"
        CallExpr
          PathExpr "f"
          ArgList
            "("
            LiteralExpr "1"
            ")"
          BraceBlock
            "{"
            Block
              BinaryExpr
                PathExpr "it"
                ">"
                LiteralExpr "2"
            "}"
    "#]],
    );
    check_tree(
        r##"it "adds" do
  1
end"##,
        &expect![[r#"
    CallExpr
      PathExpr "it"
      ArgList
        StringExpr
          "\""
          "adds"
          "\""
      DoBlock
        "do"
        Block
          LiteralExpr "1"
        "end"
"#]],
    );
    check_tree(
        "a::b 1, x, k: 2 do v -> v end",
        &expect![[r#"
        CallExpr
          PathExpr
            "a"
            "::"
            "b"
          ArgList
            LiteralExpr "1"
            ","
            PathExpr "x"
            ","
            NamedArg
              "k"
              ":"
              LiteralExpr "2"
          DoBlock
            "do"
            LambdaParams
              Param
                NamePat "v"
            "->"
            Block
              PathExpr "v"
            "end"
    "#]],
    );
    check_tree(
        "outer f(g do 1 end) do 2 end",
        &expect![[r#"
        CallExpr
          PathExpr "outer"
          ArgList
            CallExpr
              PathExpr "f"
              ArgList
                "("
                CallExpr
                  PathExpr "g"
                  DoBlock
                    "do"
                    Block
                      LiteralExpr "1"
                    "end"
                ")"
          DoBlock
            "do"
            Block
              LiteralExpr "2"
            "end"
    "#]],
    );
    check_tree(
        "run x.map(y), z.w do 3 end",
        &expect![[r#"
        CallExpr
          PathExpr "run"
          ArgList
            MethodCallExpr
              PathExpr "x"
              "."
              "map"
              ArgList
                "("
                PathExpr "y"
                ")"
            ","
            FieldExpr
              PathExpr "z"
              "."
              "w"
          DoBlock
            "do"
            Block
              LiteralExpr "3"
            "end"
    "#]],
    );
    check_tree(
        "loop do\n  1\nend\nscope do s -> s end",
        &expect![[r#"
        LoopExpr
          "loop"
          "do"
          Block
            LiteralExpr "1"
          "end"
        CallExpr
          PathExpr "scope"
          DoBlock
            "do"
            LambdaParams
              Param
                NamePat "s"
            "->"
            Block
              PathExpr "s"
            "end"
    "#]],
    );
    check_tree(
        "$assert(x == 1)\n$m(f) do 1 end",
        &expect![[r#"
        MacroCallExpr
          "$"
          "assert"
          ArgList
            "("
            BinaryExpr
              PathExpr "x"
              "=="
              LiteralExpr "1"
            ")"
        MacroCallExpr
          "$"
          "m"
          ArgList
            "("
            PathExpr "f"
            ")"
          DoBlock
            "do"
            Block
              LiteralExpr "1"
            "end"
    "#]],
    );
    check_tree(
        r##"@c("nop")"##,
        &expect![[r#"
        AtCallExpr
          "@"
          "c"
          ArgList
            "("
            StringExpr
              "\""
              "nop"
              "\""
            ")"
    "#]],
    );
}

#[test]
fn lambdas() {
    check_tree(
        "x -> x + 1 |> f",
        &expect![[r#"
        LambdaExpr
          LambdaParams
            Param
              NamePat "x"
          "->"
          BinaryExpr
            BinaryExpr
              PathExpr "x"
              "+"
              LiteralExpr "1"
            "|>"
            PathExpr "f"
    "#]],
    );
    check_tree(
        "f(x -> x, y -> y)",
        &expect![[r#"
        CallExpr
          PathExpr "f"
          ArgList
            "("
            LambdaExpr
              LambdaParams
                Param
                  NamePat "x"
              "->"
              PathExpr "x"
            ","
            LambdaExpr
              LambdaParams
                Param
                  NamePat "y"
              "->"
              PathExpr "y"
            ")"
    "#]],
    );
    check_tree(
        "(a, b) -> a + b",
        &expect![[r#"
        LambdaExpr
          LambdaParams
            "("
            Param
              NamePat "a"
            ","
            Param
              NamePat "b"
            ")"
          "->"
          BinaryExpr
            PathExpr "a"
            "+"
            PathExpr "b"
    "#]],
    );
    check_tree(
        "(a: Int, (b, c), *d) -> a",
        &expect![[r#"
        LambdaExpr
          LambdaParams
            "("
            Param
              NamePat "a"
              ":"
              PathType "Int"
            ","
            Param
              TuplePat
                "("
                NamePat "b"
                ","
                NamePat "c"
                ")"
            ","
            Param
              "*"
              NamePat "d"
            ")"
          "->"
          PathExpr "a"
    "#]],
    );
    check_tree(
        "-> 42",
        &expect![[r#"
        LambdaExpr
          "->"
          LiteralExpr "42"
    "#]],
    );
    check_tree(
        "a -> b -> a + b",
        &expect![[r#"
        LambdaExpr
          LambdaParams
            Param
              NamePat "a"
          "->"
          LambdaExpr
            LambdaParams
              Param
                NamePat "b"
            "->"
            BinaryExpr
              PathExpr "a"
              "+"
              PathExpr "b"
    "#]],
    );
    check_tree(
        "x -> y = x",
        &expect![[r#"
        LambdaExpr
          LambdaParams
            Param
              NamePat "x"
          "->"
          AssignStmt
            PathExpr "y"
            "="
            PathExpr "x"
    "#]],
    );
    check_tree(
        "x ->\n  x",
        &expect![[r#"
        LambdaExpr
          LambdaParams
            Param
              NamePat "x"
          "->"
          PathExpr "x"
    "#]],
    );
    check_tree(
        "_ -> 1",
        &expect![[r#"
        LambdaExpr
          LambdaParams
            Param
              WildcardPat "_"
          "->"
          LiteralExpr "1"
    "#]],
    );
    check_tree(
        "() -> 1",
        &expect![[r#"
        LambdaExpr
          LambdaParams
            "("
            ")"
          "->"
          LiteralExpr "1"
    "#]],
    );
    check_tree(
        "(a, b)",
        &expect![[r#"
        TupleExpr
          "("
          PathExpr "a"
          ","
          PathExpr "b"
          ")"
    "#]],
    );
    check_tree(
        "do x, y -> 1 end",
        &expect![[r#"
        DoBlock
          "do"
          LambdaParams
            Param
              NamePat "x"
            ","
            Param
              NamePat "y"
          "->"
          Block
            LiteralExpr "1"
          "end"
    "#]],
    );
    check_tree(
        "f = do -> 1 end",
        &expect![[r#"
        AssignStmt
          PathExpr "f"
          "="
          DoBlock
            "do"
            "->"
            Block
              LiteralExpr "1"
            "end"
    "#]],
    );
    check_tree(
        "xs.each do (a, b) -> a end",
        &expect![[r#"
        MethodCallExpr
          PathExpr "xs"
          "."
          "each"
          DoBlock
            "do"
            LambdaParams
              Param
                TuplePat
                  "("
                  NamePat "a"
                  ","
                  NamePat "b"
                  ")"
            "->"
            Block
              PathExpr "a"
            "end"
    "#]],
    );
    check_tree(
        "xs.each do (a, b), i -> a end",
        &expect![[r#"
        MethodCallExpr
          PathExpr "xs"
          "."
          "each"
          DoBlock
            "do"
            LambdaParams
              Param
                TuplePat
                  "("
                  NamePat "a"
                  ","
                  NamePat "b"
                  ")"
              ","
              Param
                NamePat "i"
            "->"
            Block
              PathExpr "a"
            "end"
    "#]],
    );
    check_tree(
        "xs.each do v: Int -> v end",
        &expect![[r#"
        MethodCallExpr
          PathExpr "xs"
          "."
          "each"
          DoBlock
            "do"
            LambdaParams
              Param
                NamePat "v"
                ":"
                PathType "Int"
            "->"
            Block
              PathExpr "v"
            "end"
    "#]],
    );
    check_tree(
        "xs.each do\n  x -> x\nend",
        &expect![[r#"
        MethodCallExpr
          PathExpr "xs"
          "."
          "each"
          DoBlock
            "do"
            Block
              LambdaExpr
                LambdaParams
                  Param
                    NamePat "x"
                "->"
                PathExpr "x"
            "end"
    "#]],
    );
    check_tree(
        "xs.each do foo(x -> x) end",
        &expect![[r#"
        MethodCallExpr
          PathExpr "xs"
          "."
          "each"
          DoBlock
            "do"
            Block
              CallExpr
                PathExpr "foo"
                ArgList
                  "("
                  LambdaExpr
                    LambdaParams
                      Param
                        NamePat "x"
                    "->"
                    PathExpr "x"
                  ")"
            "end"
    "#]],
    );
    check_tree(
        "xs.each do &mut v -> v end",
        &expect![[r#"
        MethodCallExpr
          PathExpr "xs"
          "."
          "each"
          DoBlock
            "do"
            LambdaParams
              Param
                "&"
                "mut"
                NamePat "v"
            "->"
            Block
              PathExpr "v"
            "end"
    "#]],
    );
}

#[test]
fn collections() {
    check_tree(
        "x = ()\ny = (1)\nz = (1,)\nw = (1, 2)",
        &expect![[r#"
        AssignStmt
          PathExpr "x"
          "="
          TupleExpr
            "("
            ")"
        AssignStmt
          PathExpr "y"
          "="
          ParenExpr
            "("
            LiteralExpr "1"
            ")"
        AssignStmt
          PathExpr "z"
          "="
          TupleExpr
            "("
            LiteralExpr "1"
            ","
            ")"
        AssignStmt
          PathExpr "w"
          "="
          TupleExpr
            "("
            LiteralExpr "1"
            ","
            LiteralExpr "2"
            ")"
    "#]],
    );
    check_tree(
        "[1, 2,]\n[]\n[*a, 1]",
        &expect![[r#"
        VecExpr
          "["
          LiteralExpr "1"
          ","
          LiteralExpr "2"
          ","
          "]"
        VecExpr
          "["
          "]"
        VecExpr
          "["
          SpreadArg
            "*"
            PathExpr "a"
          ","
          LiteralExpr "1"
          "]"
    "#]],
    );
    check_tree(
        "[0; n]",
        &expect![[r#"
        RepeatExpr
          "["
          LiteralExpr "0"
          ";"
          PathExpr "n"
          "]"
    "#]],
    );
    check_tree(
        "[x * 2 for x in xs if x > 1]",
        &expect![[r#"
        VecCompExpr
          "["
          BinaryExpr
            PathExpr "x"
            "*"
            LiteralExpr "2"
          CompFor
            "for"
            NamePat "x"
            "in"
            PathExpr "xs"
          CompIf
            "if"
            BinaryExpr
              PathExpr "x"
              ">"
              LiteralExpr "1"
          "]"
    "#]],
    );
    check_tree(
        "[e for i, x in xs for y in x if y]",
        &expect![[r#"
        VecCompExpr
          "["
          PathExpr "e"
          CompFor
            "for"
            NamePat "i"
            ","
            NamePat "x"
            "in"
            PathExpr "xs"
          CompFor
            "for"
            NamePat "y"
            "in"
            PathExpr "x"
          CompIf
            "if"
            PathExpr "y"
          "]"
    "#]],
    );
    check_tree(
        "x = {}\ny = { 1 => 2 }",
        &expect![[r#"
        AssignStmt
          PathExpr "x"
          "="
          MapExpr
            "{"
            "}"
        AssignStmt
          PathExpr "y"
          "="
          MapExpr
            "{"
            MapEntry
              LiteralExpr "1"
              "=>"
              LiteralExpr "2"
            "}"
    "#]],
    );
    check_tree(
        "x = { k => v for k, v in m }",
        &expect![[r#"
        AssignStmt
          PathExpr "x"
          "="
          MapCompExpr
            "{"
            PathExpr "k"
            "=>"
            PathExpr "v"
            CompFor
              "for"
              NamePat "k"
              ","
              NamePat "v"
              "in"
              PathExpr "m"
            "}"
    "#]],
    );
    check_tree(
        "x = { a: 1, if: 2, ...r }",
        &expect![[r#"
        AssignStmt
          PathExpr "x"
          "="
          RecordExpr
            "{"
            FieldInit
              "a"
              ":"
              LiteralExpr "1"
            ","
            FieldInit
              "if"
              ":"
              LiteralExpr "2"
            ","
            RecordSpread
              "..."
              PathExpr "r"
            "}"
    "#]],
    );
    check_tree(
        "Point { x: 1, y }\nPoint {}\na::B { c: 1 }",
        &expect![[r#"
        StructExpr
          PathExpr "Point"
          "{"
          FieldInit
            "x"
            ":"
            LiteralExpr "1"
          ","
          FieldInit "y"
          "}"
        StructExpr
          PathExpr "Point"
          "{"
          "}"
        StructExpr
          PathExpr
            "a"
            "::"
            "B"
          "{"
          FieldInit
            "c"
            ":"
            LiteralExpr "1"
          "}"
    "#]],
    );
    check_tree(
        "p.with { x: 3 }",
        &expect![[r#"
        UpdateExpr
          PathExpr "p"
          "."
          "with"
          "{"
          FieldInit
            "x"
            ":"
            LiteralExpr "3"
          "}"
    "#]],
    );
    check_tree(
        "v[i]\nv[a..b]\nv[..]\nv[..b]\nv[a..=b step 2]\nSet[1, 2]\nSet[]",
        &expect![[r#"
        IndexExpr
          PathExpr "v"
          "["
          PathExpr "i"
          "]"
        IndexExpr
          PathExpr "v"
          "["
          RangeExpr
            PathExpr "a"
            ".."
            PathExpr "b"
          "]"
        IndexExpr
          PathExpr "v"
          "["
          RangeExpr ".."
          "]"
        IndexExpr
          PathExpr "v"
          "["
          RangeExpr
            ".."
            PathExpr "b"
          "]"
        IndexExpr
          PathExpr "v"
          "["
          RangeExpr
            PathExpr "a"
            "..="
            PathExpr "b"
            RangeStep
              "step"
              LiteralExpr "2"
          "]"
        IndexExpr
          PathExpr "Set"
          "["
          LiteralExpr "1"
          ","
          LiteralExpr "2"
          "]"
        IndexExpr
          PathExpr "Set"
          "["
          "]"
    "#]],
    );
    check_tree(
        "f(\n  1,\n  2\n)\n[\n  1\n  + 2\n]",
        &expect![[r#"
        CallExpr
          PathExpr "f"
          ArgList
            "("
            LiteralExpr "1"
            ","
            LiteralExpr "2"
            ")"
        VecExpr
          "["
          BinaryExpr
            LiteralExpr "1"
            "+"
            LiteralExpr "2"
          "]"
    "#]],
    );
}

#[test]
fn lines() {
    check_tree(
        "a +\n  b\nc = \n  d",
        &expect![[r#"
        BinaryExpr
          PathExpr "a"
          "+"
          PathExpr "b"
        AssignStmt
          PathExpr "c"
          "="
          PathExpr "d"
    "#]],
    );
    check_tree(
        "xs\n  # comment\n  .map(f)\n  ?.g\n  |> h",
        &expect![[r#"
        BinaryExpr
          FieldExpr
            MethodCallExpr
              PathExpr "xs"
              "."
              "map"
              ArgList
                "("
                PathExpr "f"
                ")"
            "?."
            "g"
          "|>"
          PathExpr "h"
    "#]],
    );
    check_tree(
        "a\n-b\n(c)\n[d]",
        &expect![[r#"
        PathExpr "a"
        UnaryExpr
          "-"
          PathExpr "b"
        ParenExpr
          "("
          PathExpr "c"
          ")"
        VecExpr
          "["
          PathExpr "d"
          "]"
    "#]],
    );
    check_tree(
        "(a\n  + b\n  - c)",
        &expect![[r#"
        ParenExpr
          "("
          BinaryExpr
            BinaryExpr
              PathExpr "a"
              "+"
              PathExpr "b"
            "-"
            PathExpr "c"
          ")"
    "#]],
    );
    check_tree(
        "f(do x ->\n  a\n  -b\nend)",
        &expect![[r#"
        CallExpr
          PathExpr "f"
          ArgList
            "("
            DoBlock
              "do"
              LambdaParams
                Param
                  NamePat "x"
              "->"
              Block
                PathExpr "a"
                UnaryExpr
                  "-"
                  PathExpr "b"
              "end"
            ")"
    "#]],
    );
    check_tree(
        "x = a; y = b",
        &expect![[r#"
        AssignStmt
          PathExpr "x"
          "="
          PathExpr "a"
        ";"
        AssignStmt
          PathExpr "y"
          "="
          PathExpr "b"
    "#]],
    );
    check_tree(
        "a and\n  b or\n  c",
        &expect![[r#"
        BinaryExpr
          BinaryExpr
            PathExpr "a"
            "and"
            PathExpr "b"
          "or"
          PathExpr "c"
    "#]],
    );
}

#[test]
fn strings() {
    check_tree(
        r##""a#{b}c""##,
        &expect![[r##"
        StringExpr
          "\""
          "a"
          Interp
            "#{"
            PathExpr "b"
            "}"
          "c"
          "\""
    "##]],
    );
    check_tree(
        r##""#{"#{x}"}""##,
        &expect![[r##"
        StringExpr
          "\""
          Interp
            "#{"
            StringExpr
              "\""
              Interp
                "#{"
                PathExpr "x"
                "}"
              "\""
            "}"
          "\""
    "##]],
    );
    check_tree(
        r##""""
  a #{b}
  """"##,
        &expect![[r##"
      StringExpr
        "\"\"\""
        "\n  a "
        Interp
          "#{"
          PathExpr "b"
          "}"
        "\n  "
        "\"\"\""
  "##]],
    );
    check_tree(
        r##"r"a\"
~r"b"
:sym
'c'"##,
        &expect![[r#"
    LiteralExpr "r\"a\\\""
    LiteralExpr "~r\"b\""
    LiteralExpr ":sym"
    LiteralExpr "'c'"
"#]],
    );
    check_tree(
        "f(<<~A, <<~B)\n  one #{x}\nA\n  two\nB\ny",
        &expect![[r##"
        CallExpr
          PathExpr "f"
          ArgList
            "("
            HeredocExpr "<<~A"
            ","
            HeredocExpr "<<~B"
            ")"
        HeredocBody
          "  one "
          Interp
            "#{"
            PathExpr "x"
            "}"
          "\n"
          "A"
        HeredocBody
          "  two\n"
          "B"
        PathExpr "y"
    "##]],
    );
    check_tree(
        "buf << <<~SQL\nselect\nSQL",
        &expect![[r#"
        BinaryExpr
          PathExpr "buf"
          "<<"
          HeredocExpr "<<~SQL"
    "#]],
    );
    check_tree(
        "x<<~B",
        &expect![[r#"
        BinaryExpr
          PathExpr "x"
          "<<"
          UnaryExpr
            "~"
            PathExpr "B"
    "#]],
    );
}

#[test]
fn control_flow_as_values() {
    check_tree(
        "x = if a then b else c end",
        &expect![[r#"
        AssignStmt
          PathExpr "x"
          "="
          IfExpr
            "if"
            PathExpr "a"
            "then"
            Block
              PathExpr "b"
            ElseClause
              "else"
              Block
                PathExpr "c"
            "end"
    "#]],
    );
    check_tree(
        "if a then b elsif c then d else e end",
        &expect![[r#"
        IfExpr
          "if"
          PathExpr "a"
          "then"
          Block
            PathExpr "b"
          ElsifClause
            "elsif"
            PathExpr "c"
            "then"
            Block
              PathExpr "d"
          ElseClause
            "else"
            Block
              PathExpr "e"
          "end"
    "#]],
    );
    check_tree(
        "if a; b; end",
        &expect![[r#"
        IfExpr
          "if"
          PathExpr "a"
          Block
            ";"
            PathExpr "b"
            ";"
          "end"
    "#]],
    );
    check_tree(
        "unless a\n  b\nelse\n  c\nend",
        &expect![[r#"
        UnlessExpr
          "unless"
          PathExpr "a"
          Block
            PathExpr "b"
          ElseClause
            "else"
            Block
              PathExpr "c"
          "end"
    "#]],
    );
    check_tree(
        "if a then b else if c then d else e end end",
        &expect![[r#"
        IfExpr
          "if"
          PathExpr "a"
          "then"
          Block
            PathExpr "b"
          ElseClause
            "else"
            Block
              IfExpr
                "if"
                PathExpr "c"
                "then"
                Block
                  PathExpr "d"
                ElseClause
                  "else"
                  Block
                    PathExpr "e"
                "end"
          "end"
    "#]],
    );
    check_tree(
        "x = match y\n  1 => 2\nend",
        &expect![[r#"
        AssignStmt
          PathExpr "x"
          "="
          MatchExpr
            "match"
            PathExpr "y"
            MatchArm
              LiteralPat
                LiteralExpr "1"
              "=>"
              Block
                LiteralExpr "2"
            "end"
    "#]],
    );
    check_tree(
        "x = loop\n  break 1\nend",
        &expect![[r#"
        AssignStmt
          PathExpr "x"
          "="
          LoopExpr
            "loop"
            Block
              BreakExpr
                "break"
                LiteralExpr "1"
            "end"
    "#]],
    );
    check_tree(
        "a ?? return 3\nb or next\nc ?? break",
        &expect![[r#"
        BinaryExpr
          PathExpr "a"
          "??"
          ReturnExpr
            "return"
            LiteralExpr "3"
        BinaryExpr
          PathExpr "b"
          "or"
          NextExpr "next"
        BinaryExpr
          PathExpr "c"
          "??"
          BreakExpr "break"
    "#]],
    );
    check_tree(
        "return if a\nreturn 1 unless b\nreturn",
        &expect![[r#"
        GuardStmt
          ReturnExpr "return"
          "if"
          PathExpr "a"
        GuardStmt
          ReturnExpr
            "return"
            LiteralExpr "1"
          "unless"
          PathExpr "b"
        ReturnExpr "return"
    "#]],
    );
    check_tree(
        "yield x\nyield(x)\nyield\nthrow e if f",
        &expect![[r#"
        YieldExpr
          "yield"
          PathExpr "x"
        YieldExpr
          "yield"
          ParenExpr
            "("
            PathExpr "x"
            ")"
        PathExpr "yield"
        GuardStmt
          ThrowExpr
            "throw"
            PathExpr "e"
          "if"
          PathExpr "f"
    "#]],
    );
    check_tree(
        "catch<E> do\n  1\nend\ncatch do 2 end",
        &expect![[r#"
        CatchExpr
          "catch"
          TypeArgs
            "<"
            PathType "E"
            ">"
          "do"
          Block
            LiteralExpr "1"
          "end"
        CatchExpr
          "catch"
          "do"
          Block
            LiteralExpr "2"
          "end"
    "#]],
    );
    check_tree(
        "with h(), g do\n  1\nend",
        &expect![[r#"
        WithExpr
          "with"
          CallExpr
            PathExpr "h"
            ArgList
              "("
              ")"
          ","
          PathExpr "g"
          "do"
          Block
            LiteralExpr "1"
          "end"
    "#]],
    );
    check_tree(
        "unsafe do 1 end",
        &expect![[r#"
        UnsafeExpr
          "unsafe"
          "do"
          Block
            LiteralExpr "1"
          "end"
    "#]],
    );
    check_tree(
        "go(stack: 1) f(x)\ngo do -> 1 end",
        &expect![[r#"
        GoExpr
          "go"
          ArgList
            "("
            NamedArg
              "stack"
              ":"
              LiteralExpr "1"
            ")"
          CallExpr
            PathExpr "f"
            ArgList
              "("
              PathExpr "x"
              ")"
        GoExpr
          "go"
          DoBlock
            "do"
            "->"
            Block
              LiteralExpr "1"
            "end"
    "#]],
    );
    check_tree(
        "x = select\n  v = recv(c) => v\n  ch.send(1) =>\n    2\n  default => 3\nend",
        &expect![[r#"
        AssignStmt
          PathExpr "x"
          "="
          SelectExpr
            "select"
            SelectArm
              NamePat "v"
              "="
              CallExpr
                PathExpr "recv"
                ArgList
                  "("
                  PathExpr "c"
                  ")"
              "=>"
              Block
                PathExpr "v"
            SelectArm
              MethodCallExpr
                PathExpr "ch"
                "."
                "send"
                ArgList
                  "("
                  LiteralExpr "1"
                  ")"
              "=>"
              Block
                LiteralExpr "2"
            SelectArm
              PathExpr "default"
              "=>"
              Block
                LiteralExpr "3"
            "end"
    "#]],
    );
}
