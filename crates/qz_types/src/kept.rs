//! Types and declared things as bytes that hold in other programs than the one that wrote them, for caches.
//!
//! Ids hold in one program only. In bytes a thing is called by its module and its number there ([`Items`]); names and
//! types are numbers in tables of their own ([`Tables`]), in which a type stands behind its parts. What cannot be called so
//! makes all that it is part of *lost*: it is not kept.
//!
//! Bytes that are not what was written give `None`, or something else of the same type: whoever keeps them tells whether
//! they are whole.

use std::sync::Arc;

use qz_base::{Arena, FileId, FxHashMap, Id, Name, Span, TextRange};
use smallvec::{Array, SmallVec};

use crate::FnId;
use crate::defs::{AdtMarker, FnMarker, StaticMarker, TraitMarker};
use crate::row::{Label, Row};
use crate::ty::{
    AssocTy, FloatTy, FnTy, InferVar, IntTy, Mutability, ParamTy, TraitRef, Ty, TyFlags, TyKind,
};

/// What kind of a thing is declared.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum ItemKind {
    Adt,
    Function,
    Trait,
    Static,
}

/// Where declared things stand.
pub trait Items {
    /// The module that declares a thing, and its number there; nothing if others may count otherwise.
    fn place(&self, kind: ItemKind, id: u32) -> Option<(u32, u32)>;
    /// The thing with this number in a module.
    fn at(&self, kind: ItemKind, module: u32, number: u32) -> Option<u32>;
    /// Writes a function that no module declares.
    fn put_made(&self, _function: FnId, out: &mut Writer<'_>) {
        out.lose();
    }
    fn take_made(&self, _input: &mut Reader<'_>) -> Option<FnId> {
        None
    }
}

/// What numbers in bytes stand for.
#[derive(Clone, Default)]
pub struct Tables {
    /// Modules whose things are named, as [`Items`] knows them.
    pub modules: Vec<u32>,
    pub names: Vec<Name>,
    types: Vec<Ty>,
    /// The types, written one after the other.
    type_bytes: Vec<u8>,
}

impl Tables {
    /// Reads what [`Tables::put`] wrote. `module` finds modules by what was written of them.
    pub fn take(
        bytes: &mut Bytes<'_>,
        items: &dyn Items,
        module: &mut dyn FnMut(&mut Bytes<'_>) -> Option<u32>,
    ) -> Option<Tables> {
        let mut tables = Tables::default();
        for _ in 0..bytes.number()? {
            tables.modules.push(module(bytes)?);
        }
        for _ in 0..bytes.number()? {
            tables.names.push(Name::new(bytes.text()?));
        }
        let count = bytes.number()?;
        tables.type_bytes = bytes.block()?.to_vec();
        let type_bytes = std::mem::take(&mut tables.type_bytes);
        let mut at = 0;
        for _ in 0..count {
            let mut input = Reader::new(&type_bytes[at..], &tables, items, FileId(0));
            let kind = TyKind::take(&mut input)?;
            at = type_bytes.len() - input.bytes.len();
            tables.types.push(Ty::new(kind));
        }
        tables.type_bytes = type_bytes;
        Some(tables)
    }

    /// Writes the tables; `module` says which modules are meant.
    pub fn put(&self, out: &mut Vec<u8>, module: &mut dyn FnMut(u32, &mut Vec<u8>)) {
        put_number(out, self.modules.len() as u64);
        self.modules.iter().for_each(|&it| module(it, out));
        put_number(out, self.names.len() as u64);
        self.names.iter().for_each(|it| put_block(out, it.as_str().as_bytes()));
        put_number(out, self.types.len() as u64);
        put_block(out, &self.type_bytes);
    }
}

/// A number in as few bytes as it needs (LEB128).
pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Bytes behind their length.
pub fn put_block(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Bytes that are being read.
#[derive(Clone)]
pub struct Bytes<'b> {
    rest: &'b [u8],
}

impl<'b> Bytes<'b> {
    pub fn new(rest: &'b [u8]) -> Bytes<'b> {
        Bytes { rest }
    }

    pub fn len(&self) -> usize {
        self.rest.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub fn block(&mut self) -> Option<&'b [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (block, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(block)
    }

    pub fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.block()?).ok()
    }
}

