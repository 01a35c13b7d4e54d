//! What functions need, and calls do not give.

use qz_base::Name;
use qz_diag::Diagnostic;
use qz_hir::{Container, ModuleId};
use qz_types::{FnId, Ty};

use super::{Unmet, What};
use crate::checker::Checker;
use crate::diagnostics::{self as words, NotSend, NotSendFacts, Unwritten, Way};
use crate::traits::Marker;

impl Checker<'_> {
    /// Reports what the bodies of these modules hand over that must stay.
    pub(crate) fn check_needs(&self, modules: &dyn Fn(ModuleId) -> bool) {
        for (id, def) in self.defs.fns.iter() {
            if !modules(def.module) || !def.has_body {
                continue;
            }
            let notes = self.body_notes(id);
            for call in &notes.calls {
                for unmet in self.meet(id, call, &self.needs(call.function)).unmet {
                    self.defs.report(self.unmet_need(&unmet));
                }
            }
            for it in &notes.used_again {
                let what = What::Function(it.param, Marker::Send);
                let is_own = !self.defs.modules[self.defs.fns[it.function].module].is_std;
                if is_own && self.needs(it.function).iter().any(|need| need.what == what) {
                    self.defs.report(words::used_after_crossing(it.span, it.name, it.went, true));
                }
            }
            if let Some(place) = self.must_write(id) {
                self.check_unwritten(id, place);
            }
        }
    }

    /// What a function asks has to be written where callers do not see its body.
    fn must_write(&self, id: FnId) -> Option<Unwritten> {
        let def = &self.defs.fns[id];
        match def.container {
            Container::Impl(block) if self.defs.impl_header(block).trait_ref.is_some() => {
                Some(Unwritten::Impl)
            }
            Container::Trait(_) => Some(Unwritten::Trait),
            _ if self.defs.modules[def.module].is_std && !def.crosses() && !def.attrs.shares => {
                Some(Unwritten::Library)
            }
            _ => None,
        }
    }

    fn check_unwritten(&self, id: FnId, place: Unwritten) {
        let notes = self.body_notes(id);
        let of_calls =
            notes.calls.iter().flat_map(|call| self.meet(id, call, &self.needs(call.function)).needs);
        for need in notes.needs.iter().cloned().chain(of_calls) {
            match need.what {
                What::Type(ty, marker) => {
                    let ty = self.show_type(ty);
                    self.defs.report(words::unwritten_need(need.span, &ty, marker.role(), place));
                }
                What::Function(..) if matches!(place, Unwritten::Library) => {
                    self.defs.report(words::unsaid_need(need.span));
                }
                // Where the type of a function tells nothing, it is looked at when it goes.
                What::Function(..) => {}
            }
        }
    }

    fn show_type(&self, ty: Ty) -> String {
        ty.display(self.defs).to_string()
    }

    fn unmet_need(&self, unmet: &Unmet) -> Diagnostic {
        let way = self.way(unmet.callee, &unmet.what);
        let offer = &unmet.offer;
        let Some(part) = unmet.part else {
            let name = offer.capture.expect("only captured names are variables");
            return words::captured_var_on_the_way(offer.span, name, unmet.call, &way);
        };
        let facts = NotSendFacts {
            what: offer.capture.map_or(words::Crosses::Value, words::Crosses::Name),
            ty: self.show_type(offer.ty),
            part: (part != offer.ty).then(|| self.show_type(part)),
            why: NotSend::of(part),
        };
        match (unmet.marker, offer.capture) {
            (Marker::Send, _) => words::handed_on(offer.span, &facts, &way),
            (Marker::Share, Some(name)) => {
                words::unshared_capture(offer.span, name, &facts, unmet.call, &way)
            }
            (Marker::Share, None) => words::not_share(offer.span, &facts, &way),
        }
    }

    /// How what a function needs comes to where it is needed.
    fn way(&self, callee: FnId, what: &What) -> Way {
        let (mut at, mut names, mut end) = ((callee, what.clone()), Vec::<Name>::new(), None);
        let mut seen: Vec<(FnId, What)> = Vec::new();
        while !seen.contains(&at) {
            let def = &self.defs.fns[at.0];
            names.push(def.name);
            if self.defs.modules[def.module].is_std {
                break;
            }
            let needs = self.needs(at.0);
            let Some(need) = needs.iter().find(|it| it.what == at.1) else { break };
            end = Some(need.span);
            let Some(via) = need.via.clone() else { break };
            seen.push(std::mem::replace(&mut at, via));
        }
        Way { names, end }
    }
}
