//! A program at work: what its threads and fibers share, made before it runs, ended after.

use std::cell::{Cell, OnceCell};
use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::time::Duration;

use qz_rt_abi::classes::CLASS_COUNT;
use qz_rt_abi::fiber::{Resume, STACK_RESERVE};
use qz_rt_abi::object::{NAME_LEN, TypeInfo};
use qz_rt_abi::{Fiber, Worker};
use qz_sched::sched::{Config, Hooks, Scheduler};
use qz_sched::stack::Stack;
use qz_sched::{Drain, Fiber as Core, Job};

use crate::balance::{Balance, Taken};
use crate::crossing::Crossing;
use crate::cycles::Cycles;
use crate::large::Large;
use crate::memory::Chunks;
use crate::panic::{Panic, Request};
use crate::variables::{Own, Variables};
use crate::walks::Walks;

/// What the runtime knows about a fiber beyond what generated code sees.
pub struct FiberState {
    /// What the runtime function that is about to return asked for.
    pub request: Option<Request>,
    /// Panics on their way, the latest last.
    pub panics: Vec<Panic>,
    /// How much of the reserve clean-up may use after a stack overflow.
    pub(crate) cleanup_stack: usize,
    /// Objects handed over by destroy functions that were too deep.
    pub(crate) deferred: Vec<*mut u8>,
    /// Objects being shown and copied.
    pub(crate) walks: Rare<Walks>,
    /// What is being handed to another task.
    pub(crate) crossing: Rare<Crossing>,
    /// What may be left in circles.
    pub(crate) cycles: Rare<Cycles>,
    /// What the task at work is to run, until it asks for it.
    pub(crate) body: *mut u8,
    /// What its variables are bound to, a shared object or null.
    pub(crate) bindings: *mut u8,
    /// The handlers in force and what runs under them, as the library knows them.
    pub(crate) evidence: [*mut u8; 2],
    /// What it sends or receives.
    pub(crate) slot: [u128; 8],
    pub(crate) large_slot: Vec<u128>,
    /// Where the message came from that was received last.
    pub(crate) sender: String,
    /// Its own copies of modules' variables.
    pub(crate) variables: Own,
}

impl Default for FiberState {
    fn default() -> FiberState {
        FiberState {
            request: None,
            panics: Vec::new(),
            cleanup_stack: 0,
            deferred: Vec::new(),
            walks: Rare::default(),
            crossing: Rare::default(),
            cycles: Rare::default(),
            body: ptr::null_mut(),
            bindings: ptr::null_mut(),
            evidence: [ptr::null_mut(); 2],
            slot: [0; 8],
            large_slot: Vec::new(),
            sender: String::new(),
            variables: Own::default(),
        }
    }
}

/// What few fibers need, and then in a place of its own: a million tasks that wait take no room for it.
pub(crate) struct Rare<T>(OnceCell<Box<T>>);

impl<T> Default for Rare<T> {
    fn default() -> Rare<T> {
        Rare(OnceCell::new())
    }
}

impl<T> Rare<T> {
    /// Calls the function if somebody needed it before.
    pub(crate) fn if_made(&mut self, f: impl FnOnce(&mut T)) {
        if let Some(value) = self.0.get_mut() {
            f(value);
        }
    }
}

impl<T: Default> Deref for Rare<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.get_or_init(Box::default)
    }
}

impl<T: Default> DerefMut for Rare<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_init(Box::default);
        self.0.get_mut().expect("it was made just now")
    }
}

/// What the runtime knows about a worker beyond what generated code sees.
#[derive(Default)]
pub(crate) struct WorkerState {
    pub(crate) chunks: Chunks,
    pub(crate) large: Large,
    /// Objects alive by type index, where the program was compiled to count.
    pub(crate) live: Option<Vec<i64>>,
    /// Raw blocks alive, where the program was compiled to count.
    pub(crate) live_blocks: i64,
    /// The copies of modules' variables that its thread has.
    pub(crate) variables: Own,
    pub(crate) taken: Taken,
}

