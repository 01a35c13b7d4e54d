//! Patterns to decision trees: each place is tested as seldom as the order of arms allows (after Maranget,
//! "Compiling Pattern Matching to Good Decision Trees", 2008; columns are taken in order).

use qz_hir::AdtKind;
use qz_hir::body::{Arm, ExprId, Gap, Literal, LocalId, Pat, PatId};
use qz_infer::PatTarget;
use qz_mir::{BinOp, BlockId, Const, Local, Operand, Place, Proj, Rvalue, TermKind};
use qz_types::ty::common;
use qz_types::{FloatTy, Ty, TyKind};

use crate::body::{Cx, int_ty};
use crate::records::index_of;

/// A test of a place, and what to look at once it holds.
#[derive(Clone)]
struct Test {
    place: Place,
    ty: Ty,
    kind: TestKind,
}

#[derive(Clone)]
enum TestKind {
    Variant {
        variant: u32,
        parts: Vec<(u32, PatId, Ty)>,
    },
    /// Integers, characters, Booleans.
    Scalar(i128),
    Range {
        from: Option<PatId>,
        to: Option<PatId>,
        inclusive: bool,
    },
    /// Compared by `==`.
    Value(PatId),
    Length {
        prefix: Vec<PatId>,
        rest: Option<Option<PatId>>,
        suffix: Vec<PatId>,
    },
    /// A regex is found in it.
    Regex(PatId),
    /// A packed struct is taken apart, which always holds.
    Unpacked {
        fields: Ty,
        parts: Vec<(u32, PatId, Ty)>,
    },
}

/// One way for an arm to match: tests still to be made, names already placed.
#[derive(Clone)]
struct Row {
    tests: Vec<Test>,
    bindings: Vec<Binding>,
    arm: usize,
}

/// A name of a pattern, and what it is bound to.
#[derive(Clone)]
struct Binding {
    local: LocalId,
    place: Place,
    ty: Ty,
    /// Of a record at that place, a record of some of its fields.
    part: bool,
}

/// Where control goes once an arm matches.
struct Target {
    guard: Option<ExprId>,
    body: BlockId,
}

impl Binding {
    fn new(local: LocalId, place: Place, ty: Ty) -> Binding {
        Binding { local, place, ty, part: false }
    }
}

