//! Keyed hashing: SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, with the
//! rounds that Rust's and Ruby's tables use) under a key chosen once per process, so that nobody can
//! prepare keys that all collide.

use std::sync::OnceLock;

use qz_rt_abi::Fiber;

static KEY: OnceLock<(u64, u64)> = OnceLock::new();

fn key() -> (u64, u64) {
    *KEY.get_or_init(|| match std::env::var("QUARTZ_HASH_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => (seed, !seed),
        None => (crate::time::random_word(), crate::time::random_word()),
    })
}

struct State([u64; 4]);

impl State {
    fn new((k0, k1): (u64, u64)) -> State {
        State([
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ])
    }

    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.0;
        a = a.wrapping_add(b);
        c = c.wrapping_add(d);
        b = b.rotate_left(13) ^ a;
        d = d.rotate_left(16) ^ c;
        a = a.rotate_left(32);
        c = c.wrapping_add(b);
        a = a.wrapping_add(d);
        b = b.rotate_left(17) ^ c;
        d = d.rotate_left(21) ^ a;
        c = c.rotate_left(32);
        self.0 = [a, b, c, d];
    }

    fn word(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.0[0] ^= word;
    }

    fn finish(mut self) -> u64 {
        self.0[2] ^= 0xff;
        self.round();
        self.round();
        self.round();
        self.0.iter().fold(0, |sum, v| sum ^ v)
    }
}

fn hash_with(key: (u64, u64), bytes: &[u8]) -> u64 {
    let mut state = State::new(key);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        state.word(u64::from_le_bytes(chunk.try_into().expect("eight bytes")));
    }
    let mut last = [0; 8];
    let rest = chunks.remainder();
    last[..rest.len()].copy_from_slice(rest);
    last[7] = bytes.len() as u8;
    state.word(u64::from_le_bytes(last));
    state.finish()
}

/// The hash of some bytes under the key of this process.
pub(crate) fn bytes(bytes: &[u8]) -> u64 {
    hash_with(key(), bytes)
}

pub(crate) unsafe fn hash_bytes(_fiber: *mut Fiber, data: *mut u8, len: u64) -> u64 {
    if len == 0 {
        return bytes(&[]);
    }
    // SAFETY: generated code passes `len` readable bytes.
    bytes(unsafe { std::slice::from_raw_parts(data, len as usize) })
}

pub(crate) unsafe fn hash_word(_fiber: *mut Fiber, word: u64) -> u64 {
    let mut state = State::new(key());
    state.word(word);
    state.finish()
}

pub(crate) unsafe fn hash_seed(_fiber: *mut Fiber) -> u64 {
    key().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_depends_on_every_byte_and_on_the_key() {
        let a = hash_with((1, 2), b"the quick brown fox");
        assert_eq!(a, hash_with((1, 2), b"the quick brown fox"));
        assert_ne!(a, hash_with((1, 2), b"the quick brown foy"));
        assert_ne!(a, hash_with((1, 3), b"the quick brown fox"));
        assert_ne!(hash_with((1, 2), b""), hash_with((1, 2), b"\0"));
    }
}
