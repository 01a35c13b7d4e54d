//! One function's tree to a [`Body`]: names looked up, sugar taken apart, captures known.
//!
//! The entry is [`lower_body`]. Scopes live here ([`Cx`]); the constructs are in the submodules, by concept.

mod actors;
mod calls;
mod clauses;
mod effects;
mod exprs;
mod generators;
mod loops;
mod names;
mod patterns;
mod refined;
mod regexes;
mod select;
mod stmts;
mod tasks;

use std::sync::Arc;

use qz_base::{Arena, FxHashMap, Name, Span, TextRange};
use qz_syntax::SyntaxNode;
use qz_syntax::ast::{self, AstNode};
use qz_types::{AdtId, FnId};

use crate::body::*;
use crate::defs::*;
use crate::diagnostics as words;
use crate::types::TypeCx;

/// Lowers the body of a function, constant or default. Problems go to [`Defs::report`].
pub fn lower_body(defs: &Defs, owner: FnId) -> Body {
    let def = &defs.fns[owner];
    let mut cx = Cx {
        defs,
        module: def.module,
        file: defs.file_of(def.module),
        types: defs.body_type_cx(owner),
        exprs: Arena::new(),
        pats: Arena::new(),
        locals: Arena::new(),
        lambdas: Arena::new(),
        loops: Arena::new(),
        source: SourceMap::default(),
        unsafe_ranges: Vec::new(),
        bindings: FxHashMap::default(),
        declared: Vec::new(),
        ended: FxHashMap::default(),
        frames: Vec::new(),
        bodies: Vec::new(),
        generator: None,
        actor_state: None,
        clause: None,
    };
    let before = defs.error_count();
    let (params, root) = cx.function(owner);
    // What an error left out may have been the use.
    if defs.error_count() == before {
        cx.warn_unused();
    }
    Body {
        owner,
        file: cx.file,
        exprs: cx.exprs,
        pats: cx.pats,
        locals: cx.locals,
        lambdas: cx.lambdas,
        loops: cx.loops,
        params,
        root,
        source: cx.source,
        unsafe_ranges: cx.unsafe_ranges,
    }
}

/// What `break`, `next`, `return` and `?` would leave, innermost last.
enum Frame {
    Loop(LoopId),
    Lambda(LambdaId),
    Defer,
}

/// Working state of one body.
struct Cx<'a> {
    defs: &'a Defs,
    module: ModuleId,
    file: qz_base::FileId,
    types: TypeCx<'a>,
    exprs: Arena<Expr>,
    pats: Arena<Pat>,
    locals: Arena<Local>,
    lambdas: Arena<Lambda>,
    loops: Arena<Loop>,
    source: SourceMap,
    unsafe_ranges: Vec<TextRange>,
    /// For each name, the locals of that name in scope, innermost last.
    bindings: FxHashMap<Name, Vec<LocalId>>,
    /// Names in order of declaration; scopes are marks into it.
    declared: Vec<Name>,
    /// Names whose scope ended, for a better message when they are used afterwards.
    ended: FxHashMap<Name, Span>,
    frames: Vec<Frame>,
    /// Lambdas being lowered, innermost last.
    bodies: Vec<LambdaId>,
    /// If the function has `yield`.
    generator: Option<generators::Generator>,
    /// In a handler: the struct whose fields are the actor's state.
    actor_state: Option<AdtId>,
    /// The handler's clause at hand: what `resume` means.
    clause: Option<effects::ClauseCx>,
}

/// Where a scope began.
struct Mark(usize);

impl<'a> Cx<'a> {
    fn span(&self, range: TextRange) -> Span {
        Span::new(self.file, range)
    }

    fn report(&self, problem: qz_diag::Diagnostic) {
        self.defs.report(problem);
    }

    fn expr(&mut self, expr: Expr, range: TextRange) -> ExprId {
        let id = self.exprs.alloc(expr);
        self.source.exprs.insert(id, range);
        id
    }

