//! Strings: making, joining, slicing, comparing, searching, case.

use qz_rt_abi::Fiber;
use qz_rt_abi::object::{Header, MOST_BYTES, STR_SIZE, StrObject, TYPE_STR};

use crate::memory::{
    block_at_hand, count, count_object, counts_objects, give_block, put_at_hand, take_block,
};

/// Slices of at least so many bytes share the memory of the string they come from.
const SHARE_FROM: usize = 64;
/// A string whose bytes are elsewhere says in the word behind the struct whose they are: the string's that it
/// shares them with, or, as an odd number, its own: a block of half that size.
const SHARING_SIZE: usize = STR_SIZE as usize + 8;

/// The text of a string.
///
/// # Safety
/// `s` is a live string; the text is not used after it died.
pub unsafe fn text<'a>(s: *const StrObject) -> &'a str {
    // SAFETY: the bytes of a live string are readable and were checked to be UTF-8 when it was made.
    unsafe { std::str::from_utf8_unchecked(bytes(s)) }
}

pub(crate) unsafe fn bytes<'a>(s: *const StrObject) -> &'a [u8] {
    // SAFETY: as promised by the caller of `text`.
    unsafe { raw((*s).bytes, (*s).byte_len as u64) }
}

unsafe fn raw<'a>(bytes: *const u8, len: u64) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller has `len` readable bytes there.
    unsafe { std::slice::from_raw_parts(bytes, len as usize) }
}

/// A string of `len` bytes that are yet to be written, and where they go.
#[inline]
unsafe fn uninit(fiber: *mut Fiber, len: usize, chars: usize) -> (*mut StrObject, *mut u8) {
    // SAFETY: the block has room for the struct and the bytes.
    unsafe {
        if !counts_objects(fiber) {
            let block = block_at_hand(fiber, size_with(len));
            if !block.is_null() {
                return uninit_in(block, len, chars);
            }
        }
        uninit_anywhere(fiber, len, chars)
    }
}

#[cold]
#[inline(never)]
unsafe fn uninit_anywhere(fiber: *mut Fiber, len: usize, chars: usize) -> (*mut StrObject, *mut u8) {
    ensure_size(len);
    // SAFETY: as above.
    unsafe {
        count_object(fiber, TYPE_STR, 1);
        uninit_in(take_block(fiber, size_with(len), 8), len, chars)
    }
}

/// How large the block is that has a string and its bytes. Short strings take none of the size that the heads of vectors
/// and maps have: blocks of one list come back in the order in which all of its objects went, and trees of texts in
/// vectors, made and given up by turns, would lie in memory without an order (a program that reads JSON took 1.7 times
/// as long).
#[inline]
fn size_with(len: usize) -> usize {
    STR_SIZE as usize + len.max(9)
}

/// Ends the program if no string can have so many bytes.
fn ensure_size(len: usize) {
    if len > MOST_BYTES {
        crate::panic::abort_now(&format!("a string cannot have {len} bytes: 4 GiB is too much"));
    }
}

/// # Safety
/// The block has room for the struct and the bytes, and these are not too many.
#[inline]
unsafe fn uninit_in(block: *mut u8, len: usize, chars: usize) -> (*mut StrObject, *mut u8) {
    // SAFETY: by the caller's promise.
    unsafe {
        let inline = block.add(STR_SIZE as usize);
        let header = Header { count: 1, type_index: TYPE_STR };
        let s = block.cast::<StrObject>();
        s.write(StrObject { header, bytes: inline, byte_len: len as u32, char_count: chars as u32 });
        // Blocks come in multiples of 8 bytes.
        if len.wrapping_sub(1) < 8 {
            inline.cast::<u64>().write(0);
        }
        (s, inline)
    }
}

/// The bytes of a string of up to 8 bytes as one word, the rest of which is zero; `None` where only a look at the
/// size tells how to read them. Words differ in size without an order that a processor could foresee, so a branch
/// for each size costs more than the work.
#[inline]
pub(crate) unsafe fn word_of(s: *const StrObject) -> Option<u64> {
    // SAFETY: the string is live; a heap string of 1 to 8 bytes has all 8 behind the struct, as `uninit` saw to.
    unsafe {
        let inline = s.cast::<u8>().add(STR_SIZE as usize);
        let len = (*s).byte_len as u64;
        let whole = len.wrapping_sub(1) < 8 && count(s.cast()) >= 0 && std::ptr::eq((*s).bytes, inline);
        whole.then(|| inline.cast::<u64>().read().to_le() & (u64::MAX >> (64 - 8 * len)))
    }
}

