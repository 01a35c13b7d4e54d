//! A count added and given up again, with nothing in between that gives up another count or looks at counts,
//! changes nothing.
//!
//! ```text
//! retain x_1
//! _2 = StrLen(x_1)
//! release x_1
//! ```
//!
//! Only within blocks, and only for the same local on both sides; copies were taken care of before counts
//! were placed.

use qz_mir::visit::{PlaceRef, Use, each_place};
use qz_mir::{Body, Callee, Intrinsic, Local, Proj, Rvalue, StmtKind};
use qz_rt_abi::registry::rt;
use smallvec::SmallVec;

pub(crate) fn cancel(body: &mut Body) {
    for block in body.blocks.values_mut() {
        // Retains that nothing has made use of yet.
        let mut open: SmallVec<[(Local, usize); 4]> = SmallVec::new();
        for at in 0..block.stmts.len() {
            match &block.stmts[at].kind {
                StmtKind::Retain(place) => open.extend(place.as_local().map(|local| (local, at))),
                StmtKind::Release(place) => {
                    let local = place.as_local();
                    let found = open.iter().rposition(|&(it, _)| Some(it) == local);
                    match found {
                        Some(index) => {
                            let (_, retain) = open.remove(index);
                            block.stmts[retain].kind = StmtKind::Nop;
                            block.stmts[at].kind = StmtKind::Nop;
                        }
                        // Something may be destroyed that held the last other count.
                        None => open.clear(),
                    }
                }
                // The runtime only borrows what it is given.
                StmtKind::Call(call) if leaves_counts(&call.callee) => {
                    open.retain(|(local, _)| *local != call.dest);
                }
                StmtKind::Call(_) => open.clear(),
                kind => {
                    if looks_at_counts(kind) {
                        open.clear();
                    }
                    forget_kept(kind, &mut open);
                }
            }
        }
        block.stmts.retain(|stmt| !matches!(stmt.kind, StmtKind::Nop));
    }
}

/// Whether a call neither gives up a count, nor panics, nor frees.
fn leaves_counts(callee: &Callee) -> bool {
    let Callee::Runtime(f) = callee else { return false };
    let frees =
        [rt::free, rt::free_object, rt::str_free, rt::str_release, rt::release_shared, rt::defer_destroy]
            .contains(f);
    !frees && !f.def().may_panic && !f.def().never
}

/// Whether a value that is computed from others holds none of them.
fn keeps_nothing(value: &Rvalue) -> bool {
    matches!(
        value,
        Rvalue::Binary(..)
            | Rvalue::Discriminant(_)
            | Rvalue::Intrinsic(Intrinsic::StrLen | Intrinsic::StrChars | Intrinsic::SameObject, ..)
    )
}

pub(super) fn looks_at_counts(stmt: &StmtKind) -> bool {
    match stmt {
        StmtKind::Assign(_, value) | StmtKind::Init(_, value) => {
            value.may_panic() || matches!(value, Rvalue::Intrinsic(Intrinsic::IsUnique, ..))
        }
        _ => false,
    }
}

/// A copy that is kept, or another value in the local or in a part of it, ends what is known of it.
fn forget_kept(stmt: &StmtKind, open: &mut SmallVec<[(Local, usize); 4]>) {
    if let StmtKind::Assign(place, value) = stmt
        && keeps_nothing(value)
    {
        open.retain(|(local, _)| *local != place.local);
        return;
    }
    each_place(stmt, &mut |place, how| {
        let (of, whole) = match place {
            PlaceRef::Local(local) => (local, true),
            PlaceRef::Place(place) if place.proj.contains(&Proj::Deref) => return,
            PlaceRef::Place(place) => (place.local, place.proj.is_empty()),
        };
        if matches!(how, Use::Move | Use::Store | Use::Address) || whole && how == Use::Copy {
            open.retain(|(local, _)| *local != of);
        }
    });
}
