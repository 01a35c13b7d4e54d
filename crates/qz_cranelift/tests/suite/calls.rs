//! Calls: conventions, closures, `dyn`, foreign functions.

use qz_mir::{
    AggregateKind, BinOp, Callee, CastKind, ClosureTarget, InstanceKey, Intrinsic, Operand, Place, Proj,
    Rvalue, TypeEntry, TypeEntryKind, Vtable,
};
use qz_types::ty::common;
use qz_types::{IntTy, Mutability, Row, TraitId, TraitRef, Ty, TyKind};

use super::program::{boolean, string};
use super::{Engine, Program, check};

pub fn recursion_works(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    let fib = p.declare("fib", &[c.int], c.int);
    p.define(fib, |f| {
        let n = f.param(0);
        let small = f.compare(BinOp::Lt, n, 2);
        f.if_(
            small,
            |f| f.set(qz_mir::Body::RETURN, Rvalue::Use(Operand::local(n))),
            |f| {
                let less = f.checked(BinOp::Sub, n, 1);
                let a = f.call(fib, c.int, vec![Operand::local(less)]);
                let less = f.checked(BinOp::Sub, n, 2);
                let b = f.call(fib, c.int, vec![Operand::local(less)]);
                f.set(
                    qz_mir::Body::RETURN,
                    Rvalue::Checked(BinOp::Add, Operand::local(a), Operand::local(b)),
                );
            },
        );
        f.ret();
    });
    p.main(c.unit, |f| {
        let result = f.call(fib, c.int, vec![Operand::int(20)]);
        f.print_int(result);
        f.ret();
    });
    check(engine, p, "6765\n", 0);
}

/// Results and parameters of one to ten machine values, in registers and in memory.
pub fn large_values_travel(engine: Engine) {
    let c = common();
    let u8 = Ty::new(TyKind::Int(IntTy::U8));
    let mut p = Program::new();
    let mut expected = String::new();
    let mut steps = Vec::new();
    for n in 1..=10usize {
        let ty = Ty::tuple(&(0..n).map(|i| [c.int, u8, c.f64][i % 3]).collect::<Vec<_>>());
        let one = |i: usize| match i % 3 {
            0 => Operand::int(i as i64),
            1 => super::program::int_of(IntTy::U8, i as i128),
            _ => Operand::Const(qz_mir::Const::F64((i as f64).to_bits())),
        };
        let make = p.function("make", &[c.int], ty, |f| {
            let parts = (0..n).map(one).collect();
            f.set(qz_mir::Body::RETURN, Rvalue::Aggregate(AggregateKind::Tuple(ty), parts));
            f.ret();
        });
        let sum = p.function("sum", &[c.int, ty, c.int], c.int, |f| {
            let sum = f.checked(BinOp::Mul, f.param(0), f.param(2));
            let value = Place::local(f.param(1));
            for i in 0..n as u32 {
                let part = Operand::Copy(value.field(i));
                let part = f.let_(c.int, Rvalue::Cast(CastKind::Wrapping, part, c.int));
                f.set(sum, Rvalue::Checked(BinOp::Add, Operand::local(sum), Operand::local(part)));
            }
            // The callee's copy is its own.
            f.set_place(value.field(0), Rvalue::Use(Operand::int(1000)));
            f.ret_value(Operand::local(sum));
        });
        expected += &format!("{}\n", 6 + (0..n).sum::<usize>()).repeat(2);
        steps.push((ty, make, sum));
    }
    p.main(c.unit, |f| {
        for (ty, make, sum) in steps {
            let value = f.call(make, ty, vec![Operand::int(0)]);
            for _ in 0..2 {
                let sum = f.call(sum, c.int, vec![Operand::int(2), Operand::local(value), Operand::int(3)]);
                f.print_int(sum);
            }
        }
        f.ret();
    });
    check(engine, p, &expected, 0);
}

