//! From a path to parsed modules: the file itself, everything it imports, and the library modules reached.
//!
//! `import a/b` looks beside the importing file, then in the root file's folder: `a/b.qz`, then `a/b/mod.qz`.
//! `std/…` is the library's own root, which no neighbour can shadow; `qspec` and `quake` are short for `std/qspec` and
//! `std/quake`. A module is one file, however it is reached.

use std::collections::VecDeque;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qz_base::{FileId, Name, Span, TextRange};
use qz_cache::Key;
use qz_diag::{Code, Diagnostic, did_you_mean};
use qz_hir::collect::{ImportRequest, ImportTarget, ModuleInput, import_requests};
use qz_hir::{Defs, ParsedFile};
use qz_macros::Settings;
use qz_syntax::{SyntaxKind, SyntaxTree};

use crate::Cache;
use crate::cache::graph::Node;
use crate::cache::written::Written;
use crate::sources::{SourceMap, SourceMapBuilder};
use crate::std_files;

/// Files must be smaller: offsets are 32 bits and trees have several elements a byte at most.
const MAX_FILE: u64 = 64 << 20;

/// Where the program's text comes from.
#[derive(Clone)]
pub enum Root {
    File(PathBuf),
    /// Standard input, shown as `-`.
    Text(String),
    /// Every module of the standard library, checked like the user's own.
    Std,
}

/// Files read and parsed.
pub struct Loaded {
    pub(crate) sources: SourceMap,
    pub(crate) inputs: Vec<ModuleInput>,
    pub(crate) prelude: Option<FileId>,
    pub(crate) root: Option<FileId>,
    pub(crate) user_files: Vec<FileId>,
    pub(crate) problems: Vec<Diagnostic>,
    pub(crate) absent: Vec<PathBuf>,
    pub(crate) included: Vec<crate::include::Included>,
    pub(crate) expansions: qz_hir::Expansions,
    /// The user's modules, for the cache.
    pub(crate) nodes: Vec<Node>,
    /// Declarations of the first ones of the inputs.
    pub(crate) collected: Option<Defs>,
}

/// The modules of the library that every program has, loaded and collected: programs go on from there.
pub struct Library {
    loader: Loader<'static>,
    prelude: Option<FileId>,
    collected: Option<Defs>,
}

impl Library {
    /// Loads it; `settings` are those of the programs.
    pub fn new(settings: &Settings) -> Library {
        let mut loader = Loader { settings: settings.clone(), ..Loader::default() };
        let prelude = loader.std_module("prelude");
        loader.load_all();
        let is_ready = loader.problems.is_empty() && crate::expansion::is_none(&loader.inputs, prelude);
        let collected = is_ready.then(|| qz_hir::collect::collect(loader.inputs.clone(), prelude));
        Library { loader, prelude, collected }
    }
}

/// Why not even the first file could be read.
pub struct CannotRead {
    pub path: String,
    pub code: Code,
    pub reason: String,
}

/// What was loaded, before macros are expanded.
pub(crate) struct Parts {
    pub(crate) sources: SourceMapBuilder,
    pub(crate) inputs: Vec<ModuleInput>,
    pub(crate) prelude: Option<FileId>,
    pub(crate) root: Option<FileId>,
    pub(crate) user_files: Vec<FileId>,
    /// As in [`Loaded`].
    pub(crate) collected: Option<Defs>,
    pub(crate) nodes: Vec<Node>,
}

/// The module that layouts of bits and bytes are made of.
pub(crate) const BINARY_PATH: &str = "std::binary";

#[derive(Default)]
struct Loader<'c> {
    cache: Option<&'c Cache>,
    nodes: Vec<Node>,
    sources: SourceMapBuilder,
    inputs: Vec<ModuleInput>,
    queue: VecDeque<Pending>,
    problems: Vec<Diagnostic>,
    user_files: Vec<FileId>,
    /// Files that would have been read if they were there.
    absent: Vec<PathBuf>,
    /// The folder of the root file.
    root_folder: Option<PathBuf>,
    settings: Settings,
}

