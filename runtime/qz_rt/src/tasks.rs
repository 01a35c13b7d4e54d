//! Tasks, channels, locks and time, as generated code asks for them: waits of [`qz_sched::block`], whose ends
//! become results or panics.
//!
//! An *outcome* is `2 n` if what was waited for came (in a select: case `n`), `2 n + 1` if it is closed, -1 if the
//! time was over, -2 if the task is cancelled and -3 if nobody could end the wait any more. The last two are panics,
//! which the caller starts by [`wait_failed`] when it has put away what it holds; while a panic is on its way nothing
//! is cancelled. A *timeout* is in nanoseconds, -1 for none, -2 for none and no cancellation either.

use std::fmt::Write;
use std::ptr;
use std::sync::atomic::Ordering;

use qz_rt_abi::Fiber;
use qz_rt_abi::object::StrObject;
use qz_sched::block::{self, Terms};
use qz_sched::channel::{Channel, Side, UNBOUNDED};
use qz_sched::generator::Generator;
use qz_sched::locks::{Condition, Mutex, Semaphore};
use qz_sched::sched::{MAX_WORKERS, Scheduler, State};
use qz_sched::select::Case;
use qz_sched::{Drain, Fiber as Core, Job, NEVER, Options, Outcome, Phase, Task, Thread};

use crate::balance::pass_by;
use crate::context::{Enter, core, shared, state};
use crate::panic::request;
use crate::strings;

const TIMED_OUT: i64 = -1;
pub(crate) const CANCELLED: i64 = -2;
const DEADLOCK: i64 = -3;
/// A timeout: wait for ever, even if the task is cancelled.
const UNINTERRUPTED: i64 = -2;
/// A task waits for its own end.
const OWN_END: i64 = -4;
const NOT_THE_BODY: i64 = -5;
const ASKED_BY_ITS_BODY: i64 = -7;
const NOBODY_ASKS: i64 = -8;

const CANCELLED_WORDS: &str = "the task was cancelled";
const DEADLOCK_WORDS: &str = "deadlock: all tasks are blocked";

/// # Safety
/// The fiber is one that runs.
pub(crate) unsafe fn terms(fiber: *mut Fiber, timeout: i64) -> Terms {
    // SAFETY: by the caller's promise.
    unsafe {
        let deadline = match u64::try_from(timeout) {
            Ok(timeout) => core(fiber).scheduler().now().saturating_add(timeout),
            Err(_) => NEVER,
        };
        Terms { deadline, interruptible: (*fiber).panicking == 0 && timeout != UNINTERRUPTED }
    }
}

/// What generated code is told. Most of it is one kind: no jump through a table for that.
#[inline]
pub(crate) fn told(outcome: Outcome) -> i64 {
    if let Outcome::Done(case) = outcome { 2 * case as i64 } else { told_slowly(outcome) }
}

#[cold]
fn told_slowly(outcome: Outcome) -> i64 {
    match outcome {
        Outcome::Done(case) => 2 * case as i64,
        Outcome::Closed(case) => 2 * case as i64 + 1,
        Outcome::TimedOut => TIMED_OUT,
        Outcome::Cancelled => CANCELLED,
        Outcome::Deadlock => DEADLOCK,
    }
}

pub(crate) unsafe fn wait_failed(fiber: *mut Fiber, outcome: i64) {
    let message = match outcome {
        CANCELLED => CANCELLED_WORDS,
        OWN_END => "deadlock: a task waits for itself",
        NOT_THE_BODY => "a value was emitted outside the body of its generator",
        ASKED_BY_ITS_BODY => "a generator was asked for a value by its own body",
        NOBODY_ASKS => "a value was emitted while the generator ended",
        _ => DEADLOCK_WORDS,
    };
    // SAFETY: generated code passes its live fiber.
    unsafe { request(fiber, message.to_owned()) }
}

// ---- the scheduler

