//! Interned types. A [`Ty`] is a pointer to data that lives as long as the process and never moves; equal
//! types are the same pointer. The table only grows.
//!
//! Inference variables are types like any other here; [`crate::unify`] knows what they stand for.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::sync::{LazyLock, Mutex};

use qz_base::{FxHashSet, Name};

use crate::defs::{AdtId, FnId, TraitId};
use crate::row::Row;

/// A type. Compare with `==` (identity); look inside with [`Ty::kind`].
#[derive(Copy, Clone)]
pub struct Ty(&'static TyData);

/// An interned list of types.
pub type Tys = &'static [Ty];

struct TyData {
    kind: TyKind,
    flags: TyFlags,
}

#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum TyKind {
    /// Stands where a problem was already reported. Equal to everything, silently.
    Error,
    /// The type of expressions that do not return.
    Never,
    Bool,
    Char,
    /// Immutable UTF-8 text.
    Str,
    Int(IntTy),
    Float(FloatTy),
    /// `()` is the empty tuple; `Void` is its name.
    Tuple(Tys),
    /// A struct, enum or newtype with its type arguments.
    Adt(AdtId, Tys),
    Fn(FnTy),
    /// `&T` and `&mut T`: a borrow of a place. Only parameters and locals have such types.
    Ref(Mutability, Ty),
    /// `Ptr<T>`: a raw pointer.
    Ptr(Ty),
    /// `dyn A & B`: the principal trait first. `args` leave `Self` out.
    Dyn(&'static [TraitRef]),
    /// A type parameter of the item at hand. In traits, `Self` is parameter 0.
    Param(ParamTy),
    /// `<T as Trait>::Item`, not yet resolved.
    Assoc(AssocTy),
    /// The `impl Trait` a function returns: equal only to itself outside that function.
    Opaque(FnId, u32, Tys),
    /// A structural record, fields sorted by name.
    Record(&'static [(Name, Ty)]),
    /// A record of which some fields are known, and a parameter or variable that stands for a record with the others.
    /// Where it has one of these names as well, the field here goes before. Made by [`Ty::open_record`] only.
    OpenRecord(&'static [(Name, Ty)], Ty),
    /// An inference variable.
    Infer(InferVar),
}

#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum IntTy {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
}

impl IntTy {
    pub const ALL: [IntTy; 8] =
        [IntTy::I8, IntTy::I16, IntTy::I32, IntTy::I64, IntTy::U8, IntTy::U16, IntTy::U32, IntTy::U64];

    pub const fn bits(self) -> u32 {
        match self {
            IntTy::I8 | IntTy::U8 => 8,
            IntTy::I16 | IntTy::U16 => 16,
            IntTy::I32 | IntTy::U32 => 32,
            IntTy::I64 | IntTy::U64 => 64,
        }
    }

    pub const fn signed(self) -> bool {
        matches!(self, IntTy::I8 | IntTy::I16 | IntTy::I32 | IntTy::I64)
    }

    pub const fn min_value(self) -> i128 {
        if self.signed() { -(1i128 << (self.bits() - 1)) } else { 0 }
    }

    pub const fn max_value(self) -> i128 {
        if self.signed() { (1i128 << (self.bits() - 1)) - 1 } else { (1i128 << self.bits()) - 1 }
    }

    /// The name a user writes; `Int` is the 64-bit signed one.
    pub const fn name(self) -> &'static str {
        match self {
            IntTy::I8 => "I8",
            IntTy::I16 => "I16",
            IntTy::I32 => "I32",
            IntTy::I64 => "Int",
            IntTy::U8 => "U8",
            IntTy::U16 => "U16",
            IntTy::U32 => "U32",
            IntTy::U64 => "U64",
        }
    }
}

#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum FloatTy {
    F32,
    F64,
}

impl FloatTy {
    pub const fn name(self) -> &'static str {
        match self {
            FloatTy::F32 => "F32",
            FloatTy::F64 => "F64",
        }
    }
}

#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Mutability {
    Shared,
    Mut,
}

#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct FnTy {
    pub params: Tys,
    pub ret: Ty,
    /// The effects a call may perform.
    pub row: Row,
}

