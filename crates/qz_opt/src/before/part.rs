//! A part of a program that was made anew, and whether it may take its place.

use qz_base::FxHashSet;
use qz_mir::{Instance, InstanceKey, Module, Source, TypeEntry, TypeEntryKind};
use qz_rt_abi::object::FIRST_TYPE;
use qz_types::{Ty, TyKind};

use super::facts::{Noting, type_keys};
use super::{Before, Kind, NewFacts, Which, Whole};
use crate::drops::Drops;
use crate::symbols::Symbols;
use crate::{Built, OptError};

/// A part of a program that was made anew.
pub struct Part {
    pub module: Module,
    /// The number of each instance in the whole, and those of what stands around functions for C.
    pub numbers: Vec<u32>,
    pub facts: NewFacts,
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
    if let Some(instance) = otherwise_called(&built, source, before) {
        return Err(Whole(format!("others call `{}` as it was", instance.symbol)).into());
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
    let noting = Noting::new(source, &built);
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
    let gone = (0..)
        .zip(&before.stale)
        .filter(|(_, stale)| **stale)
        .map(|it| it.0)
        .filter(|it| !made.contains(it))
        .collect();
    let of_other = before.which == Which::Other;
    let facts = NewFacts { functions: facts, gone, of_other, types, changed, unmade };
    Ok(Ok(Part { module: built.module, numbers, facts }))
}

/// A function that code which stays knows with other types, or knows to be called with others.
fn otherwise_called<'a>(
    built: &'a Built<'_>,
    source: &dyn Source,
    before: &Before<'_>,
) -> Option<&'a Instance> {
    let noting = Noting::new(source, built);
    let roots: FxHashSet<u32> = before.roots().collect();
    let is_other = |instance: &&Instance| {
        let (InstanceKey::Body(..), Some(number)) = (&instance.key, instance.kept) else { return false };
        let matters = !before.is_stale(number) || roots.contains(&number);
        matters && before.fact(number).shape != noting.shape(instance)
    };
    built.module.instances.values().find(is_other)
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
    let is_new_for_c = |it: &Instance| {
        it.for_c.is_some() && it.kept.is_none_or(|number| before.fact(number).around.is_none())
    };
    let has_variables = module.statics.iter().any(|(_, it)| it.of_task);
    let fn_panics = panics.closures && !facts.closures_panic;
    let checks: [(bool, &'static str); 5] = [
        (*ambiguous, "two functions have the same symbol"),
        (
            module.instances.values().any(is_new_for_c),
            "it hands a function to C that it did not hand to it before",
        ),
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
    let is_new =
        |it: &&TypeEntry| before.index_of(module, it).is_none() && module.instances[it.destroy].may_panic;
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
    let is_cyclic = |ty: Ty| before.is_cyclic(symbols.ty_key(ty));
    let newly = changed.iter().filter(|&&ty| !before.was_changed(symbols.ty_key(ty)));
    let mut structs: Vec<Ty> = newly.copied().collect();
    // What a new function or `dyn` value holds is a new way, even into a circle that is known.
    let mut held: Vec<Ty> = Vec::new();
    for entry in module.types.iter().filter(|it| before.index_of(module, it).is_none()) {
        match &entry.kind {
            TypeEntryKind::Ty(ty) => structs.push(*ty),
            TypeEntryKind::DynBox(ty) => held.push(*ty),
            TypeEntryKind::Closure(id) => {
                let captures = module.instances[*id].body.iter().flat_map(|body| &body.captures);
                held.extend(captures.map(|&ty| layouts.resolve(ty)));
            }
        }
    }
    structs.retain(|&ty| !is_cyclic(ty));
    structs.into_iter().chain(held).any(|ty| comes_back(ty, source, drops))
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
