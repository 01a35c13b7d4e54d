//! The runtime library that the thread sanitizer looks after: programs need that one if they are to be looked after.

use std::path::Path;

use object::read::archive::ArchiveFile;
use object::read::{ReadCache, ReadRef};

use super::tools::missing;
use crate::run::Failure;

/// A function of the sanitizer's that the library has another for (`runtime/qz_sched/src/watch.rs`).
pub(super) const REPLACED: &str = "__tsan_atomic64_fetch_sub";

/// The sanitizer would find races everywhere if it did not see how the runtime puts things in order, and would lose its
/// way when that changes stacks.
pub(super) fn check(runtime: &Path) -> Result<(), Failure> {
    let is_watched = std::fs::File::open(runtime).is_ok_and(|file| {
        let symbol = format!("__wrap_{REPLACED}");
        defines(&ReadCache::new(file), symbol.as_bytes()).unwrap_or(false)
    });
    if is_watched {
        return Ok(());
    }
    Err(missing(
        format!("the runtime library `{}` is not built for the thread sanitizer", runtime.display()),
        "`cargo xtask sanitize thread` in the compiler's source makes one, in `target/sanitize/programs`; name its \
         folder by the variable QUARTZ_RUNTIME",
    ))
}

fn defines<'a, R: ReadRef<'a>>(library: R, name: &[u8]) -> object::Result<bool> {
    let archive = ArchiveFile::parse(library)?;
    for symbol in archive.symbols()?.into_iter().flatten() {
        if symbol?.name() == name {
            return Ok(true);
        }
    }
    Ok(false)
}
