//! Results as JUnit's XML, which build servers read.

use std::fmt::Write;

use super::Counts;
use crate::result::{Case, FileResult, Status};

pub(super) fn page(results: &[FileResult], counts: Counts) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let errors = counts.broken;
    write_line(
        &mut out,
        format_args!(
            "<testsuites tests=\"{}\" failures=\"{}\" errors=\"{errors}\" skipped=\"{}\">",
            counts.all, counts.failed, counts.skipped
        ),
    );
    for result in results.iter().filter(|it| !it.cases.is_empty() || it.broken.is_some()) {
        suite(result, &mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

fn write_line(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("a string takes everything");
}

fn suite(result: &FileResult, out: &mut String) {
    let counts = Counts::of(std::iter::once(result));
    write_line(
        out,
        format_args!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3}\">",
            escaped(&result.file),
            counts.all,
            counts.failed,
            counts.broken,
            counts.skipped,
            result.time.as_secs_f64()
        ),
    );
    for case in &result.cases {
        test_case(case, &result.file, out);
    }
    if let Some(words) = &result.broken {
        write_line(
            out,
            format_args!(
                "    <testcase name=\"the file\" classname=\"{}\"><error>{}</error></testcase>",
                escaped(&result.file),
                escaped(words)
            ),
        );
    }
    out.push_str("  </testsuite>\n");
}

fn test_case(case: &Case, file: &str, out: &mut String) {
    let head = format!(
        "    <testcase name=\"{}\" classname=\"{}\" time=\"{:.6}\"",
        escaped(&case.full_name()),
        escaped(file),
        case.time.as_secs_f64()
    );
    let mut parts = String::new();
    let message = escaped(&case.message);
    match case.status {
        Status::Failed => {
            let first = message.lines().next().unwrap_or("");
            let text = format!("at {}\n{message}\n{}", escaped(&case.place), escaped(&case.trace));
            write_line(
                &mut parts,
                format_args!("      <failure message=\"{first}\">{}</failure>", text.trim_end()),
            );
        }
        Status::Skipped => write_line(&mut parts, format_args!("      <skipped message=\"{message}\"/>")),
        Status::Passed | Status::Listed => {}
    }
    for (name, text) in [("system-out", &case.stdout), ("system-err", &case.stderr)] {
        if !text.is_empty() && case.status == Status::Failed {
            write_line(&mut parts, format_args!("      <{name}>{}</{name}>", escaped(text)));
        }
    }
    if parts.is_empty() {
        write_line(out, format_args!("{head}/>"));
    } else {
        write_line(out, format_args!("{head}>\n{parts}    </testcase>"));
    }
}

/// Text for XML; characters that XML cannot hold become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
