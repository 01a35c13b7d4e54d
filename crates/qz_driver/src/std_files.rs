//! The standard library's sources, as they were when the compiler was built.

include!(concat!(env!("OUT_DIR"), "/std_files.rs"));

/// The text of `std/<path>`.
pub(crate) fn find(path: &str) -> Option<&'static str> {
    FILES.binary_search_by(|(name, _)| (*name).cmp(path)).ok().map(|at| FILES[at].1)
}

/// Every module of the library, without the leading `std/`.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}
