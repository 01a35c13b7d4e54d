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

/// How a program is cut.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Not at all.
    Whole,
    /// Into as many parts as its size asks for.
    BySize,
    /// Into one for each module; what the compiler made itself is the last.
    ByModule,
}

/// Which part each instance belongs to, and which ones are used from other parts.
pub(crate) struct Units {
    of: Vec<usize>,
    /// What the parts are called.
    names: Vec<String>,
    /// By instance: whether the part at hand refers to it.
    referred: Vec<Cell<bool>>,
    shared: Vec<bool>,
}

impl Units {
    pub(crate) fn new(module: &Module, cut: Cut) -> Units {
        let (of, names) = match cut {
            Cut::Whole => (vec![0; module.instances.len()], vec!["program0".into()]),
            Cut::BySize => by_size(module),
            Cut::ByModule => by_module(module),
        };
        let n = of.len();
        Units { of, names, referred: vec![Cell::new(false); n], shared: vec![false; n] }
    }

    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
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

fn by_size(module: &Module) -> (Vec<usize>, Vec<String>) {
    let sizes: Vec<usize> = module.instances.values().map(size).collect();
    let total: usize = sizes.iter().sum();
    let count = total.div_ceil(LARGE).clamp(1, MOST);
    let mut before = 0;
    let of = sizes.iter().map(|size| {
        let unit = (before * count / total.max(1)).min(count - 1);
        before += size;
        unit
    });
    (of.collect(), (0..count).map(|n| format!("program{n}")).collect())
}

fn by_module(module: &Module) -> (Vec<usize>, Vec<String>) {
    let mut names: Vec<&str> = module.instances.values().map(|it| it.module()).collect();
    let own = |name: &&str| !name.is_empty();
    let mut known: Vec<&str> = names.iter().copied().filter(own).collect();
    known.sort_unstable();
    known.dedup();
    let of = names.drain(..).map(|name| known.binary_search(&name).unwrap_or(known.len())).collect();
    let files = known.iter().map(|it| it.replace("::", "."));
    (of, files.chain(["(program)".to_owned()]).collect())
}

fn size(instance: &qz_mir::Instance) -> usize {
    let body = instance.body.as_ref();
    body.map_or(0, |body| body.blocks.values().map(|block| block.stmts.len() + 1).sum())
}
