//! Numbers: wrapping, checks, conversions.

use qz_mir::{BinOp, CastKind, Intrinsic, Operand, Rvalue, UnOp};
use qz_types::ty::common;
use qz_types::{FloatTy, IntTy, Ty, TyKind};

use super::program::int_of;
use super::{Engine, Program, check, check_panic};

fn int_ty(int: IntTy) -> Ty {
    Ty::new(TyKind::Int(int))
}

fn f32_ty() -> Ty {
    Ty::new(TyKind::Float(FloatTy::F32))
}

fn float(value: f64) -> Operand {
    Operand::Const(qz_mir::Const::F64(value.to_bits()))
}

pub fn sums_in_a_loop(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    p.main(c.int, |f| {
        let sum = f.int(0);
        f.count(1, 101, |f, i| {
            f.set(sum, Rvalue::Checked(BinOp::Add, Operand::local(sum), Operand::local(i)));
        });
        f.print_int(sum);
        f.ret_value(Operand::int(7));
    });
    check(engine, p, "5050\n", 7);
}

/// Operation, type, operands, the result or the message.
type Case = (BinOp, IntTy, i128, i128, Result<i128, String>);

/// Every checked operation on every integer type, at its limits: the result or the message.
pub fn checked_operations_know_their_limits(engine: Engine) {
    let mut cases: Vec<Case> = Vec::new();
    for ty in IntTy::ALL {
        let (min, max) = (ty.min_value(), ty.max_value());
        for (op, sign) in [(BinOp::Add, "+"), (BinOp::Sub, "-"), (BinOp::Mul, "*")] {
            for (a, b) in [(max, 1), (min, 1), (max, max), (min, max), (3, 4), (max, 2), (0, max)] {
                let exact = match op {
                    BinOp::Add => a.checked_add(b),
                    BinOp::Sub => a.checked_sub(b),
                    _ => a.checked_mul(b),
                };
                let exact = exact.filter(|exact| (min..=max).contains(exact));
                let result = exact.ok_or_else(|| format!("integer overflow: {a} {sign} {b}"));
                cases.push((op, ty, a, b, result));
            }
        }
        cases.push((BinOp::Div, ty, max, 2, Ok(max / 2)));
        cases.push((BinOp::Div, ty, max, 0, Err("division by zero".into())));
        cases.push((BinOp::Rem, ty, max, 7, Ok(max % 7)));
        cases.push((BinOp::Rem, ty, max, 0, Err("remainder of a division by zero".into())));
        cases.push((BinOp::Shl, ty, 1, 3, Ok(8)));
        cases.push((BinOp::Shr, ty, max, 1, Ok(max >> 1)));
        let bits = ty.bits() as i128;
        cases.push((BinOp::Shl, ty, 1, bits, Err(format!("shift count {bits} is outside 0..{bits}"))));
        if ty.signed() {
            cases.push((BinOp::Div, ty, min, -1, Err(format!("integer overflow: {min} / (-1)"))));
            cases.push((BinOp::Rem, ty, min, -1, Ok(0)));
            cases.push((BinOp::Div, ty, -7, 2, Ok(-3)));
            cases.push((BinOp::Rem, ty, -7, 2, Ok(-1)));
            cases.push((BinOp::Shr, ty, -8, 1, Ok(-4)));
            cases.push((BinOp::Shr, ty, 1, -1, Err(format!("shift count -1 is outside 0..{bits}"))));
        }
    }
    let c = common();
    let mut p = Program::new();
    let mut expected = String::new();
    let mut steps = Vec::new();
    for (n, (op, ty, a, b, result)) in cases.into_iter().enumerate() {
        match result {
            // Unsigned 64-bit results are shown as signed ones here.
            Ok(value) => expected += &format!("{}\n", value as i64),
            Err(message) => expected += &format!("{message}\n"),
        }
        let int = int_ty(ty);
        steps.push(p.function(&format!("step{n}"), &[int, int], c.int, |f| {
            let result = f.checked(op, f.param(0), f.param(1));
            let wide = f.let_(c.int, Rvalue::Cast(CastKind::Wrapping, Operand::local(result), c.int));
            f.ret_value(Operand::local(wide));
        }));
        let step = *steps.last().expect("just pushed");
        let show = p.function(&format!("show{n}"), &[], c.unit, |f| {
            f.protect_with(
                |f| {
                    let result = f.call(step, c.int, vec![int_of(ty, a), int_of(ty, b)]);
                    f.print_int(result);
                },
                |f| {
                    let message = f.rt("take_panic", c.str, vec![]);
                    f.print(message);
                    f.ret();
                },
            );
            f.ret();
        });
        steps.pop();
        steps.push(show);
    }
    p.main(c.unit, |f| {
        for step in steps {
            f.call(step, c.unit, vec![]);
        }
        f.ret();
    });
    check(engine, p, &expected, 0);
}

