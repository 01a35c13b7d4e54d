//! How objects end that the collector found in a circle. Each `drop` that somebody wrote runs while all of them are
//! still there, and only then they are taken apart; so the destroy functions of such types ask the runtime how far the
//! collector is.

use std::sync::Arc;

use qz_mir::{
    Block, BlockId, Body, Call, Callee, Circle, Local, LocalDecl, Module, Operand, Ownership, SourceInfo,
    Stmt, StmtKind, TermKind, Terminator,
};
use qz_rt_abi::registry::rt;
use qz_types::Ty;
use qz_types::ty::common;

use super::nowhere;

/// Of [`rt::cycles_stage`].
const DROP_ONLY: i128 = 1;
const TAKE_APART: i128 = 2;

pub(crate) fn end_in_steps(module: &mut Module) {
    for entry in &module.types {
        let Some(body) = &mut module.instances[entry.destroy].body else { continue };
        let asks = matches!(body.blocks[Body::ENTRY].term.kind, TermKind::Branch { .. });
        match entry.circle {
            Circle::Watched => in_steps(Arc::make_mut(body), true),
            Circle::Possible if asks => in_steps(Arc::make_mut(body), false),
            _ => {}
        }
    }
}

/// Puts the question in front of a destroy function, whose entry is the call of `drop` and what tells of the end.
/// The `drop` of a container only gives its elements and memory back, and is part of taking it apart.
fn in_steps(body: &mut Body, watched: bool) {
    let source = body.blocks[Body::ENTRY].term.source;
    let ends = body.blocks[Body::ENTRY].clone();
    let usual = body.blocks.alloc(ends.clone());
    // A cleanup of its own: what is not released yet is released later.
    let rest = match &ends.term.kind {
        TermKind::Goto(rest) => *rest,
        TermKind::Branch { then, .. } => *then,
        other => unreachable!("a destroy function goes on to its parts, not {other:?}"),
    };
    let calls = calls_of(&ends);
    let cases = if watched {
        let resume = block(body, source, Vec::new(), TermKind::Resume);
        body.blocks[resume].cleanup = true;
        let only = block(body, source, calls, TermKind::Return);
        body.blocks[only].unwind = Some(resume);
        vec![(DROP_ONLY, only), (TAKE_APART, rest)]
    } else {
        let apart = block(body, source, calls, TermKind::Goto(rest));
        body.blocks[apart].unwind = ends.unwind;
        vec![(TAKE_APART, apart)]
    };
    let stage = local(body, common().int);
    let args = [Operand::local(Local::from_raw(1))].into_iter().collect();
    let ask = Call { dest: stage, callee: Callee::Runtime(rt::cycles_stage), args };
    let ask = Stmt { kind: StmtKind::Call(Box::new(ask)), source };
    let term = TermKind::Switch { value: Operand::local(stage), cases, otherwise: Some(usual) };
    body.blocks[Body::ENTRY] =
        Block { stmts: vec![ask], term: Terminator { kind: term, source }, unwind: None, cleanup: false };
}

/// What a block calls, without asking for counts.
fn calls_of(of: &Block) -> Vec<Stmt> {
    of.stmts.iter().filter(|stmt| matches!(stmt.kind, StmtKind::Call(_))).cloned().collect()
}

fn block(body: &mut Body, source: SourceInfo, stmts: Vec<Stmt>, kind: TermKind) -> BlockId {
    body.blocks.alloc(Block { stmts, term: Terminator { kind, source }, unwind: None, cleanup: false })
}

fn local(body: &mut Body, ty: Ty) -> Local {
    body.locals.alloc(LocalDecl {
        ty,
        name: None,
        span: nowhere(),
        scope: Body::SCOPE,
        ownership: Ownership::Borrowed,
    })
}
