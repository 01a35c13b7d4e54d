//! A fiber: a stack, where it was left, and what it waits for. What generated code knows of it stands first.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering};

use qz_rt_abi::Fiber as AbiFiber;

use crate::alone::SharedNumber;
use crate::interrupt::Interrupts;
use crate::queue::Woken;
use crate::sched::Scheduler;
use crate::stack::Stack;
use crate::switch::AtRest;
use crate::sync::Lock;
use crate::task::Task;
use crate::wait::{Outcome, WaitCell};

/// What a fiber does, for those who look from outside.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Its stack is in nobody's use. Memory that was never used says this.
    Unused = 0,
    Ready = 1,
    Running = 2,
    Waiting = 3,
}

/// What a waiting fiber waits for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    Nothing = 0,
    Send = 1,
    Receive = 2,
    Select = 3,
    Task = 4,
    Sleep = 5,
    Lock = 6,
    Input = 7,
    Output = 8,
    Others = 9,
}

impl Reason {
    const ALL: [Reason; 10] = [
        Reason::Nothing,
        Reason::Send,
        Reason::Receive,
        Reason::Select,
        Reason::Task,
        Reason::Sleep,
        Reason::Lock,
        Reason::Input,
        Reason::Output,
        Reason::Others,
    ];

    pub fn words(self) -> &'static str {
        match self {
            Reason::Nothing => "is ready",
            Reason::Send => "waits to send",
            Reason::Receive => "waits to receive",
            Reason::Select => "waits in a select",
            Reason::Task => "waits for a task",
            Reason::Sleep => "sleeps",
            Reason::Lock => "waits for a lock",
            Reason::Input => "waits for input",
            Reason::Output => "waits to write",
            Reason::Others => "waits for the other tasks",
        }
    }
}

/// A function that a fiber begins with.
pub type Entry = unsafe extern "C" fn(*mut Fiber, *mut u8);

/// What a fiber runs: `entry(fiber, argument)`.
#[derive(Copy, Clone, Debug)]
pub struct Job {
    pub entry: Entry,
    pub argument: *mut u8,
}

/// A fiber. That of a task stands at the top of its stack, so that both share a page.
#[repr(C)]
pub struct Fiber {
    /// First, so that its address is the fiber's.
    pub abi: AbiFiber,
    /// Where its stack was left.
    pub(crate) rest: Cell<AtRest>,
    pub cell: WaitCell,
    /// Looked at from outside, even while the fiber is set up for another program.
    scheduler: AtomicPtr<Scheduler>,
    pub(crate) stack: Cell<Stack>,
    entry: Cell<Option<Entry>>,
    argument: Cell<*mut u8>,
    /// One more than the slot of the thread that alone may run it, or 0.
    pub(crate) pinned: AtomicUsize,
    pub(crate) phase: AtomicU8,
    pub(crate) reason: AtomicU8,
    /// Whether it is to leave what it is at.
    pub interrupts: Interrupts,
    /// Its task, or null. Kept alive by the fiber; others look at it under the lock.
    task: AtomicPtr<Task>,
    /// Held by who takes a count of the task from outside, and by the fiber when it gives the task up.
    looks: Lock<()>,
    /// A number that no other fiber of the process has had.
    number: AtomicU64,
    /// Where the clock finds it, if it waits for the time; see [`crate::timer`].
    pub(crate) timer: Cell<usize>,
}

/// Numbers of fibers.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

