//! Panics: cleanups, taking, places, backtraces, stack overflow.

use qz_mir::{
    BinOp, BodyAttrs, InstanceId, Operand, Place, Rvalue, SourceInfo, SourceScope, StmtKind, TermKind,
};
use qz_types::ty::common;

use super::program::{span, string};
use super::{Engine, Program, check, check_panic};

fn panics(p: &mut Program) -> InstanceId {
    let c = common();
    p.function("boom", &[c.int], c.int, |f| {
        f.at(3);
        let text = f.rt("int_to_str", c.str, vec![Operand::local(f.param(0))]);
        let message = f.rt("str_concat2", c.str, vec![string("boom "), Operand::local(text)]);
        f.release(text);
        f.protect(|f| f.at(4).rt_do("panic", vec![Operand::local(message)]), |f| f.release(message));
        f.ret_value(Operand::int(0));
    })
}

pub fn cleanups_run_and_a_panic_is_taken(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    let object = p.reference(&[c.str]);
    p.destroyed(object, |f, it| {
        f.rt_do("out_line", vec![Operand::Copy(Place::local(it).deref().field(0))]);
        f.release(Place::local(it).deref().field(0));
    });
    let boom = panics(&mut p);
    let middle = p.function("middle", &[object, c.int], c.int, |f| {
        let it = f.param(0);
        let result = f.b.temp(c.int);
        f.protect(
            |f| {
                let value = f.call(boom, c.int, vec![Operand::local(f.param(1))]);
                f.set(result, Rvalue::Use(Operand::local(value)));
            },
            |f| {
                f.print_text("cleaning");
                f.release(it);
            },
        );
        f.ret_value(Operand::local(result));
    });
    p.main(c.unit, |f| {
        f.count(0, 3, |f, i| {
            let text = f.rt("int_to_str", c.str, vec![Operand::local(i)]);
            let it = f.let_(object, Rvalue::New(object, vec![Operand::local(text)]));
            let after = f.b.new_block();
            f.protect_with(
                |f| {
                    f.call(middle, c.int, vec![Operand::local(it), Operand::local(i)]);
                },
                |f| {
                    let place = f.rt("panic_place", c.str, vec![]);
                    f.print(place);
                    let message = f.rt("take_panic", c.str, vec![]);
                    f.print(message);
                    f.b.goto(after);
                },
            );
            f.b.goto(after);
            f.b.switch_to(after);
        });
        let quiet = f.rt("panicking", c.bool, vec![]);
        f.if_(quiet, |f| f.print_text("panicking"), |f| f.print_text("quiet"));
        f.ret();
    });
    let turn = |i: i32| format!("cleaning\n{i}\nfile0:1:4\nboom {i}\n");
    check(engine, p, &(turn(0) + &turn(1) + &turn(2) + "quiet\n"), 0);
}

pub fn an_uncaught_panic_is_reported(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    let boom = panics(&mut p);
    let careful = p.declare("careful", &[c.int], c.int);
    let attrs = BodyAttrs { track_caller: true, ..BodyAttrs::default() };
    p.define_with(careful, attrs, |f| {
        f.at(7);
        let tiny = f.compare(BinOp::Lt, f.param(0), 10);
        f.if_(
            tiny,
            |f| {
                f.at(8);
                let sum = f.checked(BinOp::Sub, i64::MIN, 1);
                f.print_int(sum);
            },
            |f| {
                f.at(9);
                let value = f.call(boom, c.int, vec![Operand::local(f.param(0))]);
                f.print_int(value);
            },
        );
        f.ret_value(Operand::int(0));
    });
    p.main(c.unit, |f| {
        f.print_text("before");
        f.at(11).call(careful, c.int, vec![Operand::int(1)]);
        f.at(12).ret();
    });
    let report = "panic: integer overflow: -9223372036854775808 - 1
  at file0:1:11
  in careful (file0:1:8)
  in main (file0:1:11)
";
    check_panic(engine, p, "before\n", report);
}

/// Inlined functions are frames of their own.
pub fn inlined_frames_are_shown(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    p.main(c.unit, |f| {
        f.at(30);
        let zero = f.int(0);
        f.checked(BinOp::Div, 1, zero);
        f.ret();
    });
    let id = p.module.entry.expect("main");
    let body = p.module.instances[id].body.take().expect("main");
    let mut body = (*body).clone();
    let call = SourceInfo { span: span(9), scope: qz_mir::ScopeId::from_raw(0) };
    let name = qz_base::Name::new("inner");
    let scope = body.scopes.alloc(SourceScope {
        function: name,
        declared: call.span,
        track_caller: false,
        inlined_at: Some(call),
    });
    for block in body.blocks.values_mut() {
        for stmt in &mut block.stmts {
            if let StmtKind::Assign(_, Rvalue::Checked(..)) = stmt.kind {
                stmt.source.scope = scope;
            }
        }
    }
    p.module.instances[id].body = Some(body.into());
    let report = "panic: division by zero
  at file0:1:30
  in inner (file0:1:30)
  in main (file0:1:10)
";
    check_panic(engine, p, "", report);
}

pub fn a_panic_during_cleanup_is_attached(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    let boom = panics(&mut p);
    let middle = p.function("middle", &[], c.unit, |f| {
        f.protect(
            |f| {
                f.at(20).call(boom, c.int, vec![Operand::int(1)]);
            },
            |f| {
                f.at(21).call(boom, c.int, vec![Operand::int(2)]);
            },
        );
        f.ret();
    });
    p.main(c.unit, |f| {
        f.at(22);
        f.protect_with(
            |f| {
                f.call(middle, c.unit, vec![]);
            },
            |f| {
                let message = f.rt("take_panic", c.str, vec![]);
                f.print(message);
                f.ret();
            },
        );
        f.ret();
    });
    check(engine, p, "boom 1\nwhile unwinding: boom 2\n", 0);
}

