//! Building bodies. A block is open until it gets its terminator; afterwards nothing can be put into it,
//! so "a store into a block already ended" cannot be written.

use qz_base::{Arena, Name, Span};
use qz_types::Ty;

use crate::body::*;
use crate::program::BodyKey;

/// Builds one body, one open block at a time.
pub struct Builder {
    key: BodyKey,
    pub locals: Arena<LocalDecl>,
    param_count: u32,
    blocks: Arena<Pending>,
    scopes: Arena<SourceScope>,
    captures: Vec<Ty>,
    pub attrs: BodyAttrs,
    current: Option<BlockId>,
    unwind: Option<BlockId>,
    cleanup: bool,
    source: SourceInfo,
}

struct Pending {
    stmts: Vec<Stmt>,
    term: Option<Terminator>,
    unwind: Option<BlockId>,
    cleanup: bool,
}

impl Builder {
    /// Starts a body; the entry block is open.
    pub fn new(key: BodyKey, function: Name, ret: Ty, span: Span, attrs: BodyAttrs) -> Builder {
        let mut scopes = Arena::new();
        let scope = scopes.alloc(SourceScope {
            function,
            declared: span,
            track_caller: attrs.track_caller,
            inlined_at: None,
        });
        let mut builder = Builder {
            key,
            locals: Arena::new(),
            param_count: 0,
            blocks: Arena::new(),
            scopes,
            captures: Vec::new(),
            attrs,
            current: None,
            unwind: None,
            cleanup: false,
            source: SourceInfo { span, scope },
        };
        builder.local(ret, None);
        let entry = builder.new_block();
        builder.switch_to(entry);
        builder
    }

    /// Says where the function's head stands, if not where its body does.
    pub fn declared_at(&mut self, head: Span) {
        self.scopes[Body::SCOPE].declared = head;
    }

    /// Adds a parameter. All parameters come before other locals.
    pub fn param(&mut self, ty: Ty, name: Option<Name>) -> Local {
        let local = self.local(ty, name);
        self.param_count += 1;
        debug_assert_eq!(local.raw(), self.param_count, "parameters come first");
        local
    }

    pub fn set_captures(&mut self, captures: Vec<Ty>) {
        self.captures = captures;
    }

    pub fn local(&mut self, ty: Ty, name: Option<Name>) -> Local {
        self.locals.alloc(LocalDecl {
            ty,
            name,
            span: self.source.span,
            scope: self.source.scope,
            ownership: Ownership::Owned,
        })
    }

    pub fn ty_of(&self, local: Local) -> Ty {
        self.locals[local].ty
    }

    pub fn temp(&mut self, ty: Ty) -> Local {
        self.local(ty, None)
    }

    /// The place that following statements come from.
    pub fn set_span(&mut self, span: Span) {
        self.source.span = span;
    }

    pub fn span(&self) -> Span {
        self.source.span
    }

    pub fn source(&self) -> SourceInfo {
        self.source
    }

    /// Where panics in blocks made from now on go. Returns what held before.
    pub fn set_unwind(&mut self, unwind: Option<BlockId>) -> Option<BlockId> {
        std::mem::replace(&mut self.unwind, unwind)
    }

    pub fn unwind(&self) -> Option<BlockId> {
        self.unwind
    }

    /// Whether blocks made from now on run during a panic. Returns what held before.
    pub fn set_cleanup(&mut self, cleanup: bool) -> bool {
        std::mem::replace(&mut self.cleanup, cleanup)
    }

    /// A new block, not yet open, with the current unwind target.
    pub fn new_block(&mut self) -> BlockId {
        self.blocks_alloc(self.unwind, self.cleanup)
    }

    fn blocks_alloc(&mut self, unwind: Option<BlockId>, cleanup: bool) -> BlockId {
        let id = self.blocks.alloc(Pending { stmts: Vec::new(), term: None, unwind, cleanup });
        BlockId::from_raw(id.raw())
    }

    /// Opens a block for statements. The one that was open must have ended.
    pub fn switch_to(&mut self, block: BlockId) {
        debug_assert!(self.current.is_none(), "the open block has no terminator yet");
        self.current = Some(block);
    }

    /// Whether control can reach this point.
    pub fn is_open(&self) -> bool {
        self.current.is_some()
    }

    /// Continues in a new block if the unwind target changed since the open one was made.
    pub fn refresh(&mut self) {
        let Some(current) = self.current else { return };
        let pending = &self.blocks[qz_base::Id::from_raw(current.raw())];
        if pending.unwind == self.unwind && pending.cleanup == self.cleanup {
            return;
        }
        if pending.stmts.is_empty() && current != Body::ENTRY {
            let (unwind, cleanup) = (self.unwind, self.cleanup);
            let pending = &mut self.blocks[qz_base::Id::from_raw(current.raw())];
            (pending.unwind, pending.cleanup) = (unwind, cleanup);
            return;
        }
        let next = self.new_block();
        self.goto(next);
        self.switch_to(next);
    }

