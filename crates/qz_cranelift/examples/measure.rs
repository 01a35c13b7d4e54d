//! How long compiling takes and how fast the code is, on programs built by hand:
//! `cargo run --release -p qz_cranelift --example measure`.

#[path = "../tests/suite/mod.rs"]
#[allow(dead_code, reason = "the suite's programs are for tests")]
mod suite;

use std::time::Instant;

use qz_codegen::locations::NoFiles;
use qz_cranelift::{Jit, OptLevel, Options};
use qz_mir::layout::Layouts;
use qz_mir::{AggregateKind, BinOp, Operand, Place, Proj, Rvalue};
use qz_types::ty::common;
use suite::Program;

fn fib(p: &mut Program) -> qz_mir::InstanceId {
    let c = common();
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
                let sum = Rvalue::Checked(BinOp::Add, Operand::local(a), Operand::local(b));
                f.set(qz_mir::Body::RETURN, sum);
            },
        );
        f.ret();
    });
    fib
}

fn fib_program() -> Program {
    let mut p = Program::new();
    let fib = fib(&mut p);
    p.main(common().unit, |f| {
        let result = f.call(fib, common().int, vec![Operand::int(35)]);
        f.print_int(result);
        f.ret();
    });
    p
}

fn hello_program(functions: usize) -> Program {
    let mut p = Program::new();
    let all: Vec<_> = (0..functions).map(|_| fib(&mut p)).collect();
    p.main(common().unit, |f| {
        for id in all {
            f.call(id, common().int, vec![Operand::int(1)]);
        }
        f.ret();
    });
    p
}

/// binary-trees of the benchmarks game, as a boxed enum.
fn trees_program() -> Program {
    let c = common();
    let mut p = Program::new();
    let tree = p.enumeration(|tree| vec![vec![], vec![tree, tree]]);
    p.destroyed(tree, |f, it| {
        let node = Place::local(it).then(Proj::Variant(1));
        f.release(node.field(0));
        f.release(node.field(1));
    });
    let make = p.declare("make", &[c.int], tree);
    let some = AggregateKind::Variant(tree, 1);
    p.define(make, |f| {
        let leaf = f.compare(BinOp::Eq, f.param(0), 0);
        f.if_(
            leaf,
            |f| {
                let none = || Rvalue::Aggregate(AggregateKind::Variant(tree, 0), vec![]);
                let (a, b) = (f.let_(tree, none()), f.let_(tree, none()));
                let parts = vec![Operand::local(a), Operand::local(b)];
                f.set(qz_mir::Body::RETURN, Rvalue::Aggregate(some.clone(), parts));
            },
            |f| {
                let less = f.checked(BinOp::Sub, f.param(0), 1);
                let a = f.call(make, tree, vec![Operand::local(less)]);
                let b = f.b.temp(tree);
                f.protect(
                    |f| {
                        let made = f.call(make, tree, vec![Operand::local(less)]);
                        f.set(b, Rvalue::Use(Operand::local(made)));
                    },
                    |f| f.release(a),
                );
                let parts = vec![Operand::local(a), Operand::local(b)];
                f.set(qz_mir::Body::RETURN, Rvalue::Aggregate(some.clone(), parts));
            },
        );
        f.ret();
    });
    let count = p.declare("count", &[tree], c.int);
    p.define(count, |f| {
        let it = Place::local(f.param(0));
        let which = f.let_(c.int, Rvalue::Discriminant(it.clone()));
        let none = f.compare(BinOp::Eq, which, 0);
        f.if_(
            none,
            |f| f.set(qz_mir::Body::RETURN, Rvalue::Use(Operand::int(0))),
            |f| {
                let node = it.then(Proj::Variant(1));
                let a = f.call(count, c.int, vec![Operand::Copy(node.field(0))]);
                let b = f.call(count, c.int, vec![Operand::Copy(node.field(1))]);
                let sum = f.checked(BinOp::Add, a, b);
                f.set(
                    qz_mir::Body::RETURN,
                    Rvalue::Checked(BinOp::Add, Operand::local(sum), Operand::int(1)),
                );
            },
        );
        f.ret();
    });
    p.main(c.unit, |f| {
        f.count(0, 100, |f, _| {
            let it = f.call(make, tree, vec![Operand::int(16)]);
            let n = f.call(count, c.int, vec![Operand::local(it)]);
            f.release(it);
            let last = f.compare(BinOp::Lt, n, 0);
            f.if_(last, |f| f.print_int(n), |_| {});
        });
        f.ret();
    });
    p
}

fn measure(name: &str, make: fn() -> Program) {
    for opt in [OptLevel::Speed, OptLevel::None] {
        let p = make();
        let start = Instant::now();
        let layouts = Layouts::new(&p.defs);
        let options = Options { opt, ..Options::default() };
        let jit = Jit::new(&p.module, &layouts, Box::new(NoFiles), options).expect("compiles");
        let compiled = start.elapsed();
        let start = Instant::now();
        jit.run().expect("runs");
        println!("{name:20} {opt:?}: compile {compiled:?}, run {:?}", start.elapsed());
    }
}

fn main() {
    measure("empty", || hello_program(0));
    measure("10 functions", || hello_program(10));
    measure("1000 functions", || hello_program(1000));
    measure("fib(35)", fib_program);
    measure("trees 100 x 2^17", trees_program);
}
