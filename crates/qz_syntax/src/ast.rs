//! What does the tree mean, node by node? A typed view: `Copy` handles that borrow the tree, generated from the
//! one table in `nodes.rs`. Accessors return an `Option` for whatever the text may lack.
//!
//! Start with [`SourceFile::items`]. Families of nodes ([`Item`], [`Stmt`], [`Expr`], [`Pat`], [`TypeExpr`] …) are
//! enums to match on. What a table cannot say (operators, paths, parts of a string) is in the submodules.

mod operators;
mod parts;

pub use operators::{BinaryOp, CastKind, UnaryOp};
pub use parts::{LiteralKind, PathSegment, Segments, StringPart};

use crate::SyntaxKind;
use crate::tree::{SyntaxElement, SyntaxNode, SyntaxToken};

/// A typed handle of a node, or of one of a family of nodes.
pub trait AstNode<'t>: Copy {
    /// The typed handle, if the node is of the right kind.
    fn cast(node: SyntaxNode<'t>) -> Option<Self>;
    /// The node itself.
    fn syntax(self) -> SyntaxNode<'t>;
}

macro_rules! accessor {
    ($(#[$doc:meta])* $name:ident first($T:ident)) => {
        $(#[$doc])*
        pub fn $name(self) -> Option<$T<'t>> {
            self.0.children().find_map($T::cast)
        }
    };
    ($(#[$doc:meta])* $name:ident nth($T:ident, $n:literal)) => {
        $(#[$doc])*
        pub fn $name(self) -> Option<$T<'t>> {
            self.0.children().filter_map($T::cast).nth($n)
        }
    };
    ($(#[$doc:meta])* $name:ident all($T:ident)) => {
        $(#[$doc])*
        pub fn $name(self) -> impl Iterator<Item = $T<'t>> {
            self.0.children().filter_map($T::cast)
        }
    };
    ($(#[$doc:meta])* $name:ident before($T:ident, $($K:ident)|+)) => {
        $(#[$doc])*
        pub fn $name(self) -> Option<$T<'t>> {
            before(self.0, |kind| matches!(kind, $(SyntaxKind::$K)|+)).find_map($T::cast)
        }
    };
    ($(#[$doc:meta])* $name:ident after($T:ident, $($K:ident)|+)) => {
        $(#[$doc])*
        pub fn $name(self) -> Option<$T<'t>> {
            after(self.0, |kind| matches!(kind, $(SyntaxKind::$K)|+))
                .filter_map(SyntaxElement::as_node)
                .find_map($T::cast)
        }
    };
    ($(#[$doc:meta])* $name:ident token($K:ident)) => {
        $(#[$doc])*
        pub fn $name(self) -> Option<SyntaxToken<'t>> {
            self.0.token(SyntaxKind::$K)
        }
    };
    ($(#[$doc:meta])* $name:ident tokens($K:ident)) => {
        $(#[$doc])*
        pub fn $name(self) -> impl Iterator<Item = SyntaxToken<'t>> {
            self.0.tokens().filter(|token| token.kind() == SyntaxKind::$K)
        }
    };
    ($(#[$doc:meta])* $name:ident token_after($K:ident, $A:ident)) => {
        $(#[$doc])*
        pub fn $name(self) -> Option<SyntaxToken<'t>> {
            after(self.0, |kind| kind == SyntaxKind::$A)
                .filter_map(SyntaxElement::as_token)
                .find(|token| token.kind() == SyntaxKind::$K)
        }
    };
    ($(#[$doc:meta])* $name:ident has($K:ident)) => {
        $(#[$doc])*
        pub fn $name(self) -> bool {
            self.0.token(SyntaxKind::$K).is_some()
        }
    };
}

fn before<'t>(node: SyntaxNode<'t>, is_mark: fn(SyntaxKind) -> bool) -> impl Iterator<Item = SyntaxNode<'t>> {
    node.children_with_tokens().take_while(move |e| !is_mark(e.kind())).filter_map(SyntaxElement::as_node)
}

fn after<'t>(
    node: SyntaxNode<'t>,
    is_mark: fn(SyntaxKind) -> bool,
) -> impl Iterator<Item = SyntaxElement<'t>> {
    node.children_with_tokens().skip_while(move |e| !is_mark(e.kind())).skip(1)
}

macro_rules! define_ast {
    ($(
        $(#[$doc:meta])*
        $Node:ident { $($(#[$fdoc:meta])* $field:ident : $how:ident $args:tt),* $(,)? }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
            pub struct $Node<'t>(SyntaxNode<'t>);

            impl<'t> AstNode<'t> for $Node<'t> {
                fn cast(node: SyntaxNode<'t>) -> Option<Self> {
                    (node.kind() == SyntaxKind::$Node).then_some($Node(node))
                }
                fn syntax(self) -> SyntaxNode<'t> {
                    self.0
                }
            }

            #[allow(missing_docs, reason = "the field table documents what a name does not say")]
            impl<'t> $Node<'t> {
                $(accessor! { $(#[$fdoc])* $field $how $args })*
            }
        )*
    };
}

for_each_node!(define_ast);

macro_rules! define_node_fields {
    ($(
        $(#[$doc:meta])*
        $Node:ident { $($(#[$fdoc:meta])* $field:ident : $how:ident $args:tt),* $(,)? }
    )*) => {
        /// Every field of every node with the words it is declared by, such as `"first (Expr)"`: for tests that
        /// must reach all of them.
        pub const NODE_FIELDS: &[(&str, &str, &str)] = &[
            $($((stringify!($Node), stringify!($field), concat!(stringify!($how), " ", stringify!($args))),)*)*
        ];
    };
}

for_each_node!(define_node_fields);

macro_rules! define_families {
    ($($(#[$doc:meta])* $Family:ident { $($Node:ident)+ $(| $Inner:ident)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
            #[allow(missing_docs, reason = "each variant is the node of its name")]
            pub enum $Family<'t> {
                $($Node($Node<'t>),)+
                $($Inner($Inner<'t>),)?
            }

            impl<'t> AstNode<'t> for $Family<'t> {
                fn cast(node: SyntaxNode<'t>) -> Option<Self> {
                    match node.kind() {
                        $(SyntaxKind::$Node => Some($Family::$Node($Node(node))),)+
                        _ => {
                            $(if let Some(inner) = $Inner::cast(node) {
                                return Some($Family::$Inner(inner));
                            })?
                            None
                        }
                    }
                }
                fn syntax(self) -> SyntaxNode<'t> {
                    match self {
                        $($Family::$Node(node) => node.0,)+
                        $($Family::$Inner(inner) => inner.syntax(),)?
                    }
                }
            }
        )*
    };
}

for_each_family!(define_families);

impl<'t> SourceFile<'t> {
    /// The `##!` comments of the file.
    pub fn module_docs(self) -> impl Iterator<Item = SyntaxToken<'t>> {
        self.0
            .children_with_tokens()
            .filter_map(SyntaxElement::as_token)
            .filter(|token| token.kind() == SyntaxKind::ModuleDoc)
    }
}

impl<'t> ImplDef<'t> {
    /// The type that gets the methods: the one after `for`, else the only one.
    pub fn self_type(self) -> Option<TypeExpr<'t>> {
        if self.0.token(SyntaxKind::ForKw).is_some() { self.for_type() } else { self.trait_type() }
    }

    /// The trait that is implemented, or none for a plain `impl T`.
    pub fn implemented_trait(self) -> Option<TypeExpr<'t>> {
        self.0.token(SyntaxKind::ForKw).and(self.trait_type())
    }
}

impl<'t> IndexExpr<'t> {
    /// What stands in the brackets: one index or range, or the elements of `Set[1, 2]`.
    pub fn indices(self) -> impl Iterator<Item = Arg<'t>> {
        after(self.0, |kind| kind == SyntaxKind::LBracket)
            .filter_map(SyntaxElement::as_node)
            .filter_map(Arg::cast)
    }
}

impl<'t> HeredocExpr<'t> {
    /// The lines that belong to this opener. None if the file ended before them.
    pub fn body(self) -> Option<HeredocBody<'t>> {
        let opener = self.start()?.range().start;
        let index = self.0.tree().heredoc_body(opener)?;
        self.0.at_index(index).and_then(HeredocBody::cast)
    }
}
