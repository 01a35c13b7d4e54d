//! Variables of modules: who makes one, who waits meanwhile, where a task's or a thread's own copy lies, and when they
//! are let go.
//!
//! A variable's place starts with a word that says how far it is. Generated code asks it, and comes here for all that
//! is not [`MADE`].

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use qz_rt_abi::Fiber;
use qz_rt_abi::object::StrObject;
use qz_sched::block;
use qz_sched::channel::{Channel, Side};

use crate::context::{Shared, core, shared, state, worker_state};
use crate::strings;
use crate::tasks::{begin, terms, told};

/// Nobody asked for it.
const NEW: i64 = 0;
/// A task is at it.
const UNDER_WAY: i64 = 1;
/// It has its value.
const MADE: i64 = 2;

/// What [`variable_begin`] says beside the outcomes of waits: the caller makes the variable, or it is made.
const YOURS: i64 = 0;
const DONE: i64 = 2;
/// The variable is needed to make itself.
const CYCLE: i64 = -6;

/// What a program knows of its variables.
#[derive(Default)]
pub(crate) struct Variables {
    /// What ends variables begin with.
    entry: AtomicPtr<u8>,
    /// What ends those of all tasks, the first made first.
    ends: Mutex<Ends>,
}

/// The variables under way in this process: one program may run on several schedulers, where threads that C made call
/// into it.
static TABLE: Mutex<Table> = Mutex::new(Table { under_way: Vec::new(), waits: Vec::new() });

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(|poison| poison.into_inner())
}

struct Table {
    under_way: Vec<UnderWay>,
    /// Which fiber waits for the variable at which place.
    waits: Vec<(u64, usize)>,
}

struct UnderWay {
    place: usize,
    name: String,
    /// The number of the fiber that makes it, and its scheduler.
    owner: u64,
    scheduler: usize,
    /// Closed when that is over.
    gate: Arc<Channel>,
}

/// Functions that let go of variables, in the order in which these were made.
#[derive(Default)]
pub(crate) struct Ends(Vec<*mut u8>);

// SAFETY: what they refer to is reached by one thread after the other.
unsafe impl Send for Ends {}

/// The copies that one task or one thread has, by the place of the variable.
#[derive(Default)]
pub(crate) struct Own {
    copies: Vec<(usize, Box<[u128]>)>,
    ends: Ends,
}

impl Variables {
    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}

impl Table {
    fn at(&self, place: usize) -> Option<&UnderWay> {
        self.under_way.iter().find(|it| it.place == place)
    }

    /// The variables that wait for each other from this one on, if the fiber itself is the last to be waited for.
    fn cycle(&self, place: usize, fiber: u64) -> Option<Vec<&str>> {
        let mut names = Vec::new();
        let mut next = self.at(place);
        while let Some(it) = next {
            names.push(it.name.as_str());
            if it.owner == fiber {
                let own = self.under_way.iter().skip_while(|other| other.place != it.place).skip(1);
                names.extend(own.filter(|other| other.owner == fiber).map(|other| other.name.as_str()));
                return Some(names);
            }
            let wait = self.waits.iter().find(|(waiting, _)| *waiting == it.owner);
            next =
                wait.and_then(|&(_, place)| self.at(place)).filter(|_| names.len() <= self.under_way.len());
        }
        None
    }

    fn take(&mut self, place: usize) -> Option<UnderWay> {
        let at = self.under_way.iter().position(|it| it.place == place)?;
        Some(self.under_way.remove(at))
    }
}

/// The word that says how far a variable is.
///
/// # Safety
/// The place is a variable's, which outlives the result.
unsafe fn word<'a>(place: *mut u8) -> &'a AtomicI64 {
    // SAFETY: by the caller's promise; the word is only reached as an atomic one.
    unsafe { AtomicI64::from_ptr(place.cast()) }
}

pub(crate) unsafe fn variable_begin(fiber: *mut Fiber, place: *mut u8, name: *mut StrObject) -> i64 {
    // SAFETY: generated code passes its live fiber, the place of a variable, and a string.
    unsafe {
        let own = core(fiber).number();
        let scheduler = &raw const *core(fiber).scheduler() as usize;
        loop {
            let mut table = table();
            match word(place).load(Ordering::Acquire) {
                NEW => {
                    word(place).store(UNDER_WAY, Ordering::Relaxed);
                    let (name, gate) = (strings::text(name).to_owned(), Arc::new(Channel::new(0, 0)));
                    table.under_way.push(UnderWay {
                        place: place as usize,
                        name,
                        owner: own,
                        scheduler,
                        gate,
                    });
                    return YOURS;
                }
                UNDER_WAY if table.cycle(place as usize, own).is_some() => return CYCLE,
                UNDER_WAY => {}
                _ => return DONE,
            }
            let maker = table.at(place as usize).expect("what is under way is in the table");
            let gate = (maker.scheduler == scheduler).then(|| maker.gate.clone());
            table.waits.push((own, place as usize));
            drop(table);
            let outcome = wait(fiber, gate);
            self::table().waits.retain(|&(waiting, _)| waiting != own);
            if outcome < 0 {
                return outcome;
            }
        }
    }
}

