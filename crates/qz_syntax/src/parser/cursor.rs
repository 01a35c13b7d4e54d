//! How does the parser move through the tokens, and how do they get into the tree? Lookahead, taking tokens, starting
//! and finishing nodes. Trivia goes into the tree just before the token or node that follows it.

use qz_base::{FxHashMap, TextRange};

use super::{Cx, Parser, stop};
use crate::SyntaxKind::{self, *};
use crate::grammar;
use crate::lexer::{HeredocSpan, Token, flags};
use crate::problems::{SyntaxProblemKind, Wanted};
use crate::tree::{Checkpoint, TreeBuilder};

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str, tokens: Vec<Token>, heredocs: &'t [HeredocSpan]) -> Parser<'t> {
        let mut builder = TreeBuilder::default();
        builder.reserve(tokens.len() * 2);
        let mut parser = Parser {
            text,
            tokens,
            heredocs,
            pos: 0,
            kind: Eof,
            emitted: 0,
            prev: Newline,
            prev_range: TextRange::empty(0),
            builder,
            cx: Cx::fresh(stop::ALWAYS),
            problems: Vec::new(),
            entry: 0,
            last_problem: usize::MAX,
            reported_line: usize::MAX,
            muted: 0,
            lost: 0,
            depth: 0,
            too_deep: false,
            openers: Vec::new(),
            trust_indent: false,
            blocks_mismatch: false,
            end_is_lost: false,
            indent: 0,
            line_first: 0,
            line_before: 0,
            labels: Vec::new(),
            foreign_blocks: 0,
            macros: 0,
            quotes: 0,
            attr_args: false,
            stray_run: false,
            prev_was_attr: false,
            type_lists: FxHashMap::default(),
            split: Vec::new(),
            steps: 0,
        };
        parser.settle();
        parser
    }

    /// The same file once more, believing its indentation. Keeps what is needed to report the first run.
    pub(super) fn again(&mut self) -> Parser<'t> {
        let mut tokens = self.tokens.clone();
        for &(index, token) in self.split.iter().rev() {
            tokens[index] = token;
        }
        let mut second = Parser::new(self.text, tokens, self.heredocs);
        second.trust_indent = true;
        second.end_is_lost = self.end_is_lost;
        second
    }

    /// Moves on to the next significant token.
    fn settle(&mut self) {
        loop {
            let token = self.tokens[self.pos];
            if token.has(flags::HEREDOC_BODY) {
                self.pos = self.heredoc_end(self.pos);
            } else if token.kind.is_trivia() {
                self.pos += 1;
            } else {
                self.kind = token.kind;
                break;
            }
            self.steps += 1;
        }
        if self.tokens[self.pos].has(flags::NEWLINE_BEFORE) {
            self.indent = self.column(self.pos);
            self.line_before = self.line_first;
            self.line_first = self.pos;
        }
    }

    fn heredoc_end(&self, first: usize) -> usize {
        let found = self.heredocs.binary_search_by_key(&(first as u32), |span| span.first);
        found.map_or(first + 1, |at| self.heredocs[at].end as usize)
    }

    /// The column of a token that is the first of its line.
    pub(super) fn column(&self, index: usize) -> u32 {
        let token = self.tokens[index];
        match index.checked_sub(1).map(|before| self.tokens[before]) {
            Some(before) if before.kind == Whitespace => token.start - before.start,
            _ => 0,
        }
    }

    fn advance(&mut self) {
        let start = self.tokens[self.pos].start;
        self.prev = self.kind;
        self.prev_range = TextRange::new(start, self.tokens[self.pos + 1].start);
        self.pos += 1;
        self.steps += 1;
        self.settle();
    }

    pub(crate) fn token(&self) -> Token {
        self.tokens[self.pos]
    }

    /// The `n`-th significant token from here, which is 0.
    pub(crate) fn ahead(&self, n: usize) -> Token {
        self.tokens[self.index_ahead(n)]
    }

    pub(crate) fn nth(&self, n: usize) -> SyntaxKind {
        self.ahead(n).kind
    }

    fn index_ahead(&self, n: usize) -> usize {
        (0..n).fold(self.pos, |index, _| self.index_after(index))
    }

    /// The next significant token after one.
    pub(crate) fn index_after(&self, index: usize) -> usize {
        let mut index = (index + 1).min(self.tokens.len() - 1);
        loop {
            let token = self.tokens[index];
            if token.has(flags::HEREDOC_BODY) {
                index = self.heredoc_end(index);
            } else if token.kind.is_trivia() {
                index += 1;
            } else {
                return index;
            }
        }
    }

    pub(crate) fn token_at(&self, index: usize) -> Token {
        self.tokens[index]
    }

    pub(crate) fn at(&self, kind: SyntaxKind) -> bool {
        self.kind == kind
    }

    /// A line break before the current token, wherever we are.
    pub(crate) fn on_new_line(&self) -> bool {
        self.token().has(flags::NEWLINE_BEFORE)
    }

    /// A line break that means something.
    pub(crate) fn line_ended(&self) -> bool {
        self.cx.lines && self.on_new_line()
    }

    pub(crate) fn spaced(&self) -> bool {
        self.token().has(flags::SPACE_BEFORE)
    }

    pub(crate) fn range(&self) -> TextRange {
        TextRange::new(
            self.token().start,
            self.tokens.get(self.pos + 1).map_or(self.token().start, |t| t.start),
        )
    }

    pub(crate) fn text_of(&self, range: TextRange) -> &'t str {
        range.text(self.text)
    }

    /// The text from an offset on.
    pub(crate) fn text_from(&self, start: u32) -> &'t str {
        &self.text[start as usize..]
    }

    pub(crate) fn current_text(&self) -> &'t str {
        self.text_of(self.range())
    }

    /// The current token is a name that starts with a capital letter.
    pub(crate) fn at_upper(&self) -> bool {
        self.token().has(flags::UPPER)
    }
}

