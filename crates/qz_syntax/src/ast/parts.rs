//! What are the parts of a path, a string or a literal? Sequences that mix tokens and nodes.

use super::{
    AstNode, Expr, HeredocBody, Interp, LiteralExpr, MacroCallExpr, PathExpr, PathPat, PathType,
    StaticAssert, StringExpr, TypeArgs,
};
use crate::SyntaxKind;
use crate::tree::{Children, SyntaxElement, SyntaxNode, SyntaxToken};

/// One name of a path with its type arguments: `Vec<Int>` in `a::Vec<Int>::new`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct PathSegment<'t> {
    /// The name.
    pub name: SyntaxToken<'t>,
    /// Its type arguments, if any are written.
    pub type_args: Option<TypeArgs<'t>>,
}

/// The segments of a path.
#[derive(Clone)]
pub struct Segments<'t> {
    children: Children<'t>,
    pending: Option<SyntaxToken<'t>>,
}

impl<'t> Segments<'t> {
    fn of(node: SyntaxNode<'t>) -> Segments<'t> {
        Segments { children: node.children_with_tokens(), pending: None }
    }
}

impl<'t> Iterator for Segments<'t> {
    type Item = PathSegment<'t>;

    fn next(&mut self) -> Option<PathSegment<'t>> {
        for child in self.children.by_ref() {
            match child {
                SyntaxElement::Token(name) if name.kind() == SyntaxKind::Ident => {
                    if let Some(before) = self.pending.replace(name) {
                        return Some(PathSegment { name: before, type_args: None });
                    }
                }
                SyntaxElement::Token(_) => {}
                SyntaxElement::Node(node) => {
                    if let Some(type_args) = TypeArgs::cast(node)
                        && let Some(name) = self.pending.take()
                    {
                        return Some(PathSegment { name, type_args: Some(type_args) });
                    }
                }
            }
        }
        Some(PathSegment { name: self.pending.take()?, type_args: None })
    }
}

macro_rules! path_accessors {
    ($($Path:ident)*) => {
        $(
            impl<'t> $Path<'t> {
                /// The names of the path in order, each with its type arguments.
                pub fn segments(self) -> Segments<'t> {
                    Segments::of(self.syntax())
                }

                /// The name, if the path is one name without type arguments.
                pub fn single_name(self) -> Option<SyntaxToken<'t>> {
                    let mut segments = self.segments();
                    match (segments.next(), segments.next()) {
                        (Some(PathSegment { name, type_args: None }), None) => Some(name),
                        _ => None,
                    }
                }
            }
        )*
    };
}

path_accessors! { PathExpr PathPat PathType }

/// A piece of a string.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum StringPart<'t> {
    /// Text with its escapes; see [`literals`](crate::literals).
    Text(SyntaxToken<'t>),
    /// `#{e}`.
    Interp(Interp<'t>),
}

impl<'t> StringPart<'t> {
    fn all_of(node: SyntaxNode<'t>) -> impl Iterator<Item = StringPart<'t>> {
        node.children_with_tokens().filter_map(|child| match child {
            SyntaxElement::Token(token) => {
                (token.kind() == SyntaxKind::StrText).then_some(StringPart::Text(token))
            }
            SyntaxElement::Node(node) => Interp::cast(node).map(StringPart::Interp),
        })
    }

    /// The expression of an interpolation.
    pub fn expr(self) -> Option<Expr<'t>> {
        match self {
            StringPart::Text(_) => None,
            StringPart::Interp(interp) => interp.expr(),
        }
    }
}

impl<'t> StringExpr<'t> {
    /// Text and interpolations in order. Their values: [`StringExpr::value`].
    pub fn parts(self) -> impl Iterator<Item = StringPart<'t>> {
        StringPart::all_of(self.syntax())
    }

    /// Whether it is a `"""` string.
    pub fn is_multiline(self) -> bool {
        self.start().is_some_and(|start| start.text().len() == 3)
    }
}

impl<'t> HeredocBody<'t> {
    /// Text and interpolations in order, without the closing line.
    pub fn parts(self) -> impl Iterator<Item = StringPart<'t>> {
        StringPart::all_of(self.syntax())
    }
}

/// What a literal of one token is.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum LiteralKind {
    /// `42`
    Int,
    /// `1.5`
    Float,
    /// `'a'`
    Char,
    /// `:name`
    Symbol,
    /// `r"…"`
    RawString,
    /// `~r"…"`
    Regex,
    /// `true`
    True,
    /// `false`
    False,
    /// `nil`
    Nil,
}

impl<'t> StaticAssert<'t> {
    /// What must hold.
    pub fn condition(self) -> Option<Expr<'t>> {
        self.args()?.syntax().children().find_map(Expr::cast)
    }

    /// What to say if it does not.
    pub fn message(self) -> Option<Expr<'t>> {
        self.args()?.syntax().children().filter_map(Expr::cast).nth(1)
    }
}

impl<'t> MacroCallExpr<'t> {
    /// The names before the arguments: one, or a module's and one.
    pub fn path(self) -> impl Iterator<Item = SyntaxToken<'t>> {
        self.syntax().tokens().filter(|token| token.kind() == SyntaxKind::Ident)
    }

    /// The macro's name.
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        self.path().last()
    }
}

impl<'t> LiteralExpr<'t> {
    /// The token.
    pub fn token(self) -> Option<SyntaxToken<'t>> {
        self.syntax().tokens().next()
    }

    /// What it is a literal of.
    pub fn kind(self) -> Option<LiteralKind> {
        Some(match self.token()?.kind() {
            SyntaxKind::IntNumber => LiteralKind::Int,
            SyntaxKind::FloatNumber => LiteralKind::Float,
            SyntaxKind::Char => LiteralKind::Char,
            SyntaxKind::Symbol => LiteralKind::Symbol,
            SyntaxKind::RawString => LiteralKind::RawString,
            SyntaxKind::Regex => LiteralKind::Regex,
            SyntaxKind::TrueKw => LiteralKind::True,
            SyntaxKind::FalseKw => LiteralKind::False,
            SyntaxKind::NilKw => LiteralKind::Nil,
            _ => return None,
        })
    }
}