/// The first 8 bytes of a string as a number that has their order, filled up with zeros; `None` for empty strings
/// and those whose bytes are elsewhere. Struct and bytes lie together, so neither waits for the other.
#[inline]
unsafe fn first_bytes(s: *const StrObject) -> Option<u64> {
    // SAFETY: the string is live; a heap string that is not empty has 8 bytes behind the struct, as `uninit` saw to.
    unsafe {
        let inline = s.cast::<u8>().add(STR_SIZE as usize);
        let len = (*s).byte_len;
        let here = len > 0 && count(s.cast()) >= 0 && std::ptr::eq((*s).bytes, inline);
        here.then(|| inline.cast::<u64>().read().to_be() & (u64::MAX << (64 - 8 * len.min(8))))
    }
}

/// A new string with this text.
///
/// # Safety
/// `fiber` is live.
pub unsafe fn new(fiber: *mut Fiber, text: &str) -> *mut StrObject {
    // SAFETY: as promised by the caller; the new string has room for the bytes.
    unsafe {
        let (s, to) = uninit(fiber, text.len(), count_chars(text.as_bytes()));
        std::ptr::copy_nonoverlapping(text.as_ptr(), to, text.len());
        s
    }
}

/// The bytes of UTF-8 text that start a character.
pub(crate) fn count_chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| b as i8 >= -0x40).count()
}

/// Adds a count.
pub(crate) unsafe fn retain(s: *mut StrObject) -> *mut StrObject {
    // SAFETY: the caller's string is live.
    unsafe {
        let count = count(s.cast());
        if count >= 0 {
            (*s).header.count = count.wrapping_add(1);
        } else {
            crate::memory::retain_shared(std::ptr::null_mut(), s.cast());
        }
    }
    s
}

#[inline(always)]
pub(crate) unsafe fn str_free(fiber: *mut Fiber, s: *mut StrObject) {
    // SAFETY: the string is the caller's, and nobody else's.
    unsafe {
        let inline = s.cast::<u8>().add(STR_SIZE as usize);
        let is_usual = !counts_objects(fiber) && std::ptr::eq((*s).bytes, inline);
        if !(is_usual && put_at_hand(fiber, s.cast(), size_with((*s).byte_len as usize))) {
            free_any(fiber, s);
        }
    }
}

#[inline(never)]
unsafe fn free_any(fiber: *mut Fiber, s: *mut StrObject) {
    // SAFETY: as above.
    unsafe {
        count_object(fiber, TYPE_STR, -1);
        let inline = s.cast::<u8>().add(STR_SIZE as usize);
        if std::ptr::eq((*s).bytes, inline) {
            return give_block(fiber, s.cast(), size_with((*s).byte_len as usize), 8);
        }
        let owner = inline.cast::<*mut StrObject>().read();
        let bytes = (*s).bytes;
        give_block(fiber, s.cast(), SHARING_SIZE, 8);
        if let Some(size) = block_size(owner) {
            return crate::memory::free(fiber, bytes.cast_mut(), size, 1);
        }
        // An owner never shares another's memory, so this ends here.
        str_release(fiber, owner);
    }
}

#[inline(always)]
pub(crate) unsafe fn str_release(fiber: *mut Fiber, s: *mut StrObject) {
    // SAFETY: the string is live, and one of its counts the caller's.
    unsafe {
        match count(s.cast()) {
            1 => str_free(fiber, s),
            count if count > 0 => (*s).header.count = count - 1,
            _ => release_shared(fiber, s),
        }
    }
}

#[inline(never)]
unsafe fn release_shared(fiber: *mut Fiber, s: *mut StrObject) {
    // SAFETY: as above.
    unsafe {
        if crate::memory::release_shared(fiber, s.cast()) != 0 {
            free_any(fiber, s);
        }
    }
}

pub(crate) unsafe fn str_concat(fiber: *mut Fiber, pieces: *mut u8, n: u64) -> *mut StrObject {
    // SAFETY: generated code passes `n` live strings.
    unsafe { concat(fiber, std::slice::from_raw_parts(pieces.cast(), n as usize)) }
}

macro_rules! concats {
    ($($name:ident($($piece:ident)*))*) => {$(
        pub(crate) unsafe fn $name(fiber: *mut Fiber, $($piece: *mut StrObject),*) -> *mut StrObject {
            // SAFETY: generated code passes live strings.
            unsafe { concat(fiber, &[$($piece),*]) }
        }
    )*};
}

concats! {
    str_concat2(a b)
    str_concat3(a b c)
    str_concat4(a b c d)
    str_concat5(a b c d e)
    str_concat6(a b c d e f)
    str_concat7(a b c d e f g)
    str_concat8(a b c d e f g h)
}

unsafe fn concat(fiber: *mut Fiber, pieces: &[*mut StrObject]) -> *mut StrObject {
    // SAFETY: the pieces are live; the new string has room for all their bytes.
    unsafe {
        let len = pieces.iter().map(|&s| (*s).byte_len as usize).sum();
        let chars = pieces.iter().map(|&s| (*s).char_count as usize).sum();
        let (s, mut to) = uninit(fiber, len, chars);
        for &piece in pieces {
            let from = bytes(piece);
            std::ptr::copy_nonoverlapping(from.as_ptr(), to, from.len());
            to = to.add(from.len());
        }
        s
    }
}

