//! What tests tell of names. A test of a name leaves some of the variants of its enum, or some of the members of its
//! union; both where it holds and where it does not. That is known in the branch, and behind the test if the other
//! way leaves. An assignment tells, too. It ends where a variable may get another value, and at the start of a loop that may
//! give it one.

use qz_hir::body::*;
use qz_types::{AdtId, Ty, TyKind};

use super::Infer;
use crate::facts::*;

/// The value of a name is one of these variants of an enum; of a union, one of these members.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(super) local: LocalId,
    pub(super) adt: AdtId,
    /// In order.
    allowed: Vec<u32>,
}

/// What the walk has met on its way.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Fact(Fact),
    /// From here on nothing is known of the variable.
    Changed(LocalId),
}

impl Told {
    pub(super) fn local(&self) -> LocalId {
        match self {
            Told::Fact(it) => it.local,
            Told::Changed(local) => *local,
        }
    }
}

/// The variants that a pattern can match, and those that it matches whatever is inside.
struct Reach {
    adt: AdtId,
    may: Vec<u32>,
    must: Vec<u32>,
}

impl Infer<'_, '_> {
    // --------------------------------------------------------------------------------------- names and fields

    /// The type of a name at one place: what it was narrowed to, or its own.
    pub(super) fn narrowed(&mut self, id: ExprId, local: LocalId, ty: Ty) -> Ty {
        if self.st.told.is_empty() {
            return ty;
        }
        let Some((union, members)) = self.as_union(ty.peel_ref()) else { return ty };
        match self.allowed(local, union).as_deref() {
            Some(&[only]) => {
                self.st.types.callees.insert(id, Callee::Field { variant: only, index: 0 });
                members[only as usize]
            }
            // A test asks the whole union, which spares making a smaller one.
            Some(some) if !some.is_empty() && some.len() < members.len() && self.st.asked != Some(id) => {
                let some = some.iter().map(|&at| self.resolve(members[at as usize])).collect();
                match self.ck.defs.union_of(some) {
                    Some(smaller) => {
                        self.st.types.callees.insert(id, Callee::SomeMembers);
                        smaller
                    }
                    None => ty,
                }
            }
            _ => ty,
        }
    }

    /// The member of a union that a name is known to be which is written to: it is written in its place.
    pub(super) fn narrowed_place(&mut self, place: ExprId, ty: Ty) -> Option<Ty> {
        let Expr::Local { local } = self.body.exprs[place] else { return None };
        let (union, members) = self.as_union(ty)?;
        let &[only] = &self.allowed(local, union)?[..] else { return None };
        let member = members[only as usize];
        self.st.types.callees.insert(place, Callee::Field { variant: only, index: 0 });
        self.st.types.exprs.insert(place, member);
        Some(member)
    }

