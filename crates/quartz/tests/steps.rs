//! What is done again after an edit? Each `tests/steps/*.steps` is a small project, edits, and after each what a command
//! had to do anew. Whatever it reuses, its output is that of a command without a cache; that is compared at every step.
//!
//! The form: `=== FILE` and its text; `--- COMMAND` (`check`, `run`, `build`, with flags) and what is expected below it:
//!
//! * `checked: a b` modules that were checked anew, `-` for none; not said if the whole program was as it was;
//! * `parsed: a`, `constants: a`, `walked: a` (what functions of these perform was found anew), `lowered: a` (some bodies became
//!   MIR anew): the same, if there is
//!   such a line;
//! * `functions: a`: modules of which some machine code was made anew by `build`, if there is such a line;
//! * `code: in parts`: only functions that changed were made; `code: made: …` why all were, after an edit;
//! * `unchanged`: of the program nothing was looked at but the files' texts; `output: reused`: what was built before is there;
//! * `damaged: check`: tiers with entries that were not whole;
//! * `prints: …` lines of standard output, `fails: QZ0300 …` codes of errors, `warns: QZ7201 …`.
//!
//! Between them `--- edit FILE` with lines `-old` and `+new`, `--- delete FILE`, `--- restore FILE`, `--- rename FILE TO`,
//! `--- damage TIER` (flips a bit in every entry of a tier), `--- remove TIER`, `--- env NAME=VALUE`; `--- compiler NAME`, by
//! which the compiler is another build from then on or, if the name was given before, that build again; and `--- library FILE`,
//! an edit by as many bytes of the library that is in the compiler, which makes another build too.
//! `QUARTZ_BLESS=1` writes what was found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/steps");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("tests/steps is there")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|it| it == "steps"))
        .collect();
    paths.sort();
    let trial = |path: PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(name, move || play(&path).map_err(Failed::from))
    };
    libtest_mimic::run(&Arguments::from_args(), paths.into_iter().map(trial).collect()).exit();
}

/// One project in a folder of its own, removed at the end.
struct Stage {
    folder: PathBuf,
    /// Files that were deleted.
    deleted: BTreeMap<String, Vec<u8>>,
    variables: Vec<(String, String)>,
    compiler: PathBuf,
}

impl Drop for Stage {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

fn play(path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = std::env::temp_dir().join(format!("quartz-steps-{name}-{}", std::process::id()));
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let compiler = PathBuf::from(env!("CARGO_BIN_EXE_quartz"));
    let mut stage = Stage { folder, deleted: BTreeMap::new(), variables: Vec::new(), compiler };
    let mut found = String::new();
    for (head, body) in sections(&text) {
        let Some(head) = head else {
            found += &body;
            continue;
        };
        writeln!(found, "{head}").expect("a text takes all");
        let result = match head.split_at(3) {
            ("===", file) => stage.write(file.trim(), &body).map(|()| body.clone()),
            (_, command) => stage.act(command.trim(), &body),
        };
        found += &result.map_err(|words| format!("{head}: {words}"))?;
    }
    if found == text {
        return Ok(());
    }
    if std::env::var_os("QUARTZ_BLESS").is_some() {
        return std::fs::write(path, found).map_err(|error| error.to_string());
    }
    Err(format!("{} tells otherwise; found:\n{found}", path.display()))
}

/// Heads with what stands below them; what stands before the first has none.
fn sections(text: &str) -> Vec<(Option<&str>, String)> {
    let mut sections = vec![(None, String::new())];
    for line in text.split_inclusive('\n') {
        if line.starts_with("=== ") || line.starts_with("--- ") {
            sections.push((Some(line.trim_end()), String::new()));
        } else {
            sections.last_mut().expect("one is there").1.push_str(line);
        }
    }
    sections
}

impl Stage {
    fn write(&self, file: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(file);
        std::fs::create_dir_all(path.parent().expect("in a folder")).map_err(|error| error.to_string())?;
        // A blank line before the next section belongs to the manifest.
        let text = format!("{}\n", text.trim_end());
        std::fs::write(path, text).map_err(|error| error.to_string())
    }

    fn read(&self, file: &str) -> Result<String, String> {
        std::fs::read_to_string(self.folder.join(file)).map_err(|error| format!("{file}: {error}"))
    }

