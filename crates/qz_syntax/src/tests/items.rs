//! Which tree has a declaration? Every form of every item, and each ruling about them.

use super::check_file;
use expect_test::expect;

#[test]
fn imports() {
    check_file(
        r##"import a/b
import a/b as c
import f, T from a/b
import f as g, T from a/b
import * from a
pub import std/io
import f from std/select
@cfg(os: "linux")
import x
"##,
        &expect![[r#"
    SourceFile
      ImportDef
        "import"
        ImportPath
          "a"
          "/"
          "b"
      ImportDef
        "import"
        ImportPath
          "a"
          "/"
          "b"
        "as"
        "c"
      ImportDef
        "import"
        ImportName "f"
        ","
        ImportName "T"
        "from"
        ImportPath
          "a"
          "/"
          "b"
      ImportDef
        "import"
        ImportName
          "f"
          "as"
          "g"
        ","
        ImportName "T"
        "from"
        ImportPath
          "a"
          "/"
          "b"
      ImportDef
        "import"
        "*"
        "from"
        ImportPath "a"
      ImportDef
        "pub"
        "import"
        ImportPath
          "std"
          "/"
          "io"
      ImportDef
        "import"
        ImportName "f"
        "from"
        ImportPath
          "std"
          "/"
          "select"
      ImportDef
        Attr
          "@"
          "cfg"
          ArgList
            "("
            NamedArg
              "os"
              ":"
              StringExpr
                "\""
                "linux"
                "\""
            ")"
        "import"
        ImportPath "x"
"#]],
    );
}

#[test]
fn functions() {
    check_file(
        "def f\n  1\nend\n",
        &expect![[r#"
        SourceFile
          FnDef
            "def"
            "f"
            Block
              LiteralExpr "1"
            "end"
    "#]],
    );
    check_file(
        "def f = 1\ndef g(x) = x\ndef h(x: Int, y = 2, z: Int = 3): Int = x\n",
        &expect![[r#"
        SourceFile
          FnDef
            "def"
            "f"
            "="
            LiteralExpr "1"
          FnDef
            "def"
            "g"
            ParamList
              "("
              Param
                NamePat "x"
              ")"
            "="
            PathExpr "x"
          FnDef
            "def"
            "h"
            ParamList
              "("
              Param
                NamePat "x"
                ":"
                PathType "Int"
              ","
              Param
                NamePat "y"
                "="
                LiteralExpr "2"
              ","
              Param
                NamePat "z"
                ":"
                PathType "Int"
                "="
                LiteralExpr "3"
              ")"
            ":"
            PathType "Int"
            "="
            PathExpr "x"
    "#]],
    );
    check_file(
        "def f<T: Eq + Ord, U>(x: T): U? can Log + Throws<E> where T: A, U: B + C\n  x\nend\n",
        &expect![[r#"
        SourceFile
          FnDef
            "def"
            "f"
            GenericParams
              "<"
              GenericParam
                "T"
                ":"
                BoundList
                  PathType "Eq"
                  "+"
                  PathType "Ord"
              ","
              GenericParam "U"
              ">"
            ParamList
              "("
              Param
                NamePat "x"
                ":"
                PathType "T"
              ")"
            ":"
            OptionType
              PathType "U"
              "?"
            CanClause
              "can"
              PathType "Log"
              "+"
              PathType
                "Throws"
                TypeArgs
                  "<"
                  PathType "E"
                  ">"
            WhereClause
              "where"
              WherePred
                PathType "T"
                ":"
                BoundList
                  PathType "A"
              ","
              WherePred
                PathType "U"
                ":"
                BoundList
                  PathType "B"
                  "+"
                  PathType "C"
            Block
              PathExpr "x"
            "end"
    "#]],
    );
    check_file(
        "def f(self, &mut x: Int, *rest: Int, (a, b)) = 1\ndef g(&self) = 1\ndef h(&mut self)\nend\n",
        &expect![[r#"
        SourceFile
          FnDef
            "def"
            "f"
            ParamList
              "("
              SelfParam "self"
              ","
              Param
                "&"
                "mut"
                NamePat "x"
                ":"
                PathType "Int"
              ","
              Param
                "*"
                NamePat "rest"
                ":"
                PathType "Int"
              ","
              Param
                TuplePat
                  "("
                  NamePat "a"
                  ","
                  NamePat "b"
                  ")"
              ")"
            "="
            LiteralExpr "1"
          FnDef
            "def"
            "g"
            ParamList
              "("
              SelfParam
                "&"
                "self"
              ")"
            "="
            LiteralExpr "1"
          FnDef
            "def"
            "h"
            ParamList
              "("
              SelfParam
                "&"
                "mut"
                "self"
              ")"
            Block
            "end"
    "#]],
    );
    check_file(
        r##"def fact(0) = 1
def fact(-1) = 2
def f(Some(x)) = x
def g(nil, "a", true) = 1
"##,
        &expect![[r#"
    SourceFile
      FnDef
        "def"
        "fact"
        ParamList
          "("
          Param
            LiteralPat
              LiteralExpr "0"
          ")"
        "="
        LiteralExpr "1"
      FnDef
        "def"
        "fact"
        ParamList
          "("
          Param
            LiteralPat
              "-"
              LiteralExpr "1"
          ")"
        "="
        LiteralExpr "2"
      FnDef
        "def"
        "f"
        ParamList
          "("
          Param
            VariantPat
              PathPat "Some"
              "("
              NamePat "x"
              ")"
          ")"
        "="
        PathExpr "x"
      FnDef
        "def"
        "g"
        ParamList
          "("
          Param
            LiteralPat
              LiteralExpr "nil"
          ","
          Param
            LiteralPat
              StringExpr
                "\""
                "a"
                "\""
          ","
          Param
            LiteralPat
              LiteralExpr "true"
          ")"
        "="
        LiteralExpr "1"
"#]],
    );
    check_file(
        "def f(): ! = panic(1)\ndef g(): () = ()\ndef h(\n  a: Int,\n  b: Int,\n): Int =\n  a\n",
        &expect![[r#"
        SourceFile
          FnDef
            "def"
            "f"
            ParamList
              "("
              ")"
            ":"
            NeverType "!"
            "="
            CallExpr
              PathExpr "panic"
              ArgList
                "("
                LiteralExpr "1"
                ")"
          FnDef
            "def"
            "g"
            ParamList
              "("
              ")"
            ":"
            TupleType
              "("
              ")"
            "="
            TupleExpr
              "("
              ")"
          FnDef
            "def"
            "h"
            ParamList
              "("
              Param
                NamePat "a"
                ":"
                PathType "Int"
              ","
              Param
                NamePat "b"
                ":"
                PathType "Int"
              ","
              ")"
            ":"
            PathType "Int"
            "="
            PathExpr "a"
    "#]],
    );
    check_file(
        "def f; 1; end\n",
        &expect![[r#"
        SourceFile
          FnDef
            "def"
            "f"
            Block
              ";"
              LiteralExpr "1"
              ";"
            "end"
    "#]],
    );
    check_file(
        "def end = 1\ndef if(x) = 2\ndef nil? = 3\n",
        &expect![[r#"
        SourceFile
          FnDef
            "def"
            "end"
            "="
            LiteralExpr "1"
          FnDef
            "def"
            "if"
            ParamList
              "("
              Param
                NamePat "x"
              ")"
            "="
            LiteralExpr "2"
          FnDef
            "def"
            "nil?"
            "="
            LiteralExpr "3"
    "#]],
    );
    check_file(
        "private def f = 1\nunsafe def g = 2\n@a @b(1)\n## docs\nprivate unsafe def h = 3\n",
        &expect![[r###"
        SourceFile
          FnDef
            "private"
            "def"
            "f"
            "="
            LiteralExpr "1"
          FnDef
            "unsafe"
            "def"
            "g"
            "="
            LiteralExpr "2"
          FnDef
            Attr
              "@"
              "a"
            Attr
              "@"
              "b"
              ArgList
                "("
                LiteralExpr "1"
                ")"
            "## docs"
            "private"
            "unsafe"
            "def"
            "h"
            "="
            LiteralExpr "3"
    "###]],
    );
    check_file(
        r##"extern "C" def f(x: CInt): CInt
extern "C" variadic def g(x: CInt)
extern "C" def h(x: CInt, ...): CInt
  x
end
const A = 1
"##,
        &expect![[r#"
    SourceFile
      FnDef
        ExternAbi
          "extern"
          StringExpr
            "\""
            "C"
            "\""
        "def"
        "f"
        ParamList
          "("
          Param
            NamePat "x"
            ":"
            PathType "CInt"
          ")"
        ":"
        PathType "CInt"
      FnDef
        ExternAbi
          "extern"
          StringExpr
            "\""
            "C"
            "\""
          "variadic"
        "def"
        "g"
        ParamList
          "("
          Param
            NamePat "x"
            ":"
            PathType "CInt"
          ")"
      FnDef
        ExternAbi
          "extern"
          StringExpr
            "\""
            "C"
            "\""
        "def"
        "h"
        ParamList
          "("
          Param
            NamePat "x"
            ":"
            PathType "CInt"
          ","
          "..."
          ")"
        ":"
        PathType "CInt"
        Block
          PathExpr "x"
        "end"
      ConstDef
        "const"
        "A"
        "="
        LiteralExpr "1"
"#]],
    );
}

#[test]
fn types_and_values() {
    check_file(
        "type Id = Int\ntype A<T> = Vec<T>\nnewtype M = F64\nconst N: Int = 4 * K\nvar x: Atomic = f()\nprivate const M = 1\n",
        &expect![[r#"
        SourceFile
          TypeAlias
            "type"
            "Id"
            "="
            PathType "Int"
          TypeAlias
            "type"
            "A"
            GenericParams
              "<"
              GenericParam "T"
              ">"
            "="
            PathType
              "Vec"
              TypeArgs
                "<"
                PathType "T"
                ">"
          NewtypeDef
            "newtype"
            "M"
            "="
            PathType "F64"
          ConstDef
            "const"
            "N"
            ":"
            PathType "Int"
            "="
            BinaryExpr
              LiteralExpr "4"
              "*"
              PathExpr "K"
          VarDef
            "var"
            "x"
            ":"
            PathType "Atomic"
            "="
            CallExpr
              PathExpr "f"
              ArgList
                "("
                ")"
          ConstDef
            "private"
            "const"
            "M"
            "="
            LiteralExpr "1"
    "#]],
    );
    check_file(
        "struct P<T> where T: A\n  ## docs\n  @a\n  private x: Int = 1\n  end: T\n  type: Int; def: Int\n  def f(self) = 1\n  const N = 2\nend\n",
        &expect![[r###"
        SourceFile
          StructDef
            "struct"
            "P"
            GenericParams
              "<"
              GenericParam "T"
              ">"
            WhereClause
              "where"
              WherePred
                PathType "T"
                ":"
                BoundList
                  PathType "A"
            FieldDef
              "## docs"
              Attr
                "@"
                "a"
              "private"
              "x"
              ":"
              PathType "Int"
              "="
              LiteralExpr "1"
            FieldDef
              "end"
              ":"
              PathType "T"
            FieldDef
              "type"
              ":"
              PathType "Int"
            ";"
            FieldDef
              "def"
              ":"
              PathType "Int"
            FnDef
              "def"
              "f"
              ParamList
                "("
                SelfParam "self"
                ")"
              "="
              LiteralExpr "1"
            ConstDef
              "const"
              "N"
              "="
              LiteralExpr "2"
            "end"
    "###]],
    );
    check_file(
        "linear struct F\n  fd: Int\nend\n@value\nstruct G end\n",
        &expect![[r#"
        SourceFile
          StructDef
            "linear"
            "struct"
            "F"
            FieldDef
              "fd"
              ":"
              PathType "Int"
            "end"
          StructDef
            Attr
              "@"
              "value"
            "struct"
            "G"
            "end"
    "#]],
    );
    check_file(
        "enum E<T>\n  ## docs\n  A\n  B(Int, T)\n  C(x: Int, y: T?)\n  D = 4\n  def f(self) = 1\nend\n",
        &expect![[r###"
        SourceFile
          EnumDef
            "enum"
            "E"
            GenericParams
              "<"
              GenericParam "T"
              ">"
            VariantDef
              "## docs"
              "A"
            VariantDef
              "B"
              Payload
                "("
                PayloadField
                  PathType "Int"
                ","
                PayloadField
                  PathType "T"
                ")"
            VariantDef
              "C"
              Payload
                "("
                PayloadField
                  "x"
                  ":"
                  PathType "Int"
                ","
                PayloadField
                  "y"
                  ":"
                  OptionType
                    PathType "T"
                    "?"
                ")"
            VariantDef
              "D"
              "="
              LiteralExpr "4"
            FnDef
              "def"
              "f"
              ParamList
                "("
                SelfParam "self"
                ")"
              "="
              LiteralExpr "1"
            "end"
    "###]],
    );
}

#[test]
fn traits_and_impls() {
    check_file(
        "trait T<A = Self>: B + C<D> where A: E\n  type Item\n  type Key: Hash = Int\n  const N: Int\n  const M = 1\n  def f(self)\n  ## docs\n  def g(self): Int\n  @a\n  def h\n  private def i = 1\n  def j\n    1\n  end\n  def k(self)\nend\n",
        &expect![[r###"
        SourceFile
          TraitDef
            "trait"
            "T"
            GenericParams
              "<"
              GenericParam
                "A"
                "="
                PathType "Self"
              ">"
            ":"
            BoundList
              PathType "B"
              "+"
              PathType
                "C"
                TypeArgs
                  "<"
                  PathType "D"
                  ">"
            WhereClause
              "where"
              WherePred
                PathType "A"
                ":"
                BoundList
                  PathType "E"
            TypeAlias
              "type"
              "Item"
            TypeAlias
              "type"
              "Key"
              ":"
              BoundList
                PathType "Hash"
              "="
              PathType "Int"
            ConstDef
              "const"
              "N"
              ":"
              PathType "Int"
            ConstDef
              "const"
              "M"
              "="
              LiteralExpr "1"
            FnDef
              "def"
              "f"
              ParamList
                "("
                SelfParam "self"
                ")"
            FnDef
              "## docs"
              "def"
              "g"
              ParamList
                "("
                SelfParam "self"
                ")"
              ":"
              PathType "Int"
            FnDef
              Attr
                "@"
                "a"
              "def"
              "h"
            FnDef
              "private"
              "def"
              "i"
              "="
              LiteralExpr "1"
            FnDef
              "def"
              "j"
              Block
                LiteralExpr "1"
              "end"
            FnDef
              "def"
              "k"
              ParamList
                "("
                SelfParam "self"
                ")"
            "end"
    "###]],
    );
    check_file(
        "impl P\nend\nimpl A for B\nend\nimpl<T: X> A<T> for Vec<T> where T: Y\n  type Item = T\n  def f(self) = 1\nend\nimpl !Send for T end\n",
        &expect![[r#"
        SourceFile
          ImplDef
            "impl"
            PathType "P"
            "end"
          ImplDef
            "impl"
            PathType "A"
            "for"
            PathType "B"
            "end"
          ImplDef
            "impl"
            GenericParams
              "<"
              GenericParam
                "T"
                ":"
                BoundList
                  PathType "X"
              ">"
            PathType
              "A"
              TypeArgs
                "<"
                PathType "T"
                ">"
            "for"
            PathType
              "Vec"
              TypeArgs
                "<"
                PathType "T"
                ">"
            WhereClause
              "where"
              WherePred
                PathType "T"
                ":"
                BoundList
                  PathType "Y"
            TypeAlias
              "type"
              "Item"
              "="
              PathType "T"
            FnDef
              "def"
              "f"
              ParamList
                "("
                SelfParam "self"
                ")"
              "="
              LiteralExpr "1"
            "end"
          ImplDef
            "impl"
            "!"
            PathType "Send"
            "for"
            PathType "T"
            "end"
    "#]],
    );
    check_file(
        "extend Int\n  def f(self) = 1\nend\nextend<T> Vec<T>\nend\n",
        &expect![[r#"
        SourceFile
          ExtendDef
            "extend"
            PathType "Int"
            FnDef
              "def"
              "f"
              ParamList
                "("
                SelfParam "self"
                ")"
              "="
              LiteralExpr "1"
            "end"
          ExtendDef
            "extend"
            GenericParams
              "<"
              GenericParam "T"
              ">"
            PathType
              "Vec"
              TypeArgs
                "<"
                PathType "T"
                ">"
            "end"
    "#]],
    );
}

#[test]
fn constructs_of_later_issues() {
    check_file(
        "effect Log<T>\n  def log(msg: T): Void\n  def level\nend\n",
        &expect![[r#"
        SourceFile
          EffectDef
            "effect"
            "Log"
            GenericParams
              "<"
              GenericParam "T"
              ">"
            FnDef
              "def"
              "log"
              ParamList
                "("
                Param
                  NamePat "msg"
                  ":"
                  PathType "T"
                ")"
              ":"
              PathType "Void"
            FnDef
              "def"
              "level"
            "end"
    "#]],
    );
    check_file(
        "actor C\n  count: Int = 0\n  var x = 1\n  def add(n)\n    count += n\n  end\nend\n",
        &expect![[r#"
        SourceFile
          ActorDef
            "actor"
            "C"
            FieldDef
              "count"
              ":"
              PathType "Int"
              "="
              LiteralExpr "0"
            VarDef
              "var"
              "x"
              "="
              LiteralExpr "1"
            FnDef
              "def"
              "add"
              ParamList
                "("
                Param
                  NamePat "n"
                ")"
              Block
                CompoundAssignStmt
                  PathExpr "count"
                  "+="
                  PathExpr "n"
              "end"
            "end"
    "#]],
    );
    check_file(
        "macro twice(e)\n  quote do\n    $e\n    ${e + 1}\n  end\nend\n",
        &expect![[r#"
            SourceFile
              MacroDef
                "macro"
                "twice"
                ParamList
                  "("
                  Param
                    NamePat "e"
                  ")"
                Block
                  QuoteExpr
                    "quote"
                    "do"
                    Block
                      PathExpr "$e"
                      MacroVarExpr
                        "$"
                        "{"
                        BinaryExpr
                          PathExpr "e"
                          "+"
                          LiteralExpr "1"
                        "}"
                    "end"
                "end"
        "#]],
    );
    check_file(
        "packed struct(u32) F\n  a: u1\n  b: u31\nend\n",
        &expect![[r#"
            SourceFile
              PackedStructDef
                "packed"
                "struct"
                "("
                PathType "u32"
                ")"
                "F"
                FieldDef
                  "a"
                  ":"
                  PathType "u1"
                FieldDef
                  "b"
                  ":"
                  PathType "u31"
                "end"
        "#]],
    );
    check_file(
        "type P = binary {\n  kind: u8\n  match kind\n    1 | 2 => { a: [u4; 2] }\n  end\n  n: bytes(kind) = f(1)\n}\n",
        &expect![[r#"
            SourceFile
              BinaryDef
                "type"
                "P"
                "="
                "binary"
                "{"
                BinaryField
                  "kind"
                  ":"
                  BinaryWord
                    PathType "u8"
                BinaryMatch
                  "match"
                  "kind"
                  BinaryArm
                    OrPat
                      LiteralPat
                        LiteralExpr "1"
                      "|"
                      LiteralPat
                        LiteralExpr "2"
                    "=>"
                    "{"
                    BinaryField
                      "a"
                      ":"
                      BinaryArray
                        "["
                        BinaryWord
                          PathType "u4"
                        ";"
                        LiteralExpr "2"
                        "]"
                    "}"
                  "end"
                BinaryField
                  "n"
                  ":"
                  BinaryWord
                    PathType "bytes"
                    "("
                    PathExpr "kind"
                    ")"
                  "="
                  CallExpr
                    PathExpr "f"
                    ArgList
                      "("
                      LiteralExpr "1"
                      ")"
                "}"
        "#]],
    );
    check_file(
        "def f = handler Log\n  def log(m)\n    resume(1)\n  end\n  return(v)\n    v\n  end\nend\n",
        &expect![[r#"
        SourceFile
          FnDef
            "def"
            "f"
            "="
            HandlerExpr
              "handler"
              PathType "Log"
              FnDef
                "def"
                "log"
                ParamList
                  "("
                  Param
                    NamePat "m"
                  ")"
                Block
                  CallExpr
                    PathExpr "resume"
                    ArgList
                      "("
                      LiteralExpr "1"
                      ")"
                "end"
              HandlerReturn
                "return"
                ParamList
                  "("
                  Param
                    NamePat "v"
                  ")"
                Block
                  PathExpr "v"
                "end"
              "end"
    "#]],
    );
}
