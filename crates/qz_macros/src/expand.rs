//! The rounds of expansion: find the outermost calls of a declaration, replace each by what its macro gives, parse, and look
//! again. Declarations are expanded one by one, so that a call costs no more than the declaration it stands in.

use std::rc::Rc;

use qz_base::{FxHashMap, FxHashSet, Name, Span, TextRange};
use qz_diag::{Code as DiagCode, Diagnostic};
use qz_syntax::SyntaxKind::{self, *};
use qz_syntax::ast::{self, AstNode};
use qz_syntax::{SyntaxElement, SyntaxNode, SyntaxToken};

use crate::code::{Code, Expansion, ExpansionId, NOBODY, Parsed, Trace};
use crate::eval::Run;
use crate::fill::{put_block, quoted};
use crate::quote::Template;
use crate::scope::{Found, Macro, Scopes};
use crate::value::{Shape, Tree, Value, Var};
use crate::{Expanded, Module, Outcome, heredocs, layout, words};

/// Expansions may stand so deep in each other.
pub(crate) const MAX_DEPTH: u32 = 128;
/// A program may have so many.
const MAX_EXPANSIONS: usize = 100_000;
/// Bytes that expansions may make.
pub(crate) const MAX_SIZE: u64 = 32 << 20;
/// Steps of macro bodies.
pub(crate) const MAX_STEPS: u64 = 20_000_000;

/// A call that could not be expanded: later stages take it for something missing.
const FAILED: &str = "failed\u{F8FF}";

/// Macros of the language, which later stages know.
const BUILTIN: &[&str] = &["unwrap", "try", "assert", "debug"];
/// What `@derive` may name because every type has it.
const ALWAYS: &[&str] = &["Eq", "Ord", "Hash", "Show", "Clone", "Inspect"];

pub(crate) struct Expander<'a> {
    pub(crate) scopes: Scopes<'a>,
    /// The library's module that layouts are made of.
    binary: Option<usize>,
    pub(crate) trace: Trace,
    pub(crate) problems: Vec<Diagnostic>,
    pub(crate) steps: u64,
    pub(crate) too_long: bool,
    size: u64,
    /// A limit of the whole program was reached, and told.
    stopped: bool,
    pub(crate) templates: FxHashMap<(usize, u32), (Rc<Template>, Rc<Parsed>)>,
}

/// Where a call stands.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Position {
    Item,
    /// A statement on lines of its own.
    Stmt,
    Expr,
    Pat,
    Type,
}

impl Position {
    fn words(self) -> &'static str {
        match self {
            Position::Item => "a declaration",
            Position::Stmt => "a statement",
            Position::Expr => "an expression",
            Position::Pat => "a pattern",
            Position::Type => "a type",
        }
    }

    /// Whether a text is a pattern or a type: the parser has no complaint about it alone in such a place.
    fn takes(self, inside: &Code) -> bool {
        let around = match self {
            Position::Pat => ["def quote = match ()\n  (", ") => ()\nend\n"],
            Position::Type => ["type Quote = (", ")\n"],
            _ => return true,
        };
        let text = format!("{}{}{}", around[0], inside.text, around[1]);
        !inside.text.trim().is_empty() && qz_syntax::parse_expanded(&text).problems.is_empty()
    }
}

/// Expands all modules. Those without calls are left out.
pub fn expand(modules: &[Module], from: usize, prelude: Option<usize>, binary: Option<usize>) -> Outcome {
    let mut expander = Expander {
        scopes: Scopes::new(modules, prelude),
        binary,
        trace: Trace::default(),
        problems: Vec::new(),
        steps: 0,
        too_long: false,
        size: 0,
        stopped: false,
        templates: FxHashMap::default(),
    };
    let mut expanded = Vec::new();
    for (at, module) in modules.iter().enumerate().skip(from) {
        let has = Kinds::of(module.tree.elements().iter().map(|it| it.kind));
        if has.macros {
            expander.check_macros(at);
        }
        if has.calls || has.attrs || has.layouts {
            expanded.extend(expander.module(at, module));
        }
    }
    Outcome { modules: expanded, trace: expander.trace, problems: expander.problems }
}