    /// Does what is said; gives the lines that belong below it.
    fn act(&mut self, command: &str, body: &str) -> Result<String, String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            ["edit", file] => self.edit(file, body)?,
            ["delete", file] => {
                let text =
                    std::fs::read(self.folder.join(file)).map_err(|error| format!("{file}: {error}"))?;
                self.deleted.insert(file.to_owned(), text);
                std::fs::remove_file(self.folder.join(file)).map_err(|error| error.to_string())?;
            }
            ["restore", file] => {
                let text = self.deleted.get(file).ok_or("it was not deleted")?;
                std::fs::write(self.folder.join(file), text).map_err(|error| error.to_string())?;
            }
            ["rename", file, to] => {
                self.write(to, &self.read(file)?)?;
                std::fs::remove_file(self.folder.join(file)).map_err(|error| error.to_string())?;
            }
            ["damage", tier] => self.each_entry(tier, |path| {
                let mut bytes = std::fs::read(path)?;
                let at = bytes.len() / 2;
                bytes[at] ^= 4;
                std::fs::write(path, bytes)
            })?,
            ["remove", tier] => self.each_entry(tier, |path| std::fs::remove_file(path))?,
            ["env", variable] => {
                let (name, value) = variable.split_once('=').ok_or("NAME=VALUE is wanted")?;
                self.variables.push((name.to_owned(), value.to_owned()));
            }
            ["compiler", "first"] => self.compiler = PathBuf::from(env!("CARGO_BIN_EXE_quartz")),
            ["compiler", name] => self.rebuild(name, |_| Ok(()))?,
            ["library", file] => {
                let (old, new) = old_and_new(body);
                self.rebuild(file, |bytes| replace_bytes(bytes, old.as_bytes(), new.as_bytes()))?;
            }
            ["check" | "run" | "build", ..] => return self.run(&words, body),
            _ => return Err("no such step".into()),
        }
        Ok(body.to_owned())
    }

    fn edit(&self, file: &str, body: &str) -> Result<(), String> {
        let (old, new) = old_and_new(body);
        let text = self.read(file)?;
        if text.matches(&old).count() != 1 {
            return Err(format!("{old:?} does not stand once in {file}"));
        }
        self.write(file, &text.replace(&old, &new))
    }

    /// The compiler is another build of itself from now on.
    fn rebuild(
        &mut self,
        name: &str,
        change: impl Fn(&mut Vec<u8>) -> Result<(), String>,
    ) -> Result<(), String> {
        let path = self.folder.join(format!("compilers/{}", name.replace('/', "-")));
        if !path.exists() {
            let mut bytes = std::fs::read(&self.compiler).map_err(|error| error.to_string())?;
            change(&mut bytes)?;
            link_again(&mut bytes, name);
            std::fs::create_dir_all(path.parent().expect("in a folder"))
                .map_err(|error| error.to_string())?;
            // What may be run is written by a process that has nothing else open: one that another test starts meanwhile would
            // hold the file open for writing until it is another program, and a file that is being written cannot be run.
            let made = path.with_extension("made");
            std::fs::copy(&self.compiler, &made).map_err(|error| error.to_string())?;
            std::fs::write(&made, bytes).map_err(|error| error.to_string())?;
            let copied =
                Command::new("cp").arg(&made).arg(&path).status().map_err(|error| error.to_string())?;
            if !copied.success() {
                return Err(format!("{} cannot be copied", made.display()));
            }
        }
        self.compiler = path;
        Ok(())
    }

    fn each_entry(&self, tier: &str, act: impl Fn(&Path) -> std::io::Result<()>) -> Result<(), String> {
        let folder = self.folder.join("cache/v1").join(tier);
        let mut count = 0;
        for group in std::fs::read_dir(&folder).map_err(|error| error.to_string())?.flatten() {
            for entry in std::fs::read_dir(group.path()).into_iter().flatten().flatten() {
                act(&entry.path()).map_err(|error| error.to_string())?;
                count += 1;
            }
        }
        if count > 0 { Ok(()) } else { Err("there is no such entry".into()) }
    }

    fn quartz(&self, words: &[&str], more: &[&str]) -> Result<Output, String> {
        let mut command = Command::new(&self.compiler);
        command.args(words).arg("--color=never").args(more);
        if words.len() == 1 || words[1..].iter().all(|it| it.starts_with('-')) {
            command.arg("main.qz");
        }
        command.current_dir(&self.folder).env("QUARTZ_CACHE_DIR", self.folder.join("cache"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).output().map_err(|error| error.to_string())
    }

    /// Runs a command with the cache and without; gives what it had to do, in the manifest's words.
    fn run(&self, words: &[&str], body: &str) -> Result<String, String> {
        let with = self.quartz(words, &["--explain-cache=json"])?;
        let built = std::fs::read(self.folder.join("main")).ok();
        let without = self.quartz(words, &["--no-cache"])?;
        let stderr = String::from_utf8_lossy(&with.stderr).into_owned();
        let (told, said): (Vec<&str>, Vec<&str>) = stderr.lines().partition(|it| it.starts_with('{'));
        let said: Vec<&str> = said.into_iter().filter(|it| !it.contains("damaged in")).collect();
        let anew = String::from_utf8_lossy(&without.stderr).into_owned();
        let anew: Vec<&str> = anew.lines().collect();
        if with.stdout != without.stdout || said != anew || with.status != without.status {
            let out = |it: &Output| String::from_utf8_lossy(&it.stdout).into_owned();
            return Err(format!(
                "with the cache: {:?} {}\n{}\nwithout: {:?} {}\n{}",
                with.status.code(),
                out(&with),
                said.join("\n"),
                without.status.code(),
                out(&without),
                anew.join("\n")
            ));
        }
        if built.is_some() && built != std::fs::read(self.folder.join("main")).ok() {
            return Err("what is built without the cache is another file".into());
        }
        Ok(expectations(&told, &with, &said, body))
    }
}

