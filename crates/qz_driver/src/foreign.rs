//! C libraries: which a program needs, loading them before it runs, and what to say when one or a function of one is
//! missing.

use std::path::{Path, PathBuf};

use qz_base::{FileId, FxHashSet, Name, Span};
use qz_diag::{Code, Diagnostic};
use qz_hir::FnKind;
use qz_hir::defs::Link;
use qz_mir::{InstanceKey, Module};
use qz_types::FnId;

use crate::Program;

/// A library as somebody asked for it.
pub(crate) struct Library {
    /// `z`, or the path of a file.
    pub(crate) name: Name,
    /// Its file, where it was named by a path.
    pub(crate) file: Option<PathBuf>,
    span: Span,
}

/// Libraries that are always there: parts of C's own.
const ALWAYS: [&str; 6] = ["c", "m", "pthread", "dl", "rt", "util"];

/// The foreign functions that a program reaches.
fn foreign_functions(module: &Module) -> impl Iterator<Item = (FnId, Name)> + '_ {
    module.instances.values().filter_map(|instance| match (&instance.key, &instance.foreign) {
        (InstanceKey::Body(body, ..), Some(foreign)) => Some((body.function, foreign.symbol)),
        _ => None,
    })
}

/// The libraries of the modules whose functions a program reaches, in order.
pub(crate) fn libraries(program: &Program, module: &Module) -> Vec<Library> {
    let mut seen = FxHashSet::default();
    let mut found: Vec<Library> = Vec::new();
    for (function, _) in foreign_functions(module) {
        let home = program.defs.fns[function].module;
        if !seen.insert(home) {
            continue;
        }
        let home = &program.defs.modules[home];
        let links = home.links.iter().map(|link| library(program, home.file, link));
        for library in links.filter(|it| !ALWAYS.contains(&it.name.as_str())) {
            if !found.iter().any(|it| it.name == library.name && it.file == library.file) {
                found.push(library);
            }
        }
    }
    found
}

fn library(program: &Program, file: FileId, link: &Link) -> Library {
    let text = link.library.as_str();
    let beside = |text: &str| {
        let folder = program.sources.path(file).parent().map(Path::to_owned);
        folder.unwrap_or_default().join(text)
    };
    let named_file = text.contains('/').then(|| beside(text));
    Library { name: link.library, file: named_file, span: Span::new(file, link.range) }
}

impl Library {
    /// What to look for where the program runs inside the compiler.
    fn candidates(&self, folders: &[PathBuf]) -> Vec<String> {
        if let Some(file) = &self.file {
            let file = file.canonicalize().unwrap_or(file.clone());
            return vec![file.display().to_string()];
        }
        let name = format!("lib{}.so", self.name);
        let own = folders.iter().map(|folder| folder.join(&name));
        let own = own.filter_map(|it| it.canonicalize().ok()).map(|it| it.display().to_string());
        let mut all: Vec<String> = own.chain([name.clone()]).collect();
        // Without a library's development files there is only a name with a version.
        all.extend(versions(&name));
        all
    }

    pub(crate) fn missing(&self, words: &str) -> Diagnostic {
        let what = match &self.file {
            Some(file) => format!("the library `{}` cannot be loaded", file.display()),
            None => format!("the library `{}` is missing", self.name),
        };
        let problem = Diagnostic::new(Code::LIBRARY_MISSING, self.span, what);
        let words = words.lines().next().unwrap_or_default();
        let problem = if words.is_empty() { problem } else { problem.note(words.to_owned()) };
        let name = self.name;
        problem.help(match &self.file {
            Some(_) => "a path is looked for from the folder of the file it stands in".to_owned(),
            None => format!(
                "install its development files, often the package `lib{name}-dev`, or say by `-L` where it is"
            ),
        })
    }
}

/// Files that begin with this name, in the system's usual folders.
fn versions(name: &str) -> Vec<String> {
    let arch = if cfg!(target_arch = "aarch64") { "aarch64-linux-gnu" } else { "x86_64-linux-gnu" };
    let folders =
        [format!("/usr/lib/{arch}"), format!("/lib/{arch}"), "/usr/lib64".into(), "/usr/local/lib".into()];
    let start = format!("{name}.");
    let mut found = Vec::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let paths = entries.flatten().filter(|it| it.file_name().to_string_lossy().starts_with(&start));
        found.extend(paths.map(|it| it.path().display().to_string()));
    }
    found.sort();
    found
}

