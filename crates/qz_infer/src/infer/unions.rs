//! Unions: values that become one, patterns for one member.

use qz_base::Name;
use qz_hir::AdtKind;
use qz_hir::body::*;
use qz_types::ty::common;
use qz_types::{AdtId, Ty, TyKind, Tys, VarKind};

use super::Infer;
use crate::diagnostics as words;
use crate::facts::*;

impl Infer<'_, '_> {
    pub(super) fn as_union(&self, ty: Ty) -> Option<(AdtId, Tys)> {
        let ty = self.shallow(ty);
        self.ck.defs.union_members(ty)?;
        ty.as_adt()
    }

    pub(super) fn has_variant(&self, ty: Ty, name: Name) -> bool {
        ty.as_adt().is_some_and(|(adt, _)| {
            self.ck.defs.adts[adt].kind == AdtKind::Enum
                && self.ck.defs.adt_fields(adt).variants.iter().any(|it| it.name == name)
        })
    }

    // ------------------------------------------------------------------------------ values becoming unions

    /// What is expected of a value that says by its form which member it is, or is a literal of a refined type.
    pub(super) fn member_hint(&self, expr: ExprId, expected: Ty) -> Ty {
        if self.is_refined(expected) {
            let is_made = match &self.body.exprs[expr] {
                Expr::Lit { .. } | Expr::Tuple { .. } | Expr::Record { .. } | Expr::Nil => true,
                Expr::BareVariant { .. } => true,
                Expr::Call { callee, .. } => matches!(self.body.exprs[*callee], Expr::BareVariant { .. }),
                _ => false,
            };
            return if is_made { self.ck.defs.base_ty(self.shallow(expected)) } else { expected };
        }
        let Some((_, members)) = self.as_union(expected) else { return expected };
        let fits = |member: Ty| match &self.body.exprs[expr] {
            Expr::Lambda { .. } => matches!(member.kind(), TyKind::Fn(_)),
            Expr::Vec { .. } | Expr::Repeat { .. } => self.as_lang(member, "Vec").is_some(),
            Expr::Comprehension { kind, .. } => match kind {
                Comprehension::Vec => self.as_lang(member, "Vec").is_some(),
                Comprehension::Map => self.as_lang(member, "Map").is_some(),
            },
            Expr::Map { .. } => self.as_lang(member, "Map").is_some(),
            Expr::Set { .. } => self.as_lang(member, "Set").is_some(),
            Expr::Nil => self.as_lang(member, "Option").is_some(),
            Expr::Tuple { elems } => {
                matches!(member.kind(), TyKind::Tuple(parts) if parts.len() == elems.len())
            }
            Expr::Record { .. } => member.known_fields().is_some(),
            Expr::BareVariant { name } => self.has_variant(member, *name),
            Expr::Call { callee, .. } => match &self.body.exprs[*callee] {
                Expr::BareVariant { name } => self.has_variant(member, *name),
                _ => false,
            },
            _ => false,
        };
        only(members, fits).map_or(expected, |(_, member)| member)
    }

    /// A value where a union is expected: a member of it, or a union of some of its members.
    pub(super) fn coerce_union(&mut self, expr: ExprId, from: Ty, to: Ty) {
        let from = match *from.kind() {
            TyKind::Ref(_, inner) => self.known(inner),
            _ => from,
        };
        let is_open = self.s.table.var_kind(from) == Some(VarKind::Any);
        if is_open || from.is_error() || from.is_never() {
            self.unify(expr, from, to);
            return;
        }
        let Some((adt, members)) = self.as_union(to) else { return };
        if let Some((narrow, parts)) = self.as_union(from) {
            if narrow != adt && parts.iter().all(|it| members.contains(it)) {
                self.st.types.coercions.insert(expr, Coercion::Widen { from, to });
            } else if self.unify(expr, from, to) && self.is_borrow(expr) {
                self.st.types.coercions.insert(expr, Coercion::Deref);
            }
            return;
        }
        match &self.members_for(from, members)[..] {
            [] => self.coerce_refined_member(expr, from, (to, members)),
            &[variant] => {
                self.s.table.unify(from, members[variant]).ok();
                let variant = variant as u32;
                self.st.types.coercions.insert(expr, Coercion::Member { to, variant, before: None });
            }
            _ => self.union_unclear(expr, from, to),
        }
    }

