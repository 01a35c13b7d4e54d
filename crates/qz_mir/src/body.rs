//! One function body: locals, blocks, statements, places, values.
//!
//! **Panics.** Any statement that may panic ([`StmtKind::may_panic`]) goes, when it does, to the
//! [`Block::unwind`] block of its block; without one, the panic leaves the function and there is nothing
//! to clean up. Calls are statements, not terminators, so straight-line code stays one block.
//!
//! **Counts.** In the generic state a use of a local or place is a [`Operand::Copy`] and means "a value
//! equal to this one". Count placement turns last uses into [`Operand::Move`] and writes
//! [`StmtKind::Retain`] and [`StmtKind::Release`] for the rest; after it, `Copy` of a counted value is a
//! plain bit copy (a borrow, or paired with a written `Retain`).

use std::sync::Arc;

use qz_base::{Arena, Id, Name, Span};
use qz_types::{FnId, IntTy, Mutability, StaticId, TraitId, Ty, Tys};
use smallvec::SmallVec;

use crate::program::{BodyKey, InstanceId, VtableId};

pub type Local = Id<LocalDecl>;
pub type BlockId = Id<Block>;
pub type ScopeId = Id<SourceScope>;

/// The body of a function or closure.
#[derive(Clone, Debug)]
pub struct Body {
    pub key: BodyKey,
    /// Local 0 is the returned value; locals `1..=param_count` are the parameters, in order. In a closure
    /// the first parameter is the closure object itself and [`Proj::Capture`] reads its captures.
    pub locals: Arena<LocalDecl>,
    pub param_count: u32,
    /// The entry is block 0.
    pub blocks: Arena<Block>,
    /// Scope 0 is the function itself.
    pub scopes: Arena<SourceScope>,
    /// Types of a closure's captured values; empty for functions.
    pub captures: Vec<Ty>,
    pub attrs: BodyAttrs,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyAttrs {
    pub inline: InlineHint,
    /// Panics inside are reported at the caller's place (`@track_caller`).
    pub track_caller: bool,
    /// Built as the value of a `const`.
    pub is_const: bool,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum InlineHint {
    #[default]
    Auto,
    Always,
    Never,
    /// Never, and calls of it are off the usual way.
    Rare,
}

#[derive(Clone, Debug)]
pub struct LocalDecl {
    pub ty: Ty,
    /// The user's name, for debuggers and dumps; `None` for temporaries.
    pub name: Option<Name>,
    pub span: Span,
    /// The function that declares it: another one than the body's own after inlining.
    pub scope: ScopeId,
    pub ownership: Ownership,
}

/// Who releases the value in a local. Decided by count placement; `Owned` before.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Ownership {
    #[default]
    Owned,
    /// Kept alive by somebody else for as long as the local is used: never released here.
    Borrowed,
}

#[derive(Clone, Debug)]
pub struct Block {
    pub stmts: Vec<Stmt>,
    pub term: Terminator,
    /// Where a panic in this block continues.
    pub unwind: Option<BlockId>,
    /// Runs while a panic is under way; ends in `Resume`, or in a jump back after the panic was taken.
    pub cleanup: bool,
}

/// Where a statement comes from.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    pub span: Span,
    pub scope: ScopeId,
}

/// A function's worth of source inside this body: itself, or one that was inlined.
#[derive(Clone, Debug)]
pub struct SourceScope {
    /// The full path shown in backtraces, such as `geo::area`.
    pub function: Name,
    /// Its head.
    pub declared: Span,
    pub track_caller: bool,
    /// The call that inlining replaced.
    pub inlined_at: Option<SourceInfo>,
}

#[derive(Clone, Debug)]
pub struct Stmt {
    pub kind: StmtKind,
    pub source: SourceInfo,
}

#[derive(Clone, Debug)]
pub enum StmtKind {
    /// Stores a value. A counted value that stood in the place is released after the new one is in.
    Assign(Place, Rvalue),
    /// Stores into memory that holds no value yet.
    Init(Place, Rvalue),
    /// Calls and stores the result in `dest` (a whole local).
    Call(Box<Call>),
    /// The user's scope of this local ends here: values with a user-written `Drop` live until now.
    EndScope(Local),
    /// Adds a count to the value in the place. Mono only.
    Retain(Place),
    /// Gives one count up; the last one drops and frees. Mono only. May panic through a user's `drop`.
    Release(Place),
    Nop,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub dest: Local,
    pub callee: Callee,
    pub args: SmallVec<[Operand; 4]>,
}

