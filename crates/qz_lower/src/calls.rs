//! Calls: arguments in the order written, parameters in the order declared.

use std::sync::Arc;

use qz_hir::FnKind;
use qz_hir::body::{Arg, ExprId};
use qz_infer::{Callee, CalleeFn, Coercion, Evidence, ParamSource, RestPart};
use qz_mir::{
    AggregateKind, BodyKey, BodyPart, Callee as MirCallee, ClosureTarget, EvidenceList, Operand, Place,
    Rvalue, TermKind,
};
use qz_types::{FnId, Mutability, Ty};

use crate::body::Cx;
use crate::data::VecPart;
use crate::places::WriteBack;

/// Evidence of the checker as MIR has it.
pub(crate) fn evidence_list(evidence: &[Evidence]) -> EvidenceList {
    evidence
        .iter()
        .map(|it| match it {
            Evidence::Fn(callee) => {
                qz_mir::Evidence::Fn(callee.function, callee.type_args, evidence_list(&callee.evidence))
            }
            Evidence::Method { trait_id, method, args, own_args } => {
                qz_mir::Evidence::Method { trait_id: *trait_id, method: *method, args, own_args }
            }
            Evidence::Field { ty, index } => qz_mir::Evidence::Field { ty: *ty, index: *index },
            Evidence::Member(n) => qz_mir::Evidence::Member(*n),
            Evidence::Error => unreachable!("unmet bounds are reported"),
        })
        .collect::<Vec<_>>()
        .into()
}

