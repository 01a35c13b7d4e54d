//! Values of one union that become values of another.

use qz_mir::{AggregateKind, BlockId, Operand, Place, Proj, Rvalue, TermKind};
use qz_types::Ty;

use crate::body::{Cx, int_ty};

impl Cx<'_, '_, '_> {
    /// The value as one of `to`. Members that `to` does not have cannot occur.
    pub(crate) fn union_to_union(&mut self, value: Operand, from: Ty, to: Ty) -> Operand {
        let members = |ty: Ty| ty.as_adt().expect("a union is an enum").1;
        let (old, new) = (members(from), members(to));
        let subject = self.fix(value, from);
        let dest = self.b.temp(to);
        let after = self.b.new_block();
        let common: Vec<(usize, usize)> = old
            .iter()
            .enumerate()
            .filter_map(|(n, ty)| Some((n, new.iter().position(|it| it == ty)?)))
            .collect();
        let cases: Vec<(i128, BlockId)> =
            common.iter().map(|it| (it.0 as i128, self.b.new_block())).collect();
        let otherwise = (common.len() < old.len()).then(|| self.b.new_block());
        let tag = self.b.eval(int_ty(), Rvalue::Discriminant(Place::local(subject)));
        self.b.end(TermKind::Switch { value: Operand::local(tag), cases: cases.clone(), otherwise });
        for (&(was, is), &(_, block)) in common.iter().zip(&cases) {
            self.b.switch_to(block);
            let part = Place::local(subject).then(Proj::Variant(was as u32)).field(0);
            let part = self.read(part, old[was]);
            let made = Rvalue::Aggregate(AggregateKind::Variant(to, is as u32), vec![part]);
            self.b.assign_local(dest, made);
            self.b.goto(after);
        }
        if let Some(otherwise) = otherwise {
            self.b.switch_to(otherwise);
            self.b.end(TermKind::Unreachable);
        }
        self.b.switch_to(after);
        Operand::local(dest)
    }
}
