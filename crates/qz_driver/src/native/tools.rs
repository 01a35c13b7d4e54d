//! Where the programs and libraries are that a native build needs: `clang`, a linker, the runtime; and running
//! such a program.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use qz_diag::Code;

use super::BuildOptions;
use crate::run::{Failure, ToolProblem};

/// Versions whose language the printed IR is in, newest first.
const VERSIONS: std::ops::RangeInclusive<u32> = 15..=22;
const LIBRARY: &str = "libqz_rt_native.a";
const INSTALL: &str =
    "install it, for example by `apt-get install clang-19`, or name one by the variable QUARTZ_CLANG";

/// A usable `clang`.
pub(super) struct Clang {
    pub(super) path: PathBuf,
    /// What decides which code it makes: its version, and which file of that version it is.
    identity: String,
    /// What LLVM itself is told.
    pub(super) llvm: &'static [&'static str],
}

/// Conditional moves stay what they are: LLVM makes jumps of some in loops, by a count of steps that knows nothing of
/// how well a jump would be foreseen, and one that is not costs as much as twenty steps.
const X86_MOVES: &[&str] = &["-mllvm", "-x86-cmov-converter=false"];

pub(super) fn missing(message: String, help: &str) -> Failure {
    Failure::Tool(ToolProblem {
        code: Code::TOOL_MISSING,
        message,
        notes: Vec::new(),
        help: Some(help.to_owned()),
    })
}

/// The program of this name in the folders of `PATH`.
fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|it| it.is_file())
}

/// Those that are installed, newest first.
fn clangs() -> impl Iterator<Item = PathBuf> {
    let names = VERSIONS.rev().map(|version| format!("clang-{version}")).chain(["clang".to_owned()]);
    names.filter_map(|name| in_path(&name))
}

impl Clang {
    /// `QUARTZ_CLANG`, or the newest version that is installed and known to fit, or any.
    pub(super) fn find() -> Result<Clang, Failure> {
        if let Some(named) = std::env::var_os("QUARTZ_CLANG").filter(|it| !it.is_empty()) {
            let path = PathBuf::from(&named);
            let found = if path.components().count() > 1 { path.is_file().then_some(path) } else { None };
            let found = found.or_else(|| in_path(&named.to_string_lossy()));
            let path = found.ok_or_else(|| {
                missing(format!("QUARTZ_CLANG names `{}`, which is not there", named.display()), INSTALL)
            })?;
            return Clang::checked(path);
        }
        match clangs().next() {
            Some(path) => Clang::checked(path),
            None => Err(missing("native programs need `clang`, which is not installed".into(), INSTALL)),
        }
    }

    /// The program, if it is one that understands what it will get.
    fn checked(path: PathBuf) -> Result<Clang, Failure> {
        let output = Command::new(&path).arg("--version").stdin(Stdio::null()).output();
        let text = output.map(|it| String::from_utf8_lossy(&it.stdout).into_owned()).unwrap_or_default();
        let shown = path.display();
        match version_in(&text) {
            Some(version) if version >= *VERSIONS.start() => {
                let facts = path.metadata().ok();
                let time = facts.as_ref().and_then(|it| it.modified().ok());
                let size = facts.map_or(0, |it| it.len());
                let identity = format!("{text} {} {size} {time:?}", path.display());
                let moves = cfg!(target_arch = "x86_64") && VERSIONS.contains(&version);
                Ok(Clang { path, identity, llvm: if moves { X86_MOVES } else { &[] } })
            }
            Some(version) => Err(missing(
                format!("`{shown}` is version {version}; {} or later is needed", VERSIONS.start()),
                INSTALL,
            )),
            None => Err(missing(format!("`{shown}` does not say that it is clang"), INSTALL)),
        }
    }
}

