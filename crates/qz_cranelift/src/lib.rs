//! MIR to machine code in memory, and running it.

pub mod isa;
pub mod load;
