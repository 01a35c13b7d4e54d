//! What does a quote say? Its tokens as a template, made once for each quote: text to copy, names to mark, holes to fill.
//!
//! Hygiene is decided here, by what a name is in the quote's tree. Names that are looked up in scopes (locals, functions,
//! labels, first parts of paths) get the expansion's mark. Fields, methods, named arguments and the names of declarations
//! belong to what they are found in, not to a scope, and stay as they are.

use qz_base::TextRange;
use qz_syntax::SyntaxKind::{self, *};
use qz_syntax::{SyntaxElement, SyntaxNode, SyntaxToken};

/// A piece of a quote.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// Copied as it is.
    Text(TextRange),
    /// A name that gets the mark.
    Name(TextRange),
    /// The same for a type's or variant's name: only if the macro's module gives it a meaning.
    TypeName(TextRange),
    /// `x` for `x: x`.
    Shorthand(TextRange),
    /// A line break and the indentation behind it, counted from the quote's own.
    Line { range: TextRange, indent: i32 },
    /// `$name`, `$*name`, `${e}`.
    Hole(Hole),
    /// `$name(` where `name` may be known to the macro: then a hole, otherwise a call of a macro.
    MaybeHole { dollar: TextRange, hole: Hole },
    /// A comma, which goes with an empty list before it.
    Comma(TextRange),
}

#[derive(Clone, Debug)]
pub(crate) struct Hole {
    pub(crate) range: TextRange,
    pub(crate) what: What,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// `$name`
    Name(String),
    /// `$*name`
    List(String),
    /// `${e}`: the node of `e`.
    Expr(u32),
}

/// What is around a hole.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Alone between commas or brackets.
    Alone,
    /// Part of an expression: what is filled in must hold together.
    Operand,
    /// A statement on its own.
    Statement,
    /// A name, a type, a pattern, a member.
    Other,
    /// A member or arm on a line of its own.
    Member,
}

pub(crate) struct Template {
    pub(crate) pieces: Vec<Piece>,
}

struct Maker<'t> {
    pieces: Vec<Piece>,
    base: Option<i32>,
    /// Nodes around, with their kinds.
    around: Vec<SyntaxKind>,
    /// Kinds of the innermost brackets.
    brackets: Vec<SyntaxKind>,
    at_line_start: bool,
    /// Names that macros inside of the quote bind: theirs, not ours.
    inner: Vec<Vec<&'t str>>,
    last_dollar: Option<TextRange>,
}

/// The template of a quote's body.
pub(crate) fn template(quote: SyntaxNode<'_>) -> Template {
    let mut maker = Maker {
        pieces: Vec::new(),
        base: None,
        around: vec![QuoteExpr],
        brackets: Vec::new(),
        at_line_start: false,
        inner: Vec::new(),
        last_dollar: None,
    };
    let body: Vec<SyntaxElement<'_>> = quote.children_with_tokens().collect();
    let start = body.iter().position(|it| it.kind() == DoKw).map_or(0, |at| at + 1);
    let end = body.iter().rposition(|it| it.kind() == EndKw).unwrap_or(body.len());
    let mut body = body.get(start..end).unwrap_or(&[]);
    while let [rest @ .., last] = body
        && matches!(last.kind(), Whitespace | Newline)
    {
        body = rest;
    }
    for &element in body {
        if element.kind() != Whitespace || maker.at_line_start || !maker.pieces.is_empty() {
            maker.element(element, None);
        }
    }
    trim(&mut maker.pieces);
    Template { pieces: maker.pieces }
}

/// Line breaks at both ends belong to `do` and `end`.
fn trim(pieces: &mut Vec<Piece>) {
    let blank = |piece: &Piece| matches!(piece, Piece::Line { .. });
    while pieces.last().is_some_and(blank) {
        pieces.pop();
    }
    let first = pieces.iter().position(|it| !blank(it)).unwrap_or(pieces.len());
    pieces.drain(..first);
}

