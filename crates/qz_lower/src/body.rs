//! One body: where its variables live, what its scopes must do when they end, and the way in.

use std::sync::Arc;

use qz_base::{FxHashMap, Name, Span};
use qz_hir::Overflow;
use qz_hir::body::{self as hir, ExprId, LambdaId, LocalId, LoopId};
use qz_infer::{BodyTypes, CheckedFn};
use qz_mir::build::Builder;
use qz_mir::{
    BlockId, Body, BodyAttrs, BodyKey, BodyPart, Const, InlineHint, Local, Operand, Place, Proj, Rvalue,
    StmtKind, TermKind,
};
use qz_types::ty::common;
use qz_types::{FnId, Mutability, Ty, TyKind};

use crate::Lowerer;
use crate::borrows::Alias;

/// Where a variable of the source lives.
#[derive(Clone, Debug)]
pub(crate) enum Home {
    Local(Local),
    /// In a cell that lambdas share; the local holds the cell.
    Cell(Local),
    Capture(u32),
    CaptureCell(u32),
}

/// A scope being lowered: what to do when control leaves it.
pub(crate) struct Scope {
    pub(crate) exits: Vec<Exit>,
    /// Where each `defer` begins when there is a panic, and the first local that came after it.
    defers: Vec<(BlockId, usize)>,
    /// The unwind target that held outside.
    pub(crate) outer_unwind: Option<BlockId>,
}

#[derive(Clone)]
pub(crate) enum Exit {
    /// A variable ends.
    Local(Local),
    /// A temporary ends, at the end of its statement already.
    Temp(Local),
    /// A deferred statement runs, with the unwind target that held before it was deferred.
    Defer(ExprId, Option<BlockId>),
}

/// A loop being lowered.
pub(crate) struct LoopFrame {
    pub(crate) id: LoopId,
    pub(crate) next: BlockId,
    pub(crate) exit: BlockId,
    pub(crate) value: Option<Local>,
    /// Scopes open when the loop began.
    pub(crate) depth: usize,
}

pub(crate) struct Cx<'l, 'c, 'd> {
    pub(crate) lw: &'l Lowerer<'c, 'd>,
    pub(crate) function: FnId,
    /// `+`, `-` and `*` keep the low bits.
    pub(crate) wraps: bool,
    pub(crate) body: Arc<hir::Body>,
    pub(crate) checked: Arc<CheckedFn>,
    pub(crate) b: Builder,
    pub(crate) homes: FxHashMap<LocalId, Home>,
    /// Names for places inside of objects.
    pub(crate) aliases: FxHashMap<LocalId, Alias>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) loops: Vec<LoopFrame>,
}

/// Lowers the body behind a key.
pub(crate) fn lower(lw: &Lowerer<'_, '_>, key: BodyKey) -> Body {
    let checked = lw.ck.check_fn(key.function);
    let is_declared_only = matches!(checked.body.exprs[checked.body.root], hir::Expr::Missing);
    if checked.types.has_errors || (is_declared_only && key.part == BodyPart::Main) {
        // Of the library, whose bodies are checked on demand, or of a trait's method where no impl could be found: what
        // was reported stops the build.
        return stub(lw, key, &checked);
    }
    match key.part {
        BodyPart::Main => lower_function(lw, key, checked),
        BodyPart::Lambda(n) => lower_lambda(lw, key, checked, LambdaId::from_raw(n)),
        BodyPart::Default(n) => lower_default(lw, key, checked, n),
    }
}

/// A body that is never run.
fn stub(lw: &Lowerer<'_, '_>, key: BodyKey, checked: &CheckedFn) -> Body {
    let span = lw.defs().fn_span(key.function);
    let path = lw.defs().fn_path(key.function);
    let mut b = Builder::new(key, path, checked.scheme.ret, span, BodyAttrs::default());
    for &ty in &checked.scheme.params {
        b.param(ty, None);
    }
    b.finish()
}

