//! What is read out of an object and then stored over is taken instead.
//!
//! ```text
//! a_1 = s_2.*.0                          a_1 = move s_2.*.0
//! retain a_1
//! n_3 = new Node (a_1)            →      n_3 = new Node (a_1)
//! old_4 = move s_2.*.0
//! s_2.*.0 = move n_3                     s_2.*.0 = move n_3
//! release old_4
//! ```
//!
//! Only within blocks, and only with statements in between that cannot tell: they call nothing, give up no count,
//! ask for none, and store nothing in memory before the place has its new value.

use qz_mir::visit::{each_operand, each_operand_mut, each_place};
use qz_mir::{Body, Local, Operand, Ownership, Place, Proj, Rvalue, Stmt, StmtKind};

use super::pairs::looks_at_counts;

pub(crate) fn take_overwritten(body: &mut Body) {
    for id in body.blocks.ids() {
        for at in 0..body.blocks[id].stmts.len() {
            let Some(found) = Overwritten::find(body, &body.blocks[id].stmts, at) else { continue };
            let stmts = &mut body.blocks[id].stmts;
            let (StmtKind::Assign(_, value) | StmtKind::Init(_, value)) = &mut stmts[found.keeper].kind
            else {
                continue;
            };
            let mut place = Some(found.place);
            each_operand_mut(value, &mut |operand| {
                if *operand == found.copy
                    && let Some(place) = place.take()
                {
                    *operand = Operand::Move(place);
                }
            });
            for n in [at, found.taken, found.released] {
                stmts[n].kind = StmtKind::Nop;
            }
        }
    }
}

/// A value that is read out of memory and kept, and then stored over.
struct Overwritten {
    place: Place,
    /// The statement with the operand that keeps the value, and that operand.
    keeper: usize,
    copy: Operand,
    /// Where the old value is taken out, and where its count is given up.
    taken: usize,
    released: usize,
}

impl Overwritten {
    /// The one whose count is added by a statement.
    fn find(body: &Body, stmts: &[Stmt], at: usize) -> Option<Overwritten> {
        let StmtKind::Retain(kept) = &stmts[at].kind else { return None };
        let local = kept.as_local()?;
        let read = (0..at).rev().find(|&n| defines(&stmts[n].kind, local))?;
        let StmtKind::Assign(_, Rvalue::Use(copy @ Operand::Copy(place))) = &stmts[read].kind else {
            return None;
        };
        if !in_memory(place) || leads_through(place, local) {
            return None;
        }
        // What owns its count keeps the value itself; what only looks does not, but the next statement does.
        let (keeper, copy) = match body.locals[local].ownership {
            Ownership::Owned if read + 1 == at => (read, copy.clone()),
            Ownership::Borrowed if keeps_once(&stmts.get(at + 1)?.kind, local) => {
                (at + 1, Operand::Copy(Place::local(local)))
            }
            _ => return None,
        };
        let mut taken = None;
        for (n, stmt) in stmts.iter().enumerate().skip(read + 1) {
            match (&stmt.kind, taken) {
                (StmtKind::Assign(old, Rvalue::Use(Operand::Move(from))), None)
                    if from == place && n > keeper =>
                {
                    taken = Some((n, old.as_local()?));
                }
                (StmtKind::Release(old), Some((taken, local))) if old.as_local() == Some(local) => {
                    return Some(Overwritten { place: place.clone(), keeper, copy, taken, released: n });
                }
                (kind, None) if !is_calm(kind) || stores_in_memory(kind) || changes_way(kind, place) => {
                    return None;
                }
                (kind, Some((_, local))) if !is_calm(kind) || mentions(kind, local) => return None,
                _ => {}
            }
        }
        None
    }
}

fn defines(stmt: &StmtKind, local: Local) -> bool {
    match stmt {
        StmtKind::Assign(dest, _) | StmtKind::Init(dest, _) => dest.local == local && !in_memory(dest),
        StmtKind::Call(call) => call.dest == local,
        _ => false,
    }
}

/// Whether a statement makes something of a local's value that keeps it, once.
fn keeps_once(stmt: &StmtKind, local: Local) -> bool {
    let (StmtKind::Assign(_, value) | StmtKind::Init(_, value)) = stmt else { return false };
    let keeps = matches!(
        value,
        Rvalue::Aggregate(..)
            | Rvalue::New(..)
            | Rvalue::Closure(..)
            | Rvalue::MakeDyn { .. }
            | Rvalue::Use(_)
    );
    let mut uses = 0;
    each_operand(value, &mut |operand| {
        uses += (operand.place().and_then(Place::as_local) == Some(local)) as u32;
    });
    keeps && uses == 1
}

fn in_memory(place: &Place) -> bool {
    place.proj.iter().any(|proj| matches!(proj, Proj::Deref | Proj::Index(_) | Proj::Capture(_)))
}

/// Whether a statement neither gives up a count, nor looks at one, nor takes one out of memory.
fn is_calm(stmt: &StmtKind) -> bool {
    match stmt {
        StmtKind::Assign(_, value) | StmtKind::Init(_, value) => {
            let mut takes = false;
            each_operand(value, &mut |operand| {
                takes |= matches!(operand, Operand::Move(from) if in_memory(from));
            });
            !takes && !looks_at_counts(stmt) && !matches!(value, Rvalue::Intrinsic(..) | Rvalue::Reuse(..))
        }
        StmtKind::Retain(_) | StmtKind::Nop => true,
        StmtKind::Call(_) | StmtKind::Release(_) | StmtKind::EndScope(_) => false,
    }
}

fn stores_in_memory(stmt: &StmtKind) -> bool {
    matches!(stmt, StmtKind::Assign(dest, _) | StmtKind::Init(dest, _) if in_memory(dest))
}

/// Whether the place is another one after the statement.
fn changes_way(stmt: &StmtKind, place: &Place) -> bool {
    matches!(stmt, StmtKind::Assign(dest, _) | StmtKind::Init(dest, _) if leads_through(place, dest.local))
}

fn leads_through(place: &Place, local: Local) -> bool {
    place.local == local || place.proj.contains(&Proj::Index(local))
}

fn mentions(stmt: &StmtKind, local: Local) -> bool {
    let mut found = false;
    each_place(stmt, &mut |place, _| found |= place.local() == local);
    found
}
