//! A heredoc in the call of a macro: its lines stand behind the call, and would not come along with the argument. So
//! before such a call is expanded, the heredoc becomes a text in quotes, and its lines go.

use qz_base::FxHashSet;
use qz_syntax::SyntaxKind::*;
use qz_syntax::ast::{self, AstNode};
use qz_syntax::literals::StringValue;
use qz_syntax::{SyntaxElement, SyntaxNode};

use crate::code::{Code, Parsed};
use crate::expand::{copy, copy_node, is_user_call};
use crate::fill::escaped;

/// Whether a heredoc stands in a call of a macro.
pub(crate) fn in_calls(node: SyntaxNode<'_>) -> bool {
    // Ends of the call and of the macro that the walk is in.
    let (mut call, mut definition) = (0, 0);
    node.descendants().any(|it| {
        let start = it.range().start;
        match it.kind() {
            MacroDef => definition = definition.max(it.range().end),
            HeredocExpr => return start < call,
            _ if start >= definition && is_user_call(it) => call = call.max(it.range().end),
            _ => {}
        }
        false
    })
}

/// The text of a declaration with these heredocs as texts in quotes.
pub(crate) fn without(source: &Parsed, node: SyntaxNode<'_>) -> Code {
    let mut writer = Writer { source, gone: FxHashSet::default(), code: Code::default() };
    writer.node(node, false);
    writer.code
}

struct Writer<'s> {
    source: &'s Parsed,
    /// Lines of heredocs that stand before them as texts.
    gone: FxHashSet<u32>,
    code: Code,
}

impl Writer<'_> {
    fn node(&mut self, node: SyntaxNode<'_>, in_call: bool) {
        match node.kind() {
            MacroDef => return copy_node(self.source, node, &mut self.code),
            HeredocBody if self.gone.contains(&node.index()) => return,
            HeredocExpr if in_call => {
                if let Some(heredoc) = ast::HeredocExpr::cast(node) {
                    return self.heredoc(heredoc);
                }
            }
            _ => {}
        }
        let in_call = in_call || is_user_call(node);
        stacker::maybe_grow(64 << 10, 1 << 20, || {
            for element in node.children_with_tokens() {
                match element {
                    SyntaxElement::Node(inner) => self.node(inner, in_call),
                    SyntaxElement::Token(token) => copy(self.source, token.range(), &mut self.code),
                }
            }
        });
    }

    fn heredoc(&mut self, heredoc: ast::HeredocExpr<'_>) {
        let (place, by) = self.source.place(heredoc.syntax().range());
        self.gone.extend(heredoc.body().map(|it| it.syntax().index()));
        self.code.push_made("\"", place, by);
        for part in heredoc.value() {
            match part {
                StringValue::Text(text) => self.code.push_made(&escaped(&text), place, by),
                StringValue::Interp(interp) => copy_node(self.source, interp.syntax(), &mut self.code),
            }
        }
        self.code.push_made("\"", place, by);
    }
}
