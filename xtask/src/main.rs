//! `cargo xtask`: the project's own chores.

mod bench;
mod library;
mod sanitize;
mod stress;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const HELP: &str = "\
cargo xtask tidy           check the layout: crate levels, file headers, the code map, the library's page
cargo xtask library        write docs/reference/library.md from the doc comments of std/
cargo xtask bless [TEXT]   rewrite the expectations of file tests (those whose path has TEXT in it)
cargo xtask memcheck [TEXT] run the programs of tests/run and examples under valgrind (Cranelift's code) and with LLVM's
                           address sanitizer (LLVM's code), with a runtime that takes every block from malloc
cargo xtask sanitize [address|thread] [TEXT]
                           run the tests of the runtime itself under the address sanitizer, and these and programs
                           with tasks under the thread sanitizer; or those with TEXT in their names
cargo xtask stress [NAME]  run the programs with tasks (spec/concurrency, tests/run/concurrency) many times:
                           `--times N` on each number of `--workers 1,2,8`, and on the schedules of `--seeds A..B`
cargo xtask bench [TEXT]   run the benchmarks of bench/ and print ratios; `--write` puts them into its README,
                           `--rounds=N` runs each so often, `--cpu` counts the processor's time";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or(&[]);
    let ok = match arguments.first().map(String::as_str) {
        Some("tidy") => tidy::tidy(&top()),
        Some("library") => library::library(&top()),
        Some("bless") => bless(rest),
        Some("memcheck") => memcheck(rest),
        Some("sanitize") => sanitize::sanitize(&top(), rest),
        Some("stress") => stress::stress(&top(), rest),
        Some("bench") => bench::bench(&top(), rest),
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The project's folder.
fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn bless(filter: &[String]) -> bool {
    let mut command = Command::new("cargo");
    command.current_dir(top()).env("QUARTZ_BLESS", "1").env("UPDATE_EXPECT", "1");
    command.args(["test", "--quiet", "-p", "quartz", "--test", "filetests", "--"]).args(filter);
    run(&mut command)
        && run(Command::new("git").current_dir(top()).args(["--no-pager", "diff", "--stat", "tests"]))
}

/// Every access to memory of native programs is watched.
fn memcheck(filter: &[String]) -> bool {
    let folder = top().join("target/memcheck");
    let mut library = Command::new("cargo");
    library.current_dir(top()).args(["build", "--quiet", "--release", "-p", "qz_rt_native"]);
    library.args(["--features", "plain-malloc", "--target-dir"]).arg(&folder);
    let library_path = folder.join("release");
    let under = |tool: &str| {
        let mut tests = Command::new("cargo");
        tests.current_dir(top()).env("QUARTZ_NATIVE_UNDER", tool).env("QUARTZ_RUNTIME", &library_path);
        tests.args(["test", "--quiet", "-p", "quartz", "--test", "native", "--"]).args(filter);
        run(&mut tests)
    };
    // Both have their say, whatever the other found.
    run(&mut library) && under("valgrind") & under("asan")
}

fn run(command: &mut Command) -> bool {
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("{command:?}: {error}");
            false
        }
    }
}
