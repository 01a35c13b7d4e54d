//! Indexes that count from the end are rare: one that is in bounds as it stands is used as it stands.
//!
//! ```text
//! _3 = shr i, 63                     ok = i as U64 < size as U64
//! _4 = and _3, size                  if not ok
//! at = add i, _4               →       at = add i, size
//! bad = at as U64 >= size as U64       bad = at as U64 >= size as U64
//! ```
//!
//! Where an index comes from memory, or from the element before, the processor would wait for the sum first, and
//! then for the element. After [`crate::versions`], which looks for checks in the form on the left.

use qz_mir::visit::each_place;
use qz_mir::{
    BinOp, Block, BlockId, Body, CastKind, Const, Local, LocalDecl, Operand, Ownership, Place, Rvalue, Stmt,
    StmtKind, TermKind, Terminator,
};
use qz_types::ty::common;

/// Rewrites all checks of a body that take the sign into account.
pub(crate) fn usual_first(body: &mut Body) {
    for id in body.blocks.ids() {
        if let Some(check) = Check::at_end(body, id) {
            check.rewrite(body, id);
        }
    }
}

/// A bounds check at the end of a block.
struct Check {
    index: Local,
    size: Local,
    /// What the index comes to, and which statement says so.
    at: Local,
    sum: usize,
    /// The size as a `U64`.
    limit: Local,
    bad: BlockId,
    good: BlockId,
}

impl Check {
    fn at_end(body: &Body, id: BlockId) -> Option<Check> {
        let block = &body.blocks[id];
        let TermKind::Branch { cond, then: bad, else_: good, .. } = &block.term.kind else { return None };
        let before = |local: Local, end: usize| {
            let found = block.stmts[..end].iter().rposition(|stmt| defines(stmt, local))?;
            match &block.stmts[found].kind {
                StmtKind::Assign(_, value) => Some((found, value)),
                _ => None,
            }
        };
        let all = block.stmts.len();
        let (asked, Rvalue::Binary(BinOp::Ge, left, right)) = before(whole(cond)?, all)? else { return None };
        let limit = whole(right)?;
        let (_, Rvalue::Cast(CastKind::Wrapping, at, _)) = before(whole(left)?, asked)? else { return None };
        let (_, Rvalue::Cast(CastKind::Wrapping, size, _)) = before(limit, asked)? else { return None };
        let (at, size) = (whole(at)?, whole(size)?);
        let (sum, Rvalue::Binary(BinOp::Add, index, more)) = before(at, asked)? else { return None };
        let (masked, Rvalue::Binary(BinOp::BitAnd, sign, of)) = before(whole(more)?, sum)? else {
            return None;
        };
        let (shifted, Rvalue::Binary(BinOp::Shr, from, by)) = before(whole(sign)?, masked)? else {
            return None;
        };
        let index = whole(index)?;
        let is_sign = whole(from)? == index && matches!(by, Operand::Const(Const::Int(63, _)));
        let stays = |local: Local| !block.stmts[shifted..].iter().any(|stmt| defines(stmt, local));
        let mut looks = 0;
        for stmt in &block.stmts[sum + 1..] {
            each_place(&stmt.kind, &mut |place, _| {
                looks += place.index_locals().chain([place.local()]).filter(|&it| it == at).count();
            });
        }
        let fits = is_sign && whole(of)? == size && index != at && stays(index) && stays(size) && looks == 1;
        fits.then_some(Check { index, size, at, sum, limit, bad: *bad, good: *good })
    }

    fn rewrite(&self, body: &mut Body, id: BlockId) {
        let block = &mut body.blocks[id];
        let source = block.term.source;
        let (cleanup, unwind) = (block.cleanup, block.unwind);
        let plain = Rvalue::Use(Operand::local(self.index));
        block.stmts[self.sum].kind = StmtKind::Assign(Place::local(self.at), plain);
        let mut temp = |ty| {
            let (span, scope) = (source.span, source.scope);
            body.locals.alloc(LocalDecl { ty, name: None, span, scope, ownership: Ownership::Owned })
        };
        let (unsigned, cond) = (temp(common().u64), temp(common().bool));
        let assign = |to, value| Stmt { kind: StmtKind::Assign(Place::local(to), value), source };
        let (index, size) = (Operand::local(self.index), Operand::local(self.size));
        let stmts = vec![
            assign(self.at, Rvalue::Binary(BinOp::Add, index, size)),
            assign(unsigned, Rvalue::Cast(CastKind::Wrapping, Operand::local(self.at), common().u64)),
            assign(cond, Rvalue::Binary(BinOp::Ge, Operand::local(unsigned), Operand::local(self.limit))),
        ];
        let branch = |cond, then, else_, likely| {
            let kind = TermKind::Branch { cond, then, else_, likely: Some(likely) };
            Terminator { kind, source }
        };
        let term = branch(Operand::local(cond), self.bad, self.good, false);
        let rare = body.blocks.alloc(Block { stmts, term, unwind, cleanup });
        let TermKind::Branch { cond, .. } = body.blocks[id].term.kind.clone() else { return };
        body.blocks[id].term = branch(cond, rare, self.good, false);
    }
}

fn whole(operand: &Operand) -> Option<Local> {
    operand.place()?.as_local()
}

fn defines(stmt: &Stmt, local: Local) -> bool {
    match &stmt.kind {
        StmtKind::Assign(place, _) | StmtKind::Init(place, _) => place.local == local,
        StmtKind::Call(call) => call.dest == local,
        StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Release(_) | StmtKind::Nop => false,
    }
}
