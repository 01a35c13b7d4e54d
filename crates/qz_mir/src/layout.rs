//! How values lie in memory: sizes, offsets, where an enum keeps its variant, which values hold counts.
//! Every stage after instantiation asks here, so there is one opinion.
//!
//! * A reference struct, a string, a function value and a `dyn` value are one pointer to a counted object.
//! * `@value` structs, newtypes, tuples and records lie where they are, fields by falling alignment unless
//!   the struct is `@repr(C)`.
//! * An enum uses bit patterns that its payload never has where there are enough of them (*niches*):
//!   `Option<String>` is one word with `None` = 0. Otherwise it is a tag and the payloads, one over the
//!   other. One that contains itself by value is *boxed*: a pointer to a cell, or a small number for a
//!   variant without fields.
//!
//! [`Layouts::of`] answers for values, [`Layouts::object`] for what stands behind a reference struct,
//! [`Layouts::closure`] for closure objects. [`PlaceTy`] follows projections.

mod compute;
mod places;
mod recursion;
mod slots;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::sync::Arc;

use qz_base::FxHashMap;
use qz_types::{AdtId, Ty, TyFlags, TyKind};

use crate::body::{ClosureTarget, Rvalue};
use crate::program::{AdtDef, Module, Source};

pub use places::PlaceTy;
pub use slots::Slot;

/// Who knows the declarations of data types.
pub trait AdtDefs {
    fn adt_def(&self, id: AdtId) -> Arc<AdtDef>;

    /// Resolves associated and opaque types inside a type without parameters, and leaves out rows.
    fn resolve(&self, ty: Ty) -> Ty;
}

impl<S: Source + ?Sized> AdtDefs for S {
    fn adt_def(&self, id: AdtId) -> Arc<AdtDef> {
        self.adt(id)
    }

    fn resolve(&self, ty: Ty) -> Ty {
        self.normalize(ty)
    }
}

/// A machine value.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
    Ptr,
}

impl Scalar {
    pub const fn size(self) -> u32 {
        match self {
            Scalar::I8 => 1,
            Scalar::I16 => 2,
            Scalar::I32 | Scalar::F32 => 4,
            Scalar::I64 | Scalar::F64 | Scalar::Ptr => 8,
        }
    }

    pub const fn is_float(self) -> bool {
        matches!(self, Scalar::F32 | Scalar::F64)
    }

    /// The integer of this many bytes: 1, 2, 4 or 8.
    pub const fn int_of_size(size: u32) -> Scalar {
        match size {
            1 => Scalar::I8,
            2 => Scalar::I16,
            4 => Scalar::I32,
            _ => Scalar::I64,
        }
    }
}

/// How values of one type lie in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub ty: Ty,
    pub size: u32,
    pub align: u32,
    pub shape: Shape,
    /// The value as machine values that do not overlap and cover all that matters, by rising offset; `None`
    /// if there are more than [`MAX_SLOTS`], or too many to tell.
    pub slots: Option<Box<[Slot]>>,
    /// Whether values hold counted pointers.
    pub needs_release: bool,
    /// Bit patterns that no value has.
    pub niche: Option<Niche>,
}

/// Values of up to so many machine values are kept in registers by engines.
pub const MAX_SLOTS: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// There are no values.
    Never,
    /// A number, `Bool`, `Char`.
    Scalar(Scalar),
    /// A counted pointer: reference struct, string, function value, `dyn`.
    Object,
    /// `Ptr<T>` or a borrow.
    Pointer,
    /// Tuple, record, `@value` struct, newtype.
    Product(Fields),
    Enum(EnumLayout),
}

/// Parts of a value, in declaration order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    pub tys: Box<[Ty]>,
    pub offsets: Box<[u32]>,
}

impl Fields {
    pub fn len(&self) -> usize {
        self.tys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.tys.is_empty()
    }

