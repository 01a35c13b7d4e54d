//! From a value in memory to a constant: static blobs that hold it and everything it refers to, every object
//! immortal. Sharing is kept; a cycle is fine.

use qz_base::FxHashMap;
use qz_mir::layout::{Fields, Layout, Scalar, Shape, Tag};
use qz_mir::{StaticData, StaticDataId};
use qz_rt_abi::object::{FIRST_ADDRESS, IMMORTAL, STR_BYTES, STR_SIZE, StrObject};
use qz_types::{Ty, TyKind};

use crate::Stop;
use crate::enums::discriminant;
use crate::machine::Machine;
use crate::memory::Addr;

/// An evaluated constant.
#[derive(Debug, Default)]
pub struct Frozen {
    /// New blobs, to be added to the module in this order: the ids in `pointers` count on from those that
    /// the module has.
    pub blobs: Vec<StaticData>,
    /// The blob that holds the value itself.
    pub root: Option<StaticDataId>,
}

struct Freezer<'a, 'm> {
    machine: &'a Machine<'m>,
    blobs: Vec<StaticData>,
    /// Blobs of objects by address.
    known: FxHashMap<u64, u32>,
    first: u32,
}

impl Machine<'_> {
    /// Freezes the value at an address. Function values, `dyn` values and raw pointers cannot be constants.
    pub(crate) fn freeze(&self, layout: &Layout, at: Addr) -> Result<Frozen, Stop> {
        let first = self.module.data.len() as u32;
        let mut freezer = Freezer { machine: self, blobs: Vec::new(), known: FxHashMap::default(), first };
        let root = freezer.blob(layout.size, layout.align);
        freezer.value(layout, at, root, 0)?;
        Ok(Frozen { blobs: freezer.blobs, root: Some(StaticDataId::from_raw(first + root)) })
    }
}

impl Freezer<'_, '_> {
    fn blob(&mut self, size: u32, align: u32) -> u32 {
        self.blobs.push(StaticData { bytes: vec![0; size as usize], align, pointers: Vec::new() });
        self.blobs.len() as u32 - 1
    }

    fn put(&mut self, blob: u32, offset: u32, bytes: &[u8]) {
        let offset = offset as usize;
        self.blobs[blob as usize].bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    fn point(&mut self, blob: u32, offset: u32, target: u32) {
        let target = StaticDataId::from_raw(self.first + target);
        self.blobs[blob as usize].pointers.push((offset, target));
    }

    /// Copies the value at `at` into a blob.
    fn value(&mut self, layout: &Layout, at: Addr, blob: u32, offset: u32) -> Result<(), Stop> {
        self.put(blob, offset, at.bytes(layout.size as u64));
        match &layout.shape {
            Shape::Never | Shape::Scalar(_) => Ok(()),
            Shape::Pointer => self.pointer(layout.ty, at),
            Shape::Object => self.object(layout.ty, at.follow(), blob, offset),
            Shape::Product(fields) => self.fields(fields, at, blob, offset),
            Shape::Enum(it) => {
                let variant = discriminant(layout, at) as usize;
                match &it.tag {
                    Tag::Boxed { cell_size, .. } if at.read(Scalar::Ptr) >= FIRST_ADDRESS => {
                        self.counted(at.follow(), *cell_size, &it.variants[variant], blob, offset)
                    }
                    Tag::Boxed { .. } => Ok(()),
                    _ => self.fields(&it.variants[variant], at, blob, offset),
                }
            }
        }
    }

    fn pointer(&self, ty: Ty, at: Addr) -> Result<(), Stop> {
        match at.read(Scalar::Ptr) {
            0 => Ok(()),
            _ => Err(Stop::Unsupported(format!("a constant cannot hold a pointer: {ty:?}"))),
        }
    }

    fn fields(&mut self, fields: &Fields, at: Addr, blob: u32, offset: u32) -> Result<(), Stop> {
        for (ty, field) in fields.iter() {
            let layout = self.machine.layouts.of(ty);
            self.value(&layout, at.plus(field), blob, offset + field)?;
        }
        Ok(())
    }

    fn object(&mut self, ty: Ty, object: Addr, blob: u32, offset: u32) -> Result<(), Stop> {
        match ty.kind() {
            TyKind::Str => {
                self.string(object, blob, offset);
                Ok(())
            }
            TyKind::Adt(..) => {
                let layout = self.machine.layouts.object(ty);
                self.counted(object, layout.size, &layout.fields, blob, offset)
            }
            _ => Err(Stop::Unsupported("a constant cannot hold a function or `dyn` value".into())),
        }
    }

    /// An object with a header, made immortal.
    fn counted(&mut self, object: Addr, size: u32, fields: &Fields, blob: u32, at: u32) -> Result<(), Stop> {
        if let Some(&known) = self.known.get(&object.word()) {
            self.point(blob, at, known);
            return Ok(());
        }
        let target = self.blob(size, 8);
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
        let target = self.blob(STR_SIZE, 8);
        self.known.insert(object.word(), target);
        self.point(blob, at, target);
        self.put(target, 0, object.bytes(STR_SIZE as u64));
        self.put(target, 0, &IMMORTAL.to_le_bytes());
        // SAFETY: a live string; its text is copied at once.
        let text = unsafe { qz_rt::strings::text(object.0.cast::<StrObject>()) };
        let bytes = self.blob(text.len() as u32, 1);
        self.put(bytes, 0, text.as_bytes());
        self.point(target, STR_BYTES, bytes);
    }
}
