//! Threads without work: what they look at before they sleep ([`crate::rest`]), and what it means when all of them do.
//!
//! A thread that has run one fiber for long does not count as one at work ([`crate::monitor`]).

use std::cell::Cell;
#[cfg(target_os = "linux")]
use std::num::NonZeroU64;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::fiber::Fiber;
use crate::pause::PAUSE;
use crate::rest::{self, Bed, Clock, Guest, House, Rests};
use crate::sched::{MAX_THREADS, Scheduler, Slot};
use crate::thread::Thread;
use crate::timer::NEVER;
use crate::wait::Outcome;

/// Looks for work before sleep, where another thread may soon have some.
const SPINS: u32 = 200;
/// Looks at the descriptors before sleep, a fifth of a microsecond each.
const LISTENS: usize = 64;
const LISTENS_BEFORE_PAUSE: usize = 16;
/// A time that is so near is not for a pause.
const NEAR: Duration = Duration::from_millis(1);
/// A thread that has slept for so long will sleep longer, it is believed.
const SHORT_SLEEP: Duration = Duration::from_millis(2);
const LONG_NAP: Duration = Duration::from_millis(1);

impl House for Scheduler {
    fn rests(&self) -> &Rests {
        &self.idle
    }

    fn bed(&self, number: usize) -> &Bed {
        &self.slot(number).bed
    }

    fn unpark(&self, number: usize) {
        let handle = self.slot(number).handle.lock().unwrap_or_else(|poison| poison.into_inner());
        if let Some(handle) = &*handle {
            handle.unpark();
        }
    }

    fn end_poll(&self) {
        if let Some(reactor) = self.known_reactor() {
            reactor.notify();
        }
    }

    fn has_woken(&self) {
        self.rouse_monitor();
    }

    fn begin_worker(&self) -> bool {
        self.start_thread()
    }

    fn has_more(&self) -> bool {
        let runs = matches!(self.state(), crate::State::Running | crate::State::Draining);
        runs && !self.single && self.idle.awake() < MAX_THREADS
    }
}

/// A thread, and when it has no reason to sleep any more.
struct Sleeper<'a> {
    thread: &'a Thread,
    over: &'a dyn Fn() -> bool,
    /// Others are to know of its sleep ([`crate::alone`]), which costs something when it wakes.
    sleeps_long: Cell<bool>,
}

impl<'a> Sleeper<'a> {
    fn new(thread: &'a Thread, over: &'a dyn Fn() -> bool) -> Sleeper<'a> {
        Sleeper { thread, over, sleeps_long: Cell::new(false) }
    }
}

impl Guest for Sleeper<'_> {
    type House = Scheduler;

    fn house(&self) -> &Scheduler {
        self.thread.scheduler()
    }

    fn number(&self) -> usize {
        self.thread.slot
    }

    fn has_work(&self) -> bool {
        self.has_own_work() || (!self.thread.exclusive && self.house().has_work())
    }

    fn has_own_work(&self) -> bool {
        self.thread.own_slot().has_inbox.load(Ordering::SeqCst)
    }

    fn all_sleep(&self) -> bool {
        let scheduler = self.house();
        (scheduler.seed.is_some() && scheduler.pass_time()) || scheduler.look_for_deadlock(self.thread)
    }

    fn is_over(&self) -> bool {
        (self.over)()
    }

    fn clock(&self) -> Clock {
        let (next, now) = (self.house().next_timer(), self.house().now());
        match next {
            NEVER => Clock::Never,
            _ if next <= now => Clock::Now,
            _ => Clock::In(Duration::from_nanos(next - now)),
        }
    }

    // A first sleep is short: whoever looks after it whether there is a reason to go on sleeping missed no word.
    fn park(&self, limit: Option<Duration>) {
        match limit {
            _ if self.sleeps_long.get() => {
                let _away = self.thread.presence.away();
                park(limit);
            }
            Some(limit) if limit <= SHORT_SLEEP => park(Some(limit)),
            _ => {
                let began = Instant::now();
                park(Some(SHORT_SLEEP));
                self.sleeps_long.set(began.elapsed() >= SHORT_SLEEP);
            }
        }
    }

    fn polls(&self) -> bool {
        self.house().known_reactor().is_some()
    }

    fn leaves_clock(&self) -> bool {
        self.house().hears_briefly()
    }

    fn poll(&self, limit: Option<Duration>) -> bool {
        if let Some(reactor) = self.house().known_reactor() {
            let mut hears = |limit| reactor.wait(self.thread, limit) || self.thread.has_next();
            let is_brief = self.house().hears_briefly();
            if !(is_brief && self.listens_or_pauses(limit, &mut hears)) {
                hears(limit);
            }
        }
        self.thread.has_next()
    }
}

