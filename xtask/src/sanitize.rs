//! The runtime in Rust code that LLVM's sanitizers watch, by its own tests and by programs, and the standard library
//! that such code needs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run;

/// Who watches.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Kind {
    /// Every access to memory.
    Address,
    /// Accesses by several threads that nothing puts in order.
    Thread,
}

/// `[address|thread] [TEXT]`: by both, if neither is named; tests and programs whose names have TEXT in them.
pub(crate) fn sanitize(top: &Path, arguments: &[String]) -> bool {
    let (kinds, filter) = match arguments.split_first() {
        Some((kind, filter)) if kind == "address" => (&[Kind::Address][..], filter),
        Some((kind, filter)) if kind == "thread" => (&[Kind::Thread][..], filter),
        _ => (&[Kind::Address, Kind::Thread][..], arguments),
    };
    // Both have their say, whatever the other found.
    kinds.iter().fold(true, |ok, kind| {
        let passed = match kind {
            Kind::Address => test(top, "address", "-Zsanitizer=address", filter),
            Kind::Thread => test_threads(top, filter),
        };
        ok & passed
    })
}

/// A target, so that what runs while building is not watched.
fn target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// The flags are not stable yet.
fn cargo(top: &Path, flags: &str) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(top).env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", flags);
    cargo
}

/// The runtime's tests, built with `flags` in a folder of their own.
fn test(top: &Path, kind: &str, flags: &str, filter: &[String]) -> bool {
    let mut tests = cargo(top, flags);
    // What the threads' caches hold at the end is no leak; tests of programs count objects.
    tests.env("ASAN_OPTIONS", "detect_leaks=0");
    tests.env("TSAN_OPTIONS", tsan_options());
    tests.args(["test", "--quiet", "-p", "qz_sched", "-p", "qz_rt", "--tests"]);
    tests.args(["--target", &target(), "--target-dir"]);
    run(tests.arg(top.join("target/sanitize").join(kind)).arg("--").args(filter))
}

fn test_threads(top: &Path, filter: &[String]) -> bool {
    match watched_library(&top.join("target/sanitize/library")) {
        Ok(library) => {
            let flags = thread_flags(&library);
            test(top, "thread", &flags, filter) & test_programs(top, &flags, filter)
        }
        Err(words) => {
            eprintln!("the thread sanitizer cannot be used: {words}");
            false
        }
    }
}

/// Who gives functions their names in reports, and in the list of what is not to be told: clang's own way to it may lead
/// nowhere. What the caller of all this asks for comes last, and wins.
fn tsan_options() -> String {
    let asked = std::env::var("TSAN_OPTIONS").unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = (15..40).rev().map(|version| format!("llvm-symbolizer-{version}"));
    let found = names.chain(["llvm-symbolizer".to_owned()]).find_map(|name| {
        std::env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file())
    });
    let symbolizer = found.map(|file| format!("external_symbolizer_path={}", file.display()));
    // A second for each program otherwise.
    format!("atexit_sleep_ms=0:{}:{asked}", symbolizer.unwrap_or_default())
}

/// Where the programs are whose tasks have most to do with each other.
const WITH_TASKS: [&str; 3] = ["tests/run/concurrency", "tests/run/memory", "tests/run/net"];

/// Programs of `tests/run`, those with tasks if no others are named, by LLVM's code and a runtime that are watched.
fn test_programs(top: &Path, flags: &str, filter: &[String]) -> bool {
    let folder = top.join("target/sanitize/programs");
    let mut library = cargo(top, flags);
    // mimalloc is C, and hands memory from thread to thread unseen.
    library.args(["build", "--quiet", "--release", "-p", "qz_rt_native", "--features", "plain-malloc"]);
    library.args(["--target", &target(), "--target-dir"]).arg(&folder);
    let runtime = folder.join(target()).join("release");
    let test = |filter: &[String]| {
        let mut tests = Command::new("cargo");
        tests.current_dir(top).env("QUARTZ_NATIVE_UNDER", "tsan").env("QUARTZ_RUNTIME", &runtime);
        // More threads than processors, so that tasks go from one to another.
        tests.env("TSAN_OPTIONS", tsan_options()).env("QUARTZ_WORKERS", "4");
        run(tests.args(["test", "--quiet", "-p", "quartz", "--test", "native", "--"]).args(filter))
    };
    if !run(&mut library) {
        return false;
    }
    match filter {
        [] => WITH_TASKS.iter().fold(true, |ok, folder| ok & test(&[(*folder).to_owned()])),
        filter => test(filter),
    }
}

/// How Rust code is built for the thread sanitizer, with the standard library of [`watched_library`]. What the runtime
/// tells it, and the function that takes another's place: `runtime/qz_sched/src/watch.rs`.
fn thread_flags(library: &Path) -> String {
    // The library's own note says that it is not watched.
    let watched = "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer --cfg qz_tsan";
    format!("{watched} --sysroot {} -Clink-arg=-Wl,--wrap=__tsan_atomic64_fetch_sub", library.display())
}

/// Crates that stay as they are: what the sanitizer itself stands on, and what tests do not link.
const UNWATCHED: [&str; 3] = ["libcompiler_builtins-", "libprofiler_builtins-", "libproc_macro-"];

