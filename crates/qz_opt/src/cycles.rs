//! Circles: objects that refer to each other, so that counts alone never end them. The runtime finds those that nobody
//! else refers to (`qz_rt::cycles`, `std/cycles.qz`); here it is decided who has to do with that.
//!
//! A type takes part if its objects can come back to themselves, and one on the way there can be changed after it was
//! made: what is only built from parts that exist refers to older objects. Types of other programs pay nothing.
//!
//! What is left in a circle lost its last reference from outside either by giving up a count, of which engines tell the
//! runtime, or by a store that moved it into the circle ([`log_moves`]).

use std::sync::Arc;

use qz_base::FxHashSet;
use qz_mir::layout::Layouts;
use qz_mir::visit::each_stmt_operand;
use qz_mir::{
    Body, Call, Callee, Circle, Instance, InstanceId, InstanceKey, LocalDecl, Module, Operand, Ownership,
    Place, Proj, Rvalue, Stmt, StmtKind, TypeEntryKind,
};
use qz_types::ty::common;
use qz_types::{Ty, TyKind};
use rustc_hash::FxHashMap;

use crate::callgraph::components;
use crate::drops::Drops;
use crate::glue;
use crate::instantiate::Instantiator;

/// The types whose values lead to objects that may be in circles.
pub(crate) fn cyclic_types(cx: &Instantiator, changed: &FxHashSet<Ty>) -> FxHashSet<Ty> {
    let is_open = |ty: Ty| changed.contains(&ty) || cx.source.hidden_parts(ty).is_some();
    if changed.is_empty() {
        return FxHashSet::default();
    }
    let graph = TypeGraph::new(cx);
    let mut found = FxHashSet::default();
    for component in components(&graph.edges) {
        let comes_back = component.len() > 1 || graph.edges[component[0].index()].contains(&component[0]);
        let tys = || component.iter().map(|id| graph.types[id.index()]);
        if comes_back && tys().any(is_open) {
            found.extend(tys().filter(|&ty| is_object(cx.drops, ty)));
        }
    }
    found
}

fn is_object(drops: &Drops, ty: Ty) -> bool {
    matches!(ty.kind(), TyKind::Fn(_) | TyKind::Dyn(_)) || drops.is_object(ty)
}

/// Which types lead to which.
#[derive(Default)]
struct TypeGraph {
    types: Vec<Ty>,
    edges: Vec<Vec<InstanceId>>,
    ids: FxHashMap<Ty, InstanceId>,
}

impl TypeGraph {
    fn new(cx: &Instantiator) -> TypeGraph {
        let mut graph = TypeGraph::default();
        for entry in &cx.module.types {
            if let TypeEntryKind::Ty(ty) = entry.kind {
                graph.node(ty);
            }
        }
        let mut next = 0;
        while let Some(&ty) = graph.types.get(next) {
            let mut parts = Vec::new();
            each_part(cx, ty, &mut |part| parts.push(part));
            parts.retain(|&part| cx.drops.is_counted(part) && !cx.drops.is_shared(part));
            let edges = parts.into_iter().map(|part| graph.node(part)).collect();
            graph.edges[next] = edges;
            next += 1;
        }
        graph
    }

    fn node(&mut self, ty: Ty) -> InstanceId {
        *self.ids.entry(ty).or_insert_with(|| {
            self.types.push(ty);
            self.edges.push(Vec::new());
            InstanceId::from_raw(self.types.len() as u32 - 1)
        })
    }
}

/// What a value of a type refers to, as far as the walk over an object's parts shows it.
fn each_part(cx: &Instantiator, ty: Ty, f: &mut dyn FnMut(Ty)) {
    match *ty.kind() {
        TyKind::Str => {}
        TyKind::Fn(it) => {
            for entry in &cx.module.types {
                if let TypeEntryKind::Closure(id) = entry.kind {
                    let of = &cx.module.instances[id].key;
                    let (params, ret) = closure_signature(cx, of);
                    if params == it.params && ret == it.ret {
                        cx.captures(of).into_iter().for_each(&mut *f);
                    }
                }
            }
        }
        TyKind::Dyn(_) => {
            for entry in &cx.module.types {
                if let TypeEntryKind::DynBox(from) = entry.kind {
                    f(from);
                }
            }
        }
        TyKind::Adt(_, args) => {
            if cx.source.hidden_parts(ty).is_some() {
                args.iter().copied().for_each(&mut *f);
            }
            cx.drops.each_part(ty, f);
        }
        _ => cx.drops.each_part(ty, f),
    }
}

