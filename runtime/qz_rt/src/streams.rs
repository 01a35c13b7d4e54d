//! Standard input, output and error. Output is buffered per line on a terminal and per block otherwise, and
//! flushed on every way out of the process. Who waits for input lets other tasks run.

use std::sync::{Mutex, MutexGuard, PoisonError};

use qz_rt_abi::Fiber;
use qz_rt_abi::object::StrObject;

use qz_sched::State;
use qz_sched::poll::{Descriptor, Direction};

use crate::context::{core, shared};
use crate::net::{CANCELLED, wait_ready};
use crate::strings;
use crate::tasks::{is_cancelled, terms};

const BLOCK: usize = 64 * 1024;

/// Bytes on their way to a descriptor.
struct Output {
    buffer: Vec<u8>,
    /// Whether a newline sends the buffer off; not known before the first write.
    by_line: Option<bool>,
    /// Where the bytes go instead of to the descriptor.
    capture: Option<Vec<u8>>,
}

struct Input {
    buffer: Vec<u8>,
    /// What lies before was handed out.
    at: usize,
    /// So many bytes behind that hold no end of a line.
    searched: usize,
}

static OUT: Mutex<Output> = Mutex::new(Output { buffer: Vec::new(), by_line: None, capture: None });
static IN: Mutex<Input> = Mutex::new(Input { buffer: Vec::new(), at: 0, searched: 0 });
/// What was written to standard error while it is captured.
static ERR_CAPTURE: Mutex<Option<Vec<u8>>> = Mutex::new(None);

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

fn errno() -> i64 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO) as i64
}

/// Waits until a descriptor that others have made non-blocking is ready.
fn wait_for(fd: i32, events: libc::c_short) {
    let mut ask = libc::pollfd { fd, events, revents: 0 };
    // SAFETY: asks about one descriptor.
    unsafe { libc::poll(&raw mut ask, 1, -1) };
}

/// Writes everything to a descriptor, taking up again after interruptions. Status.
fn write_all(fd: i32, mut bytes: &[u8]) -> i64 {
    while !bytes.is_empty() {
        // SAFETY: the bytes are readable.
        let n = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        match n {
            0.. => bytes = &bytes[n as usize..],
            _ if errno() == libc::EINTR as i64 => {}
            _ if errno() == libc::EAGAIN as i64 => wait_for(fd, libc::POLLOUT),
            _ => return -errno(),
        }
    }
    0
}

impl Output {
    fn flush(&mut self) -> i64 {
        let status = match &mut self.capture {
            Some(capture) => {
                capture.extend_from_slice(&self.buffer);
                0
            }
            None => write_all(1, &self.buffer),
        };
        self.buffer.clear();
        status
    }

    fn write(&mut self, pieces: &[&[u8]]) -> i64 {
        pieces.iter().for_each(|piece| self.buffer.extend_from_slice(piece));
        // SAFETY: asks about a descriptor, touches no memory.
        let by_line = *self.by_line.get_or_insert_with(|| unsafe { libc::isatty(1) } == 1);
        let full = self.buffer.len() >= BLOCK;
        let line = by_line && pieces.iter().any(|piece| piece.contains(&b'\n'));
        if full || line { self.flush() } else { 0 }
    }
}

/// Sends off what is buffered.
pub fn flush_all() {
    lock(&OUT).flush();
}

/// Keeps what is written to standard output and error from now on, for tests of engines.
pub fn start_capture() {
    let mut out = lock(&OUT);
    out.flush();
    out.capture = Some(Vec::new());
    *lock(&ERR_CAPTURE) = Some(Vec::new());
}

/// Ends [`start_capture`]: what was written to standard output and to standard error.
pub fn end_capture() -> (Vec<u8>, Vec<u8>) {
    let mut out = lock(&OUT);
    out.flush();
    (out.capture.take().unwrap_or_default(), lock(&ERR_CAPTURE).take().unwrap_or_default())
}

/// Writes to standard error. Status.
pub fn write_error(bytes: &[u8]) -> i64 {
    flush_all();
    if let Some(capture) = &mut *lock(&ERR_CAPTURE) {
        capture.extend_from_slice(bytes);
        return 0;
    }
    write_all(2, bytes)
}

unsafe fn raw<'a>(bytes: *mut u8, len: u64) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: generated code passes `len` readable bytes.
    unsafe { std::slice::from_raw_parts(bytes, len as usize) }
}

pub(crate) unsafe fn out_write(_fiber: *mut Fiber, bytes: *mut u8, len: u64) -> i64 {
    // SAFETY: generated code passes `len` readable bytes.
    lock(&OUT).write(&[unsafe { raw(bytes, len) }])
}

pub(crate) unsafe fn out_str(_fiber: *mut Fiber, s: *mut StrObject) -> i64 {
    // SAFETY: generated code passes a live string.
    lock(&OUT).write(&[unsafe { strings::bytes(s) }])
}

pub(crate) unsafe fn out_line(_fiber: *mut Fiber, s: *mut StrObject) -> i64 {
    // SAFETY: generated code passes a live string.
    lock(&OUT).write(&[unsafe { strings::bytes(s) }, b"\n"])
}

pub(crate) unsafe fn out_flush(_fiber: *mut Fiber) -> i64 {
    lock(&OUT).flush()
}

pub(crate) unsafe fn err_write(_fiber: *mut Fiber, bytes: *mut u8, len: u64) -> i64 {
    // SAFETY: generated code passes `len` readable bytes.
    write_error(unsafe { raw(bytes, len) })
}

