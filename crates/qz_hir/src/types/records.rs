//! What `{ x: Int }` means: a type told by the names and types of its fields, in any order.

use qz_base::{Name, Span};
use qz_syntax::ast::{self, AstNode};
use qz_types::ty::common;
use qz_types::{TraitRef, Ty, TyKind};

use super::{Position, TypeCx};
use crate::defs::{GenericParam, Generics, Predicate, SigParam};
use crate::diagnostics as words;

impl TypeCx<'_> {
    pub(super) fn record_type(&mut self, it: ast::RecordType<'_>, position: Position) -> Ty {
        let mut fields: Vec<(Name, Ty)> = Vec::new();
        for field in it.fields() {
            let Some(name) = field.name() else { continue };
            let (text, span) = (Name::new(name.text()), self.span(name.range()));
            let ty = self.ty_or_error(field.ty(), Position::Part);
            if fields.iter().any(|it| it.0 == text) {
                self.defs.report(words::field_type_twice(span, text));
                return self.error();
            }
            fields.push((text, ty));
        }
        match it.rest() {
            Some(rest) => self.open_record(rest, &fields, position),
            None => Ty::record(&fields),
        }
    }

    /// `{ x: Int, ...rest }`: `rest` is a type parameter for a record with the other fields. A parameter of a function
    /// brings it along; elsewhere it must be known.
    fn open_record(&mut self, rest: ast::RowVar<'_>, fields: &[(Name, Ty)], position: Position) -> Ty {
        let span = self.span(rest.syntax().range());
        let name = rest.name().map(|it| Name::new(it.text()));
        let known = name.and_then(|name| self.type_param(name));
        if let Some(known) = known {
            if !self.is_record_param(known) {
                self.defs.report(words::rest_unbound(span, name.unwrap_or(Name::new("..."))));
                return self.error();
            }
            return Ty::open_record(fields, known);
        }
        let in_param = position == Position::Param || self.around == Position::Param;
        let (true, Some(_), Some(trait_id)) =
            (in_param, self.opaque_owner, self.defs.lang.trait_("AnyRecord"))
        else {
            self.defs.report(words::rest_position(span));
            return self.error();
        };
        let index = self.generics.params.len() as u32;
        let name = name.unwrap_or(Name::new("..."));
        self.generics.params.push(GenericParam { name, range: rest.syntax().range(), default: None });
        let ty = Ty::param(index, name);
        let trait_ref = TraitRef { trait_id, args: &[] };
        self.generics.preds.push(Predicate { ty, trait_ref, assoc: Vec::new(), span });
        Ty::open_record(fields, ty)
    }

    /// In a function, `{ x: Int, ...rest }` is a record whose rest has no `x`: so a pattern may tell both apart.
    pub(super) fn rests_lack(&mut self, params: &[SigParam]) {
        let Some(trait_id) = self.defs.lang.trait_("Lacks") else { return };
        let outer = self.generics.outer;
        for param in params {
            let Some(ty) = param.ty else { continue };
            let span = self.span(param.range);
            let preds = &mut self.generics.preds;
            ty.walk(&mut |part| {
                let TyKind::OpenRecord(fields, rest) = *part.kind() else { return };
                if !matches!(rest.kind(), TyKind::Param(param) if param.index >= outer) {
                    return;
                }
                for &(name, _) in fields {
                    let args = Ty::list(&[Ty::record(&[(name, common().unit)])]);
                    let trait_ref = TraitRef { trait_id, args };
                    if !preds.iter().any(|it| it.ty == rest && it.trait_ref == trait_ref) {
                        preds.push(Predicate { ty: rest, trait_ref, assoc: Vec::new(), span });
                    }
                }
            });
        }
    }

    /// What stands for the rest of a record must be one: a type that has another rest could not be written.
    pub(super) fn fit_rests(&mut self, generics: &Generics, args: &mut [Ty], span: Span) {
        let any_record = self.defs.lang.trait_("AnyRecord");
        for pred in generics.preds.iter().filter(|it| Some(it.trait_ref.trait_id) == any_record) {
            let TyKind::Param(param) = pred.ty.kind() else { continue };
            let Some(arg) = args.get_mut(param.index as usize) else { continue };
            let fits = arg.is_infer() || arg.known_fields().is_some() || self.is_record_param(*arg);
            if !fits {
                self.defs.report(words::rest_no_record(span, param.name));
                *arg = self.error();
            }
        }
    }

    /// Whether a type parameter stands for records only.
    fn is_record_param(&self, ty: Ty) -> bool {
        let any_record = self.defs.lang.trait_("AnyRecord");
        ty.is_error()
            || self.generics.preds.iter().any(|it| it.ty == ty && Some(it.trait_ref.trait_id) == any_record)
    }
}
