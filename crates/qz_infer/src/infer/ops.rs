//! Operators, conversions, and the forms that work on Options and Results.

use qz_hir::Whose;
use qz_hir::body::*;
use qz_types::ty::common;
use qz_types::{TraitRef, Ty, TyKind, VarKind};

use super::{Expect, Infer};
use crate::diagnostics as words;
use crate::facts::*;
use crate::traits::Obligation;

/// The trait behind an operator and its method.
fn operator_trait(op: BinaryOp) -> Option<(&'static str, &'static str)> {
    Some(match op {
        BinaryOp::Add => ("Add", "op_add"),
        BinaryOp::Sub => ("Sub", "op_sub"),
        BinaryOp::Mul => ("Mul", "op_mul"),
        BinaryOp::Div => ("Div", "op_div"),
        BinaryOp::Rem => ("Mod", "op_mod"),
        BinaryOp::Pow => ("Pow", "op_pow"),
        BinaryOp::BitAnd => ("BitAnd", "op_and"),
        BinaryOp::BitOr => ("BitOr", "op_or"),
        BinaryOp::BitXor => ("BitXor", "op_xor"),
        BinaryOp::Shl => ("Shl", "op_shl"),
        BinaryOp::Shr => ("Shr", "op_shr"),
        BinaryOp::Eq => ("Eq", "op_eq"),
        BinaryOp::Ne => ("Eq", "op_ne"),
        BinaryOp::Lt => ("Ord", "op_lt"),
        BinaryOp::Le => ("Ord", "op_le"),
        BinaryOp::Gt => ("Ord", "op_gt"),
        BinaryOp::Ge => ("Ord", "op_ge"),
        BinaryOp::In => ("In", "op_in"),
        BinaryOp::WrapAdd | BinaryOp::WrapSub | BinaryOp::WrapMul => return None,
    })
}

fn is_comparison(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge)
}

/// Whether machine code does it on values of this type.
fn is_primitive(op: BinaryOp, ty: Ty) -> bool {
    match ty.kind() {
        TyKind::Int(_) => !matches!(op, BinaryOp::Pow | BinaryOp::In),
        TyKind::Float(_) => {
            is_comparison(op)
                || matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem)
        }
        TyKind::Bool => {
            is_comparison(op) || matches!(op, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor)
        }
        TyKind::Char => is_comparison(op),
        _ => false,
    }
}

impl Infer<'_, '_> {
    pub(super) fn unary(&mut self, id: ExprId, op: UnaryOp, operand: ExprId, expect: Expect) -> Ty {
        if op == UnaryOp::Not {
            self.check(operand, common().bool);
            self.st.types.callees.insert(id, Callee::Primitive);
            return common().bool;
        }
        let ty = self.opened(operand, expect);
        let ty = self.known(ty);
        let primitive = match op {
            UnaryOp::Neg => ty.is_numeric(),
            _ => ty.is_integer(),
        };
        if primitive || ty.is_error() {
            self.st.types.callees.insert(id, Callee::Primitive);
            return ty;
        }
        let (role, text) = if op == UnaryOp::Neg { ("Neg", "-") } else { ("BitNot", "~") };
        let bound = self.operator_bound(role, &[]);
        match bound {
            Some(bound) if ty.is_infer() || self.traits().might_hold(ty, bound) => {
                let (_, _, ret) = self.instantiate_trait_method(id, ty, bound, 0, &[]);
                ret
            }
            _ => {
                let span = self.span(id);
                let shown = self.show(ty);
                self.report(words::no_operator(span, text, &shown, None));
                self.error()
            }
        }
    }

    fn operator_bound(&self, role: &str, args: &[Ty]) -> Option<TraitRef> {
        let trait_id = self.ck.defs.lang.trait_(role)?;
        Some(TraitRef { trait_id, args: Ty::list(args) })
    }

    pub(super) fn binary(
        &mut self,
        id: ExprId,
        op: BinaryOp,
        lhs: ExprId,
        rhs: ExprId,
        expect: Expect,
    ) -> Ty {
        let hint = if is_comparison(op) || op == BinaryOp::In { Expect::Any } else { number_hint(expect) };
        let left = self.opened(lhs, hint);
        self.binary_with(id, op, lhs, left, rhs)
    }