pub(crate) unsafe fn sched_init(fiber: *mut Fiber, workers: i64) -> i64 {
    let Ok(workers @ 0..=MAX_WORKERS) = usize::try_from(workers) else { return MAX_WORKERS as i64 };
    // SAFETY: generated code passes its live fiber.
    unsafe { core(fiber).scheduler().start(workers) };
    0
}

pub(crate) unsafe fn sched_shutdown(fiber: *mut Fiber) {
    // SAFETY: generated code passes its live fiber, which runs here.
    unsafe {
        let scheduler = core(fiber).scheduler();
        if scheduler.state() != State::Running {
            return;
        }
        scheduler.drain(fiber.cast(), Drain::FinishReady);
        scheduler.go_home(fiber.cast());
        scheduler.stop();
        core(fiber).unpin();
    }
}

/// 0 idle, 1 running, 2 draining, 3 stopped.
pub(crate) unsafe fn sched_state(fiber: *mut Fiber) -> i64 {
    // SAFETY: generated code passes its live fiber.
    unsafe { core(fiber).scheduler().state() as i64 }
}

pub(crate) unsafe fn sched_workers(fiber: *mut Fiber) -> i64 {
    // SAFETY: as above.
    unsafe { core(fiber).scheduler().worker_count() as i64 }
}

pub(crate) unsafe fn sched_tasks(fiber: *mut Fiber) -> i64 {
    // SAFETY: as above.
    unsafe { core(fiber).scheduler().live_tasks() as i64 }
}

pub(crate) unsafe fn sched_yield(fiber: *mut Fiber) -> i64 {
    // SAFETY: as above; the fiber runs here.
    unsafe {
        if is_cancelled(fiber) {
            return CANCELLED;
        }
        pass_by(fiber);
        block::yield_now(fiber.cast());
        0
    }
}

pub(crate) unsafe fn sleep(fiber: *mut Fiber, nanoseconds: i64) -> i64 {
    crate::streams::flush_all();
    // SAFETY: as above.
    unsafe {
        let terms = terms(fiber, nanoseconds.max(0));
        pass_by(fiber);
        told(block::sleep(fiber.cast(), terms))
    }
}

/// What every fiber does, a line each.
pub(crate) fn describe(scheduler: &Scheduler) -> String {
    let mut text = String::new();
    scheduler.each_fiber(|fiber| {
        let state = match fiber.phase() {
            Phase::Waiting => fiber.reason().words(),
            Phase::Running => "runs",
            _ => "is ready",
        };
        let _ = write!(text, "  {} {state}", called(fiber));
        let place = || crate::unwind::place_left(fiber).or_else(|| crate::native::place_noted(fiber));
        if fiber.phase() == Phase::Waiting
            && let Some(at) = place()
        {
            let _ = write!(text, " at {}:{}:{}", at.file, at.line, at.column);
        }
        text.push('\n');
    });
    text
}

/// What to call a fiber.
pub(crate) fn called(fiber: &Core) -> String {
    match fiber.task_name() {
        Some(name) => format!("task {} \"{name}\"", fiber.number()),
        None if fiber.has_task() => format!("task {}", fiber.number()),
        None => "main".into(),
    }
}

/// Tells of all who are blocked, before the first fiber panics.
pub(crate) fn report_deadlock(scheduler: &Scheduler) {
    crate::streams::flush_all();
    crate::streams::write_error(format!("{DEADLOCK_WORDS}\n{}", describe(scheduler)).as_bytes());
}

// ---- tasks

unsafe extern "C" fn begin_task(fiber: *mut Core, body: *mut u8) {
    // SAFETY: the scheduler begins a task with its live fiber, and what `task_spawn` was given.
    unsafe {
        let entry = shared((*fiber).scheduler()).task_entry.load(Ordering::Acquire);
        begin(fiber, entry, body);
        crate::variables::end_own(fiber.cast());
    }
}

