//! What does a macro compute with? Trees, and the plain values that decide between them.

use std::cell::RefCell;
use std::rc::Rc;

use qz_base::Name;
use qz_base::name::without_marks;
use qz_syntax::SyntaxKind::{self, *};
use qz_syntax::SyntaxNode;

use crate::code::{Code, Parsed};

#[derive(Clone)]
pub(crate) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Text(Rc<str>),
    List(Rc<RefCell<Vec<Value>>>),
    Tree(Tree),
    Lambda(Rc<Lambda>),
}

/// A piece of program.
#[derive(Clone)]
pub(crate) enum Tree {
    /// As the caller wrote it.
    Node { source: Rc<Parsed>, node: u32 },
    /// As a quote made it, or `ident`.
    Made { code: Rc<Code>, shape: Shape, parsed: Rc<RefCell<Option<Rc<Parsed>>>> },
}

/// How many things a made tree is, and of which form.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    Name,
    /// What a quote holds: statements, an expression or declarations.
    Quote,
}

pub(crate) struct Lambda {
    pub(crate) params: Vec<Name>,
    /// A `Block`, or the statement of an arrow lambda.
    pub(crate) body: u32,
    pub(crate) vars: Vec<Var>,
}

#[derive(Clone)]
pub(crate) struct Var {
    pub(crate) name: Name,
    pub(crate) value: Value,
    pub(crate) mutable: bool,
}

impl Value {
    pub(crate) fn text(text: impl Into<Rc<str>>) -> Value {
        Value::Text(text.into())
    }

    pub(crate) fn list(values: Vec<Value>) -> Value {
        Value::List(Rc::new(RefCell::new(values)))
    }

    /// What it is, in words.
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Value::Nil => "nil",
            Value::Bool(_) => "a Bool",
            Value::Int(_) => "an Int",
            Value::Text(_) => "a String",
            Value::List(_) => "a list",
            Value::Tree(tree) => tree.what(),
            Value::Lambda(_) => "a lambda",
        }
    }

    /// As text in a string.
    pub(crate) fn shown(&self) -> String {
        match self {
            Value::Nil => "nil".into(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Text(text) => text.to_string(),
            Value::List(values) => {
                let shown: Vec<String> = values.borrow().iter().take(1000).map(Value::shown_inside).collect();
                format!("[{}]", shown.join(", "))
            }
            Value::Tree(tree) => without_marks(&tree.code().text).into_owned(),
            Value::Lambda(_) => "a lambda".into(),
        }
    }

    fn shown_inside(&self) -> String {
        match self {
            Value::List(_) => "[…]".into(),
            other => other.shown(),
        }
    }

    pub(crate) fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::List(a), Value::List(b)) => {
                Rc::ptr_eq(a, b)
                    || a.borrow().len() == b.borrow().len()
                        && a.borrow().iter().zip(b.borrow().iter()).all(|(a, b)| a.same_part(b))
            }
            (Value::Text(_) | Value::Tree(_), Value::Text(_) | Value::Tree(_)) => {
                self.shown() == other.shown()
            }
            _ => false,
        }
    }

    fn same_part(&self, other: &Value) -> bool {
        !matches!(self, Value::List(_)) && self.same(other)
    }
}

impl Tree {
    pub(crate) fn node(source: &Rc<Parsed>, node: SyntaxNode<'_>) -> Tree {
        Tree::Node { source: source.clone(), node: node.index() }
    }

    pub(crate) fn made(code: Code, shape: Shape) -> Tree {
        Tree::Made { code: Rc::new(code), shape, parsed: Rc::default() }
    }

    pub(crate) fn code(&self) -> Rc<Code> {
        match self {
            Tree::Node { source, node } => Rc::new(source.slice(source.node(*node).range())),
            Tree::Made { code, .. } => code.clone(),
        }
    }

    /// The tree and the node in it that this stands for.
    pub(crate) fn look(&self) -> (Rc<Parsed>, u32) {
        match self {
            Tree::Node { source, node } => (source.clone(), *node),
            Tree::Made { code, parsed, .. } => {
                let source = parsed.borrow_mut().get_or_insert_with(|| Rc::new(parse_made(code))).clone();
                let node = only_part(source.root());
                (source, node)
            }
        }
    }

