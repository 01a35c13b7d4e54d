//! How do tokens become a tree? The machinery of the recursive descent: the cursor, nodes, problems, context. The
//! grammar itself is in [`grammar`](crate::grammar), one function for each production.
//!
//! **Linear time.** Lookahead is a fixed number of tokens, or a fact the lexer noted, or (type arguments) a
//! memoised scan. **Recovery.** What the parser cannot use goes into an `Error` node up to the end of the line;
//! closing tokens that someone outside waits for end the inner construct. If blocks and `end`s do not match, the
//! file is parsed a second time with indentation as a witness of which block lacks its `end`. **Depth.**
//! [`Parser::enter`] bounds the recursion; deeper code is skipped.

use qz_base::{FxHashMap, TextRange};

use crate::SyntaxKind::{self, *};
use crate::grammar;
use crate::lexer::{HeredocSpan, Lexed, Token, flags, lex};
use crate::problems::{StringForm, SyntaxProblem, SyntaxProblemKind, Wanted};
use crate::tree::{Checkpoint, SyntaxTree, TreeBuilder};

/// How deep constructs may nest. A level costs at most about 4 KiB of stack in debug builds.
pub const MAX_NESTING: u32 = 256;

/// The result of parsing a text: always a whole tree, and whatever is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parse {
    /// The tree of the whole text.
    pub tree: SyntaxTree,
    /// Problems of lexer and parser, by place.
    pub problems: Vec<SyntaxProblem>,
    /// How many steps the parser took: a measure of work that does not depend on the machine.
    pub steps: u64,
}

/// Parses a file. The text must be shorter than 4 GiB.
pub fn parse(text: &str) -> Parse {
    let lexed = lex(text);
    let Lexed { tokens, heredocs, problems: lex_problems } = lexed;
    let mut parser = Parser::new(text, tokens, &heredocs);
    parser.end_is_lost = lex_problems.iter().any(|problem| reaches_end(problem.kind));
    grammar::source_file(&mut parser);
    let mut steps = parser.steps;
    if parser.blocks_mismatch {
        let mut second = parser.again();
        grammar::source_file(&mut second);
        steps += second.steps;
        if second.problems.len() <= parser.problems.len() {
            parser = second;
        }
    }
    let Parser { builder, mut problems, tokens, .. } = parser;
    drop(tokens);
    let (tree, too_deep) = builder.finish();
    if let Some(offset) = too_deep {
        let range = TextRange::empty(offset);
        problems.push(SyntaxProblem { range, kind: SyntaxProblemKind::TooDeep });
    }
    problems.retain(|problem| !follows_from(problem, &lex_problems));
    problems.extend(lex_problems);
    problems.sort_by_key(|problem| (problem.range.start, problem.range.end, problem.code()));
    problems.dedup();
    Parse { tree, problems, steps }
}

/// A string that lacks its end takes the rest of the file with it.
fn reaches_end(kind: SyntaxProblemKind) -> bool {
    match kind {
        SyntaxProblemKind::UnterminatedString { form } => {
            matches!(form, StringForm::Triple | StringForm::Raw)
        }
        kind => kind == SyntaxProblemKind::UnterminatedHeredoc,
    }
}

/// A problem that is but another view of one the lexer has reported: an unexpected token that is malformed itself,
/// or a bracket whose partner is inside a string that lacks its end.
fn follows_from(problem: &SyntaxProblem, lexical: &[SyntaxProblem]) -> bool {
    let before = |offset: u32| lexical.partition_point(|other| other.range.start < offset);
    match problem.kind {
        SyntaxProblemKind::Expected { .. } => {
            let candidate = lexical[..before(problem.range.start + 1)].last();
            candidate.is_some_and(|other| problem.range.start < other.range.end.max(other.range.start + 1))
        }
        SyntaxProblemKind::UnclosedBracket { before: until, .. } => {
            let between = &lexical[before(problem.range.start)..before(until.start + 1)];
            between.iter().any(|other| matches!(other.kind, SyntaxProblemKind::UnterminatedString { .. }))
        }
        _ => false,
    }
}

/// A set of tokens that end a construct.
pub(crate) mod stop {
    pub(crate) const END: u16 = 1;
    /// `else`, `elsif`
    pub(crate) const ELSE: u16 = 2;
    /// The first token of an arm.
    pub(crate) const ARM: u16 = 4;
    pub(crate) const PAREN: u16 = 8;
    pub(crate) const BRACKET: u16 = 16;
    pub(crate) const BRACE: u16 = 32;
    /// Text of a string around the expression.
    pub(crate) const STRING: u16 = 64;
    pub(crate) const EOF: u16 = 128;
    /// What always ends everything inside.
    pub(crate) const ALWAYS: u16 = STRING | EOF;
}

