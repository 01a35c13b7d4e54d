//! The runtime as a static library, `libqz_rt_native.a`: what `quartz build` links native programs with.
//!
//! It holds nothing of its own. Programs enter by `qz_start` ([`qz_rt::native`]) and call the functions of the
//! registry by their names, `qz_rt_…`.

pub use qz_rt::native::qz_start;