/// A type parameter: its position among the parameters in scope (outer ones first) and its name.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct ParamTy {
    pub index: u32,
    pub name: Name,
}

#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct AssocTy {
    pub trait_id: TraitId,
    /// `Self` first, then the trait's own arguments.
    pub args: Tys,
    pub name: Name,
}

/// A trait applied to arguments. Whether `Self` is among them is said where one is used.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct TraitRef {
    pub trait_id: TraitId,
    pub args: Tys,
}

#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct InferVar {
    pub index: u32,
}

/// What an inference variable may become.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum VarKind {
    Any,
    /// From an integer literal: any integer type, or a float where exact.
    Int,
    /// From a float literal.
    Float,
}

/// What occurs somewhere inside a type, so that walks which would change nothing are skipped.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct TyFlags(u8);

impl TyFlags {
    pub const INFER: TyFlags = TyFlags(1);
    pub const PARAM: TyFlags = TyFlags(2);
    pub const ERROR: TyFlags = TyFlags(4);
    pub const ASSOC: TyFlags = TyFlags(8);
    pub const OPAQUE: TyFlags = TyFlags(16);
    /// A function type inside says which effects it performs.
    pub const ROW: TyFlags = TyFlags(32);
    /// What is no part of the types of code: names for other types, and rows.
    pub const UNSETTLED: TyFlags = TyFlags(8 | 16 | 32);

    pub const fn union(self, other: TyFlags) -> TyFlags {
        TyFlags(self.0 | other.0)
    }

    pub const fn intersects(self, other: TyFlags) -> bool {
        self.0 & other.0 != 0
    }
}

impl PartialEq for Ty {
    fn eq(&self, other: &Ty) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}
impl Eq for Ty {}
impl Hash for Ty {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0 as *const TyData as usize >> 3).hash(state);
    }
}
impl std::fmt::Debug for Ty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.kind.fmt(f)
    }
}

struct ByKind(&'static TyData);
impl PartialEq for ByKind {
    fn eq(&self, other: &ByKind) -> bool {
        self.0.kind == other.0.kind
    }
}
impl Eq for ByKind {}
impl Hash for ByKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.kind.hash(state);
    }
}
impl std::borrow::Borrow<TyKind> for ByKind {
    fn borrow(&self) -> &TyKind {
        &self.0.kind
    }
}

/// A set of leaked values that gives back the one already there.
struct Table<K>(LazyLock<Mutex<FxHashSet<K>>>);

static TYPES: Table<ByKind> = Table(LazyLock::new(Mutex::default));
static LISTS: Table<Tys> = Table(LazyLock::new(Mutex::default));
static TRAIT_REFS: Table<&'static [TraitRef]> = Table(LazyLock::new(Mutex::default));
static FIELDS: Table<&'static [(Name, Ty)]> = Table(LazyLock::new(Mutex::default));

