//! A barrier that others are made to pass, so that who is in a hurry only keeps the compiler in order.

pub(crate) use system::*;

/// Keeps accesses on their sides in the code. A processor that runs it may still let a load overtake a store, until it
/// passes the barrier of [`all_pass`].
#[cfg(not(loom))]
#[inline(always)]
pub(crate) fn for_the_compiler() {
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
}

#[cfg(all(target_os = "linux", not(any(miri, loom, qz_tsan))))]
mod system {
    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: numbers only; it touches no memory of the process.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    /// Whether [`all_pass`] will work. Quick while the process has one thread.
    pub(crate) fn register() -> bool {
        membarrier(REGISTER_PRIVATE_EXPEDITED)
    }

    /// When it returns, every thread of the process that runs has passed a barrier.
    pub(crate) fn all_pass() {
        // A process made by `fork` may have to register anew.
        let passed = membarrier(PRIVATE_EXPEDITED) || (register() && membarrier(PRIVATE_EXPEDITED));
        if !passed {
            // To go on would be to lose counts. A program can forbid itself the call after it was registered.
            eprintln!("the system does not make other processors pass a barrier (membarrier) any more");
            std::process::abort();
        }
    }
}

/// Nor is there one where the thread sanitizer looks on, which does not know that the system makes processors pass it.
#[cfg(all(not(loom), any(not(target_os = "linux"), miri, qz_tsan)))]
mod system {
    pub(crate) fn register() -> bool {
        false
    }

    pub(crate) fn all_pass() {}
}

/// The model checker has a barrier for both sides only.
#[cfg(loom)]
pub(crate) use all_pass as for_the_compiler;

#[cfg(loom)]
mod system {
    pub(crate) fn all_pass() {
        loom::sync::atomic::fence(loom::sync::atomic::Ordering::SeqCst);
    }
}
