//! Writes moves, retains and releases into a body.

use qz_mir::{
    Block, BlockId, Body, Call, Callee, Intrinsic, Local, LocalDecl, Operand, Ownership, Place, Rvalue,
    SourceInfo, Stmt, StmtKind, TermKind, Terminator,
};
use smallvec::SmallVec;

use super::Cx;
use super::borrow::{is_constant, is_only_part};
use super::edges::Edges;
use super::flow::{Flow, defined, each_use, is_uninit};
use super::locals::Locals;
use super::pads::Pads;
use crate::bits::Bits;

/// Numbers of tracked locals.
type Numbers = SmallVec<[usize; 4]>;

/// What ends with a statement.
#[derive(Clone, Default)]
struct Ending {
    /// Locals whose value at this point is not used after the statement any more.
    dying: Numbers,
    /// The local that the statement gives a new value that is used later.
    renewed: Option<usize>,
}

pub(super) fn place(mut body: Body, cx: &Cx, locals: &Locals, flow: &Flow, checks_stack: bool) -> Body {
    mark_borrowed(&mut body, locals, cx);
    let edges = Edges::new(&body);
    let handlers = body.blocks.values().map(|block| block.unwind).collect();
    let (pads, out) = (Pads::default(), Out::default());
    // The stack may overflow on the way in: then the entry's cleanup releases the parameters.
    let pad_entry = checks_stack && !locals.owned_params.is_empty();
    let mut placer = Placer { cx, locals, flow, handlers, pad_entry, pads, out, body };
    for id in placer.body.blocks.ids() {
        placer.block(id, &edges);
    }
    let mut body = placer.body;
    forget_idle_handlers(&mut body, cx, pad_entry);
    qz_mir::build::remove_unreachable_blocks(&mut body);
    body
}

fn mark_borrowed(body: &mut Body, locals: &Locals, cx: &Cx) {
    for (local, decl) in body.locals.iter_mut() {
        let owned = locals.number(local).is_some() || !cx.drops.is_counted(decl.ty);
        decl.ownership = if owned { Ownership::Owned } else { Ownership::Borrowed };
    }
}

/// A block in which nothing panics needs no handler; but the entry keeps its own if parameters are owned.
fn forget_idle_handlers(body: &mut Body, cx: &Cx, keep_entry: bool) {
    for id in body.blocks.ids() {
        let block = &body.blocks[id];
        if id == Body::ENTRY && keep_entry {
            continue;
        }
        if block.unwind.is_some() && !block.stmts.iter().any(|stmt| cx.may_panic(body, &stmt.kind)) {
            body.blocks[id].unwind = None;
        }
    }
}

/// The block being written.
#[derive(Default)]
struct Out {
    id: Option<BlockId>,
    stmts: Vec<Stmt>,
    /// Where panics go, once a statement that may panic has decided it.
    unwind: Option<Option<BlockId>>,
    /// Where panics continued before counts were placed.
    handler: Option<BlockId>,
    cleanup: bool,
    /// What is owned at this point.
    owned: Bits,
}

struct Placer<'a> {
    cx: &'a Cx<'a>,
    locals: &'a Locals,
    flow: &'a Flow,
    /// Where panics of each block continued before counts were placed.
    handlers: Vec<Option<BlockId>>,
    pad_entry: bool,
    pads: Pads,
    body: Body,
    out: Out,
}

