//! Checking, module by module: one whose text did not change and that sees the same of others is not checked again.
//!
//! The interface of a module is what is written of it ([`super::written`]) and what was inferred. A module's result is kept
//! only if its group and all that it sees have no errors, and if what was found there speaks of its own files alone:
//! places in other files move without changing what these mean.

use std::sync::Arc;
use std::time::{Duration, Instant};

use qz_base::{FileId, FxHashMap, FxHashSet};
use qz_cache::{Found, Key, KeyBuilder, Tier};
use qz_diag::{Diagnostic, Sources};
use qz_hir::{Container, FnKind, ModuleId};
use qz_infer::Checker;
use serde::{Deserialize, Serialize};

use super::graph::{Group, Node, groups};
use super::stored::{Stored, restore, store};
use super::written::{Head, Written, word};
use super::{Cache, Outcome, Stage};
use crate::Program;

/// What is kept of a group of modules without errors.
#[derive(Serialize, Deserialize)]
struct Record {
    inferred: Inferred,
    warnings: Vec<Stored>,
    micros: u64,
}

/// What was inferred of the functions that others can name.
#[derive(Clone, Serialize, Deserialize)]
struct Inferred {
    all: Key,
    /// Without plain functions.
    lasting: Key,
    plain: Vec<Head>,
    /// Names of those with results whose types are hidden.
    hiding: Vec<u32>,
}

impl Cache {
    /// Checks a program whose declarations have no errors, module by module.
    pub(crate) fn check(
        &self,
        program: &Program,
        checker: &Checker<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Modules {
        let mut incremental = Incremental::new(self, program, checker);
        problems.extend(incremental.check());
        let Incremental { modules, impls, .. } = incremental;
        let modules = Modules { all: modules, impls: Some(impls) };
        *self.modules.borrow_mut() = Some(modules.clone());
        modules
    }
}

/// What the modules of a program were when it was last checked; nothing if it was checked as a whole.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Modules {
    all: Vec<LastModule>,
    impls: Option<Key>,
}

/// A group that was checked, now or before.
struct Checked {
    /// Of all that can be seen of it and through it.
    seen: Key,
    /// Of what is written in it and in all that it sees.
    texts: Key,
    /// It or something it sees has errors.
    broken: bool,
}

/// What a module was when a program was last checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct LastModule {
    path: String,
    content: Key,
    /// Of its whole group, with plain functions and without.
    interface: Key,
    lasting: Key,
    /// Of its group's text and all that it sees: what its bodies mean.
    checked: Key,
    /// What is written and inferred of its group's plain functions, in order, and the names of those that hide types.
    functions: Arc<Vec<Head>>,
    hiding: Arc<Vec<u32>>,
    /// The module's own, which others cannot name.
    private: Vec<Head>,
}

/// What is new in a program of which no type, trait, constant or impl changed.
pub(crate) struct NewBodies<'a> {
    /// The modules whose bodies do not mean what they did, by path.
    pub(crate) modules: FxHashSet<&'a str>,
    /// Names of functions may mean others than before.
    pub(crate) heads: bool,
}

impl Modules {
    /// Each module's path, and what its bodies' meaning depends on.
    pub(crate) fn checked(&self) -> impl Iterator<Item = (&str, Key)> {
        self.all.iter().map(|it| (it.path.as_str(), it.checked))
    }

    /// What is new, if functions are all that changed; or what else did.
    pub(crate) fn new_bodies(&self, before: &Modules, nodes: &[Node]) -> Result<NewBodies<'_>, &'static str> {
        let pairs = || self.all.iter().zip(&before.all);
        if self.all.len() != before.all.len() || !pairs().all(|(now, then)| now.path == then.path) {
            return Err("modules came, went or changed places");
        }
        if self.impls != before.impls {
            return Err("impls of traits changed");
        }
        if !pairs().all(|(now, then)| now.lasting == then.lasting) {
            return Err("more than functions changed in an interface");
        }
        let concerned = Concerned::new(pairs().filter(|(now, then)| now.interface != then.interface), nodes);
        let is_new = |(now, then): &(&LastModule, &LastModule)| {
            now.content != then.content || (now.checked != then.checked && concerned.has(&now.path))
        };
        let modules = pairs().filter(is_new).map(|it| it.0.path.as_str()).collect();
        let heads = |(now, then): (&LastModule, &LastModule)| {
            now.interface != then.interface || now.private != then.private
        };
        Ok(NewBodies { modules, heads: pairs().any(heads) })
    }
}

/// Whom functions concern that are called otherwise: those who name them.
enum Concerned<'a> {
    /// All that can see them.
    Everybody,
    /// Modules, by path.
    These(FxHashSet<&'a str>),
}