/// Loads a program's libraries and looks whether all its foreign functions are there.
pub(crate) fn load(program: &Program, module: &Module, folders: &[PathBuf]) -> Result<(), Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let libraries = libraries(program, module);
    for library in &libraries {
        let mut words = String::new();
        let loaded =
            library.candidates(folders).iter().any(|path| match qz_rt::foreign::open_library(path) {
                Ok(()) => true,
                Err(why) => {
                    if words.is_empty() {
                        words = why;
                    }
                    false
                }
            });
        if !loaded {
            problems.push(library.missing(&words));
        }
    }
    if problems.is_empty() {
        let missing = |(_, symbol): &(FnId, Name)| {
            !symbol.as_str().is_empty() && qz_rt::foreign::find_symbol(symbol.as_str()).is_none()
        };
        for (function, symbol) in foreign_functions(module).filter(missing) {
            problems.push(undefined(program, function, symbol.as_str(), &libraries));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The interpreter has no way to C: what a program would call there.
pub(crate) fn refuse(program: &Program, module: &Module) -> Result<(), Vec<Diagnostic>> {
    let refused = |(function, symbol): (FnId, Name)| {
        let words = match symbol.as_str() {
            "" => "the interpreter cannot call what a C pointer leads to".to_owned(),
            symbol => format!("the interpreter cannot call the C function `{symbol}`"),
        };
        Diagnostic::new(Code::INTERPRETED_C, program.defs.fn_span(function), words)
            .help("run the program without `--engine=interp`, or build it")
    };
    let problems: Vec<Diagnostic> = foreign_functions(module).map(refused).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn undefined(program: &Program, function: FnId, symbol: &str, libraries: &[Library]) -> Diagnostic {
    let span = program.defs.fn_span(function);
    let problem =
        Diagnostic::new(Code::UNDEFINED_SYMBOL, span, format!("no library has a function `{symbol}`"));
    let names: Vec<String> = libraries.iter().map(|it| format!("`{}`", it.name)).collect();
    let known = match names.is_empty() {
        true => "only the C library is linked".to_owned(),
        false => format!("the C library and {} are linked", names.join(", ")),
    };
    problem.note(known).help("name the library that has it by `@link(\"…\")` above the declaration")
}

/// What a linker complained of, told where it was declared; nothing if it was something else.
pub(crate) fn linker_problems(
    program: &Program,
    libraries: &[Library],
    words: &str,
) -> Option<Vec<Diagnostic>> {
    let mut problems = Vec::new();
    for name in distinct(words.lines().filter_map(missing_library)) {
        if let Some(library) = libraries.iter().find(|it| it.name.as_str() == name) {
            problems.push(library.missing(""));
        }
    }
    for symbol in distinct(words.lines().filter_map(undefined_symbol)) {
        let declares = |def: &qz_hir::FnDef| {
            matches!(def.kind, FnKind::ExternC { .. })
                && def.attrs.link_name.unwrap_or(def.name).as_str() == symbol
        };
        if let Some((id, _)) = program.defs.fns.iter().find(|(_, def)| declares(def)) {
            problems.push(undefined(program, id, symbol, libraries));
        }
    }
    (!problems.is_empty()).then_some(problems)
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The name in a linker's complaint: GNU's `undefined reference to `f'`, lld's and mold's `undefined symbol: f`.
fn undefined_symbol(line: &str) -> Option<&str> {
    if let Some((_, rest)) = line.split_once("undefined reference to ") {
        return Some(rest.trim_matches(['`', '\'', '"', '‘', '’']));
    }
    line.split_once("undefined symbol: ").map(|(_, rest)| rest.trim())
}

/// The library in a linker's complaint: GNU's `cannot find -lz`, lld's `unable to find library -lz`, mold's `library
/// not found: z`.
fn missing_library(line: &str) -> Option<&str> {
    let found = ["cannot find -l", "unable to find library -l", "library not found: "]
        .into_iter()
        .find_map(|words| line.split_once(words))?;
    found.1.split([':', ' ']).next().filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linkers_tell_what_is_missing() {
        let gnu = "/usr/bin/ld: a.o: in function `qz.main': a.qz:(.text+0x7): undefined reference to `nope'";
        assert_eq!(undefined_symbol(gnu), Some("nope"));
        assert_eq!(undefined_symbol("ld.lld: error: undefined symbol: nope"), Some("nope"));
        assert_eq!(undefined_symbol("collect2: error: ld returned 1 exit status"), None);
        assert_eq!(
            missing_library("/usr/bin/ld: cannot find -lnope: No such file or directory"),
            Some("nope")
        );
        assert_eq!(missing_library("ld.lld: error: unable to find library -lnope"), Some("nope"));
        assert_eq!(missing_library("mold: fatal: library not found: nope"), Some("nope"));
    }
}
