//! From a checked program to its result, on either engine.

use std::path::PathBuf;

use qz_diag::{Code, Diagnostic};
use qz_hir::Overflow;
use qz_infer::Checker;
use qz_lower::Lowerer;
use qz_mir::Module;
use qz_mir::layout::Layouts;
use qz_opt::Facts;
use qz_types::FnId;

use crate::consts::Evaluator;
use crate::{Cache, Program};

/// Who runs the program.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    #[default]
    Cranelift,
    Interp,
}

#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    pub engine: Engine,
    /// Report objects that are still alive at the end.
    pub leaks: bool,
    /// Check MIR after every pass.
    pub verify: bool,
    /// Leave out optimisation.
    pub unoptimised: bool,
    /// What the program's first file says is run a few times only, as tests are: its code is made quickly.
    pub quick: bool,
    /// Keep values for as long as they have names, for debuggers.
    pub keep_names: bool,
    /// Write a map of the compiled functions for Linux perf.
    pub perf_map: bool,
    /// What the program's arithmetic does when a result does not fit.
    pub overflow: Overflow,
    /// The program's arguments, its own name first.
    pub args: Vec<String>,
    /// Folders with C libraries, before the system's.
    pub library_paths: Vec<PathBuf>,
    /// What a program consists of.
    pub shape: Shape,
    /// Count how often lines are run.
    pub counters: Option<crate::LineCounters>,
}

/// What a program consists of.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// What `main` needs.
    #[default]
    Main,
    /// The same, and what its functions for C need.
    Executable,
    /// The same; without a `main`, these alone.
    Object,
    /// What its functions for C need.
    Library,
}

impl RunOptions {
    /// What lowers a program by these options.
    pub(crate) fn lowerer<'c, 'd>(&self, checker: &'c Checker<'d>) -> Lowerer<'c, 'd> {
        let mut lowerer = Lowerer::new(checker);
        lowerer.overflow = self.overflow;
        lowerer
    }
}

/// Why a checked program did not start.
pub enum Failure {
    Problems(Vec<Diagnostic>),
    /// Something outside does not do what it should.
    Tool(ToolProblem),
    /// Somebody pressed Ctrl-C, or asked the process to end by this signal.
    Interrupted(i32),
    /// A mistake of the compiler's own.
    Internal(String),
}

/// A problem that stands at no place in the program.
pub struct ToolProblem {
    pub code: Code,
    pub message: String,
    /// What others said, line by line.
    pub notes: Vec<String>,
    pub help: Option<String>,
}

/// What a run came to.
pub struct Finished {
    pub status: i32,
    /// Objects left over, by type, where they were counted.
    pub leaks: Vec<(String, i64)>,
}

/// The functions for C of the user's modules, in order.
pub(crate) fn exports(program: &Program) -> Vec<FnId> {
    let is_own = |module| program.modules.contains(&module);
    let fns = program.defs.fns.iter();
    fns.filter(|(_, def)| def.attrs.export.is_some() && is_own(def.module)).map(|(id, _)| id).collect()
}

/// Instantiates the program for an engine.
pub fn build(program: &Program, lowerer: &Lowerer<'_, '_>, options: &RunOptions) -> Result<Module, Failure> {
    build_with(program, lowerer, options, &|entry, options| {
        qz_opt::build_module(lowerer, entry, options, &mut |_, _| {})
    })
}

/// The same, and what to note of it so that parts of it can be changed.
fn build_noted(
    program: &Program,
    lowerer: &Lowerer<'_, '_>,
    options: &RunOptions,
) -> Result<(Module, Facts), Failure> {
    build_with(program, lowerer, options, &|entry, options| qz_opt::build_noted(lowerer, entry, options))
}

/// What the program starts with.
pub(crate) fn find_main(program: &Program, lowerer: &Lowerer<'_, '_>) -> Option<FnId> {
    program.root.and_then(|root| lowerer.ck.find_main(root))
}

/// What the optimiser is told.
pub(crate) fn opt_options(options: &RunOptions) -> qz_opt::Options<'static> {
    qz_opt::Options {
        level: if options.unoptimised { qz_opt::OptLevel::None } else { qz_opt::OptLevel::Speed },
        verify: options.verify || cfg!(debug_assertions),
        keep_names: options.keep_names,
        ..Default::default()
    }
}

