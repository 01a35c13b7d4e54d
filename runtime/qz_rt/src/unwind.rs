//! How a panic finds its way: tables of call sites per piece of loaded code, a walk over frame pointers, and
//! the jump to a cleanup block.
//!
//! Generated code keeps frame pointers and calls by Cranelift's `tail` convention, in which a call that
//! ends in a handler preserves no register. So the program counter, the stack pointer and the frame pointer
//! are all that a handler needs; nothing is restored on the way, and the normal path pays nothing.
//!
//! Only generated frames are ever unwound. A walk that meets another frame aborts: between C (or the
//! runtime) and generated code stands an entry function that catches everything.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::RwLock;

use qz_rt_abi::Fiber;
use qz_rt_abi::fiber::Resume;
pub use qz_rt_abi::native::{CallSite, NO_HANDLER};

/// The location of calls that are not in a program's source: the walk for backtraces ends there.
pub const ENTRY_LOCATION: u32 = u32::MAX;

/// A function's activation as a backtrace shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Full path, such as `geo::area`.
    pub function: String,
    pub file: String,
    /// Both count from 1.
    pub line: u32,
    pub column: u32,
    /// A panic here is reported at the caller's place.
    pub track_caller: bool,
}

/// Knows what stands at a location: the frames there, innermost first (more than one after inlining).
pub trait Resolver: Send + Sync {
    fn frames(&self, location: u32) -> Vec<Frame>;
}

/// A piece of loaded code.
pub struct Region {
    pub start: usize,
    pub len: usize,
    /// In ascending order of their return offsets.
    pub sites: Cow<'static, [CallSite]>,
    pub resolver: Box<dyn Resolver>,
}

static REGIONS: RwLock<Vec<Region>> = RwLock::new(Vec::new());

/// Makes code known. It stays so until [`unregister`] with the same start.
pub fn register(region: Region) {
    debug_assert!(region.sites.is_sorted_by_key(|site| site.return_offset));
    let mut regions = REGIONS.write().unwrap_or_else(|poison| poison.into_inner());
    let at = regions.partition_point(|other| other.start < region.start);
    regions.insert(at, region);
}

/// Forgets the code that starts here.
pub fn unregister(start: usize) {
    REGIONS.write().unwrap_or_else(|poison| poison.into_inner()).retain(|region| region.start != start);
}

fn with_site<R>(pc: usize, f: impl FnOnce(&Region, &CallSite) -> R) -> Option<R> {
    let regions = REGIONS.read().unwrap_or_else(|poison| poison.into_inner());
    let region = regions[..regions.partition_point(|region| region.start <= pc)].last()?;
    let offset = u32::try_from(pc - region.start).ok()?;
    let index = region.sites.binary_search_by_key(&offset, |site| site.return_offset).ok()?;
    Some(f(region, &region.sites[index]))
}

/// A generated frame: a return address into it, and its frame pointer.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Activation {
    pub(crate) pc: usize,
    pub(crate) fp: usize,
}

impl Activation {
    /// The caller's activation.
    ///
    /// # Safety
    /// `fp` is the frame pointer of a live generated frame.
    pub(crate) unsafe fn caller(self) -> Activation {
        // SAFETY: by the caller's promise the saved frame pointer and the return address stand at `fp`.
        unsafe {
            let fp = self.fp as *const usize;
            Activation { fp: fp.read(), pc: fp.add(1).read() }
        }
    }
}

/// Where the panic goes that left through this activation.
///
/// # Safety
/// `at` is a live generated frame, called (through others) by an entry function that handles everything.
pub(crate) unsafe fn find_handler(mut at: Activation) -> Option<Resume> {
    loop {
        let site = with_site(at.pc, |region, site| (region.start, *site))?;
        let (start, site) = site;
        if site.handler != NO_HANDLER {
            let sp = at.fp - site.frame_offset as usize;
            return Some(Resume { pc: start + site.handler as usize, sp, fp: at.fp });
        }
        // SAFETY: passed on; this frame was found in a table, so its caller is generated, too.
        at = unsafe { at.caller() };
    }
}

