//! The machine-code entry of each function in the registry, made from the list itself: a signature that
//! differs from the registry's does not compile. Each also has a name for linkers, `qz_rt_…`, which native
//! programs call it by.

use qz_rt_abi::object::StrObject;
use qz_rt_abi::{Fiber, RtFn};

use crate::atomics::*;
use crate::children::*;
use crate::context::live_objects;
use crate::crossing::*;
use crate::cycles::*;
use crate::files::*;
use crate::hash::{hash_bytes, hash_seed, hash_word};
use crate::math::*;
use crate::memory::*;
use crate::net::*;
use crate::numbers::*;
use crate::panic::*;
use crate::process::*;
use crate::regexes::*;
use crate::streams::*;
use crate::strings::*;
use crate::tasks::*;
use crate::time::*;
use crate::variables::*;
use crate::walks::*;
use crate::weak::*;

macro_rules! rust_ty {
    (Bool) => { u8 };
    (U8) => { u8 };
    (I32) => { i32 };
    (U32) => { u32 };
    (Char) => { u32 };
    (Int) => { i64 };
    (U64) => { u64 };
    (F32) => { f32 };
    (F64) => { f64 };
    (Ptr) => { *mut u8 };
    (Str) => { *mut StrObject };
    (Unit) => { () };
}

macro_rules! plain_entry {
    ($name:ident ($($param:ident: $ty:ident),*) $ret:ident) => {
        #[unsafe(export_name = concat!("qz_rt_", stringify!($name)))]
        unsafe extern "C" fn plain(fiber: *mut Fiber, $($param: rust_ty!($ty)),*) -> rust_ty!($ret) {
            // SAFETY: generated code keeps the promises that the registry states.
            unsafe { $name(fiber, $($param),*) }
        }
    };
}

/// The entry for native programs of a function that panics: they tell the place, and go on by themselves.
macro_rules! native_entry {
    (() $name:ident ($($param:ident: $ty:ident),*)) => {};
    ((panics $($flags:ident)*) $name:ident ($($param:ident: $ty:ident),*)) => {
        #[unsafe(export_name = concat!("qz_native_", stringify!($name)))]
        unsafe extern "C" fn native(fiber: *mut Fiber, $($param: rust_ty!($ty),)* place: u32) {
            // SAFETY: as for `plain`.
            unsafe {
                $name(fiber, $($param),*);
                crate::native::begin(fiber, place);
            }
        }
    };
    (($other:ident $($flags:ident)*) $($rest:tt)*) => { native_entry!(($($flags)*) $($rest)*); };
}

/// The entry that generated code calls: the plain one, or a stub in front of it if it may panic.
macro_rules! entry {
    (() $name:ident) => { plain as *const () as *const u8 };
    ((panics $($flags:ident)*) $name:ident) => {{
        crate::unwind::stub!(stub, concat!("qz_stub_", stringify!($name)), plain);
        stub as *const () as *const u8
    }};
    (($other:ident $($flags:ident)*) $name:ident) => { entry!(($($flags)*) $name) };
}

macro_rules! entries {
    ($($(#[$doc:meta])* fn $name:ident($($param:ident: $ty:ident),*) -> $ret:ident: $($flag:ident)*;)*) => {
        /// What generated code calls.
        pub fn address(f: RtFn) -> *const u8 {
            ENTRIES[f.0 as usize].0()
        }

        /// The function without the stub, for callers that look at [`Fiber::raise`] themselves.
        pub fn plain_address(f: RtFn) -> *const u8 {
            ENTRIES[f.0 as usize].1()
        }

        #[allow(clippy::type_complexity, reason = "two getters per function")]
        static ENTRIES: &[(fn() -> *const u8, fn() -> *const u8)] = &[$({
            plain_entry!($name ($($param: $ty),*) $ret);
            native_entry!(($($flag)*) $name ($($param: $ty),*));
            (|| entry!(($($flag)*) $name), || plain as *const () as *const u8)
        }),*];
    };
}

qz_rt_abi::rt_functions!(entries);
