//! What is noted of a compiled program, so that a part of it can be changed: what others rely on, of each function.

use qz_base::{FxHashSet, Span, TextRange};
use qz_mir::{
    Body, BodyPart, Callee, ClosureTarget, Instance, InstanceId, InstanceKey, Module, Ownership, Rvalue,
    Source, StmtKind, TypeEntry, TypeEntryKind,
};
use qz_types::{Ty, TyKind};
use serde::{Deserialize, Serialize};

use super::by_kind;
use crate::instantiate::no_evidence;
use crate::symbols::Symbols;
use crate::{Built, OptLevel, Options, cycles, glue};

/// What others rely on, of one function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub symbol: String,
    /// Stands for the types of its parameters and its result.
    pub shape: u64,
    /// For each parameter whether it is given away.
    pub owned: Vec<bool>,
    pub may_panic: bool,
    /// It may give up counts that memory holds.
    pub loud: bool,
    /// Callers may hold copies of its body.
    pub copied: bool,
    /// It is found by its name alone: no type arguments, no closure.
    pub plain: bool,
    /// It ends values, or changes their counts: it is called without a call being written.
    pub glue: bool,
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
    /// Of a function value: whoever makes one has its function in its own text.
    pub closure: bool,
    pub parts: Option<u32>,
    pub own: Option<u32>,
    pub keeps_nothing: bool,
}

impl Kind {
    pub(super) fn new(entry: &TypeEntry, number: impl Fn(InstanceId) -> u32) -> Kind {
        let qz_mir::EntryCrossing { parts, own, keeps_nothing } = entry.crossing;
        Kind {
            destroy: number(entry.destroy),
            closure: matches!(entry.kind, TypeEntryKind::Closure(_)),
            parts: parts.map(&number),
            own: own.map(&number),
            keeps_nothing,
        }
    }
}

/// What stands for a type in every build, and whether it is for types that are not the library's.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TypeKey {
    pub(super) key: u64,
    pub(super) is_own: bool,
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

/// What to note of a part beside what was noted of the whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewFacts {
    /// By number.
    pub(super) functions: Vec<(u32, Fact)>,
    /// Functions that the program does not have any more; their code is old.
    pub(super) gone: Vec<u32>,
    /// Whether the rest was of another program.
    pub(super) of_other: bool,
    pub(super) types: Vec<Kind>,
    pub(super) changed: Vec<TypeKey>,
    pub(super) unmade: Vec<TypeKey>,
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
            [&mut self.changed, &mut self.cyclic, &mut self.weak]
                .into_iter()
                .for_each(|it| it.retain(|key| !key.is_own));
        }
        self.types.extend(&part.types);
        self.changed.extend(&part.changed);
        self.changed.sort_unstable();
        self.changed.dedup();
        self.unmade.extend(&part.unmade);
        self.unmade.sort_unstable();
        self.unmade.dedup();
    }
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
    let noting = Noting::new(source, built);
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

pub(super) fn type_keys(source: &dyn Source, types: &FxHashSet<Ty>) -> Vec<TypeKey> {
    let symbols = Symbols::new(source);
    let key = |&ty: &Ty| TypeKey { key: symbols.ty_key(ty), is_own: is_own(source, ty) };
    let mut keys: Vec<TypeKey> = types.iter().map(key).collect();
    keys.sort_unstable();
    keys
}

/// Whether types or traits are in a type that are not the library's.
fn is_own(source: &dyn Source, ty: Ty) -> bool {
    let mut found = false;
    ty.walk(&mut |part| {
        found |= match *part.kind() {
            TyKind::Adt(id, _) => source.is_own_type(id),
            TyKind::Dyn(traits) => traits.iter().any(|it| source.is_own_trait(it.trait_id)),
            // Rare, and not looked into.
            TyKind::Opaque(..) | TyKind::Assoc(_) => true,
            _ => false,
        }
    });
    found
}

/// What is known of functions once the module is finished.
pub(super) struct Noting<'a> {
    source: &'a dyn Source,
    built: &'a Built<'a>,
    symbols: Symbols<'a>,
}

impl<'a> Noting<'a> {
    pub(super) fn new(source: &'a dyn Source, built: &'a Built<'a>) -> Noting<'a> {
        Noting { source, built, symbols: Symbols::new(source) }
    }

    pub(super) fn fact(&self, id: InstanceId) -> Fact {
        let Built { module, quiet, calls, copied, .. } = self.built;
        let instance = &module.instances[id];
        let callees = calls.callees.get(id.index()).map_or(&[][..], |it| it);
        Fact {
            symbol: instance.symbol.clone(),
            shape: self.shape(instance),
            owned: instance.params.iter().map(|it| it.ownership == Ownership::Owned).collect(),
            may_panic: instance.may_panic,
            loud: quiet.instance_is_loud(id),
            copied: copied.get(id.index()).copied().unwrap_or(false),
            plain: self.is_plain(&instance.key),
            glue: glue::has_counts(&instance.key),
            callees: callees.iter().map(|it| it.raw()).collect(),
            values: instance.body.as_ref().map(|body| values(body, module)).unwrap_or_default(),
            files: self.files(instance),
            own_types: self.has_own_types(&instance.key),
            around: instance.for_c.is_some().then(|| module.around(id)),
        }
    }

    pub(super) fn shape(&self, instance: &Instance) -> u64 {
        let types: Vec<Ty> = instance.params.iter().map(|it| it.ty).chain([instance.ret]).collect();
        self.symbols.ty_key(Ty::tuple(&types))
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
        // What has evidence of effects is of the program that declares them.
        let mut found = matches!(key, InstanceKey::Body(_, _, evidence) if *evidence != no_evidence());
        key.each_type(&mut |ty| found |= is_own(self.source, ty));
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
        instance.key.each_function(&mut |key| {
            if matches!(self.source.function(key.function).kind, qz_mir::FnKind::Quartz) {
                note(self.source.body(key).scopes[Body::SCOPE].declared);
            }
        });
        let mut files: Vec<u32> = files.into_iter().collect();
        files.sort_unstable();
        files
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
