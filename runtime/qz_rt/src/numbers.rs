//! Numbers as text, and text as numbers.

use std::fmt::Write;

use qz_rt_abi::Fiber;
use qz_rt_abi::object::StrObject;

use crate::strings;

/// The shortest decimal that reads back, in the form `show` uses: always with a point or an exponent, which
/// is taken outside `1e-5 ..< 1e16`.
pub fn show_f64(value: f64) -> String {
    if value == 0.0 || (1e-5..1e16).contains(&value.abs()) {
        return format!("{value:?}");
    }
    tidy_exponent(value.is_finite(), format!("{value:e}"))
}

pub fn show_f32(value: f32) -> String {
    if value == 0.0 || (1e-5..1e16).contains(&value.abs()) {
        return format!("{value:?}");
    }
    tidy_exponent(value.is_finite(), format!("{value:e}"))
}

fn tidy_exponent(finite: bool, text: String) -> String {
    if finite {
        return text;
    }
    match text.as_str() {
        "inf" => "Infinity".into(),
        "-inf" => "-Infinity".into(),
        _ => "NaN".into(),
    }
}

/// The digits of 0 to 99, two for each.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// Writes digits to the end of a buffer; where they start.
#[inline]
fn write_digits(mut value: u64, buffer: &mut [u8]) -> usize {
    let mut at = buffer.len();
    while value >= 10 {
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    if value > 0 || at == buffer.len() {
        at -= 1;
        buffer[at] = b'0' + value as u8;
    }
    at
}

fn decimal(value: u64, negative: bool, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = write_digits(value, buffer);
    if negative {
        at -= 1;
        buffer[at] = b'-';
    }
    &buffer[at..]
}

unsafe fn string_of(fiber: *mut Fiber, ascii: &[u8]) -> *mut StrObject {
    // SAFETY: the callers pass a live fiber and digits, which are UTF-8.
    unsafe { strings::new(fiber, std::str::from_utf8_unchecked(ascii)) }
}

pub(crate) unsafe fn int_to_str(fiber: *mut Fiber, value: i64) -> *mut StrObject {
    // SAFETY: generated code passes a live fiber.
    unsafe { string_of(fiber, decimal(value.unsigned_abs(), value < 0, &mut [0; 20])) }
}

pub(crate) unsafe fn uint_to_str(fiber: *mut Fiber, value: u64) -> *mut StrObject {
    // SAFETY: as above.
    unsafe { string_of(fiber, decimal(value, false, &mut [0; 20])) }
}

pub(crate) unsafe fn int_to_radix(fiber: *mut Fiber, value: i64, radix: i64) -> *mut StrObject {
    let radix = (radix as u64).clamp(2, 36);
    let mut rest = value.unsigned_abs();
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit((rest % radix) as u32, radix as u32).unwrap_or('?'));
        rest /= radix;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        digits.push('-');
    }
    let text: String = digits.iter().rev().collect();
    // SAFETY: as above.
    unsafe { strings::new(fiber, &text) }
}

pub(crate) unsafe fn f64_to_str(fiber: *mut Fiber, value: f64) -> *mut StrObject {
    // SAFETY: as above.
    unsafe { strings::new(fiber, &show_f64(value)) }
}

pub(crate) unsafe fn f32_to_str(fiber: *mut Fiber, value: f32) -> *mut StrObject {
    // SAFETY: as above.
    unsafe { strings::new(fiber, &show_f32(value)) }
}

pub(crate) unsafe fn f64_to_fixed(fiber: *mut Fiber, value: f64, digits: i64) -> *mut StrObject {
    let mut text = String::new();
    let _ = write!(text, "{value:.*}", digits.clamp(0, 400) as usize);
    // SAFETY: as above.
    unsafe { strings::new(fiber, &tidy_exponent(value.is_finite(), text)) }
}

pub(crate) unsafe fn f64_to_exp(fiber: *mut Fiber, value: f64, digits: i64) -> *mut StrObject {
    let mut text = String::new();
    let _ = match usize::try_from(digits) {
        Ok(digits) => write!(text, "{value:.*e}", digits.min(400)),
        Err(_) => write!(text, "{value:e}"),
    };
    // SAFETY: as above.
    unsafe { strings::new(fiber, &tidy_exponent(value.is_finite(), text)) }
}

unsafe fn put(text: &[u8], buffer: *mut u8) -> i64 {
    // SAFETY: generated code passes a buffer as long as the registry says.
    unsafe { strings::copy_short(text, buffer) };
    text.len() as i64
}

/// As `decimal`, where the digits belong.
#[inline]
unsafe fn put_decimal(value: u64, negative: bool, buffer: *mut u8) -> i64 {
    // SAFETY: by the caller's promise.
    unsafe {
        if value < 10_000 && !negative {
            return put_short(value as u32, buffer);
        }
        put_any(value, negative, buffer)
    }
}

