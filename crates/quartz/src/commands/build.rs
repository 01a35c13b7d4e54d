//! `quartz build`: native programs, and what lies on the way to them.

use std::path::Path;

use qz_driver::{Artefact, BuildOptions, Cache, CodeBy, Program};
use qz_infer::Checker;

use super::cache::Caching;
use super::{STATUS_PROBLEMS, STATUS_USE, Timings, fail, load, root_of};
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
    let caching = Caching::open(look, &command.caching, Some(&*command.file).filter(|it| it.as_os_str() != "-"));
    let Some(program) = load(look, root, caching.get()) else { return STATUS_PROBLEMS };
    timings.done("load");
    let status = build_loaded(look, command, &program, caching.get(), &mut timings);
    timings.print();
    caching.end(|| status != 0 || command.separate || builds_the_same(look, command, &program)).max(status)
}

/// Whether building without the cache makes the same file.
fn builds_the_same(look: &Look, command: &Build, program: &Program) -> bool {
    let Some(made) = qz_driver::output_of(&command.file, command.output.as_deref(), artefact(command)) else {
        return true;
    };
    let anew =
        made.with_file_name(format!(".{}.anew", made.file_name().unwrap_or_default().to_string_lossy()));
    let again = Build { output: Some(anew.clone()), inputs: None, ..command.clone() };
    let status = build_loaded(look, &again, program, None, &mut Timings::new(false));
    let same = status == 0 && std::fs::read(&made).ok() == std::fs::read(&anew).ok();
    std::fs::remove_file(anew).ok();
    same
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
    program: &Program,
    cache: Option<&Cache>,
    timings: &mut Timings,
) -> u8 {
    let checker = Checker::new(&program.defs);
    let problems = qz_driver::check(program, &checker, cache);
    timings.done("check");
    if look.report(&problems, &program.sources) {
        return STATUS_PROBLEMS;
    }
    if command.emit == Some(BuildEmit::Header) {
        let written = qz_driver::write_header(program, &command.file, command.output.as_deref());
        return written.map_or_else(|failure| fail(look, &program.sources, failure), |()| 0);
    }
    let code_by = match (&command.opt, command.release) {
        (Some(opt), _) => CodeBy::Llvm { opt: opt.clone() },
        (None, true) => CodeBy::Llvm { opt: "2".into() },
        // What only LLVM can do asks for it.
        (None, false) if command.sanitize.is_some() || command.target_cpu.is_some() => {
            CodeBy::Llvm { opt: "1".into() }
        }
        (None, false) => CodeBy::Cranelift,
    };
    let options = BuildOptions {
        artefact: artefact(command),
        code_by,
        output: command.output.clone(),
        overflow: command.overflow.into(),
        debug: command.debug,
        target_cpu: command.target_cpu.clone(),
        sanitize_address: command.sanitize.is_some(),
        link_statically: command.link_statically,
        strip: command.strip,
        leaks: command.leaks,
        verify: command.verify,
        library_paths: command.library_paths.clone(),
        separate: command.separate,
    };
    let built = qz_driver::build_native(program, &checker, &command.file, &options, cache, &mut |stage| {
        timings.done(stage)
    });
    match built {
        Ok(()) => write_inputs(command, program).max(write_dependencies(command, program)),
        Err(failure) => fail(look, &program.sources, failure),
    }
}

/// What a build tool has to know.
fn write_dependencies(command: &Build, program: &Program) -> u8 {
    let made = qz_driver::output_of(&command.file, command.output.as_deref(), artefact(command));
    let Some(made) = made.filter(|_| command.emit_deps) else { return 0 };
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
