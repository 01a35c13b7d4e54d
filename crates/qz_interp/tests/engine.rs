//! The suite of programs, run by the interpreter.

#[path = "../../qz_cranelift/tests/suite/mod.rs"]
#[allow(dead_code, reason = "foreign functions are not for the interpreter")]
mod suite;

use std::sync::{Mutex, PoisonError};

use qz_codegen::locations::NoFiles;
use qz_interp::{Options, Stop};
use qz_mir::layout::Layouts;
use qz_mir::{AggregateKind, Const, Module, Operand, Place, Rvalue, TermKind};
use qz_types::Ty;
use qz_types::ty::common;
use suite::{Ended, Program, arith, calls, enums, failure, memory};

/// Standard output is captured for the whole process, so programs run one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn run(module: &Module, layouts: &Layouts) -> Ended {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    qz_rt::streams::start_capture();
    let outcome = qz_interp::run(module, layouts, &NoFiles, Options::default());
    let (stdout, _) = qz_rt::streams::end_capture();
    let outcome = outcome.expect("runs");
    Ended {
        stdout: String::from_utf8(stdout).expect("UTF-8"),
        stderr: outcome.panic.map(|panic| panic.report()).unwrap_or_default(),
        status: outcome.status,
        leaks: outcome.leaks,
    }
}

macro_rules! suite {
    ($($topic:ident::$case:ident $(($($arg:expr),*))?;)*) => {$(
        #[test]
        fn $case() {
            $topic::$case(run $($(, $arg)*)?);
        }
    )*};
}

suite! {
    arith::sums_in_a_loop;
    arith::checked_operations_know_their_limits;
    arith::conversions_check_or_wrap;
    arith::floats_follow_ieee;
    arith::bits_are_counted_and_moved;
    arith::overflow_says_where;
    calls::recursion_works;
    calls::large_values_travel;
    calls::closures_hold_what_they_capture;
    calls::dyn_values_find_their_methods;
    calls::borrows_reach_the_callers_memory;
    enums::every_form_tells_its_variant;
    enums::payloads_come_back;
    enums::long_lists_are_destroyed(100_000);
    memory::objects_live_while_they_are_counted;
    memory::counts_reach_into_values;
    memory::raw_memory_is_indexed;
    memory::strings_are_joined_and_cut;
    memory::module_variables_keep_their_values;
    memory::constants_lie_in_static_memory;
    failure::cleanups_run_and_a_panic_is_taken;
    failure::an_uncaught_panic_is_reported;
    failure::inlined_frames_are_shown;
    failure::a_panic_during_cleanup_is_attached;
    failure::stack_overflow_is_a_panic;
    failure::a_drop_may_panic;
    failure::unreachable_ends_are_not_reached;
    failure::panics_leave_calls_with_many_arguments;
    enums::switches_find_their_case;
}

fn stopped(program: Program, options: Options) -> Stop {
    let layouts = Layouts::new(&program.defs);
    qz_interp::run(&program.module, &layouts, &NoFiles, options).expect_err("is stopped")
}

#[test]
fn endless_programs_are_stopped() {
    let mut p = Program::new();
    p.main(common().unit, |f| {
        let block = f.b.new_block();
        f.b.goto(block);
        f.b.switch_to(block);
        f.b.end(TermKind::Goto(block));
    });
    let options = Options { steps: Some(1000), ..Options::default() };
    assert!(matches!(stopped(p, options), Stop::Steps));
}

#[test]
fn constants_reach_nothing_outside() {
    let mut p = Program::new();
    p.main(common().unit, |f| {
        f.print_text("no");
        f.ret();
    });
    let options = Options { effects: false, ..Options::default() };
    assert!(matches!(stopped(p, options), Stop::Effect("out_line")));
}

/// A value with objects, strings and options in it is evaluated, frozen, and read by a second program.
#[test]
fn constants_are_evaluated_and_frozen() {
    let c = common();
    let mut p = Program::new();
    let object = p.reference(&[c.int, c.str]);
    p.destroyed(object, |f, _| f.print_text("never"));
    let maybe = p.option(object);
    let ty = Ty::tuple(&[maybe, maybe, object, c.int]);
    let make = p.function("make", &[], ty, |f| {
        let text = f.rt("int_to_str", c.str, vec![Operand::int(42)]);
        let it = f.let_(object, Rvalue::New(object, vec![Operand::int(7), Operand::local(text)]));
        f.retain(it);
        let some = Rvalue::Aggregate(AggregateKind::Variant(maybe, 1), vec![Operand::local(it)]);
        let (some, none) =
            (f.let_(maybe, some), f.let_(maybe, Rvalue::Aggregate(AggregateKind::Variant(maybe, 0), vec![])));
        let parts = vec![Operand::local(some), Operand::local(none), Operand::local(it), Operand::int(9)];
        f.set(qz_mir::Body::RETURN, Rvalue::Aggregate(AggregateKind::Tuple(ty), parts));
        f.ret();
    });
    let layouts = Layouts::new(&p.defs);
    let frozen = qz_interp::evaluate(&p.module, &layouts, &NoFiles, make, Options::default());
    let frozen = frozen.expect("is not stopped").expect("does not panic");
    for blob in frozen.blobs {
        p.module.data.alloc(blob);
    }
    let root = frozen.root.expect("a value");
    p.main(c.unit, |f| {
        let value = f.let_(ty, Rvalue::Use(Operand::Const(Const::Static(root, ty))));
        f.release(value);
        let value = Place::local(value);
        let it = value.field(2).deref();
        f.print_int(it.field(0));
        f.rt_do("out_line", vec![Operand::Copy(it.field(1))]);
        let same = vec![Operand::Copy(value.field(0)), Operand::Copy(value.field(2))];
        let same = f.intrinsic(qz_mir::Intrinsic::SameObject, c.bool, same);
        f.if_(same, |f| f.print_text("shared"), |f| f.print_text("copied"));
        let none = f.let_(c.int, Rvalue::Discriminant(value.field(1)));
        f.print_int(none);
        f.print_int(value.field(3));
        f.ret();
    });
    suite::check(run, p, "7\n42\nshared\n0\n9\n", 0);
}
