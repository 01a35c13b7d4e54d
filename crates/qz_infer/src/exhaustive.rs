//! Which values a match misses, and which arms can never match: Maranget's "Warnings for pattern matching"
//! (JFP 2007), with integer and character ranges split at their borders and vectors split by length.

mod ranges;

use std::sync::Arc;

use qz_base::Name;
use qz_diag::Diagnostic;
use qz_hir::body::*;
use qz_hir::{AdtKind, Defs, ModuleId};
use qz_types::{AdtId, DefNames, Ty, TyKind, subst};

use crate::checker::Checker;
use crate::diagnostics as words;
use crate::facts::*;
use crate::infer::exhaustive_job::Job;

/// What a pattern tests at its head.
#[derive(Clone, Debug, PartialEq)]
enum Ctor {
    Variant(AdtId, u32),
    /// A tuple, struct or newtype: there is only this one.
    Single,
    /// A packed struct taken apart into its fields.
    Unpacked(AdtId),
    Bool(bool),
    /// Integers or characters from..=to.
    Range(i128, i128),
    Str(Arc<str>),
    Float(u64),
    /// Vectors of exactly this length.
    Len(u32),
    /// Vectors at least this long, taken apart from both ends.
    LenFrom(u32, u32),
    /// Something compared at run time: it covers nothing for sure.
    Opaque(PatId),
}

#[derive(Clone, Debug)]
enum Pattern {
    Wild,
    Ctor(Ctor, Vec<Pattern>),
    Or(Vec<Pattern>),
}

/// A pattern of a binding: vectors of another length than it asks for panic when the program runs, so they count
/// as covered here.
fn any_length(pattern: Pattern) -> Pattern {
    let any = |n: u32| vec![Pattern::Wild; n as usize];
    match pattern {
        Pattern::Wild => Pattern::Wild,
        Pattern::Or(alts) => Pattern::Or(alts.into_iter().map(any_length).collect()),
        Pattern::Ctor(ctor, parts) => {
            let (shortest, open) = match ctor {
                Ctor::Len(n) => (n, false),
                Ctor::LenFrom(prefix, suffix) => (prefix + suffix, true),
                _ => return Pattern::Ctor(ctor, parts.into_iter().map(any_length).collect()),
            };
            let mut alts = vec![Pattern::Ctor(ctor, parts.into_iter().map(any_length).collect())];
            alts.extend((0..shortest).map(|n| Pattern::Ctor(Ctor::Len(n), any(n))));
            if !open {
                alts.push(Pattern::Ctor(Ctor::LenFrom(shortest + 1, 0), any(shortest + 1)));
            }
            Pattern::Or(alts)
        }
    }
}

/// A value that is missed.
#[derive(Clone, Debug)]
enum Witness {
    Any,
    Ctor(Ctor, Ty, Vec<Witness>),
}

struct Cx<'a, 'd> {
    ck: &'a Checker<'d>,
    body: &'a Body,
    types: &'a BodyTypes,
    /// A bound on work, so that no input makes the check run away.
    steps: std::cell::Cell<u32>,
}

const STEP_LIMIT: u32 = 200_000;

/// Problems of one match or binding. Types must be final.
pub(crate) fn check(
    ck: &Checker<'_>,
    body: &Body,
    types: &BodyTypes,
    _: ModuleId,
    job: &Job,
) -> Vec<Diagnostic> {
    let cx = Cx { ck, body, types, steps: std::cell::Cell::new(0) };
    match job {
        Job::Match { expr } => cx.check_match(*expr),
        Job::Irrefutable { pat } => cx.check_irrefutable(*pat),
    }
}

