//! Unification: inference variables, what they were found to be, and making two types equal.
//!
//! Variables live in a union-find table with an undo log, so that a candidate can be tried and taken back
//! ([`InferTable::snapshot`]). Error types unify with everything and say nothing.

use qz_base::Name;

use crate::row::Row;
use crate::subst::Fold;
use crate::ty::{FnTy, Ty, TyFlags, TyKind, Tys, VarKind};

/// Why two types could not be made equal. The caller knows the places and the whole types.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum UnifyError {
    Mismatch,
    /// The variable occurs inside the type it would become.
    Infinite,
}

#[derive(Copy, Clone, Debug)]
enum Slot {
    Unbound(VarKind),
    Bound(Ty),
}

/// The variables of one inference run.
#[derive(Default, Debug)]
pub struct InferTable {
    slots: Vec<Slot>,
    log: Vec<(u32, Slot)>,
    open_snapshots: u32,
}

/// A point to go back to. Variables made after it stay allocated but unbound.
pub struct Snapshot {
    log_len: usize,
}

impl InferTable {
    pub fn new() -> InferTable {
        InferTable::default()
    }

    pub fn fresh(&mut self, kind: VarKind) -> Ty {
        let index = self.slots.len() as u32;
        self.slots.push(Slot::Unbound(kind));
        Ty::infer(index)
    }

