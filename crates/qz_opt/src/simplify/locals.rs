//! Locals that nothing mentions any more are left out, so that engines and later passes do not carry them.

use qz_base::Arena;
use qz_mir::visit::{each_place, each_place_mut, term_operand, term_operand_mut};
use qz_mir::{Body, Local, Operand, Proj, StmtKind};

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
    let number = |local: &mut Local| *local = numbers[local.index()];
    let indexes = |proj: &mut [Proj]| {
        for proj in proj {
            if let Proj::Index(index) = proj {
                number(index);
            }
        }
    };
    for block in body.blocks.values_mut() {
        block.stmts.retain(|stmt| !matches!(stmt.kind, StmtKind::EndScope(local) if !used[local.index()]));
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
