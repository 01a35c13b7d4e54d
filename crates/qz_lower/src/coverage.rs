//! Which lines of a body are run? Where a line begins, a number in memory is counted up, by a function of the runtime
//! that every engine knows.

use qz_base::Span;
use qz_mir::{Body, Call, Callee, Const, Intrinsic, LocalDecl, Operand, Place, Rvalue, Stmt, StmtKind};
use qz_rt_abi::registry::rt;
use qz_types::Ty;
use smallvec::SmallVec;

/// The address of the number that counts the line of a place, if the line is counted.
pub type Counters = Box<dyn Fn(Span) -> Option<usize>>;

/// `I64`, addition, and no order, as `std/atomic.qz` numbers them.
const ADD_ONE: [i64; 4] = [3, 1, 1, 0];

/// The lines that run just before each block, of which there are several where ways meet.
type Before = Vec<SmallVec<[usize; 4]>>;

/// No line: what comes before a body.
const OUTSIDE: usize = usize::MAX;

fn lines_before(body: &Body, of: &dyn Fn(&Stmt) -> Option<usize>) -> Before {
    let last: Vec<Option<usize>> =
        body.blocks.values().map(|it| it.stmts.iter().rev().find_map(of)).collect();
    let mut before: Before = vec![SmallVec::new(); last.len()];
    before[..1].fill(SmallVec::from_slice(&[OUTSIDE]));
    let mut waiting: Vec<_> = body.blocks.ids().take(1).collect();
    // Lines are added only, so this ends.
    while let Some(id) = waiting.pop() {
        let ends: SmallVec<[usize; 4]> = match last[id.index()] {
            Some(line) => SmallVec::from_slice(&[line]),
            None => before[id.index()].clone(),
        };
        for next in body.blocks[id].term.kind.successors() {
            let known = &mut before[next.index()];
            let size = known.len();
            ends.iter().for_each(|line| {
                if !known.contains(line) {
                    known.push(*line);
                }
            });
            if known.len() > size || size == 0 {
                waiting.push(next);
            }
        }
    }
    before
}

/// The blocks that a loop comes back to.
fn loop_heads(body: &Body) -> Vec<bool> {
    #[derive(Copy, Clone, PartialEq)]
    enum State {
        New,
        OnTheWay,
        Done,
    }
    let mut states = vec![State::New; body.blocks.len()];
    let mut heads = vec![false; body.blocks.len()];
    let mut way: Vec<_> = body.blocks.ids().take(1).map(|it| (it, 0)).collect();
    while let Some((id, n)) = way.pop() {
        states[id.index()] = State::OnTheWay;
        match body.blocks[id].term.kind.successors().get(n) {
            None => states[id.index()] = State::Done,
            Some(&next) => {
                way.push((id, n + 1));
                match states[next.index()] {
                    State::New => way.push((next, 0)),
                    State::OnTheWay => heads[next.index()] = true,
                    State::Done => {}
                }
            }
        }
    }
    heads
}

pub(crate) fn count_lines(body: &mut Body, counters: &Counters) {
    let scope = body.scopes.ids().next();
    let common = qz_types::ty::common();
    let pointer = Ty::ptr(common.u8);
    let mut locals = None;
    let of = |stmt: &Stmt| {
        let is_code = !matches!(stmt.kind, StmtKind::Nop | StmtKind::EndScope(_));
        let is_counted = is_code && Some(stmt.source.scope) == scope;
        counters(stmt.source.span).filter(|_| is_counted)
    };
    let (before, heads) = (lines_before(body, &of), loop_heads(body));
    let blocks: Vec<_> = body.blocks.ids().collect();
    for id in blocks {
        if body.blocks[id].cleanup {
            continue;
        }
        let stmts = std::mem::take(&mut body.blocks[id].stmts);
        let mut counted = Vec::with_capacity(stmts.len() * 2);
        let mut last = None;
        // A line that stands in several blocks is counted where it begins. What is left to do where the arms of a
        // `match` meet belongs to one of them; a loop's first line begins each time anew.
        let goes_on = |line: usize| match heads[id.index()] {
            true => before[id.index()][..] == [line],
            false => before[id.index()].contains(&line),
        };
        for stmt in stmts {
            let counter = of(&stmt);
            let is_new = |&line: &usize| last.map_or_else(|| !goes_on(line), |last| last != line);
            if let Some(address) = counter.filter(is_new) {
                let (at, before) = *locals.get_or_insert_with(|| {
                    let mut local = |ty| {
                        body.locals.alloc(LocalDecl {
                            ty,
                            name: None,
                            span: stmt.source.span,
                            scope: stmt.source.scope,
                            ownership: Default::default(),
                        })
                    };
                    (local(pointer), local(common.int))
                });
                let null = Operand::Const(Const::Null(pointer));
                let parts = SmallVec::from_iter([null, Operand::int(address as i64)]);
                let place = Rvalue::Intrinsic(Intrinsic::PtrAdd, parts, pointer);
                let mut args: SmallVec<[Operand; 4]> = SmallVec::from_iter([Operand::local(at)]);
                args.extend(ADD_ONE.map(Operand::int));
                let call = Call { dest: before, callee: Callee::Runtime(rt::atomic_update), args };
                let source = stmt.source;
                counted.push(Stmt { kind: StmtKind::Assign(Place::local(at), place), source });
                counted.push(Stmt { kind: StmtKind::Call(Box::new(call)), source });
            }
            last = counter.or(last);
            counted.push(stmt);
        }
        body.blocks[id].stmts = counted;
    }
}