pub(crate) unsafe fn str_from_bytes(fiber: *mut Fiber, bytes: *mut u8, len: u64) -> *mut StrObject {
    // SAFETY: generated code passes `len` readable bytes.
    unsafe {
        match std::str::from_utf8(raw(bytes, len)) {
            Ok(text) => new(fiber, text),
            Err(_) => std::ptr::null_mut(),
        }
    }
}

pub(crate) unsafe fn str_from_utf8(fiber: *mut Fiber, bytes: *mut u8, len: u64) -> *mut StrObject {
    // SAFETY: generated code passes `len` readable bytes of UTF-8.
    unsafe {
        let bytes = raw(bytes, len);
        debug_assert!(std::str::from_utf8(bytes).is_ok());
        new(fiber, std::str::from_utf8_unchecked(bytes))
    }
}

pub(crate) unsafe fn str_from_counted(
    fiber: *mut Fiber,
    bytes: *mut u8,
    len: u64,
    chars: u64,
) -> *mut StrObject {
    // SAFETY: generated code passes `len` readable bytes of UTF-8, of so many characters.
    unsafe {
        let bytes = raw(bytes, len);
        debug_assert_eq!(count_chars(bytes), chars as usize);
        let (s, to) = uninit(fiber, bytes.len(), chars as usize);
        copy_short(bytes, to);
        s
    }
}

pub(crate) unsafe fn str_owning(
    fiber: *mut Fiber,
    block: *mut u8,
    cap: u64,
    len: u64,
    chars: u64,
) -> *mut StrObject {
    ensure_size(len as usize);
    // SAFETY: generated code passes a block of size `cap` that starts with `len` bytes of UTF-8.
    unsafe {
        debug_assert_eq!(count_chars(raw(block, len)), chars as usize);
        count_object(fiber, TYPE_STR, 1);
        let s = take_block(fiber, SHARING_SIZE, 8).cast::<StrObject>();
        let header = Header { count: 1, type_index: TYPE_STR };
        s.write(StrObject { header, bytes: block, byte_len: len as u32, char_count: chars as u32 });
        s.add(1).cast::<u64>().write(cap << 1 | 1);
        s
    }
}

/// The string in whose memory this one's text lies, if it is another's.
///
/// # Safety
/// The string is live and not a literal.
pub(crate) unsafe fn owner(s: *mut StrObject) -> Option<*mut StrObject> {
    // SAFETY: by the caller's promise; a text that lies elsewhere has a word behind the struct.
    unsafe {
        let inline = s.cast::<u8>().add(STR_SIZE as usize);
        if std::ptr::eq((*s).bytes, inline) {
            return None;
        }
        let owner = inline.cast::<*mut StrObject>().read();
        block_size(owner).is_none().then_some(owner)
    }
}

/// The size of the block that a string owns, from the word behind its struct.
fn block_size(owner: *mut StrObject) -> Option<u64> {
    let word = owner as u64;
    (word & 1 == 1).then_some(word >> 1)
}

pub(crate) unsafe fn str_from_lossy(fiber: *mut Fiber, bytes: *mut u8, len: u64) -> *mut StrObject {
    // SAFETY: generated code passes `len` readable bytes.
    unsafe { new(fiber, &String::from_utf8_lossy(raw(bytes, len))) }
}

pub(crate) unsafe fn bytes_find(_fiber: *mut Fiber, bytes: *mut u8, len: u64, byte: u8) -> u64 {
    // SAFETY: generated code passes `len` readable bytes.
    memchr::memchr(byte, unsafe { raw(bytes, len) }).map_or(len, |at| at as u64)
}

pub(crate) unsafe fn utf8_valid(_fiber: *mut Fiber, bytes: *mut u8, len: u64) -> i64 {
    // SAFETY: generated code passes `len` readable bytes.
    match std::str::from_utf8(unsafe { raw(bytes, len) }) {
        Ok(text) => text.len() as i64,
        Err(error) => error.valid_up_to() as i64,
    }
}

pub(crate) unsafe fn utf8_count(_fiber: *mut Fiber, bytes: *mut u8, len: u64) -> i64 {
    // SAFETY: generated code passes `len` readable bytes.
    count_chars(unsafe { raw(bytes, len) }) as i64
}