/// `hears` says whether it heard of a reason not to sleep: it hears of it once only.
fn listens(looks: usize, mut hears: impl FnMut(Option<Duration>) -> bool) -> bool {
    (0..looks).any(|_| hears(Some(Duration::ZERO)))
}

impl Sleeper<'_> {
    /// Where the next word comes soon, the system's way to sleep and back takes longer than to look for it a few times.
    /// Where many come, some may gather.
    fn listens_or_pauses(
        &self,
        limit: Option<Duration>,
        mut hears: impl FnMut(Option<Duration>) -> bool,
    ) -> bool {
        let Thread { pauses, heard, .. } = self.thread;
        let is_near = limit.is_some_and(|limit| limit < NEAR);
        if is_near || !pauses.has_chance(self.house().busy_for(self.thread.own_slot())) {
            return listens(LISTENS, hears);
        }
        if !listens(LISTENS_BEFORE_PAUSE, &mut hears) {
            park_exactly(PAUSE);
            hears(Some(Duration::ZERO));
            pauses.learn(heard.count());
        }
        // The pause's time is not in the limit: the clock is looked at again.
        true
    }
}

/// Parks for less than the system may add to the times of others.
#[cfg(target_os = "linux")]
fn park_exactly(time: Duration) {
    // Without it the pause is longer.
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
    park(Some(time));
    let _ = rustix::thread::set_current_timer_slack(None);
}

#[cfg(not(target_os = "linux"))]
fn park_exactly(time: Duration) {
    park(Some(time));
}

fn park(limit: Option<Duration>) {
    match limit {
        None => std::thread::park(),
        Some(limit) => std::thread::park_timeout(limit),
    }
}

impl Scheduler {
    /// Leaves the work that there is to others for some time.
    pub(crate) fn nap(&self, thread: &Thread, over: &dyn Fn() -> bool, time: Duration) {
        let sleeper = Sleeper::new(thread, over);
        sleeper.sleeps_long.set(time >= LONG_NAP);
        rest::nap(&sleeper, time);
    }

    /// Waits until there is something to do.
    pub(crate) fn sleep(&self, thread: &Thread, over: &dyn Fn() -> bool) {
        if self.idle.workers_awake() > 1 && self.idle.workers() > 1 {
            for _ in 0..SPINS {
                std::hint::spin_loop();
                if self.has_work() {
                    return;
                }
            }
        }
        thread.learn();
        rest::sleep(&Sleeper::new(thread, over));
        self.note_awake(thread.own_slot());
    }

    /// Waits although there may be work, since enough others are awake.
    pub(crate) fn sleep_surplus(&self, thread: &Thread, over: &dyn Fn() -> bool) {
        while let Some(what) = thread.take_queued() {
            self.inject(what);
        }
        rest::sleep_surplus(&Sleeper::new(thread, over));
    }

    /// Whether nobody runs, nothing is ready, and no time will come. The program is told by the end of its first
    /// fiber's wait.
    fn look_for_deadlock(&self, thread: &Thread) -> bool {
        if self.next_timer() != NEVER || self.outside.load(Ordering::SeqCst) > 0 || self.has_roots() != 1 {
            return false;
        }
        let is_busy = || self.has_any_work() || self.has_inboxes() || self.idle.awake() > 0;
        // Who helped from outside is not there any more, but what it did is.
        if is_busy() || !(self.hooks.is_alone)() || is_busy() {
            return false;
        }
        (self.hooks.deadlock)(self);
        self.each_root(|root| {
            // SAFETY: roots are listed as long as they live; all fibers are parked.
            if let Some(woken) = unsafe { (*root).end_any_wait(Outcome::Deadlock) } {
                thread.resume(Fiber::of_cell(woken.0));
            }
        });
        true
    }

    /// The thread moves again.
    pub(crate) fn forget_stuck(&self, slot: &Slot) {
        if slot.is_stuck.swap(false, Ordering::AcqRel) {
            self.idle.moves_again();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_hears_of_a_reason_while_it_looks_does_not_sleep() {
        for heard_at in 0..=3 {
            let mut looks = 0;
            let heard = listens(3, |limit| {
                assert_eq!(limit, Some(Duration::ZERO));
                looks += 1;
                looks == heard_at + 1
            });
            assert_eq!((heard, looks), (heard_at < 3, 3.min(heard_at + 1)));
        }
    }
}
