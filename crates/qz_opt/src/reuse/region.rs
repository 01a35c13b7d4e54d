//! Where would a block of memory be at hand that became free at one point, and which objects could it hold?
//!
//! A region is all that the point dominates, up to the first suitable object on every way, without the ways that
//! lead to none. Loops are not entered, and where ways meet the block must be at hand on each.

use std::collections::BTreeMap;

use qz_base::FxHashMap;
use qz_mir::{BlockId, Body, Stmt};

use crate::counts::postorder;

/// Larger regions would keep a block from others for long.
const MAX_BLOCKS: usize = 256;

/// What of a body's graph does not change with its statements.
pub(crate) struct Graph {
    /// Every edge to a block, unwinding left out.
    pub(crate) arrivals: Vec<Vec<BlockId>>,
    /// The place of each block in reverse postorder.
    pub(crate) position: Vec<usize>,
}

impl Graph {
    pub(crate) fn new(body: &Body) -> Graph {
        let mut arrivals = vec![Vec::new(); body.blocks.len()];
        for (id, block) in body.blocks.iter() {
            block.term.kind.successors().into_iter().for_each(|to| arrivals[to.index()].push(id));
        }
        let mut position = vec![usize::MAX; body.blocks.len()];
        postorder(body).into_iter().rev().enumerate().for_each(|(at, id)| position[id.index()] = at);
        Graph { arrivals, position }
    }
}

/// Blocks at whose start memory is at hand (in the first one, at the point in question), and for each the
/// statement that uses it, if one does.
pub(crate) type Region = FxHashMap<BlockId, Option<usize>>;

/// The region behind statement `after` of a block. `fits` tells statements that could use the memory.
pub(crate) fn find(
    body: &Body,
    graph: &Graph,
    (start, after): (BlockId, usize),
    fits: &dyn Fn(BlockId, usize, &Stmt) -> bool,
) -> Option<Region> {
    let mut found = Region::default();
    let mut order = Vec::new();
    let mut work = BTreeMap::from([(graph.position[start.index()], start)]);
    while let Some((position, id)) = work.pop_first() {
        let at_hand = |from: &BlockId| found.get(from).is_some_and(Option::is_none);
        if id != start && (body.blocks[id].cleanup || !graph.arrivals[id.index()].iter().all(at_hand)) {
            continue;
        }
        let first = if id == start { after + 1 } else { 0 };
        let stmts = body.blocks[id].stmts.iter().enumerate().skip(first);
        let user = stmts.into_iter().find(|&(n, stmt)| fits(id, n, stmt)).map(|(n, _)| n);
        found.insert(id, user);
        order.push(id);
        if order.len() > MAX_BLOCKS {
            return None;
        }
        if user.is_none() {
            let successors = body.blocks[id].term.kind.successors().into_iter();
            let later = successors.map(|to| (graph.position[to.index()], to)).filter(|it| it.0 > position);
            work.extend(later);
        }
    }
    // Only ways to an object are of interest.
    for &id in order.iter().rev() {
        let mut successors = body.blocks[id].term.kind.successors().into_iter();
        if found[&id].is_none() && !successors.any(|to| to != start && found.contains_key(&to)) {
            found.remove(&id);
        }
    }
    found.contains_key(&start).then_some(found)
}
