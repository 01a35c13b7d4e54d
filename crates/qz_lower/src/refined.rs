//! Values that become refined, and refined values that become plain again.

use qz_hir::FnKind;
use qz_hir::body::{Arg, ExprId};
use qz_hir::refined::Part;
use qz_mir::{Callee as MirCallee, Operand, Place};
use qz_types::{FnId, Ty};

use crate::body::Cx;

impl Cx<'_, '_, '_> {
    /// The value behind the checks, of which each gives a type of its own. What is proved is not asked.
    pub(crate) fn refine(&mut self, expr: ExprId, value: Operand, checks: &[FnId]) -> Operand {
        let is_proved = self.lw.ck.is_proved(&self.checked, expr, checks);
        self.through(value, checks, is_proved)
    }

    /// What was computed of a refined value, on its way back.
    pub(crate) fn refined_again(&mut self, value: Operand, base: Ty, to: Ty) -> Operand {
        let (mut checks, mut at) = (Vec::new(), to);
        while at != base {
            let (refinement, next) = self.lw.defs().refined_ty(at).expect("the checker went the same way");
            checks.push(refinement.new);
            at = next;
        }
        checks.reverse();
        self.through(value, &checks, false)
    }

    fn through(&mut self, mut value: Operand, checks: &[FnId], is_proved: bool) -> Operand {
        for &check in checks {
            let made =
                self.lw.defs().fn_sig(check).ret.expect("a refined type's functions have written types");
            if is_proved {
                value = self.construct(made, 0, vec![value]);
                continue;
            }
            let dest = self.b.temp(made);
            self.b.call(dest, MirCallee::Fn(crate::main_key(check), &[], [].into()), vec![value]);
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