/// Copies a few bytes; for up to 64 of them by words that overlap, which beats a call.
#[inline]
pub(crate) unsafe fn copy_short(from: &[u8], to: *mut u8) {
    let n = from.len();
    let from = from.as_ptr();
    // SAFETY: `n` bytes may be read and written.
    unsafe {
        match n {
            0 => {}
            33..=64 => {
                let sixteen = |at: usize| from.add(at).cast::<u128>().read_unaligned();
                let words = [sixteen(0), sixteen(16), sixteen(n - 32), sixteen(n - 16)];
                to.cast::<[u128; 2]>().write_unaligned([words[0], words[1]]);
                to.add(n - 32).cast::<[u128; 2]>().write_unaligned([words[2], words[3]]);
            }
            16..=32 => {
                let ends =
                    (from.cast::<u128>().read_unaligned(), from.add(n - 16).cast::<u128>().read_unaligned());
                to.cast::<u128>().write_unaligned(ends.0);
                to.add(n - 16).cast::<u128>().write_unaligned(ends.1);
            }
            8..16 => {
                let ends =
                    (from.cast::<u64>().read_unaligned(), from.add(n - 8).cast::<u64>().read_unaligned());
                to.cast::<u64>().write_unaligned(ends.0);
                to.add(n - 8).cast::<u64>().write_unaligned(ends.1);
            }
            4..8 => {
                let ends =
                    (from.cast::<u32>().read_unaligned(), from.add(n - 4).cast::<u32>().read_unaligned());
                to.cast::<u32>().write_unaligned(ends.0);
                to.add(n - 4).cast::<u32>().write_unaligned(ends.1);
            }
            1..4 => {
                let bytes = (from.read(), from.add(n / 2).read(), from.add(n - 1).read());
                to.write(bytes.0);
                to.add(n / 2).write(bytes.1);
                to.add(n - 1).write(bytes.2);
            }
            _ => std::ptr::copy_nonoverlapping(from, to, n),
        }
    }
}

pub(crate) unsafe fn str_slice(fiber: *mut Fiber, s: *mut StrObject, from: u64, to: u64) -> *mut StrObject {
    let (from, to) = (from as usize, to as usize);
    let n = to.wrapping_sub(from);
    // SAFETY: generated code passes a live string and offsets between its characters.
    unsafe {
        let len = (*s).byte_len as usize;
        // What most slices are takes no call.
        if n < SHARE_FROM.min(len) && to <= len && (*s).char_count as usize == len && !counts_objects(fiber) {
            let block = block_at_hand(fiber, size_with(n));
            if !block.is_null() {
                let (copy, room) = uninit_in(block, n, n);
                copy_part(s, from, n, room);
                return copy;
            }
        }
    }
    // SAFETY: as above.
    unsafe { slice_any(fiber, s, from, to) }
}

/// Copies less than [`SHARE_FROM`] bytes of a string to where a string's bytes are.
#[inline]
unsafe fn copy_part(s: *mut StrObject, from: usize, n: usize, room: *mut u8) {
    // SAFETY: the string is live and has so many bytes there; they fit.
    unsafe {
        let part = (*s).bytes.add(from);
        if n.wrapping_sub(1) < 8 && from + 8 <= (*s).byte_len as usize {
            // Both have 8 bytes there.
            room.cast::<u64>().write(part.cast::<u64>().read_unaligned());
        } else {
            copy_short(std::slice::from_raw_parts(part, n), room);
        }
    }
}

#[inline(never)]
unsafe fn slice_any(fiber: *mut Fiber, s: *mut StrObject, from: usize, to: usize) -> *mut StrObject {
    // SAFETY: generated code passes a live string and offsets between its characters.
    unsafe {
        let part = &bytes(s)[from..to];
        if part.len() == (*s).byte_len as usize {
            return retain(s);
        }
        let chars = if (*s).char_count == (*s).byte_len { part.len() } else { count_chars(part) };
        if part.len() < SHARE_FROM {
            let (copy, room) = uninit(fiber, part.len(), chars);
            copy_part(s, from, part.len(), room);
            return copy;
        }
        let inline = s.cast::<u8>().add(STR_SIZE as usize);
        // Literals are immortal and own nothing; a slice of one keeps the literal itself as its owner.
        let own = crate::memory::is_immortal(s.cast()) || std::ptr::eq((*s).bytes, inline);
        let owner = if own { s } else { inline.cast::<*mut StrObject>().read() };
        let owner = if own || block_size(owner).is_some() { s } else { owner };
        count_object(fiber, TYPE_STR, 1);
        let block = take_block(fiber, SHARING_SIZE, 8);
        block.cast::<StrObject>().write(StrObject {
            header: Header { count: 1, type_index: TYPE_STR },
            bytes: part.as_ptr(),
            byte_len: part.len() as u32,
            char_count: chars as u32,
        });
        block.add(STR_SIZE as usize).cast::<*mut StrObject>().write(retain(owner));
        block.cast()
    }
}

