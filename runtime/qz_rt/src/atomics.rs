//! Numbers that several threads change. A *kind* is the number's type: `I8 I16 I32 I64 U8 U16 U32 U64` from 0. An
//! *order* is `Relaxed Acquire Release AcqRel SeqCst` from 0; one that an operation cannot have counts as the last.
//! An *op* is `exchange add sub min max and or xor` from 0. Numbers pass as 64 bits, extended after their own type.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering,
};

use qz_rt_abi::Fiber;

fn order_of(code: i64) -> Ordering {
    [Relaxed, Acquire, Release, AcqRel].get(code as usize).copied().unwrap_or(SeqCst)
}

fn load_order(code: i64) -> Ordering {
    match order_of(code) {
        order @ (Relaxed | Acquire) => order,
        _ => SeqCst,
    }
}

fn store_order(code: i64) -> Ordering {
    match order_of(code) {
        order @ (Relaxed | Release) => order,
        _ => SeqCst,
    }
}

fn failure_order(success: Ordering) -> Ordering {
    match success {
        Relaxed | Release => Relaxed,
        Acquire | AcqRel => Acquire,
        _ => SeqCst,
    }
}

/// Calls the macro with the number at an address, as an atomic of its kind, and its type.
macro_rules! by_kind {
    ($at:expr, $kind:expr, $call:ident $arguments:tt) => {
        // SAFETY: generated code passes the place of a live number of this kind, which is only reached so.
        unsafe {
            match $kind {
                0 => $call!(AtomicI8::from_ptr($at.cast()), i8, $arguments),
                1 => $call!(AtomicI16::from_ptr($at.cast()), i16, $arguments),
                2 => $call!(AtomicI32::from_ptr($at.cast()), i32, $arguments),
                3 => $call!(AtomicI64::from_ptr($at.cast()), i64, $arguments),
                4 => $call!(AtomicU8::from_ptr($at.cast()), u8, $arguments),
                5 => $call!(AtomicU16::from_ptr($at.cast()), u16, $arguments),
                6 => $call!(AtomicU32::from_ptr($at.cast()), u32, $arguments),
                _ => $call!(AtomicU64::from_ptr($at.cast()), u64, $arguments),
            }
        }
    };
}

macro_rules! load {
    ($number:expr, $ty:ty, ($order:expr)) => {
        $number.load($order) as i64
    };
}

macro_rules! store {
    ($number:expr, $ty:ty, ($value:expr, $order:expr)) => {
        $number.store($value as $ty, $order)
    };
}

macro_rules! update {
    ($number:expr, $ty:ty, ($op:expr, $value:expr, $order:expr)) => {{
        let (number, value, order) = ($number, $value as $ty, $order);
        let before = match $op {
            0 => number.swap(value, order),
            1 => number.fetch_add(value, order),
            2 => number.fetch_sub(value, order),
            3 => number.fetch_min(value, order),
            4 => number.fetch_max(value, order),
            5 => number.fetch_and(value, order),
            6 => number.fetch_or(value, order),
            _ => number.fetch_xor(value, order),
        };
        before as i64
    }};
}

macro_rules! compare {
    ($number:expr, $ty:ty, ($expected:expr, $value:expr, $order:expr)) => {
        match $number.compare_exchange($expected as $ty, $value as $ty, $order, failure_order($order)) {
            Ok(before) | Err(before) => before as i64,
        }
    };
}

pub(crate) unsafe fn atomic_load(_fiber: *mut Fiber, at: *mut u8, kind: i64, order: i64) -> i64 {
    let order = load_order(order);
    by_kind!(at, kind, load(order))
}

pub(crate) unsafe fn atomic_store(_fiber: *mut Fiber, at: *mut u8, kind: i64, value: i64, order: i64) {
    let order = store_order(order);
    by_kind!(at, kind, store(value, order))
}

pub(crate) unsafe fn atomic_update(
    _fiber: *mut Fiber,
    at: *mut u8,
    kind: i64,
    op: i64,
    value: i64,
    order: i64,
) -> i64 {
    let order = order_of(order);
    by_kind!(at, kind, update(op, value, order))
}

pub(crate) unsafe fn atomic_cas(
    _fiber: *mut Fiber,
    at: *mut u8,
    kind: i64,
    expected: i64,
    value: i64,
    order: i64,
) -> i64 {
    let order = order_of(order);
    by_kind!(at, kind, compare(expected, value, order))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr;

    fn updated(kind: i64, start: i64, op: i64, value: i64) -> (i64, i64) {
        let mut word = 0u64;
        let at = (&raw mut word).cast::<u8>();
        // SAFETY: the word holds a number of any kind.
        unsafe {
            atomic_store(ptr::null_mut(), at, kind, start, 4);
            let before = atomic_update(ptr::null_mut(), at, kind, op, value, 3);
            (before, atomic_load(ptr::null_mut(), at, kind, 1))
        }
    }

    #[test]
    fn numbers_wrap_and_compare_in_their_own_type() {
        assert_eq!(updated(0, 127, 1, 1), (127, -128));
        assert_eq!(updated(4, 255, 1, 1), (255, 0));
        assert_eq!(updated(1, -5, 3, 3), (-5, -5));
        assert_eq!(updated(5, 65_531, 3, 3), (65_531, 3));
        assert_eq!(updated(7, -1, 4, 3), (-1, -1));
        assert_eq!(updated(3, 6, 7, 3), (6, 5));
    }

    #[test]
    fn a_number_is_exchanged_if_it_is_the_expected_one() {
        let mut word = 0u64;
        let at = (&raw mut word).cast::<u8>();
        // SAFETY: the word holds a number of any kind.
        unsafe {
            assert_eq!(atomic_cas(ptr::null_mut(), at, 2, 0, -7, 4), 0);
            assert_eq!(atomic_cas(ptr::null_mut(), at, 2, 0, 9, 2), -7);
            assert_eq!(atomic_load(ptr::null_mut(), at, 2, 2), -7);
        }
    }
}
