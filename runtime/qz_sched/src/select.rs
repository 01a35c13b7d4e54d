//! Waiting for one of several channels.
//!
//! All channels are locked, in the order of their addresses, while each is tried and while the fiber enters their
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

impl<'a> Select<'a> {
    /// # Safety
    /// The cases' channels live as long as this.
    pub unsafe fn new(cases: &'a [Case]) -> Select<'a> {
        let mut order: SmallVec<[_; USUAL]> = cases.iter().map(|case| case.channel).collect();
        order.sort_unstable();
        order.dedup();
        Select { cases, order, nodes: SmallVec::new() }
    }

    /// Tries the cases, beginning at case `start`, and enters the queues of all if none can happen now and a wait
    /// was begun.
    pub fn attempt(&mut self, start: usize, wait: Option<(*const WaitCell, Generation)>) -> Chosen {
        self.lock();
        let chosen = self.attempt_locked(start);
        if let (Chosen::None, Some((cell, generation))) = (&chosen, wait) {
            self.enter(cell, generation);
        }
        self.unlock();
        chosen
    }

    fn attempt_locked(&self, start: usize) -> Chosen {
        let count = self.cases.len();
        for turn in 0..count {
            let index = (start + turn) % count;
            let case = &self.cases[index];
            // SAFETY: the channel lives, by the promise to `new`, and is locked.
            match unsafe { (*case.channel).attempt_locked(case.side(), case.slot) } {
                Step::Done(woken) => return Chosen::Case(Outcome::Done(index as u16), woken),
                Step::Closed => return Chosen::Case(Outcome::Closed(index as u16), None),
                Step::Later => {}
            }
        }
        Chosen::None
    }

    fn enter(&mut self, cell: *const WaitCell, generation: Generation) {
        let node = |(index, case): (usize, &Case)| Node::new(cell, generation, case.slot, index as u16);
        self.nodes = self.cases.iter().enumerate().map(node).collect();
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
