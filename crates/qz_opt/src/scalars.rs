//! Objects that never leave the function that makes them become locals, one per field (*scalar replacement*, after
//! Choi and others: "Escape Analysis for Java", 1999, for what never escapes at all). Iterators are the common case:
//! once their `next` is inlined nothing of a chain is left but its numbers, and the functions in it are known.
//!
//! An object stays if it is used as a whole anywhere: handed on, stored, captured, compared, returned; or if its end
//! can be watched. Before counts are placed.

use qz_base::FxHashMap;
use qz_mir::layout::Layouts;
use qz_mir::visit::{PlaceRef, Use, each_place, each_place_mut, term_operand, term_operand_mut};
use qz_mir::{Body, Local, LocalDecl, Operand, Ownership, Place, Proj, Rvalue, Stmt, StmtKind};

use crate::drops::Drops;

/// Objects of more fields are left alone.
const MOST_FIELDS: usize = 16;

/// Replaces what can be. Says whether there was anything.
pub(crate) fn replace(body: &mut Body, layouts: &Layouts, drops: &Drops) -> bool {
    let makes = |stmt: &Stmt| matches!(stmt.kind, StmtKind::Assign(_, Rvalue::New(..)));
    if !body.blocks.values().any(|block| block.stmts.iter().any(makes)) {
        return false;
    }
    let objects = objects(body, layouts, drops);
    if objects.is_empty() {
        return false;
    }
    rewrite(body, &objects);
    true
}

/// The locals for the fields of each object, by the local that held it.
type Objects = FxHashMap<Local, Vec<Local>>;

fn objects(body: &mut Body, layouts: &Layouts, drops: &Drops) -> Objects {
    let mut stores = vec![0u32; body.locals.len()];
    let mut whole = vec![false; body.locals.len()];
    let mut note = |place: PlaceRef<'_>, how: Use, ends: bool| {
        let local = place.local().index();
        match place {
            PlaceRef::Place(place) if is_field(place) => {}
            _ if ends => {}
            _ if how == Use::Store => stores[local] += 1,
            _ => whole[local] = true,
        }
    };
    for block in body.blocks.values() {
        for stmt in &block.stmts {
            let ends = matches!(stmt.kind, StmtKind::EndScope(_));
            each_place(&stmt.kind, &mut |place, how| note(place, how, ends));
        }
        if let Some(place) = term_operand(&block.term.kind).and_then(Operand::place) {
            note(PlaceRef::Place(place), Use::Copy, false);
        }
    }
    let mut found = Vec::new();
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        if let StmtKind::Assign(place, Rvalue::New(ty, _)) = &stmt.kind
            && let Some(local) = place.as_local()
            && local.raw() > body.param_count
            && stores[local.index()] == 1
            && !whole[local.index()]
            && !drops.is_kept(*ty)
            && drops.user_drop(*ty).is_none()
        {
            found.push((local, *ty, stmt.source));
        }
    }
    let mut objects = Objects::default();
    for (local, ty, source) in found {
        let layout = layouts.object(ty);
        if layout.fields.len() > MOST_FIELDS {
            continue;
        }
        let field = |ty| LocalDecl {
            ty,
            name: None,
            span: source.span,
            scope: source.scope,
            ownership: Ownership::Owned,
        };
        let fields =
            layout.fields.tys.iter().map(|&ty| body.locals.alloc(field(layouts.resolve(ty)))).collect();
        objects.insert(local, fields);
    }
    objects
}

/// Whether a place is a field of the object in its local, or something inside one.
fn is_field(place: &Place) -> bool {
    matches!(place.proj.as_slice(), [Proj::Deref, Proj::Field(_), ..])
}

fn rewrite(body: &mut Body, objects: &Objects) {
    for id in body.blocks.ids() {
        let stmts = std::mem::take(&mut body.blocks[id].stmts);
        let mut out = Vec::with_capacity(stmts.len());
        for mut stmt in stmts {
            each_place_mut(&mut stmt.kind, &mut |place| to_field(place, objects), &mut |_| {});
            match stmt.kind {
                StmtKind::Assign(place, Rvalue::New(_, values))
                    if place.as_local().is_some_and(|local| objects.contains_key(&local)) =>
                {
                    make(body, &objects[&place.local], values, stmt.source, &mut out);
                }
                StmtKind::EndScope(local) if objects.contains_key(&local) => {
                    let ends = |&field: &Local| Stmt { kind: StmtKind::EndScope(field), source: stmt.source };
                    out.extend(objects[&local].iter().map(ends));
                }
                kind => out.push(Stmt { kind, ..stmt }),
            }
        }
        let block = &mut body.blocks[id];
        block.stmts = out;
        if let Some(Operand::Copy(place) | Operand::Move(place)) = term_operand_mut(&mut block.term.kind) {
            to_field(place, objects);
        }
    }
}

fn to_field(place: &mut Place, objects: &Objects) {
    if let Some(fields) = objects.get(&place.local)
        && let [Proj::Deref, Proj::Field(index), rest @ ..] = place.proj.as_slice()
    {
        *place = Place { local: fields[*index as usize], proj: rest.into() };
    }
}

/// The fields get their first values. All are read before one is written: they may be those of the object before.
fn make(
    body: &mut Body,
    fields: &[Local],
    values: Vec<Operand>,
    source: qz_mir::SourceInfo,
    out: &mut Vec<Stmt>,
) {
    let mut assign = |to: Local, value: Operand| {
        out.push(Stmt { kind: StmtKind::Assign(Place::local(to), Rvalue::Use(value)), source });
    };
    let mut firsts = Vec::new();
    for (&field, value) in fields.iter().zip(values) {
        if matches!(value, Operand::Const(_)) {
            firsts.push((field, value));
            continue;
        }
        let temp = body.locals.alloc(LocalDecl { name: None, ..body.locals[field].clone() });
        assign(temp, value);
        firsts.push((field, Operand::local(temp)));
    }
    firsts.into_iter().for_each(|(field, value)| assign(field, value));
}