    /// The one variant that a name can be, if tests have left one.
    pub(super) fn opened_variant(&self, local: LocalId, adt: AdtId) -> Option<u32> {
        match self.allowed(local, adt)?[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    fn allowed(&self, local: LocalId, adt: AdtId) -> Option<Vec<u32>> {
        let facts = self.facts_of(local).filter(|it| it.adt == adt);
        facts.map(|it| it.allowed.clone()).reduce(|a, b| common(&a, &b))
    }

    /// What is known of a name since it last got a value, the latest first.
    fn facts_of(&self, local: LocalId) -> impl Iterator<Item = &Fact> {
        let told = self.st.told.iter().rev().filter(move |it| it.local() == local);
        told.map_while(|it| match it {
            Told::Fact(fact) => Some(fact),
            Told::Changed(_) => None,
        })
    }

    // ------------------------------------------------------------------------------------------- assumptions

    /// Walks where the condition is known to hold, or not to.
    pub(super) fn where_known(&mut self, cond: ExprId, holds: bool, walk: impl FnOnce(&mut Self)) {
        let mark = self.st.told.len();
        let facts = self.facts_when(cond, holds);
        self.assume(facts);
        walk(self);
        self.leave(mark);
    }

    pub(super) fn assume(&mut self, facts: Vec<Fact>) {
        self.st.told.extend(facts.into_iter().map(Told::Fact));
    }

    /// What a statement that came to its end tells the rest of its block.
    pub(super) fn assume_after(&mut self, stmt: &Stmt) {
        if let Stmt::Expr(done) | Stmt::Bind { value: done, .. } = *stmt {
            let facts = self.facts_after(done);
            self.assume(facts);
        }
    }

    /// Goes back to what was known at the mark; what was changed since is changed.
    pub(super) fn leave(&mut self, mark: usize) {
        if self.st.told.len() == mark {
            return;
        }
        for told in self.st.told.split_off(mark) {
            if let Told::Changed(local) = told {
                self.changed(local);
            }
        }
    }

    /// A variable may have another value from here on.
    pub(super) fn changed(&mut self, local: LocalId) {
        if self.facts_of(local).next().is_some() {
            self.st.told.push(Told::Changed(local));
        }
    }

    pub(super) fn changed_place(&mut self, place: ExprId) {
        if let Expr::Local { local } = self.body.exprs[place] {
            self.changed(local);
        }
    }

    /// What a loop may change is not known in any turn but the first.
    pub(super) fn enter_loop(&mut self, parts: &[ExprId]) {
        let mut known: Vec<LocalId> = self.st.told.iter().map(Told::local).collect();
        known.sort_unstable();
        known.dedup();
        for local in known {
            if parts.iter().any(|&it| !self.keeps(it, local)) {
                self.changed(local);
            }
        }
    }

    /// Whether a name keeps its value, whatever an expression does.
    fn keeps(&self, inside: ExprId, local: LocalId) -> bool {
        !self.body.locals[local].mutable || !self.changes(inside, local)
    }

    /// Whether an expression may give a variable a new value.
    fn changes(&self, inside: ExprId, local: LocalId) -> bool {
        let is_it =
            |place: ExprId| matches!(self.body.exprs[place], Expr::Local { local: it } if it == local);
        let mut open = vec![inside];
        while let Some(expr) = open.pop() {
            match &self.body.exprs[expr] {
                Expr::Assign { place, .. }
                | Expr::CompoundAssign { place, .. }
                | Expr::AssignIfNone { place, .. }
                    if is_it(*place) =>
                {
                    return true;
                }
                Expr::Borrow { mutable: true, operand } if is_it(*operand) => return true,
                Expr::Method { receiver, .. } if is_it(*receiver) && self.may_borrow(*receiver) => {
                    return true;
                }
                other => other.each_child(&mut |child| open.push(child)),
            }
        }
        false
    }

    /// Whether a method may change its receiver, as far as is known.
    fn may_borrow(&self, receiver: ExprId) -> bool {
        let known = &self.st.types;
        !known.exprs.contains(receiver)
            || matches!(known.coercions.get(receiver), Some(Coercion::AutoRef { mutable: true }))
    }

    // ----------------------------------------------------------------------------------- what conditions tell

    /// What is known where a condition is true, or where it is false.
    fn facts_when(&self, cond: ExprId, holds: bool) -> Vec<Fact> {
        match self.body.exprs[cond] {
            Expr::Unary { op: UnaryOp::Not, operand } => self.facts_when(operand, !holds),
            Expr::And { lhs, rhs } => self.facts_of_two(lhs, rhs, true, holds),
            Expr::Or { lhs, rhs } => self.facts_of_two(lhs, rhs, false, holds),
            Expr::Is { value, pat } => self.facts_of_test(value, pat, holds),
            Expr::Block { ref stmts, tail: Some(tail) } if stmts.is_empty() => self.facts_when(tail, holds),
            _ => Vec::new(),
        }
    }

    /// `and` and `or`: the right side is asked where the left one is `goes_on`. Either the left side decides alone,
    /// or both have been asked.
    fn facts_of_two(&self, lhs: ExprId, rhs: ExprId, goes_on: bool, holds: bool) -> Vec<Fact> {
        let both = || {
            let mut facts = self.facts_when(lhs, goes_on);
            facts.retain(|it| self.keeps(rhs, it.local));
            facts.extend(self.facts_when(rhs, holds));
            facts
        };
        if holds == goes_on {
            return both();
        }
        let alone = self.facts_when(lhs, holds);
        if self.diverges(rhs) { alone } else { either(alone, both()) }
    }

    /// What a pattern tells of the name it is asked of.
    pub(super) fn facts_of_test(&self, value: ExprId, pat: PatId, holds: bool) -> Vec<Fact> {
        let Expr::Local { local } = self.body.exprs[value] else { return Vec::new() };
        if self.body.locals[local].shared || self.is_exclusive(local) {
            return Vec::new();
        }
        let mut reaches = Vec::new();
        self.reaches(pat, &mut reaches);
        let facts = reaches.into_iter().filter_map(|it| {
            let allowed = if holds { it.may } else { self.others(value, it.adt, &it.must)? };
            let fact = Fact { local, adt: it.adt, allowed };
            self.of_whole_union(value, fact)
        });
        facts.collect()
    }

    /// Whether a name stands for a place that others may change.
    fn is_exclusive(&self, local: LocalId) -> bool {
        let ty = self.st.types.locals.get(local).map(|&ty| self.shallow(ty));
        ty.is_some_and(|ty| matches!(ty.kind(), TyKind::Ref(qz_types::Mutability::Mut, _)))
    }

    /// The variants besides `without`, if there were any of those.
    fn others(&self, value: ExprId, adt: AdtId, without: &[u32]) -> Option<Vec<u32>> {
        if without.is_empty() {
            return None;
        }
        let ty = self.shallow(*self.st.types.exprs.get(value)?);
        // The variants of a member say nothing of the other members.
        if ty.peel_ref().as_adt().is_none_or(|it| it.0 != adt) {
            return None;
        }
        let all = self.ck.defs.adt_fields(adt).variants.len() as u32;
        Some((0..all).filter(|it| !without.contains(it)).collect())
    }

    /// A name that was narrowed to some members was asked as a smaller union; facts are about its own.
    fn of_whole_union(&self, value: ExprId, mut fact: Fact) -> Option<Fact> {
        let asked = self.shallow(*self.st.types.exprs.get(value)?);
        let whole = self.shallow(*self.st.types.locals.get(fact.local)?);
        let (asked, whole) = (self.as_union(asked.peel_ref()), self.as_union(whole.peel_ref()));
        if let (Some((part, some)), Some((adt, all))) = (asked, whole)
            && part == fact.adt
            && part != adt
        {
            let place = |it: &u32| {
                let member = self.resolve(some[*it as usize]);
                all.iter().position(|&it| self.resolve(it) == member).map(|at| at as u32)
            };
            fact.allowed = fact.allowed.iter().map(place).collect::<Option<_>>()?;
            fact.allowed.sort_unstable();
            fact.adt = adt;
        }
        Some(fact)
    }

    // --------------------------------------------------------------------------------------- what patterns tell

    fn reaches(&self, pat: PatId, out: &mut Vec<Reach>) {
        let known = &self.st.types;
        match &self.body.pats[pat] {
            Pat::Bind { sub: Some(sub), .. } => return self.reaches(*sub, out),
            Pat::Or { alts } => return self.reaches_of_alternatives(alts, out),
            _ => {}
        }
        if let Some((adt, members)) = known.pat_unions.get(pat) {
            let mut members = members.clone();
            members.sort_unstable();
            out.push(Reach { adt: *adt, may: members.clone(), must: members });
        }
        let must = |variant: u32| if self.fits_inside(pat) { vec![variant] } else { Vec::new() };
        if let Some(&(adt, member)) = known.pat_members.get(pat) {
            let is_variant = matches!(known.pat_targets.get(pat), Some(PatTarget::Variant { .. }));
            let must = if is_variant { Vec::new() } else { must(member) };
            out.push(Reach { adt, may: vec![member], must });
        }
        if let Some(&PatTarget::Variant { adt, variant }) = known.pat_targets.get(pat) {
            out.push(Reach { adt, may: vec![variant], must: must(variant) });
        }
    }

    fn reaches_of_alternatives(&self, alts: &[PatId], out: &mut Vec<Reach>) {
        let mut all = alts.iter().map(|&alt| {
            let mut reaches = Vec::new();
            self.reaches(alt, &mut reaches);
            reaches
        });
        let Some(mut found) = all.next() else { return };
        for alternative in all {
            found.retain_mut(|it| {
                let Some(other) = alternative.iter().find(|other| other.adt == it.adt) else { return false };
                it.may = united(&it.may, &other.may);
                it.must = united(&it.must, &other.must);
                true
            });
        }
        out.append(&mut found);
    }

    /// Whether a pattern for a variant or member matches all values of it.
    fn fits_inside(&self, pat: PatId) -> bool {
        let mut all = true;
        match &self.body.pats[pat] {
            Pat::Tuple { .. }
            | Pat::Record { .. }
            | Pat::Struct { .. }
            | Pat::Variant { .. }
            | Pat::Type { .. } => {
                self.body.pats[pat].each_child(&mut |part| all &= self.always_fits(part));
                all
            }
            _ => false,
        }
    }

    fn always_fits(&self, pat: PatId) -> bool {
        let known = &self.st.types;
        match self.body.pats[pat] {
            Pat::Wild | Pat::Bind { sub: None, .. } => true,
            Pat::Bind { sub: Some(sub), .. } => self.always_fits(sub),
            _ => {
                let is_whole = !matches!(known.pat_targets.get(pat), Some(PatTarget::Variant { .. }));
                let is_member = known.pat_members.contains(pat) || known.pat_unions.contains(pat);
                is_whole && !is_member && self.fits_inside(pat)
            }
        }
    }

    // -------------------------------------------------------------------------------------- what was survived

    /// What is known where an expression has come to its end.
    fn facts_after(&self, done: ExprId) -> Vec<Fact> {
        stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || match &self.body.exprs[done] {
            Expr::Assert { cond, .. } => self.facts_when(*cond, true),
            Expr::Assign { place, value } => self.fact_of_assignment(*place, *value).into_iter().collect(),
            Expr::If { cond, then, else_ } => self.facts_after_if(*cond, *then, *else_),
            Expr::Match { subject, arms, .. } => self.facts_after_match(*subject, arms),
            Expr::While { cond, body, loop_ } if !self.is_broken(*body, *loop_) => {
                self.facts_when(*cond, false)
            }
            Expr::And { lhs, rhs } if self.diverges(*rhs) => self.facts_when(*lhs, false),
            Expr::Or { lhs, rhs } if self.diverges(*rhs) => self.facts_when(*lhs, true),
            Expr::Block { stmts, tail } => match (&stmts[..], tail) {
                ([], Some(only)) | ([Stmt::Expr(only)], None) => self.facts_after(*only),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        })
    }

    /// A variable that got one of the members of its union is that.
    fn fact_of_assignment(&self, place: ExprId, value: ExprId) -> Option<Fact> {
        let Expr::Local { local } = self.body.exprs[place] else { return None };
        if self.body.locals[local].shared || self.is_exclusive(local) {
            return None;
        }
        let Some(&Coercion::Member { to, variant, .. }) = self.st.types.coercions.get(value) else {
            return None;
        };
        let (adt, _) = self.as_union(to)?;
        Some(Fact { local, adt, allowed: vec![variant] })
    }

    fn facts_after_if(&self, cond: ExprId, then: ExprId, else_: Option<ExprId>) -> Vec<Fact> {
        let way = |holds: bool, branch: Option<ExprId>| {
            let mut facts = self.facts_when(cond, holds);
            let Some(branch) = branch else { return Some(facts) };
            if self.diverges(branch) {
                return None;
            }
            facts.retain(|it| self.keeps(branch, it.local));
            facts.extend(self.facts_after(branch));
            Some(facts)
        };
        joined([way(true, Some(then)), way(false, else_)])
    }

    fn facts_after_match(&self, subject: ExprId, arms: &[Arm]) -> Vec<Fact> {
        let mut others: Vec<Fact> = Vec::new();
        let ways = arms.iter().map(|arm| {
            let mut facts = others.clone();
            facts.extend(self.facts_of_test(subject, arm.pat, true));
            if arm.guard.is_none() {
                others.extend(self.facts_of_test(subject, arm.pat, false));
            }
            if self.diverges(arm.body) {
                return None;
            }
            facts.extend(arm.guard.iter().flat_map(|&guard| self.facts_when(guard, true)));
            facts.retain(|it| self.keeps(arm.body, it.local));
            Some(facts)
        });
        joined(ways)
    }

    fn is_broken(&self, body: ExprId, loop_: LoopId) -> bool {
        let mut open = vec![body];
        while let Some(expr) = open.pop() {
            match &self.body.exprs[expr] {
                Expr::Break { loop_: it, .. } if *it == loop_ => return true,
                other => other.each_child(&mut |child| open.push(child)),
            }
        }
        false
    }
}

fn common(a: &[u32], b: &[u32]) -> Vec<u32> {
    a.iter().copied().filter(|it| b.contains(it)).collect()
}

fn united(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut all = [a, b].concat();
    all.sort_unstable();
    all.dedup();
    all
}

/// What is known where several ways meet; a way that leaves is `None`.
fn joined(ways: impl IntoIterator<Item = Option<Vec<Fact>>>) -> Vec<Fact> {
    ways.into_iter().flatten().reduce(either).unwrap_or_default()
}

/// What holds whichever of two ways was taken.
fn either(a: Vec<Fact>, b: Vec<Fact>) -> Vec<Fact> {
    let (mut a, b) = (one_each(a), one_each(b));
    a.retain_mut(|fact| {
        let Some(other) = b.iter().find(|it| it.local == fact.local && it.adt == fact.adt) else {
            return false;
        };
        fact.allowed = united(&fact.allowed, &other.allowed);
        true
    });
    a
}

/// All that is said of a name, as one fact.
fn one_each(facts: Vec<Fact>) -> Vec<Fact> {
    let mut all: Vec<Fact> = Vec::new();
    for fact in facts {
        match all.iter_mut().find(|it| it.local == fact.local && it.adt == fact.adt) {
            Some(known) => known.allowed = common(&known.allowed, &fact.allowed),
            None => all.push(fact),
        }
    }
    all
}
