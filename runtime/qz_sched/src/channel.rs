//! Channels of values of one size: what waits in them and who waits for them. Values are moved as bytes; what
//! they mean is the caller's affair.
//!
//! Nothing here suspends or schedules. An operation is done at once, or leaves a node in a queue and says so;
//! whoever ends that wait gets a [`Woken`] to resume.

use std::alloc::{Layout, handle_alloc_error};
use std::ptr;

use crate::queue::{Node, Queue, Woken, complete};
use crate::sync::Lock;
use crate::wait::Outcome;

/// A capacity that is never reached.
pub const UNBOUNDED: usize = usize::MAX;

/// What came of an operation.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Done; the other side may have to be resumed.
    Done(Option<Woken>),
    /// The channel is closed: nothing can be sent, or nothing is left to receive.
    Closed,
    /// Not now.
    Later,
}

/// A channel. Shared by address.
#[derive(Debug)]
pub struct Channel {
    inner: Lock<Inner>,
}

#[derive(Debug)]
struct Inner {
    ring: Ring,
    /// How many values may wait; 0: each is handed over from hand to hand.
    capacity: usize,
    closed: bool,
    senders: Queue,
    receivers: Queue,
}

// SAFETY: the inner part is reached under its lock only.
unsafe impl Send for Inner {}

/// Which end of a channel an operation is about.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Side {
    Send,
    Receive,
}

impl Channel {
    /// A channel for values of `size` bytes.
    pub fn new(size: usize, capacity: usize) -> Channel {
        let ring = Ring::new(size);
        let (senders, receivers) = (Queue::default(), Queue::default());
        Channel { inner: Lock::new(Inner { ring, capacity, closed: false, senders, receivers }) }
    }

    /// Sends the value at `value`, or receives one to there, if that can be done now.
    ///
    /// # Safety
    /// The memory holds a value of the channel's size, or has room for one.
    #[inline]
    pub unsafe fn attempt(&self, side: Side, value: *mut u8) -> Step {
        // SAFETY: passed on.
        self.inner.with(|inner| unsafe { inner.attempt(side, value) })
    }

    /// The same; if it cannot be done now, `begin_wait` gives a node for the queue.
    ///
    /// # Safety
    /// As for `attempt`. The node stays where it is until its wait is over and, unless this channel ended it,
    /// [`Channel::leave`] was called.
    #[inline]
    pub unsafe fn attempt_or_enter(
        &self,
        side: Side,
        value: *mut u8,
        begin_wait: impl FnOnce() -> *mut Node,
    ) -> Step {
        self.inner.with(|inner| {
            // SAFETY: passed on.
            unsafe {
                let step = inner.attempt(side, value);
                if step == Step::Later {
                    inner.queue(side).push(begin_wait());
                }
                step
            }
        })
    }

    /// Takes a node whose wait ended otherwise out of the queue.
    ///
    /// # Safety
    /// The node was entered for this side.
    pub unsafe fn leave(&self, side: Side, node: *mut Node) {
        // SAFETY: passed on.
        self.inner.with(|inner| unsafe { inner.queue(side).remove(node) });
    }

    /// Nothing can be sent from now on; who waits learns of it. False if it was closed before.
    pub fn close(&self, mut wake: impl FnMut(Woken)) -> bool {
        let was_open = self.inner.with(|inner| !std::mem::replace(&mut inner.closed, true));
        while let Some(woken) = self.inner.with(Inner::dismiss) {
            woken.into_iter().for_each(&mut wake);
        }
        was_open
    }

    pub fn is_closed(&self) -> bool {
        self.inner.with(|inner| inner.closed)
    }

    /// How many values wait.
    pub fn len(&self) -> usize {
        self.inner.with(|inner| inner.ring.len)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn capacity(&self) -> usize {
        self.inner.with(|inner| inner.capacity)
    }

    /// For waits on several channels, which take all their locks.
    pub(crate) fn lock(&self) {
        self.inner.take();
    }

    pub(crate) fn unlock(&self) {
        self.inner.give();
    }

    /// As [`Channel::attempt`], for one who took the lock.
    ///
    /// # Safety
    /// As there, and the lock is the caller's, or it is alone ([`crate::alone::enter`]). So for the two below.
    #[inline]
    pub(crate) unsafe fn attempt_locked(&self, side: Side, value: *mut u8) -> Step {
        // SAFETY: by the caller's promise.
        unsafe { self.inner.with_taken(|inner| inner.attempt(side, value)) }
    }

    /// Puts a node into the queue, for one who took the lock and saw that there is nothing to do now.
    ///
    /// # Safety
    /// As for `attempt_or_enter`, and the lock is the caller's.
    #[inline]
    pub(crate) unsafe fn enter_locked(&self, side: Side, node: *mut Node) {
        // SAFETY: by the caller's promise.
        unsafe { self.inner.with_taken(|inner| inner.queue(side).push(node)) };
    }

    /// As [`Channel::leave`], for one who took the lock.
    ///
    /// # Safety
    /// As there, and the lock is the caller's.
    #[inline]
    pub(crate) unsafe fn leave_locked(&self, side: Side, node: *mut Node) {
        // SAFETY: by the caller's promise.
        unsafe { self.inner.with_taken(|inner| inner.queue(side).remove(node)) };
    }
}

impl Inner {
    fn queue(&mut self, side: Side) -> &mut Queue {
        match side {
            Side::Send => &mut self.senders,
            Side::Receive => &mut self.receivers,
        }
    }

