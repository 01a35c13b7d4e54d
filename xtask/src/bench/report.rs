//! Tables, on the terminal and in `bench/README.md`.

use std::fmt::Write as _;
use std::path::Path;

use super::Bench;

/// A table of numbers in Markdown.
pub(crate) struct Table {
    text: String,
}

impl Table {
    /// The first column has names, the others have numbers.
    pub(crate) fn new<'a>(first: &str, titles: impl Iterator<Item = &'a str>) -> Table {
        let titles: Vec<&str> = titles.collect();
        let text = format!("| {first} | {} |\n|---|{}\n", titles.join(" | "), "---:|".repeat(titles.len()));
        Table { text }
    }

    pub(crate) fn row(&mut self, name: &str, numbers: impl Iterator<Item = String>) {
        let numbers: Vec<String> = numbers.collect();
        let _ = writeln!(self.text, "| {name} | {} |", numbers.join(" | "));
    }
}

/// A number with so many digits behind the point; a dash where there is none.
pub(crate) fn number(value: Option<f64>, digits: usize) -> String {
    value.filter(|it| it.is_finite()).map_or_else(|| "–".into(), |it| format!("{it:.digits$}"))
}

/// What was found out.
pub(crate) struct Report {
    /// Texts by the names of their places in `bench/README.md`.
    parts: Vec<(&'static str, String)>,
    /// The chart for the README, as SVG.
    pub(crate) chart: Option<String>,
}

impl Report {
    pub(crate) fn new(bench: &Bench) -> Report {
        let mut report = Report { parts: Vec::new(), chart: None };
        report.say("machine", machine(bench));
        report
    }

    /// Adds a table, and prints it.
    pub(crate) fn add(&mut self, name: &'static str, table: &Table) {
        self.say(name, table.text.clone());
    }

    /// Adds a text, and prints it.
    fn say(&mut self, name: &'static str, text: String) {
        println!("{text}");
        self.parts.push((name, text));
    }

    /// Puts what there is into `bench/README.md` and beside it.
    pub(crate) fn write(&self, bench: &Bench) -> bool {
        let folder = bench.top.join("bench");
        if let Some(chart) = &self.chart
            && !write_file(&folder.join("chart.svg"), chart)
        {
            return false;
        }
        let path = folder.join("README.md");
        let Ok(mut page) = std::fs::read_to_string(&path) else {
            eprintln!("{} cannot be read", path.display());
            return false;
        };
        for (name, text) in &self.parts {
            match replace_part(&page, name, text) {
                Some(new) => page = new,
                None => eprintln!("{} has no place for `{name}`", path.display()),
            }
        }
        write_file(&path, &page)
    }
}

fn write_file(path: &Path, text: &str) -> bool {
    match std::fs::write(path, text) {
        Ok(()) => true,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            false
        }
    }
}

/// The page with what stands between a part's markers replaced.
fn replace_part(page: &str, name: &str, text: &str) -> Option<String> {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let start = page.find(&open)? + open.len();
    let end = start + page[start..].find(&close)?;
    Some(format!("{}\n{}\n\n{}", &page[..start], text.trim_end(), &page[end..]))
}

/// What everything ran on, and with what.
fn machine(bench: &Bench) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut text = format!("{} ({cores} cores)\n\n", model.map_or("unknown machine", |it| it.1));
    text += "| language | compiled by | which is |\n|---|---|---|\n";
    for language in bench.languages.all() {
        let version = bench.languages.version(language).unwrap_or_default();
        let _ = writeln!(text, "| {} | `{}` | {version} |", language.title(), language.command());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_replaced_between_its_markers() {
        let page = "a\n\n<!-- x -->\n\nold\n\n<!-- end of x -->\n\nb\n";
        let expected = "a\n\n<!-- x -->\n\nnew\n\n<!-- end of x -->\n\nb\n";
        assert_eq!(replace_part(page, "x", "new\n").as_deref(), Some(expected));
        assert_eq!(replace_part(page, "y", "new"), None);
    }
}
