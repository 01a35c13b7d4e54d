//! `quartz test`, and the hosts that it starts.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use qz_driver::{Failure, Root, RunOptions};
use qz_infer::Checker;
use qz_spec::{Choice, Format, HostOptions};

use super::{STATUS_PROBLEMS, STATUS_USE, fail, load};
use crate::cli::{Color, EngineName, Look, SpecHost, Test, TestChoice, TestFormat};

pub(super) fn test(look: &Look, command: &Test) -> u8 {
    if command.coverage {
        eprintln!("error: `--coverage` is not available yet");
        return STATUS_USE;
    }
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
        colored: match look.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => std::io::stdout().is_terminal(),
        },
        terminal: std::io::stderr().is_terminal(),
        compiler,
    })
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
    let Some(program) = load(Root::File(command.file.clone())) else { return STATUS_PROBLEMS };
    let checker = Checker::new(&program.defs);
    let problems = qz_driver::check(&program, &checker);
    if look.report(&problems, &program) {
        return STATUS_PROBLEMS;
    }
    let options = RunOptions {
        engine: command.choice.engine.into(),
        leaks: command.choice.leaks,
        args: vec![command.file.display().to_string()],
        ..RunOptions::default()
    };
    let host_options = host_options(&command.choice, command.seed);
    let told = qz_driver::compiled(&program, &checker, &options, &mut |_| {}, &mut |start, _| {
        qz_spec::host(start, &host_options).map_err(|error| Failure::Internal(error.to_string()))
    });
    match told {
        Ok(()) => 0,
        Err(failure) => fail(look, &program, failure),
    }
}
