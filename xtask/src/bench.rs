//! `cargo xtask bench`: the programs of `bench/programs` beside their peers', compilers beside each other, and the
//! front end on projects of growing size. Everything that is compared runs in turns in one go, since machines are
//! noisy; what is reported are medians and their ratios.

mod chart;
mod compile_time;
mod front_end;
mod hello;
mod languages;
mod lines;
mod measure;
mod programs;
mod report;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use languages::Languages;
use measure::Clock;
use report::Report;

/// What was asked for on the command line.
struct Options {
    /// Only what has one of these in its name; everything if there are none.
    filter: Vec<String>,
    /// How often each program runs.
    rounds: usize,
    clock: Clock,
    /// Put the tables into `bench/README.md` and draw the chart.
    write: bool,
}

impl Options {
    fn read(arguments: &[String]) -> Option<Options> {
        let mut options = Options { filter: Vec::new(), rounds: 5, clock: Clock::Wall, write: false };
        for argument in arguments {
            if argument == "--write" {
                options.write = true;
            } else if argument == "--cpu" {
                options.clock = Clock::Processor;
            } else if let Some(n) = argument.strip_prefix("--rounds=") {
                options.rounds = n.parse().ok().filter(|it| *it > 0)?;
            } else if argument.starts_with('-') {
                return None;
            } else {
                options.filter.push(argument.clone());
            }
        }
        Some(options)
    }

    fn wants(&self, name: &str) -> bool {
        self.filter.is_empty() || self.filter.iter().any(|it| name.contains(it.as_str()))
    }
}

/// Where things are, and what they are compared with.
struct Bench {
    top: PathBuf,
    /// Where compiled peers and generated projects go.
    out: PathBuf,
    quartz: PathBuf,
    languages: Languages,
    options: Options,
}

/// Runs the benchmarks whose names hold the filter. Says whether all could be run and gave the same answers.
pub(crate) fn bench(top: &Path, arguments: &[String]) -> bool {
    let Some(options) = Options::read(arguments) else {
        eprintln!("cargo xtask bench [--write] [--cpu] [--rounds=N] [TEXT…]");
        return false;
    };
    let Some(bench) = Bench::new(top, options) else { return false };
    let mut report = Report::new(&bench);
    let fine = bench.hello(&mut report)
        & bench.programs(&mut report)
        & bench.compile_time(&mut report)
        & bench.front_end(&mut report);
    if bench.options.write { report.write(&bench) && fine } else { fine }
}

impl Bench {
    fn new(top: &Path, options: Options) -> Option<Bench> {
        let mut build = Command::new("cargo");
        build.current_dir(top).args(["build", "--release", "--quiet", "-p", "quartz", "-p", "qz_rt_native"]);
        quiet(&mut build)?;
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top.join("target"), PathBuf::from);
        let out = target.join("bench");
        std::fs::create_dir_all(&out).ok()?;
        let quartz = target.join("release/quartz");
        let languages = Languages::find(&quartz, &out);
        Some(Bench { top: top.to_owned(), out, quartz, languages, options })
    }

    fn source(&self, program: &str, file: &str) -> PathBuf {
        self.top.join("bench/programs").join(program).join(file)
    }
}

/// Runs a command that should succeed; if it does not, says why.
fn quiet(command: &mut Command) -> Option<Output> {
    let output = command.stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Some(output),
        Ok(output) => {
            eprintln!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(error) => {
            eprintln!("{command:?}: {error}");
            None
        }
    }
}
