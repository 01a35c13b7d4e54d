//! What compiler and runtime must agree on.

/// A function of the runtime: its index in the registry.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RtFn(pub u16);