pub fn conversions_check_or_wrap(engine: Engine) {
    let c = common();
    let int = |ty| int_ty(ty);
    let float_of = |x: f64| (float(x), c.f64);
    let cases: Vec<((Operand, Ty), Ty, CastKind, &str)> = vec![
        ((Operand::int(300), c.int), int(IntTy::U8), CastKind::Checked, "300 does not fit in U8"),
        ((Operand::int(-1), c.int), int(IntTy::U64), CastKind::Checked, "-1 does not fit in U64"),
        ((Operand::int(255), c.int), int(IntTy::U8), CastKind::Checked, "255"),
        ((Operand::int(300), c.int), int(IntTy::U8), CastKind::Wrapping, "44"),
        ((Operand::int(200), c.int), int(IntTy::I8), CastKind::Wrapping, "-56"),
        (
            (int_of(IntTy::U64, u64::MAX as i128), c.u64),
            c.int,
            CastKind::Checked,
            "18446744073709551615 does not fit in Int",
        ),
        ((int_of(IntTy::I8, -1), int(IntTy::I8)), int(IntTy::U32), CastKind::Wrapping, "4294967295"),
        ((int_of(IntTy::U8, 200), int(IntTy::U8)), c.int, CastKind::Checked, "200"),
        (float_of(-3.9), c.int, CastKind::Checked, "-3"),
        (float_of(1e19), c.int, CastKind::Checked, "1e19 does not fit in Int"),
        (float_of(f64::NAN), c.int, CastKind::Checked, "NaN does not fit in Int"),
        (float_of(f64::NAN), c.int, CastKind::Wrapping, "0"),
        (float_of(1e19), c.int, CastKind::Wrapping, "9223372036854775807"),
        (float_of(-5.0), int(IntTy::U8), CastKind::Wrapping, "0"),
        (float_of(255.9), int(IntTy::U8), CastKind::Checked, "255"),
        (float_of(256.0), int(IntTy::U8), CastKind::Checked, "256.0 does not fit in U8"),
        (float_of(-0.9), int(IntTy::U8), CastKind::Checked, "0"),
        (float_of(1e3), int(IntTy::I8), CastKind::Wrapping, "127"),
        ((Operand::int(0xd800), c.int), c.char, CastKind::Checked, "55296 is not a character"),
        ((Operand::int(0x1f600), c.int), c.char, CastKind::Checked, "128512"),
    ];
    let mut p = Program::new();
    let mut expected = String::new();
    let mut steps = Vec::new();
    for (n, ((operand, _), to, kind, text)) in cases.into_iter().enumerate() {
        expected += &format!("{text}\n");
        steps.push(p.function(&format!("step{n}"), &[], c.unit, |f| {
            f.protect_with(
                |f| {
                    let result = f.let_(to, Rvalue::Cast(kind, operand, to));
                    let wide = f.let_(c.int, Rvalue::Cast(CastKind::Wrapping, Operand::local(result), c.int));
                    f.print_int(wide);
                },
                |f| {
                    let message = f.rt("take_panic", c.str, vec![]);
                    f.print(message);
                    f.ret();
                },
            );
            f.ret();
        }));
    }
    p.main(c.unit, |f| {
        for step in steps {
            f.call(step, c.unit, vec![]);
        }
        f.ret();
    });
    check(engine, p, &expected, 0);
}

