//! Which lines did the tests run? Workers count in memory that they share with their host, hosts tell the runner, and the
//! runner writes `coverage/lcov.info` for tools and `coverage/index.html` for people.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::Path;

/// Numbers that processes forked from this one count up together.
pub struct SharedCounters {
    start: *mut u64,
    size: usize,
}

impl SharedCounters {
    pub fn new(size: usize) -> io::Result<SharedCounters> {
        let size = size.max(1);
        // SAFETY: asks for fresh memory.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                size * 8,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(SharedCounters { start: start.cast(), size })
    }

    pub fn address(&self) -> usize {
        self.start as usize
    }

    /// Number `n`, while no worker counts.
    pub fn get(&self, n: usize) -> u64 {
        assert!(n < self.size);
        // SAFETY: it is one of the numbers, which stay for as long as the process.
        unsafe { self.start.add(n).read_volatile() }
    }
}

/// Lines with code, how often each was run.
pub(crate) type Lines = BTreeMap<String, BTreeMap<u32, u64>>;

/// A line of a file with its count, as a host tells it.
pub type Line = (String, u32, u64);

/// Counts of several specifications added up. Specifications themselves are left out.
pub(crate) fn merged<'a>(told: impl Iterator<Item = &'a Line>) -> Lines {
    let mut lines = Lines::new();
    for (file, line, count) in told.filter(|it| !it.0.ends_with("_spec.qz")) {
        *lines.entry(file.clone()).or_default().entry(*line).or_default() += count;
    }
    lines
}

/// Writes both files; gives how many lines were run, and of how many.
pub(crate) fn write(lines: &Lines, folder: &Path) -> io::Result<(usize, usize)> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("lcov.info"), lcov(lines))?;
    std::fs::write(folder.join("index.html"), html(lines))?;
    let counts: Vec<(usize, usize)> = lines.values().map(run_of).collect();
    Ok((counts.iter().map(|it| it.0).sum(), counts.iter().map(|it| it.1).sum()))
}

fn run_of(lines: &BTreeMap<u32, u64>) -> (usize, usize) {
    (lines.values().filter(|&&count| count > 0).count(), lines.len())
}

fn lcov(lines: &Lines) -> String {
    let mut out = String::new();
    for (file, lines) in lines {
        let (run, all) = run_of(lines);
        let rows: String = lines.iter().map(|(line, count)| format!("DA:{line},{count}\n")).collect();
        write!(out, "TN:\nSF:{file}\n{rows}LF:{all}\nLH:{run}\nend_of_record\n")
            .expect("a string takes everything");
    }
    out
}

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width\">\n<title>Coverage</title>\n<style>\n\
:root { color-scheme: light dark; --run: #dff3df; --missed: #fbdcdc; --faint: #777 }\n\
@media (prefers-color-scheme: dark) { :root { --run: #1d3a1d; --missed: #4d2020; --faint: #999 } }\n\
body { font-family: sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em }\n\
table { border-collapse: collapse } td, th { padding: .2em 1em .2em 0; text-align: left }\n\
td.number { text-align: right; font-variant-numeric: tabular-nums }\n\
meter { width: 12em }\n\
pre { overflow-x: auto; line-height: 1.4; tab-size: 2 } pre > div { display: inline-block; min-width: 100% }\n\
span.line { display: block } .run { background: var(--run) } .missed { background: var(--missed) }\n\
.line > i { color: var(--faint); font-style: normal; user-select: none }\n\
</style>\n<h1>Coverage</h1>\n\
<p>Beside each line stands how often it was run; <span class=\"missed\">lines like this one</span> were not.</p>\n";

fn html(lines: &Lines) -> String {
    let rows: String = lines.iter().map(|(file, lines)| summary(file, run_of(lines))).collect();
    let all = lines.values().map(run_of).fold((0, 0), |(run, all), it| (run + it.0, all + it.1));
    let table = format!("<table>\n{rows}{}</table>\n", summary("", all));
    let files: String = lines.iter().map(|(file, lines)| file_with_counts(file, lines)).collect();
    format!("{HEAD}{table}{files}</html>\n")
}

/// A row of the table at the top: of a file, or without a name of all.
fn summary(file: &str, (run, all): (usize, usize)) -> String {
    let name = match escaped(file) {
        name if name.is_empty() => "<b>all</b>".to_owned(),
        name => format!("<a href=\"#{name}\">{name}</a>"),
    };
    // Not rounded up: only what is whole is 100 %.
    let percent = run * 100 / all.max(1);
    format!(
        "<tr><td>{name}</td><td class=\"number\">{percent} %</td>\
         <td><meter max=\"{all}\" value=\"{run}\">{percent} %</meter></td>\
         <td class=\"number\">{run} of {all} lines</td></tr>\n"
    )
}

fn file_with_counts(file: &str, lines: &BTreeMap<u32, u64>) -> String {
    let mut out = format!("<h2 id=\"{0}\">{0}</h2>\n<pre><div>", escaped(file));
    let text = std::fs::read_to_string(file).unwrap_or_default();
    for (n, line) in text.lines().enumerate() {
        let count = lines.get(&(n as u32 + 1));
        let class = match count {
            None => "",
            Some(0) => " missed",
            Some(_) => " run",
        };
        let count = count.map(u64::to_string).unwrap_or_default();
        // Blocks stand below each other by themselves: a line break would be an empty line more.
        write!(out, "<span class=\"line{class}\"><i>{:>5} {count:>8}</i>  {}</span>", n + 1, escaped(line))
            .expect("a string takes everything");
    }
    out.push_str("</div></pre>\n");
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
