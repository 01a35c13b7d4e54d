//! Memory that lives as long as the program: literals, constants, tables of methods, module variables, the
//! type table.

use std::sync::Arc;

use qz_base::FxHashMap;
use qz_codegen::TypeTable;
use qz_mir::layout::Layouts;
use qz_mir::{InstanceId, Module, StaticDataId, VtableId};
use qz_rt_abi::object::{
    CLOSURE_CODE, IMMORTAL, STR_BYTES, STR_CHARS, STR_LEN, STR_SIZE, TYPE_STR, TypeInfo,
};
use qz_types::StaticId;

use crate::memory::Addr;

/// What a code pointer holds: no address, but the instance's number, not zero.
pub(crate) fn code_word(id: InstanceId) -> u64 {
    id.raw() as u64 + 1
}

pub(crate) fn instance_of(code: u64) -> InstanceId {
    InstanceId::from_raw((code - 1) as u32)
}

/// Owns the memory; made on demand.
#[derive(Default)]
pub(crate) struct Data {
    strings: FxHashMap<Arc<str>, Addr>,
    closures: FxHashMap<InstanceId, Addr>,
    vtables: FxHashMap<VtableId, Addr>,
    blobs: FxHashMap<StaticDataId, Addr>,
    statics: FxHashMap<StaticId, Addr>,
    /// Blocks of words, never moved.
    owned: Vec<Box<[u64]>>,
}

impl Data {
    fn block(&mut self, bytes: usize) -> Addr {
        let mut block = vec![0u64; bytes / 8 + 2].into_boxed_slice();
        let at = Addr::of(&mut block);
        self.owned.push(block);
        at
    }

    fn immortal(&mut self, bytes: u32) -> Addr {
        let at = self.block(bytes as usize);
        at.write(qz_mir::Scalar::I32, IMMORTAL as u32 as u64);
        at.plus(4).write(qz_mir::Scalar::I32, TYPE_STR as u64);
        at
    }

    pub(crate) fn string(&mut self, text: &Arc<str>) -> Addr {
        if let Some(&known) = self.strings.get(text) {
            return known;
        }
        let at = self.immortal(STR_SIZE + text.len() as u32);
        let bytes = at.plus(STR_SIZE);
        bytes.copy_from(Addr(text.as_ptr().cast_mut()), text.len() as u64);
        at.plus(STR_BYTES).write(qz_mir::Scalar::Ptr, bytes.word());
        at.plus(STR_LEN).write(qz_mir::Scalar::I32, text.len() as u64);
        at.plus(STR_CHARS).write(qz_mir::Scalar::I32, text.chars().count() as u64);
        self.strings.insert(text.clone(), at);
        at
    }

    /// The closure object of a function that captures nothing.
    pub(crate) fn closure(&mut self, id: InstanceId) -> Addr {
        if let Some(&known) = self.closures.get(&id) {
            return known;
        }
        let at = self.immortal(16);
        at.plus(CLOSURE_CODE).write(qz_mir::Scalar::Ptr, code_word(id));
        self.closures.insert(id, at);
        at
    }

    pub(crate) fn vtable(&mut self, module: &Module, id: VtableId) -> Addr {
        if let Some(&known) = self.vtables.get(&id) {
            return known;
        }
        let slots = &module.vtables[id].slots;
        let at = self.block(slots.len() * 8);
        for (i, &slot) in slots.iter().enumerate() {
            at.plus(i as u32 * 8).write(qz_mir::Scalar::Ptr, code_word(slot));
        }
        self.vtables.insert(id, at);
        at
    }

    pub(crate) fn blob(&mut self, module: &Module, types: &TypeTable, id: StaticDataId) -> Addr {
        if let Some(&known) = self.blobs.get(&id) {
            return known;
        }
        let data = &module.data[id];
        let at = self.block(data.bytes.len());
        self.blobs.insert(id, at);
        let bytes = data.bytes_with_header(|kind| types.index(kind));
        at.copy_from(Addr(bytes.as_ptr().cast_mut()), bytes.len() as u64);
        for &(offset, target) in &data.pointers {
            let target = self.blob(module, types, target);
            at.plus(offset).write(qz_mir::Scalar::Ptr, target.word());
        }
        at
    }

    /// The storage of a module variable.
    pub(crate) fn static_var(&mut self, module: &Module, layouts: &Layouts, id: StaticId) -> Addr {
        if let Some(&known) = self.statics.get(&id) {
            return known;
        }
        let found = module.statics.iter().find(|(known, _)| *known == id);
        let (_, info) = found.expect("the module lists the variables it uses");
        let at = self.block(layouts.of(info.ty).size as usize);
        self.statics.insert(id, at);
        at
    }
}

/// The type table for the runtime. Nobody calls its destroy functions here.
pub(crate) fn type_infos(module: &Module, table: &TypeTable) -> Vec<TypeInfo> {
    let info = |name: &str, size, align, flags| TypeInfo {
        size,
        align,
        destroy: std::ptr::null(),
        name: name.as_ptr(),
        name_len: name.len() | flags,
    };
    let strings = info("String", 0, 8, 0);
    let entries = module.types.iter().zip(&table.entries);
    std::iter::once(strings)
        .chain(entries.map(|(entry, sizes)| info(&entry.name, sizes.size, sizes.align, entry.circle.flags())))
        .collect()
}
