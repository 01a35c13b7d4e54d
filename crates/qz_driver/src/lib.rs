//! The pipeline: load, parse, collect, check, lower, instantiate, run or build. Each step is a function of another
//! crate; this one reads files, keeps their texts, and puts the steps into order.
//!
//! Start with [`load`], then [`check`], [`run`] and [`build_native`].

pub mod cache;
mod consts;
mod coverage;
mod dump;
mod expansion;
mod foreign;
pub mod include;
mod inputs;
pub mod load;
mod native;
mod pages;
mod pure;
mod run;
mod sources;
mod std_files;

use qz_diag::Diagnostic;
pub use qz_hir::Overflow;
use qz_hir::{Defs, ModuleId};
use qz_infer::Checker;

pub use cache::Cache;
pub use consts::Constants;
pub use coverage::LineCounters;
pub use dump::{EmitKind, emit};
pub use inputs::{inputs, json_dependencies, make_rule};
pub use load::{Library, Loaded, Root, load, load_after};
pub use native::{Artefact, BuildOptions, CodeBy, Sanitizer, build_native, output_of, write_header};
pub use qz_macros::Settings;
pub use run::{Engine, Failure, Finished, RunOptions, Shape, Start, ToolProblem, build, compiled, run};
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
    /// Files that would have been part of it if they were there.
    pub absent: Vec<std::path::PathBuf>,
    /// Files that `include_str` and `include_bytes` name.
    pub included: Vec<include::Included>,
    /// Values of constants, as far as they were asked for.
    pub constants: Constants,
    /// The user's modules as the cache sees them, if there is one.
    pub(crate) nodes: Vec<cache::graph::Node>,
}

impl Program {
    /// The path of the file that it starts in; none for a text.
    pub fn root_path(&self) -> Option<&str> {
        let path = self.sources.path(self.defs.file_of(self.root?)).to_str()?;
        (path != "-").then_some(path)
    }
}

/// Collects the declarations of loaded files.
pub fn collect(loaded: Loaded) -> Program {
    let Loaded {
        sources,
        inputs,
        prelude,
        root,
        user_files,
        mut problems,
        absent,
        included,
        expansions,
        nodes,
        collected,
    } = loaded;
    let collected = collected.unwrap_or_default();
    let inputs = inputs.into_iter().skip(collected.modules.len()).collect();
    let defs = qz_hir::collect::collect_more(collected, inputs, prelude, expansions);
    problems.extend(defs.take_problems());
    let modules = user_files.iter().filter_map(|&file| defs.module_of_file(file)).collect();
    let root = root.and_then(|file| defs.module_of_file(file));
    let constants = Constants::default();
    Program { sources, defs, modules, root, problems, absent, included, constants, nodes }
}

/// Checks every declaration and body of the user's modules, but those that the cache knows to be what they were; gives
/// all problems, in order of place.
pub fn check(program: &Program, checker: &Checker<'_>, cache: Option<&Cache>) -> Vec<Diagnostic> {
    let mut problems = program.problems.clone();
    problems.extend(program.defs.take_problems());
    let Some(cache) = cache.filter(|_| !problems.iter().any(Diagnostic::is_error)) else {
        check_all(program, checker, &mut problems);
        return told(program, problems);
    };
    let modules = cache.check(program, checker, &mut problems);
    let problems = told(program, problems);
    cache.remember(program, &problems, modules);
    problems
}

/// Problems as they are told: in order, those in expansions of macros at the calls.
pub(crate) fn told(program: &Program, problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut problems: Vec<Diagnostic> = problems.into_iter().map(|it| program.sources.settle(it)).collect();
    qz_diag::sort_and_dedup(&mut problems);
    problems
}

fn check_all(program: &Program, checker: &Checker<'_>, problems: &mut Vec<Diagnostic>) {
    checker.check_modules(&program.modules);
    checker.check_effects_of(&program.modules);
    problems.extend(program.defs.take_problems());
    if !problems.iter().any(Diagnostic::is_error) {
        problems.extend(consts::check(program, &program.modules));
    }
}

/// What is known of a diagnostic code: its page in the book, or its title.
pub fn explain(code: qz_diag::Code) -> Option<String> {
    let title = code.title().or_else(|| {
        let known = qz_syntax::SYNTAX_CODES.iter().find(|it| it.0 == code.0);
        known.map(|it| it.1)
    })?;
    let page = pages::find(&code.to_string());
    Some(page.map_or_else(|| format!("{code}: {title}"), str::to_owned))
}
