//! Layouts by example: sizes, offsets, niches, boxed enums.

use std::sync::Arc;

use qz_base::Name;
use qz_types::ty::common;
use qz_types::{AdtId, IntTy, Ty, TyKind};

use super::*;
use crate::body::Proj;
use crate::program::{AdtKind, FieldDef, Repr, VariantDef};

struct Defs(Vec<Arc<AdtDef>>);

impl AdtDefs for Defs {
    fn adt_def(&self, id: AdtId) -> Arc<AdtDef> {
        self.0[id.index()].clone()
    }

    fn resolve(&self, ty: Ty) -> Ty {
        ty
    }
}

fn fields(tys: &[Ty]) -> Vec<FieldDef> {
    tys.iter().map(|&ty| FieldDef { name: Name::new("f"), ty }).collect()
}

fn variants(list: &[&[Ty]]) -> AdtKind {
    AdtKind::Enum(list.iter().map(|tys| VariantDef { name: Name::new("V"), fields: fields(tys) }).collect())
}

fn id(n: u32) -> AdtId {
    AdtId::from_raw(n)
}

fn param() -> Ty {
    Ty::param(0, Name::new("T"))
}

fn int(kind: IntTy) -> Ty {
    Ty::new(TyKind::Int(kind))
}

fn option(of: Ty) -> Ty {
    Ty::adt(id(0), &[of])
}

/// 0 `Option<T>`, 1 `Node` (reference), 2 `Pair` (value), 3 `List`, 4 `Tree`, 5 `Shape`, 6 `Color`, 7 `A`, 8
/// `B` (both contain each other), 9 a C struct, 10 `Wrap<T>`.
fn defs() -> Defs {
    let c = common();
    let list = Ty::adt(id(3), &[]);
    let tree = Ty::adt(id(4), &[]);
    let (i8, i32) = (int(IntTy::I8), int(IntTy::I32));
    let kinds = [
        (variants(&[&[], &[param()]]), Repr::Quartz),
        (AdtKind::Reference(fields(&[i8, option(Ty::adt(id(1), &[])), c.f64])), Repr::Quartz),
        (AdtKind::Value(fields(&[i8, c.int, i32])), Repr::Quartz),
        (variants(&[&[], &[c.int, list]]), Repr::Quartz),
        (variants(&[&[option(tree), c.int, option(tree)]]), Repr::Quartz),
        (variants(&[&[c.f64], &[c.f64, c.f64], &[], &[c.int]]), Repr::Quartz),
        (variants(&[&[], &[], &[]]), Repr::Quartz),
        (variants(&[&[Ty::adt(id(8), &[])], &[]]), Repr::Quartz),
        (variants(&[&[Ty::adt(id(7), &[])], &[]]), Repr::Quartz),
        (AdtKind::Value(fields(&[i8, c.int, i32])), Repr::C),
        (variants(&[&[param()]]), Repr::Quartz),
    ];
    let def = |(kind, repr)| Arc::new(AdtDef { path: Name::new("t"), name: Name::new("t"), kind, repr });
    Defs(kinds.into_iter().map(def).collect())
}

fn shown(layouts: &Layouts, ty: Ty) -> String {
    let layout = layouts.of(ty);
    let slots = layout.slots.as_ref().map_or("memory".into(), |slots| {
        let one = |slot: &Slot| format!("{:?}@{}", slot.scalar, slot.offset);
        slots.iter().map(one).collect::<Vec<_>>().join(" ")
    });
    format!("{}/{} {slots}", layout.size, layout.align)
}

#[track_caller]
fn check(ty: Ty, expected: &str) {
    let defs = defs();
    assert_eq!(shown(&Layouts::new(&defs), ty), expected);
}

#[test]
fn fields_of_values_fall_in_alignment() {
    let c = common();
    check(Ty::adt(id(2), &[]), "16/8 I64@0 I32@8 I8@12");
    check(Ty::adt(id(9), &[]), "24/8 I8@0 I64@8 I32@16");
    check(Ty::tuple(&[c.bool, c.str, c.char]), "16/8 Ptr@0 I32@8 I8@12");
    check(c.unit, "0/1 ");
}

