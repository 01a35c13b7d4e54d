//! From a type's structure to its layout.

use std::sync::Arc;

use qz_rt_abi::object::{CELL_PAYLOAD, FIRST_ADDRESS, HEADER_SIZE};
use qz_types::{FloatTy, IntTy, Ty, TyKind, Tys, subst};

use super::{EnumLayout, Fields, Layout, Layouts, Niche, ObjectLayout, Scalar, Shape, Tag};
use crate::program::{AdtKind, FieldDef, Repr, VariantDef};

/// Addresses below the first object are never pointers to one.
const OBJECT_NICHE: Niche = Niche { offset: 0, scalar: Scalar::Ptr, first: 0, count: FIRST_ADDRESS };

/// What is known of a type before its slots are.
struct Plan {
    size: u32,
    align: u32,
    shape: Shape,
    needs_release: bool,
    niche: Option<Niche>,
}

/// Parts laid out one after the other.
struct Laid {
    fields: Fields,
    /// Where the last one ends, not rounded.
    end: u32,
    align: u32,
    needs_release: bool,
    niche: Option<Niche>,
}

pub(super) fn scalar_of(int: IntTy) -> Scalar {
    Scalar::int_of_size(int.bits() / 8)
}

impl Plan {
    fn scalar(scalar: Scalar, niche: Option<(u64, u64)>) -> Plan {
        let niche = niche.map(|(first, count)| Niche { offset: 0, scalar, first, count });
        let (size, shape) = (scalar.size(), Shape::Scalar(scalar));
        Plan { size, align: size, shape, needs_release: false, niche }
    }

    fn word(shape: Shape, needs_release: bool, niche: Option<Niche>) -> Plan {
        Plan { size: 8, align: 8, shape, needs_release, niche }
    }

    fn product(laid: Laid) -> Plan {
        Plan {
            size: laid.end.next_multiple_of(laid.align),
            align: laid.align,
            shape: Shape::Product(laid.fields),
            needs_release: laid.needs_release,
            niche: laid.niche,
        }
    }
}