unsafe extern "C" fn begin_generator(fiber: *mut Core, body: *mut u8) {
    // SAFETY: as above, with what `generator_new` was given; a generator outlives its task.
    unsafe {
        let entry = shared((*fiber).scheduler()).generator_entry.load(Ordering::Acquire);
        state(fiber.cast()).cycles.is_off = true;
        begin(fiber, entry, body);
        crate::variables::end_own(fiber.cast());
        generator_at_work(fiber.cast()).finish(fiber);
    }
}

/// # Safety
/// The fiber runs here; the entry is that of a function for C without parameters, which asks for the body.
pub(crate) unsafe fn begin(fiber: *mut Core, entry: *mut u8, body: *mut u8) {
    let abi = fiber.cast::<Fiber>();
    // SAFETY: by the caller's promise.
    unsafe {
        state(abi).body = body;
        match shared((*fiber).scheduler()).settings.enter {
            Enter::Call => {
                let entry: extern "C" fn() = std::mem::transmute(entry);
                entry();
            }
            Enter::By(enter, host) => enter(host, abi, entry),
        }
    }
}

pub(crate) unsafe fn task_spawn(
    fiber: *mut Fiber,
    entry: *mut u8,
    body: *mut u8,
    own_thread: u8,
    name: *mut StrObject,
    stack_size: u64,
) -> *mut u8 {
    // SAFETY: generated code passes its live fiber and a live string; the body is moved.
    unsafe {
        let scheduler = core(fiber).scheduler();
        let program = shared(scheduler);
        if program.task_entry.load(Ordering::Relaxed).is_null() {
            program.task_entry.store(entry, Ordering::Release);
            crate::signals::listen(scheduler);
        }
        let job = Job { entry: begin_task, argument: body };
        let thread = Thread::at_work(fiber.cast());
        let name = Some(strings::text(name)).filter(|name| !name.is_empty()).map(Box::from);
        let options = Options { name, stack_size: stack_size as usize, own_thread: own_thread != 0 };
        scheduler.spawn(thread, job, options).cast()
    }
}

pub(crate) unsafe fn task_promise(fiber: *mut Fiber) -> *mut u8 {
    // SAFETY: generated code passes its live fiber.
    unsafe { Task::promise(core(fiber).scheduler()).cast() }
}

pub(crate) unsafe fn task_finish(fiber: *mut Fiber, task: *mut u8) {
    // SAFETY: as above; `task_promise` made it, and one count is given up.
    unsafe { block::finish(fiber.cast(), task.cast()) }
}

pub(crate) unsafe fn task_body(fiber: *mut Fiber) -> *mut u8 {
    // SAFETY: generated code passes its live fiber.
    unsafe { std::mem::replace(&mut state(fiber).body, ptr::null_mut()) }
}

pub(crate) unsafe fn task_join(fiber: *mut Fiber, task: *mut u8, timeout: i64) -> i64 {
    // SAFETY: as above; the caller holds a count of the task.
    unsafe {
        let task = &*task.cast::<Task>();
        if core(fiber).task().is_some_and(|own| ptr::eq(own, task)) {
            return OWN_END;
        }
        pass_by(fiber);
        let outcome = block::join(fiber.cast(), task, terms(fiber, timeout));
        told(outcome)
    }
}

/// What the task is called; empty if nobody said.
pub(crate) unsafe fn task_name(fiber: *mut Fiber, task: *mut u8) -> *mut StrObject {
    // SAFETY: generated code passes its live fiber; the caller holds a count of the task.
    unsafe { strings::new(fiber, &(*task.cast::<Task>()).name().unwrap_or_default()) }
}

/// Names the task at work. A program's first fiber has no task, and keeps its own name.
pub(crate) unsafe fn task_set_name(fiber: *mut Fiber, name: *mut StrObject) {
    // SAFETY: generated code passes its live fiber and a live string.
    unsafe {
        if let Some(task) = core(fiber).task() {
            task.set_name(strings::text(name).into());
            qz_sched::trace::named(core(fiber), strings::text(name));
        }
    }
}

