//! From a checked program to files: LLVM IR, assembly, an object, an executable. LLVM itself is the system's
//! `clang` ([`tools`]); what is written appears as a whole or not at all ([`output`]).

mod output;
mod tools;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use qz_diag::{Code, Diagnostic};
use qz_hir::defs::FnKind;
use qz_infer::Checker;
use qz_lower::Lowerer;
use qz_mir::layout::Layouts;

use crate::Program;
use crate::run::{Failure, RunOptions, ToolProblem, build};
use output::Output;
use tools::{Clang, runtime_library};

/// What is to be made.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Artefact {
    LlvmIr,
    Asm,
    Object,
    #[default]
    Executable,
}

impl Artefact {
    /// The ending of its files.
    fn extension(self) -> &'static str {
        match self {
            Artefact::LlvmIr => "ll",
            Artefact::Asm => "s",
            Artefact::Object => "o",
            Artefact::Executable => "",
        }
    }
}

/// How a program is built.
#[derive(Clone, Debug, Default)]
pub struct BuildOptions {
    pub artefact: Artefact,
    /// Where it goes; the source's name with another ending, in the current folder, if not said. `-` is standard
    /// output, for LLVM IR.
    pub output: Option<PathBuf>,
    /// What stands behind `-O`.
    pub opt: String,
    /// The machine to make code for, as clang names it; one that runs everywhere if not said.
    pub target_cpu: Option<String>,
    pub link_statically: bool,
    pub strip: bool,
    /// The program counts its objects and reports what is left over.
    pub leaks: bool,
    /// Check MIR after every pass.
    pub verify: bool,
}

/// Builds a checked program from the file at `source`. `done` hears of each stage that is over.
pub fn build_native(
    program: &Program,
    checker: &Checker<'_>,
    source: &Path,
    options: &BuildOptions,
    done: &mut dyn FnMut(&'static str),
) -> Result<(), Failure> {
    // The program's own problems first, and whatever can be missing before the long work begins.
    let ir = llvm_ir(program, checker, options, done)?;
    let to_stdout = options.output.as_deref() == Some(Path::new("-"));
    let output = match to_stdout {
        true => None,
        false => Some(Output::prepare(&target_of(source, options), source)?),
    };
    let clang = (options.artefact != Artefact::LlvmIr).then(Clang::find).transpose()?;
    let library = (options.artefact == Artefact::Executable).then(runtime_library).transpose()?;
    let Some(output) = output else {
        // A reader that went away is no reason to fail.
        std::io::stdout().write_all(ir.as_bytes()).ok();
        return Ok(());
    };
    let made = match (clang, library) {
        (None, _) => output.write("program.ll", ir.as_bytes())?,
        (Some(clang), None) => compile(&clang, &ir, &output, options)?,
        (Some(clang), Some(library)) => {
            let object = compile(&clang, &ir, &output, options)?;
            done("llvm");
            link(program, &clang, &object, &library, &output, options)?
        }
    };
    output.publish(&made)?;
    done("link");
    Ok(())
}

fn target_of(source: &Path, options: &BuildOptions) -> PathBuf {
    options.output.clone().unwrap_or_else(|| {
        let stem = source.file_stem().filter(|it| *it != "-").unwrap_or("main".as_ref());
        Path::new(stem).with_extension(options.artefact.extension())
    })
}

fn llvm_ir(
    program: &Program,
    checker: &Checker<'_>,
    options: &BuildOptions,
    done: &mut dyn FnMut(&'static str),
) -> Result<String, Failure> {
    let lowerer = Lowerer::new(checker);
    let run_options = RunOptions { verify: options.verify, ..RunOptions::default() };
    let module = build(program, &lowerer, &run_options)?;
    done("mir");
    let defs = qz_opt::SourceDefs(&lowerer);
    let config = qz_llvm::Options { count_objects: options.leaks, ..Default::default() };
    let ir = qz_llvm::print_program(&module, &Layouts::new(&defs), &program.sources, config);
    done("llvm-ir");
    Ok(ir)
}

/// LLVM IR to assembly or an object, in the output's own folder.
fn compile(clang: &Clang, ir: &str, output: &Output, options: &BuildOptions) -> Result<PathBuf, Failure> {
    let to_asm = options.artefact == Artefact::Asm;
    let made = output.scratch(if to_asm { "program.s" } else { "program.o" });
    let mut command = Command::new(&clang.path);
    command.arg(if to_asm { "-S" } else { "-c" }).arg(format!("-O{}", options.opt));
    if let Some(cpu) = &options.target_cpu {
        command.arg(if cfg!(target_arch = "x86_64") { "-march=" } else { "-mcpu=" }.to_owned() + cpu);
    }
    // The program comes through a pipe, so that no file's name gets into the object.
    command.args(["-Wno-override-module", "-x", "ir", "-", "-o"]).arg(&made);
    let words = run_tool(&mut command, Some(ir))
        .map_err(|words| clang.failed("cannot compile the program", &words))?;
    match std::fs::metadata(&made) {
        Ok(data) if data.len() > 0 => Ok(made),
        _ => Err(clang.failed("wrote nothing", &words)),
    }
}

/// An object and the runtime to an executable.
fn link(
    program: &Program,
    clang: &Clang,
    object: &Path,
    library: &Path,
    output: &Output,
    options: &BuildOptions,
) -> Result<PathBuf, Failure> {
    let made = output.scratch("program");
    let mut command = Command::new(&clang.path);
    command.arg(object).arg(library).arg("-o").arg(&made).args(["-lm", "-lpthread", "-ldl"]);
    command.args(["-Wl,--gc-sections", "-Wl,--as-needed"]);
    if let Some(linker) = clang.linker() {
        command.arg(format!("-fuse-ld={linker}"));
    }
    if options.strip {
        command.arg("-Wl,-s");
    }
    if options.link_statically {
        command.arg("-static");
    }
    let words = run_tool(&mut command, None).map_err(|words| {
        undefined_symbols(program, &words).unwrap_or_else(|| clang.failed("cannot link the program", &words))
    })?;
    if !output::is_executable(&made) {
        return Err(clang.failed("linked no program", &words));
    }
    Ok(made)
}

/// Runs a program and feeds it; gives what it says. That it failed is the error.
fn run_tool(command: &mut Command, input: Option<&str>) -> Result<String, String> {
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| error.to_string())?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // It may end, or write, before it has read everything.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input.unwrap_or_default().as_bytes())));
        child.wait_with_output()
    });
    let output = output.map_err(|error| error.to_string())?;
    let words = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    match output.status.code() {
        Some(0) => Ok(words),
        Some(status) if words.is_empty() => Err(format!("exit status {status}")),
        Some(_) => Err(words),
        None => Err(format!("it was killed ({})\n{words}", output.status).trim_end().to_owned()),
    }
}

