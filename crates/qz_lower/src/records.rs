//! Records: made of their parts in order of evaluation, laid out in order of their fields' names.

use qz_base::Name;
use qz_hir::body::{ExprId, FieldInit, RecordPart};
use qz_mir::{AggregateKind, Operand, Place, Rvalue};
use qz_types::{Ty, TyKind};

use crate::body::Cx;

impl Cx<'_, '_, '_> {
    pub(crate) fn record(&mut self, id: ExprId, parts: &[RecordPart]) -> Operand {
        let ty = self.ty(id);
        let TyKind::Record(declared) = *ty.kind() else { unreachable!("a record literal makes a record") };
        let (mut written, mut spread) = (vec![None; declared.len()], vec![None; declared.len()]);
        let at = |name: Name| {
            declared.iter().position(|it| it.0 == name).expect("every field is part of the type")
        };
        for part in parts {
            // What is evaluated later must not change it.
            let part_ty = self.value_ty(part.value);
            let value = self.value(part.value);
            let value = self.fix(value, part_ty);
            match part.name {
                Some(name) => written[at(name)] = Some(Operand::local(value)),
                None => {
                    let TyKind::Record(fields) = *part_ty.kind() else { unreachable!("records are spread") };
                    for (n, &(name, field_ty)) in fields.iter().enumerate() {
                        spread[at(name)] = Some((Place::local(value).field(n as u32), field_ty));
                    }
                }
            }
        }
        self.at(id);
        let mut values = Vec::new();
        for (written, spread) in written.into_iter().zip(spread) {
            values.push(match (written, spread) {
                (Some(value), _) => value,
                (None, Some((place, ty))) => self.read(place, ty),
                (None, None) => unreachable!("every field comes from somewhere"),
            });
        }
        Operand::local(self.b.eval(ty, Rvalue::Aggregate(AggregateKind::Tuple(ty), values)))
    }

    /// `r.with { x: 3 }`.
    pub(crate) fn update_record(
        &mut self,
        id: ExprId,
        base: ExprId,
        ty: Ty,
        declared: &'static [(Name, Ty)],
        fields: &[FieldInit],
    ) -> Operand {
        let value = self.value(base);
        let base = self.fix(value, ty);
        let mut values: Vec<Option<Operand>> = vec![None; declared.len()];
        for field in fields {
            let at = declared.iter().position(|it| it.0 == field.name).expect("checked");
            let value = self.value(field.value);
            values[at] = Some(Operand::local(self.fix(value, declared[at].1)));
        }
        self.at(id);
        for (n, value) in values.iter_mut().enumerate() {
            if value.is_none() {
                *value = Some(self.read(Place::local(base).field(n as u32), declared[n].1));
            }
        }
        let values = values.into_iter().flatten().collect();
        Operand::local(self.b.eval(ty, Rvalue::Aggregate(AggregateKind::Tuple(ty), values)))
    }
}
