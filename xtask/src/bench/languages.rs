//! Which languages are compared: how each is compiled, and whether it is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::quiet;

/// A language, or one way of using it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Language {
    C,
    /// Compiled by LLVM, with all checks.
    Quartz,
    /// The same, but integers wrap.
    QuartzWrap,
    /// With all checks and without shared libraries, as Go and Zig do it: only its memory is looked at.
    QuartzStatic,
    /// Compiled by Cranelift, as the program starts.
    QuartzRun,
    Rust,
    Go,
    Crystal,
    Zig,
}

use Language::*;

/// In the order in which tables show them.
const ALL: [Language; 9] = [C, Quartz, QuartzWrap, QuartzStatic, QuartzRun, Rust, Go, Crystal, Zig];

impl Language {
    /// What stands in a table's head.
    pub(crate) fn title(self) -> &'static str {
        match self {
            C => "C",
            Quartz => "Quartz",
            QuartzWrap => "Quartz, wrapping",
            QuartzStatic => "Quartz, static",
            QuartzRun => "`quartz run`",
            Rust => "Rust",
            Go => "Go",
            Crystal => "Crystal",
            Zig => "Zig",
        }
    }

    /// What says how the programs are compiled.
    pub(crate) fn command(self) -> &'static str {
        match self {
            C => "clang -O2",
            Quartz => "quartz build --release",
            QuartzWrap => "quartz build --release --overflow=wrap",
            QuartzStatic => "quartz build --release --static",
            QuartzRun => "quartz run",
            Rust => "rustc -O -C overflow-checks=on",
            Go => "go build",
            Crystal => "crystal build --release",
            Zig => "zig build-exe -O ReleaseSafe",
        }
    }

    /// A program's file.
    pub(crate) fn file(self) -> &'static str {
        match self {
            C => "main.c",
            Quartz | QuartzWrap | QuartzStatic | QuartzRun => "main.qz",
            Rust => "main.rs",
            Go => "main.go",
            Crystal => "main.cr",
            Zig => "main.zig",
        }
    }

    /// Whether its programs' times are of interest.
    pub(crate) fn is_timed(self) -> bool {
        self != QuartzStatic
    }

    /// Whether their memory is.
    pub(crate) fn is_weighed(self) -> bool {
        !matches!(self, QuartzWrap | QuartzRun)
    }

    pub(crate) fn is_quartz(self) -> bool {
        matches!(self, Quartz | QuartzWrap | QuartzStatic | QuartzRun)
    }
}

/// The languages that are installed, each with the command that starts its compiler.
pub(crate) struct Languages {
    found: Vec<(Language, Vec<PathBuf>)>,
    /// For compilers that keep what they made.
    cache: PathBuf,
}

impl Languages {
    /// Looks around; what is missing is told.
    pub(crate) fn find(quartz: &Path, out: &Path) -> Languages {
        let mut found = Vec::new();
        for language in ALL {
            match compiler(language, quartz) {
                Some(command) => found.push((language, command)),
                None if language == QuartzWrap => {}
                None => eprintln!("{} is missing and left out", language.title()),
            }
        }
        Languages { found, cache: out.join("cache") }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Language> + '_ {
        self.found.iter().map(|it| it.0)
    }

    /// The start of a command that runs the language's compiler.
    pub(crate) fn compiler(&self, language: Language) -> Option<Command> {
        let (_, words) = self.found.iter().find(|it| it.0 == language)?;
        let mut command = Command::new(words.first()?);
        command.args(&words[1..]);
        Some(command)
    }

    /// Makes an executable of a file.
    pub(crate) fn compile(&self, language: Language, from: &Path, to: &Path) -> Option<()> {
        let mut command = self.compiler(language)?;
        match language {
            C => command.arg("-O2").arg(from).arg("-o").arg(to).arg("-lm"),
            Quartz => command.args(["build", "--release"]).arg(from).arg("-o").arg(to),
            QuartzWrap => command.args(["build", "--release", "--overflow=wrap"]).arg(from).arg("-o").arg(to),
            QuartzStatic => command.args(["build", "--release", "--static"]).arg(from).arg("-o").arg(to),
            QuartzRun => return Some(()),
            Rust => command.args(["-O", "-C", "overflow-checks=on"]).arg(from).arg("-o").arg(to),
            Go => command.arg("build").arg("-o").arg(to).arg(from),
            Crystal => command.args(["build", "--release", "-o"]).arg(to).arg(from),
            Zig => {
                let mut emit = std::ffi::OsString::from("-femit-bin=");
                emit.push(to);
                command.args(["build-exe", "-O", "ReleaseSafe"]).arg(emit).arg(from);
                command.arg("--cache-dir").arg(&self.cache).arg("--global-cache-dir").arg(&self.cache)
            }
        };
        quiet(&mut command)?;
        Some(())
    }

    /// What the language's compiler calls itself.
    pub(crate) fn version(&self, language: Language) -> Option<String> {
        let argument = if matches!(language, Go | Zig) { "version" } else { "--version" };
        let output = self.compiler(language)?.arg(argument).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().next()?.trim();
        Some(if language == Zig { format!("Zig {line}") } else { line.to_owned() })
    }
}

/// The words that start a language's compiler, if it is installed.
fn compiler(language: Language, quartz: &Path) -> Option<Vec<PathBuf>> {
    let one = |names: &[&str]| installed(names).map(|it| vec![it]);
    match language {
        C => one(&["clang-22", "clang-19", "clang"]),
        Quartz | QuartzStatic | QuartzRun => Some(vec![quartz.to_owned()]),
        QuartzWrap => knows_overflow(quartz).then(|| vec![quartz.to_owned()]),
        Rust => one(&["rustc"]),
        Go => one(&["go"]),
        Crystal => one(&["crystal"]),
        Zig => one(&["zig"]).or_else(zig_of_python),
    }
}

fn knows_overflow(quartz: &Path) -> bool {
    let help = Command::new(quartz).args(["build", "--help"]).output();
    help.is_ok_and(|it| String::from_utf8_lossy(&it.stdout).contains("--overflow"))
}

/// Zig as a package of Python's.
fn zig_of_python() -> Option<Vec<PathBuf>> {
    let python = installed(&["python3"])?;
    let words = vec![python, "-m".into(), "ziglang".into()];
    let works = Command::new(&words[0]).args(&words[1..]).arg("version").output();
    works.is_ok_and(|it| it.status.success()).then_some(words)
}

/// The first of these commands that is installed.
fn installed(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().find_map(|name| folders.iter().map(|it| it.join(name)).find(|it| it.is_file()))
}
