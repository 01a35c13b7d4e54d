//! The switch from one stack to another. What a call preserves by C's convention is kept on the stack that is
//! left, whose last word says where it rests.
//!
//! On x86-64 there is no call and no return in it: a processor foresees returns by a stack of its own, and one that a
//! switch pushed or popped would make it wrong about all those that follow.
//!
//! In builds for the thread sanitizer (`cfg(qz_tsan)`) it is told of each stack and each switch.

#[cfg(qz_tsan)]
use crate::watch::Watched;

/// A stack that nobody runs on.
#[derive(Copy, Clone, Debug)]
#[repr(C)]
pub(crate) struct AtRest {
    /// The address of its last word.
    sp: usize,
    #[cfg(qz_tsan)]
    watched: Watched,
}

impl AtRest {
    /// No stack, before the first one is left.
    pub(crate) const NOWHERE: AtRest = AtRest {
        sp: 0,
        #[cfg(qz_tsan)]
        watched: Watched::NONE,
    };

    /// A look from outside at the stack that rests in `place`: the lowest address in use.
    pub(crate) fn look(place: &std::cell::Cell<AtRest>) -> usize {
        // SAFETY: the first word of the place, which another thread may be about to change.
        unsafe { place.as_ptr().cast::<usize>().read_volatile() }
    }
}

/// Leaves this stack, noting where at `save`, and goes on where the one at `load` was left.
///
/// Whoever this is put into goes on on another thread perhaps: nothing of a thread may be known from before.
///
/// # Safety
/// `load` was noted by a switch, or made by [`prepare`], and is used once.
#[inline(always)]
pub(crate) unsafe fn switch(save: *mut AtRest, load: AtRest) {
    // SAFETY: by the caller's promise.
    unsafe {
        #[cfg(qz_tsan)]
        {
            (*save).watched = Watched::current();
            load.watched.goes_on();
        }
        switch_words(&raw mut (*save).sp, load.sp);
    }
}

/// Leaves a stack that nobody comes back to.
///
/// # Safety
/// As for [`switch`].
#[inline(always)]
pub(crate) unsafe fn go_to(load: AtRest) -> ! {
    // SAFETY: by the caller's promise.
    unsafe {
        #[cfg(qz_tsan)]
        {
            let own = Watched::current();
            load.watched.goes_on();
            own.ends();
        }
        go_to_word(load.sp)
    }
}

/// Makes a stack on which `entry(argument)` begins, which never returns. `top` is divisible by 16.
///
/// # Safety
/// The 160 bytes below `top` are the caller's to write. The stack is gone to once, and left by [`go_to`] in the end.
pub(crate) unsafe fn prepare(
    top: usize,
    entry: unsafe extern "C" fn(*mut u8) -> !,
    argument: *mut u8,
) -> AtRest {
    AtRest {
        // SAFETY: by the caller's promise.
        sp: unsafe { first_frame(top, entry, argument) },
        #[cfg(qz_tsan)]
        watched: Watched::new(),
    }
}

/// As [`switch`].
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn switch_words(save: *mut usize, load: usize) {
    // SAFETY: by the caller's promise. What is not told as changed is kept on the stack: `rbx` and `rbp`.
    unsafe {
        core::arch::asm!(
            "lea rax, [rip + 2f]",
            "push rax",
            "push rbp",
            "push rbx",
            "mov [rdi], rsp",
            "mov rsp, rsi",
            "pop rbx",
            "pop rbp",
            "pop rax",
            "jmp rax",
            "2:",
            inout("rdi") save => _,
            inout("rsi") load => _,
            out("r12") _,
            out("r13") _,
            out("r14") _,
            out("r15") _,
            clobber_abi("C"),
        );
    }
}

/// As [`go_to`].
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn go_to_word(load: usize) -> ! {
    // SAFETY: by the caller's promise.
    unsafe {
        core::arch::asm!(
            "mov rsp, rdi",
            "pop rbx",
            "pop rbp",
            "pop rax",
            "jmp rax",
            in("rdi") load,
            options(noreturn),
        );
    }
}

/// Where a new stack begins: the word in `rbx` is the argument, that in `rbp` the function, which finds a return
/// address of 0.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn begin() {
    core::arch::naked_asm!("mov rdi, rbx", "mov rax, rbp", "xor ebp, ebp", "jmp rax")
}

/// The word of a stack on which `entry(argument)` begins.
#[cfg(target_arch = "x86_64")]
unsafe fn first_frame(top: usize, entry: unsafe extern "C" fn(*mut u8) -> !, argument: *mut u8) -> usize {
    let frame: [usize; 4] = [argument as usize, entry as usize, begin as *const () as usize, 0];
    // The return address stands where a call would have put it.
    let at = top - 16 - size_of_val(&frame);
    // SAFETY: by the caller's promise.
    unsafe { (at as *mut [usize; 4]).write(frame) };
    at
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn switch_words(save: *mut usize, load: usize) {
    core::arch::naked_asm!(
        "sub sp, sp, #160",
        "stp x19, x20, [sp]",
        "stp x21, x22, [sp, #16]",
        "stp x23, x24, [sp, #32]",
        "stp x25, x26, [sp, #48]",
        "stp x27, x28, [sp, #64]",
        "stp x29, x30, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "mov x9, sp",
        "str x9, [x0]",
        "mov sp, x1",
        "ldp x19, x20, [sp]",
        "ldp x21, x22, [sp, #16]",
        "ldp x23, x24, [sp, #32]",
        "ldp x25, x26, [sp, #48]",
        "ldp x27, x28, [sp, #64]",
        "ldp x29, x30, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "add sp, sp, #160",
        "ret",
    )
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn begin() {
    core::arch::naked_asm!("mov x29, xzr", "mov x0, x19", "blr x20", "brk #1")
}

#[cfg(target_arch = "aarch64")]
unsafe fn first_frame(top: usize, entry: unsafe extern "C" fn(*mut u8) -> !, argument: *mut u8) -> usize {
    let mut frame = [0usize; 20];
    (frame[0], frame[1], frame[11]) = (argument as usize, entry as usize, begin as *const () as usize);
    let at = top - size_of_val(&frame);
    // SAFETY: by the caller's promise.
    unsafe { (at as *mut [usize; 20]).write(frame) };
    at
}

/// As on x86-64.
#[cfg(target_arch = "aarch64")]
unsafe fn go_to_word(load: usize) -> ! {
    let mut nowhere = 0;
    // SAFETY: by the caller's promise.
    unsafe { switch_words(&raw mut nowhere, load) };
    unreachable!("a stack that nobody comes back to was gone back to")
}
