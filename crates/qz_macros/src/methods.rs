//! What can be asked of a tree, a text or a list in a macro's body? The typed API of compile time.

use std::rc::Rc;

use qz_base::TextRange;
use qz_base::name::without_marks;
use qz_syntax::SyntaxKind::{self, *};
use qz_syntax::SyntaxNode;
use qz_syntax::ast::{self, AstNode};
use qz_syntax::literals::{Literal, StringValue};

use crate::code::Parsed;
use crate::eval::{Result, Run};
use crate::value::{Lambda, Tree, Value};

/// Methods of each kind of value, for suggestions.
const OF_TREES: &[&str] = &[
    "kind",
    "text",
    "name",
    "type",
    "default",
    "value",
    "fields",
    "variants",
    "methods",
    "params",
    "generics",
    "result",
    "attributes",
    "has_attribute",
    "doc",
    "parts",
    "args",
    "callee",
    "receiver",
    "left",
    "right",
    "operator",
    "statements",
    "private?",
    "items",
];
const OF_TEXTS: &[&str] = &[
    "size",
    "empty?",
    "upper",
    "lower",
    "capitalize",
    "snake_case",
    "pascal_case",
    "starts_with",
    "ends_with",
    "contains",
    "replace",
    "split",
    "trim",
    "chars",
    "ident",
];
const OF_LISTS: &[&str] = &[
    "size",
    "empty?",
    "first",
    "last",
    "map",
    "filter",
    "each",
    "any?",
    "all?",
    "join",
    "reversed",
    "enumerate",
    "zip",
    "push",
    "contains",
    "take",
    "drop",
    "reduce",
    "flatten",
];

impl Run<'_, '_> {
    pub(crate) fn method(
        &mut self,
        receiver: Value,
        name: &str,
        args: Vec<Value>,
        range: TextRange,
    ) -> Result<Value> {
        let found = match &receiver {
            Value::Tree(tree) => self.tree_method(tree, name, &args),
            Value::Text(text) => self.text_method(text, name, &args, range)?,
            Value::List(_) => return self.list_method(receiver, name, args, range),
            Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Lambda(_) => None,
        };
        if let Some(value) = found {
            return Ok(value);
        }
        match (name, &args[..]) {
            ("text" | "show", []) => return Ok(Value::text(receiver.shown())),
            ("nil?", []) => return Ok(Value::Bool(matches!(receiver, Value::Nil))),
            ("call", _) if matches!(receiver, Value::Lambda(_)) => {
                let Value::Lambda(lambda) = receiver else { return Ok(Value::Nil) };
                return self.apply(&lambda, &args);
            }
            _ => {}
        }
        let known = match receiver {
            Value::Tree(_) => OF_TREES,
            Value::Text(_) => OF_TEXTS,
            _ => &[],
        };
        self.no_method(&receiver, name, known, range)
    }

    fn no_method<T>(&mut self, receiver: &Value, name: &str, known: &[&str], range: TextRange) -> Result<T> {
        let near = qz_diag::did_you_mean(name, known.iter().copied());
        let help = near.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default();
        let how = if known.contains(&name) { " with these arguments" } else { "" };
        self.fail(range, format!("{} has no `{name}`{how} at compile time{help}", receiver.what()))
    }

    fn tree_method(&mut self, tree: &Tree, name: &str, args: &[Value]) -> Option<Value> {
        let (source, index) = tree.look();
        let node = source.node(index);
        match (name, args) {
            ("kind", []) => Some(Value::text(kind_word(tree, node.kind()))),
            ("text", []) => Some(Value::text(without_marks(&tree.code().text).into_owned())),
            ("value", []) => literal_value(node).or_else(|| part(&source, node, "value")),
            ("name", []) => name_of(tree, &source, node),
            ("private?", []) => Some(Value::Bool(node.token(PrivateKw).is_some())),
            ("doc", []) => {
                let lines: Vec<&str> =
                    node.doc_comments().map(|it| it.text().trim_start_matches('#').trim()).collect();
                Some(Value::text(lines.join("\n")))
            }
            ("attributes", []) => Some(trees(&source, node.children().filter(|it| it.kind() == Attr))),
            ("has_attribute", [wanted]) => {
                let wanted = wanted.shown();
                let mut names = node.children().filter_map(ast::Attr::cast).filter_map(|it| it.name());
                Some(Value::Bool(names.any(|it| it.text() == wanted)))
            }
            ("operator", []) => {
                let binary = matches!(node.kind(), BinaryExpr | UnaryExpr | CompoundAssignStmt);
                let token = node.tokens().next().filter(|_| binary)?;
                Some(Value::text(token.text()))
            }
            (name, []) => part(&source, node, name),
            _ => None,
        }
    }