pub fn stack_overflow_is_a_panic(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    let dive = p.declare("dive", &[c.int], c.int);
    p.define(dive, |f| {
        f.at(5);
        let text = f.rt("int_to_str", c.str, vec![Operand::local(f.param(0))]);
        let more = f.b.temp(c.int);
        f.protect(
            |f| {
                let next = f.checked(BinOp::Add, f.param(0), 1);
                let value = f.at(6).call(dive, c.int, vec![Operand::local(next)]);
                f.set(more, Rvalue::Use(Operand::local(value)));
            },
            |f| f.release(text),
        );
        f.release(text);
        let result = f.checked(BinOp::Add, more, 1);
        f.ret_value(Operand::local(result));
    });
    p.main(c.unit, |f| {
        f.count(0, 3, |f, _| {
            let after = f.b.new_block();
            f.protect_with(
                |f| {
                    f.call(dive, c.int, vec![Operand::int(0)]);
                },
                |f| {
                    let message = f.rt("take_panic", c.str, vec![]);
                    f.print(message);
                    f.b.goto(after);
                },
            );
            f.b.goto(after);
            f.b.switch_to(after);
        });
        f.ret();
    });
    check(engine, p, &"stack overflow\n".repeat(3), 0);
}

/// A user's `drop` that panics: memory still goes, and destroying goes on working.
pub fn a_drop_may_panic(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    let boom = panics(&mut p);
    let object = p.reference(&[c.int]);
    let holder = p.reference(&[object]);
    let destroy = p.destroyed(object, |_, _| {});
    p.define(destroy, |f| {
        let it = f.param(0);
        f.protect(
            |f| {
                f.at(2).call(boom, c.int, vec![Operand::Copy(Place::local(it).deref().field(0))]);
            },
            |f| f.rt_do("free_object", vec![Operand::local(it)]),
        );
        f.rt_do("free_object", vec![Operand::local(it)]);
        f.ret();
    });
    let destroy = p.destroyed(holder, |_, _| {});
    p.define(destroy, |f| {
        let it = f.param(0);
        let inner = f.let_(object, Rvalue::Use(Operand::Copy(Place::local(it).deref().field(0))));
        f.rt_do("free_object", vec![Operand::local(it)]);
        f.release(inner);
        f.ret();
    });
    let go = p.function("go", &[c.int], c.unit, |f| {
        let inner = f.let_(object, Rvalue::New(object, vec![Operand::local(f.param(0))]));
        let it = f.let_(holder, Rvalue::New(holder, vec![Operand::local(inner)]));
        f.release(it);
        f.ret();
    });
    p.main(c.unit, |f| {
        // More often than destroy functions may be nested: the depth is put back each time.
        f.count(0, 300, |f, i| {
            let after = f.b.new_block();
            f.protect_with(
                |f| {
                    f.call(go, c.unit, vec![Operand::local(i)]);
                },
                |f| {
                    let message = f.rt("take_panic", c.str, vec![]);
                    let last = f.compare(BinOp::Eq, i, 299);
                    f.if_(last, |f| f.rt_do("out_line", vec![Operand::local(message)]), |_| {});
                    f.release(message);
                    f.b.goto(after);
                },
            );
            f.b.goto(after);
            f.b.switch_to(after);
        });
        f.ret();
    });
    check(engine, p, "boom 299\n", 0);
}

/// A body that ends without returning.
pub fn unreachable_ends_are_not_reached(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    let fail = p.function("fail", &[], c.never, |f| {
        f.at(1).rt_do("panic", vec![string("no")]);
        f.b.end(TermKind::Unreachable);
    });
    p.main(c.int, |f| {
        f.at(2).call(fail, c.never, vec![]);
        f.b.end(TermKind::Unreachable);
    });
    let report = "panic: no\n  at file0:1:1\n  in fail (file0:1:1)\n  in main (file0:1:2)\n";
    check_panic(engine, p, "", report);
}

/// Arguments beyond the registers, and a panic that leaves the callee: the caller's frame is as it was.
pub fn panics_leave_calls_with_many_arguments(engine: Engine) {
    let c = common();
    let mut p = Program::new();
    let many = p.function("many", &[c.int; 12], c.int, |f| {
        let sum = f.int(0);
        for i in 0..12 {
            let scaled = f.checked(BinOp::Mul, f.param(i), i as i64 + 1);
            f.set(sum, Rvalue::Checked(BinOp::Add, Operand::local(sum), Operand::local(scaled)));
        }
        let result = f.checked(BinOp::Div, 10_000, sum);
        f.ret_value(Operand::local(result));
    });
    p.main(c.unit, |f| {
        let kept = f.int(0);
        f.count(0, 4, |f, i| {
            let (even, after) = (f.b.new_block(), f.b.new_block());
            let odd = f.let_(c.int, Rvalue::Binary(BinOp::BitAnd, Operand::local(i), Operand::int(1)));
            f.protect_with(
                |f| {
                    let result = f.call(many, c.int, vec![Operand::local(odd); 12]);
                    f.print_int(result);
                },
                |f| {
                    let message = f.rt("take_panic", c.str, vec![]);
                    f.print(message);
                    f.b.goto(even);
                },
            );
            f.b.goto(even);
            f.b.switch_to(even);
            f.set(kept, Rvalue::Checked(BinOp::Add, Operand::local(kept), Operand::local(i)));
            f.b.goto(after);
            f.b.switch_to(after);
        });
        f.print_int(kept);
        f.ret();
    });
    check(engine, p, "division by zero\n128\ndivision by zero\n128\n6\n", 0);
}
