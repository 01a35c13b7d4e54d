//! Constants.

use std::sync::Arc;

use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, types};
use qz_codegen::const_ty;
use qz_mir::Const;
use qz_mir::layout::Layout;

use crate::function::FnCx;
use crate::image::Symbol;
use crate::value::{Addr, Val, int_ty};

impl FnCx<'_, '_, '_> {
    pub(crate) fn constant(&mut self, value: &Const) -> (Arc<Layout>, Val) {
        let layout = self.program.layouts.of(const_ty(value));
        let value = match value {
            Const::Unit => Val::unit(),
            Const::Bool(b) => Val::one(self.int(types::I8, *b as i64)),
            Const::Int(n, int) => Val::one(self.int(int_ty(int.bits()), *n as i64)),
            Const::F32(bits) => Val::one(self.b.ins().f32const(Ieee32::with_bits(*bits))),
            Const::F64(bits) => Val::one(self.b.ins().f64const(Ieee64::with_bits(*bits))),
            Const::Char(c) => Val::one(self.int(types::I32, *c as i64)),
            Const::Str(text) => {
                let data = self.program.string(text);
                Val::one(self.symbol_address(Symbol::Data(data)))
            }
            Const::Null(_) => Val::one(self.int(types::I64, 0)),
            Const::Static(data, _) => {
                let data = self.program.static_data(*data);
                let at = Addr::new(self.symbol_address(Symbol::Data(data)));
                self.load(&layout, at)
            }
            Const::Item(..) => unreachable!("constants are evaluated by now"),
        };
        (layout, value)
    }
}
