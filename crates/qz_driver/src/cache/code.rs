//! Machine code by function: one pack of functions for each module of a program, which is replaced when any of them
//! changed. Programs share the packs of the library's modules and of what the compiler makes itself, which grow with what each of them needs. What is in a pack is
//! found by what it was made of, so an old one costs time only.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use qz_base::FxHashMap;
use qz_cache::{Found, Key, KeyBuilder, Store, Tier};
use qz_cranelift::{CodeKey, CodeStore, Made};

use super::{Cache, Outcome, Stage};
use crate::run::RunOptions;

/// The packs of one program, for one way of compiling it.
pub(crate) struct Packs<'c> {
    store: &'c Store,
    /// Of the program, the compiler and what it was told.
    base: Key,
    /// The same without the program.
    shared: Key,
    /// Whether what others of the program use stays, of which this is a part.
    adds: bool,
    modules: Mutex<BTreeMap<String, Pack>>,
}

#[derive(Default)]
struct Pack {
    known: FxHashMap<CodeKey, Arc<Made>>,
    /// What this build needed.
    used: BTreeMap<CodeKey, Arc<Made>>,
    asked: u32,
    found: u32,
    damage: Option<qz_cache::Damage>,
}

impl Cache {
    /// The functions that are known of the program at hand; `told` is how it is compiled, `adds` that only a part of it is.
    pub(crate) fn packs(&self, told: &str, adds: bool) -> Packs<'_> {
        let base = self.key("functions").str(&self.name).str(told).finish();
        let shared = self.key("functions of the library").str(told).finish();
        Packs { store: &self.store, base, shared, adds, modules: Mutex::default() }
    }

    /// Those of programs that run in this process.
    pub(crate) fn packs_to_run(&self, options: &RunOptions, adds: bool) -> Packs<'_> {
        self.packs(&format!("run {:?}", crate::run::jit_options(options)), adds)
    }

    /// Keeps what was compiled, and says how much that was.
    pub(crate) fn keep(&self, packs: Packs<'_>) {
        let modules = std::mem::take(&mut *packs.modules.lock().unwrap_or_else(|poison| poison.into_inner()));
        for (module, pack) in modules {
            let grows = packs.adds || is_shared(&module);
            let same = pack.found == pack.asked && (grows || pack.known.len() == pack.used.len());
            let outcome = match pack.damage {
                Some(damage) => Outcome::Damaged(damage),
                None => Outcome::Partly { reused: pack.found, of: pack.asked },
            };
            if !same {
                packs.store.put(Tier::Code, packs.key(&module), &pack.content(grows));
            }
            let what = if module.is_empty() { "(made by the compiler)" } else { &module };
            self.note(what, Stage::Code, outcome, Default::default());
        }
    }
}

/// Bytes of a pack that programs share; one that would be larger starts again with what the last program used.
const LARGEST: usize = 1 << 20;

/// Whether programs share the pack of a module: the library's are the same for all of them, and so is most of what the
/// compiler makes itself.
fn is_shared(module: &str) -> bool {
    module.is_empty() || module.starts_with("std::")
}

impl Pack {
    /// What is kept: what this program used, and in a pack that grows what others did.
    fn content(&self, grows: bool) -> Vec<u8> {
        let encoded = |functions: &BTreeMap<CodeKey, &Made>| {
            qz_cache::encode(&functions.iter().map(|(key, made)| (*key, *made)).collect::<Vec<_>>())
        };
        let mut functions: BTreeMap<CodeKey, &Made> =
            self.used.iter().map(|(key, made)| (*key, &**made)).collect();
        let used = encoded(&functions);
        if !grows {
            return used;
        }
        functions.extend(self.known.iter().map(|(key, made)| (*key, &**made)));
        let all = encoded(&functions);
        if all.len() <= LARGEST { all } else { used }
    }
}

impl Packs<'_> {
    fn key(&self, module: &str) -> Key {
        let base = if is_shared(module) { self.shared } else { self.base };
        KeyBuilder::new("pack").key(base).str(module).finish()
    }

    fn open(&self, module: &str) -> Pack {
        match self.store.get(Tier::Code, self.key(module)) {
            Found::Content(bytes) => {
                let functions: Vec<(CodeKey, Made)> = qz_cache::decode(&bytes).unwrap_or_default();
                let known = functions.into_iter().map(|(key, made)| (key, Arc::new(made))).collect();
                Pack { known, ..Pack::default() }
            }
            Found::Nothing => Pack::default(),
            Found::Damaged(damage) => Pack { damage: Some(damage), ..Pack::default() },
        }
    }

    fn with<R>(&self, module: &str, then: impl FnOnce(&mut Pack) -> R) -> R {
        let mut modules = self.modules.lock().unwrap_or_else(|poison| poison.into_inner());
        if !modules.contains_key(module) {
            modules.insert(module.to_owned(), self.open(module));
        }
        then(modules.get_mut(module).expect("was just inserted"))
    }
}

/// What a tool made of LLVM IR, by the text and by which tool it was.
pub(crate) struct Objects<'c> {
    store: &'c Store,
    base: Key,
    asked: AtomicU32,
    found: AtomicU32,
}

impl Cache {
    /// Objects that were made by this tool with these arguments.
    pub(crate) fn objects(&self, tool: &str) -> Objects<'_> {
        let base = self.key("objects").str(tool).finish();
        Objects { store: &self.store, base, asked: AtomicU32::new(0), found: AtomicU32::new(0) }
    }

    pub(crate) fn note_objects(&self, objects: &Objects<'_>) {
        let (reused, of) = (objects.found.load(Relaxed), objects.asked.load(Relaxed));
        self.note("(parts for LLVM)", Stage::Code, Outcome::Partly { reused, of }, Default::default());
    }
}

impl Objects<'_> {
    fn key(&self, ir: &str) -> Key {
        KeyBuilder::new("object").key(self.base).str(ir).finish()
    }

    pub(crate) fn get(&self, ir: &str) -> Option<Vec<u8>> {
        self.asked.fetch_add(1, Relaxed);
        let found = self.store.get(Tier::Code, self.key(ir)).content()?;
        self.found.fetch_add(1, Relaxed);
        Some(found)
    }

    pub(crate) fn put(&self, ir: &str, object: &[u8]) {
        self.store.put(Tier::Code, self.key(ir), object);
    }
}

impl CodeStore for Packs<'_> {
    fn get(&self, module: &str, key: &CodeKey) -> Option<Arc<Made>> {
        self.with(module, |pack| {
            pack.asked += 1;
            // The same function may be asked for under two names, and the first was compiled just now.
            let made = pack.known.get(key).or_else(|| pack.used.get(key))?.clone();
            pack.found += 1;
            pack.used.insert(*key, made.clone());
            Some(made)
        })
    }

    fn put(&self, module: &str, key: CodeKey, made: Arc<Made>) {
        self.with(module, |pack| pack.used.insert(key, made));
    }
}
