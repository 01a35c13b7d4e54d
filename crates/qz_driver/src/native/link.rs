//! Objects and the runtime to an executable, by the system's linker.

use std::path::{Path, PathBuf};
use std::process::Command;

use qz_diag::{Code, Diagnostic};
use qz_hir::defs::FnKind;

use super::BuildOptions;
use super::output::{Output, is_executable};
use super::tools::{Driver, failed, run_tool};
use crate::Program;
use crate::run::Failure;

/// An object and the runtime to an executable.
pub(super) fn link(
    program: &Program,
    driver: &Driver,
    objects: &[PathBuf],
    library: &Path,
    output: &Output,
    options: &BuildOptions,
) -> Result<PathBuf, Failure> {
    let made = output.scratch("program");
    let mut command = Command::new(&driver.path);
    command.args(objects).arg(library).arg("-o").arg(&made).args(["-lm", "-lpthread", "-ldl"]);
    command.args(["-Wl,--gc-sections", "-Wl,--as-needed"]);
    if let Some(linker) = driver.linker() {
        command.arg(format!("-fuse-ld={linker}"));
    }
    if options.sanitize_address {
        command.arg("-fsanitize=address");
    }
    if options.strip {
        command.arg("-Wl,-s");
    }
    if options.link_statically {
        command.arg("-static");
    }
    let words = run_tool(&mut command, None).map_err(|words| {
        undefined_symbols(program, &words)
            .unwrap_or_else(|| failed(&driver.path, "cannot link the program", &words))
    })?;
    if !is_executable(&made) {
        return Err(failed(&driver.path, "linked no program", &words));
    }
    Ok(made)
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