/// The texts of an edit: what was there, and what takes its place.
fn old_and_new(body: &str) -> (String, String) {
    let lines = |mark: char| -> Vec<&str> { body.lines().filter_map(|it| it.strip_prefix(mark)).collect() };
    (lines('-').join("\n"), lines('+').join("\n"))
}

fn places(bytes: &[u8], part: &[u8]) -> Vec<usize> {
    let starts = bytes.windows(part.len()).enumerate().filter(|it| it.1[0] == part[0] && it.1 == part);
    starts.map(|it| it.0).collect()
}

fn replace_bytes(bytes: &mut [u8], old: &[u8], new: &[u8]) -> Result<(), String> {
    match places(bytes, old)[..] {
        [at] if old.len() == new.len() => {
            bytes[at..at + new.len()].copy_from_slice(new);
            Ok(())
        }
        _ => Err("the line has to stand once in the compiler, and the other to be as long".into()),
    }
}

/// Does as a linker that had the change before it: the digest that it writes into the program is another. Without one the
/// compiler's bytes count, of which there is one more then.
fn link_again(bytes: &mut Vec<u8>, name: &str) {
    let head: Vec<usize> = places(bytes, b"\x03\0\0\0GNU\0");
    for at in head.iter().map(|at| at + 8) {
        bytes[at..at + 8].iter_mut().zip(name.bytes().cycle()).for_each(|(byte, new)| *byte ^= new);
    }
    if head.is_empty() {
        bytes.push(0);
    }
}

/// The lines of a step, and behind them the remarks and blank lines that it had.
fn expectations(told: &[&str], output: &Output, said: &[&str], body: &str) -> String {
    let mut text = String::new();
    let mut line = |it: String| writeln!(text, "{it}").expect("a text takes all");
    let told: Vec<serde_json::Value> =
        told.iter().map(|it| serde_json::from_str(it).expect("an object a line")).collect();
    let is = |it: &serde_json::Value, tier: &str| it["tier"] == tier;
    if told.iter().any(|it| is(it, "program") && it["reused"] == true) {
        line("unchanged".into());
    }
    if told.iter().any(|it| it["module"] == "(the output)") {
        line("output: reused".into());
    }
    let is_damaged =
        |it: &&serde_json::Value| it["reason"].as_str().is_some_and(|it| it.starts_with("made: the entry "));
    let tiers: BTreeSet<&str> = told.iter().filter(is_damaged).filter_map(|it| it["tier"].as_str()).collect();
    if !tiers.is_empty() {
        line(format!("damaged: {}", tiers.into_iter().collect::<Vec<_>>().join(" ")));
    }
    for (tier, word) in [
        ("parse", "parsed"),
        ("check", "checked"),
        ("constants", "constants"),
        ("effects", "walked"),
        ("mir", "lowered"),
    ] {
        let all = || told.iter().filter(|it| is(it, tier));
        let anew: Vec<&str> =
            all().filter(|it| it["reused"] == false).filter_map(|it| it["module"].as_str()).collect();
        let wanted = body.lines().any(|it| it.starts_with(word)) || tier == "check";
        if wanted && all().next().is_some() {
            line(format!("{word}: {}", if anew.is_empty() { "-".into() } else { anew.join(" ") }));
        }
    }
    if body.lines().any(|it| it.starts_with("functions")) {
        let packs = told.iter().filter(|it| is(it, "code") && it["reused"] == false);
        let anew: Vec<&str> = packs.filter_map(|it| it["module"].as_str()).collect();
        line(format!("functions: {}", if anew.is_empty() { "-".into() } else { anew.join(" ") }));
    }
    let whole = told.iter().find(|it| is(it, "code") && it["module"] == "(the whole program)");
    match whole.and_then(|it| it["reason"].as_str()) {
        Some(words) if words.ends_with("functions reused") => line("code: in parts".into()),
        Some(words) => line(format!("code: {words}")),
        None => {}
    }
    for it in String::from_utf8_lossy(&output.stdout).lines() {
        line(format!("prints: {it}"));
    }
    for (start, word) in [("error[", "fails"), ("warning[", "warns")] {
        let codes = said.iter().filter_map(|it| it.strip_prefix(start)?.split(']').next());
        let codes: Vec<&str> = codes.collect();
        if !codes.is_empty() {
            line(format!("{word}: {}", codes.join(" ")));
        }
    }
    let rest = body.lines().filter(|it| it.is_empty() || it.starts_with('#'));
    rest.for_each(|it| line(it.to_owned()));
    text
}
