//! Clocks, sleeping, and randomness from the system.

use std::time::{SystemTime, UNIX_EPOCH};

use qz_rt_abi::Fiber;

pub(crate) unsafe fn time_monotonic(_fiber: *mut Fiber) -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills the struct.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

pub(crate) unsafe fn time_wall(_fiber: *mut Fiber) -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_nanos() as i64,
        Err(before) => -(before.duration().as_nanos() as i64),
    }
}

pub(crate) unsafe fn time_local_offset(_fiber: *mut Fiber, seconds: i64) -> i64 {
    // SAFETY: zeros are a valid `tm`; the call fills it.
    unsafe {
        let mut local: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&raw const seconds, &raw mut local).is_null() {
            return 0;
        }
        local.tm_gmtoff
    }
}

/// Fills the buffer with random bytes. Status.
fn fill_random(buffer: &mut [u8]) -> i64 {
    let mut rest = buffer;
    while !rest.is_empty() {
        // SAFETY: the buffer is writable.
        let n = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match n {
            1.. => rest = &mut rest[n as usize..],
            _ => {
                let error = std::io::Error::last_os_error();
                if error.kind() != std::io::ErrorKind::Interrupted {
                    return crate::files::error_status(&error);
                }
            }
        }
    }
    0
}

pub(crate) fn random_word() -> u64 {
    let mut word = [0; 8];
    if fill_random(&mut word) < 0 {
        crate::panic::abort_now("the system has no randomness");
    }
    u64::from_ne_bytes(word)
}

pub(crate) unsafe fn random_seed(_fiber: *mut Fiber) -> u64 {
    random_word()
}

pub(crate) unsafe fn random_bytes(_fiber: *mut Fiber, bytes: *mut u8, len: u64) -> i64 {
    if len == 0 {
        return 0;
    }
    // SAFETY: generated code passes memory for `len` bytes.
    fill_random(unsafe { std::slice::from_raw_parts_mut(bytes, len as usize) })
}