pub fn closures_hold_what_they_capture(engine: Engine) {
    let c = common();
    let closure_ty = Ty::func(&[c.int], c.int, Row::EMPTY);
    let mut p = Program::new();
    let lambda = p.declare("main.lambda", &[closure_ty, c.int], c.int);
    p.define(lambda, |f| {
        f.b.set_captures(vec![c.bool, c.int, c.str]);
        let this = Place::local(f.param(0));
        let scaled = Rvalue::Checked(
            BinOp::Mul,
            Operand::Copy(this.then(Proj::Capture(1))),
            Operand::local(f.param(1)),
        );
        let scaled = f.let_(c.int, scaled);
        let length = f.intrinsic(Intrinsic::StrLen, c.int, vec![Operand::Copy(this.then(Proj::Capture(2)))]);
        let sum = f.checked(BinOp::Add, scaled, length);
        f.ret_value(Operand::local(sum));
    });
    let destroy = p.declare_as(
        InstanceKey::DestroyClosure(Box::new(InstanceKey::Entry(qz_types::FnId::from_raw(99)))),
        "destroy",
        &[closure_ty],
        c.unit,
    );
    p.define(destroy, |f| {
        f.b.set_captures(vec![c.bool, c.int, c.str]);
        let this = Place::local(f.param(0));
        f.release(this.then(Proj::Capture(2)));
        let this = f.param(0);
        f.rt_do("free_object", vec![Operand::local(this)]);
        f.ret();
    });
    let kind = TypeEntryKind::Closure(lambda);
    p.module.types.push(TypeEntry {
        name: "closure".into(),
        kind,
        destroy,
        crossing: Default::default(),
        circle: Default::default(),
    });
    let plain = p.function("double", &[closure_ty, c.int], c.int, |f| {
        let result = f.checked(BinOp::Mul, f.param(1), 2);
        f.ret_value(Operand::local(result));
    });
    let apply = p.function("apply", &[closure_ty, c.int], c.int, |f| {
        let result = f.b.temp(c.int);
        let (callee, arg) = (f.param(0), f.param(1));
        f.b.call(result, Callee::Value(Operand::local(callee)), [Operand::local(arg)]);
        f.ret_value(Operand::local(result));
    });
    p.main(c.unit, |f| {
        let text = f.rt("int_to_str", c.str, vec![Operand::int(12345)]);
        let captures = vec![boolean(true), Operand::int(10), Operand::local(text)];
        let target = Box::new(ClosureTarget::Instance(lambda));
        let closure = f.let_(closure_ty, Rvalue::Closure(target, captures));
        let double = Rvalue::Closure(Box::new(ClosureTarget::Instance(plain)), vec![]);
        let double = f.let_(closure_ty, double);
        for it in [closure, double] {
            f.retain(it);
            let result = f.call(apply, c.int, vec![Operand::local(it), Operand::int(7)]);
            f.print_int(result);
            f.release(it);
            f.release(it);
        }
        f.ret();
    });
    check(engine, p, "75\n14\n", 0);
}

pub fn dyn_values_find_their_methods(engine: Engine) {
    let c = common();
    let dyn_ty =
        Ty::new(TyKind::Dyn(Ty::trait_refs(&[TraitRef { trait_id: TraitId::from_raw(0), args: &[] }])));
    let mut p = Program::new();
    let point = p.value(&[c.int, c.str]);
    let payload = Ty::ptr(point);
    let method = |f: &mut super::Body, field: u32| {
        let this = f.param(0);
        let at = f.let_(payload, Rvalue::Cast(CastKind::Pointer, Operand::local(this), payload));
        let bytes = Ty::ptr(common().u8);
        let at = f.let_(bytes, Rvalue::Cast(CastKind::Pointer, Operand::local(at), bytes));
        let at = f.intrinsic(Intrinsic::PtrAdd, bytes, vec![Operand::local(at), Operand::int(16)]);
        let at = f.let_(payload, Rvalue::Cast(CastKind::Pointer, Operand::local(at), payload));
        Place::local(at).deref().field(field)
    };
    let size = p.function("size", &[dyn_ty, c.int], c.int, |f| {
        let field = method(f, 0);
        let extra = Operand::local(f.param(1));
        f.set(qz_mir::Body::RETURN, Rvalue::Checked(BinOp::Add, Operand::Copy(field), extra));
        f.ret();
    });
    let name = p.function("name", &[dyn_ty], c.str, |f| {
        let field = method(f, 1);
        f.retain(field.clone());
        f.ret_value(Operand::Copy(field));
    });
    let destroy = p.declare("destroy", &[dyn_ty], c.unit);
    p.define(destroy, |f| {
        let field = method(f, 1);
        f.release(field);
        let this = f.param(0);
        f.rt_do("free_object", vec![Operand::local(this)]);
        f.ret();
    });
    p.module.types.push(TypeEntry {
        name: "dyn box".into(),
        kind: TypeEntryKind::DynBox(point),
        destroy,
        crossing: Default::default(),
        circle: Default::default(),
    });
    let vtable = p.module.vtables.alloc(Vtable { from: point, dyn_ty, slots: vec![size, name] });
    p.main(c.unit, |f| {
        let text = f.rt("int_to_str", c.str, vec![Operand::int(77)]);
        let parts = vec![Operand::int(40), Operand::local(text)];
        let value = f.let_(point, Rvalue::Aggregate(AggregateKind::Value(point), parts));
        let make =
            Rvalue::MakeDyn { value: Operand::local(value), from: point, ty: dyn_ty, vtable: Some(vtable) };
        let it = f.let_(dyn_ty, make);
        let (trait_id, result) = (TraitId::from_raw(0), f.b.temp(c.int));
        f.b.call(result, Callee::Dyn { trait_id, method: 0, slot: 0 }, [Operand::local(it), Operand::int(2)]);
        f.print_int(result);
        let result = f.b.temp(c.str);
        f.b.call(result, Callee::Dyn { trait_id, method: 1, slot: 1 }, [Operand::local(it)]);
        f.print(result);
        f.release(it);
        f.ret();
    });
    check(engine, p, "42\n77\n", 0);
}

