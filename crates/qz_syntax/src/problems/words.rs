//! How is a problem put to a person? One primary line without a final period, code in backticks; a label for the
//! place it refers to, a line of help, and a change of the text where one is known.

use qz_base::TextRange;

use super::{ForeignWord, StringForm, Suggestion, SyntaxProblem, SyntaxProblemKind as Kind, Wanted};
use crate::SyntaxKind;

impl SyntaxProblem {
    /// The primary message: lower case, one line, readable without the source.
    pub fn message(&self) -> String {
        match self.kind {
            Kind::UnknownChar { found } => unknown_char(found),
            Kind::UnterminatedString { form } => format!("this {} has no closing quote", string_form(form)),
            Kind::UnterminatedHeredoc => "this heredoc has no closing line".into(),
            Kind::UnterminatedInterp => "this interpolation has no closing `}` on its line".into(),
            Kind::HeredocInInterp => "a heredoc cannot be opened inside an interpolation".into(),
            Kind::BadEscape => "unknown escape".into(),
            Kind::BadUnicodeEscape => "this escape names no character".into(),
            Kind::EmptyChar => "a character literal needs a character".into(),
            Kind::LongChar => "a character literal holds one character".into(),
            Kind::UnterminatedChar => "this character literal has no closing quote".into(),
            Kind::NoDigits => "digits are missing in this number".into(),
            Kind::BadDigit { base } => format!("this is no digit of a number to base {base}"),
            Kind::NumberSuffix => "a number cannot be followed directly by letters".into(),
            Kind::TrailingUnderscore => "a number cannot end in `_`".into(),
            Kind::LeadingDot => "a float needs a digit before its point".into(),
            Kind::Expected { wanted, found } => expected(wanted, found),
            Kind::UnclosedBlock { keyword, .. } => format!("this `{}` has no `end`", keyword.text()),
            Kind::UnclosedBracket { bracket, .. } => format!("this `{}` is never closed", bracket.text()),
            Kind::StrayEnd => "this `end` closes nothing".into(),
            Kind::StrayBracket { bracket } => format!("this `{}` closes nothing", bracket.text()),
            Kind::PlaceholderOutside => {
                "`$name` without arguments, like `${…}`, has a meaning only in a macro's `quote`".into()
            }
            Kind::StatementAtTopLevel => "a statement cannot stand outside of a function".into(),
            Kind::ItemInBody { keyword } => format!("`{}` cannot stand inside another body", keyword.text()),
            Kind::TooDeep => "this is nested too deep".into(),
            Kind::SecondStatementInArm => "an arm that starts on its `=>` line holds one statement".into(),
            Kind::KeywordAsName { keyword } => {
                format!("`{}` is a keyword and cannot be a name here", keyword.text())
            }
            Kind::StatementBrace => "a statement cannot start with `{`".into(),
            Kind::OperatorFirst { operator } => format!("a line cannot start with `{}`", operator.text()),
            Kind::VarWithoutValue => "a variable needs a value".into(),
            Kind::DanglingAttr => "nothing follows that this could apply to".into(),
            Kind::TypeOutsideLambda => "a value in parentheses has no type annotation".into(),
            Kind::OpenRange => "a range without an end can only stand in `[]`".into(),
            Kind::MisplacedModifier { keyword } => format!("`{}` cannot stand here", keyword.text()),
            Kind::RepeatedElse => "`else` must be the last branch, and there can be one only".into(),
            Kind::PositionalAfterNamed => "a positional argument cannot follow a named one".into(),
            Kind::PlaceExpected => "this cannot be assigned to".into(),
            Kind::StatementAsValue => "an assignment has no value".into(),
            Kind::OrAfterIs => "alternatives behind `is` stand in parentheses".into(),
            Kind::StrayArm => "an arm cannot stand outside of a `match`".into(),
            Kind::EmptyMatch => "this `match` has no arms".into(),
            kind => foreign(kind),
        }
    }

