//! Waiting until a descriptor can be read or written.
//!
//! Each descriptor is registered once, for changes only; an operation is tried first and waits only if the system says
//! that it would block. Whoever keeps the clock (see `idle`) waits for the system's word meanwhile.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, RawFd};
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::net::{RecvFlags, SendFlags};

use crate::block::{Terms, Wait};
use crate::fiber::{Fiber, Reason};
use crate::reactor::Reactor;
use crate::rest;
use crate::sched::{Order, Scheduler};
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
    /// A connection of TCP: a reading that takes less than it could has taken all, and the system says when there is more.
    is_tcp: bool,
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
    /// The system said so since the last wait, or since the last reading of a stream began.
    ready: bool,
    /// The last reading took all there was: there is nothing until the system says so.
    drained: bool,
    /// No reading is known to have taken all.
    ends_short: bool,
    /// All of them try again when it says so.
    waiters: Vec<Turn>,
}

impl Side {
    /// Who has waited longest and waits still.
    fn claim_waiter(&mut self) -> Option<Turn> {
        let first = || (!self.waiters.is_empty()).then(|| self.waiters.remove(0));
        // SAFETY: who waits takes its turn back, under the lock that is held, before it goes.
        std::iter::from_fn(first).find(|turn| unsafe { turn.claim() })
    }
}

impl Descriptor {
    /// A descriptor for what is open at `fd`, which is closed with it. Fails if the system cannot tell when it is ready,
    /// as for files.
    pub fn new(scheduler: &Scheduler, fd: RawFd) -> io::Result<Box<Descriptor>> {
        let reactor = scheduler.reactor()?;
        let key = reactor.new_key();
        let descriptor = Box::new(Descriptor {
            fd,
            key,
            uses: AtomicUsize::new(0),
            is_tcp: is_tcp(fd),
            sides: Lock::new(Default::default()),
        });
        reactor.add(fd, key, &raw const *descriptor)?;
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

    /// The system says that there is something to do.
    pub(crate) fn is_ready(&self, direction: Direction, thread: &Thread) {
        let (waiter, others) = self.sides.with(|sides| {
            let side = &mut sides[direction as usize];
            let waiter = side.claim_waiter();
            // Whoever waits tries again; else it is for the next.
            side.ready |= waiter.is_none();
            (waiter, side.waiters.len())
        });
        // SAFETY: claimed just now.
        waiter.into_iter().for_each(|turn| unsafe { turn.end(thread, Outcome::Done(0), Order::Heard) });
        self.tell(direction, others, thread, Outcome::Done(0), Order::Heard);
    }

    /// From now on all that is there may be more than one reading takes, although it took less than it could.
    pub(crate) fn may_end_short(&self) {
        self.sides.with(|sides| sides[Direction::Read as usize].ends_short = true);
    }

    /// Ends the waits of those who have waited longest.
    fn tell(&self, direction: Direction, waiting: usize, thread: &Thread, outcome: Outcome, order: Order) {
        for _ in 0..waiting {
            let waiter = self.sides.with(|sides| sides[direction as usize].claim_waiter());
            // SAFETY: claimed just now.
            waiter.into_iter().for_each(|turn| unsafe { turn.end(thread, outcome, order) });
        }
    }

    /// Whether a reading would find nothing: the last one took all, and the system said nothing since.
    pub fn is_drained(&self) -> bool {
        self.sides.with(|sides| {
            let side = &mut sides[Direction::Read as usize];
            side.drained && !side.ready && !side.ends_short
        })
    }

    /// Reads up to `len` bytes, if it can be done now, and keeps in mind whether these were all.
    ///
    /// # Safety
    /// The fiber runs on this thread, `fd` is what [`Descriptor::with`] gave, and there is room for so many bytes.
    pub unsafe fn read(&self, fiber: *mut Fiber, fd: RawFd, bytes: *mut u8, len: usize) -> io::Result<usize> {
        // What the system said before is for this reading.
        self.sides.with(|sides| sides[Direction::Read as usize].ready = false);
        // SAFETY: by the caller's promise.
        let (fd, room) = unsafe {
            (BorrowedFd::borrow_raw(fd), slice::from_raw_parts_mut(bytes.cast::<MaybeUninit<u8>>(), len))
        };
        // Straight to the system: the C library's functions prepare for threads that are cancelled.
        let count = if self.is_tcp {
            rustix::net::recv(fd, room, RecvFlags::empty())?.1
        } else {
            rustix::io::read(fd, room)?.0.len()
        };
        if self.is_tcp {
            let all = (1..len).contains(&count);
            self.sides.with(|sides| sides[Direction::Read as usize].drained = all);
            if !all {
                // Whoever else waits may find the rest.
                // SAFETY: by the caller's promise.
                self.is_ready(Direction::Read, unsafe { Thread::of(fiber) });
            }
        }
        Ok(count)
    }

    /// Writes up to `len` bytes, if it can be done now.
    ///
    /// # Safety
    /// `fd` is what [`Descriptor::with`] gave, and there are so many bytes.
    pub unsafe fn write(&self, fd: RawFd, bytes: *const u8, len: usize) -> io::Result<usize> {
        // SAFETY: by the caller's promise.
        let (fd, bytes) = unsafe { (BorrowedFd::borrow_raw(fd), slice::from_raw_parts(bytes, len)) };
        let count = if self.is_tcp {
            rustix::net::send(fd, bytes, SendFlags::NOSIGNAL)
        } else {
            rustix::io::write(fd, bytes)
        };
        Ok(count?)
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
                self.tell(direction, waiting, Thread::of(fiber), Outcome::Closed(0), Order::Next);
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
            reactor.remove(self.fd, self.key);
        }
    }
}

/// Other sockets end a reading where one of the other side's writings does, terminals where a line does.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_tcp(fd: RawFd) -> bool {
    // SAFETY: by the callers it is open.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    // What is no socket gives an error.
    rustix::net::sockopt::socket_protocol(fd) == Ok(Some(rustix::net::ipproto::TCP))
}

/// Urgent bytes, in front of which a reading ends, are not told of elsewhere.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_tcp(_: RawFd) -> bool {
    false
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

    /// Descriptors can be waited for from now on. That takes some itself, so whoever cannot go back later asks before.
    pub fn expects_descriptors(&self) -> io::Result<()> {
        self.reactor().map(|_| ())
    }

    pub(crate) fn known_reactor(&self) -> Option<&Reactor> {
        self.reactor.get()
    }

    /// What the system has to say now, if nobody waits for that.
    pub(crate) fn poll_now(&self, thread: &Thread) {
        if let Some(reactor) = self.known_reactor() {
            thread.learn();
            // Who keeps the clock listens before it looks at the queues, so a word that comes now was for nobody.
            self.idle.poll_now(|| _ = reactor.wait(thread, Some(Duration::ZERO)));
        }
    }
}
