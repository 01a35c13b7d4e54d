//! A value as machine values: what engines keep in registers instead of memory.

use super::{Layouts, MAX_SLOTS, Scalar, Shape, Tag};

/// A machine value at an offset. Payloads of different variants share slots; where they disagree about the
/// class, the slot is an integer, and a smaller scalar inside it sits at its own offset (`offset_of_scalar -
/// slot.offset` bytes up, little-endian).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub offset: u32,
    pub scalar: Scalar,
}

/// Beyond so many scalars the question is given up.
const MAX_LEAVES: usize = 64;

impl Layouts<'_> {
    pub(super) fn slots(&self, shape: &Shape) -> Option<Box<[Slot]>> {
        let mut leaves = Vec::new();
        self.leaves(shape, 0, &mut leaves)?;
        let slots = merge(leaves);
        (slots.len() <= MAX_SLOTS).then(|| slots.into())
    }

    /// Collects the scalars of all variants; `None` if there are too many.
    fn leaves(&self, shape: &Shape, base: u32, out: &mut Vec<Slot>) -> Option<()> {
        match shape {
            Shape::Never => {}
            Shape::Scalar(scalar) => out.push(Slot { offset: base, scalar: *scalar }),
            Shape::Object | Shape::Pointer => out.push(Slot { offset: base, scalar: Scalar::Ptr }),
            Shape::Product(fields) => self.field_leaves(fields, base, out)?,
            Shape::Enum(it) => {
                match &it.tag {
                    Tag::Boxed { .. } => {
                        out.push(Slot { offset: base, scalar: Scalar::Ptr });
                        return Some(());
                    }
                    Tag::Direct { offset, scalar } => {
                        out.push(Slot { offset: base + offset, scalar: *scalar });
                    }
                    Tag::Single | Tag::Niche { .. } => {}
                }
                it.variants.iter().try_for_each(|fields| self.field_leaves(fields, base, out))?;
            }
        }
        (out.len() <= MAX_LEAVES).then_some(())
    }

    fn field_leaves(&self, fields: &super::Fields, base: u32, out: &mut Vec<Slot>) -> Option<()> {
        fields.iter().try_for_each(|(ty, offset)| {
            let layout = self.of(ty);
            match &layout.slots {
                Some(slots) => {
                    out.extend(
                        slots.iter().map(|slot| Slot { offset: base + offset + slot.offset, ..*slot }),
                    );
                    (out.len() <= MAX_LEAVES).then_some(())
                }
                None => None,
            }
        })
    }
}

/// Joins scalars that overlap. All are aligned to their size, so of two that overlap one holds the other.
fn merge(mut leaves: Vec<Slot>) -> Vec<Slot> {
    leaves.sort_by_key(|slot| (slot.offset, std::cmp::Reverse(slot.scalar.size())));
    let mut slots: Vec<Slot> = Vec::new();
    for leaf in leaves {
        match slots.last_mut() {
            Some(last) if leaf.offset < last.offset + last.scalar.size() => {
                if *last != leaf {
                    last.scalar = Scalar::int_of_size(last.scalar.size());
                }
            }
            _ => slots.push(leaf),
        }
    }
    slots
}
