//! Checks that can never fail are left out: of overflow, of bounds, of what a cast fits into; and branches whose way
//! is known.
//!
//! ```text
//! while i < v.size           _5 = lt i, v.len         # so far `0 <= i`
//!   sum += v[i]       →      _7 = v.data[i]           # no question: `0 <= i < v.len`
//!   i += 1                   i = add i, 1             # cannot overflow: `i < v.len`
//! end
//! ```
//!
//! After Bodik, Gupta and Sarkar ("ABCD: Eliminating Array Bounds Checks on Demand", 2000). [`values`] gives each value
//! of a body a name (SSA form, beside the body), the sizes that are read from objects among them; [`facts`] notes what
//! the ways taken so far say about two of them (`i < n`); [`prove`] follows definitions and facts from one value
//! to another, and takes what it is about to prove for granted where a loop comes round to it.
//!
//! Everything that is used here is true of the program as it was: arithmetic that is checked is exact wherever its
//! result is at hand. So it does not matter which of the checks are left out. After count placement, where calls and
//! releases, which may change what stands in objects, are written down.

mod dominators;
mod facts;
mod prove;
mod values;
mod ways;

use qz_mir::layout::Layouts;
use qz_mir::{BinOp, BlockId, Body, CastKind, Const, Operand, Rvalue, Stmt, StmtKind, TermKind};

use dominators::Dominators;
use facts::Facts;
use prove::Prover;
use values::{Check, Values};
use ways::Doubled;

/// Bodies of more blocks are left as they are: what a value depends on is far away in them.
const MAX_BLOCKS: usize = 20_000;

/// Leaves out the checks of a body that never fail.
pub(crate) fn leave_out_checks(body: &mut Body, layouts: &Layouts) {
    if !asks(body) || body.blocks.len() > MAX_BLOCKS || comes_back_from_panics(body) {
        return;
    }
    let (changes, doubled) = {
        let tree = Dominators::new(body);
        let values = Values::new(body, layouts, &tree);
        let facts = Facts::new(body, &tree, &values);
        let prover = Prover::new(&tree, &values, &facts);
        let changes = changes(body, &values, &prover);
        let doubled = doubled(body, &tree, &values, &prover, &changes);
        (changes, doubled)
    };
    if changes.is_empty() && doubled.is_empty() {
        return;
    }
    changes.into_iter().for_each(|change| change.carry_out(body));
    doubled.into_iter().for_each(|it| it.carry_out(body));
    crate::simplify::blocks::tidy(body, true);
}

/// Whether there is anything that could be left out.
fn asks(body: &Body) -> bool {
    let checked = |stmt: &Stmt| match &stmt.kind {
        StmtKind::Assign(_, value) => value.may_panic(),
        _ => false,
    };
    body.blocks
        .values()
        .any(|block| matches!(block.term.kind, TermKind::Branch { .. }) || block.stmts.iter().any(checked))
}

/// Whether a panic is taken here: what holds a value behind that is not looked into.
fn comes_back_from_panics(body: &Body) -> bool {
    body.blocks.values().any(|block| {
        let leaves = |to: &BlockId| !body.blocks[*to].cleanup;
        let unwinds = block.unwind.as_ref().is_some_and(leaves);
        unwinds || block.cleanup && block.term.kind.successors().iter().any(leaves)
    })
}

/// What is written down anew.
enum Change {
    Value(BlockId, usize, Rvalue),
    Goto(BlockId, BlockId),
}

impl Change {
    fn carry_out(self, body: &mut Body) {
        match self {
            Change::Value(block, stmt, value) => {
                if let StmtKind::Assign(_, old) | StmtKind::Init(_, old) =
                    &mut body.blocks[block].stmts[stmt].kind
                {
                    *old = value;
                }
            }
            Change::Goto(block, to) => body.blocks[block].term.kind = TermKind::Goto(to),
        }
    }
}

/// Blocks to be doubled, beside what is left out anyway.
fn doubled(
    body: &Body,
    tree: &Dominators,
    values: &Values,
    prover: &Prover,
    changes: &[Change],
) -> Vec<Doubled> {
    let mut settled = ways::Settled::default();
    for change in changes {
        match *change {
            Change::Value(block, stmt, _) => settled.stmts.insert((block, stmt)),
            Change::Goto(block, _) => settled.branches.insert(block),
        };
    }
    ways::doubled(body, tree, values, prover, &settled)
}

fn changes(body: &Body, values: &Values, prover: &Prover) -> Vec<Change> {
    let mut changes = Vec::new();
    for check in &values.checks {
        match *check {
            Check::Stmt { block, stmt, int, a, b } => {
                let (StmtKind::Assign(_, value) | StmtKind::Init(_, value)) =
                    &body.blocks[block].stmts[stmt].kind
                else {
                    continue;
                };
                let new = match value {
                    Rvalue::Checked(op, left, right) => prover
                        .is_fine(*op, int, a, b, block)
                        .then(|| Rvalue::Binary(*op, left.clone(), right.clone())),
                    Rvalue::Cast(CastKind::Checked, of, to) => {
                        prover.fits(a, int, block).then(|| Rvalue::Cast(CastKind::Wrapping, of.clone(), *to))
                    }
                    _ => None,
                };
                changes.extend(new.map(|new| Change::Value(block, stmt, new)));
            }
            Check::Place { block, stmt, index, known } => {
                let StmtKind::Assign(_, Rvalue::Binary(BinOp::Add, plain, _)) =
                    &body.blocks[block].stmts[stmt].kind
                else {
                    continue;
                };
                // The second of two equal ones may have no check that brings it into the form of the first.
                let new = match prover.never_negative(index, block) {
                    true => Some(plain.clone()),
                    false => known.map(Operand::local),
                };
                changes.extend(new.map(|new| Change::Value(block, stmt, Rvalue::Use(new))));
            }
            Check::Branch { block, cond } => {
                let TermKind::Branch { cond: asked, then, else_, .. } = &body.blocks[block].term.kind else {
                    continue;
                };
                if matches!(asked, Operand::Const(Const::Bool(_))) {
                    continue;
                }
                let way = prover.answer(cond, block).map(|holds| if holds { *then } else { *else_ });
                changes.extend(way.map(|to| Change::Goto(block, to)));
            }
        }
    }
    changes
}
