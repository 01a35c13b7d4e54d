//! What a type *is*: interned, immutable, compared by identity; how type parameters are put in
//! ([`subst`]), how two types are made equal ([`unify`]), how one is shown to a person ([`display`]), and how it is kept on disk ([`kept`]).
//!
//! Knows nothing of syntax or of declarations: a nominal type is an [`AdtId`] and its arguments.

pub mod defs;
pub mod display;
pub mod kept;
pub mod row;
pub mod subst;
pub mod ty;
pub mod unify;

pub use defs::{AdtId, ConstId, EffectId, FnId, StaticId, TraitId};
pub use display::{DefNames, Display};
pub use row::{Label, Row};
pub use subst::{Fold, subst};
pub use ty::{
    AssocTy, FloatTy, FnTy, InferVar, IntTy, Mutability, ParamTy, TraitRef, Ty, TyFlags, TyKind, Tys, VarKind,
};
pub use unify::{InferTable, UnifyError};
