//! Constants and copies are used where they are known; what nobody reads is not computed.
//!
//! Only locals with one definition take part: by definite assignment it stands in front of every use, so
//! what it stores is what each use sees. A local whose address is taken, or that is stored to in part, keeps
//! out, and so do values with a user's `drop`, whose scopes matter.

use qz_mir::layout::Layouts;
use qz_mir::visit::{
    PlaceRef, Use, each_place, each_place_mut, each_stmt_operand_mut, term_operand, term_operand_mut,
};
use qz_mir::{
    AggregateKind, BinOp, Body, CastKind, Const, Intrinsic, Local, Operand, Place, Proj, Rvalue, Stmt,
    StmtKind, UnOp,
};
use qz_types::{IntTy, TyKind};

use super::signs::Signs;
use crate::drops::Drops;

/// What is known of a local.
#[derive(Clone, Debug, Default)]
enum Known {
    #[default]
    Nothing,
    Const(Const),
    /// Always the same value as this local.
    Local(Local),
    /// An enum's value of this variant.
    Variant(u32),
}

struct Facts {
    definitions: Vec<u32>,
    /// Stored to in part, or its address is taken.
    changed: Vec<bool>,
}

impl Facts {
    fn new(body: &Body) -> Facts {
        let len = body.locals.len();
        let mut facts = Facts { definitions: vec![0; len], changed: vec![false; len] };
        for param in body.params() {
            facts.definitions[param.index()] = 1;
        }
        // The result is read by the return.
        facts.changed[Body::RETURN.index()] = true;
        for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
            each_place(&stmt.kind, &mut |place, how| facts.note(place, how));
        }
        facts
    }

    fn note(&mut self, place: PlaceRef, how: Use) {
        let local = place.local().index();
        match how {
            Use::Store if place.is_whole() => self.definitions[local] += 1,
            Use::Store | Use::Address => {
                let own = match place {
                    PlaceRef::Local(_) => true,
                    PlaceRef::Place(place) => !place.proj.iter().any(leaves_memory),
                };
                self.changed[local] |= own;
            }
            Use::Copy | Use::Move | Use::Inspect => {}
        }
    }

    fn is_fixed(&self, local: Local) -> bool {
        self.definitions[local.index()] == 1 && !self.changed[local.index()]
    }
}

fn leaves_memory(proj: &Proj) -> bool {
    matches!(proj, Proj::Deref | Proj::Index(_) | Proj::Capture(_))
}

/// Uses constants and copies directly.
pub(crate) fn propagate(body: &mut Body, layouts: &Layouts, drops: &Drops) {
    forward_stores(body, drops);
    let facts = Facts::new(body);
    let signs = Signs::new(body);
    let mut known = vec![Known::Nothing; body.locals.len()];
    for id in body.blocks.ids() {
        let mut stmts = std::mem::take(&mut body.blocks[id].stmts);
        for stmt in &mut stmts {
            replace(&mut stmt.kind, &known);
            if let StmtKind::Assign(place, value) = &mut stmt.kind {
                fold(value, layouts, &known);
                weaken(body, value, &signs);
                if let Some(local) = place.as_local().filter(|&local| facts.is_fixed(local)) {
                    known[local.index()] = learn(body, drops, &facts, local, value);
                }
            }
        }
        body.blocks[id].stmts = stmts;
    }
    // Once more for uses that stand in front of the definition in the order of blocks.
    for block in body.blocks.values_mut() {
        block.stmts.iter_mut().for_each(|stmt| replace(&mut stmt.kind, &known));
        if let Some(operand) = term_operand_mut(&mut block.term.kind) {
            replace_operand(operand, &known);
        }
    }
}

