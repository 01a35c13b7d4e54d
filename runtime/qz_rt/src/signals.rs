//! Signals: the first that asks a program with tasks to end cancels its first fiber, so that servers stop, finish and
//! close; a second one kills. `SIGUSR1` shows what every task does. A touch of a stack's guard is a stack overflow.
//!
//! A handler only counts; a thread waits for that and acts. Programs that start no task keep the system's ways.

use std::cell::UnsafeCell;
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, Once};
use std::time::{Duration, Instant};

use qz_sched::Phase;
use qz_sched::sched::Scheduler;

use crate::tasks::describe;

/// The signals that are heard.
const ALL: [c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGUSR1];
/// How often each has come and was not taken yet.
static CAME: [AtomicUsize; ALL.len()] = [const { AtomicUsize::new(0) }; ALL.len()];
/// Counts what handlers have noted: needs no descriptor, so there is always one.
static NOTED: Semaphore = Semaphore(UnsafeCell::new(MaybeUninit::uninit()));
/// A bit for each signal that is heard.
static HEARD: AtomicU64 = AtomicU64::new(0);
/// Signals that were noted and not acted on.
static COMING: AtomicUsize = AtomicUsize::new(0);
/// The signal that asked the program to end, or 0.
static ASKED: AtomicI32 = AtomicI32::new(0);
/// When it came.
static ASKED_AT: Mutex<Option<Instant>> = Mutex::new(None);
/// The scheduler of the program that runs, or 0. Held while something is done with it.
static SCHEDULER: Mutex<usize> = Mutex::new(0);
/// What comes so soon after the first is the same.
const AT_ONCE: Duration = Duration::from_millis(100);
/// How long a program that waits for nothing is given to come to a wait.
const PATIENCE: Duration = Duration::from_millis(300);

fn scheduler() -> MutexGuard<'static, usize> {
    SCHEDULER.lock().unwrap_or_else(|poison| poison.into_inner())
}

/// From now on signals are this program's, which has tasks.
pub(crate) fn listen(of: &Scheduler) {
    let mut known = scheduler();
    if *known == ptr::from_ref(of) as usize {
        return;
    }
    *known = ptr::from_ref(of) as usize;
    drop(known);
    static ONCE: Once = Once::new();
    ONCE.call_once(install);
}

/// The program is over. The signal that asked for that, if one did.
pub(crate) fn ended(of: &Scheduler) -> Option<i32> {
    let mut known = scheduler();
    if *known != ptr::from_ref(of) as usize {
        return None;
    }
    *known = 0;
    Some(ASKED.swap(0, Ordering::SeqCst)).filter(|&signal| signal != 0)
}

const fn bit(signal: c_int) -> u64 {
    1 << (signal - 1)
}

/// Whether a signal is on its way that may end what the program waits for: one that the system has not handed to a thread,
/// or one that was not acted on.
pub(crate) fn are_coming() -> bool {
    let heard = HEARD.load(Ordering::SeqCst);
    heard != 0 && (pending() & heard != 0 || COMING.load(Ordering::SeqCst) > 0)
}

/// Bits of those that the system has for this process. Only Linux tells of what nobody holds back.
fn pending() -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return 0 };
    let mask = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

struct Semaphore(UnsafeCell<MaybeUninit<libc::sem_t>>);

// SAFETY: the system's semaphores are for several threads; it is set up before anybody uses it.
unsafe impl Sync for Semaphore {}

impl Semaphore {
    fn at(&self) -> *mut libc::sem_t {
        self.0.get().cast()
    }

    fn set_up(&self) {
        // SAFETY: called once, before handlers are in.
        unsafe { libc::sem_init(self.at(), 0, 0) };
    }

    /// May be called in a handler.
    fn post(&self) {
        // SAFETY: it is set up.
        unsafe { libc::sem_post(self.at()) };
    }

    fn wait(&self) {
        // SAFETY: as above. Ends early when a signal comes, which is no harm.
        while unsafe { libc::sem_wait(self.at()) } < 0 {}
    }
}

/// One of those that came. There is one.
fn next() -> c_int {
    let taken = |came: &AtomicUsize| {
        let less = |count: usize| count.checked_sub(1);
        came.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
    };
    loop {
        if let Some(index) = CAME.iter().position(taken) {
            return ALL[index];
        }
    }
}

fn install() {
    NOTED.set_up();
    let act = || {
        loop {
            NOTED.wait();
            qz_sched::alone::end();
            act_on(next());
            COMING.fetch_sub(1, Ordering::SeqCst);
            // SAFETY: as in `act_on`.
            if let Some(program) = unsafe { (*scheduler() as *const Scheduler).as_ref() } {
                program.look_again();
            }
        }
    };
    if std::thread::Builder::new().name("quartz signals".into()).spawn(act).is_err() {
        return;
    }
    for signal in ALL {
        // SAFETY: the handler does nothing but write; zeros are a valid action.
        unsafe {
            let mut before: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, ptr::null(), &raw mut before);
            // Who started the program ignores it, as `nohup` does, or knows better.
            if before.sa_sigaction != libc::SIG_DFL {
                continue;
            }
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = note as *const () as usize;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal, &raw const action, ptr::null_mut());
        }
        HEARD.fetch_or(bit(signal), Ordering::SeqCst);
    }
}

