//! Which loops of a body count up to a limit and do nothing that could change a size.

use qz_mir::Intrinsic;
use qz_mir::visit::{PlaceRef, Use, each_place};
use qz_mir::{
    BinOp, Block, BlockId, Body, Const, Local, Operand, Place, Proj, Rvalue, Stmt, StmtKind, TermKind,
};
use qz_types::IntTy;

use super::{MAX_BLOCKS, MAX_STMTS, is_int};
use crate::bits::Bits;

/// How locals are computed.
pub(super) struct Definitions<'a> {
    /// The one value that a local is ever given; nothing if there are more, or other ways to change it.
    only: Vec<Option<&'a Rvalue>>,
}

impl<'a> Definitions<'a> {
    pub(super) fn of(body: &'a Body) -> Definitions<'a> {
        let mut times = vec![0u32; body.locals.len()];
        let mut only = vec![None; body.locals.len()];
        body.params().for_each(|param| times[param.index()] = 1);
        for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
            each_change(&stmt.kind, &mut |local| times[local.index()] += 1);
            if let StmtKind::Assign(place, value) | StmtKind::Init(place, value) = &stmt.kind
                && let Some(local) = place.as_local()
            {
                only[local.index()] = Some(value);
            }
        }
        for (value, times) in only.iter_mut().zip(times) {
            *value = value.filter(|_| times == 1);
        }
        Definitions { only }
    }

    pub(super) fn only(&self, local: Local) -> Option<&'a Rvalue> {
        self.only[local.index()]
    }
}

/// The locals that a statement changes, or might let others change.
fn each_change(stmt: &StmtKind, f: &mut dyn FnMut(Local)) {
    each_place(stmt, &mut |place, how| {
        let own = match place {
            PlaceRef::Place(place) => {
                place.proj.iter().all(|it| matches!(it, Proj::Field(_) | Proj::Variant(_)))
            }
            PlaceRef::Local(_) => true,
        };
        if own && matches!(how, Use::Store | Use::Address) {
            f(place.local());
        }
    });
}

/// A loop that counts.
pub(super) struct Counted {
    /// Where the counter is compared with the limit: less means another turn.
    pub(super) header: BlockId,
    /// All blocks, the header first.
    pub(super) blocks: Vec<BlockId>,
    /// An `Int` that is one more at the end of each turn, and not changed otherwise.
    pub(super) counter: Local,
    pub(super) limit: Operand,
    /// What the counter is at least, by the constants that it starts with.
    pub(super) least: Option<i64>,
    assigned: Bits,
}

impl Counted {
    /// Whether a local is given a value inside the loop.
    pub(super) fn assigns(&self, local: Local) -> bool {
        self.assigned.has(local.index())
    }
}

/// The loops of a body that qualify.
pub(super) fn counted_loops(body: &Body) -> Vec<Counted> {
    let mut before: Vec<Vec<BlockId>> = vec![Vec::new(); body.blocks.len()];
    for (id, block) in body.blocks.iter() {
        let to = block.term.kind.successors();
        to.into_iter().chain(block.unwind).for_each(|to| before[to.index()].push(id));
    }
    body.blocks.ids().filter_map(|latch| counted_loop(body, &before, latch)).collect()
}

fn counted_loop(body: &Body, before: &[Vec<BlockId>], latch: BlockId) -> Option<Counted> {
    let TermKind::Goto(header) = body.blocks[latch].term.kind else { return None };
    let counter = stepped(&body.blocks[latch]).filter(|&it| is_int(body.locals[it].ty))?;
    let (limit, inside, outside) = compared(&body.blocks[header], counter)?;
    let blocks = blocks_of(body, before, header, latch)?;
    if !blocks.contains(&inside) || blocks.contains(&outside) || comes_back(body, &blocks) {
        return None;
    }
    let stmts = || blocks.iter().flat_map(|&id| &body.blocks[id].stmts);
    if stmts().count() > MAX_STMTS || !stmts().all(|stmt| is_harmless(&stmt.kind)) {
        return None;
    }
    let mut assigned = Bits::new(body.locals.len());
    let mut steps = 0;
    for stmt in stmts() {
        each_change(&stmt.kind, &mut |local| {
            assigned.insert(local.index());
            steps += (local == counter) as u32;
        });
    }
    let least = least_start(body, &blocks, counter);
    (steps == 1).then_some(Counted { header, blocks, counter, limit, least, assigned })
}

/// The least constant that a counter is set to outside of its loop, if it is only set to constants.
fn least_start(body: &Body, blocks: &[BlockId], counter: Local) -> Option<i64> {
    let mut least = i64::MAX;
    let mut constant = !body.params().any(|param| param == counter);
    let outside = body.blocks.iter().filter(|(id, _)| !blocks.contains(id));
    for stmt in outside.flat_map(|(_, block)| &block.stmts) {
        each_change(&stmt.kind, &mut |local| {
            if local == counter {
                match &stmt.kind {
                    StmtKind::Assign(_, Rvalue::Use(Operand::Const(Const::Int(start, IntTy::I64)))) => {
                        least = least.min(i64::try_from(*start).unwrap_or(i64::MIN));
                    }
                    _ => constant = false,
                }
            }
        });
    }
    constant.then_some(least)
}

