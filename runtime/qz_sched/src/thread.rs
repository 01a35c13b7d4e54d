//! A system thread that runs fibers: its queue, the search for work when that is empty, and the switch from one
//! fiber to the next.
//!
//! A fiber that stops goes straight to the next one. What is left to do for it once its stack is free (park it,
//! put it back into a queue, give its stack back) is noted in [`Thread::after`] and done by whoever runs next on
//! this thread.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::atomic::Ordering;

use crossbeam_deque::{Steal, Stealer, Worker as Deque};
use qz_rt_abi::Worker;

use crate::alone::{Presence, SharedWord};
use crate::fiber::{Fiber, Phase};
use crate::heard::Heard;
use crate::lottery::Lottery;
use crate::patience::Patience;
use crate::pause::Pauses;
use crate::rest;
use crate::runnable::{Runnable, Work};
use crate::sched::{Order, Queues, Scheduler, Slot};
use crate::stack::Cache;
use crate::switch::{AtRest, go_to, prepare, switch};
use crate::task::{Places, Task};
use crate::trace::Tracer;

/// What is to be done for the fiber that was left.
#[derive(Copy, Clone, Debug)]
enum After {
    Nothing,
    Park(*mut Fiber),
    Yield(*mut Fiber),
    End(*mut Fiber),
}

/// One switch in so many looks at the clock and at what comes from outside.
const SERVICE: u32 = 61;

/// A thread that runs fibers. It stays where it is while it runs.
pub struct Thread {
    pub(crate) scheduler: *const Scheduler,
    /// The lists of free blocks, and what else belongs to a thread's memory.
    pub(crate) memory: *mut Worker,
    /// Its number among the scheduler's slots.
    pub(crate) slot: usize,
    pub(crate) deque: Deque<Runnable>,
    pub(crate) heard: Heard,
    pub(crate) pauses: Pauses,
    /// Under a seed: what is ready, drawn by lot.
    lottery: Option<RefCell<Lottery>>,
    /// It runs only what is pinned to it.
    pub(crate) exclusive: bool,
    loop_rest: Cell<AtRest>,
    after: Cell<After>,
    stacks: RefCell<Cache>,
    pub(crate) places: Places,
    ticks: Cell<u32>,
    /// Who is told of what runs, if anybody.
    tracer: Option<&'static Tracer>,
    /// The state of a sequence of numbers without order.
    lots: Cell<u64>,
    pub(crate) patience: Patience,
    pub(crate) presence: Presence,
}

impl Thread {
    pub(crate) fn new(scheduler: &Scheduler, slot: usize, queues: Queues, exclusive: bool) -> Thread {
        let presence = Presence::thread();
        // SAFETY: the hook makes memory for one thread.
        let memory = unsafe { (scheduler.hooks.begin_thread)(scheduler) };
        Thread {
            scheduler,
            memory,
            slot,
            deque: queues.ready,
            heard: Heard::new(queues.heard),
            pauses: Pauses::default(),
            lottery: scheduler.seed.map(|seed| RefCell::new(Lottery::new(seed))),
            exclusive,
            loop_rest: Cell::new(AtRest::NOWHERE),
            after: Cell::new(After::Nothing),
            stacks: RefCell::default(),
            places: Places::default(),
            ticks: Cell::new(0),
            tracer: scheduler.tracer,
            lots: Cell::new(slot as u64),
            patience: Patience::default(),
            presence,
        }
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        // SAFETY: a scheduler outlives its threads.
        unsafe { &*self.scheduler }
    }

    pub(crate) fn own_slot(&self) -> &Slot {
        self.scheduler().slot(self.slot)
    }

    /// A number below `count`, drawn by lot.
    pub(crate) fn lot(&self, count: usize) -> usize {
        let number = match &self.lottery {
            Some(lottery) => lottery.borrow_mut().number(),
            None => {
                let ticks =
                    self.lots.get().wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
                self.lots.set(ticks);
                ticks >> 33
            }
        };
        if count == 0 { 0 } else { (number % count as u64) as usize }
    }

    // ---- queues