impl Clang {
    /// What decides which code it makes of a text. `native` means another processor on another machine.
    pub(super) fn identity(&self, arguments: &[String]) -> String {
        let is_native = arguments.iter().any(|it| it.ends_with("=native"));
        let machine = if is_native { processor() } else { String::new() };
        format!("{} {arguments:?} {machine}", self.identity)
    }
}

/// What the system says of the processor's kind and abilities.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let wanted = ["model name", "flags", "Features", "CPU part"];
    let lines = text.split("\n\n").next().unwrap_or_default().lines();
    lines.filter(|line| wanted.iter().any(|it| line.starts_with(it))).collect::<Vec<_>>().join(" ")
}

/// A C compiler, as the one who knows how to link.
pub(super) struct Driver {
    pub(super) path: PathBuf,
}

impl Driver {
    pub(super) fn of(clang: &Clang) -> Driver {
        Driver { path: clang.path.clone() }
    }

    /// `clang` as [`Clang::find`] finds it, or whatever `cc` is.
    pub(super) fn find() -> Result<Driver, Failure> {
        match Clang::find() {
            Ok(clang) => Ok(Driver::of(&clang)),
            Err(failure) if std::env::var_os("QUARTZ_CLANG").is_some_and(|it| !it.is_empty()) => Err(failure),
            Err(_) => match ["cc", "gcc"].into_iter().find_map(in_path) {
                Some(path) => Ok(Driver { path }),
                None => {
                    Err(missing("linking needs `clang` or `cc`, and neither is installed".into(), INSTALL))
                }
            },
        }
    }

    /// A linker that is quicker than the system's, if there is one.
    pub(super) fn linker(&self) -> Option<&'static str> {
        self.linker_file().map(|it| it.0)
    }

    fn linker_file(&self) -> Option<(&'static str, PathBuf)> {
        // Distributions keep the versions of LLVM in folders of their own.
        let real = self.path.canonicalize().unwrap_or_default();
        let folders = [self.path.parent(), real.parent()];
        let beside = |name: &str| folders.iter().flatten().map(|it| it.join(name)).find(|it| it.is_file());
        let known = [("ld.lld", "lld"), ("ld.mold", "mold")];
        known.into_iter().find_map(|(file, name)| Some((name, beside(file).or_else(|| in_path(file))?)))
    }
}

/// Which programs and libraries a build uses, without asking them: where they are, and which file of that name it is.
/// None if one is missing.
pub(crate) fn at_hand(options: &BuildOptions) -> Option<String> {
    let which = |path: &Path| {
        let facts = path.metadata().ok()?;
        Some(format!("{} {} {:?}", path.display(), facts.len(), facts.modified().ok()?))
    };
    let named = std::env::var_os("QUARTZ_CLANG").filter(|it| !it.is_empty()).map(PathBuf::from);
    let clang = match named {
        Some(named) if named.components().count() > 1 => Some(named),
        Some(named) => in_path(&named.to_string_lossy()),
        None => clangs().next(),
    };
    let driver = Driver { path: clang.or_else(|| ["cc", "gcc"].into_iter().find_map(in_path))? };
    let linker = driver.linker_file().and_then(|(_, path)| which(&path));
    let runtime = runtime_library().ok().and_then(|path| which(&path));
    let machine = if options.target_cpu.as_deref() == Some("native") { processor() } else { String::new() };
    // What else tells them where to look.
    let heard = ["LIBRARY_PATH", "COMPILER_PATH", "CCC_OVERRIDE_OPTIONS", "SOURCE_DATE_EPOCH"];
    let heard = heard.map(std::env::var_os);
    Some(format!("{:?} {linker:?} {runtime:?} {machine} {heard:?}", which(&driver.path)?))
}

/// The program that makes static libraries: the one that belongs to clang, or the system's.
pub(super) fn archiver(driver: &Driver) -> Result<PathBuf, Failure> {
    let name = driver.path.file_name().unwrap_or_default().to_string_lossy().replace("clang", "llvm-ar");
    let is_other = name.contains("llvm-ar");
    let beside = driver.path.parent().filter(|_| is_other).map(|folder| folder.join(&name));
    let beside = beside.filter(|it| it.is_file());
    beside.or_else(|| in_path("llvm-ar")).or_else(|| in_path("ar")).ok_or_else(|| {
        missing(
            "static libraries need `ar`, which is not installed".into(),
            "install it, for example by `apt-get install binutils`",
        )
    })
}