struct Kinds {
    macros: bool,
    calls: bool,
    attrs: bool,
    layouts: bool,
}

impl Kinds {
    fn of(kinds: impl Iterator<Item = SyntaxKind>) -> Kinds {
        let mut found = Kinds { macros: false, calls: false, attrs: false, layouts: false };
        for kind in kinds {
            match kind {
                MacroDef => found.macros = true,
                MacroCallExpr | MacroPat | MacroType => found.calls = true,
                Attr => found.attrs = true,
                PackedStructDef | BinaryDef => found.layouts = true,
                _ => {}
            }
        }
        found
    }
}

impl Expander<'_> {
    fn module(&mut self, at: usize, module: &Module) -> Option<Expanded> {
        let source = Rc::new(module.source());
        let root = source.root();
        if !self.has_work(at, root) {
            return None;
        }
        let mut code = Code::default();
        let mut made = FxHashSet::default();
        for element in root.children_with_tokens() {
            match element {
                SyntaxElement::Node(node) if self.has_work(at, node) => {
                    let piece = self.declaration(at, &source, node, &mut made);
                    code.push_code(&piece);
                }
                SyntaxElement::Node(node) => copy_node(&source, node, &mut code),
                SyntaxElement::Token(token) => copy(&source, token.range(), &mut code),
            }
        }
        let (parsed, problems) = Parsed::parse(code);
        if !module.is_broken {
            for problem in &problems {
                self.syntax_problem(&parsed, problem);
            }
        }
        let tree = Rc::new(parsed);
        Some(Expanded {
            module: at,
            text: tree.text.clone(),
            tree: (*tree.tree).clone(),
            origins: tree.origins.clone(),
            made,
        })
    }

    /// Whether something in a node is to be expanded.
    fn has_work(&self, _module: usize, node: SyntaxNode<'_>) -> bool {
        if layout::has_layouts(node) {
            return true;
        }
        let mut skip_until = 0;
        node.descendants().any(|it| {
            if it.index() < skip_until {
                return false;
            }
            match it.kind() {
                MacroDef => {
                    let last = it.descendants().last().map_or(it.index(), |last| last.index());
                    skip_until = last + 1;
                    false
                }
                MacroCallExpr | MacroPat | MacroType => is_user_call(it),
                Attr => is_derive(it),
                _ => false,
            }
        })
    }

    /// Rounds over one declaration, until nothing is left to expand.
    fn declaration(
        &mut self,
        module: usize,
        source: &Rc<Parsed>,
        node: SyntaxNode<'_>,
        made: &mut FxHashSet<Name>,
    ) -> Code {
        let mut code = match heredocs::in_calls(node) {
            true => heredocs::without(source, node),
            false => self.rewrite(module, source, node),
        };
        loop {
            let (parsed, problems) = Parsed::parse(code.clone());
            let from_quote = problems.iter().find(|it| parsed.place(it.range).1 != NOBODY);
            if from_quote.is_some() {
                // The last parse of the module reports it.
                return code;
            }
            let parsed = Rc::new(parsed);
            self.note_made(module, &parsed, made);
            if self.stopped || !self.has_work(module, parsed.root()) {
                return code;
            }
            code = match heredocs::in_calls(parsed.root()) {
                true => heredocs::without(&parsed, parsed.root()),
                false => self.rewrite(module, &parsed, parsed.root()),
            };
        }
    }

    /// Declarations that quotes wrote: their names, and macros among them.
    fn note_made(&mut self, module: usize, parsed: &Rc<Parsed>, made: &mut FxHashSet<Name>) {
        let Some(file) = ast::SourceFile::cast(parsed.root()) else { return };
        for item in file.items() {
            let (_, by) = parsed.place(TextRange::empty(item.syntax().range().start));
            if by == NOBODY {
                continue;
            }
            made.extend(crate::scope::declared_name(item));
            if let ast::Item::MacroDef(it) = item {
                self.scopes.add(module, parsed, it);
            }
        }
    }

    fn syntax_problem(&mut self, parsed: &Parsed, problem: &qz_syntax::SyntaxProblem) {
        let (place, by) = parsed.place(problem.range);
        if problem.kind == qz_syntax::SyntaxProblemKind::TooDeep && by != NOBODY {
            let message = "what macros make here is nested too deep".to_owned();
            return self.problems.push(words::limit(&self.trace, by, message));
        }
        let message = format!("the expansion is no Quartz: {}", problem.message());
        if by == NOBODY {
            return self.problems.push(Diagnostic::new(DiagCode::MACRO_FAILED, place, message));
        }
        self.problems.push(words::failed(&self.trace, by, message).at(place, "from here"));
    }

    /// A node's text with the outermost calls replaced.
    fn rewrite(&mut self, module: usize, source: &Rc<Parsed>, node: SyntaxNode<'_>) -> Code {
        let mut code = Code::default();
        if node.index() == 0 {
            for element in node.children_with_tokens() {
                self.rewrite_element(module, source, element, SourceFile, &mut code);
            }
        } else {
            self.rewrite_element(module, source, SyntaxElement::Node(node), SourceFile, &mut code);
        }
        code
    }

    fn rewrite_element(
        &mut self,
        module: usize,
        source: &Rc<Parsed>,
        element: SyntaxElement<'_>,
        parent: SyntaxKind,
        code: &mut Code,
    ) {
        let node = match element {
            SyntaxElement::Token(token) => return copy(source, token.range(), code),
            SyntaxElement::Node(node) => node,
        };
        match node.kind() {
            MacroDef => return copy_node(source, node, code),
            _ if is_user_call(node) => return self.replace(module, source, node, parent, code),
            PackedStructDef | BinaryDef if parent == SourceFile && layout::is_layout(node) => {
                return self.layout(module, source, node, code);
            }
            _ => {}
        }
        if !self.has_work(module, node) {
            return copy_node(source, node, code);
        }
        let derives: Vec<SyntaxNode<'_>> =
            node.children().filter(|it| it.kind() == Attr && is_derive(*it)).collect();
        if derives.is_empty() {
            stacker::maybe_grow(64 << 10, 1 << 20, || {
                for element in node.children_with_tokens() {
                    self.rewrite_element(module, source, element, node.kind(), code);
                }
            });
            return;
        }
        for element in node.children_with_tokens() {
            match element {
                SyntaxElement::Node(inner) if derives.contains(&inner) => {}
                other => self.rewrite_element(module, source, other, node.kind(), code),
            }
        }
        for attr in derives {
            self.derive(module, source, node, attr, code);
        }
    }

    /// Puts the declarations that a layout stands for in its place.
    fn layout(&mut self, module: usize, source: &Parsed, node: SyntaxNode<'_>, code: &mut Code) {
        let (call, parent) = source.place(node.range());
        let depth = self.trace.0.get(parent as usize).map_or(1, |it| it.depth + 1);
        let id = self.trace.0.len() as ExpansionId;
        let home = self.binary.unwrap_or(module) as u32;
        self.trace.0.push(Expansion {
            name: "binary".into(),
            call,
            parent,
            depth,
            home,
            user: module as u32,
        });
        code.push_code(&layout::expand(source, node, id, &mut self.problems));
    }

    /// Puts what a call gives in its place.
    fn replace(
        &mut self,
        module: usize,
        source: &Rc<Parsed>,
        node: SyntaxNode<'_>,
        parent: SyntaxKind,
        code: &mut Code,
    ) {
        let position = position_of(source, node, parent);
        let (place, by) = source.place(node.range());
        let before = code.text.len();
        if self.expand_call(module, source, node, position, code).is_none() {
            debug_assert!(code.text.len() == before);
            code.push_made(&format!("${FAILED}()"), place, by);
        }
        self.size += (code.text.len() - before) as u64;
        if self.size > MAX_SIZE && !self.stopped {
            self.stopped = true;
            let id = self.trace.0.len().saturating_sub(1) as ExpansionId;
            let message = "macros of this program make more than 32 MiB of text".to_owned();
            self.problems.push(words::limit(&self.trace, id, message));
        }
    }

    fn expand_call(
        &mut self,
        module: usize,
        source: &Rc<Parsed>,
        node: SyntaxNode<'_>,
        position: Position,
        code: &mut Code,
    ) -> Option<()> {
        if self.stopped {
            return None;
        }
        let path: Vec<_> = macro_path(node).collect();
        let (found, id) = self.find(module, source, &path, node)?;
        let args = self.args(&found, source, node, id)?;
        let value = self.run(found, id, args, indent_of(source, node.range().start))?;
        let (place, by) = source.place(node.range());
        self.put_result(&value, position, place, by, id, code)
    }

    /// The macro that a path in a call means, and a new expansion for it.
    fn find(
        &mut self,
        module: usize,
        source: &Rc<Parsed>,
        path: &[qz_syntax::SyntaxToken<'_>],
        node: SyntaxNode<'_>,
    ) -> Option<(Rc<Macro>, ExpansionId)> {
        let (call, _) = source.place(node.range());
        // A call that a quote wrote is looked up where the quote stands.
        let (start, end) = (path.first()?.range().start, path.last()?.range().end);
        let (place, writer) = source.place(TextRange::new(start, end));
        let names: Vec<Name> = path.iter().map(|it| Name::new(it.text()).plain()).collect();
        let home = self.trace.0.get(writer as usize).map_or(module, |it| it.home as usize);
        let mut found = self.scopes.find(home, &names);
        if matches!(found, Found::Missing) && home != module {
            found = self.scopes.find(module, &names);
        }
        let name = names.iter().map(|it| it.as_str()).collect::<Vec<_>>().join("::");
        let parent = writer;
        let span = if writer == NOBODY { place } else { self.trace.outermost(writer)?.call };
        match found {
            Found::Macro(found) => Some((found.clone(), self.start(&found, call, parent, module)?)),
            Found::Private => {
                self.problems.push(words::private(span, &name));
                None
            }
            Found::Ambiguous => {
                self.problems.push(words::ambiguous(span, &name));
                None
            }
            Found::Missing if BUILTIN.contains(&name.as_str()) => {
                self.problems.push(words::stands_for_a_value(span, &name));
                None
            }
            Found::Missing => {
                let known = self.scopes.names(home);
                let problem = words::unknown(span, &name, &known);
                let problem =
                    if writer == NOBODY { problem } else { problem.at(place, "written in this macro") };
                self.problems.push(problem);
                None
            }
        }
    }

    /// A new expansion, unless there are too many or they stand too deep.
    fn start(
        &mut self,
        found: &Macro,
        call: Span,
        parent: ExpansionId,
        module: usize,
    ) -> Option<ExpansionId> {
        let depth = self.trace.0.get(parent as usize).map_or(1, |it| it.depth + 1);
        let id = self.trace.0.len() as ExpansionId;
        let (home, user) = (found.module as u32, module as u32);
        self.trace.0.push(Expansion { name: found.name.to_string(), call, parent, depth, home, user });
        if depth > MAX_DEPTH {
            let message =
                format!("macros call themselves without end: {MAX_DEPTH} expansions stand inside each other");
            self.problems.push(
                words::limit(&self.trace, id, message)
                    .help("a macro that calls itself needs a case in which it does not"),
            );
            self.stopped = true;
            return None;
        }
        if self.trace.0.len() > MAX_EXPANSIONS {
            let message = format!("this program has more than {MAX_EXPANSIONS} expansions of macros");
            self.problems.push(words::limit(&self.trace, id, message));
            self.stopped = true;
            return None;
        }
        Some(id)
    }

    pub(crate) fn run(
        &mut self,
        mac: Rc<Macro>,
        id: ExpansionId,
        vars: Vec<Var>,
        indent: usize,
    ) -> Option<Value> {
        let source = mac.source.clone();
        Run { ex: self, mac, source, id, vars, indent, depth: 0 }.body().ok()
    }

    /// Binds a call's arguments to parameters: by position, by name, a block as the last; then defaults.
    fn args(
        &mut self,
        found: &Rc<Macro>,
        source: &Rc<Parsed>,
        call: SyntaxNode<'_>,
        id: ExpansionId,
    ) -> Option<Vec<Var>> {
        let mut given: Vec<Option<Value>> = vec![None; found.params.len()];
        let mut rest: Vec<Value> = Vec::new();
        let mut next = 0;
        let mut surplus = false;
        let mut trees: Vec<(Option<Name>, SyntaxNode<'_>)> = Vec::new();
        for arg in call.children().filter(|it| it.kind() == ArgList).flat_map(SyntaxNode::children) {
            match arg.kind() {
                HeredocBody | Error => {}
                NamedArg | NamedPat | NamedTypeArg => {
                    let name = arg.token(Ident).map(|it| Name::new(it.text()));
                    trees.extend(arg.children().next().map(|value| (name, plain(value))));
                }
                _ => trees.push((None, plain(arg))),
            }
        }
        if let Some(node) = call.children().find(|it| it.kind() == DoBlock || it.kind() == BraceBlock) {
            let has_params = node.children().any(|it| it.kind() == LambdaParams);
            let body = node.children().find(|it| it.kind() == Block).filter(|_| !has_params);
            trees.push((None, body.unwrap_or(node)));
        }
        for (name, tree) in trees {
            let at = match name {
                Some(name) => found.params.iter().position(|it| it.name == name),
                None => {
                    let at = next;
                    next += 1;
                    Some(at)
                }
            };
            let is_rest = |at: usize| found.params.get(at).is_some_and(|it| it.is_rest);
            match at {
                Some(at)
                    if is_rest(at)
                        || at >= found.params.len() && found.params.last().is_some_and(|it| it.is_rest) =>
                {
                    rest.push(Value::Tree(Tree::node(source, tree)));
                }
                Some(at) if at < given.len() && given[at].is_none() => {
                    let value = Value::Tree(Tree::node(source, tree));
                    self.check_kind(found, at, &value, source, tree, id)?;
                    given[at] = Some(value);
                }
                Some(_) if name.is_none() => surplus = true,
                _ => {
                    let name = name.map(|it| it.to_string()).unwrap_or_default();
                    let message = format!("`${}` takes no argument `{name}`, or has it already", found.name);
                    self.args_problem(source, tree.range(), id, message);
                    return None;
                }
            }
        }
        let mut vars = Vec::new();
        let mut lacks = false;
        for (param, value) in found.params.iter().zip(given) {
            let value = match (value, param.default) {
                _ if param.is_rest => Value::list(std::mem::take(&mut rest)),
                (Some(value), _) => value,
                (None, Some(node)) => Value::Tree(Tree::Node { source: found.source.clone(), node }),
                (None, None) => {
                    lacks = true;
                    break;
                }
            };
            vars.push(Var { name: param.name, value, mutable: false });
        }
        if surplus || lacks {
            let message = format!("`${}` takes {}, not {next}", found.name, words::taken(found));
            self.args_problem(source, call.range(), id, message);
            return None;
        }
        Some(vars)
    }

    fn args_problem(&mut self, source: &Parsed, range: TextRange, id: ExpansionId, message: String) {
        let (place, by) = source.place(range);
        let problem = words::failed(&self.trace, id, message);
        let mut problem =
            if by == NOBODY { Diagnostic { span: place, ..problem } } else { problem.at(place, "here") };
        problem.code = DiagCode::MACRO_ARGS;
        self.problems.push(problem);
    }

    /// Whether an argument is of the form that the parameter's annotation asks for.
    fn check_kind(
        &mut self,
        found: &Macro,
        at: usize,
        value: &Value,
        source: &Parsed,
        node: SyntaxNode<'_>,
        id: ExpansionId,
    ) -> Option<()> {
        let (Some(kind), Value::Tree(tree)) = (&found.params[at].kind, value) else { return Some(()) };
        let wanted = match kind.as_str() {
            "Ident" | "Name" if tree.is_name() => return Some(()),
            "Ident" | "Name" => "a name",
            "Literal" if matches!(tree.kind(), LiteralExpr | StringExpr | LiteralPat) => return Some(()),
            "Literal" => "a literal",
            "Block" if matches!(tree.kind(), Block | DoBlock | BraceBlock) => return Some(()),
            "Block" => "a block",
            "Type" if type_like(&tree.code().text) => return Some(()),
            "Type" => "a type",
            _ => return Some(()),
        };
        let name = found.params[at].name;
        let message = format!("`${}` takes {wanted} for `{name}`, not {}", found.name, tree.what());
        self.args_problem(source, node.range(), id, message);
        None
    }

    /// What a macro gave, in the place of its call.
    fn put_result(
        &mut self,
        value: &Value,
        position: Position,
        place: Span,
        by: ExpansionId,
        id: ExpansionId,
        code: &mut Code,
    ) -> Option<()> {
        match (value, position) {
            (Value::Nil, Position::Expr) => code.push_made("()", place, by),
            (Value::Nil, Position::Item | Position::Stmt) => {}
            (Value::List(values), Position::Item | Position::Stmt) => {
                for (index, value) in values.borrow().iter().enumerate() {
                    if index > 0 {
                        code.push_made("\n", place, by);
                    }
                    self.put_result(value, position, place, by, id, code)?;
                }
            }
            (Value::Tree(tree), Position::Item) => {
                let kind = tree.kind();
                if !matches!(tree, Tree::Made { shape: Shape::Quote, .. })
                    || ast::Expr::cast(tree.look().0.node(tree.look().1)).is_some() && kind != MacroCallExpr
                {
                    return self
                        .misfit(id, &format!("gives {}, and a declaration must stand here", tree.what()));
                }
                code.push_code(&tree.code());
            }
            (Value::Tree(tree), Position::Stmt) => code.push_code(&tree.code()),
            (Value::Tree(tree), Position::Expr) => match tree.kind() {
                Block | AssignStmt | VarStmt | TypedBindStmt | CompoundAssignStmt | DestructureStmt
                | DeferStmt | GuardStmt => put_block(&tree.code(), place, by, code),
                kind if declares(kind)
                    && !matches!(tree, Tree::Made { shape: Shape::Name, .. })
                    && !tree.code().text.trim().is_empty() =>
                {
                    return self.misfit(id, "gives a declaration, and an expression must stand here");
                }
                _ if tree.code().text.trim().is_empty() => code.push_made("()", place, by),
                _ if tree.is_tight() => code.push_code(&tree.code()),
                _ => {
                    code.push_made("(", place, by);
                    code.push_code(&tree.code());
                    code.push_made(")", place, by);
                }
            },
            (Value::Tree(tree), Position::Pat | Position::Type) => {
                return self.put_part(tree, position, place, by, id, code);
            }
            (Value::Int(value), Position::Expr | Position::Stmt | Position::Pat) => {
                code.push_made(&format!("({value})"), place, by)
            }
            (Value::Bool(value), Position::Expr | Position::Stmt | Position::Pat) => {
                code.push_made(&value.to_string(), place, by)
            }
            (Value::Text(text), Position::Expr | Position::Stmt | Position::Pat) => {
                code.push_made(&quoted(text), place, by)
            }
            (other, _) => {
                let what = other.what();
                return self.misfit(id, &format!("gives {what}, which cannot stand here"));
            }
        }
        Some(())
    }

    /// A pattern or a type. Brackets keep `a | b` together.
    fn put_part(
        &mut self,
        tree: &Tree,
        position: Position,
        place: Span,
        by: ExpansionId,
        id: ExpansionId,
        code: &mut Code,
    ) -> Option<()> {
        let inside = tree.code();
        let wanted = position.words();
        if declares(tree.kind()) && !matches!(tree, Tree::Made { shape: Shape::Name, .. }) {
            return self.misfit(id, &format!("gives a declaration, and {wanted} must stand here"));
        }
        if !position.takes(&inside) {
            return self.misfit(id, &format!("gives what is not {wanted}, and that must stand here"));
        }
        let loose = inside.text.contains(['|', '&', '\n', '.']) || inside.text.contains(" as ");
        let loose = loose
            || inside.text.starts_with("Fn(")
            || inside.text.contains(": ") && position == Position::Pat;
        code.push_made(if loose { "(" } else { "" }, place, by);
        code.push_code(&inside);
        code.push_made(if loose { ")" } else { "" }, place, by);
        Some(())
    }

    fn misfit(&mut self, id: ExpansionId, what: &str) -> Option<()> {
        let name = self.trace.0[id as usize].name.clone();
        let mut problem = words::failed(&self.trace, id, format!("the macro `${name}` {what}"));
        problem.code = DiagCode::MACRO_RESULT;
        self.problems.push(problem);
        None
    }

    /// `@derive(A, B)`: what the macros `A` and `B` give for the declaration stands behind it.
    fn derive(
        &mut self,
        module: usize,
        source: &Rc<Parsed>,
        item: SyntaxNode<'_>,
        attr: SyntaxNode<'_>,
        code: &mut Code,
    ) {
        let Some(args) = ast::Attr::cast(attr).and_then(|it| it.args()) else {
            let (place, _) = source.place(attr.range());
            let problem = Diagnostic::new(
                DiagCode::MACRO_ARGS,
                place,
                "`@derive` names what is derived: `@derive(Json)`",
            );
            return self.problems.push(problem);
        };
        for arg in args.args() {
            let node = arg.syntax();
            if ALWAYS.contains(&node.text()) {
                continue;
            }
            let path: Vec<_> = node.descendant_tokens().filter(|it| it.kind() == Ident).collect();
            let (place, by) = source.place(node.range());
            if node.kind() != PathExpr {
                let problem = Diagnostic::new(DiagCode::MACRO_ARGS, place, "`@derive` takes names of macros");
                self.problems.push(problem);
                continue;
            }
            let mut derived = Code::default();
            if self.derive_one(module, source, item, node, &path, &mut derived).is_none() {
                derived = Code::default();
                derived.push_made(&format!("${FAILED}()"), place, by);
            }
            code.push_made("\n\n", place, by);
            code.push_code(&derived);
        }
    }

    fn derive_one(
        &mut self,
        module: usize,
        source: &Rc<Parsed>,
        item: SyntaxNode<'_>,
        named: SyntaxNode<'_>,
        path: &[SyntaxToken<'_>],
        code: &mut Code,
    ) -> Option<()> {
        let (place, by) = source.place(named.range());
        let (found, id) = self.find(module, source, path, named)?;
        if found.params.len() != 1 {
            let message = format!(
                "`{}` cannot be derived: a macro for `@derive` takes one parameter, the declaration",
                found.name
            );
            self.args_problem(source, named.range(), id, message);
            return None;
        }
        let value = Value::Tree(Tree::node(source, item));
        let vars = vec![Var { name: found.params[0].name, value, mutable: false }];
        let value = self.run(found, id, vars, 0)?;
        self.put_result(&value, Position::Item, place, by, id, code)
    }

    /// What can be said of a module's macros without a call.
    fn check_macros(&mut self, module: usize) {
        let mut seen: FxHashMap<Name, Span> = FxHashMap::default();
        let Some(first) = self.scopes.own(module).first().map(|it| it.source.clone()) else { return };
        let Some(file) = ast::SourceFile::cast(first.root()) else { return };
        for item in file.items() {
            let ast::Item::MacroDef(it) = item else { continue };
            let Some(token) = it.name() else { continue };
            let (name, (span, _)) = (Name::new(token.text()), first.place(token.range()));
            if BUILTIN.contains(&token.text()) {
                let message = format!("`${name}` is a macro of the language");
                self.problems.push(Diagnostic::new(DiagCode::DUPLICATE, span, message));
            } else if let Some(&earlier) = seen.get(&name) {
                let problem = Diagnostic::new(
                    DiagCode::DUPLICATE,
                    span,
                    format!("the macro `${name}` is declared twice"),
                );
                self.problems.push(problem.at(earlier, "here first"));
            }
            seen.insert(name, span);
            self.check_imports(&first, it);
        }
    }

    /// Imports are known before any macro runs.
    fn check_imports(&mut self, source: &Parsed, it: ast::MacroDef<'_>) {
        for node in it.syntax().descendants().filter(|node| node.kind() == ImportDef) {
            let (span, _) = source.place(node.range());
            let problem = Diagnostic::new(DiagCode::MACRO_RESULT, span, "a macro cannot make an import");
            self.problems.push(
                problem.help("import it above; names in a quote mean what they mean in the macro's module"),
            );
        }
    }
}

fn type_like(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_uppercase() || c == '(' || c == '$') || text.contains("::")
}

fn declares(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SourceFile
            | FnDef
            | StructDef
            | EnumDef
            | TraitDef
            | ImplDef
            | ConstDef
            | VarDef
            | ImportDef
            | ExtendDef
            | ActorDef
            | EffectDef
            | TypeAlias
            | NewtypeDef
    )
}

