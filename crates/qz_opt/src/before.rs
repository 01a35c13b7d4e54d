//! Changing a part of a program: a few functions are made anew, the code of all others stays.
//!
//! Of each function is noted what others rely on ([`Fact`]): the convention of its parameters, whether it may panic,
//! whether it is loud, and from which files its text came, inlined functions included. When texts change, functions
//! made of them are *stale*. Stale functions that can be named are the roots of a module of their own, in which the
//! others are known by their facts alone; they keep their conventions, so that callers need not change. A stale function
//! that has no plain name (a generic one, a closure) makes those stale that refer to it, and so does one of which less
//! can be relied on than before.
//!
//! What concerns the program as a whole ([`Whole`]) is found out and answered by making all of it anew.

use std::fmt;

use qz_base::{FxHashMap, FxHashSet, Span, TextRange};
use qz_mir::{
    Body, BodyKey, BodyPart, Callee, ClosureTarget, Crossing, InlineHint, Instance, InstanceId, InstanceKey, Module, Ownership,
    Rvalue, Source, StmtKind, TypeEntry, TypeEntryKind,
};
use qz_rt_abi::object::FIRST_TYPE;
use qz_types::{FnId, Ty, TyKind};
use serde::{Deserialize, Serialize};

use crate::counts::Quiet;
use crate::drops::Drops;
use crate::instantiate::no_evidence;
use crate::symbols::Symbols;
use crate::{Built, OptError, OptLevel, Options, cycles, glue, inline};

/// What others rely on, of one function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub symbol: String,
    /// For each parameter whether it is given away.
    pub owned: Vec<bool>,
    pub may_panic: bool,
    /// It may give up counts that memory holds.
    pub loud: bool,
    /// Callers may hold copies of its body.
    pub copied: bool,
    /// It is found by its name alone: no type arguments, no closure.
    pub plain: bool,
    /// Functions that it calls, by number.
    pub callees: Vec<u32>,
    /// Functions that it refers to otherwise.
    pub values: Vec<u32>,
    /// Files of the program that its text came from.
    pub files: Vec<u32>,
    /// It is for types or traits that are not the library's.
    pub own_types: bool,
    /// The number of what C calls for it.
    pub around: Option<u32>,
}

/// What is noted of an entry of the type table: its functions, by number, as in [`qz_mir::TypeEntry`].
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    pub destroy: u32,
    pub parts: Option<u32>,
    pub own: Option<u32>,
    pub keeps_nothing: bool,
}

impl Kind {
    fn new(entry: &TypeEntry, number: impl Fn(InstanceId) -> u32) -> Kind {
        let qz_mir::EntryCrossing { parts, own, keeps_nothing } = entry.crossing;
        Kind { destroy: number(entry.destroy), parts: parts.map(&number), own: own.map(&number), keeps_nothing }
    }
}

/// What stands for a type in every build, and whether it is for types that are not the library's.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TypeKey {
    key: u64,
    is_own: bool,
}

/// What was noted of a compiled program.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Facts {
    /// By number.
    pub functions: Vec<Fact>,
    /// The entries of the type table.
    pub types: Vec<Kind>,
    /// Structs that something refers to weakly.
    pub weak: Vec<TypeKey>,
    /// It has variables of which each task has its own.
    pub of_tasks: bool,
    /// Structs whose fields are written after they were made.
    pub changed: Vec<TypeKey>,
    /// Types whose objects may be in circles, whether there were any, and whether some function or `dyn` values are among
    /// them.
    pub cyclic: Vec<TypeKey>,
    pub has_circles: bool,
    pub cyclic_fns: bool,
    pub cyclic_dyns: bool,
    /// Types of objects that end somewhere but are made nowhere.
    pub unmade: Vec<TypeKey>,
    /// Ending a function value, or a `dyn` value, may panic.
    pub closures_panic: bool,
    pub dyns_panic: bool,
    /// The number of the function that the host's entry calls.
    pub entry: Option<u32>,
    /// Why no part of it can be changed alone.
    pub whole: Option<String>,
}

