//! The `quake` command: finds the Quakefile, has it compiled if that was not done yet ([`cache`]), and becomes it.
//!
//! What tasks are, and how they run, is written in Quartz: `std/quake`. Exit status: the Quakefile's own; 2 if there is none.

mod cache;

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;

const NAME: &str = "Quakefile.qz";
/// Wrong use of the tool.
const STATUS_USE: u8 = 2;

/// Runs the tasks of Quakefile.qz, which is looked for here and in the folders around
#[derive(Parser)]
#[command(name = "quake", version)]
#[command(after_help = "\
Without a task, the task `default` is run; if there is none, all are listed. Tasks run in Quakefile.qz's folder.

Exit status: 0 if all went well, 1 if a task failed or the Quakefile does not compile, 2 for wrong use.
The compiled Quakefile and what is known of file targets are kept in .quartz-cache/quake beside it.
QUARTZ_EXE names the compiler; if it is not set, `quartz` beside this command or in PATH is taken.")]
struct Cli {
    /// What to run, and variables for it
    #[arg(value_name = "TASK | VAR=VALUE")]
    words: Vec<String>,
    /// List all tasks
    #[arg(short, long)]
    list: bool,
    /// How many tasks run at once [default: as many as there are processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Tell what would be run, and run nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Print which task needs which, for Graphviz: of the named tasks, or of all
    #[arg(long)]
    graph: bool,
    /// Tell when tasks begin and end, why files are made, and how commands end; failures show their calls
    #[arg(long)]
    trace: bool,
    /// Tell only of failures
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Tell of every task, and of every command
    #[arg(short, long)]
    verbose: bool,
}

impl Cli {
    /// What the Quakefile is told, in its own words.
    fn words(&self) -> Vec<String> {
        let options = [
            (self.list, "--list"),
            (self.dry_run, "--dry-run"),
            (self.graph, "--graph"),
            (self.trace, "--trace"),
            (self.quiet, "--quiet"),
            (self.verbose, "--verbose"),
        ];
        let options = options.into_iter().filter(|it| it.0).map(|it| it.1.to_owned());
        let jobs = self.jobs.map(|it| format!("--jobs={it}"));
        options.chain(jobs).chain(self.words.iter().cloned()).collect()
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let Some(folder) = find() else {
        eprintln!("error: there is no {NAME} here, nor in the folders around");
        eprintln!(
            "  = help: write one: `import * from quake`, and a `main` that names tasks and ends with `quake_main()`"
        );
        return ExitCode::from(STATUS_USE);
    };
    match run(&folder, &cli.words()) {
        Ok(status) => ExitCode::from(status),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The nearest folder with a Quakefile, from here upwards.
fn find() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().find(|folder| folder.join(NAME).is_file()).map(Path::to_path_buf)
}

/// Becomes the Quakefile. That there is something to give back means that it could not be compiled.
fn run(folder: &Path, words: &[String]) -> Result<u8, String> {
    let here = std::env::current_dir().unwrap_or_default();
    std::env::set_current_dir(folder)
        .map_err(|error| format!("`{}` cannot be entered: {error}", folder.display()))?;
    let compiler = cache::Compiler::find()?;
    if let Some(found) = cache::find(&compiler) {
        // It comes back only if the program could not be started: another run may have cleared it away.
        become_it(&found, &compiler, &here, words);
    }
    match cache::make(&compiler)? {
        Ok(made) => {
            let error = become_it(&made, &compiler, &here, words);
            Err(format!("`{}` cannot be started: {error}", made.path.display()))
        }
        Err(status) => Ok(status),
    }
}

fn become_it(
    program: &cache::Made,
    compiler: &cache::Compiler,
    here: &Path,
    words: &[String],
) -> std::io::Error {
    let mut command = Command::new(Path::new(".").join(&program.path));
    command.arg0("quake").args(words);
    command.env("QUAKE_KEY", &program.key).env("QUAKE_FROM", here).env("QUARTZ_EXE", &compiler.path);
    command.exec()
}
