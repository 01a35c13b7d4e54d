//! The process itself, its arguments and environment, the terminal.

use std::sync::{Mutex, PoisonError};

use qz_rt_abi::Fiber;
use qz_rt_abi::object::StrObject;

use crate::files::error_status;
use crate::strings;

/// What the program sees as its arguments; those of the process if not set.
static ARGS: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// Sets the program's arguments, its own name first.
pub fn set_args(args: Vec<String>) {
    *ARGS.lock().unwrap_or_else(PoisonError::into_inner) = Some(args);
}

fn with_args<R>(f: impl FnOnce(&[String]) -> R) -> R {
    let mut args = ARGS.lock().unwrap_or_else(PoisonError::into_inner);
    let from_system = || std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    f(args.get_or_insert_with(from_system))
}

pub(crate) unsafe fn arg_count(_fiber: *mut Fiber) -> i64 {
    with_args(|args| args.len() as i64)
}

pub(crate) unsafe fn arg(fiber: *mut Fiber, n: i64) -> *mut StrObject {
    // SAFETY: generated code passes a live fiber.
    with_args(|args| unsafe { strings::new(fiber, args.get(n as usize).map_or("", String::as_str)) })
}

pub(crate) unsafe fn env_get(fiber: *mut Fiber, name: *mut StrObject) -> *mut StrObject {
    // SAFETY: generated code passes a live fiber and string.
    unsafe {
        match std::env::var_os(strings::text(name)) {
            Some(value) => strings::new(fiber, &value.to_string_lossy()),
            None => std::ptr::null_mut(),
        }
    }
}

/// Names that the system's functions would refuse by panicking.
fn bad_name(name: &str) -> bool {
    name.is_empty() || name.contains(['=', '\0'])
}

pub(crate) unsafe fn env_set(_fiber: *mut Fiber, name: *mut StrObject, value: *mut StrObject) {
    // SAFETY: generated code passes live strings. There is one thread that reads or writes the environment.
    unsafe {
        let (name, value) = (strings::text(name), strings::text(value));
        if !bad_name(name) && !value.contains('\0') {
            std::env::set_var(name, value);
        }
    }
}

pub(crate) unsafe fn env_remove(_fiber: *mut Fiber, name: *mut StrObject) {
    // SAFETY: as above.
    unsafe {
        let name = strings::text(name);
        if !bad_name(name) {
            std::env::remove_var(name);
        }
    }
}

pub(crate) unsafe fn env_list(fiber: *mut Fiber) -> *mut StrObject {
    let shown = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        format!("{}={}\0", name.to_string_lossy(), value.to_string_lossy())
    };
    let mut all: Vec<String> = std::env::vars_os().map(shown).collect();
    all.sort();
    // SAFETY: generated code passes a live fiber.
    unsafe { strings::new(fiber, &all.concat()) }
}

pub(crate) unsafe fn exit(_fiber: *mut Fiber, status: i64) {
    crate::streams::flush_all();
    crate::context::write_trace();
    std::process::exit(status as i32 & 0xff)
}

pub(crate) unsafe fn pid(_fiber: *mut Fiber) -> i64 {
    std::process::id() as i64
}

pub(crate) unsafe fn cpu_count(_fiber: *mut Fiber) -> i64 {
    std::thread::available_parallelism().map_or(1, |n| n.get() as i64)
}

pub(crate) unsafe fn is_terminal(_fiber: *mut Fiber, fd: i64) -> u8 {
    // SAFETY: asks about a descriptor, touches no memory.
    (unsafe { libc::isatty(fd as i32) } == 1) as u8
}

pub(crate) unsafe fn terminal_size(_fiber: *mut Fiber, out: *mut u8) -> i64 {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the call fills the struct; generated code passes memory for two words.
    unsafe {
        if libc::ioctl(1, libc::TIOCGWINSZ, &raw mut size) != 0 {
            return error_status(&std::io::Error::last_os_error());
        }
        out.cast::<[i64; 2]>().write([size.ws_col as i64, size.ws_row as i64]);
    }
    0
}
