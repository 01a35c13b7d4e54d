//! Two fibers that take turns: one that walks through values, and one that makes them. The second is a task that
//! runs only while the first waits for it, unless it waits for something else itself.

use std::sync::atomic::{AtomicPtr, Ordering};

use crate::block::{Terms, Wait, join};
use crate::fiber::{Fiber, Job, Reason};
use crate::sched::Scheduler;
use crate::sync::Lock;
use crate::task::Task;
use crate::thread::Thread;
use crate::turn::Turn;
use crate::wait::Outcome;

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

    /// Lets the body run until it has the next value, or is over; `None` if it runs already, since it is what asks.
    ///
    /// # Safety
    /// The fiber runs on this thread.
    pub unsafe fn resume(&self, fiber: *mut Fiber, terms: Terms) -> Option<Outcome> {
        // Only the body changes this, and where it does not run it cannot begin to.
        if self.turns.with(|turns| turns.started && turns.producer.is_none()) {
            return None;
        }
        // SAFETY: passed on.
        unsafe {
            let wait = Wait::begin(fiber);
            let turn = Turn::new(fiber, wait.generation());
            let producer = self.turns.with(|turns| {
                turns.consumer = Some(turn);
                turns.started = true;
                turns.producer.take()
            });
            let thread = Thread::of(fiber);
            match producer {
                Some(producer) => producer.begin(thread, Outcome::Done(0)),
                None => (*fiber).scheduler().start_task(thread, self.task.load(Ordering::Relaxed)),
            }
            let outcome = wait.finish(Reason::Task, terms);
            if outcome != Outcome::Done(0) {
                self.turns.with(|turns| turns.consumer = None);
                self.give_up(fiber);
            }
            Some(outcome)
        }
    }

    /// Ends a body that is not over, and waits for that: it may be at work with what the caller knows.
    unsafe fn give_up(&self, fiber: *mut Fiber) {
        // SAFETY: the fiber runs on this thread.
        unsafe {
            if let Some(woken) = self.task().cancel() {
                Thread::of(fiber).resume(Fiber::of_cell(woken.0));
            }
            // In its clean-up it does not hear of that.
            if let Some(producer) = self.turns.with(|turns| turns.producer.take()) {
                producer.begin(Thread::of(fiber), Outcome::Cancelled);
            }
            join(fiber, self.task(), Terms { interruptible: false, ..Terms::FOREVER });
        }
    }

    /// The body has a value: who waits for it goes on, and the body waits to be asked again. `None` if nobody waits or
    /// ever will: the body is at its clean-up.
    ///
    /// # Safety
    /// The fiber is the one that runs the body, on this thread.
    pub unsafe fn pause(&self, fiber: *mut Fiber, terms: Terms) -> Option<Outcome> {
        if !terms.interruptible && self.turns.with(|turns| turns.consumer.is_none()) {
            return None;
        }
        // SAFETY: passed on.
        unsafe {
            let wait = Wait::begin(fiber);
            let turn = Turn::new(fiber, wait.generation());
            let consumer = self.turns.with(|turns| {
                turns.producer = Some(turn);
                turns.consumer.take()
            });
            if let Some(consumer) = consumer {
                consumer.begin(Thread::of(fiber), Outcome::Done(0));
            }
            let outcome = wait.finish(Reason::Others, terms);
            if outcome != Outcome::Done(0) {
                self.turns.with(|turns| turns.producer = None);
            }
            Some(outcome)
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
            unsafe { consumer.begin(Thread::of(fiber), Outcome::Done(0)) };
        }
    }

    /// Nobody will ask again: a body that is not over ends where it waits, and this waits for that. The generator can
    /// go afterwards.
    ///
    /// # Safety
    /// The fiber runs on this thread.
    pub unsafe fn end(&self, fiber: *mut Fiber) {
        // SAFETY: passed on; the count of the task is ours.
        unsafe {
            let task = self.task.load(Ordering::Relaxed);
            if !self.turns.with(|turns| std::mem::replace(&mut turns.started, true)) {
                // It finds itself cancelled, and lets go of what it holds.
                self.task().cancel();
                (*fiber).scheduler().start_task(Thread::of(fiber), task);
            }
            self.give_up(fiber);
            Task::release(task);
        }
    }
}
