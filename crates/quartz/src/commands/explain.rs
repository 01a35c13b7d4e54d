//! `quartz explain`: the page of a diagnostic code.

use qz_diag::Code;

/// Prints what is known of a code.
pub(super) fn explain(text: &str) -> u8 {
    let Some(code) = Code::parse(text) else {
        eprintln!("error: a code is `QZ` and four digits, for example QZ0300");
        return super::STATUS_USE;
    };
    match qz_driver::explain(code) {
        Some(page) => {
            println!("{page}");
            0
        }
        None => {
            eprintln!("error: there is no diagnostic {code}");
            super::STATUS_USE
        }
    }
}