    /// The left side is known; `id` gets the callee.
    fn binary_with(&mut self, id: ExprId, op: BinaryOp, lhs: ExprId, left: Ty, rhs: ExprId) -> Ty {
        let left = self.shallow(left);
        if left.is_error() {
            self.expr(rhs, Expect::Any);
            return self.error();
        }
        if is_primitive(op, left) {
            return self.primitive_binary(id, op, left, rhs);
        }
        if let Some(kind) = self.s.table.var_kind(left) {
            return self.binary_on_var(id, op, lhs, left, kind, rhs);
        }
        if matches!(op, BinaryOp::Eq | BinaryOp::Ne) && self.ck.defs.union_members(left).is_some() {
            self.check(rhs, left);
            return self.operator_call_typed(id, op, left, rhs, left);
        }
        self.operator_call(id, op, left, rhs)
    }

    fn result_of(op: BinaryOp, operand: Ty) -> Ty {
        if is_comparison(op) || op == BinaryOp::In { common().bool } else { operand }
    }

    fn primitive_binary(&mut self, id: ExprId, op: BinaryOp, left: Ty, rhs: ExprId) -> Ty {
        let right = self.opened(rhs, Expect::Hint(left));
        if self.has_impl_beside(op, left, right) {
            return self.operator_method(id, op, left, right);
        }
        self.on_numbers(id, op, left, rhs, right)
    }

    /// Whether an impl says what the operator of a number's type does with something that is no number: `0.5 * v`.
    fn has_impl_beside(&mut self, op: BinaryOp, left: Ty, right: Ty) -> bool {
        let right = self.shallow(right);
        if is_comparison(op) || right.is_infer() || right.is_never() || right.is_error() || right.is_numeric()
        {
            return false;
        }
        let Some((role, _)) = operator_trait(op) else { return false };
        let Some(bound) = self.operator_bound(role, &[right]) else { return false };
        self.traits().might_hold(left, bound)
    }

    fn on_numbers(&mut self, id: ExprId, op: BinaryOp, left: Ty, rhs: ExprId, right: Ty) -> Ty {
        self.st.types.callees.insert(id, Callee::Primitive);
        if self.same_numbers(id, op, left, rhs, right) { Self::result_of(op, left) } else { self.error() }
    }

    /// Both operands must have one type. Whether it is clear what the result would be.
    fn same_numbers(&mut self, id: ExprId, op: BinaryOp, left: Ty, rhs: ExprId, right: Ty) -> bool {
        let (l, r) = (self.shallow(left), self.shallow(right));
        if r.is_never() || self.s.table.unify(r, l).is_ok() {
            return true;
        }
        if self.has_error(l) || self.has_error(r) {
            self.st.failed = true;
            return true;
        }
        let (left_words, right_words) = (self.show(l), self.show(r));
        let span = self.span(id);
        let problem = if l.is_numeric() && r.is_numeric() {
            words::mixed_numbers(span, op.text(), &left_words, &right_words, self.span(rhs))
        } else {
            words::no_operator(span, op.text(), &left_words, Some(&right_words))
        };
        self.report(problem);
        is_comparison(op) || l.is_numeric() && r.is_numeric()
    }

    /// The left operand is a literal or unknown: the right one may tell.
    fn binary_on_var(
        &mut self,
        id: ExprId,
        op: BinaryOp,
        lhs: ExprId,
        left: Ty,
        kind: VarKind,
        rhs: ExprId,
    ) -> Ty {
        let right = self.opened(rhs, Expect::Any);
        let right = self.shallow(right);
        if kind != VarKind::Any && !right.is_infer() && !right.is_numeric() {
            // `2 * v`: the literal settles, its type's operator decides.
            let (int, float) = (common().int, common().f64);
            if kind == VarKind::Int
                && !self.has_impl_beside(op, int, right)
                && self.has_impl_beside(op, float, right)
            {
                self.s.table.unify(left, float).ok();
            }
            self.settle(left);
            let left = self.shallow(left);
            return self.operator_call_typed(id, op, left, rhs, right);
        }
        if kind == VarKind::Any {
            self.solve(false);
        }
        let left = self.shallow(left);
        if !left.is_infer() && !is_primitive(op, left) {
            return self.operator_call_typed(id, op, left, rhs, right);
        }
        self.same_numbers(id, op, left, rhs, right);
        let joined = self.shallow(left);
        match self.s.table.var_kind(joined) {
            Some(VarKind::Int | VarKind::Float) if op != BinaryOp::Pow && op != BinaryOp::In => {
                self.st.types.callees.insert(id, Callee::Primitive);
                Self::result_of(op, joined)
            }
            Some(VarKind::Any) => self.operator_on_unknown(id, op, lhs, joined),
            _ if is_primitive(op, joined) => {
                self.st.types.callees.insert(id, Callee::Primitive);
                Self::result_of(op, joined)
            }
            _ => {
                self.settle(joined);
                let joined = self.shallow(joined);
                self.operator_call_typed(id, op, joined, rhs, joined)
            }
        }
    }

