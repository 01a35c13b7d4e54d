//! Does checking any text at all end without a crash?
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: String| {
    let Ok(loaded) = qz_driver::load(qz_driver::Root::Text(text), &Default::default(), None) else { return };
    let program = qz_driver::collect(loaded);
    qz_driver::check(&program, &qz_infer::Checker::for_problems(&program.defs), None);
});
