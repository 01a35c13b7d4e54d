//! Who calls whom, who calls himself, and which instances may end in a panic.
//!
//! A panic starts in checked arithmetic, in the runtime, behind a function value or `dyn` call, and in
//! recursion, which may exhaust the stack. It spreads to callers that do not take it, and to whoever gives up the
//! last count of an object whose `drop` may panic. Foreign functions do not panic.

use indexmap::IndexSet;
use qz_base::FxHashMap;
use qz_mir::layout::Layouts;
use qz_mir::{
    BlockId, Body, Callee, Circle, InstanceId, InstanceKey, Module, Stmt, StmtKind, TermKind, TypeEntryKind,
};
use qz_types::{Ty, TyKind};
use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::before::Before;
use crate::drops::Drops;

/// What follows from direct calls between instances, and those by way of C.
pub(crate) struct CallGraph {
    /// Strongly connected components, callees before callers.
    pub(crate) components: Vec<Vec<InstanceId>>,
    /// Whether an instance can call itself, directly or not.
    pub(crate) recursive: Vec<bool>,
    /// Whom each instance calls.
    pub(crate) callees: Vec<Vec<InstanceId>>,
}

impl CallGraph {
    pub(crate) fn new(module: &Module, before: Option<&Before<'_>>) -> CallGraph {
        // C may call whatever it was given.
        let for_c: Vec<InstanceId> =
            module.instances.iter().filter(|(_, it)| it.for_c.is_some()).map(|(id, _)| id).collect();
        let mut callees: Vec<_> = module
            .instances
            .values()
            .map(|instance| match &instance.body {
                Some(body) => direct_callees(body),
                None if instance.kept.is_some() && instance.foreign.is_none() => Vec::new(),
                None => for_c.clone(),
            })
            .collect();
        let count = callees.len();
        if let Some(before) = before {
            before.edges(module, &mut callees);
        }
        let mut components = components(&callees);
        let mut recursive = vec![false; callees.len()];
        for component in &components {
            let calls_itself = |&id: &InstanceId| callees[id.index()].contains(&id);
            if component.len() > 1 || component.iter().any(calls_itself) {
                component.iter().for_each(|id| recursive[id.index()] = true);
            }
        }
        // What is not of the module took part only as a way back into it.
        for component in &mut components {
            component.retain(|id| id.index() < count);
        }
        components.retain(|it| !it.is_empty());
        recursive.truncate(count);
        callees.truncate(count);
        CallGraph { components, recursive, callees }
    }
}

/// Callees, each once, in order of first call.
fn direct_callees(body: &Body) -> Vec<InstanceId> {
    let mut seen = FxHashSet::default();
    let stmts = body.blocks.values().flat_map(|block| &block.stmts);
    stmts.filter_map(direct_callee).filter(|&id| seen.insert(id)).collect()
}

fn direct_callee(stmt: &Stmt) -> Option<InstanceId> {
    match &stmt.kind {
        StmtKind::Call(call) => match call.callee {
            Callee::Instance(id) => Some(id),
            _ => None,
        },
        _ => None,
    }
}

/// Statements whose panics, if they start any, leave the function.
fn uncaught(body: &Body) -> impl Iterator<Item = &Stmt> {
    let leaves = body.blocks.values().map(|block| match block.unwind {
        Some(handler) => may_resume(body, handler),
        None => true,
    });
    body.blocks.values().zip(leaves).filter(|(_, leaves)| *leaves).flat_map(|(block, _)| &block.stmts)
}

/// Whether a panic that came to this cleanup may go on: nobody has taken it on each way from there.
fn may_resume(body: &Body, handler: BlockId) -> bool {
    let mut seen = vec![handler];
    let mut at = 0;
    while at < seen.len() {
        let block = &body.blocks[seen[at]];
        at += 1;
        if matches!(block.term.kind, TermKind::Resume) {
            return true;
        }
        let next = block.term.kind.successors().into_iter();
        let next: Vec<BlockId> = next.filter(|&to| body.blocks[to].cleanup && !seen.contains(&to)).collect();
        seen.extend(next);
    }
    false
}

/// Functions that call each other, after those that they call.
pub(crate) fn components(edges: &[Vec<InstanceId>]) -> Vec<Vec<InstanceId>> {
    let found = qz_base::graph::components(edges, InstanceId::index);
    found.into_iter().map(|it| it.into_iter().map(|it| InstanceId::from_raw(it as u32)).collect()).collect()
}

/// Which releases may start a panic.
pub(crate) struct Panics {
    /// Destroy functions of reference structs and boxed enums that may panic.
    objects: FxHashSet<Ty>,
    pub(crate) closures: bool,
    pub(crate) dyns: bool,
    /// Types of objects that end somewhere but are made nowhere, so that nothing was assumed of their end.
    pub(crate) unmade: FxHashSet<Ty>,
}

impl Panics {
    /// Whether giving up a value of this type may panic.
    pub(crate) fn release(&self, ty: Ty, drops: &Drops) -> bool {
        if !drops.runs_code(ty) {
            return false;
        }
        let mut panics = false;
        each_destroyed(ty, drops, &mut |ty| {
            panics |= match ty.kind() {
                TyKind::Fn(_) => self.closures,
                TyKind::Dyn(_) => self.dyns,
                _ => self.objects.contains(&ty),
            }
        });
        panics
    }
}

