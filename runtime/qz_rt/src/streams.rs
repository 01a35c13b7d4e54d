//! Standard input, output and error. Output is buffered per line on a terminal and per block otherwise, and
//! flushed on every way out of the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use qz_rt_abi::Fiber;
use qz_rt_abi::object::StrObject;

use crate::strings;

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
}

static OUT: Mutex<Output> = Mutex::new(Output { buffer: Vec::new(), by_line: None, capture: None });
static IN: Mutex<Input> = Mutex::new(Input { buffer: Vec::new(), at: 0 });
/// What was written to standard error while it is captured.
static ERR_CAPTURE: Mutex<Option<Vec<u8>>> = Mutex::new(None);

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

fn errno() -> i64 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO) as i64
}

/// Writes everything to a descriptor, taking up again after interruptions. Status.
fn write_all(fd: i32, mut bytes: &[u8]) -> i64 {
    while !bytes.is_empty() {
        // SAFETY: the bytes are readable.
        let n = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        match n {
            0.. => bytes = &bytes[n as usize..],
            _ if errno() == libc::EINTR as i64 => {}
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
            if n >= 0 || errno() != libc::EINTR as i64 {
                break n;
            }
        };
        let status = if n < 0 { Err(-errno()) } else { Ok(n as usize) };
        self.buffer.truncate(old + status.unwrap_or(0));
        status
    }

    /// The next line with its end, empty at the end of input.
    fn line(&mut self) -> Result<Vec<u8>, i64> {
        let mut searched = 0;
        loop {
            let rest = &self.buffer[self.at..];
            if let Some(at) = rest[searched..].iter().position(|&b| b == b'\n') {
                let line = rest[..searched + at + 1].to_vec();
                self.at += line.len();
                return Ok(line);
            }
            searched = rest.len();
            if self.fill()? == 0 {
                let line = self.buffer[self.at..].to_vec();
                self.at = self.buffer.len();
                return Ok(line);
            }
        }
    }
}

pub(crate) unsafe fn in_line(fiber: *mut Fiber, out: *mut u8) -> i64 {
    flush_all();
    let mut line = match lock(&IN).line() {
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

pub(crate) unsafe fn in_read(_fiber: *mut Fiber, bytes: *mut u8, len: u64) -> i64 {
    flush_all();
    let mut input = lock(&IN);
    if input.at == input.buffer.len()
        && let Err(status) = input.fill()
    {
        return status;
    }
    let n = (input.buffer.len() - input.at).min(len as usize);
    // SAFETY: generated code passes memory for `len` bytes.
    unsafe { std::ptr::copy_nonoverlapping(input.buffer[input.at..].as_ptr(), bytes, n) };
    input.at += n;
    n as i64
}
