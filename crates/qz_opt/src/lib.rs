//! From generic MIR to the program that engines translate: instantiation of generics, clean-up, inlining,
//! placement of reference counts.
//!
//! The order, and why ([`build_module`] reads as a table of contents):
//!
//! 1. [`instantiate`]: everything below needs concrete types and callees.
//! 2. [`tails`]: a function that calls itself last becomes a loop, whether anything else is optimised or not.
//! 3. [`simplify`]: smaller bodies are copied into fewer larger ones.
//! 4. [`inline`]: before counts, so that a parameter is a local like any other and a last use inside a callee
//!    is a last use of the caller's. Then [`sweep`]: what every call of was inlined is left out.
//!    [`specialise`] makes copies of larger functions for the function values that they are handed, in which those
//!    are inlined.
//! 5. [`ownership`] of parameters and [`counts`], which need the final calls: who keeps what, who may panic.
//! 6. [`simplify`] once more, for the blocks that counts brought.
//! 7. [`reuse`]: new objects in the memory of others, where counts say that those end.
//! 8. [`ranges`]: checks that never fail are left out.
//! 9. [`versions`]: loops without their bounds checks, where those can be asked in front.
//! 10. [`outline`]: counts of wide values by a call.
//!
//! After an edit, [`before`] has only some functions made anew, among facts about the others.
//!
//! Each pass is a function from body to body; the verifier runs after every one if asked to.

mod before;
mod bits;
mod callgraph;
mod counts;
mod cycles;
mod drops;
mod glue;
mod graph;
mod indexes;
mod inline;
mod instantiate;
mod outline;
mod ownership;
mod ranges;
mod reuse;
mod scalars;
mod simplify;
mod specialise;
mod sweep;
mod symbols;
mod tails;
#[cfg(test)]
mod tests;
mod versions;

use std::fmt;

use qz_base::Name;
use qz_mir::layout::{AdtDefs, Layouts};
use qz_mir::verify::{State, verify};
use qz_mir::{AdtDef, Body, BodyKey, ConstValue, InstanceKey, Module, Ownership, Source};
use qz_types::{AdtId, FnId, Ty, Tys};
use rustc_hash::FxHashSet;
use std::sync::Arc;

pub use crate::before::{Before, Fact, Facts, Kind, NewFacts, Part, TypeKey, Which, Whole};

use crate::callgraph::{CallGraph, Panics};
use crate::counts::Quiet;
use crate::drops::Drops;
use crate::instantiate::{Instantiated, Start, no_evidence};

/// Evaluates a constant item for these type arguments, or leaves it to be called where it is used (`None`).
pub type ConstEval<'a> = &'a dyn Fn(FnId, Tys) -> Result<Option<ConstValue>, NoValue>;

/// A constant has no value, as whoever evaluates it has reported.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct NoValue;

#[derive(Copy, Clone, Default)]
pub struct Options<'a> {
    pub level: OptLevel,
    /// Check every body after every pass.
    pub verify: bool,
    pub consts: Option<ConstEval<'a>>,
    /// Names keep their values to the end of their scope, for debuggers.
    pub keep_names: bool,
    /// Functions for C that belong to the program whether it uses them itself or not.
    pub exports: &'a [FnId],
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum OptLevel {
    /// Only what is needed for a correct program.
    None,
    #[default]
    Speed,
}

/// A point in the pipeline at which the module can be looked at.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    Instantiated,
    Inlined,
    Counted,
    Finished,
}

/// Why there is no program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptError {
    /// Functions need each other with ever larger type arguments: who needs whom, by function and in words.
    TooDeep { chain: Vec<(FnId, String)> },
    /// A constant has no value, which is reported already.
    NoValue,
    /// A part of a program cannot be changed alone.
    Whole(Whole),
    /// A mistake of the compiler's own, found by the verifier.
    Invalid { symbol: String, stage: &'static str, problems: Vec<String> },
}

impl fmt::Display for OptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptError::TooDeep { .. } => f.write_str("type arguments grow without end"),
            OptError::NoValue => f.write_str("a constant cannot be evaluated"),
            OptError::Whole(why) => write!(f, "all has to be made anew: {why}"),
            OptError::Invalid { symbol, stage, problems } => {
                write!(f, "internal error: {symbol} after {stage}: {}", problems.join("; "))
            }
        }
    }
}

impl std::error::Error for OptError {}

impl From<Whole> for OptError {
    fn from(why: Whole) -> OptError {
        OptError::Whole(why)
    }
}

/// Declarations for [`Layouts`] from a [`Source`].
pub struct SourceDefs<'a>(pub &'a dyn Source);

