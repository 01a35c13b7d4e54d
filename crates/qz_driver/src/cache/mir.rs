//! Generic MIR, module by module: that of a module whose text did not change and that sees the same of others is read back.
//!
//! What the library's bodies became is the same for all programs, which add what each of them needs.

use std::cell::RefCell;

use qz_base::FxHashMap;
use qz_cache::{Damage, Found, Key, Tier};
use qz_hir::{ModuleId, Numbers, Overflow, Shape};
use qz_lower::{Kept, Lowerer};

use super::{Cache, Outcome, Stage};
use crate::Program;

/// Where the bodies of a program's modules are.
pub(crate) struct Bodies<'c> {
    cache: &'c Cache,
    numbers: Numbers,
    keys: FxHashMap<ModuleId, Key>,
    damaged: RefCell<FxHashMap<ModuleId, Damage>>,
}

/// What the things of a program are called outside of it.
pub(crate) fn numbers(program: &Program) -> Numbers {
    let defs = &program.defs;
    let mut shapes = FxHashMap::default();
    for node in &program.nodes {
        let shape = Shape { digest: node.written.interface.short(), hides: !node.written.has_macros };
        shapes.extend(defs.module_of_file(node.file).map(|id| (id, shape)));
    }
    // The library is the compiler's own.
    let of_library = Shape { digest: 0, hides: false };
    Numbers::new(defs, &|id| {
        if defs.modules[id].is_std { Some(of_library) } else { shapes.get(&id).copied() }
    })
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
        let mut keys = FxHashMap::default();
        for (id, module) in defs.modules.iter().filter(|(_, it)| it.is_std) {
            keys.insert(id, key(module.path.as_str()).finish());
        }
        let wraps = u64::from(overflow == Overflow::Wrap);
        for node in &program.nodes {
            if let (Some(id), Some(&checked)) = (defs.module_of_file(node.file), checked.get(&*node.path)) {
                keys.insert(id, key(&node.path).key(checked).number(wraps).finish());
            }
        }
        Some(Bodies { cache: self, numbers: numbers(program), keys, damaged: RefCell::default() })
    }
}

impl Bodies<'_> {
    /// For [`Lowerer::kept`].
    pub(crate) fn kept(&self) -> Kept<'_> {
        Kept::new(&self.numbers, Box::new(|module| self.find(module)))
    }

    /// Keeps what was lowered, and says how much that was.
    pub(crate) fn keep(&self, lowerer: &Lowerer<'_, '_>) {
        for new in lowerer.new_bodies() {
            if let (Some(bytes), Some(&key)) = (new.bytes, self.keys.get(&new.module)) {
                self.cache.store.put(Tier::Mir, key, &bytes);
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

    fn find(&self, module: ModuleId) -> Option<Vec<u8>> {
        match self.cache.store.get(Tier::Mir, *self.keys.get(&module)?) {
            Found::Content(bytes) => Some(bytes),
            Found::Nothing => None,
            Found::Damaged(damage) => {
                self.damaged.borrow_mut().insert(module, damage);
                None
            }
        }
    }
}
