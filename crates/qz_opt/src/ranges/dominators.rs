//! Which blocks lie on every way to others? After Cooper, Harvey and Kennedy ("A Simple, Fast Dominance Algorithm",
//! 2001). Blocks that run while a panic is under way are left out.

use qz_mir::{BlockId, Body};
use smallvec::SmallVec;

/// The tree of a body, and the way through its graph.
pub(super) struct Dominators {
    /// Blocks that are reached, each in front of those that it dominates.
    pub(super) order: Vec<BlockId>,
    /// For each block those that lead to it, once for each edge.
    pub(super) before: Vec<SmallVec<[BlockId; 2]>>,
    /// For each block the last that lies on every way to it; the entry for itself.
    above: Vec<Option<BlockId>>,
    pub(super) below: Vec<Vec<BlockId>>,
    /// When a walk over the tree comes to a block and leaves it.
    times: Vec<(u32, u32)>,
}

impl Dominators {
    pub(super) fn new(body: &Body) -> Dominators {
        let len = body.blocks.len();
        let mut order = crate::counts::postorder(body);
        order.retain(|&id| !body.blocks[id].cleanup);
        order.reverse();
        let mut number = vec![usize::MAX; len];
        order.iter().enumerate().for_each(|(n, id)| number[id.index()] = n);
        let mut before = vec![SmallVec::new(); len];
        for &id in &order {
            body.blocks[id].term.kind.successors().into_iter().for_each(|to| before[to.index()].push(id));
        }
        let mut tree = Dominators {
            order,
            before,
            above: vec![None; len],
            below: vec![Vec::new(); len],
            times: vec![(0, 0); len],
        };
        tree.find(&number);
        tree.time();
        tree
    }

    fn find(&mut self, number: &[usize]) {
        self.above[Body::ENTRY.index()] = Some(Body::ENTRY);
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for n in 1..self.order.len() {
                let id = self.order[n];
                let mut found: Option<BlockId> = None;
                for &from in &self.before[id.index()] {
                    if self.above[from.index()].is_some() {
                        found = Some(found.map_or(from, |other| self.meet(number, from, other)));
                    }
                }
                if found != self.above[id.index()] {
                    self.above[id.index()] = found;
                    changed = true;
                }
            }
        }
        for &id in &self.order[1..] {
            if let Some(above) = self.above[id.index()] {
                self.below[above.index()].push(id);
            }
        }
    }

    fn meet(&self, number: &[usize], mut a: BlockId, mut b: BlockId) -> BlockId {
        let up = |id: BlockId| self.above[id.index()].unwrap_or(Body::ENTRY);
        while a != b {
            if number[a.index()] > number[b.index()] {
                a = up(a);
            } else {
                b = up(b);
            }
        }
        a
    }

    fn time(&mut self) {
        let mut now = 1;
        let mut path = vec![(Body::ENTRY, 0)];
        self.times[Body::ENTRY.index()].0 = now;
        while let Some((id, next)) = path.last_mut() {
            now += 1;
            match self.below[id.index()].get(*next) {
                Some(&inner) => {
                    *next += 1;
                    self.times[inner.index()].0 = now;
                    path.push((inner, 0));
                }
                None => {
                    self.times[id.index()].1 = now;
                    path.pop();
                }
            }
        }
    }

    /// The next block up the tree.
    pub(super) fn above(&self, id: BlockId) -> Option<BlockId> {
        self.above[id.index()].filter(|&above| above != id)
    }

    /// Whether the first block lies on every way to the second, or is it.
    pub(super) fn dominates(&self, a: BlockId, b: BlockId) -> bool {
        let ((a_in, a_out), (b_in, b_out)) = (self.times[a.index()], self.times[b.index()]);
        a_in <= b_in && b_out <= a_out
    }

    /// The lower of two blocks of which one dominates the other.
    pub(super) fn lower(&self, a: BlockId, b: BlockId) -> BlockId {
        if self.dominates(a, b) { b } else { a }
    }

    /// For each block those where its power ends: they are reached from it and on other ways.
    pub(super) fn frontiers(&self) -> Vec<Vec<BlockId>> {
        let mut frontiers: Vec<Vec<BlockId>> = vec![Vec::new(); self.before.len()];
        for &id in self.order.iter().filter(|id| self.before[id.index()].len() > 1) {
            for &from in &self.before[id.index()] {
                let mut at = Some(from);
                while let Some(block) = at.filter(|&it| Some(it) != self.above(id)) {
                    if frontiers[block.index()].last() != Some(&id) {
                        frontiers[block.index()].push(id);
                    }
                    at = self.above(block);
                }
            }
        }
        frontiers
    }
}
