//! Enums: which variant a value is, and making one.

use qz_mir::layout::{Layout, Scalar, Tag};
use qz_mir::{Operand, TypeEntryKind};
use qz_rt_abi::object::{CELL_TAG, FIRST_ADDRESS};

use crate::machine::Machine;
use crate::memory::Addr;

/// The index of the variant of the value at an address.
pub(crate) fn discriminant(layout: &Layout, at: Addr) -> u32 {
    let it = layout.as_enum();
    match &it.tag {
        Tag::Single => 0,
        Tag::Direct { offset, scalar } => at.plus(*offset).read(*scalar) as u32,
        Tag::Niche { variant, offset, scalar, first } => {
            let mask = if scalar.size() == 8 { u64::MAX } else { (1 << (scalar.size() * 8)) - 1 };
            let relative = at.plus(*offset).read(*scalar).wrapping_sub(*first) & mask;
            if relative >= it.variants.len() as u64 - 1 {
                return *variant;
            }
            let number = relative as u32;
            if number < *variant { number } else { number + 1 }
        }
        Tag::Boxed { immediates, .. } => {
            let word = at.read(Scalar::Ptr);
            if word >= FIRST_ADDRESS {
                return Addr::from_word(word).plus(CELL_TAG).read(Scalar::I32) as u32;
            }
            let index = immediates.iter().position(|number| *number == Some(word as u32));
            index.expect("a small number stands for a variant") as u32
        }
    }
}

impl Machine<'_> {
    /// Writes a value of one variant.
    pub(crate) fn variant(&mut self, layout: &Layout, variant: u32, operands: &[Operand], to: Addr) {
        let it = layout.as_enum();
        let fields = &it.variants[variant as usize];
        match &it.tag {
            Tag::Single => self.store_fields(to, fields, operands),
            Tag::Direct { offset, scalar } => {
                self.store_fields(to, fields, operands);
                to.plus(*offset).write(*scalar, variant as u64);
            }
            Tag::Niche { variant: payload, offset, scalar, first } => {
                self.store_fields(to, fields, operands);
                if variant != *payload {
                    let number = if variant < *payload { variant } else { variant - 1 };
                    to.plus(*offset).write(*scalar, first + number as u64);
                }
            }
            Tag::Boxed { immediates, .. } => match immediates[variant as usize] {
                Some(number) => to.write(Scalar::Ptr, number as u64),
                None => {
                    let cell = self.new_object(&TypeEntryKind::Ty(layout.ty));
                    cell.plus(CELL_TAG).write(Scalar::I32, variant as u64);
                    self.store_fields(cell, fields, operands);
                    to.write(Scalar::Ptr, cell.word());
                }
            },
        }
    }
}
