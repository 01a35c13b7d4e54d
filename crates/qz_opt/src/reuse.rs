//! Memory of objects that end is used for those that are made next, without the allocator in between.
//!
//! After Reinking, Xie, de Moura and Leijen ("Perceus: Garbage Free Reference Counting with Reuse", 2021) and
//! Lorenzen and Leijen ("Reference Counting with Frame-Limited Reuse", 2022). Where an object is taken apart,
//!
//! ```text
//! t_3 = l_1.v1.1
//! retain t_3
//! release l_1
//! _4 = call @map(t_3)
//! _0 = variant 1 List (h_2, move _4)
//! ```
//!
//! the way splits. If there was one count, its parts are moved out and the block is kept, else the counts
//! are what they were, and there is no block (*drop specialisation*):
//!
//! ```text
//! unique:  t_3 = move l_1.v1.1           shared:  retain t_3
//!          token_5 = TakeBlock(move l_1)          release l_1
//!                                                 token_5 = null
//! joined:  _4 = call @map(move t_3)
//!          _0 = reuse move token_5 for variant 1 List (h_2, move _4)
//! ```
//!
//! A token never leaves its function. [`region`] says where one is at hand; on other ways, panics included, the block
//! is given back. Ways without one that meet those with one bring null, or a token of their own. [`crate::counts::apart`] sees to it that objects end in time.

pub(crate) mod cells;
pub(crate) mod region;
mod sites;
mod write;

use std::sync::Arc;

use qz_mir::layout::Layouts;
use qz_mir::{Body, Const, Local, Module, Operand, Rvalue, StmtKind, TypeEntry, TypeEntryKind};
use qz_types::Ty;
use rustc_hash::FxHashSet;

use crate::counts::{Cx, Quiet};
use crate::drops::Drops;
use crate::{callgraph::Panics, glue};
use region::{Graph, Region};
use sites::Site;

/// Every site looks at the whole graph.
const MAX_SITES: usize = 64;

/// Types whose objects may leave their memory to others: those of which the program makes any. Of the others it has no
/// entry in its table, and code that takes them apart is never reached.
pub(crate) fn types(module: &Module) -> FxHashSet<Ty> {
    let ty = |entry: &TypeEntry| match entry.kind {
        TypeEntryKind::Ty(ty) => Some(ty),
        TypeEntryKind::Closure(_) | TypeEntryKind::DynBox(_) => None,
    };
    module.types.iter().filter_map(ty).collect()
}

/// Reuses memory in all bodies with counts.
pub(crate) fn reuse_memory(
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
        let body = in_body(body, &cx);
        module.instances[id].body = Some(body);
    }
}

fn in_body(shared: Arc<Body>, cx: &Cx) -> Arc<Body> {
    let sites = sites::find(&shared, cx);
    if sites.is_empty() {
        return shared;
    }
    let mut body = Arc::unwrap_or_clone(shared);
    let mut tokens = FxHashSet::default();
    for site in sites.into_iter().take(MAX_SITES) {
        if let Some(region) = region_of(&body, cx, &site, &tokens) {
            tokens.insert(write::write(&mut body, cx, &site, &region));
        }
    }
    if !tokens.is_empty() {
        crate::simplify::blocks::tidy(&mut body, true);
    }
    Arc::new(body)
}

/// Where the block of an object that is taken apart is at hand. What uses it may also be a token that would be null.
fn region_of(body: &Body, cx: &Cx, site: &Site, tokens: &FxHashSet<Local>) -> Option<Region> {
    let graph = Graph::new(body);
    let ty = Ty::ptr(cx.layouts.resolve(body.locals[site.object].ty));
    region::find(body, &graph, (site.block, site.release), &|_, _, stmt| {
        let none = null_token(&stmt.kind).filter(|token| tokens.contains(token));
        sites::made(&stmt.kind, cx) == Some(site.size) || none.is_some_and(|it| body.locals[it].ty == ty)
    })
}

/// The local that a statement sets to null.
fn null_token(stmt: &StmtKind) -> Option<Local> {
    match stmt {
        StmtKind::Assign(place, Rvalue::Use(Operand::Const(Const::Null(_)))) => place.as_local(),
        _ => None,
    }
}
