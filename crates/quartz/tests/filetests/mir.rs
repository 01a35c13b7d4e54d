//! `mir/` and `opt/`: what the middle form of a function holds, before and after optimisation.
//!
//! ```text
//! #~ fn: pick
//! #~ has: branch
//! #~ lacks: call
//! #~ count: retain 1
//! ```
//!
//! `flags` are for the command. `has`, `lacks` and `count` (a text and how many lines hold it) are about the function named last.

use std::path::Path;

use super::text::{directives, output, quartz};

pub(crate) fn mir(file: &Path) -> Result<(), String> {
    run(file, "mir")
}

pub(crate) fn opt(file: &Path) -> Result<(), String> {
    run(file, "mir-opt")
}

fn run(file: &Path, stage: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let mut command = quartz();
    let folder = file.parent().expect("a file lies in a folder");
    let name = file.file_name().expect("a file has a name");
    command.current_dir(folder).args(["run", "--color=never", "--verify", "--emit", stage]).arg(name);
    let flags = directives(&text).into_iter().filter(|it| it.name == "flags");
    for it in flags {
        command.args(it.value.split_whitespace());
    }
    let found = output(&mut command, None);
    if !found.status.success() {
        return Err(format!("{:?}\n{}", found.status, String::from_utf8_lossy(&found.stderr)));
    }
    let dump = String::from_utf8_lossy(&found.stdout).into_owned();
    let mut function = String::new();
    let mut asked = 0;
    for it in directives(&text) {
        if it.name == "flags" {
            continue;
        }
        if it.name == "fn" {
            function = body_of(&dump, it.value.trim())
                .ok_or_else(|| format!("there is no `{}` in the dump:\n{dump}", it.value))?;
            continue;
        }
        let lines_with = |wanted: &str| function.lines().skip(1).filter(|line| line.contains(wanted)).count();
        let holds = match it.name.as_str() {
            "has" => lines_with(&it.value) > 0,
            "lacks" => lines_with(&it.value) == 0,
            "count" => {
                let (wanted, n) = it.value.rsplit_once(' ').ok_or("`count` needs a text and a number")?;
                let n: usize = n.parse().map_err(|_| format!("`{n}` is not a number"))?;
                lines_with(wanted) == n
            }
            other => return Err(format!("there is no directive `{other}` here")),
        };
        asked += 1;
        if !holds {
            return Err(format!("`{}: {}` does not hold in\n{function}", it.name, it.value));
        }
    }
    if asked > 0 { Ok(()) } else { Err("the file asks nothing".to_owned()) }
}

/// The text of the first function whose path ends with this name.
fn body_of(dump: &str, name: &str) -> Option<String> {
    let header = |line: &str| {
        let path = line.strip_prefix("fn ")?.split(['(', '<']).next()?;
        let own = path.rsplit_once(" for ").map_or(path, |it| it.0);
        own.split("::").last().is_some_and(|last| last.split('.').any(|part| part == name)).then_some(())
    };
    let mut lines = dump.lines().skip_while(|line| header(line).is_none());
    let mut body = lines.next()?.to_owned();
    for line in lines {
        body.push('\n');
        body.push_str(line);
        if line == "}" {
            break;
        }
    }
    Some(body)
}