impl<'l, 'c, 'd> Cx<'l, 'c, 'd> {
    fn new(
        lw: &'l Lowerer<'c, 'd>,
        key: BodyKey,
        checked: Arc<CheckedFn>,
        ret: Ty,
        span: Span,
        lambda: Option<LambdaId>,
    ) -> Cx<'l, 'c, 'd> {
        let def = &lw.defs().fns[key.function];
        let inline = match &def.attrs {
            attrs if attrs.rare => InlineHint::Rare,
            attrs if attrs.inline_always => InlineHint::Always,
            attrs if attrs.inline_never => InlineHint::Never,
            _ => InlineHint::Auto,
        };
        let attrs = BodyAttrs {
            inline: if lambda.is_some() { InlineHint::Auto } else { inline },
            track_caller: def.attrs.track_caller,
            is_const: def.kind == qz_hir::FnKind::Const,
        };
        let usual = if lw.defs().modules[def.module].is_std { Overflow::Check } else { lw.overflow };
        let path = lw.defs().fn_path(key.function);
        let shown = if lambda.is_some() { Name::new(&format!("{path} (lambda)")) } else { path };
        let mut b = Builder::new(key, shown, ret, span, attrs);
        if lambda.is_none() {
            b.declared_at(lw.defs().fn_span(key.function));
        }
        Cx {
            lw,
            function: key.function,
            wraps: def.attrs.overflow.unwrap_or(usual) == Overflow::Wrap,
            body: checked.body.clone(),
            checked,
            b,
            homes: FxHashMap::default(),
            aliases: FxHashMap::default(),
            scopes: Vec::new(),
            loops: Vec::new(),
        }
    }

    pub(crate) fn types(&self) -> &BodyTypes {
        &self.checked.types
    }

    pub(crate) fn ty(&self, expr: ExprId) -> Ty {
        self.types().exprs[expr]
    }

    /// The type of an expression's value after its coercion to a plain value.
    pub(crate) fn value_ty(&self, expr: ExprId) -> Ty {
        match self.types().coercions.get(expr) {
            Some(&qz_infer::Coercion::Unrefine { to, .. }) => to,
            _ => self.ty(expr).peel_ref(),
        }
    }

    pub(crate) fn span(&self, expr: ExprId) -> Span {
        self.body.expr_span(expr)
    }

    pub(crate) fn at(&mut self, expr: ExprId) {
        let span = self.span(expr);
        self.b.set_span(span);
    }

    pub(crate) fn unit(&self) -> Operand {
        Operand::Const(Const::Unit)
    }

    /// A value nobody will look at, where control does not come.
    pub(crate) fn dead(&mut self, ty: Ty) -> Operand {
        if ty.is_never() || ty.is_unit() { self.unit() } else { Operand::local(self.b.temp(ty)) }
    }

    /// Stores an operand in a fresh local, so that later statements cannot change it.
    pub(crate) fn fix(&mut self, op: Operand, ty: Ty) -> Local {
        if let Operand::Copy(place) = &op
            && let Some(local) = place.as_local()
            && self.b.locals[local].name.is_none()
        {
            return local;
        }
        self.b.eval(ty, Rvalue::Use(op))
    }

    // ------------------------------------------------------------------------------------------ variables

    fn cell_ty(&self, ty: Ty) -> Ty {
        Ty::adt(self.lw.lang_adt("Cell"), &[ty])
    }

    pub(crate) fn local_ty(&self, local: LocalId) -> Ty {
        self.types().locals[local]
    }

    /// Brings a variable to life with a value.
    pub(crate) fn bind_local(&mut self, local: LocalId, value: Operand) {
        let ty = self.local_ty(local);
        let it = &self.body.locals[local];
        let (name, span, shared) = (it.name, it.span, it.shared);
        let known = (!name.as_str().is_empty()).then_some(name);
        if shared {
            let cell = self.cell_ty(ty);
            let home = self.b.local(cell, known);
            self.b.locals[home].span = span;
            self.b.assign_local(home, Rvalue::New(cell, vec![value]));
            self.homes.insert(local, Home::Cell(home));
            self.end_with_scope(home);
            return;
        }
        // A name bound again by another path (or-patterns, a deferred statement lowered twice) keeps its home.
        let home = match self.homes.get(&local) {
            Some(&Home::Local(home)) if self.b.locals[home].ty == ty => home,
            _ => {
                let home = self.b.local(ty, known);
                self.b.locals[home].span = span;
                self.homes.insert(local, Home::Local(home));
                home
            }
        };
        self.b.assign_local(home, Rvalue::Use(value));
        self.end_with_scope(home);
    }

    /// Locals with the names of what was captured, for debuggers: code reads the closure itself, so that they are
    /// nothing wherever code is optimised.
    fn name_captures(&mut self, captures: &[LocalId], types: &[Ty]) {
        for (n, (&captured, &ty)) in captures.iter().zip(types).enumerate() {
            let it = &self.body.locals[captured];
            let (name, span) = (it.name, it.span);
            if name.as_str().is_empty() {
                continue;
            }
            let home = self.b.local(ty, Some(name));
            self.b.locals[home].span = span;
            let place = Place::local(Local::from_raw(1)).then(Proj::Capture(n as u32));
            self.b.assign_local(home, Rvalue::Use(Operand::Copy(place)));
        }
    }

    fn end_with_scope(&mut self, local: Local) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.exits.push(Exit::Local(local));
        }
    }

    /// The place of a variable.
    pub(crate) fn home_place(&self, local: LocalId) -> Place {
        let env = Place::local(Local::from_raw(1));
        match &self.homes[&local] {
            Home::Local(home) => Place::local(*home),
            Home::Cell(home) => Place::local(*home).deref().field(0),
            Home::Capture(n) => env.then(Proj::Capture(*n)),
            Home::CaptureCell(n) => env.then(Proj::Capture(*n)).deref().field(0),
        }
    }

    /// What a lambda captures of a variable: its value, or the cell it lives in.
    pub(crate) fn capture_operand(&self, local: LocalId) -> Operand {
        let env = Place::local(Local::from_raw(1));
        Operand::Copy(match &self.homes[&local] {
            Home::Local(home) | Home::Cell(home) => Place::local(*home),
            Home::Capture(n) | Home::CaptureCell(n) => env.then(Proj::Capture(*n)),
        })
    }

    // --------------------------------------------------------------------------------------------- scopes

    pub(crate) fn open_scope(&mut self) {
        let outer_unwind = self.b.unwind();
        self.scopes.push(Scope { exits: Vec::new(), defers: Vec::new(), outer_unwind });
    }

    /// Ends the innermost scope where control falls out of it.
    pub(crate) fn close_scope(&mut self) {
        let scope = self.scopes.pop().expect("scopes are balanced");
        self.run_exits(&scope.exits);
        self.end_before_defers(&scope.defers);
        self.b.set_unwind(scope.outer_unwind);
        self.b.refresh();
    }

    /// On the way of a panic, too, what was declared after a `defer` ends before that runs.
    fn end_before_defers(&mut self, defers: &[(BlockId, usize)]) {
        if !self.lw.watches_drops {
            return;
        }
        let all = self.b.locals.len();
        for (n, &(pad, later)) in defers.iter().enumerate() {
            // What came after the next `defer` ended before that one.
            let next = defers.get(n + 1).map_or(all, |&(_, later)| later);
            let between = self.b.locals.iter().skip(later).take(next - later);
            let ends: Vec<Local> =
                between.filter(|(_, it)| it.name.is_some()).map(|(local, _)| local).collect();
            self.b.put_first(pad, ends.into_iter().rev().map(StmtKind::EndScope));
        }
    }

    /// Runs what the scopes above `depth` must do, without ending them: control jumps out.
    pub(crate) fn leave_to(&mut self, depth: usize) {
        let exits: Vec<Vec<Exit>> = self.scopes[depth..].iter().rev().map(|it| it.exits.clone()).collect();
        let unwind = self.b.unwind();
        for exits in exits {
            // What is deferred in these scopes must not see them as its own.
            self.run_exits(&exits);
        }
        self.b.set_unwind(unwind);
    }

    /// A value that an expression made. Where a `drop` may be watching, it lives to the end of its statement.
    pub(crate) fn temporary(&mut self, value: Operand, ty: Ty) -> Operand {
        let plain = ty.known_fields().is_none()
            && !matches!(ty.kind(), TyKind::Adt(..) | TyKind::Tuple(_) | TyKind::Param(..));
        if !self.lw.watches_drops || plain || ty.is_unit() || matches!(value, Operand::Const(_)) {
            return value;
        }
        let temp = self.fix(value, ty);
        if let Some(scope) = self.scopes.last_mut() {
            scope.exits.push(Exit::Temp(temp));
        }
        Operand::local(temp)
    }

    /// How much the innermost scope has to do so far.
    pub(crate) fn start_statement(&self) -> usize {
        self.scopes.last().map_or(0, |scope| scope.exits.len())
    }

    /// Ends the temporaries made since the start of the statement.
    pub(crate) fn end_statement(&mut self, start: usize) {
        let Some(scope) = self.scopes.last_mut() else { return };
        let (temps, rest): (Vec<Exit>, Vec<Exit>) =
            scope.exits.drain(start..).partition(|it| matches!(it, Exit::Temp(_)));
        scope.exits.extend(rest);
        self.run_exits(&temps);
    }

    fn run_exits(&mut self, exits: &[Exit]) {
        let span = self.b.span();
        for exit in exits.iter().rev() {
            match exit {
                Exit::Local(local) | Exit::Temp(local) => self.b.push(StmtKind::EndScope(*local)),
                Exit::Defer(expr, outer) => {
                    self.b.set_unwind(*outer);
                    self.b.refresh();
                    self.deferred(*expr);
                }
            }
        }
        self.b.set_span(span);
    }

    fn deferred(&mut self, expr: ExprId) {
        let scopes = std::mem::take(&mut self.scopes);
        let loops = std::mem::take(&mut self.loops);
        self.open_scope();
        self.effect(expr);
        self.close_scope();
        self.scopes = scopes;
        self.loops = loops;
    }

    /// `defer`: from here on the statement runs on every way out, panics included.
    pub(crate) fn defer(&mut self, expr: ExprId) {
        let outer = self.b.unwind();
        let was_cleanup = self.b.set_cleanup(true);
        let pad = self.b.new_block();
        let after = self.b.is_open().then(|| {
            self.b.set_cleanup(was_cleanup);
            self.b.new_block()
        });
        if let Some(after) = after {
            self.b.goto(after);
        }
        self.b.set_cleanup(true);
        self.b.switch_to(pad);
        self.deferred(expr);
        match outer {
            Some(outer) => self.b.goto(outer),
            None => self.b.end(TermKind::Resume),
        }
        self.b.set_cleanup(was_cleanup);
        if let Some(after) = after {
            self.b.switch_to(after);
        }
        let later = self.b.locals.len();
        if let Some(scope) = self.scopes.last_mut() {
            scope.exits.push(Exit::Defer(expr, outer));
            scope.defers.push((pad, later));
        }
        self.b.set_unwind(Some(pad));
        self.b.refresh();
    }

    /// Leaves the function or lambda with local 0 set.
    pub(crate) fn leave(&mut self) {
        self.leave_to(0);
        self.b.end(TermKind::Return);
    }

    /// The whole body in the scope that is open: its value is returned.
    fn returned(&mut self, root: ExprId) {
        let ret = self.b.locals[Body::RETURN].ty;
        let is_discarded = self.types().coercions.get(root) == Some(&qz_infer::Coercion::Discard);
        if is_discarded && ret.as_adt().is_some() {
            // A `main` that a `?` made a Result.
            self.effect(root);
            let ok = self.lw.variant_index(self.lw.lang_adt("Result"), "Ok");
            let unit = self.unit();
            let value = Rvalue::Aggregate(qz_mir::AggregateKind::Variant(ret, ok), vec![unit]);
            self.b.assign_local(Body::RETURN, value);
        } else {
            self.store(root, Body::RETURN, ret);
        }
        self.close_scope();
        self.b.end(TermKind::Return);
    }

    /// Puts an expression's value into a local.
    pub(crate) fn store(&mut self, expr: ExprId, dest: Local, ty: Ty) {
        let value = self.value(expr);
        if ty.is_unit() || ty.is_never() {
            self.b.assign_local(dest, Rvalue::Use(self.unit()));
        } else {
            self.b.assign_local(dest, Rvalue::Use(value));
        }
    }

    fn bind_params(&mut self, locals: &[LocalId], types: &[Ty]) {
        let mut incoming = Vec::new();
        for (&local, &ty) in locals.iter().zip(types) {
            let name = self.body.locals[local].name;
            incoming.push((local, self.b.param(ty, (!name.as_str().is_empty()).then_some(name))));
        }
        for (local, param) in incoming {
            if self.body.locals[local].shared {
                self.bind_local(local, Operand::local(param));
            } else {
                self.homes.insert(local, Home::Local(param));
                self.end_with_scope(param);
            }
        }
    }
}

