//! Interned names. A name is an index, never a pointer into a table that may move; equal text is an
//! equal index, so no stage compares strings.
//!
//! The table is process-wide and only grows. Names are handed out in order of first use, which depends on
//! the order of work: never sort or hash by the index where the result is seen outside ([`Name::cmp_text`]
//! is there for that).

use std::cmp::Ordering;
use std::fmt;
use std::sync::{LazyLock, RwLock};

use crate::FxHashMap;

/// Stands in a name that a macro's quote wrote, before the number of the expansion: `total` of one expansion is no other's
/// `total`, nor the caller's. No source text can write it.
pub const MARK: char = '\u{F8FF}';

/// The methods that only the expansion of a `packed struct` writes: its fields taken apart, and put together.
pub const PACKED_APART: &str = "fields\u{F8FF}";
pub const PACKED_TOGETHER: &str = "of\u{F8FF}";

/// A text as its author wrote it: without marks.
pub fn without_marks(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains(MARK) {
        return text.into();
    }
    let mut pieces = text.split(MARK);
    let mut plain = pieces.next().unwrap_or("").to_owned();
    for piece in pieces {
        plain.push_str(piece.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    plain.into()
}

/// Interned text: two names are equal exactly if their texts are.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub struct Name(u32);

struct Interner {
    index: FxHashMap<&'static str, u32>,
    texts: Vec<&'static str>,
    /// Text is stored in leaked blocks, so that a `&'static str` stays good for the life of the process.
    block: &'static mut [u8],
}

const BLOCK: usize = 64 * 1024;

impl Interner {
    fn store(&mut self, text: &str) -> &'static str {
        if text.len() > self.block.len() {
            self.block = Box::leak(vec![0u8; BLOCK.max(text.len())].into_boxed_slice());
        }
        let block = std::mem::take(&mut self.block);
        let (mine, rest) = block.split_at_mut(text.len());
        self.block = rest;
        mine.copy_from_slice(text.as_bytes());
        std::str::from_utf8(mine).expect("copied from a str")
    }

    fn intern(&mut self, text: &str) -> Name {
        if let Some(&index) = self.index.get(text) {
            return Name(index);
        }
        let text = self.store(text);
        let index = self.texts.len() as u32;
        self.texts.push(text);
        self.index.insert(text, index);
        Name(index)
    }
}

static INTERNER: LazyLock<RwLock<Interner>> = LazyLock::new(|| {
    let mut interner = Interner { index: FxHashMap::default(), texts: Vec::new(), block: &mut [] };
    for text in known::TEXTS {
        interner.intern(text);
    }
    RwLock::new(interner)
});

impl Name {
    pub fn new(text: &str) -> Name {
        let interner = INTERNER.read().unwrap_or_else(|poison| poison.into_inner());
        if let Some(&index) = interner.index.get(text) {
            return Name(index);
        }
        drop(interner);
        INTERNER.write().unwrap_or_else(|poison| poison.into_inner()).intern(text)
    }

    pub fn as_str(self) -> &'static str {
        INTERNER.read().unwrap_or_else(|poison| poison.into_inner()).texts[self.0 as usize]
    }

    /// The name as written, and the expansion whose quote wrote it, if one did.
    pub fn marked(self) -> (Name, Option<u32>) {
        let text = self.as_str();
        match text.find(MARK) {
            None => (self, None),
            Some(at) => {
                let number = text[at + MARK.len_utf8()..].trim_end_matches('?').parse();
                (Name::new(&without_marks(text)), number.ok())
            }
        }
    }

    /// The name as written.
    pub fn plain(self) -> Name {
        self.marked().0
    }

    /// Order by text: the same on every run.
    pub fn cmp_text(self, other: Name) -> Ordering {
        self.as_str().cmp(other.as_str())
    }

    /// Type-like names start with a capital letter; the grammar gives them another meaning in patterns.
    pub fn is_upper(self) -> bool {
        self.as_str().chars().next().is_some_and(char::is_uppercase)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_marks(self.as_str()))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

macro_rules! known_names {
    ($($ident:ident = $text:literal,)*) => {
        /// Names the compiler itself refers to, interned first, so that they are constants.
        pub mod known {
            use super::Name;
            pub(super) const TEXTS: &[&str] = &[$($text),*];
            #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
            #[repr(u32)]
            enum Slot { $($ident),* }
            $(pub const $ident: Name = Name(Slot::$ident as u32);)*
        }
    };
}

known_names! {
    MISSING = "",
    SELF_VALUE = "self",
    SELF_TYPE = "Self",
    IT = "it",
    MAIN = "main",
    STD = "std",
    UNDERSCORE = "_",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_text_is_an_equal_name() {
        assert_eq!(Name::new("size"), Name::new(&String::from("size")));
        assert_ne!(Name::new("size"), Name::new("empty?"));
        assert_eq!(Name::new("it"), known::IT);
        assert_eq!(known::MAIN.as_str(), "main");
    }
}