fn intern_slice<T: Copy + Eq + Hash>(table: &Table<&'static [T]>, items: &[T]) -> &'static [T] {
    if items.is_empty() {
        return &[];
    }
    let mut lists = table.0.lock().unwrap_or_else(|poison| poison.into_inner());
    if let Some(found) = lists.get(items) {
        return found;
    }
    let made: &'static [T] = Box::leak(items.into());
    lists.insert(made);
    made
}

impl Ty {
    pub fn new(kind: TyKind) -> Ty {
        let mut types = TYPES.0.lock().unwrap_or_else(|poison| poison.into_inner());
        if let Some(found) = types.get(&kind) {
            return Ty(found.0);
        }
        let data: &'static TyData = Box::leak(Box::new(TyData { kind, flags: flags_of(&kind) }));
        types.insert(ByKind(data));
        Ty(data)
    }

    pub fn kind(self) -> &'static TyKind {
        &self.0.kind
    }

    pub fn flags(self) -> TyFlags {
        self.0.flags
    }

    pub fn has(self, flags: TyFlags) -> bool {
        self.0.flags.intersects(flags)
    }

    pub fn list(items: &[Ty]) -> Tys {
        intern_slice(&LISTS, items)
    }

    pub fn trait_refs(items: &[TraitRef]) -> &'static [TraitRef] {
        intern_slice(&TRAIT_REFS, items)
    }

    /// Fields that are sorted already.
    pub(crate) fn fields(items: &[(Name, Ty)]) -> &'static [(Name, Ty)] {
        intern_slice(&FIELDS, items)
    }

    pub fn tuple(items: &[Ty]) -> Ty {
        Ty::new(TyKind::Tuple(Ty::list(items)))
    }

    pub fn adt(id: AdtId, args: &[Ty]) -> Ty {
        Ty::new(TyKind::Adt(id, Ty::list(args)))
    }

    pub fn func(params: &[Ty], ret: Ty, row: Row) -> Ty {
        Ty::new(TyKind::Fn(FnTy { params: Ty::list(params), ret, row }))
    }

    pub fn reference(mutability: Mutability, to: Ty) -> Ty {
        Ty::new(TyKind::Ref(mutability, to))
    }

    pub fn ptr(to: Ty) -> Ty {
        Ty::new(TyKind::Ptr(to))
    }

    pub fn param(index: u32, name: Name) -> Ty {
        Ty::new(TyKind::Param(ParamTy { index, name }))
    }

    pub fn infer(index: u32) -> Ty {
        Ty::new(TyKind::Infer(InferVar { index }))
    }

    /// A record type; fields are put into the order of their names.
    pub fn record(fields: &[(Name, Ty)]) -> Ty {
        let mut sorted = fields.to_vec();
        sorted.sort_by(|a, b| a.0.cmp_text(b.0));
        Ty::new(TyKind::Record(intern_slice(&FIELDS, &sorted)))
    }

    /// A record with these fields and those of `rest` that have other names. It is a plain record as soon as `rest` is.
    pub fn open_record(fields: &[(Name, Ty)], rest: Ty) -> Ty {
        let (others, rest) = match *rest.kind() {
            TyKind::Error => return rest,
            TyKind::Record(others) => (others, None),
            TyKind::OpenRecord(others, rest) => (others, Some(rest)),
            TyKind::Param(_) | TyKind::Infer(_) | TyKind::Assoc(_) | TyKind::Opaque(..) => {
                (&[] as &[_], Some(rest))
            }
            // Where a rest may be chosen, other types are reported.
            _ => return common().error,
        };
        let mut all = fields.to_vec();
        all.extend(others.iter().filter(|other| !fields.iter().any(|it| it.0 == other.0)));
        all.sort_by(|a, b| a.0.cmp_text(b.0));
        match rest {
            None => Ty::new(TyKind::Record(intern_slice(&FIELDS, &all))),
            Some(rest) if all.is_empty() => rest,
            Some(rest) => Ty::new(TyKind::OpenRecord(intern_slice(&FIELDS, &all), rest)),
        }
    }

    /// The fields that are known of a record, with or without a rest.
    pub fn known_fields(self) -> Option<&'static [(Name, Ty)]> {
        match *self.kind() {
            TyKind::Record(fields) | TyKind::OpenRecord(fields, _) => Some(fields),
            _ => None,
        }
    }

    /// A variable, or a record whose rest is one: which fields there are is not known yet.
    pub fn may_get_fields(self) -> bool {
        match self.kind() {
            TyKind::Infer(_) => true,
            TyKind::OpenRecord(_, rest) => rest.is_infer(),
            _ => false,
        }
    }

    pub fn is_error(self) -> bool {
        self == common().error
    }

    pub fn is_never(self) -> bool {
        self == common().never
    }

    pub fn is_unit(self) -> bool {
        self == common().unit
    }

    pub fn is_infer(self) -> bool {
        matches!(self.kind(), TyKind::Infer(_))
    }

    pub fn as_adt(self) -> Option<(AdtId, Tys)> {
        match *self.kind() {
            TyKind::Adt(id, args) => Some((id, args)),
            _ => None,
        }
    }

    pub fn as_fn(self) -> Option<FnTy> {
        match *self.kind() {
            TyKind::Fn(f) => Some(f),
            _ => None,
        }
    }

    /// The type behind `&` or `&mut`, or the type itself.
    pub fn peel_ref(self) -> Ty {
        match *self.kind() {
            TyKind::Ref(_, to) => to,
            _ => self,
        }
    }

    pub fn is_integer(self) -> bool {
        matches!(self.kind(), TyKind::Int(_))
    }

    pub fn is_float(self) -> bool {
        matches!(self.kind(), TyKind::Float(_))
    }

    pub fn is_numeric(self) -> bool {
        self.is_integer() || self.is_float()
    }

    /// Visits this type and every type inside it, outside first.
    pub fn walk(self, visit: &mut dyn FnMut(Ty)) {
        visit(self);
        each_part(self.kind(), &mut |part| part.walk(visit));
    }
}

