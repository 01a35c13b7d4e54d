//! Waiting until a descriptor can be read or written.
//!
//! Each descriptor is registered once, for changes only; an operation is tried first and waits only if the system says
//! that it would block. Whoever keeps the clock (see `idle`) waits for the system's word meanwhile.

use std::collections::HashMap;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use polling::{Event, Events, PollMode, Poller};

use crate::block::{Terms, Wait};
use crate::fiber::{Fiber, Reason};
use crate::rest;
use crate::sched::Scheduler;
use crate::sync::Lock;
use crate::thread::Thread;
use crate::turn::Turn;
use crate::wait::Outcome;

/// What is waited for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Direction {
    Read = 0,
    Write = 1,
}

/// A descriptor of the system's, which never blocks.
#[derive(Debug)]
pub struct Descriptor {
    fd: RawFd,
    key: usize,
    /// How many operations are under way, and [`CLOSED`]. The system may give the number to the next that opens something,
    /// so the last to leave gives it back.
    uses: AtomicUsize,
    sides: Lock<[Side; 2]>,
}

/// Among the uses: no more may begin.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// An operation on a descriptor, which stays open meanwhile.
struct Use<'a>(&'a Descriptor);

impl Drop for Use<'_> {
    fn drop(&mut self) {
        if self.0.uses.fetch_sub(1, Ordering::AcqRel) == CLOSED | 1 {
            // SAFETY: closed, and nobody else is at it or can begin to be.
            unsafe { libc::close(self.0.fd) };
        }
    }
}

#[derive(Debug, Default)]
struct Side {
    /// The system said so since the last wait.
    ready: bool,
    /// All of them try again when it says so.
    waiters: Vec<Turn>,
}

impl Side {
    fn take_waiter(&mut self) -> Option<Turn> {
        (!self.waiters.is_empty()).then(|| self.waiters.remove(0))
    }
}

/// Descriptors by the number that the system gives back.
pub(crate) struct Reactor {
    poller: Poller,
    table: Mutex<HashMap<usize, *const Descriptor>>,
    keys: AtomicUsize,
}

// SAFETY: the table's descriptors are reached under its lock, and taken out before they go.
unsafe impl Sync for Reactor {}
// SAFETY: as above.
unsafe impl Send for Reactor {}

impl Reactor {
    fn new() -> io::Result<Reactor> {
        Ok(Reactor { poller: Poller::new()?, table: Mutex::default(), keys: AtomicUsize::new(1) })
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<usize, *const Descriptor>> {
        self.table.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// Whoever waits for the system's word looks at the queues again.
    pub(crate) fn notify(&self) {
        let _ = self.poller.notify();
    }

    /// Waits for so long at most, for ever without a limit, and resumes the fibers whose descriptors are ready.
    pub(crate) fn wait(&self, thread: &Thread, limit: Option<Duration>) {
        let mut events = Events::new();
        if self.poller.wait(&mut events, limit).is_err() {
            return;
        }
        let table = self.table();
        for event in events.iter() {
            let Some(&descriptor) = table.get(&event.key) else { continue };
            // SAFETY: descriptors in the table are live while its lock is held.
            let descriptor = unsafe { &*descriptor };
            if event.readable {
                descriptor.is_ready(Direction::Read, thread);
            }
            if event.writable {
                descriptor.is_ready(Direction::Write, thread);
            }
        }
    }
}

impl Descriptor {
    /// A descriptor for what is open at `fd`, which is closed with it. Fails if the system cannot tell when it is ready,
    /// as for files.
    pub fn new(scheduler: &Scheduler, fd: RawFd) -> io::Result<Box<Descriptor>> {
        let reactor = scheduler.reactor()?;
        let key = reactor.keys.fetch_add(1, Ordering::Relaxed);
        let descriptor =
            Box::new(Descriptor { fd, key, uses: AtomicUsize::new(0), sides: Lock::new(Default::default()) });
        reactor.table().insert(key, &raw const *descriptor);
        // SAFETY: it is taken out of the poller before it is closed.
        let added = unsafe { reactor.poller.add_with_mode(fd, Event::all(key), PollMode::Edge) };
        if let Err(error) = added {
            reactor.table().remove(&key);
            return Err(error);
        }
        Ok(descriptor)
    }

    /// Does something with what is open, which must not block; `None` if it is closed.
    pub fn with<R>(&self, f: impl FnOnce(RawFd) -> R) -> Option<R> {
        let _use = self.begin()?;
        Some(f(self.fd))
    }

    fn begin(&self) -> Option<Use<'_>> {
        let one_more = |uses| (uses & CLOSED == 0).then_some(uses + 1);
        self.uses.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).ok()?;
        Some(Use(self))
    }

