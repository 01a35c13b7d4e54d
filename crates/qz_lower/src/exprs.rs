//! Expressions to operands: the table of contents, coercions, and constructs of a few lines.

use qz_hir::body::{self as hir, Expr, ExprId, InterpPart, Literal, Stmt};
use qz_infer::{Callee, Coercion};
use qz_mir::{
    AggregateKind, Callee as MirCallee, CastKind, Const, Operand, Place, Rvalue, StmtKind, TermKind,
};
use qz_types::ty::common;
use qz_types::{FloatTy, IntTy, Mutability, Ty, TyKind};

use crate::body::Cx;

impl Cx<'_, '_, '_> {
    /// The value of an expression, converted as its place wants it.
    pub(crate) fn value(&mut self, expr: ExprId) -> Operand {
        let value = self.raw(expr);
        match self.types().coercions.get(expr).cloned() {
            None => value,
            Some(coercion) => self.converted(expr, value, coercion),
        }
    }

    fn converted(&mut self, expr: ExprId, value: Operand, coercion: Coercion) -> Operand {
        match coercion {
            Coercion::AutoRef { .. } => value,
            Coercion::Deref => self.read_borrow(expr, value),
            Coercion::Discard => self.unit(),
            Coercion::Member { to, variant, before } => {
                let value = match before {
                    Some(before) => self.converted(expr, value, *before),
                    None => self.plain(expr, value),
                };
                let value = Rvalue::Aggregate(AggregateKind::Variant(to, variant), vec![value]);
                Operand::local(self.b.eval(to, value))
            }
            Coercion::Widen { from, to } => {
                let value = self.plain(expr, value);
                self.union_to_union(value, from, to)
            }
            Coercion::Refine { checks, to } => {
                let value = self.plain(expr, value);
                self.refine(expr, value, &checks, to)
            }
            Coercion::Unrefine { from, to } => {
                let value = self.plain(expr, value);
                self.unrefine(value, from, to)
            }
            Coercion::Dyn { from, to } => {
                let value = self.plain(expr, value);
                let value = Rvalue::MakeDyn { value, from, ty: to, vtable: None };
                Operand::local(self.b.eval(to, value))
            }
        }
    }

    /// The value itself, of what may be a borrow.
    fn plain(&mut self, expr: ExprId, value: Operand) -> Operand {
        match self.ty(expr).kind() {
            TyKind::Ref(..) => self.read_borrow(expr, value),
            _ => value,
        }
    }

    fn read_borrow(&mut self, expr: ExprId, value: Operand) -> Operand {
        let ty = self.ty(expr);
        let reference = self.fix(value, ty);
        let inner = self.value_ty(expr);
        Operand::local(self.b.eval(inner, Rvalue::Use(crate::body::through(reference))))
    }

    /// An expression for its effect.
    pub(crate) fn effect(&mut self, expr: ExprId) {
        self.raw(expr);
    }

    pub(crate) fn raw(&mut self, expr: ExprId) -> Operand {
        stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || self.raw_inner(expr))
    }

    fn raw_inner(&mut self, id: ExprId) -> Operand {
        self.at(id);
        let body = self.body.clone();
        match &body.exprs[id] {
            // A variant that has a type's name.
            Expr::TypeRecv { .. } if self.types().callees.contains(id) => self.constructor(id),
            Expr::Missing | Expr::TypeRecv { .. } => unreachable!("reported, so the body is not lowered"),
            Expr::Lit { value } => self.literal(value, self.ty(id)),
            Expr::Nil => self.none(self.ty(id)),
            Expr::Local { .. } if self.types().callees.contains(id) => {
                let place = self.place(id);
                self.read(place.place, self.ty(id))
            }
            Expr::Local { local } => self.read_local(*local),
            Expr::Fns { .. } => self.fn_value(id),
            Expr::Const { constant } => self.constant(id, *constant),
            Expr::Static { var } => {
                let place = self.static_place(*var);
                self.read(place, self.ty(id))
            }
            // The name of a refined type is the function that checks.
            Expr::Newtype { .. } if matches!(self.types().callees.get(id), Some(Callee::Fn(_))) => {
                self.fn_value(id)
            }
            Expr::Variant { .. } | Expr::BareVariant { .. } | Expr::Newtype { .. } => self.constructor(id),
            Expr::Call { callee, args } => {
                let value = self.call(id, *callee, args);
                self.temporary(value, self.ty(id))
            }
            Expr::Method { receiver, args, .. } => {
                let value = self.method(id, *receiver, args);
                match self.types().callees.get(id) {
                    Some(Callee::Field { .. }) => value,
                    _ => self.temporary(value, self.ty(id)),
                }
            }
            Expr::TupleIndex { .. } => {
                let place = self.place(id);
                self.read(place.place, self.ty(id))
            }
            Expr::Index { base, index } => self.index(id, *base, *index),
            Expr::Unary { op, operand } => self.unary(id, *op, *operand),
            Expr::Binary { op, lhs, rhs } => {
                let value = self.binary(id, *op, *lhs, *rhs);
                self.temporary(value, self.ty(id))
            }
            Expr::And { .. } | Expr::Or { .. } | Expr::Is { .. } => self.condition_value(id),
            Expr::Cast { value, kind, .. } => self.cast(id, *value, *kind),
            Expr::Assign { place, value } => self.assign(*place, *value),
            Expr::CompoundAssign { op, place, value } => self.compound_assign(id, *op, *place, *value),
            Expr::AssignIfNone { place, value } => self.assign_if_none(*place, *value),
            Expr::Block { stmts, tail } => self.block(stmts, *tail),
            Expr::If { cond, then, else_ } => self.if_(id, *cond, *then, *else_),
            Expr::Match { subject, arms, .. } => self.match_(id, *subject, arms),
            Expr::While { cond, body, loop_ } => self.while_(*cond, *body, *loop_),
            Expr::Loop { body, loop_ } => self.loop_(id, *body, *loop_),
            Expr::For { pats, iter, body, loop_ } => self.for_(id, pats, *iter, *body, *loop_),
            Expr::Break { loop_, value } => self.break_(*loop_, *value),
            Expr::Next { loop_ } => self.next(*loop_),
            Expr::Return { value, .. } => self.return_(*value),
            Expr::Lambda { lambda } => self.lambda(id, *lambda),
            Expr::Tuple { elems } => self.tuple(id, elems),
            Expr::Record { parts } => self.record(id, parts),
            Expr::Vec { elems } => self.vec(id, elems),
            Expr::Repeat { elem, count } => self.repeat(id, *elem, *count),
            Expr::Map { entries } => self.map(id, entries),
            Expr::Set { elems } => self.set(id, elems),
            Expr::Comprehension { kind, acc, body } => self.comprehension(id, *kind, *acc, *body),
            Expr::Collect { acc, key, value } => self.collect(*acc, *key, *value),
            Expr::Struct { fields, spread, .. } => {
                let value = self.struct_literal(id, fields, *spread);
                self.temporary(value, self.ty(id))
            }
            Expr::Update { base, fields } => self.update(id, *base, fields),
            Expr::Range { start, end, step, inclusive } => self.range(id, *start, *end, *step, *inclusive),
            Expr::Interp { parts } => self.interp(parts),
            Expr::Propagate { operand, .. } => self.propagate(id, *operand),
            Expr::QuestionMember { member, .. } => match self.types().callees.get(*member) {
                Some(Callee::Field { .. }) => self.propagate(id, *member),
                _ => self.value(*member),
            },
            Expr::Unwrap { operand } => self.unwrap(id, *operand),
            Expr::Coalesce { lhs, rhs } => self.coalesce(id, *lhs, *rhs),
            Expr::SafeNav { base, inner, rest } => self.safe_nav(id, *base, *inner, *rest),
            Expr::Assert { cond, message, text } => self.assert(id, *cond, *message, text),
            Expr::Debug { operand, text } => self.debug(*operand, text),
            Expr::Borrow { mutable, operand } => self.borrow(id, *mutable, *operand),
        }
    }

    pub(crate) fn literal(&self, value: &Literal, ty: Ty) -> Operand {
        Operand::Const(match (value, ty.kind()) {
            (Literal::Int { value, negative }, TyKind::Int(int)) => {
                let value = *value as i128;
                Const::Int(if *negative { -value } else { value }, *int)
            }
            (Literal::Int { value, negative }, TyKind::Float(float)) => {
                let value = if *negative { -(*value as f64) } else { *value as f64 };
                float_const(value, *float)
            }
            (Literal::Int { value, negative }, _) => {
                let value = *value as i128;
                Const::Int(if *negative { -value } else { value }, IntTy::I64)
            }
            (Literal::Float(value), TyKind::Float(float)) => float_const(*value, *float),
            (Literal::Float(value), _) => Const::F64(value.to_bits()),
            (Literal::Str(text), _) => Const::Str(text.clone()),
            (Literal::Char(c), _) => Const::Char(*c),
            (Literal::Bool(value), _) => Const::Bool(*value),
            (Literal::Unit, _) => Const::Unit,
        })
    }

    pub(crate) fn str(&self, text: &str) -> Operand {
        Operand::Const(Const::Str(text.into()))
    }

    /// Immutable names are read where they stand; a `var` may change before the value is used.
    fn read_local(&mut self, local: hir::LocalId) -> Operand {
        let ty = self.local_ty(local);
        if self.aliases.contains_key(&local) {
            let mutable = matches!(ty.kind(), TyKind::Ref(Mutability::Mut, _));
            return self.alias_copy(local, mutable, None).expect("just seen");
        }
        let place = self.home_place(local);
        let it = &self.body.locals[local];
        if !it.mutable && place.proj.is_empty() { Operand::Copy(place) } else { self.read(place, ty) }
    }

    /// The value in a place, now.
    pub(crate) fn read(&mut self, place: Place, ty: Ty) -> Operand {
        if ty.is_unit() {
            return self.unit();
        }
        Operand::local(self.b.eval(ty, Rvalue::Use(Operand::Copy(place))))
    }

    fn constant(&mut self, id: ExprId, constant: qz_types::FnId) -> Operand {
        let ty = self.ty(id);
        // One of any type, as `[]` is, has the type arguments of the use.
        let args = match self.types().callees.get(id) {
            Some(Callee::Fn(used)) => used.type_args,
            _ => &[],
        };
        Operand::Const(Const::Item(constant, args, ty))
    }

    pub(crate) fn block(&mut self, stmts: &[Stmt], tail: Option<ExprId>) -> Operand {
        self.open_scope();
        for stmt in stmts {
            let start = self.start_statement();
            match stmt {
                Stmt::Expr(expr) => self.effect(*expr),
                Stmt::Bind { pat, value, .. } => self.bind(*pat, *value),
                Stmt::Defer(expr) => self.defer(*expr),
            }
            self.end_statement(start);
        }
        let value = match tail {
            Some(tail) => {
                let value = self.value(tail);
                // The scope's exits may change what the operand names.
                let ty = self.value_ty(tail);
                let keep_ref =
                    matches!(self.ty(tail).kind(), TyKind::Ref(..)) && !self.types().coercions.contains(tail);
                match ty.is_unit() || ty.is_never() || matches!(value, Operand::Const(_)) {
                    true => value,
                    false if keep_ref => value,
                    false if self.has_exits() => Operand::local(self.b.eval(ty, Rvalue::Use(value))),
                    false => value,
                }
            }
            None => self.unit(),
        };
        self.close_scope();
        value
    }

    fn has_exits(&self) -> bool {
        self.scopes.last().is_some_and(|scope| !scope.exits.is_empty())
    }

    fn bind(&mut self, pat: hir::PatId, value: ExprId) {
        let ty = self.types().pats[pat];
        if let hir::Pat::Bind { local, sub: None } = self.body.pats[pat]
            && matches!(ty.kind(), TyKind::Ref(..))
            && let Some(alias) = self.alias_of(value)
        {
            self.aliases.insert(local, alias);
            return;
        }
        let operand = self.value(value);
        if ty.is_never() {
            return;
        }
        if let hir::Pat::Bind { local, sub: None } = self.body.pats[pat] {
            let operand = if self.value_ty(value).is_never() { self.dead(ty) } else { operand };
            self.bind_local(local, operand);
            return;
        }
        let operand = if self.value_ty(value).is_never() { self.dead(ty) } else { operand };
        let subject = self.fix(operand, ty);
        self.destructure(pat, Place::local(subject));
    }

    fn tuple(&mut self, id: ExprId, elems: &[ExprId]) -> Operand {
        let values: Vec<Operand> = self.values(elems);
        let values = self.parts(values);
        let ty = self.ty(id);
        Operand::local(self.b.eval(ty, Rvalue::Aggregate(AggregateKind::Tuple(ty), values)))
    }

    /// Several values, left to right; each keeps its value while the later ones are computed.
    pub(crate) fn values(&mut self, exprs: &[ExprId]) -> Vec<Operand> {
        exprs.iter().map(|&expr| self.value(expr)).collect()
    }

    /// `#{…}` parts put together.
    fn interp(&mut self, parts: &[InterpPart]) -> Operand {
        let mut pieces = Vec::new();
        for part in parts {
            pieces.push(match part {
                InterpPart::Text(text) => self.str(text),
                InterpPart::Value(value) => {
                    let operand = self.value(*value);
                    let ty = self.value_ty(*value);
                    self.show(operand, ty)
                }
            });
        }
        self.concat(pieces)
    }

    /// A value as text, by its `show`.
    pub(crate) fn show(&mut self, value: Operand, ty: Ty) -> Operand {
        if ty == common().str {
            return value;
        }
        let callee = self.lw.method_of("Show", "show", ty);
        let dest = self.b.temp(common().str);
        self.b.call(dest, callee, [value]);
        Operand::local(dest)
    }

    /// A value as it stands inside others, by its `inspect`.
    pub(crate) fn inspect(&mut self, value: Operand, ty: Ty) -> Operand {
        let callee = self.lw.method_of("Show", "inspect", ty);
        let dest = self.b.temp(common().str);
        self.b.call(dest, callee, [value]);
        Operand::local(dest)
    }

    pub(crate) fn concat(&mut self, pieces: Vec<Operand>) -> Operand {
        let str = common().str;
        match pieces.len() {
            0 => self.str(""),
            1 => pieces.into_iter().next().expect("one piece"),
            n @ 2..=8 => self.runtime(&format!("str_concat{n}"), pieces, str),
            n => {
                let tuple = Ty::tuple(&vec![str; n]);
                let all = self.b.eval(tuple, Rvalue::Aggregate(AggregateKind::Tuple(tuple), pieces));
                let reference = self
                    .b
                    .eval(crate::body::shared_ref(tuple), Rvalue::Ref(Mutability::Shared, Place::local(all)));
                let ptr_ty = Ty::ptr(str);
                let ptr =
                    self.b.eval(ptr_ty, Rvalue::Cast(CastKind::Pointer, Operand::local(reference), ptr_ty));
                let count = Operand::Const(Const::Int(n as i128, IntTy::U64));
                let joined = self.runtime("str_concat", vec![Operand::local(ptr), count], str);
                // The pieces must live until they have been read.
                self.b.push(StmtKind::EndScope(all));
                joined
            }
        }
    }

    /// Calls a function of the runtime.
    pub(crate) fn runtime(&mut self, name: &str, args: Vec<Operand>, ret: Ty) -> Operand {
        let dest = crate::intrinsics::runtime(&mut self.b, name, ret, &args);
        if ret.is_unit() { self.unit() } else { Operand::local(dest) }
    }

    /// Calls a function of the library by its role.
    pub(crate) fn lang_call(&mut self, role: &str, type_args: &[Ty], args: Vec<Operand>, ret: Ty) -> Operand {
        let function = self.lw.lang_fn(role);
        let callee = MirCallee::Fn(crate::main_key(function), Ty::list(type_args), [].into());
        let dest = self.b.temp(ret);
        self.b.call(dest, callee, args);
        if ret.is_never() {
            self.b.end(TermKind::Unreachable);
        }
        if ret.is_unit() || ret.is_never() { self.unit() } else { Operand::local(dest) }
    }

    fn assert(&mut self, id: ExprId, cond: ExprId, message: Option<ExprId>, text: &str) -> Operand {
        let c = common();
        let operands = match &self.body.exprs[cond] {
            Expr::Binary { op, lhs, rhs } if is_comparison(*op) => Some((*op, *lhs, *rhs)),
            _ => None,
        };
        let (good, bad) = (self.b.new_block(), self.b.new_block());
        let shown = match operands {
            Some((op, lhs, rhs)) => {
                let left = self.value(lhs);
                let left_ty = self.value_ty(lhs);
                let left = Operand::local(self.fix(left, left_ty));
                let right = self.value(rhs);
                // Beside a union it has become one.
                let right_ty = match self.types().coercions.get(rhs) {
                    Some(Coercion::Member { to, .. } | Coercion::Widen { to, .. }) => *to,
                    _ => self.value_ty(rhs),
                };
                let right = Operand::local(self.fix(right, right_ty));
                self.at(cond);
                let result = self.binary_op(cond, op, left.clone(), left_ty, right.clone(), right_ty);
                self.b.branch(result, good, bad);
                self.b.switch_to(bad);
                let left = self.inspect(left, left_ty);
                let right = self.inspect(right, right_ty);
                Some((left, right))
            }
            None => {
                self.condition(cond, good, bad);
                self.b.switch_to(bad);
                None
            }
        };
        let note = match message {
            Some(message) => self.value(message),
            None => self.str(""),
        };
        let text = self.str(text);
        self.at(id);
        match shown {
            Some((left, right)) => {
                self.lang_call("assert_failed_values", &[], vec![text, left, right, note], c.never)
            }
            None => self.lang_call("assert_failed", &[], vec![text, note], c.never),
        };
        self.b.switch_to(good);
        self.unit()
    }

    fn debug(&mut self, operand: ExprId, text: &str) -> Operand {
        let value = self.value(operand);
        let ty = self.value_ty(operand);
        let value = Operand::local(self.fix(value, ty));
        let shown = self.inspect(value.clone(), ty);
        let text = self.str(text);
        self.lang_call("debug_print", &[], vec![text, shown], common().unit);
        value
    }

    /// `&x`, `&mut x` as a value of its own.
    fn borrow(&mut self, id: ExprId, mutable: bool, operand: ExprId) -> Operand {
        let mutability = if mutable { Mutability::Mut } else { Mutability::Shared };
        let ty = self.ty(id);
        if matches!(self.ty(operand).kind(), TyKind::Ref(..)) {
            return self.raw(operand);
        }
        let place = self.borrowable(operand);
        Operand::local(self.b.eval(ty, Rvalue::Ref(mutability, place)))
    }

    /// The callee of an expression, as the checker recorded it.
    pub(crate) fn callee_of(&self, id: ExprId) -> &Callee {
        &self.types().callees[id]
    }
}

pub(crate) fn is_comparison(op: hir::BinaryOp) -> bool {
    use hir::BinaryOp::*;
    matches!(op, Eq | Ne | Lt | Le | Gt | Ge)
}

fn float_const(value: f64, float: FloatTy) -> Const {
    match float {
        FloatTy::F64 => Const::F64(value.to_bits()),
        FloatTy::F32 => Const::F32((value as f32).to_bits()),
    }
}