/// Up to four digits: most numbers are small.
///
/// # Safety
/// The buffer has room for four bytes.
#[inline]
unsafe fn put_short(value: u32, buffer: *mut u8) -> i64 {
    let (high, low) = (PAIRS[(value / 100 % 100) as usize], PAIRS[(value % 100) as usize]);
    let len = 1 + (value >= 10) as usize + (value >= 100) as usize + (value >= 1000) as usize;
    let digits = u32::from_le_bytes([high[0], high[1], low[0], low[1]]);
    // SAFETY: by the caller's promise. The first digits are zeros that do not belong there.
    unsafe { buffer.cast::<u32>().write_unaligned((digits >> (8 * (4 - len))).to_le()) };
    len as i64
}

#[inline(never)]
unsafe fn put_any(value: u64, negative: bool, buffer: *mut u8) -> i64 {
    let len = negative as usize + value.checked_ilog10().map_or(1, |log| log as usize + 1);
    // SAFETY: generated code passes a buffer for 20 bytes, and no number of 64 bits is longer.
    let place = unsafe {
        buffer.write(b'-');
        std::slice::from_raw_parts_mut(buffer, len)
    };
    write_digits(value, place);
    len as i64
}

pub(crate) unsafe fn fmt_int(_fiber: *mut Fiber, value: i64, buffer: *mut u8) -> i64 {
    // SAFETY: at most 20 bytes, for which there is room.
    unsafe { put_decimal(value.unsigned_abs(), value < 0, buffer) }
}

pub(crate) unsafe fn fmt_uint(_fiber: *mut Fiber, value: u64, buffer: *mut u8) -> i64 {
    // SAFETY: at most 20 bytes, for which there is room.
    unsafe { put_decimal(value, false, buffer) }
}

pub(crate) unsafe fn fmt_f64(_fiber: *mut Fiber, value: f64, buffer: *mut u8) -> i64 {
    // SAFETY: a sign, 17 digits, a point, an exponent: at most 32 bytes, for which there is room.
    unsafe { put(show_f64(value).as_bytes(), buffer) }
}

/// Why a text is not a number of the type asked for, as runtime functions tell it.
const NOT_A_NUMBER: i64 = 1;
const OUT_OF_RANGE: i64 = 2;

/// A number that is nothing but decimal digits, as most are, too few for more than 64 bits.
///
/// # Safety
/// The string is live.
#[inline]
unsafe fn plain_number(s: *const StrObject, radix: i64) -> Option<u64> {
    // SAFETY: by the caller's promise.
    unsafe {
        match strings::word_of(s) {
            Some(word) if radix == 10 => digits_of_word(word, (*s).byte_len as usize),
            _ => plain_digits(strings::text(s), radix),
        }
    }
}

#[inline]
fn plain_digits(text: &str, radix: i64) -> Option<u64> {
    if radix != 10 || !(1..19).contains(&text.len()) {
        return None;
    }
    text.bytes().try_fold(0, |value: u64, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| value.wrapping_mul(10).wrapping_add(digit as u64))
    })
}

/// The same for 1 to 8 bytes in a word, the first one lowest: all are asked at once and put together in three steps, since
/// no processor foresees how many there are.
#[inline]
fn digits_of_word(word: u64, len: usize) -> Option<u64> {
    const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
    // Behind as many digits of 0 as are missing.
    let digits = (word ^ ZEROS) << (64 - 8 * len);
    let above_nine =
        (digits | digits.wrapping_add(u64::from_le_bytes([6; 8]))) & u64::from_le_bytes([0xf0; 8]);
    if above_nine != 0 {
        return None;
    }
    let pairs = digits.wrapping_mul(10 << 8 | 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000 << 32 | 1) >> 32)
}

/// Sign and digits of an integer, underscores between digits left out.
fn parse_digits(text: &str, radix: i64) -> Result<(bool, u128), i64> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let radix = u32::try_from(radix).ok().filter(|r| (2..=36).contains(r)).ok_or(NOT_A_NUMBER)?;
    let (mut value, mut may_separate) = (0u128, false);
    for c in digits.chars() {
        if c == '_' && may_separate {
            may_separate = false;
            continue;
        }
        let digit = c.to_digit(radix).ok_or(NOT_A_NUMBER)?;
        value = (value * radix as u128 + digit as u128).min(u64::MAX as u128 + 1);
        may_separate = true;
    }
    if may_separate { Ok((negative, value)) } else { Err(NOT_A_NUMBER) }
}

unsafe fn give<T>(result: Result<T, i64>, out: *mut u8) -> i64 {
    match result {
        Ok(value) => {
            // SAFETY: generated code passes a pointer to memory for the result.
            unsafe { out.cast::<T>().write(value) };
            0
        }
        Err(status) => status,
    }
}

pub(crate) unsafe fn parse_int(_fiber: *mut Fiber, s: *mut StrObject, radix: i64, out: *mut u8) -> i64 {
    // SAFETY: generated code passes a live string and memory for the result.
    unsafe {
        if let Some(value) = plain_number(s, radix) {
            return give(Ok(value as i64), out);
        }
        let parsed = parse_digits(strings::text(s), radix).and_then(|(negative, value)| {
            let value = if negative { -(value as i128) } else { value as i128 };
            i64::try_from(value).map_err(|_| OUT_OF_RANGE)
        });
        give(parsed, out)
    }
}

