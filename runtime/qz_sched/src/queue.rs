//! Those who wait for one thing, in the order in which they came. The nodes stand on the stacks of the waiting
//! fibers; a list and its nodes are changed only under the lock of what is waited for.

use std::ptr;

use crate::wait::{Generation, Outcome, WaitCell};

/// A fiber in a queue.
#[derive(Debug)]
pub struct Node {
    cell: *const WaitCell,
    generation: Generation,
    /// Where a value is taken from or put.
    pub(crate) slot: *mut u8,
    /// Which of the things waited for this is.
    pub(crate) case: u16,
    /// What the wait asks for: permits, or reading and writing.
    pub(crate) amount: u64,
    previous: *mut Node,
    next: *mut Node,
    linked: bool,
}

impl Node {
    /// A node for the wait that the fiber has just begun.
    pub fn new(cell: *const WaitCell, generation: Generation, slot: *mut u8, case: u16) -> Node {
        let (previous, next) = (ptr::null_mut(), ptr::null_mut());
        Node { cell, generation, slot, case, amount: 1, previous, next, linked: false }
    }

    /// The same for a wait that asks for so much.
    pub fn asking(cell: *const WaitCell, generation: Generation, amount: u64) -> Node {
        Node { amount, ..Node::new(cell, generation, ptr::null_mut(), 0) }
    }
}

/// A fiber to be resumed: its wait is over, and it has left its stack.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Woken(pub(crate) *const WaitCell);

/// Ends the wait of a claimed node.
///
/// # Safety
/// The caller claimed it. The node may be gone afterwards.
pub(crate) unsafe fn complete(node: *const Node, outcome: Outcome) -> Option<Woken> {
    // SAFETY: by the caller's promise; a fiber whose wait is not complete keeps its node and its cell.
    unsafe {
        let cell = (*node).cell;
        (*cell).complete(outcome).then_some(Woken(cell))
    }
}

/// Waiting fibers, the first come first.
#[derive(Debug)]
pub(crate) struct Queue {
    first: *mut Node,
    last: *mut Node,
}

// SAFETY: nodes are reached only under the lock that protects the queue.
unsafe impl Send for Queue {}

impl Default for Queue {
    fn default() -> Queue {
        Queue { first: ptr::null_mut(), last: ptr::null_mut() }
    }
}

impl Queue {
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// # Safety
    /// The node is in no queue and stays where it is until it is removed.
    pub(crate) unsafe fn push(&mut self, node: *mut Node) {
        // SAFETY: the node is live, and so is the last one.
        unsafe {
            (*node).previous = self.last;
            (*node).next = ptr::null_mut();
            (*node).linked = true;
            match self.last.is_null() {
                true => self.first = node,
                false => (*self.last).next = node,
            }
        }
        self.last = node;
    }

    /// Takes the node out, if it is in.
    ///
    /// # Safety
    /// It is in this queue or in none.
    pub(crate) unsafe fn remove(&mut self, node: *mut Node) {
        // SAFETY: the node is live, and so are its neighbours.
        unsafe {
            if !std::mem::replace(&mut (*node).linked, false) {
                return;
            }
            match (*node).previous.is_null() {
                true => self.first = (*node).next,
                false => (*(*node).previous).next = (*node).next,
            }
            match (*node).next.is_null() {
                true => self.last = (*node).previous,
                false => (*(*node).next).previous = (*node).previous,
            }
        }
    }

    /// Takes out and claims the first whose wait nobody else has ended.
    pub(crate) fn claim(&mut self) -> Option<*mut Node> {
        self.claim_if(|_| true)
    }

    /// The same, if it is as asked for; else nobody's turn has come.
    pub(crate) fn claim_if(&mut self, is_good: impl Fn(&Node) -> bool) -> Option<*mut Node> {
        while !self.first.is_null() {
            let node = self.first;
            // SAFETY: nodes in the queue are live; the fiber of an unclaimed wait cannot go away, and that of a
            // claimed one takes the lock to remove its node before it does.
            unsafe {
                if !is_good(&*node) {
                    return None;
                }
                self.remove(node);
                if (*(*node).cell).claim((*node).generation) {
                    return Some(node);
                }
            }
        }
        None
    }
}