/// Why all of a program has to be made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole(pub String);

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Whole {
    pub(crate) fn because(reason: &str) -> Whole {
        Whole(reason.to_owned())
    }
}

/// Which program was compiled before.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The same one, with other bodies.
    Same,
    /// Another one: only what is of the library alone stays.
    Other,
}

/// A program as it was, and which functions of it are stale.
pub struct Before<'a> {
    pub(crate) facts: &'a Facts,
    which: Which,
    by_symbol: FxHashMap<&'a str, u32>,
    stale: Vec<bool>,
    /// The index of a kind of objects, by the number of its destroy function.
    indexes: FxHashMap<u32, u32>,
    changed: FxHashSet<u64>,
    cyclic: FxHashSet<u64>,
    weak: FxHashSet<u64>,
}

impl<'a> Before<'a> {
    /// `is_new` says of which files the text changed; in another program it is asked for nothing.
    pub fn new(facts: &'a Facts, which: Which, is_new: &dyn Fn(u32) -> bool) -> Result<Before<'a>, Whole> {
        if let Some(reason) = &facts.whole {
            return Err(Whole(reason.clone()));
        }
        let functions = &facts.functions;
        let named = functions.iter().zip(0..).filter(|(it, _)| !it.symbol.is_empty());
        let by_symbol = named.map(|(it, n)| (it.symbol.as_str(), n)).collect();
        let indexes = facts.types.iter().zip(FIRST_TYPE..).map(|(kind, index)| (kind.destroy, index)).collect();
        let is_stale = |it: &Fact| match which {
            Which::Same => it.files.iter().any(|&file| is_new(file)),
            Which::Other => !it.files.is_empty() || it.own_types,
        };
        let stale = functions.iter().map(is_stale).collect();
        // Types of another program may have the same names.
        let may_be = |it: &&TypeKey| which == Which::Same || !it.is_own;
        let set = |keys: &[TypeKey]| keys.iter().filter(may_be).map(|it| it.key).collect();
        let (changed, cyclic, weak) = (set(&facts.changed), set(&facts.cyclic), set(&facts.weak));
        let mut before = Before { facts, which, by_symbol, stale, indexes, changed, cyclic, weak };
        before.spread();
        Ok(before)
    }

    /// Whoever refers to a stale function that cannot be named is stale.
    fn spread(&mut self) {
        loop {
            let stale = &self.stale;
            let is_lost = |&n: &u32| stale[n as usize] && !self.facts.functions[n as usize].plain;
            let refers = |fact: &Fact| fact.callees.iter().chain(&fact.values).any(|n| is_lost(n));
            let found = self.facts.functions.iter().enumerate();
            let found: Vec<usize> = found.filter(|(n, fact)| !stale[*n] && refers(fact)).map(|it| it.0).collect();
            if found.is_empty() {
                return;
            }
            found.into_iter().for_each(|n| self.stale[n] = true);
        }
    }

    /// Less can be relied on of these than before: their callers are stale.
    pub fn weaken(&mut self, weaker: &[u32]) -> Result<(), Whole> {
        for (n, fact) in self.facts.functions.iter().enumerate() {
            if fact.callees.iter().any(|it| weaker.contains(it)) && !self.stale[n] {
                if is_glue(&fact.symbol) {
                    return Err(Whole::because("what ends a value may panic now"));
                }
                self.stale[n] = true;
            }
        }
        self.spread();
        Ok(())
    }

    /// The number that a function has already.
    pub(crate) fn number(&self, key: &InstanceKey, symbol: &str) -> Option<u32> {
        match key {
            InstanceKey::Entry(_) => self.facts.entry,
            _ => self.find(symbol),
        }
    }

    pub(crate) fn find(&self, symbol: &str) -> Option<u32> {
        self.by_symbol.get(symbol).copied()
    }

    pub(crate) fn is_stale(&self, number: u32) -> bool {
        self.stale[number as usize]
    }

    pub(crate) fn fact(&self, number: u32) -> &'a Fact {
        &self.facts.functions[number as usize]
    }