pub(crate) unsafe fn parse_uint(_fiber: *mut Fiber, s: *mut StrObject, radix: i64, out: *mut u8) -> i64 {
    // SAFETY: generated code passes a live string and memory for the result.
    unsafe {
        if let Some(value) = plain_number(s, radix) {
            return give(Ok(value), out);
        }
        let parsed = parse_digits(strings::text(s), radix).and_then(|(negative, value)| {
            if negative && value != 0 {
                return Err(OUT_OF_RANGE);
            }
            u64::try_from(value).map_err(|_| OUT_OF_RANGE)
        });
        give(parsed, out)
    }
}

fn parse_float(text: &str) -> Result<f64, i64> {
    match text {
        "NaN" => return Ok(f64::NAN),
        "Infinity" => return Ok(f64::INFINITY),
        "-Infinity" => return Ok(f64::NEG_INFINITY),
        _ => {}
    }
    // Rust's parser also takes words and bare points, which are not numbers in Quartz.
    let starts_well = text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit());
    let known = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-' | b'_'));
    if !starts_well || !known || text.ends_with(['.', '_']) {
        return Err(NOT_A_NUMBER);
    }
    text.replace('_', "").parse().map_err(|_| NOT_A_NUMBER)
}

pub(crate) unsafe fn parse_f64(_fiber: *mut Fiber, s: *mut StrObject, out: *mut u8) -> i64 {
    // SAFETY: generated code passes a live string and memory for the result.
    unsafe { give(parse_float(strings::text(s)), out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_as_the_number_that_its_digits_are() {
        let word = |text: &[u8]| {
            let mut bytes = [0; 8];
            bytes[..text.len()].copy_from_slice(text);
            digits_of_word(u64::from_le_bytes(bytes), text.len())
        };
        for value in (0..100_000_000_u64).step_by(997).chain([9, 10, 99_999_999]) {
            assert_eq!(word(value.to_string().as_bytes()), Some(value));
        }
        assert_eq!(word(b"00000042"), Some(42));
        for at in 0..8 {
            for byte in (0..=255).filter(|byte: &u8| !byte.is_ascii_digit()) {
                let mut text = *b"98765432";
                text[at] = byte;
                assert_eq!(word(&text), None, "{byte} at {at}");
                assert_eq!(word(&text[..=at]), None, "{byte} at the end of {}", at + 1);
            }
        }
    }

    #[test]
    fn integers_are_written_where_they_belong() {
        let powers = (0..20).map(|n| 10_u64.pow(n)).flat_map(|n| [n - 1, n, n + 1]);
        for value in powers.chain([42, u64::MAX, i64::MAX as u64, i64::MIN as u64]) {
            let mut buffer = [0; 20];
            // SAFETY: the buffer has 20 bytes.
            let len = unsafe { fmt_uint(std::ptr::null_mut(), value, buffer.as_mut_ptr()) };
            assert_eq!(buffer[..len as usize], *value.to_string().as_bytes());
            for value in [value as i64, (value as i64).wrapping_neg()] {
                // SAFETY: as above.
                let len = unsafe { fmt_int(std::ptr::null_mut(), value, buffer.as_mut_ptr()) };
                assert_eq!(buffer[..len as usize], *value.to_string().as_bytes());
            }
        }
    }

    #[test]
    fn floats_have_a_point_or_an_exponent() {
        for (value, text) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (1e21, "1e21"),
            (1.5e-7, "1.5e-7"),
            (123456789.0, "123456789.0"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(show_f64(value), text);
        }
    }

    #[test]
    fn integers_are_read_with_sign_and_separators() {
        assert_eq!(parse_digits("-1_000", 10), Ok((true, 1000)));
        assert_eq!(parse_digits("ff", 16), Ok((false, 255)));
        for bad in ["", "-", "1__0", "_1", "1_", "0x1", "1.0"] {
            assert_eq!(parse_digits(bad, 10), Err(NOT_A_NUMBER), "{bad}");
        }
    }

    #[test]
    fn plain_digits_are_what_all_digits_are() {
        for text in ["0", "7", "0042", "999999999999999999", "1_0", "-1", "+1", "", "1a", "1 ", "\u{663}"] {
            if let Some(value) = plain_digits(text, 10) {
                assert_eq!(parse_digits(text, 10), Ok((false, value as u128)), "{text}");
            }
        }
        assert_eq!(plain_digits("999999999999999999", 10), Some(999_999_999_999_999_999));
        assert_eq!(plain_digits("1000000000000000000", 10), None);
        assert_eq!(plain_digits("12", 16), None);
    }

    #[test]
    fn only_number_like_text_is_a_float() {
        assert_eq!(parse_float("1e3"), Ok(1000.0));
        for bad in ["", ".", "inf", "1.", ".5", "nan", "1_"] {
            assert_eq!(parse_float(bad), Err(NOT_A_NUMBER), "{bad}");
        }
    }

    #[test]
    fn digits_are_written_from_the_right() {
        assert_eq!(decimal(i64::MIN.unsigned_abs(), true, &mut [0; 20]), b"-9223372036854775808");
        assert_eq!(decimal(0, false, &mut [0; 20]), b"0");
    }
}
