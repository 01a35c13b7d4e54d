//! Puts the standard library's sources, parsed, and the pages of diagnostic codes into the binary.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let top = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../..");
    let top = top.canonicalize().expect("the project's folder");
    let is_module = |name: &str| !name.ends_with("_spec");
    let text = |_: &str, path: &Path| format!("include_str!({:?})", path.display().to_string());
    let parsed = |name: &str, path: &Path| {
        let tree = write_tree(name, path);
        format!("({}, include_bytes!({tree:?}))", text(name, path))
    };
    let module = "(&str, &[u8])";
    write_table("std_files.rs", ("FILES", module), &top.join("std"), "qz", &is_module, &parsed);
    let is_page = |name: &str| name.starts_with("QZ");
    write_table("error_pages.rs", ("PAGES", "&str"), &top.join("docs/errors"), "md", &is_page, &text);
}

/// The file's tree as a file; an empty one if the text has problems, which then are told whenever it is read.
fn write_tree(name: &str, path: &Path) -> PathBuf {
    let text = std::fs::read_to_string(path).expect("the library can be read");
    let parse = qz_syntax::parse(&text);
    let image = if parse.problems.is_empty() { parse.tree.to_image() } else { Vec::new() };
    let out = out_file(&format!("{}.tree", name.replace('/', "_")));
    std::fs::write(&out, image).expect("the build folder can be written");
    out
}

fn out_file(name: &str) -> PathBuf {
    PathBuf::from(std::env::var("OUT_DIR").expect("set by cargo")).join(name)
}

/// A constant with the names (below `root`, without ending) of all files with an ending, and what `value` says
/// of each.
fn write_table(
    file: &str,
    (constant, ty): (&str, &str),
    root: &Path,
    ending: &str,
    wanted: &dyn Fn(&str) -> bool,
    value: &dyn Fn(&str, &Path) -> String,
) {
    let mut files = Vec::new();
    collect(root, ending, &mut files);
    let mut entries: Vec<(String, PathBuf)> = files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root).expect("below the root").with_extension("");
            (name.to_string_lossy().replace('\\', "/"), path)
        })
        .filter(|(name, _)| wanted(name))
        .collect();
    entries.sort();
    let mut table = format!("pub(crate) const {constant}: &[(&str, {ty})] = &[\n");
    for (name, path) in entries {
        let value = value(&name, &path);
        writeln!(table, "    ({name:?}, {value}),").expect("a string takes everything");
    }
    table.push_str("];\n");
    std::fs::write(out_file(file), table).expect("the build folder can be written");
}

fn collect(folder: &Path, ending: &str, files: &mut Vec<PathBuf>) {
    println!("cargo:rerun-if-changed={}", folder.display());
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, ending, files);
        } else if path.extension().is_some_and(|it| it == ending) {
            println!("cargo:rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
}
