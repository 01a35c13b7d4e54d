//! Both conventions by the letter of their documents; that C compilers agree is `c_structs.rs`'s question.

use qz_base::Name;
use qz_mir::layout::AdtDefs;
use qz_mir::{AdtDef, AdtKind, FieldDef};
use qz_types::AdtId;
use qz_types::ty::common;

use super::*;

/// `@value @repr(C)` structs by number, and one newtype.
struct Structs(Vec<(Vec<Ty>, Repr)>);

impl AdtDefs for Structs {
    fn adt_def(&self, id: AdtId) -> Arc<AdtDef> {
        let (fields, repr) = &self.0[id.index()];
        let field = |(n, &ty): (usize, &Ty)| FieldDef { name: Name::new(&format!("f{n}")), ty };
        let kind = AdtKind::Value(fields.iter().enumerate().map(field).collect());
        let name = Name::new(&format!("S{}", id.index()));
        Arc::new(AdtDef { path: name, name, kind, repr: *repr })
    }

    fn resolve(&self, ty: Ty) -> Ty {
        ty
    }
}

fn int(ty: IntTy) -> Ty {
    Ty::new(TyKind::Int(ty))
}

fn f32() -> Ty {
    Ty::new(TyKind::Float(qz_types::FloatTy::F32))
}

fn adt(n: u32) -> Ty {
    Ty::adt(AdtId::from_raw(n), &[])
}

const PAIR: u32 = 0;
const MIXED: u32 = 1;
const LARGE: u32 = 2;
const FLOATS: u32 = 3;
const NUMBER: u32 = 4;
const DOUBLES: u32 = 5;

fn structs() -> Structs {
    let (c, i32) = (common(), int(IntTy::I32));
    Structs(vec![
        (vec![c.int, c.int], Repr::C),
        (vec![c.f64, i32, f32()], Repr::C),
        (vec![c.int, c.int, i32], Repr::C),
        (vec![f32(), f32(), f32()], Repr::C),
        (vec![int(IntTy::I16)], Repr::Quartz),
        (vec![c.f64, c.f64, c.f64, c.f64], Repr::C),
    ])
}

fn shown(pass: &CPass) -> String {
    match pass {
        CPass::Ignore => "-".into(),
        CPass::Scalar(scalar, Extend::None) => format!("{scalar:?}"),
        CPass::Scalar(scalar, extend) => format!("{scalar:?} {extend:?}"),
        CPass::Pieces(Pieces { used_up, slots }) => {
            let unused = used_up.map(|(scalar, n)| format!("{n} unused {scalar:?} + ")).unwrap_or_default();
            unused + &pieces(slots)
        }
        CPass::Stack { size, align } => format!("stack {size}/{align}"),
        CPass::Address => "address".into(),
    }
}

fn pieces(slots: &[Slot]) -> String {
    let one = |slot: &Slot| format!("{:?}@{}", slot.scalar, slot.offset);
    format!("[{}]", slots.iter().map(one).collect::<Vec<_>>().join(" "))
}

fn passed(arch: CArch, params: &[Ty], ret: Ty) -> Vec<String> {
    let structs = structs();
    let abi = CAbi::new(&Layouts::new(&structs), arch, params.iter().copied(), ret);
    abi.params.iter().map(|param| shown(&param.pass)).collect()
}

fn returned(arch: CArch, ret: Ty) -> String {
    let structs = structs();
    match CAbi::new(&Layouts::new(&structs), arch, [], ret).ret.1 {
        CRet::Ignore => "-".into(),
        CRet::Scalar(scalar, _) => format!("{scalar:?}"),
        CRet::Pieces(slots) => pieces(&slots),
        CRet::Address => "address".into(),
    }
}

const BOTH: [CArch; 2] = [CArch::X86_64, CArch::Aarch64];

