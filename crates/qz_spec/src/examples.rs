//! Which programs stand in documentation, and what do they promise to print?

/// A code block as a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The line of the page or module where it starts, from 1.
    pub line: usize,
    pub program: String,
    /// Lines that it prints, by what its comments say.
    pub promises: Vec<String>,
}

/// Every `quartz` block of a page. Where a page is shown by tools that do not know Quartz, `ruby` serves as well.
pub fn examples_of_page(text: &str) -> Vec<Example> {
    blocks(text).into_iter().map(|(line, program)| Example { line, program, promises: Vec::new() }).collect()
}

/// Every `quartz` block in a module's doc comments. One without a `main` is its body; what follows a `#` behind `puts(…)`
/// is a line that it prints.
pub fn examples_of_module(text: &str) -> Vec<Example> {
    let comments: Vec<&str> = text.lines().map(doc_comment).collect();
    let found = blocks(&comments.join("\n")).into_iter();
    found
        .map(|(line, block)| Example {
            line,
            promises: block.lines().filter_map(promise).map(str::to_owned).collect(),
            program: with_main(block),
        })
        .collect()
}

fn doc_comment(line: &str) -> &str {
    let line = line.trim_start();
    let rest = line.strip_prefix("##!").or_else(|| line.strip_prefix("##"));
    rest.map_or("", |rest| rest.strip_prefix(' ').unwrap_or(rest))
}

/// Imports stay at the top, the rest goes into `main`.
fn with_main(block: String) -> String {
    if block.contains("def main") {
        return block;
    }
    let is_import = |line: &&str| line.starts_with("import ");
    let imports: String = block.lines().filter(is_import).map(|line| format!("{line}\n")).collect();
    let body: String = block.lines().filter(|it| !is_import(it)).map(|line| format!("  {line}\n")).collect();
    format!("{imports}def main\n{body}end\n")
}

/// `text` of `puts(…)     # text`.
fn promise(line: &str) -> Option<&str> {
    let code = line.trim_start();
    if !code.starts_with("puts(") && !code.starts_with("print(") {
        return None;
    }
    Some(code.rsplit_once(")  ")?.1.trim_start().strip_prefix('#')?.trim())
}

/// Fenced blocks, each with the line after its fence.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_comments_become_programs() {
        let module =
            "## Adds.\n##\n## ```quartz\n## import std/math\n## puts(1 + 1)     # 2\n## ```\ndef f = 1\n";
        let program = "import std/math\ndef main\n  puts(1 + 1)     # 2\nend\n".to_owned();
        assert_eq!(
            examples_of_module(module),
            [Example { line: 4, program, promises: vec!["2".to_owned()] }]
        );
    }
}
