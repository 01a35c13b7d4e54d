//! Whether a program does what its file says: its output, exit status, and that nothing is left over. And where
//! such files are.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::text::{Directive, difference, lines_of, output};

/// Runs a program and compares what it does with what its directives say.
pub(crate) fn judge(mut command: Command, directives: &[Directive]) -> Result<(), String> {
    for line in lines_of(directives, "args") {
        command.args(line.split_whitespace());
    }
    let stdin = lines_of(directives, "stdin");
    let stdin = (!stdin.is_empty()).then(|| stdin.join("\n") + "\n");
    let found = output(&mut command, stdin.as_deref());
    let stderr = String::from_utf8_lossy(&found.stderr).into_owned();
    let status = found.status.code();
    let wanted: i32 = match lines_of(directives, "exit").first() {
        Some(text) => text.trim().parse().map_err(|_| format!("`#~ exit: {text}` is not a number"))?,
        None => 0,
    };
    if status != Some(wanted) {
        let stdout = String::from_utf8_lossy(&found.stdout);
        return Err(format!(
            "exit status {status:?}, expected {wanted}\nstdout:\n{stdout}\nstderr:\n{stderr}"
        ));
    }
    let expected = lines_of(directives, "stdout");
    let expected = if expected.is_empty() { String::new() } else { expected.join("\n") + "\n" };
    let stdout = String::from_utf8_lossy(&found.stdout).into_owned();
    if stdout != expected {
        return Err(difference("standard output", &expected, &stdout));
    }
    for part in lines_of(directives, "stderr") {
        if !stderr.contains(&part) {
            return Err(format!("standard error lacks {part:?}:\n{stderr}"));
        }
    }
    if stderr.contains("leaked:") {
        return Err(format!("objects are left over:\n{stderr}"));
    }
    Ok(())
}

/// Options for the compiler: `#~ flags:`.
pub(crate) fn flags(directives: &[Directive]) -> Vec<String> {
    let lines = lines_of(directives, "flags");
    lines.iter().flat_map(|line| line.split_whitespace().map(str::to_owned)).collect()
}

/// What a program needs (`#~ needs: zlib.h`) and this machine has not: C headers, which come with their libraries.
pub(crate) fn missing(directives: &[Directive]) -> Option<String> {
    const FOLDERS: [&str; 4] = [
        "/usr/include",
        "/usr/local/include",
        "/usr/include/x86_64-linux-gnu",
        "/usr/include/aarch64-linux-gnu",
    ];
    let is_there = |header: &str| FOLDERS.iter().any(|folder| Path::new(folder).join(header).is_file());
    let mut needed = lines_of(directives, "needs").into_iter();
    needed.find(|list| !list.split_whitespace().all(is_there))
}

/// All programs below a folder, in order; modules that others import lie in folders called `modules`.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|it| it != "modules" && it != "data") {
            collect(&path, files);
        } else if path.extension().is_some_and(|it| it == "qz") {
            files.push(path);
        }
    }
}
