//! Loops in two versions: bounds checks that a loop asks at every turn are asked once in front of it, and where
//! all hold the loop runs without them. Otherwise the loop runs as it was written, so a panic comes at the same
//! turn, with the same words.
//!
//! ```text
//! for j in 0..n            if 0 <= j and n <= row.size and n <= from.size
//!   row[j] += from[j]  →     the loop without checks
//! end                      else the loop
//! ```
//!
//! A loop qualifies if it counts by one up to a limit, is the innermost, and does nothing that could change the
//! size of a vector: no calls, no counts, no stores but to locals and to elements, which never lie inside an
//! object. After count placement, so that what is counted, and where, is the same in both versions.

mod shape;

use qz_base::FxHashMap;
use qz_mir::{
    BinOp, Block, BlockId, Body, CastKind, Const, Local, LocalDecl, Operand, Ownership, Place, Proj, Rvalue,
    SourceInfo, Stmt, StmtKind, TermKind, Terminator,
};
use qz_types::ty::common;
use qz_types::{IntTy, Ty, TyKind};

use shape::{Counted, Definitions};

/// Loops of more blocks are not doubled: the checks are a small part of them.
const MAX_BLOCKS: usize = 24;
/// Nor are those of more statements.
const MAX_STMTS: usize = 96;
/// More questions in front of a loop cost short loops too much.
const MAX_TESTS: usize = 6;

/// Doubles the loops of a body where that saves checks.
pub(crate) fn split_loops(body: &mut Body) {
    let loops = shape::counted_loops(body);
    if loops.is_empty() {
        return;
    }
    let definitions = Definitions::of(body);
    let plans: Vec<Plan> = loops.iter().filter_map(|it| Plan::make(body, &definitions, it)).collect();
    plans.iter().for_each(|plan| plan.carry_out(body));
}

/// An index, as far as the loop tells.
#[derive(Clone, Debug, PartialEq)]
enum Index {
    /// The loop's counter and this much, which together are not negative if the counter is not.
    Counter(i64),
    /// The same at every turn.
    Fixed(Local),
}

/// A question in front of a loop.
#[derive(Clone, Debug, PartialEq)]
enum Test {
    /// The limit is at most this size less a number.
    LimitFits { size: Place, less: i64 },
    /// The index lies in `0..size`.
    InBounds { index: Local, size: Place },
}

/// What the fast version of a loop leaves out, and what must hold for that.
struct Plan<'a> {
    counted: &'a Counted,
    limit: Operand,
    tests: Vec<Test>,
    /// Blocks whose check is settled, and where they go on.
    settled: FxHashMap<BlockId, BlockId>,
    /// Locals that count a negative index from the end, and that index, which is not negative here.
    plain: FxHashMap<Local, Operand>,
}

impl<'a> Plan<'a> {
    /// Nothing if there is nothing to gain.
    fn make(body: &Body, definitions: &Definitions, counted: &'a Counted) -> Option<Plan<'a>> {
        let known = Known { body, definitions, counted };
        let limit = known.limit()?;
        let (tests, settled, plain) = (Vec::new(), FxHashMap::default(), FxHashMap::default());
        let mut plan = Plan { counted, limit, tests, settled, plain };
        for &id in &counted.blocks {
            let mut plain = FxHashMap::default();
            let Some((test, next)) = known.check(id, &mut plain) else { continue };
            if !plan.tests.contains(&test) {
                if plan.tests.len() == MAX_TESTS {
                    continue;
                }
                plan.tests.push(test);
            }
            plan.settled.insert(id, next);
            plan.plain.extend(plain);
        }
        (!plan.settled.is_empty()).then_some(plan)
    }

    fn carry_out(&self, body: &mut Body) {
        let counted = self.counted;
        let source = body.blocks[counted.header].term.source;
        let fast = self.double(body);
        let mut front = Front { body, source, slow: counted.header };
        let mut to = fast;
        for test in self.tests.iter().rev() {
            to = front.test(test, &self.limit, to);
        }
        let first = front.not_negative(counted.counter, to);
        let inside = |id: BlockId| counted.blocks.contains(&id);
        let own: Vec<BlockId> = body.blocks.ids().filter(|&id| !inside(id)).collect();
        for id in own {
            // The tests themselves, and the fast version, which goes to its own header.
            if id.index() >= fast.index() {
                break;
            }
            body.blocks[id].term.kind.for_each_successor_mut(&mut |to| {
                if *to == counted.header {
                    *to = first;
                }
            });
        }
    }

    /// Adds the fast version; gives its header, which is the first block added.
    fn double(&self, body: &mut Body) -> BlockId {
        let counted = self.counted;
        let base = body.blocks.len() as u32;
        let place = |id: BlockId| counted.blocks.iter().position(|&it| it == id);
        let twin = |id: BlockId| place(id).map(|n| BlockId::from_raw(base + n as u32));
        for &id in &counted.blocks {
            let mut block = body.blocks[id].clone();
            if let Some(&next) = self.settled.get(&id) {
                block.term.kind = TermKind::Goto(next);
            }
            for stmt in &mut block.stmts {
                if let StmtKind::Assign(place, value) = &mut stmt.kind
                    && let Some(index) = place.as_local().and_then(|local| self.plain.get(&local))
                {
                    *value = Rvalue::Use(index.clone());
                }
            }
            block.term.kind.for_each_successor_mut(&mut |to| *to = twin(*to).unwrap_or(*to));
            body.blocks.alloc(block);
        }
        BlockId::from_raw(base)
    }
}

/// What is known inside a loop.
struct Known<'a> {
    body: &'a Body,
    definitions: &'a Definitions<'a>,
    counted: &'a Counted,
}