impl Layouts<'_> {
    pub(super) fn compute(&self, ty: Ty) -> Layout {
        self.finish(ty, self.plan(ty))
    }

    fn finish(&self, ty: Ty, plan: Plan) -> Layout {
        let slots = self.slots(&plan.shape);
        let Plan { size, align, shape, needs_release, niche } = plan;
        Layout { ty, size, align, shape, slots, needs_release, niche }
    }

    fn plan(&self, ty: Ty) -> Plan {
        match *ty.kind() {
            TyKind::Never => {
                Plan { size: 0, align: 1, shape: Shape::Never, needs_release: false, niche: None }
            }
            TyKind::Bool => Plan::scalar(Scalar::I8, Some((2, 254))),
            TyKind::Char => Plan::scalar(Scalar::I32, Some((0x11_0000, u32::MAX as u64 - 0x10_ffff))),
            TyKind::Int(int) => Plan::scalar(scalar_of(int), None),
            TyKind::Float(FloatTy::F32) => Plan::scalar(Scalar::F32, None),
            TyKind::Float(FloatTy::F64) => Plan::scalar(Scalar::F64, None),
            TyKind::Str | TyKind::Fn(_) | TyKind::Dyn(_) => {
                Plan::word(Shape::Object, true, Some(OBJECT_NICHE))
            }
            TyKind::Ref(..) | TyKind::Ptr(_) => Plan::word(Shape::Pointer, false, None),
            TyKind::Tuple(parts) => Plan::product(self.lay_out(parts, 0, false)),
            TyKind::Record(fields) => {
                let parts: Vec<Ty> = fields.iter().map(|&(_, ty)| ty).collect();
                Plan::product(self.lay_out(&parts, 0, false))
            }
            TyKind::Adt(id, args) => self.plan_adt(ty, id, args),
            TyKind::Error
            | TyKind::OpenRecord(..)
            | TyKind::Param(_)
            | TyKind::Assoc(_)
            | TyKind::Opaque(..)
            | TyKind::Infer(_) => {
                unreachable!("{ty:?} has no layout: it is not concrete")
            }
        }
    }

    fn plan_adt(&self, ty: Ty, id: qz_types::AdtId, args: Tys) -> Plan {
        let def = self.defs.adt_def(id);
        match &def.kind {
            AdtKind::Reference(_) => Plan::word(Shape::Object, true, Some(OBJECT_NICHE)),
            AdtKind::Value(fields) => {
                let parts = self.field_tys(fields, args);
                Plan::product(self.lay_out(&parts, 0, def.repr == Repr::C))
            }
            AdtKind::Enum(variants) => {
                let parts = self.variant_tys(variants, args);
                if self.is_recursive(ty) { self.plan_boxed(ty, &parts) } else { self.plan_enum(&parts) }
            }
        }
    }

    pub(super) fn field_tys(&self, fields: &[FieldDef], args: Tys) -> Vec<Ty> {
        fields.iter().map(|field| self.resolve(subst(field.ty, args))).collect()
    }

    pub(super) fn variant_tys(&self, variants: &[VariantDef], args: Tys) -> Vec<Vec<Ty>> {
        variants.iter().map(|variant| self.field_tys(&variant.fields, args)).collect()
    }

    pub(super) fn compute_object(&self, ty: Ty) -> ObjectLayout {
        let TyKind::Adt(id, args) = *ty.kind() else { unreachable!("{ty:?} is no reference struct") };
        let def = self.defs.adt_def(id);
        let AdtKind::Reference(fields) = &def.kind else { unreachable!("{ty:?} is no reference struct") };
        self.object_of(&self.field_tys(fields, args), HEADER_SIZE, def.repr == Repr::C)
    }

    pub(super) fn object_of(&self, parts: &[Ty], start: u32, in_order: bool) -> ObjectLayout {
        let laid = self.lay_out(parts, start, in_order);
        let align = laid.align.max(8);
        ObjectLayout { size: laid.end.next_multiple_of(align), align, fields: laid.fields }
    }

    /// Places parts from `start` on: the most aligned first, so that no padding comes between them, or as
    /// they stand.
    fn lay_out(&self, parts: &[Ty], start: u32, in_order: bool) -> Laid {
        let layouts: Vec<_> = parts.iter().map(|&ty| self.of(ty)).collect();
        let mut order: Vec<usize> = (0..parts.len()).collect();
        if !in_order {
            // Behind a short prefix (a tag) the least aligned come first: they fit before the next boundary.
            let falling = start.is_multiple_of(8);
            order.sort_by_key(|&i| if falling { 64 - layouts[i].align } else { layouts[i].align });
        }
        let mut offsets = vec![0; parts.len()];
        let (mut end, mut align) = (start, 1);
        let mut niche: Option<Niche> = None;
        for i in order {
            let layout = &layouts[i];
            let offset = end.next_multiple_of(layout.align);
            offsets[i] = offset;
            end = offset + layout.size;
            align = align.max(layout.align);
            if let Some(mut found) = layout.niche
                && niche.is_none_or(|best| best.count < found.count)
            {
                found.offset += offset;
                niche = Some(found);
            }
        }
        let fields = Fields { tys: parts.into(), offsets: offsets.into() };
        Laid { fields, end, align, needs_release: layouts.iter().any(|l| l.needs_release), niche }
    }

    fn plan_enum(&self, parts: &[Vec<Ty>]) -> Plan {
        match parts {
            [] => Plan { size: 0, align: 1, shape: Shape::Never, needs_release: false, niche: None },
            [only] => {
                let laid = self.lay_out(only, 0, false);
                let (size, align) = (laid.end.next_multiple_of(laid.align), laid.align);
                let (needs_release, niche) = (laid.needs_release, laid.niche);
                let shape = Shape::Enum(EnumLayout { variants: Box::new([laid.fields]), tag: Tag::Single });
                Plan { size, align, shape, needs_release, niche }
            }
            _ => self.plan_niche(parts).unwrap_or_else(|| self.plan_tagged(parts)),
        }
    }

    /// One variant with a payload, whose unused bit patterns suffice for all others.
    fn plan_niche(&self, parts: &[Vec<Ty>]) -> Option<Plan> {
        let has_payload = |fields: &Vec<Ty>| fields.iter().any(|&ty| !self.of(ty).is_zero_sized());
        let variant = parts.iter().position(has_payload)?;
        if parts[variant + 1..].iter().any(has_payload) {
            return None;
        }
        let others = parts.len() as u64 - 1;
        let laid: Vec<Laid> = parts.iter().map(|fields| self.lay_out(fields, 0, false)).collect();
        let payload = &laid[variant];
        let niche = payload.niche.filter(|niche| niche.count >= others)?;
        let align = laid.iter().map(|l| l.align).max().unwrap_or(1);
        let size = payload.end.next_multiple_of(align);
        let needs_release = payload.needs_release;
        let rest = Niche { first: niche.first + others, count: niche.count - others, ..niche };
        let tag = Tag::Niche {
            variant: variant as u32,
            offset: niche.offset,
            scalar: niche.scalar,
            first: niche.first,
        };
        let variants = laid.into_iter().map(|l| l.fields).collect();
        let shape = Shape::Enum(EnumLayout { variants, tag });
        Some(Plan { size, align, shape, needs_release, niche: Some(rest).filter(|rest| rest.count > 0) })
    }

    fn plan_tagged(&self, parts: &[Vec<Ty>]) -> Plan {
        let count = parts.len() as u64;
        let (scalar, patterns) = match count {
            0..=0x100 => (Scalar::I8, 0x100),
            0x101..=0x1_0000 => (Scalar::I16, 0x1_0000),
            _ => (Scalar::I32, 0x1_0000_0000),
        };
        let laid: Vec<Laid> = parts.iter().map(|fields| self.lay_out(fields, scalar.size(), false)).collect();
        let align = laid.iter().map(|l| l.align).max().unwrap_or(1).max(scalar.size());
        let end = laid.iter().map(|l| l.end).max().unwrap_or(0).max(scalar.size());
        let needs_release = laid.iter().any(|l| l.needs_release);
        let niche = Niche { offset: 0, scalar, first: count, count: patterns - count };
        let variants = laid.into_iter().map(|l| l.fields).collect();
        let shape = Shape::Enum(EnumLayout { variants, tag: Tag::Direct { offset: 0, scalar } });
        let size = end.next_multiple_of(align);
        Plan { size, align, shape, needs_release, niche: Some(niche).filter(|niche| niche.count > 0) }
    }

    fn plan_boxed(&self, ty: Ty, parts: &[Vec<Ty>]) -> Plan {
        let nullary = parts.iter().filter(|fields| fields.is_empty()).count() as u64;
        let niche = Niche { first: nullary, count: OBJECT_NICHE.count - nullary, ..OBJECT_NICHE };
        // The cell holds values of this very type: all that matters of those is known already.
        let word = Plan::word(Shape::Object, true, Some(niche));
        self.values.borrow_mut().insert(ty, Arc::new(self.finish(ty, word)));
        let laid: Vec<Laid> = parts.iter().map(|fields| self.lay_out(fields, CELL_PAYLOAD, false)).collect();
        let cell_align = laid.iter().map(|l| l.align).max().unwrap_or(1).max(8);
        let cell_size = laid.iter().map(|l| l.end).max().unwrap_or(0).next_multiple_of(cell_align);
        let mut numbers = 0..;
        let immediates = parts.iter().map(|fields| fields.is_empty().then(|| numbers.next()).flatten());
        let immediates = immediates.collect();
        let tag = Tag::Boxed { immediates, cell_size, cell_align };
        let variants = laid.into_iter().map(|l| l.fields).collect();
        Plan::word(Shape::Enum(EnumLayout { variants, tag }), true, Some(niche))
    }
}
