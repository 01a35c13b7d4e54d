//! `quartz build`: native programs, and what lies on the way to them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use qz_diag::Diagnostic;
use qz_driver::{Artefact, BuildOptions, Cache, CodeBy, Failure, Program, Root};
use qz_infer::Checker;

use super::cache::Caching;
use super::{STATUS_PROBLEMS, STATUS_USE, Timings, checker_of, fail, root_of};
use crate::cli::{Build, BuildEmit, Look};

pub(super) fn build(look: &Look, command: &Build) -> u8 {
    if command.separate && !matches!(command.emit, None | Some(BuildEmit::LlvmIr | BuildEmit::Obj)) {
        eprintln!("error: `--separate` makes LLVM IR or objects");
        eprintln!("  = help: write `--emit=llvm-ir` or `--emit=obj` with it");
        return STATUS_USE;
    }
    let to_stdout = command.output.as_deref() == Some(Path::new("-"));
    if to_stdout && !matches!(command.emit, Some(BuildEmit::LlvmIr | BuildEmit::Header)) {
        eprintln!("error: only LLVM IR and headers go to standard output");
        eprintln!("  = help: write `--emit=llvm-ir` or `--emit=header`, or a file's name behind `-o`");
        return STATUS_USE;
    }
    let Some(root) = root_of(&command.file) else { return STATUS_USE };
    let mut timings = Timings::new(command.timings);
    let caching = Caching::open(look, &command.caching, &root);
    if caching.get().is_some_and(|cache| is_built(look, cache, command)) {
        timings.print();
        return caching.end(|| builds_the_same(command, &caching, root));
    }
    let Some(program) = caching.load(root.clone()) else { return STATUS_PROBLEMS };
    timings.done("load");
    let status = build_loaded(look, command, &program, caching.get(), &mut timings);
    timings.print();
    caching.end(|| status != 0 || builds_the_same(command, &caching, root)).max(status)
}

/// Whether the output is there already; the program's warnings are told again.
fn is_built(look: &Look, cache: &Cache, command: &Build) -> bool {
    let asks_for_more = command.emit_deps || command.inputs.is_some() || command.verify || command.separate;
    if asks_for_more || command.emit == Some(BuildEmit::Header) {
        return false;
    }
    let Some(known) = cache.unchanged(&command.file) else { return false };
    let is_built = cache.is_built(&known, &command.file, &options_of(command));
    if is_built {
        look.report(&known.warnings, &known.sources);
    }
    is_built
}

/// Whether building without the cache says the same and makes the same file, or the same files in a folder.
fn builds_the_same(command: &Build, caching: &Caching, root: Root) -> bool {
    if !caching.warns_the_same(&command.file) {
        return false;
    }
    let made = output_of(command).filter(|_| command.emit != Some(BuildEmit::Header));
    let Some(made) = made else { return true };
    let name = format!(".{}.anew", made.file_name().unwrap_or_default().to_string_lossy());
    let anew = made.with_file_name(name);
    let again = Build { output: Some(anew.clone()), ..command.clone() };
    let Some(program) = caching.load_anew(root) else { return false };
    let checker = checker_of(program);
    let is_clean = !qz_driver::check(program, checker, None).iter().any(Diagnostic::is_error);
    let made_again = is_clean && compile(&again, &program, checker, None, &mut Timings::new(false)).is_ok();
    // A folder may hold what was made for modules that are gone.
    let same = |made: Vec<_>, anew: Vec<_>| anew.iter().all(|it| made.contains(it));
    let same =
        made_again && contents(&made).zip(contents(&anew)).is_some_and(|(made, anew)| same(made, anew));
    let removed = if anew.is_dir() { std::fs::remove_dir_all(&anew) } else { std::fs::remove_file(&anew) };
    if let (true, Err(error)) = (anew.exists(), removed) {
        eprintln!("warning: `{}` cannot be removed: {error}", anew.display());
    }
    same
}

/// A file's bytes, or those of each file in a folder.
fn contents(path: &Path) -> Option<Vec<(OsString, Vec<u8>)>> {
    if !path.is_dir() {
        return Some(vec![(OsString::new(), std::fs::read(path).ok()?)]);
    }
    let files = std::fs::read_dir(path).ok()?.flatten();
    let files = files.map(|it| Some((it.file_name(), std::fs::read(it.path()).ok()?)));
    let mut files: Vec<_> = files.collect::<Option<_>>()?;
    files.sort();
    Some(files)
}

