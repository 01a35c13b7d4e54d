//! `types/` and `parse/`: a stage as text, in a block at the end of the file.
//!
//! ```text
//! #~ dump
//! # ...
//! #~ end
//! ```

use std::path::Path;

use super::text::{blessing, difference, output, quartz};

const OPEN: &str = "#~ dump";
const CLOSE: &str = "#~ end";

pub(crate) fn types(file: &Path) -> Result<(), String> {
    dump(file, "types")
}

pub(crate) fn parse(file: &Path) -> Result<(), String> {
    dump(file, "tree")
}

fn dump(file: &Path, stage: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let (source, expected) = match text.split_once(&format!("{OPEN}\n")) {
        Some((source, rest)) => (source, rest.split_once(CLOSE).map_or(rest, |it| it.0)),
        None => (text.as_str(), ""),
    };
    let mut command = quartz();
    command.args(["run", "--color=never", "--emit", stage, "-"]);
    let found = output(&mut command, Some(source));
    if !found.status.success() {
        return Err(format!("{:?}\n{}", found.status, String::from_utf8_lossy(&found.stderr)));
    }
    let shown: String = String::from_utf8_lossy(&found.stdout)
        .lines()
        .map(|line| if line.is_empty() { "#\n".to_owned() } else { format!("# {line}\n") })
        .collect();
    if shown == expected {
        return Ok(());
    }
    if blessing() {
        let source = source.trim_end();
        return std::fs::write(file, format!("{source}\n\n{OPEN}\n{shown}{CLOSE}\n"))
            .map_err(|error| error.to_string());
    }
    Err(difference("the dump", expected, &shown))
}