fn closure_signature(cx: &Instantiator, of: &InstanceKey) -> (Vec<Ty>, Ty) {
    match of {
        InstanceKey::FnValue(inner) => cx.signature(inner),
        _ => {
            let (params, ret) = cx.signature(of);
            (params.get(1..).unwrap_or(&[]).to_vec(), ret)
        }
    }
}

/// Reference structs with a field that is written after the object was made.
pub(crate) fn changed_structs(module: &Module, layouts: &Layouts) -> FxHashSet<Ty> {
    let mut changed = FxHashSet::default();
    for body in module.instances.values().filter_map(|it| it.body.as_ref()) {
        let mut write = |place: &Place| {
            for (n, proj) in place.proj.iter().enumerate().filter(|(_, proj)| matches!(proj, Proj::Deref)) {
                let _ = proj;
                let base = Place { local: place.local, proj: place.proj[..n].into() };
                changed.insert(layouts.resolve(layouts.place_ty(body, &base)));
            }
        };
        for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
            match &stmt.kind {
                StmtKind::Assign(place, value) | StmtKind::Init(place, value) => {
                    write(place);
                    if let Rvalue::Ref(_, place) = value {
                        write(place);
                    }
                }
                _ => {}
            }
        }
    }
    changed
}

/// Whether function values, and whether `dyn` values may be in circles.
pub(crate) fn of_values(cyclic: &FxHashSet<Ty>) -> (bool, bool) {
    let any = |is: fn(&TyKind) -> bool| cyclic.iter().any(|ty| is(ty.kind()));
    (any(|it| matches!(it, TyKind::Fn(_))), any(|it| matches!(it, TyKind::Dyn(_))))
}

/// Tells the entries of the type table.
pub(crate) fn mark_entries(cx: &mut Instantiator, (fns, dyns): (bool, bool)) {
    let of_any = |any| if any { Circle::Possible } else { Circle::Never };
    for n in 0..cx.module.types.len() {
        let kind = &cx.module.types[n].kind;
        let circle = match kind {
            TypeEntryKind::Ty(ty) if cx.module.cyclic.contains(ty) => match cx.drops.user_drop(*ty) {
                Some(_) if !cx.source.drop_is_silent(*ty) => Circle::Watched,
                _ => Circle::Possible,
            },
            TypeEntryKind::Ty(_) => Circle::Never,
            TypeEntryKind::Closure(_) => of_any(fns),
            TypeEntryKind::DynBox(_) => of_any(dyns),
        };
        cx.module.types[n].circle = circle;
    }
}

/// Where objects are made that may be in circles, some of the collector's work is done.
pub(crate) fn collect_where_made(module: &mut Module, step: InstanceId) {
    let Module { instances, cyclic, .. } = module;
    for (id, instance) in instances.iter_mut() {
        if id == step || glue::has_counts(&instance.key) {
            continue;
        }
        let Some(body) = &mut instance.body else { continue };
        let makes = |stmt: &Stmt| match &stmt.kind {
            StmtKind::Assign(_, Rvalue::New(ty, _)) => cyclic.contains(ty),
            _ => false,
        };
        if !body.blocks.values().flat_map(|block| &block.stmts).any(makes) {
            continue;
        }
        let body = Arc::make_mut(body);
        for block in body.blocks.ids() {
            let mut at = 0;
            while at < body.blocks[block].stmts.len() {
                if makes(&body.blocks[block].stmts[at]) {
                    let source = body.blocks[block].stmts[at].source;
                    let kind = call(body, Callee::Instance(step), None);
                    body.blocks[block].stmts.insert(at, Stmt { kind, source });
                    at += 1;
                }
                at += 1;
            }
        }
    }
}

