//! What can be written on the command line. Help texts come from here alone.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(name = "quartz", version, about = "The Quartz programming language", arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) look: Look,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How messages look.
#[derive(Args)]
pub(crate) struct Look {
    /// Messages for people or, one JSON object a line, for tools
    #[arg(long, global = true, value_enum, default_value_t = MessageFormat::Human)]
    pub(crate) message_format: MessageFormat,
    /// Colours in messages
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

#[derive(Copy, Clone, ValueEnum, PartialEq, Eq)]
pub(crate) enum MessageFormat {
    Human,
    Json,
}

#[derive(Copy, Clone, ValueEnum, PartialEq, Eq)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Compile a program in memory and run it
    Run(Run),
    /// Find problems without running anything
    Check {
        /// Files to check, with everything they import; `std` checks the standard library
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Say on standard error how long each stage took, and how much memory was in use at most
        #[arg(long)]
        timings: bool,
    },
    /// Explain a diagnostic code, for example QZ0200
    Explain { code: String },
    /// Make a folder with a new program
    New { name: String },
}

#[derive(Args)]
pub(crate) struct Run {
    /// The program; `-` reads it from standard input
    pub(crate) file: PathBuf,
    /// What runs the program
    #[arg(long, value_enum, default_value_t = EngineName::Cranelift)]
    pub(crate) engine: EngineName,
    /// Print a stage instead of running: tokens, tree, hir, types, mir, mir-opt, clif, llvm-ir, asm
    #[arg(long, value_name = "STAGE", value_parser = stage)]
    pub(crate) emit: Option<qz_driver::EmitKind>,
    /// Stop after a stage, showing its problems only: parse, check, mir-opt
    #[arg(long, value_enum, value_name = "STAGE")]
    pub(crate) stop_after: Option<StopAfter>,
    /// Say on standard error how long each stage took, and how much memory was in use at most
    #[arg(long)]
    pub(crate) timings: bool,
    /// Report objects that are still alive at the end; then the status is 102
    #[arg(long)]
    pub(crate) leaks: bool,
    /// Check the middle form after every pass
    #[arg(long)]
    pub(crate) verify: bool,
    /// Compile without optimisation
    #[arg(long)]
    pub(crate) unoptimised: bool,
    /// Write /tmp/perf-PID.map, so that Linux perf shows the program's functions by name
    #[arg(long)]
    pub(crate) perf_map: bool,
    /// Arguments for the program
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

#[derive(Copy, Clone, ValueEnum, PartialEq, Eq)]
pub(crate) enum EngineName {
    Cranelift,
    Interp,
}

#[derive(Copy, Clone, ValueEnum, PartialEq, Eq)]
pub(crate) enum StopAfter {
    Parse,
    Check,
    MirOpt,
}

fn stage(name: &str) -> Result<qz_driver::EmitKind, String> {
    let found = qz_driver::EmitKind::ALL.iter().find(|(known, _)| *known == name);
    found.map(|&(_, kind)| kind).ok_or_else(|| {
        let names: Vec<&str> = qz_driver::EmitKind::ALL.iter().map(|it| it.0).collect();
        format!("the stages are {}", names.join(", "))
    })
}

/// The arguments; `quartz FILE.qz …`, as a `#!` line gives them, means `quartz run FILE.qz …`.
pub(crate) fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let is_script = arguments.get(1).is_some_and(|it| it.to_string_lossy().ends_with(".qz"));
    if is_script {
        arguments.insert(1, "run".into());
    }
    arguments
}
