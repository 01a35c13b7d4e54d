//! Panics on their way: what was said, where it started, which clean-up is running; and the report of one
//! that nobody took.
//!
//! A panic that starts while another one cleans up stands above it until it is taken there, or until it
//! leaves the function whose clean-up started it; then it is attached to the first ("while unwinding: …").

use std::fmt::Write;

use qz_rt_abi::Fiber;
use qz_rt_abi::fiber::Resume;
use qz_rt_abi::object::StrObject;
use qz_rt_abi::registry::{ArithError, NumTy};

use crate::context::state;
use crate::strings;
use crate::unwind::{Activation, Frame, Trace};

/// One panic.
#[derive(Clone, Debug, Default)]
pub struct Panic {
    pub message: String,
    /// Messages of later panics that came out of its clean-up.
    pub attached: Vec<String>,
    pub trace: PanicTrace,
    /// Frame whose cleanup block runs for it.
    handler_fp: usize,
    /// The stack limit to put back when it is taken, if it was lowered for the clean-up.
    old_limit: Option<usize>,
}

/// Where a panic came from: walked machine frames, or frames told by the interpreter.
#[derive(Clone, Debug)]
pub enum PanicTrace {
    Machine(Trace),
    /// Noted by a native program's functions while the panic passes through them.
    Noted(crate::native::Trace),
    /// As [`Trace::frames`] gives them.
    Told(Vec<Result<Frame, usize>>),
}

impl Default for PanicTrace {
    fn default() -> PanicTrace {
        PanicTrace::Told(Vec::new())
    }
}

impl PanicTrace {
    fn frames(&self) -> Vec<Result<Frame, usize>> {
        match self {
            PanicTrace::Machine(trace) => trace.frames(),
            PanicTrace::Noted(trace) => trace.frames(),
            PanicTrace::Told(frames) => frames.clone(),
        }
    }
}

/// What a runtime function asked its stub for.
#[derive(Debug)]
pub enum Request {
    Start { message: String, overflow: bool },
    Resume,
}

impl Panic {
    pub fn new(message: String, trace: PanicTrace) -> Panic {
        Panic { message, trace, ..Panic::default() }
    }

    /// Takes in a panic that came out of its clean-up.
    pub(crate) fn attach(&mut self, later: &mut Panic) {
        self.attached.push(std::mem::take(&mut later.message));
        self.attached.append(&mut later.attached);
        self.old_limit = self.old_limit.or(later.old_limit);
    }

    /// Whether it is a stack overflow whose clean-up is not over.
    pub fn is_overflow(&self) -> bool {
        self.old_limit.is_some()
    }

    /// The innermost frame that does not put the blame on its caller.
    pub fn place(&self) -> Option<Frame> {
        let mut frames = self.trace.frames().into_iter().flatten();
        let first = frames.next()?;
        if !first.track_caller {
            return Some(first);
        }
        frames.find(|frame| !frame.track_caller).or(Some(first))
    }

    /// The message and what was attached to it.
    pub fn full_message(&self) -> String {
        let mut text = self.message.clone();
        for attached in &self.attached {
            let _ = write!(text, "\nwhile unwinding: {attached}");
        }
        text
    }

    /// One line per frame. Frames of the library at the top that put the blame on their caller are left out.
    pub fn trace_text(&self) -> String {
        let mut text = String::new();
        let frames = self.trace.frames();
        let is_blameless = |frame: &Result<Frame, usize>| match frame {
            Ok(frame) => frame.track_caller && frame.file.starts_with("std/"),
            Err(_) => false,
        };
        let skipped = frames.iter().take_while(|frame| is_blameless(frame)).count();
        let skipped = if skipped < frames.len() { skipped } else { 0 };
        for frame in frames.into_iter().skip(skipped) {
            let _ = match frame {
                Ok(f) => writeln!(text, "  in {} ({}:{}:{})", f.function, f.file, f.line, f.column),
                Err(left_out) => writeln!(text, "  … {left_out} more …"),
            };
        }
        text
    }

