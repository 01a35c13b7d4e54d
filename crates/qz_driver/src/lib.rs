//! The pipeline: load, parse, collect, check, lower, instantiate, run. Each step is a function of another
//! crate; this one reads files, keeps their texts, and puts the steps into order.
//!
//! Start with [`load`], then [`check`] and [`run`].

pub mod load;
mod sources;
mod std_files;

use qz_diag::Diagnostic;
use qz_hir::{Defs, ModuleId};
use qz_infer::Checker;

pub use load::{Loaded, Root, load};
pub use sources::SourceMap;

/// A program whose declarations are known.
pub struct Program {
    pub sources: SourceMap,
    pub defs: Defs,
    /// The modules to be checked whole: the user's own.
    pub modules: Vec<ModuleId>,
    /// The module the program starts in.
    pub root: Option<ModuleId>,
    /// Problems found while loading and parsing.
    pub problems: Vec<Diagnostic>,
}

/// Collects the declarations of loaded files.
pub fn collect(loaded: Loaded) -> Program {
    let Loaded { sources, inputs, prelude, root, user_files, mut problems } = loaded;
    let defs = qz_hir::collect::collect(inputs, prelude);
    problems.extend(defs.take_problems());
    let modules = user_files.iter().filter_map(|&file| defs.module_of_file(file)).collect();
    let root = root.and_then(|file| defs.module_of_file(file));
    Program { sources, defs, modules, root, problems }
}

/// Checks every declaration and body of the user's modules; gives all problems, in order of place.
pub fn check(program: &Program, checker: &Checker<'_>) -> Vec<Diagnostic> {
    for &module in &program.modules {
        checker.check_module(module);
    }
    let mut problems = program.problems.clone();
    problems.extend(program.defs.take_problems());
    qz_diag::sort_and_dedup(&mut problems);
    problems
}
