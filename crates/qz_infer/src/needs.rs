//! What a function asks of those who choose its types and give it functions, since it hands them to other tasks: that
//! a type has `Send` or `Share`, that a function captured nothing that must stay.
//!
//! Nobody writes it: each body leaves notes of what it hands over and whom it calls ([`Notes`]), and a function needs what
//! its notes say and what the functions need that it calls, a least fixed point. It is asked of each call, in the terms
//! of that call, where it becomes a need of the caller or holds or does not. A bound that is written has been checked
//! before, so it is no need. The library's functions write theirs, or say so by an attribute.

mod report;

use std::sync::Arc;

use qz_base::{FxHashMap, FxHashSet, Name, Span};
use qz_types::{FnId, InferTable, Ty, TyFlags, Tys, subst};

use crate::checker::Checker;
use crate::traits::{Asked, Marker, TraitCx};

/// What is asked.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum What {
    /// Of a type.
    Type(Ty, Marker),
    /// Of the function that is this parameter: of all that it captured.
    Function(u32, Marker),
}

/// Something that is asked, and where that comes from.
#[derive(Clone, Debug)]
pub(crate) struct Need {
    pub(crate) what: What,
    pub(crate) span: Span,
    /// What is called there, and which of its needs it is. Nothing where it goes to another task.
    via: Option<(FnId, What)>,
}

/// What a body hands over, and the calls that may.
#[derive(Default, Debug)]
pub(crate) struct Notes {
    pub(crate) needs: Vec<Need>,
    pub(crate) calls: Vec<CallNote>,
    pub(crate) used_again: Vec<UsedAgain>,
}

/// The name of a lambda that is used after a function got it, which is wrong if that hands it to a task.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct UsedAgain {
    pub(crate) name: Name,
    pub(crate) span: Span,
    pub(crate) function: FnId,
    pub(crate) param: u32,
    /// Where the function got it.
    pub(crate) went: Span,
}

/// A call of a function that may need something of its types or of functions that it is given.
#[derive(Debug)]
pub(crate) struct CallNote {
    pub(crate) function: FnId,
    pub(crate) type_args: Tys,
    pub(crate) span: Span,
    /// Functions among the arguments, by parameter.
    pub(crate) given: Vec<(u32, Vec<Given>)>,
}

/// What is known of a function value.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    /// It is a parameter of the function at hand.
    Param(u32),
    /// It captured this.
    Captured(Capture),
}

#[derive(Clone, Debug)]
pub(crate) struct Capture {
    pub(crate) name: Name,
    pub(crate) ty: Ty,
    pub(crate) is_var: bool,
    /// Where it is used.
    pub(crate) span: Span,
}

/// What a call has for a need: a type, or what a function captured.
struct Offer {
    ty: Ty,
    span: Span,
    capture: Option<Name>,
}

/// What needs came to at a call.
#[derive(Default)]
struct Met {
    /// What the caller needs because of it.
    needs: Vec<Need>,
    unmet: Vec<Unmet>,
}

/// A need of a function that is called, and what does not meet it.
struct Unmet {
    offer: Offer,
    /// The part of the type that is to blame; nothing for a captured `var`.
    part: Option<Ty>,
    marker: Marker,
    call: Span,
    callee: FnId,
    what: What,
}

/// No function needs more; what grows further is a type that never ends, as of a recursive call with other types.
const MOST: usize = 64;

impl Need {
    pub(crate) fn here(what: What, span: Span) -> Need {
        Need { what, span, via: None }
    }

    /// What the caller needs because a function that it calls does.
    fn of_caller(&self, call: &CallNote, what: What) -> Need {
        Need { what, span: call.span, via: Some((call.function, self.what.clone())) }
    }

    fn unmet(&self, call: &CallNote, offer: Offer, part: Option<Ty>) -> Unmet {
        let (marker, what) = (self.what.marker(), self.what.clone());
        Unmet { offer, part, marker, call: call.span, callee: call.function, what }
    }
}

