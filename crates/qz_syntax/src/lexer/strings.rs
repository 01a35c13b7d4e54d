//! Where do strings, heredocs, characters and regexes begin and end, and what stands inside? Interpolations are
//! kept on a stack of [`Mode`]s; heredoc bodies wait for the end of their line.

use super::{HeredocSpan, Lexer, flags};
use crate::SyntaxKind::{self, *};
use crate::literals;
use crate::problems::{StringForm, SyntaxProblemKind};

/// What the text around an interpolation is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Form {
    Plain,
    Triple,
    Heredoc,
}

/// An open interpolation.
#[derive(Copy, Clone, Debug)]
pub(super) struct Mode {
    /// What goes on when it closes.
    form: Form,
    /// Where its `#{` is.
    start: usize,
    /// Where the string around it starts.
    string: usize,
    /// Brackets awaited outside.
    awaited: [u32; 3],
}

/// A heredoc whose body comes after this line.
#[derive(Copy, Clone, Debug)]
pub(super) struct PendingHeredoc {
    opener: u32,
    name: (usize, usize),
}

/// A heredoc whose body has begun.
#[derive(Copy, Clone, Debug)]
pub(super) struct OpenBody {
    opener: u32,
    name: (usize, usize),
    first: u32,
    /// What the lexer knew about the line before.
    last: SyntaxKind,
    last_index: u32,
    gap: u16,
}

