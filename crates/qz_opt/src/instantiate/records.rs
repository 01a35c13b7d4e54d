//! Records with a rest become plain ones: which field is meant by a number, and which fields are copied, is known now.

use qz_base::Name;
use qz_mir::visit::{each_place_mut, term_operand_mut};
use qz_mir::{AdtKind, AggregateKind, Body, Operand, Place, Proj, Rvalue, StmtKind};
use qz_types::{Ty, TyKind, Tys};

use super::Instantiator;

/// A place on the way: the type of the generic body, as far as records can be reached through it.
enum At {
    Value(Ty),
    /// Parts of declared types have types of their own, in which a number means the same for all instances.
    Declared(Ty),
    Variant(Ty, u32),
}

impl Instantiator<'_> {
    pub(super) fn close_records(&self, body: &mut Body, args: Tys) {
        // The rest is a parameter, and an argument for it is a record.
        if !args.iter().any(|it| matches!(it.kind(), TyKind::Record(_))) {
            return;
        }
        let locals: Vec<Ty> = body.locals.values().map(|it| it.ty).collect();
        let captures = body.captures.clone();
        let mut place = |place: &mut Place| self.close_place(place, &locals, &captures, args);
        for block in body.blocks.values_mut() {
            for stmt in &mut block.stmts {
                each_place_mut(&mut stmt.kind, &mut place, &mut |_| {});
                if let StmtKind::Assign(_, value) | StmtKind::Init(_, value) = &mut stmt.kind {
                    self.close_extended(value, &locals, args);
                }
            }
            if let Some(Operand::Copy(it) | Operand::Move(it)) = term_operand_mut(&mut block.term.kind) {
                place(it);
            }
        }
    }

    /// The fields that one record takes over from another.
    fn close_extended(&self, value: &mut Rvalue, locals: &[Ty], args: Tys) {
        let Rvalue::Aggregate(kind @ AggregateKind::Extend(..), operands) = value else { return };
        let AggregateKind::Extend(ty, names) = &*kind else { unreachable!() };
        let base = operands[0].place().and_then(Place::as_local).expect("what is extended has a name");
        let of_base = self.closed(locals[base.index()], args);
        let all = self.closed(*ty, args);
        let parts = all.iter().map(|&(name, _)| match names.iter().position(|it| *it == name) {
            Some(n) => operands[n + 1].clone(),
            None => Operand::Copy(Place::local(base).field(index_of(of_base, name))),
        });
        *operands = parts.collect();
        *kind = AggregateKind::Tuple(*ty);
    }

    fn close_place(&self, place: &mut Place, locals: &[Ty], captures: &[Ty], args: Tys) {
        let mut at = At::Value(locals[place.local.index()]);
        for proj in &mut place.proj {
            at = match (at, &mut *proj) {
                (At::Value(ty), Proj::Field(n)) => match *ty.kind() {
                    TyKind::OpenRecord(fields, _) => {
                        let field = fields[*n as usize].1;
                        *n = self.closed_index(ty, *n, args);
                        At::Value(field)
                    }
                    TyKind::Record(fields) => At::Value(fields[*n as usize].1),
                    TyKind::Tuple(parts) => At::Value(parts[*n as usize]),
                    _ => At::Value(self.declared_part(ty, 0, *n)),
                },
                (At::Value(ty), Proj::Deref) => match *ty.kind() {
                    TyKind::Ref(_, to) | TyKind::Ptr(to) => At::Value(to),
                    _ => At::Declared(ty),
                },
                (At::Value(ty), Proj::Index(_)) => match *ty.kind() {
                    TyKind::Ptr(to) => At::Value(to),
                    _ => return,
                },
                (At::Value(ty), Proj::Variant(v)) => At::Variant(ty, *v),
                (At::Declared(ty), Proj::Field(n)) => At::Value(self.declared_part(ty, 0, *n)),
                (At::Variant(ty, v), Proj::Field(n)) => At::Value(self.declared_part(ty, v, *n)),
                (_, Proj::Capture(n)) => At::Value(captures[*n as usize]),
                _ => return,
            };
        }
    }

    /// A field's type in terms of the generic body.
    fn declared_part(&self, ty: Ty, variant: u32, n: u32) -> Ty {
        let Some((id, args)) = ty.as_adt() else { return ty };
        let def = self.source.adt(id);
        let fields = match &def.kind {
            AdtKind::Reference(fields) | AdtKind::Value(fields) => fields,
            AdtKind::Enum(variants) => &variants[variant as usize].fields,
        };
        self.source.normalize(qz_types::subst(fields[n as usize].ty, args))
    }

    /// The number that a field has when all are known.
    pub(super) fn closed_index(&self, ty: Ty, n: u32, args: Tys) -> u32 {
        match *ty.kind() {
            TyKind::OpenRecord(fields, _) => index_of(self.closed(ty, args), fields[n as usize].0),
            _ => n,
        }
    }

    fn closed(&self, ty: Ty, args: Tys) -> &'static [(Name, Ty)] {
        match *self.mono(ty, args).kind() {
            TyKind::Record(fields) => fields,
            ref other => unreachable!("the rest of a record is a record, not {other:?}"),
        }
    }
}

fn index_of(fields: &[(Name, Ty)], name: Name) -> u32 {
    fields.iter().position(|it| it.0 == name).expect("the record has the fields that are known of it") as u32
}
