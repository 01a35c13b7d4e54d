//! Kinds of memory that never overlap, so that Cranelift may keep what it read from one over a store to another.
//!
//! Every byte is accessed as one kind for as long as it holds a value; memory changes kind only when an
//! object is made or freed, and then by a fresh address. Calls end all knowledge.

use cranelift_codegen::ir::{AliasRegion, AliasRegionData, InstBuilder, MemFlagsData, Type, Value};

use crate::function::FnCx;

/// What lies at an address.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// May be anything: locals in memory, what a `&` leads to, module variables.
    Any,
    /// Count and type index of a heap object.
    Header,
    /// Everything behind the header of a heap object.
    Object,
    /// Elements behind a `Ptr<T>`, such as those of a `Vec`.
    Element,
    /// The fiber, the worker, the type table.
    Runtime,
    /// The word in a free block that leads to the next one.
    Link,
}

/// The regions as Cranelift numbers them in the function at hand, made when first used.
pub(crate) type Regions = [Option<AliasRegion>; 6];

const NAMES: [&str; 6] = ["any", "header", "object", "element", "runtime", "link"];

impl FnCx<'_, '_, '_> {
    /// Flags of accesses to memory that is known to be there.
    fn flags(&mut self, region: Region) -> MemFlagsData {
        let flags = MemFlagsData::trusted();
        if region == Region::Any {
            return flags;
        }
        let index = region as usize;
        let known = self.regions[index].unwrap_or_else(|| {
            let data = AliasRegionData { user_id: index as u32, description: NAMES[index].into() };
            self.b.func.dfg.alias_regions.insert(data)
        });
        self.regions[index] = Some(known);
        flags.with_alias_region(Some(known))
    }

    pub(crate) fn load_from(&mut self, region: Region, ty: Type, base: Value, offset: i32) -> Value {
        let flags = self.flags(region);
        self.b.ins().load(ty, flags, base, offset)
    }

    pub(crate) fn store_to(&mut self, region: Region, value: Value, base: Value, offset: i32) {
        let flags = self.flags(region);
        self.b.ins().store(flags, value, base, offset);
    }
}
