//! A compiled program in memory, and running it.

use std::io;

use qz_codegen::{Locations, SourceFiles};
use qz_mir::Module;
use qz_mir::layout::Layouts;
use qz_rt::panic::Panic;
use qz_rt::unwind::{Frame, Resolver};
use qz_rt::{Context, Settings};
use qz_rt_abi::Fiber;
use qz_types::Ty;

use crate::image::DataId;
use crate::load::Loaded;
use crate::made::CodeStore;
use crate::program::{Compiled, ProgramCx};
use crate::{CompileError, Options};

/// A program ready to run, as often as wanted. Module variables keep their values between runs.
pub struct Jit {
    loaded: Loaded,
    type_table: DataId,
    entry: Option<u32>,
    returns_status: bool,
    settings: Settings,
    text: String,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// 101 after a panic that nobody took.
    pub status: i32,
    pub panic: Option<Panic>,
    /// Objects left over, by type, if the program was compiled to count them.
    pub leaks: Vec<(String, i64)>,
}

/// The exit status of a program that panicked.
pub const PANIC_STATUS: i32 = 101;

struct Known {
    locations: Locations,
    files: Box<dyn SourceFiles>,
}

impl Resolver for Known {
    fn frames(&self, location: u32) -> Vec<Frame> {
        let frame = |at: qz_codegen::locations::Location| {
            let place = self.files.position(at.span);
            Frame {
                function: at.function.as_str().to_owned(),
                file: place.file,
                line: place.line,
                column: place.column,
                track_caller: at.track_caller,
            }
        };
        self.locations.frames(location).map(frame).collect()
    }
}

/// A compiled program that is not in memory yet.
pub struct Ready {
    pub(crate) compiled: Compiled,
    pub(crate) returns_status: bool,
    pub(crate) count_objects: bool,
}

/// Compiles a program, but for functions whose code a store has. Any failure is a mistake of the compiler's and says so.
pub fn compile(
    module: &Module,
    layouts: &Layouts,
    options: Options,
    store: Option<&dyn CodeStore>,
) -> Result<Ready, CompileError> {
    let isa = crate::isa::host(options.opt);
    let compiled = ProgramCx::new(module, layouts, options, isa, store).compile()?;
    let returns_status = module.entry.is_some_and(|id| is_int(module.instances[id].ret));
    Ok(Ready { compiled, returns_status, count_objects: options.count_objects })
}

impl Ready {
    /// Bytes of code.
    pub fn code_len(&self) -> usize {
        self.compiled.image.text.len()
    }

    /// Places the program in memory. Fails if a foreign function cannot be found or there is no memory.
    pub fn load(self, files: Box<dyn SourceFiles>) -> Result<Jit, CompileError> {
        let Compiled { image, locations, type_table, entry, text, .. } = self.compiled;
        let resolver = Box::new(Known { locations, files });
        let loaded = image.load(&crate::foreign::address_in_process, resolver)?;
        let jit = Jit::new_loaded(loaded, (type_table, entry), self.returns_status, self.count_objects);
        Ok(Jit { text, ..jit })
    }
}

impl Jit {
    /// Compiles a program and places it in memory. Fails if a foreign function cannot be found or there is
    /// no memory; any other failure is a mistake of the compiler's and says so.
    pub fn new(
        module: &Module,
        layouts: &Layouts,
        files: Box<dyn SourceFiles>,
        options: Options,
    ) -> Result<Jit, CompileError> {
        compile(module, layouts, options, None)?.load(files)
    }

    /// A program in memory; `starts` are the type table and the function that the host calls.
    pub(crate) fn new_loaded(
        loaded: Loaded,
        (type_table, entry): (DataId, Option<u32>),
        returns_status: bool,
        count_objects: bool,
    ) -> Jit {
        let settings = Settings { count_objects, ..Settings::default() };
        Jit { loaded, type_table, entry, returns_status, settings, text: String::new() }
    }

    /// What `Options::emit` asked for.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the program's functions stand, for profilers: address, size and symbol, in the form of Linux
    /// perf's map files.
    pub fn perf_map(&self, module: &Module) -> String {
        let name = |number: u32| match module.instances.iter().nth(number as usize) {
            Some((_, instance)) => &instance.symbol,
            None => "entry",
        };
        let line = |(number, at, size)| format!("{at:x} {size:x} {}\n", name(number));
        self.loaded.code().into_iter().map(line).collect()
    }

    /// Leaves the program in memory for good: C may still call it.
    pub fn keep(self) {
        std::mem::forget(self.loaded);
    }

    /// Runs the program's entry on a stack of its own. Standard output is flushed afterwards.
    pub fn run(&self) -> io::Result<Outcome> {
        let Some(entry) = self.entry else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the program has no entry"));
        };
        let mut context = Context::new(self.loaded.data(self.type_table).cast(), self.settings)?;
        // SAFETY: the function was compiled with this signature and C's convention, and lives as long as
        // `self`; it gets a live fiber, on whose stack it runs, and memory for its result.
        let (status, panic) = unsafe {
            let entry: unsafe extern "C" fn(*mut Fiber, *mut i64) -> i64 =
                std::mem::transmute(self.loaded.function(entry));
            context.run_program(self.returns_status, |fiber, status| entry(fiber, status) != 0)?
        };
        Ok(Outcome { status, panic, leaks: context.leaks() })
    }
}

fn is_int(ty: Ty) -> bool {
    ty.is_integer()
}