pub(crate) unsafe fn err_str(_fiber: *mut Fiber, s: *mut StrObject) -> i64 {
    // SAFETY: generated code passes a live string.
    write_error(unsafe { strings::bytes(s) })
}

pub(crate) unsafe fn err_line(_fiber: *mut Fiber, s: *mut StrObject) -> i64 {
    // SAFETY: generated code passes a live string.
    write_error(&[unsafe { strings::bytes(s) }, b"\n"].concat())
}

impl Input {
    /// Reads more; how many bytes, 0 at the end.
    fn fill(&mut self) -> Result<usize, i64> {
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
        }
        let old = self.buffer.len();
        self.buffer.resize(old + BLOCK, 0);
        let n = loop {
            // SAFETY: there is room for `BLOCK` bytes behind `old`.
            let n = unsafe { libc::read(0, self.buffer[old..].as_mut_ptr().cast(), BLOCK) };
            match n {
                0.. => break n,
                _ if errno() == libc::EINTR as i64 => {}
                _ if errno() == libc::EAGAIN as i64 => wait_for(0, libc::POLLIN),
                _ => break n,
            }
        };
        let status = if n < 0 { Err(-errno()) } else { Ok(n as usize) };
        self.buffer.truncate(old + status.unwrap_or(0));
        status
    }

    /// The next line with its end, if it is here; at the end of input what is left.
    fn take_line(&mut self, at_end: bool) -> Option<Vec<u8>> {
        let rest = &self.buffer[self.at..];
        let size = match memchr::memchr(b'\n', &rest[self.searched..]) {
            Some(at) => self.searched + at + 1,
            None if at_end => rest.len(),
            None => {
                self.searched = rest.len();
                return None;
            }
        };
        let line = rest[..size].to_vec();
        self.at += size;
        self.searched = 0;
        Some(line)
    }

    /// Up to `len` bytes, if some are here or none will come.
    fn take_some(&mut self, len: usize, at_end: bool) -> Option<&[u8]> {
        let n = (self.buffer.len() - self.at).min(len);
        if n == 0 && !at_end {
            return None;
        }
        self.at += n;
        self.searched = 0;
        Some(&self.buffer[self.at - n..self.at])
    }
}

/// Where a program waits for standard input: nowhere if the system cannot tell when there is some, as for files.
pub(crate) type StandardInput = std::sync::OnceLock<Option<Box<Descriptor>>>;

/// The descriptor to wait for, if standard input has nothing to say now and others may run meanwhile. It is not made
/// non-blocking, since other processes use it, too.
///
/// # Safety
/// The fiber runs on this thread.
unsafe fn nothing_yet<'a>(fiber: *mut Fiber, timeout: i64) -> Option<&'a Descriptor> {
    // SAFETY: by the caller's promise; what a program shares lives as long as its fibers.
    unsafe {
        let scheduler = core(fiber).scheduler();
        if timeout < 0 && matches!(scheduler.state(), State::Idle | State::Stopped) {
            return None;
        }
        let input = &shared(scheduler).standard_input;
        let descriptor = input.get_or_init(|| Descriptor::new(scheduler, 0).ok()).as_deref()?;
        let mut ask = libc::pollfd { fd: 0, events: libc::POLLIN, revents: 0 };
        (libc::poll(&raw mut ask, 1, 0) == 0).then_some(descriptor)
    }
}

/// What `take` makes of the input that is here, once that is enough or the end. A result as in [`crate::net`].
///
/// # Safety
/// The fiber runs on this thread.
unsafe fn input<R>(
    fiber: *mut Fiber,
    timeout: i64,
    mut take: impl FnMut(&mut Input, bool) -> Option<R>,
) -> Result<R, i64> {
    flush_all();
    // SAFETY: by the caller's promise.
    let terms = unsafe { terms(fiber, timeout) };
    let mut at_end = false;
    // SAFETY: as above.
    if terms.interruptible && unsafe { is_cancelled(fiber) } {
        return Err(CANCELLED);
    }
    loop {
        let mut here = lock(&IN);
        if let Some(taken) = take(&mut here, at_end) {
            return Ok(taken);
        }
        // SAFETY: as above; nobody holds the lock while the fiber waits.
        unsafe {
            let Some(descriptor) = nothing_yet(fiber, timeout) else {
                at_end = here.fill()? == 0;
                continue;
            };
            drop(here);
            wait_ready(fiber, descriptor, Direction::Read, terms)?;
        }
    }
}

pub(crate) unsafe fn in_line(fiber: *mut Fiber, out: *mut u8, timeout: i64) -> i64 {
    // SAFETY: generated code passes its live fiber.
    let mut line = match unsafe { input(fiber, timeout, Input::take_line) } {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.is_empty() {
        return 0;
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    match std::str::from_utf8(&line) {
        Ok(text) => {
            // SAFETY: generated code passes a live fiber and memory for a string.
            unsafe { out.cast::<*mut StrObject>().write(strings::new(fiber, text)) };
            1
        }
        Err(_) => -(libc::EILSEQ as i64),
    }
}

pub(crate) unsafe fn in_read(fiber: *mut Fiber, bytes: *mut u8, len: u64, timeout: i64) -> i64 {
    let give = |here: &mut Input, at_end: bool| {
        let some = here.take_some(len as usize, at_end)?;
        // SAFETY: generated code passes memory for `len` bytes.
        unsafe { std::ptr::copy_nonoverlapping(some.as_ptr(), bytes, some.len()) };
        Some(some.len() as i64)
    };
    // SAFETY: generated code passes its live fiber.
    unsafe { input(fiber, timeout, give) }.unwrap_or_else(|status| status)
}