/// Short texts are compared by words that overlap, which beats a call; by the same words that [`copy_short`]
/// writes, since a processor waits where a load takes more than one earlier store.
#[inline]
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    let n = a.len();
    if n != b.len() {
        return false;
    }
    let eight = |s: &[u8], at: usize| u64::from_le_bytes(s[at..at + 8].try_into().expect("eight bytes"));
    let four = |s: &[u8], at: usize| u32::from_le_bytes(s[at..at + 4].try_into().expect("four bytes"));
    match n {
        1..4 => (a[0], a[n / 2], a[n - 1]) == (b[0], b[n / 2], b[n - 1]),
        4..8 => four(a, 0) == four(b, 0) && four(a, n - 4) == four(b, n - 4),
        8..=16 => eight(a, 0) == eight(b, 0) && eight(a, n - 8) == eight(b, n - 8),
        _ => a == b,
    }
}

pub(crate) unsafe fn str_eq(_fiber: *mut Fiber, a: *mut StrObject, b: *mut StrObject) -> u8 {
    // SAFETY: generated code passes live strings.
    unsafe {
        if let (Some(x), Some(y)) = (word_of(a), word_of(b)) {
            return (x == y && (*a).byte_len == (*b).byte_len) as u8;
        }
        (std::ptr::eq(a, b) || same_bytes(bytes(a), bytes(b))) as u8
    }
}

pub(crate) unsafe fn str_cmp(_fiber: *mut Fiber, a: *mut StrObject, b: *mut StrObject) -> i64 {
    // SAFETY: generated code passes live strings.
    unsafe {
        // Most texts differ in their first bytes.
        if let (Some(x), Some(y)) = (first_bytes(a), first_bytes(b))
            && x != y
        {
            return if x < y { -1 } else { 1 };
        }
        bytes(a).cmp(bytes(b)) as i64
    }
}

pub(crate) unsafe fn str_first(_fiber: *mut Fiber, s: *mut StrObject) -> u64 {
    // SAFETY: generated code passes a live string.
    unsafe {
        first_bytes(s).unwrap_or_else(|| {
            let (mut first, text) = ([0; 8], bytes(s));
            let n = text.len().min(8);
            first[..n].copy_from_slice(&text[..n]);
            u64::from_be_bytes(first)
        })
    }
}

pub(crate) unsafe fn str_hash(fiber: *mut Fiber, s: *mut StrObject) -> u64 {
    // SAFETY: generated code passes a live fiber and a live string.
    unsafe {
        let keys = &(*fiber).hash_keys;
        match word_of(s) {
            Some(word) => crate::hash::of_word(keys, word, (*s).byte_len as u64),
            None => crate::hash::keyed(keys, bytes(s)),
        }
    }
}

/// For each of 16 bytes, the lowest bit first, whether it is this one.
#[inline]
fn equal_bytes(chunk: &[u8; 16], byte: u8) -> u32 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this kind has these instructions; the chunk has 16 bytes.
    unsafe {
        use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8};
        let bytes = _mm_loadu_si128(chunk.as_ptr().cast());
        _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8))) as u32
    }
    #[cfg(not(target_arch = "x86_64"))]
    chunk.iter().rev().fold(0, |bits, &it| bits << 1 | (it == byte) as u32)
}

/// Where a byte first stands. Words, cells of a table and lines are short, so the first 64 bytes are looked at before
/// anything is called.
#[inline]
fn find_byte(byte: u8, text: &[u8]) -> Option<usize> {
    const NEAR: usize = 64;
    let n = text.len();
    if n < 16 {
        return find_byte_in_short(byte, text);
    }
    let look = |at: usize| {
        let chunk = text[at..].first_chunk::<16>().expect("there are 16 bytes");
        let found = equal_bytes(chunk, byte);
        (found != 0).then(|| at + found.trailing_zeros() as usize)
    };
    let mut at = 0;
    while at + 16 <= n.min(NEAR) {
        if let Some(found) = look(at) {
            return Some(found);
        }
        at += 16;
    }
    match text.get(NEAR..) {
        Some(rest) => memchr::memchr(byte, rest).map(|at| at + NEAR),
        // Its first bytes were looked at before.
        None => look(n - 16),
    }
}

/// The same in less than 16 bytes: by words that overlap, where there is more than one.
#[inline]
fn find_byte_in_short(byte: u8, text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    let Some(last) = text.len().checked_sub(8) else { return text.iter().position(|&it| it == byte) };
    [0, last].into_iter().find_map(|at| {
        let word = u64::from_le_bytes(*text[at..].first_chunk()?) ^ (ONES * byte as u64);
        // The lowest high bit that is set belongs to the first byte that is zero.
        let zeros = word.wrapping_sub(ONES) & !word & HIGHS;
        (zeros != 0).then(|| at + zeros.trailing_zeros() as usize / 8)
    })
}

/// What [`equal_bytes`] says of all chunks, each with the place of its first bit; nothing is said twice.
#[inline]
fn each_chunk(byte: u8, text: &[u8], mut f: impl FnMut(usize, u32)) {
    let (chunks, rest) = text.as_chunks::<16>();
    for (n, chunk) in chunks.iter().enumerate() {
        f(n * 16, equal_bytes(chunk, byte));
    }
    match text.last_chunk::<16>() {
        // Its first bytes were looked at before.
        Some(last) if !rest.is_empty() => {
            let known = 16 - rest.len();
            f(text.len() - 16, equal_bytes(last, byte) >> known << known);
        }
        Some(_) => {}
        None => f(0, rest.iter().rev().fold(0, |bits, &it| bits << 1 | (it == byte) as u32)),
    }
}

