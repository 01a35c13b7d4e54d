//! How does the parser make a tree? It appends tokens and finished nodes, children before parents (postorder),
//! so that wrapping what was already parsed (`a` becoming the left side of `a + b`) is appending one element.
//! At the end the order is turned into preorder in one pass from the back.

use super::{Element, SyntaxTree};
use crate::SyntaxKind;

/// No node stands deeper than this. Deeper ones are left out and their tokens given to the node above, so that
/// whoever walks the tree may recurse. The parser reports the place.
pub const MAX_TREE_DEPTH: u32 = 2000;

/// A place where a node may start: the number of elements before it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Checkpoint(pub(crate) u32);

/// Collects elements in postorder.
#[derive(Default)]
pub(crate) struct TreeBuilder {
    pub(crate) elements: Vec<Element>,
    /// Offsets of heredoc openers and of their bodies' first tokens, in order of the bodies.
    pub(crate) heredocs: Vec<(u32, u32)>,
}

impl TreeBuilder {
    pub(crate) fn reserve(&mut self, elements: usize) {
        self.elements.reserve(elements);
    }

    pub(crate) fn token(&mut self, kind: SyntaxKind, start: u32, end: u32) {
        let len = u16::try_from(end - start).unwrap_or(Element::LONG);
        self.elements.push(Element { kind, len, data: start });
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint(self.elements.len() as u32)
    }

    /// Everything since the checkpoint becomes the inside of a node.
    pub(crate) fn node(&mut self, from: Checkpoint, kind: SyntaxKind) {
        let data = self.elements.len() as u32 - from.0;
        self.elements.push(Element { kind, len: 0, data });
    }

    /// The finished tree, and where the first node stood that was too deep to keep.
    pub(crate) fn finish(mut self) -> (SyntaxTree, Option<u32>) {
        let (elements, too_deep) = preorder(&self.elements);
        self.heredocs.sort_unstable();
        let heredocs = heredoc_indices(&elements, &self.heredocs);
        (SyntaxTree { elements, heredocs }, too_deep)
    }
}

/// A node that is met from its end: where its inside starts in postorder, and its slot counted from the end.
struct Open {
    start: u32,
    end: usize,
    element: Element,
}

/// Fills the result from its end: each node is met before its inside, and is put in front of it when the inside
/// is done. The second value is the offset of the first node that was too deep to keep.
fn preorder(post: &[Element]) -> (Vec<Element>, Option<u32>) {
    let filler = Element { kind: SyntaxKind::Error, len: 0, data: 0 };
    let mut pre = vec![filler; post.len()];
    let mut next = pre.len();
    let mut too_deep = None;
    let mut open: Vec<Open> = Vec::new();
    for (at, &element) in post.iter().enumerate().rev() {
        while open.last().is_some_and(|node| node.start as usize > at) {
            close(&mut open, &mut pre, &mut next);
        }
        if !element.kind.is_node() {
            next -= 1;
            pre[next] = element;
        } else if open.len() < MAX_TREE_DEPTH as usize {
            open.push(Open { start: at as u32 - element.data, end: next, element });
        } else {
            too_deep = Some(at);
        }
    }
    while !open.is_empty() {
        close(&mut open, &mut pre, &mut next);
    }
    // Slots of nodes that were left out.
    pre.drain(..next);
    let place = |at: usize| post[..at].iter().rev().find(|e| !e.kind.is_node()).map_or(0, |e| e.data);
    (pre, too_deep.map(place))
}

fn close(open: &mut Vec<Open>, pre: &mut [Element], next: &mut usize) {
    if let Some(Open { end, element, .. }) = open.pop() {
        *next -= 1;
        pre[*next] = Element { data: (end - *next - 1) as u32, ..element };
    }
}

fn heredoc_indices(elements: &[Element], openers: &[(u32, u32)]) -> Vec<(u32, u32)> {
    if openers.is_empty() {
        return Vec::new();
    }
    let mut by_body: Vec<(u32, u32)> = openers.iter().map(|&(opener, body)| (body, opener)).collect();
    by_body.sort_unstable();
    let mut found = Vec::with_capacity(by_body.len());
    for (index, _) in elements.iter().enumerate().filter(|(_, e)| e.kind == SyntaxKind::HeredocBody) {
        let start = elements[index..].iter().find(|e| !e.kind.is_node()).map_or(0, |e| e.data);
        if let Ok(at) = by_body.binary_search_by_key(&start, |&(body, _)| body) {
            found.push((by_body[at].1, index as u32));
        }
    }
    found.sort_unstable();
    found
}