impl Cx<'_, '_, '_> {
    pub(crate) fn mir_callee(&self, callee: &Callee) -> MirCallee {
        match callee {
            Callee::Fn(it) => {
                MirCallee::Fn(crate::main_key(it.function), it.type_args, evidence_list(&it.evidence))
            }
            Callee::Method { trait_id, method, args, own_args } => {
                self.method_callee(*trait_id, *method, args, own_args)
            }
            Callee::Member(n) => MirCallee::Member(*n),
            Callee::Field { .. }
            | Callee::Value
            | Callee::Variant { .. }
            | Callee::Newtype { .. }
            | Callee::Primitive => unreachable!("not called as a function"),
        }
    }

    fn method_callee(
        &self,
        trait_id: qz_types::TraitId,
        method: u32,
        args: qz_types::Tys,
        own_args: qz_types::Tys,
    ) -> MirCallee {
        MirCallee::Method { trait_id, method, args, own_args }
    }

    pub(crate) fn call(&mut self, id: ExprId, callee: ExprId, args: &[Arg]) -> Operand {
        match self.callee_of(id).clone() {
            Callee::Variant { adt, variant } => {
                let fields = self.planned(id, None, None, args);
                let ty = self.ty(id);
                let _ = adt;
                self.at(id);
                let parts = self.parts(fields.values.into_iter().collect());
                let value = Rvalue::Aggregate(AggregateKind::Variant(ty, variant), parts);
                Operand::local(self.b.eval(ty, value))
            }
            Callee::Newtype { .. } => {
                let fields = self.planned(id, None, None, args);
                let ty = self.ty(id);
                let parts = self.parts(fields.values.into_iter().collect());
                let value = Rvalue::Aggregate(AggregateKind::Value(ty), parts);
                Operand::local(self.b.eval(ty, value))
            }
            Callee::Value => {
                let ty = self.value_ty(callee);
                let function = self.value(callee);
                let function = Operand::local(self.fix(function, ty));
                let planned = self.planned(id, None, None, args);
                self.finish_call(id, MirCallee::Value(function), planned)
            }
            known => self.known_call(id, &known, None, args),
        }
    }

    pub(crate) fn method(&mut self, id: ExprId, receiver: ExprId, args: &[Arg]) -> Operand {
        match self.callee_of(id).clone() {
            Callee::Field { .. } => {
                let place = self.place(id);
                self.read(place.place, self.ty(id))
            }
            known => {
                let is_value = !self.types().plans.contains(id);
                if is_value {
                    // `Type.name` as a function value.
                    return self.fn_value(id);
                }
                self.known_call(id, &known, Some(receiver), args)
            }
        }
    }

    fn known_call(&mut self, id: ExprId, callee: &Callee, receiver: Option<ExprId>, args: &[Arg]) -> Operand {
        let has_receiver = self.types().plans[id].params.first() == Some(&ParamSource::Receiver);
        let receiver = receiver.filter(|_| has_receiver);
        let function = match callee {
            Callee::Fn(it) => Some(it.clone()),
            _ => None,
        };
        if let Some(it) = &function
            && self.lw.defs().fns[it.function].attrs.lang.is_some_and(|lang| lang.as_str() == "c_fn")
        {
            return self.function_for_c(id, args);
        }
        let start = self.start_statement();
        let mut planned =
            self.planned(id, receiver, function.as_ref().or(self.default_owner(callee).as_ref()), args);
        if let Some(it) = &function {
            match self.lw.defs().fns[it.function].kind {
                FnKind::ExternC { variadic: true } => {
                    let fixed = self.lw.ck.scheme(it.function).params.len();
                    self.promote(id, fixed, args, &mut planned.values);
                }
                FnKind::Intrinsic => {
                    let ret = self.ty(id);
                    self.at(id);
                    let result = self.intrinsic(it.function, it.type_args, planned.values.clone(), ret);
                    self.write_back(planned.write_backs);
                    return result;
                }
                FnKind::Runtime => {
                    let ret = self.ty(id);
                    self.at(id);
                    let name = self.lw.defs().fns[it.function].name.as_str();
                    let result = self.runtime(name, planned.values.clone(), ret);
                    if ret.is_never() {
                        self.b.end(TermKind::Unreachable);
                    }
                    self.write_back(planned.write_backs);
                    return result;
                }
                _ => {}
            }
        }
        if let Some(it) = &function {
            self.hand_over(id, it.function, &mut planned, start);
        }
        let target = self.mir_callee(callee);
        self.finish_call(id, target, planned)
    }

    /// Defaults of a trait's method are evaluated as the trait declares them.
    fn default_owner(&self, callee: &Callee) -> Option<CalleeFn> {
        let Callee::Method { trait_id, method, args, own_args } = callee else { return None };
        let function = self.lw.defs().traits[*trait_id].methods[*method as usize];
        let all: Vec<Ty> = args.iter().chain(*own_args).copied().collect();
        Some(CalleeFn { function, type_args: Ty::list(&all), evidence: Vec::new() })
    }

    fn finish_call(&mut self, id: ExprId, callee: MirCallee, planned: Planned) -> Operand {
        let ret = self.ty(id);
        self.at(id);
        let dest = self.b.temp(ret);
        self.b.call(dest, callee, planned.values);
        if ret.is_never() {
            self.b.end(TermKind::Unreachable);
            return self.unit();
        }
        self.write_back(planned.write_backs);
        if ret.is_unit() { self.unit() } else { Operand::local(dest) }
    }

    /// Evaluates arguments as written and puts them into the order of the parameters.
    fn planned(
        &mut self,
        id: ExprId,
        receiver: Option<ExprId>,
        function: Option<&CalleeFn>,
        args: &[Arg],
    ) -> Planned {
        let plan = self.types().plans[id].clone();
        let mut write_backs = Vec::new();
        let receiver = receiver.map(|it| self.argument(it, &mut write_backs));
        let mut given: Vec<Option<Operand>> = Vec::new();
        for arg in args {
            let value = self.argument(arg.value, &mut write_backs);
            given.push(Some(value));
        }
        let mut values: Vec<Operand> = Vec::new();
        for (n, source) in plan.params.iter().enumerate() {
            let value = match source {
                ParamSource::Receiver => receiver.clone().expect("a plan with a receiver has one"),
                ParamSource::Arg(at) => given[*at as usize].clone().expect("each argument has a value"),
                ParamSource::SpreadElem(at, index) => {
                    let value = args[*at as usize].value;
                    let ty = self.value_ty(value);
                    let tuple = self.fix(given[*at as usize].clone().expect("evaluated"), ty);
                    Operand::Copy(Place::local(tuple).field(*index))
                }
                ParamSource::Rest(parts) => self.rest(function, n, parts, &given),
                ParamSource::Default => {
                    let function = function.expect("only functions have defaults");
                    self.default_value(function, n as u32, values.clone())
                }
            };
            values.push(value);
        }
        Planned { values, write_backs }
    }

    /// One argument; a borrow of a place that is not a local is copied in and out.
    fn argument(&mut self, expr: ExprId, write_backs: &mut Vec<WriteBack>) -> Operand {
        if let Some(&Coercion::AutoRef { mutable }) = self.types().coercions.get(expr) {
            return self.borrowed_argument(expr, mutable, write_backs);
        }
        if let Some(lent) = self.alias_argument(expr, write_backs) {
            return lent;
        }
        if let qz_hir::body::Expr::Borrow { mutable, operand } = self.body.exprs[expr]
            && !self.types().coercions.contains(expr)
            && !matches!(self.ty(operand).kind(), qz_types::TyKind::Ref(..))
        {
            return self.borrowed_argument(operand, mutable, write_backs);
        }
        self.value(expr)
    }

    fn borrowed_argument(
        &mut self,
        expr: ExprId,
        mutable: bool,
        write_backs: &mut Vec<WriteBack>,
    ) -> Operand {
        let ty = self.value_ty(expr);
        let mutability = if mutable { Mutability::Mut } else { Mutability::Shared };
        let reference = Ty::reference(mutability, ty);
        if matches!(self.ty(expr).kind(), qz_types::TyKind::Ref(..)) {
            return self.raw(expr);
        }
        let place = if self.is_place(expr) {
            let lowered = self.place(expr);
            if lowered.is_direct() {
                lowered.place
            } else {
                let copy = self.b.eval(ty, Rvalue::Use(Operand::Copy(lowered.place.clone())));
                if mutable {
                    write_backs.push(WriteBack { from: copy, to: lowered });
                }
                Place::local(copy)
            }
        } else {
            let value = self.value(expr);
            Place::local(self.b.eval(ty, Rvalue::Use(value)))
        };
        Operand::local(self.b.eval(reference, Rvalue::Ref(mutability, place)))
    }

    pub(crate) fn write_back(&mut self, all: Vec<WriteBack>) {
        for it in all {
            self.store_place(it.to, Operand::local(it.from));
        }
    }

    fn default_value(&mut self, callee: &CalleeFn, n: u32, before: Vec<Operand>) -> Operand {
        let scheme = self.lw.ck.scheme(callee.function);
        let ty = qz_types::subst(scheme.params[n as usize], callee.type_args);
        let key = BodyKey { function: callee.function, part: BodyPart::Default(n) };
        let target = MirCallee::Fn(key, callee.type_args, evidence_list(&callee.evidence));
        let dest = self.b.temp(ty);
        self.b.call(dest, target, before);
        Operand::local(dest)
    }

    /// The vector for a rest parameter.
    fn rest(
        &mut self,
        function: Option<&CalleeFn>,
        n: usize,
        parts: &[RestPart],
        given: &[Option<Operand>],
    ) -> Operand {
        let callee = function.expect("only functions have rest parameters");
        let scheme = self.lw.ck.scheme(callee.function);
        let vec_ty = qz_types::subst(scheme.params[n], callee.type_args);
        let part = |part: &RestPart| {
            let at = |at: usize| given[at].clone().expect("evaluated");
            match part {
                RestPart::One(n) => VecPart::One(at(*n as usize)),
                RestPart::Spread(n) => VecPart::Spread(at(*n as usize)),
            }
        };
        self.vec_of(vec_ty, parts.iter().map(part).collect())
    }

    /// A function used as a value.
    pub(crate) fn fn_value(&mut self, id: ExprId) -> Operand {
        let ty = self.ty(id);
        let callee = self.mir_callee(&self.callee_of(id).clone());
        self.closure_of(callee, ty)
    }

    pub(crate) fn closure_of(&mut self, callee: MirCallee, ty: Ty) -> Operand {
        let value = Rvalue::Closure(Box::new(ClosureTarget::Fn(callee)), Vec::new());
        Operand::local(self.b.eval(ty, value))
    }

    pub(crate) fn fn_callee(&self, function: FnId, type_args: &[Ty]) -> MirCallee {
        MirCallee::Fn(crate::main_key(function), Ty::list(type_args), Arc::from([]))
    }
}

/// Values in the order of the parameters, and what must be stored back after the call.
pub(crate) struct Planned {
    pub(crate) values: Vec<Operand>,
    pub(crate) write_backs: Vec<WriteBack>,
}
