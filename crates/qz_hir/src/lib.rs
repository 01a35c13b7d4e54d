//! What is declared where, what each name means, and bodies in which every name has been looked up.
//!
//! * [`defs`]: modules, functions, data types, traits, impls, by id; filled by [`collect`] from trees;
//! * [`scope`]: what a name means in a module: own items, imports, prelude;
//! * [`types`]: written types and signatures to `qz_types::Ty`, on demand;
//! * [`body`], [`lower`]: one function's tree to resolved, desugared expressions, on demand.
//!
//! Nothing here infers or checks types, and nothing reads files: the driver hands in parsed modules.

pub mod body;
pub mod collect;
pub mod defs;
mod diagnostics;
pub mod lower;
mod numbers;
mod packed;
pub mod refined;
pub mod scope;
pub mod types;

pub use body::{Body, Expr, ExprId, Pat, PatId};
pub use defs::*;
pub use numbers::{Named, Numbers, Shape};
pub use packed::Packed;
pub use scope::Lookup;
