//! A house of threads that sleep: the protocol is that of `qz_sched`, the work is numbers.
//!
//! The queues stand for those of `crossbeam`, which the checker cannot look into: what is pushed is published by a
//! `Release`, seen by an `Acquire`, and no access is stronger than that but the one that takes.

use std::time::Duration;

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::{Condvar, Mutex};

use crate::rest::{self, Bed, Clock, Guest, House, Rests};

/// How many things were pushed, and how many were taken.
#[derive(Default)]
pub struct Line {
    pushed: AtomicUsize,
    taken: AtomicUsize,
}

impl Line {
    /// For one thread at a time.
    fn push(&self) {
        self.pushed.store(self.pushed.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    fn is_empty(&self) -> bool {
        self.taken.load(Ordering::Acquire) == self.pushed.load(Ordering::Acquire)
    }

    /// Takes the first, or half of what there is.
    fn take(&self, half: bool) -> usize {
        loop {
            let taken = self.taken.load(Ordering::Acquire);
            let there = self.pushed.load(Ordering::Acquire).saturating_sub(taken);
            if there == 0 {
                return 0;
            }
            let count = if half { there.div_ceil(2) } else { 1 };
            let swapped =
                self.taken.compare_exchange(taken, taken + count, Ordering::SeqCst, Ordering::Relaxed);
            if swapped.is_ok() {
                return count;
            }
        }
    }
}

/// What only one thread may run.
#[derive(Default)]
struct Inbox {
    count: Mutex<usize>,
    has_any: AtomicBool,
}

/// What all threads of the house see.
pub struct Model {
    rests: Rests,
    beds: Vec<Bed>,
    parked: Vec<Word>,
    /// From outside, and a queue for each thread.
    injector: Line,
    lines: Vec<Line>,
    inboxes: Vec<Inbox>,
    done: AtomicUsize,
    /// All that there is to be done is done.
    wanted: usize,
    /// When somebody waits for the time: 0 for never. The clock goes on when somebody waits for it.
    timer: AtomicUsize,
    /// A reactor, and whether it was told that its wait is to end.
    reactor: Option<Word>,
    /// What the system has to say: how often.
    events: AtomicUsize,
    /// The clock is left to workers that are awake.
    leaves_clock: bool,
}

/// What a thread may be told while it waits, or before it does. (The checker's own `park` may let a thread into a lock.)
#[derive(Default)]
struct Word {
    told: Mutex<bool>,
    changed: Condvar,
}

impl Word {
    fn tell(&self) {
        *self.told.lock().unwrap() = true;
        self.changed.notify_one();
    }

    fn take(&self) -> bool {
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    fn wait(&self) {
        let mut told = self.told.lock().unwrap();
        while !std::mem::take(&mut *told) {
            told = self.changed.wait(told).unwrap();
        }
    }
}

impl Model {
    /// So many threads, the last of which run one task only, and so many things to be done before all go home.
    pub fn new(workers: usize, threads: usize, wanted: usize, has_reactor: bool) -> Model {
        let (beds, lines) =
            ((0..threads).map(|_| Bed::default()).collect(), (0..threads).map(|_| Line::default()));
        let model = Model {
            rests: Rests::default(),
            beds,
            parked: (0..threads).map(|_| Word::default()).collect(),
            injector: Line::default(),
            lines: lines.collect(),
            inboxes: (0..threads).map(|_| Inbox::default()).collect(),
            done: AtomicUsize::new(0),
            wanted,
            timer: AtomicUsize::new(0),
            reactor: has_reactor.then(Word::default),
            events: AtomicUsize::new(0),
            leaves_clock: false,
        };
        model.rests.set_workers(workers);
        model
    }

    /// The same with a reactor, where the clock is left to workers that are awake.
    pub fn with_brief_events(workers: usize, threads: usize, wanted: usize) -> Model {
        Model { leaves_clock: true, ..Model::new(workers, threads, wanted, true) }
    }

    /// The system has something to say, by which one thing is to be done.
    pub fn happen(&self) {
        self.events.fetch_add(1, Ordering::SeqCst);
        self.reactor.iter().for_each(Word::tell);
    }

    /// The thread that calls this is one of the house. All of them are before the first begins to work.
    pub fn admit(&self, number: usize, exclusive: bool) {
        self.beds[number].set_up(exclusive);
        self.rests.thread_begins(exclusive);
    }

    /// As `Scheduler::inject`.
    pub fn inject(&self) {
        self.injector.push();
        rest::wake_one(self);
    }

    /// As `Thread::ready_later`.
    pub fn push(&self, number: usize) {
        self.lines[number].push();
        rest::wake_one(self);
    }

    /// As `Scheduler::send_to`.
    pub fn send_to(&self, number: usize) {
        let inbox = &self.inboxes[number];
        let mut count = inbox.count.lock().unwrap();
        *count += 1;
        inbox.has_any.store(true, Ordering::SeqCst);
        drop(count);
        rest::wake(self, number);
    }

    /// As `Scheduler::add_timer`.
    pub fn add_timer(&self) {
        self.timer.swap(1, Ordering::AcqRel);
        rest::clock_changed(self);
    }

    /// As `Scheduler::poll_now`.
    pub fn poll_now(&self) {
        if let Some(reactor) = &self.reactor {
            self.rests.poll_now(|| _ = reactor.take());
        }
    }

    /// As `Thread::run_until`, until all is done.
    pub fn serve(&self, number: usize) {
        let resident = Resident { model: self, number, naps: false };
        while !resident.is_over() {
            match resident.find() {
                0 => rest::sleep(&resident),
                count => self.finish(count),
            }
        }
    }

    /// As [`Model::serve`] where more threads are awake than may be.
    pub fn serve_surplus(&self, number: usize) {
        if self.rests.has_surplus() {
            rest::sleep_surplus(&Resident { model: self, number, naps: false });
        }
        self.serve(number);
    }

    /// As [`Model::serve`] by one that leaves work to others for a time that never ends: only a word ends it.
    pub fn serve_after_nap(&self, number: usize) {
        rest::nap(&Resident { model: self, number, naps: true }, Duration::MAX);
        self.serve(number);
    }

    /// So much is done; who did the last of it tells all.
    fn finish(&self, count: usize) {
        if self.done.fetch_add(count, Ordering::SeqCst) + count == self.wanted {
            rest::wake_all(self);
        }
    }

    /// After all have gone home.
    pub fn is_quiet(&self) -> bool {
        self.done.load(Ordering::SeqCst) == self.wanted && self.rests.awake() == self.beds.len()
    }
}

impl House for Model {
    fn rests(&self) -> &Rests {
        &self.rests
    }

    fn bed(&self, number: usize) -> &Bed {
        &self.beds[number]
    }

    fn unpark(&self, number: usize) {
        self.parked[number].tell();
    }

    fn end_poll(&self) {
        if let Some(reactor) = &self.reactor {
            reactor.tell();
        }
    }

    fn has_woken(&self) {}

    fn begin_worker(&self) -> bool {
        false
    }

    fn has_more(&self) -> bool {
        false
    }
}

struct Resident<'a> {
    model: &'a Model,
    number: usize,
    naps: bool,
}

impl Resident<'_> {
    fn is_exclusive(&self) -> bool {
        self.model.beds[self.number].is_exclusive()
    }

    /// Work of any kind, from wherever it can be had: how much. As `Thread::find`; what is stolen in a batch goes to
    /// its own queue.
    fn find(&self) -> usize {
        let model = self.model;
        let inbox = &model.inboxes[self.number];
        if inbox.has_any.load(Ordering::Acquire) {
            let mut count = inbox.count.lock().unwrap();
            inbox.has_any.store(false, Ordering::Release);
            return std::mem::take(&mut *count);
        }
        if self.is_exclusive() {
            return 0;
        }
        if model.timer.load(Ordering::Acquire) == 2 && model.timer.swap(0, Ordering::AcqRel) == 2 {
            return 1;
        }
        let mut heard = 0;
        model.rests.poll_now(|| heard = model.events.swap(0, Ordering::SeqCst));
        if heard > 0 {
            return heard;
        }
        let others = (0..model.lines.len()).filter(|&it| it != self.number).map(|it| &model.lines[it]);
        let own = &model.lines[self.number];
        let stolen = || {
            let batch = others.chain([&model.injector]).map(|it| it.take(true)).find(|&it| it > 0)?;
            (1..batch).for_each(|_| own.push());
            Some(1)
        };
        match own.take(false) {
            0 => stolen().unwrap_or(0),
            count => count,
        }
    }
}

impl Guest for Resident<'_> {
    type House = Model;