    fn text_method(
        &mut self,
        text: &Rc<str>,
        name: &str,
        args: &[Value],
        range: TextRange,
    ) -> Result<Option<Value>> {
        let shown: Vec<String> = args.iter().map(Value::shown).collect();
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        Ok(Some(match (name, &shown[..]) {
            ("size", []) => Value::Int(text.chars().count() as i64),
            ("empty?", []) => Value::Bool(text.is_empty()),
            ("upper", []) => Value::text(text.to_uppercase()),
            ("lower", []) => Value::text(text.to_lowercase()),
            ("trim", []) => Value::text(text.trim()),
            ("capitalize", []) => {
                let mut chars = text.chars();
                Value::text(chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect()))
            }
            ("snake_case", []) => Value::text(snake_case(text)),
            ("pascal_case", []) => Value::text(pascal_case(text)),
            ("starts_with", [part]) => Value::Bool(text.starts_with(part)),
            ("ends_with", [part]) => Value::Bool(text.ends_with(part)),
            ("contains", [part]) => Value::Bool(text.contains(part)),
            ("replace", [from, to]) if !from.is_empty() => {
                self.check_length(text.len() * to.len().max(1) / from.len(), range)?;
                Value::text(text.replace(from, to))
            }
            ("split", [by]) if !by.is_empty() => Value::list(text.split(by).map(Value::text).collect()),
            ("chars", []) => Value::list(text.chars().map(|c| Value::text(c.to_string())).collect()),
            ("ident", []) => return self.name_tree(text, range).map(Some),
            _ => return Ok(None),
        }))
    }

    fn list_method(
        &mut self,
        receiver: Value,
        name: &str,
        args: Vec<Value>,
        range: TextRange,
    ) -> Result<Value> {
        let Value::List(shared) = &receiver else { return Ok(Value::Nil) };
        let values = shared.borrow().clone();
        let number = |value: &Value| match value {
            Value::Int(value) => usize::try_from(*value).ok(),
            _ => None,
        };
        match (name, &args[..]) {
            ("size", []) => Ok(Value::Int(values.len() as i64)),
            ("empty?", []) => Ok(Value::Bool(values.is_empty())),
            ("first", []) => Ok(values.first().cloned().unwrap_or(Value::Nil)),
            ("last", []) => Ok(values.last().cloned().unwrap_or(Value::Nil)),
            ("contains", [wanted]) => Ok(Value::Bool(values.iter().any(|it| it.same(wanted)))),
            ("reversed", []) => Ok(Value::list(values.into_iter().rev().collect())),
            ("take", [n]) if number(n).is_some() => {
                Ok(Value::list(values.into_iter().take(number(n).unwrap_or(0)).collect()))
            }
            ("drop", [n]) if number(n).is_some() => {
                Ok(Value::list(values.into_iter().skip(number(n).unwrap_or(0)).collect()))
            }
            ("enumerate", []) => {
                let pair = |(index, value)| Value::list(vec![Value::Int(index as i64), value]);
                Ok(Value::list(values.into_iter().enumerate().map(pair).collect()))
            }
            ("zip", [Value::List(other)]) => {
                let other = other.borrow().clone();
                Ok(Value::list(values.into_iter().zip(other).map(|(a, b)| Value::list(vec![a, b])).collect()))
            }
            ("flatten", []) => {
                let mut all = Vec::new();
                for value in values {
                    match value {
                        Value::List(inner) => all.extend(inner.borrow().iter().cloned()),
                        other => all.push(other),
                    }
                    self.check_length(all.len(), range)?;
                }
                Ok(Value::list(all))
            }
            ("join", [gap]) => {
                let shown: Vec<String> = values.iter().map(Value::shown).collect();
                self.check_length(shown.iter().map(String::len).sum(), range)?;
                Ok(Value::text(shown.join(&gap.shown())))
            }
            ("join", []) => Ok(Value::text(values.iter().map(Value::shown).collect::<String>())),
            ("push", [value]) => {
                if matches!(value, Value::List(inner) if Rc::ptr_eq(inner, shared)) {
                    return self.fail(range, "a list cannot hold itself");
                }
                self.check_length(values.len() + 1, range)?;
                shared.borrow_mut().push(value.clone());
                Ok(Value::Nil)
            }
            ("map" | "filter" | "each" | "any?" | "all?", [Value::Lambda(lambda)]) => {
                self.each_value(name, &values, lambda, range)
            }
            ("reduce", [start, Value::Lambda(lambda)]) => {
                let mut result = start.clone();
                for value in values {
                    result = self.apply(lambda, &[result, value])?;
                }
                Ok(result)
            }
            _ => self.no_method(&receiver, name, OF_LISTS, range),
        }
    }

    fn each_value(
        &mut self,
        name: &str,
        values: &[Value],
        lambda: &Rc<Lambda>,
        range: TextRange,
    ) -> Result<Value> {
        let mut found = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let pair = [Value::Int(index as i64), value.clone()];
            let args = if lambda.params.len() > 1 && name != "filter" { &pair[..] } else { &pair[1..] };
            let result = self.apply(lambda, args)?;
            match (name, &result) {
                ("map", _) => found.push(result),
                ("filter", Value::Bool(true)) => found.push(value.clone()),
                ("any?", Value::Bool(true)) => return Ok(Value::Bool(true)),
                ("all?", Value::Bool(false)) => return Ok(Value::Bool(false)),
                ("filter" | "any?" | "all?", Value::Bool(_)) | ("each", _) => {}
                _ => {
                    return self
                        .fail(range, format!("`{name}` asks for a Bool, and this is {}", result.what()));
                }
            }
        }
        Ok(match name {
            "any?" => Value::Bool(false),
            "all?" => Value::Bool(true),
            "each" => Value::Nil,
            _ => Value::list(found),
        })
    }
}

