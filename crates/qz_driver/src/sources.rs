//! Texts and paths of all files of a run, by id.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use qz_base::{FileId, LineIndex, Span};
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
    /// Where each file really is, to read it once.
    real: Vec<Option<PathBuf>>,
}

impl SourceMapBuilder {
    pub(crate) fn add(&mut self, path: String, real: Option<PathBuf>, text: Arc<str>) -> FileId {
        let id = FileId(self.files.len() as u32);
        self.files.push(SourceFile { path, text, lines: OnceLock::new() });
        self.real.push(real);
        id
    }

    pub(crate) fn find_real(&self, real: &std::path::Path) -> Option<FileId> {
        let at = self.real.iter().position(|it| it.as_deref() == Some(real))?;
        Some(FileId(at as u32))
    }

    pub(crate) fn find_path(&self, path: &str) -> Option<FileId> {
        self.files.iter().position(|it| it.path == path).map(|at| FileId(at as u32))
    }

    pub(crate) fn text(&self, file: FileId) -> Arc<str> {
        self.files[file.0 as usize].text.clone()
    }

    pub(crate) fn finish(self) -> SourceMap {
        SourceMap { files: Arc::new(self.files) }
    }
}

impl SourceMap {
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
