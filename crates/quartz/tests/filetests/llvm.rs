//! `llvm/`: the exact LLVM IR of functions, for what other code relies on: the convention of calls, the flag of
//! panics, counts, alias information.
//!
//! ```text
//! #~ llvm: pick
//! # define internal fastcc i64 @qz.a.pick.0123456789abcdef(…
//! #~ end
//! ```
//!
//! `QUARTZ_BLESS=1` rewrites the blocks.

use std::path::{Path, PathBuf};

use super::text::{blessing, difference, output, quartz};

/// All cases below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|it| it.path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "qz"));
    files.sort();
    files
}

pub(crate) fn run(file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let folder = file.parent().expect("a file lies in a folder");
    let name = file.file_name().expect("a file has a name");
    let print = || output(quartz().current_dir(folder).arg(name), None);
    let found = print();
    if !found.status.success() {
        return Err(format!("{:?}\n{}", found.status, String::from_utf8_lossy(&found.stderr)));
    }
    if print().stdout != found.stdout {
        return Err("the same program gives other bytes the second time".into());
    }
    let ir = String::from_utf8_lossy(&found.stdout);
    let wanted = rewritten(&text, &ir)?;
    if wanted == text {
        return Ok(());
    }
    if blessing() {
        return std::fs::write(file, wanted).map_err(|error| error.to_string());
    }
    Err(difference("the text of a function", &text, &wanted))
}

/// The file with every block as it is now.
fn rewritten(text: &str, ir: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut lines = text.lines();
    let mut asked = false;
    while let Some(line) = lines.next() {
        out = out + line + "\n";
        let Some(name) = line.strip_prefix("#~ llvm: ") else { continue };
        asked = true;
        for line in function(ir, name.trim()).ok_or_else(|| format!("there is no `{name}` in\n{ir}"))? {
            out = out + "# " + line + "\n";
        }
        lines.by_ref().find(|line| *line == "#~ end").ok_or("a block has no `#~ end`")?;
        out.push_str("#~ end\n");
    }
    if asked { Ok(out) } else { Err("the file asks nothing".into()) }
}

/// The lines of the function of this name, or of the definitions that start with it where it starts with `@`
/// or `!`.
fn function<'a>(ir: &'a str, name: &str) -> Option<Vec<&'a str>> {
    if name.starts_with(['@', '!']) {
        let lines: Vec<&str> = ir.lines().filter(|line| line.starts_with(name)).collect();
        return (!lines.is_empty()).then_some(lines);
    }
    let is_it = |line: &str| {
        let symbol = line.strip_prefix("define ").and_then(|rest| rest.split_once('@'));
        let symbol = symbol.and_then(|(_, rest)| rest.split_once('(')).map_or("", |it| it.0);
        symbol == name || symbol.rsplit_once('.').is_some_and(|(path, _)| path.ends_with(&format!(".{name}")))
    };
    let mut lines = ir.lines().skip_while(|line| !is_it(line));
    let mut body = vec![lines.next()?];
    for line in lines {
        body.push(line);
        if line == "}" {
            return Some(body);
        }
    }
    None
}