    pub fn is_open(&self) -> bool {
        self.uses.load(Ordering::Acquire) & CLOSED == 0
    }

    fn is_ready(&self, direction: Direction, thread: &Thread) {
        let waiting = self.sides.with(|sides| {
            let side = &mut sides[direction as usize];
            side.ready = true;
            side.waiters.len()
        });
        self.tell(direction, waiting, thread, Outcome::Done(0));
    }

    /// Ends the waits of those who have waited longest.
    fn tell(&self, direction: Direction, waiting: usize, thread: &Thread, outcome: Outcome) {
        for _ in 0..waiting {
            let waiter = self.sides.with(|sides| {
                let side = &mut sides[direction as usize];
                // SAFETY: who waits takes its turn back, under this lock, before it goes.
                std::iter::from_fn(|| side.take_waiter()).find(|turn| unsafe { turn.claim() })
            });
            // SAFETY: claimed just now.
            waiter.into_iter().for_each(|turn| unsafe { turn.end(thread, outcome) });
        }
    }

    /// Waits until an operation that would have blocked may be tried again.
    ///
    /// # Safety
    /// The fiber runs on this thread; the descriptor stays.
    pub unsafe fn wait(&self, fiber: *mut Fiber, direction: Direction, terms: Terms) -> Outcome {
        // SAFETY: passed on.
        unsafe {
            let wait = Wait::begin(fiber);
            let turn = Turn::new(fiber, wait.generation());
            let ready = self.sides.with(|sides| {
                let side = &mut sides[direction as usize];
                let ready = std::mem::replace(&mut side.ready, false);
                if !ready {
                    side.waiters.push(turn);
                }
                ready
            });
            if ready {
                return Outcome::Done(0);
            }
            let leave = || {
                self.sides.with(|sides| sides[direction as usize].waiters.retain(|it| *it != turn));
            };
            if !self.is_open() {
                leave();
                return Outcome::Closed(0);
            }
            let scheduler = (*fiber).scheduler();
            scheduler.outside.fetch_add(1, Ordering::SeqCst);
            let reason = if direction == Direction::Read { Reason::Input } else { Reason::Output };
            let outcome = wait.finish(reason, terms);
            scheduler.outside.fetch_sub(1, Ordering::SeqCst);
            leave();
            outcome
        }
    }

    /// Closes the descriptor, once operations that others are at are over; who waits for it learns of that. Again does
    /// nothing.
    ///
    /// # Safety
    /// The fiber runs on this thread.
    pub unsafe fn close(&self, fiber: *mut Fiber) {
        let Some(last_use) = self.begin() else { return };
        if self.uses.fetch_or(CLOSED, Ordering::AcqRel) & CLOSED != 0 {
            return;
        }
        // SAFETY: by the caller's promise; the descriptor is open as long as it is used.
        unsafe {
            self.leave((*fiber).scheduler());
            drop(last_use);
            for direction in [Direction::Read, Direction::Write] {
                let waiting = self.sides.with(|sides| sides[direction as usize].waiters.len());
                self.tell(direction, waiting, Thread::of(fiber), Outcome::Closed(0));
            }
        }
    }

    /// Nobody waits for it any more, and it stays open for whoever opened it.
    pub fn let_go(self: Box<Descriptor>, scheduler: &Scheduler) {
        self.leave(scheduler);
    }

    /// The system is not asked for it any more.
    fn leave(&self, scheduler: &Scheduler) {
        if let Some(reactor) = scheduler.known_reactor() {
            reactor.table().remove(&self.key);
            // SAFETY: by the callers it is open still.
            let _ = reactor.poller.delete(unsafe { BorrowedFd::borrow_raw(self.fd) });
        }
    }
}

impl Scheduler {
    /// The one that waits for descriptors, made when it is needed first.
    fn reactor(&self) -> io::Result<&Reactor> {
        if let Some(reactor) = self.known_reactor() {
            return Ok(reactor);
        }
        let made = Reactor::new()?;
        let reactor = self.reactor.get_or_init(|| made);
        // Whoever keeps the clock has to wait in the new way.
        rest::clock_changed(self);
        Ok(reactor)
    }

    pub(crate) fn known_reactor(&self) -> Option<&Reactor> {
        self.reactor.get()
    }

    /// What the system has to say now, if nobody waits for that.
    pub(crate) fn poll_now(&self, thread: &Thread) {
        if let Some(reactor) = self.known_reactor() {
            self.idle.poll_now(|| reactor.wait(thread, Some(Duration::ZERO)));
        }
    }
}