/// `t = …; x = t` becomes `x = …` where `t` is not used elsewhere.
fn forward_stores(body: &mut Body, drops: &Drops) {
    let mut mentions = vec![0u32; body.locals.len()];
    for block in body.blocks.values() {
        for stmt in &block.stmts {
            each_place(&stmt.kind, &mut |place, _| {
                mentions[place.local().index()] += !matches!(stmt.kind, StmtKind::EndScope(_)) as u32;
                place.index_locals().for_each(|index| mentions[index.index()] += 1);
            });
        }
        let operand = term_operand(&block.term.kind).and_then(Operand::place);
        operand.into_iter().for_each(|place| mentions[place.local.index()] += 1);
    }
    let params = 0..=body.param_count as usize;
    for block in body.blocks.values_mut() {
        for at in 1..block.stmts.len() {
            let [first, second] = &mut block.stmts[at - 1..=at] else { continue };
            let StmtKind::Assign(to, Rvalue::Use(Operand::Copy(from))) = &second.kind else { continue };
            let (Some(to), Some(from)) = (to.as_local(), from.as_local()) else { continue };
            let twice = mentions[from.index()] == 2 && !params.contains(&from.index());
            let (a, b) = (body.locals[to].ty, body.locals[from].ty);
            if !twice || a != b || (drops.is_counted(a) && drops.is_kept(a)) || to == from {
                continue;
            }
            let stores = match &mut first.kind {
                StmtKind::Assign(place, _) if place.as_local() == Some(from) => {
                    *place = Place::local(to);
                    true
                }
                StmtKind::Call(call) if call.dest == from => {
                    call.dest = to;
                    true
                }
                _ => false,
            };
            if stores {
                second.kind = StmtKind::Nop;
            }
        }
    }
}

fn learn(body: &Body, drops: &Drops, facts: &Facts, local: Local, value: &Rvalue) -> Known {
    match value {
        Rvalue::Use(Operand::Const(value)) => Known::Const(value.clone()),
        Rvalue::Use(Operand::Copy(from)) => match from.as_local() {
            Some(from) if facts.is_fixed(from) && from != local => {
                let (a, b) = (body.locals[local].ty, body.locals[from].ty);
                let same = a == b && !(drops.is_counted(a) && drops.is_kept(a));
                if same { Known::Local(from) } else { Known::Nothing }
            }
            _ => Known::Nothing,
        },
        Rvalue::Aggregate(AggregateKind::Variant(_, variant), _) => Known::Variant(*variant),
        _ => Known::Nothing,
    }
}

fn replace(stmt: &mut StmtKind, known: &[Known]) {
    each_stmt_operand_mut(stmt, &mut |operand| replace_operand(operand, known));
    // Ends of scopes and definitions stay with their local.
    let defined = match stmt {
        StmtKind::Assign(place, _) | StmtKind::Init(place, _) => place.as_local(),
        _ => None,
    };
    if let StmtKind::EndScope(_) = stmt {
        return;
    }
    each_place_mut(
        stmt,
        &mut |place| {
            if !(place.proj.is_empty() && Some(place.local) == defined) {
                replace_place(place, known);
            }
        },
        &mut |_| {},
    );
}

fn replace_operand(operand: &mut Operand, known: &[Known]) {
    let Operand::Copy(place) = operand else { return };
    if let Some(local) = place.as_local()
        && let Known::Const(value) = &known[local.index()]
    {
        *operand = Operand::Const(value.clone());
        return;
    }
    replace_place(place, known);
}

fn replace_place(place: &mut Place, known: &[Known]) {
    if let Known::Local(from) = known[place.local.index()] {
        place.local = from;
    }
    for proj in &mut place.proj {
        if let Proj::Index(index) = proj
            && let Known::Local(from) = known[index.index()]
        {
            *index = from;
        }
    }
}

