//! Keeps what Rust prints about its own panics out of programs.
//!
//! The standard library's hooks for a panic and for memory that is not there can print backtraces, so every program would
//! have a reader of debugging data in it, 250 KB. The runtime has hooks of its own; the linker puts those in the place
//! of the two, whatever the standard library at hand calls them.

use std::path::Path;
use std::process::Command;

use object::read::archive::ArchiveFile;
use object::read::{ReadCache, ReadRef};

/// The ends of symbols, in Rust's mangling and in the older one without its number, and what takes their places.
const HOOKS: [([&str; 2], &str); 2] = [
    (["3std9panicking12default_hook", "_ZN3std9panicking12default_hook17h"], "qz_native_mistake"),
    (
        ["3std5alloc24default_alloc_error_hook", "_ZN3std5alloc24default_alloc_error_hook17h"],
        "qz_native_no_memory",
    ),
];

/// Tells the linker about the hooks that the runtime library holds. Without them programs are larger, and work as well.
pub(super) fn replace(command: &mut Command, runtime: &Path) {
    let Ok(file) = std::fs::File::open(runtime) else { return };
    for (symbol, by) in found(&ReadCache::new(file)).unwrap_or_default() {
        command.arg(format!("-Wl,--defsym={symbol}={by}"));
    }
}

fn found<'a, R: ReadRef<'a>>(library: R) -> object::Result<Vec<(String, &'static str)>> {
    let archive = ArchiveFile::parse(library)?;
    let mut found = Vec::new();
    for symbol in archive.symbols()?.into_iter().flatten() {
        let Ok(name) = std::str::from_utf8(symbol?.name()) else { continue };
        let fits =
            |[new, old]: [&str; 2]| name.starts_with("_R") && name.ends_with(new) || name.starts_with(old);
        if let Some((_, by)) = HOOKS.iter().find(|(ends, _)| fits(*ends)) {
            found.push((name.to_owned(), *by));
        }
    }
    Ok(found)
}
