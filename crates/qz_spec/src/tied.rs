//! Processes that end when the one that started them does, however that came to its end.

use std::io;
use std::process::Command;

/// What this command starts is killed when the thread that starts it is gone. Only Linux can do that; elsewhere it lives
/// on if nobody ends it.
pub fn ends_with_us(command: &mut Command) {
    use std::os::unix::process::CommandExt;

    let us = std::process::id();
    // SAFETY: between fork and exec there are calls of the system and numbers only.
    unsafe { command.pre_exec(move || tie(us)) };
}

/// In a process that was just forked by this one: it ends when that does.
pub(crate) fn tie(to: u32) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    // SAFETY: both are calls of the system without any memory of ours.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        // Of a process that was gone before, nothing is told any more.
        if libc::getppid() as u32 != to {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = to;
    Ok(())
}
