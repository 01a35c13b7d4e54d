//! What `actor Name … end` declares: a struct for the state with the handlers as methods, and the struct `Name`, whose
//! methods post messages.

use std::cell::OnceCell;

use qz_base::Name;
use qz_syntax::ast::{self, AstNode};
use qz_syntax::literals::Literal;
use qz_syntax::{SyntaxNode, SyntaxToken};
use qz_types::{AdtId, FnId};

use super::attributes::Place;
use super::{Attrs, Collector};
use crate::defs::*;
use crate::diagnostics as words;
use crate::scope::Def;

const USUAL_MAILBOX: Mailbox = Mailbox { capacity: 1024, policy: 0 };

/// One part of an actor's state: `var n = 0` or `n: Int`.
pub(crate) struct StateField<'t> {
    pub(crate) name: SyntaxToken<'t>,
    pub(crate) ty: Option<ast::TypeExpr<'t>>,
    pub(crate) value: Option<ast::Expr<'t>>,
    pub(crate) node: SyntaxNode<'t>,
}

/// The state of an actor, in source order.
pub(crate) fn state_fields<'t>(actor: ast::ActorDef<'t>) -> impl Iterator<Item = StateField<'t>> {
    actor.syntax().children().filter_map(|node| {
        if let Some(it) = ast::FieldDef::cast(node) {
            return Some(StateField { name: it.name()?, ty: it.ty(), value: it.default(), node });
        }
        let it = ast::VarDef::cast(node)?;
        Some(StateField { name: it.name()?, ty: it.ty(), value: it.value(), node })
    })
}

/// Whether a part of an actor's state names an argument of `new` or an earlier part, so that `new` has to compute the
/// parts in their order. With an `init`, that is what computes.
pub(crate) fn is_computed(actor: ast::ActorDef<'_>) -> bool {
    let is_init = |it: ast::FnDef<'_>| it.name().is_some_and(|it| it.text() == "init");
    if actor.syntax().children().filter_map(ast::FnDef::cast).any(is_init) {
        return false;
    }
    let arguments = state_fields(actor).filter(|it| it.value.is_none());
    let mut known: Vec<&str> = arguments.map(|it| it.name.text()).collect();
    state_fields(actor).any(|field| {
        let is_known = |it: SyntaxNode<'_>| match ast::Expr::cast(it) {
            Some(ast::Expr::PathExpr(it)) => it.single_name().is_some_and(|it| known.contains(&it.text())),
            _ => false,
        };
        let value = field.value.map(ast::Expr::syntax);
        let found = value.is_some_and(|it| is_known(it) || it.descendants().any(is_known));
        known.push(field.name.text());
        found
    })
}