impl What {
    fn marker(&self) -> Marker {
        match *self {
            What::Type(_, marker) | What::Function(_, marker) => marker,
        }
    }
}

/// Whether the caller's bounds and impls give a type the marker; what they leave open becomes needs.
fn ask(ck: &Checker<'_>, caller: FnId, ty: Ty, marker: Marker) -> Result<Vec<Asked>, Ty> {
    let scheme = ck.scheme(caller);
    let preds = &scheme.generics.preds;
    let mut table = InferTable::new();
    let mut asked = vec![(ty, marker)];
    let mut open: Vec<Asked> = Vec::new();
    // Hidden types are looked into, as when generics are instantiated.
    for _ in 0..MOST {
        let Some((ty, marker)) = asked.pop() else { break };
        let ty = ck.normalize_with(&mut table, preds, ty);
        let mut left = Vec::new();
        if let Some(part) = (TraitCx { ck, table: &mut table, preds }).unfit_part(ty, marker, &mut left) {
            return Err(part);
        }
        for it in left {
            match ck.looked_into(it.0) {
                Some(ty) => asked.push((ty, it.1)),
                None if open.contains(&it) => {}
                None => open.push(it),
            }
        }
    }
    Ok(open)
}

impl Checker<'_> {
    /// What stands behind a hidden type, if a function's body tells.
    fn looked_into(&self, ty: Ty) -> Option<Ty> {
        let qz_types::TyKind::Opaque(owner, n, args) = *ty.kind() else { return None };
        let in_trait = matches!(self.defs.fns[owner].container, qz_hir::Container::Trait(_));
        (!in_trait).then(|| subst(self.check_fn(owner).hidden[n as usize], args))
    }

    /// What a function asks of those who call it.
    pub(crate) fn needs(&self, id: FnId) -> Arc<[Need]> {
        if let Some(known) = self.needs.borrow().get(&id) {
            return known.clone();
        }
        let found = self.fixed_point(self.unknown_callees(id));
        self.needs.borrow_mut().extend(found);
        self.needs.borrow()[&id].clone()
    }

    /// Whether a function hands a function that it is given to another task, though it is none of those that say so.
    pub fn hands_on(&self, id: FnId) -> bool {
        let takes_function = |ty: &Ty| ty.as_fn().is_some();
        self.scheme(id).params.iter().any(takes_function)
            && self.needs(id).iter().any(|it| matches!(it.what, What::Function(_, Marker::Send)))
    }

    /// The function and all that it calls whose needs are not known, callees mostly first, each with its notes.
    fn unknown_callees(&self, id: FnId) -> Vec<(FnId, Arc<Notes>)> {
        let (mut order, mut seen, mut work) = (Vec::new(), FxHashSet::default(), vec![id]);
        while let Some(id) = work.pop() {
            if self.needs.borrow().contains_key(&id) || !seen.insert(id) {
                continue;
            }
            let notes = self.notes(id);
            work.extend(notes.calls.iter().map(|it| it.function));
            order.push((id, notes));
        }
        order.reverse();
        order
    }

    fn fixed_point(&self, functions: Vec<(FnId, Arc<Notes>)>) -> FxHashMap<FnId, Arc<[Need]>> {
        let numbers: FxHashMap<FnId, usize> = functions.iter().enumerate().map(|(n, it)| (it.0, n)).collect();
        let mut callers: Vec<Vec<usize>> = vec![Vec::new(); functions.len()];
        for (n, (_, notes)) in functions.iter().enumerate() {
            let called = notes.calls.iter().filter_map(|it| numbers.get(&it.function));
            called.for_each(|&callee| callers[callee].push(n));
        }
        let mut found: Vec<Vec<Need>> = functions.iter().map(|it| it.1.needs.clone()).collect();
        let mut work: std::collections::VecDeque<usize> = (0..functions.len()).collect();
        let mut waits = vec![true; functions.len()];
        while let Some(n) = work.pop_front() {
            waits[n] = false;
            let (id, notes) = &functions[n];
            let before = found[n].len();
            for call in &notes.calls {
                let of_callee = match numbers.get(&call.function) {
                    Some(&callee) => found[callee].clone(),
                    None => self.needs(call.function).to_vec(),
                };
                for need in self.meet(*id, call, &of_callee).needs {
                    if found[n].len() < MOST && found[n].iter().all(|it| it.what != need.what) {
                        found[n].push(need);
                    }
                }
            }
            if found[n].len() > before {
                for &caller in &callers[n] {
                    if !std::mem::replace(&mut waits[caller], true) {
                        work.push_back(caller);
                    }
                }
            }
        }
        functions.into_iter().map(|it| it.0).zip(found.into_iter().map(Into::into)).collect()
    }

    /// What the needs of a callee come to at a call.
    fn meet(&self, caller: FnId, call: &CallNote, needs: &[Need]) -> Met {
        let mut met = Met::default();
        for need in needs {
            match need.what {
                What::Type(ty, _) => {
                    let ty = subst(ty, call.type_args);
                    // A function value is looked at when it goes: what it captured is not told by its type.
                    if ty.as_fn().is_none() {
                        let offer = Offer { ty, span: call.span, capture: None };
                        self.meet_type(caller, call, need, offer, &mut met);
                    }
                }
                What::Function(param, marker) => {
                    for given in call.given.iter().filter(|it| it.0 == param).flat_map(|it| &it.1) {
                        match given {
                            Given::Param(index) => {
                                met.needs.push(need.of_caller(call, What::Function(*index, marker)));
                            }
                            Given::Captured(it) => self.meet_capture(caller, call, need, it, &mut met),
                        }
                    }
                }
            }
        }
        met
    }

    fn meet_capture(&self, caller: FnId, call: &CallNote, need: &Need, it: &Capture, met: &mut Met) {
        let offer = Offer { ty: it.ty, span: it.span, capture: Some(it.name) };
        if it.is_var {
            met.unmet.push(need.unmet(call, offer, None));
        } else {
            self.meet_type(caller, call, need, offer, met);
        }
    }

    fn meet_type(&self, caller: FnId, call: &CallNote, need: &Need, offer: Offer, met: &mut Met) {
        if offer.ty.has(TyFlags::ERROR) {
            return;
        }
        match ask(self, caller, offer.ty, need.what.marker()) {
            Ok(open) => {
                let needs = open.into_iter().map(|(ty, marker)| What::Type(ty, marker));
                met.needs.extend(needs.map(|what| need.of_caller(call, what)));
            }
            Err(part) => met.unmet.push(need.unmet(call, offer, Some(part))),
        }
    }

    /// What a body left; a library's function says itself what it asks.
    fn notes(&self, id: FnId) -> Arc<Notes> {
        let def = &self.defs.fns[id];
        if !def.has_body {
            return Arc::default();
        }
        if self.defs.modules[def.module].is_std {
            return Arc::new(Notes { needs: self.declared_needs(id), ..Notes::default() });
        }
        self.body_notes(id)
    }

    pub(crate) fn body_notes(&self, id: FnId) -> Arc<Notes> {
        if let Some(known) = self.notes.borrow().get(&id) {
            return known.clone();
        }
        self.check_fn(id);
        self.notes.borrow().get(&id).cloned().unwrap_or_default()
    }

    /// What the attributes of a function of the library say of what it is given. What else it asks of types is written
    /// as bounds.
    fn declared_needs(&self, id: FnId) -> Vec<Need> {
        let def = &self.defs.fns[id];
        let marker = if def.attrs.shares { Marker::Share } else { Marker::Send };
        let sig = self.defs.fn_sig(id);
        let first = usize::from(def.self_param.is_some());
        let asked = sig.params.iter().enumerate().skip(first).filter_map(|(n, param)| match param.ty? {
            ty if ty.as_fn().is_some() => Some(What::Function(n as u32, marker)),
            ty => def.crosses().then_some(What::Type(ty, marker)),
        });
        let needs = asked.filter(|_| def.attrs.shares || def.crosses());
        needs.map(|what| Need::here(what, self.defs.fn_span(id))).collect()
    }
}
