//! The run-time type table of a program: which index stands in the header of which object, and how large
//! the object is. Entry 0 is for strings; the module's own entries follow.

use qz_base::FxHashMap;
use qz_mir::layout::{Layouts, ObjectLayout};
use qz_mir::{Const, InstanceId, InstanceKey, Module, TypeEntryKind};
use qz_rt_abi::object::FIRST_TYPE;
use qz_rt_abi::registry::NumTy;
use qz_types::ty::common;
use qz_types::{FloatTy, IntTy, Ty, TyKind};

/// Sizes and indexes of a module's heap objects.
pub struct TypeTable {
    indexes: FxHashMap<TypeEntryKind, u32>,
    /// Which of the entries has an index.
    places: FxHashMap<u32, usize>,
    /// Size, alignment and destroy function of each of the module's entries, in order.
    pub entries: Vec<TableEntry>,
    glue: FxHashMap<Ty, Glue>,
}

#[derive(Copy, Clone, Debug)]
pub struct TableEntry {
    pub size: u32,
    pub align: u32,
    pub destroy: InstanceId,
}

/// Functions made for a type.
#[derive(Copy, Clone, Debug, Default)]
pub struct Glue {
    pub destroy: Option<InstanceId>,
    pub retain: Option<InstanceId>,
    pub release: Option<InstanceId>,
}

impl TypeTable {
    pub fn new(module: &Module, layouts: &Layouts) -> TypeTable {
        let mut table = TypeTable {
            indexes: FxHashMap::default(),
            places: FxHashMap::default(),
            entries: Vec::new(),
            glue: FxHashMap::default(),
        };
        for (i, entry) in module.types.iter().enumerate() {
            let (size, align) = size_of(module, layouts, &entry.kind);
            let index = module.indexes.get(i).copied().unwrap_or(FIRST_TYPE + i as u32);
            table.indexes.insert(entry.kind.clone(), index);
            table.places.insert(index, i);
            table.entries.push(TableEntry { size, align, destroy: entry.destroy });
            if let TypeEntryKind::Ty(ty) = entry.kind {
                table.glue.entry(ty).or_default().destroy = Some(entry.destroy);
            }
        }
        for (id, instance) in module.instances.iter() {
            match instance.key {
                InstanceKey::RetainGlue(ty) => table.glue.entry(ty).or_default().retain = Some(id),
                InstanceKey::ReleaseGlue(ty) => table.glue.entry(ty).or_default().release = Some(id),
                _ => {}
            }
        }
        table
    }

    /// The index of a kind of object.
    ///
    /// # Panics
    /// If the module has no entry for it: whoever made the module forgot one.
    pub fn index(&self, kind: &TypeEntryKind) -> u32 {
        match self.indexes.get(kind) {
            Some(&index) => index,
            None => panic!("the module's type table lacks {kind:?}"),
        }
    }

    /// The entry behind an index of [`TypeTable::index`].
    pub fn entry(&self, index: u32) -> TableEntry {
        self.entries[self.places[&index]]
    }

    pub fn glue(&self, ty: Ty) -> Glue {
        self.glue.get(&ty).copied().unwrap_or_default()
    }
}

fn size_of(module: &Module, layouts: &Layouts, kind: &TypeEntryKind) -> (u32, u32) {
    let of_object = |object: &ObjectLayout| (object.size, object.align);
    match kind {
        TypeEntryKind::Ty(ty) if layouts.is_reference_struct(*ty) => of_object(&layouts.object(*ty)),
        TypeEntryKind::Ty(ty) => layouts.cell(*ty),
        TypeEntryKind::Closure(id) => {
            let captures = module.instances[*id].body.as_ref().map_or(&[][..], |body| &body.captures);
            of_object(&layouts.closure(captures))
        }
        TypeEntryKind::DynBox(from) => of_object(&layouts.dyn_box(*from)),
    }
}

/// The type of a constant.
pub fn const_ty(value: &Const) -> Ty {
    let c = common();
    match value {
        Const::Unit => c.unit,
        Const::Bool(_) => c.bool,
        Const::Int(_, int) => Ty::new(TyKind::Int(*int)),
        Const::F32(_) => Ty::new(TyKind::Float(FloatTy::F32)),
        Const::F64(_) => c.f64,
        Const::Char(_) => c.char,
        Const::Str(_) => c.str,
        Const::Null(ty) | Const::Item(_, _, ty) | Const::Static(_, ty) => *ty,
    }
}

/// The runtime's name for a numeric type.
pub fn num_ty(ty: Ty) -> NumTy {
    match ty.kind() {
        TyKind::Int(IntTy::I8) => NumTy::I8,
        TyKind::Int(IntTy::I16) => NumTy::I16,
        TyKind::Int(IntTy::I32) => NumTy::I32,
        TyKind::Int(IntTy::I64) => NumTy::I64,
        TyKind::Int(IntTy::U8) => NumTy::U8,
        TyKind::Int(IntTy::U16) => NumTy::U16,
        TyKind::Int(IntTy::U32) => NumTy::U32,
        TyKind::Float(FloatTy::F32) => NumTy::F32,
        TyKind::Float(FloatTy::F64) => NumTy::F64,
        TyKind::Char => NumTy::Char,
        _ => NumTy::U64,
    }
}
