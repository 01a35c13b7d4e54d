//! Meeting bounds: obligations are tried until nothing moves.

use qz_base::Name;
use qz_types::{TraitRef, Ty, TyFlags};

use super::Infer;
use crate::diagnostics as words;
use crate::traits::{Goal, Obligation, Outcome};

impl Infer<'_, '_> {
    /// Tries all obligations and waiting calls until nothing changes. With `last`, ambiguous ones stay for
    /// the caller.
    pub(super) fn solve(&mut self, last: bool) {
        loop {
            let mut progress = false;
            let mut open = Vec::new();
            let mut work = std::mem::take(&mut self.st.obligations);
            while let Some(obligation) = work.pop() {
                match self.traits().solve(&obligation) {
                    Outcome::Holds(nested) => {
                        progress = true;
                        work.extend(nested.into_iter().map(|goal| obligation.nested(goal)));
                    }
                    Outcome::Open { progress: moved } => {
                        progress |= moved;
                        open.push(obligation);
                    }
                    Outcome::Fails => {
                        progress = true;
                        if !self.left_to_callers(&obligation) {
                            self.unmet(&obligation);
                        }
                    }
                }
            }
            open.reverse();
            open.append(&mut self.st.obligations);
            self.st.obligations = open;
            progress |= self.try_pending();
            if !progress {
                break;
            }
        }
        let _ = last;
    }

    /// What keeps a `dyn` that has a trait from being taken by generic code that asks for it.
    fn missing_in_dyn(&mut self, ty: Ty, bound: TraitRef) -> Option<(Name, &'static str)> {
        if !matches!(ty.kind(), qz_types::TyKind::Dyn(_))
            || self.traits().bounds_of(ty, bound.trait_id).is_empty()
        {
            return None;
        }
        let methods = &self.ck.defs.traits[bound.trait_id].methods;
        methods.iter().find_map(|&it| Some((self.ck.defs.fns[it].name, self.ck.dyn_obstacle(it)?)))
    }

    /// A bound that cannot hold.
    pub(super) fn unmet(&mut self, obligation: &Obligation) {
        self.st.failed = true;
        match &obligation.goal {
            Goal::Trait { ty, bound, .. } => {
                let ty = self.resolve(*ty);
                if ty.has(TyFlags::ERROR)
                    || self.s.table.resolve_list(bound.args).iter().any(|a| a.has(TyFlags::ERROR))
                {
                    return;
                }
                let part = self.traits().missing_part(ty, *bound);
                let facts = words::UnmetFacts {
                    ty: self.show(ty),
                    bound: self.show_bound(*bound),
                    role: self.ck.defs.traits[bound.trait_id].lang,
                    part: part.filter(|&part| part != ty).map(|part| self.show(part)),
                    is_fn: matches!(part.unwrap_or(ty).kind(), qz_types::TyKind::Fn(_)),
                    asked_by: obligation
                        .asked_by
                        .map(|f| (self.ck.defs.fns[f].name, self.ck.defs.fn_span(f))),
                    is_key: obligation.is_key,
                    lacks: (self.ck.defs.lang.trait_("Lacks") == Some(bound.trait_id))
                        .then(|| self.resolve(bound.args[0]).known_fields())
                        .flatten()
                        .map(|fields| fields.iter().map(|it| it.0).collect()),
                    dyn_lacks: self.missing_in_dyn(ty, *bound),
                };
                self.report(words::unmet_bound(obligation.span, &facts));
            }
            Goal::Projection { assoc, var } => {
                let (wanted, name) = (self.show(*var), assoc.name);
                let base = self.show(assoc.args[0]);
                if base != "?" && wanted != "?" {
                    self.report(words::unmet_projection(obligation.span, &base, name, &wanted));
                }
            }
        }
    }

    pub(super) fn show_bound(&self, bound: qz_types::TraitRef) -> String {
        let name = self.ck.defs.traits[bound.trait_id].name;
        if bound.args.is_empty() {
            return name.to_string();
        }
        let args: Vec<String> = bound.args.iter().map(|&it| self.show(it)).collect();
        format!("{name}<{}>", args.join(", "))
    }
}