impl Known<'_> {
    /// The limit, if it is the same at every turn.
    fn limit(&self) -> Option<Operand> {
        match self.counted.limit.place() {
            None => Some(self.counted.limit.clone()),
            Some(place) => self.size(place.as_local()?).map(Operand::Copy),
        }
    }

    /// The bounds check that ends a block: what it asks, and where it goes on if all is well.
    fn check(&self, id: BlockId, plain: &mut FxHashMap<Local, Operand>) -> Option<(Test, BlockId)> {
        let TermKind::Branch { cond, then, else_, .. } = &self.body.blocks[id].term.kind else { return None };
        if self.counted.blocks.contains(then) || !self.counted.blocks.contains(else_) {
            return None;
        }
        let Rvalue::Binary(BinOp::Ge, index, size) = self.value_of(cond)? else { return None };
        let (index, size) = (self.unsigned(index)?, self.unsigned(size)?);
        let size = self.size(size)?;
        let test = match self.index(index, plain)? {
            Index::Counter(more) => Test::LimitFits { size, less: more.max(0) },
            Index::Fixed(index) => Test::InBounds { index, size },
        };
        Some((test, *else_))
    }

    /// How the local in an operand is computed, if in one way, inside the loop.
    fn value_of(&self, operand: &Operand) -> Option<&Rvalue> {
        let local = operand.place()?.as_local()?;
        self.definitions.only(local).filter(|_| self.counted.assigns(local))
    }

    /// The `Int` that an operand is, as a `U64`.
    fn unsigned(&self, operand: &Operand) -> Option<Local> {
        let Rvalue::Cast(CastKind::Wrapping, of, to) = self.value_of(operand)? else { return None };
        let of = of.place()?.as_local()?;
        let is_cast = *to.kind() == TyKind::Int(IntTy::U64) && is_int(self.body.locals[of].ty);
        is_cast.then_some(of)
    }

    /// What an index is. Once the counter is known not to be negative, the locals noted in `plain` need not be
    /// looked at for being so.
    fn index(&self, local: Local, plain: &mut FxHashMap<Local, Operand>) -> Option<Index> {
        if local == self.counted.counter {
            return Some(Index::Counter(0));
        }
        if !self.counted.assigns(local) {
            return Some(Index::Fixed(local));
        }
        let root = |operand: &Operand| operand.place()?.as_local();
        match self.definitions.only(local)? {
            Rvalue::Use(of) => self.index(root(of)?, plain),
            Rvalue::Binary(BinOp::Add, of, Operand::Const(Const::Int(by, IntTy::I64)))
            | Rvalue::Checked(BinOp::Add, of, Operand::Const(Const::Int(by, IntTy::I64))) => {
                self.counter_and(*by, self.index(root(of)?, plain)?)
            }
            Rvalue::Binary(BinOp::Sub, of, Operand::Const(Const::Int(by, IntTy::I64)))
            | Rvalue::Checked(BinOp::Sub, of, Operand::Const(Const::Int(by, IntTy::I64))) => {
                self.counter_and(-*by, self.index(root(of)?, plain)?)
            }
            Rvalue::Binary(BinOp::Add, of, size) if self.is_size_if_negative(size, root(of)?) => {
                let index = self.index(root(of)?, plain)?;
                let is_counter = matches!(index, Index::Counter(_));
                is_counter.then(|| plain.insert(local, of.clone()));
                is_counter.then_some(index)
            }
            _ => None,
        }
    }

    /// The counter and more: a little, or as much less as it starts with.
    fn counter_and(&self, by: i128, index: Index) -> Option<Index> {
        let Index::Counter(more) = index else { return None };
        let sum = i64::try_from(by + more as i128).ok()?;
        let least = -self.counted.least.unwrap_or(0).max(0);
        (least..=1 << 20).contains(&sum).then_some(Index::Counter(sum))
    }

    /// Whether an operand is zero unless `index` is negative: `(index >> 63) & size`, as the library writes it.
    fn is_size_if_negative(&self, operand: &Operand, index: Local) -> bool {
        let Some(Rvalue::Binary(BinOp::BitAnd, sign, _)) = self.value_of(operand) else { return false };
        let Some(Rvalue::Binary(BinOp::Shr, of, Operand::Const(Const::Int(63, IntTy::I64)))) =
            self.value_of(sign)
        else {
            return false;
        };
        of.place().and_then(Place::as_local) == Some(index)
    }

    /// Where a size stands, if it is the same at every turn.
    fn size(&self, local: Local) -> Option<Place> {
        if !self.counted.assigns(local) {
            return Some(Place::local(local));
        }
        let Rvalue::Use(of) = self.definitions.only(local)? else { return None };
        let place = of.place()?;
        if let Some(local) = place.as_local() {
            return self.size(local);
        }
        let is_way = |proj: &Proj| matches!(proj, Proj::Deref | Proj::Field(_) | Proj::Capture(_));
        let fixed = !self.counted.assigns(place.local) && place.proj.iter().all(is_way);
        fixed.then(|| place.clone())
    }
}

