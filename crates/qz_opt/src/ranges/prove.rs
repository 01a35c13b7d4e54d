//! Whether one value is always at most, or at least, another one and so much more.
//!
//! From the value in question definitions and facts lead to others, and what is left to show becomes a question about
//! those: `i <= n - 1`, where `i < m` is known, asks for `m <= n`. A value that is made at the head of a loop is at most
//! something if all that it can be made of are, which may take for granted that it was so at the turn before.

use std::cell::{Cell, RefCell};

use qz_mir::{BinOp, BlockId};
use qz_types::IntTy;

use super::dominators::Dominators;
use super::facts::{Bound, Facts, comparison};
use super::values::{Def, Node, Value, Values};

/// Values that are looked at for one question.
const MAX_STEPS: u32 = 96;
/// How far from the one that was asked about.
const MAX_DEPTH: u32 = 16;

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Side {
    AtMost,
    AtLeast,
}

use Side::{AtLeast, AtMost};

/// A question: is the value at most, or at least, `limit + by`? Without a limit, `by` alone.
#[derive(Copy, Clone)]
struct Goal {
    side: Side,
    limit: Option<Value>,
    by: i128,
}

impl Goal {
    /// The question about a value that the one in question is so much more than.
    fn less(self, more: i128) -> Goal {
        Goal { by: self.by.saturating_sub(more), ..self }
    }

    fn is_met_by(self, by: i128) -> bool {
        match self.side {
            AtMost => by <= self.by,
            AtLeast => by >= self.by,
        }
    }
}

pub(super) struct Prover<'a> {
    tree: &'a Dominators,
    values: &'a Values,
    facts: &'a Facts<'a>,
    steps: Cell<u32>,
    /// What is about to be shown of values at the heads of loops.
    assumed: RefCell<Vec<(Value, Goal)>>,
}

