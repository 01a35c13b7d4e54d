//! A task as others see it: whether it is done, who waits for that, and how it is told to end. Its result is
//! kept by those who started it.

use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use crate::alone::SharedNumber;
use crate::fiber::{Fiber, Job, Phase};
use crate::queue::{Node, Queue, Woken, complete};
use crate::sched::{Scheduler, State};
use crate::sync::Lock;
use crate::thread::Thread;
use crate::wait::Outcome;

/// Counted: one count for those who hold it, one for the fiber that runs it.
#[derive(Debug)]
pub struct Task {
    counts: AtomicUsize,
    pub(crate) job: Job,
    pub(crate) scheduler: *const Scheduler,
    done: AtomicBool,
    cancelled: AtomicBool,
    /// Whether somebody knows of the panic that ended it, or will hear of it. For whoever runs tasks.
    pub heard: AtomicBool,
    inner: Lock<Inner>,
    /// Bytes of stack that it wants, or 0 for the usual.
    pub(crate) stack_size: usize,
    /// Started by the clean-up of a program that ends, which needs it.
    is_late: bool,
    /// What the runtime keeps for it; see [`crate::Hooks::end_task`].
    pub extra: AtomicPtr<u8>,
}

/// Memory of tasks that are over, for those to come.
#[derive(Debug, Default)]
pub(crate) struct Places(RefCell<Vec<Box<MaybeUninit<Task>>>>);

impl Places {
    const MOST: usize = 64;

    pub(crate) fn take(&self) -> Box<MaybeUninit<Task>> {
        self.0.borrow_mut().pop().unwrap_or_else(Box::new_uninit)
    }

    fn give(&self, task: Box<Task>) {
        let mut places = self.0.borrow_mut();
        if places.len() < Places::MOST {
            let task = Box::into_raw(task);
            // SAFETY: it came out of a box just now, and nobody looks at what was in it again.
            places.push(unsafe {
                ptr::drop_in_place(task);
                Box::from_raw(task.cast())
            });
        }
    }
}

/// How a task is to run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What people call it.
    pub name: Option<Box<str>>,
    /// Bytes of stack, or 0 for the usual.
    pub stack_size: usize,
    /// On a thread of its own.
    pub own_thread: bool,
}

#[derive(Debug)]
struct Inner {
    waiters: Queue,
    /// While it runs.
    fiber: *mut Fiber,
    name: Option<Box<str>>,
}

// SAFETY: the inner part is reached under its lock; the fiber is looked at only while it is there.
unsafe impl Send for Inner {}

impl Inner {
    /// Tells one who waits; whether it was the last.
    fn tell_next(&mut self) -> Option<(Option<Woken>, bool)> {
        let node = self.waiters.claim()?;
        // SAFETY: claimed just now.
        let woken = unsafe { complete(node, Outcome::Done((*node).case)) };
        Some((woken, self.waiters.is_empty()))
    }
}

impl Task {
    /// A task with two counts: the caller's and that of the fiber to be.
    pub(crate) fn new(scheduler: *const Scheduler, job: Job, extra: *mut u8) -> *mut Task {
        Box::into_raw(Task::with(Box::new_uninit(), scheduler, job, extra, Options::default()))
    }

    // In its caller: parts of `options` that were written one by one, read as one, would wait for the cache.
    #[inline]
    pub(crate) fn with(
        place: Box<MaybeUninit<Task>>,
        scheduler: *const Scheduler,
        job: Job,
        extra: *mut u8,
        options: Options,
    ) -> Box<Task> {
        // SAFETY: a scheduler outlives its tasks.
        let is_late = unsafe { (*scheduler).state() } == State::Draining;
        // Into its place at once: a copy would be made of larger words than those written, and wait for them.
        Box::write(
            place,
            Task {
                is_late,
                counts: AtomicUsize::new(2),
                job,
                scheduler,
                done: AtomicBool::new(false),
                cancelled: AtomicBool::new(false),
                heard: AtomicBool::new(false),
                inner: Lock::new(Inner {
                    waiters: Queue::default(),
                    fiber: ptr::null_mut(),
                    name: options.name,
                }),
                stack_size: options.stack_size,
                extra: AtomicPtr::new(extra),
            },
        )
    }

