//! What can be wrong with a text? [`SyntaxProblem`] is the facts: a place and a [`SyntaxProblemKind`]. The words
//! are in `problems/words.rs`, and every kind has its own number between 0100 and 0199, which never changes its
//! meaning.

mod words;

use qz_base::TextRange;

use crate::SyntaxKind;

/// One thing that is wrong, as data.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct SyntaxProblem {
    /// The place to point at.
    pub range: TextRange,
    /// What is wrong there.
    pub kind: SyntaxProblemKind,
}

/// A change of the text that may be what was meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suggestion {
    /// What to replace; empty to insert.
    pub range: TextRange,
    /// With what.
    pub replacement: String,
}

/// What the parser was looking for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// An expression.
    Expr,
    /// A pattern.
    Pattern,
    /// A type.
    Type,
    /// A name.
    Name,
    /// The name of a field or method after a dot.
    Member,
    /// A declaration: `def`, `struct` …
    Item,
    /// A line break or `;`.
    EndOfLine,
    /// A field, method or other member of a type's body.
    TypeMember,
    /// A path such as `std/io`.
    ImportPath,
    /// A string naming the calling convention.
    AbiString,
    /// This token.
    Token(SyntaxKind),
    /// One of two tokens.
    Either(SyntaxKind, SyntaxKind),
}

/// Which literal lacks its end.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum StringForm {
    /// `"…"`
    Plain,
    /// `"""…"""`
    Triple,
    /// `r"…"`, `r#"…"#`
    Raw,
    /// `~r"…"`
    Regex,
}