pub(crate) unsafe fn task_done(_fiber: *mut Fiber, task: *mut u8) -> u8 {
    // SAFETY: the caller holds a count of the task.
    unsafe { (*task.cast::<Task>()).is_done() as u8 }
}

pub(crate) unsafe fn task_heard(_fiber: *mut Fiber, task: *mut u8) -> u8 {
    // SAFETY: the caller holds a count of the task.
    unsafe { (*task.cast::<Task>()).heard.load(Ordering::Relaxed) as u8 }
}

pub(crate) unsafe fn task_set_heard(_fiber: *mut Fiber, task: *mut u8) {
    // SAFETY: the caller holds a count of the task.
    unsafe { (*task.cast::<Task>()).heard.store(true, Ordering::Relaxed) }
}

pub(crate) unsafe fn task_waiting(_fiber: *mut Fiber, task: *mut u8) -> u8 {
    // SAFETY: the caller holds a count of the task.
    unsafe { (*task.cast::<Task>()).is_waiting() as u8 }
}

pub(crate) unsafe fn task_cancel(fiber: *mut Fiber, task: *mut u8) {
    // SAFETY: as above; the fiber runs here.
    unsafe { block::cancel(fiber.cast(), &*task.cast::<Task>()) }
}

pub(crate) unsafe fn task_retain(_fiber: *mut Fiber, task: *mut u8) {
    // SAFETY: the caller holds a count of the task.
    unsafe { (*task.cast::<Task>()).retain() }
}

pub(crate) unsafe fn task_release(fiber: *mut Fiber, task: *mut u8) {
    // SAFETY: generated code passes its live fiber; the count is the caller's.
    unsafe { Task::release_at(task.cast(), Thread::at_work(fiber.cast())) }
}

/// # Safety
/// The fiber is one that runs.
pub(crate) unsafe fn is_cancelled(fiber: *mut Fiber) -> bool {
    // SAFETY: by the caller's promise.
    unsafe { (*fiber).panicking == 0 && core(fiber).interrupts.ends_here() }
}

pub(crate) unsafe fn task_cancelled(fiber: *mut Fiber) -> u8 {
    // SAFETY: generated code passes its live fiber.
    unsafe { core(fiber).interrupts.is_wanted() as u8 }
}

pub(crate) unsafe fn fiber_at_work(fiber: *mut Fiber) -> *mut u8 {
    fiber.cast()
}

pub(crate) unsafe fn fiber_interrupt(fiber: *mut Fiber, other: *mut u8) {
    // SAFETY: generated code passes its live fiber, and one that waits for the task at work before it ends.
    unsafe { block::interrupt(fiber.cast(), &*other.cast::<Core>()) }
}

pub(crate) unsafe fn fiber_settle(fiber: *mut Fiber) {
    // SAFETY: generated code passes its live fiber, which runs here.
    unsafe { core(fiber).settle() }
}

/// A count of what the variables of the task at work are bound to, or null.
pub(crate) unsafe fn bindings(fiber: *mut Fiber) -> *mut u8 {
    // SAFETY: generated code passes its live fiber; who bound them holds on to them, and they are shared.
    unsafe {
        let bindings = state(fiber).bindings;
        if !bindings.is_null() {
            crate::memory::retain_shared(fiber, bindings);
        }
        bindings
    }
}

pub(crate) unsafe fn bind(fiber: *mut Fiber, bindings: *mut u8) {
    // SAFETY: generated code passes its live fiber.
    unsafe { state(fiber).bindings = bindings }
}

/// Where the library notes what handlers are in force in the fiber at work.
pub(crate) unsafe fn evidence_place(fiber: *mut Fiber) -> *mut u8 {
    // SAFETY: generated code passes its live fiber, whose state stays where it is.
    unsafe { (&raw mut state(fiber).evidence).cast() }
}