    #[inline]
    unsafe fn attempt(&mut self, side: Side, value: *mut u8) -> Step {
        // SAFETY: passed on.
        unsafe {
            match side {
                Side::Send => self.send(value),
                Side::Receive => self.receive(value),
            }
        }
    }

    // Copies in each way to do it: a call more is felt in a loop over a channel.
    #[inline(always)]
    unsafe fn send(&mut self, value: *mut u8) -> Step {
        if self.closed {
            return Step::Closed;
        }
        // SAFETY: by the caller's promise; a claimed receiver's slot has room for a value.
        unsafe {
            if let Some(receiver) = self.receivers.claim() {
                self.ring.copy(value, (*receiver).slot);
                return Step::Done(complete(receiver, Outcome::Done((*receiver).case)));
            }
            if self.ring.len >= self.capacity {
                return Step::Later;
            }
            self.ring.push(value);
        }
        Step::Done(None)
    }

    #[inline(always)]
    unsafe fn receive(&mut self, value: *mut u8) -> Step {
        // SAFETY: by the caller's promise; a claimed sender's slot holds a value.
        unsafe {
            if self.ring.len == 0 {
                let Some(sender) = self.senders.claim() else {
                    return if self.closed { Step::Closed } else { Step::Later };
                };
                self.ring.copy((*sender).slot, value);
                return Step::Done(complete(sender, Outcome::Done((*sender).case)));
            }
            self.ring.pop(value);
            // There is room now for one who waits.
            let Some(sender) = self.senders.claim() else { return Step::Done(None) };
            self.ring.push((*sender).slot);
            Step::Done(complete(sender, Outcome::Done((*sender).case)))
        }
    }

    /// Tells one who waits that the channel is closed. Senders keep their values.
    fn dismiss(&mut self) -> Option<Option<Woken>> {
        let node = self.receivers.claim().or_else(|| self.senders.claim())?;
        // SAFETY: claimed just now.
        Some(unsafe { complete(node, Outcome::Closed((*node).case)) })
    }
}

/// A row of values that grows as it is filled.
#[derive(Debug)]
struct Ring {
    block: *mut u8,
    /// Bytes of a value.
    size: usize,
    /// Values there is room for: a power of two, or 0.
    room: usize,
    first: usize,
    len: usize,
}

impl Ring {
    const ALIGN: usize = 16;
    const FIRST_ROOM: usize = 4;

    fn new(size: usize) -> Ring {
        Ring { block: ptr::null_mut(), size, room: 0, first: 0, len: 0 }
    }

    fn layout(size: usize, room: usize) -> Layout {
        let bytes = size.saturating_mul(room);
        Layout::from_size_align(bytes.max(1), Ring::ALIGN)
            .unwrap_or_else(|_| handle_alloc_error(Layout::new::<u8>()))
    }

    /// Words are most of what is sent.
    unsafe fn copy(&self, from: *const u8, to: *mut u8) {
        // SAFETY: both have room for a value, by the callers' promises; a value of eight bytes is one word.
        unsafe {
            if self.size == 8 {
                to.cast::<u64>().write_unaligned(from.cast::<u64>().read_unaligned());
            } else {
                ptr::copy_nonoverlapping(from, to, self.size);
            }
        }
    }

    fn at(&self, index: usize) -> *mut u8 {
        let wrapped = (self.first + index) & (self.room - 1);
        // SAFETY: below the room that the block has.
        unsafe { self.block.add(wrapped * self.size) }
    }

    unsafe fn push(&mut self, value: *const u8) {
        if self.len == self.room {
            self.grow();
        }
        // SAFETY: there is room; the value is the caller's.
        unsafe { self.copy(value, self.at(self.len)) };
        self.len += 1;
    }

    unsafe fn pop(&mut self, value: *mut u8) {
        // SAFETY: the caller saw that there is one, and has room for it.
        unsafe { self.copy(self.at(0), value) };
        self.first = (self.first + 1) & (self.room - 1);
        self.len -= 1;
    }

    #[cold]
    fn grow(&mut self) {
        let room = (self.room * 2).max(Ring::FIRST_ROOM);
        let layout = Ring::layout(self.size, room);
        // SAFETY: the size is not zero.
        let block = unsafe { std::alloc::alloc(layout) };
        if block.is_null() {
            handle_alloc_error(layout);
        }
        for index in 0..self.len {
            // SAFETY: both blocks have room for it.
            unsafe { ptr::copy_nonoverlapping(self.at(index), block.add(index * self.size), self.size) };
        }
        self.give_back();
        (self.block, self.room, self.first) = (block, room, 0);
    }

    fn give_back(&mut self) {
        if self.room > 0 {
            // SAFETY: `grow` made the block for this room.
            unsafe { std::alloc::dealloc(self.block, Ring::layout(self.size, self.room)) };
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        self.give_back();
    }
}
