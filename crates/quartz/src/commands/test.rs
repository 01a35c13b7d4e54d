//! `quartz test`, and what its hosts do.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use qz_driver::{Cache, Failure, Library, LineCounters, Program, Root, RunOptions};
use qz_infer::Checker;
use qz_spec::{Choice, Format, HostOptions, Hosting, SharedCounters};

use super::cache::Caching;
use super::{STATUS_PROBLEMS, checker_of, fail};
use crate::cli::{Color, EngineName, Look, MessageFormat, Test, TestChoice, TestFormat};

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
    let colored = match look.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::stdout().is_terminal(),
    };
    let options = qz_spec::Options {
        paths: if command.paths.is_empty() { here() } else { command.paths.clone() },
        host: host_options(&command.choice, command.seed.unwrap_or_else(any_seed)),
        told: told_to_all(look),
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
        colored,
        terminal: std::io::stderr().is_terminal(),
        compiler,
    };
    let hosts = Hosts {
        look: Look {
            message_format: MessageFormat::Human,
            color: if colored { Color::Always } else { Color::Never },
            features: look.features.clone(),
        },
        choice: &command.choice,
        options: options.host.clone(),
        library: RefCell::new(None),
    };
    qz_spec::test(&options, &hosts)
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

/// What hosts of specifications do.
struct Hosts<'a> {
    look: Look,
    choice: &'a TestChoice,
    options: HostOptions,
    /// Loaded once for all of them.
    library: RefCell<Option<Library>>,
}

impl Hosting for Hosts<'_> {
    fn host(&self, file: &Path) -> Option<u8> {
        let mut is_prepared = true;
        let status = crate::guarded(|| {
            let status = self.compile_and_run(file);
            is_prepared = status.is_some();
            status.unwrap_or(0)
        });
        is_prepared.then_some(status)
    }

    fn prepare(&self) {
        *self.library.borrow_mut() = Some(Library::new(&self.look.settings(true)));
    }
}

impl Hosts<'_> {
    /// Compiles a specification and runs its tests; nothing if that needs the library.
    fn compile_and_run(&self, file: &Path) -> Option<u8> {
        let root = Root::File(file.to_owned());
        let caching = Caching::open_as(&self.look, &self.choice.caching, &root, true);
        let status = match caching.get().and_then(|cache| self.host_again(cache, file)) {
            Some(status) => status,
            None => self.host_anew(file, &caching, root, self.library.take()?),
        };
        let is_kept = !self.choice.coverage;
        Some(caching.end(|| !is_kept || caching.runs_the_same(file, &self.run_options(file))).max(status))
    }

    fn run_options(&self, file: &Path) -> RunOptions {
        RunOptions {
            engine: self.choice.engine.into(),
            leaks: self.choice.leaks,
            quick: true,
            args: vec![file.display().to_string()],
            ..RunOptions::default()
        }
    }

    /// Runs the tests of a specification that was compiled before and did not change.
    fn host_again(&self, cache: &Cache, file: &Path) -> Option<u8> {
        if self.choice.coverage {
            return None;
        }
        let known = cache.unchanged(file)?;
        let told = cache.compiled(&known, &self.run_options(file), &mut |start| {
            self.look.report(&known.warnings, &known.sources);
            qz_spec::host(start, &self.options).map_err(|error| Failure::Internal(error.to_string()))
        })?;
        Some(told.map_or_else(|failure| fail(&self.look, &known.sources, failure), |()| 0))
    }

    fn host_anew(&self, file: &Path, caching: &Caching, root: Root, library: Library) -> u8 {
        let look = &self.look;
        let Some(program) = caching.load_after(library, root) else { return STATUS_PROBLEMS };
        let cache = caching.get();
        let checker = checker_of(program);
        let problems = qz_driver::check(program, checker, cache);
        if look.report(&problems, &program.sources) {
            return STATUS_PROBLEMS;
        }
        let counters = match self.choice.coverage.then(|| Coverage::new(&program)).transpose() {
            Ok(counters) => counters,
            Err(error) => return fail(look, &program.sources, Failure::Internal(error.to_string())),
        };
        let counted = counters.as_ref().map(|it| it.counters.clone());
        let options = RunOptions { counters: counted, ..self.run_options(file) };
        let told = qz_driver::compiled(&program, checker, &options, cache, &mut |_| {}, &mut |start, _| {
            let told = qz_spec::host(start, &self.options);
            let told = told.and_then(|()| counters.as_ref().map_or(Ok(()), |it| it.tell(&program, checker)));
            told.map_err(|error| Failure::Internal(error.to_string()))
        });
        match told {
            Ok(()) => 0,
            Err(failure) => fail(look, &program.sources, failure),
        }
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
