//! Which functions may come back to themselves: those check the stack. Others nest only as deep as the program
//! is long, which the reserve below the stack's limit is for.
//!
//! Calls whose callee is not known may go to every function of their kind: closures, methods of `dyn` values,
//! destroy functions that stand in the type table. C's functions may go to every function for C.

use qz_codegen::TypeTable;
use qz_mir::layout::{Fields, Layout, Layouts, Shape};
use qz_mir::{Body, Callee, Circle, ClosureTarget, InstanceId, Module, Rvalue, StmtKind, TypeEntryKind};
use qz_types::TyKind;

/// What is known of a program's calls.
pub(crate) struct Recursion {
    recursive: Vec<bool>,
    /// Functions whose address is taken: called without knowing which one it is.
    by_address: Vec<bool>,
}

/// Nodes behind the instances: whatever hides behind an address.
#[derive(Copy, Clone)]
enum Unknown {
    Closure,
    Dyn,
    Destroy,
}

impl Recursion {
    pub(crate) fn new(module: &Module, layouts: &Layouts, types: &TypeTable) -> Recursion {
        let count = module.instances.len();
        let node = |unknown: Unknown| count + unknown as usize;
        let mut edges: Vec<Vec<usize>> = vec![Vec::new(); count + 3];
        for entry in &module.types {
            // Only what hides its type is destroyed through the table.
            if !matches!(entry.kind, TypeEntryKind::Ty(_)) || entry.circle != Circle::Never {
                edges[node(Unknown::Destroy)].push(entry.destroy.index());
            }
        }
        for slot in module.vtables.values().flat_map(|vtable| &vtable.slots) {
            edges[node(Unknown::Dyn)].push(slot.index());
        }
        for (id, instance) in module.instances.iter() {
            let Some(body) = &instance.body else {
                // C may call whatever it was given.
                let for_c = module.instances.iter().filter(|(_, it)| it.for_c.is_some());
                edges[id.index()].extend(for_c.map(|(id, _)| id.index()));
                continue;
            };
            each_closure(body, &mut |target| edges[node(Unknown::Closure)].push(target.index()));
            let me = &mut edges[id.index()];
            each_call(body, id, layouts, types, &mut |to| match to {
                Ok(callee) => me.push(callee.index()),
                Err(unknown) => me.push(node(unknown)),
            });
            me.sort_unstable();
            me.dedup();
        }
        let mut by_address = vec![false; count];
        for unknown in [Unknown::Closure, Unknown::Dyn] {
            edges[node(unknown)].iter().for_each(|&to| by_address[to] = true);
        }
        module.types.iter().for_each(|entry| by_address[entry.destroy.index()] = true);
        let mut recursive = in_cycles(&edges);
        recursive.truncate(count);
        Recursion { recursive, by_address }
    }

    pub(crate) fn is_recursive(&self, id: InstanceId) -> bool {
        self.recursive[id.index()]
    }

    pub(crate) fn is_called_by_address(&self, id: InstanceId) -> bool {
        self.by_address[id.index()]
    }
}

fn each_closure(body: &Body, f: &mut dyn FnMut(InstanceId)) {
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        if let StmtKind::Assign(_, value) | StmtKind::Init(_, value) = &stmt.kind
            && let Rvalue::Closure(target, _) = value
            && let ClosureTarget::Instance(id) | ClosureTarget::Fn(Callee::Instance(id)) = &**target
        {
            f(*id);
        }
    }
}

fn each_call(
    body: &Body,
    own: InstanceId,
    layouts: &Layouts,
    types: &TypeTable,
    f: &mut dyn FnMut(Result<InstanceId, Unknown>),
) {
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        match &stmt.kind {
            StmtKind::Call(call) => match &call.callee {
                Callee::Instance(id) => f(Ok(*id)),
                Callee::Value(_) => f(Err(Unknown::Closure)),
                Callee::Dyn { .. } => f(Err(Unknown::Dyn)),
                Callee::Runtime(_) => {}
                other @ (Callee::Fn(..) | Callee::Method { .. } | Callee::Member(_)) => {
                    unreachable!("{other:?} is an instance by now")
                }
            },
            StmtKind::Release(place) => {
                let layout = layouts.of(layouts.place_ty(body, place));
                each_destroy(&layout, own, layouts, types, f);
            }
            StmtKind::Assign(..)
            | StmtKind::Init(..)
            | StmtKind::EndScope(_)
            | StmtKind::Retain(_)
            | StmtKind::Nop => {}
        }
    }
}

/// The functions that `counts.rs` may call when a value goes, in the code of `own`.
fn each_destroy(
    layout: &Layout,
    own: InstanceId,
    layouts: &Layouts,
    types: &TypeTable,
    f: &mut dyn FnMut(Result<InstanceId, Unknown>),
) {
    if !layout.needs_release {
        return;
    }
    if layout.is_counted_word() {
        let ty = layouts.counted_object(layout);
        let glue = types.glue(ty);
        // In cleanups; elsewhere it is done in place.
        glue.release.filter(|&it| it != own).into_iter().for_each(|release| f(Ok(release)));
        return match glue.destroy {
            _ if matches!(ty.kind(), TyKind::Str) => {}
            Some(glue) => f(Ok(glue)),
            None => f(Err(Unknown::Destroy)),
        };
    }
    if let Some(glue) = types.glue(layout.ty).release.filter(|&it| it != own) {
        return f(Ok(glue));
    }
    let mut each = |fields: &Fields| {
        fields.tys.iter().for_each(|&ty| each_destroy(&layouts.of(ty), own, layouts, types, f));
    };
    match &layout.shape {
        Shape::Product(fields) => each(fields),
        Shape::Enum(it) => it.variants.iter().for_each(each),
        _ => {}
    }
}

/// Which nodes lie on a cycle.
fn in_cycles(edges: &[Vec<usize>]) -> Vec<bool> {
    let mut cyclic: Vec<bool> = edges.iter().enumerate().map(|(n, to)| to.contains(&n)).collect();
    for members in qz_base::graph::components(edges, |it| it).into_iter().filter(|it| it.len() > 1) {
        members.into_iter().for_each(|it| cyclic[it] = true);
    }
    cyclic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_back_to_itself_is_recursive() {
        // 0 → 1 → 2 → 1, 3 → 3, 4
        let edges = [vec![1], vec![2], vec![1], vec![3], vec![]];
        assert_eq!(in_cycles(&edges), [false, true, true, true, false]);
    }
}
