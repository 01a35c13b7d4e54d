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

pub(crate) fn count_lines(body: &mut Body, counters: &Counters) {
    let scope = body.scopes.ids().next();
    let common = qz_types::ty::common();
    let pointer = Ty::ptr(common.u8);
    let mut locals = None;
    let blocks: Vec<_> = body.blocks.ids().collect();
    for id in blocks {
        if body.blocks[id].cleanup {
            continue;
        }
        let stmts = std::mem::take(&mut body.blocks[id].stmts);
        let mut counted = Vec::with_capacity(stmts.len() * 2);
        let mut last = None;
        for stmt in stmts {
            let counter = counters(stmt.source.span).filter(|_| Some(stmt.source.scope) == scope);
            if let Some(address) = counter.filter(|_| counter != last && !matches!(stmt.kind, StmtKind::Nop))
            {
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
                last = counter;
            }
            counted.push(stmt);
        }
        body.blocks[id].stmts = counted;
    }
}
