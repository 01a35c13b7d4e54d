//! Which operations does the library have? Writes `docs/reference/library.md` from the doc comments of `std/*.qz`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// What programs do not call by name, besides the modules below `std/internal`.
const INTERNAL: [&str; 3] = ["intrinsics", "prelude", "rt"];

/// Modules that say the same for many types: the one that speaks for all, and how they are introduced.
const SPEAKERS: [(&str, &str, &str); 2] = [
    ("ints", "Int", "every integer type, here for `Int`"),
    ("floats", "F64", "`F64` and `F32`, here for `F64`"),
];

const INTRODUCTION: &str = "\
# The standard library

Written by `cargo xtask library` from the doc comments of `std/*.qz`, which say more and hold examples. Modules marked
with a star are known everywhere; the others are imported: `import std/math`, `import File from std/file`. An
operation without arguments is called with or without parentheses. Names of traits behind *also* say which operators
and walks a type has; `==`, `hash`, `<`, `show` and `clone` come with the parts of a type and are not listed.

";

const EXAMPLE: &str = "\
```quartz
import File from std/file
import Random from std/random

def main
  $assert(File.read(\"no such file\") is Err)
  $assert([3, 1, 2].sorted == [1, 2, 3])
  dice = Random.seeded(7)
  $assert(dice.int(1..=6) in 1..=6)
end
```
";

/// One type of a module, or its free functions under the empty name.
#[derive(Default)]
struct Section {
    about: String,
    rows: Vec<(String, String)>,
    traits: Vec<String>,
}

struct Module {
    name: String,
    about: String,
    everywhere: bool,
    /// In the order of the file.
    sections: Vec<(String, Section)>,
}

const PAGE: &str = "docs/reference/library.md";

/// Notes if the page does not say what the library has now.
pub(crate) fn check(top: &Path, problems: &mut Vec<String>) {
    let written = std::fs::read_to_string(top.join(PAGE)).ok();
    if page(&top.join("std")).ok() != written {
        problems.push(format!("{PAGE} is behind std/: run `cargo xtask library`"));
    }
}

/// Writes the page; false if a file could not be read or written.
pub(crate) fn library(top: &Path) -> bool {
    let page = match page(&top.join("std")) {
        Ok(page) => page,
        Err(error) => {
            eprintln!("std: {error}");
            return false;
        }
    };
    let target = top.join(PAGE);
    std::fs::write(&target, page).map_err(|error| eprintln!("{}: {error}", target.display())).is_ok()
}

fn page(std: &Path) -> std::io::Result<String> {
    let prelude = std::fs::read_to_string(std.join("prelude.qz"))?;
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(std)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|it| it == "qz") && !INTERNAL.contains(&name.as_str()) {
            let text = std::fs::read_to_string(&path)? + &parts(&path.with_extension(""))?;
            files.insert(name, text);
        }
    }
    let modules: Vec<Module> = files
        .iter()
        .map(|(name, text)| module(name, text, prelude.contains(&format!("from std/{name}\n"))))
        .collect();
    let mut out = INTRODUCTION.to_owned();
    out.push_str("| module | is about |\n|---|---|\n");
    for it in &modules {
        let star = if it.everywhere { " \\*" } else { "" };
        writeln!(out, "| [`{0}`](#{0}){star} | {1} |", it.name, cell(&it.about)).expect("a string");
    }
    out.push('\n');
    out.push_str(EXAMPLE);
    for it in &modules {
        render(it, &mut out);
    }
    Ok(out)
}

/// A module that consists of others passes on what they declare: their texts, without what they say of themselves.
fn parts(folder: &Path) -> std::io::Result<String> {
    let mut files: Vec<_> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.flatten().map(|it| it.path()).collect(),
        Err(_) => return Ok(String::new()),
    };
    files.sort();
    let mut out = String::new();
    for file in files {
        let text = std::fs::read_to_string(file)?;
        out.extend(text.lines().filter(|it| !it.starts_with("##!")).map(|it| format!("{it}\n")));
    }
    Ok(out)
}

fn render(module: &Module, out: &mut String) {
    writeln!(out, "\n## {}\n\n{}", module.name, module.about).expect("a string");
    for (name, section) in &module.sections {
        let is_plumbing =
            ["See `Iterator.", "A walk over", "Values that a function makes", "The same value again"];
        if section.rows.is_empty() && section.about.is_empty()
            || is_plumbing.iter().any(|it| section.about.starts_with(it))
        {
            continue;
        }
        let speaker = SPEAKERS.iter().find(|it| it.0 == module.name && it.1 == name).map(|it| it.2);
        match speaker {
            Some(words) => writeln!(out, "\n**{words}**").expect("a string"),
            None if name.is_empty() => out.push_str("\n**functions**\n"),
            None if section.about.is_empty() => writeln!(out, "\n**`{name}`**").expect("a string"),
            None => writeln!(out, "\n**`{name}`** {}", section.about).expect("a string"),
        }
        if !section.rows.is_empty() {
            out.push_str("\n| operation | |\n|---|---|\n");
        }
        for (signature, about) in &section.rows {
            writeln!(out, "| `{}` | {} |", cell(signature), cell(about)).expect("a string");
        }
        if !section.traits.is_empty() {
            writeln!(out, "\nalso {}", section.traits.join(", ")).expect("a string");
        }
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Reads a module line by line: the library is written in one regular form.
fn module(name: &str, text: &str, everywhere: bool) -> Module {
    let about: Vec<&str> = text
        .lines()
        .map_while(|it| it.strip_prefix("##!"))
        .map(str::trim)
        .take_while(|it| !it.is_empty())
        .collect();
    let mut module =
        Module { name: name.to_owned(), about: about.join(" "), everywhere, sections: Vec::new() };
    let mut doc: Vec<&str> = Vec::new();
    // The type that the members at hand belong to, and what its parameters must have.
    let mut holder: Option<(String, String)> = None;
    for line in text.lines() {
        let (indented, item) = (line.starts_with("  "), line.trim_start());
        if let Some(said) = item.strip_prefix("##") {
            doc.push(said.strip_prefix(' ').unwrap_or(said));
        } else if line == "end" {
            holder = None;
        } else if let Some((start, head)) = function(item) {
            let place = if indented && !line.starts_with("   ") {
                holder.clone()
            } else if indented {
                None
            } else {
                Some((String::new(), String::new()))
            };
            let about = first_sentence(&doc);
            if let Some((of, bounds)) = place
                && !about.is_empty()
                && !about.starts_with("For the library")
            {
                row(section(&mut module, &of), head, &of, &bounds, about);
                if let Some(last) = section(&mut module, &of).rows.last_mut() {
                    last.0.insert_str(0, start);
                }
            }
            doc.clear();
        } else if !indented && !item.starts_with('#') && !item.starts_with('@') && !item.is_empty() {
            holder = declaration(&mut module, item, &doc);
            doc.clear();
        } else if !item.starts_with('@') {
            if let Some((of, _)) = holder.as_ref().filter(|_| is_field(line) && !doc.is_empty()) {
                section(&mut module, of).rows.push((item.to_owned(), first_sentence(&doc)));
            }
            doc.clear();
        }
    }
    module
}

fn section<'a>(module: &'a mut Module, name: &str) -> &'a mut Section {
    let at = module.sections.iter().position(|it| it.0 == name).unwrap_or_else(|| {
        module.sections.push((name.to_owned(), Section::default()));
        module.sections.len() - 1
    });
    &mut module.sections[at].1
}