impl Cx<'_, '_> {
    fn check_match(&self, expr: ExprId) -> Vec<Diagnostic> {
        let Expr::Match { subject, arms, from } = &self.body.exprs[expr] else { return Vec::new() };
        let Some(&ty) = self.types.exprs.get(*subject) else { return Vec::new() };
        let ty = match self.types.coercions.get(*subject) {
            Some(&Coercion::Unrefine { to, .. }) => to,
            _ => ty.peel_ref(),
        };
        let mut problems = Vec::new();
        let mut rows: Vec<Vec<Pattern>> = Vec::new();
        for arm in arms.iter() {
            let pattern = self.lower(arm.pat);
            let row = vec![pattern];
            if !self.useful(&rows, &row, &[ty]) && !self.gave_up() {
                problems.push(words::dead_arm(self.body.pat_span(arm.pat)));
            }
            if arm.guard.is_none() {
                rows.push(row);
            }
        }
        let missing = self.missing(rows, &[ty]);
        if let Some(missing) = missing
            && !self.gave_up()
        {
            let shown: Vec<String> = missing.iter().map(|it| self.show(it)).collect();
            let clauses = *from == MatchFrom::Clauses;
            let span = match clauses {
                true => self.ck.defs.fn_span(self.body.owner),
                false => self.body.expr_span(*subject),
            };
            problems.push(words::not_exhaustive(span, &shown, clauses));
        }
        problems
    }

    fn check_irrefutable(&self, pat: PatId) -> Vec<Diagnostic> {
        if matches!(self.body.pats[pat], Pat::Bind { sub: None, .. } | Pat::Wild | Pat::Missing) {
            return Vec::new();
        }
        let Some(&ty) = self.types.pats.get(pat) else { return Vec::new() };
        let lowered = any_length(self.lower(pat));
        match self.missing(vec![vec![lowered]], &[ty.peel_ref()]) {
            Some(missing) => {
                let witness = self.show(&missing[0]);
                vec![words::refutable(self.body.pat_span(pat), &witness)]
            }
            None => Vec::new(),
        }
    }

    fn gave_up(&self) -> bool {
        self.steps.get() >= STEP_LIMIT
    }

    fn defs(&self) -> &Defs {
        self.ck.defs
    }

    // ------------------------------------------------------------------------------- patterns to tests

    fn lower(&self, pat: PatId) -> Pattern {
        if let Some(&(adt, variant)) = self.types.pat_members.get(pat) {
            return Pattern::Ctor(Ctor::Variant(adt, variant), vec![self.lower_form(pat)]);
        }
        if let Some((adt, variants)) = self.types.pat_unions.get(pat) {
            let member = |&it: &u32| Pattern::Ctor(Ctor::Variant(*adt, it), vec![Pattern::Wild]);
            return Pattern::Or(variants.iter().map(member).collect());
        }
        self.lower_form(pat)
    }

