//! What the type arguments of an effect are: `get()` of `State<S>` means the `S` of the handler around it, or of the
//! row that the function has written, or that of the function's other operations on the same effect.

use qz_base::Span;
use qz_hir::Generics;
use qz_hir::body::ExprId;
use qz_types::ty::common;
use qz_types::{FnId, Label, Row, TraitRef, Ty, TyKind, subst};

use super::Infer;
use super::args::ParamInfo;
use crate::facts::Callee;
use crate::traits::Obligation;

/// What a call was found to be about, before its arguments are looked at.
pub(super) struct Entered {
    /// How many effects were in force.
    before: usize,
    /// Several effects of one name fit: the arguments tell which one is meant.
    is_open: bool,
}

impl Infer<'_, '_> {
    /// A call is about to have its arguments checked.
    pub(super) fn enter_handled(
        &mut self,
        id: ExprId,
        function: Option<FnId>,
        params: &[ParamInfo],
    ) -> Entered {
        let mut entered = Entered { before: self.st.handled.len(), is_open: false };
        let wanted = self.st.wanted.take();
        let Some(function) = function else { return entered };
        let defs = self.ck.defs;
        if defs.effects.is_empty() {
            return entered;
        }
        let is_throws = |label: &Label| defs.lang.adt("Throws") == Some(label.effect);
        let performed = self.labels_of(id, function);
        for label in performed.into_iter().filter(|it| !is_throws(it)) {
            match &self.fitting(label)[..] {
                [_, _, ..] => entered.is_open |= !self.tie_by_result(label, wanted),
                _ => self.tie(label),
            }
        }
        entered.before = self.st.handled.len();
        let handled = params.iter().flat_map(|param| self.shallow(param.ty).row().labels);
        self.st.handled.extend(handled.copied().collect::<Vec<Label>>());
        if let Some(handled) = self.handled_by_run(function, params) {
            self.st.handled.push(handled);
        }
        entered
    }

    /// Type arguments for rows are among these.
    pub(super) fn note_rows(&mut self, generics: &Generics, args: &[Ty]) {
        let Some(any) = self.ck.defs.lang.trait_("AnyEffects") else { return };
        for pred in generics.preds.iter().filter(|it| it.trait_ref.trait_id == any) {
            self.st.rows.push(subst(pred.ty, args));
        }
    }

    /// What stands for a row is one, for callers as well.
    pub(super) fn require_effects(&mut self, row: Ty, span: Span) {
        if let Some(trait_id) = self.ck.defs.lang.trait_("AnyEffects") {
            let bound = TraitRef { trait_id, args: &[] };
            self.st.obligations.push(Obligation::trait_(row, bound, span));
        }
    }

    /// A function whose type says what it can comes to where a row is open.
    pub(super) fn learn_row(&mut self, found: Row, wanted: Row) {
        if found.is_empty() {
            return;
        }
        let open = wanted.open().into_iter().map(|it| self.shallow(it));
        if let [var] = open.collect::<Vec<_>>()[..]
            && var.is_infer()
        {
            let others = found.parts().filter(|&it| !wanted.labels.iter().any(|label| label.ty() == it));
            let others = Row::of(others.collect::<Vec<_>>()).as_arg();
            let _ = self.s.table.unify(var, others);
        }
    }

    /// A row of which nothing is said is that of a function that is looked into, or of none.
    pub(super) fn settle_rows(&mut self, open: &[u32]) {
        for row in std::mem::take(&mut self.st.rows) {
            let row = self.shallow(row);
            if matches!(row.kind(), TyKind::Infer(var) if !open.contains(&var.index)) {
                let _ = self.s.table.unify(row, common().unit);
            }
        }
        self.solve(true);
    }

    /// Its arguments were checked: what is thrown is told by them, and which of several effects of one name is meant.
    pub(super) fn leave_handled(&mut self, id: ExprId, function: Option<FnId>, entered: Entered) {
        self.st.handled.truncate(entered.before);
        if let Some(function) = function
            && (entered.is_open || self.ck.defs.lang.func("thrown") == Some(function))
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
            let effect = defs.effects[effect].clauses;
            let args = self.ck.defs.adt_generics(effect).identity();
            return vec![self.instance_of(id, Label { effect, args: Ty::list(&args) })];
        }
        let sig = defs.fn_sig(function);
        let labels = sig.can.iter().flat_map(|can| can.row.labels.iter());
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
        self.ck.defs.adts[adt].effect?;
        Some(Label { effect: adt, args })
    }

    /// Makes an effect's arguments those of the same effect around, the innermost that fits.
    fn tie(&mut self, label: Label) {
        if label.args.is_empty() {
            return;
        }
        match self.fitting(label).first() {
            Some(other) => {
                let _ = self.s.table.unify_lists(label.args, other.args);
            }
            // What this function does further on is about the same one.
            None => self.st.handled.insert(0, label),
        }
    }

    /// Of several of one effect, the innermost one that gives what is wanted. If nothing tells, arguments may.
    fn tie_by_result(&mut self, label: Label, wanted: Option<(Ty, Ty)>) -> bool {
        let Some((result, hint)) = wanted else { return false };
        for other in self.fitting(label) {
            let at = self.s.table.snapshot();
            let tied = self.s.table.unify_lists(label.args, other.args);
            match tied.and_then(|()| self.s.table.unify(result, hint)) {
                Ok(()) => {
                    self.s.table.commit(at);
                    return true;
                }
                Err(_) => self.s.table.rollback(at),
            }
        }
        false
    }

    /// The same effect around, with arguments that can be these: the innermost first, each once.
    fn fitting(&mut self, label: Label) -> Vec<Label> {
        let mut fitting: Vec<Label> = Vec::new();
        if label.args.is_empty() {
            return fitting;
        }
        for at in (0..self.st.handled.len()).rev() {
            let other = self.st.handled[at];
            if other.effect != label.effect {
                continue;
            }
            let args: Vec<Ty> = other.args.iter().map(|&ty| self.resolve(ty)).collect();
            let other = Label { effect: other.effect, args: Ty::list(&args) };
            let before = self.s.table.snapshot();
            let fits = self.s.table.unify_lists(label.args, other.args).is_ok();
            self.s.table.rollback(before);
            if fits && !fitting.contains(&other) {
                fitting.push(other);
            }
        }
        fitting
    }
}
