//! The monitor: a thread that looks now and then whether the others still move.
//!
//! One that has run the same fiber for long (a computation, a call of C that blocks) does not count as one at work,
//! so another thread may take over what waits. The kernel shares the processors out among them; when the fiber
//! stops at last, the surplus goes to sleep. So generated code needs no tests of its own in loops.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::rest;
use crate::sched::{MAX_THREADS, Scheduler};
use crate::timer::NEVER;

/// How long a fiber may run before others are given a thread: at most twice this.
const LOOK: Duration = Duration::from_millis(2);
/// Looks without anybody at work before the monitor goes to sleep.
const QUIET: u32 = 20;

impl Scheduler {
    /// Starts the monitor, unless there is one.
    pub(crate) fn start_monitor(&self) {
        if self.has_monitor.swap(true, Ordering::AcqRel) {
            return;
        }
        let started = self.spawn_thread(|scheduler| {
            *scheduler.monitor.lock().unwrap_or_else(|it| it.into_inner()) = Some(std::thread::current());
            scheduler.watch();
            scheduler.has_monitor.store(false, Ordering::Release);
        });
        if !started {
            self.has_monitor.store(false, Ordering::Release);
        }
    }

    /// Somebody is at work again.
    pub(crate) fn rouse_monitor(&self) {
        if self.monitor_sleeps.load(Ordering::Relaxed) {
            self.unpark_monitor();
        }
    }

    pub(crate) fn unpark_monitor(&self) {
        self.monitor_sleeps.store(false, Ordering::SeqCst);
        if let Some(handle) = &*self.monitor.lock().unwrap_or_else(|it| it.into_inner()) {
            handle.unpark();
        }
    }

    fn watch(&self) {
        let mut seen = vec![0; MAX_THREADS];
        let mut quiet = 0;
        while !self.stopping.load(Ordering::Acquire) {
            quiet = if self.idle.awake() == 0 { quiet + 1 } else { 0 };
            if quiet < QUIET {
                std::thread::park_timeout(LOOK);
            } else {
                self.monitor_sleeps.store(true, Ordering::SeqCst);
                if self.idle.awake() == 0 && !self.stopping.load(Ordering::SeqCst) {
                    std::thread::park();
                }
                self.monitor_sleeps.store(false, Ordering::SeqCst);
                quiet = 0;
            }
            self.look(&mut seen);
        }
    }

    /// Marks the threads that have not moved since the last look, and wakes others for their work.
    fn look(&self, seen: &mut [u64]) {
        let (mut stuck, mut overworked, mut computing) = (false, false, 0);
        for (index, seen) in seen.iter_mut().enumerate().take(self.slots_in_use()) {
            let slot = self.slot(index);
            let switches = slot.switches.load(Ordering::Relaxed);
            let moved = std::mem::replace(seen, switches) != switches;
            let is_worker = !slot.bed.is_exclusive();
            let is_awake = slot.in_use.load(Ordering::Acquire) && !slot.bed.rests();
            let at_work = is_worker && is_awake;
            computing += usize::from(is_awake && !moved);
            if !at_work {
                self.forget_stuck(slot);
            } else if !moved && !slot.is_stuck.swap(true, Ordering::AcqRel) {
                self.idle.gets_stuck();
            }
            stuck |= slot.is_stuck.load(Ordering::Relaxed);
            overworked |= at_work && self.is_overworked(slot);
        }
        self.look_at_end(computing);
        let nobody_listens = overworked && self.hears_briefly() && !self.idle.has_keeper();
        if (stuck && self.is_waited_for()) || nobody_listens {
            rest::wake_one_from_outside(self);
        }
    }

    /// Whether another thread would find something to do, or should wait for it.
    fn is_waited_for(&self) -> bool {
        let handed = |index| {
            let slot = self.slot(index);
            slot.is_stuck.load(Ordering::Relaxed) && slot.next.load(Ordering::Relaxed) != 0
        };
        self.has_work()
            || (0..self.slots_in_use()).any(handed)
            || (!self.idle.has_keeper() && (self.next_timer() != NEVER || self.known_reactor().is_some()))
    }
}