/// The runtime's own part of a fiber.
///
/// # Safety
/// `fiber` is live, and no other reference to its state is.
pub unsafe fn state<'a>(fiber: *mut Fiber) -> &'a mut FiberState {
    // SAFETY: whoever made the fiber put a `FiberState` there, which lives as long.
    unsafe { &mut *(*fiber).state.cast::<FiberState>() }
}

/// The runtime's own part of a fiber's worker.
///
/// # Safety
/// As for [`state`].
pub(crate) unsafe fn worker_state<'a>(fiber: *mut Fiber) -> &'a mut WorkerState {
    // SAFETY: `new_worker` put a `WorkerState` there, which lives as long as the worker.
    unsafe { &mut *(*(*fiber).worker).state.cast::<WorkerState>() }
}

/// How a program is to be run.
#[derive(Copy, Clone, Debug)]
pub struct Settings {
    /// Bytes of stack of the program's first fiber.
    pub stack_size: usize,
    /// Bytes of it that stay below the limit which generated code checks.
    pub reserve: usize,
    /// Whether the program was compiled to count objects.
    pub count_objects: bool,
    /// Only the program's own thread runs fibers.
    pub single_thread: bool,
    /// How tasks are entered.
    pub enter: Enter,
    /// It runs one call after the other of a thread that C made: modules' variables stay, and so does the memory that
    /// they may lie in.
    pub serves_c: bool,
}

/// Runs what a task begins with: the place that generated code gave, as a function of C's convention without
/// parameters; or, for engines that have no machine code, by a function of their own.
#[derive(Copy, Clone, Debug)]
pub enum Enter {
    Call,
    By(unsafe fn(host: usize, fiber: *mut Fiber, entry: *const u8), usize),
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            stack_size: 64 << 20,
            reserve: STACK_RESERVE,
            count_objects: false,
            single_thread: false,
            enter: Enter::Call,
            serves_c: false,
        }
    }
}

/// The exit status of a program that panicked.
pub const PANIC_STATUS: i32 = 101;
/// That of one that a signal ended; the signal's number is added.
const INTERRUPTED_STATUS: i32 = 128;

/// What the threads and fibers of a program share.
pub(crate) struct Shared {
    pub(crate) types: *const TypeInfo,
    pub(crate) settings: Settings,
    /// What all tasks begin with.
    pub(crate) task_entry: AtomicPtr<u8>,
    /// What the bodies of all generators begin with.
    pub(crate) generator_entry: AtomicPtr<u8>,
    /// Whether a task panicked of which nobody heard.
    pub(crate) failed: AtomicBool,
    pub(crate) standard_input: crate::streams::StandardInput,
    pub(crate) variables: Variables,
    pub(crate) balance: Balance,
    workers: Mutex<Workers>,
}

#[derive(Default)]
struct Workers {
    all: Vec<*mut Worker>,
    /// Those whose thread has ended. Their free blocks are the next one's.
    spare: Vec<*mut Worker>,
}

// SAFETY: the table is constant; workers are reached under the lock, or by the one thread that has them.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    fn workers(&self) -> std::sync::MutexGuard<'_, Workers> {
        self.workers.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    fn take_worker(&self) -> *mut Worker {
        let mut workers = self.workers();
        if let Some(worker) = workers.spare.pop() {
            return worker;
        }
        if self.settings.serves_c
            && let Some(left) = left_workers().0.pop()
        {
            workers.all.push(left);
            return left;
        }
        let live = self.settings.count_objects.then(Vec::new);
        let state = Box::new(WorkerState { live, ..WorkerState::default() });
        let worker = Box::into_raw(Box::new(Worker {
            free: [ptr::null_mut(); CLASS_COUNT],
            current: ptr::null_mut(),
            thread: ptr::null_mut(),
            live_objects: 0,
            state: Box::into_raw(state).cast(),
        }));
        workers.all.push(worker);
        worker
    }

    fn give_worker(&self, worker: *mut Worker) {
        self.workers().spare.push(worker);
    }

    /// What `f` finds in one of the workers, while no other thread is at work.
    pub(crate) fn find_worker_state<R>(&self, f: impl FnMut(&mut WorkerState) -> Option<R>) -> Option<R> {
        // SAFETY: workers live as long as this, and nobody else reaches them now.
        let states = |&worker: &*mut Worker| unsafe { &mut *(*worker).state.cast::<WorkerState>() };
        self.workers().all.iter().map(states).find_map(f)
    }

    /// Calls `f` with what each worker has counted.
    fn each_worker(&self, mut f: impl FnMut(&Worker, &WorkerState)) {
        for &worker in &self.workers().all {
            // SAFETY: workers live as long as this; what other threads count meanwhile may be seen or not.
            unsafe { f(&*worker, &*(*worker).state.cast::<WorkerState>()) };
        }
    }
}