/// Whether a type is `Int`.
fn is_int(ty: Ty) -> bool {
    *ty.kind() == TyKind::Int(IntTy::I64)
}

/// Blocks in front of a loop.
struct Front<'a> {
    body: &'a mut Body,
    source: SourceInfo,
    slow: BlockId,
}

impl Front<'_> {
    /// A block that goes to `to` if the test holds, else to the loop as it was.
    fn test(&mut self, test: &Test, limit: &Operand, to: BlockId) -> BlockId {
        let c = common();
        let mut stmts = Vec::new();
        let cond = match test {
            Test::LimitFits { size, less } => {
                let size = self.set(&mut stmts, c.int, Rvalue::Use(Operand::Copy(size.clone())));
                let most = match less {
                    0 => size,
                    less => {
                        self.set(&mut stmts, c.int, Rvalue::Binary(BinOp::Sub, size, Operand::int(*less)))
                    }
                };
                self.set(&mut stmts, c.bool, Rvalue::Binary(BinOp::Le, limit.clone(), most))
            }
            Test::InBounds { index, size } => {
                let unsigned = Ty::new(TyKind::Int(IntTy::U64));
                let cast = |of| Rvalue::Cast(CastKind::Wrapping, of, unsigned);
                let size = self.set(&mut stmts, c.int, Rvalue::Use(Operand::Copy(size.clone())));
                let index = self.set(&mut stmts, unsigned, cast(Operand::local(*index)));
                let size = self.set(&mut stmts, unsigned, cast(size));
                self.set(&mut stmts, c.bool, Rvalue::Binary(BinOp::Lt, index, size))
            }
        };
        self.branch(stmts, cond, to)
    }

    fn not_negative(&mut self, counter: Local, to: BlockId) -> BlockId {
        let mut stmts = Vec::new();
        let asks = Rvalue::Binary(BinOp::Ge, Operand::local(counter), Operand::int(0));
        let cond = self.set(&mut stmts, common().bool, asks);
        self.branch(stmts, cond, to)
    }

    fn set(&mut self, stmts: &mut Vec<Stmt>, ty: Ty, value: Rvalue) -> Operand {
        let span = self.source.span;
        let local = self.body.locals.alloc(LocalDecl {
            ty,
            name: None,
            span,
            scope: Body::SCOPE,
            ownership: Ownership::Owned,
        });
        stmts.push(Stmt { kind: StmtKind::Assign(Place::local(local), value), source: self.source });
        Operand::local(local)
    }

    fn branch(&mut self, stmts: Vec<Stmt>, cond: Operand, then: BlockId) -> BlockId {
        let kind = TermKind::Branch { cond, then, else_: self.slow, likely: Some(true) };
        let term = Terminator { kind, source: self.source };
        self.body.blocks.alloc(Block { stmts, term, unwind: None, cleanup: false })
    }
}