/// What the surroundings demand.
#[derive(Copy, Clone)]
pub(crate) struct Cx {
    /// A line break ends a statement here: not so in `()` and `[]`.
    pub(crate) lines: bool,
    /// `do` belongs to someone outside.
    pub(crate) no_do: bool,
    /// `do` directly before a line break belongs to a loop's head, by mistake.
    pub(crate) loop_head: bool,
    /// In the head of `if`, `match` or a loop, where `{` is no block but a body in braces.
    pub(crate) head: bool,
    /// A range may be open, directly in `[]`.
    pub(crate) open_range: bool,
    /// Tokens that someone outside waits for.
    pub(crate) stops: u16,
}

impl Cx {
    /// Nothing from outside but who waits for which token.
    pub(crate) fn fresh(stops: u16) -> Cx {
        Cx { lines: true, no_do: false, loop_head: false, head: false, open_range: false, stops }
    }
}

/// An open block: who waits for the next `end`.
#[derive(Copy, Clone)]
struct Opener {
    /// The indentation of its line.
    indent: u32,
}

pub(crate) struct Parser<'t> {
    pub(crate) text: &'t str,
    tokens: Vec<Token>,
    heredocs: &'t [HeredocSpan],
    /// The current significant token.
    pub(crate) pos: usize,
    pub(crate) kind: SyntaxKind,
    /// Tokens before this one are in the builder.
    emitted: usize,
    /// The last significant token.
    pub(crate) prev: SyntaxKind,
    pub(crate) prev_range: TextRange,
    builder: TreeBuilder,
    pub(crate) cx: Cx,
    problems: Vec<SyntaxProblem>,
    /// Where the current statement, declaration or arm starts.
    pub(crate) entry: usize,
    /// The token of the last problem: there is one for each token at most.
    last_problem: usize,
    /// The line of the last problem, by its first token.
    reported_line: usize,
    /// Inside constructs of a later issue nothing is reported.
    pub(crate) muted: u32,
    /// Inside of text that makes no sense nothing at all is reported.
    pub(crate) lost: u32,
    depth: u32,
    too_deep: bool,
    openers: Vec<Opener>,
    /// Believe the indentation: the first run found blocks and `end`s that do not match.
    pub(crate) trust_indent: bool,
    pub(crate) blocks_mismatch: bool,
    /// The file ends inside a string, so whatever is open at its end is no mistake of its own.
    end_is_lost: bool,
    /// The indentation of the current line.
    indent: u32,
    /// The first token of the current line, and of the line before.
    line_first: usize,
    line_before: usize,
    /// Labels of the loops around, innermost last.
    pub(crate) labels: Vec<&'t str>,
    /// Blocks of words this language has not, whose `end` is still to come.
    pub(crate) foreign_blocks: u32,
    /// The last entry of the file was a reported statement.
    pub(crate) stray_run: bool,
    /// Attributes stand directly before.
    pub(crate) prev_was_attr: bool,
    /// Scanned `<`: where its list of types ends, or 0 if it is none.
    pub(crate) type_lists: FxHashMap<u32, u32>,
    /// Tokens that were split, as they were.
    split: Vec<(usize, Token)>,
    pub(crate) steps: u64,
}

// ------------------------------------------------------------------------------------------------- the cursor

impl<'t> Parser<'t> {
    fn new(text: &'t str, tokens: Vec<Token>, heredocs: &'t [HeredocSpan]) -> Parser<'t> {
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
    fn again(&mut self) -> Parser<'t> {
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
    fn column(&self, index: usize) -> u32 {
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

    pub(crate) fn current_text(&self) -> &'t str {
        self.text_of(self.range())
    }

    /// The current token is a name that starts with a capital letter.
    pub(crate) fn at_upper(&self) -> bool {
        self.token().has(flags::UPPER)
    }
}

// ----------------------------------------------------------------------------------------------------- nodes

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
        self.expected(wanted);
        false
    }

    /// Any word as the name of a field or method.
    pub(crate) fn word(&mut self, wanted: Wanted) -> bool {
        let there = self.kind.is_word() && !self.line_ended();
        if there {
            self.bump_as(Ident);
        } else {
            self.expected(wanted);
        }
        there
    }
}