/// Activations kept from the inner end of a deep stack.
pub const INNER_FRAMES: usize = 48;
/// Activations kept from its outer end.
pub const OUTER_FRAMES: usize = 16;

/// Return addresses from a panic's place to the entry of the program; frames are looked up when asked for.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Innermost first. The middle of a deep stack is left out.
    pcs: Vec<usize>,
    /// How many activations were left out, after the first [`INNER_FRAMES`].
    left_out: usize,
}

impl Trace {
    /// Walks the stack.
    ///
    /// # Safety
    /// As for [`find_handler`].
    pub(crate) unsafe fn take(mut at: Activation) -> Trace {
        let mut trace = Trace::default();
        let mut outer = VecDeque::new();
        while let Some(location) = with_site(at.pc, |_, site| site.location) {
            if location == ENTRY_LOCATION {
                break;
            }
            if trace.pcs.len() < INNER_FRAMES {
                trace.pcs.push(at.pc);
            } else {
                outer.push_back(at.pc);
                if outer.len() > OUTER_FRAMES {
                    outer.pop_front();
                    trace.left_out += 1;
                }
            }
            // SAFETY: this frame was found in a table, so its caller is generated code as well.
            at = unsafe { at.caller() };
        }
        trace.pcs.extend(outer);
        trace
    }

    /// The frames, innermost first; an `Err` stands for so many that were left out.
    pub fn frames(&self) -> Vec<Result<Frame, usize>> {
        let mut frames = Vec::new();
        for (i, &pc) in self.pcs.iter().enumerate() {
            if i == INNER_FRAMES && self.left_out > 0 {
                frames.push(Err(self.left_out));
            }
            let found = with_site(pc, |region, site| region.resolver.frames(site.location));
            frames.extend(found.unwrap_or_default().into_iter().map(Ok));
        }
        frames
    }
}

/// The innermost place of the program's own at which a fiber has left its stack, if the tables tell. The fiber may go
/// on meanwhile; then the answer may be an older one, or none.
pub(crate) fn place_left(fiber: &qz_sched::Fiber) -> Option<Frame> {
    let (from, top) = (fiber.left_at(), fiber.stack().top());
    if from < fiber.stack().lowest() || from >= top || from % size_of::<usize>() != 0 {
        return None;
    }
    // SAFETY: the addresses are those of the fiber's stack, which stays mapped.
    let read = |at: usize| unsafe { (at as *const usize).read_volatile() };
    /// The runtime's own frames end before so many words.
    const DEPTH: usize = 512;
    let word = size_of::<usize>();
    let places = (from..top).step_by(word).take(DEPTH);
    // The runtime's frames are no part of the chain of frame pointers, but one of them keeps the pointer of the
    // program's innermost frame, and calls stand below the frame that they were made in.
    for at in places {
        let pc = read(at);
        if with_site(pc, |_, _| ()).is_none() {
            continue;
        }
        let frame_pointers = (from..at).step_by(word).map(read).filter(|fp| (at..top).contains(fp));
        for fp in frame_pointers {
            if let Some(pcs) = chain(Activation { pc, fp }, top, read) {
                let frames = Trace { pcs, left_out: 0 }.frames();
                return frames.into_iter().flatten().find(|frame| !frame.file.starts_with("std/"));
            }
        }
    }
    None
}

/// The return addresses from here to the entry of the fiber; none if this is no such chain.
fn chain(mut at: Activation, top: usize, read: impl Fn(usize) -> usize) -> Option<Vec<usize>> {
    let mut pcs = Vec::new();
    loop {
        if with_site(at.pc, |_, site| site.location)? == ENTRY_LOCATION {
            return Some(pcs);
        }
        pcs.push(at.pc);
        let word = size_of::<usize>();
        if !at.fp.is_multiple_of(word) || at.fp + 2 * word > top || pcs.len() > INNER_FRAMES {
            return (pcs.len() > INNER_FRAMES).then_some(pcs);
        }
        let caller = Activation { fp: read(at.fp), pc: read(at.fp + word) };
        if caller.fp <= at.fp && with_site(caller.pc, |_, site| site.location)? != ENTRY_LOCATION {
            return None;
        }
        at = caller;
    }
}

