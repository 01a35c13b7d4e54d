//! Waiting for one of several channels.
//!
//! Who is willing to wait first tries each channel under its own lock: most selects find one at once. If none was ready,
//! all channels are locked, in the order of their addresses, while each is tried again and while the fiber enters their
//! queues, so that exactly one operation happens. As in Go's runtime.

use crate::channel::{Channel, Side, Step};
use crate::queue::{Node, Woken};
use crate::wait::{Generation, Outcome, WaitCell};
use smallvec::SmallVec;

/// One channel of a select. Laid out for generated code.
#[repr(C)]
#[derive(Copy, Clone, Debug)]
pub struct Case {
    pub channel: *const Channel,
    /// 0 receive, 1 send.
    pub side: u64,
    /// Where the value is taken from or put.
    pub slot: *mut u8,
    /// The caller's own.
    pub number: u64,
}

impl Case {
    fn side(&self) -> Side {
        if self.side == 0 { Side::Receive } else { Side::Send }
    }
}

/// Cases of most selects, at most.
const USUAL: usize = 8;

/// What came of the first look.
#[derive(Debug)]
pub enum Chosen {
    /// A case happened, or found its channel closed.
    Case(Outcome, Option<Woken>),
    /// None can happen now.
    None,
}

/// The channels of a select, each once, by address.
#[derive(Debug)]
pub struct Select<'a> {
    cases: &'a [Case],
    order: SmallVec<[*const Channel; USUAL]>,
    nodes: SmallVec<[Node; USUAL]>,
}

/// Tries each case under the lock of its channel alone, beginning at case `start`. That none happened says nothing of a
/// common moment: for those who go on to [`Select::attempt`].
///
/// # Safety
/// The cases' channels live.
pub unsafe fn attempt_each(cases: &[Case], start: usize) -> Chosen {
    in_turn(cases, start, |case| {
        // SAFETY: by the caller's promise.
        unsafe { (*case.channel).attempt(case.side(), case.slot) }
    })
}

fn in_turn(cases: &[Case], start: usize, attempt: impl Fn(&Case) -> Step) -> Chosen {
    let (before, from) = cases.split_at(start.min(cases.len()));
    let from = from.iter().zip(start..);
    for (case, index) in from.chain(before.iter().zip(0..)) {
        match attempt(case) {
            Step::Done(woken) => return Chosen::Case(Outcome::Done(index as u16), woken),
            Step::Closed => return Chosen::Case(Outcome::Closed(index as u16), None),
            Step::Later => {}
        }
    }
    Chosen::None
}

impl<'a> Select<'a> {
    /// # Safety
    /// The cases' channels live as long as this.
    #[inline]
    pub unsafe fn new(cases: &'a [Case]) -> Select<'a> {
        Select { cases, order: SmallVec::new(), nodes: SmallVec::new() }
    }

    // Into its place, which is large.
    fn sort(&mut self) {
        self.order.extend(self.cases.iter().map(|case| case.channel));
        self.order.sort_unstable();
        self.order.dedup();
    }

    /// Tries the cases, beginning at case `start`, and enters the queues of all if none can happen now and a wait
    /// was begun. Once.
    pub fn attempt(&mut self, start: usize, wait: Option<(*const WaitCell, Generation)>) -> Chosen {
        self.sort();
        self.lock();
        let chosen = in_turn(self.cases, start, |case| {
            // SAFETY: the channel lives, by the promise to `new`, and is locked.
            unsafe { (*case.channel).attempt_locked(case.side(), case.slot) }
        });
        if let (Chosen::None, Some((cell, generation))) = (&chosen, wait) {
            self.enter(cell, generation);
        }
        self.unlock();
        chosen
    }

    fn enter(&mut self, cell: *const WaitCell, generation: Generation) {
        let node = |(index, case): (usize, &Case)| Node::new(cell, generation, case.slot, index as u16);
        self.nodes.extend(self.cases.iter().enumerate().map(node));
        for (case, node) in self.cases.iter().zip(&mut self.nodes) {
            // SAFETY: the channel lives and is locked, and nothing can happen at once, as was seen under the same
            // locks; nodes stay until `leave`.
            unsafe { (*case.channel).enter_locked(case.side(), node) };
        }
    }

    /// After the wait: the fiber leaves all queues.
    pub fn leave(&mut self) {
        self.lock();
        for (case, node) in self.cases.iter().zip(&mut self.nodes) {
            // SAFETY: the channel lives and is locked, and the node was entered there.
            unsafe { (*case.channel).leave_locked(case.side(), node) };
        }
        self.unlock();
    }

    fn lock(&self) {
        // SAFETY: the channels live.
        self.order.iter().for_each(|&channel| unsafe { (*channel).lock() });
    }

    fn unlock(&self) {
        // SAFETY: the channels live and are locked by this thread.
        self.order.iter().for_each(|&channel| unsafe { (*channel).unlock() });
    }
}
