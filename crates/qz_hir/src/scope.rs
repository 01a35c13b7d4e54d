//! What a name means in a module: its own items and named imports, then wildcard imports, then the prelude.

use std::sync::Arc;

use qz_base::{FxHashMap, Name, TextRange};
use qz_types::{AdtId, FnId, StaticId, TraitId};

use crate::defs::{AliasId, Defs, ModuleId, SeenMethods, SeenVariants};

/// A declaration a name can stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Def {
    /// Functions of one name that differ in how many arguments they take.
    Fns(Vec<FnId>),
    Adt(AdtId),
    Trait(TraitId),
    Alias(AliasId),
    Const(FnId),
    Static(StaticId),
    /// What another module means by a name: an import that is not settled yet. Never seen by lookups.
    Import(ModuleId, Name),
    /// Something whose meaning a later version brings; it was reported where it stands.
    NotYet,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub def: Def,
    pub range: TextRange,
    pub is_private: bool,
    /// Named in an import that is not `pub`.
    pub is_plain_import: bool,
}

/// The names of one module.
#[derive(Default)]
pub struct Scope {
    pub entries: FxHashMap<Name, Entry>,
    pub modules: FxHashMap<Name, ModuleId>,
    /// Modules imported with `*`; whether the import is `pub`.
    pub wildcards: Vec<(ModuleId, bool)>,
}

/// The answer to a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    Found(Def),
    /// Several wildcard imports bring different things of this name.
    Ambiguous(Vec<ModuleId>),
    /// It exists but is private to that module.
    Private(ModuleId),
    Missing,
}

impl Defs {
    /// What `name` means, written without a path in `module`.
    pub fn lookup(&self, module: ModuleId, name: Name) -> Lookup {
        let (home, plain) = self.home(module, name);
        match self.lookup_plain(home, plain) {
            Lookup::Missing if home != module && self.expansions.made.contains(&(module, plain)) => {
                self.lookup_plain(module, plain)
            }
            found => found,
        }
    }

    /// Where a name is looked up, and what is looked up there: a name from a quote belongs to the macro's module.
    pub(crate) fn home(&self, module: ModuleId, name: Name) -> (ModuleId, Name) {
        if self.expansions.homes.is_empty() {
            return (module, name);
        }
        let (plain, mark) = name.marked();
        let home = mark.and_then(|mark| self.expansions.homes.get(mark as usize));
        (home.copied().unwrap_or(module), plain)
    }

    fn lookup_plain(&self, module: ModuleId, name: Name) -> Lookup {
        let scope = &self.modules[module].scope;
        if let Some(entry) = scope.entries.get(&name) {
            return Lookup::Found(entry.def.clone());
        }
        let mut found: Vec<(ModuleId, Def)> = Vec::new();
        for &(from, _) in &scope.wildcards {
            if let Lookup::Found(def) = self.lookup_export(from, name)
                && !found.iter().any(|(_, other)| *other == def)
            {
                found.push((from, def));
            }
        }
        match found.len() {
            0 => {}
            1 => return Lookup::Found(found.remove(0).1),
            _ => return Lookup::Ambiguous(found.into_iter().map(|(module, _)| module).collect()),
        }
        match self.prelude {
            Some(prelude) if prelude != module => match self.lookup_export(prelude, name) {
                Lookup::Found(def) => Lookup::Found(def),
                _ => Lookup::Missing,
            },
            _ => Lookup::Missing,
        }
    }

    /// What `module::name` means, seen from outside that module.
    pub fn lookup_export(&self, module: ModuleId, name: Name) -> Lookup {
        self.lookup_export_rec(module, name, &mut Vec::new())
    }

    fn lookup_export_rec(&self, module: ModuleId, name: Name, seen: &mut Vec<(ModuleId, Name)>) -> Lookup {
        if seen.contains(&(module, name)) {
            return Lookup::Missing;
        }
        seen.push((module, name));
        let scope = &self.modules[module].scope;
        if let Some(entry) = scope.entries.get(&name) {
            if entry.is_private || entry.is_plain_import {
                return Lookup::Private(module);
            }
            return match entry.def {
                Def::Import(from, name) => self.lookup_export_rec(from, name, seen),
                ref def => Lookup::Found(def.clone()),
            };
        }
        let mut found: Vec<(ModuleId, Def)> = Vec::new();
        for &(from, is_pub) in &scope.wildcards {
            if is_pub
                && let Lookup::Found(def) = self.lookup_export_rec(from, name, seen)
                && !found.iter().any(|(_, other)| *other == def)
            {
                found.push((from, def));
            }
        }
        match found.len() {
            0 => Lookup::Missing,
            1 => Lookup::Found(found.remove(0).1),
            _ => Lookup::Ambiguous(found.into_iter().map(|(module, _)| module).collect()),
        }
    }

