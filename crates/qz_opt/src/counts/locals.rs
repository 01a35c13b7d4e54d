//! Which locals own counts, and which only look at what others own.
//!
//! A local that holds a raw pointer or a borrow keeps the locals alive that it was made from: each of its
//! uses is a use of theirs. So does one that [`super::borrow`] found to look at a part of another.

use qz_base::FxHashMap;
use qz_mir::layout::Shape;
use qz_mir::visit::{PlaceRef, each_place};
use qz_mir::{Body, Local, Rvalue, Stmt, StmtKind};
use qz_types::Ty;
use smallvec::SmallVec;

use super::Cx;
use super::borrow::{self, Borrowed, Constants};

const NONE: u32 = u32::MAX;

pub(super) struct Locals {
    /// Number among the tracked locals, or [`NONE`].
    index: Vec<u32>,
    /// The tracked locals: those that own counts.
    pub(super) tracked: Vec<Local>,
    /// Tracked locals, by number, that live to the end of their scope.
    pub(super) kept: Vec<bool>,
    /// Numbers of tracked locals that each local keeps alive, itself left out.
    owners: Vec<SmallVec<[u32; 2]>>,
    /// Parameters that arrive with a count, by number.
    pub(super) owned_params: Vec<usize>,
    constants: Constants,
}

impl Locals {
    pub(super) fn new(body: &Body, cx: &Cx, owned_params: &[bool], borrowed: &Borrowed) -> Locals {
        let mut locals = Locals {
            index: vec![NONE; body.locals.len()],
            tracked: Vec::new(),
            kept: Vec::new(),
            owners: Vec::new(),
            owned_params: Vec::new(),
            constants: borrow::constants(body, cx),
        };
        let ended = ended(body);
        for (local, decl) in body.locals.iter() {
            let param = (1..=body.param_count as usize).contains(&local.index());
            let owned_param = param && owned_params[local.index() - 1];
            let looks = (param && !owned_param) || borrowed[local.index()].is_some();
            let looks = looks || locals.constant(local).is_some();
            if !cx.drops.is_counted(decl.ty) || looks {
                continue;
            }
            if owned_param {
                locals.owned_params.push(locals.tracked.len());
            }
            locals.index[local.index()] = locals.tracked.len() as u32;
            locals.tracked.push(local);
            // Temporaries that no scope ends go at their last use.
            let in_scope = decl.name.is_some() || ended[local.index()];
            locals.kept.push(in_scope && cx.drops.is_kept(decl.ty));
        }
        locals.owners = owners(body, cx, &locals, borrowed);
        locals
    }

    /// Just these locals, to ask where they are live.
    pub(super) fn only(body: &Body, list: &[Local]) -> Locals {
        let mut index = vec![NONE; body.locals.len()];
        list.iter().enumerate().for_each(|(number, local)| index[local.index()] = number as u32);
        let owners = vec![SmallVec::new(); body.locals.len()];
        let (tracked, kept) = (list.to_vec(), vec![false; list.len()]);
        Locals { index, tracked, kept, owners, owned_params: Vec::new(), constants: Constants::default() }
    }

    /// These locals, which look at what others lead to, to ask where they are live: a use of a pointer that was
    /// made from one of them is a use of it.
    pub(super) fn looking(body: &Body, cx: &Cx, list: &[Local], sources: &Borrowed) -> Locals {
        let mut locals = Locals::only(body, list);
        locals.owners = owners(body, cx, &locals, sources);
        locals
    }

    pub(super) fn len(&self) -> usize {
        self.tracked.len()
    }

    /// The value of a local that is a function of the program itself.
    pub(super) fn constant(&self, local: Local) -> Option<&Rvalue> {
        self.constants.get(&local)
    }

    /// The number of a local that owns a count.
    pub(super) fn number(&self, local: Local) -> Option<usize> {
        match self.index[local.index()] {
            NONE => None,
            index => Some(index as usize),
        }
    }

