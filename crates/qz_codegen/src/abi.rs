//! The calling convention of Quartz functions, for all engines.
//!
//! 1. The fiber is found without a parameter: in a register of its own (Cranelift), which every function and
//!    C's convention leave as it is.
//! 2. The address for the result, if it is returned in memory.
//! 3. Each parameter: up to [`MAX_PARAM_SLOTS`] machine values as such, a larger one as the address of a copy
//!    that the caller made and the callee may change but not keep, one without any not at all.
//!
//! Results of up to [`MAX_RET_SLOTS`] machine values come back in registers: what LLVM's `fastcc` and
//! Cranelift's `tail` both do. Whether a parameter is borrowed does not matter here.
//!
//! A closure is called with the closure object as its first parameter, its code address read from that
//! object. A `dyn` method's shim is called with the `dyn` value as its first parameter.
//!
//! Foreign functions follow C: [`crate::c_abi`].

use std::sync::Arc;

use qz_mir::layout::{Layout, Layouts, Slot};
use qz_types::Ty;

/// Values of more machine values are passed by address.
pub const MAX_PARAM_SLOTS: usize = 4;
/// Values of more machine values are returned in memory.
pub const MAX_RET_SLOTS: usize = 3;

/// How one parameter travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassMode {
    /// There is nothing to pass.
    Ignore,
    Direct(Box<[Slot]>),
    /// The address of a copy.
    Indirect,
}

/// How the result travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetMode {
    Ignore,
    Direct(Box<[Slot]>),
    /// Stored at the address that was passed after the fiber.
    Indirect,
}

/// How a function is called.
#[derive(Clone, Debug)]
pub struct FnAbi {
    pub params: Vec<(Arc<Layout>, PassMode)>,
    pub ret: (Arc<Layout>, RetMode),
}

impl FnAbi {
    /// The convention for a function of these types. `params` includes the closure or `dyn` value that comes
    /// first where there is one.
    pub fn new(layouts: &Layouts, params: impl IntoIterator<Item = Ty>, ret: Ty) -> FnAbi {
        let param = |ty| {
            let layout = layouts.of(ty);
            let mode = pass_mode(&layout);
            (layout, mode)
        };
        let params = params.into_iter().map(param).collect();
        let ret = layouts.of(ret);
        let mode = ret_mode(&ret);
        FnAbi { params, ret: (ret, mode) }
    }
}

fn pass_mode(layout: &Layout) -> PassMode {
    match &layout.slots {
        Some(slots) if slots.is_empty() => PassMode::Ignore,
        Some(slots) if slots.len() <= MAX_PARAM_SLOTS => PassMode::Direct(slots.clone()),
        _ => PassMode::Indirect,
    }
}

fn ret_mode(layout: &Layout) -> RetMode {
    match &layout.slots {
        Some(slots) if slots.is_empty() => RetMode::Ignore,
        Some(slots) if slots.len() <= MAX_RET_SLOTS => RetMode::Direct(slots.clone()),
        _ => RetMode::Indirect,
    }
}
