//! What reviewers would otherwise have to remember, checked.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which crates stand on which level: a crate uses only what stands below it.
const LEVELS: &[(u32, &[&str])] = &[
    (0, &["qz_base", "qz_rt_abi", "qz_progen"]),
    (1, &["qz_cache", "qz_diag", "qz_types", "qz_sched"]),
    (2, &["qz_models", "qz_remote", "qz_syntax", "qz_mir", "qz_rt"]),
    (3, &["qz_hir", "qz_macros", "qz_opt", "qz_codegen", "qz_rt_native"]),
    (4, &["qz_infer", "qz_cranelift", "qz_llvm", "qz_interp"]),
    (5, &["qz_lower"]),
    (6, &["qz_driver"]),
    (7, &["qz_spec"]),
    (8, &["quartz"]),
];

/// The front end and the back end meet in `qz_lower` and never see each other.
const FRONT: &[&str] = &["qz_syntax", "qz_macros", "qz_hir", "qz_infer"];
const BACK: &[&str] = &["qz_mir", "qz_opt", "qz_codegen", "qz_cranelift", "qz_llvm", "qz_interp"];

/// Files longer than this are split by language concept; tables may be longer.
const LONGEST: usize = 1000;

/// Runs every check; says what is wrong.
pub(crate) fn tidy(top: &Path) -> bool {
    let mut problems = Vec::new();
    levels(top, &mut problems);
    headers(top, &mut problems);
    code_map(top, &mut problems);
    crate::library::check(top, &mut problems);
    for problem in &problems {
        eprintln!("tidy: {problem}");
    }
    problems.is_empty()
}

fn level_of(name: &str) -> Option<u32> {
    LEVELS.iter().find(|(_, names)| names.contains(&name)).map(|it| it.0)
}

fn metadata(top: &Path) -> Option<Value> {
    let output = Command::new("cargo")
        .current_dir(top)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .output()
        .ok()?;
    serde_json::from_slice(&output.stdout).ok()
}

fn levels(top: &Path, problems: &mut Vec<String>) {
    let Some(metadata) = metadata(top) else {
        problems.push("`cargo metadata` gave nothing to read".into());
        return;
    };
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = text(&package["name"]);
        if name == "xtask" {
            continue;
        }
        let Some(level) = level_of(&name) else {
            problems.push(format!("the crate {name} stands on no level (xtask/src/tidy.rs)"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = text(&dependency["name"]);
            let is_test = dependency["kind"].as_str() == Some("dev");
            let Some(below) = level_of(&used).filter(|_| !is_test) else { continue };
            if below >= level {
                problems.push(format!("{name} (level {level}) uses {used} (level {below})"));
            }
            let crosses = |a: &[&str], b: &[&str]| a.contains(&name.as_str()) && b.contains(&used.as_str());
            if crosses(FRONT, BACK) || crosses(BACK, FRONT) {
                problems.push(format!("{name} uses {used}: front and back meet in qz_lower only"));
            }
        }
    }
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|it| it != "target") {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
}

fn headers(top: &Path, problems: &mut Vec<String>) {
    let mut files = Vec::new();
    for folder in ["crates", "runtime", "xtask"] {
        rust_files(&top.join(folder), &mut files);
    }
    files.sort();
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let shown = file.strip_prefix(top).unwrap_or(&file).display().to_string();
        if !text.starts_with("//!") {
            problems.push(format!("{shown} does not say in a `//!` header which question it answers"));
        }
        let lines = text.lines().count();
        let is_test = shown.contains("/tests/") || shown.ends_with("tests.rs");
        if lines > LONGEST && !is_test {
            problems.push(format!("{shown} has {lines} lines: is there a border inside?"));
        }
    }
}

/// `ARCHITECTURE.md` names every crate, and none that is gone.
fn code_map(top: &Path, problems: &mut Vec<String>) {
    let Ok(text) = std::fs::read_to_string(top.join("ARCHITECTURE.md")) else {
        problems.push("ARCHITECTURE.md is missing".into());
        return;
    };
    for name in LEVELS.iter().flat_map(|it| it.1) {
        if !text.contains(&format!("`{name}`")) {
            problems.push(format!("ARCHITECTURE.md does not name {name}"));
        }
    }
}