impl<'t> Maker<'t> {
    fn element(&mut self, element: SyntaxElement<'t>, parent: Option<SyntaxNode<'t>>) {
        match element {
            SyntaxElement::Node(node) => self.node(node),
            SyntaxElement::Token(token) => self.token(token, parent),
        }
    }

    fn node(&mut self, node: SyntaxNode<'t>) {
        if node.kind() == MacroVarExpr && self.inner.is_empty() {
            if let Some(expr) = node.children().next() {
                let place = self.place();
                let hole = Hole { range: node.range(), what: What::Expr(expr.index()), place };
                self.pieces.push(Piece::Hole(hole));
                self.at_line_start = false;
            }
            return;
        }
        let is_macro = node.kind() == MacroDef;
        if is_macro {
            self.inner.push(bound_by(node));
        }
        self.around.push(node.kind());
        for element in node.children_with_tokens() {
            self.element(element, Some(node));
        }
        self.around.pop();
        if is_macro {
            self.inner.pop();
        }
    }

    fn token(&mut self, token: SyntaxToken<'t>, parent: Option<SyntaxNode<'t>>) {
        let range = token.range();
        let dollar = self.last_dollar.take();
        match token.kind() {
            Newline => {
                self.pieces.push(Piece::Line { range, indent: 0 });
                self.at_line_start = true;
                return;
            }
            Whitespace if self.at_line_start => {
                let base = *self.base.get_or_insert(range.len() as i32);
                match self.pieces.last_mut() {
                    Some(Piece::Line { indent, .. }) => *indent = range.len() as i32 - base,
                    _ => self.text(range),
                }
                return;
            }
            Dollar => self.last_dollar = Some(range),
            LParen | LBracket | LBrace => self.brackets.push(token.kind()),
            RParen | RBracket | RBrace => {
                self.brackets.pop();
            }
            Comma => {
                self.pieces.push(Piece::Comma(range));
                self.at_line_start = false;
                return;
            }
            _ => {}
        }
        if token.kind() == Ident {
            self.name(token, parent, dollar);
        } else {
            self.text(range);
        }
        self.at_line_start = false;
    }

    fn name(&mut self, token: SyntaxToken<'t>, parent: Option<SyntaxNode<'t>>, dollar: Option<TextRange>) {
        let (range, text) = (token.range(), token.text());
        let bound_inside = |name: &str| self.inner.iter().flatten().any(|it| *it == name);
        if let Some(name) = text.strip_prefix("$*") {
            if !bound_inside(name) {
                let hole = Hole { range, what: What::List(name.to_owned()), place: self.place_of_name() };
                return self.pieces.push(Piece::Hole(hole));
            }
        } else if let Some(name) = text.strip_prefix('$') {
            if !bound_inside(name) {
                let hole = Hole { range, what: What::Name(name.to_owned()), place: self.place_of_name() };
                return self.pieces.push(Piece::Hole(hole));
            }
        } else if let Some(dollar) = dollar.filter(|it| it.end == range.start)
            && !bound_inside(text)
        {
            let hole = Hole { range, what: What::Name(text.to_owned()), place: Place::Other };
            if let Some(Piece::Text(last)) = self.pieces.last_mut() {
                if last.start == dollar.start {
                    self.pieces.pop();
                } else {
                    last.end = dollar.start;
                }
            }
            return self.pieces.push(Piece::MaybeHole { dollar, hole });
        }
        match self.role(token, parent) {
            Role::Scoped => self.pieces.push(Piece::Name(range)),
            Role::Type => self.pieces.push(Piece::TypeName(range)),
            Role::Shorthand => self.pieces.push(Piece::Shorthand(range)),
            Role::Plain => self.text(range),
        }
    }

