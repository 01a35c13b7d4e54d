//! Puts the standard library's sources into the binary: a table of module paths and texts.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../../std");
    let root = root.canonicalize().expect("the folder `std` stands beside `crates`");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut table = String::from("pub(crate) const FILES: &[(&str, &str)] = &[\n");
    for file in files {
        let module = file.strip_prefix(&root).expect("below the root").with_extension("");
        let module = module.to_string_lossy().replace('\\', "/");
        if !module.ends_with("_spec") {
            writeln!(table, "    ({module:?}, include_str!({:?})),", file.display().to_string())
                .expect("a string takes everything");
        }
    }
    table.push_str("];\n");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("set by cargo")).join("std_files.rs");
    std::fs::write(out, table).expect("the build folder can be written");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    println!("cargo:rerun-if-changed={}", folder.display());
    for entry in std::fs::read_dir(folder).expect("the folder can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|it| it == "qz") {
            files.push(path);
        }
    }
}
