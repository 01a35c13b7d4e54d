//! What functions perform depends on what those perform that they call: rows are kept by module, and hold as long as those do
//! that they are made of.

use std::cell::RefCell;
use std::time::Duration;

use qz_base::{FileId, FxHashMap, FxHashSet};
use qz_cache::{Found, Key, Tier};
use qz_diag::Diagnostic;
use qz_hir::ModuleId;
use qz_infer::{Checker, KeptRows, NewRows};

use super::{Cache, Outcome, Stage};
use crate::Program;

impl Cache {
    /// Checks what the functions of a program perform; gives what is wrong. `checked` says by path what the meaning of a
    /// module's bodies depends on, `broken` that there are errors, so that nothing may be kept.
    pub(super) fn check_effects(
        &self,
        program: &Program,
        checker: &Checker<'_>,
        checked: &FxHashMap<&str, Key>,
        broken: bool,
    ) -> Vec<Diagnostic> {
        if !checker.has_effects() {
            return Vec::new();
        }
        let mut keys = FxHashMap::default();
        for node in &program.nodes {
            let module = program.defs.module_of_file(node.file);
            if let (Some(module), Some(&checked)) = (module, checked.get(&*node.path)) {
                // Nothing is around the `main` of a program.
                let is_root = u64::from(program.root == Some(module));
                let key = self.key("effects").str(&node.path).key(checked).number(is_root);
                keys.insert(module, key.finish());
            }
        }
        let damaged = RefCell::new(FxHashMap::default());
        let find = |module: ModuleId| match self.store.get(Tier::Check, *keys.get(&module)?) {
            Found::Content(bytes) => Some(bytes),
            Found::Nothing => None,
            Found::Damaged(damage) => {
                damaged.borrow_mut().insert(module, damage);
                None
            }
        };
        let numbers = super::mir::numbers(program);
        let key = |module: ModuleId| keys.get(&module).map_or(0, Key::short);
        let kept = KeptRows { numbers: &numbers, find: &find, key: &key };
        let rows = checker.check_effects_again(&program.modules, &kept);
        let found = program.defs.take_problems();
        let wrong: FxHashSet<FileId> =
            found.iter().filter(|it| it.is_error()).map(|it| it.span.file).collect();
        // What is wrong with a module is looked for again.
        let may_keep = |module: ModuleId| !broken && !wrong.contains(&program.defs.file_of(module));
        for NewRows { module, functions, kept, bytes } in rows {
            if let (Some(key), Some(bytes)) = (keys.get(&module), bytes.filter(|_| may_keep(module))) {
                self.store.put(Tier::Check, *key, &bytes);
            }
            let outcome = match damaged.borrow_mut().remove(&module) {
                Some(damage) => Outcome::Damaged(damage),
                None if functions == 0 => continue,
                None => Outcome::Partly { reused: kept, of: functions },
            };
            let path = program.defs.modules[module].path;
            self.note(path.as_str(), Stage::Effects, outcome, Duration::ZERO);
        }
        found
    }
}