fn trees<'t>(source: &Rc<Parsed>, nodes: impl Iterator<Item = SyntaxNode<'t>>) -> Value {
    Value::list(nodes.map(|it| Value::Tree(Tree::node(source, it))).collect())
}

fn one(source: &Rc<Parsed>, node: Option<SyntaxNode<'_>>) -> Value {
    node.map_or(Value::Nil, |it| Value::Tree(Tree::node(source, it)))
}

/// A part of a node by the name that its kind gives it.
fn part(source: &Rc<Parsed>, node: SyntaxNode<'_>, name: &str) -> Option<Value> {
    let list = |nodes: Vec<SyntaxNode<'_>>| Some(trees(source, nodes.into_iter()));
    let children =
        |wanted: fn(SyntaxKind) -> bool| node.children().filter(|it| wanted(it.kind())).collect::<Vec<_>>();
    let exprs = || node.children().filter(|it| ast::Expr::cast(*it).is_some());
    let in_list = |kind: SyntaxKind| node.children().find(|it| it.kind() == kind);
    match name {
        "fields" => match node.kind() {
            StructDef | ActorDef => list(children(|it| it == FieldDef)),
            VariantDef => {
                let payload = in_list(Payload);
                list(payload.into_iter().flat_map(|it| it.children()).collect())
            }
            _ => None,
        },
        "variants" if node.kind() == EnumDef => list(children(|it| it == VariantDef)),
        "methods" => list(children(|it| it == FnDef)),
        "items" => {
            list(children(|it| it != Attr && it != FieldDef && it != VariantDef && it != GenericParams))
        }
        "params" => {
            let params = in_list(ParamList).or_else(|| in_list(LambdaParams))?;
            list(params.children().collect())
        }
        "generics" => {
            let params = in_list(GenericParams);
            list(params.into_iter().flat_map(|it| it.children()).collect())
        }
        "type" => {
            let ty = node.children().find(|it| ast::TypeExpr::cast(*it).is_some());
            Some(one(source, ty))
        }
        "result" if node.kind() == FnDef => {
            Some(one(source, node.children().find(|it| ast::TypeExpr::cast(*it).is_some())))
        }
        "default" | "value" => Some(one(source, exprs().next())),
        "callee" | "receiver" if matches!(node.kind(), CallExpr | MethodCallExpr | FieldExpr) => {
            Some(one(source, exprs().next()))
        }
        "args" => {
            let args = in_list(ArgList);
            list(args.into_iter().flat_map(|it| it.children()).collect())
        }
        "left" => Some(one(source, exprs().next())),
        "right" => Some(one(source, exprs().nth(1))),
        "statements" => match node.kind() {
            Block => list(node.children().collect()),
            _ => match in_list(Block) {
                Some(block) => list(block.children().collect()),
                None => list(vec![node]),
            },
        },
        "body" => Some(one(source, in_list(Block).or_else(|| exprs().last()))),
        "parts" => list(node.children().collect()),
        _ => None,
    }
}