/// A file that was read and waits to be parsed.
struct Pending {
    file: FileId,
    module: String,
    /// Known already for the library.
    tree: Option<SyntaxTree>,
    is_std: bool,
    folder: Option<PathBuf>,
}

/// Loads a program or one file of it; `settings` are what `@cfg` asks about. What the cache knows, which must have been
/// opened with the same settings, is not parsed again.
pub fn load(root: Root, settings: &Settings, cache: Option<&Cache>) -> Result<Loaded, CannotRead> {
    load_after(Library::new(settings), root, cache)
}

/// The same beside a library that was loaded before, with the settings that it was loaded with.
pub fn load_after(library: Library, root: Root, cache: Option<&Cache>) -> Result<Loaded, CannotRead> {
    let Library { loader, prelude, collected } = library;
    let mut loader: Loader<'_> = loader;
    loader.cache = cache;
    let in_tests = loader.settings.test;
    let mut root_file = None;
    match root {
        Root::File(path) => {
            let shown = path.display().to_string();
            let text =
                read(&path).map_err(|(code, reason)| CannotRead { path: shown.clone(), code, reason })?;
            loader.root_folder = path.parent().map(Path::to_path_buf);
            let module =
                path.file_stem().map_or_else(|| "main".into(), |it| it.to_string_lossy().into_owned());
            root_file = Some(loader.add_user(path, shown, module, text));
        }
        Root::Text(text) => {
            loader.root_folder = Some(PathBuf::from("."));
            let file = loader.sources.add("-".into(), None, text.into());
            loader.user_files.push(file);
            let folder = loader.root_folder.clone();
            loader.queue.push_back(Pending {
                file,
                module: "main".into(),
                tree: None,
                is_std: false,
                folder,
            });
            root_file = Some(file);
        }
        Root::Std => {
            for name in std_files::names() {
                let file = loader.std_module(name).expect("a name from the table");
                loader.user_files.push(file);
            }
        }
    }
    loader.load_all();
    let Loader { sources, inputs, mut problems, user_files, absent, nodes, .. } = loader;
    let parts = Parts { sources, inputs, prelude, root: root_file, user_files, collected, nodes };
    let (mut parts, trace, mut expansions) = crate::expansion::expanded(parts, &mut problems);
    expansions.in_tests = in_tests;
    let included = crate::include::read_all(&mut parts, &mut expansions);
    Ok(Loaded {
        sources: parts.sources.finish(trace),
        inputs: parts.inputs,
        prelude: parts.prelude,
        root: parts.root,
        user_files: parts.user_files,
        problems,
        absent,
        included,
        expansions,
        nodes: parts.nodes,
        collected: parts.collected,
    })
}

/// A file's text, or why there is none. Reading stops at the limit whatever the file claims.
pub(crate) fn read(path: &Path) -> Result<String, (Code, String)> {
    let cannot = |error: std::io::Error| (Code::CANNOT_READ, error.to_string());
    if path.is_dir() {
        return Err((Code::CANNOT_READ, "it is a folder".into()));
    }
    let file = std::fs::File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err((Code::FILE_TOO_LARGE, "it is larger than 64 MiB, which no source text is".into()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
        (Code::NOT_UTF8, format!("line {line} is not UTF-8 (byte {at})"))
    })
}