/// How often a byte stands there.
#[inline]
fn count_byte(byte: u8, text: &[u8]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let Some(last) = text.last_chunk::<16>() {
        use std::arch::x86_64::{
            __m128i, _mm_add_epi64, _mm_and_si128, _mm_cmpeq_epi8, _mm_cvtsi128_si64, _mm_loadu_si128,
            _mm_sad_epu8, _mm_set1_epi8, _mm_setzero_si128, _mm_sub_epi8, _mm_unpackhi_epi64,
        };
        /// Sixteen bytes of it from `n` on are so many that are set, behind others that are not.
        static FROM: [u8; 32] = {
            let mut bytes = [0; 32];
            bytes.split_at_mut(16).1.copy_from_slice(&[0xff; 16]);
            bytes
        };
        let (chunks, rest) = text.as_chunks::<16>();
        // SAFETY: every processor of this kind has these instructions; each load is of 16 bytes.
        return unsafe {
            let (wanted, zero) = (_mm_set1_epi8(byte as i8), _mm_setzero_si128());
            let equal = |chunk: &[u8; 16]| _mm_cmpeq_epi8(_mm_loadu_si128(chunk.as_ptr().cast()), wanted);
            // Bytes that are equal are -1.
            let plus = |sum: __m128i, equal: __m128i| {
                _mm_add_epi64(sum, _mm_sad_epu8(_mm_sub_epi8(zero, equal), zero))
            };
            let sum = chunks.iter().fold(zero, |sum, chunk| plus(sum, equal(chunk)));
            // Its first bytes were counted before.
            let new = _mm_loadu_si128(FROM.as_ptr().add(rest.len()).cast());
            let sum = plus(sum, _mm_and_si128(equal(last), new));
            (_mm_cvtsi128_si64(sum) + _mm_cvtsi128_si64(_mm_unpackhi_epi64(sum, sum))) as usize
        };
    }
    text.iter().filter(|&&it| it == byte).count()
}

/// All places where a byte stands, from the first on.
#[inline]
fn each_byte(byte: u8, text: &[u8], mut f: impl FnMut(usize)) {
    each_chunk(byte, text, |at, mut found| {
        while found != 0 {
            f(at + found.trailing_zeros() as usize);
            found &= found - 1;
        }
    });
}

/// All places where the needle stands, from the first on; none of them overlap.
#[inline]
fn each_place(text: &[u8], needle: &[u8], mut f: impl FnMut(usize)) {
    match needle {
        [one] => each_byte(*one, text, f),
        _ => memchr::memmem::find_iter(text, needle).for_each(&mut f),
    }
}

/// Where the needle first stands. Both are UTF-8, so it stands between characters.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    match needle {
        [one] => find_byte(*one, text),
        _ => memchr::memmem::find(text, needle),
    }
}

pub(crate) unsafe fn str_find(
    _fiber: *mut Fiber,
    s: *mut StrObject,
    needle: *mut StrObject,
    from: u64,
) -> i64 {
    // SAFETY: generated code passes live strings and an offset between characters.
    unsafe {
        let found = bytes(s).get(from as usize..).and_then(|rest| find(rest, bytes(needle)));
        found.map_or(-1, |at| at as i64 + from as i64)
    }
}

pub(crate) unsafe fn str_count(_fiber: *mut Fiber, s: *mut StrObject, needle: *mut StrObject) -> i64 {
    // SAFETY: generated code passes live strings.
    let (text, needle) = unsafe { (bytes(s), bytes(needle)) };
    match needle {
        [one] => count_byte(*one, text) as i64,
        _ => count_needle(text, needle) as i64,
    }
}

/// Apart, since what it keeps on the stack is much.
#[inline(never)]
fn count_needle(text: &[u8], needle: &[u8]) -> usize {
    memchr::memmem::find_iter(text, needle).count()
}

pub(crate) unsafe fn str_split(
    fiber: *mut Fiber,
    s: *mut StrObject,
    separator: *mut StrObject,
    parts: *mut u8,
) {
    let mut next = parts.cast::<*mut StrObject>();
    // SAFETY: generated code passes live strings, and room for a part more than there are separators; these stand
    // between characters.
    unsafe {
        let (len, size) = ((*s).byte_len as usize, (*separator).byte_len as usize);
        let mut from = 0;
        let mut put = |from: usize, to: usize| {
            next.write(str_slice(fiber, s, from as u64, to as u64));
            next = next.add(1);
        };
        each_place(bytes(s), bytes(separator), |at| {
            put(from, at);
            from = at + size;
        });
        put(from, len);
    }
}

