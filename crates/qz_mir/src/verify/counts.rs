//! Every count is given up exactly once, on every way through the body, panics included.
//!
//! An abstract run over all blocks. A local that owns counts is *empty*, *full* (owns one), or *looks* (its
//! value was copied and has no count of its own yet). Adding a count to what a place holds is a *credit* that
//! the next copy of that place, kept for good, uses up. Two ways into a block must agree. A reuse token is full
//! until an object is put into its block or the block is given back.

use qz_base::FxHashMap;

use crate::body::*;
use crate::layout::Layouts;
use crate::program::Module;
use crate::visit::each_operand;

use super::Cx;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Count {
    Empty,
    Full,
    Looks,
}

#[derive(Clone, PartialEq)]
struct State {
    /// For each local; untracked ones stay [`Count::Empty`].
    locals: Vec<Count>,
    credits: FxHashMap<Place, u32>,
}

struct Checker<'a> {
    body: &'a Body,
    module: &'a Module,
    layouts: &'a Layouts<'a>,
    tracked: Vec<bool>,
    /// Locals that hold reuse tokens.
    tokens: Vec<bool>,
}

pub(super) fn check(cx: &mut Cx, module: &Module, layouts: &Layouts, of: super::State) {
    let super::State::Counted { owned_params, checks_stack, .. } = of else { return };
    let body = cx.body;
    let is_param = |i: usize| (1..=body.param_count as usize).contains(&i);
    let tracked = body
        .locals
        .iter()
        .map(|(local, decl)| {
            let owned = match is_param(local.index()) {
                true => owned_params.get(local.index() - 1).copied().unwrap_or(false),
                false => decl.ownership == Ownership::Owned,
            };
            owned && layouts.of(decl.ty).needs_release
        })
        .collect::<Vec<bool>>();
    let tokens = tokens(body);
    let tracked = tracked.iter().zip(&tokens).map(|(&counted, &token)| counted || token).collect();
    let checker = Checker { body, module, layouts, tracked, tokens };
    let mut entry = State { locals: vec![Count::Empty; body.locals.len()], credits: FxHashMap::default() };
    for param in body.params().filter(|param| checker.tracked[param.index()]) {
        entry.locals[param.index()] = Count::Full;
    }
    let mut states: Vec<Option<State>> = vec![None; body.blocks.len()];
    let mut work = Vec::new();
    if checks_stack && entry.locals.contains(&Count::Full) {
        // The stack may overflow on the way in.
        match body.blocks[Body::ENTRY].unwind {
            Some(unwind) => arrive(cx, &mut states, &mut work, Body::ENTRY, unwind, &entry),
            None => checker.check_empty(cx, Body::ENTRY, &entry, None, "a stack overflow leaves"),
        }
    }
    states[Body::ENTRY.index()] = Some(entry);
    work.push(Body::ENTRY);
    while let Some(id) = work.pop() {
        let mut state = states[id.index()].clone().expect("has been reached");
        let block = &body.blocks[id];
        for stmt in &block.stmts {
            // What an earlier statement used up says nothing about this one.
            state.credits.retain(|_, count| *count > 0);
            let mut wrong = None;
            checker.before(&stmt.kind, &mut state, &mut |text| wrong = Some(text));
            if of.may_panic(body, &stmt.kind) {
                let mut leaving = state.clone();
                leaving.credits.clear();
                match block.unwind {
                    Some(unwind) => arrive(cx, &mut states, &mut work, id, unwind, &leaving),
                    None => checker.check_empty(cx, id, &leaving, None, "a panic leaves"),
                }
            }
            checker.after(&stmt.kind, &mut state, &mut |text| wrong = Some(text));
            if let Some(wrong) = wrong {
                cx.problem_in(id, &stmt.kind, wrong);
                return;
            }
        }
        if state.credits.values().any(|&count| count > 0) {
            cx.problem(id, "a count was added for nobody");
        }
        state.credits.clear();
        match block.term.kind {
            TermKind::Return => checker.check_empty(cx, id, &state, Some(Body::RETURN), "a return leaves"),
            TermKind::Resume => checker.check_empty(cx, id, &state, None, "a panic leaves"),
            TermKind::Goto(_) | TermKind::Branch { .. } | TermKind::Switch { .. } | TermKind::Unreachable => {
            }
        }
        for to in block.term.kind.successors() {
            arrive(cx, &mut states, &mut work, id, to, &state);
        }
        if cx.problems.len() > 5 {
            return;
        }
    }
}

