//! Operations, handlers, `with`, `throw` and `catch`: calls of the library's functions for effects.
//!
//! ```text
//! handler Log                        handler_going_on(Log { (log): text -> … })
//!   def log(text) … resume(e)   is
//! end                                handler_answering(frame -> Log { (log): text -> frame.suspend(resume -> …) },
//!                                                      value -> …, true)        where a clause does more than that
//!
//! with h do … end               is   h.run(-> …)
//! log(text)                     is   perform(clauses -> clauses_of(clauses).(log)(text))   in the operation's body
//! ```

use std::cell::Cell;

use qz_base::{Name, TextRange};
use qz_syntax::SyntaxKind;
use qz_syntax::ast::{self, AstNode};
use qz_types::{EffectId, FnId, Ty, TyKind, Tys};

use super::Cx;
use super::clauses::{self, Resumes};
use crate::body::*;
use crate::diagnostics as words;
use crate::scope::{Def, Lookup};
use crate::types::effects::clause_name;

/// What `resume` means where it stands.
pub(super) struct ClauseCx {
    /// What holds the rest of the body; none where a clause goes on at once.
    rest: Option<Rest>,
}

struct Rest {
    local: LocalId,
    /// The lambda that the clause became: it gives an answer, or nothing if it resumed last.
    lambda: LambdaId,
    /// The calls that are the last thing the clause does.
    last: Vec<TextRange>,
}