impl Placer<'_> {
    fn block(&mut self, id: BlockId, edges: &Edges) {
        let stmts = std::mem::take(&mut self.body.blocks[id].stmts);
        let endings = self.endings(&stmts, id);
        let term = self.body.blocks[id].term.clone();
        let first_source = stmts.first().map_or(term.source, |stmt| stmt.source);
        self.start(id, edges.arriving(id, self.flow));
        if id == Body::ENTRY && self.pad_entry {
            self.out.unwind = Some(self.pad(first_source));
        }
        self.release_except(&self.flow.owned_in(id), first_source);
        for (stmt, ending) in stmts.into_iter().zip(&endings) {
            self.statement(stmt, ending);
        }
        let keep = match term.kind {
            TermKind::Return => {
                let mut keep = Bits::new(self.locals.len());
                self.locals.number(Body::RETURN).into_iter().for_each(|it| keep.insert(it));
                Some(keep)
            }
            TermKind::Resume => Some(Bits::new(self.locals.len())),
            _ => edges.leaving(&term.kind, self.flow),
        };
        if let Some(keep) = keep {
            // What dies on the way out is gone when the next handler, or the caller, takes over.
            let handler = match term.kind {
                TermKind::Goto(to) => self.handlers[to.index()],
                _ => None,
            };
            if !self.out.owned.minus(&keep).is_empty() {
                self.leave_handler(handler, term.source);
            }
            self.release_except(&keep, term.source);
        }
        let source = term.source;
        let last = self.finish(term);
        for (split, target, dead) in edges.split(&mut self.body, id, last, self.flow) {
            // Releasing may panic and go on in a further block: the way out is that one's then.
            let term = self.body.blocks[split].term.clone();
            self.start(split, dead);
            self.out.handler = self.handlers[target.index()];
            self.out.owned.union(&self.flow.owned_in(target));
            self.release_except(&self.flow.owned_in(target), source);
            self.finish(term);
        }
    }

    /// What ends with each statement of a block.
    fn endings(&self, stmts: &[Stmt], id: BlockId) -> Vec<Ending> {
        let mut live = self.flow.live_out[id.index()].clone();
        let mut endings = vec![Ending::default(); stmts.len()];
        for (stmt, ending) in stmts.iter().zip(&mut endings).rev() {
            let mut note = |it: usize| {
                if !ending.dying.contains(&it) {
                    ending.dying.push(it);
                }
            };
            if let StmtKind::EndScope(local) = &stmt.kind {
                let kept = self.locals.number(*local).filter(|&it| self.locals.kept[it]);
                kept.into_iter().for_each(note);
            } else {
                let own = defined(&stmt.kind).and_then(|local| self.locals.number(local));
                own.into_iter().filter(|&it| !live.has(it)).for_each(&mut note);
                // What is used and then given a new value dies as well: the old value does.
                each_use(&stmt.kind, self.locals, &mut |it| {
                    if !live.has(it) || own == Some(it) {
                        note(it);
                    }
                });
                ending.renewed = own.filter(|&it| live.has(it));
                ending.dying.sort_unstable();
            }
            self.flow.before_stmt(&stmt.kind, self.locals, self.handlers[id.index()], &mut live);
        }
        endings
    }

    // ---- output

    fn start(&mut self, id: BlockId, owned: Bits) {
        let block = &self.body.blocks[id];
        let (handler, cleanup) = (block.unwind, block.cleanup);
        self.out = Out { id: Some(id), stmts: Vec::new(), unwind: None, handler, cleanup, owned };
    }

    /// Ends the block under way and gives its number.
    fn finish(&mut self, term: Terminator) -> BlockId {
        let id = self.out.id.take().expect("a block is under way");
        let block = &mut self.body.blocks[id];
        block.stmts = std::mem::take(&mut self.out.stmts);
        block.unwind = self.out.unwind.take().flatten();
        block.term = term;
        id
    }

    /// Goes on in a block with another handler.
    fn leave_handler(&mut self, handler: Option<BlockId>, source: SourceInfo) {
        if self.out.handler == handler {
            return;
        }
        if self.out.handler.is_some() {
            self.next_block(Vec::new(), source);
        }
        self.out.handler = handler;
    }

    /// Ends the block under way and goes on in a new one that starts with these statements.
    fn next_block(&mut self, stmts: Vec<Stmt>, source: SourceInfo) {
        let term = Terminator { kind: TermKind::Unreachable, source };
        let (unwind, cleanup) = (None, self.out.cleanup);
        let next = self.body.blocks.alloc(Block { stmts: Vec::new(), term, unwind, cleanup });
        self.finish(Terminator { kind: TermKind::Goto(next), source });
        self.out.id = Some(next);
        self.out.stmts = stmts;
    }

    fn push(&mut self, kind: StmtKind, source: SourceInfo) {
        if self.cx.may_panic(&self.body, &kind) {
            let pad = self.pad(source);
            if self.out.unwind.is_some_and(|unwind| unwind != pad) {
                // Counts added for this statement stay with it, and constants made for it.
                let prepares = |stmt: &Stmt| match &stmt.kind {
                    StmtKind::Retain(_) => true,
                    StmtKind::Assign(_, value) => is_constant(value),
                    _ => false,
                };
                let own = self.out.stmts.iter().rev().take_while(|stmt| prepares(stmt)).count();
                let own = self.out.stmts.split_off(self.out.stmts.len() - own);
                self.next_block(own, source);
            }
            self.out.unwind = Some(pad);
        }
        self.out.stmts.push(Stmt { kind, source });
    }

    /// Where a panic goes at this point.
    fn pad(&mut self, source: SourceInfo) -> Option<BlockId> {
        let mut release = self.out.owned.clone();
        if let Some(handler) = self.out.handler {
            let kept = self.flow.owned_in(handler);
            debug_assert!(kept.minus(&release).is_empty(), "a handler finds what it uses");
            release.subtract(&kept);
        }
        self.pads.pad(&mut self.body, self.cx, self.locals, &release, self.out.handler, source)
    }

    fn temp(&mut self, ty: qz_types::Ty, source: SourceInfo) -> Local {
        self.body.locals.alloc(LocalDecl {
            ty,
            name: None,
            span: source.span,
            scope: source.scope,
            ownership: Ownership::Owned,
        })
    }

    /// Releases what is owned here but not in the set, the latest first.
    fn release_except(&mut self, keep: &Bits, source: SourceInfo) {
        let dead: Numbers = self.out.owned.minus(keep).iter().collect();
        dead.into_iter().rev().for_each(|it| self.release(it, source));
    }

    fn release(&mut self, number: usize, source: SourceInfo) {
        self.out.owned.remove(number);
        self.push(StmtKind::Release(Place::local(self.locals.tracked[number])), source);
    }

    // ---- statements

    fn statement(&mut self, stmt: Stmt, ending: &Ending) {
        let (source, dying) = (stmt.source, &ending.dying);
        match stmt.kind {
            StmtKind::Nop | StmtKind::EndScope(_) => {}
            kind @ (StmtKind::Retain(_) | StmtKind::Release(_)) => self.push(kind, source),
            StmtKind::Assign(place, value) => self.assign(place, value, false, dying, source),
            StmtKind::Init(place, value) => self.assign(place, value, true, dying, source),
            StmtKind::Call(call) => self.call(*call, dying, source),
        }
        for &number in dying.iter().rev() {
            if self.out.owned.has(number) && ending.renewed != Some(number) {
                self.release(number, source);
            }
        }
    }

    /// Whether a local holds a counted value without a count of its own.
    fn only_looks(&self, local: Local) -> bool {
        self.locals.number(local).is_none() && self.body.locals[local].ownership == Ownership::Borrowed
    }

    fn is_counted(&self, place: &Place) -> bool {
        self.cx.drops.is_counted(self.cx.layouts.place_ty(&self.body, place))
    }

    /// An operand that is wanted for keeps: moved if this is the last use of an owned local, else with a count
    /// of its own. `borrowed` are locals that the same statement goes on using.
    fn consume(&mut self, operand: &mut Operand, dying: &Numbers, borrowed: &Numbers, source: SourceInfo) {
        let (place, explicit) = match operand {
            Operand::Const(_) => return,
            Operand::Copy(place) => (place.clone(), false),
            Operand::Move(place) => (place.clone(), !place.proj.is_empty()),
        };
        if explicit || !self.is_counted(&place) {
            return;
        }
        let number = place.as_local().and_then(|local| self.locals.number(local));
        if let Some(it) = number
            && self.out.owned.has(it)
            && dying.contains(&it)
            && !borrowed.contains(&it)
        {
            self.out.owned.remove(it);
            *operand = Operand::Move(place);
            return;
        }
        if let Some(value) = place.as_local().and_then(|local| self.locals.constant(local)).cloned() {
            let made = Place::local(self.temp(self.body.locals[place.local].ty, source));
            self.push(StmtKind::Assign(made.clone(), value), source);
            *operand = Operand::Move(made);
            return;
        }
        self.push(StmtKind::Retain(place.clone()), source);
        *operand = Operand::Copy(place);
    }

    /// Consumes operands that are all read at once. The last mention of a local is the one that moves it.
    fn consume_all(&mut self, operands: &mut [Operand], dying: &Numbers, source: SourceInfo) {
        for operand in operands.iter_mut().rev() {
            self.consume(operand, dying, &Numbers::new(), source);
        }
    }

    /// Consumes what the value keeps. Says whether the stored value still needs a count: it was read out of
    /// something else.
    fn consume_value(&mut self, value: &mut Rvalue, dying: &Numbers, source: SourceInfo) -> bool {
        match value {
            Rvalue::Use(Operand::Copy(place)) if !place.proj.is_empty() => {
                let place = place.clone();
                return self.is_counted(&place) && !self.take_only_part(value, &place, dying);
            }
            Rvalue::Use(operand) => self.consume_all(std::slice::from_mut(operand), dying, source),
            Rvalue::Aggregate(_, operands) | Rvalue::New(_, operands) | Rvalue::Closure(_, operands) => {
                self.consume_all(operands, dying, source);
            }
            Rvalue::MakeDyn { value, .. } => {
                self.consume_all(std::slice::from_mut(value), dying, source);
            }
            Rvalue::Intrinsic(Intrinsic::Forget, operands, _) => {
                self.consume_all(operands, dying, source);
            }
            Rvalue::Reuse(..) => unreachable!("blocks are handed on after counts are placed"),
            Rvalue::Unary(..)
            | Rvalue::Binary(..)
            | Rvalue::Checked(..)
            | Rvalue::Overflowing(..)
            | Rvalue::Cast(..)
            | Rvalue::Discriminant(_)
            | Rvalue::Ref(..)
            | Rvalue::StaticRef(_)
            | Rvalue::Intrinsic(..) => qz_mir::visit::each_operand_mut(value, &mut only_look),
        }
        false
    }

    /// Moves everything counted out of an owned local that is not used any more, if it is one part.
    fn take_only_part(&mut self, value: &mut Rvalue, place: &Place, dying: &Numbers) -> bool {
        let Some(owner) = self.locals.number(place.local) else { return false };
        let ty = self.body.locals[place.local].ty;
        if !self.out.owned.has(owner) || !dying.contains(&owner) || !is_only_part(self.cx, ty, &place.proj) {
            return false;
        }
        self.out.owned.remove(owner);
        *value = Rvalue::Use(Operand::Move(place.clone()));
        true
    }

    fn assign(&mut self, place: Place, mut value: Rvalue, init: bool, dying: &Numbers, source: SourceInfo) {
        if place.as_local().is_some_and(|local| self.only_looks(local)) {
            return self.push(StmtKind::Assign(place, value), source);
        }
        let needs_count = self.consume_value(&mut value, dying, source);
        match place.as_local() {
            Some(local) => self.store_local(local, value, needs_count, source),
            None => self.store_inside(place, value, needs_count, init, source),
        }
    }

    fn store_local(&mut self, local: Local, value: Rvalue, needs_count: bool, source: SourceInfo) {
        let number = self.locals.number(local);
        let replaces = number.is_some_and(|it| self.out.owned.has(it));
        let dest = if replaces { self.temp(self.body.locals[local].ty, source) } else { local };
        let kind = StmtKind::Assign(Place::local(dest), value);
        let uninit = is_uninit(&kind);
        self.push(kind, source);
        let Some(number) = number else { return };
        if needs_count {
            self.push(StmtKind::Retain(Place::local(dest)), source);
        }
        if replaces {
            self.replace(local, dest, source);
        } else if !uninit {
            self.out.owned.insert(number);
        }
    }

    /// Puts the value of `new` into an owned local; the old one goes when the new one is in place.
    fn replace(&mut self, local: Local, new: Local, source: SourceInfo) {
        let old = self.temp(self.body.locals[local].ty, source);
        let take = |from: Local| Rvalue::Use(Operand::Move(Place::local(from)));
        self.push(StmtKind::Assign(Place::local(old), take(local)), source);
        self.push(StmtKind::Assign(Place::local(local), take(new)), source);
        self.push(StmtKind::Release(Place::local(old)), source);
    }

    fn store_inside(
        &mut self,
        place: Place,
        value: Rvalue,
        needs_count: bool,
        init: bool,
        source: SourceInfo,
    ) {
        if !self.is_counted(&place) {
            return self.push(StmtKind::Assign(place, value), source);
        }
        let value = match value {
            Rvalue::Use(Operand::Copy(from)) if needs_count => {
                // Read in front of everything else: the place stored to may be where it comes from.
                self.push(StmtKind::Retain(from.clone()), source);
                Rvalue::Use(Operand::Copy(from))
            }
            value => value,
        };
        if init {
            if let Some(it) = self.locals.number(place.local) {
                self.out.owned.insert(it);
            }
            return self.push(StmtKind::Init(place, value), source);
        }
        let old = self.temp(self.cx.layouts.place_ty(&self.body, &place), source);
        self.push(StmtKind::Assign(Place::local(old), Rvalue::Use(Operand::Move(place.clone()))), source);
        self.push(StmtKind::Assign(place, value), source);
        self.push(StmtKind::Release(Place::local(old)), source);
    }

    fn call(&mut self, mut call: Call, dying: &Numbers, source: SourceInfo) {
        let taken: SmallVec<[bool; 8]> =
            (0..call.args.len()).map(|n| self.cx.takes_argument(&call.callee, n)).collect();
        let mut borrowed = Numbers::new();
        if let Callee::Value(Operand::Copy(place) | Operand::Move(place)) = &call.callee {
            borrowed.extend(self.locals.kept_alive(place.local));
        }
        for (arg, &taken) in call.args.iter().zip(&taken) {
            if let Some(place) = arg.place().filter(|place| !taken || !place.proj.is_empty()) {
                borrowed.extend(self.locals.kept_alive(place.local));
            }
        }
        for (arg, &taken) in call.args.iter_mut().zip(&taken).rev() {
            match taken {
                true => self.consume(arg, dying, &borrowed, source),
                false => only_look(arg),
            }
        }
        if let Callee::Value(operand) = &mut call.callee {
            only_look(operand);
        }
        let local = call.dest;
        let number = self.locals.number(local);
        let replaces = number.is_some_and(|it| self.out.owned.has(it));
        if replaces {
            call.dest = self.temp(self.body.locals[local].ty, source);
        }
        let new = call.dest;
        self.push(StmtKind::Call(Box::new(call)), source);
        match number {
            Some(_) if replaces => self.replace(local, new, source),
            Some(number) => self.out.owned.insert(number),
            None => {}
        }
    }
}

/// An operand that is only read while the statement runs.
fn only_look(operand: &mut Operand) {
    if let Operand::Move(place) = operand {
        *operand = Operand::Copy(place.clone());
    }
}
