//! Enums in all their forms.

use qz_mir::{AggregateKind, BinOp, CastKind, Operand, Place, Proj, Rvalue, TermKind};
use qz_types::ty::common;
use qz_types::{IntTy, Ty, TyKind};

use super::program::{boolean, string};
use super::{Engine, Program, check};

/// Makes every variant of many enums, passes it through a function and back, and asks which it is.
pub fn every_form_tells_its_variant(engine: Engine) {
    let c = common();
    let i32 = Ty::new(TyKind::Int(IntTy::I32));
    let f32 = Ty::new(TyKind::Float(qz_types::FloatTy::F32));
    let mut p = Program::new();
    let color = p.enumeration(|_| vec![vec![], vec![], vec![]]);
    let option_bool = p.option(c.bool);
    let wide = Ty::tuple(&[c.int; 10]);
    let forms: Vec<Vec<Vec<Ty>>> = vec![
        vec![vec![], vec![c.int]],
        vec![vec![c.int], vec![]],
        vec![vec![], vec![c.str]],
        vec![vec![], vec![c.bool], vec![], vec![]],
        vec![vec![], vec![], vec![c.char]],
        vec![vec![option_bool], vec![]],
        vec![vec![], vec![color]],
        vec![vec![c.f64], vec![c.f64, c.f64], vec![], vec![c.int], vec![i32, f32, c.bool]],
        vec![vec![c.unit], vec![], vec![c.unit, c.unit]],
        vec![vec![c.int, c.str]],
        vec![vec![wide], vec![c.int], vec![]],
        vec![vec![]; 300],
        vec![vec![f32, i32], vec![c.f64], vec![c.bool, c.bool, c.bool]],
    ];
    let mut expected = String::new();
    let mut steps = Vec::new();
    for form in forms {
        let ty = p.enumeration(|_| form.clone());
        let pass = p.function("pass", &[ty], ty, |f| {
            let it = f.param(0);
            f.ret_value(Operand::local(it));
        });
        for (index, fields) in form.iter().enumerate() {
            if form.len() == 300 && ![0, 255, 256, 299].contains(&index) {
                continue;
            }
            expected += &format!("{index}\n");
            steps.push((ty, pass, index as u32, fields.clone()));
        }
    }
    p.main(c.unit, |f| {
        for (ty, pass, index, fields) in steps {
            let operands = fields.iter().map(|&field| f.let_(field, sample(field, color, option_bool, wide)));
            let operands: Vec<_> = operands.collect();
            let operands = operands.into_iter().map(Operand::local).collect();
            let value = f.let_(ty, Rvalue::Aggregate(AggregateKind::Variant(ty, index), operands));
            let back = f.call(pass, ty, vec![Operand::local(value)]);
            let which = f.let_(c.int, Rvalue::Discriminant(Place::local(back)));
            f.print_int(which);
        }
        f.ret();
    });
    check(engine, p, &expected, 0);
}

fn sample(ty: Ty, color: Ty, option_bool: Ty, wide: Ty) -> Rvalue {
    match ty {
        _ if ty == color => Rvalue::Aggregate(AggregateKind::Variant(color, 2), vec![]),
        _ if ty == option_bool => {
            Rvalue::Aggregate(AggregateKind::Variant(option_bool, 1), vec![boolean(true)])
        }
        _ if ty == wide => Rvalue::Aggregate(AggregateKind::Tuple(wide), vec![Operand::int(-1); 10]),
        _ => Rvalue::Use(match ty.kind() {
            TyKind::Int(int) => super::program::int_of(*int, -1),
            TyKind::Float(qz_types::FloatTy::F32) => Operand::Const(qz_mir::Const::F32(1.5f32.to_bits())),
            TyKind::Float(_) => Operand::Const(qz_mir::Const::F64((-1.5f64).to_bits())),
            TyKind::Bool => boolean(true),
            TyKind::Char => Operand::Const(qz_mir::Const::Char('x')),
            TyKind::Str => string("text"),
            _ => Operand::Const(qz_mir::Const::Unit),
        }),
    }
}