impl<'t> Parser<'t> {
    /// Where the root starts: before everything.
    pub(crate) fn root(&self) -> Checkpoint {
        self.builder.checkpoint()
    }

    /// What is left at the end of the file, and the root around everything.
    pub(crate) fn finish_root(&mut self, from: Checkpoint) {
        self.flush(self.tokens.len() - 1);
        self.builder.node(from, SourceFile);
    }

    /// The kind of the node or token finished last.
    pub(crate) fn last_kind(&self) -> SyntaxKind {
        self.builder.elements.last().map_or(Eof, |element| element.kind)
    }

    /// Where a node may start: at the current token.
    pub(crate) fn start(&mut self) -> Checkpoint {
        self.flush(self.pos);
        self.builder.checkpoint()
    }

    /// Where an item may start: at the doc comments directly before it.
    pub(crate) fn start_item(&mut self) -> Checkpoint {
        if self.token().has(flags::DOC_BEFORE) {
            let docs = self.first_doc();
            self.flush(docs);
            return self.builder.checkpoint();
        }
        self.start()
    }

    /// The first of the doc comments before the current token, without a blank line between them.
    fn first_doc(&self) -> usize {
        let mut first = self.pos;
        let mut breaks = 0;
        for index in (self.emitted..self.pos).rev() {
            match self.tokens[index].kind {
                Newline => breaks += 1,
                DocComment if breaks <= 1 || first == self.pos => {
                    first = index;
                    breaks = 0;
                }
                Whitespace => {}
                _ => break,
            }
        }
        first
    }

    pub(crate) fn finish(&mut self, from: Checkpoint, kind: SyntaxKind) {
        self.builder.node(from, kind);
    }

    /// A node without anything in it, for what the text lacks.
    pub(crate) fn empty(&mut self, kind: SyntaxKind) {
        let here = self.builder.checkpoint();
        self.builder.node(here, kind);
    }

    /// Puts the trivia (and heredoc bodies) before a token into the tree.
    fn flush(&mut self, upto: usize) {
        while self.emitted < upto {
            let index = self.emitted;
            let token = self.tokens[index];
            if token.has(flags::HEREDOC_BODY) {
                self.heredoc_island(index);
            } else {
                self.builder.token(token.kind, token.start, self.tokens[index + 1].start);
                self.emitted += 1;
            }
        }
    }

