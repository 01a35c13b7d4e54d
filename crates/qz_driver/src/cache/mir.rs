//! Generic MIR, module by module: that of a module whose text did not change and that sees the same of others is read back.
//!
//! What the library's bodies became is the same for all programs, which add what each of them needs.

use std::cell::RefCell;

use qz_base::FxHashMap;
use qz_cache::{Damage, Found, Key, Tier};
use qz_hir::{Defs, ModuleId, Overflow};
use qz_lower::{Kept, Lowerer, Shelf};

use super::{Cache, Outcome, Stage};
use crate::Program;

/// Where the bodies of a program's modules are.
pub(crate) struct Bodies<'c> {
    cache: &'c Cache,
    modules: FxHashMap<ModuleId, Module>,
    damaged: RefCell<FxHashMap<ModuleId, Damage>>,
}

struct Module {
    key: Key,
    /// Of all that others can name.
    shape: u64,
    /// Whether others cannot name what is private.
    hides: bool,
}

impl Cache {
    /// The bodies of a program that was checked module by module, lowered as `lowerer` does it; nothing if that leaves
    /// something in them that is one build's own.
    pub(crate) fn bodies(&self, program: &Program, lowerer: &Lowerer<'_, '_>) -> Option<Bodies<'_>> {
        let checked = self.modules.borrow();
        let checked: FxHashMap<&str, Key> = checked.as_ref()?.checked().collect();
        if lowerer.counters.is_some() {
            return None;
        }
        let Lowerer { overflow, watches_drops, .. } = *lowerer;
        let key = |path: &str| self.key("mir").str(path).number(u64::from(watches_drops));
        let defs = &program.defs;
        let mut modules = FxHashMap::default();
        for (id, module) in defs.modules.iter().filter(|(_, it)| it.is_std) {
            modules.insert(id, Module { key: key(module.path.as_str()).finish(), shape: 0, hides: false });
        }
        for node in &program.nodes {
            let (Some(id), Some(&checked)) = (defs.module_of_file(node.file), checked.get(&*node.path))
            else {
                continue;
            };
            let wraps = u64::from(overflow == Overflow::Wrap);
            let key = key(&node.path).key(checked).number(wraps).finish();
            let (shape, hides) = (node.written.interface.short(), !node.written.has_macros);
            modules.insert(id, Module { key, shape, hides });
        }
        Some(Bodies { cache: self, modules, damaged: RefCell::default() })
    }
}

impl Bodies<'_> {
    /// For [`Lowerer::kept`].
    pub(crate) fn kept(&self, defs: &Defs) -> Kept<'_> {
        let hides = |module| self.modules.get(&module).is_some_and(|it| it.hides);
        Kept::new(defs, self, &hides)
    }

    /// Keeps what was lowered, and says how much that was.
    pub(crate) fn keep(&self, lowerer: &Lowerer<'_, '_>) {
        for new in lowerer.new_bodies() {
            if let (Some(bytes), Some(module)) = (new.bytes, self.modules.get(&new.module)) {
                self.cache.store.put(Tier::Mir, module.key, &bytes);
            }
            let outcome = match self.damaged.borrow_mut().remove(&new.module) {
                Some(damage) => Outcome::Damaged(damage),
                None if new.asked == 0 => continue,
                None => Outcome::Partly { reused: new.found, of: new.asked },
            };
            let path = lowerer.ck.defs.modules[new.module].path;
            self.cache.note(path.as_str(), Stage::Mir, outcome, Default::default());
        }
    }
}

impl Shelf for Bodies<'_> {
    fn find(&self, module: ModuleId) -> Option<Vec<u8>> {
        match self.cache.store.get(Tier::Mir, self.modules.get(&module)?.key) {
            Found::Content(bytes) => Some(bytes),
            Found::Nothing => None,
            Found::Damaged(damage) => {
                self.damaged.borrow_mut().insert(module, damage);
                None
            }
        }
    }

    fn shape(&self, module: ModuleId) -> Option<u64> {
        self.modules.get(&module).map(|it| it.shape)
    }
}
