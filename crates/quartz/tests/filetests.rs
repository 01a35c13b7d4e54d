//! Runs `tests/**/*.qz`: programs that carry their own expectations. One test a file.
//!
//! | folder | question |
//! |---|---|
//! | `run/` | what does it print, on every engine, with nothing left over? |
//! | `check/` | what does the user see? |
//! | `types/` | what was inferred? |
//! | `parse/` | which tree? |
//! | `mir/` | how is this construct lowered? |
//! | `opt/` | did the optimiser do its job? |
//! | `examples/` (beside `tests/`) | as `run/` |
//! | `README.md`, `docs/` | does every code block run? |
//! | `std/` | do the examples run, and print what they promise? |
//!
//! Markers: carets under a line (`#  ^^^ QZ0200: …`) and `#~` directives (`stdout`, `stderr`, `exit`,
//! `engines`, `needs`, `args`, `stdin`, `file`). `QUARTZ_BLESS=1` rewrites everything but what a program prints.

mod filetests {
    pub(crate) mod check;
    pub(crate) mod docs;
    pub(crate) mod dumps;
    pub(crate) mod judge;
    pub(crate) mod mir;
    pub(crate) mod program;
    pub(crate) mod text;
}

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};

type Case = fn(&Path) -> Result<(), String>;

fn main() {
    let arguments = Arguments::from_args();
    let top =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project's folder");
    let mut trials = Vec::new();
    let kinds: [(&str, Case); 7] = [
        ("tests/run", filetests::program::run),
        ("examples", filetests::program::run),
        ("tests/check", filetests::check::run),
        ("tests/types", filetests::dumps::types),
        ("tests/parse", filetests::dumps::parse),
        ("tests/mir", filetests::mir::mir),
        ("tests/opt", filetests::mir::opt),
    ];
    for (folder, case) in kinds {
        for file in filetests::judge::files(&top.join(folder)) {
            let name = file.strip_prefix(&top).expect("below the top").display().to_string();
            trials.push(Trial::test(name, move || case(&file).map_err(Failed::from)));
        }
    }
    let mut pages = vec![top.join("README.md")];
    collect_ending(&top.join("docs"), "md", &mut pages);
    pages.sort();
    for page in pages {
        let name = page.strip_prefix(&top).expect("below the top").display().to_string();
        trials.push(Trial::test(name, move || filetests::docs::run(&page).map_err(Failed::from)));
    }
    let mut modules = Vec::new();
    collect_ending(&top.join("std"), "qz", &mut modules);
    modules.sort();
    for module in modules {
        let name = module.strip_prefix(&top).expect("below the top").display().to_string();
        trials.push(Trial::test(name, move || filetests::docs::module(&module).map_err(Failed::from)));
    }
    trials.push(Trial::test("std checks without a problem", || {
        filetests::check::standard_library().map_err(Failed::from)
    }));
    let pages = top.join("docs/errors");
    trials.push(Trial::test("every code has a page", move || {
        filetests::docs::error_pages(&pages).map_err(Failed::from)
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

/// All files with an ending below a folder.
fn collect_ending(folder: &Path, ending: &str, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect_ending(&path, ending, files);
        } else if path.extension().is_some_and(|it| it == ending) {
            files.push(path);
        }
    }
}
