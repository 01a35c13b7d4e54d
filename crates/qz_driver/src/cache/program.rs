//! Programs that did not change at all since they were last checked: all their files are what they were, and files that
//! would have been read instead of others are still not there.

use std::path::Path;

use qz_base::FileId;
use qz_cache::{Found, Key, KeyBuilder, Tier};
use qz_diag::{Diagnostic, Sources};
use serde::{Deserialize, Serialize};

use super::check::Modules;
use super::stored::{Stored, restore, store};
use super::{Cache, Outcome, Stage};
use crate::Program;
use crate::sources::{SourceMap, SourceMapBuilder};

/// What a program was when it was last checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The path of each file as the user knows it, and the text's digest.
    files: Vec<(String, Key)>,
    /// Files that were looked for in vain.
    absent: Vec<String>,
    /// Files that are part of a text, by `include_str` and the like; without a digest if they could not be read.
    included: Vec<(String, Option<Key>)>,
    /// What was found; nothing if there were errors, which are looked for again.
    warnings: Option<Vec<Stored>>,
    /// For explanations.
    pub(crate) modules: Modules,
}

/// A program without errors whose text is what it was.
pub struct Unchanged {
    /// Empty if there is nothing to show of them.
    pub sources: SourceMap,
    pub warnings: Vec<Diagnostic>,
    /// Stands for all its files, by path and text.
    pub(crate) key: Key,
}

impl Cache {
    fn record_key(&self, root: &Path) -> Option<Key> {
        let here = std::env::current_dir().ok()?;
        Some(self.key("program").str(here.to_str()?).str(root.to_str()?).finish())
    }

    /// The program that starts with this file, if nothing of it changed since it was checked.
    pub fn unchanged(&self, root: &Path) -> Option<Unchanged> {
        let bytes = match self.store.get(Tier::Program, self.record_key(root)?) {
            Found::Content(bytes) => bytes,
            Found::Nothing => return None,
            Found::Damaged(damage) => {
                self.note(
                    &root.display().to_string(),
                    Stage::Program,
                    Outcome::Damaged(damage),
                    Default::default(),
                );
                return None;
            }
        };
        let record: Record = qz_cache::decode(&bytes).ok()?;
        let found = self.as_it_was(&record);
        if found.is_some() {
            self.note(&root.display().to_string(), Stage::Program, Outcome::Reused, Default::default());
        }
        *self.last.borrow_mut() = Some(record);
        found
    }

    fn as_it_was(&self, record: &Record) -> Option<Unchanged> {
        let warnings = record.warnings.clone()?;
        let mut sources = SourceMapBuilder::default();
        for (path, content) in &record.files {
            let text = crate::load::read(Path::new(path)).ok()?;
            if Key::of_content(text.as_bytes()) != *content {
                return None;
            }
            if !warnings.is_empty() {
                sources.add(path.clone(), None, text.into());
            }
        }
        if record.absent.iter().any(|it| Path::new(it).is_file()) {
            return None;
        }
        let same = |(path, content): &(String, Option<Key>)| included_key(Path::new(path)) == *content;
        if !record.included.iter().all(same) {
            return None;
        }
        let sources = sources.finish(Default::default());
        let file = |number: u32| {
            let id = FileId(number);
            sources.ids().nth(number as usize).map(|_| (id, sources.text(id).len() as u32))
        };
        let warnings: Option<Vec<Diagnostic>> = warnings.into_iter().map(|it| restore(it, &file)).collect();
        Some(Unchanged { warnings: warnings?, key: self.files_key(&record.files, &record.included), sources })
    }

    fn files_key(&self, files: &[(String, Key)], included: &[(String, Option<Key>)]) -> Key {
        let key = self.key("files").number(files.len() as u64);
        let key = files.iter().fold(key, |key, (path, content)| key.str(path).key(*content));
        let add = |key: KeyBuilder, (path, content): &(String, Option<Key>)| match content {
            Some(content) => key.str(path).key(*content),
            None => key.str(path).str("nothing"),
        };
        included.iter().fold(key, add).finish()
    }

    /// Stands for all files of a program, by path and text.
    pub(crate) fn program_key(&self, program: &Program) -> Key {
        self.files_key(&files(program), &included(program))
    }

    /// Remembers a program that was just checked.
    pub(crate) fn remember(&self, program: &Program, problems: &[Diagnostic], modules: Modules) {
        let Some(root) = program.root_path() else { return };
        let Some(key) = self.record_key(Path::new(root)) else { return };
        let number = |file: FileId| {
            let at = read(program).position(|it| it == file)?;
            Some(at as u32)
        };
        let clean = !problems.iter().any(Diagnostic::is_error);
        let warnings = problems.iter().map(|it| store(it, &number)).collect::<Option<_>>().filter(|_| clean);
        let absent = program.absent.iter().map(|it| it.to_str().map(str::to_owned));
        let Some(absent) = absent.collect::<Option<Vec<String>>>() else { return };
        let (files, included) = (files(program), included(program));
        let record = Record { files, absent, included, warnings, modules };
        self.store.put(Tier::Program, key, &qz_cache::encode(&record));
    }
}

/// Files that are part of a text, as they were read.
fn included(program: &Program) -> Vec<(String, Option<Key>)> {
    let file = |it: &crate::include::Included| {
        let key = it.digest.as_ref().and_then(|it| Key::from_hex(it));
        (it.path.to_string_lossy().into_owned(), key)
    };
    program.included.iter().map(file).collect()
}

fn included_key(path: &Path) -> Option<Key> {
    std::fs::read(path).ok().map(|bytes| Key::of_content(&bytes))
}

/// The user's files in the order in which they were read.
fn files(program: &Program) -> Vec<(String, Key)> {
    let file = |id: FileId| {
        let sources = &program.sources;
        (Sources::path(sources, id).to_owned(), Key::of_content(sources.text(id).as_bytes()))
    };
    read(program).map(file).collect()
}

/// The user's files as they were read, before anything was made of their texts.
fn read(program: &Program) -> impl Iterator<Item = FileId> {
    program.modules.iter().map(|&it| program.sources.as_read(program.defs.file_of(it)))
}
