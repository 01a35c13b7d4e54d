//! Places: following projections to slots of a local or to memory, reading and writing there.

use std::sync::Arc;

use qz_mir::layout::{Layout, PlaceTy, Scalar, Slot};
use qz_mir::{Local, Place, Proj};
use smallvec::SmallVec;

use crate::function::FnCx;
use crate::ir::{LlTy, Value, Var};
use crate::memory::Addr;
use crate::value::{Parts, Val, slot_at};

/// Where a local lives.
#[derive(Clone, Debug)]
pub(crate) enum Home {
    /// A variable for each slot.
    Slots(SmallVec<[Var; 2]>),
    /// In the frame, or at an address that was passed.
    Memory(Addr),
}

/// Where a place lies.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Spot {
    /// At an offset inside a local that lives in slots.
    Slots {
        local: Local,
        offset: u32,
    },
    Memory(Addr),
}

impl Spot {
    fn plus(self, by: u32) -> Spot {
        match self {
            Spot::Slots { local, offset } => Spot::Slots { local, offset: offset + by },
            Spot::Memory(at) => Spot::Memory(at.plus(by)),
        }
    }
}

impl FnCx<'_, '_> {
    fn home_spot(&self, local: Local) -> Spot {
        match self.homes[local.index()] {
            Home::Slots(_) => Spot::Slots { local, offset: 0 },
            Home::Memory(at) => Spot::Memory(at),
        }
    }

    /// Where a place lies, and what it holds.
    pub(crate) fn spot(&mut self, place: &Place) -> (Spot, PlaceTy) {
        let mut spot = self.home_spot(place.local);
        let mut ty = PlaceTy::Value(self.layout_of(place.local).ty);
        let body = self.body;
        for &proj in &place.proj {
            let next = self.program.layouts.project(ty, proj, &body.captures);
            spot = self.step(spot, ty, proj);
            ty = next;
        }
        (spot, ty)
    }

    fn step(&mut self, spot: Spot, ty: PlaceTy, proj: Proj) -> Spot {
        let layouts = self.program.layouts;
        match proj {
            Proj::Deref => {
                let to = self.word_at(spot);
                let is_object = layouts.is_reference_struct(layouts.resolve(ty.value()));
                Spot::Memory(if is_object { Addr::object(to) } else { Addr::new(to) })
            }
            Proj::Field(i) => {
                let offset = match ty {
                    PlaceTy::Object(ty) => layouts.object(ty).fields.offsets[i as usize],
                    PlaceTy::Value(ty) => layouts.of(ty).fields().offsets[i as usize],
                    PlaceTy::Variant(ty, v) => {
                        layouts.of(ty).as_enum().variants[v as usize].offsets[i as usize]
                    }
                };
                spot.plus(offset)
            }
            Proj::Variant(_) if layouts.of(ty.value()).is_boxed() => {
                Spot::Memory(Addr::object(self.word_at(spot)))
            }
            Proj::Variant(_) => spot,
            Proj::Index(index) => {
                let of = layouts.project(ty, proj, &self.body.captures).value();
                let size = layouts.of(of).size;
                let base = self.word_at(spot);
                let index = self.read_local(index).single();
                Spot::Memory(Addr::element(self.element_at(base, index, size)))
            }
            Proj::Capture(i) => {
                let offset = self.closure_layout().fields.offsets[i as usize];
                Spot::Memory(Addr::object(self.word_at(spot)).plus(offset))
            }
        }
    }

    fn word_at(&mut self, spot: Spot) -> Value {
        self.scalar_at(spot, 0, Scalar::Ptr)
    }

    /// The slots of a local that lives in some.
    fn slots(&self, local: Local) -> SmallVec<[Var; 2]> {
        match &self.homes[local.index()] {
            Home::Slots(slots) => slots.clone(),
            Home::Memory(_) => unreachable!("only locals in slots have them"),
        }
    }

