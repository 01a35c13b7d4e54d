//! The border to C: code that C calls and which needs a fiber, panics that come to the border, libraries.
//!
//! C knows nothing of fibers. A thread that runs one remembers it ([`current`]), so a function that C calls
//! back finds the fiber it was called from, and runs on its stack. On a thread that runs none, as when a C program
//! calls into a library made of Quartz, the first call makes a fiber with a stack of its own; the thread keeps it.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::Mutex;

use qz_rt_abi::native::Program;
use qz_rt_abi::object::TypeInfo;
use qz_rt_abi::{Fiber, Worker};

use crate::context::state;
use crate::panic::{Panic, abort_now};
use crate::{Context, Settings};

thread_local! {
    /// The memory of this thread, if it runs fibers, or null.
    static WORKER: Cell<*mut Worker> = const { Cell::new(ptr::null_mut()) };
    /// For calls from C while the thread runs none.
    static OWN: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// From now on this thread runs fibers with this memory, or none with null.
pub(crate) fn thread_begins(worker: *mut Worker) {
    WORKER.set(worker);
}

/// The fiber that this thread runs, or null.
#[inline(never)]
fn current() -> *mut Fiber {
    // SAFETY: the worker lives until its thread says that it runs no fibers.
    unsafe { WORKER.get().as_ref() }.map_or(ptr::null_mut(), |worker| worker.current)
}

/// The program that runs in this process, for threads that C made.
#[derive(Copy, Clone)]
struct Known {
    types: *const TypeInfo,
    settings: Settings,
}

// SAFETY: the table is constant data.
unsafe impl Send for Known {}

static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// Notes what a fiber on another thread would need.
pub(crate) fn note_program(types: *const TypeInfo, settings: Settings) {
    *KNOWN.lock().unwrap_or_else(|poison| poison.into_inner()) = Some(Known { types, settings });
}

/// Whether the address lies below the stack that this thread is on. For handlers of signals.
pub(crate) fn guards(address: usize) -> bool {
    // SAFETY: a fiber that a thread runs is alive, and one of a scheduler's.
    unsafe { current().cast::<qz_sched::Fiber>().as_ref() }.is_some_and(|fiber| fiber.stack().guards(address))
}

/// The Quartz half of a function for C: takes its arguments from the frame and leaves its result there.
pub type Inner = unsafe extern "C" fn(*mut Fiber, *mut u8);

/// Runs the Quartz half of a function that C called.
///
/// # Safety
/// `inner` is generated code for this frame; `program` is null or describes the program it belongs to.
pub unsafe extern "C" fn run(inner: Inner, frame: *mut u8, program: *const Program) {
    let fiber = current();
    if fiber.is_null() {
        // SAFETY: passed on.
        return unsafe { run_outside(inner, frame, program) };
    }
    // SAFETY: the thread runs this fiber, which is therefore alive; the rest is passed on.
    unsafe { inner(fiber, frame) };
}

/// The same under a name for linkers.
///
/// # Safety
/// As for [`run`].
#[unsafe(no_mangle)]
unsafe extern "C" fn qz_foreign_run(inner: Inner, frame: *mut u8, program: *const Program) {
    // SAFETY: passed on.
    unsafe { run(inner, frame, program) }
}

/// A call from a thread that runs no fiber: its own is made, or taken again.
unsafe fn run_outside(inner: Inner, frame: *mut u8, program: *const Program) {
    let kept = OWN.with(|own| own.borrow_mut().take());
    let mut context = match kept {
        Some(context) => context,
        // SAFETY: passed on.
        None => unsafe { new_context(program) },
    };
    // SAFETY: the fiber is alive as long as the context; the rest is passed on.
    let ran = context.run(|fiber| unsafe { inner(fiber, frame) });
    if let Err(error) = ran {
        abort_now(&format!("no memory for the stack: {error}"));
    }
    // The C program writes by itself, too: what is said here comes before what it says next.
    crate::streams::flush_all();
    OWN.with(|own| *own.borrow_mut() = Some(context));
}

unsafe fn new_context(program: *const Program) -> Context {
    // SAFETY: by the caller's promise it is null or constant data.
    let known = match unsafe { program.as_ref() } {
        Some(program) => {
            crate::native::note(program);
            Some(Known { types: program.types, settings: Settings::of(program) })
        }
        None => *KNOWN.lock().unwrap_or_else(|poison| poison.into_inner()),
    };
    let Some(known) = known else { abort_now("C called a Quartz function while no program was loaded") };
    match Context::new(known.types, Settings { serves_c: true, ..known.settings }) {
        Ok(context) => context,
        Err(error) => abort_now(&format!("no memory for the stack: {error}")),
    }
}

/// A panic came out of a function that C called: it ends the program, since C's frames know nothing of clean-up.
///
/// # Safety
/// `fiber` is live; name and length are those of a text.
pub unsafe extern "C" fn panicked(fiber: *mut Fiber, name: *const u8, len: usize) -> ! {
    // SAFETY: by the caller's promise; nothing else refers to the fiber's state.
    let (report, name) = unsafe {
        let report = state(fiber).panics.last().map(Panic::report).unwrap_or_default();
        (report, String::from_utf8_lossy(std::slice::from_raw_parts(name, len)))
    };
    abort_now(&format!("{report}panic: C called `{name}`, and a panic cannot pass through C"));
}

/// The same under a name for linkers.
///
/// # Safety
/// As for [`panicked`].
#[unsafe(no_mangle)]
unsafe extern "C" fn qz_foreign_panicked(fiber: *mut Fiber, name: *const u8, len: usize) -> ! {
    // SAFETY: passed on.
    unsafe { panicked(fiber, name, len) }
}

// ---- libraries

/// Loads a library for good, so that [`find_symbol`] finds what is in it; the system's words if that fails.
pub fn open_library(path: &str) -> Result<(), String> {
    let Ok(path) = CString::new(path) else { return Err("a path cannot hold a zero byte".into()) };
    // SAFETY: the path ends in a zero byte. What a library runs when it is loaded is its own affair, as it is in a
    // native program that is linked with it.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    if !handle.is_null() {
        return Ok(());
    }
    // SAFETY: the text, if there is one, is valid until the next such call of this thread.
    let words = unsafe {
        let words = libc::dlerror();
        if words.is_null() { "unknown".into() } else { CStr::from_ptr(words).to_string_lossy().into_owned() }
    };
    Err(words)
}

/// The address of a function in the process or a library that was loaded.
pub fn find_symbol(name: &str) -> Option<*const u8> {
    let name = CString::new(name).ok()?;
    // SAFETY: the name ends in a zero byte; the call only looks up.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if !address.is_null() {
        return Some(address as *const u8);
    }
    // What C libraries link into every program and do not show: it is in this one, too.
    match name.to_bytes() {
        b"atexit" => Some(libc::atexit as *const u8),
        _ => None,
    }
}
