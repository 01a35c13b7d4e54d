//! The protocol by which threads without work sleep and are woken, apart from what the work is.
//!
//! One that goes to sleep says so first and then looks for work once more; one that makes work looks for sleepers
//! afterwards. So one of both sees the other. `qz_models` runs this file in every order of what threads do.
//!
//! One of those that sleep keeps the clock: it sleeps until the next wait for the time ends, and waits for descriptors
//! meanwhile. While what is heard of them is soon over, that is left to workers that are awake ([`Guest::leaves_clock`]):
//! the last to fall asleep keeps the clock.

use std::time::Duration;

use crate::alone;
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering, fence};

/// What others see of a thread that sleeps now and then.
#[derive(Debug, Default)]
pub(crate) struct Bed {
    asleep: AtomicBool,
    /// It waits although it counts as awake ([`nap`]).
    naps: AtomicBool,
    /// It runs one task only, and leaves other work to workers.
    exclusive: AtomicBool,
}

impl Bed {
    /// For the next thread.
    pub(crate) fn set_up(&self, exclusive: bool) {
        self.exclusive.store(exclusive, Ordering::Relaxed);
        self.asleep.store(false, Ordering::Release);
    }

    pub(crate) fn is_exclusive(&self) -> bool {
        self.exclusive.load(Ordering::Relaxed)
    }

    pub(crate) fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::SeqCst)
    }

    /// Whether its thread sleeps or naps.
    pub(crate) fn rests(&self) -> bool {
        self.is_asleep() || self.naps.load(Ordering::SeqCst)
    }
}

/// Who sleeps, and how many do not.
#[derive(Debug, Default)]
pub(crate) struct Rests {
    sleepers: Mutex<Sleepers>,
    /// Threads that are not asleep, those that begin included: workers in the lower half, the others in the upper one.
    /// One look sees both.
    awake: AtomicU64,
    /// How many workers were asked for.
    workers: AtomicUsize,
    /// Threads that have run one fiber for long.
    stuck: AtomicUsize,
    /// One of the sleepers wakes for the clock.
    has_keeper: AtomicBool,
    /// Held by who waits for descriptors: nobody else takes the word meant for the keeper.
    polling: Mutex<()>,
}

#[derive(Debug, Default)]
struct Sleepers {
    workers: Vec<usize>,
    exclusive: Vec<usize>,
    /// Those that nap.
    napping: Vec<usize>,
    keeper: Option<usize>,
}

impl Sleepers {
    fn list(&mut self, exclusive: bool) -> &mut Vec<usize> {
        if exclusive { &mut self.exclusive } else { &mut self.workers }
    }

    /// Takes one off the list; false if it is not there.
    fn remove(&mut self, number: usize, exclusive: bool) -> bool {
        let list = self.list(exclusive);
        let at = list.iter().position(|&it| it == number);
        at.map(|at| list.swap_remove(at)).is_some()
    }

    /// A worker to be woken: whoever keeps the clock comes last.
    fn take_worker(&mut self) -> Option<usize> {
        let keeper = self.keeper;
        let at = self.workers.iter().rposition(|&it| keeper != Some(it));
        at.or(self.workers.len().checked_sub(1)).map(|at| self.workers.swap_remove(at))
    }
}

/// Where threads sleep.
pub(crate) trait House {
    fn rests(&self) -> &Rests;
    fn bed(&self, number: usize) -> &Bed;
    /// Ends a [`Guest::park`], the next one if there is none.
    fn unpark(&self, number: usize);
    /// Ends a [`Guest::poll`], the next one if there is none.
    fn end_poll(&self);
    /// Somebody who slept is awake.
    fn has_woken(&self);
    /// One more worker may begin, if there can be one: whether it does.
    fn begin_worker(&self) -> bool;
    /// Whether workers can begin.
    fn has_more(&self) -> bool;
}

/// A thread of a house.
pub(crate) trait Guest {
    type House: House;
    fn house(&self) -> &Self::House;
    fn number(&self) -> usize;
    /// Whether there is something that it may run.
    fn has_work(&self) -> bool;
    /// Whether there is something that nobody else may run.
    fn has_own_work(&self) -> bool;
    /// All sleep. True if that gave this one something to do.
    fn all_sleep(&self) -> bool;
    /// Whether it has no reason to sleep any more.
    fn is_over(&self) -> bool;
    fn clock(&self) -> Clock;
    fn park(&self, limit: Option<Duration>);
    /// Whether there are descriptors to wait for.
    fn polls(&self) -> bool;
    /// Whether the clock is left to workers as long as one moves.
    fn leaves_clock(&self) -> bool;
    /// Waits for descriptors, until the word of [`House::end_poll`] comes at the latest. True if one of them gave this
    /// thread something to do.
    fn poll(&self, limit: Option<Duration>) -> bool;
}