/// The memory of threads made by C that are over, for the next ones: what they made may be in use still.
struct LeftWorkers(Vec<*mut Worker>);

// SAFETY: nobody else has them.
unsafe impl Send for LeftWorkers {}

fn left_workers() -> std::sync::MutexGuard<'static, LeftWorkers> {
    static LEFT: Mutex<LeftWorkers> = Mutex::new(LeftWorkers(Vec::new()));
    LEFT.lock().unwrap_or_else(|poison| poison.into_inner())
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.settings.serves_c {
            let all = std::mem::take(&mut self.workers().all);
            for &worker in &all {
                // SAFETY: no thread of the program is left. What the thread's own variables refer to stays.
                unsafe { (*(*worker).state.cast::<WorkerState>()).variables = Own::default() };
            }
            return left_workers().0.extend(all);
        }
        for &worker in &self.workers().all {
            // SAFETY: both were made by `Box::into_raw`, and no thread of the program is left.
            unsafe {
                drop(Box::from_raw((*worker).state.cast::<WorkerState>()));
                drop(Box::from_raw(worker));
            }
        }
    }
}

/// What the program's threads and fibers share.
pub(crate) fn shared(scheduler: &Scheduler) -> &Shared {
    // SAFETY: `Context::new` put it there; it lives as long as the scheduler.
    unsafe { &*(scheduler.user as *const Shared) }
}

/// The scheduler's part of a fiber that it runs.
///
/// # Safety
/// The fiber is one of a scheduler's.
pub(crate) unsafe fn core<'a>(fiber: *mut Fiber) -> &'a Core {
    // SAFETY: a scheduler's fiber begins with what generated code sees.
    unsafe { &*fiber.cast::<Core>() }
}

/// How many contexts of this process run something now: its program, and calls from threads that C made.
static PROGRAMS_AND_CALLS: AtomicUsize = AtomicUsize::new(0);

const HOOKS: Hooks = Hooks {
    begin_thread: |scheduler| {
        let worker = shared(scheduler).take_worker();
        crate::foreign::thread_begins(worker);
        crate::signals::watch_stacks();
        worker
    },
    end_thread: |scheduler, worker| {
        crate::foreign::thread_begins(ptr::null_mut());
        shared(scheduler).give_worker(worker);
    },
    begin_fiber,
    end_fiber: |fiber| {
        // SAFETY: the scheduler passes a fiber that runs here for the last time, whose state is nobody else's.
        unsafe { state(fiber.cast()).cycles.if_made(|cycles| cycles.end(fiber.cast())) }
    },
    end_task: crate::tasks::end_task,
    abort: crate::panic::abort_now,
    is_alone: || PROGRAMS_AND_CALLS.load(Ordering::SeqCst) <= 1 && !crate::signals::are_coming(),
    deadlock: crate::tasks::report_deadlock,
};

