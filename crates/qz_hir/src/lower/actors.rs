//! Actors: what the functions that were made for them do, and what bare names mean in a handler.
//!
//! ```text
//! def add(k: Int): Int        def add(self, k: Int): Task<Int>
//!   n += k               is     self.(core).call(s -> s.add(k))
//!   n                         end
//! end
//! ```

use qz_base::{Name, TextRange};
use qz_syntax::ast::{self, AstNode};
use qz_types::{AdtId, FnId, Ty, Tys};

use super::Cx;
use super::names::Callee;
use crate::body::*;
use crate::collect::actors::{is_computed, state_fields};
use crate::defs::*;
use crate::diagnostics as words;
use crate::types::actors::CORE_FIELD;

impl Cx<'_> {
    /// Whether a bare name means a part of the actor's state.
    pub(super) fn is_state(&self, name: Name) -> bool {
        self.actor_state.is_some_and(|state| {
            self.defs.adt_fields(state).variants.iter().flat_map(|it| &it.fields).any(|it| it.name == name)
        })
    }

    /// `self.name`, for the bare name of a part of the actor's state.
    pub(super) fn state_field(&mut self, name: Name, range: TextRange) -> Option<ExprId> {
        if !self.is_state(name) {
            return None;
        }
        let receiver = self.self_expr(range);
        Some(self.member(receiver, name, range))
    }

    /// `self.name`, for the bare name of another handler: it runs at once.
    pub(super) fn own_handler(&mut self, name: Name, name_range: TextRange) -> Option<Callee> {
        let state = self.actor_state?;
        if self.find_local(name).is_some() || self.defs.inherent_methods(TyHead::Adt(state), name).is_empty()
        {
            return None;
        }
        let receiver = self.self_expr(name_range);
        Some(Callee::Assoc { receiver, name, name_range, type_args: &[] })
    }

    fn member(&mut self, receiver: ExprId, name: Name, range: TextRange) -> ExprId {
        let args = [].into();
        self.expr(
            Expr::Method { receiver, name, name_range: range, type_args: &[], args, has_parens: false },
            range,
        )
    }

    pub(super) fn actor_fn(&mut self, owner: FnId, part: ActorFn) -> (Vec<BodyParam>, ExprId) {
        let def = &self.defs.fns[owner];
        let (name, range) = (def.name, def.name_range);
        let mut params = Vec::new();
        if def.self_param.is_some() {
            let local = self.declare(qz_base::name::known::SELF_VALUE, range, false, LocalKind::SelfParam);
            params.push(BodyParam { local, default: None });
        }
        let given = match part {
            ActorFn::Start(actor, None) => Some(self.unset_params(actor, &mut params)),
            _ => self.passed_on(owner, &mut params),
        };
        let Some(given) = given else { return (params, self.missing(range)) };
        let root = match part {
            ActorFn::Start(actor, init) => self.start(actor, init, given, range),
            ActorFn::Message(actor) => self.message(actor, name, given, range),
            ActorFn::Handler(_) | ActorFn::Stop => {
                let core = self.core(range);
                self.method(core, "stop", Vec::new(), range)
            }
        };
        (params, root)
    }

    /// Parameters of the function in the text, to be handed on in a lambda; `None` if one cannot be.
    fn passed_on(&mut self, owner: FnId, params: &mut Vec<BodyParam>) -> Option<Vec<(LocalId, ArgKind)>> {
        let def = &self.defs.fns[owner];
        let node = self.defs.node(def.module, def.nodes[0]);
        let syntax = ast::FnDef::cast(node.node());
        let (mut given, mut crosses) = (Vec::new(), true);
        let written = syntax.and_then(|it| it.params());
        for param in written.into_iter().flat_map(|list| list.params()) {
            let range = param.syntax().range();
            let default = param.default().map(|it| self.scoped(|cx| cx.value_expr(it)));
            let name = match param.pat() {
                Some(ast::Pat::NamePat(pat)) => pat.name().map(|it| Name::new(it.text())),
                _ => None,
            };
            let local = match name {
                Some(name) => self.declare(name, range, false, LocalKind::Param),
                None => self.hidden(range, false),
            };
            if matches!(param.ty(), Some(ast::TypeExpr::RefType(ty)) if ty.is_mut()) {
                let span = self.span(range);
                self.report(words::borrow_for_task(span));
                crosses = false;
            }
            params.push(BodyParam { local, default });
            given.push((local, if param.is_rest() { ArgKind::Spread } else { ArgKind::Positional }));
        }
        crosses.then_some(given)
    }

    /// Parameters for the parts of the state that have no value.
    fn unset_params(&mut self, actor: ActorId, params: &mut Vec<BodyParam>) -> Vec<(LocalId, ArgKind)> {
        let fields = self.defs.adt_fields(self.defs.actors[actor].state);
        let mut given = Vec::new();
        for field in fields.variants[0].fields.iter().filter(|field| field.default.is_none()) {
            let local = self.declare(field.name, field.range, false, LocalKind::Param);
            params.push(BodyParam { local, default: None });
            given.push((local, ArgKind::Named(field.name, field.range)));
        }
        given
    }

    fn args_of(&mut self, given: Vec<(LocalId, ArgKind)>, range: TextRange) -> Box<[Arg]> {
        given.into_iter().map(|(local, kind)| Arg { kind, value: self.use_local(local, range) }).collect()
    }

    fn core(&mut self, range: TextRange) -> ExprId {
        let me = self.self_expr(range);
        self.member(me, Name::new(CORE_FIELD), range)
    }

    /// `self.(core).call(s -> s.name(…))`
    fn message(
        &mut self,
        actor: ActorId,
        name: Name,
        given: Vec<(LocalId, ArgKind)>,
        range: TextRange,
    ) -> ExprId {
        let core = self.core(range);
        let state = self.defs.adt_identity(self.defs.actors[actor].state);
        let (_, handle) = self.lambda_with(
            range,
            |cx, _| {
                let state_name = qz_base::name::known::SELF_VALUE;
                (vec![cx.declare(state_name, range, false, LocalKind::Hidden)], vec![Some(state)])
            },
            |cx| cx.handler_call(name, given, range),
        );
        self.method(core, "call", vec![handle], range)
    }

    /// A handler's call on the state, which is called `self` here.
    fn handler_call(&mut self, name: Name, given: Vec<(LocalId, ArgKind)>, range: TextRange) -> ExprId {
        let receiver = self.self_expr(range);
        let args = self.args_of(given, range);
        self.expr(
            Expr::Method { receiver, name, name_range: range, type_args: &[], args, has_parens: true },
            range,
        )
    }

    /// `Name { (core): ActorCore.start(() -> state, capacity, policy) }`
    fn start(
        &mut self,
        actor: ActorId,
        init: Option<FnId>,
        given: Vec<(LocalId, ArgKind)>,
        range: TextRange,
    ) -> ExprId {
        let &ActorDef { state, mailbox } = &self.defs.actors[actor];
        let known = self.defs.lang.adt("ActorCore").zip(self.types.self_ty.and_then(Ty::as_adt));
        let Some((core, (reference, type_args))) = known else { return self.later(range, "actors") };
        let (_, make) = self.lambda_with(
            range,
            |_, _| (Vec::new(), Vec::new()),
            |cx| cx.first_state(state, type_args, init, given, range),
        );
        let capacity = self.number(mailbox.capacity, range);
        let policy = self.number(mailbox.policy.into(), range);
        let core = self.expr(Expr::TypeRecv { ty: Ty::adt(core, &[crate::types::hole()]) }, range);
        let value = self.method(core, "start", vec![make, capacity, policy], range);
        let field = FieldInit { name: Name::new(CORE_FIELD), name_range: range, value };
        let path = StructPath::Adt(reference, type_args);
        self.expr(Expr::Struct { path, fields: [field].into(), spread: None }, range)
    }

    fn number(&mut self, value: u64, range: TextRange) -> ExprId {
        let value = Literal::Int { value: value.into(), negative: false };
        self.expr(Expr::Lit { value }, range)
    }

    /// Parts of the state that should have had values.
    fn reported_fields(&mut self, path: StructPath, range: TextRange) -> Box<[FieldInit]> {
        let StructPath::Adt(state, _) = path else { return [].into() };
        let fields = self.defs.adt_fields(state);
        let unset = fields.variants[0].fields.iter().filter(|field| field.default.is_none());
        unset
            .map(|it| FieldInit { name: it.name, name_range: it.range, value: self.missing(range) })
            .collect()
    }

    /// The parts of the state that have values, in their order, where one of them names another.
    fn computed_state(&mut self, state: AdtId, stmts: &mut Vec<Stmt>) -> Vec<FieldInit> {
        let def = &self.defs.adts[state];
        let node = self.defs.node(def.module, def.node);
        let Some(actor) = ast::ActorDef::cast(node.node()).filter(|it| is_computed(*it)) else {
            return Vec::new();
        };
        let declared = self.defs.adt_fields(state);
        let mut fields = Vec::new();
        for (part, field) in state_fields(actor).zip(&declared.variants[0].fields) {
            let Some(value) = part.value else { continue };
            let value = self.scoped(|cx| cx.value_expr(value));
            let local = self.declare(field.name, field.range, false, LocalKind::Binding);
            let pat = self.pat(Pat::Bind { local, sub: None }, field.range);
            stmts.push(Stmt::Bind { pat, ty: Some(field.ty), value });
            let value = self.use_local(local, field.range);
            fields.push(FieldInit { name: field.name, name_range: field.range, value });
        }
        fields
    }

    /// The state that an actor starts with, after its `init`.
    fn first_state(
        &mut self,
        state: AdtId,
        type_args: Tys,
        init: Option<FnId>,
        given: Vec<(LocalId, ArgKind)>,
        range: TextRange,
    ) -> ExprId {
        let path = StructPath::Adt(state, type_args);
        let args = self.args_of(given, range);
        let Some(init) = init else {
            let mut stmts = Vec::new();
            let computed = self.computed_state(state, &mut stmts);
            let field = |arg: Arg| match arg.kind {
                ArgKind::Named(name, name_range) => Some(FieldInit { name, name_range, value: arg.value }),
                ArgKind::Positional | ArgKind::Spread | ArgKind::Block => None,
            };
            let fields = args.into_iter().filter_map(field).chain(computed).collect();
            let state = self.expr(Expr::Struct { path, fields, spread: None }, range);
            return match stmts.is_empty() {
                true => state,
                false => self.expr(Expr::Block { stmts: stmts.into(), tail: Some(state) }, range),
            };
        };
        let mut stmts = Vec::new();
        let fields = self.reported_fields(path, range);
        let empty = self.expr(Expr::Struct { path, fields, spread: None }, range);
        let state = self.keep(empty, &mut stmts);
        let receiver = self.use_local(state, range);
        let name = self.defs.fns[init].name;
        stmts.push(Stmt::Expr(self.expr(
            Expr::Method { receiver, name, name_range: range, type_args: &[], args, has_parens: true },
            range,
        )));
        let tail = Some(self.use_local(state, range));
        self.expr(Expr::Block { stmts: stmts.into(), tail }, range)
    }
}
