//! Is a body well formed? Every pass is followed by this in debug builds and in all tests, so that a mistake
//! is reported by the pass that made it and not by the program that crashes.
//!
//! * here: blocks, cleanups, what may stand in which state ([`State`]);
//! * [`types`]: places exist, values fit where they are stored, calls fit their callees;
//! * [`assigned`]: locals hold a value where they are read;
//! * [`counts`]: after count placement, every count is given up exactly once on every way, panics included.
//!
//! Problems are texts for us, not for users.

mod assigned;
mod counts;
mod types;

use qz_types::{Ty, TyFlags};

use crate::body::*;
use crate::layout::Layouts;
use crate::print::{Names, Numbers, print_stmt};
use crate::program::Module;
use crate::visit::{each_place, each_stmt_operand, term_operand};

/// What a body may contain.
#[derive(Copy, Clone)]
pub enum State<'a> {
    /// As lowered.
    Generic,
    /// Instantiated, counts not placed yet.
    Mono { module: &'a Module, layouts: &'a Layouts<'a> },
    /// With counts.
    Counted {
        module: &'a Module,
        layouts: &'a Layouts<'a>,
        /// Which parameters arrive with a count.
        owned_params: &'a [bool],
        /// Whether the function checks the stack on the way in, and may panic there.
        checks_stack: bool,
        /// Whether giving up the last count of a value of the type may panic.
        release_panics: &'a dyn Fn(Ty) -> bool,
    },
}

impl<'a> State<'a> {
    fn concrete(self) -> Option<(&'a Module, &'a Layouts<'a>)> {
        match self {
            State::Generic => None,
            State::Mono { module, layouts } | State::Counted { module, layouts, .. } => {
                Some((module, layouts))
            }
        }
    }

    /// Whether a statement may end in a panic.
    fn may_panic(self, body: &Body, stmt: &StmtKind) -> bool {
        let Some((module, layouts)) = self.concrete() else { return stmt.may_panic() };
        match stmt {
            StmtKind::Assign(_, value) | StmtKind::Init(_, value) => value.may_panic(),
            StmtKind::Call(call) => match &call.callee {
                Callee::Instance(id) => module.instances[*id].may_panic,
                Callee::Runtime(f) => f.def().may_panic,
                _ => true,
            },
            StmtKind::Release(place) => match self {
                State::Counted { release_panics, .. } => release_panics(layouts.place_ty(body, place)),
                State::Generic | State::Mono { .. } => true,
            },
            StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Nop => false,
        }
    }
}

/// Everything wrong with a body; nothing if it is well formed.
pub fn verify(body: &Body, state: State) -> Vec<String> {
    let mut cx = Cx { body, problems: Vec::new() };
    cx.structure(state);
    // What follows relies on blocks and locals being there.
    if cx.problems.is_empty()
        && let Some((module, layouts)) = state.concrete()
    {
        types::check(&mut cx, module, layouts);
        if cx.problems.is_empty() {
            assigned::check(&mut cx, layouts, state);
        }
        if cx.problems.is_empty() {
            counts::check(&mut cx, module, layouts, state);
        }
    }
    cx.problems
}

/// A body being checked.
struct Cx<'b> {
    body: &'b Body,
    problems: Vec<String>,
}

