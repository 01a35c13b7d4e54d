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
        assert_eq!(SyntaxTree::from_image(&image), Some(tree));
        for cut in 0..image.len() {
            // Shorter ones are refused, or lack heredocs.
            SyntaxTree::from_image(&image[..cut]);
        }
        assert_eq!(SyntaxTree::from_image(&[0xff; 64]), None);
    }
}
