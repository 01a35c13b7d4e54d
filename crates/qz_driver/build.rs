//! Puts the standard library's sources and the pages of diagnostic codes into the binary.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let top = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../..");
    let top = top.canonicalize().expect("the project's folder");
    let is_module = |name: &str| !name.ends_with("_spec");
    write_table("std_files.rs", "FILES", &top.join("std"), "qz", &is_module);
    write_table("error_pages.rs", "PAGES", &top.join("docs/errors"), "md", &|name| name.starts_with("QZ"));
}

/// A constant with the names (below `root`, without ending) and texts of all files with an ending.
fn write_table(file: &str, constant: &str, root: &Path, ending: &str, wanted: &dyn Fn(&str) -> bool) {
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
    let mut table = format!("pub(crate) const {constant}: &[(&str, &str)] = &[\n");
    for (name, path) in entries {
        let path = path.display().to_string();
        writeln!(table, "    ({name:?}, include_str!({path:?})),").expect("a string takes everything");
    }
    table.push_str("];\n");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("set by cargo")).join(file);
    std::fs::write(out, table).expect("the build folder can be written");
}

fn collect(folder: &Path, ending: &str, files: &mut Vec<PathBuf>) {
    println!("cargo:rerun-if-changed={}", folder.display());
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, ending, files);
        } else if path.extension().is_some_and(|it| it == ending) {
            files.push(path);
        }
    }
}
