//! What can be written on the command line. Help texts come from here alone.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(name = "quartz", version, about = "The Quartz programming language", arg_required_else_help = true)]
#[command(after_help = "`quartz FILE.qz` writes the program as LLVM IR to standard output.")]
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
    /// A name that `@cfg(feature: "NAME")` asks for; may be said several times
    #[arg(long = "cfg", global = true, value_name = "feature=NAME", value_parser = feature)]
    pub(crate) features: Vec<String>,
}

impl Look {
    /// What `@cfg` asks about, for a program.
    pub(crate) fn settings(&self, is_test: bool) -> qz_driver::Settings {
        let mut features = self.features.clone();
        features.sort();
        features.dedup();
        qz_driver::Settings { features, test: is_test, ..Default::default() }
    }
}

fn feature(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("feature=").filter(|it| !it.is_empty());
    name.map(str::to_owned).ok_or_else(|| "write `--cfg feature=NAME`".to_owned())
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
    /// Make an executable of a program, by LLVM
    Build(Build),
    /// Find problems without running anything
    Check {
        /// Files to check, with everything they import; `std` checks the standard library
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Print which effects each function performs
        #[arg(long)]
        dump_effects: bool,
        /// Say on standard error how long each stage took, and how much memory was in use at most
        #[arg(long)]
        timings: bool,
        #[command(flatten)]
        caching: CacheFlags,
    },
    /// Run the tests of specifications (`*_spec.qz`) and the examples of doc comments
    Test(Test),
    /// Do it again whenever a file is saved
    Watch(Watch),
    /// Look after the cache
    Cache {
        #[command(subcommand)]
        what: CacheCommand,
    },
    /// Explain a diagnostic code, for example QZ0200
    Explain { code: String },
    /// Make a folder with a new program
    New { name: String },
}

#[derive(Args)]
pub(crate) struct Watch {
    /// What to do: check, run or test
    #[arg(value_enum)]
    pub(crate) what: Watched,
    /// What the command is told: files, folders and flags
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

#[derive(Copy, Clone, ValueEnum, PartialEq, Eq)]
pub(crate) enum Watched {
    Check,
    Run,
    Test,
}

/// What is reused of earlier runs.
#[derive(Args, Clone, Default)]
pub(crate) struct CacheFlags {
    /// Reuse nothing and keep nothing of what is made
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Do everything anew as well and compare the results; the status is 70 if they differ
    #[arg(long, conflicts_with = "no_cache")]
    pub(crate) check_cache: bool,
    /// Say on standard error what was reused of each module, and why the rest was not
    #[arg(long, value_enum, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "table")]
    pub(crate) explain_cache: Option<Explanation>,
}

#[derive(Copy, Clone, ValueEnum, PartialEq, Eq)]
pub(crate) enum Explanation {
    Table,
    /// An object a line
    Json,
}

#[derive(Subcommand)]
pub(crate) enum CacheCommand {
    /// Say what the cache holds and where it is
    Stats(CachePlace),
    /// Remove everything from it
    Clean(CachePlace),
    /// Read everything in it; damaged entries are told and removed
    Verify(CachePlace),
}

#[derive(Args)]
pub(crate) struct CachePlace {
    /// A file or folder of the project whose cache is meant
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
}

#[derive(Args)]
pub(crate) struct Run {
    /// The program; `-` reads it from standard input
    pub(crate) file: PathBuf,
    /// What runs the program
    #[arg(long, value_enum, default_value_t = EngineName::Cranelift)]
    pub(crate) engine: EngineName,
    /// Print a stage instead of running: tokens, tree, expanded, hir, types, mir, mir-opt, clif, llvm-ir, asm
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
    /// What `+`, `-` and `*` of the program do when the result does not fit: panic, or keep the low bits
    #[arg(long, value_enum, default_value = "check")]
    pub(crate) overflow: Overflow,
    /// Write /tmp/perf-PID.map, so that Linux perf shows the program's functions by name
    #[arg(long)]
    pub(crate) perf_map: bool,
    /// A folder with C libraries, before the system's
    #[arg(short = 'L', long = "library-path", value_name = "FOLDER")]
    pub(crate) library_paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) caching: CacheFlags,
    /// Arguments for the program
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

#[derive(Args, Clone)]
pub(crate) struct Build {
    /// The program; `-` reads it from standard input
    pub(crate) file: PathBuf,
    /// Where the result goes [default: the program's name, in the current folder]; `-` is standard output, for
    /// llvm-ir
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Optimise well, by LLVM: as `--opt=2`. Without it Cranelift makes the code, in little time
    #[arg(long)]
    pub(crate) release: bool,
    /// Let LLVM make the code; how much it optimises, `s` means for size
    #[arg(long, value_parser = ["0", "1", "2", "3", "s"])]
    pub(crate) opt: Option<String>,
    /// What to make instead of an executable
    #[arg(long, value_enum)]
    pub(crate) emit: Option<BuildEmit>,
    /// A folder with C libraries, before the system's
    #[arg(short = 'L', long = "library-path", value_name = "FOLDER")]
    pub(crate) library_paths: Vec<PathBuf>,
    /// Let LLVM make the code, for this processor, such as `native`: the result may not run on others
    #[arg(long, value_name = "CPU")]
    pub(crate) target_cpu: Option<String>,
    /// What `+`, `-` and `*` of the program do when the result does not fit: panic, or keep the low bits
    #[arg(long, value_enum, default_value = "check")]
    pub(crate) overflow: Overflow,
    /// Say where lines, functions and variables are, for debuggers such as gdb
    #[arg(short = 'g', long)]
    pub(crate) debug: bool,
    /// Let LLVM's address sanitizer or thread sanitizer look after every access to memory; slow. For the former, counted
    /// objects are watched if the runtime library was built with `plain-malloc`; the latter needs a runtime library
    /// that is watched itself, as `cargo xtask sanitize thread` makes it
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) sanitize: Option<Sanitizer>,
    /// Link the C library into the executable
    #[arg(long = "static")]
    pub(crate) link_statically: bool,
    /// Leave out symbols
    #[arg(long)]
    pub(crate) strip: bool,
    /// The program reports objects that are still alive at its end; then its status is 102
    #[arg(long)]
    pub(crate) leaks: bool,
    /// Check the middle form after every pass
    #[arg(long)]
    pub(crate) verify: bool,
    /// Say on standard error how long each stage took, and how much memory was in use at most
    #[arg(long)]
    pub(crate) timings: bool,
    #[command(flatten)]
    pub(crate) caching: CacheFlags,
    /// Write a file for each module into the folder that is the output: LLVM IR, or with `--emit=obj` objects
    #[arg(long)]
    pub(crate) separate: bool,
    /// Write beside the output which files it was made of: OUT.d for make, OUT.deps.json for other tools
    #[arg(long)]
    pub(crate) emit_deps: bool,
    /// Write which files the program consists of, for `quake`
    #[arg(long, hide = true, value_name = "FILE")]
    pub(crate) inputs: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Test {
    /// Files and folders with tests; of a page such as README.md, its code blocks are run [default: this folder]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) choice: TestChoice,
    /// How many files are tested at once [default: as many as there are processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// The order of tests, and what `forall` tries, follow from this number [default: another one each time]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// How results are told
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) format: TestFormat,
    /// Tell which tests took longest
    #[arg(long)]
    pub(crate) times: bool,
}