    /// Stale functions that others refer to.
    fn roots(&self) -> impl Iterator<Item = u32> + '_ {
        let fresh = self.facts.functions.iter().zip(&self.stale).filter(|(_, stale)| !**stale);
        let referred = fresh.flat_map(|(fact, _)| fact.callees.iter().chain(&fact.values));
        referred.copied().chain(self.facts.entry).filter(|&n| self.is_stale(n))
    }

    /// Files that the roots come from.
    pub fn root_files(&self) -> FxHashSet<u32> {
        self.roots().flat_map(|n| &self.fact(n).files).copied().collect()
    }

    /// The keys of the roots; each is one of `functions`, or the program's entry.
    pub(crate) fn root_keys(
        &self,
        source: &dyn Source,
        main: Option<FnId>,
        functions: &[FnId],
    ) -> Result<Vec<InstanceKey>, Whole> {
        let is_entry = |n: &u32| Some(*n) == self.facts.entry;
        let mut wanted: FxHashSet<&str> =
            self.roots().filter(|n| !is_entry(n)).map(|n| self.fact(n).symbol.as_str()).collect();
        let symbols = Symbols::new(source);
        let plain = |&it: &FnId| InstanceKey::Body(BodyKey::main(it), Ty::list(&[]), no_evidence());
        let keys = functions.iter().map(plain).chain(by_kind());
        let mut roots: Vec<InstanceKey> = keys.filter(|key| wanted.remove(symbols.of(key).as_str())).collect();
        if self.facts.entry.is_some_and(|n| self.is_stale(n)) {
            roots.extend(main.map(InstanceKey::Entry));
        }
        if wanted.is_empty() { Ok(roots) } else { Err(Whole::because("a function that others call is gone")) }
    }

    /// The index of the kind of objects that a function destroys.
    pub(crate) fn index(&self, destroy: u32) -> Option<u32> {
        self.indexes.get(&destroy).copied()
    }

    /// The index of an entry of the type table that was there.
    pub(crate) fn index_of(&self, module: &Module, entry: &TypeEntry) -> Option<u32> {
        module.instances[entry.destroy].kept.and_then(|number| self.index(number))
    }

    /// For the call graph: the functions of the program as nodes behind the module's own `first` ones.
    pub(crate) fn edges(&self, module: &Module, edges: &mut Vec<Vec<InstanceId>>) {
        let first = edges.len();
        let mut own: Vec<Option<InstanceId>> = vec![None; self.stale.len()];
        for (id, instance) in module.instances.iter() {
            if let Some(number) = instance.kept {
                match instance.body {
                    Some(_) => own[number as usize] = Some(id),
                    None => edges[id.index()].push(InstanceId::from_raw(first as u32 + number)),
                }
            }
        }
        let node = |&n: &u32| own[n as usize].unwrap_or(InstanceId::from_raw(first as u32 + n));
        for (fact, stale) in self.facts.functions.iter().zip(&self.stale) {
            edges.push(if *stale { Vec::new() } else { fact.callees.iter().map(node).collect() });
        }
    }

    /// Whether the struct's fields were written before, wherever.
    pub(crate) fn was_changed(&self, key: u64) -> bool {
        self.changed.contains(&key)
    }

    /// Whether something refers weakly to structs of this type.
    pub(crate) fn is_weak_target(&self, key: u64) -> bool {
        self.weak.contains(&key)
    }

    /// Entries of the type table that objects may still have, with their indexes.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (u32, &Kind)> + '_ {
        let may_be = |kind: &Kind| !self.is_stale(kind.destroy) && !self.fact(kind.destroy).symbol.is_empty();
        (FIRST_TYPE..).zip(&self.facts.types).filter(move |(_, kind)| may_be(kind))
    }

    /// Whether any object may be in a circle.
    pub(crate) fn has_circles(&self) -> bool {
        self.facts.has_circles
    }

    pub(crate) fn is_cyclic(&self, key: u64) -> bool {
        self.cyclic.contains(&key)
    }

    /// Roots of which less can be relied on than before.
    pub(crate) fn weaker(&self, module: &Module, quiet: &Quiet) -> Vec<u32> {
        let mut weaker = Vec::new();
        for (id, instance) in module.instances.iter() {
            if let (Some(number), Some(_)) = (instance.kept, &instance.body) {
                if Some(number) == self.facts.entry {
                    continue;
                }
                let fact = self.fact(number);
                let panics = instance.may_panic && !fact.may_panic;
                if panics || (quiet.instance_is_loud(id) && !fact.loud) {
                    weaker.push(number);
                }
            }
        }
        weaker
    }
}

