//! Checks that never fail on some ways to their block are asked on the other ways only: the ways where they hold
//! lead to a copy of the block without them. The same for branches whose way is known there (jump threading).
//!
//! ```text
//! at = close if tape[head] == 0     on the way with `close` as it stands,
//! at += 1                           on the other, where `at < ops.size`, without the check
//! ```
//!
//! The ways apart are worth as much as the check: where they meet, LLVM makes one value of two by a move that waits
//! for both, here for the tape, and what comes next would wait for that.

use qz_base::{FxHashMap, FxHashSet};
use qz_mir::{BinOp, BlockId, Body, Rvalue, StmtKind, TermKind};
use qz_types::IntTy;
use smallvec::SmallVec;

use super::dominators::Dominators;
use super::prove::Prover;
use super::values::{Check, Def, Value, Values};

/// Blocks of more statements are not doubled.
const MAX_STMTS: usize = 8;
/// More ways are not looked at.
const MAX_WAYS: usize = 16;

type Ways = SmallVec<[BlockId; 4]>;

/// A block that is doubled.
pub(super) struct Doubled {
    block: BlockId,
    /// Blocks that lead to the copy.
    from: Ways,
    /// Statements that need no check there.
    fine: SmallVec<[usize; 2]>,
    /// Where its branch leads there, if that is known.
    goes: Option<BlockId>,
}

/// What is known on all ways: checks that never fail, and branches.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) stmts: FxHashSet<(BlockId, usize)>,
    pub(super) branches: FxHashSet<BlockId>,
}

/// The blocks of a body that are worth doubling.
pub(super) fn doubled(
    body: &Body,
    tree: &Dominators,
    values: &Values,
    prover: &Prover,
    settled: &Settled,
) -> Vec<Doubled> {
    let mut found: Vec<Doubled> = Vec::new();
    let mut numbers: FxHashMap<BlockId, usize> = FxHashMap::default();
    for check in &values.checks {
        let Check::Stmt { block, stmt, int, a, b } = *check else { continue };
        if settled.stmts.contains(&(block, stmt)) || !may_double(body, tree, block) {
            continue;
        }
        let StmtKind::Assign(_, Rvalue::Checked(op, ..)) = body.blocks[block].stmts[stmt].kind else {
            continue;
        };
        let from = Asked { op, int, a, b, block }.fine_ways(tree, values, prover);
        if from.is_empty() {
            continue;
        }
        match numbers.get(&block) {
            Some(&n) if found[n].from == from => found[n].fine.push(stmt),
            Some(_) => {}
            None => {
                numbers.insert(block, found.len());
                found.push(Doubled { block, from, fine: [stmt].into_iter().collect(), goes: None });
            }
        }
    }
    for check in &values.checks {
        let Check::Branch { block, cond } = *check else { continue };
        if !numbers.contains_key(&block)
            && !settled.branches.contains(&block)
            && may_double(body, tree, block)
        {
            found.extend(threaded(body, tree, values, prover, block, cond));
        }
    }
    found
}

/// The ways to a block on which its branch leads to one side, and those on which it leads to the other.
fn threaded(
    body: &Body,
    tree: &Dominators,
    values: &Values,
    prover: &Prover,
    block: BlockId,
    cond: Value,
) -> impl Iterator<Item = Doubled> + use<> {
    let TermKind::Branch { then, else_, .. } = body.blocks[block].term.kind else {
        unreachable!("a branch was noted")
    };
    let answers: SmallVec<[(BlockId, Option<bool>); 4]> = tree.before[block.index()]
        .iter()
        .map(|&from| (from, Way { block, from, values, prover }.answer(cond)))
        .collect();
    [(true, then), (false, else_)].into_iter().filter_map(move |(side, to)| {
        let from: Ways = answers.iter().filter(|it| it.1 == Some(side)).map(|it| it.0).collect();
        (!from.is_empty()).then(|| Doubled { block, from, fine: SmallVec::new(), goes: Some(to) })
    })
}

/// One way into a block.
struct Way<'a> {
    block: BlockId,
    from: BlockId,
    values: &'a Values,
    prover: &'a Prover<'a>,
}

impl Way<'_> {
    fn answer(&self, cond: Value) -> Option<bool> {
        match self.values[cond].def {
            Def::Not(of) => self.answer(of).map(|holds| !holds),
            Def::Op { op, checked: false, int, a, b } => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                self.prover.compare(op, int, a, b, self.from)
            }
            Def::Phi(_) => self.prover.answer(self.value(cond)?, self.from),
            _ => None,
        }
    }

    /// What a value is on this way: one that is made of what was there before is what it would be at its end.
    fn value(&self, value: Value) -> Option<Value> {
        value_on(value, self.block, self.from, self.values).or_else(|| {
            let (part, _) = self.values.part_of_sum(value)?;
            (self.values[part].home != self.block).then_some(value)
        })
    }
}

/// Whether a block is small, several ways meet in it, and it is not the head of a loop, which has one entry.
fn may_double(body: &Body, tree: &Dominators, block: BlockId) -> bool {
    let ways = &tree.before[block.index()];
    (2..=MAX_WAYS).contains(&ways.len())
        && body.blocks[block].stmts.len() <= MAX_STMTS
        && !ways.iter().any(|&from| tree.dominates(block, from))
}

/// Checked arithmetic.
struct Asked {
    op: BinOp,
    int: IntTy,
    a: Value,
    b: Value,
    block: BlockId,
}

impl Asked {
    /// The ways on which it never panics, if there are others.
    fn fine_ways(&self, tree: &Dominators, values: &Values, prover: &Prover) -> Ways {
        let meets = |value: Value| matches!(values[value].def, Def::Phi(n) if values.phis[n as usize].block == self.block);
        if !meets(self.a) && !meets(self.b) {
            return Ways::new();
        }
        let all = &tree.before[self.block.index()];
        let is_fine = |&from: &BlockId| {
            let on_way = |value| value_on(value, self.block, from, values);
            let (a, b) = (on_way(self.a)?, on_way(self.b)?);
            prover.is_fine(self.op, self.int, a, b, from).then_some(from)
        };
        let fine: Ways = all.iter().filter_map(is_fine).collect();
        if fine.len() == all.len() { Ways::new() } else { fine }
    }
}

/// What a value of a block is at the end of another that leads to it.
fn value_on(value: Value, block: BlockId, from: BlockId, values: &Values) -> Option<Value> {
    let node = values[value];
    match node.def {
        Def::Phi(n) if values.phis[n as usize].block == block => {
            let mut ways = values.phis[n as usize].args.iter().filter(|(way, _)| *way == from);
            let (way, None) = (ways.next()?, ways.next()) else { return None };
            Some(way.1)
        }
        _ => (node.home != block).then_some(value),
    }
}

impl Doubled {
    pub(super) fn carry_out(self, body: &mut Body) {
        let mut copy = body.blocks[self.block].clone();
        for at in self.fine {
            if let StmtKind::Assign(_, value) = &mut copy.stmts[at].kind
                && let Rvalue::Checked(op, a, b) = value
            {
                *value = Rvalue::Binary(*op, a.clone(), b.clone());
            }
        }
        if let Some(to) = self.goes {
            copy.term.kind = TermKind::Goto(to);
        }
        let copy = body.blocks.alloc(copy);
        for from in self.from {
            body.blocks[from].term.kind.for_each_successor_mut(&mut |to| {
                if *to == self.block {
                    *to = copy;
                }
            });
        }
    }
}