// -------------------------------------------------------------------------------------------------- problems

impl<'t> Parser<'t> {
    /// Reports the current token, once.
    pub(crate) fn problem(&mut self, kind: SyntaxProblemKind) {
        if self.last_problem == self.pos {
            return;
        }
        self.problem_at(self.range(), kind);
    }

    /// Reports a place, and counts the rest of its line as reported.
    pub(crate) fn problem_at(&mut self, range: TextRange, kind: SyntaxProblemKind) {
        let line_is_over = self.on_new_line() && range.end <= self.token().start;
        if line_is_over {
            self.last_problem = self.pos.saturating_sub(1);
            self.reported_line = self.line_before;
        } else {
            self.last_problem = self.pos;
            self.reported_line = self.line_first;
        }
        if self.muted == 0 && self.lost == 0 {
            self.problems.push(SyntaxProblem { range, kind });
        }
    }

    /// Reports that something else was wanted here: at the current token, or behind the last one if the line
    /// ended too early. What the lexer has reported is not reported again.
    pub(crate) fn expected(&mut self, wanted: Wanted) {
        if self.last_problem == self.pos {
            return;
        }
        self.last_problem = self.pos;
        if self.kind == Unknown || self.prev == Unknown {
            return;
        }
        if self.on_new_line() && self.pos != self.entry {
            if self.reported_line == self.line_before {
                return;
            }
            let found = if self.at(Eof) { Eof } else { Newline };
            let range = TextRange::empty(self.prev_range.end);
            self.problem_at(range, SyntaxProblemKind::Expected { wanted, found });
        } else {
            self.problem_at(self.range(), SyntaxProblemKind::Expected { wanted, found: self.kind });
        }
        self.last_problem = self.pos;
    }

    pub(crate) fn problem_count(&self) -> usize {
        self.problems.len()
    }

    /// What was reported last, to be restored after a construct that reports nothing.
    pub(crate) fn last_reported(&self) -> (usize, usize) {
        (self.last_problem, self.reported_line)
    }

    pub(crate) fn restore_reported(&mut self, last: (usize, usize)) {
        (self.last_problem, self.reported_line) = last;
    }

    /// Whether a problem was reported at the current token.
    pub(crate) fn just_reported(&self) -> bool {
        self.last_problem == self.pos
    }

    /// Whether a problem was reported on the current line: what follows on it may be its consequence.
    pub(crate) fn line_reported(&self) -> bool {
        self.reported_line == self.line_first
    }

    /// Counts the current token as reported.
    pub(crate) fn silence(&mut self) {
        self.last_problem = self.pos;
    }
}

// ----------------------------------------------------------------------------------------- context and recovery

