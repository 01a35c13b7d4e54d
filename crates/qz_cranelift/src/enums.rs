//! Enums: which variant a value is, and making one.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Type, Value, types};
use qz_mir::Place;
use qz_mir::TypeEntryKind;
use qz_mir::layout::{EnumLayout, Layout, Tag};
use qz_rt_abi::object::CELL_TAG;

use crate::function::FnCx;
use crate::place::Spot;
use crate::value::{Addr, Val, clif_ty};

impl FnCx<'_, '_, '_> {
    /// The index of the variant in a place, as an `Int`.
    pub(crate) fn discriminant(&mut self, place: &Place) -> Value {
        let (spot, ty) = self.spot(place);
        let layout = self.program.layouts.of(ty.value());
        self.discriminant_at(&layout, spot)
    }

    fn discriminant_at(&mut self, layout: &Layout, spot: Spot) -> Value {
        let it = layout.as_enum();
        match &it.tag {
            Tag::Single => self.int(types::I64, 0),
            Tag::Direct { offset, scalar } => {
                let tag = self.scalar_at(spot, *offset, *scalar);
                self.widen(tag)
            }
            Tag::Niche { variant, offset, scalar, first } => {
                let value = self.scalar_at(spot, *offset, *scalar);
                self.niche_discriminant(it, value, *variant, *first)
            }
            Tag::Boxed { immediates, .. } => {
                let word = self.scalar_at(spot, 0, qz_mir::Scalar::Ptr);
                self.boxed_discriminant(immediates, word)
            }
        }
    }

    /// The index of the variant of a value that was read.
    pub(crate) fn discriminant_of(&mut self, layout: &Layout, value: &Val) -> Value {
        match value {
            Val::Memory(at) => self.discriminant_at(layout, Spot::Memory(*at)),
            Val::Parts(parts) => {
                let it = layout.as_enum();
                let mut scalar = |offset: u32, scalar| {
                    let slots = layout.slots.as_ref().expect("parts are by slots");
                    let index = crate::value::slot_at(slots, offset);
                    self.extract(slots[index], parts[index], offset, scalar)
                };
                match &it.tag {
                    Tag::Single => self.int(types::I64, 0),
                    Tag::Direct { offset, scalar: of } => {
                        let tag = scalar(*offset, *of);
                        self.widen(tag)
                    }
                    Tag::Niche { variant, offset, scalar: of, first } => {
                        let value = scalar(*offset, *of);
                        self.niche_discriminant(it, value, *variant, *first)
                    }
                    Tag::Boxed { immediates, .. } => self.boxed_discriminant(immediates, parts[0]),
                }
            }
        }
    }

    fn widen(&mut self, value: Value) -> Value {
        match self.b.func.dfg.value_type(value) {
            types::I64 => value,
            _ => self.b.ins().uextend(types::I64, value),
        }
    }

    fn niche_discriminant(&mut self, it: &EnumLayout, value: Value, variant: u32, first: u64) -> Value {
        let ty = self.b.func.dfg.value_type(value);
        let others = it.variants.len() as i64 - 1;
        let first = self.int(ty, first as i64);
        if others == 1 {
            let test = if variant == 0 { IntCC::Equal } else { IntCC::NotEqual };
            let is_second = self.b.ins().icmp(test, value, first);
            return self.b.ins().uextend(types::I64, is_second);
        }
        let relative = self.b.ins().isub(value, first);
        let count = self.int(ty, others);
        let is_other = self.b.ins().icmp(IntCC::UnsignedLessThan, relative, count);
        let relative = self.widen(relative);
        let variant = self.int(types::I64, variant as i64);
        // The others are numbered without the variant that has the payload.
        let after = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, relative, variant);
        let after = self.b.ins().uextend(types::I64, after);
        let other = self.b.ins().iadd(relative, after);
        self.b.ins().select(is_other, other, variant)
    }

    fn boxed_discriminant(&mut self, immediates: &[Option<u32>], word: Value) -> Value {
        if immediates.iter().all(Option::is_none) {
            return self.cell_tag(word);
        }
        let done = self.fresh_block(&[types::I64]);
        let (cell, small) = (self.fresh_block(&[]), self.fresh_block(&[]));
        let is_cell = self.is_address(word);
        self.b.ins().brif(is_cell, cell, &[], small, &[]);
        self.continue_in(cell);
        let tag = self.cell_tag(word);
        self.jump(done, &[tag]);
        self.continue_in(small);
        let index = self.immediate_index(immediates, word);
        self.jump(done, &[index]);
        self.continue_in(done);
        self.b.block_params(done)[0]
    }

    fn cell_tag(&mut self, word: Value) -> Value {
        let tag = self.load_scalar(qz_mir::Scalar::I32, Addr::object(word).plus(CELL_TAG));
        self.widen(tag)
    }

    /// The variant that a small number stands for. Small numbers count variants without fields.
    fn immediate_index(&mut self, immediates: &[Option<u32>], word: Value) -> Value {
        let variants = immediates.iter().enumerate().filter_map(|(i, n)| n.map(|n| (i as u32, n)));
        let variants: Vec<(u32, u32)> = variants.collect();
        let shift = variants[0].0;
        if variants.iter().all(|&(index, number)| index == number + shift) {
            return if shift == 0 { word } else { self.b.ins().iadd_imm_s(word, shift as i64) };
        }
        let (last, rest) = variants.split_last().expect("there is a variant without fields");
        let mut result = self.int(types::I64, last.0 as i64);
        for &(index, number) in rest {
            let is = self.b.ins().icmp_imm_u(IntCC::Equal, word, number as i64);
            let index = self.int(types::I64, index as i64);
            result = self.b.ins().select(is, index, result);
        }
        result
    }

    /// A value of one variant.
    pub(crate) fn variant(&mut self, layout: &Layout, variant: u32, values: &[Val]) -> Val {
        let it = layout.as_enum();
        let fields = &it.variants[variant as usize];
        match &it.tag {
            Tag::Single => self.fields_into(layout, fields, values),
            Tag::Direct { offset, scalar } => {
                let tag = self.int(clif_ty(*scalar), variant as i64);
                self.tagged(layout, variant, values, *offset, tag)
            }
            Tag::Niche { variant: payload, .. } if *payload == variant => {
                self.fields_into(layout, fields, values)
            }
            Tag::Niche { variant: payload, offset, scalar, first } => {
                let number = if variant < *payload { variant } else { variant - 1 };
                let pattern = self.int(clif_ty(*scalar), (*first + number as u64) as i64);
                self.tagged(layout, variant, values, *offset, pattern)
            }
            Tag::Boxed { immediates, .. } => match immediates[variant as usize] {
                Some(number) => Val::one(self.int(types::I64, number as i64)),
                None => self.new_cell(layout, variant, values),
            },
        }
    }

    /// Fields, and an integer at an offset that tells the variant.
    fn tagged(&mut self, layout: &Layout, variant: u32, values: &[Val], offset: u32, tag: Value) -> Val {
        let fields = &layout.as_enum().variants[variant as usize];
        let tag_layout = self.tag_layout(self.b.func.dfg.value_type(tag));
        let layouts: Vec<_> = fields.tys.iter().map(|&ty| self.program.layouts.of(ty)).collect();
        let mut parts = vec![(offset, &*tag_layout, Val::one(tag))];
        for ((layout, &offset), value) in layouts.iter().zip(&fields.offsets).zip(values) {
            parts.push((offset, &**layout, value.clone()));
        }
        self.compose(layout, &parts)
    }

    fn tag_layout(&self, ty: Type) -> std::sync::Arc<Layout> {
        use qz_types::{IntTy, Ty, TyKind};
        let int = match ty {
            types::I8 => IntTy::U8,
            types::I16 => IntTy::U16,
            types::I32 => IntTy::U32,
            _ => IntTy::U64,
        };
        self.program.layouts.of(Ty::new(TyKind::Int(int)))
    }

    fn new_cell(&mut self, layout: &Layout, variant: u32, values: &[Val]) -> Val {
        let cell = self.new_object(&TypeEntryKind::Ty(layout.ty));
        let tag = self.int(types::I32, variant as i64);
        self.store_scalar(tag, Addr::object(cell).plus(CELL_TAG));
        self.store_fields(cell, &layout.as_enum().variants[variant as usize], values);
        Val::one(cell)
    }
}