macro_rules! problem_kinds {
    ($($code:literal $Kind:ident $({ $($field:ident: $ty:ty),* })? $title:literal)*) => {
        /// What is wrong: one variant for each number.
        #[derive(Copy, Clone, PartialEq, Eq, Debug)]
        #[allow(missing_docs, reason = "the title of each is its documentation")]
        pub enum SyntaxProblemKind {
            $(#[doc = $title] $Kind $({ $($field: $ty),* })?,)*
        }

        impl SyntaxProblemKind {
            /// The stable number of this kind.
            pub fn code(self) -> u16 {
                match self {
                    $(SyntaxProblemKind::$Kind $({ $($field: _),* })? => $code,)*
                }
            }
        }

        /// Every number with its one-line title, in order.
        pub const SYNTAX_CODES: &[(u16, &str)] = &[$(($code, $title)),*];
    };
}

problem_kinds! {
    // ---- tokens
    100 UnknownChar { found: char } "a character that starts no token"
    101 UnterminatedString { form: StringForm } "a string without its closing quote"
    102 UnterminatedHeredoc "a heredoc without its closing line"
    103 UnterminatedInterp "an interpolation without its closing brace"
    104 HeredocInInterp "a heredoc opened inside an interpolation"
    105 BadEscape "an unknown escape in a literal"
    106 BadUnicodeEscape "an escape that names no character"
    107 EmptyChar "a character literal without a character"
    108 LongChar "a character literal with more than one character"
    109 UnterminatedChar "a character literal without its closing quote"
    110 NoDigits "a number without digits after its prefix or exponent"
    111 BadDigit { base: u32 } "a digit that the base of the number does not have"
    112 NumberSuffix "letters directly after a number"
    113 TrailingUnderscore "an underscore at the end of a number"
    114 LeadingDot "a float without a digit before its point"
    // ---- structure
    120 Expected { wanted: Wanted, found: SyntaxKind } "something else was expected here"
    121 UnclosedBlock { keyword: SyntaxKind, before: TextRange } "a block without its `end`"
    122 UnclosedBracket { bracket: SyntaxKind, before: TextRange } "a bracket without its partner"
    123 StrayEnd "an `end` that closes nothing"
    124 StrayBracket { bracket: SyntaxKind } "a closing bracket that closes nothing"
    125 StatementAtTopLevel "a statement outside of any function"
    126 ItemInBody { keyword: SyntaxKind } "a declaration inside a function"
    127 TooDeep "nesting beyond the limit"
    128 SecondStatementInArm "a second statement in a one-line arm"
    129 KeywordAsName { keyword: SyntaxKind } "a keyword where a name must stand"
    130 StatementBrace "a statement that starts with a brace"
    131 VarWithoutValue "a variable without a value"
    132 DanglingAttr "an attribute or modifier with nothing to apply to"
    133 TypeOutsideLambda "a type in parentheses that are no parameter list"
    134 OpenRange "a range without an end outside of brackets"
    135 MisplacedModifier { keyword: SyntaxKind } "a modifier that this declaration does not take"
    136 RepeatedElse "more than one `else`, or `elsif` behind `else`"
    137 PositionalAfterNamed "a positional argument behind a named one"
    139 PlaceExpected "something that cannot be assigned to"
    142 StatementAsValue "an assignment where a value must stand"
    143 EmptyMatch "a `match` without arms"
    144 StrayArm "an arm outside of a `match`"
    145 OrAfterIs "alternatives behind `is` without parentheses"
    146 OperatorFirst { operator: SyntaxKind } "a line that starts with an operator"
    147 PlaceholderOutside "`$name` outside of a macro"
    // ---- habits from other languages
    150 ForeignAnd "`&&` instead of `and`"
    151 ForeignOr "`||` instead of `or`"
    152 ForeignNot "`!x` instead of `not x`"
    153 Ternary "`a ? b : c` instead of `if a then b else c end`"
    154 ForeignLet { mutable: bool } "`let` and its kin instead of a plain binding"
    155 ForeignDef "`fn` and its kin instead of `def`"
    156 ElseIf "`else if` and its kin instead of `elsif`"
    157 ForeignNull "`null` instead of `nil`"
    158 ArrowReturn "`->` before a return type instead of `:`"
    159 Increment { plus: bool } "`x++` instead of `x += 1`"
    160 LoopDo { keyword: SyntaxKind } "`do` after the head of a loop"
    161 ChainedComparison "a chain of comparisons"
    162 AssignInCondition "an assignment in a condition"
    163 ChainedAssign "a chain of assignments"
    164 Walrus "`:=` instead of `=`"
    165 BraceBody "a body in braces"
    166 ForeignContinue "`continue` instead of `next`"
    167 BlockPipes "`|x|` instead of `x ->`"
    168 CallWithoutParens "a call without parentheses"
    169 ForeignOrAssign "`||=` instead of `??=`"
    170 ForeignWord { advice: ForeignWord } "a keyword of another language"
    171 StrictEq "`===` instead of `==`"
    172 ForeignComment "`//` instead of `#`"
    173 ArrayType "`[T]` instead of `Vec<T>`"
    174 DefOnSelf "`def self.f` instead of `def f`"
    175 ThinArrowArm "`->` instead of `=>` in an arm"
    176 MapColon "`:` instead of `=>` in a map"
    177 PythonImport "`from … import` instead of `import … from`"
    178 NeedlessPub "`pub` before something that is public anyway"
    179 ForeignSpread "`...` instead of `*`"
    180 MatchCase { pipe: bool } "`case`, `when` or `|` before an arm"
    181 TypeBrackets "square brackets around type arguments"
    182 MatchElse "`else` in a `match` instead of `_ =>`"
    183 ArrowType "`A -> B` instead of `Fn(A): B`"
    184 BraceParams "parameters in a brace block"
    185 NamedArgEq "`name = value` instead of `name: value`"
    186 BlockAfterName "a brace block after a bare name"
    187 BraceLambda "a brace block where a value stands"
    188 BareTuple "several names before `=` without parentheses"
}

/// A word of another language, and so what to write instead.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ForeignWord {
    /// `class`
    Class,
    /// `interface`, `protocol`
    Interface,
    /// `module`, `namespace`, `package`
    Module,
    /// `switch`, `case`
    Switch,
    /// `begin`, `rescue`, `ensure`, `catch (e)`
    Begin,
    /// `use`, `require`, `include`
    Use,
    /// `public`
    Public,
}

impl SyntaxProblem {
    /// The stable number, `100` for `QZ0100`.
    pub fn code(&self) -> u16 {
        self.kind.code()
    }
}

#[cfg(test)]
mod tests {
    use super::SYNTAX_CODES;

    #[test]
    fn numbers_are_in_their_band_and_given_once() {
        assert!(SYNTAX_CODES.iter().all(|&(code, _)| (100..200).contains(&code)));
        assert!(SYNTAX_CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(SYNTAX_CODES.iter().all(|(_, title)| !title.ends_with('.') && !title.contains('\n')));
    }
}