pub(crate) unsafe fn address_of(_fiber: *mut Fiber, object: *mut u8) -> *mut u8 {
    object
}

/// A task panicked, and nobody asked for its result.
pub(crate) unsafe fn task_failed(fiber: *mut Fiber, report: *mut StrObject) {
    // SAFETY: generated code passes its live fiber and a live string.
    unsafe {
        shared(core(fiber).scheduler()).failed.store(true, Ordering::Relaxed);
        crate::streams::flush_all();
        crate::streams::write_error(strings::text(report).as_bytes());
    }
}

pub(crate) unsafe fn end_task(_extra: *mut u8) {}

// ---- generators

/// # Safety
/// The fiber runs the body of a generator.
unsafe fn generator_at_work<'a>(fiber: *mut Fiber) -> &'a Generator {
    // SAFETY: by the caller's promise; who holds the generator waits for the end of its task.
    unsafe {
        &*core(fiber).task().expect("a generator's body is a task").extra.load(Ordering::Relaxed).cast()
    }
}

pub(crate) unsafe fn generator_new(fiber: *mut Fiber, entry: *mut u8, body: *mut u8) -> *mut u8 {
    // SAFETY: generated code passes its live fiber; the body is moved.
    unsafe {
        let scheduler = core(fiber).scheduler();
        shared(scheduler).generator_entry.store(entry, Ordering::Release);
        let job = Job { entry: begin_generator, argument: body };
        Box::into_raw(Generator::new(scheduler, job)).cast()
    }
}

pub(crate) unsafe fn generator_over(_fiber: *mut Fiber, generator: *mut u8) -> u8 {
    // SAFETY: `generator_new` made it.
    unsafe { (*generator.cast::<Generator>()).is_over() as u8 }
}

pub(crate) unsafe fn generator_resume(fiber: *mut Fiber, generator: *mut u8) -> i64 {
    // SAFETY: as above; the fiber runs here.
    unsafe {
        let outcome = (*generator.cast::<Generator>()).resume(fiber.cast(), terms(fiber, -1));
        outcome.map_or(ASKED_BY_ITS_BODY, told)
    }
}

pub(crate) unsafe fn generator_yield(fiber: *mut Fiber, generator: *mut u8) -> i64 {
    // SAFETY: generated code passes its live fiber. Its task holds the generator whose body it runs, so that one lives.
    unsafe {
        let own = core(fiber).task().map(|task| task.extra.load(Ordering::Relaxed));
        if generator.is_null() || own != Some(generator.cast()) {
            return NOT_THE_BODY;
        }
        let outcome = (*generator.cast::<Generator>()).pause(fiber.cast(), terms(fiber, -1));
        outcome.map_or(NOBODY_ASKS, told)
    }
}

pub(crate) unsafe fn generator_end(fiber: *mut Fiber, generator: *mut u8) {
    // SAFETY: `generator_new` made it, and nobody asks for it again.
    unsafe {
        let generator = generator.cast::<Generator>();
        (*generator).end(fiber.cast());
        drop(Box::from_raw(generator));
    }
}

// ---- channels

pub(crate) unsafe fn transfer_slot(fiber: *mut Fiber, size: u64) -> *mut u8 {
    // SAFETY: generated code passes its live fiber.
    let state = unsafe { state(fiber) };
    if size as usize <= size_of_val(&state.slot) {
        return state.slot.as_mut_ptr().cast();
    }
    large_slot(&mut state.large_slot, size as usize)
}

#[cold]
fn large_slot(slot: &mut Vec<u128>, size: usize) -> *mut u8 {
    let words = size.div_ceil(size_of::<u128>());
    if slot.len() < words {
        slot.resize(words, 0);
    }
    slot.as_mut_ptr().cast()
}

pub(crate) unsafe fn channel_new(_fiber: *mut Fiber, size: u64, capacity: i64) -> *mut u8 {
    let capacity = usize::try_from(capacity).unwrap_or(UNBOUNDED);
    Box::into_raw(Box::new(Channel::new(size as usize, capacity))).cast()
}

