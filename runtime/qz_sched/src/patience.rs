//! How eager a thread is to take others' work: where that was not worth it, it looks more and more rarely.

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_deque::Stealer;

use crate::runnable::Runnable;
use crate::sched::Slot;

/// So often a thread without work looks at another's queue before it takes from it, if that is never empty.
const LOOKS: u32 = 12;
/// So often at least, if the other runs one and the same fiber meanwhile.
const FIRST_LOOKS: u32 = 2;
const BETWEEN_LOOKS: Duration = Duration::from_nanos(500);
/// What keeps a thread busy for so long was worth taking.
const PAYS: Duration = Duration::from_micros(8);
/// How often a thread leaves others' work to them, or should have, before it waits until it looks again: for twice so
/// long the first time, for four times the next, up to this power of two.
const PATIENCE: u32 = 3;
const NAP: Duration = Duration::from_micros(25);
const LONGEST_NAP: u32 = 6;
/// So many locks that others held, within such a time, are too many: the threads hinder each other.
const MEETINGS: u32 = 16;
const TOO_SOON: Duration = Duration::from_micros(64);

/// What a thread has learnt of taking others' work.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    /// When it last took others' work, unless it has had none since.
    took_at: Cell<Option<Instant>>,
    /// How often one after the other it left others' work to them, or should have.
    refusals: Cell<u32>,
    /// How many locks that others held its fibers met, and since when they are counted.
    met: Cell<u32>,
    met_since: Cell<Option<Instant>>,
    /// When they were too many the last time.
    hindered_at: Cell<Option<Instant>>,
}

impl Patience {
    /// Before it looks for others' work: for how long it is to wait first.
    pub(crate) fn nap(&self) -> Option<Duration> {
        self.nap_after(self.took_at.take().map(|at| at.elapsed()))
    }

    fn nap_after(&self, busy: Option<Duration>) -> Option<Duration> {
        match busy.map(|time| time >= PAYS) {
            Some(true) => self.refusals.set(self.refusals.get() / 2),
            Some(false) => self.refusals.set(self.refusals.get() + 1),
            None => {}
        }
        let too_many = self.refusals.get().saturating_sub(PATIENCE);
        (too_many > 0).then(|| NAP * (1 << too_many.min(LONGEST_NAP)))
    }

    /// Whether what waits in another thread's queue waits for long: its owner is busy with something else, or has more
    /// than it can do soon. Fibers that work for each other, a microsecond each, are faster on one thread than on two,
    /// and their queue is empty again and again.
    pub(crate) fn takes(&self, slot: &Slot, queue: &Stealer<Runnable>) -> bool {
        let takes = lasts(slot, queue);
        match takes {
            true => self.took_at.set(Some(Instant::now())),
            false => self.refusals.set(self.refusals.get() + 1),
        }
        takes
    }

    /// A fiber met a lock that another one holds. True if that happens so often that it is better off on the holder's
    /// thread: a lock that goes to and fro between processors takes ten times as long as one that stays.
    pub(crate) fn is_hindered(&self) -> bool {
        self.meets(Instant::now)
    }

    fn meets(&self, clock: impl Fn() -> Instant) -> bool {
        if self.hindered_at.get().is_some_and(|at| clock() - at < TOO_SOON) {
            return true;
        }
        self.met.set(self.met.get() + 1);
        if self.met.get() < MEETINGS {
            return false;
        }
        self.met.set(0);
        let now = clock();
        let is_hindered = self.met_since.replace(Some(now)).is_some_and(|since| now - since < TOO_SOON);
        if is_hindered {
            self.hindered_at.set(Some(now));
            // What it took was not worth taking, however long it was busy with that.
            self.took_at.set(None);
            self.refusals.set(self.refusals.get().max(PATIENCE) + 1);
        }
        is_hindered
    }
}

/// Looks at another thread's queue for some time; false as soon as it is empty.
fn lasts(slot: &Slot, queue: &Stealer<Runnable>) -> bool {
    let switches = slot.switches.load(Ordering::Relaxed);
    for look in 0..LOOKS {
        let began = Instant::now();
        while began.elapsed() < BETWEEN_LOOKS {
            std::hint::spin_loop();
        }
        if queue.is_empty() {
            return false;
        }
        if look >= FIRST_LOOKS && slot.switches.load(Ordering::Relaxed) == switches {
            return true;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many meetings, with such a time between them; how many of them were too many.
    fn hindered(patience: &Patience, meetings: u32, between: Duration) -> usize {
        let start = Instant::now();
        (0..meetings).filter(|&n| patience.meets(|| start + between * n)).count()
    }

    #[test]
    fn locks_met_all_the_time_hinder() {
        let patience = Patience::default();
        let meetings = 4 * MEETINGS;
        assert!(hindered(&patience, meetings, TOO_SOON / (2 * MEETINGS)) > meetings as usize / 4);
        assert!(patience.nap().is_some(), "what it took was not worth taking");
    }

    #[test]
    fn locks_met_now_and_then_do_not() {
        let patience = Patience::default();
        assert_eq!(hindered(&patience, 10 * MEETINGS, 2 * TOO_SOON / MEETINGS), 0);
        assert_eq!(patience.nap(), None);
    }

    #[test]
    fn patience_grows_with_work_that_was_soon_done_and_ends_with_work_that_was_not() {
        let patience = Patience::default();
        let naps: Vec<_> = (0..20).map(|_| patience.nap_after(Some(PAYS / 2))).collect();
        assert!(naps.is_sorted());
        assert_eq!(naps.first(), Some(&None));
        assert_eq!(naps.last(), Some(&Some(NAP * (1 << LONGEST_NAP))));
        let naps: Vec<_> = (0..6).map(|_| patience.nap_after(Some(2 * PAYS))).collect();
        assert_eq!(naps.last(), Some(&None));
    }
}