    /// Something became ready by what this thread did: it goes on here as soon as the fiber at work stops.
    pub(crate) fn ready_next(&self, what: Runnable) {
        if let Some(lottery) = &self.lottery {
            return lottery.borrow_mut().add(what);
        }
        if self.exclusive {
            return self.scheduler().inject(what);
        }
        let before = self.own_slot().next.exchange(what.bits(), Ordering::AcqRel);
        if let Some(before) = Runnable::from_bits(before) {
            self.ready_later(before);
        }
    }

    /// Something is ready and goes on in its turn, here or elsewhere.
    pub(crate) fn ready_later(&self, what: Runnable) {
        if let Some(lottery) = &self.lottery {
            return lottery.borrow_mut().add(what);
        }
        if self.exclusive {
            return self.scheduler().inject(what);
        }
        self.deque.push(what);
        rest::wake_one(self.scheduler());
    }

    /// The system said so: it goes on in its turn, and here, while that is best ([`crate::heard`]).
    pub(crate) fn ready_as_heard(&self, what: Runnable) {
        if self.lottery.is_some() || self.exclusive {
            return self.ready_later(what);
        }
        self.heard.fibers.push(what);
        if !self.scheduler().hears_briefly() {
            rest::wake_one(self.scheduler());
        }
    }

    /// So many were told of by the system just now.
    pub(crate) fn has_heard(&self, count: u64) {
        if self.lottery.is_some() || self.exclusive {
            return;
        }
        self.heard.note(count, self.scheduler());
    }

    /// Before it listens.
    pub(crate) fn learn(&self) {
        self.heard.learn(self.scheduler());
    }

    fn pick(&self) -> Option<Runnable> {
        let ticks = self.ticks.get().wrapping_add(1);
        self.ticks.set(ticks);
        if let Some(lottery) = &self.lottery {
            self.scheduler().fire_timers(self);
            if ticks.is_multiple_of(SERVICE) {
                // One that looks again and again is always ready.
                self.scheduler().poll_now(self);
            }
            self.scheduler().injected(self).into_iter().for_each(|it| lottery.borrow_mut().add(it));
            return lottery.borrow_mut().draw();
        }
        if self.exclusive {
            return self.inbox();
        }
        if ticks.is_multiple_of(SERVICE)
            && let Some(found) = self.service()
        {
            return Some(found);
        }
        self.next_here()
    }

    fn next_here(&self) -> Option<Runnable> {
        if let Some(lottery) = &self.lottery {
            return lottery.borrow_mut().draw();
        }
        Runnable::from_bits(self.own_slot().next.exchange(0, Ordering::AcqRel)).or_else(|| self.next_queued())
    }

    /// By turns from both queues: each may be one that is never empty.
    fn next_queued(&self) -> Option<Runnable> {
        let (ready, heard) = (&self.deque, &self.heard.fibers);
        match self.ticks.get() & 1 {
            0 => ready.pop().or_else(|| heard.pop()),
            _ => heard.pop().or_else(|| ready.pop()),
        }
    }

    fn inbox(&self) -> Option<Runnable> {
        let slot = self.own_slot();
        if !slot.has_inbox.load(Ordering::Acquire) {
            return None;
        }
        let mut inbox = slot.inbox.lock().unwrap_or_else(|poison| poison.into_inner());
        let first = inbox.pop_front();
        slot.has_inbox.store(!inbox.is_empty(), Ordering::Release);
        first
    }

    /// Whether something was handed to this thread.
    pub(crate) fn has_next(&self) -> bool {
        let handed = self.own_slot().next.load(Ordering::Relaxed) != 0;
        let queued = !self.deque.is_empty() || !self.heard.fibers.is_empty();
        handed || queued || self.lottery.as_ref().is_some_and(|it| !it.borrow().is_empty())
    }

    /// What came from outside, for threads whose own queue is never empty.
    fn service(&self) -> Option<Runnable> {
        self.scheduler().fire_timers(self);
        self.scheduler().poll_now(self);
        if self.exclusive {
            // What others made ready by that is theirs: a task that began here would be at home here.
            return self.inbox();
        }
        if self.has_next() {
            return self.next_here();
        }
        self.inbox().or_else(|| self.scheduler().injected(self))
    }