    /// On two unknowns an operator asks for its trait, with both operands and the result of one type.
    fn operator_on_unknown(&mut self, id: ExprId, op: BinaryOp, lhs: ExprId, ty: Ty) -> Ty {
        let span = self.span(id);
        let Some((role, method)) = operator_trait(op) else {
            // `&+` and its kin are for integers only.
            let shown = self.show(ty);
            self.report(words::operand_unknown(self.span(lhs), op.text(), &shown));
            return self.error();
        };
        let args: &[Ty] = if is_comparison(op) { &[] } else { &[ty] };
        let Some(bound) = self.operator_bound(role, args) else { return self.error() };
        let method = self.method_index(bound, method);
        let (_, fact, _, ret) = self.trait_method_types(span, ty, bound, method, &[]);
        self.st.types.callees.insert(id, fact);
        if is_comparison(op) {
            return common().bool;
        }
        self.unify(id, ret, ty);
        ty
    }

    fn method_index(&self, bound: TraitRef, name: &str) -> u32 {
        let methods = &self.ck.defs.traits[bound.trait_id].methods;
        let at = methods.iter().position(|&it| self.ck.defs.fns[it].name.as_str() == name);
        at.expect("operator traits have their method") as u32
    }

    /// An operator of a type with impls: one impl decides the right side's type.
    fn operator_call(&mut self, id: ExprId, op: BinaryOp, left: Ty, rhs: ExprId) -> Ty {
        if is_comparison(op) {
            let right = self.opened(rhs, Expect::Hint(left));
            return self.comparison(id, op, left, rhs, right);
        }
        let hint = match operator_trait(op) {
            Some((role, _)) => self.only_rhs(left, role),
            None => None,
        };
        let right = match hint {
            Some(ty) => {
                self.check(rhs, ty);
                ty
            }
            None => {
                let right = self.opened(rhs, Expect::Any);
                self.known(right)
            }
        };
        self.operator_call_typed(id, op, left, rhs, right)
    }

    /// The right side's type if exactly one impl of the operator fits the left side.
    fn only_rhs(&mut self, left: Ty, role: &str) -> Option<Ty> {
        let var = self.fresh();
        let bound = self.operator_bound(role, &[var])?;
        self.traits().only_impl(left, bound).then(|| self.shallow(var))
    }

    fn comparison(&mut self, id: ExprId, op: BinaryOp, left: Ty, rhs: ExprId, right: Ty) -> Ty {
        let right = self.shallow(right);
        if !right.is_never() {
            self.unify(rhs, right, left);
        }
        let left = self.shallow(left);
        if is_primitive(op, left) {
            self.st.types.callees.insert(id, Callee::Primitive);
            return common().bool;
        }
        let Some((role, method)) = operator_trait(op) else { return self.error() };
        let Some(bound) = self.operator_bound(role, &[]) else { return self.error() };
        let method = self.method_index(bound, method);
        let span = self.span(id);
        let (_, fact, ..) = self.trait_method_types(span, left, bound, method, &[]);
        self.st.types.callees.insert(id, fact);
        common().bool
    }

    fn operator_call_typed(&mut self, id: ExprId, op: BinaryOp, left: Ty, rhs: ExprId, right: Ty) -> Ty {
        if is_comparison(op) {
            return self.comparison(id, op, left, rhs, right);
        }
        if is_primitive(op, left) && !self.has_impl_beside(op, left, right) {
            return self.on_numbers(id, op, left, rhs, right);
        }
        self.operator_method(id, op, left, right)
    }

    fn operator_method(&mut self, id: ExprId, op: BinaryOp, left: Ty, right: Ty) -> Ty {
        // `x in xs` asks the collection.
        let (subject, other) = if op == BinaryOp::In { (right, left) } else { (left, right) };
        let Some((role, name)) = operator_trait(op) else {
            return self.operator_missing(id, op, left, right);
        };
        let Some(bound) = self.operator_bound(role, &[other]) else { return self.error() };
        let subject = self.known(subject);
        if subject.is_error() {
            return self.error();
        }
        if !subject.is_infer() && !self.traits().might_hold(subject, bound) {
            return self.operator_missing(id, op, left, right);
        }
        let method = self.method_index(bound, name);
        let (_, _, ret) = self.instantiate_trait_method(id, subject, bound, method, &[]);
        self.solve(false);
        self.shallow(ret)
    }

