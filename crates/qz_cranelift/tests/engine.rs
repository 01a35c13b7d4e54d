//! The suite of programs, on Cranelift.

mod suite;

use std::sync::{Mutex, PoisonError};

use qz_codegen::locations::NoFiles;
use qz_cranelift::{Emit, Jit, OptLevel, Options};
use qz_mir::Module;
use qz_mir::layout::Layouts;
use suite::{Ended, arith, calls, enums, failure, memory};

/// Standard output is captured for the whole process, so programs run one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn run_with(module: &Module, layouts: &Layouts, options: Options) -> Ended {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let jit = Jit::new(module, layouts, Box::new(NoFiles), options).expect("compiles");
    if options.emit != Emit::Nothing {
        println!("{}", jit.text());
    }
    qz_rt::streams::start_capture();
    let outcome = jit.run();
    let (stdout, _) = qz_rt::streams::end_capture();
    let outcome = outcome.expect("runs");
    Ended {
        stdout: String::from_utf8(stdout).expect("UTF-8"),
        stderr: outcome.panic.map(|panic| panic.report()).unwrap_or_default(),
        status: outcome.status,
        leaks: outcome.leaks,
    }
}

fn counted(module: &Module, layouts: &Layouts) -> Ended {
    let emit = if std::env::var_os("SHOW_CLIF").is_some() { Emit::Clif } else { Emit::Nothing };
    run_with(module, layouts, Options { count_objects: true, emit, ..Options::default() })
}

/// With the free lists used in place.
fn fast(module: &Module, layouts: &Layouts) -> Ended {
    run_with(module, layouts, Options::default())
}

fn unoptimised(module: &Module, layouts: &Layouts) -> Ended {
    run_with(module, layouts, Options { opt: OptLevel::None, ..Options::default() })
}

macro_rules! suite {
    ($($topic:ident::$case:ident $(($($arg:expr),*))?;)*) => {$(
        #[test]
        fn $case() {
            $topic::$case(counted $($(, $arg)*)?);
            $topic::$case(fast $($(, $arg)*)?);
            $topic::$case(unoptimised $($(, $arg)*)?);
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
    calls::foreign_functions_are_called;
    enums::every_form_tells_its_variant;
    enums::payloads_come_back;
    enums::long_lists_are_destroyed(1_000_000);
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

fn text_of(emit: Emit, build: impl FnOnce(&mut suite::Body)) -> String {
    let mut p = suite::Program::new();
    p.main(qz_types::ty::common().int, |f| {
        build(f);
        f.ret_value(qz_mir::Operand::int(3));
    });
    let layouts = Layouts::new(&p.defs);
    let options = Options { emit, ..Options::default() };
    let jit = Jit::new(&p.module, &layouts, Box::new(NoFiles), options).expect("compiles");
    jit.text().to_owned()
}

/// No address reaches a text.
#[test]
fn texts_are_the_same_each_time() {
    for emit in [Emit::Clif, Emit::Asm] {
        let text = text_of(emit, |f| f.print_text("hello"));
        assert!(text.contains("main"), "{text}");
        assert_eq!(text, text_of(emit, |f| f.print_text("hello")));
    }
}

/// A lock that is taken in place: what is read and written, and in which order. `qz_sched`'s `Bias` says why.
#[test]
fn a_lock_is_looked_at_before_and_after_it_is_busy() {
    let text = text_of(Emit::Clif, |f| {
        let bytes = qz_types::Ty::ptr(qz_types::ty::common().u8);
        let lock = f.rt("mutex_new", bytes, vec![]);
        f.rt("mutex_try_lock", qz_types::ty::common().bool, vec![qz_mir::Operand::local(lock)]);
    });
    let (_, after) = text.split_once("call").expect("the lock is made");
    let look = ["load.i64", "load.i8", "brif", "store", "atomic_load.i8", "brif"];
    let change = ["load.i32", "brif", "store", "store"];
    let leave_it = ["store", "call"];
    let steps = [&look[..], &change, &leave_it].concat();
    let found = after.split_whitespace().filter(|word| steps.contains(word));
    assert_eq!(found.take(steps.len()).collect::<Vec<_>>(), steps, "{text}");
}
