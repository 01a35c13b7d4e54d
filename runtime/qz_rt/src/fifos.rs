//! Pipes with names: who waits for their other side lets others run.
//!
//! Opening one to read does not wait for a writer, the first reading does; opening one to write waits for a reader. The
//! description is this program's own, so it can be non-blocking.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use qz_rt_abi::Fiber;
use qz_sched::block::Terms;
use qz_sched::poll::{Descriptor, Direction};

use crate::context::core;
use crate::files::{error_status, last_status};
use crate::net::{CANCELLED, pause, wait_ready};
use crate::tasks::{is_cancelled, terms};

/// In what the program knows an open file by: this is one.
const FIFO: i64 = 1 << 32;

/// The descriptor, if the program's number is that of a pipe with a name.
pub(crate) fn opened(number: i64) -> Option<RawFd> {
    (number >= 0 && number & FIFO != 0).then_some((number & !FIFO) as RawFd)
}

/// Whether there is such a pipe.
pub(crate) fn is_at(name: &std::ffi::CStr) -> bool {
    // SAFETY: zeros are a value; the call fills it in, and the name ends in a zero byte.
    unsafe {
        let mut facts: libc::stat = std::mem::zeroed();
        libc::stat(name.as_ptr(), &raw mut facts) == 0 && facts.st_mode & libc::S_IFMT == libc::S_IFIFO
    }
}

/// Opens one: the program's number for it.
///
/// # Safety
/// The fiber runs on this thread.
pub(crate) unsafe fn open(fiber: *mut Fiber, mut attempt: impl FnMut(libc::c_int) -> i64) -> i64 {
    /// The system does not tell when a reader comes.
    const LONGEST: u32 = 5;
    for turn in 0.. {
        let status = attempt(libc::O_NONBLOCK);
        if status >= 0 {
            return status | FIFO;
        }
        if status != -(libc::ENXIO as i64) {
            return status;
        }
        let time = Duration::from_millis(1 << LONGEST.min(turn));
        // SAFETY: by the caller's promise.
        if let Err(status) = unsafe { pause(fiber, time, terms(fiber, -1)) } {
            return status;
        }
    }
    unreachable!("the turns do not end")
}

/// Reads or writes, waiting where the system would block.
///
/// # Safety
/// The fiber runs on this thread; the descriptor is open, and this task's alone.
pub(crate) unsafe fn until_done(
    fiber: *mut Fiber,
    fd: RawFd,
    direction: Direction,
    mut attempt: impl FnMut(RawFd) -> i64,
) -> i64 {
    // SAFETY: by the caller's promise.
    let terms = unsafe { terms(fiber, -1) };
    loop {
        // SAFETY: as above.
        if terms.interruptible && unsafe { is_cancelled(fiber) } {
            return CANCELLED;
        }
        match last_status(attempt(fd)) {
            0 if direction == Direction::Read => match events(fd) {
                // There was no writer yet.
                0 => {}
                more if more & libc::POLLIN != 0 => continue,
                _ => return 0,
            },
            again if again == -(libc::EAGAIN as i64) => {}
            interrupted if interrupted == -(libc::EINTR as i64) => continue,
            done => return done,
        }
        // SAFETY: as above.
        if let Err(status) = unsafe { wait(fiber, fd, direction, terms) } {
            return status;
        }
    }
}

/// What there is to hear of a reader: that the writers have gone only if there were some.
fn events(fd: RawFd) -> libc::c_short {
    let mut ask = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: asks about one descriptor.
    unsafe { libc::poll(&raw mut ask, 1, 0) };
    ask.revents
}

/// # Safety
/// As for [`until_done`].
unsafe fn wait(fiber: *mut Fiber, fd: RawFd, direction: Direction, terms: Terms) -> Result<(), i64> {
    // SAFETY: by the caller's promise; the fiber has the same scheduler afterwards.
    unsafe {
        let descriptor =
            Descriptor::new(core(fiber).scheduler(), fd).map_err(|error: io::Error| error_status(&error))?;
        let ready = wait_ready(fiber, &descriptor, direction, terms);
        descriptor.let_go(core(fiber).scheduler());
        ready
    }
}
