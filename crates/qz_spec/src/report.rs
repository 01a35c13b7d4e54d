//! Telling of results: for people while they come, for tools when all are there.

mod human;
mod junit;
mod tap;

use std::io::Write;

use serde_json::json;

use crate::result::{FileResult, Status};
use crate::runner::Options;

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Human,
    Json,
    Junit,
    Tap,
}

/// How many tests came to what.
#[derive(Copy, Clone, Debug, Default)]
struct Counts {
    all: usize,
    failed: usize,
    skipped: usize,
    /// Files whose tests could not all be run.
    broken: usize,
}

impl Counts {
    fn of<'a>(results: impl Iterator<Item = &'a FileResult>) -> Counts {
        let mut counts = Counts::default();
        for result in results {
            counts.all += result.cases.len();
            counts.failed += result.count(Status::Failed);
            counts.skipped += result.count(Status::Skipped);
            counts.broken += usize::from(result.broken.is_some());
        }
        counts
    }

    fn passed(self) -> usize {
        self.all - self.failed - self.skipped
    }
}

pub(crate) struct Reporter<'a> {
    options: &'a Options,
    /// Whether a line of progress stands on the terminal.
    has_progress: bool,
}

impl Reporter<'_> {
    pub(crate) fn new(options: &Options) -> Reporter<'_> {
        Reporter { options, has_progress: false }
    }

    /// A file is through.
    pub(crate) fn file(&mut self, result: &FileResult) {
        self.wipe();
        let text = match self.options.format {
            _ if self.options.host.list => listed(result, self.options.format),
            Format::Human => human::file(result, self.options.colored),
            Format::Json => json_lines(result),
            Format::Junit | Format::Tap => String::new(),
        };
        print(&text);
    }

    /// How far everything is, on a terminal.
    pub(crate) fn progress<'a>(
        &mut self,
        results: impl Iterator<Item = &'a FileResult> + Clone,
        files: usize,
    ) {
        let done = results.clone().count();
        if !self.options.terminal || self.options.format != Format::Human || done == files {
            return;
        }
        let counts = Counts::of(results);
        let failed = if counts.failed > 0 { format!(", {} failed", counts.failed) } else { String::new() };
        eprint!("\r\x1b[K{done} of {files} files, {} tests{failed}", counts.all);
        self.has_progress = true;
    }

    fn wipe(&mut self) {
        if std::mem::take(&mut self.has_progress) {
            eprint!("\r\x1b[K");
        }
    }

    /// Everything is through.
    pub(crate) fn end(&mut self, results: &[FileResult]) {
        self.wipe();
        if self.options.host.list {
            // Lists are names; what could not be listed is told aside.
            let broken = results.iter().filter_map(|it| Some((&it.file, it.broken.as_ref()?)));
            broken.for_each(|(file, words)| eprintln!("error: {file}: {words}"));
            return;
        }
        let counts = Counts::of(results.iter());
        print(&match self.options.format {
            Format::Human => human::end(results, counts, self.options),
            Format::Json => {
                let line = json!({
                    "files": results.len(), "tests": counts.all, "passed": counts.passed(), "failed": counts.failed,
                    "skipped": counts.skipped, "broken": counts.broken, "seed": self.options.host.choice.seed,
                });
                format!("{line}\n")
            }
            Format::Junit => junit::page(results, counts),
            Format::Tap => tap::page(results, counts),
        });
    }
}

/// A reader that went away is no reason to fail differently.
fn print(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).ok();
}

fn listed(result: &FileResult, format: Format) -> String {
    match format {
        Format::Json => json_lines(result),
        _ => result.cases.iter().map(|case| format!("{}: {}\n", result.file, case.full_name())).collect(),
    }
}

fn json_lines(result: &FileResult) -> String {
    let cases = result.cases.iter().map(|case| {
        let mut value = case.to_json();
        value["file"] = json!(result.file);
        value
    });
    let broken = result.broken.iter().map(|words| json!({ "file": result.file, "broken": words }));
    cases.chain(broken).map(|it| format!("{it}\n")).collect()
}
