//! The process itself, its arguments and environment, other processes, the terminal.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use qz_rt_abi::Fiber;
use qz_rt_abi::object::StrObject;

use crate::files::error_status;
use crate::memory;
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
    std::process::exit(status as i32 & 0xff)
}

pub(crate) unsafe fn pid(_fiber: *mut Fiber) -> i64 {
    std::process::id() as i64
}

pub(crate) unsafe fn cpu_count(_fiber: *mut Fiber) -> i64 {
    std::thread::available_parallelism().map_or(1, |n| n.get() as i64)
}

fn run(
    words: &[&str],
    input: &[u8],
    folder: Option<&str>,
    capture: bool,
) -> std::io::Result<(i64, Vec<u8>, Vec<u8>)> {
    use std::os::unix::process::ExitStatusExt;
    let mut command = Command::new(words.first().copied().unwrap_or_default());
    command.args(words.iter().skip(1));
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    command.stdin(if input.is_empty() && !capture { Stdio::inherit() } else { Stdio::piped() });
    if capture {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    crate::streams::flush_all();
    let mut child = command.spawn()?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // A child that reads late must not block one that writes early.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        child.wait_with_output()
    })?;
    let status = output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0));
    Ok((status as i64, output.stdout, output.stderr))
}

pub(crate) unsafe fn proc_run(
    fiber: *mut Fiber,
    argv: *mut StrObject,
    input: *mut StrObject,
    folder: *mut StrObject,
    mode: i64,
    out: *mut u8,
) -> i64 {
    // SAFETY: generated code passes live strings (the folder may be null) and memory for five words; a block
    // has room for the bytes copied into it.
    unsafe {
        let words: Vec<&str> = strings::text(argv).split_terminator('\0').collect();
        let folder = if folder.is_null() { None } else { Some(strings::text(folder)) };
        let (status, stdout, stderr) = match run(&words, strings::bytes(input), folder, mode == 0) {
            Ok(result) => result,
            Err(error) => return error_status(&error),
        };
        let block = |bytes: &[u8]| {
            let block = memory::alloc(fiber, bytes.len() as u64, 1);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), block, bytes.len());
            (block, bytes.len())
        };
        out.cast::<i64>().write(status);
        out.add(8).cast::<[(*mut u8, usize); 2]>().write([block(&stdout), block(&stderr)]);
        0
    }
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
