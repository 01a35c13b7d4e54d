//! The suite of programs, run by the interpreter.

#[path = "../../qz_cranelift/tests/suite/mod.rs"]
#[allow(dead_code, reason = "foreign functions are not for the interpreter")]
mod suite;

use std::sync::{Mutex, PoisonError};

use qz_codegen::locations::NoFiles;
use qz_interp::{Options, Stop};
use qz_mir::layout::Layouts;
use qz_mir::{
    AggregateKind, Const, ConstValue, InstanceId, Module, Operand, Place, Proj, Rvalue, StaticDataId,
    TermKind,
};
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

/// A value with strings and options in it is evaluated, frozen, and read by a second program.
#[test]
fn constants_are_evaluated_and_frozen() {
    let c = common();
    let mut p = Program::new();
    let maybe = p.option(c.str);
    let ty = Ty::tuple(&[maybe, maybe, c.str, c.int]);
    let make = p.function("make", &[], ty, |f| {
        let text = f.rt("int_to_str", c.str, vec![Operand::int(42)]);
        f.retain(text);
        let some = Rvalue::Aggregate(AggregateKind::Variant(maybe, 1), vec![Operand::local(text)]);
        let (some, none) =
            (f.let_(maybe, some), f.let_(maybe, Rvalue::Aggregate(AggregateKind::Variant(maybe, 0), vec![])));
        let parts = vec![Operand::local(some), Operand::local(none), Operand::local(text), Operand::int(9)];
        f.set(qz_mir::Body::RETURN, Rvalue::Aggregate(AggregateKind::Tuple(ty), parts));
        f.ret();
    });
    let Some(ConstValue::Data(blobs)) = evaluated(&p, make) else { panic!("the value is kept as data") };
    for blob in blobs {
        p.module.data.alloc(blob);
    }
    let root = StaticDataId::from_raw(0);
    p.main(c.unit, |f| {
        let value = f.let_(ty, Rvalue::Use(Operand::Const(Const::Static(root, ty))));
        f.release(value);
        let value = Place::local(value);
        f.rt_do("out_line", vec![Operand::Copy(value.field(2))]);
        let inner = value.field(0).then(Proj::Variant(1)).field(0);
        let same = vec![Operand::Copy(inner), Operand::Copy(value.field(2))];
        let same = f.intrinsic(qz_mir::Intrinsic::SameObject, c.bool, same);
        f.if_(same, |f| f.print_text("shared"), |f| f.print_text("copied"));
        let none = f.let_(c.int, Rvalue::Discriminant(value.field(1)));
        f.print_int(none);
        f.print_int(value.field(3));
        f.ret();
    });
    suite::check(run, p, "42\nshared\n0\n9\n", 0);
}

#[test]
fn constants_are_plain_operands_where_they_fit() {
    let c = common();
    let mut p = Program::new();
    let make = p.function("make", &[], c.str, |f| {
        let text = f.rt("int_to_str", c.str, vec![Operand::int(42)]);
        f.set(qz_mir::Body::RETURN, Rvalue::Use(Operand::local(text)));
        f.ret();
    });
    let value = evaluated(&p, make);
    assert!(matches!(value, Some(ConstValue::Plain(Const::Str(text))) if &*text == "42"));
}

/// Objects that can be changed are made anew at each use.
#[test]
fn mutable_objects_are_no_constants() {
    let c = common();
    let mut p = Program::new();
    let object = p.reference(&[c.int]);
    p.destroyed(object, |_, _| {});
    let make = p.function("make", &[], object, |f| {
        let it = f.let_(object, Rvalue::New(object, vec![Operand::int(7)]));
        f.set(qz_mir::Body::RETURN, Rvalue::Use(Operand::local(it)));
        f.ret();
    });
    assert!(evaluated(&p, make).is_none());
}

fn evaluated(p: &Program, make: InstanceId) -> Option<ConstValue> {
    let layouts = Layouts::new(&p.defs);
    let value = qz_interp::evaluate(&p.module, &layouts, &NoFiles, make, Options::default());
    value.expect("is not stopped").expect("does not panic")
}
