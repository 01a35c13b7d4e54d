//! Where does each piece of an expanded text come from? Text with the place where somebody wrote it.

use std::sync::Arc;

use qz_base::{FileId, Span, TextRange};
use qz_syntax::{SyntaxNode, SyntaxTree};

/// An expansion, by number: an index into [`Trace`].
pub type ExpansionId = u32;

/// Written in a source text by its author, in no quote.
pub const NOBODY: ExpansionId = u32::MAX;

/// From `at` on, the text was written in `file` from `start` on, and stands here because of the expansion `by`.
#[derive(Copy, Clone, Debug)]
pub struct Origin {
    pub at: u32,
    pub file: FileId,
    pub start: u32,
    pub by: ExpansionId,
    /// Nobody wrote the text: it stands for so many bytes from `start` on. 0 for text that somebody wrote.
    pub stands_for: u32,
}

impl Origin {
    /// Where what is `offset` bytes into the text was written.
    fn start_at(&self, offset: u32) -> u32 {
        if self.stands_for > 0 { self.start } else { self.start.wrapping_add(offset) }
    }
}

/// One call of a macro.
#[derive(Clone, Debug)]
pub struct Expansion {
    /// The macro's name.
    pub name: String,
    /// Where the call was written: in a source text, or in the quote of the expansion `parent`.
    pub call: Span,
    pub parent: ExpansionId,
    pub depth: u32,
    /// The module whose macro it is, and the one whose text the call became part of, by position.
    pub home: u32,
    pub user: u32,
}

/// All calls of a program.
#[derive(Clone, Debug, Default)]
pub struct Trace(pub Vec<Expansion>);

impl Trace {
    /// The calls from this one outwards.
    pub fn outwards(&self, from: ExpansionId) -> impl Iterator<Item = &Expansion> {
        std::iter::successors(self.0.get(from as usize), |it| self.0.get(it.parent as usize))
    }

    /// The call in a source text that led to an expansion.
    pub fn outermost(&self, from: ExpansionId) -> Option<&Expansion> {
        self.outwards(from).last()
    }
}

/// A piece of text with its origins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Code {
    pub text: String,
    pub origins: Vec<Origin>,
}

impl Code {
    /// Appends text that came from elsewhere.
    pub(crate) fn push(&mut self, text: &str, file: FileId, start: u32, by: ExpansionId) {
        if text.is_empty() {
            return;
        }
        let at = self.text.len() as u32;
        let goes_on = self.origins.last().is_some_and(|last| {
            last.stands_for == 0
                && last.file == file
                && last.by == by
                && last.start.wrapping_add(at - last.at) == start
        });
        if !goes_on {
            self.origins.push(Origin { at, file, start, by, stands_for: 0 });
        }
        self.text.push_str(text);
    }

    /// Appends what nobody wrote, such as a bracket; it counts as written at a place.
    pub(crate) fn push_made(&mut self, text: &str, place: Span, by: ExpansionId) {
        let at = self.text.len() as u32;
        self.origins.push(Origin { at, file: place.file, start: place.range.start, by, stands_for: 0 });
        self.text.push_str(text);
    }

    /// Appends what nobody wrote and what stands for a place as a whole.
    pub(crate) fn push_for(&mut self, text: &str, place: Span) {
        let (at, stands_for) = (self.text.len() as u32, place.range.len().max(1));
        let origin = Origin { at, file: place.file, start: place.range.start, by: NOBODY, stands_for };
        if !text.is_empty() {
            self.origins.push(origin);
            self.text.push_str(text);
        }
    }

    pub(crate) fn push_code(&mut self, other: &Code) {
        self.push_slice(&other.text, &other.origins, TextRange::new(0, other.text.len() as u32));
    }