/// An argument's own tree: a pattern that is a literal is a literal.
fn plain(node: SyntaxNode<'_>) -> SyntaxNode<'_> {
    let mut inside = node.children_with_tokens();
    match (node.kind(), inside.next(), inside.next()) {
        (LiteralPat, Some(SyntaxElement::Node(literal)), None) => literal,
        _ => node,
    }
}

/// The names of a call before its arguments: one, or a module's and one.
fn macro_path(call: SyntaxNode<'_>) -> impl Iterator<Item = SyntaxToken<'_>> {
    call.tokens().filter(|token| token.kind() == Ident)
}

/// Whether a node is a call that is expanded. The language's own macros, which stand for values, stay.
pub(crate) fn is_user_call(node: SyntaxNode<'_>) -> bool {
    if !matches!(node.kind(), MacroCallExpr | MacroPat | MacroType) {
        return false;
    }
    let mut path = macro_path(node);
    let (Some(first), second) = (path.next(), path.next()) else { return false };
    let stays =
        node.kind() == MacroCallExpr && BUILTIN.contains(&first.text()) || first.text().starts_with(FAILED);
    second.is_some() || !stays
}

fn is_derive(node: SyntaxNode<'_>) -> bool {
    ast::Attr::cast(node).and_then(|it| it.name()).is_some_and(|it| it.text() == "derive")
}

pub(crate) fn copy(source: &Parsed, range: TextRange, code: &mut Code) {
    code.push_slice(&source.text, &source.origins, range);
}

/// A node's whole text. Its first token may be trivia: a doc comment.
pub(crate) fn copy_node(source: &Parsed, node: SyntaxNode<'_>, code: &mut Code) {
    let mut tokens = node.descendant_tokens();
    let Some(first) = tokens.next() else { return };
    let last = tokens.last().unwrap_or(first);
    copy(source, TextRange::new(first.range().start, last.range().end), code);
}

/// A call may be replaced by several statements only where statements stand on lines of their own.
fn position_of(source: &Parsed, node: SyntaxNode<'_>, parent: SyntaxKind) -> Position {
    match parent {
        _ if node.kind() == MacroPat => Position::Pat,
        _ if node.kind() == MacroType => Position::Type,
        SourceFile | StructDef | EnumDef | ImplDef | TraitDef | ExtendDef | ActorDef | EffectDef => {
            Position::Item
        }
        Block => {
            let range = node.range();
            let line = source.text[..range.start as usize].rfind('\n').map_or(0, |at| at + 1);
            let before = source.text[line..range.start as usize].trim();
            let rest = &source.text[range.end as usize..];
            let after = rest[..rest.find('\n').unwrap_or(rest.len())].trim();
            if before.is_empty() && (after.is_empty() || after.starts_with('#')) {
                Position::Stmt
            } else {
                Position::Expr
            }
        }
        _ => Position::Expr,
    }
}

fn indent_of(source: &Parsed, at: u32) -> usize {
    let line = source.text[..at as usize].rfind('\n').map_or(0, |it| it + 1);
    source.text[line..].chars().take_while(|it| *it == ' ').count()
}