/// The major version in what `clang --version` prints.
fn version_in(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("clang version ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The runtime as a static library: what `QUARTZ_RUNTIME` names, or the one beside the compiler, which is where
/// both cargo and an installation put it, or the one in the folder that the compiler was built in, from where
/// `cargo install` takes the compiler alone.
pub(super) fn runtime_library() -> Result<PathBuf, Failure> {
    const BUILD: &str = "put it beside the compiler or into `../lib/quartz` (`cargo build --release -p \
                         qz_rt_native` makes it), or name it by the variable QUARTZ_RUNTIME";
    if let Some(named) = std::env::var_os("QUARTZ_RUNTIME").filter(|it| !it.is_empty()) {
        let named = PathBuf::from(named);
        let path = if named.is_dir() { named.join(LIBRARY) } else { named };
        let shown = path.display().to_string();
        return path
            .is_file()
            .then_some(path)
            .ok_or_else(|| missing(format!("QUARTZ_RUNTIME names `{shown}`, which is not there"), BUILD));
    }
    let compiler = std::env::current_exe().and_then(|it| it.canonicalize()).unwrap_or_default();
    let folder = compiler.parent().unwrap_or(Path::new("."));
    // Where cargo built this, `…/release/build/qz_driver-…/out`, three levels down.
    let built_in = Path::new(env!("OUT_DIR")).ancestors().nth(3).unwrap_or(Path::new("."));
    let places = [folder.to_owned(), folder.join("../lib/quartz"), built_in.to_owned()];
    places
        .into_iter()
        .find_map(|folder| newest_library(&folder))
        .ok_or_else(|| missing(format!("the runtime library `{LIBRARY}` is not beside the compiler"), BUILD))
}

/// The library in a folder or among what cargo keeps in `deps` there, whichever is the newest.
fn newest_library(folder: &Path) -> Option<PathBuf> {
    let kept = std::fs::read_dir(folder.join("deps")).into_iter().flatten().flatten().map(|it| it.path());
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libqz_rt_native-") && name.ends_with(".a")
    };
    let all = kept.filter(is_one).chain([folder.join(LIBRARY)]);
    let dated = all.filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)));
    dated.max().map(|(_, path)| path)
}

/// Runs a program and feeds it; gives what it says. That it failed is the error.
pub(super) fn run_tool(command: &mut Command, input: Option<&str>) -> Result<String, String> {
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| error.to_string())?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // It may end, or write, before it has read everything.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input.unwrap_or_default().as_bytes())));
        child.wait_with_output()
    });
    let output = output.map_err(|error| error.to_string())?;
    let words = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    match output.status.code() {
        Some(0) => Ok(words),
        Some(status) if words.is_empty() => Err(format!("exit status {status}")),
        Some(_) => Err(words),
        None => Err(format!("it was killed ({})\n{words}", output.status).trim_end().to_owned()),
    }
}

/// A tool that did not do its work, and what it said.
pub(super) fn failed(tool: &Path, what: &str, words: &str) -> Failure {
    let shown: Vec<&str> = words.lines().take(10).collect();
    Failure::Tool(ToolProblem {
        code: Code::TOOL_FAILED,
        message: format!("`{}` {what}", tool.display()),
        notes: shown.into_iter().map(str::to_owned).collect(),
        help: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(version_in("Debian clang version 19.1.7 (3+b1)\nTarget: x86_64"), Some(19));
        assert_eq!(version_in("Apple clang version 16.0.0 (clang-1600)"), Some(16));
        assert_eq!(version_in("gcc (Debian) 14"), None);
    }
}
