//! Objects, counts, raw memory, strings, module variables.

use qz_mir::{AggregateKind, BinOp, Const, Intrinsic, Operand, Place, Proj, Rvalue, StaticInfo};
use qz_types::ty::common;
use qz_types::{StaticId, Ty};

use super::program::{span, string};
use super::{Engine, Program, check};

pub fn objects_live_while_they_are_counted(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    let inner = p.reference(&[c.int, c.str]);
    let outer = p.reference(&[inner, c.bool, inner]);
    let maybe = p.option(outer);
    p.destroyed(inner, |f, object| f.release(Place::local(object).deref().field(1)));
    p.destroyed(outer, |f, object| {
        f.print_text("outer goes");
        f.release(Place::local(object).deref().field(0));
        f.release(Place::local(object).deref().field(2));
    });
    p.main(c.unit, |f| {
        let text = f.rt("int_to_str", c.str, vec![Operand::int(99)]);
        let a = f.let_(inner, Rvalue::New(inner, vec![Operand::int(5), Operand::local(text)]));
        f.retain(a);
        let fields = vec![Operand::local(a), super::program::boolean(true), Operand::local(a)];
        let b = f.let_(outer, Rvalue::New(outer, fields));
        let deep = Place::local(b).deref().field(2).deref().field(0);
        f.set_place(deep, Rvalue::Use(Operand::int(6)));
        f.print_int(Place::local(a).deref().field(0));
        let unique = f.intrinsic(Intrinsic::IsUnique, c.bool, vec![Operand::local(a)]);
        f.if_(unique, |f| f.print_text("unique"), |f| f.print_text("shared"));
        let some =
            f.let_(maybe, Rvalue::Aggregate(AggregateKind::Variant(maybe, 1), vec![Operand::local(b)]));
        let none = f.let_(maybe, Rvalue::Aggregate(AggregateKind::Variant(maybe, 0), vec![]));
        f.retain(some);
        f.retain(none);
        f.release(none);
        f.release(some);
        f.print_text("still there");
        f.release(some);
        f.print_text("end");
        f.ret();
    });
    check(engine, p, "6\nshared\nstill there\nouter goes\nend\n", 0);
}

/// Counts inside tuples and unboxed enums of several payloads.
pub fn counts_reach_into_values(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    let object = p.reference(&[c.int]);
    p.destroyed(object, |_, _| {});
    let either = p.enumeration(|_| vec![vec![c.int, c.int], vec![object, c.str], vec![], vec![object]]);
    let pair = Ty::tuple(&[either, c.str, either]);
    p.main(c.unit, |f| {
        let new = |f: &mut super::Body| f.let_(object, Rvalue::New(object, vec![Operand::int(1)]));
        let text = |f: &mut super::Body| f.rt("int_to_str", c.str, vec![Operand::int(123)]);
        let (o1, o2, s1, s2) = (new(f), new(f), text(f), text(f));
        let local = Operand::local;
        let both = AggregateKind::Variant(either, 1);
        let a = f.let_(either, Rvalue::Aggregate(both, vec![local(o1), local(s1)]));
        let b = f.let_(either, Rvalue::Aggregate(AggregateKind::Variant(either, 3), vec![local(o2)]));
        let parts = vec![local(a), local(s2), local(b)];
        let all = f.let_(pair, Rvalue::Aggregate(AggregateKind::Tuple(pair), parts));
        f.retain(all);
        f.release(all);
        let shared = f.intrinsic(Intrinsic::IsUnique, c.bool, vec![local(o2)]);
        f.if_(shared, |f| f.print_text("one"), |f| f.print_text("many"));
        f.release(all);
        for index in [0, 2] {
            let fields = if index == 0 { vec![Operand::int(1), Operand::int(2)] } else { vec![] };
            let plain = f.let_(either, Rvalue::Aggregate(AggregateKind::Variant(either, index), fields));
            f.retain(plain);
            f.release(plain);
        }
        f.ret();
    });
    check(engine, p, "one\n", 0);
}

/// A sieve over raw memory.
pub fn raw_memory_is_indexed(engine: Engine) {
    let c = common();
    let bytes = Ty::ptr(c.u8);
    let mut p = Program::new();
    p.main(c.unit, |f| {
        let n = 10_000;
        let flags = f.rt("alloc", bytes, vec![Operand::int(n), Operand::int(1)]);
        let one = super::program::int_of(qz_types::IntTy::U8, 1);
        f.intrinsic(Intrinsic::PtrFill, c.unit, vec![Operand::local(flags), one.clone(), Operand::int(n)]);
        let count = f.int(0);
        f.count(2, n, |f, i| {
            let flag = Place::local(flags).then(Proj::Index(i));
            let prime = f.let_(c.bool, Rvalue::Binary(BinOp::Eq, Operand::Copy(flag), one.clone()));
            f.if_(
                prime,
                |f| {
                    f.set(count, Rvalue::Checked(BinOp::Add, Operand::local(count), Operand::int(1)));
                    let j = f.checked(BinOp::Mul, i, i);
                    let (head, inside, after) = (f.b.new_block(), f.b.new_block(), f.b.new_block());
                    f.b.goto(head);
                    f.b.switch_to(head);
                    let more = f.compare(BinOp::Lt, j, n);
                    f.b.branch(Operand::local(more), inside, after);
                    f.b.switch_to(inside);
                    let flag = Place::local(flags).then(Proj::Index(j));
                    let zero = super::program::int_of(qz_types::IntTy::U8, 0);
                    f.set_place(flag, Rvalue::Use(zero));
                    f.set(j, Rvalue::Checked(BinOp::Add, Operand::local(j), Operand::local(i)));
                    f.b.goto(head);
                    f.b.switch_to(after);
                },
                |_| {},
            );
        });
        f.print_int(count);
        let grown = vec![Operand::local(flags), Operand::int(n), Operand::int(2 * n), Operand::int(1)];
        let flags = f.rt("realloc", bytes, grown);
        let end = f.intrinsic(Intrinsic::PtrAdd, bytes, vec![Operand::local(flags), Operand::int(n)]);
        f.intrinsic(
            Intrinsic::PtrCopy,
            c.unit,
            vec![Operand::local(end), Operand::local(flags), Operand::int(n)],
        );
        let same = vec![Operand::local(flags), Operand::local(end), Operand::int(n)];
        let same = f.intrinsic(Intrinsic::PtrCompare, c.int, same);
        f.print_int(same);
        let distance =
            f.intrinsic(Intrinsic::PtrDiff, c.int, vec![Operand::local(end), Operand::local(flags)]);
        f.print_int(distance);
        f.rt_do("free", vec![Operand::local(flags), Operand::int(2 * n), Operand::int(1)]);
        f.ret();
    });
    check(engine, p, "1229\n0\n10000\n", 0);
}

