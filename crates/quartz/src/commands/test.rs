//! `quartz test`, and the hosts that it starts.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use qz_driver::{Cache, Failure, LineCounters, Program, Root, RunOptions};
use qz_infer::Checker;
use qz_spec::{Choice, Format, HostOptions, SharedCounters};

use super::cache::Caching;
use super::{STATUS_PROBLEMS, fail};
use crate::cli::{Color, EngineName, Look, SpecHost, Test, TestChoice, TestFormat};

pub(super) fn test(look: &Look, command: &Test) -> u8 {
    let compiler = match std::env::current_exe() {
        Ok(compiler) => compiler,
        Err(error) => {
            eprintln!("error: the compiler does not find itself: {error}");
            return STATUS_PROBLEMS;
        }
    };
    let here = || vec![PathBuf::from(".")];
    let processors = || std::thread::available_parallelism().map_or(1, |it| it.get());
    qz_spec::test(&qz_spec::Options {
        paths: if command.paths.is_empty() { here() } else { command.paths.clone() },
        host: host_options(&command.choice, command.seed.unwrap_or_else(any_seed)),
        told: told_to_all(look),
        told_to_hosts: command.choice.caching.words(),
        explains: command.choice.caching.explain_cache.is_some(),
        jobs: command.jobs.map_or_else(processors, usize::from),
        engine: match command.choice.engine {
            EngineName::Cranelift => "cranelift".into(),
            EngineName::Interp => "interp".into(),
        },
        format: match command.format {
            TestFormat::Human => Format::Human,
            TestFormat::Json => Format::Json,
            TestFormat::Junit => Format::Junit,
            TestFormat::Tap => Format::Tap,
        },
        times: command.times,
        coverage: command.choice.coverage,
        colored: match look.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => std::io::stdout().is_terminal(),
        },
        terminal: std::io::stderr().is_terminal(),
        compiler,
    })
}

/// What everything that a test run starts is told.
fn told_to_all(look: &Look) -> Vec<String> {
    look.features.iter().map(|it| format!("--cfg=feature={it}")).collect()
}

fn host_options(choice: &TestChoice, seed: u64) -> HostOptions {
    HostOptions {
        choice: Choice { filter: choice.filter.clone(), tags: choice.tags.clone(), seed },
        leaks: choice.leaks,
        list: choice.list,
        bail: choice.bail,
        update_snapshots: choice.update_snapshots,
    }
}

/// Short enough to be typed again.
fn any_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| u64::from(it.subsec_nanos()) / 7 % 100_000)
}

/// Compiles a specification and runs its tests.
pub(super) fn host(look: &Look, command: &SpecHost) -> u8 {
    let root = Root::File(command.file.clone());
    let caching = Caching::open_as(look, &command.choice.caching, &root, true);
    let again = caching.get().and_then(|cache| host_again(look, cache, command));
    let status = again.unwrap_or_else(|| host_anew(look, command, &caching, root));
    let is_kept = !command.choice.coverage;
    caching.end(|| !is_kept || caching.runs_the_same(&command.file, &run_options(command))).max(status)
}

fn run_options(command: &SpecHost) -> RunOptions {
    RunOptions {
        engine: command.choice.engine.into(),
        leaks: command.choice.leaks,
        args: vec![command.file.display().to_string()],
        ..RunOptions::default()
    }
}

/// Runs the tests of a specification that was compiled before and did not change.
fn host_again(look: &Look, cache: &Cache, command: &SpecHost) -> Option<u8> {
    if command.choice.coverage {
        return None;
    }
    let known = cache.unchanged(&command.file)?;
    let host_options = host_options(&command.choice, command.seed);
    let told = cache.compiled(&known, &run_options(command), &mut |start| {
        look.report(&known.warnings, &known.sources);
        qz_spec::host(start, &host_options).map_err(|error| Failure::Internal(error.to_string()))
    })?;
    Some(told.map_or_else(|failure| fail(look, &known.sources, failure), |()| 0))
}

fn host_anew(look: &Look, command: &SpecHost, caching: &Caching, root: Root) -> u8 {
    let Some(program) = caching.load(root) else { return STATUS_PROBLEMS };
    let cache = caching.get();
    let checker = Checker::new(&program.defs);
    let problems = qz_driver::check(&program, &checker, cache);
    if look.report(&problems, &program.sources) {
        return STATUS_PROBLEMS;
    }
    let counters = match command.choice.coverage.then(|| Coverage::new(&program)).transpose() {
        Ok(counters) => counters,
        Err(error) => return fail(look, &program.sources, Failure::Internal(error.to_string())),
    };
    let counted = counters.as_ref().map(|it| it.counters.clone());
    let options = RunOptions { counters: counted, ..run_options(command) };
    let host_options = host_options(&command.choice, command.seed);
    let told = qz_driver::compiled(&program, &checker, &options, cache, &mut |_| {}, &mut |start, _| {
        let told = qz_spec::host(start, &host_options);
        let told = told.and_then(|()| counters.as_ref().map_or(Ok(()), |it| it.tell(&program, &checker)));
        told.map_err(|error| Failure::Internal(error.to_string()))
    });
    match told {
        Ok(()) => 0,
        Err(failure) => fail(look, &program.sources, failure),
    }
}

/// How often each line is run, counted by the workers of one host.
struct Coverage {
    counters: LineCounters,
    memory: SharedCounters,
}

impl Coverage {
    fn new(program: &Program) -> std::io::Result<Coverage> {
        let mut counters = LineCounters::new(program);
        let memory = SharedCounters::new(counters.size)?;
        counters.address = memory.address();
        Ok(Coverage { counters, memory })
    }

    fn tell(&self, program: &Program, checker: &Checker<'_>) -> std::io::Result<()> {
        let lines = self.counters.lines(program, checker).into_iter();
        qz_spec::tell_lines(lines.map(|(file, line, n)| (file, line, self.memory.get(n))).collect())
    }
}