#[derive(Clone, Debug)]
pub enum Callee {
    /// A known function and the arguments for its type parameters and member bounds. Generic only.
    Fn(BodyKey, Tys, EvidenceList),
    /// A trait's method; which one is known once the types are. `args` starts with `Self`. Generic only.
    Method { trait_id: TraitId, method: u32, args: Tys, own_args: Tys },
    /// Member bound `n` of the function at hand. Generic only.
    Member(u32),
    /// An instance. Mono only.
    Instance(InstanceId),
    /// A closure value; it becomes the first argument itself.
    Value(Operand),
    /// A method of a `dyn` value, by its slot; `args[0]` is that value.
    Dyn { trait_id: TraitId, method: u32, slot: u32 },
    /// A function of the runtime, by its place in the registry.
    Runtime(qz_rt_abi::RtFn),
}

/// How a structural function's member bounds are met by one caller.
pub type EvidenceList = Arc<[Evidence]>;

/// What stands behind `x.name` in a structural function, once the receiver is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    Fn(FnId, Tys, EvidenceList),
    Method {
        trait_id: TraitId,
        method: u32,
        args: Tys,
        own_args: Tys,
    },
    /// A field read without a call.
    Field {
        ty: Ty,
        index: u32,
    },
    /// The caller's own member bound.
    Member(u32),
}

