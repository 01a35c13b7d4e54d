//! Enums: which variant a value is, and making one.

use qz_mir::layout::{EnumLayout, Layout, Tag};
use qz_mir::{Place, Scalar, TypeEntryKind};
use qz_rt_abi::object::CELL_TAG;
use qz_types::{IntTy, Ty, TyKind};

use crate::function::FnCx;
use crate::ir::{LlTy, Value};
use crate::memory::Addr;
use crate::place::Spot;
use crate::value::Val;

impl FnCx<'_, '_> {
    /// The index of the variant in a place, as an `Int`.
    pub(crate) fn discriminant(&mut self, place: &Place) -> Value {
        let (spot, ty) = self.spot(place);
        let layout = self.program.layouts.of(ty.value());
        self.discriminant_by(&layout, &mut |cx, offset, scalar| cx.scalar_at(spot, offset, scalar))
    }

    /// The index of the variant of a value that was read.
    pub(crate) fn discriminant_of(&mut self, layout: &Layout, value: &Val) -> Value {
        match value {
            Val::Memory(at) => {
                let spot = Spot::Memory(*at);
                self.discriminant_by(layout, &mut |cx, offset, scalar| cx.scalar_at(spot, offset, scalar))
            }
            Val::Parts(parts) => self.discriminant_by(layout, &mut |cx, offset, scalar| {
                let slots = layout.slots.as_ref().expect("parts are by slots");
                let index = crate::value::slot_at(slots, offset);
                cx.extract(slots[index], parts[index], offset, scalar)
            }),
        }
    }

    /// `read` gives the scalar at an offset of the value.
    fn discriminant_by(
        &mut self,
        layout: &Layout,
        read: &mut dyn FnMut(&mut Self, u32, Scalar) -> Value,
    ) -> Value {
        let it = layout.as_enum();
        match &it.tag {
            Tag::Single => Value::int(LlTy::I64, 0),
            Tag::Direct { offset, scalar } => {
                let tag = read(self, *offset, *scalar);
                self.resized(tag, LlTy::I64)
            }
            Tag::Niche { variant, offset, scalar, first } => {
                let value = read(self, *offset, *scalar);
                self.niche_discriminant(it, value, *variant, *first)
            }
            Tag::Boxed { immediates, .. } => {
                let word = read(self, 0, Scalar::Ptr);
                self.boxed_discriminant(immediates, word)
            }
        }
    }

    fn niche_discriminant(&mut self, it: &EnumLayout, value: Value, variant: u32, first: u64) -> Value {
        let others = it.variants.len() as i64 - 1;
        if others == 1 {
            let test = if variant == 0 { "eq" } else { "ne" };
            let is_second = self.icmp(test, value, niche_pattern(value.ty, first));
            return self.resized(is_second, LlTy::I64);
        }
        let value = self.as_int(value);
        let relative = self.op("sub", value, niche_pattern(value.ty, first));
        let is_other = self.icmp_imm("ult", relative, others);
        let relative = self.resized(relative, LlTy::I64);
        // The others are numbered without the variant that has the payload.
        let after = self.icmp_imm("uge", relative, variant as i64);
        let after = self.resized(after, LlTy::I64);
        let other = self.op("add", relative, after);
        self.select(is_other, other, Value::int(LlTy::I64, variant as i64))
    }

    fn boxed_discriminant(&mut self, immediates: &[Option<u32>], word: Value) -> Value {
        if immediates.iter().all(Option::is_none) {
            return self.cell_tag(word);
        }
        let is_cell = self.is_address(word);
        self.either(
            is_cell,
            "",
            |cx| cx.cell_tag(word),
            |cx| {
                let word = cx.as_int(word);
                cx.immediate_index(immediates, word)
            },
        )
    }

    fn cell_tag(&mut self, word: Value) -> Value {
        let tag = self.load(LlTy::I32, Addr::object(word).plus(CELL_TAG));
        self.resized(tag, LlTy::I64)
    }

    /// The variant that a small number stands for. Small numbers count variants without fields.
    fn immediate_index(&mut self, immediates: &[Option<u32>], word: Value) -> Value {
        let variants = immediates.iter().enumerate().filter_map(|(i, n)| n.map(|n| (i as u32, n)));
        let variants: Vec<(u32, u32)> = variants.collect();
        let shift = variants[0].0 as i64 - variants[0].1 as i64;
        if variants.iter().all(|&(index, number)| index as i64 == number as i64 + shift) {
            return if shift == 0 { word } else { self.op_imm("add", word, shift) };
        }
        let (last, rest) = variants.split_last().expect("there is a variant without fields");
        let mut result = Value::int(LlTy::I64, last.0 as i64);
        for &(index, number) in rest {
            let is = self.icmp_imm("eq", word, number as i64);
            result = self.select(is, Value::int(LlTy::I64, index as i64), result);
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
                let tag = Value::int(LlTy::of(*scalar), variant as i64);
                self.tagged(layout, variant, values, *offset, tag)
            }
            Tag::Niche { variant: payload, .. } if *payload == variant => {
                self.fields_into(layout, fields, values)
            }
            Tag::Niche { variant: payload, offset, scalar, first } => {
                let number = if variant < *payload { variant } else { variant - 1 };
                let pattern = niche_pattern(LlTy::of(*scalar), *first + number as u64);
                self.tagged(layout, variant, values, *offset, pattern)
            }
            Tag::Boxed { immediates, .. } => match immediates[variant as usize] {
                Some(number) => Val::one(Value::int(LlTy::Ptr, number as i64)),
                None => self.new_cell(layout, variant, values),
            },
        }
    }

    /// Fields, and an integer or a pointer at an offset that tells the variant.
    fn tagged(&mut self, layout: &Layout, variant: u32, values: &[Val], offset: u32, tag: Value) -> Val {
        let fields = &layout.as_enum().variants[variant as usize];
        let tag_layout = self.tag_layout(tag.ty);
        let layouts: Vec<_> = fields.tys.iter().map(|&ty| self.program.layouts.of(ty)).collect();
        let mut parts = vec![(offset, &*tag_layout, Val::one(tag))];
        for ((layout, &offset), value) in layouts.iter().zip(&fields.offsets).zip(values) {
            parts.push((offset, &**layout, value.clone()));
        }
        self.compose(layout, &parts)
    }

    /// A layout with one slot of this type.
    fn tag_layout(&self, ty: LlTy) -> std::sync::Arc<Layout> {
        let kind = match ty {
            LlTy::I8 => TyKind::Int(IntTy::U8),
            LlTy::I16 => TyKind::Int(IntTy::U16),
            LlTy::I32 => TyKind::Int(IntTy::U32),
            LlTy::Ptr => TyKind::Ptr(Ty::new(TyKind::Int(IntTy::U8))),
            _ => TyKind::Int(IntTy::U64),
        };
        self.program.layouts.of(Ty::new(kind))
    }

    fn new_cell(&mut self, layout: &Layout, variant: u32, values: &[Val]) -> Val {
        let cell = self.new_object(&TypeEntryKind::Ty(layout.ty));
        let tag = Value::int(LlTy::I32, variant as i64);
        self.store(tag, Addr::object(cell).plus(CELL_TAG));
        self.store_fields(cell, &layout.as_enum().variants[variant as usize], values);
        Val::one(cell)
    }
}

/// A bit pattern as a constant of the type.
fn niche_pattern(ty: LlTy, bits: u64) -> Value {
    let unused = 64 - ty.bits();
    Value::int(ty, ((bits << unused) as i64) >> unused)
}
