//! The shape of the graph: threads jumps, joins blocks, leaves out what is not reached.

use qz_mir::{BlockId, Body, Const, Operand, Stmt, StmtKind, TermKind};

/// `counted` says whether counts are placed: before, what is assigned in front of a guarded block stays there,
/// for count placement takes a handler to see what held a value at the start of the blocks it guards.
pub(crate) fn tidy(body: &mut Body, counted: bool) {
    settle_branches(body);
    forget_handlers(body, counted);
    thread(body);
    join(body, counted);
    qz_mir::build::remove_unreachable_blocks(body);
}

/// Branches on constants.
fn settle_branches(body: &mut Body) {
    for block in body.blocks.values_mut() {
        let to = match &block.term.kind {
            TermKind::Branch { then, else_, .. } if then == else_ => Some(*then),
            TermKind::Branch { cond: Operand::Const(Const::Bool(cond)), then, else_, .. } => {
                Some(if *cond { *then } else { *else_ })
            }
            TermKind::Switch { value: Operand::Const(value), cases, otherwise } => {
                let value = match value {
                    Const::Int(value, _) => Some(*value),
                    Const::Bool(value) => Some(*value as i128),
                    Const::Char(value) => Some(*value as i128),
                    _ => None,
                };
                value.and_then(|value| {
                    let listed = cases.iter().find(|(case, _)| *case == value).map(|&(_, to)| to);
                    listed.or(*otherwise)
                })
            }
            _ => None,
        };
        if let Some(to) = to {
            block.term.kind = TermKind::Goto(to);
        }
    }
}

/// A block whose statements cannot panic needs no handler. The entry's may be for the way in.
fn forget_handlers(body: &mut Body, counted: bool) {
    for (id, block) in body.blocks.iter_mut() {
        if id != Body::ENTRY && !may_panic(&block.stmts, counted) {
            block.unwind = None;
        }
    }
}

/// Where counts are not placed yet, any statement may be the last that uses a value, whose `drop` may panic.
fn may_panic(stmts: &[Stmt], counted: bool) -> bool {
    match counted {
        true => stmts.iter().any(|stmt| stmt.kind.may_panic()),
        false => !stmts.iter().all(is_idle),
    }
}

fn is_idle(stmt: &Stmt) -> bool {
    matches!(stmt.kind, StmtKind::Nop)
}

/// Jumps to blocks that only jump on go there directly.
fn thread(body: &mut Body) {
    let next: Vec<Option<BlockId>> = body
        .blocks
        .values()
        .map(|block| match block.term.kind {
            TermKind::Goto(to) if block.stmts.iter().all(is_idle) => Some(to),
            _ => None,
        })
        .collect();
    // A ring of idle blocks is a loop that does nothing: any of them will do.
    let mut target: Vec<Option<BlockId>> = vec![None; next.len()];
    let mut path: Vec<BlockId> = Vec::new();
    for start in body.blocks.ids() {
        let mut at = start;
        let end = loop {
            if let Some(known) = target[at.index()] {
                break known;
            }
            match next[at.index()] {
                Some(to) if !path.contains(&at) && path.len() < 64 => {
                    path.push(at);
                    at = to;
                }
                _ => break at,
            }
        };
        path.drain(..).for_each(|it| target[it.index()] = Some(end));
    }
    let cleanup: Vec<bool> = body.blocks.values().map(|block| block.cleanup).collect();
    for (id, block) in body.blocks.iter_mut() {
        block.term.kind.for_each_successor_mut(&mut |to| {
            let end = target[to.index()].unwrap_or(*to);
            // From a cleanup to where the panic was taken: the step in between stays.
            if cleanup[end.index()] == cleanup[to.index()] || !cleanup[id.index()] {
                *to = end;
            }
        });
        if let Some(unwind) = block.unwind {
            let end = target[unwind.index()].unwrap_or(unwind);
            block.unwind = Some(if cleanup[end.index()] { end } else { unwind });
        }
    }
}

/// A block and the only one that leads to it become one.
fn join(body: &mut Body, counted: bool) {
    let mut arrivals = vec![0u32; body.blocks.len()];
    arrivals[Body::ENTRY.index()] = 1;
    for block in body.blocks.values() {
        block.term.kind.successors().into_iter().for_each(|to| arrivals[to.index()] += 1);
        block.unwind.into_iter().for_each(|to| arrivals[to.index()] += 1);
    }
    for id in body.blocks.ids() {
        while let TermKind::Goto(to) = body.blocks[id].term.kind {
            if to == id || arrivals[to.index()] != 1 || to == Body::ENTRY || !can_join(body, id, to, counted)
            {
                break;
            }
            let taken = &mut body.blocks[to];
            let source = taken.term.source;
            let term = std::mem::replace(&mut taken.term.kind, TermKind::Unreachable);
            let mut stmts = std::mem::take(&mut taken.stmts);
            let unwind = taken.unwind.take();
            let block = &mut body.blocks[id];
            let keeps_handler = id == Body::ENTRY || may_panic(&block.stmts, counted);
            block.unwind = if keeps_handler { block.unwind } else { unwind };
            block.stmts.append(&mut stmts);
            block.term.kind = term;
            block.term.source = source;
        }
    }
}

fn can_join(body: &Body, a: BlockId, b: BlockId, counted: bool) -> bool {
    let (first, second) = (&body.blocks[a], &body.blocks[b]);
    let idle = |block: &qz_mir::Block| !may_panic(&block.stmts, counted);
    first.cleanup == second.cleanup
        && (first.unwind == second.unwind
            || idle(second)
            || (idle(first) && a != Body::ENTRY && (counted || first.stmts.is_empty())))
}