impl Fiber {
    pub fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            1 => Phase::Ready,
            2 => Phase::Running,
            3 => Phase::Waiting,
            _ => Phase::Unused,
        }
    }

    pub fn reason(&self) -> Reason {
        Reason::ALL[self.reason.load(Ordering::Relaxed) as usize % Reason::ALL.len()]
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
    }

    /// Whether it runs a task: a program's first fiber does not.
    pub fn has_task(&self) -> bool {
        !self.task.load(Ordering::Acquire).is_null()
    }

    /// The task that it runs. For the fiber itself, which keeps it alive.
    pub fn task(&self) -> Option<&Task> {
        // SAFETY: by the rule above; only the fiber itself puts another there.
        unsafe { self.task.load(Ordering::Relaxed).as_ref() }
    }

    /// A count of the task that it runs, for those who look from outside.
    pub(crate) fn retained_task(&self) -> Option<*mut Task> {
        self.looks.with(|()| {
            let task = self.task.load(Ordering::Acquire);
            // SAFETY: the fiber takes its task out under this lock before it gives its count up.
            unsafe { task.as_ref() }.inspect(|task| task.retain())?;
            Some(task)
        })
    }

    /// The fiber gets a task. For who sets it up; there was none.
    pub(crate) fn give_task(&self, task: *mut Task) {
        self.task.store(task, Ordering::Release);
    }

    /// The task is over: nobody looks at it by way of the fiber any more.
    pub(crate) fn take_task(&self) -> *mut Task {
        self.looks.with(|()| {
            let task = self.task.load(Ordering::Relaxed);
            self.task.store(ptr::null_mut(), Ordering::Relaxed);
            task
        })
    }

    pub(crate) fn take_job(&self) -> Option<Job> {
        Some(Job { entry: self.entry.take()?, argument: self.argument.get() })
    }

    /// A fiber that does nothing yet, outside of the memory for stacks, where zeros say the same.
    pub(crate) fn unused() -> Fiber {
        // SAFETY: of all parts zeros are values: atomics, cells, nothing, null.
        unsafe { std::mem::MaybeUninit::zeroed().assume_init() }
    }

    /// Readies an unused fiber for a job. Its wait cell goes on counting, and its lock may be somebody's.
    ///
    /// # Safety
    /// The fiber is in nobody's use; the stack is its own.
    pub(crate) unsafe fn set_up(this: *mut Fiber, scheduler: &Scheduler, stack: Stack, job: Job) {
        // SAFETY: by the caller's promise.
        let fiber = unsafe { &*this };
        fiber.scheduler.store((&raw const *scheduler).cast_mut(), Ordering::Relaxed);
        // That of a task's fiber stays the same, and may be looked at just now.
        if fiber.stack.get() != stack {
            fiber.stack.set(stack);
        }
        fiber.entry.set(Some(job.entry));
        fiber.argument.set(job.argument);
        fiber.interrupts.reset();
        fiber.pinned.store(0, Ordering::Relaxed);
        fiber.set_reason(Reason::Nothing);
        fiber.timer.set(0);
        fiber.number.store(NUMBERS.plus(1, Ordering::Relaxed), Ordering::Relaxed);
        // SAFETY: the hook fills in the part of generated code.
        unsafe { (scheduler.hooks.begin_fiber)(this) };
        fiber.set_phase(Phase::Ready);
    }

    pub(crate) fn set_reason(&self, reason: Reason) {
        self.reason.store(reason as u8, Ordering::Relaxed);
    }

    pub fn stack(&self) -> Stack {
        self.stack.get()
    }

    /// The lowest address of its stack that is in use, if it does not run. For those who look from outside: it may
    /// have changed since.
    pub fn left_at(&self) -> usize {
        AtRest::look(&self.rest)
    }

    /// What people call its task.
    pub fn task_name(&self) -> Option<Box<str>> {
        let task = self.retained_task()?;
        // SAFETY: a count was taken.
        unsafe {
            let name = (*task).name();
            Task::release(task);
            name
        }
    }

    /// Any thread may run it again.
    pub fn unpin(&self) {
        self.pinned.store(0, Ordering::Relaxed);
    }

    #[inline]
    pub fn scheduler(&self) -> &Scheduler {
        // SAFETY: a scheduler outlives its fibers.
        unsafe { &*self.scheduler.load(Ordering::Relaxed) }
    }

    /// Whether it is the scheduler's. For those who look from outside.
    pub(crate) fn belongs_to(&self, scheduler: &Scheduler) -> bool {
        std::ptr::eq(self.scheduler.load(Ordering::Relaxed), scheduler)
    }
}

impl Fiber {
    /// The fiber is to end at its next wait, or now if it waits. The fiber to resume, if any.
    pub(crate) fn cancel(&self) -> Option<Woken> {
        self.interrupts.cancel(&self.cell).then_some(Woken(&raw const self.cell))
    }

    /// The fiber is to leave what it is at as if it were cancelled, until it has [settled](Fiber::settle) that. The
    /// fiber to resume, if any.
    pub(crate) fn interrupt(&self) -> Option<Woken> {
        self.interrupts.interrupt(&self.cell).then_some(Woken(&raw const self.cell))
    }

    /// One interruption has had its effect. For the fiber itself.
    pub fn settle(&self) {
        self.interrupts.settle(|| self.task().is_some_and(Task::is_cancelled));
    }

    /// Ends a wait that only the scheduler ends. The fiber to resume, if any.
    pub(crate) fn end_any_wait(&self, outcome: Outcome) -> Option<Woken> {
        let generation = self.cell.current();
        (self.cell.claim(generation) && self.cell.complete(outcome)).then_some(Woken(&raw const self.cell))
    }

    /// The fiber whose wait this was.
    pub(crate) fn of_cell(cell: *const WaitCell) -> *mut Fiber {
        // SAFETY: every cell that is waited in is a fiber's.
        unsafe { cell.byte_sub(std::mem::offset_of!(Fiber, cell)).cast_mut().cast() }
    }
}