/// The functions that tell all kinds of objects apart.
pub(crate) fn by_kind() -> impl Iterator<Item = InstanceKey> {
    [Crossing::AnyParts, Crossing::OwnAny, Crossing::MayKeep].into_iter().map(|it| InstanceKey::Crossing(Box::new(it)))
}

/// What counts are given up by is called without a call being written.
fn is_glue(symbol: &str) -> bool {
    symbol.contains(".destroy.") || symbol.starts_with("qz.release.") || symbol.starts_with("qz.retain.")
}

/// Whether facts about a function are enough. What a closure captures is only known from its body.
pub(crate) fn may_stay(key: &InstanceKey) -> bool {
    !matches!(key, InstanceKey::Body(body, ..) if matches!(body.part, BodyPart::Lambda(_)))
}

/// Makes the functions that others have copies of known by their facts alone: the copies are made.
pub(crate) fn forget_copied(module: &mut Module, before: &Before<'_>) {
    for instance in module.instances.values_mut() {
        if let Some(number) = instance.kept
            && !before.is_stale(number)
            && instance.foreign.is_none()
            && may_stay(&instance.key)
        {
            instance.body = None;
            instance.may_panic = before.fact(number).may_panic;
        }
    }
}

/// Callers of these get copies of their bodies, or of parts of them.
pub(crate) fn copied(module: &Module, recursive: &[bool]) -> Vec<bool> {
    let one = |(id, instance): (InstanceId, &Instance)| {
        let Some(body) = &instance.body else { return false };
        if glue::has_counts(&instance.key) {
            return false;
        }
        match body.attrs.inline {
            InlineHint::Always => true,
            InlineHint::Never => false,
            InlineHint::Auto => {
                let small = !recursive[id.index()] && inline::size(body) <= inline::SMALL;
                small || body.params().any(|it| matches!(body.locals[it].ty.kind(), TyKind::Fn(_)))
            }
        }
    };
    module.instances.iter().map(one).collect()
}

/// What is known of functions once the module is finished.
struct Noting<'a> {
    source: &'a dyn Source,
    built: &'a Built<'a>,
}

impl Noting<'_> {
    fn fact(&self, id: InstanceId) -> Fact {
        let Built { module, quiet, calls, copied, .. } = self.built;
        let instance = &module.instances[id];
        let callees = calls.callees.get(id.index()).map_or(&[][..], |it| it);
        Fact {
            symbol: instance.symbol.clone(),
            owned: instance.params.iter().map(|it| it.ownership == Ownership::Owned).collect(),
            may_panic: instance.may_panic,
            loud: quiet.instance_is_loud(id),
            copied: copied.get(id.index()).copied().unwrap_or(false),
            plain: self.is_plain(&instance.key),
            callees: callees.iter().map(|it| it.raw()).collect(),
            values: instance.body.as_ref().map(|body| values(body, module)).unwrap_or_default(),
            files: self.files(instance),
            own_types: self.has_own_types(&instance.key),
            around: instance.for_c.is_some().then(|| module.around(id)),
        }
    }

    fn is_plain(&self, key: &InstanceKey) -> bool {
        match key {
            InstanceKey::Body(body, args, evidence) => {
                let named = body.part == BodyPart::Main && args.is_empty() && *evidence == no_evidence();
                named && self.source.is_written(body.function)
            }
            InstanceKey::Entry(_) => true,
            InstanceKey::Crossing(_) => by_kind().any(|it| it == *key),
            _ => false,
        }
    }

    fn has_own_types(&self, key: &InstanceKey) -> bool {
        let mut found = false;
        each_type(key, &mut |ty| found |= is_own(self.source, ty));
        found
    }

    /// The files of what a function was made of and what it is called by.
    fn files(&self, instance: &Instance) -> Vec<u32> {
        let mut files = FxHashSet::default();
        let mut last = None;
        let mut note = |span: Span| {
            // What the compiler made stands nowhere.
            if last != Some(span.file) && span.range != TextRange::default() {
                last = Some(span.file);
                if self.source.is_own_file(span.file) {
                    files.insert(span.file.0);
                }
            }
        };
        if let Some(body) = &instance.body {
            body.scopes.values().for_each(|it| note(it.declared));
            for block in body.blocks.values() {
                block.stmts.iter().for_each(|it| note(it.source.span));
                note(block.term.source.span);
            }
        }
        each_function(&instance.key, &mut |key| {
            if matches!(self.source.function(key.function).kind, qz_mir::FnKind::Quartz) {
                note(self.source.body(key).scopes[Body::SCOPE].declared);
            }
        });
        let mut files: Vec<u32> = files.into_iter().collect();
        files.sort_unstable();
        files
    }
}

