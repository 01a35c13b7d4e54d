//! Native programs: starting one, and panics as its code carries them.
//!
//! A function that panics calls one of `qz_native_panic…` with the number of its place and then returns to its
//! caller with a flag set, running its cleanup first. Each function on the way notes the place of its call
//! (`qz_native_frame`), so the backtrace is complete when the panic has left the program. A function with
//! cleanups asks at the first one how many panics there are (`qz_native_enter`) and hands that number back when
//! it leaves (`qz_native_leave`): panics above came out of the clean-up and are attached.

use std::collections::VecDeque;
use std::sync::OnceLock;

use qz_rt_abi::Fiber;
use qz_rt_abi::native::{
    ABI, COUNTS_OBJECTS, HIDDEN, NO_PARENT, Place, Program, RETURNS_STATUS, TRACK_CALLER,
};

use crate::context::state;
use crate::panic::{Panic, PanicTrace, Request, abort_now};
use crate::unwind::{Frame, INNER_FRAMES, OUTER_FRAMES, Region, Resolver};
use crate::{Context, Settings};

/// The build went wrong, not the program.
const MISMATCH_STATUS: i32 = 70;
/// Objects were left over.
const LEAK_STATUS: i32 = 102;

/// Only functions that may come back to themselves check the stack here, so more must be left for chains of
/// others, and frames are larger after inlining.
const RESERVE: usize = 1 << 20;

/// The program of this process.
static PROGRAM: OnceLock<&'static Program> = OnceLock::new();

impl Settings {
    pub(crate) fn of(program: &Program) -> Settings {
        let count_objects = program.flags & COUNTS_OBJECTS != 0;
        let usual = Settings { count_objects, ..Settings::default() };
        if program.code.is_null() { Settings { reserve: RESERVE, ..usual } } else { usual }
    }
}

const MISMATCH: &str = "the program is linked with the runtime library of another compiler; build it again";

/// Makes the program of this process known, for panics and backtraces.
pub(crate) fn note(program: &'static Program) {
    if program.abi != ABI {
        abort_now(&format!("error: {MISMATCH}"));
    }
    if PROGRAM.set(program).is_ok() {
        register_code(program);
        std::panic::set_hook(Box::new(|info| {
            crate::streams::write_error(format!("an error in the runtime of Quartz: {info}\n").as_bytes());
            std::process::abort();
        }));
    }
}

/// Takes the place of Rust's own ends by way of the linker (`qz_driver::native::hooks`): what those print needs a reader
/// of debugging data, a third of a small program. [`note`] sets a hook that says more; this is for what is in front
/// of it.
#[unsafe(no_mangle)]
pub extern "C" fn qz_native_mistake() -> ! {
    crate::streams::write_error(b"an error in the runtime of Quartz\n");
    std::process::abort();
}

/// As [`qz_native_mistake`], for memory that is not there.
#[unsafe(no_mangle)]
pub extern "C" fn qz_native_no_memory() -> ! {
    crate::streams::write_error(b"out of memory\n");
    std::process::abort();
}

/// Runs a native program and gives its exit status. Called by the program's `main`.
///
/// # Safety
/// The program is constant data that the compiler made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qz_start(program: &'static Program, _argc: i32, _argv: *const *const u8) -> i32 {
    if program.abi != ABI {
        crate::streams::write_error(format!("error: {MISMATCH}\n").as_bytes());
        return MISMATCH_STATUS;
    }
    note(program);
    open_missing_streams();
    // SAFETY: no other thread runs yet. A reader that goes away is an error of the write, as Rust programs have
    // it, not the end of the process.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let mut context = match Context::new(program.types, Settings::of(program)) {
        Ok(context) => context,
        Err(error) => abort_now(&format!("no memory: {error}")),
    };
    let returns_status = program.flags & RETURNS_STATUS != 0;
    // SAFETY: the compiler made the function for this signature; it gets a live fiber, on whose stack it runs.
    let ran =
        context.run_program(returns_status, |fiber, status| unsafe { (program.run)(fiber, status) != 0 });
    let (status, panic) = match ran {
        Ok(ended) => ended,
        Err(error) => abort_now(&format!("no memory for the stack: {error}")),
    };
    if let Some(panic) = panic {
        crate::streams::write_error(panic.report().as_bytes());
    }
    let leaks = context.leaks();
    for (name, count) in &leaks {
        crate::streams::write_error(format!("leaked: {count} × {name}\n").as_bytes());
    }
    if leaks.is_empty() { status & 0xff } else { LEAK_STATUS }
}

/// A standard stream that is closed would become whatever is opened next.
fn open_missing_streams() {
    for stream in 0..3 {
        // SAFETY: asks about a descriptor; the new one, which is the lowest number that is free, is kept.
        unsafe {
            if libc::fcntl(stream, libc::F_GETFD) < 0 {
                libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
            }
        }
    }
}

/// Tells the unwinder of code that has a table of its calls.
fn register_code(program: &'static Program) {
    if program.code.is_null() {
        return;
    }
    // SAFETY: the compiler wrote the table and its length.
    let sites = unsafe { std::slice::from_raw_parts(program.sites, program.site_count as usize) };
    let (start, len) = (program.code as usize, program.code_len as usize);
    crate::unwind::register(Region { start, len, sites: sites.into(), resolver: Box::new(Places) });
}

/// The program's own table of places.
struct Places;