    fn lower_form(&self, pat: PatId) -> Pattern {
        match &self.body.pats[pat] {
            Pat::Missing | Pat::Wild | Pat::Bind { sub: None, .. } => Pattern::Wild,
            Pat::Bind { sub: Some(sub), .. } => self.lower(*sub),
            Pat::Type { .. } if self.types.pat_targets.contains(pat) => {
                self.variant(pat, &[], Gap::default())
            }
            Pat::Type { sub, .. } => sub.map_or(Pattern::Wild, |sub| self.lower(sub)),
            Pat::Lit { value } => self.literal(pat, value),
            Pat::Nil => match self.defs().lang.adt("Option") {
                Some(option) => Pattern::Ctor(self.none_of(option), Vec::new()),
                None => Pattern::Wild,
            },
            Pat::Const { .. } | Pat::Regex { .. } => Pattern::Ctor(Ctor::Opaque(pat), Vec::new()),
            Pat::Range { start, end, inclusive } => self.range(pat, *start, *end, *inclusive),
            // A newtype's name alone asks for the member.
            Pat::Variant { .. } if !self.types.pat_targets.contains(pat) => Pattern::Wild,
            Pat::Variant { args, gap, .. } => self.variant(pat, args, *gap),
            Pat::Struct { fields, .. } => self.fields(pat, fields),
            Pat::Record { fields, .. } => {
                let ty = self.types.pats.get(pat).map(|ty| ty.peel_ref());
                let Some(all) = ty.and_then(Ty::known_fields) else { return Pattern::Wild };
                let of = |name: Name| fields.iter().find(|it| it.name == name);
                let parts = all.iter().map(|it| of(it.0).map_or(Pattern::Wild, |it| self.lower(it.pat)));
                Pattern::Ctor(Ctor::Single, parts.collect())
            }
            Pat::Tuple { elems, gap } => {
                let total = match self.types.pats.get(pat).map(|ty| *ty.peel_ref().kind()) {
                    Some(TyKind::Tuple(parts)) => parts.len(),
                    _ => elems.len(),
                };
                let mut parts = vec![Pattern::Wild; total];
                for (n, &elem) in elems.iter().enumerate() {
                    if let Some(slot) = parts.get_mut(gap.place(n, elems.len(), total)) {
                        *slot = self.lower(elem);
                    }
                }
                Pattern::Ctor(Ctor::Single, parts)
            }
            Pat::Vec { prefix, rest, suffix } => {
                let parts = prefix.iter().chain(suffix).map(|&it| self.lower(it)).collect();
                let ctor = match rest {
                    Some(_) => Ctor::LenFrom(prefix.len() as u32, suffix.len() as u32),
                    None => Ctor::Len(prefix.len() as u32),
                };
                Pattern::Ctor(ctor, parts)
            }
            Pat::Or { alts } => Pattern::Or(alts.iter().map(|&it| self.lower(it)).collect()),
        }
    }

    fn none_of(&self, option: AdtId) -> Ctor {
        let fields = self.defs().adt_fields(option);
        let at = fields.variants.iter().position(|it| it.fields.is_empty()).unwrap_or(0);
        Ctor::Variant(option, at as u32)
    }

    fn literal(&self, pat: PatId, value: &Literal) -> Pattern {
        let ctor = match value {
            Literal::Int { value, negative } => {
                if self.types.pats.get(pat).is_some_and(|ty| ty.is_float()) {
                    let value = if *negative { -(*value as f64) } else { *value as f64 };
                    Ctor::Float(value.to_bits())
                } else {
                    let value = signed(*value, *negative);
                    Ctor::Range(value, value)
                }
            }
            Literal::Float(value) => Ctor::Float(value.to_bits()),
            Literal::Str(text) => Ctor::Str(text.clone()),
            Literal::Char(c) => Ctor::Range(*c as i128, *c as i128),
            Literal::Bool(value) => Ctor::Bool(*value),
            Literal::Unit => Ctor::Single,
        };
        Pattern::Ctor(ctor, Vec::new())
    }

    fn range(&self, pat: PatId, start: Option<PatId>, end: Option<PatId>, inclusive: bool) -> Pattern {
        let Some(&ty) = self.types.pats.get(pat) else { return Pattern::Wild };
        let Some((min, max)) = ranges::bounds(ty) else {
            return Pattern::Ctor(Ctor::Opaque(pat), Vec::new());
        };
        let value = |pat: PatId| match &self.body.pats[pat] {
            Pat::Lit { value: Literal::Int { value, negative } } => Some(signed(*value, *negative)),
            Pat::Lit { value: Literal::Char(c) } => Some(*c as i128),
            _ => None,
        };
        let from = start.map_or(Some(min), value);
        let to = match end {
            None => Some(max),
            Some(end) => value(end).map(|end| if inclusive { end } else { end - 1 }),
        };
        match (from, to) {
            (Some(from), Some(to)) => Pattern::Ctor(Ctor::Range(from, to), Vec::new()),
            _ => Pattern::Ctor(Ctor::Opaque(pat), Vec::new()),
        }
    }

