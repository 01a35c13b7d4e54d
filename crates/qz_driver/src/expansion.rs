//! Macros, between loading and collecting: modules are handed over, and those with expansions come back as texts of their own,
//! which take the place of what was read.

use std::sync::Arc;

use qz_base::{FileId, FxHashMap, Name};
use qz_cache::KeyBuilder;
use qz_diag::Diagnostic;
use qz_hir::collect::{ImportTarget, ModuleInput};
use qz_hir::{Expansions, ModuleId, ParsedFile};
use qz_macros::{Module, Outcome, Trace};

use crate::Program;
use crate::cache::written::written;
use crate::load::Parts;

/// Whether macros make nothing of these modules, and there is no problem with them.
pub(crate) fn is_none(inputs: &[ModuleInput], prelude: Option<FileId>) -> bool {
    let Outcome { modules, problems, .. } = expand(inputs, 0, prelude, &[]);
    modules.is_empty() && problems.is_empty()
}

/// Expands macros in modules from number `from` on.
fn expand(inputs: &[ModuleInput], from: usize, prelude: Option<FileId>, problems: &[Diagnostic]) -> Outcome {
    let prelude = prelude.and_then(|file| inputs.iter().position(|it| it.file == file));
    let binary = inputs.iter().position(|it| it.path.as_str() == crate::load::BINARY_PATH);
    qz_macros::expand(&modules(inputs, problems), from, prelude, binary)
}

/// Expands the macros of all modules but those that were collected.
pub(crate) fn expanded(mut parts: Parts, problems: &mut Vec<Diagnostic>) -> (Parts, Trace, Expansions) {
    let from = parts.collected.as_ref().map_or(0, |defs| defs.modules.len());
    let Outcome { modules: expanded, trace, problems: found } =
        expand(&parts.inputs, from, parts.prelude, problems);
    problems.extend(found);
    let id = |at: usize| ModuleId::from_raw(at as u32);
    let homes = trace.0.iter().map(|it| id(it.home as usize)).collect();
    let mut expansions = Expansions { homes, ..Expansions::default() };
    let mut renamed: FxHashMap<FileId, FileId> = FxHashMap::default();
    for it in expanded {
        if let Some(at) = parts.nodes.iter().position(|node| node.file == parts.inputs[it.module].file) {
            expand_node(&mut parts, at, &it, &trace);
        }
        let input = &mut parts.inputs[it.module];
        let file = parts.sources.add_expanded(input.file, it.text.clone(), it.origins);
        renamed.insert(input.file, file);
        input.file = file;
        input.parsed = ParsedFile { tree: Arc::new(it.tree), text: it.text };
        let module = id(it.module);
        let made: Vec<Name> = {
            #[allow(clippy::iter_over_hash_type)]
            let names = it.made.into_iter();
            names.collect()
        };
        expansions.made.extend(made.into_iter().map(|name| (module, name)));
    }
    if !renamed.is_empty() {
        let new = |file: &mut FileId| *file = *renamed.get(file).unwrap_or(file);
        parts.prelude.iter_mut().chain(&mut parts.root).chain(&mut parts.user_files).for_each(new);
        let imports = parts.inputs.iter_mut().flat_map(|it| &mut it.imports);
        for import in imports {
            if let ImportTarget::Module(file) = import {
                new(file);
            }
        }
        parts
            .nodes
            .iter_mut()
            .flat_map(|it| std::iter::once(&mut it.file).chain(&mut it.imports))
            .for_each(new);
    }
    (parts, trace, expansions)
}

/// What the cache knows of a module that has become another text: what stands there now, where all of it was written, and
/// where its names are looked up.
fn expand_node(parts: &mut Parts, at: usize, expanded: &qz_macros::Expanded, trace: &Trace) {
    let node = &parts.nodes[at];
    let key = KeyBuilder::new("expanded").key(node.content).str(&expanded.text);
    let key = expanded.origins.iter().fold(key, |key, it| {
        let key =
            [it.at, it.start, it.by, it.stands_for].into_iter().fold(key, |key, n| key.number(n.into()));
        let home = trace.0.get(it.by as usize).map_or("", |by| parts.inputs[by.home as usize].path.as_str());
        key.str(&parts.sources.shown_path(it.file)).str(home)
    });
    let mut made: Vec<&str> = expanded.made.iter().map(|it| it.as_str()).collect();
    made.sort_unstable();
    parts.nodes[at].content = made.into_iter().fold(key, KeyBuilder::str).finish();
    let before = &parts.nodes[at].written;
    let mut now = written(expanded.tree.root(&expanded.text));
    now.has_macros |= before.has_macros;
    now.renames |= before.renames;
    parts.nodes[at].written = now;
}

fn modules(inputs: &[ModuleInput], problems: &[Diagnostic]) -> Vec<Module> {
    let at: FxHashMap<FileId, usize> = inputs.iter().enumerate().map(|(at, it)| (it.file, at)).collect();
    let module = |it: &ModuleInput| Module {
        file: it.file,
        text: it.parsed.text.clone(),
        tree: it.parsed.tree.clone(),
        imports: it
            .imports
            .iter()
            .map(|import| match import {
                ImportTarget::Module(file) => at.get(file).copied(),
                ImportTarget::Failed => None,
            })
            .collect(),
        is_broken: problems.iter().any(|problem| problem.span.file == it.file),
    };
    inputs.iter().map(module).collect()
}

/// The root module after expansion, as text.
pub(crate) fn shown(program: &Program, root: ModuleId) -> String {
    let parsed = &program.defs.files[&program.defs.file_of(root)];
    let path_of = |number: u32, name: &str| {
        let home = *program.defs.expansions.homes.get(number as usize)?;
        let is_made = program.defs.expansions.made.contains(&(root, Name::new(name)));
        let found = program.defs.lookup_export(home, Name::new(name));
        let is_own = matches!(found, qz_hir::Lookup::Found(_) | qz_hir::Lookup::Private(_));
        (home != root && !is_made && is_own)
            .then(|| program.defs.modules[home].path.as_str().replace("::", "/"))
    };
    qz_macros::show(&parsed.text, &parsed.tree, &path_of)
}
