//! What every engine must agree on and none decides: how arguments and results travel ([`abi`], [`c_abi`]), the type
//! indexes of a program ([`types`]), which operations on atomic numbers ([`atomics`]) and locks ([`locks`]) are
//! instructions, what debuggers hear of types ([`debug`]), and what stands at a source location ([`locations`],
//! [`places`]).

pub mod abi;
pub mod atomics;
pub mod c_abi;
pub mod debug;
pub mod locations;
pub mod locks;
pub mod places;
pub mod types;

pub use abi::{FnAbi, PassMode, RetMode};
pub use locations::{Locations, Position, SourceFiles};
pub use places::PlaceTable;
pub use types::{TypeTable, const_ty, num_ty};
