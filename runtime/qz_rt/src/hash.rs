//! Keyed hashing (foldhash, by Orson Peters: folded multiplication) under a seed chosen once per process, so
//! that nobody outside can prepare keys that all collide.

use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use qz_rt_abi::Fiber;

static STATE: LazyLock<SeedableRandomState> = LazyLock::new(|| {
    let chosen = std::env::var("QUARTZ_HASH_SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
    let (a, b) = match chosen {
        Some(seed) => (seed, !seed),
        None => (crate::time::random_word(), crate::time::random_word()),
    };
    state_of(a, b)
});

fn state_of(a: u64, b: u64) -> SeedableRandomState {
    SeedableRandomState::with_seed(a, Box::leak(Box::new(SharedSeed::from_u64(b))))
}

fn hash_with(state: &SeedableRandomState, bytes: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(bytes);
    // Texts of zero bytes differ by length only.
    hasher.write_usize(bytes.len());
    hasher.finish()
}

/// The hash of some bytes under the seed of this process.
pub(crate) fn bytes(bytes: &[u8]) -> u64 {
    hash_with(&STATE, bytes)
}

pub(crate) unsafe fn hash_bytes(_fiber: *mut Fiber, data: *mut u8, len: u64) -> u64 {
    if len == 0 {
        return bytes(&[]);
    }
    // SAFETY: generated code passes `len` readable bytes.
    bytes(unsafe { std::slice::from_raw_parts(data, len as usize) })
}

pub(crate) unsafe fn hash_word(_fiber: *mut Fiber, word: u64) -> u64 {
    let mut hasher = STATE.build_hasher();
    hasher.write_u64(word);
    hasher.finish()
}

pub(crate) unsafe fn hash_seed(_fiber: *mut Fiber) -> u64 {
    STATE.build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_depends_on_every_byte_and_on_the_seed() {
        let (one, two) = (state_of(1, 2), state_of(1, 3));
        let a = hash_with(&one, b"the quick brown fox");
        assert_eq!(a, hash_with(&one, b"the quick brown fox"));
        assert_ne!(a, hash_with(&one, b"the quick brown foy"));
        assert_ne!(a, hash_with(&two, b"the quick brown fox"));
        assert_ne!(hash_with(&one, b""), hash_with(&one, b"\0"));
        assert_ne!(hash_with(&one, b"\0"), hash_with(&one, b"\0\0"));
    }
}