    /// Type and offset of each, in declaration order.
    pub fn iter(&self) -> impl Iterator<Item = (Ty, u32)> + '_ {
        self.tys.iter().copied().zip(self.offsets.iter().copied())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumLayout {
    /// Fields of each variant. In a boxed enum offsets count from the start of the cell.
    pub variants: Box<[Fields]>,
    pub tag: Tag,
}

/// How an enum's value tells its variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tag {
    /// There is one variant.
    Single,
    /// The variant's index stands at this offset, as an unsigned integer.
    Direct { offset: u32, scalar: Scalar },
    /// `variant` is there unless the scalar at `offset` is one of `first`, `first + 1`, …, which stand for
    /// the other variants in order.
    Niche { variant: u32, offset: u32, scalar: Scalar, first: u64 },
    /// The value is one word: a pointer to a cell that holds header, variant index (`u32` at
    /// [`qz_rt_abi::object::CELL_TAG`]) and fields, or, for variants without fields, a small number.
    Boxed { immediates: Box<[Option<u32>]>, cell_size: u32, cell_align: u32 },
}

/// Bit patterns of a scalar inside a value that no value has: `count` of them from `first` on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Niche {
    pub offset: u32,
    pub scalar: Scalar,
    pub first: u64,
    pub count: u64,
}

/// A heap object: the header is part of it, offsets count from its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectLayout {
    pub size: u32,
    pub align: u32,
    pub fields: Fields,
}

impl Layout {
    pub fn is_zero_sized(&self) -> bool {
        self.size == 0
    }

    pub fn is_boxed(&self) -> bool {
        matches!(&self.shape, Shape::Enum(EnumLayout { tag: Tag::Boxed { .. }, .. }))
    }

    /// Fields of a tuple, record, `@value` struct or newtype.
    ///
    /// # Panics
    /// If the type has none.
    pub fn fields(&self) -> &Fields {
        match &self.shape {
            Shape::Product(fields) => fields,
            other => unreachable!("{:?} has no fields of its own: {other:?}", self.ty),
        }
    }

    /// # Panics
    /// If the type is no enum.
    pub fn as_enum(&self) -> &EnumLayout {
        match &self.shape {
            Shape::Enum(it) => it,
            other => unreachable!("{:?} is no enum: {other:?}", self.ty),
        }
    }

    /// Whether a value is exactly one word that, where it is an address ([`qz_rt_abi::object::FIRST_ADDRESS`]
    /// or above), leads to a counted object: objects, boxed enums, and options of these.
    pub fn is_counted_word(&self) -> bool {
        match &self.shape {
            Shape::Object => true,
            Shape::Enum(EnumLayout { tag: Tag::Boxed { .. }, .. }) => true,
            Shape::Enum(EnumLayout { tag: Tag::Niche { scalar: Scalar::Ptr, .. }, .. }) => {
                self.size == 8 && self.needs_release
            }
            _ => false,
        }
    }
}

/// Layouts of types, computed once each, for one thread. Types must be concrete; associated and opaque types in them are
/// resolved first.
pub struct Layouts<'a> {
    defs: &'a dyn AdtDefs,
    values: RefCell<FxHashMap<Ty, Arc<Layout>>>,
    objects: RefCell<FxHashMap<Ty, Arc<ObjectLayout>>>,
}

impl<'a> Layouts<'a> {
    pub fn new(defs: &'a dyn AdtDefs) -> Layouts<'a> {
        Layouts { defs, values: RefCell::default(), objects: RefCell::default() }
    }

    pub fn defs(&self) -> &'a dyn AdtDefs {
        self.defs
    }

    /// The layout of values of a type.
    ///
    /// # Panics
    /// If the type holds parameters or inference variables: those do not reach code.
    pub fn of(&self, ty: Ty) -> Arc<Layout> {
        if let Some(known) = self.values.borrow().get(&ty) {
            return known.clone();
        }
        let resolved = self.resolve(ty);
        let layout = if resolved != ty { self.of(resolved) } else { Arc::new(self.compute(ty)) };
        self.values.borrow_mut().insert(ty, layout.clone());
        layout
    }

