//! Where is an object given up whose parts were just read?

use qz_mir::{BlockId, Body, Local, Operand, Ownership, Place, Proj, Rvalue, Stmt, StmtKind};
use qz_types::Ty;
use smallvec::SmallVec;

use super::region::Graph;
use crate::counts::Cx;
use crate::counts::apart::part_of_cell;

/// An object that is taken apart.
pub(super) struct Site {
    pub(super) block: BlockId,
    /// The statement that gives it up.
    pub(super) release: usize,
    pub(super) object: Local,
    /// Size and alignment of its block.
    pub(super) size: (u32, u32),
    pub(super) parts: Vec<Part>,
}

/// A counted part of an object that is taken apart.
pub(super) struct Part {
    pub(super) place: Place,
    pub(super) ty: Ty,
    /// The local that it was read to, and the statement that added a count; none for what is not wanted.
    pub(super) taken: Option<(Local, usize)>,
}

/// All of a body, the last first.
pub(super) fn find(body: &Body, cx: &Cx) -> Vec<Site> {
    let makes =
        body.blocks.values().flat_map(|block| &block.stmts).any(|stmt| made(&stmt.kind, cx).is_some());
    if !makes {
        return Vec::new();
    }
    let graph = Graph::new(body);
    let mut found = Vec::new();
    for (id, block) in body.blocks.iter() {
        if block.cleanup || graph.position[id.index()] == usize::MAX {
            continue;
        }
        found.extend((0..block.stmts.len()).filter_map(|n| site(body, cx, id, n)));
    }
    found.sort_by_key(|site| std::cmp::Reverse((graph.position[site.block.index()], site.release)));
    found
}

/// Size and alignment of the object that a statement makes, if it has no block for it yet.
pub(super) fn made(stmt: &StmtKind, cx: &Cx) -> Option<(u32, u32)> {
    match stmt {
        StmtKind::Assign(_, value) => cx.layouts.allocated(cx.module, value),
        _ => None,
    }
}

fn site(body: &Body, cx: &Cx, block: BlockId, release: usize) -> Option<Site> {
    let StmtKind::Release(place) = &body.blocks[block].stmts[release].kind else { return None };
    let object = place.as_local()?;
    let ty = cx.layouts.resolve(body.locals[object].ty);
    let size = cx.layouts.block(ty).filter(|_| cx.drops.user_drop(ty).is_none())?;
    if !cx.reuse.contains(&ty) || cx.module.weak_targets.contains(&ty) || cx.module.cyclic.contains(&ty) {
        return None;
    }
    let stmts = &body.blocks[block].stmts[..release];
    let window = stmts.iter().rev().take_while(|stmt| is_calm(&stmt.kind)).count();
    let first = release - window;
    let parts = parts(body, cx, object, ty, stmts, first)?;
    // Objects that can change are mostly read of while others refer to them.
    let changes = cx.drops.is_mutable_object(ty);
    let plain = |part: &Part| part.taken.is_some() || !(changes || cx.panics.release(part.ty, cx.drops));
    parts.iter().all(plain).then_some(Site { block, release, object, size, parts })
}

/// Whether nothing that a statement does can tell when a count is added.
fn is_calm(stmt: &StmtKind) -> bool {
    match stmt {
        StmtKind::Assign(place, value) => {
            place.as_local().is_some()
                && matches!(
                    value,
                    Rvalue::Use(_) | Rvalue::Discriminant(_) | Rvalue::Unary(..) | Rvalue::Binary(..)
                )
        }
        StmtKind::Retain(_) | StmtKind::Nop => true,
        StmtKind::Init(..) | StmtKind::Call(_) | StmtKind::EndScope(_) | StmtKind::Release(_) => false,
    }
}

/// The counted parts of the object in a local that is given up behind `stmts`, of which those from `first` on are
/// calm. `None` if it is not known to be an object with parts.
fn parts(body: &Body, cx: &Cx, object: Local, ty: Ty, stmts: &[Stmt], first: usize) -> Option<Vec<Part>> {
    let base: SmallVec<[Proj; 2]> = match cx.layouts.is_reference_struct(ty) {
        true => SmallVec::from_slice(&[Proj::Deref]),
        false => SmallVec::from_slice(&[Proj::Variant(known_variant(object, stmts)?)]),
    };
    let tys = match base[0] {
        Proj::Variant(variant) => cx.layouts.of(ty).as_enum().variants[variant as usize].tys.clone(),
        _ => cx.layouts.object(ty).fields.tys.clone(),
    };
    let mut parts = Vec::new();
    for (field, &ty) in tys.iter().enumerate().filter(|(_, ty)| cx.drops.is_counted(**ty)) {
        let place = Place { local: object, proj: base.clone() }.field(field as u32);
        let taken = taken(body, &place, stmts, first);
        parts.push(Part { place, ty, taken });
    }
    Some(parts)
}

/// The variant of an enum in a local, by what is read of it.
fn known_variant(object: Local, stmts: &[Stmt]) -> Option<u32> {
    for stmt in stmts.iter().rev() {
        let StmtKind::Assign(dest, value) = &stmt.kind else {
            match &stmt.kind {
                StmtKind::Call(call) if call.dest == object => return None,
                _ => continue,
            }
        };
        if let Rvalue::Use(Operand::Copy(from)) = value
            && from.local == object
            && let Some((variant, _)) = part_of_cell(from)
        {
            return Some(variant);
        }
        if dest.local == object {
            return None;
        }
    }
    None
}

/// The local that a part was read to and given a count for.
fn taken(body: &Body, part: &Place, stmts: &[Stmt], first: usize) -> Option<(Local, usize)> {
    let calm = (first..stmts.len()).filter(|&n| matches!(stmts[n].kind, StmtKind::Retain(_)));
    calm.filter(|&n| n > first).find_map(|n| {
        let (StmtKind::Assign(dest, value), StmtKind::Retain(kept)) = (&stmts[n - 1].kind, &stmts[n].kind)
        else {
            return None;
        };
        let local = dest.as_local().filter(|_| dest == kept)?;
        let reads = matches!(value, Rvalue::Use(Operand::Copy(from)) if from == part);
        let owned = body.locals[local].ownership == Ownership::Owned;
        let untouched = stmts[n + 1..].iter().all(|stmt| !uses_up(&stmt.kind, local, part.local));
        (reads && owned && untouched).then_some((local, n))
    })
}

/// Whether a statement does more with a part than to look into it, or changes where it comes from.
fn uses_up(stmt: &StmtKind, part: Local, object: Local) -> bool {
    let mut found = false;
    qz_mir::visit::each_place(stmt, &mut |place, how| {
        use qz_mir::visit::Use;
        let whole = place.is_whole();
        found |= place.local() == part && whole && how != Use::Inspect;
        found |= place.local() == object && whole && how == Use::Store;
    });
    found || matches!(stmt, StmtKind::Retain(place) if place.as_local() == Some(part))
}
