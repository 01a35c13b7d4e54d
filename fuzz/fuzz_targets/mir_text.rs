//! Does the reader of MIR text answer any text with a program or an error?
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = qz_mir::text::TextProgram::read(text);
});