fn name_of(tree: &Tree, source: &Rc<Parsed>, node: SyntaxNode<'_>) -> Option<Value> {
    if matches!(node.kind(), PathExpr | NamePat | PathType) && tree.is_name() {
        return Some(Value::Tree(tree.clone()));
    }
    let token = match node.kind() {
        Param => {
            return node
                .children()
                .find(|it| ast::Pat::cast(*it).is_some())
                .map(|it| Value::Tree(Tree::node(source, it)));
        }
        PathExpr | PathType => node.tokens().filter(|it| it.kind() == Ident).last()?,
        _ => node.token(Ident)?,
    };
    let code = source.slice(token.range());
    Some(Value::Tree(Tree::made(code, crate::value::Shape::Name)))
}

fn literal_value(node: SyntaxNode<'_>) -> Option<Value> {
    if let Some(text) = ast::StringExpr::cast(node) {
        let parts = text.value();
        let plain = parts.iter().map(|part| match part {
            StringValue::Text(text) => Some(text.as_str()),
            StringValue::Interp(_) => None,
        });
        return plain.collect::<Option<String>>().map(Value::text);
    }
    match ast::LiteralExpr::cast(node)?.value()? {
        Literal::Int(Ok(value)) => i64::try_from(value).ok().map(Value::Int),
        Literal::String(text) => Some(Value::text(&*text)),
        Literal::Bool(value) => Some(Value::Bool(value)),
        Literal::Char(value) => Some(Value::text(value.to_string())),
        _ => None,
    }
}

/// The kind of a tree in the words of the language's reference.
fn kind_word(tree: &Tree, kind: SyntaxKind) -> &'static str {
    match kind {
        StructDef => "struct",
        EnumDef => "enum",
        TraitDef => "trait",
        ImplDef => "impl",
        FnDef => "def",
        ConstDef => "const",
        NewtypeDef => "newtype",
        FieldDef => "field",
        VariantDef => "variant",
        PayloadField => "payload",
        Param => "param",
        Block => "block",
        LiteralExpr | StringExpr | LiteralPat => "literal",
        PathExpr | NamePat if tree.is_name() => "name",
        _ if tree.what() == "a pattern" => "pattern",
        PathExpr => "path",
        CallExpr => "call",
        MethodCallExpr => "method_call",
        FieldExpr => "field_access",
        BinaryExpr => "binary",
        UnaryExpr => "unary",
        VecExpr => "vec",
        MapExpr => "map",
        TupleExpr => "tuple",
        IfExpr => "if",
        MatchExpr => "match",
        LambdaExpr | DoBlock | BraceBlock => "lambda",
        ParenExpr => "paren",
        PathType => "type",
        _ if tree.what() == "a type" => "type",
        _ if tree.what() == "a statement" => "statement",
        _ => "expression",
    }
}

fn snake_case(text: &str) -> String {
    let mut snake = String::new();
    let mut before_lower = false;
    for c in text.chars() {
        if c.is_uppercase() {
            if before_lower {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
        } else {
            snake.push(c);
        }
        before_lower = c.is_lowercase() || c.is_numeric();
    }
    snake
}

fn pascal_case(text: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
    };
    text.split('_').map(word).collect()
}
