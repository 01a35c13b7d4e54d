//! The scheduler of one program: an explicit state, the threads that run fibers, and what waits to be run.
//!
//! A program's first fiber runs on the thread that started it, which serves other fibers while that one waits. More
//! threads begin when there is work for them. Nothing here needs a thread to exist: without any, whoever waits runs
//! the others.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_deque::{Injector, Steal, Stealer, Worker as Deque};
use qz_rt_abi::Worker;

use crate::alone::{Presence, SharedNumber};
use crate::ending::Ending;
use crate::fiber::{Fiber, Job, Phase};
use crate::reactor::Reactor;
use crate::rest::{self, Bed, Rests};
use crate::runnable::Runnable;
use crate::stack::{Stack, each_task_stack};
use crate::switch::prepare;
use crate::task::{Options, Task};
use crate::thread::Thread;
use crate::timer::{NEVER, Timers};
use crate::trace::{Tracer, tracer};
use crate::wait::{Generation, Outcome};

/// What the scheduler asks of the runtime.
#[derive(Copy, Clone)]
pub struct Hooks {
    /// Makes the memory of a thread, and ends it.
    pub begin_thread: unsafe fn(&Scheduler) -> *mut Worker,
    pub end_thread: unsafe fn(&Scheduler, *mut Worker),
    /// Fills in what generated code knows of a fiber, and ends what the runtime keeps for one.
    pub begin_fiber: unsafe fn(*mut Fiber),
    pub end_fiber: unsafe fn(*mut Fiber),
    /// Ends what [`Task::extra`] leads to.
    pub end_task: unsafe fn(*mut u8),
    /// Says why the process cannot go on, and ends it.
    pub abort: fn(&str) -> !,
    /// Whether no fiber of another scheduler could end a wait of this one's.
    pub is_alone: fn() -> bool,
    /// All tasks are blocked: told before the first fiber's wait is ended.
    pub deadlock: fn(&Scheduler),
}

/// Where a scheduler is in its life.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// No threads but those that entered by themselves.
    Idle = 0,
    Running = 1,
    /// Ends what is left before it stops.
    Draining = 2,
    /// As idle, after having run.
    Stopped = 3,
}

/// How a scheduler works.
#[derive(Copy, Clone, Debug, Default)]
pub struct Config {
    /// Every choice is drawn by lot from this number, on one thread.
    pub seed: Option<u64>,
    /// Only the program's own thread runs fibers.
    pub single: bool,
    /// What [`Hooks`] find at [`Scheduler::user`].
    pub user: usize,
}

/// Threads at most, those that take over for others included.
pub(crate) const MAX_THREADS: usize = 320;
/// The largest number of workers that can be asked for.
pub const MAX_WORKERS: usize = 256;

pub struct Scheduler {
    pub(crate) hooks: Hooks,
    pub user: usize,
    pub(crate) seed: Option<u64>,
    pub(crate) single: bool,
    state: AtomicU8,
    slots: Box<[Slot]>,
    used: AtomicUsize,
    injector: Injector<Runnable>,
    /// Who sleeps, and how many threads may run fibers at a time.
    pub(crate) idle: Rests,
    /// What descriptors make ready is soon over.
    pub(crate) hears_briefly: AtomicBool,
    timers: Mutex<Timers>,
    next_timer: AtomicU64,
    /// Tasks that were started and are not over.
    live: AtomicUsize,
    /// Those that have not begun are cancelled when they do: the program is over.
    pub(crate) cancels: AtomicBool,
    /// Who waits until there are none.
    pub(crate) drained: AtomicPtr<Fiber>,
    pub(crate) ending: Ending,
    handles: Mutex<Vec<JoinHandle<()>>>,
    pub(crate) stopping: AtomicBool,
    /// What may end a wait from outside of the program: threads that do work for it, signals.
    pub(crate) outside: AtomicUsize,
    /// Threads of other schedulers that wake a fiber of this one just now.
    visitors: AtomicUsize,
    pub(crate) reactor: OnceLock<Reactor>,
    pub(crate) has_monitor: AtomicBool,
    pub(crate) monitor_sleeps: AtomicBool,
    pub(crate) monitor: Mutex<Option<std::thread::Thread>>,
    roots: Mutex<Vec<usize>>,
    start: Instant,
    pub(crate) tracer: Option<&'static Tracer>,
    /// Under a seed, time passes when all wait for it, and a little when one lets others go first.
    virtual_time: AtomicU64,
    _presence: Presence,
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        while self.visitors.load(Ordering::Acquire) > 0 {
            std::thread::yield_now();
        }
    }
}

