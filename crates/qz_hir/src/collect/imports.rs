//! Imports, once all modules are collected: modules get their names, named imports their place in the scope,
//! and then, since one may lead to another, what they stand for.

use qz_base::{Name, Span};
use qz_syntax::ast::{self, AstNode};

use super::attributes::Place;
use super::{Collector, ImportTarget};
use crate::defs::{Defs, ModuleId};
use crate::diagnostics as words;
use crate::scope::{Def, Entry, Lookup};

/// A name in an import, on its way to what it stands for.
pub(super) struct Named {
    module: ModuleId,
    /// What the importing module calls it.
    local: Name,
    target: ModuleId,
    /// What the target calls it.
    name: Name,
    span: Span,
}

impl Collector<'_> {
    pub(super) fn tie_imports(&mut self, targets: &[ImportTarget], named: &mut Vec<Named>) {
        self.file = self.defs.modules[self.module].file;
        let parsed = self.defs.files[&self.file].clone();
        let root = parsed.tree.root(&parsed.text);
        let Some(file) = ast::SourceFile::cast(root) else { return };
        let imports = file.items().filter_map(|item| match item {
            ast::Item::ImportDef(import) => Some(import),
            _ => None,
        });
        for (import, target) in imports.zip(targets) {
            self.attrs(Place::Other, import.attrs());
            match target {
                ImportTarget::Module(file) => {
                    if let Some(target) = self.defs.module_of_file(*file) {
                        self.tie_import(import, target, named);
                    }
                }
                ImportTarget::Failed => self.excuse_names(import),
            }
        }
    }

    /// What an import that failed would have brought: nobody is told again that it is not there.
    fn excuse_names(&mut self, import: ast::ImportDef<'_>) {
        let whole = import.alias().or_else(|| import.path().and_then(|path| path.segments().last()));
        let named: Vec<_> = import.names().filter_map(|it| it.alias().or(it.name())).collect();
        let whole = if named.is_empty() && !import.is_wildcard() { whole } else { None };
        for token in named.into_iter().chain(whole) {
            let entry = Entry {
                def: Def::NotYet,
                range: token.range(),
                is_private: false,
                is_plain_import: !import.is_pub(),
            };
            self.defs.modules[self.module].scope.entries.entry(Name::new(token.text())).or_insert(entry);
        }
    }

    fn tie_import(&mut self, import: ast::ImportDef<'_>, target: ModuleId, named: &mut Vec<Named>) {
        if import.is_wildcard() {
            self.defs.modules[self.module].scope.wildcards.push((target, import.is_pub()));
            return;
        }
        let names: Vec<_> = import.names().collect();
        if names.is_empty() {
            let Some(last) = import.path().and_then(|path| path.segments().last()) else { return };
            let name = Name::new(import.alias().unwrap_or(last).text());
            self.defs.modules[self.module].scope.modules.insert(name, target);
            return;
        }
        for name in names {
            self.import_name(name, target, import.is_pub(), named);
        }
    }

    fn import_name(
        &mut self,
        import: ast::ImportName<'_>,
        target: ModuleId,
        is_pub: bool,
        named: &mut Vec<Named>,
    ) {
        let Some(token) = import.name() else { return };
        let name = Name::new(token.text());
        let span = self.span(token.range());
        let token = import.alias().unwrap_or(token);
        let local = Name::new(token.text());
        let is_item = self.defs.modules[target].scope.entries.contains_key(&name);
        if !is_item && exports_macro(self.defs, target, name, &mut Vec::new()) {
            // Macros are no entries: expansion has looked them up.
            return;
        }
        let entry = Entry {
            def: Def::Import(target, name),
            range: token.range(),
            is_private: false,
            is_plain_import: !is_pub,
        };
        if let Some(earlier) = self.defs.modules[self.module].scope.entries.get(&local) {
            let first = Span::new(self.file, earlier.range);
            let problem = words::import_clashes(self.span(token.range()), local, first);
            self.defs.report(problem);
            return;
        }
        self.add_entry(local, entry);
        named.push(Named { module: self.module, local, target, name, span });
    }
}

/// Puts what named imports stand for in their place. Imports of imports are followed, in circles too.
pub(super) fn settle(defs: &mut Defs, named: &[Named]) {
    let found: Vec<Lookup> = named.iter().map(|it| defs.lookup_export(it.target, it.name)).collect();
    let macros: Vec<bool> =
        named.iter().map(|it| exports_macro(defs, it.target, it.name, &mut Vec::new())).collect();
    for ((it, found), is_macro) in named.iter().zip(found).zip(macros) {
        let def = match found {
            Lookup::Missing if is_macro => {
                defs.modules[it.module].scope.entries.remove(&it.local);
                continue;
            }
            Lookup::Found(def) => def,
            Lookup::Private(owner) => {
                let owner = defs.modules[owner].path;
                defs.report(words::private_item(it.span, it.name, owner));
                Def::NotYet
            }
            Lookup::Ambiguous(_) | Lookup::Missing => {
                let mut names = Vec::new();
                defs.export_names(it.target, &mut names, &mut Vec::new());
                names.sort_by(|a, b| a.cmp_text(*b));
                let module = defs.modules[it.target].path;
                defs.report(words::not_in_module(it.span, it.name, module, &names));
                Def::NotYet
            }
        };
        if let Some(entry) = defs.modules[it.module].scope.entries.get_mut(&it.local) {
            entry.def = def;
        }
    }
}

/// Whether a module shows others a macro of this name, its own or one that it passes on.
fn exports_macro(defs: &Defs, module: ModuleId, name: Name, seen: &mut Vec<(ModuleId, Name)>) -> bool {
    if seen.contains(&(module, name)) {
        return false;
    }
    seen.push((module, name));
    let it = &defs.modules[module];
    if it.macros.contains(&name) {
        return true;
    }
    if let Some(Entry { def: Def::Import(from, there), is_plain_import: false, .. }) =
        it.scope.entries.get(&name)
    {
        return exports_macro(defs, *from, *there, seen);
    }
    it.scope.wildcards.iter().any(|&(from, is_pub)| is_pub && exports_macro(defs, from, name, seen))
}
