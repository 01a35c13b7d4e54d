//! What inference found out about a body: the side tables that lowering reads. After a body without
//! problems no inference variable and no error type is left in them.

use qz_base::ArenaMap;
use qz_hir::body::{ExprId, LocalId, PatId};
use qz_types::{AdtId, FnId, TraitId, Ty, Tys};

/// Types and callees of one body.
#[derive(Debug, Default)]
pub struct BodyTypes {
    pub exprs: ArenaMap<ExprId, Ty>,
    pub pats: ArenaMap<PatId, Ty>,
    pub locals: ArenaMap<LocalId, Ty>,
    /// What calls, operators, member accesses and names of functions mean.
    pub callees: ArenaMap<ExprId, Callee>,
    /// How arguments reach parameters.
    pub plans: ArenaMap<ExprId, CallPlan>,
    /// Conversions applied to an expression's value where it stands.
    pub coercions: ArenaMap<ExprId, Coercion>,
    /// The variant or struct a pattern means.
    pub pat_targets: ArenaMap<PatId, PatTarget>,
    /// The member of a union that a pattern is for: the union's enum and the variant. The pattern's type is the
    /// member's.
    pub pat_members: ArenaMap<PatId, (AdtId, u32)>,
    /// Type patterns of several members of the union that is matched, and those members.
    pub pat_unions: ArenaMap<PatId, (AdtId, Vec<u32>)>,
    pub loops: ArenaMap<ExprId, ForPlan>,
    /// Names that end at a call or lambda, since their values go to another task there.
    pub ends: ArenaMap<ExprId, Vec<LocalId>>,
    /// Something was reported: the body is not lowered.
    pub has_errors: bool,
}

/// What a call, operator or member access means.
#[derive(Clone, Debug, PartialEq)]
pub enum Callee {
    Fn(CalleeFn),
    /// A trait's method; `args` starts with `Self`.
    Method {
        trait_id: TraitId,
        method: u32,
        args: Tys,
        own_args: Tys,
    },
    /// Member bound `n` of the function at hand.
    Member(u32),
    /// A field of a struct or newtype (variant 0) or of the enum variant that narrowing opened. At a name, the member
    /// to which a union was narrowed.
    Field {
        variant: u32,
        index: u32,
    },
    /// At a name: the smaller union to which its union was narrowed, which is the expression's type.
    SomeMembers,
    /// The callee expression's value.
    Value,
    Variant {
        adt: AdtId,
        variant: u32,
    },
    Newtype {
        adt: AdtId,
    },
    /// An operator on machine values.
    Primitive,
}

/// A known function with the arguments for its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct CalleeFn {
    pub function: FnId,
    pub type_args: Tys,
    /// How its member bounds are met.
    pub evidence: Vec<Evidence>,
}

/// How a member bound of a structural function is met.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    Fn(CalleeFn),
    Method {
        trait_id: TraitId,
        method: u32,
        args: Tys,
        own_args: Tys,
    },
    Field {
        ty: Ty,
        index: u32,
    },
    Member(u32),
    /// Not met; reported.
    Error,
}

/// How the values of a call become the callee's parameters, in order of the parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallPlan {
    pub params: Vec<ParamSource>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ParamSource {
    /// The receiver of a method call.
    Receiver,
    /// Argument `n` as written.
    Arg(u32),
    /// The callee's default value.
    Default,
    /// These arguments, as one vector.
    Rest(Vec<RestPart>),
    /// Element `n` of a spread tuple: argument and index.
    SpreadElem(u32, u32),
}

#[derive(Clone, Debug, PartialEq)]
pub enum RestPart {
    One(u32),
    /// All elements of a spread vector.
    Spread(u32),
}

/// A conversion at a coercion site.
#[derive(Clone, Debug, PartialEq)]
pub enum Coercion {
    /// Into `dyn`.
    Dyn { from: Ty, to: Ty },
    /// A member becomes a union; before, it may have become the member: refined, or plain.
    Member { to: Ty, variant: u32, before: Option<Box<Coercion>> },
    /// A union becomes one that has all of its members.
    Widen { from: Ty, to: Ty },
    /// A value of the base type is checked by these functions, one after the other, which ends in a value of this type.
    Refine { checks: Vec<FnId>, to: Ty },
    /// A refined value becomes one of a type that it refines.
    Unrefine { from: Ty, to: Ty },
    /// The place's address is passed for a `&` or `&mut` parameter.
    AutoRef { mutable: bool },
    /// A borrow is read.
    Deref,
    /// The value is dropped: `Void` was expected.
    Discard,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PatTarget {
    Variant {
        adt: AdtId,
        variant: u32,
    },
    /// A struct or newtype.
    Struct {
        adt: AdtId,
    },
    /// A packed struct, by the value struct of its fields.
    Packed {
        fields: AdtId,
    },
}

/// How `for` walks its sequence.
#[derive(Clone, Debug, PartialEq)]
pub enum ForPlan {
    /// Over a range of integers.
    Range,
    /// Over a vector by index; elements are read each turn.
    Vec,
    /// `iter` makes the iterator (absent if the value is one), `next` steps it. `by_pair`: two names take the
    /// item apart, instead of the first being an index.
    Iterator { iter: Option<Callee>, iter_ty: Ty, next: Callee, item: Ty, by_pair: bool },
}

impl CalleeFn {
    pub fn plain(function: FnId) -> CalleeFn {
        CalleeFn { function, type_args: &[], evidence: Vec::new() }
    }
}
