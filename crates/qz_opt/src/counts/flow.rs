//! Where tracked locals are live, and where they hold a value on every way there.
//!
//! What a handler uses stays live all through the blocks it guards, so that every statement there may panic,
//! releases included.

use qz_mir::visit::{Use, each_place, term_operand};
use qz_mir::{BlockId, Body, Intrinsic, Operand, Rvalue, StmtKind, TermKind, Terminator};

use super::locals::Locals;
use crate::bits::Bits;

pub(super) struct Flow {
    pub(super) live_in: Vec<Bits>,
    /// In front of the terminator.
    pub(super) live_out: Vec<Bits>,
    /// Where a value is held for sure.
    pub(super) held_in: Vec<Bits>,
    pub(super) held_out: Vec<Bits>,
}

impl Flow {
    pub(super) fn new(body: &Body, locals: &Locals) -> Flow {
        let (blocks, len) = (body.blocks.len(), locals.len());
        let mut flow = Flow {
            live_in: vec![Bits::new(len); blocks],
            live_out: vec![Bits::new(len); blocks],
            held_in: vec![Bits::full(len); blocks],
            held_out: vec![Bits::full(len); blocks],
        };
        if len > 0 {
            let order = postorder(body);
            flow.find_live(body, locals, &order);
            flow.find_held(body, locals, &order);
        }
        flow
    }

    /// Only where locals are live.
    pub(super) fn live(body: &Body, locals: &Locals) -> Flow {
        let empty = || vec![Bits::new(locals.len()); body.blocks.len()];
        let mut flow =
            Flow { live_in: empty(), live_out: empty(), held_in: Vec::new(), held_out: Vec::new() };
        flow.find_live(body, locals, &postorder(body));
        flow
    }

    /// What is owned at the start of a block.
    pub(super) fn owned_in(&self, block: BlockId) -> Bits {
        self.live_in[block.index()].and(&self.held_in[block.index()])
    }

    /// What is owned in front of a block's terminator.
    pub(super) fn owned_out(&self, block: BlockId) -> Bits {
        self.live_out[block.index()].and(&self.held_out[block.index()])
    }

    fn find_live(&mut self, body: &Body, locals: &Locals, order: &[BlockId]) {
        let mut changed = true;
        while changed {
            changed = false;
            for &id in order {
                let block = &body.blocks[id];
                let mut live = Bits::new(locals.len());
                for to in block.term.kind.successors().into_iter().chain(block.unwind) {
                    live.union(&self.live_in[to.index()]);
                }
                before_term(body, &block.term, locals, &mut live);
                self.live_out[id.index()] = live.clone();
                for stmt in block.stmts.iter().rev() {
                    self.before_stmt(&stmt.kind, locals, block.unwind, &mut live);
                }
                changed |= self.live_in[id.index()].union(&live);
            }
        }
    }

    /// Turns what is live after a statement into what is live before it. What the handler uses is live at
    /// every point that it guards, even if the next statement stores something else.
    pub(super) fn before_stmt(
        &self,
        stmt: &StmtKind,
        locals: &Locals,
        handler: Option<BlockId>,
        live: &mut Bits,
    ) {
        before_stmt(stmt, locals, live);
        if let Some(handler) = handler {
            live.union(&self.live_in[handler.index()]);
        }
    }

    fn find_held(&mut self, body: &Body, locals: &Locals, order: &[BlockId]) {
        let mut entry = Bits::new(locals.len());
        locals.owned_params.iter().for_each(|&param| entry.insert(param));
        self.held_in[Body::ENTRY.index()] = entry;
        let mut changed = true;
        while changed {
            changed = false;
            for &id in order.iter().rev() {
                let block = &body.blocks[id];
                let mut held = self.held_in[id.index()].clone();
                let mut least = held.clone();
                for stmt in &block.stmts {
                    after_stmt(&stmt.kind, locals, &mut held, &mut least);
                }
                self.held_out[id.index()] = held.clone();
                for to in block.term.kind.successors() {
                    changed |= self.held_in[to.index()].intersect(&held);
                }
                if let Some(handler) = block.unwind {
                    changed |= self.held_in[handler.index()].intersect(&least);
                }
            }
        }
    }
}

