//! `quartz cache`, and what the other commands do with the cache.

use std::path::Path;

use qz_diag::Diagnostic;
use qz_driver::cache::{CacheProblem, Place};
use qz_driver::{Cache, Library, Program, Root, RunOptions, Settings, SourceMap};
use qz_infer::Checker;

use super::STATUS_PROBLEMS;
use crate::cli::{CacheCommand, CacheFlags, CachePlace, Explanation, Look};

/// How one command loads its program, and its cache, if it has one.
pub(super) struct Caching {
    settings: Settings,
    cache: Option<Cache>,
    explains: Option<Explanation>,
    compares: bool,
}

impl Caching {
    /// Opens the cache of a program; texts and the library have none. Files of tests are loaded as such.
    pub(super) fn open(look: &Look, flags: &CacheFlags, root: &Root) -> Caching {
        let is_test = matches!(root, Root::File(path) if path.to_string_lossy().ends_with("_spec.qz"));
        Caching::open_as(look, flags, root, is_test)
    }

    /// The same, as part of a test or not.
    pub(super) fn open_as(look: &Look, flags: &CacheFlags, root: &Root, is_test: bool) -> Caching {
        let settings = look.settings(is_test);
        let cache = match root {
            Root::File(file) if !flags.no_cache => Cache::open(file, &settings),
            _ => return Caching { settings, cache: None, explains: None, compares: false },
        };
        let complain = |CacheProblem { folder, reason }: &CacheProblem| {
            if flags.explain_cache.is_some() {
                eprintln!("warning: there is no cache at {}: {reason}", folder.display());
            }
        };
        let cache = cache.inspect_err(complain).ok();
        Caching { settings, cache, explains: flags.explain_cache, compares: flags.check_cache }
    }

    /// The same settings without a cache.
    pub(super) fn none(look: &Look, root: &Root) -> Caching {
        let none = CacheFlags { no_cache: true, check_cache: false, explain_cache: None };
        Caching::open(look, &none, root)
    }

    pub(super) fn get(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }

    /// Loads the program or says why that is not possible.
    pub(super) fn load(&self, root: Root) -> Option<&'static Program> {
        self.load_after(Library::new(&self.settings), root)
    }

    /// The same beside a library that was loaded with the settings of this program.
    pub(super) fn load_after(&self, library: Library, root: Root) -> Option<&'static Program> {
        self.load_with(library, root, self.get())
    }

    /// Loads it by nothing that was made before.
    pub(super) fn load_anew(&self, root: Root) -> Option<&'static Program> {
        self.load_with(Library::new(&self.settings), root, None)
    }

    /// Programs stay until the process ends, which is soon: taking their many parts apart would take longer than that.
    fn load_with(&self, library: Library, root: Root, cache: Option<&Cache>) -> Option<&'static Program> {
        match qz_driver::load_after(library, root, cache) {
            Ok(loaded) => Some(Box::leak(Box::new(qz_driver::collect(loaded)))),
            Err(error) => {
                eprintln!("error[{}]: `{}` cannot be read: {}", error.code, error.path, error.reason);
                None
            }
        }
    }

    /// Whether the code of the program that runs is the same when nothing is reused, and so are the warnings.
    pub(super) fn runs_the_same(&self, file: &Path, options: &RunOptions) -> bool {
        let same_code = |cache: &Cache| cache.image_is_clean(file, &self.settings, options);
        self.get().is_none_or(same_code) && self.warns_the_same(file)
    }

    /// Whether the warnings that are kept of a program are those that checking finds.
    pub(super) fn warns_the_same(&self, file: &Path) -> bool {
        let Some(known) = self.get().and_then(|cache| cache.unchanged(file)) else { return true };
        let Some(program) = self.load_anew(Root::File(file.to_owned())) else { return false };
        let problems = qz_driver::check(program, &Checker::for_problems(&program.defs), None);
        let words = |problems: &[Diagnostic], sources: &SourceMap| -> Vec<String> {
            problems.iter().map(|it| qz_diag::render_human(it, sources, false)).collect()
        };
        words(&known.warnings, &known.sources) == words(&problems, &program.sources)
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

pub(super) fn manage(command: &CacheCommand) -> u8 {
    let (CacheCommand::Stats(CachePlace { path })
    | CacheCommand::Clean(CachePlace { path })
    | CacheCommand::Verify(CachePlace { path })) = command;
    let place = Place::find(path);
    let cache = match Cache::at(&place, path, &Settings::default()) {
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
