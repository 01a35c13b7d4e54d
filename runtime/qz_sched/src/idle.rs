//! Threads without work: how they sleep, who wakes them, and what it means when all of them sleep.
//!
//! One that goes to sleep says so first and then looks at the queues once more; one that adds to a queue looks for
//! sleepers afterwards. So one of both sees the other.
//!
//! The last to fall asleep keeps the clock: it sleeps until the next wait for the time ends. A thread that has run
//! one fiber for long does not count as one at work ([`crate::monitor`]).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::fiber::Fiber;
use crate::sched::{MAX_THREADS, Scheduler, Slot};
use crate::thread::Thread;
use crate::timer::NEVER;
use crate::wait::Outcome;

#[derive(Debug, Default)]
pub(crate) struct Idle {
    sleepers: Mutex<Sleepers>,
    /// Threads that are not asleep, those that begin included.
    awake: AtomicUsize,
    /// Those of them that run one task only, and leave other work to workers.
    exclusive: AtomicUsize,
    /// Threads that have run one fiber for long.
    pub(crate) stuck: AtomicUsize,
    /// One of the sleepers wakes for the clock.
    has_keeper: AtomicBool,
    /// It waits for descriptors meanwhile.
    keeper_polls: AtomicBool,
}

#[derive(Debug, Default)]
struct Sleepers {
    slots: Vec<usize>,
    keeper: Option<usize>,
}

impl Idle {
    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// A thread will come, or comes by itself.
    pub(crate) fn thread_begins(&self) {
        self.awake.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn thread_ended(&self) {
        self.awake.fetch_sub(1, Ordering::SeqCst);
    }

    /// The same for a thread that runs one task only. What is awake without it never looks like more than it is.
    pub(crate) fn exclusive_begins(&self) {
        self.exclusive.fetch_add(1, Ordering::SeqCst);
        self.thread_begins();
    }

    pub(crate) fn exclusive_ended(&self) {
        self.thread_ended();
        self.exclusive.fetch_sub(1, Ordering::SeqCst);
    }

    /// Threads that are not asleep and run whatever there is.
    fn workers_awake(&self) -> usize {
        self.awake().saturating_sub(self.exclusive.load(Ordering::SeqCst))
    }

    pub(crate) fn has_keeper(&self) -> bool {
        self.has_keeper.load(Ordering::SeqCst)
    }

    pub(crate) fn awake(&self) -> usize {
        self.awake.load(Ordering::SeqCst)
    }
}

/// Looks for work before sleep, where another thread may soon have some.
const SPINS: u32 = 200;

impl Scheduler {
    /// How many threads may be awake: as many as asked for, and one for each that is stuck.
    fn permitted(&self) -> usize {
        (self.workers.load(Ordering::Relaxed) + self.idle.stuck.load(Ordering::Relaxed)).min(MAX_THREADS)
    }

    pub(crate) fn has_surplus(&self) -> bool {
        self.idle.workers_awake() > self.permitted()
    }

    /// There is something to run: another thread looks for it if one may.
    pub(crate) fn wake_one(&self) {
        fence(Ordering::SeqCst);
        if self.idle.workers_awake() < self.permitted() {
            self.wake_one_slowly();
        }
    }

    #[cold]
    fn wake_one_slowly(&self) {
        let mut sleepers = self.idle.sleepers();
        if self.idle.workers_awake() >= self.permitted() {
            return;
        }
        // Whoever keeps the clock is woken last.
        let position = sleepers.slots.iter().rposition(|&slot| sleepers.keeper != Some(slot));
        let position = position.or(sleepers.slots.len().checked_sub(1));
        match position {
            Some(position) => {
                let slot = sleepers.slots.swap_remove(position);
                self.rouse(slot);
            }
            None if !self.single && self.state() == crate::State::Running => {
                self.idle.awake.fetch_add(1, Ordering::SeqCst);
                drop(sleepers);
                if !self.start_thread() {
                    self.idle.thread_ended();
                }
            }
            None => {}
        }
    }

    /// Wakes a thread that was taken off the list.
    fn rouse(&self, slot: usize) {
        let slot = self.slot(slot);
        self.wakes(slot);
        slot.asleep.store(false, Ordering::SeqCst);
        self.unpark(slot);
        self.rouse_monitor();
    }

    fn wakes(&self, slot: &Slot) {
        match slot.exclusive.load(Ordering::Relaxed) {
            true => self.idle.exclusive_begins(),
            false => self.idle.thread_begins(),
        }
    }

    /// Something is there that only this thread may run.
    pub(crate) fn wake_slot(&self, slot: &Slot) {
        fence(Ordering::SeqCst);
        if !slot.asleep.load(Ordering::SeqCst) {
            return;
        }
        let mut sleepers = self.idle.sleepers();
        if let Some(at) = sleepers.slots.iter().position(|&it| std::ptr::eq(self.slot(it), slot)) {
            let found = sleepers.slots.swap_remove(at);
            self.rouse(found);
        }
    }

    pub(crate) fn wake_all(&self) {
        let mut sleepers = self.idle.sleepers();
        while let Some(slot) = sleepers.slots.pop() {
            self.rouse(slot);
        }
    }