// SAFETY: what is not atomic is behind locks, or does not change.
unsafe impl Sync for Scheduler {}
// SAFETY: as above.
unsafe impl Send for Scheduler {}

/// What all threads see of one.
#[derive(Default)]
pub(crate) struct Slot {
    pub(crate) stealers: OnceLock<Stealers>,
    /// The queues, while no thread uses the slot.
    spare: Mutex<Option<Queues>>,
    /// What goes on next here, before the queue.
    pub(crate) next: AtomicUsize,
    /// What only this thread may run.
    pub(crate) inbox: Mutex<VecDeque<Runnable>>,
    pub(crate) has_inbox: AtomicBool,
    pub(crate) switches: AtomicU64,
    /// When it had no work the last time, in nanoseconds of the scheduler's clock.
    pub(crate) busy_since: AtomicU64,
    /// It has run one fiber for long.
    pub(crate) is_stuck: AtomicBool,
    pub(crate) bed: Bed,
    pub(crate) handle: Mutex<Option<std::thread::Thread>>,
    pub(crate) in_use: AtomicBool,
}

/// What a thread has to run: what became ready, and what the system said is ready.
pub(crate) struct Queues {
    pub(crate) ready: Deque<Runnable>,
    pub(crate) heard: Deque<Runnable>,
}

impl Default for Queues {
    fn default() -> Queues {
        Queues { ready: Deque::new_fifo(), heard: Deque::new_fifo() }
    }
}

/// The same as others see it.
pub(crate) struct Stealers {
    pub(crate) ready: Stealer<Runnable>,
    pub(crate) heard: Stealer<Runnable>,
}

/// When a fiber goes on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Next on this thread.
    Next,
    /// After what was ready before, here or elsewhere.
    InTurn,
    /// The same, for one that waited for the system's word ([`crate::heard`]).
    Heard,
}

/// Nanoseconds of time under a seed.
const YIELD_TIME: u64 = 1_000;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poison| poison.into_inner())
}

impl Scheduler {
    pub fn new(hooks: Hooks, config: Config) -> Scheduler {
        let Config { seed, single, user } = config;
        let idle = Rests::default();
        idle.set_workers(1);
        Scheduler {
            hooks,
            user,
            seed,
            single: single || seed.is_some(),
            state: AtomicU8::new(State::Idle as u8),
            slots: (0..MAX_THREADS).map(|_| Slot::default()).collect(),
            used: AtomicUsize::new(0),
            injector: Injector::new(),
            idle,
            hears_briefly: AtomicBool::new(false),
            timers: Mutex::default(),
            next_timer: AtomicU64::new(NEVER),
            live: AtomicUsize::new(0),
            cancels: AtomicBool::new(false),
            drained: AtomicPtr::default(),
            ending: Ending::default(),
            handles: Mutex::default(),
            stopping: AtomicBool::new(false),
            outside: AtomicUsize::new(0),
            visitors: AtomicUsize::new(0),
            reactor: OnceLock::new(),
            has_monitor: AtomicBool::new(false),
            monitor_sleeps: AtomicBool::new(false),
            monitor: Mutex::default(),
            roots: Mutex::default(),
            start: Instant::now(),
            tracer: tracer(),
            virtual_time: AtomicU64::new(0),
            _presence: Presence::scheduler(),
        }
    }

