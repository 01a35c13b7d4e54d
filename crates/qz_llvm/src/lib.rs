//! MIR to LLVM's text form (`.ll`): the engine behind native executables. No LLVM is needed to print it; the
//! driver gives it to `clang`.
//!
//! [`print_program`] does all. Read [`subset`] for which part of LLVM's language is used and how a program
//! looks in it, [`program`](crate::program) for the order of things, then [`function`](crate::function); each
//! kind of statement has its own module, named as in `qz_cranelift`. Layouts, counts and checks are decided
//! elsewhere; here they are only carried out.
//!
//! Optimisation is LLVM's business. What is done here is to tell it what it cannot find out: which memory
//! never overlaps ([`memory`](crate::memory)), what is rare, what cannot be null, what cannot unwind.

mod arith;
mod atomics;
mod calls;
mod casts;
mod consts;
mod counts;
mod data;
mod debug;
mod destroy;
mod enums;
mod foreign;
mod function;
mod intrinsics;
mod ir;
mod locations;
mod locks;
mod memory;
mod objects;
mod place;
mod program;
mod recursion;
mod returns;
mod reuse;
mod statement;
mod strings;
pub mod subset;
mod units;
mod unwind;
mod value;
mod waits;

use crate::units::Cut;
use qz_codegen::SourceFiles;
use qz_codegen::debug::Unit;
use qz_mir::Module;
use qz_mir::layout::Layouts;

/// How a program is printed.
#[derive(Copy, Clone, Debug, Default)]
pub struct Options {
    /// Keep exact numbers of live objects, for leak reports. Slower.
    pub count_objects: bool,
    /// Named locals live in memory, where debuggers find the whole value.
    pub names_in_memory: bool,
    /// Who of LLVM looks after the functions, if anybody.
    pub sanitize: Option<Sanitizer>,
    /// The machine that code is made for.
    pub arch: Arch,
}

/// What LLVM looks for in a program that runs.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Sanitizer {
    /// Accesses to memory that is not the program's.
    Address,
    /// Accesses by several threads that nothing puts in order.
    Thread,
}

impl Sanitizer {
    /// What `clang` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Sanitizer::Address => "address",
            Sanitizer::Thread => "thread",
        }
    }
}

/// What the text depends on beside the program.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Arch {
    X86_64,
    Aarch64,
}

impl Arch {
    /// The machine that the compiler runs on.
    pub const HOST: Arch = if cfg!(target_arch = "aarch64") { Arch::Aarch64 } else { Arch::X86_64 };

    fn stack_pointer(self) -> &'static str {
        match self {
            Arch::X86_64 => "rsp",
            Arch::Aarch64 => "sp",
        }
    }

    fn triple(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64-unknown-linux-gnu",
            Arch::Aarch64 => "aarch64-unknown-linux-gnu",
        }
    }
}

impl Default for Arch {
    fn default() -> Arch {
        Arch::HOST
    }
}

/// A whole program as LLVM IR, with `main`. With `unit` it says where lines, functions and variables are. The same program gives the same bytes.
pub fn print_program(
    module: &Module,
    layouts: &Layouts,
    files: &dyn SourceFiles,
    options: Options,
    unit: Option<&Unit>,
) -> String {
    let units = units::Units::new(module, Cut::Whole);
    let mut parts = program::ProgramCx::new(module, layouts, options, units).print(files, unit);
    parts.pop().unwrap_or_default()
}

/// A part of a program, and what it is called.
pub struct Part {
    pub name: String,
    pub ir: String,
}

/// As [`print_program`], in parts that together are the program: one for each module, or as many as are worth compiling
/// side by side.
pub fn print_parts(
    module: &Module,
    layouts: &Layouts,
    files: &dyn SourceFiles,
    options: Options,
    unit: Option<&Unit>,
    by_module: bool,
) -> Vec<Part> {
    let units = units::Units::new(module, if by_module { Cut::ByModule } else { Cut::BySize });
    let names = units.names().to_vec();
    let texts = program::ProgramCx::new(module, layouts, options, units).print(files, unit);
    names.into_iter().zip(texts).map(|(name, ir)| Part { name, ir }).collect()
}
