//! Fibers, tasks, channels and locks on real threads, without generated code.

use std::sync::atomic::{AtomicU64, Ordering};

use qz_rt_abi::Worker;
use qz_sched::block::{self, Terms};
use qz_sched::channel::{Channel, Side};
use qz_sched::locks::Mutex;
use qz_sched::sched::{Config, Hooks, Scheduler};
use qz_sched::stack::Stack;
use qz_sched::{Drain, Fiber, Job, Options, Outcome, Task, Thread};

unsafe fn begin_thread(_: &Scheduler) -> *mut Worker {
    // SAFETY: zeros are empty lists and null pointers.
    Box::into_raw(Box::new(unsafe { std::mem::zeroed() }))
}

unsafe fn end_thread(_: &Scheduler, memory: *mut Worker) {
    // SAFETY: made by `begin_thread`.
    drop(unsafe { Box::from_raw(memory) });
}

fn hooks() -> Hooks {
    Hooks {
        begin_thread,
        end_thread,
        begin_fiber: |_| {},
        end_fiber: |_| {},
        end_task: |_| {},
        abort: |message| panic!("{message}"),
        is_alone: || true,
        deadlock: |_| {},
    }
}

type Body = Box<dyn FnOnce(*mut Fiber)>;

unsafe extern "C" fn call(fiber: *mut Fiber, body: *mut u8) {
    // SAFETY: `job` made it.
    let body = unsafe { Box::from_raw(body.cast::<Body>()) };
    body(fiber);
}

fn job(body: impl FnOnce(*mut Fiber) + 'static) -> Job {
    let body: Body = Box::new(body);
    Job { entry: call, argument: Box::into_raw(Box::new(body)).cast() }
}

fn run(config: Config, workers: usize, body: impl FnOnce(*mut Fiber) + 'static) {
    let scheduler = Scheduler::new(hooks(), config);
    let stack = Stack::map(1 << 20).expect("memory");
    let main = job(move |fiber| {
        // SAFETY: the fiber runs here.
        unsafe {
            (*fiber).scheduler().start(workers);
            body(fiber);
            (*fiber).scheduler().drain(fiber, Drain::Cancel);
        }
    });
    scheduler.run(stack, main).expect("a thread");
    scheduler.stop();
    assert_eq!(scheduler.live_tasks(), 0);
    // SAFETY: nobody runs on it.
    unsafe { stack.unmap() };
}

fn go(fiber: *mut Fiber, body: impl FnOnce(*mut Fiber) + 'static) -> *mut Task {
    // SAFETY: the fiber runs here.
    unsafe { (*fiber).scheduler().spawn(Thread::at_work(fiber), job(body), Options::default()) }
}

fn join(fiber: *mut Fiber, task: *mut Task) {
    // SAFETY: the fiber runs here; the count is ours.
    unsafe {
        assert_eq!(block::join(fiber, &*task, Terms::FOREVER), Outcome::Done(0));
        Task::release(task);
    }
}

fn send(fiber: *mut Fiber, channel: &Channel, mut value: u64) {
    // SAFETY: the channel's values are words.
    let outcome =
        unsafe { block::transfer(fiber, channel, Side::Send, (&raw mut value).cast(), Terms::FOREVER) };
    assert_eq!(outcome, Outcome::Done(0));
}

fn receive(fiber: *mut Fiber, channel: &Channel) -> Option<u64> {
    let mut value = 0u64;
    // SAFETY: as above.
    let outcome =
        unsafe { block::transfer(fiber, channel, Side::Receive, (&raw mut value).cast(), Terms::FOREVER) };
    matches!(outcome, Outcome::Done(_)).then_some(value)
}

fn workers() -> [(Config, usize); 4] {
    let seeded = Config { seed: Some(7), ..Config::default() };
    [(Config::default(), 1), (Config::default(), 2), (Config::default(), 8), (seeded, 1)]
}

#[test]
fn tasks_end_before_they_are_joined_and_after() {
    for (config, count) in workers() {
        run(config, count, |fiber| {
            static SUM: AtomicU64 = AtomicU64::new(0);
            SUM.store(0, Ordering::Relaxed);
            let add = |n: u64| go(fiber, move |_| _ = SUM.fetch_add(n, Ordering::Relaxed));
            let tasks: Vec<_> = (0..10_000).map(add).collect();
            tasks.into_iter().for_each(|task| join(fiber, task));
            assert_eq!(SUM.load(Ordering::Relaxed), 49_995_000);
        });
    }
}

/// In builds for the thread sanitizer: it sees that two fibers write the same word with nothing in between, whatever
/// else these tests find. (That they find nothing means little otherwise.)
#[cfg(qz_tsan)]
mod watched {
    use super::*;

    #[test]
    fn a_race_is_seen() {
        let own = std::env::current_exe().expect("the test has a file");
        let race = ["--ignored", "--exact", "watched::two_fibers_write"];
        let output = std::process::Command::new(own).args(race).output().expect("it starts again");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("ThreadSanitizer: data race"), "{said}");
        assert!(said.contains("two_fibers_write"), "{said}");
    }

    #[test]
    #[ignore = "the test above runs it, in a process of its own"]
    fn two_fibers_write() {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        run(Config::default(), 2, |fiber| {
            let word: &'static mut u64 = Box::leak(Box::new(0));
            let place = &raw mut *word as usize;
            let own_thread = || Options { own_thread: true, ..Options::default() };
            let write = || {
                let body = job(move |_| {
                    // SAFETY: that it is not safe is what is to be told.
                    unsafe { *(place as *mut u64) += 1 };
                    // The end of one, seen by the thread of the other, would put them in order.
                    WRITTEN.fetch_add(1, Ordering::Relaxed);
                    while WRITTEN.load(Ordering::Relaxed) < 2 {
                        std::thread::yield_now();
                    }
                });
                // SAFETY: the fiber runs here.
                unsafe { (*fiber).scheduler().spawn(Thread::at_work(fiber), body, own_thread()) }
            };
            [write(), write()].into_iter().for_each(|task| join(fiber, task));
        });
    }
}