/// Writes values; what they name is put into tables.
pub struct Writer<'a> {
    tables: Tables,
    modules: FxHashMap<u32, u32>,
    names: FxHashMap<Name, u32>,
    types: FxHashMap<Ty, u32>,
    items: &'a dyn Items,
    /// The file that spans are in.
    file: FileId,
    out: Vec<u8>,
    /// Where the last span began: the next one is not far.
    near: u32,
    lost: bool,
}

impl<'a> Writer<'a> {
    /// Goes on behind what is in `tables`.
    pub fn new(tables: Tables, items: &'a dyn Items, file: FileId) -> Writer<'a> {
        Writer {
            modules: tables.modules.iter().copied().zip(0..).collect(),
            names: tables.names.iter().copied().zip(0..).collect(),
            types: tables.types.iter().copied().zip(0..).collect(),
            tables,
            items,
            file,
            out: Vec::new(),
            near: 0,
            lost: false,
        }
    }

    /// The bytes of a value; nothing if it cannot be kept.
    pub fn write(&mut self, value: &impl Keep) -> Option<Vec<u8>> {
        (self.lost, self.near) = (false, 0);
        value.put(self);
        let bytes = std::mem::take(&mut self.out);
        (!self.lost).then_some(bytes)
    }

    pub fn finish(self) -> Tables {
        self.tables
    }

    pub fn lose(&mut self) {
        self.lost = true;
    }

    pub fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    pub fn number(&mut self, number: u64) {
        put_number(&mut self.out, number);
    }

    pub fn text(&mut self, text: &str) {
        put_block(&mut self.out, text.as_bytes());
    }

    fn name(&mut self, name: Name) {
        let next = self.tables.names.len() as u32;
        let number = *self.names.entry(name).or_insert(next);
        if number == next {
            self.tables.names.push(name);
        }
        self.number(number.into());
    }

    fn item(&mut self, kind: ItemKind, id: u32) {
        let Some((module, place)) = self.items.place(kind, id) else { return self.lose() };
        let next = self.tables.modules.len() as u32;
        let number = *self.modules.entry(module).or_insert(next);
        if number == next {
            self.tables.modules.push(module);
        }
        self.number(number.into());
        self.number(place.into());
    }

    fn ty(&mut self, ty: Ty) {
        if ty.has(TyFlags::ERROR) {
            return self.lose();
        }
        let number = match self.types.get(&ty) {
            Some(&known) => known,
            None => self.new_type(ty),
        };
        self.number(number.into());
    }

    /// Writes a type behind its parts.
    fn new_type(&mut self, ty: Ty) -> u32 {
        let around = std::mem::take(&mut self.out);
        ty.kind().put(self);
        let bytes = std::mem::replace(&mut self.out, around);
        // What cannot be told leaves nothing behind.
        if self.lost {
            return 0;
        }
        self.tables.type_bytes.extend(bytes);
        let number = self.tables.types.len() as u32;
        self.tables.types.push(ty);
        self.types.insert(ty, number);
        number
    }
}

/// Reads what a [`Writer`] wrote.
pub struct Reader<'a> {
    pub bytes: Bytes<'a>,
    tables: &'a Tables,
    items: &'a dyn Items,
    file: FileId,
    near: u32,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8], tables: &'a Tables, items: &'a dyn Items, file: FileId) -> Reader<'a> {
        Reader { bytes: Bytes::new(bytes), tables, items, file, near: 0 }
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.bytes.number()?).ok()
    }

    fn item(&mut self, kind: ItemKind) -> Option<u32> {
        let module = *self.tables.modules.get(self.small()? as usize)?;
        let number = self.small()?;
        self.items.at(kind, module, number)
    }
}

