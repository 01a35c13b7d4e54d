//! The standard library's sources, as they were when the compiler was built.

use qz_syntax::SyntaxTree;

include!(concat!(env!("OUT_DIR"), "/std_files.rs"));

/// The text of `std/<path>`.
pub(crate) fn find(path: &str) -> Option<&'static str> {
    entry(path).map(|(text, _)| text)
}

/// Its tree, as the compiler's build found it; `None` if the text has problems.
pub(crate) fn tree(path: &str) -> Option<SyntaxTree> {
    entry(path).and_then(|(_, image)| SyntaxTree::from_image(image))
}

fn entry(path: &str) -> Option<(&'static str, &'static [u8])> {
    FILES.binary_search_by(|(name, _)| (*name).cmp(path)).ok().map(|at| FILES[at].1)
}

/// Every module of the library, without the leading `std/`.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}
