//! Locals that nothing mentions any more are left out, so that engines and later passes do not carry them. And
//! parameters that come later.

use qz_base::Arena;
use qz_mir::visit::{each_place, each_place_mut, term_operand, term_operand_mut};
use qz_mir::{Body, Local, LocalDecl, Operand, Proj, StmtKind};

pub(crate) fn compact(body: &mut Body) {
    let mut used = vec![false; body.locals.len()];
    used[..=body.param_count as usize].fill(true);
    for block in body.blocks.values() {
        for stmt in &block.stmts {
            each_place(&stmt.kind, &mut |place, _| {
                used[place.local().index()] |= !matches!(stmt.kind, StmtKind::EndScope(_));
                place.index_locals().for_each(|index| used[index.index()] = true);
            });
        }
        if let Some(place) = term_operand(&block.term.kind).and_then(Operand::place) {
            used[place.local.index()] = true;
        }
    }
    if !used.contains(&false) {
        return;
    }
    let mut numbers = vec![Local::from_raw(0); body.locals.len()];
    let mut kept = Arena::new();
    for (id, decl) in body.locals.iter() {
        if used[id.index()] {
            numbers[id.index()] = kept.alloc(decl.clone());
        }
    }
    body.locals = kept;
    for block in body.blocks.values_mut() {
        block.stmts.retain(|stmt| !matches!(stmt.kind, StmtKind::EndScope(local) if !used[local.index()]));
    }
    renumber(body, &numbers);
}

/// Adds parameters behind the ones there are; all other locals get new numbers. Gives the new ones.
pub(crate) fn add_params(body: &mut Body, decls: Vec<LocalDecl>) -> Vec<Local> {
    let first = body.param_count + 1;
    let count = decls.len() as u32;
    let old = std::mem::take(&mut body.locals);
    let mut numbers = Vec::with_capacity(old.len());
    let mut new = decls.into_iter();
    let mut locals = Arena::new();
    for (id, decl) in old.iter() {
        if id.raw() == first {
            new.by_ref().for_each(|decl| {
                locals.alloc(decl);
            });
        }
        numbers.push(locals.alloc(decl.clone()));
    }
    new.for_each(|decl| {
        locals.alloc(decl);
    });
    body.locals = locals;
    body.param_count += count;
    renumber(body, &numbers);
    (first..first + count).map(Local::from_raw).collect()
}

/// Gives every local that is mentioned its new number.
fn renumber(body: &mut Body, numbers: &[Local]) {
    let number = |local: &mut Local| *local = numbers[local.index()];
    let indexes = |proj: &mut [Proj]| {
        for proj in proj {
            if let Proj::Index(index) = proj {
                number(index);
            }
        }
    };
    for block in body.blocks.values_mut() {
        for stmt in &mut block.stmts {
            each_place_mut(
                &mut stmt.kind,
                &mut |place| {
                    number(&mut place.local);
                    indexes(&mut place.proj);
                },
                &mut |local| number(local),
            );
        }
        if let Some(Operand::Copy(place) | Operand::Move(place)) = term_operand_mut(&mut block.term.kind) {
            number(&mut place.local);
            indexes(&mut place.proj);
        }
    }
}