/// What can be kept.
pub trait Keep: Sized {
    fn put(&self, out: &mut Writer<'_>);
    fn take(input: &mut Reader<'_>) -> Option<Self>;
}

/// What ids point to that count within one value, such as the blocks of a body.
pub trait Within {
    /// Whether they do in what is kept: other ids of this kind count within a program.
    const IS_KEPT: bool = true;
}

impl<T: Within> Keep for Id<T> {
    fn put(&self, out: &mut Writer<'_>) {
        match T::IS_KEPT {
            true => out.number(self.raw().into()),
            false => out.lose(),
        }
    }

    fn take(input: &mut Reader<'_>) -> Option<Id<T>> {
        T::IS_KEPT.then(|| input.small()).flatten().map(Id::from_raw)
    }
}

macro_rules! keep_items {
    ($($marker:ident $kind:ident)*) => {$(
        impl Keep for Id<$marker> {
            fn put(&self, out: &mut Writer<'_>) {
                out.item(ItemKind::$kind, self.raw());
            }

            fn take(input: &mut Reader<'_>) -> Option<Self> {
                Some(Id::from_raw(input.item(ItemKind::$kind)?))
            }
        }
    )*};
}

keep_items! { AdtMarker Adt TraitMarker Trait StaticMarker Static }

impl Keep for Id<FnMarker> {
    fn put(&self, out: &mut Writer<'_>) {
        match out.items.place(ItemKind::Function, self.raw()) {
            Some(_) => {
                out.byte(0);
                out.item(ItemKind::Function, self.raw());
            }
            None => {
                out.byte(1);
                out.items.put_made(*self, out);
            }
        }
    }

    fn take(input: &mut Reader<'_>) -> Option<FnId> {
        match input.bytes.byte()? {
            0 => Some(Id::from_raw(input.item(ItemKind::Function)?)),
            _ => input.items.take_made(input),
        }
    }
}

/// How a struct or an enum is kept: its parts in order, behind the number of the variant.
#[macro_export]
macro_rules! keep {
    (struct $ty:ident { $($field:ident),* $(,)? }) => {
        impl $crate::kept::Keep for $ty {
            fn put(&self, out: &mut $crate::kept::Writer<'_>) {
                let $ty { $($field),* } = self;
                $($crate::kept::Keep::put($field, out);)*
            }

            fn take(input: &mut $crate::kept::Reader<'_>) -> Option<$ty> {
                $(let $field = $crate::kept::Keep::take(input)?;)*
                Some($ty { $($field),* })
            }
        }
    };
    (enum $ty:ident { $($variant:ident $(($($part:ident),*))? $({$($field:ident),*})?),* $(,)? }) => {
        impl $crate::kept::Keep for $ty {
            fn put(&self, out: &mut $crate::kept::Writer<'_>) {
                #[repr(u8)]
                enum Tag { $($variant),* }
                match self {
                    $($ty::$variant $(($($part),*))? $({$($field),*})? => {
                        out.byte(Tag::$variant as u8);
                        $($($crate::kept::Keep::put($part, out);)*)?
                        $($($crate::kept::Keep::put($field, out);)*)?
                    })*
                }
            }

            fn take(input: &mut $crate::kept::Reader<'_>) -> Option<$ty> {
                #[repr(u8)]
                enum Tag { $($variant),* }
                let tag = input.bytes.byte()?;
                $(if tag == Tag::$variant as u8 {
                    $($(let $part = $crate::kept::Keep::take(input)?;)*)?
                    $($(let $field = $crate::kept::Keep::take(input)?;)*)?
                    return Some($ty::$variant $(($($part),*))? $({$($field),*})?);
                })*
                None
            }
        }
    };
}

// ---- plain values

impl Keep for u32 {
    fn put(&self, out: &mut Writer<'_>) {
        out.number((*self).into());
    }

    fn take(input: &mut Reader<'_>) -> Option<u32> {
        input.small()
    }
}

impl Keep for u64 {
    fn put(&self, out: &mut Writer<'_>) {
        out.number(*self);
    }

    fn take(input: &mut Reader<'_>) -> Option<u64> {
        input.bytes.number()
    }
}

impl Keep for usize {
    fn put(&self, out: &mut Writer<'_>) {
        out.number(*self as u64);
    }

    fn take(input: &mut Reader<'_>) -> Option<usize> {
        input.bytes.number()?.try_into().ok()
    }
}

/// The sign goes to the lowest bit, so that small numbers are short whatever their sign.
impl Keep for i128 {
    fn put(&self, out: &mut Writer<'_>) {
        let folded = ((self << 1) ^ (self >> 127)) as u128;
        out.number(folded as u64);
        out.number((folded >> 64) as u64);
    }

    fn take(input: &mut Reader<'_>) -> Option<i128> {
        let low = input.bytes.number()?;
        let folded = u128::from(low) | u128::from(input.bytes.number()?) << 64;
        Some((folded >> 1) as i128 ^ -((folded & 1) as i128))
    }
}

impl Keep for bool {
    fn put(&self, out: &mut Writer<'_>) {
        out.byte((*self).into());
    }

    fn take(input: &mut Reader<'_>) -> Option<bool> {
        Some(input.bytes.byte()? != 0)
    }
}

impl Keep for char {
    fn put(&self, out: &mut Writer<'_>) {
        out.number(u64::from(u32::from(*self)));
    }

    fn take(input: &mut Reader<'_>) -> Option<char> {
        char::from_u32(input.small()?)
    }
}

impl Keep for Arc<str> {
    fn put(&self, out: &mut Writer<'_>) {
        out.text(self);
    }

    fn take(input: &mut Reader<'_>) -> Option<Arc<str>> {
        Some(input.bytes.text()?.into())
    }
}

impl Keep for Name {
    fn put(&self, out: &mut Writer<'_>) {
        out.name(*self);
    }

    fn take(input: &mut Reader<'_>) -> Option<Name> {
        let number = input.small()?;
        input.tables.names.get(number as usize).copied()
    }
}

/// Of the file at hand. Where something stands in another file, that one's text decides.
impl Keep for Span {
    fn put(&self, out: &mut Writer<'_>) {
        if self.file != out.file {
            return out.lose();
        }
        let TextRange { start, end } = self.range;
        let away = i64::from(start) - i64::from(out.near);
        out.number(((away << 1) ^ (away >> 63)) as u64);
        out.number((end - start).into());
        out.near = start;
    }

    fn take(input: &mut Reader<'_>) -> Option<Span> {
        let folded = input.bytes.number()?;
        let away = (folded >> 1) as i64 ^ -((folded & 1) as i64);
        let start = u32::try_from(i64::from(input.near).checked_add(away)?).ok()?;
        let end = start.checked_add(input.small()?)?;
        input.near = start;
        Some(Span::new(input.file, TextRange::new(start, end)))
    }
}

// ---- several

impl<T: Keep> Keep for Option<T> {
    fn put(&self, out: &mut Writer<'_>) {
        self.is_some().put(out);
        self.iter().for_each(|it| it.put(out));
    }

    fn take(input: &mut Reader<'_>) -> Option<Option<T>> {
        match bool::take(input)? {
            true => Some(Some(T::take(input)?)),
            false => Some(None),
        }
    }
}

impl<A: Keep, B: Keep> Keep for (A, B) {
    fn put(&self, out: &mut Writer<'_>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(input: &mut Reader<'_>) -> Option<(A, B)> {
        Some((A::take(input)?, B::take(input)?))
    }
}

impl<T: Keep> Keep for Box<T> {
    fn put(&self, out: &mut Writer<'_>) {
        (**self).put(out);
    }

    fn take(input: &mut Reader<'_>) -> Option<Box<T>> {
        T::take(input).map(Box::new)
    }
}

fn put_list<T: Keep>(list: &[T], out: &mut Writer<'_>) {
    out.number(list.len() as u64);
    list.iter().for_each(|it| it.put(out));
}

fn take_list<T: Keep, L: FromIterator<T>>(input: &mut Reader<'_>) -> Option<L> {
    let len = input.bytes.number()?;
    (0..len).map(|_| T::take(input)).collect()
}

macro_rules! keep_lists {
    ($([$($param:tt)*] $list:ty, $item:ty;)*) => {$(
        impl<$($param)*> Keep for $list {
            fn put(&self, out: &mut Writer<'_>) {
                put_list::<$item>(self, out);
            }

            fn take(input: &mut Reader<'_>) -> Option<Self> {
                take_list::<$item, Self>(input)
            }
        }
    )*};
}

keep_lists! {
    [T: Keep] Vec<T>, T;
    [T: Keep] Box<[T]>, T;
    [T: Keep] Arc<[T]>, T;
    [A: Array<Item: Keep>] SmallVec<A>, A::Item;
}

impl<T: Keep> Keep for Arena<T> {
    fn put(&self, out: &mut Writer<'_>) {
        out.number(self.len() as u64);
        self.values().for_each(|it| it.put(out));
    }

    fn take(input: &mut Reader<'_>) -> Option<Arena<T>> {
        take_list::<T, Arena<T>>(input)
    }
}

// ---- types

impl Keep for Ty {
    fn put(&self, out: &mut Writer<'_>) {
        out.ty(*self);
    }

    fn take(input: &mut Reader<'_>) -> Option<Ty> {
        let number = input.small()?;
        input.tables.types.get(number as usize).copied()
    }
}

macro_rules! keep_interned {
    ($($item:ty, $intern:path;)*) => {$(
        impl Keep for &'static [$item] {
            fn put(&self, out: &mut Writer<'_>) {
                put_list(self, out);
            }

            fn take(input: &mut Reader<'_>) -> Option<Self> {
                Some($intern(&take_list::<$item, Vec<$item>>(input)?))
            }
        }
    )*};
}

keep_interned! {
    Ty, Ty::list;
    TraitRef, Ty::trait_refs;
    (Name, Ty), Ty::fields;
}

/// Labels stand in the order of their ids, which other programs may have otherwise.
impl Keep for Row {
    fn put(&self, out: &mut Writer<'_>) {
        let labels: Vec<Label> = self.labels.to_vec();
        labels.put(out);
        self.tail.put(out);
    }