/// Computes what is known now.
fn fold(value: &mut Rvalue, layouts: &Layouts, known: &[Known]) {
    let int = |value: u32| Const::Int(value as i128, IntTy::I64);
    let result = match value {
        Rvalue::Intrinsic(Intrinsic::SizeOf, _, ty) => Some(int(layouts.of(*ty).size)),
        Rvalue::Intrinsic(Intrinsic::AlignOf, _, ty) => Some(int(layouts.of(*ty).align)),
        Rvalue::Intrinsic(Intrinsic::NeedsRelease, _, ty) => Some(Const::Bool(layouts.of(*ty).needs_release)),
        Rvalue::Intrinsic(which @ (Intrinsic::StrLen | Intrinsic::StrChars), operands, _) => {
            match (which, operands.first()) {
                (Intrinsic::StrLen, Some(Operand::Const(Const::Str(text)))) => Some(int(text.len() as u32)),
                (_, Some(Operand::Const(Const::Str(text)))) => Some(int(text.chars().count() as u32)),
                _ => None,
            }
        }
        Rvalue::Cast(CastKind::Wrapping | CastKind::Checked, Operand::Const(Const::Int(value, _)), ty) => {
            match ty.kind() {
                TyKind::Int(int) if (int.min_value()..=int.max_value()).contains(value) => {
                    Some(Const::Int(*value, *int))
                }
                _ => None,
            }
        }
        Rvalue::Discriminant(place) => match (place.as_local(), &known[place.local.index()]) {
            (Some(_), Known::Variant(variant)) => Some(int(*variant)),
            _ => None,
        },
        Rvalue::Unary(UnOp::Not, Operand::Const(Const::Bool(value))) => Some(Const::Bool(!*value)),
        Rvalue::Binary(op, Operand::Const(a), Operand::Const(b)) => compare(*op, a, b),
        Rvalue::Checked(op, Operand::Const(Const::Int(a, ty)), Operand::Const(Const::Int(b, _))) => {
            arithmetic(*op, *a, *b, *ty)
        }
        _ => None,
    };
    if let Some(result) = result {
        *value = Rvalue::Use(Operand::Const(result));
    }
}

/// Takes out of an operation what cannot happen.
fn weaken(body: &Body, value: &mut Rvalue, signs: &Signs) {
    let zero = |ty| Rvalue::Use(Operand::Const(Const::Int(0, ty)));
    let weaker = match &*value {
        Rvalue::Checked(op @ (BinOp::Shl | BinOp::Shr), a, Operand::Const(Const::Int(by, ty)))
            if (0..i128::from(ty.bits())).contains(by) =>
        {
            Rvalue::Binary(*op, a.clone(), Operand::Const(Const::Int(*by, *ty)))
        }
        Rvalue::Checked(op @ (BinOp::Div | BinOp::Rem), a, Operand::Const(Const::Int(by, ty)))
            if !matches!(by, 0 | -1) =>
        {
            Rvalue::Binary(*op, a.clone(), Operand::Const(Const::Int(*by, *ty)))
        }
        Rvalue::Checked(BinOp::Mul, a, Operand::Const(Const::Int(1, _)))
        | Rvalue::Checked(BinOp::Mul, Operand::Const(Const::Int(1, _)), a)
        | Rvalue::Checked(BinOp::Add | BinOp::Sub, a, Operand::Const(Const::Int(0, _)))
        | Rvalue::Checked(BinOp::Add, Operand::Const(Const::Int(0, _)), a) => Rvalue::Use(a.clone()),
        // The sign bits of what is never negative.
        Rvalue::Binary(BinOp::Shr, a, Operand::Const(Const::Int(by, ty)))
            if *by == i128::from(ty.bits()) - 1 && is_signed(body, a) && signs.never_negative(a) =>
        {
            zero(*ty)
        }
        Rvalue::Binary(BinOp::BitAnd, Operand::Const(Const::Int(0, ty)), _)
        | Rvalue::Binary(BinOp::BitAnd, _, Operand::Const(Const::Int(0, ty))) => zero(*ty),
        Rvalue::Binary(BinOp::Add, a, Operand::Const(Const::Int(0, _)))
        | Rvalue::Binary(BinOp::Add, Operand::Const(Const::Int(0, _)), a) => Rvalue::Use(a.clone()),
        _ => return,
    };
    *value = weaker;
}

fn is_signed(body: &Body, operand: &Operand) -> bool {
    let ty = operand.place().and_then(Place::as_local).map(|local| body.locals[local].ty);
    ty.is_some_and(|ty| matches!(ty.kind(), TyKind::Int(int) if int.signed()))
}

