//! Locks: one at a time has it, everybody gets it (the checker reports a deadlock), and that while a thread that was
//! alone takes it without an operation that other processors respect.

use loom::sync::Arc;
use loom::thread;
use qz_models::Fiber;
use qz_models::locked::Locked;
use qz_models::wait::Outcome;

/// Runs the model in every order with at most so many switches that nobody asked for.
fn model(switches: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches);
    builder.max_branches = 20_000;
    builder.check(f);
}

fn spawned<T: 'static>(
    locked: &Arc<Locked>,
    body: impl FnOnce(&Locked) -> T + 'static,
) -> thread::JoinHandle<T> {
    let locked = locked.clone();
    thread::spawn(move || body(&locked))
}

#[test]
fn one_at_a_time_has_it() {
    model(3, || {
        let locked = Arc::new(Locked::new(false));
        let other = spawned(&locked, |locked| locked.add(Fiber::new()));
        let mine = locked.add(Fiber::new());
        assert_eq!(mine + other.join().unwrap(), 3);
    });
}

#[test]
fn three_want_it() {
    model(2, || {
        let locked = Arc::new(Locked::new(false));
        let others = [0, 1].map(|_| spawned(&locked, |locked| locked.add(Fiber::new())));
        locked.add(Fiber::new());
        others.into_iter().for_each(|other| assert!(other.join().unwrap() <= 3));
        assert_eq!(locked.add(Fiber::new()), 4);
    });
}

#[test]
fn a_second_thread_comes_while_it_is_changed_in_place() {
    model(4, || {
        let locked = Arc::new(Locked::new(true));
        let other = spawned(&locked, |locked| {
            locked.come();
            locked.add(Fiber::new())
        });
        let fiber = Fiber::new();
        let mine = locked.add(fiber) + locked.add(fiber);
        assert_eq!(mine + other.join().unwrap(), 6);
    });
}

#[test]
fn two_come() {
    model(2, || {
        let locked = Arc::new(Locked::new(true));
        let others = [0, 1].map(|_| {
            spawned(&locked, |locked| {
                locked.come();
                locked.add(Fiber::new())
            })
        });
        let fiber = Fiber::new();
        locked.add(fiber);
        others.into_iter().for_each(|other| assert!(other.join().unwrap() <= 3));
        assert_eq!(locked.add(fiber), 4);
    });
}

#[test]
fn who_only_tries_takes_it_from_nobody() {
    model(4, || {
        let locked = Arc::new(Locked::new(true));
        let other = spawned(&locked, |locked| {
            locked.come();
            let taken = locked.try_lock();
            if taken {
                locked.add_with_lock();
                locked.unlock(Fiber::new());
            }
            taken
        });
        let fiber = Fiber::new();
        locked.add(fiber);
        let taken = other.join().unwrap();
        assert_eq!(locked.add(fiber), 2 + taken as u64);
    });
}

#[test]
fn a_cancelled_wait_leaves_it_to_others() {
    model(3, || {
        let locked = Arc::new(Locked::new(true));
        let fiber = Fiber::new();
        let own = Fiber::new();
        assert_eq!(locked.lock(own), Outcome::Done(0));
        let waiting = spawned(&locked, move |locked| {
            locked.come();
            let outcome = locked.lock(fiber);
            if outcome == Outcome::Done(0) {
                locked.add_with_lock();
                locked.unlock(fiber);
            }
            outcome
        });
        let canceller = thread::spawn(move || fiber.cancel());
        locked.add_with_lock();
        locked.unlock(own);
        canceller.join().unwrap();
        let got = match waiting.join().unwrap() {
            Outcome::Cancelled => 0,
            outcome => {
                assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
                1
            }
        };
        assert_eq!(locked.add(own), 2 + got);
    });
}

#[test]
fn who_waits_is_woken_by_one_who_is_alone_again() {
    model(4, || {
        let locked = Arc::new(Locked::new(false));
        let fiber = Fiber::new();
        assert_eq!(locked.lock(fiber), Outcome::Done(0));
        let waiting = spawned(&locked, |locked| locked.add(Fiber::new()));
        locked.until_waited_for();
        locked.stay();
        locked.add_with_lock();
        locked.unlock(fiber);
        assert_eq!(waiting.join().unwrap(), 2);
    });
}