    /// Another place that explains this one.
    pub fn secondary(&self) -> Option<(TextRange, String)> {
        match self.kind {
            Kind::UnclosedBlock { before, .. } => Some((before, "`end` was expected before this".into())),
            Kind::UnclosedBracket { bracket, before } => {
                Some((before, format!("`{}` was expected before this", closer(bracket))))
            }
            _ => None,
        }
    }

    /// A line of advice.
    pub fn help(&self) -> Option<String> {
        let text = match self.kind {
            Kind::UnterminatedString { form: StringForm::Plain } => {
                "a string ends on its line; `\"\"\"` starts one of several lines"
            }
            Kind::UnterminatedString { form: StringForm::Raw } => {
                "`r#\"…\"#` may hold quotes and line breaks"
            }
            Kind::UnterminatedHeredoc => "its last line holds its name alone",
            Kind::HeredocInInterp => "give the text a name before the string",
            Kind::BadEscape => "escapes are `\\n \\t \\r \\0 \\\\ \\\" \\' \\# \\e \\xHH \\u{…}`",
            Kind::BadUnicodeEscape => {
                "write `\\xHH` up to `\\x7f`, or `\\u{…}` with one to six hexadecimal digits"
            }
            Kind::LongChar => "text stands in double quotes",
            Kind::NumberSuffix => "convert with `as`: `1 as U8`",
            Kind::StrayEnd => "a block before it may have been closed already",
            Kind::PlaceholderOutside => "a macro is called with parentheses: `$name(…)`",
            Kind::StatementAtTopLevel => "put it into `def main`; a constant is written `const N = …`",
            Kind::ItemInBody { keyword: SyntaxKind::DefKw } => {
                "a local function is a lambda: `f = x -> …`; or an `end` is missing before this"
            }
            Kind::ItemInBody { .. } => "declarations stand at the top of a file",
            Kind::TooDeep => "give parts of it names of their own",
            Kind::MisplacedModifier { keyword: SyntaxKind::VarKw } => {
                "leave it out: fields can be changed anyway"
            }
            Kind::SecondStatementInArm => "start the arm's body on the line after `=>`",
            Kind::StatementBrace => "leave the braces out: bodies end in `end`",
            Kind::VarWithoutValue => "write `var x = …`",
            Kind::TypeOutsideLambda => {
                "parameters of a lambda have types: `(a: Int) -> …`; a record is `{ a: 1 }`"
            }
            Kind::KeywordAsName { .. } => {
                "keywords can be fields, methods and named arguments, but not parameters or variables"
            }
            Kind::EmptyMatch => "arms are written `pattern => value`, one on a line",
            Kind::OperatorFirst { .. } => "an operator stands at the end of the line before",
            Kind::OrAfterIs => "write `x is (A | B)`",
            Kind::UnknownChar { found: '`' } => "text stands in double quotes",
            kind => return foreign_help(kind).map(str::to_owned),
        };
        Some(text.into())
    }

    /// A change of the text that makes it right, where that is certain enough to offer.
    pub fn suggestion(&self) -> Option<Suggestion> {
        let replacement = match self.kind {
            Kind::ForeignAnd => "and",
            Kind::ForeignOr => "or",
            Kind::ForeignNot => "not ",
            Kind::ForeignLet { mutable: true } => "var",
            Kind::ForeignLet { mutable: false } | Kind::NeedlessPub | Kind::DefOnSelf => "",
            Kind::ForeignDef => "def",
            Kind::ElseIf => "elsif",
            Kind::ForeignNull => "nil",
            Kind::ArrowReturn => ":",
            Kind::Increment { plus: true } => " += 1",
            Kind::Increment { plus: false } => " -= 1",
            Kind::Walrus => "=",
            Kind::ForeignContinue => "next",
            Kind::ForeignOrAssign => "??=",
            Kind::ForeignComment => "#",
            Kind::ThinArrowArm => "=>",
            Kind::MapColon => " =>",
            Kind::ForeignSpread => "*",
            Kind::MatchElse => "_ =>",
            Kind::NamedArgEq => ":",
            Kind::MatchCase { .. } | Kind::LoopDo { .. } | Kind::TrailingUnderscore => "",
            _ => return None,
        };
        Some(Suggestion { range: self.range, replacement: replacement.into() })
    }
}