    fn union_unclear(&mut self, expr: ExprId, from: Ty, to: Ty) {
        let (span, from, to) = (self.span(expr), self.show(from), self.show(to));
        self.report(words::union_unclear(span, &from, &to));
    }

    /// A value that is no member may be one that a member refines, or is refined itself.
    fn coerce_refined_member(&mut self, expr: ExprId, from: Ty, (to, members): (Ty, Tys)) {
        let fits = |it: &(usize, &Ty)| self.is_refined_by(from, *it.1);
        let all: Vec<usize> = members.iter().enumerate().filter(fits).map(|it| it.0).collect();
        match all[..] {
            [] => {
                self.unify(expr, from, to);
            }
            [variant] => {
                self.coerce_refined(expr, from, members[variant]);
                let before = self.st.types.coercions.get(expr).cloned().map(Box::new);
                let variant = variant as u32;
                self.st.types.coercions.insert(expr, Coercion::Member { to, variant, before });
            }
            _ => self.union_unclear(expr, from, to),
        }
    }

    fn is_borrow(&self, expr: ExprId) -> bool {
        let ty = self.st.types.exprs.get(expr).map(|&ty| self.shallow(ty));
        ty.is_some_and(|ty| matches!(ty.kind(), TyKind::Ref(..)))
    }

    /// Which members a value of this type can be. An open literal is what it is without a union, if it can be.
    fn members_for(&mut self, from: Ty, members: Tys) -> Vec<usize> {
        let default = match self.s.table.var_kind(from) {
            Some(VarKind::Int) => Some(common().int),
            Some(VarKind::Float) => Some(common().f64),
            _ => None,
        };
        if let Some(at) = members.iter().position(|&it| Some(it) == default) {
            return vec![at];
        }
        let mut fit: Vec<usize> = Vec::new();
        for (n, &member) in members.iter().enumerate() {
            let at = self.s.table.snapshot();
            if self.s.table.unify(from, member).is_ok() {
                fit.push(n);
            }
            self.s.table.rollback(at);
        }
        if default.is_some() && fit.iter().any(|&n| members[n].is_integer()) {
            fit.retain(|&n| members[n].is_integer());
        }
        fit
    }

    // ------------------------------------------------------------------------------------------- patterns

    /// The type to check a pattern against: the member it is for, where a union is matched.
    pub(super) fn pattern_subject(&mut self, id: PatId, ty: Ty) -> Option<Ty> {
        let body = self.body.clone();
        let pat = &body.pats[id];
        let Some((adt, members)) = self.as_union(ty) else { return Some(ty) };
        // The library takes its own enums apart.
        let is_home = self.ck.defs.adts[adt].module == self.module;
        if is_home || matches!(pat, Pat::Missing | Pat::Wild | Pat::Bind { .. } | Pat::Or { .. }) {
            return Some(ty);
        }
        if let Pat::Type { ty: written, sub, .. } = pat {
            let wanted = self.fill_holes(*written);
            if let Some((_, parts)) = self.as_union(wanted) {
                return self.several_members(id, *sub, (adt, members), parts).then_some(wanted);
            }
        }
        match &self.members_of_pattern(pat, members)[..] {
            &[variant] => {
                self.st.types.pat_members.insert(id, (adt, variant as u32));
                Some(members[variant])
            }
            found => {
                let is_clear = found.is_empty();
                let (span, shown) = (body.pat_span(id), self.show(ty));
                self.report(words::union_pattern(span, &shown, is_clear));
                None
            }
        }
    }