    fn house(&self) -> &Model {
        self.model
    }

    fn number(&self) -> usize {
        self.number
    }

    fn has_work(&self) -> bool {
        let lines = || !self.model.injector.is_empty() || self.model.lines.iter().any(|it| !it.is_empty());
        self.has_own_work() || (!self.is_exclusive() && lines())
    }

    fn has_own_work(&self) -> bool {
        self.model.inboxes[self.number].has_any.load(Ordering::SeqCst)
    }

    fn all_sleep(&self) -> bool {
        false
    }

    fn is_over(&self) -> bool {
        self.model.done.load(Ordering::SeqCst) == self.model.wanted
    }

    fn clock(&self) -> Clock {
        match self.model.timer.load(Ordering::Acquire) {
            0 => Clock::Never,
            1 => Clock::In(Duration::ZERO),
            _ => Clock::Now,
        }
    }

    fn park(&self, limit: Option<Duration>) {
        match limit {
            None => self.model.parked[self.number].wait(),
            Some(_) if self.naps => self.model.parked[self.number].wait(),
            // The time has come.
            Some(_) => self.model.timer.store(2, Ordering::Release),
        }
    }

    fn polls(&self) -> bool {
        self.model.reactor.is_some()
    }

    fn leaves_clock(&self) -> bool {
        self.model.leaves_clock
    }

    fn poll(&self, limit: Option<Duration>) -> bool {
        if limit.is_some() {
            self.model.timer.store(2, Ordering::Release);
            return false;
        }
        if let Some(reactor) = &self.model.reactor {
            // It looks before it sleeps, and a word that came by then is its own.
            let is_told = reactor.take();
            if !is_told {
                reactor.wait();
            }
        }
        self.model.events.load(Ordering::SeqCst) > 0
    }
}