impl<'a> Prover<'a> {
    pub(super) fn new(tree: &'a Dominators, values: &'a Values, facts: &'a Facts<'a>) -> Prover<'a> {
        Prover { tree, values, facts, steps: Cell::new(0), assumed: RefCell::default() }
    }

    fn ask<R>(&self, question: impl FnOnce() -> R) -> R {
        self.steps.set(MAX_STEPS);
        question()
    }

    pub(super) fn never_negative(&self, value: Value, at: BlockId) -> bool {
        self.ask(|| self.at_least(value, 0, at, 0))
    }

    /// Whether an integer is one of a type's.
    pub(super) fn fits(&self, value: Value, to: IntTy, at: BlockId) -> bool {
        let (min, max) = (to.min_value(), to.max_value());
        self.ask(|| self.at_least(value, min, at, 0)) && self.ask(|| self.at_most(value, max, at, 0))
    }

    /// Whether a condition is known to hold, or known not to.
    pub(super) fn answer(&self, cond: Value, at: BlockId) -> Option<bool> {
        match self.values[cond].def {
            Def::Bool(holds) => Some(holds),
            Def::Not(of) => self.answer(of, at).map(|holds| !holds),
            Def::Op { op, checked: false, int, a, b } => self.compare(op, int, a, b, at),
            _ => None,
        }
    }

    /// Whether a comparison is known to hold, or known not to.
    pub(super) fn compare(&self, op: BinOp, int: IntTy, a: Value, b: Value, at: BlockId) -> Option<bool> {
        let holds = |holds| comparison(op, holds).is_some_and(|op| self.compares(op, int, a, b, at));
        if holds(true) { Some(true) } else { holds(false).then_some(false) }
    }

    fn compares(&self, op: BinOp, int: IntTy, a: Value, b: Value, at: BlockId) -> bool {
        let below = |a, b, by| self.ask(|| self.shows(a, AtMost, Some(b), by, at, 0));
        match op {
            BinOp::Lt => below(a, b, -1) || int == IntTy::U64 && self.in_bounds(a, b, at),
            BinOp::Le => below(a, b, 0),
            BinOp::Gt => below(b, a, -1),
            BinOp::Ge => below(b, a, 0),
            BinOp::Eq => below(a, b, 0) && below(b, a, 0),
            _ => below(a, b, -1) || below(b, a, -1),
        }
    }

    /// `a as U64 < b as U64`: neither is negative.
    fn in_bounds(&self, a: Value, b: Value, at: BlockId) -> bool {
        let (Some(a), Some(b)) = (self.values.as_int(a), self.values.as_int(b)) else { return false };
        self.never_negative(a, at) && self.ask(|| self.shows(a, AtMost, Some(b), -1, at, 0))
    }

    /// Whether checked arithmetic never panics.
    pub(super) fn is_fine(&self, op: BinOp, int: IntTy, a: Value, b: Value, at: BlockId) -> bool {
        match op {
            BinOp::Add | BinOp::Sub | BinOp::Mul => self.ask(|| self.is_exact(op, int, a, b, at, 0)),
            BinOp::Div | BinOp::Rem => self.ask(|| self.at_least(b, 1, at, 0)),
            BinOp::Shl | BinOp::Shr => {
                self.ask(|| self.at_least(b, 0, at, 0) && self.at_most(b, int.bits() as i128 - 1, at, 0))
            }
            _ => false,
        }
    }

    fn at_most(&self, value: Value, number: i128, at: BlockId, depth: u32) -> bool {
        self.shows(value, AtMost, None, number, at, depth)
    }

    fn at_least(&self, value: Value, number: i128, at: BlockId, depth: u32) -> bool {
        self.shows(value, AtLeast, None, number, at, depth)
    }

    /// Whether the result of arithmetic is that of whole numbers.
    fn is_exact(&self, op: BinOp, int: IntTy, a: Value, b: Value, at: BlockId, depth: u32) -> bool {
        let (min, max) = (int.min_value(), int.max_value());
        let (Node { least: a_least, most: a_most, .. }, Node { least: b_least, most: b_most, .. }) =
            (self.values[a], self.values[b]);
        let most = |value, number| self.at_most(value, number, at, depth + 1);
        let least = |value, number| self.at_least(value, number, at, depth + 1);
        match op {
            BinOp::Add => {
                let high = most(a, max.saturating_sub(b_most))
                    || most(b, max.saturating_sub(a_most))
                    || (most(a, max / 2) && most(b, max / 2));
                high && (least(a, min.saturating_sub(b_least))
                    || least(b, min.saturating_sub(a_least))
                    || least(a, 0)
                    || least(b, 0)
                    || (least(a, min / 2) && least(b, min / 2)))
            }
            BinOp::Sub => {
                let low = least(a, min.saturating_add(b_most))
                    || most(b, a_least.saturating_sub(min))
                    || (int.signed() && least(a, 0))
                    || self.shows(a, AtLeast, Some(b), 0, at, depth + 1);
                low && (most(a, max.saturating_add(b_least))
                    || least(b, a_most.saturating_sub(max))
                    || least(b, 0))
            }
            BinOp::Mul => {
                let small = (max as u128).isqrt() as i128;
                let by = |value, number: i128| {
                    number > 0 && most(value, max / number) && least(value, min / number)
                };
                let constant = b_least == b_most && by(a, b_most) || a_least == a_most && by(b, a_most);
                constant
                    || [a, b]
                        .iter()
                        .all(|&it| most(it, small) && least(it, if int.signed() { -small } else { 0 }))
            }
            _ => false,
        }
    }

    fn shows(
        &self,
        value: Value,
        side: Side,
        limit: Option<Value>,
        by: i128,
        at: BlockId,
        depth: u32,
    ) -> bool {
        let (mut limit, mut by) = (limit, by);
        // What is so much more than another value is measured by that.
        for _ in 0..MAX_DEPTH {
            let Some((base, more)) = limit.and_then(|it| self.base(it, at, depth)) else { break };
            limit = base;
            by = by.saturating_add(more);
        }
        self.meets(value, Goal { side, limit, by }, at, depth)
    }

    /// The value, or nothing, that a value is a fixed number more than.
    fn base(&self, value: Value, at: BlockId, depth: u32) -> Option<(Option<Value>, i128)> {
        let number = |value: Value| match self.values[value].def {
            Def::Int(number) => Some(number),
            _ => None,
        };
        match self.values[value].def {
            Def::Int(number) => Some((None, number)),
            Def::Cast { of, .. } if self.is_same(value, of) => Some((Some(of), 0)),
            Def::Op { op, checked, int, a, b } => {
                let (base, more) = match (op, number(a), number(b)) {
                    (BinOp::Add, _, Some(more)) => (a, more),
                    (BinOp::Add, Some(more), _) => (b, more),
                    (BinOp::Sub, _, Some(less)) => (a, -less),
                    _ => return None,
                };
                (checked || self.is_exact(op, int, a, b, at, depth)).then_some((Some(base), more))
            }
            _ => None,
        }
    }

    /// Whether a cast leaves a number as it is: all that it can be fit, or those that do not panic.
    fn is_same(&self, cast: Value, of: Value) -> bool {
        let Def::Cast { checked, to, .. } = self.values[cast].def else { return false };
        let Node { least, most, .. } = self.values[of];
        checked || to.min_value() <= least && most <= to.max_value()
    }

    fn meets(&self, value: Value, goal: Goal, at: BlockId, depth: u32) -> bool {
        let node = self.values[value];
        if goal.limit == Some(value) {
            return goal.is_met_by(0);
        }
        let limit = goal.limit.map_or((0, 0), |limit| (self.values[limit].least, self.values[limit].most));
        let far = match goal.side {
            AtMost => node.most.saturating_sub(limit.0),
            AtLeast => node.least.saturating_sub(limit.1),
        };
        if goal.is_met_by(far) {
            return true;
        }
        if depth > MAX_DEPTH || self.steps.get() == 0 {
            return false;
        }
        self.steps.set(self.steps.get() - 1);
        self.by_facts(value, goal, at, depth + 1)
            || self.by_limit(value, goal, at)
            || self.by_definition(value, node, goal, at, depth + 1)
    }

    fn by_facts(&self, value: Value, goal: Goal, at: BlockId, depth: u32) -> bool {
        let facts = match goal.side {
            AtMost => &self.facts.upper,
            AtLeast => &self.facts.lower,
        };
        let holds = |bound: &&Bound| self.tree.dominates(bound.from, at);
        // The nearest first.
        facts.get(&value).into_iter().flatten().rev().filter(holds).any(|bound| match bound.value {
            Some(other) => self.meets(other, goal.less(bound.by), at, depth),
            None => self.number_meets(bound.by, goal, at, depth),
        })
    }

    /// Whether a number is on the right side of a limit.
    fn number_meets(&self, number: i128, goal: Goal, at: BlockId, depth: u32) -> bool {
        let away = number.saturating_sub(goal.by);
        match (goal.limit, goal.side) {
            (None, AtMost) => away <= 0,
            (None, AtLeast) => away >= 0,
            (Some(limit), AtMost) => self.at_least(limit, away, at, depth),
            (Some(limit), AtLeast) => self.at_most(limit, away, at, depth),
        }
    }

    /// Where all that a value can be is on the right side of what is known of the limit.
    fn by_limit(&self, value: Value, goal: Goal, at: BlockId) -> bool {
        let Some(limit) = goal.limit else { return false };
        let facts = match goal.side {
            AtMost => self.facts.lower.get(&limit),
            AtLeast => self.facts.upper.get(&limit),
        };
        let holds = |bound: &&Bound| bound.value.is_none() && self.tree.dominates(bound.from, at);
        let node = self.values[value];
        facts.into_iter().flatten().filter(holds).any(|bound| match goal.side {
            AtMost => goal.is_met_by(node.most.saturating_sub(bound.by)),
            AtLeast => goal.is_met_by(node.least.saturating_sub(bound.by)),
        })
    }

    fn by_definition(&self, value: Value, node: Node, goal: Goal, at: BlockId, depth: u32) -> bool {
        match node.def {
            Def::Int(number) => self.number_meets(number, goal, at, depth),
            Def::Cast { of, .. } => self.is_same(value, of) && self.meets(of, goal, at, depth),
            Def::Phi(n) => self.all_ways(value, n, goal, depth),
            Def::Op { op, checked, int, a, b } => {
                if let Some(index) = self.values.plain_index(value) {
                    return self.meets(index, goal, at, depth) && self.at_least(index, 0, at, depth);
                }
                let exact = || checked || self.is_exact(op, int, a, b, at, depth);
                match op {
                    BinOp::Add => self.sum(a, b, goal, at, depth) && exact(),
                    BinOp::Sub => self.difference(a, b, goal, at, depth) && exact(),
                    _ => self.smaller(op, int, a, b, goal, at, depth),
                }
            }
            _ => false,
        }
    }

    /// The end of what is known of a value on the side of a goal.
    fn end(&self, value: Value, side: Side) -> i128 {
        match side {
            AtMost => self.values[value].most,
            AtLeast => self.values[value].least,
        }
    }

    fn sum(&self, a: Value, b: Value, goal: Goal, at: BlockId, depth: u32) -> bool {
        self.meets(a, goal.less(self.end(b, goal.side)), at, depth)
            || self.meets(b, goal.less(self.end(a, goal.side)), at, depth)
    }

    fn difference(&self, a: Value, b: Value, goal: Goal, at: BlockId, depth: u32) -> bool {
        let other = if goal.side == AtMost { AtLeast } else { AtMost };
        let less = self.end(b, other);
        // `a - b <= by` is `a <= b + by`.
        self.meets(a, goal.less(less.saturating_neg()), at, depth)
            || goal.limit.is_none() && self.shows(a, goal.side, Some(b), goal.by, at, depth)
            || goal.side == AtMost && self.at_least(b, 0, at, depth) && self.meets(a, goal, at, depth)
    }

    /// Operations whose result lies between zero and an operand.
    #[allow(clippy::too_many_arguments)]
    fn smaller(
        &self,
        op: BinOp,
        int: IntTy,
        a: Value,
        b: Value,
        goal: Goal,
        at: BlockId,
        depth: u32,
    ) -> bool {
        let positive = |value| self.at_least(value, 0, at, depth);
        let to = |value, goal| self.meets(value, goal, at, depth);
        match (op, goal.side) {
            (BinOp::BitAnd, AtMost) => (positive(a) && to(a, goal)) || (positive(b) && to(b, goal)),
            (BinOp::BitAnd, AtLeast) => self.number_meets(0, goal, at, depth) && (positive(a) || positive(b)),
            (BinOp::Rem, AtMost) => {
                (self.at_least(b, 1, at, depth) && to(b, goal.less(-1))) || (positive(a) && to(a, goal))
            }
            (BinOp::Shr | BinOp::Div, AtMost) => {
                let shrinks = op == BinOp::Shr || self.at_least(b, 1, at, depth);
                shrinks && positive(a) && to(a, goal)
            }
            (BinOp::Rem, AtLeast) => self.number_meets(0, goal, at, depth) && positive(a),
            (BinOp::Shr | BinOp::Div, AtLeast) => {
                let keeps_sign = op == BinOp::Shr || self.at_least(b, 0, at, depth) || !int.signed();
                keeps_sign && self.number_meets(0, goal, at, depth) && positive(a)
            }
            _ => false,
        }
    }

    /// A value that one of several became: all of them must be on the right side of the limit, at the end of the block
    /// that each comes from.
    fn all_ways(&self, value: Value, phi: u32, goal: Goal, depth: u32) -> bool {
        let phi = &self.values.phis[phi as usize];
        // The limit must be the same at every turn.
        let fixed = |limit: Value| {
            let home = self.values[limit].home;
            home != phi.block && self.tree.dominates(home, phi.block)
        };
        if !goal.limit.is_none_or(fixed) {
            return false;
        }
        let known = self.assumed.borrow().iter().rev().find_map(|&(it, assumed)| {
            let same = it == value && (assumed.side, assumed.limit) == (goal.side, goal.limit);
            same.then_some(assumed)
        });
        if let Some(assumed) = known {
            return goal.is_met_by(assumed.by);
        }
        self.assumed.borrow_mut().push((value, goal));
        let all = phi.args.iter().all(|&(from, arg)| self.meets(arg, goal, from, depth));
        self.assumed.borrow_mut().pop();
        all
    }
}
