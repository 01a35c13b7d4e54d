//! Files and folders, by the system's own calls: results are counts, or negated `errno` values.

use std::ffi::{CString, OsStr};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use qz_rt_abi::Fiber;
use qz_rt_abi::object::StrObject;
use qz_sched::poll::Direction;

use crate::{fifos, strings};

unsafe fn path<'a>(s: *mut StrObject) -> &'a Path {
    // SAFETY: generated code passes a live string.
    Path::new(OsStr::from_bytes(unsafe { strings::bytes(s) }))
}

pub(crate) fn error_status(error: &io::Error) -> i64 {
    -(error.raw_os_error().unwrap_or(libc::EIO) as i64)
}

fn status(result: io::Result<()>) -> i64 {
    result.map_or_else(|error| error_status(&error), |()| 0)
}

pub(crate) fn last_status(result: i64) -> i64 {
    if result < 0 { error_status(&io::Error::last_os_error()) } else { result }
}

/// Repeats a system call that a signal interrupted.
fn retry(mut call: impl FnMut() -> i64) -> i64 {
    loop {
        let status = last_status(call());
        if status != -(libc::EINTR as i64) {
            return status;
        }
    }
}

pub(crate) unsafe fn give_text(fiber: *mut Fiber, out: *mut u8, text: io::Result<String>) -> i64 {
    match text {
        Ok(text) => {
            // SAFETY: generated code passes a live fiber and memory for a string.
            unsafe { out.cast::<*mut StrObject>().write(strings::new(fiber, &text)) };
            0
        }
        Err(error) => error_status(&error),
    }
}

fn path_text(path: impl AsRef<Path>) -> String {
    path.as_ref().to_string_lossy().into_owned()
}

pub(crate) unsafe fn file_open(fiber: *mut Fiber, name: *mut StrObject, flags: i64, mode: i64) -> i64 {
    // SAFETY: generated code passes a live string.
    let Ok(name) = CString::new(unsafe { strings::bytes(name) }) else { return -(libc::EINVAL as i64) };
    let access = match flags & 7 {
        1 => libc::O_RDONLY,
        2 => libc::O_WRONLY,
        3 => libc::O_RDWR,
        5 | 7 => libc::O_RDWR | libc::O_APPEND,
        _ => libc::O_WRONLY | libc::O_APPEND,
    };
    let options = [(8, libc::O_CREAT), (16, libc::O_TRUNC), (32, libc::O_CREAT | libc::O_EXCL)];
    let chosen =
        options.iter().filter(|(bit, _)| flags & bit != 0).fold(access, |all, (_, option)| all | option);
    let open = |more| {
        let flags = chosen | libc::O_CLOEXEC | more;
        // SAFETY: the name ends in a zero byte.
        retry(|| unsafe { libc::open(name.as_ptr(), flags, mode as libc::c_uint) } as i64)
    };
    if fifos::is_at(&name) {
        // SAFETY: generated code passes its live fiber, which runs here.
        return unsafe { fifos::open(fiber, open) };
    }
    open(0)
}

pub(crate) unsafe fn fd_read(fiber: *mut Fiber, fd: i64, bytes: *mut u8, len: u64) -> i64 {
    // SAFETY: generated code passes memory for `len` bytes.
    let read = |fd| unsafe { libc::read(fd, bytes.cast(), len as usize) as i64 };
    match fifos::opened(fd) {
        // SAFETY: generated code passes its live fiber, which runs here, and a file of its task.
        Some(fifo) if len > 0 => unsafe { fifos::until_done(fiber, fifo, Direction::Read, read) },
        _ => retry(|| read(fd as i32)),
    }
}

pub(crate) unsafe fn fd_write(fiber: *mut Fiber, fd: i64, bytes: *mut u8, len: u64) -> i64 {
    // SAFETY: generated code passes `len` readable bytes.
    let write = |fd| unsafe { libc::write(fd, bytes.cast(), len as usize) as i64 };
    match fifos::opened(fd) {
        // SAFETY: as in `fd_read`.
        Some(fifo) => unsafe { fifos::until_done(fiber, fifo, Direction::Write, write) },
        None => retry(|| write(fd as i32)),
    }
}

pub(crate) unsafe fn fd_seek(_fiber: *mut Fiber, fd: i64, offset: i64, whence: i64) -> i64 {
    let whence = [libc::SEEK_SET, libc::SEEK_CUR, libc::SEEK_END][whence.clamp(0, 2) as usize];
    // SAFETY: touches no memory of ours.
    last_status(unsafe { libc::lseek(fd as i32, offset, whence) })
}

pub(crate) unsafe fn fd_sync(_fiber: *mut Fiber, fd: i64) -> i64 {
    // SAFETY: touches no memory of ours.
    retry(|| unsafe { libc::fsync(fd as i32) } as i64)
}

pub(crate) unsafe fn fd_close(_fiber: *mut Fiber, fd: i64) -> i64 {
    // SAFETY: the descriptor is the caller's to close.
    match last_status(unsafe { libc::close(fd as i32) } as i64) {
        // It is closed all the same, and its number may be another's.
        interrupted if interrupted == -(libc::EINTR as i64) => 0,
        status => status,
    }
}