/// What a stub does when the function it stands for asked for a panic: finds the handler. Called with the
/// activation of the generated code that called the stub.
///
/// # Safety
/// Called by stubs only.
pub(crate) unsafe extern "C" fn unwind_from(fiber: *mut Fiber, pc: usize, fp: usize) -> *const Resume {
    let at = Activation { pc, fp };
    // SAFETY: the stub passes its live fiber and its caller's frame.
    unsafe {
        (*fiber).raise = 0;
        crate::panic::begin_unwind(fiber, at);
        match find_handler(at) {
            Some(resume) => {
                crate::panic::enter_handler(fiber, &resume);
                (*fiber).resume = resume;
                &raw const (*fiber).resume
            }
            None => crate::panic::abort_at_border(fiber),
        }
    }
}

/// Defines the machine-code entry of a runtime function that may panic: calls the function proper, and if
/// that asked for a panic, unwinds from the place of the call instead of returning.
macro_rules! stub {
    ($name:ident, $symbol:expr, $implementation:path) => {
        /// The stub that generated code calls.
        ///
        /// # Safety
        /// Called by generated code only.
        #[cfg(target_arch = "x86_64")]
        #[unsafe(naked)]
        #[unsafe(export_name = $symbol)]
        unsafe extern "C" fn $name() {
            core::arch::naked_asm!(
                "push rbp",
                "mov rbp, rsp",
                "push rdi",
                "sub rsp, 8",
                "call {function}",
                "mov rdi, [rbp - 8]",
                "cmp dword ptr [rdi + {raise}], 0",
                "jne 2f",
                "leave",
                "ret",
                "2:",
                "mov rsi, [rbp + 8]",
                "mov rdx, [rbp]",
                "call {unwind}",
                "mov rcx, [rax + {pc}]",
                "mov rsp, [rax + {sp}]",
                "mov rbp, [rax + {fp}]",
                "jmp rcx",
                function = sym $implementation,
                raise = const core::mem::offset_of!(qz_rt_abi::Fiber, raise),
                unwind = sym $crate::unwind::unwind_from,
                pc = const core::mem::offset_of!(qz_rt_abi::fiber::Resume, pc),
                sp = const core::mem::offset_of!(qz_rt_abi::fiber::Resume, sp),
                fp = const core::mem::offset_of!(qz_rt_abi::fiber::Resume, fp),
            )
        }

        /// The stub that generated code calls.
        ///
        /// # Safety
        /// Called by generated code only.
        #[cfg(target_arch = "aarch64")]
        #[unsafe(naked)]
        #[unsafe(export_name = $symbol)]
        unsafe extern "C" fn $name() {
            core::arch::naked_asm!(
                "stp x29, x30, [sp, #-32]!",
                "mov x29, sp",
                "str x0, [sp, #16]",
                "bl {function}",
                "ldr x9, [sp, #16]",
                "ldr w10, [x9, #{raise}]",
                "cbnz w10, 2f",
                "ldp x29, x30, [sp], #32",
                "ret",
                "2:",
                "mov x0, x9",
                "mov x1, x30",
                "ldr x1, [x29, #8]",
                "ldr x2, [x29]",
                "bl {unwind}",
                "ldr x9, [x0, #{pc}]",
                "ldr x10, [x0, #{sp}]",
                "ldr x29, [x0, #{fp}]",
                "mov sp, x10",
                "br x9",
                function = sym $implementation,
                raise = const core::mem::offset_of!(qz_rt_abi::Fiber, raise),
                unwind = sym $crate::unwind::unwind_from,
                pc = const core::mem::offset_of!(qz_rt_abi::fiber::Resume, pc),
                sp = const core::mem::offset_of!(qz_rt_abi::fiber::Resume, sp),
                fp = const core::mem::offset_of!(qz_rt_abi::fiber::Resume, fp),
            )
        }
    };
}
pub(crate) use stub;