    /// What an uncaught panic prints.
    pub fn report(&self) -> String {
        let mut text = format!("panic: {}\n", self.message);
        if let Some(place) = self.place() {
            let _ = writeln!(text, "  at {}:{}:{}", place.file, place.line, place.column);
        }
        for attached in &self.attached {
            let _ = writeln!(text, "while unwinding: {attached}");
        }
        text + &self.trace_text()
    }
}

/// Asks the stub on the way out to start a panic.
pub(crate) unsafe fn request(fiber: *mut Fiber, message: String) {
    // SAFETY: runtime functions get a live fiber, and nothing else refers to its state meanwhile.
    unsafe {
        state(fiber).request = Some(Request::Start { message, overflow: false });
        (*fiber).raise = 1;
    }
}

/// First half of an unwinding, before the handler is looked for.
pub(crate) unsafe fn begin_unwind(fiber: *mut Fiber, at: Activation) {
    // SAFETY: as in `request`; `at` is a generated frame, as stubs promise.
    unsafe {
        match state(fiber).request.take() {
            Some(Request::Start { message, overflow }) => {
                push(fiber, Panic::new(message, PanicTrace::Machine(Trace::take(at))), overflow);
            }
            Some(Request::Resume) | None => {}
        }
    }
}

/// Records a panic that starts now. After a stack overflow the limit is lowered, so that clean-up can run.
///
/// # Safety
/// `fiber` is live.
pub unsafe fn push(fiber: *mut Fiber, mut panic: Panic, overflow: bool) {
    // SAFETY: as promised by the caller.
    unsafe {
        if overflow {
            if state(fiber).panics.iter().any(|earlier| earlier.old_limit.is_some()) {
                abort_now("panic: stack overflow while cleaning up after a stack overflow");
            }
            let old = (*fiber).stack_limit;
            panic.old_limit = Some(old);
            (*fiber).stack_limit = old - state(fiber).cleanup_stack;
        }
        state(fiber).panics.push(panic);
        (*fiber).panicking += 1;
    }
    qz_panicked();
}

/// Does nothing: a place for debuggers to stop at when a panic starts, with the program's frames above it.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn qz_panicked() {
    std::hint::black_box(());
}

/// Second half: the handler is known. Panics whose clean-up is left by this one take it in.
pub(crate) unsafe fn enter_handler(fiber: *mut Fiber, resume: &Resume) {
    // SAFETY: as in `request`.
    unsafe { enter_frame(fiber, resume.fp) }
}

/// As [`enter_handler`], for engines without machine frames: `frame` grows towards callers.
///
/// # Safety
/// `fiber` is live.
pub unsafe fn enter_frame(fiber: *mut Fiber, frame: usize) {
    // SAFETY: as promised by the caller.
    let panics = unsafe { &mut state(fiber).panics };
    while let [.., earlier, _] = panics.as_slice()
        && earlier.handler_fp < frame
    {
        // SAFETY: as above.
        unsafe { attach_last(fiber) };
    }
    if let Some(last) = panics.last_mut() {
        last.handler_fp = frame;
    }
}

/// The innermost panic came out of clean-up for the one before it, which takes it in.
///
/// # Safety
/// `fiber` is live.
unsafe fn attach_last(fiber: *mut Fiber) {
    // SAFETY: as promised by the caller.
    unsafe {
        let panics = &mut state(fiber).panics;
        let [.., earlier, last] = panics.as_mut_slice() else { return };
        earlier.attach(last);
        panics.pop();
        (*fiber).panicking -= 1;
    }
}

/// Attaches panics to the one before them until no more than `count` are left.
///
/// # Safety
/// `fiber` is live.
pub(crate) unsafe fn attach_above(fiber: *mut Fiber, count: usize) {
    // SAFETY: as promised by the caller.
    unsafe {
        while state(fiber).panics.len() > count.max(1) {
            attach_last(fiber);
        }
    }
}

