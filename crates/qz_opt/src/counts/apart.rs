//! Which objects are taken apart to make others of their size?
//!
//! ```text
//! h_2 = l_1.v1.0
//! t_3 = l_1.v1.1          # `l_1` is not used any more
//! _4 = call @map(t_3)
//! _0 = variant 1 List (h_2, _4)
//! ```
//!
//! Here the parts had better own counts, so that `l_1` ends in front of the call: then [`crate::reuse`] can put the
//! new cell where the old one was. And a parameter like `l_1` is better handed over than lent.

use std::cell::LazyCell;

use qz_base::FxHashMap;
use qz_mir::{BlockId, Body, Local, Operand, Place, Proj, Rvalue, Stmt, StmtKind};
use rustc_hash::FxHashSet;

use super::Cx;
use super::borrow::{Borrowed, Facts, is_candidate};
use super::flow::{Flow, defined};
use super::locals::Locals;
use crate::reuse::region::{self, Graph};

/// Rounds until it is settled who is taken apart.
const MAX_ROUNDS: usize = 4;

/// What is taken apart.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Apart {
    /// For parts that had better own a count, what they are read from.
    parts: FxHashMap<Local, Local>,
    wholes: FxHashSet<Local>,
}

/// Which objects are for blocks from where. Two are for one if they come on different ways.
type Taken = FxHashMap<(BlockId, usize), Vec<BlockId>>;

/// Size and alignment.
type Size = (u32, u32);

struct Finder<'a> {
    body: &'a Body,
    cx: &'a Cx<'a>,
    facts: Facts,
    graph: Graph,
    /// Locals with cells of boxed enums, and the sizes of these.
    cells: FxHashMap<Local, Size>,
    /// The objects that are made, by where.
    made: FxHashMap<(BlockId, usize), Size>,
}

impl Apart {
    pub(crate) fn is_whole(&self, local: Local) -> bool {
        self.wholes.contains(&local)
    }

    /// Whether a local is a part of what is taken apart, and that is owned.
    pub(super) fn is_owned_part(&self, body: &Body, part: Local, owned_params: &[bool]) -> bool {
        let mut at = part;
        // Parts of parts; chains are as long as patterns are deep.
        while let Some(&whole) = self.parts.get(&at) {
            at = whole;
        }
        let is_param = (1..=body.param_count as usize).contains(&at.index());
        at != part && (!is_param || owned_params[at.index() - 1])
    }
}

pub(crate) fn find(body: &Body, cx: &Cx) -> Apart {
    let made = made(body, cx);
    if made.is_empty() {
        return Apart::default();
    }
    let facts = Facts::new(body);
    let cells = cells(body, cx, &facts, &made);
    if cells.is_empty() {
        return Apart::default();
    }
    let mut finder = Finder { body, cx, facts, graph: Graph::new(body), cells, made };
    finder.forget_hopeless();
    if finder.cells.is_empty() {
        return Apart::default();
    }
    // At first everything that is read is taken to be a part that owns its count.
    let mut apart = finder.round(&vec![None; body.locals.len()]);
    for _ in 0..MAX_ROUNDS {
        if apart.wholes.is_empty() {
            break;
        }
        let next = finder.round(&finder.lookers(&apart));
        if next == apart {
            return apart;
        }
        apart = next;
    }
    Apart::default()
}

/// The objects that a body makes.
fn made(body: &Body, cx: &Cx) -> FxHashMap<(BlockId, usize), Size> {
    let mut made = FxHashMap::default();
    for (id, block) in body.blocks.iter() {
        for (n, stmt) in block.stmts.iter().enumerate() {
            if let StmtKind::Assign(_, value) = &stmt.kind
                && let Some(size) = cx.layouts.allocated(cx.module, value)
            {
                made.insert((id, n), size);
            }
        }
    }
    made
}

fn cells(
    body: &Body,
    cx: &Cx,
    facts: &Facts,
    made: &FxHashMap<(BlockId, usize), Size>,
) -> FxHashMap<Local, Size> {
    let is_boxed = |local: Local| {
        let ty = body.locals[local].ty;
        let leaves_memory = cx.layouts.of(ty).is_boxed() && cx.reuse.contains(&cx.layouts.resolve(ty));
        local != Body::RETURN && leaves_memory && !cx.drops.is_kept(ty)
    };
    let locals = body.locals.ids().filter(|&local| is_boxed(local) && !facts.changed[local.index()]);
    let sized = locals.map(|local| (local, cx.layouts.cell(body.locals[local].ty)));
    sized.filter(|(_, size)| made.values().any(|it| it == size)).collect()
}

/// The part of a cell that a place is, if it is one: `x.v1.0`.
pub(crate) fn part_of_cell(place: &Place) -> Option<(u32, u32)> {
    match place.proj[..] {
        [Proj::Variant(variant), Proj::Field(field)] => Some((variant, field)),
        _ => None,
    }
}

