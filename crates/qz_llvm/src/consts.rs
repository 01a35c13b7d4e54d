//! Constants.

use std::sync::Arc;

use qz_codegen::const_ty;
use qz_mir::Const;
use qz_mir::layout::Layout;

use crate::function::FnCx;
use crate::ir::{LlTy, Value, Written};
use crate::memory::Addr;
use crate::value::Val;

impl FnCx<'_, '_> {
    pub(crate) fn constant(&mut self, value: &Const) -> (Arc<Layout>, Val) {
        let layout = self.program.layouts.of(const_ty(value));
        let value = match value {
            Const::Unit => Val::unit(),
            Const::Bool(b) => Val::one(Value::int(LlTy::I8, *b as i64)),
            Const::Int(n, int) => Val::one(int_const(LlTy::int(int.bits()), *n as i64)),
            Const::F32(bits) => Val::one(Value { ty: LlTy::F32, it: Written::F32(*bits) }),
            Const::F64(bits) => Val::one(Value { ty: LlTy::F64, it: Written::F64(*bits) }),
            Const::Char(c) => Val::one(Value::int(LlTy::I32, *c as i64)),
            Const::Str(text) => Val::one(self.program.string(text)),
            Const::Null(_) => Val::one(Value::int(LlTy::Ptr, 0)),
            Const::Static(data, _) => {
                let at = Addr::new(self.program.static_data(*data));
                self.load_value(&layout, at)
            }
            Const::Item(..) => unreachable!("constants are evaluated by now"),
        };
        (layout, value)
    }
}

/// The low bits of the number, as LLVM writes them: sign-extended.
fn int_const(ty: LlTy, n: i64) -> Value {
    let unused = 64 - ty.bits();
    Value::int(ty, (n << unused) >> unused)
}
