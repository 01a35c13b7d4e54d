//! Rows of functions that call each other are a least fixed point. It is found circle by circle, callees first; what was found
//! before stays where the rows that it was made of are what they were.

use std::cell::RefCell;
use std::fmt::Write;

use qz_base::{FxHashMap, FxHashSet};
use qz_hir::ModuleId;
use qz_types::FnId;

use super::kept::{KnownRow, KnownRows};
use super::{Effects, walk};
use crate::checker::Checker;

/// The rows of functions.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) known: FxHashMap<FnId, Effects>,
    /// The library's functions that were met: their rows matter only to who wants to see default-handled effects.
    pub(super) met: RefCell<Vec<FnId>>,
    /// Whose rows were asked for.
    asked: RefCell<Vec<FnId>>,
}

impl Rows {
    pub(super) fn get(&self, function: FnId) -> Option<&Effects> {
        self.asked.borrow_mut().push(function);
        self.known.get(&function)
    }
}

/// The rows of a program.
pub(super) struct Solved {
    pub(super) rows: Rows,
    /// What is to be known of each row to use it again.
    pub(super) known: FxHashMap<FnId, KnownRow>,
    /// Those that were found now.
    pub(super) walked: FxHashSet<FnId>,
}

/// Finds the rows of these functions. `key` tells modules whose text changed from what they were.
pub(super) fn solve(
    ck: &Checker<'_>,
    functions: &[FnId],
    kept: KnownRows,
    key: &dyn Fn(ModuleId) -> u64,
) -> Solved {
    let numbers: FxHashMap<FnId, usize> = functions.iter().copied().zip(0..).collect();
    let callees = |id: FnId| match kept.get(&id) {
        Some(known) => known.callees.iter().map(|it| it.0).collect(),
        None => callees(ck, id),
    };
    let edges = |&id: &FnId| callees(id).iter().filter_map(|it| numbers.get(it).copied()).collect();
    let edges: Vec<Vec<usize>> = functions.iter().map(edges).collect();
    let mut solver = Solver { ck, key, kept, rows: Rows::default(), known: FxHashMap::default() };
    let mut walked = FxHashSet::default();
    for circle in qz_base::graph::components(&edges, |it| it) {
        let calls = |&it: &usize| edges[it].iter().map(|&it| functions[it]).collect();
        let calls: Vec<Vec<FnId>> = circle.iter().map(calls).collect();
        let circle: Vec<FnId> = circle.into_iter().map(|it| functions[it]).collect();
        let digest = solver.circle_digest(&circle);
        if !solver.stays(&circle, digest) {
            solver.walk(&circle, &calls, digest);
            walked.extend(circle);
        }
    }
    let Solver { rows, known, .. } = solver;
    Solved { rows, known, walked }
}

/// Whose rows a body's row is made of.
fn callees(ck: &Checker<'_>, id: FnId) -> Vec<FnId> {
    let rows = Rows::default();
    walk::row(ck, &rows, id);
    let mut asked = rows.asked.take();
    asked.sort_unstable();
    asked.dedup();
    asked
}

struct Solver<'a, 'd> {
    ck: &'a Checker<'d>,
    key: &'a dyn Fn(ModuleId) -> u64,
    kept: KnownRows,
    rows: Rows,
    known: FxHashMap<FnId, KnownRow>,
}

impl Solver<'_, '_> {
    /// Tells circles of functions from others: rows of a circle hold each other up, so they are kept together or not at all.
    fn circle_digest(&self, circle: &[FnId]) -> u64 {
        if let [_] = circle {
            return 0;
        }
        let defs = self.ck.defs;
        let name = |&id: &FnId| (defs.fn_path(id).as_str(), (self.key)(defs.fns[id].module));
        let mut names: Vec<(&str, u64)> = circle.iter().map(name).collect();
        names.sort_unstable();
        let names: String = names.into_iter().map(|(name, key)| format!("{name} {key}\n")).collect();
        qz_base::digest::digest(names.as_bytes()).short()
    }

    /// Takes the rows that were found before, if those that they were made of are the same.
    fn stays(&mut self, circle: &[FnId], digest: u64) -> bool {
        let row_of = |id: FnId| match self.known.get(&id) {
            None if circle.contains(&id) => self.kept.get(&id).map(|it| it.digest),
            known => known.map(|it| it.digest),
        };
        let is_same = |id: &FnId| {
            let Some(known) = self.kept.get(id) else { return false };
            known.circle == digest && known.callees.iter().all(|&(callee, row)| row_of(callee) == row)
        };
        if !circle.iter().all(is_same) {
            return false;
        }
        for id in circle {
            let known = self.kept.remove(id).expect("it was just looked at");
            self.rows.known.insert(*id, known.effects.clone());
            self.known.insert(*id, known);
        }
        true
    }

    fn walk(&mut self, circle: &[FnId], calls: &[Vec<FnId>], digest: u64) {
        let is_circle = circle.len() > 1 || calls[0].contains(&circle[0]);
        if is_circle {
            self.rows.known.extend(circle.iter().map(|&id| (id, Effects::default())));
        }
        loop {
            let mut grew = false;
            for &id in circle {
                let found = walk::row(self.ck, &self.rows, id).effects;
                grew |= self.rows.known.get(&id).is_some_and(|before| found.0.len() > before.0.len());
                self.rows.known.insert(id, found);
            }
            if !(grew && is_circle) {
                break;
            }
        }
        let digests: Vec<u64> = circle.iter().map(|&id| row_digest(self.ck, &self.rows.known[&id])).collect();
        for (n, &id) in circle.iter().enumerate() {
            let row_of = |callee: FnId| match circle.iter().position(|&it| it == callee) {
                Some(at) => Some(digests[at]),
                None => self.known.get(&callee).map(|it| it.digest),
            };
            let callees = calls[n].iter().map(|&it| (it, row_of(it))).collect();
            let effects = self.rows.known[&id].clone();
            self.known
                .insert(id, KnownRow { function: id, effects, callees, circle: digest, digest: digests[n] });
        }
    }
}

/// What callers hear of a row. Nothing in it depends on numbers of declarations or on places.
fn row_digest(ck: &Checker<'_>, effects: &Effects) -> u64 {
    let mut text = String::new();
    for (eff, _) in &effects.0 {
        super::kept::write_eff(ck, eff, &mut text).expect("a text takes all");
        text.write_char('\n').expect("a text takes all");
    }
    qz_base::digest::digest(text.as_bytes()).short()
}