impl<'a> Concerned<'a> {
    fn new<'m>(
        changed: impl Iterator<Item = (&'m LastModule, &'m LastModule)>,
        nodes: &'a [Node],
    ) -> Concerned<'a> {
        let mut names = FxHashSet::default();
        // What differs in something else than in functions concerns whoever sees it.
        let mut everybody = false;
        for (now, then) in changed {
            let differs = |of: &[Head], other: &[Head]| -> Vec<u32> {
                of.iter().filter(|it| other.binary_search(it).is_err()).map(|it| it.name).collect()
            };
            let differing =
                [differs(&now.functions, &then.functions), differs(&then.functions, &now.functions)];
            let hiding = |name: &u32| now.hiding.contains(name) || then.hiding.contains(name);
            // What a hidden type is matters to those, too, who get values of it from others.
            everybody |= differing.iter().flatten().any(hiding) || differing.iter().all(Vec::is_empty);
            names.extend(differing.into_iter().flatten());
        }
        let names_one = |it: &&Node| it.written.words.iter().any(|word| names.contains(word));
        let named: Vec<&Node> = nodes.iter().filter(names_one).collect();
        if everybody || named.iter().any(|it| it.written.renames) {
            return Concerned::Everybody;
        }
        Concerned::These(named.into_iter().map(|it| it.path.as_str()).collect())
    }

    fn has(&self, path: &str) -> bool {
        match self {
            Concerned::Everybody => true,
            Concerned::These(modules) => modules.contains(path),
        }
    }
}

/// Checks modules that may have been checked before.
struct Incremental<'a, 'd> {
    cache: &'a Cache,
    program: &'a Program,
    checker: &'a Checker<'d>,
    nodes: &'a [Node],
    by_file: FxHashMap<FileId, usize>,
    /// Heads of impls are seen everywhere.
    impls: Key,
    checked: Vec<Checked>,
    problems: Vec<Diagnostic>,
    modules: Vec<LastModule>,
}

impl<'a, 'd> Incremental<'a, 'd> {
    fn new(cache: &'a Cache, program: &'a Program, checker: &'a Checker<'d>) -> Incremental<'a, 'd> {
        let nodes = &program.nodes;
        let by_file = nodes.iter().enumerate().map(|(n, it)| (it.file, n)).collect();
        let impls = impl_heads(nodes);
        let (checked, problems, modules) = (Vec::new(), Vec::new(), Vec::new());
        Incremental { cache, program, checker, nodes, by_file, impls, checked, problems, modules }
    }

    /// Everything found in the program's modules.
    fn check(&mut self) -> Vec<Diagnostic> {
        let groups = groups(self.nodes);
        groups.iter().for_each(|group| self.group(group));
        let broken = self.checked.iter().any(|it| it.broken);
        let broken = self.effects(broken) || broken;
        if !broken {
            self.constants(&groups);
        }
        std::mem::take(&mut self.problems)
    }

    /// Checks a group, unless that was done before.
    fn group(&mut self, group: &Group) {
        let own = self.own_key(group);
        let key = self.group_key(group, own);
        let (found, outcome) = match self.cache.store.get(Tier::Check, key) {
            Found::Content(bytes) => (self.known(group, &bytes), Outcome::New),
            Found::Nothing => (None, self.why(group)),
            Found::Damaged(damage) => (None, Outcome::Damaged(damage)),
        };
        let (inferred, broken) = match found {
            Some((inferred, warnings, took)) => {
                self.problems.extend(warnings);
                self.note(group, &Outcome::Reused, took);
                (inferred, false)
            }
            None => self.make(group, key, outcome),
        };
        let interface = self.interface(group, inferred.all, |it| it.interface);
        self.remember(group, interface, key, inferred);
        let seen: Vec<Key> = group.sees.iter().map(|&it| self.checked[it].seen).collect();
        let seen = KeyBuilder::new("seen").key(interface).keys(&seen).finish();
        let texts: Vec<Key> = group.sees.iter().map(|&it| self.checked[it].texts).collect();
        let texts = KeyBuilder::new("texts").key(own).keys(&texts).finish();
        self.checked.push(Checked { seen, texts, broken });
    }

    /// Of what is written in a group. Which module an import means depends on the files that are there, not on its text
    /// alone.
    fn own_key(&self, group: &Group) -> Key {
        let mut key = KeyBuilder::new("written");
        for &it in &group.members {
            let Node { path, content, imports, .. } = &self.nodes[it];
            let imports =
                imports.iter().map(|it| self.by_file.get(it).map_or("", |&it| &self.nodes[it].path));
            key = imports.fold(key.str(path).key(*content), KeyBuilder::str);
        }
        key.finish()
    }

