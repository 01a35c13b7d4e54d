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
use qz_mir::visit::{PlaceRef, Use, each_place, each_stmt_operand};
use qz_mir::{
    Body, Call, Callee, Circle, Instance, InstanceId, InstanceKey, Local, LocalDecl, Module, Operand,
    Ownership, Place, Proj, Rvalue, Source, Stmt, StmtKind, TypeEntryKind,
};
use qz_rt_abi::registry::rt;
use qz_types::ty::common;
use qz_types::{Ty, TyKind};
use rustc_hash::FxHashMap;

use crate::callgraph::components;
use crate::counts::pointer_base;
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

/// Containers tell that their elements move; of those that are in no circle nobody wants to know.
pub(crate) fn leave_out_marks(module: &mut Module, layouts: &Layouts) {
    let Module { instances, cyclic, .. } = module;
    for body in instances.values_mut().filter_map(|it| it.body.as_mut()) {
        let is_idle = |body: &Body, stmt: &Stmt| match &stmt.kind {
            StmtKind::Call(call) if matches!(call.callee, Callee::Runtime(rt::cycles_moved)) => {
                let (Operand::Copy(place) | Operand::Move(place)) = &call.args[0] else { return false };
                !cyclic.contains(&layouts.resolve(layouts.place_ty(body, place)))
            }
            _ => false,
        };
        if !body.blocks.values().flat_map(|it| &it.stmts).any(|stmt| is_idle(body, stmt)) {
            continue;
        }
        let body = Arc::make_mut(body);
        for block in body.blocks.ids() {
            let mut stmts = std::mem::take(&mut body.blocks[block].stmts);
            stmts.retain(|stmt| !is_idle(body, stmt));
            body.blocks[block].stmts = stmts;
        }
    }
}

/// Where programs make objects that may be in circles, or have the library make them, some of the collector's work is
/// done. Not in the library itself: it works on memory whose bounds it has read, and a `drop` of what the collector ends
/// may change them.
pub(crate) fn collect_where_made(module: &mut Module, source: &dyn Source, step: InstanceId) {
    let Module { instances, cyclic, .. } = module;
    for (id, instance) in instances.iter_mut() {
        if id == step || glue::has_counts(&instance.key) || is_of_library(&instance.key, source) {
            continue;
        }
        let Some(body) = &mut instance.body else { continue };
        let makes = |body: &Body, stmt: &Stmt| match &stmt.kind {
            StmtKind::Assign(_, Rvalue::New(ty, _)) => cyclic.contains(ty),
            StmtKind::Call(call) if !matches!(call.callee, Callee::Runtime(_)) => {
                let ty = body.locals[call.dest].ty;
                cyclic.contains(&ty) && source.is_of_library(ty)
            }
            _ => false,
        };
        if !body.blocks.values().flat_map(|block| &block.stmts).any(|stmt| makes(body, stmt)) {
            continue;
        }
        let body = Arc::make_mut(body);
        for block in body.blocks.ids() {
            let stmts = &body.blocks[block].stmts;
            let made: Vec<_> =
                stmts.iter().filter(|stmt| makes(body, stmt)).map(|stmt| stmt.source).collect();
            let at = behind_elements(stmts);
            for source in made {
                let kind = call(body, Callee::Instance(step), None);
                body.blocks[block].stmts.insert(at, Stmt { kind, source });
            }
        }
    }
}

fn is_of_library(key: &InstanceKey, source: &dyn Source) -> bool {
    let mut is_of_library = false;
    if let InstanceKey::Body(..) | InstanceKey::Specialised(..) = key {
        let mut first = None;
        key.each_function(&mut |it| {
            first.get_or_insert(it.function);
        });
        is_of_library = first.is_some_and(|it| source.is_library(it));
    }
    is_of_library
}

/// In front of all that a block reads for the objects that it makes, so that nothing stands between; but behind the
/// elements that a pattern reads, whose number was asked for before.
fn behind_elements(stmts: &[Stmt]) -> usize {
    let reads_element = |stmt: &Stmt| match &stmt.kind {
        StmtKind::Assign(_, Rvalue::Use(Operand::Copy(place) | Operand::Move(place))) => {
            place.proj.iter().any(|it| matches!(it, Proj::Index(_)))
        }
        _ => false,
    };
    stmts.iter().rposition(reads_element).map_or(0, |last| last + 1)
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

/// A reference that moves into an object may be the last one from outside, if the object was reached by it: giving it a
/// count more for a moment makes the runtime look. Where the object is reached by a local that goes on owning it, that
/// one is outside as well. What moves out of an object is outside from then on, which only a search that has met it must
/// hear of; if its count is given up at once, it does.
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

/// What the runtime hears of a reference that moves.
enum Moved {
    /// It may be left in a circle.
    Log(Place),
    /// One word: a search may have met the object.
    Mark(Place),
}

struct Moves<'a> {
    body: &'a Body,
    layouts: &'a Layouts<'a>,
    leads: &'a Leads<'a>,
    owners: Owners<'a>,
}

