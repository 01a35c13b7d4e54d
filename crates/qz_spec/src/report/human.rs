//! Results for people: a line a file, then what failed, then how much.

use std::fmt::Write;
use std::time::Duration;

use super::Counts;
use crate::result::{Case, FileResult, Status};
use crate::runner::Options;

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
/// How many tests `--times` tells of.
const SLOWEST: usize = 10;
/// More of what a test printed is left out.
const MOST_LINES: usize = 40;

fn paint(text: &str, color: &str, colored: bool) -> String {
    if colored { format!("\x1b[{color}m{text}\x1b[0m") } else { text.to_owned() }
}

fn many(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

pub(super) fn file(result: &FileResult, colored: bool) -> String {
    if result.cases.is_empty() && result.broken.is_none() {
        return String::new();
    }
    let counts = Counts::of(std::iter::once(result));
    let mark = if result.ok() { paint("✓", GREEN, colored) } else { paint("✗", RED, colored) };
    let mut line = format!("{mark} {}  {}", result.file, many(counts.all, "test"));
    for (n, what) in [(counts.failed, "failed"), (counts.skipped, "skipped")] {
        if n > 0 {
            write!(line, ", {n} {what}").expect("a string takes everything");
        }
    }
    if result.broken.is_some() {
        line.push_str(", broken");
    }
    line.push('\n');
    line
}

pub(super) fn end(results: &[FileResult], counts: Counts, options: &Options) -> String {
    let mut out = String::new();
    let mut number = 0;
    for result in results {
        for case in result.cases.iter().filter(|it| it.status == Status::Failed) {
            number += 1;
            failure(number, &result.file, case, options.colored, &mut out);
        }
        if let Some(words) = &result.broken {
            number += 1;
            let title = paint(&format!("{number}) {}", result.file), RED, options.colored);
            writeln!(out, "\n{title}\n{}", indented(words, "   ")).expect("a string takes everything");
        }
    }
    if options.times {
        slowest(results, &mut out);
    }
    summary(results, counts, options, &mut out);
    out
}

fn failure(number: usize, file: &str, case: &Case, colored: bool, out: &mut String) {
    let title = paint(&format!("{number}) {}", case.full_name()), RED, colored);
    let place = if case.place.is_empty() { file } else { &case.place };
    let mut text = format!("\n{title}\n   at {place}\n{}\n", indented(&case.message, "   "));
    if !case.trace.is_empty() {
        text.push_str(&indented(&case.trace, " "));
        text.push('\n');
    }
    for (name, printed) in [("standard output", &case.stdout), ("standard error", &case.stderr)] {
        if !printed.trim().is_empty() {
            let lines: Vec<&str> = printed.trim_end().lines().collect();
            let kept = &lines[lines.len().saturating_sub(MOST_LINES)..];
            let cut = if kept.len() < lines.len() { " (the end)" } else { "" };
            write!(text, "   {name}{cut}:\n{}\n", indented(&kept.join("\n"), "   | "))
                .expect("a string takes everything");
        }
    }
    out.push_str(&text);
}

fn indented(text: &str, space: &str) -> String {
    let lines =
        text.lines().map(|line| if line.is_empty() { String::new() } else { format!("{space}{line}") });
    lines.collect::<Vec<_>>().join("\n")
}

fn slowest(results: &[FileResult], out: &mut String) {
    let mut cases: Vec<(Duration, &str, &Case)> = results
        .iter()
        .flat_map(|result| result.cases.iter().map(|case| (case.time, result.file.as_str(), case)))
        .collect();
    cases.sort_by_key(|it| std::cmp::Reverse(it.0));
    out.push_str("\nslowest tests:\n");
    for (time, file, case) in cases.iter().take(SLOWEST) {
        writeln!(out, "  {:>9.1} ms  {}  ({file})", time.as_secs_f64() * 1e3, case.full_name())
            .expect("a string takes everything");
    }
}

fn summary(results: &[FileResult], counts: Counts, options: &Options, out: &mut String) {
    let files = results.iter().filter(|it| !it.cases.is_empty() || it.broken.is_some()).count();
    let mut parts = vec![paint(&format!("{} passed", counts.passed()), GREEN, options.colored)];
    let others = [
        (counts.failed, format!("{} failed", counts.failed), RED),
        (counts.skipped, format!("{} skipped", counts.skipped), YELLOW),
        (counts.broken, format!("{} broken", many(counts.broken, "file")), RED),
    ];
    parts.extend(others.iter().filter(|it| it.0 > 0).map(|it| paint(&it.1, it.2, options.colored)));
    let all = format!("{} in {}", many(counts.all, "test"), many(files, "file"));
    writeln!(out, "\n{all}: {}", parts.join(", ")).expect("a string takes everything");
    writeln!(out, "order: --seed={}", options.host.choice.seed).expect("a string takes everything");
}