pub(crate) unsafe fn str_rfind(
    _fiber: *mut Fiber,
    s: *mut StrObject,
    needle: *mut StrObject,
    to: u64,
) -> i64 {
    // SAFETY: generated code passes live strings and an offset between characters.
    unsafe { text(s).get(..to as usize).and_then(|part| part.rfind(text(needle))).map_or(-1, |at| at as i64) }
}

pub(crate) unsafe fn str_offset(_fiber: *mut Fiber, s: *mut StrObject, n: u64) -> i64 {
    // SAFETY: generated code passes a live string.
    unsafe {
        if (*s).char_count == (*s).byte_len {
            return n as i64;
        }
        let text = text(s);
        text.char_indices().nth(n as usize).map_or(text.len(), |(at, _)| at) as i64
    }
}

pub(crate) unsafe fn str_repeat(fiber: *mut Fiber, s: *mut StrObject, times: u64) -> *mut StrObject {
    // SAFETY: generated code passes a live string; the new one has room.
    unsafe {
        let from = bytes(s);
        let Some(len) = from.len().checked_mul(times as usize) else {
            crate::panic::abort_now("out of memory: a string repeated too often");
        };
        let (new, mut to) = uninit(fiber, len, (*s).char_count as usize * times as usize);
        for _ in 0..if len == 0 { 0 } else { times } {
            std::ptr::copy_nonoverlapping(from.as_ptr(), to, from.len());
            to = to.add(from.len());
        }
        new
    }
}

pub(crate) unsafe fn str_replace(
    fiber: *mut Fiber,
    s: *mut StrObject,
    from: *mut StrObject,
    to: *mut StrObject,
) -> *mut StrObject {
    // SAFETY: generated code passes live strings.
    unsafe { new(fiber, &text(s).replace(text(from), text(to))) }
}

pub(crate) unsafe fn str_upper(fiber: *mut Fiber, s: *mut StrObject) -> *mut StrObject {
    // SAFETY: generated code passes a live string.
    unsafe { new(fiber, &text(s).to_uppercase()) }
}

pub(crate) unsafe fn str_lower(fiber: *mut Fiber, s: *mut StrObject) -> *mut StrObject {
    // SAFETY: generated code passes a live string.
    unsafe { new(fiber, &text(s).to_lowercase()) }
}

pub(crate) unsafe fn str_from_char(fiber: *mut Fiber, c: u32) -> *mut StrObject {
    // SAFETY: generated code passes a live fiber.
    unsafe { new(fiber, character(c).encode_utf8(&mut [0; 4])) }
}

pub(crate) unsafe fn str_inspect(fiber: *mut Fiber, s: *mut StrObject) -> *mut StrObject {
    // SAFETY: generated code passes a live string.
    unsafe {
        let mut out = String::from("\"");
        text(s).chars().for_each(|c| escape(c, '"', &mut out));
        out.push('"');
        new(fiber, &out)
    }
}

pub(crate) unsafe fn char_inspect(fiber: *mut Fiber, c: u32) -> *mut StrObject {
    let mut out = String::from("'");
    escape(character(c), '\'', &mut out);
    out.push('\'');
    // SAFETY: generated code passes a live fiber.
    unsafe { new(fiber, &out) }
}

/// A character as it is written in a literal that ends with `quote`.
fn escape(c: char, quote: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        '\\' => out.push_str("\\\\"),
        '\0' => out.push_str("\\0"),
        '#' if quote == '"' => out.push('#'),
        c if c == quote => {
            out.push('\\');
            out.push(c);
        }
        c if c.is_control() => out.extend(c.escape_unicode()),
        c => out.push(c),
    }
}

fn character(c: u32) -> char {
    char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn single(c: char, mut mapped: impl Iterator<Item = char>) -> u32 {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one as u32,
        _ => c as u32,
    }
}

pub(crate) unsafe fn char_upper(_fiber: *mut Fiber, c: u32) -> u32 {
    single(character(c), character(c).to_uppercase())
}

pub(crate) unsafe fn char_lower(_fiber: *mut Fiber, c: u32) -> u32 {
    single(character(c), character(c).to_lowercase())
}

