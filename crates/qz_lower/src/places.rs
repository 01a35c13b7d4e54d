//! Places: what can be assigned to and borrowed, with each part evaluated once.

use qz_hir::body::{BinaryOp, Expr, ExprId, LocalId};
use qz_hir::{AdtKind, Whose};
use qz_infer::Callee;
use qz_mir::{BodyKey, Callee as MirCallee, Local, Operand, Place, Proj, Rvalue};
use qz_types::ty::common;
use qz_types::{StaticId, Ty, TyKind};

use crate::Synth;
use crate::body::Cx;

/// A place, and what else a store into it needs.
#[derive(Clone, Debug)]
pub(crate) struct LPlace {
    pub(crate) place: Place,
    /// The place is a copy of an element: storing means `op_index_set`.
    element: Option<Box<Element>>,
}

#[derive(Clone, Debug)]
struct Element {
    base: Operand,
    key: Operand,
    setter: MirCallee,
    /// The local that holds the copy.
    copy: Local,
}

/// A copy that goes back after a call.
pub(crate) struct WriteBack {
    pub(crate) from: Local,
    pub(crate) to: LPlace,
}

impl LPlace {
    fn direct(place: Place) -> LPlace {
        LPlace { place, element: None }
    }

    /// Whether the place is (part of) a local variable's own storage.
    pub(crate) fn is_direct(&self) -> bool {
        self.element.is_none() && self.place.proj.iter().all(|it| matches!(it, qz_mir::Proj::Field(_)))
    }

    /// Whether storing goes through `op_index_set`.
    pub(crate) fn is_element(&self) -> bool {
        self.element.is_some()
    }

    fn then_field(mut self, index: u32) -> LPlace {
        self.place = self.place.field(index);
        self
    }
}

