//! Waiting for one of several channels.
//!
//! Who is willing to wait first tries each channel under its own lock: most selects find one at once. If none was ready,
//! all channels are locked, in the order of their addresses, while each is tried again and while the fiber enters their
//! queues, so that exactly one operation happens. As in Go's runtime. While one thread runs all fibers, one look is enough
//! and nothing is locked ([`crate::alone`]).

use crate::alone;
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

/// A select that waits, or looks at all of its channels at one moment.
#[derive(Debug)]
pub struct Select<'a> {
    cases: &'a [Case],
    nodes: SmallVec<[Node; USUAL]>,
}

/// The channels of a select, each once, by address: the order in which all who lock several of them do.
struct Locked(SmallVec<[*const Channel; USUAL]>);

impl Locked {
    /// # Safety
    /// The cases' channels live as long as this.
    #[inline]
    unsafe fn all(cases: &[Case]) -> Locked {
        let mut channels: SmallVec<[*const Channel; USUAL]> = cases.iter().map(|case| case.channel).collect();
        channels.sort_unstable();
        channels.dedup();
        // SAFETY: by the caller's promise.
        channels.iter().for_each(|&channel| unsafe { (*channel).lock() });
        Locked(channels)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // SAFETY: the channels live and are locked by this thread.
        self.0.iter().for_each(|&channel| unsafe { (*channel).unlock() });
    }
}

#[inline]
fn in_turn(cases: &[Case], start: usize, attempt: impl Fn(&Case) -> Step) -> Chosen {
    let mut index = start;
    for _ in cases {
        if index >= cases.len() {
            index = 0;
        }
        match attempt(&cases[index]) {
            Step::Done(woken) => return Chosen::Case(Outcome::Done(index as u16), woken),
            Step::Closed => return Chosen::Case(Outcome::Closed(index as u16), None),
            Step::Later => index += 1,
        }
    }
    Chosen::None
}

impl<'a> Select<'a> {
    /// # Safety
    /// The cases' channels live as long as this.
    #[inline]
    pub unsafe fn new(cases: &'a [Case]) -> Select<'a> {
        Select { cases, nodes: SmallVec::new() }
    }

    /// Tries the cases, beginning at case `start`, and enters the queues of all if none can happen now and a wait
    /// was begun. Once.
    pub fn attempt(&mut self, start: usize, wait: Option<(*const WaitCell, Generation)>) -> Chosen {
        if let Some(_inside) = alone::enter() {
            // SAFETY: nobody else reaches the channels.
            return unsafe { self.attempt_locked(start, wait) };
        }
        if wait.is_some()
            && let Chosen::Case(outcome, woken) = self.attempt_each(start)
        {
            return Chosen::Case(outcome, woken);
        }
        // SAFETY: by the promise to `new`; the channels are locked.
        unsafe {
            let _locked = Locked::all(self.cases);
            self.attempt_locked(start, wait)
        }
    }

    /// Tries each case under the lock of its channel alone. That none happened says nothing of a common moment.
    fn attempt_each(&self, start: usize) -> Chosen {
        in_turn(self.cases, start, |case| {
            // SAFETY: the channel lives, by the promise to `new`.
            unsafe { (*case.channel).attempt(case.side(), case.slot) }
        })
    }

    /// # Safety
    /// The channels' locks are the caller's, or it is alone ([`alone::enter`]).
    unsafe fn attempt_locked(&mut self, start: usize, wait: Option<(*const WaitCell, Generation)>) -> Chosen {
        let chosen = in_turn(self.cases, start, |case| {
            // SAFETY: the channel lives, by the promise to `new`, and is locked.
            unsafe { (*case.channel).attempt_locked(case.side(), case.slot) }
        });
        if let (Chosen::None, Some((cell, generation))) = (&chosen, wait) {
            self.enter(cell, generation);
        }
        chosen
    }

    fn enter(&mut self, cell: *const WaitCell, generation: Generation) {
        self.nodes.reserve(self.cases.len());
        let first = self.nodes.as_mut_ptr();
        for (index, case) in self.cases.iter().enumerate() {
            // SAFETY: there is room for as many nodes as there are cases, and they stay where they are until `leave`.
            // The channel lives and is locked, and nothing can happen at once, as was seen under the same locks.
            unsafe {
                let node = first.add(index);
                node.write(Node::new(cell, generation, case.slot, index as u16));
                (*case.channel).enter_locked(case.side(), node);
            }
        }
        // SAFETY: so many were written.
        unsafe { self.nodes.set_len(self.cases.len()) };
    }

    /// After the wait: the fiber leaves all queues. The wait is over for all who look, so one after the other will do.
    pub fn leave(&mut self) {
        let inside = alone::enter();
        for (case, node) in self.cases.iter().zip(&mut self.nodes) {
            // SAFETY: the channel lives, and the node was entered there.
            unsafe {
                match inside {
                    Some(_) => (*case.channel).leave_locked(case.side(), node),
                    None => (*case.channel).leave(case.side(), node),
                }
            }
        }
    }
}