pub fn strings_are_joined_and_cut(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    p.main(c.unit, |f| {
        let n = f.rt("int_to_str", c.str, vec![Operand::int(-42)]);
        let joined = f.rt("str_concat3", c.str, vec![string("größe "), Operand::local(n), string("!")]);
        f.release(n);
        f.rt_do("out_line", vec![Operand::local(joined)]);
        let bytes = f.intrinsic(Intrinsic::StrLen, c.int, vec![Operand::local(joined)]);
        f.print_int(bytes);
        let chars = f.intrinsic(Intrinsic::StrChars, c.int, vec![Operand::local(joined)]);
        f.print_int(chars);
        let long = f.rt("str_repeat", c.str, vec![Operand::local(joined), Operand::int(20)]);
        f.release(joined);
        let part = f.rt("str_slice", c.str, vec![Operand::local(long), Operand::int(12), Operand::int(120)]);
        let part2 = f.rt("str_slice", c.str, vec![Operand::local(part), Operand::int(12), Operand::int(90)]);
        f.release(long);
        f.release(part);
        let found = f.rt("str_find", c.int, vec![Operand::local(part2), string("!"), Operand::int(20)]);
        f.print_int(found);
        let upper = f.rt("str_upper", c.str, vec![Operand::local(part2)]);
        f.release(part2);
        let head = f.rt("str_slice", c.str, vec![Operand::local(upper), Operand::int(0), Operand::int(13)]);
        f.release(upper);
        f.print(head);
        let equal = f.rt("str_eq", c.bool, vec![string("a"), string("a")]);
        f.if_(equal, |f| f.print_text("equal"), |f| f.print_text("different"));
        f.ret();
    });
    check(engine, p, "größe -42!\n12\n10\n23\nGRÖSSE -42!G\nequal\n", 0);
}

pub fn module_variables_keep_their_values(engine: Engine) {
    let c = common();
    let id = StaticId::from_raw(3);
    let mut p = Program::new();
    p.module.statics.push((
        id,
        StaticInfo { path: qz_base::Name::new("counter"), ty: c.int, span: span(0), of_task: false },
    ));
    let next = p.function("next", &[], c.int, |f| {
        let at = Ty::reference(qz_types::Mutability::Mut, c.int);
        let at = f.let_(at, Rvalue::StaticRef(id));
        let place = Place::local(at).deref();
        f.set_place(
            place.clone(),
            Rvalue::Checked(BinOp::Add, Operand::Copy(place.clone()), Operand::int(1)),
        );
        f.ret_value(Operand::Copy(place));
    });
    p.main(c.unit, |f| {
        for _ in 0..3 {
            let value = f.call(next, c.int, vec![]);
            f.print_int(value);
        }
        f.ret();
    });
    check(engine, p, "1\n2\n3\n", 0);
}

/// Constants with pointers in them, immortal.
pub fn constants_lie_in_static_memory(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    let object = p.reference(&[c.int]);
    p.destroyed(object, |f, _| f.print_text("never"));
    let header = |bytes: &mut Vec<u8>| {
        bytes.extend(qz_rt_abi::object::IMMORTAL.to_le_bytes());
        bytes.extend(qz_rt_abi::object::FIRST_TYPE.to_le_bytes());
    };
    let mut blob = Vec::new();
    header(&mut blob);
    blob.extend(77i64.to_le_bytes());
    let target =
        p.module.data.alloc(qz_mir::StaticData { bytes: blob, align: 8, pointers: vec![], object_of: None });
    let pair = Ty::tuple(&[object, c.int]);
    let mut bytes = vec![0; 8];
    bytes.extend(5i64.to_le_bytes());
    let data = qz_mir::StaticData { bytes, align: 8, pointers: vec![(0, target)], object_of: None };
    let data = p.module.data.alloc(data);
    p.main(c.unit, |f| {
        let value = f.let_(pair, Rvalue::Use(Operand::Const(Const::Static(data, pair))));
        f.retain(value);
        f.release(value);
        f.release(value);
        f.print_int(Place::local(value).field(0).deref().field(0));
        f.print_int(Place::local(value).field(1));
        f.ret();
    });
    check(engine, p, "77\n5\n", 0);
}