impl Collector<'_> {
    pub(super) fn actor_def(&mut self, it: ast::ActorDef<'_>) {
        let mailbox = self.mailbox(it);
        self.attrs(Place::Other, it.attrs().filter(|attr| !is_mailbox(*attr)));
        let Some(name) = it.name() else { return };
        let state = self.adt(name, it.syntax(), AdtKind::Struct, true, Attrs::default(), None);
        let reference = self.adt(name, it.syntax(), AdtKind::Struct, it.is_private(), Attrs::default(), None);
        self.defs.adts[state].name = Name::new(&format!("{}.state", name.text()));
        self.defs.adts[state].actor = Some(ActorSide::State);
        self.defs.adts[reference].actor = Some(ActorSide::Reference(state));
        self.declare(name, Def::Adt(reference), it.is_private());
        self.state_defaults(state, it);

        let actor = self.defs.actors.alloc(ActorDef { state, mailbox });
        let handlers = self.new_impl(it.syntax(), ImplOrigin::Body(state), false);
        let members: Vec<_> = it.items().filter(|it| !matches!(it, ast::Item::VarDef(_))).collect();
        self.methods(handlers, &members);
        let messages = self.new_impl(it.syntax(), ImplOrigin::Body(reference), false);
        let mut inits = Vec::new();
        for handler in self.defs.impls[handlers].methods.clone() {
            let def = &mut self.defs.fns[handler];
            (def.actor, def.self_param) = (Some(ActorFn::Handler(actor)), Some(SelfKind::Value));
            if def.name.as_str() == "init" {
                inits.push(handler);
            } else if !def.is_private {
                self.message(messages, handler, actor);
            }
        }
        self.starts(messages, actor, it, &inits);
        self.stop(messages, it, name);
    }

    fn state_defaults(&mut self, state: AdtId, it: ast::ActorDef<'_>) {
        let is_computed = is_computed(it);
        for (index, field) in state_fields(it).enumerate() {
            if field.value.is_some() {
                let kind = FnKind::FieldDefault(state, index as u32);
                let name = Name::new(field.name.text());
                let init = self.initialiser(name, field.name.range(), field.node, kind, false);
                // `new` computes it, where the other parts have names.
                self.defs.fns[init].has_body = !is_computed;
                self.defs.field_defaults.insert((state, index as u32), init);
            }
        }
    }

    /// What others call in place of a handler.
    fn message(&mut self, block: ImplId, handler: FnId, actor: ActorId) {
        let def = &self.defs.fns[handler];
        let message = FnDef {
            container: Container::Impl(block),
            nodes: def.nodes.clone(),
            ..made_up(def.name, def, ActorFn::Message(actor))
        };
        self.add_method(block, message);
    }

    /// `new` for each `init`, or one that takes the state that has no value.
    fn starts(&mut self, block: ImplId, actor: ActorId, it: ast::ActorDef<'_>, inits: &[FnId]) {
        let new = Name::new("new");
        for &init in inits {
            self.check_state_is_set(it, init);
            let def = &self.defs.fns[init];
            let start = FnDef {
                container: Container::Impl(block),
                nodes: def.nodes.clone(),
                self_param: None,
                ..made_up(new, def, ActorFn::Start(actor, Some(init)))
            };
            self.add_method(block, start);
        }
        if inits.is_empty()
            && let Some(name) = it.name()
        {
            let unset = state_fields(it).filter(|field| field.value.is_none()).count() as u32;
            let start = self.initialiser(new, name.range(), it.syntax(), FnKind::Normal, false);
            let def = &mut self.defs.fns[start];
            def.container = Container::Impl(block);
            def.arity = (unset, Some(unset));
            def.actor = Some(ActorFn::Start(actor, None));
            self.defs.impls[block].methods.push(start);
        }
    }

    fn check_state_is_set(&mut self, it: ast::ActorDef<'_>, init: FnId) {
        for field in state_fields(it).filter(|field| field.value.is_none()) {
            let span = self.span(field.name.range());
            self.defs.report(words::state_unset(span, field.name.text(), self.defs.fn_span(init)));
        }
    }

    /// `stop`, unless the actor has a handler of that name.
    fn stop(&mut self, block: ImplId, it: ast::ActorDef<'_>, name: SyntaxToken<'_>) {
        let stop = Name::new("stop");
        if self.defs.impls[block].methods.iter().any(|&it| self.defs.fns[it].name == stop) {
            return;
        }
        let id = self.initialiser(stop, name.range(), it.syntax(), FnKind::Normal, false);
        let def = &mut self.defs.fns[id];
        (def.container, def.self_param) = (Container::Impl(block), Some(SelfKind::Value));
        def.actor = Some(ActorFn::Stop);
        self.defs.impls[block].methods.push(id);
    }

    fn add_method(&mut self, block: ImplId, def: FnDef) {
        let id = self.defs.fns.push(def);
        self.defs.impls[block].methods.push(id);
    }

    /// `@mailbox(64, drop_old)`.
    fn mailbox(&mut self, it: ast::ActorDef<'_>) -> Mailbox {
        let Some(attr) = it.attrs().find(|attr| is_mailbox(*attr)) else { return USUAL_MAILBOX };
        read_mailbox(attr).unwrap_or_else(|| {
            let span = self.span(attr.syntax().range());
            self.defs.report(words::mailbox_form(span, &MAILBOX_POLICIES));
            USUAL_MAILBOX
        })
    }
}

/// A function that stands nowhere in the text, with what it shares with one that does.
fn made_up(name: Name, like: &FnDef, part: ActorFn) -> FnDef {
    FnDef {
        name,
        name_range: like.name_range,
        module: like.module,
        container: like.container,
        nodes: Vec::new(),
        kind: FnKind::Normal,
        is_private: false,
        attrs: FnAttrs::default(),
        self_param: Some(SelfKind::Value),
        arity: like.arity,
        has_body: true,
        actor: Some(part),
        operation: None,
        sig: OnceCell::new(),
    }
}

fn is_mailbox(attr: ast::Attr<'_>) -> bool {
    attr.name().is_some_and(|name| name.text() == "mailbox")
}

fn read_mailbox(attr: ast::Attr<'_>) -> Option<Mailbox> {
    let mut args = attr.args()?.args();
    let Some(ast::Arg::Expr(ast::Expr::LiteralExpr(capacity))) = args.next() else { return None };
    let Some(Literal::Int(Ok(capacity))) = capacity.value() else { return None };
    let policy = match args.next() {
        Some(policy) => MAILBOX_POLICIES.iter().position(|it| *it == policy.syntax().text())?,
        None => 0,
    };
    let capacity = u64::try_from(capacity).ok().filter(|it| *it > 0)?;
    let is_whole = args.next().is_none();
    is_whole.then_some(Mailbox { capacity, policy: policy as u8 })
}
