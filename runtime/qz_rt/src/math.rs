//! Mathematical functions that are no machine instruction.

use qz_rt_abi::Fiber;

macro_rules! unary {
    ($($name:ident = $method:ident;)*) => {$(
        pub(crate) unsafe fn $name(_fiber: *mut Fiber, x: f64) -> f64 {
            x.$method()
        }
    )*};
}

unary! {
    f64_sin = sin;
    f64_cos = cos;
    f64_tan = tan;
    f64_asin = asin;
    f64_acos = acos;
    f64_atan = atan;
    f64_sinh = sinh;
    f64_cosh = cosh;
    f64_tanh = tanh;
    f64_asinh = asinh;
    f64_acosh = acosh;
    f64_atanh = atanh;
    f64_exp = exp;
    f64_exp2 = exp2;
    f64_exp_m1 = exp_m1;
    f64_ln = ln;
    f64_ln_1p = ln_1p;
    f64_log2 = log2;
    f64_log10 = log10;
    f64_cbrt = cbrt;
    f64_round = round;
}

pub(crate) unsafe fn f64_atan2(_fiber: *mut Fiber, y: f64, x: f64) -> f64 {
    y.atan2(x)
}

pub(crate) unsafe fn f64_pow(_fiber: *mut Fiber, x: f64, y: f64) -> f64 {
    x.powf(y)
}

pub(crate) unsafe fn f64_hypot(_fiber: *mut Fiber, x: f64, y: f64) -> f64 {
    x.hypot(y)
}

pub(crate) unsafe fn f64_rem(_fiber: *mut Fiber, x: f64, y: f64) -> f64 {
    x % y
}

pub(crate) unsafe fn f32_rem(_fiber: *mut Fiber, x: f32, y: f32) -> f32 {
    x % y
}