/// Ends the panic on its way.
///
/// # Safety
/// `fiber` is live.
pub unsafe fn take(fiber: *mut Fiber) -> Option<Panic> {
    // SAFETY: as promised by the caller.
    unsafe {
        let panic = state(fiber).panics.pop()?;
        (*fiber).panicking -= 1;
        if let Some(limit) = panic.old_limit {
            (*fiber).stack_limit = limit;
        }
        Some(panic)
    }
}

/// A panic reached a frame that cannot be unwound.
pub(crate) unsafe fn abort_at_border(fiber: *mut Fiber) -> ! {
    // SAFETY: as in `request`.
    let report = unsafe { state(fiber) }.panics.last().map(Panic::report).unwrap_or_default();
    abort_now(&format!("{report}panic: cannot unwind through foreign code"));
}

/// Flushes, prints, and ends the process.
pub(crate) fn abort_now(message: &str) -> ! {
    crate::streams::flush_all();
    crate::streams::write_error(format!("{message}\n").as_bytes());
    crate::context::write_trace();
    std::process::abort();
}

// ---- runtime functions

pub(crate) unsafe fn panic(fiber: *mut Fiber, message: *mut StrObject) {
    // SAFETY: generated code passes a live fiber and string.
    unsafe { request(fiber, strings::text(message).to_owned()) }
}

pub(crate) unsafe fn panic_arith(fiber: *mut Fiber, what: u32, a: u64, b: u64) {
    // SAFETY: as above.
    unsafe { request(fiber, arith_message(what, a, b)) }
}

pub(crate) unsafe fn panic_cast(fiber: *mut Fiber, what: u32, bits: u64) {
    // SAFETY: as above.
    unsafe { request(fiber, cast_message(what, bits)) }
}

pub(crate) unsafe fn panic_index(fiber: *mut Fiber, index: i64, size: i64) {
    // SAFETY: as above.
    unsafe { request(fiber, format!("index {index} is out of bounds for size {size}")) }
}

pub(crate) unsafe fn panic_stack(fiber: *mut Fiber) {
    // SAFETY: as above.
    unsafe {
        state(fiber).request = Some(Request::Start { message: "stack overflow".into(), overflow: true });
        (*fiber).raise = 1;
    }
}

pub(crate) unsafe fn resume(fiber: *mut Fiber) {
    // SAFETY: as above.
    unsafe {
        state(fiber).request = Some(Request::Resume);
        (*fiber).raise = 1;
    }
}

pub(crate) unsafe fn take_panic(fiber: *mut Fiber) -> *mut StrObject {
    // SAFETY: as above.
    unsafe {
        let text = take(fiber).map(|panic| panic.full_message()).unwrap_or_default();
        strings::new(fiber, &text)
    }
}

pub(crate) unsafe fn panic_place(fiber: *mut Fiber) -> *mut StrObject {
    // SAFETY: as above.
    unsafe {
        let place = state(fiber).panics.last().and_then(Panic::place);
        let text = place.map(|f| format!("{}:{}:{}", f.file, f.line, f.column)).unwrap_or_default();
        strings::new(fiber, &text)
    }
}

pub(crate) unsafe fn panic_trace(fiber: *mut Fiber) -> *mut StrObject {
    // SAFETY: as above.
    unsafe {
        let text = state(fiber).panics.last().map(Panic::trace_text).unwrap_or_default();
        strings::new(fiber, &text)
    }
}

pub(crate) unsafe fn panicking(fiber: *mut Fiber) -> u8 {
    // SAFETY: as above.
    unsafe { ((*fiber).panicking > 0) as u8 }
}

pub(crate) unsafe fn panic_depth(fiber: *mut Fiber) -> i64 {
    // SAFETY: as above.
    unsafe { (*fiber).panicking as i64 }
}

pub(crate) unsafe fn panic_attach(fiber: *mut Fiber, message: *mut StrObject) {
    // SAFETY: as above; generated code passes a live string.
    unsafe {
        if let Some(last) = state(fiber).panics.last_mut() {
            last.attached.push(strings::text(message).into());
        }
    }
}