impl Moves<'_> {
    fn of(&self, stmts: &[Stmt], at: usize) -> Vec<Moved> {
        let dest = match &stmts[at].kind {
            StmtKind::Assign(place, _) | StmtKind::Init(place, _) => Some(place),
            StmtKind::Call(_) => None,
            _ => return Vec::new(),
        };
        let into = dest.filter(|place| in_memory(place));
        let mut moved = Vec::new();
        each_stmt_operand(&stmts[at].kind, &mut |operand| {
            let Operand::Move(from) = operand else { return };
            let is_outside_before = !in_memory(from);
            if (is_outside_before && into.is_none()) || !self.holds(from) {
                return;
            }
            let may_close = into.is_some_and(|into| !self.stays_outside(into, from.local));
            let is_given_up = || match &stmts[at].kind {
                StmtKind::Assign(dest, Rvalue::Use(_)) => {
                    dest.as_local().is_some_and(|it| given_up(&stmts[at + 1..], it))
                }
                _ => false,
            };
            if may_close {
                moved.push(Moved::Log(from.clone()));
            } else if !is_outside_before && !is_given_up() {
                let is_word = self.layouts.of(self.ty(from)).is_counted_word();
                moved.push(if is_word { Moved::Mark(from.clone()) } else { Moved::Log(from.clone()) });
            }
        });
        moved
    }

    fn ty(&self, place: &Place) -> Ty {
        self.layouts.resolve(self.layouts.place_ty(self.body, place))
    }

    fn holds(&self, place: &Place) -> bool {
        self.leads.holds(self.ty(place))
    }

    /// Whether what is stored to is reached by a local that owns it, and goes on doing so when `moved` is moved.
    fn stays_outside(&self, into: &Place, moved: Local) -> bool {
        // Elements are behind a pointer that was read from the object that they belong to. Chains are short.
        let mut base = into.local;
        let by_references = |place: &Place| !place.proj.iter().any(|proj| matches!(proj, Proj::Index(_)));
        let mut leads_on = by_references(into) || matches!(into.proj[..], [Proj::Index(_)]);
        while leads_on && matches!(self.body.locals[base].ty.kind(), TyKind::Ptr(_)) {
            let Some(from) = self.owners.made_from(base) else { return false };
            leads_on = by_references(from);
            base = from.local;
        }
        leads_on
            && base != moved
            && self.leads.drops.is_counted(self.body.locals[base].ty)
            && (self.body.params().any(|param| param == base) || self.owners.owns[base.index()])
    }
}

/// Whose memory it is that a body's places lead to.
struct Owners<'a> {
    /// For each local whether it owns a count wherever it has a value: none is copied to it without one.
    owns: Vec<bool>,
    /// For each local that has one definition, the place that a pointer is read from or computed of.
    made_from: Vec<Option<&'a Place>>,
    definitions: Vec<u32>,
}

impl<'a> Owners<'a> {
    fn new(body: &'a Body) -> Owners<'a> {
        let owned = |decl: &LocalDecl| decl.ownership == Ownership::Owned;
        let mut owners = Owners {
            owns: body.locals.values().map(owned).collect(),
            made_from: vec![None; body.locals.len()],
            definitions: vec![0; body.locals.len()],
        };
        for block in body.blocks.values() {
            for (n, stmt) in block.stmts.iter().enumerate() {
                owners.note(&stmt.kind, block.stmts.get(n + 1).map(|it| &it.kind));
            }
        }
        owners
    }

    fn note(&mut self, stmt: &'a StmtKind, next: Option<&StmtKind>) {
        each_place(stmt, &mut |place, how| {
            let in_local = match place {
                PlaceRef::Local(_) => true,
                PlaceRef::Place(place) => !in_memory(place),
            };
            if in_local && matches!(how, Use::Store | Use::Address) && !matches!(stmt, StmtKind::EndScope(_))
            {
                self.definitions[place.local().index()] += 1;
            }
        });
        let (StmtKind::Assign(dest, value) | StmtKind::Init(dest, value)) = stmt else { return };
        if in_memory(dest) {
            return;
        }
        let index = dest.local.index();
        self.made_from[index] = pointer_base(value);
        self.owns[index] &= match value {
            Rvalue::Use(Operand::Copy(_)) | Rvalue::Cast(..) | Rvalue::Intrinsic(..) => {
                matches!(next, Some(StmtKind::Retain(it)) if it == dest)
            }
            _ => true,
        };
    }

    fn made_from(&self, pointer: Local) -> Option<&'a Place> {
        self.made_from[pointer.index()].filter(|_| self.definitions[pointer.index()] == 1)
    }
}

/// Whether a local's count is given up before anything else happens that matters to counts.
fn given_up(stmts: &[Stmt], local: Local) -> bool {
    for stmt in stmts {
        match &stmt.kind {
            StmtKind::Release(place) => return place.as_local() == Some(local),
            StmtKind::Assign(..) | StmtKind::Init(..) => {
                let mut used = false;
                each_place(&stmt.kind, &mut |place, _| used |= place.local() == local);
                if used {
                    return false;
                }
            }
            StmtKind::Retain(_) | StmtKind::Nop => {}
            StmtKind::Call(_) | StmtKind::EndScope(_) => return false,
        }
    }
    false
}

fn log_moves_of(instance: &mut Instance, layouts: &Layouts, leads: &Leads) {
    let Some(body) = &instance.body else { return };
    let moves = Moves { body, layouts, leads, owners: Owners::new(body) };
    let mut found = Vec::new();
    for (id, block) in body.blocks.iter() {
        for at in 0..block.stmts.len() {
            let moved = moves.of(&block.stmts, at);
            if !moved.is_empty() {
                found.push((id, at, moved));
            }
        }
    }
    if found.is_empty() {
        return;
    }
    let body = Arc::make_mut(instance.body.as_mut().expect("looked at"));
    // From the last on, so that those before stay where they are.
    for (id, at, moved) in found.into_iter().rev() {
        let source = body.blocks[id].stmts[at].source;
        let mut told = Vec::new();
        for moved in moved {
            match moved {
                Moved::Log(place) => told.extend([StmtKind::Retain(place.clone()), StmtKind::Release(place)]),
                Moved::Mark(place) => {
                    told.push(call(body, Callee::Runtime(rt::cycles_moved), Some(Operand::Copy(place))));
                }
            }
        }
        let told = told.into_iter().map(|kind| Stmt { kind, source });
        body.blocks[id].stmts.splice(at..at, told);
    }
}
