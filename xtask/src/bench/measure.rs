//! How long a program takes and how much memory it holds, and what many such measurements come to.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::languages::Language;
use super::{Bench, quiet};

/// What time is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    Wall,
    /// What the processor spent on the program, in it and for it: on busy machines.
    Processor,
}

/// One run of a program.
pub(crate) struct Run {
    pub(crate) ms: f64,
    /// The most memory that it held, in MB.
    pub(crate) mb: f64,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Runs programs in a small process that measures them (`bench/measure.c`).
pub(crate) struct Meter {
    tool: PathBuf,
    result: PathBuf,
    clock: Clock,
}

impl Meter {
    /// Builds the tool; needs the C compiler.
    pub(crate) fn new(bench: &Bench) -> Option<Meter> {
        let tool = bench.out.join("measure");
        let source = bench.top.join("bench/measure.c");
        bench.languages.compile(Language::C, &source, &tool)?;
        Some(Meter { tool, result: bench.out.join("measured"), clock: bench.options.clock })
    }

    /// Runs a program that should succeed.
    pub(crate) fn run(&self, program: &Path, arguments: &[&str]) -> Option<Run> {
        self.run_with(program, arguments, &[])
    }

    /// Runs it with more variables in its environment.
    pub(crate) fn run_with(
        &self,
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, PathBuf)],
    ) -> Option<Run> {
        let mut command = Command::new(&self.tool);
        command.arg(&self.result).arg(program).args(arguments);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let output = quiet(&mut command)?;
        let text = std::fs::read_to_string(&self.result).ok()?;
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|it| it.parse().ok()).collect();
        let [wall, processor, kib] = numbers[..] else { return None };
        let nanoseconds = if self.clock == Clock::Wall { wall } else { processor };
        Some(Run {
            ms: nanoseconds / 1e6,
            mb: kib * 1024.0 / 1e6,
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// The middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    match n {
        0 => f64::NAN,
        _ if n % 2 == 1 => sorted[n / 2],
        _ => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// What ratios have in common.
pub(crate) fn geometric_mean(ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut logarithms, mut count) = (0.0, 0);
    for ratio in ratios {
        logarithms += ratio.ln();
        count += 1;
    }
    (logarithms / f64::from(count)).exp()
}

/// One of the stages that `--timings` lists on standard error, in milliseconds (or, for memory, megabytes).
pub(crate) fn stage(stderr: &str, name: &str) -> Option<f64> {
    let line = stderr.lines().find(|line| line.split_whitespace().next() == Some(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