impl Cx<'_, '_, '_> {
    /// `match`: arms in order; each body is lowered once.
    pub(crate) fn match_arms(&mut self, subject: Local, ty: Ty, arms: &[Arm], dest: Option<Local>) {
        let after = self.b.new_block();
        let targets: Vec<Target> =
            arms.iter().map(|arm| Target { guard: arm.guard, body: self.b.new_block() }).collect();
        let mut rows = Vec::new();
        for (n, arm) in arms.iter().enumerate() {
            rows.extend(self.rows(arm.pat, Place::local(subject), ty, n));
        }
        self.open_scope();
        self.decide(rows, &targets, None);
        self.close_scope();
        for (target, arm) in targets.iter().zip(arms) {
            self.b.switch_to(target.body);
            let is_bound = |local: &LocalId| self.homes.contains_key(local);
            if !self.arm_locals(arm.pat).iter().all(is_bound) {
                // Earlier arms cover all that this one does.
                self.b.end(TermKind::Unreachable);
                continue;
            }
            self.open_scope();
            // The names the pattern bound end with the arm.
            for local in self.arm_locals(arm.pat) {
                if let Some(crate::body::Home::Local(home) | crate::body::Home::Cell(home)) =
                    self.homes.get(&local).cloned()
                    && let Some(scope) = self.scopes.last_mut()
                {
                    scope.exits.push(crate::body::Exit::Local(home));
                }
            }
            let value = self.value(arm.body);
            if let Some(dest) = dest
                && !self.value_ty(arm.body).is_never()
            {
                self.b.assign_local(dest, Rvalue::Use(value));
            }
            self.close_scope();
            self.b.goto(after);
        }
        self.b.switch_to(after);
    }

    fn arm_locals(&self, pat: PatId) -> Vec<LocalId> {
        let mut locals = Vec::new();
        self.body.pat_locals(pat, &mut locals);
        locals
    }

    /// `value is pattern`.
    pub(crate) fn is_test(&mut self, value: ExprId, pat: PatId, yes: BlockId, no: BlockId) {
        let ty = self.value_ty(value);
        let operand = self.value(value);
        let subject = self.fix(operand, ty);
        let rows = self.rows(pat, Place::local(subject), ty, 0);
        let targets = [Target { guard: None, body: yes }];
        self.decide(rows, &targets, Some(no));
    }

    /// A pattern that cannot fail but by the length of a vector: its names are bound here.
    pub(crate) fn destructure(&mut self, pat: PatId, place: Place) {
        let ty = self.types().pats[pat];
        let body = self.b.new_block();
        let rows = self.rows(pat, place, ty, 0);
        let misfit = self.vec_asked(pat).map(|words| (self.b.new_block(), words));
        let failed = misfit.as_ref().map(|it| it.0);
        self.decide(rows, &[Target { guard: None, body }], failed);
        if let Some((block, words)) = misfit {
            self.b.switch_to(block);
            self.panic(&words);
        }
        self.b.switch_to(body);
    }

    /// What a binding's pattern asks of a vector's length.
    fn vec_asked(&self, pat: PatId) -> Option<String> {
        if let Pat::Vec { prefix, rest, suffix } = &self.body.pats[pat] {
            let n = prefix.len() + suffix.len();
            let least = if rest.is_some() { "at least " } else { "" };
            let plural = if n == 1 { "" } else { "s" };
            return Some(format!("the pattern needs a vector of {least}{n} element{plural}"));
        }
        let mut found = None;
        self.body.pats[pat].each_child(&mut |child| {
            found = match (found.take(), self.vec_asked(child)) {
                (None, asked) => asked,
                (Some(_), Some(_)) => Some("the pattern does not fit the lengths of the vectors".to_owned()),
                (found, None) => found,
            };
        });
        found
    }

    /// All ways for a pattern to match.
    fn rows(&self, pat: PatId, place: Place, ty: Ty, arm: usize) -> Vec<Row> {
        let mut rows = vec![Row { tests: Vec::new(), bindings: Vec::new(), arm }];
        self.flatten(pat, place, ty, &mut rows);
        rows
    }

    /// Adds a pattern at a place to every row; alternatives multiply the rows.
    fn flatten(&self, pat: PatId, place: Place, ty: Ty, rows: &mut Vec<Row>) {
        if self.flatten_union(pat, &place, ty, rows) {
            return;
        }
        self.flatten_form(pat, place, ty, rows);
    }

    /// A pattern for a member of a union, or for several: whether it is one.
    fn flatten_union(&self, pat: PatId, place: &Place, ty: Ty, rows: &mut Vec<Row>) -> bool {
        let Some((adt, members)) = ty.as_adt() else { return false };
        let test = |variant: u32, parts: Vec<(u32, PatId, Ty)>| Test {
            place: place.clone(),
            ty,
            kind: TestKind::Variant { variant, parts },
        };
        if let Some(&(_, variant)) = self.types().pat_members.get(pat).filter(|it| it.0 == adt) {
            let parts = vec![(0, pat, members[variant as usize])];
            rows.iter_mut().for_each(|row| row.tests.push(test(variant, parts.clone())));
            return true;
        }
        let Some((_, variants)) = self.types().pat_unions.get(pat).filter(|it| it.0 == adt) else {
            return false;
        };
        let before = std::mem::take(rows);
        for &variant in variants {
            let mut mine = before.clone();
            mine.iter_mut().for_each(|row| row.tests.push(test(variant, Vec::new())));
            if let Pat::Type { sub: Some(sub), .. } = self.body.pats[pat]
                && let Pat::Bind { local, .. } = self.body.pats[sub]
            {
                mine.iter_mut().for_each(|row| row.bindings.push(Binding::new(local, place.clone(), ty)));
            }
            rows.extend(mine);
        }
        true
    }

    fn flatten_form(&self, pat: PatId, place: Place, ty: Ty, rows: &mut Vec<Row>) {
        let test = |kind: TestKind, rows: &mut Vec<Row>| {
            for row in rows {
                row.tests.push(Test { place: place.clone(), ty, kind: kind.clone() });
            }
        };
        match &self.body.pats[pat] {
            Pat::Missing | Pat::Wild => {}
            Pat::Bind { local, sub } => {
                for row in rows.iter_mut() {
                    row.bindings.push(Binding::new(*local, place.clone(), ty));
                }
                if let Some(sub) = sub {
                    self.flatten(*sub, place, ty, rows);
                }
            }
            // The name was a variant's after all.
            Pat::Type { .. } if self.types().pat_targets.contains(pat) => {
                self.flatten_adt(pat, place, ty, (&[], Gap::default()), rows);
            }
            Pat::Type { sub, .. } => {
                if let Some(sub) = sub {
                    self.flatten(*sub, place, ty, rows);
                }
            }
            Pat::Lit { value } => match self.scalar(value, ty) {
                Some(scalar) => test(TestKind::Scalar(scalar), rows),
                None if *value == Literal::Unit => {}
                None => test(TestKind::Value(pat), rows),
            },
            Pat::Nil => {
                test(TestKind::Variant { variant: self.none_index(), parts: Vec::new() }, rows);
            }
            Pat::Const { .. } => test(TestKind::Value(pat), rows),
            Pat::Regex { .. } => test(TestKind::Regex(pat), rows),
            Pat::Range { start, end, inclusive } => {
                test(TestKind::Range { from: *start, to: *end, inclusive: *inclusive }, rows);
            }
            // A newtype's name alone asks for the member.
            Pat::Variant { .. } if !self.types().pat_targets.contains(pat) => {}
            Pat::Variant { args, gap, .. } => {
                let fields: Vec<_> = args.iter().map(|arg| (arg.name, arg.pat)).collect();
                self.flatten_adt(pat, place, ty, (&fields, *gap), rows);
            }
            Pat::Struct { fields, .. } => {
                let fields: Vec<_> = fields.iter().map(|it| (Some(it.name), it.pat)).collect();
                self.flatten_adt(pat, place, ty, (&fields, Gap::default()), rows);
            }
            Pat::Record { fields, rest } => {
                for field in fields.iter() {
                    let Some(all) = ty.known_fields() else { return };
                    let at = index_of(all, field.name);
                    self.flatten(field.pat, place.field(at as u32), all[at].1, rows);
                }
                if let Some(rest) = rest.kept()
                    && let Pat::Bind { local, .. } = self.body.pats[rest]
                {
                    for row in rows.iter_mut() {
                        row.bindings.push(Binding { local, place: place.clone(), ty, part: true });
                    }
                }
            }
            Pat::Tuple { elems, gap } => {
                let TyKind::Tuple(parts) = *ty.kind() else { return };
                for (n, &elem) in elems.iter().enumerate() {
                    let at = gap.place(n, elems.len(), parts.len());
                    self.flatten(elem, place.field(at as u32), parts[at], rows);
                }
            }
            Pat::Vec { prefix, rest, suffix } => {
                let kind = TestKind::Length { prefix: prefix.to_vec(), rest: *rest, suffix: suffix.to_vec() };
                test(kind, rows);
            }
            Pat::Or { alts } => {
                let before = std::mem::take(rows);
                for &alt in alts.iter() {
                    let mut mine = before.clone();
                    self.flatten(alt, place.clone(), ty, &mut mine);
                    rows.extend(mine);
                }
            }
        }
    }

    fn flatten_adt(
        &self,
        pat: PatId,
        place: Place,
        ty: Ty,
        (fields, gap): (&[(Option<qz_base::Name>, PatId)], Gap),
        rows: &mut Vec<Row>,
    ) {
        let (adt, args) = ty.as_adt().expect("checked against a nominal type");
        let (variant, is_enum) = match self.types().pat_targets[pat] {
            PatTarget::Variant { variant, .. } => (variant, true),
            PatTarget::Struct { .. } | PatTarget::Packed { .. } => (0, false),
        };
        let adt = match self.types().pat_targets[pat] {
            PatTarget::Packed { fields } => fields,
            _ => adt,
        };
        let declared = self.lw.defs().adt_fields(adt);
        let declared = &declared.variants[variant as usize].fields;
        let parts: Vec<(u32, PatId, Ty)> = fields
            .iter()
            .enumerate()
            .filter_map(|(n, &(name, pat))| {
                let at = match name {
                    Some(name) => declared.iter().position(|it| it.name == name)?,
                    None => gap.place(n, fields.len(), declared.len()),
                };
                let ty = self.lw.ck.normalize(self.lw.field_ty(adt, variant, at as u32, args));
                Some((at as u32, pat, ty))
            })
            .collect();
        if is_enum {
            for row in rows {
                let kind = TestKind::Variant { variant, parts: parts.clone() };
                row.tests.push(Test { place: place.clone(), ty, kind });
            }
            return;
        }
        if let PatTarget::Packed { fields } = self.types().pat_targets[pat] {
            let kind = TestKind::Unpacked { fields: Ty::adt(fields, &[]), parts };
            rows.iter_mut().for_each(|row| {
                row.tests.push(Test { place: place.clone(), ty, kind: kind.clone() });
            });
            return;
        }
        let base = match self.lw.defs().adts[adt].kind {
            AdtKind::Struct => place.deref(),
            _ => place,
        };
        for (at, pat, ty) in parts {
            self.flatten(pat, base.field(at), ty, rows);
        }
    }

    /// A literal that a switch can test.
    fn scalar(&self, value: &Literal, ty: Ty) -> Option<i128> {
        match (value, ty.kind()) {
            (Literal::Int { value, negative }, TyKind::Int(_)) => {
                let value = *value as i128;
                Some(if *negative { -value } else { value })
            }
            (Literal::Char(c), _) => Some(*c as i128),
            (Literal::Bool(value), _) => Some(i128::from(*value)),
            _ => None,
        }
    }

    // ----------------------------------------------------------------------------------------- decisions

    /// Goes to the body of the first row that matches, or to `failed`.
    fn decide(&mut self, rows: Vec<Row>, targets: &[Target], failed: Option<BlockId>) {
        stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || self.decide_inner(rows, targets, failed));
    }

    fn decide_inner(&mut self, mut rows: Vec<Row>, targets: &[Target], failed: Option<BlockId>) {
        let Some(first) = rows.first() else {
            return match failed {
                Some(failed) => self.b.goto(failed),
                // Exhaustiveness was checked.
                None => self.b.end(TermKind::Unreachable),
            };
        };
        let Some(test) = first.tests.first().cloned() else {
            let row = rows.remove(0);
            return self.matched(row, rows, targets, failed);
        };
        match &test.kind {
            TestKind::Variant { .. } => self.switch_variant(&test, rows, targets, failed),
            TestKind::Scalar(_) => self.switch_scalar(&test, rows, targets, failed),
            TestKind::Range { .. } | TestKind::Value(_) | TestKind::Length { .. } | TestKind::Regex(_) => {
                self.try_first(&test, rows, targets, failed);
            }
            &TestKind::Unpacked { fields, .. } => {
                let rows = self.unpacked(&test, fields, rows);
                self.decide(rows, targets, failed);
            }
        }
    }

    /// All tests of a row hold: bind its names, ask its guard.
    fn matched(&mut self, row: Row, rest: Vec<Row>, targets: &[Target], failed: Option<BlockId>) {
        let target = &targets[row.arm];
        for Binding { local, place, ty, part } in row.bindings {
            let value = if ty.is_unit() { self.unit() } else { Operand::Copy(place) };
            let bound = self.local_ty(local);
            let is_union = bound != ty && self.lw.defs().union_members(ty).is_some();
            let value = match part {
                true => self.part_of_record(value, ty, bound),
                false if is_union => self.union_to_union(value, ty, bound),
                false => value,
            };
            // The name's type is the pattern's; a shared `var` gets its cell here.
            self.bind_local(local, value);
        }
        match target.guard {
            None => self.b.goto(target.body),
            Some(guard) => {
                let otherwise = self.b.new_block();
                self.condition(guard, target.body, otherwise);
                self.b.switch_to(otherwise);
                self.decide(rest, targets, failed);
            }
        }
    }

    /// Rows in which the packed struct at a place is taken apart, once for all of them.
    fn unpacked(&mut self, test: &Test, fields: Ty, rows: Vec<Row>) -> Vec<Row> {
        let whole = self.read(test.place.clone(), test.ty);
        let (adt, _) = fields.as_adt().expect("the struct of its fields");
        let apart = self.taken_apart(whole, test.ty, adt);
        let apart = Place::local(self.fix(apart, fields));
        let mut open = Vec::new();
        for mut row in rows {
            let is_it = |it: &Test| it.place == test.place && matches!(it.kind, TestKind::Unpacked { .. });
            let Some(at) = row.tests.iter().position(is_it) else {
                open.push(row);
                continue;
            };
            let after = row.tests.split_off(at + 1);
            let Some(TestKind::Unpacked { parts, .. }) = row.tests.pop().map(|it| it.kind) else { continue };
            let mut mine = vec![row];
            for (at, pat, ty) in parts {
                self.flatten(pat, apart.field(at), ty, &mut mine);
            }
            mine.iter_mut().for_each(|row| row.tests.extend(after.iter().cloned()));
            open.extend(mine);
        }
        open
    }

    fn switch_variant(&mut self, test: &Test, rows: Vec<Row>, targets: &[Target], failed: Option<BlockId>) {
        let mut variants: Vec<u32> = Vec::new();
        for row in &rows {
            if let Some(TestKind::Variant { variant, .. }) = test_at(row, &test.place)
                && !variants.contains(variant)
            {
                variants.push(*variant);
            }
        }
        let (adt, _) = test.ty.as_adt().expect("variants belong to enums");
        let total = self.lw.defs().adt_fields(adt).variants.len();
        let repr = self.lw.defs().repr_numbers(test.ty);
        let tag = match &repr {
            Some(_) => Operand::Copy(test.place.field(0)),
            None => Operand::local(self.b.eval(int_ty(), Rvalue::Discriminant(test.place.clone()))),
        };
        let case = |it: u32| repr.as_ref().map_or(it.into(), |(_, numbers)| numbers[it as usize].into());
        let cases: Vec<(i128, BlockId)> = variants.iter().map(|&it| (case(it), self.b.new_block())).collect();
        let otherwise = (variants.len() < total).then(|| self.b.new_block());
        let unknown = (repr.is_some() && otherwise.is_none()).then(|| self.b.new_block());
        let ends =
            TermKind::Switch { value: tag.clone(), cases: cases.clone(), otherwise: otherwise.or(unknown) };
        self.b.end(ends);
        if let Some(unknown) = unknown {
            self.b.switch_to(unknown);
            crate::numbers::no_variant(self.lw, &mut self.b, tag, test.ty);
        }
        for (&variant, &(_, block)) in variants.iter().zip(&cases) {
            let mut inside = Vec::new();
            for row in &rows {
                inside.extend(self.with_variant(row, &test.place, variant));
            }
            self.b.switch_to(block);
            self.decide(inside, targets, failed);
        }
        if let Some(otherwise) = otherwise {
            let rest = rows.into_iter().filter(|row| test_at(row, &test.place).is_none()).collect();
            self.b.switch_to(otherwise);
            self.decide(rest, targets, failed);
        }
    }

    /// A row inside one variant: its test is answered, parts are laid open.
    fn with_variant(&self, row: &Row, place: &Place, wanted: u32) -> Vec<Row> {
        let Some(at) = row.tests.iter().position(|it| it.place == *place) else { return vec![row.clone()] };
        let TestKind::Variant { variant, parts } = &row.tests[at].kind else { return vec![row.clone()] };
        if *variant != wanted {
            return Vec::new();
        }
        let mut base = row.clone();
        base.tests.remove(at);
        let after = base.tests.split_off(at);
        let mut rows = vec![base];
        for &(index, pat, ty) in parts {
            let place = place.then(Proj::Variant(wanted)).field(index);
            self.flatten(pat, place, ty, &mut rows);
        }
        for row in &mut rows {
            row.tests.extend(after.iter().cloned());
        }
        rows
    }

    fn switch_scalar(&mut self, test: &Test, rows: Vec<Row>, targets: &[Target], failed: Option<BlockId>) {
        // Only rows up to one that tests the place otherwise (a range) can share the switch.
        let mut values: Vec<i128> = Vec::new();
        for row in &rows {
            match test_at(row, &test.place) {
                Some(TestKind::Scalar(value)) if values.contains(value) => {}
                Some(TestKind::Scalar(value)) => values.push(*value),
                Some(_) => break,
                None => {}
            }
        }
        let value = self.read(test.place.clone(), test.ty);
        let is_bool = matches!(test.ty.kind(), TyKind::Bool);
        let cases: Vec<(i128, BlockId)> = values.iter().map(|&it| (it, self.b.new_block())).collect();
        let all = is_bool && values.len() == 2;
        let otherwise = (!all).then(|| self.b.new_block());
        self.b.end(TermKind::Switch { value, cases: cases.clone(), otherwise });
        for &(value, block) in &cases {
            let inside = rows.iter().filter_map(|row| self.with_scalar(row, test, value)).collect();
            self.b.switch_to(block);
            self.decide(inside, targets, failed);
        }
        if let Some(otherwise) = otherwise {
            let rest = rows
                .into_iter()
                .filter(|row| !matches!(test_at(row, &test.place), Some(TestKind::Scalar(it)) if values.contains(it)))
                .collect();
            self.b.switch_to(otherwise);
            self.decide(rest, targets, failed);
        }
    }

    /// A row where the place is known to hold this value.
    fn with_scalar(&self, row: &Row, test: &Test, value: i128) -> Option<Row> {
        let Some(at) = row.tests.iter().position(|it| it.place == test.place) else {
            return Some(row.clone());
        };
        let holds = match &row.tests[at].kind {
            TestKind::Scalar(wanted) => *wanted == value,
            TestKind::Range { from, to, inclusive } => {
                match (self.bound(*from, test.ty), self.bound(*to, test.ty)) {
                    (Some(from), Some(to)) => {
                        from.is_none_or(|from| from <= value)
                            && to.is_none_or(|to| if *inclusive { value <= to } else { value < to })
                    }
                    // The ends are constants: ask at run time.
                    _ => return Some(row.clone()),
                }
            }
            _ => return Some(row.clone()),
        };
        holds.then(|| {
            let mut row = row.clone();
            row.tests.remove(at);
            row
        })
    }

    /// The literal end of a range: `Some(None)` if it is open, `None` if it is not a literal.
    fn bound(&self, pat: Option<PatId>, ty: Ty) -> Option<Option<i128>> {
        match pat {
            None => Some(None),
            Some(pat) => match &self.body.pats[pat] {
                Pat::Lit { value } => self.scalar(value, ty).map(Some),
                _ => None,
            },
        }
    }

    /// One test that is no switch: the rows that share it go on behind it, the others pass by.
    fn try_first(&mut self, test: &Test, rows: Vec<Row>, targets: &[Target], failed: Option<BlockId>) {
        let (yes, no) = (self.b.new_block(), self.b.new_block());
        let mut groups = None;
        match &test.kind {
            TestKind::Regex(pat) => groups = Some(self.regex_test(test, *pat, yes, no)),
            TestKind::Range { from, to, inclusive } => {
                self.range_pattern(test, *from, *to, *inclusive, yes, no);
            }
            TestKind::Value(pat) => {
                let wanted = self.pattern_value(*pat);
                let value = self.read(test.place.clone(), test.ty);
                let same = self.equal(test.ty, value, wanted);
                self.b.branch(same, yes, no);
            }
            TestKind::Length { prefix, rest, suffix } => {
                self.length_test(test, prefix.len() + suffix.len(), rest.is_some(), yes, no);
            }
            TestKind::Variant { .. } | TestKind::Scalar(_) => unreachable!("these are switches"),
            TestKind::Unpacked { .. } => unreachable!("there is no other way"),
        }
        self.b.switch_to(yes);
        let mut inside = match groups {
            Some(groups) => self.opened_regex(&rows[0], test, groups),
            None => self.opened(&rows[0], test),
        };
        inside.extend(rows[1..].iter().filter_map(|row| self.after(row, test, true)));
        self.decide(inside, targets, failed);
        self.b.switch_to(no);
        let rest = rows[1..].iter().filter_map(|row| self.after(row, test, false)).collect();
        self.decide(rest, targets, failed);
    }

    /// A later row where the answer of a test is known: gone if it cannot match any more, without the question if
    /// it asks the same.
    fn after(&self, row: &Row, test: &Test, answer: bool) -> Option<Row> {
        let Some(at) = row.tests.iter().position(|it| it.place == test.place) else {
            return Some(row.clone());
        };
        let follows = match (&test.kind, &row.tests[at].kind) {
            (&TestKind::Value(asked), &TestKind::Value(wanted)) => self.same_literal(asked, wanted, test.ty),
            (
                TestKind::Length { prefix, rest, suffix },
                TestKind::Length { prefix: more, rest: open, suffix: end },
            ) => {
                let (asked, wanted) = (prefix.len() + suffix.len(), more.len() + end.len());
                let fits = length_follows((asked, rest.is_some()), (wanted, open.is_some()), answer);
                // The parts are still to be laid open.
                return (fits != Some(false)).then(|| row.clone());
            }
            _ => None,
        };
        match (follows, answer) {
            (None, _) | (Some(false), false) => Some(row.clone()),
            (Some(true), false) | (Some(false), true) => None,
            (Some(true), true) => {
                let mut row = row.clone();
                row.tests.remove(at);
                Some(row)
            }
        }
    }

    /// Whether two patterns stand for one value; `None` if only running tells.
    fn same_literal(&self, a: PatId, b: PatId, ty: Ty) -> Option<bool> {
        match (&self.body.pats[a], &self.body.pats[b]) {
            (Pat::Lit { value: Literal::Str(a) }, Pat::Lit { value: Literal::Str(b) }) => Some(a == b),
            (Pat::Lit { value: Literal::Float(a) }, Pat::Lit { value: Literal::Float(b) }) => {
                // Numbers that differ may be one in a narrower type.
                let narrow = matches!(ty.kind(), TyKind::Float(FloatTy::F32));
                Some(if narrow { *a as f32 == *b as f32 } else { a == b })
            }
            _ => None,
        }
    }

    /// The first row behind its first test.
    fn opened(&mut self, row: &Row, test: &Test) -> Vec<Row> {
        let mut base = row.clone();
        base.tests.remove(0);
        let TestKind::Length { prefix, rest, suffix } = &test.kind else { return vec![base] };
        let after = std::mem::take(&mut base.tests);
        let mut rows = vec![base];
        let elem = test.ty.as_adt().expect("a vector").1[0];
        let vec = self.read(test.place.clone(), test.ty);
        let vec = self.fix(vec, test.ty);
        let (len, data) = self.vec_places(vec);
        let len = self.read(len, int_ty());
        for (n, &pat) in prefix.iter().enumerate() {
            let index = self.b.eval(int_ty(), Rvalue::Use(Operand::int(n as i64)));
            let value = self.b.eval(elem, Rvalue::Use(Operand::Copy(data.then(Proj::Index(index)))));
            self.flatten(pat, Place::local(value), elem, &mut rows);
        }
        for (n, &pat) in suffix.iter().enumerate() {
            let back = Operand::int((suffix.len() - n) as i64);
            let index = self.b.eval(int_ty(), Rvalue::Binary(BinOp::Sub, len.clone(), back));
            let value = self.b.eval(elem, Rvalue::Use(Operand::Copy(data.then(Proj::Index(index)))));
            self.flatten(pat, Place::local(value), elem, &mut rows);
        }
        if let Some(Some(rest)) = rest {
            let from = Operand::int(prefix.len() as i64);
            let to = Rvalue::Binary(BinOp::Sub, len, Operand::int(suffix.len() as i64));
            let to = Operand::local(self.b.eval(int_ty(), to));
            let slice = self.lang_call("vec_rest", &[elem], vec![Operand::local(vec), from, to], test.ty);
            let slice = self.fix(slice, test.ty);
            self.flatten(*rest, Place::local(slice), test.ty, &mut rows);
        }
        for row in &mut rows {
            row.tests.extend(after.iter().cloned());
        }
        rows
    }

    /// The texts of a regex's groups; there are none where it is not found.
    fn regex_test(&mut self, test: &Test, pat: PatId, yes: BlockId, no: BlockId) -> Local {
        let Pat::Regex { pattern, .. } = &self.body.pats[pat] else { unreachable!("the test is of a regex") };
        let pattern = Operand::Const(Const::Str(pattern.clone()));
        let value = self.read(test.place.clone(), test.ty);
        let text = Ty::adt(self.lw.lang_adt("Option"), &[common().str]);
        let ty = Ty::adt(self.lw.lang_adt("Vec"), &[text]);
        let groups = self.lang_call("regex_groups", &[], vec![pattern, value], ty);
        let groups = self.fix(groups, ty);
        let (len, _) = self.vec_places(groups);
        let len = self.read(len, int_ty());
        let found = self.b.eval(common().bool, Rvalue::Binary(BinOp::Ne, len, Operand::int(0)));
        self.b.branch(Operand::local(found), yes, no);
        groups
    }

    /// The first row behind a regex that was found.
    fn opened_regex(&mut self, row: &Row, test: &Test, groups: Local) -> Vec<Row> {
        let mut base = row.clone();
        base.tests.remove(0);
        let TestKind::Regex(pat) = test.kind else { return vec![base] };
        let Pat::Regex { groups: bound, .. } = self.body.pats[pat].clone() else { return vec![base] };
        let option = self.lw.lang_adt("Option");
        let text = Ty::adt(option, &[common().str]);
        let (_, data) = self.vec_places(groups);
        let mut rows = vec![base];
        for group in bound {
            let index = self.b.eval(int_ty(), Rvalue::Use(Operand::int(group.number.into())));
            let value = self.b.eval(text, Rvalue::Use(Operand::Copy(data.clone().then(Proj::Index(index)))));
            let (place, ty) = match group.optional {
                true => (Place::local(value), text),
                false => {
                    let some = self.lw.variant_index(option, "Some");
                    (Place::local(value).then(Proj::Variant(some)).field(0), common().str)
                }
            };
            self.flatten(group.pat, place, ty, &mut rows);
        }
        rows
    }

    fn length_test(&mut self, test: &Test, count: usize, open: bool, yes: BlockId, no: BlockId) {
        let vec = self.read(test.place.clone(), test.ty);
        let vec = self.fix(vec, test.ty);
        let (len, _) = self.vec_places(vec);
        let len = self.read(len, int_ty());
        let op = if open { BinOp::Ge } else { BinOp::Eq };
        let fits = self.b.eval(common().bool, Rvalue::Binary(op, len, Operand::int(count as i64)));
        self.b.branch(Operand::local(fits), yes, no);
    }

    fn range_pattern(
        &mut self,
        test: &Test,
        from: Option<PatId>,
        to: Option<PatId>,
        inclusive: bool,
        yes: BlockId,
        no: BlockId,
    ) {
        let value = self.read(test.place.clone(), test.ty);
        if let Some(from) = from {
            let next = if to.is_some() { self.b.new_block() } else { yes };
            let from = self.pattern_value(from);
            let ok = self.b.eval(common().bool, Rvalue::Binary(BinOp::Ge, value.clone(), from));
            self.b.branch(Operand::local(ok), next, no);
            if to.is_none() {
                return;
            }
            self.b.switch_to(next);
        }
        match to {
            Some(to) => {
                let to = self.pattern_value(to);
                let op = if inclusive { BinOp::Le } else { BinOp::Lt };
                let ok = self.b.eval(common().bool, Rvalue::Binary(op, value, to));
                self.b.branch(Operand::local(ok), yes, no);
            }
            None => self.b.goto(yes),
        }
    }

    /// The value a literal or constant pattern stands for.
    fn pattern_value(&mut self, pat: PatId) -> Operand {
        let ty = self.types().pats[pat];
        match self.body.pats[pat].clone() {
            Pat::Lit { value } => self.literal(&value, ty),
            Pat::Const { constant } => Operand::Const(Const::Item(constant, &[], ty)),
            _ => unreachable!("only literals and constants have a value"),
        }
    }
}

/// Whether a vector has the wanted length, given the answer to another question about it; `None` if that leaves it
/// open. A length is exact, or the least one.
fn length_follows(asked: (usize, bool), wanted: (usize, bool), answer: bool) -> Option<bool> {
    match (asked, wanted, answer) {
        ((n, false), (m, false), true) => Some(n == m),
        ((n, false), (m, true), true) => Some(m <= n),
        ((n, true), (m, false), true) if m < n => Some(false),
        ((n, true), (m, true), true) if m <= n => Some(true),
        ((n, false), (m, false), false) if n == m => Some(false),
        ((n, true), (m, _), false) if m >= n => Some(false),
        _ => None,
    }
}

/// What a row tests at a place.
fn test_at<'r>(row: &'r Row, place: &Place) -> Option<&'r TestKind> {
    row.tests.iter().find(|it| it.place == *place).map(|it| &it.kind)
}