    /// What a pattern with parts is for.
    fn target(&self, pat: PatId) -> Option<(AdtId, u32, Ctor)> {
        Some(match *self.types.pat_targets.get(pat)? {
            PatTarget::Variant { adt, variant } => (adt, variant, Ctor::Variant(adt, variant)),
            PatTarget::Struct { adt } => (adt, 0, Ctor::Single),
            PatTarget::Packed { fields } => (fields, 0, Ctor::Unpacked(fields)),
        })
    }

    fn variant(&self, pat: PatId, args: &[PatArg], gap: Gap) -> Pattern {
        let Some((adt, variant, ctor)) = self.target(pat) else { return Pattern::Wild };
        let fields = self.defs().adt_fields(adt);
        let fields = &fields.variants[variant as usize].fields;
        let mut parts = vec![Pattern::Wild; fields.len()];
        for (n, arg) in args.iter().enumerate() {
            let at = match arg.name {
                Some(name) => fields.iter().position(|it| it.name == name),
                None => Some(gap.place(n, args.len(), fields.len())),
            };
            if let Some(slot) = at.and_then(|at| parts.get_mut(at)) {
                *slot = self.lower(arg.pat);
            }
        }
        let any_word = parts.iter().all(|it| matches!(it, Pattern::Wild));
        if ctor == Ctor::Single && any_word && self.defs().packed(adt).is_some() {
            // Others may look at its fields.
            return Pattern::Wild;
        }
        Pattern::Ctor(ctor, parts)
    }

    fn fields(&self, pat: PatId, written: &[FieldPat]) -> Pattern {
        let Some((adt, variant, ctor)) = self.target(pat) else { return Pattern::Wild };
        let fields = self.defs().adt_fields(adt);
        let fields = &fields.variants[variant as usize].fields;
        let parts = fields
            .iter()
            .map(|field| match written.iter().find(|it| it.name == field.name) {
                Some(it) => self.lower(it.pat),
                None => Pattern::Wild,
            })
            .collect();
        Pattern::Ctor(ctor, parts)
    }

    // ------------------------------------------------------------------------------------- the algorithm

    /// Values that no row covers, or nothing.
    fn missing(&self, rows: Vec<Vec<Pattern>>, types: &[Ty]) -> Option<Vec<Witness>> {
        let Some((&ty, rest)) = types.split_first() else {
            return rows.is_empty().then(Vec::new);
        };
        if self.step() {
            return None;
        }
        let rows = expand_first(rows);
        let heads = head_ctors(&rows);
        if heads.is_empty() {
            let mut found = self.missing(default_rows(&rows), rest)?;
            found.insert(0, Witness::Any);
            return Some(found);
        }
        let (all, complete) = self.split(ty, &heads);
        for ctor in all {
            let parts = self.part_types(&ctor, ty);
            let inner: Vec<Ty> = parts.iter().chain(rest).copied().collect();
            if let Some(mut found) = self.missing(specialize(&rows, &ctor, parts.len()), &inner) {
                let tail = found.split_off(parts.len());
                let mut witness = vec![Witness::Ctor(ctor, ty, found)];
                witness.extend(tail);
                return Some(witness);
            }
        }
        if complete {
            return None;
        }
        let mut found = self.missing(default_rows(&rows), rest)?;
        found.insert(0, Witness::Any);
        Some(found)
    }

