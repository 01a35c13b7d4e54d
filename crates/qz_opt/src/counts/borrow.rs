//! Which locals only look at a part of a value that somebody else keeps alive, and so need no count?
//!
//! ```text
//! l_5 = t_1.v1.0          # the left child of an immutable tree
//! _8 = call @sum(l_5)     # `t_1` is used until here instead
//! ```
//!
//! A local is *borrowed* if it is defined once, from a part of an owner that cannot change: payloads of enums,
//! fields of tuples and values, captures, all without a step into a mutable object. The owner is then used
//! wherever the local is. It must not be given another value meanwhile; where it has only one definition
//! that follows from dominance, otherwise liveness is asked.
//!
//! A part of what can change may be looked at just so as long as nothing changes:
//!
//! ```text
//! n_7 = d_6[at_5]         # `d_6` is where a vector has its elements
//! n_7.*.1 = 0             # a number: no count is given up
//! ```
//!
//! Its owners have one value all their lives, and wherever the local is live there are only statements that give
//! up no counts in memory ([`super::quiet`]).

use qz_base::FxHashMap;
use qz_mir::layout::Shape;
use qz_mir::visit::{PlaceRef, Use, each_place};
use qz_mir::{Body, CastKind, Intrinsic, Local, Operand, Place, Proj, Rvalue, StmtKind};
use qz_types::{Ty, TyKind};

use super::Cx;
use super::apart::Apart;
use super::flow::{Flow, defined};
use super::locals::Locals;
use super::prepare::changes_local;
use super::quiet;

/// For each borrowed local, where it was read from.
pub(super) type Borrowed = Vec<Option<Local>>;

/// What the body does with each local.
pub(super) struct Facts {
    definitions: Vec<u32>,
    /// Changed in part, or by others.
    pub(super) changed: Vec<bool>,
    /// Mentions that are neither definitions nor looks at the discriminant.
    uses: Vec<u32>,
    /// Those among them that look into a variant, and how many look into which.
    in_variants: Vec<u32>,
    by_variant: FxHashMap<(Local, u32), u32>,
    /// Of raw pointers, what they were read from or computed of.
    made_from: Vec<Option<Local>>,
}

impl Facts {
    pub(super) fn new(body: &Body) -> Facts {
        let len = body.locals.len();
        let (definitions, uses) = (vec![0; len], vec![0; len]);
        let mut facts = Facts {
            definitions,
            changed: vec![false; len],
            uses,
            in_variants: vec![0; len],
            by_variant: FxHashMap::default(),
            made_from: vec![None; len],
        };
        for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
            each_place(&stmt.kind, &mut |place, how| facts.note(place, how));
            if let StmtKind::Assign(dest, value) = &stmt.kind
                && let Some(local) = dest.as_local()
            {
                facts.made_from[local.index()] = pointer_base(value).map(|from| from.local);
                facts.note_asked(value);
            }
        }
        facts
    }

    /// Whose counts are looked at has one of its own.
    fn note_asked(&mut self, value: &Rvalue) {
        if let Rvalue::Intrinsic(Intrinsic::IsUnique, operands, _) = value {
            let locals = operands.iter().filter_map(Operand::place).map(|place| place.local.index());
            locals.for_each(|local| self.changed[local] = true);
        }
    }

    fn note(&mut self, place: PlaceRef, how: Use) {
        let local = place.local().index();
        match how {
            Use::Store if place.is_whole() => self.definitions[local] += 1,
            _ if changes_local(place, how) => self.changed[local] = true,
            Use::Inspect => {}
            Use::Copy | Use::Move | Use::Store | Use::Address => {
                self.uses[local] += 1;
                if let PlaceRef::Place(place) = place
                    && let Some(Proj::Variant(variant)) = place.proj.first()
                {
                    self.in_variants[local] += 1;
                    *self.by_variant.entry((place.local, *variant)).or_default() += 1;
                }
            }
        }
    }

    /// Whether no other use of the place's local is on a way with this one: it is the only one, or the others look
    /// into other variants.
    fn is_only_use(&self, place: &Place) -> bool {
        let index = place.local.index();
        match place.proj.first() {
            Some(Proj::Variant(variant)) => {
                self.uses[index] == self.in_variants[index] && self.by_variant[&(place.local, *variant)] == 1
            }
            _ => self.uses[index] == 1,
        }
    }
}

/// The place that a pointer is read from or computed of.
pub(crate) fn pointer_base(value: &Rvalue) -> Option<&Place> {
    match value {
        Rvalue::Use(operand) | Rvalue::Cast(CastKind::Pointer, operand, _) => operand.place(),
        Rvalue::Intrinsic(Intrinsic::PtrAdd, operands, _) => operands.first()?.place(),
        _ => None,
    }
}

