//! Where tasks wait, for those who look: each call out of the program's own text that may come to a wait is noted in the
//! fiber before it is made. That is one store, and code that cannot wait has none.
//!
//! Functions of the library do not stand in the program's text, so their callers have noted where they are. One that
//! calls back, and may wait itself afterwards, puts its caller's note back before it does.

use std::mem::offset_of;

use qz_base::TextRange;
use qz_mir::{Body, Callee, InstanceId, Module, SourceInfo, StmtKind};
use qz_rt_abi::Fiber;

use crate::function::FnCx;
use crate::ir::{LlTy, Value};

const NOTE: usize = offset_of!(Fiber, waits_at);

/// Which functions of the library may come to a wait by themselves, and not only in what they call back.
pub(crate) struct Waits {
    may_wait: Vec<bool>,
}

impl Waits {
    pub(crate) fn new(module: &Module) -> Waits {
        let mut may_wait = vec![false; module.instances.len()];
        let mut callers: Vec<Vec<InstanceId>> = vec![Vec::new(); module.instances.len()];
        let mut found = Vec::new();
        for (id, instance) in module.instances.iter() {
            let Some(body) = instance.body.as_deref().filter(|body| is_librarys(body)) else { continue };
            for (callee, _) in calls(body) {
                match callee {
                    Callee::Instance(callee) => callers[callee.index()].push(id),
                    Callee::Runtime(f) if f.def().may_block && !may_wait[id.index()] => {
                        may_wait[id.index()] = true;
                        found.push(id);
                    }
                    _ => {}
                }
            }
        }
        while let Some(id) = found.pop() {
            for &caller in &callers[id.index()] {
                if !std::mem::replace(&mut may_wait[caller.index()], true) {
                    found.push(caller);
                }
            }
        }
        Waits { may_wait }
    }

    pub(crate) fn may_wait(&self, id: InstanceId) -> bool {
        self.may_wait[id.index()]
    }

    fn is_wait(&self, callee: &Callee) -> bool {
        match callee {
            Callee::Instance(id) => self.may_wait(*id),
            Callee::Runtime(f) => f.def().may_block,
            _ => false,
        }
    }
}

fn calls(body: &Body) -> impl Iterator<Item = (&Callee, SourceInfo)> {
    body.blocks.values().flat_map(|block| &block.stmts).filter_map(|stmt| match &stmt.kind {
        StmtKind::Call(call) => Some((&call.callee, stmt.source)),
        _ => None,
    })
}

fn is_librarys(body: &Body) -> bool {
    body.scopes[Body::SCOPE].function.as_str().starts_with("std::")
}

/// Whether a place, or one that it was inlined into, stands in the program's own text.
fn is_programs(body: &Body, source: SourceInfo) -> bool {
    let callers = |at: &SourceInfo| body.scopes[at.scope].inlined_at;
    std::iter::successors(Some(source), callers).any(|at| {
        let function = body.scopes[at.scope].function.as_str();
        at.span.range != TextRange::default() && !function.starts_with("std::")
    })
}

impl FnCx<'_, '_> {
    /// What is called next may wait.
    pub(crate) fn note_wait(&mut self) {
        let note = match is_programs(self.body, self.source()) {
            true => Some(Value::int(LlTy::I32, self.place() as i64 + 1)),
            false => self.callers_place,
        };
        if let Some(note) = note {
            self.set_fiber_field(NOTE, note);
        }
    }

    /// Remembers where its caller is, if others may note something else before it waits.
    pub(crate) fn keep_callers_place(&mut self) {
        let body = self.body;
        if !is_librarys(body) {
            return;
        }
        let waits = &self.program.waits;
        let waits_itself = |(callee, at): (&Callee, _)| waits.is_wait(callee) && !is_programs(body, at);
        let others_note = |(callee, at): (&Callee, _)| match callee {
            callee if waits.is_wait(callee) => is_programs(body, at),
            Callee::Instance(id) => {
                let callee = self.program.module.instances[*id].body.as_deref();
                callee.is_some_and(|body| !is_librarys(body))
            }
            Callee::Runtime(_) => false,
            _ => true,
        };
        if calls(body).any(waits_itself) && calls(body).any(others_note) {
            self.callers_place = Some(self.fiber_field(NOTE, LlTy::I32));
        }
    }
}
