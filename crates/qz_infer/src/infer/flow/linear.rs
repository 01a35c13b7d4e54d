//! Linear values are used exactly once: on every way through a function, each goes on from its name, and none does twice.

use qz_base::{FxHashMap, FxHashSet, Span};
use qz_hir::body::LocalId;
use qz_hir::{AdtKind, TyHead};
use qz_types::{AdtId, Ty, TyKind};

use super::{Event, Graph, Place};
use crate::checker::Checker;
use crate::diagnostics::linear as words;
use crate::infer::Infer;

/// What may have happened to the value of a name.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Value {
    /// It may still be there.
    here: bool,
    /// Where it may have gone.
    gone: Option<Span>,
}

type Values = FxHashMap<LocalId, Value>;

impl Checker<'_> {
    /// Whether values of the type must be used once.
    pub(crate) fn is_linear(&self, ty: Ty) -> bool {
        if !self.defs.has_linear {
            return false;
        }
        match *ty.kind() {
            TyKind::Adt(id, args) => {
                let def = &self.defs.adts[id];
                def.is_linear || (def.kind == AdtKind::Enum && args.iter().any(|&it| self.is_linear(it)))
            }
            TyKind::Tuple(parts) => parts.iter().any(|&it| self.is_linear(it)),
            _ => false,
        }
    }

    /// Whether a linear type is a part of the type, wherever.
    pub(crate) fn mentions_linear(&self, ty: Ty) -> bool {
        self.is_linear(ty)
            || match *ty.kind() {
                TyKind::Adt(_, args) | TyKind::Tuple(args) => args.iter().any(|&it| self.mentions_linear(it)),
                TyKind::Ref(_, to) => self.mentions_linear(to),
                TyKind::Record(fields) | TyKind::OpenRecord(fields, _) => {
                    fields.iter().any(|it| self.mentions_linear(it.1))
                }
                _ => false,
            }
    }

    /// Whether values of the type would hold linear ones without being linear.
    pub(crate) fn hides_linear(&self, ty: Ty) -> bool {
        !self.is_linear(ty) && !matches!(ty.kind(), TyKind::Ref(..)) && self.mentions_linear(ty)
    }

    /// Reports a type that breaks the promise of linear ones.
    pub(crate) fn check_linear_type(&self, id: AdtId) {
        let def = &self.defs.adts[id];
        let at = |range| Span::new(self.defs.file_of(def.module), range);
        if def.is_linear {
            let drops = self
                .defs
                .lang
                .trait_("Drop")
                .and_then(|it| self.defs.impls_for(it, Some(TyHead::Adt(id))).next());
            if let Some(drops) = drops {
                self.defs.report(words::with_drop(
                    at(self.defs.impls[drops].range),
                    def.name,
                    self.defs.adt_span(id),
                ));
            }
            return;
        }
        let fields = self.defs.adt_fields(id);
        let all = fields.variants.iter().flat_map(|it| &it.fields);
        for field in all.filter(|it| self.mentions_linear(it.ty)) {
            self.defs.report(words::field(at(field.range), def.name));
        }
    }
}

impl Infer<'_, '_> {
    /// Reports linear values of this graph that are lost or used twice.
    pub(super) fn check_linear(&mut self, graph: &Graph) {
        let is_move = |it: &Event| matches!(it, Event::Move { .. } | Event::End { .. });
        if !graph.blocks.iter().any(|it| it.events.iter().any(is_move)) {
            return;
        }
        let names: FxHashSet<LocalId> = graph
            .blocks
            .iter()
            .flat_map(|it| &it.events)
            .filter_map(|it| match it {
                Event::Move { local, .. } | Event::End { local, .. } => Some(*local),
                _ => None,
            })
            .collect();
        let step = |at: usize, mut values: Values| {
            graph.blocks[at].events.iter().for_each(|event| apply(event, &names, &mut values));
            values
        };
        let before = graph.solve(Values::default(), step, meet);
        let mut told: FxHashSet<LocalId> = graph.refused.iter().copied().collect();
        // Who uses a value twice in a loop need not hear that it may be lost without a turn.
        for ends in [false, true] {
            for (at, block) in graph.blocks.iter().enumerate() {
                let Some(mut values) = before[at].clone() else { continue };
                for event in &block.events {
                    if matches!(event, Event::End { .. }) == ends {
                        self.look(event, &values, &mut told);
                    }
                    apply(event, &names, &mut values);
                }
            }
        }
    }

    fn look(&mut self, event: &Event, values: &Values, told: &mut FxHashSet<LocalId>) {
        let known = |local: LocalId| values.get(&local).copied().unwrap_or_default();
        let whole = |place: &Place| place.owner().filter(|_| place.path.is_empty());
        let (local, span, is_use) = match event {
            Event::Move { local, span } => (*local, *span, true),
            Event::Read { place, span } | Event::Borrow { place, span, .. } => match place.owner() {
                Some(local) => (local, *span, true),
                None => return,
            },
            Event::Write { place, span } => match whole(place) {
                Some(local) => (local, *span, false),
                None => return,
            },
            Event::End { local, span } => (*local, *span, false),
            Event::Bind { .. } | Event::Open { .. } | Event::Call { .. } | Event::Go { .. } => return,
        };
        let Value { here, gone } = known(local);
        let (name, bound) = (self.body.locals[local].name, self.body.locals[local].span);
        let problem = match (is_use, gone, here) {
            (true, Some(gone), _) => words::used_again(span, name, gone),
            (false, _, true) if matches!(event, Event::Write { .. }) => words::overwritten(span, name, bound),
            (false, gone, true) => words::not_used(bound, name, gone, span),
            _ => return,
        };
        if told.insert(local) {
            self.report(problem);
        }
    }
}

fn apply(event: &Event, names: &FxHashSet<LocalId>, values: &mut Values) {
    let mut set = |local: LocalId, value: Value| {
        if names.contains(&local) {
            values.insert(local, value);
        }
    };
    match event {
        Event::Bind { local } => set(*local, Value { here: true, gone: None }),
        Event::Write { place, .. } if place.path.is_empty() => {
            place.owner().into_iter().for_each(|local| set(local, Value { here: true, gone: None }));
        }
        Event::Move { local, span } => set(*local, Value { here: false, gone: Some(*span) }),
        Event::End { local, .. } => set(*local, Value::default()),
        _ => {}
    }
}

fn meet(known: &mut Values, more: &Values) -> bool {
    let mut is_new = false;
    for (local, value) in more {
        let before = known.entry(*local).or_default();
        let both = Value { here: before.here || value.here, gone: before.gone.or(value.gone) };
        is_new |= both != *before;
        *before = both;
    }
    is_new
}
