//! Was this Quakefile compiled already? Told by contents: a note lists every file that it was made of, with its digest.
//!
//! In `.quartz-cache/quake` stand programs, named after what they were made of, and for each compiler a note that
//! says which one is the last. Both are written elsewhere and moved there, the note last: a build that is killed
//! leaves nothing that a later one believes in.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use qz_base::digest::digest;

const FOLDER: &str = ".quartz-cache/quake";
/// Changes with the format of notes.
const FORMAT: &str = "quake 1";
/// So many programs are kept, for those who go to and fro between versions.
const KEPT: usize = 8;
/// What the compiler is told beside the file.
const FLAGS: [&str; 1] = ["--strip"];

/// The `quartz` that compiles.
pub(crate) struct Compiler {
    pub(crate) path: PathBuf,
    /// Where the note stands that speaks of it.
    note: PathBuf,
}

/// A compiled Quakefile.
pub(crate) struct Made {
    pub(crate) path: PathBuf,
    /// Stands for all that it was made of.
    pub(crate) key: String,
}

impl Compiler {
    /// The one that `QUARTZ_EXE` names, the one beside this command, or the one in `PATH`.
    pub(crate) fn find() -> Result<Compiler, String> {
        let named = std::env::var_os("QUARTZ_EXE").filter(|it| !it.is_empty()).map(PathBuf::from);
        if let Some(named) = &named
            && !named.is_file()
        {
            return Err(format!("QUARTZ_EXE names `{}`, which is not there", named.display()));
        }
        let this = std::env::current_exe().and_then(|it| it.canonicalize()).unwrap_or_default();
        let beside = Some(this.with_file_name("quartz")).filter(|it| it.is_file());
        let path = named.or(beside).or_else(in_path);
        let path = path.ok_or("the compiler, `quartz`, is neither beside this command nor in PATH")?;
        let identity = identity(&path);
        let note = Path::new(FOLDER).join(format!("{}.made", short(&identity)));
        Ok(Compiler { path, note })
    }
}

fn in_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("quartz")).find(|it| it.is_file())
}

/// All that decides what the compiler makes of a file. Reading all of it would take longer than the rest: a compiler is
/// known by its place, size and time.
fn identity(compiler: &Path) -> String {
    let mut text = format!("{FORMAT} {} {FLAGS:?}", compiler.display());
    if let Ok(facts) = compiler.metadata() {
        let time = facts.modified().ok().and_then(|it| it.duration_since(UNIX_EPOCH).ok());
        write!(text, " {} {time:?}", facts.len()).expect("a text takes all");
    }
    for name in ["QUARTZ_RUNTIME", "QUARTZ_CLANG"] {
        write!(text, " {:?}", std::env::var_os(name)).expect("a text takes all");
    }
    text
}

fn short(text: &str) -> String {
    digest(text.as_bytes()).to_string()[..32].to_owned()
}

// ---- finding

/// What the last build made, if all of it is as it was then.
pub(crate) fn find(compiler: &Compiler) -> Option<Made> {
    let note = std::fs::read_to_string(&compiler.note).ok()?;
    let (inputs, last) = note.strip_suffix('\n')?.rsplit_once('\n')?;
    let made = made_of(inputs);
    let ok = inputs.lines().all(as_it_was) && last == program_line(&made)?;
    ok.then_some(made)
}

fn made_of(inputs: &str) -> Made {
    let key = short(&format!("{FORMAT} {}", inputs.trim_end()));
    Made { path: Path::new(FOLDER).join(&key), key }
}

fn as_it_was(line: &str) -> bool {
    match line.split_once(' ') {
        Some(("absent", path)) => !Path::new(path).is_file(),
        Some(("compiler", _)) => true,
        Some(("file", rest)) => rest.split_once(' ').is_some_and(|(known, path)| {
            std::fs::read(path).is_ok_and(|bytes| digest(&bytes).to_string() == known)
        }),
        _ => false,
    }
}