/// Fills in what generated code sees of a fiber. What the runtime keeps stays with the stack for the next one.
unsafe fn begin_fiber(fiber: *mut Core) {
    // SAFETY: the scheduler passes a fiber that is in nobody's use.
    unsafe {
        let shared = shared((*fiber).scheduler());
        let stack = (*fiber).stack();
        let reserve = shared.settings.reserve.min((stack.top() - stack.lowest()) / 2);
        let mut state = (*fiber).abi.state.cast::<FiberState>();
        if state.is_null() {
            state = Box::into_raw(Box::default());
        }
        (*state).cleanup_stack = reserve / 2;
        (*state).bindings = ptr::null_mut();
        (*state).evidence = [ptr::null_mut(); 2];
        // Part by part: a copy would be made of larger words than those written, and wait for them. Every task pays.
        let abi = &mut (*fiber).abi;
        abi.stack_limit = stack.lowest() + reserve;
        abi.worker = ptr::null_mut();
        abi.types = shared.types;
        abi.drop_depth = 0;
        // What the fiber before left to be destroyed goes with what this one destroys.
        abi.deferred_count = (*state).deferred.len() as u32;
        (abi.raise, abi.panicking, abi.waits_at) = (0, 0, 0);
        abi.resume = Resume::default();
        abi.state = state.cast();
        abi.hash_keys = crate::hash::keys();
        abi.bias = qz_sched::alone::bias();
    }
}

fn new_fiber(types: *const TypeInfo, state: *mut FiberState) -> Fiber {
    Fiber {
        stack_limit: 0,
        worker: ptr::null_mut(),
        types,
        drop_depth: 0,
        deferred_count: 0,
        raise: 0,
        panicking: 0,
        waits_at: 0,
        resume: Resume::default(),
        state: state.cast(),
        hash_keys: crate::hash::keys(),
        bias: qz_sched::alone::bias(),
    }
}

/// A program at work.
pub struct Context {
    shared: Box<Shared>,
    scheduler: Box<Scheduler>,
    stack: Option<Stack>,
    /// For runtime functions called from outside of a fiber.
    outside: Option<Box<Fiber>>,
    panic: Option<Panic>,
    interrupted: Option<i32>,
}

impl Context {
    /// `types` is the program's type table, starting with the entry for strings; it must outlive the context.
    pub fn new(types: *const TypeInfo, settings: Settings) -> io::Result<Context> {
        let shared = Box::new(Shared {
            types,
            settings,
            task_entry: AtomicPtr::default(),
            generator_entry: AtomicPtr::default(),
            failed: AtomicBool::new(false),
            standard_input: Default::default(),
            variables: Variables::default(),
            balance: Balance::default(),
            workers: Mutex::default(),
        });
        let seed = std::env::var("QUARTZ_SCHED_SEED").ok().and_then(|seed| seed.parse().ok());
        let config = Config { seed, single: settings.single_thread, user: &raw const *shared as usize };
        let scheduler = Box::new(Scheduler::new(HOOKS, config));
        crate::foreign::note_program(types, settings);
        Ok(Context { shared, scheduler, stack: None, outside: None, panic: None, interrupted: None })
    }

    /// A fiber that nothing runs on, for calls of runtime functions from outside. Valid as long as the context.
    pub fn fiber(&mut self) -> *mut Fiber {
        let shared = &self.shared;
        let make = || {
            let mut fiber = Box::new(new_fiber(shared.types, Box::into_raw(Box::default())));
            fiber.worker = shared.take_worker();
            fiber
        };
        &raw mut **self.outside.get_or_insert_with(make)
    }

    /// Runs `f` on the program's first fiber, and waits for the tasks that it leaves. A panic that `f` leaves in the
    /// fiber is kept for [`Context::take_panic`].
    ///
    /// Fails when there is no memory for the stack.
    pub fn run<R>(&mut self, f: impl FnOnce(*mut Fiber) -> R) -> io::Result<R> {
        self.run_until(f, None)
    }

