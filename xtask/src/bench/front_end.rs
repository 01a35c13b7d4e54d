//! Parsing to types on generated projects: time and peak memory by size.

use std::process::Command;
use std::time::Instant;

use super::measure::{median, stage};
use super::report::{Report, Table, number};
use super::{Bench, lines, quiet};

impl Bench {
    /// `quartz check` on projects of growing size.
    pub(crate) fn front_end(&self, report: &mut Report) -> bool {
        if !self.options.wants("lines") {
            return true;
        }
        let mut table =
            Table::new("lines", ["`quartz check`, ms", "lines a second", "peak bytes a line"].into_iter());
        for size in [10_000, 50_000, 200_000, 400_000] {
            let Some((lines, ms, megabytes)) = self.check(size) else { return false };
            let count = lines as f64;
            let numbers = [ms, count / ms * 1000.0, megabytes * 1e6 / count];
            table.row(&lines.to_string(), numbers.into_iter().map(|it| number(Some(it), 0)));
        }
        report.add("lines", &table);
        true
    }

    /// How many lines a project came to have, how many milliseconds and megabytes checking takes.
    fn check(&self, size: usize) -> Option<(usize, f64, f64)> {
        let folder = self.out.join(format!("lines_{size}"));
        let lines = match lines::write_project(&folder, size) {
            Ok(lines) => lines,
            Err(error) => {
                eprintln!("{}: {error}", folder.display());
                return None;
            }
        };
        let (mut times, mut peaks) = (Vec::new(), Vec::new());
        for _ in 0..self.options.rounds {
            let mut check = Command::new(&self.quartz);
            check.args(["check", "--no-cache", "--timings"]).arg(folder.join("main.qz"));
            let start = Instant::now();
            let output = quiet(&mut check)?;
            times.push(start.elapsed().as_secs_f64() * 1000.0);
            peaks.push(stage(&String::from_utf8_lossy(&output.stderr), "peak").unwrap_or(f64::NAN));
        }
        Some((lines, median(&times), median(&peaks)))
    }
}
