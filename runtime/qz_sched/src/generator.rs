//! Two fibers that take turns: one that walks through values, and one that makes them. The second is a task that
//! runs only while the first waits for it, unless it waits for something else itself.

use std::sync::atomic::{AtomicPtr, Ordering};

use crate::block::{Terms, Wait, join};
use crate::fiber::{Fiber, Job, Reason};
use crate::sched::Scheduler;
use crate::sync::Lock;
use crate::task::Task;
use crate::thread::Thread;
use crate::wait::{Generation, Outcome};

/// A generator, as those who walk through it hold it.
#[derive(Debug)]
pub struct Generator {
    turns: Lock<Turns>,
    task: AtomicPtr<Task>,
}

#[derive(Debug, Default)]
struct Turns {
    started: bool,
    over: bool,
    /// Who waits for the next value.
    consumer: Option<Turn>,
    /// The task, while it waits to be asked.
    producer: Option<Turn>,
}

/// A fiber and the wait that ends when its turn comes.
#[derive(Copy, Clone, Debug)]
struct Turn(*mut Fiber, Generation);

// SAFETY: a turn is ended by claiming its wait, from any thread.
unsafe impl Send for Turn {}

impl Turn {
    /// It is this fiber's turn, unless its wait ended otherwise.
    ///
    /// # Safety
    /// The fiber waits, or its wait was ended and it cannot have gone away; the thread is the caller's.
    unsafe fn begin(self, thread: &Thread) {
        // SAFETY: by the caller's promise; memory of fibers stays.
        unsafe {
            if (*self.0).cell.claim(self.1) && (*self.0).cell.complete(Outcome::Done(0)) {
                thread.resume(self.0);
            }
        }
    }
}

impl Generator {
    /// A generator whose body is `job`; it begins when the first value is asked for.
    pub fn new(scheduler: &Scheduler, job: Job) -> Box<Generator> {
        let generator =
            Box::new(Generator { turns: Lock::new(Turns::default()), task: AtomicPtr::default() });
        let extra = (&raw const *generator).cast_mut().cast();
        generator.task.store(Task::new(scheduler, job, extra), Ordering::Relaxed);
        generator
    }

    fn task(&self) -> &Task {
        // SAFETY: a count of the task is held until `end`.
        unsafe { &*self.task.load(Ordering::Relaxed) }
    }

    /// Whether no further value comes.
    pub fn is_over(&self) -> bool {
        self.turns.with(|turns| turns.over)
    }

    /// Lets the body run until it has the next value, or is over.
    ///
    /// # Safety
    /// The fiber runs on this thread.
    pub unsafe fn resume(&self, fiber: *mut Fiber, terms: Terms) -> Outcome {
        // SAFETY: passed on.
        unsafe {
            let wait = Wait::begin(fiber);
            let turn = Turn(fiber, wait.generation());
            let (started, producer) = self.turns.with(|turns| {
                turns.consumer = Some(turn);
                (std::mem::replace(&mut turns.started, true), turns.producer.take())
            });
            let thread = Thread::of(fiber);
            match producer {
                Some(producer) => producer.begin(thread),
                None if !started => {
                    (*fiber).scheduler().start_task(thread, self.task.load(Ordering::Relaxed))
                }
                // It waits for something else since an earlier turn was given up.
                None => {}
            }
            let outcome = wait.finish(Reason::Task, terms);
            if outcome != Outcome::Done(0) {
                self.turns.with(|turns| turns.consumer = None);
            }
            outcome
        }
    }

    /// The body has a value: who waits for it goes on, and the body waits to be asked again.
    ///
    /// # Safety
    /// The fiber is the one that runs the body, on this thread.
    pub unsafe fn pause(&self, fiber: *mut Fiber, terms: Terms) -> Outcome {
        // SAFETY: passed on.
        unsafe {
            let wait = Wait::begin(fiber);
            let turn = Turn(fiber, wait.generation());
            let consumer = self.turns.with(|turns| {
                turns.producer = Some(turn);
                turns.consumer.take()
            });
            if let Some(consumer) = consumer {
                consumer.begin(Thread::of(fiber));
            }
            let outcome = wait.finish(Reason::Others, terms);
            if outcome != Outcome::Done(0) {
                self.turns.with(|turns| turns.producer = None);
            }
            outcome
        }
    }

    /// The body is over.
    ///
    /// # Safety
    /// As for [`Generator::pause`].
    pub unsafe fn finish(&self, fiber: *mut Fiber) {
        let consumer = self.turns.with(|turns| {
            turns.over = true;
            turns.consumer.take()
        });
        if let Some(consumer) = consumer {
            // SAFETY: passed on.
            unsafe { consumer.begin(Thread::of(fiber)) };
        }
    }

    /// Nobody will ask again: a body that is not over ends where it waits, and this waits for that.
    ///
    /// # Safety
    /// The fiber runs on this thread.
    pub unsafe fn end(self: Box<Generator>, fiber: *mut Fiber) {
        // SAFETY: passed on; the count of the task is ours.
        unsafe {
            let task = self.task.load(Ordering::Relaxed);
            let started = self.turns.with(|turns| std::mem::replace(&mut turns.started, true));
            let woken = self.task().cancel();
            if !started {
                (*fiber).scheduler().start_task(Thread::of(fiber), task);
            }
            if let Some(woken) = woken {
                Thread::of(fiber).resume(Fiber::of_cell(woken.0));
            }
            join(fiber, &*task, Terms { interruptible: false, ..Terms::FOREVER });
            Task::release(task);
        }
    }
}
