//! What is special about calls of C: what goes to `...` is made as wide as C wants it there, and functions
//! become pointers to code.

use qz_hir::body::{Arg, Expr, ExprId};
use qz_infer::ParamSource;
use qz_mir::{BodyKey, BodyPart, CastKind, ClosureTarget, Operand, Rvalue};
use qz_types::ty::common;
use qz_types::{FloatTy, IntTy, Ty, TyKind};

use crate::body::Cx;

impl Cx<'_, '_, '_> {
    /// Values for `...`, which stand behind the first `fixed`: integers narrower than C's `int` and `F32` are widened.
    pub(crate) fn promote(&mut self, id: ExprId, fixed: usize, args: &[Arg], values: &mut [Operand]) {
        let plan = self.types().plans[id].clone();
        for (source, value) in plan.params.iter().zip(values).skip(fixed) {
            let ParamSource::Arg(n) = source else { continue };
            let from = self.value_ty(args[*n as usize].value);
            let to = match from.kind() {
                TyKind::Int(int) if int.bits() < 32 => Ty::new(TyKind::Int(IntTy::I32)),
                TyKind::Bool => Ty::new(TyKind::Int(IntTy::I32)),
                TyKind::Float(FloatTy::F32) => common().f64,
                _ => continue,
            };
            *value = self.convert(value.clone(), from, to, CastKind::Wrapping);
        }
    }

    /// `c_fn(f)`: a pointer to code around a function or a lambda.
    pub(crate) fn function_for_c(&mut self, id: ExprId, args: &[Arg]) -> Operand {
        let value = args[0].value;
        let target = match self.body.exprs[value] {
            Expr::Lambda { lambda } => ClosureTarget::Lambda(BodyKey {
                function: self.function,
                part: BodyPart::Lambda(lambda.raw()),
            }),
            _ => ClosureTarget::Fn(self.mir_callee(&self.callee_of(value).clone())),
        };
        let ty = self.ty(id);
        self.at(id);
        let target = Box::new(ClosureTarget::ForC(Box::new(target)));
        Operand::local(self.b.eval(ty, Rvalue::Closure(target, Vec::new())))
    }
}