    pub fn var_count(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Forgets all variables from `first` on; nothing may refer to them any more.
    pub fn truncate(&mut self, first: u32) {
        self.slots.truncate(first as usize);
    }

    pub fn snapshot(&mut self) -> Snapshot {
        self.open_snapshots += 1;
        Snapshot { log_len: self.log.len() }
    }

    pub fn rollback(&mut self, to: Snapshot) {
        while self.log.len() > to.log_len {
            let (var, old) = self.log.pop().expect("longer than the snapshot");
            self.slots[var as usize] = old;
        }
        self.close();
    }

    pub fn commit(&mut self, _: Snapshot) {
        self.close();
    }

    fn close(&mut self) {
        self.open_snapshots -= 1;
        if self.open_snapshots == 0 {
            self.log.clear();
        }
    }

    fn set(&mut self, var: u32, slot: Slot) {
        if self.open_snapshots > 0 {
            self.log.push((var, self.slots[var as usize]));
        }
        self.slots[var as usize] = slot;
    }

    /// The type with its outermost variable replaced by what is known of it.
    pub fn shallow(&self, mut ty: Ty) -> Ty {
        while let TyKind::Infer(var) = ty.kind() {
            match self.slots[var.index as usize] {
                Slot::Bound(to) => ty = to,
                Slot::Unbound(_) => break,
            }
        }
        match *ty.kind() {
            TyKind::OpenRecord(fields, rest) if rest.is_infer() => {
                Ty::open_record(fields, self.shallow(rest))
            }
            _ => ty,
        }
    }

    /// What an unbound variable may become, if `ty` is one.
    pub fn var_kind(&self, ty: Ty) -> Option<VarKind> {
        match self.shallow(ty).kind() {
            TyKind::Infer(var) => match self.slots[var.index as usize] {
                Slot::Unbound(kind) => Some(kind),
                Slot::Bound(_) => None,
            },
            _ => None,
        }
    }

    /// The type with every known variable replaced.
    pub fn resolve(&self, ty: Ty) -> Ty {
        Resolve(self).fold_ty(ty)
    }

    pub fn resolve_list(&self, list: Tys) -> Tys {
        Resolve(self).fold_list(list)
    }

    /// Makes the two types equal or says why that cannot be.
    pub fn unify(&mut self, a: Ty, b: Ty) -> Result<(), UnifyError> {
        let (a, b) = (self.shallow(a), self.shallow(b));
        if a == b {
            return Ok(());
        }
        match (a.kind(), b.kind()) {
            (TyKind::Error, _) | (_, TyKind::Error) => Ok(()),
            (TyKind::Infer(x), TyKind::Infer(y)) => self.unify_vars(x.index, y.index, a, b),
            (TyKind::Infer(var), _) => self.bind(var.index, b),
            (_, TyKind::Infer(var)) => self.bind(var.index, a),
            (TyKind::Tuple(x), TyKind::Tuple(y)) => self.unify_lists(x, y),
            (TyKind::Adt(x, xs), TyKind::Adt(y, ys)) if x == y => self.unify_lists(xs, ys),
            (TyKind::Opaque(x, n, xs), TyKind::Opaque(y, m, ys)) if (x, n) == (y, m) => {
                self.unify_lists(xs, ys)
            }
            (TyKind::Fn(x), TyKind::Fn(y)) => self.unify_fns(x, y),
            (TyKind::Ref(m, x), TyKind::Ref(n, y)) if m == n => self.unify(*x, *y),
            (TyKind::Ptr(x), TyKind::Ptr(y)) => self.unify(*x, *y),
            (TyKind::Assoc(x), TyKind::Assoc(y)) if (x.trait_id, x.name) == (y.trait_id, y.name) => {
                self.unify_lists(x.args, y.args)
            }
            (TyKind::Dyn(xs), TyKind::Dyn(ys)) if xs.len() == ys.len() => {
                for (x, y) in xs.iter().zip(ys.iter()) {
                    if x.trait_id != y.trait_id {
                        return Err(UnifyError::Mismatch);
                    }
                    self.unify_lists(x.args, y.args)?;
                }
                Ok(())
            }
            (TyKind::Record(xs), TyKind::Record(ys)) if xs.len() == ys.len() => {
                for (x, y) in xs.iter().zip(ys.iter()) {
                    if x.0 != y.0 {
                        return Err(UnifyError::Mismatch);
                    }
                    self.unify(x.1, y.1)?;
                }
                Ok(())
            }
            (TyKind::OpenRecord(xs, rest), TyKind::Record(ys)) => self.unify_open(xs, *rest, ys, None),
            (TyKind::Record(xs), TyKind::OpenRecord(ys, rest)) => self.unify_open(ys, *rest, xs, None),
            (TyKind::OpenRecord(xs, x), TyKind::OpenRecord(ys, y)) => match (x.is_infer(), y.is_infer()) {
                (false, true) => self.unify_open(ys, *y, xs, Some(*x)),
                (true, true) if x != y => self.unify_both_open((xs, *x), (ys, *y)),
                _ => self.unify_open(xs, *x, ys, Some(*y)),
            },
            _ => Err(UnifyError::Mismatch),
        }
    }

    /// The other record has all that is known of the open one; what it has besides, and its own rest, is the rest.
    fn unify_open(
        &mut self,
        known: &[(Name, Ty)],
        rest: Ty,
        other: &[(Name, Ty)],
        other_rest: Option<Ty>,
    ) -> Result<(), UnifyError> {
        let mut left = Vec::new();
        let mut met = 0;
        for &(name, ty) in other {
            match known.iter().find(|it| it.0 == name) {
                Some(it) => {
                    met += 1;
                    self.unify(it.1, ty)?;
                }
                None => left.push((name, ty)),
            }
        }
        if met < known.len() {
            return Err(UnifyError::Mismatch);
        }
        let left = match other_rest {
            Some(other) => Ty::open_record(&left, other),
            None => Ty::record(&left),
        };
        self.unify(rest, left)
    }

    /// Each rest has what only the other record is known to have, and what neither is.
    fn unify_both_open(
        &mut self,
        (xs, x): (&[(Name, Ty)], Ty),
        (ys, y): (&[(Name, Ty)], Ty),
    ) -> Result<(), UnifyError> {
        let without = |from: &[(Name, Ty)], others: &[(Name, Ty)]| -> Vec<(Name, Ty)> {
            from.iter().filter(|it| !others.iter().any(|other| other.0 == it.0)).copied().collect()
        };
        let (only_x, only_y) = (without(xs, ys), without(ys, xs));
        for &(name, ty) in xs {
            if let Some(other) = ys.iter().find(|it| it.0 == name) {
                self.unify(ty, other.1)?;
            }
        }
        if only_x.is_empty() {
            return self.unify(x, Ty::open_record(&only_y, y));
        }
        if only_y.is_empty() {
            return self.unify(y, Ty::open_record(&only_x, x));
        }
        let shared = self.fresh(VarKind::Any);
        self.unify(x, Ty::open_record(&only_y, shared))?;
        self.unify(y, Ty::open_record(&only_x, shared))
    }

    pub fn unify_lists(&mut self, a: Tys, b: Tys) -> Result<(), UnifyError> {
        if a.len() != b.len() {
            return Err(UnifyError::Mismatch);
        }
        a.iter().zip(b).try_for_each(|(&x, &y)| self.unify(x, y))
    }

    fn unify_fns(&mut self, a: &FnTy, b: &FnTy) -> Result<(), UnifyError> {
        self.unify_lists(a.params, b.params)?;
        self.unify(a.ret, b.ret)?;
        self.unify_rows(a.row, b.row)
    }

    /// Rows are equal up to order. Labels missing on one side are taken by the other's variable.
    fn unify_rows(&mut self, a: Row, b: Row) -> Result<(), UnifyError> {
        if a == b {
            return Ok(());
        }
        let (a, b) = (self.shallow_row(a), self.shallow_row(b));
        let mut theirs = b.labels.to_vec();
        let mut mine = Vec::new();
        for label in a.labels {
            // Of two with one name, the equal one is meant.
            let at = theirs.iter().position(|it| it == label);
            match at.or_else(|| theirs.iter().position(|it| it.effect == label.effect)) {
                Some(at) => self.unify_lists(label.args, theirs.swap_remove(at).args)?,
                None => mine.push(label.ty()),
            }
        }
        let mut theirs: Vec<Ty> = theirs.iter().map(|it| it.ty()).collect();
        let (x, y) = (a.open(), b.open());
        mine.extend(x.iter().filter(|it| !y.contains(it)));
        theirs.extend(y.iter().filter(|it| !x.contains(it)));
        self.unify_left(mine, theirs)
    }

    /// What only one of two rows has is taken by a variable of the other.
    fn unify_left(&mut self, mut mine: Vec<Ty>, mut theirs: Vec<Ty>) -> Result<(), UnifyError> {
        let take = |from: &mut Vec<Ty>| {
            let at = from.iter().position(|it| it.is_infer())?;
            Some(from.swap_remove(at))
        };
        if mine.is_empty() && theirs.is_empty() {
            return Ok(());
        }
        match (take(&mut mine), take(&mut theirs)) {
            (Some(x), None) if mine.is_empty() => self.unify(x, Row::of(theirs).as_arg()),
            (None, Some(y)) if theirs.is_empty() => self.unify(y, Row::of(mine).as_arg()),
            (Some(x), Some(y)) if mine.is_empty() => {
                theirs.push(y);
                self.unify(x, Row::of(theirs).as_arg())
            }
            (Some(x), Some(y)) if theirs.is_empty() => {
                mine.push(x);
                self.unify(y, Row::of(mine).as_arg())
            }
            (Some(x), Some(y)) => {
                let shared = self.fresh(VarKind::Any);
                (mine.push(shared), theirs.push(shared));
                self.unify(x, Row::of(theirs).as_arg())?;
                self.unify(y, Row::of(mine).as_arg())
            }
            _ => Err(UnifyError::Mismatch),
        }
    }

    /// The row with what is known of its variables.
    fn shallow_row(&self, row: Row) -> Row {
        match row.tail {
            Some(_) => Row::of(row.parts().map(|part| self.shallow(part)).collect::<Vec<_>>()),
            None => row,
        }
    }

    fn unify_vars(&mut self, x: u32, y: u32, a: Ty, b: Ty) -> Result<(), UnifyError> {
        let (Slot::Unbound(kx), Slot::Unbound(ky)) = (self.slots[x as usize], self.slots[y as usize]) else {
            unreachable!("shallow left unbound variables");
        };
        // The narrower kind stays: an integer literal beside a float literal becomes a float.
        match (kx, ky) {
            (VarKind::Any, _) | (VarKind::Int, VarKind::Float) => self.set(x, Slot::Bound(b)),
            _ => self.set(y, Slot::Bound(a)),
        }
        Ok(())
    }

    fn bind(&mut self, var: u32, to: Ty) -> Result<(), UnifyError> {
        let Slot::Unbound(kind) = self.slots[var as usize] else {
            unreachable!("shallow left an unbound variable");
        };
        let fits = match kind {
            VarKind::Any => true,
            VarKind::Int => to.is_numeric(),
            VarKind::Float => to.is_float(),
        };
        if !fits {
            return Err(UnifyError::Mismatch);
        }
        if to.has(TyFlags::INFER) && self.occurs(var, to) {
            return Err(UnifyError::Infinite);
        }
        self.set(var, Slot::Bound(to));
        Ok(())
    }

    fn occurs(&self, var: u32, ty: Ty) -> bool {
        let ty = self.shallow(ty);
        if !ty.has(TyFlags::INFER) {
            return false;
        }
        if let TyKind::Infer(other) = ty.kind() {
            return other.index == var;
        }
        let mut found = false;
        crate::ty::each_part(ty.kind(), &mut |part| found |= !found && self.occurs(var, part));
        found
    }
}

struct Resolve<'a>(&'a InferTable);

