//! A program's code, by Cranelift as an object, or by LLVM: as text, and what `clang` makes of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use qz_codegen::debug::Unit;
use qz_infer::Checker;
use qz_llvm::Part;
use qz_mir::layout::Layouts;

use super::output::Output;
use super::tools::{Clang, failed, run_tool};
use super::{Artefact, BuildOptions, CodeBy};
use crate::foreign::{self, Library};
use crate::run::{Failure, RunOptions, build};
use crate::{Cache, Program};

/// What an engine made.
pub(super) enum Code {
    /// LLVM IR, in one part or several.
    Ir(Vec<Part>),
    /// An object file.
    Object(Vec<u8>),
}

impl Code {
    /// All of it, where that is one piece.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Code::Ir(parts) => parts.first().map_or(&[], |part| part.ir.as_bytes()),
            Code::Object(bytes) => bytes,
        }
    }
}

/// Translates the whole program; gives the C libraries it needs, too.
pub(super) fn make(
    program: &Program,
    checker: &Checker<'_>,
    source: &Path,
    options: &BuildOptions,
    cache: Option<&Cache>,
    done: &mut dyn FnMut(&'static str),
) -> Result<(Code, Vec<Library>), Failure> {
    let unit = options.debug.then(|| debug_unit(source));
    // Who steps through a program wants to see what was written: without `--release` nothing is moved or left out.
    let unoptimised = options.debug && !options.code_by.optimises();
    let keep_names = unoptimised;
    let BuildOptions { verify, overflow, .. } = *options;
    let shape = options.artefact.shape();
    let run_options =
        RunOptions { verify, overflow, unoptimised, keep_names, shape, ..RunOptions::default() };
    let bodies;
    let mut lowerer = run_options.lowerer(checker);
    bodies = cache.and_then(|cache| cache.bodies(program, &lowerer));
    lowerer.kept = bodies.as_ref().map(|it| it.kept());
    let module = build(program, &lowerer, &run_options)?;
    bodies.iter().for_each(|it| it.keep(&lowerer));
    done("mir");
    let libraries = foreign::libraries(program, &module);
    let defs = qz_opt::SourceDefs(&lowerer);
    let layouts = Layouts::new(&defs);
    let as_object = !matches!(options.artefact, Artefact::LlvmIr | Artefact::Asm);
    if as_object && options.code_by == CodeBy::Cranelift && !options.separate {
        let opt = if unoptimised { qz_cranelift::OptLevel::None } else { qz_cranelift::OptLevel::Speed };
        let config = qz_cranelift::Options { opt, count_objects: options.leaks, ..Default::default() };
        let packs = cache.map(|cache| cache.packs(&format!("object {config:?}"), false));
        let store = packs.as_ref().map(|it| it as &dyn qz_cranelift::CodeStore);
        let sources = &program.sources;
        let object = qz_cranelift::compile_object(&module, &layouts, sources, config, unit.as_ref(), store)
            .map_err(|error| Failure::Internal(error.to_string()))?;
        if let (Some(cache), Some(packs)) = (cache, packs) {
            cache.keep(packs);
        }
        done("cranelift");
        return Ok((Code::Object(object), libraries));
    }
    let (count_objects, names_in_memory) = (options.leaks, unoptimised);
    let sanitize = options.sanitize;
    let config = qz_llvm::Options { count_objects, names_in_memory, sanitize, ..Default::default() };
    let ir = if options.separate || options.artefact == Artefact::Executable {
        qz_llvm::print_parts(&module, &layouts, &program.sources, config, unit.as_ref(), options.separate)
    } else {
        let ir = qz_llvm::print_program(&module, &layouts, &program.sources, config, unit.as_ref());
        vec![Part { name: "program0".into(), ir }]
    };
    done("llvm-ir");
    Ok((Code::Ir(ir), libraries))
}

/// What debuggers call a program; they look for its files from where it was built.
fn debug_unit(source: &Path) -> Unit {
    let folder = std::env::current_dir().unwrap_or_default().display().to_string();
    Unit { folder, file: source.display().to_string() }
}

/// The code in files: as it is, or as `clang` made it, several parts side by side.
pub(super) fn objects(
    clang: Option<&Clang>,
    code: &Code,
    output: &Output,
    options: &BuildOptions,
    cache: Option<&Cache>,
) -> Result<Vec<PathBuf>, Failure> {
    match (code, clang) {
        (Code::Ir(parts), Some(clang)) => compile_all(clang, parts, output, options, cache),
        (Code::Ir(parts), None) => {
            parts.iter().map(|it| output.write(&format!("{}.ll", it.name), it.ir.as_bytes())).collect()
        }
        (Code::Object(object), _) => Ok(vec![output.write("program.o", object)?]),
    }
}

/// As many at a time as there are processors. The first failure, in the order of the parts, is told.
fn compile_all(
    clang: &Clang,
    parts: &[Part],
    output: &Output,
    options: &BuildOptions,
    cache: Option<&Cache>,
) -> Result<Vec<PathBuf>, Failure> {
    let compiler = Compiler { clang, arguments: arguments(clang, options), output };
    let to_asm = options.artefact == Artefact::Asm;
    let store = cache.map(|cache| cache.objects(&clang.identity(&compiler.arguments)));
    let make = |Part { name, ir }: &Part| {
        let name = format!("{name}.{}", if to_asm { "s" } else { "o" });
        match &store {
            None => compiler.compile(ir, &name),
            Some(store) => match store.get(ir) {
                Some(object) => output.write(&name, &object),
                None => {
                    let made = compiler.compile(ir, &name)?;
                    std::fs::read(&made).into_iter().for_each(|object| store.put(ir, &object));
                    Ok(made)
                }
            },
        }
    };
    // The longest first, so that nobody starts one when all others are done.
    let mut all: Vec<(usize, &Part)> = parts.iter().enumerate().collect();
    all.sort_by_key(|(_, part)| std::cmp::Reverse(part.ir.len()));
    let mut made = qz_base::parallel::map(&mut all, 1, |(at, part)| (*at, make(part)));
    made.sort_by_key(|(at, _)| *at);
    if let (Some(cache), Some(store)) = (cache, store) {
        cache.note_objects(&store);
    }
    made.into_iter().map(|(_, made)| made).collect()
}

/// What clang is told beside the file.
fn arguments(clang: &Clang, options: &BuildOptions) -> Vec<String> {
    let opt = match &options.code_by {
        CodeBy::Llvm { opt } => opt,
        CodeBy::Cranelift => "1",
    };
    let mut arguments = vec![if options.artefact == Artefact::Asm { "-S" } else { "-c" }.to_owned()];
    arguments.push(format!("-O{opt}"));
    arguments.extend(clang.llvm.iter().map(|&it| it.to_owned()));
    if let Some(cpu) = &options.target_cpu {
        arguments.push(if cfg!(target_arch = "x86_64") { "-march=" } else { "-mcpu=" }.to_owned() + cpu);
    }
    if let Some(sanitizer) = options.sanitize {
        arguments.push(format!("-fsanitize={}", sanitizer.name()));
    }
    if options.artefact == Artefact::SharedLibrary {
        arguments.push("-fPIC".into());
    }
    arguments.push("-Wno-override-module".into());
    arguments
}

/// `clang`, told what to do.
struct Compiler<'a> {
    clang: &'a Clang,
    arguments: Vec<String>,
    output: &'a Output,
}

impl Compiler<'_> {
    /// LLVM IR to assembly or an object, in the output's own folder.
    fn compile(&self, ir: &str, name: &str) -> Result<PathBuf, Failure> {
        let made = self.output.scratch(name);
        let mut command = Command::new(&self.clang.path);
        // The program comes through a pipe, so that no file's name gets into the object.
        command.args(&self.arguments).args(["-x", "ir", "-", "-o"]).arg(&made);
        let words = run_tool(&mut command, Some(ir))
            .map_err(|words| failed(&self.clang.path, "cannot compile the program", &words))?;
        match std::fs::metadata(&made) {
            Ok(data) if data.len() > 0 => Ok(made),
            _ => Err(failed(&self.clang.path, "wrote nothing", &words)),
        }
    }
}