fn before_term(body: &Body, term: &Terminator, locals: &Locals, live: &mut Bits) {
    if let Some(Operand::Copy(place) | Operand::Move(place)) = term_operand(&term.kind) {
        locals.kept_alive(place.local).for_each(|it| live.insert(it));
    }
    match term.kind {
        TermKind::Return => locals.number(Body::RETURN).into_iter().for_each(|it| live.insert(it)),
        // Before it stands what never returns: there the scope has not ended.
        TermKind::Resume | TermKind::Unreachable => {
            let scope = |it: usize| body.locals[locals.tracked[it]].scope;
            let kept = (0..locals.len()).filter(|&it| locals.kept[it]);
            kept.filter(|&it| body.is_within(term.source.scope, scope(it))).for_each(|it| live.insert(it));
        }
        TermKind::Goto(_) | TermKind::Branch { .. } | TermKind::Switch { .. } => {}
    }
}

fn before_stmt(stmt: &StmtKind, locals: &Locals, live: &mut Bits) {
    if let StmtKind::EndScope(local) = stmt {
        if let Some(it) = locals.number(*local).filter(|&it| locals.kept[it]) {
            live.insert(it);
        }
        return;
    }
    if let Some(it) = defined(stmt).and_then(|local| locals.number(local)) {
        live.remove(it);
        if locals.kept[it] {
            // The value that is overwritten goes only when the new one is in place.
            live.insert(it);
        }
    }
    each_use(stmt, locals, &mut |it| live.insert(it));
}

/// Every tracked local that a statement uses, those it keeps alive through others included; not the one it
/// defines.
pub(super) fn each_use(stmt: &StmtKind, locals: &Locals, f: &mut dyn FnMut(usize)) {
    if matches!(stmt, StmtKind::EndScope(_)) {
        return;
    }
    each_place(stmt, &mut |place, how| {
        if !(how == Use::Store && place.is_whole()) {
            locals.kept_alive(place.local()).for_each(&mut *f);
        }
        for index in place.index_locals() {
            locals.kept_alive(index).for_each(&mut *f);
        }
    });
}

/// The whole local that a statement defines.
pub(super) fn defined(stmt: &StmtKind) -> Option<qz_mir::Local> {
    match stmt {
        StmtKind::Assign(place, _) | StmtKind::Init(place, _) => place.as_local(),
        StmtKind::Call(call) => Some(call.dest),
        StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Release(_) | StmtKind::Nop => None,
    }
}

/// Whether the value that a statement stores is none yet.
pub(super) fn is_uninit(stmt: &StmtKind) -> bool {
    matches!(
        stmt,
        StmtKind::Assign(_, Rvalue::Intrinsic(Intrinsic::Uninit, ..))
            | StmtKind::Init(_, Rvalue::Intrinsic(Intrinsic::Uninit, ..))
    )
}

fn after_stmt(stmt: &StmtKind, locals: &Locals, held: &mut Bits, least: &mut Bits) {
    if let StmtKind::EndScope(local) = stmt
        && let Some(it) = locals.number(*local).filter(|&it| locals.kept[it])
    {
        held.remove(it);
        least.remove(it);
    }
    let stored = defined(stmt).or(match stmt {
        // The first part of a value that was left open.
        StmtKind::Init(place, _) => Some(place.local),
        _ => None,
    });
    if let Some(it) = stored.and_then(|local| locals.number(local)) {
        if is_uninit(stmt) {
            held.remove(it);
            least.remove(it);
        } else {
            held.insert(it);
        }
    }
}

/// Blocks, each after those it leads to, as far as loops allow.
pub(crate) fn postorder(body: &Body) -> Vec<BlockId> {
    let targets = |id: BlockId| {
        let block = &body.blocks[id];
        block.term.kind.successors().into_iter().chain(block.unwind).collect::<Vec<_>>()
    };
    let mut order = Vec::with_capacity(body.blocks.len());
    let mut seen = vec![false; body.blocks.len()];
    seen[Body::ENTRY.index()] = true;
    let mut path = vec![(Body::ENTRY, targets(Body::ENTRY))];
    while let Some((id, rest)) = path.last_mut() {
        match rest.pop() {
            Some(next) if !std::mem::replace(&mut seen[next.index()], true) => {
                path.push((next, targets(next)));
            }
            Some(_) => {}
            None => {
                order.push(*id);
                path.pop();
            }
        }
    }
    order
}