pub(crate) unsafe fn char_is(_fiber: *mut Fiber, c: u32, class: i64) -> u8 {
    let c = character(c);
    let is = match class {
        0 => c.is_alphabetic(),
        1 => c.is_numeric(),
        2 => c.is_alphanumeric(),
        3 => c.is_whitespace(),
        4 => c.is_uppercase(),
        5 => c.is_lowercase(),
        _ => c.is_control(),
    };
    is as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of every size up to 40 and the same ones with one byte changed.
    fn each_change(mut f: impl FnMut(&[u8], &[u8], usize)) {
        for n in 0..40 {
            let text: Vec<u8> = (0..n as u8).map(|i| i + b'0').collect();
            for at in 0..n {
                let mut other = text.clone();
                other[at] = 0xff;
                f(&text, &other, at);
            }
        }
    }

    #[test]
    fn a_difference_is_seen_wherever_it_is() {
        each_change(|text, other, _| {
            assert!(same_bytes(text, text));
            assert!(!same_bytes(text, other));
            assert!(!same_bytes(text, &text[1..]));
        });
        assert!(same_bytes(&[], &[]));
    }

    #[test]
    fn a_byte_is_found_wherever_it_is() {
        each_change(|text, other, at| {
            assert_eq!(find_byte(0xff, text), None);
            assert_eq!(find_byte(0xff, other), Some(at));
            for also in [at, at / 2, 0] {
                let mut twice = other.to_vec();
                twice[also] = 0xff;
                assert_eq!(find_byte(0xff, &twice), Some(also));
                let mut places = Vec::new();
                each_place(&twice, &[0xff], |at| places.push(at));
                let mut expected = vec![also, at];
                expected.dedup();
                assert_eq!(places, expected);
                assert_eq!(count_byte(0xff, &twice), expected.len());
            }
            // A byte whose neighbour differs in the lowest bit only.
            let mut near = other.to_vec();
            near.iter_mut().filter(|it| **it != 0xff).for_each(|it| *it = 0xfe);
            assert_eq!(find_byte(0xff, &near), Some(at));
            assert_eq!(find_byte(0xfe, &near), (near.len() > 1).then_some((at == 0) as usize));
        });
        assert_eq!(find_byte(0, &[]), None);
        for n in 1..120 {
            for at in 0..n {
                let mut long = vec![b'a'; n];
                long[at..].fill(b'b');
                assert_eq!(find_byte(b'b', &long), Some(at));
                assert_eq!(find_byte(b'c', &long), None);
                assert_eq!((count_byte(b'a', &long), count_byte(b'b', &long)), (at, n - at));
            }
        }
    }

    #[test]
    fn the_order_of_strings_is_that_of_their_bytes() {
        use crate::context::{Context, Settings};
        let mut context = Context::new(std::ptr::null(), Settings::default()).expect("a stack");
        let fiber = context.fiber();
        let texts =
            ["", "\0", "\0\0", "a", "a\0", "ab", "abcdefg", "abcdefgh", "abcdefgh\0", "abcdefghi", "é", "z"];
        for (a, b) in texts.iter().flat_map(|a| texts.iter().map(move |b| (a, b))) {
            // SAFETY: the fiber lives, and so do the strings made for it.
            let found = unsafe { str_cmp(fiber, new(fiber, a), new(fiber, b)) };
            assert_eq!(found, a.cmp(b) as i64, "{a:?} and {b:?}");
        }
    }

    #[test]
    fn the_word_of_a_string_is_its_bytes() {
        use crate::context::{Context, Settings};
        let mut context = Context::new(std::ptr::null(), Settings::default()).expect("a stack");
        let fiber = context.fiber();
        let text = "abcdefghijklmnopq";
        // SAFETY: the fiber is live; strings are freed after use.
        unsafe {
            let whole = new(fiber, text);
            for from in 0..text.len() {
                for to in from..=text.len() {
                    let (slice, made) =
                        (str_slice(fiber, whole, from as u64, to as u64), new(fiber, &text[from..to]));
                    assert_eq!(bytes(slice), &text.as_bytes()[from..to]);
                    assert_eq!(word_of(made).is_some(), (1..=8).contains(&(to - from)));
                    assert_eq!(str_eq(fiber, slice, made), 1);
                    assert_eq!(str_eq(fiber, slice, whole), (to - from == text.len()) as u8);
                    assert_eq!(str_hash(fiber, slice), crate::hash::bytes(bytes(made)));
                    assert_eq!(str_hash(fiber, made), crate::hash::bytes(bytes(made)));
                }
            }
        }
    }

    #[test]
    fn a_byte_is_found_where_it_first_stands() {
        each_change(|text, other, at| {
            assert_eq!(find_byte(0xff, other), Some(at));
            assert_eq!(find_byte(0xff, text), None);
        });
        // A byte above the one looked for borrows from it in a subtraction of words.
        assert_eq!(find_byte(0, b"\x01\0\x01\0abcdefghijklmnop"), Some(1));
        assert_eq!(find_byte(b' ', b"!!!!!!! !!!!!!!! "), Some(7));
    }

    #[test]
    fn a_short_copy_copies_all_and_no_more() {
        let text: Vec<u8> = (1..80).collect();
        for n in 0..text.len() {
            let mut to = [200; 80];
            // SAFETY: there is room.
            unsafe { copy_short(&text[..n], to.as_mut_ptr()) };
            assert_eq!(to[..n], text[..n]);
            assert!(to[n..].iter().all(|&b| b == 200));
        }
    }
}
