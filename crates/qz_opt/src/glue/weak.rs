//! What the types that weak references refer to have more than others: their objects tell those references when they
//! end, and the walk of a crossing remembers them. Which types these are is known when everything is instantiated, so
//! what was made before is changed then; other types stay as they are.

use std::sync::Arc;

use qz_mir::{
    Block, Body, Call, Callee, Crossing, Instance, InstanceKey, Local, LocalDecl, Module, Operand, Ownership,
    Stmt, StmtKind, TermKind,
};
use qz_rt_abi::registry::rt;
use qz_types::Ty;
use qz_types::ty::common;
use rustc_hash::FxHashSet;

use super::{builder, nowhere};
use crate::drops::Drops;

/// Changes what ends and what meets objects that weak references refer to.
pub(crate) fn watch_targets(module: &mut Module, drops: &Drops) {
    let mut targets = targets(module);
    targets.extend(&module.weak_targets);
    if targets.is_empty() {
        return;
    }
    for instance in module.instances.values_mut() {
        match &instance.key {
            InstanceKey::DestroyGlue(ty) if targets.contains(ty) => tell_end(instance),
            InstanceKey::Crossing(what) => match **what {
                Crossing::Value(ty) if targets.contains(&ty) && meets_object(instance) => {
                    debug_assert!(!drops.is_shared(ty));
                    instance.body = Some(Arc::new(meet_target(ty)));
                }
                _ => {}
            },
            _ => {}
        }
    }
    module.weak_targets = targets;
}

/// The types of what weak references are made of.
fn targets(module: &Module) -> FxHashSet<Ty> {
    let bodies = module.instances.values().filter_map(|it| it.body.as_ref());
    let mut targets = FxHashSet::default();
    for body in bodies {
        for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
            if let StmtKind::Call(call) = &stmt.kind
                && matches!(call.callee, Callee::Runtime(rt::weak_refer))
                && let Some(target) = call.args[1].place()
            {
                targets.insert(body.locals[target.local].ty);
            }
        }
    }
    targets
}

/// Weak references find nothing while the object ends, and none that `drop` made is left behind.
fn tell_end(instance: &mut Instance) {
    let Some(body) = &mut instance.body else { return };
    let body = Arc::make_mut(body);
    let is_drop = |stmt: &Stmt| matches!(&stmt.kind, StmtKind::Call(call) if matches!(call.callee, Callee::Instance(_)));
    let entry = Body::ENTRY;
    let drop = body.blocks[entry].stmts.iter().position(is_drop);
    if let Some(drop) = drop {
        tell(body, entry, drop + 1);
        if let Some(cleanup) = body.blocks[entry].unwind {
            tell(body, cleanup, 0);
        }
    }
    tell(body, entry, 0);
}

fn tell(body: &mut Body, block: qz_mir::BlockId, at: usize) {
    let unit = LocalDecl {
        ty: common().unit,
        name: None,
        span: nowhere(),
        scope: Body::SCOPE,
        ownership: Ownership::Borrowed,
    };
    let dest = body.locals.alloc(unit);
    let args = [Operand::local(Local::from_raw(1))].into_iter().collect();
    let call = Call { dest, callee: Callee::Runtime(rt::weak_end), args };
    let Block { stmts, term, .. } = &mut body.blocks[block];
    stmts.insert(at, Stmt { kind: StmtKind::Call(Box::new(call)), source: term.source });
}

/// Whether the walk may leave with the objects that this meets.
fn meets_object(instance: &Instance) -> bool {
    let stmts = instance.body.iter().flat_map(|body| body.blocks.values()).flat_map(|block| &block.stmts);
    let meets = |kind: &StmtKind| matches!(kind, StmtKind::Call(call) if matches!(call.callee, Callee::Runtime(rt::cross_object)));
    stmts.into_iter().any(|stmt| meets(&stmt.kind))
}

fn meet_target(ty: Ty) -> Body {
    let mut b = builder("crossing", common().bool);
    let this = b.param(ty, None);
    let dest = b.temp(common().unit);
    b.call(dest, Callee::Runtime(rt::cross_target), [Operand::local(this)]);
    b.assign_local(Body::RETURN, qz_mir::Rvalue::Use(Operand::Const(qz_mir::Const::Bool(false))));
    b.end(TermKind::Return);
    b.finish()
}
