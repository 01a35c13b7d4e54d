//! Cleanup blocks: what is released when a statement panics, latest first.
//!
//! Each block releases one local and goes on with the next, so that statements with nearly the same owned
//! locals share nearly all of their cleanup.

use qz_base::FxHashMap;
use qz_mir::{Block, BlockId, Body, Place, SourceInfo, Stmt, StmtKind, TermKind, Terminator};

use super::Cx;
use super::locals::Locals;
use crate::bits::Bits;

#[derive(Default)]
pub(super) struct Pads {
    resume: Option<BlockId>,
    /// By the number of the released local and the block that follows.
    blocks: FxHashMap<(usize, BlockId), BlockId>,
    /// The last answer: neighbouring statements mostly have the same.
    last: Option<(Bits, Option<BlockId>, Option<BlockId>)>,
}

impl Pads {
    /// Where a panic goes that must release these locals and continue in `handler`, if there is one.
    pub(super) fn pad(
        &mut self,
        body: &mut Body,
        cx: &Cx,
        locals: &Locals,
        release: &Bits,
        handler: Option<BlockId>,
        source: SourceInfo,
    ) -> Option<BlockId> {
        if release.is_empty() {
            return handler;
        }
        if let Some((known, to, pad)) = &self.last
            && known == release
            && *to == handler
        {
            return *pad;
        }
        let mut next = handler.unwrap_or_else(|| {
            *self.resume.get_or_insert_with(|| new_block(body, None, TermKind::Resume, source))
        });
        for number in release.iter() {
            next = match self.blocks.get(&(number, next)) {
                Some(&known) => known,
                None => {
                    let made = self.release_block(body, cx, locals, number, next, source);
                    self.blocks.insert((number, next), made);
                    made
                }
            };
        }
        self.last = Some((release.clone(), handler, Some(next)));
        Some(next)
    }

    fn release_block(
        &self,
        body: &mut Body,
        cx: &Cx,
        locals: &Locals,
        number: usize,
        next: BlockId,
        source: SourceInfo,
    ) -> BlockId {
        let local = locals.tracked[number];
        // A panic in here is attached to the one under way, and the rest is released all the same.
        let panics = cx.panics.release(body.locals[local].ty, cx.drops);
        let unwind = (panics && self.resume != Some(next)).then_some(next);
        let block = new_block(body, unwind, TermKind::Goto(next), source);
        let kind = StmtKind::Release(Place::local(local));
        body.blocks[block].stmts.push(Stmt { kind, source });
        block
    }
}

fn new_block(body: &mut Body, unwind: Option<BlockId>, kind: TermKind, source: SourceInfo) -> BlockId {
    let term = Terminator { kind, source };
    body.blocks.alloc(Block { stmts: Vec::new(), term, unwind, cleanup: true })
}
