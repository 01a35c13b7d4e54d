//! Text to a lossless tree and its problems.
//!
//! [`tree`] is what the parser gives: every byte of the text, in order, in nodes. [`ast`] is the typed view of it
//! that later stages use. `nodes.rs` is the one table of node kinds.

#[macro_use]
mod nodes;
pub mod ast;
mod grammar;
pub mod kinds;
pub mod lexer;
pub mod literals;
mod parser;
pub mod problems;
pub mod tree;

pub use kinds::SyntaxKind;
pub use lexer::{Lexed, lex};
pub use parser::{MAX_NESTING, Parse, parse, parse_expanded};
pub use problems::{SYNTAX_CODES, SyntaxProblem, SyntaxProblemKind};
pub use tree::{Element, SyntaxElement, SyntaxNode, SyntaxToken, SyntaxTree};

#[cfg(test)]
mod tests;