/// Where the result goes; none for standard output.
fn output_of(command: &Build) -> Option<PathBuf> {
    qz_driver::output_of(&command.file, command.output.as_deref(), artefact(command))
}

fn artefact(command: &Build) -> Artefact {
    match command.emit {
        Some(BuildEmit::LlvmIr) => Artefact::LlvmIr,
        Some(BuildEmit::Asm) => Artefact::Asm,
        Some(BuildEmit::Obj) => Artefact::Object,
        Some(BuildEmit::Lib) => Artefact::StaticLibrary,
        Some(BuildEmit::Shared) => Artefact::SharedLibrary,
        None if command.separate => Artefact::LlvmIr,
        Some(BuildEmit::Header) | None => Artefact::Executable,
    }
}

fn build_loaded(
    look: &Look,
    command: &Build,
    program: &'static Program,
    cache: Option<&Cache>,
    timings: &mut Timings,
) -> u8 {
    let checker = checker_of(program);
    let problems = qz_driver::check(program, checker, cache);
    timings.done("check");
    if look.report(&problems, &program.sources) {
        return STATUS_PROBLEMS;
    }
    if command.emit == Some(BuildEmit::Header) {
        let written = qz_driver::write_header(program, &command.file, command.output.as_deref());
        return written.map_or_else(|failure| fail(look, &program.sources, failure), |()| 0);
    }
    match compile(command, program, checker, cache, timings) {
        Ok(()) => write_inputs(command, program).max(write_dependencies(command, program)),
        Err(failure) => fail(look, &program.sources, failure),
    }
}

/// How the file that was asked for is made.
fn options_of(command: &Build) -> BuildOptions {
    let code_by = match (&command.opt, command.release) {
        (Some(opt), _) => CodeBy::Llvm { opt: opt.clone() },
        (None, true) => CodeBy::Llvm { opt: "2".into() },
        // What only LLVM can do asks for it.
        (None, false) if command.sanitize.is_some() || command.target_cpu.is_some() => {
            CodeBy::Llvm { opt: "1".into() }
        }
        (None, false) => CodeBy::Cranelift,
    };
    BuildOptions {
        artefact: artefact(command),
        code_by,
        output: command.output.clone(),
        overflow: command.overflow.into(),
        debug: command.debug,
        target_cpu: command.target_cpu.clone(),
        sanitize: command.sanitize.map(Into::into),
        link_statically: command.link_statically,
        strip: command.strip,
        leaks: command.leaks,
        verify: command.verify,
        library_paths: command.library_paths.clone(),
        separate: command.separate,
    }
}

/// From a checked program to the file that was asked for.
fn compile(
    command: &Build,
    program: &Program,
    checker: &Checker<'_>,
    cache: Option<&Cache>,
    timings: &mut Timings,
) -> Result<(), Failure> {
    let options = options_of(command);
    let mut done = |stage| timings.done(stage);
    qz_driver::build_native(program, checker, &command.file, &options, cache, &mut done)
}

/// What a build tool has to know.
fn write_dependencies(command: &Build, program: &Program) -> u8 {
    let Some(made) = output_of(command).filter(|_| command.emit_deps) else { return 0 };
    let target = made.display().to_string();
    let files = [
        (format!("{target}.d"), qz_driver::make_rule(program, &target)),
        (format!("{target}.deps.json"), qz_driver::json_dependencies(program, &target)),
    ];
    for (path, text) in files {
        if let Err(error) = std::fs::write(&path, text) {
            eprintln!("error: `{path}` cannot be written: {error}");
            return STATUS_PROBLEMS;
        }
    }
    0
}

/// What the executable was made of, if someone wants to know.
fn write_inputs(command: &Build, program: &Program) -> u8 {
    let Some(path) = &command.inputs else { return 0 };
    match std::fs::write(path, qz_driver::inputs(program)) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("error: `{}` cannot be written: {error}", path.display());
            STATUS_PROBLEMS
        }
    }
}
