//! The vocabulary every crate shares: where something stands in a file (`Span`), what it is called
//! (`Name`), and how one thing points to another (typed ids and the arenas that own them).
//!
//! Nothing here knows the language. Start with [`span`], then [`arena`].

pub mod arena;
pub mod digest;
pub mod graph;
pub mod line_index;
pub mod name;
pub mod parallel;
pub mod span;

pub use arena::{Arena, ArenaMap, Id, IdVec};
pub use line_index::{LineCol, LineIndex};
pub use name::Name;
pub use rustc_hash::{FxHashMap, FxHashSet};
pub use span::{FileId, Span, TextRange};
