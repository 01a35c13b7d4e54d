//! The switch from one stack to another. What a call preserves by C's convention is kept on the stack that is
//! left; a stack at rest is the address of its last word.

/// Leaves this stack, noting where at `save`, and goes on where the stack at `load` was left.
///
/// # Safety
/// `load` was noted by a switch, or made by [`prepare`], and is used once.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn switch(save: *mut usize, load: usize) {
    core::arch::naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi], rsp",
        "mov rsp, rsi",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// Where a new stack begins: the word in `r12` is the argument, that in `r13` the function.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn begin() {
    core::arch::naked_asm!("xor ebp, ebp", "mov rdi, r12", "call r13", "ud2")
}

/// Makes a stack on which `entry(argument)` begins, which never returns. `top` is divisible by 16.
///
/// # Safety
/// The 128 bytes below `top` are the caller's to write.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn prepare(
    top: usize,
    entry: unsafe extern "C" fn(*mut u8) -> !,
    argument: *mut u8,
) -> usize {
    let frame: [usize; 7] = [0, 0, entry as usize, argument as usize, 0, 0, begin as *const () as usize];
    let at = top - 16 - size_of_val(&frame);
    // SAFETY: by the caller's promise.
    unsafe { (at as *mut [usize; 7]).write(frame) };
    at
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn switch(save: *mut usize, load: usize) {
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
pub(crate) unsafe fn prepare(
    top: usize,
    entry: unsafe extern "C" fn(*mut u8) -> !,
    argument: *mut u8,
) -> usize {
    let mut frame = [0usize; 20];
    (frame[0], frame[1], frame[11]) = (argument as usize, entry as usize, begin as *const () as usize);
    let at = top - size_of_val(&frame);
    // SAFETY: by the caller's promise.
    unsafe { (at as *mut [usize; 20]).write(frame) };
    at
}
