//! What can a byte start? One table lookup for each token.

/// What kind of token starts with a byte.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Class {
    Space,
    Newline,
    /// A small letter or `_`.
    Lower,
    Upper,
    Digit,
    Quote,
    Apostrophe,
    Hash,
    Punct,
    /// Control characters and everything outside of ASCII.
    Other,
}

static CLASSES: [Class; 256] = classes();

pub(super) fn class_of(byte: u8) -> Class {
    CLASSES[byte as usize]
}

const fn classes() -> [Class; 256] {
    let mut table = [Class::Other; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = match byte as u8 {
            b' ' | b'\t' | b'\r' => Class::Space,
            b'\n' => Class::Newline,
            b'a'..=b'z' | b'_' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            b'"' => Class::Quote,
            b'\'' => Class::Apostrophe,
            b'#' => Class::Hash,
            b'\\' | b'`' => Class::Other,
            b'!'..=b'~' => Class::Punct,
            _ => Class::Other,
        };
        byte += 1;
    }
    table
}
