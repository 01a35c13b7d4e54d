//! Lambdas and blocks: parameters from what is expected, the result from the body.

use qz_hir::body::*;
use qz_types::ty::common;
use qz_types::{Mutability, Row, Ty, TyKind};

use super::{Expect, Infer};
use crate::diagnostics as words;

impl Infer<'_, '_> {
    pub(super) fn lambda(&mut self, lambda: LambdaId, expect: Expect) -> Ty {
        let body = self.body.clone();
        let it = &body.lambdas[lambda];
        let wanted = match expect {
            Expect::Hint(hint) => self.shallow(hint).as_fn(),
            _ => None,
        };
        let mut params: Vec<Ty> = Vec::new();
        for (n, (&local, written)) in it.params.iter().zip(&it.param_types).enumerate() {
            let expected = wanted.filter(|f| f.params.len() == it.params.len()).map(|f| f.params[n]);
            let ty = match (written, expected) {
                (Some(written), _) => self.fill_holes(*written),
                (None, Some(ty)) => ty,
                (None, None) => self.fresh(),
            };
            self.st.types.locals.insert(local, ty);
            params.push(ty);
        }
        // A pair given as one argument is taken apart by two parameters.
        let unpack = self.unpacked_pair(it, wanted);
        if let Some(parts) = unpack {
            for (&local, &part) in it.params.iter().zip(parts) {
                self.st.types.locals.insert(local, part);
            }
        }
        let ret = match wanted {
            Some(f) => f.ret,
            None => self.fresh(),
        };
        self.st.lambda_rets.insert(lambda, ret);
        let told = self.st.told.clone();
        // A variable may have another value when the function is called.
        let body = self.body.clone();
        self.st.told.retain(|it| !body.locals[it.local()].mutable);
        self.body_value(Some(lambda), it.body, ret);
        self.end_of_statement();
        self.st.told = told;
        self.captured_borrows(it);
        if it.params_optional
            && let Some(f) = wanted
            && !f.params.is_empty()
        {
            // A block that does not look at its arguments stands for any.
            return Ty::func(f.params, ret, f.row);
        }
        if let (Some(_), Some(f)) = (unpack, wanted) {
            return Ty::func(f.params, ret, f.row);
        }
        Ty::func(&params, ret, wanted.map_or(Row::EMPTY, |f| f.row))
    }

    /// Where nothing else says what it gives, a function that never comes to its end gives `Never`, and a lambda
    /// nothing. Tells whether there were any.
    pub(super) fn settle_endless(&mut self) -> bool {
        let body = self.body.clone();
        let mut any = false;
        if self.is_endless(body.root) && self.shallow(self.ret).is_infer() {
            any |= self.unify(body.root, self.ret, common().never);
        }
        for (id, lambda) in body.lambdas.iter() {
            let Some(&ret) = self.st.lambda_rets.get(&id) else { continue };
            if self.is_endless(lambda.body) && self.shallow(ret).is_infer() {
                any |= self.unify(lambda.body, ret, common().unit);
            }
        }
        any
    }

    fn is_endless(&self, body: ExprId) -> bool {
        self.st.types.exprs.get(body).is_some_and(|&ty| self.shallow(ty).is_never())
    }

    /// An exclusive borrow stays in its frame, and nobody knows how long a lambda lives. A shared one is no
    /// problem: what it borrows is captured.
    fn captured_borrows(&mut self, it: &Lambda) {
        for &captured in &it.captures {
            let ty = self.st.types.locals.get(captured).map(|&ty| self.shallow(ty));
            if !ty.is_some_and(|ty| matches!(ty.kind(), TyKind::Ref(Mutability::Mut, _))) {
                continue;
            }
            let within = self.span(it.body).range;
            let is_use = |&(id, expr): &(ExprId, &Expr)| {
                matches!(expr, Expr::Local { local } if *local == captured)
                    && within.cover(self.span(id).range) == within
            };
            let used = self.body.exprs.iter().find(is_use).map_or(it.body, |(id, _)| id);
            let name = self.body.locals[captured].name;
            self.report(words::captured_borrow(self.span(used), self.body.locals[captured].span, name));
        }
    }

    /// `m.each do k, v -> …` where the function takes one tuple.
    fn unpacked_pair(&self, it: &Lambda, wanted: Option<qz_types::FnTy>) -> Option<qz_types::Tys> {
        let f = wanted?;
        if it.params.len() < 2 || f.params.len() != 1 || it.param_types.iter().any(Option::is_some) {
            return None;
        }
        match *self.shallow(f.params[0]).kind() {
            TyKind::Tuple(parts) if parts.len() == it.params.len() => Some(parts),
            _ => None,
        }
    }
}