/// Foreign functions that the linker did not find, told at their declarations.
fn undefined_symbols(program: &Program, words: &str) -> Option<Failure> {
    let mut missing: Vec<&str> = words.lines().filter_map(undefined_symbol).collect();
    missing.sort_unstable();
    missing.dedup();
    let mut problems = Vec::new();
    for symbol in missing {
        let declared = program
            .defs
            .fns
            .iter()
            .find(|(_, def)| matches!(def.kind, FnKind::ExternC { .. }) && def.name.as_str() == symbol);
        let (id, _) = declared?;
        problems.push(
            Diagnostic::new(
                Code::UNDEFINED_SYMBOL,
                program.defs.fn_span(id),
                format!("no library has a function `{symbol}`"),
            )
            .help("only the C library, `libm` and `libpthread` are linked"),
        );
    }
    (!problems.is_empty()).then_some(Failure::Problems(problems))
}

/// The name in a linker's complaint: GNU's `undefined reference to `f'`, lld's `undefined symbol: f`.
fn undefined_symbol(line: &str) -> Option<&str> {
    if let Some((_, rest)) = line.split_once("undefined reference to ") {
        return Some(rest.trim_matches(['`', '\'', '"', '‘', '’']));
    }
    line.split_once("undefined symbol: ").map(|(_, rest)| rest.trim())
}

impl Clang {
    fn failed(&self, what: &str, words: &str) -> Failure {
        let shown: Vec<&str> = words.lines().take(10).collect();
        Failure::Tool(ToolProblem {
            code: Code::TOOL_FAILED,
            message: format!("`{}` {what}", self.path.display()),
            notes: shown.into_iter().map(str::to_owned).collect(),
            help: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linkers_tell_what_is_missing() {
        let gnu = "/usr/bin/ld: a.o: in function `qz.main': a.qz:(.text+0x7): undefined reference to `nope'";
        assert_eq!(undefined_symbol(gnu), Some("nope"));
        assert_eq!(undefined_symbol("ld.lld: error: undefined symbol: nope"), Some("nope"));
        assert_eq!(undefined_symbol("collect2: error: ld returned 1 exit status"), None);
    }
}