    /// The object behind a value of a reference struct type.
    ///
    /// # Panics
    /// If the type is no reference struct.
    pub fn object(&self, ty: Ty) -> Arc<ObjectLayout> {
        if let Some(known) = self.objects.borrow().get(&ty) {
            return known.clone();
        }
        let resolved = self.resolve(ty);
        let layout = if resolved != ty { self.object(resolved) } else { Arc::new(self.compute_object(ty)) };
        self.objects.borrow_mut().insert(ty, layout.clone());
        layout
    }

    /// The closure object with these captures.
    pub fn closure(&self, captures: &[Ty]) -> ObjectLayout {
        self.object_of(captures, qz_rt_abi::object::CLOSURE_CAPTURES, false)
    }

    /// The box around a value of type `from` that has become a `dyn` value: one field.
    pub fn dyn_box(&self, from: Ty) -> ObjectLayout {
        self.object_of(&[from], qz_rt_abi::object::DYN_PAYLOAD, false)
    }

    /// The cell of a boxed enum: its size and alignment.
    ///
    /// # Panics
    /// If the type is no boxed enum.
    pub fn cell(&self, ty: Ty) -> (u32, u32) {
        match &self.of(ty).as_enum().tag {
            Tag::Boxed { cell_size, cell_align, .. } => (*cell_size, *cell_align),
            other => unreachable!("{ty:?} is not boxed: {other:?}"),
        }
    }

    /// Size and alignment of the objects behind values of a reference struct or a boxed enum.
    pub fn block(&self, ty: Ty) -> Option<(u32, u32)> {
        if self.is_reference_struct(ty) {
            let object = self.object(ty);
            return Some((object.size, object.align));
        }
        self.of(ty).is_boxed().then(|| self.cell(ty))
    }

    /// Size and alignment of the object that a value makes, if it makes one.
    pub fn allocated(&self, module: &Module, value: &Rvalue) -> Option<(u32, u32)> {
        if !value.is_allocation() {
            return None;
        }
        let of = |object: ObjectLayout| (object.size, object.align);
        match value {
            Rvalue::New(ty, _) => self.block(*ty),
            Rvalue::Aggregate(kind, _) => self.of(kind.ty()).is_boxed().then(|| self.cell(kind.ty())),
            Rvalue::Closure(target, _) => match **target {
                ClosureTarget::Instance(id) => {
                    let body = module.instances[id].body.as_ref()?;
                    Some(of(self.closure(&body.captures)))
                }
                _ => None,
            },
            Rvalue::MakeDyn { from, .. } => Some(of(self.dyn_box(*from))),
            _ => None,
        }
    }

    /// The type of the object that a counted word may lead to ([`Layout::is_counted_word`]).
    pub fn counted_object(&self, layout: &Layout) -> Ty {
        let fields = match &layout.shape {
            Shape::Product(fields) => fields,
            Shape::Enum(EnumLayout { tag: Tag::Niche { variant, .. }, variants }) => {
                &variants[*variant as usize]
            }
            Shape::Enum(EnumLayout { tag: Tag::Single, variants }) => &variants[0],
            _ => return self.resolve(layout.ty),
        };
        let mut parts = fields.tys.iter().map(|&ty| self.of(ty));
        let word = parts.find(|layout| layout.needs_release).expect("it holds a counted word");
        self.counted_object(&word)
    }

    /// The type with associated and opaque types resolved.
    pub fn resolve(&self, ty: Ty) -> Ty {
        if ty.has(TyFlags::UNSETTLED) { self.defs.resolve(ty) } else { ty }
    }

    pub fn is_reference_struct(&self, ty: Ty) -> bool {
        match *self.resolve(ty).kind() {
            TyKind::Adt(id, _) => {
                matches!(self.defs.adt_def(id).kind, crate::program::AdtKind::Reference(_))
            }
            _ => false,
        }
    }
}
