//! Whom the system tells when descriptors can be read or written: one for each scheduler, and one thread at a time
//! that listens.

use std::collections::HashMap;
use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use crate::poll::{Descriptor, Direction};
use crate::thread::Thread;

const WORD: Token = Token(0);
const TIME: Token = Token(1);
const FIRST_KEY: usize = 2;
/// So many descriptors are heard of at once.
const EVENTS: usize = 1024;

/// Descriptors by the number that the system gives back.
pub(crate) struct Reactor {
    registry: Registry,
    waker: Waker,
    ear: Mutex<Ear>,
    table: Mutex<HashMap<usize, *const Descriptor>>,
    keys: AtomicUsize,
}

// SAFETY: the table's descriptors are reached under its lock, and taken out before they go.
unsafe impl Sync for Reactor {}
// SAFETY: as above.
unsafe impl Send for Reactor {}

/// What whoever listens needs.
struct Ear {
    poll: Poll,
    events: Events,
    alarm: Alarm,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reactor {
    pub(crate) fn new() -> io::Result<Reactor> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let waker = Waker::new(&registry, WORD)?;
        let alarm = Alarm::new(&registry)?;
        let ear = Mutex::new(Ear { poll, events: Events::with_capacity(EVENTS), alarm });
        Ok(Reactor { registry, waker, ear, table: Mutex::default(), keys: AtomicUsize::new(FIRST_KEY) })
    }

    pub(crate) fn new_key(&self) -> usize {
        self.keys.fetch_add(1, Ordering::Relaxed)
    }

    /// The system says from now on when the descriptor that is open at `fd` changes. Until [`Reactor::remove`] it stays
    /// where it is.
    pub(crate) fn add(&self, fd: RawFd, key: usize, descriptor: *const Descriptor) -> io::Result<()> {
        locked(&self.table).insert(key, descriptor);
        self.registry.register(&mut SourceFd(&fd), Token(key), interest()).inspect_err(|_| {
            locked(&self.table).remove(&key);
        })
    }

    /// The descriptor may go.
    pub(crate) fn remove(&self, fd: RawFd, key: usize) {
        locked(&self.table).remove(&key);
        let _ = self.registry.deregister(&mut SourceFd(&fd));
    }

    /// Whoever listens looks at the queues again.
    pub(crate) fn notify(&self) {
        let _ = self.waker.wake();
    }

    /// Listens for so long at most, for ever without a limit, and resumes the fibers whose descriptors are ready. True if
    /// it was told to look at the queues again: the word is for this caller then.
    #[must_use]
    pub(crate) fn wait(&self, thread: &Thread, limit: Option<Duration>) -> bool {
        let mut ear = locked(&self.ear);
        let Ear { poll, events, alarm } = &mut *ear;
        let limit = alarm.set(limit);
        if poll.poll(events, limit).is_err() {
            return false;
        }
        let table = locked(&self.table);
        let (mut count, mut is_told) = (0, false);
        for event in events.iter() {
            is_told |= event.token() == WORD;
            let Some(&descriptor) = table.get(&event.token().0) else { continue };
            // SAFETY: descriptors in the table are live while its lock is held.
            let descriptor = unsafe { &*descriptor };
            count += 1;
            if may_end_short(event) {
                descriptor.may_end_short();
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                descriptor.is_ready(Direction::Read, thread);
            }
            if event.is_writable() || event.is_write_closed() || event.is_error() {
                descriptor.is_ready(Direction::Write, thread);
            }
        }
        drop(table);
        thread.has_heard(count);
        is_told
    }
}

fn interest() -> Interest {
    let both = Interest::READABLE | Interest::WRITABLE;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let both = both | Interest::PRIORITY;
    both
}

/// Whether a reading may end before all there is: at bytes that are urgent, or in front of the end.
fn may_end_short(event: &Event) -> bool {
    event.is_read_closed() || event.is_priority() || event.is_error()
}

/// Waits end in time: the system's limit for them counts whole milliseconds.
#[cfg(target_os = "linux")]
struct Alarm(std::os::fd::OwnedFd);

#[cfg(target_os = "linux")]
impl Alarm {
    fn new(registry: &Registry) -> io::Result<Alarm> {
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};
        use std::os::fd::AsRawFd;
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), TIME, Interest::READABLE)?;
        Ok(Alarm(timer))
    }

    /// What is left for the system's own limit.
    fn set(&self, limit: Option<Duration>) -> Option<Duration> {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};
        let time = limit?;
        if time.is_zero() {
            return Some(time);
        }
        // A time that no timer counts to is one for the limit.
        let Ok(until) = Timespec::try_from(time) else { return Some(time) };
        let once = Itimerspec { it_interval: Timespec::default(), it_value: until };
        match timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once) {
            Ok(_) => None,
            Err(_) => Some(time),
        }
    }
}

#[cfg(not(target_os = "linux"))]
struct Alarm;

#[cfg(not(target_os = "linux"))]
impl Alarm {
    fn new(_: &Registry) -> io::Result<Alarm> {
        Ok(Alarm)
    }

    fn set(&self, limit: Option<Duration>) -> Option<Duration> {
        limit
    }
}