/// Rust's standard library with each of its accesses watched: a sysroot, made once for each compiler.
///
/// The sanitizer has to see a lock's atomics to know that it is one, so code that is not watched would be full of races.
/// The library's source is a part of few installations, but its archives hold LLVM's form of it, for optimisation of
/// whole programs. LLVM's own tools put the sanitizer's calls into that.
fn watched_library(folder: &Path) -> Result<PathBuf, String> {
    let rustc = Rustc::at_hand()?;
    let made = folder.join(&rustc.name);
    if made.is_dir() {
        return Ok(made);
    }
    let tools = Tools::find(&rustc.llvm)?;
    eprintln!("Rust's standard library is made for the thread sanitizer, which takes a moment");
    let unfinished = folder.join(format!("{}.unfinished", rustc.name));
    let failed = |error: std::io::Error| format!("{}: {error}", unfinished.display());
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished).map_err(failed)?;
    }
    let libraries = Path::new("lib/rustlib").join(&rustc.host).join("lib");
    let (from, to) = (rustc.sysroot.join(&libraries), unfinished.join(&libraries));
    std::fs::create_dir_all(&to).map_err(failed)?;
    for entry in std::fs::read_dir(&from).map_err(|error| format!("{}: {error}", from.display()))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let place = to.join(&name);
        if !name.ends_with(".rlib") || UNWATCHED.iter().any(|it| name.starts_with(it)) {
            std::os::unix::fs::symlink(entry.path(), place).map_err(failed)?;
            continue;
        }
        std::fs::copy(entry.path(), &place).map_err(failed)?;
        tools.watch(&place, &unfinished.join("scratch"))?;
    }
    std::fs::rename(&unfinished, &made).map_err(failed)?;
    Ok(made)
}

/// The compiler that cargo uses.
struct Rustc {
    /// Its version and commit, for a folder.
    name: String,
    host: String,
    /// The first number of its LLVM's version.
    llvm: String,
    sysroot: PathBuf,
}

impl Rustc {
    fn at_hand() -> Result<Rustc, String> {
        let about = output(Command::new("rustc").arg("-vV"))?;
        let line = |name: &str| {
            let found = about.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            found.ok_or_else(|| format!("`rustc -vV` does not say its {name}"))
        };
        let llvm = line("LLVM version")?.split('.').next().unwrap_or_default().to_owned();
        let name = format!("{}-{}", line("release")?, line("commit-hash")?);
        let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?.trim().into();
        Ok(Rustc { name, host: line("host")?.to_owned(), llvm, sysroot })
    }
}

/// LLVM's tools, of the version that the compiler is made with: others may not read what it wrote.
struct Tools {
    opt: String,
    llc: String,
    objcopy: String,
    ar: String,
}

impl Tools {
    fn find(version: &str) -> Result<Tools, String> {
        let find = |tool: &str| {
            let says = format!("LLVM version {version}.");
            let fits = |name: &String| {
                output(Command::new(name).arg("--version")).is_ok_and(|words| words.contains(&says))
            };
            let found = [format!("{tool}-{version}"), tool.to_owned()].into_iter().find(fits);
            found.ok_or_else(|| {
                format!(
                    "there is no `{tool}-{version}`; on Debian and Ubuntu it is in the package llvm-{version}"
                )
            })
        };
        let (objcopy, ar) = (find("llvm-objcopy")?, find("llvm-ar")?);
        Ok(Tools { opt: find("opt")?, llc: find("llc")?, objcopy, ar })
    }

    /// Makes the objects of an archive anew, with their accesses watched.
    fn watch(&self, archive: &Path, scratch: &Path) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", scratch.display());
        std::fs::create_dir_all(scratch).map_err(failed)?;
        let members = output(Command::new(&self.ar).arg("t").arg(archive))?;
        for member in members.lines().filter(|member| member.ends_with(".o")) {
            let object = scratch.join(member);
            let [plain, watched] = ["bc", "watched.bc"].map(|ending| object.with_extension(ending));
            output(Command::new(&self.ar).current_dir(scratch).arg("x").arg(archive).arg(member))?;
            let bitcode = format!("--dump-section=.llvmbc={}", plain.display());
            output(Command::new(&self.objcopy).arg(bitcode).arg(&object).arg("/dev/null"))?;
            let mut opt = Command::new(&self.opt);
            opt.args(["-passes=forceattrs,tsan-module,function(tsan)", "-force-attribute=sanitize_thread"]);
            output(opt.arg(&plain).arg("-o").arg(&watched))?;
            let mut llc = Command::new(&self.llc);
            llc.args([
                "-O2",
                "-filetype=obj",
                "-relocation-model=pic",
                "-function-sections",
                "-data-sections",
            ]);
            output(llc.arg(&watched).arg("-o").arg(&object))?;
            output(Command::new(&self.ar).arg("r").arg(archive).arg(&object))?;
        }
        std::fs::remove_dir_all(scratch).map_err(failed)
    }
}

/// What a command prints. What it complains of, if it fails, is the error.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