fn compare(op: BinOp, a: &Const, b: &Const) -> Option<Const> {
    let order = match (a, b) {
        (Const::Int(a, _), Const::Int(b, _)) => a.cmp(b),
        (Const::Bool(a), Const::Bool(b)) => a.cmp(b),
        (Const::Char(a), Const::Char(b)) => a.cmp(b),
        _ => return None,
    };
    Some(Const::Bool(match op {
        BinOp::Eq => order.is_eq(),
        BinOp::Ne => order.is_ne(),
        BinOp::Lt => order.is_lt(),
        BinOp::Le => order.is_le(),
        BinOp::Gt => order.is_gt(),
        BinOp::Ge => order.is_ge(),
        _ => return None,
    }))
}

fn arithmetic(op: BinOp, a: i128, b: i128, ty: IntTy) -> Option<Const> {
    let result = match op {
        BinOp::Add => a.checked_add(b)?,
        BinOp::Sub => a.checked_sub(b)?,
        BinOp::Mul => a.checked_mul(b)?,
        _ => return None,
    };
    let fits = (ty.min_value()..=ty.max_value()).contains(&result);
    fits.then_some(Const::Int(result, ty))
}

/// Removes values that nobody reads, and locals' scopes that do not matter.
pub(crate) fn remove_dead(body: &mut Body, drops: &Drops) {
    let mut reads = vec![0u32; body.locals.len()];
    reads[Body::RETURN.index()] = 1;
    let note = |stmt: &StmtKind, reads: &mut Vec<u32>, by: i32| {
        each_read(stmt, &mut |local| reads[local.index()] = reads[local.index()].wrapping_add_signed(by));
    };
    for block in body.blocks.values() {
        block.stmts.iter().for_each(|stmt| note(&stmt.kind, &mut reads, 1));
        let operand = term_operand(&block.term.kind).and_then(Operand::place);
        operand.into_iter().for_each(|place| reads[place.local.index()] += 1);
    }
    // Backwards, so that what only dead values read goes in the same round.
    for id in body.blocks.ids().rev() {
        let mut stmts = std::mem::take(&mut body.blocks[id].stmts);
        for stmt in stmts.iter_mut().rev() {
            let dead = match &stmt.kind {
                StmtKind::Assign(place, value) => {
                    place.as_local().is_some_and(|local| {
                        let ty = body.locals[local].ty;
                        let kept = drops.is_counted(ty) && drops.is_kept(ty) && !is_capture(value);
                        reads[local.index()] == 0 && !kept
                    }) && is_pure(value)
                }
                StmtKind::EndScope(local) => {
                    let ty = body.locals[*local].ty;
                    !(drops.is_counted(ty) && drops.is_kept(ty))
                }
                StmtKind::Nop => true,
                _ => false,
            };
            if dead {
                note(&stmt.kind, &mut reads, -1);
                stmt.kind = StmtKind::Nop;
            }
        }
        stmts.retain(|stmt: &Stmt| !matches!(stmt.kind, StmtKind::Nop));
        body.blocks[id].stmts = stmts;
    }
}

/// Whether a value is what a closure captured, which that keeps alive.
fn is_capture(value: &Rvalue) -> bool {
    let Rvalue::Use(Operand::Copy(place)) = value else { return false };
    matches!(place.proj[..], [Proj::Capture(_)])
}

/// Locals whose value a statement needs.
fn each_read(stmt: &StmtKind, f: &mut dyn FnMut(Local)) {
    if matches!(stmt, StmtKind::EndScope(_)) {
        return;
    }
    each_place(stmt, &mut |place, how| {
        if !(how == Use::Store && place.is_whole()) {
            f(place.local());
        }
        place.index_locals().for_each(&mut *f);
    });
}

/// Whether a value can be left out if nobody wants it.
fn is_pure(value: &Rvalue) -> bool {
    match value {
        Rvalue::Intrinsic(which, ..) => {
            let is_seen = matches!(which, Intrinsic::ReadVolatile | Intrinsic::WriteVolatile);
            !is_seen && !matches!(which, Intrinsic::PtrCopy | Intrinsic::PtrFill | Intrinsic::Forget)
        }
        // Taking a value out of memory leaves the memory without it.
        Rvalue::Use(Operand::Move(place)) => place.proj.is_empty(),
        value => !value.may_panic(),
    }
}
