//! The `quartz` command.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use qz_diag::Diagnostic;
use qz_driver::{Program, Root};
use qz_infer::Checker;

/// A problem in the program that was compiled.
const STATUS_PROBLEMS: u8 = 1;
/// A mistake of ours.
#[allow(dead_code)]
const STATUS_INTERNAL: u8 = 70;

#[derive(Parser)]
#[command(name = "quartz", version, about = "The Quartz programming language", arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    look: Look,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Args)]
struct Look {
    /// Messages for people or, one JSON object a line, for tools
    #[arg(long, global = true, value_enum, default_value_t = MessageFormat::Human)]
    message_format: MessageFormat,
    /// Colours in messages
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,
}

#[derive(Copy, Clone, ValueEnum, PartialEq, Eq)]
enum MessageFormat {
    Human,
    Json,
}

#[derive(Copy, Clone, ValueEnum, PartialEq, Eq)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
enum Command {
    /// Find problems without running anything
    Check {
        /// Files to check, with everything they import; `std` checks the standard library
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let status = match &cli.command {
        Command::Check { paths } => check(&cli.look, paths),
    };
    ExitCode::from(status)
}

impl Look {
    fn show(&self, problem: &Diagnostic, program: &Program) -> String {
        match self.message_format {
            MessageFormat::Json => qz_diag::render_json(problem, &program.sources) + "\n",
            MessageFormat::Human => {
                let color = match self.color {
                    Color::Always => true,
                    Color::Never => false,
                    Color::Auto => std::io::stderr().is_terminal(),
                };
                qz_diag::render_human(problem, &program.sources, color) + "\n"
            }
        }
    }

    /// Writes problems to standard error; whether one is an error.
    fn report(&self, problems: &[Diagnostic], program: &Program) -> bool {
        let text: String = problems.iter().map(|it| self.show(it, program)).collect();
        eprint!("{text}");
        let errors = problems.iter().filter(|it| it.is_error()).count();
        if errors > 0 && self.message_format == MessageFormat::Human {
            eprintln!("{errors} {}", if errors == 1 { "error" } else { "errors" });
        }
        errors > 0
    }
}

fn check(look: &Look, paths: &[PathBuf]) -> u8 {
    let mut failed = false;
    for path in paths {
        let root = if path.as_os_str() == "std" && !path.exists() { Root::Std } else { Root::File(path.clone()) };
        match qz_driver::load(root) {
            Ok(loaded) => {
                let program = qz_driver::collect(loaded);
                let checker = Checker::new(&program.defs);
                let problems = qz_driver::check(&program, &checker);
                failed |= look.report(&problems, &program);
            }
            Err(error) => {
                eprintln!("error[{}]: `{}` cannot be read: {}", error.code, error.path, error.reason);
                failed = true;
            }
        }
    }
    if failed { STATUS_PROBLEMS } else { 0 }
}
