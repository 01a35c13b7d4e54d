//! How the folder stays below its bound: runs note how much they added, and the one that goes over it lets go of the
//! entries that were not used for the longest time.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::{Damage, Found, Key, Store, Tier};

/// Notes of eight bytes, each how much a run added since the folder was last looked through.
const NOTES: &str = "added";
/// So much of the bound is left after letting go: three quarters.
const KEPT: (u64, u64) = (3, 4);
/// Files on their way that are older have nobody any more.
const LOST: Duration = Duration::from_secs(3600);

/// What one kind of entries takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    pub tier: Tier,
    pub entries: u64,
    pub bytes: u64,
}

/// What was let go.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Evicted {
    pub entries: u64,
    pub bytes: u64,
}

struct File {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// Notes that a run added this much; looks through the folder if that may be too much.
pub(crate) fn note_added(folder: &Path, added: u64, limit: u64) {
    let notes = folder.join(NOTES);
    let appended = fs::File::options()
        .append(true)
        .create(true)
        .open(&notes)
        .and_then(|mut file| file.write_all(&added.to_le_bytes()));
    let total = fs::read(&notes).map(|bytes| {
        let words = bytes.as_chunks::<8>().0;
        words.iter().fold(0, |sum: u64, word| sum.saturating_add(u64::from_le_bytes(*word)))
    });
    // Whoever cannot keep books looks.
    if appended.is_err() || total.is_ok_and(|total| total > limit) {
        bound(folder, limit);
    }
}

/// Lets go of the oldest entries until the folder is below its bound again.
fn bound(folder: &Path, limit: u64) -> Evicted {
    sweep(folder);
    let mut files: Vec<File> = Tier::ALL.iter().flat_map(|tier| files(&folder.join(tier.name()))).collect();
    let mut total: u64 = files.iter().map(|it| it.bytes).sum();
    let mut gone = Evicted::default();
    if total > limit {
        files.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
        for file in files {
            if total <= limit / KEPT.1 * KEPT.0 {
                break;
            }
            if fs::remove_file(&file.path).is_ok() {
                total -= file.bytes;
                gone = Evicted { entries: gone.entries + 1, bytes: gone.bytes + file.bytes };
            }
        }
    }
    let new = folder.join("new").join(format!("added-{}", std::process::id()));
    let replaced = fs::write(&new, total.to_le_bytes()).and_then(|()| fs::rename(&new, folder.join(NOTES)));
    if replaced.is_err() {
        fs::remove_file(&new).ok();
    }
    gone
}

/// Removes what builds left that were killed.
fn sweep(folder: &Path) {
    let now = SystemTime::now();
    for file in folder_files(&folder.join("new")) {
        if now.duration_since(file.used).is_ok_and(|age| age > LOST) {
            fs::remove_file(&file.path).ok();
        }
    }
}

/// The entries of a kind.
fn files(folder: &Path) -> Vec<File> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().flat_map(|entry| folder_files(&entry.path())).collect()
}

fn folder_files(folder: &Path) -> Vec<File> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let file = |entry: fs::DirEntry| {
        let facts = entry.metadata().ok().filter(|it| it.is_file())?;
        let used = facts.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Some(File { path: entry.path(), bytes: facts.len(), used })
    };
    entries.flatten().filter_map(file).collect()
}

impl Store {
    /// What each kind of entries takes.
    pub fn usage(&self) -> Vec<Usage> {
        let of = |tier: Tier| {
            let files = files(&self.folder().join(tier.name()));
            Usage { tier, entries: files.len() as u64, bytes: files.iter().map(|it| it.bytes).sum() }
        };
        Tier::ALL.into_iter().map(of).collect()
    }

    /// Reads every entry; damaged ones are removed and told.
    pub fn verify(&self) -> (u64, Vec<(PathBuf, Damage)>) {
        let mut whole = 0;
        let mut damaged = Vec::new();
        for tier in Tier::ALL {
            for file in files(&self.folder().join(tier.name())) {
                match key_of(&file.path).map(|key| self.look(tier, key)) {
                    Some(Found::Content(_)) => whole += 1,
                    Some(Found::Nothing) => {}
                    Some(Found::Damaged(damage)) => damaged.push((file.path, damage)),
                    None => {
                        fs::remove_file(&file.path).ok();
                        damaged.push((file.path, Damage::Key));
                    }
                }
            }
        }
        damaged.sort_by(|a, b| a.0.cmp(&b.0));
        (whole, damaged)
    }

    /// Lets go of everything. Processes at work find less than they expect, which they can bear.
    pub fn clean(&self) -> Evicted {
        let mut gone = Evicted::default();
        for tier in Tier::ALL {
            for file in files(&self.folder().join(tier.name())) {
                if fs::remove_file(&file.path).is_ok() {
                    gone = Evicted { entries: gone.entries + 1, bytes: gone.bytes + file.bytes };
                }
            }
        }
        sweep(self.folder());
        fs::remove_file(self.folder().join(NOTES)).ok();
        gone
    }
}

/// An entry's place is its key.
fn key_of(path: &Path) -> Option<Key> {
    let rest = path.file_name()?.to_str()?;
    let start = path.parent()?.file_name()?.to_str()?;
    Key::from_hex(&format!("{start}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> Key {
        Key::of_content(&[n])
    }

    /// Makes an entry look as if it was used that many minutes ago.
    fn used(store: &Store, n: u8, minutes: u64) {
        let file =
            fs::File::options().write(true).open(store.path(Tier::Parse, key(n))).expect("it is there");
        file.set_modified(SystemTime::now() - Duration::from_secs(60 * minutes)).expect("it can be set");
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = std::env::temp_dir().join(format!("quartz-evict-{}", std::process::id()));
        fs::remove_dir_all(&folder).ok();
        let content: Vec<u8> = (0..10_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let store = Store::open(&folder, u64::MAX).expect("the temporary folder can be written");
        (0..10).for_each(|n| store.put(Tier::Parse, key(n), &content));
        // The last ones written are the oldest, but for one that was asked for just now.
        (0..10).for_each(|n| used(&store, n, 60 * (1 + u64::from(n))));
        assert!(matches!(store.get(Tier::Parse, key(9)), Found::Content(_)));
        store.close();
        let all: u64 = store.usage().iter().map(|it| it.bytes).sum();
        let gone = bound(store.folder(), all - 1);
        let left: Vec<u8> = (0..10).filter(|&n| store.path(Tier::Parse, key(n)).exists()).collect();
        assert_eq!((gone.entries, left), (3, vec![0, 1, 2, 3, 4, 5, 9]));
        fs::remove_dir_all(&folder).ok();
    }
}
