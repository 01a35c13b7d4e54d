//! Patterns: which names they bind, which variants and constants they mean.

use qz_base::{Name, TextRange};
use qz_syntax::ast::{self, AstNode};
use qz_syntax::literals::{self, regex_value};

use super::Cx;
use super::regexes::{Group, names_in_broken};
use crate::body::*;
use crate::defs::AdtKind;
use crate::diagnostics as words;
use crate::scope::{Def, Lookup};

/// How names of one pattern are bound.
#[derive(Default)]
struct PatCx {
    /// Left of `=`: hidden names, and the places that get their values.
    assigned: Option<Vec<(LocalId, ExprId)>>,
    mutable: bool,
    /// Names bound so far; alternatives of an or-pattern share theirs.
    bound: Vec<(Name, LocalId)>,
    /// Inside an alternative after the first: names must be those of the first.
    alternative: bool,
}

impl Cx<'_> {
    /// A pattern whose names are all new (match arms, `for`, parameters).
    pub(super) fn new_pattern(&mut self, pat: ast::Pat<'_>) -> PatId {
        self.pattern(pat, &mut PatCx::default())
    }

    /// A pattern after `var`: its names are new and may be assigned later.
    pub(super) fn var_pattern(&mut self, pat: ast::Pat<'_>) -> PatId {
        self.pattern(pat, &mut PatCx { mutable: true, ..PatCx::default() })
    }

    /// A pattern left of `=`: it binds hidden names for places and visible variables, which get their values then.
    pub(super) fn assigning_pattern(&mut self, pat: ast::Pat<'_>) -> (PatId, Vec<(LocalId, ExprId)>) {
        let mut pcx = PatCx { assigned: Some(Vec::new()), ..PatCx::default() };
        let pat = self.pattern(pat, &mut pcx);
        (pat, pcx.assigned.unwrap_or_default())
    }

    /// What a name in a pattern assigns if it is no new one.
    fn assigned_name(&mut self, name: Name, range: TextRange, pcx: &mut PatCx) -> Option<LocalId> {
        pcx.assigned.as_ref()?;
        let place = match self.find_local(name) {
            Some(local) => self.assigned_local(local, range),
            None => self.state_field(name, range)?,
        };
        Some(self.assigns(place, range, pcx))
    }

    fn assigns(&mut self, place: ExprId, range: TextRange, pcx: &mut PatCx) -> LocalId {
        let hidden = self.hidden(range, false);
        pcx.assigned.get_or_insert_default().push((hidden, place));
        hidden
    }

    fn maybe_pattern(&mut self, pat: Option<ast::Pat<'_>>, range: TextRange, pcx: &mut PatCx) -> PatId {
        match pat {
            Some(pat) => self.pattern(pat, pcx),
            None => self.pat(Pat::Missing, range),
        }
    }

    fn pattern(&mut self, pat: ast::Pat<'_>, pcx: &mut PatCx) -> PatId {
        let range = pat.syntax().range();
        let span = self.span(range);
        match pat {
            // A call of a macro that is left could not be expanded, and that was said.
            ast::Pat::MissingPat(_) | ast::Pat::MacroPat(_) => self.pat(Pat::Missing, range),
            ast::Pat::WildcardPat(_) => self.pat(Pat::Wild, range),
            ast::Pat::NamePat(it) => match it.name() {
                Some(name) => self.bind(Name::new(name.text()), name.range(), None, pcx),
                None => self.pat(Pat::Missing, range),
            },
            ast::Pat::PlacePat(it) => {
                let place = match it.place() {
                    Some(place) => self.place(place),
                    None => self.missing(range),
                };
                let local = self.assigns(place, range, pcx);
                self.pat(Pat::Bind { local, sub: None }, range)
            }
            ast::Pat::LiteralPat(it) => self.literal_pattern(it),
            ast::Pat::RegexPat(it) => self.regex_pattern(it, pcx),
            ast::Pat::RangePat(it) => {
                let start = it.start().map(|end| self.pattern(end, pcx));
                let end = it.end().map(|end| self.pattern(end, pcx));
                self.pat(Pat::Range { start, end, inclusive: it.is_inclusive() }, range)
            }
            ast::Pat::PathPat(it) => self.path_pattern(it, range),
            ast::Pat::VariantPat(it) => self.variant_pattern(it, pcx),
            ast::Pat::StructPat(it) => self.struct_pattern(it, pcx),
            ast::Pat::RecordPat(it) => {
                let fields = self.field_patterns(it.fields(), pcx);
                let rest = match it.rest().and_then(|rest| rest.pat()) {
                    Some(rest) => RecordRest::Kept(self.pattern(rest, pcx)),
                    None if it.has_rest() => RecordRest::LeftOut,
                    None => RecordRest::None,
                };
                self.pat(Pat::Record { fields, rest }, range)
            }
            ast::Pat::ParenPat(it) => self.maybe_pattern(it.pat(), range, pcx),
            ast::Pat::TuplePat(it) => {
                let (mut elems, mut gap) = (Vec::new(), Gap::default());
                for elem in it.elems() {
                    match elem {
                        ast::Pat::RestPat(it) if !it.is_collected() => {
                            self.set_gap(&mut gap, elems.len(), it);
                        }
                        elem => elems.push(self.pattern(elem, pcx)),
                    }
                }
                self.pat(Pat::Tuple { elems: elems.into(), gap }, range)
            }
            ast::Pat::VecPat(it) => self.vec_pattern(it, pcx),
            ast::Pat::RestPat(it) => {
                self.report(words::rest_outside_vec(span));
                self.maybe_pattern(it.pat(), range, pcx)
            }
            ast::Pat::OrPat(it) => self.or_pattern(it, pcx),
            ast::Pat::AsPat(it) => {
                let sub = self.maybe_pattern(it.pat(), range, pcx);
                match it.name() {
                    Some(name) => self.bind(Name::new(name.text()), name.range(), Some(sub), pcx),
                    None => sub,
                }
            }
            ast::Pat::TypePat(it) => {
                let sub = it.pat().map(|pat| self.pattern(pat, pcx));
                match it.ty() {
                    Some(ty) => {
                        let ty = self.types.local_type(ty);
                        self.pat(Pat::Type { ty, name: None, sub }, range)
                    }
                    None => self.pat(Pat::Missing, range),
                }
            }
        }
    }

    fn bind(&mut self, name: Name, range: TextRange, sub: Option<PatId>, pcx: &mut PatCx) -> PatId {
        let earlier = pcx.bound.iter().find(|(it, _)| *it == name).map(|&(_, local)| local);
        let local = match (earlier, pcx.alternative) {
            (Some(local), true) => local,
            (Some(_), false) => {
                let span = self.span(range);
                self.report(words::bound_twice(span, name));
                self.hidden(range, false)
            }
            (None, true) => {
                let span = self.span(range);
                self.report(words::or_bindings(span, name));
                self.declare(name, range, pcx.mutable, LocalKind::Binding)
            }
            (None, false) => match self.assigned_name(name, range, pcx) {
                Some(local) => local,
                None => self.declare(name, range, pcx.mutable, LocalKind::Binding),
            },
        };
        if earlier.is_none() {
            pcx.bound.push((name, local));
        }
        self.pat(Pat::Bind { local, sub }, range)
    }

    /// Every alternative binds the names of the first.
    fn or_pattern(&mut self, it: ast::OrPat<'_>, pcx: &mut PatCx) -> PatId {
        let range = it.syntax().range();
        let before = pcx.bound.len();
        let mut alts = Vec::new();
        for (n, alt) in it.alts().enumerate() {
            let was = pcx.alternative;
            pcx.alternative = was || n > 0;
            let lowered = self.pattern(alt, pcx);
            pcx.alternative = was;
            if n > 0 {
                let mut locals = Vec::new();
                self.collect_pat_locals(lowered, &mut locals);
                let absent = pcx.bound[before..].iter().find(|(_, local)| !locals.contains(local));
                if let Some(&(name, _)) = absent {
                    let span = self.span(alt.syntax().range());
                    self.report(words::or_bindings(span, name));
                }
            }
            alts.push(lowered);
        }
        self.pat(Pat::Or { alts: alts.into() }, range)
    }

    fn vec_pattern(&mut self, it: ast::VecPat<'_>, pcx: &mut PatCx) -> PatId {
        let range = it.syntax().range();
        let (mut prefix, mut suffix, mut rest) = (Vec::new(), Vec::new(), None);
        for elem in it.elems() {
            match elem {
                ast::Pat::RestPat(it) if rest.is_none() => {
                    rest = Some(it.pat().map(|pat| self.pattern(pat, pcx)));
                }
                ast::Pat::RestPat(it) => {
                    let span = self.span(it.syntax().range());
                    self.report(words::second_rest(span));
                }
                other => {
                    let lowered = self.pattern(other, pcx);
                    if rest.is_some() { suffix.push(lowered) } else { prefix.push(lowered) }
                }
            }
        }
        self.pat(Pat::Vec { prefix: prefix.into(), rest, suffix: suffix.into() }, range)
    }

    /// `..` among the patterns of a tuple or variant.
    fn set_gap(&mut self, gap: &mut Gap, at: usize, it: ast::RestPat<'_>) {
        if gap.0.replace(at as u32).is_some() {
            let span = self.span(it.syntax().range());
            self.report(words::second_gap(span));
        }
    }

    fn literal_pattern(&mut self, it: ast::LiteralPat<'_>) -> PatId {
        let range = it.syntax().range();
        let negative = it.is_negative();
        let value = match it.literal() {
            Some(ast::Expr::LiteralExpr(literal)) => match literal.value() {
                Some(literals::Literal::Nil) => return self.pat(Pat::Nil, range),
                Some(literals::Literal::Symbol(name)) => return self.symbol_pattern(name, range),
                Some(value) => self.literal(value, negative, range),
                None => None,
            },
            Some(ast::Expr::StringExpr(string)) => {
                self.plain_string(string).map(|value| Literal::Str(value.into()))
            }
            Some(ast::Expr::TupleExpr(_)) => Some(Literal::Unit),
            _ => None,
        };
        match value {
            Some(value) => self.pat(Pat::Lit { value }, range),
            None => self.pat(Pat::Missing, range),
        }
    }

    /// Groups with names bind them.
    fn regex_pattern(&mut self, it: ast::RegexPat<'_>, pcx: &mut PatCx) -> PatId {
        let range = it.syntax().range();
        let written = it.syntax().text();
        let groups = self.parsed_regex(written, range).unwrap_or_else(|| names_in_broken(written));
        let mut group = |cx: &mut Self, Group { name, number, optional }| {
            let pat = cx.bind(name, range, None, pcx);
            RegexGroup { number, optional, pat }
        };
        let groups = groups.into_iter().map(|it| group(self, it)).collect();
        self.pat(Pat::Regex { pattern: regex_value(written).into(), groups }, range)
    }

    fn symbol_pattern(&mut self, name: &str, range: TextRange) -> PatId {
        let Some(adt) = self.defs.lang.adt("Symbol") else { return self.pat(Pat::Missing, range) };
        let pat = self.pat(Pat::Lit { value: Literal::Str(name.into()) }, range);
        let (path, args) = (StructPath::Adt(adt, &[]), [PatArg { name: None, pat }].into());
        self.pat(Pat::Variant { path, args, has_args: true, gap: Gap::default() }, range)
    }

    /// The text of a string without interpolation.
    fn plain_string(&mut self, string: ast::StringExpr<'_>) -> Option<String> {
        let mut text = String::new();
        for part in string.value() {
            match part {
                literals::StringValue::Text(part) => text.push_str(&part),
                literals::StringValue::Interp(it) => {
                    let span = self.span(it.syntax().range());
                    self.report(words::interp_in_pattern(span));
                    return None;
                }
            }
        }
        Some(text)
    }

    /// `None`, `Shape::Empty`, `LIMIT`, a type after `is`.
    fn path_pattern(&mut self, path: ast::PathPat<'_>, range: TextRange) -> PatId {
        let segments: Vec<_> = path.segments().collect();
        if let Some(Def::Const(constant)) = self.pattern_def(&segments) {
            return self.pat(Pat::Const { constant }, range);
        }
        if let Some(Def::Alias(_)) = self.pattern_def(&segments) {
            let ty = self.types.path_to_type(&segments, range);
            if self.defs.union_members(ty).is_some() || ty.as_adt().is_none() {
                return self.pat(Pat::Type { ty, name: None, sub: None }, range);
            }
        }
        match self.pattern_path(&segments, range) {
            StructPath::Error => self.pat(Pat::Missing, range),
            StructPath::Adt(adt, args) if self.defs.adts[adt].kind != AdtKind::Newtype => {
                self.pat(Pat::Type { ty: qz_types::Ty::adt(adt, args), name: None, sub: None }, range)
            }
            StructPath::BareOrAdt(name, adt, args) if self.defs.adts[adt].kind != AdtKind::Newtype => {
                let ty = qz_types::Ty::adt(adt, args);
                self.pat(Pat::Type { ty, name: Some(name), sub: None }, range)
            }
            StructPath::Bare(name) if segments.len() == 1 && self.types.is_type_name(name) => {
                let ty = self.types.path_to_type(&segments, range);
                self.pat(Pat::Type { ty, name: Some(name), sub: None }, range)
            }
            path => {
                let gap = Gap::default();
                self.pat(Pat::Variant { path, args: [].into(), has_args: false, gap }, range)
            }
        }
    }

    fn pattern_def(&self, segments: &[ast::PathSegment<'_>]) -> Option<Def> {
        let names: Vec<Name> = segments.iter().map(|it| Name::new(it.name.text())).collect();
        match self.defs.resolve_segments(self.module, &names)? {
            Lookup::Found(def) => Some(def),
            _ => None,
        }
    }

    /// What a path in a pattern or before `{` names.
    pub(super) fn pattern_path(&mut self, segments: &[ast::PathSegment<'_>], range: TextRange) -> StructPath {
        let Some((last, before)) = segments.split_last() else { return StructPath::Error };
        let name = Name::new(last.name.text()).plain();
        match self.pattern_def(segments) {
            Some(Def::Adt(_) | Def::Alias(_)) => {
                let ty = self.types.path_to_type(segments, range);
                return match ty.as_adt() {
                    Some((adt, args)) if before.is_empty() => StructPath::BareOrAdt(name, adt, args),
                    Some((adt, args)) => StructPath::Adt(adt, args),
                    None => StructPath::Error,
                };
            }
            Some(Def::NotYet) => return StructPath::Error,
            _ => {}
        }
        if name == qz_base::name::known::SELF_TYPE && before.is_empty() {
            return match self.types.self_ty.and_then(|ty| ty.as_adt()) {
                Some((adt, args)) => StructPath::Adt(adt, args),
                None => StructPath::Error,
            };
        }
        if before.is_empty() {
            return StructPath::Bare(name);
        }
        if self.types.reports_prefix(segments) {
            return StructPath::Error;
        }
        let ty = self.types.path_to_type(before, range);
        match ty.as_adt() {
            Some((adt, args)) => match self.variant_of(adt, name, last.name.range()) {
                Some(variant) => StructPath::Variant(adt, variant, args),
                None => StructPath::Error,
            },
            None => StructPath::Error,
        }
    }

    fn variant_pattern(&mut self, it: ast::VariantPat<'_>, pcx: &mut PatCx) -> PatId {
        let range = it.syntax().range();
        let segments: Vec<_> = it.path().into_iter().flat_map(|path| path.segments()).collect();
        let path = self.pattern_path(&segments, range);
        // The path is a pattern node too, and comes first.
        let own = |arg: &ast::PatArg<'_>| it.path().is_none_or(|path| path.syntax() != arg.syntax());
        let (mut args, mut gap) = (Vec::new(), Gap::default());
        for arg in it.args().filter(own) {
            args.push(match arg {
                ast::PatArg::Pat(ast::Pat::RestPat(it)) if !it.is_collected() => {
                    self.set_gap(&mut gap, args.len(), it);
                    continue;
                }
                ast::PatArg::NamedPat(named) => PatArg {
                    name: named.name().map(|it| Name::new(it.text())),
                    pat: self.maybe_pattern(named.pat(), range, pcx),
                },
                ast::PatArg::Pat(ast::Pat::TypePat(test))
                    if let Some((name, path)) = self.named_variant(test) =>
                {
                    let range = path.syntax().range();
                    let segments: Vec<_> = path.segments().collect();
                    let path = self.pattern_path(&segments, range);
                    let pat = match path {
                        StructPath::Error => Pat::Missing,
                        path => Pat::Variant { path, args: [].into(), has_args: false, gap: Gap::default() },
                    };
                    PatArg { name: Some(name), pat: self.pat(pat, range) }
                }
                ast::PatArg::Pat(pat) => PatArg { name: None, pat: self.pattern(pat, pcx) },
            });
        }
        if path == StructPath::Error {
            return self.pat(Pat::Missing, range);
        }
        self.pat(Pat::Variant { path, args: args.into(), has_args: true, gap }, range)
    }

    /// `color: Red` looks like a type test, but what is no type can only be a variant.
    fn named_variant<'t>(&self, it: ast::TypePat<'t>) -> Option<(Name, ast::PathType<'t>)> {
        let (Some(ast::Pat::NamePat(name)), Some(ast::TypeExpr::PathType(path))) = (it.pat(), it.ty()) else {
            return None;
        };
        let name = Name::new(name.name()?.text());
        let segments: Vec<_> = path.segments().collect();
        let is_type = matches!(self.pattern_def(&segments), Some(Def::Adt(_) | Def::Alias(_) | Def::NotYet))
            || (segments.len() == 1 && self.types.is_type_name(Name::new(segments[0].name.text())));
        (!is_type).then_some((name, path))
    }

    fn struct_pattern(&mut self, it: ast::StructPat<'_>, pcx: &mut PatCx) -> PatId {
        let range = it.syntax().range();
        let segments: Vec<_> = it.path().into_iter().flat_map(|path| path.segments()).collect();
        let path = self.pattern_path(&segments, range);
        let fields = self.field_patterns(it.fields(), pcx);
        if path == StructPath::Error {
            return self.pat(Pat::Missing, range);
        }
        let Some(rest) = it.rest() else {
            return self.pat(Pat::Struct { path, fields, has_rest: it.has_rest() }, range);
        };
        let span = self.span(rest.syntax().range());
        self.report(words::rest_of_struct(span));
        let pat = self.pat(Pat::Struct { path, fields, has_rest: true }, range);
        // The name is there, so that its uses are no mistakes.
        match rest.pat() {
            Some(ast::Pat::NamePat(it)) if let Some(name) = it.name() => {
                self.bind(Name::new(name.text()), name.range(), Some(pat), pcx)
            }
            _ => pat,
        }
    }

    fn field_patterns<'t>(
        &mut self,
        written: impl Iterator<Item = ast::FieldPat<'t>>,
        pcx: &mut PatCx,
    ) -> Box<[FieldPat]> {
        let mut fields = Vec::new();
        for field in written {
            let Some(name) = field.name() else { continue };
            let (text, name_range) = (Name::new(name.text()), name.range());
            let pat = match field.pat() {
                Some(pat) => self.pattern(pat, pcx),
                None => self.bind(text, name_range, None, pcx),
            };
            fields.push(FieldPat { name: text, name_range, pat });
        }
        fields.into()
    }

    /// The variant of an enum, or a report.
    pub(super) fn variant_of(&mut self, adt: qz_types::AdtId, name: Name, range: TextRange) -> Option<u32> {
        let fields = self.defs.adt_fields(adt);
        let found = fields.variants.iter().position(|it| it.name == name);
        if found.is_none() || self.defs.adts[adt].kind != AdtKind::Enum {
            let span = self.span(range);
            let variants: Vec<Name> = fields.variants.iter().map(|it| it.name).collect();
            self.report(words::unknown_variant(span, self.defs.adts[adt].name, name, &variants));
            return None;
        }
        found.map(|at| at as u32)
    }
}
