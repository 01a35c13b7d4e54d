//! Ranges of integers and characters in patterns, cut into pieces that no pattern splits further.

use qz_types::{Ty, TyKind};

/// The smallest and largest value of a type that has ranges.
pub(super) fn bounds(ty: Ty) -> Option<(i128, i128)> {
    match ty.kind() {
        TyKind::Int(int) => Some((int.min_value(), int.max_value())),
        TyKind::Char => Some((0, 0x10FFFF)),
        _ => None,
    }
}

/// All values of the type, cut at the borders of the given ranges. The surrogate gap of `Char` belongs to
/// no value and is left out.
pub(super) fn split(ty: Ty, given: &[(i128, i128)]) -> Vec<(i128, i128)> {
    let Some((min, max)) = bounds(ty) else { return Vec::new() };
    let mut starts = vec![min];
    let is_char = matches!(ty.kind(), TyKind::Char);
    if is_char {
        starts.extend([0xD800, 0xE000]);
    }
    for &(from, to) in given {
        starts.push(from);
        starts.push(to.saturating_add(1));
    }
    starts.retain(|&it| min <= it && it <= max);
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).map(|&next| next - 1).chain([max]);
    starts
        .iter()
        .copied()
        .zip(ends)
        .filter(|&(from, to)| !(is_char && from >= 0xD800 && to <= 0xDFFF))
        .collect()
}

/// A range as a user writes it.
pub(super) fn show(ty: Ty, from: i128, to: i128) -> String {
    let (min, max) = bounds(ty).unwrap_or((from, to));
    let one = |value: i128| match ty.kind() {
        TyKind::Char => match u32::try_from(value).ok().and_then(char::from_u32) {
            Some(c) => format!("{c:?}"),
            None => format!("'\\u{{{value:x}}}'"),
        },
        _ => value.to_string(),
    };
    match (from == to, from == min, to == max) {
        (true, ..) => one(from),
        (_, true, true) => "_".to_owned(),
        (_, true, _) => format!("..={}", one(to)),
        (_, _, true) => format!("{}..", one(from)),
        _ => format!("{}..={}", one(from), one(to)),
    }
}
