//! From a value in memory to a constant: a plain operand where it fits into one, else static blobs that hold
//! it and everything it refers to, every object immortal. Sharing is kept.
//!
//! Only values that are immutable all through can be constants in this sense. What holds a mutable object, a
//! function or a raw pointer is made anew wherever the constant is used.

use qz_base::FxHashMap;
use qz_mir::layout::{Fields, Layout, Scalar, Shape, Tag};
use qz_mir::{Const, ConstValue, StaticData, StaticDataId};
use qz_rt_abi::object::{FIRST_ADDRESS, IMMORTAL, STR_BYTES, STR_SIZE, StrObject};
use qz_types::{FloatTy, Ty, TyKind};

use crate::arith::to_i128;
use crate::enums::discriminant;
use crate::machine::Machine;
use crate::memory::Addr;

/// The value holds something that must be made anew at each use.
struct Mutable;

struct Freezer<'a, 'm> {
    machine: &'a Machine<'m>,
    blobs: Vec<StaticData>,
    /// Blobs of objects by address.
    known: FxHashMap<u64, u32>,
}

impl Machine<'_> {
    /// Freezes the value at an address; `None` if it is not immutable all through.
    pub(crate) fn freeze(&self, layout: &Layout, at: Addr) -> Option<ConstValue> {
        if let Some(plain) = plain(layout, at) {
            return Some(ConstValue::Plain(plain));
        }
        let mut freezer = Freezer { machine: self, blobs: Vec::new(), known: FxHashMap::default() };
        let root = freezer.blob(layout.size, layout.align, None);
        freezer.value(layout, at, root, 0).ok()?;
        Some(ConstValue::Data(freezer.blobs))
    }
}

/// A value that fits into an operand.
fn plain(layout: &Layout, at: Addr) -> Option<Const> {
    let bits = || match layout.shape {
        Shape::Scalar(scalar) => at.read(scalar),
        _ => 0,
    };
    Some(match *layout.ty.kind() {
        TyKind::Bool => Const::Bool(bits() != 0),
        TyKind::Int(int) => Const::Int(to_i128(layout.ty, bits()), int),
        TyKind::Float(FloatTy::F32) => Const::F32(bits() as u32),
        TyKind::Float(FloatTy::F64) => Const::F64(bits()),
        TyKind::Char => Const::Char(char::from_u32(bits() as u32)?),
        // SAFETY: a live string; its text is copied at once.
        TyKind::Str => Const::Str(unsafe { qz_rt::strings::text(at.follow().0.cast::<StrObject>()) }.into()),
        _ => return None,
    })
}

impl Freezer<'_, '_> {
    fn blob(&mut self, size: u32, align: u32, object_of: Option<Ty>) -> u32 {
        let bytes = vec![0; size as usize];
        self.blobs.push(StaticData { bytes, align, pointers: Vec::new(), object_of });
        self.blobs.len() as u32 - 1
    }

    fn put(&mut self, blob: u32, offset: u32, bytes: &[u8]) {
        let offset = offset as usize;
        self.blobs[blob as usize].bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    fn point(&mut self, blob: u32, offset: u32, target: u32) {
        let target = StaticDataId::from_raw(target);
        self.blobs[blob as usize].pointers.push((offset, target));
    }

    /// Copies the value at `at` into a blob.
    fn value(&mut self, layout: &Layout, at: Addr, blob: u32, offset: u32) -> Result<(), Mutable> {
        self.put(blob, offset, at.bytes(layout.size as u64));
        match &layout.shape {
            Shape::Never | Shape::Scalar(_) => Ok(()),
            Shape::Pointer if at.read(Scalar::Ptr) == 0 => Ok(()),
            Shape::Pointer => Err(Mutable),
            Shape::Object if matches!(layout.ty.kind(), TyKind::Str) => {
                self.string(at.follow(), blob, offset);
                Ok(())
            }
            Shape::Object => Err(Mutable),
            Shape::Product(fields) => self.fields(fields, at, blob, offset),
            Shape::Enum(it) => {
                let variant = discriminant(layout, at) as usize;
                match &it.tag {
                    Tag::Boxed { cell_size, .. } if at.read(Scalar::Ptr) >= FIRST_ADDRESS => {
                        self.cell(layout.ty, at.follow(), *cell_size, &it.variants[variant], blob, offset)
                    }
                    Tag::Boxed { .. } => Ok(()),
                    _ => self.fields(&it.variants[variant], at, blob, offset),
                }
            }
        }
    }

    fn fields(&mut self, fields: &Fields, at: Addr, blob: u32, offset: u32) -> Result<(), Mutable> {
        for (ty, field) in fields.iter() {
            let layout = self.machine.layouts.of(ty);
            self.value(&layout, at.plus(field), blob, offset + field)?;
        }
        Ok(())
    }

    /// The cell of a variant, made immortal.
    fn cell(
        &mut self,
        ty: Ty,
        object: Addr,
        size: u32,
        fields: &Fields,
        blob: u32,
        at: u32,
    ) -> Result<(), Mutable> {
        if let Some(&known) = self.known.get(&object.word()) {
            self.point(blob, at, known);
            return Ok(());
        }
        let target = self.blob(size, 8, Some(ty));
        self.known.insert(object.word(), target);
        self.point(blob, at, target);
        self.put(target, 0, object.bytes(size as u64));
        self.put(target, 0, &IMMORTAL.to_le_bytes());
        self.fields(fields, object, target, 0)
    }

    fn string(&mut self, object: Addr, blob: u32, at: u32) {
        if let Some(&known) = self.known.get(&object.word()) {
            return self.point(blob, at, known);
        }
        let target = self.blob(STR_SIZE, 8, None);
        self.known.insert(object.word(), target);
        self.point(blob, at, target);
        self.put(target, 0, object.bytes(STR_SIZE as u64));
        self.put(target, 0, &IMMORTAL.to_le_bytes());
        // SAFETY: a live string; its text is copied at once.
        let text = unsafe { qz_rt::strings::text(object.0.cast::<StrObject>()) };
        let bytes = self.blob(text.len() as u32, 1, None);
        self.put(bytes, 0, text.as_bytes());
        self.point(target, STR_BYTES, bytes);
    }
}