    fn operator_missing(&mut self, id: ExprId, op: BinaryOp, left: Ty, right: Ty) -> Ty {
        if !self.has_error(left) && !self.has_error(right) {
            let span = self.span(id);
            let (left_words, right_words) = (self.show(left), self.show(right));
            self.report(words::no_operator(span, op.text(), &left_words, Some(&right_words)));
        }
        self.error()
    }

    pub(super) fn and(&mut self, lhs: ExprId, rhs: ExprId) -> Ty {
        self.check(lhs, common().bool);
        self.where_known(lhs, true, |cx| cx.check(rhs, common().bool));
        common().bool
    }

    pub(super) fn or(&mut self, lhs: ExprId, rhs: ExprId) -> Ty {
        self.check(lhs, common().bool);
        self.where_known(lhs, false, |cx| cx.check(rhs, common().bool));
        common().bool
    }

    pub(super) fn is_test(&mut self, value: ExprId, pat: PatId) -> Ty {
        self.st.asked = Some(value);
        let ty = self.value(value, Expect::Any);
        self.st.asked = None;
        let ty = self.known(ty);
        let ty = self.opened_subject(value, ty, [pat].into_iter());
        self.st.tested = Some(pat);
        self.pattern(pat, ty);
        self.st.tested = None;
        common().bool
    }

    pub(super) fn cast(&mut self, id: ExprId, value: ExprId, ty: Ty, kind: CastKind) -> Ty {
        let to = self.fill_holes(ty);
        let from = self.value(value, Expect::Any);
        self.st.casts.push(id);
        // A literal takes the target's type where it can: `200 as U8` is checked as a literal.
        let is_literal = self.s.table.var_kind(from).is_some_and(|kind| kind != VarKind::Any);
        if is_literal && kind == CastKind::Checked {
            let at = self.s.table.snapshot();
            let word = to.as_adt().filter(|it| self.ck.defs.packed(it.0).is_some());
            let to = word.map_or(to, |(adt, _)| self.ck.defs.adt_fields(adt).variants[0].fields[0].ty);
            match self.s.table.unify(from, to) {
                Ok(()) => self.s.table.commit(at),
                Err(_) => self.s.table.rollback(at),
            }
        }
        if kind == CastKind::Try { self.option_of(to) } else { to }
    }

    pub(super) fn assign(&mut self, place: ExprId, value: ExprId) -> Ty {
        let ty = self.place(place);
        self.check(value, ty);
        self.changed_place(place);
        common().unit
    }

    /// The type of what an assignment writes to. Indexing resolves to `op_index_set`.
    pub(super) fn place(&mut self, place: ExprId) -> Ty {
        let ty = match self.body.exprs[place] {
            // Whatever it was narrowed to, it takes what it was declared for.
            Expr::Local { local } => {
                let ty = self.local(local);
                self.st.types.exprs.insert(place, ty);
                ty
            }
            _ => self.expr(place, Expect::Any),
        };
        match self.expr_node(place) {
            Expr::Method { receiver, has_parens: false, name_range, name, .. } => {
                let is_field = matches!(self.st.types.callees.get(place), Some(Callee::Field { .. }));
                if is_field {
                    self.require_assignable_through(place, receiver);
                    self.reject_enum_field(place);
                } else if self.st.types.callees.contains(place) {
                    let span = qz_base::Span::new(self.body.file, name_range);
                    self.report(words::assign_method(span, name));
                }
            }
            Expr::TupleIndex { .. } => {
                let span = self.span(place);
                self.report(words::assign_tuple(span));
            }
            Expr::Index { base, .. } => self.index_place(place, base),
            Expr::Static { var } => {
                let def = &self.ck.defs.statics[var];
                if def.whose == Whose::All {
                    let (span, name) = (self.span(place), def.name);
                    self.report(words::assign_module_var(span, name));
                }
            }
            _ => {}
        }
        let ty = self.shallow(ty);
        ty.peel_ref()
    }

    fn reject_enum_field(&mut self, place: ExprId) {
        let Some(Callee::Field { .. }) = self.st.types.callees.get(place) else { return };
        if let Expr::Method { receiver, .. } = self.expr_node(place)
            && let Some(&ty) = self.st.types.exprs.get(receiver)
            && let Some((adt, _)) = self.shallow(ty).peel_ref().as_adt()
            && matches!(self.ck.defs.adts[adt].kind, qz_hir::AdtKind::Enum | qz_hir::AdtKind::Newtype)
        {
            let span = self.span(place);
            self.report(words::assign_immutable_field(span, self.ck.defs.adts[adt].name));
        }
    }

