//! Other programs: how they are started, and how a task waits for their end.
//!
//! A child's end is told by a descriptor that can be read then: the kernel's own (`pidfd_open`), or the end of a pipe
//! whose other end a thread closes. Only then it is reaped, under the lock, so that no signal goes to a stranger.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use qz_rt_abi::Fiber;
use qz_rt_abi::object::StrObject;
use qz_sched::poll::{Descriptor, Direction};

use crate::context::core;
use crate::files::error_status;
use crate::net::until_done;
use crate::strings;

struct Child {
    id: libc::pid_t,
    /// Can be read when the child is over.
    end: Box<Descriptor>,
    /// Its exit status, once it is reaped.
    status: Mutex<Option<i64>>,
}

/// Children that nobody knows any more, to be reaped sometime.
static ORPHANS: Mutex<Vec<libc::pid_t>> = Mutex::new(Vec::new());

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The exit status of a child that is over, which is no child then.
fn reap(id: libc::pid_t) -> io::Result<Option<i64>> {
    let mut status = 0;
    // SAFETY: asks about a child, and writes its status.
    match unsafe { libc::waitpid(id, &raw mut status, libc::WNOHANG) } {
        0 => Ok(None),
        found if found < 0 => Err(io::Error::last_os_error()),
        _ if libc::WIFSIGNALED(status) => Ok(Some(128 + libc::WTERMSIG(status) as i64)),
        _ => Ok(Some(libc::WEXITSTATUS(status) as i64)),
    }
}

fn reap_orphans() {
    locked(&ORPHANS).retain(|&id| matches!(reap(id), Ok(None)));
}

impl Child {
    fn reaped(&self) -> io::Result<i64> {
        let mut status = locked(&self.status);
        if status.is_none() {
            *status = reap(self.id)?;
        }
        status.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    fn signal(&self, signal: i64) -> io::Result<i64> {
        let Ok(signal) = i32::try_from(signal) else {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        };
        let status = locked(&self.status);
        // SAFETY: a number; it is the child's, which is not reaped while the lock is held.
        match status.is_none() && unsafe { libc::kill(self.id, signal) } < 0 {
            true => Err(io::Error::last_os_error()),
            false => Ok(0),
        }
    }
}

/// A descriptor that can be read when the child is over.
fn end_of(id: libc::pid_t) -> io::Result<RawFd> {
    // SAFETY: makes a descriptor.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, id, 0) };
    if fd >= 0 {
        return Ok(fd as RawFd);
    }
    let (reader, writer) = io::pipe()?;
    let watch = move || {
        // SAFETY: waits for the end of a child and leaves it to be reaped; zeros are a value.
        unsafe {
            let mut found: libc::siginfo_t = std::mem::zeroed();
            let flags = libc::WEXITED | libc::WNOWAIT;
            while libc::waitid(libc::P_PID, id as libc::id_t, &raw mut found, flags) < 0
                && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
            {}
        }
        drop(writer);
    };
    std::thread::Builder::new().name("quartz child".into()).spawn(watch)?;
    Ok(reader.into_raw_fd())
}

/// What a child's standard stream is to be.
fn stream(kind: i64) -> Stdio {
    match kind & 3 {
        0 => Stdio::inherit(),
        1 => Stdio::piped(),
        _ => Stdio::null(),
    }
}

fn zero_ended(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.strip_suffix(b"\0").into_iter().flat_map(|bytes| bytes.split(|&b| b == 0))
}

fn command(argv: &[u8], folder: Option<&[u8]>, variables: &[u8], streams: i64) -> Command {
    let mut words = zero_ended(argv).map(OsStr::from_bytes);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    if let Some(folder) = folder {
        command.current_dir(OsStr::from_bytes(folder));
    }
    for variable in zero_ended(variables) {
        let at = variable.iter().position(|&b| b == b'=').unwrap_or(variable.len());
        let (name, value) = (&variable[..at], variable.get(at + 1..).unwrap_or_default());
        command.env(OsStr::from_bytes(name), OsStr::from_bytes(value));
    }
    command.stdin(stream(streams)).stdout(stream(streams >> 2)).stderr(stream(streams >> 4));
    command
}

fn start(fiber: *mut Fiber, mut command: Command) -> io::Result<(Box<Child>, [i64; 3])> {
    reap_orphans();
    crate::streams::flush_all();
    // SAFETY: generated code passes its live fiber.
    let scheduler = unsafe { core(fiber).scheduler() };
    // What it takes to wait for its end: without that it does not begin.
    scheduler.expects_descriptors()?;
    let reserved = std::fs::File::open("/dev/null")?;
    let mut child = command.spawn()?;
    drop(reserved);
    let id = child.id() as libc::pid_t;
    let end = end_of(id).and_then(|fd| {
        Descriptor::new(scheduler, fd).inspect_err(|_| {
            // SAFETY: the descriptor was made above.
            drop(unsafe { OwnedFd::from_raw_fd(fd) });
        })
    });
    let end = match end {
        Ok(end) => end,
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
    };
    let raw = |fd: Option<OwnedFd>| fd.map_or(-1, |fd| fd.into_raw_fd() as i64);
    let ends = [
        raw(child.stdin.take().map(OwnedFd::from)),
        raw(child.stdout.take().map(OwnedFd::from)),
        raw(child.stderr.take().map(OwnedFd::from)),
    ];
    Ok((Box::new(Child { id, end, status: Mutex::new(None) }), ends))
}

pub(crate) unsafe fn child_start(
    fiber: *mut Fiber,
    argv: *mut StrObject,
    folder: *mut StrObject,
    variables: *mut StrObject,
    streams: i64,
    out: *mut u8,
) -> i64 {
    // SAFETY: generated code passes live strings (the folder may be null) and memory for four words.
    unsafe {
        let folder = if folder.is_null() { None } else { Some(strings::bytes(folder)) };
        let command = command(strings::bytes(argv), folder, strings::bytes(variables), streams);
        match start(fiber, command) {
            Ok((child, ends)) => {
                out.cast::<*mut Child>().write(Box::into_raw(child));
                out.add(8).cast::<[i64; 3]>().write(ends);
                0
            }
            Err(error) => error_status(&error),
        }
    }
}

/// # Safety
/// `child_start` made it, and it was not freed.
unsafe fn child<'a>(child: *mut u8) -> &'a Child {
    // SAFETY: by the caller's promise.
    unsafe { &*child.cast::<Child>() }
}

pub(crate) unsafe fn child_wait(fiber: *mut Fiber, of: *mut u8, timeout: i64) -> i64 {
    // SAFETY: generated code passes its live fiber and a child that it holds.
    unsafe {
        let child = child(of);
        until_done(fiber, &child.end, Direction::Read, timeout, |_| child.reaped())
    }
}

pub(crate) unsafe fn child_signal(_fiber: *mut Fiber, of: *mut u8, signal: i64) -> i64 {
    // SAFETY: as above.
    unsafe { child(of) }.signal(signal).unwrap_or_else(|error| error_status(&error))
}

pub(crate) unsafe fn child_id(_fiber: *mut Fiber, of: *mut u8) -> i64 {
    // SAFETY: as above.
    unsafe { child(of) }.id as i64
}

pub(crate) unsafe fn child_free(fiber: *mut Fiber, of: *mut u8) {
    // SAFETY: as above, and nobody else knows it any more.
    let child = unsafe { Box::from_raw(of.cast::<Child>()) };
    if child.reaped().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
        locked(&ORPHANS).push(child.id);
    }
    // SAFETY: generated code passes its live fiber.
    unsafe { child.end.close(fiber.cast()) };
}