pub(super) fn find(body: &Body, cx: &Cx, owned_params: &[bool], apart: &Apart) -> Borrowed {
    let mut borrowed: Borrowed = vec![None; body.locals.len()];
    let facts = Facts::new(body);
    let mut doubtful = Vec::new();
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        let StmtKind::Assign(dest, Rvalue::Use(Operand::Copy(from))) = &stmt.kind else { continue };
        let Some(local) = dest.as_local() else { continue };
        if is_candidate(body, cx, &facts, local)
            && owner_stays(body, cx, &facts, owned_params, from)
            && !apart.is_owned_part(body, local, owned_params)
        {
            borrowed[local.index()] = Some(from.local);
            if facts.definitions[from.local.index()] > 1 {
                doubtful.push(local);
            }
        }
    }
    if !quiet::owns_watched(body, cx.drops, owned_params) {
        find_glances(body, cx, &facts, owned_params, &mut borrowed);
    }
    drop_whole_copies(body, &mut borrowed, owned_params);
    drop_outlived(body, &mut borrowed, doubtful);
    borrowed
}

/// Locals that are functions which capture nothing all their lives: objects of the program itself, which never end.
/// They own no counts. Where one is wanted for keeps it is made anew, which costs nothing.
pub(super) type Constants = FxHashMap<Local, Rvalue>;

pub(super) fn constants(body: &Body, cx: &Cx) -> Constants {
    let mut constants = Constants::default();
    let mut facts = None;
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        let StmtKind::Assign(dest, value) = &stmt.kind else { continue };
        let Some(local) = dest.as_local().filter(|_| is_constant(value)) else { continue };
        let facts = facts.get_or_insert_with(|| Facts::new(body));
        if is_candidate(body, cx, facts, local) {
            constants.insert(local, value.clone());
        }
    }
    constants
}

pub(super) fn is_constant(value: &Rvalue) -> bool {
    matches!(value, Rvalue::Closure(_, captures) if captures.is_empty())
}

/// Adds locals that look at parts of mutable objects while those do not change.
fn find_glances(body: &Body, cx: &Cx, facts: &Facts, owned_params: &[bool], borrowed: &mut Borrowed) {
    let mut glances = vec![None; body.locals.len()];
    let mut found = Vec::new();
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        let StmtKind::Assign(dest, Rvalue::Use(Operand::Copy(from))) = &stmt.kind else { continue };
        let Some(local) = dest.as_local().filter(|local| borrowed[local.index()].is_none()) else { continue };
        let into_memory = from.proj.iter().any(|it| matches!(it, Proj::Deref | Proj::Index(_)));
        if into_memory
            && is_candidate(body, cx, facts, local)
            && stays_reachable(body, cx, facts, owned_params, from.local)
        {
            glances[local.index()] = Some(from.local);
            found.push(local);
        }
    }
    if found.is_empty() {
        return;
    }
    // Who looks at a part of one of these uses it, too.
    let mut sources = borrowed.clone();
    found.iter().for_each(|local| sources[local.index()] = glances[local.index()]);
    let locals = Locals::looking(body, cx, &found, &sources);
    let flow = Flow::live(body, &locals);
    for (id, block) in body.blocks.iter() {
        let mut live = flow.live_out[id.index()].clone();
        for stmt in block.stmts.iter().rev() {
            let loud = cx.quiet.stmt_is_loud(body, &stmt.kind, cx);
            if loud {
                live.iter().for_each(|number| glances[locals.tracked[number].index()] = None);
            }
            flow.before_stmt(&stmt.kind, &locals, block.unwind, &mut live);
            if loud {
                live.iter().for_each(|number| glances[locals.tracked[number].index()] = None);
            }
        }
    }
    for local in found {
        borrowed[local.index()] = glances[local.index()];
    }
}

/// Whether a local leads to the same place all its life, and that is alive wherever the local is used: it, or
/// what it was made from, has one definition, and nothing ends it at the end of a scope.
fn stays_reachable(body: &Body, cx: &Cx, facts: &Facts, owned_params: &[bool], local: Local) -> bool {
    let mut at = local;
    // Pointers into an object come from the object. Chains are short.
    for _ in 0..8 {
        let (index, ty) = (at.index(), body.locals[at].ty);
        if index == 0 || facts.changed[index] {
            return false;
        }
        if is_param(body, at) {
            return facts.definitions[index] == 0 && param_stays(body, cx, owned_params, at);
        }
        if facts.definitions[index] != 1 {
            return false;
        }
        if cx.drops.is_counted(ty) {
            return !cx.drops.is_kept(ty);
        }
        match facts.made_from[index] {
            Some(from) if matches!(ty.kind(), TyKind::Ptr(_)) => at = from,
            _ => return false,
        }
    }
    false
}

