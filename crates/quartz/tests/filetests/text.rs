//! Reading and writing the markers in test files.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A directive `#~ name: value`, in order.
pub(crate) struct Directive {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// The directives of a file.
pub(crate) fn directives(text: &str) -> Vec<Directive> {
    text.lines()
        .filter_map(|line| line.strip_prefix("#~ ").or_else(|| (line == "#~").then_some("")))
        .filter_map(|rest| {
            let (name, value) = rest.split_once(':').unwrap_or((rest, ""));
            let known = name.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !name.is_empty();
            known.then(|| Directive {
                name: name.to_owned(),
                value: value.strip_prefix(' ').unwrap_or(value).to_owned(),
            })
        })
        .collect()
}

/// All values of one directive, as lines.
pub(crate) fn lines_of(directives: &[Directive], name: &str) -> Vec<String> {
    directives.iter().filter(|it| it.name == name).map(|it| it.value.clone()).collect()
}

pub(crate) fn blessing() -> bool {
    std::env::var_os("QUARTZ_BLESS").is_some()
}

/// The command under test.
pub(crate) fn quartz() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quartz"));
    command.env("QUARTZ_HASH_SEED", "7").env("QUARTZ_EXE", env!("CARGO_BIN_EXE_quartz")).stdin(Stdio::null());
    command
}

/// Runs a command with this standard input.
pub(crate) fn output(command: &mut Command, stdin: Option<&str>) -> Output {
    use std::io::Write;
    let Some(stdin) = stdin else { return command.output().expect("the command starts") };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut pipe = child.stdin.take().expect("piped");
    // A program may end before it has read everything.
    pipe.write_all(stdin.as_bytes()).ok();
    drop(pipe);
    child.wait_with_output().expect("the command ends")
}

/// A fresh folder for one test.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let name: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let folder = std::env::temp_dir().join(format!("quartz-filetests-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    folder
}

/// Two texts side by side, for a failed test.
pub(crate) fn difference(what: &str, expected: &str, found: &str) -> String {
    format!("{what} differs\n--- expected\n{expected}\n--- found\n{found}\n---")
}
