//! `run/`: what a program prints, its exit status, and that nothing is left over, on every engine.

use std::path::Path;

use super::judge::{flags, judge, missing};
use super::text::{Directive, directives, lines_of, quartz};

pub(crate) fn run(file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let directives = directives(&text);
    if let Some(what) = missing(&directives) {
        eprintln!("not tested: {} needs {what}, which is not installed", file.display());
        return Ok(());
    }
    let engines = match lines_of(&directives, "engines").first() {
        Some(list) => list.split_whitespace().map(str::to_owned).collect(),
        None => vec!["cranelift".to_owned(), "unoptimised".to_owned(), "interp".to_owned()],
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
    let how: &[&str] = match engine {
        // Machine code with nothing left out.
        "unoptimised" => &["--unoptimised"],
        engine => &["--engine", engine],
    };
    command.current_dir(folder).args(["run", "--color=never", "--leaks"]).args(how);
    command.args(flags(directives)).arg(name);
    judge(command, directives)
}
