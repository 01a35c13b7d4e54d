//! `run/`: what a program prints, its exit status, and that nothing is left over, on every engine.

use std::path::Path;

use super::text::{Directive, difference, directives, lines_of, output, quartz};

pub(crate) fn run(file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let directives = directives(&text);
    let engines = match lines_of(&directives, "engines").first() {
        Some(list) => list.split_whitespace().map(str::to_owned).collect(),
        None => vec!["cranelift".to_owned(), "interp".to_owned()],
    };
    for engine in engines {
        run_on(file, &engine, &directives).map_err(|error| format!("on {engine}: {error}"))?;
    }
    Ok(())
}

fn run_on(file: &Path, engine: &str, directives: &[Directive]) -> Result<(), String> {
    let folder = file.parent().expect("a file lies in a folder");
    let name = file.file_name().expect("a file has a name");
    let mut command = quartz();
    command.current_dir(folder).args(["run", "--color=never", "--leaks", "--engine", engine]).arg(name);
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