/// Calls `f` for each type directly inside. The one place that knows the shape of every kind.
pub(crate) fn each_part(kind: &TyKind, f: &mut dyn FnMut(Ty)) {
    match kind {
        TyKind::Error
        | TyKind::Never
        | TyKind::Bool
        | TyKind::Char
        | TyKind::Str
        | TyKind::Int(_)
        | TyKind::Float(_)
        | TyKind::Param(_)
        | TyKind::Infer(_) => {}
        TyKind::Tuple(parts) | TyKind::Adt(_, parts) | TyKind::Opaque(_, _, parts) => {
            parts.iter().copied().for_each(f)
        }
        TyKind::Fn(func) => {
            func.params.iter().copied().for_each(&mut *f);
            f(func.ret);
            func.row.each_ty(f);
        }
        TyKind::Ref(_, to) | TyKind::Ptr(to) => f(*to),
        TyKind::Dyn(traits) => traits.iter().flat_map(|t| t.args).copied().for_each(f),
        TyKind::Assoc(assoc) => assoc.args.iter().copied().for_each(f),
        TyKind::Record(fields) => fields.iter().for_each(|&(_, ty)| f(ty)),
        TyKind::OpenRecord(fields, rest) => {
            fields.iter().for_each(|&(_, ty)| f(ty));
            f(*rest);
        }
    }
}

fn flags_of(kind: &TyKind) -> TyFlags {
    let mut flags = match kind {
        TyKind::Error => TyFlags::ERROR,
        TyKind::Param(_) => TyFlags::PARAM,
        TyKind::Infer(_) => TyFlags::INFER,
        TyKind::Assoc(_) => TyFlags::ASSOC,
        TyKind::Opaque(..) => TyFlags::OPAQUE,
        TyKind::Fn(func) if !func.row.is_empty() => TyFlags::ROW,
        _ => TyFlags::default(),
    };
    each_part(kind, &mut |part| flags = flags.union(part.flags()));
    flags
}

/// The types without parts, made once.
#[derive(Copy, Clone)]
pub struct Common {
    pub error: Ty,
    pub never: Ty,
    pub unit: Ty,
    pub bool: Ty,
    pub char: Ty,
    pub str: Ty,
    pub int: Ty,
    pub u8: Ty,
    pub u32: Ty,
    pub u64: Ty,
    pub f64: Ty,
}

thread_local! {
    static COMMON: RefCell<Option<Common>> = const { RefCell::new(None) };
}

/// The types without parts.
pub fn common() -> Common {
    COMMON.with_borrow_mut(|common| {
        *common.get_or_insert_with(|| Common {
            error: Ty::new(TyKind::Error),
            never: Ty::new(TyKind::Never),
            unit: Ty::tuple(&[]),
            bool: Ty::new(TyKind::Bool),
            char: Ty::new(TyKind::Char),
            str: Ty::new(TyKind::Str),
            int: Ty::new(TyKind::Int(IntTy::I64)),
            u8: Ty::new(TyKind::Int(IntTy::U8)),
            u32: Ty::new(TyKind::Int(IntTy::U32)),
            u64: Ty::new(TyKind::Int(IntTy::U64)),
            f64: Ty::new(TyKind::Float(FloatTy::F64)),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_types_are_identical() {
        let c = common();
        assert_eq!(Ty::tuple(&[c.int, c.str]), Ty::tuple(&[c.int, c.str]));
        assert_ne!(Ty::tuple(&[c.int]), c.int);
        assert_eq!(c.unit, Ty::tuple(&[]));
    }

    #[test]
    fn flags_say_what_is_inside() {
        let c = common();
        let t = Ty::tuple(&[c.int, Ty::param(0, Name::new("T"))]);
        assert!(t.has(TyFlags::PARAM));
        assert!(!t.has(TyFlags::INFER));
    }
}