    fn missing(&mut self, range: TextRange) -> ExprId {
        self.expr(Expr::Missing, range)
    }

    fn pat(&mut self, pat: Pat, range: TextRange) -> PatId {
        let id = self.pats.alloc(pat);
        self.source.pats.insert(id, range);
        id
    }

    fn open_scope(&mut self) -> Mark {
        Mark(self.declared.len())
    }

    fn close_scope(&mut self, mark: Mark) {
        for name in self.declared.drain(mark.0..) {
            let ended = self.bindings.get_mut(&name).and_then(Vec::pop);
            if let Some(local) = ended {
                self.ended.insert(name, self.locals[local].span);
            }
        }
    }

    /// Runs `f` in a scope of its own.
    fn scoped<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> R {
        let mark = self.open_scope();
        let result = f(self);
        self.close_scope(mark);
        result
    }

    fn new_local(&mut self, name: Name, range: TextRange, mutable: bool, kind: LocalKind) -> LocalId {
        let span = self.span(range);
        let lambda = self.bodies.last().copied();
        self.locals.alloc(Local {
            name,
            span,
            mutable,
            kind,
            lambda,
            shared: false,
            writes_through: false,
            read: false,
        })
    }

    fn bring_into_scope(&mut self, local: LocalId) {
        let name = self.locals[local].name;
        self.bindings.entry(name).or_default().push(local);
        self.declared.push(name);
    }

    fn declare(&mut self, name: Name, range: TextRange, mutable: bool, kind: LocalKind) -> LocalId {
        let local = self.new_local(name, range, mutable, kind);
        self.bring_into_scope(local);
        local
    }

    /// A local no user can name.
    fn hidden(&mut self, range: TextRange, mutable: bool) -> LocalId {
        let local = self.new_local(qz_base::name::known::MISSING, range, mutable, LocalKind::Hidden);
        self.locals[local].read = true;
        local
    }

    /// Stores a value in a local no user can name.
    fn keep(&mut self, value: ExprId, stmts: &mut Vec<Stmt>) -> LocalId {
        let range = self.source.exprs[value];
        let local = self.hidden(range, false);
        let pat = self.pat(Pat::Bind { local, sub: None }, range);
        stmts.push(Stmt::Bind { pat, ty: None, value });
        local
    }

    fn find_local(&self, name: Name) -> Option<LocalId> {
        self.bindings.get(&name)?.last().copied()
    }

    /// A use of a local: every lambda between the use and the declaration captures it.
    fn use_local(&mut self, local: LocalId, range: TextRange) -> ExprId {
        self.locals[local].read = true;
        self.note_capture(local);
        self.expr(Expr::Local { local }, range)
    }

    fn note_capture(&mut self, local: LocalId) {
        let home = self.locals[local].lambda;
        let mut crossed = false;
        for &lambda in self.bodies.iter().rev() {
            if Some(lambda) == home {
                break;
            }
            crossed = true;
            let captures = &mut self.lambdas[lambda].captures;
            if !captures.contains(&local) {
                captures.push(local);
            }
        }
        if crossed && self.locals[local].mutable {
            self.locals[local].shared = true;
        }
    }

    /// Parameters and the body of any kind of owner.
    fn function(&mut self, owner: FnId) -> (Vec<BodyParam>, ExprId) {
        let def = &self.defs.fns[owner];
        match def.actor {
            Some(ActorFn::Handler(actor)) => self.actor_state = Some(self.defs.actors[actor].state),
            Some(part) => return self.actor_fn(owner, part),
            None => {}
        }
        if let FnKind::Refined(adt, part) = def.kind {
            return self.refined_fn(adt, part);
        }
        if let Some(effect) = def.operation {
            return self.operation(owner, effect);
        }
        if def.nodes.len() > 1 {
            return self.clauses(owner);
        }
        let node = self.defs.node(def.module, def.nodes[0]);
        let node = node.node();
        match ast::FnDef::cast(node) {
            Some(syntax) => self.plain_function(owner, syntax),
            None => (Vec::new(), self.initialiser(node)),
        }
    }

