//! Puts a copy of one body into another, in place of a call.
//!
//! The block with the call ends before it; the callee's blocks follow, and a block with what stood behind
//! the call. A panic in the callee that it does not handle goes where the call's would have gone.

use qz_mir::visit::{each_place_mut, term_operand_mut};
use qz_mir::{
    Block, BlockId, Body, Call, Local, Operand, Place, Proj, Rvalue, ScopeId, SourceInfo, Stmt, StmtKind,
    TermKind, Terminator,
};

use super::capture_place;

/// How the callee's numbers become the caller's.
struct Renumber<'a> {
    locals: u32,
    blocks: u32,
    scopes: u32,
    captures: &'a [Local],
}

impl Renumber<'_> {
    fn local(&self, local: Local) -> Local {
        Local::from_raw(local.raw() + self.locals)
    }

    fn block(&self, block: BlockId) -> BlockId {
        BlockId::from_raw(block.raw() + self.blocks)
    }

    fn source(&self, source: SourceInfo) -> SourceInfo {
        SourceInfo { scope: ScopeId::from_raw(source.scope.raw() + self.scopes), ..source }
    }

    fn place(&self, place: &mut Place) {
        // The closure itself is parameter 1, and captures are read through nothing else.
        if place.local.raw() == 1
            && let Some(captured) = capture_place(place, self.captures)
        {
            *place = captured;
            self.indexes(&mut place.proj);
            return;
        }
        place.local = self.local(place.local);
        self.indexes(&mut place.proj);
    }

    fn indexes(&self, proj: &mut [Proj]) {
        for proj in proj {
            if let Proj::Index(index) = proj {
                *index = self.local(*index);
            }
        }
    }
}

/// Replaces the call at statement `at` of a block. Gives the block with what stood behind it.
pub(super) fn splice(
    body: &mut Body,
    block: BlockId,
    at: usize,
    callee: &Body,
    captures: &[Local],
) -> BlockId {
    let to = Renumber {
        locals: body.locals.len() as u32,
        blocks: body.blocks.len() as u32 + 1,
        scopes: body.scopes.len() as u32,
        captures,
    };
    let (call, source) = take_call(body, block, at);
    for decl in callee.locals.values() {
        let scope = ScopeId::from_raw(decl.scope.raw() + to.scopes);
        body.locals.alloc(qz_mir::LocalDecl { scope, ..decl.clone() });
    }
    for scope in callee.scopes.values() {
        let mut scope = scope.clone();
        scope.inlined_at = Some(scope.inlined_at.map_or(source, |at| to.source(at)));
        body.scopes.alloc(scope);
    }
    let after = split(body, block, at);
    debug_assert_eq!(after.raw() + 1, to.blocks);
    let handler = body.blocks[block].unwind;
    for (param, arg) in callee.params().zip(call.args) {
        let kind = StmtKind::Assign(Place::local(to.local(param)), Rvalue::Use(arg));
        body.blocks[block].stmts.push(Stmt { kind, source });
    }
    body.blocks[block].term = Terminator { kind: TermKind::Goto(to.block(Body::ENTRY)), source };
    let result = Rvalue::Use(Operand::local(to.local(Body::RETURN)));
    let kind = StmtKind::Assign(Place::local(call.dest), result);
    body.blocks[after].stmts.insert(0, Stmt { kind, source });
    for callee_block in callee.blocks.values() {
        let mut copy = copy_block(callee_block, &to, after, handler);
        if matches!(callee_block.term.kind, TermKind::Resume)
            && let Some(handler) = handler
        {
            let left = copy.term.source;
            let end = |local| Stmt { kind: StmtKind::EndScope(local), source: left };
            copy.stmts.extend(scope_ends(body, &to, source, handler).into_iter().map(end));
        }
        body.blocks.alloc(copy);
    }
    after
}

/// The scopes that end when a panic goes from the callee's code to a handler: of the callee's names, and of those
/// in functions around it that the handler is not in. The last name first.
fn scope_ends(body: &Body, to: &Renumber<'_>, call: SourceInfo, handler: BlockId) -> Vec<Local> {
    let handler = body.blocks[handler].term.source.scope;
    let ends = |scope: ScopeId| {
        scope.raw() >= to.scopes || body.is_within(call.scope, scope) && !body.is_within(handler, scope)
    };
    let named = body.locals.iter().filter(|(_, decl)| decl.name.is_some() && ends(decl.scope));
    let mut named: Vec<Local> = named.map(|(local, _)| local).collect();
    named.reverse();
    named
}

fn take_call(body: &mut Body, block: BlockId, at: usize) -> (Call, SourceInfo) {
    let stmt = &mut body.blocks[block].stmts[at];
    match std::mem::replace(&mut stmt.kind, StmtKind::Nop) {
        StmtKind::Call(call) => (*call, stmt.source),
        other => unreachable!("no call: {other:?}"),
    }
}

/// Ends a block in front of statement `at`; what stands behind that goes into a new one.
fn split(body: &mut Body, block: BlockId, at: usize) -> BlockId {
    let first = &mut body.blocks[block];
    let mut rest = first.stmts.split_off(at);
    rest.remove(0);
    let source = first.term.source;
    let term = Terminator { kind: TermKind::Unreachable, source };
    let term = std::mem::replace(&mut first.term, term);
    let second = Block { stmts: rest, term, unwind: first.unwind, cleanup: first.cleanup };
    body.blocks.alloc(second)
}

fn copy_block(block: &Block, to: &Renumber, after: BlockId, handler: Option<BlockId>) -> Block {
    let mut copy = block.clone();
    copy.unwind = copy.unwind.map(|unwind| to.block(unwind)).or(handler);
    for stmt in &mut copy.stmts {
        stmt.source = to.source(stmt.source);
        each_place_mut(&mut stmt.kind, &mut |place| to.place(place), &mut |local| *local = to.local(*local));
    }
    copy.term.source = to.source(copy.term.source);
    if let Some(Operand::Copy(place) | Operand::Move(place)) = term_operand_mut(&mut copy.term.kind) {
        to.place(place);
    }
    match &mut copy.term.kind {
        kind @ TermKind::Return => *kind = TermKind::Goto(after),
        kind @ TermKind::Resume => {
            if let Some(handler) = handler {
                *kind = TermKind::Goto(handler);
            }
        }
        kind => kind.for_each_successor_mut(&mut |id| *id = to.block(*id)),
    }
    copy
}
