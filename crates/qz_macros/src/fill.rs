//! How is a quote's template filled, and how does a value become text in its place?

use std::rc::Rc;

use qz_base::name::MARK;
use qz_base::{Name, Span, TextRange};
use qz_syntax::SyntaxKind::{self, *};
use qz_syntax::SyntaxNode;
use qz_syntax::ast::{self, AstNode};

use crate::code::{Code, ExpansionId};
use crate::eval::{Result, Run};
use crate::quote::{Hole, Piece, Place, What, template};
use crate::value::{Shape, Tree, Value};

impl Run<'_, '_> {
    pub(crate) fn quote(&mut self, node: SyntaxNode<'_>) -> Result<Value> {
        let key = (Rc::as_ptr(&self.source) as usize, node.index());
        let template = match self.ex.templates.get(&key) {
            Some((template, _)) => template.clone(),
            None => {
                let made = Rc::new(template(node));
                self.ex.templates.insert(key, (made.clone(), self.source.clone()));
                made
            }
        };
        let source = self.source.clone();
        let mark = format!("{MARK}{}", self.id);
        let mut code = Code::default();
        // A list without elements takes the comma behind it away.
        let mut was_empty = false;
        for piece in &template.pieces {
            match piece {
                Piece::Text(range) => self.copy(*range, &mut code),
                Piece::Comma(_) if was_empty => {}
                Piece::Comma(range) => self.copy(*range, &mut code),
                Piece::Line { range, indent } => {
                    self.copy(*range, &mut code);
                    let spaces = (self.indent as i32 + indent).clamp(0, 400) as usize;
                    let (place, _) = source.place(*range);
                    code.push_made(&" ".repeat(spaces), place, self.id);
                }
                Piece::Name(range) => self.marked(*range, &mark, &mut code),
                Piece::TypeName(range) => {
                    let name = Name::new(range.text(&source.text));
                    if self.is_of_home(name) {
                        self.marked(*range, &mark, &mut code);
                    } else {
                        self.copy(*range, &mut code);
                    }
                }
                Piece::Shorthand(range) => {
                    self.copy(*range, &mut code);
                    let (place, _) = source.place(*range);
                    code.push_made(": ", place, self.id);
                    self.marked(*range, &mark, &mut code);
                }
                Piece::Hole(hole) => {
                    was_empty = self.hole(hole, &mut code)?;
                    self.grow(&code, hole.range)?;
                    continue;
                }
                Piece::MaybeHole { dollar, hole } => {
                    let What::Name(name) = &hole.what else { continue };
                    if self.vars.iter().any(|var| var.name.as_str() == name) {
                        self.hole(hole, &mut code)?;
                    } else {
                        self.copy(*dollar, &mut code);
                        self.copy(hole.range, &mut code);
                    }
                }
            }
            was_empty &= matches!(piece, Piece::Line { .. } | Piece::Comma(_));
        }
        self.grow(&code, node.range())?;
        Ok(Value::Tree(Tree::made(code, Shape::Quote)))
    }

    fn grow(&mut self, code: &Code, range: TextRange) -> Result<()> {
        if code.text.len() > crate::expand::MAX_SIZE as usize {
            return self.fail(range, "what the macro makes is too large");
        }
        Ok(())
    }

    /// Copies a range of the macro's own text.
    fn copy(&mut self, range: TextRange, code: &mut Code) {
        let source = &self.source;
        for piece in source.slice(range).origins_with_text() {
            code.push(piece.0, piece.1.file, piece.1.start, self.id);
        }
    }

    fn marked(&mut self, range: TextRange, mark: &str, code: &mut Code) {
        let text = range.text(&self.source.text).to_owned();
        if text.contains(MARK) {
            return self.copy(range, code);
        }
        let question = u32::from(text.ends_with('?'));
        self.copy(TextRange::new(range.start, range.end - question), code);
        // The mark counts as the last bytes of the name, so that a range with it ends where the name does.
        let (place, _) = self.source.place(range);
        let start = (place.range.end - question).saturating_sub(mark.len() as u32);
        code.push(mark, place.file, start, self.id);
        self.copy(TextRange::new(range.end - question, range.end), code);
    }

    /// Whether a type's name means what the macro's module means by it, and that is not what the caller's does.
    fn is_of_home(&self, name: Name) -> bool {
        let expansion = &self.ex.trace.0[self.id as usize];
        expansion.home != expansion.user && self.ex.scopes.declares(self.mac.module, name)
    }