/// When the program or a task ends, nothing is put off.
pub(crate) fn collect_at_end(cx: &mut Instantiator, all: InstanceId) {
    let run_job = cx.source.library("run_job");
    for instance in cx.module.instances.values_mut() {
        let ends = match &instance.key {
            InstanceKey::Entry(_) => true,
            InstanceKey::Body(key, ..) => Some(key.function) == run_job,
            _ => false,
        };
        let Some(body) = instance.body.as_mut().filter(|_| ends) else { continue };
        let body = Arc::make_mut(body);
        for block in body.blocks.ids() {
            let is_call = |stmt: &Stmt| matches!(&stmt.kind, StmtKind::Call(call) if !matches!(call.callee, Callee::Runtime(_)));
            if let Some(at) = body.blocks[block].stmts.iter().position(is_call) {
                let source = body.blocks[block].stmts[at].source;
                let kind = call(body, Callee::Instance(all), None);
                body.blocks[block].stmts.insert(at + 1, Stmt { kind, source });
                break;
            }
        }
    }
}

fn call(body: &mut Body, callee: Callee, arg: Option<Operand>) -> StmtKind {
    let dest = body.locals.alloc(LocalDecl {
        ty: common().unit,
        name: None,
        span: glue::nowhere(),
        scope: Body::SCOPE,
        ownership: Ownership::Borrowed,
    });
    StmtKind::Call(Box::new(Call { dest, callee, args: arg.into_iter().collect() }))
}

/// A reference that moves into an object may be the last one from outside, if the object was reached by it; one that
/// moves out of an object is one from outside from then on, which a search that has visited the object must hear of.
/// Giving it a count more for a moment makes the runtime look.
pub(crate) fn log_moves(module: &mut Module, layouts: &Layouts, drops: &Drops) {
    if module.cyclic.is_empty() {
        return;
    }
    let leads = Leads { cyclic: module.cyclic.clone(), drops };
    for instance in module.instances.values_mut() {
        if !glue::has_counts(&instance.key) {
            log_moves_of(instance, layouts, &leads);
        }
    }
}

struct Leads<'a> {
    cyclic: FxHashSet<Ty>,
    drops: &'a Drops<'a>,
}

impl Leads<'_> {
    /// Whether a value holds references to objects that may be in circles.
    fn holds(&self, ty: Ty) -> bool {
        if !self.drops.is_counted(ty) {
            return false;
        }
        if is_object(self.drops, ty) || matches!(ty.kind(), TyKind::Str) {
            return self.cyclic.contains(&ty);
        }
        let mut found = false;
        self.drops.each_part(ty, &mut |part| found |= self.holds(part));
        found
    }
}

/// Whether a place is in an object or behind a pointer, not in a local.
fn in_memory(place: &Place) -> bool {
    place.proj.iter().any(|proj| matches!(proj, Proj::Deref | Proj::Index(_) | Proj::Capture(_)))
}

fn log_moves_of(instance: &mut Instance, layouts: &Layouts, leads: &Leads) {
    let Some(shared) = &instance.body else { return };
    let found = |body: &Body, stmt: &Stmt| -> Vec<Place> {
        let into = match &stmt.kind {
            StmtKind::Assign(place, _) | StmtKind::Init(place, _) => in_memory(place),
            StmtKind::Call(_) => false,
            _ => return Vec::new(),
        };
        let mut moved = Vec::new();
        each_stmt_operand(&stmt.kind, &mut |operand| {
            if let Operand::Move(from) = operand
                && (into || in_memory(from))
                && leads.holds(layouts.resolve(layouts.place_ty(body, from)))
            {
                moved.push(from.clone());
            }
        });
        moved
    };
    let stmts = shared.blocks.values().flat_map(|block| &block.stmts);
    if stmts.into_iter().all(|stmt| found(shared, stmt).is_empty()) {
        return;
    }
    let body = Arc::make_mut(instance.body.as_mut().expect("looked at"));
    for id in body.blocks.ids() {
        let stmts = std::mem::take(&mut body.blocks[id].stmts);
        let mut out = Vec::with_capacity(stmts.len());
        for stmt in stmts {
            for place in found(body, &stmt) {
                out.push(Stmt { kind: StmtKind::Retain(place.clone()), source: stmt.source });
                out.push(Stmt { kind: StmtKind::Release(place), source: stmt.source });
            }
            out.push(stmt);
        }
        body.blocks[id].stmts = out;
    }
}
