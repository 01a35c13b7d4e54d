//! How is an expansion written down? In text that remembers which part of the declaration each piece stands for.

use qz_base::name::MARK;
use qz_base::{Span, TextRange};
use qz_syntax::SyntaxNode;

use crate::code::{Code, ExpansionId, Parsed};

pub(super) struct Writer<'a> {
    pub(super) source: &'a Parsed,
    id: ExpansionId,
    code: Code,
    /// What the pieces stand for.
    place: Span,
}

impl<'a> Writer<'a> {
    pub(super) fn new(source: &'a Parsed, id: ExpansionId, range: TextRange) -> Writer<'a> {
        Writer { source, id, code: Code::default(), place: source.place(range).0 }
    }

    /// From now on, pieces stand for this part.
    pub(super) fn at(&mut self, range: TextRange) {
        self.place = self.source.place(range).0;
    }

    /// Appends text; `~name` is a name of the library or of the expansion.
    pub(super) fn put(&mut self, text: &str) {
        let mut pieces = text.split('~');
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let end = piece.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(piece.len());
            out.push_str(&piece[..end]);
            out.push_str(&self.mark());
            out.push_str(&piece[end..]);
        }
        self.code.push_for(&out, self.place);
    }

    fn mark(&self) -> String {
        format!("{MARK}{}", self.id)
    }

    /// Appends what the user wrote.
    pub(super) fn copy(&mut self, range: TextRange) {
        self.code.push_slice(&self.source.text, &self.source.origins, range);
    }

    /// The same with some nodes replaced, which are given in order.
    pub(super) fn copy_with(&mut self, node: SyntaxNode<'_>, replaced: &[(TextRange, String)]) {
        let mut from = node.range().start;
        for (range, text) in replaced {
            self.copy(TextRange::new(from, range.start));
            self.put(text);
            from = range.end;
        }
        self.copy(TextRange::new(from, node.range().end));
    }

    pub(super) fn finish(self) -> Code {
        self.code
    }
}
