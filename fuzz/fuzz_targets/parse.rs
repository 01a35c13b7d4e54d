//! Does parsing any text end, and does the tree hold every byte of it?
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let parsed = qz_syntax::parse(text);
    assert_eq!(parsed.tree.root(text).text(), text);
});
