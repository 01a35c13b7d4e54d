//! Types for every expression, a callee for every call, or words about why there is none.
//!
//! One engine: Hindley–Milner with expected types pushed inwards, by binding group. A function whose
//! signature is written is known at once; any other is inferred when first asked for, together with the
//! functions it is mutually recursive with (Tarjan's algorithm, run by the demand itself).
//!
//! * [`checker`]: what is known of each function so far, groups, the public entry [`Checker`];
//! * [`facts`]: what inference leaves behind for lowering;
//! * [`infer`]: one body, construct by construct;
//! * [`traits`]: which impl makes a bound true;
//! * [`effects`]: which effects functions perform, once all types are known;
//! * [`needs`]: what functions ask of types and functions that they hand to other tasks;
//! * [`exhaustive`]: patterns that miss a value or can never match;
//! * [`items`]: impls against their traits, and other declarations.

pub mod checker;
mod diagnostics;
mod effects;
pub mod exhaustive;
pub mod facts;
mod foreign;
mod infer;
mod interface;
pub mod items;
mod linear;
mod needs;
mod refined;
pub mod traits;

pub use checker::{CheckedFn, Checker, FnScheme, MemberBound};
pub use effects::{KeptRows, NewRows};
pub use facts::*;
pub use traits::{Selection, TraitCx};