#[test]
fn options_use_what_their_payload_leaves_free() {
    let c = common();
    check(option(c.str), "8/8 Ptr@0");
    check(option(option(c.str)), "8/8 Ptr@0");
    check(option(c.bool), "1/1 I8@0");
    check(option(option(c.bool)), "1/1 I8@0");
    check(option(c.char), "4/4 I32@0");
    check(option(c.int), "16/8 I8@0 I64@8");
    check(option(option(c.int)), "16/8 I8@0 I64@8");
    check(option(c.unit), "1/1 I8@0");
    check(option(Ty::tuple(&[c.int, c.str])), "16/8 I64@0 Ptr@8");
    let defs = defs();
    let layouts = Layouts::new(&defs);
    let tag = |ty| layouts.of(ty).as_enum().tag.clone();
    assert_eq!(tag(option(c.str)), Tag::Niche { variant: 1, offset: 0, scalar: Scalar::Ptr, first: 0 });
    let twice = option(option(c.str));
    assert_eq!(tag(twice), Tag::Niche { variant: 1, offset: 0, scalar: Scalar::Ptr, first: 1 });
    assert_eq!(tag(option(c.bool)), Tag::Niche { variant: 1, offset: 0, scalar: Scalar::I8, first: 2 });
}

#[test]
fn payloads_share_their_slots() {
    let c = common();
    check(Ty::adt(id(5), &[]), "24/8 I8@0 I64@8 F64@16");
    check(Ty::adt(id(6), &[]), "1/1 I8@0");
    check(option(Ty::adt(id(6), &[])), "1/1 I8@0");
    check(Ty::adt(id(10), &[c.f64]), "8/8 F64@0");
    check(Ty::adt(id(10), &[option(int(IntTy::I32))]), "8/4 I8@0 I32@4");
}

#[test]
fn enums_that_contain_themselves_are_boxed() {
    let (list, tree) = (Ty::adt(id(3), &[]), Ty::adt(id(4), &[]));
    let defs = defs();
    let layouts = Layouts::new(&defs);
    for boxed in [list, tree, Ty::adt(id(7), &[]), Ty::adt(id(8), &[])] {
        assert!(layouts.of(boxed).is_boxed());
    }
    assert!(!layouts.of(option(tree)).is_boxed(), "`Option` does not mention `Tree`");
    check(option(tree), "8/8 Ptr@0");
    let Tag::Boxed { immediates, cell_size, .. } = layouts.of(list).as_enum().tag.clone() else {
        panic!("boxed")
    };
    assert_eq!((&*immediates, cell_size), (&[Some(0), None][..], 32));
    assert_eq!(layouts.of(list).as_enum().variants[1].offsets[..], [16, 24]);
    let none = &layouts.of(option(list)).as_enum().tag.clone();
    assert_eq!(*none, Tag::Niche { variant: 1, offset: 0, scalar: Scalar::Ptr, first: 1 });
}

#[test]
fn objects_start_with_their_header() {
    let defs = defs();
    let layouts = Layouts::new(&defs);
    let node = Ty::adt(id(1), &[]);
    let object = layouts.object(node);
    assert_eq!((object.size, &*object.fields.offsets), (32, &[24, 8, 16][..]));
    assert_eq!(layouts.of(node).size, 8);
    let c = common();
    assert_eq!(&*layouts.closure(&[c.bool, c.int]).fields.offsets, &[24, 16]);
    let place = layouts.project(PlaceTy::Value(node), Proj::Deref, &[]);
    assert_eq!(layouts.project(place, Proj::Field(2), &[]), PlaceTy::Value(c.f64));
}

#[test]
fn words_that_may_be_objects_are_known() {
    let c = common();
    let defs = defs();
    let layouts = Layouts::new(&defs);
    for ty in [c.str, option(c.str), Ty::adt(id(3), &[]), option(Ty::adt(id(1), &[]))] {
        assert!(layouts.of(ty).is_counted_word());
    }
    for ty in [c.int, option(c.int), Ty::ptr(c.int), option(Ty::tuple(&[c.str, c.int]))] {
        assert!(!layouts.of(ty).is_counted_word());
    }
}