    /// Runs a program: `entry` gives whether it panicked, and writes its status. Gives the status of the process, and the
    /// panic that ended the program. What was printed is written.
    ///
    /// Does not come back, but ends the process so, if tasks are left that compute: what they use has to stay.
    pub fn run_program(
        &mut self,
        returns_status: bool,
        entry: impl FnOnce(*mut Fiber, *mut i64) -> bool,
    ) -> io::Result<(i32, Option<Panic>)> {
        let written = Cell::new(0i64);
        let status_of = |&panicked: &bool| match returns_status {
            _ if panicked => PANIC_STATUS,
            true => written.get() as i32 & 0xff,
            false => 0,
        };
        let panicked = self.run_until(|fiber| entry(fiber, written.as_ptr()), Some(&status_of))?;
        crate::streams::flush_all();
        let panic = self.take_panic().filter(|_| panicked);
        Ok(self.settled(status_of(&panicked), panic))
    }

    /// `status_of` says how the process ends if the program's end waits for tasks that compute.
    fn run_until<R>(
        &mut self,
        f: impl FnOnce(*mut Fiber) -> R,
        status_of: Option<&dyn Fn(&R) -> i32>,
    ) -> io::Result<R> {
        struct Work<'a, F, R> {
            f: Option<F>,
            result: Option<R>,
            panic: Option<Panic>,
            is_all: bool,
            status_of: Option<&'a dyn Fn(&R) -> i32>,
        }
        unsafe extern "C" fn begin<F: FnOnce(*mut Fiber) -> R, R>(fiber: *mut Core, work: *mut u8) {
            let abi = fiber.cast::<Fiber>();
            // SAFETY: `run_until` passes its own live `Work` of these types; the fiber runs here.
            unsafe {
                let work = &mut *work.cast::<Work<'_, F, R>>();
                work.result = work.f.take().map(|f| f(abi));
                work.panic = crate::panic::take(abi);
                crate::variables::end_own(abi);
                let scheduler = (*fiber).scheduler();
                let mut is_done = scheduler.drain(fiber, work.drain());
                while is_done && work.is_all && crate::variables::end_all(abi) {
                    is_done = scheduler.drain(fiber, work.drain());
                }
                if let (false, Some(status_of), Some(result)) = (is_done, work.status_of, &work.result) {
                    leave(scheduler, status_of(result), work.panic.take());
                }
            }
        }
        impl<F: FnOnce(*mut Fiber) -> R, R> Work<'_, F, R> {
            fn entry(&self) -> unsafe extern "C" fn(*mut Core, *mut u8) {
                begin::<F, R>
            }

            fn drain(&self) -> Drain {
                if self.status_of.is_some() { Drain::OrLeave } else { Drain::Cancel }
            }
        }
        let stack = match self.stack {
            Some(stack) => stack,
            None => *self.stack.insert(Stack::map(self.shared.settings.stack_size)?),
        };
        let is_all = !self.shared.settings.serves_c;
        let mut work = Work { f: Some(f), result: None, panic: None, is_all, status_of };
        let job = Job { entry: work.entry(), argument: (&raw mut work).cast() };
        PROGRAMS_AND_CALLS.fetch_add(1, Ordering::SeqCst);
        let ran = self.scheduler.run(stack, job);
        PROGRAMS_AND_CALLS.fetch_sub(1, Ordering::SeqCst);
        ran?;
        self.scheduler.stop();
        write_trace();
        self.interrupted = crate::signals::ended(&self.scheduler);
        self.panic = work.panic.or(self.panic.take());
        Ok(work.result.expect("the fiber ran to its end"))
    }

    /// Ends the panic that nobody took, if there is one.
    pub fn take_panic(&mut self) -> Option<Panic> {
        let outside = self.outside.as_mut().map(|fiber| &raw mut **fiber);
        // SAFETY: nothing runs on that fiber.
        self.panic.take().or_else(|| outside.and_then(|fiber| unsafe { crate::panic::take(fiber) }))
    }

    /// The status and the panic of a program that ended with these: a signal that asked for its end is no panic, and a
    /// panicked task of which nobody heard is a failure.
    pub fn settled(&self, status: i32, panic: Option<Panic>) -> (i32, Option<Panic>) {
        settle(&self.shared, self.interrupted, status, panic)
    }

    /// Live objects by the name of their type, the most numerous first, if the program was compiled to
    /// count them. Blocks of raw memory are called `memory block`.
    pub fn leaks(&mut self) -> Vec<(String, i64)> {
        let mut live: Vec<i64> = Vec::new();
        let mut blocks = 0;
        self.shared.each_worker(|_, state| {
            blocks += state.live_blocks;
            let counted = state.live.as_deref().unwrap_or_default();
            live.resize(live.len().max(counted.len()), 0);
            live.iter_mut().zip(counted).for_each(|(sum, n)| *sum += n);
        });
        let types = self.shared.types;
        let name_of = |index: usize| {
            // SAFETY: only indexes of the table are counted; names are UTF-8 and live as long as it.
            unsafe {
                let info = &*types.add(index);
                String::from_utf8_lossy(std::slice::from_raw_parts(info.name, info.name_len & NAME_LEN))
                    .into_owned()
            }
        };
        let counted = live.iter().enumerate().filter(|&(_, &n)| n != 0);
        let mut leaks: Vec<(String, i64)> = counted.map(|(index, &n)| (name_of(index), n)).collect();
        if blocks != 0 {
            leaks.push(("memory block".into(), blocks));
        }
        leaks.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        leaks
    }
}