impl Loader<'_> {
    fn add_user(&mut self, path: PathBuf, shown: String, module: String, text: String) -> FileId {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        let file = self.sources.add(shown, Some(real), text.into());
        self.user_files.push(file);
        let folder = path.parent().map(Path::to_path_buf);
        self.queue.push_back(Pending { file, module, tree: None, is_std: false, folder });
        file
    }

    fn std_module(&mut self, name: &str) -> Option<FileId> {
        let shown = format!("std/{name}.qz");
        if let Some(known) = self.sources.find_path(&shown) {
            return Some(known);
        }
        let text = std_files::find(name)?;
        let file = self.sources.add(shown, None, Arc::from(text));
        let module = format!("std::{}", name.replace('/', "::"));
        let tree = std_files::tree(name);
        self.queue.push_back(Pending { file, module, tree, is_std: true, folder: None });
        Some(file)
    }

    fn load_all(&mut self) {
        while let Some(mut pending) = self.queue.pop_front() {
            let mut text = self.sources.text(pending.file);
            let (mut tree, known) = match pending.tree.take() {
                Some(tree) => (tree, None),
                None => self.parse(&pending, &text),
            };
            if text.contains("@cfg") {
                self.leave_out(pending.file, &mut text, &mut tree);
            }
            if tree
                .elements()
                .iter()
                .any(|it| matches!(it.kind, SyntaxKind::BinaryDef | SyntaxKind::PackedStructDef))
            {
                // What layouts become refers to it without an import.
                self.std_module("binary");
            }
            if text.contains("~r\"") {
                // The same for regexes.
                self.std_module("regex");
            }
            let parsed = ParsedFile { tree: Arc::new(tree), text };
            let imports: Vec<ImportTarget> =
                import_requests(&parsed).into_iter().map(|it| self.import(&pending, it)).collect();
            if let Some((content, written)) = known {
                let file = |it: &ImportTarget| match it {
                    ImportTarget::Module(file) => Some(*file),
                    ImportTarget::Failed => None,
                };
                let imports = imports.iter().filter_map(file).collect();
                let (file, path) = (pending.file, pending.module.clone());
                self.nodes.push(Node { file, path, content, written, imports });
            }
            self.inputs.push(ModuleInput {
                path: Name::new(&pending.module),
                file: pending.file,
                parsed,
                is_std: pending.is_std,
                imports,
            });
        }
    }

    /// Blanks out what `@cfg` leaves out. Places stay as they are.
    fn leave_out(&mut self, file: FileId, text: &mut Arc<str>, tree: &mut SyntaxTree) {
        let (active, problems) = qz_macros::without_inactive(text, tree, &self.settings);
        self.problems.extend(problems.into_iter().map(|it| {
            let problem = Diagnostic::new(Code::CFG, Span::new(file, it.range), it.message);
            problem.help("conditions are `os:`, `arch:`, `feature:`, `test`, and `not`, `any`, `all` of them")
        }));
        if let Some(active) = active {
            *tree = qz_syntax::parse(&active).tree;
            *text = active.into();
        }
    }

    /// The tree of a file, and what the cache has to know of it.
    fn parse(&mut self, pending: &Pending, text: &str) -> (SyntaxTree, Option<(Key, Written)>) {
        let (tree, problems, known) = match self.cache {
            Some(cache) => {
                let parsed = cache.parse(&pending.module, text);
                (parsed.tree, parsed.problems, Some((parsed.content, parsed.written)))
            }
            None => {
                let parse = qz_syntax::parse(text);
                (parse.tree, parse.problems, None)
            }
        };
        self.problems.extend(problems.iter().map(|it| syntax_diagnostic(pending.file, it)));
        (tree, known)
    }

    fn import(&mut self, from: &Pending, request: ImportRequest) -> ImportTarget {
        let segments: Vec<&str> = request.segments.iter().map(|it| it.as_str()).collect();
        let Some((&first, rest)) = segments.split_first() else { return ImportTarget::Failed };
        let span = Span::new(from.file, request.range);
        let found = if first == "std" {
            self.import_std(from, span, &rest.join("/"))
        } else if segments == ["qspec"] || segments == ["quake"] {
            self.import_std(from, span, first)
        } else if from.is_std {
            None
        } else {
            self.import_user(from, span, &segments)
        };
        found.map_or(ImportTarget::Failed, ImportTarget::Module)
    }

    fn import_std(&mut self, from: &Pending, span: Span, name: &str) -> Option<FileId> {
        if is_internal(name) && !from.is_std {
            self.problems.push(internal_module(span, name));
            return None;
        }
        if let Some(file) = self.std_module(name) {
            return Some(file);
        }
        let problem =
            Diagnostic::new(Code::UNKNOWN_MODULE, span, format!("the library has no module `std/{name}`"));
        let names = std_files::names().filter(|it| !is_internal(it));
        self.problems.push(match did_you_mean(name, names) {
            Some(near) => problem.help(format!("did you mean `std/{near}`?")),
            None => problem,
        });
        None
    }

    fn import_user(&mut self, from: &Pending, span: Span, segments: &[&str]) -> Option<FileId> {
        let relative: PathBuf = segments.iter().collect();
        let mut folders: Vec<PathBuf> = from.folder.iter().chain(&self.root_folder).cloned().collect();
        folders.dedup();
        let mut saw_folder = false;
        for folder in &folders {
            let base = folder.join(&relative);
            for candidate in [base.with_extension("qz"), base.join("mod.qz")] {
                if candidate.is_file() {
                    return self.open_user(span, candidate, segments);
                }
                self.absent.push(candidate);
            }
            saw_folder |= base.is_dir();
        }
        let name = segments.join("/");
        self.problems.push(if saw_folder {
            Diagnostic::new(Code::IMPORT_DIRECTORY, span, format!("`{name}` is a folder without a `mod.qz`"))
                .help(format!("import a file of it, or add `{name}/mod.qz`"))
        } else {
            let tried: Vec<String> = folders
                .iter()
                .map(|it| format!("`{}`", it.join(&relative).with_extension("qz").display()))
                .collect();
            Diagnostic::new(Code::UNKNOWN_MODULE, span, format!("there is no module `{name}`"))
                .note(format!("looked for {}", tried.join(", ")))
        });
        None
    }

    fn open_user(&mut self, span: Span, path: PathBuf, segments: &[&str]) -> Option<FileId> {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if let Some(known) = self.sources.find_real(&real) {
            return Some(known);
        }
        match read(&path) {
            Ok(text) => {
                let shown = path.strip_prefix(".").unwrap_or(&path).display().to_string();
                let module = self.module_path(&real, segments);
                Some(self.add_user(path, shown, module, text))
            }
            Err((code, reason)) => {
                let message = format!("`{}` cannot be read: {reason}", path.display());
                self.problems.push(Diagnostic::new(code, span, message));
                None
            }
        }
    }

    /// The one identity of a module: its path below the root file's folder.
    fn module_path(&self, real: &Path, segments: &[&str]) -> String {
        let root = self.root_folder.as_deref().and_then(|it| {
            let it = if it.as_os_str().is_empty() { Path::new(".") } else { it };
            it.canonicalize().ok()
        });
        let below = root.and_then(|root| real.strip_prefix(root).ok().map(|it| it.with_extension("")));
        match below {
            Some(path) => {
                let parts: Vec<String> = path.iter().map(|it| it.to_string_lossy().into_owned()).collect();
                let parts = parts.strip_suffix(&["mod".to_owned()][..]).unwrap_or(&parts);
                parts.join("::")
            }
            None => segments.join("::"),
        }
    }
}

