//! What compiler and runtime must agree on: the shape of heap objects ([`object`]), of the fiber that every
//! function receives ([`fiber`]), the size classes of small memory ([`classes`]), locks that are
//! taken in place ([`bias`]), the list of runtime functions ([`registry`]), and what a native program says about
//! itself ([`native`]).
//!
//! Data and constants only. Nothing here allocates, and nothing knows a compiler type.

pub mod bias;
pub mod classes;
pub mod fiber;
pub mod native;
pub mod object;
pub mod registry;

pub use fiber::{Fiber, Worker};
pub use object::{Header, StrObject, TypeInfo};
pub use registry::{RtFn, RtScalar, RtSig};
