//! What can an element of the tree be? [`SyntaxKind`] lists the tokens here and takes the nodes from
//! `nodes.rs`; keywords are recognised here too.

macro_rules! define_kinds {
    (
        tokens { $($(#[$tmeta:meta])* $tok:ident $ttext:literal)* }
        soft { $($soft:ident $stext:literal)* }
        hard { $($hard:ident $htext:literal)* }
        nodes { $($(#[$nmeta:meta])* $node:ident)* }
    ) => {
        /// The kind of a token or a node.
        #[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u16)]
        pub enum SyntaxKind {
            $(#[doc = concat!("Shown as: ", $ttext)] $(#[$tmeta])* $tok,)*
            /// A name. The contextual keywords that follow are names too, except in their construct.
            Ident,
            $(#[doc = concat!("`", $stext, "`, a name outside its construct.")] $soft,)*
            $(#[doc = concat!("`", $htext, "`")] $hard,)*
            $($(#[$nmeta])* $node,)*
        }

        impl SyntaxKind {
            /// The token as it is written, or a description in words where it has no fixed text.
            pub fn text(self) -> &'static str {
                match self {
                    $(SyntaxKind::$tok => $ttext,)*
                    SyntaxKind::Ident => "a name",
                    $(SyntaxKind::$soft => $stext,)*
                    $(SyntaxKind::$hard => $htext,)*
                    _ => "a node",
                }
            }

            /// Every keyword with its text, contextual ones first.
            pub const KEYWORDS: &[(SyntaxKind, &str)] =
                &[$((SyntaxKind::$soft, $stext),)* $((SyntaxKind::$hard, $htext),)*];

            /// Every kind, by its number.
            pub(crate) const ALL: &[SyntaxKind] = &[
                $(SyntaxKind::$tok,)*
                SyntaxKind::Ident,
                $(SyntaxKind::$soft,)*
                $(SyntaxKind::$hard,)*
                $(SyntaxKind::$node,)*
            ];

            const FIRST_HARD: SyntaxKind = first_of!($($hard)*);
            const FIRST_NODE: SyntaxKind = first_of!($($node)*);
        }
    };
}

macro_rules! first_of {
    ($first:ident $($rest:ident)*) => {
        SyntaxKind::$first
    };
}

/// Joins the node table with the tokens, which only this file knows.
macro_rules! define_kinds_with_nodes {
    ($($(#[$nmeta:meta])* $node:ident { $($fields:tt)* })*) => {
        define_kinds! {
            tokens {
                /// Past the last token; never in a tree.
                Eof "the end of the file"
                Whitespace "a space"
                /// `\n`; a `\r` before it is white space.
                Newline "a line break"
                /// `# …`
                Comment "a comment"
                /// `## …`
                DocComment "a doc comment"
                /// `##! …`
                ModuleDoc "a module doc comment"
                /// A character that starts no token.
                Unknown "an unknown character"
                IntNumber "a number"
                FloatNumber "a number"
                Char "a character"
                Symbol "a symbol"
                /// `r"…"`, `r#"…"#`
                RawString "a string"
                /// `~r"…"`
                Regex "a regex"
                /// `"` or `"""`
                StrStart "a string"
                StrText "text"
                /// `#{`
                InterpStart "#{"
                /// `}`
                InterpEnd "}"
                StrEnd "the end of a string"
                /// `<<~NAME`
                HeredocStart "a heredoc"
                /// The closing line of a heredoc, with its indentation.
                HeredocEnd "the end of a heredoc"
                LParen "(" RParen ")" LBracket "[" RBracket "]" LBrace "{" RBrace "}"
                Comma "," Semicolon ";" Colon ":" ColonColon "::" Dot "." DotDot ".." DotDotEq "..=" DotDotDot "..."
                QuestionDot "?." Question "?" QuestionQuestion "??" Bang "!" At "@" Dollar "$"
                Arrow "->" FatArrow "=>" PipeGt "|>"
                Eq "=" EqEq "==" BangEq "!=" Lt "<" LtEq "<=" Gt ">" GtEq ">="
                Plus "+" Minus "-" Star "*" Slash "/" Percent "%" StarStar "**"
                AmpPlus "&+" AmpMinus "&-" AmpStar "&*"
                Amp "&" Pipe "|" Caret "^" Tilde "~" LtLt "<<" GtGt ">>"
                PlusEq "+=" MinusEq "-=" StarEq "*=" SlashEq "/=" PercentEq "%=" AmpEq "&=" PipeEq "|=" CaretEq "^="
                LtLtEq "<<=" GtGtEq ">>=" QuestionQuestionEq "??="
                /// Not an operator of the language: an error that names `and`.
                AmpAmp "&&"
                /// Not an operator of the language: an error that names `or`.
                PipePipe "||"
            }
            soft {
                ThenKw "then" StepKw "step" FromKw "from" WithKw "with" WhereKw "where" CanKw "can" PrivateKw "private"
                PubKw "pub" ExternKw "extern" VariadicKw "variadic" EffectKw "effect" HandlerKw "handler" MacroKw "macro"
                ActorKw "actor" YieldKw "yield" ThrowKw "throw" CatchKw "catch" SelectKw "select" SpawnKw "spawn"
                UnsafeKw "unsafe" TypeKw "type" NewtypeKw "newtype" ExtendKw "extend" DynKw "dyn" MutKw "mut"
                PackedKw "packed" LinearKw "linear" BinaryKw "binary" WrappingAsKw "wrapping_as" TryAsKw "try_as"
                Underscore "_"
            }
            hard {
                DefKw "def" EndKw "end" IfKw "if" ElsifKw "elsif" ElseKw "else" UnlessKw "unless" WhileKw "while"
                UntilKw "until" ForKw "for" LoopKw "loop" InKw "in" DoKw "do" ReturnKw "return" BreakKw "break"
                NextKw "next" MatchKw "match" StructKw "struct" EnumKw "enum" TraitKw "trait" ImplKw "impl"
                ImportKw "import" AndKw "and" OrKw "or" NotKw "not" IsKw "is" AsKw "as" VarKw "var" ConstKw "const"
                TrueKw "true" FalseKw "false" NilKw "nil" SelfKw "self" AwaitKw "await" GoKw "go" TryKw "try"
                DeferKw "defer"
            }
            nodes { $($(#[$nmeta])* $node)* }
        }
    };
}

for_each_node!(define_kinds_with_nodes);

const TABLE_SIZE: usize = 256;

/// Keywords by hash, as indices into `KEYWORDS` plus one; collisions go to the next free slot.
static KEYWORD_TABLE: [u8; TABLE_SIZE] = keyword_table();

const fn keyword_hash(word: &[u8]) -> usize {
    let (first, last, second) =
        (word[0] as usize, word[word.len() - 1] as usize, word[word.len() / 2] as usize);
    (word.len() * 31 + first * 7 + last * 13 + second * 3) % TABLE_SIZE
}

const fn keyword_table() -> [u8; TABLE_SIZE] {
    let mut table = [0; TABLE_SIZE];
    let mut index = 0;
    while index < SyntaxKind::KEYWORDS.len() {
        let mut slot = keyword_hash(SyntaxKind::KEYWORDS[index].1.as_bytes());
        while table[slot] != 0 {
            slot = (slot + 1) % TABLE_SIZE;
        }
        index += 1;
        table[slot] = index as u8;
    }
    table
}

impl SyntaxKind {
    /// The kind of a non-empty word: a keyword or `Ident`.
    pub(crate) fn of_word(word: &str) -> SyntaxKind {
        let mut slot = keyword_hash(word.as_bytes());
        loop {
            match KEYWORD_TABLE[slot] {
                0 => return SyntaxKind::Ident,
                entry => {
                    let (kind, text) = SyntaxKind::KEYWORDS[entry as usize - 1];
                    if text == word {
                        return kind;
                    }
                }
            }
            slot = (slot + 1) % TABLE_SIZE;
        }
    }

    /// White space and comments: what may stand between any two tokens.
    pub fn is_trivia(self) -> bool {
        (SyntaxKind::Whitespace..=SyntaxKind::ModuleDoc).contains(&self)
    }

    /// Whether an element of this kind is a node rather than a token.
    pub fn is_node(self) -> bool {
        self >= SyntaxKind::FIRST_NODE
    }

    /// A word that may be a name anywhere: not a hard keyword.
    pub fn is_name(self) -> bool {
        (SyntaxKind::Ident..SyntaxKind::Underscore).contains(&self)
    }

    /// Any word: what may be a name after `.` and as a field or method.
    pub fn is_word(self) -> bool {
        (SyntaxKind::Ident..SyntaxKind::FIRST_NODE).contains(&self)
    }

    /// A word that is a name only after `.`, before `:` in literals and named arguments, and as field or method.
    pub fn is_hard_keyword(self) -> bool {
        (SyntaxKind::FIRST_HARD..SyntaxKind::FIRST_NODE).contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::SyntaxKind;

    #[test]
    fn every_keyword_is_recognised_by_its_text() {
        for &(kind, text) in SyntaxKind::KEYWORDS {
            assert_eq!(SyntaxKind::of_word(text), kind);
            assert_eq!(kind.text(), text);
            assert!(kind.is_word() && !kind.is_node() && !kind.is_trivia());
        }
        assert_eq!(SyntaxKind::of_word("ends"), SyntaxKind::Ident);
        assert!(SyntaxKind::FromKw.is_name() && !SyntaxKind::EndKw.is_name());
        assert!(SyntaxKind::SourceFile.is_node() && !SyntaxKind::DeferKw.is_node());
    }
}
