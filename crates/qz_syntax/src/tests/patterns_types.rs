//! Which tree has a pattern, and which a type?

use super::check_tree;
use expect_test::expect;

#[test]
fn patterns() {
    check_tree(
        r##"match x
  1 => 0
  -1 => 0
  1.5 => 0
  'a' => 0
  "s" => 0
  r"s" => 0
  :s => 0
  true => 0
  nil => 0
  _ => 0
  y => 0
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
          LiteralExpr "0"
      MatchArm
        LiteralPat
          "-"
          LiteralExpr "1"
        "=>"
        Block
          LiteralExpr "0"
      MatchArm
        LiteralPat
          LiteralExpr "1.5"
        "=>"
        Block
          LiteralExpr "0"
      MatchArm
        LiteralPat
          LiteralExpr "'a'"
        "=>"
        Block
          LiteralExpr "0"
      MatchArm
        LiteralPat
          StringExpr
            "\""
            "s"
            "\""
        "=>"
        Block
          LiteralExpr "0"
      MatchArm
        LiteralPat
          LiteralExpr "r\"s\""
        "=>"
        Block
          LiteralExpr "0"
      MatchArm
        LiteralPat
          LiteralExpr ":s"
        "=>"
        Block
          LiteralExpr "0"
      MatchArm
        LiteralPat
          LiteralExpr "true"
        "=>"
        Block
          LiteralExpr "0"
      MatchArm
        LiteralPat
          LiteralExpr "nil"
        "=>"
        Block
          LiteralExpr "0"
      MatchArm
        WildcardPat "_"
        "=>"
        Block
          LiteralExpr "0"
      MatchArm
        NamePat "y"
        "=>"
        Block
          LiteralExpr "0"
      "end"
"#]],
    );
    check_tree(
        "match x\n  1..2 => 0\n  1..=2 => 0\n  'a'.. => 0\n  ..5 => 0\n  -5..-1 => 0\n  LOW..HIGH => 0\nend",
        &expect![[r#"
        MatchExpr
          "match"
          PathExpr "x"
          MatchArm
            RangePat
              LiteralPat
                LiteralExpr "1"
              ".."
              LiteralPat
                LiteralExpr "2"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            RangePat
              LiteralPat
                LiteralExpr "1"
              "..="
              LiteralPat
                LiteralExpr "2"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            RangePat
              LiteralPat
                LiteralExpr "'a'"
              ".."
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            RangePat
              ".."
              LiteralPat
                LiteralExpr "5"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            RangePat
              LiteralPat
                "-"
                LiteralExpr "5"
              ".."
              LiteralPat
                "-"
                LiteralExpr "1"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            RangePat
              PathPat "LOW"
              ".."
              PathPat "HIGH"
            "=>"
            Block
              LiteralExpr "0"
          "end"
    "#]],
    );
    check_tree(
        "match x\n  None => 0\n  Some(x) => 0\n  Shape::Circle(r: x, s: 1) => 0\n  a::b::C => 0\n  Point { x, y: 1, end: z, .. } => 0\n  Point {} => 0\n  Vec<Int>::Empty => 0\nend",
        &expect![[r#"
        MatchExpr
          "match"
          PathExpr "x"
          MatchArm
            PathPat "None"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            VariantPat
              PathPat "Some"
              "("
              NamePat "x"
              ")"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            VariantPat
              PathPat
                "Shape"
                "::"
                "Circle"
              "("
              NamedPat
                "r"
                ":"
                NamePat "x"
              ","
              NamedPat
                "s"
                ":"
                LiteralPat
                  LiteralExpr "1"
              ")"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            PathPat
              "a"
              "::"
              "b"
              "::"
              "C"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            StructPat
              PathPat "Point"
              "{"
              FieldPat "x"
              ","
              FieldPat
                "y"
                ":"
                LiteralPat
                  LiteralExpr "1"
              ","
              FieldPat
                "end"
                ":"
                NamePat "z"
              ","
              ".."
              "}"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            StructPat
              PathPat "Point"
              "{"
              "}"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            PathPat
              "Vec"
              TypeArgs
                "<"
                PathType "Int"
                ">"
              "::"
              "Empty"
            "=>"
            Block
              LiteralExpr "0"
          "end"
    "#]],
    );
    check_tree(
        "match x\n  () => 0\n  (a) => 0\n  (a, b,) => 0\n  [a, *rest] => 0\n  [*, b] => 0\n  [] => 0\n  { a, b: 1, .. } => 0\nend",
        &expect![[r#"
        MatchExpr
          "match"
          PathExpr "x"
          MatchArm
            TuplePat
              "("
              ")"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            ParenPat
              "("
              NamePat "a"
              ")"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            TuplePat
              "("
              NamePat "a"
              ","
              NamePat "b"
              ","
              ")"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            VecPat
              "["
              NamePat "a"
              ","
              RestPat
                "*"
                NamePat "rest"
              "]"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            VecPat
              "["
              RestPat "*"
              ","
              NamePat "b"
              "]"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            VecPat
              "["
              "]"
            "=>"
            Block
              LiteralExpr "0"
          MatchArm
            RecordPat
              "{"
              FieldPat "a"
              ","
              FieldPat
                "b"
                ":"
                LiteralPat
                  LiteralExpr "1"
              ","
              ".."
              "}"
            "=>"
            Block
              LiteralExpr "0"
          "end"
    "#]],
    );
    check_tree(
        r##"match x
  A | B | Some(1 | 2) => 0
  A | B as c => 0
  (n: Int, _: String) => 0
  Some(n: Int) => 0
  ~r"(?<y>\d+)" => 0
end"##,
        &expect![[r#"
    MatchExpr
      "match"
      PathExpr "x"
      MatchArm
        OrPat
          PathPat "A"
          "|"
          PathPat "B"
          "|"
          VariantPat
            PathPat "Some"
            "("
            OrPat
              LiteralPat
                LiteralExpr "1"
              "|"
              LiteralPat
                LiteralExpr "2"
            ")"
        "=>"
        Block
          LiteralExpr "0"
      MatchArm
        AsPat
          OrPat
            PathPat "A"
            "|"
            PathPat "B"
          "as"
          "c"
        "=>"
        Block
          LiteralExpr "0"
      MatchArm
        TuplePat
          "("
          TypePat
            NamePat "n"
            ":"
            PathType "Int"
          ","
          TypePat
            WildcardPat "_"
            ":"
            PathType "String"
          ")"
        "=>"
        Block
          LiteralExpr "0"
      MatchArm
        VariantPat
          PathPat "Some"
          "("
          TypePat
            NamePat "n"
            ":"
            PathType "Int"
          ")"
        "=>"
        Block
          LiteralExpr "0"
      MatchArm
        RegexPat "~r\"(?<y>\\d+)\""
        "=>"
        Block
          LiteralExpr "0"
      "end"
"#]],
    );
    check_tree(
        "if x is Some(v) and v > 2\n  1\nend\ny = x is Shape::Rect(_, _)\nz = x is Int",
        &expect![[r#"
        IfExpr
          "if"
          BinaryExpr
            IsExpr
              PathExpr "x"
              "is"
              VariantPat
                PathPat "Some"
                "("
                NamePat "v"
                ")"
            "and"
            BinaryExpr
              PathExpr "v"
              ">"
              LiteralExpr "2"
          Block
            LiteralExpr "1"
          "end"
        AssignStmt
          PathExpr "y"
          "="
          IsExpr
            PathExpr "x"
            "is"
            VariantPat
              PathPat
                "Shape"
                "::"
                "Rect"
              "("
              WildcardPat "_"
              ","
              WildcardPat "_"
              ")"
        AssignStmt
          PathExpr "z"
          "="
          IsExpr
            PathExpr "x"
            "is"
            PathPat "Int"
    "#]],
    );
}

#[test]
fn patterns_behind_is() {
    check_tree(
        "x is (A | B) and y",
        &expect![[r#"
        BinaryExpr
          IsExpr
            PathExpr "x"
            "is"
            ParenPat
              "("
              OrPat
                PathPat "A"
                "|"
                PathPat "B"
              ")"
          "and"
          PathExpr "y"
    "#]],
    );
    check_tree(
        "x is 1..5 or y is -1",
        &expect![[r#"
        BinaryExpr
          IsExpr
            PathExpr "x"
            "is"
            RangePat
              LiteralPat
                LiteralExpr "1"
              ".."
              LiteralPat
                LiteralExpr "5"
          "or"
          IsExpr
            PathExpr "y"
            "is"
            LiteralPat
              "-"
              LiteralExpr "1"
    "#]],
    );
}

#[test]
fn types() {
    check_tree(
        "x: Int = 0\ny: a::b::C = 0\nz: Map<String, Vec<Vec<Int>>> = 0\nw: T?? = 0",
        &expect![[r#"
        TypedBindStmt
          "x"
          ":"
          PathType "Int"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "y"
          ":"
          PathType
            "a"
            "::"
            "b"
            "::"
            "C"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "z"
          ":"
          PathType
            "Map"
            TypeArgs
              "<"
              PathType "String"
              ","
              PathType
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
              ">"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "w"
          ":"
          OptionType
            OptionType
              PathType "T"
              "?"
            "?"
          "="
          LiteralExpr "0"
    "#]],
    );
    check_tree(
        "x: () = 0\ny: (A) = 0\nz: (A, B?) = 0\nw: (A,) = 0",
        &expect![[r#"
        TypedBindStmt
          "x"
          ":"
          TupleType
            "("
            ")"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "y"
          ":"
          ParenType
            "("
            PathType "A"
            ")"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "z"
          ":"
          TupleType
            "("
            PathType "A"
            ","
            OptionType
              PathType "B"
              "?"
            ")"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "w"
          ":"
          TupleType
            "("
            PathType "A"
            ","
            ")"
          "="
          LiteralExpr "0"
    "#]],
    );
    check_tree(
        "f: Fn(A, B): C | D can E + F<G> = 0\ng: Fn() = 0\nh: Fn(Fn(A): B): C = 0",
        &expect![[r#"
        TypedBindStmt
          "f"
          ":"
          FnType
            "Fn"
            FnTypeParams
              "("
              PathType "A"
              ","
              PathType "B"
              ")"
            ":"
            UnionType
              PathType "C"
              "|"
              PathType "D"
            CanClause
              "can"
              PathType "E"
              "+"
              PathType
                "F"
                TypeArgs
                  "<"
                  PathType "G"
                  ">"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "g"
          ":"
          FnType
            "Fn"
            FnTypeParams
              "("
              ")"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "h"
          ":"
          FnType
            "Fn"
            FnTypeParams
              "("
              FnType
                "Fn"
                FnTypeParams
                  "("
                  PathType "A"
                  ")"
                ":"
                PathType "B"
              ")"
            ":"
            PathType "C"
          "="
          LiteralExpr "0"
    "#]],
    );
    check_tree(
        "x: A | B & C | D = 0\ny: dyn A & Send = 0\nz: impl A = 0\nw: &mut T = 0\nv: &T? = 0",
        &expect![[r#"
        TypedBindStmt
          "x"
          ":"
          UnionType
            PathType "A"
            "|"
            IntersectionType
              PathType "B"
              "&"
              PathType "C"
            "|"
            PathType "D"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "y"
          ":"
          DynType
            "dyn"
            IntersectionType
              PathType "A"
              "&"
              PathType "Send"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "z"
          ":"
          ImplType
            "impl"
            PathType "A"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "w"
          ":"
          RefType
            "&"
            "mut"
            PathType "T"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "v"
          ":"
          RefType
            "&"
            OptionType
              PathType "T"
              "?"
          "="
          LiteralExpr "0"
    "#]],
    );
    check_tree(
        "x: { a: Int, end: B, ...r } = 0\ny: {} = 0\nz: { ... } = 0",
        &expect![[r#"
        TypedBindStmt
          "x"
          ":"
          RecordType
            "{"
            RecordTypeField
              "a"
              ":"
              PathType "Int"
            ","
            RecordTypeField
              "end"
              ":"
              PathType "B"
            ","
            RowVar
              "..."
              "r"
            "}"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "y"
          ":"
          RecordType
            "{"
            "}"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "z"
          ":"
          RecordType
            "{"
            RowVar "..."
            "}"
          "="
          LiteralExpr "0"
    "#]],
    );
    check_tree(
        "x: ! = 0\ny: _ = 0\nz: Iterator<Item = Int, B> = 0\nw: Vec<Int>= 0\nv: Vec<Vec<Int>>= 0\nu: Option<!> = 0",
        &expect![[r#"
        TypedBindStmt
          "x"
          ":"
          NeverType "!"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "y"
          ":"
          InferType "_"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "z"
          ":"
          PathType
            "Iterator"
            TypeArgs
              "<"
              NamedTypeArg
                "Item"
                "="
                PathType "Int"
              ","
              PathType "B"
              ">"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "w"
          ":"
          PathType
            "Vec"
            TypeArgs
              "<"
              PathType "Int"
              ">"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "v"
          ":"
          PathType
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
          "="
          LiteralExpr "0"
        TypedBindStmt
          "u"
          ":"
          PathType
            "Option"
            TypeArgs
              "<"
              NeverType "!"
              ">"
          "="
          LiteralExpr "0"
    "#]],
    );
    check_tree(
        "x: Self::Key = 0\ny: dyn = 0",
        &expect![[r#"
        TypedBindStmt
          "x"
          ":"
          PathType
            "Self"
            "::"
            "Key"
          "="
          LiteralExpr "0"
        TypedBindStmt
          "y"
          ":"
          PathType "dyn"
          "="
          LiteralExpr "0"
    "#]],
    );
}