pub fn borrows_reach_the_callers_memory(engine: Engine) {
    let c = common();
    let pair = Ty::tuple(&[c.int, c.int]);
    let borrow = Ty::reference(Mutability::Mut, c.int);
    let mut p = Program::new();
    let bump = p.function("bump", &[borrow], c.unit, |f| {
        let place = Place::local(f.param(0)).deref();
        f.set_place(place.clone(), Rvalue::Checked(BinOp::Add, Operand::Copy(place), Operand::int(1)));
        f.ret();
    });
    p.main(c.unit, |f| {
        let parts = vec![Operand::int(1), Operand::int(41)];
        let value = f.let_(pair, Rvalue::Aggregate(AggregateKind::Tuple(pair), parts));
        let at = f.let_(borrow, Rvalue::Ref(Mutability::Mut, Place::local(value).field(1)));
        f.call(bump, c.unit, vec![Operand::local(at)]);
        f.print_int(Place::local(value).field(1));
        f.print_int(Place::local(value).field(0));
        f.ret();
    });
    check(engine, p, "42\n1\n", 0);
}

/// Direct foreign calls, one of them with any number of arguments, floats among them.
pub fn foreign_functions_are_called(engine: Engine) {
    let c = common();
    let bytes = Ty::ptr(c.u8);
    let i32 = Ty::new(TyKind::Int(IntTy::I32));
    let mut p = Program::new();
    let labs = p.foreign("labs", &[c.int], c.int, false);
    let printf = p.foreign("snprintf", &[bytes, c.int, bytes], i32, true);
    p.main(c.unit, |f| {
        let result = f.call(labs, c.int, vec![Operand::int(-5)]);
        f.print_int(result);
        let buffer = f.rt("alloc", bytes, vec![Operand::int(64), Operand::int(1)]);
        let text = f.let_(c.str, Rvalue::Use(string("%ld %.2f %s\0")));
        let format = f.intrinsic(Intrinsic::StrPtr, bytes, vec![Operand::local(text)]);
        let word = f.let_(c.str, Rvalue::Use(string("word\0")));
        let word = f.intrinsic(Intrinsic::StrPtr, bytes, vec![Operand::local(word)]);
        let float = Operand::Const(qz_mir::Const::F64(2.5f64.to_bits()));
        let local = Operand::local;
        let args = vec![local(buffer), Operand::int(64), local(format), Operand::int(9), float, local(word)];
        let n = f.call(printf, i32, args);
        let n = f.let_(c.u64, Rvalue::Cast(CastKind::Wrapping, local(n), c.u64));
        let text = f.rt("str_from_utf8", c.str, vec![local(buffer), local(n)]);
        f.print(text);
        f.rt_do("free", vec![local(buffer), Operand::int(64), Operand::int(1)]);
        f.ret();
    });
    check(engine, p, "5\n9 2.50 word\n", 0);
}