    pub(super) fn compound_assign(&mut self, id: ExprId, op: BinaryOp, place: ExprId, value: ExprId) -> Ty {
        let left = self.place(place);
        let left = self.known(left);
        let (left, is_member) = match self.narrowed_place(place, left) {
            Some(member) => (member, true),
            None => (left, false),
        };
        // What comes out is checked before it is stored.
        let left = self.open_refined(place, left);
        let result = self.binary_with(id, op, place, left, value);
        self.unify(id, result, left);
        if !is_member {
            self.changed_place(place);
        }
        common().unit
    }

    pub(super) fn assign_if_none(&mut self, place: ExprId, value: ExprId) -> Ty {
        let ty = self.place(place);
        let inner = self.fresh();
        let option = self.option_of(inner);
        self.unify(place, ty, option);
        // The value is what is inside, or an Option as a whole.
        let found = self.value(value, Expect::Hint(inner));
        if self.as_lang(found, "Option").is_some() && self.as_lang(inner, "Option").is_none() {
            self.unify(value, found, ty);
        } else {
            self.coerce(value, found, inner);
        }
        self.changed_place(place);
        common().unit
    }

    // -------------------------------------------------------------------------------- Option and Result

    /// `e!`: what is inside, or a panic.
    pub(super) fn unwrap(&mut self, operand: ExprId, expect: Expect) -> Ty {
        let hint = match expect {
            Expect::Hint(hint)
                if matches!(self.expr_node(operand), Expr::Call { .. } | Expr::Method { .. }) =>
            {
                let _ = hint;
                Expect::Any
            }
            _ => Expect::Any,
        };
        let ty = self.value(operand, hint);
        let ty = self.known_opened(operand, ty);
        if let Some(args) = self.as_lang(ty, "Option") {
            return args[0];
        }
        if let Some(args) = self.as_lang(ty, "Result") {
            self.require_show(operand, args[1]);
            return args[0];
        }
        if !self.has_error(ty) {
            let span = self.span(operand);
            let shown = self.show(ty);
            self.report(words::not_unwrappable(span, "!", &shown));
        }
        self.error()
    }

    /// `e?`: what is inside, or leave with the rest.
    pub(super) fn propagate(&mut self, id: ExprId, operand: ExprId, lambda: Option<LambdaId>) -> Ty {
        let ty = self.value(operand, Expect::Any);
        self.propagate_value(id, operand, ty, lambda)
    }

    fn propagate_value(&mut self, id: ExprId, operand: ExprId, ty: Ty, lambda: Option<LambdaId>) -> Ty {
        let ty = self.known_opened(operand, ty);
        let ret = match lambda {
            None => self.ret,
            Some(lambda) => self.st.lambda_rets[&lambda],
        };
        let span = self.span(id);
        if let Some(args) = self.as_lang(ty, "Option") {
            let inner = self.fresh();
            let wanted = self.option_of(inner);
            self.leave_with(span, ret, wanted, "Option");
            return args[0];
        }
        if let Some(args) = self.as_lang(ty, "Result") {
            let (value, error) = (args[0], args[1]);
            let (ok, err) = (self.fresh(), self.fresh());
            let wanted = self.lang_adt("Result", &[ok, err]);
            if self.leave_with(span, ret, wanted, "Result") {
                self.convert_error(id, error, err);
            }
            return value;
        }
        if !self.has_error(ty) {
            let span = self.span(operand);
            let shown = self.show(ty);
            self.report(words::not_unwrappable(span, "?", &shown));
        }
        self.error()
    }

    /// `e.x?`: what [`Infer::method_call`] found tells the method `x?` from the field `x`.
    pub(super) fn question_member(
        &mut self,
        id: ExprId,
        member: ExprId,
        lambda: Option<Option<LambdaId>>,
        expect: Expect,
    ) -> Ty {
        let ty = self.value(member, expect);
        if !matches!(self.st.types.callees.get(member), Some(Callee::Field { .. })) {
            return ty;
        }
        match lambda {
            Some(lambda) => self.propagate_value(id, member, ty, lambda),
            None => {
                let span = self.span(id);
                self.report(words::leaves_defer(span));
                self.error()
            }
        }
    }