/// The objects that a value refers to directly, by type.
fn each_destroyed(ty: Ty, drops: &Drops, f: &mut dyn FnMut(Ty)) {
    if !drops.is_counted(ty) {
        return;
    }
    match ty.kind() {
        TyKind::Fn(_) | TyKind::Dyn(_) | TyKind::Str => f(ty),
        _ if drops.is_object(ty) => f(ty),
        _ => {
            let mut parts = Vec::new();
            drops.each_part(ty, &mut |part| parts.push(part));
            parts.into_iter().for_each(|part| each_destroyed(part, drops, f));
        }
    }
}

/// Sets [`qz_mir::Instance::may_panic`] of all instances.
pub(crate) fn mark_panics(
    module: &mut Module,
    layouts: &Layouts,
    drops: &Drops,
    calls: &CallGraph,
    before: Option<&Before<'_>>,
) -> Panics {
    let count = module.instances.len();
    // Two more nodes stand for whatever hides behind function and `dyn` values.
    let (any_closure, any_dyn) = (count, count + 1);
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); count + 2];
    let mut work = Vec::new();
    let mut panics = vec![false; count + 2];
    if let Some(before) = before {
        (panics[any_closure], panics[any_dyn]) = (before.facts.closures_panic, before.facts.dyns_panic);
        work.extend([any_closure, any_dyn].into_iter().filter(|&node| panics[node]));
    }
    let destroys = destroys(module);
    let mut unmade = FxHashSet::default();
    for entry in &module.types {
        match entry.kind {
            // What the collector ends is a function value to it.
            TypeEntryKind::Ty(_) if entry.circle != Circle::Never => {
                callers[entry.destroy.index()].push(any_closure);
            }
            TypeEntryKind::Ty(_) => {}
            TypeEntryKind::Closure(_) => callers[entry.destroy.index()].push(any_closure),
            TypeEntryKind::DynBox(_) => callers[entry.destroy.index()].push(any_dyn),
        }
    }
    for (id, instance) in module.instances.iter() {
        let me = id.index();
        let Some(body) = &instance.body else {
            if instance.kept.is_some() && instance.foreign.is_none() && instance.may_panic {
                panics[me] = true;
                work.push(me);
            }
            continue;
        };
        let recursive = calls.recursive[me] && !is_destroy(&instance.key);
        // Behind what is not known the function may be again, and run out of stack on its way in.
        let calls_unknown = body.blocks.values().flat_map(|block| &block.stmts).any(calls_unknown);
        if recursive || calls_unknown || uncaught(body).any(starts_panic) {
            panics[me] = true;
            work.push(me);
        }
        uncaught(body).filter_map(direct_callee).for_each(|callee| callers[callee.index()].push(me));
        for ty in released(body, layouts, drops) {
            each_destroyed(ty, drops, &mut |ty| match ty.kind() {
                TyKind::Fn(_) => callers[any_closure].push(me),
                TyKind::Dyn(_) => callers[any_dyn].push(me),
                _ => match destroys.get(&ty) {
                    Some(it) => callers[it.index()].push(me),
                    None => drop(unmade.insert(ty)),
                },
            });
        }
    }
    while let Some(node) = work.pop() {
        for &caller in &callers[node] {
            if !std::mem::replace(&mut panics[caller], true) {
                work.push(caller);
            }
        }
    }
    for (id, instance) in module.instances.iter_mut() {
        instance.may_panic = panics[id.index()];
    }
    let objects = destroys.iter().filter(|(_, id)| panics[id.index()]).map(|(&ty, _)| ty).collect();
    Panics { objects, closures: panics[any_closure], dyns: panics[any_dyn], unmade }
}

fn destroys(module: &Module) -> FxHashMap<Ty, InstanceId> {
    let entries = module.types.iter().filter_map(|entry| match entry.kind {
        TypeEntryKind::Ty(ty) => Some((ty, entry.destroy)),
        TypeEntryKind::Closure(_) | TypeEntryKind::DynBox(_) => None,
    });
    entries.collect()
}

/// How deep these may nest is bounded by other means.
fn is_destroy(key: &InstanceKey) -> bool {
    matches!(key, InstanceKey::DestroyGlue(_) | InstanceKey::DestroyClosure(_) | InstanceKey::DestroyDyn(_))
}

fn calls_unknown(stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Call(call) => !matches!(call.callee, Callee::Runtime(_) | Callee::Instance(_)),
        _ => false,
    }
}

/// Whether a statement panics by itself.
fn starts_panic(stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Assign(_, value) | StmtKind::Init(_, value) => value.may_panic(),
        StmtKind::Call(call) => matches!(call.callee, Callee::Runtime(f) if f.def().may_panic),
        StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Release(_) | StmtKind::Nop => false,
    }
}

/// Types of values that the body may release, now or once counts are placed.
fn released(body: &Body, layouts: &Layouts, drops: &Drops) -> IndexSet<Ty, FxBuildHasher> {
    let mut tys: IndexSet<Ty, FxBuildHasher> = body.locals.values().map(|local| local.ty).collect();
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        if let StmtKind::Assign(place, _) | StmtKind::Release(place) = &stmt.kind
            && !place.proj.is_empty()
        {
            tys.insert(layouts.place_ty(body, place));
        }
    }
    tys.retain(|&ty| drops.runs_code(ty));
    tys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(list: &[u32]) -> Vec<InstanceId> {
        list.iter().map(|&raw| InstanceId::from_raw(raw)).collect()
    }

    #[test]
    fn callees_come_before_callers() {
        let edges = [ids(&[1, 2]), ids(&[3]), ids(&[1]), ids(&[1]), ids(&[0])];
        let mut found = components(&edges);
        found.iter_mut().for_each(|component| component.sort());
        assert_eq!(found, [ids(&[1, 3]), ids(&[2]), ids(&[0]), ids(&[4])]);
    }
}
