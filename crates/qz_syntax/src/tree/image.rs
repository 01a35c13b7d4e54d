//! A tree as bytes, so that what never changes is parsed once: the compiler's build parses the standard library.
//!
//! Little-endian: the number of elements, 8 bytes an element, then pairs of 4 bytes for the heredocs. The bytes
//! belong to one build of the compiler and are not checked beyond what keeps reading them safe.

use crate::SyntaxKind;
use crate::tree::{Element, SyntaxTree};

impl SyntaxTree {
    /// The tree as bytes, for [`SyntaxTree::from_image`].
    pub fn to_image(&self) -> Vec<u8> {
        let mut bytes = (self.elements.len() as u64).to_le_bytes().to_vec();
        for element in &self.elements {
            bytes.extend((element.kind as u16).to_le_bytes());
            bytes.extend(element.len.to_le_bytes());
            bytes.extend(element.data.to_le_bytes());
        }
        for (opener, body) in &self.heredocs {
            bytes.extend(opener.to_le_bytes());
            bytes.extend(body.to_le_bytes());
        }
        bytes
    }

    /// The tree that [`SyntaxTree::to_image`] wrote; `None` for anything else.
    pub fn from_image(bytes: &[u8]) -> Option<SyntaxTree> {
        let (count, rest) = bytes.split_first_chunk::<8>()?;
        let size = usize::try_from(u64::from_le_bytes(*count)).ok()?.checked_mul(8)?;
        let (elements, heredocs) = rest.split_at_checked(size)?;
        let words = elements.as_chunks::<8>().0;
        let mut elements = Vec::with_capacity(words.len());
        for word in words {
            elements.push(element(*word)?);
        }
        let (heredocs, []) = heredocs.as_chunks::<8>() else { return None };
        let pair = |it: &[u8; 8]| {
            let word = u64::from_le_bytes(*it);
            (word as u32, (word >> 32) as u32)
        };
        Some(SyntaxTree { elements, heredocs: heredocs.iter().map(pair).collect() })
    }
}

impl SyntaxTree {
    /// Whether this can be a tree of the text: tokens stand one behind the other from its start to its end, nodes in one
    /// another. A tree that somebody else wrote down may be anything.
    pub fn is_of(&self, text: &str) -> bool {
        let count = self.elements.len();
        let mut ends = Vec::new();
        let mut at = 0;
        for (index, element) in self.elements.iter().enumerate() {
            while ends.last() == Some(&index) {
                ends.pop();
            }
            if element.kind.is_node() {
                let end = index + 1 + element.data as usize;
                if end > ends.last().copied().unwrap_or(count) || (index > 0 && ends.is_empty()) {
                    return false;
                }
                ends.push(end);
            } else {
                let end = self.token_end(index as u32, text) as usize;
                if ends.is_empty() || element.data as usize != at || end < at || !text.is_char_boundary(end) {
                    return false;
                }
                at = end;
            }
        }
        let body = |index: u32| {
            self.elements.get(index as usize).is_some_and(|it| it.kind == SyntaxKind::HeredocBody)
        };
        let root = self.elements.first();
        at == text.len()
            && root.is_some_and(|it| it.kind == SyntaxKind::SourceFile && it.data as usize + 1 == count)
            && self.heredocs.is_sorted_by(|a, b| a.0 < b.0)
            && self.heredocs.iter().all(|&(_, index)| body(index))
    }
}

fn element(bytes: [u8; 8]) -> Option<Element> {
    let word = u64::from_le_bytes(bytes);
    let kind = *SyntaxKind::ALL.get((word & 0xffff) as usize)?;
    Some(Element { kind, len: (word >> 16) as u16, data: (word >> 32) as u32 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_give_the_tree_back() {
        for (number, &kind) in SyntaxKind::ALL.iter().enumerate() {
            assert_eq!(kind as usize, number);
        }
        let text = "def main\n  puts <<~A\n    one\n  A\n  x = [1, \"#{2}\"]\nend\n";
        let tree = crate::parse(text).tree;
        let image = tree.to_image();
        assert!(tree.is_of(text) && !tree.is_of(&text[1..]) && !tree.is_of(&format!("{text} ")));
        assert_eq!(SyntaxTree::from_image(&image), Some(tree));
        for cut in 0..image.len() {
            // Shorter ones are refused, or lack heredocs.
            SyntaxTree::from_image(&image[..cut]);
        }
        assert_eq!(SyntaxTree::from_image(&[0xff; 64]), None);
    }
}