    fn initialiser(&mut self, node: SyntaxNode<'_>) -> ExprId {
        let value = ast::ConstDef::cast(node)
            .map(|it| it.value())
            .or_else(|| ast::StaticAssert::cast(node).map(|it| it.condition()))
            .or_else(|| ast::VarDef::cast(node).map(|it| it.value()))
            .or_else(|| ast::FieldDef::cast(node).map(|it| it.default()))
            .flatten();
        self.maybe_expr(value, node.range())
    }

    fn plain_function(&mut self, owner: FnId, syntax: ast::FnDef<'_>) -> (Vec<BodyParam>, ExprId) {
        let mut params = self.self_param(owner, syntax);
        let mut prologue = Vec::new();
        self.written_params(syntax, &mut params, &mut prologue);
        let range = syntax.body().map_or(syntax.syntax().range(), |body| body.syntax().range());
        let root = self.fn_root(owner, range, |cx| cx.fn_value(syntax));
        (params, self.with_prologue(prologue, root))
    }

    fn written_params(
        &mut self,
        syntax: ast::FnDef<'_>,
        params: &mut Vec<BodyParam>,
        prologue: &mut Vec<Stmt>,
    ) {
        for param in syntax.params().into_iter().flat_map(|list| list.params()) {
            let default = param.default().map(|it| self.scoped(|cx| cx.value_expr(it)));
            let local = self.param(param, prologue);
            params.push(BodyParam { local, default });
            self.check_new_param(params);
        }
    }

    /// The last parameter is not called like one before it.
    fn check_new_param(&mut self, params: &[BodyParam]) {
        let Some((last, before)) = params.split_last() else { return };
        let (name, again) = (self.locals[last.local].name, self.locals[last.local].span);
        let first = before.iter().map(|it| &self.locals[it.local]).find(|it| it.name == name);
        if let Some(first) = first.map(|it| it.span)
            && !matches!(name.as_str(), "" | "_")
        {
            self.report(words::duplicate(again, name, first));
        }
    }

    fn fn_value(&mut self, syntax: ast::FnDef<'_>) -> ExprId {
        match (syntax.body(), syntax.value()) {
            (Some(block), _) => self.block(block),
            (None, Some(value)) => self.scoped(|cx| cx.value_expr(value)),
            (None, None) => self.missing(syntax.syntax().range()),
        }
    }

    fn with_prologue(&mut self, prologue: Vec<Stmt>, root: ExprId) -> ExprId {
        if prologue.is_empty() {
            return root;
        }
        let range = self.source.exprs[root];
        self.expr(Expr::Block { stmts: prologue.into(), tail: Some(root) }, range)
    }

    fn self_param(&mut self, owner: FnId, syntax: ast::FnDef<'_>) -> Vec<BodyParam> {
        if self.defs.fns[owner].self_param.is_none() {
            return Vec::new();
        }
        let range =
            syntax.params().and_then(|l| l.self_param()).map(|it| it.syntax().range()).unwrap_or_default();
        let name = qz_base::name::known::SELF_VALUE;
        let local = self.declare(name, range, false, LocalKind::SelfParam);
        vec![BodyParam { local, default: None }]
    }

    /// A parameter; a pattern that cannot fail is taken apart at the start of the body.
    fn param(&mut self, param: ast::Param<'_>, prologue: &mut Vec<Stmt>) -> LocalId {
        match param.pat() {
            Some(ast::Pat::NamePat(pat)) if pat.name().is_some() => {
                let name = pat.name().expect("just seen");
                let local = self.declare(Name::new(name.text()), name.range(), false, LocalKind::Param);
                let borrows = matches!(param.ty(), Some(ast::TypeExpr::RefType(ty)) if ty.is_mut());
                self.locals[local].writes_through = borrows || (param.is_ref() && param.is_mut());
                local
            }
            Some(pat) => {
                let range = pat.syntax().range();
                let local = self.new_local(qz_base::name::known::MISSING, range, false, LocalKind::Param);
                if !matches!(pat, ast::Pat::WildcardPat(_) | ast::Pat::MissingPat(_)) {
                    let pat = self.new_pattern(pat);
                    let value = self.use_local(local, range);
                    prologue.push(Stmt::Bind { pat, ty: None, value });
                }
                local
            }
            None => self.hidden(param.syntax().range(), false),
        }
    }

