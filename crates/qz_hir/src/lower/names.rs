//! Names and paths in expressions.

use qz_base::{Name, TextRange};
use qz_syntax::ast::{self, AstNode};
use qz_types::{Ty, Tys};

use super::Cx;
use crate::body::*;
use crate::defs::{AdtKind, FnKind};
use crate::diagnostics as words;
use crate::scope::{Def, Lookup};

/// What a path means where a callee stands.
pub(super) enum Callee {
    Expr(ExprId),
    /// `Type::name`: a function that belongs to a type.
    Assoc {
        receiver: ExprId,
        name: Name,
        name_range: TextRange,
        type_args: Tys,
    },
}

impl Cx<'_> {
    pub(super) fn path(&mut self, path: ast::PathExpr<'_>) -> ExprId {
        let range = path.syntax().range();
        match self.path_callee(path) {
            Callee::Expr(expr) => expr,
            Callee::Assoc { receiver, name, name_range, type_args } => {
                let args = [].into();
                self.expr(
                    Expr::Method { receiver, name, name_range, type_args, args, has_parens: false },
                    range,
                )
            }
        }
    }

    pub(super) fn path_callee(&mut self, path: ast::PathExpr<'_>) -> Callee {
        let range = path.syntax().range();
        let segments: Vec<_> = path.segments().collect();
        match &segments[..] {
            [] => Callee::Expr(self.missing(range)),
            [only] if only.type_args.is_none() => {
                let name = Name::new(only.name.text());
                match self.own_handler(name, range) {
                    Some(handler) => handler,
                    None => Callee::Expr(self.name_expr(name, range)),
                }
            }
            _ => self.long_path(&segments, range),
        }
    }

    /// A bare name: a local, then what the module knows, then builtin types, then a variant.
    pub(super) fn name_expr(&mut self, name: Name, range: TextRange) -> ExprId {
        if let Some(local) = self.find_local(name) {
            return self.use_local(local, range);
        }
        if let Some(field) = self.state_field(name, range) {
            return field;
        }
        if let Some(rest) = self.resume_value(name, range) {
            return rest;
        }
        match self.defs.lookup(self.module, name) {
            // A trait is no value, but the expected type may have a variant of its name.
            Lookup::Found(Def::Trait(_)) => self.expr(Expr::BareVariant { name: name.plain() }, range),
            Lookup::Found(def) => self.def_expr(def, &[], range),
            Lookup::Ambiguous(modules) => {
                let modules: Vec<Name> = modules.iter().map(|&it| self.defs.modules[it].path).collect();
                let span = self.span(range);
                self.report(words::ambiguous(span, name, &modules));
                self.missing(range)
            }
            Lookup::Private(_) | Lookup::Missing => self.unknown_name(name, range),
        }
    }

    fn unknown_name(&mut self, name: Name, range: TextRange) -> ExprId {
        // `x?` of a visible value `x` is propagation.
        if let Some(base) = name.as_str().strip_suffix('?')
            && let Some(local) = self.find_local(Name::new(base))
        {
            let operand = self.use_local(local, TextRange::new(range.start, range.end - 1));
            return self.propagate(operand, false, range);
        }
        let (home, name) = self.defs.home(self.module, name);
        if let Some(ty) = self.types.named_type(name) {
            return self.expr(Expr::TypeRecv { ty }, range);
        }
        if name.is_upper() && !self.defs.variants_in_scope(home, name).is_empty() {
            return self.expr(Expr::BareVariant { name }, range);
        }
        let span = self.span(range);
        if name.as_str().starts_with('$') {
            // The parser has reported it.
        } else if self.defs.modules[home].scope.modules.contains_key(&name) {
            self.report(words::module_value(span, name));
        } else if let Some(&bound) = self.ended.get(&name) {
            self.report(words::branch_binding(span, name, bound));
        } else if name.as_str() == "resume" {
            self.report(words::resume_outside(span));
        } else if name.is_upper() {
            // It may still be a variant of the expected type's enum, which needs not be in scope.
            return self.expr(Expr::BareVariant { name }, range);
        } else {
            let mut visible = self.defs.visible_names(home);
            let bound = self.bindings.iter().filter(|(_, locals)| !locals.is_empty());
            visible.extend(bound.map(|(&name, _)| name.plain()));
            visible.sort_by(|a, b| a.cmp_text(*b));
            self.report(words::unknown_name(span, name, &visible));
        }
        self.missing(range)
    }

    fn def_expr(&mut self, def: Def, type_args: &[Ty], range: TextRange) -> ExprId {
        let type_args = Ty::list(type_args);
        match def {
            Def::Fns(candidates) => self.expr(Expr::Fns { candidates: candidates.into(), type_args }, range),
            Def::Const(constant) => self.expr(Expr::Const { constant }, range),
            Def::Static(var) => self.expr(Expr::Static { var }, range),
            Def::Adt(adt) => {
                let holes = vec![crate::types::hole(); self.defs.adt_generics(adt).len()];
                let args = if type_args.is_empty() { Ty::list(&holes) } else { type_args };
                if self.defs.adts[adt].kind == AdtKind::Newtype {
                    return self.expr(Expr::Newtype { adt, type_args: args }, range);
                }
                self.expr(Expr::TypeRecv { ty: Ty::adt(adt, args) }, range)
            }
            Def::Alias(alias) => {
                let ty = self.types.alias_with_holes(alias, range);
                self.type_expr(ty, range)
            }
            Def::Trait(it) => {
                let span = self.span(range);
                self.report(words::not_a_value(span, &format!("the trait `{}`", self.defs.traits[it].name)));
                self.missing(range)
            }
            Def::NotYet => self.missing(range),
            Def::Import(..) => unreachable!("imports are settled when modules are collected"),
        }
    }

    /// Several segments, or one with type arguments.
    fn long_path(&mut self, segments: &[ast::PathSegment<'_>], range: TextRange) -> Callee {
        let (last, before) = segments.split_last().expect("not empty");
        let name = Name::new(last.name.text());
        let names: Vec<Name> = segments.iter().map(|it| Name::new(it.name.text())).collect();
        match self.defs.resolve_segments(self.module, &names) {
            Some(Lookup::Found(Def::Adt(_) | Def::Alias(_))) => {
                let ty = self.types.path_to_type_with_holes(segments, range);
                return Callee::Expr(self.type_expr(ty, range));
            }
            Some(Lookup::Found(def @ (Def::Fns(_) | Def::Const(_) | Def::Static(_) | Def::NotYet))) => {
                let args = self.type_args(last);
                return Callee::Expr(self.def_expr(def, &args, range));
            }
            Some(Lookup::Found(Def::Trait(_))) => {
                let span = self.span(range);
                self.report(words::not_a_value(span, &format!("the trait `{name}`")));
                return Callee::Expr(self.missing(range));
            }
            Some(Lookup::Private(owner)) => {
                let span = self.span(last.name.range());
                self.report(words::private_item(span, name, self.defs.modules[owner].path));
                return Callee::Expr(self.missing(range));
            }
            Some(Lookup::Missing) if !before.is_empty() && self.is_module_path(&names) => {
                return Callee::Expr(self.not_in_module(&names, last.name.range(), range));
            }
            _ => {}
        }
        if before.is_empty() {
            let ty = self.types.path_to_type_with_holes(segments, range);
            return Callee::Expr(self.type_expr(ty, range));
        }
        if self.types.reports_prefix(segments) {
            return Callee::Expr(self.missing(range));
        }
        self.type_member(before, last, range)
    }

    fn type_expr(&mut self, ty: Ty, range: TextRange) -> ExprId {
        if ty.is_error() { self.missing(range) } else { self.expr(Expr::TypeRecv { ty }, range) }
    }

    fn type_args(&mut self, segment: &ast::PathSegment<'_>) -> Vec<Ty> {
        segment.type_args.into_iter().flat_map(|it| it.args()).map(|it| self.types.local_type(it)).collect()
    }

    fn is_module_path(&self, names: &[Name]) -> bool {
        let (home, first) = match names {
            [first, _] => self.defs.home(self.module, *first),
            _ => return false,
        };
        self.defs.modules[home].scope.modules.contains_key(&first)
    }

    fn not_in_module(&mut self, names: &[Name], name_range: TextRange, range: TextRange) -> ExprId {
        let (home, first) = self.defs.home(self.module, names[0]);
        let target = self.defs.modules[home].scope.modules[&first];
        let mut exports = Vec::new();
        self.defs.export_names(target, &mut exports, &mut Vec::new());
        exports.sort_by(|a, b| a.cmp_text(*b));
        let span = self.span(name_range);
        self.report(words::not_in_module(span, names[1], self.defs.modules[target].path, &exports));
        self.missing(range)
    }

    /// Whether an enum's `Color::LIMIT` is no variant but a constant.
    fn is_assoc_const(&self, adt: qz_types::AdtId, name: Name) -> bool {
        let is_variant = self.defs.adt_fields(adt).variants.iter().any(|it| it.name == name);
        let named = |id| self.defs.fns[id].kind == FnKind::AssocConst && self.defs.fns[id].name == name;
        !is_variant && self.defs.fns.ids().any(named)
    }

    /// `Shape::Circle`, `Point::origin`.
    fn type_member(
        &mut self,
        before: &[ast::PathSegment<'_>],
        last: &ast::PathSegment<'_>,
        range: TextRange,
    ) -> Callee {
        let name = Name::new(last.name.text());
        let name_range = last.name.range();
        let ty = self.types.path_to_type_with_holes(before, range);
        if ty.is_error() {
            return Callee::Expr(self.missing(range));
        }
        if let Some((adt, type_args)) = ty.as_adt()
            && self.defs.adts[adt].kind == AdtKind::Enum
            && name.is_upper()
            && !self.is_assoc_const(adt, name)
        {
            return Callee::Expr(match self.variant_of(adt, name, name_range) {
                Some(variant) => self.expr(Expr::Variant { adt, variant, type_args }, range),
                None => self.missing(range),
            });
        }
        let type_args = Ty::list(&self.type_args(last));
        let receiver = self.expr(Expr::TypeRecv { ty }, range);
        Callee::Assoc { receiver, name, name_range, type_args }
    }
}
