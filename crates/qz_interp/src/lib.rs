//! MIR run directly: for constants, and as the third opinion on what a program does.
//!
//! Works on real memory with the layouts that the compiled engines use, and calls the same runtime through
//! the registry, so a difference between engines is a difference in translation. Every local lives in
//! memory; frames are on a stack of the interpreter's own, so deep programs do not exhaust the machine's.
//! Only direct foreign calls are missing.
//!
//! Start with [`Interp`], then `machine.rs`.

mod arith;
mod counts;
mod data;
mod enums;
mod freeze;
mod intrinsics;
mod machine;
mod memory;
mod places;
mod runtime;
mod values;

use std::fmt;
use std::io;

use qz_codegen::SourceFiles;
use qz_mir::layout::Layouts;
use qz_mir::{ConstValue, InstanceId, Module};
use qz_rt::panic::Panic;

use machine::{Machine, Shared};

/// How a program is run.
#[derive(Copy, Clone, Debug)]
pub struct Options {
    /// Stop after so many statements and terminators.
    pub steps: Option<u64>,
    /// Whether runtime functions may reach outside the program. Constants may not.
    pub effects: bool,
    /// Bytes of frames before "stack overflow".
    pub stack_size: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options { steps: None, effects: true, stack_size: 16 << 20 }
    }
}

/// Why a program was stopped from outside.
#[derive(Debug)]
pub enum Stop {
    /// The step limit was reached.
    Steps,
    /// A foreign function was called.
    Foreign(String),
    /// A runtime function that a constant may not use was called.
    Effect(&'static str),
    Memory(io::Error),
    /// There is no entry, or a value that cannot be a constant.
    Unsupported(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Steps => f.write_str("evaluation takes too many steps"),
            Stop::Foreign(symbol) => write!(f, "the interpreter cannot call the foreign function `{symbol}`"),
            Stop::Effect(name) => write!(f, "`{name}` cannot be called in a constant"),
            Stop::Memory(error) => write!(f, "no memory: {error}"),
            Stop::Unsupported(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Stop {}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// 101 after a panic that nobody took.
    pub status: i32,
    pub panic: Option<Panic>,
    /// Objects left over, by type.
    pub leaks: Vec<(String, i64)>,
}

/// Runs a program's entry. Standard output is flushed afterwards; an uncaught panic is in the outcome.
pub fn run(
    module: &Module,
    layouts: &Layouts,
    files: &dyn SourceFiles,
    options: Options,
) -> Result<Outcome, Stop> {
    let Some(entry) = module.entry else { return Err(Stop::Unsupported("the program has no entry".into())) };
    let shared = Shared::new(module, layouts, files, options);
    let mut context = shared.context()?;
    let mut status = [0u64; 2];
    let at = memory::Addr::of(&mut status);
    let finished =
        context.run(|fiber| Machine::new(&shared, fiber, options.stack_size).run_instance(entry, at));
    qz_rt::streams::flush_all();
    let finished = finished.map_err(Stop::Memory)?;
    if let Some(stop) = shared.stopped.take() {
        return Err(stop);
    }
    let panic = match finished? {
        true => None,
        false => context.take_panic(),
    };
    let status = match (&panic, module.instances[entry].ret.is_integer()) {
        (Some(_), _) => 101,
        (None, true) => status[0] as i32 & 0xff,
        (None, false) => 0,
    };
    Ok(Outcome { status, panic, leaks: context.leaks() })
}

/// Evaluates an instance without parameters to a constant.
///
/// `None` if the value is not immutable all through, or may be another one in the next process, and so must be made anew at each use. A panic is the error
/// of the inner result.
pub fn evaluate(
    module: &Module,
    layouts: &Layouts,
    files: &dyn SourceFiles,
    instance: InstanceId,
    options: Options,
) -> Result<Result<Option<ConstValue>, Panic>, Stop> {
    let options = Options { effects: false, ..options };
    let layout = layouts.of(module.instances[instance].ret);
    let shared = Shared::new(module, layouts, files, options);
    let mut context = shared.context()?;
    let mut machine = Machine::new(&shared, context.fiber(), options.stack_size);
    let mut value = vec![0u64; layout.size as usize / 8 + 1];
    let at = memory::Addr::of(&mut value);
    if !machine.run_instance(instance, at)? {
        return Ok(Err(context.take_panic().unwrap_or_default()));
    }
    let lasting = !shared.used_hash_key.get();
    Ok(Ok(if lasting { machine.freeze(&layout, at) } else { None }))
}
