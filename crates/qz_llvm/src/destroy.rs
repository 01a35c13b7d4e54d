//! Destroy functions and deep structures. A destroy function that may come back to itself counts in the fiber
//! how many of its kind are on the stack. Beyond [`MAX_DROP_DEPTH`] it hands its object to the runtime instead
//! of working; the outermost one destroys what was handed over before it returns. See [`qz_rt_abi::fiber`].

use std::mem::offset_of;

use qz_rt_abi::Fiber;
use qz_rt_abi::fiber::MAX_DROP_DEPTH;
use qz_rt_abi::registry::rt;

use crate::function::FnCx;
use crate::ir::{LlTy, Value};
use crate::value::Val;

const DEPTH: usize = offset_of!(Fiber, drop_depth);

impl FnCx<'_, '_> {
    /// At the start: notes the depth, or hands the object over and returns.
    pub(crate) fn enter_destroy(&mut self) {
        let Some(object) = self.body.params().next() else { return };
        let depth = self.fiber_field(DEPTH, LlTy::I32);
        let too_deep = self.icmp_imm("uge", depth, MAX_DROP_DEPTH as i64);
        self.if_rare(too_deep, |cx| {
            if let Val::Parts(parts) = cx.read_local(object) {
                cx.runtime(rt::defer_destroy, &parts);
            }
            cx.return_values(&[]);
        });
        let deeper = self.op_imm("add", depth, 1);
        self.set_fiber_field(DEPTH, deeper);
        self.drop_depth = Some(depth);
    }

    /// When a panic leaves: the depth is what it was before.
    pub(crate) fn put_depth_back(&mut self) {
        if let Some(depth) = self.drop_depth {
            self.set_fiber_field(DEPTH, depth);
        }
    }

    /// At a return. The outermost function destroys what others handed over.
    pub(crate) fn leave_destroy(&mut self) {
        let Some(depth) = self.drop_depth else { return };
        self.put_depth_back();
        let count = self.fiber_field(offset_of!(Fiber, deferred_count), LlTy::I32);
        let none_above = self.icmp_imm("eq", depth, 0);
        let waiting = self.icmp_imm("ne", count, 0);
        let drain = self.op("and", none_above, waiting);
        self.if_rare(drain, FnCx::drain);
    }

    /// Destroys deferred objects until there are none. Those are destroyed by functions that find the depth
    /// at 0 and would drain themselves, so it is 1 meanwhile.
    fn drain(&mut self) {
        let (next, one, done) = (self.w.label(), self.w.label(), self.w.label());
        self.set_fiber_field(DEPTH, Value::int(LlTy::I32, 1));
        self.w.end(format_args!("br label %{next}"));
        self.w.begin(next);
        let object = self.runtime(rt::next_deferred, &[]).expect("gives an object or null");
        let none = self.icmp_imm("eq", object, 0);
        self.w.end(format_args!("br i1 {none}, label %{done}, label %{one}"));
        self.w.begin(one);
        self.destroy_by_table(object);
        self.w.end(format_args!("br label %{next}"));
        self.w.begin(done);
        self.set_fiber_field(DEPTH, Value::int(LlTy::I32, 0));
    }
}