    /// `n: Int | String` for a union of more.
    fn several_members(&mut self, id: PatId, sub: Option<PatId>, of: (AdtId, Tys), parts: Tys) -> bool {
        let span = self.body.pat_span(id);
        if let Some(sub) = sub
            && !matches!(self.body.pats[sub], Pat::Bind { sub: None, .. } | Pat::Wild | Pat::Missing)
        {
            self.report(words::union_pattern_name(span));
            return false;
        }
        let mut variants = Vec::new();
        for &part in parts {
            match of.1.iter().position(|&it| it == part) {
                Some(at) => variants.push(at as u32),
                None => {
                    let (part, whole) = (self.show(part), self.show(Ty::adt(of.0, of.1)));
                    self.report(words::pattern_type(span, &part, &whole));
                    return false;
                }
            }
        }
        self.st.types.pat_unions.insert(id, (of.0, variants));
        true
    }

    /// Which members a pattern can be for, by its form.
    fn members_of_pattern(&mut self, pat: &Pat, members: Tys) -> Vec<usize> {
        let c = common();
        let by_type = |cx: &mut Self, ty: Ty| cx.members_for(ty, members);
        let by_form = |fits: &dyn Fn(Ty) -> bool| -> Vec<usize> {
            (0..members.len()).filter(|&n| fits(members[n])).collect()
        };
        match pat {
            Pat::Lit { value } => match value {
                Literal::Int { .. } => {
                    let var = self.literal_var(VarKind::Int);
                    by_type(self, var)
                }
                Literal::Float(_) => {
                    let var = self.literal_var(VarKind::Float);
                    by_type(self, var)
                }
                Literal::Str(_) => by_type(self, c.str),
                Literal::Char(_) => by_type(self, c.char),
                Literal::Bool(_) => by_type(self, c.bool),
                Literal::Unit => by_type(self, c.unit),
            },
            Pat::Range { start, end, .. } => match start.or(*end) {
                Some(end) => {
                    let end = self.body.pats[end].clone();
                    self.members_of_pattern(&end, members)
                }
                None => Vec::new(),
            },
            Pat::Const { constant } => match self.known_scheme(*constant) {
                Some(scheme) => by_type(self, scheme.ret),
                None => Vec::new(),
            },
            Pat::Regex { .. } => by_type(self, c.str),
            Pat::Nil => by_form(&|it| self.as_lang(it, "Option").is_some()),
            Pat::Vec { .. } => by_form(&|it| self.as_lang(it, "Vec").is_some()),
            Pat::Tuple { elems, gap } => {
                by_form(&|it| matches!(it.kind(), TyKind::Tuple(parts) if gap.fits(elems.len(), parts.len())))
            }
            Pat::Record { fields, rest } => by_form(&|it| match *it.kind() {
                TyKind::Record(all) => {
                    let has = |name: Name| all.iter().any(|it| it.0 == name);
                    fields.iter().all(|it| has(it.name)) && (rest.is_open() || all.len() == fields.len())
                }
                TyKind::OpenRecord(all, _) => {
                    rest.is_open() && fields.iter().all(|field| all.iter().any(|it| it.0 == field.name))
                }
                _ => false,
            }),
            Pat::Variant { path, .. } | Pat::Struct { path, .. } => {
                let path = *path;
                by_form(&|it| match path {
                    StructPath::Adt(adt, _) | StructPath::Variant(adt, ..) => {
                        it.as_adt().is_some_and(|it| it.0 == adt)
                    }
                    StructPath::BareOrAdt(name, adt, _) => {
                        it.as_adt().is_some_and(|it| it.0 == adt) || self.has_variant(it, name)
                    }
                    StructPath::Bare(name) => self.has_variant(it, name),
                    StructPath::Error => false,
                })
            }
            Pat::Type { ty, name, .. } => {
                let wanted = self.fill_holes(*ty);
                let found = by_type(self, wanted);
                match name {
                    Some(name) if found.is_empty() => by_form(&|it| self.has_variant(it, *name)),
                    _ => found,
                }
            }
            Pat::Missing | Pat::Wild | Pat::Bind { .. } | Pat::Or { .. } => Vec::new(),
        }
    }
}

/// The one member that fits.
fn only(members: Tys, fits: impl Fn(Ty) -> bool) -> Option<(usize, Ty)> {
    let mut all = members.iter().copied().enumerate().filter(|it| fits(it.1));
    all.next().filter(|_| all.next().is_none())
}