/// A place: a local and a way into it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub local: Local,
    pub proj: SmallVec<[Proj; 2]>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Proj {
    /// From a reference struct to its object, or from a `&` to what it borrows.
    Deref,
    /// A field of a tuple, record, struct (after `Deref` for reference structs) or of the variant that a
    /// `Variant` projection chose.
    Field(u32),
    /// The payload of an enum known to be this variant.
    Variant(u32),
    /// Element `local` of a `Ptr<T>`, unchecked.
    Index(Local),
    /// A captured value of the closure object.
    Capture(u32),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Copy(Place),
    Move(Place),
    Const(Const),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Const {
    Unit,
    Bool(bool),
    /// The low bits of the value, sign-extended for signed types.
    Int(i128, IntTy),
    F32(u32),
    F64(u64),
    Char(char),
    Str(Arc<str>),
    /// The null pointer of a type `Ptr<T>`.
    Null(Ty),
    /// The value of a `const` item, not yet evaluated. Generic only.
    Item(FnId, Tys, Ty),
    /// An evaluated constant that lives in static memory. Mono only.
    Static(StaticDataId, Ty),
}

/// A blob of static memory in the module.
pub type StaticDataId = Id<crate::program::StaticData>;

#[derive(Clone, Debug)]
pub enum Rvalue {
    Use(Operand),
    Unary(UnOp, Operand),
    /// Cannot fail: wrapping arithmetic, bit operations, comparisons. Operands have one type.
    Binary(BinOp, Operand, Operand),
    /// Arithmetic that panics on overflow, division by zero or a bad shift count.
    Checked(BinOp, Operand, Operand),
    /// `(wrapped result, did overflow)`, for `Add`, `Sub`, `Mul`.
    Overflowing(BinOp, Operand, Operand),
    Cast(CastKind, Operand, Ty),
    /// The index of an enum's variant, an `Int`.
    Discriminant(Place),
    Aggregate(AggregateKind, Vec<Operand>),
    /// A new object of a reference struct type with these fields, in declaration order.
    New(Ty, Vec<Operand>),
    Closure(Box<ClosureTarget>, Vec<Operand>),
    /// Boxes a value with its table of methods; `ty` is the `dyn` type.
    MakeDyn {
        value: Operand,
        from: Ty,
        ty: Ty,
        vtable: Option<VtableId>,
    },
    /// The address of a place, for a parameter that borrows it.
    Ref(Mutability, Place),
    /// The address of a module variable's storage; behind it a value of the variable's type.
    StaticRef(StaticId),
    Intrinsic(Intrinsic, SmallVec<[Operand; 3]>, Ty),
    /// A new object ([`Rvalue::is_allocation`]) in a block that [`Intrinsic::TakeBlock`] gave, or in one of its
    /// own if that is null. Mono only.
    Reuse(Operand, Box<Rvalue>),
}

#[derive(Clone, Debug)]
pub enum ClosureTarget {
    /// A lambda of the function at hand: its number among them.
    Lambda(BodyKey),
    /// A function used as a value. Generic only.
    Fn(Callee),
    /// The same as code that C can call: the value is a pointer to it. Nothing is captured. Generic only.
    ForC(Box<ClosureTarget>),
    /// Mono.
    Instance(InstanceId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AggregateKind {
    /// A tuple or record; fields in order.
    Tuple(Ty),
    /// A record that takes over the fields of another one, the first operand, and has the fields of these names from
    /// the other operands. Only in generic bodies: how many fields there are is known when types are.
    Extend(Ty, Box<[Name]>),
    /// A `@value` struct or newtype.
    Value(Ty),
    /// An enum variant; a boxed enum allocates.
    Variant(Ty, u32),
}

impl AggregateKind {
    pub fn ty(&self) -> Ty {
        match self {
            AggregateKind::Tuple(ty)
            | AggregateKind::Extend(ty, _)
            | AggregateKind::Value(ty)
            | AggregateKind::Variant(ty, _) => *ty,
        }
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum UnOp {
    /// Wrapping for integers; `-0.0`-correct for floats.
    Neg,
    /// Of a `Bool`, or every bit of an integer.
    Not,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    /// Truncates; as [`Rvalue::Binary`] only for floats and divisors proven good.
    Div,
    Rem,
    BitAnd,
    BitOr,
    BitXor,
    Shl,
    /// Arithmetic for signed types, logical for unsigned ones.
    Shr,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl BinOp {
    pub fn is_comparison(self) -> bool {
        matches!(self, BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge)
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum CastKind {
    /// Between numeric types; panics when the value does not fit (`as`). Float to integer truncates.
    Checked,
    /// Between numeric types; keeps the low bits; float to integer saturates, NaN is 0 (`wrapping_as`).
    Wrapping,
    /// Same bits, other type of equal size: `F64` and `U64`, `Char` and `U32` known to be good.
    Bits,
    /// From a `Ptr<A>` or an object to a `Ptr<B>`; pointers stay pointers.
    Pointer,
}

/// Operations that engines translate in place. Operands and result types are checked by the verifier
/// against the table in [`crate::verify`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Intrinsic {
    /// Size in bytes of a stored value of the type given.
    SizeOf,
    AlignOf,
    /// Whether values of the type hold counted references.
    NeedsRelease,
    /// Whether an object of the type may lead back to itself. Generic only.
    LeadsBack,
    /// Whether an object below one of the type may be reached in two ways. Generic only.
    MayRepeat,
    /// Whether several tasks may see values of the type at once. Generic only.
    IsShared,
    /// Whether values of the type are objects that can be changed. Generic only.
    IsObject,
    /// Whether the type is one of the integers or `Char`. Generic only.
    IsOrdinal,
    /// Whether code that somebody wrote may run when such a value ends: a `drop`, other than those of containers.
    /// Generic only.
    IsWatched,
    /// A number that belongs to the type, the same in every program. Generic only.
    TypeKey,
    /// `Ptr<T>` advanced by `n` elements.
    PtrAdd,
    /// `a - b` in elements.
    PtrDiff,
    PtrEq,
    /// Moves `n` elements from `src` to `dst`, which may overlap: `(dst, src, n)`. Counts are not touched.
    PtrCopy,
    /// Sets `n` elements' bytes: `(dst, byte, n)`.
    PtrFill,
    /// Reads one word at a `Ptr`, a number, truth value, character or pointer, that something outside of the program may
    /// change or watch.
    ReadVolatile,
    /// Writes such a word: `(place, value)`.
    WriteVolatile,
    /// Compares `n` bytes: negative, zero, positive: `(a, b, n)` of `Ptr<U8>`.
    PtrCompare,
    CountOnes,
    LeadingZeros,
    TrailingZeros,
    ByteSwap,
    RotateLeft,
    /// High half of the product.
    MulHigh,
    Sqrt,
    Floor,
    Ceil,
    Trunc,
    /// To the nearest, ties to even.
    RoundEven,
    FloatAbs,
    CopySign,
    /// First byte of a string's text.
    StrPtr,
    /// Bytes in a string.
    StrLen,
    /// Characters in a string.
    StrChars,
    /// Whether two references are to one object.
    SameObject,
    /// Whether an object has exactly one count and is not shared.
    IsUnique,
    /// The block of an object with one count whose parts were moved out, as a `Ptr` to the object's type: a
    /// reuse token. Mono only.
    TakeBlock,
    /// Gives a block from [`Intrinsic::TakeBlock`] back, or does nothing with null. Mono only.
    GiveBlock,
    /// An uninitialised value, for slots that are filled before they are read.
    Uninit,
    /// Takes a value and never releases it: its count was moved elsewhere with its bytes.
    Forget,
}

#[derive(Clone, Debug)]
pub struct Terminator {
    pub kind: TermKind,
    pub source: SourceInfo,
}

#[derive(Clone, Debug)]
pub enum TermKind {
    Goto(BlockId),
    Branch {
        cond: Operand,
        then: BlockId,
        else_: BlockId,
        likely: Option<bool>,
    },
    /// On an integer, `Char` or `Bool`-like value. Without `otherwise` the cases cover all values.
    Switch {
        value: Operand,
        cases: Vec<(i128, BlockId)>,
        otherwise: Option<BlockId>,
    },
    /// Returns local 0.
    Return,
    Unreachable,
    /// Goes on unwinding. Only in cleanup blocks.
    Resume,
}

impl TermKind {
    pub fn successors(&self) -> SmallVec<[BlockId; 4]> {
        match self {
            TermKind::Goto(to) => SmallVec::from_slice(&[*to]),
            TermKind::Branch { then, else_, .. } => SmallVec::from_slice(&[*then, *else_]),
            TermKind::Switch { cases, otherwise, .. } => {
                cases.iter().map(|&(_, to)| to).chain(otherwise.iter().copied()).collect()
            }
            TermKind::Return | TermKind::Unreachable | TermKind::Resume => SmallVec::new(),
        }
    }

    pub fn for_each_successor_mut(&mut self, f: &mut dyn FnMut(&mut BlockId)) {
        match self {
            TermKind::Goto(to) => f(to),
            TermKind::Branch { then, else_, .. } => {
                f(then);
                f(else_);
            }
            TermKind::Switch { cases, otherwise, .. } => {
                cases.iter_mut().for_each(|(_, to)| f(to));
                otherwise.iter_mut().for_each(f);
            }
            TermKind::Return | TermKind::Unreachable | TermKind::Resume => {}
        }
    }
}

impl Rvalue {
    pub fn may_panic(&self) -> bool {
        match self {
            Rvalue::Checked(..) => true,
            Rvalue::Cast(kind, ..) => *kind == CastKind::Checked,
            _ => false,
        }
    }

    /// Whether this makes an object that [`Rvalue::Reuse`] can put into a given block. Of enums the layout must
    /// say that they are boxed, too.
    pub fn is_allocation(&self) -> bool {
        match self {
            Rvalue::New(..) | Rvalue::MakeDyn { .. } => true,
            Rvalue::Aggregate(AggregateKind::Variant(..), operands) | Rvalue::Closure(_, operands) => {
                !operands.is_empty()
            }
            _ => false,
        }
    }
}

impl StmtKind {
    /// Whether the statement can start a panic. A callee known not to panic is told by
    /// [`crate::program::Module`], after instantiation; here every call may.
    pub fn may_panic(&self) -> bool {
        match self {
            StmtKind::Assign(_, value) | StmtKind::Init(_, value) => value.may_panic(),
            StmtKind::Call(_) => true,
            StmtKind::Release(_) => true,
            StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Nop => false,
        }
    }
}

impl Place {
    pub fn local(local: Local) -> Place {
        Place { local, proj: SmallVec::new() }
    }

    pub fn then(&self, proj: Proj) -> Place {
        let mut place = self.clone();
        place.proj.push(proj);
        place
    }

    pub fn field(&self, index: u32) -> Place {
        self.then(Proj::Field(index))
    }

    pub fn deref(&self) -> Place {
        self.then(Proj::Deref)
    }

    /// The local, if the place is a whole one.
    pub fn as_local(&self) -> Option<Local> {
        self.proj.is_empty().then_some(self.local)
    }
}

impl Operand {
    pub fn local(local: Local) -> Operand {
        Operand::Copy(Place::local(local))
    }

    pub fn int(value: i64) -> Operand {
        Operand::Const(Const::Int(value as i128, IntTy::I64))
    }

    pub fn place(&self) -> Option<&Place> {
        match self {
            Operand::Copy(place) | Operand::Move(place) => Some(place),
            Operand::Const(_) => None,
        }
    }
}

impl Body {
    pub const ENTRY: BlockId = BlockId::from_raw(0);
    /// The function itself.
    pub const SCOPE: ScopeId = ScopeId::from_raw(0);
    pub const RETURN: Local = Local::from_raw(0);

    pub fn params(&self) -> impl Iterator<Item = Local> + use<> {
        (1..=self.param_count).map(Local::from_raw)
    }

    /// Whether a function's worth of source is another one's, or was inlined into that.
    pub fn is_within(&self, inner: ScopeId, outer: ScopeId) -> bool {
        let around = |&at: &ScopeId| self.scopes[at].inlined_at.map(|call| call.scope);
        std::iter::successors(Some(inner), around).any(|at| at == outer)
    }

    pub fn return_ty(&self) -> Ty {
        self.locals[Body::RETURN].ty
    }

    /// Whether counts are better short than fast in native code: there are so many statements beside cleanups that one
    /// count more or less is nothing, while their code takes long to make.
    pub fn is_large(&self) -> bool {
        const LARGE: usize = 200;
        let blocks = self.blocks.values().filter(|block| !block.cleanup);
        blocks.map(|block| block.stmts.len() + 1).sum::<usize>() > LARGE
    }
}
