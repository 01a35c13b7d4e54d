//! A body after names: every name is a local or a declaration, sugar is gone, each construct has one form.
//!
//! What remains open is what only types can tell: which method `x.f(a)` means, which enum a bare `Circle`
//! belongs to, what an operator does. `qz_infer` answers those in side tables keyed by [`ExprId`] and
//! [`PatId`].
//!
//! Expressions are declared once by [`exprs!`], which also makes the walk over direct children, so no later
//! stage can forget a construct.

use qz_base::{Arena, ArenaMap, Id, Name, Span, TextRange};
use qz_types::{AdtId, FnId, StaticId, Ty, Tys};

pub type ExprId = Id<Expr>;
pub type PatId = Id<Pat>;
pub type LocalId = Id<Local>;
pub type LambdaId = Id<Lambda>;
pub type LoopId = Id<Loop>;

/// The body of one function, with everything nested in it.
#[derive(Debug)]
pub struct Body {
    pub owner: FnId,
    pub file: qz_base::FileId,
    pub exprs: Arena<Expr>,
    pub pats: Arena<Pat>,
    pub locals: Arena<Local>,
    pub lambdas: Arena<Lambda>,
    pub loops: Arena<Loop>,
    /// One entry per parameter; `self` first where there is one.
    pub params: Vec<BodyParam>,
    pub root: ExprId,
    pub source: SourceMap,
    /// Where `unsafe do … end` stands.
    pub unsafe_ranges: Vec<TextRange>,
}

/// Where each expression and pattern stands in the file.
#[derive(Debug, Default)]
pub struct SourceMap {
    pub exprs: ArenaMap<ExprId, TextRange>,
    pub pats: ArenaMap<PatId, TextRange>,
}

#[derive(Debug)]
pub struct BodyParam {
    pub local: LocalId,
    /// The default value, in the scope of the parameters before it.
    pub default: Option<ExprId>,
}

/// A local variable.
#[derive(Debug)]
pub struct Local {
    pub name: Name,
    pub span: Span,
    /// `var`: may be assigned again.
    pub mutable: bool,
    pub kind: LocalKind,
    /// The lambda the variable belongs to; `None` for the function itself.
    pub lambda: Option<LambdaId>,
    /// A `var` used by a lambda inside: it lives in a cell that all of them share.
    pub shared: bool,
    /// A `&mut` parameter: assigning writes what it borrows.
    pub writes_through: bool,
    /// Read somewhere; what is never read draws a warning.
    pub read: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum LocalKind {
    Param,
    SelfParam,
    Binding,
    /// Made by desugaring.
    Hidden,
}

/// A lambda or block.
#[derive(Debug)]
pub struct Lambda {
    pub params: Vec<LocalId>,
    /// A written type for a parameter.
    pub param_types: Vec<Option<Ty>>,
    pub body: ExprId,
    pub parent: Option<LambdaId>,
    /// Locals of enclosing bodies used inside, in order of first use. Computed from resolved uses.
    pub captures: Vec<LocalId>,
    /// A block without parameters that may also stand where one parameter is expected.
    pub params_optional: bool,
}

/// A loop, the target of `break` and `next`.
#[derive(Debug)]
pub struct Loop {
    pub label: Option<Name>,
    /// `loop` has a value; the others do not.
    pub has_value: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// The magnitude and whether a minus stands before it.
    Int {
        value: u128,
        negative: bool,
    },
    Float(f64),
    Str(std::sync::Arc<str>),
    Char(char),
    Bool(bool),
    Unit,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    Neg,
    Not,
    BitNot,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Pow,
    WrapAdd,
    WrapSub,
    WrapMul,
    BitAnd,
    BitOr,
    BitXor,
    Shl,
    Shr,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
}

impl BinaryOp {
    /// Whether it asks how values stand to each other, and makes none of them.
    pub fn compares(self) -> bool {
        use BinaryOp::*;
        matches!(self, Eq | Ne | Lt | Le | Gt | Ge | In)
    }

