//! Programs with tasks do the same whatever runs when: every program of `tests/run/concurrency/` runs on schedules
//! drawn by lot (`QUARTZ_SCHED_SEED`, one thread) and, as often, on threads. `QUARTZ_SEEDS` says how many of each, 3 if
//! not set; a range `a..b` says which seeds.

#[allow(dead_code, reason = "shared with tests that write, too")]
mod filetests {
    pub(crate) mod judge;
    pub(crate) mod text;
}

use std::ops::Range;
use std::path::Path;
use std::process::Command;

use filetests::judge::{flags, judge};
use filetests::text::{Directive, directives, lines_of};
use libtest_mimic::{Arguments, Failed, Trial};

/// After so many seconds a program is thought to hang.
const LIMIT: &str = "120";

fn main() {
    let arguments = Arguments::from_args();
    let top =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project's folder");
    let seeds = seeds();
    let files = filetests::judge::files(&top.join("tests/run/concurrency"));
    let trials = files.into_iter().map(|file| {
        let name = file.strip_prefix(&top).expect("below the top").display().to_string();
        let seeds = seeds.clone();
        Trial::test(name, move || run(&file, seeds).map_err(Failed::from))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn seeds() -> Range<u64> {
    let wanted = std::env::var("QUARTZ_SEEDS").unwrap_or_default();
    let (from, to) = wanted.split_once("..").unwrap_or(("1", &wanted));
    let from = from.parse().unwrap_or(1);
    from..to.parse().map_or(4, |to: u64| if wanted.contains("..") { to } else { to + 1 })
}

fn run(file: &Path, seeds: Range<u64>) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let directives = directives(&text);
    if lines_of(&directives, "engines").first().is_some_and(|list| !list.contains("cranelift")) {
        return Ok(());
    }
    for seed in seeds {
        let mut by_lot = command(file, &directives);
        by_lot.env("QUARTZ_SCHED_SEED", seed.to_string());
        judge(by_lot, &directives).map_err(|words| format!("with seed {seed}: {words}"))?;
        judge(command(file, &directives), &directives)
            .map_err(|words| format!("on threads, run {seed}: {words}"))?;
    }
    Ok(())
}

fn command(file: &Path, directives: &[Directive]) -> Command {
    let mut command = Command::new("timeout");
    command.arg(LIMIT).arg(env!("CARGO_BIN_EXE_quartz")).env("QUARTZ_HASH_SEED", "7");
    command.args(["run", "--leaks", "--color=never"]).args(flags(directives));
    command.arg(file.file_name().expect("a file has a name"));
    command.current_dir(file.parent().expect("a file lies in a folder"));
    command
}
