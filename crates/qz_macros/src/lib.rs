//! From trees with calls of macros to trees without: `$name(…)` and `@derive(…)` are replaced by what the macro gives,
//! before names are looked up.
//!
//! * [`scope`]: which macro a name means, by the headers of modules alone;
//! * [`expand`]: finds calls, outermost first, until none is left or a limit is reached;
//! * [`eval`] runs a macro's body, whose values are in [`value`] and whose methods on trees in [`methods`];
//! * [`quote`], [`fill`]: a quote as a template, and the template filled; here hygiene is decided;
//! * [`heredocs`]: those in calls, which become texts before the call is expanded;
//! * [`layout`]: binary types and packed structs, which become declarations in the same way;
//! * [`code`]: text that remembers where each piece was written; [`show`]: the same for people to read.
//!
//! An expansion is text with origins, parsed by the ordinary parser: what comes out is a tree like any other, and a program
//! without macros pays one look at each tree's kinds.

mod cfg;
mod code;
mod eval;
mod expand;
mod fill;
mod heredocs;
mod layout;
mod methods;
mod quote;
mod scope;
mod show;
mod value;
mod words;

use std::sync::Arc;

use qz_base::{FileId, FxHashSet, Name};
use qz_diag::Diagnostic;
use qz_syntax::SyntaxTree;

pub use cfg::{Settings, without_inactive};
pub use code::{Expansion, ExpansionId, NOBODY, Origin, Trace, place};
pub use expand::expand;
pub use show::show;
pub use words::explain;

/// A parsed module, whose imports are known.
pub struct Module {
    pub file: FileId,
    pub text: Arc<str>,
    pub tree: Arc<SyntaxTree>,
    /// For each import, in source order, the module it names, by position.
    pub imports: Vec<Option<usize>>,
    /// The parser found something wrong.
    pub is_broken: bool,
}

/// A module after expansion.
pub struct Expanded {
    /// Its position.
    pub module: usize,
    pub text: Arc<str>,
    pub tree: SyntaxTree,
    pub origins: Arc<[Origin]>,
    /// Names of declarations that quotes wrote.
    pub made: FxHashSet<Name>,
}

/// What became of the program.
#[derive(Default)]
pub struct Outcome {
    /// Modules that had anything to expand.
    pub modules: Vec<Expanded>,
    pub trace: Trace,
    pub problems: Vec<Diagnostic>,
}

impl Module {
    pub(crate) fn source(&self) -> code::Parsed {
        code::Parsed::source(self.file, self.text.clone(), self.tree.clone())
    }
}
