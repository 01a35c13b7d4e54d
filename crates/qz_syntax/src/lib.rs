//! Text to a lossless tree and its problems.
//!
//! [`tree`] is what the parser gives: every byte of the text, in order, in nodes. [`ast`] is the typed view of it
//! that later stages use. `nodes.rs` is the one table of node kinds.

#[macro_use]
mod nodes;
pub mod ast;
pub mod kinds;
pub mod tree;

pub use kinds::SyntaxKind;
pub use tree::{Element, SyntaxElement, SyntaxNode, SyntaxToken, SyntaxTree};
