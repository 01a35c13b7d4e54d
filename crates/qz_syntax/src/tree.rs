//! What was written, whole and in order? A flat, immutable, lossless tree: one vector of 8-byte elements in
//! preorder, tokens (trivia included) between the nodes that hold them. A node knows how many elements stand
//! below it, so skipping it costs nothing; a token knows where it starts.
//!
//! The tree does not own the text: a [`SyntaxNode`] is a `Copy` handle of tree, text and index. There are no
//! parent links; [`SyntaxNode::path_to`] walks down from the root.
//!
//! Trivia never stands first or last inside a node (doc comments before an item excepted), so a node's range is
//! that of its first to its last significant token. The body of a heredoc stands where the text has it, after
//! the line of its opener, as a `HeredocBody` among the children of whatever node spans that place;
//! [`SyntaxTree::heredoc_body`] finds it from the opener.

mod build;
mod dump;
mod image;

pub use build::MAX_TREE_DEPTH;
pub(crate) use build::{Checkpoint, TreeBuilder};

use qz_base::TextRange;

use crate::SyntaxKind;

/// One entry of the preorder: a node or a token.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Element {
    /// What it is.
    pub kind: SyntaxKind,
    /// Tokens: the length, or [`Element::LONG`] if it does not fit.
    pub(crate) len: u16,
    /// Nodes: the number of elements below. Tokens: the start offset.
    pub(crate) data: u32,
}

impl Element {
    pub(crate) const LONG: u16 = u16::MAX;
}

/// The tree of one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxTree {
    pub(crate) elements: Vec<Element>,
    /// Heredoc openers by offset, each with the index of its body.
    pub(crate) heredocs: Vec<(u32, u32)>,
}

impl SyntaxTree {
    /// The root, a `SourceFile`. The text must be the one the tree was made from.
    pub fn root<'t>(&'t self, text: &'t str) -> SyntaxNode<'t> {
        SyntaxNode { tree: self, text, index: 0 }
    }

    /// How many elements there are: nodes and tokens.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Never true: there is always a root.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The elements in preorder.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The index of the `HeredocBody` that belongs to the opener at this offset.
    pub fn heredoc_body(&self, opener: u32) -> Option<u32> {
        let found = self.heredocs.binary_search_by_key(&opener, |&(offset, _)| offset).ok()?;
        Some(self.heredocs[found].1)
    }

    /// The index behind an element and everything below it.
    fn after(&self, index: u32) -> u32 {
        let element = self.elements[index as usize];
        if element.kind.is_node() { index + 1 + element.data } else { index + 1 }
    }

    fn token_start(&self, index: u32) -> u32 {
        self.elements[index as usize].data
    }

    /// Where the first token at or behind an index starts.
    fn start_from(&self, index: u32, text: &str) -> u32 {
        let rest = &self.elements[(index as usize).min(self.elements.len())..];
        rest.iter().find(|e| !e.kind.is_node()).map_or(text.len() as u32, |e| e.data)
    }

    fn token_end(&self, index: u32, text: &str) -> u32 {
        let element = self.elements[index as usize];
        if element.len == Element::LONG {
            self.start_from(index + 1, text)
        } else {
            element.data + u32::from(element.len)
        }
    }
}

/// A node: a cheap handle into a tree and its text.
#[derive(Copy, Clone)]
pub struct SyntaxNode<'t> {
    tree: &'t SyntaxTree,
    text: &'t str,
    index: u32,
}

/// A token: a cheap handle into a tree and its text.
#[derive(Copy, Clone)]
pub struct SyntaxToken<'t> {
    tree: &'t SyntaxTree,
    text: &'t str,
    index: u32,
}

