//! Writes down that a block is kept, used, and given back.

use std::collections::BTreeSet;

use qz_base::FxHashMap;
use qz_mir::{
    Block, BlockId, Body, Const, Intrinsic, Local, LocalDecl, Operand, Ownership, Place, Rvalue, SourceInfo,
    Stmt, StmtKind, TermKind, Terminator,
};
use qz_types::Ty;
use qz_types::ty::common;
use smallvec::smallvec;

use super::region::{Graph, Region, holds_at_end};
use super::sites::Site;
use crate::counts::Cx;

struct Writer<'a> {
    body: &'a mut Body,
    cx: &'a Cx<'a>,
    source: SourceInfo,
    token: Local,
    /// Where panics go on, and the cleanup in front that gives the block back.
    pads: FxHashMap<Option<BlockId>, BlockId>,
}

/// Gives the token.
pub(super) fn write(body: &mut Body, cx: &Cx, site: &Site, region: &Region) -> Local {
    let graph = Graph::new(body);
    let source = body.blocks[site.block].stmts[site.release].source;
    let ty = Ty::ptr(cx.layouts.resolve(body.locals[site.object].ty));
    let token = new_local(body, ty, source);
    let mut writer = Writer { body, cx, source, token, pads: FxHashMap::default() };
    writer.give_back(region, &graph);
    writer.bring_none(site.block, region, &graph);
    for id in sorted(region.keys(), &graph).into_iter().filter(|&id| id != site.block) {
        writer.hold(id, region[&id]);
    }
    let user = region[&site.block].map(|n| n - site.release - 1);
    let rest = writer.split(site.block, site.release + 1);
    writer.hold(rest, user);
    writer.take_apart(site, rest);
    token
}

fn sorted<'a>(blocks: impl IntoIterator<Item = &'a BlockId>, graph: &Graph) -> Vec<BlockId> {
    let mut blocks: Vec<BlockId> = blocks.into_iter().copied().collect();
    blocks.sort_unstable_by_key(|id| graph.position[id.index()]);
    blocks
}

fn new_local(body: &mut Body, ty: Ty, source: SourceInfo) -> Local {
    let SourceInfo { span, scope } = source;
    body.locals.alloc(LocalDecl { ty, name: None, span, scope, ownership: Ownership::Owned })
}