    /// Appends a range of a text with origins.
    pub(crate) fn push_slice(&mut self, text: &str, origins: &[Origin], range: TextRange) {
        let mut index = origins.partition_point(|it| it.at <= range.start).saturating_sub(1);
        let mut from = range.start;
        while from < range.end && index < origins.len() {
            let origin = origins[index];
            let until = origins.get(index + 1).map_or(range.end, |next| next.at.min(range.end));
            let piece = TextRange::new(from, until.max(from)).text(text);
            if origin.stands_for > 0 {
                let range = TextRange::new(origin.start, origin.start + origin.stands_for);
                self.push_for(piece, Span::new(origin.file, range));
            } else {
                self.push(piece, origin.file, origin.start_at(from - origin.at), origin.by);
            }
            from = until.max(from);
            index += 1;
        }
    }
}

/// A text with origins and its tree.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    pub text: Arc<str>,
    pub tree: Arc<SyntaxTree>,
    pub origins: Arc<[Origin]>,
}

impl Parsed {
    /// A source text as it was read.
    pub(crate) fn source(file: FileId, text: Arc<str>, tree: Arc<SyntaxTree>) -> Parsed {
        Parsed { text, tree, origins: [Origin { at: 0, file, start: 0, by: NOBODY, stands_for: 0 }].into() }
    }

    pub(crate) fn parse(code: Code) -> (Parsed, Vec<qz_syntax::SyntaxProblem>) {
        let parse = qz_syntax::parse_expanded(&code.text);
        let parsed =
            Parsed { text: code.text.into(), tree: Arc::new(parse.tree), origins: code.origins.into() };
        (parsed, parse.problems)
    }

    pub(crate) fn root(&self) -> SyntaxNode<'_> {
        self.tree.root(&self.text)
    }

    pub(crate) fn node(&self, index: u32) -> SyntaxNode<'_> {
        self.root().at_index(index).unwrap_or_else(|| self.root())
    }

    pub(crate) fn slice(&self, range: TextRange) -> Code {
        let mut code = Code::default();
        code.push_slice(&self.text, &self.origins, range);
        code
    }

    pub(crate) fn place(&self, range: TextRange) -> (Span, ExpansionId) {
        place(&self.origins, range)
    }
}

/// Where a range was written, and by which expansion it stands here.
pub fn place(origins: &[Origin], range: TextRange) -> (Span, ExpansionId) {
    let of = |offset: u32| {
        let index = origins.partition_point(|it| it.at <= offset).saturating_sub(1);
        origins.get(index).map(|it| (it.file, it.start_at(offset - it.at), it.by, index))
    };
    let Some((file, start, by, first)) = of(range.start) else {
        return (Span::new(FileId(0), TextRange::default()), NOBODY);
    };
    let (end_file, last_byte, end_by, last) =
        of(range.end.saturating_sub(1).max(range.start)).unwrap_or((file, start, by, first));
    let end = if range.is_empty() { start } else { last_byte + origins[last].stands_for.max(1) };
    if first == last && origins[first].stands_for > 0 {
        return (Span::new(file, TextRange::new(start, start + origins[first].stands_for)), by);
    }
    if end_file == file && end_by == by && end >= start {
        return (Span::new(file, TextRange::new(start, end)), by);
    }
    // The pieces differ: an expansion in it explains the whole better than its first word does.
    let within = &origins[first..=last];
    let by = within.iter().map(|it| it.by).find(|&it| it != NOBODY).unwrap_or(by);
    let until = origins.get(first + 1).map_or(range.end, |next| next.at.min(range.end));
    let from = within.iter().find(|it| it.by == by).unwrap_or(&origins[first]);
    let (from_start, length) =
        if from.at <= range.start { (start, until.saturating_sub(range.start)) } else { (from.start, 1) };
    let length = if from.stands_for > 0 { from.stands_for } else { length };
    (Span::new(from.file, TextRange::new(from_start, from_start + length.max(1))), by)
}

impl Code {
    /// The pieces, each with the place it came from.
    pub(crate) fn origins_with_text(&self) -> impl Iterator<Item = (&str, Origin)> {
        self.origins.iter().enumerate().map(|(index, &origin)| {
            let end = self.origins.get(index + 1).map_or(self.text.len(), |next| next.at as usize);
            (&self.text[origin.at as usize..end], origin)
        })
    }
}
