//! Which tokens is a text made of? All of them: white space, line breaks and comments are tokens, so that the
//! texts of the tokens in order are the text.
//!
//! - A string is `StrStart`, any number of `StrText` and interpolations, `StrEnd`; an interpolation is
//!   `InterpStart`, ordinary tokens, `InterpEnd`. Strings nest in interpolations to any depth (a stack, no
//!   recursion). An interpolation ends on its line unless a list in brackets clearly goes on, and a `"…"` string
//!   ends on its line: a forgotten quote costs one line.
//! - The body of `<<~NAME` follows the line break of its line: `StrText`s and interpolations, then `HeredocEnd`.
//!   It is no part of the ordinary sequence: [`Token::starts_heredoc_body`] marks its first token and
//!   [`Lexed::heredocs`] says where it ends.
//! - What the parser would need unbounded lookahead for is noted here in passing, where it costs nothing: whether
//!   the `)` of a `(` is followed by `->`, and whether a line holds `=>` (see [`Token`]).
//!
//! Nothing is ever dropped, and every problem is reported with the token it concerns; no input stops the lexer.

mod numbers;
mod operators;
mod strings;
mod table;

use std::collections::VecDeque;

use crate::SyntaxKind::{self, *};
use crate::problems::{SyntaxProblem, SyntaxProblemKind};
use qz_base::TextRange;
use qz_base::name::MARK;
use strings::Mode;
use table::{Class, class_of};

/// A token: its kind and where it starts. It ends where the next one starts.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// What it is.
    pub kind: SyntaxKind,
    pub(crate) flags: u16,
    /// Its first byte.
    pub start: u32,
}

/// Facts about a token that the parser asks for. See [`Token`].
pub(crate) mod flags {
    /// A line break stands between this token and the significant one before it.
    pub(crate) const NEWLINE_BEFORE: u16 = 1;
    /// Any trivia stands between.
    pub(crate) const SPACE_BEFORE: u16 = 2;
    /// A doc comment stands between.
    pub(crate) const DOC_BEFORE: u16 = 4;
    /// `(` whose `)` is followed by `->` on the same line: parameters of a lambda.
    pub(crate) const LAMBDA: u16 = 8;
    /// The first token of a line that holds `=>` outside of brackets: an arm starts here.
    pub(crate) const ARM: u16 = 16;
    /// A name that starts with a capital letter.
    pub(crate) const UPPER: u16 = 32;
    /// A bracket that has its partner.
    pub(crate) const CLOSED: u16 = 128;
    /// A bracket whose partner is followed by `=`: a destructuring, if a statement starts with it.
    pub(crate) const BEFORE_EQ: u16 = 256;
    /// A bracket whose partner is followed by `:` on its line: a destructuring with a type.
    pub(crate) const BEFORE_COLON: u16 = 512;
    /// The first token of a heredoc's body.
    pub(crate) const HEREDOC_BODY: u16 = 64;
}

impl Token {
    pub(crate) fn has(self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Whether a heredoc's body starts with this token.
    pub fn starts_heredoc_body(self) -> bool {
        self.has(flags::HEREDOC_BODY)
    }
}

/// Where the body of a heredoc is, in tokens.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct HeredocSpan {
    /// The `HeredocStart`.
    pub opener: u32,
    /// The body's first token.
    pub first: u32,
    /// The token behind the body.
    pub end: u32,
}

/// The tokens of a text, closed by an `Eof`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lexed {
    /// Every token, in order.
    pub tokens: Vec<Token>,
    /// Bodies of heredocs, in order.
    pub heredocs: Vec<HeredocSpan>,
    /// What is wrong with single tokens, in order.
    pub problems: Vec<SyntaxProblem>,
    /// Where `$name` stands that is not called: only a macro's body may hold it.
    pub(crate) placeholders: Vec<TextRange>,
}

impl Lexed {
    /// Where a token stands.
    pub fn range(&self, index: usize) -> TextRange {
        let start = self.tokens[index].start;
        TextRange::new(start, self.tokens.get(index + 1).map_or(start, |next| next.start))
    }