impl Cx<'_, '_, '_> {
    /// Whether an expression denotes a place rather than a fresh value.
    pub(crate) fn is_place(&self, expr: ExprId) -> bool {
        match &self.body.exprs[expr] {
            Expr::Local { .. } | Expr::Static { .. } | Expr::Index { .. } | Expr::TupleIndex { .. } => true,
            Expr::Method { .. } => matches!(self.types().callees.get(expr), Some(Callee::Field { .. })),
            _ => false,
        }
    }

    /// The place an expression denotes. Bases and keys are evaluated now.
    pub(crate) fn place(&mut self, expr: ExprId) -> LPlace {
        match self.body.exprs[expr].clone() {
            Expr::Local { local } => {
                if let Some(place) = self.alias_place(local) {
                    return place;
                }
                let place = self.home_place(local);
                let place = match self.local_ty(local).kind() {
                    TyKind::Ref(..) => place.deref(),
                    _ => place,
                };
                // Narrowed to a member of a union.
                LPlace::direct(match self.types().callees.get(expr) {
                    Some(&Callee::Field { variant, index }) => {
                        place.then(Proj::Variant(variant)).field(index)
                    }
                    Some(Callee::SomeMembers) => self.smaller_union(expr, local, place),
                    _ => place,
                })
            }
            Expr::Static { var } => LPlace::direct(self.static_place(var)),
            Expr::Method { receiver, .. } => self.field_place(expr, receiver),
            Expr::TupleIndex { base, .. } => self.field_place(expr, base),
            Expr::Index { base, index } => self.element_place(expr, base, index),
            _ => {
                let ty = self.value_ty(expr);
                let value = self.value(expr);
                LPlace::direct(Place::local(self.fix(value, ty)))
            }
        }
    }

    /// A name whose union was narrowed to some of its members, as a value of the smaller one.
    fn smaller_union(&mut self, expr: ExprId, local: LocalId, place: Place) -> Place {
        let (from, to) = (self.local_ty(local).peel_ref(), self.ty(expr));
        let whole = self.read(place, from);
        let value = self.union_to_union(whole, from, to);
        Place::local(self.fix(value, to))
    }

    fn field_place(&mut self, expr: ExprId, receiver: ExprId) -> LPlace {
        let Callee::Field { variant, index } = *self.callee_of(expr) else {
            let ty = self.value_ty(expr);
            let value = self.value(expr);
            return LPlace::direct(Place::local(self.fix(value, ty)));
        };
        let ty = self.value_ty(receiver);
        match ty.as_adt().map(|(adt, _)| self.lw.defs().adts[adt].kind) {
            Some(AdtKind::Struct) => {
                let object = self.value_of(receiver);
                let object = self.fix(object, ty);
                LPlace::direct(Place::local(object).deref().field(index))
            }
            Some(AdtKind::Enum) => {
                let value = self.value_of(receiver);
                let value = self.fix(value, ty);
                LPlace::direct(Place::local(value).then(qz_mir::Proj::Variant(variant)).field(index))
            }
            _ if matches!(
                self.types().coercions.get(receiver),
                Some(qz_infer::Coercion::Unrefine { .. })
            ) =>
            {
                let value = self.value(receiver);
                LPlace::direct(Place::local(self.fix(value, ty)).field(index))
            }
            _ => self.place(receiver).then_field(index),
        }
    }

    /// A receiver as a plain value, whatever borrow the checker noted for calls.
    fn value_of(&mut self, expr: ExprId) -> Operand {
        if let Some(qz_infer::Coercion::Unrefine { .. }) = self.types().coercions.get(expr) {
            return self.value(expr);
        }
        let value = self.raw(expr);
        match self.ty(expr).kind() {
            TyKind::Ref(_, inner) => {
                let reference = self.fix(value, self.ty(expr));
                Operand::local(self.b.eval(*inner, Rvalue::Use(crate::body::through(reference))))
            }
            _ => value,
        }
    }

    /// `base[index]` as a place: the element is copied out, stores go through `op_index_set`.
    fn element_place(&mut self, expr: ExprId, base: ExprId, index: ExprId) -> LPlace {
        let ty = self.ty(expr);
        let (base_ty, key_ty) = (self.value_ty(base), self.value_ty(index));
        let base = self.value_of(base);
        let base = Operand::local(self.fix(base, base_ty));
        let key = self.value(index);
        let key = Operand::local(self.fix(key, key_ty));
        self.at(expr);
        let getter = self.mir_callee(&self.callee_of(expr).clone());
        let copy = self.b.temp(ty);
        self.b.call(copy, getter, [base.clone(), key.clone()]);
        let setter = self.setter(expr);
        LPlace { place: Place::local(copy), element: Some(Box::new(Element { base, key, setter, copy })) }
    }

    /// What reads the element that a place is (part of).
    pub(crate) fn element_getter(&self, place: ExprId) -> MirCallee {
        match self.body.exprs[place] {
            Expr::Index { .. } => self.mir_callee(&self.callee_of(place).clone()),
            Expr::Method { receiver: base, .. } | Expr::TupleIndex { base, .. } => self.element_getter(base),
            _ => unreachable!("only elements are copied"),
        }
    }

    /// The same place, whose object and keys nothing else ends.
    pub(crate) fn keep_parts(&mut self, mut place: LPlace) -> LPlace {
        let copy = |cx: &mut Self, local: Local| {
            let ty = cx.b.locals[local].ty;
            cx.b.eval(ty, Rvalue::Use(Operand::local(local)))
        };
        match &mut place.element {
            None if place.place.proj.first() == Some(&Proj::Deref)
                && self.b.locals[place.place.local].name.is_none() =>
            {
                place.place.local = copy(self, place.place.local);
            }
            None => {}
            Some(element) => {
                for part in [&mut element.base, &mut element.key] {
                    if let Operand::Copy(it) = part
                        && let Some(local) = it.as_local()
                    {
                        *part = Operand::local(copy(self, local));
                    }
                }
            }
        }
        place
    }

    /// Reads the element anew.
    pub(crate) fn read_element(&mut self, mut place: LPlace, getter: MirCallee) -> LPlace {
        if let Some(element) = &mut place.element {
            let ty = self.b.locals[element.copy].ty;
            let copy = self.b.temp(ty);
            self.b.call(copy, getter, [element.base.clone(), element.key.clone()]);
            element.copy = copy;
            place.place.local = copy;
        }
        place
    }

    /// `op_index_set` for the same base and key as an `op_index`.
    fn setter(&self, expr: ExprId) -> MirCallee {
        let Callee::Method { args, .. } = self.callee_of(expr) else {
            unreachable!("indexing is a trait's method")
        };
        let trait_id = self.lw.lang_trait("IndexSet");
        MirCallee::Method { trait_id, method: 0, args, own_args: &[] }
    }

    /// Stores a value into a place.
    pub(crate) fn store_place(&mut self, to: LPlace, value: Operand) {
        match to.element {
            None => self.b.assign(to.place, Rvalue::Use(value)),
            Some(element) => {
                let value = if to.place.as_local() == Some(element.copy) {
                    value
                } else {
                    self.b.assign(to.place, Rvalue::Use(value));
                    Operand::local(element.copy)
                };
                let unit = self.b.temp(common().unit);
                self.b.call(unit, element.setter, [element.base, element.key, value]);
            }
        }
    }

    /// A place for `&`: the operand's own, or a temporary's.
    pub(crate) fn borrowable(&mut self, operand: ExprId) -> Place {
        if self.is_place(operand) {
            let place = self.place(operand);
            if place.is_direct() {
                return place.place;
            }
            let ty = self.value_ty(operand);
            return Place::local(self.b.eval(ty, Rvalue::Use(Operand::Copy(place.place))));
        }
        let ty = self.value_ty(operand);
        let value = self.value(operand);
        Place::local(self.b.eval(ty, Rvalue::Use(value)))
    }

    /// The value of a module variable, which has been made.
    pub(crate) fn static_place(&mut self, var: StaticId) -> Place {
        let accessor = self.lw.synth(Synth::Static(var));
        let storage = qz_mir::Source::static_var(self.lw, var).ty;
        let pointer = self.b.temp(Ty::ptr(storage));
        self.b.call(pointer, MirCallee::Fn(BodyKey::main(accessor), &[], [].into()), []);
        Place::local(pointer).deref().field(1)
    }

    /// Whether the place is (part of) a variable of which each thread has its own. The task may be on another thread
    /// after it has computed what is to be stored there.
    fn is_of_thread(&self, place: ExprId) -> bool {
        match self.body.exprs[place] {
            Expr::Static { var } => self.lw.defs().statics[var].whose == Whose::Thread,
            Expr::Method { receiver, .. } if self.is_place(place) => self.is_of_thread(receiver),
            _ => false,
        }
    }

    pub(crate) fn assign(&mut self, place: ExprId, value: ExprId) -> Operand {
        let ty = self.value_ty(place);
        if let Expr::Index { base, index } = self.body.exprs[place] {
            return self.assign_element(place, base, index, value);
        }
        let (to, value) = if self.is_of_thread(place) {
            let value = self.value(value);
            let value = Operand::local(self.fix(value, ty));
            (self.place(place), value)
        } else {
            (self.place(place), self.value(value))
        };
        if !ty.is_unit() {
            self.store_place(to, value);
        }
        self.unit()
    }

    /// `a[i] = e`: `a`, `i`, `e`, then the store; the old element is not read.
    fn assign_element(&mut self, place: ExprId, base: ExprId, index: ExprId, value: ExprId) -> Operand {
        let (base_ty, key_ty) = (self.value_ty(base), self.value_ty(index));
        let base = self.value_of(base);
        let base = Operand::local(self.fix(base, base_ty));
        let key = self.value(index);
        let key = Operand::local(self.fix(key, key_ty));
        let value = self.value(value);
        self.at(place);
        let setter = self.setter(place);
        let unit = self.b.temp(common().unit);
        self.b.call(unit, setter, [base, key, value]);
        self.unit()
    }

    /// Place, old value, right side, operation, store.
    pub(crate) fn compound_assign(
        &mut self,
        id: ExprId,
        op: BinaryOp,
        place: ExprId,
        value: ExprId,
    ) -> Operand {
        let (held, ty) = (self.ty(place).peel_ref(), self.value_ty(place));
        let to = self.place(place);
        let old = self.read(to.place.clone(), held);
        let old = if held == ty { old } else { self.unrefine(old, held, ty) };
        let value_ty = self.value_ty(value);
        let value = self.value(value);
        self.at(id);
        let new = self.binary_op(id, op, old, ty, value, value_ty);
        let new = if held == ty { new } else { self.refined_again(new, ty, held) };
        let to = if self.is_of_thread(place) { self.place(place) } else { to };
        self.store_place(to, new);
        self.unit()
    }

    /// `place ??= value`: the right side runs only for `None`.
    pub(crate) fn assign_if_none(&mut self, place: ExprId, value: ExprId) -> Operand {
        let ty = self.value_ty(place);
        let to = self.place(place);
        let (none, done) = (self.b.new_block(), self.b.new_block());
        let is_some = self.is_some(to.place.clone(), ty);
        self.b.branch(is_some, done, none);
        self.b.switch_to(none);
        let value_ty = self.value_ty(value);
        let value = self.value(value);
        let value = if value_ty == ty { value } else { self.some(ty, value) };
        let to = if self.is_of_thread(place) { self.place(place) } else { to };
        self.store_place(to, value);
        self.b.goto(done);
        self.b.switch_to(done);
        self.unit()
    }
}
