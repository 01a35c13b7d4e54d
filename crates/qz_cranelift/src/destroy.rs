//! Destroy functions and deep structures. A destroy function counts in the fiber how many of its kind are on
//! the stack. Beyond [`MAX_DROP_DEPTH`] it hands its object to the runtime instead of working; the outermost
//! one destroys what was handed over before it returns. See [`qz_rt_abi::fiber`].

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use qz_rt_abi::Fiber;
use qz_rt_abi::fiber::MAX_DROP_DEPTH;
use qz_rt_abi::registry::rt;

use crate::function::{FnCx, unreachable_code};
use crate::value::Val;

const DEPTH: usize = std::mem::offset_of!(Fiber, drop_depth);

impl FnCx<'_, '_, '_> {
    /// At the start: notes the depth, or hands the object over and returns.
    pub(crate) fn enter_destroy(&mut self) {
        let Some(object) = self.body.params().next() else { return };
        let depth = self.fiber_field(DEPTH, types::I32);
        let too_deep =
            self.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, depth, MAX_DROP_DEPTH as i64);
        self.if_rare(too_deep, |cx| {
            if let Val::Parts(parts) = cx.read_local(object) {
                cx.runtime(rt::defer_destroy, &parts);
            }
            cx.b.ins().return_(&[]);
        });
        let deeper = self.b.ins().iadd_imm_s(depth, 1);
        self.set_fiber_field(DEPTH, deeper);
        self.drop_depth = Some(depth);
    }

    /// At a return (`finished`) or when a panic leaves: the depth is what it was before. The outermost
    /// function destroys what others handed over.
    pub(crate) fn leave_destroy(&mut self, finished: bool) {
        let Some(depth) = self.drop_depth else { return };
        self.set_fiber_field(DEPTH, depth);
        if !finished {
            return;
        }
        let count = self.fiber_field(std::mem::offset_of!(Fiber, deferred_count), types::I32);
        let none_above = self.b.ins().icmp_imm_u(IntCC::Equal, depth, 0);
        let waiting = self.b.ins().icmp_imm_u(IntCC::NotEqual, count, 0);
        let drain = self.b.ins().band(none_above, waiting);
        self.if_rare(drain, FnCx::drain);
    }

    /// Destroys deferred objects until there are none. Those are destroyed by functions that find the depth
    /// at 0 and would drain themselves, so it is 1 meanwhile.
    fn drain(&mut self) {
        let (next, one, done) = (self.b.create_block(), self.fresh_block(&[]), self.fresh_block(&[]));
        let depth = self.int(types::I32, 1);
        self.set_fiber_field(DEPTH, depth);
        self.b.ins().jump(next, &[]);
        self.b.switch_to_block(next);
        let object = self.runtime(rt::next_deferred, &[]).expect("gives an object or null");
        self.b.ins().brif(object, one, &[], done, &[]);
        self.continue_in(one);
        self.destroy_by_table(object);
        self.b.ins().jump(next, &[]);
        self.b.seal_block(next);
        self.continue_in(done);
        let depth = self.int(types::I32, 0);
        self.set_fiber_field(DEPTH, depth);
        self.b.ins().return_(&[]);
    }

    /// Where a panic that leaves a destroy function passes: the depth must be put back.
    pub(crate) fn depth_handler(&mut self) -> Option<ir::Block> {
        self.drop_depth?;
        let block = self.drop_handler.unwrap_or_else(|| self.b.create_block());
        self.drop_handler = Some(block);
        Some(block)
    }

    /// Fills the block of [`FnCx::depth_handler`], if there is one.
    pub(crate) fn finish_depth_handler(&mut self) {
        let Some(handler) = self.drop_handler.take() else { return };
        self.b.set_cold_block(handler);
        self.continue_in(handler);
        self.leave_destroy(false);
        self.drop_depth = None;
        self.runtime(rt::resume, &[]);
        self.b.ins().trap(unreachable_code());
    }
}