    /// Work of any kind, from wherever it can be had.
    fn find(&self, over: &dyn Fn() -> bool) -> Option<Runnable> {
        self.pick().or_else(|| self.service()).or_else(|| self.steal(over))
    }

    fn steal(&self, over: &dyn Fn() -> bool) -> Option<Runnable> {
        if self.exclusive || self.lottery.is_some() {
            return None;
        }
        let scheduler = self.scheduler();
        let slots = scheduler.slots_in_use();
        let first = self.ticks.get() as usize;
        let mut waits = true;
        for turn in 0..slots {
            let other = (first + turn) % slots;
            if other == self.slot {
                continue;
            }
            let slot = scheduler.slot(other);
            let Some(stealers) = slot.stealers.get() else { continue };
            if scheduler.shares_heard(slot)
                && let Some(what) = take_half(&stealers.heard, &self.heard.fibers)
            {
                return Some(what);
            }
            let stealer = &stealers.ready;
            if !stealer.is_empty()
                && std::mem::take(&mut waits)
                && let Some(time) = self.patience.nap()
            {
                scheduler.nap(self, over, time);
            }
            if !stealer.is_empty()
                && self.patience.takes(slot, stealer)
                && let Some(what) = take_half(stealer, &self.deque)
            {
                return Some(what);
            }
            // What a thread hands to itself is left to it, unless it is long busy with something else.
            if slot.is_stuck.load(Ordering::Relaxed)
                && let Some(what) = Runnable::from_bits(slot.next.exchange(0, Ordering::AcqRel))
            {
                return Some(what);
            }
        }
        None
    }

    // ---- fibers

    /// Runs what is ready until `over` says so. On the thread's own stack.
    pub(crate) fn run_until(&self, over: &dyn Fn() -> bool) {
        while !over() {
            if self.retires() {
                self.scheduler().sleep_surplus(self, over);
                continue;
            }
            match self.find(over) {
                Some(what) => {
                    let fiber = self.fiber_for(what);
                    self.enter(fiber);
                }
                None => self.scheduler().sleep(self, over),
            }
        }
    }

    /// For a thread that was made for one task: runs it to its end.
    pub(crate) fn run_alone(&self, task: Runnable) {
        let fiber = self.fiber_for(task);
        self.enter(fiber);
        // SAFETY: the stack's header is there even when the fiber is over.
        self.run_until(&|| unsafe { (*fiber).phase() == Phase::Unused });
    }

    /// Whether more threads are at work than the program asked for.
    fn retires(&self) -> bool {
        !self.exclusive && self.lottery.is_none() && self.scheduler().idle.has_surplus()
    }

    fn enter(&self, fiber: *mut Fiber) {
        // SAFETY: what is ready runs nowhere else, and was left by a switch or prepared.
        unsafe {
            let there = self.take_over(fiber);
            switch(self.loop_rest.as_ptr(), there);
        }
        self.note_switch();
        // SAFETY: this thread is the same before and after: its own stack goes nowhere.
        unsafe { (*self.memory).current = ptr::null_mut() };
        self.finish_switch();
    }

    /// Makes the fiber this thread's, and gives where it was left.
    unsafe fn take_over(&self, fiber: *mut Fiber) -> AtRest {
        // SAFETY: by the caller's promise the fiber is ready and runs nowhere.
        unsafe {
            (*fiber).abi.worker = self.memory;
            (*self.memory).current = fiber.cast();
            (*fiber).set_phase(Phase::Running);
            if let Some(tracer) = self.tracer {
                tracer.begins(self.slot, &*fiber);
            }
            (*fiber).rest.get()
        }
    }

    /// Leaves the fiber at work for the next one. Comes back when the fiber is resumed, perhaps on another thread: in
    /// nobody's code but its own, so that nobody knows anything of the thread from before.
    #[inline(never)]
    unsafe fn leave(&self, fiber: *mut Fiber, after: After) {
        // SAFETY: the fiber is the one that runs here; the next one is ready.
        unsafe {
            let next = self.depart(fiber, after);
            switch((*fiber).rest.as_ptr(), next);
            Thread::of(fiber).finish_switch();
        }
    }

