//! What happens where the text does not fit? Reporting each mistake once, deciding where a construct ends without its
//! closing token, skipping without tearing brackets and blocks apart, and the limit of nesting.

use qz_base::TextRange;

use super::{MAX_NESTING, Opener, Parser, stop};
use crate::SyntaxKind::{self, *};
use crate::lexer::flags;
use crate::problems::{SyntaxProblem, SyntaxProblemKind, Wanted};

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
