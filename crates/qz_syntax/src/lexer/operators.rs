//! Which operator or bracket stands here? The longest one that fits.

use qz_base::TextRange;

use super::table::{Class, class_of};
use super::{Lexer, flags};
use crate::SyntaxKind::*;

impl Lexer<'_> {
    pub(super) fn punctuation(&mut self, start: usize) {
        let byte = self.bytes[start];
        match byte {
            bracket @ (b'(' | b'[' | b'{') => {
                self.pos += 1;
                let kind = match bracket {
                    b'(' => LParen,
                    b'[' => LBracket,
                    _ => LBrace,
                };
                self.open_bracket(kind, start);
            }
            b')' => {
                self.pos += 1;
                self.close_bracket(RParen, start);
            }
            b']' => {
                self.pos += 1;
                self.close_bracket(RBracket, start);
            }
            b'}' => self.close_brace(start),
            b'<' if self.heredoc_start(start) => {}
            b'~' if self.regex(start) => {}
            b':' if self.symbol(start) => {}
            b'$' if self.placeholder(start) => {}
            _ => self.operator(start),
        }
    }

    /// `:name`, unless a name, `)` or `]` directly precedes.
    fn symbol(&mut self, start: usize) -> bool {
        let before = if start == 0 { b' ' } else { self.bytes[start - 1] };
        let follows_operand = matches!(class_of(before), Class::Lower | Class::Upper | Class::Digit)
            || matches!(before, b')' | b']' | b'?' | b'"' | b'\'' | b'}' | b':')
            || before >= 0x80;
        if follows_operand || !matches!(class_of(self.peek(1)), Class::Lower | Class::Upper) {
            return false;
        }
        self.pos += 1;
        self.skip_name();
        if self.peek(0) == b'?' && !matches!(self.peek(1), b'.' | b'?') {
            self.pos += 1;
        }
        self.push(Symbol, start, 0);
        true
    }

    /// `$name` and `$*name`: one name, which an expansion replaces, unless it is called. Behind `def`, `macro`, `.` and `::` the
    /// brackets are not a call's.
    fn placeholder(&mut self, start: usize) -> bool {
        let sigil = if self.peek(1) == b'*' { 2 } else { 1 };
        let first = class_of(self.peek(sigil));
        if !matches!(first, Class::Lower | Class::Upper) {
            return false;
        }
        self.pos += sigil;
        self.skip_name();
        let names = matches!(self.last, DefKw | MacroKw | Dot | QuestionDot | ColonColon);
        let is_path = self.peek(0) == b':' && self.peek(1) == b':' && first == Class::Lower;
        if sigil == 1 && (self.peek(0) == b'(' || is_path) && !names {
            self.pos = start;
            return false;
        }
        let range = TextRange::new(start as u32, self.pos as u32);
        self.placeholders.push(range);
        self.push(Ident, start, if first == Class::Upper { flags::UPPER } else { 0 });
        true
    }

    fn operator(&mut self, start: usize) {
        let ahead = [self.peek(0), self.peek(1), self.peek(2)];
        let (kind, length) = operator_at(ahead);
        self.pos += length;
        match kind {
            Arrow => self.thin_arrow(start),
            FatArrow => self.fat_arrow(start),
            Eq => self.assign(start),
            Colon => self.colon(start),
            _ => {
                self.push(kind, start, 0);
            }
        }
    }
}

/// The operator that starts with these bytes, and its length.
fn operator_at(ahead: [u8; 3]) -> (crate::SyntaxKind, usize) {
    match ahead {
        [b'.', b'.', b'='] => (DotDotEq, 3),
        [b'.', b'.', b'.'] => (DotDotDot, 3),
        [b'<', b'<', b'='] => (LtLtEq, 3),
        [b'>', b'>', b'='] => (GtGtEq, 3),
        [b'?', b'?', b'='] => (QuestionQuestionEq, 3),
        [b'.', b'.', _] => (DotDot, 2),
        [b'<', b'<', _] => (LtLt, 2),
        [b'>', b'>', _] => (GtGt, 2),
        [b'?', b'?', _] => (QuestionQuestion, 2),
        // `e?..n` is a range from `e?`.
        [b'?', b'.', b'.'] => (Question, 1),
        [b'?', b'.', _] => (QuestionDot, 2),
        [b':', b':', _] => (ColonColon, 2),
        [b'-', b'>', _] => (Arrow, 2),
        [b'=', b'>', _] => (FatArrow, 2),
        [b'|', b'>', _] => (PipeGt, 2),
        [b'=', b'=', _] => (EqEq, 2),
        [b'!', b'=', _] => (BangEq, 2),
        [b'<', b'=', _] => (LtEq, 2),
        [b'>', b'=', _] => (GtEq, 2),
        [b'*', b'*', _] => (StarStar, 2),
        [b'&', b'&', _] => (AmpAmp, 2),
        [b'|', b'|', _] => (PipePipe, 2),
        [b'&', b'+', _] => (AmpPlus, 2),
        [b'&', b'-', _] => (AmpMinus, 2),
        [b'&', b'*', _] => (AmpStar, 2),
        [b'+', b'=', _] => (PlusEq, 2),
        [b'-', b'=', _] => (MinusEq, 2),
        [b'*', b'=', _] => (StarEq, 2),
        [b'/', b'=', _] => (SlashEq, 2),
        [b'%', b'=', _] => (PercentEq, 2),
        [b'&', b'=', _] => (AmpEq, 2),
        [b'|', b'=', _] => (PipeEq, 2),
        [b'^', b'=', _] => (CaretEq, 2),
        [single, _, _] => (single_operator(single), 1),
    }
}

fn single_operator(byte: u8) -> crate::SyntaxKind {
    match byte {
        b',' => Comma,
        b';' => Semicolon,
        b':' => Colon,
        b'.' => Dot,
        b'?' => Question,
        b'!' => Bang,
        b'@' => At,
        b'$' => Dollar,
        b'=' => Eq,
        b'<' => Lt,
        b'>' => Gt,
        b'+' => Plus,
        b'-' => Minus,
        b'*' => Star,
        b'/' => Slash,
        b'%' => Percent,
        b'&' => Amp,
        b'|' => Pipe,
        b'^' => Caret,
        b'~' => Tilde,
        _ => Unknown,
    }
}
