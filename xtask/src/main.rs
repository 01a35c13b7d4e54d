//! `cargo xtask`: the project's own chores.

mod bench;
mod library;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const HELP: &str = "\
cargo xtask tidy           check the layout: crate levels, file headers, the code map, the library's page
cargo xtask library        write docs/reference/library.md from the doc comments of std/
cargo xtask bless [TEXT]   rewrite the expectations of file tests (those whose path has TEXT in it)
cargo xtask bench [TEXT]   run the benchmarks of bench/ and print ratios; `--write` puts them into its README,
                           `--rounds=N` runs each so often, `--cpu` counts the processor's time";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or(&[]);
    let ok = match arguments.first().map(String::as_str) {
        Some("tidy") => tidy::tidy(&top()),
        Some("library") => library::library(&top()),
        Some("bless") => bless(rest),
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

fn run(command: &mut Command) -> bool {
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("{command:?}: {error}");
            false
        }
    }
}