/// The local that a block's last statement makes one more.
fn stepped(block: &Block) -> Option<Local> {
    let idle = |stmt: &Stmt| matches!(stmt.kind, StmtKind::Nop | StmtKind::EndScope(_));
    let last = block.stmts.iter().rposition(|stmt| !idle(stmt))?;
    let StmtKind::Assign(to, value) = &block.stmts[last].kind else { return None };
    let (Rvalue::Binary(BinOp::Add, of, Operand::Const(Const::Int(1, IntTy::I64)))
    | Rvalue::Checked(BinOp::Add, of, Operand::Const(Const::Int(1, IntTy::I64)))) = value
    else {
        return None;
    };
    let local = to.as_local()?;
    is_value_of(of, local, &block.stmts[..last]).then_some(local)
}

/// Whether an operand is what a local holds behind these statements: the local itself, or a copy.
fn is_value_of(operand: &Operand, local: Local, stmts: &[Stmt]) -> bool {
    let Some(root) = operand.place().and_then(Place::as_local) else { return false };
    if root == local {
        return true;
    }
    for stmt in stmts.iter().rev() {
        let (mut copies, mut changes) = (false, false);
        each_change(&stmt.kind, &mut |it| {
            copies |= it == root;
            changes |= it == local;
        });
        if changes {
            return false;
        }
        if copies {
            let StmtKind::Assign(_, Rvalue::Use(of)) = &stmt.kind else { return false };
            return of.place().and_then(Place::as_local) == Some(local);
        }
    }
    false
}

/// What a header compares the counter with, and where it goes.
fn compared(header: &Block, counter: Local) -> Option<(Operand, BlockId, BlockId)> {
    let TermKind::Branch { cond, then, else_, .. } = &header.term.kind else { return None };
    let cond = cond.place()?.as_local()?;
    let sets = |stmt: &Stmt| match &stmt.kind {
        StmtKind::Assign(to, _) => to.as_local() == Some(cond),
        _ => false,
    };
    let at = header.stmts.iter().rposition(sets)?;
    let StmtKind::Assign(_, Rvalue::Binary(BinOp::Lt, of, limit)) = &header.stmts[at].kind else {
        return None;
    };
    is_value_of(of, counter, &header.stmts[..at]).then(|| (limit.clone(), *then, *else_))
}

/// The blocks from which the latch is reached without the header; nothing if one is entered otherwise.
fn blocks_of(body: &Body, before: &[Vec<BlockId>], header: BlockId, latch: BlockId) -> Option<Vec<BlockId>> {
    let mut blocks = vec![header];
    let mut work = vec![latch];
    while let Some(id) = work.pop() {
        if blocks.contains(&id) {
            continue;
        }
        if blocks.len() == MAX_BLOCKS || id == Body::ENTRY || body.blocks[id].cleanup {
            return None;
        }
        blocks.push(id);
        work.extend(&before[id.index()]);
    }
    // The way from the header to the latch is part of what was walked backwards, so everything else is, too.
    let backs = before[header.index()].iter().filter(|&it| blocks.contains(it)).count();
    (backs == 1 && !body.blocks[header].cleanup).then_some(blocks)
}

/// Whether there is a loop inside, the one through the header (the first block) left out.
fn comes_back(body: &Body, blocks: &[BlockId]) -> bool {
    let place = |id: BlockId| blocks.iter().position(|&it| it == id).filter(|&n| n != 0);
    let next = |n: usize| body.blocks[blocks[n]].term.kind.successors().into_iter().filter_map(place);
    let mut entering = vec![0u32; blocks.len()];
    (0..blocks.len()).flat_map(next).for_each(|n| entering[n] += 1);
    let mut work = vec![0];
    let mut seen = 0;
    while let Some(n) = work.pop() {
        seen += 1;
        for to in next(n) {
            entering[to] -= 1;
            if entering[to] == 0 {
                work.push(to);
            }
        }
    }
    seen != blocks.len()
}

/// Whether a statement leaves the sizes of all vectors as they are.
fn is_harmless(stmt: &StmtKind) -> bool {
    match stmt {
        StmtKind::Nop | StmtKind::EndScope(_) => true,
        StmtKind::Assign(place, value) | StmtKind::Init(place, value) => {
            stores_beside_objects(place) && is_plain(value)
        }
        StmtKind::Call(_) | StmtKind::Retain(_) | StmtKind::Release(_) => false,
    }
}

/// A local's own memory, or an element.
fn stores_beside_objects(place: &Place) -> bool {
    place.proj.iter().all(|it| matches!(it, Proj::Field(_) | Proj::Index(_)))
}

fn is_plain(value: &Rvalue) -> bool {
    match value {
        Rvalue::Use(_)
        | Rvalue::Unary(..)
        | Rvalue::Binary(..)
        | Rvalue::Checked(..)
        | Rvalue::Overflowing(..)
        | Rvalue::Cast(..)
        | Rvalue::Discriminant(_)
        | Rvalue::Aggregate(..) => true,
        Rvalue::Intrinsic(which, ..) => {
            let is_seen = matches!(which, Intrinsic::ReadVolatile | Intrinsic::WriteVolatile);
            !is_seen && !matches!(which, Intrinsic::TakeBlock | Intrinsic::GiveBlock)
        }
        Rvalue::New(..)
        | Rvalue::Reuse(..)
        | Rvalue::Closure(..)
        | Rvalue::MakeDyn { .. }
        | Rvalue::Ref(..)
        | Rvalue::StaticRef(_) => false,
    }
}