    /// Adds a statement; dropped where control cannot reach.
    pub fn push(&mut self, kind: StmtKind) {
        if let Some(current) = self.current {
            let source = self.source;
            self.blocks[qz_base::Id::from_raw(current.raw())].stmts.push(Stmt { kind, source });
        }
    }

    /// Puts statements before those of a block.
    pub fn put_first(&mut self, block: BlockId, kinds: impl IntoIterator<Item = StmtKind>) {
        let source = self.source;
        let stmts = &mut self.blocks[qz_base::Id::from_raw(block.raw())].stmts;
        stmts.splice(0..0, kinds.into_iter().map(|kind| Stmt { kind, source }));
    }

    pub fn assign(&mut self, place: Place, value: Rvalue) {
        self.push(StmtKind::Assign(place, value));
    }

    pub fn assign_local(&mut self, local: Local, value: Rvalue) {
        self.assign(Place::local(local), value);
    }

    /// Stores a value in a fresh temporary.
    pub fn eval(&mut self, ty: Ty, value: Rvalue) -> Local {
        let temp = self.temp(ty);
        self.assign_local(temp, value);
        temp
    }

    pub fn call(&mut self, dest: Local, callee: Callee, args: impl IntoIterator<Item = Operand>) {
        let args = args.into_iter().collect();
        self.push(StmtKind::Call(Box::new(Call { dest, callee, args })));
    }

    /// Ends the open block.
    pub fn end(&mut self, kind: TermKind) {
        if let Some(current) = self.current.take() {
            let source = self.source;
            let pending = &mut self.blocks[qz_base::Id::from_raw(current.raw())];
            debug_assert!(pending.term.is_none(), "a block ends once");
            pending.term = Some(Terminator { kind, source });
        }
    }

    pub fn goto(&mut self, to: BlockId) {
        self.end(TermKind::Goto(to));
    }

    pub fn branch(&mut self, cond: Operand, then: BlockId, else_: BlockId) {
        self.end(TermKind::Branch { cond, then, else_, likely: None });
    }

    /// Finishes the body. Blocks that were made but never reached end in `Unreachable`; then all blocks
    /// that nothing jumps to are left out.
    pub fn finish(mut self) -> Body {
        self.end(TermKind::Unreachable);
        let source = self.source;
        let mut blocks = Arena::new();
        for pending in std::mem::take(&mut self.blocks).values_mut() {
            blocks.alloc(Block {
                stmts: std::mem::take(&mut pending.stmts),
                term: pending.term.take().unwrap_or(Terminator { kind: TermKind::Unreachable, source }),
                unwind: pending.unwind,
                cleanup: pending.cleanup,
            });
        }
        let mut body = Body {
            key: self.key,
            locals: self.locals,
            param_count: self.param_count,
            blocks,
            scopes: self.scopes,
            captures: self.captures,
            attrs: self.attrs,
        };
        remove_unreachable_blocks(&mut body);
        body
    }
}

/// Leaves out blocks that control cannot reach and renumbers the rest in order. The entry's cleanup counts as
/// reached: the stack may overflow before the first statement.
pub fn remove_unreachable_blocks(body: &mut Body) {
    let SourceInfo { span, scope } = body.blocks[Body::ENTRY].term.source;
    let mut reached = vec![false; body.blocks.len()];
    let mut work = vec![Body::ENTRY];
    work.extend(body.blocks[Body::ENTRY].unwind);
    while let Some(block) = work.pop() {
        if std::mem::replace(&mut reached[block.index()], true) {
            continue;
        }
        let block = &body.blocks[block];
        work.extend(block.term.kind.successors());
        // While counts are not placed, any statement may be the last that uses a value, whose `drop` may panic.
        if !block.stmts.iter().all(|stmt| matches!(stmt.kind, StmtKind::Nop)) {
            work.extend(block.unwind);
        }
    }
    if !reached.contains(&false) {
        return;
    }
    let mut renumbered = vec![None; body.blocks.len()];
    let mut kept = Arena::new();
    let idle = || Block {
        stmts: Vec::new(),
        term: Terminator { kind: TermKind::Unreachable, source: SourceInfo { span, scope } },
        unwind: None,
        cleanup: false,
    };
    for (id, block) in body.blocks.iter_mut() {
        if reached[id.index()] {
            renumbered[id.index()] = Some(kept.alloc(std::mem::replace(block, idle())));
        }
    }
    for block in kept.values_mut() {
        block.unwind = block.unwind.and_then(|to| renumbered[to.index()]);
        block.term.kind.for_each_successor_mut(&mut |to| {
            *to = renumbered[to.index()].expect("a successor of a reached block is reached");
        });
    }
    body.blocks = kept;
}