/// The functions that a key names.
fn each_function(key: &InstanceKey, f: &mut dyn FnMut(BodyKey)) {
    match key {
        InstanceKey::Body(body, ..) => f(*body),
        InstanceKey::FnValue(of)
        | InstanceKey::ForC(of)
        | InstanceKey::DynShim(_, of)
        | InstanceKey::DestroyClosure(of) => each_function(of, f),
        InstanceKey::Specialised(of, given) => {
            each_function(of, f);
            given.iter().for_each(|(_, key)| each_function(key, f));
        }
        InstanceKey::Entry(main) => f(BodyKey::main(*main)),
        InstanceKey::RetainGlue(_)
        | InstanceKey::ReleaseGlue(_)
        | InstanceKey::DestroyGlue(_)
        | InstanceKey::DestroyDyn(_)
        | InstanceKey::Kept(_)
        | InstanceKey::FieldGlue(..) => {}
        InstanceKey::Crossing(what) => match &**what {
            Crossing::ClosureParts(of) | Crossing::OwnCaptures(of) => each_function(of, f),
            _ => {}
        },
    }
}

/// Taken for a type of the program's own.
fn unknown() -> Ty {
    Ty::new(TyKind::Error)
}

/// The types that a key names. What has evidence of effects is taken to name one of the program's own.
fn each_type(key: &InstanceKey, f: &mut dyn FnMut(Ty)) {
    match key {
        InstanceKey::Body(_, args, evidence) => {
            args.iter().for_each(|&ty| f(ty));
            if *evidence != no_evidence() {
                f(unknown());
            }
        }
        InstanceKey::FnValue(of) | InstanceKey::ForC(of) | InstanceKey::DestroyClosure(of) => each_type(of, f),
        InstanceKey::DynShim(ty, of) => {
            f(*ty);
            each_type(of, f);
        }
        InstanceKey::Specialised(of, given) => {
            each_type(of, f);
            given.iter().for_each(|(_, key)| each_type(key, f));
        }
        InstanceKey::RetainGlue(ty)
        | InstanceKey::ReleaseGlue(ty)
        | InstanceKey::DestroyGlue(ty)
        | InstanceKey::DestroyDyn(ty)
        | InstanceKey::FieldGlue(ty, _) => f(*ty),
        InstanceKey::Crossing(what) => match &**what {
            Crossing::Value(ty)
            | Crossing::Place(ty)
            | Crossing::Parts(ty)
            | Crossing::BoxParts(ty)
            | Crossing::OwnPayload(ty)
            | Crossing::OwnPlace(ty) => f(*ty),
            Crossing::ClosureParts(of) | Crossing::OwnCaptures(of) => each_type(of, f),
            Crossing::AnyParts | Crossing::OwnAny | Crossing::MayKeep => {}
        },
        InstanceKey::Entry(_) | InstanceKey::Kept(_) => {}
    }
}