    fn group_key(&self, group: &Group, own: Key) -> Key {
        let seen: Vec<Key> = group.sees.iter().map(|&it| self.checked[it].seen).collect();
        self.cache.key("check").key(self.impls).key(own).keys(&seen).finish()
    }

    fn known(&self, group: &Group, bytes: &[u8]) -> Option<(Inferred, Vec<Diagnostic>, Duration)> {
        let record: Record = qz_cache::decode(bytes).ok()?;
        let file = |number: u32| {
            let file = self.nodes[*group.members.get(number as usize)?].file;
            Some((file, self.program.sources.text(file).len() as u32))
        };
        let warnings: Option<Vec<Diagnostic>> =
            record.warnings.into_iter().map(|it| restore(it, &file)).collect();
        Some((record.inferred, warnings?, Duration::from_micros(record.micros)))
    }

    /// Checks a group and keeps what was found, if it may be.
    fn make(&mut self, group: &Group, key: Key, outcome: Outcome) -> (Inferred, bool) {
        let started = Instant::now();
        self.checker.check_modules(&self.module_ids(group));
        let inferred = self.inferred(group);
        let found = self.program.defs.take_problems();
        let took = started.elapsed();
        let broken_before = group.sees.iter().any(|&it| self.checked[it].broken);
        let is_broken = |it: &Diagnostic| it.is_error();
        let broken = broken_before || found.iter().any(is_broken);
        let record = self.record(group, inferred.clone(), &found, took).filter(|_| !broken);
        let outcome = match &record {
            Some(record) => {
                self.cache.store.put(Tier::Check, key, &qz_cache::encode(record));
                outcome
            }
            None if broken => Outcome::NotKept("there are errors".into()),
            None => Outcome::NotKept("what was found speaks of other files".into()),
        };
        self.note(group, &outcome, Duration::ZERO);
        self.problems.extend(found);
        (inferred, broken)
    }

    fn record(
        &self,
        group: &Group,
        inferred: Inferred,
        found: &[Diagnostic],
        took: Duration,
    ) -> Option<Record> {
        let number = |file: FileId| {
            let at = group.members.iter().position(|&it| self.nodes[it].file == file)?;
            Some(at as u32)
        };
        // What others' bodies gave was told, or kept, when those were checked.
        let own = found.iter().filter(|it| number(it.span.file).is_some());
        let warnings: Option<Vec<Stored>> = own.map(|it| store(it, &number)).collect();
        Some(Record { inferred, warnings: warnings?, micros: took.as_micros() as u64 })
    }

    fn module_ids(&self, group: &Group) -> Vec<ModuleId> {
        let ids = group.members.iter().map(|&it| self.program.defs.module_of_file(self.nodes[it].file));
        ids.map(|it| it.expect("every file is a module")).collect()
    }

    /// What others can see of the functions of a group that is not written.
    fn inferred(&self, group: &Group) -> Inferred {
        let ids = self.module_ids(group);
        let has_macros = group.members.iter().any(|&it| self.nodes[it].written.has_macros);
        let (mut lasting, mut all) = (String::new(), KeyBuilder::new("inferred"));
        let (mut plain, mut hiding) = (Vec::new(), Vec::new());
        for (id, def) in self.program.defs.fns.iter() {
            let is_plain = def.container == Container::Module && def.kind == FnKind::Normal;
            let hidden = is_plain && def.is_private && !has_macros;
            if !ids.contains(&def.module) || !def.has_body || hidden {
                continue;
            }
            if !is_plain {
                self.checker.write_interface(id, &mut lasting);
                continue;
            }
            let mut text = String::new();
            self.checker.write_interface(id, &mut text);
            let name = word(def.name.as_str());
            plain.push(Head { name, told: Key::of_content(text.as_bytes()).short() });
            if !self.program.defs.fn_sig(id).opaques.is_empty() {
                hiding.push(name);
            }
            all = all.str(&text);
        }
        let lasting = Key::of_content(lasting.as_bytes());
        Inferred { all: all.key(lasting).finish(), lasting, plain, hiding }
    }

    fn interface(&self, group: &Group, inferred: Key, part: impl Fn(&Written) -> Key) -> Key {
        let mut key = KeyBuilder::new("interface of a group").key(inferred);
        for &it in &group.members {
            key = key.str(&self.nodes[it].path).key(part(&self.nodes[it].written));
        }
        key.finish()
    }

    // ---- effects