    pub fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            1 => State::Running,
            2 => State::Draining,
            3 => State::Stopped,
            _ => State::Idle,
        }
    }

    pub(crate) fn set_state(&self, state: State) {
        self.state.store(state as u8, Ordering::Release);
    }

    // ---- threads

    pub(crate) fn slot(&self, index: usize) -> &Slot {
        &self.slots[index]
    }

    /// Slots above this number were never used.
    pub(crate) fn slots_in_use(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    /// A free slot and its queues.
    pub(crate) fn take_slot(&self, exclusive: bool) -> Option<(usize, Queues)> {
        for (index, slot) in self.slots.iter().enumerate() {
            if slot.in_use.swap(true, Ordering::AcqRel) {
                continue;
            }
            self.used.fetch_max(index + 1, Ordering::AcqRel);
            let queues = locked(&slot.spare).take().unwrap_or_else(|| {
                let queues = Queues::default();
                let (ready, heard) = (queues.ready.stealer(), queues.heard.stealer());
                let _ = slot.stealers.set(Stealers { ready, heard });
                queues
            });
            *locked(&slot.handle) = Some(std::thread::current());
            slot.bed.set_up(exclusive);
            self.note_awake(slot);
            return Some((index, queues));
        }
        None
    }

    /// A thread leaves: what waits in its queue goes to the others.
    pub(crate) fn give_slot(&self, thread: &mut Thread) {
        let slot = self.slot(thread.slot);
        while let Some(what) = thread.take_queued() {
            self.inject(what);
        }
        *locked(&slot.spare) = Some(thread.give_queues());
        *locked(&slot.handle) = None;
        self.forget_stuck(slot);
        slot.in_use.store(false, Ordering::Release);
    }

    /// Makes the scheduler run with so many threads; for 0 with `QUARTZ_WORKERS`, or as many as there are processors.
    pub fn start(&self, workers: usize) {
        let processors = || std::thread::available_parallelism().map_or(1, |it| it.get());
        let wanted = || std::env::var("QUARTZ_WORKERS").ok()?.parse().ok().filter(|it| *it > 0);
        let workers = match (self.single, workers) {
            (true, _) => 1,
            (false, 0) => wanted().unwrap_or_else(processors),
            (false, n) => n,
        };
        self.idle.set_workers(workers.min(MAX_WORKERS));
        self.stopping.store(false, Ordering::Release);
        self.set_state(State::Running);
        if !self.single {
            self.start_monitor();
        }
    }

    /// How many threads may run fibers at a time.
    pub fn worker_count(&self) -> usize {
        self.idle.workers()
    }

    /// Whether one thread runs all fibers.
    pub(crate) fn runs_alone(&self) -> bool {
        self.idle.workers() == 1
    }

    /// Starts a thread that runs fibers; false if there cannot be another one.
    pub(crate) fn start_thread(&self) -> bool {
        self.spawn_thread(|scheduler| {
            let Some((slot, queues)) = scheduler.take_slot(false) else {
                return scheduler.idle.thread_ended(false);
            };
            let mut thread = Thread::new(scheduler, slot, queues, false);
            thread.settle();
            thread.run_until(&|| scheduler.stopping.load(Ordering::Acquire));
            scheduler.give_slot(&mut thread);
            scheduler.idle.thread_ended(false);
        })
    }

    /// Starts a thread of the scheduler's; it is joined when the scheduler stops.
    pub(crate) fn spawn_thread(&self, body: impl FnOnce(&Scheduler) + Send + 'static) -> bool {
        let address = self as *const Scheduler as usize;
        let mut handles = locked(&self.handles);
        // Under the lock: who stops the scheduler joins every thread that ever began.
        if self.stopping.load(Ordering::SeqCst) {
            return false;
        }
        let name = std::thread::Builder::new().name("quartz".into());
        // SAFETY: the scheduler joins its threads before it goes.
        let started = name.spawn(move || body(unsafe { &*(address as *const Scheduler) }));
        let Ok(handle) = started else { return false };
        handles.retain(|handle| !handle.is_finished());
        handles.push(handle);
        true
    }

    // ---- what is ready

    /// For those who are no thread of this scheduler, and for what this thread may not run.
    pub(crate) fn inject(&self, what: Runnable) {
        self.injector.push(what);
        rest::wake_one_from_outside(self);
    }

    pub(crate) fn injected(&self, thread: &Thread) -> Option<Runnable> {
        loop {
            let stolen = match self.seed {
                Some(_) => self.injector.steal(),
                None => self.injector.steal_batch_and_pop(&thread.deque),
            };
            match stolen {
                Steal::Success(what) => return Some(what),
                Steal::Empty => return None,
                Steal::Retry => {}
            }
        }
    }

    /// Whether there is something that any worker may run.
    pub(crate) fn has_work(&self) -> bool {
        self.has_ready() || self.slots_at_work().any(|slot| self.shares_heard(slot))
    }

    /// The same, and what workers keep for themselves.
    pub(crate) fn has_any_work(&self) -> bool {
        let has_heard = |slot: &Slot| slot.stealers.get().is_some_and(|it| !it.heard.is_empty());
        self.has_ready() || self.slots_at_work().any(has_heard)
    }

    fn has_ready(&self) -> bool {
        let waits = |slot: &Slot| slot.stealers.get().is_some_and(|it| !it.ready.is_empty());
        !self.injector.is_empty() || self.slots_at_work().any(waits)
    }

    pub(crate) fn slots_at_work(&self) -> impl Iterator<Item = &Slot> {
        self.slots[..self.slots_in_use()].iter()
    }

    /// Whether there is something that one thread only may run.
    pub(crate) fn has_inboxes(&self) -> bool {
        self.slots_at_work().any(|slot| slot.has_inbox.load(Ordering::SeqCst))
    }

    /// A fiber goes on.
    pub(crate) fn make_ready(&self, thread: &Thread, fiber: *mut Fiber, order: Order) {
        // SAFETY: the fiber is parked, and this is the one who resumes it.
        let fiber_ref = unsafe { &*fiber };
        if !std::ptr::eq(self, fiber_ref.scheduler()) {
            return fiber_ref.scheduler().visit(|home| home.make_ready_from_outside(fiber));
        }
        fiber_ref.set_phase(Phase::Ready);
        if let Some(tracer) = self.tracer
            && order != Order::InTurn
        {
            tracer.woken(Some(thread.slot), fiber_ref);
        }
        let pinned = fiber_ref.pinned.load(Ordering::Relaxed);
        if pinned != 0 && (pinned != thread.slot + 1 || thread.exclusive) {
            return self.send_to(pinned - 1, fiber);
        }
        let what = Runnable::fiber(fiber);
        match order {
            Order::Next => thread.ready_next(what),
            Order::InTurn => thread.ready_later(what),
            Order::Heard => thread.ready_as_heard(what),
        }
    }

    fn send_to(&self, number: usize, fiber: *mut Fiber) {
        let slot = self.slot(number);
        let mut inbox = locked(&slot.inbox);
        inbox.push_back(Runnable::fiber(fiber));
        slot.has_inbox.store(true, Ordering::SeqCst);
        drop(inbox);
        rest::wake(self, number);
    }

    // ---- tasks

    /// Starts a task. The caller has one count of it.
    #[inline]
    pub fn spawn(&self, thread: &Thread, job: Job, options: Options) -> *mut Task {
        self.ensure_running();
        let own_thread = options.own_thread && !self.single;
        let task = Box::into_raw(Task::with(thread.places.take(), self, job, std::ptr::null_mut(), options));
        if let Some(tracer) = self.tracer {
            tracer.spawned(thread.slot, task);
        }
        match own_thread {
            true => self.start_on_own_thread(task),
            false => self.start_task(thread, task),
        }
        task
    }

    pub(crate) fn start_task(&self, thread: &Thread, task: *mut Task) {
        self.live.plus(1, Ordering::AcqRel);
        thread.ready_next(Runnable::task(task));
    }

    fn start_on_own_thread(&self, task: *mut Task) {
        self.live.plus(1, Ordering::AcqRel);
        let address = Runnable::task(task);
        self.idle.thread_begins(true);
        let started = self.spawn_thread(move |scheduler| {
            let Some((slot, queues)) = scheduler.take_slot(true) else {
                scheduler.idle.thread_ended(true);
                return scheduler.inject(address);
            };
            let mut thread = Thread::new(scheduler, slot, queues, true);
            thread.settle();
            thread.run_alone(address);
            scheduler.give_slot(&mut thread);
            scheduler.idle.thread_ended(true);
        });
        if !started {
            self.idle.thread_ended(true);
            self.inject(address);
        }
    }

    fn ensure_running(&self) {
        if matches!(self.state(), State::Idle | State::Stopped) {
            self.start(0);
        }
    }

    pub(crate) fn task_ended(&self, thread: &Thread) {
        self.live.minus(1, Ordering::SeqCst);
        self.wake_drainer(thread);
    }

    /// Tasks that were started and are not over.
    pub fn live_tasks(&self) -> usize {
        self.live.load(Ordering::Acquire)
    }

    /// Calls `f` with every fiber of this scheduler that is in use. What it sees may change meanwhile.
    pub fn each_fiber(&self, mut f: impl FnMut(&Fiber)) {
        for &root in locked(&self.roots).iter() {
            // SAFETY: roots are listed as long as they live.
            f(unsafe { &*(root as *const Fiber) });
        }
        each_task_stack(|stack| {
            // SAFETY: the header of a task's stack is always there; unused ones say so.
            let fiber = unsafe { &*((stack.top() - size_of::<Fiber>()) as *const Fiber) };
            if fiber.phase() != Phase::Unused && fiber.belongs_to(self) {
                f(fiber);
            }
        });
    }

    /// Cancels every task but the one of the fiber at work. Those that wait are resumed.
    pub fn cancel_all(&self, thread: &Thread, own: *const Fiber) {
        let mut tasks = Vec::new();
        self.each_fiber(|fiber| {
            if !std::ptr::eq(fiber, own) {
                tasks.extend(fiber.retained_task());
            }
        });
        for task in tasks {
            // SAFETY: a count was taken above. A fiber may have ended meanwhile, and its stack gone to another program.
            unsafe {
                if std::ptr::eq((*task).scheduler, self)
                    && let Some(woken) = (*task).cancel()
                {
                    thread.resume(Fiber::of_cell(woken.0));
                }
                Task::release(task);
            }
        }
    }

    // ---- the clock

    /// Nanoseconds since the scheduler began.
    pub fn now(&self) -> u64 {
        match self.seed {
            Some(_) => self.virtual_time.load(Ordering::Acquire),
            None => self.start.elapsed().as_nanos() as u64,
        }
    }

    pub(crate) fn next_timer(&self) -> u64 {
        self.next_timer.load(Ordering::Acquire)
    }

    pub(crate) fn add_timer(&self, fiber: *mut Fiber, generation: Generation, deadline: u64) {
        let mut timers = locked(&self.timers);
        timers.add(fiber, generation, deadline);
        let next = timers.next();
        let is_first = self.next_timer.swap(next, Ordering::AcqRel) != next;
        drop(timers);
        if is_first {
            rest::clock_changed(self);
        }
    }

    pub(crate) fn remove_timer(&self, fiber: *mut Fiber) {
        let mut timers = locked(&self.timers);
        timers.remove(fiber);
        self.next_timer.store(timers.next(), Ordering::Release);
    }

    /// Ends the waits whose time has come.
    pub(crate) fn fire_timers(&self, thread: &Thread) {
        if self.next_timer() == NEVER || self.next_timer() > self.now() {
            return;
        }
        let now = self.now();
        loop {
            let due = {
                let mut timers = locked(&self.timers);
                let due = timers.due(now);
                self.next_timer.store(timers.next(), Ordering::Release);
                // Claimed under the lock: a fiber takes its entry out before it goes on.
                due.filter(|&(fiber, generation)| {
                    // SAFETY: fibers in the heap are live.
                    unsafe { (*fiber).cell.claim(generation) }
                })
            };
            match due {
                // SAFETY: claimed just now.
                Some((fiber, _)) => unsafe {
                    if (*fiber).cell.complete(Outcome::TimedOut) {
                        self.make_ready(thread, fiber, Order::InTurn);
                    }
                },
                None if self.next_timer() <= now => {}
                None => return,
            }
        }
    }

    /// Under a seed, a fiber that looks again and again uses up time, too.
    pub(crate) fn note_yield(&self) {
        if self.seed.is_some() {
            self.virtual_time.fetch_add(YIELD_TIME, Ordering::AcqRel);
        }
    }

    /// Under a seed: all wait, so time goes on to the next who waits for it. False if nobody does.
    pub(crate) fn pass_time(&self) -> bool {
        let next = self.next_timer();
        if next == NEVER {
            return false;
        }
        self.virtual_time.fetch_max(next, Ordering::AcqRel);
        true
    }

    // ---- programs

    /// Runs a program's first fiber to its end, on a stack of its own, which the caller keeps. Other fibers run on
    /// this thread while that one waits.
    ///
    /// Fails if there are too many threads already.
    pub fn run(&self, stack: Stack, job: Job) -> io::Result<()> {
        let Some((slot, queues)) = self.take_slot(false) else {
            return Err(io::Error::other("there are too many threads"));
        };
        self.idle.thread_begins(false);
        let mut thread = Thread::new(self, slot, queues, false);
        thread.settle();
        let mut root = Box::new(Root { fiber: Fiber::unused(), home: slot, is_over: AtomicBool::new(false) });
        let root: *mut Root = &raw mut *root;
        // SAFETY: the stack is in nobody's use; the fiber and what it runs stay until it is over.
        unsafe {
            let fiber = &raw mut (*root).fiber;
            Fiber::set_up(fiber, self, stack, job);
            (*fiber).rest.set(prepare(stack.top() & !63, run_root, fiber.cast()));
            if let Some(tracer) = self.tracer {
                tracer.named((*fiber).number(), "main".into());
            }
            locked(&self.roots).push(fiber as usize);
            thread.ready_next(Runnable::fiber(fiber));
            thread.run_until(&|| (*root).is_over.load(Ordering::Acquire));
            locked(&self.roots).retain(|&it| it != fiber as usize);
        }
        self.give_slot(&mut thread);
        drop(thread);
        self.idle.thread_ended(false);
        if self.has_roots() > 0 {
            // It may have kept the clock for another program's sleepers.
            rest::wake_one(self);
        }
        Ok(())
    }

    pub(crate) fn has_roots(&self) -> usize {
        locked(&self.roots).len()
    }

    /// The fibers that programs began with.
    pub(crate) fn each_root(&self, mut f: impl FnMut(*mut Fiber)) {
        locked(&self.roots).iter().for_each(|&root| f(root as *mut Fiber));
    }

    /// The fibers that programs began with end at their waits. From any thread.
    pub fn cancel_roots(&self) {
        self.each_root(|root| {
            // SAFETY: roots are listed as long as they live.
            let fiber = unsafe { &*root };
            if let Some(woken) = fiber.cancel() {
                self.make_ready_from_outside(Fiber::of_cell(woken.0));
            }
        });
    }

    /// Somebody who might have helped from outside did not: whether all wait for each other is to be looked at again.
    pub fn look_again(&self) {
        rest::wake_one_from_outside(self);
    }

    /// Runs `f` for a thread of another scheduler, while this one has a parked fiber. It is not taken apart meanwhile,
    /// even if that fiber ends.
    fn visit(&self, f: impl FnOnce(&Scheduler)) {
        self.visitors.fetch_add(1, Ordering::SeqCst);
        f(self);
        self.visitors.fetch_sub(1, Ordering::Release);
    }

    /// As [`Scheduler::make_ready`], for threads that run no fibers of this scheduler.
    pub(crate) fn make_ready_from_outside(&self, fiber: *mut Fiber) {
        // SAFETY: as there.
        let fiber_ref = unsafe { &*fiber };
        fiber_ref.set_phase(Phase::Ready);
        if let Some(tracer) = self.tracer {
            tracer.woken(None, fiber_ref);
        }
        match fiber_ref.pinned.load(Ordering::Relaxed) {
            0 => self.inject(Runnable::fiber(fiber)),
            pinned => self.send_to(pinned - 1, fiber),
        }
    }

    /// Ends the scheduler's threads, which have nothing to run any more. Not for one of them.
    pub fn stop(&self) {
        let handles = {
            let mut handles = locked(&self.handles);
            self.stopping.store(true, Ordering::SeqCst);
            std::mem::take(&mut *handles)
        };
        rest::wake_all(self);
        self.unpark_monitor();
        for handle in handles {
            let _ = handle.join();
        }
        self.set_state(State::Stopped);
    }

    /// Moves the fiber at work to the thread that its program began on, and keeps it there.
    ///
    /// # Safety
    /// The fiber is the one that runs here.
    pub unsafe fn go_home(&self, fiber: *mut Fiber) {
        let home = locked(&self.roots).first().map(|&root| {
            // SAFETY: roots are listed as long as they live.
            unsafe { (*(root as *const Root)).home }
        });
        // SAFETY: by the caller's promise.
        unsafe {
            let Some(home) = home else { return };
            (*fiber).pinned.store(home + 1, Ordering::Relaxed);
            if Thread::of(fiber).slot != home {
                Thread::of(fiber).yield_now(fiber);
            }
        }
    }
}

/// A program's first fiber, the slot of the thread that waits for it, and where it says that it is over.
#[repr(C)]
struct Root {
    fiber: Fiber,
    home: usize,
    is_over: AtomicBool,
}

/// Where a program's first fiber begins and ends.
unsafe extern "C" fn run_root(root: *mut u8) -> ! {
    let root = root.cast::<Root>();
    // SAFETY: `run` prepared the stack with this fiber, which runs now; it stays until it says that it is over.
    unsafe {
        let fiber = &raw mut (*root).fiber;
        Thread::of(fiber).arrive();
        if let Some(job) = (*fiber).take_job() {
            (job.entry)(fiber, job.argument);
        }
        (*fiber).pinned.store((*root).home + 1, Ordering::Relaxed);
        if Thread::of(fiber).slot != (*root).home {
            Thread::of(fiber).yield_now(fiber);
        }
        let thread = Thread::of(fiber);
        (thread.scheduler().hooks.end_fiber)(fiber);
        (*fiber).set_phase(Phase::Unused);
        (*root).is_over.store(true, Ordering::Release);
        thread.leave_for_good();
    }
}
