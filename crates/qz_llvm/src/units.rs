//! A program in parts that are compiled side by side. Which function goes where depends on the program alone, so the
//! same program gives the same bytes on every machine.
//!
//! Functions follow one another as instantiation met them, callees close to their callers, and are cut into parts of
//! about equal size. What only one part uses is its own; the rest is hidden from everything but the program.

use std::cell::Cell;

use qz_mir::{InstanceId, Module};

/// Statements of MIR that are worth a process of their own.
const LARGE: usize = 6_000;
const MOST: usize = 32;

/// Which part each instance belongs to, and which ones are used from other parts.
pub(crate) struct Units {
    of: Vec<usize>,
    count: usize,
    /// By instance: whether the part at hand refers to it.
    referred: Vec<Cell<bool>>,
    shared: Vec<bool>,
}

impl Units {
    /// Everything in one part, or in as many as its size asks for.
    pub(crate) fn new(module: &Module, split: bool) -> Units {
        let sizes: Vec<usize> = module.instances.values().map(size).collect();
        let total: usize = sizes.iter().sum();
        let count = if split { total.div_ceil(LARGE).clamp(1, MOST) } else { 1 };
        let mut before = 0;
        let of = sizes.iter().map(|size| {
            let unit = (before * count / total.max(1)).min(count - 1);
            before += size;
            unit
        });
        let of = of.collect();
        let n = sizes.len();
        Units { of, count, referred: vec![Cell::new(false); n], shared: vec![false; n] }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The part that an instance is defined in.
    pub(crate) fn of(&self, id: InstanceId) -> usize {
        self.of[id.index()]
    }

    /// Notes that the part at hand refers to an instance.
    pub(crate) fn refer(&self, id: InstanceId) {
        self.referred[id.index()].set(true);
    }

    /// Ends a part: the instances of others that it refers to.
    pub(crate) fn end(&mut self, unit: usize) -> Vec<usize> {
        let mut foreign = Vec::new();
        for (n, referred) in self.referred.iter().enumerate() {
            if referred.take() && self.of[n] != unit {
                self.shared[n] = true;
                foreign.push(n);
            }
        }
        foreign
    }

    /// Whether other parts refer to an instance; known when all parts have ended.
    pub(crate) fn is_shared(&self, id: InstanceId) -> bool {
        self.shared[id.index()]
    }
}

fn size(instance: &qz_mir::Instance) -> usize {
    let body = instance.body.as_ref();
    body.map_or(0, |body| body.blocks.values().map(|block| block.stmts.len() + 1).sum())
}