/// Fields of variants that share machine values come back as they were.
pub fn payloads_come_back(engine: Engine) {
    let c = common();
    let (i8, i32) = (Ty::new(TyKind::Int(IntTy::I8)), Ty::new(TyKind::Int(IntTy::I32)));
    let mut p = Program::new();
    let shape = p.enumeration(|_| vec![vec![c.f64], vec![c.int], vec![i8, i32, c.bool], vec![c.f64, i8]]);
    let total = p.function("total", &[shape], c.int, |f| {
        let it = Place::local(f.param(0));
        let which = f.let_(c.int, Rvalue::Discriminant(it.clone()));
        let blocks: Vec<_> = (0..4).map(|_| f.b.new_block()).collect();
        let cases = (0..3).map(|i| (i as i128, blocks[i])).collect();
        f.b.end(TermKind::Switch { value: Operand::local(which), cases, otherwise: Some(blocks[3]) });
        for (variant, fields) in [(0, 1), (1, 1), (2, 3), (3, 2)] {
            f.b.switch_to(blocks[variant]);
            let sum = f.int(0);
            for field in 0..fields {
                let part = Operand::Copy(it.then(Proj::Variant(variant as u32)).field(field));
                let part = f.let_(c.int, Rvalue::Cast(CastKind::Wrapping, part, c.int));
                f.set(sum, Rvalue::Checked(BinOp::Mul, Operand::local(sum), Operand::int(1000)));
                f.set(sum, Rvalue::Checked(BinOp::Add, Operand::local(sum), Operand::local(part)));
            }
            f.ret_value(Operand::local(sum));
        }
    });
    p.main(c.unit, |f| {
        let float = |x: f64| Operand::Const(qz_mir::Const::F64(x.to_bits()));
        let small = |ty, x: i128| super::program::int_of(ty, x);
        for (variant, operands) in [
            (0, vec![float(12.0)]),
            (1, vec![Operand::int(-34)]),
            (2, vec![small(IntTy::I8, -5), small(IntTy::I32, 67), boolean(true)]),
            (3, vec![float(8.0), small(IntTy::I8, -9)]),
        ] {
            let value = f.let_(shape, Rvalue::Aggregate(AggregateKind::Variant(shape, variant), operands));
            let total = f.call(total, c.int, vec![Operand::local(value)]);
            f.print_int(total);
        }
        f.ret();
    });
    check(engine, p, "12\n-34\n-4932999\n7991\n", 0);
}

/// A list of a million nodes is built, summed and destroyed.
pub fn long_lists_are_destroyed(engine: Engine, length: i64) {
    let c = common();
    let mut p = Program::new();
    let list = p.enumeration(|list| vec![vec![], vec![c.int, list]]);
    let node = |f: &super::Body| Place::local(f.param(0)).then(Proj::Variant(1));
    p.destroyed(list, |f, _| {
        let tail = node(f).field(1);
        f.release(tail);
    });
    p.main(c.unit, |f| {
        let it = f.let_(list, Rvalue::Aggregate(AggregateKind::Variant(list, 0), vec![]));
        f.count(0, length, |f, i| {
            let parts = vec![Operand::local(i), Operand::Move(Place::local(it))];
            f.set(it, Rvalue::Aggregate(AggregateKind::Variant(list, 1), parts));
        });
        let (sum, at) = (f.int(0), f.let_(list, Rvalue::Use(Operand::local(it))));
        let (head, inside, after) = (f.b.new_block(), f.b.new_block(), f.b.new_block());
        f.b.goto(head);
        f.b.switch_to(head);
        let which = f.let_(c.int, Rvalue::Discriminant(Place::local(at)));
        let cases = vec![(1, inside)];
        f.b.end(TermKind::Switch { value: Operand::local(which), cases, otherwise: Some(after) });
        f.b.switch_to(inside);
        let cell = Place::local(at).then(Proj::Variant(1));
        f.set(sum, Rvalue::Checked(BinOp::Add, Operand::local(sum), Operand::Copy(cell.field(0))));
        f.set(at, Rvalue::Use(Operand::Copy(cell.field(1))));
        f.b.goto(head);
        f.b.switch_to(after);
        f.print_int(sum);
        f.release(it);
        f.ret();
    });
    check(engine, p, &format!("{}\n", length * (length - 1) / 2), 0);
}

/// Switches on numbers of all kinds, negative cases among them.
pub fn switches_find_their_case(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    let i8 = Ty::new(TyKind::Int(IntTy::I8));
    let mut steps = Vec::new();
    let kinds: [(Ty, &[i128]); 4] = [
        (i8, &[-128, -1, 0, 127]),
        (c.int, &[-5, 7, 1 << 40]),
        (c.char, &['a' as i128, 0x1f600]),
        (c.bool, &[0, 1]),
    ];
    for (ty, cases) in kinds {
        let pick = p.function("pick", &[ty], c.int, |f| {
            let blocks: Vec<_> = cases.iter().map(|_| f.b.new_block()).collect();
            let other = f.b.new_block();
            let listed = cases.iter().copied().zip(blocks.iter().copied()).collect();
            let otherwise = (ty != c.bool).then_some(other);
            f.b.end(TermKind::Switch { value: Operand::local(f.param(0)), cases: listed, otherwise });
            for (i, &block) in blocks.iter().enumerate() {
                f.b.switch_to(block);
                f.ret_value(Operand::int(i as i64));
            }
            if otherwise.is_some() {
                f.b.switch_to(other);
                f.ret_value(Operand::int(-1));
            }
        });
        steps.push((ty, cases, pick));
    }
    let mut expected = String::new();
    p.main(c.unit, |f| {
        for (ty, cases, pick) in steps {
            let others: &[i128] = if ty == c.bool { &[] } else { &[3] };
            for (i, &value) in cases.iter().chain(others).enumerate() {
                let operand = match ty.kind() {
                    TyKind::Bool => boolean(value == 1),
                    TyKind::Char => Operand::Const(qz_mir::Const::Char(
                        char::from_u32(value as u32).expect("a character"),
                    )),
                    TyKind::Int(int) => super::program::int_of(*int, value),
                    _ => unreachable!(),
                };
                let result = f.call(pick, c.int, vec![operand]);
                f.print_int(result);
                expected += &format!("{}\n", if i < cases.len() { i as i64 } else { -1 });
            }
        }
        f.ret();
    });
    check(engine, p, &expected, 0);
}
