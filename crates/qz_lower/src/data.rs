//! Vectors, maps, sets, structs, ranges, indexing.

use qz_hir::AdtKind;
use qz_hir::body::{Arg, ArgKind, Comprehension, ExprId, FieldInit, LocalId};
use qz_infer::Callee;
use qz_mir::{AggregateKind, Callee as MirCallee, Const, Local, Operand, Place, Proj, Rvalue, StmtKind};
use qz_types::ty::common;
use qz_types::{Ty, TyKind};

use crate::body::{Cx, int_ty};

/// What a vector is made of.
pub(crate) enum VecPart {
    One(Operand),
    /// All elements of another one.
    Spread(Operand),
}

impl Cx<'_, '_, '_> {
    pub(crate) fn new_vec(&mut self, ty: Ty, elem: Ty, capacity: usize) -> Operand {
        let capacity = Operand::int(capacity as i64);
        self.lang_call("vec_with_capacity", &[elem], vec![capacity], ty)
    }

    /// `[a, b, *rest]`: elements are evaluated in order, then the vector is made.
    pub(crate) fn vec(&mut self, id: ExprId, elems: &[Arg]) -> Operand {
        let ty = self.ty(id);
        let parts: Vec<VecPart> = elems
            .iter()
            .map(|arg| match (arg.kind, self.value(arg.value)) {
                (ArgKind::Spread, value) => VecPart::Spread(value),
                (_, value) => VecPart::One(value),
            })
            .collect();
        self.at(id);
        let parts = parts.into_iter().map(|part| match part {
            VecPart::One(value) => VecPart::One(self.part(value)),
            spread => spread,
        });
        let parts = parts.collect();
        self.vec_of(ty, parts)
    }

    /// A vector of values that are there already.
    pub(crate) fn vec_of(&mut self, ty: Ty, parts: Vec<VecPart>) -> Operand {
        let elem = ty.as_adt().expect("a vector").1[0];
        let vec = self.new_vec(ty, elem, parts.len());
        if parts.is_empty() {
            return vec;
        }
        let vec = self.fix(vec, ty);
        let mut rest = parts.into_iter().peekable();
        let first = std::iter::from_fn(|| match rest.peek()? {
            VecPart::One(value) => {
                let value = value.clone();
                rest.next();
                Some(value)
            }
            VecPart::Spread(_) => None,
        });
        let first: Vec<Operand> = first.collect();
        self.fill(vec, elem, first);
        for part in rest {
            let (role, value) = match part {
                VecPart::One(value) => ("vec_push", value),
                VecPart::Spread(value) => ("vec_extend", value),
            };
            self.lang_call(role, &[elem], vec![Operand::local(vec), value], common().unit);
        }
        Operand::local(vec)
    }

    /// Puts the first elements into an empty vector with room for them.
    fn fill(&mut self, vec: Local, elem: Ty, values: Vec<Operand>) {
        let (len, data) = self.vec_places(vec);
        let count = Operand::int(values.len() as i64);
        let data = self.b.eval(Ty::ptr(elem), Rvalue::Use(Operand::Copy(data)));
        for (n, value) in values.into_iter().enumerate() {
            let index = self.b.eval(int_ty(), Rvalue::Use(Operand::int(n as i64)));
            let place = Place::local(data).then(Proj::Index(index));
            self.b.push(StmtKind::Init(place, Rvalue::Use(value)));
        }
        self.b.assign(len, Rvalue::Use(count));
    }

    pub(crate) fn set(&mut self, id: ExprId, elems: &[Arg]) -> Operand {
        let ty = self.ty(id);
        let elem = ty.as_adt().expect("a set").1[0];
        let set = self.lang_call("set_new", &[elem], vec![], ty);
        for arg in elems {
            let value = self.value(arg.value);
            let role = if arg.kind == ArgKind::Spread { "set_extend" } else { "set_add" };
            self.lang_call(role, &[elem], vec![set.clone(), value], common().unit);
        }
        set
    }

    pub(crate) fn map(&mut self, id: ExprId, entries: &[(ExprId, ExprId)]) -> Operand {
        let ty = self.ty(id);
        let args = ty.as_adt().expect("a map").1.to_vec();
        let map = self.lang_call("map_new", &args, vec![], ty);
        for &(key, value) in entries {
            let key = self.value(key);
            let value = self.value(value);
            self.lang_call("map_put", &args, vec![map.clone(), key, value], common().unit);
        }
        map
    }

    pub(crate) fn repeat(&mut self, id: ExprId, elem: ExprId, count: ExprId) -> Operand {
        let ty = self.ty(id);
        let elem_ty = ty.as_adt().expect("a vector").1[0];
        let elem = self.value(elem);
        let count = self.value(count);
        self.at(id);
        self.lang_call("vec_repeat", &[elem_ty], vec![elem, count], ty)
    }

    pub(crate) fn comprehension(
        &mut self,
        id: ExprId,
        kind: Comprehension,
        acc: LocalId,
        body: ExprId,
    ) -> Operand {
        let ty = self.ty(id);
        let args = ty.as_adt().expect("a collection").1.to_vec();
        let collection = match kind {
            Comprehension::Vec => self.new_vec(ty, args[0], 0),
            Comprehension::Map => self.lang_call("map_new", &args, vec![], ty),
        };
        self.open_scope();
        self.bind_local(acc, collection);
        self.effect(body);
        let result = Operand::Copy(self.home_place(acc));
        let result = Operand::local(self.b.eval(ty, Rvalue::Use(result)));
        self.close_scope();
        result
    }

    pub(crate) fn collect(&mut self, acc: LocalId, key: Option<ExprId>, value: ExprId) -> Operand {
        let ty = self.local_ty(acc);
        let args = ty.as_adt().expect("a collection").1.to_vec();
        let collection = Operand::Copy(self.home_place(acc));
        match key {
            Some(key) => {
                let key = self.value(key);
                let value = self.value(value);
                self.lang_call("map_put", &args, vec![collection, key, value], common().unit);
            }
            None => {
                let value = self.value(value);
                self.lang_call("vec_push", &args, vec![collection, value], common().unit);
            }
        }
        self.unit()
    }

    /// `base[index]`.
    pub(crate) fn index(&mut self, id: ExprId, base: ExprId, index: ExprId) -> Operand {
        let base = self.value(base);
        let key = self.value(index);
        self.at(id);
        let callee = self.mir_callee(&self.callee_of(id).clone());
        let dest = self.b.temp(self.ty(id));
        self.b.call(dest, callee, [base, key]);
        Operand::local(dest)
    }

    /// `a..b`, as a value of the library's `Range`.
    pub(crate) fn range(
        &mut self,
        id: ExprId,
        start: Option<ExprId>,
        end: Option<ExprId>,
        step: Option<ExprId>,
        inclusive: bool,
    ) -> Operand {
        let ty = self.ty(id);
        let (adt, args) = ty.as_adt().expect("a range");
        let elem = args[0];
        let (open_start, open_end) = (start.is_none(), end.is_none());
        let flags = i64::from(inclusive) | i64::from(open_start) << 1 | i64::from(open_end) << 2;
        let start = self.end_of_range(start, elem);
        let stop = self.end_of_range(end, elem);
        let step = match step {
            Some(step) => self.value(step),
            None => self.one(elem),
        };
        let mut values = vec![
            (self.lw.field_index(adt, "start"), start),
            (self.lw.field_index(adt, "stop"), stop),
            (self.lw.field_index(adt, "step"), step),
            (self.lw.field_index(adt, "flags"), Operand::int(flags)),
        ];
        values.sort_by_key(|it| it.0);
        let values = values.into_iter().map(|it| it.1).collect();
        Operand::local(self.b.eval(ty, Rvalue::Aggregate(AggregateKind::Value(ty), values)))
    }

    fn end_of_range(&mut self, end: Option<ExprId>, elem: Ty) -> Operand {
        match end {
            Some(end) => self.value(end),
            None => match elem.kind() {
                TyKind::Int(int) => Operand::Const(Const::Int(0, *int)),
                TyKind::Float(_) => Operand::Const(Const::F64(0)),
                _ => Operand::Const(Const::Char('\0')),
            },
        }
    }

    fn one(&self, elem: Ty) -> Operand {
        Operand::Const(match elem.kind() {
            TyKind::Int(int) => Const::Int(1, *int),
            TyKind::Float(qz_types::FloatTy::F64) => Const::F64(1f64.to_bits()),
            TyKind::Float(qz_types::FloatTy::F32) => Const::F32(1f32.to_bits()),
            _ => Const::Char('\u{1}'),
        })
    }

    // ------------------------------------------------------------------------------------------- structs

    /// Fields as written, then defaults, then the object.
    pub(crate) fn struct_literal(
        &mut self,
        id: ExprId,
        fields: &[FieldInit],
        spread: Option<ExprId>,
    ) -> Operand {
        let Callee::Variant { adt: built, variant } = *self.callee_of(id) else {
            unreachable!("the checker records what a literal builds")
        };
        let whole = self.ty(id);
        let ty = self.built_type(whole, built);
        let (adt, args) = ty.as_adt().expect("a struct");
        let declared = self.lw.defs().adt_fields(adt);
        let declared = &declared.variants[variant as usize].fields;
        let mut values: Vec<Option<Operand>> = vec![None; declared.len()];
        for field in fields {
            let at = declared.iter().position(|it| it.name == field.name).expect("checked");
            values[at] = Some(self.value(field.value));
        }
        let base = spread.map(|it| {
            let value = self.value(it);
            let value = self.taken_apart(value, whole, built);
            self.fix(value, ty)
        });
        self.at(id);
        for (n, field) in declared.iter().enumerate() {
            if values[n].is_some() {
                continue;
            }
            let field_ty = self.lw.ck.normalize(self.lw.field_ty(adt, variant, n as u32, args));
            values[n] = Some(match (base, field.default) {
                (Some(base), _) => self.field_of(base, ty, n as u32, field_ty),
                (None, Some(default)) => {
                    let dest = self.b.temp(field_ty);
                    let callee = self.fn_callee(default, args);
                    self.b.call(dest, callee, []);
                    Operand::local(dest)
                }
                (None, None) => unreachable!("missing fields are reported"),
            });
        }
        let values = self.parts(values.into_iter().flatten().collect());
        let value = self.construct(ty, variant, values);
        self.put_together(value, whole, built)
    }

    /// The type that a literal of `whole` builds: for a packed struct, that of its fields.
    fn built_type(&self, whole: Ty, built: qz_types::AdtId) -> Ty {
        if whole.as_adt().is_some_and(|(adt, _)| adt == built) {
            whole
        } else {
            Ty::adt(built, Ty::list(&[]))
        }
    }

    /// The fields of a packed struct, if `built` is their type; otherwise the value itself.
    pub(crate) fn taken_apart(&mut self, value: Operand, whole: Ty, built: qz_types::AdtId) -> Operand {
        let Some((adt, _)) = whole.as_adt().filter(|it| it.0 != built) else { return value };
        let packed = self.lw.defs().packed(adt).expect("checked");
        let dest = self.b.temp(self.built_type(whole, built));
        let callee = self.fn_callee(packed.apart, &[]);
        self.b.call(dest, callee, [value]);
        Operand::local(dest)
    }

    /// The packed struct of its fields, if `built` is their type; otherwise the value itself.
    fn put_together(&mut self, value: Operand, whole: Ty, built: qz_types::AdtId) -> Operand {
        let Some((adt, _)) = whole.as_adt().filter(|it| it.0 != built) else { return value };
        let packed = self.lw.defs().packed(adt).expect("checked");
        let dest = self.b.temp(whole);
        let callee = self.fn_callee(packed.together, &[]);
        self.b.call(dest, callee, [value]);
        Operand::local(dest)
    }

    pub(crate) fn construct(&mut self, ty: Ty, variant: u32, values: Vec<Operand>) -> Operand {
        let (adt, _) = ty.as_adt().expect("a nominal type");
        let value = match self.lw.defs().adts[adt].kind {
            AdtKind::Struct => Rvalue::New(ty, values),
            AdtKind::Value | AdtKind::Newtype => Rvalue::Aggregate(AggregateKind::Value(ty), values),
            AdtKind::Enum => match self.lw.defs().repr_numbers(ty) {
                Some((int, numbers)) => {
                    let number = Const::Int(numbers[variant as usize].into(), int);
                    Rvalue::Aggregate(AggregateKind::Value(ty), vec![Operand::Const(number)])
                }
                None => Rvalue::Aggregate(AggregateKind::Variant(ty, variant), values),
            },
        };
        Operand::local(self.b.eval(ty, value))
    }

    /// Reads a field of a struct.
    pub(crate) fn field_of(&mut self, base: qz_mir::Local, ty: Ty, index: u32, field_ty: Ty) -> Operand {
        let (adt, _) = ty.as_adt().expect("a struct");
        let place = match self.lw.defs().adts[adt].kind {
            AdtKind::Struct => Place::local(base).deref().field(index),
            _ => Place::local(base).field(index),
        };
        self.read(place, field_ty)
    }

    /// `p.with { x: 3 }`: a shallow copy.
    pub(crate) fn update(&mut self, id: ExprId, base: ExprId, fields: &[FieldInit]) -> Operand {
        let whole = self.value_ty(base);
        if let Some(declared) = whole.known_fields() {
            return self.update_record(id, base, whole, declared, fields);
        }
        let Callee::Variant { adt: built, .. } = *self.callee_of(id) else {
            unreachable!("the checker records what is copied")
        };
        let ty = self.built_type(whole, built);
        let (adt, args) = ty.as_adt().expect("a struct");
        let value = self.value(base);
        let value = self.taken_apart(value, whole, built);
        let base = self.fix(value, ty);
        let declared = self.lw.defs().adt_fields(adt);
        let declared = &declared.variants[0].fields;
        let mut values: Vec<Option<Operand>> = vec![None; declared.len()];
        for field in fields {
            let at = declared.iter().position(|it| it.name == field.name).expect("checked");
            values[at] = Some(self.value(field.value));
        }
        self.at(id);
        for (n, value) in values.iter_mut().enumerate() {
            if value.is_none() {
                let field_ty = self.lw.ck.normalize(self.lw.field_ty(adt, 0, n as u32, args));
                *value = Some(self.field_of(base, ty, n as u32, field_ty));
            }
        }
        let value = self.construct(ty, 0, values.into_iter().flatten().collect());
        self.put_together(value, whole, built)
    }

    /// A variant or newtype named without a call.
    pub(crate) fn constructor(&mut self, id: ExprId) -> Operand {
        let ty = self.ty(id);
        let what = match *self.callee_of(id) {
            Callee::Variant { adt, variant } => {
                if ty.as_fn().is_none() {
                    return self.construct(ty, variant, Vec::new());
                }
                crate::Synth::Variant(adt, variant)
            }
            Callee::Newtype { adt } => crate::Synth::Newtype(adt),
            _ => unreachable!("the checker records constructors"),
        };
        let made = ty.as_fn().expect("a constructor is a function").ret;
        let args = made.as_adt().expect("of a nominal type").1;
        let function = self.lw.synth(what);
        let callee: MirCallee = self.fn_callee(function, args);
        self.closure_of(callee, ty)
    }
}