/// Waits until the gate is closed, or, as nobody can say that over there, a moment.
unsafe fn wait(fiber: *mut Fiber, gate: Option<Arc<Channel>>) -> i64 {
    // SAFETY: the fiber runs here.
    unsafe {
        let terms = terms(fiber, -1);
        match gate {
            Some(gate) => {
                let nothing = std::ptr::null_mut();
                told(block::transfer(fiber.cast(), &gate, Side::Receive, nothing, terms))
            }
            None => {
                std::thread::sleep(A_MOMENT);
                0
            }
        }
    }
}

const A_MOMENT: Duration = Duration::from_micros(100);

pub(crate) unsafe fn variable_cycle(fiber: *mut Fiber, place: *mut u8) -> *mut StrObject {
    // SAFETY: as above, and `variable_begin` said that there is one.
    unsafe {
        let table = table();
        let names = table.cycle(place as usize, core(fiber).number()).unwrap_or_default();
        let first = names.first().copied().unwrap_or_default();
        let mut text = format!("the module variable `{first}` is needed to make itself");
        if names.len() > 1 {
            text += &format!(": {} -> {first}", names.join(" -> "));
        }
        drop(table);
        strings::new(fiber, &text)
    }
}

/// Says how it went to those who wait.
unsafe fn over(fiber: *mut Fiber, place: *mut u8, now: i64) {
    // SAFETY: passed on.
    unsafe {
        let mut table = table();
        word(place).store(now, Ordering::Release);
        let gate = table.take(place as usize).map(|it| it.gate);
        drop(table);
        if let Some(gate) = gate {
            block::close(fiber.cast(), &gate);
        }
    }
}

pub(crate) unsafe fn variable_failed(fiber: *mut Fiber, place: *mut u8) {
    // SAFETY: generated code passes its live fiber and the variable that it makes.
    unsafe { over(fiber, place, NEW) }
}

pub(crate) unsafe fn variable_made(
    fiber: *mut Fiber,
    place: *mut u8,
    kind: i64,
    entry: *mut u8,
    end: *mut u8,
) {
    // SAFETY: as above; the function for C is the same for all, and the end is moved.
    unsafe {
        let variables = &shared(core(fiber).scheduler()).variables;
        variables.entry.store(entry, Ordering::Release);
        match kind {
            PER_TASK => state(fiber).variables.ends.0.push(end),
            PER_THREAD => worker_state(fiber).variables.ends.0.push(end),
            _ => variables.ends().0.push(end),
        }
        over(fiber, place, MADE);
    }
}

/// Whose a variable is: everybody's is 0.
const PER_TASK: i64 = 1;
const PER_THREAD: i64 = 2;

pub(crate) unsafe fn variable_place(fiber: *mut Fiber, key: *mut u8, size: u64, kind: i64) -> *mut u8 {
    // SAFETY: generated code passes its live fiber.
    let own = unsafe {
        match kind {
            PER_TASK => &mut state(fiber).variables,
            _ => &mut worker_state(fiber).variables,
        }
    };
    let at = own.copies.iter().position(|(it, _)| *it == key as usize).unwrap_or_else(|| {
        let words = (size as usize).div_ceil(size_of::<u128>());
        own.copies.push((key as usize, vec![0; words].into()));
        own.copies.len() - 1
    });
    own.copies[at].1.as_mut_ptr().cast()
}

/// Lets go of a task's own variables, the last made first. On its fiber, at its end.
///
/// # Safety
/// The fiber runs here, and its job is done.
pub(crate) unsafe fn end_own(fiber: *mut Fiber) {
    // SAFETY: by the caller's promise; the functions may make further variables.
    unsafe {
        while let Some(end) = state(fiber).variables.ends.0.pop() {
            run(fiber, end);
        }
        state(fiber).variables.copies.clear();
    }
}

/// Lets go of the variables of all and of each thread, the last made first. False if there were none.
///
/// # Safety
/// As for [`end_own`]; no other task is left.
pub(crate) unsafe fn end_all(fiber: *mut Fiber) -> bool {
    // SAFETY: by the caller's promise.
    unsafe {
        let program = shared(core(fiber).scheduler());
        let mut any = false;
        while let Some(end) = next_end(program) {
            run(fiber, end);
            end_own(fiber);
            any = true;
        }
        any
    }
}

fn next_end(program: &Shared) -> Option<*mut u8> {
    let of_thread = program.find_worker_state(|state| state.variables.ends.0.pop());
    of_thread.or_else(|| program.variables.ends().0.pop())
}

unsafe fn run(fiber: *mut Fiber, end: *mut u8) {
    // SAFETY: by the callers' promises.
    unsafe {
        let entry = shared(core(fiber).scheduler()).variables.entry.load(Ordering::Acquire);
        begin(fiber.cast(), entry, end);
    }
}
