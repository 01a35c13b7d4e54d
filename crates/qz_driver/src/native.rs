//! From a checked program to files: LLVM IR, assembly, an object, an executable.
//!
//! Code is made by Cranelift, soon, or by LLVM, well ([`code`]); the system's tools ([`tools`]) make executables of
//! it ([`link`]). What is written appears as a whole or not at all ([`output`]).

mod code;
mod header;
mod hooks;
mod interrupt;
mod link;
mod output;
mod tools;
mod watched;

use std::io::Write;
use std::path::{Path, PathBuf};

use qz_hir::Overflow;
use qz_infer::Checker;

use crate::foreign::Library;
use crate::run::{Failure, Shape};
use crate::{Cache, Program};
use code::Code;
pub use header::write_header;
use interrupt::Interrupt;
use link::Link;
use output::Output;
pub use qz_llvm::Sanitizer;
pub(crate) use tools::at_hand as tools_at_hand;
use tools::{Clang, Driver, runtime_library};

/// What is to be made.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Artefact {
    LlvmIr,
    Asm,
    Object,
    #[default]
    Executable,
    /// For C programs, with the runtime in it.
    StaticLibrary,
    /// The same, loaded when such a program starts.
    SharedLibrary,
}

impl Artefact {
    /// The ending of its files.
    fn extension(self) -> &'static str {
        match self {
            Artefact::LlvmIr => "ll",
            Artefact::Asm => "s",
            Artefact::Object => "o",
            Artefact::Executable => "",
            Artefact::StaticLibrary => "a",
            Artefact::SharedLibrary => "so",
        }
    }

    /// What the names of its files begin with.
    fn prefix(self) -> &'static str {
        match self {
            Artefact::StaticLibrary | Artefact::SharedLibrary => "lib",
            _ => "",
        }
    }

    fn shape(self) -> Shape {
        match self {
            Artefact::Executable => Shape::Executable,
            Artefact::LlvmIr | Artefact::Asm | Artefact::Object => Shape::Object,
            Artefact::StaticLibrary | Artefact::SharedLibrary => Shape::Library,
        }
    }

    /// Whether the runtime is part of it.
    fn has_runtime(self) -> bool {
        matches!(self, Artefact::Executable | Artefact::StaticLibrary | Artefact::SharedLibrary)
    }
}

/// Who makes the code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CodeBy {
    #[default]
    Cranelift,
    /// With what stands behind `-O`.
    Llvm { opt: String },
}

impl CodeBy {
    /// Whether code is wanted that runs fast, more than code that is soon ready.
    fn optimises(&self) -> bool {
        matches!(self, CodeBy::Llvm { opt } if opt != "0")
    }
}

/// How a program is built.
#[derive(Clone, Debug, Default)]
pub struct BuildOptions {
    pub artefact: Artefact,
    /// Who makes objects; texts are LLVM's in any case.
    pub code_by: CodeBy,
    /// Where it goes; the source's name with another ending, in the current folder, if not said. `-` is standard
    /// output, for LLVM IR.
    pub output: Option<PathBuf>,
    /// The machine to make code for, as clang names it; one that runs everywhere if not said.
    pub target_cpu: Option<String>,
    /// What the program's arithmetic does when a result does not fit.
    pub overflow: Overflow,
    /// Say where lines, functions and variables are, for debuggers.
    pub debug: bool,
    /// Who of LLVM looks after every access, if anybody.
    pub sanitize: Option<Sanitizer>,
    pub link_statically: bool,
    pub strip: bool,
    /// The program counts its objects and reports what is left over.
    pub leaks: bool,
    /// Check MIR after every pass.
    pub verify: bool,
    /// A file for each module, in the folder that is the output.
    pub separate: bool,
    /// Folders with C libraries, before the system's.
    pub library_paths: Vec<PathBuf>,
}

/// Builds a checked program from the file at `source`. `done` hears of each stage that is over.
pub fn build_native(
    program: &Program,
    checker: &Checker<'_>,
    source: &Path,
    options: &BuildOptions,
    cache: Option<&Cache>,
    done: &mut dyn FnMut(&'static str),
) -> Result<(), Failure> {
    // The program's own problems first, and whatever can be missing before the long work begins.
    let (code, libraries) = code::make(program, checker, source, options, cache, done)?;
    if options.output.as_deref() == Some(Path::new("-")) {
        // A reader that went away is no reason to fail.
        std::io::stdout().write_all(code.bytes()).ok();
        return Ok(());
    }
    let interrupt = Interrupt::watch();
    if options.separate {
        let output = Output::in_folder(&target_of(source, options))?;
        let clang = (options.artefact != Artefact::LlvmIr).then(Clang::find).transpose()?;
        let made = interrupt.check(code::objects(clang.as_ref(), &code, &output, options, cache))?;
        done("code");
        return output.publish_all(&made);
    }
    let output = Output::prepare(&target_of(source, options), source)?;
    let made = interrupt.check(make(program, (&code, &libraries), &output, options, cache, done))?;
    // Where C libraries are is asked anew each time.
    if let Some(cache) = cache.filter(|_| libraries.is_empty())
        && let Some(read) = link::files_read(&output, options)
    {
        cache.note_built(program, source, options, &made, read);
    }
    output.publish(&made)?;
    done("link");
    Ok(())
}

/// What was asked for, in the output's own folder.
fn make(
    program: &Program,
    (code, libraries): (&Code, &[Library]),
    output: &Output,
    options: &BuildOptions,
    cache: Option<&Cache>,
    done: &mut dyn FnMut(&'static str),
) -> Result<PathBuf, Failure> {
    let needs_clang = matches!(code, Code::Ir(_)) && options.artefact != Artefact::LlvmIr;
    let clang = needs_clang.then(Clang::find).transpose()?;
    if options.artefact.has_runtime() {
        let driver = match &clang {
            Some(clang) => Driver::of(clang),
            None => Driver::find()?,
        };
        let runtime = runtime_library()?;
        if options.sanitize == Some(Sanitizer::Thread) {
            watched::check(&runtime)?;
        }
        let objects = code::objects(clang.as_ref(), code, output, options, cache)?;
        done("code");
        let job = Link { program, driver: &driver, libraries, output, options };
        match options.artefact {
            Artefact::StaticLibrary => job.static_library(&objects, &runtime),
            Artefact::SharedLibrary => job.shared_library(&objects, &runtime),
            _ => job.executable(&objects, &runtime),
        }
    } else {
        let mut made = code::objects(clang.as_ref(), code, output, options, cache)?;
        Ok(made.pop().expect("one piece makes one file"))
    }
}

pub(crate) fn target_of(source: &Path, options: &BuildOptions) -> PathBuf {
    let folder = || default_target(source, Artefact::Executable).with_extension("parts");
    options.output.clone().unwrap_or_else(|| match options.separate {
        true => folder(),
        false => default_target(source, options.artefact),
    })
}

fn default_target(source: &Path, artefact: Artefact) -> PathBuf {
    let stem = source.file_stem().filter(|it| *it != "-").unwrap_or("main".as_ref());
    let name = artefact.prefix().to_owned() + &stem.to_string_lossy();
    Path::new(&name).with_extension(artefact.extension())
}

/// The file that a build writes, if it writes one.
pub fn output_of(source: &Path, output: Option<&Path>, artefact: Artefact) -> Option<PathBuf> {
    match output {
        Some(output) if output == Path::new("-") => None,
        Some(output) => Some(output.to_owned()),
        None => Some(default_target(source, artefact)),
    }
}