/// Whether what a parameter leads to outlives all uses of it.
fn param_stays(body: &Body, cx: &Cx, owned_params: &[bool], param: Local) -> bool {
    let ty = body.locals[param].ty;
    if matches!(ty.kind(), TyKind::Ptr(_)) {
        // It points into what the caller keeps, unless it does so into what is handed over beside it.
        return body
            .params()
            .zip(owned_params)
            .all(|(it, owned)| !owned || !cx.drops.is_counted(body.locals[it].ty));
    }
    let is_borrowed = !owned_params[param.index() - 1];
    cx.drops.is_counted(ty) && (is_borrowed || !cx.drops.is_kept(ty))
}

fn is_param(body: &Body, local: Local) -> bool {
    (1..=body.param_count as usize).contains(&local.index())
}

/// Whether a local may go without a count: it has one value all its life.
pub(super) fn is_candidate(body: &Body, cx: &Cx, facts: &Facts, local: Local) -> bool {
    let (index, ty) = (local.index(), body.locals[local].ty);
    index != 0
        && !is_param(body, local)
        && facts.definitions[index] == 1
        && !facts.changed[index]
        && cx.drops.is_counted(ty)
        && !cx.drops.is_kept(ty)
}

/// Whether what a place leads to lives as long as the place's local.
fn owner_stays(body: &Body, cx: &Cx, facts: &Facts, owned_params: &[bool], from: &Place) -> bool {
    let owner = from.local;
    let ty = body.locals[owner].ty;
    let unchanging = |proj: &Proj| matches!(proj, Proj::Field(_) | Proj::Variant(_) | Proj::Capture(_));
    if !from.proj.iter().all(unchanging) || facts.changed[owner.index()] || !cx.drops.is_counted(ty) {
        return false;
    }
    if is_param(body, owner) && !owned_params[owner.index() - 1] {
        return true;
    }
    // What is dropped at the end of its scope may go before the part is used for the last time. What is
    // taken out of an option for good is better moved.
    let better_moved = facts.is_only_use(from) && is_only_part(cx, ty, &from.proj);
    !(cx.drops.is_kept(ty) || better_moved)
}

/// Whether a projection leads to everything counted inside the variant of an unboxed value.
pub(super) fn is_only_part(cx: &Cx, ty: Ty, proj: &[Proj]) -> bool {
    let layout = cx.layouts.of(ty);
    let (fields, index, rest) = match (&layout.shape, proj) {
        (Shape::Product(fields), [Proj::Field(i), rest @ ..]) => (fields, *i, rest),
        (Shape::Enum(it), [Proj::Variant(v), Proj::Field(i), rest @ ..]) if !layout.is_boxed() => {
            (&it.variants[*v as usize], *i, rest)
        }
        _ => return false,
    };
    let mut others = fields.tys.iter().enumerate().filter(|&(i, _)| i != index as usize);
    others.all(|(_, &ty)| !cx.drops.is_counted(ty))
        && (rest.is_empty() || is_only_part(cx, fields.tys[index as usize], rest))
}

/// A copy of a whole owned local is its last use more often than not, and then a move.
fn drop_whole_copies(body: &Body, borrowed: &mut Borrowed, owned_params: &[bool]) {
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        let StmtKind::Assign(dest, Rvalue::Use(Operand::Copy(from))) = &stmt.kind else { continue };
        let (Some(local), Some(owner)) = (dest.as_local(), from.as_local()) else { continue };
        let looks =
            borrowed[owner.index()].is_some() || is_param(body, owner) && !owned_params[owner.index() - 1];
        if !looks {
            borrowed[local.index()] = None;
        }
    }
}

/// Takes back what may still be looked at when its owner gets another value.
fn drop_outlived(body: &Body, borrowed: &mut Borrowed, doubtful: Vec<Local>) {
    if doubtful.is_empty() {
        return;
    }
    // Locals borrowed from doubtful ones are as doubtful.
    let root = |borrowed: &Borrowed, local: Local| {
        std::iter::successors(Some(local), |at| borrowed[at.index()]).last().unwrap_or(local)
    };
    let mut is_root = vec![false; body.locals.len()];
    doubtful.iter().for_each(|&local| is_root[root(borrowed, local).index()] = true);
    let all: Vec<Local> = body
        .locals
        .ids()
        .filter(|local| borrowed[local.index()].is_some() && is_root[root(borrowed, *local).index()])
        .collect();
    let locals = Locals::only(body, &all);
    let flow = Flow::live(body, &locals);
    let mut outlived = Vec::new();
    for (id, block) in body.blocks.iter() {
        let mut live = flow.live_out[id.index()].clone();
        for stmt in block.stmts.iter().rev() {
            if let Some(owner) = defined(&stmt.kind).filter(|owner| is_root[owner.index()]) {
                let here = live.iter().map(|number| locals.tracked[number]);
                outlived.extend(here.filter(|&local| root(borrowed, local) == owner));
            }
            flow.before_stmt(&stmt.kind, &locals, block.unwind, &mut live);
        }
    }
    outlived.into_iter().for_each(|local| borrowed[local.index()] = None);
}
