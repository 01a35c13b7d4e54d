//! Which files does a program depend on? For those who keep what was made of them: `quake`, make, other build tools.

use qz_base::digest::digest;
use qz_diag::Sources;

use crate::Program;

/// A line for each file beside the library's: `file DIGEST PATH` for one that was read, as it was then, and `absent PATH` for
/// one that an import looked for before it found another.
pub fn inputs(program: &Program) -> String {
    let read = files(program).map(|(path, text)| format!("file {} {path}\n", digest(text.as_bytes())));
    let absent = program.absent.iter().map(|path| format!("absent {}\n", path.display()));
    let included = program.included.iter().map(|it| match &it.digest {
        Some(digest) => format!("file {digest} {}\n", it.path.display()),
        None => format!("absent {}\n", it.path.display()),
    });
    read.chain(absent).chain(included).collect()
}

/// Path and text of the user's files, in the order in which they were read.
fn files(program: &Program) -> impl Iterator<Item = (&str, &str)> {
    let ids = program.modules.iter().map(|&module| program.sources.as_read(program.defs.file_of(module)));
    ids.map(|file| (Sources::path(&program.sources, file), program.sources.text(file)))
}

/// The rule that a makefile includes: the target depends on these files, each of which may be gone one day.
pub fn make_rule(program: &Program, target: &str) -> String {
    let included = program.included.iter().filter(|it| it.digest.is_some());
    let included = included.map(|it| for_make(&it.path.to_string_lossy()));
    let paths: Vec<String> = files(program).map(|(path, _)| for_make(path)).chain(included).collect();
    let rule = format!("{}: {}\n", for_make(target), paths.join(" "));
    let phony = paths.iter().skip(1).map(|path| format!("\n{path}:\n"));
    std::iter::once(rule).chain(phony).collect()
}

fn for_make(path: &str) -> String {
    let mut text = String::new();
    for letter in path.chars() {
        match letter {
            ' ' | '#' | ':' | '\\' | '%' => text.push('\\'),
            '$' => text.push('$'),
            _ => {}
        }
        text.push(letter);
    }
    text
}

/// The same for other tools, and what each module imports.
pub fn json_dependencies(program: &Program, target: &str) -> String {
    let file = |(path, text): (&str, &str)| serde_json::json!({ "path": path, "sha256": digest(text.as_bytes()).to_string() });
    let included = program.included.iter().filter_map(|it| {
        let digest = it.digest.as_ref()?;
        Some(serde_json::json!({ "path": it.path.display().to_string(), "sha256": digest }))
    });
    let absent: Vec<String> = program.absent.iter().map(|it| it.display().to_string()).collect();
    let value = serde_json::json!({
        "target": target,
        "compiler": env!("CARGO_PKG_VERSION"),
        "files": files(program).map(file).chain(included).collect::<Vec<_>>(),
        "absent": absent,
    });
    format!("{value:#}\n")
}