impl Finder<'_> {
    /// Leaves out locals behind whose parts nothing of their size is made: cheaper to find than where they end.
    fn forget_hopeless(&mut self) {
        let mut hopeful = FxHashSet::default();
        for (id, block) in self.body.blocks.iter() {
            if block.cleanup || self.graph.position[id.index()] == usize::MAX {
                continue;
            }
            for (n, stmt) in block.stmts.iter().enumerate() {
                let Some((_, from)) = read(&stmt.kind).filter(|(_, from)| part_of_cell(from).is_some())
                else {
                    continue;
                };
                let Some(&size) = self.cells.get(&from.local).filter(|_| !hopeful.contains(&from.local))
                else {
                    continue;
                };
                let fits = |id, n, _: &Stmt| self.made.get(&(id, n)) == Some(&size);
                if region::find(self.body, &self.graph, (id, n), &fits).is_some() {
                    hopeful.insert(from.local);
                }
            }
        }
        self.cells.retain(|local, _| hopeful.contains(local));
    }

    /// What is taken apart if these locals look at parts of those.
    fn round(&self, lookers: &Borrowed) -> Apart {
        let mut list: Vec<Local> = self.cells.keys().copied().collect();
        list.sort_unstable();
        let locals = Locals::looking(self.body, self.cx, &list, lookers);
        let flow = Flow::live(self.body, &locals);
        let mut blocks: Vec<BlockId> =
            self.body.blocks.ids().filter(|id| self.graph.position[id.index()] != usize::MAX).collect();
        // The last first: what is made soon after the inner of two objects is for that one.
        blocks.sort_unstable_by_key(|id| std::cmp::Reverse(self.graph.position[id.index()]));
        let (mut apart, mut taken) = (Apart::default(), Taken::default());
        for id in blocks.into_iter().filter(|&id| !self.body.blocks[id].cleanup) {
            for (local, at) in self.ends(id, &locals, &flow) {
                self.consider(local, (id, at), &mut apart, &mut taken);
            }
        }
        apart
    }

    /// Where locals are used for the last time in a block, the last first.
    fn ends(&self, id: BlockId, locals: &Locals, flow: &Flow) -> Vec<(Local, usize)> {
        let block = &self.body.blocks[id];
        let mut live = flow.live_out[id.index()].clone();
        let mut ends = Vec::new();
        for (n, stmt) in block.stmts.iter().enumerate().rev() {
            let after = live.clone();
            flow.before_stmt(&stmt.kind, locals, block.unwind, &mut live);
            ends.extend(live.minus(&after).iter().map(|number| (locals.tracked[number], n)));
        }
        ends
    }

    /// Notes that an object is taken apart, if another one could be put into its block.
    fn consider(&self, whole: Local, at: (BlockId, usize), apart: &mut Apart, taken: &mut Taken) {
        let Some(parts) = self.parts(whole, at) else { return };
        let size = self.cells[&whole];
        let reached = LazyCell::new(|| self.graph.reached(self.body, at.0));
        let is_free = |by: &Vec<BlockId>| by.iter().all(|by| !reached.contains(by));
        let fits = |id, n, _: &Stmt| {
            self.made.get(&(id, n)) == Some(&size) && taken.get(&(id, n)).is_none_or(is_free)
        };
        let Some(region) = region::find(self.body, &self.graph, at, &fits) else { return };
        for (id, user) in region {
            user.into_iter().for_each(|n| taken.entry((id, n)).or_default().push(at.0));
        }
        apart.wholes.insert(whole);
        apart.parts.extend(parts.into_iter().map(|part| (part, whole)));
    }

    /// The counted parts that are read of a local in the block that ends it; `None` if nothing is read that
    /// tells that there is a cell.
    fn parts(&self, whole: Local, (id, last): (BlockId, usize)) -> Option<Vec<Local>> {
        let mut parts = Vec::new();
        let mut is_cell = false;
        for stmt in self.body.blocks[id].stmts[..=last].iter().rev() {
            if defined(&stmt.kind) == Some(whole) {
                break;
            }
            if let Some((part, from)) = read(&stmt.kind)
                && from.local == whole
                && part_of_cell(from).is_some()
            {
                is_cell = true;
                parts.extend(Some(part).filter(|&it| is_candidate(self.body, self.cx, &self.facts, it)));
            }
        }
        is_cell.then_some(parts)
    }

    /// Parts that are not owned in spite of what is taken apart, and of what.
    fn lookers(&self, apart: &Apart) -> Borrowed {
        let mut lookers = vec![None; self.body.locals.len()];
        for stmt in self.body.blocks.values().flat_map(|block| &block.stmts) {
            if let Some((part, from)) = read(&stmt.kind)
                && self.cells.contains_key(&from.local)
                && !apart.parts.contains_key(&part)
                && is_candidate(self.body, self.cx, &self.facts, part)
            {
                lookers[part.index()] = Some(from.local);
            }
        }
        lookers
    }
}

/// A statement that copies a part of something to a local.
fn read(stmt: &StmtKind) -> Option<(Local, &Place)> {
    match stmt {
        StmtKind::Assign(dest, Rvalue::Use(Operand::Copy(from))) if !from.proj.is_empty() => {
            Some((dest.as_local()?, from))
        }
        _ => None,
    }
}