/// The process ends, or the program does: what was noted of its tasks is written.
pub(crate) fn write_trace() {
    if let Some(failure) = qz_sched::trace::write() {
        crate::streams::write_error(failure.as_bytes());
    }
}

/// Objects alive in the whole program, where it was compiled to count.
///
/// # Safety
/// `fiber` is live.
pub(crate) unsafe fn live_objects(fiber: *mut Fiber) -> i64 {
    // SAFETY: by the caller's promise.
    unsafe {
        if (*(*fiber).worker).thread.is_null() {
            return (*(*fiber).worker).live_objects;
        }
        let mut sum = 0;
        shared(core(fiber).scheduler()).each_worker(|worker, _| sum += worker.live_objects);
        sum
    }
}

fn settle(
    shared: &Shared,
    interrupted: Option<i32>,
    status: i32,
    panic: Option<Panic>,
) -> (i32, Option<Panic>) {
    match (interrupted, panic) {
        (Some(signal), Some(_)) => (INTERRUPTED_STATUS + signal, None),
        (_, None) if status == 0 && shared.failed.load(Ordering::Relaxed) => (PANIC_STATUS, None),
        (_, panic) => (status, panic),
    }
}

/// What a program has to write is given so long, if tasks compute meanwhile.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Ends the process while tasks compute.
fn leave(scheduler: &Scheduler, status: i32, panic: Option<Panic>) -> ! {
    let interrupted = crate::signals::ended(scheduler);
    let (status, panic) = settle(shared(scheduler), interrupted, status, panic);
    // Also what C has to write. Whoever blocks on a stream that one of those tasks holds is left, too.
    let (says, hears) = std::sync::mpsc::channel();
    let writes = std::thread::Builder::new().spawn(move || {
        crate::streams::flush_all();
        // SAFETY: all of C's streams.
        unsafe { libc::fflush(ptr::null_mut()) };
        if let Some(panic) = panic {
            crate::streams::write_error(panic.report().as_bytes());
        }
        let _ = says.send(());
    });
    if writes.is_ok() {
        let _ = hears.recv_timeout(LAST_WORDS);
    }
    write_trace();
    // SAFETY: nothing of the process is touched any more.
    unsafe { libc::_exit(status & 0xff) }
}

impl Drop for Context {
    fn drop(&mut self) {
        if let Some(fiber) = self.outside.take() {
            // SAFETY: made by `Box::into_raw` in `fiber`, and nothing runs on it.
            drop(unsafe { Box::from_raw(fiber.state.cast::<FiberState>()) });
        }
        if let Some(stack) = self.stack.take() {
            // SAFETY: nothing runs on it.
            unsafe { stack.unmap() };
        }
    }
}
