//! What need not be done again: the on-disk cache as the stages see it.
//!
//! * [`parse`]: trees, by a file's text;
//! * [`check`]: what checking a module found, by its text and the interfaces that it can see; [`written`] and
//!   [`graph`] say what those are;
//! * [`effects`]: what its functions perform, besides;
//! * [`mir`]: what bodies became, by the same;
//! * [`program`]: a whole program that did not change at all;
//! * [`image`]: its machine code, and [`code`]: that of each function; [`part`]: changing a few of them; [`built`]: files;
//! * [`explain`]: what was reused and why the rest was not.
//!
//! A stage is skipped only because its result is in hand. Every key has the compiler's own [`build_id`] in it, and the
//! flags that the stage hears of.

pub(crate) mod build_id;
pub(crate) mod built;
pub(crate) mod check;
pub(crate) mod code;
pub(crate) mod effects;
pub(crate) mod explain;
pub(crate) mod graph;
pub(crate) mod image;
pub(crate) mod mir;
pub(crate) mod parse;
pub(crate) mod part;
pub(crate) mod place;
pub(crate) mod program;
pub(crate) mod stored;
pub(crate) mod written;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use qz_cache::{Damage, Evicted, Key, KeyBuilder, Store, Usage};
use qz_macros::Settings;

pub use explain::{Journal, Line, Outcome, Stage};
pub use place::{CacheProblem, Place};
pub use program::Unchanged;

/// The cache of one command.
pub struct Cache {
    pub(crate) store: Store,
    /// Of the compiler and what it was told.
    base: Key,
    /// Whether files are loaded as tests.
    is_test: bool,
    /// The program's file, as the cache calls it: from the project's folder if it is in there.
    name: String,
    journal: RefCell<Journal>,
    /// What its user should hear.
    complaints: RefCell<Vec<String>>,
    /// What the program was when it was last seen.
    last: RefCell<Option<program::Record>>,
    /// What its modules are now, if they were checked one by one.
    modules: RefCell<Option<check::Modules>>,
}

impl Cache {
    /// Opens the cache of a program that is loaded with these settings. There is none if its folder cannot be written.
    pub fn open(root: &Path, settings: &Settings) -> Result<Cache, CacheProblem> {
        match Place::shared(root) {
            Ok(place) => Cache::at(&place, root, settings),
            Err(words) => {
                let cache = Cache::at(&Place::find(root), root, settings)?;
                cache.complaints.borrow_mut().push(words);
                Ok(cache)
            }
        }
    }

    /// Opens the cache that stands in a folder.
    pub fn at(place: &Place, root: &Path, settings: &Settings) -> Result<Cache, CacheProblem> {
        let name = place.name_of(root);
        let Settings { os, arch, features, test } = settings;
        let base = KeyBuilder::new("quartz 2").key(build_id::build_id()).str(os).str(arch);
        let base = base.number(u64::from(*test)).number(features.len() as u64);
        let base = features.iter().fold(base, |key, it| key.str(it)).finish();
        Ok(Cache {
            store: place.open()?,
            base,
            is_test: *test,
            name,
            journal: RefCell::default(),
            complaints: RefCell::default(),
            last: RefCell::default(),
            modules: RefCell::default(),
        })
    }

    /// A key that nobody with another compiler or other flags has.
    pub(crate) fn key(&self, kind: &str) -> KeyBuilder {
        KeyBuilder::new(kind).key(self.base)
    }

    pub(crate) fn note(&self, what: &str, stage: Stage, outcome: Outcome, saved: Duration) {
        self.journal.borrow_mut().add(what, stage, outcome, saved);
    }

    /// What was reused so far.
    pub fn journal(&self) -> Journal {
        self.journal.borrow().clone()
    }

    pub fn folder(&self) -> &Path {
        self.store.folder()
    }

    /// What each kind of entries takes.
    pub fn usage(&self) -> Vec<Usage> {
        self.store.usage()
    }

    /// Removes every entry.
    pub fn clean(&self) -> Evicted {
        self.store.clean()
    }

    /// Reads every entry: how many are whole, and which were not and are gone now.
    pub fn verify(&self) -> (u64, Vec<(PathBuf, Damage)>) {
        self.store.verify()
    }

    /// Ends a command: what went wrong with a shared cache.
    pub fn close(&self) -> Vec<String> {
        self.store.close();
        let mut complaints = self.complaints.take();
        complaints.extend(self.store.take_complaints());
        complaints
    }
}
