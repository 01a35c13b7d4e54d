//! Values that become refined, and refined values that become plain again.

use qz_hir::FnKind;
use qz_hir::body::{Arg, ExprId};
use qz_hir::refined::Part;
use qz_mir::{Callee as MirCallee, Operand, Place};
use qz_types::{FnId, Ty};

use crate::body::Cx;

impl Cx<'_, '_, '_> {
    /// The value behind the checks. What is proved is not asked.
    pub(crate) fn refine(&mut self, expr: ExprId, value: Operand, checks: &[FnId], to: Ty) -> Operand {
        let is_proved = self.lw.ck.is_proved(&self.checked, expr, checks);
        self.through(value, checks.len(), to, is_proved)
    }

    /// What was computed of a refined value, on its way back.
    pub(crate) fn refined_again(&mut self, value: Operand, base: Ty, to: Ty) -> Operand {
        let mut bases = std::iter::successors(Some(to), |&at| self.lw.defs().refined_ty(at).map(|it| it.1));
        let count = bases.position(|it| it == base).expect("the checker went the same way");
        self.through(value, count, to, false)
    }

    /// By so many checks to a value of a type, each of which gives one of a type of its own.
    fn through(&mut self, mut value: Operand, count: usize, to: Ty, is_proved: bool) -> Operand {
        let (mut steps, mut at) = (Vec::new(), to);
        for _ in 0..count {
            let (refinement, base) = self.lw.defs().refined_ty(at).expect("the checker went the same way");
            steps.push((refinement.new, at));
            at = base;
        }
        for (check, made) in steps.into_iter().rev() {
            if is_proved {
                value = self.construct(made, 0, vec![value]);
                continue;
            }
            let (_, args) = made.as_adt().expect("a refined type");
            let dest = self.b.temp(made);
            self.b.call(dest, MirCallee::Fn(crate::main_key(check), args, [].into()), vec![value]);
            value = Operand::local(dest);
        }
        value
    }

    /// `Port(80)`: a constant that fits.
    pub(crate) fn is_proved_call(&self, function: FnId, args: &[Arg]) -> bool {
        matches!(self.lw.defs().fns[function].kind, FnKind::Refined(_, Part::New))
            && matches!(args, [arg] if self.lw.ck.is_proved(&self.checked, arg.value, &[function]))
    }

    pub(crate) fn unrefine(&mut self, value: Operand, from: Ty, to: Ty) -> Operand {
        let mut at = from;
        let mut place = Place::local(self.fix(value, from));
        while at != to {
            (_, at) = self.lw.defs().refined_ty(at).expect("the checker went the same way");
            place = place.field(0);
        }
        self.read(place, to)
    }
}