impl<'t> Parser<'t> {
    /// One level deeper, if the limit allows; else the construct is skipped. Pairs with [`Parser::leave`].
    pub(crate) fn enter(&mut self) -> bool {
        if self.depth < MAX_NESTING {
            self.depth += 1;
            return true;
        }
        if !self.too_deep {
            self.too_deep = true;
            self.problem(SyntaxProblemKind::TooDeep);
        }
        self.silence();
        false
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// The stop this token is, if it is one.
    pub(crate) fn stop_bit(&self) -> u16 {
        match self.kind {
            EndKw => stop::END,
            ElseKw | ElsifKw => stop::ELSE,
            RParen => stop::PAREN,
            RBracket => stop::BRACKET,
            RBrace => stop::BRACE,
            InterpEnd | StrText | StrEnd | HeredocEnd => stop::STRING,
            Eof => stop::EOF,
            _ if self.token().has(flags::ARM) && (self.on_new_line() || self.prev == Semicolon) => stop::ARM,
            _ => 0,
        }
    }

    /// The current token ends the construct or one around it.
    pub(crate) fn at_stop(&self) -> bool {
        self.stop_bit() & self.cx.stops != 0
    }

    /// A declaration's first word at the start of a line: nothing that was begun before goes on here.
    pub(crate) fn at_item_line(&self) -> bool {
        self.on_new_line() && matches!(self.kind, DefKw | StructKw | EnumKw | TraitKw | ImplKw | ImportKw)
    }

    /// Opens a block at the current token, which is its keyword; gives what `close_block` needs.
    pub(crate) fn open_block(&mut self) -> (SyntaxKind, TextRange) {
        self.openers.push(Opener { indent: self.indent });
        (self.kind, self.range())
    }

    /// The `end` of a block, or the report that it is missing.
    pub(crate) fn close_block(&mut self, (keyword, opener): (SyntaxKind, TextRange)) {
        let ours = self.at(EndKw) && self.end_is_ours();
        self.openers.pop();
        if ours {
            self.bump();
            return;
        }
        if self.at(Eof) && self.end_is_lost {
            return;
        }
        self.blocks_mismatch = true;
        if !self.just_reported() {
            self.silence();
            let before = if self.at(Eof) { TextRange::empty(self.prev_range.end) } else { self.range() };
            // Where a block of a later issue ends does matter.
            let muted = std::mem::take(&mut self.muted);
            self.problem_at(opener, SyntaxProblemKind::UnclosedBlock { keyword, before });
            self.muted = muted;
            self.silence();
        }
    }

    /// Ends a block whose closing token is not `end`.
    pub(crate) fn forget_block(&mut self) {
        self.openers.pop();
    }

    /// Whether an `end` closes the innermost block. Indentation has a say only if blocks were found not to match.
    fn end_is_ours(&self) -> bool {
        if !self.trust_indent || !self.on_new_line() {
            return true;
        }
        let column = self.column(self.pos);
        match self.openers.split_last() {
            Some((inner, outer)) => column >= inner.indent || outer.iter().all(|o| o.indent != column),
            None => true,
        }
    }

    /// With the indentation as witness: an `end` that stands deeper than every open block.
    pub(crate) fn at_surplus_end(&self) -> bool {
        self.trust_indent
            && self.at(EndKw)
            && self.on_new_line()
            && self.openers.last().is_some_and(|inner| self.column(self.pos) > inner.indent)
    }

    /// With the indentation as witness: the current line starts left of, or level with, the block it stands in.
    pub(crate) fn outdented(&self) -> bool {
        let opener = self.openers.last();
        self.trust_indent && self.on_new_line() && opener.is_some_and(|o| self.column(self.pos) <= o.indent)
    }

    /// The indentation of the innermost open block's line.
    pub(crate) fn block_indent(&self) -> u32 {
        self.openers.last().map_or(0, |opener| opener.indent)
    }

    pub(crate) fn line_indent(&self) -> u32 {
        self.indent
    }

    /// One token into an `Error` node.
    pub(crate) fn skip_one(&mut self) {
        if self.at(Eof) {
            return;
        }
        let from = self.start();
        self.bump();
        self.finish(from, Error);
    }

    /// A bracket and everything to its partner. A bracket without one is a single token.
    pub(crate) fn skip_bracketed(&mut self) {
        let open = self.kind;
        let close = match open {
            LParen => RParen,
            LBracket => RBracket,
            _ => RBrace,
        };
        if !self.token().has(flags::CLOSED) {
            return self.bump();
        }
        let mut depth = 0;
        while !self.at(Eof) {
            if self.at(open) {
                depth += 1;
            } else if self.at(close) {
                depth -= 1;
            }
            self.bump();
            if depth == 0 {
                return;
            }
        }
    }

    /// After the limit of nesting: skips the construct at the current token, brackets and blocks balanced as well as
    /// tokens alone can tell.
    pub(crate) fn skip_construct(&mut self) {
        let mut depth = 0u32;
        let mut first = true;
        while !self.at(Eof) {
            match self.kind {
                RParen | RBracket | RBrace | InterpEnd | EndKw if depth == 0 => return,
                RParen | RBracket | RBrace | InterpEnd | EndKw => depth -= 1,
                _ if depth == 0
                    && !first
                    && (self.on_new_line() || matches!(self.kind, Comma | Semicolon)) =>
                {
                    return;
                }
                StrEnd | StrText | HeredocEnd if depth == 0 && first => return,
                LParen | LBracket | LBrace | InterpStart | DoKw | MatchKw | LoopKw | WhileKw | UntilKw => {
                    depth += 1
                }
                IfKw | UnlessKw if self.on_new_line() || !ends_operand(self.prev) => depth += 1,
                ForKw | SelectKw | HandlerKw if self.on_new_line() => depth += 1,
                _ => {}
            }
            first = false;
            self.bump();
        }
    }
}

/// An operand may end with a token of this kind.
pub(crate) fn ends_operand(kind: SyntaxKind) -> bool {
    kind.is_name()
        || matches!(kind, IntNumber | FloatNumber | Char | Symbol | RawString | Regex | StrEnd | HeredocStart)
        || matches!(kind, RParen | RBracket | RBrace | Question | Bang)
        || matches!(kind, EndKw | SelfKw | TrueKw | FalseKw | NilKw | Underscore)
}
