//! Effect rows: the set of effects a function may perform, with scoped labels (duplicates allowed, the
//! inner one shadows) after Leijen's "Koka: Programming with Row-polymorphic Effect Types" (2014).
//!
//! Every function type carries a row. Only written types have labels in it: what other functions perform is found out
//! after inference. Code is made of types without rows ([`Ty::without_rows`]).

use crate::defs::EffectId;
use crate::ty::{Ty, Tys};

/// An effect applied to its type arguments.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Label {
    pub effect: EffectId,
    pub args: Tys,
}

/// Labels in the order of their declaration ids, then an optional tail: a row variable or parameter.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Row {
    pub labels: &'static [Label],
    /// A type of kind `Infer` or `Param` that stands for the rest of the row.
    pub tail: Option<Ty>,
}

impl Row {
    /// No effect but those with default handlers.
    pub const EMPTY: Row = Row { labels: &[], tail: None };

    /// A row that is written: each label once, in their order.
    pub fn of(mut labels: Vec<Label>) -> Row {
        if labels.is_empty() {
            return Row::EMPTY;
        }
        labels.sort_by_key(|it| it.effect);
        labels.dedup();
        Row { labels: labels.leak(), tail: None }
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.tail.is_none()
    }

    pub(crate) fn each_ty(&self, f: &mut dyn FnMut(Ty)) {
        self.labels.iter().flat_map(|label| label.args).copied().for_each(&mut *f);
        self.tail.into_iter().for_each(f);
    }

    pub(crate) fn has_var(&self) -> bool {
        self.tail.is_some_and(Ty::is_infer)
    }
}
