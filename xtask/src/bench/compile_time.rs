//! How long compilers take for a program of 10,000 lines, of the same shape in each language. All of it is reached
//! from its start, so that nothing is left out.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::languages::Language;
use super::lines;
use super::measure::{Meter, median};
use super::report::{Report, Table, number};
use super::{Bench, quiet};

const LINES: usize = 10_000;

/// One way of compiling: what it is called, and the arguments before and behind the output's name.
struct Way {
    language: Language,
    title: &'static str,
    before: &'static [&'static str],
    /// Files are named relatively to the project; `*` stands for all of them.
    files: &'static str,
}

const WAYS: [Way; 7] = [
    Way {
        language: Language::Quartz,
        title: "quartz build",
        before: &["build", "--no-cache"],
        files: "main.qz",
    },
    Way {
        language: Language::Quartz,
        title: "quartz build --release",
        before: &["build", "--release", "--no-cache"],
        files: "main.qz",
    },
    Way { language: Language::Crystal, title: "crystal build", before: &["build"], files: "main.cr" },
    Way {
        language: Language::Crystal,
        title: "crystal build --release",
        before: &["build", "--release"],
        files: "main.cr",
    },
    Way { language: Language::Rust, title: "rustc", before: &[], files: "main.rs" },
    Way { language: Language::Rust, title: "rustc -O", before: &["-O"], files: "main.rs" },
    Way { language: Language::Go, title: "go build", before: &["build"], files: "*" },
];

impl Bench {
    /// All ways in turns, whole processes, without what compilers remember of earlier runs.
    pub(crate) fn compile_time(&self, report: &mut Report) -> bool {
        if !self.options.wants("compile") {
            return true;
        }
        let Some(meter) = Meter::new(self) else { return false };
        let ways: Vec<(&Way, PathBuf, usize)> =
            WAYS.iter().filter_map(|it| Some((it, self.project(it)?.0, self.project(it)?.1))).collect();
        let mut times = vec![Vec::new(); ways.len()];
        let mut memory = vec![Vec::new(); ways.len()];
        for _ in 0..self.options.rounds.min(3) {
            for (n, (way, folder, _)) in ways.iter().enumerate() {
                let Some((ms, mb)) = self.compile_once(&meter, way, folder) else { return false };
                times[n].push(ms);
                memory[n].push(mb);
            }
        }
        let mut table = Table::new("compiler", ["lines", "s", "peak memory, MB"].into_iter());
        for (n, (way, _, lines)) in ways.iter().enumerate() {
            let (seconds, megabytes) = (median(&times[n]) / 1000.0, median(&memory[n]));
            let numbers = [lines.to_string(), number(Some(seconds), 2), number(Some(megabytes), 0)];
            table.row(&format!("`{}`", way.title), numbers.into_iter());
        }
        report.add("compile", &table);
        true
    }

    /// Where a language's project is, and how many lines it has.
    fn project(&self, way: &Way) -> Option<(PathBuf, usize)> {
        self.languages.compiler(way.language)?;
        let folder = self.out.join(format!("compile_{:?}", way.language));
        match lines::write_project_in(way.language, &folder, LINES)? {
            Ok(lines) => Some((folder, lines)),
            Err(error) => {
                eprintln!("{}: {error}", folder.display());
                None
            }
        }
    }

    fn compile_once(&self, meter: &Meter, way: &Way, folder: &Path) -> Option<(f64, f64)> {
        let compiler = self.languages.compiler(way.language)?;
        let cache = self.out.join("compile_cache");
        let _ = std::fs::remove_dir_all(&cache);
        let to = self.out.join("compiled");
        let mut arguments: Vec<String> = way.before.iter().map(|it| (*it).to_owned()).collect();
        arguments.extend(["-o".to_owned(), to.display().to_string()]);
        arguments.extend(files(way, folder));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let environment = [("CRYSTAL_CACHE_DIR", cache.join("crystal"))];
        let program = PathBuf::from(compiler.get_program());
        // Go's library is compiled once, and only then timed: others have theirs compiled.
        if way.language == Language::Go {
            quiet(Command::new(&program).args(&arguments))?;
            touch(folder)?;
        }
        let run = meter.run_with(&program, &arguments, &environment)?;
        quiet(&mut Command::new(&to))?;
        Some((run.ms, run.mb))
    }
}

fn files(way: &Way, folder: &Path) -> Vec<String> {
    if way.files != "*" {
        return vec![folder.join(way.files).display().to_string()];
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<String> = entries.map(|it| it.path().display().to_string()).collect();
    files.sort();
    files
}

/// Changes the program by a comment, so that it is compiled anew.
fn touch(folder: &Path) -> Option<()> {
    let main = folder.join("main.go");
    let text = std::fs::read_to_string(&main).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    std::fs::write(&main, format!("{text}\n// compiled at {}\n", now.as_nanos())).ok()
}