    /// All of leaving a fiber but the switch, and where that goes.
    ///
    /// # Safety
    /// The fiber is the one that runs here.
    #[inline]
    unsafe fn depart(&self, fiber: *mut Fiber, after: After) -> AtRest {
        self.after.set(after);
        self.note_switch();
        if let Some(tracer) = self.tracer {
            // SAFETY: by the caller's promise.
            unsafe { tell(tracer, self.slot, after, &*fiber) };
        }
        match self.pick() {
            // SAFETY: it is ready.
            Some(what) => unsafe { self.take_over(self.fiber_for(what)) },
            None => self.loop_rest.get(),
        }
    }

    /// Leaves a fiber that is over, and whose stack is not the scheduler's, for the thread's own stack.
    ///
    /// # Safety
    /// It runs here, and nobody resumes it.
    pub(crate) unsafe fn leave_for_good(&self) -> ! {
        if let Some(tracer) = self.tracer {
            // SAFETY: by the caller's promise.
            unsafe { tracer.ends(self.slot, &*(*self.memory).current.cast::<Fiber>()) };
        }
        // SAFETY: the thread's own stack waits in `enter`.
        unsafe { go_to(self.loop_rest.get()) }
    }

    /// For the others, which look whether it still moves.
    fn note_switch(&self) {
        let slot = self.own_slot();
        slot.switches.store(slot.switches.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        if slot.is_stuck.load(Ordering::Relaxed) {
            self.scheduler().forget_stuck(slot);
        }
    }

    /// A fiber begins here.
    pub(crate) fn arrive(&self) {
        self.finish_switch();
    }

    /// Makes itself known to the fibers that it will run. It stays where it is from now on.
    pub(crate) fn settle(&mut self) {
        // SAFETY: the memory is this thread's own.
        unsafe { (*self.memory).thread = (&raw mut *self).cast() };
    }

    /// What waits in its own queue, for those who leave.
    pub(crate) fn take_queued(&self) -> Option<Runnable> {
        let next = Runnable::from_bits(self.own_slot().next.exchange(0, Ordering::AcqRel));
        let drawn = || self.lottery.as_ref().and_then(|it| it.borrow_mut().draw());
        next.or_else(|| self.next_queued()).or_else(drawn)
    }

    /// Does what is left to do for the fiber that ran here before.
    fn finish_switch(&self) {
        match self.after.replace(After::Nothing) {
            After::Nothing => {}
            // SAFETY: the fiber has left its stack, and nobody resumes it before this says that it may.
            After::Park(fiber) => unsafe {
                if (*fiber).cell.park() {
                    self.resume(fiber);
                }
            },
            After::Yield(fiber) => {
                self.resume_in(fiber, Order::InTurn);
            }
            After::End(fiber) => {
                // SAFETY: the fiber is over; its stack may be used again.
                unsafe {
                    let stack = (*fiber).stack.get();
                    (*fiber).set_phase(Phase::Unused);
                    self.stacks.borrow_mut().give(stack);
                }
            }
        }
    }

    /// The wait of a parked fiber is over.
    pub(crate) fn resume(&self, fiber: *mut Fiber) {
        self.resume_in(fiber, Order::Next);
    }

    pub(crate) fn resume_in(&self, fiber: *mut Fiber, order: Order) {
        self.scheduler().make_ready(self, fiber, order);
    }

    /// Gives its queues, which are empty, to the next thread of its slot.
    pub(crate) fn give_queues(&mut self) -> Queues {
        let Queues { ready, heard } = Queues::default();
        Queues { ready: std::mem::replace(&mut self.deque, ready), heard: self.heard.give(heard) }
    }

    /// The thread that runs the fiber.
    ///
    /// # Safety
    /// It runs.
    pub unsafe fn at_work<'a>(fiber: *const Fiber) -> &'a Thread {
        // SAFETY: passed on.
        unsafe { Thread::of(fiber) }
    }

    /// As [`Thread::at_work`].
    ///
    /// # Safety
    /// It runs.
    #[inline]
    pub(crate) unsafe fn of<'a>(fiber: *const Fiber) -> &'a Thread {
        // SAFETY: by the caller's promise its memory is that of a thread at work.
        unsafe { &*(*(*fiber).abi.worker).thread.cast::<Thread>() }
    }

    /// Parks the fiber at work, whose wait has begun.
    ///
    /// # Safety
    /// It runs on this thread.
    pub(crate) unsafe fn park(&self, fiber: *mut Fiber) {
        // SAFETY: by the caller's promise.
        unsafe {
            (*fiber).set_phase(Phase::Waiting);
            self.leave(fiber, After::Park(fiber));
        }
    }

    /// Lets others go first.
    ///
    /// # Safety
    /// As for [`Thread::park`].
    pub(crate) unsafe fn yield_now(&self, fiber: *mut Fiber) {
        // SAFETY: by the caller's promise.
        unsafe {
            self.scheduler().note_yield();
            (*fiber).set_phase(Phase::Ready);
            self.leave(fiber, After::Yield(fiber));
        }
    }

    // ---- tasks

    /// The fiber to run: that of a task which begins is made now.
    fn fiber_for(&self, what: Runnable) -> *mut Fiber {
        match what.work() {
            Work::Fiber(fiber) => fiber,
            Work::Task(task) => self.begin(task),
        }
    }

    fn begin(&self, task: *mut Task) -> *mut Fiber {
        // SAFETY: a task that begins is kept alive by its fiber to be.
        let size = unsafe { (*task).stack_size };
        let stack = match self.stacks.borrow_mut().take(size) {
            Ok(stack) => stack,
            Err(error) => (self.scheduler().hooks.abort)(&format!("no memory for a task's stack: {error}")),
        };
        // SAFETY: the stack is in nobody's use; its top has room for the fiber, which stays while it runs.
        unsafe {
            let fiber = (stack.top() - size_of::<Fiber>()) as *mut Fiber;
            let scheduler = self.scheduler();
            Fiber::set_up(fiber, scheduler, stack, (*task).job);
            (*fiber).give_task(task);
            (*fiber).pinned.store(if self.exclusive { self.slot + 1 } else { 0 }, Ordering::Relaxed);
            let top = (fiber as usize) & !63;
            (*fiber).rest.set(prepare(top, run_task, fiber.cast()));
            (*task).begins(fiber);
            // After it is known as this fiber's: who cancels all sees it, or this sees that.
            if scheduler.cancels.load(Ordering::SeqCst) && (*task).comes_too_late() {
                let _nobody_waits = (*task).cancel();
            }
            if let Some(tracer) = self.tracer {
                tracer.born(self.slot, &*fiber, task);
            }
            fiber
        }
    }
}

fn take_half(stealer: &Stealer<Runnable>, to: &Deque<Runnable>) -> Option<Runnable> {
    loop {
        match stealer.steal_batch_and_pop(to) {
            Steal::Success(what) => return Some(what),
            Steal::Empty => return None,
            Steal::Retry => {}
        }
    }
}

#[cold]
fn tell(tracer: &Tracer, slot: usize, after: After, fiber: &Fiber) {
    match after {
        After::Park(_) => tracer.parks(slot, fiber),
        After::Yield(_) => tracer.yields(slot, fiber),
        After::End(_) | After::Nothing => tracer.ends(slot, fiber),
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // SAFETY: the memory that the hook made for this thread, which runs nothing any more.
        unsafe { (self.scheduler().hooks.end_thread)(self.scheduler(), self.memory) };
    }
}

/// Where a task's fiber begins and ends.
unsafe extern "C" fn run_task(fiber: *mut u8) -> ! {
    let fiber = fiber.cast::<Fiber>();
    // SAFETY: `begin` prepared the stack with this fiber, which runs now.
    unsafe {
        Thread::of(fiber).arrive();
        if let Some(job) = (*fiber).take_job() {
            (job.entry)(fiber, job.argument);
        }
        let thread = Thread::of(fiber);
        let scheduler = thread.scheduler();
        let task = (*fiber).take_task();
        (*task).ends(|woken| thread.resume(Fiber::of_cell(woken.0)));
        (scheduler.hooks.end_fiber)(fiber);
        Task::release_at(task, thread);
        scheduler.task_ended(thread);
        let next = thread.depart(fiber, After::End(fiber));
        go_to(next)
    }
}