fn lower_function(lw: &Lowerer<'_, '_>, key: BodyKey, checked: Arc<CheckedFn>) -> Body {
    let ret = revealed(&checked, key.function);
    let span = checked.body.expr_span(checked.body.root);
    let mut cx = Cx::new(lw, key, checked, ret, span, None);
    let locals: Vec<LocalId> = cx.body.params.iter().map(|it| it.local).collect();
    let types: Vec<Ty> = locals.iter().map(|&it| cx.local_ty(it)).collect();
    cx.open_scope();
    cx.bind_params(&locals, &types);
    let root = cx.body.root;
    cx.returned(root);
    cx.b.finish()
}

/// The result as the body itself sees it: hidden types are what they stand for.
fn revealed(checked: &CheckedFn, function: FnId) -> Ty {
    struct Open<'a>(FnId, &'a [Ty]);
    impl qz_types::Fold for Open<'_> {
        fn fold_ty(&mut self, ty: Ty) -> Ty {
            match ty.kind() {
                TyKind::Opaque(owner, n, _) if *owner == self.0 => self.1[*n as usize],
                _ if ty.has(qz_types::TyFlags::OPAQUE) => self.fold_parts(ty),
                _ => ty,
            }
        }
    }
    use qz_types::Fold;
    Open(function, &checked.hidden).fold_ty(checked.scheme.ret)
}