pub(crate) unsafe fn path_stat(_fiber: *mut Fiber, name: *mut StrObject, follow: u8, out: *mut u8) -> i64 {
    // SAFETY: generated code passes a live string.
    let name = unsafe { path(name) };
    let found = if follow != 0 { fs::metadata(name) } else { fs::symlink_metadata(name) };
    let meta = match found {
        Ok(meta) => meta,
        Err(error) => return error_status(&error),
    };
    let kind = match meta.file_type() {
        t if t.is_file() => 0,
        t if t.is_dir() => 1,
        t if t.is_symlink() => 2,
        _ => 3,
    };
    let stamp = |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanos);
    let created = meta.created().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    let facts = [
        kind,
        meta.len() as i64,
        stamp(meta.mtime(), meta.mtime_nsec()),
        stamp(meta.atime(), meta.atime_nsec()),
        created.map_or(-1, |t| t.as_nanos() as i64),
        (meta.mode() & 0o7777) as i64,
    ];
    // SAFETY: generated code passes memory for six words.
    unsafe { out.cast::<[i64; 6]>().write(facts) };
    0
}

pub(crate) unsafe fn path_remove(_fiber: *mut Fiber, name: *mut StrObject) -> i64 {
    // SAFETY: generated code passes a live string.
    status(fs::remove_file(unsafe { path(name) }))
}

pub(crate) unsafe fn path_rename(_fiber: *mut Fiber, from: *mut StrObject, to: *mut StrObject) -> i64 {
    // SAFETY: generated code passes live strings.
    status(unsafe { fs::rename(path(from), path(to)) })
}

pub(crate) unsafe fn path_link(
    _f: *mut Fiber,
    from: *mut StrObject,
    to: *mut StrObject,
    symbolic: u8,
) -> i64 {
    // SAFETY: generated code passes live strings.
    let (from, to) = unsafe { (path(from), path(to)) };
    status(if symbolic != 0 { std::os::unix::fs::symlink(from, to) } else { fs::hard_link(from, to) })
}

pub(crate) unsafe fn path_chmod(_fiber: *mut Fiber, name: *mut StrObject, mode: i64) -> i64 {
    // SAFETY: generated code passes a live string.
    status(fs::set_permissions(unsafe { path(name) }, fs::Permissions::from_mode(mode as u32)))
}

pub(crate) unsafe fn dir_create(_fiber: *mut Fiber, name: *mut StrObject, mode: i64) -> i64 {
    // SAFETY: generated code passes a live string.
    status(fs::DirBuilder::new().mode(mode as u32).create(unsafe { path(name) }))
}

pub(crate) unsafe fn dir_remove(_fiber: *mut Fiber, name: *mut StrObject) -> i64 {
    // SAFETY: generated code passes a live string.
    status(fs::remove_dir(unsafe { path(name) }))
}

/// The entries' names, sorted, each followed by a zero byte.
fn list(folder: &Path) -> io::Result<String> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(path_text(entry?.file_name())));
    let mut names = names.collect::<io::Result<Vec<String>>>()?;
    names.sort();
    Ok(names.into_iter().flat_map(|name| [name, "\0".into()]).collect())
}

pub(crate) unsafe fn dir_list(fiber: *mut Fiber, name: *mut StrObject, out: *mut u8) -> i64 {
    // SAFETY: generated code passes a live string and memory for another.
    unsafe { give_text(fiber, out, list(path(name))) }
}

pub(crate) unsafe fn path_real(fiber: *mut Fiber, name: *mut StrObject, out: *mut u8) -> i64 {
    // SAFETY: as above.
    unsafe { give_text(fiber, out, fs::canonicalize(path(name)).map(path_text)) }
}

pub(crate) unsafe fn path_readlink(fiber: *mut Fiber, name: *mut StrObject, out: *mut u8) -> i64 {
    // SAFETY: as above.
    unsafe { give_text(fiber, out, fs::read_link(path(name)).map(path_text)) }
}

pub(crate) unsafe fn cwd(fiber: *mut Fiber, out: *mut u8) -> i64 {
    // SAFETY: as above.
    unsafe { give_text(fiber, out, std::env::current_dir().map(path_text)) }
}

pub(crate) unsafe fn chdir(_fiber: *mut Fiber, name: *mut StrObject) -> i64 {
    // SAFETY: generated code passes a live string.
    status(std::env::set_current_dir(unsafe { path(name) }))
}

pub(crate) unsafe fn temp_dir(fiber: *mut Fiber) -> *mut StrObject {
    // SAFETY: generated code passes a live fiber.
    unsafe { strings::new(fiber, &path_text(std::env::temp_dir())) }
}

pub(crate) unsafe fn errno_message(fiber: *mut Fiber, code: i64) -> *mut StrObject {
    let words = io::Error::from_raw_os_error(code.unsigned_abs() as i32).to_string();
    // Rust adds " (os error 2)", which says nothing to a user.
    let words = words.split(" (os error").next().unwrap_or_default();
    // SAFETY: generated code passes a live fiber.
    unsafe { strings::new(fiber, words) }
}