/// Whether only the library's own modules may import this one of `std/`: its functions trust their callers.
fn is_internal(name: &str) -> bool {
    name.starts_with("internal/")
}

fn internal_module(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(Code::INTERNAL_MODULE, span, format!("`std/{name}` belongs to the library's own code"))
        .note("what is in it relies on how the library calls it")
        .help("import the module whose documentation says what you need: see the reference of the library")
}

/// A parser's problem as a diagnostic.
pub(crate) fn syntax_diagnostic(file: FileId, problem: &qz_syntax::SyntaxProblem) -> Diagnostic {
    let span = Span::new(file, problem.range);
    let mut diagnostic = Diagnostic::new(Code(problem.code()), span, problem.message());
    if let Some((range, words)) = problem.secondary() {
        diagnostic = diagnostic.at(Span::new(file, range), words);
    }
    match (problem.suggestion(), problem.help()) {
        (Some(fix), help) => {
            let words = help.unwrap_or_else(|| "write it like this".into());
            diagnostic.suggest(Span::new(file, fix.range), fix.replacement, words)
        }
        (None, Some(help)) => diagnostic.help(help),
        (None, None) => diagnostic,
    }
}

/// A place at the start of a file.
pub(crate) fn file_start(file: FileId) -> Span {
    Span::new(file, TextRange::default())
}
