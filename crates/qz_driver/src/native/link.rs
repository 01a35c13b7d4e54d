//! From an object and the runtime to an executable, or to a library that C programs use.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::hooks;
use super::output::{self, Output};
use super::tools::{Driver, archiver, failed, run_tool};
use super::{Artefact, BuildOptions, Sanitizer, watched};
use crate::Program;
use crate::foreign::{self, Library};
use crate::run::Failure;

/// Where the linker says what it read.
const READ: &str = "program.d";

/// The files that the linker read, those of the build apart; none if it does not say.
pub(super) fn files_read(output: &Output, options: &BuildOptions) -> Option<Vec<PathBuf>> {
    if !matches!(options.artefact, Artefact::Executable | Artefact::SharedLibrary) {
        return Some(Vec::new());
    }
    let rule = std::fs::read_to_string(output.scratch(READ)).ok()?;
    let rule = rule.split("\n\n").next()?.replace("\\\n", " ");
    let (_, files) = rule.split_once(": ")?;
    // Linkers write paths in forms of their own.
    let own = output.scratch("");
    let own = own.file_name()?;
    let files = files.split(' ').map(str::trim).filter(|it| !it.is_empty()).map(PathBuf::from);
    Some(files.filter(|it| !it.iter().any(|part| part == own)).collect())
}

/// What is linked, and how.
pub(super) struct Link<'a> {
    pub(super) program: &'a Program,
    pub(super) driver: &'a Driver,
    pub(super) libraries: &'a [Library],
    pub(super) output: &'a Output,
    pub(super) options: &'a BuildOptions,
}

impl Link<'_> {
    pub(super) fn executable(&self, objects: &[PathBuf], runtime: &Path) -> Result<PathBuf, Failure> {
        let made = self.output.scratch("program");
        let mut command = self.command(objects, runtime, &made);
        command.args(["-Wl,--gc-sections", "-Wl,-z,text"]);
        if self.options.link_statically {
            command.arg("-static");
        }
        // What is taken of the unwinder is little, while a library of its own is a tenth of a small program's memory.
        // Libraries of others may want to share it.
        if cfg!(target_os = "linux") && self.libraries.is_empty() {
            command.arg("-static-libgcc");
        }
        let words = self.run(&mut command)?;
        if !output::is_executable(&made) {
            return Err(failed(&self.driver.path, "linked no program", &words));
        }
        Ok(made)
    }

    /// What other programs load. Only the functions for C can be seen from outside.
    pub(super) fn shared_library(&self, objects: &[PathBuf], runtime: &Path) -> Result<PathBuf, Failure> {
        let made = self.output.scratch("library.so");
        let mut command = self.command(objects, runtime, &made);
        command.args(["-shared", "-Wl,--gc-sections", "-Wl,-z,text", "-Wl,--exclude-libs,ALL"]);
        let words = self.run(&mut command)?;
        if !output::is_executable(&made) {
            return Err(failed(&self.driver.path, "linked no library", &words));
        }
        Ok(made)
    }

    /// One object with the runtime in it, in an archive.
    pub(super) fn static_library(&self, objects: &[PathBuf], runtime: &Path) -> Result<PathBuf, Failure> {
        let archiver = archiver(self.driver)?;
        let (whole, made) = (self.output.scratch("whole.o"), self.output.scratch("library.a"));
        let mut command = Command::new(&self.driver.path);
        command.args(["-r", "-nostdlib"]).args(objects).arg(runtime).arg("-o").arg(&whole);
        self.choose_linker(&mut command);
        self.replace_for_sanitizer(&mut command);
        run_tool(&mut command, None)
            .map_err(|words| failed(&self.driver.path, "cannot join the program and its runtime", &words))?;
        let mut command = Command::new(&archiver);
        command.arg("rcsD").arg(&made).arg(&whole);
        run_tool(&mut command, None).map_err(|words| {
            failed(&self.driver.path, &format!("has `{}`, which fails", archiver.display()), &words)
        })?;
        Ok(made)
    }

    fn command(&self, objects: &[PathBuf], runtime: &Path, made: &Path) -> Command {
        let mut command = Command::new(&self.driver.path);
        command.args(objects).arg(runtime).arg("-o").arg(made).arg("-Wl,--as-needed");
        for folder in &self.options.library_paths {
            command.arg("-L").arg(folder);
        }
        for library in self.libraries {
            match &library.file {
                Some(file) => name_file(&mut command, file),
                None => {
                    command.arg(format!("-l{}", library.name));
                }
            }
        }
        command.args(["-lm", "-lpthread", "-ldl"]);
        hooks::replace(&mut command, runtime);
        self.choose_linker(&mut command);
        self.replace_for_sanitizer(&mut command);
        self.tell_what_is_read(&mut command);
        if self.options.strip {
            command.arg("-Wl,-s");
        }
        if let Some(sanitizer) = self.options.sanitize {
            command.arg(format!("-fsanitize={}", sanitizer.name()));
        }
        command
    }

    fn choose_linker(&self, command: &mut Command) {
        if let Some(linker) = self.driver.linker() {
            command.arg(format!("-fuse-ld={linker}"));
        }
    }

    fn replace_for_sanitizer(&self, command: &mut Command) {
        if self.options.sanitize == Some(Sanitizer::Thread) {
            command.arg(format!("-Wl,--wrap={}", watched::REPLACED));
        }
    }

    fn tell_what_is_read(&self, command: &mut Command) {
        // Others may not know how to.
        if self.driver.linker().is_some() {
            command.arg(format!("-Wl,--dependency-file={}", self.output.scratch(READ).display()));
        }
    }

    fn run(&self, command: &mut Command) -> Result<String, Failure> {
        // A file that is not there is a library that is missing, whatever the linker says.
        let gone = |library: &&Library| library.file.as_ref().is_some_and(|file| !file.is_file());
        if let Some(library) = self.libraries.iter().find(gone) {
            return Err(Failure::Problems(vec![library.missing("there is no such file")]));
        }
        run_tool(command, None).map_err(|words| {
            match foreign::linker_problems(self.program, self.libraries, &words) {
                Some(problems) => Failure::Problems(problems),
                None => failed(&self.driver.path, "cannot link the program", &words),
            }
        })
    }
}

/// A library that was named by its path: a shared one is looked for there when the program starts, too.
fn name_file(command: &mut Command, file: &Path) {
    let file = file.canonicalize().unwrap_or(file.to_owned());
    let is_shared = file.extension().is_some_and(|it| it == "so");
    match (is_shared, file.parent(), file.file_name()) {
        (true, Some(folder), Some(name)) => {
            command.arg("-L").arg(folder).arg(format!("-l:{}", name.to_string_lossy()));
            command.arg(format!("-Wl,-rpath,{}", folder.display()));
        }
        _ => {
            command.arg(file);
        }
    }
}
