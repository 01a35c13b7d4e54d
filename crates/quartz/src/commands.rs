//! What each command does.

mod build;
mod cache;
mod explain;
mod new;
mod test;
mod watch;

use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use qz_diag::Diagnostic;
use qz_driver::{Cache, Failure, Finished, Program, Root, RunOptions, SourceMap, ToolProblem};
use qz_infer::Checker;

use self::cache::Caching;
use crate::cli::{CacheFlags, Cli, Color, Command, Look, MessageFormat, Run, StopAfter};

/// Problems in the program.
const STATUS_PROBLEMS: u8 = 1;
/// Wrong use of the tool.
const STATUS_USE: u8 = 2;
/// Objects were left over.
const STATUS_LEAKS: u8 = 102;

/// Runs a command; gives the exit status.
pub(crate) fn dispatch(cli: &Cli) -> u8 {
    match &cli.command {
        Command::Run(command) => run(&cli.look, command),
        Command::Build(command) => build::build(&cli.look, command),
        Command::Check { paths, dump_effects, timings, caching } => {
            let mut timings = Timings::new(*timings);
            let check = |path: &PathBuf| match dump_effects {
                true => print_effects(&cli.look, path),
                false => check_path(&cli.look, path, caching, &mut timings),
            };
            let worst = paths.iter().map(check).max().unwrap_or(0);
            timings.print();
            worst
        }
        Command::Test(command) => test::test(&cli.look, command),
        Command::Watch(command) => watch::watch(command),
        Command::Cache { what } => cache::manage(what),
        Command::Explain { code } => explain::explain(code),
        Command::New { name } => new::new(name),
    }
}

pub(crate) fn report_internal(words: &str) {
    eprintln!("error[{}]: an error in the compiler: {words}", qz_diag::Code::INTERNAL);
    eprintln!("  = help: please report it, with the program that led to it");
}

impl Look {
    fn colored(&self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => std::io::stderr().is_terminal(),
        }
    }

    fn show(&self, problem: &Diagnostic, sources: &SourceMap) -> String {
        match self.message_format {
            MessageFormat::Json => qz_diag::render_json(problem, sources) + "\n",
            MessageFormat::Human => qz_diag::render_human(problem, sources, self.colored()) + "\n",
        }
    }

    fn words(&self, problems: &[Diagnostic], sources: &SourceMap) -> String {
        problems.iter().map(|it| self.show(it, sources)).collect()
    }

    /// Writes problems to standard error; whether one is an error.
    fn report(&self, problems: &[Diagnostic], sources: &SourceMap) -> bool {
        let text = self.words(problems, sources);
        // A reader that went away is no reason to fail differently.
        std::io::stderr().write_all(text.as_bytes()).ok();
        let errors = problems.iter().filter(|it| it.is_error()).count();
        if errors > 0 && self.message_format == MessageFormat::Human {
            eprintln!("{errors} {}", if errors == 1 { "error" } else { "errors" });
        }
        errors > 0
    }
}

/// Checks a program; gives the exit status.
fn check_path(look: &Look, path: &Path, flags: &CacheFlags, timings: &mut Timings) -> u8 {
    let is_std = path.as_os_str() == "std" && !path.is_file();
    let root = if is_std { Root::Std } else { Root::File(path.to_path_buf()) };
    let caching = Caching::open(look, flags, &root);
    if let Some(known) = caching.get().and_then(|cache| cache.unchanged(path)) {
        timings.done("check");
        look.report(&known.warnings, &known.sources);
        let told = look.words(&known.warnings, &known.sources);
        return caching.end(|| check_anew(look, &caching, root).is_some_and(|anew| anew == told));
    }
    let Some(program) = caching.load(root.clone()) else { return STATUS_PROBLEMS };
    timings.done("load");
    let checker = Box::leak(Box::new(Checker::for_problems(&program.defs)));
    let problems = qz_driver::check(program, checker, caching.get());
    timings.done("check");
    let status = if look.report(&problems, &program.sources) { STATUS_PROBLEMS } else { 0 };
    let told = look.words(&problems, &program.sources);
    caching.end(|| check_anew(look, &caching, root).is_some_and(|anew| anew == told)).max(status)
}

/// Prints what each function of a program performs; gives the exit status.
fn print_effects(look: &Look, path: &Path) -> u8 {
    let root = Root::File(path.to_path_buf());
    let Some(program) = Caching::none(look, &root).load(root) else { return STATUS_PROBLEMS };
    let checker = checker_of(program);
    let problems = qz_driver::check(program, checker, None);
    if look.report(&problems, &program.sources) {
        return STATUS_PROBLEMS;
    }
    print!("{}", checker.dump_effects());
    0
}

/// What checking says that knows nothing of what was done before.
fn check_anew(look: &Look, caching: &Caching, root: Root) -> Option<String> {
    let program = caching.load_anew(root)?;
    let problems = qz_driver::check(program, &Checker::for_problems(&program.defs), None);
    Some(look.words(&problems, &program.sources))
}

/// How long each stage took.
struct Timings {
    last: Instant,
    stages: Vec<(&'static str, Duration)>,
    wanted: bool,
}

impl Timings {
    fn new(wanted: bool) -> Timings {
        Timings { last: Instant::now(), stages: Vec::new(), wanted }
    }

    fn done(&mut self, stage: &'static str) {
        let now = Instant::now();
        self.stages.push((stage, now - self.last));
        self.last = now;
    }