    /// Whether `row` matches something that no earlier row does.
    fn useful(&self, rows: &[Vec<Pattern>], row: &[Pattern], types: &[Ty]) -> bool {
        let Some((&ty, rest)) = types.split_first() else { return rows.is_empty() };
        if self.step() {
            return true;
        }
        match &row[0] {
            Pattern::Or(alts) => alts.iter().any(|alt| {
                let mut row = row.to_vec();
                row[0] = alt.clone();
                self.useful(rows, &row, types)
            }),
            Pattern::Ctor(ctor, _) => {
                let rows = expand_first(rows.to_vec());
                let mut heads = head_ctors(&rows);
                heads.push(ctor.clone());
                // A range or open length may be covered piece by piece.
                let (all, _) = self.split(ty, &heads);
                let pieces: Vec<Ctor> = match all.iter().any(|it| covers(ctor, it)) {
                    true => all.into_iter().filter(|it| covers(ctor, it)).collect(),
                    false => vec![ctor.clone()],
                };
                pieces.iter().any(|piece| {
                    let parts = self.part_types(piece, ty);
                    let types: Vec<Ty> = parts.iter().chain(rest).copied().collect();
                    let mine = specialize(&[row.to_vec()], piece, parts.len());
                    mine.iter().any(|row| self.useful(&specialize(&rows, piece, parts.len()), row, &types))
                })
            }
            Pattern::Wild => {
                let rows = expand_first(rows.to_vec());
                let heads = head_ctors(&rows);
                if heads.is_empty() {
                    return self.useful(&default_rows(&rows), &row[1..], rest);
                }
                let (all, complete) = self.split(ty, &heads);
                let through_ctor = all.iter().any(|ctor| {
                    let parts = self.part_types(ctor, ty);
                    let types: Vec<Ty> = parts.iter().chain(rest).copied().collect();
                    let mine = specialize(&[row.to_vec()], ctor, parts.len());
                    mine.iter().any(|row| self.useful(&specialize(&rows, ctor, parts.len()), row, &types))
                });
                through_ctor || (!complete && self.useful(&default_rows(&rows), &row[1..], rest))
            }
        }
    }

    fn step(&self) -> bool {
        self.steps.set(self.steps.get() + 1);
        self.gave_up()
    }

    /// The constructors to look at, disjoint, and whether they are all there are.
    fn split(&self, ty: Ty, heads: &[Ctor]) -> (Vec<Ctor>, bool) {
        match ty.kind() {
            TyKind::Bool => (vec![Ctor::Bool(true), Ctor::Bool(false)], true),
            TyKind::Tuple(_) | TyKind::Record(_) | TyKind::OpenRecord(..) => (vec![Ctor::Single], true),
            TyKind::Adt(id, args) if self.defs().adts[*id].kind == AdtKind::Enum => {
                let fields = self.defs().adt_fields(*id);
                let all = fields
                    .variants
                    .iter()
                    .enumerate()
                    .filter(|(_, it)| !it.fields.iter().any(|f| subst(f.ty, args).is_never()))
                    .map(|(n, _)| Ctor::Variant(*id, n as u32));
                (all.collect(), true)
            }
            TyKind::Adt(..) if heads.iter().any(|it| matches!(it, Ctor::Len(_) | Ctor::LenFrom(..))) => {
                split_lengths(heads)
            }
            TyKind::Adt(..) => match heads.iter().find(|it| matches!(it, Ctor::Unpacked(_))) {
                // By its fields or by its word: a match that does both is covered by the former alone.
                Some(unpacked) => (vec![unpacked.clone()], true),
                None => (vec![Ctor::Single], true),
            },
            TyKind::Int(_) | TyKind::Char => {
                let given: Vec<(i128, i128)> = heads
                    .iter()
                    .filter_map(|it| match it {
                        Ctor::Range(from, to) => Some((*from, *to)),
                        _ => None,
                    })
                    .collect();
                let pieces = ranges::split(ty, &given);
                let complete = !pieces.is_empty();
                (pieces.into_iter().map(|(from, to)| Ctor::Range(from, to)).collect(), complete)
            }
            _ => {
                let mut seen: Vec<Ctor> = Vec::new();
                for head in heads {
                    if !seen.contains(head) {
                        seen.push(head.clone());
                    }
                }
                (seen, false)
            }
        }
    }