/// The default of parameter `n`: a function of the parameters before it.
fn lower_default(lw: &Lowerer<'_, '_>, key: BodyKey, checked: Arc<CheckedFn>, n: u32) -> Body {
    let param = &checked.body.params[n as usize];
    let default = param.default.expect("the checker saw a default here");
    let ret = checked.types.locals[param.local];
    let span = checked.body.expr_span(default);
    let mut cx = Cx::new(lw, key, checked, ret, span, None);
    let locals: Vec<LocalId> = cx.body.params[..n as usize].iter().map(|it| it.local).collect();
    let types: Vec<Ty> = locals.iter().map(|&it| cx.local_ty(it)).collect();
    cx.open_scope();
    cx.bind_params(&locals, &types);
    cx.returned(default);
    cx.b.finish()
}

/// A lambda: its closure object first, then what it is called with.
fn lower_lambda(lw: &Lowerer<'_, '_>, key: BodyKey, checked: Arc<CheckedFn>, lambda: LambdaId) -> Body {
    let it = &checked.body.lambdas[lambda];
    let expr = checked
        .body
        .exprs
        .iter()
        .find(|(_, expr)| matches!(expr, hir::Expr::Lambda { lambda: found } if *found == lambda))
        .map(|(id, _)| id)
        .expect("every lambda has its expression");
    let fn_ty = checked.types.exprs[expr].as_fn().expect("a lambda is a function");
    let (params, captures, root) = (it.params.clone(), it.captures.clone(), it.body);
    let span = checked.body.expr_span(root);
    let mut cx = Cx::new(lw, key, checked, fn_ty.ret, span, Some(lambda));
    cx.b.declared_at(cx.body.expr_span(expr));
    cx.b.param(cx.ty(expr), None);
    let mut types = Vec::new();
    let mut borrowed = Vec::new();
    for (n, &captured) in captures.iter().enumerate() {
        let ty = cx.local_ty(captured);
        let n = n as u32;
        if cx.body.locals[captured].shared {
            types.push(cx.cell_ty(ty));
            cx.homes.insert(captured, Home::CaptureCell(n));
        } else {
            types.push(ty.peel_ref());
            cx.homes.insert(captured, Home::Capture(n));
            borrowed.extend(matches!(ty.kind(), qz_types::TyKind::Ref(..)).then_some((captured, n)));
        }
    }
    cx.b.set_captures(types.clone());
    cx.open_scope();
    if params.len() == fn_ty.params.len() {
        cx.bind_params(&params, fn_ty.params);
    } else {
        // A pair taken apart by two parameters, or arguments nobody looks at.
        let incoming: Vec<Local> = fn_ty.params.iter().map(|&ty| cx.b.param(ty, None)).collect();
        for (n, &local) in params.iter().enumerate() {
            let place = Place::local(incoming[0]).field(n as u32);
            cx.bind_local(local, Operand::Copy(place));
        }
    }
    for (captured, n) in borrowed {
        // The body knows it as a borrow: of what was captured.
        let ty = cx.local_ty(captured);
        let place = Place::local(Local::from_raw(1)).then(Proj::Capture(n));
        let home = cx.b.eval(ty, Rvalue::Ref(Mutability::Shared, place));
        cx.homes.insert(captured, Home::Local(home));
    }
    let head = cx.body.expr_span(expr);
    cx.b.set_span(head);
    cx.name_captures(&captures, &types);
    cx.b.set_span(span);
    cx.returned(root);
    cx.b.finish()
}

/// The operand that reads a borrow.
pub(crate) fn through(reference: Local) -> Operand {
    Operand::Copy(Place::local(reference).deref())
}

pub(crate) fn shared_ref(to: Ty) -> Ty {
    Ty::reference(Mutability::Shared, to)
}

pub(crate) fn int_ty() -> Ty {
    common().int
}