impl Resolver for Places {
    fn frames(&self, location: u32) -> Vec<Frame> {
        frames_at(location).collect()
    }
}

// ---- backtraces

/// Places of calls that a panic came through, innermost first. The middle of a deep stack is left out.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    inner: Vec<u32>,
    outer: VecDeque<u32>,
    left_out: usize,
}

impl Trace {
    fn note(&mut self, place: u32) {
        if self.inner.len() < INNER_FRAMES {
            return self.inner.push(place);
        }
        self.outer.push_back(place);
        if self.outer.len() > OUTER_FRAMES {
            self.outer.pop_front();
            self.left_out += 1;
        }
    }

    /// The frames, innermost first; an `Err` stands for so many activations that were left out.
    pub(crate) fn frames(&self) -> Vec<Result<Frame, usize>> {
        let mut frames: Vec<Result<Frame, usize>> = Vec::new();
        self.inner.iter().for_each(|&place| frames.extend(frames_at(place).map(Ok)));
        if self.left_out > 0 {
            frames.push(Err(self.left_out));
        }
        self.outer.iter().for_each(|&place| frames.extend(frames_at(place).map(Ok)));
        frames
    }
}

fn place(number: u32) -> Option<Place> {
    let program = PROGRAM.get()?;
    let known = (number as u64) < program.place_count;
    // SAFETY: the number is one of the table's.
    known.then(|| unsafe { *program.places.add(number as usize) })
}

fn text(offset: u32, len: u32) -> String {
    let Some(program) = PROGRAM.get() else { return String::new() };
    // SAFETY: the compiler wrote offset and length of a text that it put there.
    let bytes = unsafe { std::slice::from_raw_parts(program.texts.add(offset as usize), len as usize) };
    String::from_utf8_lossy(bytes).into_owned()
}

/// The frames at a place: the function itself and those it was inlined into.
fn frames_at(number: u32) -> impl Iterator<Item = Frame> {
    let next = |at: &Place| (at.parent != NO_PARENT).then(|| place(at.parent)).flatten();
    std::iter::successors(place(number), next).filter(|at| at.flags & HIDDEN == 0).map(|at| Frame {
        function: text(at.function, at.function_len),
        file: text(at.file, at.file_len),
        line: at.line,
        column: at.column,
        track_caller: at.flags & TRACK_CALLER != 0,
    })
}

/// The innermost place of the program's own at which a fiber waits, if its code noted that. The fiber may go on meanwhile.
pub(crate) fn place_noted(fiber: &qz_sched::Fiber) -> Option<Frame> {
    // SAFETY: a word of a fiber, whose memory stays.
    let noted = unsafe { (&raw const fiber.abi.waits_at).read_volatile() };
    frames_at(noted.checked_sub(1)?).find(|frame| !frame.file.starts_with("std/"))
}

// ---- what generated code calls

/// Starts the panic that the runtime function called just before asked for.
///
/// # Safety
/// `fiber` is live.
pub(crate) unsafe fn begin(fiber: *mut Fiber, place: u32) {
    // SAFETY: by the caller's promise; nothing else refers to the fiber's state meanwhile.
    unsafe {
        (*fiber).raise = 0;
        if let Some(Request::Start { message, overflow }) = state(fiber).request.take() {
            let mut trace = Trace::default();
            trace.note(place);
            crate::panic::push(fiber, Panic::new(message, PanicTrace::Noted(trace)), overflow);
        }
    }
}

/// The panic on its way came out of the call at this place.
///
/// # Safety
/// Called by generated code, with its live fiber.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qz_native_frame(fiber: *mut Fiber, place: u32) {
    // SAFETY: by the caller's promise.
    if let Some(panic) = unsafe { state(fiber) }.panics.last_mut()
        && let PanicTrace::Noted(trace) = &mut panic.trace
    {
        trace.note(place);
    }
}

/// A function comes to one of its cleanups; `known` is what this gave it before, or 0. Gives the number of
/// panics at its first one.
///
/// # Safety
/// As for [`qz_native_frame`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qz_native_enter(fiber: *mut Fiber, known: u32) -> u32 {
    // SAFETY: by the caller's promise.
    if known != 0 { known } else { unsafe { state(fiber) }.panics.len() as u32 }
}

/// [`qz_native_frame`] and [`qz_native_enter`] in one.
///
/// # Safety
/// As for [`qz_native_frame`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qz_native_land(fiber: *mut Fiber, known: u32, place: u32) -> u32 {
    // SAFETY: by the caller's promise.
    unsafe {
        qz_native_frame(fiber, place);
        qz_native_enter(fiber, known)
    }
}

/// A panic leaves a function with cleanups; `known` is what [`qz_native_enter`] gave it, or 0 if it came to
/// none.
///
/// # Safety
/// As for [`qz_native_frame`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qz_native_leave(fiber: *mut Fiber, known: u32) {
    if known != 0 {
        // SAFETY: by the caller's promise.
        unsafe { crate::panic::attach_above(fiber, known as usize) };
    }
}

/// A panic came to the end of a function that was compiled as if it had none.
///
/// # Safety
/// As for [`qz_native_frame`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qz_native_lost(fiber: *mut Fiber) {
    // SAFETY: by the caller's promise.
    let report = unsafe { state(fiber) }.panics.last().map(Panic::report).unwrap_or_default();
    abort_now(&format!("{report}an error in the compiler: this function was thought not to panic"));
}
