//! Does the expander answer for any macros and calls, and does what it makes end in problems, never in a crash?
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|seed: u64| {
    let text = qz_progen::macros(seed);
    let Ok(loaded) = qz_driver::load(qz_driver::Root::Text(text), &Default::default(), None) else { return };
    let program = qz_driver::collect(loaded);
    qz_driver::check(&program, &qz_infer::Checker::for_problems(&program.defs), None);
});