    pub(crate) fn kind(&self) -> SyntaxKind {
        let (source, node) = self.look();
        source.node(node).kind()
    }

    /// What it is, in words.
    pub(crate) fn what(&self) -> &'static str {
        if let Tree::Made { shape: Shape::Name, .. } = self {
            return "a name";
        }
        match self.kind() {
            Block => "a block",
            LiteralExpr | StringExpr | LiteralPat => "a literal",
            PathExpr | NamePat if self.is_name() => "a name",
            WildcardPat | RegexPat | RangePat | PathPat | VariantPat | StructPat | RecordPat | ParenPat
            | TuplePat | VecPat | RestPat | OrPat | AsPat | TypePat | PlacePat | MacroPat => "a pattern",
            FieldDef => "a field",
            VariantDef => "a variant",
            Param => "a parameter",
            StructDef | EnumDef | TraitDef | ImplDef | FnDef | ConstDef | VarDef | NewtypeDef | TypeAlias
            | ExtendDef | ActorDef | EffectDef | SourceFile => "a declaration",
            PathType | OptionType | TupleType | FnType | UnionType | EffectSumType | RecordType | DynType
            | ImplType | RefType | ParenType | NeverType | IntersectionType | MacroType => "a type",
            AssignStmt | VarStmt | TypedBindStmt | CompoundAssignStmt | DestructureStmt | DeferStmt
            | GuardStmt => "a statement",
            DoBlock | BraceBlock | LambdaExpr => "a lambda",
            _ => "an expression",
        }
    }

    /// Whether it is nothing but a name.
    pub(crate) fn is_name(&self) -> bool {
        let code = self.code();
        let plain = without_marks(&code.text);
        let mut chars = plain.trim_end_matches('?').chars();
        let starts = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
        starts && chars.all(|c| c.is_alphanumeric() || c == '_')
    }

    /// Whether it holds together inside of a larger expression.
    pub(crate) fn is_tight(&self) -> bool {
        matches!(
            self.kind(),
            LiteralExpr
                | StringExpr
                | PathExpr
                | SelfExpr
                | ParenExpr
                | TupleExpr
                | VecExpr
                | RepeatExpr
                | VecCompExpr
                | MapCompExpr
                | MapExpr
                | RecordExpr
                | StructExpr
                | CallExpr
                | MethodCallExpr
                | FieldExpr
                | TupleIndexExpr
                | IndexExpr
                | PropagateExpr
                | UnwrapExpr
                | MacroCallExpr
                | MissingExpr
        ) && !self.code().text.contains('\n')
    }
}

/// A quote's text as declarations if it can be that, otherwise as the body of a function.
fn parse_made(code: &Code) -> Parsed {
    let (as_file, problems) = Parsed::parse(code.clone());
    let declares = as_file.root().children().any(|it| it.kind() != MacroCallExpr && it.kind() != Error);
    if problems.is_empty() && declares {
        return as_file;
    }
    let mut body = Code::default();
    let place = code.origins.first().copied();
    let made = |body: &mut Code, text: &str| match place {
        Some(at) => {
            let range = qz_base::TextRange::empty(at.start);
            body.push_made(text, qz_base::Span::new(at.file, range), at.by);
        }
        None => body.text.push_str(text),
    };
    made(&mut body, "def quote\n");
    body.push_code(code);
    made(&mut body, "\nend\n");
    Parsed::parse(body).0
}

/// The declaration or statement of a made text, if there is one alone; otherwise what holds them all.
fn only_part(root: SyntaxNode<'_>) -> u32 {
    let mut items = root.children();
    let (first, second) = (items.next(), items.next());
    let (Some(first), None) = (first, second) else { return root.index() };
    let is_wrapper = first.kind() == FnDef && first.token(Ident).is_some_and(|it| it.text() == "quote");
    let Some(block) = first.children().find(|it| it.kind() == Block).filter(|_| is_wrapper) else {
        return first.index();
    };
    let mut stmts = block.children();
    match (stmts.next(), stmts.next()) {
        (Some(only), None) => only.index(),
        _ => block.index(),
    }
}
