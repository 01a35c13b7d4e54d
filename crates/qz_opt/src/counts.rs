//! Where are counts added and given up?
//!
//! Perceus (Reinking, Xie, de Moura, Leijen: "Perceus: Garbage Free Reference Counting with Reuse", 2021) on
//! a control-flow graph with panics, with borrowed parameters after Ullrich and de Moura ("Counting
//! Immutable Beans", 2019). A local owns one count of its value from its definition to its last use. The
//! last use moves it, where the value is wanted for keeps, or is followed by a release; other uses that want
//! it for keeps add a count.
//!
//! * [`prepare`] brings a body into a form in which only whole locals are passed to calls.
//! * [`apart`] finds objects that are taken apart to make others in their place: their parts own counts.
//! * [`borrow`] finds locals that need no count, because they look at a part of another one.
//! * [`quiet`] tells which statements give up no count that memory holds, so that locals may look there, too.
//! * [`locals`] says which locals own counts, and which keep others alive.
//! * [`flow`] finds where they are live and where they hold a value.
//! * [`place`] writes moves, retains and releases; [`edges`] releases what dies on the way from block to
//!   block; [`pads`] releases what is owned when a statement panics.
//!
//! A local is owned at a point exactly if it is live there and holds a value on every way to it. So what a
//! panic must release at each statement, and what an edge must release, is known without flags at run time.

pub(crate) mod apart;
mod borrow;
mod edges;
mod flow;
mod locals;
mod pads;
mod place;
mod prepare;
mod quiet;

use std::sync::Arc;

use qz_mir::layout::Layouts;
use qz_mir::{Body, Callee, InstanceId, Module, Ownership, StmtKind};
use qz_types::Ty;
use rustc_hash::FxHashSet;

use crate::callgraph::Panics;
use crate::drops::Drops;
use crate::glue;

use apart::Apart;

pub(crate) use borrow::pointer_base;
pub(crate) use flow::postorder;
pub(crate) use quiet::Quiet;

/// What placing counts in one body needs to know about the rest.
pub(crate) struct Cx<'a> {
    pub(crate) module: &'a Module,
    pub(crate) layouts: &'a Layouts<'a>,
    pub(crate) drops: &'a Drops<'a>,
    pub(crate) panics: &'a Panics,
    pub(crate) quiet: &'a Quiet,
    /// Types whose objects leave their memory to others, by [`crate::reuse::types`].
    pub(crate) reuse: &'a FxHashSet<Ty>,
}

/// Places counts in every body that has none yet.
pub(crate) fn place_counts(
    module: &mut Module,
    layouts: &Layouts,
    drops: &Drops,
    panics: &Panics,
    quiet: &Quiet,
    reuse: &FxHashSet<Ty>,
) {
    for id in module.instances.ids() {
        if glue::has_counts(&module.instances[id].key) {
            continue;
        }
        let Some(body) = module.instances[id].body.take() else { continue };
        let cx = Cx { module, layouts, drops, panics, quiet, reuse };
        let body = place_in(Arc::unwrap_or_clone(body), &cx, id);
        module.instances[id].body = Some(Arc::new(body));
    }
}

/// A body with its counts written down.
pub(crate) fn place_in(mut body: Body, cx: &Cx, id: InstanceId) -> Body {
    let owned_params: Vec<bool> =
        cx.module.instances[id].params.iter().map(|param| param.ownership == Ownership::Owned).collect();
    prepare::prepare(&mut body, cx, &owned_params);
    let checks_stack = cx.module.instances[id].may_panic;
    let apart = match cx.reuse.is_empty() {
        true => Apart::default(),
        false => apart::find(&body, cx),
    };
    let borrowed = borrow::find(&body, cx, &owned_params, &apart);
    let locals = locals::Locals::new(&body, cx, &owned_params, &borrowed);
    let flow = flow::Flow::new(&body, &locals);
    place::place(body, cx, &locals, &flow, checks_stack)
}

impl Cx<'_> {
    /// Whether a callee keeps argument `n`, so that the caller must give it a count.
    pub(crate) fn takes_argument(&self, callee: &Callee, n: usize) -> bool {
        match callee {
            Callee::Instance(id) => {
                let params = &self.module.instances[*id].params;
                params.get(n).is_some_and(|param| param.ownership == Ownership::Owned)
            }
            // Fixed conventions: closures, `dyn` methods and the runtime borrow.
            _ => false,
        }
    }

    /// Whether a statement, counts included, may start a panic.
    pub(crate) fn may_panic(&self, body: &Body, stmt: &StmtKind) -> bool {
        match stmt {
            StmtKind::Assign(_, value) | StmtKind::Init(_, value) => value.may_panic(),
            StmtKind::Call(call) => match &call.callee {
                Callee::Instance(id) => self.module.instances[*id].may_panic,
                Callee::Runtime(f) => f.def().may_panic,
                _ => true,
            },
            StmtKind::Release(place) => self.panics.release(self.layouts.place_ty(body, place), self.drops),
            StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Nop => false,
        }
    }
}