impl Lexer<'_> {
    // ---- strings

    pub(super) fn string_start(&mut self, start: usize) {
        let form = if self.text[start..].starts_with("\"\"\"") { Form::Triple } else { Form::Plain };
        self.pos += if form == Form::Triple { 3 } else { 1 };
        self.push(StrStart, start, 0);
        match form {
            Form::Plain => self.plain_text(start),
            _ => self.triple_text(start),
        }
    }

    /// Text of a `"…"` string up to its end, an interpolation or the line's end.
    fn plain_text(&mut self, string: usize) {
        let start = self.pos;
        loop {
            match self.peek(0) {
                b'"' => {
                    self.text_token(start);
                    self.pos += 1;
                    self.push(StrEnd, self.pos - 1, 0);
                    return;
                }
                b'\\' => self.escape(),
                b'#' if self.peek(1) == b'{' => return self.interp_start(Form::Plain, string, start),
                b'\n' | 0 if self.at_line_end() => {
                    let end = self.before_carriage_return(start);
                    self.pos = end;
                    self.text_token(start);
                    self.problem(
                        string,
                        end,
                        SyntaxProblemKind::UnterminatedString { form: StringForm::Plain },
                    );
                    self.line_is_broken = true;
                    self.abandon_line();
                    return;
                }
                _ => self.pos += 1,
            }
        }
    }

    fn triple_text(&mut self, string: usize) {
        let start = self.pos;
        loop {
            match self.peek(0) {
                b'"' if self.text[self.pos..].starts_with("\"\"\"") => {
                    self.text_token(start);
                    self.pos += 3;
                    self.push(StrEnd, self.pos - 3, 0);
                    return;
                }
                b'\\' => self.escape(),
                b'#' if self.peek(1) == b'{' => return self.interp_start(Form::Triple, string, start),
                0 if self.pos >= self.bytes.len() => {
                    self.text_token(start);
                    let problem = SyntaxProblemKind::UnterminatedString { form: StringForm::Triple };
                    return self.problem(string, string + 3, problem);
                }
                _ => self.pos += 1,
            }
        }
    }

    /// Brackets opened on a line whose end is lost in a string have no partner further down.
    fn abandon_line(&mut self) {
        while let Some(frame) = self.frames.last()
            && frame.open >= self.line_first
            && let Some(slot) = super::bracket_slot(frame.closer)
        {
            self.awaited[slot] -= 1;
            self.frames.pop();
        }
    }

    fn at_line_end(&self) -> bool {
        self.pos >= self.bytes.len() || self.bytes[self.pos] == b'\n'
    }

    fn before_carriage_return(&self, start: usize) -> usize {
        let has_return = self.pos > start && self.bytes[self.pos - 1] == b'\r';
        if has_return { self.pos - 1 } else { self.pos }
    }

    fn text_token(&mut self, start: usize) {
        if self.pos > start {
            self.push(StrText, start, 0);
        }
    }

    fn escape(&mut self) {
        let start = self.pos;
        let escape = literals::escape_at(&self.text[start..]);
        self.pos += escape.len;
        if let Err(kind) = escape.value {
            self.problem(start, self.pos, kind);
        }
    }

    // ---- interpolations

    fn interp_start(&mut self, form: Form, string: usize, text_start: usize) {
        self.text_token(text_start);
        let start = self.pos;
        self.pos += 2;
        self.open_bracket(InterpStart, start);
        let awaited = std::mem::take(&mut self.awaited);
        self.modes.push(Mode { form, start, string, awaited });
    }

    /// A `}`: the end of an interpolation if no brace in it is open.
    pub(super) fn close_brace(&mut self, start: usize) {
        self.pos += 1;
        match self.modes.last() {
            Some(_) if self.awaited[2] == 0 => {
                if let Some(mode) = self.leave_interp(true) {
                    self.push(InterpEnd, start, 0);
                    self.resume(mode);
                }
            }
            _ => self.close_bracket(RBrace, start),
        }
    }

    fn leave_interp(&mut self, closed: bool) -> Option<Mode> {
        let mode = self.modes.pop()?;
        let open = self.pop_frame(InterpEnd);
        if let Some(open) = open
            && closed
        {
            self.tokens[open as usize].flags |= flags::CLOSED;
        }
        self.awaited = mode.awaited;
        Some(mode)
    }

    fn resume(&mut self, mode: Mode) {
        match mode.form {
            Form::Plain => self.plain_text(mode.string),
            Form::Triple => self.triple_text(mode.string),
            Form::Heredoc => self.heredoc_text(false),
        }
    }

    /// A line break ends every interpolation that does not clearly go on, and with it a one-line string.
    pub(super) fn newline_in_interps(&mut self) {
        // An expansion may put lines into an interpolation. It was one before, so it ends.
        if self.is_expanded {
            return;
        }
        while let Some(&mode) = self.modes.last() {
            if !self.line_is_broken && self.awaited != [0; 3] && self.bracket_goes_on() {
                break;
            }
            self.leave_interp(false);
            if !self.line_is_broken {
                self.problem(mode.start, mode.start + 2, SyntaxProblemKind::UnterminatedInterp);
            }
            match mode.form {
                Form::Plain => self.line_is_broken = true,
                Form::Triple => {
                    self.line_is_broken = false;
                    return self.triple_text(mode.string);
                }
                Form::Heredoc => {
                    self.line_is_broken = false;
                    return self.heredoc_text(true);
                }
            }
        }
        self.line_is_broken = false;
    }

    /// Whether the list in an open bracket goes on behind this line break: one of the brackets or a comma stands
    /// before it, or the closing bracket after it. Otherwise a quote is missing somewhere before.
    fn bracket_goes_on(&self) -> bool {
        let blank = self.bytes[self.pos..].iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
        let next = self.bytes.get(self.pos + blank).copied().unwrap_or(0);
        matches!(self.last, LParen | LBracket | LBrace | Comma) || matches!(next, b')' | b']' | b'}')
    }

    pub(super) fn close_strings_at_eof(&mut self) {
        if let Some(mode) = self.modes.last().copied() {
            self.problem(mode.start, mode.start + 2, SyntaxProblemKind::UnterminatedInterp);
        }
        while self.leave_interp(false).is_some() {}
        self.finish_heredoc_body(false);
        while let Some(heredoc) = self.pending.pop_front() {
            self.unterminated_heredoc(heredoc.opener);
        }
    }

    // ---- heredocs

    /// `<<~NAME` where an operand is expected. False if it is none.
    pub(super) fn heredoc_start(&mut self, start: usize) -> bool {
        if !self.bytes[start..].starts_with(b"<<~") || !self.operand_expected() {
            return false;
        }
        let name = start + 3;
        let length =
            self.bytes[name..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        if length == 0 || self.bytes[name].is_ascii_digit() {
            return false;
        }
        self.pos = name + length;
        let opener = self.push(HeredocStart, start, 0);
        if self.modes.is_empty() {
            self.pending.push_back(PendingHeredoc { opener, name: (name, self.pos) });
        } else {
            self.problem(start, self.pos, SyntaxProblemKind::HeredocInInterp);
        }
        true
    }

    fn operand_expected(&self) -> bool {
        let after_operand = match self.last {
            ThenKw | StepKw | WithKw | YieldKw | ThrowKw => false,
            IntNumber | FloatNumber | Char | Symbol | RawString | Regex | StrEnd | HeredocStart => true,
            RParen | RBracket | RBrace | Question | Bang => true,
            EndKw | SelfKw | TrueKw | FalseKw | NilKw => true,
            kind => kind.is_name(),
        };
        !after_operand || self.gap & flags::NEWLINE_BEFORE != 0
    }

    /// At the start of a line: the body of the next heredoc that waits, if one does.
    pub(super) fn next_heredoc_body(&mut self) {
        let Some(PendingHeredoc { opener, name }) = self.pending.pop_front() else { return };
        let first = self.tokens.len() as u32;
        self.body = Some(OpenBody {
            opener,
            name,
            first,
            last: self.last,
            last_index: self.last_index,
            gap: self.gap,
        });
        self.frames.push(super::Frame { open: first, closer: HeredocEnd, line_start: None });
        self.gap |= flags::HEREDOC_BODY;
        self.heredoc_text(true);
    }

    /// Text of a heredoc up to an interpolation or its closing line.
    fn heredoc_text(&mut self, mut at_line_start: bool) {
        let start = self.pos;
        loop {
            if at_line_start && let Some(end) = self.closing_line() {
                self.text_token(start);
                let line = self.pos;
                self.pos = end;
                self.push(HeredocEnd, line, 0);
                return self.finish_heredoc_body(true);
            }
            at_line_start = false;
            match self.peek(0) {
                b'\n' => {
                    self.pos += 1;
                    at_line_start = true;
                }
                b'\\' => self.escape(),
                b'#' if self.peek(1) == b'{' => return self.interp_start(Form::Heredoc, start, start),
                0 if self.pos >= self.bytes.len() => {
                    self.text_token(start);
                    return self.finish_heredoc_body(false);
                }
                _ => self.pos += 1,
            }
        }
    }

    /// The end of the heredoc's name, if the line at the current place is its closing line.
    fn closing_line(&self) -> Option<usize> {
        let (name_start, name_end) = self.body?.name;
        let name = &self.bytes[name_start..name_end];
        let blank = |bytes: &[u8]| bytes.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
        let word = self.pos + blank(&self.bytes[self.pos..]);
        let end = word + name.len();
        if !self.bytes[word..].starts_with(name) {
            return None;
        }
        let rest = end + blank(&self.bytes[end..]);
        (rest >= self.bytes.len() || self.bytes[rest] == b'\n').then_some(end)
    }

    fn finish_heredoc_body(&mut self, closed: bool) {
        let Some(body) = self.body.take() else { return };
        self.pop_frame(HeredocEnd);
        let end = self.tokens.len() as u32;
        if end > body.first {
            self.heredocs.push(HeredocSpan { opener: body.opener, first: body.first, end });
        }
        self.last = body.last;
        self.last_index = body.last_index;
        self.gap = body.gap;
        if !closed {
            self.unterminated_heredoc(body.opener);
        }
    }

    fn unterminated_heredoc(&mut self, opener: u32) {
        let start = self.tokens[opener as usize].start as usize;
        let name =
            self.bytes[start + 3..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        self.problem(start, start + 3 + name, SyntaxProblemKind::UnterminatedHeredoc);
    }

    // ---- literals without interpolation

    /// `r"…"` on one line or `r#"…"#` over any number of lines. False if it is none.
    pub(super) fn raw_string(&mut self, start: usize) -> bool {
        let hashes = self.bytes[start + 1..].iter().take_while(|&&b| b == b'#').count();
        let open = start + 1 + hashes;
        if self.bytes.get(open) != Some(&b'"') {
            return false;
        }
        self.pos = open + 1;
        let closed = if hashes == 0 { self.one_line_quote(false) } else { self.hash_quote(hashes) };
        if !closed {
            let problem = SyntaxProblemKind::UnterminatedString { form: StringForm::Raw };
            self.problem(start, if hashes == 0 { self.pos } else { open + 1 }, problem);
        }
        self.push(RawString, start, 0);
        true
    }

    /// `~r"…"`. False if it is none.
    pub(super) fn regex(&mut self, start: usize) -> bool {
        if !self.bytes[start..].starts_with(b"~r\"") {
            return false;
        }
        self.pos = start + 3;
        if !self.one_line_quote(true) {
            self.problem(start, self.pos, SyntaxProblemKind::UnterminatedString { form: StringForm::Regex });
        }
        self.push(Regex, start, 0);
        true
    }

    /// Up to and with a quote on this line. In a regex a backslash protects the character after it.
    fn one_line_quote(&mut self, backslash_protects: bool) -> bool {
        while !self.at_line_end() {
            let byte = self.bytes[self.pos];
            self.pos += 1;
            if byte == b'"' {
                return true;
            }
            if byte == b'\\' && backslash_protects && !self.at_line_end() {
                self.pos += self.char_here().len_utf8();
            }
        }
        false
    }

    fn hash_quote(&mut self, hashes: usize) -> bool {
        while self.pos < self.bytes.len() {
            self.pos += 1;
            if self.bytes[self.pos - 1] == b'"' {
                let found = self.bytes[self.pos..].iter().take(hashes).take_while(|&&b| b == b'#').count();
                if found == hashes {
                    self.pos += hashes;
                    return true;
                }
            }
        }
        false
    }

    pub(super) fn char_literal(&mut self, start: usize) {
        self.pos += 1;
        if self.peek(0) == b'\'' {
            self.pos += 1;
            self.problem(start, self.pos, SyntaxProblemKind::EmptyChar);
        } else {
            self.char_content();
            self.char_end(start);
        }
        self.push(Char, start, 0);
    }

    fn char_content(&mut self) {
        if self.peek(0) == b'\\' {
            self.escape();
        } else if !self.at_line_end() {
            self.pos += self.char_here().len_utf8();
        }
    }

    /// The closing quote. Without one the token is a word: `'` is common in prose.
    fn char_end(&mut self, start: usize) {
        if self.peek(0) == b'\'' {
            self.pos += 1;
            return;
        }
        let rest = &self.bytes[self.pos..];
        let line = rest.iter().position(|&b| b == b'\n' || b == b'\'');
        match line {
            Some(length) if rest[length] == b'\'' => {
                self.pos += length + 1;
                self.problem(start, self.pos, SyntaxProblemKind::LongChar);
            }
            _ => {
                self.skip_name();
                self.problem(start, self.pos, SyntaxProblemKind::UnterminatedChar);
            }
        }
    }
}
