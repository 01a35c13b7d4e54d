//! Signals: the first that asks a program with tasks to end cancels its first fiber, so that servers stop, finish and
//! close; a second one kills. `SIGUSR1` shows what every task does. A touch of a stack's guard is a stack overflow.
//!
//! A handler only writes a byte; a thread reads it and acts. Programs that start no task keep the system's ways.

use std::ffi::c_int;
use std::io::{Read, pipe};
use std::os::fd::IntoRawFd;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, Once};
use std::time::Duration;

use qz_sched::Phase;
use qz_sched::sched::Scheduler;

use crate::tasks::describe;

/// Where handlers write.
static PIPE: AtomicI32 = AtomicI32::new(-1);
/// A bit for each signal that is heard.
static HEARD: AtomicU64 = AtomicU64::new(0);
/// Signals that were noted and not acted on.
static COMING: AtomicUsize = AtomicUsize::new(0);
/// The signal that asked the program to end, or 0.
static ASKED: AtomicI32 = AtomicI32::new(0);
/// The scheduler of the program that runs, or 0. Held while something is done with it.
static SCHEDULER: Mutex<usize> = Mutex::new(0);
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

fn install() {
    let Ok((mut reader, writer)) = pipe() else { return };
    PIPE.store(writer.into_raw_fd(), Ordering::SeqCst);
    let act = move || {
        let mut signal = [0];
        while reader.read_exact(&mut signal).is_ok() {
            act_on(signal[0] as c_int);
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
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGUSR1] {
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
    let byte = signal as u8;
    // SAFETY: `write` may be called in a handler; the error number is the interrupted code's.
    unsafe {
        let before = *libc::__errno_location();
        COMING.fetch_add(1, Ordering::SeqCst);
        libc::write(PIPE.load(Ordering::Relaxed), (&raw const byte).cast(), 1);
        *libc::__errno_location() = before;
    }
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
            let was_busy = is_busy(program);
            program.cancel_roots();
            drop(known);
            if was_busy {
                end_unless_moved(signal);
            }
        }
        _ => die_of(signal),
    }
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
            const WORDS: &[u8] =
                b"panic: stack overflow (in a function that does not check, so nothing is cleaned up)\n";
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
