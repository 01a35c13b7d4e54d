//! Many readers or one writer: what is lent is not changed by others while the borrow is in use. A borrow is in use from
//! where it was made to its last use, as in non-lexical lifetimes (Matsakis, RFC 2094), but without regions: borrows are
//! arguments and names only, so that what a name has borrowed can be followed through the graph.
//!
//! An argument that is lent to be changed is not changed before the call, so that arguments behind it may read it: the
//! two phases of RFC 2025.

use std::collections::BTreeSet;

use qz_base::{FxHashMap, FxHashSet, Span};

use super::{Block, Event, Graph, Holder, Place, Root};
use crate::diagnostics::borrows as words;
use crate::infer::Infer;

/// A place that someone has borrowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Loan {
    place: Place,
    holder: Holder,
    mutable: bool,
    /// Where it was lent.
    span: Span,
}

type Loans = BTreeSet<Loan>;
type Live = FxHashSet<Holder>;

impl Infer<'_, '_> {
    /// Reports borrows of this graph that get into each other's way.
    pub(super) fn check_borrows(&mut self, graph: &Graph) {
        let is_borrow = |it: &Event| matches!(it, Event::Borrow { .. });
        if !graph.blocks.iter().any(|it| it.events.iter().any(is_borrow)) {
            return;
        }
        let live = live_after(graph);
        let mut conflicts = Conflicts::default();
        let step = |at: usize, mut loans: Loans| {
            for (event, live) in graph.blocks[at].events.iter().zip(&live[at]) {
                apply(event, &mut loans, live);
            }
            loans
        };
        let meet = |known: &mut Loans, more: &Loans| {
            let before = known.len();
            known.extend(more.iter().cloned());
            known.len() > before
        };
        let before = graph.solve(Loans::new(), step, meet);
        for (at, block) in graph.blocks.iter().enumerate() {
            let Some(mut loans) = before[at].clone() else { continue };
            for (event, live) in block.events.iter().zip(&live[at]) {
                conflicts.look(event, &loans, live);
                apply(event, &mut loans, live);
            }
        }
        conflicts.found.sort_by_key(|it| (it.span.file, it.span.range.start, it.loan.span.range.start));
        conflicts.found.iter().for_each(|it| self.report_conflict(it));
    }

    fn report_conflict(&mut self, it: &Conflict) {
        let name = self.place_words(it);
        let holder = match it.loan.holder {
            Holder::Local(local) => Some(self.body.locals[local].name),
            Holder::Call(_) => None,
        };
        let facts =
            words::BorrowFacts { name, holder, span: it.span, lent: it.loan.span, mutable: it.loan.mutable };
        self.report(match it.access {
            Access::Exclusive if it.loan.mutable => words::second_borrow(&facts),
            Access::Exclusive | Access::Shared => {
                words::shared_and_exclusive(&facts, it.access == Access::Shared)
            }
            Access::Read => words::read_while_changed(&facts),
            Access::Write => words::changed_while_lent(&facts),
            Access::Go => words::gone_while_lent(&facts),
        });
    }

    /// The place as it is written where it was lent, or its name.
    fn place_words(&self, it: &Conflict) -> String {
        let text = &self.ck.defs.files[&it.loan.span.file].text;
        let range = it.loan.span.range;
        let written = text.get(range.start as usize..range.end as usize).unwrap_or_default();
        let written = written.trim_start_matches('&').trim_start_matches("mut ").trim();
        let is_plain = |c: char| c.is_alphanumeric() || "_.[]\"' ".contains(c);
        if !written.is_empty() && written.len() < 40 && written.chars().all(is_plain) {
            return written.to_owned();
        }
        match it.loan.place.root {
            Root::Local(local) => self.body.locals[local].name.to_string(),
            Root::Static(var) => self.ck.defs.statics[var].name.to_string(),
        }
    }
}

/// What the event does to a place.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Access {
    Read,
    Write,
    Go,
    Shared,
    Exclusive,
}

struct Conflict {
    access: Access,
    span: Span,
    loan: Loan,
}

#[derive(Default)]
struct Conflicts {
    found: Vec<Conflict>,
    told: FxHashSet<Span>,
}

