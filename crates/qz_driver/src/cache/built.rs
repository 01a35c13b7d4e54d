//! Files that were built: one that still has the bytes it was given is not built again, if the program, the options, the
//! tools and everything that those read are what they were.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use qz_cache::{Key, Tier};
use serde::{Deserialize, Serialize};

use super::program::Unchanged;
use super::{Cache, Outcome, Stage};
use crate::Program;
use crate::native::{self, BuildOptions};

/// What explanations call it.
const OUTPUT: &str = "(the output)";

/// What a build made, and of which files beside the program's.
#[derive(Serialize, Deserialize)]
struct Built {
    output: Key,
    /// Who may read and run it.
    mode: u32,
    read: Vec<(PathBuf, Facts)>,
}

/// What changes when a file does: its length, and when it was written, in nanoseconds.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Facts(u64, u128);

impl Facts {
    fn of(path: &Path) -> Option<Facts> {
        let data = path.metadata().ok()?;
        let time = data.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Facts(data.len(), time.as_nanos()))
    }
}

fn mode(path: &Path) -> Option<u32> {
    Some(path.metadata().ok()?.permissions().mode())
}

impl Cache {
    /// Whether a build of this program would make the file that is there; if so, it is as new as if it had just been made.
    pub fn is_built(&self, known: &Unchanged, source: &Path, options: &BuildOptions) -> bool {
        let found = self.find_built(known, source, options).is_some();
        if found {
            self.note(OUTPUT, Stage::Code, Outcome::Reused, Default::default());
        }
        found
    }

    fn find_built(&self, known: &Unchanged, source: &Path, options: &BuildOptions) -> Option<()> {
        let target = native::target_of(source, options);
        let content = self.store.get(Tier::Code, self.built_key(known.key, source, options)?).content()?;
        let built: Built = qz_cache::decode(&content).ok()?;
        let same = |(path, facts): &(PathBuf, Facts)| Facts::of(path).as_ref() == Some(facts);
        // A link would be replaced.
        let is_there = target.symlink_metadata().is_ok_and(|it| it.is_file());
        if !is_there || !built.read.iter().all(same) || mode(&target) != Some(built.mode) {
            return None;
        }
        let file = File::options().read(true).write(true).open(&target).ok()?;
        let is_it = Key::of_content(&std::fs::read(&target).ok()?) == built.output;
        (is_it && file.set_modified(SystemTime::now()).is_ok()).then_some(())
    }

    /// Remembers what was made, and of which files; asked before anybody else can write it.
    pub(crate) fn note_built(
        &self,
        program: &Program,
        source: &Path,
        options: &BuildOptions,
        made: &Path,
        read: Vec<PathBuf>,
    ) {
        let Some(key) = self.built_key(self.program_key(program), source, options) else { return };
        let (Ok(content), Some(mode)) = (std::fs::read(made), mode(made)) else { return };
        let read = read.into_iter().map(|path| Some((Facts::of(&path)?, path)));
        let Some(read) = read.map(|it| it.map(|(facts, path)| (path, facts))).collect::<Option<_>>() else {
            return;
        };
        let built = Built { output: Key::of_content(&content), mode, read };
        self.store.put(Tier::Code, key, &qz_cache::encode(&built));
    }

    fn built_key(&self, program: Key, source: &Path, options: &BuildOptions) -> Option<Key> {
        let here = std::env::current_dir().ok()?;
        let key = self.key("built").key(program).str(here.to_str()?).str(source.to_str()?);
        Some(key.str(&format!("{options:?}")).str(&native::tools_at_hand(options)?).finish())
    }
}