    /// How an ordinary name is found.
    fn role(&self, token: SyntaxToken<'t>, parent: Option<SyntaxNode<'t>>) -> Role {
        let Some(parent) = parent else { return Role::Plain };
        let text = token.text();
        if !self.inner.is_empty() || text.starts_with('$') {
            return Role::Plain;
        }
        let is_first = || parent.token(Ident) == Some(token);
        let upper = text.chars().next().is_some_and(char::is_uppercase);
        match parent.kind() {
            PathExpr | PathPat | PathType if !is_first() => Role::Plain,
            PathExpr if matches!(text, "it" | "quote" | "resume") => Role::Plain,
            PathExpr if self.is_select_word(text) => Role::Plain,
            PathExpr | PathPat | PathType if upper => Role::Type,
            PathExpr | PathPat | PathType | NamePat | AsPat | TypedBindStmt | Label | LabelRef => {
                Role::Scoped
            }
            FieldPat if parent.children().next().is_none() => Role::Shorthand,
            FieldInit if parent.children().next().is_none() => Role::Shorthand,
            _ => Role::Plain,
        }
    }

    /// `recv`, `send` and their kin in the head of an arm of `select`.
    fn is_select_word(&self, text: &str) -> bool {
        let arm = matches!(self.around[..], [.., SelectArm, CallExpr, PathExpr] | [.., SelectArm, PathExpr]);
        arm && matches!(text, "recv" | "send" | "after" | "default")
    }

    /// The place of a hole that is a node of its own.
    fn place(&self) -> Place {
        place_in(self.around.last().copied().unwrap_or(Block), self.at_line_start)
    }

    /// The place of a hole that is a name: the node around it is the name's own.
    fn place_of_name(&self) -> Place {
        match self.around[..] {
            [.., parent, PathExpr] => place_in(parent, self.at_line_start),
            [.., MatchArm | SelectArm, NamePat | PathPat] if self.at_line_start => Place::Member,
            [.., parent, NamePat | PathType | PathPat] => match place_in(parent, self.at_line_start) {
                Place::Alone => Place::Alone,
                _ => Place::Other,
            },
            [.., FieldDef | VariantDef | Error | MatchArm | BinaryField | BinaryArm]
                if self.at_line_start =>
            {
                Place::Member
            }
            [.., Error] if self.brackets.is_empty() => Place::Member,
            [.., FieldPat | FieldInit] => Place::Alone,
            _ => Place::Other,
        }
    }

    fn text(&mut self, range: TextRange) {
        match self.pieces.last_mut() {
            Some(Piece::Text(last)) if last.end == range.start => last.end = range.end,
            _ => self.pieces.push(Piece::Text(range)),
        }
    }
}

enum Role {
    Scoped,
    Type,
    Shorthand,
    Plain,
}

fn place_in(parent: SyntaxKind, at_line_start: bool) -> Place {
    match parent {
        ArgList | VecExpr | TupleExpr | ParenExpr | NamedArg | Interp | MapEntry | FieldInit | ParamList
        | Param | LambdaParams | TypeArgs | FnTypeParams | TupleType | TuplePat | VecPat | VariantPat
        | StructPat | MapExpr | RecordExpr | StructExpr | Payload | PayloadField | IndexExpr
        | GenericParams => Place::Alone,
        Block | QuoteExpr | SourceFile => Place::Statement,
        StructDef | EnumDef | ImplDef | TraitDef | ExtendDef | MatchExpr if at_line_start => Place::Member,
        _ => Place::Operand,
    }
}

/// Names that a macro in a quote binds: its parameters and what its body assigns to.
fn bound_by(node: SyntaxNode<'_>) -> Vec<&str> {
    let names = node.descendants().filter(|it| matches!(it.kind(), NamePat | PathPat));
    let assigned = node.descendants().filter(|it| it.kind() == AssignStmt);
    let assigned = assigned.filter_map(|it| it.children().next()).filter(|it| it.kind() == PathExpr);
    names.chain(assigned).map(|it| it.text()).collect()
}