extern "C" fn note(signal: c_int) {
    // SAFETY: the error number is the interrupted code's.
    let before = unsafe { *libc::__errno_location() };
    COMING.fetch_add(1, Ordering::SeqCst);
    if let Some(index) = ALL.iter().position(|&it| it == signal) {
        CAME[index].fetch_add(1, Ordering::SeqCst);
        NOTED.post();
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = before };
}

fn act_on(signal: c_int) {
    let known = scheduler();
    // SAFETY: a program's scheduler is known as long as it lives, and not forgotten while the lock is held.
    let program = unsafe { (*known as *const Scheduler).as_ref() };
    match (signal, program) {
        (libc::SIGUSR1, Some(program)) => {
            crate::streams::write_error(describe(program).as_bytes());
        }
        (libc::SIGUSR1, None) => {}
        (_, Some(program)) if ASKED.swap(signal, Ordering::SeqCst) == 0 => {
            *ASKED_AT.lock().unwrap_or_else(|poison| poison.into_inner()) = Some(Instant::now());
            let was_busy = is_busy(program);
            program.cancel_roots();
            drop(known);
            if was_busy {
                end_unless_moved(signal);
            }
        }
        // Some send it to a process and to its group.
        (_, Some(_)) if asked_just_now() => {}
        _ => die_of(signal),
    }
}

fn asked_just_now() -> bool {
    let asked = *ASKED_AT.lock().unwrap_or_else(|poison| poison.into_inner());
    is_same(asked, Instant::now())
}

fn is_same(asked: Option<Instant>, now: Instant) -> bool {
    asked.is_some_and(|asked| now.duration_since(asked) < AT_ONCE)
}

/// Whether the first fiber runs.
fn is_busy(program: &Scheduler) -> bool {
    let mut busy = false;
    program.each_fiber(|fiber| busy |= !fiber.has_task() && fiber.phase() == Phase::Running);
    busy
}

/// A computation that waits for nothing does not hear of its end.
fn end_unless_moved(signal: c_int) {
    std::thread::sleep(PATIENCE);
    let known = scheduler();
    // SAFETY: as in `act_on`.
    if unsafe { (*known as *const Scheduler).as_ref() }.is_some_and(is_busy) {
        die_of(signal);
    }
}

fn die_of(signal: c_int) {
    crate::streams::flush_all();
    crate::context::write_trace();
    // SAFETY: the system's own way of ending.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

// ---- guards of stacks

/// This thread can be told of a stack overflow while it has no stack left.
pub(crate) fn watch_stacks() {
    /// What the handler may use.
    const STACK: usize = 64 << 10;
    // SAFETY: a stack of its own for handlers of this thread, if it has none; it is never given back, as threads are
    // few. The handler goes in once.
    unsafe {
        let mut now: libc::stack_t = std::mem::zeroed();
        libc::sigaltstack(ptr::null(), &raw mut now);
        if now.ss_flags & libc::SS_DISABLE != 0 {
            let memory = std::alloc::alloc(std::alloc::Layout::from_size_align_unchecked(STACK, 16));
            let stack = libc::stack_t { ss_sp: memory.cast(), ss_flags: 0, ss_size: STACK };
            libc::sigaltstack(&raw const stack, ptr::null_mut());
        }
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: as above.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = touched as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            let mut before: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGSEGV, &raw const action, &raw mut before);
            BEFORE.store(before.sa_sigaction, Ordering::SeqCst);
        }
    });
}

/// Who handled such signals before.
static BEFORE: AtomicUsize = AtomicUsize::new(0);

/// Exit status of a program that panicked.
const PANIC_STATUS: c_int = 101;

unsafe extern "C" fn touched(signal: c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the system passes what it knows; nothing is called but what a handler may call.
    unsafe {
        if crate::foreign::guards((*info).si_addr() as usize) {
            const WORDS: &[u8] = b"panic: stack overflow in code that does not check its stack, such as a C function: nothing is \
                cleaned up\n  = help: a task has more stack with `go(stack: 8_000_000) \xe2\x80\xa6`\n";
            libc::write(2, WORDS.as_ptr().cast(), WORDS.len());
            libc::_exit(PANIC_STATUS);
        }
        match BEFORE.load(Ordering::SeqCst) {
            libc::SIG_DFL | libc::SIG_IGN => {
                libc::signal(signal, libc::SIG_DFL);
            }
            before => {
                type Handler = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void);
                std::mem::transmute::<usize, Handler>(before)(signal, info, context);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_at_once_is_the_same_signal() {
        let asked = Instant::now();
        assert!(!is_same(None, asked));
        assert!(is_same(Some(asked), asked));
        assert!(is_same(Some(asked), asked + AT_ONCE / 2));
        assert!(!is_same(Some(asked), asked + AT_ONCE));
    }
}
