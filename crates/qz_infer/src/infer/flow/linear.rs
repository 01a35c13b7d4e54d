//! Linear values are used exactly once: on every way through a function, each goes on from its name, and none does twice.

use qz_base::{FxHashMap, FxHashSet, Span};
use qz_hir::body::LocalId;

use super::{Event, Graph, Place};
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
