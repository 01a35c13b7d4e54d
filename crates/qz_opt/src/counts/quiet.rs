//! Which statements give up no count that memory holds?
//!
//! While nothing else runs, whatever is reached from an object that is alive stays alive, however changeable it
//! is: [`super::borrow`] leaves the counts out of locals that look there for so long. A statement is *loud* if it
//! stores over a counted value in memory, takes one out, frees memory, calls what is loud or unknown, or ends a
//! scope that runs somebody's `drop`; an instance is loud if one of its statements is, or if it may be the one
//! that gives up a value with such a `drop`.

use qz_mir::visit::{each_operand, each_place};
use qz_mir::{
    Body, Callee, Instance, InstanceId, Local, Module, Operand, Ownership, Place, Proj, Rvalue, StmtKind,
};
use qz_rt_abi::RtFn;
use qz_rt_abi::registry::rt;

use super::Cx;
use crate::before::Before;
use crate::callgraph::CallGraph;
use crate::drops::Drops;
use qz_mir::layout::Layouts;

/// What is known of instances.
pub(crate) struct Quiet {
    loud: Vec<bool>,
}

impl Quiet {
    /// Everything is loud: nothing was looked at.
    pub(crate) fn unknown(module: &Module) -> Quiet {
        Quiet { loud: vec![true; module.instances.len()] }
    }

    pub(crate) fn new(
        module: &Module,
        layouts: &Layouts,
        drops: &Drops,
        calls: &CallGraph,
        before: Option<&Before<'_>>,
    ) -> Quiet {
        let mut quiet = Quiet::unknown(module);
        for (id, instance) in module.instances.iter().filter(|(_, it)| it.body.is_none()) {
            if let (Some(before), Some(number)) = (before, instance.kept) {
                quiet.loud[id.index()] = before.fact(number).loud;
            }
        }
        for component in &calls.components {
            let is_known = |id: &InstanceId| {
                module.instances[*id].kept.is_some() && module.instances[*id].body.is_none()
            };
            let made: Vec<InstanceId> = component.iter().copied().filter(|id| !is_known(id)).collect();
            // Calls inside a component change nothing: it is as loud as its other statements.
            made.iter().for_each(|id| quiet.loud[id.index()] = false);
            let loud = made.iter().any(|&id| {
                instance_is_loud(&module.instances[id], drops, &|body, stmt| {
                    quiet.is_loud(body, stmt, layouts, drops)
                })
            });
            made.iter().for_each(|id| quiet.loud[id.index()] = loud);
        }
        quiet
    }

    /// Whether calling it may give up counts that memory holds.
    pub(crate) fn instance_is_loud(&self, id: InstanceId) -> bool {
        self.loud.get(id.index()).copied().unwrap_or(true)
    }

    pub(super) fn stmt_is_loud(&self, body: &Body, stmt: &StmtKind, cx: &Cx) -> bool {
        self.is_loud(body, stmt, cx.layouts, cx.drops)
    }

    fn is_loud(&self, body: &Body, stmt: &StmtKind, layouts: &Layouts, drops: &Drops) -> bool {
        let counted = |place: &Place| in_memory(place) && drops.is_counted(layouts.place_ty(body, place));
        match stmt {
            StmtKind::Assign(place, value) => counted(place) || takes_out(value, &counted),
            StmtKind::Init(_, value) => takes_out(value, &counted),
            StmtKind::Call(call) => {
                self.callee_is_loud(&call.callee)
                    || call.args.iter().any(|arg| matches!(arg, Operand::Move(place) if counted(place)))
            }
            StmtKind::EndScope(local) => drops.is_kept(body.locals[*local].ty),
            StmtKind::Release(_) => true,
            StmtKind::Retain(_) | StmtKind::Nop => false,
        }
    }

    fn callee_is_loud(&self, callee: &Callee) -> bool {
        match callee {
            Callee::Instance(id) => self.loud[id.index()],
            Callee::Runtime(f) => runtime_frees(*f),
            _ => true,
        }
    }
}

/// Whether a place is in an object or behind a pointer, not in a local.
fn in_memory(place: &Place) -> bool {
    place.proj.iter().any(|proj| matches!(proj, Proj::Deref | Proj::Index(_) | Proj::Capture(_)))
}

/// Whether the value is moved out of memory.
fn takes_out(value: &Rvalue, counted: &dyn Fn(&Place) -> bool) -> bool {
    let mut found = false;
    each_operand(value, &mut |operand| {
        found |= matches!(operand, Operand::Move(place) if counted(place));
    });
    found
}

/// Runtime functions after which memory may be gone.
fn runtime_frees(f: RtFn) -> bool {
    let frees = [
        rt::free,
        rt::realloc,
        rt::free_object,
        rt::str_free,
        rt::str_release,
        rt::release_shared,
        rt::defer_destroy,
        rt::next_deferred,
    ];
    frees.contains(&f)
}

fn instance_is_loud(instance: &Instance, drops: &Drops, is_loud: &dyn Fn(&Body, &StmtKind) -> bool) -> bool {
    let Some(body) = &instance.body else { return true };
    let owned: Vec<bool> = instance.params.iter().map(|param| param.ownership == Ownership::Owned).collect();
    owns_watched(body, drops, &owned)
        || body.blocks.values().flat_map(|block| &block.stmts).any(|stmt| is_loud(body, &stmt.kind))
}

/// Whether the body may be the last to hold a value whose end runs code that somebody wrote.
pub(super) fn owns_watched(body: &Body, drops: &Drops, owned_params: &[bool]) -> bool {
    let watched = |local: Local| drops.is_watched(body.locals[local].ty);
    let param = (1..=body.param_count).map(Local::from_raw);
    if param.zip(owned_params).any(|(local, owned)| *owned && watched(local)) {
        return true;
    }
    let mut found = false;
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        each_place(&stmt.kind, &mut |place, _| {
            let local = place.local();
            let is_param = (1..=body.param_count as usize).contains(&local.index());
            found |= !is_param && watched(local);
        });
    }
    found
}