    fn get(&mut self, slot: Var, scalar: Scalar) -> Value {
        self.w.get(slot, LlTy::of(scalar))
    }

    /// One scalar of what lies at a spot.
    pub(crate) fn scalar_at(&mut self, spot: Spot, offset: u32, scalar: Scalar) -> Value {
        match spot.plus(offset) {
            Spot::Memory(at) => self.load(LlTy::of(scalar), at),
            Spot::Slots { local, offset } => {
                let layout = self.layout_of(local);
                let slots = slots_of(&layout);
                let index = slot_at(slots, offset);
                let homes = self.slots(local);
                let whole = self.get(homes[index], slots[index].scalar);
                self.extract(slots[index], whole, offset, scalar)
            }
        }
    }

    /// Reads a value of this layout.
    pub(crate) fn read_spot(&mut self, layout: &Layout, spot: Spot) -> Val {
        match spot {
            Spot::Memory(at) => self.load_value(layout, at),
            Spot::Slots { .. } => {
                let one = |slot: &Slot| self.scalar_at(spot, slot.offset, slot.scalar);
                Val::Parts(slots_of(layout).iter().map(one).collect())
            }
        }
    }

    pub(crate) fn write_spot(&mut self, layout: &Layout, spot: Spot, value: &Val) {
        match spot {
            Spot::Memory(at) => self.store_value(layout, value, at),
            Spot::Slots { local, offset } => {
                let whole = self.layout_of(local);
                let homes = self.slots(local);
                let Val::Parts(parts) = value else { unreachable!("{:?} has slots", layout.ty) };
                for (&part, slot) in parts.iter().zip(slots_of(layout)) {
                    let at = offset + slot.offset;
                    let index = slot_at(slots_of(&whole), at);
                    let container = slots_of(&whole)[index];
                    let partial = slot.scalar.size() < container.scalar.size();
                    let old = partial.then(|| self.get(homes[index], container.scalar));
                    let new = self.insert(container, old, at, slot.scalar, part);
                    self.w.put(new, homes[index]);
                }
            }
        }
    }

    /// The value in a place and its layout.
    pub(crate) fn read(&mut self, place: &Place) -> (Arc<Layout>, Val) {
        if let Some(local) = place.as_local() {
            return (self.layout_of(local), self.read_local(local));
        }
        let (spot, ty) = self.spot(place);
        let layout = self.program.layouts.of(ty.value());
        let value = self.read_spot(&layout, spot);
        (layout, value)
    }

    pub(crate) fn read_local(&mut self, local: Local) -> Val {
        let layout = self.layout_of(local);
        match self.homes[local.index()].clone() {
            Home::Slots(homes) => {
                let parts = homes.iter().zip(slots_of(&layout));
                let parts: Parts = parts.map(|(&home, slot)| self.get(home, slot.scalar)).collect();
                Val::Parts(parts)
            }
            Home::Memory(at) => self.load_value(&layout, at),
        }
    }

    pub(crate) fn write_local(&mut self, local: Local, value: &Val) {
        match self.homes[local.index()].clone() {
            Home::Slots(homes) => {
                let Val::Parts(parts) = value else { unreachable!("the local has slots") };
                debug_assert_eq!(parts.len(), homes.len(), "the value fits the local");
                homes.iter().zip(parts).for_each(|(&home, &part)| self.w.put(part, home));
            }
            Home::Memory(at) => {
                let layout = self.layout_of(local);
                self.store_value(&layout, value, at);
            }
        }
    }

    /// The address of a place, which lies in memory.
    pub(crate) fn address_of(&mut self, place: &Place) -> Value {
        match self.spot(place) {
            (Spot::Memory(at), _) => self.address(at),
            (Spot::Slots { .. }, _) => unreachable!("locals whose address is taken live in memory"),
        }
    }
}

fn slots_of(layout: &Layout) -> &[Slot] {
    match &layout.slots {
        Some(slots) => slots,
        None => unreachable!("{:?} has no slots", layout.ty),
    }
}