fn tokens(body: &Body) -> Vec<bool> {
    let mut tokens = vec![false; body.locals.len()];
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        if let StmtKind::Assign(place, Rvalue::Intrinsic(Intrinsic::TakeBlock, ..)) = &stmt.kind {
            tokens[place.local.index()] = true;
        }
    }
    tokens
}

fn arrive(
    cx: &mut Cx,
    states: &mut [Option<State>],
    work: &mut Vec<BlockId>,
    from: BlockId,
    to: BlockId,
    state: &State,
) {
    match &states[to.index()] {
        None => {
            states[to.index()] = Some(state.clone());
            work.push(to);
        }
        Some(known) => {
            let owns = |count: Count| count == Count::Full;
            let differs = known.locals.iter().zip(&state.locals).position(|(&a, &b)| owns(a) != owns(b));
            if let Some(local) = differs {
                let (a, b) = (known.locals[local], state.locals[local]);
                let text = format!("arrives in bb{} with local {local} {b:?}, others with {a:?}", to.raw());
                if !cx.problems.iter().any(|known| known.ends_with(&text)) {
                    cx.problem(from, text);
                }
            }
        }
    }
}

impl Checker<'_> {
    /// Whether a place lies in the memory of its local, not in a cell.
    fn in_own_memory(&self, place: &Place) -> bool {
        let mut at = Place::local(place.local);
        place.proj.iter().all(|&proj| {
            let own = match proj {
                Proj::Field(_) => true,
                Proj::Variant(_) => !self.layouts.of(self.layouts.place_ty(self.body, &at)).is_boxed(),
                Proj::Deref | Proj::Index(_) | Proj::Capture(_) => false,
            };
            at.proj.push(proj);
            own
        })
    }

    /// Whether an operand holds a count, or a block.
    fn counted(&self, place: &Place) -> bool {
        place.as_local().is_some_and(|local| self.tokens[local.index()])
            || self.layouts.of(self.layouts.place_ty(self.body, place)).needs_release
    }

    fn is_tracked(&self, place: &Place) -> Option<Local> {
        place.as_local().filter(|local| self.tracked[local.index()])
    }

    /// Takes counts that a statement uses up.
    fn before(&self, stmt: &StmtKind, state: &mut State, wrong: &mut dyn FnMut(String)) {
        match stmt {
            StmtKind::Assign(_, Rvalue::Reuse(token, value)) => {
                self.take(token, state, wrong);
                each_operand(value, &mut |operand| self.take(operand, state, wrong));
            }
            StmtKind::Assign(place, value) | StmtKind::Init(place, value) => match value {
                // A copy into a tracked local without a credit only looks, until a count is added.
                Rvalue::Use(Operand::Copy(from))
                    if place.as_local().is_some_and(|dest| !self.tracked[dest.index()])
                        || self.credit(from, state) == 0 && self.is_tracked(place).is_some() => {}
                Rvalue::Use(operand) => self.take(operand, state, wrong),
                Rvalue::Aggregate(_, operands) | Rvalue::New(_, operands) | Rvalue::Closure(_, operands) => {
                    operands.iter().for_each(|operand| self.take(operand, state, wrong));
                }
                Rvalue::MakeDyn { value, .. } => self.take(value, state, wrong),
                Rvalue::Intrinsic(
                    Intrinsic::Forget | Intrinsic::TakeBlock | Intrinsic::GiveBlock,
                    operands,
                    _,
                ) => {
                    operands.iter().for_each(|operand| self.take(operand, state, wrong));
                }
                _ => {}
            },
            StmtKind::Call(call) => {
                for (n, arg) in call.args.iter().enumerate() {
                    let owned = match &call.callee {
                        Callee::Instance(id) => {
                            let params = &self.module.instances[*id].params;
                            params.get(n).is_some_and(|param| param.ownership == Ownership::Owned)
                        }
                        _ => false,
                    };
                    match (owned, arg) {
                        (true, arg) => self.take(arg, state, wrong),
                        (false, Operand::Move(place)) if self.counted(place) => {
                            wrong("gives away what the callee only borrows".into());
                        }
                        _ => {}
                    }
                }
            }
            StmtKind::Release(place) => match self.is_tracked(place) {
                Some(local) if state.locals[local.index()] != Count::Full => {
                    wrong(format!("releases what is {:?}", state.locals[local.index()]));
                }
                Some(local) => state.locals[local.index()] = Count::Empty,
                None if place.as_local().is_some() && self.counted(place) => {
                    wrong("releases what somebody else owns".into());
                }
                None => {}
            },
            StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Nop => {}
        }
    }

    fn credit(&self, place: &Place, state: &State) -> u32 {
        state.credits.get(place).copied().unwrap_or(0)
    }

    /// Uses up one count of an operand.
    fn take(&self, operand: &Operand, state: &mut State, wrong: &mut dyn FnMut(String)) {
        let Some(place) = operand.place().filter(|place| self.counted(place)) else { return };
        if let Operand::Move(_) = operand {
            if let Some(local) = self.is_tracked(place) {
                if state.locals[local.index()] != Count::Full {
                    wrong(format!("moves what is {:?}", state.locals[local.index()]));
                }
                state.locals[local.index()] = Count::Empty;
            } else if place.as_local().is_some() {
                wrong("moves what somebody else owns".into());
            } else if self.tracked[place.local.index()] && self.in_own_memory(place) {
                // All that is counted in it.
                if state.locals[place.local.index()] != Count::Full {
                    wrong(format!("moves out of what is {:?}", state.locals[place.local.index()]));
                }
                state.locals[place.local.index()] = Count::Empty;
            }
            return;
        }
        match state.credits.get_mut(place) {
            Some(credit) if *credit > 0 => *credit -= 1,
            _ => wrong("keeps a copy without a count".into()),
        }
    }

    /// Puts in what a statement stores.
    fn after(&self, stmt: &StmtKind, state: &mut State, wrong: &mut dyn FnMut(String)) {
        match stmt {
            StmtKind::Assign(place, value) | StmtKind::Init(place, value) => {
                let Some(local) = self.is_tracked(place) else {
                    if self.tracked[place.local.index()] && self.in_own_memory(place) {
                        state.locals[place.local.index()] = Count::Full;
                    }
                    return;
                };
                let count = match value {
                    Rvalue::Use(Operand::Copy(_)) if !self.was_credited(stmt, state) => Count::Looks,
                    Rvalue::Intrinsic(Intrinsic::Uninit, ..) => Count::Empty,
                    _ => Count::Full,
                };
                self.store(local, count, state, wrong);
            }
            StmtKind::Call(call) if self.tracked[call.dest.index()] => {
                self.store(call.dest, Count::Full, state, wrong);
            }
            StmtKind::Retain(place) if self.counted(place) => match self.is_tracked(place) {
                Some(local) if state.locals[local.index()] == Count::Looks => {
                    state.locals[local.index()] = Count::Full;
                }
                Some(local) if state.locals[local.index()] == Count::Empty => {
                    wrong("adds a count to nothing".into());
                }
                _ => *state.credits.entry(place.clone()).or_insert(0) += 1,
            },
            StmtKind::Call(_)
            | StmtKind::Retain(_)
            | StmtKind::Release(_)
            | StmtKind::EndScope(_)
            | StmtKind::Nop => {}
        }
    }

    /// Whether the copy that a statement stores used up a credit. [`Checker::before`] has run, so this looks
    /// whether there is an entry at all: places are credited for the copy that follows.
    fn was_credited(&self, stmt: &StmtKind, state: &mut State) -> bool {
        let StmtKind::Assign(_, Rvalue::Use(Operand::Copy(from))) = stmt else { return false };
        state.credits.get(from).is_some_and(|&credit| credit == 0) && state.credits.remove(from).is_some()
    }

    fn store(&self, local: Local, count: Count, state: &mut State, wrong: &mut dyn FnMut(String)) {
        if state.locals[local.index()] == Count::Full {
            wrong("overwrites a value that owns a count".into());
        }
        state.locals[local.index()] = count;
    }

    fn check_empty(&self, cx: &mut Cx, id: BlockId, state: &State, except: Option<Local>, when: &str) {
        for (index, &count) in state.locals.iter().enumerate() {
            let local = Local::from_raw(index as u32);
            if Some(local) == except {
                if self.tracked[index] && count != Count::Full {
                    cx.problem(id, format_args!("{when} without a count for its result"));
                }
            } else if count == Count::Full {
                cx.problem(id, format_args!("{when} while local {index} owns a count"));
            }
        }
    }
}
