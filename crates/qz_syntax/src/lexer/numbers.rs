//! Where does a number end, and is it well formed?

use super::Lexer;
use super::table::{Class, class_of};
use crate::SyntaxKind::{Dot, FloatNumber, IntNumber, QuestionDot};
use crate::problems::SyntaxProblemKind;

impl Lexer<'_> {
    /// `42`, `1_000`, `0xff`, `1.5`, `1e-9`; after a dot digits alone, a tuple's index (`t.0.1`).
    pub(super) fn number(&mut self, start: usize) {
        if matches!(self.last, Dot | QuestionDot) {
            self.skip_while(|b| b.is_ascii_digit());
            self.push(IntNumber, start, 0);
            return;
        }
        let base = match (self.bytes[start], self.peek(1)) {
            (b'0', b'x') => 16,
            (b'0', b'o') => 8,
            (b'0', b'b') => 2,
            _ => return self.decimal(start),
        };
        self.pos += 2;
        self.based_digits(start, base);
        self.push(IntNumber, start, 0);
    }

    fn skip_while(&mut self, accept: fn(u8) -> bool) {
        while self.pos < self.bytes.len() && accept(self.bytes[self.pos]) {
            self.pos += 1;
        }
    }

    fn based_digits(&mut self, start: usize, base: u32) {
        let digits = self.pos;
        self.skip_while(|b| b.is_ascii_alphanumeric() || b == b'_');
        let text = &self.text[digits..self.pos];
        let bad = text.char_indices().find(|&(_, c)| c != '_' && !c.is_digit(base));
        if let Some((at, _)) = bad {
            self.problem(digits + at, digits + at + 1, SyntaxProblemKind::BadDigit { base });
        } else if text.bytes().all(|b| b == b'_') {
            self.problem(start, self.pos, SyntaxProblemKind::NoDigits);
        } else if text.ends_with('_') {
            self.problem(self.pos - 1, self.pos, SyntaxProblemKind::TrailingUnderscore);
        }
    }

    fn decimal(&mut self, start: usize) {
        let mut kind = IntNumber;
        self.digits();
        if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
            kind = FloatNumber;
            self.pos += 1;
            self.digits();
        }
        if matches!(self.peek(0), b'e' | b'E') && self.exponent() {
            kind = FloatNumber;
        }
        self.suffix();
        self.push(kind, start, 0);
    }

    fn digits(&mut self) {
        self.skip_while(|b| b.is_ascii_digit() || b == b'_');
        if self.bytes[self.pos - 1] == b'_' {
            self.problem(self.pos - 1, self.pos, SyntaxProblemKind::TrailingUnderscore);
        }
    }

    /// `e9`, `e-9`; `e` and a sign alone is an exponent without digits. False if the `e` starts a word.
    fn exponent(&mut self) -> bool {
        let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
        if self.peek(1 + sign).is_ascii_digit() {
            self.pos += 1 + sign;
            self.digits();
            return true;
        }
        let goes_on = matches!(class_of(self.peek(1)), Class::Lower | Class::Upper | Class::Digit);
        if sign == 0 && goes_on {
            return false;
        }
        self.pos += 1;
        self.problem(self.pos - 1, self.pos, SyntaxProblemKind::NoDigits);
        true
    }

    fn suffix(&mut self) {
        let start = self.pos;
        if matches!(class_of(self.peek(0)), Class::Lower | Class::Upper) {
            self.skip_name();
            self.problem(start, self.pos, SyntaxProblemKind::NumberSuffix);
        }
    }
}
