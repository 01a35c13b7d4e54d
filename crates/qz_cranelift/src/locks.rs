//! Locks that are taken and given back in place while one thread runs all fibers.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Value, types};
use qz_codegen::locks::LockChange;
use qz_rt_abi::bias::{IS_ALONE, IS_BUSY, LOCK_WORD};
use qz_rt_abi::{Fiber, RtFn};

use crate::function::FnCx;
use crate::memory::Region;

impl FnCx<'_, '_, '_> {
    /// The steps of `qz_sched`'s `Bias::enter` and of leaving it, with the change between; the runtime's function `f`
    /// for everything else. Gives what that gives.
    pub(crate) fn change_lock(&mut self, change: LockChange, f: RtFn, lock: Value) -> Option<Value> {
        if self.in_cleanup {
            return self.runtime(f, &[lock]);
        }
        let bias = self.fiber_field(offset_of!(Fiber, bias), types::I64);
        let (quit, slow, done) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(quit);
        self.b.set_cold_block(slow);

        let hint = self.load_from(Region::Any, types::I8, bias, IS_ALONE as i32);
        self.go_on_if(hint, slow);
        let yes = self.b.ins().iconst(types::I8, 1);
        self.store_to(Region::Any, yes, bias, IS_BUSY as i32);
        // No access is moved over this one.
        let is_alone = self.b.ins().iadd_imm_s(bias, IS_ALONE as i64);
        let still = self.b.ins().atomic_load(types::I8, MemFlagsData::trusted(), is_alone);
        self.go_on_if(still, quit);
        let before = self.load_from(Region::Any, types::I32, lock, LOCK_WORD as i32);
        let fits = self.b.ins().icmp_imm_u(IntCC::Equal, before, change.from as i64);
        self.go_on_if(fits, quit);
        let after = self.b.ins().iconst(types::I32, change.to as i64);
        self.store_to(Region::Any, after, lock, LOCK_WORD as i32);
        self.is_busy_no_more(bias);
        let result = f.def().sig.ret.map(|_| self.b.append_block_param(done, types::I8));
        let changed: &[BlockArg] = if result.is_some() { &[yes.into()] } else { &[] };
        self.b.ins().jump(done, changed);

        self.continue_in(quit);
        self.is_busy_no_more(bias);
        self.b.ins().jump(slow, &[]);
        self.continue_in(slow);
        let told = self.runtime(f, &[lock]);
        self.jump(done, told.as_slice());
        self.continue_in(done);
        result
    }

    fn go_on_if(&mut self, cond: Value, otherwise: Block) {
        let next = self.fresh_block(&[]);
        self.b.ins().brif(cond, next, &[], otherwise, &[]);
        self.continue_in(next);
    }

    /// A store behind all others.
    fn is_busy_no_more(&mut self, bias: Value) {
        let no = self.b.ins().iconst(types::I8, 0);
        if cfg!(target_arch = "x86_64") {
            // As every store; Cranelift's atomic one waits for more.
            self.store_to(Region::Any, no, bias, IS_BUSY as i32);
        } else {
            let is_busy = self.b.ins().iadd_imm_s(bias, IS_BUSY as i64);
            self.b.ins().atomic_store(MemFlagsData::trusted(), no, is_busy);
        }
    }
}
