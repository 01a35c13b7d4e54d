//! Results by the Test Anything Protocol, version 14.

use std::fmt::Write;

use super::Counts;
use crate::result::{Case, FileResult, Status};

pub(super) fn page(results: &[FileResult], counts: Counts) -> String {
    let mut out = format!("TAP version 14\n1..{}\n", counts.all + counts.broken);
    let mut number = 0;
    for result in results {
        for case in &result.cases {
            number += 1;
            line(number, &result.file, case, &mut out);
        }
        if let Some(words) = &result.broken {
            number += 1;
            writeln!(out, "not ok {number} - {}", escaped(&result.file)).expect("a string takes everything");
            details(&[("message", words)], &mut out);
        }
    }
    out
}

fn line(number: usize, file: &str, case: &Case, out: &mut String) {
    let name = escaped(&format!("{file}: {}", case.full_name()));
    let (mark, note) = match case.status {
        Status::Failed => ("not ok", String::new()),
        Status::Skipped => ("ok", format!(" # SKIP {}", escaped(&case.message))),
        Status::Passed | Status::Listed => ("ok", String::new()),
    };
    writeln!(out, "{mark} {number} - {name}{note}").expect("a string takes everything");
    if case.status == Status::Failed {
        details(&[("message", &case.message), ("at", &case.place)], out);
    }
}

/// A block of YAML: each value as a text of its own lines.
fn details(values: &[(&str, &str)], out: &mut String) {
    out.push_str("  ---\n");
    for (name, value) in values {
        writeln!(out, "  {name}: |").expect("a string takes everything");
        for line in value.lines() {
            writeln!(out, "    {line}").expect("a string takes everything");
        }
    }
    out.push_str("  ...\n");
}

/// A name in which nothing looks like a directive.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('#', "\\#").replace('\n', " ")
}
