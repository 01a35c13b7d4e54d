//! Leaves out what the program does not need any more: instances whose every call was inlined, tables of
//! methods, kinds of objects that nobody makes.

use std::sync::Arc;

use qz_base::Arena;
use qz_mir::{
    Body, Callee, ClosureTarget, InstanceId, Module, Rvalue, StmtKind, TypeEntry, TypeEntryKind, VtableId,
};
use qz_types::Ty;
use rustc_hash::FxHashSet;

pub(crate) fn sweep(module: &mut Module) {
    let reached = reach(module);
    if !reached.instances.contains(&false) {
        return;
    }
    let mut instance_ids = vec![None; module.instances.len()];
    let mut kept = Arena::new();
    for (id, instance) in std::mem::take(&mut module.instances).iter_mut() {
        if reached.instances[id.index()] {
            let placeholder = qz_mir::Instance {
                key: instance.key.clone(),
                symbol: std::mem::take(&mut instance.symbol),
                body: instance.body.take(),
                params: std::mem::take(&mut instance.params),
                ret: instance.ret,
                may_panic: instance.may_panic,
                foreign: instance.foreign.take(),
                for_c: instance.for_c.take(),
                kept: instance.kept,
            };
            instance_ids[id.index()] = Some(kept.alloc(placeholder));
        }
    }
    module.instances = kept;
    let renumber = |id: InstanceId| instance_ids[id.index()].expect("is reached");
    let mut vtable_ids = vec![None; module.vtables.len()];
    let mut vtables = Arena::new();
    for (id, vtable) in module.vtables.iter() {
        if reached.vtables[id.index()] {
            let mut vtable = vtable.clone();
            vtable.slots.iter_mut().for_each(|slot| *slot = renumber(*slot));
            vtable_ids[id.index()] = Some(vtables.alloc(vtable));
        }
    }
    module.vtables = vtables;
    module.types.retain(|entry| reached.instances[entry.destroy.index()]);
    for entry in &mut module.types {
        entry.destroy = renumber(entry.destroy);
        let reached = |id: InstanceId| reached.instances[id.index()].then(|| renumber(id));
        entry.crossing.parts = entry.crossing.parts.and_then(reached);
        entry.crossing.own = entry.crossing.own.and_then(reached);
        if let TypeEntryKind::Closure(id) = &mut entry.kind {
            *id = renumber(*id);
        }
    }
    module.entry = module.entry.map(renumber);
    module.roots.iter_mut().for_each(|root| *root = renumber(*root));
    let renumber_vtable = |id: VtableId| vtable_ids[id.index()].expect("is reached");
    for instance in module.instances.values_mut() {
        if let Some(body) = &mut instance.body {
            each_reference(Arc::make_mut(body), &mut |it| match it {
                Reference::Instance(id) => *id = renumber(*id),
                Reference::Vtable(id) => *id = renumber_vtable(*id),
                Reference::Object(_) | Reference::Box(_) | Reference::Closure(_) => {}
            });
        }
    }
}

struct Reached {
    instances: Vec<bool>,
    vtables: Vec<bool>,
}

/// Something outside that a body refers to.
enum Reference<'a> {
    Instance(&'a mut InstanceId),
    Vtable(&'a mut VtableId),
    /// Makes an object of this type.
    Object(Ty),
    /// Boxes a value of this type.
    Box(Ty),
    /// Makes a closure object for this instance.
    Closure(InstanceId),
}

fn each_reference(body: &mut Body, f: &mut dyn FnMut(Reference)) {
    for stmt in body.blocks.values_mut().flat_map(|block| &mut block.stmts) {
        match &mut stmt.kind {
            StmtKind::Call(call) => {
                if let Callee::Instance(id) = &mut call.callee {
                    f(Reference::Instance(id));
                }
            }
            StmtKind::Assign(_, value) | StmtKind::Init(_, value) => match value {
                Rvalue::Closure(target, _) => {
                    if let ClosureTarget::Instance(id) = &mut **target {
                        f(Reference::Closure(*id));
                        f(Reference::Instance(id));
                    }
                }
                Rvalue::MakeDyn { from, vtable, .. } => {
                    f(Reference::Box(*from));
                    vtable.iter_mut().for_each(|id| f(Reference::Vtable(id)));
                }
                Rvalue::New(ty, _) => f(Reference::Object(*ty)),
                Rvalue::Aggregate(kind, _) => f(Reference::Object(kind.ty())),
                _ => {}
            },
            StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Release(_) | StmtKind::Nop => {}
        }
    }
}

fn reach(module: &mut Module) -> Reached {
    let mut reached = Reached {
        instances: vec![false; module.instances.len()],
        vtables: vec![false; module.vtables.len()],
    };
    let in_data = module.data.values().filter_map(|blob| blob.object_of.map(TypeEntryKind::Ty));
    let mut made: FxHashSet<TypeEntryKind> = in_data.collect();
    let mut work: Vec<InstanceId> = module.starts().collect();
    loop {
        while let Some(id) = work.pop() {
            if std::mem::replace(&mut reached.instances[id.index()], true) {
                continue;
            }
            let Some(mut body) = module.instances[id].body.take() else { continue };
            let vtables = &module.vtables;
            each_reference(Arc::make_mut(&mut body), &mut |it| match it {
                Reference::Instance(id) => work.push(*id),
                Reference::Vtable(id) => {
                    if !std::mem::replace(&mut reached.vtables[id.index()], true) {
                        work.extend(&vtables[*id].slots);
                    }
                }
                Reference::Object(ty) => {
                    made.insert(TypeEntryKind::Ty(ty));
                }
                Reference::Box(ty) => {
                    made.insert(TypeEntryKind::DynBox(ty));
                }
                Reference::Closure(id) => {
                    made.insert(TypeEntryKind::Closure(id));
                }
            });
            module.instances[id].body = Some(body);
        }
        // Destroy functions of what is made by now, which may make more.
        // In a part, objects end that others make.
        let is_kept = |entry: &TypeEntry| {
            matches!(entry.kind, TypeEntryKind::Ty(_)) && module.instances[entry.destroy].kept.is_some()
        };
        let waiting = module.types.iter().filter(|entry| made.contains(&entry.kind) || is_kept(entry));
        let used = waiting.flat_map(|entry| {
            let crossing = entry.crossing;
            [Some(entry.destroy), crossing.parts, crossing.own].into_iter().flatten()
        });
        work.extend(used.filter(|id| !reached.instances[id.index()]));
        if work.is_empty() {
            return reached;
        }
    }
}