#[test]
fn scalars_travel_as_they_are() {
    let c = common();
    let all = [
        c.bool,
        int(IntTy::I8),
        int(IntTy::U16),
        int(IntTy::I32),
        c.int,
        f32(),
        c.f64,
        Ty::ptr(c.u8),
        adt(NUMBER),
    ];
    for arch in BOTH {
        let expected = ["I8 Zero", "I8 Sign", "I16 Zero", "I32", "I64", "F32", "F64", "Ptr", "I16 Sign"];
        assert_eq!(passed(arch, &all, c.unit), expected);
        assert_eq!(returned(arch, c.unit), "-");
        assert_eq!(returned(arch, c.never), "-");
        assert_eq!(returned(arch, adt(NUMBER)), "I16");
    }
}

#[test]
fn small_structs_travel_in_registers() {
    let unit = common().unit;
    let all = [adt(PAIR), adt(MIXED), adt(FLOATS)];
    assert_eq!(passed(CArch::X86_64, &all, unit), ["[I64@0 I64@8]", "[F64@0 I64@8]", "[F64@0 F64@8]"]);
    assert_eq!(passed(CArch::Aarch64, &all, unit), ["[I64@0 I64@8]", "[I64@0 I64@8]", "[F32@0 F32@4 F32@8]"]);
    assert_eq!(returned(CArch::X86_64, adt(MIXED)), "[F64@0 I64@8]");
    assert_eq!(returned(CArch::Aarch64, adt(FLOATS)), "[F32@0 F32@4 F32@8]");
}

#[test]
fn large_structs_travel_in_memory() {
    let unit = common().unit;
    let all = [adt(LARGE), adt(DOUBLES)];
    assert_eq!(passed(CArch::X86_64, &all, unit), ["stack 24/8", "stack 32/8"]);
    assert_eq!(passed(CArch::Aarch64, &all, unit), ["address", "[F64@0 F64@8 F64@16 F64@24]"]);
    assert_eq!(returned(CArch::X86_64, adt(DOUBLES)), "address");
    assert_eq!(returned(CArch::Aarch64, adt(DOUBLES)), "[F64@0 F64@8 F64@16 F64@24]");
    assert_eq!(returned(CArch::Aarch64, adt(LARGE)), "address");
}

#[test]
fn a_struct_is_not_split_between_registers_and_memory() {
    let c = common();
    let words = |n: usize| vec![c.int; n];
    // Six registers for words on x86-64, one less when one leads to the result; later words still find the last one.
    let with = |n: usize, last: Ty| [words(n), vec![adt(PAIR), last]].concat();
    assert_eq!(passed(CArch::X86_64, &with(4, c.int), c.unit)[4..], ["[I64@0 I64@8]", "I64"]);
    assert_eq!(passed(CArch::X86_64, &with(5, c.int), c.unit)[5..], ["stack 16/8", "I64"]);
    assert_eq!(passed(CArch::X86_64, &with(4, c.int), adt(LARGE))[4..], ["stack 16/8", "I64"]);
    // Eight on AArch64; what is left over there is not used any more.
    assert_eq!(passed(CArch::Aarch64, &with(6, c.int), c.unit)[6..], ["[I64@0 I64@8]", "I64"]);
    assert_eq!(passed(CArch::Aarch64, &with(7, c.int), c.unit)[7..], ["1 unused I64 + [I64@0 I64@8]", "I64"]);
    let floats = [vec![c.f64; 6], vec![adt(FLOATS), c.f64]].concat();
    assert_eq!(passed(CArch::Aarch64, &floats, c.unit)[6..], ["2 unused F64 + [F64@0 F64@8]", "F64"]);
    assert_eq!(passed(CArch::X86_64, &floats, c.unit)[6..], ["[F64@0 F64@8]", "F64"]);
}

#[test]
fn frames_hold_whole_words() {
    let (structs, c) = (structs(), common());
    let abi = CAbi::new(&Layouts::new(&structs), CArch::HOST, [c.bool, adt(FLOATS), c.int], adt(LARGE));
    let frame = abi.frame();
    assert_eq!((frame.params, frame.size), (vec![24, 32, 48], 56));
}