impl Fold for Resolve<'_> {
    fn fold_ty(&mut self, ty: Ty) -> Ty {
        if !ty.has(TyFlags::INFER) {
            return ty;
        }
        let known = self.0.shallow(ty);
        if known.is_infer() { known } else { self.fold_parts(known) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::common;

    #[test]
    fn variables_take_the_other_side() {
        let c = common();
        let mut table = InferTable::new();
        let v = table.fresh(VarKind::Any);
        assert_eq!(table.unify(Ty::tuple(&[v, c.str]), Ty::tuple(&[c.int, c.str])), Ok(()));
        assert_eq!(table.resolve(v), c.int);
        assert_eq!(table.unify(v, c.str), Err(UnifyError::Mismatch));
    }

    #[test]
    fn a_type_cannot_hold_itself() {
        let mut table = InferTable::new();
        let v = table.fresh(VarKind::Any);
        assert_eq!(table.unify(v, Ty::tuple(&[v])), Err(UnifyError::Infinite));
    }

    #[test]
    fn a_rest_is_what_the_other_record_has_besides() {
        let c = common();
        let (x, y, z) = (Name::new("x"), Name::new("y"), Name::new("z"));
        let mut table = InferTable::new();
        let rest = table.fresh(VarKind::Any);
        let open = Ty::open_record(&[(x, c.int)], rest);
        let whole = Ty::record(&[(y, c.str), (x, c.int)]);
        assert_eq!(table.unify(open, whole), Ok(()));
        assert_eq!(table.resolve(open), whole);
        assert_eq!(table.resolve(rest), Ty::record(&[(y, c.str)]));
        assert_eq!(table.unify(open, Ty::record(&[(x, c.int)])), Err(UnifyError::Mismatch));

        let (one, two) = (table.fresh(VarKind::Any), table.fresh(VarKind::Any));
        let (a, b) = (Ty::open_record(&[(x, c.int)], one), Ty::open_record(&[(y, c.str)], two));
        assert_eq!(table.unify(a, b), Ok(()));
        assert_eq!(table.unify(a, Ty::record(&[(x, c.int), (y, c.str), (z, c.bool)])), Ok(()));
        assert_eq!(table.resolve(two), Ty::record(&[(x, c.int), (z, c.bool)]));
        assert_eq!(table.resolve(a), table.resolve(b));
    }

    #[test]
    fn a_known_field_goes_before_one_of_the_rest() {
        let c = common();
        let (x, y) = (Name::new("x"), Name::new("y"));
        let of_rest = Ty::record(&[(x, c.str), (y, c.bool)]);
        assert_eq!(Ty::open_record(&[(x, c.int)], of_rest), Ty::record(&[(x, c.int), (y, c.bool)]));
    }

    #[test]
    fn rolling_back_forgets() {
        let c = common();
        let mut table = InferTable::new();
        let v = table.fresh(VarKind::Int);
        let at = table.snapshot();
        assert_eq!(table.unify(v, c.u8), Ok(()));
        table.rollback(at);
        assert_eq!(table.var_kind(v), Some(VarKind::Int));
        assert_eq!(table.unify(v, c.str), Err(UnifyError::Mismatch));
    }
}