#[derive(Args)]
pub(crate) struct TestChoice {
    /// Only tests with this text in their full name: the groups' names and the test's own
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Only tests with this tag; with `~` before it, only those without; may be said several times
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// A test fails if objects that it made are left at its end
    #[arg(long)]
    pub(crate) leaks: bool,
    /// What runs the tests
    #[arg(long, value_enum, default_value_t = EngineName::Cranelift)]
    pub(crate) engine: EngineName,
    /// Stop at the first failure
    #[arg(long)]
    pub(crate) bail: bool,
    /// Print the tests' names instead of running them
    #[arg(long)]
    pub(crate) list: bool,
    /// Write which lines specifications run to coverage/lcov.info and coverage/index.html
    #[arg(long)]
    pub(crate) coverage: bool,
    /// `assert_snapshot` writes the snapshots that are missing or differ
    #[arg(long)]
    pub(crate) update_snapshots: bool,
    #[command(flatten)]
    pub(crate) caching: CacheFlags,
}

#[derive(Copy, Clone, ValueEnum, PartialEq, Eq)]
pub(crate) enum TestFormat {
    Human,
    /// An object a line and test, then one for all
    Json,
    Junit,
    Tap,
}

#[derive(Copy, Clone, ValueEnum, PartialEq, Eq)]
pub(crate) enum BuildEmit {
    LlvmIr,
    Asm,
    Obj,
    /// A static library for C programs, with the runtime in it
    Lib,
    /// The same as a shared library
    Shared,
    /// The declarations of the program's functions for C
    Header,
}

#[derive(Copy, Clone, ValueEnum, PartialEq, Eq)]
pub(crate) enum Sanitizer {
    Address,
    Thread,
}

impl From<Sanitizer> for qz_driver::Sanitizer {
    fn from(sanitizer: Sanitizer) -> qz_driver::Sanitizer {
        match sanitizer {
            Sanitizer::Address => qz_driver::Sanitizer::Address,
            Sanitizer::Thread => qz_driver::Sanitizer::Thread,
        }
    }
}

#[derive(Copy, Clone, ValueEnum, PartialEq, Eq)]
pub(crate) enum Overflow {
    Check,
    Wrap,
}

impl From<Overflow> for qz_driver::Overflow {
    fn from(overflow: Overflow) -> qz_driver::Overflow {
        match overflow {
            Overflow::Check => qz_driver::Overflow::Check,
            Overflow::Wrap => qz_driver::Overflow::Wrap,
        }
    }
}

#[derive(Copy, Clone, ValueEnum, PartialEq, Eq)]
pub(crate) enum EngineName {
    Cranelift,
    Interp,
}

impl From<EngineName> for qz_driver::Engine {
    fn from(name: EngineName) -> qz_driver::Engine {
        match name {
            EngineName::Cranelift => qz_driver::Engine::Cranelift,
            EngineName::Interp => qz_driver::Engine::Interp,
        }
    }
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

/// The arguments; `quartz FILE.qz` means `quartz build --emit=llvm-ir -o - FILE.qz`.
pub(crate) fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let first = arguments.iter().skip(1).position(|it| !it.to_string_lossy().starts_with('-'));
    let Some(at) = first.map(|at| at + 1) else { return arguments };
    if arguments[at].to_string_lossy().ends_with(".qz") {
        let meant = ["build", "--emit=llvm-ir", "-o", "-"].map(OsString::from);
        arguments.splice(at..at, meant);
    }
    arguments
}