impl Writer<'_> {
    fn block(&mut self, stmts: Vec<StmtKind>, unwind: Option<BlockId>, term: TermKind) -> BlockId {
        let source = self.source;
        let stmts = stmts.into_iter().map(|kind| Stmt { kind, source }).collect();
        let term = Terminator { kind: term, source };
        self.body.blocks.alloc(Block { stmts, term, unwind, cleanup: false })
    }

    fn token(&self) -> Operand {
        Operand::Move(Place::local(self.token))
    }

    fn none(&mut self) -> StmtKind {
        let none = Rvalue::Use(Operand::Const(Const::Null(self.body.locals[self.token].ty)));
        StmtKind::Assign(Place::local(self.token), none)
    }

    fn free(&mut self) -> StmtKind {
        let nothing = new_local(self.body, common().unit, self.source);
        let give = Rvalue::Intrinsic(Intrinsic::GiveBlock, smallvec![self.token()], common().unit);
        StmtKind::Assign(Place::local(nothing), give)
    }

    /// Gives the block back on edges that leave the region.
    fn give_back(&mut self, region: &Region, graph: &Graph) {
        for id in sorted(region.keys(), graph) {
            if holds_at_end(region, id) {
                let outside = |to: BlockId| !region.contains_key(&to) || graph.is_before(to, id);
                self.on_edges(id, &outside, Writer::free);
            }
        }
    }

    /// Notes on edges that enter the region that there is no block.
    fn bring_none(&mut self, start: BlockId, region: &Region, graph: &Graph) {
        let entered = region.keys().filter(|&&id| id != start);
        let from = entered.flat_map(|id| &graph.arrivals[id.index()]).copied();
        let from: BTreeSet<BlockId> = from.filter(|&from| !holds_at_end(region, from)).collect();
        for id in sorted(&from, graph) {
            let inside = |to: BlockId| to != start && region.contains_key(&to);
            self.on_edges(id, &inside, Writer::none);
        }
    }

    /// Puts a statement on edges from a block.
    fn on_edges(&mut self, from: BlockId, which: &dyn Fn(BlockId) -> bool, stmt: fn(&mut Self) -> StmtKind) {
        let mut term = self.body.blocks[from].term.kind.clone();
        let mut made: FxHashMap<BlockId, BlockId> = FxHashMap::default();
        term.for_each_successor_mut(&mut |to| {
            if !which(*to) {
                return;
            }
            let known = made.get(to).copied();
            let between = known.unwrap_or_else(|| {
                let stmt = stmt(self);
                self.block(vec![stmt], None, TermKind::Goto(*to))
            });
            made.insert(*to, between);
            *to = between;
        });
        self.body.blocks[from].term.kind = term;
    }

    /// A block in which the token is at hand, up to the statement that uses it.
    fn hold(&mut self, id: BlockId, user: Option<usize>) {
        if let Some(n) = user {
            let token = self.token();
            hand_over(&mut self.body.blocks[id].stmts[n].kind, token);
        }
        let held = user.unwrap_or(self.body.blocks[id].stmts.len());
        let panics =
            |cx: &Cx, body: &Body, stmts: &[Stmt]| stmts.iter().any(|stmt| cx.may_panic(body, &stmt.kind));
        let stmts = &self.body.blocks[id].stmts;
        if !panics(self.cx, self.body, &stmts[..held]) {
            return;
        }
        if panics(self.cx, self.body, &stmts[held..]) {
            self.split(id, held + 1);
        }
        let unwind = self.body.blocks[id].unwind;
        self.body.blocks[id].unwind = Some(self.pad(unwind));
    }

    fn pad(&mut self, unwind: Option<BlockId>) -> BlockId {
        if let Some(&known) = self.pads.get(&unwind) {
            return known;
        }
        let free = self.free();
        let made = self.block(vec![free], None, unwind.map_or(TermKind::Resume, TermKind::Goto));
        self.body.blocks[made].cleanup = true;
        self.pads.insert(unwind, made);
        made
    }

    /// Moves the statements from the `at`-th on to a block of their own behind the one that keeps the others.
    fn split(&mut self, id: BlockId, at: usize) -> BlockId {
        let block = &mut self.body.blocks[id];
        let stmts = block.stmts.split_off(at);
        let (unwind, source) = (block.unwind, block.term.source);
        let term = std::mem::replace(&mut block.term, Terminator { kind: TermKind::Unreachable, source });
        let rest = self.body.blocks.alloc(Block { stmts, term, unwind, cleanup: false });
        self.body.blocks[id].term.kind = TermKind::Goto(rest);
        rest
    }

    /// Splits the way at the end of the site's block.
    fn take_apart(&mut self, site: &Site, rest: BlockId) {
        let unwind = self.body.blocks[site.block].unwind;
        let mut taken: Vec<usize> = site.parts.iter().filter_map(|part| Some(part.taken?.1)).collect();
        taken.push(site.release);
        let stmts = &mut self.body.blocks[site.block].stmts;
        taken.into_iter().for_each(|n| stmts[n].kind = StmtKind::Nop);
        stmts.retain(|stmt| !matches!(stmt.kind, StmtKind::Nop));
        let unique = self.unique(site, rest);
        let shared = self.shared(site, unwind, rest);
        let is_unique = new_local(self.body, common().bool, self.source);
        let operands = smallvec![Operand::local(site.object)];
        let ask = Rvalue::Intrinsic(Intrinsic::IsUnique, operands, common().bool);
        let (kind, source) = (StmtKind::Assign(Place::local(is_unique), ask), self.source);
        let cond = Operand::local(is_unique);
        let block = &mut self.body.blocks[site.block];
        block.stmts.push(Stmt { kind, source });
        block.term.kind = TermKind::Branch { cond, then: unique, else_: shared, likely: None };
    }

    /// The way on which nobody else refers to the object.
    fn unique(&mut self, site: &Site, rest: BlockId) -> BlockId {
        let mut stmts = Vec::new();
        for part in &site.parts {
            stmts.push(match part.taken {
                Some((local, _)) => {
                    let value = Rvalue::Use(Operand::Move(part.place.clone()));
                    StmtKind::Assign(Place::local(local), value)
                }
                None => StmtKind::Release(part.place.clone()),
            });
        }
        let ty = self.body.locals[self.token].ty;
        let object = Operand::Move(Place::local(site.object));
        let take = Rvalue::Intrinsic(Intrinsic::TakeBlock, smallvec![object], ty);
        stmts.push(StmtKind::Assign(Place::local(self.token), take));
        self.block(stmts, None, TermKind::Goto(rest))
    }

    /// The way on which others do.
    fn shared(&mut self, site: &Site, unwind: Option<BlockId>, rest: BlockId) -> BlockId {
        let taken = site.parts.iter().filter_map(|part| part.taken);
        let mut stmts: Vec<StmtKind> =
            taken.map(|(local, _)| StmtKind::Retain(Place::local(local))).collect();
        let release = StmtKind::Release(Place::local(site.object));
        let unwind = unwind.filter(|_| self.cx.may_panic(self.body, &release));
        stmts.push(release);
        stmts.push(self.none());
        self.block(stmts, unwind, TermKind::Goto(rest))
    }
}

/// Lets a statement use a block: for the object that it makes, or as the token that it has none for.
fn hand_over(stmt: &mut StmtKind, token: Operand) {
    let StmtKind::Assign(_, value) = stmt else { unreachable!("only assignments make objects") };
    let made = std::mem::replace(value, Rvalue::Use(token));
    if made.is_allocation()
        && let Rvalue::Use(token) = std::mem::replace(value, Rvalue::Use(Operand::Const(Const::Unit)))
    {
        *value = Rvalue::Reuse(token, Box::new(made));
    }
}
