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

mod facts;
mod part;

use std::fmt;

use qz_base::{FxHashMap, FxHashSet};
use qz_mir::{
    BodyKey, BodyPart, Crossing, InlineHint, Instance, InstanceId, InstanceKey, Module, Source, TypeEntry,
};
use qz_rt_abi::object::FIRST_TYPE;
use qz_types::{FnId, Ty, TyKind};

use crate::counts::Quiet;
use crate::instantiate::no_evidence;
use crate::symbols::Symbols;
use crate::{glue, inline};

pub(crate) use facts::facts;
pub use facts::{Fact, Facts, Kind, NewFacts, TypeKey};
pub use part::Part;
pub(crate) use part::{number_types, part};

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
        let indexes =
            facts.types.iter().zip(FIRST_TYPE..).map(|(kind, index)| (kind.destroy, index)).collect();
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
        before.spread()?;
        Ok(before)
    }

    /// Whoever refers to a stale function that cannot be named is stale.
    fn spread(&mut self) -> Result<(), Whole> {
        loop {
            let stale = &self.stale;
            let is_lost = |&n: &u32| stale[n as usize] && !self.facts.functions[n as usize].plain;
            let refers = |fact: &Fact| fact.callees.iter().chain(&fact.values).any(|n| is_lost(n));
            let found = self.facts.functions.iter().enumerate();
            let found: Vec<usize> =
                found.filter(|(n, fact)| !stale[*n] && refers(fact)).map(|it| it.0).collect();
            if found.is_empty() {
                return self.kinds_stay();
            }
            found.into_iter().for_each(|n| self.stale[n] = true);
        }
    }

    /// Objects are told apart by their entries of the type table, which name functions that nothing else may name: code
    /// that stays makes such objects.
    fn kinds_stay(&self) -> Result<(), Whole> {
        let is_stale = |it: Option<u32>| it.is_some_and(|number| self.is_stale(number));
        let changes = |kind: &&Kind| {
            !kind.closure && [Some(kind.destroy), kind.parts, kind.own].into_iter().any(is_stale)
        };
        match self.facts.types.iter().find(changes) {
            // What the other program's own types are does not matter here.
            Some(_) if self.which == Which::Same => Err(Whole::because("what ends an object changed")),
            _ => Ok(()),
        }
    }

    /// Less can be relied on of these than before: their callers are stale.
    pub fn weaken(&mut self, weaker: &[u32]) -> Result<(), Whole> {
        for (n, fact) in self.facts.functions.iter().enumerate() {
            if fact.callees.iter().any(|it| weaker.contains(it)) && !self.stale[n] {
                if fact.glue {
                    return Err(Whole::because("what ends a value may panic now"));
                }
                self.stale[n] = true;
            }
        }
        self.spread()
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
        let mut roots: Vec<InstanceKey> =
            keys.filter(|key| wanted.remove(symbols.of(key).as_str())).collect();
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
    [Crossing::AnyParts, Crossing::OwnAny, Crossing::MayKeep, Crossing::LeadsNowhere]
        .into_iter()
        .map(|it| InstanceKey::Crossing(Box::new(it)))
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
            InlineHint::Never | InlineHint::Rare => false,
            InlineHint::Auto => {
                let small = !recursive[id.index()] && inline::size(body) <= inline::SMALL;
                small || body.params().any(|it| matches!(body.locals[it].ty.kind(), TyKind::Fn(_)))
            }
        }
    };
    module.instances.iter().map(one).collect()
}
