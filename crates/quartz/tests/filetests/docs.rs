//! Code in the documentation: every `quartz` block of a page is a program that runs and ends well, every
//! `quartz-error QZ0200` block one whose only problems have that code.

use std::path::Path;

use qz_spec::Example;

use super::text::{output, quartz};

pub(crate) fn run(file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    for (line, code, block) in fenced(&text, "```quartz-error ") {
        gives_only(&code, &block).map_err(|error| format!("the block at line {line} {error}"))?;
    }
    for Example { line, program, .. } in qz_spec::examples_of_page(&text) {
        let mut command = quartz();
        command.args(["run", "--color=never", "--leaks", "-"]);
        let found = output(&mut command, Some(&program));
        if !found.status.success() {
            let stderr = String::from_utf8_lossy(&found.stderr);
            return Err(format!("the block at line {line} ends with {:?}:\n{stderr}", found.status.code()));
        }
    }
    Ok(())
}

/// Whether checking a program gives this code and no other.
fn gives_only(code: &str, program: &str) -> Result<(), String> {
    let mut command = quartz();
    command.args(["run", "--stop-after=check", "--message-format=json", "-"]);
    let found = output(&mut command, Some(program));
    let stderr = String::from_utf8_lossy(&found.stderr);
    let mut codes: Vec<String> = Vec::new();
    for line in stderr.lines() {
        let value: serde_json::Value =
            serde_json::from_str(line).map_err(|_| format!("is answered by:\n{line}"))?;
        codes.push(value["code"].as_str().unwrap_or("").to_owned());
    }
    if !codes.is_empty() && codes.iter().all(|it| it == code) {
        return Ok(());
    }
    Err(format!("should give {code} and gives {codes:?}:\n{stderr}"))
}

/// Every code has a page, `quartz explain` prints it, its title is the registry's, and it shows a program that
/// gives the code, unless it says that none does.
pub(crate) fn error_pages(folder: &Path) -> Result<(), String> {
    let mut titles: Vec<(String, &str)> = Vec::new();
    titles.extend(qz_diag::codes::ALL.iter().map(|(code, _, title)| (code.to_string(), *title)));
    titles.extend(qz_syntax::SYNTAX_CODES.iter().map(|(code, title)| (format!("QZ{code:04}"), *title)));
    for (code, title) in &titles {
        let path = folder.join(format!("{code}.md"));
        let page = std::fs::read_to_string(&path).map_err(|_| format!("{code} has no page"))?;
        if page.lines().next() != Some(&format!("# {code}: {title}")) {
            return Err(format!("the page of {code} does not start with its title, {title:?}"));
        }
        let shown = fenced(&page, "```quartz-error ").iter().any(|(_, shown, _)| shown == code);
        if !shown && !page.contains("\nReserved") && !page.contains("\nNo example stands here.") {
            return Err(format!("the page of {code} shows no program that gives it"));
        }
        let found = output(quartz().args(["explain", code]), None);
        if String::from_utf8_lossy(&found.stdout).trim() != page.trim() {
            return Err(format!("`quartz explain {code}` does not print the page"));
        }
    }
    for entry in std::fs::read_dir(folder).map_err(|error| error.to_string())?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !titles.iter().any(|(code, _)| name == format!("{code}.md")) {
            return Err(format!("{name} is the page of no code"));
        }
    }
    Ok(())
}

/// Examples in a module's doc comments.
pub(crate) fn module(file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    for Example { line, program, promises } in qz_spec::examples_of_module(&text) {
        let mut command = quartz();
        command.args(["run", "--color=never", "--leaks", "-"]);
        let found = output(&mut command, Some(&program));
        let stdout = String::from_utf8_lossy(&found.stdout);
        let printed: Vec<&str> = stdout.lines().map(str::trim).collect();
        if !found.status.success() {
            let stderr = String::from_utf8_lossy(&found.stderr);
            return Err(format!("the example at line {line} ends with {:?}:\n{stderr}", found.status.code()));
        }
        for promise in promises {
            if !printed.contains(&promise.as_str()) {
                return Err(format!("the example at line {line} does not print {promise:?}:\n{stdout}"));
            }
        }
    }
    Ok(())
}

/// Blocks whose fence starts like this: their line, what follows on the fence, their text.
fn fenced(text: &str, fence: &str) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String, String)> = None;
    for (n, line) in text.lines().enumerate() {
        match &mut open {
            None => {
                open = line.strip_prefix(fence).map(|rest| (n + 2, rest.trim().to_owned(), String::new()))
            }
            Some(_) if line == "```" => found.extend(open.take()),
            Some((.., block)) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    found
}