    fn leave_with(&mut self, span: qz_base::Span, ret: Ty, wanted: Ty, what: &str) -> bool {
        let at = self.s.table.snapshot();
        if self.s.table.unify(ret, wanted).is_ok() {
            self.s.table.commit(at);
            return true;
        }
        self.s.table.rollback(at);
        if !self.has_error(ret) {
            let shown = self.show(ret);
            self.report(words::cannot_propagate(span, what, &shown));
        }
        self.st.failed = true;
        false
    }

    /// Errors of one type go through; others need `From`.
    fn convert_error(&mut self, id: ExprId, from: Ty, to: Ty) {
        let known = self.shallow(to);
        if known.is_infer() {
            self.s.table.unify(to, from).ok();
            return;
        }
        let at = self.s.table.snapshot();
        if self.s.table.unify(known, from).is_ok() {
            self.s.table.commit(at);
            return;
        }
        self.s.table.rollback(at);
        let Some(trait_id) = self.ck.defs.lang.trait_("From") else { return };
        let span = self.span(id);
        let bound = TraitRef { trait_id, args: Ty::list(&[from]) };
        self.st.obligations.push(Obligation::trait_(known, bound, span));
        let args = Ty::list(&[known, from]);
        self.st.types.callees.insert(id, Callee::Method { trait_id, method: 0, args, own_args: &[] });
    }

    /// `a ?? b`: `b` where `a` is none.
    pub(super) fn coalesce(&mut self, lhs: ExprId, rhs: ExprId, expect: Expect) -> Ty {
        let ty = self.value(lhs, Expect::Any);
        let ty = self.known_opened(lhs, ty);
        let inner = match (self.as_lang(ty, "Option"), self.as_lang(ty, "Result")) {
            (Some(args), _) | (_, Some(args)) => args[0],
            _ => {
                if !self.has_error(ty) {
                    let span = self.span(lhs);
                    let shown = self.show(ty);
                    self.report(words::not_unwrappable(span, "??", &shown));
                }
                self.expr(rhs, expect);
                return self.error();
            }
        };
        let found = self.value(rhs, Expect::Hint(inner));
        let found = self.shallow(found);
        // `a ?? b` where `b` may be missing too is an Option again.
        let inner_known = self.shallow(inner);
        if self.as_lang(found, "Option").is_some()
            && self.as_lang(inner_known, "Option").is_none()
            && !inner_known.is_infer()
        {
            self.unify(rhs, found, ty);
            return ty;
        }
        self.coerce(rhs, found, inner);
        inner
    }

    /// `a?.b`: an Option of `b`'s type, not nested if that is an Option already.
    pub(super) fn safe_nav(&mut self, base: ExprId, inner: LocalId, rest: ExprId) -> Ty {
        let ty = self.value(base, Expect::Any);
        let ty = self.known_opened(base, ty);
        let Some(args) = self.as_lang(ty, "Option") else {
            if !self.has_error(ty) {
                let span = self.span(base);
                let shown = self.show(ty);
                let problem = words::not_unwrappable(span, "?.", &shown);
                let is_result = self.as_lang(ty, "Result").is_some();
                self.report(if is_result { self.propagated_first(problem, span) } else { problem });
            }
            let error = self.error();
            self.st.types.locals.insert(inner, error);
            self.expr(rest, Expect::Any);
            return error;
        };
        self.st.types.locals.insert(inner, args[0]);
        let found = self.value(rest, Expect::Any);
        let found = self.known(found);
        if self.as_lang(found, "Option").is_some() { found } else { self.option_of(found) }
    }
}

impl Infer<'_, '_> {
    /// `e?.name` on a Result was meant as `(e?).name`.
    fn propagated_first(&self, problem: qz_diag::Diagnostic, base: qz_base::Span) -> qz_diag::Diagnostic {
        let Some(file) = self.ck.defs.files.get(&base.file) else { return problem };
        let written = base.range.text(&file.text);
        let behind = &file.text[base.range.end as usize..];
        if written.contains('\n') || !behind.starts_with('?') {
            return words::propagate_first(problem);
        }
        let range = qz_base::TextRange::new(base.range.start, base.range.end + 1);
        words::propagate_first_as(problem, qz_base::Span::new(base.file, range), written)
    }
}

/// Arithmetic passes an expected number on to its operands.
fn number_hint(expect: Expect) -> Expect {
    match expect {
        Expect::Hint(hint) if hint.is_numeric() => expect,
        _ => Expect::Any,
    }
}
