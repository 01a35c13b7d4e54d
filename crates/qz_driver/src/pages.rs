//! The pages of diagnostic codes, `docs/errors/QZ….md`, as they were when the compiler was built.

include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));

/// The page of a code, if it has one.
pub(crate) fn find(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(name, _)| *name == code).map(|(_, text)| *text)
}