    fn take(input: &mut Reader<'_>) -> Option<Row> {
        let labels: Vec<Label> = Keep::take(input)?;
        let tail: Option<Ty> = Keep::take(input)?;
        Some(Row::of(labels.into_iter().map(Label::ty).chain(tail)))
    }
}

keep!(struct Label { effect, args });
keep!(struct TraitRef { trait_id, args });
keep!(struct FnTy { params, ret, row });
keep!(struct ParamTy { index, name });
keep!(struct AssocTy { trait_id, args, name });
keep!(
    enum IntTy {
        I8,
        I16,
        I32,
        I64,
        U8,
        U16,
        U32,
        U64,
    }
);
keep!(
    enum FloatTy {
        F32,
        F64,
    }
);
keep!(
    enum Mutability {
        Shared,
        Mut,
    }
);

keep!(
    enum TyKind {
        Error,
        Never,
        Bool,
        Char,
        Str,
        Int(ty),
        Float(ty),
        Tuple(parts),
        Adt(id, args),
        Fn(ty),
        Ref(mutability, to),
        Ptr(to),
        Dyn(bounds),
        Param(it),
        Assoc(it),
        Opaque(owner, index, args),
        Record(fields),
        OpenRecord(fields, rest),
        Infer(var),
    }
);

/// A variable stands for something in one body only.
impl Keep for InferVar {
    fn put(&self, out: &mut Writer<'_>) {
        out.lose();
    }

    fn take(_: &mut Reader<'_>) -> Option<InferVar> {
        None
    }
}
