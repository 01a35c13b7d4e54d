//! Stacks of known size for generated code, and the switch to one.

use std::io;

/// A stack in its own mapping, with a page below it that cannot be touched.
pub struct Stack {
    base: *mut u8,
    len: usize,
}

const GUARD: usize = 4096;

impl Stack {
    /// Reserves a stack; memory is taken page by page as it is used.
    pub fn new(size: usize) -> io::Result<Stack> {
        let len = size.next_multiple_of(GUARD) + GUARD;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh anonymous mapping touches nothing that exists.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), len, protection, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the first page of the mapping just made.
        if unsafe { libc::mprotect(base, GUARD, libc::PROT_NONE) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Stack { base: base.cast(), len })
    }

    /// The lowest address that may be used.
    pub fn lowest(&self) -> usize {
        self.base as usize + GUARD
    }

    fn top(&self) -> usize {
        self.base as usize + self.len
    }

    /// Runs `f` on this stack and comes back with its result.
    pub fn run<R>(&mut self, f: impl FnOnce() -> R) -> R {
        struct Job<F, R> {
            f: Option<F>,
            result: Option<R>,
        }
        unsafe extern "C" fn call<F: FnOnce() -> R, R>(job: *mut u8) {
            // SAFETY: `run` passes its own live `Job` of these types.
            let job = unsafe { &mut *job.cast::<Job<F, R>>() };
            job.result = job.f.take().map(|f| f());
        }
        fn entry_of<F: FnOnce() -> R, R>(_: &Job<F, R>) -> unsafe extern "C" fn(*mut u8) {
            call::<F, R>
        }
        let mut job = Job { f: Some(f), result: None };
        let entry = entry_of(&job);
        // SAFETY: the stack is mapped, aligned and in use by nobody (`&mut self`); a panic of `f` cannot leave
        // `entry`, which is `extern "C"` and aborts instead.
        unsafe { switch(self.top(), entry, (&raw mut job).cast()) };
        job.result.expect("the job ran")
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `new`, which nobody runs on any more.
        unsafe { libc::munmap(self.base.cast(), self.len) };
    }
}

#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn switch(top: usize, entry: unsafe extern "C" fn(*mut u8), argument: *mut u8) {
    core::arch::naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "mov rsp, rdi",
        "mov rdi, rdx",
        "call rsi",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
    )
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn switch(top: usize, entry: unsafe extern "C" fn(*mut u8), argument: *mut u8) {
    core::arch::naked_asm!(
        "stp x29, x30, [sp, #-16]!",
        "mov x29, sp",
        "mov sp, x0",
        "mov x0, x2",
        "blr x1",
        "mov sp, x29",
        "ldp x29, x30, [sp], #16",
        "ret",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_runs_on_the_new_stack() {
        let mut stack = Stack::new(1 << 20).expect("memory");
        let low = stack.lowest();
        let high = stack.top();
        let here = stack.run(|| {
            let local = 0u8;
            &raw const local as usize
        });
        assert!(low < here && here < high);
    }
}
