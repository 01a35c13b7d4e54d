//! One generic body made concrete: types replaced, callees found, constants evaluated.

use qz_base::{FxHashMap, Name};
use qz_mir::visit::{each_stmt_operand_mut, term_operand_mut};
use qz_mir::{
    AggregateKind, Body, BodyKey, BodyPart, Call, Callee, ClosureTarget, Const, ConstValue, EvidenceList,
    InstanceKey, Intrinsic, Local, LocalDecl, Operand, Ownership, Place, Rvalue, SourceInfo, StaticData,
    StaticDataId, Stmt, StmtKind, TermKind, TypeEntryKind,
};
use qz_types::{FnId, Ty, TyKind, Tys};
use smallvec::SmallVec;

use crate::{NoValue, OptError, graph};

use super::Instantiator;
use super::resolve::{Scope, no_evidence};

impl Instantiator<'_> {
    pub(super) fn mono_body(&mut self, key: BodyKey, args: Tys, evidence: &EvidenceList) -> Body {
        let mut body = Body::clone(&self.source.body(key));
        let scope = Scope { args, evidence };
        self.close_records(&mut body, args);
        self.answer_type_questions(&mut body, args);
        for local in body.locals.values_mut() {
            local.ty = self.mono(local.ty, args);
        }
        for ty in &mut body.captures {
            *ty = self.mono(*ty, args);
        }
        for id in body.blocks.ids() {
            let stmts = std::mem::take(&mut body.blocks[id].stmts);
            let mut out = Vec::with_capacity(stmts.len());
            for mut stmt in stmts {
                self.statement(&mut stmt.kind, scope, &body.locals);
                each_stmt_operand_mut(&mut stmt.kind, &mut |operand| {
                    self.operand(operand, scope, &mut body.locals, stmt.source, &mut out);
                });
                out.push(stmt);
            }
            let term = &mut body.blocks[id].term;
            if let Some(operand) = term_operand_mut(&mut term.kind) {
                self.operand(operand, scope, &mut body.locals, term.source, &mut out);
            }
            body.blocks[id].stmts = out;
        }
        body
    }

    /// Questions about a type are answered, and code behind the other answer is left out: it may not even make sense
    /// for this type.
    fn answer_type_questions(&self, body: &mut Body, args: Tys) {
        let mut answers: FxHashMap<Local, bool> = FxHashMap::default();
        for stmt in body.blocks.values_mut().flat_map(|block| &mut block.stmts) {
            let StmtKind::Assign(place, value @ Rvalue::Intrinsic(..)) = &mut stmt.kind else { continue };
            let Rvalue::Intrinsic(which, _, ty) = value else { continue };
            if *which == Intrinsic::TypeKey {
                let key = type_key(&self.name_of(self.mono(*ty, args)));
                *value = Rvalue::Use(Operand::Const(Const::Int(key.into(), qz_types::IntTy::I64)));
                continue;
            }
            let yes = match which {
                Intrinsic::IsObject => self.drops.is_mutable_object(self.mono(*ty, args)),
                Intrinsic::IsOrdinal => matches!(self.mono(*ty, args).kind(), TyKind::Int(_) | TyKind::Char),
                Intrinsic::LeadsBack => graph::leads_back(self.drops, self.mono(*ty, args)),
                Intrinsic::MayRepeat => graph::may_repeat(self.drops, self.mono(*ty, args)),
                Intrinsic::IsShared => self.drops.is_shared(self.mono(*ty, args)),
                Intrinsic::NeedsRelease => self.drops.is_counted(self.mono(*ty, args)),
                Intrinsic::IsWatched => self.drops.is_watched(self.mono(*ty, args)),
                _ => continue,
            };
            *value = Rvalue::Use(Operand::Const(Const::Bool(yes)));
            answers.extend(place.as_local().map(|local| (local, yes)));
        }
        if answers.is_empty() {
            return;
        }
        for block in body.blocks.values_mut() {
            if let TermKind::Branch { cond, then, else_, .. } = &block.term.kind
                && let Some(&yes) = cond.place().and_then(Place::as_local).and_then(|it| answers.get(&it))
            {
                block.term.kind = TermKind::Goto(if yes { *then } else { *else_ });
            }
        }
        qz_mir::build::remove_unreachable_blocks(body);
    }

    fn statement(&mut self, stmt: &mut StmtKind, scope: Scope, locals: &qz_base::Arena<LocalDecl>) {
        match stmt {
            StmtKind::Assign(_, value) | StmtKind::Init(_, value) => self.rvalue(value, scope),
            StmtKind::Call(call) => {
                let Some(key) = self.callee_key(&call.callee, scope) else { return };
                // A constant of a type or trait: only now is known whose.
                if let InstanceKey::Body(body, args, evidence) = &key
                    && call.args.is_empty()
                    && evidence.is_empty()
                    && body.part == BodyPart::Main
                    && self.source.is_constant(body.function)
                    && let Some(value) = self.evaluated(body.function, args, locals[call.dest].ty)
                {
                    let value = Rvalue::Use(Operand::Const(value));
                    *stmt = StmtKind::Assign(Place::local(call.dest), value);
                    return;
                }
                call.callee = Callee::Instance(self.instance(key));
            }
            StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Release(_) | StmtKind::Nop => {}
        }
    }

    fn rvalue(&mut self, value: &mut Rvalue, scope: Scope) {
        match value {
            Rvalue::Cast(_, _, ty) | Rvalue::Intrinsic(_, _, ty) => *ty = self.mono(*ty, scope.args),
            Rvalue::Aggregate(kind, _) => self.aggregate(kind, scope),
            Rvalue::New(ty, _) => {
                *ty = self.mono(*ty, scope.args);
                self.needs_entry(TypeEntryKind::Ty(*ty));
            }
            Rvalue::Closure(target, captures) => self.closure(target, captures.is_empty(), scope),
            Rvalue::MakeDyn { from, ty, vtable, .. } => {
                (*from, *ty) = (self.mono(*from, scope.args), self.mono(*ty, scope.args));
                self.needs_entry(TypeEntryKind::DynBox(*from));
                *vtable = Some(self.vtable(*from, *ty));
            }
            Rvalue::StaticRef(id) => self.needs_static(*id),
            Rvalue::Reuse(_, value) => self.rvalue(value, scope),
            Rvalue::Use(_)
            | Rvalue::Unary(..)
            | Rvalue::Binary(..)
            | Rvalue::Checked(..)
            | Rvalue::Overflowing(..)
            | Rvalue::Discriminant(_)
            | Rvalue::Ref(..) => {}
        }
    }

    fn aggregate(&mut self, kind: &mut AggregateKind, scope: Scope) {
        match kind {
            AggregateKind::Tuple(ty) | AggregateKind::Extend(ty, _) | AggregateKind::Value(ty) => {
                *ty = self.mono(*ty, scope.args);
            }
            AggregateKind::Variant(ty, variant) => {
                *ty = self.mono(*ty, scope.args);
                if self.makes_cell(*ty, *variant) {
                    self.needs_entry(TypeEntryKind::Ty(*ty));
                }
            }
        }
    }

    fn closure(&mut self, target: &mut ClosureTarget, captures_nothing: bool, scope: Scope) {
        let key = match target {
            ClosureTarget::Lambda(body) => InstanceKey::Body(*body, scope.args, scope.evidence.clone()),
            ClosureTarget::Fn(callee) => match self.callee_key(callee, scope) {
                Some(key) => InstanceKey::FnValue(Box::new(key)),
                None => unreachable!("a function value of {callee:?}"),
            },
            ClosureTarget::ForC(inner) => match &**inner {
                ClosureTarget::Lambda(body) => {
                    let lambda = InstanceKey::Body(*body, scope.args, scope.evidence.clone());
                    InstanceKey::ForC(Box::new(lambda))
                }
                ClosureTarget::Fn(callee) => match self.callee_key(callee, scope) {
                    Some(key) => InstanceKey::ForC(Box::new(key)),
                    None => unreachable!("a function value of {callee:?}"),
                },
                other => unreachable!("for C: {other:?}"),
            },
            ClosureTarget::Instance(_) => return,
        };
        let id = self.instance(key);
        *target = ClosureTarget::Instance(id);
        if !captures_nothing {
            self.needs_entry(TypeEntryKind::Closure(id));
        }
    }

    /// Constants of types and items; the latter become values or calls in front of the statement.
    fn operand(
        &mut self,
        operand: &mut Operand,
        scope: Scope,
        locals: &mut qz_base::Arena<LocalDecl>,
        source: SourceInfo,
        before: &mut Vec<Stmt>,
    ) {
        let Operand::Const(value) = operand else { return };
        match value {
            Const::Null(ty) | Const::Static(_, ty) => *ty = self.mono(*ty, scope.args),
            Const::Item(function, args, ty) => {
                let (function, args) = (*function, self.mono_args(args, scope));
                let ty = self.mono(*ty, scope.args);
                *operand = match self.evaluated(function, args, ty) {
                    Some(value) => Operand::Const(value),
                    None => {
                        let ownership = Ownership::Owned;
                        let dest = locals.alloc(LocalDecl {
                            ty,
                            name: None,
                            span: source.span,
                            scope: source.scope,
                            ownership,
                        });
                        let key = InstanceKey::Body(BodyKey::main(function), args, no_evidence());
                        let callee = Callee::Instance(self.instance(key));
                        let call = Call { dest, callee, args: SmallVec::new() };
                        before.push(Stmt { kind: StmtKind::Call(Box::new(call)), source });
                        Operand::Copy(Place::local(dest))
                    }
                };
            }
            Const::Unit
            | Const::Bool(_)
            | Const::Int(..)
            | Const::F32(_)
            | Const::F64(_)
            | Const::Char(_)
            | Const::Str(_) => {}
        }
    }

    fn mono_args(&self, args: Tys, scope: Scope) -> Tys {
        let list: Vec<Ty> = args.iter().map(|&ty| self.mono(ty, scope.args)).collect();
        Ty::list(&list)
    }

    fn evaluated(&mut self, function: FnId, args: Tys, ty: Ty) -> Option<Const> {
        if matches!(ty.kind(), TyKind::Error) {
            return None;
        }
        if let Some(known) = self.evaluated.get(&(function, args)) {
            return known.clone();
        }
        let value = match self.consts.map_or(Ok(None), |eval| eval(function, args)) {
            Ok(Some(ConstValue::Plain(value))) => Some(value),
            Ok(Some(ConstValue::Data(blobs))) => {
                let first = self.take_in(blobs);
                let name = self.symbols.of(&InstanceKey::Body(BodyKey::main(function), args, no_evidence()));
                self.module.constants.push((Name::new(&name), first));
                Some(Const::Static(first, ty))
            }
            Ok(None) => None,
            Err(NoValue) => {
                self.error.get_or_insert(OptError::NoValue);
                None
            }
        };
        self.evaluated.insert((function, args), value.clone());
        value
    }

    /// Adds blobs to the module; the first is the one to refer to.
    fn take_in(&mut self, blobs: Vec<StaticData>) -> StaticDataId {
        let first = self.module.data.len() as u32;
        let shifted = |id: StaticDataId| StaticDataId::from_raw(first + id.raw());
        for mut blob in blobs {
            blob.pointers.iter_mut().for_each(|(_, to)| *to = shifted(*to));
            if let Some(ty) = blob.object_of {
                self.needs_entry(TypeEntryKind::Ty(ty));
            }
            self.module.data.alloc(blob);
        }
        StaticDataId::from_raw(first)
    }
}

/// A number for a type's full name (FNV-1a): the same wherever the program is compiled.
fn type_key(name: &str) -> i64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, step) as i64
}