    /// A task that nobody runs: [`crate::block::finish`] ends it. Two counts.
    pub fn promise(scheduler: *const Scheduler) -> *mut Task {
        unsafe extern "C" fn nothing(_: *mut Fiber, _: *mut u8) {}
        Task::new(scheduler, Job { entry: nothing, argument: ptr::null_mut() }, ptr::null_mut())
    }

    pub fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Whether its fiber is parked, or about to be, in a wait.
    pub fn is_waiting(&self) -> bool {
        // SAFETY: the fiber cannot end while the lock is held.
        let phase = self.inner.with(|inner| unsafe { inner.fiber.as_ref() }.map(Fiber::phase));
        phase == Some(Phase::Waiting)
    }

    pub fn name(&self) -> Option<Box<str>> {
        self.inner.with(|inner| inner.name.clone())
    }

    pub fn set_name(&self, name: Box<str>) {
        let _before = self.inner.with(|inner| inner.name.replace(name));
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Gives a count up.
    ///
    /// # Safety
    /// The count is the caller's.
    pub unsafe fn release(this: *mut Task) {
        // SAFETY: by the caller's promise.
        drop(unsafe { Task::without(this) });
    }

    /// As [`Task::release`], by the thread, which keeps the place for its next task.
    ///
    /// # Safety
    /// The count is the caller's.
    #[inline]
    pub unsafe fn release_at(this: *mut Task, thread: &Thread) {
        // SAFETY: by the caller's promise.
        if let Some(task) = unsafe { Task::without(this) } {
            thread.places.give(task);
        }
    }

    /// Gives a count up; the task, if it was the last.
    ///
    /// # Safety
    /// The count is the caller's.
    #[inline]
    unsafe fn without(this: *mut Task) -> Option<Box<Task>> {
        // SAFETY: by the caller's promise; the last one frees it.
        unsafe {
            // Nobody adds a count to the last one, so it need not be counted down.
            let counts = &(*this).counts;
            (counts.load(Ordering::Acquire) == 1 || counts.minus(1, Ordering::AcqRel) == 1).then(|| {
                ((*(*this).scheduler).hooks.end_task)((*this).extra.load(Ordering::Relaxed));
                Box::from_raw(this)
            })
        }
    }

    pub fn retain(&self) {
        self.counts.plus(1, Ordering::Relaxed);
    }

    /// Enters the queue of those who wait for the end; false if it is done.
    ///
    /// # Safety
    /// As for [`crate::channel::Channel::attempt`].
    pub(crate) unsafe fn enter(&self, node: *mut Node) -> bool {
        self.inner.with(|inner| {
            if self.is_done() {
                return false;
            }
            // SAFETY: passed on.
            unsafe { inner.waiters.push(node) };
            true
        })
    }

    /// # Safety
    /// The node was given to `enter`.
    pub(crate) unsafe fn leave(&self, node: *mut Node) {
        // SAFETY: passed on.
        self.inner.with(|inner| unsafe { inner.waiters.remove(node) });
    }

    /// Whether it is not to begin any more, since the program is over. Generators run for those who ask.
    pub(crate) fn comes_too_late(&self) -> bool {
        !self.is_late && self.extra.load(Ordering::Relaxed).is_null()
    }

    pub(crate) fn begins(&self, fiber: *mut Fiber) {
        self.inner.with(|inner| inner.fiber = fiber);
        if self.is_cancelled() {
            // SAFETY: the fiber is the caller's own.
            unsafe { (*fiber).interrupts.want() };
        }
    }

    /// The task is over: who waits for it goes on.
    pub(crate) fn ends(&self, mut wake: impl FnMut(Woken)) {
        let mut next = self.inner.with(|inner| {
            inner.fiber = ptr::null_mut();
            self.done.store(true, Ordering::Release);
            inner.tell_next()
        });
        while let Some((woken, is_last)) = next {
            woken.into_iter().for_each(&mut wake);
            next = if is_last { None } else { self.inner.with(Inner::tell_next) };
        }
    }

    /// The task is to end: it learns of it at its next wait, or now if it waits. The fiber to resume, if any.
    pub fn cancel(&self) -> Option<Woken> {
        self.inner.with(|inner| {
            self.cancelled.store(true, Ordering::SeqCst);
            // SAFETY: the fiber cannot end while the lock is held.
            unsafe { inner.fiber.as_ref()? }.cancel()
        })
    }
}
