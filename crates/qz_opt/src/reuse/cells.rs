//! Cells inside of cells get names, so that counts can speak of them.
//!
//! ```text
//! l_3 = t_1.v1.0.v1.0     # becomes     _9 = t_1.v1.0
//! r_4 = t_1.v1.0.v1.1                   l_3 = _9.v1.0
//!                                       r_4 = _9.v1.1
//! ```

use qz_base::FxHashMap;
use qz_mir::layout::Layouts;
use qz_mir::visit::{Use, each_place};
use qz_mir::{
    BlockId, Body, Local, LocalDecl, Operand, Ownership, Place, Proj, Rvalue, SourceInfo, Stmt, StmtKind,
};

/// Names the cells that parts are read of. Before counts.
pub(crate) fn name_inner(body: &mut Body, layouts: &Layouts) {
    let is_deep =
        |stmt: &Stmt| matches!(read(&stmt.kind), Some(from) if inner(body, layouts, from).is_some());
    let deep: Vec<BlockId> =
        body.blocks.iter().filter(|(_, block)| block.stmts.iter().any(is_deep)).map(|(id, _)| id).collect();
    if deep.is_empty() {
        return;
    }
    let addressed = addressed(body);
    for id in deep {
        name_in(body, layouts, id, &addressed);
    }
}

fn read(stmt: &StmtKind) -> Option<&Place> {
    match stmt {
        StmtKind::Assign(dest, Rvalue::Use(Operand::Copy(from))) if dest.as_local().is_some() => Some(from),
        _ => None,
    }
}

/// Locals that change without being mentioned.
fn addressed(body: &Body) -> Vec<bool> {
    let mut addressed = vec![false; body.locals.len()];
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        each_place(&stmt.kind, &mut |place, how| {
            addressed[place.local().index()] |= how == Use::Address;
        });
    }
    addressed
}

/// How many projections of a place lead to the innermost cell that it lies in, if that lies in another one.
fn inner(body: &Body, layouts: &Layouts, place: &Place) -> Option<usize> {
    if !place.proj.iter().all(|proj| matches!(proj, Proj::Field(_) | Proj::Variant(_))) {
        return None;
    }
    let (mut at, mut cells) = (Place::local(place.local), Vec::new());
    for (n, &proj) in place.proj.iter().enumerate() {
        if matches!(proj, Proj::Variant(_)) && layouts.of(layouts.place_ty(body, &at)).is_boxed() {
            cells.push(n);
        }
        at.proj.push(proj);
    }
    cells.pop().filter(|_| !cells.is_empty())
}

fn name_in(body: &mut Body, layouts: &Layouts, id: BlockId, addressed: &[bool]) {
    let stmts = std::mem::take(&mut body.blocks[id].stmts);
    let mut out = Vec::with_capacity(stmts.len() + 2);
    let mut names: FxHashMap<Place, Local> = FxHashMap::default();
    for mut stmt in stmts {
        if let StmtKind::Assign(_, Rvalue::Use(Operand::Copy(from))) = &mut stmt.kind
            && !addressed[from.local.index()]
        {
            while let Some(len) = inner(body, layouts, from) {
                let cell = Place {
                    local: from.local,
                    proj: from.proj[..first_cell(body, layouts, from, len)].into(),
                };
                let rest = from.proj[cell.proj.len()..].into();
                let name = *names
                    .entry(cell)
                    .or_insert_with_key(|cell| new_name(body, layouts, cell, stmt.source, &mut out));
                *from = Place { local: name, proj: rest };
            }
        }
        each_place(&stmt.kind, &mut |place, how| {
            if how == Use::Store {
                names.retain(|cell, _| cell.local != place.local());
            }
        });
        out.push(stmt);
    }
    body.blocks[id].stmts = out;
}

/// How many projections lead to the outermost cell inside of another one; there is one at `last`.
fn first_cell(body: &Body, layouts: &Layouts, place: &Place, last: usize) -> usize {
    let mut len = last;
    while let Some(outer) =
        inner(body, layouts, &Place { local: place.local, proj: place.proj[..len].into() })
    {
        len = outer;
    }
    len
}

fn new_name(
    body: &mut Body,
    layouts: &Layouts,
    cell: &Place,
    source: SourceInfo,
    out: &mut Vec<Stmt>,
) -> Local {
    let ty = layouts.place_ty(body, cell);
    let (span, scope) = (source.span, source.scope);
    let name = body.locals.alloc(LocalDecl { ty, name: None, span, scope, ownership: Ownership::Owned });
    let kind = StmtKind::Assign(Place::local(name), Rvalue::Use(Operand::Copy(cell.clone())));
    out.push(Stmt { kind, source });
    name
}