impl Cx<'_> {
    fn problem(&mut self, block: BlockId, what: impl std::fmt::Display) {
        self.problems.push(format!("bb{}: {what}", block.raw()));
    }

    fn problem_in(&mut self, block: BlockId, stmt: &StmtKind, what: impl std::fmt::Display) {
        let names: &dyn Names = &Numbers;
        let text = print_stmt(self.body, stmt, names);
        self.problem(block, format_args!("`{text}`: {what}"));
    }

    fn structure(&mut self, state: State) {
        let body = self.body;
        if body.blocks.is_empty() || body.locals.len() <= body.param_count as usize {
            return self.problems.push("a body has an entry, a result and its parameters".into());
        }
        if body.blocks[Body::ENTRY].cleanup {
            self.problem(Body::ENTRY, "the entry is no cleanup");
        }
        let concrete = !matches!(state, State::Generic);
        for (local, decl) in body.locals.iter() {
            self.ty(decl.ty, concrete, &format!("local {}", local.raw()));
        }
        for (id, block) in body.blocks.iter() {
            self.block(id, block, state);
        }
    }

    fn ty(&mut self, ty: Ty, concrete: bool, of: &str) {
        if ty.has(TyFlags::INFER.union(TyFlags::ERROR)) {
            self.problems.push(format!("{of} has the unfinished type {ty:?}"));
        } else if concrete && ty.has(TyFlags::PARAM) {
            self.problems.push(format!("{of} has the generic type {ty:?}"));
        }
    }

    fn block(&mut self, id: BlockId, block: &Block, state: State) {
        let there = |to: BlockId| to.index() < self.body.blocks.len();
        let targets = block.term.kind.successors();
        if !targets.iter().copied().chain(block.unwind).all(there) {
            return self.problem(id, "leads to a block that is not there");
        }
        if let Some(unwind) = block.unwind
            && !self.body.blocks[unwind].cleanup
        {
            self.problem(id, "unwinds to a block that is no cleanup");
        }
        if matches!(block.term.kind, TermKind::Resume) && !block.cleanup {
            self.problem(id, "resumes a panic, but is no cleanup");
        }
        if !block.cleanup && targets.iter().any(|&to| self.body.blocks[to].cleanup) {
            self.problem(id, "goes to a cleanup without a panic");
        }
        for stmt in &block.stmts {
            if stmt.source.scope.index() >= self.body.scopes.len() {
                self.problem_in(id, &stmt.kind, "its scope is not there");
            }
            if !self.locals_exist(&stmt.kind) {
                self.problem_in(id, &stmt.kind, "a local is not there");
                continue;
            }
            self.fits_state(id, &stmt.kind, state);
        }
        let operand = term_operand(&block.term.kind).and_then(Operand::place);
        if operand.is_some_and(|place| place.local.index() >= self.body.locals.len()) {
            self.problem(id, "ends with a local that is not there");
        }
    }

    fn locals_exist(&self, stmt: &StmtKind) -> bool {
        let mut fine = true;
        each_place(stmt, &mut |place, _| {
            let mut all = std::iter::once(place.local()).chain(place.index_locals());
            fine &= all.all(|local| local.index() < self.body.locals.len());
        });
        fine
    }

    fn fits_state(&mut self, id: BlockId, stmt: &StmtKind, state: State) {
        let concrete = !matches!(state, State::Generic);
        let mut wrong = None;
        match stmt {
            StmtKind::Call(call) => wrong = wrong_callee(&call.callee, concrete),
            StmtKind::Assign(_, value) | StmtKind::Init(_, value) => {
                wrong = wrong_value(value, concrete);
            }
            StmtKind::EndScope(_) if matches!(state, State::Counted { .. }) => {
                wrong = Some("scopes are gone after count placement");
            }
            StmtKind::Retain(_) | StmtKind::Release(_) if !concrete => {
                wrong = Some("counts are not written in generic bodies");
            }
            StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Release(_) | StmtKind::Nop => {}
        }
        each_stmt_operand(stmt, &mut |operand| {
            if concrete && matches!(operand, Operand::Const(Const::Item(..))) {
                wrong = Some("a constant is not evaluated");
            }
        });
        if let Some(wrong) = wrong {
            self.problem_in(id, stmt, wrong);
        }
    }
}

fn wrong_callee(callee: &Callee, concrete: bool) -> Option<&'static str> {
    match callee {
        Callee::Fn(..) | Callee::Method { .. } | Callee::Member(_) => {
            concrete.then_some("the callee is not an instance")
        }
        Callee::Instance(_) => (!concrete).then_some("generic bodies know no instances"),
        Callee::Value(_) | Callee::Dyn { .. } | Callee::Runtime(_) => None,
    }
}

fn wrong_value(value: &Rvalue, concrete: bool) -> Option<&'static str> {
    match value {
        Rvalue::Closure(target, _) => match (&**target, concrete) {
            (ClosureTarget::Instance(_), false) => Some("generic bodies know no instances"),
            (ClosureTarget::Lambda(_) | ClosureTarget::Fn(_) | ClosureTarget::ForC(_), true) => {
                Some("the closure is not an instance")
            }
            _ => None,
        },
        Rvalue::MakeDyn { vtable, .. } if vtable.is_none() == concrete => Some("the table of methods"),
        Rvalue::Reuse(..) | Rvalue::Intrinsic(Intrinsic::TakeBlock | Intrinsic::GiveBlock, ..)
            if !concrete =>
        {
            Some("generic bodies know no blocks")
        }
        Rvalue::Reuse(_, inner) if !inner.is_allocation() => Some("only new objects need a block"),
        Rvalue::Reuse(_, inner) => wrong_value(inner, concrete),
        _ => None,
    }
}