    /// The first deadline is another one: whoever keeps the clock has to know.
    pub(crate) fn timer_changed(&self) {
        fence(Ordering::SeqCst);
        if self.idle.has_keeper.load(Ordering::SeqCst) {
            let keeper = self.idle.sleepers().keeper;
            if let Some(keeper) = keeper {
                self.unpark(self.slot(keeper));
            }
        }
    }

    /// Waits until there is something to do.
    pub(crate) fn sleep(&self, thread: &Thread, over: &dyn Fn() -> bool) {
        if self.idle.workers_awake() > 1 && self.workers.load(Ordering::Relaxed) > 1 {
            for _ in 0..SPINS {
                std::hint::spin_loop();
                if self.has_work() {
                    return;
                }
            }
        }
        self.announce(thread);
        if self.has_work_for(thread) || over() {
            return self.withdraw(thread);
        }
        if self.idle.awake() == 0 {
            if self.seed.is_some() && self.pass_time() {
                return self.withdraw(thread);
            }
            if self.look_for_deadlock(thread) {
                return self.withdraw(thread);
            }
        }
        self.rest(thread, over);
        self.withdraw(thread);
    }

    /// Waits although there may be work, since enough others are awake.
    pub(crate) fn sleep_surplus(&self, thread: &Thread, over: &dyn Fn() -> bool) {
        while let Some(what) = thread.take_queued() {
            self.inject(what);
        }
        self.announce(thread);
        if !thread.own_slot().has_inbox.load(Ordering::SeqCst) && self.idle.workers_awake() > 0 {
            self.rest(thread, over);
        }
        self.withdraw(thread);
    }

    fn announce(&self, thread: &Thread) {
        let mut sleepers = self.idle.sleepers();
        thread.own_slot().asleep.store(true, Ordering::SeqCst);
        sleepers.slots.push(thread.slot);
        match thread.exclusive {
            true => self.idle.exclusive_ended(),
            false => self.idle.thread_ended(),
        }
        drop(sleepers);
        fence(Ordering::SeqCst);
    }

    /// Is awake again, whether somebody woke it or not.
    fn withdraw(&self, thread: &Thread) {
        let mut sleepers = self.idle.sleepers();
        if sleepers.keeper == Some(thread.slot) {
            sleepers.keeper = None;
            self.idle.has_keeper.store(false, Ordering::SeqCst);
        }
        if let Some(at) = sleepers.slots.iter().position(|&it| it == thread.slot) {
            sleepers.slots.swap_remove(at);
            self.wakes(thread.own_slot());
            thread.own_slot().asleep.store(false, Ordering::SeqCst);
            self.rouse_monitor();
        }
    }

    fn has_work_for(&self, thread: &Thread) -> bool {
        match thread.exclusive {
            true => thread.own_slot().has_inbox.load(Ordering::SeqCst),
            false => self.has_work(),
        }
    }

    /// Sleeps until it is woken, or the next wait for the time ends if nobody else looks after that.
    fn rest(&self, thread: &Thread, over: &dyn Fn() -> bool) {
        let is_keeper = !thread.exclusive && {
            let mut sleepers = self.idle.sleepers();
            let free = sleepers.keeper.is_none();
            if free {
                sleepers.keeper = Some(thread.slot);
                self.idle.has_keeper.store(true, Ordering::SeqCst);
            }
            free
        };
        while thread.own_slot().asleep.load(Ordering::SeqCst) && !over() {
            if !is_keeper {
                std::thread::park();
                continue;
            }
            fence(Ordering::SeqCst);
            let next = self.next_timer();
            let now = self.now();
            if next <= now {
                return;
            }
            let limit = (next != NEVER).then(|| Duration::from_nanos(next - now));
            match (self.known_reactor(), limit) {
                (Some(reactor), _) => {
                    self.idle.keeper_polls.store(true, Ordering::SeqCst);
                    if thread.own_slot().asleep.load(Ordering::SeqCst) && !over() {
                        reactor.wait(thread, limit);
                    }
                    self.idle.keeper_polls.store(false, Ordering::SeqCst);
                    if thread.has_next() {
                        return;
                    }
                }
                (None, None) => std::thread::park(),
                (None, Some(limit)) => std::thread::park_timeout(limit),
            }
        }
    }

    fn unpark(&self, slot: &Slot) {
        if let Some(handle) = &*slot.handle.lock().unwrap_or_else(|poison| poison.into_inner()) {
            handle.unpark();
        }
        if self.idle.keeper_polls.load(Ordering::SeqCst)
            && let Some(reactor) = self.known_reactor()
        {
            reactor.notify();
        }
    }

    /// Whether nobody runs, nothing is ready, and no time will come. The program is told by the end of its first
    /// fiber's wait.
    fn look_for_deadlock(&self, thread: &Thread) -> bool {
        let others_may_help = self.outside.load(Ordering::SeqCst) > 0 || !(self.hooks.is_alone)();
        if self.next_timer() != NEVER || others_may_help || self.has_roots() != 1 {
            return false;
        }
        if self.has_work() || self.idle.awake() > 0 {
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
            self.idle.stuck.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
