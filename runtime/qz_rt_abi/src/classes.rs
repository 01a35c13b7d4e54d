//! Size classes of small memory: steps of 8 bytes up to 64, then four classes per doubling up to 1 KiB.
//! Larger blocks come straight from the allocator below.

/// How many classes there are.
pub const CLASS_COUNT: usize = 24;

/// The largest block that has a class.
pub const MAX_SMALL: usize = 1024;

/// Block size of each class.
pub const CLASS_SIZES: [u16; CLASS_COUNT] = [
    8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896,
    1024,
];

/// The class whose blocks hold `size` bytes, or `None` above [`MAX_SMALL`]. Zero counts as one byte.
#[inline]
pub const fn class_of(size: usize) -> Option<usize> {
    if size > MAX_SMALL {
        return None;
    }
    if size <= 64 {
        return Some(if size == 0 { 0 } else { size.div_ceil(8) - 1 });
    }
    // `size - 1` lies in [2^k, 2^(k+1)), k >= 6; its next two bits choose one of the four classes.
    let top = size - 1;
    let k = top.ilog2() as usize;
    let quarter = (top >> (k - 2)) & 3;
    Some(8 + (k - 6) * 4 + quarter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_gets_the_smallest_class_that_holds_it() {
        for size in 0..=MAX_SMALL {
            let class = class_of(size).expect("small");
            assert!(CLASS_SIZES[class] as usize >= size);
            assert!(class == 0 || (CLASS_SIZES[class - 1] as usize) < size.max(1));
        }
        assert_eq!(class_of(MAX_SMALL + 1), None);
    }
}
