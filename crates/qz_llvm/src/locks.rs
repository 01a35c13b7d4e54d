//! Locks that are taken and given back in place while one thread runs all fibers.

use std::mem::offset_of;

use qz_codegen::locks::LockChange;
use qz_rt_abi::bias::{IS_ALONE, IS_BUSY, LOCK_WORD};
use qz_rt_abi::{Fiber, RtFn};

use crate::function::FnCx;
use crate::ir::{Label, LlTy, Value};
use crate::memory::{Addr, MOSTLY};

impl FnCx<'_, '_> {
    /// The steps of `qz_sched`'s `Bias::enter` and of leaving it, with the change between; the runtime's function `f`
    /// for everything else. Gives what that gives.
    pub(crate) fn change_lock(&mut self, change: LockChange, f: RtFn, lock: Value) -> Option<Value> {
        if self.in_cleanup || self.w.is_cold() {
            return self.runtime(f, &[lock]);
        }
        let bias = self.fiber_field(offset_of!(Fiber, bias), LlTy::Ptr);
        let is_alone = self.address(Addr::new(bias).plus(IS_ALONE as u32));
        let is_busy = self.address(Addr::new(bias).plus(IS_BUSY as u32));
        let word = self.address(Addr::new(lock).plus(LOCK_WORD as u32));
        let [begun, alone, fitting, quit, slow, done] = std::array::from_fn(|_| self.w.label());
        self.w.enter_aside();

        let hint = self.w.set(LlTy::I8, format_args!("load atomic i8, ptr {is_alone} monotonic, align 1"));
        self.go_on_unless_zero(hint, begun, slow);
        self.w.line(format_args!("store atomic i8 1, ptr {is_busy} monotonic, align 1"));
        self.w.line(format_args!("fence syncscope(\"singlethread\") seq_cst"));
        let still = self.w.set(LlTy::I8, format_args!("load atomic i8, ptr {is_alone} acquire, align 1"));
        self.go_on_unless_zero(still, alone, quit);
        let LockChange { from, to } = change;
        let before = self.w.set(LlTy::I32, format_args!("load atomic i32, ptr {word} monotonic, align 4"));
        let fits = self.icmp_imm("eq", before, from as i64);
        self.w.end(format_args!("br i1 {fits}, label %{fitting}, label %{quit}{MOSTLY}"));
        self.w.begin_behind(fitting);
        self.w.line(format_args!("store atomic i32 {to}, ptr {word} monotonic, align 4"));
        let leave = format!("store atomic i8 0, ptr {is_busy} release, align 1");
        self.w.line(format_args!("{leave}"));
        self.w.end(format_args!("br label %{done}"));

        self.w.enter_cold();
        self.w.begin_behind(quit);
        self.w.line(format_args!("{leave}"));
        self.w.end(format_args!("br label %{slow}"));
        self.w.begin_behind(slow);
        let result = self.runtime(f, &[lock]);
        self.w.end(format_args!("br label %{done}"));
        self.w.leave_cold();

        self.w.leave_aside();
        self.w.begin_behind(done);
        result.map(|it| self.w.set(it.ty, format_args!("phi {} [ 1, %{fitting} ], [ {it}, %{slow} ]", it.ty)))
    }

    fn go_on_unless_zero(&mut self, byte: Value, next: Label, otherwise: Label) {
        let is_set = self.icmp_imm("ne", byte, 0);
        self.w.end(format_args!("br i1 {is_set}, label %{next}, label %{otherwise}{MOSTLY}"));
        self.w.begin_behind(next);
    }
}
