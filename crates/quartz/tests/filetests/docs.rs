//! Code in the documentation: every `quartz` block of a page is a program that runs and ends well.

use std::path::Path;

use super::text::{output, quartz};

pub(crate) fn run(file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    for (line, block) in blocks(&text) {
        let mut command = quartz();
        command.args(["run", "--color=never", "--leaks", "-"]);
        let found = output(&mut command, Some(&block));
        if !found.status.success() {
            let stderr = String::from_utf8_lossy(&found.stderr);
            return Err(format!("the block at line {line} ends with {:?}:\n{stderr}", found.status.code()));
        }
    }
    Ok(())
}

/// Examples in a module's doc comments. Those without a `main` are its body, and what a line says behind `#`
/// after `puts` is what it prints.
pub(crate) fn module(file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let comments: Vec<&str> = text
        .lines()
        .map(|line| {
            let line = line.trim_start();
            let rest = line.strip_prefix("##!").or_else(|| line.strip_prefix("##"));
            rest.map_or("", |rest| rest.strip_prefix(' ').unwrap_or(rest))
        })
        .collect();
    for (line, block) in blocks(&comments.join("\n")) {
        let program = if block.contains("def main") {
            block.clone()
        } else {
            let body: String = block.lines().map(|line| format!("  {line}\n")).collect();
            format!("def main\n{body}end\n")
        };
        let mut command = quartz();
        command.args(["run", "--color=never", "--leaks", "-"]);
        let found = output(&mut command, Some(&program));
        let stdout = String::from_utf8_lossy(&found.stdout);
        let printed: Vec<&str> = stdout.lines().map(str::trim).collect();
        let promised = block.lines().filter_map(promise);
        if !found.status.success() {
            let stderr = String::from_utf8_lossy(&found.stderr);
            return Err(format!("the example at line {line} ends with {:?}:\n{stderr}", found.status.code()));
        }
        for promise in promised {
            if !printed.contains(&promise) {
                return Err(format!("the example at line {line} does not print {promise:?}:\n{stdout}"));
            }
        }
    }
    Ok(())
}

/// `text` of `puts(…)     # text`.
fn promise(line: &str) -> Option<&str> {
    let code = line.trim_start();
    if !code.starts_with("puts(") && !code.starts_with("print(") {
        return None;
    }
    Some(code.rsplit_once(")  ")?.1.trim_start().strip_prefix('#')?.trim())
}

/// Blocks fenced as `quartz`, or `ruby` where a page is shown by tools that do not know Quartz.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (n, line) in text.lines().enumerate() {
        match &mut open {
            None if matches!(line, "```quartz" | "```ruby") => open = Some((n + 2, String::new())),
            None => {}
            Some(_) if line == "```" => found.extend(open.take()),
            Some((_, block)) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    found
}