    /// One line for each token: its kind and its text.
    pub fn dump(&self, text: &str) -> String {
        let mut out = String::new();
        for (index, token) in self.tokens.iter().enumerate() {
            out.push_str(&format!("{:?} {:?}\n", token.kind, self.range(index).text(text)));
        }
        out
    }
}

/// Splits a text into tokens. The text must be shorter than 4 GiB.
pub fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer::new(text);
    lexer.run();
    lexer.finish()
}

/// The same for a text that an expansion of macros made: names in it may carry a mark (see [`qz_base::name::MARK`]).
pub(crate) fn lex_expanded(text: &str) -> Lexed {
    let mut lexer = Lexer::new(text);
    lexer.is_expanded = true;
    lexer.run();
    lexer.finish()
}

/// What surrounds the current token: a bracket, an interpolation or the file.
struct Frame {
    /// The opening token.
    open: u32,
    closer: SyntaxKind,
    /// The first significant token of the current line at this level, if there is one.
    line_start: Option<u32>,
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    pos: usize,
    tokens: Vec<Token>,
    problems: Vec<SyntaxProblem>,
    /// Kind of the last significant token, `Newline` at the start.
    last: SyntaxKind,
    /// Its index.
    last_index: u32,
    /// Flags of the trivia since then.
    gap: u16,
    modes: Vec<Mode>,
    frames: Vec<Frame>,
    /// How many `)`, `]` and `}` are awaited since the innermost interpolation started.
    awaited: [u32; 3],
    /// The last closing bracket and its partner, by token index.
    last_pair: (u32, u32),
    /// Heredocs opened on this line.
    pending: VecDeque<strings::PendingHeredoc>,
    /// The heredoc whose body is being read, and what to go on with behind it.
    body: Option<strings::OpenBody>,
    heredocs: Vec<HeredocSpan>,
    /// The first token of this line.
    line_first: u32,
    /// A string of this line lacks its quote, so the brackets around it mean nothing.
    line_is_broken: bool,
    /// The text is an expansion's: names may carry marks.
    is_expanded: bool,
    /// Where `$name` stands that is not called.
    placeholders: Vec<TextRange>,
}

impl<'t> Lexer<'t> {
    fn new(text: &'t str) -> Lexer<'t> {
        assert!(u32::try_from(text.len()).is_ok(), "a source file is shorter than 4 GiB");
        Lexer {
            text,
            bytes: text.as_bytes(),
            pos: 0,
            tokens: Vec::with_capacity(text.len() / 3 + 8),
            problems: Vec::new(),
            last: Newline,
            last_index: 0,
            gap: flags::NEWLINE_BEFORE | flags::SPACE_BEFORE,
            modes: Vec::new(),
            frames: vec![Frame { open: 0, closer: Eof, line_start: None }],
            awaited: [0; 3],
            last_pair: (u32::MAX, 0),
            pending: VecDeque::new(),
            body: None,
            heredocs: Vec::new(),
            line_first: 0,
            line_is_broken: false,
            is_expanded: false,
            placeholders: Vec::new(),
        }
    }

    fn run(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.pos = '\u{feff}'.len_utf8();
            self.trivia(Whitespace, 0);
        }
        while self.pos < self.bytes.len() {
            let before = self.pos;
            self.token();
            debug_assert!(self.pos > before, "the lexer moves on");
        }
        self.close_strings_at_eof();
    }

    fn finish(mut self) -> Lexed {
        let start = self.text.len() as u32;
        self.tokens.push(Token { kind: Eof, flags: self.gap | flags::NEWLINE_BEFORE, start });
        self.problems.sort_by_key(|problem| problem.range.start);
        Lexed {
            tokens: self.tokens,
            heredocs: self.heredocs,
            problems: self.problems,
            placeholders: self.placeholders,
        }
    }

