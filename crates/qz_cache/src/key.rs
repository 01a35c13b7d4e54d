//! Keys: the digest of everything that a stage read.

use std::fmt;

use qz_base::digest::{Digest, Digester};

/// Stands for all that an entry was made from.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Key(pub [u8; 32]);

impl Key {
    /// The key that is just a content's digest.
    pub fn of_content(bytes: &[u8]) -> Key {
        qz_base::digest::digest(bytes).into()
    }

    /// Its first bytes as a number, for long lists: two keys share it once in 10^19 times.
    pub fn short(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0[..8]);
        u64::from_le_bytes(first)
    }

    /// The key in hexadecimal digits, as [`Key`]'s `Display` writes it.
    pub fn from_hex(text: &str) -> Option<Key> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Key(bytes))
    }
}

impl From<Digest> for Key {
    fn from(digest: Digest) -> Key {
        Key(digest.bytes())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A key in the making. Parts are told apart by their lengths: `("ab", "c")` is not `("a", "bc")`.
pub struct KeyBuilder(Digester);

impl KeyBuilder {
    /// `kind` names the question, with a version: keys of different kinds never meet.
    pub fn new(kind: &str) -> KeyBuilder {
        KeyBuilder(Digester::default()).str(kind)
    }

    pub fn bytes(mut self, part: &[u8]) -> KeyBuilder {
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    pub fn str(self, part: &str) -> KeyBuilder {
        self.bytes(part.as_bytes())
    }

    pub fn key(mut self, part: Key) -> KeyBuilder {
        self.0.update(&part.0);
        self
    }

    pub fn number(mut self, part: u64) -> KeyBuilder {
        self.0.update(&part.to_le_bytes());
        self
    }

    /// A list: its length and its parts.
    pub fn keys(self, parts: &[Key]) -> KeyBuilder {
        parts.iter().fold(self.number(parts.len() as u64), |builder, &part| builder.key(part))
    }

    pub fn finish(self) -> Key {
        self.0.finish().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let two = |a: &str, b: &str| KeyBuilder::new("test").str(a).str(b).finish();
        assert_ne!(two("ab", "c"), two("a", "bc"));
        assert_ne!(two("", "abc"), two("abc", ""));
        assert_ne!(KeyBuilder::new("a").finish(), KeyBuilder::new("b").finish());
    }

    #[test]
    fn keys_can_be_read_back() {
        let key = Key::of_content(b"x");
        assert_eq!(Key::from_hex(&key.to_string()), Some(key));
        assert_eq!(Key::from_hex("12"), None);
        assert_eq!(Key::from_hex(&"g".repeat(64)), None);
    }
}