/// The last line of a note: it tells a whole program from a damaged one.
fn program_line(made: &Made) -> Option<String> {
    let bytes = std::fs::read(&made.path).ok()?;
    Some(format!("program {} {:016x}", bytes.len(), checksum(&bytes)))
}

/// Quick, and different for programs that were cut off or damaged.
fn checksum(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|it| u64::from_le_bytes(*it));
    let rest = rest.iter().map(|&it| u64::from(it));
    words.chain(rest).fold(PRIME, |sum, word| (sum.rotate_left(5) ^ word).wrapping_mul(PRIME))
}

// ---- making

/// Compiles the Quakefile. The compiler has said what is wrong with it if there is a status.
pub(crate) fn make(compiler: &Compiler) -> Result<Result<Made, u8>, String> {
    let cannot =
        |error: std::io::Error| format!("the compiled Quakefile cannot be kept in `{FOLDER}`: {error}");
    let work = Path::new(FOLDER).join(format!("work-{}", std::process::id()));
    std::fs::create_dir_all(&work).map_err(cannot)?;
    clear_dead_work();
    let made = compile(compiler, &work).and_then(|built| match built {
        Ok(inputs) => publish(compiler, &work, &inputs).map(Ok).map_err(cannot),
        Err(status) => Ok(Err(status)),
    });
    std::fs::remove_dir_all(&work).ok();
    made
}

/// What the program was made of, or the compiler's status.
fn compile(compiler: &Compiler, work: &Path) -> Result<Result<String, u8>, String> {
    let inputs = work.join("inputs");
    let mut command = Command::new(&compiler.path);
    command.args(["build", super::NAME, "-o"]).arg(work.join("program")).args(FLAGS);
    command.arg("--inputs").arg(&inputs).stdin(Stdio::null());
    let status = command.status().map_err(|error| {
        format!("the compiler, `{}`, cannot be started: {error}", compiler.path.display())
    })?;
    match status.code() {
        Some(0) => std::fs::read_to_string(&inputs)
            .map(Ok)
            .map_err(|error| format!("the compiler did not say what it read: {error}")),
        Some(status) => Ok(Err(status as u8)),
        None => Err(format!("the compiler was ended while it compiled the Quakefile: {status}")),
    }
}

/// Puts what was made into its place.
fn publish(compiler: &Compiler, work: &Path, inputs: &str) -> std::io::Result<Made> {
    let name = compiler.note.file_stem().unwrap_or_default().to_string_lossy();
    let inputs = format!("compiler {name}\n{}", inputs.trim_end());
    let made = made_of(&inputs);
    std::fs::rename(work.join("program"), &made.path)?;
    let last = program_line(&made).ok_or_else(|| std::io::Error::other("it cannot be read"))?;
    let note = work.join("note");
    std::fs::write(&note, format!("{inputs}\n{last}\n"))?;
    std::fs::rename(&note, &compiler.note)?;
    forget_old(&made);
    Ok(made)
}

/// Folders of builds that were killed.
fn clear_dead_work() {
    for entry in std::fs::read_dir(FOLDER).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let dead = name.strip_prefix("work-").is_some_and(|id| !Path::new("/proc").join(id).exists());
        if dead && Path::new("/proc/self").exists() {
            std::fs::remove_dir_all(entry.path()).ok();
        }
    }
}

/// Deletes all but the newest programs and notes.
fn forget_old(made: &Made) {
    let entries = std::fs::read_dir(FOLDER).into_iter().flatten().flatten();
    let files = entries.filter(|it| it.file_type().is_ok_and(|kind| kind.is_file())).map(|it| it.path());
    let dated = files.filter(|it| *it != made.path);
    let mut dated: Vec<_> = dated.filter_map(|it| Some((it.metadata().ok()?.modified().ok()?, it))).collect();
    dated.sort();
    let old = dated.len().saturating_sub(2 * KEPT);
    for (_, path) in &dated[..old] {
        std::fs::remove_file(path).ok();
    }
}