pub(crate) unsafe fn channel_free(_fiber: *mut Fiber, channel: *mut u8) {
    // SAFETY: `channel_new` made it, and the last who knew it gives it back.
    drop(unsafe { Box::from_raw(channel.cast::<Channel>()) });
}

unsafe fn transfer(fiber: *mut Fiber, channel: *mut u8, side: Side, value: *mut u8, timeout: i64) -> i64 {
    // SAFETY: generated code passes its live fiber, a channel that it holds, and a place for a value.
    unsafe {
        let terms = terms(fiber, timeout);
        pass_by(fiber);
        let outcome = block::transfer(fiber.cast(), &*channel.cast::<Channel>(), side, value, terms);
        told(outcome)
    }
}

pub(crate) unsafe fn channel_send(fiber: *mut Fiber, channel: *mut u8, value: *mut u8, timeout: i64) -> i64 {
    // SAFETY: passed on.
    unsafe { transfer(fiber, channel, Side::Send, value, timeout) }
}

pub(crate) unsafe fn channel_recv(fiber: *mut Fiber, channel: *mut u8, value: *mut u8, timeout: i64) -> i64 {
    // SAFETY: passed on.
    unsafe { transfer(fiber, channel, Side::Receive, value, timeout) }
}

unsafe fn try_transfer(fiber: *mut Fiber, channel: *mut u8, side: Side, value: *mut u8) -> i64 {
    // SAFETY: as for `transfer`.
    unsafe {
        let outcome = block::try_transfer(fiber.cast(), &*channel.cast::<Channel>(), side, value);
        told(outcome)
    }
}

pub(crate) unsafe fn channel_try_send(fiber: *mut Fiber, channel: *mut u8, value: *mut u8) -> i64 {
    // SAFETY: passed on.
    unsafe { try_transfer(fiber, channel, Side::Send, value) }
}

pub(crate) unsafe fn channel_try_recv(fiber: *mut Fiber, channel: *mut u8, value: *mut u8) -> i64 {
    // SAFETY: passed on.
    unsafe { try_transfer(fiber, channel, Side::Receive, value) }
}

pub(crate) unsafe fn channel_close(fiber: *mut Fiber, channel: *mut u8) -> u8 {
    // SAFETY: as for `transfer`.
    unsafe { block::close(fiber.cast(), &*channel.cast::<Channel>()) as u8 }
}

pub(crate) unsafe fn channel_len(_fiber: *mut Fiber, channel: *mut u8) -> i64 {
    // SAFETY: as above.
    unsafe { (*channel.cast::<Channel>()).len() as i64 }
}

pub(crate) unsafe fn channel_closed(_fiber: *mut Fiber, channel: *mut u8) -> u8 {
    // SAFETY: as above.
    unsafe { (*channel.cast::<Channel>()).is_closed() as u8 }
}

pub(crate) unsafe fn select(fiber: *mut Fiber, cases: *mut u8, count: i64, wait: u8, timeout: i64) -> i64 {
    // SAFETY: generated code passes so many cases, whose channels it holds.
    unsafe {
        let cases: &[Case] = match count {
            0 => &[],
            _ => std::slice::from_raw_parts(cases.cast::<Case>(), count as usize),
        };
        let terms = (wait != 0).then(|| terms(fiber, timeout));
        pass_by(fiber);
        let outcome = block::select(fiber.cast(), cases, terms);
        told(outcome)
    }
}

// ---- locks

pub(crate) unsafe fn mutex_new(_fiber: *mut Fiber) -> *mut u8 {
    Box::into_raw(Box::<Mutex>::default()).cast()
}

pub(crate) unsafe fn mutex_free(_fiber: *mut Fiber, mutex: *mut u8) {
    // SAFETY: `mutex_new` made it, and the last who knew it gives it back.
    drop(unsafe { Box::from_raw(mutex.cast::<Mutex>()) });
}

