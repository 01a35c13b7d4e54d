//! Calls of a function by itself whose result is its own become jumps to its start, on every level of optimisation:
//! a loop written as recursion runs in one frame.
//!
//! A call is such a *tail call* if nothing happens behind it but the end of scopes, of values whose end nobody can
//! watch, and if no argument is an address: then the next round may use the same frame. Runs before counts
//! are placed, so that parameters which change are like any other local that does.

use qz_mir::{
    BlockId, Body, Callee, InstanceId, Local, LocalDecl, Operand, Ownership, Place, Rvalue, Stmt, StmtKind,
    TermKind,
};
use qz_types::{Ty, TyKind};

use crate::drops::Drops;

/// Turns the tail calls of instance `own` by itself into jumps.
pub(crate) fn loop_tail_calls(body: &mut Body, own: InstanceId, drops: &Drops) {
    let calls = |stmt: &Stmt| is_call_of(&stmt.kind, own);
    if !body.blocks.values().any(|block| block.stmts.iter().any(calls)) || takes_addresses(body) {
        return;
    }
    for block in body.blocks.ids() {
        if let Some((at, ends)) = tail_call(body, block, own, drops) {
            jump_to_start(body, block, at, &ends);
        }
    }
}

fn is_call_of(stmt: &StmtKind, own: InstanceId) -> bool {
    matches!(stmt, StmtKind::Call(call) if matches!(call.callee, Callee::Instance(id) if id == own))
}

/// Whether an address may be handed over: what it leads to, a local or an object that one keeps alive, belongs to
/// this round, and the next would take its place.
fn takes_addresses(body: &Body) -> bool {
    let is_address = |ty: Ty| matches!(ty.kind(), TyKind::Ref(..) | TyKind::Ptr(_));
    body.params().any(|param| {
        let mut found = false;
        body.locals[param].ty.walk(&mut |part| found |= is_address(part));
        found
    })
}

/// The last call of a block if it is a tail call: where it stands, and the locals whose scopes end behind it.
fn tail_call(body: &Body, block: BlockId, own: InstanceId, drops: &Drops) -> Option<(usize, Vec<Local>)> {
    let stmts = &body.blocks[block].stmts;
    let at = stmts.iter().rposition(|stmt| is_call_of(&stmt.kind, own))?;
    let StmtKind::Call(call) = &stmts[at].kind else { return None };
    // Locals that hold the result.
    let mut result = vec![call.dest];
    let mut ends = Vec::new();
    let (mut here, mut from) = (block, at + 1);
    for _ in 0..body.blocks.len() {
        for stmt in &body.blocks[here].stmts[from..] {
            match &stmt.kind {
                StmtKind::Nop => {}
                StmtKind::EndScope(local) if drops.end_can_be_watched(body.locals[*local].ty) => return None,
                StmtKind::EndScope(local) => ends.push(*local),
                StmtKind::Assign(to, Rvalue::Use(Operand::Copy(value) | Operand::Move(value)))
                    if value.as_local().is_some_and(|local| result.contains(&local)) =>
                {
                    result.push(to.as_local()?);
                }
                StmtKind::Assign(to, Rvalue::Use(Operand::Const(_))) if body.return_ty().is_unit() => {
                    to.as_local()?;
                }
                _ => return None,
            }
        }
        match &body.blocks[here].term.kind {
            TermKind::Return if result.contains(&Body::RETURN) || body.return_ty().is_unit() => {
                return Some((at, ends));
            }
            TermKind::Goto(to) => (here, from) = (*to, 0),
            _ => return None,
        }
    }
    None
}

/// The arguments become the parameters, and it all begins again.
fn jump_to_start(body: &mut Body, block: BlockId, at: usize, ends: &[Local]) {
    let call = body.blocks[block].stmts.split_off(at).swap_remove(0);
    let source = call.source;
    let StmtKind::Call(call) = call.kind else { unreachable!("found as one") };
    let mut stmts = Vec::new();
    let mut push = |kind: StmtKind| stmts.push(Stmt { kind, source });
    // All of them are computed before one changes.
    let mut values = Vec::new();
    for (param, arg) in body.params().zip(call.args) {
        let decl = &body.locals[param];
        let temp = LocalDecl { name: None, ownership: Ownership::Owned, ..decl.clone() };
        let temp = body.locals.alloc(temp);
        push(StmtKind::Assign(Place::local(temp), Rvalue::Use(arg)));
        values.push((param, temp));
    }
    for &local in ends.iter().filter(|local| !body.params().any(|param| param == **local)) {
        push(StmtKind::EndScope(local));
    }
    for (param, temp) in values {
        push(StmtKind::Assign(Place::local(param), Rvalue::Use(Operand::local(temp))));
    }
    let block = &mut body.blocks[block];
    block.stmts.extend(stmts);
    block.term.kind = TermKind::Goto(Body::ENTRY);
}
