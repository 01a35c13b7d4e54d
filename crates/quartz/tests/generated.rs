//! Programs that no one wrote: generated ones run alike on all engines and leave nothing over, and what damaged
//! programs say is never a crash.
//!
//! `QUARTZ_PROGRAMS=5000` runs that many, `QUARTZ_NATIVE_PROGRAMS=500` that many built by LLVM,
//! `QUARTZ_LOOPS=5000` that many about bounds, `QUARTZ_TREES=5000` about trees, `QUARTZ_MACROS=5000` about macros;
//! `QUARTZ_FIRST=17` starts with that number.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// In an ordinary test run.
const PROGRAMS: u64 = 200;
const NATIVE_PROGRAMS: u64 = 12;
const LOOPS: u64 = 150;
const TREES: u64 = 150;
const DAMAGED: u64 = 150;
const MACROS: u64 = 100;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("quartz-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    folder
}

struct Ran {
    status: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
}

fn quartz(arguments: &[&str], file: &Path) -> Ran {
    let out = Command::new(env!("CARGO_BIN_EXE_quartz"))
        .args(arguments)
        .arg(file)
        .env("QUARTZ_HASH_SEED", "7")
        .stdin(Stdio::null())
        .output()
        .expect("the command starts");
    Ran {
        status: out.status.code(),
        stdout: out.stdout,
        stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}

fn run_on(engine: &str, file: &Path) -> Ran {
    quartz(&["run", "--color=never", "--leaks", "--engine", engine], file)
}

/// Builds a program and runs it; nothing if LLVM or the runtime library are not there.
fn run_native(opt: &str, file: &Path) -> Option<Ran> {
    let program = file.with_extension("exe");
    let to = program.to_str().expect("a name of ours");
    let built = quartz(&["build", "--color=never", "--leaks", opt, "-o", to], file);
    if built.stderr.contains("QZ9005") {
        return None;
    }
    if built.status != Some(0) {
        return Some(built);
    }
    let out = Command::new(&program).env("QUARTZ_HASH_SEED", "7").stdin(Stdio::null()).output();
    let out = out.expect("the program starts");
    std::fs::remove_file(&program).expect("just built");
    let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
    Some(Ran { status: out.status.code(), stdout: out.stdout, stderr })
}

/// Why two engines do not agree on a program.
fn disagreement(machine: Ran, interpreter: Ran) -> Option<String> {
    // The panic and its place; a backtrace may name inlined functions differently.
    let panic = |ran: &Ran| {
        let at = ran.stderr.lines().skip_while(|line| !line.starts_with("panic:"));
        at.take(2).collect::<Vec<_>>().join("\n")
    };
    if !matches!(machine.status, Some(0 | 101)) {
        return Some(format!("ends with {:?}:\n{}", machine.status, machine.stderr));
    }
    if machine.status != interpreter.status {
        let (a, b) = (machine.status, interpreter.status);
        return Some(format!("ends with {a:?} and {b:?}:\n{}\n{}", machine.stderr, interpreter.stderr));
    }
    if machine.stdout != interpreter.stdout || panic(&machine) != panic(&interpreter) {
        let show = |ran: &Ran| format!("{}{}", String::from_utf8_lossy(&ran.stdout), panic(ran));
        return Some(format!("one engine:\n{}\nthe other:\n{}", show(&machine), show(&interpreter)));
    }
    [machine, interpreter].iter().find(|it| it.stderr.contains("leaked:")).map(|it| it.stderr.clone())
}

#[test]
fn engines_agree_on_generated_programs() {
    let programs = number("QUARTZ_PROGRAMS", PROGRAMS);
    each_generated("generated", programs, qz_progen::program, &mut |_, file| {
        disagreement(run_on("cranelift", file), run_on("interp", file))
    });
}

/// No needed check is left out: with bounds as without optimisation.
#[test]
fn loops_keep_the_bounds_of_vectors() {
    each_generated("loops", number("QUARTZ_LOOPS", LOOPS), qz_progen::loops, &mut |_, file| {
        let plain = quartz(&["run", "--color=never", "--leaks", "--unoptimised"], file);
        disagreement(run_on("cranelift", file), plain)
    });
}

/// Memory that is used again was nobody's any more: values as without optimisation, with nothing left over.
#[test]
fn trees_stay_what_they_are() {
    each_generated("trees", number("QUARTZ_TREES", TREES), qz_progen::trees, &mut |seed, file| {
        let plain = quartz(&["run", "--color=never", "--leaks", "--unoptimised"], file);
        let optimised = match seed % 3 {
            0 => run_on("interp", file),
            1 => run_on("cranelift", file),
            // Without counting, blocks change their type in place.
            _ => quartz(&["run", "--color=never", "--verify"], file),
        };
        disagreement(optimised, plain)
    });
}

#[test]
fn native_programs_agree_with_machine_code_in_memory() {
    let programs = number("QUARTZ_NATIVE_PROGRAMS", NATIVE_PROGRAMS);
    let mut skipped = 0;
    let make = |seed| match seed % 3 {
        0 => qz_progen::program(seed),
        1 => qz_progen::loops(seed),
        _ => qz_progen::trees(seed),
    };
    each_generated("native", programs, make, &mut |seed, file| {
        let opt = ["--opt=2", "--opt=2", "--opt=1", "--opt=0"][seed as usize % 4];
        match run_native(opt, file) {
            Some(native) => disagreement(native, run_on("cranelift", file)),
            None => {
                skipped += 1;
                None
            }
        }
    });
    if skipped > 0 {
        eprintln!("{skipped} native programs were not tested: clang or the runtime library is missing");
    }
}

/// Asks a question about generated programs; all that are answered by a reason fail together.
fn each_generated(
    name: &str,
    programs: u64,
    make: impl Fn(u64) -> String,
    wrong: &mut dyn FnMut(u64, &Path) -> Option<String>,
) {
    let folder = scratch(name);
    let first = number("QUARTZ_FIRST", 0);
    let mut bad = Vec::new();
    for seed in first..first + programs {
        let file = folder.join(format!("p{seed}.qz"));
        std::fs::write(&file, make(seed)).expect("the folder can be written");
        match wrong(seed, &file) {
            Some(why) => bad.push(format!("{}: {why}", file.display())),
            None => std::fs::remove_file(&file).expect("just written"),
        }
    }
    assert!(bad.is_empty(), "{} programs:\n{}", bad.len(), bad.join("\n\n"));
    std::fs::remove_dir_all(&folder).ok();
}

#[test]
fn damaged_programs_are_answered() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut sources = Vec::new();
    for folder in ["examples", "tests/run/basics", "tests/run/traits", "tests/run/std"] {
        let entries = std::fs::read_dir(top.join(folder)).expect("part of the project");
        sources.extend(
            entries.flatten().map(|it| it.path()).filter(|it| it.extension().is_some_and(|e| e == "qz")),
        );
    }
    sources.sort();
    let folder = scratch("damaged");
    let mut bad = Vec::new();
    for seed in 0..number("QUARTZ_DAMAGED", DAMAGED) {
        let source = &sources[seed as usize % sources.len()];
        let text = std::fs::read_to_string(source).expect("part of the project");
        let file = folder.join(format!("d{seed}.qz"));
        std::fs::write(&file, qz_progen::damage(&text, seed)).expect("the folder can be written");
        let ran = quartz(&["check", "--color=never"], &file);
        if matches!(ran.status, Some(0 | 1)) {
            std::fs::remove_file(&file).expect("just written");
        } else {
            let last: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("9501")).collect();
            bad.push(format!("{}, made of {}: {:?} {last:?}", file.display(), source.display(), ran.status));
        }
    }
    assert!(bad.is_empty(), "{} programs:\n{}", bad.len(), bad.join("\n"));
    std::fs::remove_dir_all(&folder).ok();
}

/// Whatever macros are made of and are given, the answer is problems: no crash, and limits where they go on without end.
#[test]
fn macros_that_make_no_sense_are_answered() {
    let folder = scratch("macros");
    let mut bad = Vec::new();
    let first = number("QUARTZ_FIRST", 0);
    for seed in first..first + number("QUARTZ_MACROS", MACROS) {
        let file = folder.join(format!("m{seed}.qz"));
        std::fs::write(&file, qz_progen::macros(seed)).expect("the folder can be written");
        let ran = quartz(&["check", "--color=never"], &file);
        if matches!(ran.status, Some(0 | 1)) {
            std::fs::remove_file(&file).expect("just written");
        } else {
            let last: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("9501")).collect();
            bad.push(format!("{}: {:?} {last:?}", file.display(), ran.status));
        }
    }
    assert!(bad.is_empty(), "{} programs:\n{}", bad.len(), bad.join("\n"));
    std::fs::remove_dir_all(&folder).ok();
}