    fn part_types(&self, ctor: &Ctor, ty: Ty) -> Vec<Ty> {
        match (ctor, *ty.kind()) {
            (Ctor::Variant(_, variant), TyKind::Adt(id, args)) => self.adt_parts(id, *variant, args),
            (Ctor::Single, TyKind::Tuple(parts)) => parts.to_vec(),
            (Ctor::Single, TyKind::Record(fields) | TyKind::OpenRecord(fields, _)) => {
                fields.iter().map(|it| it.1).collect()
            }
            (Ctor::Single, TyKind::Adt(id, args)) => self.adt_parts(id, 0, args),
            (Ctor::Unpacked(fields), _) => self.adt_parts(*fields, 0, &[]),
            (Ctor::Len(n), TyKind::Adt(_, args)) => vec![args[0]; *n as usize],
            (Ctor::LenFrom(a, b), TyKind::Adt(_, args)) => vec![args[0]; (*a + *b) as usize],
            _ => Vec::new(),
        }
    }

    fn adt_parts(&self, id: AdtId, variant: u32, args: &[Ty]) -> Vec<Ty> {
        let fields = self.defs().adt_fields(id);
        let Some(variant) = fields.variants.get(variant as usize) else { return Vec::new() };
        variant.fields.iter().map(|it| self.ck.normalize(subst(it.ty, args))).collect()
    }

    // ------------------------------------------------------------------------------------------- showing

    fn show(&self, witness: &Witness) -> String {
        let Witness::Ctor(ctor, ty, parts) = witness else { return "_".to_owned() };
        let shown: Vec<String> = parts.iter().map(|it| self.show(it)).collect();
        let list = shown.join(", ");
        match ctor {
            Ctor::Variant(id, n) if self.defs().is_union(*id) => match (&parts[..], ty.as_adt()) {
                ([Witness::Any], Some((_, members))) => {
                    format!("_: {}", members[*n as usize].display(self.defs()))
                }
                _ => list,
            },
            Ctor::Variant(id, n) => {
                let fields = self.defs().adt_fields(*id);
                let name = fields.variants[*n as usize].name;
                let lang = self.defs().adts[*id].lang.map(Name::as_str);
                let path = match lang {
                    Some("Option" | "Result") => name.to_string(),
                    _ => format!("{}::{name}", self.defs().adts[*id].name),
                };
                if shown.is_empty() { path } else { format!("{path}({list})") }
            }
            Ctor::Single => match ty.kind() {
                TyKind::Adt(id, _) if self.defs().adts[*id].kind == AdtKind::Newtype => {
                    format!("{}({list})", self.defs().adts[*id].name)
                }
                TyKind::Adt(id, _) => self.show_fields(*id, *id, &shown),
                TyKind::Record(fields) | TyKind::OpenRecord(fields, _) => {
                    let named: Vec<String> = fields
                        .iter()
                        .zip(&shown)
                        .map(|(field, value)| format!("{}: {value}", field.0))
                        .collect();
                    let others = if matches!(ty.kind(), TyKind::OpenRecord(..)) { ", .." } else { "" };
                    format!("{{ {}{others} }}", named.join(", "))
                }
                _ => format!("({list})"),
            },
            Ctor::Unpacked(fields) => match *ty.kind() {
                TyKind::Adt(id, _) => self.show_fields(id, *fields, &shown),
                _ => "_".to_owned(),
            },
            Ctor::Bool(value) => value.to_string(),
            Ctor::Range(from, to) => ranges::show(*ty, *from, *to),
            Ctor::Str(text) => format!("{text:?}"),
            Ctor::Float(bits) => format!("{:?}", f64::from_bits(*bits)),
            Ctor::Len(_) => format!("[{list}]"),
            Ctor::LenFrom(..) if shown.is_empty() => "[*_]".to_owned(),
            Ctor::LenFrom(..) => format!("[{list}, *_]"),
            Ctor::Opaque(_) => "_".to_owned(),
        }
    }

    fn show_fields(&self, of: AdtId, fields: AdtId, shown: &[String]) -> String {
        let fields = self.defs().adt_fields(fields);
        let named: Vec<String> = fields.variants[0]
            .fields
            .iter()
            .zip(shown)
            .map(|(field, value)| format!("{}: {value}", field.name))
            .collect();
        format!("{} {{ {} }}", self.defs().adts[of].name, named.join(", "))
    }
}