    /// As written.
    pub fn text(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
            BinaryOp::Pow => "**",
            BinaryOp::WrapAdd => "&+",
            BinaryOp::WrapSub => "&-",
            BinaryOp::WrapMul => "&*",
            BinaryOp::BitAnd => "&",
            BinaryOp::BitOr => "|",
            BinaryOp::BitXor => "^",
            BinaryOp::Shl => "<<",
            BinaryOp::Shr => ">>",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::In => "in",
        }
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CastKind {
    /// `as`: panics when the value does not fit.
    Checked,
    /// `wrapping_as`: keeps the low bits.
    Wrapping,
    /// `try_as`: an Option.
    Try,
}

/// An argument of a call, in the order written.
#[derive(Clone, Debug)]
pub struct Arg {
    pub kind: ArgKind,
    pub value: ExprId,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ArgKind {
    Positional,
    Named(Name, TextRange),
    /// `*xs`.
    Spread,
    /// A block after the call.
    Block,
}

#[derive(Clone, Debug)]
pub struct FieldInit {
    pub name: Name,
    pub name_range: TextRange,
    pub value: ExprId,
}

/// A field of a record literal, or a spread.
#[derive(Clone, Debug)]
pub struct RecordPart {
    pub name: Option<Name>,
    pub range: TextRange,
    pub value: ExprId,
}

#[derive(Clone, Debug)]
pub struct Arm {
    pub pat: PatId,
    pub guard: Option<ExprId>,
    pub body: ExprId,
}

#[derive(Clone, Debug)]
pub enum InterpPart {
    Text(std::sync::Arc<str>),
    Value(ExprId),
}

/// What a struct literal or pattern names.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum StructPath {
    Adt(AdtId, Tys),
    Variant(AdtId, u32, Tys),
    /// A bare variant name: the expected type tells.
    Bare(Name),
    /// A type of this name is in scope; in a pattern, a variant of what is matched wins over it.
    BareOrAdt(Name, AdtId, Tys),
    Error,
}

#[derive(Clone, Debug)]
pub enum Stmt {
    Expr(ExprId),
    /// Binds the names of a pattern that cannot fail. `ty` may hold holes.
    Bind {
        pat: PatId,
        ty: Option<Ty>,
        value: ExprId,
    },
    /// Runs at the end of the innermost block.
    Defer(ExprId),
}

macro_rules! exprs {
    ($($(#[$doc:meta])* $variant:ident $({ $($field:ident: $ty:ty as $walk:ident),* $(,)? })?,)*) => {
        /// An expression. `as child`, `as children` … say how the walk goes on.
        #[derive(Clone, Debug)]
        pub enum Expr {
            $($(#[$doc])* $variant $({ $($field: $ty),* })?,)*
        }

        impl Expr {
            /// Calls `f` for each direct subexpression, in order of evaluation.
            pub fn each_child(&self, f: &mut dyn FnMut(ExprId)) {
                match self {
                    $(Expr::$variant $({ $($field),* })? => {
                        $($(walk::$walk($field, f);)*)?
                    })*
                }
            }
        }
    };
}

/// How the parts of an expression are walked.
mod walk {
    use super::*;
    pub(super) fn leaf<T>(_: &T, _: &mut dyn FnMut(ExprId)) {}
    pub(super) fn child(it: &ExprId, f: &mut dyn FnMut(ExprId)) {
        f(*it);
    }
    pub(super) fn maybe(it: &Option<ExprId>, f: &mut dyn FnMut(ExprId)) {
        it.iter().for_each(|&it| f(it));
    }
    pub(super) fn children(it: &[ExprId], f: &mut dyn FnMut(ExprId)) {
        it.iter().for_each(|&it| f(it));
    }
    pub(super) fn args(it: &[Arg], f: &mut dyn FnMut(ExprId)) {
        it.iter().for_each(|it| f(it.value));
    }
    pub(super) fn fields(it: &[FieldInit], f: &mut dyn FnMut(ExprId)) {
        it.iter().for_each(|it| f(it.value));
    }
    pub(super) fn record(it: &[RecordPart], f: &mut dyn FnMut(ExprId)) {
        it.iter().for_each(|it| f(it.value));
    }
    pub(super) fn pairs(it: &[(ExprId, ExprId)], f: &mut dyn FnMut(ExprId)) {
        it.iter().for_each(|&(k, v)| {
            f(k);
            f(v);
        });
    }
    pub(super) fn arms(it: &[Arm], f: &mut dyn FnMut(ExprId)) {
        it.iter().for_each(|arm| {
            arm.guard.iter().for_each(|&it| f(it));
            f(arm.body);
        });
    }
    pub(super) fn parts(it: &[InterpPart], f: &mut dyn FnMut(ExprId)) {
        it.iter().for_each(|part| match part {
            InterpPart::Text(_) => {}
            InterpPart::Value(it) => f(*it),
        });
    }
    pub(super) fn stmts(it: &[Stmt], f: &mut dyn FnMut(ExprId)) {
        it.iter().for_each(|stmt| match stmt {
            Stmt::Expr(it) | Stmt::Defer(it) => f(*it),
            Stmt::Bind { value, .. } => f(*value),
        });
    }
}

exprs! {
    /// Already reported.
    Missing,
    Lit { value: Literal as leaf },
    /// `nil`: `None` of the expected Option.
    Nil,
    Local { local: LocalId as leaf },
    /// A function's name: the overloads it may mean, and written type arguments.
    Fns { candidates: Box<[FnId]> as leaf, type_args: Tys as leaf },
    Const { constant: FnId as leaf },
    Static { var: StaticId as leaf },
    /// An enum's variant or a newtype, as a value or to be called.
    Variant { adt: AdtId as leaf, variant: u32 as leaf, type_args: Tys as leaf },
    Newtype { adt: AdtId as leaf, type_args: Tys as leaf },
    /// A variant's name alone: the expected type or the enums in scope tell which.
    BareVariant { name: Name as leaf },
    /// `Vec<Int>.new`, `Point.origin`: a type where a receiver stands.
    TypeRecv { ty: Ty as leaf },
    /// `Trait.method` or `Trait::method`.
    Call { callee: ExprId as child, args: Box<[Arg]> as args },
    /// `x.name(args)`; `has_parens` is false for `x.name`, which may also be a field.
    Method {
        receiver: ExprId as child,
        name: Name as leaf,
        name_range: TextRange as leaf,
        type_args: Tys as leaf,
        args: Box<[Arg]> as args,
        has_parens: bool as leaf,
    },
    TupleIndex { base: ExprId as child, index: u32 as leaf, index_range: TextRange as leaf },
    Index { base: ExprId as child, index: ExprId as child },
    Unary { op: UnaryOp as leaf, operand: ExprId as child },
    Binary { op: BinaryOp as leaf, lhs: ExprId as child, rhs: ExprId as child },
    And { lhs: ExprId as child, rhs: ExprId as child },
    Or { lhs: ExprId as child, rhs: ExprId as child },
    Is { value: ExprId as child, pat: PatId as leaf },
    Cast { value: ExprId as child, ty: Ty as leaf, kind: CastKind as leaf },
    /// `place = value`: the parts of the place, then the value.
    Assign { place: ExprId as child, value: ExprId as child },
    /// `place op= value`; the place is evaluated once.
    CompoundAssign { op: BinaryOp as leaf, place: ExprId as child, value: ExprId as child },
    /// `place ??= value`.
    AssignIfNone { place: ExprId as child, value: ExprId as child },
    /// Binds names as a statement in expression position (a destructuring assignment's parts).
    Block { stmts: Box<[Stmt]> as stmts, tail: Option<ExprId> as maybe },
    If { cond: ExprId as child, then: ExprId as child, else_: Option<ExprId> as maybe },
    Match { subject: ExprId as child, arms: Box<[Arm]> as arms, from: MatchFrom as leaf },
    While { cond: ExprId as child, body: ExprId as child, loop_: LoopId as leaf },
    /// `loop … end`.
    Loop { body: ExprId as child, loop_: LoopId as leaf },
    /// With two patterns: key and value of a map, index and element of anything else.
    For { pats: Box<[PatId]> as leaf, iter: ExprId as child, body: ExprId as child, loop_: LoopId as leaf },
    Break { loop_: LoopId as leaf, value: Option<ExprId> as maybe },
    Next { loop_: LoopId as leaf },
    /// `None` for the lambda leaves the function.
    Return { lambda: Option<LambdaId> as leaf, value: Option<ExprId> as maybe },
    Lambda { lambda: LambdaId as leaf },
    Tuple { elems: Box<[ExprId]> as children },
    /// `[a, b, *rest]`.
    Vec { elems: Box<[Arg]> as args },
    /// `[e; n]`.
    Repeat { elem: ExprId as child, count: ExprId as child },
    Map { entries: Box<[(ExprId, ExprId)]> as pairs },
    Set { elems: Box<[Arg]> as args },
    /// `[e for …]`: `body` is loops around pushes to `acc`.
    Comprehension { kind: Comprehension as leaf, acc: LocalId as leaf, body: ExprId as child },
    /// Adds an element to a comprehension's result.
    Collect { acc: LocalId as leaf, key: Option<ExprId> as maybe, value: ExprId as child },
    Struct { path: StructPath as leaf, fields: Box<[FieldInit]> as fields, spread: Option<ExprId> as maybe },
    /// `{ x: 1, ...r }`: a part without a name gives all fields of its value.
    Record { parts: Box<[RecordPart]> as record },
    /// `p.with { x: 3 }`.
    Update { base: ExprId as child, fields: Box<[FieldInit]> as fields },
    /// Open ends only inside an index.
    Range {
        start: Option<ExprId> as maybe,
        end: Option<ExprId> as maybe,
        step: Option<ExprId> as maybe,
        inclusive: bool as leaf,
    },
    Interp { parts: Box<[InterpPart]> as parts },
    /// `e?`, `try e`.
    Propagate { operand: ExprId as child, lambda: Option<LambdaId> as leaf, keyword: bool as leaf },
    /// `e.x?`: a method `x?`, or propagation of a field `x`. `lambda` is what it would leave, as in `Propagate`;
    /// `None` inside a `defer`, which cannot be left.
    QuestionMember { member: ExprId as child, lambda: Option<Option<LambdaId>> as leaf },
    /// `e!`, `$unwrap(e)`.
    Unwrap { operand: ExprId as child },
    /// `a ?? b`.
    Coalesce { lhs: ExprId as child, rhs: ExprId as child },
    /// `a?.b…`: `rest` is the chain after it, applied to the hidden local that holds what was inside.
    SafeNav { base: ExprId as child, inner: LocalId as leaf, rest: ExprId as child },
    /// `$assert(cond)`: prints both operands of a comparison.
    Assert { cond: ExprId as child, message: Option<ExprId> as maybe, text: std::sync::Arc<str> as leaf },
    /// `$debug(e)`: prints the expression's text and value on standard error, and gives the value.
    Debug { operand: ExprId as child, text: std::sync::Arc<str> as leaf },
    Borrow { mutable: bool as leaf, operand: ExprId as child },
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Comprehension {
    Vec,
    Map,
}

/// What a match was written as, for messages.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MatchFrom {
    Match,
    /// The clauses of a function.
    Clauses,
}

#[derive(Clone, Debug)]
pub enum Pat {
    Missing,
    Wild,
    Bind {
        local: LocalId,
        sub: Option<PatId>,
    },
    Lit {
        value: Literal,
    },
    /// `nil`.
    Nil,
    Const {
        constant: FnId,
    },
    Range {
        start: Option<PatId>,
        end: Option<PatId>,
        inclusive: bool,
    },
    /// `~r"(?<year>\d+)"`: a text in which the regex is found.
    Regex {
        pattern: std::sync::Arc<str>,
        groups: Box<[RegexGroup]>,
    },
    /// `Some(x)`, `Shape::Empty`, `Meters(x)`.
    Variant {
        path: StructPath,
        args: Box<[PatArg]>,
        has_args: bool,
        gap: Gap,
    },
    Struct {
        path: StructPath,
        fields: Box<[FieldPat]>,
        has_rest: bool,
    },
    /// `{ x, y: p, .. }`.
    Record {
        fields: Box<[FieldPat]>,
        rest: RecordRest,
    },
    Tuple {
        elems: Box<[PatId]>,
        gap: Gap,
    },
    /// `rest` stands between `prefix` and `suffix`; its pattern may be left out.
    Vec {
        prefix: Box<[PatId]>,
        rest: Option<Option<PatId>>,
        suffix: Box<[PatId]>,
    },
    Or {
        alts: Box<[PatId]>,
    },
    /// `e is T` with a type. A variant of this name wins if what is matched has one.
    Type {
        ty: Ty,
        name: Option<Name>,
        sub: Option<PatId>,
    },
}

/// Before which pattern of a tuple or variant `..` stands for the values that have none.
#[derive(Copy, Clone, PartialEq, Eq, Default, Debug)]
pub struct Gap(pub Option<u32>);

impl Gap {
    /// Whether `given` patterns are right for `total` values.
    pub fn fits(self, given: usize, total: usize) -> bool {
        given == total || (given < total && self.0.is_some())
    }

    /// Which of `total` values the pattern `n` of `given` is for.
    pub fn place(self, n: usize, given: usize, total: usize) -> usize {
        match self.0 {
            Some(at) if n >= at as usize => n + total.saturating_sub(given),
            _ => n,
        }
    }
}

/// What a record pattern says of the fields that it does not name.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum RecordRest {
    /// There are none.
    None,
    /// `..`: they are left out.
    LeftOut,
    /// `...rest`: they are a record of their own.
    Kept(PatId),
}

impl RecordRest {
    /// Whether there may be more fields than the pattern names.
    pub fn is_open(self) -> bool {
        self != RecordRest::None
    }

    pub fn kept(self) -> Option<PatId> {
        match self {
            RecordRest::Kept(pat) => Some(pat),
            RecordRest::None | RecordRest::LeftOut => None,
        }
    }
}

/// A group of a regex that a pattern binds.
#[derive(Clone, Debug)]
pub struct RegexGroup {
    pub number: u32,
    /// It need not be part of a match: its text is an Option.
    pub optional: bool,
    pub pat: PatId,
}

#[derive(Clone, Debug)]
pub struct PatArg {
    pub name: Option<Name>,
    pub pat: PatId,
}

#[derive(Clone, Debug)]
pub struct FieldPat {
    pub name: Name,
    pub name_range: TextRange,
    pub pat: PatId,
}

impl Pat {
    /// Calls `f` for each direct part.
    pub fn each_child(&self, f: &mut dyn FnMut(PatId)) {
        match self {
            Pat::Missing | Pat::Wild | Pat::Lit { .. } | Pat::Nil | Pat::Const { .. } => {}
            Pat::Bind { sub, .. } | Pat::Type { sub, .. } => sub.iter().for_each(|&it| f(it)),
            Pat::Range { start, end, .. } => start.iter().chain(end).for_each(|&it| f(it)),
            Pat::Variant { args, .. } => args.iter().for_each(|arg| f(arg.pat)),
            Pat::Regex { groups, .. } => groups.iter().for_each(|it| f(it.pat)),
            Pat::Struct { fields, .. } => fields.iter().for_each(|field| f(field.pat)),
            Pat::Record { fields, rest } => {
                fields.iter().for_each(|field| f(field.pat));
                rest.kept().into_iter().for_each(f);
            }
            Pat::Tuple { elems, .. } | Pat::Or { alts: elems } => elems.iter().for_each(|&it| f(it)),
            Pat::Vec { prefix, rest, suffix } => {
                prefix.iter().for_each(|&it| f(it));
                rest.iter().flatten().for_each(|&it| f(it));
                suffix.iter().for_each(|&it| f(it));
            }
        }
    }
}

impl Body {
    pub fn expr_span(&self, expr: ExprId) -> Span {
        Span::new(self.file, self.source.exprs.get(expr).copied().unwrap_or_default())
    }

    pub fn pat_span(&self, pat: PatId) -> Span {
        Span::new(self.file, self.source.pats.get(pat).copied().unwrap_or_default())
    }

    /// Locals bound by a pattern, in order.
    pub fn pat_locals(&self, pat: PatId, out: &mut Vec<LocalId>) {
        if let Pat::Bind { local, .. } = &self.pats[pat]
            && !out.contains(local)
        {
            out.push(*local);
        }
        self.pats[pat].each_child(&mut |child| self.pat_locals(child, out));
    }
}
