//! Lambdas as values: their captures, taken where the lambda stands.

use qz_hir::body::{ExprId, LambdaId};
use qz_mir::{BodyKey, BodyPart, ClosureTarget, Operand, Rvalue};
use qz_types::TyKind;

use crate::body::Cx;

impl Cx<'_, '_, '_> {
    pub(crate) fn lambda(&mut self, id: ExprId, lambda: LambdaId) -> Operand {
        let captures = self.body.lambdas[lambda].captures.clone();
        let mut values = Vec::new();
        for local in captures {
            let operand = self.capture_operand(local);
            let ty = self.local_ty(local);
            // A borrow does not leave its frame: what it borrows is captured.
            values.push(match ty.kind() {
                TyKind::Ref(_, inner) => {
                    let reference = self.fix(operand, ty);
                    Operand::local(self.b.eval(*inner, Rvalue::Use(crate::body::through(reference))))
                }
                _ => operand,
            });
        }
        let key = BodyKey { function: self.function, part: BodyPart::Lambda(lambda.raw()) };
        let ty = self.ty(id);
        let closure = self.b.eval(ty, Rvalue::Closure(Box::new(ClosureTarget::Lambda(key)), values));
        self.end_names(id);
        Operand::local(closure)
    }
}
