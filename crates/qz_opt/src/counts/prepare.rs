//! A form that count placement can rely on:
//!
//! * What is passed to a call that may run Quartz code is a whole local: a value read out of an object could
//!   be overwritten, and freed, while the callee looks at it.
//! * A borrowed parameter that is written to, or whose address is taken, is a copy with a count of its own.
//! * Nothing jumps to the entry.

use qz_mir::visit::{PlaceRef, Use, each_place};
use qz_mir::{
    Block, Body, Call, Callee, Local, LocalDecl, Operand, Ownership, Place, Proj, Rvalue, SourceInfo, Stmt,
    StmtKind, TermKind, Terminator,
};

use super::Cx;

pub(super) fn prepare(body: &mut Body, cx: &Cx, owned_params: &[bool]) {
    for id in body.blocks.ids() {
        if body.blocks[id].stmts.iter().any(|stmt| wants_temporaries(body, cx, stmt)) {
            name_arguments(body, cx, id);
        }
    }
    free_entry(body);
    copy_written_params(body, cx, owned_params);
}

/// A counted value inside something else.
fn is_inside(body: &Body, cx: &Cx, operand: &Operand) -> bool {
    let Some(place) = operand.place() else { return false };
    !place.proj.is_empty() && cx.drops.is_counted(cx.layouts.place_ty(body, place))
}

fn wants_temporaries(body: &Body, cx: &Cx, stmt: &Stmt) -> bool {
    let StmtKind::Call(call) = &stmt.kind else { return false };
    if let Callee::Value(operand) = &call.callee
        && is_inside(body, cx, operand)
    {
        return true;
    }
    // The runtime neither writes to objects nor runs anything that does.
    !matches!(call.callee, Callee::Runtime(_)) && call.args.iter().any(|arg| is_inside(body, cx, arg))
}

fn name_arguments(body: &mut Body, cx: &Cx, id: qz_mir::BlockId) {
    let stmts = std::mem::take(&mut body.blocks[id].stmts);
    let mut out = Vec::with_capacity(stmts.len() + 1);
    for mut stmt in stmts {
        if wants_temporaries(body, cx, &stmt)
            && let StmtKind::Call(call) = &mut stmt.kind
        {
            let Call { callee, args, .. } = &mut **call;
            let closure = match callee {
                Callee::Value(operand) => Some(operand),
                _ => None,
            };
            for operand in closure.into_iter().chain(args) {
                if is_inside(body, cx, operand) {
                    name_operand(body, cx, operand, stmt.source, &mut out);
                }
            }
        }
        out.push(stmt);
    }
    body.blocks[id].stmts = out;
}

fn name_operand(body: &mut Body, cx: &Cx, operand: &mut Operand, source: SourceInfo, out: &mut Vec<Stmt>) {
    let place = operand.place().expect("is a place");
    let ty = cx.layouts.place_ty(body, place);
    let temp = body.locals.alloc(LocalDecl {
        ty,
        name: None,
        span: source.span,
        scope: source.scope,
        ownership: Ownership::Owned,
    });
    let value = std::mem::replace(operand, Operand::local(temp));
    out.push(Stmt { kind: StmtKind::Assign(Place::local(temp), Rvalue::Use(value)), source });
}

fn free_entry(body: &mut Body) {
    let to_entry = |block: &Block| {
        block.unwind == Some(Body::ENTRY) || block.term.kind.successors().contains(&Body::ENTRY)
    };
    if !body.blocks.values().any(to_entry) {
        return;
    }
    let source = body.blocks[Body::ENTRY].term.source;
    let moved = body.blocks.alloc(Block {
        stmts: Vec::new(),
        term: Terminator { kind: TermKind::Unreachable, source },
        unwind: None,
        cleanup: false,
    });
    for block in body.blocks.values_mut() {
        let renumber = |to: &mut qz_mir::BlockId| {
            if *to == Body::ENTRY {
                *to = moved;
            }
        };
        block.unwind.iter_mut().for_each(renumber);
        block.term.kind.for_each_successor_mut(&mut |to| renumber(to));
    }
    let term = Terminator { kind: TermKind::Goto(moved), source };
    let entry = Block { stmts: Vec::new(), term, unwind: body.blocks[Body::ENTRY].unwind, cleanup: false };
    let old = std::mem::replace(&mut body.blocks[Body::ENTRY], entry);
    body.blocks[moved] = old;
}

/// Whether a use changes the local's own memory or lets others do so.
pub(super) fn changes_local(place: PlaceRef, how: Use) -> bool {
    let own = match place {
        PlaceRef::Local(_) => true,
        PlaceRef::Place(place) => place.proj.iter().all(|p| matches!(p, Proj::Field(_) | Proj::Variant(_))),
    };
    own && matches!(how, Use::Store | Use::Address)
}

fn copy_written_params(body: &mut Body, cx: &Cx, owned_params: &[bool]) {
    let mut written = vec![false; body.param_count as usize + 1];
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        each_place(&stmt.kind, &mut |place, how| {
            if place.local().index() < written.len() && changes_local(place, how) {
                written[place.local().index()] = true;
            }
        });
    }
    for param in 1..=body.param_count {
        let local = Local::from_raw(param);
        let index = local.index();
        if !written[index] || owned_params[index - 1] || !cx.drops.is_counted(body.locals[local].ty) {
            continue;
        }
        let copy = LocalDecl { ownership: Ownership::Owned, ..body.locals[local].clone() };
        let copy = body.locals.alloc(copy);
        rename(body, local, copy);
        let source = body.blocks[Body::ENTRY].term.source;
        let kind = StmtKind::Assign(Place::local(copy), Rvalue::Use(Operand::local(local)));
        body.blocks[Body::ENTRY].stmts.insert(0, Stmt { kind, source });
    }
}

fn rename(body: &mut Body, from: Local, to: Local) {
    let one = |local: &mut Local| {
        if *local == from {
            *local = to;
        }
    };
    for block in body.blocks.values_mut() {
        for stmt in &mut block.stmts {
            qz_mir::visit::each_place_mut(&mut stmt.kind, &mut |place| one(&mut place.local), &mut |local| {
                one(local)
            });
        }
        if let Some(Operand::Copy(place) | Operand::Move(place)) =
            qz_mir::visit::term_operand_mut(&mut block.term.kind)
        {
            one(&mut place.local);
        }
    }
}