    /// Parses a heredoc's body where it stands, wherever the parser is.
    fn heredoc_island(&mut self, first: usize) {
        let end = self.heredoc_end(first);
        let saved = (self.pos, self.kind, self.prev, self.prev_range, self.cx);
        let line = (self.indent, self.line_first, self.line_before, self.entry, self.last_reported());
        self.pos = first;
        self.kind = self.tokens[first].kind;
        self.cx = Cx::fresh(stop::ALWAYS);
        self.tokens[first].flags &= !flags::HEREDOC_BODY;
        self.record_heredoc(first);
        grammar::heredoc_body(self, end);
        (self.pos, self.kind, self.prev, self.prev_range, self.cx) = saved;
        let last;
        (self.indent, self.line_first, self.line_before, self.entry, last) = line;
        self.restore_reported(last);
        self.tokens[first].flags |= flags::HEREDOC_BODY;
    }

    fn record_heredoc(&mut self, first: usize) {
        if let Ok(at) = self.heredocs.binary_search_by_key(&(first as u32), |span| span.first) {
            let opener = self.tokens[self.heredocs[at].opener as usize].start;
            self.builder.heredocs.push((opener, self.tokens[first].start));
        }
    }

    pub(crate) fn bump(&mut self) {
        self.bump_as(self.kind);
    }

    /// Takes the current token as one of another kind: a keyword as a name, a name as a keyword.
    pub(crate) fn bump_as(&mut self, kind: SyntaxKind) {
        debug_assert!(self.kind != Eof, "the end of the file is never consumed");
        self.flush(self.pos);
        self.builder.token(kind, self.token().start, self.tokens[self.pos + 1].start);
        self.emitted = self.pos + 1;
        self.advance();
    }

    /// Takes the first byte of the current token as a token of its own: `>` of `>>`, `?` of `??`.
    pub(crate) fn bump_first(&mut self, first: SyntaxKind, rest: SyntaxKind) {
        self.flush(self.pos);
        let token = self.token();
        self.split.push((self.pos, token));
        self.builder.token(first, token.start, token.start + 1);
        self.prev = first;
        self.prev_range = TextRange::new(token.start, token.start + 1);
        self.tokens[self.pos] =
            Token { kind: rest, flags: token.flags & flags::UPPER, start: token.start + 1 };
        self.kind = rest;
        self.steps += 1;
    }

    pub(crate) fn eat(&mut self, kind: SyntaxKind) -> bool {
        let there = self.at(kind);
        if there {
            self.bump();
        }
        there
    }

    /// Reads the current word as another keyword.
    pub(crate) fn replace_kind(&mut self, kind: SyntaxKind) {
        self.split.push((self.pos, self.token()));
        self.tokens[self.pos].kind = kind;
        self.kind = kind;
    }

    /// Like `eat`, but the token must be on this line.
    pub(crate) fn eat_on_line(&mut self, kind: SyntaxKind) -> bool {
        !self.line_ended() && self.eat(kind)
    }

    pub(crate) fn expect(&mut self, kind: SyntaxKind) -> bool {
        let there = !self.line_ended() && self.eat(kind);
        if !there {
            self.expected(Wanted::Token(kind));
        }
        there
    }

    /// A name; a hard keyword is reported and taken as one.
    pub(crate) fn name(&mut self, wanted: Wanted) -> bool {
        if self.line_ended() {
            self.expected(wanted);
            return false;
        }
        if self.kind.is_name() {
            self.bump_as(Ident);
            return true;
        }
        if self.kind.is_hard_keyword() {
            self.problem(SyntaxProblemKind::KeywordAsName { keyword: self.kind });
            self.bump_as(Ident);
            return true;
        }
        if grammar::operands::name_hole(self) {
            return true;
        }
        self.expected(wanted);
        false
    }

    /// Any word as the name of a field or method.
    pub(crate) fn word(&mut self, wanted: Wanted) -> bool {
        let there = self.kind.is_word() && !self.line_ended();
        if there {
            self.bump_as(Ident);
            return true;
        }
        if grammar::operands::name_hole(self) {
            return true;
        }
        self.expected(wanted);
        false
    }
}
