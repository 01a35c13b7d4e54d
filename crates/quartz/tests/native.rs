//! Native programs: every program of `tests/run/` and `examples/` is built by Cranelift and by LLVM, and does what
//! it says; `tests/llvm/` holds the text of functions whose form matters. Without `clang` this is skipped, and says
//! so.
//!
//! `QUARTZ_NATIVE_OPT` lists LLVM's levels of optimisation, `0,2` if not set. `QUARTZ_NATIVE_UNDER` is `valgrind`, which
//! then runs what Cranelift made, or `asan` or `tsan`, which look after what LLVM made: see `cargo xtask memcheck` and
//! `cargo xtask sanitize`.

mod filetests {
    pub(crate) mod judge;
    pub(crate) mod llvm;
    pub(crate) mod text;
}

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use filetests::text::{directives, lines_of, output, quartz, scratch};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let top =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project's folder");
    let mut trials = Vec::new();
    for file in filetests::llvm::files(&top.join("tests/llvm")) {
        trials.push(trial(&top, file, filetests::llvm::run));
    }
    trials.push(Trial::test("the text is valid for every LLVM that is installed", {
        let top = top.clone();
        move || every_version_reads_it(&top).map_err(Failed::from)
    }));
    if can_build() {
        for folder in ["tests/run", "examples"] {
            for file in filetests::judge::files(&top.join(folder)) {
                trials.push(trial(&top, file, build_and_run));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// LLVM's own checker takes the examples, in every version that is here.
fn every_version_reads_it(top: &Path) -> Result<(), String> {
    let mut checks = 0;
    for file in filetests::judge::files(&top.join("examples")) {
        let mut debug = quartz();
        debug.args(["build", "-g", "--emit=llvm-ir", "-o", "-"]).arg(&file);
        let texts = [output(quartz().arg(&file), None).stdout, output(&mut debug, None).stdout];
        let versions = (15..=22).map(|version| format!("opt-{version}"));
        for (version, ir) in versions.flat_map(|version| texts.iter().map(move |ir| (version.clone(), ir))) {
            let mut check = Command::new(&version);
            let Some(mut child) = check.args(["-passes=verify", "-disable-output"]).spawn_piped() else {
                continue;
            };
            child.stdin.take().expect("piped").write_all(ir).map_err(|error| error.to_string())?;
            let said = child.wait_with_output().map_err(|error| error.to_string())?;
            if !said.status.success() {
                let words = String::from_utf8_lossy(&said.stderr).into_owned();
                return Err(format!("{version} does not take {}: {words}", file.display()));
            }
            checks += 1;
        }
    }
    eprintln!("{checks} checks by installed versions of LLVM");
    Ok(())
}

trait SpawnPiped {
    /// The process with its input piped, if there is such a program.
    fn spawn_piped(&mut self) -> Option<Child>;
}

impl SpawnPiped for Command {
    fn spawn_piped(&mut self) -> Option<Child> {
        self.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().ok()
    }
}

fn trial(top: &Path, file: PathBuf, case: fn(&Path) -> Result<(), String>) -> Trial {
    let name = file.strip_prefix(top).expect("below the top").display().to_string();
    Trial::test(name, move || case(&file).map_err(Failed::from))
}

const TSAN: &str = "--sanitize=thread";

/// The tool that programs run under, if any.
fn under() -> String {
    std::env::var("QUARTZ_NATIVE_UNDER").unwrap_or_default()
}

/// Whether there is a `clang`.
fn can_build() -> bool {
    let scratch = scratch("native-probe");
    std::fs::write(scratch.join("a.qz"), "def main = ()\n").expect("the folder can be written");
    let mut build = quartz();
    build.current_dir(&scratch).args(["build", "--release", "--color=never", "a.qz", "-o", "a"]);
    // A runtime that is watched goes with nothing else.
    if under() == "tsan" {
        build.arg(TSAN);
    }
    let found = output(&mut build, None);
    let stderr = String::from_utf8_lossy(&found.stderr);
    if stderr.contains("QZ9005") {
        eprintln!("native programs are not tested: {stderr}");
    } else {
        assert!(found.status.success(), "{stderr}");
    }
    std::fs::remove_dir_all(&scratch).ok();
    found.status.success()
}

fn build_and_run(file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let directives = directives(&text);
    let engines = lines_of(&directives, "engines");
    if engines.first().is_some_and(|list| !list.contains("llvm") && !list.contains("cranelift")) {
        return Ok(());
    }
    if let Some(what) = filetests::judge::missing(&directives) {
        eprintln!("not tested: {} needs {what}, which is not installed", file.display());
        return Ok(());
    }
    let under = under();
    // Some programs ask about their own process, which another one around it changes.
    if !under.is_empty() && !lines_of(&directives, "alone").is_empty() {
        return Ok(());
    }
    let name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
    let folder = file.parent().expect("a file lies in a folder");
    let scratch = scratch(&format!("native-{}", file.display().to_string().replace('/', "-")));
    let program = scratch.join("program");
    let levels = std::env::var("QUARTZ_NATIVE_OPT").unwrap_or_else(|_| "0,2".into());
    let levels =
        levels.split(',').filter(|level| !level.is_empty()).map(|level| vec![format!("--opt={level}")]);
    let ways: Vec<Vec<String>> = match under.as_str() {
        "valgrind" => vec![vec!["-g".to_owned()]],
        "asan" => vec![vec!["--sanitize=address".to_owned()]],
        "tsan" => vec![vec![TSAN.to_owned()]],
        _ => [vec!["-g".to_owned()], Vec::new()].into_iter().chain(levels).collect(),
    };
    let result = ways.into_iter().try_for_each(|way| {
        let mut build = quartz();
        build.current_dir(folder).args(["build", "--color=never", "--leaks", &name]).args(&way);
        build.args(filetests::judge::flags(&directives));
        let built = output(build.arg("-o").arg(&program), None);
        if !built.status.success() {
            return Err(format!("{way:?} cannot be built:\n{}", String::from_utf8_lossy(&built.stderr)));
        }
        let mut command = if under == "valgrind" {
            let mut valgrind = Command::new("valgrind");
            // What moves the stack pointer further than this changes to a stack of another task.
            valgrind.args(["--quiet", "--error-exitcode=99", "--max-stackframe=65536"]).arg(&program);
            valgrind
        } else {
            Command::new(&program)
        };
        command.env("ASAN_OPTIONS", "detect_leaks=0:exitcode=99");
        command.current_dir(folder).env("QUARTZ_HASH_SEED", "7");
        filetests::judge::judge(command, &directives).map_err(|words| format!("{way:?}: {words}"))
    });
    std::fs::remove_dir_all(&scratch).ok();
    result
}