    /// Every name visible without a path in `module`, in text order, for suggestions.
    pub fn visible_names(&self, module: ModuleId) -> Vec<Name> {
        let mut names: Vec<Name> = self.modules[module].scope.entries.keys().copied().collect();
        let mut seen = vec![module];
        for &(from, _) in &self.modules[module].scope.wildcards {
            self.export_names(from, &mut names, &mut seen);
        }
        if let Some(prelude) = self.prelude {
            self.export_names(prelude, &mut names, &mut seen);
        }
        names.sort_by(|a, b| a.cmp_text(*b));
        names.dedup();
        names
    }

    /// Names a module offers to others.
    pub fn export_names(&self, module: ModuleId, names: &mut Vec<Name>, seen: &mut Vec<ModuleId>) {
        if seen.contains(&module) {
            return;
        }
        seen.push(module);
        let scope = &self.modules[module].scope;
        names.extend(
            scope.entries.iter().filter(|(_, e)| !e.is_private && !e.is_plain_import).map(|(&name, _)| name),
        );
        for &(from, is_pub) in &scope.wildcards {
            if is_pub {
                self.export_names(from, names, seen);
            }
        }
    }

    /// Methods of this name of the traits whose methods can be called with a dot in `module`: the library's,
    /// its own, imported ones.
    pub fn visible_trait_methods(&self, module: ModuleId, name: Name) -> Vec<(TraitId, u32)> {
        let mut found = self.trait_methods.get(&name).cloned().unwrap_or_default();
        let seen = self.trait_methods_seen_by(module);
        found.extend(seen.get(&name).into_iter().flatten());
        found
    }

    fn trait_methods_seen_by(&self, module: ModuleId) -> Arc<SeenMethods> {
        if let Some(known) = self.traits_seen.borrow().get(&module) {
            return known.clone();
        }
        let scope = &self.modules[module].scope;
        let of = |def: &Def| if let Def::Trait(id) = def { Some(*id) } else { None };
        let mut traits: Vec<TraitId> = scope.entries.values().filter_map(|entry| of(&entry.def)).collect();
        for &(from, _) in scope.wildcards.iter().filter(|(from, _)| !self.modules[*from].is_std) {
            let mut names = Vec::new();
            self.export_names(from, &mut names, &mut Vec::new());
            let found = names.into_iter().map(|name| self.lookup_export(from, name));
            traits.extend(found.filter_map(|it| if let Lookup::Found(def) = it { of(&def) } else { None }));
        }
        traits.retain(|&id| !self.modules[self.traits[id].module].is_std);
        traits.sort_by_key(|id| id.raw());
        traits.dedup();
        let mut seen = SeenMethods::default();
        for id in traits {
            for (n, &method) in self.traits[id].methods.iter().enumerate() {
                seen.entry(self.fns[method].name).or_default().push((id, n as u32));
            }
        }
        let seen = Arc::new(seen);
        self.traits_seen.borrow_mut().insert(module, seen.clone());
        seen
    }

    /// Enums visible in `module` that have a variant of this name. The module's own and imported ones come
    /// before those of the prelude.
    pub fn variants_in_scope(&self, module: ModuleId, name: Name) -> Vec<(AdtId, u32)> {
        if let Some(found) = self.variants_seen_by(module).get(&name) {
            return found.clone();
        }
        let prelude = self.prelude.map(|prelude| self.variants_seen_by(prelude));
        prelude.and_then(|it| it.get(&name).cloned()).unwrap_or_default()
    }

    /// Variants of the enums that a module declares or imports, by name.
    fn variants_seen_by(&self, module: ModuleId) -> Arc<SeenVariants> {
        if let Some(known) = self.variants_seen.borrow().get(&module) {
            return known.clone();
        }
        let mut seen = SeenVariants::default();
        for id in self.enums_seen_by(module) {
            for (i, variant) in self.adt_fields(id).variants.iter().enumerate() {
                let found: &mut Vec<(AdtId, u32)> = seen.entry(variant.name).or_default();
                if !found.contains(&(id, i as u32)) {
                    found.push((id, i as u32));
                }
            }
        }
        let seen = Arc::new(seen);
        self.variants_seen.borrow_mut().insert(module, seen.clone());
        seen
    }

    fn enums_seen_by(&self, module: ModuleId) -> Vec<AdtId> {
        let mut names: Vec<Name> = Vec::new();
        if self.prelude == Some(module) {
            self.export_names(module, &mut names, &mut Vec::new());
        } else {
            names.extend(self.modules[module].scope.entries.keys());
            let mut seen = vec![module];
            for &(from, _) in &self.modules[module].scope.wildcards {
                self.export_names(from, &mut names, &mut seen);
            }
        }
        names.retain(|name| name.is_upper());
        names.sort_by(|a, b| a.cmp_text(*b));
        names.dedup();
        let enum_of = |name| match self.lookup(module, name) {
            Lookup::Found(Def::Adt(id)) if self.adts[id].kind == crate::AdtKind::Enum => Some(id),
            _ => None,
        };
        names.into_iter().filter_map(enum_of).collect()
    }
}