    /// `def fact(0) = 1` and its further clauses: one match over the parameters.
    fn clauses(&mut self, owner: FnId) -> (Vec<BodyParam>, ExprId) {
        let def = &self.defs.fns[owner];
        let first = self.defs.node(def.module, def.nodes[0]);
        let first = ast::FnDef::cast(first.node()).expect("clauses are functions");
        let range = first.name().map_or(first.syntax().range(), |it| it.range());
        let mut params = self.self_param(owner, first);
        let own = first.params().map_or(0, |list| list.params().count());
        let mut locals = Vec::new();
        for _ in 0..own {
            let local = self.new_local(qz_base::name::known::MISSING, range, false, LocalKind::Param);
            params.push(BodyParam { local, default: None });
            locals.push(local);
        }
        let root = self.fn_root(owner, range, |cx| cx.clauses_match(owner, &locals, range));
        (params, root)
    }

    fn clauses_match(&mut self, owner: FnId, params: &[LocalId], range: TextRange) -> ExprId {
        let def = &self.defs.fns[owner];
        let mut arms = Vec::new();
        for &node in &def.nodes {
            let node = self.defs.node(def.module, node);
            if let Some(clause) = ast::FnDef::cast(node.node()) {
                arms.push(self.clause(clause));
            }
        }
        let values: Vec<ExprId> = params.iter().map(|&local| self.use_local(local, range)).collect();
        let subject = match values[..] {
            [one] => one,
            _ => self.expr(Expr::Tuple { elems: values.into() }, range),
        };
        let from = MatchFrom::Clauses;
        self.expr(Expr::Match { subject, arms: arms.into(), from }, range)
    }

    fn clause(&mut self, clause: ast::FnDef<'_>) -> Arm {
        self.scoped(|cx| {
            let mut pats = Vec::new();
            for param in clause.params().into_iter().flat_map(|list| list.params()) {
                if param.default().is_some() || param.is_rest() {
                    let span = cx.span(param.syntax().range());
                    cx.report(words::clauses_defaults(span));
                }
                pats.push(match param.pat() {
                    Some(pat) => cx.new_pattern(pat),
                    None => cx.pat(Pat::Missing, param.syntax().range()),
                });
            }
            let range = clause.syntax().range();
            let pat = match pats[..] {
                [one] => one,
                _ => cx.pat(Pat::Tuple { elems: pats.into(), gap: Gap::default() }, range),
            };
            let body = cx.fn_value(clause);
            Arm { pat, guard: None, body }
        })
    }

    fn warn_unused(&mut self) {
        // What the parser could not read may have been the use.
        if self.exprs.values().any(|it| matches!(it, Expr::Missing)) {
            return;
        }
        for (_, local) in self.locals.iter() {
            let name = local.name.as_str();
            // What a quote binds need not be read in every expansion. A keyword as a name was reported, and cannot be read.
            let silent = local.read
                || local.kind != LocalKind::Binding
                || name.starts_with('_')
                || name.contains(qz_base::name::MARK)
                || qz_syntax::SyntaxKind::is_hard_keyword_text(name);
            if !silent && !self.defs.modules[self.module].is_std {
                self.defs.report(words::unused_name(local.span, local.name));
            }
        }
    }

    fn text_of(&self, node: SyntaxNode<'_>) -> Arc<str> {
        Arc::from(&*qz_base::name::without_marks(node.text()))
    }
}
