//! Whole processes, from source text to the line printed, with everything in the file cache and what the compilers
//! themselves keep.

use std::process::Command;
use std::time::Instant;

use super::languages::Language;
use super::measure::median;
use super::report::{Report, Table, number};
use super::{Bench, quiet};

impl Bench {
    /// `hello` by the languages that run source texts.
    pub(crate) fn hello(&self, report: &mut Report) -> bool {
        if !self.options.wants("hello") {
            return true;
        }
        let mut peers = self.runners();
        let mut times = vec![Vec::new(); peers.len()];
        for _ in 0..=self.options.rounds {
            for (times, (_, command)) in times.iter_mut().zip(&mut peers) {
                let start = Instant::now();
                let Some(output) = quiet(command) else { return false };
                if output.stdout != b"Hello, world!\n" {
                    eprintln!("{command:?} prints something else");
                    return false;
                }
                times.push(start.elapsed().as_secs_f64() * 1000.0);
            }
        }
        let mut table = Table::new("hello, whole process", ["ms", "times `quartz run`"].into_iter());
        let first = median(&times[0]);
        for ((name, _), times) in peers.iter().zip(&times) {
            let ms = median(times);
            table.row(&format!("`{name}`"), [number(Some(ms), 1), number(Some(ms / first), 1)].into_iter());
        }
        report.add("hello", &table);
        true
    }

    fn runners(&self) -> Vec<(&'static str, Command)> {
        let runners = [
            (Language::QuartzRun, "quartz run", ""),
            (Language::QuartzRun, "quartz run --no-cache", "--no-cache"),
            (Language::Go, "go run", ""),
            (Language::Crystal, "crystal run", ""),
        ];
        let start = |(language, name, flag): (Language, &'static str, &str)| {
            let mut command = self.languages.compiler(language)?;
            command
                .arg("run")
                .args(Some(flag).filter(|it| !it.is_empty()))
                .arg(self.source("hello", language.file()));
            Some((name, command))
        };
        runners.into_iter().filter_map(start).collect()
    }
}
