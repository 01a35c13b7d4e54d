//! Which files does a program depend on? For those who keep what was made of them.

use qz_base::digest::digest;
use qz_diag::Sources;

use crate::Program;

/// A line for each file beside the library's: `file DIGEST PATH` for one that was read, as it was then, and `absent PATH` for
/// one that an import looked for before it found another.
pub fn inputs(program: &Program) -> String {
    let user_files = program.modules.iter().map(|&module| program.sources.as_read(program.defs.file_of(module)));
    let read = user_files.map(|file| {
        let sources = &program.sources;
        format!("file {} {}\n", digest(sources.text(file).as_bytes()), Sources::path(sources, file))
    });
    let absent = program.absent.iter().map(|path| format!("absent {}\n", path.display()));
    let included = program.included.iter().map(|it| match &it.digest {
        Some(digest) => format!("file {digest} {}\n", it.path.display()),
        None => format!("absent {}\n", it.path.display()),
    });
    read.chain(absent).chain(included).collect()
}