    /// Whether what functions perform has errors.
    fn effects(&mut self, broken: bool) -> bool {
        let checked = self.modules.iter().map(|it| (it.path.as_str(), it.checked)).collect();
        let found = self.cache.check_effects(self.program, self.checker, &checked, broken);
        let has_errors = found.iter().any(Diagnostic::is_error);
        self.problems.extend(found);
        has_errors
    }

    // ---- constants

    /// Evaluates constants, but those of modules that see the same texts as before.
    fn constants(&mut self, groups: &[Group]) {
        let code = impl_texts(self.nodes);
        let mut missed: Vec<(Key, Vec<ModuleId>)> = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            let modules = self.module_ids(group);
            if !crate::consts::has_any(self.program, &modules) {
                continue;
            }
            let key = self.cache.key("constants").key(code).key(self.checked[at].texts).finish();
            let outcome = match self.cache.store.get(Tier::Check, key) {
                Found::Content(_) => Outcome::Reused,
                Found::Nothing => Outcome::New,
                Found::Damaged(damage) => Outcome::Damaged(damage),
            };
            if outcome != Outcome::Reused {
                missed.push((key, modules));
            }
            self.note_stage(group, Stage::Constants, &outcome, Duration::ZERO);
        }
        let all: Vec<ModuleId> = missed.iter().flat_map(|it| it.1.iter().copied()).collect();
        let found = crate::consts::check(self.program, &all);
        // A constant that another group's needs may be at fault: then nothing is known of either.
        if found.is_empty() {
            missed.iter().for_each(|it| self.cache.store.put(Tier::Check, it.0, &[]));
        }
        self.problems.extend(found);
    }

    // ---- telling

    fn note(&self, group: &Group, outcome: &Outcome, saved: Duration) {
        self.note_stage(group, Stage::Check, outcome, saved);
    }

    fn note_stage(&self, group: &Group, stage: Stage, outcome: &Outcome, saved: Duration) {
        for (n, &it) in group.members.iter().enumerate() {
            let saved = if n == 0 { saved } else { Duration::ZERO };
            self.cache.note(&self.nodes[it].path, stage, outcome.clone(), saved);
        }
    }

    fn remember(&mut self, group: &Group, interface: Key, checked: Key, inferred: Inferred) {
        let lasting = self.interface(group, inferred.lasting, |it| it.lasting);
        let written = group.members.iter().flat_map(|&it| &self.nodes[it].written.functions);
        let mut functions: Vec<Head> = written.copied().chain(inferred.plain).collect();
        functions.sort_unstable();
        let (functions, hiding) = (Arc::new(functions), Arc::new(inferred.hiding));
        for &it in &group.members {
            let Node { path, content, written, .. } = &self.nodes[it];
            let (path, content, private) = (path.clone(), *content, written.private.clone());
            let (functions, hiding) = (functions.clone(), hiding.clone());
            let module =
                LastModule { path, content, interface, lasting, checked, functions, hiding, private };
            self.modules.push(module);
        }
    }

    /// Why there is no entry for this group, as far as the last build tells.
    fn why(&self, group: &Group) -> Outcome {
        let last = self.cache.last.borrow();
        let Some(last) = last.as_ref() else { return Outcome::New };
        let last = &last.modules;
        let find = |path: &str| last.all.iter().find(|it| it.path == path);
        let own = group.members.iter().map(|&it| &self.nodes[it]);
        for node in own {
            match find(&node.path) {
                None => return Outcome::New,
                Some(known) if known.content != node.content => {
                    let whose =
                        if group.members.len() == 1 { "its".into() } else { format!("`{}`: its", node.path) };
                    return Outcome::Changed(format!("{whose} text changed"));
                }
                Some(_) => {}
            }
        }
        let now = |path: &str| self.modules.iter().find(|it| it.path == path);
        let changed = last
            .all
            .iter()
            .find(|before| now(&before.path).is_some_and(|it| it.interface != before.interface));
        match changed {
            Some(it) => Outcome::Changed(format!("the interface of `{}` changed", it.path)),
            None if last.impls != Some(self.impls) => Outcome::Changed("impls of traits changed".into()),
            None => Outcome::New,
        }
    }
}

fn impl_heads(nodes: &[Node]) -> Key {
    let heads = nodes.iter().filter_map(|it| Some((&it.path, it.written.impls?)));
    heads.fold(KeyBuilder::new("impls"), |key, (path, it)| key.str(path).key(it)).finish()
}

/// Evaluating may come to any impl of a trait, wherever it stands.
fn impl_texts(nodes: &[Node]) -> Key {
    let texts = nodes.iter().filter(|it| it.written.impls.is_some());
    texts.fold(KeyBuilder::new("impl texts"), |key, it| key.str(&it.path).key(it.content)).finish()
}