impl AdtDefs for SourceDefs<'_> {
    fn adt_def(&self, id: AdtId) -> Arc<AdtDef> {
        self.0.adt(id)
    }

    fn resolve(&self, ty: Ty) -> Ty {
        self.0.normalize(ty)
    }
}

/// The program that starts with `main`, or the library of `Options::exports` without one, ready for engines.
/// `observe` sees it after each stage.
pub fn build_module(
    source: &dyn Source,
    main: Option<FnId>,
    options: &Options,
    observe: &mut dyn FnMut(Stage, &Module),
) -> Result<Module, OptError> {
    let start = Start::Program { entry: main.map(InstanceKey::Entry), exports: options.exports };
    build(source, start, options, observe, &mut |built| Ok(built.module))
}

/// The same, and what to note of it so that parts of it can be changed.
pub fn build_noted(
    source: &dyn Source,
    main: Option<FnId>,
    options: &Options,
) -> Result<(Module, Facts), OptError> {
    let start = Start::Program { entry: main.map(InstanceKey::Entry), exports: options.exports };
    build(source, start, options, &mut |_, _| {}, &mut |built| {
        let facts = before::facts(&built, source, options);
        Ok((built.module, facts))
    })
}

/// What is needed to evaluate a constant item; its value is the result of the module's entry.
pub fn build_constant(
    source: &dyn Source,
    item: FnId,
    args: Tys,
    options: &Options,
) -> Result<Module, OptError> {
    let entry = Some(InstanceKey::Body(BodyKey::main(item), args, no_evidence()));
    let start = Start::Program { entry, exports: options.exports };
    build(source, start, options, &mut |_, _| {}, &mut |built| Ok(built.module))
}

/// Makes the stale functions of a program anew: they are among `functions`, or its entry. New functions get numbers from
/// `next` on. [`OptError::Whole`] says that this cannot be done.
pub fn rebuild(
    source: &dyn Source,
    main: Option<FnId>,
    functions: &[FnId],
    options: &Options,
    mut before: Before<'_>,
    next: u32,
) -> Result<Part, OptError> {
    /// Rounds in which callers may turn out to be stale.
    const ROUNDS: u32 = 4;
    for _ in 0..ROUNDS {
        let roots = before.root_keys(source, main, functions)?;
        let start = Start::Part { roots, before: &before };
        let made = build(source, start, options, &mut |_, _| {}, &mut |built| {
            before::part(built, source, &before, next)
        })?;
        match made {
            Ok(part) => return Ok(part),
            Err(weaker) => before.weaken(&weaker)?,
        }
    }
    Err(Whole::because("too many functions depend on what changed").into())
}

/// A module that is done, and what was found out about it on the way.
struct Built<'a> {
    module: Module,
    layouts: &'a Layouts<'a>,
    drops: &'a Drops<'a>,
    panics: Panics,
    quiet: Quiet,
    calls: CallGraph,
    /// Callers hold copies of these.
    copied: Vec<bool>,
    /// Structs whose fields are written after they were made.
    changed: FxHashSet<Ty>,
    ambiguous: bool,
}

