//! The machine and the settings that code is made for.

use std::sync::Arc;

use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable, Flags};

/// How much work goes into the code.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum OptLevel {
    /// Quick to compile.
    None,
    #[default]
    Speed,
}

/// This machine's instruction set, with all that its processor can do.
///
/// # Panics
/// If Cranelift does not support this machine.
pub fn host(opt: OptLevel) -> OwnedTargetIsa {
    build(opt, true, false)
}

/// What every machine of this kind can do, for code that is run elsewhere; with what debuggers need to unwind it.
///
/// # Panics
/// If Cranelift does not support this machine.
pub fn portable(opt: OptLevel, for_debuggers: bool) -> OwnedTargetIsa {
    build(opt, false, for_debuggers)
}

fn build(opt: OptLevel, of_this_processor: bool, for_debuggers: bool) -> OwnedTargetIsa {
    let mut flags = settings::builder();
    let opt_level = match opt {
        OptLevel::None => "none",
        OptLevel::Speed => "speed",
    };
    let choices = [
        ("opt_level", opt_level),
        // The unwinder walks frame pointers.
        ("preserve_frame_pointers", "true"),
        ("unwind_info", if for_debuggers { "true" } else { "false" }),
        // The fiber stays in a register of its own.
        ("enable_pinned_reg", "true"),
        // Prologues compare with the fiber's limit instead.
        ("enable_probestack", "false"),
        // Everything is reached relative to the code, so that it may lie anywhere.
        ("use_colocated_libcalls", "true"),
        ("is_pic", "false"),
        ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
        ("regalloc_algorithm", if opt == OptLevel::None { "single_pass" } else { "backtracking" }),
    ];
    for (name, value) in choices {
        flags.set(name, value).expect("a setting of this version of Cranelift");
    }
    let builder =
        cranelift_native::builder_with_options(of_this_processor).expect("Cranelift supports this machine");
    builder.finish(Flags::new(flags)).map(|isa| Arc::clone(&isa)).expect("the settings fit together")
}
