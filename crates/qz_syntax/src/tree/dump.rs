//! What does a tree look like as text? An indented outline for tests and `--emit=tree`.

use std::fmt::Write;

use super::{SyntaxElement, SyntaxNode, SyntaxTree};

impl SyntaxTree {
    /// Nodes by kind, tokens by text, one line each, indented by depth. Trivia is left out, doc comments are not.
    /// A node whose only content is one token shares its line.
    pub fn dump(&self, text: &str) -> String {
        self.dump_node(self.root(text))
    }

    /// The same for one node.
    pub fn dump_node(&self, node: SyntaxNode<'_>) -> String {
        let mut out = String::new();
        dump_node(&mut out, node, 0);
        out
    }
}

fn shown<'t>(node: SyntaxNode<'t>) -> impl Iterator<Item = SyntaxElement<'t>> {
    use crate::SyntaxKind::{DocComment, ModuleDoc};
    node.children_with_tokens()
        .filter(|e| !e.kind().is_trivia() || matches!(e.kind(), DocComment | ModuleDoc))
}

fn dump_node(out: &mut String, node: SyntaxNode<'_>, depth: usize) {
    let _ = write!(out, "{:indent$}{:?}", "", node.kind(), indent = depth * 2);
    let mut children = shown(node);
    if let (Some(SyntaxElement::Token(only)), None) = (children.next(), children.next()) {
        let _ = writeln!(out, " {:?}", only.text());
        return;
    }
    out.push('\n');
    for child in shown(node) {
        match child {
            SyntaxElement::Node(inner) => dump_node(out, inner, depth + 1),
            SyntaxElement::Token(token) => {
                let _ = writeln!(out, "{:indent$}{:?}", "", token.text(), indent = depth * 2 + 2);
            }
        }
    }
}
