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
