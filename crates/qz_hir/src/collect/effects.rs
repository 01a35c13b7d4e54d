//! What `effect Name … end` declares: the struct `Name`, which holds what a handler does, and a function for each
//! operation, which belongs to the struct and is known by its bare name, too.

use qz_syntax::ast::{self, AstNode};
use qz_types::EffectId;

use super::attributes::Place;
use super::{Attrs, Collector};
use crate::defs::*;
use crate::diagnostics as words;
use crate::scope::Def;

impl Collector<'_> {
    pub(super) fn effect_def(&mut self, it: ast::EffectDef<'_>) {
        let attrs = self.attrs(Place::Other, it.attrs());
        let Some(name) = it.name() else { return };
        if it.row().is_some() {
            return self.new_alias(name, it.syntax(), it.is_private());
        }
        let lang = attrs.function.lang;
        let clauses = self.adt(name, it.syntax(), AdtKind::Value, it.is_private(), Attrs::default(), lang);
        let effect = self.defs.effects.push(EffectDef { clauses, operations: Vec::new() });
        self.defs.adts[clauses].effect = Some(effect);
        self.declare(name, Def::Adt(clauses), it.is_private());
        let block = self.new_impl(it.syntax(), ImplOrigin::Body(clauses), false);
        let members: Vec<_> = it.items().collect();
        self.methods(block, &members);
        let operations = self.defs.impls[block].methods.clone();
        for (n, &operation) in operations.iter().enumerate() {
            self.operation(effect, operation, &operations[..n], it.is_private());
        }
        self.defs.effects[effect].operations = operations;
    }

    fn operation(
        &mut self,
        effect: EffectId,
        operation: qz_types::FnId,
        before: &[qz_types::FnId],
        private: bool,
    ) {
        let def = &mut self.defs.fns[operation];
        def.operation = Some(effect);
        def.is_private = private;
        let (has_self, name) = (def.self_param.take().is_some(), def.name);
        let span = self.defs.fn_span(operation);
        if has_self {
            self.defs.report(words::operation_self(span));
        }
        // A second one of a name is told with other methods.
        if !before.iter().any(|&it| self.defs.fns[it].name == name) {
            self.declare_fn(operation);
        }
    }

    /// Whether it is the body of an effect: what has no body there is told by handlers.
    pub(super) fn is_effect(&self, container: Container) -> bool {
        let Container::Impl(id) = container else { return false };
        matches!(self.defs.impls[id].origin, ImplOrigin::Body(adt) if self.defs.adts[adt].effect.is_some())
    }
}
