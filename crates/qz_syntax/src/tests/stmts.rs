//! Which tree has a statement? Bindings, assignments, loops, arms, labels, and each ruling about them.

use super::check_tree;
use expect_test::expect;

#[test]
fn bindings() {
    check_tree(
        "x = 1\nvar y = 2\nvar z: Int = 3\nw: String? = nil",
        &expect![[r#"
        AssignStmt
          PathExpr "x"
          "="
          LiteralExpr "1"
        VarStmt
          "var"
          NamePat "y"
          "="
          LiteralExpr "2"
        VarStmt
          "var"
          NamePat "z"
          ":"
          PathType "Int"
          "="
          LiteralExpr "3"
        TypedBindStmt
          "w"
          ":"
          OptionType
            PathType "String"
            "?"
          "="
          LiteralExpr "nil"
    "#]],
    );
    check_tree(
        "(a, b) = (b, a)\n[first, *rest] = xs\nPoint { x, y: (p, q) } = p\nvar (c, _) = d",
        &expect![[r#"
        DestructureStmt
          TuplePat
            "("
            NamePat "a"
            ","
            NamePat "b"
            ")"
          "="
          TupleExpr
            "("
            PathExpr "b"
            ","
            PathExpr "a"
            ")"
        DestructureStmt
          VecPat
            "["
            NamePat "first"
            ","
            RestPat
              "*"
              NamePat "rest"
            "]"
          "="
          PathExpr "xs"
        DestructureStmt
          StructPat
            PathPat "Point"
            "{"
            FieldPat "x"
            ","
            FieldPat
              "y"
              ":"
              TuplePat
                "("
                NamePat "p"
                ","
                NamePat "q"
                ")"
            "}"
          "="
          PathExpr "p"
        VarStmt
          "var"
          TuplePat
            "("
            NamePat "c"
            ","
            WildcardPat "_"
            ")"
          "="
          PathExpr "d"
    "#]],
    );
    check_tree(
        "a::B { x } = y",
        &expect![[r#"
        DestructureStmt
          StructPat
            PathPat
              "a"
              "::"
              "B"
            "{"
            FieldPat "x"
            "}"
          "="
          PathExpr "y"
    "#]],
    );
    check_tree(
        "x += 1\nx.y -= 2\nx[i] ??= 3\ns <<= 1",
        &expect![[r#"
        CompoundAssignStmt
          PathExpr "x"
          "+="
          LiteralExpr "1"
        CompoundAssignStmt
          FieldExpr
            PathExpr "x"
            "."
            "y"
          "-="
          LiteralExpr "2"
        CompoundAssignStmt
          IndexExpr
            PathExpr "x"
            "["
            PathExpr "i"
            "]"
          "??="
          LiteralExpr "3"
        CompoundAssignStmt
          PathExpr "s"
          "<<="
          LiteralExpr "1"
    "#]],
    );
    check_tree(
        "x.y = 1\nx[0] = 2\nx.f(1).g = 3",
        &expect![[r#"
        AssignStmt
          FieldExpr
            PathExpr "x"
            "."
            "y"
          "="
          LiteralExpr "1"
        AssignStmt
          IndexExpr
            PathExpr "x"
            "["
            LiteralExpr "0"
            "]"
          "="
          LiteralExpr "2"
        AssignStmt
          FieldExpr
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
          "="
          LiteralExpr "3"
    "#]],
    );
    check_tree(
        "from = 1\nstep = 2\nit = 3\ntype = 4\nselect = 5\nx = from + step + type",
        &expect![[r#"
        AssignStmt
          PathExpr "from"
          "="
          LiteralExpr "1"
        AssignStmt
          PathExpr "step"
          "="
          LiteralExpr "2"
        AssignStmt
          PathExpr "it"
          "="
          LiteralExpr "3"
        AssignStmt
          PathExpr "type"
          "="
          LiteralExpr "4"
        AssignStmt
          PathExpr "select"
          "="
          LiteralExpr "5"
        AssignStmt
          PathExpr "x"
          "="
          BinaryExpr
            BinaryExpr
              PathExpr "from"
              "+"
              PathExpr "step"
            "+"
            PathExpr "type"
    "#]],
    );
}

#[test]
fn guards_and_defer() {
    check_tree(
        "return 0 if n < 0",
        &expect![[r#"
        GuardStmt
          ReturnExpr
            "return"
            LiteralExpr "0"
          "if"
          BinaryExpr
            PathExpr "n"
            "<"
            LiteralExpr "0"
    "#]],
    );
    check_tree(
        "x = 1 if y",
        &expect![[r#"
        GuardStmt
          AssignStmt
            PathExpr "x"
            "="
            LiteralExpr "1"
          "if"
          PathExpr "y"
    "#]],
    );
    check_tree(
        "next unless ok",
        &expect![[r#"
        GuardStmt
          NextExpr "next"
          "unless"
          PathExpr "ok"
    "#]],
    );
    check_tree(
        "print(x) if debug",
        &expect![[r#"
        GuardStmt
          CallExpr
            PathExpr "print"
            ArgList
              "("
              PathExpr "x"
              ")"
          "if"
          PathExpr "debug"
    "#]],
    );
    check_tree(
        "defer close(f)\ndefer x = 1 if y",
        &expect![[r#"
        DeferStmt
          "defer"
          CallExpr
            PathExpr "close"
            ArgList
              "("
              PathExpr "f"
              ")"
        GuardStmt
          DeferStmt
            "defer"
            AssignStmt
              PathExpr "x"
              "="
              LiteralExpr "1"
          "if"
          PathExpr "y"
    "#]],
    );
    check_tree(
        "f do 1 end if x",
        &expect![[r#"
        GuardStmt
          CallExpr
            PathExpr "f"
            DoBlock
              "do"
              Block
                LiteralExpr "1"
              "end"
          "if"
          PathExpr "x"
    "#]],
    );
}

#[test]
fn loops_and_labels() {
    check_tree(
        "for x in xs\n  1\nend",
        &expect![[r#"
        ForExpr
          "for"
          NamePat "x"
          "in"
          PathExpr "xs"
          Block
            LiteralExpr "1"
          "end"
    "#]],
    );
    check_tree(
        "for i, (a, b) in xs\n  1\nend",
        &expect![[r#"
        ForExpr
          "for"
          NamePat "i"
          ","
          TuplePat
            "("
            NamePat "a"
            ","
            NamePat "b"
            ")"
          "in"
          PathExpr "xs"
          Block
            LiteralExpr "1"
          "end"
    "#]],
    );
    check_tree(
        "while a\n  b\nend\nuntil a\n  b\nend",
        &expect![[r#"
        WhileExpr
          "while"
          PathExpr "a"
          Block
            PathExpr "b"
          "end"
        UntilExpr
          "until"
          PathExpr "a"
          Block
            PathExpr "b"
          "end"
    "#]],
    );
    check_tree(
        "outer: for x in xs\n  break outer\n  next outer if y\n  break other\nend",
        &expect![[r#"
        ForExpr
          Label
            "outer"
            ":"
          "for"
          NamePat "x"
          "in"
          PathExpr "xs"
          Block
            BreakExpr
              "break"
              LabelRef "outer"
            GuardStmt
              NextExpr
                "next"
                LabelRef "outer"
              "if"
              PathExpr "y"
            BreakExpr
              "break"
              PathExpr "other"
          "end"
    "#]],
    );
    check_tree(
        "outer: loop\n  break outer 5\nend",
        &expect![[r#"
        LoopExpr
          Label
            "outer"
            ":"
          "loop"
          Block
            BreakExpr
              "break"
              LabelRef "outer"
              LiteralExpr "5"
          "end"
    "#]],
    );
    check_tree(
        "x = l: while a\n  break\nend",
        &expect![[r#"
        AssignStmt
          PathExpr "x"
          "="
          WhileExpr
            Label
              "l"
              ":"
            "while"
            PathExpr "a"
            Block
              BreakExpr "break"
            "end"
    "#]],
    );
    check_tree(
        "for x in xs.map do y -> y end\n  1\nend",
        &expect![[r#"
        ForExpr
          "for"
          NamePat "x"
          "in"
          MethodCallExpr
            PathExpr "xs"
            "."
            "map"
            DoBlock
              "do"
              LambdaParams
                Param
                  NamePat "y"
              "->"
              Block
                PathExpr "y"
              "end"
          Block
            LiteralExpr "1"
          "end"
    "#]],
    );
    check_tree(
        "for x in f(do 1 end)\n  2\nend",
        &expect![[r#"
        ForExpr
          "for"
          NamePat "x"
          "in"
          CallExpr
            PathExpr "f"
            ArgList
              "("
              DoBlock
                "do"
                Block
                  LiteralExpr "1"
                "end"
              ")"
          Block
            LiteralExpr "2"
          "end"
    "#]],
    );
}

#[test]
fn arms() {
    check_tree(
        "match x\n  1 => a\n  2 =>\n    b\n    c\n  3 => d if e\nend",
        &expect![[r#"
        MatchExpr
          "match"
          PathExpr "x"
          MatchArm
            LiteralPat
              LiteralExpr "1"
            "=>"
            Block
              PathExpr "a"
          MatchArm
            LiteralPat
              LiteralExpr "2"
            "=>"
            Block
              PathExpr "b"
              PathExpr "c"
          MatchArm
            LiteralPat
              LiteralExpr "3"
            "=>"
            Block
              GuardStmt
                PathExpr "d"
                "if"
                PathExpr "e"
          "end"
    "#]],
    );
    check_tree(
        "match x\n  Some(n) if n > 1 =>\n    match n\n      2 => 3\n      _ =>\n        4\n    end\n    5\n  A |\n  B => 6\nend",
        &expect![[r#"
        MatchExpr
          "match"
          PathExpr "x"
          MatchArm
            VariantPat
              PathPat "Some"
              "("
              NamePat "n"
              ")"
            MatchGuard
              "if"
              BinaryExpr
                PathExpr "n"
                ">"
                LiteralExpr "1"
            "=>"
            Block
              MatchExpr
                "match"
                PathExpr "n"
                MatchArm
                  LiteralPat
                    LiteralExpr "2"
                  "=>"
                  Block
                    LiteralExpr "3"
                MatchArm
                  WildcardPat "_"
                  "=>"
                  Block
                    LiteralExpr "4"
                "end"
              LiteralExpr "5"
          MatchArm
            OrPat
              PathPat "A"
              "|"
              PathPat "B"
            "=>"
            Block
              LiteralExpr "6"
          "end"
    "#]],
    );
    check_tree(
        "match x; 1 => 2; _ => 3; end",
        &expect![[r#"
        MatchExpr
          "match"
          PathExpr "x"
          ";"
          MatchArm
            LiteralPat
              LiteralExpr "1"
            "=>"
            Block
              LiteralExpr "2"
          ";"
          MatchArm
            WildcardPat "_"
            "=>"
            Block
              LiteralExpr "3"
          ";"
          "end"
    "#]],
    );
    check_tree(
        r##"match x
  1 => y = 2
  2 =>
    f({ "a" => 1 })
    m = { 1 => 2 }
    g(
      3
    )
  (a,
   b) => 4
end"##,
        &expect![[r#"
    MatchExpr
      "match"
      PathExpr "x"
      MatchArm
        LiteralPat
          LiteralExpr "1"
        "=>"
        Block
          AssignStmt
            PathExpr "y"
            "="
            LiteralExpr "2"
      MatchArm
        LiteralPat
          LiteralExpr "2"
        "=>"
        Block
          CallExpr
            PathExpr "f"
            ArgList
              "("
              MapExpr
                "{"
                MapEntry
                  StringExpr
                    "\""
                    "a"
                    "\""
                  "=>"
                  LiteralExpr "1"
                "}"
              ")"
          AssignStmt
            PathExpr "m"
            "="
            MapExpr
              "{"
              MapEntry
                LiteralExpr "1"
                "=>"
                LiteralExpr "2"
              "}"
          CallExpr
            PathExpr "g"
            ArgList
              "("
              LiteralExpr "3"
              ")"
      MatchArm
        TuplePat
          "("
          NamePat "a"
          ","
          NamePat "b"
          ")"
        "=>"
        Block
          LiteralExpr "4"
      "end"
"#]],
    );
    check_tree(
        "match x\n  1 =>\n  2 => ()\nend",
        &expect![[r#"
        MatchExpr
          "match"
          PathExpr "x"
          MatchArm
            LiteralPat
              LiteralExpr "1"
            "=>"
            Block
          MatchArm
            LiteralPat
              LiteralExpr "2"
            "=>"
            Block
              TupleExpr
                "("
                ")"
          "end"
    "#]],
    );
    check_tree(
        "match x\n  n: Int | String => n\n  _: Bool => 1\nend",
        &expect![[r#"
        MatchExpr
          "match"
          PathExpr "x"
          MatchArm
            TypePat
              NamePat "n"
              ":"
              UnionType
                PathType "Int"
                "|"
                PathType "String"
            "=>"
            Block
              PathExpr "n"
          MatchArm
            TypePat
              WildcardPat "_"
              ":"
              PathType "Bool"
            "=>"
            Block
              LiteralExpr "1"
          "end"
    "#]],
    );
}