fn unknown_char(found: char) -> String {
    if found.is_control() || found.is_whitespace() || ('\u{200b}'..='\u{200f}').contains(&found) {
        format!("the invisible character U+{:04X} cannot stand here", found as u32)
    } else if found == '`' {
        "a backtick starts nothing".into()
    } else {
        format!("the character `{found}` starts nothing")
    }
}

fn string_form(form: StringForm) -> &'static str {
    match form {
        StringForm::Plain => "string",
        StringForm::Triple => "`\"\"\"` string",
        StringForm::Raw => "raw string",
        StringForm::Regex => "regex",
    }
}

fn closer(bracket: SyntaxKind) -> &'static str {
    match bracket {
        SyntaxKind::LParen => ")",
        SyntaxKind::LBracket => "]",
        SyntaxKind::Lt => ">",
        _ => "}",
    }
}

fn expected(wanted: Wanted, found: SyntaxKind) -> String {
    format!("expected {}, found {}", wanted_text(wanted), token_text(found))
}

fn wanted_text(wanted: Wanted) -> String {
    match wanted {
        Wanted::Expr => "an expression".into(),
        Wanted::Pattern => "a pattern".into(),
        Wanted::Type => "a type".into(),
        Wanted::Name => "a name".into(),
        Wanted::Member => "the name of a field or method".into(),
        Wanted::Item => "a declaration".into(),
        Wanted::EndOfLine => "the end of the line".into(),
        Wanted::TypeMember => "a member of this type".into(),
        Wanted::ImportPath => "the path of a module".into(),
        Wanted::AbiString => "a calling convention such as `\"C\"`".into(),
        Wanted::Token(kind) => token_text(kind),
        Wanted::Either(a, b) => format!("{} or {}", token_text(a), token_text(b)),
    }
}

fn token_text(kind: SyntaxKind) -> String {
    use SyntaxKind as K;
    match kind {
        K::Newline => "the end of the line".into(),
        K::Ident => kind.text().into(),
        K::InterpStart | K::InterpEnd => format!("`{}`", kind.text()),
        _ if kind < K::InterpStart || matches!(kind, K::StrEnd | K::HeredocStart | K::HeredocEnd) => {
            kind.text().into()
        }
        _ => format!("`{}`", kind.text()),
    }
}

