//! What debuggers show: each program of `tests/debug/` is built with `-g` by both engines and driven by gdb.
//!
//! `#~ gdb:` lines are its commands, `#~ says:` lines what it prints in this order; `@name` stands for the line that
//! ends in `# @name`. `#~ ways:` names options of `quartz build` to use instead of `-g` and `-g --opt=0`. Without gdb
//! this is skipped, and says so.

mod filetests {
    #[allow(dead_code, reason = "shared with tests that use more of it")]
    pub(crate) mod text;
}

use std::path::{Path, PathBuf};
use std::process::Command;

use filetests::text::{directives, lines_of, output, quartz, scratch};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let top =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project's folder");
    if Command::new("gdb").arg("--version").output().is_err() {
        eprintln!("debug information is not tested: gdb is missing");
        return;
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(top.join("tests/debug"))
        .expect("the tests are there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|it| it == "qz"))
        .collect();
    files.sort();
    let trial = |file: PathBuf| {
        let name = file.strip_prefix(&top).expect("below the top").display().to_string();
        let top = top.clone();
        Trial::test(name, move || drive(&top, &file).map_err(Failed::from))
    };
    libtest_mimic::run(&arguments, files.into_iter().map(trial).collect()).exit();
}

fn drive(top: &Path, file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let directives = directives(&text);
    let mut ways = lines_of(&directives, "ways");
    if ways.is_empty() {
        ways = vec![String::new(), "--opt=0".into()];
    }
    let folder = file.parent().expect("a file lies in a folder");
    let scratch = scratch(&format!("debug-{}", file.display()));
    let result = ways.iter().try_for_each(|way| {
        let program = scratch.join("program");
        let mut build = quartz();
        build.current_dir(folder).args(["build", "-g", "--color=never"]).args(way.split_whitespace());
        build.arg(file.file_name().expect("it has a name")).arg("-o").arg(&program);
        let built = output(&mut build, None);
        let words = String::from_utf8_lossy(&built.stderr);
        if words.contains("QZ9005") {
            eprintln!("`-g {way}` is not tested: clang is missing");
            return Ok(());
        }
        if !built.status.success() {
            return Err(format!("`-g {way}` cannot be built:\n{words}"));
        }
        let mut gdb = Command::new("gdb");
        gdb.current_dir(folder).args(["-q", "-nx", "-batch", "-ex", "set width 0", "-ex", "set height 0"]);
        // What the program is called and where it lies differs from machine to machine.
        gdb.args(["-ex", "set style enabled off"]).arg("-x").arg(top.join("editors/gdb/quartz.py"));
        for command in lines_of(&directives, "gdb") {
            gdb.args(["-ex", &placed(&command, &text)]);
        }
        let said = output(gdb.arg(&program), None);
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        in_order(&said, &lines_of(&directives, "says")).map_err(|words| format!("`-g {way}`: {words}"))
    });
    std::fs::remove_dir_all(&scratch).ok();
    result
}

/// The command with the number of a line for its name.
fn placed(command: &str, text: &str) -> String {
    let Some((before, rest)) = command.split_once('@') else { return command.to_owned() };
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
    let mark = format!("# @{name}");
    let line = text.lines().position(|line| line.trim_end().ends_with(&mark) && !line.starts_with("#~"));
    let line = line.map_or("?".into(), |at| (at + 1).to_string());
    format!("{before}{line}{}", &rest[name.len()..])
}

fn in_order(said: &str, wanted: &[String]) -> Result<(), String> {
    let mut rest = said;
    for words in wanted {
        match rest.find(words.as_str()) {
            Some(at) => rest = &rest[at + words.len()..],
            None => return Err(format!("gdb does not say `{words}` in its turn:\n{said}")),
        }
    }
    Ok(())
}
