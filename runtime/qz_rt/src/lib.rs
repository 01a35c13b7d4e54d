//! What a compiled program contains beside its own code: memory ([`memory`]), failure ([`unwind`],
//! [`panic`]), text, and the ways to the world outside. The functions that generated code may call are those
//! of [`qz_rt_abi::registry`]; [`address`] leads to their machine code. Programs that run inside the compiler
//! make a [`Context`]; native ones enter by [`native`].
//!
//! Everything here speaks of raw objects of [`qz_rt_abi::object`]; nothing knows a compiler type. Start with
//! [`context`].

mod atomics;
mod balance;
mod children;
pub mod context;
mod crossing;
mod cycles;
mod entries;
mod fifos;
mod files;
pub mod foreign;
mod graph;
mod hash;
mod large;
mod math;
pub mod memory;
pub mod native;
mod net;
pub mod numbers;
pub mod panic;
pub mod process;
mod regexes;
mod signals;
pub mod streams;
pub mod strings;
mod tasks;
mod time;
pub mod unwind;
mod variables;
mod walks;
mod weak;

pub use context::{Context, Enter, Settings};
pub use entries::{address, plain_address};
