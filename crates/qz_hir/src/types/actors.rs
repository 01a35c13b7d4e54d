//! The types of an actor's parts: its state, its reference, and the functions that were made for both.

use std::sync::Arc;

use qz_base::{Name, TextRange};
use qz_syntax::SyntaxNode;
use qz_syntax::ast::{self, AstNode};
use qz_syntax::literals::Literal;
use qz_types::ty::common;
use qz_types::{FnId, Ty};

use super::{Position, TypeCx};
use crate::collect::actors::{StateField, state_fields};
use crate::defs::*;
use crate::diagnostics as words;

/// The one field of what others refer to an actor by; no program can name it.
pub(crate) const CORE_FIELD: &str = "(core)";

impl TypeCx<'_> {
    pub(super) fn actor_fields(&mut self, side: ActorSide, node: SyntaxNode<'_>) -> AdtFields {
        let Some(actor) = ast::ActorDef::cast(node) else { return AdtFields::default() };
        let range = actor.name().map_or(node.range(), |it| it.range());
        let fields = match side {
            ActorSide::State => self.state(actor),
            ActorSide::Reference(state) => {
                vec![self.core_field(Ty::adt(state, &self.generics.identity()), range)]
            }
        };
        let name = Name::new(actor.name().map_or("", |it| it.text()));
        AdtFields { variants: vec![Variant { name, range, fields, named: true, number: None }] }
    }

    fn core_field(&self, state: Ty, range: TextRange) -> Field {
        let ty = self.defs.lang.adt("ActorCore").map_or(self.error(), |core| Ty::adt(core, &[state]));
        Field { name: Name::new(CORE_FIELD), range, ty, is_private: true, default: None }
    }

    fn state(&mut self, actor: ast::ActorDef<'_>) -> Vec<Field> {
        let state = self.self_ty.and_then(Ty::as_adt).map(|(id, _)| id);
        let mut fields: Vec<Field> = Vec::new();
        for (index, it) in state_fields(actor).enumerate() {
            let (name, range) = (Name::new(it.name.text()), it.name.range());
            if let Some(earlier) = fields.iter().find(|earlier| earlier.name == name) {
                self.defs.report(words::duplicate(self.span(range), name, self.span(earlier.range)));
            }
            let default = it.value.and_then(|_| self.defs.field_default(state, index as u32));
            let ty = self.state_ty(&it);
            fields.push(Field { name, range, ty, is_private: false, default });
        }
        fields
    }

    /// The type of a part of the state: as written, or that of the literal it starts with.
    fn state_ty(&mut self, field: &StateField<'_>) -> Ty {
        if let Some(ty) = field.ty {
            return self.ty(ty, Position::Part);
        }
        field.value.and_then(literal_ty).unwrap_or_else(|| {
            self.defs.report(words::state_type_needed(self.span(field.name.range()), field.name.text()));
            self.error()
        })
    }

    /// The signature of a function that was made for an actor.
    pub(super) fn actor_sig(self, id: FnId, part: ActorFn, node: SyntaxNode<'_>) -> FnSig {
        let reference = self.self_ty;
        match (part, ast::FnDef::cast(node)) {
            (ActorFn::Start(..), Some(init)) => FnSig { ret: reference, ..self.fn_sig(id, init) },
            (ActorFn::Start(actor, _), None) => {
                let state = self.defs.adt_fields(self.defs.actors[actor].state);
                let unset = state.variants[0].fields.iter().filter(|field| field.default.is_none());
                let params = unset.map(|field| param(field.name, field.range, Some(field.ty))).collect();
                self.made_sig(params, reference)
            }
            (ActorFn::Message(_), Some(handler)) => {
                let task = self.defs.lang.adt("Task");
                let sig = self.fn_sig(id, handler);
                // A hidden type is the handler's own: who calls learns it from there.
                let ret = sig.ret.filter(|_| sig.opaques.is_empty()).zip(task);
                FnSig { ret: ret.map(|(ret, task)| Ty::adt(task, &[ret])), opaques: Vec::new(), ..sig }
            }
            (ActorFn::Message(_) | ActorFn::Handler(_) | ActorFn::Stop, _) => {
                let me = param(qz_base::name::known::SELF_VALUE, TextRange::default(), reference);
                self.made_sig(vec![me], Some(common().unit))
            }
        }
    }

    fn made_sig(self, params: Vec<SigParam>, ret: Option<Ty>) -> FnSig {
        FnSig { generics: Arc::new(self.generics), params, ret, can: None, opaques: Vec::new() }
    }
}

fn param(name: Name, range: TextRange, ty: Option<Ty>) -> SigParam {
    SigParam { name, range, ty, has_default: false, is_rest: false }
}

/// The type that a literal has by itself.
fn literal_ty(value: ast::Expr<'_>) -> Option<Ty> {
    let known = common();
    match value {
        ast::Expr::StringExpr(_) | ast::Expr::HeredocExpr(_) => Some(known.str),
        ast::Expr::UnaryExpr(it) => literal_ty(it.operand()?),
        ast::Expr::LiteralExpr(it) => match it.value()? {
            Literal::Int(_) => Some(known.int),
            Literal::Float(_) => Some(known.f64),
            Literal::Bool(_) => Some(known.bool),
            Literal::Char(_) => Some(known.char),
            Literal::String(_) => Some(known.str),
            Literal::Nil | Literal::Symbol(_) | Literal::Regex(_) => None,
        },
        _ => None,
    }
}
