//! The form of an entry on disk: a header that says whose it is and what its content must be, then the content.
//!
//! `QZCACHE1`, the key (32 bytes), form (1: as it is, 2: LZ4), a digest of all the others, all little endian.

use qz_base::digest::{Digest, Digester};

use crate::Key;

const MAGIC: &[u8; 8] = b"QZCACHE1";
const HEADER: usize = 8 + 32 + 8 + 32;
const PLAIN: u64 = 1;
const LZ4: u64 = 2;
/// Nothing that a compiler makes is larger; a length beyond it is damage, and asks for no memory.
const LARGEST: usize = 2 << 30;

/// What is wrong with an entry.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It ends early, or goes on.
    Length,
    /// It is no entry, or one of another version.
    Form,
    /// It belongs to another key.
    Key,
    /// Its content is not what was written.
    Content,
}

impl Damage {
    /// What happened, in words that follow "an entry".
    pub fn words(self) -> &'static str {
        match self {
            Damage::Length => "was cut off",
            Damage::Form => "is no entry",
            Damage::Key => "belongs elsewhere",
            Damage::Content => "was changed",
        }
    }
}

/// The bytes of an entry. With `packed`, they are fewer where that pays.
pub fn write(key: Key, content: &[u8], packed: bool) -> Vec<u8> {
    let body = if packed { lz4_flex::block::compress_prepend_size(content) } else { Vec::new() };
    let (form, body) = if packed && body.len() < content.len() { (LZ4, &*body) } else { (PLAIN, content) };
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&key.0);
    bytes.extend_from_slice(&form.to_le_bytes());
    bytes.extend_from_slice(&sum(key, form, body).bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// The digest covers the header too: a damaged one is not believed.
fn sum(key: Key, form: u64, body: &[u8]) -> Digest {
    let mut digester = Digester::default();
    digester.update(&key.0);
    digester.update(&form.to_le_bytes());
    digester.update(body);
    digester.finish()
}

/// The content of an entry, if it is the whole one of this key.
pub fn read(key: Key, mut bytes: Vec<u8>) -> Result<Vec<u8>, Damage> {
    let (header, body) = bytes.split_at_checked(HEADER).ok_or(Damage::Length)?;
    if &header[..8] != MAGIC {
        return Err(Damage::Form);
    }
    if header[8..40] != key.0 {
        return Err(Damage::Key);
    }
    let form = u64::from_le_bytes(header[40..48].try_into().expect("eight bytes"));
    let is_whole = || sum(key, form, body).bytes() == header[48..80];
    if form == LZ4 && body.len() >= WORTH_A_THREAD {
        // Unpacking takes as long as looking through it, and may be given anything.
        let (unpacked, is_whole) = std::thread::scope(|scope| {
            let unpacked = scope.spawn(|| unpack(body));
            let is_whole = is_whole();
            (unpacked.join(), is_whole)
        });
        return if is_whole { unpacked.unwrap_or(Err(Damage::Form)) } else { Err(Damage::Content) };
    }
    if !is_whole() {
        return Err(Damage::Content);
    }
    match form {
        PLAIN => {
            bytes.drain(..HEADER);
            Ok(bytes)
        }
        LZ4 => unpack(body),
        _ => Err(Damage::Form),
    }
}

/// Bytes of a packed content from which on it is read by two threads.
const WORTH_A_THREAD: usize = 1 << 20;

fn unpack(body: &[u8]) -> Result<Vec<u8>, Damage> {
    let (size, packed) = lz4_flex::block::uncompressed_size(body).map_err(|_| Damage::Form)?;
    if size > LARGEST {
        return Err(Damage::Form);
    }
    lz4_flex::block::decompress(packed, size).map_err(|_| Damage::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::of_content(b"key")
    }

    #[test]
    fn entries_come_back() {
        for content in [&b""[..], b"short", &[7; 10_000]] {
            for packed in [false, true] {
                assert_eq!(read(key(), write(key(), content, packed)).as_deref(), Ok(content));
            }
        }
        assert!(write(key(), &[7; 10_000], true).len() < 1000);
    }

    #[test]
    fn large_entries_come_back_and_damage_of_them_is_seen() {
        let mut state = 1u32;
        let noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 & 0x7f
        };
        let content: Vec<u8> =
            std::iter::repeat_with(noise).take(WORTH_A_THREAD + WORTH_A_THREAD / 2).collect();
        let content: Vec<u8> = content.chunks(1000).flat_map(|it| [it, it].concat()).collect();
        let mut entry = write(key(), &content, true);
        assert_eq!(entry[40], LZ4 as u8);
        assert!(entry.len() > WORTH_A_THREAD);
        assert_eq!(read(key(), entry.clone()).as_deref(), Ok(&*content));
        for at in [HEADER, HEADER + 4, entry.len() / 2, entry.len() - 1] {
            entry[at] ^= 0x10;
            assert_eq!(read(key(), entry.clone()), Err(Damage::Content));
            entry[at] ^= 0x10;
        }
        entry.pop();
        assert_eq!(read(key(), entry), Err(Damage::Content));
    }

    #[test]
    fn damage_is_seen_wherever_it_is() {
        let whole = write(key(), b"some content that is not very long", false);
        for at in 0..whole.len() {
            assert!(read(key(), whole[..at].to_vec()).is_err(), "cut off at {at}");
            for bit in 0..8 {
                let mut other = whole.clone();
                other[at] ^= 1 << bit;
                assert!(read(key(), other).is_err(), "bit {bit} of byte {at}");
            }
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert_eq!(read(key(), longer), Err(Damage::Content));
        assert_eq!(read(Key::of_content(b"other"), whole), Err(Damage::Key));
    }

    #[test]
    fn a_false_size_asks_for_no_memory() {
        assert_eq!(unpack(&[0xff, 0xff, 0xff, 0xff, 0]), Err(Damage::Form));
        assert!(unpack(&[]).is_err());
    }
}