/// Functions that a body makes values of, and calls that were written after the call graph was.
fn values(body: &Body, module: &Module) -> Vec<u32> {
    let mut found = Vec::new();
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        match &stmt.kind {
            StmtKind::Assign(_, value) | StmtKind::Init(_, value) => match value {
                Rvalue::Closure(target, _) => {
                    if let ClosureTarget::Instance(id) = **target {
                        found.push(id.raw());
                    }
                }
                Rvalue::MakeDyn { vtable, .. } => {
                    found.extend(vtable.iter().flat_map(|&it| &module.vtables[it].slots).map(|it| it.raw()));
                }
                _ => {}
            },
            StmtKind::Call(call) => {
                if let Callee::Instance(id) = call.callee {
                    found.push(id.raw());
                }
            }
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// What is noted of a whole program.
pub(crate) fn facts(built: &Built<'_>, source: &dyn Source, options: &Options) -> Facts {
    let Built { module, panics, .. } = built;
    let whole = match options.level {
        OptLevel::None => Some("it is not optimised"),
        OptLevel::Speed if options.keep_names => Some("it is made for debuggers"),
        OptLevel::Speed if built.ambiguous => Some("two functions have the same symbol"),
        OptLevel::Speed => None,
    };
    if let Some(whole) = whole {
        return Facts { whole: Some(whole.to_owned()), ..Facts::default() };
    }
    let noting = Noting { source, built };
    let mut functions: Vec<Fact> = module.instances.ids().map(|id| noting.fact(id)).collect();
    // Where the host enters.
    functions.push(Fact::default());
    Facts {
        functions,
        types: module.types.iter().map(|it| Kind::new(it, |id| id.raw())).collect(),
        weak: type_keys(source, &module.weak_targets),
        of_tasks: module.statics.iter().any(|(_, it)| it.of_task),
        changed: type_keys(source, &built.changed),
        cyclic: type_keys(source, &module.cyclic),
        unmade: type_keys(source, &panics.unmade),
        has_circles: module.has_circles,
        cyclic_fns: cycles::of_values(&module.cyclic).0,
        cyclic_dyns: cycles::of_values(&module.cyclic).1,
        closures_panic: panics.closures,
        dyns_panic: panics.dyns,
        entry: module.entry.map(|it| it.raw()),
        whole: None,
    }
}

fn type_keys(source: &dyn Source, types: &FxHashSet<Ty>) -> Vec<TypeKey> {
    let symbols = Symbols::new(source);
    let key = |&ty: &Ty| TypeKey { key: symbols.ty_key(ty), is_own: is_own(source, ty) };
    let mut keys: Vec<TypeKey> = types.iter().map(key).collect();
    keys.sort_unstable();
    keys
}

/// Whether types or traits are in a type that are not the library's.
fn is_own(source: &dyn Source, ty: Ty) -> bool {
    let is_own = |path: qz_base::Name| !path.as_str().starts_with("std::");
    let mut found = false;
    ty.walk(&mut |part| {
        found |= match *part.kind() {
            TyKind::Adt(id, _) => is_own(source.adt(id).path),
            TyKind::Dyn(traits) => traits.iter().any(|it| is_own(source.trait_path(it.trait_id))),
            // Rare, and not looked into.
            TyKind::Opaque(..) | TyKind::Assoc(_) | TyKind::Error => true,
            _ => false,
        }
    });
    found
}

/// A part of a program that was made anew.
pub struct Part {
    pub module: Module,
    /// The number of each instance in the whole, and those of what stands around functions for C.
    pub numbers: Vec<u32>,
    pub facts: NewFacts,
}

/// What to note of a part beside what was noted of the whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewFacts {
    /// By number.
    functions: Vec<(u32, Fact)>,
    /// Functions that the program does not have any more; their code is old.
    gone: Vec<u32>,
    /// Whether the rest was of another program.
    of_other: bool,
    types: Vec<Kind>,
    changed: Vec<TypeKey>,
    unmade: Vec<TypeKey>,
}

/// A part that is done, or functions of which less can be relied on than before.
pub(crate) fn part(
    built: Built<'_>,
    source: &dyn Source,
    before: &Before<'_>,
    mut next: u32,
) -> Result<Result<Part, Vec<u32>>, OptError> {
    if let Some(reason) = concerns_all(&built, source, before) {
        return Err(Whole::because(reason).into());
    }
    let weaker = before.weaker(&built.module, &built.quiet);
    if !weaker.is_empty() {
        return Ok(Err(weaker));
    }
    let number = |instance: &Instance| {
        instance.kept.unwrap_or_else(|| {
            next += 1;
            next - 1
        })
    };
    let mut numbers: Vec<u32> = built.module.instances.values().map(number).collect();
    let around = built.module.instances.values().filter(|it| it.for_c.is_some()).filter_map(|it| it.kept);
    let around = around.filter_map(|number| before.fact(number).around).flat_map(|outer| [outer, outer + 1]);
    // The part has no entry of its own.
    numbers.extend([u32::MAX; 2].into_iter().chain(around));
    let noting = Noting { source, built: &built };
    let mut facts = Vec::new();
    for (id, instance) in built.module.instances.iter() {
        if instance.kept.is_some() && instance.body.is_none() {
            continue;
        }
        let mut fact = noting.fact(id);
        for list in [&mut fact.callees, &mut fact.values] {
            list.iter_mut().for_each(|it| *it = numbers[*it as usize]);
        }
        facts.push((numbers[id.index()], fact));
    }
    let new = built.module.types.iter().filter(|it| before.index_of(&built.module, it).is_none());
    let types = new.map(|it| Kind::new(it, |id| numbers[id.index()])).collect();
    let changed = type_keys(source, &built.changed);
    let unmade = type_keys(source, &built.panics.unmade);
    let made: FxHashSet<u32> = facts.iter().map(|it| it.0).collect();
    let gone = (0..).zip(&before.stale).filter(|(_, stale)| **stale).map(|it| it.0).filter(|it| !made.contains(it)).collect();
    let of_other = before.which == Which::Other;
    let facts = NewFacts { functions: facts, gone, of_other, types, changed, unmade };
    Ok(Ok(Part { module: built.module, numbers, facts }))
}

impl Facts {
    /// How many functions are of the library alone, so that other programs can use them.
    pub fn of_library(&self) -> usize {
        let is_shared = |it: &&Fact| !it.symbol.is_empty() && it.files.is_empty() && !it.own_types;
        self.functions.iter().filter(is_shared).count()
    }

    /// What is known once the part is in its place.
    pub fn add(&mut self, part: &NewFacts) {
        for &number in &part.gone {
            self.functions[number as usize] = Fact::default();
        }
        for (number, fact) in &part.functions {
            let at = *number as usize;
            if self.functions.len() <= at {
                self.functions.resize(at + 1, Fact::default());
            }
            self.functions[at] = fact.clone();
        }
        if part.of_other {
            [&mut self.changed, &mut self.cyclic, &mut self.weak].into_iter().for_each(|it| it.retain(|key| !key.is_own));
        }
        self.types.extend(&part.types);
        self.changed.extend(&part.changed);
        self.changed.sort_unstable();
        self.changed.dedup();
        self.unmade.extend(&part.unmade);
    }
}

/// Gives the entries of the type table the indexes that they have in the whole program.
pub(crate) fn number_types(module: &mut Module, before: &Before<'_>) {
    let mut next = FIRST_TYPE + before.facts.types.len() as u32;
    let index = |entry: &TypeEntry| {
        before.index_of(module, entry).unwrap_or_else(|| {
            next += 1;
            next - 1
        })
    };
    module.indexes = module.types.iter().map(index).collect();
}

/// What of a part concerns the program as a whole.
fn concerns_all(built: &Built<'_>, source: &dyn Source, before: &Before<'_>) -> Option<&'static str> {
    let Built { module, panics, ambiguous, .. } = built;
    let facts = before.facts;
    // Of one that changed, what stands around it calls the new code.
    let is_new_for_c = |it: &Instance| it.for_c.is_some() && it.kept.is_none_or(|number| before.fact(number).around.is_none());
    let has_variables = module.statics.iter().any(|(_, it)| it.of_task);
    let fn_panics = panics.closures && !facts.closures_panic;
    let checks: [(bool, &'static str); 5] = [
        (*ambiguous, "two functions have the same symbol"),
        (module.instances.values().any(is_new_for_c), "it hands a function to C that it did not hand to it before"),
        (has_variables && !facts.of_tasks, "tasks have variables of their own now"),
        (fn_panics || (panics.dyns && !facts.dyns_panic), "what ends a function value may panic now"),
        (ends_otherwise(module, source, before), "objects are made whose end nobody thought to panic"),
    ];
    let found = checks.into_iter().find(|(is_so, _)| *is_so).map(|it| it.1);
    found
        .or_else(|| refers_weakly(built, source, before).then_some("something is referred to weakly now"))
        .or_else(|| may_make_circles(built, source, before).then_some("its objects may be in circles now"))
}

fn refers_weakly(built: &Built<'_>, source: &dyn Source, before: &Before<'_>) -> bool {
    let symbols = Symbols::new(source);
    built.module.weak_targets.iter().any(|&ty| !before.is_weak_target(symbols.ty_key(ty)))
}

/// Whether there are new kinds of objects whose end may panic, which others that end them do not know.
fn ends_otherwise(module: &Module, source: &dyn Source, before: &Before<'_>) -> bool {
    let symbols = Symbols::new(source);
    let is_new = |it: &&TypeEntry| before.index_of(module, it).is_none() && module.instances[it.destroy].may_panic;
    let ended_before = |it: &TypeEntry| match it.kind {
        TypeEntryKind::Ty(ty) => before.facts.unmade.iter().any(|it| it.key == symbols.ty_key(ty)),
        TypeEntryKind::Closure(_) | TypeEntryKind::DynBox(_) => false,
    };
    module.types.iter().filter(is_new).any(ended_before)
}

/// Whether objects may be in circles since the part is in its place, which they never were before.
fn may_make_circles(built: &Built<'_>, source: &dyn Source, before: &Before<'_>) -> bool {
    let Built { module, layouts, drops, changed, .. } = built;
    let symbols = Symbols::new(source);
    let newly = changed.iter().filter(|&&ty| !before.was_changed(symbols.ty_key(ty)));
    let mut starts: Vec<Ty> = newly.copied().collect();
    for entry in module.types.iter().filter(|it| before.index_of(module, it).is_none()) {
        match &entry.kind {
            TypeEntryKind::Ty(ty) | TypeEntryKind::DynBox(ty) => starts.push(*ty),
            TypeEntryKind::Closure(id) => {
                let captures = module.instances[*id].body.iter().flat_map(|body| &body.captures);
                starts.extend(captures.map(|&ty| layouts.resolve(ty)));
            }
        }
    }
    let known = |ty: Ty| before.is_cyclic(symbols.ty_key(ty));
    starts.into_iter().any(|ty| !known(ty) && comes_back(ty, source, drops))
}

/// Whether a type leads to itself, or to what may hold anything.
fn comes_back(start: Ty, source: &dyn Source, drops: &Drops) -> bool {
    let mut seen = FxHashSet::default();
    let mut work = vec![start];
    while let Some(ty) = work.pop() {
        if matches!(ty.kind(), TyKind::Fn(_) | TyKind::Dyn(_)) {
            return true;
        }
        let mut parts = Vec::new();
        if let TyKind::Adt(_, args) = *ty.kind()
            && source.hidden_parts(ty).is_some()
        {
            parts.extend(args.iter().copied());
        }
        if !matches!(ty.kind(), TyKind::Str) {
            drops.each_part(ty, &mut |part| parts.push(part));
        }
        for part in parts {
            if part == start {
                return true;
            }
            if drops.is_counted(part) && !drops.is_shared(part) && seen.insert(part) {
                work.push(part);
            }
        }
    }
    false
}
