//! MIR to machine code by Cranelift: in memory, where it runs at once (`quartz run`), or in an object file
//! (`quartz build`).
//!
//! [`compile_and_run`] does all; [`Jit`] keeps the program; [`compile_object`] makes the object. Read [`program`](crate::program) for the order of
//! things, then [`function`](crate::function); each kind of statement has its own module. Layouts, calling
//! convention, counts and checks are decided elsewhere; here they are only carried out.

mod aot;
mod arith;
mod atomics;
mod batch;
mod calls;
mod casts;
mod consts;
mod counts;
mod destroy;
mod dwarf;
mod enums;
mod foreign;
mod function;
pub mod image;
mod intrinsics;
pub mod isa;
mod jit;
pub mod load;
mod locks;
mod made;
mod memory;
mod object;
mod objects;
mod place;
mod program;
mod reuse;
mod saved;
mod statement;
mod value;

use std::fmt;
use std::io;

use qz_base::Name;
use qz_codegen::SourceFiles;
use qz_mir::Module;
use qz_mir::layout::Layouts;

pub use aot::compile_object;
pub use isa::OptLevel;
pub use jit::{Jit, Outcome, PANIC_STATUS, Ready, compile};
pub use made::{CodeKey, CodeStore, Made};
pub use saved::{Added, Saved, Whole, target};

/// How a program is compiled.
#[derive(Copy, Clone, Debug, Default)]
pub struct Options {
    pub opt: OptLevel,
    /// Keep named locals in memory, for debuggers.
    pub debug: bool,
    /// Keep exact numbers of live objects, for leak reports. Slower.
    pub count_objects: bool,
    /// Text to keep of every function.
    pub emit: Emit,
    /// The functions of this module are run a few times only: their code is made quickly.
    pub quick: Option<Name>,
}

/// What [`Jit::text`] gives.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Emit {
    #[default]
    Nothing,
    Clif,
    Asm,
}

/// Why there is no program.
#[derive(Debug)]
pub enum CompileError {
    /// A foreign function that no library of the process has.
    MissingSymbol(String),
    Memory(io::Error),
    /// A mistake of the compiler's own.
    Internal(String),
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompileError::MissingSymbol(symbol) => write!(f, "no library has a function `{symbol}`"),
            CompileError::Memory(error) => write!(f, "no memory for the program: {error}"),
            CompileError::Internal(reason) => write!(f, "internal error: {reason}"),
        }
    }
}

impl std::error::Error for CompileError {}

/// Compiles a program, runs it, reports a panic that nobody took, and gives the exit status.
pub fn compile_and_run(
    module: &Module,
    layouts: &Layouts,
    files: Box<dyn SourceFiles>,
    options: Options,
) -> Result<i32, CompileError> {
    let jit = Jit::new(module, layouts, files, options)?;
    let outcome = jit.run().map_err(CompileError::Memory)?;
    if let Some(panic) = &outcome.panic {
        qz_rt::streams::write_error(panic.report().as_bytes());
    }
    Ok(outcome.status)
}
