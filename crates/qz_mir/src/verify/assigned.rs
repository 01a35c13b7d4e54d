//! Locals hold a value wherever they are read: assigned on every way there, and not moved away since.

use crate::body::*;
use crate::layout::Layouts;
use crate::visit::{Use, each_place, term_operand};

use super::{Cx, State};

/// One flag per local: holds a value on every way here.
type Held = Vec<bool>;

pub(super) fn check(cx: &mut Cx, layouts: &Layouts, state: State) {
    let body = cx.body;
    // Nothing is read of a value without size.
    let empty: Vec<bool> = body.locals.values().map(|decl| layouts.of(decl.ty).is_zero_sized()).collect();
    let mut entry: Held = empty.clone();
    body.params().for_each(|param| entry[param.index()] = true);
    let mut states: Vec<Option<Held>> = vec![None; body.blocks.len()];
    states[Body::ENTRY.index()] = Some(entry);
    let mut work = vec![Body::ENTRY];
    while let Some(id) = work.pop() {
        let mut held = states[id.index()].clone().expect("has been reached");
        let block = &body.blocks[id];
        for stmt in &block.stmts {
            read(&stmt.kind, &empty, &mut held, &mut |_| {});
            if let Some(unwind) = block.unwind
                && state.may_panic(body, &stmt.kind)
            {
                arrive(&mut states, &mut work, unwind, &held);
            }
            write(&stmt.kind, &mut held);
        }
        for to in block.term.kind.successors() {
            arrive(&mut states, &mut work, to, &held);
        }
    }
    for (id, block) in body.blocks.iter() {
        let Some(mut held) = states[id.index()].clone() else { continue };
        for stmt in &block.stmts {
            let mut missing = None;
            read(&stmt.kind, &empty, &mut held, &mut |local| missing = Some(local));
            if let Some(local) = missing {
                cx.problem_in(id, &stmt.kind, format_args!("local {} may hold no value", local.raw()));
            }
            write(&stmt.kind, &mut held);
        }
        let operand = term_operand(&block.term.kind).and_then(Operand::place).map(|place| place.local);
        let returned = matches!(block.term.kind, TermKind::Return).then_some(Body::RETURN);
        for local in operand.into_iter().chain(returned) {
            if !held[local.index()] {
                cx.problem(id, format_args!("ends with local {}, which may hold no value", local.raw()));
            }
        }
    }
}

fn arrive(states: &mut [Option<Held>], work: &mut Vec<BlockId>, to: BlockId, held: &Held) {
    let changed = match &mut states[to.index()] {
        Some(known) => {
            let mut changed = false;
            for (known, &now) in known.iter_mut().zip(held) {
                changed |= *known && !now;
                *known &= now;
            }
            changed
        }
        none => {
            *none = Some(held.clone());
            true
        }
    };
    if changed {
        work.push(to);
    }
}

/// What a statement reads, and what it moves away.
fn read(stmt: &StmtKind, empty: &[bool], held: &mut Held, missing: &mut dyn FnMut(Local)) {
    if matches!(stmt, StmtKind::EndScope(_)) {
        return;
    }
    let mut moved = Vec::new();
    each_place(stmt, &mut |place, how| {
        let local = place.local();
        let stores = how == Use::Store && place.is_whole();
        // The first part of a value that was left open.
        let opens = how == Use::Store && matches!(stmt, StmtKind::Init(..));
        if !stores && !opens && !held[local.index()] {
            missing(local);
        }
        place.index_locals().filter(|index| !held[index.index()]).for_each(&mut *missing);
        if how == Use::Move && place.is_whole() && !empty[local.index()] {
            moved.push(local);
        }
    });
    if let StmtKind::Release(place) = stmt
        && let Some(local) = place.as_local()
    {
        moved.push(local);
    }
    moved.into_iter().for_each(|local| held[local.index()] = false);
}

fn write(stmt: &StmtKind, held: &mut Held) {
    match stmt {
        StmtKind::Assign(place, _) => place.as_local().into_iter().for_each(|it| held[it.index()] = true),
        StmtKind::Init(place, _) => held[place.local.index()] = true,
        StmtKind::Call(call) => held[call.dest.index()] = true,
        StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Release(_) | StmtKind::Nop => {}
    }
}