impl Cx<'_> {
    /// A lambda with one parameter that no user can name.
    fn lambda_of(
        &mut self,
        range: TextRange,
        ty: Option<Ty>,
        body: impl FnOnce(&mut Self, LocalId) -> ExprId,
    ) -> ExprId {
        let param = Cell::new(None);
        let params = |cx: &mut Self, _: &mut Vec<Stmt>| {
            let local = cx.hidden(range, false);
            param.set(Some(local));
            (vec![local], vec![ty])
        };
        let (_, lambda) =
            self.lambda_with(range, params, |cx| body(cx, param.get().expect("parameters come first")));
        lambda
    }

    fn thunk(&mut self, range: TextRange, body: impl FnOnce(&mut Self) -> ExprId) -> ExprId {
        self.lambda_with(range, |_, _| (Vec::new(), Vec::new()), body).1
    }

    // ---- operations

    pub(super) fn operation(&mut self, owner: FnId, effect: EffectId) -> (Vec<BodyParam>, ExprId) {
        let def = &self.defs.fns[owner];
        let node = self.defs.node(def.module, def.nodes[0]);
        let Some(syntax) = ast::FnDef::cast(node.node()) else {
            return (Vec::new(), self.missing(def.name_range));
        };
        let range = def.name_range;
        let (mut params, mut prologue) = (Vec::new(), Vec::new());
        self.written_params(syntax, &mut params, &mut prologue);
        let locals: Vec<LocalId> = params.iter().map(|it| it.local).collect();
        let clauses = self.defs.adt_identity(self.defs.effects[effect].clauses);
        let call = self.clause_call(owner, clauses, &locals, range);
        if !def.has_body {
            return (params, self.lang_call("perform", vec![call], range));
        }
        let body = |cx: &mut Self| {
            let root = cx.fn_value(syntax);
            cx.with_prologue(prologue, root)
        };
        let otherwise = self.thunk(range, body);
        (params, self.lang_call("perform_or", vec![call, otherwise], range))
    }

    /// `clauses -> clauses_of(clauses).(name)(…)`
    fn clause_call(&mut self, operation: FnId, clauses: Ty, args: &[LocalId], range: TextRange) -> ExprId {
        let name = clause_name(self.defs.fns[operation].name);
        self.lambda_of(range, Some(Ty::ptr(clauses)), |cx, place| {
            let place = cx.use_local(place, range);
            // `perform` hands over the place of the handler's clauses, nothing else does.
            cx.unsafe_ranges.push(range);
            let clauses = cx.lang_call("clauses_of", vec![place], range);
            let callee = cx.unnamed_field(clauses, name, range);
            let args = args.iter().map(|&it| cx.positional(it, range)).collect();
            cx.expr(Expr::Call { callee, args }, range)
        })
    }

    fn positional(&mut self, local: LocalId, range: TextRange) -> Arg {
        Arg { kind: ArgKind::Positional, value: self.use_local(local, range) }
    }

    fn unnamed_field(&mut self, receiver: ExprId, name: Name, range: TextRange) -> ExprId {
        let args = [].into();
        self.expr(
            Expr::Method { receiver, name, name_range: range, type_args: &[], args, has_parens: false },
            range,
        )
    }

    // ---- with, catch

    pub(super) fn with_handlers(&mut self, it: ast::WithExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let mut stmts = Vec::new();
        let mut handlers = Vec::new();
        for handler in it.handlers() {
            let at = handler.syntax().range();
            let value = self.expr_of(handler);
            handlers.push((self.keep(value, &mut stmts), at));
        }
        if handlers.is_empty() {
            return self.maybe_block(it.body(), range);
        }
        let installed = self.installed(&handlers, it.body(), range);
        self.expr(Expr::Block { stmts: stmts.into(), tail: Some(installed) }, range)
    }

    fn installed(
        &mut self,
        handlers: &[(LocalId, TextRange)],
        body: Option<ast::Block<'_>>,
        range: TextRange,
    ) -> ExprId {
        let Some((&(local, at), inner)) = handlers.split_first() else {
            return self.maybe_block(body, range);
        };
        let receiver = self.use_local(local, at);
        let body_range = body.map_or(range, |it| it.syntax().range());
        let lambda = self.thunk(body_range, |cx| cx.installed(inner, body, body_range));
        self.method(receiver, "run", vec![lambda], range)
    }

    pub(super) fn catch(&mut self, it: ast::CatchExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let mut type_args = self.written_type_args(it.type_args()).to_vec();
        let body = self.thunk(range, |cx| cx.maybe_block(it.body(), range));
        let Some(function) = self.defs.lang.func("catch") else { return self.later(range, "`catch`") };
        if type_args.len() > 1 {
            let span = self.span(range);
            self.report(words::type_arg_count(span, Name::new("catch"), 1, type_args.len()));
            return self.missing(range);
        }
        if !type_args.is_empty() {
            type_args.push(crate::types::hole());
        }
        let callee =
            self.expr(Expr::Fns { candidates: [function].into(), type_args: Ty::list(&type_args) }, range);
        let args = [Arg { kind: ArgKind::Block, value: body }].into();
        self.expr(Expr::Call { callee, args }, range)
    }

    // ---- handlers

    pub(super) fn handler(&mut self, it: ast::HandlerExpr<'_>) -> ExprId {
        let range = it.syntax().range();
        let Some(written) = it.effect() else { return self.missing(range) };
        let ty = self.types.handled_effect(written);
        let found = ty.as_adt().and_then(|(adt, args)| Some((self.defs.adts[adt].effect?, adt, args)));
        let Some((effect, adt, args)) = found else {
            let (span, text) = (self.span(written.syntax().range()), written.syntax().text());
            match ty.kind() {
                TyKind::Error => {}
                TyKind::Tuple(_) => self.report(words::several_effects(span, text)),
                _ => self.report(words::not_an_effect(span, text)),
            }
            return self.missing(range);
        };
        let Some(clauses) = self.matched_clauses(effect, it) else { return self.missing(range) };
        let ends = |call: ast::CallExpr<'_>| self.never_returns(call);
        let kinds: Vec<Resumes> = clauses
            .iter()
            .map(|(_, it)| clauses::resumes(it.syntax(), it.body(), it.value(), &ends))
            .collect();
        if it.return_clause().is_none() && kinds.iter().all(|it| matches!(it, Resumes::AtOnce)) {
            let clauses = self.clauses_struct((adt, args), &clauses, kinds, None, range);
            return self.lang_call("handler_going_on", vec![clauses], range);
        }
        let suspends = kinds.iter().any(|it| matches!(it, Resumes::Somehow(_)));
        let make = self.lambda_of(range, None, |cx, frame| {
            cx.clauses_struct((adt, args), &clauses, kinds, Some(frame), range)
        });
        let finish = self.return_clause(it.return_clause(), range);
        let suspends = self.expr(Expr::Lit { value: Literal::Bool(suspends) }, range);
        self.lang_call("handler_answering", vec![make, finish, suspends], range)
    }

    /// Whether a call is one of a function that is written to give `Never`.
    fn never_returns(&self, call: ast::CallExpr<'_>) -> bool {
        let Some(ast::Expr::PathExpr(path)) = call.callee() else { return false };
        let Some(name) = path.single_name().map(|it| Name::new(it.text())) else { return false };
        if self.find_local(name).is_some() {
            return false;
        }
        let Lookup::Found(Def::Fns(found)) = self.defs.lookup(self.module, name) else { return false };
        found.iter().all(|&it| self.defs.fn_sig(it).ret.is_some_and(|ret| ret.is_never()))
    }

    /// The clauses in the order of the effect's operations; `None` if they do not fit it.
    fn matched_clauses<'t>(
        &mut self,
        effect: EffectId,
        it: ast::HandlerExpr<'t>,
    ) -> Option<Vec<(FnId, ast::FnDef<'t>)>> {
        let def = &self.defs.effects[effect];
        let effect_name = self.defs.adts[def.clauses].name;
        let written: Vec<ast::FnDef<'t>> = it.items().collect();
        let mut fits = true;
        for (n, clause) in written.iter().enumerate() {
            let Some(name) = clause.name() else { continue };
            let (text, span) = (Name::new(name.text()), self.span(name.range()));
            let same = |other: &&ast::FnDef<'t>| other.name().is_some_and(|it| it.text() == name.text());
            if let Some(first) = written[..n].iter().find(same).and_then(|it| it.name()) {
                self.report(words::duplicate(span, text, self.span(first.range())));
                fits = false;
            }
            let Some(operation) = def.operation(self.defs, text) else {
                self.report(words::no_operation(span, effect_name, text, self.defs.adt_span(def.clauses)));
                fits = false;
                continue;
            };
            let count = clause.params().map_or(0, |it| it.params().count()) as u32;
            let wanted = self.defs.fn_sig(operation).params.len() as u32;
            if count != wanted {
                self.report(words::clause_params(span, text, wanted, count, self.defs.fn_span(operation)));
                fits = false;
            }
        }
        let mut returns = it.syntax().children().filter(|it| it.kind() == SyntaxKind::HandlerReturn);
        if let (Some(first), Some(second)) = (returns.next(), returns.next()) {
            let head = |it: TextRange| TextRange::new(it.start, it.start + "return".len() as u32);
            let (first, second) = (self.span(head(first.range())), self.span(head(second.range())));
            self.report(words::duplicate(second, Name::new("return"), first));
            fits = false;
        }
        let mut matched = Vec::new();
        let mut missing = Vec::new();
        for &operation in &def.operations {
            let name = self.defs.fns[operation].name;
            match written.iter().find(|it| it.name().is_some_and(|it| it.text() == name.as_str())) {
                Some(clause) => matched.push((operation, *clause)),
                None => missing.push(operation),
            }
        }
        if let Some(&first) = missing.first() {
            let names: Vec<Name> = missing.iter().map(|&it| self.defs.fns[it].name).collect();
            let span = self.span(it.effect().map_or(it.syntax().range(), |it| it.syntax().range()));
            self.report(words::missing_clauses(span, effect_name, &names, self.defs.fn_span(first)));
            fits = false;
        }
        fits.then_some(matched)
    }

    fn clauses_struct(
        &mut self,
        (adt, args): (qz_types::AdtId, Tys),
        clauses: &[(FnId, ast::FnDef<'_>)],
        kinds: Vec<Resumes>,
        frame: Option<LocalId>,
        range: TextRange,
    ) -> ExprId {
        let mut fields = Vec::new();
        for (&(operation, clause), kind) in clauses.iter().zip(kinds) {
            let name_range = clause.name().map_or(range, |it| it.range());
            let value = self.handler_clause(clause, operation, kind, frame);
            fields.push(FieldInit { name: clause_name(self.defs.fns[operation].name), name_range, value });
        }
        self.expr(
            Expr::Struct { path: StructPath::Adt(adt, args), fields: fields.into(), spread: None },
            range,
        )
    }

    /// The function that answers an operation.
    fn handler_clause(
        &mut self,
        it: ast::FnDef<'_>,
        operation: FnId,
        kind: Resumes,
        frame: Option<LocalId>,
    ) -> ExprId {
        let range = it.syntax().range();
        let outer = self.clause.take();
        let params = |cx: &mut Self, prologue: &mut Vec<Stmt>| {
            let (mut locals, mut types) = (Vec::new(), Vec::new());
            for param in it.params().into_iter().flat_map(|it| it.params()) {
                types.push(param.ty().map(|ty| cx.types.local_type(ty)));
                locals.push(cx.param(param, prologue));
            }
            (locals, types)
        };
        let (_, value) = self.lambda_with(range, params, |cx| match (kind, frame) {
            (Resumes::AtOnce, _) => cx.going_on(it),
            (Resumes::Never, Some(frame)) => cx.abandoning(it, operation, frame, range),
            (Resumes::Somehow(last), Some(frame)) => cx.suspending(it, frame, last, range),
            (Resumes::Never | Resumes::Somehow(_), None) => unreachable!("such handlers have a frame"),
        });
        self.clause = outer;
        value
    }

    /// The clause is a function that gives what it resumes with.
    fn going_on(&mut self, it: ast::FnDef<'_>) -> ExprId {
        self.clause = Some(ClauseCx { rest: None });
        let value = self.fn_value(it);
        let Some(ret) = it.ret() else { return value };
        let ty = self.types.local_type(ret);
        if ty.is_never() {
            return value;
        }
        let range = ret.syntax().range();
        let local = self.hidden(range, false);
        let pat = self.pat(Pat::Bind { local, sub: None }, range);
        let tail = Some(self.use_local(local, range));
        self.expr(Expr::Block { stmts: [Stmt::Bind { pat, ty: Some(ty), value }].into(), tail }, range)
    }

    fn abandoning(
        &mut self,
        it: ast::FnDef<'_>,
        operation: FnId,
        frame: LocalId,
        range: TextRange,
    ) -> ExprId {
        let body = self.thunk(range, |cx| cx.fn_value(it));
        let frame = self.use_local(frame, range);
        let call = self.method(frame, "abandon", vec![body], range);
        // A function without a value may end in any, so nothing else says that this one has none.
        let ret = self.defs.fn_sig(operation).ret.filter(|ret| ret.is_unit() || ret.is_never());
        if let (Some(ret), Expr::Method { type_args, .. }) = (ret, &mut self.exprs[call]) {
            *type_args = Ty::list(&[ret]);
        }
        call
    }

    fn suspending(
        &mut self,
        it: ast::FnDef<'_>,
        frame: LocalId,
        last: Vec<TextRange>,
        range: TextRange,
    ) -> ExprId {
        let body = self.lambda_of(range, None, |cx, local| {
            let lambda = *cx.bodies.last().expect("a lambda is being lowered");
            cx.clause = Some(ClauseCx { rest: Some(Rest { local, lambda, last }) });
            let value = cx.fn_value(it);
            cx.lang_call("answered", vec![value], range)
        });
        let frame = self.use_local(frame, range);
        self.method(frame, "suspend", vec![body], range)
    }

    /// `return(v) … end`, or the value as it is.
    fn return_clause(&mut self, it: Option<ast::HandlerReturn<'_>>, range: TextRange) -> ExprId {
        let Some(it) = it else {
            return self.lambda_of(range, None, |cx, value| cx.use_local(value, range));
        };
        let range = it.syntax().range();
        let outer = self.clause.take();
        let written: Vec<_> = it.params().into_iter().flat_map(|it| it.params()).collect();
        if written.len() > 1 {
            let span = self.span(range);
            self.report(words::return_clause_params(span));
        }
        let params = |cx: &mut Self, prologue: &mut Vec<Stmt>| match written.first() {
            Some(&param) => {
                let ty = param.ty().map(|ty| cx.types.local_type(ty));
                (vec![cx.param(param, prologue)], vec![ty])
            }
            None => (vec![cx.hidden(range, false)], vec![None]),
        };
        let (_, value) = self.lambda_with(range, params, |cx| match (it.body(), it.value()) {
            (Some(block), _) => cx.block(block),
            (None, Some(value)) => cx.scoped(|cx| cx.value_expr(value)),
            (None, None) => cx.missing(range),
        });
        self.clause = outer;
        value
    }

    // ---- resume

    /// `resume(e)` in a clause.
    pub(super) fn resume_call(&mut self, it: ast::CallExpr<'_>, piped: Option<ExprId>) -> Option<ExprId> {
        let Some(ast::Expr::PathExpr(path)) = it.callee() else { return None };
        if !clauses::is_resume(path)
            || self.find_local(Name::new("resume")).is_some()
            || self.clause.is_none()
        {
            return None;
        }
        let range = it.syntax().range();
        let args = self.call_args(piped, it.args(), it.block());
        let value = match &args[..] {
            [] => self.expr(Expr::Lit { value: Literal::Unit }, range),
            [Arg { kind: ArgKind::Positional, value }] => *value,
            _ => {
                let span = self.span(range);
                self.report(words::resume_args(span));
                return Some(self.missing(range));
            }
        };
        let Some(ClauseCx { rest: Some(rest) }) = &self.clause else { return Some(value) };
        let (local, lambda, is_last) = (rest.local, rest.lambda, rest.last.contains(&range));
        let place = self.place_text(range);
        let rest = self.use_local(local, range);
        if !is_last {
            return Some(self.method(rest, "go_on", vec![value, place], range));
        }
        let answer = self.method(rest, "go_on_last", vec![value, place], range);
        Some(self.expr(Expr::Return { lambda: Some(lambda), value: Some(answer) }, range))
    }

    /// `resume` as a value: a function that goes on.
    pub(super) fn resume_value(&mut self, name: Name, range: TextRange) -> Option<ExprId> {
        if name.as_str() != "resume" {
            return None;
        }
        let Some(ClauseCx { rest: Some(rest) }) = &self.clause else { return None };
        let local = rest.local;
        let function = self.lambda_of(range, None, |cx, value| {
            let value = cx.use_local(value, range);
            let place = cx.place_text(range);
            let rest = cx.use_local(local, range);
            cx.method(rest, "go_on", vec![value, place], range)
        });
        Some(function)
    }

    /// Where something stands, as panics say it.
    fn place_text(&mut self, range: TextRange) -> ExprId {
        let text = &self.defs.files[&self.file].text;
        let at = qz_base::LineIndex::new(text).line_col(text, range.start);
        let place = format!("line {}, column {}", at.line + 1, at.col + 1);
        self.expr(Expr::Lit { value: Literal::Str(place.into()) }, range)
    }

    /// A clause that may resume gives an answer where it returns a value.
    pub(super) fn answer_of_return(&mut self, value: Option<ExprId>) -> Option<ExprId> {
        let Some(ClauseCx { rest: Some(rest) }) = &self.clause else { return value };
        if self.bodies.last() != Some(&rest.lambda) {
            return value;
        }
        let value = value?;
        // What has resumed last has returned its answer.
        if matches!(self.exprs[value], Expr::Return { .. }) {
            return Some(value);
        }
        let range = self.source.exprs[value];
        Some(self.lang_call("answered", vec![value], range))
    }
}
