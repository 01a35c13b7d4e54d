//! Records: made of their parts in order of evaluation, laid out in order of their fields' names.

use indexmap::IndexMap;
use qz_base::Name;
use qz_hir::body::{ExprId, FieldInit, RecordPart};
use qz_mir::{AggregateKind, Local, Operand, Place, Rvalue};
use qz_types::{Ty, TyKind};

use crate::body::Cx;

impl Cx<'_, '_, '_> {
    pub(crate) fn record(&mut self, id: ExprId, parts: &[RecordPart]) -> Operand {
        let ty = self.ty(id);
        // A written field goes before spread ones, a later spread before an earlier one.
        let (mut written, mut spread): (Given, Given) = Default::default();
        let mut base = None;
        for part in parts {
            let part_ty = match part.name {
                Some(name) => field_ty(ty, name),
                None => self.value_ty(part.value),
            };
            // What is evaluated later must not change it.
            let value = self.value(part.value);
            let value = self.fix(value, part_ty);
            match (part.name, *part_ty.kind()) {
                (Some(name), _) => {
                    written.insert(name, (Place::local(value), part_ty));
                }
                (None, TyKind::Record(fields)) => {
                    for (n, &(name, field_ty)) in fields.iter().enumerate() {
                        spread.insert(name, (Place::local(value).field(n as u32), field_ty));
                    }
                }
                // One with a rest is the first.
                (None, _) => base = Some(value),
            }
        }
        self.at(id);
        spread.extend(written);
        match base {
            Some(base) => self.open_record(ty, base, spread),
            None => self.closed_record(ty, spread),
        }
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
        let mut given = Given::default();
        for field in fields {
            let field_ty = field_ty(ty, field.name);
            let value = self.value(field.value);
            given.insert(field.name, (Place::local(self.fix(value, field_ty)), field_ty));
        }
        self.at(id);
        if let TyKind::OpenRecord(..) = ty.kind() {
            return self.open_record(ty, base, given);
        }
        for (n, &(name, field_ty)) in declared.iter().enumerate() {
            given.entry(name).or_insert_with(|| (Place::local(base).field(n as u32), field_ty));
        }
        self.closed_record(ty, given)
    }

    /// The fields of a record that another one has as well.
    pub(crate) fn part_of_record(&mut self, whole: Operand, ty: Ty, part: Ty) -> Operand {
        if ty == part {
            return whole;
        }
        let base = self.fix(whole, ty);
        let (TyKind::Record(all), TyKind::Record(wanted)) = (ty.kind(), part.kind()) else {
            return self.open_record(part, base, Given::default());
        };
        let given = wanted
            .iter()
            .map(|&(name, ty)| (name, (Place::local(base).field(index_of(all, name) as u32), ty)));
        self.closed_record(part, given.collect())
    }

    fn closed_record(&mut self, ty: Ty, given: Given) -> Operand {
        let declared = ty.known_fields().expect("a record literal makes a record");
        let values = declared.iter().map(|(name, _)| {
            let (place, ty) = given[name].clone();
            self.read(place, ty)
        });
        let values = values.collect();
        Operand::local(self.b.eval(ty, Rvalue::Aggregate(AggregateKind::Tuple(ty), values)))
    }

    /// A record with a rest: which fields it takes over from `base` is known when types are.
    fn open_record(&mut self, ty: Ty, base: Local, given: Given) -> Operand {
        let mut values = vec![Operand::local(base)];
        let names = given.keys().copied().collect();
        values.extend(given.into_values().map(|(place, ty)| self.read(place, ty)));
        Operand::local(self.b.eval(ty, Rvalue::Aggregate(AggregateKind::Extend(ty, names), values)))
    }
}

/// Where the fields of a record come from.
type Given = IndexMap<Name, (Place, Ty)>;

fn field_ty(record: Ty, name: Name) -> Ty {
    let fields = record.known_fields().expect("a written field is known");
    fields[index_of(fields, name)].1
}

pub(crate) fn index_of(fields: &[(Name, Ty)], name: Name) -> usize {
    fields.iter().position(|it| it.0 == name).expect("the checker has looked for it")
}