#[test]
fn what_is_sent_is_received_in_order() {
    for (config, count) in workers() {
        for capacity in [0, 1, 7, qz_sched::channel::UNBOUNDED] {
            run(config, count, move |fiber| {
                let channel: &'static Channel = Box::leak(Box::new(Channel::new(8, capacity)));
                let producer = go(fiber, move |fiber| {
                    (0..5_000).for_each(|n| send(fiber, channel, n));
                    // SAFETY: the fiber runs here.
                    unsafe { block::close(fiber, channel) };
                });
                for n in 0..5_000 {
                    assert_eq!(receive(fiber, channel), Some(n));
                }
                assert_eq!(receive(fiber, channel), None);
                join(fiber, producer);
            });
        }
    }
}

#[test]
fn a_lock_is_held_by_one() {
    for (config, count) in workers() {
        run(config, count, |fiber| {
            let shared: &'static (Mutex, std::cell::Cell<u64>) = Box::leak(Box::default());
            let address = shared as *const _ as usize;
            let add = move |_| {
                go(fiber, move |fiber| {
                    // SAFETY: leaked above.
                    let shared = unsafe { &*(address as *const (Mutex, std::cell::Cell<u64>)) };
                    for turn in 0..1_000 {
                        // SAFETY: the fiber runs here and holds the lock.
                        unsafe {
                            shared.0.lock(fiber, Terms::FOREVER);
                            let seen = shared.1.get();
                            if turn % 10 == 0 {
                                block::yield_now(fiber);
                            }
                            shared.1.set(seen + 1);
                            shared.0.unlock(fiber);
                        }
                    }
                })
            };
            let tasks: Vec<_> = (0..20).map(add).collect();
            tasks.into_iter().for_each(|task| join(fiber, task));
            assert_eq!(shared.1.get(), 20_000);
        });
    }
}

#[test]
fn those_who_sleep_wake_in_order_and_the_others_are_cancelled() {
    for (config, count) in workers() {
        run(config, count, move |fiber| {
            let channel: &'static Channel = Box::leak(Box::new(Channel::new(8, 100)));
            // SAFETY: the fiber runs here.
            let soon = unsafe { (*fiber).scheduler().now() } + 50_000_000;
            let nap = |n: u64| {
                go(fiber, move |fiber| {
                    // SAFETY: the fiber runs here.
                    unsafe {
                        let deadline = soon + n * 3_000_000;
                        let terms = Terms { deadline, interruptible: true };
                        if block::sleep(fiber, terms) == Outcome::TimedOut {
                            send(fiber, channel, n);
                        }
                    }
                })
            };
            let tasks: Vec<_> = [5, 1, 3, 2, 4, 100_000].map(nap).into();
            let mut order: Vec<_> = (0..5).map(|_| receive(fiber, channel)).collect();
            if config.seed.is_none() {
                // Several threads may be late together.
                order.sort_unstable();
            }
            assert_eq!(order, [1, 2, 3, 4, 5].map(Some));
            // SAFETY: the counts are ours.
            tasks.into_iter().for_each(|task| unsafe { Task::release(task) });
        });
    }
}

#[test]
fn a_long_computation_holds_nobody_up() {
    run(Config::default(), 1, |fiber| {
        static OVER: AtomicU64 = AtomicU64::new(0);
        let hog = go(fiber, |_| {
            while OVER.load(Ordering::Relaxed) == 0 {
                std::hint::spin_loop();
            }
        });
        // SAFETY: the fiber runs here.
        unsafe {
            let deadline = (*fiber).scheduler().now() + 1_000_000;
            block::sleep(fiber, Terms { deadline, interruptible: true });
        }
        OVER.store(1, Ordering::Relaxed);
        join(fiber, hog);
    });
}

#[test]
fn a_scheduler_starts_and_stops_again_and_again() {
    let scheduler: &'static Scheduler = Box::leak(Box::new(Scheduler::new(hooks(), Config::default())));
    let stack = Stack::map(1 << 20).expect("memory");
    let main = job(move |fiber| {
        for turn in 0..200 {
            // SAFETY: the fiber runs here, on the thread that will be left.
            unsafe {
                scheduler.start(turn % 4 + 1);
                let tasks: Vec<_> = (0..20).map(|_| go(fiber, |_| {})).collect();
                tasks.into_iter().for_each(|task| join(fiber, task));
                scheduler.drain(fiber, Drain::FinishReady);
                scheduler.go_home(fiber);
                scheduler.stop();
            }
        }
    });
    scheduler.run(stack, main).expect("a thread");
}

#[test]
fn a_thread_for_one_task_runs_no_other() {
    for _ in 0..20 {
        run(Config::default(), 1, |fiber| {
            let options = Options { own_thread: true, ..Options::default() };
            let alone = job(|fiber| {
                let own = std::thread::current().id();
                let other = go(fiber, move |_| assert_ne!(std::thread::current().id(), own));
                join(fiber, other);
            });
            // SAFETY: the fiber runs here.
            let task = unsafe { (*fiber).scheduler().spawn(Thread::at_work(fiber), alone, options) };
            // This thread has no time for others at first.
            let begun = std::time::Instant::now();
            while begun.elapsed().as_micros() < 1_500 {
                std::hint::spin_loop();
            }
            join(fiber, task);
        });
    }
}