    /// Fills a hole; whether it was an empty list.
    fn hole(&mut self, hole: &Hole, code: &mut Code) -> Result<bool> {
        let value = match &hole.what {
            What::Expr(node) => {
                let source = self.source.clone();
                match ast::Expr::cast(source.node(*node)) {
                    Some(expr) => self.expr(expr)?,
                    None => Value::Nil,
                }
            }
            What::Name(name) | What::List(name) => {
                let found = self.vars.iter().rev().find(|var| var.name.as_str() == name);
                match found.map(|var| var.value.clone()) {
                    Some(value) => value,
                    None => {
                        let mut near: Vec<&str> = self.vars.iter().map(|it| it.name.as_str()).collect();
                        near.sort_unstable();
                        let near = qz_diag::did_you_mean(name, near);
                        let help = near.map(|it| format!("; did you mean `${it}`?")).unwrap_or_default();
                        return self.fail(hole.range, format!("the macro knows no `{name}`{help}"));
                    }
                }
            }
        };
        match (&hole.what, value) {
            (What::List(_), Value::List(values)) => {
                let values = values.borrow().clone();
                self.elements_into(&values, hole, code)?;
                Ok(values.is_empty())
            }
            (What::List(name), value) => match &value {
                Value::Tree(tree) if tree.kind() == Block => {
                    self.put(&value, hole.place, hole.range, code)?;
                    Ok(false)
                }
                Value::Nil => Ok(true),
                other => {
                    let message =
                        format!("`$*{name}` puts in the elements of a list, and this is {}", other.what());
                    self.fail(hole.range, message)
                }
            },
            (_, value) => {
                self.put(&value, hole.place, hole.range, code)?;
                Ok(false)
            }
        }
    }

    fn elements_into(&mut self, values: &[Value], hole: &Hole, code: &mut Code) -> Result<()> {
        let lines = matches!(hole.place, Place::Statement | Place::Member);
        let start = code.text.rfind('\n').map_or(0, |at| at + 1);
        let indent = code.text[start..].chars().take_while(|c| *c == ' ').count();
        let own_line = code.text[start..].trim().is_empty() && start > 0;
        let indent = if own_line { indent } else { self.indent };
        let (place, _) = self.source.place(hole.range);
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                let gap = if lines { format!("\n{}", " ".repeat(indent)) } else { ", ".to_owned() };
                code.push_made(&gap, place, self.id);
            }
            let inside = if hole.place == Place::Operand { Place::Alone } else { hole.place };
            self.put(value, inside, hole.range, code)?;
            self.grow(code, hole.range)?;
        }
        Ok(())
    }

    /// Puts a value into a text.
    pub(crate) fn put(
        &mut self,
        value: &Value,
        place: Place,
        range: TextRange,
        code: &mut Code,
    ) -> Result<()> {
        let (at, _) = self.source.place(range);
        let id = self.id;
        match value {
            Value::Tree(tree) => {
                put_tree(tree, place, at, id, code);
                Ok(())
            }
            Value::Nil if place == Place::Statement || place == Place::Member => Ok(()),
            Value::Nil => {
                code.push_made("nil", at, id);
                Ok(())
            }
            Value::Bool(value) => {
                code.push_made(if *value { "true" } else { "false" }, at, id);
                Ok(())
            }
            Value::Int(value) => {
                let text = if *value < 0 { format!("({value})") } else { value.to_string() };
                code.push_made(&text, at, id);
                Ok(())
            }
            Value::Text(text) => {
                code.push_made(&quoted(text), at, id);
                Ok(())
            }
            Value::List(_) => self.fail(range, "this is a list; `$*name` puts its elements in"),
            Value::Lambda(_) => self.fail(range, "a lambda of the macro's own cannot be put into a program"),
        }
    }
}

/// Puts a tree into a text so that it stays one in its place.
pub(crate) fn put_tree(tree: &Tree, place: Place, at: Span, id: ExpansionId, code: &mut Code) {
    let inside = tree.code();
    if matches!(tree, Tree::Made { shape: Shape::Name, .. }) {
        return code.push_code(&inside);
    }
    match place {
        Place::Statement | Place::Member => code.push_code(&inside),
        // `name: e` from a quote is an argument or a field here.
        Place::Alone if is_named(&inside.text) => code.push_code(&inside),
        Place::Alone | Place::Operand if is_several(tree.kind()) => put_block(&inside, at, id, code),
        Place::Operand | Place::Other
            if !tree.is_tight() && ast::Expr::cast(tree.look().0.node(tree.look().1)).is_some() =>
        {
            code.push_made("(", at, id);
            code.push_code(&inside);
            code.push_made(")", at, id);
        }
        Place::Alone | Place::Operand | Place::Other => code.push_code(&inside),
    }
}

/// `name: …`
fn is_named(text: &str) -> bool {
    let rest = text.trim_start().trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == MARK);
    rest.len() < text.trim_start().len() && rest.starts_with(':') && !rest.starts_with("::")
}

/// What has no value as an expression of one line.
fn is_several(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        Block
            | AssignStmt
            | VarStmt
            | TypedBindStmt
            | CompoundAssignStmt
            | DestructureStmt
            | DeferStmt
            | GuardStmt
    )
}

/// Statements where an expression stands: an arm's body is a block whose value is its last statement's.
pub(crate) fn put_block(inside: &Code, at: Span, id: ExpansionId, code: &mut Code) {
    code.push_made("(match ()\n  _ =>\n", at, id);
    code.push_code(inside);
    code.push_made("\nend)", at, id);
}

/// A text as a literal.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// A text as it stands between the quotes of a literal.
pub(crate) fn escaped(text: &str) -> String {
    let mut literal = String::new();
    for c in text.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\t' => literal.push_str("\\t"),
            '\r' => literal.push_str("\\r"),
            '#' => literal.push_str("\\u{23}"),
            c if c.is_control() => literal.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => literal.push(c),
        }
    }
    literal
}