impl Conflicts {
    /// `live`: who uses a borrow after the event.
    fn look(&mut self, event: &Event, loans: &Loans, live: &Live) {
        let (place, access, span, for_call) = match event {
            Event::Read { place, span } => (place, Access::Read, *span, None),
            Event::Write { place, span } => (place, Access::Write, *span, None),
            Event::Go { place, span } => (place, Access::Go, *span, None),
            Event::Borrow { place, mutable, holder, span } => {
                let access = if *mutable { Access::Exclusive } else { Access::Shared };
                let call = if let Holder::Call(call) = holder { Some(*call) } else { None };
                (place, access, *span, call)
            }
            _ => return,
        };
        let conflict = loans.iter().find(|loan| {
            let waits = match loan.holder {
                // Until the call is made, what it is to change may be read.
                Holder::Call(call) => for_call != Some(call),
                Holder::Local(_) => false,
            };
            let clashes = match access {
                Access::Write | Access::Go | Access::Exclusive => true,
                Access::Read | Access::Shared => loan.mutable && !waits,
            };
            clashes && live.contains(&loan.holder) && loan.place.overlaps(place)
        });
        if let Some(loan) = conflict
            && self.told.insert(span)
        {
            self.found.push(Conflict { access, span, loan: loan.clone() });
        }
    }
}

/// What is lent after an event; borrows that nobody uses any more are none.
fn apply(event: &Event, loans: &mut Loans, live: &Live) {
    match event {
        Event::Bind { local } => loans.retain(|it| it.holder != Holder::Local(*local)),
        Event::Call { call } => loans.retain(|it| it.holder != Holder::Call(*call)),
        Event::Borrow { place, mutable, holder, span } => {
            // What is borrowed from a borrow is borrowed from its owner, too.
            let from = place.owner().map(Holder::Local);
            let inherited = loans.iter().filter(|it| Some(it.holder) == from);
            let more: Vec<Loan> = inherited
                .map(|it| Loan {
                    holder: *holder,
                    mutable: it.mutable && *mutable,
                    span: *span,
                    place: it.place.clone(),
                })
                .collect();
            loans.insert(Loan { place: place.clone(), holder: *holder, mutable: *mutable, span: *span });
            loans.extend(more);
        }
        _ => {}
    }
    loans.retain(|it| live.contains(&it.holder));
}

/// Who uses a borrow behind each event.
fn live_after(graph: &Graph) -> Vec<Vec<Live>> {
    let holders = graph.blocks.iter().flat_map(|it| &it.events).filter_map(|it| match it {
        Event::Borrow { holder, .. } => Some(*holder),
        _ => None,
    });
    let holders: Live = holders.collect();
    let mut comes_from: Vec<Vec<usize>> = vec![Vec::new(); graph.blocks.len()];
    for (at, block) in graph.blocks.iter().enumerate() {
        block.next.iter().for_each(|&next| comes_from[next].push(at));
    }
    let mut at_start: FxHashMap<usize, Live> = FxHashMap::default();
    let at_end = |block: &Block, at_start: &FxHashMap<usize, Live>| {
        let mut live = Live::default();
        block.next.iter().filter_map(|it| at_start.get(it)).for_each(|it| live.extend(it));
        live
    };
    let mut work: Vec<usize> = (0..graph.blocks.len()).collect();
    while let Some(at) = work.pop() {
        let block = &graph.blocks[at];
        let mut live = at_end(block, &at_start);
        block.events.iter().rev().for_each(|event| unapply(event, &mut live, &holders));
        let known = at_start.entry(at).or_default();
        if live.len() > known.len() {
            *known = live;
            work.extend(&comes_from[at]);
        }
    }
    let after = |block: &Block| {
        let mut live = at_end(block, &at_start);
        let mut all: Vec<Live> = Vec::with_capacity(block.events.len());
        for event in block.events.iter().rev() {
            all.push(live.clone());
            unapply(event, &mut live, &holders);
        }
        all.reverse();
        all
    };
    graph.blocks.iter().map(after).collect()
}

/// From what is live behind an event to what is live before it.
fn unapply(event: &Event, live: &mut Live, holders: &Live) {
    let mut uses =
        |place: &Place| live.extend(place.owner().map(Holder::Local).filter(|it| holders.contains(it)));
    match event {
        Event::Read { place, .. }
        | Event::Write { place, .. }
        | Event::Go { place, .. }
        | Event::Borrow { place, .. } => uses(place),
        Event::Call { call } => {
            live.insert(Holder::Call(*call));
        }
        Event::Open { call } => {
            live.remove(&Holder::Call(*call));
        }
        Event::Bind { local } => {
            live.remove(&Holder::Local(*local));
        }
        Event::Move { .. } | Event::End { .. } => {}
    }
}
