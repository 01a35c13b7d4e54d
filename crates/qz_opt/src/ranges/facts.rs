//! What is known of two values because control came this way: `i < n` in a block that only the one way of a branch on
//! it leads to, and in all that this block dominates.

use qz_base::FxHashMap;
use qz_mir::{BinOp, BlockId, Body, TermKind};
use qz_types::IntTy;

use super::dominators::Dominators;
use super::values::{Def, Value, Values};

/// Conditions inside of conditions are not looked into further than this.
const MAX_DEPTH: usize = 8;

/// A value and so much, or only so much.
#[derive(Copy, Clone)]
pub(super) struct Bound {
    /// The block from which on it holds.
    pub(super) from: BlockId,
    pub(super) value: Option<Value>,
    pub(super) by: i128,
}

pub(super) struct Facts<'a> {
    body: &'a Body,
    tree: &'a Dominators,
    values: &'a Values,
    /// What values are at most.
    pub(super) upper: FxHashMap<Value, Vec<Bound>>,
    /// What values are at least.
    pub(super) lower: FxHashMap<Value, Vec<Bound>>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(body: &'a Body, tree: &'a Dominators, values: &'a Values) -> Facts<'a> {
        let (upper, lower) = (FxHashMap::default(), FxHashMap::default());
        let mut facts = Facts { body, tree, values, upper, lower };
        for &to in &tree.order {
            if let [from] = tree.before[to.index()][..] {
                facts.way(from, to, to, 0);
            }
        }
        facts
    }

    /// What holds in `at` because control went from one block to another.
    fn way(&mut self, from: BlockId, to: BlockId, at: BlockId, depth: usize) {
        let Some(&asked) = self.values.asked.get(&from) else { return };
        match &self.body.blocks[from].term.kind {
            TermKind::Branch { then, else_, .. } if then != else_ => {
                self.condition(asked, to == *then, from, at, depth);
            }
            TermKind::Switch { cases, .. } => {
                let mut leading = cases.iter().filter(|(_, case)| *case == to);
                if let (Some(&(case, _)), None) = (leading.next(), leading.next()) {
                    self.is(asked, case, at);
                }
            }
            _ => {}
        }
    }

    /// A switch went to the block of one case. Where it also goes there otherwise, nothing is known.
    fn is(&mut self, value: Value, case: i128, at: BlockId) {
        self.at_most(value, None, case, at);
        self.at_least(value, None, case, at);
    }

    /// A condition that was asked at the end of a block was found to hold, or not to.
    fn condition(&mut self, cond: Value, holds: bool, asked: BlockId, at: BlockId, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match self.values[cond].def {
            Def::Not(of) => self.condition(of, !holds, asked, at, depth + 1),
            Def::Op { op, checked: false, int, a, b } => {
                if let Some(op) = comparison(op, holds) {
                    self.compared(op, int, a, b, at);
                }
            }
            Def::Phi(n) => self.one_of(n, holds, asked, at, depth),
            _ => {}
        }
    }

    /// Of a condition that is made on several ways, `a and b` say, only one can have made it so.
    fn one_of(&mut self, phi: u32, holds: bool, asked: BlockId, at: BlockId, depth: usize) {
        let phi = &self.values.phis[phi as usize];
        if phi.block != asked {
            return;
        }
        let may_be = |value: Value| self.values[value].def != Def::Bool(!holds);
        let mut ways = phi.args.iter().filter(|(_, value)| may_be(*value));
        let (Some(&(way, value)), None) = (ways.next(), ways.next()) else { return };
        // From one turn of a loop to the next values change.
        if self.tree.dominates(asked, way) {
            return;
        }
        // What was asked on this way alone holds, too.
        let mut block = way;
        for _ in 0..MAX_DEPTH {
            if self.tree.dominates(block, asked) {
                break;
            }
            if let [before] = self.tree.before[block.index()][..] {
                self.way(before, block, at, depth + 1);
            }
            let Some(above) = self.tree.above(block) else { break };
            block = above;
        }
        self.condition(value, holds, way, at, depth + 1);
    }

    fn compared(&mut self, op: BinOp, int: IntTy, a: Value, b: Value, at: BlockId) {
        match op {
            BinOp::Lt => self.less(a, b, -1, at),
            BinOp::Le => self.less(a, b, 0, at),
            BinOp::Gt => self.less(b, a, -1, at),
            BinOp::Ge => self.less(b, a, 0, at),
            BinOp::Eq => {
                self.less(a, b, 0, at);
                self.less(b, a, 0, at);
            }
            BinOp::Ne => {
                self.differs(a, b, at);
                self.differs(b, a, at);
            }
            _ => {}
        }
        if int == IntTy::U64 && op == BinOp::Lt {
            self.in_bounds(a, b, at);
        }
    }

    /// `a <= b + by`.
    fn less(&mut self, a: Value, b: Value, by: i128, at: BlockId) {
        let number = |value: Value| match self.values[value].def {
            Def::Int(number) => Some(number),
            _ => None,
        };
        match (number(a), number(b)) {
            (Some(_), Some(_)) => {}
            (None, Some(b)) => self.at_most(a, None, b + by, at),
            (Some(a), None) => self.at_least(b, None, a - by, at),
            (None, None) => {
                self.at_most(a, Some(b), by, at);
                self.at_least(b, Some(a), -by, at);
            }
        }
    }

    /// What is not the least that it can be is more.
    fn differs(&mut self, value: Value, other: Value, at: BlockId) {
        let Def::Int(number) = self.values[other].def else { return };
        let node = self.values[value];
        if node.least == number {
            self.at_least(value, None, number + 1, at);
        } else if node.most == number {
            self.at_most(value, None, number - 1, at);
        }
    }

    /// `a as U64 < b as U64`, where `b` is not negative: neither is `a`.
    fn in_bounds(&mut self, a: Value, b: Value, at: BlockId) {
        let (Some(a), Some(b)) = (self.values.as_int(a), self.values.as_int(b)) else { return };
        if self.values[b].least < 0 {
            return;
        }
        self.at_least(a, None, 0, at);
        self.less(a, b, -1, at);
        // An index that counts from the end if it is negative is below the size, too.
        if let Some(index) = self.values.plain_index(a) {
            self.less(index, b, -1, at);
        }
    }

    fn at_most(&mut self, mut of: Value, value: Option<Value>, mut by: i128, from: BlockId) {
        for _ in 0..MAX_DEPTH {
            self.upper.entry(of).or_default().push(Bound { from, value, by });
            let Some((part, more)) = self.values.part_of_sum(of) else { return };
            (of, by) = (part, by - more);
        }
    }

    fn at_least(&mut self, mut of: Value, value: Option<Value>, mut by: i128, from: BlockId) {
        for _ in 0..MAX_DEPTH {
            self.lower.entry(of).or_default().push(Bound { from, value, by });
            let Some((part, more)) = self.values.part_of_sum(of) else { return };
            (of, by) = (part, by - more);
        }
    }
}

/// What is so if a comparison holds, or does not; nothing for what is no comparison.
pub(super) fn comparison(op: BinOp, holds: bool) -> Option<BinOp> {
    let op = match (op, holds) {
        (BinOp::Lt, true) | (BinOp::Ge, false) => BinOp::Lt,
        (BinOp::Le, true) | (BinOp::Gt, false) => BinOp::Le,
        (BinOp::Gt, true) | (BinOp::Le, false) => BinOp::Gt,
        (BinOp::Ge, true) | (BinOp::Lt, false) => BinOp::Ge,
        (BinOp::Eq, true) | (BinOp::Ne, false) => BinOp::Eq,
        (BinOp::Ne, true) | (BinOp::Eq, false) => BinOp::Ne,
        _ => return None,
    };
    Some(op)
}
