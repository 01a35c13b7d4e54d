//! `check/`: every problem of a file stands as carets below its line, with code and message.
//!
//! ```text
//! area(3)
//! #   ^^^ QZ0200: expected 2 arguments, found 1
//! ```
//!
//! Carets show the place up to the end of its first line. A place that starts in the first column, where the
//! `#` itself stands, is written `#<- QZ0200: …`. Several files: `#~ file: name.qz` starts the next one.
//!
//! After a line `#~ with help`, lines `#= …` below the carets are the help, and `#= … => "text"` what a fix writes;
//! after `#~ with notes`, lines `#= note: …` are the notes.

use std::path::Path;

use super::text::{blessing, difference, output, quartz, scratch};

/// A file of a test, without its markers.
struct Part {
    name: String,
    lines: Vec<String>,
    /// Markers, each with the number of the line above it (from 0).
    marks: Vec<(usize, String)>,
}

pub(crate) fn run(file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let own_name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
    let mut parts = split(&text, &own_name);
    let folder = scratch(&file.display().to_string());
    for part in &parts {
        let path = folder.join(&part.name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| error.to_string())?;
        }
        std::fs::write(path, part.lines.join("\n") + "\n").map_err(|error| error.to_string())?;
    }
    let root = parts.last().expect("at least the file itself").name.clone();
    let mut command = quartz();
    command.current_dir(&folder).args(["check", "--message-format=json"]).arg(root);
    let found = output(&mut command, None);
    std::fs::remove_dir_all(&folder).ok();
    let stderr = String::from_utf8_lossy(&found.stderr).into_owned();
    if !matches!(found.status.code(), Some(0 | 1)) {
        return Err(format!("exit status {:?}\n{stderr}", found.status.code()));
    }
    let marks = marks(&stderr, &parts)?;
    let expected = join(&parts);
    for (part, marks) in parts.iter_mut().zip(marks) {
        part.marks = marks;
    }
    let now = join(&parts);
    if now == expected {
        return Ok(());
    }
    if blessing() {
        return std::fs::write(file, now).map_err(|error| error.to_string());
    }
    Err(difference("what is reported", &expected, &now))
}

fn is_mark(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('#') else { return false };
    if rest.starts_with("= ") {
        return true;
    }
    let rest = rest.trim_start_matches(' ');
    let rest = match rest.strip_prefix("<-") {
        Some(rest) => rest,
        None if rest.starts_with('^') => rest.trim_start_matches('^'),
        None => return false,
    };
    rest.trim_start().starts_with("QZ")
}

fn split(text: &str, own_name: &str) -> Vec<Part> {
    let new = |name: &str| Part { name: name.to_owned(), lines: Vec::new(), marks: Vec::new() };
    let mut parts: Vec<Part> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("#~ file: ") {
            parts.push(new(name));
            continue;
        }
        if parts.is_empty() {
            parts.push(new(own_name));
        }
        let part = parts.last_mut().expect("just made sure");
        if is_mark(line) {
            part.marks.push((part.lines.len().saturating_sub(1), line.to_owned()));
        } else {
            part.lines.push(line.to_owned());
        }
    }
    // Comments before the first `#~ file:` are the test's own.
    if parts.len() > 1 && parts[0].name == own_name {
        let lead = parts.remove(0);
        parts[0].marks.splice(0..0, lead.lines.into_iter().map(|line| (usize::MAX, line)));
    }
    if parts.is_empty() {
        parts.push(new(own_name));
    }
    parts
}

fn join(parts: &[Part]) -> String {
    let mut out = String::new();
    let several = parts.len() > 1;
    for part in parts {
        for (_, line) in part.marks.iter().filter(|(at, _)| *at == usize::MAX) {
            out.push_str(line);
            out.push('\n');
        }
        if several {
            out.push_str(&format!("#~ file: {}\n", part.name));
        }
        for (n, line) in part.lines.iter().enumerate() {
            out.push_str(line);
            out.push('\n');
            for (_, mark) in part.marks.iter().filter(|(at, _)| *at == n) {
                out.push_str(mark);
                out.push('\n');
            }
        }
    }
    out
}

/// Reported problems as markers, by part.
fn marks(stderr: &str, parts: &[Part]) -> Result<Vec<Vec<(usize, String)>>, String> {
    let mut all: Vec<Vec<(usize, String)>> = parts
        .iter()
        .map(|part| part.marks.iter().filter(|(at, _)| *at == usize::MAX).cloned().collect())
        .collect();
    for line in stderr.lines() {
        let value: serde_json::Value =
            serde_json::from_str(line).map_err(|error| format!("not JSON ({error}): {line}"))?;
        let place = &value["place"];
        let number = |key: &str| place[key].as_u64().unwrap_or(1) as usize;
        let name = place["file"].as_str().unwrap_or("");
        let Some(at) = parts.iter().position(|part| part.name == name) else {
            return Err(format!("a problem in another file: {line}"));
        };
        let (first, column) = (number("line") - 1, number("column") - 1);
        let text = parts[at].lines.get(first).map_or("", String::as_str);
        let last =
            if number("end_line") - 1 == first { number("end_column") - 1 } else { text.chars().count() };
        let carets = "^".repeat(last.saturating_sub(column).max(1));
        let words =
            format!("{}: {}", value["code"].as_str().unwrap_or(""), value["message"].as_str().unwrap_or(""));
        let mark = match column {
            0 => format!("#<- {words}"),
            _ => format!("#{}{carets} {words}", " ".repeat(column - 1)),
        };
        all[at].push((first, mark));
        let asked = |for_what: &str| parts[at].lines.iter().any(|line| line == for_what);
        if asked("#~ with notes") {
            let notes = value["notes"].as_array().into_iter().flatten();
            all[at].extend(notes.map(|it| (first, format!("#= note: {}", it.as_str().unwrap_or("")))));
        }
        if asked("#~ with help") {
            all[at].extend(help(&value).into_iter().map(|line| (first, line)));
        }
    }
    Ok(all)
}

/// What a problem says to do.
fn help(problem: &serde_json::Value) -> Vec<String> {
    let help = problem["help"].as_array().into_iter().flatten();
    let mut lines: Vec<String> = help.map(|it| format!("#= {}", it.as_str().unwrap_or(""))).collect();
    if let (Some(words), Some(text)) =
        (problem["suggestion"]["message"].as_str(), problem["suggestion"]["replacement"].as_str())
    {
        lines.push(format!("#= {words} => {text:?}"));
    }
    lines
}

/// The standard library itself: no problem, no warning.
pub(crate) fn standard_library() -> Result<(), String> {
    let mut command = quartz();
    command.current_dir(std::env::temp_dir()).args(["check", "--color=never", "std"]);
    let found = output(&mut command, None);
    let stderr = String::from_utf8_lossy(&found.stderr);
    if found.status.success() && stderr.is_empty() { Ok(()) } else { Err(stderr.into_owned()) }
}
