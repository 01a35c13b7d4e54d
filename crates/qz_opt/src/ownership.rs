//! Which parameters does a function keep, so that callers had better give them away?
//!
//! After Ullrich and de Moura ("Counting Immutable Beans", 2019): a parameter that is stored, returned or
//! passed on to one that is kept, or taken apart to make another object of it, is *owned*, any other is *borrowed*. Components of the call graph are
//! settled callees first; inside one, parameters start as borrowed and become owned until nothing changes.
//!
//! Whoever is called without its name being known (closures, `dyn` methods, a user's `drop`) borrows.

use std::sync::Arc;

use qz_base::Arena;
use qz_mir::layout::Layouts;
use qz_mir::{
    Body, Callee, ClosureTarget, Instance, InstanceId, InstanceKey, Intrinsic, Local, Module, Operand,
    Ownership, Place, Rvalue, StmtKind,
};
use qz_types::Ty;
use rustc_hash::FxHashSet;

use crate::callgraph::{CallGraph, Panics};
use crate::counts::apart::{self, Apart};
use crate::counts::{Cx, Quiet};
use crate::drops::Drops;
use crate::glue;

/// Settles [`qz_mir::Param::ownership`] of all instances.
pub(crate) fn infer_params(
    module: &mut Module,
    layouts: &Layouts,
    drops: &Drops,
    panics: &Panics,
    calls: &CallGraph,
    reuse: &FxHashSet<Ty>,
) {
    let fixed = fixed_conventions(module);
    let quiet = Quiet::unknown(module);
    let cx = Cx { module, layouts, drops, panics, quiet: &quiet, reuse };
    let apart =
        |body: &Option<Arc<Body>>| body.as_ref().map(|body| apart::find(body, &cx)).unwrap_or_default();
    let apart: Vec<Apart> = module.instances.values().map(|instance| apart(&instance.body)).collect();
    for component in &calls.components {
        let mut changed = true;
        while changed {
            changed = false;
            for &id in component {
                if fixed.contains(&id) {
                    continue;
                }
                let instance = &module.instances[id];
                let Some(body) = &instance.body else { continue };
                let kept = kept_params(body, drops, &module.instances, &apart[id.index()]);
                let instance = &mut module.instances[id];
                for (param, kept) in instance.params.iter_mut().zip(kept) {
                    if kept && param.ownership == Ownership::Borrowed {
                        param.ownership = Ownership::Owned;
                        changed = true;
                    }
                }
            }
            changed &= component.len() > 1 || calls.recursive[component[0].index()];
        }
    }
}

/// Instances whose callers do not know them.
fn fixed_conventions(module: &Module) -> FxHashSet<InstanceId> {
    let mut fixed: FxHashSet<InstanceId> = module.entry.into_iter().chain(module.exports()).collect();
    fixed.extend(module.instances.iter().filter(|(_, it)| it.kept.is_some()).map(|it| it.0));
    fixed.extend(module.vtables.values().flat_map(|vtable| &vtable.slots));
    for (id, instance) in module.instances.iter() {
        let Some(body) = &instance.body else { continue };
        let has_counts = glue::has_counts(&instance.key);
        if has_counts || matches!(instance.key, InstanceKey::FnValue(_) | InstanceKey::DynShim(..)) {
            fixed.insert(id);
        }
        for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
            match &stmt.kind {
                StmtKind::Assign(_, Rvalue::Closure(target, _))
                | StmtKind::Init(_, Rvalue::Closure(target, _)) => {
                    if let ClosureTarget::Instance(id) = **target {
                        fixed.insert(id);
                    }
                }
                StmtKind::Call(call) if has_counts => {
                    if let Callee::Instance(id) = call.callee {
                        fixed.insert(id);
                    }
                }
                _ => {}
            }
        }
    }
    fixed
}

/// For each parameter whether the body keeps it.
fn kept_params(body: &Body, drops: &Drops, instances: &Arena<Instance>, apart: &Apart) -> Vec<bool> {
    let mut kept: Vec<bool> = body.locals.ids().map(|local| apart.is_whole(local)).collect();
    // Which locals each one was copied from, whole.
    let mut copies: Vec<(Local, Local)> = Vec::new();
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        match &stmt.kind {
            StmtKind::Assign(place, value) | StmtKind::Init(place, value) => match value {
                Rvalue::Use(operand) => match (whole(operand), place.as_local()) {
                    (Some(from), Some(dest)) if dest != Body::RETURN => copies.push((dest, from)),
                    (Some(from), _) => kept[from.index()] = true,
                    (None, _) => {}
                },
                Rvalue::Aggregate(_, operands) | Rvalue::New(_, operands) | Rvalue::Closure(_, operands) => {
                    keep(operands, &mut kept);
                }
                Rvalue::MakeDyn { value, .. } => keep(std::slice::from_ref(value), &mut kept),
                Rvalue::Intrinsic(Intrinsic::Forget, operands, _) => keep(operands, &mut kept),
                _ => {}
            },
            StmtKind::Call(call) => {
                if let Callee::Instance(id) = call.callee {
                    for (arg, param) in call.args.iter().zip(&instances[id].params) {
                        if param.ownership == Ownership::Owned {
                            keep(std::slice::from_ref(arg), &mut kept);
                        }
                    }
                }
            }
            StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Release(_) | StmtKind::Nop => {}
        }
    }
    // Mostly in the order of the text, so that a few rounds suffice; more would only cost, not err.
    for _ in 0..3 {
        for &(dest, from) in copies.iter().rev() {
            kept[from.index()] |= kept[dest.index()];
        }
    }
    body.params().map(|param| kept[param.index()] && drops.is_counted(body.locals[param].ty)).collect()
}

fn whole(operand: &Operand) -> Option<Local> {
    operand.place().and_then(Place::as_local)
}

fn keep(operands: &[Operand], kept: &mut [bool]) {
    operands.iter().filter_map(whole).for_each(|local| kept[local.index()] = true);
}