/// A type, an impl or something else; gives the type whose members follow.
fn declaration(module: &mut Module, item: &str, doc: &[&str]) -> Option<(String, String)> {
    let (word, rest) = item.split_once([' ', '<'])?;
    match word {
        "struct" | "enum" | "trait" => {
            let head = rest.split(':').next().unwrap_or(rest).trim();
            if !doc.is_empty() {
                section(module, head).about = first_sentence(doc);
            }
            Some((head.to_owned(), String::new()))
        }
        "impl" | "extend" => {
            let (parameters, head) = generics(item.strip_prefix(word)?);
            let (interface, of) = match head.split_once(" for ") {
                Some((interface, of)) => (Some(interface), of),
                None => (None, head),
            };
            let of = of.trim().trim_end_matches(" end").to_owned();
            if SPEAKERS.iter().any(|it| it.0 == module.name && it.1 != of) {
                return None;
            }
            let Some(interface) = interface else { return Some((of, parameters)) };
            let derived = ["Eq", "Ord", "Hash", "Show", "Clone", "Drop"];
            let text = format!("`{interface}`");
            if !derived.contains(&interface) {
                section(module, &of).traits.push(text);
            }
            None
        }
        _ => None,
    }
}

/// `<T: Eq> Vec<T>` taken apart: the bounds that are there, and the rest.
fn generics(text: &str) -> (String, &str) {
    let text = text.trim_start();
    let Some(inner) = text.strip_prefix('<') else { return (String::new(), text) };
    let mut depth = 1;
    for (at, c) in inner.char_indices() {
        depth += i32::from(c == '<') - i32::from(c == '>');
        if depth == 0 {
            let bounds = if inner[..at].contains(':') { inner[..at].to_owned() } else { String::new() };
            return (bounds, inner[at + 1..].trim_start());
        }
    }
    (String::new(), text)
}

/// A signature without `self`, and with the type's name in front if there is no `self`.
fn row(section: &mut Section, head: &str, of: &str, bounds: &str, about: String) {
    let end = value_start(head);
    let head = head[..end].trim();
    let plain = head
        .replace("(&mut self, ", "(")
        .replace("(self, ", "(")
        .replace("(&mut self)", "")
        .replace("(self)", "");
    let is_static = plain == head && !of.is_empty();
    let owner = of.split('<').next().unwrap_or(of);
    let mut signature = if is_static { format!("{owner}.{plain}") } else { plain };
    if !bounds.is_empty() {
        let link = if signature.contains(" where ") { ", " } else { " where " };
        signature.push_str(link);
        signature.push_str(bounds);
    }
    section.rows.push((signature, about));
}

/// What a function's signature starts with in the table, and the rest of it.
fn function(item: &str) -> Option<(&'static str, &str)> {
    let starts = [("def ", ""), ("unsafe def ", "unsafe "), ("extern \"intrinsic\" def ", "")];
    starts.into_iter().find_map(|(written, shown)| Some((shown, item.strip_prefix(written)?)))
}

/// `  name: Type`
fn is_field(line: &str) -> bool {
    let Some((name, _)) = line.strip_prefix("  ").and_then(|it| it.split_once(": ")) else { return false };
    name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// Where the ` = value` of a one-line function starts; defaults in its parentheses do not count.
fn value_start(head: &str) -> usize {
    let mut depth = 0;
    for (at, c) in head.char_indices() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth == 0 && head[at..].starts_with(" = ") && !head[..at].ends_with("Output") {
            return at;
        }
    }
    head.len()
}

fn first_sentence(doc: &[&str]) -> String {
    let text = doc
        .iter()
        .take_while(|it| !it.is_empty() && !it.starts_with("```"))
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    match text.find(". ") {
        Some(at) => text[..=at].to_owned(),
        None => text,
    }
}