fn signed(value: u128, negative: bool) -> i128 {
    let value = i128::try_from(value).unwrap_or(i128::MAX);
    if negative { -value } else { value }
}

/// Rows whose first pattern has alternatives become one row for each.
fn expand_first(rows: Vec<Vec<Pattern>>) -> Vec<Vec<Pattern>> {
    if !rows.iter().any(|row| matches!(row[0], Pattern::Or(_))) {
        return rows;
    }
    let mut expanded = Vec::new();
    for row in rows {
        match &row[0] {
            Pattern::Or(alts) => {
                let each = alts.iter().map(|alt| {
                    let mut row = row.clone();
                    row[0] = alt.clone();
                    row
                });
                expanded.extend(expand_first(each.collect()));
            }
            _ => expanded.push(row),
        }
    }
    expanded
}

fn head_ctors(rows: &[Vec<Pattern>]) -> Vec<Ctor> {
    rows.iter()
        .filter_map(|row| match &row[0] {
            Pattern::Ctor(ctor, _) => Some(ctor.clone()),
            _ => None,
        })
        .collect()
}

fn default_rows(rows: &[Vec<Pattern>]) -> Vec<Vec<Pattern>> {
    rows.iter().filter(|row| matches!(row[0], Pattern::Wild)).map(|row| row[1..].to_vec()).collect()
}

/// Whether every value of `piece` has the head `ctor`.
fn covers(ctor: &Ctor, piece: &Ctor) -> bool {
    match (ctor, piece) {
        (Ctor::Range(a, b), Ctor::Range(c, d)) => a <= c && d <= b,
        (Ctor::LenFrom(a, b), Ctor::Len(n)) => *n >= a + b,
        (Ctor::LenFrom(a, b), Ctor::LenFrom(c, d)) => c + d >= a + b,
        _ => ctor == piece,
    }
}

/// Rows that can match values with this head, their parts laid open.
fn specialize(rows: &[Vec<Pattern>], ctor: &Ctor, arity: usize) -> Vec<Vec<Pattern>> {
    let mut kept = Vec::new();
    for row in expand_first(rows.to_vec()) {
        let parts = match &row[0] {
            Pattern::Wild => vec![Pattern::Wild; arity],
            Pattern::Ctor(head, parts) if covers(head, ctor) => spread_parts(head, parts, arity),
            _ => continue,
        };
        let mut open = parts;
        open.extend_from_slice(&row[1..]);
        kept.push(open);
    }
    kept
}

/// A vector pattern with a rest, laid over a longer vector.
fn spread_parts(head: &Ctor, parts: &[Pattern], arity: usize) -> Vec<Pattern> {
    match head {
        Ctor::LenFrom(prefix, _) => {
            let prefix = *prefix as usize;
            let mut all = parts[..prefix].to_vec();
            all.resize(arity - (parts.len() - prefix), Pattern::Wild);
            all.extend_from_slice(&parts[prefix..]);
            all
        }
        _ if parts.len() == arity => parts.to_vec(),
        _ => vec![Pattern::Wild; arity],
    }
}

/// Each length up to the longest mentioned, then everything longer.
fn split_lengths(heads: &[Ctor]) -> (Vec<Ctor>, bool) {
    let longest = heads
        .iter()
        .map(|it| match it {
            Ctor::Len(n) => *n,
            Ctor::LenFrom(a, b) => a + b,
            _ => 0,
        })
        .max()
        .unwrap_or(0);
    let mut all: Vec<Ctor> = (0..=longest).map(Ctor::Len).collect();
    let suffix = heads
        .iter()
        .map(|it| match it {
            Ctor::LenFrom(_, b) => *b,
            _ => 0,
        })
        .max()
        .unwrap_or(0);
    all.push(Ctor::LenFrom(longest + 1 - suffix.min(longest + 1), suffix.min(longest + 1)));
    (all, true)
}
