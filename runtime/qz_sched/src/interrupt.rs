//! What may end a fiber's wait although nothing that it waits for has come: a cancellation of its task, or somebody who
//! wants it to leave what it is at.
//!
//! Who waits says first which wait may be ended, and then looks whether it is to be; who interrupts says so first, and
//! then looks for the wait. So one of both sees the other, and the wait's cell decides between them.

use crate::alone::SharedWord;
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering, store_comes_first};
use crate::wait::{Generation, Outcome, WaitCell};

/// For one fiber.
#[derive(Debug)]
pub struct Interrupts {
    /// It is to end at its next wait.
    wanted: AtomicBool,
    /// How many want it to leave what it is at, and have had no effect yet.
    count: AtomicU32,
    /// It was told so: what it does from now on is its end.
    told: AtomicBool,
    /// The wait that may be ended, or 0. One that is over is told by its generation.
    open: AtomicU64,
}

impl Interrupts {
    pub fn new() -> Interrupts {
        Interrupts {
            wanted: AtomicBool::new(false),
            count: AtomicU32::new(0),
            told: AtomicBool::new(false),
            open: AtomicU64::new(0),
        }
    }

    /// For the next job of the fiber, which is in nobody's use.
    pub fn reset(&self) {
        self.wanted.store(false, Ordering::Relaxed);
        self.count.store(0, Ordering::Relaxed);
        self.told.store(false, Ordering::Relaxed);
        self.open.store(0, Ordering::Relaxed);
    }

    /// Whether the fiber is to end where it would wait.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// The same, for a fiber that ends then.
    #[inline]
    pub fn ends_here(&self) -> bool {
        let wanted = self.is_wanted();
        if wanted {
            self.note_end();
        }
        wanted
    }

    /// The fiber learned that it is to end.
    pub fn note_end(&self) {
        self.told.store(true, Ordering::Relaxed);
    }

    /// Whether the fiber is at its end.
    pub fn ends(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }

    /// It is, from its start.
    pub fn want(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// The wait that the fiber has begun may be ended from now on; it is, if that was asked for before.
    pub fn admit(&self, cell: &WaitCell, generation: Generation) {
        self.open.publish(generation.bits());
        store_comes_first();
        if self.wanted.load(Ordering::SeqCst) && cell.claim(generation) {
            cell.complete(Outcome::Cancelled);
        }
    }

    /// The fiber is to end. True if its wait is over now and it has left its stack: the caller resumes it.
    pub fn cancel(&self, cell: &WaitCell) -> bool {
        self.wanted.store(true, Ordering::SeqCst);
        store_comes_first();
        let open = Generation::from_bits(self.open.load(Ordering::SeqCst));
        open.is_some_and(|generation| cell.claim(generation) && cell.complete(Outcome::Cancelled))
    }

    /// The same, until the fiber has [settled](Interrupts::settle) that.
    pub fn interrupt(&self, cell: &WaitCell) -> bool {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.cancel(cell)
    }

    /// One interruption has had its effect. `is_cancelled` says whether the task is to end all the same. For the fiber
    /// itself.
    pub fn settle(&self, is_cancelled: impl Fn() -> bool) {
        self.count.fetch_sub(1, Ordering::SeqCst);
        self.wanted.store(false, Ordering::SeqCst);
        self.told.store(false, Ordering::Relaxed);
        if is_cancelled() || self.count.load(Ordering::SeqCst) > 0 {
            self.wanted.store(true, Ordering::SeqCst);
        }
    }
}
