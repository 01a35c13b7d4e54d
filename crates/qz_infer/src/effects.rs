//! Which effects each function may perform: rows, inferred over the whole program once all bodies have their types.
//!
//! A function's row is what its body calls perform, less what handlers around those calls handle. What is given to it
//! as an argument and called counts by the name of the parameter ([`Eff::Param`]); each call puts the argument's own
//! effects in place of it. So every function is polymorphic in the rows of the functions it takes, and types stay
//! without rows. Rows of functions that call each other are a least fixed point.
//!
//! * [`walk`]: the row of one body;
//! * [`solve`]: the rows of all, callees first;
//! * [`kept`]: rows that were found before;
//! * [`report`]: what is wrong with rows: effects that nothing handles, that a `can` does not allow, that are kept
//!   where nobody can see them.

mod kept;
mod report;
mod solve;
mod walk;

use qz_base::Span;
use qz_hir::{FnKind, ModuleId};
use qz_types::{FnId, Label, Row, Ty, subst};

use crate::checker::Checker;
use kept::KnownRows;
pub use kept::{KeptRows, NewRows};
use solve::Rows;

/// An effect that may be performed.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Eff {
    Label(Label),
    /// By another task, besides.
    Tasked(Label),
    /// What this parameter, a function, performs, less what is handled around its calls.
    Param {
        index: u32,
        minus: Vec<Handled>,
        /// Whether another task calls it.
        tasked: bool,
    },
    /// What this type parameter, a row, stands for, less what is handled.
    Open {
        row: Ty,
        minus: Vec<Handled>,
        tasked: bool,
    },
}

/// What is handled around some code.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Handled {
    label: Label,
    /// Why other tasks cannot ask the handler, if they cannot.
    unshared: Option<Unshared>,
}

/// A handler that serves its own task only.
#[derive(Copy, Clone, PartialEq, Debug)]
pub(crate) struct Unshared {
    pub(crate) handler: Span,
    pub(crate) why: Why,
}

#[derive(Copy, Clone, PartialEq, Debug)]
pub(crate) enum Why {
    /// A clause does more than to resume at once.
    Answers,
    /// A clause captures a variable.
    Variable,
    /// A clause captures an object that can be changed.
    Object,
    /// It is a `catch`.
    Catch,
}

/// What another task performs, and the handler that cannot serve it.
pub(crate) type Unserved = (Label, Origin, Unshared);

/// The call that an effect comes from.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) span: Span,
    /// What is called there.
    pub(crate) callee: Option<FnId>,
}

/// Effects, each once, in the order in which they were found.
#[derive(Clone, Default, Debug)]
pub(crate) struct Effects(pub(crate) Vec<(Eff, Origin)>);

/// No function has more; what grows further is a row that never ends, as of a recursive call with other types.
const MOST: usize = 64;

impl Effects {
    pub(crate) fn add(&mut self, eff: Eff, origin: Origin) {
        if self.0.len() < MOST && !self.0.iter().any(|(it, _)| *it == eff) {
            self.0.push((eff, origin));
        }
    }

    pub(crate) fn extend(&mut self, other: Effects) {
        other.0.into_iter().for_each(|(eff, origin)| self.add(eff, origin));
    }

    /// What a type says that a function can.
    pub(crate) fn add_row(&mut self, row: Row, origin: Origin) {
        row.labels.iter().for_each(|&label| self.add(Eff::Label(label), origin));
        for row in row.open() {
            self.add(Eff::Open { row, minus: Vec::new(), tasked: false }, origin);
        }
    }

    /// The same where these may be performed. `own` are the rows of the parameters of the function that it is about: a
    /// function whose row is open performs nothing else.
    pub(crate) fn without(self, allowed: Row, own: &[Row]) -> Effects {
        let labels = allowed.labels.iter();
        let labels: Vec<Handled> = labels.map(|&label| Handled { label, unshared: None }).collect();
        let open = allowed.open();
        let covered = |index: u32| {
            let of_param = own.get(index as usize).map(|it| it.open()).unwrap_or_default();
            !of_param.is_empty() && of_param.iter().all(|it| open.contains(it))
        };
        let mut left = self.under(&labels, &mut Vec::new());
        left.0.retain(|(eff, _)| match eff {
            Eff::Open { row, .. } => !open.contains(row),
            Eff::Param { index, .. } => !covered(*index),
            Eff::Label(_) | Eff::Tasked(_) => true,
        });
        left
    }

    /// The same under handlers of these.
    fn under(self, handled: &[Handled], unserved: &mut Vec<Unserved>) -> Effects {
        let mut left = Effects::default();
        for (eff, origin) in self.0 {
            match eff {
                Eff::Label(label) if handled.iter().any(|it| it.label == label) => {}
                Eff::Tasked(label) if let Some(by) = handled.iter().find(|it| it.label == label) => {
                    unserved.extend(by.unshared.map(|it| (label, origin, it)));
                }
                Eff::Label(_) | Eff::Tasked(_) => left.add(eff, origin),
                Eff::Param { index, minus, tasked } => {
                    left.add(Eff::Param { index, minus: also_handled(minus, handled), tasked }, origin);
                }
                Eff::Open { row, minus, tasked } => {
                    left.add(Eff::Open { row, minus: also_handled(minus, handled), tasked }, origin);
                }
            }
        }
        left
    }