pub(crate) unsafe fn settle_panics(fiber: *mut Fiber, depth: i64) {
    // SAFETY: as above.
    unsafe { attach_above(fiber, depth as usize + 1) }
}

pub(crate) unsafe fn abort(_fiber: *mut Fiber, message: *mut StrObject) {
    // SAFETY: as above.
    abort_now(unsafe { strings::text(message) })
}

// ---- words

fn num_ty(code: u32) -> NumTy {
    NumTy::ALL[code as usize % NumTy::ALL.len()]
}

fn show(ty: NumTy, bits: u64) -> String {
    match ty {
        NumTy::I8 => (bits as i8).to_string(),
        NumTy::I16 => (bits as i16).to_string(),
        NumTy::I32 => (bits as i32).to_string(),
        NumTy::I64 => (bits as i64).to_string(),
        NumTy::U8 => (bits as u8).to_string(),
        NumTy::U16 => (bits as u16).to_string(),
        NumTy::U32 | NumTy::Char => (bits as u32).to_string(),
        NumTy::U64 => bits.to_string(),
        NumTy::F32 => crate::numbers::show_f32(f32::from_bits(bits as u32)),
        NumTy::F64 => crate::numbers::show_f64(f64::from_bits(bits)),
    }
}

/// What a failed operation says; `what` as `arith_code` makes it.
pub fn arith_message(what: u32, a: u64, b: u64) -> String {
    let ty = num_ty(what >> 8);
    let (a, b) = (show(ty, a), show(ty, b));
    let bits = ty.bits();
    let operator = match ArithError::ALL[(what & 0xff) as usize % ArithError::ALL.len()] {
        ArithError::Add => "+",
        ArithError::Sub => "-",
        ArithError::Mul => "*",
        ArithError::Div => "/",
        ArithError::Rem => "%",
        ArithError::Neg => return format!("integer overflow: -({a})"),
        ArithError::DivZero => return "division by zero".into(),
        ArithError::RemZero => return "remainder of a division by zero".into(),
        ArithError::Shl | ArithError::Shr => return format!("shift count {b} is outside 0..{bits}"),
    };
    let b = if b.starts_with('-') { format!("({b})") } else { b };
    format!("integer overflow: {a} {operator} {b}")
}

/// What a failed conversion says; `what` as `cast_code` makes it.
pub fn cast_message(what: u32, bits: u64) -> String {
    let (from, to) = (num_ty(what & 0xff), num_ty(what >> 8));
    let value = show(from, bits);
    match to {
        NumTy::Char => format!("{value} is not a character"),
        to => format!("{value} does not fit in {}", to.name()),
    }
}

#[cfg(test)]
mod tests {
    use qz_rt_abi::registry::{arith_code, cast_code};

    use super::*;

    #[test]
    fn failed_operations_show_their_operands() {
        let add = arith_code(ArithError::Add, NumTy::I64);
        assert_eq!(arith_message(add, i64::MAX as u64, 1), "integer overflow: 9223372036854775807 + 1");
        let sub = arith_code(ArithError::Sub, NumTy::I8);
        assert_eq!(arith_message(sub, 127, -1i64 as u64), "integer overflow: 127 - (-1)");
        let shl = arith_code(ArithError::Shl, NumTy::I64);
        assert_eq!(arith_message(shl, 1, 70), "shift count 70 is outside 0..64");
        assert_eq!(arith_message(arith_code(ArithError::DivZero, NumTy::U8), 1, 0), "division by zero");
    }

    #[test]
    fn failed_conversions_show_the_value() {
        assert_eq!(cast_message(cast_code(NumTy::I64, NumTy::U8), 300), "300 does not fit in U8");
        let nan = cast_code(NumTy::F64, NumTy::I64);
        assert_eq!(cast_message(nan, f64::NAN.to_bits()), "NaN does not fit in Int");
        assert_eq!(cast_message(cast_code(NumTy::U32, NumTy::Char), 0xd800), "55296 is not a character");
    }
}