    /// Numbers of all tracked locals that a mention of this one is a use of, itself included.
    pub(super) fn kept_alive(&self, local: Local) -> impl Iterator<Item = usize> + '_ {
        let own = self.number(local);
        own.into_iter().chain(self.owners[local.index()].iter().map(|&owner| owner as usize))
    }
}

/// The locals that end with a scope.
fn ended(body: &Body) -> Vec<bool> {
    let mut ended = vec![false; body.locals.len()];
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        if let StmtKind::EndScope(local) = stmt.kind {
            ended[local.index()] = true;
        }
    }
    ended
}

/// Whether values of a type hold raw pointers or borrows by value.
struct Pointers<'a, 'c> {
    cx: &'a Cx<'c>,
    known: FxHashMap<Ty, bool>,
}

impl Pointers<'_, '_> {
    fn inside(&mut self, ty: Ty) -> bool {
        if let Some(&known) = self.known.get(&ty) {
            return known;
        }
        let layout = self.cx.layouts.of(ty);
        let found = match &layout.shape {
            Shape::Pointer => true,
            Shape::Never | Shape::Scalar(_) | Shape::Object => false,
            Shape::Enum(_) if layout.is_boxed() => false,
            Shape::Product(fields) => fields.tys.iter().any(|&part| self.inside(part)),
            Shape::Enum(it) => {
                it.variants.iter().any(|fields| fields.tys.iter().any(|&part| self.inside(part)))
            }
        };
        self.known.insert(ty, found);
        found
    }
}

fn owners(body: &Body, cx: &Cx, locals: &Locals, borrowed: &Borrowed) -> Vec<SmallVec<[u32; 2]>> {
    let mut pointers = Pointers { cx, known: FxHashMap::default() };
    let holds: Vec<bool> = body.locals.values().map(|decl| pointers.inside(decl.ty)).collect();
    let mut owners: Vec<SmallVec<[u32; 2]>> = vec![SmallVec::new(); body.locals.len()];
    if !holds.contains(&true) && borrowed.iter().all(Option::is_none) {
        return owners;
    }
    // Which locals each one was made from.
    let mut sources: Vec<SmallVec<[Local; 2]>> = vec![SmallVec::new(); body.locals.len()];
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        let Some(dest) = stored_local(stmt).filter(|dest| holds[dest.index()]) else { continue };
        each_place(&stmt.kind, &mut |place, _| {
            let from = place.local();
            if from != dest && !sources[dest.index()].contains(&from) {
                sources[dest.index()].push(from);
            }
        });
    }
    for (from, sources) in borrowed.iter().zip(&mut sources) {
        sources.extend(from.filter(|from| !sources.contains(from)));
    }
    let mut work = Vec::new();
    for (i, owned) in owners.iter_mut().enumerate().filter(|&(i, _)| holds[i] || borrowed[i].is_some()) {
        let mut seen: SmallVec<[Local; 8]> = SmallVec::new();
        work.push(Local::from_raw(i as u32));
        while let Some(next) = work.pop() {
            for &from in &sources[next.index()] {
                if seen.contains(&from) || from.index() == i {
                    continue;
                }
                seen.push(from);
                owned.extend(locals.number(from).map(|number| number as u32));
                // What has a count of its own does not need those it was made from.
                if locals.number(from).is_none() || holds[from.index()] {
                    work.push(from);
                }
            }
        }
    }
    owners
}

/// The local in whose own memory a statement stores.
fn stored_local(stmt: &Stmt) -> Option<Local> {
    match &stmt.kind {
        StmtKind::Assign(place, _) | StmtKind::Init(place, _) => {
            super::prepare::changes_local(PlaceRef::Place(place), qz_mir::visit::Use::Store)
                .then_some(place.local)
        }
        StmtKind::Call(call) => Some(call.dest),
        StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Release(_) | StmtKind::Nop => None,
    }
}
