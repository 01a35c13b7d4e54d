//! `quartz cache`, and what the other commands do with the cache.

use std::path::Path;

use qz_driver::cache::{CacheProblem, Place};
use qz_driver::{Cache, RunOptions};

use super::STATUS_PROBLEMS;
use crate::cli::{CacheCommand, CacheFlags, CachePlace, Explanation};

/// One command's cache, if it has one.
pub(super) struct Caching {
    cache: Option<Cache>,
    explains: Option<Explanation>,
    compares: bool,
}

impl Caching {
    /// Opens the cache of the program that starts with `file`; there is none without a file.
    pub(super) fn open(flags: &CacheFlags, file: Option<&Path>) -> Caching {
        let cache = file.filter(|_| !flags.no_cache).and_then(|file| match Cache::open(file, "") {
            Ok(cache) => Some(cache),
            Err(CacheProblem { folder, reason }) => {
                if flags.explain_cache.is_some() {
                    eprintln!("warning: there is no cache at {}: {reason}", folder.display());
                }
                None
            }
        });
        Caching { cache, explains: flags.explain_cache, compares: flags.check_cache }
    }

    pub(super) fn get(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }

    /// Ends the command: says what there is to say. `same` makes everything anew and compares; the status tells whether
    /// it was asked for and differs.
    pub(super) fn end(&self, same: impl FnOnce() -> bool) -> u8 {
        let Some(cache) = &self.cache else { return 0 };
        for words in cache.close() {
            eprintln!("warning: {words}");
        }
        let journal = cache.journal();
        match self.explains {
            Some(Explanation::Table) => eprint!("{}", journal.table()),
            Some(Explanation::Json) => eprint!("{}", journal.json()),
            None => {}
        }
        if journal.damaged() > 0 {
            let n = journal.damaged();
            let entries = if n == 1 { "entry was" } else { "entries were" };
            eprintln!("warning: {n} {entries} damaged in {} and made anew", cache.folder().display());
        }
        if self.compares && !same() {
            super::report_internal("what the cache gave is not what is made without it");
            return crate::STATUS_INTERNAL;
        }
        0
    }
}

/// Whether the program's code is the same when nothing is reused.
pub(super) fn runs_the_same(file: &Path, options: &RunOptions) -> bool {
    qz_driver::cache::image_is_clean(file, options)
}

pub(super) fn manage(command: &CacheCommand) -> u8 {
    let (CacheCommand::Stats(CachePlace { path })
    | CacheCommand::Clean(CachePlace { path })
    | CacheCommand::Verify(CachePlace { path })) = command;
    let place = Place::find(path);
    let cache = match Cache::at(&place, path, "") {
        Ok(cache) => cache,
        Err(CacheProblem { folder, reason }) => {
            eprintln!("error: there is no cache at {}: {reason}", folder.display());
            return STATUS_PROBLEMS;
        }
    };
    match command {
        CacheCommand::Stats(_) => stats(&cache, &place),
        CacheCommand::Clean(_) => {
            let gone = cache.clean();
            println!("removed {} entries, {}", gone.entries, megabytes(gone.bytes));
            0
        }
        CacheCommand::Verify(_) => {
            let (whole, damaged) = cache.verify();
            for (path, damage) in &damaged {
                println!("{} {}: removed", path.display(), damage.words());
            }
            println!("{whole} entries are whole, {} were damaged", damaged.len());
            if damaged.is_empty() { 0 } else { STATUS_PROBLEMS }
        }
    }
}

fn stats(cache: &Cache, place: &Place) -> u8 {
    println!("{}", place.folder.display());
    let usage = cache.usage();
    for it in &usage {
        println!("{:>9}  {:>7} entries  {:>10}", it.tier.name(), it.entries, megabytes(it.bytes));
    }
    let bytes: u64 = usage.iter().map(|it| it.bytes).sum();
    println!("{:>9}  {:>7}          {:>10} of {}", "all", "", megabytes(bytes), megabytes(place.limit));
    0
}

fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}