/// When somebody waits for the time.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Clock {
    Never,
    In(Duration),
    Now,
}

const WORKER: u64 = 1;
const EXCLUSIVE: u64 = 1 << 32;

fn one(exclusive: bool) -> u64 {
    if exclusive { EXCLUSIVE } else { WORKER }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poison| poison.into_inner())
}

impl Rests {
    /// A thread will come, or comes by itself.
    pub(crate) fn thread_begins(&self, exclusive: bool) {
        self.awake.fetch_add(one(exclusive), Ordering::SeqCst);
    }

    pub(crate) fn thread_ended(&self, exclusive: bool) {
        self.awake.fetch_sub(one(exclusive), Ordering::SeqCst);
    }

    /// Threads that are not asleep.
    pub(crate) fn awake(&self) -> usize {
        let both = self.awake.load(Ordering::SeqCst);
        (both % EXCLUSIVE + both / EXCLUSIVE) as usize
    }

    /// Those of them that run something, or look for it and may find it.
    pub(crate) fn at_work(&self) -> usize {
        let napping = locked(&self.sleepers).napping.len();
        // Fewer are awake if one of them fell asleep meanwhile.
        self.awake().saturating_sub(napping)
    }

    /// Those of them that run whatever there is.
    pub(crate) fn workers_awake(&self) -> usize {
        (self.awake.load(Ordering::SeqCst) % EXCLUSIVE) as usize
    }

    pub(crate) fn has_keeper(&self) -> bool {
        self.has_keeper.load(Ordering::SeqCst)
    }

    /// How many workers were asked for.
    pub(crate) fn workers(&self) -> usize {
        self.workers.load(Ordering::Relaxed)
    }

    pub(crate) fn set_workers(&self, count: usize) {
        self.workers.store(count, Ordering::Release);
    }

