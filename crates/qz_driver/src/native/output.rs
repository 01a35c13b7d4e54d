//! The file that a build makes: it is written in a folder of its own beside its place, and moved there when it
//! is whole. Nothing is left behind when something fails.

use std::io::Read;
use std::path::{Path, PathBuf};

use qz_diag::Code;

use crate::run::{Failure, ToolProblem};

/// An output being made.
pub(super) struct Output {
    target: PathBuf,
    /// Removed at the end.
    scratch: PathBuf,
}

fn problem(target: &Path, reason: &str) -> Failure {
    Failure::Tool(ToolProblem {
        code: Code::CANNOT_WRITE,
        message: format!("`{}` cannot be written: {reason}", target.display()),
        notes: Vec::new(),
        help: None,
    })
}

impl Output {
    /// Finds out whether the output can be written, before there is any.
    pub(super) fn prepare(target: &Path, source: &Path) -> Result<Output, Failure> {
        if target.is_dir() {
            return Err(problem(target, "it is a folder"));
        }
        if target.exists() && !target.is_file() {
            return Err(problem(target, "it is not a regular file"));
        }
        let real = |path: &Path| path.canonicalize().ok();
        if real(target).is_some() && real(target) == real(source) {
            return Err(problem(target, "it is the program itself"));
        }
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let scratch = folder.join(format!(".quartz-build-{}", std::process::id()));
        std::fs::create_dir(&scratch).map_err(|error| problem(target, &error.to_string()))?;
        Ok(Output { target: target.to_owned(), scratch })
    }

    /// Several files in a folder, which is made if it is not there.
    pub(super) fn in_folder(target: &Path) -> Result<Output, Failure> {
        std::fs::create_dir_all(target).map_err(|error| problem(target, &error.to_string()))?;
        let scratch = target.join(format!(".quartz-build-{}", std::process::id()));
        std::fs::create_dir(&scratch).map_err(|error| problem(target, &error.to_string()))?;
        Ok(Output { target: target.to_owned(), scratch })
    }

    /// Moves finished files into the folder, under their names.
    pub(super) fn publish_all(self, made: &[PathBuf]) -> Result<(), Failure> {
        for file in made {
            let to = self.target.join(file.file_name().unwrap_or_default());
            std::fs::rename(file, &to).map_err(|error| problem(&to, &error.to_string()))?;
        }
        Ok(())
    }

    /// A file that is gone when the build is over.
    pub(super) fn scratch(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// Writes such a file.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.scratch(name);
        std::fs::write(&path, bytes).map_err(|error| problem(&self.target, &error.to_string()))?;
        Ok(path)
    }

    /// Moves a finished file to its place.
    pub(super) fn publish(self, made: &Path) -> Result<(), Failure> {
        std::fs::rename(made, &self.target).map_err(|error| problem(&self.target, &error.to_string()))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // What cannot be removed is a pity, not a failure.
        std::fs::remove_dir_all(&self.scratch).ok();
    }
}

/// Whether a linker left a program here.
pub(super) fn is_executable(path: &Path) -> bool {
    let mut magic = [0; 4];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == *b"\x7fELF"
}
