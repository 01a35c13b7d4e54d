//! Runs the specifications of `spec/` by `quartz test`, on both engines, with every test's leaks looked for.

use std::path::{Path, PathBuf};
use std::process::Command;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Paths below the project's folder.
fn specifications() -> Vec<String> {
    let mut specs: Vec<String> = Vec::new();
    let mut folders = vec!["spec".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(top().join(&folder)).expect("the folder is there").flatten() {
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            match entry.path().is_dir() {
                true => folders.push(path),
                false => specs.extend(path.ends_with("_spec.qz").then_some(path)),
            }
        }
    }
    specs.sort();
    specs
}

fn all_pass(engine: &str, files: &[String]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quartz"));
    command.current_dir(top()).args(["test", "--leaks", "--color=never", "--engine", engine]);
    command.args(files);
    let output = command.output().expect("the command starts");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn specifications_hold() {
    all_pass("cranelift", &specifications());
}

#[test]
fn specifications_hold_when_interpreted() {
    // C is outside of the interpreter.
    let calls_c = ["spec/ffi_spec.qz", "spec/extern_def_spec.qz"];
    let files: Vec<String> =
        specifications().into_iter().filter(|it| !calls_c.contains(&it.as_str())).collect();
    all_pass("interp", &files);
}
