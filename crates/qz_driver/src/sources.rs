//! Texts and paths of all files of a run, by id.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use qz_base::{FileId, FxHashMap, LineIndex, Span};
use qz_codegen::{Position, SourceFiles};
use qz_diag::Diagnostic;
use qz_macros::{Origin, Trace};

/// Files in the order in which they were read.
#[derive(Clone, Default)]
pub struct SourceMap {
    files: Arc<Vec<SourceFile>>,
    /// The calls of macros that expanded texts come from.
    trace: Arc<Trace>,
}

struct SourceFile {
    /// As the user knows it: relative to where the command runs, or `std/vec.qz`.
    path: String,
    text: Arc<str>,
    lines: OnceLock<LineIndex>,
    /// Of a text that macros made: where each piece was written, and the file that was expanded.
    expanded: Option<(Arc<[Origin]>, FileId)>,
}

/// Files being added.
#[derive(Default)]
pub(crate) struct SourceMapBuilder {
    files: Vec<SourceFile>,
    /// Files by where they really are, to read each once.
    by_real: FxHashMap<PathBuf, FileId>,
    by_path: FxHashMap<String, FileId>,
}

impl SourceMapBuilder {
    pub(crate) fn add(&mut self, path: String, real: Option<PathBuf>, text: Arc<str>) -> FileId {
        let id = FileId(self.files.len() as u32);
        self.by_path.entry(path.clone()).or_insert(id);
        self.by_real.extend(real.map(|real| (real, id)));
        self.files.push(SourceFile { path, text, lines: OnceLock::new(), expanded: None });
        id
    }

    /// The text of a file after expansion.
    pub(crate) fn add_expanded(&mut self, file: FileId, text: Arc<str>, origins: Arc<[Origin]>) -> FileId {
        let id = FileId(self.files.len() as u32);
        let path = self.files[file.0 as usize].path.clone();
        self.files.push(SourceFile { path, text, lines: OnceLock::new(), expanded: Some((origins, file)) });
        id
    }

    /// Where a piece of an expanded text was written.
    pub(crate) fn origin(&self, span: Span) -> Span {
        let expanded = self.files[span.file.0 as usize].expanded.as_ref();
        expanded.map_or(span, |(origins, _)| qz_macros::place(origins, span.range).0)
    }

    pub(crate) fn shown_path(&self, file: FileId) -> String {
        self.files[file.0 as usize].path.clone()
    }

    pub(crate) fn find_real(&self, real: &std::path::Path) -> Option<FileId> {
        self.by_real.get(real).copied()
    }

    pub(crate) fn find_path(&self, path: &str) -> Option<FileId> {
        self.by_path.get(path).copied()
    }

    pub(crate) fn text(&self, file: FileId) -> Arc<str> {
        self.files[file.0 as usize].text.clone()
    }

    pub(crate) fn finish(self, trace: Trace) -> SourceMap {
        SourceMap { files: Arc::new(self.files), trace: Arc::new(trace) }
    }
}

impl SourceMap {
    /// Where a file is, as the user knows it.
    pub(crate) fn path(&self, id: FileId) -> &std::path::Path {
        std::path::Path::new(&self.file(id).path)
    }

    fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// The file as it was read, of one that may be an expansion of it.
    pub fn as_read(&self, id: FileId) -> FileId {
        self.file(id).expanded.as_ref().map_or(id, |it| it.1)
    }

    /// Where somebody wrote what stands at a place: what a macro wrote counts as written at the call.
    pub(crate) fn written(&self, span: Span) -> Span {
        let Some((origins, _)) = &self.file(span.file).expanded else { return span };
        let (place, by) = qz_macros::place(origins, span.range);
        self.trace.outermost(by).map_or(place, |it| it.call)
    }

    /// A problem with places in source texts only.
    pub(crate) fn settle(&self, problem: Diagnostic) -> Diagnostic {
        let origins = |span: Span| self.file(span.file).expanded.as_ref().map(|it| it.0.clone());
        qz_macros::explain(problem, &self.trace, &origins)
    }

    /// The ids of all files, in the order they were read.
    pub fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..self.files.len() as u32).map(FileId)
    }
}

impl qz_diag::Sources for SourceMap {
    fn path(&self, file: FileId) -> &str {
        &self.file(file).path
    }

    fn text(&self, file: FileId) -> &str {
        &self.file(file).text
    }
}

impl SourceFiles for SourceMap {
    fn position(&self, span: Span) -> Position {
        let span = self.written(span);
        let file = self.file(span.file);
        let lines = file.lines.get_or_init(|| LineIndex::new(&file.text));
        let at = lines.line_col(&file.text, span.range.start);
        Position { file: file.path.clone(), line: at.line + 1, column: at.col + 1 }
    }
}
