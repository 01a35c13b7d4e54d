//! Values that die on the way from one block to another: live at the end of the first because of another
//! way on, but not in the second. They are released at the start of the second if nobody else comes there,
//! at the end of the first if it leads nowhere else, and in a block of their own otherwise.

use qz_base::FxHashMap;
use qz_mir::{Block, BlockId, Body, TermKind, Terminator};

use super::flow::Flow;
use crate::bits::Bits;

pub(super) struct Edges {
    /// The only block that leads to each, if that one also leads elsewhere.
    sole: Vec<Option<BlockId>>,
}

impl Edges {
    pub(super) fn new(body: &Body) -> Edges {
        let mut arrivals = vec![0u32; body.blocks.len()];
        let mut sole = vec![None; body.blocks.len()];
        arrivals[Body::ENTRY.index()] = 1;
        for (id, block) in body.blocks.iter() {
            let successors = block.term.kind.successors();
            for to in &successors {
                arrivals[to.index()] += 1;
                sole[to.index()] = (successors.len() > 1).then_some(id);
            }
            block.unwind.into_iter().for_each(|to| arrivals[to.index()] += 1);
        }
        for (only, &count) in sole.iter_mut().zip(&arrivals) {
            *only = only.filter(|_| count == 1);
        }
        Edges { sole }
    }

    /// What is owned when control arrives in a block, before anything is released there.
    pub(super) fn arriving(&self, block: BlockId, flow: &Flow) -> Bits {
        match self.sole[block.index()] {
            Some(from) => flow.owned_out(from),
            None if block == Body::ENTRY => flow.held_in[Body::ENTRY.index()].clone(),
            None => flow.owned_in(block),
        }
    }

    /// What the end of a block must leave owned: everything that was, unless it leads to one place only.
    pub(super) fn leaving(&self, term: &TermKind, flow: &Flow) -> Option<Bits> {
        match term {
            TermKind::Goto(to) => Some(flow.owned_in(*to)),
            _ => None,
        }
    }

    /// The blocks to put between block `id`, whose terminator now stands at the end of block `last`, and
    /// those where others arrive too; with the block each leads to and what it releases.
    pub(super) fn split(
        &self,
        body: &mut Body,
        id: BlockId,
        last: BlockId,
        flow: &Flow,
    ) -> Vec<(BlockId, BlockId, Bits)> {
        let mut made: FxHashMap<BlockId, BlockId> = FxHashMap::default();
        let mut splits = Vec::new();
        let mut term = body.blocks[last].term.clone();
        if term.kind.successors().len() < 2 {
            return splits;
        }
        let owned = flow.owned_out(id);
        term.kind.for_each_successor_mut(&mut |to| {
            let target = *to;
            let dead = owned.minus(&flow.owned_in(target));
            if self.sole[target.index()].is_some() || dead.is_empty() {
                return;
            }
            *to = *made.entry(target).or_insert_with(|| {
                let (cleanup, source) = (body.blocks[target].cleanup, term.source);
                let term = Terminator { kind: TermKind::Goto(target), source };
                let split = body.blocks.alloc(Block { stmts: Vec::new(), term, unwind: None, cleanup });
                splits.push((split, target, dead));
                split
            });
        });
        body.blocks[last].term = term;
        splits
    }
}
