//! Keyed hashing by folded multiplication (as in wyhash and foldhash, which long texts are left to) under keys
//! chosen once per process, so that nobody outside can prepare keys that all collide.

use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use qz_rt_abi::Fiber;

struct State {
    keys: [u64; 3],
    long: SeedableRandomState,
}

static STATE: LazyLock<State> = LazyLock::new(|| {
    let chosen = std::env::var("QUARTZ_HASH_SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
    let (a, b) = match chosen {
        Some(seed) => (seed, !seed),
        None => (crate::time::random_word(), crate::time::random_word()),
    };
    State::new(a, b)
});

impl State {
    fn new(a: u64, b: u64) -> State {
        let long = SeedableRandomState::with_seed(a, Box::leak(Box::new(SharedSeed::from_u64(b))));
        // Odd factors: none of them loses bits.
        let key = |n: u64| long.hash_one(n) | 1;
        State { keys: [key(0), key(1), key(2)], long }
    }

    fn bytes(&self, bytes: &[u8]) -> u64 {
        short_hash(&self.keys, bytes).unwrap_or_else(|| self.long_hash(bytes))
    }

    #[inline(never)]
    fn long_hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.long.build_hasher();
        hasher.write(bytes);
        hasher.write_usize(bytes.len());
        hasher.finish()
    }
}

/// The hash of up to 8 bytes, which stand in a word whose rest is zero.
#[inline]
pub(crate) fn of_word([k0, k1, _]: &[u64; 3], word: u64, len: u64) -> u64 {
    fold(word ^ k0, k1 ^ len)
}

/// The hash of up to 16 bytes.
#[inline]
fn short_hash(keys: &[u64; 3], bytes: &[u8]) -> Option<u64> {
    let [k0, k1, k2] = keys;
    let n = bytes.len();
    let eight = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let four = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as u64;
    let one = |at: usize| (bytes[at] as u64) << (8 * at);
    let word = match n {
        0 => 0,
        1..4 => one(0) | one(n / 2) | one(n - 1),
        4..8 => four(0) | four(n - 4) << (8 * (n - 4)),
        8 => eight(0),
        9..=16 => return Some(fold(fold(eight(0) ^ k0, eight(n - 8) ^ k1) ^ n as u64, *k2)),
        _ => return None,
    };
    Some(of_word(keys, word, n as u64))
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

/// What [`Fiber::hash_keys`] holds.
pub(crate) fn keys() -> [u64; 3] {
    STATE.keys
}

/// The hash of some bytes under the keys of this process.
pub(crate) fn bytes(bytes: &[u8]) -> u64 {
    STATE.bytes(bytes)
}

/// As [`bytes`], where the keys are at hand.
#[inline]
pub(crate) fn keyed(keys: &[u64; 3], text: &[u8]) -> u64 {
    short_hash(keys, text).unwrap_or_else(|| STATE.long_hash(text))
}

pub(crate) unsafe fn hash_bytes(_fiber: *mut Fiber, data: *mut u8, len: u64) -> u64 {
    if len == 0 {
        return bytes(&[]);
    }
    // SAFETY: generated code passes `len` readable bytes.
    bytes(unsafe { std::slice::from_raw_parts(data, len as usize) })
}

/// Engines make the same in place; see [`qz_rt_abi::fiber::HASH_WORD_KEYS`].
pub(crate) unsafe fn hash_word(fiber: *mut Fiber, word: u64) -> u64 {
    // SAFETY: generated code passes a live fiber.
    let [k0, k1, _] = unsafe { (*fiber).hash_keys };
    fold(word ^ k0, k1)
}

pub(crate) unsafe fn hash_seed(_fiber: *mut Fiber) -> u64 {
    STATE.long.build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_depends_on_every_byte_and_on_the_seed() {
        let (one, two) = (State::new(1, 2), State::new(1, 3));
        let text = b"the quick brown fox jumps over the lazy dog";
        for n in 1..text.len() {
            let a = one.bytes(&text[..n]);
            assert_eq!(a, one.bytes(&text[..n]));
            assert_ne!(a, two.bytes(&text[..n]));
            assert_ne!(a, one.bytes(&text[..n - 1]));
            for at in 0..n {
                let mut other = text[..n].to_vec();
                other[at] ^= 1;
                assert_ne!(a, one.bytes(&other), "{n} bytes, byte {at}");
            }
            assert_ne!(one.bytes(&vec![0; n]), one.bytes(&vec![0; n - 1]));
        }
    }

    #[test]
    fn words_in_rows_spread_over_every_part_of_the_hash() {
        let [k0, k1, _] = State::new(1, 2).keys;
        for step in [0, 3, 8, 17, 32, 40, 50] {
            for part in [0, 24, 56] {
                let mut seen = [0_u32; 256];
                for i in 0..1 << 13 {
                    seen[(fold((i << step) ^ k0, k1) >> part) as usize & 255] += 1;
                }
                let most = seen.iter().max().expect("some");
                assert!(*most < 160, "{most} of 8192 in one of 256 places: step {step}, part {part}");
            }
        }
    }
}
