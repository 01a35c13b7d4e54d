//! Which content is it? SHA-256, for caches that must not take one text for another.

use sha2::{Digest as _, Sha256};

/// A digest, shown in hexadecimal digits.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Digest {
    pub fn bytes(self) -> [u8; 32] {
        self.0
    }

    /// Its first bytes as a number.
    pub fn short(self) -> u64 {
        u64::from_le_bytes(*self.0.first_chunk().expect("a digest is longer"))
    }
}

/// The digest of some bytes.
pub fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// A digest of bytes that come in pieces.
#[derive(Clone, Default)]
pub struct Digester(Sha256);

impl Digester {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn digests_are_those_of_the_standard() {
        let text = |n: usize| digest("a".repeat(n).as_bytes()).to_string();
        assert_eq!(text(0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(
            digest(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