fn foreign(kind: Kind) -> String {
    match kind {
        Kind::ForeignAnd => "`&&` is written `and`".into(),
        Kind::ForeignOr => "`||` is written `or`".into(),
        Kind::ForeignNot => "`!x` is written `not x`".into(),
        Kind::Ternary => "`a ? b : c` is written `if a then b else c end`".into(),
        Kind::ForeignLet { mutable: false } => "a name is bound without a keyword: `x = e`".into(),
        Kind::ForeignLet { mutable: true } => "a variable is declared with `var`".into(),
        Kind::ForeignDef => "functions are declared with `def`".into(),
        Kind::ElseIf => "`else if` is written `elsif`".into(),
        Kind::ForeignNull => "`null` is written `nil`".into(),
        Kind::ArrowReturn => "the return type follows `:`, not `->`".into(),
        Kind::Increment { plus: true } => "`x++` is written `x += 1`".into(),
        Kind::Increment { plus: false } => "`x--` is written `x -= 1`".into(),
        Kind::LoopDo { keyword } => format!("the head of `{}` takes no `do`", keyword.text()),
        Kind::ChainedComparison => "comparisons do not chain".into(),
        Kind::AssignInCondition => "a condition cannot assign".into(),
        Kind::ChainedAssign => "an assignment has no value, so it cannot be assigned".into(),
        Kind::BareTuple => "several names are assigned in parentheses".into(),
        Kind::Walrus => "`:=` is written `=`".into(),
        Kind::BraceBody => "a body has no braces: it ends with `end`".into(),
        Kind::ForeignContinue => "`continue` is written `next`".into(),
        Kind::BlockPipes => "parameters of a block stand before `->`, not between `|`".into(),
        Kind::CallWithoutParens => "a call needs parentheses around its arguments".into(),
        Kind::ForeignOrAssign => "a default is assigned with `??=`".into(),
        Kind::ForeignWord { advice } => foreign_word(advice).into(),
        Kind::StrictEq => "equality is written `==` or `!=`".into(),
        Kind::ForeignComment => "a comment starts with `#`".into(),
        Kind::ArrayType => "the type of a vector is written `Vec<T>`".into(),
        Kind::DefOnSelf => "a function without a `self` parameter already belongs to the type".into(),
        Kind::ThinArrowArm => "an arm is written with `=>`".into(),
        Kind::MapColon => "a map pairs its keys and values with `=>`".into(),
        Kind::PythonImport => "the names come first: `import f, g from a/b`".into(),
        Kind::NeedlessPub => "declarations are public already".into(),
        Kind::ForeignSpread => "values are spread with `*`".into(),
        Kind::MatchCase { pipe: true } => "an arm starts with its pattern, without `|`".into(),
        Kind::MatchCase { pipe: false } => "an arm or variant has no keyword before it".into(),
        Kind::TypeBrackets => "type arguments stand in `<>`".into(),
        Kind::MatchElse => "`else` in a `match` is written `_ =>`".into(),
        Kind::ArrowType => "a function type is written `Fn(A): B`".into(),
        Kind::BraceParams => "a brace block has no parameters but `it`".into(),
        Kind::BraceLambda => "a block in braces stands behind a call".into(),
        Kind::NamedArgEq => "a named value is written `name: value`".into(),
        Kind::BlockAfterName => "a block in braces needs a call before it".into(),
        _ => "this does not belong here".into(),
    }
}

fn foreign_word(advice: ForeignWord) -> &'static str {
    match advice {
        ForeignWord::Class => "types are declared with `struct` or `enum`",
        ForeignWord::Interface => "interfaces are declared with `trait`",
        ForeignWord::Module => "a file is a module, without a keyword",
        ForeignWord::Switch => "cases are told apart with `match`",
        ForeignWord::Begin => "there is no `begin` and no `rescue`",
        ForeignWord::Use => "modules are imported with `import`",
        ForeignWord::Public => "declarations are public unless they are `private`",
    }
}

fn foreign_help(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::ForeignLet { mutable: false } => "`var x = e` makes it assignable",
        Kind::ChainedComparison => "join two comparisons: `a < b and b < c`",
        Kind::AssignInCondition => "`==` compares; `if x is Some(v)` takes apart",
        Kind::ChainedAssign => "assign one after the other",
        Kind::BareTuple => "write `(a, b) = (x, y)`, or `(a, b) = pair`",
        Kind::LoopDo { .. } => "the body starts on the next line",
        Kind::BraceBody => "leave the `{` out and write `end` for the `}`",
        Kind::BlockPipes => "write `do x -> … end`, or `{ it }` for one parameter",
        Kind::BraceParams => "write `do x -> … end`",
        Kind::BraceLambda => "a lambda as a value is written `x -> …` or `(x, y) -> …`",
        Kind::CallWithoutParens => "only a call with a `do` block may leave them out",
        Kind::ForeignWord { advice: ForeignWord::Class } => {
            "`struct` types are references; `enum` lists variants"
        }
        Kind::ForeignWord { advice: ForeignWord::Switch } => {
            "`match e`, then a line `pattern => value` for each case"
        }
        Kind::ForeignWord { advice: ForeignWord::Begin } => {
            "errors are values: `e?` passes them on, `match` takes them apart; `defer` cleans up"
        }
        Kind::ForeignWord { advice: ForeignWord::Use } => "`import a/b`, `import f, T from a/b`",
        Kind::ArrayType => "`Vec<T>`, or a tuple `(A, B)`",
        Kind::BlockAfterName => "write `name() { … }`, or `name do … end`",
        Kind::PositionalAfterNamed => "move it before the named ones",
        Kind::StatementAsValue => "write a body: a line break, the assignment, `end`",
        _ => return None,
    })
}