pub(crate) unsafe fn mutex_lock(fiber: *mut Fiber, mutex: *mut u8, timeout: i64) -> i64 {
    // SAFETY: generated code passes its live fiber and a lock that it holds on to.
    unsafe {
        pass_by(fiber);
        let outcome = (*mutex.cast::<Mutex>()).lock(fiber.cast(), terms(fiber, timeout));
        told(outcome)
    }
}

pub(crate) unsafe fn mutex_try_lock(_fiber: *mut Fiber, mutex: *mut u8) -> u8 {
    // SAFETY: as above.
    unsafe { (*mutex.cast::<Mutex>()).try_lock() as u8 }
}

pub(crate) unsafe fn mutex_unlock(fiber: *mut Fiber, mutex: *mut u8) {
    // SAFETY: as above; the lock is the caller's.
    unsafe { (*mutex.cast::<Mutex>()).unlock(fiber.cast()) }
}

pub(crate) unsafe fn semaphore_new(_fiber: *mut Fiber, permits: u64) -> *mut u8 {
    Box::into_raw(Box::new(Semaphore::new(permits))).cast()
}

pub(crate) unsafe fn semaphore_free(_fiber: *mut Fiber, semaphore: *mut u8) {
    // SAFETY: `semaphore_new` made it, and the last who knew it gives it back.
    drop(unsafe { Box::from_raw(semaphore.cast::<Semaphore>()) });
}

pub(crate) unsafe fn semaphore_acquire(
    fiber: *mut Fiber,
    semaphore: *mut u8,
    amount: u64,
    timeout: i64,
) -> i64 {
    // SAFETY: generated code passes its live fiber and a semaphore that it holds on to.
    unsafe {
        let outcome = (*semaphore.cast::<Semaphore>()).acquire(fiber.cast(), amount, terms(fiber, timeout));
        told(outcome)
    }
}

pub(crate) unsafe fn semaphore_try_acquire(_fiber: *mut Fiber, semaphore: *mut u8, amount: u64) -> u8 {
    // SAFETY: as above.
    unsafe { (*semaphore.cast::<Semaphore>()).try_acquire(amount) as u8 }
}

pub(crate) unsafe fn semaphore_release(fiber: *mut Fiber, semaphore: *mut u8, amount: u64) {
    // SAFETY: as above.
    unsafe { (*semaphore.cast::<Semaphore>()).release(fiber.cast(), amount) }
}

pub(crate) unsafe fn semaphore_free_permits(_fiber: *mut Fiber, semaphore: *mut u8) -> i64 {
    // SAFETY: as above.
    unsafe { (*semaphore.cast::<Semaphore>()).free() as i64 }
}

pub(crate) unsafe fn condition_new(_fiber: *mut Fiber) -> *mut u8 {
    Box::into_raw(Box::<Condition>::default()).cast()
}

pub(crate) unsafe fn condition_free(_fiber: *mut Fiber, condition: *mut u8) {
    // SAFETY: `condition_new` made it, and the last who knew it gives it back.
    drop(unsafe { Box::from_raw(condition.cast::<Condition>()) });
}

pub(crate) unsafe fn condition_wait(
    fiber: *mut Fiber,
    condition: *mut u8,
    mutex: *mut u8,
    timeout: i64,
) -> i64 {
    // SAFETY: generated code passes its live fiber; the lock is the caller's.
    unsafe {
        let terms = terms(fiber, timeout);
        let mutex = &*mutex.cast::<Mutex>();
        let outcome = (*condition.cast::<Condition>()).wait(fiber.cast(), mutex, terms);
        told(outcome)
    }
}

pub(crate) unsafe fn condition_notify(fiber: *mut Fiber, condition: *mut u8, all: u8) -> i64 {
    // SAFETY: as above.
    unsafe { (*condition.cast::<Condition>()).notify(fiber.cast(), all != 0) as i64 }
}