fn build<R>(
    source: &dyn Source,
    start: Start<'_>,
    options: &Options,
    observe: &mut dyn FnMut(Stage, &Module),
    done: &mut dyn FnMut(Built<'_>) -> Result<R, OptError>,
) -> Result<R, OptError> {
    let before = match &start {
        Start::Program { .. } => None,
        Start::Part { before, .. } => Some(*before),
    };
    let defs = SourceDefs(source);
    let layouts = Layouts::new(&defs);
    let drops = Drops::new(source, &layouts, options.keep_names);
    let Instantiated { mut module, changed, ambiguous } =
        instantiate::instantiate(source, &layouts, &drops, start, options.consts)?;
    glue::weak::watch_targets(&mut module, &drops);
    glue::circles::end_in_steps(&mut module);
    observe(Stage::Instantiated, &module);
    check(&module, &layouts, options, "instantiation", None)?;
    let optimise = options.level != OptLevel::None;
    for (id, instance) in module.instances.iter_mut() {
        if let Some(body) = &mut instance.body {
            tails::loop_tail_calls(Arc::make_mut(body), id, &drops);
        }
    }
    check(&module, &layouts, options, "tail calls", None)?;
    if optimise {
        each_body(&mut module, |body| simplify::simplify(body, &layouts, &drops));
        check(&module, &layouts, options, "clean-up", None)?;
        let calls = CallGraph::new(&module, before);
        inline::inline_all(&mut module, &layouts, &drops, &calls, None);
        let copies = specialise::specialise(&mut module, source, &drops);
        if copies.changed.contains(&true) {
            let calls = CallGraph::new(&module, before);
            inline::inline_all(&mut module, &layouts, &drops, &calls, Some(&copies));
        }
        if let Some(before) = before {
            before::forget_copied(&mut module, before);
        }
        sweep::sweep(&mut module);
        observe(Stage::Inlined, &module);
        check(&module, &layouts, options, "inlining", None)?;
    }
    if let Some(before) = before {
        before::number_types(&mut module, before);
    }
    glue::cross::dispatch(&mut module, before);
    let calls = CallGraph::new(&module, before);
    let copied = before::copied(&module, &calls.recursive);
    let panics = callgraph::mark_panics(&mut module, &layouts, &drops, &calls, before);
    let mut quiet = Quiet::unknown(&module);
    let reuse = if optimise { reuse::types(&module) } else { FxHashSet::default() };
    if optimise {
        each_body(&mut module, |body| reuse::cells::name_inner(body, &layouts));
        ownership::infer_params(&mut module, &layouts, &drops, &panics, &calls, &reuse);
        quiet = Quiet::new(&module, &layouts, &drops, &calls, before);
    }
    counts::place_counts(&mut module, &layouts, &drops, &panics, &quiet, &reuse);
    observe(Stage::Counted, &module);
    let release_panics = |ty| panics.release(ty, &drops);
    check(&module, &layouts, options, "count placement", Some(&release_panics))?;
    if optimise {
        each_body(&mut module, simplify::simplify_counted);
        reuse::reuse_memory(&mut module, &layouts, &drops, &panics, &quiet, &reuse);
        check(&module, &layouts, options, "reuse of memory", Some(&release_panics))?;
        each_body(&mut module, |body| ranges::leave_out_checks(body, &layouts));
        check(&module, &layouts, options, "leaving out checks", Some(&release_panics))?;
        each_body(&mut module, versions::split_loops);
        each_body(&mut module, indexes::usual_first);
    }
    outline::release_in_turn(&mut module, source, &layouts, &drops, &panics);
    if optimise {
        outline::outline_counts(&mut module, source, &layouts, &drops, &panics);
    }
    check(&module, &layouts, options, "the last clean-up", Some(&release_panics))?;
    cycles::log_moves(&mut module, &layouts, &drops);
    observe(Stage::Finished, &module);
    done(Built { module, layouts: &layouts, drops: &drops, panics, quiet, calls, copied, changed, ambiguous })
}

/// Runs a pass over the bodies that take part in optimisation.
fn each_body(module: &mut Module, pass: impl Fn(&mut Body)) {
    for instance in module.instances.values_mut() {
        if let Some(body) = &mut instance.body {
            pass(Arc::make_mut(body));
        }
    }
}

/// Every body is well formed, if that is wanted to be known.
fn check(
    module: &Module,
    layouts: &Layouts,
    options: &Options,
    stage: &'static str,
    release_panics: Option<&dyn Fn(Ty) -> bool>,
) -> Result<(), OptError> {
    if !options.verify {
        return Ok(());
    }
    for instance in module.instances.values() {
        let Some(body) = &instance.body else { continue };
        let owned: Vec<bool> =
            instance.params.iter().map(|param| param.ownership == Ownership::Owned).collect();
        let state = match release_panics.filter(|_| !glue::has_counts(&instance.key)) {
            Some(release_panics) => {
                let (owned_params, checks_stack) = (&owned[..], instance.may_panic);
                State::Counted { module, layouts, owned_params, checks_stack, release_panics }
            }
            None => State::Mono { module, layouts },
        };
        let problems = verify(body, state);
        if !problems.is_empty() {
            return Err(OptError::Invalid { symbol: instance.symbol.clone(), stage, problems });
        }
    }
    Ok(())
}

/// Names of declarations in dumps, from a [`Source`].
pub struct SourceNames<'a>(pub &'a dyn Source);

impl qz_mir::print::Names for SourceNames<'_> {
    fn adt(&self, id: AdtId) -> String {
        plain(self.0.adt(id).path)
    }

    fn function(&self, id: FnId) -> String {
        plain(self.0.function(id).path)
    }

    fn trait_(&self, id: qz_types::TraitId) -> String {
        plain(self.0.trait_path(id))
    }

    fn static_(&self, id: qz_types::StaticId) -> String {
        plain(self.0.static_var(id).path)
    }
}

fn plain(name: Name) -> String {
    name.as_str().to_owned()
}
