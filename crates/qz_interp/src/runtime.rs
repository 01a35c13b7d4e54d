//! Calls of the runtime, by the registry.

use qz_mir::Call;
use qz_mir::layout::Scalar;
use qz_rt::panic::Request;
use qz_rt_abi::registry::{MOST_ARGUMENTS, RtScalar};
use qz_rt_abi::{Fiber, RtFn};
use smallvec::SmallVec;

use crate::Stop;
use crate::machine::{Break, Machine, Step};
use crate::values::scalar_of;

impl Machine<'_> {
    pub(crate) fn call_runtime(&mut self, call: &Call, f: RtFn) -> Step {
        let def = f.def();
        if def.effect && !self.options.effects {
            return Err(Stop::Effect(def.name).into());
        }
        self.shared.used_hash_key.set(self.shared.used_hash_key.get() | def.keyed);
        let args: SmallVec<[u64; 5]> = call.args.iter().map(|arg| self.scalar(arg)).collect();
        let result = self.runtime(f, &args);
        self.raised()?;
        let top = self.top();
        let (to, layout) = (top.local(call.dest), top.code.layouts[call.dest.index()].clone());
        if def.sig.ret.is_some() && !layout.is_zero_sized() {
            to.write(scalar_of(&layout), result);
        }
        Ok(())
    }

    /// Starts the panic that the runtime function just called asked for, if it did.
    fn raised(&mut self) -> Step {
        let fiber = self.fiber();
        // SAFETY: the machine's fiber is live, and nothing else refers to its state.
        let request = unsafe {
            if (*fiber).raise == 0 {
                return Ok(());
            }
            (*fiber).raise = 0;
            qz_rt::context::state(fiber).request.take()
        };
        match request {
            Some(Request::Start { message, overflow }) => self.panic(message, overflow),
            Some(Request::Resume) | None => Err(Break::Panic),
        }
    }

    /// Calls a runtime function; the bits of its result, or 0.
    ///
    /// Arguments of integer and of float class travel in registers of their own, in order, on every machine
    /// supported, and what does not fit on the stack, which the caller clears; so one signature with enough of both
    /// serves all functions.
    pub(crate) fn runtime(&mut self, f: RtFn, args: &[u64]) -> u64 {
        let (mut ints, mut floats) = ([0u64; MOST_ARGUMENTS], [0f64; 2]);
        let (mut next_int, mut next_float) = (0, 0);
        let def = f.def();
        for (&arg, scalar) in args.iter().zip(def.sig.params) {
            match scalar {
                RtScalar::F32 | RtScalar::F64 => {
                    floats[next_float] = f64::from_bits(arg);
                    next_float += 1;
                }
                _ => {
                    ints[next_int] = arg;
                    next_int += 1;
                }
            }
        }
        let fiber = self.fiber();
        let code = qz_rt::plain_address(f);
        // SAFETY: the address is that of the function with this entry's signature; unused argument registers
        // are ignored, and the arguments are what the program's checked call passes.
        let bits = unsafe { call_machine_code(code, fiber, ints, floats, def.sig.ret) };
        let size = def.sig.ret.map_or(8, |ret| rt_scalar(ret).size());
        if size == 8 { bits } else { bits & ((1 << (size * 8)) - 1) }
    }
}

fn rt_scalar(scalar: RtScalar) -> Scalar {
    match scalar {
        RtScalar::I8 => Scalar::I8,
        RtScalar::I32 => Scalar::I32,
        RtScalar::I64 => Scalar::I64,
        RtScalar::F32 => Scalar::F32,
        RtScalar::F64 => Scalar::F64,
        RtScalar::Ptr => Scalar::Ptr,
    }
}

/// # Safety
/// `code` is a C function that takes a fiber and then arguments as given, and returns as `ret` says.
unsafe fn call_machine_code(
    code: *const u8,
    fiber: *mut Fiber,
    [a, b, c, d, e, f, g, h]: [u64; MOST_ARGUMENTS],
    [x, y]: [f64; 2],
    ret: Option<RtScalar>,
) -> u64 {
    type Code<R> = unsafe extern "C" fn(*mut Fiber, u64, u64, u64, u64, u64, u64, u64, u64, f64, f64) -> R;
    // SAFETY: as promised by the caller.
    unsafe {
        match ret {
            Some(RtScalar::F64 | RtScalar::F32) => {
                let code: Code<f64> = std::mem::transmute(code);
                code(fiber, a, b, c, d, e, f, g, h, x, y).to_bits()
            }
            _ => {
                let code: Code<u64> = std::mem::transmute(code);
                code(fiber, a, b, c, d, e, f, g, h, x, y)
            }
        }
    }
}