pub fn floats_follow_ieee(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    p.main(c.unit, |f| {
        let show = |f: &mut super::Body, value| {
            let text = f.rt("f64_to_str", c.str, vec![Operand::local(value)]);
            f.print(text);
        };
        for (op, a, b) in [
            (BinOp::Add, 0.1, 0.2),
            (BinOp::Div, 1.0, 0.0),
            (BinOp::Rem, -5.5, 2.0),
            (BinOp::Sub, f64::INFINITY, f64::INFINITY),
            (BinOp::Mul, 1e200, 1e200),
        ] {
            let value = f.let_(c.f64, Rvalue::Binary(op, float(a), float(b)));
            show(f, value);
        }
        let zero = f.let_(c.f64, Rvalue::Unary(UnOp::Neg, float(0.0)));
        show(f, zero);
        let half = f.intrinsic(Intrinsic::RoundEven, c.f64, vec![float(2.5)]);
        show(f, half);
        let root = f.intrinsic(Intrinsic::Sqrt, c.f64, vec![float(2.0)]);
        let short = f.let_(f32_ty(), Rvalue::Cast(CastKind::Checked, Operand::local(root), f32_ty()));
        let text = f.rt("f32_to_str", c.str, vec![Operand::local(short)]);
        f.print(text);
        let nan = f.let_(c.bool, Rvalue::Binary(BinOp::Eq, float(f64::NAN), float(f64::NAN)));
        let nan = f.let_(c.int, Rvalue::Cast(CastKind::Wrapping, Operand::local(nan), c.int));
        f.print_int(nan);
        f.ret();
    });
    let expected = "0.30000000000000004\nInfinity\n-1.5\nNaN\nInfinity\n-0.0\n2.0\n1.4142135\n0\n";
    check(engine, p, expected, 0);
}

pub fn bits_are_counted_and_moved(engine: Engine) {
    let c = common();
    let (u8, u32) = (int_ty(IntTy::U8), int_ty(IntTy::U32));
    let mut p = Program::new();
    p.main(c.unit, |f| {
        let show = |f: &mut super::Body, value: qz_mir::Local| {
            let wide = f.let_(c.int, Rvalue::Cast(CastKind::Wrapping, Operand::local(value), c.int));
            f.print_int(wide);
        };
        for (which, ty, args) in [
            (Intrinsic::CountOnes, c.int, vec![Operand::int(-1)]),
            (Intrinsic::LeadingZeros, c.int, vec![int_of(IntTy::U8, 1)]),
            (Intrinsic::TrailingZeros, c.int, vec![Operand::int(8)]),
            (Intrinsic::ByteSwap, u32, vec![int_of(IntTy::U32, 1)]),
            (Intrinsic::RotateLeft, u8, vec![int_of(IntTy::U8, 0x81), int_of(IntTy::U8, 1)]),
            (Intrinsic::MulHigh, c.u64, vec![int_of(IntTy::U64, 1 << 63), int_of(IntTy::U64, 6)]),
            (Intrinsic::MulHigh, u8, vec![int_of(IntTy::U8, 200), int_of(IntTy::U8, 200)]),
        ] {
            let value = f.intrinsic(which, ty, args);
            show(f, value);
        }
        let pair = Ty::tuple(&[u8, c.bool]);
        let both =
            f.let_(pair, Rvalue::Overflowing(BinOp::Add, int_of(IntTy::U8, 250), int_of(IntTy::U8, 10)));
        let place = qz_mir::Place::local(both);
        for field in [place.field(0), place.field(1)] {
            let value = f.let_(c.int, Rvalue::Cast(CastKind::Wrapping, Operand::Copy(field), c.int));
            f.print_int(value);
        }
        let not = f.let_(u8, Rvalue::Unary(UnOp::Not, int_of(IntTy::U8, 1)));
        show(f, not);
        f.ret();
    });
    check(engine, p, "64\n7\n3\n16777216\n3\n3\n156\n4\n1\n254\n", 0);
}

pub fn overflow_says_where(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    p.main(c.unit, |f| {
        let big = f.int(i64::MAX);
        f.at(12);
        f.checked(BinOp::Add, big, 1);
        f.at(20).ret();
    });
    let report =
        "panic: integer overflow: 9223372036854775807 + 1\n  at file0:1:12\n  in main (file0:1:12)\n";
    check_panic(engine, p, "", report);
}
