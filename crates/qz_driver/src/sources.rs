//! Texts and paths of all files of a run, by id.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use qz_base::{FileId, FxHashMap, LineIndex, Span};
use qz_codegen::{Position, SourceFiles};

/// Files in the order in which they were read.
#[derive(Clone, Default)]
pub struct SourceMap {
    files: Arc<Vec<SourceFile>>,
}

struct SourceFile {
    /// As the user knows it: relative to where the command runs, or `std/vec.qz`.
    path: String,
    text: Arc<str>,
    lines: OnceLock<LineIndex>,
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
        self.files.push(SourceFile { path, text, lines: OnceLock::new() });
        id
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

    pub(crate) fn finish(self) -> SourceMap {
        SourceMap { files: Arc::new(self.files) }
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
        let file = self.file(span.file);
        let lines = file.lines.get_or_init(|| LineIndex::new(&file.text));
        let at = lines.line_col(&file.text, span.range.start);
        Position { file: file.path.clone(), line: at.line + 1, column: at.col + 1 }
    }
}
