//! The fiber and the worker behind it: made before a program runs, ended after. For now there is one of
//! each per run.

use std::io;
use std::ptr;

use qz_rt_abi::classes::CLASS_COUNT;
use qz_rt_abi::fiber::{Resume, STACK_RESERVE};
use qz_rt_abi::object::TypeInfo;
use qz_rt_abi::{Fiber, Worker};

use crate::large::Large;
use crate::memory::Chunks;
use crate::panic::{Panic, Request};
use crate::stack::Stack;
use crate::walks::Walks;

/// What the runtime knows about a fiber beyond what generated code sees.
#[derive(Default)]
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
    pub(crate) walks: Walks,
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
}

/// The runtime's own part of a fiber.
///
/// # Safety
/// `fiber` is live, and no other reference to its state is.
pub unsafe fn state<'a>(fiber: *mut Fiber) -> &'a mut FiberState {
    // SAFETY: `Context::new` put a `FiberState` there, which lives as long as the fiber.
    unsafe { &mut *(*fiber).state.cast::<FiberState>() }
}

/// The runtime's own part of a fiber's worker.
///
/// # Safety
/// As for [`state`].
pub(crate) unsafe fn worker_state<'a>(fiber: *mut Fiber) -> &'a mut WorkerState {
    // SAFETY: `Context::new` put a `WorkerState` there, which lives as long as the worker.
    unsafe { &mut *(*(*fiber).worker).state.cast::<WorkerState>() }
}

/// How a program is to be run.
#[derive(Copy, Clone, Debug)]
pub struct Settings {
    /// Bytes of stack.
    pub stack_size: usize,
    /// Bytes of it that stay below the limit which generated code checks.
    pub reserve: usize,
    /// Whether the program was compiled to count objects.
    pub count_objects: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { stack_size: 64 << 20, reserve: STACK_RESERVE, count_objects: false }
    }
}

/// Everything one thread of execution needs.
pub struct Context {
    fiber: Box<Fiber>,
    worker: Box<Worker>,
    stack: Stack,
}

impl Context {
    /// `types` is the program's type table, starting with the entry for strings; it must outlive the context.
    ///
    /// Fails when there is no memory for the stack.
    pub fn new(types: *const TypeInfo, settings: Settings) -> io::Result<Context> {
        let stack = Stack::new(settings.stack_size)?;
        let mut worker_state = Box::<WorkerState>::default();
        worker_state.live = settings.count_objects.then(Vec::new);
        let worker_state = Box::into_raw(worker_state);
        let mut worker = Box::new(Worker {
            free: [ptr::null_mut(); CLASS_COUNT],
            live_objects: 0,
            state: worker_state.cast(),
        });
        let fiber_state = FiberState { cleanup_stack: settings.reserve / 2, ..FiberState::default() };
        let fiber = Box::new(Fiber {
            stack_limit: stack.lowest() + settings.reserve,
            worker: &raw mut *worker,
            types,
            drop_depth: 0,
            deferred_count: 0,
            raise: 0,
            panicking: 0,
            resume: Resume::default(),
            state: Box::into_raw(Box::new(fiber_state)).cast(),
            hash_keys: crate::hash::keys(),
        });
        crate::foreign::note_program(types, settings);
        Ok(Context { fiber, worker, stack })
    }

    /// The fiber, valid as long as the context.
    pub fn fiber(&mut self) -> *mut Fiber {
        &raw mut *self.fiber
    }

    /// Runs `f` on the fiber's stack.
    pub fn run<R>(&mut self, f: impl FnOnce(*mut Fiber) -> R) -> R {
        let fiber = self.fiber();
        crate::foreign::with_current(fiber, || self.stack.run(|| f(fiber)))
    }

    /// Ends the panic that nobody took, if there is one.
    pub fn take_panic(&mut self) -> Option<Panic> {
        // SAFETY: the fiber is live, and nothing runs on it.
        unsafe { crate::panic::take(self.fiber()) }
    }

    /// Live objects by the name of their type, the most numerous first, if the program was compiled to
    /// count them. Blocks of raw memory are called `memory block`.
    pub fn leaks(&mut self) -> Vec<(String, i64)> {
        let fiber = self.fiber();
        // SAFETY: the fiber and the type table are live, and nothing runs.
        let (live, blocks, types) = unsafe {
            let state = worker_state(fiber);
            (state.live.clone().unwrap_or_default(), state.live_blocks, (*fiber).types)
        };
        let name_of = |index: usize| {
            // SAFETY: only indexes of the table are counted; names are UTF-8 and live as long as it.
            unsafe {
                let info = &*types.add(index);
                String::from_utf8_lossy(std::slice::from_raw_parts(info.name, info.name_len)).into_owned()
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

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: both were made by `Box::into_raw` in `new`, and nothing runs on the fiber any more.
        unsafe {
            drop(Box::from_raw(self.fiber.state.cast::<FiberState>()));
            drop(Box::from_raw(self.worker.state.cast::<WorkerState>()));
        }
    }
}
