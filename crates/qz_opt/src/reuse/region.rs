//! Where would a block of memory be at hand that became free at one point, and which objects could it hold?
//!
//! A region is what follows the point, up to the first suitable object on every way, without the ways that lead to
//! none. Loops are not entered. Where ways meet and on some there is no block, these bring null.

use std::collections::BTreeMap;

use qz_mir::{BlockId, Body, Stmt};
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use crate::counts::postorder;

/// Larger regions would keep a block from others for long.
const MAX_BLOCKS: usize = 256;
/// One way in so many must bring a block.
const MAX_EMPTY_SHARE: usize = 4;

/// What of a body's graph does not change with its statements.
pub(crate) struct Graph {
    /// Every edge to a block, unwinding left out.
    pub(crate) arrivals: Vec<SmallVec<[BlockId; 2]>>,
    /// The place of each block in reverse postorder.
    pub(crate) position: Vec<usize>,
}

impl Graph {
    pub(crate) fn new(body: &Body) -> Graph {
        let mut arrivals = vec![SmallVec::new(); body.blocks.len()];
        for (id, block) in body.blocks.iter() {
            block.term.kind.successors().into_iter().for_each(|to| arrivals[to.index()].push(id));
        }
        let mut position = vec![usize::MAX; body.blocks.len()];
        postorder(body).into_iter().rev().enumerate().for_each(|(at, id)| position[id.index()] = at);
        Graph { arrivals, position }
    }

    /// Whether a block does not come behind another one, loops left out.
    pub(crate) fn is_before(&self, a: BlockId, b: BlockId) -> bool {
        self.position[a.index()] <= self.position[b.index()]
    }

    /// All blocks that can be reached from one, itself included, loops left out.
    pub(crate) fn reached(&self, body: &Body, from: BlockId) -> FxHashSet<BlockId> {
        let mut reached = FxHashSet::from_iter([from]);
        let mut work = vec![from];
        while let Some(id) = work.pop() {
            let next = body.blocks[id].term.kind.successors().into_iter();
            work.extend(next.filter(|&to| !self.is_before(to, id) && reached.insert(to)));
        }
        reached
    }

    /// Whether a block belongs to a region of which all blocks in front of it are known.
    fn is_entered(&self, id: BlockId, region: &Region) -> bool {
        let arrivals = &self.arrivals[id.index()];
        let is_loop = arrivals.iter().any(|from| self.position[from.index()] >= self.position[id.index()]);
        let at_hand = arrivals.iter().filter(|&from| holds_at_end(region, *from)).count();
        !is_loop && at_hand * MAX_EMPTY_SHARE >= arrivals.len()
    }
}

/// Blocks at whose start memory is at hand (in the first one, at the point in question), and for each the
/// statement that uses it, if one does.
pub(crate) type Region = BTreeMap<BlockId, Option<usize>>;

/// Whether memory is at hand at the end of a block.
pub(crate) fn holds_at_end(region: &Region, block: BlockId) -> bool {
    region.get(&block).is_some_and(Option::is_none)
}

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
        if id != start && (body.blocks[id].cleanup || !graph.is_entered(id, &found)) {
            continue;
        }
        let first = if id == start { after + 1 } else { 0 };
        let stmts = body.blocks[id].stmts.iter().enumerate().skip(first);
        let user = stmts.into_iter().find(|&(n, stmt)| fits(id, n, stmt)).map(|(n, _)| n);
        found.insert(id, user);
        order.push(id);
        if order.len() == MAX_BLOCKS {
            break;
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