    fn print(&self) {
        if self.wanted {
            for (stage, time) in &self.stages {
                eprintln!("{stage:>10} {:>9.3} ms", time.as_secs_f64() * 1000.0);
            }
            if let Some(bytes) = peak_memory() {
                eprintln!("{:>10} {:>9.3} MB", "peak", bytes as f64 / 1e6);
            }
        }
    }
}

/// The most memory that this process ever had, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn read_stdin() -> Result<String, String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}

/// Where a program's text comes from; nothing if that cannot be read.
fn root_of(file: &Path) -> Option<Root> {
    if file.as_os_str() != "-" {
        return Some(Root::File(file.to_path_buf()));
    }
    match read_stdin() {
        Ok(text) => Some(Root::Text(text)),
        Err(reason) => {
            eprintln!("error: standard input cannot be read: {reason}");
            None
        }
    }
}

fn run(look: &Look, command: &Run) -> u8 {
    let mut timings = Timings::new(command.timings);
    let Some(root) = root_of(&command.file) else { return STATUS_USE };
    // Stages are looked at as they are made.
    let asks_for_less = command.emit.is_some() || command.stop_after.is_some();
    let caching = match asks_for_less {
        true => Caching::none(look, &root),
        false => Caching::open(look, &command.caching, &root),
    };
    let options = run_options(command);
    if let Some(status) =
        caching.get().and_then(|cache| run_again(look, cache, &options, command, &mut timings))
    {
        timings.print();
        return caching.end(|| caching.runs_the_same(&command.file, &options)).max(status);
    }
    let Some(program) = caching.load(root) else { return STATUS_PROBLEMS };
    timings.done("load");
    let status = run_loaded(look, command, &program, &options, caching.get(), &mut timings);
    timings.print();
    caching.end(|| caching.runs_the_same(&command.file, &options)).max(status)
}

/// Runs a program that was compiled before and did not change; nothing if there is none.
fn run_again(
    look: &Look,
    cache: &Cache,
    options: &RunOptions,
    command: &Run,
    timings: &mut Timings,
) -> Option<u8> {
    let known = cache.unchanged(&command.file)?;
    timings.done("check");
    let finished = cache.compiled(&known, options, &mut |start| {
        timings.done("compile");
        look.report(&known.warnings, &known.sources);
        let finished = start();
        timings.done("run");
        finished
    })?;
    Some(match finished {
        Ok(finished) => status_of(&finished),
        Err(failure) => fail(look, &known.sources, failure),
    })
}

fn status_of(finished: &Finished) -> u8 {
    for (name, count) in &finished.leaks {
        eprintln!("leaked: {count} × {name}");
    }
    if finished.leaks.is_empty() { finished.status as u8 } else { STATUS_LEAKS }
}

fn run_options(command: &Run) -> RunOptions {
    let mut args = vec![command.file.display().to_string()];
    args.extend(command.args.iter().cloned());
    RunOptions {
        keep_names: false,
        overflow: command.overflow.into(),
        engine: command.engine.into(),
        leaks: command.leaks,
        verify: command.verify,
        unoptimised: command.unoptimised,
        quick: false,
        perf_map: command.perf_map,
        args,
        library_paths: command.library_paths.clone(),
        shape: qz_driver::Shape::Main,
        counters: None,
    }
}

/// What checks a program; it stays as long as that does.
fn checker_of(program: &'static Program) -> &'static Checker<'static> {
    Box::leak(Box::new(Checker::new(&program.defs)))
}

fn run_loaded(
    look: &Look,
    command: &Run,
    program: &'static Program,
    options: &RunOptions,
    cache: Option<&Cache>,
    timings: &mut Timings,
) -> u8 {
    let checker = checker_of(program);
    let sources = &program.sources;
    if let Some(kind) = command.emit.filter(|kind| kind.is_syntax()) {
        let is_broken = kind == qz_driver::EmitKind::Expanded && look.report(&program.problems, sources);
        let printed = print_stage(look, program, qz_driver::emit(program, checker, kind, options));
        return if is_broken { STATUS_PROBLEMS } else { printed };
    }
    if command.stop_after == Some(StopAfter::Parse) {
        return if look.report(&program.problems, sources) { STATUS_PROBLEMS } else { 0 };
    }
    let problems = qz_driver::check(program, checker, cache);
    timings.done("check");
    if look.report(&problems, sources) {
        return STATUS_PROBLEMS;
    }
    if command.stop_after == Some(StopAfter::Check) {
        return 0;
    }
    if let Some(kind) = command.emit {
        return print_stage(look, program, qz_driver::emit(program, checker, kind, options));
    }
    match qz_driver::run(program, checker, options, cache, command.stop_after.is_some(), &mut |stage| {
        timings.done(stage)
    }) {
        Ok(finished) => status_of(&finished),
        Err(failure) => fail(look, sources, failure),
    }
}

fn fail(look: &Look, sources: &SourceMap, failure: Failure) -> u8 {
    match failure {
        Failure::Problems(problems) => {
            look.report(&problems, sources);
            STATUS_PROBLEMS
        }
        Failure::Tool(problem) => {
            report_tool(&problem);
            STATUS_PROBLEMS
        }
        // As a shell tells it of a program that the signal ended.
        Failure::Interrupted(signal) => 128 + signal as u8,
        Failure::Internal(words) => {
            report_internal(&words);
            crate::STATUS_INTERNAL
        }
    }
}

fn report_tool(problem: &ToolProblem) {
    eprintln!("error[{}]: {}", problem.code, problem.message);
    problem.notes.iter().for_each(|note| eprintln!("  | {note}"));
    problem.help.iter().for_each(|help| eprintln!("  = help: {help}"));
}

fn print_stage(look: &Look, program: &Program, text: Result<String, Failure>) -> u8 {
    match text {
        Ok(text) => {
            std::io::stdout().write_all(text.as_bytes()).ok();
            0
        }
        Err(failure) => fail(look, &program.sources, failure),
    }
}
