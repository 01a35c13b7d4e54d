//! MIR: a control-flow graph over typed locals and places, the form between the checker and the engines.
//!
//! It exists in two states that share all data types:
//!
//! * **generic**, as lowered from one checked body: types may hold parameters, callees may be trait
//!   methods or members of a structural bound, uses are [`Operand::Copy`], and reference counts are not
//!   written down;
//! * **mono**, after instantiation and count placement (`qz_opt`): types are concrete, callees are
//!   instances, every retain, release and move is explicit. Engines translate this state only.
//!
//! Read [`body`] first, then [`program`].

pub mod body;
pub mod build;
pub mod kept;
pub mod layout;
pub mod print;
pub mod program;
pub mod read;
pub mod text;
pub mod verify;
pub mod visit;

pub use body::*;
pub use layout::{Layout, Layouts, Scalar};
pub use program::*;
