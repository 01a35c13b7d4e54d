//! Effect rows: the set of effects a function may perform, with scoped labels (duplicates allowed, the
//! inner one shadows) after Leijen's "Koka: Programming with Row-polymorphic Effect Types" (2014).
//!
//! Every function type carries a row. Only written types have labels in it: what other functions perform is found out
//! after inference. Code is made of types without rows ([`Ty::without_rows`]).
//!
//! A row is an argument of declared types, too. There it is a type like others: an effect is the struct of its clauses,
//! several are a tuple of these, none is `()`.

use crate::defs::AdtId;
use crate::ty::{Ty, TyKind, Tys};

/// An effect applied to its type arguments.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Label {
    /// The struct of what a handler does.
    pub effect: AdtId,
    pub args: Tys,
}

impl Label {
    pub fn ty(self) -> Ty {
        Ty::adt(self.effect, self.args)
    }
}

/// Labels in the order of their declaration ids, then an optional tail.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Row {
    pub labels: &'static [Label],
    /// What stands for other effects: a variable, a parameter, or a tuple of such.
    pub tail: Option<Ty>,
}

impl Row {
    /// No effect but those with default handlers.
    pub const EMPTY: Row = Row { labels: &[], tail: None };

    /// The row of these effects, rows and tuples of them: each once, in their order.
    pub fn of(parts: impl IntoIterator<Item = Ty>) -> Row {
        let (mut labels, mut open) = (Vec::new(), Vec::new());
        parts.into_iter().for_each(|part| spread(part, &mut labels, &mut open));
        if labels.is_empty() && open.is_empty() {
            return Row::EMPTY;
        }
        labels.sort_by_key(|it: &Label| it.effect);
        labels.dedup();
        let tail = match open[..] {
            [] => None,
            [one] => Some(one),
            _ => Some(Ty::tuple(&open)),
        };
        Row { labels: if labels.is_empty() { &[] } else { labels.leak() }, tail }
    }

    /// What stands for other effects.
    pub fn open(self) -> Vec<Ty> {
        match self.tail {
            Some(tail) => match *tail.kind() {
                TyKind::Tuple(parts) => parts.to_vec(),
                _ => vec![tail],
            },
            None => Vec::new(),
        }
    }

    /// Its effects, those that are open included.
    pub fn parts(self) -> impl Iterator<Item = Ty> {
        self.labels.iter().map(|it| it.ty()).chain(self.open())
    }

    /// The row as a type argument.
    pub fn as_arg(self) -> Ty {
        let parts: Vec<Ty> = self.parts().collect();
        match parts[..] {
            [one] => one,
            _ => Ty::tuple(&parts),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.tail.is_none()
    }

    pub(crate) fn each_ty(&self, f: &mut dyn FnMut(Ty)) {
        self.labels.iter().flat_map(|label| label.args).copied().for_each(&mut *f);
        self.tail.into_iter().for_each(f);
    }
}

fn spread(part: Ty, labels: &mut Vec<Label>, open: &mut Vec<Ty>) {
    match *part.kind() {
        TyKind::Adt(effect, args) => labels.push(Label { effect, args }),
        TyKind::Tuple(parts) => parts.iter().for_each(|&part| spread(part, labels, open)),
        TyKind::Param(_) | TyKind::Infer(_) | TyKind::Assoc(_) if !open.contains(&part) => open.push(part),
        // What is no row is reported where it is written.
        _ => {}
    }
}
