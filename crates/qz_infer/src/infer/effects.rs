//! What the type arguments of an effect are: `get()` of `State<S>` means the `S` of the handler around it, or of the
//! row that the function has written, or that of the function's other operations on the same effect.

use qz_hir::body::ExprId;
use qz_types::{FnId, Label, Ty, subst};

use super::Infer;
use super::args::ParamInfo;
use crate::facts::Callee;

impl Infer<'_, '_> {
    /// A call is about to have its arguments checked. Gives how many effects were in force before.
    pub(super) fn enter_handled(
        &mut self,
        id: ExprId,
        function: Option<FnId>,
        params: &[ParamInfo],
    ) -> usize {
        let before = self.st.handled.len();
        let Some(function) = function else { return before };
        let defs = self.ck.defs;
        if defs.effects.is_empty() {
            return before;
        }
        let is_throws = |label: &Label| defs.lang.adt("Throws") == Some(defs.effects[label.effect].clauses);
        let performed = self.labels_of(id, function);
        for label in performed.into_iter().filter(|it| !is_throws(it)) {
            self.tie(label);
        }
        let before = self.st.handled.len();
        let handled = params.iter().flat_map(|param| self.shallow(param.ty).row());
        self.st.handled.extend(handled.copied().collect::<Vec<Label>>());
        if let Some(handled) = self.handled_by_run(function, params) {
            self.st.handled.push(handled);
        }
        before
    }

    /// Its arguments were checked: what is thrown is told by them.
    pub(super) fn leave_handled(&mut self, id: ExprId, function: Option<FnId>, before: usize) {
        self.st.handled.truncate(before);
        if let Some(function) = function
            && self.ck.defs.lang.func("thrown") == Some(function)
        {
            for label in self.labels_of(id, function) {
                self.tie(label);
            }
        }
    }

    /// What a call performs by itself, as far as that is written.
    fn labels_of(&mut self, id: ExprId, function: FnId) -> Vec<Label> {
        let defs = self.ck.defs;
        if let Some(effect) = defs.fns[function].operation {
            let args = self.ck.defs.adt_generics(defs.effects[effect].clauses).identity();
            return vec![self.instance_of(id, Label { effect, args: Ty::list(&args) })];
        }
        let sig = defs.fn_sig(function);
        let labels = sig.can.iter().flat_map(|can| can.labels.iter());
        labels.map(|&label| self.instance_of(id, label)).collect()
    }

    /// A label of the callee's, with the call's type arguments.
    fn instance_of(&self, id: ExprId, label: Label) -> Label {
        let args = match self.st.types.callees.get(id) {
            Some(Callee::Fn(callee)) if !callee.type_args.is_empty() => callee.type_args,
            _ => return label,
        };
        let substituted: Vec<Ty> = label.args.iter().map(|&ty| subst(ty, args)).collect();
        Label { effect: label.effect, args: Ty::list(&substituted) }
    }

    /// `h.run(body)`: the effect that `h` handles.
    fn handled_by_run(&self, function: FnId, params: &[ParamInfo]) -> Option<Label> {
        let handler = self.shallow(params.first()?.ty);
        if self.ck.defs.fns[function].name.as_str() != "run" {
            return None;
        }
        let args = self.as_lang(handler, "Handler").or_else(|| self.as_lang(handler, "AnswerHandler"))?;
        let (adt, args) = self.shallow(*args.first()?).as_adt()?;
        Some(Label { effect: self.ck.defs.adts[adt].effect?, args })
    }

    /// Makes an effect's arguments those of the same effect around, the innermost that fits.
    fn tie(&mut self, label: Label) {
        if label.args.is_empty() {
            return;
        }
        let around: Vec<Label> =
            self.st.handled.iter().rev().filter(|it| it.effect == label.effect).copied().collect();
        for other in around {
            let at = self.s.table.snapshot();
            match self.s.table.unify_lists(label.args, other.args) {
                Ok(()) => return self.s.table.commit(at),
                Err(_) => self.s.table.rollback(at),
            }
        }
        // What this function does further on is about the same one.
        self.st.handled.insert(0, label);
    }
}