/// A child of a node.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum SyntaxElement<'t> {
    /// A node below.
    Node(SyntaxNode<'t>),
    /// A token directly below, trivia included.
    Token(SyntaxToken<'t>),
}

impl<'t> SyntaxNode<'t> {
    /// What it is.
    pub fn kind(self) -> SyntaxKind {
        self.tree.elements[self.index as usize].kind
    }

    /// The place in the preorder: the node's identity within its tree.
    pub fn index(self) -> u32 {
        self.index
    }

    /// The tree it stands in.
    pub fn tree(self) -> &'t SyntaxTree {
        self.tree
    }

    /// The text of the whole file.
    pub fn file_text(self) -> &'t str {
        self.text
    }

    /// The node at an index of the same tree, if a node stands there.
    pub fn at_index(self, index: u32) -> Option<SyntaxNode<'t>> {
        let element = self.tree.elements.get(index as usize)?;
        element.kind.is_node().then_some(SyntaxNode { index, ..self })
    }

    /// From the first to the last significant token. A node without one stands, empty, behind the token before it.
    pub fn range(self) -> TextRange {
        if self.index == 0 {
            return TextRange::new(0, self.text.len() as u32);
        }
        let elements = &self.tree.elements;
        let below = self.index as usize + 1..self.tree.after(self.index) as usize;
        let significant = |i: &usize| !elements[*i].kind.is_node() && !elements[*i].kind.is_trivia();
        match (below.clone().find(significant), below.rev().find(significant)) {
            (Some(first), Some(last)) => TextRange::new(
                self.tree.token_start(first as u32),
                self.tree.token_end(last as u32, self.text),
            ),
            _ => TextRange::empty(self.end_of_token_before()),
        }
    }

    fn end_of_token_before(self) -> u32 {
        let mut index = self.index;
        while index > 0 {
            index -= 1;
            let kind = self.tree.elements[index as usize].kind;
            if !kind.is_node() && !kind.is_trivia() {
                return self.tree.token_end(index, self.text);
            }
        }
        0
    }

    /// The text of [`SyntaxNode::range`].
    pub fn text(self) -> &'t str {
        self.range().text(self.text)
    }

    /// Nodes and tokens directly below, trivia included.
    pub fn children_with_tokens(self) -> Children<'t> {
        Children { parent: self, next: self.index + 1, end: self.tree.after(self.index) }
    }

    /// Nodes directly below.
    pub fn children(self) -> impl Iterator<Item = SyntaxNode<'t>> {
        self.children_with_tokens().filter_map(SyntaxElement::as_node)
    }

    /// Tokens directly below, without trivia.
    pub fn tokens(self) -> impl Iterator<Item = SyntaxToken<'t>> {
        self.children_with_tokens().filter_map(SyntaxElement::as_token).filter(|t| !t.kind().is_trivia())
    }

    /// The first token of a kind directly below.
    pub fn token(self, kind: SyntaxKind) -> Option<SyntaxToken<'t>> {
        self.children_with_tokens().filter_map(SyntaxElement::as_token).find(|t| t.kind() == kind)
    }

    /// Every node below and the node itself, in preorder: nothing can be missed.
    pub fn descendants(self) -> impl Iterator<Item = SyntaxNode<'t>> {
        (self.index..self.tree.after(self.index)).filter_map(move |index| self.at_index(index))
    }

    /// Every token below, trivia included, in order.
    pub fn descendant_tokens(self) -> impl Iterator<Item = SyntaxToken<'t>> {
        let SyntaxNode { tree, text, .. } = self;
        (self.index..tree.after(self.index))
            .filter(move |&index| !tree.elements[index as usize].kind.is_node())
            .map(move |index| SyntaxToken { tree, text, index })
    }

    /// The nodes around an offset, from this one to the innermost. An offset between two nodes is in neither.
    pub fn path_to(self, offset: u32) -> Vec<SyntaxNode<'t>> {
        let mut path = vec![self];
        let mut node = self;
        while let Some(inner) = node.children().find(|child| {
            let range = child.range();
            range.start <= offset && offset <= range.end && !range.is_empty()
        }) {
            path.push(inner);
            node = inner;
        }
        path
    }

    /// The doc comments written for this item, field or variant, in order.
    pub fn doc_comments(self) -> impl Iterator<Item = SyntaxToken<'t>> {
        self.children_with_tokens()
            .take_while(|e| match e {
                SyntaxElement::Token(token) => token.kind().is_trivia(),
                SyntaxElement::Node(node) => node.kind() == SyntaxKind::Attr,
            })
            .filter_map(SyntaxElement::as_token)
            .filter(|token| token.kind() == SyntaxKind::DocComment)
    }
}

impl<'t> SyntaxToken<'t> {
    /// What it is.
    pub fn kind(self) -> SyntaxKind {
        self.tree.elements[self.index as usize].kind
    }

    /// The place in the preorder.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Where it stands.
    pub fn range(self) -> TextRange {
        TextRange::new(self.tree.token_start(self.index), self.tree.token_end(self.index, self.text))
    }

    /// What is written.
    pub fn text(self) -> &'t str {
        self.range().text(self.text)
    }
}

impl<'t> SyntaxElement<'t> {
    /// The node, if it is one.
    pub fn as_node(self) -> Option<SyntaxNode<'t>> {
        match self {
            SyntaxElement::Node(node) => Some(node),
            SyntaxElement::Token(_) => None,
        }
    }

    /// The token, if it is one.
    pub fn as_token(self) -> Option<SyntaxToken<'t>> {
        match self {
            SyntaxElement::Node(_) => None,
            SyntaxElement::Token(token) => Some(token),
        }
    }

    /// What it is.
    pub fn kind(self) -> SyntaxKind {
        match self {
            SyntaxElement::Node(node) => node.kind(),
            SyntaxElement::Token(token) => token.kind(),
        }
    }
}

/// The children of a node; see [`SyntaxNode::children_with_tokens`].
#[derive(Clone)]
pub struct Children<'t> {
    parent: SyntaxNode<'t>,
    next: u32,
    end: u32,
}

impl<'t> Iterator for Children<'t> {
    type Item = SyntaxElement<'t>;

    fn next(&mut self) -> Option<SyntaxElement<'t>> {
        if self.next >= self.end {
            return None;
        }
        let SyntaxNode { tree, text, .. } = self.parent;
        let index = self.next;
        self.next = tree.after(index);
        Some(if tree.elements[index as usize].kind.is_node() {
            SyntaxElement::Node(SyntaxNode { tree, text, index })
        } else {
            SyntaxElement::Token(SyntaxToken { tree, text, index })
        })
    }
}

macro_rules! handle_traits {
    ($($handle:ident)*) => {
        $(
            impl PartialEq for $handle<'_> {
                fn eq(&self, other: &Self) -> bool {
                    self.index == other.index && std::ptr::eq(self.tree, other.tree)
                }
            }
            impl Eq for $handle<'_> {}
            impl std::hash::Hash for $handle<'_> {
                fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                    self.index.hash(state);
                }
            }
            impl std::fmt::Debug for $handle<'_> {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    write!(f, "{:?}@{:?}", self.kind(), self.range())
                }
            }
        )*
    };
}

handle_traits! { SyntaxNode SyntaxToken }
