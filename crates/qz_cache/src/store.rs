//! A folder of entries. Every entry is a file that appears whole, by renaming, so any number of processes may read and
//! write at a time and each may be killed at any point: what is found is an entry or nothing.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::entry::{self, Damage};
use crate::remote::{Asked, Remote};
use crate::{Key, evict};

/// Changes with the layout of the folder.
const LAYOUT: &str = "v1";
/// An entry that is used counts as new again after so long: writing its time at each use would cost more than it tells.
const FRESH: Duration = Duration::from_secs(3600);
/// Stays below what is worth a place of its own among the packed ones.
const PACK_FROM: usize = 4096;

/// What kind of thing an entry is; each has a folder.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// A file's tree, by its text.
    Parse,
    /// What checking a module found, by its text and the interfaces it used.
    Check,
    /// What bodies became, by what checking their module depends on.
    Mir,
    /// Machine code.
    Code,
    /// What a program consisted of when it was last seen, by its name: the one kind that is replaced.
    Program,
}

impl Tier {
    pub const ALL: [Tier; 5] = [Tier::Parse, Tier::Check, Tier::Mir, Tier::Code, Tier::Program];

    pub fn name(self) -> &'static str {
        match self {
            Tier::Parse => "parse",
            Tier::Check => "check",
            Tier::Mir => "mir",
            Tier::Code => "code",
            Tier::Program => "program",
        }
    }

    /// Whether others may have use for it. What a program was last depends on this machine's folders.
    fn is_shared(self) -> bool {
        self != Tier::Program
    }
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Content(Vec<u8>),
    Nothing,
    /// There was something else; it is gone now.
    Damaged(Damage),
}

impl Found {
    pub fn content(self) -> Option<Vec<u8>> {
        match self {
            Found::Content(content) => Some(content),
            _ => None,
        }
    }
}

/// A folder of entries, perhaps with a store behind it that others share.
pub struct Store {
    folder: PathBuf,
    /// Bytes that it may take.
    limit: u64,
    added: AtomicU64,
    remote: Option<Arc<dyn Remote>>,
    asked: Asked,
}

impl Store {
    /// Opens or makes the folder. `limit` bounds its size in bytes.
    pub fn open(folder: &Path, limit: u64) -> io::Result<Store> {
        let folder = folder.join(LAYOUT);
        for tier in Tier::ALL {
            fs::create_dir_all(folder.join(tier.name()))?;
        }
        fs::create_dir_all(folder.join("new"))?;
        note_what_it_is(folder.parent().expect("the folder that was joined to"));
        Ok(Store { folder, limit, added: AtomicU64::new(0), remote: None, asked: Asked::default() })
    }

    /// Puts a shared store behind this one.
    pub fn with_remote(mut self, remote: Arc<dyn Remote>) -> Store {
        self.remote = Some(remote);
        self
    }

    /// Where entries stand.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of an entry.
    pub fn path(&self, tier: Tier, key: Key) -> PathBuf {
        let name = key.to_string();
        self.folder.join(tier.name()).join(&name[..2]).join(&name[2..])
    }

    /// What was made from this, if it is here or in the shared store.
    pub fn get(&self, tier: Tier, key: Key) -> Found {
        match self.look(tier, key) {
            Found::Content(content) => {
                use_again(&self.path(tier, key));
                Found::Content(content)
            }
            other => self.get_shared(tier, key).map_or(other, Found::Content),
        }
    }

    /// What is here; damaged entries are removed.
    pub(crate) fn look(&self, tier: Tier, key: Key) -> Found {
        let path = self.path(tier, key);
        let Ok(bytes) = fs::read(&path) else { return Found::Nothing };
        match entry::read(key, bytes) {
            Ok(content) => Found::Content(content),
            Err(damage) => {
                fs::remove_file(&path).ok();
                Found::Damaged(damage)
            }
        }
    }

    fn get_shared(&self, tier: Tier, key: Key) -> Option<Vec<u8>> {
        let remote = self.remote.as_deref().filter(|_| tier.is_shared())?;
        let bytes = self.asked.get(remote, &shared_name(tier, key))?;
        match entry::read(key, bytes.clone()) {
            Ok(content) => {
                self.write(&self.path(tier, key), &bytes).ok();
                Some(content)
            }
            Err(damage) => {
                self.asked.complain(&format!("the shared cache gave an entry that {}", damage.words()));
                None
            }
        }
    }

    /// Keeps what was made. That it cannot be kept costs time, later; so there is no error.
    pub fn put(&self, tier: Tier, key: Key, content: &[u8]) {
        let bytes = entry::write(key, content, content.len() >= PACK_FROM);
        self.write(&self.path(tier, key), &bytes).ok();
        if let Some(remote) = self.remote.as_ref().filter(|_| tier.is_shared()) {
            self.asked.put(remote.clone(), shared_name(tier, key), bytes);
        }
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let new = self.folder.join("new").join(unique());
        let written = write_and_move(&new, path, bytes);
        if written.is_err() {
            fs::remove_file(&new).ok();
        }
        written?;
        self.added.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Whatever the shared store made people wonder about, once for each run.
    pub fn take_complaints(&self) -> Vec<String> {
        self.asked.take_complaints()
    }

    /// Ends a run: hands the last entries to the shared store, and lets go of the oldest ones if the folder outgrew its
    /// bound.
    pub fn close(&self) {
        self.asked.finish();
        let added = self.added.swap(0, Ordering::Relaxed);
        if added > 0 {
            evict::note_added(&self.folder, added, self.limit);
        }
    }
}

fn shared_name(tier: Tier, key: Key) -> String {
    let name = key.to_string();
    format!("{LAYOUT}/{}/{}/{}", tier.name(), &name[..2], &name[2..])
}

fn write_and_move(new: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(new)?;
    file.write_all(bytes)?;
    drop(file);
    match fs::rename(new, path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().expect("an entry stands in a folder"))?;
            fs::rename(new, path)
        }
        done => done,
    }
}

/// A name that no other file has: numbers of processes come again, so the time is part of it.
fn unique() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{:x}-{number}", std::process::id(), since.as_nanos())
}

/// The time of an entry says when it was last used, roughly.
fn use_again(path: &Path) {
    let now = SystemTime::now();
    let old = |time: SystemTime| now.duration_since(time).is_ok_and(|it| it > FRESH);
    if fs::metadata(path).and_then(|it| it.modified()).is_ok_and(old)
        && let Ok(file) = fs::File::options().append(true).open(path)
    {
        file.set_modified(now).ok();
    }
}

/// Backups and version control leave the folder out.
fn note_what_it_is(folder: &Path) {
    let notes = [
        (".gitignore", "*\n"),
        (
            "CACHEDIR.TAG",
            "Signature: 8a477f597d28d172789f06886806bc55\n# What quartz made before. It may be deleted at any time.\n",
        ),
    ];
    for (name, text) in notes {
        let path = folder.join(name);
        if !path.exists() {
            fs::write(path, text).ok();
        }
    }
}