    /// A thread runs one fiber for long, or moves again.
    pub(crate) fn gets_stuck(&self) {
        self.stuck.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn moves_again(&self) {
        self.stuck.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether a worker runs one thing after the other: when it has nothing more to run it is one who falls asleep.
    fn any_moves(&self, sleepers: &Sleepers) -> bool {
        let others = sleepers.napping.len() + self.stuck.load(Ordering::SeqCst);
        self.workers_awake() > others
    }

    /// How many workers may be awake: as many as asked for, and one for each that is stuck.
    fn permitted(&self) -> usize {
        self.workers() + self.stuck.load(Ordering::Relaxed)
    }

    pub(crate) fn has_surplus(&self) -> bool {
        self.workers_awake() > self.permitted()
    }

    /// Runs `f`, which looks at descriptors without waiting, if nobody waits for them.
    pub(crate) fn poll_now(&self, f: impl FnOnce()) {
        if !self.has_keeper()
            && let Ok(_only) = self.polling.try_lock()
        {
            f();
        }
    }
}

// ---- who wakes

/// There is something to run: another thread looks for it if one may. For threads of the house.
pub(crate) fn wake_one(house: &impl House) {
    alone::fence();
    wake_if_one_may(house);
}

/// The same for others.
pub(crate) fn wake_one_from_outside(house: &impl House) {
    fence(Ordering::SeqCst);
    wake_if_one_may(house);
}

fn wake_if_one_may(house: &impl House) {
    let rests = house.rests();
    if rests.workers_awake() < rests.permitted() {
        wake_one_slowly(house);
    }
}

#[cold]
fn wake_one_slowly(house: &impl House) {
    let rests = house.rests();
    let mut sleepers = locked(&rests.sleepers);
    if rests.workers_awake() >= rests.permitted() {
        return;
    }
    match sleepers.take_worker() {
        Some(number) => rouse(house, &sleepers, number),
        None if house.has_more() => {
            rests.thread_begins(false);
            drop(sleepers);
            if !house.begin_worker() {
                rests.thread_ended(false);
            }
        }
        None => {}
    }
}

/// Wakes a thread that was taken off the list.
fn rouse(house: &impl House, sleepers: &Sleepers, number: usize) {
    let bed = house.bed(number);
    house.rests().thread_begins(bed.is_exclusive());
    bed.asleep.store(false, Ordering::SeqCst);
    house.unpark(number);
    if sleepers.keeper == Some(number) {
        house.end_poll();
    }
    house.has_woken();
}

/// Something is there that only this thread may run.
pub(crate) fn wake(house: &impl House, number: usize) {
    fence(Ordering::SeqCst);
    let bed = house.bed(number);
    if bed.naps.load(Ordering::SeqCst) {
        house.unpark(number);
    }
    if !bed.is_asleep() {
        return;
    }
    let mut sleepers = locked(&house.rests().sleepers);
    if sleepers.remove(number, bed.is_exclusive()) {
        rouse(house, &sleepers, number);
    }
}

pub(crate) fn wake_all(house: &impl House) {
    let mut sleepers = locked(&house.rests().sleepers);
    while let Some(number) = sleepers.workers.pop().or_else(|| sleepers.exclusive.pop()) {
        rouse(house, &sleepers, number);
    }
    sleepers.napping.iter().for_each(|&number| house.unpark(number));
}

/// The first deadline is another one, or there are descriptors now: whoever keeps the clock has to know.
pub(crate) fn clock_changed(house: &impl House) {
    fence(Ordering::SeqCst);
    let rests = house.rests();
    if rests.has_keeper() {
        let sleepers = locked(&rests.sleepers);
        if let Some(keeper) = sleepers.keeper {
            house.unpark(keeper);
            house.end_poll();
        }
    }
}

// ---- who sleeps

/// Waits until there is something to do.
pub(crate) fn sleep(guest: &impl Guest) {
    announce(guest);
    let all_sleep = || guest.house().rests().awake() == 0 && guest.all_sleep();
    if !(guest.has_work() || guest.is_over() || all_sleep()) {
        rest(guest);
    }
    withdraw(guest);
}

/// Waits although there may be work, since enough others are awake.
pub(crate) fn sleep_surplus(guest: &impl Guest) {
    announce(guest);
    if !guest.has_own_work() && guest.house().rests().workers_awake() > 0 {
        rest(guest);
    }
    withdraw(guest);
}

/// Waits for some time at most, for something that only this thread may run. Whoever makes other work takes it for awake.
pub(crate) fn nap(guest: &impl Guest, time: Duration) {
    let (rests, bed) = (guest.house().rests(), own_bed(guest));
    locked(&rests.sleepers).napping.push(guest.number());
    bed.naps.store(true, Ordering::SeqCst);
    fence(Ordering::SeqCst);
    if !guest.has_own_work() && !guest.is_over() {
        guest.park(Some(time));
    }
    bed.naps.store(false, Ordering::SeqCst);
    locked(&rests.sleepers).napping.retain(|&number| number != guest.number());
}

fn own_bed<G: Guest>(guest: &G) -> &Bed {
    guest.house().bed(guest.number())
}

fn announce(guest: &impl Guest) {
    let (rests, bed) = (guest.house().rests(), own_bed(guest));
    let mut sleepers = locked(&rests.sleepers);
    bed.asleep.store(true, Ordering::SeqCst);
    sleepers.list(bed.is_exclusive()).push(guest.number());
    rests.thread_ended(bed.is_exclusive());
    drop(sleepers);
    fence(Ordering::SeqCst);
}

/// Is awake again, whether somebody woke it or not.
fn withdraw(guest: &impl Guest) {
    let (rests, bed) = (guest.house().rests(), own_bed(guest));
    let mut sleepers = locked(&rests.sleepers);
    if sleepers.keeper == Some(guest.number()) {
        sleepers.keeper = None;
        rests.has_keeper.store(false, Ordering::SeqCst);
    }
    if sleepers.remove(guest.number(), bed.is_exclusive()) {
        rests.thread_begins(bed.is_exclusive());
        bed.asleep.store(false, Ordering::SeqCst);
        guest.house().has_woken();
    }
}

/// Sleeps until it is woken, or the next wait for the time ends if nobody else looks after that.
fn rest(guest: &impl Guest) {
    let sleeps = || own_bed(guest).is_asleep() && !guest.is_over();
    if becomes_keeper(guest) {
        return keep_clock(guest, &sleeps);
    }
    while sleeps() {
        guest.park(None);
    }
}

fn becomes_keeper(guest: &impl Guest) -> bool {
    let rests = guest.house().rests();
    if own_bed(guest).is_exclusive() {
        return false;
    }
    let mut sleepers = locked(&rests.sleepers);
    if sleepers.keeper.is_some() || (guest.leaves_clock() && rests.any_moves(&sleepers)) {
        return false;
    }
    sleepers.keeper = Some(guest.number());
    rests.has_keeper.store(true, Ordering::SeqCst);
    drop(sleepers);
    fence(Ordering::SeqCst);
    true
}

fn keep_clock(guest: &impl Guest, sleeps: &dyn Fn() -> bool) {
    loop {
        let polls = guest.polls();
        // Before it looks at anything: who has looked already and waits no longer may have taken the word for this one.
        let _only = polls.then(|| locked(&guest.house().rests().polling));
        let limit = match guest.clock() {
            _ if !sleeps() => return,
            Clock::Now => return,
            Clock::Never => None,
            Clock::In(time) => Some(time),
        };
        if !polls {
            guest.park(limit);
        } else if guest.poll(limit) {
            return;
        }
    }
}