    /// One token (or one string's beginning) from the current place.
    fn token(&mut self) {
        let start = self.pos;
        match class_of(self.bytes[start]) {
            Class::Space => self.spaces(start),
            Class::Newline => self.newline(start),
            Class::Lower | Class::Upper => self.word(start),
            Class::Digit => self.number(start),
            Class::Quote => self.string_start(start),
            Class::Hash => self.comment(start),
            Class::Apostrophe => self.char_literal(start),
            Class::Punct => self.punctuation(start),
            Class::Other => self.other(start),
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    fn problem(&mut self, start: usize, end: usize, kind: SyntaxProblemKind) {
        self.problems.push(SyntaxProblem { range: TextRange::new(start as u32, end as u32), kind });
    }

    /// A token of trivia from `start` to here.
    fn trivia(&mut self, kind: SyntaxKind, start: usize) {
        self.tokens.push(Token { kind, flags: 0, start: start as u32 });
        self.gap |= flags::SPACE_BEFORE;
    }

    /// A significant token from `start` to here; gives its index.
    fn push(&mut self, kind: SyntaxKind, start: usize, extra: u16) -> u32 {
        let index = self.tokens.len() as u32;
        self.tokens.push(Token { kind, flags: self.gap | extra, start: start as u32 });
        let starts_line =
            self.gap & flags::NEWLINE_BEFORE != 0 && !continues_pattern(self.last) || self.last == Semicolon;
        if let Some(frame) = self.frames.last_mut()
            && (starts_line && !matches!(kind, RParen | RBracket | RBrace) || frame.line_start.is_none())
        {
            frame.line_start = Some(index);
        }
        self.gap = 0;
        self.last = kind;
        self.last_index = index;
        index
    }

    fn spaces(&mut self, start: usize) {
        while class_of(self.peek(0)) == Class::Space && self.pos < self.bytes.len() {
            self.pos += 1;
        }
        self.trivia(Whitespace, start);
    }

    fn newline(&mut self, start: usize) {
        self.pos += 1;
        self.trivia(Newline, start);
        self.gap |= flags::NEWLINE_BEFORE;
        self.line_first = self.tokens.len() as u32;
        self.newline_in_interps();
        if self.modes.is_empty() {
            self.next_heredoc_body();
        }
    }

    fn comment(&mut self, start: usize) {
        while self.pos < self.bytes.len() && self.bytes[self.pos] != b'\n' {
            self.pos += 1;
        }
        if self.bytes[self.pos - 1] == b'\r' && self.pos - 1 > start {
            self.pos -= 1;
        }
        let kind = match &self.bytes[start..self.pos] {
            [b'#', b'#', b'!', ..] => ModuleDoc,
            [b'#', b'#', b'#', ..] => Comment,
            [b'#', b'#', ..] => DocComment,
            _ => Comment,
        };
        self.trivia(kind, start);
        if kind == DocComment {
            self.gap |= flags::DOC_BEFORE;
        }
    }

    /// A name or keyword; `r"` and `r#"` start a raw string.
    fn word(&mut self, start: usize) {
        if self.bytes[start] == b'r' && self.raw_string(start) {
            return;
        }
        self.skip_name();
        let upper = class_of(self.bytes[start]) == Class::Upper;
        self.finish_word(start, upper);
    }

    fn finish_word(&mut self, start: usize, upper: bool) {
        let extra = if upper { flags::UPPER } else { 0 };
        let after_dot = matches!(self.last, Dot | QuestionDot) && self.gap & flags::NEWLINE_BEFORE == 0;
        let mut kind = if upper { Ident } else { SyntaxKind::of_word(&self.text[start..self.pos]) };
        let joins = !upper && self.peek(0) == b'?' && !matches!(self.peek(1), b'.' | b'?');
        if joins && (!kind.is_hard_keyword() || after_dot || self.last == DefKw) {
            self.pos += 1;
            kind = Ident;
        } else if after_dot {
            kind = Ident;
        }
        self.push(kind, start, extra);
    }

    fn skip_name(&mut self) {
        while let Some(&byte) = self.bytes.get(self.pos) {
            match class_of(byte) {
                Class::Lower | Class::Upper | Class::Digit => self.pos += 1,
                Class::Other if byte >= 0x80 => {
                    let c = self.char_here();
                    if !unicode_ident::is_xid_continue(c) && !(self.is_expanded && c == MARK) {
                        break;
                    }
                    self.pos += c.len_utf8();
                }
                _ => break,
            }
        }
    }

    fn char_here(&self) -> char {
        self.text[self.pos..].chars().next().unwrap_or('\0')
    }

    /// A name in another alphabet, or characters that start nothing.
    fn other(&mut self, start: usize) {
        let first = self.char_here();
        self.pos += first.len_utf8();
        if unicode_ident::is_xid_start(first) {
            self.skip_name();
            return self.finish_word(start, first.is_uppercase());
        }
        while self.pos < self.bytes.len()
            && class_of(self.bytes[self.pos]) == Class::Other
            && !unicode_ident::is_xid_start(self.char_here())
        {
            self.pos += self.char_here().len_utf8();
        }
        self.problem(start, self.pos, SyntaxProblemKind::UnknownChar { found: first });
        self.push(Unknown, start, 0);
    }

    // ---- brackets

    fn open_bracket(&mut self, kind: SyntaxKind, start: usize) {
        let open = self.push(kind, start, 0);
        let closer = match kind {
            LParen => RParen,
            LBracket => RBracket,
            LBrace => RBrace,
            _ => InterpEnd,
        };
        if let Some(slot) = bracket_slot(closer) {
            self.awaited[slot] += 1;
        }
        self.frames.push(Frame { open, closer, line_start: None });
    }

    pub(super) fn close_bracket(&mut self, kind: SyntaxKind, start: usize) {
        let open = self.pop_frame(kind);
        let close = self.push(kind, start, 0);
        if let Some(open) = open {
            self.tokens[open as usize].flags |= flags::CLOSED;
            self.last_pair = (close, open);
        }
    }

    /// Leaves the bracket that `closer` closes, and whatever was left open in it. Gives its opening token.
    fn pop_frame(&mut self, closer: SyntaxKind) -> Option<u32> {
        if bracket_slot(closer).is_some_and(|slot| self.awaited[slot] == 0) {
            return None;
        }
        while self.frames.len() > 1 {
            let frame = self.frames.pop()?;
            if let Some(slot) = bracket_slot(frame.closer) {
                self.awaited[slot] -= 1;
            }
            if frame.closer == closer {
                return Some(frame.open);
            }
        }
        None
    }

    fn fat_arrow(&mut self, start: usize) {
        self.push(FatArrow, start, 0);
        if let Some(first) = self.frames.last().and_then(|frame| frame.line_start) {
            self.tokens[first as usize].flags |= flags::ARM;
        }
    }

    fn thin_arrow(&mut self, start: usize) {
        let same_line = self.gap & flags::NEWLINE_BEFORE == 0;
        let flag = if self.last == RParen && same_line { flags::LAMBDA } else { 0 };
        self.flag_pair_before(flag);
        self.push(Arrow, start, 0);
    }

    fn assign(&mut self, start: usize) {
        self.flag_pair_before(flags::BEFORE_EQ);
        self.push(Eq, start, 0);
    }

    fn colon(&mut self, start: usize) {
        if self.gap & flags::NEWLINE_BEFORE == 0 {
            self.flag_pair_before(flags::BEFORE_COLON);
        }
        self.push(Colon, start, 0);
    }

    /// Marks the opening bracket whose partner is the last significant token.
    fn flag_pair_before(&mut self, flag: u16) {
        let (close, open) = self.last_pair;
        if close == self.last_index {
            self.tokens[open as usize].flags |= flag;
        }
    }
}

fn bracket_slot(closer: SyntaxKind) -> Option<usize> {
    match closer {
        RParen => Some(0),
        RBracket => Some(1),
        RBrace => Some(2),
        _ => None,
    }
}

/// After these a pattern goes on in the next line, so that line starts no arm of its own.
fn continues_pattern(kind: SyntaxKind) -> bool {
    matches!(kind, Pipe | Comma | IfKw | UnlessKw | AndKw | OrKw | NotKw)
}