fn build_with<R>(
    program: &Program,
    lowerer: &Lowerer<'_, '_>,
    options: &RunOptions,
    build: &dyn Fn(Option<FnId>, &qz_opt::Options<'_>) -> Result<R, qz_opt::OptError>,
) -> Result<R, Failure> {
    let main = find_main(program, lowerer);
    let exports: Vec<FnId> = match options.shape {
        Shape::Main => Vec::new(),
        Shape::Executable | Shape::Object | Shape::Library => exports(program),
    };
    let main = main.filter(|_| options.shape != Shape::Library);
    if options.shape == Shape::Library && exports.is_empty() {
        let file = program.root.map_or(qz_base::FileId(0), |root| program.defs.file_of(root));
        let span = crate::load::file_start(file);
        let problem = Diagnostic::new(Code::NO_MAIN, span, "there is nothing for C in this library")
            .help("functions for C are declared by `extern \"C\" def` with a body");
        return Err(Failure::Problems(vec![problem]));
    }
    let needs_main = matches!(options.shape, Shape::Main | Shape::Executable);
    if main.is_none() && (needs_main || exports.is_empty()) {
        let file = program.root.map_or(qz_base::FileId(0), |root| program.defs.file_of(root));
        let problem =
            Diagnostic::new(Code::NO_MAIN, crate::load::file_start(file), "there is no `main` to run")
                .help("write `def main` … `end`");
        return Err(Failure::Problems(vec![problem]));
    }
    let entry = main.map(|main| lowerer.entry(main));
    let constants = Evaluator::new(program, lowerer);
    let eval = |item, args| constants.value(item, args);
    let options = qz_opt::Options { consts: Some(&eval), exports: &exports, ..opt_options(options) };
    let built = build(entry, &options);
    // Bodies of the library are inferred on demand: a problem there is ours.
    let found = program.defs.take_problems().into_iter().chain(constants.take_problems());
    let problems: Vec<Diagnostic> = found.filter(Diagnostic::is_error).collect();
    if !problems.is_empty() {
        return Err(Failure::Problems(crate::told(program, problems)));
    }
    built.map_err(|error| not_built(program, error))
}

/// What the user hears of a program that could not be instantiated.
pub(crate) fn not_built(program: &Program, error: qz_opt::OptError) -> Failure {
    let internal = || Failure::Internal(error.to_string());
    let qz_opt::OptError::TooDeep { chain } = &error else { return internal() };
    let defs = &program.defs;
    let is_own = |it: &FnId| program.modules.contains(&defs.fns[*it].module);
    let mut functions = chain.iter().rev().map(|it| it.0);
    let Some(function) = functions.clone().find(is_own).or(functions.next()) else { return internal() };
    let names = chain.iter().filter(|it| it.0 == function).map(|it| format!("`{}`", it.1));
    let names = names.take(3).collect::<Vec<_>>().join(" asks for ");
    let message = format!("the type arguments of `{}` grow without end", defs.fns[function].name);
    let problem = Diagnostic::new(Code::GROWING_TYPES, defs.fn_span(function), &message)
        .note(format!("{names}, and so on"))
        .help("call it with the types that it has; what grows can be held by a type that refers to itself, such as an enum");
    Failure::Problems(crate::told(program, vec![problem]))
}

/// Runs a checked program, or with `only_build` stops before. `done` hears of each stage that is over.
pub fn run(
    program: &Program,
    checker: &Checker<'_>,
    options: &RunOptions,
    cache: Option<&Cache>,
    only_build: bool,
    done: &mut dyn FnMut(&'static str),
) -> Result<Finished, Failure> {
    if only_build {
        build(program, &options.lowerer(checker), options)?;
        done("mir");
        return Ok(Finished { status: 0, leaks: Vec::new() });
    }
    let mut ran = |start: Start<'_>, done: &mut dyn FnMut(&'static str)| {
        let finished = start();
        done("run");
        finished
    };
    compiled(program, checker, options, cache, done, &mut ran)
}

/// Runs the program that was made ready.
pub type Start<'a> = &'a dyn Fn() -> Result<Finished, Failure>;

/// What is done with it, and whom to tell of stages.
pub(crate) type Then<'a, R> =
    &'a mut dyn FnMut(Start<'_>, &mut dyn FnMut(&'static str)) -> Result<R, Failure>;

/// Makes a checked program ready to run and hands it on. It may be started once in a process; processes that are forked
/// from this one may each start it.
pub fn compiled<R>(
    program: &Program,
    checker: &Checker<'_>,
    options: &RunOptions,
    cache: Option<&Cache>,
    done: &mut dyn FnMut(&'static str),
    then: Then<'_, R>,
) -> Result<R, Failure> {
    let bodies;
    let mut lowerer = options.lowerer(checker);
    lowerer.counters = options.counters.as_ref().map(|it| it.addresses(&program.sources));
    bodies = cache.and_then(|cache| cache.bodies(program, &lowerer));
    lowerer.kept = bodies.as_ref().map(|it| it.kept());
    qz_rt::process::set_args(options.args.clone());
    let is_kept = options.engine == Engine::Cranelift && !options.keep_names;
    if let Some(cache) = cache.filter(|_| is_kept)
        && let Some(saved) = cache.with_new_bodies(program, &lowerer, options)?
    {
        bodies.iter().for_each(|it| it.keep(&lowerer));
        done("mir");
        let jit = saved.load().map_err(|error| Failure::Internal(error.to_string()))?;
        done("compile");
        return start(&jit, done, then);
    }
    let (module, facts) = build_noted(program, &lowerer, options)?;
    bodies.iter().for_each(|it| it.keep(&lowerer));
    done("mir");
    let defs = qz_opt::SourceDefs(&lowerer);
    let layouts = Layouts::new(&defs);
    match options.engine {
        Engine::Cranelift => {
            crate::foreign::load(program, &module, &options.library_paths).map_err(Failure::Problems)?;
            let internal = |error: qz_cranelift::CompileError| Failure::Internal(error.to_string());
            let told = code_options(program, options);
            let packs = cache.map(|cache| cache.packs_to_run(options, false));
            let store = packs.as_ref().map(|it| it as &dyn qz_cranelift::CodeStore);
            let ready = qz_cranelift::compile(&module, &layouts, told, store).map_err(internal)?;
            if let (Some(cache), Some(packs)) = (cache, packs) {
                cache.keep(packs);
            }
            // Where C libraries are is asked anew each time.
            if let Some(cache) = cache.filter(|_| crate::foreign::libraries(program, &module).is_empty()) {
                if let Some(image) = cache.keep_image(program, options, &ready) {
                    cache.note_facts(program, &lowerer, options, image, (&facts, ready.code_len()));
                }
            }
            let jit = ready.load(Box::new(program.sources.clone())).map_err(internal)?;
            if options.perf_map {
                write_perf_map(&jit.perf_map(&module));
            }
            done("compile");
            let result = start(&jit, done, then);
            if module.instances.values().any(|instance| instance.for_c.is_some()) {
                jit.keep();
            }
            result
        }
        Engine::Interp => {
            crate::foreign::refuse(program, &module).map_err(Failure::Problems)?;
            then(
                &|| {
                    let options = qz_interp::Options::default();
                    let outcome = qz_interp::run(&module, &layouts, &program.sources, options)
                        .map_err(|stop| Failure::Internal(stop.to_string()))?;
                    report_panic(outcome.panic.as_ref());
                    Ok(Finished { status: outcome.status, leaks: outcome.leaks })
                },
                done,
            )
        }
    }
}

fn start<R>(
    jit: &qz_cranelift::Jit,
    done: &mut dyn FnMut(&'static str),
    then: Then<'_, R>,
) -> Result<R, Failure> {
    let run = || {
        let outcome = jit.run().map_err(|error| Failure::Internal(error.to_string()))?;
        report_panic(outcome.panic.as_ref());
        Ok(Finished { status: outcome.status, leaks: outcome.leaks })
    };
    then(&run, done)
}

/// A program as machine code that is not in memory yet, made as a whole; of functions that the cache knows, if there is one.
pub(crate) fn ready(
    program: &Program,
    checker: &Checker<'_>,
    options: &RunOptions,
    cache: Option<&Cache>,
) -> Result<qz_cranelift::Ready, Failure> {
    let bodies;
    let mut lowerer = options.lowerer(checker);
    bodies = cache.and_then(|cache| cache.bodies(program, &lowerer));
    lowerer.kept = bodies.as_ref().map(|it| it.kept());
    let packs = cache.map(|cache| cache.packs_to_run(options, false));
    let store = packs.as_ref().map(|it| it as &dyn qz_cranelift::CodeStore);
    let module = build(program, &lowerer, options)?;
    let defs = qz_opt::SourceDefs(&lowerer);
    let internal = |error: qz_cranelift::CompileError| Failure::Internal(error.to_string());
    qz_cranelift::compile(&module, &Layouts::new(&defs), code_options(program, options), store)
        .map_err(internal)
}

/// How this program is compiled.
pub(crate) fn code_options(program: &Program, options: &RunOptions) -> qz_cranelift::Options {
    let root = program.root.filter(|_| options.quick);
    qz_cranelift::Options { quick: root.map(|root| program.defs.modules[root].path), ..jit_options(options) }
}

/// The same for every program.
pub(crate) fn jit_options(options: &RunOptions) -> qz_cranelift::Options {
    let opt = if options.unoptimised { qz_cranelift::OptLevel::None } else { qz_cranelift::OptLevel::Speed };
    qz_cranelift::Options { opt, count_objects: options.leaks, ..Default::default() }
}

/// Puts the map where perf looks for it. Without it a profile has no names, nothing else, so an error is only
/// told.
fn write_perf_map(map: &str) {
    let path = format!("/tmp/perf-{}.map", std::process::id());
    if let Err(error) = std::fs::write(&path, map) {
        eprintln!("warning: cannot write {path}: {error}");
    }
}

pub(crate) fn report_panic(panic: Option<&qz_rt::panic::Panic>) {
    if let Some(panic) = panic {
        qz_rt::streams::write_error(panic.report().as_bytes());
    }
}