    /// The same where another task performs it.
    fn in_task(self) -> Effects {
        let mut all = Effects::default();
        for (eff, origin) in self.0 {
            match &eff {
                Eff::Label(label) => all.add(Eff::Tasked(*label), origin),
                Eff::Param { index, minus, .. } => {
                    all.add(Eff::Param { index: *index, minus: minus.clone(), tasked: true }, origin);
                }
                Eff::Open { row, minus, .. } => {
                    all.add(Eff::Open { row: *row, minus: minus.clone(), tasked: true }, origin);
                }
                Eff::Tasked(_) => {}
            }
            all.add(eff, origin);
        }
        all
    }

    pub(crate) fn labels(&self) -> impl Iterator<Item = (Label, Origin)> + '_ {
        self.0.iter().filter_map(|(eff, origin)| match eff {
            Eff::Label(label) => Some((*label, *origin)),
            Eff::Tasked(_) | Eff::Param { .. } | Eff::Open { .. } => None,
        })
    }

    /// Type parameters for rows that may be performed.
    pub(crate) fn open(&self) -> impl Iterator<Item = (Ty, Origin)> + '_ {
        self.0.iter().filter_map(|(eff, origin)| match eff {
            Eff::Open { row, tasked: false, .. } => Some((*row, *origin)),
            _ => None,
        })
    }
}

/// The innermost handler of a label is the one that is asked.
fn also_handled(mut minus: Vec<Handled>, handled: &[Handled]) -> Vec<Handled> {
    let new = handled.iter().filter(|it| minus.iter().all(|known| known.label != it.label));
    let new: Vec<Handled> = new.cloned().collect();
    minus.extend(new);
    minus
}

pub(crate) fn subst_label(label: Label, args: &[Ty]) -> Label {
    let args: Vec<Ty> = label.args.iter().map(|&ty| subst(ty, args)).collect();
    Label { effect: label.effect, args: Ty::list(&args) }
}

fn subst_row(row: Row, args: &[Ty]) -> Row {
    Row::of(row.parts().map(|part| subst(part, args)).collect::<Vec<_>>())
}

impl Checker<'_> {
    /// Whether a program has effects that need handlers: any other is spared the walk.
    pub fn has_effects(&self) -> bool {
        let own = |module: ModuleId| !self.defs.modules[module].is_std;
        let declared = &self.defs.effects;
        declared.ids().any(|it| own(self.defs.adts[declared[it].clauses].module))
            || self.defs.modules.ids().any(|it| own(it) && self.defs.names_throws(it))
    }

    /// Reports what is wrong with the effects of these modules' functions.
    pub(crate) fn check_effects(&self, modules: &dyn Fn(ModuleId) -> bool) {
        let functions: Vec<FnId> = self.defs.fns.ids().filter(|&id| self.is_walked(id)).collect();
        let solved = solve::solve(self, &functions, KnownRows::default(), &|_| 0);
        for id in functions.into_iter().filter(|&id| modules(self.defs.fns[id].module)) {
            report::report(self, &solved.rows, id);
        }
    }

    /// A function of the program with a body that can be walked.
    fn is_walked(&self, id: FnId) -> bool {
        self.has_row(id) && !self.check_fn(id).types.has_errors
    }

    /// A function of the program with a body that somebody wrote.
    fn has_row(&self, id: FnId) -> bool {
        let def = &self.defs.fns[id];
        let is_own = !self.defs.modules[def.module].is_std;
        is_own && def.has_body && !matches!(def.kind, FnKind::Derived)
    }

    /// The rows of all functions, those of the library that they call included.
    fn all_rows(&self) -> Rows {
        let mut functions: Vec<FnId> = self.defs.fns.ids().filter(|&id| self.is_walked(id)).collect();
        loop {
            let mut rows = solve::solve(self, &functions, KnownRows::default(), &|_| 0).rows;
            let mut met = std::mem::take(rows.met.get_mut());
            met.retain(|id| !functions.contains(id));
            met.sort_unstable();
            met.dedup();
            if met.is_empty() {
                return rows;
            }
            functions.extend(met);
        }
    }

    /// The rows of the program's own functions in words, in the order of their names. For `--dump-effects`.
    pub fn dump_effects(&self) -> String {
        let rows = self.all_rows();
        let mut lines: Vec<String> = Vec::new();
        let is_own = |id: FnId| !self.defs.modules[self.defs.fns[id].module].is_std;
        for (&id, effects) in rows.known.iter().filter(|(id, _)| is_own(**id)) {
            let labels = effects.labels().map(|(label, _)| report::label_text(self, label));
            let sig = self.defs.fn_sig(id);
            let params = effects.0.iter().filter_map(|(eff, _)| match eff {
                Eff::Param { index, .. } => {
                    Some(format!("what `{}` can", sig.params.get(*index as usize)?.name))
                }
                Eff::Label(_) | Eff::Tasked(_) | Eff::Open { .. } => None,
            });
            let mut all: Vec<String> = labels.collect();
            all.sort();
            all.extend(effects.open().map(|(row, _)| row.display(self.defs).to_string()));
            all.extend(params);
            all.dedup();
            let row = if all.is_empty() { "nothing".to_owned() } else { all.join(" + ") };
            lines.push(format!("{} can {row}\n", self.defs.fn_path(id)));
        }
        lines.sort();
        lines.concat()
    }
}
